// SPDX-License-Identifier: Apache-2.0
//
// The end of every query, be it a SELECT, VALUES or a set operation: the projection of its targets,
// then DISTINCT, ORDER BY, row locks, LIMIT, and the removal of what only these needed.
#include "sql/bind/query_int.h"

Plan *bind_over(Binder *b, PlanKind kind, Plan *child)
{
    Plan *plan = plan_new(b->scope, kind, child->columns_count);

    if (child->columns_count > 0)
        memcpy(plan->columns, child->columns, child->columns_count * sizeof *plan->columns);
    plan->children[0] = child;
    return plan;
}

Plan *bind_filter(Binder *b, Plan *child, Expr *condition)
{
    if (condition == NULL)
        return child;
    Plan *plan = bind_over(b, PLAN_FILTER, child);
    expr_conjuncts(b->scope, condition, &plan->filter.conditions);
    return plan;
}

Status bind_tail_clauses(Binder *b, Level *level, Tail *tail)
{
    Status st = OK;
    const AstSelect *ast = tail->ast;

    if (ast->distinct_on.count > 0)
        TRY(bind_distinct_on(b, level, &ast->distinct_on, &tail->targets, &tail->order,
                             &tail->distinct_on));
    for (uint32_t i = 0; i < tail->targets.count && ast->distinct; i++) {
        if (tail->targets.data[i].junk && ast->distinct_on.count == 0)
            BIND_FAIL(b, bind_start(tail->targets.data[i].expr), E_INVALID_COLUMN_REFERENCE,
                      "for SELECT DISTINCT, ORDER BY expressions must appear in select list");
    }
    TRY(bind_limit(b, level, ast, &tail->limit, &tail->offset));
    TRY(bind_locking(b, level, ast, &tail->targets));
    for (uint32_t i = 0; i < tail->targets.count && !tail->keep_unknown; i++)
        TRY(bind_resolve_unknown(b, &tail->targets.data[i].expr));
done:
    return st;
}

// --- plan --------------------------------------------------------------------------------------

static Expr *column_of(Binder *b, const Tail *tail, const ColumnId *ids, uint32_t target)
{
    const Target *t = &tail->targets.data[target];
    const char *name = t->expr->kind == EXPR_COLUMN ? t->expr->column.name
                                                    : bind_qualified_name(b, STR(""), t->name);

    return expr_column(b->scope, ids[target], t->expr->type, name);
}

static SortKey *sort_keys(Binder *b, const Tail *tail, const ColumnId *ids)
{
    SortKey *keys = scope_new_array(b->scope, SortKey, tail->order.count + 1);

    for (uint32_t i = 0; i < tail->order.count; i++) {
        const OrderKey *key = &tail->order.data[i];
        keys[i] =
            (SortKey){column_of(b, tail, ids, key->target), key->descending, key->nulls_first};
    }
    return keys;
}

static Plan *add_sort(Binder *b, const Tail *tail, const ColumnId *ids, Plan *plan)
{
    if (tail->order.count == 0)
        return plan;
    plan = bind_over(b, PLAN_SORT, plan);
    plan->sort.keys = sort_keys(b, tail, ids);
    plan->sort.keys_count = tail->order.count;
    return plan;
}

static Plan *add_distinct(Binder *b, const Tail *tail, const ColumnId *ids, Plan *plan)
{
    plan = bind_over(b, PLAN_DISTINCT, plan);
    for (uint32_t i = 0; i < tail->distinct_on.count; i++) {
        Expr *key = column_of(b, tail, ids, tail->distinct_on.data[i]);
        array_push(b->scope, &plan->distinct.on, key);
    }
    return plan;
}

static Plan *add_limit(Binder *b, const Tail *tail, const ColumnId *ids, Plan *plan)
{
    if (tail->limit == NULL && tail->offset == NULL)
        return plan;
    plan = bind_over(b, PLAN_LIMIT, plan);
    plan->limit.limit = tail->limit;
    plan->limit.offset = tail->offset;
    plan->limit.with_ties = tail->ast->with_ties;
    if (tail->ast->with_ties) {
        plan->limit.keys = sort_keys(b, tail, ids);
        plan->limit.keys_count = tail->order.count;
    }
    return plan;
}

/* Junk stands behind the targets: a projection of the first ones drops it. */
static Plan *drop_junk(Binder *b, const Tail *tail, const ColumnId *ids, uint32_t count, Plan *plan)
{
    if (count == tail->targets.count)
        return plan;
    Plan *project = plan_new(b->scope, PLAN_PROJECT, count);
    project->children[0] = plan;
    for (uint32_t i = 0; i < count; i++) {
        Expr *expr = column_of(b, tail, ids, i);
        array_push(b->scope, &project->project.exprs, expr);
        project->columns[i] = (PlanColumn){ids[i], expr->type, expr->column.name};
    }
    return project;
}

static void describe(Binder *b, const Tail *tail, const ColumnId *ids, uint32_t count,
                     BoundQuery *out)
{
    out->columns_count = count;
    out->columns = scope_new_array(b->scope, BoundColumn, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const Target *target = &tail->targets.data[i];
        out->columns[i] = (BoundColumn){.name = target->name,
                                        .id = ids[i],
                                        .type = target->expr->type,
                                        .location = bind_start(target->expr),
                                        .declared = bind_reported_typmod(target->expr) ==
                                                    target->expr->type.typmod};
    }
}

Status bind_tail_plan(Binder *b, Level *level, Tail *tail, Plan *plan, BoundQuery *out)
{
    ColumnId *ids = scope_new_array(b->scope, ColumnId, tail->targets.count + 1);
    bool on = tail->distinct_on.count > 0;
    uint32_t count = 0;

    while (count < tail->targets.count && !tail->targets.data[count].junk)
        count++;
    plan = bind_project(b, level, plan, &tail->targets, ids);
    if (tail->ast->distinct && !on)
        plan = add_distinct(b, tail, ids, plan);
    plan = add_sort(b, tail, ids, plan);
    if (on)
        plan = add_distinct(b, tail, ids, plan);
    plan = bind_lock_plan(b, level, tail->ast, plan);
    plan = add_limit(b, tail, ids, plan);
    describe(b, tail, ids, count, out);
    out->plan = drop_junk(b, tail, ids, count, plan);
    return OK;
}
