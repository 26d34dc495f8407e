// SPDX-License-Identifier: Apache-2.0
//
// ORDER BY: each worker sorts its own rows, the caller merges the runs; with a limit each keeps
// only what may be among the first. The result is read in order, in one thread.
#include "exec/eval/eval.h"
#include "exec/sorter.h"

/* More rows than this are not worth a limit: everything is sorted. */
#define LIMIT_ROWS_MAX 1000000

typedef struct SortStage {
    Stage stage;
    Source source;
    const Plan *plan;
    SorterSpec spec;
    int64_t offset;
    const TupleLayout *layout;
    SortEntry *entries;
    uint64_t count;          /* rows of the result; before that: the limit */
    ARRAY(SpillFile *) runs; /* of all workers; empty: all is in memory */
} SortStage;

typedef struct SortState {
    Sorter *sorter;
    Eval **keys;
    const Vector **values;
} SortState;

static Status sort_prepare(Query *query, void *arg)
{
    Status st = OK;
    SortStage *self = arg;
    const Plan *plan = self->plan;
    int64_t limit;

    TRY(eval_count(query, plan->sort.limit, false, &limit));
    TRY(eval_count(query, plan->sort.offset, true, &self->offset));
    self->offset = MAX(self->offset, 0);
    if (limit >= 0 && limit <= LIMIT_ROWS_MAX && self->offset <= LIMIT_ROWS_MAX)
        self->spec.limit = (uint64_t)MAX(limit + self->offset, 1);
    self->count = limit >= 0 ? (uint64_t)limit : UINT64_MAX;
done:
    return st;
}

static Status sort_open(Worker *worker, Stage *stage, void **out)
{
    Status st = OK;
    SortStage *self = (SortStage *)stage;
    SortState *state = scope_new(worker->scope, SortState);
    uint32_t count = self->plan->sort.keys_count;
    Visible visible = visible_of(self->plan->children[0]);

    state->keys = scope_new_array(worker->scope, Eval *, count + 1);
    state->values = scope_new_array(worker->scope, const Vector *, count + 1);
    for (uint32_t i = 0; i < count; i++)
        TRY(eval_compile(worker, self->plan->sort.keys[i].expr, &visible, &state->keys[i]));
    state->sorter = sorter_new(worker->scope, &self->spec);
    *out = state;
done:
    return st;
}

static Status sort_push(Worker *worker, Stage *stage, void *arg, const Batch *in)
{
    Status st = OK;
    SortStage *self = (SortStage *)stage;
    SortState *state = arg;

    for (uint32_t i = 0; i < self->plan->sort.keys_count; i++)
        TRY(eval_run(worker, state->keys[i], in, &state->values[i]));
    TRY(sorter_add(worker->ctx, state->sorter, in, state->values));
    if (self->spec.limit == 0 && spill_is_possible(worker->query) &&
        sorter_bytes(state->sorter) > spill_threshold(worker->query))
        TRY(sorter_spill(worker, state->sorter));
done:
    return st;
}

static const StageOps sort_ops = {.name = "sort", .open = sort_open, .push = sort_push};

/* The workers' runs; whoever is free sorts the next. */
typedef struct Runs {
    Sorter *sorters[64];
    uint32_t count;
    _Atomic uint32_t next;
} Runs;

static Status sort_runs(Worker *worker, void *arg)
{
    Status st = OK;
    Runs *runs = arg;
    uint32_t at;

    while ((at = atomic_fetch_add(&runs->next, 1)) < runs->count)
        TRY(sorter_sort(worker->ctx, runs->sorters[at]));
done:
    return st;
}

/* If any worker has spilled, all do. */
static Status collect_spilled(Query *query, SortStage *self, const Runs *runs)
{
    Status st = OK;
    bool spilled = false;

    for (uint32_t i = 0; i < runs->count; i++)
        spilled |= runs->sorters[i]->runs.count > 0;
    for (uint32_t i = 0; spilled && i < runs->count; i++) {
        Sorter *sorter = runs->sorters[i];
        TRY(sorter_spill(query->caller, sorter));
        for (uint32_t k = 0; k < sorter->runs.count; k++)
            array_push(query->scope, &self->runs, sorter->runs.data[k]);
    }
    self->layout = &runs->sorters[0]->layout;
done:
    return st;
}

static uint64_t total_rows(const SortStage *self)
{
    uint64_t rows = 0;

    for (uint32_t i = 0; i < self->runs.count; i++)
        rows += spill_rows(self->runs.data[i]);
    return rows;
}

