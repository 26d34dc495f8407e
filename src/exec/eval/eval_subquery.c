// SPDX-License-Identifier: Apache-2.0
//
// Subqueries inside expressions. One that uses no column of the current row is run once per query,
// by the first worker that needs it, and its rows are shared. A correlated one is run for each row,
// the row being the innermost frame of outer columns: slow, and only for what could not be
// unnested.
#include "exec/eval/eval.h"
#include "exec/row_store.h"

#include "types/array.h"

struct SharedSubquery {
    SharedSubquery *next;
    const Expr *expr;
    Scope *scope; /* a root: opened and closed by different threads */
    Mutex lock;   /* held while it is run */
    bool done;
    RowStore rows;
};

typedef struct SubqueryState {
    SharedSubquery *shared; /* NULL: correlated */
    Visible visible;
    Scope *scope;     /* of one row's run */
    Scope *run_scope; /* of a shared run */
    const SqlType *types;
    uint32_t *slots; /* of the outputs in the plan's columns */
    FuncCall *calls; /* ANY, ALL: one operator a column */
} SubqueryState;

/* --- the shared ones ---------------------------------------------------------------------------
 */

static SharedSubquery *shared_get(Query *query, const Expr *expr)
{
    SharedSubquery *found;

    mutex_lock(&query->lock);
    for (found = query->subqueries; found && found->expr != expr; found = found->next)
        ;
    if (found == NULL) {
        Scope *scope = scope_open(NULL, "subquery");
        found = scope_new(scope, SharedSubquery);
        found->scope = scope;
        found->expr = expr;
        mutex_init(&found->lock);
        found->next = query->subqueries;
        query->subqueries = found;
    }
    mutex_unlock(&query->lock);
    return found;
}

void shared_subqueries_close(void *arg)
{
    Query *query = arg;

    while (query->subqueries) {
        SharedSubquery *closed = query->subqueries;
        query->subqueries = closed->next;
        mutex_free(&closed->lock);
        scope_close(closed->scope);
    }
    mutex_free(&query->lock);
}

static const SqlType *plan_types(Scope *scope, const Plan *plan)
{
    SqlType *types = scope_new_array(scope, SqlType, plan->columns_count + 1);

    for (uint32_t i = 0; i < plan->columns_count; i++)
        types[i] = plan->columns[i].type;
    return types;
}

static uint64_t rows_needed(const Expr *expr)
{
    switch (expr->subquery.kind) {
    case SUBQUERY_EXISTS: return 1;
    case SUBQUERY_SCALAR: return 2;
    default: return 0;
    }
}

static Status shared_run(Worker *worker, Eval *eval, const RowStore **out)
{
    Status st = OK;
    SubqueryState *state = eval->special;
    SharedSubquery *shared = state->shared;
    const Plan *plan = eval->expr->subquery.plan;

    mutex_lock(&shared->lock);
    if (!shared->done) {
        if (state->run_scope == NULL)
            state->run_scope = scope_open(worker->scope, "subquery");
        NestedRun run = {
            .plan = plan, .scope = state->run_scope, .rows_max = rows_needed(eval->expr)};
        row_store_init(&shared->rows, shared->scope, plan_types(shared->scope, plan),
                       plan->columns_count);
        TRY(query_run_nested(worker, &run, &shared->rows));
        shared->done = true;
    }
    *out = &shared->rows;
done:
    mutex_unlock(&shared->lock);
    return st;
}

// --- one result ---------------------------------------------------------------------------------

static Status scalar_result(Worker *worker, Eval *eval, const RowStore *rows, Datum *out)
{
    SubqueryState *state = eval->special;

    *out = datum_null(eval->expr->type);
    if (rows->rows_count > 1)
        return error_raise(worker->ctx, E_CARDINALITY_VIOLATION,
                           "more than one row returned by a subquery used as an expression");
    if (rows->rows_count == 1) {
        *out = datum_from_vector(&rows->batches.data[0].columns[state->slots[0]], 0);
        *out = datum_copy(worker->batch, out);
    }
    return OK;
}

