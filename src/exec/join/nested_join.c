// SPDX-License-Identifier: Apache-2.0
//
// Nested loops: the right side is kept in memory, and each left batch meets all of it. The shorter
// of the two is taken row by row as constants against the other's batches, so that conditions are
// evaluated on many pairs at once. All join types, any condition.
#include "exec/join/join.h"
#include "exec/row_store.h"

typedef struct NestedJoin {
    Stage stage;
    Source rest;
    const Plan *plan;
    Expr *condition; /* NULL: all pairs */
    RowStore right;
    uint8_t *right_matched; /* RIGHT, FULL: by right row, set by any worker */
    bool null_aware;
} NestedJoin;

typedef struct NestedState {
    NestedJoin *self;
    Worker *worker;
    Eval *condition;
    uint8_t *matched; /* by left row: 1 a match, 2 unknown */
    Vector *out;      /* left columns, right columns */
    Vector *nulls;    /* of the right side */
    uint32_t *kept;
} NestedState;

static Status nested_open(Worker *worker, Stage *stage, void **out)
{
    Status st = OK;
    NestedJoin *self = (NestedJoin *)stage;
    NestedState *state = scope_new(worker->scope, NestedState);
    const Plan *left = self->plan->children[0], *right = self->plan->children[1];
    Visible visible = join_visible(self->plan);

    state->self = self;
    state->worker = worker;
    if (self->condition)
        TRY(eval_compile(worker, self->condition, &visible, &state->condition));
    state->matched = scope_alloc(worker->scope, BATCH_ROWS_MAX);
    state->out =
        scope_new_array(worker->scope, Vector, left->columns_count + right->columns_count + 1);
    state->nulls = join_null_columns(worker->scope, right);
    state->kept = scope_new_array(worker->scope, uint32_t, BATCH_ROWS_MAX);
    *out = state;
done:
    return st;
}

/* One side's columns of a pair batch: the batch as it is, or one of its rows as constants. */
static void put_batch(Vector *to, const Batch *in)
{
    if (in->columns_count)
        memcpy(to, in->columns, in->columns_count * sizeof *to);
}

static void put_row(Scope *scope, Vector *to, const Batch *in, uint32_t row)
{
    for (uint32_t i = 0; i < in->columns_count; i++) {
        const Vector *v = &in->columns[i];
        bool is_null = vector_is_null(v, row);
        uint32_t at = vector_index(v, row);
        to[i] = *v;
        to[i].form = VECTOR_CONST;
        to[i].indexes = NULL;
        to[i].values = (char *)v->values + (size_t)at * phys_size[v->phys];
        to[i].validity = is_null ? scope_alloc(scope, sizeof(uint64_t)) : NULL;
    }
}

/* The pairs of state->out for which the condition is true, into state->kept; unknown ones are noted
   (in `unknown`, by pair, if it is not NULL). */
static Status test_pairs(NestedState *state, const Batch *pairs, uint32_t *count, uint8_t *unknown)
{
    Status st = OK;
    const Vector *v;

    if (state->condition == NULL) {
        for (uint32_t i = 0; i < pairs->rows_count; i++)
            state->kept[i] = i;
        *count = pairs->rows_count;
        goto done;
    }
    TRY(eval_run(state->worker, state->condition, pairs, &v));
    *count = eval_select_true(v, pairs->rows_count, state->kept);
    for (uint32_t i = 0; unknown && i < pairs->rows_count; i++)
        unknown[i] = eval_bool_at(v, i) < 0;
done:
    return st;
}

static Status emit_pairs(NestedState *state, const Batch *pairs, uint32_t count)
{
    Batch out = *pairs;

    if (count == 0 || join_is_left_only(state->self->plan->join.type))
        return OK;
    if (count < pairs->rows_count)
        batch_slice(&out, state->worker->batch, pairs, state->kept, count);
    out.rows_count = count;
    return stage_push(state->worker, state->self->stage.next, &out);
}

static Status note_left(NestedState *state, uint32_t row)
{
    if (state->self->plan->join.type == JOIN_SINGLE && state->matched[row] == 1)
        return join_single_violation(state->worker->ctx);
    state->matched[row] = 1;
    return OK;
}

