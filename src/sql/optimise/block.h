// SPDX-License-Identifier: Apache-2.0
//
// A block: relations that inner joins connect, with all their conditions in one pot, so that they
// can be joined in any order. What is joined by an outer, semi, anti, mark or single join is in the
// block too, as a relation that may only be added (as the right side of its operator) to a set that
// holds the relations its condition needs; none of these operators is disturbed by inner joins of
// its left side with others, nor by each other. Two columns that must be equal are in one class,
// whose members are as good as each other. Relations are numbered from 0; sets of them are bit
// masks. One thread.
#ifndef DBASPOT_SQL_OPTIMISE_BLOCK_H
#define DBASPOT_SQL_OPTIMISE_BLOCK_H

#include "sql/optimise/optimise_int.h"

#define BLOCK_RELATIONS_MAX 62
#define BLOCK_DP_MAX        12
#define BLOCK_DP_DENSE_MAX  9

typedef uint64_t RelMask;

typedef struct BlockRel {
    Plan *plan;
    JoinType op;      /* INNER: a plain relation */
    ExprList conds;   /* of the operator, over both sides */
    RelMask required; /* what the operator needs on its left */
    RelMask left;     /* the relations of its left side as written */
    ColumnId mark;
    IdSet columns;  /* that the relation makes, with its mark */
    ExprList local; /* conditions on it alone, not yet pushed into it */
    double rows, cost;
    double base_rows; /* before its conditions */
    double matches;   /* operators: matches of a left row, on average */
    uint64_t signature;
} BlockRel;

typedef struct BlockCond {
    Expr *expr;
    RelMask mask;
    double share; /* selectivity beyond what conditions derived from it have */
} BlockCond;

typedef struct ClassMember {
    Expr *column;
    uint32_t rel;
    double distinct;
} ClassMember;

typedef struct EqualClass {
    const Expr *equality; /* one of the conditions: for its operator */
    ARRAY(ClassMember) members;
} EqualClass;

typedef struct BlockColumn {
    ColumnId id;
    Expr *expr;
} BlockColumn;

typedef struct Block {
    Optimiser *o;
    uint32_t rels_count;
    BlockRel rels[BLOCK_RELATIONS_MAX];
    ExprList conditions;         /* as found; emptied into the following */
    ARRAY(BlockCond) conds;      /* over several relations, or over operators' columns */
    ARRAY(EqualClass) classes;   /* equalities of plain relations' columns */
    ARRAY(BlockColumn) computed; /* by projections that stood between the joins */
    ExprList late;               /* evaluated last: volatile, or with correlated subqueries */
} Block;

/* Fills the block from the tree below `plan`. */
void block_flatten(Block *b, Plan *plan);
/* Outer joins whose NULLs nobody lets pass become inner ones; semijoins with keys too. */
void block_simplify(Block *b);
/* Sorts the conditions into classes, relations' own and others; derives what follows. */
void block_infer(Block *b);
RelMask block_mask(const Block *b, const Expr *expr);
/* Relations in an order that depends on neither names nor the order of FROM (OPT-4). */
void block_sort(Block *b);
/* Aggregates that are joined with few of their groups: their input is cut down to those groups by a
   semijoin with a copy of the relation that is so small (block_reduce.c). */
void block_reduce(Block *b);
/* Member of the class in the set, NULL if none. */
const ClassMember *class_member_in(const EqualClass *class, RelMask set);
Expr *class_equality(Block *b, const EqualClass *class, const Expr *left, const Expr *right);

/* The joined block (join_order.c). */
Status block_join(Block *b, Plan **out);

static inline RelMask rel_bit(uint32_t rel)
{
    return UINT64_C(1) << rel;
}

#endif
