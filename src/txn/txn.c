// SPDX-License-Identifier: Apache-2.0
//
// A transaction's life: snapshot, writes under locks, commit. Locks are taken as rows are written
// (READ COMMITTED and REPEATABLE READ alike), so the commit itself has nothing left to validate.
// Only the owner's thread touches a Txn; a granted lock arrives through lock_collect. See txn.h.
#include "txn/txn.h"

#include "base/memory.h"
#include "os/clock.h"
#include "os/thread.h"
#include "txn/lock.h"
#include "txn/row_ids.h"
#include "txn/snapshot.h"

/* A bulk writer trades its row locks of a relation for one escalated lock at this many. */
#define ESCALATE_ROWS 50000

typedef struct EndHook {
    TxnHook fn;
    void *arg;
} EndHook;

/* What a transaction holds of a relation as a row writer. */
typedef struct BulkState {
    RelationId relation;
    uint32_t rows_locked;
    uint32_t held_at; /* the owner's held_count just after INTENT was taken */
    bool escalated;
} BulkState;

struct TxnManager {
    Storage *storage;
    LockTable *locks;
    SnapshotRegistry *snapshots;
    RowIds *row_ids;
    _Atomic uint64_t next_id;
    _Atomic uint32_t open_count;
};

/* Blocks the thread of a transaction that has no wake function. */
typedef struct BlockingWait {
    Mutex mutex;
    Condition cond;
    bool woken;
} BlockingWait;

struct Txn {
    TxnManager *manager;
    TxnOptions options;
    uint64_t id;
    WriteSet *writes; /* NULL until the first write */
    SnapshotSlot *slot;
    Snapshot snapshot;
    bool has_snapshot;      /* slot published, view pinned */
    bool has_read;          /* a statement has begun: the isolation level stands */
    Timestamp read_from_ts; /* newest installed_ts read at: the final reply waits for it */
    LockOwner owner;
    BulkState *bulk;
    uint32_t bulk_count;
    uint32_t bulk_cap;
    EndHook *hooks;
    uint32_t hooks_count;
    uint32_t hooks_cap;
    WriteMark statement_mark;
    uint32_t statement_hooks;
    BlockingWait blocking;
    bool blocks; /* no wake function was given: lock calls block */
};

/* The lock table's call: whoever blocks on this transaction's wait, and the session, hear of it.
   The transaction may end as soon as the mutex is free. */
static void wake_owner(void *arg)
{
    Txn *txn = arg;
    void (*wake)(void *) = txn->options.wake;
    void *wake_arg = txn->options.wake_arg;

    mutex_lock(&txn->blocking.mutex);
    txn->blocking.woken = true;
    condition_signal(&txn->blocking.cond);
    mutex_unlock(&txn->blocking.mutex);
    if (wake)
        wake(wake_arg);
}

Status txn_manager_open(Ctx *ctx, Storage *storage, TxnManager **out)
{
    TxnManager *manager = mem_alloc_zero(sizeof *manager);

    (void)ctx;
    manager->storage = storage;
    manager->locks = lock_table_new();
    manager->snapshots = snapshot_registry_new();
    manager->row_ids = row_ids_new(storage);
    atomic_store(&manager->next_id, storage_installed_ts(storage) + 1);
    *out = manager;
    return OK;
}

void txn_manager_close(TxnManager *manager)
{
    if (manager == NULL)
        return;
    ASSERT(atomic_load(&manager->open_count) == 0);
    lock_table_free(manager->locks);
    snapshot_registry_free(manager->snapshots);
    row_ids_free(manager->row_ids);
    mem_free(manager);
}

Timestamp txn_manager_horizon(void *arg)
{
    TxnManager *manager = arg;
    return manager ? snapshot_horizon(manager->snapshots, storage_durable_ts(manager->storage)) : 0;
}

Status txn_begin(Ctx *ctx, TxnManager *manager, const TxnOptions *options, Txn **out)
{
    if (options->isolation == ISOLATION_SERIALIZABLE) {
        Status st = error_raise(ctx, E_FEATURE_NOT_SUPPORTED,
                                "isolation level SERIALIZABLE is not supported");
        error_hint(ctx, "Use REPEATABLE READ.");
        return st;
    }
    Txn *txn = mem_alloc_zero(sizeof *txn);
    txn->manager = manager;
    txn->options = *options;
    txn->id = atomic_fetch_add_explicit(&manager->next_id, 1, memory_order_relaxed);
    txn->slot = snapshot_slot_take(manager->snapshots);
    txn->blocks = options->wake == NULL;
    mutex_init(&txn->blocking.mutex);
    condition_init(&txn->blocking.cond);
    lock_owner_init(&txn->owner, txn->id, wake_owner, txn);
    atomic_fetch_add_explicit(&manager->open_count, 1, memory_order_relaxed);
    *out = txn;
    return OK;
}

