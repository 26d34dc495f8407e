// SPDX-License-Identifier: Apache-2.0
//
// Rows and costs of plan nodes, from those of their children. Costs are rough microseconds of one
// core; only their order matters.
#include "sql/optimise/optimise_int.h"

#include <math.h>

#define ROWS_OF_FUNCTION 1000.0
#define ROWS_OF_VIEW     100.0
#define ANTI_SHARE_MIN   0.1
#define RECURSION_FACTOR 10.0
#define SET_FACTOR       10.0

double estimate_join_rows(JoinType type, double left, double right, double share)
{
    double inner = left * right * share;

    switch (type) {
    case JOIN_INNER: return MAX(inner, 1);
    case JOIN_LEFT: return MAX(inner, left);
    case JOIN_RIGHT: return MAX(inner, right);
    case JOIN_FULL: return MAX(MAX(inner, left), right);
    case JOIN_SEMI: return left * MIN(right * share, 1);
    case JOIN_ANTI:
    case JOIN_ANTI_NULL: return left * MAX(1 - MIN(right * share, 1), ANTI_SHARE_MIN);
    case JOIN_MARK:
    case JOIN_SINGLE: return left;
    }
    return left;
}

/* Columns of one table have together at most as many values as the table rows. */
double estimate_groups(Optimiser *o, const ExprList *groups, double rows)
{
    double product = 1;
    const Table *tables[8] = {0};
    double of_table[8];
    uint32_t count = 0;

    for (uint32_t i = 0; i < groups->count; i++) {
        const Expr *group = groups->data[i];
        const ColumnOrigin *origin =
            group->kind == EXPR_COLUMN ? column_origin(o, group->column.id) : NULL;
        double distinct = expr_distinct(o, group, rows);
        uint32_t at = 0;
        while (origin && at < count && tables[at] != origin->table)
            at++;
        if (origin == NULL || at == ARRAY_COUNT(tables)) {
            product *= distinct;
            continue;
        }
        if (at == count) {
            tables[count] = origin->table;
            of_table[count++] = 1;
        }
        of_table[at] = MIN(of_table[at] * distinct, MAX(origin->size->rows, 1));
    }
    for (uint32_t i = 0; i < count; i++)
        product *= of_table[i];
    return MAX(MIN(product, rows), 1);
}

double estimate_scan_rows(Optimiser *o, const Plan *scan, const ExprList *conjuncts)
{
    double rows = table_size(o, scan->scan.table)->rows * selectivity_of_list(o, conjuncts);

    return MAX(rows, 1);
}

static double const_count(const Expr *limit)
{
    if (limit == NULL || limit->kind != EXPR_CONST || limit->constant.is_null ||
        limit->type.oid != OID_INT8 || limit->constant.int64 < 0)
        return INFINITY;
    return (double)limit->constant.int64;
}

static void estimate_scan(Optimiser *o, Plan *plan)
{
    AccessPath path;

    if (plan->scan.method != SCAN_METHOD_NONE)
        return;
    access_choose(o, plan, &plan->scan.filters, &path);
    plan->rows_estimate = estimate_scan_rows(o, plan, &plan->scan.filters);
    if (path.unique)
        plan->rows_estimate = MIN(plan->rows_estimate, path.rows);
    plan->cost = path.cost;
}

static void estimate_join(Optimiser *o, Plan *plan)
{
    const Plan *left = plan->children[0], *right = plan->children[1];
    double share = selectivity_of_list(o, &plan->join.conditions);

    if (plan->rows_estimate > 0)
        return;
    plan->rows_estimate =
        estimate_join_rows(plan->join.type, left->rows_estimate, right->rows_estimate, share);
    plan->cost = left->cost + plan->rows_estimate * COST_OUTPUT_ROW;
    if (plan->join.dependent)
        plan->cost += MAX(left->rows_estimate, 1) * right->cost;
    else
        plan->cost += right->cost + right->rows_estimate * COST_BUILD_ROW +
                      left->rows_estimate * COST_PROBE_ROW;
}

static void estimate_aggregate(Optimiser *o, Plan *plan)
{
    const Plan *child = plan->children[0];
    const AggregatePlan *agg = &plan->aggregate;
    double rows = child->rows_estimate;

    plan->rows_estimate = agg->groups.count ? estimate_groups(o, &agg->groups, rows) : 1;
    plan->aggregate.groups_estimate = plan->rows_estimate;
    plan->cost = child->cost + rows * (COST_GROUP_ROW + agg->aggs.count * COST_CONDITION) +
                 plan->rows_estimate * COST_OUTPUT_ROW;
}

