// SPDX-License-Identifier: Apache-2.0
//
// What the parts of join ordering share: the candidates for a pair of sets, their rows and costs.
// One thread.
#ifndef DBASPOT_SQL_OPTIMISE_JOIN_ORDER_H
#define DBASPOT_SQL_OPTIMISE_JOIN_ORDER_H

#include "sql/optimise/block.h"

/* How a set of relations is made: of two smaller ones, or of one relation. */
typedef struct JoinNode {
    RelMask set;
    double rows, cost;
    const struct JoinNode *left, *right; /* NULL: one relation */
    JoinMethod method;
    bool build_left;
    bool operand; /* one relation that an operator's right side is: no plan by itself */
} JoinNode;

/* The block with what the ordering needs to know fast. */
typedef struct JoinGraph {
    Block *b;
    RelMask neighbours[BLOCK_RELATIONS_MAX]; /* by classes and conditions over two relations */
    RelMask operators;                       /* relations that are right sides of operators */
    bool cross;                              /* cross products are allowed */
} JoinGraph;

void graph_init(JoinGraph *g, Block *b);
void graph_leaf(const JoinGraph *g, uint32_t rel, JoinNode *out);
/* The two may be joined (in this orientation, if one is an operator's right side). */
bool graph_joinable(const JoinGraph *g, const JoinNode *left, const JoinNode *right);
/* Rows of a set, however it is made (OPT-3). */
double graph_rows(const JoinGraph *g, RelMask set);
/* The cheapest way to join the two; out->rows is set already. */
void graph_join(const JoinGraph *g, const JoinNode *left, const JoinNode *right, JoinNode *out);
/* The plan of a node. */
Plan *graph_plan(const JoinGraph *g, const JoinNode *node);
/* Conditions that an index join on the relation could use as bounds. */
void graph_lookup_conditions(const JoinGraph *g, RelMask left, uint32_t rel, ExprList *out);

#endif
