// SPDX-License-Identifier: Apache-2.0
//
// IS DISTINCT FROM, NULLIF, GREATEST, LEAST and IN: what compares values of one type without an
// operator's kernel (NULLIF has its equality as a function).
#include "exec/eval/eval.h"
#include "exec/eval/value_set.h"

#include "types/compare.h"

static Status run_distinct(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    bool constant, negated = eval->expr->test.negated;

    TRY(eval_args(worker, eval, in, &constant));
    uint32_t rows = constant ? 1 : in->rows_count;
    eval_result_flat(worker, eval, rows);
    uint8_t *values = eval->values;
    for (uint32_t row = 0; row < rows; row++)
        values[row] = vector_equal(eval->vectors[0], row, eval->vectors[1], row) == negated;
    eval->result.form = constant ? VECTOR_CONST : VECTOR_FLAT;
    *out = &eval->result;
done:
    return st;
}

// --- NULLIF -------------------------------------------------------------------------------------

static Status run_nullif(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    Vector *equal = eval->special;
    uint32_t rows = in->rows_count;
    bool constant;

    TRY(eval_args(worker, eval, in, &constant));
    vector_init_flat(equal, worker->batch, sql_type(OID_BOOL), rows);
    eval_result_flat(worker, eval, rows);
    eval_merge_validity(worker, eval, rows);
    equal->validity = eval->result.validity;
    eval->call.ctx = worker->ctx;
    eval->call.scope = worker->batch;
    TRY(eval->call.func->kernel(&eval->call, eval->vectors, rows, equal));
    const Vector *v = eval->vectors[0];
    TRY(eval_coerce(worker, eval, rows, &v));
    uint32_t *at = eval_indexes(worker, eval, 1);
    for (uint32_t row = 0; row < rows; row++)
        at[row] = row;
    /* The merged validity was for the kernel; the result has the first argument's. */
    Vector decided = *equal;
    if (equal->validity) {
        decided.validity = scope_alloc(worker->batch, bitmap_words(rows) * sizeof(uint64_t));
        memcpy(decided.validity, equal->validity, bitmap_words(rows) * sizeof(uint64_t));
    }
    eval_result_validity(worker, eval, rows);
    eval_scatter(worker, eval, v, at, rows);
    for (uint32_t row = 0; row < rows; row++) {
        if (eval_bool_at(&decided, row) == 1)
            bitmap_clear(eval->validity, row);
    }
    *out = &eval->result;
done:
    return st;
}

// --- GREATEST and LEAST -------------------------------------------------------------------------

static uint32_t best_arg(const Eval *eval, uint32_t row, int sign)
{
    uint32_t best = UINT32_MAX;

    for (uint32_t i = 0; i < eval->args_count; i++) {
        if (vector_is_null(eval->vectors[i], row))
            continue;
        if (best == UINT32_MAX ||
            sign * vector_compare(eval->vectors[i], row, eval->vectors[best], row) > 0)
            best = i;
    }
    return best;
}

static Status run_extreme(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    int sign = eval->expr->kind == EXPR_GREATEST ? 1 : -1;
    bool constant;

    TRY(eval_args(worker, eval, in, &constant));
    uint32_t rows = constant ? 1 : in->rows_count;
    eval_result_flat(worker, eval, rows);
    for (uint32_t i = 0; i < eval->args_count; i++)
        TRY(eval_coerce(worker, eval, rows, &eval->vectors[i]));
    size_t width = phys_size[eval->result.phys];
    uint64_t *validity = eval_result_validity(worker, eval, rows);
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t best = best_arg(eval, row, sign);
        if (best == UINT32_MAX) {
            bitmap_clear(validity, row);
            continue;
        }
        const Vector *v = eval->vectors[best];
        memcpy((char *)eval->values + row * width,
               (const char *)v->values + vector_index(v, row) * width, width);
    }
    eval->result.form = constant ? VECTOR_CONST : VECTOR_FLAT;
    *out = &eval->result;
done:
    return st;
}

// --- IN -----------------------------------------------------------------------------------------

static void negate(uint8_t *values, uint32_t rows, bool negated)
{
    for (uint32_t row = 0; negated && row < rows; row++)
        values[row] ^= 1;
}

static Status run_in_set(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    const Vector *v;

    TRY(eval_run(worker, eval->args[0], in, &v));
    bool constant = v->form == VECTOR_CONST;
    uint32_t rows = constant ? 1 : in->rows_count;
    eval_result_flat(worker, eval, rows);
    uint64_t *validity = eval_result_validity(worker, eval, rows);
    if (!value_set_probe(eval->special, v, rows, eval->values, validity))
        eval->result.validity = NULL;
    negate(eval->values, rows, eval->expr->test.negated);
    eval->result.form = constant ? VECTOR_CONST : VECTOR_FLAT;
    *out = &eval->result;
done:
    return st;
}

static int in_one_row(const Eval *eval, uint32_t row)
{
    const Vector *x = eval->vectors[0];
    int answer = 0;

    if (vector_is_null(x, row))
        return eval->args_count > 1 ? -1 : 0;
    for (uint32_t i = 1; i < eval->args_count; i++) {
        if (vector_is_null(eval->vectors[i], row))
            answer = -1;
        else if (vector_equal(x, row, eval->vectors[i], row))
            return 1;
    }
    return answer;
}

static Status run_in_list(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    uint32_t rows = in->rows_count;
    bool constant;

    TRY(eval_args(worker, eval, in, &constant));
    eval_result_flat(worker, eval, rows);
    uint8_t *values = eval->values;
    uint64_t *validity = eval_result_validity(worker, eval, rows);
    for (uint32_t row = 0; row < rows; row++) {
        int answer = in_one_row(eval, row);
        values[row] = answer == 1;
        if (answer < 0)
            bitmap_clear(validity, row);
    }
    negate(eval->values, rows, eval->expr->test.negated);
    *out = &eval->result;
done:
    return st;
}

static Status init_in(Worker *worker, Eval *eval)
{
    Status st = OK;
    uint32_t count = eval->args_count - 1;
    Datum *values = scope_new_array(worker->scope, Datum, MAX(count, 1));

    eval->fn = run_in_list;
    for (uint32_t i = 0; i < count; i++) {
        const Expr *arg = eval->expr->args[i + 1];
        bool simple = arg->kind == EXPR_CONST || arg->kind == EXPR_PARAM;
        if (!simple || arg->type.typmod != eval->expr->args[1]->type.typmod)
            goto done;
        TRY(eval_datum(worker, eval->args[i + 1], &values[i]));
    }
    if (count == 0)
        goto done;
    eval->special = value_set_new(worker->scope, eval->expr->args[1]->type, values, count);
    eval->fn = run_in_set;
done:
    return st;
}

Status eval_init_compare(Worker *worker, Eval *eval)
{
    eval->foldable = true;
    switch (eval->expr->kind) {
    case EXPR_DISTINCT: eval->fn = run_distinct; return OK;
    case EXPR_IN: return init_in(worker, eval);
    case EXPR_NULLIF: {
        const Expr *expr = eval->expr;
        eval->call = (FuncCall){.func = expr->func.info,
                                .result_type = sql_type(OID_BOOL),
                                .io = worker->query->env->io,
                                .session = worker->query->env->session,
                                .state_scope = worker->scope};
        eval->special = scope_new(worker->scope, Vector);
        eval->fn = run_nullif;
        return OK;
    }
    default: eval->fn = run_extreme; return OK;
    }
}
