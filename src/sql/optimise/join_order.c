// SPDX-License-Identifier: Apache-2.0
//
// The order of joins: dynamic programming over connected subsets of up to a dozen relations (bushy
// trees; what DPccp and DPhyp enumerate), greedy operator ordering (GOO) beyond. Cross products are
// considered only if there is no other way. Ties keep what was found first, in the block's
// canonical order.
#include "sql/optimise/join_order.h"

#include <math.h>

// --- dynamic programming -----------------------------------------------------------------------

static void try_pair(const JoinGraph *g, const JoinNode *a, const JoinNode *b, JoinNode *best)
{
    JoinNode node = {0};
    bool straight = graph_joinable(g, a, b), swapped = !straight && graph_joinable(g, b, a);

    if (!straight && !swapped)
        return;
    if (best->left == NULL)
        best->rows = graph_rows(g, a->set | b->set);
    node.rows = best->rows;
    graph_join(g, straight ? a : b, straight ? b : a, &node);
    if (best->left == NULL || node.cost < best->cost) {
        bool operand = best->operand;
        *best = node;
        best->operand = operand;
    }
}

/* nodes[set]; a set without a plan has set 0. */
static const JoinNode *order_exactly(const JoinGraph *g, Scope *scope)
{
    uint32_t count = g->b->rels_count;
    RelMask all = rel_bit(count) - 1;
    JoinNode *nodes = scope_new_array(scope, JoinNode, (size_t)1 << count);

    for (uint32_t i = 0; i < count; i++)
        graph_leaf(g, i, &nodes[rel_bit(i)]);
    for (RelMask set = 1; set <= all; set++) {
        if ((set & (set - 1)) == 0)
            continue;
        JoinNode *best = &nodes[set];
        RelMask lowest = set & -set, rest = set & ~lowest;
        /* `part` runs over the subsets of the rest; its complement holds the lowest relation. */
        for (RelMask part = rest; part; part = (part - 1) & rest) {
            const JoinNode *a = &nodes[set & ~part], *b = &nodes[part];
            if (a->set && b->set)
                try_pair(g, a, b, best);
        }
        if (best->left == NULL)
            best->set = 0;
    }
    return nodes[all].set ? &nodes[all] : NULL;
}

// --- greedy ------------------------------------------------------------------------------------

/* Joins the two that give the fewest rows, again and again. */
static const JoinNode *order_greedily(const JoinGraph *g, Scope *scope)
{
    const JoinNode *trees[BLOCK_RELATIONS_MAX];
    uint32_t count = g->b->rels_count;

    for (uint32_t i = 0; i < count; i++) {
        JoinNode *leaf = scope_new(scope, JoinNode);
        graph_leaf(g, i, leaf);
        trees[i] = leaf;
    }
    while (count > 1) {
        double fewest = INFINITY;
        uint32_t left = 0, right = 0;
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t j = 0; j < count; j++) {
                if (i == j || !graph_joinable(g, trees[i], trees[j]))
                    continue;
                double rows = graph_rows(g, trees[i]->set | trees[j]->set);
                if (rows < fewest) {
                    fewest = rows;
                    left = i;
                    right = j;
                }
            }
        }
        if (left == right)
            return NULL;
        JoinNode *joined = scope_new(scope, JoinNode);
        joined->rows = fewest;
        graph_join(g, trees[left], trees[right], joined);
        trees[MIN(left, right)] = joined;
        trees[MAX(left, right)] = trees[--count];
    }
    return trees[0];
}

/* Up to how many relations all orders are looked at: fewer, where almost any two can be joined. */
static uint32_t exact_max(const JoinGraph *g)
{
    uint32_t edges = 0;

    for (uint32_t i = 0; i < g->b->rels_count; i++)
        edges += (uint32_t)__builtin_popcountll(g->neighbours[i]);
    return g->cross || edges > 6 * g->b->rels_count ? BLOCK_DP_DENSE_MAX : BLOCK_DP_MAX;
}

static const JoinNode *choose_order(JoinGraph *g, Scope *scope)
{
    const JoinNode *best = NULL;

    for (int cross = 0; cross < 2 && best == NULL; cross++) {
        g->cross = cross;
        best =
            g->b->rels_count <= exact_max(g) ? order_exactly(g, scope) : order_greedily(g, scope);
    }
    return best;
}

// --- the plan ----------------------------------------------------------------------------------

