// SPDX-License-Identifier: Apache-2.0
//
// Functions in FROM: set-returning ones as PLAN_FUNCTION, others as one row of one value. They may
// always look at the items before them (LATERAL need not be written). One thread.
#include "sql/bind/query_int.h"

static Status check_supported(Binder *b, const AstRangeFunction *ast)
{
    const AstRowsFromItem *item = (const AstRowsFromItem *)ast->functions.items[0];

    if (ast->functions.count > 1 || ast->rows_from)
        return bind_unsupported(b, ast->node.location, "ROWS FROM is");
    if (ast->column_defs.count > 0 || item->column_defs.count > 0)
        return bind_unsupported(b, ast->node.location, "column definition lists of functions are");
    return OK;
}

static Status bind_the_call(Binder *b, Level *level, const AstRangeFunction *ast, Expr **out)
{
    const AstRowsFromItem *item = (const AstRowsFromItem *)ast->functions.items[0];
    bool lateral = level->lateral;

    level->lateral = true;
    Status st = bind_expr_in(b, level, CLAUSE_FROM_FUNCTION, item->function, out);
    level->lateral = lateral;
    if (st == OK)
        st = bind_resolve_unknown(b, out);
    return st;
}

static bool find_set(void *arg, Expr *expr)
{
    if (expr->kind == EXPR_FUNC && expr->func.info->set)
        *(bool *)arg = true;
    return true;
}

static Status check_nested_sets(Binder *b, Expr *call)
{
    bool found = false;

    if (call->kind != EXPR_FUNC || !call->func.info->set) {
        expr_walk(call, find_set, &found);
    } else {
        for (uint32_t i = 0; i < call->args_count; i++)
            expr_walk(call->args[i], find_set, &found);
    }
    if (!found)
        return OK;
    return bind_at(b, call->location,
                   error_raise(b->ctx, E_FEATURE_NOT_SUPPORTED,
                               "set-returning functions must appear at top level of FROM"));
}

/* The function's own name as PostgreSQL gives it to the item and its single column. */
static Str call_name(const AstRangeFunction *ast, const Expr *call)
{
    const AstRowsFromItem *item = (const AstRowsFromItem *)ast->functions.items[0];
    AstTarget target = {.value = item->function};
    Str name = ast_target_name(&target);

    if (name.ptr == NULL && call->kind == EXPR_FUNC)
        name = str_from(call->func.info->name);
    return name;
}

/* "a,b,c": the part at `at`; the whole text is the info's. */
static Str column_part(const char *names, uint32_t at)
{
    for (; at > 0; at--)
        names = strchr(names, ',') + 1;
    const char *end = strchr(names, ',');
    return str_make(names, end ? (size_t)(end - names) : strlen(names));
}

static uint32_t parts_count(const char *names)
{
    uint32_t count = 1;

    for (; *names; names++)
        count += *names == ',';
    return count;
}

/* Names and types of what the function gives. */
static void function_columns(Binder *b, const Expr *call, Str name, BoundQuery *out)
{
    const char *names = call->kind == EXPR_FUNC ? call->func.info->column_names : NULL;

    out->columns_count = names ? parts_count(names) : 1;
    out->columns = scope_new_array(b->scope, BoundColumn, out->columns_count + 1);
    if (names == NULL) {
        out->columns[0] = (BoundColumn){.name = name, .type = call->type};
        return;
    }
    for (uint32_t i = 0; i < out->columns_count; i++)
        out->columns[i] = (BoundColumn){.name = column_part(names, i),
                                        .type = sql_type(call->func.info->columns[i])};
}

static Plan *function_plan(Binder *b, Expr *call, const BoundQuery *query, bool ordinality)
{
    bool set = call->kind == EXPR_FUNC && call->func.info->set;
    Plan *plan = plan_new(b->scope, set ? PLAN_FUNCTION : PLAN_VALUES, query->columns_count);

    for (uint32_t i = 0; i < query->columns_count; i++) {
        const BoundColumn *column = &query->columns[i];
        plan->columns[i] = (PlanColumn){column->id, column->type, bind_c(b, column->name)};
    }
    if (set) {
        plan->function.call = call;
        plan->function.ordinality = ordinality;
        return plan;
    }
    plan->values.rows_count = 1;
    plan->values.rows = scope_new(b->scope, ExprList);
    array_push(b->scope, &plan->values.rows[0], call);
    if (ordinality) {
        Datum one = {.type = sql_type(OID_INT8), .int64 = 1};
        Expr *number = expr_const(b->scope, &one);
        array_push(b->scope, &plan->values.rows[0], number);
    }
    return plan;
}

Status bind_range_function(Binder *b, Level *level, const AstRangeFunction *ast, Plan **out)
{
    Status st = OK;
    BoundQuery query = {0};
    Expr *call;

    TRY(check_supported(b, ast));
    TRY(bind_the_call(b, level, ast, &call));
    TRY(check_nested_sets(b, call));
    Str name = call_name(ast, call);
    bool single = !(call->kind == EXPR_FUNC && call->func.info->column_names);
    function_columns(b, call, single && ast->alias ? ast->alias->name : name, &query);
    if (ast->ordinality)
        query.columns[query.columns_count++] =
            (BoundColumn){.name = STR("ordinality"), .type = sql_type(OID_INT8)};
    for (uint32_t i = 0; i < query.columns_count; i++)
        query.columns[i].id = bind_new_column(b, level);
    RangeItem *item = bind_add_query_item(b, level, ast->alias ? ast->alias->name : name, &query);
    item->is_subquery = false;
    TRY(bind_apply_alias(b, item, ast->alias, ast->node.location));
    *out = function_plan(b, call, &query, ast->ordinality);
done:
    return st;
}
