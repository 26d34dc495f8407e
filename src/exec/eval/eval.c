// SPDX-License-Identifier: Apache-2.0
//
// Compiling expressions, and the simple kinds: constants, columns, parameters, function calls and
// casts. Result buffers belong to the Eval and grow to the largest batch seen. A column of an
// enclosing query is a constant: nested plans are compiled anew for each outer row.
#include "exec/eval/eval.h"

#include "types/cast.h"

void eval_result_flat(Worker *worker, Eval *eval, uint32_t rows)
{
    Vector *out = &eval->result;

    if (UNLIKELY(rows > eval->capacity)) {
        uint32_t capacity = rows <= 8 ? 8 : rows <= 128 ? 128 : MAX(rows, BATCH_ROWS_MAX);
        PhysType phys = type_phys(eval->expr->type);
        eval->values = scope_alloc(worker->scope, (size_t)phys_size[phys] * capacity);
        eval->validity = NULL;
        eval->capacity = capacity;
        out->type = eval->expr->type;
        out->phys = (uint8_t)phys;
    }
    out->type = eval->expr->type;
    out->form = VECTOR_FLAT;
    out->values = eval->values;
    out->validity = NULL;
    out->indexes = NULL;
}

uint64_t *eval_result_validity(Worker *worker, Eval *eval, uint32_t rows)
{
    if (eval->validity == NULL)
        eval->validity =
            scope_alloc(worker->scope, bitmap_words(eval->capacity) * sizeof(uint64_t));
    memset(eval->validity, 0xff, bitmap_words(rows) * sizeof(uint64_t));
    eval->result.validity = eval->validity;
    return eval->validity;
}

void eval_result_const(Worker *worker, Eval *eval, const void *value)
{
    eval_result_flat(worker, eval, 1);
    if (value)
        memcpy(eval->values, value, phys_size[eval->result.phys]);
    else
        eval_result_validity(worker, eval, 1)[0] = 0;
    eval->result.form = VECTOR_CONST;
}

uint32_t *eval_indexes(Worker *worker, Eval *eval, uint32_t arrays)
{
    if (eval->select == NULL)
        eval->select = scope_new_array(worker->scope, uint32_t, (size_t)arrays * BATCH_ROWS_MAX);
    return eval->select;
}

Status eval_args(Worker *worker, Eval *eval, const Batch *in, bool *constant)
{
    Status st = OK;
    bool all = eval->foldable;

    for (uint32_t i = 0; i < eval->args_count; i++) {
        TRY(eval_run(worker, eval->args[i], in, &eval->vectors[i]));
        all &= eval->vectors[i]->form == VECTOR_CONST;
    }
    *constant = all;
done:
    return st;
}

// --- merging validity ---------------------------------------------------------------------------

static void merge_one(uint64_t *into, const Vector *v, uint32_t rows)
{
    if (v->form == VECTOR_FLAT) {
        for (size_t i = 0; i < bitmap_words(rows); i++)
            into[i] &= v->validity[i];
        return;
    }
    if (v->form == VECTOR_CONST) {
        if (!bitmap_get(v->validity, 0))
            memset(into, 0, bitmap_words(rows) * sizeof(uint64_t));
        return;
    }
    for (uint32_t row = 0; row < rows; row++) {
        uint64_t bit = bitmap_get(v->validity, v->indexes[row]);
        into[row >> 6] &= ~((uint64_t)(!bit) << (row & 63));
    }
}

void eval_merge_validity(Worker *worker, Eval *eval, uint32_t rows)
{
    uint64_t *validity = NULL;

    for (uint32_t i = 0; i < eval->args_count; i++) {
        if (eval->vectors[i]->validity == NULL)
            continue;
        if (validity == NULL)
            validity = eval_result_validity(worker, eval, rows);
        merge_one(validity, eval->vectors[i], rows);
    }
}

// --- scattering ---------------------------------------------------------------------------------

typedef struct Bytes16 {
    uint64_t words[2];
} Bytes16;
typedef struct Bytes32 {
    uint64_t words[4];
} Bytes32;

#define SCATTER(T)                                         \
    do {                                                   \
        T *to = eval->values;                              \
        const T *values = from->values;                    \
        for (uint32_t row = 0; row < rows; row++)          \
            to[at[row]] = values[vector_index(from, row)]; \
    } while (0)

