// SPDX-License-Identifier: Apache-2.0
//
// Columns that nobody reads are not made: from the top down every node is told what is needed of
// it. Scans then decode only columns that are used, joins carry only what is read above them, and
// projections that do nothing vanish. Where columns match by position (`exact`) they stay.
#include "sql/optimise/optimise_int.h"

static void need_exprs(Optimiser *o, IdSet *need, const ExprList *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        idset_add_expr(o->scope, need, list->data[i]);
}

static void need_keys(Optimiser *o, IdSet *need, const SortKey *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        idset_add_expr(o->scope, need, keys[i].expr);
}

static IdSet copy_set(Optimiser *o, const IdSet *set)
{
    IdSet copy = {0};

    idset_union(o->scope, &copy, set);
    return copy;
}

static void take_columns(Optimiser *o, Plan *plan)
{
    const Plan *child = plan->children[0];

    plan->columns_count = child->columns_count;
    plan->columns = scope_new_array(o->scope, PlanColumn, child->columns_count + 1);
    if (child->columns_count)
        memcpy(plan->columns, child->columns, child->columns_count * sizeof *plan->columns);
}

// --- sources -----------------------------------------------------------------------------------

/* Keeps the columns in `need`; `column_at` goes along. */
static void keep_columns(Optimiser *o, Plan *plan, const IdSet *need, const uint32_t **column_at)
{
    PlanColumn *columns = scope_new_array(o->scope, PlanColumn, plan->columns_count + 1);
    uint32_t *at = scope_new_array(o->scope, uint32_t, plan->columns_count + 1), kept = 0;

    for (uint32_t i = 0; i < plan->columns_count; i++) {
        if (!idset_has(need, plan->columns[i].id))
            continue;
        columns[kept] = plan->columns[i];
        at[kept++] = (*column_at)[i];
    }
    plan->columns = columns;
    plan->columns_count = kept;
    *column_at = at;
}

static void prune_scan(Optimiser *o, Plan *plan, const IdSet *need)
{
    IdSet used = copy_set(o, need);
    bool with_key = plan->scan.with_key;
    PlanColumn key = {0};

    need_exprs(o, &used, &plan->scan.filters);
    if (with_key)
        key = plan->columns[--plan->columns_count];
    keep_columns(o, plan, &used, &plan->scan.column_at);
    plan->scan.with_key = with_key && idset_has(&used, key.id);
    if (plan->scan.with_key)
        plan->columns[plan->columns_count++] = key;
}

static void prune_values(Optimiser *o, Plan *plan, const IdSet *need)
{
    PlanColumn *columns = scope_new_array(o->scope, PlanColumn, plan->columns_count + 1);
    uint32_t *from = scope_new_array(o->scope, uint32_t, plan->columns_count + 1), kept = 0;

    for (uint32_t i = 0; i < plan->columns_count; i++) {
        bool keeps = idset_has(need, plan->columns[i].id);
        for (uint32_t j = 0; j < plan->values.rows_count && !keeps; j++)
            keeps = expr_is_volatile(plan->values.rows[j].data[i]);
        if (keeps) {
            columns[kept] = plan->columns[i];
            from[kept++] = i;
        }
    }
    if (kept == plan->columns_count)
        return;
    ExprList *rows = scope_new_array(o->scope, ExprList, plan->values.rows_count + 1);
    for (uint32_t j = 0; j < plan->values.rows_count; j++) {
        for (uint32_t i = 0; i < kept; i++)
            array_push(o->scope, &rows[j], plan->values.rows[j].data[from[i]]);
    }
    plan->values.rows = rows;
    plan->columns = columns;
    plan->columns_count = kept;
}

// --- projections -------------------------------------------------------------------------------

static void keep_exprs(Optimiser *o, Plan *plan, ExprList *exprs, const IdSet *need)
{
    PlanColumn *columns = scope_new_array(o->scope, PlanColumn, plan->columns_count + 1);
    ExprList kept = {0};

    for (uint32_t i = 0; i < exprs->count; i++) {
        Expr *expr = exprs->data[i];
        bool set = expr->kind == EXPR_FUNC && expr->func.info->set;
        if (!idset_has(need, plan->columns[i].id) && !set && !expr_is_volatile(expr))
            continue;
        columns[kept.count] = plan->columns[i];
        array_push(o->scope, &kept, expr);
    }
    plan->columns = columns;
    plan->columns_count = kept.count;
    *exprs = kept;
}

