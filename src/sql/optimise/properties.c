// SPDX-License-Identifier: Apache-2.0
//
// What can be proven of a plan's rows: keys, columns without NULLs; and of conditions: that they
// fail on NULLs, that they separate into two sides. Always on the safe side.
#include "sql/optimise/optimise_int.h"

// --- keys --------------------------------------------------------------------------------------

static bool position_in(const Plan *scan, uint32_t position, const IdSet *columns)
{
    uint32_t count = scan->columns_count - scan->scan.with_key;

    for (uint32_t i = 0; i < count; i++) {
        if (scan->scan.column_at[i] == position && idset_has(columns, scan->columns[i].id))
            return true;
    }
    return false;
}

static bool index_in(const Plan *scan, const Index *index, const IdSet *columns)
{
    const Table *table = scan->scan.table;

    if (!index->unique || index->predicate_sql.len)
        return false;
    for (uint32_t i = 0; i < index->columns_count; i++) {
        uint32_t at = 0;
        while (at < table->columns_count && table->columns[at].id != index->columns[i].column)
            at++;
        if (at == table->columns_count || !position_in(scan, at, columns) ||
            (!table->columns[at].not_null && !index->nulls_not_distinct && !index->primary))
            return false;
    }
    return index->columns_count > 0;
}

/* One row by its key; below an index join it is one for each row of the other side. */
static bool scan_is_single(Optimiser *o, const Plan *scan)
{
    IdSet used = {0};

    for (uint32_t i = 0; i < scan->scan.bounds.equal_count; i++)
        idset_add_expr(o->scope, &used, scan->scan.bounds.equal[i]);
    return scan->scan.unique_match && idset_empty(&used);
}

static bool scan_is_unique(Optimiser *o, const Plan *scan, const IdSet *columns)
{
    const Table *table = scan->scan.table;
    bool all = table->key_columns_count > 0;

    if (scan_is_single(o, scan))
        return true;
    if (scan->scan.with_key && idset_has(columns, scan->columns[scan->columns_count - 1].id))
        return true;
    for (uint32_t i = 0; i < table->key_columns_count && all; i++)
        all = position_in(scan, table->key_column_at[i], columns);
    for (uint32_t i = 0; i < table->indexes_count && !all; i++)
        all = index_in(scan, table->indexes[i], columns);
    return all;
}

/* Columns of the child that the projection gives under one of the ids. */
static IdSet below_project(Optimiser *o, const Plan *plan, const IdSet *columns)
{
    IdSet below = {0};

    for (uint32_t i = 0; i < plan->columns_count; i++) {
        const Expr *expr = plan->project.exprs.data[i];
        if (idset_has(columns, plan->columns[i].id) && expr->kind == EXPR_COLUMN)
            idset_add(o->scope, &below, expr->column.id);
    }
    return below;
}

/* Columns of one side that equal something which is fixed for a row of the other side. */
static IdSet matched_columns(Optimiser *o, const Plan *join, const Plan *side)
{
    IdSet own = idset_of_plan(o->scope, side), out = {0};

    for (uint32_t i = 0; i < join->join.conditions.count; i++) {
        Expr *inner, *outer;
        if (condition_separates(o, join->join.conditions.data[i], &own, &inner, &outer) &&
            inner->kind == EXPR_COLUMN)
            idset_add(o->scope, &out, inner->column.id);
    }
    return out;
}

static bool join_is_unique(Optimiser *o, const Plan *plan, const IdSet *columns)
{
    const Plan *left = plan->children[0], *right = plan->children[1];

    switch (plan->join.type) {
    case JOIN_SEMI:
    case JOIN_ANTI:
    case JOIN_ANTI_NULL:
    case JOIN_MARK:
    case JOIN_SINGLE: return plan_is_unique(o, left, columns);
    case JOIN_INNER:
    case JOIN_LEFT: break;
    default: return false;
    }
    if (plan->join.dependent)
        return false;
    if (plan_is_unique(o, left, columns)) {
        IdSet matched = matched_columns(o, plan, right);
        return plan_is_unique(o, right, columns) || plan_is_unique(o, right, &matched);
    }
    IdSet matched = matched_columns(o, plan, left);
    return plan->join.type == JOIN_INNER && plan_is_unique(o, right, columns) &&
           plan_is_unique(o, left, &matched);
}

