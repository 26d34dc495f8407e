// SPDX-License-Identifier: Apache-2.0
//
// Conditions pushed down and joins ordered, in one walk: a block of joins takes its conditions from
// above and from inside, works out what follows from them, hands every relation its own (which may
// be a block again, below an aggregate or a set operation), and joins the relations in the cheapest
// order.
#include "sql/optimise/block.h"

Plan *plan_shaped(Scope *scope, Plan *plan, const PlanColumn *columns, uint32_t count)
{
    bool same = plan->columns_count == count;

    for (uint32_t i = 0; i < count && same; i++)
        same = plan->columns[i].id == columns[i].id;
    if (same)
        return plan;
    Plan *project = plan_new(scope, PLAN_PROJECT, count);
    project->children[0] = plan;
    project->rows_estimate = plan->rows_estimate;
    project->cost = plan->cost;
    for (uint32_t i = 0; i < count; i++) {
        project->columns[i] = columns[i];
        array_push(scope, &project->project.exprs, plan_column_expr(scope, &columns[i]));
    }
    return project;
}

/* Before its conditions a relation has all the table's rows. */
static double rows_before_conditions(Optimiser *o, const Plan *plan)
{
    while (plan->kind == PLAN_FILTER)
        plan = plan->children[0];
    return plan->kind == PLAN_SCAN ? table_size(o, plan->scan.table)->rows : plan->rows_estimate;
}

static Status push_relations(Block *b, bool *empty)
{
    Status st = OK;

    *empty = false;
    for (uint32_t i = 0; i < b->rels_count; i++) {
        BlockRel *rel = &b->rels[i];
        TRY(push_conditions(b->o, &rel->plan, &rel->local));
        rel->rows = rel->plan->rows_estimate;
        rel->cost = rel->plan->cost;
        rel->base_rows = rows_before_conditions(b->o, rel->plan);
        if (plan_is_empty(rel->plan) && (rel->op == JOIN_INNER || rel->op == JOIN_SEMI))
            *empty = true;
    }
done:
    return st;
}

/* What projections inside the block computed, for those above; `columns`: what the block gives. */
static Plan *compute_columns(Block *b, Plan *plan, const PlanColumn *columns, uint32_t count)
{
    U64Map *map = u64map_new(b->o->scope);

    if (b->computed.count == 0)
        return plan_shaped(b->o->scope, plan, columns, count);
    for (uint32_t i = 0; i < b->computed.count; i++)
        u64map_put(map, b->computed.data[i].id, b->computed.data[i].expr);
    Plan *project = plan_new(b->o->scope, PLAN_PROJECT, count);
    project->children[0] = plan;
    for (uint32_t i = 0; i < count; i++) {
        Expr *computed = u64map_get(map, columns[i].id);
        project->columns[i] = columns[i];
        array_push(b->o->scope, &project->project.exprs,
                   computed ? computed : plan_column_expr(b->o->scope, &columns[i]));
    }
    estimate_node(b->o, project);
    return project;
}

static Status push_block(Optimiser *o, Plan **slot, const ExprList *conditions)
{
    Status st = OK;
    Plan *plan = *slot;
    Block *b = scope_new(o->scope, Block);
    bool empty;

    b->o = o;
    list_append(o->scope, &b->conditions, conditions);
    block_flatten(b, plan);
    block_simplify(b);
    block_infer(b);
    block_reduce(b);
    TRY(push_relations(b, &empty));
    if (empty) {
        *slot = plan_empty(o->scope, plan);
        goto done;
    }
    Plan *joined = b->rels[0].plan;
    if (b->rels_count > 1) {
        block_sort(b);
        TRY(block_join(b, &joined));
    }
    if (b->late.count) {
        joined = plan_filter(o->scope, joined, &b->late);
        estimate_node(o, joined);
    }
    *slot = compute_columns(b, joined, plan->columns, plan->columns_count);
done:
    return st;
}

Status push_conditions(Optimiser *o, Plan **slot, const ExprList *conditions)
{
    const Plan *plan = *slot;
    bool joins = plan->kind == PLAN_JOIN && plan->join.type != JOIN_FULL && !plan->join.dependent;

    for (uint32_t i = 0; i < conditions->count; i++) {
        if (expr_is_false(conditions->data[i])) {
            *slot = plan_empty(o->scope, plan);
            return OK;
        }
    }
    if (plan->kind == PLAN_FILTER || joins)
        return push_block(o, slot, conditions);
    return push_leaf(o, slot, conditions);
}
