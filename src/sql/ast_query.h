// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree's queries and data changes: SELECT, INSERT, UPDATE, DELETE, and the items of
// FROM. Conventions as in ast_node.h.
#ifndef DBASPOT_SQL_AST_QUERY_H
#define DBASPOT_SQL_AST_QUERY_H

#include "sql/ast_expr.h"

/* SELECT list: value [AS name]. INSERT columns: name and indirection. UPDATE SET: all three. */
typedef struct AstTarget {
    AstNode node;
    Str name;
    AstList indirection; /* AstSubscript, AstField */
    AstNode *value;
} AstTarget;

typedef enum AstSortOrder {
    AST_SORT_DEFAULT,
    AST_SORT_ASC,
    AST_SORT_DESC,
    AST_SORT_USING
} AstSortOrder;
typedef enum AstNulls { AST_NULLS_DEFAULT, AST_NULLS_FIRST, AST_NULLS_LAST } AstNulls;

typedef struct AstSortKey {
    AstNode node;
    AstNode *expr; /* an integer constant in ORDER BY is a column's number */
    AstSortOrder order;
    AstNulls nulls;
    AstName using_op; /* AST_SORT_USING */
} AstSortKey;

typedef enum AstGroupingSetKind {
    AST_GROUPING_EMPTY,
    AST_GROUPING_ROLLUP,
    AST_GROUPING_CUBE,
    AST_GROUPING_SETS
} AstGroupingSetKind;

typedef struct AstGroupingSet {
    AstNode node;
    AstGroupingSetKind kind;
    AstList content; /* expressions, AstRow for (a, b), nested AstGroupingSet */
} AstGroupingSet;

typedef enum AstFrameMode { AST_FRAME_RANGE, AST_FRAME_ROWS, AST_FRAME_GROUPS } AstFrameMode;

typedef enum AstFrameBound {
    AST_BOUND_UNBOUNDED_PRECEDING,
    AST_BOUND_OFFSET_PRECEDING,
    AST_BOUND_CURRENT_ROW,
    AST_BOUND_OFFSET_FOLLOWING,
    AST_BOUND_UNBOUNDED_FOLLOWING
} AstFrameBound;

typedef enum AstFrameExclude {
    AST_EXCLUDE_NONE,
    AST_EXCLUDE_CURRENT_ROW,
    AST_EXCLUDE_GROUP,
    AST_EXCLUDE_TIES
} AstFrameExclude;

/* WINDOW name AS (base ...), OVER name (only `name` set), OVER (base ...). */
typedef struct AstWindowDef {
    AstNode node;
    Str name;
    Str base; /* the window it copies */
    AstList partition;
    AstList order;
    bool frame_given; /* else the default: RANGE UNBOUNDED PRECEDING .. CURRENT ROW, also filled in
                       */
    AstFrameMode mode;
    AstFrameBound start;
    AstFrameBound end;
    AstNode *start_offset;
    AstNode *end_offset;
    AstFrameExclude exclude;
} AstWindowDef;

typedef struct AstAlias {
    AstNode node;
    Str name;
    AstNames columns;
} AstAlias;

/* A table, view or CTE by name; also the target of INSERT, UPDATE, DELETE, COPY, LOCK ... */
typedef struct AstTableRef {
    AstNode node;
    AstName name;
    AstAlias *alias;
    bool only; /* FROM ONLY t */
} AstTableRef;

typedef struct AstSubselect {
    AstNode node;
    AstNode *query; /* AstSelect, VALUES included */
    AstAlias *alias;
    bool lateral;
} AstSubselect;

/* f(...) or ROWS FROM (f(...), g(...)) in FROM. */
typedef struct AstRangeFunction {
    AstNode node;
    AstList functions; /* AstRowsFromItem, one unless rows_from */
    AstAlias *alias;
    AstList column_defs; /* AstColumnDef: AS t(a int, b text) */
    bool lateral;
    bool ordinality;
    bool rows_from;
} AstRangeFunction;

typedef struct AstRowsFromItem {
    AstNode node;
    AstNode *function; /* AstFuncCall, or what the grammar allows: AstSqlValue, AstCoalesce ... */
    AstList column_defs;
} AstRowsFromItem;

typedef struct AstTableSample {
    AstNode node;
    AstNode *relation; /* AstTableRef with its alias */
    AstName method;
    AstList args;
    AstNode *repeatable;
} AstTableSample;

typedef enum AstJoinType {
    AST_JOIN_INNER,
    AST_JOIN_LEFT,
    AST_JOIN_RIGHT,
    AST_JOIN_FULL
} AstJoinType;

