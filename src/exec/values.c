// SPDX-License-Identifier: Apache-2.0
//
// VALUES: rows of expressions. One empty row is SELECT without FROM. Each column of a batch is one
// constant, or values evaluated one by one into a flat vector.
#include "exec/eval/eval.h"

typedef struct ValuesSource {
    Source source;
    const Plan *plan;
} ValuesSource;

typedef struct ValuesState {
    uint32_t next;
} ValuesState;

static Status values_prepare(Query *query UNUSED, Source *source, uint32_t *morsels)
{
    *morsels = ((ValuesSource *)source)->plan->values.rows_count > 0;
    return OK;
}

static Status values_begin(Worker *worker, Source *source UNUSED, uint32_t morsel UNUSED,
                           void **state)
{
    *state = scope_new(worker->scope, ValuesState);
    return OK;
}

static Status one_value(Worker *worker, const Expr *expr, Vector *to, uint32_t row, uint32_t rows)
{
    Status st = OK;
    Eval *eval;
    Datum datum;

    if (expr->kind == EXPR_CONST) {
        datum = expr->constant;
    } else {
        TRY(eval_compile(worker, expr, NULL, &eval));
        TRY(eval_datum(worker, eval, &datum));
    }
    if (datum.is_null)
        bitmap_clear(vector_make_validity(to, worker->batch, rows), row);
    else
        memcpy((char *)to->values + (size_t)row * phys_size[to->phys], datum.bytes,
               phys_size[to->phys]);
done:
    return st;
}

static Status values_next(Worker *worker, Source *source, void *arg, Batch *out)
{
    Status st = OK;
    const Plan *plan = ((ValuesSource *)source)->plan;
    ValuesState *state = arg;
    uint32_t rows = MIN(plan->values.rows_count - state->next, BATCH_ROWS_MAX);

    *out = (Batch){.rows_count = rows, .columns_count = plan->columns_count};
    if (rows == 0)
        goto done;
    out->columns = scope_new_array(worker->batch, Vector, plan->columns_count + 1);
    for (uint32_t i = 0; i < plan->columns_count; i++) {
        Vector *v = &out->columns[i];
        vector_init_flat(v, worker->batch, plan->columns[i].type, rows);
        for (uint32_t row = 0; row < rows; row++)
            TRY(one_value(worker, plan->values.rows[state->next + row].data[i], v, row, rows));
    }
    state->next += rows;
done:
    return st;
}

static const SourceOps values_ops = {
    .name = "values", .prepare = values_prepare, .begin = values_begin, .next = values_next};

Status build_values(Query *query, const Plan *plan, Stage *to)
{
    ValuesSource *self = scope_new(query->scope, ValuesSource);

    self->source.ops = &values_ops;
    self->source.cheap = true;
    self->source.single_batch = plan->values.rows_count <= BATCH_ROWS_MAX;
    self->plan = plan;
    pipeline_add(query, &self->source, to);
    return OK;
}
