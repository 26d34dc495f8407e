// SPDX-License-Identifier: Apache-2.0
//
// Group commit. One thread at a time leads: it writes everything that is published, syncs once, and
// wakes those whose commits are durable now, in order. Whoever waits and finds no leader leads; a
// leader that ends hands over to the first thread that still waits, else to the flusher, which
// serves those who left a callback and those who do not wait at all. A write or sync that failed is
// never tried again: the log is dead.
#include "storage/wal/wal_int.h"

#include "base/memory.h"
#include "os/clock.h"

/* A thread that sleeps in wal_wait_durable. */
typedef struct BlockedWaiter {
    DurableWaiter waiter; /* first */
    Event event;
    Status status;
    bool lead; /* woken to lead the next flush */
} BlockedWaiter;

enum { GATHER_SHARE = 4, GATHER_SKIPS_MAX = 64 };
#define GATHER_NS_MAX 200000

/* --- writing ------------------------------------------------------------------------------- */

/* [from, to) of the ring into the current file. */
static Status write_range(Ctx *ctx, Wal *wal, uint64_t from, uint64_t to)
{
    Status st = OK;

    while (from < to) {
        size_t offset = from & (wal->buffer_bytes - 1);
        size_t count = MIN((size_t)(to - from), wal->buffer_bytes - offset);

        TRY(file_write(ctx, wal->file, wal->buffer + offset, count, from - wal->file_base));
        from += count;
    }
done:
    return st;
}

static Status sync_file(Ctx *ctx, Wal *wal)
{
    atomic_fetch_add_explicit(&wal->syncs, 1, memory_order_relaxed);
    return file_sync_data(ctx, wal->file);
}

/* The next place at which the ring goes on in another segment, if it lies before `end`. */
static bool next_turn(Wal *wal, uint64_t end, WalTurn *out)
{
    bool found = false;

    mutex_lock(&wal->reserve_mutex);
    if (wal->turns_count > 0 && wal->turns[wal->turns_first].at < end) {
        *out = wal->turns[wal->turns_first];
        wal->turns_first = (wal->turns_first + 1) % WAL_TURNS_MAX;
        wal->turns_count--;
        found = true;
    }
    mutex_unlock(&wal->reserve_mutex);
    return found;
}

/* The old segment is durable to its last byte before the new one's header exists (WAL-2): a valid
   header proves where the log before it ended. */
static Status change_segment(Ctx *ctx, Wal *wal, uint64_t written, WalTurn *turn)
{
    Status st = OK;
    File *file = NULL;
    uint64_t bytes = turn->spare.bytes;

    TRY(write_range(ctx, wal, written, turn->at));
    TRY(sync_file(ctx, wal));
    TRY(wal_segment_begin(ctx, wal, &turn->spare, turn->number,
                          log_position(wal->file_number, turn->at - wal->file_base), &file));
    wal_segment_add(wal, turn->number, bytes);
    file_close(wal->file);
    wal->file = file;
    wal->file_number = turn->number;
    wal->file_base = turn->at - sizeof(SegmentHeader);
done:
    file_close(turn->spare.file);
    mem_free(turn->spare.path);
    return st;
}

static Status write_through(Ctx *ctx, Wal *wal, uint64_t end)
{
    Status st = OK;
    uint64_t written = atomic_load(&wal->flushed_at);
    WalTurn turn;

    while (next_turn(wal, end, &turn)) {
        TRY(change_segment(ctx, wal, written, &turn));
        written = turn.at;
    }
    TRY(write_range(ctx, wal, written, end));
    TRY(sync_file(ctx, wal));
done:
    return st;
}

static void fail(Wal *wal, const Ctx *ctx)
{
    wal->failure = mem_strdup(ctx->error.message);
    atomic_store(&wal->failed, true);
}

void wal_flush_once(Wal *wal)
{
    uint64_t head = atomic_load(&wal->head);
    const WalSlot *slot = &wal->slots[(head - 1) % WAL_SLOTS];
    Ctx ctx;

    if (head == atomic_load(&wal->flushed_sequence) || atomic_load(&wal->failed))
        return;
    /* The slot is not used again before flushed_sequence has passed it. */
    uint64_t end = atomic_load_explicit(&slot->end_at, memory_order_relaxed);
    LogPosition position = atomic_load_explicit(&slot->end_position, memory_order_relaxed);
    Timestamp ts = atomic_load_explicit(&slot->commit_ts, memory_order_relaxed);

    int64_t started_ns = clock_mono_ns();
    wal_await_installed(wal, ts); /* durable_ts never passes installed_ts (WAL-3) */
    ctx_init(&ctx);
    if (write_through(&ctx, wal, end) != OK) {
        fail(wal, &ctx);
    } else {
        atomic_store(&wal->durable_position, position);
        atomic_store(&wal->durable_ts, ts);
        atomic_store(&wal->flushed_at, end);
        atomic_store(&wal->flushed_sequence, head);
        wal->flush_ns += (clock_mono_ns() - started_ns - wal->flush_ns) / 8;
    }
    ctx_free(&ctx);
    wal_space_wake(wal);
}

