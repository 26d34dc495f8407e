// SPDX-License-Identifier: Apache-2.0
//
// What follows from a block's conditions. Equalities between columns of plain relations make
// classes: the members equal each other, so a condition of one member with a value holds for all of
// them. An OR whose every branch says something of one relation gives that relation a filter.
// Then every condition is where it belongs: with a relation, with the block, or late.
#include "sql/optimise/block.h"

// --- classes -----------------------------------------------------------------------------------

static bool same_class_type(const Expr *a, const Expr *b)
{
    if (a->type.oid == OID_NUMERIC)
        return type_equal(a->type, b->type);
    return a->type.oid == b->type.oid;
}

static uint32_t plain_rel_of(const Block *b, ColumnId id)
{
    for (uint32_t i = 0; i < b->rels_count; i++) {
        if (b->rels[i].op == JOIN_INNER && idset_has(&b->rels[i].columns, id))
            return i;
    }
    return UINT32_MAX;
}

static bool is_class_equality(const Block *b, const Expr *cond)
{
    if (predicate_compare(cond) != COMPARE_EQ)
        return false;
    const Expr *left = cond->args[0], *right = cond->args[1];
    return left->kind == EXPR_COLUMN && right->kind == EXPR_COLUMN &&
           same_class_type(left, right) && left->column.id != right->column.id &&
           plain_rel_of(b, left->column.id) != UINT32_MAX &&
           plain_rel_of(b, right->column.id) != UINT32_MAX;
}

static EqualClass *class_of(Block *b, const Expr *column)
{
    for (uint32_t i = 0; i < b->classes.count; i++) {
        EqualClass *class = &b->classes.data[i];
        for (uint32_t j = 0; j < class->members.count; j++) {
            const Expr *member = class->members.data[j].column;
            if (member->column.id == column->column.id && same_class_type(member, column))
                return class;
        }
    }
    return NULL;
}

static void add_member(Block *b, EqualClass *class, Expr *column)
{
    ClassMember member = {.column = column, .rel = plain_rel_of(b, column->column.id)};

    array_push(b->o->scope, &class->members, member);
}

static void merge_classes(Block *b, EqualClass *into, EqualClass *from)
{
    for (uint32_t i = 0; i < from->members.count; i++)
        array_push(b->o->scope, &into->members, from->members.data[i]);
    *from = b->classes.data[b->classes.count - 1];
    b->classes.count--;
}

static void add_equality(Block *b, const Expr *cond)
{
    EqualClass *left = class_of(b, cond->args[0]), *right = class_of(b, cond->args[1]);

    if (left && right) {
        if (left != right)
            merge_classes(b, left, right);
    } else if (left || right) {
        add_member(b, left ? left : right, cond->args[left ? 1 : 0]);
    } else {
        EqualClass class = {.equality = cond};
        array_push(b->o->scope, &b->classes, class);
        add_member(b, &array_last(&b->classes), cond->args[0]);
        add_member(b, &array_last(&b->classes), cond->args[1]);
    }
}

/* Two members in one relation: a condition of its own. */
static void add_local_equalities(Block *b, const EqualClass *class)
{
    for (uint32_t i = 0; i < class->members.count; i++) {
        const ClassMember *member = &class->members.data[i];
        for (uint32_t j = 0; j < i; j++) {
            if (class->members.data[j].rel != member->rel)
                continue;
            array_push(b->o->scope, &b->rels[member->rel].local,
                       class_equality(b, class, class->members.data[j].column, member->column));
            break;
        }
    }
}

// --- values ------------------------------------------------------------------------------------

