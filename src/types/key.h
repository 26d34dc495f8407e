// SPDX-License-Identifier: Apache-2.0
//
// Order-preserving keys: memcmp on the bytes is the SQL order (NULLs last unless asked, DESC
// inverts the column's bytes). Integers big-endian with the sign flipped, floats with IEEE's
// total-order trick (-0 = 0, NaN last, as PostgreSQL), text escaped (00 -> 00 FF) and ended by
// 00 00, numerics so that 1.0 and 1.00 are the same key, each column led by a NULL marker byte.
// Any thread.
#ifndef DBASPOT_TYPES_KEY_H
#define DBASPOT_TYPES_KEY_H

#include "types/datum.h"

typedef struct KeyColumn {
    SqlType type;
    bool descending;
    bool nulls_first;
} KeyColumn;

/* Appends the column's bytes of row `row` of the vector. */
void key_append(StrBuf *out, const KeyColumn *column, const Vector *v, uint32_t row);
void key_append_datum(StrBuf *out, const KeyColumn *column, const Datum *datum);
/* The smallest key that is greater than every key with this prefix; false if there is none. */
bool key_successor(StrBuf *key);
/* Reads one column back, advancing *key; E_DATA_CORRUPTED if malformed. String bytes in `scope`. */
Status key_decode(Ctx *ctx, Scope *scope, const KeyColumn *column, Str *key, Datum *out);

#endif
