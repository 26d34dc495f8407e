// SPDX-License-Identifier: Apache-2.0
//
// Making plan nodes, visiting the expressions they hold, and finding the columns that a subtree
// takes from outside. Called by one thread while a statement is planned.
#include "sql/plan/plan.h"

#include "base/map.h"

typedef void (*VisitExpr)(void *arg, Expr **expr);

Plan *plan_new(Scope *scope, PlanKind kind, uint32_t columns_count)
{
    Plan *plan = scope_new(scope, Plan);

    plan->kind = kind;
    plan->columns_count = columns_count;
    if (columns_count > 0)
        plan->columns = scope_new_array(scope, PlanColumn, columns_count);
    return plan;
}

// --- expressions of a node ---------------------------------------------------------------------

static void each_one(Expr **expr, VisitExpr visit, void *arg)
{
    if (*expr)
        visit(arg, expr);
}

static void each_in(Expr **items, uint32_t count, VisitExpr visit, void *arg)
{
    for (uint32_t i = 0; i < count; i++)
        each_one(&items[i], visit, arg);
}

static void each_in_list(ExprList *list, VisitExpr visit, void *arg)
{
    each_in(list->data, list->count, visit, arg);
}

static void each_key(SortKey *keys, uint32_t count, VisitExpr visit, void *arg)
{
    for (uint32_t i = 0; i < count; i++)
        each_one(&keys[i].expr, visit, arg);
}

static void each_bound(KeyBounds *bounds, VisitExpr visit, void *arg)
{
    each_in(bounds->equal, bounds->equal_count, visit, arg);
    each_one(&bounds->low, visit, arg);
    each_one(&bounds->high, visit, arg);
    each_in(bounds->in, bounds->in_count, visit, arg);
}

static void each_of_join(JoinPlan *join, VisitExpr visit, void *arg)
{
    each_in_list(&join->conditions, visit, arg);
    each_in_list(&join->left_keys, visit, arg);
    each_in_list(&join->right_keys, visit, arg);
    each_in_list(&join->residual, visit, arg);
}

static void each_of_modify(ModifyPlan *modify, VisitExpr visit, void *arg)
{
    for (uint32_t i = 0; i < modify->checks_count; i++)
        each_one(&modify->checks[i].expr, visit, arg);
    for (uint32_t i = 0; i < modify->table->indexes_count; i++) {
        if (modify->index_exprs && modify->index_exprs[i])
            each_in(modify->index_exprs[i], modify->table->indexes[i]->columns_count, visit, arg);
        if (modify->index_predicates)
            each_one(&modify->index_predicates[i], visit, arg);
    }
    if (modify->conflict) {
        each_in_list(&modify->conflict->new_row, visit, arg);
        each_one(&modify->conflict->where, visit, arg);
    }
    each_in_list(&modify->returning, visit, arg);
}

void plan_each_expr(Plan *plan, VisitExpr visit, void *arg)
{
    switch (plan->kind) {
    case PLAN_SCAN:
        each_in_list(&plan->scan.filters, visit, arg);
        each_bound(&plan->scan.bounds, visit, arg);
        break;
    case PLAN_VIRTUAL: each_in_list(&plan->virtual_table.filters, visit, arg); break;
    case PLAN_FUNCTION: each_one(&plan->function.call, visit, arg); break;
    case PLAN_VALUES:
        for (uint32_t i = 0; i < plan->values.rows_count; i++)
            each_in_list(&plan->values.rows[i], visit, arg);
        break;
    case PLAN_FILTER: each_in_list(&plan->filter.conditions, visit, arg); break;
    case PLAN_PROJECT: each_in_list(&plan->project.exprs, visit, arg); break;
    case PLAN_PROJECT_SET: each_in_list(&plan->project_set.exprs, visit, arg); break;
    case PLAN_JOIN: each_of_join(&plan->join, visit, arg); break;
    case PLAN_AGGREGATE:
        each_in_list(&plan->aggregate.groups, visit, arg);
        each_in_list(&plan->aggregate.aggs, visit, arg);
        break;
    case PLAN_DISTINCT: each_in_list(&plan->distinct.on, visit, arg); break;
    case PLAN_SORT:
        each_key(plan->sort.keys, plan->sort.keys_count, visit, arg);
        each_one(&plan->sort.limit, visit, arg);
        each_one(&plan->sort.offset, visit, arg);
        break;
    case PLAN_LIMIT:
        each_key(plan->limit.keys, plan->limit.keys_count, visit, arg);
        each_one(&plan->limit.limit, visit, arg);
        each_one(&plan->limit.offset, visit, arg);
        break;
    case PLAN_WINDOW:
        each_key(plan->window.partition, plan->window.partition_count, visit, arg);
        break;
    case PLAN_MODIFY: each_of_modify(&plan->modify, visit, arg); break;
    case PLAN_SETOP:
    case PLAN_CTE:
    case PLAN_CTE_REF:
    case PLAN_RECURSIVE:
    case PLAN_LOCK_ROWS: break;
    }
}

// --- columns from outside ----------------------------------------------------------------------

typedef struct OuterSearch {
    Scope *scope;
    U64Map *made;
    ColumnList used; /* in the order met, repeats included */
} OuterSearch;

static void search_plan(OuterSearch *search, Plan *plan);

static bool search_node(void *arg, Expr *expr)
{
    OuterSearch *search = arg;

    if (expr->kind == EXPR_COLUMN)
        array_push(search->scope, &search->used, expr->column.id);
    else if (expr->kind == EXPR_SUBQUERY)
        search_plan(search, expr->subquery.plan);
    return true;
}

static void search_expr(void *arg, Expr **expr)
{
    expr_walk(*expr, search_node, arg);
}

static void mark_made(OuterSearch *search, ColumnId id)
{
    if (id != 0)
        u64map_put(search->made, id, search);
}

static void search_plan(OuterSearch *search, Plan *plan)
{
    for (uint32_t i = 0; i < plan->columns_count; i++)
        mark_made(search, plan->columns[i].id);
    if (plan->kind == PLAN_JOIN)
        mark_made(search, plan->join.mark);
    if (plan->kind == PLAN_MODIFY && plan->modify.conflict && plan->modify.conflict->do_update) {
        for (uint32_t i = 0; i < plan->modify.table->columns_count; i++) {
            mark_made(search, plan->modify.conflict->existing[i]);
            mark_made(search, plan->modify.conflict->excluded[i]);
        }
    }
    plan_each_expr(plan, search_expr, search);
    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            search_plan(search, plan->children[i]);
    }
}

void plan_outer_columns(Scope *scope, const Plan *plan, ColumnList *out)
{
    OuterSearch search = {.scope = scope, .made = u64map_new(scope)};

    search_plan(&search, (Plan *)plan);
    for (uint32_t i = 0; i < search.used.count; i++) {
        ColumnId id = search.used.data[i];
        if (u64map_get(search.made, id))
            continue;
        mark_made(&search, id);
        array_push(scope, out, id);
    }
}
