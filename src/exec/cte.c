// SPDX-License-Identifier: Apache-2.0
//
// Common table expressions: materialised once, read by any number of references. A recursive one
// runs its step as a nested query, again and again, over the rows that the last run added, until
// there are none; UNION drops rows seen before.
#include "exec/agg/agg_table.h"
#include "exec/exec_int.h"
#include "exec/row_store.h"

static SqlType *column_types(Scope *scope, const Plan *plan)
{
    SqlType *types = scope_new_array(scope, SqlType, plan->columns_count + 1);

    for (uint32_t i = 0; i < plan->columns_count; i++)
        types[i] = plan->columns[i].type;
    return types;
}

static RowStore *new_store(Query *query, const Plan *plan, Scope *scope)
{
    RowStore *rows = scope_new(scope, RowStore);

    row_store_init(rows, scope, column_types(query->scope, plan), plan->columns_count);
    return rows;
}

static void add_slot(Query *query, CteSlot *slot, uint32_t id, RowStore *rows)
{
    *slot = (CteSlot){.next = query->ctes, .id = id, .rows = rows};
    query->ctes = slot;
}

Status build_cte(Query *query, const Plan *plan, Stage *to)
{
    Status st = OK;
    CteSlot *slot = scope_new(query->scope, CteSlot);
    RowStore *rows = new_store(query, plan->children[0], query->scope);

    TRY(build_plan(query, plan->children[0], store_stage_new(query, rows)));
    add_slot(query, slot, plan->cte.id, rows);
    TRY(build_plan(query, plan->children[1], to));
done:
    return st;
}

typedef struct RefSource {
    RowStore *rows;
} RefSource;

Status build_cte_ref(Query *query, const Plan *plan, Stage *to)
{
    RefSource *ref = scope_new(query->scope, RefSource);

    ref->rows = query_find_cte(query, plan->cte.id);
    if (ref->rows == NULL)
        return error_raise(query->ctx, E_INTERNAL, "no common table expression %u", plan->cte.id);
    pipeline_add(query, store_source_new(query, &ref->rows), to);
    return OK;
}

// --- recursion ----------------------------------------------------------------------------------

/* Gives the base's rows, then runs the step when they have been read, and so on: a LIMIT above ends
   an endless recursion. */
typedef struct RecursiveSource {
    Source source;
    const Plan *plan;
    AggTable *seen; /* UNION; NULL: UNION ALL */
    RowStore working[2];
    Scope *scopes[2]; /* of the working tables, in turn */
    uint32_t reading;
    uint32_t next; /* batch of the working table being read */
    CteSlot slot;
    const SqlType *types;
} RecursiveSource;

/* Runs a plan into the other working table, without the rows seen before. */
static Status fill_working(Worker *worker, RecursiveSource *self, const Plan *plan)
{
    Status st = OK;
    uint32_t filling = !self->reading;
    RowStore *to = &self->working[filling], produced;
    NestedRun run = {.plan = plan, .scope = scope_open(worker->scope, "recursion")};
    uint32_t added[BATCH_ROWS_MAX], count;
    Batch fresh;

    scope_reset(self->scopes[filling]);
    row_store_init(to, self->scopes[filling], self->types, self->plan->columns_count);
    if (self->seen == NULL) {
        TRY(query_run_nested(worker, &run, to));
        goto done;
    }
    row_store_init(&produced, run.scope, self->types, self->plan->columns_count);
    TRY(query_run_nested(worker, &run, &produced));
    for (uint32_t i = 0; i < produced.batches.count; i++) {
        const Batch *batch = &produced.batches.data[i];
        TRY(agg_table_add_new(worker->ctx, self->seen, batch, added, &count));
        batch_slice(&fresh, run.scope, batch, added, count);
        TRY(row_store_append(worker->ctx, to, &fresh));
    }
done:
    scope_close(run.scope);
    return st;
}

static Status recursive_prepare(Query *query UNUSED, Source *source UNUSED, uint32_t *morsels)
{
    *morsels = 1;
    return OK;
}

static Status recursive_begin(Worker *worker, Source *source, uint32_t morsel UNUSED,
                              void **state UNUSED)
{
    RecursiveSource *self = (RecursiveSource *)source;
    Status st = fill_working(worker, self, self->plan->children[0]);

    self->reading = !self->reading;
    return st;
}

static Status recursive_next(Worker *worker, Source *source, void *state UNUSED, Batch *out)
{
    Status st = OK;
    RecursiveSource *self = (RecursiveSource *)source;
    RowStore *rows = &self->working[self->reading];

    out->rows_count = 0;
    if (rows->rows_count && self->next == rows->batches.count) {
        self->slot.rows = rows;
        TRY(fill_working(worker, self, self->plan->children[1]));
        self->reading = !self->reading;
        self->next = 0;
        rows = &self->working[self->reading];
    }
    if (self->next < rows->batches.count)
        *out = rows->batches.data[self->next++];
done:
    return st;
}

static const SourceOps recursive_ops = {.name = "recursive",
                                        .prepare = recursive_prepare,
                                        .begin = recursive_begin,
                                        .next = recursive_next};

Status build_recursive(Query *query, const Plan *plan, Stage *to)
{
    RecursiveSource *self = scope_new(query->scope, RecursiveSource);

    self->source.ops = &recursive_ops;
    self->plan = plan;
    self->types = column_types(query->scope, plan);
    self->scopes[0] = scope_open(query->scope, "working table");
    self->scopes[1] = scope_open(query->scope, "working table");
    if (plan->cte.distinct)
        self->seen = agg_table_new(query->scope, self->types, plan->columns_count, 0);
    add_slot(query, &self->slot, plan->cte.id, &self->working[0]);
    pipeline_add(query, &self->source, to);
    return OK;
}
