// SPDX-License-Identifier: Apache-2.0
//
// GROUP BY and aggregates: a sink that finds each row's group in the worker's table and gives the
// arguments to the aggregates' kernels, a batch at a time; and a source that reads the groups.
// Grouping sets push each batch once a set, with the columns outside the set NULL and the set's
// number as one more key.
#include "exec/agg/agg.h"

static AggStage *stage_of(Source *source)
{
    return (AggStage *)((char *)source - offsetof(AggStage, source));
}

// --- the worker's state -------------------------------------------------------------------------

static Status compile_item(Worker *worker, AggStage *self, AggState *state, uint32_t at)
{
    Status st = OK;
    const AggItem *item = &self->items[at];
    const Expr *expr = item->expr;
    Visible visible = visible_of(self->plan->children[0]);

    state->args[at] = scope_new_array(worker->scope, Eval *, expr->args_count + 1);
    for (uint32_t i = 0; i < expr->args_count; i++)
        TRY(eval_compile(worker, expr->args[i], &visible, &state->args[at][i]));
    if (expr->agg.filter)
        TRY(eval_compile(worker, expr->agg.filter, &visible, &state->filters[at]));
    state->orders[at] = scope_new_array(worker->scope, Eval *, expr->agg.order_count + 1);
    for (uint32_t i = 0; i < expr->agg.order_count && !expr->agg.distinct; i++)
        TRY(eval_compile(worker, expr->agg.order[i].expr, &visible, &state->orders[at][i]));
    state->calls[at] = (AggCall){.ctx = worker->ctx,
                                 .scope = worker->scope,
                                 .agg = item->info,
                                 .arg_types = item->arg_types,
                                 .result_type = expr->type,
                                 .io = worker->query->env->io};
    if (item->deferred && expr->agg.distinct)
        state->distinct[at] =
            agg_table_new(worker->scope, item->sort.types, item->sort.columns_count, 0);
    else if (item->deferred)
        state->ordered[at] = sorter_new(worker->scope, &item->sort);
done:
    return st;
}

Status agg_state_new(Worker *worker, AggStage *self, AggState **out)
{
    Status st = OK;
    Scope *scope = worker->scope;
    AggState *state = scope_new(scope, AggState);
    uint32_t items = self->items_count + 1;
    Visible visible = visible_of(self->plan->children[0]);

    state->worker = worker;
    state->spilled.layout = &self->input_layout;
    state->args = scope_new_array(scope, Eval **, items);
    state->filters = scope_new_array(scope, Eval *, items);
    state->orders = scope_new_array(scope, Eval **, items);
    state->calls = scope_new_array(scope, AggCall, items);
    state->distinct = scope_new_array(scope, AggTable *, items);
    state->ordered = scope_new_array(scope, Sorter *, items);
    state->keys.columns = scope_new_array(scope, Vector, self->keys_count + 1);
    state->keys.columns_count = self->keys_count;
    TRY(eval_compile_list(worker, &self->plan->aggregate.groups, &visible, &state->groups));
    for (uint32_t i = 0; i < self->items_count; i++)
        TRY(compile_item(worker, self, state, i));
    if (self->plain)
        state->one = scope_alloc(scope, self->states_bytes + 16);
    else
        state->table = agg_table_new(scope, self->key_types, self->keys_count, self->states_bytes);
    *out = state;
done:
    return st;
}

static Status agg_open(Worker *worker, Stage *stage, void **out)
{
    return agg_state_new(worker, (AggStage *)stage, (AggState **)out);
}

// --- input --------------------------------------------------------------------------------------

static void reserve_rows(AggState *state)
{
    if (state->states)
        return;
    state->states = scope_new_array(state->worker->scope, void *, BATCH_ROWS_MAX);
    state->tuples = scope_new_array(state->worker->scope, Tuple, BATCH_ROWS_MAX);
}

Status agg_update(AggState *state, const AggStage *self, uint32_t at, const Vector *const *args,
                  uint32_t rows)
{
    const AggItem *item = &self->items[at];
    AggCall *call = &state->calls[at];

    call->ctx = state->worker->ctx;
    if (self->plain && item->info->update_one)
        return item->info->update_one(call, args, rows, agg_item_state(self, at, state->one));
    return item->info->update(call, args, rows, state->states);
}

