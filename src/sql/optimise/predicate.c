// SPDX-License-Identifier: Apache-2.0
//
// Small questions about expressions and small constructions of plan nodes that every pass needs.
// The contract, and which thread may call, stands in the header.
#include "sql/optimise/optimise_int.h"

CompareOp predicate_compare(const Expr *expr)
{
    static const struct {
        const char *name;
        CompareOp op;
    } ops[] = {{"=", COMPARE_EQ},  {"<>", COMPARE_NE}, {"<", COMPARE_LT},
               {"<=", COMPARE_LE}, {">", COMPARE_GT},  {">=", COMPARE_GE}};

    if (expr->kind != EXPR_FUNC || expr->func.op == NULL || expr->args_count != 2 ||
        expr->type.oid != OID_BOOL)
        return COMPARE_NONE;
    for (size_t i = 0; i < ARRAY_COUNT(ops); i++) {
        if (strcmp(expr->func.op->name, ops[i].name) == 0)
            return ops[i].op;
    }
    return COMPARE_NONE;
}

CompareOp compare_commute(CompareOp op)
{
    switch (op) {
    case COMPARE_LT: return COMPARE_GT;
    case COMPARE_LE: return COMPARE_GE;
    case COMPARE_GT: return COMPARE_LT;
    case COMPARE_GE: return COMPARE_LE;
    default: return op;
    }
}

bool expr_is_column(const Expr *expr, ColumnId id)
{
    return expr->kind == EXPR_COLUMN && expr->column.id == id;
}

bool expr_is_true(const Expr *expr)
{
    return expr->kind == EXPR_CONST && expr->type.oid == OID_BOOL && !expr->constant.is_null &&
           expr->constant.boolean;
}

bool expr_is_false(const Expr *expr)
{
    return expr->kind == EXPR_CONST && expr->type.oid == OID_BOOL &&
           (expr->constant.is_null || !expr->constant.boolean);
}

void list_append(Scope *scope, ExprList *to, const ExprList *from)
{
    for (uint32_t i = 0; i < from->count; i++)
        array_push(scope, to, from->data[i]);
}

const PlanColumn *plan_column(const Plan *plan, ColumnId id)
{
    for (uint32_t i = 0; i < plan->columns_count; i++) {
        if (plan->columns[i].id == id)
            return &plan->columns[i];
    }
    return NULL;
}

Plan *plan_over(Scope *scope, PlanKind kind, Plan *child)
{
    Plan *plan = plan_new(scope, kind, child->columns_count);

    if (child->columns_count > 0)
        memcpy(plan->columns, child->columns, child->columns_count * sizeof *plan->columns);
    plan->children[0] = child;
    plan->rows_estimate = child->rows_estimate;
    plan->cost = child->cost;
    return plan;
}

Plan *plan_filter(Scope *scope, Plan *child, const ExprList *conditions)
{
    if (conditions->count == 0)
        return child;
    Plan *plan = plan_over(scope, PLAN_FILTER, child);
    list_append(scope, &plan->filter.conditions, conditions);
    return plan;
}

Expr *plan_column_expr(Scope *scope, const PlanColumn *column)
{
    return expr_column(scope, column->id, column->type, column->name);
}

Plan *plan_narrow(Scope *scope, Plan *child, const IdSet *keep)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < child->columns_count; i++)
        count += idset_has(keep, child->columns[i].id);
    if (count == child->columns_count)
        return child;
    Plan *plan = plan_new(scope, PLAN_PROJECT, count);
    plan->children[0] = child;
    plan->rows_estimate = child->rows_estimate;
    plan->cost = child->cost;
    count = 0;
    for (uint32_t i = 0; i < child->columns_count; i++) {
        if (!idset_has(keep, child->columns[i].id))
            continue;
        plan->columns[count++] = child->columns[i];
        array_push(scope, &plan->project.exprs, plan_column_expr(scope, &child->columns[i]));
    }
    return plan;
}

Plan *plan_empty(Scope *scope, const Plan *plan)
{
    Plan *empty = plan_new(scope, PLAN_VALUES, plan->columns_count);

    if (plan->columns_count > 0)
        memcpy(empty->columns, plan->columns, plan->columns_count * sizeof *empty->columns);
    return empty;
}

bool plan_is_empty(const Plan *plan)
{
    return plan->kind == PLAN_VALUES && plan->values.rows_count == 0;
}
