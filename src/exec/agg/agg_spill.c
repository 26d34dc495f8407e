// SPDX-License-Identifier: Apache-2.0
//
// Aggregation beyond its memory: a worker's full table goes on with the groups it has; input rows
// of other groups are written to files by partition of the group's hash. When the workers' tables
// are merged, the caller aggregates partition by partition; groups that the merged tables have
// (another worker had them in memory) are added there, the others are pushed on at once.
#include "exec/agg/agg.h"

static Status write_rows(AggState *state, AggStage *self, const Batch *in, const uint64_t *hashes,
                         const TupleRows *rows)
{
    Status st = OK;
    Worker *worker = state->worker;
    TupleBuffer scratch;

    tuple_buffer_init(&scratch, worker->batch, &self->input_layout);
    TRY(tuple_buffer_append(worker->ctx, &scratch, in, rows));
    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t row = rows->rows[i];
        TRY(spill_set_write(worker, &state->spilled, spill_partition(hashes[row]),
                            rows->tuples[row]));
    }
done:
    return st;
}

Status agg_spill_rows(AggState *state, AggStage *self, const Batch *in, Batch *kept)
{
    Status st = OK;
    Scope *scope = state->worker->batch;
    uint32_t count = in->rows_count, found = 0, missing = 0;
    uint64_t *hashes = scope_new_array(scope, uint64_t, count);
    uint32_t *found_rows = scope_new_array(scope, uint32_t, count);
    uint32_t *missing_rows = scope_new_array(scope, uint32_t, count);

    batch_hash(&state->keys, self->keys_count, hashes);
    agg_table_lookup(state->table, &state->keys, hashes, state->tuples);
    for (uint32_t row = 0; row < count; row++) {
        if (state->tuples[row])
            found_rows[found++] = row;
        else
            missing_rows[missing++] = row;
    }
    for (uint32_t i = 0; i < found; i++)
        state->tuples[i] = state->tuples[found_rows[i]];
    *kept = *in;
    kept->rows_count = found;
    if (missing == 0)
        goto done;
    if (found)
        batch_slice(kept, scope, in, found_rows, found);
    TupleRows rows = {
        .tuples = scope_new_array(scope, Tuple, count), .rows = missing_rows, .count = missing};
    TRY(write_rows(state, self, in, hashes, &rows));
done:
    return st;
}

// --- reading back -------------------------------------------------------------------------------

typedef struct AggReplay {
    Query *query;
    AggStage *self;
    Worker *worker; /* the caller, with the partition's scope */
    Scope *rows_scope;
    AggState *state;
    GroupReader *reader;
    AggCall *calls;
    Vector *columns;
    VectorBuffer *buffers;
    Tuple tuples[BATCH_ROWS_MAX], found[BATCH_ROWS_MAX], picked[BATCH_ROWS_MAX];
    uint64_t hashes[BATCH_ROWS_MAX];
} AggReplay;

static Status push_file(AggReplay *replay, SpillFile *file)
{
    Status st = OK;
    AggStage *self = replay->self;
    Ctx *ctx = replay->query->ctx;
    uint32_t columns = self->input_layout.fields_count;
    TupleBuffer rows;
    bool found = true;
    Str key;

    TRY(spill_finish(ctx, file));
    TRY(spill_rewind(ctx, file));
    while (found) {
        uint32_t count = 0;
        TRY(ctx_check_cancel(ctx));
        scope_reset(replay->rows_scope);
        tuple_buffer_init(&rows, replay->rows_scope, &self->input_layout);
        while (count < BATCH_ROWS_MAX) {
            TRY(spill_read(ctx, file, &rows, &replay->tuples[count], &key, &found));
            if (!found)
                break;
            count++;
        }
        if (count == 0)
            break;
        for (uint32_t i = 0; i < columns; i++)
            tuple_gather(&self->input_layout, i, replay->tuples, count, &replay->buffers[i],
                         &replay->columns[i]);
        Batch batch = {count, columns, replay->columns};
        TRY(agg_push_batch(replay->state, self, &batch));
        scope_reset(replay->worker->batch);
    }
done:
    return st;
}

/* Adds those of tuples[0..rows) that the merged table has to it; the others stay, *rows is how
   many. */
