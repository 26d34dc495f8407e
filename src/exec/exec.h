// SPDX-License-Identifier: Apache-2.0
//
// The executor: runs a finished plan in push-based pipelines over batches, in parallel where the
// plan is large (morsels from a shared queue), in the calling thread where it is short. Results go
// to a sink in the calling thread's order. The statement's snapshot and transaction come from the
// caller.
#ifndef DBASPOT_EXEC_EXEC_H
#define DBASPOT_EXEC_EXEC_H

#include "sql/plan/counters.h"
#include "sql/plan/plan.h"
#include "types/io.h"

typedef struct WorkerPool WorkerPool;

/* A node-wide pool of `threads` worker threads that all queries share. */
Status exec_pool_open(Ctx *ctx, uint32_t threads, WorkerPool **out);
void exec_pool_close(WorkerPool *pool);
/* Runs fn(arg) on a pool thread: how the server hands over a long statement. */
void exec_pool_submit(WorkerPool *pool, void (*fn)(void *arg), void *arg);
/* Around a wait of a pool thread that others cannot end soon (a client that does not read, a
   sleep): another thread does its work meanwhile. Nothing happens on other threads. */
void exec_pool_wait_begin(WorkerPool *pool);
void exec_pool_wait_end(WorkerPool *pool);

typedef struct ExecEnv {
    Txn *txn; /* for MODIFY and LOCK_ROWS; may be NULL for pure reads */
    const Snapshot *snapshot;
    Catalog *catalog; /* for system views */
    const Datum *params;
    uint32_t params_count;
    const TypeIoContext *io;
    const SessionInfo *session;
    WorkerPool *pool; /* NULL: everything in the calling thread */
    uint32_t threads; /* at most this many workers at once (the caller is one) */
    size_t work_mem;  /* bytes an operator may use before it spills */
    const char *temp_dir;
    struct ExecCounters *counters; /* EXPLAIN ANALYZE; NULL: not counted */
} ExecEnv;

/* Gets the result batch by batch, in the calling thread; vectors live until it returns. A status
   other than OK stops the query and is returned. */
typedef struct ExecSink {
    Status (*batch)(void *arg, Ctx *ctx, const Batch *batch);
    void *arg;
} ExecSink;

/* Runs to the end. *rows_affected: rows modified (MODIFY) or returned. STATUS_LOCK_WAIT and
   STATUS_RETRY pass up from the transaction: the caller undoes the statement and runs it again. */
Status exec_run(Ctx *ctx, Scope *scope, const PlannedStatement *statement, const ExecEnv *env,
                const ExecSink *sink, uint64_t *rows_affected);
/* One expression without columns (or over `input`, one row a result). */
Status exec_eval(Ctx *ctx, Scope *scope, const Expr *expr, const ExecEnv *env, const Batch *input,
                 Vector *out);
/* ExprFold for sql_set_fold. */
Status exec_fold(Ctx *ctx, Scope *scope, const Expr *expr, const TypeIoContext *io,
                 const SessionInfo *session, Datum *out);

#endif
