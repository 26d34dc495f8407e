// SPDX-License-Identifier: Apache-2.0
//
// The workers' tables become the result. One table is the result as it is; several are merged, by
// partitions of the hash, each partition by one worker; few groups by the caller alone.
#include "exec/agg/agg.h"

#define SERIAL_GROUPS_MAX 20000
#define PARTITION_SHIFT   32

typedef struct AggMerge {
    AggStage *self;
    AggState *const *states;
    uint32_t states_count;
    uint32_t partitions;
    _Atomic uint32_t next;
} AggMerge;

Status agg_combine(Worker *worker, const AggStage *self, AggCall *calls, Tuple *const pair[2],
                   uint32_t rows)
{
    Status st = OK;

    for (uint32_t i = 0; i < self->items_count; i++) {
        const AggItem *item = &self->items[i];
        if (item->deferred)
            continue;
        calls[i].ctx = worker->ctx;
        for (uint32_t row = 0; row < rows; row++)
            TRY(item->info->combine(&calls[i], pair[0][row] + item->state_at,
                                    pair[1][row] + item->state_at));
    }
done:
    return st;
}

AggCall *agg_calls_new(Worker *worker, const AggStage *self)
{
    AggCall *calls = scope_new_array(worker->scope, AggCall, self->items_count + 1);

    for (uint32_t i = 0; i < self->items_count; i++)
        calls[i] = (AggCall){.ctx = worker->ctx,
                             .scope = worker->scope,
                             .agg = self->items[i].info,
                             .arg_types = self->items[i].arg_types,
                             .result_type = self->items[i].expr->type,
                             .io = worker->query->env->io};
    return calls;
}

/* A worker's place while it merges tuples into a table. */
typedef struct Merging {
    Worker *worker;
    AggMerge *merge;
    AggCall *calls;
    AggTable *into;
    Tuple from[BATCH_ROWS_MAX], found[BATCH_ROWS_MAX];
    Tuple from_states[BATCH_ROWS_MAX], into_states[BATCH_ROWS_MAX];
    uint64_t hashes[BATCH_ROWS_MAX];
    Vector *columns;
    VectorBuffer *buffers;
} Merging;

/* Merges m->from[0..rows). */
static Status merge_tuples(Merging *m, const AggTable *source, uint32_t rows)
{
    Status st = OK;
    uint32_t keys = m->merge->self->keys_count;
    Batch batch = {rows, keys, m->columns};

    for (uint32_t i = 0; i < keys; i++)
        tuple_gather(&source->layout, i, m->from, rows, &m->buffers[i], &m->columns[i]);
    for (uint32_t i = 0; i < rows; i++) {
        m->hashes[i] = agg_tuple_hash(m->from[i]);
        m->from_states[i] = m->from[i] + source->layout.extra_at;
    }
    TRY(agg_table_find(m->worker->ctx, m->into, &batch, m->hashes, m->found));
    for (uint32_t i = 0; i < rows; i++)
        m->into_states[i] = m->found[i] + m->into->layout.extra_at;
    Tuple *pair[2] = {m->into_states, m->from_states};
    TRY(agg_combine(m->worker, m->merge->self, m->calls, pair, rows));
done:
    return st;
}

static Status merge_table(Merging *m, const AggTable *source, uint32_t partition)
{
    Status st = OK;
    uint32_t rows = 0, partitions = m->merge->partitions, width = source->layout.tuple_bytes;

    for (const TupleChunk *chunk = source->tuples.first; chunk; chunk = chunk->next) {
        Tuple tuple = chunk->tuples;
        TRY(ctx_check_cancel(m->worker->ctx));
        for (uint32_t i = 0; i < chunk->count; i++, tuple += width) {
            uint32_t at = (uint32_t)(agg_tuple_hash(tuple) >> PARTITION_SHIFT) % partitions;
            m->from[rows] = tuple;
            rows += at == partition;
            if (rows < BATCH_ROWS_MAX)
                continue;
            TRY(merge_tuples(m, source, rows));
            rows = 0;
        }
    }
    if (rows)
        TRY(merge_tuples(m, source, rows));
done:
    return st;
}