Status txn_take_row_ids(Ctx *ctx, Txn *txn, RelationId relation, uint64_t count, uint64_t *first)
{
    return row_ids_take(ctx, txn->manager->row_ids, relation, count, first);
}

uint64_t txn_id(const Txn *txn)
{
    return txn->id;
}

Isolation txn_isolation(const Txn *txn)
{
    return txn->options.isolation;
}

bool txn_read_only(const Txn *txn)
{
    return txn->options.read_only;
}

bool txn_has_written(const Txn *txn)
{
    return txn->writes && !writeset_is_empty(txn->writes);
}

static bool one_snapshot(const Txn *txn)
{
    return txn->options.isolation != ISOLATION_READ_COMMITTED;
}

Status txn_set(Ctx *ctx, Txn *txn, Isolation isolation, bool read_only, bool deferrable)
{
    if (isolation != txn->options.isolation) {
        if (txn->has_read)
            return error_raise(ctx, E_ACTIVE_SQL_TRANSACTION,
                               "SET TRANSACTION ISOLATION LEVEL must be called before any query");
        if (isolation == ISOLATION_SERIALIZABLE) {
            Status st = error_raise(ctx, E_FEATURE_NOT_SUPPORTED,
                                    "isolation level SERIALIZABLE is not supported");
            error_hint(ctx, "Use REPEATABLE READ.");
            return st;
        }
    }
    if (txn->options.read_only && !read_only && txn->has_read)
        return error_raise(ctx, E_ACTIVE_SQL_TRANSACTION,
                           "transaction read-write mode must be set before any query");
    txn->options.isolation = isolation;
    txn->options.read_only = read_only;
    txn->options.deferrable = deferrable;
    return OK;
}

static void drop_view(Txn *txn)
{
    if (txn->snapshot.view)
        storage_view_unpin(txn->snapshot.view);
    txn->snapshot.view = NULL;
}

Status txn_statement_begin(Ctx *ctx, Txn *txn, bool reads_only, const Snapshot **snapshot)
{
    TxnManager *manager = txn->manager;

    (void)ctx;
    if (txn->owner.granted)
        lock_collect(manager->locks, &txn->owner);
    drop_view(txn);
    if (!txn->has_snapshot || !one_snapshot(txn)) {
        bool durable = reads_only || txn->options.read_only;
        txn->snapshot.read_ts =
            snapshot_publish(manager->snapshots, txn->slot, manager->storage, durable);
        txn->has_snapshot = true;
        if (!durable)
            txn->read_from_ts = txn->snapshot.read_ts;
    }
    txn->snapshot.view = storage_view_pin(manager->storage);
    txn->snapshot.own = txn->writes;
    txn->statement_mark = txn->writes ? writeset_mark(txn->writes) : 0;
    txn->statement_hooks = txn->hooks_count;
    txn->has_read = true;
    *snapshot = &txn->snapshot;
    return OK;
}

void txn_statement_end(Txn *txn)
{
    drop_view(txn);
    if (!one_snapshot(txn)) {
        snapshot_withdraw(txn->slot);
        txn->has_snapshot = false;
    }
}

static void undo_hooks(Txn *txn, uint32_t keep)
{
    while (txn->hooks_count > keep) {
        EndHook hook = txn->hooks[--txn->hooks_count];
        hook.fn(hook.arg, 0);
    }
}

void txn_statement_abort(Txn *txn)
{
    if (txn->writes)
        writeset_rollback(txn->writes, txn->statement_mark);
    undo_hooks(txn, txn->statement_hooks);
    txn_statement_end(txn);
}

/* How long a blocked thread goes without looking whether its statement was cancelled. */
#define CANCEL_POLL_NS INT64_C(50000000)

Status txn_wait_here(Ctx *ctx, Txn *txn)
{
    Status st = OK;
    BlockingWait *wait = &txn->blocking;

    while (txn_is_waiting(txn)) {
        mutex_lock(&wait->mutex);
        if (!wait->woken)
            condition_wait_until(&wait->cond, &wait->mutex, clock_mono_ns() + CANCEL_POLL_NS);
        wait->woken = false;
        mutex_unlock(&wait->mutex);
        st = ctx_check_cancel(ctx);
        if (st != OK) {
            txn_cancel_wait(txn);
            break;
        }
    }
    return st;
}

