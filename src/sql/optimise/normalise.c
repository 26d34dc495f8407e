// SPDX-License-Identifier: Apache-2.0
//
// The first pass: what later passes may rely on. Expressions are simplified, conditions are lists
// of conjuncts, there are no RIGHT joins, and no two subquery expressions share a plan (the binder
// copies expressions, but not the plans in them).
#include "sql/optimise/optimise_int.h"

typedef struct Normaliser {
    Optimiser *o;
    U64Map *seen; /* subquery plans met */
    Status status;
} Normaliser;

static void normalise_plan(Normaliser *n, Plan **slot);

/* OPT-2 */
static Expr *own_subquery(void *arg, Expr *expr)
{
    Normaliser *n = arg;

    if (expr->kind != EXPR_SUBQUERY)
        return expr;
    Plan *plan = expr->subquery.plan;
    if (u64map_get(n->seen, (uintptr_t)plan)) {
        U64Map *ids = u64map_new(n->o->scope);
        expr->subquery.plan = plan_clone(n->o, plan, ids);
        ColumnId *outputs =
            scope_new_array(n->o->scope, ColumnId, expr->subquery.outputs_count + 1);
        for (uint32_t i = 0; i < expr->subquery.outputs_count; i++)
            outputs[i] = (ColumnId)(uintptr_t)u64map_get(ids, expr->subquery.outputs[i]);
        expr->subquery.outputs = outputs;
    }
    u64map_put(n->seen, (uintptr_t)plan, plan);
    normalise_plan(n, &expr->subquery.plan);
    return expr;
}

static void normalise_expr(void *arg, Expr **expr)
{
    Normaliser *n = arg;

    *expr = simplify(n->o, *expr);
    if (expr_has_subquery(*expr))
        *expr = expr_rewrite(n->o->scope, *expr, own_subquery, n);
}

/* Conjuncts one by one, without those that are true. */
static void split_conditions(Optimiser *o, ExprList *list)
{
    ExprList all = {0}, out = {0};

    for (uint32_t i = 0; i < list->count; i++)
        expr_conjuncts(o->scope, list->data[i], &all);
    for (uint32_t i = 0; i < all.count; i++) {
        if (!expr_is_true(all.data[i]) && !list_has(&out, all.data[i]))
            array_push(o->scope, &out, all.data[i]);
    }
    *list = out;
}

static void turn_round(Plan *plan)
{
    Plan *left = plan->children[0];

    plan->children[0] = plan->children[1];
    plan->children[1] = left;
    plan->join.type = JOIN_LEFT;
    for (uint32_t i = 0; i < plan->columns_count; i++) {
        const Plan *first = plan->children[0];
        bool second = i >= first->columns_count;
        plan->columns[i] =
            second ? plan->children[1]->columns[i - first->columns_count] : first->columns[i];
    }
}

static void normalise_plan(Normaliser *n, Plan **slot)
{
    Plan *plan = *slot;

    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            normalise_plan(n, &plan->children[i]);
    }
    plan_each_expr(plan, normalise_expr, n);
    if (plan->kind == PLAN_JOIN) {
        split_conditions(n->o, &plan->join.conditions);
        if (plan->join.type == JOIN_RIGHT)
            turn_round(plan);
    }
    if (plan->kind != PLAN_FILTER)
        return;
    split_conditions(n->o, &plan->filter.conditions);
    for (uint32_t i = 0; i < plan->filter.conditions.count; i++) {
        if (expr_is_false(plan->filter.conditions.data[i])) {
            *slot = plan_empty(n->o->scope, plan);
            return;
        }
    }
    if (plan->filter.conditions.count == 0)
        *slot = plan->children[0];
}

Status normalise(Optimiser *o, Plan **plan)
{
    Normaliser n = {.o = o, .seen = u64map_new(o->scope)};

    normalise_plan(&n, plan);
    return n.status;
}

// --- subqueries of a node ----------------------------------------------------------------------

typedef struct SubqueryVisit {
    Optimiser *o;
    PlanVisit visit;
    Status status;
} SubqueryVisit;

static bool visit_node(void *arg, Expr *expr)
{
    SubqueryVisit *visit = arg;

    if (expr->kind == EXPR_SUBQUERY && visit->status == OK)
        visit->status = visit->visit(visit->o, &expr->subquery.plan);
    return true;
}

static void visit_expr(void *arg, Expr **expr)
{
    expr_walk(*expr, visit_node, arg);
}

Status each_subquery(Optimiser *o, Plan *plan, PlanVisit visit)
{
    SubqueryVisit v = {.o = o, .visit = visit};

    plan_each_expr(plan, visit_expr, &v);
    return v.status;
}
