// SPDX-License-Identifier: Apache-2.0
//
// The front of the log: opening and closing, places, copying into the ring, and the order in which
// records are published. A place is taken under reserve_mutex in a few instructions; the copy runs
// outside; publishing sets the record's slot and moves `head` over all slots that are set, whoever
// set them. Any thread.
#include "storage/wal/wal_int.h"

#include "base/crc32c.h"
#include "base/memory.h"

enum { SPINS_MAX = 50 };

/* --- order --------------------------------------------------------------------------------- */

static void raise_ts(_Atomic Timestamp *at, Timestamp ts)
{
    Timestamp old = atomic_load(at);

    while (old < ts && !atomic_compare_exchange_weak(at, &old, ts)) {
    }
}

void wal_publish(Wal *wal, const WalPlace *place)
{
    WalSlot *slot = &wal->slots[place->sequence % WAL_SLOTS];
    uint64_t head;

    atomic_store(&slot->published, place->sequence + 1);
    for (;;) {
        head = atomic_load(&wal->head);
        slot = &wal->slots[head % WAL_SLOTS];
        if (atomic_load(&slot->published) != head + 1)
            break;
        Timestamp ts = atomic_load_explicit(&slot->commit_ts, memory_order_relaxed);
        if (atomic_compare_exchange_strong(&wal->head, &head, head + 1))
            raise_ts(&wal->installed_ts, ts);
    }
    if (wal->dir && !atomic_load_explicit(&wal->armed, memory_order_relaxed) &&
        !atomic_exchange(&wal->armed, true)) {
        mutex_lock(&wal->wait_mutex);
        condition_signal(&wal->work);
        mutex_unlock(&wal->wait_mutex);
    }
}

void wal_await_installed(Wal *wal, Timestamp commit_ts)
{
    for (int spins = 0; atomic_load(&wal->installed_ts) < commit_ts; spins++) {
        if (spins < SPINS_MAX)
            thread_pause();
        else
            thread_yield();
    }
}

Timestamp wal_installed_ts(const Wal *wal)
{
    return atomic_load(&wal->installed_ts);
}

Timestamp wal_durable_ts(const Wal *wal)
{
    return atomic_load(wal->dir ? &wal->durable_ts : &wal->installed_ts);
}

LogPosition wal_durable_position(const Wal *wal)
{
    return atomic_load(&wal->durable_position);
}

LogPosition wal_end(Wal *wal)
{
    mutex_lock(&wal->reserve_mutex);
    LogPosition end = wal->next_position;
    mutex_unlock(&wal->reserve_mutex);
    return end;
}

size_t wal_payload_max(const Wal *wal)
{
    return wal->dir ? wal->payload_max : SIZE_MAX;
}

/* --- places -------------------------------------------------------------------------------- */

static bool has_room_locked(Wal *wal, size_t bytes)
{
    uint64_t oldest = wal->dir ? atomic_load(&wal->flushed_sequence) : atomic_load(&wal->head);

    return wal->next_sequence - oldest < WAL_SLOTS &&
           wal->next_at + bytes - atomic_load(&wal->flushed_at) <= wal->buffer_bytes;
}

/* Sleeps until wal_space_wake, unless there is room already. May return without reason.
   REQUIRES(reserve_mutex). */
static void wait_for_space_locked(Wal *wal, size_t bytes, bool for_spare)
{
    if (!wal->dir) {
        thread_yield();
        return;
    }
    atomic_fetch_add(&wal->space_waiters, 1);
    wal_flush_ask(wal);
    if (for_spare || (!has_room_locked(wal, bytes) && !atomic_load(&wal->failed)))
        condition_wait(&wal->space, &wal->reserve_mutex);
    atomic_fetch_sub(&wal->space_waiters, 1);
}

void wal_space_wake(Wal *wal)
{
    if (atomic_load(&wal->space_waiters) == 0)
        return;
    mutex_lock(&wal->reserve_mutex);
    condition_broadcast(&wal->space);
    mutex_unlock(&wal->reserve_mutex);
}

