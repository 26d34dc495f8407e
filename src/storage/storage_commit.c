// SPDX-License-Identifier: Apache-2.0
//
// The commit: one short critical section takes commit_ts, the place in the log and the generation;
// the record is copied and the versions are installed outside it, side by side with other commits;
// publishing moves installed_ts over all that are done, in order. Large transactions put their
// writes into the log in pieces before the section. Commits are slowed when flushing falls behind.
#include "storage/storage_core.h"

#include "os/clock.h"

#define OWN_GENERATION_BYTES ((size_t)8 << 20)

enum { DELAY_MAX_US = 4000, DELAY_UNIT_BYTES = 16384 };

/* --- back-pressure --------------------------------------------------------------------------- */

/* Waits while nothing more may be taken in. REQUIRES nothing. */
static Status await_flush(Ctx *ctx, Storage *storage)
{
    Status st = OK;

    mutex_lock(&storage->structure_mutex);
    while (atomic_load(&storage->unflushed_bytes) >= storage->unflushed_bytes_max) {
        if (storage->flush_status != OK)
            FAIL(ctx, storage->flush_status, "commits wait for a flush that fails: %s",
                 storage->flush_message);
        if (storage->stopping)
            FAIL(ctx, E_ADMIN_SHUTDOWN, "the database is being closed");
        condition_wait(&storage->changed, &storage->structure_mutex);
    }
done:
    mutex_unlock(&storage->structure_mutex);
    return st;
}

/* From half of what is allowed on, commits are delayed in proportion to their size and to how
   little is left: a slope, not a wall. */
static Status throttle(Ctx *ctx, Storage *storage, size_t bytes)
{
    size_t max = storage->unflushed_bytes_max;
    size_t waiting = atomic_load_explicit(&storage->unflushed_bytes, memory_order_relaxed);
    uint32_t debt = atomic_load_explicit(&storage->debt_permille, memory_order_relaxed);

    if (LIKELY(waiting < max / 2 && debt < 500))
        return OK;
    if (waiting >= max)
        return await_flush(ctx, storage);
    double fullness = MAX((double)waiting / (double)max, (double)debt / 1000) * 2 - 1;
    double units = 1 + (double)bytes / DELAY_UNIT_BYTES;
    int64_t delay_us = (int64_t)(fullness * fullness * 100 * units);
    int64_t deadline = clock_mono_ns() + MIN(delay_us, (int64_t)DELAY_MAX_US) * 1000;
    mutex_lock(&storage->structure_mutex);
    while (!storage->stopping &&
           condition_wait_until(&storage->changed, &storage->structure_mutex, deadline)) {
    }
    mutex_unlock(&storage->structure_mutex);
    return OK;
}

/* --- generations --------------------------------------------------------------------------- */

/* The log is needed from here on, if what was committed so far is flushed up to `position`. */
static LogPosition replay_from_locked(const Storage *storage, LogPosition position)
{
    for (const OpenBatch *batch = storage->batches; batch; batch = batch->next)
        position = MIN(position, batch->position);
    return position;
}

/* Puts `top` in the place of layers[0] and makes that the view. Readers must find a generation
   before a commit can be in it (STORAGE-3). False: no room, nothing happened. */
static bool replace_top_locked(Storage *storage, const Layer *top, uint32_t count)
{
    ViewState *dead = NULL;
    Layer *layers = storage->layers;
    bool replaced = false;

    mutex_lock(&storage->structure_mutex);
    Layer before = layers[0];
    if (storage->layers_count - 1 + count > LAYERS_MAX)
        goto done;
    memmove(layers + count, layers + 1, (storage->layers_count - 1) * sizeof *layers);
    memcpy(layers, top, count * sizeof *layers);
    storage->layers_count += count - 1;
    replaced = storage_publish_locked(storage, &dead);
    if (!replaced) {
        storage->layers_count -= count - 1;
        memmove(layers + 1, layers + count, (storage->layers_count - 1) * sizeof *layers);
        layers[0] = before;
        goto done;
    }
    storage->active = layers[0].generation;
    for (uint32_t i = 0; i < count; i++)
        atomic_fetch_add(&storage->unflushed_bytes, top[i].frozen_bytes);
    condition_broadcast(&storage->changed);
done:
    mutex_unlock(&storage->structure_mutex);
    storage_view_free(dead);
    return replaced;
}

