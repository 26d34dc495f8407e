// SPDX-License-Identifier: Apache-2.0
//
// Physical choices, bottom-up: how tables are read, how joins and aggregates are computed.
#include "sql/optimise/optimise_int.h"

static Status physical_subqueries(Optimiser *o, Plan *plan);

static void choose_scan(Optimiser *o, Plan *plan)
{
    AccessPath path;
    ExprList conjuncts = plan->scan.filters;

    if (plan->scan.method != SCAN_METHOD_NONE)
        return;
    access_choose(o, plan, &conjuncts, NULL, &path);
    access_apply(o, plan, &conjuncts, &path);
}

static void choose_join(Optimiser *o, Plan *plan)
{
    JoinPlan *join = &plan->join;

    join_split_conditions(o, plan);
    join->method = join->left_keys.count ? JOIN_HASH : JOIN_NESTED_LOOP;
    if (join->dependent || join->method == JOIN_NESTED_LOOP) {
        join->method = JOIN_NESTED_LOOP;
        join->left_keys = join->right_keys = (ExprList){0};
        join->null_safe = NULL;
        join->residual = join->conditions;
    }
}

Status physical_plan(Optimiser *o, Plan *plan)
{
    Status st = OK;

    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            TRY(physical_plan(o, plan->children[i]));
    }
    TRY(physical_subqueries(o, plan));
    switch (plan->kind) {
    case PLAN_SCAN: choose_scan(o, plan); break;
    case PLAN_JOIN: choose_join(o, plan); break;
    case PLAN_AGGREGATE:
        plan->aggregate.method = plan->aggregate.groups.count ? AGG_HASH : AGG_PLAIN;
        break;
    default: break;
    }
done:
    return st;
}

typedef struct SubqueryVisit {
    Optimiser *o;
    Status status;
} SubqueryVisit;

static bool visit_node(void *arg, Expr *expr)
{
    SubqueryVisit *visit = arg;

    if (expr->kind == EXPR_SUBQUERY && visit->status == OK)
        visit->status = physical_plan(visit->o, expr->subquery.plan);
    return true;
}

static void visit_expr(void *arg, Expr **expr)
{
    expr_walk(*expr, visit_node, arg);
}

static Status physical_subqueries(Optimiser *o, Plan *plan)
{
    SubqueryVisit visit = {.o = o};

    plan_each_expr(plan, visit_expr, &visit);
    return visit.status;
}