/* Leaves the segment for the next one, if a spare is there. REQUIRES(reserve_mutex). */
static Status turn_locked(Ctx *ctx, Wal *wal, bool *turned)
{
    Status st = OK;
    WalTurn *turn = &wal->turns[(wal->turns_first + wal->turns_count) % WAL_TURNS_MAX];

    *turned = false;
    if (wal->turns_count == WAL_TURNS_MAX)
        goto done;
    TRY(wal_spare_take(ctx, wal, turned, &turn->spare));
    if (*turned) {
        turn->at = wal->next_at;
        turn->number = log_segment(wal->next_position) + 1;
        wal->turns_count++;
        wal->next_position = log_position(turn->number, sizeof(SegmentHeader));
        wal->capacity = turn->spare.bytes;
        wal->spare_asked = false;
    }
done:
    return st;
}

static Status make_room_locked(Ctx *ctx, Wal *wal, size_t bytes)
{
    Status st = OK;

    for (;;) {
        bool turned = false;

        TRY(wal_check(ctx, wal));
        if (!has_room_locked(wal, bytes)) {
            wait_for_space_locked(wal, bytes, false);
        } else if (log_offset(wal->next_position) + bytes <= wal->capacity) {
            break;
        } else {
            TRY(turn_locked(ctx, wal, &turned));
            if (!turned)
                wait_for_space_locked(wal, bytes, true);
        }
    }
done:
    return st;
}

Status wal_reserve(Ctx *ctx, Wal *wal, size_t payload_bytes, Timestamp commit_ts, WalPlace *out)
{
    Status st = OK;
    size_t bytes = wal->dir ? record_bytes(payload_bytes) : 0;
    WalSlot *slot;

    ASSERT(!wal->dir || payload_bytes <= wal->payload_max);
    mutex_lock(&wal->reserve_mutex);
    TRY(make_room_locked(ctx, wal, bytes));
    ASSERT(commit_ts == 0 || commit_ts > wal->next_ts); /* WAL-1 */
    if (commit_ts)
        wal->next_ts = commit_ts;
    *out =
        (WalPlace){wal->next_sequence++, wal->next_at, wal->next_position, (uint32_t)payload_bytes};
    wal->next_at += bytes;
    wal->next_position += bytes;
    slot = &wal->slots[out->sequence % WAL_SLOTS];
    atomic_store_explicit(&slot->end_at, wal->next_at, memory_order_relaxed);
    atomic_store_explicit(&slot->end_position, wal->next_position, memory_order_relaxed);
    atomic_store_explicit(&slot->commit_ts, wal->next_ts, memory_order_relaxed);
    if (!wal->spare_asked && wal->dir && log_offset(wal->next_position) > wal->capacity / 2) {
        wal->spare_asked = true;
        wal_spare_ask(wal);
    }
done:
    mutex_unlock(&wal->reserve_mutex);
    return st;
}

/* --- copying ------------------------------------------------------------------------------- */

static void ring_put(Wal *wal, uint64_t at, const void *bytes, size_t count)
{
    size_t offset = at & (wal->buffer_bytes - 1);
    size_t first = MIN(count, wal->buffer_bytes - offset);

    memcpy(wal->buffer + offset, bytes, first);
    if (first < count)
        memcpy(wal->buffer, (const char *)bytes + first, count - first);
}

void wal_write_begin(Wal *wal, const WalPlace *place, const WalRecord *record, WalWriter *writer)
{
    RecordHeader header = {
        .length = (uint32_t)(sizeof header + place->payload_bytes),
        .position = place->position,
        .durable = atomic_load_explicit(&wal->durable_position, memory_order_relaxed),
        .commit_ts = record->commit_ts,
        .txn_id = record->txn_id,
        .batch = record->batch,
        .partition = record->partition,
        .user = record->user,
        .payload_bytes = place->payload_bytes,
        .version = WAL_RECORD_VERSION,
        .kind = record->kind,
    };

    ASSERT(header.durable <= place->position);
    *writer = (WalWriter){wal, *place, place->at};
    wal_write_put(writer, &header, sizeof header);
}

