// SPDX-License-Identifier: Apache-2.0
//
// Expressions: the dispatch over the tree's nodes, and the nodes that need a few lines only. Every
// other file here binds one family of nodes and comes back through bind_expr for its operands. One
// thread.
#include "sql/bind/expr/expr_int.h"

static Status bind_bool_op(Binder *b, Level *level, const AstBoolExpr *ast, Expr **out)
{
    static const ExprKind kinds[] = {
        [AST_AND] = EXPR_AND, [AST_OR] = EXPR_OR, [AST_NOT] = EXPR_NOT};
    static const char *const words[] = {[AST_AND] = "AND", [AST_OR] = "OR", [AST_NOT] = "NOT"};
    Status st = OK;
    Expr *expr = expr_new(b->scope, kinds[ast->op], sql_type(OID_BOOL), ast->args.count);

    for (uint32_t i = 0; i < ast->args.count; i++) {
        TRY(bind_expr(b, level, ast->args.items[i], &expr->args[i]));
        TRY(bind_coerce_bool(b, expr->args[i], words[ast->op], &expr->args[i]));
    }
    expr->location = ast->node.location;
    *out = expr;
done:
    return st;
}

/* What PostgreSQL would report as a plain value is no longer a declared column. */
static void undeclare(Binder *b, Expr **expr)
{
    if ((*expr)->kind != EXPR_COLUMN || !(*expr)->column.declared)
        return;
    *expr = expr_copy(b->scope, *expr);
    (*expr)->column.declared = false;
}

static Status bind_cast(Binder *b, Level *level, const AstCast *ast, Expr **out)
{
    Status st = OK;
    SqlType target;
    Expr *arg;

    TRY(bind_type(b, ast->type, &target));
    if (ast_is(ast->arg, AST_ARRAY))
        TRY(bind_array(b, level, (const AstArray *)ast->arg, target.oid, &arg));
    else
        TRY(bind_expr(b, level, ast->arg, &arg));
    TRY(bind_coerce(b, arg, target, CAST_EXPLICIT, ast->node.location, out));
    if (*out == arg && target.typmod < 0)
        undeclare(b, out);
done:
    return st;
}

static bool is_collatable(Oid oid)
{
    const TypeInfo *info = type_info(oid);
    Oid base = info->element ? info->element : oid;

    return base == OID_TEXT || base == OID_VARCHAR || base == OID_BPCHAR || base == OID_NAME;
}

static Status bind_collate(Binder *b, Level *level, const AstCollate *ast, Expr **out)
{
    static const char *const known[] = {"C", "POSIX", "default", "ucs_basic", "C.UTF-8", "C.utf8"};
    Status st = OK;
    Str name = ast->collation.name;
    bool found = false;

    TRY(bind_expr(b, level, ast->arg, out));
    TRY(bind_resolve_unknown(b, out));
    if (!is_collatable((*out)->type.oid))
        BIND_FAIL(b, ast->node.location, E_DATATYPE_MISMATCH,
                  "collations are not supported by type %s", bind_type_name(b, (*out)->type.oid));
    for (uint32_t i = 0; i < ARRAY_COUNT(known); i++)
        found |= str_is(name, known[i]);
    if (!found)
        BIND_FAIL(b, ast->node.location, E_UNDEFINED_OBJECT,
                  "collation \"%.*s\" for encoding \"UTF8\" does not exist", STR_ARGS(name));
done:
    return st;
}