/* The column that a condition compares with values only. */
static const Expr *compared_column(Block *b, const Expr *cond)
{
    CompareOp op = predicate_compare(cond);
    const Expr *column = cond->args_count ? cond->args[0] : NULL;
    bool in = cond->kind == EXPR_IN && !cond->test.negated;

    if (!in && (op == COMPARE_NONE || op == COMPARE_NE))
        return NULL;
    if (!in && column->kind != EXPR_COLUMN)
        column = cond->args[1];
    if (column->kind != EXPR_COLUMN || expr_is_volatile(cond) || expr_has_subquery(cond))
        return NULL;
    IdSet used = idset_of_expr(b->o->scope, cond);
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->rels_count; i++)
        count += idset_overlaps(&used, &b->rels[i].columns);
    for (uint32_t i = 0; i < cond->args_count; i++) {
        if (cond->args[i] != column && block_mask(b, cond->args[i]))
            return NULL;
    }
    return count == 1 ? column : NULL;
}

static Expr *about(Block *b, const Expr *cond, const Expr *column, Expr *other)
{
    U64Map *map = u64map_new(b->o->scope);

    u64map_put(map, column->column.id, other);
    return expr_substitute(b->o, cond, map);
}

static void add_once(Block *b, ExprList *list, Expr *cond)
{
    if (!list_has(list, cond))
        array_push(b->o->scope, list, cond);
}

/* The right sides of operators that are joined with the column by an equality. */
static void derive_for_operators(Block *b, const Expr *cond, const Expr *column,
                                 const EqualClass *class)
{
    for (uint32_t i = 0; i < b->rels_count; i++) {
        BlockRel *rel = &b->rels[i];
        if (rel->op == JOIN_INNER || rel->op == JOIN_ANTI_NULL || rel->op == JOIN_MARK)
            continue;
        IdSet own = idset_of_plan(b->o->scope, rel->plan);
        for (uint32_t j = 0; j < rel->conds.count; j++) {
            Expr *inner, *outer;
            if (!condition_separates(b->o, rel->conds.data[j], &own, &inner, &outer) ||
                predicate_compare(rel->conds.data[j]) != COMPARE_EQ || inner->kind != EXPR_COLUMN ||
                outer->kind != EXPR_COLUMN || !same_class_type(inner, column) ||
                !same_class_type(outer, column))
                continue;
            if (outer->column.id == column->column.id || (class && class_of(b, outer) == class))
                add_once(b, &rel->local, about(b, cond, column, inner));
        }
    }
}

static void derive_values(Block *b, const Expr *cond)
{
    const Expr *column = compared_column(b, cond);

    if (column == NULL || plain_rel_of(b, column->column.id) == UINT32_MAX)
        return;
    const EqualClass *class = class_of(b, column);
    for (uint32_t i = 0; class && i < class->members.count; i++) {
        const ClassMember *member = &class->members.data[i];
        if (member->column->column.id != column->column.id)
            add_once(b, &b->rels[member->rel].local, about(b, cond, column, member->column));
    }
    derive_for_operators(b, cond, column, class);
}

// --- OR ----------------------------------------------------------------------------------------

/* What all branches of the OR say of one relation, as an OR; NULL: one says nothing. */
static Expr *or_about(Block *b, const Expr *cond, uint32_t rel)
{
    ExprList branches = {0};

    for (uint32_t i = 0; i < cond->args_count; i++) {
        ExprList parts = {0}, own = {0};
        expr_conjuncts(b->o->scope, cond->args[i], &parts);
        for (uint32_t j = 0; j < parts.count; j++) {
            if (block_mask(b, parts.data[j]) == rel_bit(rel) && !expr_has_subquery(parts.data[j]))
                array_push(b->o->scope, &own, parts.data[j]);
        }
        if (own.count == 0)
            return NULL;
        array_push(b->o->scope, &branches, expr_and(b->o->scope, own.data, own.count));
    }
    Expr *expr = expr_new(b->o->scope, EXPR_OR, sql_type(OID_BOOL), branches.count);
    memcpy(expr->args, branches.data, branches.count * sizeof *expr->args);
    return simplify(b->o, expr);
}

