// SPDX-License-Identifier: Apache-2.0
//
// Index nested loops: for a batch of left rows the keys of the right side's rows are made from left
// columns and fetched together: by the full key, or through ranges of the table or an index. Pairs
// are tested against the scan's filters and the join's conditions.
#include "exec/join/join.h"
#include "exec/scan.h"

#define ENTRIES 256

typedef struct IndexJoin {
    Stage stage;
    const Plan *plan;
    const Plan *scan; /* the right side */
    uint32_t fetched; /* columns without the key */
} IndexJoin;

typedef struct IndexState {
    IndexJoin *self;
    Worker *worker;
    Bounds *bounds;
    BoundsRange range;
    RowCodec *codec;
    Filter *filter;    /* the scan's, over right columns */
    Filter *condition; /* the join's, over both; NULL: none */
    Scope *scope;      /* of the cursor */
    /* Row keys found so far, and the left rows they belong to. */
    Str keys[BATCH_ROWS_MAX];
    uint32_t rows[BATCH_ROWS_MAX];
    bool found[BATCH_ROWS_MAX];
    uint32_t count;
    uint8_t matched[BATCH_ROWS_MAX];
    Vector *out;
    Vector *nulls;
} IndexState;

static Status index_open(Worker *worker, Stage *stage, void **out)
{
    Status st = OK;
    IndexJoin *self = (IndexJoin *)stage;
    IndexState *state = scope_new(worker->scope, IndexState);
    const ScanPlan *scan = &self->scan->scan;
    const ExprList *conditions = &self->plan->join.residual;
    Visible left = visible_of(self->plan->children[0]), both = join_visible(self->plan);
    Visible right = visible_of(self->scan);

    state->self = self;
    state->worker = worker;
    BoundsSpec spec = scan_bounds_spec(worker->scope, scan, &left);
    TRY(bounds_new(worker, &spec, &state->bounds));
    bounds_range_init(&state->range, worker->scope);
    state->codec =
        row_codec_new(worker->scope, &scan->table->relation, scan->column_at, self->fetched);
    if (scan->filters.count)
        TRY(filter_new(worker, scan->filters.data, scan->filters.count, &right, &state->filter));
    if (conditions->count)
        TRY(filter_new(worker, conditions->data, conditions->count, &both, &state->condition));
    state->scope = scope_open(worker->scope, "index join");
    state->out =
        scope_new_array(worker->scope, Vector, left.first_count + self->scan->columns_count + 1);
    state->nulls = join_null_columns(worker->scope, self->scan);
    *out = state;
done:
    return st;
}

// --- pairs --------------------------------------------------------------------------------------

static Status note_matches(IndexState *state, const uint32_t *left_rows, const uint32_t *kept,
                           uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = left_rows[kept ? kept[i] : i];
        if (state->self->plan->join.type == JOIN_SINGLE && state->matched[row])
            return join_single_violation(state->worker->ctx);
        state->matched[row] = 1;
    }
    return OK;
}

/* Fetches the rows of the keys gathered so far and pushes on the pairs. */
static Status flush(IndexState *state, const Batch *in)
{
    Status st = OK;
    Worker *worker = state->worker;
    IndexJoin *self = state->self;
    const ScanPlan *scan = &self->scan->scan;
    uint32_t count = state->count, *rows, pairs = 0;
    const uint32_t *kept;
    Batch right, left;

    state->count = 0;
    if (count == 0)
        goto done;
    TRY(table_get_many(worker->ctx, worker->batch, worker->query->env->snapshot,
                       &scan->table->relation, state->codec, state->keys, count, state->found,
                       &right));
    if (scan->with_key)
        scan_add_key_column(worker->batch, state->keys, state->found, count, &right);
    rows = scope_new_array(worker->batch, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        rows[pairs] = state->rows[i];
        pairs += state->found[i];
    }
    if (state->filter && right.rows_count) {
        TRY(filter_run(worker, state->filter, &right, &right, &kept));
        for (uint32_t i = 0; kept && i < right.rows_count; i++)
            rows[i] = rows[kept[i]];
    }
    if (right.rows_count == 0)
        goto done;
    batch_slice(&left, worker->batch, in, rows, right.rows_count);
    if (in->columns_count)
        memcpy(state->out, left.columns, in->columns_count * sizeof(Vector));
    if (right.columns_count)
        memcpy(state->out + in->columns_count, right.columns, right.columns_count * sizeof(Vector));
    Batch out = {right.rows_count, in->columns_count + right.columns_count, state->out};
    kept = NULL;
    if (state->condition)
        TRY(filter_run(worker, state->condition, &out, &out, &kept));
    TRY(note_matches(state, rows, kept, out.rows_count));
    if (!join_is_left_only(self->plan->join.type))
        TRY(stage_emit(worker, &self->stage, &out));
done:
    return st;
}

