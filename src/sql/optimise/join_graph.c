// SPDX-License-Identifier: Apache-2.0
//
// A block as a graph: which sets of relations can be joined, how many rows that gives and what it
// costs. The rows of a set are estimated of the set as a whole, so that they do not depend on how
// it is made: of a class of k columns all but the smallest number of distinct values divide (System
// R's rule); a key of several columns that is matched as a whole counts as one.
#include "sql/optimise/join_order.h"

#include <math.h>

#define SPILL_ROWS 10000.0

static RelMask class_mask(const EqualClass *class)
{
    RelMask mask = 0;

    for (uint32_t i = 0; i < class->members.count; i++)
        mask |= rel_bit(class->members.data[i].rel);
    return mask;
}

static void connect(JoinGraph *g, RelMask mask)
{
    for (uint32_t i = 0; i < g->b->rels_count; i++) {
        if (mask & rel_bit(i))
            g->neighbours[i] |= mask & ~rel_bit(i);
    }
}

/* Values of a member's column in its whole relation; *unique: it is a key. */
static double member_distinct(Block *b, const ClassMember *member, bool *unique)
{
    const BlockRel *rel = &b->rels[member->rel];
    const ColumnOrigin *origin = column_origin(b->o, member->column->column.id);
    bool scan = rel->plan->kind == PLAN_SCAN;
    double distinct =
        origin ? origin->distinct : expr_distinct(b->o, member->column, rel->base_rows);
    IdSet alone = {0};

    idset_add(b->o->scope, &alone, member->column->column.id);
    *unique = scan ? origin && origin->unique : plan_is_unique(b->o, rel->plan, &alone);
    return *unique && !scan ? MIN(distinct, MAX(rel->base_rows, 1)) : distinct;
}

/* The share of values that the relation's conditions on this column alone let pass. */
static double own_share(Block *b, const ClassMember *member)
{
    const ExprList *local = &b->rels[member->rel].local;
    ExprList own = {0};
    IdSet alone = {0};

    idset_add(b->o->scope, &alone, member->column->column.id);
    for (uint32_t i = 0; i < local->count; i++) {
        IdSet used = idset_of_expr(b->o->scope, local->data[i]);
        if (idset_within(&used, &alone) && !idset_empty(&used))
            array_push(b->o->scope, &own, local->data[i]);
    }
    return selectivity_of_list(b->o, &own);
}

/* None has more values than a member that is a key. */
static void class_distincts(Block *b, EqualClass *class)
{
    double domain = INFINITY;

    for (uint32_t i = 0; i < class->members.count; i++) {
        ClassMember *member = &class->members.data[i];
        bool unique;
        member->distinct = member_distinct(b, member, &unique);
        if (unique)
            domain = MIN(domain, member->distinct);
    }
    for (uint32_t i = 0; i < class->members.count; i++) {
        ClassMember *member = &class->members.data[i];
        member->distinct = MIN(member->distinct, domain) * own_share(b, member);
        member->distinct = MAX(member->distinct, 1);
    }
}

/* How many rows of an operator's right side a left row matches on average. */
static double operator_matches(Block *b, const BlockRel *rel)
{
    IdSet own = idset_of_plan(b->o->scope, rel->plan), matched = {0};
    double share = 1;

    for (uint32_t i = 0; i < rel->conds.count; i++) {
        Expr *inner, *outer;
        if (!condition_separates(b->o, rel->conds.data[i], &own, &inner, &outer)) {
            share *= selectivity_of(b->o, rel->conds.data[i]);
            continue;
        }
        share /= MAX(expr_distinct(b->o, inner, rel->rows), expr_distinct(b->o, outer, INFINITY));
        if (inner->kind == EXPR_COLUMN)
            idset_add(b->o->scope, &matched, inner->column.id);
    }
    double matches = rel->rows * share;
    return plan_is_unique(b->o, rel->plan, &matched) ? MIN(matches, 1) : matches;
}

void graph_init(JoinGraph *g, Block *b)
{
    *g = (JoinGraph){.b = b};
    for (uint32_t i = 0; i < b->classes.count; i++) {
        connect(g, class_mask(&b->classes.data[i]));
        class_distincts(b, &b->classes.data[i]);
    }
    for (uint32_t i = 0; i < b->conds.count; i++) {
        if (__builtin_popcountll(b->conds.data[i].mask) == 2)
            connect(g, b->conds.data[i].mask);
    }
    for (uint32_t i = 0; i < b->rels_count; i++) {
        if (b->rels[i].op == JOIN_INNER)
            continue;
        g->operators |= rel_bit(i);
        b->rels[i].matches = operator_matches(b, &b->rels[i]);
    }
}

void graph_leaf(const JoinGraph *g, uint32_t rel, JoinNode *out)
{
    *out = (JoinNode){.set = rel_bit(rel),
                      .rows = MAX(g->b->rels[rel].rows, 1),
                      .cost = g->b->rels[rel].cost,
                      .operand = (g->operators & rel_bit(rel)) != 0};
}

