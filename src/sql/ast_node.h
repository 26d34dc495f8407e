// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree's common parts: node header, lists, names, type names. A node is a structure
// whose first member is `AstNode node`; kinds and structures are listed in ast.def. Trees are made
// by sql_parse (sql/parse/parse.h) in the statement's scope, together with every Str in them, and
// are not changed afterwards: any number of threads may read one. An absent Str has ptr NULL; an
// absent child is NULL; an absent list has count 0. No tree is deeper than AST_DEPTH_MAX nodes, so
// its readers may recurse.
#ifndef DBASPOT_SQL_AST_NODE_H
#define DBASPOT_SQL_AST_NODE_H

#include "base/str.h"

#define AST_DEPTH_MAX 1000

typedef enum AstKind {
    AST_NONE = 0,
#define AST_DEF(kind, structure) kind,
#include "sql/ast.def"
#undef AST_DEF
    AST_KIND_COUNT
} AstKind;

typedef struct AstNode {
    AstKind kind;
    int32_t location; /* byte offset into the text given to sql_parse, -1 unknown */
} AstNode;

typedef struct AstList {
    AstNode **items;
    uint32_t count;
} AstList;

typedef struct AstNames {
    Str *items;
    uint32_t count;
} AstNames;

/* [[catalog.]schema.]name; folded to lower case by the grammar unless quoted. */
typedef struct AstName {
    Str catalog;
    Str schema;
    Str name;
} AstName;

/* A type as written. The grammar's own names are in schema pg_catalog: `int` is pg_catalog.int4,
   `char(3)` pg_catalog.bpchar with typmods (3), `interval day` pg_catalog.interval with the field
   mask as the first typmod. */
typedef struct AstTypeName {
    AstNode node;
    AstName name;
    AstNames type_path; /* of name%TYPE: the parts of `name`, e.g. (table, column) */
    AstList typmods;    /* expressions, constants mostly */
    AstList bounds;     /* one a dimension: AstConst of the bound, -1 if none was given */
    bool setof;
    bool of_column; /* name%TYPE */
} AstTypeName;

/* name = value in parentheses or a clause of its own; value may be NULL ("FORCE_NULL" alone).
   Values: AstConst (string, int, float, bool), AstNameList (columns, roles, a qualified name),
   AstStar, AstTypeName (a sequence's AS type, or any bare word). */
typedef struct AstOption {
    AstNode node;
    Str space; /* "toast" of toast.autovacuum_enabled; else absent */
    Str name;
    AstNode *value;
} AstOption;

/* As an option's value: (a, b), or a qualified name (owned by t.c). */
typedef struct AstNameList {
    AstNode node;
    AstNames names;
} AstNameList;

typedef struct AstStar {
    AstNode node;
} AstStar;

typedef enum AstRoleKind {
    AST_ROLE_NAME,
    AST_ROLE_CURRENT_ROLE,
    AST_ROLE_CURRENT_USER,
    AST_ROLE_SESSION_USER,
    AST_ROLE_PUBLIC
} AstRoleKind;

typedef struct AstRole {
    AstNode node;
    AstRoleKind kind;
    Str name; /* AST_ROLE_NAME */
} AstRole;

/* "AstSelect" etc., for messages about our own mistakes. */
const char *ast_kind_name(AstKind kind);

static inline bool ast_is(const AstNode *node, AstKind kind)
{
    return node != NULL && node->kind == kind;
}

/* A zeroed node of `bytes` bytes; use ast_new. */
AstNode *ast_alloc(Scope *scope, AstKind kind, int32_t location, size_t bytes);

/* AstOp *op = ast_new(scope, AST_OP, AstOp, location); */
#define ast_new(scope, kind, T, location) ((T *)ast_alloc((scope), (kind), (location), sizeof(T)))

/* A copy of `count` pointers. */
AstList ast_list(Scope *scope, AstNode *const *items, uint32_t count);

/* The option of that name, or NULL; options may repeat, callers who care check. */
const AstOption *ast_option_find(const AstList *options, const char *name);
/* The value as PostgreSQL's defGetBoolean, defGetString, defGetInt64 read it: 42601 if it is none.
   A boolean option without a value is true. */
Status ast_option_bool(Ctx *ctx, const AstOption *option, bool *out);
Status ast_option_string(Ctx *ctx, Scope *scope, const AstOption *option, Str *out);
Status ast_option_int64(Ctx *ctx, const AstOption *option, int64_t *out);

#endif
