// SPDX-License-Identifier: Apache-2.0
//
// x op ANY (array), x op ALL (array): the operator's kernel runs over all rows for each element of
// a constant array, or over all elements for each row. Equality with a constant array is a set.
// Also ARRAY[…] and a[i].
#include "exec/eval/eval.h"
#include "exec/eval/value_set.h"

#include "types/array.h"

typedef struct AnyState {
    ValueSet *set; /* = ANY(constant), <> ALL(constant) */
    bool array_is_null;
    uint32_t count;   /* elements of a constant array */
    Vector *elements; /* its elements, each a constant vector */
    uint8_t *answers; /* by row: 1, 0, 2 = NULL */
} AnyState;

static bool is_operator(const Expr *expr, const char *name)
{
    return expr->func.op && strcmp(expr->func.op->name, name) == 0;
}

/* One more comparison into the answer so far. */
static uint8_t any_take(bool all, uint8_t answer, int value)
{
    if (answer == !all)
        return answer;
    if (value < 0)
        return 2;
    return value == !all ? (uint8_t)!all : answer;
}

static Status any_call(Worker *worker, Eval *eval, const Vector *const *args, uint32_t rows,
                       Vector *out)
{
    vector_init_flat(out, worker->batch, sql_type(OID_BOOL), rows);
    if (eval->call.func->strict) {
        uint64_t *validity = NULL;
        for (uint32_t i = 0; i < 2; i++) {
            if (args[i]->validity == NULL)
                continue;
            validity = vector_make_validity(out, worker->batch, rows);
            for (uint32_t row = 0; row < rows; row++) {
                if (vector_is_null(args[i], row))
                    bitmap_clear(validity, row);
            }
        }
    }
    eval->call.ctx = worker->ctx;
    eval->call.scope = worker->batch;
    return eval->call.func->kernel(&eval->call, args, rows, out);
}

static void any_write(Worker *worker, Eval *eval, const uint8_t *answers, uint32_t rows)
{
    eval_result_flat(worker, eval, rows);
    uint8_t *values = eval->values;
    uint64_t *validity = eval_result_validity(worker, eval, rows);

    for (uint32_t row = 0; row < rows; row++) {
        values[row] = answers[row] == 1;
        if (answers[row] == 2)
            bitmap_clear(validity, row);
    }
}

static Status run_any_constant(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    AnyState *any = eval->special;
    bool all = eval->expr->func.all;
    uint32_t rows = in->rows_count;
    const Vector *args[2];
    Vector answer;

    TRY(eval_run(worker, eval->args[0], in, &args[0]));
    if (any->set) {
        eval_result_flat(worker, eval, rows);
        uint64_t *validity = eval_result_validity(worker, eval, rows);
        value_set_probe(any->set, args[0], rows, eval->values, validity);
        for (uint32_t row = 0; all && row < rows; row++)
            ((uint8_t *)eval->values)[row] ^= 1;
    } else {
        memset(any->answers, any->array_is_null ? 2 : all, rows);
        for (uint32_t i = 0; i < any->count; i++) {
            args[1] = &any->elements[i];
            TRY(any_call(worker, eval, args, rows, &answer));
            for (uint32_t row = 0; row < rows; row++)
                any->answers[row] = any_take(all, any->answers[row], eval_bool_at(&answer, row));
        }
        any_write(worker, eval, any->answers, rows);
    }
    *out = &eval->result;
done:
    return st;
}

/* The elements of one array as a flat vector. */
static void unpack(Scope *scope, SqlType type, const ArrayView *view, Vector *out)
{
    vector_init_flat(out, scope, type, MAX(view->count, 1));
    size_t width = phys_size[out->phys];

    for (uint32_t i = 0; i < view->count; i++) {
        Datum datum = array_get(view, i);
        if (datum.is_null)
            bitmap_clear(vector_make_validity(out, scope, view->count), i);
        else
            memcpy((char *)out->values + i * width, datum.bytes, width);
    }
}

