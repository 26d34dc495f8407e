// SPDX-License-Identifier: Apache-2.0
//
// Quoting as SQL spells identifiers and literals: an identifier is quoted only where it has to be,
// a literal with a backslash becomes E'…'. Used by quote_*, format(). Private to this room; any
// thread.
#ifndef DBASPOT_FUNC_QUOTE_H
#define DBASPOT_FUNC_QUOTE_H

#include "base/str.h"

void quote_append_ident(StrBuf *out, Str name);
void quote_append_literal(StrBuf *out, Str text);

#endif
