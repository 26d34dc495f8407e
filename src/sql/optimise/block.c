// SPDX-License-Identifier: Apache-2.0
//
// Making a block: the tree of joins, filters and projections is taken apart. Projections between
// joins vanish: what they compute is put into the conditions that use it and computed once more
// above the block, for whoever else needs it.
#include "sql/optimise/block.h"

// --- taking apart ------------------------------------------------------------------------------

static void flatten(Block *b, Plan *plan, bool joined);

static BlockRel *add_rel(Block *b, Plan *plan)
{
    ASSERT(b->rels_count < BLOCK_RELATIONS_MAX);
    BlockRel *rel = &b->rels[b->rels_count++];
    *rel = (BlockRel){.plan = plan, .op = JOIN_INNER};
    rel->columns = idset_of_plan(b->o->scope, plan);
    return rel;
}

static bool is_movable(const ExprList *exprs)
{
    for (uint32_t i = 0; i < exprs->count; i++) {
        if (expr_is_volatile(exprs->data[i]) || expr_has_subquery(exprs->data[i]))
            return false;
    }
    return true;
}

static void flatten_project(Block *b, Plan *plan, bool joined)
{
    for (uint32_t i = 0; i < plan->columns_count; i++) {
        Expr *expr = plan->project.exprs.data[i];
        if (!expr_is_column(expr, plan->columns[i].id))
            array_push(b->o->scope, &b->computed, (BlockColumn){plan->columns[i].id, expr});
    }
    flatten(b, plan->children[0], joined);
}

static RelMask mask_since(const Block *b, uint32_t first)
{
    return (rel_bit(b->rels_count) - 1) & ~(rel_bit(first) - 1);
}

static void flatten_operator(Block *b, Plan *plan)
{
    uint32_t first = b->rels_count;

    flatten(b, plan->children[0], true);
    RelMask left = mask_since(b, first);
    BlockRel *rel = add_rel(b, plan->children[1]);
    rel->op = plan->join.type;
    rel->left = left;
    rel->mark = plan->join.mark;
    list_append(b->o->scope, &rel->conds, &plan->join.conditions);
    if (rel->op == JOIN_MARK) {
        rel->columns = (IdSet){0};
        idset_add(b->o->scope, &rel->columns, rel->mark);
    } else if (rel->op == JOIN_SEMI || rel->op == JOIN_ANTI || rel->op == JOIN_ANTI_NULL) {
        rel->columns = (IdSet){0};
    }
}

/* Relations that a subtree would add at most. */
static uint32_t count_rels(const Plan *plan)
{
    switch (plan->kind) {
    case PLAN_FILTER:
    case PLAN_PROJECT: return count_rels(plan->children[0]);
    case PLAN_JOIN: return count_rels(plan->children[0]) + count_rels(plan->children[1]);
    default: return 1;
    }
}

static bool fits(const Block *b, const Plan *plan)
{
    return b->rels_count + count_rels(plan) < BLOCK_RELATIONS_MAX;
}

static void flatten(Block *b, Plan *plan, bool joined)
{
    bool inner = plan->kind == PLAN_JOIN && plan->join.type == JOIN_INNER;

    if (plan->kind == PLAN_FILTER) {
        list_append(b->o->scope, &b->conditions, &plan->filter.conditions);
        flatten(b, plan->children[0], joined);
    } else if (plan->kind == PLAN_PROJECT && is_movable(&plan->project.exprs)) {
        flatten_project(b, plan, joined);
    } else if (inner && !plan->join.dependent && fits(b, plan)) {
        list_append(b->o->scope, &b->conditions, &plan->join.conditions);
        flatten(b, plan->children[0], true);
        flatten(b, plan->children[1], true);
    } else if (plan->kind == PLAN_JOIN && !inner && plan->join.type != JOIN_FULL &&
               !plan->join.dependent && fits(b, plan)) {
        flatten_operator(b, plan);
    } else if (plan->kind == PLAN_SORT && joined && !plan->sort.limit && !plan->sort.offset) {
        flatten(b, plan->children[0], joined);
    } else {
        add_rel(b, plan);
    }
}

/* Columns computed by projections, in terms of relations' columns: inner projections were met
   later. */