static Status bind_node(Binder *b, Level *level, const AstNode *node, Expr **out)
{
    switch (node->kind) {
    case AST_CONST: return bind_const(b, (const AstConst *)node, out);
    case AST_PARAM: return bind_param(b, (const AstParam *)node, out);
    case AST_COLUMN_REF: return bind_column_ref(b, level, (const AstColumnRef *)node, out);
    case AST_INDIRECTION: return bind_indirection(b, level, (const AstIndirection *)node, out);
    case AST_FUNC_CALL: return bind_func_call(b, level, (const AstFuncCall *)node, out);
    case AST_OP: return bind_op(b, level, (const AstOp *)node, out);
    case AST_OP_ANY: return bind_op_any(b, level, (const AstOpAny *)node, out);
    case AST_BOOL_EXPR: return bind_bool_op(b, level, (const AstBoolExpr *)node, out);
    case AST_NULL_TEST: return bind_null_test(b, level, (const AstNullTest *)node, out);
    case AST_BOOLEAN_TEST: return bind_boolean_test(b, level, (const AstBooleanTest *)node, out);
    case AST_DISTINCT_FROM: return bind_distinct_from(b, level, (const AstDistinctFrom *)node, out);
    case AST_BETWEEN: return bind_between(b, level, (const AstBetween *)node, out);
    case AST_IN_LIST: return bind_in_list(b, level, (const AstInList *)node, out);
    case AST_LIKE: return bind_like(b, level, (const AstLike *)node, out);
    case AST_CASE: return bind_case(b, level, (const AstCase *)node, out);
    case AST_COALESCE: return bind_coalesce(b, level, (const AstCoalesce *)node, out);
    case AST_NULLIF: return bind_nullif(b, level, (const AstNullIf *)node, out);
    case AST_MIN_MAX: return bind_min_max(b, level, (const AstMinMax *)node, out);
    case AST_CAST: return bind_cast(b, level, (const AstCast *)node, out);
    case AST_COLLATE: return bind_collate(b, level, (const AstCollate *)node, out);
    case AST_ARRAY: return bind_array(b, level, (const AstArray *)node, OID_INVALID, out);
    case AST_SUBLINK: return bind_sublink(b, level, (const AstSublink *)node, out);
    case AST_SQL_VALUE: return bind_sql_value(b, (const AstSqlValue *)node, out);
    case AST_ROW: return bind_unsupported(b, node->location, "row values are");
    case AST_GROUPING: return bind_unsupported(b, node->location, "GROUPING is");
    case AST_CURRENT_OF: return bind_unsupported(b, node->location, "WHERE CURRENT OF is");
    case AST_NAMED_ARG: return bind_unsupported(b, node->location, "named arguments are");
    case AST_DEFAULT:
        return bind_at(b, node->location,
                       error_raise(b->ctx, E_SYNTAX, "DEFAULT is not allowed in this context"));
    default:
        return bind_at(
            b, node->location,
            error_raise(b->ctx, E_INTERNAL, "%s is no expression", ast_kind_name(node->kind)));
    }
}

Status bind_expr(Binder *b, Level *level, const AstNode *node, Expr **out)
{
    Status st = bind_enter(b, node->location);

    if (st != OK)
        return st;
    st = bind_node(b, level, node, out);
    bind_leave(b);
    if (st == OK && (*out)->location < 0)
        (*out)->location = node->location;
    return st;
}

Status bind_again(Binder *b, Level *level, const AstNode *node, Expr **out)
{
    Status st = OK;
    uint64_t before = b->nodes_bound;

    TRY(bind_expr(b, level, node, out));
    b->nodes_repeated += b->nodes_bound - before;
    if (b->nodes_repeated > BIND_REPEATED_MAX)
        BIND_FAIL(b, node->location, E_STATEMENT_TOO_COMPLEX,
                  "the statement repeats too much of itself");
done:
    return st;
}

Status bind_expr_in(Binder *b, Level *level, Clause clause, const AstNode *node, Expr **out)
{
    Clause before = level->clause;

    level->clause = clause;
    Status st = bind_expr(b, level, node, out);
    level->clause = before;
    return st;
}

Status bind_condition(Binder *b, Level *level, Clause clause, const AstNode *node,
                      const char *construct, Expr **out)
{
    Status st = OK;

    TRY(bind_expr_in(b, level, clause, node, out));
    TRY(bind_coerce_bool(b, *out, construct, out));
done:
    return st;
}
