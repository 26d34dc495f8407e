// SPDX-License-Identifier: Apache-2.0
//
// Unnesting: correlated subqueries become joins, after Neumann and Kemper ("Unnesting Arbitrary
// Queries", BTW 2015). EXISTS and IN in a condition are semi- and antijoins; elsewhere a mark join
// gives their value; a scalar aggregate is grouped by what it was correlated with and joined; any
// other scalar subquery is a single join, which fails on a second match. Uncorrelated subqueries
// stay, but for IN: they are evaluated once. What cannot be unnested stays too: the executor runs
// it row by row.
#include "sql/optimise/unnest/unnest_int.h"

static Status unnest_node(Optimiser *o, Plan **slot);

// --- tests in conditions -----------------------------------------------------------------------

/* What EXISTS looks at does not depend on these nodes. */
static Plan *strip_for_exists(Plan *plan)
{
    for (;;) {
        switch (plan->kind) {
        case PLAN_PROJECT: break;
        case PLAN_DISTINCT: break;
        case PLAN_SORT:
            if (plan->sort.limit || plan->sort.offset)
                return plan;
            break;
        case PLAN_LIMIT:
            if (!unnest_limit_is_idle(plan))
                return plan;
            break;
        case PLAN_AGGREGATE:
            if (plan->aggregate.groups.count == 0 || plan->aggregate.sets_count)
                return plan;
            break;
        default: return plan;
        }
        plan = plan->children[0];
    }
}

static bool is_correlated(Unnest *u, const Expr *subquery)
{
    IdSet left = idset_of_plan(u->o->scope, u->child);

    return plan_uses(u->o, subquery->subquery.plan, &left);
}

/* The subquery's plan without what it takes from the child, and those conditions; false: it cannot
   be freed of them. */
static bool free_plan(Unnest *u, Plan *plan, Plan **out, ExprList *conds)
{
    Pull p = {.o = u->o, .outer = idset_of_plan(u->o->scope, u->child)};

    if (!pull_is_possible(&p, plan, false))
        return false;
    *out = pull_conditions(&p, plan);
    list_append(u->o->scope, conds, &p.conds);
    return true;
}

static Plan *join_over(Unnest *u, JoinType type, Plan *right, const ExprList *conds)
{
    Plan *join = plan_new(u->o->scope, PLAN_JOIN, 0);

    join->children[0] = u->child;
    join->children[1] = right;
    join->join.type = type;
    list_append(u->o->scope, &join->join.conditions, conds);
    if (type == JOIN_MARK)
        join->join.mark = column_new(u->o);
    join_set_columns(u->o, join);
    u->child = join;
    return join;
}

static Expr *bool_test(Unnest *u, Expr *arg, BoolTest test, bool negated)
{
    Expr *expr = expr_new(u->o->scope, EXPR_IS_BOOL, sql_type(OID_BOOL), 1);

    expr->args[0] = arg;
    expr->test.test = test;
    expr->test.negated = negated;
    return expr;
}

/* left op output, for one column of a row test. */
static Expr *comparison(Unnest *u, const Expr *subquery, uint32_t at)
{
    const OperatorInfo *op = subquery->subquery.compare[at];
    ColumnId id = subquery->subquery.outputs[at];
    const PlanColumn *column = plan_column(subquery->subquery.plan, id);
    Expr *expr = expr_new(u->o->scope, EXPR_FUNC, sql_type(OID_BOOL), 2);

    ASSERT(column);
    expr->func.info = op->func;
    expr->func.op = op;
    expr->args[0] = subquery->args[at];
    expr->args[1] = plan_column_expr(u->o->scope, column);
    return expr;
}

static bool sides_not_null(Unnest *u, const Expr *subquery)
{
    for (uint32_t i = 0; i < subquery->args_count; i++) {
        Expr *right = comparison(u, subquery, i)->args[1];
        if (!expr_is_not_null(u->child, subquery->args[i]) ||
            !expr_is_not_null(subquery->subquery.plan, right))
            return false;
    }
    return true;
}

static bool compares_equal(const Expr *subquery)
{
    for (uint32_t i = 0; i < subquery->args_count; i++) {
        if (strcmp(subquery->subquery.compare[i]->name, "=") != 0)
            return false;
    }
    return true;
}

static Expr *comparisons(Unnest *u, const Expr *subquery)
{
    ExprList list = {0};

    for (uint32_t i = 0; i < subquery->args_count; i++)
        array_push(u->o->scope, &list, comparison(u, subquery, i));
    return expr_and(u->o->scope, list.data, list.count);
}

