// SPDX-License-Identifier: Apache-2.0
//
// Physical choices that need no columns' places: how tables are read, LIMIT and ORDER BY as one
// top-N sort or as a scan in order, aggregation methods.
#include "sql/optimise/optimise_int.h"

#define LIMIT_UNKNOWN 100.0 /* a parameter */

static double wanted_rows(const Expr *limit, const Expr *offset)
{
    double rows = 0;
    const Expr *parts[2] = {limit, offset};

    if (limit == NULL)
        return 0;
    for (int i = 0; i < 2; i++) {
        bool known = parts[i] && parts[i]->kind == EXPR_CONST && !parts[i]->constant.is_null &&
                     parts[i]->type.oid == OID_INT8;
        if (parts[i])
            rows += known ? (double)parts[i]->constant.int64 : LIMIT_UNKNOWN;
    }
    return MAX(rows, 1);
}

/* LIMIT over a sort, maybe with a projection between, becomes the sort's own. */
static void merge_limit(Plan **slot)
{
    Plan *limit = *slot, *child = limit->children[0];
    Plan *sort = child->kind == PLAN_PROJECT ? child->children[0] : child;

    if (limit->limit.with_ties || sort->kind != PLAN_SORT || sort->sort.limit || sort->sort.offset)
        return;
    sort->sort.limit = limit->limit.limit;
    sort->sort.offset = limit->limit.offset;
    sort->rows_estimate = MIN(sort->rows_estimate, limit->rows_estimate);
    child->rows_estimate = MIN(child->rows_estimate, limit->rows_estimate);
    *slot = child;
}

/* Whether a sort gets its order from a scan is asked before the scan is decided on. */
static void try_order(Optimiser *o, Plan **slot, double limit)
{
    Plan *plan = *slot;

    if (plan->kind == PLAN_PROJECT)
        slot = &plan->children[0];
    if ((*slot)->kind == PLAN_SORT && !(*slot)->sort.limit && !(*slot)->sort.offset)
        order_from_scan(o, slot, limit);
}

static void choose_scan(Optimiser *o, Plan *plan)
{
    AccessPath path;
    ExprList conjuncts = plan->scan.filters;

    if (plan->scan.method != SCAN_METHOD_NONE)
        return;
    access_choose(o, plan, &conjuncts, &path);
    access_apply(o, plan, &conjuncts, &path);
}

void physical_plan(Optimiser *o, Plan **slot)
{
    Plan *plan = *slot;

    if (plan->kind == PLAN_LIMIT && !plan->limit.with_ties)
        try_order(o, &plan->children[0], wanted_rows(plan->limit.limit, plan->limit.offset));
    else if (plan->kind == PLAN_SORT)
        try_order(o, slot, 0);
    else if (plan->kind == PLAN_AGGREGATE)
        order_min_max(o, plan);
    if (plan->kind == PLAN_LIMIT)
        merge_limit(slot);
    plan = *slot;
    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            physical_plan(o, &plan->children[i]);
    }
    if (plan->kind == PLAN_SCAN)
        choose_scan(o, plan);
    if (plan->kind == PLAN_AGGREGATE)
        plan->aggregate.method = plan->aggregate.groups.count ? AGG_HASH : AGG_PLAIN;
}
