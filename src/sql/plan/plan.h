// SPDX-License-Identifier: Apache-2.0
//
// Plans: one tree serves as logical algebra (from the binder), as what the optimiser rewrites, and,
// with the physical choices filled in, as what the executor builds pipelines from. Every node lists
// its output columns (id, type, name), in the order of its output batch. Nodes live in the query's
// scope (or the cached statement's); immutable while executing.
#ifndef DBASPOT_SQL_PLAN_PLAN_H
#define DBASPOT_SQL_PLAN_PLAN_H

#include "catalog/catalog.h"
#include "sql/plan/expr.h"

typedef struct PlanColumn {
    ColumnId id;
    SqlType type;
    const char *name;
} PlanColumn;

struct ExecCounters;

typedef enum PlanKind {
    PLAN_SCAN,     /* a table */
    PLAN_VIRTUAL,  /* a system view: rows made by catalog code */
    PLAN_FUNCTION, /* a set-returning function */
    PLAN_VALUES,   /* rows of expressions; one empty row = SELECT without FROM */
    PLAN_FILTER,
    PLAN_PROJECT,
    PLAN_JOIN,
    PLAN_AGGREGATE,
    PLAN_DISTINCT, /* all columns, or DISTINCT ON (keys): first row of each in the child's order */
    PLAN_SORT,     /* with limit: top-N */
    PLAN_LIMIT,
    PLAN_SETOP,
    PLAN_CTE, /* children[0]: the common plan (materialised once), children[1]: the user */
    PLAN_CTE_REF,
    PLAN_RECURSIVE, /* WITH RECURSIVE: children[0] the base, children[1] the step, reads
                       PLAN_CTE_REF */
    PLAN_WINDOW,
    PLAN_PROJECT_SET, /* set-returning functions in a target list */
    PLAN_MODIFY,      /* INSERT, UPDATE, DELETE */
    PLAN_LOCK_ROWS,   /* SELECT FOR UPDATE … */
} PlanKind;

typedef enum JoinType {
    JOIN_INNER,
    JOIN_LEFT,
    JOIN_RIGHT,
    JOIN_FULL,
    JOIN_SEMI,      /* output: the left's columns */
    JOIN_ANTI,      /* output: the left's columns; NOT EXISTS semantics */
    JOIN_ANTI_NULL, /* NOT IN semantics: a NULL key on either side makes the test unknown */
    JOIN_MARK,      /* the left's columns and one boolean (may be NULL): IN / EXISTS as a value */
    JOIN_SINGLE, /* LEFT, but more than one match is E_CARDINALITY_VIOLATION: scalar subqueries */
} JoinType;

typedef enum JoinMethod { JOIN_METHOD_NONE, JOIN_HASH, JOIN_NESTED_LOOP, JOIN_INDEX } JoinMethod;
typedef enum AggMethod { AGG_METHOD_NONE, AGG_HASH, AGG_PLAIN } AggMethod;
typedef enum ScanMethod { SCAN_METHOD_NONE, SCAN_FULL, SCAN_KEY_RANGE, SCAN_INDEX } ScanMethod;
typedef enum SetOp {
    SETOP_UNION_ALL,
    SETOP_UNION,
    SETOP_INTERSECT,
    SETOP_INTERSECT_ALL,
    SETOP_EXCEPT,
    SETOP_EXCEPT_ALL
} SetOp;
typedef enum ModifyKind { MODIFY_INSERT, MODIFY_UPDATE, MODIFY_DELETE } ModifyKind;

/* Bounds on the leading columns of a key: column i = equal[i] for i < equal_count (the expressions
   hold no columns of this scan: constants, parameters, and for an index join the outer side's
   columns; a NULL matches nothing), then an optional range on the next column. Or an IN list: `in`
   values for the column after the equals. */
typedef struct KeyBounds {
    uint32_t equal_count;
    Expr **equal;
    Expr *low, *high; /* NULL: open */
    bool low_inclusive, high_inclusive;
    Expr **in;
    uint32_t in_count;
} KeyBounds;