static Status add_key(IndexState *state, const Batch *in, uint32_t row, Str key)
{
    Status st = OK;

    if (state->count == BATCH_ROWS_MAX)
        TRY(flush(state, in));
    state->rows[state->count] = row;
    state->keys[state->count++] = key;
done:
    return st;
}

// --- keys ---------------------------------------------------------------------------------------

/* All row keys in the range of one left row. */
static Status add_range(IndexState *state, const Batch *in, uint32_t row)
{
    Status st = OK;
    Worker *worker = state->worker;
    const ScanPlan *scan = &state->self->scan->scan;
    bool by_index = scan_uses_index(scan);
    RelationId relation = by_index ? scan->index->relation_id : scan->table->relation_id;
    Str keys[ENTRIES], values[ENTRIES];
    RawScan *entries;
    uint32_t count;

    TRY(table_raw_scan_open(worker->ctx, state->scope, worker->query->env->snapshot, relation,
                            bounds_key_range(&state->range), scan->descending, &entries));
    for (;;) {
        TRY(table_raw_scan_next(worker->ctx, entries, keys, values, ENTRIES, &count));
        if (count == 0)
            break;
        for (uint32_t i = 0; i < count; i++)
            TRY(add_key(state, in, row, str_copy(worker->batch, by_index ? values[i] : keys[i])));
    }
done:
    scope_reset(state->scope);
    return st;
}

/* The full key of one left row: the row's, or that of a unique entry that leads to it. */
static Status add_point(IndexState *state, const Batch *in, uint32_t row)
{
    Status st = OK;
    Worker *worker = state->worker;
    const ScanPlan *scan = &state->self->scan->scan;
    Str key = strbuf_str(&state->range.low);
    bool found = true;

    if (scan_uses_index(scan))
        TRY(table_get(worker->ctx, worker->batch, worker->query->env->snapshot,
                      scan->index->relation_id, key, &key, &found));
    else
        key = str_copy(worker->batch, key);
    if (found)
        TRY(add_key(state, in, row, key));
done:
    return st;
}

// --- the stage ----------------------------------------------------------------------------------

static Status emit_unmatched(IndexState *state, const Batch *in)
{
    uint32_t *rows = state->rows, count = 0;
    uint32_t right = state->self->scan->columns_count;
    Batch left;

    for (uint32_t row = 0; row < in->rows_count; row++) {
        rows[count] = row;
        count += !state->matched[row];
    }
    if (count == 0)
        return OK;
    batch_slice(&left, state->worker->batch, in, rows, count);
    memcpy(state->out, left.columns, in->columns_count * sizeof(Vector));
    memcpy(state->out + in->columns_count, state->nulls, right * sizeof(Vector));
    Batch out = {count, in->columns_count + right, state->out};
    return stage_push(state->worker, state->self->stage.next, &out);
}

static Status index_push(Worker *worker, Stage *stage, void *arg, const Batch *in)
{
    Status st = OK;
    IndexState *state = arg;
    IndexJoin *self = state->self;
    const ScanPlan *scan = &self->scan->scan;
    JoinType type = self->plan->join.type;
    uint32_t ranges = MAX(scan->bounds.in_count, 1);

    memset(state->matched, 0, in->rows_count);
    TRY(bounds_eval(worker, state->bounds, in));
    for (uint32_t row = 0; row < in->rows_count; row++) {
        for (uint32_t i = 0; i < ranges; i++) {
            bounds_range(state->bounds, row, i, &state->range);
            if (state->range.empty)
                continue;
            if (scan->unique_match)
                TRY(add_point(state, in, row));
            else
                TRY(add_range(state, in, row));
        }
    }
    TRY(flush(state, in));
    if (join_is_left_only(type))
        TRY(join_emit_marked(worker, stage, self->plan, in, state->matched));
    else if (type == JOIN_LEFT || type == JOIN_SINGLE)
        TRY(emit_unmatched(state, in));
done:
    return st;
}

static const StageOps index_ops = {.name = "index join", .open = index_open, .push = index_push};

Status build_index_join(Query *query, const Plan *plan, Stage *to)
{
    JoinType type = plan->join.type;
    IndexJoin *self = scope_new(query->scope, IndexJoin);
    const Plan *right = plan->children[1];

    if (right->kind != PLAN_SCAN || type == JOIN_RIGHT || type == JOIN_FULL || type == JOIN_MARK ||
        type == JOIN_ANTI_NULL)
        return error_raise(query->ctx, E_INTERNAL, "this join cannot be made through an index");
    self->plan = plan;
    self->scan = right;
    self->fetched = right->columns_count - right->scan.with_key;
    return build_plan(query, plan->children[0],
                      stage_init(query, &self->stage, &index_ops, to, false));
}