void eval_scatter(Worker *worker, Eval *eval, const Vector *from, const uint32_t *at, uint32_t rows)
{
    switch (phys_size[eval->result.phys]) {
    case 1: SCATTER(uint8_t); break;
    case 2: SCATTER(uint16_t); break;
    case 4: SCATTER(uint32_t); break;
    case 8: SCATTER(uint64_t); break;
    case 16: SCATTER(Bytes16); break;
    default: SCATTER(Bytes32); break;
    }
    if (from->validity == NULL)
        return;
    if (eval->result.validity == NULL)
        eval_result_validity(worker, eval, eval->capacity);
    for (uint32_t row = 0; row < rows; row++) {
        if (!bitmap_get(from->validity, vector_index(from, row)))
            bitmap_clear(eval->validity, at[row]);
    }
}

// --- simple kinds -------------------------------------------------------------------------------

static Status run_const(Worker *worker UNUSED, Eval *eval, const Batch *in UNUSED,
                        const Vector **out)
{
    *out = &eval->result;
    return OK;
}

static Status run_column(Worker *worker UNUSED, Eval *eval, const Batch *in, const Vector **out)
{
    ASSERT_SLOW((uint32_t)eval->slot < in->columns_count);
    *out = &in->columns[eval->slot];
    return OK;
}

static void init_const(Worker *worker, Eval *eval, const Datum *datum)
{
    eval_result_const(worker, eval, datum->is_null ? NULL : datum->bytes);
    eval->fn = run_const;
}

static int32_t visible_find(const Visible *visible, ColumnId id)
{
    for (uint32_t i = 0; i < visible->first_count; i++) {
        if (visible->first[i].id == id)
            return (int32_t)i;
    }
    for (uint32_t i = 0; i < visible->second_count; i++) {
        if (visible->second[i].id == id)
            return (int32_t)(visible->first_count + i);
    }
    return -1;
}

static Status init_column(Worker *worker, Eval *eval)
{
    const Expr *expr = eval->expr;

    if (expr->column.slot >= 0) {
        eval->slot = expr->column.slot;
        eval->fn = run_column;
        return OK;
    }
    for (const OuterFrame *frame = worker->query->outer; frame; frame = frame->up) {
        int32_t slot = visible_find(&frame->visible, expr->column.id);
        if (slot < 0)
            continue;
        Datum datum = datum_from_vector(&frame->batch->columns[slot], frame->row);
        init_const(worker, eval, &datum);
        return OK;
    }
    return error_raise(worker->ctx, E_INTERNAL, "column %u (%s) is in no enclosing row",
                       expr->column.id, expr->column.name ? expr->column.name : "?");
}

static Status init_param(Worker *worker, Eval *eval)
{
    Status st = OK;
    const ExecEnv *env = worker->query->env;
    const Expr *expr = eval->expr;

    if (expr->param.at >= env->params_count)
        FAIL(worker->ctx, E_UNDEFINED_PARAMETER, "there is no parameter $%u", expr->param.at + 1);
    Datum datum = env->params[expr->param.at];
    /* The value may come in another scale than the place it is used in. */
    if (!datum.is_null && expr->type.oid == OID_NUMERIC && !type_equal(datum.type, expr->type))
        TRY(cast_datum(worker->ctx, worker->scope, &datum, expr->type, false, env->io, &datum));
    init_const(worker, eval, &datum);
done:
    return st;
}

static Status run_func(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    const FuncInfo *info = eval->call.func;
    uint32_t rows = in->rows_count;
    bool constant;

    TRY(eval_args(worker, eval, in, &constant));
    *out = &eval->result;
    for (uint32_t i = 0; info->strict && i < eval->args_count; i++) {
        const Vector *v = eval->vectors[i];
        if (v->form == VECTOR_CONST && v->validity && !(v->validity[0] & 1)) {
            eval_result_const(worker, eval, NULL);
            goto done;
        }
    }
    rows = constant ? 1 : rows;
    eval_result_flat(worker, eval, rows);
    if (info->strict)
        eval_merge_validity(worker, eval, rows);
    eval->call.ctx = worker->ctx;
    eval->call.scope = worker->batch;
    TRY(info->kernel(&eval->call, eval->vectors, rows, &eval->result));
    if (constant && eval->result.form == VECTOR_FLAT)
        eval->result.form = VECTOR_CONST;
done:
    return st;
}

Status eval_init_func(Worker *worker, Eval *eval)
{
    const FuncInfo *info = eval->expr->func.info;

    if (info->kernel == NULL)
        return error_raise(worker->ctx, E_FEATURE_NOT_SUPPORTED,
                           "set-valued function called in context that cannot accept a set");
    eval->call = (FuncCall){
        .func = info,
        .args_count = eval->args_count,
        .result_type = eval->expr->type,
        .io = worker->query->env->io,
        .session = worker->query->env->session,
        .state_scope = worker->scope,
    };
    eval->foldable = info->volatility != VOLATILE;
    eval->fn = run_func;
    return OK;
}