static bool is_idle_project(const Plan *plan)
{
    for (uint32_t i = 0; i < plan->columns_count; i++) {
        if (!expr_is_column(plan->project.exprs.data[i], plan->columns[i].id))
            return false;
    }
    return true;
}

static bool same_columns(const Plan *a, const Plan *b)
{
    for (uint32_t i = 0; i < a->columns_count && a->columns_count == b->columns_count; i++) {
        if (a->columns[i].id != b->columns[i].id)
            return false;
    }
    return a->columns_count == b->columns_count;
}

/* A projection of a projection is one, unless something would be computed twice. */
static void merge_projects(Optimiser *o, Plan *plan)
{
    const Plan *child = plan->children[0];
    U64Map *map = u64map_new(o->scope);

    if (child->kind != PLAN_PROJECT)
        return;
    for (uint32_t i = 0; i < child->columns_count; i++) {
        Expr *expr = child->project.exprs.data[i];
        if (expr->kind != EXPR_COLUMN && expr->kind != EXPR_CONST && expr->kind != EXPR_PARAM)
            return;
        u64map_put(map, child->columns[i].id, expr);
    }
    list_substitute(o, &plan->project.exprs, map);
    plan->children[0] = child->children[0];
}

static Plan *prune_project(Optimiser *o, Plan *plan, const IdSet *need, bool exact)
{
    IdSet below = {0};

    if (!exact)
        keep_exprs(o, plan, &plan->project.exprs, need);
    merge_projects(o, plan);
    need_exprs(o, &below, &plan->project.exprs);
    plan->children[0] = prune(o, plan->children[0], &below, false);
    if (!is_idle_project(plan) || (exact && !same_columns(plan, plan->children[0])))
        return plan;
    return plan->children[0];
}

// --- joins -------------------------------------------------------------------------------------

static IdSet outer_needs(Optimiser *o, const Plan *plan)
{
    ColumnList outer = {0};
    IdSet need = {0};

    plan_outer_columns(o->scope, plan, &outer);
    for (uint32_t i = 0; i < outer.count; i++)
        idset_add(o->scope, &need, outer.data[i]);
    return need;
}

static Plan *prune_join(Optimiser *o, Plan *plan, const IdSet *need, bool exact)
{
    IdSet used = copy_set(o, need);
    const PlanColumn *columns = plan->columns;
    uint32_t count = plan->columns_count;

    for (uint32_t i = 0; exact && i < count; i++)
        idset_add(o->scope, &used, columns[i].id);
    bool by_index = plan->join.method == JOIN_INDEX;
    need_exprs(o, &used, by_index ? &plan->join.residual : &plan->join.conditions);
    plan->children[1] = prune(o, plan->children[1], &used, false);
    if (!by_index)
        plan->children[1] = plan_narrow(o->scope, plan->children[1], &used);
    if (by_index || plan->join.dependent) {
        IdSet outer = outer_needs(o, plan->children[1]);
        idset_union(o->scope, &used, &outer);
    }
    plan->children[0] = prune(o, plan->children[0], &used, false);
    plan->children[0] = plan_narrow(o->scope, plan->children[0], &used);
    if (by_index)
        plan->join.conditions = plan->join.residual;
    join_set_columns(o, plan);
    join_choose_keys(o, plan);
    return exact ? plan_shaped(o->scope, plan, columns, count) : plan;
}

// --- the others --------------------------------------------------------------------------------

static void prune_aggregate(Optimiser *o, Plan *plan, const IdSet *need, bool exact)
{
    uint32_t groups = plan->aggregate.groups.count, kept = groups;
    IdSet below = {0};
    ExprList aggs = {0};

    for (uint32_t i = 0; i < plan->aggregate.aggs.count; i++) {
        bool last = groups + aggs.count == 0 && i + 1 == plan->aggregate.aggs.count;
        if (!exact && !last && !idset_has(need, plan->columns[groups + i].id))
            continue;
        plan->columns[kept++] = plan->columns[groups + i];
        array_push(o->scope, &aggs, plan->aggregate.aggs.data[i]);
    }
    plan->aggregate.aggs = aggs;
    plan->columns_count = kept;
    need_exprs(o, &below, &plan->aggregate.groups);
    need_exprs(o, &below, &aggs);
    plan->children[0] = prune(o, plan->children[0], &below, false);
}

