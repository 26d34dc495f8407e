// SPDX-License-Identifier: Apache-2.0
//
// Copies of plans with columns of their own, and columns replaced in expressions. A subquery's plan
// is part of its expression: where a column is replaced that it takes from outside, its plan is
// changed too, in a copy.
#include "sql/optimise/optimise_int.h"

ColumnId column_new(Optimiser *o)
{
    return o->column_next++;
}

// --- replacing columns -------------------------------------------------------------------------

typedef struct Substitution {
    Optimiser *o;
    const U64Map *map;
} Substitution;

static Expr *substitute_node(void *arg, Expr *expr);

static void substitute_expr(void *arg, Expr **expr)
{
    *expr = expr_rewrite(((Substitution *)arg)->o->scope, *expr, substitute_node, arg);
}

static void substitute_plan(Substitution *s, Plan *plan)
{
    plan_each_expr(plan, substitute_expr, s);
    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            substitute_plan(s, plan->children[i]);
    }
}

static bool uses_mapped(const Substitution *s, const Expr *subquery)
{
    for (uint32_t i = 0; i < subquery->subquery.outer_count; i++) {
        if (u64map_get(s->map, subquery->subquery.outer[i]))
            return true;
    }
    return false;
}

void subquery_renew_outer(Optimiser *o, Expr *subquery)
{
    ColumnList outer = {0};

    plan_outer_columns(o->scope, subquery->subquery.plan, &outer);
    subquery->subquery.outer = outer.data;
    subquery->subquery.outer_count = outer.count;
}

static Expr *substitute_node(void *arg, Expr *expr)
{
    Substitution *s = arg;

    if (expr->kind == EXPR_COLUMN) {
        Expr *replaced = u64map_get(s->map, expr->column.id);
        return replaced ? replaced : expr;
    }
    if (expr->kind == EXPR_SUBQUERY && uses_mapped(s, expr)) {
        expr->subquery.plan = plan_copy(s->o, expr->subquery.plan);
        substitute_plan(s, expr->subquery.plan);
        subquery_renew_outer(s->o, expr);
    }
    return expr;
}

Expr *expr_substitute(Optimiser *o, const Expr *expr, const U64Map *map)
{
    Substitution s = {o, map};

    return expr_rewrite(o->scope, expr, substitute_node, &s);
}

void list_substitute(Optimiser *o, ExprList *list, const U64Map *map)
{
    ExprList out = {0};

    for (uint32_t i = 0; i < list->count; i++)
        array_push(o->scope, &out, expr_substitute(o, list->data[i], map));
    *list = out;
}

// --- copying -----------------------------------------------------------------------------------

static void copy_list(Optimiser *o, ExprList *list)
{
    ExprList out = {0};

    list_append(o->scope, &out, list);
    *list = out;
}

static void *copy_array(Optimiser *o, const void *data, size_t bytes)
{
    void *copy = scope_alloc(o->scope, bytes + 1);

    if (bytes)
        memcpy(copy, data, bytes);
    return copy;
}

static void copy_keys(Optimiser *o, SortKey **keys, uint32_t count)
{
    *keys = copy_array(o, *keys, count * sizeof **keys);
}

static void copy_lists(Optimiser *o, Plan *plan)
{
    switch (plan->kind) {
    case PLAN_SCAN: copy_list(o, &plan->scan.filters); break;
    case PLAN_VIRTUAL: copy_list(o, &plan->virtual_table.filters); break;
    case PLAN_FILTER: copy_list(o, &plan->filter.conditions); break;
    case PLAN_PROJECT: copy_list(o, &plan->project.exprs); break;
    case PLAN_PROJECT_SET: copy_list(o, &plan->project_set.exprs); break;
    case PLAN_JOIN: copy_list(o, &plan->join.conditions); break;
    case PLAN_AGGREGATE:
        copy_list(o, &plan->aggregate.groups);
        copy_list(o, &plan->aggregate.aggs);
        break;
    case PLAN_DISTINCT: copy_list(o, &plan->distinct.on); break;
    case PLAN_SORT: copy_keys(o, &plan->sort.keys, plan->sort.keys_count); break;
    case PLAN_LIMIT: copy_keys(o, &plan->limit.keys, plan->limit.keys_count); break;
    case PLAN_WINDOW: copy_keys(o, &plan->window.partition, plan->window.partition_count); break;
    case PLAN_VALUES:
        plan->values.rows =
            copy_array(o, plan->values.rows, plan->values.rows_count * sizeof(ExprList));
        for (uint32_t i = 0; i < plan->values.rows_count; i++)
            copy_list(o, &plan->values.rows[i]);
        break;
    default: break;
    }
}