static void note_right(NestedState *state, uint64_t row)
{
    if (state->self->right_matched)
        __atomic_store_n(&state->self->right_matched[row], 1, __ATOMIC_RELAXED);
}

/* One left row against a batch of right rows. */
static Status left_row(NestedState *state, const Batch *left, uint32_t row, const Batch *right,
                       uint64_t right_first)
{
    Status st = OK;
    uint8_t unknown[BATCH_ROWS_MAX];
    bool null_aware = state->self->null_aware;
    uint32_t count;

    put_row(state->worker->batch, state->out, left, row);
    put_batch(state->out + left->columns_count, right);
    Batch pairs = {right->rows_count, left->columns_count + right->columns_count, state->out};
    TRY(test_pairs(state, &pairs, &count, null_aware ? unknown : NULL));
    for (uint32_t i = 0; i < count; i++) {
        TRY(note_left(state, row));
        note_right(state, right_first + state->kept[i]);
    }
    for (uint32_t i = 0; null_aware && state->matched[row] == 0 && i < right->rows_count; i++)
        state->matched[row] = unknown[i] ? 2 : 0;
    TRY(emit_pairs(state, &pairs, count));
done:
    return st;
}

/* One right row against all left rows. */
static Status right_row(NestedState *state, const Batch *left, const Batch *right, uint32_t row,
                        uint64_t right_at)
{
    Status st = OK;
    uint8_t unknown[BATCH_ROWS_MAX];
    bool null_aware = state->self->null_aware;
    uint32_t count;

    put_batch(state->out, left);
    put_row(state->worker->batch, state->out + left->columns_count, right, row);
    Batch pairs = {left->rows_count, left->columns_count + right->columns_count, state->out};
    TRY(test_pairs(state, &pairs, &count, null_aware ? unknown : NULL));
    for (uint32_t i = 0; i < count; i++)
        TRY(note_left(state, state->kept[i]));
    if (count)
        note_right(state, right_at);
    for (uint32_t i = 0; null_aware && i < left->rows_count; i++) {
        if (unknown[i] && state->matched[i] == 0)
            state->matched[i] = 2;
    }
    TRY(emit_pairs(state, &pairs, count));
done:
    return st;
}

/* The left batch against one batch of the right side. */
static Status meet(NestedState *state, const Batch *left, const Batch *right, uint64_t first)
{
    Status st = OK;
    bool enough = join_is_left_only(state->self->plan->join.type);

    TRY(ctx_check_cancel(state->worker->ctx));
    if (right->rows_count < left->rows_count) {
        for (uint32_t row = 0; row < right->rows_count; row++)
            TRY(right_row(state, left, right, row, first + row));
        goto done;
    }
    for (uint32_t row = 0; row < left->rows_count; row++) {
        if (!enough || state->matched[row] != 1)
            TRY(left_row(state, left, row, right, first));
    }
done:
    return st;
}

static Status emit_unmatched(NestedState *state, const Batch *in)
{
    uint32_t count = 0, right = state->self->plan->children[1]->columns_count;
    Batch left;

    for (uint32_t row = 0; row < in->rows_count; row++) {
        state->kept[count] = row;
        count += state->matched[row] != 1;
    }
    if (count == 0)
        return OK;
    batch_slice(&left, state->worker->batch, in, state->kept, count);
    put_batch(state->out, &left);
    memcpy(state->out + in->columns_count, state->nulls, right * sizeof(Vector));
    Batch out = {count, in->columns_count + right, state->out};
    return stage_push(state->worker, state->self->stage.next, &out);
}

static Status nested_push(Worker *worker, Stage *stage, void *arg, const Batch *in)
{
    Status st = OK;
    NestedState *state = arg;
    NestedJoin *self = state->self;
    JoinType type = self->plan->join.type;
    uint64_t first = 0;

    memset(state->matched, 0, in->rows_count);
    for (uint32_t i = 0; i < self->right.batches.count; i++) {
        const Batch *right = &self->right.batches.data[i];
        TRY(meet(state, in, right, first));
        first += right->rows_count;
    }
    if (join_is_left_only(type))
        TRY(join_emit_marked(worker, stage, self->plan, in, state->matched));
    else if (type == JOIN_LEFT || type == JOIN_FULL || type == JOIN_SINGLE)
        TRY(emit_unmatched(state, in));
done:
    return st;
}