static bool aggregate_is_unique(const Plan *plan, const IdSet *columns)
{
    if (plan->aggregate.sets_count)
        return false;
    for (uint32_t i = 0; i < plan->aggregate.groups.count; i++) {
        if (!idset_has(columns, plan->columns[i].id))
            return false;
    }
    return true;
}

static bool limit_is_one(const Expr *limit)
{
    return limit && limit->kind == EXPR_CONST && !limit->constant.is_null &&
           limit->type.oid == OID_INT8 && limit->constant.int64 <= 1;
}

static bool distinct_is_unique(Optimiser *o, const Plan *plan, const IdSet *columns)
{
    IdSet all = idset_of_plan(o->scope, plan);
    bool on = plan->distinct.on.count > 0;

    for (uint32_t i = 0; i < plan->distinct.on.count; i++) {
        const Expr *expr = plan->distinct.on.data[i];
        on &= expr->kind == EXPR_COLUMN && idset_has(columns, expr->column.id);
    }
    return on || (plan->distinct.on.count == 0 && idset_within(&all, columns)) ||
           plan_is_unique(o, plan->children[0], columns);
}

bool plan_is_unique(Optimiser *o, const Plan *plan, const IdSet *columns)
{
    IdSet below;

    switch (plan->kind) {
    case PLAN_SCAN: return scan_is_unique(o, plan, columns);
    case PLAN_VALUES: return plan->values.rows_count <= 1;
    case PLAN_FILTER:
    case PLAN_LOCK_ROWS: return plan_is_unique(o, plan->children[0], columns);
    case PLAN_SORT:
        return limit_is_one(plan->sort.limit) || plan_is_unique(o, plan->children[0], columns);
    case PLAN_LIMIT:
        return (limit_is_one(plan->limit.limit) && !plan->limit.with_ties) ||
               plan_is_unique(o, plan->children[0], columns);
    case PLAN_PROJECT:
        below = below_project(o, plan, columns);
        return plan_is_unique(o, plan->children[0], &below);
    case PLAN_JOIN: return join_is_unique(o, plan, columns);
    case PLAN_AGGREGATE: return aggregate_is_unique(plan, columns);
    case PLAN_DISTINCT: return distinct_is_unique(o, plan, columns);
    case PLAN_CTE: return plan_is_unique(o, plan->children[1], columns);
    case PLAN_SETOP: {
        IdSet all = idset_of_plan(o->scope, plan);
        bool distinct = plan->setop.op == SETOP_UNION || plan->setop.op == SETOP_INTERSECT ||
                        plan->setop.op == SETOP_EXCEPT;
        return distinct && idset_within(&all, columns);
    }
    default: return false;
    }
}

bool plan_is_single(Optimiser *o, const Plan *plan)
{
    IdSet none = {0};

    return plan_is_unique(o, plan, &none);
}

// --- NULLs -------------------------------------------------------------------------------------

static bool column_is_not_null(const Plan *plan, ColumnId id);

static bool scan_column_is_not_null(const Plan *plan, uint32_t at)
{
    const Table *table = plan->scan.table;

    if (plan->scan.with_key && at + 1 == plan->columns_count)
        return true;
    uint32_t position = plan->scan.column_at[at];
    for (uint32_t i = 0; i < table->key_columns_count; i++) {
        if (table->key_column_at[i] == position)
            return true;
    }
    return table->columns[position].not_null;
}

static bool join_column_is_not_null(const Plan *plan, ColumnId id)
{
    const Plan *left = plan->children[0], *right = plan->children[1];

    switch (plan->join.type) {
    case JOIN_INNER:
        return plan_column(left, id) ? column_is_not_null(left, id) : column_is_not_null(right, id);
    case JOIN_LEFT:
    case JOIN_SINGLE:
    case JOIN_SEMI:
    case JOIN_ANTI:
    case JOIN_ANTI_NULL:
    case JOIN_MARK: return plan_column(left, id) && column_is_not_null(left, id);
    default: return false;
    }
}

static bool aggregate_column_is_not_null(const Plan *plan, uint32_t at)
{
    uint32_t groups = plan->aggregate.groups.count;

    if (plan->aggregate.sets_count)
        return false;
    if (at < groups)
        return expr_is_not_null(plan->children[0], plan->aggregate.groups.data[at]);
    return strcmp(plan->aggregate.aggs.data[at - groups]->agg.info->name, "count") == 0;
}

