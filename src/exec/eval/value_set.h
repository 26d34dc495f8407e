// SPDX-License-Identifier: Apache-2.0
//
// A set of constants, hashed once, probed by whole vectors: IN lists and = ANY(array). Belongs to
// one worker.
#ifndef DBASPOT_EXEC_EVAL_VALUE_SET_H
#define DBASPOT_EXEC_EVAL_VALUE_SET_H

#include "types/datum.h"

typedef struct ValueSet ValueSet;

/* NULLs among the values are remembered, not stored. String bytes are shared. */
ValueSet *value_set_new(Scope *scope, SqlType type, const Datum *values, uint32_t count);
/* x IN set for rows [0, rows): out[row] 0 or 1; where x or the answer is NULL the bit of `validity`
   is cleared. Returns true if there is such a row. */
bool value_set_probe(ValueSet *set, const Vector *v, uint32_t rows, uint8_t *out,
                     uint64_t *validity);

#endif
