// SPDX-License-Identifier: Apache-2.0
//
// System views: the catalog writes all rows when the pipeline is about to run; here they are only
// cut down to the columns that the plan wants.
#include "exec/exec_int.h"

#include "catalog/system_views.h"

typedef struct VirtualSource {
    Source source;
    const Plan *plan;
    Batch *batches;
    uint32_t batches_count;
} VirtualSource;

typedef struct VirtualState {
    uint32_t next;
    Vector *columns;
} VirtualState;

static Status virtual_prepare(Query *query, Source *source, uint32_t *morsels)
{
    VirtualSource *self = (VirtualSource *)source;

    *morsels = 1;
    return system_view_batches(query->ctx, query->scope, query->env->catalog,
                               self->plan->virtual_table.view, &self->batches,
                               &self->batches_count);
}

static Status virtual_begin(Worker *worker, Source *source, uint32_t morsel UNUSED, void **out)
{
    VirtualState *state = scope_new(worker->scope, VirtualState);

    state->columns =
        scope_new_array(worker->scope, Vector, ((VirtualSource *)source)->plan->columns_count + 1);
    *out = state;
    return OK;
}

static Status virtual_next(Worker *worker UNUSED, Source *source, void *arg, Batch *out)
{
    VirtualSource *self = (VirtualSource *)source;
    VirtualState *state = arg;

    out->rows_count = 0;
    while (state->next < self->batches_count && out->rows_count == 0) {
        const Batch *batch = &self->batches[state->next++];
        for (uint32_t i = 0; i < self->plan->columns_count; i++)
            state->columns[i] = batch->columns[self->plan->virtual_table.column_at[i]];
        *out = (Batch){batch->rows_count, self->plan->columns_count, state->columns};
    }
    return OK;
}

static const SourceOps virtual_ops = {.name = "system view",
                                      .prepare = virtual_prepare,
                                      .begin = virtual_begin,
                                      .next = virtual_next};

Status build_virtual(Query *query, const Plan *plan, Stage *to)
{
    VirtualSource *self = scope_new(query->scope, VirtualSource);

    self->source.ops = &virtual_ops;
    self->source.cheap = true;
    self->plan = plan;
    pipeline_add(query, &self->source, to);
    return OK;
}
