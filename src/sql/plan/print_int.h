// SPDX-License-Identifier: Apache-2.0
//
// What expr_print.c and plan_print.c share: a printer that collects the subqueries it names, so
// that EXPLAIN can show their plans below the node. Not for other rooms.
#ifndef DBASPOT_SQL_PLAN_PRINT_INT_H
#define DBASPOT_SQL_PLAN_PRINT_INT_H

#include "sql/plan/plan.h"

typedef struct ExprPrinter {
    StrBuf *out;
    bool qualified; /* columns with their table's name: more than one relation is read */
    Scope *scope;   /* of the list below */
    ARRAY(const Expr *) subqueries; /* in the order named: SubPlan 1, 2 … */
} ExprPrinter;

/* Prints with the printer's state; `printer->scope` NULL: subqueries are named but not collected.
 */
void expr_print_in(ExprPrinter *printer, const Expr *expr);
/* Conjuncts as one condition: "((a = 1) AND (b = 2))". */
void expr_print_list(ExprPrinter *printer, const ExprList *conjuncts);
/* The type's name as EXPLAIN and casts show it. */
void expr_print_type(StrBuf *out, SqlType type);

#endif