static Status array_result(Worker *worker, Eval *eval, const RowStore *rows, Datum *out)
{
    Status st = OK;
    SubqueryState *state = eval->special;
    Datum *elements = scope_new_array(worker->batch, Datum, rows->rows_count + 1);
    uint32_t count = 0;

    *out = (Datum){.type = eval->expr->type};
    for (uint32_t i = 0; i < rows->batches.count; i++) {
        const Batch *batch = &rows->batches.data[i];
        for (uint32_t row = 0; row < batch->rows_count; row++)
            elements[count++] = datum_from_vector(&batch->columns[state->slots[0]], row);
    }
    TRY(array_make_1d(worker->ctx, worker->batch, array_element_type(eval->expr->type), elements,
                      count, &out->string));
done:
    return st;
}

/* One column's comparison of the left value with all rows of a batch, ANDed into `answers`
   (1, 0, 2 = unknown). */
static Status compare_column(Worker *worker, FuncCall *call, const Vector *left,
                             const Vector *right, uint32_t rows, uint8_t *answers)
{
    Status st = OK;
    const Vector *args[2] = {left, right};
    Vector out;

    vector_init_flat(&out, worker->batch, sql_type(OID_BOOL), rows);
    uint64_t *validity = vector_make_validity(&out, worker->batch, rows);
    for (uint32_t row = 0; row < rows; row++) {
        if (vector_is_null(left, row) || vector_is_null(right, row))
            bitmap_clear(validity, row);
    }
    call->ctx = worker->ctx;
    call->scope = worker->batch;
    TRY(call->func->kernel(call, args, rows, &out));
    for (uint32_t row = 0; row < rows; row++) {
        int value = eval_bool_at(&out, row);
        if (value == 0)
            answers[row] = 0;
        else if (value < 0 && answers[row] == 1)
            answers[row] = 2;
    }
done:
    return st;
}

/* x op ANY / ALL (rows), for one row of the left side. */
static Status any_result(Worker *worker, Eval *eval, const RowStore *rows, uint32_t at, Datum *out)
{
    Status st = OK;
    SubqueryState *state = eval->special;
    bool all = eval->expr->subquery.kind == SUBQUERY_ALL;
    uint8_t answers[BATCH_ROWS_MAX];
    bool unknown = false;
    Vector left;

    *out = (Datum){.type = sql_type(OID_BOOL), .boolean = all};
    for (uint32_t i = 0; i < rows->batches.count; i++) {
        const Batch *batch = &rows->batches.data[i];
        memset(answers, 1, batch->rows_count);
        for (uint32_t k = 0; k < eval->args_count; k++) {
            Datum datum = datum_from_vector(eval->vectors[k], at);
            datum_to_vector(&datum, worker->batch, &left);
            TRY(compare_column(worker, &state->calls[k], &left, &batch->columns[state->slots[k]],
                               batch->rows_count, answers));
        }
        for (uint32_t row = 0; row < batch->rows_count; row++) {
            unknown |= answers[row] == 2;
            if (answers[row] == !all) {
                out->boolean = !all;
                goto done;
            }
        }
    }
    out->is_null = unknown;
done:
    return st;
}

static Status one_result(Worker *worker, Eval *eval, const RowStore *rows, uint32_t row, Datum *out)
{
    switch (eval->expr->subquery.kind) {
    case SUBQUERY_SCALAR: return scalar_result(worker, eval, rows, out);
    case SUBQUERY_ARRAY: return array_result(worker, eval, rows, out);
    case SUBQUERY_EXISTS:
        *out = (Datum){.type = sql_type(OID_BOOL), .boolean = rows->rows_count > 0};
        return OK;
    default: return any_result(worker, eval, rows, row, out);
    }
}

// --- evaluation ---------------------------------------------------------------------------------

static void set_row(Worker *worker, Eval *eval, uint32_t row, const Datum *datum)
{
    size_t width = phys_size[eval->result.phys];

    if (!datum->is_null) {
        memcpy((char *)eval->values + row * width, datum->bytes, width);
        return;
    }
    if (eval->result.validity == NULL)
        eval_result_validity(worker, eval, eval->capacity);
    bitmap_clear(eval->validity, row);
}

