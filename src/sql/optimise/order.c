// SPDX-License-Identifier: Apache-2.0
//
// Orders that keys give for free: a sort over a scan that can read its rows in that order, by the
// clustering key or by an index, from either end; and min or max as the first row from an end.
#include "sql/optimise/optimise_int.h"

#include <math.h>

typedef struct WantedKey {
    ColumnId id; /* of the scan */
    bool descending, nulls_first;
} WantedKey;

/* Follows the sort's keys down to the scan; NULL: something in between computes or reorders. */
static Plan *scan_below(Plan *plan, WantedKey *keys, uint32_t count)
{
    for (;; plan = plan->children[0]) {
        if (plan->kind == PLAN_SCAN)
            return plan->scan.method == SCAN_METHOD_NONE ? plan : NULL;
        if (plan->kind != PLAN_PROJECT && plan->kind != PLAN_FILTER)
            return NULL;
        for (uint32_t i = 0; plan->kind == PLAN_PROJECT && i < count; i++) {
            uint32_t at = 0;
            while (at < plan->columns_count && plan->columns[at].id != keys[i].id)
                at++;
            if (at == plan->columns_count || plan->project.exprs.data[at]->kind != EXPR_COLUMN)
                return NULL;
            keys[i].id = plan->project.exprs.data[at]->column.id;
        }
    }
}

static bool is_fixed(const AccessPath *path, const KeyOrder *order, ColumnId id)
{
    for (uint32_t i = 0; i < path->bounds.equal_count; i++) {
        if (order->columns[i] == id)
            return true;
    }
    return false;
}

/* True if reading by the key gives the order; *backward: from its end. */
static bool gives_order(const AccessPath *path, const KeyOrder *order, const WantedKey *keys,
                        uint32_t count, bool *backward)
{
    uint32_t at = path->bounds.equal_count;
    bool decided = false;

    *backward = false;
    for (uint32_t i = 0; i < count; i++) {
        if (is_fixed(path, order, keys[i].id))
            continue;
        if (at == order->count)
            return order->unique;
        const KeyColumn *key = &order->keys[at];
        bool turned = key->descending != keys[i].descending;
        if (order->columns[at] != keys[i].id || (decided && turned != *backward))
            return false;
        if (!order->not_null[at] && (key->nulls_first != turned) != keys[i].nulls_first)
            return false;
        *backward = turned;
        decided = true;
        at++;
    }
    return true;
}

/* The cheapest ordered path; false: there is none. */
static bool find_ordered(Optimiser *o, const Plan *scan, const WantedKey *keys, uint32_t count,
                         AccessPath *best, bool *backward)
{
    bool found = false;

    for (uint32_t way = 0; way <= scan->scan.table->indexes_count; way++) {
        AccessPath path;
        KeyOrder order;
        bool turned;
        if (!access_in_order(o, scan, &scan->scan.filters, way, &path, &order) ||
            !gives_order(&path, &order, keys, count, &turned))
            continue;
        if (found && path.cost >= best->cost)
            continue;
        *best = path;
        *backward = turned;
        found = true;
    }
    return found;
}

static void use_path(Optimiser *o, Plan *scan, const AccessPath *path, bool backward)
{
    ExprList conjuncts = scan->scan.filters;

    access_apply(o, scan, &conjuncts, path);
    if (scan->scan.method == SCAN_FULL)
        scan->scan.method = SCAN_KEY_RANGE;
    scan->scan.descending = backward;
}

bool order_from_scan(Optimiser *o, Plan **slot, double limit)
{
    Plan *sort = *slot;
    uint32_t count = sort->sort.keys_count;
    WantedKey *keys = scope_new_array(o->scope, WantedKey, count + 1);
    AccessPath plain, ordered;
    bool backward;

    for (uint32_t i = 0; i < count; i++) {
        const SortKey *key = &sort->sort.keys[i];
        if (key->expr->kind != EXPR_COLUMN)
            return false;
        keys[i] = (WantedKey){key->expr->column.id, key->descending, key->nulls_first};
    }
    Plan *scan = scan_below(sort->children[0], keys, count);
    if (scan == NULL || !find_ordered(o, scan, keys, count, &ordered, &backward))
        return false;
    access_choose(o, scan, &scan->scan.filters, &plain);
    double rows = MAX(scan->rows_estimate, 1);
    double share = limit > 0 ? MIN(limit / rows, 1) : 1;
    if (ordered.cost * share > plain.cost + rows * COST_SORT_ROW * log2(rows + 2))
        return false;
    use_path(o, scan, &ordered, backward);
    *slot = sort->children[0];
    return true;
}

// --- min and max -------------------------------------------------------------------------------

static Plan *first_row(Optimiser *o, Plan *child)
{
    Datum one = {.type = sql_type(OID_INT8), .int64 = 1};
    Plan *limit = plan_over(o->scope, PLAN_LIMIT, child);

    limit->limit.limit = expr_const(o->scope, &one);
    limit->rows_estimate = 1;
    limit->cost = COST_LOOKUP;
    return limit;
}

void order_min_max(Optimiser *o, Plan *plan)
{
    const AggregatePlan *agg = &plan->aggregate;
    AccessPath path;
    bool backward;

    if (agg->groups.count || agg->aggs.count != 1 || agg->sets_count)
        return;
    const Expr *call = agg->aggs.data[0];
    bool max = strcmp(call->agg.info->name, "max") == 0;
    if ((!max && strcmp(call->agg.info->name, "min") != 0) || call->agg.filter ||
        call->args_count != 1 || call->args[0]->kind != EXPR_COLUMN)
        return;
    WantedKey key = {.id = call->args[0]->column.id, .descending = max, .nulls_first = max};
    Plan *scan = scan_below(plan->children[0], &key, 1);
    if (scan == NULL)
        return;
    for (uint32_t i = 0; i < scan->columns_count - scan->scan.with_key; i++) {
        const Column *column = &scan->scan.table->columns[scan->scan.column_at[i]];
        if (scan->columns[i].id == key.id && !column->not_null)
            return;
    }
    if (!find_ordered(o, scan, &key, 1, &path, &backward))
        return;
    use_path(o, scan, &path, backward);
    plan->children[0] = first_row(o, plan->children[0]);
}
