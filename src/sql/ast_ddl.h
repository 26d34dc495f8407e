// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree's definitions: CREATE of tables, indexes, views, sequences, schemas, databases,
// roles; ALTER of the last three. Conventions as in ast_node.h.
#ifndef DBASPOT_SQL_AST_DDL_H
#define DBASPOT_SQL_AST_DDL_H

#include "sql/ast_query.h"

typedef enum AstPersistence { AST_PERMANENT, AST_TEMPORARY, AST_UNLOGGED } AstPersistence;
typedef enum AstOnCommit {
    AST_ON_COMMIT_NONE,
    AST_ON_COMMIT_PRESERVE,
    AST_ON_COMMIT_DELETE,
    AST_ON_COMMIT_DROP
} AstOnCommit;

typedef enum AstConstraintKind {
    AST_CONSTR_NULL, /* the word NULL: nullable, on purpose */
    AST_CONSTR_NOT_NULL,
    AST_CONSTR_DEFAULT,
    AST_CONSTR_IDENTITY,  /* generated_always, options of the sequence */
    AST_CONSTR_GENERATED, /* GENERATED ALWAYS AS (expr) STORED */
    AST_CONSTR_CHECK,
    AST_CONSTR_PRIMARY_KEY,
    AST_CONSTR_UNIQUE,
    AST_CONSTR_FOREIGN_KEY
} AstConstraintKind;

/* A column's or a table's constraint; a column's PRIMARY KEY, UNIQUE, REFERENCES has no columns. */
typedef struct AstConstraint {
    AstNode node;
    AstConstraintKind kind;
    Str name;      /* CONSTRAINT name; may be absent */
    AstNode *expr; /* DEFAULT, GENERATED, CHECK */
    bool deferrable;
    bool initially_deferred;
    bool no_inherit;
    bool not_valid;
    bool generated_always;   /* identity: ALWAYS, else BY DEFAULT */
    bool nulls_not_distinct; /* UNIQUE */
    AstList options;         /* AstOption: of the identity's sequence, or WITH (...) of the index */
    AstNames columns;        /* key, or referencing columns */
    AstNames including;
    Str using_index; /* PRIMARY KEY USING INDEX name */
    Str tablespace;
    AstTableRef *references; /* FOREIGN KEY */
    AstNames ref_columns;
    char match;     /* 'f' full, 'p' partial, 's' simple */
    char on_update; /* 'a' no action, 'r' restrict, 'c' cascade, 'n' set null, 'd' set default */
    char on_delete;
    AstNames on_delete_columns; /* SET NULL (a, b) */
} AstConstraint;

typedef struct AstColumnDef {
    AstNode node;
    Str name;
    AstTypeName *type; /* NULL in CREATE TABLE OF, and views */
    AstName collation;
    AstList constraints; /* AstConstraint, deferrability folded in */
    Str compression;
} AstColumnDef;

typedef enum AstLikeOption {
    AST_LIKE_COMMENTS = 1 << 0,
    AST_LIKE_COMPRESSION = 1 << 1,
    AST_LIKE_CONSTRAINTS = 1 << 2,
    AST_LIKE_DEFAULTS = 1 << 3,
    AST_LIKE_GENERATED = 1 << 4,
    AST_LIKE_IDENTITY = 1 << 5,
    AST_LIKE_INDEXES = 1 << 6,
    AST_LIKE_STATISTICS = 1 << 7,
    AST_LIKE_STORAGE = 1 << 8
} AstLikeOption;

typedef struct AstTableLike {
    AstNode node;
    AstTableRef *table;
    uint32_t options; /* AstLikeOption bits */
} AstTableLike;

typedef struct AstCreateTable {
    AstNode node;
    AstTableRef *table;
    AstPersistence persistence;
    bool if_not_exists;
    AstList elements; /* AstColumnDef, AstConstraint, AstTableLike, as written */
    AstList inherits; /* AstTableRef; with partition_of it is the parent */
    bool partition_of;
    bool partition_by;
    AstTypeName *of_type;
    AstList options; /* AstOption: WITH (...) */
    AstOnCommit on_commit;
    Str tablespace;
    Str access_method; /* USING name */
} AstCreateTable;

/* CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW. */
typedef struct AstCreateTableAs {
    AstNode node;
    AstTableRef *table;
    AstNames columns;
    AstPersistence persistence;
    bool if_not_exists;
    bool select_into;
    bool materialized_view;
    bool with_no_data;
    AstNode *query; /* AstSelect or AstExecute */
    AstList options;
    AstOnCommit on_commit;
    Str tablespace;
    Str access_method;
} AstCreateTableAs;

typedef struct AstIndexKey {
    AstNode node;
    Str column; /* or else */
    AstNode *expr;
    AstName collation;
    AstName opclass;
    AstList opclass_options;
    AstSortOrder order;
    AstNulls nulls;
} AstIndexKey;

typedef struct AstCreateIndex {
    AstNode node;
    Str name; /* absent: chosen by us */
    AstTableRef *table;
    Str method; /* "btree" unless written */
    bool unique;
    bool concurrently;
    bool if_not_exists;
    bool nulls_not_distinct;
    AstList keys;      /* AstIndexKey */
    AstList including; /* AstIndexKey */
    AstNode *where;
    AstList options;
    Str tablespace;
} AstCreateIndex;

typedef enum AstViewCheck {
    AST_VIEW_CHECK_NONE,
    AST_VIEW_CHECK_LOCAL,
    AST_VIEW_CHECK_CASCADED
} AstViewCheck;

typedef struct AstCreateView {
    AstNode node;
    AstTableRef *view;
    AstPersistence persistence;
    bool replace;
    AstNames columns;
    AstNode *query; /* AstSelect */
    AstList options;
    AstViewCheck check;
} AstCreateView;

/* Options: as (AstTypeName), increment, minvalue, maxvalue, start, restart, cache (AstConst int or
   float; NULL value: NO MINVALUE, plain RESTART), cycle (AstConst bool), owned_by (AstNameList),
   sequence_name (AstNameList). */
typedef struct AstCreateSequence {
    AstNode node;
    AstTableRef *sequence;
    AstPersistence persistence;
    bool if_not_exists;
    AstList options;
} AstCreateSequence;

typedef struct AstAlterSequence {
    AstNode node;
    AstTableRef *sequence;
    bool if_exists;
    AstList options;
} AstAlterSequence;

typedef struct AstCreateSchema {
    AstNode node;
    Str name; /* absent: the owner's name */
    AstRole *owner;
    bool if_not_exists;
    AstList elements; /* statements */
} AstCreateSchema;

typedef struct AstCreateDatabase {
    AstNode node;
    Str name;
    AstList options;
} AstCreateDatabase;

typedef struct AstAlterDatabase {
    AstNode node;
    Str name;
    AstList options;
} AstAlterDatabase;

struct AstSet;

typedef struct AstAlterDatabaseSet {
    AstNode node;
    Str name;
    struct AstSet *set;
} AstAlterDatabaseSet;

typedef struct AstDropDatabase {
    AstNode node;
    Str name;
    bool if_exists;
    AstList options; /* force */
} AstDropDatabase;

typedef enum AstRoleStatement {
    AST_CREATE_AS_ROLE,
    AST_CREATE_AS_USER,
    AST_CREATE_AS_GROUP
} AstRoleStatement;

/* Options: password (string or NULL value), superuser, createdb, createrole, inherit, canlogin,
   isreplication, bypassrls (bool), connectionlimit (int), validUntil (string), addroleto,
   rolemembers, adminmembers (AstNameList), sysid. */
typedef struct AstCreateRole {
    AstNode node;
    AstRoleStatement as;
    Str name;
    AstList options;
} AstCreateRole;

typedef struct AstAlterRole {
    AstNode node;
    AstRole *role;
    AstList options;
    bool drop_members; /* ALTER GROUP .. DROP USER */
} AstAlterRole;

typedef struct AstAlterRoleSet {
    AstNode node;
    AstRole *role; /* NULL: ALL */
    Str database;  /* absent: every one */
    struct AstSet *set;
} AstAlterRoleSet;

typedef struct AstDropRole {
    AstNode node;
    AstList roles; /* AstRole */
    bool if_exists;
} AstDropRole;

#endif