static Status sort_complete(Query *query, void *arg)
{
    Status st = OK;
    SortStage *self = arg;
    Runs runs = {0};
    uint64_t total, limit = self->count, offset = (uint64_t)self->offset;

    for (uint32_t i = 0; i < query->workers_max; i++) {
        SortState *state = stage_state(&self->stage, i);
        if (state)
            runs.sorters[runs.count++] = state->sorter;
    }
    self->count = 0;
    if (runs.count == 0)
        goto done;
    TRY(collect_spilled(query, self, &runs));
    if (self->runs.count) {
        self->count = MIN(total_rows(self) - MIN(offset, total_rows(self)), limit);
        goto done;
    }
    TRY(query_parallel(query, runs.count, sort_runs, &runs));
    TRY(sorters_merge(query->ctx, query->scope, runs.sorters, runs.count, &self->entries, &total));
    self->entries += MIN(offset, total);
    self->count = MIN(total - MIN(offset, total), limit);
done:
    return st;
}

// --- reading the result -------------------------------------------------------------------------

typedef struct ReadState {
    uint64_t next;
    RunMerge *merge; /* of spilled runs; NULL: all is in memory */
    Vector *columns;
    VectorBuffer *buffers;
} ReadState;

static SortStage *stage_of(Source *source)
{
    return (SortStage *)((char *)source - offsetof(SortStage, source));
}

static Status read_prepare(Query *query UNUSED, Source *source, uint32_t *morsels)
{
    *morsels = stage_of(source)->count > 0;
    return OK;
}

static Status read_begin(Worker *worker, Source *source, uint32_t morsel UNUSED, void **out)
{
    Status st = OK;
    SortStage *self = stage_of(source);
    uint32_t columns = self->spec.columns_count, skipped;
    Tuple tuples[BATCH_ROWS_MAX];
    ReadState *state = scope_new(worker->scope, ReadState);

    state->columns = scope_new_array(worker->scope, Vector, columns + 1);
    state->buffers = vector_buffers_new(worker->scope, columns);
    *out = state;
    if (self->runs.count == 0)
        goto done;
    TRY(run_merge_open(worker->ctx, worker->scope, self->layout, self->runs.data, self->runs.count,
                       &state->merge));
    for (uint64_t left = (uint64_t)self->offset; left > 0; left -= skipped)
        TRY(run_merge_next(worker->ctx, state->merge, tuples, (uint32_t)MIN(left, BATCH_ROWS_MAX),
                           &skipped));
done:
    return st;
}

static Status read_next(Worker *worker, Source *source, void *arg, Batch *out)
{
    Status st = OK;
    SortStage *self = stage_of(source);
    ReadState *state = arg;
    Tuple tuples[BATCH_ROWS_MAX];
    uint32_t rows = (uint32_t)MIN(self->count - state->next, BATCH_ROWS_MAX);

    if (state->merge)
        TRY(run_merge_next(worker->ctx, state->merge, tuples, rows, &rows));
    *out = (Batch){rows, self->spec.columns_count, state->columns};
    for (uint32_t i = 0; state->merge == NULL && i < rows; i++)
        tuples[i] = self->entries[state->next + i].tuple;
    for (uint32_t i = 0; i < self->spec.columns_count && rows; i++)
        tuple_gather(self->layout, i, tuples, rows, &state->buffers[i], &state->columns[i]);
    state->next += rows;
done:
    return st;
}

static const SourceOps read_ops = {
    .name = "sorted", .prepare = read_prepare, .begin = read_begin, .next = read_next};

Status build_sort(Query *query, const Plan *plan, Stage *to)
{
    Status st = OK;
    const Plan *child = plan->children[0];
    SortStage *self = scope_new(query->scope, SortStage);
    SqlType *types = scope_new_array(query->scope, SqlType, child->columns_count + 1);
    KeyColumn *keys = scope_new_array(query->scope, KeyColumn, plan->sort.keys_count + 1);

    for (uint32_t i = 0; i < child->columns_count; i++)
        types[i] = child->columns[i].type;
    for (uint32_t i = 0; i < plan->sort.keys_count; i++)
        keys[i] = (KeyColumn){.type = plan->sort.keys[i].expr->type,
                              .descending = plan->sort.keys[i].descending,
                              .nulls_first = plan->sort.keys[i].nulls_first};
    self->plan = plan;
    self->spec = (SorterSpec){.types = types,
                              .columns_count = child->columns_count,
                              .keys = keys,
                              .keys_count = plan->sort.keys_count};
    self->source = (Source){.ops = &read_ops, .cheap = true};
    query_add_step(query, sort_prepare, self);
    TRY(build_plan(query, child, stage_init(query, &self->stage, &sort_ops, NULL, false)));
    query_add_step(query, sort_complete, self);
    pipeline_add(query, &self->source, to);
done:
    return st;
}
