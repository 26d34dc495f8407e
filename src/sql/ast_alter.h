// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree's statements about existing objects: DROP, ALTER TABLE, RENAME, SET SCHEMA, OWNER
// TO, COMMENT, GRANT, REVOKE. Conventions as in ast_node.h.
#ifndef DBASPOT_SQL_AST_ALTER_H
#define DBASPOT_SQL_AST_ALTER_H

#include "sql/ast_ddl.h"

/* AST_OBJ(enum, PostgreSQL's words for a command tag). */
#define AST_OBJECT_TYPES                                           \
    AST_OBJ(AST_OBJ_TABLE, "TABLE")                                \
    AST_OBJ(AST_OBJ_INDEX, "INDEX")                                \
    AST_OBJ(AST_OBJ_SEQUENCE, "SEQUENCE")                          \
    AST_OBJ(AST_OBJ_VIEW, "VIEW")                                  \
    AST_OBJ(AST_OBJ_MATVIEW, "MATERIALIZED VIEW")                  \
    AST_OBJ(AST_OBJ_FOREIGN_TABLE, "FOREIGN TABLE")                \
    AST_OBJ(AST_OBJ_COLUMN, "COLUMN")                              \
    AST_OBJ(AST_OBJ_TABLE_CONSTRAINT, "CONSTRAINT")                \
    AST_OBJ(AST_OBJ_SCHEMA, "SCHEMA")                              \
    AST_OBJ(AST_OBJ_DATABASE, "DATABASE")                          \
    AST_OBJ(AST_OBJ_ROLE, "ROLE")                                  \
    AST_OBJ(AST_OBJ_TABLESPACE, "TABLESPACE")                      \
    AST_OBJ(AST_OBJ_TYPE, "TYPE")                                  \
    AST_OBJ(AST_OBJ_DOMAIN, "DOMAIN")                              \
    AST_OBJ(AST_OBJ_FUNCTION, "FUNCTION")                          \
    AST_OBJ(AST_OBJ_PROCEDURE, "PROCEDURE")                        \
    AST_OBJ(AST_OBJ_ROUTINE, "ROUTINE")                            \
    AST_OBJ(AST_OBJ_AGGREGATE, "AGGREGATE")                        \
    AST_OBJ(AST_OBJ_OPERATOR, "OPERATOR")                          \
    AST_OBJ(AST_OBJ_COLLATION, "COLLATION")                        \
    AST_OBJ(AST_OBJ_CONVERSION, "CONVERSION")                      \
    AST_OBJ(AST_OBJ_EXTENSION, "EXTENSION")                        \
    AST_OBJ(AST_OBJ_LANGUAGE, "LANGUAGE")                          \
    AST_OBJ(AST_OBJ_STATISTICS, "STATISTICS")                      \
    AST_OBJ(AST_OBJ_TRIGGER, "TRIGGER")                            \
    AST_OBJ(AST_OBJ_RULE, "RULE")                                  \
    AST_OBJ(AST_OBJ_POLICY, "POLICY")                              \
    AST_OBJ(AST_OBJ_PUBLICATION, "PUBLICATION")                    \
    AST_OBJ(AST_OBJ_SUBSCRIPTION, "SUBSCRIPTION")                  \
    AST_OBJ(AST_OBJ_FOREIGN_SERVER, "SERVER")                      \
    AST_OBJ(AST_OBJ_FOREIGN_DATA_WRAPPER, "FOREIGN DATA WRAPPER")  \
    AST_OBJ(AST_OBJ_ACCESS_METHOD, "ACCESS METHOD")                \
    AST_OBJ(AST_OBJ_EVENT_TRIGGER, "EVENT TRIGGER")                \
    AST_OBJ(AST_OBJ_TS_CONFIGURATION, "TEXT SEARCH CONFIGURATION") \
    AST_OBJ(AST_OBJ_TS_DICTIONARY, "TEXT SEARCH DICTIONARY")       \
    AST_OBJ(AST_OBJ_TS_PARSER, "TEXT SEARCH PARSER")               \
    AST_OBJ(AST_OBJ_TS_TEMPLATE, "TEXT SEARCH TEMPLATE")

typedef enum AstObjectType {
#define AST_OBJ(type, words) type,
    AST_OBJECT_TYPES
#undef AST_OBJ
        AST_OBJ_COUNT
} AstObjectType;

/* The words of the command tag: "TABLE", "MATERIALIZED VIEW". */
const char *ast_object_words(AstObjectType type);

/* The object a command is about. */
typedef struct AstObject {
    AstNode node;
    AstName name; /* a column's, constraint's, trigger's, rule's, policy's table is here ... */
    Str member;   /* ... and the column etc. itself here */
    bool only;
    bool args_given; /* functions, operators: f(int); else f */
    AstList args;    /* AstTypeName */
} AstObject;

typedef struct AstDrop {
    AstNode node;
    AstObjectType type;
    AstList objects; /* AstObject */
    bool if_exists;
    bool cascade;
    bool concurrently;
} AstDrop;

