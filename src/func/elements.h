// SPDX-License-Identifier: Apache-2.0
//
// Values between vectors and arrays: an array holds numerics with their own scale, a vector may
// hold them scaled. Private to this room.
#ifndef DBASPOT_FUNC_ELEMENTS_H
#define DBASPOT_FUNC_ELEMENTS_H

#include "func/func.h"
#include "types/array.h"
#include "types/numeric.h"

/* A value as an element of an array. */
static inline Datum element_from_datum(Datum datum)
{
    PhysType phys = type_phys(datum.type);

    if (datum.type.oid != OID_NUMERIC || phys == PHYS_NUMERIC)
        return datum;
    int scale = type_numeric_scale(datum.type);
    if (!datum.is_null)
        datum.numeric = numeric_from_scaled(phys == PHYS_INT64 ? datum.int64 : datum.int128, scale);
    datum.type.typmod = -1;
    return datum;
}

/* Row `row` of a vector as an element of an array. */
static inline Datum element_from_vector(const Vector *v, uint32_t row)
{
    return element_from_datum(datum_from_vector(v, row));
}

/* Writes a value of the vector's type to row `row` of a flat vector with room for `rows`. */
static inline void vector_put_datum(Vector *out, Scope *scope, uint32_t row, uint32_t rows,
                                    const Datum *datum)
{
    if (datum->is_null)
        bitmap_clear(vector_make_validity(out, scope, rows), row);
    else
        memcpy((char *)out->values + (size_t)row * phys_size[out->phys], datum->bytes,
               phys_size[out->phys]);
}

#endif
