// SPDX-License-Identifier: Apache-2.0
//
// What the binder's files share. A Binder serves one statement; a Level is one SELECT (or other
// statement) being bound: its FROM items, its aggregates, the clause under work. Levels form a
// chain outwards: names that a level does not know are looked up further out, which makes
// correlation. One thread; everything lives in the statement's scope.
#ifndef DBASPOT_SQL_BIND_BIND_INT_H
#define DBASPOT_SQL_BIND_BIND_INT_H

#include "sql/sql.h"
#include "types/cast.h"

#if __has_include("catalog/system_views.h")
#include "catalog/system_views.h"
#else
typedef struct SystemViewColumn {
    const char *name;
    Oid type;
} SystemViewColumn;
typedef struct SystemView {
    const SystemViewColumn *columns;
    uint32_t columns_count;
} SystemView;
static inline const SystemView *system_view_find(Str schema UNUSED, Str name UNUSED)
{
    return NULL;
}
#endif

/* Nested expressions, queries and views. */
#define BIND_DEPTH_MAX 1500
/* Views inside views. */
#define BIND_VIEWS_MAX 64

typedef struct Level Level;
typedef struct Cte Cte;

/* Where an expression stands: decides what it may hold, and the words of the errors. */
typedef enum Clause {
    CLAUSE_NONE,
    CLAUSE_TARGETS,
    CLAUSE_WHERE,
    CLAUSE_JOIN_ON,
    CLAUSE_FROM_FUNCTION,
    CLAUSE_FROM_SUBSELECT,
    CLAUSE_GROUP,
    CLAUSE_HAVING,
    CLAUSE_ORDER,
    CLAUSE_DISTINCT_ON,
    CLAUSE_LIMIT,
    CLAUSE_OFFSET,
    CLAUSE_FILTER,
    CLAUSE_VALUES,
    CLAUSE_UPDATE,
    CLAUSE_RETURNING,
    CLAUSE_CHECK,
    CLAUSE_DEFAULT,
    CLAUSE_INDEX,
    CLAUSE_INDEX_PREDICATE,
    CLAUSE_COUNT
} Clause;

/* What is known of a ColumnId. */
typedef struct ColumnInfo {
    Level *level; /* who made it: decides which references are outer ones */
    Oid table;    /* origin, 0 none */
    int16_t attnum;
    bool computed; /* an aggregate's or set-returning function's result: not subject to grouping */
} ColumnInfo;

typedef struct RangeColumn {
    Str name;
    Expr *expr; /* what a reference gives (copied): a column, or a FULL JOIN's merged COALESCE */
} RangeColumn;

/* One name in FROM. A join has its own, with the columns that are seen without a table's name. */
typedef struct RangeItem {
    Str name;       /* alias or table name; absent for joins and subselects without alias */
    Str schema;     /* of a table without alias: s.t.c */
    Str table_name; /* the table's own name, for hints */
    uint32_t columns_count;
    RangeColumn *columns;
    bool rel_visible;
    bool cols_visible;
    bool lateral_ok;    /* false: left side of a RIGHT or FULL JOIN, seen from its right side */
    bool nullable;      /* on the nullable side of an outer join */
    const Table *table; /* a plain table, else NULL */
    Plan *scan;         /* its scan */
    ColumnId key;       /* the row's key column, 0 if the scan does not give it */
    bool is_join;
    bool is_subquery;
} RangeItem;

typedef struct AggEntry {
    Expr *agg;
    ColumnId id;
} AggEntry;

typedef struct SetEntry {
    Expr *call;
    ColumnId id;
} SetEntry;

struct Level {
    Level *up;
    Clause clause;
    ARRAY(RangeItem *) items;
    uint32_t visible_from; /* items before this one are hidden: a JOIN's ON sees the join only */
    bool in_from;          /* FROM is being bound: items are seen by LATERAL only */
    bool lateral;          /* … and the part under work is LATERAL */
    bool lateral_used;     /* some item was referenced while in_from */
    bool in_aggregate;     /* inside an aggregate's arguments */
    bool no_sets;          /* inside CASE, COALESCE …: no set-returning function */
    const char *no_sets_words;
    bool want_keys; /* scans give their rows' keys too: rows will be locked */
    ARRAY(AggEntry) aggs;
    ARRAY(SetEntry) sets;
    Cte *ctes; /* newest first */
};

