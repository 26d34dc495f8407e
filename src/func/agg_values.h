// SPDX-License-Identifier: Apache-2.0
//
// A growing list of values in an aggregate's memory, for those that keep what they see: array_agg
// and the ordered-set aggregates. The list doubles when it is full; what it outgrows stays in the
// aggregate's scope. Private to this room; one thread a state.
#ifndef DBASPOT_FUNC_AGG_VALUES_H
#define DBASPOT_FUNC_AGG_VALUES_H

#include "func/agg.h"
#include "func/elements.h"

typedef struct AggValues {
    Datum *elements;
    uint32_t count;
    uint32_t cap;
} AggValues;

/* Adds a value, its string bytes copied. */
Status agg_values_push(AggCall *call, AggValues *s, Datum element);

#endif