/* Takes a lock or says how to go on; E_DEADLOCK is an error. */
static Status take(Ctx *ctx, Txn *txn, const LockTag *tag, uint8_t mode, TxnVerdict *verdict)
{
    Status st = OK;

    *verdict = TXN_GRANTED;
    switch (lock_acquire(txn->manager->locks, &txn->owner, tag, mode, true)) {
    case LOCK_GRANTED: break;
    case LOCK_DEADLOCK:
        error_raise(ctx, E_DEADLOCK, "deadlock detected");
        error_detail(ctx, "Transaction %llu would wait for a lock whose holder waits for it.",
                     (unsigned long long)txn->id);
        error_hint(ctx, "The transaction was chosen as the victim; run it again.");
        return E_DEADLOCK;
    case LOCK_QUEUED:
        if (!txn->blocks)
            *verdict = TXN_WAIT;
        else
            TRY(txn_wait_here(ctx, txn));
        break;
    case LOCK_BUSY: ASSERT(false);
    }
done:
    return st;
}

static BulkState *bulk_state(Txn *txn, RelationId relation)
{
    for (uint32_t i = 0; i < txn->bulk_count; i++) {
        if (txn->bulk[i].relation == relation)
            return &txn->bulk[i];
    }
    return NULL;
}

/* INTENT before the first row lock of a relation. */
static Status enter_relation(Ctx *ctx, Txn *txn, RelationId relation, BulkState **state,
                             TxnVerdict *verdict)
{
    Status st = OK;
    LockTag tag = {.kind = LOCK_BULK, .object = relation};

    *verdict = TXN_GRANTED;
    *state = bulk_state(txn, relation);
    if (*state)
        return OK;
    TRY(take(ctx, txn, &tag, BULK_INTENT, verdict));
    if (*verdict != TXN_GRANTED)
        return OK;
    if (txn->bulk_count == txn->bulk_cap) {
        txn->bulk_cap = txn->bulk_cap ? txn->bulk_cap * 2 : 8;
        txn->bulk = mem_realloc(txn->bulk, sizeof(BulkState) * txn->bulk_cap);
    }
    *state = &txn->bulk[txn->bulk_count++];
    **state = (BulkState){.relation = relation, .held_at = txn->owner.held_count};
done:
    return st;
}

/* Many row locks: one lock for all rows of the relation, if no other writer is in it. */
static void maybe_escalate(Txn *txn, BulkState *state)
{
    LockTag tag = {.kind = LOCK_BULK, .object = state->relation};

    if (++state->rows_locked % ESCALATE_ROWS != 0)
        return;
    state->escalated =
        lock_acquire(txn->manager->locks, &txn->owner, &tag, BULK_ESCALATED, false) == LOCK_GRANTED;
}

static Status lock_key(Ctx *ctx, Txn *txn, RelationId relation, Str key, RowLock mode,
                       TxnVerdict *verdict)
{
    Status st = OK;
    BulkState *state;
    LockTag tag = {.kind = LOCK_ROW, .object = relation, .key = key};

    TRY(enter_relation(ctx, txn, relation, &state, verdict));
    if (*verdict != TXN_GRANTED || state->escalated)
        goto done;
    TRY(take(ctx, txn, &tag, (uint8_t)mode, verdict));
    if (*verdict == TXN_GRANTED)
        maybe_escalate(txn, state);
done:
    return st;
}

static Status check_writable(Ctx *ctx, Txn *txn)
{
    if (txn->options.read_only)
        return error_raise(ctx, E_READ_ONLY_TRANSACTION,
                           "cannot execute this statement in a read-only transaction");
    if (txn->writes == NULL) {
        txn->writes = writeset_new();
        txn->snapshot.own = txn->writes;
        txn->statement_mark = writeset_mark(txn->writes);
    }
    return OK;
}

Status txn_insert(Ctx *ctx, Txn *txn, RelationId relation, Str key, Str row, bool *exists,
                  TxnVerdict *verdict)
{
    Status st = OK;
    Timestamp newest = 0;
    bool live = false;
    Str own;

    *exists = false;
    *verdict = TXN_GRANTED;
    TRY(check_writable(ctx, txn));
    if (writeset_get(txn->writes, relation, key, &own) == WRITE_ROW) {
        *exists = true;
        goto done;
    }
    TRY(lock_key(ctx, txn, relation, key, ROW_UPDATE, verdict));
    if (*verdict != TXN_GRANTED)
        goto done;
    if (writeset_get(txn->writes, relation, key, &own) == WRITE_ABSENT)
        TRY(storage_newest(ctx, txn->manager->storage, relation, key, &newest, &live));
    *exists = live;
    if (!live)
        TRY(writeset_put(ctx, txn->writes, relation, key, row, txn->snapshot.read_ts));
done:
    return st;
}