/* A common table expression in sight. */
struct Cte {
    Cte *next;
    Str name;
    const AstCte *ast;
    uint32_t id;
    uint32_t columns_count;
    PlanColumn *columns; /* of the common plan; names after the column list */
    Str *names;
    bool *declared;
    Plan *plan;
    ARRAY(Plan *) refs;
    bool working; /* the working table of a recursion */
    const char
        *forbidden;    /* a reference is the error 42P19 with this format of one %s; NULL: fine */
    uint32_t sublinks; /* Binder.sublinks where it was made: deeper is 42P19, if working */
};

typedef struct Binder {
    Ctx *ctx;
    Scope *scope;
    BindEnv *env;
    ARRAY(ColumnInfo) ids; /* by ColumnId; [0] unused */
    uint32_t ctes_next;
    uint32_t depth;
    uint32_t views_depth;
    uint32_t sublinks; /* subqueries in expressions around the work */
    bool stored; /* the tree comes from the catalog: its locations mean nothing to the client */
    bool writes;
    ARRAY(Oid) tables;
    ARRAY(TableLock) table_modes;
} Binder;

typedef struct BoundColumn {
    Str name;
    ColumnId id;
    SqlType type;
    bool declared; /* the typmod is reported to the client */
} BoundColumn;

/* A bound query: exactly these columns, in this order. */
typedef struct BoundQuery {
    Plan *plan;
    uint32_t columns_count;
    BoundColumn *columns;
} BoundQuery;

// --- errors (bind.c) ---------------------------------------------------------------------------

/* Sets the position of the error just raised. */
void bind_position(Binder *b, int32_t location);
/* Passes `st` on with a position, if it is an error. */
Status bind_at(Binder *b, int32_t location, Status st);
Status bind_enter(Binder *b, int32_t location);
static inline void bind_leave(Binder *b)
{
    b->depth--;
}

#define BIND_FAIL(b, location, status, ...)                \
    do {                                                   \
        st = error_raise((b)->ctx, (status), __VA_ARGS__); \
        bind_position((b), (location));                    \
        goto done;                                         \
    } while (0)

/* 0A000 "… is not supported" naming the feature. */
Status bind_unsupported(Binder *b, int32_t location, const char *feature);
/* "integer", for messages. */
const char *bind_type_name(Binder *b, Oid oid);
const char *bind_c(Binder *b, Str text);
#define STR_ARGS(text) (int)(text).len, (text).ptr

// --- columns and levels (bind_scope.c) ---------------------------------------------------------

void level_init(Level *level, Level *up);
ColumnId bind_new_column(Binder *b, Level *level);
ColumnInfo *bind_column_info(Binder *b, ColumnId id);
/* "alias.column", quoted where needed. */
const char *bind_qualified_name(Binder *b, Str item, Str column);
RangeItem *bind_add_item(Binder *b, Level *level, Str name, uint32_t columns_count);
/* 42712 if the name is taken among the visible items from `first` on. */
Status bind_check_duplicate_names(Binder *b, Level *level, uint32_t first, int32_t location);
/* AS t(a, b): renames. `words` says "table" or "join expression"… for 42P10. */
Status bind_apply_alias(Binder *b, RangeItem *item, const AstAlias *alias, int32_t location);
Status bind_column_ref(Binder *b, Level *level, const AstColumnRef *ref, Expr **out);
/* The item that t or s.t names; NULL if there is none in sight. */
Status bind_find_item(Binder *b, Level *level, Str schema, Str name, int32_t location,
                      RangeItem **out);
