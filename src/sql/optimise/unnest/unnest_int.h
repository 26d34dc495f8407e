// SPDX-License-Identifier: Apache-2.0
//
// What the two halves of unnesting share: unnest.c finds the subqueries, unnest_value.c turns those
// inside expressions into joins and columns. One thread.
#ifndef DBASPOT_SQL_OPTIMISE_UNNEST_INT_H
#define DBASPOT_SQL_OPTIMISE_UNNEST_INT_H

#include "sql/optimise/optimise_int.h"

/* The input of a node whose expressions are unnested: joins are put on it. */
typedef struct Unnest {
    Optimiser *o;
    Plan *child;
} Unnest;

/* Where in an expression a subquery stands. */
typedef struct LiftMode {
    bool conditional;   /* evaluated for some rows only: must not fail for others */
    bool false_is_null; /* UNKNOWN means the same as false */
} LiftMode;

/* The expression with its subqueries replaced by columns of joins, as far as can be. */
Expr *unnest_lift(Unnest *u, Expr *expr, LiftMode mode);
bool unnest_conjunct(Unnest *u, Expr *conjunct);
Expr *unnest_exists_value(Unnest *u, Expr *subquery);
Expr *unnest_any_value(Unnest *u, Expr *subquery, LiftMode mode);
Expr *unnest_scalar_value(Unnest *u, Expr *subquery, LiftMode mode);
/* An aggregate without groups and what stands above it, as expressions over its outputs. */
typedef struct ScalarAggregate {
    Plan *aggregate;
    ExprList outputs; /* one a column of the plan */
    ExprList having;
} ScalarAggregate;

/* Correlated in other ways than by equalities: computed for each different set of outer values
   (domain.c). */
bool domain_is_possible(Pull *p, const Plan *aggregate);
/* The child, joined with the aggregate grouped by these values. */
Plan *domain_join(Pull *p, Plan *child, Plan *aggregate);
/* NULL: it is no aggregate without groups, or not freely correlated. */
Expr *unnest_scalar_aggregate(Unnest *u, Expr *subquery);
/* A LIMIT that takes away no row, or not the only one. */
bool unnest_limit_is_idle(const Plan *limit);
/* A dependent join, made independent if it can be. */
void unnest_lateral(Optimiser *o, Plan **slot);

#endif
