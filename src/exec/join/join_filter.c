// SPDX-License-Identifier: Apache-2.0
//
// The way from a join down to the scan that its keys come from leads through filters, projections
// that pass columns on, and the probe sides of other hash joins: whatever drops or multiplies rows,
// but looks at each alone. The test itself is the one that the probe begins with: the 16-bit filter
// in the bucket of the row's hash.
#include "exec/join/join_filter.h"

#include "exec/agg/agg_table.h"
#include "exec/join/hash_join.h"

#define ROWS_TO_JUDGE 16384

static int32_t column_slot(const Plan *plan, ColumnId id)
{
    for (uint32_t i = 0; i < plan->columns_count; i++) {
        if (plan->columns[i].id == id)
            return (int32_t)i;
    }
    return -1;
}

/* The probe child of a join that treats each probe row alone; NULL: another one. */
static const Plan *probe_child(const Plan *plan)
{
    JoinType type = plan->join.type;

    if (plan->join.method != JOIN_HASH || plan->join.dependent || plan->join.left_keys.count == 0)
        return NULL;
    if (type != JOIN_INNER && type != JOIN_SEMI && type != JOIN_ANTI && type != JOIN_MARK)
        return NULL;
    bool build_left = hash_join_builds_left(plan);
    if (build_left && type != JOIN_INNER)
        return NULL;
    return plan->children[build_left ? 1 : 0];
}

/* The scan that makes the column, and its slot there. */
static const Plan *find_scan(const Plan *plan, ColumnId id, uint32_t *slot)
{
    while (plan) {
        int32_t at = column_slot(plan, id);
        if (at < 0)
            return NULL;
        switch (plan->kind) {
        case PLAN_SCAN: *slot = (uint32_t)at; return plan;
        case PLAN_FILTER: plan = plan->children[0]; break;
        case PLAN_PROJECT:
            if (plan->project.exprs.data[at]->kind != EXPR_COLUMN)
                return NULL;
            id = plan->project.exprs.data[at]->column.id;
            plan = plan->children[0];
            break;
        case PLAN_JOIN: plan = probe_child(plan); break;
        default: return NULL;
        }
    }
    return NULL;
}

/* Probe rows without a match leave no trace. */
static bool drops_unmatched(const HashJoin *join)
{
    if (join->keep_probe)
        return false;
    return !join->marks || join->plan->join.type == JOIN_SEMI;
}

void join_filter_register(Query *query, const HashJoin *join)
{
    JoinFilter *filter = scope_new(query->scope, JoinFilter);

    if (!drops_unmatched(join) || join->plan->join.null_safe)
        return;
    filter->join = join;
    filter->keys_count = join->keys_count;
    filter->slots = scope_new_array(query->scope, uint32_t, join->keys_count);
    for (uint32_t i = 0; i < join->keys_count; i++) {
        const Expr *key = join->probe_keys[i];
        if (key->kind != EXPR_COLUMN)
            return;
        const Plan *scan = find_scan(join->probe_plan, key->column.id, &filter->slots[i]);
        if (scan == NULL || (filter->scan && filter->scan != scan))
            return;
        filter->scan = scan;
    }
    filter->next = query->join_filters;
    query->join_filters = filter;
}

JoinFilterState *join_filters_of(Worker *worker, const Plan *scan, uint32_t *count)
{
    const JoinFilter *first = worker->query->join_filters;
    JoinFilterState *states = NULL;

    *count = 0;
    for (const JoinFilter *filter = first; filter; filter = filter->next)
        *count += filter->scan == scan;
    if (*count == 0)
        return NULL;
    states = scope_new_array(worker->scope, JoinFilterState, *count);
    uint32_t at = 0;
    for (const JoinFilter *filter = first; filter; filter = filter->next) {
        if (filter->scan != scan)
            continue;
        JoinFilterState *state = &states[at++];
        state->filter = filter;
        state->off = hash_join_spilled(filter->join) || filter->join->table.buckets == NULL;
        state->keys = scope_new_array(worker->scope, Vector, filter->keys_count);
        state->hashes = scope_new_array(worker->scope, uint64_t, BATCH_ROWS_MAX);
    }
    return states;
}

bool join_filter_select(JoinFilterState *state, const Batch *in, uint32_t *out, uint32_t *count)
{
    const JoinFilter *filter = state->filter;
    const HashTable *table = &filter->join->table;
    Batch keys = {in->rows_count, filter->keys_count, state->keys};
    uint32_t kept = 0;

    if (state->off)
        return false;
    for (uint32_t i = 0; i < filter->keys_count; i++)
        state->keys[i] = in->columns[filter->slots[i]];
    batch_hash(&keys, filter->keys_count, state->hashes);
    for (uint32_t row = 0; row < in->rows_count; row++) {
        out[kept] = row;
        kept += hash_table_chain(table, state->hashes[row]) != NULL;
    }
    state->rows_in += in->rows_count;
    state->rows_out += kept;
    state->off = state->rows_in > ROWS_TO_JUDGE && state->rows_out * 4 > state->rows_in * 3;
    *count = kept;
    return kept < in->rows_count;
}