static void substitute_computed(Block *b)
{
    U64Map *map = u64map_new(b->o->scope);

    if (b->computed.count == 0)
        return;
    for (uint32_t i = b->computed.count; i-- > 0;) {
        BlockColumn *column = &b->computed.data[i];
        column->expr = expr_substitute(b->o, column->expr, map);
        u64map_put(map, column->id, column->expr);
    }
    list_substitute(b->o, &b->conditions, map);
    for (uint32_t i = 0; i < b->rels_count; i++)
        list_substitute(b->o, &b->rels[i].conds, map);
}

void block_flatten(Block *b, Plan *plan)
{
    flatten(b, plan, false);
    substitute_computed(b);
}

// --- simplification ----------------------------------------------------------------------------

static bool rejected_by(Block *b, const ExprList *conds, const IdSet *columns)
{
    for (uint32_t i = 0; i < conds->count; i++) {
        if (condition_rejects_nulls(b->o, conds->data[i], columns))
            return true;
    }
    return false;
}

static bool nulls_are_rejected(Block *b, const BlockRel *rel)
{
    if (rejected_by(b, &b->conditions, &rel->columns))
        return true;
    for (uint32_t i = 0; i < b->rels_count; i++) {
        if (b->rels[i].op == JOIN_SEMI && rejected_by(b, &b->rels[i].conds, &rel->columns))
            return true;
    }
    return false;
}

/* Each left row meets at most one right row. */
static bool matches_once(Block *b, const BlockRel *rel)
{
    IdSet own = idset_of_plan(b->o->scope, rel->plan), matched = {0};

    for (uint32_t i = 0; i < rel->conds.count; i++) {
        Expr *inner, *outer;
        if (condition_separates(b->o, rel->conds.data[i], &own, &inner, &outer) &&
            inner->kind == EXPR_COLUMN)
            idset_add(b->o->scope, &matched, inner->column.id);
    }
    return plan_is_unique(b->o, rel->plan, &matched);
}

/* The operator's right side joins the block as relations of their own. */
static void make_inner(Block *b, uint32_t at)
{
    BlockRel *rel = &b->rels[at];
    Plan *plan = rel->plan;
    uint32_t first = b->rels_count, computed = b->computed.count;

    list_append(b->o->scope, &b->conditions, &rel->conds);
    *rel = (BlockRel){.plan = plan, .op = JOIN_INNER};
    rel->columns = idset_of_plan(b->o->scope, plan);
    if ((plan->kind != PLAN_FILTER && plan->kind != PLAN_JOIN && plan->kind != PLAN_PROJECT) ||
        !fits(b, plan))
        return;
    flatten(b, plan, true);
    RelMask added = mask_since(b, first);
    *rel = b->rels[--b->rels_count];
    RelMask last = rel_bit(b->rels_count);
    added = (added & ~last) | rel_bit(at);
    for (uint32_t i = 0; i < b->rels_count; i++) {
        RelMask left = b->rels[i].left;
        if (left & last)
            left = (left & ~last) | rel_bit(at);
        b->rels[i].left = left & rel_bit(at) ? left | (i < first && i != at ? added : 0) : left;
    }
    if (b->computed.count > computed)
        substitute_computed(b);
}

void block_simplify(Block *b)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < b->rels_count && !changed; i++) {
            BlockRel *rel = &b->rels[i];
            changed = (rel->op == JOIN_LEFT && nulls_are_rejected(b, rel)) ||
                      (rel->op == JOIN_SEMI && matches_once(b, rel));
            if (changed)
                make_inner(b, i);
        }
    }
}

// --- masks -------------------------------------------------------------------------------------

RelMask block_mask(const Block *b, const Expr *expr)
{
    IdSet used = idset_of_expr(b->o->scope, expr);
    RelMask mask = 0;

    for (uint32_t i = 0; i < b->rels_count; i++) {
        if (idset_overlaps(&used, &b->rels[i].columns))
            mask |= rel_bit(i);
    }
    return mask;
}

const ClassMember *class_member_in(const EqualClass *class, RelMask set)
{
    for (uint32_t i = 0; i < class->members.count; i++) {
        if (set & rel_bit(class->members.data[i].rel))
            return &class->members.data[i];
    }
    return NULL;
}

Expr *class_equality(Block *b, const EqualClass *class, const Expr *left, const Expr *right)
{
    Expr *expr = scope_new(b->o->scope, Expr);

    *expr = *class->equality;
    expr->args = scope_new_array(b->o->scope, Expr *, 2);
    expr->args[0] = (Expr *)left;
    expr->args[1] = (Expr *)right;
    return expr;
}
