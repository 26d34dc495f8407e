// SPDX-License-Identifier: Apache-2.0
//
// Probing: all rows of a batch look at their bucket; those with a chain walk it together, one tuple
// a row and round, comparing hashes, then keys. Pairs are gathered until a batch is full (or the
// input's end), tested against the rest of the condition, and pushed on: probe columns as a slice,
// build columns copied out of the tuples.
#include "exec/join/hash_join.h"

typedef struct ProbeState {
    HashJoin *self;
    Worker *worker;
    KeyEval keys;
    Filter *residual; /* NULL: none */
    Eval *condition;  /* for unknown answers */
    Tuple *current;   /* by probe row: where it is in its chain */
    uint32_t *active, *candidates, *rejected;
    uint32_t *pair_rows; /* matches so far */
    Tuple *pair_tuples;
    uint32_t pairs;
    uint8_t *matched; /* by probe row; 2: unknown */
    Vector *out;      /* left columns, right columns */
    VectorBuffer *buffers;
    Vector *nulls; /* of the build side */
} ProbeState;

static Status probe_open(Worker *worker, Stage *stage, void **out)
{
    Status st = OK;
    HashJoin *self = (HashJoin *)((char *)stage - offsetof(HashJoin, probe));
    ProbeState *state = scope_new(worker->scope, ProbeState);
    const ExprList *residual = &self->plan->join.residual;
    Visible visible = join_visible(self->plan);
    Scope *scope = worker->scope;

    state->self = self;
    state->worker = worker;
    TRY(key_eval_new(worker, self, false, &state->keys));
    if (residual->count)
        TRY(filter_new(worker, residual->data, residual->count, &visible, &state->residual));
    if (self->null_aware && self->condition)
        TRY(eval_compile(worker, self->condition, &visible, &state->condition));
    state->current = scope_new_array(scope, Tuple, BATCH_ROWS_MAX);
    state->active = scope_new_array(scope, uint32_t, BATCH_ROWS_MAX);
    state->candidates = scope_new_array(scope, uint32_t, BATCH_ROWS_MAX);
    state->rejected = scope_new_array(scope, uint32_t, (size_t)BATCH_ROWS_MAX * 2);
    state->pair_rows = scope_new_array(scope, uint32_t, BATCH_ROWS_MAX);
    state->pair_tuples = scope_new_array(scope, Tuple, BATCH_ROWS_MAX);
    state->matched = scope_alloc(scope, BATCH_ROWS_MAX);
    state->out = scope_new_array(
        scope, Vector, self->build_plan->columns_count + self->probe_plan->columns_count + 1);
    state->buffers = vector_buffers_new(scope, self->build_plan->columns_count);
    state->nulls = join_null_columns(scope, self->build_plan);
    *out = state;
done:
    return st;
}

// --- pairs --------------------------------------------------------------------------------------

/* Where the build side's and the probe side's columns stand in a pair. */
static Vector *build_columns(const ProbeState *state)
{
    const HashJoin *self = state->self;

    return self->build_left ? state->out : state->out + self->probe_plan->columns_count;
}

static Vector *probe_columns(const ProbeState *state)
{
    const HashJoin *self = state->self;

    return self->build_left ? state->out + self->build_plan->columns_count : state->out;
}

static void make_pairs(ProbeState *state, const Batch *in, uint32_t pairs, Batch *out)
{
    const HashJoin *self = state->self;
    uint32_t columns = self->build_plan->columns_count;
    Vector *build = build_columns(state);
    Batch probe;

    batch_slice(&probe, state->worker->batch, in, state->pair_rows, pairs);
    if (in->columns_count)
        memcpy(probe_columns(state), probe.columns,
               self->probe_plan->columns_count * sizeof(Vector));
    for (uint32_t i = 0; i < columns; i++)
        tuple_gather(&self->table.layout, i, state->pair_tuples, pairs, &state->buffers[i],
                     &build[i]);
    *out = (Batch){pairs, columns + self->probe_plan->columns_count, state->out};
}

/* A match of probe row `row`; fails if a scalar subquery gave a second one. */
static Status note_match(ProbeState *state, uint32_t row, Tuple tuple)
{
    if (state->self->single && state->matched[row])
        return join_single_violation(state->worker->ctx);
    state->matched[row] = 1;
    if (state->self->mark_build)
        build_tuple_set_matched(tuple);
    return OK;
}

/* Tests and pushes on the pairs gathered so far. */
static Status flush_pairs(ProbeState *state, const Batch *in)
{
    Status st = OK;
    HashJoin *self = state->self;
    uint32_t pairs = state->pairs;
    const uint32_t *kept = NULL;
    bool quiet = self->marks || self->rest_matched || self->plan->join.type == JOIN_ANTI;
    Batch out = {.rows_count = pairs};

    state->pairs = 0;
    if (pairs == 0)
        goto done;
    if (!quiet || state->residual)
        make_pairs(state, in, pairs, &out);
    if (state->residual)
        TRY(filter_run(state->worker, state->residual, &out, &out, &kept));
    for (uint32_t i = 0; i < out.rows_count; i++) {
        uint32_t at = kept ? kept[i] : i;
        TRY(note_match(state, state->pair_rows[at], state->pair_tuples[at]));
    }
    if (!quiet)
        TRY(stage_emit(state->worker, &self->probe, &out));
done:
    return st;
}

