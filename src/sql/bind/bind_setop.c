// SPDX-License-Identifier: Apache-2.0
//
// UNION, INTERSECT, EXCEPT and VALUES: rows of several origins brought to common column types; and
// the coercion of a finished query's columns.
#include "sql/bind/query_int.h"

// --- coercing a query --------------------------------------------------------------------------

/* Follows a column down to the literal or parameter of unknown type that it is; the types of the
   columns on the way become `type`. NULL if it is anything else. */
static Expr **unknown_source(Plan *plan, ColumnId id, SqlType type)
{
    for (;;) {
        uint32_t at = 0;
        while (at < plan->columns_count && plan->columns[at].id != id)
            at++;
        if (at == plan->columns_count)
            return NULL;
        plan->columns[at].type = type;
        switch (plan->kind) {
        case PLAN_PROJECT: {
            Expr **expr = &plan->project.exprs.data[at];
            if ((*expr)->kind == EXPR_CONST || (*expr)->kind == EXPR_PARAM)
                return expr;
            if ((*expr)->kind != EXPR_COLUMN)
                return NULL;
            (*expr)->type = type;
            id = (*expr)->column.id;
            plan = plan->children[0];
            break;
        }
        case PLAN_CTE: plan = plan->children[1]; break;
        case PLAN_FILTER:
        case PLAN_SORT:
        case PLAN_LIMIT:
        case PLAN_DISTINCT:
        case PLAN_LOCK_ROWS: plan = plan->children[0]; break;
        default: return NULL;
        }
    }
}

static Status retype_unknown(Binder *b, BoundQuery *query, uint32_t at, SqlType type)
{
    Status st = OK;
    BoundColumn *column = &query->columns[at];
    Expr **source = unknown_source(query->plan, column->id, type);

    if (source == NULL)
        goto done;
    TRY(bind_coerce(b, *source, type, CAST_ASSIGNMENT, (*source)->location, source));
    if (type.oid == OID_NUMERIC && type.typmod < 0)
        TRY(bind_plain_numeric(b, source));
    column->type = type;
done:
    return st;
}

static bool needs_cast(SqlType from, SqlType to)
{
    if (from.oid != to.oid)
        return true;
    if (to.oid == OID_NUMERIC)
        return from.typmod != to.typmod;
    return to.typmod >= 0 && from.typmod != to.typmod;
}

static Status retype_expr(Binder *b, Expr **expr, SqlType type, CastContext context)
{
    Status st = OK;

    TRY(bind_coerce(b, *expr, type, context, -1, expr));
    if (type.oid == OID_NUMERIC && type.typmod < 0)
        TRY(bind_plain_numeric(b, expr));
done:
    return st;
}

Status bind_retype_query(Binder *b, Level *level, BoundQuery *query, const SqlType *types,
                         CastContext context)
{
    Status st = OK;
    TargetList targets = {0};
    bool casts = false;
    ColumnId *ids = scope_new_array(b->scope, ColumnId, query->columns_count + 1);

    for (uint32_t i = 0; i < query->columns_count; i++) {
        BoundColumn *column = &query->columns[i];
        if (column->type.oid == OID_UNKNOWN && types[i].oid != OID_UNKNOWN)
            TRY(retype_unknown(b, query, i, types[i]));
        Target target = {.name = column->name};
        target.expr = expr_column(b->scope, column->id, column->type,
                                  bind_qualified_name(b, STR(""), column->name));
        if (needs_cast(column->type, types[i])) {
            TRY(retype_expr(b, &target.expr, types[i], context));
            column->declared = false;
            casts = true;
        }
        array_push(b->scope, &targets, target);
    }
    if (!casts)
        goto done;
    query->plan = bind_project(b, level, query->plan, &targets, ids);
    for (uint32_t i = 0; i < query->columns_count; i++) {
        query->columns[i].id = ids[i];
        query->columns[i].type = targets.data[i].expr->type;
    }
done:
    return st;
}

// --- set operations ----------------------------------------------------------------------------

static const char *setop_words(AstSetOp op)
{
    return op == AST_SETOP_UNION ? "UNION" : op == AST_SETOP_INTERSECT ? "INTERSECT" : "EXCEPT";
}