typedef struct ScanPlan {
    const Table *table;
    const char *alias;         /* as the query calls it, for EXPLAIN; NULL: the table's name */
    const uint32_t *column_at; /* positions in table->columns of the output columns */
    bool with_key;             /* the last output column is the row's key (bytea) */
    ExprList filters;          /* conjuncts, evaluated in the scan, cheapest first */
    ScanMethod method;
    const Index *index; /* SCAN_INDEX: a secondary index */
    KeyBounds bounds;   /* SCAN_KEY_RANGE, SCAN_INDEX */
    bool descending;    /* order asked of the scan */
    bool unique_match;  /* at most one row: the point path */
} ScanPlan;

typedef struct JoinPlan {
    JoinType type;
    JoinMethod method;
    bool dependent; /* the right side uses columns of the left (LATERAL): gone after unnesting where
                       possible, else executed as a nested loop that re-runs the right side */
    ExprList conditions; /* conjuncts over both sides */
    /* Filled by the optimiser: equalities left = right usable as hash keys; the rest in `residual`.
     */
    ExprList left_keys, right_keys;
    bool *null_safe; /* IS NOT DISTINCT FROM, per key; NULL: none is */
    ExprList residual;
    ColumnId mark;   /* JOIN_MARK's output column */
    bool build_left; /* hash: build on the left side (inner, and mirrored outer joins) */
} JoinPlan;

typedef struct AggregatePlan {
    ExprList groups;     /* outputs: groups first, then aggregates */
    ExprList aggs;       /* EXPR_AGG */
    uint32_t sets_count; /* grouping sets; 0 = plain GROUP BY */
    uint64_t *sets;
    AggMethod method;
    double groups_estimate;
} AggregatePlan;

typedef struct ConflictPlan {
    bool do_update;       /* else DO NOTHING */
    const Index *arbiter; /* NULL: any unique index (DO NOTHING only) */
    /* For DO UPDATE: expressions over [existing row's columns][excluded row's columns], ids below.
     */
    ColumnId *existing, *excluded; /* one a table column */
    ExprList new_row;              /* the whole new row */
    Expr *where;
} ConflictPlan;

typedef struct CheckExpr {
    const char *name;
    Expr *expr; /* over ModifyPlan.new_columns */
} CheckExpr;

/* The child gives: INSERT: the new row (all columns). UPDATE: the new row, then the old row, then
   the key (bytea). DELETE: the old row, then the key. Extra columns may follow (RETURNING over FROM
   tables). */
typedef struct ModifyPlan {
    ModifyKind kind;
    const Table *table;
    ColumnId *new_columns; /* ids of the new row's columns (INSERT, UPDATE), old ones for DELETE */
    uint32_t checks_count;
    CheckExpr *checks;
    /* Secondary indexes with expressions or predicates: bound, over new_columns; NULL if none. */
    Expr ***index_exprs;
    Expr **index_predicates;
    ConflictPlan *conflict; /* NULL: none */
    bool has_returning;
    ExprList returning; /* over new_columns (DELETE: old) and the child's extra columns */
    bool *updated;      /* UPDATE: which table columns may change */
} ModifyPlan;

typedef struct VirtualPlan {
    const struct SystemView *view; /* catalog/system_views.h */
    const char *name;              /* for EXPLAIN */
    const uint32_t *column_at;     /* positions in the view's columns of the output columns */
    ExprList filters; /* equalities the view may use to make fewer rows; also applied above */
} VirtualPlan;

