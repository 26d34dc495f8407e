// SPDX-License-Identifier: Apache-2.0
//
// CASE, COALESCE, NULLIF, GREATEST, LEAST: expressions whose branches meet in one type
// (bind_types.c). CASE x WHEN v becomes CASE WHEN x = v. Set-returning functions may not stand in
// what is evaluated only sometimes. One thread.
#include "sql/bind/expr/expr_int.h"

/* Set-returning functions may not stand in conditional parts; restores by leave_conditional. */
static bool enter_conditional(Level *level, const char *words)
{
    bool before = level->no_sets;

    if (!before)
        level->no_sets_words = words;
    level->no_sets = true;
    return before;
}

static void leave_conditional(Level *level, bool before)
{
    level->no_sets = before;
}

/* Each WHEN has the argument anew, which must then be the same each time. */
static Status bind_case_arg(Binder *b, Level *level, const AstNode *arg, Expr **out)
{
    Status st = OK;

    *out = NULL;
    if (arg == NULL)
        goto done;
    TRY(bind_again(b, level, arg, out));
    TRY(bind_resolve_unknown(b, out));
    if (expr_is_volatile(*out))
        TRY(bind_unsupported(b, arg->location, "CASE over a volatile expression is"));
done:
    return st;
}

/* WHEN: a condition, or with CASE x WHEN v the equality x = v. */
static Status bind_when(Binder *b, Level *level, Expr *arg, const AstCaseWhen *when, Expr **out)
{
    Status st = OK;

    TRY(bind_expr(b, level, when->condition, out));
    if (arg)
        TRY(bind_apply_op(b, STR("="), arg, *out, when->node.location, out));
    TRY(bind_coerce_bool(b, *out, "CASE/WHEN", out));
done:
    return st;
}

/* The results in the order PostgreSQL looks at them: ELSE first. */
static Status unify_results(Binder *b, Expr *expr, uint32_t whens)
{
    Status st = OK;
    Expr **results = scope_new_array(b->scope, Expr *, whens + 1);
    Oid type;

    results[0] = expr->args[2 * whens];
    for (uint32_t i = 0; i < whens; i++)
        results[i + 1] = expr->args[2 * i + 1];
    TRY(bind_common_type(b, results, whens + 1, "CASE", &type));
    TRY(bind_to_common(b, results, whens + 1, type, "CASE", &expr->type));
    expr->args[2 * whens] = results[0];
    for (uint32_t i = 0; i < whens; i++)
        expr->args[2 * i + 1] = results[i + 1];
done:
    return st;
}

static Status bind_case_parts(Binder *b, Level *level, const AstCase *ast, Expr **out)
{
    Status st = OK;
    uint32_t whens = ast->whens.count;
    Expr *expr = expr_new(b->scope, EXPR_CASE, sql_type(OID_INVALID), 2 * whens + 1);

    for (uint32_t i = 0; i < whens; i++) {
        const AstCaseWhen *when = (const AstCaseWhen *)ast->whens.items[i];
        Expr *arg;
        TRY(bind_case_arg(b, level, ast->arg, &arg));
        TRY(bind_when(b, level, arg, when, &expr->args[2 * i]));
        TRY(bind_expr(b, level, when->result, &expr->args[2 * i + 1]));
    }
    if (ast->otherwise)
        TRY(bind_expr(b, level, ast->otherwise, &expr->args[2 * whens]));
    else
        expr->args[2 * whens] = expr_null(b->scope, sql_type(OID_UNKNOWN));
    TRY(unify_results(b, expr, whens));
    expr->location = ast->node.location;
    *out = expr;
done:
    return st;
}

Status bind_case(Binder *b, Level *level, const AstCase *ast, Expr **out)
{
    bool before = enter_conditional(level, "CASE");
    Status st = bind_case_parts(b, level, ast, out);

    leave_conditional(level, before);
    return st;
}

/* The arguments of one type each: COALESCE, GREATEST, LEAST. */
static Status bind_alike(Binder *b, Level *level, ExprKind kind, const AstList *args,
                         int32_t location, Expr **out)
{
    Status st = OK;
    const char *words = kind == EXPR_COALESCE ? "COALESCE"
                        : kind == EXPR_LEAST  ? "LEAST"
                                              : "GREATEST";
    Expr *expr = expr_new(b->scope, kind, sql_type(OID_INVALID), args->count);
    Oid type;

    for (uint32_t i = 0; i < args->count; i++)
        TRY(bind_expr(b, level, args->items[i], &expr->args[i]));
    TRY(bind_common_type(b, expr->args, expr->args_count, words, &type));
    TRY(bind_to_common(b, expr->args, expr->args_count, type, words, &expr->type));
    expr->location = location;
    *out = bind_fold(b, expr);
done:
    return st;
}

Status bind_coalesce(Binder *b, Level *level, const AstCoalesce *ast, Expr **out)
{
    bool before = enter_conditional(level, "COALESCE");
    Status st = bind_alike(b, level, EXPR_COALESCE, &ast->args, ast->node.location, out);

    leave_conditional(level, before);
    return st;
}

Status bind_min_max(Binder *b, Level *level, const AstMinMax *ast, Expr **out)
{
    return bind_alike(b, level, ast->least ? EXPR_LEAST : EXPR_GREATEST, &ast->args,
                      ast->node.location, out);
}

Status bind_nullif(Binder *b, Level *level, const AstNullIf *ast, Expr **out)
{
    Status st = OK;
    int32_t location = ast->node.location;
    const OperatorInfo *op;
    Expr *sides[2];
    Expr *expr = expr_new(b->scope, EXPR_NULLIF, sql_type(OID_INVALID), 2);

    TRY(bind_expr(b, level, ast->left, &sides[0]));
    TRY(bind_expr(b, level, ast->right, &sides[1]));
    TRY(bind_find_operator(b, STR("="), sides[0], sides[1], location, &op));
    if (op->result != OID_BOOL)
        BIND_FAIL(b, location, E_DATATYPE_MISMATCH, "NULLIF requires = operator to yield boolean");
    TRY(bind_coerce(b, sides[0], sql_type(op->left), CAST_IMPLICIT, location, &sides[0]));
    TRY(bind_coerce(b, sides[1], sql_type(op->right), CAST_IMPLICIT, location, &sides[1]));
    expr->type = sides[0]->type;
    memcpy(expr->args, sides, sizeof sides);
    expr->func.info = op->func;
    expr->func.op = op;
    expr->location = location;
    *out = bind_fold(b, expr);
done:
    return st;
}
