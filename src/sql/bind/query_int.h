// SPDX-License-Identifier: Apache-2.0
//
// Queries and data changes: FROM items, WITH, target lists, grouping, ordering, set operations, and
// the rows of INSERT, UPDATE and DELETE. All make plans; a bound query tells its columns.
#ifndef DBASPOT_SQL_BIND_QUERY_INT_H
#define DBASPOT_SQL_BIND_QUERY_INT_H

#include "sql/bind/expr/expr_int.h"

// --- queries -----------------------------------------------------------------------------------

/* SELECT, VALUES, set operations with everything around. `keep_unknown`: literals of unknown type
   stay so in the output (INSERT … SELECT, UNION). */
Status bind_query(Binder *b, Level *up, const AstNode *query, bool keep_unknown, BoundQuery *out);
Status bind_select(Binder *b, Level *level, const AstSelect *ast, bool keep_unknown,
                   BoundQuery *out);
Status bind_values(Binder *b, Level *level, const AstSelect *ast, bool keep_unknown,
                   BoundQuery *out);
Status bind_setop(Binder *b, Level *level, const AstSelect *ast, bool keep_unknown,
                  BoundQuery *out);
/* Coerces the query's columns (a projection on top, unknown literals in place). */
Status bind_retype_query(Binder *b, Level *level, BoundQuery *query, const SqlType *types,
                         CastContext context);
/* bind_from.c */
Status bind_from_list(Binder *b, Level *level, const AstList *from, Plan **out);
Status bind_from_item(Binder *b, Level *level, const AstNode *node, Plan **out);
Status bind_subselect_item(Binder *b, Level *level, const AstSubselect *ast, Plan **out);
/* Adds an item over a bound query's columns. */
RangeItem *bind_add_query_item(Binder *b, Level *level, Str name, const BoundQuery *query);
Plan *bind_join_plan(Binder *b, Level *level, JoinType type, Plan *left, Plan *right);
/* bind_join.c */
Status bind_join(Binder *b, Level *level, const AstJoin *ast, Plan **out);
/* bind_range_function.c */
Status bind_range_function(Binder *b, Level *level, const AstRangeFunction *ast, Plan **out);
/* bind_table.c */
Status bind_table_ref(Binder *b, Level *level, const AstTableRef *ast, Plan **out);
/* The relation's object by name; 42P01. *view_out gets a system view if it is one. */
Status bind_find_relation(Binder *b, const AstName *name, int32_t location, const Object **out,
                          const struct SystemView **view_out);
/* A scan of all columns (and the key, if level->want_keys), with an item for it. */
RangeItem *bind_scan_table(Binder *b, Level *level, const Table *table, Str alias);
/* Notes that the statement uses the table. */
void bind_use_table(Binder *b, Oid table, TableLock mode);
/* bind_with.c */
Status bind_with(Binder *b, Level *level, const AstWith *with);
/* Puts the common plans below `plan`, or inlines them. */
Plan *bind_with_wrap(Binder *b, Level *level, const AstWith *with, Plan *plan);
Cte *bind_find_cte(Level *level, Str name);
Status bind_cte_ref(Binder *b, Level *level, Cte *cte, const AstTableRef *ast, Plan **out);

/* bind_targets.c: the list behind SELECT. */
typedef struct Target {
    Expr *expr;
    Str name;
    bool junk; /* only for ORDER BY and DISTINCT ON */
} Target;
typedef ARRAY(Target) TargetList;

Status bind_targets(Binder *b, Level *level, const AstList *ast, Clause clause, TargetList *out);
/* The columns that * or t.* stands for. */
Status bind_star(Binder *b, Level *level, const AstColumnRef *ref, TargetList *out);
/* A projection; plain columns of the child keep their ids. ids[i] is target i's column. */
Plan *bind_project(Binder *b, Level *level, Plan *child, const TargetList *targets, ColumnId *ids);

/* bind_order.c */
typedef struct OrderKey {
    uint32_t target;
    bool descending;
    bool nulls_first;
} OrderKey;
typedef ARRAY(OrderKey) OrderList;
typedef ARRAY(uint32_t) IndexList;

/* `names_only`: of a set operation, whose ORDER BY may only name its columns. */
Status bind_order(Binder *b, Level *level, const AstList *ast, bool names_only, TargetList *targets,
                  OrderList *out);
