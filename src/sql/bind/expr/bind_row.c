// SPDX-License-Identifier: Apache-2.0
//
// Comparisons of rows, spelled out column by column: (a, b) < (c, d) is a < c OR (a = c AND b < d).
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
static Status bind_pair(Binder *b, Level *level, Str op, const AstRow *left, const AstRow *right,
                        uint32_t at, int32_t location, Expr **out)
{
    Status st = OK;
    Expr *l, *r;

    TRY(bind_expr(b, level, left->args.items[at], &l));
    TRY(bind_expr(b, level, right->args.items[at], &r));
    TRY(bind_apply_op(b, op, l, r, location, out));
    TRY(bind_coerce_bool(b, *out, "row comparison", out));
done:
    return st;
}

/* = ANDs, <> ORs the columns' results. */
static Status bind_flat(Binder *b, Level *level, Str op, const AstRow *left, const AstRow *right,
                        int32_t location, Expr **out)
{
    Status st = OK;
    uint32_t count = left->args.count;
    ExprKind kind = str_is(op, "=") ? EXPR_AND : EXPR_OR;
    Expr *expr = expr_new(b->scope, kind, sql_type(OID_BOOL), count);

    for (uint32_t i = 0; i < count; i++)
        TRY(bind_pair(b, level, op, left, right, i, location, &expr->args[i]));
    expr->location = location;
    *out = count == 1 ? expr->args[0] : expr;
done:
    return st;
}

/* From the last column outwards: strict(i) OR (equal(i) AND rest). */
static Status bind_ordered(Binder *b, Level *level, Str op, const AstRow *left, const AstRow *right,
                           int32_t location, Expr **out)
{
    Status st = OK;
    Str strict = str_make(op.ptr, 1);
    uint32_t at = left->args.count - 1;
    Expr *rest, *less, *equal;

    TRY(bind_pair(b, level, op, left, right, at, location, &rest));
    while (at > 0) {
        at--;
        TRY(bind_pair(b, level, strict, left, right, at, location, &less));
        TRY(bind_pair(b, level, STR("="), left, right, at, location, &equal));
        rest = bind_bool_expr(b, EXPR_AND, equal, rest, location);
        rest = bind_bool_expr(b, EXPR_OR, less, rest, location);
    }
    *out = rest;
done:
    return st;
}

Status bind_row_op(Binder *b, Level *level, Str op, const AstRow *left, const AstRow *right,
                   int32_t location, Expr **out)
{
    Status st = OK;

    if (left->args.count != right->args.count)
        BIND_FAIL(b, location, E_SYNTAX, "unequal number of entries in row expressions");
    if (left->args.count == 0)
        BIND_FAIL(b, location, E_FEATURE_NOT_SUPPORTED, "cannot compare rows of zero length");
    if (str_is(op, "=") || str_is(op, "<>"))
        TRY(bind_flat(b, level, op, left, right, location, out));
    else if (str_is(op, "<") || str_is(op, "<=") || str_is(op, ">") || str_is(op, ">="))
        TRY(bind_ordered(b, level, op, left, right, location, out));
    else
        BIND_FAIL(b, location, E_FEATURE_NOT_SUPPORTED,
                  "could not determine interpretation of row comparison operator %.*s",
                  STR_ARGS(op));
done:
    return st;
}