static void inner_conditions(const JoinGraph *g, const JoinNode *node, ExprList *out)
{
    Block *b = g->b;

    for (uint32_t i = 0; i < b->classes.count; i++) {
        const ClassMember *left = class_member_in(&b->classes.data[i], node->left->set);
        const ClassMember *right = class_member_in(&b->classes.data[i], node->right->set);
        if (left && right)
            array_push(b->o->scope, out,
                       class_equality(b, &b->classes.data[i], left->column, right->column));
    }
}

/* Conditions that see all they need for the first time. */
static void block_conditions(const JoinGraph *g, const JoinNode *node, ExprList *out)
{
    const Block *b = g->b;

    for (uint32_t i = 0; i < b->conds.count; i++) {
        RelMask mask = b->conds.data[i].mask;
        if ((mask & ~node->set) == 0 && (mask & ~node->left->set) && (mask & ~node->right->set))
            array_push(b->o->scope, out, b->conds.data[i].expr);
        else if ((mask & ~node->set) == 0 && node->right->operand &&
                 (mask & ~node->right->set) == 0)
            array_push(b->o->scope, out, b->conds.data[i].expr);
    }
}

static void use_index(const JoinGraph *g, const JoinNode *node, Plan *join)
{
    Optimiser *o = g->b->o;
    Plan *scan = join->children[1];
    ExprList conds = {0}, rest = {0};
    AccessPath path;
    uint32_t filters = scan->scan.filters.count;

    graph_lookup_conditions(g, node->left->set, (uint32_t)__builtin_ctzll(node->right->set),
                            &conds);
    access_choose(o, scan, &conds, &path);
    for (uint32_t i = 0; i < join->join.conditions.count; i++) {
        bool bound = false;
        for (uint32_t j = filters; j < conds.count; j++)
            bound |= path.used[j] && (conds.data[j] == join->join.conditions.data[i] ||
                                      expr_equal(conds.data[j], join->join.conditions.data[i]));
        if (!bound)
            array_push(o->scope, &rest, join->join.conditions.data[i]);
    }
    conds.count = filters;
    access_apply(o, scan, &conds, &path);
    join->join.residual = rest;
}

/* A lookup's equalities are written with the looked-up column first. */
static void orient_conditions(const JoinGraph *g, const JoinNode *node, ExprList *list)
{
    ExprList out = {0};
    Block *b = g->b;

    for (uint32_t i = 0; i < b->classes.count; i++) {
        const ClassMember *outer = class_member_in(&b->classes.data[i], node->left->set);
        const ClassMember *inner = class_member_in(&b->classes.data[i], node->right->set);
        if (outer && inner)
            array_push(b->o->scope, &out,
                       class_equality(b, &b->classes.data[i], inner->column, outer->column));
    }
    *list = out;
}

Plan *graph_plan(const JoinGraph *g, const JoinNode *node)
{
    Optimiser *o = g->b->o;
    ExprList above = {0};

    if (node->left == NULL)
        return g->b->rels[__builtin_ctzll(node->set)].plan;
    const BlockRel *rel =
        node->right->operand ? &g->b->rels[__builtin_ctzll(node->right->set)] : NULL;
    Plan *join = plan_new(o->scope, PLAN_JOIN, 0);
    join->join.type = rel ? rel->op : JOIN_INNER;
    join->join.mark = rel ? rel->mark : 0;
    join->join.method = node->method;
    join->join.build_left = node->build_left;
    join->children[0] = graph_plan(g, node->left);
    join->children[1] = graph_plan(g, node->right);
    if (rel) {
        list_append(o->scope, &join->join.conditions, &rel->conds);
        block_conditions(g, node, &above);
    } else if (node->method == JOIN_INDEX) {
        orient_conditions(g, node, &join->join.conditions);
        block_conditions(g, node, &join->join.conditions);
    } else {
        inner_conditions(g, node, &join->join.conditions);
        block_conditions(g, node, &join->join.conditions);
    }
    if (node->method == JOIN_INDEX)
        use_index(g, node, join);
    join_set_columns(o, join);
    join->rows_estimate = node->rows;
    join->cost = node->cost;
    return plan_filter(o->scope, join, &above);
}

Status block_join(Block *b, Plan **out)
{
    JoinGraph graph;

    graph_init(&graph, b);
    const JoinNode *best = choose_order(&graph, b->o->scope);
    if (best == NULL)
        return error_raise(b->o->ctx, E_INTERNAL, "no order for %u relations", b->rels_count);
    *out = graph_plan(&graph, best);
    return OK;
}
