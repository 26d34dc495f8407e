// SPDX-License-Identifier: Apache-2.0
//
// A hash join whose build side passes its memory: both sides are written to files by partition of
// the hash, each worker its own. When the probe side has ended, the caller takes partition by
// partition: its build tuples become the table, its probe rows are pushed through the probe stage
// again. Build tuples with NULL keys stay in memory; the rest's own pipeline reads them at the end.
#include "exec/join/hash_join.h"

Status hash_spill_build(Worker *worker, HashJoin *self, TupleBuffer *tuples)
{
    Status st = OK;
    SpillSet *set = &self->build_sets[worker->id];

    for (TupleChunk *chunk = tuples->first; chunk; chunk = chunk->next) {
        Tuple tuple = chunk->tuples;
        for (uint32_t i = 0; i < chunk->count; i++, tuple += self->table.layout.tuple_bytes)
            TRY(spill_set_write(worker, set, spill_partition(build_tuple(tuple)->hash), tuple));
    }
done:
    return st;
}

Status hash_spill_probe(Worker *worker, HashJoin *self, const Batch *in, const uint64_t *hashes)
{
    Status st = OK;
    Tuple *tuples = scope_new_array(worker->batch, Tuple, in->rows_count);
    uint32_t *all = scope_new_array(worker->batch, uint32_t, in->rows_count);
    TupleRows rows = {.tuples = tuples, .rows = all, .count = in->rows_count};
    TupleBuffer scratch;

    for (uint32_t row = 0; row < in->rows_count; row++)
        all[row] = row;
    tuple_buffer_init(&scratch, worker->batch, &self->probe_layout);
    TRY(tuple_buffer_append(worker->ctx, &scratch, in, &rows));
    for (uint32_t row = 0; row < in->rows_count; row++)
        TRY(spill_set_write(worker, &self->probe_sets[worker->id], spill_partition(hashes[row]),
                            tuples[row]));
done:
    return st;
}

/* One partition's work. */
typedef struct Replay {
    Query *query;
    HashJoin *self;
    Scope *scope; /* of the partition: table */
    Scope *batch; /* of the probe rows at hand */
    TupleBuffer build;
    Vector *columns;
    VectorBuffer *buffers;
    Tuple tuples[BATCH_ROWS_MAX];
} Replay;

static Status load_partition(Replay *replay, uint32_t partition)
{
    Status st = OK;
    Query *query = replay->query;
    HashJoin *self = replay->self;
    Tuple tuple;
    bool found;
    Str key;

    scope_reset(replay->scope);
    tuple_buffer_init(&replay->build, replay->scope, &self->table.layout);
    for (uint32_t i = 0; i < query->workers_max; i++) {
        SpillFile *file = self->build_sets[i].files[partition];
        if (file == NULL)
            continue;
        TRY(spill_rewind(query->ctx, file));
        do
            TRY(spill_read(query->ctx, file, &replay->build, &tuple, &key, &found));
        while (found);
    }
    self->table.buffers[0] = &replay->build;
    TRY(hash_table_link(query, replay->scope, &self->table));
done:
    return st;
}

static Status probe_rows(Replay *replay, uint32_t rows)
{
    HashJoin *self = replay->self;
    Worker *worker = replay->query->caller;
    Batch batch = {rows, self->probe_plan->columns_count, replay->columns};

    for (uint32_t i = 0; i < batch.columns_count; i++)
        tuple_gather(&self->probe_layout, i, replay->tuples, rows, &replay->buffers[i],
                     &replay->columns[i]);
    Status st = hash_probe_batch(worker, &self->probe, stage_state(&self->probe, 0), &batch);
    scope_reset(worker->batch);
    return st;
}

static Status probe_file(Replay *replay, SpillFile *file)
{
    Status st = OK;
    Ctx *ctx = replay->query->ctx;
    TupleBuffer rows;
    bool found = true;
    Str key;

    TRY(spill_rewind(ctx, file));
    while (found && !atomic_load(&replay->self->replay.stop)) {
        uint32_t count = 0;
        TRY(ctx_check_cancel(ctx));
        scope_reset(replay->batch);
        tuple_buffer_init(&rows, replay->batch, &replay->self->probe_layout);
        while (count < BATCH_ROWS_MAX) {
            TRY(spill_read(ctx, file, &rows, &replay->tuples[count], &key, &found));
            if (!found)
                break;
            count++;
        }
        if (count)
            TRY(probe_rows(replay, count));
    }
done:
    return st;
}

/* The partition's build rows with or without a match. */
static Status emit_rest(Replay *replay)
{
    Status st = OK;
    HashJoin *self = replay->self;
    Worker *worker = replay->query->caller;
    void *state = NULL;
    Batch batch;

    TRY(hash_rest_ops.begin(worker, &self->rest, 0, &state));
    for (;;) {
        TRY(hash_rest_ops.next(worker, &self->rest, state, &batch));
        if (batch.rows_count == 0 || atomic_load(&self->replay.stop))
            break;
        TRY(stage_push(worker, self->probe.next, &batch));
        scope_reset(worker->batch);
    }
done:
    return st;
}

static Status replay_partitions(Replay *replay)
{
    Status st = OK;
    Query *query = replay->query;
    HashJoin *self = replay->self;

    for (uint32_t i = 0; i < query->workers_max; i++)
        TRY(spill_set_finish(query->ctx, &self->probe_sets[i]));
    for (uint32_t p = 0; p < SPILL_PARTITIONS && !atomic_load(&self->replay.stop); p++) {
        TRY(load_partition(replay, p));
        for (uint32_t i = 0; i < query->workers_max; i++) {
            if (self->probe_sets[i].files[p])
                TRY(probe_file(replay, self->probe_sets[i].files[p]));
        }
        if (self->mark_build)
            TRY(emit_rest(replay));
    }
done:
    return st;
}

Status hash_join_replay(Query *query, void *arg)
{
    Status st = OK;
    HashJoin *self = arg;
    TupleBuffer **nulls = self->table.nulls;
    Replay *replay;

    if (!hash_join_spilled(self))
        goto done;
    replay = scope_new(query->scope, Replay);
    replay->query = query;
    replay->self = self;
    replay->scope = scope_open(query->scope, "partition");
    replay->batch = scope_open(query->scope, "probe rows");
    replay->columns = scope_new_array(query->scope, Vector, self->probe_plan->columns_count + 1);
    replay->buffers = vector_buffers_new(query->scope, self->probe_plan->columns_count);
    self->replay.query = query;
    self->replaying = true;
    query->caller->pipeline = &self->replay;
    if (stage_state(&self->probe, 0) == NULL)
        TRY(stage_open(query->caller, &self->probe));
    self->table.nulls = scope_new_array(query->scope, TupleBuffer *, query->workers_max);
    memset(self->table.buffers, 0, query->workers_max * sizeof *self->table.buffers);
    TRY(replay_partitions(replay));
    /* What the rest's own pipeline still has to give. */
    self->table.buffers[0] = NULL;
    self->table.nulls = nulls;
done:
    return st;
}