static void estimate_distinct(Optimiser *o, Plan *plan)
{
    const Plan *child = plan->children[0];
    ExprList columns = plan->distinct.on;

    for (uint32_t i = 0; plan->distinct.on.count == 0 && i < plan->columns_count; i++)
        array_push(o->scope, &columns, plan_column_expr(o->scope, &plan->columns[i]));
    plan->rows_estimate = estimate_groups(o, &columns, child->rows_estimate);
    plan->cost = child->cost + child->rows_estimate * COST_GROUP_ROW;
}

static void estimate_setop(Plan *plan)
{
    double left = plan->children[0]->rows_estimate, right = plan->children[1]->rows_estimate;

    plan->cost = plan->children[0]->cost + plan->children[1]->cost;
    if (plan->setop.op != SETOP_UNION_ALL)
        plan->cost += (left + right) * COST_GROUP_ROW;
    switch (plan->setop.op) {
    case SETOP_UNION_ALL: plan->rows_estimate = left + right; break;
    case SETOP_UNION: plan->rows_estimate = MAX((left + right) / 2, 1); break;
    case SETOP_INTERSECT:
    case SETOP_INTERSECT_ALL: plan->rows_estimate = MAX(MIN(left, right) / 2, 1); break;
    default: plan->rows_estimate = MAX(left / 2, 1); break;
    }
}

static void estimate_limit(Plan *plan, const Expr *limit)
{
    double rows = plan->rows_estimate, taken = const_count(limit);

    plan->rows_estimate = MIN(rows, MAX(taken, 1));
}

static void estimate_source(Optimiser *o, Plan *plan)
{
    const Plan *made;

    switch (plan->kind) {
    case PLAN_VIRTUAL: plan->rows_estimate = ROWS_OF_VIEW; break;
    case PLAN_FUNCTION: plan->rows_estimate = ROWS_OF_FUNCTION; break;
    case PLAN_VALUES: plan->rows_estimate = plan->values.rows_count; break;
    default:
        made = u64map_get(o->ctes, plan->cte.id);
        plan->rows_estimate = made && made->rows_estimate > 0 ? made->rows_estimate : 1000;
        break;
    }
    plan->cost = plan->rows_estimate * COST_SCAN_ROW;
}

void estimate_node(Optimiser *o, Plan *plan)
{
    const Plan *child = plan->children[0];

    if (child && plan->kind != PLAN_JOIN && plan->kind != PLAN_SETOP) {
        plan->rows_estimate = child->rows_estimate;
        plan->cost = child->cost;
    }
    switch (plan->kind) {
    case PLAN_SCAN: estimate_scan(o, plan); break;
    case PLAN_VIRTUAL:
    case PLAN_FUNCTION:
    case PLAN_VALUES:
    case PLAN_CTE_REF: estimate_source(o, plan); break;
    case PLAN_FILTER:
        plan->cost += child->rows_estimate * COST_CONDITION * plan->filter.conditions.count;
        plan->rows_estimate *= selectivity_of_list(o, &plan->filter.conditions);
        plan->rows_estimate = MAX(plan->rows_estimate, 1);
        break;
    case PLAN_PROJECT: plan->cost += plan->rows_estimate * COST_CONDITION; break;
    case PLAN_JOIN: estimate_join(o, plan); break;
    case PLAN_AGGREGATE: estimate_aggregate(o, plan); break;
    case PLAN_DISTINCT: estimate_distinct(o, plan); break;
    case PLAN_SORT:
        plan->cost += plan->rows_estimate * COST_SORT_ROW * log2(plan->rows_estimate + 2);
        estimate_limit(plan, plan->sort.limit);
        break;
    case PLAN_LIMIT: estimate_limit(plan, plan->limit.limit); break;
    case PLAN_SETOP: estimate_setop(plan); break;
    case PLAN_CTE:
        plan->rows_estimate = plan->children[1]->rows_estimate;
        plan->cost = child->cost + plan->children[1]->cost;
        break;
    case PLAN_RECURSIVE: plan->rows_estimate *= RECURSION_FACTOR; break;
    case PLAN_PROJECT_SET: plan->rows_estimate *= SET_FACTOR; break;
    case PLAN_MODIFY: plan->cost += plan->rows_estimate * COST_LOOKUP; break;
    default: break;
    }
}