/* UNION ALL: the same positions of both sides. */
static void prune_union(Optimiser *o, Plan *plan, const IdSet *need)
{
    uint32_t *from = scope_new_array(o->scope, uint32_t, plan->columns_count + 1), kept = 0;

    for (uint32_t i = 0; i < plan->columns_count; i++) {
        if (idset_has(need, plan->columns[i].id))
            from[kept++] = i;
    }
    for (int side = 0; side < 2; side++) {
        const Plan *child = plan->children[side];
        PlanColumn *columns = scope_new_array(o->scope, PlanColumn, kept + 1);
        IdSet below = {0};
        for (uint32_t i = 0; i < kept; i++) {
            columns[i] = child->columns[from[i]];
            idset_add(o->scope, &below, columns[i].id);
        }
        plan->children[side] =
            plan_shaped(o->scope, prune(o, plan->children[side], &below, false), columns, kept);
    }
    PlanColumn *columns = scope_new_array(o->scope, PlanColumn, kept + 1);
    for (uint32_t i = 0; i < kept; i++)
        columns[i] = plan->columns[from[i]];
    plan->columns = columns;
    plan->columns_count = kept;
}

/* Nodes that pass their child's columns on, and need some themselves. */
static void prune_through(Optimiser *o, Plan *plan, const IdSet *need, bool exact)
{
    IdSet used = copy_set(o, need);

    switch (plan->kind) {
    case PLAN_FILTER: need_exprs(o, &used, &plan->filter.conditions); break;
    case PLAN_SORT: need_keys(o, &used, plan->sort.keys, plan->sort.keys_count); break;
    case PLAN_LIMIT: need_keys(o, &used, plan->limit.keys, plan->limit.keys_count); break;
    case PLAN_DISTINCT:
        need_exprs(o, &used, &plan->distinct.on);
        exact |= plan->distinct.on.count == 0;
        break;
    case PLAN_LOCK_ROWS:
        for (uint32_t i = 0; i < plan->lock_rows.count; i++)
            idset_add(o->scope, &used, plan->lock_rows.keys[i]);
        break;
    default: break;
    }
    plan->children[0] = prune(o, plan->children[0], &used, exact);
    take_columns(o, plan);
}

static void prune_both_exactly(Optimiser *o, Plan *plan)
{
    IdSet none = {0};

    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            plan->children[i] = prune(o, plan->children[i], &none, true);
    }
}

Plan *prune(Optimiser *o, Plan *plan, const IdSet *need, bool exact)
{
    IdSet below = {0};

    switch (plan->kind) {
    case PLAN_SCAN:
        if (!exact)
            prune_scan(o, plan, need);
        break;
    case PLAN_VIRTUAL:
        below = copy_set(o, need);
        need_exprs(o, &below, &plan->virtual_table.filters);
        if (!exact)
            keep_columns(o, plan, &below, &plan->virtual_table.column_at);
        break;
    case PLAN_VALUES:
        if (!exact)
            prune_values(o, plan, need);
        break;
    case PLAN_PROJECT: return prune_project(o, plan, need, exact);
    case PLAN_PROJECT_SET:
        if (!exact)
            keep_exprs(o, plan, &plan->project_set.exprs, need);
        need_exprs(o, &below, &plan->project_set.exprs);
        plan->children[0] = prune(o, plan->children[0], &below, false);
        break;
    case PLAN_JOIN: return prune_join(o, plan, need, exact);
    case PLAN_AGGREGATE: prune_aggregate(o, plan, need, exact); break;
    case PLAN_SETOP:
        if (plan->setop.op == SETOP_UNION_ALL && !exact)
            prune_union(o, plan, need);
        else
            prune_both_exactly(o, plan);
        break;
    case PLAN_CTE:
        plan->children[0] = prune(o, plan->children[0], &below, true);
        plan->children[1] = prune(o, plan->children[1], need, exact);
        plan->columns = plan->children[1]->columns;
        plan->columns_count = plan->children[1]->columns_count;
        break;
    case PLAN_FILTER:
    case PLAN_SORT:
    case PLAN_LIMIT:
    case PLAN_DISTINCT:
    case PLAN_LOCK_ROWS: prune_through(o, plan, need, exact); break;
    case PLAN_RECURSIVE:
    case PLAN_WINDOW:
    case PLAN_MODIFY: prune_both_exactly(o, plan); break;
    case PLAN_FUNCTION:
    case PLAN_CTE_REF: break;
    }
    return plan;
}
