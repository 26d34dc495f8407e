// SPDX-License-Identifier: Apache-2.0
//
// The general case of a correlated aggregate (Neumann and Kemper's domain): the different values
// that the outer columns take are joined with the subquery's input under the correlated conditions,
// whatever they are, and the aggregate is grouped by those values. The outer side is then needed
// twice: a copy is read again where it is one table, else it is materialised as a common table.
#include "sql/optimise/unnest/unnest_int.h"

/* Outer columns that the aggregate's arguments or its input use. */
static ColumnList used_columns(Pull *p, const Plan *aggregate)
{
    ColumnList outer = {0}, out = {0};

    plan_outer_columns(p->o->scope, aggregate, &outer);
    for (uint32_t i = 0; i < outer.count; i++) {
        if (idset_has(&p->outer, outer.data[i]))
            array_push(p->o->scope, &out, outer.data[i]);
    }
    return out;
}

bool domain_is_possible(Pull *p, const Plan *aggregate)
{
    for (uint32_t i = 0; i < aggregate->aggregate.aggs.count; i++) {
        const Expr *agg = aggregate->aggregate.aggs.data[i];
        if (expr_has_subquery(agg) || expr_is_volatile(agg))
            return false;
    }
    return used_columns(p, aggregate).count > 0 &&
           pull_is_possible(p, aggregate->children[0], false);
}

/* One table, maybe filtered: cheaper to read twice than to keep. */
static bool is_cheap(const Plan *plan)
{
    while (plan->kind == PLAN_FILTER || plan->kind == PLAN_PROJECT) {
        const ExprList *exprs =
            plan->kind == PLAN_FILTER ? &plan->filter.conditions : &plan->project.exprs;
        for (uint32_t i = 0; i < exprs->count; i++) {
            if (expr_is_volatile(exprs->data[i]) || expr_has_subquery(exprs->data[i]))
                return false;
        }
        plan = plan->children[0];
    }
    return plan->kind == PLAN_SCAN;
}

static Plan *reference(Optimiser *o, const Plan *child, uint32_t cte, U64Map *ids)
{
    Plan *ref = plan_new(o->scope, PLAN_CTE_REF, child->columns_count);

    ref->cte.id = cte;
    ref->cte.name = "outer";
    for (uint32_t i = 0; i < child->columns_count; i++) {
        ref->columns[i] = child->columns[i];
        if (ids == NULL)
            continue;
        ref->columns[i].id = column_new(o);
        u64map_put(ids, child->columns[i].id, (void *)(uintptr_t)ref->columns[i].id);
    }
    return ref;
}

/* The distinct values of the columns; `map` gets for each the column that holds it. */
static Plan *make_domain(Optimiser *o, Plan *source, const U64Map *ids, const ColumnList *columns,
                         U64Map *map)
{
    Plan *project = plan_new(o->scope, PLAN_PROJECT, columns->count);

    project->children[0] = source;
    for (uint32_t i = 0; i < columns->count; i++) {
        ColumnId id = (ColumnId)(uintptr_t)u64map_get(ids, columns->data[i]);
        const PlanColumn *column = plan_column(source, id);
        ASSERT(column);
        project->columns[i] = *column;
        project->columns[i].id = column_new(o);
        array_push(o->scope, &project->project.exprs, plan_column_expr(o->scope, column));
        u64map_put(map, columns->data[i], plan_column_expr(o->scope, &project->columns[i]));
    }
    return plan_over(o->scope, PLAN_DISTINCT, project);
}

/* Groups before what the aggregate gave so far. */
static void group_by(Optimiser *o, Plan *aggregate, const Plan *domain)
{
    uint32_t groups = domain->columns_count, aggs = aggregate->columns_count;
    PlanColumn *columns = scope_new_array(o->scope, PlanColumn, groups + aggs);

    memcpy(columns, domain->columns, groups * sizeof *columns);
    memcpy(columns + groups, aggregate->columns, aggs * sizeof *columns);
    aggregate->columns = columns;
    aggregate->columns_count = groups + aggs;
    for (uint32_t i = 0; i < groups; i++)
        array_push(o->scope, &aggregate->aggregate.groups,
                   plan_column_expr(o->scope, &domain->columns[i]));
}

static Expr *same_value(Optimiser *o, Expr *left, Expr *right)
{
    Expr *expr = expr_new(o->scope, EXPR_DISTINCT, sql_type(OID_BOOL), 2);

    expr->test.negated = true;
    expr->args[0] = left;
    expr->args[1] = right;
    return expr;
}

Plan *domain_join(Pull *p, Plan *child, Plan *aggregate)
{
    Optimiser *o = p->o;
    ColumnList columns = used_columns(p, aggregate);
    U64Map *ids = u64map_new(o->scope), *map = u64map_new(o->scope);
    bool cheap = is_cheap(child);
    uint32_t cte = cheap ? 0 : o->cte_next++;
    Plan *source = cheap ? plan_clone(o, child, ids) : reference(o, child, cte, ids);
    Plan *domain = make_domain(o, source, ids, &columns, map);
    Plan *inner = plan_new(o->scope, PLAN_JOIN, 0), *join = plan_new(o->scope, PLAN_JOIN, 0);

    inner->children[0] = domain;
    inner->children[1] = pull_conditions(p, aggregate->children[0]);
    inner->join.conditions = p->conds;
    list_substitute(o, &inner->join.conditions, map);
    join_set_columns(o, inner);
    aggregate->children[0] = inner;
    list_substitute(o, &aggregate->aggregate.aggs, map);
    group_by(o, aggregate, domain);
    join->join.type = JOIN_LEFT;
    join->children[0] = cheap ? child : reference(o, child, cte, NULL);
    join->children[1] = aggregate;
    for (uint32_t i = 0; i < columns.count; i++) {
        Expr *outer = plan_column_expr(o->scope, plan_column(child, columns.data[i]));
        Expr *value = u64map_get(map, columns.data[i]);
        array_push(o->scope, &join->join.conditions, same_value(o, outer, value));
    }
    join_set_columns(o, join);
    if (cheap)
        return join;
    Plan *with = plan_over(o->scope, PLAN_CTE, join);
    with->children[0] = child;
    with->children[1] = join;
    with->cte.id = cte;
    with->cte.name = "outer";
    return with;
}
