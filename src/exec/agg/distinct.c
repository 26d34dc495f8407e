// SPDX-License-Identifier: Apache-2.0
//
// DISTINCT is grouping by all columns. DISTINCT ON keeps the first row of each key, in the order in
// which rows come.
#include "exec/agg/distinct.h"
#include "exec/agg/agg.h"

Plan *distinct_plan(Query *query, const Plan *like, Plan *child)
{
    Plan *plan = plan_new(query->scope, PLAN_AGGREGATE, like->columns_count);

    plan->node_id = UINT32_MAX;
    plan->children[0] = child;
    plan->rows_estimate = like->rows_estimate;
    memcpy(plan->columns, like->columns, like->columns_count * sizeof *like->columns);
    for (uint32_t i = 0; i < like->columns_count; i++) {
        Expr *column = expr_new(query->scope, EXPR_COLUMN, like->columns[i].type, 0);
        column->column.id = like->columns[i].id;
        column->column.slot = (int32_t)i;
        array_push(query->scope, &plan->aggregate.groups, column);
    }
    return plan;
}

// --- DISTINCT ON --------------------------------------------------------------------------------

typedef struct DistinctOn {
    Stage stage;
    const Plan *plan;
} DistinctOn;

typedef struct DistinctState {
    Eval **keys;
    AggTable *seen;
    Batch batch;
} DistinctState;

static Status on_open(Worker *worker, Stage *stage, void **out)
{
    Status st = OK;
    const Plan *plan = ((DistinctOn *)stage)->plan;
    const ExprList *on = &plan->distinct.on;
    DistinctState *state = scope_new(worker->scope, DistinctState);
    SqlType *types = scope_new_array(worker->scope, SqlType, on->count + 1);
    Visible visible = visible_of(plan->children[0]);

    for (uint32_t i = 0; i < on->count; i++)
        types[i] = on->data[i]->type;
    TRY(eval_compile_list(worker, on, &visible, &state->keys));
    state->seen = agg_table_new(worker->scope, types, on->count, 0);
    state->batch.columns_count = on->count;
    state->batch.columns = scope_new_array(worker->scope, Vector, on->count + 1);
    *out = state;
done:
    return st;
}

static Status on_push(Worker *worker, Stage *stage, void *arg, const Batch *in)
{
    Status st = OK;
    DistinctState *state = arg;
    uint32_t *added = scope_new_array(worker->batch, uint32_t, in->rows_count), count;
    Batch out = *in;
    const Vector *v;

    state->batch.rows_count = in->rows_count;
    for (uint32_t i = 0; i < state->batch.columns_count; i++) {
        TRY(eval_run(worker, state->keys[i], in, &v));
        state->batch.columns[i] = *v;
    }
    TRY(agg_table_add_new(worker->ctx, state->seen, &state->batch, added, &count));
    out.rows_count = count;
    if (count && count < in->rows_count)
        batch_slice(&out, worker->batch, in, added, count);
    TRY(stage_emit(worker, stage, &out));
done:
    return st;
}

static const StageOps on_ops = {.name = "distinct on", .open = on_open, .push = on_push};

Status build_distinct(Query *query, const Plan *plan, Stage *to)
{
    DistinctOn *self;

    if (plan->distinct.on.count == 0)
        return build_aggregate(query, distinct_plan(query, plan, plan->children[0]), to);
    self = scope_new(query->scope, DistinctOn);
    self->plan = plan;
    return build_plan(query, plan->children[0], stage_init(query, &self->stage, &on_ops, to, true));
}
