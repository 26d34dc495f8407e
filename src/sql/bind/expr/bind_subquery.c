// SPDX-License-Identifier: Apache-2.0
//
// Subqueries in expressions: scalar, EXISTS, IN/ANY/ALL, ARRAY. The query is bound one level down;
// what it takes from outside is noted for the optimiser, which unnests it.
#include "sql/bind/query_int.h"

static Status check_subquery_clause(Binder *b, const Level *level, int32_t location)
{
    Status st = OK;

    switch (level->up ? CLAUSE_NONE : level->clause) {
    case CLAUSE_CHECK:
        BIND_FAIL(b, location, E_FEATURE_NOT_SUPPORTED, "cannot use subquery in check constraint");
    case CLAUSE_DEFAULT:
        BIND_FAIL(b, location, E_FEATURE_NOT_SUPPORTED,
                  "cannot use subquery in DEFAULT expression");
    case CLAUSE_INDEX:
        BIND_FAIL(b, location, E_FEATURE_NOT_SUPPORTED, "cannot use subquery in index expression");
    case CLAUSE_INDEX_PREDICATE:
        BIND_FAIL(b, location, E_FEATURE_NOT_SUPPORTED, "cannot use subquery in index predicate");
    default: break;
    }
done:
    return st;
}

static Expr *make_subquery(Binder *b, SubqueryKind kind, const BoundQuery *query, SqlType type,
                           uint32_t args_count)
{
    Expr *expr = expr_new(b->scope, EXPR_SUBQUERY, type, args_count);
    ColumnList outer = {0};

    expr->subquery.kind = kind;
    expr->subquery.plan = query->plan;
    expr->subquery.outputs_count = query->columns_count;
    if (query->columns_count > 0)
        expr->subquery.outputs = scope_new_array(b->scope, ColumnId, query->columns_count);
    for (uint32_t i = 0; i < query->columns_count; i++)
        expr->subquery.outputs[i] = query->columns[i].id;
    plan_outer_columns(b->scope, query->plan, &outer);
    expr->subquery.outer = outer.data;
    expr->subquery.outer_count = outer.count;
    return expr;
}

static Status check_one_column(Binder *b, const BoundQuery *query, int32_t location)
{
    if (query->columns_count == 1)
        return OK;
    return bind_at(b, location,
                   error_raise(b->ctx, E_SYNTAX, "subquery must return only one column"));
}

static Status bind_array_query(Binder *b, Level *level, BoundQuery *query, int32_t location,
                               Expr **out)
{
    Status st = OK;
    SqlType element = query->columns[0].type;

    if (is_scaled_numeric(element)) {
        element.typmod = -1;
        TRY(bind_retype_query(b, level, query, &element, CAST_IMPLICIT));
    }
    Oid array = type_info(element.oid)->array;
    if (array == OID_INVALID)
        BIND_FAIL(b, location, E_UNDEFINED_OBJECT, "could not find array type for data type %s",
                  bind_type_name(b, element.oid));
    *out = make_subquery(b, SUBQUERY_ARRAY, query, sql_type(array), 0);
done:
    return st;
}

// --- ANY, ALL, IN ------------------------------------------------------------------------------

static Status bind_test(Binder *b, Level *level, const AstNode *test, ExprList *out)
{
    Status st = OK;
    const AstRow *row = (const AstRow *)test;
    uint32_t count = ast_is(test, AST_ROW) ? row->args.count : 1;

    for (uint32_t i = 0; i < count; i++) {
        Expr *expr;
        TRY(bind_expr(b, level, ast_is(test, AST_ROW) ? row->args.items[i] : test, &expr));
        array_push(b->scope, out, expr);
    }
done:
    return st;
}

/* The operator of one column; both sides' types are made the operator's. */
static Status match_column(Binder *b, Str op, Expr **left, SqlType *right, int32_t location,
                           const OperatorInfo **out)
{
    Status st = OK;
    Expr column = {.kind = EXPR_COLUMN, .type = *right, .location = location};

    TRY(bind_find_operator(b, op, *left, &column, location, out));
    if ((*out)->result != OID_BOOL)
        BIND_FAIL(b, location, E_DATATYPE_MISMATCH,
                  "row comparison operator must yield type boolean, not type %s",
                  bind_type_name(b, (*out)->result));
    bool poly = type_is_polymorphic((*out)->right);
    if (!poly && ((*left)->type.oid != OID_VARCHAR || (*out)->left != OID_TEXT))
        TRY(bind_coerce(b, *left, sql_type((*out)->left), CAST_IMPLICIT, location, left));
    if (poly || (right->oid == OID_VARCHAR && (*out)->right == OID_TEXT))
        goto done;
    if ((*out)->right != right->oid)
        *right =
            (*out)->right == OID_NUMERIC ? numeric_for_source(right->oid) : sql_type((*out)->right);
    if ((*out)->left != OID_NUMERIC || (*out)->right != OID_NUMERIC)
        goto done;
    SqlType common = numeric_common_exact((*left)->type, *right);
    *right = common;
    if (common.typmod < 0)
        TRY(bind_plain_numeric(b, left));
    else
        TRY(bind_coerce(b, *left, common, CAST_IMPLICIT, location, left));
done:
    return st;
}