static SetOp setop_kind(AstSetOp op, bool all)
{
    switch (op) {
    case AST_SETOP_UNION: return all ? SETOP_UNION_ALL : SETOP_UNION;
    case AST_SETOP_INTERSECT: return all ? SETOP_INTERSECT_ALL : SETOP_INTERSECT;
    default: return all ? SETOP_EXCEPT_ALL : SETOP_EXCEPT;
    }
}

/* A side's type as numeric; unknown and NULL columns fit any. */
static SqlType as_numeric(SqlType type)
{
    return type.oid == OID_NUMERIC ? type : numeric_for_source(type.oid);
}

static Status common_column(Binder *b, const BoundColumn *left, const BoundColumn *right,
                            const char *words, SqlType *out)
{
    Status st = OK;
    Expr l = {.kind = EXPR_COLUMN, .type = left->type, .location = left->location};
    Expr r = {.kind = EXPR_COLUMN, .type = right->type, .location = right->location};
    Expr *both[2] = {&l, &r};
    Oid common;

    TRY(bind_common_type(b, both, 2, words, &common));
    *out = sql_type(common);
    if (left->type.oid == OID_UNKNOWN || right->type.oid == OID_UNKNOWN) {
        const BoundColumn *known = left->type.oid == OID_UNKNOWN ? right : left;
        if (common != OID_NUMERIC && known->type.oid == common)
            out->typmod = -1;
    } else if (common == OID_NUMERIC) {
        *out = numeric_common_value(as_numeric(left->type), as_numeric(right->type));
    } else if (left->type.oid == right->type.oid && left->type.typmod == right->type.typmod) {
        out->typmod = left->type.typmod;
    }
done:
    return st;
}

static Status combine(Binder *b, Level *level, const AstSelect *ast, BoundQuery *left,
                      BoundQuery *right)
{
    Status st = OK;
    const char *words = setop_words(ast->setop);
    uint32_t count = left->columns_count;
    SqlType *types = scope_new_array(b->scope, SqlType, count + 1);

    if (count != right->columns_count)
        BIND_FAIL(b, right->columns_count ? right->columns[0].location : -1, E_SYNTAX,
                  "each %s query must have the same number of columns", words);
    for (uint32_t i = 0; i < count; i++)
        TRY(common_column(b, &left->columns[i], &right->columns[i], words, &types[i]));
    TRY(bind_retype_query(b, level, left, types, CAST_IMPLICIT));
    TRY(bind_retype_query(b, level, right, types, CAST_IMPLICIT));
    Plan *plan = plan_new(b->scope, PLAN_SETOP, count);
    plan->children[0] = left->plan;
    plan->children[1] = right->plan;
    plan->setop.op = setop_kind(ast->setop, ast->setop_all);
    left->plan = plan;
    for (uint32_t i = 0; i < count; i++) {
        BoundColumn *column = &left->columns[i];
        column->id = bind_new_column(b, level);
        column->declared = column->declared && right->columns[i].declared;
        column->type = types[i];
        plan->columns[i] = (PlanColumn){column->id, types[i], bind_c(b, column->name)};
    }
done:
    return st;
}

static void query_targets(Binder *b, const BoundQuery *query, TargetList *out)
{
    for (uint32_t i = 0; i < query->columns_count; i++) {
        const BoundColumn *column = &query->columns[i];
        Target target = {.name = column->name};
        target.expr = expr_column(b->scope, column->id, column->type,
                                  bind_qualified_name(b, STR(""), column->name));
        target.expr->column.declared = column->declared;
        array_push(b->scope, out, target);
    }
}

Status bind_setop(Binder *b, Level *level, const AstSelect *ast, bool keep_unknown UNUSED,
                  BoundQuery *out)
{
    Status st = OK;
    BoundQuery left, right;
    Tail tail = {.ast = ast, .names_only = true};

    TRY(bind_query(b, level, ast->args.items[0], true, &left));
    for (uint32_t i = 1; i < ast->args.count; i++) {
        TRY(bind_query(b, level, ast->args.items[i], true, &right));
        TRY(combine(b, level, ast, &left, &right));
    }
    query_targets(b, &left, &tail.targets);
    bind_add_query_item(b, level, (Str){0}, &left);
    TRY(bind_order(b, level, &ast->order, true, &tail.targets, &tail.order));
    TRY(bind_tail_clauses(b, level, &tail));
    TRY(bind_tail_plan(b, level, &tail, left.plan, out));
done:
    return st;
}

