// SPDX-License-Identifier: Apache-2.0
//
// Subqueries as values: aggregates without GROUP BY, alone or as a LATERAL item, and the walk
// through an expression. An aggregate that is correlated by equalities is computed for all their
// values at once and joined; where a row finds none, count is 0 and every other aggregate NULL, and
// what the subquery computes of it is computed above the join, so that the "count bug" cannot
// happen.
#include "sql/optimise/unnest/unnest_int.h"

bool unnest_limit_is_idle(const Plan *limit)
{
    const Expr *count = limit->limit.limit;

    if (limit->limit.offset || limit->limit.with_ties)
        return false;
    return count == NULL ||
           (count->kind == EXPR_CONST && (count->constant.is_null || (count->type.oid == OID_INT8 &&
                                                                      count->constant.int64 >= 1)));
}

static void through_project(Optimiser *o, const Plan *plan, ScalarAggregate *s)
{
    U64Map *map = u64map_new(o->scope);

    for (uint32_t i = 0; i < plan->columns_count; i++)
        u64map_put(map, plan->columns[i].id, plan->project.exprs.data[i]);
    list_substitute(o, &s->outputs, map);
    list_substitute(o, &s->having, map);
}

static bool find_aggregate(Optimiser *o, Plan *plan, ScalarAggregate *s)
{
    for (uint32_t i = 0; i < plan->columns_count; i++)
        array_push(o->scope, &s->outputs, plan_column_expr(o->scope, &plan->columns[i]));
    for (;; plan = plan->children[0]) {
        switch (plan->kind) {
        case PLAN_PROJECT: through_project(o, plan, s); break;
        case PLAN_FILTER: list_append(o->scope, &s->having, &plan->filter.conditions); break;
        case PLAN_SORT:
            if (plan->sort.limit || plan->sort.offset)
                return false;
            break;
        case PLAN_LIMIT:
            if (!unnest_limit_is_idle(plan))
                return false;
            break;
        case PLAN_AGGREGATE:
            s->aggregate = plan;
            return plan->aggregate.groups.count == 0 && plan->aggregate.sets_count == 0;
        default: return false;
        }
    }
}

static bool aggregate_is_free(Pull *p, const Plan *aggregate)
{
    for (uint32_t i = 0; i < aggregate->aggregate.aggs.count; i++) {
        if (expr_uses(p->o, aggregate->aggregate.aggs.data[i], &p->outer))
            return false;
    }
    return pull_is_possible(p, aggregate->children[0], true);
}

/* Without rows count is 0; the others are NULL, as the outer join gives them. */
static U64Map *empty_values(Optimiser *o, const Plan *aggregate)
{
    U64Map *map = u64map_new(o->scope);
    uint32_t groups = aggregate->aggregate.groups.count;

    for (uint32_t i = 0; i < aggregate->aggregate.aggs.count; i++) {
        const PlanColumn *column = &aggregate->columns[groups + i];
        if (strcmp(aggregate->aggregate.aggs.data[i]->agg.info->name, "count") != 0)
            continue;
        Expr *coalesce = expr_new(o->scope, EXPR_COALESCE, column->type, 2);
        Datum zero = {.type = column->type};
        coalesce->args[0] = plan_column_expr(o->scope, column);
        coalesce->args[1] = expr_const(o->scope, &zero);
        u64map_put(map, column->id, coalesce);
    }
    return map;
}

/* The aggregate, grouped by what it was correlated with, joined to the child. */
static Plan *join_keyed(Pull *p, Plan *child, Plan *aggregate)
{
    Optimiser *o = p->o;
    Plan *join = plan_new(o->scope, PLAN_JOIN, 0);

    aggregate->children[0] = pull_conditions(p, aggregate->children[0]);
    pull_add_groups(p, aggregate, &p->conds);
    join->children[0] = child;
    join->children[1] = aggregate;
    join->join.type = JOIN_LEFT;
    join->join.conditions = p->conds;
    join_set_columns(o, join);
    return join;
}

/* NULL: it cannot be freed of its correlation. */
static Plan *join_aggregate(Pull *p, Plan *child, ScalarAggregate *s)
{
    Plan *join;

    if (aggregate_is_free(p, s->aggregate))
        join = join_keyed(p, child, s->aggregate);
    else if (domain_is_possible(p, s->aggregate))
        join = domain_join(p, child, s->aggregate);
    else
        return NULL;
    U64Map *map = empty_values(p->o, s->aggregate);
    list_substitute(p->o, &s->outputs, map);
    list_substitute(p->o, &s->having, map);
    return join;
}

static Expr *value_if(Optimiser *o, const ExprList *having, Expr *value)
{
    if (having->count == 0)
        return value;
    Expr *expr = expr_new(o->scope, EXPR_CASE, value->type, 3);
    expr->args[0] = expr_and(o->scope, having->data, having->count);
    expr->args[1] = value;
    expr->args[2] = expr_null(o->scope, value->type);
    return expr;
}

