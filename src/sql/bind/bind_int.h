// SPDX-License-Identifier: Apache-2.0
//
// What the binder's files share. A Binder serves one statement; a Level is one SELECT (or other
// statement) being bound: its FROM items, its aggregates, the clause under work. Levels form a
// chain outwards: names that a level does not know are looked up further out, which makes
// correlation. One thread; everything lives in the statement's scope.
#ifndef DBASPOT_SQL_BIND_BIND_INT_H
#define DBASPOT_SQL_BIND_BIND_INT_H

#include "catalog/system_views.h"
#include "sql/sql.h"
#include "types/cast.h"

/* Nested expressions, queries and views. */
#define BIND_DEPTH_MAX    1500
/* Nodes that may be bound a second time because a construct repeats its operand (x BETWEEN …). */
#define BIND_REPEATED_MAX 1000000
/* Views inside views. */
#define BIND_VIEWS_MAX    64

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
    bool working;     /* a recursion's own rows */
    int32_t location; /* of a recursive reference */
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
    int32_t location;  /* of the error, where a reference is forbidden; -1: the reference's */
    bool in_sublink;   /* referenced from a subquery, which may run often */
    uint32_t sublinks; /* Binder.sublinks where it was made: deeper is 42P19, if working */
};

typedef struct Binder {
    Ctx *ctx;
    Scope *scope;
    BindEnv *env;
    ARRAY(ColumnInfo) ids; /* by ColumnId; [0] unused */
    uint32_t ctes_next;
    uint32_t depth;
    uint64_t nodes_bound;
    uint64_t nodes_repeated;
    uint32_t views_depth;
    const View *view;  /* whose text is being bound: it knows what its names mean */
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
    bool declared;    /* the typmod is reported to the client */
    int32_t location; /* of what it was made from, for errors */
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

#endif
