// SPDX-License-Identifier: Apache-2.0
//
// Conditions pushed into what is no block of joins: through projections, aggregates (where they are
// about groups), set operations, sorts; into scans; and what cannot go further is a filter.
#include "sql/optimise/optimise_int.h"

typedef struct LeafPush {
    Optimiser *o;
    Plan *plan;
    ExprList below[2]; /* for the children */
    ExprList above;
} LeafPush;

static void push_above(LeafPush *p, const ExprList *conds)
{
    list_append(p->o->scope, &p->above, conds);
}

static void push_all_below(LeafPush *p, const ExprList *conds)
{
    for (uint32_t i = 0; i < conds->count; i++) {
        bool stays = expr_is_volatile(conds->data[i]);
        array_push(p->o->scope, stays ? &p->above : &p->below[0], conds->data[i]);
    }
}

/* Columns given under other names or computed: conditions in terms of what is below. `pure`: the
   columns that may be replaced so. */
static void push_substituted(LeafPush *p, const ExprList *conds, const U64Map *map,
                             const IdSet *pure, int child)
{
    IdSet own = idset_of_plan(p->o->scope, p->plan);

    for (uint32_t i = 0; i < conds->count; i++) {
        Expr *cond = conds->data[i];
        IdSet used = idset_of_expr(p->o->scope, cond);
        bool moves = !expr_is_volatile(cond);
        for (uint32_t j = 0; j < used.words_count && moves; j++) {
            uint64_t mine = used.words[j] & (j < own.words_count ? own.words[j] : 0);
            moves = (mine & ~(j < pure->words_count ? pure->words[j] : 0)) == 0;
        }
        if (moves)
            array_push(p->o->scope, &p->below[child], expr_substitute(p->o, cond, map));
        else if (child == 0)
            array_push(p->o->scope, &p->above, cond);
    }
}

static void push_through_exprs(LeafPush *p, const ExprList *conds, const ExprList *exprs)
{
    U64Map *map = u64map_new(p->o->scope);
    IdSet pure = {0};

    for (uint32_t i = 0; i < exprs->count; i++) {
        Expr *expr = exprs->data[i];
        bool set = expr->kind == EXPR_FUNC && expr->func.info->set;
        if (expr_is_volatile(expr) || expr_has_subquery(expr) || set)
            continue;
        u64map_put(map, p->plan->columns[i].id, expr);
        idset_add(p->o->scope, &pure, p->plan->columns[i].id);
    }
    push_substituted(p, conds, map, &pure, 0);
}

static void push_through_setop(LeafPush *p, const ExprList *conds)
{
    IdSet pure = idset_of_plan(p->o->scope, p->plan);

    for (int child = 0; child < 2; child++) {
        U64Map *map = u64map_new(p->o->scope);
        const Plan *side = p->plan->children[child];
        for (uint32_t i = 0; i < p->plan->columns_count; i++)
            u64map_put(map, p->plan->columns[i].id,
                       plan_column_expr(p->o->scope, &side->columns[i]));
        push_substituted(p, conds, map, &pure, child);
    }
}

/* Conditions on the columns that rows are told apart by pass DISTINCT ON. */
static void push_through_distinct(LeafPush *p, const ExprList *conds)
{
    U64Map *map = u64map_new(p->o->scope);
    IdSet pure = {0};

    if (p->plan->distinct.on.count == 0) {
        push_all_below(p, conds);
        return;
    }
    for (uint32_t i = 0; i < p->plan->distinct.on.count; i++) {
        Expr *key = p->plan->distinct.on.data[i];
        if (key->kind != EXPR_COLUMN)
            continue;
        u64map_put(map, key->column.id, key);
        idset_add(p->o->scope, &pure, key->column.id);
    }
    push_substituted(p, conds, map, &pure, 0);
}

// --- joins that are no part of a block ---------------------------------------------------------

/* FULL: NULLs of a side that nobody lets pass need not be made. */
static bool simplify_full(LeafPush *p, const ExprList *conds)
{
    Plan *plan = p->plan;
    IdSet left = idset_of_plan(p->o->scope, plan->children[0]);
    IdSet right = idset_of_plan(p->o->scope, plan->children[1]);
    bool needs_left = false, needs_right = false;

    if (plan->join.type != JOIN_FULL)
        return false;
    for (uint32_t i = 0; i < conds->count; i++) {
        needs_left |= condition_rejects_nulls(p->o, conds->data[i], &left);
        needs_right |= condition_rejects_nulls(p->o, conds->data[i], &right);
    }
    if (!needs_left && !needs_right)
        return false;
    plan->join.type = needs_left && needs_right ? JOIN_INNER : JOIN_LEFT;
    if (needs_right && !needs_left) {
        Plan *first = plan->children[0];
        plan->children[0] = plan->children[1];
        plan->children[1] = first;
    }
    return true;
}

