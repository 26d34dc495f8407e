// SPDX-License-Identifier: Apache-2.0
//
// Constant folding: an immutable function of constants becomes its value while the statement is
// bound. What evaluates is the executor, given here at start as a hook, because it lies above this
// room. An evaluation that fails leaves the expression as it is.
#include "sql/bind/expr/expr_int.h"

static ExprFold fold_hook;

void sql_set_fold(ExprFold fold)
{
    fold_hook = fold;
}

/* Casts need no evaluator. */
static Status fold_cast(Ctx *ctx, Scope *scope, const Expr *expr, const TypeIoContext *io,
                        Datum *out)
{
    const Expr *arg = expr->args[0];

    if (arg->constant.is_null) {
        *out = datum_null(expr->type);
        return OK;
    }
    return cast_datum(ctx, scope, &arg->constant, expr->type, expr->cast.explicit_cast, io, out);
}

Expr *sql_fold(Scope *scope, const TypeIoContext *io, const SessionInfo *session, Expr *expr)
{
    Ctx ctx;
    Datum value;
    Expr *folded = expr;
    bool simple_cast = expr->kind == EXPR_CAST && expr->args[0]->kind == EXPR_CONST;

    if (expr->kind == EXPR_CONST || !expr_is_constant(expr) || (!simple_cast && !fold_hook))
        return expr;
    ctx_init(&ctx);
    Status st = simple_cast ? fold_cast(&ctx, scope, expr, io, &value)
                            : fold_hook(&ctx, scope, expr, io, session, &value);
    if (st == OK) {
        folded = expr_const(scope, &value);
        folded->type = folded->constant.type = expr->type;
        folded->location = expr->location;
    }
    ctx_free(&ctx);
    return folded;
}

Expr *bind_fold(Binder *b, Expr *expr)
{
    for (uint32_t i = 0; i < expr->args_count; i++) {
        if (expr->args[i]->kind != EXPR_CONST)
            return expr;
    }
    Expr *folded = sql_fold(b->scope, b->env->io, b->env->session, expr);
    if (folded != expr)
        folded->location = bind_start(expr);
    return folded;
}