/* x op ANY (…): a semijoin; NOT of it, and ALL: an antijoin on what would make it untrue. */
static bool any_as_join(Unnest *u, Expr *subquery, bool negated)
{
    bool all = subquery->subquery.kind == SUBQUERY_ALL, correlated = is_correlated(u, subquery);
    Expr *test = comparisons(u, subquery);
    bool certain = sides_not_null(u, subquery);
    JoinType type = negated != all ? JOIN_ANTI : JOIN_SEMI;
    ExprList conds = {0};
    Plan *right;

    if (type == JOIN_ANTI && !all && !correlated && !certain && compares_equal(subquery))
        type = JOIN_ANTI_NULL;
    if (!free_plan(u, subquery->subquery.plan, &right, &conds))
        return false;
    if (all)
        test = bool_test(u, test, negated ? IS_FALSE : IS_TRUE, !negated);
    else if (type == JOIN_ANTI && !certain)
        test = bool_test(u, test, IS_FALSE, true);
    expr_conjuncts(u->o->scope, test, &conds);
    join_over(u, type, right, &conds);
    return true;
}

static bool exists_as_join(Unnest *u, Expr *subquery, bool negated)
{
    Plan *right;
    ExprList conds = {0};

    if (!is_correlated(u, subquery) ||
        !free_plan(u, strip_for_exists(subquery->subquery.plan), &right, &conds))
        return false;
    join_over(u, negated ? JOIN_ANTI : JOIN_SEMI, right, &conds);
    return true;
}

/* A conjunct that is a test and nothing else becomes a join; false: it stays a conjunct. */
bool unnest_conjunct(Unnest *u, Expr *conjunct)
{
    bool negated = false;

    while (conjunct->kind == EXPR_NOT) {
        negated = !negated;
        conjunct = conjunct->args[0];
    }
    if (conjunct->kind != EXPR_SUBQUERY)
        return false;
    switch (conjunct->subquery.kind) {
    case SUBQUERY_EXISTS: return exists_as_join(u, conjunct, negated);
    case SUBQUERY_ANY:
    case SUBQUERY_ALL:
        for (uint32_t i = 0; i < conjunct->args_count; i++)
            conjunct->args[i] = unnest_lift(u, conjunct->args[i], (LiftMode){0});
        return any_as_join(u, conjunct, negated);
    default: return false;
    }
}

// --- tests as values ---------------------------------------------------------------------------

static Expr *mark_of(Unnest *u, Plan *join)
{
    return expr_column(u->o->scope, join->join.mark, sql_type(OID_BOOL), "mark");
}

Expr *unnest_exists_value(Unnest *u, Expr *subquery)
{
    Plan *right;
    ExprList conds = {0};

    if (!is_correlated(u, subquery) ||
        !free_plan(u, strip_for_exists(subquery->subquery.plan), &right, &conds))
        return subquery;
    Plan *join = join_over(u, JOIN_MARK, right, &conds);
    return bool_test(u, mark_of(u, join), IS_TRUE, false);
}

/* The mark join's UNKNOWN is IN's only where nothing else is among its conditions. */
Expr *unnest_any_value(Unnest *u, Expr *subquery, LiftMode mode)
{
    bool correlated = is_correlated(u, subquery);
    bool certain = sides_not_null(u, subquery);
    ExprList conds = {0};
    Plan *right;

    if (subquery->subquery.kind == SUBQUERY_ALL || (correlated && !certain && !mode.false_is_null))
        return subquery;
    if (!compares_equal(subquery) && !correlated)
        return subquery;
    Expr *test = comparisons(u, subquery);
    if (!free_plan(u, subquery->subquery.plan, &right, &conds))
        return subquery;
    expr_conjuncts(u->o->scope, test, &conds);
    Plan *join = join_over(u, JOIN_MARK, right, &conds);
    Expr *mark = mark_of(u, join);
    return correlated || certain ? bool_test(u, mark, IS_TRUE, false) : mark;
}

// --- other scalar subqueries -------------------------------------------------------------------