static Status bind_any_query(Binder *b, Level *level, const AstSublink *ast, BoundQuery *query,
                             Expr **out)
{
    Status st = OK;
    int32_t location = ast->node.location;
    ExprList left = {0};
    Str op = STR("=");

    if (ast->op.name.ptr)
        TRY(bind_op_name(b, &ast->op, location, &op));
    TRY(bind_test(b, level, ast->test, &left));
    if (left.count != query->columns_count)
        BIND_FAIL(b, location, E_SYNTAX, "subquery has too %s columns",
                  left.count < query->columns_count ? "many" : "few");
    if (left.count > 1 && !str_is(op, "="))
        TRY(bind_unsupported(b, location, "comparisons of rows with a subquery's but = are"));
    SqlType *types = scope_new_array(b->scope, SqlType, left.count);
    const OperatorInfo **compare = scope_new_array(b->scope, const OperatorInfo *, left.count);
    for (uint32_t i = 0; i < left.count; i++) {
        types[i] = query->columns[i].type;
        TRY(match_column(b, op, &left.data[i], &types[i], location, &compare[i]));
    }
    TRY(bind_retype_query(b, level, query, types, CAST_IMPLICIT));
    SubqueryKind kind = ast->kind == AST_SUBLINK_ALL ? SUBQUERY_ALL : SUBQUERY_ANY;
    Expr *expr = make_subquery(b, kind, query, sql_type(OID_BOOL), left.count);
    memcpy(expr->args, left.data, left.count * sizeof *expr->args);
    expr->subquery.compare = compare;
    *out = expr;
done:
    return st;
}

Status bind_sublink_column(Binder *b, Level *level, const AstSublink *ast, uint32_t at,
                           uint32_t count, Expr **out)
{
    Status st = OK;
    TargetList targets = {0};
    ColumnId id;
    BoundQuery query;

    b->sublinks++;
    st = bind_query(b, level, ast->query, false, &query);
    b->sublinks--;
    TRY(st);
    if (query.columns_count != count)
        BIND_FAIL(b, ast->node.location, E_SYNTAX, "subquery has too %s columns",
                  query.columns_count > count ? "many" : "few");
    const BoundColumn *column = &query.columns[at];
    Target target = {.name = column->name};
    target.expr = expr_column(b->scope, column->id, column->type,
                              bind_qualified_name(b, STR(""), column->name));
    array_push(b->scope, &targets, target);
    query.plan = bind_project(b, level, query.plan, &targets, &id);
    query.columns_count = 1;
    query.columns = scope_new(b->scope, BoundColumn);
    query.columns[0] = (BoundColumn){.name = target.name, .id = id, .type = target.expr->type};
    *out = make_subquery(b, SUBQUERY_SCALAR, &query, target.expr->type, 0);
    (*out)->location = ast->node.location;
done:
    return st;
}

// --- by kind -----------------------------------------------------------------------------------

Status bind_sublink(Binder *b, Level *level, const AstSublink *ast, Expr **out)
{
    Status st = OK;
    int32_t location = ast->node.location;
    BoundQuery query;

    TRY(check_subquery_clause(b, level, location));
    b->sublinks++;
    st = bind_query(b, level, ast->query, false, &query);
    b->sublinks--;
    TRY(st);
    switch (ast->kind) {
    case AST_SUBLINK_EXISTS:
        *out = make_subquery(b, SUBQUERY_EXISTS, &query, sql_type(OID_BOOL), 0);
        break;
    case AST_SUBLINK_SCALAR:
        TRY(check_one_column(b, &query, location));
        *out = make_subquery(b, SUBQUERY_SCALAR, &query, query.columns[0].type, 0);
        break;
    case AST_SUBLINK_ARRAY:
        TRY(check_one_column(b, &query, location));
        TRY(bind_array_query(b, level, &query, location, out));
        break;
    case AST_SUBLINK_ANY:
    case AST_SUBLINK_ALL: TRY(bind_any_query(b, level, ast, &query, out)); break;
    }
    (*out)->location = location;
done:
    return st;
}
