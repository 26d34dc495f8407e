// SPDX-License-Identifier: Apache-2.0
//
// Typed expressions: what the binder makes, the optimiser rewrites and the executor evaluates.
// Columns are known by a ColumnId, unique in the query; when a plan is finished plan_resolve gives
// every EXPR_COLUMN its slot in the operator's input batch. Nodes live in the query's scope and are
// shared freely: who changes one copies it first (expr_copy). One thread while planning; immutable
// (and shared by workers) while executing.
#ifndef DBASPOT_SQL_PLAN_EXPR_H
#define DBASPOT_SQL_PLAN_EXPR_H

#include "base/array.h"
#include "func/func.h"

typedef uint32_t ColumnId; /* 0 is invalid */

typedef struct Expr Expr;
typedef struct Plan Plan;
typedef ARRAY(Expr *) ExprList;

typedef enum ExprKind {
    EXPR_CONST,
    EXPR_COLUMN,
    EXPR_PARAM, /* $n, 0-based here */
    EXPR_FUNC,  /* functions and operators alike */
    EXPR_CAST,  /* to `type`; EXPLICIT or not */
    EXPR_AND,   /* n-ary */
    EXPR_OR,    /* n-ary */
    EXPR_NOT,
    EXPR_IS_NULL,  /* args[0] IS [NOT] NULL */
    EXPR_IS_BOOL,  /* IS [NOT] TRUE / FALSE / UNKNOWN */
    EXPR_DISTINCT, /* args[0] IS [NOT] DISTINCT FROM args[1]; same type */
    EXPR_CASE, /* args: when1, then1, when2, then2, …, else (always there; may be a NULL const) */
    EXPR_COALESCE,
    EXPR_NULLIF, /* args: a, b, and the equality as func */
    EXPR_GREATEST,
    EXPR_LEAST,
    EXPR_IN,        /* args[0] = any of args[1..]: same type, constants or not; `negated` NOT IN */
    EXPR_ANY,       /* args[0] func ANY (array args[1]); `all` makes it ALL */
    EXPR_ARRAY,     /* ARRAY[…] */
    EXPR_SUBSCRIPT, /* args[0][args[1]] */
    EXPR_SUBQUERY, /* gone after unnesting, but for uncorrelated SCALAR, EXISTS, ARRAY and, where it
                      must, ANY/ALL (evaluated once per execution, or per row when still correlated)
                    */
    EXPR_AGG,      /* only in the binder and in AggregatePlan's list */
} ExprKind;

typedef enum SubqueryKind {
    SUBQUERY_SCALAR,
    SUBQUERY_EXISTS,
    SUBQUERY_ANY,
    SUBQUERY_ALL,
    SUBQUERY_ARRAY
} SubqueryKind;
typedef enum BoolTest { IS_TRUE, IS_FALSE, IS_UNKNOWN } BoolTest;

struct Expr {
    ExprKind kind;
    SqlType type;
    int32_t location; /* byte offset in the statement, -1 unknown */
    uint32_t args_count;
    Expr **args;
    union {
        Datum constant; /* CONST */
        struct {        /* COLUMN */
            ColumnId id;
            int32_t slot;     /* -1 until resolved */
            const char *name; /* for EXPLAIN: alias.column, quoted where needed */
            bool declared;    /* a plain table column: its typmod goes to the client */
        } column;
        struct { /* PARAM */
            uint32_t at;
        } param;
        struct { /* FUNC, NULLIF (equality), ANY */
            const FuncInfo *info;
            const OperatorInfo *op; /* as written with an operator: EXPLAIN, index matching */
            bool all;
        } func;
        struct { /* CAST */
            bool explicit_cast;
        } cast;
        struct { /* IS_NULL, IS_BOOL, DISTINCT, IN */
            bool negated;
            BoolTest test;
        } test;
        struct { /* SUBQUERY; ANY/ALL: args = the left row, `compare` one operator a column */
            SubqueryKind kind;
            Plan *plan;
            ColumnId *outputs; /* the subquery's columns: 1 for SCALAR and ARRAY */
            uint32_t outputs_count;
            const OperatorInfo **compare;
            ColumnId *outer; /* columns of enclosing queries used inside (correlation) */
            uint32_t outer_count;
        } subquery;
        struct { /* AGG */
            const AggInfo *info;
            bool distinct;
            Expr *filter;          /* NULL: none */
            struct SortKey *order; /* ORDER BY inside the call */
            uint32_t order_count;
        } agg;
    };
};

typedef struct SortKey {
    Expr *expr;
    bool descending;
    bool nulls_first;
} SortKey;

Expr *expr_new(Scope *scope, ExprKind kind, SqlType type, uint32_t args_count);
Expr *expr_const(Scope *scope, const Datum *datum);
Expr *expr_bool(Scope *scope, bool value);
Expr *expr_null(Scope *scope, SqlType type);
Expr *expr_column(Scope *scope, ColumnId id, SqlType type, const char *name);
/* NULL for no conjunct, the one for one, else an AND; nested ANDs are flattened. */
Expr *expr_and(Scope *scope, Expr *const *list, uint32_t count);
/* Appends the conjuncts of a condition to the list. */
void expr_conjuncts(Scope *scope, Expr *condition, ExprList *out);
Expr *expr_copy(Scope *scope, const Expr *expr); /* deep; subquery plans are shared */
bool expr_equal(const Expr *a, const Expr *b);
/* Pre-order walk; `visit` false skips the children. Includes agg filter/order and subqueries' args.
 */
void expr_walk(Expr *expr, bool (*visit)(void *arg, Expr *expr), void *arg);
/* Bottom-up rewrite in a copy: `rewrite` returns the node or its replacement. */
Expr *expr_rewrite(Scope *scope, const Expr *expr, Expr *(*rewrite)(void *arg, Expr *expr),
                   void *arg);
bool expr_has_subquery(const Expr *expr);
bool expr_is_volatile(const Expr *expr);
/* True if evaluating it may raise an error (division, casts …): conjuncts that can keep the order
   they were written in, because users guard one with another. */
bool expr_can_fail(const Expr *expr);
/* No columns, params, subqueries or non-immutable functions. */
bool expr_is_constant(const Expr *expr);
/* As PostgreSQL would print it, for EXPLAIN. Columns without their table's name. */
void expr_print(StrBuf *out, const Expr *expr);

#endif
