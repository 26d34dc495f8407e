// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree: what sql_parse makes of a text, and what the binder reads. This header brings
// the whole tree; its conventions stand in ast_node.h, the list of nodes in ast.def.
#ifndef DBASPOT_SQL_AST_H
#define DBASPOT_SQL_AST_H

#include "sql/ast_alter.h"
#include "sql/ast_ddl.h"
#include "sql/ast_expr.h"
#include "sql/ast_node.h"
#include "sql/ast_query.h"
#include "sql/ast_utility.h"

/* One statement of a text. start and length are bytes, without surrounding blanks, comments before
   it and the semicolon; locations in the tree count from the whole text's start. */
typedef struct AstStatement {
    AstNode node;
    AstNode *body;
    uint32_t start;
    uint32_t length;
    int32_t params_max; /* the greatest $n in it, 0 none */
} AstStatement;

/* A statement we know by name only: the binder answers 0A000 with it. */
typedef struct AstUnsupported {
    AstNode node;
    Str feature; /* "CREATE TRIGGER" */
} AstUnsupported;

/* PostgreSQL's command tag of a statement, without counts: "CREATE TABLE", "SELECT", "BEGIN". */
const char *ast_command_tag(const AstNode *statement);

/* The name of the column that a SELECT or RETURNING target makes (PostgreSQL's FigureColname):
   "count", "case", "?column?" ... Absent when it is the first column of a star: (SELECT * ...). */
Str ast_target_name(const AstTarget *target);

#endif