static Status any_one_row(Worker *worker, Eval *eval, const Vector *x, const Vector *array,
                          uint32_t row)
{
    Status st = OK;
    AnyState *any = eval->special;
    bool all = eval->expr->func.all;
    ArrayView view;
    Vector elements, left, answer;

    array_view(strview_str(&vector_at(array, StrView, row)), &view);
    Datum datum = datum_from_vector(x, row);
    datum_to_vector(&datum, worker->batch, &left);
    unpack(worker->batch, view.element, &view, &elements);
    any->answers[row] = all;
    for (uint32_t first = 0; first < view.count; first += BATCH_ROWS_MAX) {
        uint32_t rows = MIN(view.count - first, BATCH_ROWS_MAX);
        Batch range, part = {.rows_count = view.count, .columns_count = 1, .columns = &elements};
        batch_range(&range, worker->batch, &part, first, rows);
        const Vector *args[2] = {&left, &range.columns[0]};
        TRY(any_call(worker, eval, args, rows, &answer));
        for (uint32_t i = 0; i < rows; i++)
            any->answers[row] = any_take(all, any->answers[row], eval_bool_at(&answer, i));
    }
done:
    return st;
}

static Status run_any(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    AnyState *any = eval->special;
    bool constant;

    TRY(eval_args(worker, eval, in, &constant));
    for (uint32_t row = 0; row < in->rows_count; row++) {
        if (vector_is_null(eval->vectors[1], row))
            any->answers[row] = 2;
        else
            TRY(any_one_row(worker, eval, eval->vectors[0], eval->vectors[1], row));
    }
    any_write(worker, eval, any->answers, in->rows_count);
    *out = &eval->result;
done:
    return st;
}

/* A constant array: its elements once. */
static Status any_prepare(Worker *worker, Eval *eval)
{
    Status st = OK;
    AnyState *any = eval->special;
    bool all = eval->expr->func.all;
    ArrayView view;
    Datum array;

    TRY(eval_datum(worker, eval->args[1], &array));
    array = datum_copy(worker->scope, &array);
    any->array_is_null = array.is_null;
    if (array.is_null)
        goto done;
    array_view(strview_str(&array.string), &view);
    Datum *values = scope_new_array(worker->scope, Datum, MAX(view.count, 1));
    for (uint32_t i = 0; i < view.count; i++)
        values[i] = array_get(&view, i);
    bool same = eval->call.func->args[0] == eval->call.func->args[1];
    if (view.count && same && is_operator(eval->expr, all ? "<>" : "=")) {
        any->set = value_set_new(worker->scope, view.element, values, view.count);
        goto done;
    }
    any->count = view.count;
    any->elements = scope_new_array(worker->scope, Vector, MAX(view.count, 1));
    for (uint32_t i = 0; i < view.count; i++)
        datum_to_vector(&values[i], worker->scope, &any->elements[i]);
done:
    return st;
}

Status eval_init_any(Worker *worker, Eval *eval)
{
    ExprKind kind = eval->expr->args[1]->kind;
    AnyState *any = scope_new(worker->scope, AnyState);

    any->answers = scope_alloc(worker->scope, BATCH_ROWS_MAX);
    eval->special = any;
    eval->call = (FuncCall){.func = eval->expr->func.info,
                            .result_type = sql_type(OID_BOOL),
                            .io = worker->query->env->io,
                            .session = worker->query->env->session,
                            .state_scope = worker->scope};
    if (kind == EXPR_CONST || kind == EXPR_PARAM) {
        eval->fn = run_any_constant;
        return any_prepare(worker, eval);
    }
    eval->fn = run_any;
    return OK;
}

// --- ARRAY[…] and subscripts --------------------------------------------------------------------