static bool column_is_not_null(const Plan *plan, ColumnId id)
{
    uint32_t at = 0;

    while (at < plan->columns_count && plan->columns[at].id != id)
        at++;
    if (at == plan->columns_count)
        return false;
    switch (plan->kind) {
    case PLAN_SCAN: return scan_column_is_not_null(plan, at);
    case PLAN_FILTER:
    case PLAN_SORT:
    case PLAN_LIMIT:
    case PLAN_DISTINCT:
    case PLAN_LOCK_ROWS: return column_is_not_null(plan->children[0], id);
    case PLAN_CTE: return column_is_not_null(plan->children[1], id);
    case PLAN_PROJECT: return expr_is_not_null(plan->children[0], plan->project.exprs.data[at]);
    case PLAN_JOIN: return join_column_is_not_null(plan, id);
    case PLAN_AGGREGATE: return aggregate_column_is_not_null(plan, at);
    case PLAN_SETOP: {
        const Plan *left = plan->children[0], *right = plan->children[1];
        return column_is_not_null(left, left->columns[at].id) &&
               column_is_not_null(right, right->columns[at].id);
    }
    default: return false;
    }
}

bool expr_is_not_null(const Plan *plan, const Expr *expr)
{
    switch (expr->kind) {
    case EXPR_CONST: return !expr->constant.is_null;
    case EXPR_COLUMN: return column_is_not_null(plan, expr->column.id);
    case EXPR_CAST:
        return expr->args[0]->type.oid != OID_UNKNOWN && expr_is_not_null(plan, expr->args[0]);
    case EXPR_IS_NULL:
    case EXPR_IS_BOOL:
    case EXPR_DISTINCT: return true;
    case EXPR_SUBQUERY: return expr->subquery.kind == SUBQUERY_EXISTS;
    default: return false;
    }
}

// --- conditions that fail on NULLs -------------------------------------------------------------

/* The expression is NULL whenever all these columns are. */
static bool null_of_nulls(const Expr *expr, const IdSet *columns)
{
    switch (expr->kind) {
    case EXPR_CONST: return expr->constant.is_null;
    case EXPR_COLUMN: return idset_has(columns, expr->column.id);
    case EXPR_CAST:
    case EXPR_NOT: return null_of_nulls(expr->args[0], columns);
    case EXPR_IN: return null_of_nulls(expr->args[0], columns);
    case EXPR_FUNC:
        for (uint32_t i = 0; expr->func.info->strict && i < expr->args_count; i++) {
            if (null_of_nulls(expr->args[i], columns))
                return true;
        }
        return false;
    default: return false;
    }
}

bool condition_rejects_nulls(Optimiser *o, const Expr *condition, const IdSet *columns)
{
    switch (condition->kind) {
    case EXPR_AND:
        for (uint32_t i = 0; i < condition->args_count; i++) {
            if (condition_rejects_nulls(o, condition->args[i], columns))
                return true;
        }
        return false;
    case EXPR_OR:
        for (uint32_t i = 0; i < condition->args_count; i++) {
            if (!condition_rejects_nulls(o, condition->args[i], columns))
                return false;
        }
        return true;
    case EXPR_IS_NULL: return condition->test.negated && null_of_nulls(condition->args[0], columns);
    case EXPR_IS_BOOL:
        return condition->test.negated == (condition->test.test == IS_UNKNOWN) &&
               null_of_nulls(condition->args[0], columns);
    default: return null_of_nulls(condition, columns);
    }
}

bool condition_separates(Optimiser *o, const Expr *condition, const IdSet *own, Expr **inner,
                         Expr **outer)
{
    bool distinct = condition->kind == EXPR_DISTINCT && condition->test.negated;

    if (!distinct && predicate_compare(condition) != COMPARE_EQ)
        return false;
    for (int i = 0; i < 2; i++) {
        IdSet a = idset_of_expr(o->scope, condition->args[i]);
        IdSet b = idset_of_expr(o->scope, condition->args[1 - i]);
        if (!idset_empty(&a) && idset_within(&a, own) && !idset_overlaps(&b, own)) {
            *inner = condition->args[i];
            *outer = condition->args[1 - i];
            return true;
        }
    }
    return false;
}
