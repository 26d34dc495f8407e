// SPDX-License-Identifier: Apache-2.0
//
// One execution of a plan: its memory, its workers, its steps. A worker other than the caller is
// made when the first parallel step needs it, and kept to the end, since stages keep state for it.
#include "exec/eval/eval.h"
#include "exec/pool.h"
#include "exec/row_store.h"

#define WORKERS_MAX     64
#define QUERY_DEPTH_MAX 64

Query *query_new(Ctx *ctx, Scope *scope, const ExecEnv *env, const Query *parent,
                 const OuterFrame *outer)
{
    Query *query = scope_new(scope, Query);
    Worker *caller = scope_new(scope, Worker);

    query->ctx = ctx;
    query->scope = scope;
    query->env = env;
    query->parent = parent;
    query->depth = parent ? parent->depth + 1 : 0;
    query->outer = outer;
    query->workers_max = env->pool ? MIN(MAX(env->threads, 1), WORKERS_MAX) : 1;
    if (parent)
        query->workers_max = MIN(query->workers_max, parent->workers_max);
    query->workers = scope_new_array(scope, Worker *, WORKERS_MAX);
    query->workers[0] = caller;
    query->caller = caller;
    query->steps_end = &query->steps;
    mutex_init(&query->lock);
    scope_defer(scope, shared_subqueries_close, query);
    caller->query = query;
    caller->ctx = ctx;
    caller->scope = scope;
    caller->batch = scope_open(scope, "batch");
    return query;
}

static void free_ctx(void *ctx)
{
    ctx_free(ctx);
}

Worker *query_worker(Query *query, uint32_t id)
{
    Worker *worker = query->workers[id];

    if (worker)
        return worker;
    worker = query->workers[id] = scope_new(query->scope, Worker);
    worker->query = query;
    worker->ctx = &worker->own_ctx;
    worker->id = id;
    ctx_init(&worker->own_ctx);
    worker->own_ctx.cancel = query->ctx->cancel;
    scope_defer(query->scope, free_ctx, &worker->own_ctx);
    worker->scope = scope_open(query->scope, "worker");
    worker->batch = scope_open(worker->scope, "batch");
    return worker;
}

// --- steps --------------------------------------------------------------------------------------

void query_add_step(Query *query, Status (*run)(Query *query, void *arg), void *arg)
{
    Step *step = scope_new(query->scope, Step);

    step->run = run;
    step->arg = arg;
    *query->steps_end = step;
    query->steps_end = &step->next;
}

Status query_execute(Query *query)
{
    Status st = OK;

    for (Step *step = query->steps; step; step = step->next)
        TRY(step->run(query, step->arg));
done:
    return st;
}

RowStore *query_find_cte(const Query *query, uint32_t id)
{
    for (; query; query = query->parent) {
        for (CteSlot *slot = query->ctes; slot; slot = slot->next) {
            if (slot->id == id)
                return slot->rows;
        }
    }
    return NULL;
}

// --- working in parallel ------------------------------------------------------------------------

typedef struct ParallelTask {
    PoolTask task;
    Worker *worker;
    Status (*fn)(Worker *worker, void *arg);
    void *arg;
    Status status;
} ParallelTask;

static void run_task(void *arg)
{
    ParallelTask *task = arg;

    task->status = task->fn(task->worker, task->arg);
    if (task->status != OK)
        atomic_store(&task->worker->query->failed, true);
}

Status query_parallel(Query *query, uint32_t workers, Status (*fn)(Worker *worker, void *arg),
                      void *arg)
{
    ParallelTask tasks[WORKERS_MAX];
    Status st;

    workers = MIN(workers, query->workers_max);
    for (uint32_t i = 1; i < workers; i++) {
        tasks[i] = (ParallelTask){.worker = query_worker(query, i), .fn = fn, .arg = arg};
        pool_task_start(query->env->pool, &tasks[i].task, run_task, &tasks[i]);
    }
    st = fn(query->caller, arg);
    if (st != OK)
        atomic_store(&query->failed, true);
    for (uint32_t i = 1; i < workers; i++) {
        pool_task_finish(query->env->pool, &tasks[i].task);
        if (tasks[i].status == OK)
            continue;
        if (st == OK) {
            st = tasks[i].status;
            error_adopt(query->ctx, tasks[i].worker->ctx);
        }
    }
    return st;
}

// --- nested queries -----------------------------------------------------------------------------

typedef struct StoreStage {
    Stage stage;
    RowStore *store;
    uint64_t rows_max;
} StoreStage;

static Status store_push(Worker *worker, Stage *stage, void *state UNUSED, const Batch *in)
{
    Status st = OK;
    StoreStage *self = (StoreStage *)stage;

    TRY(row_store_append(worker->ctx, self->store, in));
    if (self->rows_max && self->store->rows_count >= self->rows_max)
        atomic_store_explicit(&worker->pipeline->stop, true, memory_order_relaxed);
done:
    return st;
}

static const StageOps store_ops = {.name = "store", .push = store_push};

static StoreStage *store_new(Query *query, RowStore *store, Stage **entry)
{
    StoreStage *self = scope_new(query->scope, StoreStage);

    self->store = store;
    *entry = stage_init(query, &self->stage, &store_ops, NULL, true);
    return self;
}

Stage *store_stage_new(Query *query, RowStore *store)
{
    Stage *entry;

    store_new(query, store, &entry);
    return entry;
}

Status query_run_nested(Worker *worker, const NestedRun *run, RowStore *out)
{
    Status st = OK;
    const Query *parent = worker->query;
    Stage *entry;

    if (parent->depth >= QUERY_DEPTH_MAX)
        FAIL(worker->ctx, E_STATEMENT_TOO_COMPLEX, "subqueries are nested too deeply");
    Scope *scope = scope_open(run->scope, "nested query");
    Query *query =
        query_new(worker->ctx, scope, parent->env, parent, run->row ? run->row : parent->outer);
    if (run->row)
        query->workers_max = 1;
    store_new(query, out, &entry)->rows_max = run->rows_max;
    st = build_plan(query, run->plan, entry);
    if (st == OK)
        st = query_execute(query);
    scope_close(scope);
done:
    return st;
}
