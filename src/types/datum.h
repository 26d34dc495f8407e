// SPDX-License-Identifier: Apache-2.0
//
// One SQL value outside a vector: constants, parameters, defaults, key bounds, statistics.
// The string bytes belong to whoever made the datum. Plain data.
#ifndef DBASPOT_TYPES_DATUM_H
#define DBASPOT_TYPES_DATUM_H

#include "types/vector.h"

typedef struct Datum {
    SqlType type;
    bool is_null;
    union {
        bool boolean;
        int16_t int16;
        int32_t int32;
        int64_t int64;
        int128_t int128;
        float float32;
        double float64;
        Interval interval;
        Uuid uuid;
        Numeric numeric;
        StrView string;
        uint8_t bytes[32]; /* the first phys_size bytes are the value as it lies in a vector */
    };
} Datum;

static inline Datum datum_null(SqlType type)
{
    return (Datum){.type = type, .is_null = true};
}

/* A copy whose string bytes lie in `scope`. */
Datum datum_copy(Scope *scope, const Datum *datum);
/* Row `row` of a vector (string bytes shared). */
Datum datum_from_vector(const Vector *v, uint32_t row);
/* A constant vector of it. */
void datum_to_vector(const Datum *datum, Scope *scope, Vector *out);

#endif