static Status run_shared(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    const RowStore *rows;
    bool constant;
    Datum datum;

    eval->foldable = true;
    TRY(eval_args(worker, eval, in, &constant));
    TRY(shared_run(worker, eval, &rows));
    *out = &eval->result;
    if (constant) {
        TRY(one_result(worker, eval, rows, 0, &datum));
        eval_result_const(worker, eval, datum.is_null ? NULL : datum.bytes);
        goto done;
    }
    eval_result_flat(worker, eval, in->rows_count);
    for (uint32_t row = 0; row < in->rows_count; row++) {
        TRY(one_result(worker, eval, rows, row, &datum));
        set_row(worker, eval, row, &datum);
    }
done:
    return st;
}

static Status run_correlated(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    SubqueryState *state = eval->special;
    const Plan *plan = eval->expr->subquery.plan;
    OuterFrame frame = {.up = worker->query->outer, .visible = state->visible, .batch = in};
    NestedRun run = {.plan = plan, .row = &frame, .rows_max = rows_needed(eval->expr)};
    bool constant;
    RowStore rows;
    Datum datum;

    TRY(eval_args(worker, eval, in, &constant));
    eval_result_flat(worker, eval, in->rows_count);
    if (state->scope == NULL)
        state->scope = scope_open(worker->scope, "correlated subquery");
    run.scope = state->scope;
    for (uint32_t row = 0; row < in->rows_count; row++) {
        frame.row = row;
        row_store_init(&rows, run.scope, state->types, plan->columns_count);
        TRY(query_run_nested(worker, &run, &rows));
        TRY(one_result(worker, eval, &rows, row, &datum));
        set_row(worker, eval, row, &datum);
        scope_reset(state->scope);
    }
    *out = &eval->result;
done:
    return st;
}

static bool visible_has(const Visible *visible, ColumnId id)
{
    for (uint32_t i = 0; i < visible->first_count; i++) {
        if (visible->first[i].id == id)
            return true;
    }
    for (uint32_t i = 0; i < visible->second_count; i++) {
        if (visible->second[i].id == id)
            return true;
    }
    return false;
}

static uint32_t output_slot(const Plan *plan, ColumnId id, uint32_t otherwise)
{
    for (uint32_t i = 0; i < plan->columns_count; i++) {
        if (plan->columns[i].id == id)
            return i;
    }
    return otherwise;
}

Status eval_init_subquery(Worker *worker, Eval *eval, const Visible *visible)
{
    const Expr *expr = eval->expr;
    SubqueryState *state = scope_new(worker->scope, SubqueryState);
    uint32_t outputs = MAX(expr->subquery.outputs_count, expr->args_count);
    bool correlated = false;

    eval->special = state;
    state->visible = visible ? *visible : (Visible){0};
    state->types = plan_types(worker->scope, expr->subquery.plan);
    state->slots = scope_new_array(worker->scope, uint32_t, outputs + 1);
    for (uint32_t i = 0; i < outputs; i++)
        state->slots[i] = i < expr->subquery.outputs_count
                              ? output_slot(expr->subquery.plan, expr->subquery.outputs[i], i)
                              : i;
    state->calls = scope_new_array(worker->scope, FuncCall, expr->args_count + 1);
    for (uint32_t i = 0; i < expr->args_count; i++)
        state->calls[i] = (FuncCall){.func = expr->subquery.compare[i]->func,
                                     .result_type = sql_type(OID_BOOL),
                                     .io = worker->query->env->io,
                                     .session = worker->query->env->session,
                                     .state_scope = worker->scope};
    for (uint32_t i = 0; i < expr->subquery.outer_count; i++)
        correlated |= visible_has(&state->visible, expr->subquery.outer[i]);
    eval->fn = correlated ? run_correlated : run_shared;
    if (!correlated)
        state->shared = shared_get(worker->query, expr);
    return OK;
}