/* After the lock: is the version that the statement read still the newest? */
static Status check_newest(Ctx *ctx, Txn *txn, RelationId relation, Str key, TxnVerdict *verdict)
{
    Status st = OK;
    Timestamp newest = 0;
    bool live = false;

    TRY(storage_newest(ctx, txn->manager->storage, relation, key, &newest, &live));
    if (newest <= txn->snapshot.read_ts)
        goto done;
    if (one_snapshot(txn))
        FAIL(ctx, E_SERIALIZATION_FAILURE, "could not serialize access due to concurrent %s",
             live ? "update" : "delete");
    *verdict = TXN_RETRY;
done:
    return st;
}

/* Lock and re-check of a row that is about to be overwritten. */
static Status own_row(Ctx *ctx, Txn *txn, RelationId relation, Str key, RowLock mode,
                      TxnVerdict *verdict)
{
    Status st = OK;
    Str own;

    *verdict = TXN_GRANTED;
    TRY(check_writable(ctx, txn));
    TRY(lock_key(ctx, txn, relation, key, mode, verdict));
    if (*verdict != TXN_GRANTED || writeset_get(txn->writes, relation, key, &own) != WRITE_ABSENT)
        goto done;
    TRY(check_newest(ctx, txn, relation, key, verdict));
done:
    return st;
}

Status txn_update(Ctx *ctx, Txn *txn, RelationId relation, Str key, Str row, RowLock mode,
                  TxnVerdict *verdict)
{
    Status st = OK;

    TRY(own_row(ctx, txn, relation, key, mode, verdict));
    if (*verdict == TXN_GRANTED)
        TRY(writeset_put(ctx, txn->writes, relation, key, row, txn->snapshot.read_ts));
done:
    return st;
}

Status txn_delete(Ctx *ctx, Txn *txn, RelationId relation, Str key, TxnVerdict *verdict)
{
    Status st = OK;

    TRY(own_row(ctx, txn, relation, key, ROW_UPDATE, verdict));
    if (*verdict == TXN_GRANTED)
        TRY(writeset_delete(ctx, txn->writes, relation, key, txn->snapshot.read_ts));
done:
    return st;
}

Status txn_put_unlocked(Ctx *ctx, Txn *txn, RelationId relation, Str key, Str row)
{
    Status st = OK;

    TRY(check_writable(ctx, txn));
    TRY(writeset_put(ctx, txn->writes, relation, key, row, txn->snapshot.read_ts));
done:
    return st;
}

Status txn_delete_unlocked(Ctx *ctx, Txn *txn, RelationId relation, Str key)
{
    Status st = OK;

    TRY(check_writable(ctx, txn));
    TRY(writeset_delete(ctx, txn->writes, relation, key, txn->snapshot.read_ts));
done:
    return st;
}

Status txn_lock_row(Ctx *ctx, Txn *txn, RelationId relation, Str key, RowLock mode, bool nowait,
                    bool skip, bool *skipped, TxnVerdict *verdict)
{
    Status st = OK;
    BulkState *state;
    LockTag tag = {.kind = LOCK_ROW, .object = relation, .key = key};
    Str own;

    *skipped = false;
    TRY(enter_relation(ctx, txn, relation, &state, verdict));
    if (*verdict != TXN_GRANTED)
        goto done;
    if ((nowait || skip) && !state->escalated) {
        if (lock_acquire(txn->manager->locks, &txn->owner, &tag, (uint8_t)mode, false) ==
            LOCK_BUSY) {
            if (!skip)
                FAIL(ctx, E_LOCK_NOT_AVAILABLE, "could not obtain lock on row");
            *skipped = true;
            goto done;
        }
    } else {
        TRY(lock_key(ctx, txn, relation, key, mode, verdict));
        if (*verdict != TXN_GRANTED)
            goto done;
    }
    if (txn->writes && writeset_get(txn->writes, relation, key, &own) != WRITE_ABSENT)
        goto done;
    TRY(check_newest(ctx, txn, relation, key, verdict));
done:
    return st;
}