void wal_write_put(WalWriter *writer, const void *bytes, size_t count)
{
    if (!writer->wal->dir)
        return;
    ring_put(writer->wal, writer->at, bytes, count);
    writer->at += count;
}

char *wal_write_span(const WalWriter *writer, size_t *bytes_max)
{
    const Wal *wal = writer->wal;
    size_t offset = writer->at & (wal->buffer_bytes - 1);
    uint64_t end = writer->place.at + sizeof(RecordHeader) + writer->place.payload_bytes;

    *bytes_max = wal->dir ? MIN((size_t)(end - writer->at), wal->buffer_bytes - offset) : 0;
    return wal->dir ? wal->buffer + offset : NULL;
}

void wal_write_advance(WalWriter *writer, size_t count)
{
    writer->at += count;
}

void wal_write_end(WalWriter *writer)
{
    static const char zeros[WAL_ALIGN];
    Wal *wal = writer->wal;
    uint64_t start = writer->place.at;

    if (!wal->dir)
        return;
    size_t length = (size_t)(writer->at - start);
    ASSERT(length == sizeof(RecordHeader) + writer->place.payload_bytes);
    size_t offset = (start + sizeof(uint32_t)) & (wal->buffer_bytes - 1);
    size_t count = length - sizeof(uint32_t);
    size_t first = MIN(count, wal->buffer_bytes - offset);
    uint32_t checksum = crc32c(0, wal->buffer + offset, first);

    if (first < count)
        checksum = crc32c(checksum, wal->buffer, count - first);
    ring_put(wal, start, &checksum, sizeof checksum);
    ring_put(wal, writer->at, zeros, align_up(length, WAL_ALIGN) - length);
}

void wal_skip(Wal *wal, const WalPlace *place)
{
    WalRecord record = {.kind = WAL_SKIP};
    WalWriter writer;
    size_t room;
    char *span;

    wal_write_begin(wal, place, &record, &writer);
    while ((span = wal_write_span(&writer, &room)) != NULL && room > 0) {
        memset(span, 0, room);
        wal_write_advance(&writer, room);
    }
    wal_write_end(&writer);
    wal_publish(wal, place);
}

/* --- life ---------------------------------------------------------------------------------- */

Status wal_check(Ctx *ctx, Wal *wal)
{
    if (!atomic_load(&wal->failed))
        return OK;
    return error_raise(ctx, E_IO, "the log has failed: %s", wal->failure);
}

uint64_t wal_syncs(const Wal *wal)
{
    return atomic_load(&wal->syncs);
}

static Wal *make(const WalOptions *options)
{
    Wal *wal = mem_try_alloc_aligned(64, sizeof *wal);

    ASSERT(wal != NULL && "out of memory");
    memset(wal, 0, sizeof *wal);
    wal->files = options->files;
    wal->dir = options->dir ? mem_strdup(options->dir) : NULL;
    wal->segment_bytes = align_up(options->segment_bytes, 4096);
    wal->buffer_bytes = options->buffer_bytes;
    wal->next_spare_bytes = MIN(wal->segment_bytes, WAL_SEGMENT_MIN);
    wal->payload_max = MIN(WAL_PAYLOAD_MAX, MIN(wal->next_spare_bytes, wal->buffer_bytes) / 4);
    wal->slots = mem_alloc_zero(sizeof *wal->slots * WAL_SLOTS);
    if (wal->dir)
        wal->buffer = mem_alloc_zero(wal->buffer_bytes);
    mutex_init(&wal->reserve_mutex);
    mutex_init(&wal->wait_mutex);
    mutex_init(&wal->segment_mutex);
    condition_init(&wal->space);
    condition_init(&wal->work);
    condition_init(&wal->prepare);
    return wal;
}