/* 42P01 missing FROM-clause entry, or an invalid reference to one. */
Status bind_missing_item(Binder *b, Level *level, Str name, int32_t location);
/* A reference to the item's column, to be changed freely. */
Expr *bind_range_ref(Binder *b, const RangeColumn *column, int32_t location);
/* An unqualified name among the level's own items only; NULL if there is none. */
Status bind_find_column_here(Binder *b, Level *level, Str name, int32_t location, Expr **out);

// --- types (bind_types.c, bind_coerce.c, bind_numeric.c) ---------------------------------------

Status bind_type(Binder *b, const AstTypeName *ast, SqlType *out);
bool bind_can_coerce(Oid from, Oid to, CastContext context);
/* Makes `expr` of the type; 42846 if there is no way. */
Status bind_coerce(Binder *b, Expr *expr, SqlType target, CastContext context, int32_t location,
                   Expr **out);
/* 42804 "argument of WHERE must be type boolean, not type integer". */
Status bind_coerce_bool(Binder *b, Expr *expr, const char *construct, Expr **out);
/* The same for another type, implicit casts only. */
Status bind_coerce_specific(Binder *b, Expr *expr, Oid type, const char *construct, Expr **out);
/* An unknown literal or parameter becomes text. */
Status bind_resolve_unknown(Binder *b, Expr **expr);
/* PostgreSQL's select_common_type; `context` is "CASE", "UNION", …; NULL: no error, *out 0. */
Status bind_common_type(Binder *b, Expr *const *exprs, uint32_t count, const char *context,
                        Oid *out);
/* Coerces all to one type and typmod that keeps each value as it is displayed. */
Status bind_to_common(Binder *b, Expr **exprs, uint32_t count, Oid type, const char *context,
                      SqlType *out);
/* The typmod reported to the client for an expression. */
int32_t bind_reported_typmod(const Expr *expr);

/* numeric(p,s) of the value, as small as it is. */
SqlType numeric_type_of(const Numeric *value);
/* One type that holds both exactly and displays each as before; plain numeric if there is none. */
SqlType numeric_common_value(SqlType a, SqlType b);
/* One type in which both compare exactly; plain numeric if there is none. */
SqlType numeric_common_exact(SqlType a, SqlType b);
/* numeric(p,0) for an integer type; plain numeric for others. */
SqlType numeric_for_source(Oid oid);
bool is_scaled_numeric(SqlType type);
/* Brings two sides of a comparison to one type; non-numerics are left. */
Status bind_align_numeric(Binder *b, Expr **left, Expr **right);
Status bind_plain_numeric(Binder *b, Expr **expr);

// --- overloads (bind_overload.c) ---------------------------------------------------------------

typedef struct Candidate {
    const Oid *args;
    uint32_t args_count;
    const void *ref;
} Candidate;

/* Keeps in `candidates` the best by PostgreSQL's rules and returns how many: 0 none fits, 1
   decided, more: ambiguous. Each has as many arguments as there are inputs. */
uint32_t overload_select(const Oid *inputs, uint32_t inputs_count, Candidate *candidates,
                         uint32_t count);
bool overload_accepts(Oid input, Oid declared);
/* What polymorphic types stand for in this call; false if they contradict each other. */
typedef struct PolyTypes {
    bool used;
    Oid element; /* 0: only unknowns were given */
} PolyTypes;
bool overload_polymorphic(const Oid *declared, const Oid *inputs, uint32_t count, PolyTypes *out);
Oid overload_actual(Oid declared, const PolyTypes *poly);
static inline bool type_is_polymorphic(Oid oid)
{
    return oid == OID_ANYELEMENT || oid == OID_ANYARRAY || oid == OID_ANYNONARRAY;
}

// --- expressions -------------------------------------------------------------------------------

Status bind_expr(Binder *b, Level *level, const AstNode *node, Expr **out);
/* Binds in a clause, which is restored afterwards. */
Status bind_expr_in(Binder *b, Level *level, Clause clause, const AstNode *node, Expr **out);
/* Binds a condition: boolean, `construct` for the error. */
Status bind_condition(Binder *b, Level *level, Clause clause, const AstNode *node,
                      const char *construct, Expr **out);