static Layer frozen_layer_locked(const Storage *storage, LogPosition end)
{
    return (Layer){.generation = storage->active,
                   .last_ts = storage->last_ts,
                   .replay_from = replay_from_locked(storage, end),
                   .frozen_bytes = generation_bytes(storage->active),
                   .frozen = true};
}

void storage_freeze_locked(Storage *storage)
{
    Layer top[2] = {{.generation = NULL}, frozen_layer_locked(storage, wal_end(storage->wal))};

    if (!storage->active_used)
        return;
    top[0].generation = generation_new();
    if (replace_top_locked(storage, top, ARRAY_COUNT(top)))
        storage->active_used = false;
    else
        generation_unref(top[0].generation);
}

/* A large commit gets a generation of its own, below a new active one: installing it there takes
   the write set's trees over as they are, so the commits behind it hardly wait. `place` and `ts`
   are the commit's. NULL: it goes into the active one. */
static DeltaGeneration *add_own_locked(Storage *storage, const WalPlace *place, Timestamp ts,
                                       size_t bytes)
{
    Layer top[3] = {0};
    uint32_t count = 0;
    Layer own = {.generation = generation_new(),
                 .last_ts = ts,
                 .replay_from = replay_from_locked(storage, wal_end(storage->wal)),
                 .frozen_bytes = bytes,
                 .frozen = true};

    if (storage->active_used) {
        top[count++].generation = generation_new();
        top[count++] = own;
        top[count++] = frozen_layer_locked(storage, place->position);
    } else {
        top[count++].generation = storage->active;
        top[count++] = own;
    }
    if (replace_top_locked(storage, top, count)) {
        storage->active_used = false;
        return generation_ref(own.generation);
    }
    if (storage->active_used)
        generation_unref(top[0].generation);
    generation_unref(own.generation);
    return NULL;
}

/* --- the record ---------------------------------------------------------------------------- */

static void write_record(Wal *wal, const WalPlace *place, const WalRecord *record,
                         WriteEncoder *encoder)
{
    WalWriter writer;
    size_t room;
    char *span;

    wal_write_begin(wal, place, record, &writer);
    while ((span = wal_write_span(&writer, &room)) != NULL && room > 0) {
        size_t count = writeset_encode(encoder, span, room);

        ASSERT(count > 0);
        wal_write_advance(&writer, count);
    }
    wal_write_end(&writer);
}

static void open_batch(Storage *storage, OpenBatch *batch, LogPosition position)
{
    batch->position = position;
    batch->next = storage->batches;
    storage->batches = batch;
}

static void close_batch_locked(Storage *storage, OpenBatch *batch)
{
    OpenBatch **at = &storage->batches;

    if (batch->position == 0)
        return;
    while (*at != batch)
        at = &(*at)->next;
    *at = batch->next;
}

/* All but the last piece of a large transaction's writes; *rest is what is left for its commit. */
static Status write_pieces(Ctx *ctx, Storage *storage, WriteEncoder *encoder, uint64_t txn_id,
                           OpenBatch *batch, uint64_t *rest)
{
    Status st = OK;
    Wal *wal = storage->wal;
    size_t piece = wal_payload_max(wal);
    WalPlace place;

    while (*rest > piece) {
        WalRecord record = {.kind = WAL_DATA, .txn_id = txn_id, .batch = batch->position};

        if (batch->position == 0) {
            /* A freeze must see the batch: its log is needed until the commit is flushed. */
            mutex_lock(&storage->commit_mutex);
            st = wal_reserve(ctx, wal, piece, 0, &place);
            if (st == OK)
                open_batch(storage, batch, place.position);
            mutex_unlock(&storage->commit_mutex);
            TRY(st);
            record.batch = place.position;
        } else {
            TRY(wal_reserve(ctx, wal, piece, 0, &place));
        }
        write_record(wal, &place, &record, encoder);
        wal_publish(wal, &place);
        *rest -= piece;
    }
done:
    return st;
}

