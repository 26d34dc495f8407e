// SPDX-License-Identifier: Apache-2.0
//
// SELECT: its clauses are bound in PostgreSQL's order (which decides the error that shows), then
// the plan is put together: FROM, WHERE, aggregate, HAVING, set-returning functions, projection
// and what bind_tail.c adds.
#include "sql/bind/query_int.h"

typedef struct Select {
    const AstSelect *ast;
    Level *level;
    Plan *from;
    Expr *where, *having;
    Tail tail;
    Grouping grouping;
    bool aggregated;
} Select;

static Plan *one_row(Binder *b)
{
    Plan *plan = plan_new(b->scope, PLAN_VALUES, 0);

    plan->values.rows_count = 1;
    plan->values.rows = scope_new(b->scope, ExprList);
    return plan;
}

static Status bind_clauses(Binder *b, Select *select)
{
    Status st = OK;
    const AstSelect *ast = select->ast;
    Level *level = select->level;
    ExprList groups = {0};

    if (ast->windows.count > 0)
        TRY(bind_unsupported(b, ast->windows.items[0]->location, "window functions are"));
    level->want_keys = ast->locking.count > 0;
    TRY(bind_from_list(b, level, &ast->from, &select->from));
    TRY(bind_targets(b, level, &ast->targets, CLAUSE_TARGETS, &select->tail.targets));
    if (ast->where)
        TRY(bind_condition(b, level, CLAUSE_WHERE, ast->where, "WHERE", &select->where));
    if (ast->having)
        TRY(bind_condition(b, level, CLAUSE_HAVING, ast->having, "HAVING", &select->having));
    TRY(bind_order(b, level, &ast->order, false, &select->tail.targets, &select->tail.order));
    TRY(bind_group(b, level, &ast->group, &select->tail.targets, &groups));
    TRY(bind_tail_clauses(b, level, &select->tail));
    select->grouping.level = level;
    bind_groups(b, &select->grouping, &groups);
    select->aggregated = ast->group.count > 0 || ast->having != NULL || level->aggs.count > 0;
done:
    return st;
}

/* BIND-3: everything above the aggregate speaks of its outputs. */
static Status regroup_all(Binder *b, Select *select)
{
    Status st = OK;
    Level *level = select->level;

    if (!select->aggregated)
        goto done;
    for (uint32_t i = 0; i < level->sets.count; i++) {
        Expr *call = level->sets.data[i].call;
        TRY(bind_regroup(b, &select->grouping, &call));
        level->sets.data[i].call = call;
    }
    for (uint32_t i = 0; i < select->tail.targets.count; i++)
        TRY(bind_regroup(b, &select->grouping, &select->tail.targets.data[i].expr));
    if (select->having)
        TRY(bind_regroup(b, &select->grouping, &select->having));
done:
    return st;
}

/* The child's columns and one for each set-returning call of the target list. */
static Plan *project_sets(Binder *b, Level *level, Plan *child)
{
    uint32_t count = child->columns_count;
    Plan *plan;

    if (level->sets.count == 0)
        return child;
    plan = plan_new(b->scope, PLAN_PROJECT_SET, count + level->sets.count);
    plan->children[0] = child;
    for (uint32_t i = 0; i < count; i++) {
        const PlanColumn *column = &child->columns[i];
        Expr *expr = expr_column(b->scope, column->id, column->type, column->name);
        plan->columns[i] = *column;
        array_push(b->scope, &plan->project_set.exprs, expr);
    }
    for (uint32_t i = 0; i < level->sets.count; i++) {
        const SetEntry *entry = &level->sets.data[i];
        plan->columns[count + i] =
            (PlanColumn){entry->id, entry->call->type, entry->call->func.info->name};
        array_push(b->scope, &plan->project_set.exprs, entry->call);
    }
    return plan;
}

Status bind_select(Binder *b, Level *level, const AstSelect *ast, bool keep_unknown,
                   BoundQuery *out)
{
    Status st = OK;
    Select select = {
        .ast = ast, .level = level, .tail = {.ast = ast, .keep_unknown = keep_unknown}};

    TRY(bind_clauses(b, &select));
    TRY(regroup_all(b, &select));
    Plan *plan = select.from ? select.from : one_row(b);
    plan = bind_filter(b, plan, select.where);
    if (select.aggregated)
        plan = bind_aggregate_plan(b, &select.grouping, plan);
    plan = bind_filter(b, plan, select.having);
    plan = project_sets(b, level, plan);
    TRY(bind_tail_plan(b, level, &select.tail, plan, out));
done:
    return st;
}

Status bind_query(Binder *b, Level *up, const AstNode *query, bool keep_unknown, BoundQuery *out)
{
    Status st = OK;
    const AstSelect *ast = (const AstSelect *)query;
    Level *level = scope_new(b->scope, Level);

    TRY(bind_enter(b, query->location));
    level_init(level, up);
    if (!ast_is(query, AST_SELECT))
        st = bind_unsupported(b, query->location, "data-modifying statements here are");
    if (st == OK && ast->with)
        st = bind_with(b, level, ast->with);
    if (st == OK && ast->setop != AST_SETOP_NONE)
        st = bind_setop(b, level, ast, keep_unknown, out);
    else if (st == OK && ast->values.count > 0)
        st = bind_values(b, level, ast, keep_unknown, out);
    else if (st == OK)
        st = bind_select(b, level, ast, keep_unknown, out);
    bind_leave(b);
    TRY(st);
    if (ast->with)
        out->plan = bind_with_wrap(b, level, ast->with, out->plan);
done:
    return st;
}