static void derive_from_or(Block *b, BlockCond *cond)
{
    if (cond->expr->kind != EXPR_OR || expr_is_volatile(cond->expr))
        return;
    for (uint32_t i = 0; i < b->rels_count; i++) {
        if (!(cond->mask & rel_bit(i)) || b->rels[i].op != JOIN_INNER)
            continue;
        Expr *derived = or_about(b, cond->expr, i);
        if (derived == NULL)
            continue;
        ExprList parts = {0};
        expr_conjuncts(b->o->scope, derived, &parts);
        cond->share = MIN(cond->share / selectivity_of_list(b->o, &parts), 1);
        for (uint32_t j = 0; j < parts.count; j++)
            add_once(b, &b->rels[i].local, parts.data[j]);
    }
}

// --- sorting out -------------------------------------------------------------------------------

typedef struct OuterUse {
    Block *b;
    bool found;
} OuterUse;

static bool find_correlated(void *arg, Expr *expr)
{
    OuterUse *use = arg;

    if (expr->kind == EXPR_SUBQUERY && expr->subquery.outer_count > 0)
        use->found = true;
    return !use->found;
}

/* Runs a subquery for each row: better for few rows. */
static bool is_late(Block *b, Expr *cond)
{
    OuterUse use = {.b = b};

    expr_walk(cond, find_correlated, &use);
    return use.found || expr_is_volatile(cond);
}

static void place_condition(Block *b, Expr *cond)
{
    RelMask mask = block_mask(b, cond);

    if (is_late(b, cond) && b->rels_count > 1) {
        array_push(b->o->scope, &b->late, cond);
        return;
    }
    if (mask == 0) {
        /* The first plain relation: there always is one. */
        uint32_t at = 0;
        while (b->rels[at].op != JOIN_INNER)
            at++;
        mask = rel_bit(at);
    }
    for (uint32_t i = 0; i < b->rels_count; i++) {
        if (mask == rel_bit(i) && b->rels[i].op == JOIN_INNER) {
            add_once(b, &b->rels[i].local, cond);
            return;
        }
    }
    BlockCond placed = {.expr = cond, .mask = mask, .share = selectivity_of(b->o, cond)};
    array_push(b->o->scope, &b->conds, placed);
}

/* Conditions of an operator that are about its right side alone are that side's. */
static void place_operator_conditions(Block *b, uint32_t at)
{
    BlockRel *rel = &b->rels[at];
    IdSet own = idset_of_plan(b->o->scope, rel->plan);
    ExprList rest = {0};

    for (uint32_t i = 0; i < rel->conds.count; i++) {
        Expr *cond = rel->conds.data[i];
        IdSet used = idset_of_expr(b->o->scope, cond);
        RelMask mask = block_mask(b, cond) & rel->left;
        bool plain = !is_late(b, cond) && rel->op != JOIN_ANTI_NULL && rel->op != JOIN_MARK;
        if (plain && mask == 0 && idset_overlaps(&used, &own)) {
            add_once(b, &rel->local, cond);
            continue;
        }
        rel->required |= mask;
        array_push(b->o->scope, &rest, cond);
    }
    rel->conds = rest;
    if (rel->required == 0 || rel->op == JOIN_SINGLE)
        rel->required |= rel->left;
}

void block_infer(Block *b)
{
    ExprList all = {0}, others = {0};

    for (uint32_t i = 0; i < b->conditions.count; i++)
        expr_conjuncts(b->o->scope, b->conditions.data[i], &all);
    for (uint32_t i = 0; i < all.count; i++) {
        if (is_class_equality(b, all.data[i]))
            add_equality(b, all.data[i]);
        else if (!list_has(&others, all.data[i]))
            array_push(b->o->scope, &others, all.data[i]);
    }
    for (uint32_t i = 0; i < others.count; i++)
        place_condition(b, others.data[i]);
    for (uint32_t i = 0; i < others.count; i++)
        derive_values(b, others.data[i]);
    for (uint32_t i = 0; i < b->classes.count; i++)
        add_local_equalities(b, &b->classes.data[i]);
    for (uint32_t i = 0; i < b->conds.count; i++)
        derive_from_or(b, &b->conds.data[i]);
    for (uint32_t i = 0; i < b->rels_count; i++) {
        if (b->rels[i].op != JOIN_INNER)
            place_operator_conditions(b, i);
    }
}