/* --- the commit ---------------------------------------------------------------------------- */

typedef struct Commit {
    uint64_t payload_bytes; /* of its record; pieces apart */
    size_t set_bytes;
    Timestamp ts;
    WalPlace place;
    DeltaGeneration *generation; /* a reference */
} Commit;

static Timestamp next_ts_locked(const Storage *storage)
{
    Timestamp now = (Timestamp)clock_wall_us() << TIMESTAMP_COUNTER_BITS;

    return MAX(now, storage->last_ts + 1);
}

/* REQUIRES(commit_mutex). After an error nothing has happened. */
static Status enter_locked(Ctx *ctx, Storage *storage, StorageCommitHook hook, void *hook_arg,
                           Commit *out)
{
    Status st = OK;

    out->ts = next_ts_locked(storage);
    TRY(wal_reserve(ctx, storage->wal, out->payload_bytes, out->ts, &out->place));
    out->generation = NULL;
    st = hook ? hook(ctx, hook_arg, out->ts) : OK;
    if (st != OK) {
        storage->last_ts = out->ts;
        wal_skip(storage->wal, &out->place);
        goto done;
    }
    if (out->set_bytes >= MIN(OWN_GENERATION_BYTES, storage->options.generation_bytes))
        out->generation = add_own_locked(storage, &out->place, out->ts, out->set_bytes);
    storage->last_ts = out->ts;
    if (!out->generation) {
        out->generation = generation_ref(storage->active);
        storage->active_used = true;
    }
    if (generation_bytes(storage->active) >= storage->options.generation_bytes)
        storage_freeze_locked(storage);
done:
    return st;
}

Status storage_commit(Ctx *ctx, Storage *storage, WriteSet *set, uint64_t txn_id,
                      StorageCommitHook hook, void *hook_arg, Timestamp *commit_ts)
{
    Status st = OK;
    Scope *scope = scope_open(NULL, "commit");
    Commit commit = {.payload_bytes = writeset_encoded_bytes(set),
                     .set_bytes = writeset_bytes(set)};
    WriteEncoder *encoder = NULL;
    OpenBatch batch = {0};

    TRY(throttle(ctx, storage, commit.payload_bytes));
    if (storage->dir) {
        encoder = writeset_encoder_new(scope, set);
        TRY(write_pieces(ctx, storage, encoder, txn_id, &batch, &commit.payload_bytes));
    } else {
        commit.payload_bytes = 0;
    }
    mutex_lock(&storage->commit_mutex);
    st = enter_locked(ctx, storage, hook, hook_arg, &commit);
    close_batch_locked(storage, &batch);
    batch.position = st == OK ? batch.position : 0;
    mutex_unlock(&storage->commit_mutex);
    TRY(st);
    WalRecord record = {
        .kind = WAL_COMMIT, .txn_id = txn_id, .commit_ts = commit.ts, .batch = batch.position};
    write_record(storage->wal, &commit.place, &record, encoder);
    generation_install(commit.generation, set, commit.ts);
    generation_unref(commit.generation);
    wal_publish(storage->wal, &commit.place);
    wal_await_installed(storage->wal, commit.ts);
    atomic_fetch_add_explicit(&storage->commits_count, 1, memory_order_relaxed);
    *commit_ts = commit.ts;
done:
    if (st != OK && batch.position) {
        mutex_lock(&storage->commit_mutex);
        close_batch_locked(storage, &batch);
        mutex_unlock(&storage->commit_mutex);
    }
    scope_close(scope);
    return st;
}