static void destroy(Wal *wal)
{
    for (; wal->turns_count > 0; wal->turns_count--) {
        WalTurn *turn = &wal->turns[wal->turns_first++ % WAL_TURNS_MAX];

        file_close(turn->spare.file);
        mem_free(turn->spare.path);
    }
    wal_spares_drop(wal);
    file_close(wal->file);
    mutex_free(&wal->reserve_mutex);
    mutex_free(&wal->wait_mutex);
    mutex_free(&wal->segment_mutex);
    condition_free(&wal->space);
    condition_free(&wal->work);
    condition_free(&wal->prepare);
    mem_free(wal->segments);
    mem_free(wal->prepare_message);
    mem_free(wal->failure);
    mem_free(wal->buffer);
    mem_free(wal->slots);
    mem_free(wal->dir);
    mem_free(wal);
}

/* The segment that this life of the log begins with: never one that an earlier life wrote into. */
static Status begin_first(Ctx *ctx, Wal *wal, LogPosition end, uint32_t last_number)
{
    Status st = OK;
    WalSpare spare = {0};
    uint32_t number = last_number + 1;

    TRY(wal_spare_create(ctx, wal, wal->next_spare_bytes, &spare));
    uint64_t bytes = spare.bytes;
    TRY(wal_segment_begin(ctx, wal, &spare, number, end, &wal->file));
    TRY(file_sync_data(ctx, wal->file));
    wal->next_spare_bytes = MIN(wal->segment_bytes, wal->next_spare_bytes * 2);
    wal_segment_add(wal, number, bytes);
    wal->file_number = number;
    wal->capacity = bytes;
    wal->next_at = 0;
    wal->file_base = -(uint64_t)sizeof(SegmentHeader);
    wal->next_position = log_position(number, sizeof(SegmentHeader));
    atomic_init(&wal->durable_position, wal->next_position);
done:
    file_close(spare.file);
    mem_free(spare.path);
    return st;
}

static Status start(Ctx *ctx, Wal *wal)
{
    Status st = OK;

    TRY(thread_start(ctx, &wal->flusher, "log", wal_flusher_main, wal));
    TRY(thread_start(ctx, &wal->preparer, "log-prepare", wal_preparer_main, wal));
done:
    return st;
}

static void stop(Wal *wal)
{
    mutex_lock(&wal->wait_mutex);
    wal->stopping = true;
    condition_broadcast(&wal->work);
    mutex_unlock(&wal->wait_mutex);
    thread_join(&wal->flusher);
    mutex_lock(&wal->segment_mutex);
    wal->preparer_stopping = true;
    condition_broadcast(&wal->prepare);
    mutex_unlock(&wal->segment_mutex);
    thread_join(&wal->preparer);
}

Status wal_open(Ctx *ctx, const WalOptions *options, Wal **out)
{
    Status st = OK;
    Wal *wal = make(options);
    WalFound found = {0};

    ASSERT((options->buffer_bytes & (options->buffer_bytes - 1)) == 0);
    if (wal->dir) {
        TRY(files_make_dir(ctx, wal->files, wal->dir));
        TRY(wal_recover(ctx, wal, options, &found));
        TRY(begin_first(ctx, wal, found.end, found.last_number));
        TRY(start(ctx, wal));
    }
    wal->next_ts = MAX(options->start_ts, found.newest_ts);
    atomic_store(&wal->installed_ts, wal->next_ts);
    atomic_store(&wal->durable_ts, wal->next_ts);
    *out = wal;
done:
    if (st != OK) {
        stop(wal);
        destroy(wal);
    }
    return st;
}

/* A log that is closed on purpose takes no more room than it needs. Failing to is no harm. */
static void shrink(Wal *wal)
{
    Ctx ctx;

    ctx_init(&ctx);
    if (file_truncate(&ctx, wal->file, atomic_load(&wal->flushed_at) - wal->file_base) != OK ||
        file_sync(&ctx, wal->file) != OK)
        error_clear(&ctx);
    ctx_free(&ctx);
}

void wal_close(Wal *wal)
{
    if (!wal)
        return;
    if (wal->dir) {
        stop(wal);
        wal_lead_flush(wal);
        if (!atomic_load(&wal->failed))
            shrink(wal);
    }
    destroy(wal);
}

void wal_abandon(Wal *wal)
{
    mutex_lock(&wal->wait_mutex);
    wal->abandoned = true;
    mutex_unlock(&wal->wait_mutex);
    stop(wal);
    destroy(wal);
}
