// SPDX-License-Identifier: Apache-2.0
//
// After the probe: the build side's rows that met a match (a semijoin built on its left side) or
// met none (outer joins, antijoins). Each worker's buffer is a morsel.
#include "exec/join/hash_join.h"

typedef struct RestState {
    const TupleChunk *chunk;
    uint32_t at;
    uint32_t buffer;
    bool in_nulls; /* reading the tuples with NULL keys, after the others */
    Vector *out;
    VectorBuffer *buffers;
    Tuple tuples[BATCH_ROWS_MAX];
} RestState;

static HashJoin *join_of(Source *source)
{
    return (HashJoin *)((char *)source - offsetof(HashJoin, rest));
}

static Status rest_prepare(Query *query UNUSED, Source *source, uint32_t *morsels)
{
    *morsels = join_of(source)->table.buffers_count;
    return OK;
}

static Status rest_begin(Worker *worker, Source *source, uint32_t morsel, void **arg)
{
    HashJoin *self = join_of(source);
    RestState *state = *arg;
    const Plan *left = self->plan->children[0], *right = self->plan->children[1];

    if (state == NULL) {
        Vector *nulls = join_null_columns(worker->scope, self->probe_plan);
        *arg = state = scope_new(worker->scope, RestState);
        state->out =
            scope_new_array(worker->scope, Vector, left->columns_count + right->columns_count + 1);
        state->buffers = vector_buffers_new(worker->scope, self->build_plan->columns_count);
        memcpy(self->build_left ? state->out + left->columns_count : state->out, nulls,
               self->probe_plan->columns_count * sizeof *nulls);
    }
    const TupleBuffer *buffer = self->table.buffers[morsel];
    state->buffer = morsel;
    state->in_nulls = false;
    state->chunk = buffer ? buffer->first : NULL;
    state->at = 0;
    return OK;
}

/* The next tuple of the morsel; NULL at its end. */
static Tuple next_tuple(HashJoin *self, RestState *state)
{
    for (;;) {
        if (state->chunk && state->at < state->chunk->count)
            return state->chunk->tuples + (size_t)state->at++ * self->table.layout.tuple_bytes;
        state->at = 0;
        if (state->chunk) {
            state->chunk = state->chunk->next;
        } else if (!state->in_nulls) {
            const TupleBuffer *nulls = self->table.nulls[state->buffer];
            state->in_nulls = true;
            state->chunk = nulls ? nulls->first : NULL;
        } else {
            return NULL;
        }
    }
}

static Status rest_next(Worker *worker UNUSED, Source *source, void *arg, Batch *out)
{
    HashJoin *self = join_of(source);
    RestState *state = arg;
    const Plan *left = self->plan->children[0], *right = self->plan->children[1];
    uint32_t rows = 0;
    Tuple tuple;

    while (rows < BATCH_ROWS_MAX && (tuple = next_tuple(self, state)) != NULL) {
        state->tuples[rows] = tuple;
        rows += build_tuple(tuple)->matched ? self->rest_matched : self->rest_unmatched;
    }
    bool left_only = join_is_left_only(self->plan->join.type);
    *out = (Batch){rows, left->columns_count + (left_only ? 0 : right->columns_count), state->out};
    Vector *build = self->build_left ? state->out : state->out + left->columns_count;
    for (uint32_t i = 0; i < self->build_plan->columns_count && rows; i++)
        tuple_gather(&self->table.layout, i, state->tuples, rows, &state->buffers[i], &build[i]);
    return OK;
}

const SourceOps hash_rest_ops = {
    .name = "hash rest", .prepare = rest_prepare, .begin = rest_begin, .next = rest_next};