Expr *unnest_scalar_value(Unnest *u, Expr *subquery, LiftMode mode)
{
    Optimiser *o = u->o;
    ColumnId id = subquery->subquery.outputs[0];
    ExprList conds = {0};
    IdSet matched = {0};
    Plan *right;

    if (!is_correlated(u, subquery))
        return subquery;
    Expr *value = unnest_scalar_aggregate(u, subquery);
    if (value || !free_plan(u, plan_copy(o, subquery->subquery.plan), &right, &conds))
        return value ? value : subquery;
    IdSet own = idset_of_plan(o->scope, right);
    for (uint32_t i = 0; i < conds.count; i++) {
        Expr *inner, *outer;
        if (condition_separates(o, conds.data[i], &own, &inner, &outer) &&
            inner->kind == EXPR_COLUMN)
            idset_add(o->scope, &matched, inner->column.id);
    }
    bool unique = plan_is_unique(o, right, &matched);
    const PlanColumn *column = plan_column(right, id);
    if (column == NULL || (mode.conditional && !unique))
        return subquery;
    join_over(u, unique ? JOIN_LEFT : JOIN_SINGLE, right, &conds);
    return plan_column_expr(o->scope, column);
}

// --- the tree ----------------------------------------------------------------------------------

typedef struct NestedVisit {
    Optimiser *o;
    Status status;
} NestedVisit;

static bool unnest_inside(void *arg, Expr *expr)
{
    NestedVisit *visit = arg;

    if (expr->kind == EXPR_SUBQUERY && visit->status == OK) {
        visit->status = unnest_node(visit->o, &expr->subquery.plan);
        subquery_renew_outer(visit->o, expr);
    }
    return true;
}

static void unnest_inside_expr(void *arg, Expr **expr)
{
    expr_walk(*expr, unnest_inside, arg);
}

static void lift_list(Unnest *u, ExprList *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (expr_has_subquery(list->data[i]))
            list->data[i] = unnest_lift(u, list->data[i], (LiftMode){0});
    }
}

static void unnest_filter(Unnest *u, Plan **slot)
{
    Plan *plan = *slot;
    IdSet before = idset_of_plan(u->o->scope, plan);
    ExprList rest = {0}, plain = {0};

    for (uint32_t i = 0; i < plan->filter.conditions.count; i++) {
        if (!expr_has_subquery(plan->filter.conditions.data[i]))
            array_push(u->o->scope, &plain, plan->filter.conditions.data[i]);
    }
    u->child = plan_filter(u->o->scope, u->child, &plain);
    for (uint32_t i = 0; i < plan->filter.conditions.count; i++) {
        Expr *cond = plan->filter.conditions.data[i];
        if (expr_has_subquery(cond) && !unnest_conjunct(u, cond)) {
            cond = unnest_lift(u, cond, (LiftMode){.false_is_null = true});
            array_push(u->o->scope, &rest, cond);
        }
    }
    *slot = plan_narrow(u->o->scope, plan_filter(u->o->scope, u->child, &rest), &before);
}

/* Conditions of an inner join with subqueries stand above it as well. */
static void split_join_conditions(Optimiser *o, Plan *plan, ExprList *above)
{
    ExprList rest = {0};

    if (plan->join.type != JOIN_INNER)
        return;
    for (uint32_t i = 0; i < plan->join.conditions.count; i++) {
        Expr *cond = plan->join.conditions.data[i];
        array_push(o->scope, expr_has_subquery(cond) ? above : &rest, cond);
    }
    plan->join.conditions = rest;
}

static void unnest_exprs(Optimiser *o, Plan **slot)
{
    Plan *plan = *slot;
    Unnest u = {.o = o, .child = plan->children[0]};
    ExprList above = {0};

    switch (plan->kind) {
    case PLAN_FILTER: unnest_filter(&u, slot); return;
    case PLAN_PROJECT: lift_list(&u, &plan->project.exprs); break;
    case PLAN_AGGREGATE:
        lift_list(&u, &plan->aggregate.groups);
        lift_list(&u, &plan->aggregate.aggs);
        break;
    case PLAN_JOIN:
        split_join_conditions(o, plan, &above);
        if (plan->join.dependent)
            unnest_lateral(o, &plan);
        *slot = plan_filter(o->scope, plan, &above);
        u.child = plan;
        if (above.count)
            unnest_filter(&u, slot);
        return;
    default: return;
    }
    plan->children[0] = u.child;
}

static Status unnest_node(Optimiser *o, Plan **slot)
{
    Status st = OK;
    Plan *plan = *slot;
    NestedVisit visit = {.o = o};

    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            TRY(unnest_node(o, &plan->children[i]));
    }
    plan_each_expr(plan, unnest_inside_expr, &visit);
    TRY(visit.status);
    unnest_exprs(o, slot);
done:
    return st;
}

Status unnest(Optimiser *o, Plan **plan)
{
    return unnest_node(o, plan);
}
