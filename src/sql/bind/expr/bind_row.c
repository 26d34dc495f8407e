// SPDX-License-Identifier: Apache-2.0
//
// Comparisons of rows, spelled out column by column: (a, b) < (c, d) is a < c OR (a = c AND b < d),
// (a, b) = (c, d) is a = c AND b = d. Each column's operator is found on its own. One thread.
#include "sql/bind/expr/expr_int.h"

Expr *bind_bool_expr(Binder *b, ExprKind kind, Expr *left, Expr *right, int32_t location)
{
    Expr *expr = expr_new(b->scope, kind, sql_type(OID_BOOL), 2);

    expr->args[0] = left;
    expr->args[1] = right;
    expr->location = location;
    return expr;
}

Expr *bind_not(Binder *b, Expr *arg, int32_t location)
{
    Expr *expr = expr_new(b->scope, EXPR_NOT, sql_type(OID_BOOL), 1);

    expr->args[0] = arg;
    expr->location = location;
    return expr;
}

/* The operands of column `at`, bound anew each time they are needed: a node has one parent. */
static Status bind_pair(Binder *b, const RowPair *rows, Str op, uint32_t at, Expr **out)
{
    Status st = OK;
    Expr *left, *right;

    TRY(bind_again(b, rows->level, rows->left->args.items[at], &left));
    if (rows->right)
        TRY(bind_again(b, rows->level, rows->right->args.items[at], &right));
    else
        TRY(bind_sublink_column(b, rows->level, rows->right_query, at, rows->left->args.count,
                                &right));
    TRY(bind_apply_op(b, op, left, right, rows->location, out));
    TRY(bind_coerce_bool(b, *out, "row comparison", out));
done:
    return st;
}

/* = ANDs, <> ORs the columns' results. */
static Status bind_flat(Binder *b, const RowPair *rows, Str op, Expr **out)
{
    Status st = OK;
    uint32_t count = rows->left->args.count;
    ExprKind kind = str_is(op, "=") ? EXPR_AND : EXPR_OR;
    Expr *expr = expr_new(b->scope, kind, sql_type(OID_BOOL), count);

    for (uint32_t i = 0; i < count; i++)
        TRY(bind_pair(b, rows, op, i, &expr->args[i]));
    expr->location = rows->location;
    *out = count == 1 ? expr->args[0] : expr;
done:
    return st;
}

/* From the last column outwards: strict(i) OR (equal(i) AND rest). */
static Status bind_ordered(Binder *b, const RowPair *rows, Str op, Expr **out)
{
    Status st = OK;
    Str strict = str_make(op.ptr, 1);
    uint32_t at = rows->left->args.count - 1;
    Expr *rest, *less, *equal;

    TRY(bind_pair(b, rows, op, at, &rest));
    while (at > 0) {
        at--;
        TRY(bind_pair(b, rows, strict, at, &less));
        TRY(bind_pair(b, rows, STR("="), at, &equal));
        rest = bind_bool_expr(b, EXPR_AND, equal, rest, rows->location);
        rest = bind_bool_expr(b, EXPR_OR, less, rest, rows->location);
    }
    *out = rest;
done:
    return st;
}

Status bind_row_op(Binder *b, const RowPair *rows, Str op, Expr **out)
{
    Status st = OK;

    if (rows->right && rows->left->args.count != rows->right->args.count)
        BIND_FAIL(b, rows->location, E_SYNTAX, "unequal number of entries in row expressions");
    if (rows->left->args.count == 0)
        BIND_FAIL(b, rows->location, E_FEATURE_NOT_SUPPORTED, "cannot compare rows of zero length");
    if (str_is(op, "=") || str_is(op, "<>"))
        TRY(bind_flat(b, rows, op, out));
    else if (str_is(op, "<") || str_is(op, "<=") || str_is(op, ">") || str_is(op, ">="))
        TRY(bind_ordered(b, rows, op, out));
    else
        BIND_FAIL(b, rows->location, E_FEATURE_NOT_SUPPORTED,
                  "could not determine interpretation of row comparison operator %.*s",
                  STR_ARGS(op));
done:
    return st;
}