static void push_into_join(LeafPush *p, const ExprList *conds)
{
    Plan *plan = p->plan;
    JoinType type = plan->join.type;
    IdSet left = idset_of_plan(p->o->scope, plan->children[0]);
    IdSet own = idset_of_plan(p->o->scope, plan);
    IdSet others = own;

    others.words = scope_new_array(p->o->scope, uint64_t, own.words_count + 1);
    if (own.words_count)
        memcpy(others.words, own.words, own.words_count * sizeof *own.words);
    idset_subtract(&others, &left);
    for (uint32_t i = 0; i < conds->count; i++) {
        Expr *cond = conds->data[i];
        IdSet used = idset_of_expr(p->o->scope, cond);
        bool volatile_cond = expr_is_volatile(cond);
        if (type != JOIN_FULL && !volatile_cond && !idset_overlaps(&used, &others))
            array_push(p->o->scope, &p->below[0], cond);
        else if (type == JOIN_INNER && !volatile_cond && !idset_overlaps(&used, &left))
            array_push(p->o->scope, &p->below[1], cond);
        else
            array_push(p->o->scope, &p->above, cond);
    }
}

// --- by kind -----------------------------------------------------------------------------------

static void split(LeafPush *p, const ExprList *conds)
{
    Plan *plan = p->plan;

    switch (plan->kind) {
    case PLAN_PROJECT: push_through_exprs(p, conds, &plan->project.exprs); break;
    case PLAN_PROJECT_SET: push_through_exprs(p, conds, &plan->project_set.exprs); break;
    case PLAN_AGGREGATE:
        if (plan->aggregate.groups.count && plan->aggregate.sets_count == 0)
            push_through_exprs(p, conds, &plan->aggregate.groups);
        else
            push_above(p, conds);
        break;
    case PLAN_DISTINCT: push_through_distinct(p, conds); break;
    case PLAN_SORT:
        if (plan->sort.limit || plan->sort.offset)
            push_above(p, conds);
        else
            push_all_below(p, conds);
        break;
    case PLAN_SETOP: push_through_setop(p, conds); break;
    case PLAN_CTE: list_append(p->o->scope, &p->below[1], conds); break;
    case PLAN_JOIN: push_into_join(p, conds); break;
    case PLAN_SCAN:
        for (uint32_t i = 0; i < conds->count; i++) {
            bool stays = expr_is_volatile(conds->data[i]);
            array_push(p->o->scope, stays ? &p->above : &plan->scan.filters, conds->data[i]);
        }
        break;
    case PLAN_VIRTUAL:
        for (uint32_t i = 0; i < conds->count; i++) {
            if (predicate_compare(conds->data[i]) == COMPARE_EQ &&
                !expr_has_subquery(conds->data[i]) && !expr_is_volatile(conds->data[i]))
                array_push(p->o->scope, &plan->virtual_table.filters, conds->data[i]);
        }
        push_above(p, conds);
        break;
    default: push_above(p, conds); break;
    }
}

/* Rows that nobody needs to look at: an empty input makes these nodes empty. */
static bool is_emptied(const Plan *plan)
{
    if (plan->children[0] == NULL || !plan_is_empty(plan->children[0]))
        return false;
    switch (plan->kind) {
    case PLAN_PROJECT:
    case PLAN_PROJECT_SET:
    case PLAN_DISTINCT:
    case PLAN_SORT:
    case PLAN_LIMIT:
    case PLAN_LOCK_ROWS: return true;
    case PLAN_AGGREGATE: return plan->aggregate.groups.count > 0;
    default: return false;
    }
}

/* What matches by position must keep the order of its columns. */
static bool is_positional(const Plan *plan)
{
    return plan->kind == PLAN_SETOP || plan->kind == PLAN_CTE || plan->kind == PLAN_RECURSIVE ||
           plan->kind == PLAN_MODIFY || plan->kind == PLAN_DISTINCT;
}

/* DISTINCT over rows that are distinct already. */
static bool is_idle_distinct(Optimiser *o, const Plan *plan)
{
    IdSet all = idset_of_plan(o->scope, plan);

    return plan->kind == PLAN_DISTINCT && plan->distinct.on.count == 0 &&
           plan_is_unique(o, plan->children[0], &all);
}

Status push_leaf(Optimiser *o, Plan **slot, const ExprList *conditions)
{
    Status st = OK;
    Plan *plan = *slot;
    LeafPush p = {.o = o, .plan = plan};

    if (plan->kind == PLAN_JOIN && simplify_full(&p, conditions)) {
        PlanColumn *columns = plan->columns;
        join_set_columns(o, plan);
        TRY(push_conditions(o, slot, conditions));
        *slot = plan_shaped(o->scope, *slot, columns, plan->columns_count);
        goto done;
    }
    split(&p, conditions);
    for (int i = 0; i < 2; i++) {
        if (plan->children[i] == NULL)
            continue;
        Plan *child = plan->children[i];
        TRY(push_conditions(o, &plan->children[i], &p.below[i]));
        if (is_positional(plan))
            plan->children[i] =
                plan_shaped(o->scope, plan->children[i], child->columns, child->columns_count);
        if (i == 0 && plan->kind == PLAN_CTE)
            u64map_put(o->ctes, plan->cte.id, plan->children[0]);
    }
    if (plan->kind == PLAN_JOIN)
        join_set_columns(o, plan);
    if (is_idle_distinct(o, plan))
        plan = plan->children[0];
    else
        estimate_node(o, plan);
    *slot = is_emptied(plan) ? plan_empty(o->scope, plan) : plan_filter(o->scope, plan, &p.above);
    if (p.above.count)
        estimate_node(o, *slot);
done:
    return st;
}