static const StageOps nested_ops = {
    .name = "nested loop", .open = nested_open, .push = nested_push};

// --- right rows without a match -----------------------------------------------------------------

typedef struct RestState {
    uint32_t next;
    uint64_t first;
    Vector *out;
    uint32_t kept[BATCH_ROWS_MAX];
} RestState;

static NestedJoin *join_of(Source *source)
{
    return (NestedJoin *)((char *)source - offsetof(NestedJoin, rest));
}

static Status rest_prepare(Query *query UNUSED, Source *source UNUSED, uint32_t *morsels)
{
    *morsels = 1;
    return OK;
}

static Status rest_begin(Worker *worker, Source *source, uint32_t morsel UNUSED, void **out)
{
    NestedJoin *self = join_of(source);
    const Plan *left = self->plan->children[0], *right = self->plan->children[1];
    RestState *state = scope_new(worker->scope, RestState);

    state->out =
        scope_new_array(worker->scope, Vector, left->columns_count + right->columns_count + 1);
    memcpy(state->out, join_null_columns(worker->scope, left),
           left->columns_count * sizeof(Vector));
    *out = state;
    return OK;
}

static Status rest_next(Worker *worker, Source *source, void *arg, Batch *out)
{
    NestedJoin *self = join_of(source);
    RestState *state = arg;
    uint32_t left = self->plan->children[0]->columns_count, count = 0;
    Batch slice;

    out->rows_count = 0;
    while (count == 0 && state->next < self->right.batches.count) {
        const Batch *right = &self->right.batches.data[state->next++];
        for (uint32_t row = 0; row < right->rows_count; row++) {
            state->kept[count] = row;
            count += !self->right_matched[state->first + row];
        }
        state->first += right->rows_count;
        if (count == 0)
            continue;
        batch_slice(&slice, worker->batch, right, state->kept, count);
        put_batch(state->out + left, &slice);
        *out = (Batch){count, left + right->columns_count, state->out};
    }
    return OK;
}

static const SourceOps rest_ops = {
    .name = "nested rest", .prepare = rest_prepare, .begin = rest_begin, .next = rest_next};

// --- building -----------------------------------------------------------------------------------

static Status right_complete(Query *query, void *arg)
{
    Status st = OK;
    NestedJoin *self = arg;
    JoinType type = self->plan->join.type;
    void *memory;

    if (type != JOIN_RIGHT && type != JOIN_FULL)
        goto done;
    TRY(scope_alloc_data(query->ctx, query->scope, self->right.rows_count + 1, &memory));
    memset(memory, 0, self->right.rows_count + 1);
    self->right_matched = memory;
done:
    return st;
}

Status build_nested_join(Query *query, const Plan *plan, Stage *to)
{
    Status st = OK;
    NestedJoin *self = scope_new(query->scope, NestedJoin);
    const Plan *right = plan->children[1];
    SqlType *types = scope_new_array(query->scope, SqlType, right->columns_count + 1);

    for (uint32_t i = 0; i < right->columns_count; i++)
        types[i] = right->columns[i].type;
    self->plan = plan;
    self->condition = join_condition(query->scope, plan);
    self->null_aware = plan->join.type == JOIN_MARK || plan->join.type == JOIN_ANTI_NULL;
    row_store_init(&self->right, query->scope, types, right->columns_count);
    TRY(build_plan(query, right, store_stage_new(query, &self->right)));
    query_add_step(query, right_complete, self);
    TRY(build_plan(query, plan->children[0],
                   stage_init(query, &self->stage, &nested_ops, to, false)));
    if (plan->join.type != JOIN_RIGHT && plan->join.type != JOIN_FULL)
        goto done;
    self->rest = (Source){.ops = &rest_ops, .cheap = true};
    pipeline_add(query, &self->rest, to);
done:
    return st;
}