Status bind_sort_options(Binder *b, const AstSortKey *ast, OrderKey *out);
Status bind_group(Binder *b, Level *level, const AstList *ast, TargetList *targets, ExprList *out);
Status bind_distinct_on(Binder *b, Level *level, const AstList *ast, TargetList *targets,
                        const OrderList *order, IndexList *out);
Status bind_limit(Binder *b, Level *level, const AstSelect *ast, Expr **limit, Expr **offset);
/* A node over one child with the child's columns. */
Plan *bind_over(Binder *b, PlanKind kind, Plan *child);
Plan *bind_filter(Binder *b, Plan *child, Expr *condition);

/* bind_group.c: makes the aggregate and rewrites what stands above it. */
typedef struct Grouping {
    Level *level;
    ExprList groups;
    ARRAY(ColumnId) ids; /* output columns of the groups */
} Grouping;
/* Adds GROUP BY's expressions, each once. */
void bind_groups(Binder *b, Grouping *grouping, const ExprList *exprs);
/* The aggregate over the child; after everything above it has been regrouped. */
Plan *bind_aggregate_plan(Binder *b, Grouping *grouping, Plan *child);
Status bind_regroup(Binder *b, Grouping *grouping, Expr **expr);

/* bind_lock.c: checks FOR UPDATE and its like, and adds the rows' keys as junk targets. */
Status bind_locking(Binder *b, Level *level, const AstSelect *ast, TargetList *targets);
Plan *bind_lock_plan(Binder *b, Level *level, const AstSelect *ast, Plan *child);

/* bind_tail.c: ORDER BY, DISTINCT, LIMIT and locking over a list of targets. */
typedef struct Tail {
    const AstSelect *ast;
    bool names_only;   /* a set operation */
    bool keep_unknown; /* literals of unknown type stay so */
    TargetList targets;
    OrderList order;
    IndexList distinct_on;
    Expr *limit, *offset;
} Tail;
Status bind_tail_clauses(Binder *b, Level *level, Tail *tail);
Status bind_tail_plan(Binder *b, Level *level, Tail *tail, Plan *plan, BoundQuery *out);

// --- data changes ------------------------------------------------------------------------------

Status bind_insert(Binder *b, const AstInsert *ast, BoundQuery *out);
Status bind_update(Binder *b, const AstUpdate *ast, BoundQuery *out);
Status bind_delete(Binder *b, const AstDelete *ast, BoundQuery *out);
/* bind_modify.c */
/* `columns`: INSERT's, checked against a view before it is refused; NULL: none. */
Status bind_target_table(Binder *b, const AstTableRef *ast, const char *verb,
                         const AstList *columns, const Table **out);
Status bind_table_column(Binder *b, const Table *table, Str name, int32_t location, uint32_t *out);
/* 42804 "column … is of type … but expression is of type …". */
Status bind_assign(Binder *b, const Column *column, Expr *expr, Expr **out);
/* The column's default as an expression of its type; NULL constant if there is none. */
Status bind_default(Binder *b, const Column *column, Expr **out);
/* An item over the table whose columns are `ids`. */
RangeItem *bind_row_item(Binder *b, Level *level, const Table *table, Str name,
                         const ColumnId *ids);
/* CHECKs and index expressions over the new row. */
Status bind_row_checks(Binder *b, ModifyPlan *modify);
/* An expression stored in the catalog, over the item(s) of `level`. */
Status bind_stored_expr(Binder *b, Level *level, Clause clause, Str sql, Expr **out);
/* Binds RETURNING in `level` and makes it the output of `modify`. */
Status bind_returning(Binder *b, Level *level, const AstList *ast, Plan *modify, BoundQuery *out);
/* 428C9 unless OVERRIDING allows it: a value given for a GENERATED ALWAYS column. */
Status bind_generated_always(Binder *b, const Column *column);

/* bind_assign.c: SET lists. */
typedef struct SetList {
    Level *level;
    const Table *table;
    Expr **new_row; /* one a table column; given as what an unnamed column keeps */
    bool *updated;
    Plan **from;           /* where SET (a, b) = (SELECT …) joins its query; NULL: not allowed */
    const AstNode *source; /* the last such query's node, and the query */
    BoundQuery source_query;
} SetList;
Status bind_set_list(Binder *b, SetList *set, const AstList *ast);

/* bind_conflict.c */
Status bind_conflict(Binder *b, const AstInsert *ast, const Table *table, ConflictPlan **out);

#endif