/* CROSS JOIN is inner without `on`, `using_columns` and `natural`. */
typedef struct AstJoin {
    AstNode node;
    AstJoinType type;
    bool natural;
    AstNode *left;
    AstNode *right;
    AstNames using_columns;
    AstAlias *using_alias; /* USING (a) AS alias */
    AstNode *on;
    AstAlias *alias; /* (a JOIN b) AS alias */
} AstJoin;

typedef enum AstLockStrength {
    AST_LOCK_KEY_SHARE,
    AST_LOCK_SHARE,
    AST_LOCK_NO_KEY_UPDATE,
    AST_LOCK_UPDATE
} AstLockStrength;

typedef enum AstLockWait { AST_LOCK_WAIT, AST_LOCK_SKIP_LOCKED, AST_LOCK_NOWAIT } AstLockWait;

typedef struct AstLocking {
    AstNode node;
    AstList tables; /* AstTableRef (aliases in fact); empty: all */
    AstLockStrength strength;
    AstLockWait wait;
} AstLocking;

typedef struct AstWith {
    AstNode node;
    bool recursive;
    AstList ctes;
} AstWith;

typedef enum AstMaterialize {
    AST_MATERIALIZE_DEFAULT,
    AST_MATERIALIZE_YES,
    AST_MATERIALIZE_NO
} AstMaterialize;

typedef struct AstCte {
    AstNode node;
    Str name;
    AstNames columns;
    AstMaterialize materialize;
    AstNode *query; /* AstSelect, AstInsert, AstUpdate, AstDelete */
} AstCte;

typedef struct AstValuesRow {
    AstNode node;
    AstList values; /* expressions; AstDefault in an INSERT */
} AstValuesRow;

typedef enum AstSetOp {
    AST_SETOP_NONE,
    AST_SETOP_UNION,
    AST_SETOP_INTERSECT,
    AST_SETOP_EXCEPT
} AstSetOp;

/* One of three: a plain SELECT (setop NONE, no values), VALUES (values), a set operation (args).
   with, order, limit, offset, locking belong to any of them. */
typedef struct AstSelect {
    AstNode node;
    AstWith *with;
    /* a plain SELECT */
    bool distinct;
    AstList distinct_on; /* DISTINCT ON (...); distinct is set too */
    AstList targets;     /* AstTarget */
    AstList from;
    AstNode *where;
    AstList group; /* expressions and AstGroupingSet */
    bool group_distinct;
    AstNode *having;
    AstList windows; /* AstWindowDef */
    /* VALUES */
    AstList values; /* AstValuesRow */
    /* a set operation: args[0] op args[1] op args[2] ..., read from the left; args are AstSelect */
    AstSetOp setop;
    bool setop_all;
    AstList args;
    /* any */
    AstList order;  /* AstSortKey */
    AstNode *limit; /* NULL: none; an AstConst NULL for LIMIT ALL */
    AstNode *offset;
    bool with_ties;
    AstList locking;
} AstSelect;

typedef enum AstOverriding {
    AST_OVERRIDING_NONE,
    AST_OVERRIDING_USER,
    AST_OVERRIDING_SYSTEM
} AstOverriding;

typedef struct AstOnConflict {
    AstNode node;
    bool update;   /* else DO NOTHING */
    AstList infer; /* AstIndexKey of (a, lower(b)); may be empty */
    AstNode *infer_where;
    Str constraint;         /* ON CONSTRAINT name */
    int32_t infer_location; /* of the inference clause, -1 if there is none */
    AstList set;            /* AstTarget */
    AstNode *where;
} AstOnConflict;

typedef struct AstInsert {
    AstNode node;
    AstWith *with;
    AstTableRef *table;
    AstList columns; /* AstTarget without values; empty: all */
    AstNode *source; /* AstSelect; NULL: DEFAULT VALUES */
    AstOverriding overriding;
    AstOnConflict *on_conflict;
    AstList returning; /* AstTarget */
} AstInsert;

typedef struct AstUpdate {
    AstNode node;
    AstWith *with;
    AstTableRef *table;
    AstList set; /* AstTarget */
    AstList from;
    AstNode *where;
    AstList returning;
} AstUpdate;

typedef struct AstDelete {
    AstNode node;
    AstWith *with;
    AstTableRef *table;
    AstList from; /* USING */
    AstNode *where;
    AstList returning;
} AstDelete;

typedef struct AstTruncate {
    AstNode node;
    AstList tables; /* AstTableRef */
    bool restart_identity;
    bool cascade;
} AstTruncate;

#endif