Expr *unnest_scalar_aggregate(Unnest *u, Expr *subquery)
{
    Optimiser *o = u->o;
    Plan *plan = subquery->subquery.plan;
    ScalarAggregate s = {0};
    Pull p = {.o = o, .outer = idset_of_plan(o->scope, u->child)};
    uint32_t at = 0;

    while (at < plan->columns_count && plan->columns[at].id != subquery->subquery.outputs[0])
        at++;
    if (at == plan->columns_count || !find_aggregate(o, plan, &s))
        return NULL;
    Plan *join = join_aggregate(&p, u->child, &s);
    if (join == NULL)
        return NULL;
    u->child = join;
    return value_if(o, &s.having, s.outputs.data[at]);
}

// --- LATERAL -----------------------------------------------------------------------------------

/* Each left row has exactly one right row. */
static bool lateral_aggregate(Optimiser *o, Plan **slot)
{
    Plan *plan = *slot, *right = plan->children[1];
    ScalarAggregate s = {0};
    Pull p = {.o = o, .outer = idset_of_plan(o->scope, plan->children[0])};

    if (!find_aggregate(o, right, &s))
        return false;
    if (plan->join.type == JOIN_LEFT && (s.having.count || plan->join.conditions.count))
        return false;
    Plan *join = join_aggregate(&p, plan->children[0], &s);
    if (join == NULL)
        return false;
    Plan *filter = plan_filter(o->scope, join, &s.having);
    Plan *project = plan_new(o->scope, PLAN_PROJECT, plan->columns_count);
    project->children[0] = filter;
    for (uint32_t i = 0; i < plan->columns_count; i++) {
        uint32_t left_count = plan->children[0]->columns_count;
        Expr *expr = i < left_count ? plan_column_expr(o->scope, &plan->columns[i])
                                    : s.outputs.data[i - left_count];
        project->columns[i] = plan->columns[i];
        array_push(o->scope, &project->project.exprs, expr);
    }
    *slot = plan_filter(o->scope, project, &plan->join.conditions);
    return true;
}

void unnest_lateral(Optimiser *o, Plan **slot)
{
    Plan *plan = *slot;
    IdSet before = idset_of_plan(o->scope, plan);
    Pull p = {.o = o, .outer = idset_of_plan(o->scope, plan->children[0])};

    if (!plan_uses(o, plan->children[1], &p.outer)) {
        plan->join.dependent = false;
        return;
    }
    if ((plan->join.type != JOIN_INNER && plan->join.type != JOIN_LEFT) ||
        lateral_aggregate(o, slot) || !pull_is_possible(&p, plan->children[1], false))
        return;
    plan->children[1] = pull_conditions(&p, plan->children[1]);
    list_append(o->scope, &plan->join.conditions, &p.conds);
    plan->join.dependent = false;
    join_set_columns(o, plan);
    *slot = plan_narrow(o->scope, plan, &before);
}

// --- inside expressions ------------------------------------------------------------------------

static LiftMode mode_of_arg(const Expr *expr, uint32_t at, LiftMode mode)
{
    LiftMode inner = {.conditional = mode.conditional};

    switch (expr->kind) {
    case EXPR_AND:
    case EXPR_OR:
        inner.conditional |= at > 0;
        inner.false_is_null = mode.false_is_null;
        break;
    case EXPR_CASE:
    case EXPR_COALESCE: inner.conditional |= at > 0; break;
    default: break;
    }
    return inner;
}

static Expr *lift_subquery(Unnest *u, Expr *expr, LiftMode mode)
{
    switch (expr->subquery.kind) {
    case SUBQUERY_SCALAR: return unnest_scalar_value(u, expr, mode);
    case SUBQUERY_EXISTS: return unnest_exists_value(u, expr);
    case SUBQUERY_ANY: return unnest_any_value(u, expr, mode);
    default: return expr;
    }
}

static void lift_agg_parts(Unnest *u, Expr *agg)
{
    SortKey *order = scope_new_array(u->o->scope, SortKey, agg->agg.order_count + 1);

    if (agg->agg.filter)
        agg->agg.filter = unnest_lift(u, agg->agg.filter, (LiftMode){.false_is_null = true});
    for (uint32_t i = 0; i < agg->agg.order_count; i++) {
        order[i] = agg->agg.order[i];
        order[i].expr = unnest_lift(u, order[i].expr, (LiftMode){0});
    }
    agg->agg.order = order;
}

Expr *unnest_lift(Unnest *u, Expr *expr, LiftMode mode)
{
    if (!expr_has_subquery(expr))
        return expr;
    Expr *copy = scope_new(u->o->scope, Expr);
    *copy = *expr;
    copy->args = scope_new_array(u->o->scope, Expr *, expr->args_count + 1);
    for (uint32_t i = 0; i < expr->args_count; i++)
        copy->args[i] = unnest_lift(u, expr->args[i], mode_of_arg(expr, i, mode));
    if (copy->kind == EXPR_AGG)
        lift_agg_parts(u, copy);
    return copy->kind == EXPR_SUBQUERY ? lift_subquery(u, copy, mode) : copy;
}
