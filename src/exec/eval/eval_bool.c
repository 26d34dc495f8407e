// SPDX-License-Identifier: Apache-2.0
//
// AND, OR, NOT and the tests of one value. AND and OR evaluate an argument only on the rows that
// the arguments before it left undecided.
#include "exec/eval/eval.h"

/* How a row stands in an AND or OR. */
enum { ROW_FALSE = 0, ROW_TRUE = 1, ROW_NULL = 2 };

typedef struct Logic {
    uint8_t decisive; /* ROW_FALSE for AND, ROW_TRUE for OR: ends the row */
    uint8_t *rows;
} Logic;

/* Takes the argument's values for rows at[0..rows) (NULL: all); writes the undecided to `left`. */
static uint32_t logic_take(const Logic *logic, const Vector *v, const uint32_t *at, uint32_t rows,
                           uint32_t *left)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < rows; i++) {
        uint32_t row = at ? at[i] : i;
        int value = eval_bool_at(v, i);
        if (value == logic->decisive) {
            logic->rows[row] = logic->decisive;
            continue;
        }
        if (value < 0)
            logic->rows[row] = ROW_NULL;
        left[count++] = row;
    }
    return count;
}

static void logic_write(Worker *worker, Eval *eval, const uint8_t *state, uint32_t rows)
{
    uint8_t *values;
    uint8_t any_null = 0;

    eval_result_flat(worker, eval, rows);
    values = eval->values;
    for (uint32_t row = 0; row < rows; row++) {
        values[row] = state[row] & 1;
        any_null |= state[row] & 2;
    }
    if (!any_null)
        return;
    uint64_t *validity = eval_result_validity(worker, eval, rows);
    for (uint32_t row = 0; row < rows; row++) {
        if (state[row] & 2)
            bitmap_clear(validity, row);
    }
}

static Status run_logic(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    Logic *logic = eval->special;
    uint32_t rows = in->rows_count, count = rows;
    uint32_t *left[2] = {eval_indexes(worker, eval, 2), eval->select + BATCH_ROWS_MAX};
    const uint32_t *at = NULL;
    Batch slice = *in;
    const Vector *v;

    ASSERT(rows <= BATCH_ROWS_MAX);
    memset(logic->rows, !logic->decisive, rows);
    for (uint32_t i = 0; i < eval->args_count && count; i++) {
        TRY(eval_run(worker, eval->args[i], &slice, &v));
        uint32_t *next = left[i & 1];
        uint32_t undecided = logic_take(logic, v, at, count, next);
        if (undecided == count)
            continue;
        count = undecided;
        at = next;
        if (i + 1 < eval->args_count)
            batch_slice(&slice, worker->batch, in, at, count);
    }
    logic_write(worker, eval, logic->rows, rows);
    *out = &eval->result;
done:
    return st;
}

static Status run_not(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    bool constant;

    TRY(eval_args(worker, eval, in, &constant));
    const Vector *v = eval->vectors[0];
    uint32_t rows = constant ? 1 : in->rows_count;
    eval_result_flat(worker, eval, rows);
    uint8_t *values = eval->values;
    for (uint32_t row = 0; row < rows; row++)
        values[row] = !vector_at(v, uint8_t, row);
    eval_merge_validity(worker, eval, rows);
    eval->result.form = constant ? VECTOR_CONST : VECTOR_FLAT;
    *out = &eval->result;
done:
    return st;
}

static Status run_is_null(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    bool constant, negated = eval->expr->test.negated;

    TRY(eval_args(worker, eval, in, &constant));
    const Vector *v = eval->vectors[0];
    *out = &eval->result;
    if (v->validity == NULL || v->form == VECTOR_CONST) {
        uint8_t value = (v->validity && !(v->validity[0] & 1)) != negated;
        eval_result_const(worker, eval, &value);
        goto done;
    }
    eval_result_flat(worker, eval, in->rows_count);
    uint8_t *values = eval->values;
    for (uint32_t row = 0; row < in->rows_count; row++)
        values[row] = vector_is_null(v, row) != negated;
done:
    return st;
}

static Status run_is_bool(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    int wanted = eval->expr->test.test == IS_TRUE ? 1 : eval->expr->test.test == IS_FALSE ? 0 : -1;
    bool constant, negated = eval->expr->test.negated;

    TRY(eval_args(worker, eval, in, &constant));
    uint32_t rows = constant ? 1 : in->rows_count;
    eval_result_flat(worker, eval, rows);
    uint8_t *values = eval->values;
    for (uint32_t row = 0; row < rows; row++)
        values[row] = (eval_bool_at(eval->vectors[0], row) == wanted) != negated;
    eval->result.form = constant ? VECTOR_CONST : VECTOR_FLAT;
    *out = &eval->result;
done:
    return st;
}

Status eval_init_bool(Worker *worker, Eval *eval)
{
    Logic *logic;

    eval->foldable = true;
    switch (eval->expr->kind) {
    case EXPR_NOT: eval->fn = run_not; return OK;
    case EXPR_IS_NULL: eval->fn = run_is_null; return OK;
    case EXPR_IS_BOOL: eval->fn = run_is_bool; return OK;
    default: break;
    }
    logic = scope_new(worker->scope, Logic);
    logic->decisive = eval->expr->kind == EXPR_AND ? ROW_FALSE : ROW_TRUE;
    logic->rows = scope_alloc(worker->scope, BATCH_ROWS_MAX);
    eval->special = logic;
    eval->fn = run_logic;
    return OK;
}
