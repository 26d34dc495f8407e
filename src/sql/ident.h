// SPDX-License-Identifier: Apache-2.0
//
// Identifiers as text: "quoted" or folded, dotted names, quoting on output. Any thread.
// Any thread, unless a declaration says otherwise.
#ifndef DBASPOT_SQL_IDENT_H
#define DBASPOT_SQL_IDENT_H

#include "sql/ast_node.h"

/* [[catalog.]schema.]name; 42602 if it is not one. Strings lie in `scope`. */
Status ident_parse_name(Ctx *ctx, Scope *scope, Str text, AstName *out);
/* Appends the identifier, quoted if it must be to be read back (also for reserved words). */
void ident_append(StrBuf *out, Str name);
/* The next identifier of a list separated by commas; false at its end. */
bool ident_next(Scope *scope, Str *list, Str *out);

#endif