/* bind_const.c */
Status bind_const(Binder *b, const AstConst *ast, Expr **out);
Status bind_param(Binder *b, const AstParam *ast, Expr **out);
Status bind_param_type(Binder *b, Expr *param, Oid type);
Expr *bind_unknown_literal(Binder *b, Str text, int32_t location);
Expr *bind_int4(Binder *b, int32_t value);
/* bind_fold.c: the constant it is, else the expression itself. */
Expr *bind_fold(Binder *b, Expr *expr);
/* bind_operator.c */
Status bind_op(Binder *b, Level *level, const AstOp *ast, Expr **out);
/* Applies an operator to bound operands; left NULL: prefix. */
Status bind_apply_op(Binder *b, Str name, Expr *left, Expr *right, int32_t location, Expr **out);
/* The operator for two operand types, the way PostgreSQL finds it; no coercion done. */
Status bind_find_operator(Binder *b, Str name, const Expr *left, const Expr *right,
                          int32_t location, const OperatorInfo **out);
Status bind_op_name(Binder *b, const AstName *name, int32_t location, Str *out);
/* bind_compare.c */
Status bind_op_any(Binder *b, Level *level, const AstOpAny *ast, Expr **out);
Status bind_in_list(Binder *b, Level *level, const AstInList *ast, Expr **out);
Status bind_between(Binder *b, Level *level, const AstBetween *ast, Expr **out);
Status bind_like(Binder *b, Level *level, const AstLike *ast, Expr **out);
Status bind_distinct_from(Binder *b, Level *level, const AstDistinctFrom *ast, Expr **out);
Status bind_null_test(Binder *b, Level *level, const AstNullTest *ast, Expr **out);
Status bind_boolean_test(Binder *b, Level *level, const AstBooleanTest *ast, Expr **out);
/* bind_row.c */
Status bind_row_op(Binder *b, Level *level, Str op, const AstRow *left, const AstRow *right,
                   int32_t location, Expr **out);
Expr *bind_bool_expr(Binder *b, ExprKind kind, Expr *left, Expr *right, int32_t location);
Expr *bind_not(Binder *b, Expr *arg, int32_t location);
/* bind_case.c */
Status bind_case(Binder *b, Level *level, const AstCase *ast, Expr **out);
Status bind_coalesce(Binder *b, Level *level, const AstCoalesce *ast, Expr **out);
Status bind_nullif(Binder *b, Level *level, const AstNullIf *ast, Expr **out);
Status bind_min_max(Binder *b, Level *level, const AstMinMax *ast, Expr **out);
/* bind_array.c; `target` 0 or the array type it is cast to */
Status bind_array(Binder *b, Level *level, const AstArray *ast, Oid target, Expr **out);
Status bind_indirection(Binder *b, Level *level, const AstIndirection *ast, Expr **out);
/* bind_func.c */
Status bind_func_call(Binder *b, Level *level, const AstFuncCall *ast, Expr **out);
/* A function of pg_catalog by name on bound arguments; a set-returning one is left as a call. */
Status bind_call(Binder *b, Level *level, Str name, Expr **args, uint32_t args_count,
                 int32_t location, Expr **out);
Status bind_sql_value(Binder *b, Level *level, const AstSqlValue *ast, Expr **out);
/* bind_aggregate.c */
Status bind_aggregate(Binder *b, Level *level, const AstFuncCall *ast, Expr **out);
/* "aggregate functions are not allowed in WHERE" … */
const char *bind_clause_words(Clause clause);
/* Puts a set-returning call aside and gives its column, where it may stand. */
Status bind_set_call(Binder *b, Level *level, Expr *call, int32_t location, Expr **out);
/* bind_subquery.c */
Status bind_sublink(Binder *b, Level *level, const AstSublink *ast, Expr **out);

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
Status bind_target_table(Binder *b, const AstTableRef *ast, const char *verb, const Table **out);
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
Status bind_returning(Binder *b, Level *level, const AstList *ast, Plan *modify, BoundQuery *out);
/* bind_conflict.c */
Status bind_conflict(Binder *b, const AstInsert *ast, const Table *table, ConflictPlan **out);

#endif
