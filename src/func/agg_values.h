// SPDX-License-Identifier: Apache-2.0
//
// A growing list of values in an aggregate's memory. Private to this room.
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
