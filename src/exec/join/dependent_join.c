// SPDX-License-Identifier: Apache-2.0
//
// Joins whose right side uses the left side's columns (LATERAL that could not be unnested): for
// each left row the right side is run as a nested query, the row being the innermost frame of outer
// columns, and the pairs are tested like those of any join.
#include "exec/join/join.h"
#include "exec/row_store.h"

typedef struct DependentJoin {
    Stage stage;
    const Plan *plan;
    Expr *condition;
} DependentJoin;

typedef struct DependentState {
    DependentJoin *self;
    Worker *worker;
    Eval *condition;
    Scope *scope; /* of one run */
    SqlType *types;
    Vector *out;
    Vector *nulls;
    uint8_t *matched;
    uint32_t *kept;
} DependentState;

static Status dependent_open(Worker *worker, Stage *stage, void **out)
{
    Status st = OK;
    DependentJoin *self = (DependentJoin *)stage;
    const Plan *left = self->plan->children[0], *right = self->plan->children[1];
    DependentState *state = scope_new(worker->scope, DependentState);
    Visible visible = join_visible(self->plan);

    state->self = self;
    state->worker = worker;
    if (self->condition)
        TRY(eval_compile(worker, self->condition, &visible, &state->condition));
    state->scope = scope_open(worker->scope, "lateral");
    state->types = scope_new_array(worker->scope, SqlType, right->columns_count + 1);
    for (uint32_t i = 0; i < right->columns_count; i++)
        state->types[i] = right->columns[i].type;
    state->out =
        scope_new_array(worker->scope, Vector, left->columns_count + right->columns_count + 1);
    state->nulls = join_null_columns(worker->scope, right);
    state->matched = scope_alloc(worker->scope, BATCH_ROWS_MAX);
    state->kept = scope_new_array(worker->scope, uint32_t, BATCH_ROWS_MAX);
    *out = state;
done:
    return st;
}

/* The left row's columns of the pair, as constants. */
static void put_left(DependentState *state, const Batch *in, uint32_t row)
{
    for (uint32_t i = 0; i < in->columns_count; i++) {
        Datum datum = datum_from_vector(&in->columns[i], row);
        datum_to_vector(&datum, state->scope, &state->out[i]);
    }
}

static Status meet_batch(DependentState *state, const Batch *in, uint32_t row, const Batch *right)
{
    Status st = OK;
    JoinType type = state->self->plan->join.type;
    uint32_t count = right->rows_count;
    bool unknown = false;
    const Vector *v;

    memcpy(state->out + in->columns_count, right->columns, right->columns_count * sizeof(Vector));
    Batch out = {count, in->columns_count + right->columns_count, state->out};
    if (state->condition) {
        TRY(eval_run(state->worker, state->condition, &out, &v));
        for (uint32_t i = 0; i < count; i++)
            unknown |= eval_bool_at(v, i) < 0;
        count = eval_select_true(v, count, state->kept);
    }
    if (count == 0) {
        if (unknown && state->matched[row] == 0 && (type == JOIN_MARK || type == JOIN_ANTI_NULL))
            state->matched[row] = 2;
        goto done;
    }
    if (type == JOIN_SINGLE && (count > 1 || state->matched[row] == 1))
        TRY(join_single_violation(state->worker->ctx));
    state->matched[row] = 1;
    if (join_is_left_only(type))
        goto done;
    if (count < out.rows_count)
        batch_slice(&out, state->scope, &out, state->kept, count);
    TRY(stage_push(state->worker, state->self->stage.next, &out));
done:
    return st;
}

static Status emit_null_row(DependentState *state, const Batch *in)
{
    uint32_t right = state->self->plan->children[1]->columns_count;

    memcpy(state->out + in->columns_count, state->nulls, right * sizeof(Vector));
    Batch out = {1, in->columns_count + right, state->out};
    return stage_push(state->worker, state->self->stage.next, &out);
}

static Status meet_row(DependentState *state, const Batch *in, uint32_t row)
{
    Status st = OK;
    const Plan *plan = state->self->plan;
    JoinType type = plan->join.type;
    OuterFrame frame = {.up = state->worker->query->outer,
                        .visible = visible_of(plan->children[0]),
                        .batch = in,
                        .row = row};
    NestedRun run = {.plan = plan->children[1], .row = &frame, .scope = state->scope};
    RowStore rows;

    row_store_init(&rows, state->scope, state->types, plan->children[1]->columns_count);
    TRY(query_run_nested(state->worker, &run, &rows));
    put_left(state, in, row);
    for (uint32_t i = 0; i < rows.batches.count; i++)
        TRY(meet_batch(state, in, row, &rows.batches.data[i]));
    if (state->matched[row] == 0 && (type == JOIN_LEFT || type == JOIN_SINGLE))
        TRY(emit_null_row(state, in));
done:
    scope_reset(state->scope);
    return st;
}

static Status dependent_push(Worker *worker, Stage *stage, void *arg, const Batch *in)
{
    Status st = OK;
    DependentState *state = arg;

    memset(state->matched, 0, in->rows_count);
    for (uint32_t row = 0; row < in->rows_count; row++) {
        TRY(ctx_check_cancel(worker->ctx));
        TRY(meet_row(state, in, row));
    }
    if (join_is_left_only(state->self->plan->join.type))
        TRY(join_emit_marked(worker, stage, state->self->plan, in, state->matched));
done:
    return st;
}

static const StageOps dependent_ops = {
    .name = "dependent join", .open = dependent_open, .push = dependent_push};

Status build_dependent_join(Query *query, const Plan *plan, Stage *to)
{
    DependentJoin *self = scope_new(query->scope, DependentJoin);

    if (plan->join.type == JOIN_RIGHT || plan->join.type == JOIN_FULL)
        return error_raise(query->ctx, E_INTERNAL, "a dependent join keeps its right side");
    self->plan = plan;
    self->condition = join_condition(query->scope, plan);
    return build_plan(query, plan->children[0],
                      stage_init(query, &self->stage, &dependent_ops, to, false));
}