/* --- waiting --------------------------------------------------------------------------------- */

static void wake_blocked(DurableWaiter *waiter, Status status)
{
    BlockedWaiter *blocked = (BlockedWaiter *)waiter;

    blocked->status = status;
    event_set(&blocked->event);
}

/* Keeps the list ordered by ts; newcomers mostly belong at its end. REQUIRES(wait_mutex). */
static void add_waiter_locked(Wal *wal, DurableWaiter *waiter)
{
    DurableWaiter **at = &wal->waiters;

    if (wal->waiters && wal->waiters_last->ts <= waiter->ts) {
        at = &wal->waiters_last->next;
    } else {
        while (*at && (*at)->ts <= waiter->ts)
            at = &(*at)->next;
    }
    waiter->next = *at;
    *at = waiter;
    if (!waiter->next)
        wal->waiters_last = waiter;
}

/* Cuts off those whose commits are durable, or all when the log failed; *count is how many.
   REQUIRES(wait_mutex). */
static DurableWaiter *take_satisfied_locked(Wal *wal, bool all, uint64_t *count)
{
    Timestamp durable_ts = atomic_load(&wal->durable_ts);
    DurableWaiter *first = wal->waiters;
    DurableWaiter **end = &wal->waiters;

    *count = 0;
    while (*end && (all || (*end)->ts <= durable_ts)) {
        end = &(*end)->next;
        ++*count;
    }
    if (end == &wal->waiters)
        return NULL;
    wal->waiters = *end;
    *end = NULL;
    return first;
}

/* The first thread that still waits leaves the list to lead. REQUIRES(wait_mutex). */
static BlockedWaiter *take_successor_locked(Wal *wal)
{
    DurableWaiter *before = NULL;
    DurableWaiter *at = wal->waiters;

    while (at && at->wake != wake_blocked) {
        before = at;
        at = at->next;
    }
    if (!at)
        return NULL;
    *(before ? &before->next : &wal->waiters) = at->next;
    if (wal->waiters_last == at)
        wal->waiters_last = before;
    return (BlockedWaiter *)at;
}

/* Ends a lead: hands it over, wakes who may go on. */
static void end_lead(Wal *wal, bool led_for_itself)
{
    bool failed = atomic_load(&wal->failed);

    mutex_lock(&wal->wait_mutex);
    ASSERT(wal->flushing);
    uint64_t count;
    DurableWaiter *done = take_satisfied_locked(wal, failed, &count);
    wal->expected = atomic_load(&wal->arrivals) + count + led_for_itself;
    BlockedWaiter *successor = take_successor_locked(wal);
    if (successor) {
        wal->flush_asked = false; /* its flush serves them as well */
    } else {
        wal->flushing = false;
        bool rest = atomic_load(&wal->head) != atomic_load(&wal->flushed_sequence);
        wal->flush_asked = wal->waiters != NULL || (wal->flush_asked && rest);
        if (wal->flush_asked)
            condition_signal(&wal->work);
    }
    mutex_unlock(&wal->wait_mutex);
    if (successor) {
        successor->lead = true;
        event_set(&successor->event);
    }
    while (done) {
        DurableWaiter *next = done->next;

        done->wake(done, failed ? E_IO : OK);
        done = next;
    }
}

/* Waits for those whom the last flush woke, for a fraction of a flush at most. */
static void gather(Wal *wal)
{
    int64_t deadline = clock_mono_ns() + MIN(wal->flush_ns / GATHER_SHARE, GATHER_NS_MAX);
    uint64_t before = atomic_load(&wal->arrivals);

    mutex_lock(&wal->wait_mutex);
    uint64_t expected = wal->expected;
    bool skips = wal->gather_skips > 0;
    wal->gather_skips -= skips;
    mutex_unlock(&wal->wait_mutex);
    if (skips || before >= expected)
        return;
    while (atomic_load(&wal->arrivals) < expected && clock_mono_ns() < deadline)
        thread_yield();
    bool paid = atomic_load(&wal->arrivals) > before;
    mutex_lock(&wal->wait_mutex);
    wal->gather_skips_max = paid ? 1 : MIN(GATHER_SKIPS_MAX, MAX(1, wal->gather_skips_max) * 2);
    wal->gather_skips = paid ? 0 : wal->gather_skips_max;
    mutex_unlock(&wal->wait_mutex);
}

