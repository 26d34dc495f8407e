// SPDX-License-Identifier: Apache-2.0
//
// SQL text -> syntax tree, by PostgreSQL 15's own grammar (libpg_query). Any thread may parse; a
// thread's first parse sets the grammar up for it, the thread's end gives that back. Errors carry
// PostgreSQL's SQLSTATE, message, detail, hint and position; what the grammar accepts and the tree
// cannot say is 0A000, never dropped.
#ifndef DBASPOT_SQL_PARSE_PARSE_H
#define DBASPOT_SQL_PARSE_PARSE_H

#include "sql/ast.h"

/* The longest text that is parsed; more is 54000. */
#define SQL_TEXT_BYTES_MAX ((size_t)512 << 20)

/* All statements of a text, in order: AstStatement nodes in `scope`; none for a blank text. */
Status sql_parse(Ctx *ctx, Scope *scope, Str text, AstList *out);
/* One expression, as stored by the catalog. 42601 if the text is anything else. */
Status sql_parse_expr(Ctx *ctx, Scope *scope, Str text, AstNode **out);
/* One type name: "varchar(10)[]". */
Status sql_parse_type(Ctx *ctx, Scope *scope, Str text, AstTypeName **out);

/* The 1-based character position of a node's byte location; 0 if the location is unknown. */
int32_t sql_position(Str text, int32_t location);

/* The text with its constants replaced by $1, $2 ..., as pg_stat_statements shows it. */
Status sql_normalize(Ctx *ctx, Scope *scope, Str text, Str *out);
/* Equal for texts that differ in constants, blanks, comments and case of words only. */
Status sql_fingerprint(Ctx *ctx, Str text, uint64_t *out);

typedef enum SqlKeyword {
    SQL_KEYWORD_NONE, /* not a keyword */
    SQL_KEYWORD_UNRESERVED,
    SQL_KEYWORD_COLUMN_NAME, /* cannot be a function's or type's name */
    SQL_KEYWORD_TYPE_FUNCTION,
    SQL_KEYWORD_RESERVED
} SqlKeyword;

/* How PostgreSQL treats a word, given in lower case. */
SqlKeyword sql_keyword(Str word);

#endif
