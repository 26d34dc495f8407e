// SPDX-License-Identifier: Apache-2.0
//
// The optimiser's door: the order of the passes, and what a finished statement tells besides its
// plan.
#include "sql/optimise/optimise_int.h"

static bool is_short_plan(const Plan *plan);

static bool note_long(void *arg, Expr *expr)
{
    if (expr->kind == EXPR_SUBQUERY && !is_short_plan(expr->subquery.plan))
        *(bool *)arg = true;
    return true;
}

static void check_expr(void *arg, Expr **expr)
{
    expr_walk(*expr, note_long, arg);
}

static bool is_short_node(const Plan *plan)
{
    switch (plan->kind) {
    case PLAN_SCAN: return plan->scan.unique_match;
    case PLAN_FUNCTION:
    case PLAN_VIRTUAL:
    case PLAN_RECURSIVE:
    case PLAN_PROJECT_SET:
    case PLAN_WINDOW: return false;
    default: return true;
    }
}

static bool is_short_plan(const Plan *plan)
{
    bool found_long = false;

    if (!is_short_node(plan))
        return false;
    plan_each_expr((Plan *)plan, check_expr, &found_long);
    for (int i = 0; i < 2 && !found_long; i++) {
        if (plan->children[i])
            found_long = !is_short_plan(plan->children[i]);
    }
    return !found_long;
}

/* Filters that stand on a scan are evaluated in it. */
static Plan *merge_filters(Optimiser *o, Plan *plan)
{
    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            plan->children[i] = merge_filters(o, plan->children[i]);
    }
    if (plan->kind != PLAN_FILTER || plan->children[0]->kind != PLAN_SCAN)
        return plan;
    list_append(o->scope, &plan->children[0]->scan.filters, &plan->filter.conditions);
    return plan->children[0];
}

Status sql_optimise(Ctx *ctx, Scope *scope, const BindEnv *env, Storage *storage,
                    PlannedStatement *statement)
{
    Status st = OK;
    Optimiser o = {.ctx = ctx,
                   .scope = scope,
                   .env = env,
                   .storage = storage,
                   .statement = statement,
                   .column_next = statement->columns_next};

    statement->plan = merge_filters(&o, statement->plan);
    TRY(physical_plan(&o, statement->plan));
    TRY(plan_resolve(ctx, scope, statement->plan, NULL));
    statement->is_short = is_short_plan(statement->plan);
    statement->columns_next = o.column_next;
done:
    return st;
}
