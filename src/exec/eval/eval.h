// SPDX-License-Identifier: Apache-2.0
//
// Expressions, evaluated batch by batch. An expression is compiled once per worker into a tree of
// Evals that own their result buffers; a result lives until the next evaluation of the same Eval
// or the worker's next batch. Constants stay constant vectors. Errors are raised only for rows on
// which SQL evaluates: branches of CASE, COALESCE, AND and OR see only their rows.
#ifndef DBASPOT_EXEC_EVAL_EVAL_H
#define DBASPOT_EXEC_EVAL_EVAL_H

#include "exec/exec_int.h"

typedef struct Eval Eval;
typedef Status (*EvalFn)(Worker *worker, Eval *eval, const Batch *in, const Vector **out);

struct Eval {
    EvalFn fn;
    const Expr *expr;
    uint32_t args_count;
    uint32_t capacity; /* rows that `values` has room for */
    Eval **args;
    const Vector **vectors; /* of the arguments */
    Vector result;
    void *values;
    uint64_t *validity;
    FuncCall call;    /* FUNC, NULLIF, ANY and what compares */
    bool foldable;    /* constant arguments give a constant */
    int32_t slot;     /* COLUMN */
    void *special;    /* what the kind keeps: eval_*.c */
    uint32_t *select; /* index buffers of conditional evaluation */
};

Status eval_compile(Worker *worker, const Expr *expr, const Visible *visible, Eval **out);
/* One Eval an expression; *out is in the worker's scope. */
Status eval_compile_list(Worker *worker, const ExprList *list, const Visible *visible, Eval ***out);

static inline Status eval_run(Worker *worker, Eval *eval, const Batch *in, const Vector **out)
{
    return eval->fn(worker, eval, in, out);
}

/* Evaluates without columns, to one value (string bytes as long as the batch). */
Status eval_datum(Worker *worker, Eval *eval, Datum *out);

/* Rows of a boolean vector that are true: indexes into `out` (room for `rows`); how many. */
uint32_t eval_select_true(const Vector *v, uint32_t rows, uint32_t *out);

/* --- conjunctions as filters -------------------------------------------------------------------
 */

typedef struct Filter Filter;
/* REQUIRES: count > 0. */
Status filter_new(Worker *worker, Expr *const *conjuncts, uint32_t count, const Visible *visible,
                  Filter **out);
/* The rows for which all conjuncts are true: `in` itself, or a slice in the worker's batch memory.
 *selected (may be NULL): their row numbers in `in`, NULL if all were kept. `out` may be `in`. */
Status filter_run(Worker *worker, Filter *filter, const Batch *in, Batch *out,
                  const uint32_t **selected);

/* --- inside eval/ ------------------------------------------------------------------------------
 */

/* Makes eval->result a flat vector with room for `rows`, no NULLs. */
void eval_result_flat(Worker *worker, Eval *eval, uint32_t rows);
/* Its validity buffer with all rows valid, attached to the result. */
uint64_t *eval_result_validity(Worker *worker, Eval *eval, uint32_t rows);
/* Makes eval->result a constant; NULL: SQL NULL. */
void eval_result_const(Worker *worker, Eval *eval, const void *value);
/* All arguments into eval->vectors; *constant: all are constants and the Eval may be folded. */
Status eval_args(Worker *worker, Eval *eval, const Batch *in, bool *constant);
/* A value of the result's type in another form (a numeric of another scale) is converted. */
Status eval_coerce(Worker *worker, const Eval *eval, uint32_t rows, const Vector **v);
/* Copies rows of `from` to rows at[i] of the flat result. */
void eval_scatter(Worker *worker, Eval *eval, const Vector *from, const uint32_t *at,
                  uint32_t rows);
/* Validity of the arguments merged into the result's (rows of a flat result). */
void eval_merge_validity(Worker *worker, Eval *eval, uint32_t rows);
uint32_t *eval_indexes(Worker *worker, Eval *eval, uint32_t arrays);
/* 1 true, 0 false, -1 NULL. */
static inline int eval_bool_at(const Vector *v, uint32_t row)
{
    uint32_t at = vector_index(v, row);

    if (v->validity && !bitmap_get(v->validity, at))
        return -1;
    return ((const uint8_t *)v->values)[at];
}

/* The kinds. Each prepares eval->special if it needs to, and sets eval->fn. */
Status eval_init_func(Worker *worker, Eval *eval);
Status eval_init_bool(Worker *worker, Eval *eval);
Status eval_init_condition(Worker *worker, Eval *eval);
Status eval_init_compare(Worker *worker, Eval *eval);
Status eval_init_any(Worker *worker, Eval *eval);
Status eval_init_array(Worker *worker, Eval *eval);
Status eval_init_subquery(Worker *worker, Eval *eval, const Visible *visible);

#endif
