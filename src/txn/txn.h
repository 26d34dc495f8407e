// SPDX-License-Identifier: Apache-2.0
//
// Transactions: snapshots, write sets, savepoints, row and table locks, commit.
// No thread is held by a lock wait: a call that meets a lock returns TXN_WAIT (the statement's work
// is undone by txn_statement_abort, the session parks until `wake`, then runs the statement again);
// a READ COMMITTED statement that finds a newer row under a lock it now holds returns TXN_RETRY
// (run again at once with a new snapshot). Both are answers in TxnVerdict, not errors. A Txn is
// used by one thread at a time, but parallel readers of one statement may share its Snapshot while
// nobody writes.
#ifndef DBASPOT_TXN_TXN_H
#define DBASPOT_TXN_TXN_H

#include "storage/table.h"

typedef struct TxnManager TxnManager;
typedef struct Txn Txn;

typedef enum Isolation {
    ISOLATION_READ_COMMITTED, /* READ UNCOMMITTED is the same, as in PostgreSQL */
    ISOLATION_REPEATABLE_READ,
    ISOLATION_SERIALIZABLE,
} Isolation;

typedef enum RowLock { ROW_KEY_SHARE, ROW_SHARE, ROW_NO_KEY_UPDATE, ROW_UPDATE } RowLock;

/* PostgreSQL's table lock modes, weakest first; the conflict table is the documentation's. */
typedef enum TableLock {
    TABLE_ACCESS_SHARE = 1,
    TABLE_ROW_SHARE,
    TABLE_ROW_EXCLUSIVE,
    TABLE_SHARE_UPDATE_EXCLUSIVE,
    TABLE_SHARE,
    TABLE_SHARE_ROW_EXCLUSIVE,
    TABLE_EXCLUSIVE,
    TABLE_ACCESS_EXCLUSIVE,
} TableLock;

typedef enum TxnVerdict {
    TXN_GRANTED,
    TXN_WAIT,  /* queued: undo the statement, park, run it again when woken */
    TXN_RETRY, /* newer version seen: undo the statement, run it again now */
} TxnVerdict;

/* How a lock wait ends. Called from any thread, must be quick (post to a loop, signal a condition).
 */
typedef void (*TxnWake)(void *arg);

typedef struct TxnOptions {
    Isolation isolation;
    bool read_only;
    bool deferrable;
    bool autocommit; /* one statement: reads may use durable_ts */
    TxnWake wake;    /* NULL: lock conflicts block the calling thread (background work, tests) */
    void *wake_arg;
} TxnOptions;

Status txn_manager_open(Ctx *ctx, Storage *storage, TxnManager **out);
/* Every transaction must have ended. */
void txn_manager_close(TxnManager *manager);
/* For StorageOptions.horizon: manager may be NULL before it is made. */
Timestamp txn_manager_horizon(void *manager);

Status txn_begin(Ctx *ctx, TxnManager *manager, const TxnOptions *options, Txn **out);
uint64_t txn_id(const Txn *txn);
Isolation txn_isolation(const Txn *txn);
bool txn_read_only(const Txn *txn);
/* Changes what SET TRANSACTION may change; only before the first snapshot. */
Status txn_set(Ctx *ctx, Txn *txn, Isolation isolation, bool read_only, bool deferrable);
bool txn_has_written(const Txn *txn);

/* Takes the statement's snapshot (READ COMMITTED: a new one; else the first call's) and a mark.
   `reads_only`: the whole transaction is this read (autocommit SELECT), so durable_ts serves. */
Status txn_statement_begin(Ctx *ctx, Txn *txn, bool reads_only, const Snapshot **snapshot);
/* Keeps the statement's work. */
void txn_statement_end(Txn *txn);
/* Undoes the statement's writes; locks stay until the transaction (or savepoint) ends. */
void txn_statement_abort(Txn *txn);
/* Writes. Uniqueness: TXN_INSERT fails to see a live key as *verdict GRANTED and *exists true (the
   caller raises 23505 or follows ON CONFLICT); it waits for an undecided writer of the key first.
 */
Status txn_insert(Ctx *ctx, Txn *txn, RelationId relation, Str key, Str row, bool *exists,
                  TxnVerdict *verdict);
/* Overwrites the row that this statement read at its snapshot. */
Status txn_update(Ctx *ctx, Txn *txn, RelationId relation, Str key, Str row, RowLock mode,
                  TxnVerdict *verdict);
Status txn_delete(Ctx *ctx, Txn *txn, RelationId relation, Str key, TxnVerdict *verdict);
/* Entries of non-unique indexes, and keys nobody else can write (a fresh hidden row id): no lock.
 */
Status txn_put_unlocked(Ctx *ctx, Txn *txn, RelationId relation, Str key, Str row);
Status txn_delete_unlocked(Ctx *ctx, Txn *txn, RelationId relation, Str key);

/* `count` fresh hidden row ids of a table without a primary key, in a row from *first. */
Status txn_take_row_ids(Ctx *ctx, Txn *txn, RelationId relation, uint64_t count, uint64_t *first);

/* SELECT FOR …; `nowait` answers E_LOCK_NOT_AVAILABLE, `skip` sets *skipped instead of waiting. */
Status txn_lock_row(Ctx *ctx, Txn *txn, RelationId relation, Str key, RowLock mode, bool nowait,
                    bool skip, bool *skipped, TxnVerdict *verdict);
/* `object` is a table's oid. */
Status txn_lock_table(Ctx *ctx, Txn *txn, uint32_t object, TableLock mode, bool nowait,
                      TxnVerdict *verdict);

/* Savepoints: marks; nested. Rolling back releases locks taken since. */
typedef struct TxnSavepoint {
    WriteMark writes;
    uint64_t locks;
    uint64_t hooks;
} TxnSavepoint;
TxnSavepoint txn_savepoint(Txn *txn);
void txn_rollback_to(Txn *txn, TxnSavepoint savepoint);
/* Undoes the writes since the savepoint but keeps the locks: part of a statement is done again. */
void txn_undo_writes(Txn *txn, TxnSavepoint savepoint);

/* Hooks run inside the commit's critical section in commit order (publishing a catalog version), or
   at abort (commit_ts 0), also when a savepoint before them is rolled back. */
typedef void (*TxnHook)(void *arg, Timestamp commit_ts);
void txn_on_end(Txn *txn, TxnHook hook, void *arg);

/* Validates, logs, installs, releases the locks, ends the transaction (also on failure: then it is
   aborted, e.g. 40001). *durable_ts is what the reply must wait for (0: nothing). */
Status txn_commit(Ctx *ctx, Txn *txn, Timestamp *durable_ts);
void txn_abort(Txn *txn);

/* Who waits for whom was searched at each wait: a deadlock is E_DEADLOCK (40P01) with a detail. */

/* True while the lock that the last TXN_WAIT was about has not been granted. */
bool txn_is_waiting(Txn *txn);
/* Blocks the thread until the lock that the last TXN_WAIT was about is granted, or the statement is
   cancelled. For a thread that may block; `wake` is called as well. */
Status txn_wait_here(Ctx *ctx, Txn *txn);
/* A wait given up (cancel, timeout, client gone): leaves the queue. */
void txn_cancel_wait(Txn *txn);

#endif