/* True if one match is all that a probe row needs. */
static bool one_is_enough(const ProbeState *state)
{
    return state->self->marks;
}

static Status add_pairs(ProbeState *state, const Batch *in, const uint32_t *rows, uint32_t count)
{
    Status st = OK;

    for (uint32_t i = 0; i < count; i++) {
        if (state->pairs == BATCH_ROWS_MAX)
            TRY(flush_pairs(state, in));
        state->pair_rows[state->pairs] = rows[i];
        state->pair_tuples[state->pairs++] = state->current[rows[i]];
    }
done:
    return st;
}

// --- walking the chains -------------------------------------------------------------------------

/* Rows that have a chain, into active. */
static uint32_t find_chains(ProbeState *state)
{
    const HashTable *table = &state->self->table;
    const KeyEval *keys = &state->keys;
    uint32_t count = 0;

    for (uint32_t i = 0; i < keys->count; i++)
        __builtin_prefetch(
            (const void *)&table->buckets[keys->hashes[keys->rows[i]] & table->mask]);
    for (uint32_t i = 0; i < keys->count; i++) {
        uint32_t row = keys->rows[i];
        Tuple tuple = hash_table_chain(table, keys->hashes[row]);
        state->current[row] = tuple;
        state->active[count] = row;
        count += tuple != NULL;
        __builtin_prefetch(tuple);
    }
    return count;
}

/* The active rows whose tuple has their keys, into candidates. */
static uint32_t compare_round(ProbeState *state, uint32_t active)
{
    const HashJoin *self = state->self;
    uint32_t count = 0;

    for (uint32_t i = 0; i < active; i++) {
        uint32_t row = state->active[i];
        state->candidates[count] = row;
        count += build_tuple(state->current[row])->hash == state->keys.hashes[row];
    }
    for (uint32_t i = 0; i < self->keys_count && count; i++) {
        TupleMatch match = {.layout = &self->table.layout,
                            .field = self->key_fields[i],
                            .v = &state->keys.columns[i],
                            .tuples = (Tuple const *)state->current,
                            .nulls_equal = hash_join_null_safe(self, i),
                            .rejected = state->rejected};
        count = tuple_match(&match, state->candidates, count);
    }
    return count;
}

/* To the next tuples; rows at their chain's end, or satisfied, drop out. */
static uint32_t advance(ProbeState *state, uint32_t active, bool satisfied_leave)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < active; i++) {
        uint32_t row = state->active[i];
        Tuple next = build_tuple(state->current[row])->next;
        state->current[row] = next;
        state->active[count] = row;
        count += next != NULL && !(satisfied_leave && state->matched[row]);
        __builtin_prefetch(next);
    }
    return count;
}

static Status walk_chains(ProbeState *state, const Batch *in)
{
    Status st = OK;
    uint32_t active = find_chains(state);
    bool leave = one_is_enough(state);
    bool eager = leave && state->residual == NULL && !state->self->mark_build;

    while (active) {
        uint32_t count = compare_round(state, active);
        for (uint32_t i = 0; eager && i < count; i++)
            state->matched[state->candidates[i]] = 1;
        if (!eager)
            TRY(add_pairs(state, in, state->candidates, count));
        if (leave && !eager)
            TRY(flush_pairs(state, in));
        active = advance(state, active, leave);
    }
    TRY(flush_pairs(state, in));
done:
    return st;
}

// --- unknown answers ----------------------------------------------------------------------------

/* One probe row against tuples of the build side: is the condition unknown for any? */
static Status test_tuples(ProbeState *state, const Batch *row, const TupleBuffer *buffer,
                          bool *unknown)
{
    Status st = OK;
    const HashJoin *self = state->self;
    uint32_t columns = self->build_plan->columns_count;
    Vector *build = build_columns(state), *probe = probe_columns(state);
    const TupleChunk *chunk = buffer ? buffer->first : NULL;
    const Vector *v;

    for (; chunk && !*unknown; chunk = chunk->next) {
        for (uint32_t first = 0; first < chunk->count && !*unknown; first += BATCH_ROWS_MAX) {
            uint32_t rows = MIN(chunk->count - first, BATCH_ROWS_MAX);
            for (uint32_t i = 0; i < rows; i++)
                state->pair_tuples[i] =
                    chunk->tuples + (size_t)(first + i) * self->table.layout.tuple_bytes;
            for (uint32_t i = 0; i < columns; i++)
                tuple_gather(&self->table.layout, i, state->pair_tuples, rows, &state->buffers[i],
                             &build[i]);
            if (row->columns_count)
                memcpy(probe, row->columns, row->columns_count * sizeof *probe);
            Batch pairs = {rows, columns + row->columns_count, state->out};
            TRY(eval_run(state->worker, state->condition, &pairs, &v));
            for (uint32_t i = 0; i < rows; i++)
                *unknown |= eval_bool_at(v, i) < 0;
        }
    }
done:
    return st;
}