static Merging *merging_new(Worker *worker, AggMerge *merge)
{
    Merging *m = scope_new(worker->scope, Merging);

    m->worker = worker;
    m->merge = merge;
    m->calls = agg_calls_new(worker, merge->self);
    m->columns = scope_new_array(worker->scope, Vector, merge->self->keys_count + 1);
    m->buffers = vector_buffers_new(worker->scope, merge->self->keys_count);
    return m;
}

/* Each partition goes into a table of its own. */
static Status merge_partitions(Worker *worker, void *arg)
{
    Status st = OK;
    AggMerge *merge = arg;
    AggStage *self = merge->self;
    Merging *m = NULL;
    uint32_t partition;

    while ((partition = atomic_fetch_add(&merge->next, 1)) < merge->partitions) {
        if (m == NULL)
            m = merging_new(worker, merge);
        m->into =
            agg_table_new(worker->scope, self->key_types, self->keys_count, self->states_bytes);
        for (uint32_t i = 0; i < merge->states_count; i++)
            TRY(merge_table(m, merge->states[i]->table, partition));
        self->tables[partition] = m->into;
    }
done:
    return st;
}

/* The others into the first. */
static Status merge_serial(Query *query, AggMerge *merge)
{
    Status st = OK;
    AggTable *first = merge->states[0]->table;
    Merging *m;

    if (merge->states_count > 1) {
        m = merging_new(query->caller, merge);
        m->into = first;
        for (uint32_t i = 1; i < merge->states_count; i++)
            TRY(merge_table(m, merge->states[i]->table, 0));
    }
    merge->self->tables[0] = first;
    merge->self->tables_count = 1;
done:
    return st;
}

static Status merge_plain(Query *query, AggMerge *merge)
{
    Status st = OK;
    AggCall *calls = agg_calls_new(query->caller, merge->self);

    merge->self->one = merge->states[0]->one;
    for (uint32_t i = 1; i < merge->states_count; i++) {
        Tuple into = merge->self->one, from = merge->states[i]->one;
        Tuple *pair[2] = {&into, &from};
        TRY(agg_combine(query->caller, merge->self, calls, pair, 1));
    }
done:
    return st;
}

/* The empty grouping set has a group even if no row came. */
static Status add_empty_sets(AggStage *self, AggState *state)
{
    Status st = OK;
    const AggregatePlan *plan = &self->plan->aggregate;
    Vector *columns = scope_new_array(state->worker->scope, Vector, self->keys_count + 1);
    Batch batch = {1, self->keys_count, columns};
    Tuple found;

    for (uint32_t set = 0; set < plan->sets_count; set++) {
        int32_t number = (int32_t)set;
        if (plan->sets[set] != 0)
            continue;
        for (uint32_t i = 0; i < plan->groups.count; i++)
            vector_init_const(&columns[i], state->worker->scope, self->key_types[i], NULL);
        vector_init_const(&columns[plan->groups.count], state->worker->scope, sql_type(OID_INT4),
                          &number);
        TRY(agg_table_find(state->worker->ctx, state->table, &batch, NULL, &found));
    }
done:
    return st;
}

Status agg_complete(Query *query, void *arg)
{
    Status st = OK;
    AggStage *self = arg;
    AggState *states[AGG_PARTITIONS_MAX];
    AggMerge merge = {.self = self, .states = states, .partitions = 1};
    uint64_t groups = 0;

    if (stage_state(&self->stage, 0) == NULL)
        TRY(stage_open(query->caller, &self->stage));
    for (uint32_t i = 0; i < query->workers_max; i++) {
        AggState *state = stage_state(&self->stage, i);
        if (state == NULL)
            continue;
        states[merge.states_count++] = state;
        groups += self->plain ? 0 : state->table->tuples.count;
    }
    if (self->plain) {
        TRY(merge_plain(query, &merge));
    } else {
        TRY(add_empty_sets(self, states[0]));
        bool serial = merge.states_count == 1 || groups <= SERIAL_GROUPS_MAX || self->has_deferred;
        merge.partitions = serial ? 1 : query->workers_max;
        self->tables = scope_new_array(query->scope, AggTable *, merge.partitions);
        self->tables_count = merge.partitions;
        if (serial)
            TRY(merge_serial(query, &merge));
        else
            TRY(query_parallel(query, query->workers_max, merge_partitions, &merge));
    }
    if (self->has_deferred)
        TRY(agg_deferred_complete(query, self, states, merge.states_count));
done:
    return st;
}