// --- connections -------------------------------------------------------------------------------

static bool are_neighbours(const JoinGraph *g, RelMask left, RelMask right)
{
    for (RelMask rest = left; rest; rest &= rest - 1) {
        if (g->neighbours[__builtin_ctzll(rest)] & right)
            return true;
    }
    for (uint32_t i = 0; i < g->b->conds.count; i++) {
        RelMask mask = g->b->conds.data[i].mask;
        if ((mask & left) && (mask & right) && (mask & ~(left | right)) == 0)
            return true;
    }
    return false;
}

bool graph_joinable(const JoinGraph *g, const JoinNode *left, const JoinNode *right)
{
    if (left->operand)
        return false;
    if (right->operand) { /* OPT-5 */
        RelMask required = g->b->rels[__builtin_ctzll(right->set)].required;
        return (required & ~left->set) == 0;
    }
    return g->cross || are_neighbours(g, left->set, right->set);
}

// --- rows --------------------------------------------------------------------------------------

/* 1 / product of all members' distinct values but the smallest. */
static double class_share(const EqualClass *class, RelMask set)
{
    double share = 1, smallest = INFINITY;
    RelMask met = 0;

    for (uint32_t i = 0; i < class->members.count; i++) {
        const ClassMember *member = &class->members.data[i];
        RelMask bit = rel_bit(member->rel);
        if (!(set & bit) || (met & bit))
            continue;
        met |= bit;
        share /= member->distinct;
        smallest = MIN(smallest, member->distinct);
    }
    return met ? share * smallest : 1;
}

/* The most distinct values of a member, if the class joins the relation with another of the set. */
static double matched_distinct(const Block *b, uint32_t rel, ColumnId id, RelMask set)
{
    for (uint32_t i = 0; i < b->classes.count; i++) {
        const EqualClass *class = &b->classes.data[i];
        double most = 0;
        bool here = false, elsewhere = false;
        for (uint32_t j = 0; j < class->members.count; j++) {
            const ClassMember *member = &class->members.data[j];
            if (!(set & rel_bit(member->rel)))
                continue;
            here |= member->rel == rel && member->column->column.id == id;
            elsewhere |= member->rel != rel;
            most = MAX(most, member->distinct);
        }
        if (here)
            return elsewhere ? most : 0;
    }
    return 0;
}

/* By how much the columns of a key, taken as independent, understate the matches. */
static double key_correction(const Block *b, uint32_t rel, RelMask set)
{
    const BlockRel *r = &b->rels[rel];
    const Plan *plan = r->plan;
    double product = 1;
    uint32_t found = 0;

    if (plan->kind != PLAN_SCAN || plan->scan.table->key_columns_count < 2)
        return 1;
    const Table *table = plan->scan.table;
    for (uint32_t i = 0; i < table->key_columns_count; i++) {
        for (uint32_t j = 0; j < plan->columns_count - plan->scan.with_key; j++) {
            if (plan->scan.column_at[j] != table->key_column_at[i])
                continue;
            double distinct = matched_distinct(b, rel, plan->columns[j].id, set);
            found += distinct > 0;
            product *= MAX(distinct, 1);
        }
    }
    if (found < table->key_columns_count || product <= r->base_rows)
        return 1;
    return product / MAX(r->base_rows, 1);
}

static double rows_after_operator(const BlockRel *rel, double left)
{
    double share = rel->matches / MAX(rel->rows, 1);

    return estimate_join_rows(rel->op, left, MAX(rel->rows, 1), share);
}

double graph_rows(const JoinGraph *g, RelMask set)
{
    const Block *b = g->b;
    RelMask plain = set & ~g->operators;
    double rows = 1;

    for (RelMask rest = plain; rest; rest &= rest - 1)
        rows *= MAX(b->rels[__builtin_ctzll(rest)].rows, 1);
    for (uint32_t i = 0; i < b->classes.count; i++)
        rows *= class_share(&b->classes.data[i], plain);
    for (RelMask rest = plain; rest; rest &= rest - 1)
        rows *= key_correction(b, (uint32_t)__builtin_ctzll(rest), plain);
    rows = MAX(rows, 1);
    for (RelMask rest = set & g->operators; rest; rest &= rest - 1)
        rows = rows_after_operator(&b->rels[__builtin_ctzll(rest)], rows);
    for (uint32_t i = 0; i < b->conds.count; i++) {
        if ((b->conds.data[i].mask & ~set) == 0)
            rows *= b->conds.data[i].share;
    }
    return MAX(rows, 1);
}

// --- costs -------------------------------------------------------------------------------------

static double cache_penalty(double build)
{
    return build > SPILL_ROWS ? log2(build / SPILL_ROWS) : 0;
}

static double hash_cost(double build, double probe)
{
    double penalty = cache_penalty(build);

    return build * (COST_BUILD_ROW + penalty * 0.01) + probe * (COST_PROBE_ROW + penalty * 0.006);
}