/* The same plan in nodes and lists of its own. Nothing that writes is ever copied. */
Plan *plan_copy(Optimiser *o, const Plan *plan)
{
    Plan *copy = scope_new(o->scope, Plan);

    ASSERT(plan->kind != PLAN_MODIFY);
    *copy = *plan;
    copy->columns = copy_array(o, plan->columns, plan->columns_count * sizeof *plan->columns);
    copy_lists(o, copy);
    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            copy->children[i] = plan_copy(o, plan->children[i]);
    }
    return copy;
}

// --- with new ids ------------------------------------------------------------------------------

typedef struct Renaming {
    Optimiser *o;
    U64Map *ids;  /* old id -> new id */
    U64Map *ctes; /* the same of common tables made inside */
} Renaming;

static ColumnId new_id(Renaming *r, ColumnId id)
{
    void *known = u64map_get(r->ids, id);

    if (known)
        return (ColumnId)(uintptr_t)known;
    ColumnId made = column_new(r->o);
    u64map_put(r->ids, id, (void *)(uintptr_t)made);
    return made;
}

static Expr *rename_node(void *arg, Expr *expr);

static void rename_expr(void *arg, Expr **expr)
{
    *expr = expr_rewrite(((Renaming *)arg)->o->scope, *expr, rename_node, arg);
}

/* Ids are made before they are used: by the nodes' columns. */
static void rename_columns(Renaming *r, Plan *plan)
{
    for (uint32_t i = 0; i < plan->columns_count; i++)
        plan->columns[i].id = new_id(r, plan->columns[i].id);
    if (plan->kind == PLAN_JOIN && plan->join.mark)
        plan->join.mark = new_id(r, plan->join.mark);
    if (plan->kind == PLAN_CTE || plan->kind == PLAN_RECURSIVE) {
        uint32_t made = r->o->cte_next++;
        u64map_put(r->ctes, plan->cte.id, (void *)(uintptr_t)made);
        plan->cte.id = made;
    }
    for (uint32_t i = 0; plan->kind == PLAN_LOCK_ROWS && i < plan->lock_rows.count; i++)
        plan->lock_rows.keys[i] = new_id(r, plan->lock_rows.keys[i]);
    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            rename_columns(r, plan->children[i]);
    }
}

static void rename_uses(Renaming *r, Plan *plan)
{
    void *cte = plan->kind == PLAN_CTE_REF ? u64map_get(r->ctes, plan->cte.id) : NULL;

    if (cte)
        plan->cte.id = (uint32_t)(uintptr_t)cte;
    plan_each_expr(plan, rename_expr, r);
    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            rename_uses(r, plan->children[i]);
    }
}

static Expr *rename_node(void *arg, Expr *expr)
{
    Renaming *r = arg;

    if (expr->kind == EXPR_COLUMN) {
        void *known = u64map_get(r->ids, expr->column.id);
        if (known)
            expr->column.id = (ColumnId)(uintptr_t)known;
        return expr;
    }
    if (expr->kind != EXPR_SUBQUERY)
        return expr;
    Plan *plan = plan_copy(r->o, expr->subquery.plan);
    rename_columns(r, plan);
    rename_uses(r, plan);
    expr->subquery.plan = plan;
    expr->subquery.outputs =
        copy_array(r->o, expr->subquery.outputs, expr->subquery.outputs_count * sizeof(ColumnId));
    for (uint32_t i = 0; i < expr->subquery.outputs_count; i++)
        expr->subquery.outputs[i] = new_id(r, expr->subquery.outputs[i]);
    subquery_renew_outer(r->o, expr);
    return expr;
}

Plan *plan_clone(Optimiser *o, const Plan *plan, U64Map *map)
{
    Renaming r = {.o = o, .ids = map ? map : u64map_new(o->scope), .ctes = u64map_new(o->scope)};
    Plan *copy = plan_copy(o, plan);

    rename_columns(&r, copy);
    rename_uses(&r, copy);
    return copy;
}