static Status run_cast(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;

    TRY(eval_run(worker, eval->args[0], in, &eval->vectors[0]));
    uint32_t rows = eval->vectors[0]->form == VECTOR_CONST ? 1 : in->rows_count;
    TRY(cast_vector(worker->ctx, worker->batch, eval->vectors[0], rows, eval->expr->type,
                    eval->expr->cast.explicit_cast, worker->query->env->io, &eval->result));
    *out = &eval->result;
done:
    return st;
}

// --- compiling ----------------------------------------------------------------------------------

static Status init_kind(Worker *worker, Eval *eval, const Visible *visible)
{
    switch (eval->expr->kind) {
    case EXPR_CONST: init_const(worker, eval, &eval->expr->constant); return OK;
    case EXPR_COLUMN: return init_column(worker, eval);
    case EXPR_PARAM: return init_param(worker, eval);
    case EXPR_FUNC: return eval_init_func(worker, eval);
    case EXPR_CAST: eval->fn = run_cast; return OK;
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
    case EXPR_IS_NULL:
    case EXPR_IS_BOOL: return eval_init_bool(worker, eval);
    case EXPR_CASE:
    case EXPR_COALESCE: return eval_init_condition(worker, eval);
    case EXPR_DISTINCT:
    case EXPR_NULLIF:
    case EXPR_GREATEST:
    case EXPR_LEAST:
    case EXPR_IN: return eval_init_compare(worker, eval);
    case EXPR_ANY: return eval_init_any(worker, eval);
    case EXPR_ARRAY:
    case EXPR_SUBSCRIPT: return eval_init_array(worker, eval);
    case EXPR_SUBQUERY: return eval_init_subquery(worker, eval, visible);
    case EXPR_AGG: break;
    }
    return error_raise(worker->ctx, E_INTERNAL, "expression of kind %d cannot be evaluated",
                       (int)eval->expr->kind);
}

Status eval_compile(Worker *worker, const Expr *expr, const Visible *visible, Eval **out)
{
    Status st = OK;
    Eval *eval = scope_new(worker->scope, Eval);

    eval->expr = expr;
    eval->args_count = expr->args_count;
    if (expr->args_count) {
        eval->args = scope_new_array(worker->scope, Eval *, expr->args_count);
        eval->vectors = scope_new_array(worker->scope, const Vector *, expr->args_count);
    }
    for (uint32_t i = 0; i < expr->args_count; i++)
        TRY(eval_compile(worker, expr->args[i], visible, &eval->args[i]));
    TRY(init_kind(worker, eval, visible));
    *out = eval;
done:
    return st;
}

Status eval_compile_list(Worker *worker, const ExprList *list, const Visible *visible, Eval ***out)
{
    Status st = OK;
    Eval **evals = scope_new_array(worker->scope, Eval *, list->count + 1);

    for (uint32_t i = 0; i < list->count; i++)
        TRY(eval_compile(worker, list->data[i], visible, &evals[i]));
    *out = evals;
done:
    return st;
}

Status eval_coerce(Worker *worker, const Eval *eval, uint32_t rows, const Vector **v)
{
    const Vector *from = *v;
    SqlType to = eval->expr->type;

    if (from->phys == eval->result.phys &&
        (to.oid != OID_NUMERIC || from->phys == PHYS_NUMERIC || from->type.typmod == to.typmod))
        return OK;
    Vector *cast = scope_new(worker->batch, Vector);
    *v = cast;
    return cast_vector(worker->ctx, worker->batch, from, from->form == VECTOR_CONST ? 1 : rows, to,
                       false, worker->query->env->io, cast);
}

Status eval_datum(Worker *worker, Eval *eval, Datum *out)
{
    Status st = OK;
    Batch one = {.rows_count = 1};
    const Vector *v;

    TRY(eval_run(worker, eval, &one, &v));
    *out = datum_from_vector(v, 0);
done:
    return st;
}

uint32_t eval_select_true(const Vector *v, uint32_t rows, uint32_t *out)
{
    const uint8_t *values = v->values;
    uint32_t count = 0;

    if (v->form == VECTOR_CONST) {
        if (eval_bool_at(v, 0) != 1)
            return 0;
        for (uint32_t row = 0; row < rows; row++)
            out[row] = row;
        return rows;
    }
    if (v->form == VECTOR_FLAT && v->validity == NULL) {
        for (uint32_t row = 0; row < rows; row++) {
            out[count] = row;
            count += values[row];
        }
        return count;
    }
    for (uint32_t row = 0; row < rows; row++) {
        out[count] = row;
        count += eval_bool_at(v, row) == 1;
    }
    return count;
}
