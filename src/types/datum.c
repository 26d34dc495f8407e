// SPDX-License-Identifier: Apache-2.0
//
// Single values and their way into and out of vectors: see datum.h. The value's bytes are the same
// in both.
#include "types/datum.h"

static_assert(sizeof(((Datum *)NULL)->bytes) >= sizeof(Numeric), "the widest value fits");

Datum datum_copy(Scope *scope, const Datum *datum)
{
    Datum copy = *datum;

    if (datum->is_null || type_phys(datum->type) != PHYS_STRING ||
        datum->string.len <= STRVIEW_INLINE_MAX)
        return copy;
    copy.string.ptr = scope_strndup(scope, datum->string.ptr, datum->string.len);
    return copy;
}

Datum datum_from_vector(const Vector *v, uint32_t row)
{
    Datum datum = {.type = v->type};
    uint32_t at = vector_index(v, row);
    size_t bytes = phys_size[v->phys];

    datum.is_null = v->validity && !bitmap_get(v->validity, at);
    if (!datum.is_null)
        memcpy(datum.bytes, (const char *)v->values + at * bytes, bytes);
    return datum;
}

void datum_to_vector(const Datum *datum, Scope *scope, Vector *out)
{
    vector_init_const(out, scope, datum->type, datum->is_null ? NULL : datum->bytes);
}