static Status combine_known(AggReplay *replay, AggTable *into, uint32_t *rows)
{
    Status st = OK;
    AggStage *self = replay->self;
    const AggTable *from = replay->state->table;
    uint32_t count = *rows, known = 0, left = 0;
    Vector *keys = scope_new_array(replay->worker->batch, Vector, self->keys_count + 1);
    VectorBuffer *buffers = vector_buffers_new(replay->worker->batch, self->keys_count);
    Batch batch = {count, self->keys_count, keys};

    for (uint32_t i = 0; i < self->keys_count; i++)
        tuple_gather(&from->layout, i, replay->tuples, count, &buffers[i], &keys[i]);
    for (uint32_t i = 0; i < count; i++)
        replay->hashes[i] = agg_tuple_hash(replay->tuples[i]);
    agg_table_lookup(into, &batch, replay->hashes, replay->found);
    for (uint32_t i = 0; i < count; i++) {
        if (replay->found[i]) {
            replay->found[known] = replay->found[i] + into->layout.extra_at;
            replay->picked[known++] = replay->tuples[i] + from->layout.extra_at;
        } else {
            replay->tuples[left++] = replay->tuples[i];
        }
    }
    Tuple *pair[2] = {replay->found, replay->picked};
    TRY(agg_combine(replay->worker, self, replay->calls, pair, known));
    *rows = left;
done:
    return st;
}

static Status emit_groups(AggReplay *replay)
{
    Status st = OK;
    AggStage *self = replay->self;
    const AggTable *table = replay->state->table;
    Batch out;

    for (const TupleChunk *chunk = table->tuples.first; chunk; chunk = chunk->next) {
        for (uint32_t first = 0; first < chunk->count; first += BATCH_ROWS_MAX) {
            uint32_t rows = MIN(chunk->count - first, BATCH_ROWS_MAX);
            for (uint32_t i = 0; i < rows; i++)
                replay->tuples[i] = chunk->tuples + (size_t)(first + i) * table->layout.tuple_bytes;
            for (uint32_t i = 0; i < self->tables_count && rows; i++)
                TRY(combine_known(replay, self->tables[i], &rows));
            TRY(group_reader_batch(replay->reader, table, replay->tuples, rows, &out));
            if (rows)
                TRY(stage_push(replay->query->caller, self->to, &out));
            scope_reset(replay->worker->batch);
            if (atomic_load(&self->replay.stop))
                goto done;
        }
    }
done:
    return st;
}

static Status replay_partition(AggReplay *replay, uint32_t partition)
{
    Status st = OK;
    Query *query = replay->query;
    AggStage *self = replay->self;

    scope_reset(replay->worker->scope);
    TRY(agg_state_new(replay->worker, self, &replay->state));
    replay->reader = group_reader_new(replay->worker, self);
    for (uint32_t i = 0; i < query->workers_max; i++) {
        AggState *state = stage_state(&self->stage, i);
        if (state && state->spilled.files[partition])
            TRY(push_file(replay, state->spilled.files[partition]));
    }
    TRY(emit_groups(replay));
done:
    return st;
}

Status agg_replay(Query *query, void *arg)
{
    Status st = OK;
    AggStage *self = arg;
    uint32_t columns = self->input_layout.fields_count;
    bool spilled = false;
    AggReplay *replay;

    for (uint32_t i = 0; i < query->workers_max; i++) {
        const AggState *state = stage_state(&self->stage, i);
        spilled |= state && state->full;
    }
    if (!spilled)
        goto done;
    replay = scope_new(query->scope, AggReplay);
    replay->query = query;
    replay->self = self;
    replay->calls = agg_calls_new(query->caller, self);
    replay->columns = scope_new_array(query->scope, Vector, columns + 1);
    replay->buffers = vector_buffers_new(query->scope, columns);
    replay->rows_scope = scope_open(query->scope, "spilled rows");
    replay->worker = scope_new(query->scope, Worker);
    *replay->worker = *query->caller;
    replay->worker->scope = scope_open(query->scope, "partition");
    self->replay.query = query;
    query->caller->pipeline = &self->replay;
    self->can_spill = false;
    for (uint32_t i = 0; i < SPILL_PARTITIONS && !atomic_load(&self->replay.stop); i++)
        TRY(replay_partition(replay, i));
done:
    return st;
}