/* One row as constants. */
static void constant_row(Scope *scope, const Batch *in, uint32_t row, Batch *out)
{
    *out = (Batch){1, in->columns_count, scope_new_array(scope, Vector, in->columns_count + 1)};
    for (uint32_t i = 0; i < in->columns_count; i++) {
        Datum datum = datum_from_vector(&in->columns[i], row);
        datum_to_vector(&datum, scope, &out->columns[i]);
    }
}

static Status test_row(ProbeState *state, const Batch *in, uint32_t row, bool has_null)
{
    Status st = OK;
    const HashTable *table = &state->self->table;
    bool unknown = false;
    Batch one;

    constant_row(state->worker->batch, in, row, &one);
    for (uint32_t i = 0; i < table->buffers_count && !unknown; i++) {
        TRY(test_tuples(state, &one, table->nulls[i], &unknown));
        if (has_null)
            TRY(test_tuples(state, &one, table->buffers[i], &unknown));
    }
    if (unknown)
        state->matched[row] = 2;
done:
    return st;
}

/* NOT IN and IN as a value: which of the rows without a match have an unknown answer. */
static Status find_unknown(ProbeState *state, const Batch *in)
{
    Status st = OK;
    HashJoin *self = state->self;
    const KeyEval *keys = &state->keys;
    bool simple = self->keys_count == 1 && self->plan->join.residual.count == 0;
    uint64_t all = self->table.count + self->table.null_count;

    if (all == 0 || (keys->null_count == 0 && self->table.null_count == 0))
        goto done;
    for (uint32_t i = 0; i < keys->null_count; i++) {
        if (simple)
            state->matched[keys->null_rows[i]] = 2;
        else if (state->condition)
            TRY(test_row(state, in, keys->null_rows[i], true));
    }
    for (uint32_t i = 0; i < keys->count && self->table.null_count; i++) {
        uint32_t row = keys->rows[i];
        if (state->matched[row])
            continue;
        if (simple)
            state->matched[row] = 2;
        else if (state->condition)
            TRY(test_row(state, in, row, false));
    }
done:
    return st;
}

// --- the stage ----------------------------------------------------------------------------------

static Status emit_unmatched(ProbeState *state, const Batch *in)
{
    Status st = OK;
    HashJoin *self = state->self;
    uint32_t *rows = state->active, count = 0;
    Batch probe;

    for (uint32_t row = 0; row < in->rows_count; row++) {
        rows[count] = row;
        count += !state->matched[row];
    }
    if (count == 0)
        goto done;
    batch_slice(&probe, state->worker->batch, in, rows, count);
    if (in->columns_count)
        memcpy(probe_columns(state), probe.columns,
               self->probe_plan->columns_count * sizeof(Vector));
    memcpy(build_columns(state), state->nulls, self->build_plan->columns_count * sizeof(Vector));
    Batch out = {count, self->build_plan->columns_count + self->probe_plan->columns_count,
                 state->out};
    TRY(stage_push(state->worker, self->probe.next, &out));
done:
    return st;
}

Status hash_probe_batch(Worker *worker, Stage *stage, void *arg, const Batch *in)
{
    Status st = OK;
    ProbeState *state = arg;
    HashJoin *self = state->self;

    TRY(key_eval_run(worker, self, &state->keys, in));
    if (hash_join_spilled(self) && !self->replaying) {
        TRY(hash_spill_probe(worker, self, in, state->keys.hashes));
        goto done;
    }
    memset(state->matched, 0, in->rows_count);
    TRY(walk_chains(state, in));
    if (self->null_aware)
        TRY(find_unknown(state, in));
    if (self->marks)
        TRY(join_emit_marked(worker, stage, self->plan, in, state->matched));
    else if (self->keep_probe)
        TRY(emit_unmatched(state, in));
done:
    return st;
}

static Status probe_push(Worker *worker, Stage *stage, void *arg, const Batch *in)
{
    const HashJoin *self = ((ProbeState *)arg)->self;
    bool empty = self->table.count + self->table.null_count == 0 && !hash_join_spilled(self);

    if (empty && !self->keep_probe && !self->marks) {
        atomic_store_explicit(&worker->pipeline->stop, true, memory_order_relaxed);
        return OK;
    }
    return hash_probe_batch(worker, stage, arg, in);
}

const StageOps hash_probe_ops = {.name = "hash probe", .open = probe_open, .push = probe_push};
