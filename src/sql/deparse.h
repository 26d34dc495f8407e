// SPDX-License-Identifier: Apache-2.0
//
// Syntax tree -> SQL text, in PostgreSQL's words: what a catalog stores of views, defaults and
// CHECKs, and what pg_get_viewdef and the like print. Parsing the text gives the same tree again.
// Callable from any thread.
#ifndef DBASPOT_SQL_DEPARSE_H
#define DBASPOT_SQL_DEPARSE_H

#include "sql/ast.h"

/* An expression. */
void sql_deparse_expr(StrBuf *buf, const AstNode *expr);
/* A SELECT, VALUES or set operation, INSERT, UPDATE or DELETE, on one line, no semicolon. */
void sql_deparse_query(StrBuf *buf, const AstNode *query);
/* A SELECT as pg_get_viewdef lays it out: a line for each clause and target, a semicolon last. */
void sql_deparse_view(StrBuf *buf, const AstNode *query);
/* A type as PostgreSQL's format_type prints it: "character varying(10)[]". */
void sql_deparse_type(StrBuf *buf, const AstTypeName *type);
/* What follows CONSTRAINT name: "CHECK (a > 0)", "PRIMARY KEY (a, b)" (pg_get_constraintdef). */
void sql_deparse_constraint(StrBuf *buf, const AstConstraint *constraint);

/* Parts shared by expressions and queries: "a DESC NULLS LAST, b"; "(PARTITION BY a ORDER BY b)";
   "a, b" of expressions; "a, b" of identifiers. */
void sql_deparse_sort_keys(StrBuf *buf, const AstList *keys);
void sql_deparse_window(StrBuf *buf, const AstWindowDef *window);
void sql_deparse_exprs(StrBuf *buf, const AstList *exprs);
void sql_deparse_names(StrBuf *buf, const AstNames *names);
void sql_deparse_indirection(StrBuf *buf, const AstList *steps);

/* Quoted where needed (upper case, keywords): "Name", "select", name. */
void sql_quote_identifier(StrBuf *buf, Str name);
/* 'it''s', or E'a\\b' if there is a backslash. */
void sql_quote_literal(StrBuf *buf, Str text);
/* [catalog.][schema.]name, each quoted where needed. */
void sql_quote_name(StrBuf *buf, const AstName *name);

#endif
