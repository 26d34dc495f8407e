// SPDX-License-Identifier: Apache-2.0
//
// CASE and COALESCE: each branch is evaluated on the rows that take it, no others, so that a WHEN
// protects its THEN. The branches' values are scattered into one flat result.
#include "exec/eval/eval.h"

/* The rows still looking for their branch. */
typedef struct Remaining {
    const Batch *in;
    Batch batch;        /* the rows that remain */
    const uint32_t *at; /* their numbers in `in`; NULL: all */
    uint32_t *spare[2]; /* for the next split */
} Remaining;

static void remaining_init(Worker *worker, Eval *eval, const Batch *in, Remaining *out)
{
    uint32_t *indexes = eval_indexes(worker, eval, 4);

    ASSERT(in->rows_count <= BATCH_ROWS_MAX);
    *out = (Remaining){.in = in, .batch = *in};
    out->spare[0] = indexes;
    out->spare[1] = indexes + BATCH_ROWS_MAX;
}

/* Keeps rows[0..count) of the remaining ones, given by their numbers in `in`. */
static void remaining_keep(Worker *worker, Remaining *r, uint32_t *rows, uint32_t count)
{
    if (count == r->batch.rows_count)
        return;
    r->at = rows;
    batch_slice(&r->batch, worker->batch, r->in, rows, count);
    r->batch.rows_count = count;
}

static Status take_branch(Worker *worker, Eval *eval, Eval *branch, const Batch *in,
                          const uint32_t *at)
{
    Status st = OK;
    const Vector *v;

    if (in->rows_count == 0)
        goto done;
    TRY(eval_run(worker, branch, in, &v));
    TRY(eval_coerce(worker, eval, in->rows_count, &v));
    eval_scatter(worker, eval, v, at, in->rows_count);
done:
    return st;
}

static const uint32_t *identity(uint32_t *out, uint32_t rows)
{
    for (uint32_t row = 0; row < rows; row++)
        out[row] = row;
    return out;
}

/* WHEN `v` THEN: splits the remaining rows; those taken are evaluated and scattered. */
static Status run_when(Worker *worker, Eval *eval, Remaining *r, const Vector *v, Eval *branch)
{
    Status st = OK;
    uint32_t *taken = eval->select + 2 * BATCH_ROWS_MAX, *left = r->spare[0];
    uint32_t taken_count = 0, left_count = 0;
    Batch slice;

    for (uint32_t i = 0; i < r->batch.rows_count; i++) {
        uint32_t row = r->at ? r->at[i] : i;
        if (eval_bool_at(v, i) == 1)
            taken[taken_count++] = row;
        else
            left[left_count++] = row;
    }
    if (taken_count == 0)
        goto done;
    if (taken_count == r->in->rows_count)
        slice = *r->in;
    else
        batch_slice(&slice, worker->batch, r->in, taken, taken_count);
    TRY(take_branch(worker, eval, branch, &slice, taken));
    r->spare[0] = r->spare[1];
    r->spare[1] = left;
    remaining_keep(worker, r, left, left_count);
done:
    return st;
}

static Status run_case(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    uint32_t last = eval->args_count - 1;
    Remaining r;
    const Vector *v;

    remaining_init(worker, eval, in, &r);
    eval_result_flat(worker, eval, in->rows_count);
    for (uint32_t i = 0; i + 1 < eval->args_count && r.batch.rows_count; i += 2) {
        TRY(eval_run(worker, eval->args[i], &r.batch, &v));
        TRY(run_when(worker, eval, &r, v, eval->args[i + 1]));
    }
    if (r.at == NULL)
        r.at = identity(eval->select + 2 * BATCH_ROWS_MAX, r.batch.rows_count);
    TRY(take_branch(worker, eval, eval->args[last], &r.batch, r.at));
    *out = &eval->result;
done:
    return st;
}

static Status run_coalesce(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    Status st = OK;
    uint32_t *all = eval_indexes(worker, eval, 4) + 3 * BATCH_ROWS_MAX;
    Remaining r;
    const Vector *v;

    remaining_init(worker, eval, in, &r);
    eval_result_flat(worker, eval, in->rows_count);
    for (uint32_t i = 0; i < eval->args_count && r.batch.rows_count; i++) {
        TRY(eval_run(worker, eval->args[i], &r.batch, &v));
        TRY(eval_coerce(worker, eval, r.batch.rows_count, &v));
        if (v->validity == NULL && r.at == NULL && v->form == VECTOR_FLAT) {
            *out = v;
            goto done;
        }
        const uint32_t *at = r.at ? r.at : identity(all, r.batch.rows_count);
        eval_scatter(worker, eval, v, at, r.batch.rows_count);
        uint32_t *left = r.spare[i & 1], count = 0;
        for (uint32_t row = 0; v->validity && row < r.batch.rows_count; row++) {
            if (vector_is_null(v, row))
                left[count++] = at[row];
        }
        if (count == 0)
            break;
        for (uint32_t row = 0; row < count; row++)
            bitmap_set(eval->validity, left[row]);
        remaining_keep(worker, &r, left, count);
        if (i + 1 == eval->args_count) {
            for (uint32_t row = 0; row < count; row++)
                bitmap_clear(eval->validity, left[row]);
        }
    }
    *out = &eval->result;
done:
    return st;
}

Status eval_init_condition(Worker *worker UNUSED, Eval *eval)
{
    eval->result.phys = (uint8_t)type_phys(eval->expr->type);
    eval->fn = eval->expr->kind == EXPR_CASE ? run_case : run_coalesce;
    return OK;
}