typedef enum AstAlterKind {
    AST_ALTER_ADD_COLUMN,         /* column; if_exists means IF NOT EXISTS */
    AST_ALTER_DROP_COLUMN,        /* name, if_exists, cascade */
    AST_ALTER_COLUMN_TYPE,        /* name, column (type, collation), expr = USING */
    AST_ALTER_SET_DEFAULT,        /* name, expr */
    AST_ALTER_DROP_DEFAULT,       /* name */
    AST_ALTER_SET_NOT_NULL,       /* name */
    AST_ALTER_DROP_NOT_NULL,      /* name */
    AST_ALTER_DROP_EXPRESSION,    /* name, if_exists */
    AST_ALTER_ADD_IDENTITY,       /* name, constraint */
    AST_ALTER_SET_IDENTITY,       /* name, options */
    AST_ALTER_DROP_IDENTITY,      /* name, if_exists */
    AST_ALTER_SET_STATISTICS,     /* name, number */
    AST_ALTER_SET_STORAGE,        /* name, value */
    AST_ALTER_SET_COMPRESSION,    /* name, value */
    AST_ALTER_SET_COLUMN_OPTIONS, /* name, options */
    AST_ALTER_RESET_COLUMN_OPTIONS,
    AST_ALTER_ADD_CONSTRAINT,      /* constraint */
    AST_ALTER_ALTER_CONSTRAINT,    /* constraint: name, deferrable, initially_deferred */
    AST_ALTER_VALIDATE_CONSTRAINT, /* name */
    AST_ALTER_DROP_CONSTRAINT,     /* name, if_exists, cascade */
    AST_ALTER_OWNER,               /* role */
    AST_ALTER_SET_OPTIONS,         /* options */
    AST_ALTER_RESET_OPTIONS,       /* options, values absent */
    AST_ALTER_SET_TABLESPACE,      /* name */
    AST_ALTER_SET_ACCESS_METHOD,   /* name */
    AST_ALTER_SET_LOGGED,
    AST_ALTER_SET_UNLOGGED,
    AST_ALTER_CLUSTER_ON, /* name */
    AST_ALTER_SET_WITHOUT_CLUSTER,
    AST_ALTER_SET_WITHOUT_OIDS,
    AST_ALTER_UNSUPPORTED /* value: what it is, "ENABLE TRIGGER" */
} AstAlterKind;

typedef struct AstAlterCommand {
    AstNode node;
    AstAlterKind kind;
    Str name;
    Str value;
    int32_t number; /* statistics target, or with no name the column's number */
    AstColumnDef *column;
    AstConstraint *constraint;
    AstNode *expr;
    AstList options;
    AstRole *role;
    bool if_exists;
    bool cascade;
} AstAlterCommand;

typedef struct AstAlterTable {
    AstNode node;
    AstObjectType type; /* TABLE, INDEX, VIEW, SEQUENCE, MATVIEW, FOREIGN_TABLE, TYPE */
    AstTableRef *table;
    bool if_exists;
    AstList commands; /* AstAlterCommand */
} AstAlterTable;

/* ALTER ... RENAME: the object, or its member (column, constraint), gets new_name. */
typedef struct AstRename {
    AstNode node;
    AstObjectType type;          /* what gets the name: COLUMN, TABLE_CONSTRAINT, TABLE ... */
    AstObjectType relation_type; /* COLUMN: of what (TABLE, VIEW ...) */
    AstObject *object;
    Str new_name;
    bool if_exists;
    bool cascade;
} AstRename;

typedef struct AstSetSchema {
    AstNode node;
    AstObjectType type;
    AstObject *object;
    Str new_schema;
    bool if_exists;
} AstSetSchema;

/* ALTER ... OWNER TO, of what is not a relation. */
typedef struct AstSetOwner {
    AstNode node;
    AstObjectType type;
    AstObject *object;
    AstRole *owner;
} AstSetOwner;

typedef struct AstComment {
    AstNode node;
    AstObjectType type;
    AstObject *object;
    Str text; /* absent: IS NULL */
} AstComment;

typedef struct AstPrivilege {
    AstNode node;
    Str name; /* "select"; absent: ALL (a, b) */
    AstNames columns;
} AstPrivilege;

typedef struct AstGrant {
    AstNode node;
    bool grant; /* else REVOKE */
    AstObjectType type;
    bool all_in_schema; /* objects are schemas */
    AstList objects;    /* AstObject */
    AstList privileges; /* AstPrivilege; empty: ALL */
    AstList grantees;   /* AstRole */
    bool grant_option;
    AstRole *grantor;
    bool cascade;
} AstGrant;

typedef struct AstGrantRole {
    AstNode node;
    bool grant;
    AstNames roles;
    AstList grantees; /* AstRole */
    bool admin_option;
    AstRole *grantor;
    bool cascade;
} AstGrantRole;

#endif
