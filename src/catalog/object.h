// SPDX-License-Identifier: Apache-2.0
//
// Catalog objects as plain data: what a version of the catalog holds. Immutable once published;
// shared by all sessions through a pinned CatalogVersion (catalog/catalog.h). Any thread.
#ifndef DBASPOT_CATALOG_OBJECT_H
#define DBASPOT_CATALOG_OBJECT_H

#include "storage/relation.h"
#include "types/key.h"

#define OID_USER_MIN   16384u
#define NAME_BYTES_MAX 63
#define COLUMNS_MAX    1600
#define TARGETS_MAX    1664

typedef enum ObjectKind {
    OBJECT_DATABASE = 1,
    OBJECT_SCHEMA,
    OBJECT_TABLE,
    OBJECT_INDEX,
    OBJECT_SEQUENCE,
    OBJECT_VIEW,
    OBJECT_ROLE,
    OBJECT_CONSTRAINT, /* only inside tables: named for errors and pg_constraint */
} ObjectKind;

/* Leads every object. Names are terminated too. */
typedef struct Object {
    ObjectKind kind;
    Oid oid;
    Oid database; /* 0: shared (databases, roles) */
    Oid schema;   /* of tables, indexes, sequences, views */
    Oid owner;
    Str name;
    Str comment; /* empty: none */
    uint64_t
        version; /* commit_ts of the DDL that made this form; own uncommitted DDL: UINT64_MAX */
} Object;

typedef struct Database {
    Object object;
} Database;
typedef struct Schema {
    Object object;
} Schema;

typedef struct Role {
    Object object;
    bool superuser, login, create_db, create_role, inherit;
    Str password; /* a SCRAM verifier, empty: none */
} Role;

typedef enum Generated {
    GENERATED_NONE,
    GENERATED_ALWAYS_IDENTITY,
    GENERATED_BY_DEFAULT_IDENTITY
} Generated;

typedef struct Column {
    uint32_t id; /* column_id in rows: never reused in its table; attnum = id + 1 */
    Str name;
    SqlType type;
    bool not_null;
    Str default_sql; /* expression text, empty: none (serial: nextval('…'::regclass)) */
    Generated generated;
    Oid sequence; /* owned by serial/identity, 0 none */
    Str comment;
    Datum missing; /* for rows older than the column */
} Column;

typedef struct CheckConstraint {
    Oid oid;
    Str name;
    Str expr_sql; /* as printed, without the outer CHECK (…) */
    bool not_valid;
    Str comment;
} CheckConstraint;

typedef struct IndexColumn {
    uint32_t column; /* column id; UINT32_MAX: an expression */
    Str expr_sql;
    KeyColumn key;
} IndexColumn;

typedef struct Index {
    Object object;
    Oid table;
    RelationId relation_id; /* the clustering primary key has its table's relation id */
    bool unique, primary, clustered;
    bool constraint; /* made by PRIMARY KEY or UNIQUE */
    Oid constraint_oid;
    uint32_t columns_count;
    const IndexColumn *columns;
    Str predicate_sql;       /* partial index; empty: none */
    bool nulls_not_distinct; /* unique: NULLs equal each other */
    Str constraint_comment;  /* the index's own is object.comment */
} Index;

typedef struct Table {
    Object object;
    RelationId relation_id;
    uint32_t columns_count;
    const Column *columns; /* live columns, in order; dropped ones are only in older schemas */
    uint32_t next_column_id;
    Relation relation; /* schemas for storage; current schema = columns, same order */
    /* The clustering key: the primary key given at creation; none: a hidden bigint row id. Its key
       columns in order; key_columns_count 0 = hidden row id. */
    uint32_t key_columns_count;
    const KeyColumn *key_columns;
    const uint32_t *key_column_at; /* positions in `columns` */
    uint32_t indexes_count;
    const Index *const *indexes; /* incl. the clustered primary key */
    uint32_t checks_count;
    const CheckConstraint *checks;
    Str options;                        /* reloptions text */
    double rows_estimate;               /* ANALYZE: pg_class.reltuples, -1 unknown */
    struct TableStatistics *statistics; /* ANALYZE; may be NULL */
} Table;

typedef struct Sequence {
    Object object;
    Oid type;
    int64_t start, increment, min, max, cache;
    bool cycle;
    Oid owned_by_table; /* 0 none */
    uint32_t owned_by_column;
    /* Where its values are counted: the key of its row in RELATION_SEQUENCES, 0: the oid. A restart
       takes a new one, so that it can be rolled back; the first value from it is `first`. */
    Oid state;
    int64_t first;
} Sequence;

/* What a name in a view's text meant when the view was made. Names in the text stay as they were
   written, whatever is renamed, moved or added since: the binder looks names of relations up here
   before the search path, and gives their columns these names, in this order, and no others. */
typedef struct ViewSource {
    Str schema; /* as written, empty: none */
    Str name;
    Oid oid; /* table, view or sequence */
    uint32_t columns_count;
    const uint32_t *column_ids;
    const Str *column_names;
    const bool *column_used; /* the query reads it: it cannot be dropped */
} ViewSource;

typedef struct View {
    Object object;
    Str query_sql;
    uint32_t columns_count;
    const Column *columns; /* names and types */
    uint32_t depends_count;
    const Oid *depends; /* tables and views it reads */
    uint32_t sources_count;
    const ViewSource *sources;
} View;

#endif