struct Plan {
    PlanKind kind;
    uint32_t columns_count;
    PlanColumn *columns;
    Plan *children[2]; /* left/outer first; NULL where absent */
    double rows_estimate;
    double cost;
    uint32_t node_id; /* for EXPLAIN ANALYZE's counters; dense from 0, set by plan_resolve */
    union {
        ScanPlan scan;
        VirtualPlan virtual_table;
        struct {
            Expr *call;
            bool ordinality;
        } function; /* EXPR_FUNC with info->set */
        struct {
            uint32_t rows_count;
            ExprList *rows;
        } values;
        struct {
            ExprList conditions;
        } filter;
        struct {
            ExprList exprs;
        } project; /* one per output column */
        JoinPlan join;
        AggregatePlan aggregate;
        struct {
            ExprList on;
        } distinct; /* empty: all columns */
        struct {
            SortKey *keys;
            uint32_t keys_count;
            Expr *limit, *offset;
        } sort; /* limit: top-N, may be NULL */
        struct {
            Expr *limit, *offset;
            bool with_ties;
            SortKey *keys;
            uint32_t keys_count;
        } limit;
        struct {
            SetOp op;
        } setop; /* columns match by position */
        struct {
            uint32_t id;
            const char *name; /* for EXPLAIN */
            bool distinct;    /* RECURSIVE: UNION, rows seen before are dropped; else UNION ALL */
        } cte;                /* CTE, CTE_REF, RECURSIVE; a ref's columns match by position */
        struct {
            SortKey *partition;
            uint32_t partition_count;
        } window;
        struct {
            ExprList exprs;
        } project_set;
        ModifyPlan modify;
        struct {
            const Table **tables;
            ColumnId *keys;
            uint32_t count;
            RowLock mode;
            bool nowait, skip_locked;
        } lock_rows;
    };
};

/* A finished statement: what a plan cache keeps. Lives in its own scope. */
typedef struct PlannedStatement {
    Scope *scope;
    Plan *plan;
    uint32_t
        result_columns_count;   /* what the client sees: the first columns of the plan's output */
    bool returns_rows;          /* SELECT, or RETURNING: also with no columns */
    PlanColumn *result_columns; /* types as reported (typmod -1 where PostgreSQL says -1) */
    Oid *result_tables;         /* origin table oid and attnum, 0 if none */
    int16_t *result_attnums;
    uint32_t params_count;
    SqlType *params;
    bool reads_only;          /* no MODIFY, no locking, no volatile function that writes */
    bool is_short;            /* point or small range access: may run on the loop thread */
    uint64_t catalog_version; /* stale when the catalog's differs */
    ColumnId columns_next;    /* the first ColumnId that no node uses yet */
    Oid *tables;              /* tables touched: to lock */
    TableLock *table_modes;
    uint32_t tables_count;
} PlannedStatement;

Plan *plan_new(Scope *scope, PlanKind kind, uint32_t columns_count);
/* Ids of columns used from outside: those in the subtree's expressions that no node in it makes. */
typedef ARRAY(ColumnId) ColumnList;
void plan_outer_columns(Scope *scope, const Plan *plan, ColumnList *out);
/* Calls visit for each expression the node itself holds (not its children's, not inside nested
   subqueries' plans); visit may replace it. */
void plan_each_expr(Plan *plan, void (*visit)(void *arg, Expr **expr), void *arg);
/* Gives every EXPR_COLUMN its slot (in a private copy of the expression) and every node, also those
   of subqueries in expressions, its id; returns their number in *nodes_count (may be NULL).
   - A join's conditions and residual see left columns then right ones; left_keys the left's only,
     right_keys the right's only; a MODIFY's expressions see its child's columns, but an
     ON CONFLICT's new_row and where see the existing row's columns then the excluded row's.
   - Below a JOIN_INDEX, a scan's bounds see the left side's columns: slots in the left's batch.
   - Columns of an enclosing query (right side of a dependent join, correlated subquery) keep
     slot -1: the executor finds them by id in the current outer row.
   Fails (E_INTERNAL) if a column is made nowhere: a broken rewrite. */
Status plan_resolve(Ctx *ctx, Scope *scope, Plan *plan, uint32_t *nodes_count);
/* EXPLAIN's text, one line a node as PostgreSQL words it. `counters` may be NULL. */
void plan_print(StrBuf *out, const Plan *plan, bool costs, const struct ExecCounters *counters);

#endif