/* The states of the batch's rows, or of some of them. */
static void point_states(AggState *state, const AggStage *self, uint32_t at, const uint32_t *rows,
                         uint32_t count)
{
    uint32_t offset = self->items[at].state_at;

    if (self->plain) {
        for (uint32_t i = 0; i < count && self->items[at].info->update_one == NULL; i++)
            state->states[i] = state->one + offset;
        return;
    }
    offset += state->table->layout.extra_at;
    if (rows) {
        for (uint32_t i = 0; i < count; i++)
            state->states[i] = state->tuples[rows[i]] + offset;
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        state->states[i] = state->tuples[i] + offset;
}

/* FILTER: the rows that pass; `in` itself if all do. */
static Status filter_rows(AggState *state, uint32_t at, const Batch *in, Batch *out,
                          const uint32_t **rows)
{
    Status st = OK;
    Worker *worker = state->worker;
    const Vector *v;

    *out = *in;
    *rows = NULL;
    if (state->filters[at] == NULL)
        goto done;
    TRY(eval_run(worker, state->filters[at], in, &v));
    uint32_t *kept = scope_new_array(worker->batch, uint32_t, in->rows_count + 1);
    uint32_t count = eval_select_true(v, in->rows_count, kept);
    if (count == in->rows_count)
        goto done;
    batch_slice(out, worker->batch, in, kept, count);
    *rows = kept;
done:
    return st;
}

static Status push_item(AggState *state, AggStage *self, uint32_t at, const Batch *in)
{
    Status st = OK;
    const AggItem *item = &self->items[at];
    const Vector *args[16];
    const uint32_t *rows;
    Batch passed;

    ASSERT(item->expr->args_count <= ARRAY_COUNT(args));
    TRY(filter_rows(state, at, in, &passed, &rows));
    if (passed.rows_count == 0)
        goto done;
    for (uint32_t i = 0; i < item->expr->args_count; i++)
        TRY(eval_run(state->worker, state->args[at][i], &passed, &args[i]));
    if (item->deferred) {
        Batch keys = state->keys;
        if (rows)
            batch_slice(&state->keys, state->worker->batch, &keys, rows, passed.rows_count);
        st = agg_deferred_add(state, self, at, &passed, args);
        state->keys = keys;
        goto done;
    }
    point_states(state, self, at, rows, passed.rows_count);
    TRY(agg_update(state, self, at, args, passed.rows_count));
done:
    return st;
}

/* The group columns of a grouping set, and its number. */
static void set_keys(AggState *state, const AggStage *self, uint32_t set, Vector *const all)
{
    uint64_t mask = self->plan->aggregate.sets[set];
    uint32_t groups = self->keys_count - 1;
    int32_t number = (int32_t)set;

    for (uint32_t i = 0; i < groups; i++) {
        state->keys.columns[i] = all[i];
        if (!(mask >> i & 1))
            vector_init_const(&state->keys.columns[i], state->worker->batch, all[i].type, NULL);
    }
    vector_init_const(&state->keys.columns[groups], state->worker->batch, sql_type(OID_INT4),
                      &number);
}

static Status push_grouped(AggState *state, AggStage *self, const Batch *in)
{
    Status st = OK;

    Batch kept = *in;

    state->keys.rows_count = in->rows_count;
    if (state->full)
        TRY(agg_spill_rows(state, self, in, &kept));
    else if (!self->plain)
        TRY(agg_table_find(state->worker->ctx, state->table, &state->keys, NULL, state->tuples));
    for (uint32_t i = 0; i < self->items_count && kept.rows_count; i++)
        TRY(push_item(state, self, i, &kept));
    state->full |=
        self->can_spill && state->table->tuples.bytes > spill_threshold(state->worker->query);
done:
    return st;
}

Status agg_push_batch(AggState *state, AggStage *self, const Batch *in)
{
    Status st = OK;
    Worker *worker = state->worker;
    const AggregatePlan *plan = &self->plan->aggregate;
    const Vector *v;

    reserve_rows(state);
    for (uint32_t i = 0; i < plan->groups.count; i++) {
        TRY(eval_run(worker, state->groups[i], in, &v));
        state->keys.columns[i] = *v;
    }
    if (plan->sets_count == 0) {
        TRY(push_grouped(state, self, in));
        goto done;
    }
    Vector *all = scope_new_array(worker->batch, Vector, plan->groups.count + 1);
    memcpy(all, state->keys.columns, plan->groups.count * sizeof *all);
    for (uint32_t set = 0; set < plan->sets_count; set++) {
        set_keys(state, self, set, all);
        TRY(push_grouped(state, self, in));
    }
done:
    return st;
}

static Status agg_push(Worker *worker UNUSED, Stage *stage, void *state, const Batch *in)
{
    return agg_push_batch(state, (AggStage *)stage, in);
}

static const StageOps agg_ops = {.name = "aggregate", .open = agg_open, .push = agg_push};

// --- output -------------------------------------------------------------------------------------

struct GroupReader {
    AggStage *self;
    Worker *worker;
    AggCall *calls;
    Vector *columns;
    VectorBuffer *buffers;
    void **states;
};

GroupReader *group_reader_new(Worker *worker, AggStage *self)
{
    GroupReader *reader = scope_new(worker->scope, GroupReader);
    uint32_t columns = self->plan->columns_count;

    reader->self = self;
    reader->worker = worker;
    reader->columns = scope_new_array(worker->scope, Vector, columns + 1);
    reader->buffers = vector_buffers_new(worker->scope, columns);
    reader->states = scope_new_array(worker->scope, void *, self->plain ? 1 : BATCH_ROWS_MAX);
    reader->calls = agg_calls_new(worker, self);
    for (uint32_t i = 0; i < self->items_count; i++)
        reader->calls[i].scope = worker->batch;
    return reader;
}

static Status finish_item(GroupReader *reader, uint32_t at, uint32_t states_at, Tuple *tuples,
                          uint32_t rows)
{
    const AggStage *self = reader->self;
    AggCall *call = &reader->calls[at];
    uint32_t column = self->plan->aggregate.groups.count + at;
    uint32_t offset = states_at + self->items[at].state_at;
    Vector *out = &reader->columns[column];

    for (uint32_t i = 0; i < rows; i++)
        reader->states[i] = tuples[i] + offset;
    vector_buffer_flat(&reader->buffers[column], call->result_type, rows, out);
    return call->agg->finish(call, reader->states, rows, out);
}

Status group_reader_batch(GroupReader *reader, const AggTable *table, Tuple *tuples, uint32_t rows,
                          Batch *out)
{
    Status st = OK;
    const AggStage *self = reader->self;
    uint32_t groups = self->plan->aggregate.groups.count;

    *out = (Batch){rows, self->plan->columns_count, reader->columns};
    for (uint32_t i = 0; i < groups && rows; i++)
        tuple_gather(&table->layout, i, tuples, rows, &reader->buffers[i], &reader->columns[i]);
    for (uint32_t i = 0; i < self->items_count && rows; i++)
        TRY(finish_item(reader, i, table ? table->layout.extra_at : 0, tuples, rows));
done:
    return st;
}

typedef struct ReadState {
    GroupReader *reader;
    const TupleChunk *chunk;
    uint32_t table, at;
    Tuple *tuples;
    bool done;
} ReadState;

static Status read_prepare(Query *query UNUSED, Source *source, uint32_t *morsels)
{
    AggStage *self = stage_of(source);

    *morsels = self->plain ? 1 : self->tables_count;
    return OK;
}

static Status read_begin(Worker *worker, Source *source, uint32_t morsel, void **arg)
{
    AggStage *self = stage_of(source);
    ReadState *state = *arg;

    if (state == NULL) {
        *arg = state = scope_new(worker->scope, ReadState);
        state->reader = group_reader_new(worker, self);
        state->tuples = scope_new_array(worker->scope, Tuple, self->plain ? 1 : BATCH_ROWS_MAX);
    }
    state->table = morsel;
    state->chunk = self->plain ? NULL : self->tables[morsel]->tuples.first;
    state->at = 0;
    return OK;
}

/* Tuples of up to a batch, over the borders of chunks. */
static uint32_t take_tuples(ReadState *state, const AggTable *table)
{
    uint32_t count = 0, width = table->layout.tuple_bytes;

    while (state->chunk && count < BATCH_ROWS_MAX) {
        uint32_t take = MIN(state->chunk->count - state->at, BATCH_ROWS_MAX - count);
        for (uint32_t i = 0; i < take; i++)
            state->tuples[count++] = state->chunk->tuples + (size_t)(state->at + i) * width;
        state->at += take;
        if (state->at == state->chunk->count) {
            state->chunk = state->chunk->next;
            state->at = 0;
        }
    }
    return count;
}

static Status read_next(Worker *worker UNUSED, Source *source, void *arg, Batch *out)
{
    AggStage *self = stage_of(source);
    ReadState *state = arg;
    uint32_t rows;

    if (self->plain) {
        rows = !state->done;
        state->done = true;
        state->tuples[0] = self->one;
        return group_reader_batch(state->reader, NULL, state->tuples, rows, out);
    }
    rows = take_tuples(state, self->tables[state->table]);
    return group_reader_batch(state->reader, self->tables[state->table], state->tuples, rows, out);
}

static const SourceOps read_ops = {
    .name = "groups", .prepare = read_prepare, .begin = read_begin, .next = read_next};

// --- building -----------------------------------------------------------------------------------

/* A DISTINCT aggregate's ORDER BY keys are among its arguments. */
static Status find_order_args(Query *query, const Expr *expr, uint32_t *out)
{
    for (uint32_t i = 0; i < expr->agg.order_count; i++) {
        uint32_t at = 0;
        while (at < expr->args_count && !expr_equal(expr->args[at], expr->agg.order[i].expr))
            at++;
        if (at == expr->args_count)
            return error_raise(query->ctx, E_INVALID_COLUMN_REFERENCE,
                               "in an aggregate with DISTINCT, ORDER BY expressions must appear in "
                               "argument list");
        out[i] = at;
    }
    return OK;
}

static Status init_deferred(Query *query, AggStage *self, AggItem *item)
{
    Status st = OK;
    const Expr *expr = item->expr;
    uint32_t columns = self->keys_count + expr->args_count;
    SqlType *types = scope_new_array(query->scope, SqlType, columns + 1);
    KeyColumn *keys = scope_new_array(query->scope, KeyColumn, expr->agg.order_count + 1);

    if (self->keys_count)
        memcpy(types, self->key_types, self->keys_count * sizeof *types);
    for (uint32_t i = 0; i < expr->args_count; i++)
        types[self->keys_count + i] = expr->args[i]->type;
    for (uint32_t i = 0; i < expr->agg.order_count; i++)
        keys[i] = (KeyColumn){.type = expr->agg.order[i].expr->type,
                              .descending = expr->agg.order[i].descending,
                              .nulls_first = expr->agg.order[i].nulls_first};
    item->sort = (SorterSpec){.types = types,
                              .columns_count = columns,
                              .keys = keys,
                              .keys_count = expr->agg.order_count};
    item->order_args = scope_new_array(query->scope, uint32_t, expr->agg.order_count + 1);
    if (expr->agg.distinct)
        TRY(find_order_args(query, expr, item->order_args));
done:
    return st;
}

static Status init_items(Query *query, AggStage *self)
{
    Status st = OK;
    const ExprList *aggs = &self->plan->aggregate.aggs;
    uint32_t at = 0;

    self->items_count = aggs->count;
    self->items = scope_new_array(query->scope, AggItem, aggs->count + 1);
    for (uint32_t i = 0; i < aggs->count; i++) {
        const Expr *expr = aggs->data[i];
        AggItem *item = &self->items[i];
        ASSERT(expr->kind == EXPR_AGG);
        item->expr = expr;
        item->info = expr->agg.info;
        item->arg_types = scope_new_array(query->scope, SqlType, expr->args_count + 1);
        for (uint32_t k = 0; k < expr->args_count; k++)
            item->arg_types[k] = expr->args[k]->type;
        item->state_at = at;
        at += (uint32_t)align_up(item->info->state_bytes(item->arg_types), 16);
        item->deferred = expr->agg.distinct || expr->agg.order_count > 0;
        self->has_deferred |= item->deferred;
        if (item->deferred)
            TRY(init_deferred(query, self, item));
    }
    self->states_bytes = at;
done:
    return st;
}

static bool order_matters(const AggStage *self)
{
    for (uint32_t i = 0; i < self->items_count; i++) {
        if (self->items[i].info->ordered)
            return true;
    }
    return false;
}

/* Input rows must be able to come again, to any of the groups' tables. */
static void init_spilling(Query *query, AggStage *self)
{
    const Plan *child = self->plan->children[0];

    self->can_spill = spill_is_possible(query) && !self->plain && !self->has_deferred &&
                      self->plan->aggregate.sets_count == 0 && !order_matters(self);
    if (!self->can_spill)
        return;
    SqlType *types = scope_new_array(query->scope, SqlType, child->columns_count + 1);
    for (uint32_t i = 0; i < child->columns_count; i++)
        types[i] = child->columns[i].type;
    tuple_layout_init(&self->input_layout, query->scope, types, child->columns_count, 0, 0);
}

Status build_aggregate(Query *query, const Plan *plan, Stage *to)
{
    Status st = OK;
    AggStage *self = scope_new(query->scope, AggStage);
    const AggregatePlan *agg = &plan->aggregate;

    self->plan = plan;
    self->plain = agg->groups.count == 0 && agg->sets_count == 0;
    self->keys_count = agg->groups.count + (agg->sets_count > 0);
    self->key_types = scope_new_array(query->scope, SqlType, self->keys_count + 1);
    for (uint32_t i = 0; i < agg->groups.count; i++)
        self->key_types[i] = agg->groups.data[i]->type;
    if (agg->sets_count)
        self->key_types[agg->groups.count] = sql_type(OID_INT4);
    TRY(init_items(query, self));
    self->source.ops = &read_ops;
    self->source.cheap = true;
    self->source.single_batch = self->plain;
    self->to = to;
    init_spilling(query, self);
    Stage *entry = stage_init(query, &self->stage, &agg_ops, NULL, order_matters(self));
    TRY(build_plan(query, plan->children[0], entry));
    query_add_step(query, agg_complete, self);
    if (self->can_spill)
        query_add_step(query, agg_replay, self);
    pipeline_add(query, &self->source, to);
done:
    return st;
}