Status txn_lock_table(Ctx *ctx, Txn *txn, uint32_t object, TableLock mode, bool nowait,
                      TxnVerdict *verdict)
{
    LockTag tag = {.kind = LOCK_TABLE, .object = object};
    uint8_t bit = (uint8_t)(mode - TABLE_ACCESS_SHARE);

    if (!nowait)
        return take(ctx, txn, &tag, bit, verdict);
    *verdict = TXN_GRANTED;
    if (lock_acquire(txn->manager->locks, &txn->owner, &tag, bit, false) == LOCK_GRANTED)
        return OK;
    return error_raise(ctx, E_LOCK_NOT_AVAILABLE, "could not obtain lock on relation");
}

TxnSavepoint txn_savepoint(Txn *txn)
{
    return (TxnSavepoint){.writes = txn->writes ? writeset_mark(txn->writes) : 1,
                          .locks = txn->owner.held_count,
                          .hooks = txn->hooks_count};
}

/* Forgets the relations whose INTENT goes with locks beyond `keep`, and escalations, which may. */
static void trim_bulk(Txn *txn, uint32_t keep)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < txn->bulk_count; i++) {
        if (txn->bulk[i].held_at > keep)
            continue;
        LockTag tag = {.kind = LOCK_BULK, .object = txn->bulk[i].relation};
        txn->bulk[kept] = txn->bulk[i];
        txn->bulk[kept].escalated =
            txn->bulk[i].escalated &&
            lock_is_held(txn->manager->locks, &txn->owner, &tag, BULK_ESCALATED);
        kept++;
    }
    txn->bulk_count = kept;
}

void txn_rollback_to(Txn *txn, TxnSavepoint savepoint)
{
    if (txn->writes)
        writeset_rollback(txn->writes, savepoint.writes);
    undo_hooks(txn, (uint32_t)savepoint.hooks);
    lock_release(txn->manager->locks, &txn->owner, (uint32_t)savepoint.locks);
    trim_bulk(txn, (uint32_t)savepoint.locks);
}

void txn_undo_writes(Txn *txn, TxnSavepoint savepoint)
{
    if (txn->writes)
        writeset_rollback(txn->writes, savepoint.writes);
}

void txn_on_end(Txn *txn, TxnHook hook, void *arg)
{
    if (txn->hooks_count == txn->hooks_cap) {
        txn->hooks_cap = txn->hooks_cap ? txn->hooks_cap * 2 : 4;
        txn->hooks = mem_realloc(txn->hooks, sizeof(EndHook) * txn->hooks_cap);
    }
    txn->hooks[txn->hooks_count++] = (EndHook){hook, arg};
}

static Status run_commit_hooks(Ctx *ctx, void *arg, Timestamp commit_ts)
{
    Txn *txn = arg;

    (void)ctx;
    for (uint32_t i = 0; i < txn->hooks_count; i++)
        txn->hooks[i].fn(txn->hooks[i].arg, commit_ts);
    txn->hooks_count = 0;
    return OK;
}

/* Gives everything back; hooks still there hear of an abort. */
static void finish(Txn *txn)
{
    TxnManager *manager = txn->manager;

    undo_hooks(txn, 0);
    drop_view(txn);
    lock_cancel(manager->locks, &txn->owner);
    lock_release(manager->locks, &txn->owner, 0);
    lock_owner_free(&txn->owner);
    snapshot_slot_give(manager->snapshots, txn->slot);
    if (txn->writes)
        writeset_free(txn->writes);
    condition_free(&txn->blocking.cond);
    mutex_free(&txn->blocking.mutex);
    mem_free(txn->bulk);
    mem_free(txn->hooks);
    mem_free(txn);
    atomic_fetch_sub_explicit(&manager->open_count, 1, memory_order_relaxed);
}

Status txn_commit(Ctx *ctx, Txn *txn, Timestamp *durable_ts)
{
    Status st = OK;
    Timestamp commit_ts = 0;

    *durable_ts = txn->read_from_ts;
    drop_view(txn);
    if (txn_has_written(txn)) {
        TRY(storage_commit(ctx, txn->manager->storage, txn->writes, txn->id, run_commit_hooks, txn,
                           &commit_ts));
        *durable_ts = commit_ts;
    }
done:
    finish(txn); /* TXN-3: after the commit is installed */
    return st;
}

void txn_abort(Txn *txn)
{
    finish(txn);
}

void txn_cancel_wait(Txn *txn)
{
    lock_cancel(txn->manager->locks, &txn->owner);
}

bool txn_is_waiting(Txn *txn)
{
    return !lock_collect(txn->manager->locks, &txn->owner);
}