static void lead(Wal *wal, bool for_itself)
{
    if (for_itself)
        gather(wal);
    wal_flush_once(wal);
    end_lead(wal, for_itself);
}

/* Takes part in one group: leads it, or waits for a leader. */
static void join_group(Wal *wal, Timestamp ts)
{
    BlockedWaiter blocked = {.waiter = {.ts = ts, .wake = wake_blocked}};

    event_init(&blocked.event);
    atomic_fetch_add(&wal->arrivals, 1);
    mutex_lock(&wal->wait_mutex);
    if (atomic_load(&wal->durable_ts) >= ts) {
        mutex_unlock(&wal->wait_mutex);
        return;
    }
    bool leads = !wal->flushing;
    if (leads)
        wal->flushing = true;
    else
        add_waiter_locked(wal, &blocked.waiter);
    mutex_unlock(&wal->wait_mutex);
    if (!leads) {
        event_wait(&blocked.event);
        leads = blocked.lead;
    }
    if (leads)
        lead(wal, true);
}

Status wal_wait_durable(Ctx *ctx, Wal *wal, Timestamp ts)
{
    Status st = OK;

    if (!wal->dir) {
        wal_await_installed(wal, ts);
        return OK;
    }
    while (atomic_load(&wal->durable_ts) < ts) {
        TRY(wal_check(ctx, wal));
        if (atomic_load(&wal->installed_ts) < ts)
            thread_yield(); /* nothing to write yet */
        else
            join_group(wal, ts);
    }
done:
    return st;
}

bool wal_on_durable(Wal *wal, DurableWaiter *waiter)
{
    if (!wal->dir) {
        wal_await_installed(wal, waiter->ts);
        return true;
    }
    if (atomic_load(&wal->durable_ts) >= waiter->ts)
        return true;
    atomic_fetch_add(&wal->arrivals, 1);
    mutex_lock(&wal->wait_mutex);
    bool durable = atomic_load(&wal->durable_ts) >= waiter->ts;
    bool failed = !durable && atomic_load(&wal->failed);
    if (!durable && !failed) {
        add_waiter_locked(wal, waiter);
        if (!wal->flushing) {
            wal->flush_asked = true;
            condition_signal(&wal->work);
        }
    }
    mutex_unlock(&wal->wait_mutex);
    if (failed)
        waiter->wake(waiter, E_IO);
    return durable;
}

void wal_lead_flush(Wal *wal)
{
    if (!wal->dir)
        return;
    mutex_lock(&wal->wait_mutex);
    bool leads = !wal->flushing && !wal->abandoned;
    if (leads)
        wal->flushing = true;
    mutex_unlock(&wal->wait_mutex);
    if (leads)
        lead(wal, false);
}

void wal_flush_ask(Wal *wal)
{
    mutex_lock(&wal->wait_mutex);
    wal->flush_asked = true;
    condition_signal(&wal->work);
    mutex_unlock(&wal->wait_mutex);
}

/* --- the flusher --------------------------------------------------------------------------- */

/* Waits until there is a flush to lead; false: stop. REQUIRES(wait_mutex). */
static bool await_work_locked(Wal *wal)
{
    while (!wal->stopping && !(wal->flush_asked && !wal->flushing)) {
        if (!wal->flush_asked && atomic_exchange(&wal->armed, false)) {
            int64_t deadline = clock_mono_ns() + WAL_LAZY_NS;

            while (!wal->stopping && !wal->flush_asked &&
                   condition_wait_until(&wal->work, &wal->wait_mutex, deadline)) {
            }
            wal->flush_asked = true;
        } else {
            condition_wait(&wal->work, &wal->wait_mutex);
        }
    }
    return !wal->stopping;
}

void wal_flusher_main(void *arg)
{
    Wal *wal = arg;

    mutex_lock(&wal->wait_mutex);
    while (await_work_locked(wal)) {
        wal->flush_asked = false;
        wal->flushing = true;
        mutex_unlock(&wal->wait_mutex);
        lead(wal, false);
        mutex_lock(&wal->wait_mutex);
    }
    mutex_unlock(&wal->wait_mutex);
}