// --- VALUES ------------------------------------------------------------------------------------

static Status bind_rows(Binder *b, Level *level, const AstSelect *ast, ExprList *rows)
{
    Status st = OK;
    uint32_t width = ((const AstValuesRow *)ast->values.items[0])->values.count;

    for (uint32_t i = 0; i < ast->values.count; i++) {
        const AstValuesRow *row = (const AstValuesRow *)ast->values.items[i];
        if (row->values.count != width)
            BIND_FAIL(b, row->node.location, E_SYNTAX, "VALUES lists must all be the same length");
        for (uint32_t j = 0; j < width; j++) {
            Expr *expr;
            TRY(bind_expr_in(b, level, CLAUSE_VALUES, row->values.items[j], &expr));
            array_push(b->scope, &rows[i], expr);
        }
    }
done:
    return st;
}

/* One column of all rows to its common type. */
static Status unify_column(Binder *b, ExprList *rows, uint32_t rows_count, uint32_t at,
                           SqlType *out)
{
    Status st = OK;
    Expr **exprs = scope_new_array(b->scope, Expr *, rows_count);
    Oid type;

    for (uint32_t i = 0; i < rows_count; i++)
        exprs[i] = rows[i].data[at];
    TRY(bind_common_type(b, exprs, rows_count, "VALUES", &type));
    TRY(bind_to_common(b, exprs, rows_count, type, "VALUES", out));
    for (uint32_t i = 0; i < rows_count; i++)
        rows[i].data[at] = exprs[i];
done:
    return st;
}

static Status values_query(Binder *b, Level *level, const AstSelect *ast, BoundQuery *out)
{
    Status st = OK;
    uint32_t rows_count = ast->values.count;
    uint32_t width = ((const AstValuesRow *)ast->values.items[0])->values.count;
    ExprList *rows = scope_new_array(b->scope, ExprList, rows_count);
    Plan *plan = plan_new(b->scope, PLAN_VALUES, width);

    if (width > TARGETS_MAX)
        BIND_FAIL(b, ast->node.location, E_TOO_MANY_COLUMNS,
                  "target lists can have at most %d entries", TARGETS_MAX);
    TRY(bind_rows(b, level, ast, rows));
    *out = (BoundQuery){.plan = plan, .columns_count = width};
    out->columns = scope_new_array(b->scope, BoundColumn, width + 1);
    for (uint32_t i = 0; i < width; i++) {
        BoundColumn *column = &out->columns[i];
        TRY(unify_column(b, rows, rows_count, i, &column->type));
        column->location = rows[0].data[i]->location;
        column->name = str_from(scope_printf(b->scope, "column%u", i + 1));
        column->id = bind_new_column(b, level);
        plan->columns[i] = (PlanColumn){column->id, column->type, column->name.ptr};
    }
    plan->values.rows_count = rows_count;
    plan->values.rows = rows;
done:
    return st;
}

Status bind_values(Binder *b, Level *level, const AstSelect *ast, bool keep_unknown UNUSED,
                   BoundQuery *out)
{
    Status st = OK;
    BoundQuery values;
    Tail tail = {.ast = ast};

    TRY(values_query(b, level, ast, &values));
    bind_add_query_item(b, level, STR("*VALUES*"), &values)->is_subquery = false;
    query_targets(b, &values, &tail.targets);
    TRY(bind_order(b, level, &ast->order, false, &tail.targets, &tail.order));
    if (level->aggs.count > 0 || level->sets.count > 0)
        TRY(bind_unsupported(b, ast->node.location,
                             "aggregate and set-returning functions in ORDER BY of VALUES are"));
    TRY(bind_tail_clauses(b, level, &tail));
    TRY(bind_tail_plan(b, level, &tail, values.plan, out));
done:
    return st;
}
