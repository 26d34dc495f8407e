// SPDX-License-Identifier: Apache-2.0
//
// From a plan to the steps of a query: each node adds its own, its children's before them, in the
// order in which they must run. Here is the dispatch; each operator builds itself in its own file.
#include "exec/exec_int.h"

#include "os/clock.h"
#include "sql/plan/counters.h"

typedef struct CountStage {
    Stage stage;
    ExecCounter *counter;
    int64_t begin_ns;
    _Atomic uint64_t elapsed_ns; /* until the last batch so far */
} CountStage;

/* Rows and batches that a node gives, and the time from the start until its last batch. */
static Status count_push(Worker *worker, Stage *stage, void *state UNUSED, const Batch *in)
{
    CountStage *self = (CountStage *)stage;
    ExecCounter *counter = self->counter;
    uint64_t now = (uint64_t)(clock_mono_ns() - self->begin_ns);
    uint64_t before = atomic_load_explicit(&self->elapsed_ns, memory_order_relaxed);

    while (now > before && !atomic_compare_exchange_weak(&self->elapsed_ns, &before, now))
        ;
    if (now > before)
        atomic_fetch_add_explicit(&counter->ns, now - before, memory_order_relaxed);
    atomic_fetch_add_explicit(&counter->rows, in->rows_count, memory_order_relaxed);
    atomic_fetch_add_explicit(&counter->batches, 1, memory_order_relaxed);
    return stage_push(worker, stage->next, in);
}

static const StageOps count_ops = {.name = "count", .push = count_push};

static Stage *count_stage_new(Query *query, const Plan *plan, Stage *to)
{
    ExecCounters *counters = query->env->counters;
    CountStage *self = scope_new(query->scope, CountStage);

    self->counter = &counters->nodes[plan->node_id];
    self->begin_ns = clock_mono_ns();
    atomic_fetch_add_explicit(&self->counter->loops, 1, memory_order_relaxed);
    return stage_init(query, &self->stage, &count_ops, to, false);
}

Status build_plan(Query *query, const Plan *plan, Stage *to)
{
    if (query->env->counters && plan->node_id < query->env->counters->count)
        to = count_stage_new(query, plan, to);
    switch (plan->kind) {
    case PLAN_SCAN: return build_scan(query, plan, to);
    case PLAN_VIRTUAL: return build_virtual(query, plan, to);
    case PLAN_FUNCTION: return build_function(query, plan, to);
    case PLAN_VALUES: return build_values(query, plan, to);
    case PLAN_FILTER: return build_filter(query, plan, to);
    case PLAN_PROJECT: return build_project(query, plan, to);
    case PLAN_JOIN: return build_join(query, plan, to);
    case PLAN_AGGREGATE: return build_aggregate(query, plan, to);
    case PLAN_DISTINCT: return build_distinct(query, plan, to);
    case PLAN_SORT: return build_sort(query, plan, to);
    case PLAN_LIMIT: return build_limit(query, plan, to);
    case PLAN_SETOP: return build_setop(query, plan, to);
    case PLAN_CTE: return build_cte(query, plan, to);
    case PLAN_CTE_REF: return build_cte_ref(query, plan, to);
    case PLAN_RECURSIVE: return build_recursive(query, plan, to);
    case PLAN_PROJECT_SET: return build_project_set(query, plan, to);
    case PLAN_MODIFY: return build_modify(query, plan, to);
    case PLAN_LOCK_ROWS: return build_lock_rows(query, plan, to);
    case PLAN_WINDOW: break;
    }
    return error_raise(query->ctx, E_FEATURE_NOT_SUPPORTED, "window functions are not supported");
}
