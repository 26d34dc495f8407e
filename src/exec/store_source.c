// SPDX-License-Identifier: Apache-2.0
//
// Reading a RowStore: a morsel is a run of its batches, shared by workers without copying. Made
// while a query is built; the store is complete when its step runs.
#include "exec/exec_int.h"
#include "exec/row_store.h"

#define BATCHES_PER_MORSEL 8

typedef struct StoreSource {
    Source source;
    RowStore *const *rows;
} StoreSource;

typedef struct StoreState {
    uint32_t next, end;
} StoreState;

static Status store_prepare(Query *query UNUSED, Source *source, uint32_t *morsels)
{
    const RowStore *rows = *((StoreSource *)source)->rows;

    *morsels = (rows->batches.count + BATCHES_PER_MORSEL - 1) / BATCHES_PER_MORSEL;
    return OK;
}

static Status store_begin(Worker *worker, Source *source, uint32_t morsel, void **arg)
{
    const RowStore *rows = *((StoreSource *)source)->rows;
    StoreState *state = *arg;

    if (state == NULL)
        *arg = state = scope_new(worker->scope, StoreState);
    state->next = morsel * BATCHES_PER_MORSEL;
    state->end = MIN(state->next + BATCHES_PER_MORSEL, rows->batches.count);
    return OK;
}

static Status store_next(Worker *worker UNUSED, Source *source, void *arg, Batch *out)
{
    const RowStore *rows = *((StoreSource *)source)->rows;
    StoreState *state = arg;

    out->rows_count = 0;
    if (state->next < state->end)
        *out = rows->batches.data[state->next++];
    return OK;
}

static const SourceOps store_ops = {
    .name = "store", .prepare = store_prepare, .begin = store_begin, .next = store_next};

Source *store_source_new(Query *query, RowStore *const *rows)
{
    StoreSource *self = scope_new(query->scope, StoreSource);

    self->source.ops = &store_ops;
    self->source.cheap = true;
    self->rows = rows;
    return &self->source;
}