static bool has_equality(const JoinGraph *g, const JoinNode *left, const JoinNode *right)
{
    const Block *b = g->b;

    if (right->operand) {
        const BlockRel *rel = &b->rels[__builtin_ctzll(right->set)];
        for (uint32_t i = 0; i < rel->conds.count; i++) {
            Expr *inner, *outer;
            IdSet own = idset_of_plan(b->o->scope, rel->plan);
            if (condition_separates(b->o, rel->conds.data[i], &own, &inner, &outer))
                return true;
        }
        return false;
    }
    for (uint32_t i = 0; i < b->classes.count; i++) {
        if (class_member_in(&b->classes.data[i], left->set) &&
            class_member_in(&b->classes.data[i], right->set))
            return true;
    }
    for (uint32_t i = 0; i < b->conds.count; i++) {
        const BlockCond *cond = &b->conds.data[i];
        if ((cond->mask & left->set) == 0 || (cond->mask & right->set) == 0 ||
            (cond->mask & ~(left->set | right->set)) || predicate_compare(cond->expr) != COMPARE_EQ)
            continue;
        RelMask a = block_mask(b, cond->expr->args[0]), c = block_mask(b, cond->expr->args[1]);
        if (a && c && ((a & ~left->set) == 0 || (a & ~right->set) == 0) &&
            ((c & ~left->set) == 0 || (c & ~right->set) == 0) && !(a & c))
            return true;
    }
    return false;
}

static void offer(JoinNode *best, const JoinNode *left, const JoinNode *right, JoinMethod method,
                  bool build_left, double cost)
{
    if (best->left && cost >= best->cost)
        return;
    best->cost = cost;
    best->left = left;
    best->right = right;
    best->method = method;
    best->build_left = build_left;
}

static bool may_look_up(JoinType op)
{
    return op == JOIN_INNER || op == JOIN_LEFT || op == JOIN_SEMI || op == JOIN_ANTI ||
           op == JOIN_SINGLE;
}

void graph_lookup_conditions(const JoinGraph *g, RelMask left, uint32_t at, ExprList *out)
{
    Block *b = g->b;
    const BlockRel *rel = &b->rels[at];

    list_append(b->o->scope, out, &rel->plan->scan.filters);
    if (rel->op != JOIN_INNER) {
        list_append(b->o->scope, out, &rel->conds);
        return;
    }
    for (uint32_t i = 0; i < b->classes.count; i++) {
        const EqualClass *class = &b->classes.data[i];
        const ClassMember *outer = class_member_in(class, left);
        const ClassMember *inner = class_member_in(class, rel_bit(at));
        if (outer && inner)
            array_push(b->o->scope, out, class_equality(b, class, inner->column, outer->column));
    }
}

/* Looking up each left row in a key or index of the right relation. */
static void offer_lookup(const JoinGraph *g, const JoinNode *left, const JoinNode *right,
                         JoinNode *best)
{
    uint32_t at = (uint32_t)__builtin_ctzll(right->set);
    const BlockRel *rel = &g->b->rels[at];
    ExprList conds = {0};
    AccessPath path;

    if ((right->set & (right->set - 1)) || rel->plan->kind != PLAN_SCAN || !may_look_up(rel->op) ||
        left->cost + left->rows * COST_LOOKUP >= best->cost)
        return;
    graph_lookup_conditions(g, left->set, at, &conds);
    access_choose(g->b->o, rel->plan, &conds, &path);
    if (path.method == SCAN_FULL || path.bounds.in_count)
        return;
    bool uses_outer = false;
    for (uint32_t i = rel->plan->scan.filters.count; i < conds.count; i++)
        uses_outer |= path.used[i];
    if (uses_outer)
        offer(best, left, right, JOIN_INDEX, false, left->cost + left->rows * path.cost);
}

void graph_join(const JoinGraph *g, const JoinNode *left, const JoinNode *right, JoinNode *out)
{
    JoinType op = right->operand ? g->b->rels[__builtin_ctzll(right->set)].op : JOIN_INNER;
    double both = left->cost + right->cost;
    bool mirrored = op == JOIN_INNER || op == JOIN_LEFT || op == JOIN_SEMI || op == JOIN_ANTI;

    out->cost = INFINITY;
    out->left = NULL;
    out->set = left->set | right->set;
    if (has_equality(g, left, right)) {
        offer(out, left, right, JOIN_HASH, false, both + hash_cost(right->rows, left->rows));
        if (mirrored)
            offer(out, left, right, JOIN_HASH, true, both + hash_cost(left->rows, right->rows));
    } else {
        double pairs = left->rows * right->rows;
        offer(out, left, right, JOIN_NESTED_LOOP, false,
              both + pairs * COST_NESTED_PAIR + right->rows * COST_BUILD_ROW);
    }
    offer_lookup(g, left, right, out);
    if (!right->operand && !left->operand && op == JOIN_INNER)
        offer_lookup(g, right, left, out);
    out->cost += out->rows * COST_OUTPUT_ROW;
}
