// SPDX-License-Identifier: Apache-2.0
//
// Inside the adapter: the only place that sees PostgreSQL's headers. A Parse is one call of
// sql_parse on one thread. Its status is sticky: the converters return what they have (NULL, an
// empty list) once it is set, so they need no check of their own, and sql_parse returns it. The
// library's globals are thread-local, which PostgreSQL's own headers do not say: hence PGDLLIMPORT.
#ifndef DBASPOT_SQL_PARSE_PARSE_INT_H
#define DBASPOT_SQL_PARSE_PARSE_INT_H

#include <signal.h>
#define PGDLLIMPORT __thread
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"

#include "sql/parse/parse.h"

typedef struct Parse {
    Ctx *ctx;
    Scope *scope;
    Str text;
    Status status; /* the first failure; converters do nothing after it */
    uint32_t depth;
    uint32_t arms_max; /* of the longest chain of set operations */
    int32_t params_max;
    const Node *multi_source; /* of UPDATE SET (a, b) = ..., and its conversion */
    AstNode *multi_node;
} Parse;

/* LimitOption as the library numbers it; PostgreSQL 15's header says otherwise. */
enum { LIBRARY_LIMIT_DEFAULT = 0, LIBRARY_LIMIT_COUNT = 1, LIBRARY_LIMIT_WITH_TIES = 2 };

#define PARSE_NEW(p, kind, T, location) ast_new((p)->scope, kind, T, (location))

/* parse.c */
/* Sets the library up for the calling thread, once. */
void parse_prepare_thread(void);
/* What sql_parse refuses, and what is too deep for the library's own recursive walks. */
Status parse_check_depth(Ctx *ctx, Scope *scope, Str text);
void parse_fail(Parse *p, Status status, int location, const char *format, ...) PRINTF_LIKE(4, 5);
/* 0A000: "<feature> is not supported". */
void parse_unsupported(Parse *p, int location, const char *feature);
/* One level deeper; false (and 54001) when too deep or already failed. Pair with parse_leave. */
bool parse_enter(Parse *p);
static inline void parse_leave(Parse *p)
{
    p->depth--;
}

/* parse_name.c: strings, names, types, options, roles, aliases. */
Str parse_str(Parse *p, const char *text);
AstNames parse_names(Parse *p, const List *list);
/* [[catalog.]schema.]name; more parts are 42601 at `location`. */
AstName parse_name(Parse *p, const List *list, int location);
/* "t.c" of a longer name: the last part in *member, what is before it as the result. */
AstName parse_member_name(Parse *p, const List *list, Str *member);
AstTypeName *parse_type_name(Parse *p, const TypeName *type);
AstNode *parse_value(Parse *p, const Node *node);
AstList parse_options(Parse *p, const List *options);
AstRole *parse_role(Parse *p, const RoleSpec *role);
AstAlias *parse_alias(Parse *p, const Alias *alias);
AstTableRef *parse_table_ref(Parse *p, const RangeVar *relation);
AstPersistence parse_persistence(const RangeVar *relation);

/* Converts each element; `convert` gets a non-NULL node. */
typedef AstNode *(*ParseConvert)(Parse *p, const Node *node);
AstList parse_list(Parse *p, const List *list, ParseConvert convert);

/* parse_expr.c */
AstNode *parse_expr(Parse *p, const Node *node);
AstList parse_exprs(Parse *p, const List *list);
AstList parse_indirection_steps(Parse *p, const List *steps);
/* SortBy -> AstSortKey, WindowDef -> AstWindowDef; as ParseConvert. */
AstNode *parse_sort_key(Parse *p, const Node *node);
AstNode *parse_window(Parse *p, const Node *node);

/* parse_select.c */
AstNode *parse_select(Parse *p, const SelectStmt *select);
AstNode *parse_from_item(Parse *p, const Node *node);
AstNode *parse_target(Parse *p, const Node *node);
AstWith *parse_with(Parse *p, const WithClause *with);

/* parse_dml.c */
AstNode *parse_insert(Parse *p, const InsertStmt *insert);
AstNode *parse_update(Parse *p, const UpdateStmt *update);
AstNode *parse_delete(Parse *p, const DeleteStmt *deletion);
AstNode *parse_truncate(Parse *p, const TruncateStmt *truncate);

/* parse_table.c: columns, constraints, indexes; as ParseConvert where they take a Node. */
AstNode *parse_column_def(Parse *p, const Node *node);
AstNode *parse_constraint(Parse *p, const Node *node);
AstNode *parse_index_key(Parse *p, const Node *node);
AstNode *parse_create_table(Parse *p, const CreateStmt *create);
AstNode *parse_create_table_as(Parse *p, const CreateTableAsStmt *create);
/* SELECT INTO: `into` is what the leftmost SELECT carried. */
AstNode *parse_select_into(Parse *p, const SelectStmt *select, const IntoClause *into);
AstNode *parse_create_index(Parse *p, const IndexStmt *index);
AstNode *parse_create_view(Parse *p, const ViewStmt *view);

/* parse_ddl.c, parse_alter.c, parse_utility.c: NULL when the statement is not of their family. */
AstNode *parse_ddl_statement(Parse *p, const Node *node);
AstNode *parse_alter_statement(Parse *p, const Node *node);
AstNode *parse_utility_statement(Parse *p, const Node *node);
/* SET and RESET, also as part of ALTER DATABASE and ALTER ROLE. */
AstSet *parse_set(Parse *p, const VariableSetStmt *set);

/* parse_statement.c */
AstNode *parse_statement(Parse *p, const Node *node);
/* "CREATE TRIGGER" for a statement beyond the tree; never NULL. */
const char *parse_statement_name(const Node *node);
/* False for kinds of objects that the tree has no word for (casts, operator classes ...). */
bool parse_object_type(ObjectType type, AstObjectType *out);
AstNode *parse_unsupported_statement(Parse *p, const char *feature);

#endif
