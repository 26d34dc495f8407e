// SPDX-License-Identifier: Apache-2.0
//
// What the joins share: making an output batch of left and right columns, NULL columns for the side
// that has no match, and the conditions.
#ifndef DBASPOT_EXEC_JOIN_JOIN_H
#define DBASPOT_EXEC_JOIN_JOIN_H

#include "exec/eval/eval.h"
#include "exec/tuple.h"

/* Both children's columns, as the join's conditions see them. */
static inline Visible join_visible(const Plan *plan)
{
    return (Visible){.first = plan->children[0]->columns,
                     .first_count = plan->children[0]->columns_count,
                     .second = plan->children[1]->columns,
                     .second_count = plan->children[1]->columns_count};
}

/* True if the output has only the left side's columns (and a mark). */
static inline bool join_is_left_only(JoinType type)
{
    return type == JOIN_SEMI || type == JOIN_ANTI || type == JOIN_ANTI_NULL || type == JOIN_MARK;
}

/* A constant NULL vector for each of the plan's columns. */
Vector *join_null_columns(Scope *scope, const Plan *plan);
/* The conjunction of all conditions as one expression; NULL if there is none. */
Expr *join_condition(Scope *scope, const Plan *plan);
/* What a left-only join gives for rows whose answer is known: marks[row] 1 matched, 0 not, 2
   unknown. Pushes to the stage behind `stage`. */
Status join_emit_marked(Worker *worker, const Stage *stage, const Plan *plan, const Batch *left,
                        const uint8_t *marks);
/* 21000: a scalar subquery gave two rows. */
Status join_single_violation(Ctx *ctx);

#endif