/* ARRAY[[…], […]]: arrays of one shape become one with a dimension more. */
static Status make_nested(Worker *worker, Eval *eval, uint32_t row, StrView *out)
{
    Status st = OK;
    ArrayShape shape = {0};
    ArrayView view;
    Datum *elements = NULL;
    uint32_t count = 0;

    for (uint32_t i = 0; i < eval->args_count; i++) {
        const Vector *v = eval->vectors[i];
        if (vector_is_null(v, row))
            FAIL(worker->ctx, E_NULL_VALUE_NOT_ALLOWED,
                 "multidimensional arrays must have sub-arrays with matching dimensions");
        array_view(strview_str(&vector_at(v, StrView, row)), &view);
        if (i == 0) {
            shape.dimensions = view.dimensions ? view.dimensions + 1 : 0;
            if (shape.dimensions > ARRAY_DIMENSIONS_MAX)
                FAIL(worker->ctx, E_PROGRAM_LIMIT_EXCEEDED,
                     "number of array dimensions (%d) exceeds the maximum allowed (%d)",
                     shape.dimensions, ARRAY_DIMENSIONS_MAX);
            shape.lengths[0] = (int32_t)eval->args_count;
            memcpy(shape.lengths + 1, view.lengths,
                   sizeof(int32_t) * (size_t)(ARRAY_DIMENSIONS_MAX - 1));
            shape.lower[0] = 1;
            memcpy(shape.lower + 1, view.lower,
                   sizeof(int32_t) * (size_t)(ARRAY_DIMENSIONS_MAX - 1));
            elements =
                scope_new_array(worker->batch, Datum, (size_t)view.count * eval->args_count + 1);
        }
        int32_t inner = shape.dimensions ? shape.dimensions - 1 : 0;
        if (view.dimensions != inner ||
            memcmp(shape.lengths + 1, view.lengths, sizeof(int32_t) * (size_t)inner) != 0)
            FAIL(worker->ctx, E_ARRAY_SUBSCRIPT,
                 "multidimensional arrays must have array expressions with matching dimensions");
        for (uint32_t k = 0; k < view.count; k++)
            elements[count++] = array_get(&view, k);
    }
    st = array_make(worker->ctx, worker->batch, array_element_type(eval->expr->type), &shape,
                    elements, out);
done:
    return st;
}

static Status run_array(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    bool nested = eval->args_count && eval->expr->args[0]->type.oid == eval->expr->type.oid;
    Datum *elements = scope_new_array(worker->batch, Datum, eval->args_count + 1);
    bool constant;

    TRY(eval_args(worker, eval, in, &constant));
    uint32_t rows = constant ? 1 : in->rows_count;
    eval_result_flat(worker, eval, rows);
    StrView *views = eval->values;
    for (uint32_t row = 0; row < rows; row++) {
        if (nested) {
            TRY(make_nested(worker, eval, row, &views[row]));
            continue;
        }
        for (uint32_t i = 0; i < eval->args_count; i++)
            elements[i] = datum_from_vector(eval->vectors[i], row);
        TRY(array_make_1d(worker->ctx, worker->batch, array_element_type(eval->expr->type),
                          elements, eval->args_count, &views[row]));
    }
    eval->result.form = constant ? VECTOR_CONST : VECTOR_FLAT;
    *out = &eval->result;
done:
    return st;
}

static int64_t subscript_at(const Vector *v, uint32_t row)
{
    switch (v->phys) {
    case PHYS_INT16: return vector_at(v, int16_t, row);
    case PHYS_INT32: return vector_at(v, int32_t, row);
    default: return vector_at(v, int64_t, row);
    }
}

static bool subscript_get(const Eval *eval, uint32_t row, Datum *out)
{
    const Vector *array = eval->vectors[0], *index = eval->vectors[1];
    ArrayView view;

    if (vector_is_null(array, row) || vector_is_null(index, row))
        return false;
    array_view(strview_str(&vector_at(array, StrView, row)), &view);
    int64_t at = subscript_at(index, row) - view.lower[0];
    if (view.dimensions != 1 || at < 0 || at >= (int64_t)view.count)
        return false;
    *out = array_get(&view, (uint32_t)at);
    return !out->is_null;
}

static Status run_subscript(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    bool constant;
    Datum datum;

    TRY(eval_args(worker, eval, in, &constant));
    uint32_t rows = constant ? 1 : in->rows_count;
    eval_result_flat(worker, eval, rows);
    uint64_t *validity = eval_result_validity(worker, eval, rows);
    size_t width = phys_size[eval->result.phys];
    for (uint32_t row = 0; row < rows; row++) {
        if (subscript_get(eval, row, &datum))
            memcpy((char *)eval->values + row * width, datum.bytes, width);
        else
            bitmap_clear(validity, row);
    }
    eval->result.form = constant ? VECTOR_CONST : VECTOR_FLAT;
    *out = &eval->result;
done:
    return st;
}

Status eval_init_array(Worker *worker UNUSED, Eval *eval)
{
    eval->foldable = true;
    eval->fn = eval->expr->kind == EXPR_ARRAY ? run_array : run_subscript;
    return OK;
}
