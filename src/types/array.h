// SPDX-License-Identifier: Apache-2.0
//
// Arrays of any element type, in a compact form that lies in one string: a header (element oid,
// dimensions, flags), lengths and lower bounds, a validity bitmap if there are NULLs, then for
// fixed-width elements their values, for strings an offset array and the bytes. Little-endian and
// unaligned: read it through these functions. int2vector and oidvector have the same form with
// lower bound 0. Equal arrays have equal bytes. Any thread.
#ifndef DBASPOT_TYPES_ARRAY_H
#define DBASPOT_TYPES_ARRAY_H

#include "types/datum.h"
#include "types/io.h"

#define ARRAY_DIMENSIONS_MAX 6
/* PostgreSQL's limit of elements. */
#define ARRAY_ELEMENTS_MAX   134217727

/* A decoded header; points into the array's bytes. */
typedef struct ArrayView {
    SqlType element;
    int32_t dimensions; /* 0: empty */
    int32_t lengths[ARRAY_DIMENSIONS_MAX];
    int32_t lower[ARRAY_DIMENSIONS_MAX];
    uint32_t count;          /* elements in all */
    uint32_t width;          /* bytes of a fixed-width element, 0 for strings */
    const uint8_t *validity; /* NULL: no NULLs; else a bit an element */
    const uint8_t *offsets;  /* strings: count + 1 uint32 */
    const uint8_t *values;
} ArrayView;

/* REQUIRES: bytes made by this module. */
void array_view(Str bytes, ArrayView *out);
/* Checks bytes that come from a file; E_DATA_CORRUPTED. */
Status array_check(Ctx *ctx, Str bytes);
/* Element `at`, row-major from 0; string bytes shared. */
Datum array_get(const ArrayView *array, uint32_t at);

/* Packs elements (all of type `element`) into `scope`. dimensions 0 needs count 0. `lower` NULL:
   all
   1. E_PROGRAM_LIMIT_EXCEEDED for too many elements or bytes. */
typedef struct ArrayShape {
    int32_t dimensions;
    int32_t lengths[ARRAY_DIMENSIONS_MAX];
    int32_t lower[ARRAY_DIMENSIONS_MAX];
} ArrayShape;
Status array_make(Ctx *ctx, Scope *scope, SqlType element, const ArrayShape *shape,
                  const Datum *elements, StrView *out);
/* One dimension, lower bound 1 (0 elements: the empty array). */
Status array_make_1d(Ctx *ctx, Scope *scope, SqlType element, const Datum *elements, uint32_t count,
                     StrView *out);

/* PostgreSQL's array order: by elements, then number of dimensions, then lengths; NULLs last. */
int array_compare(Str a, Str b);
/* Equal arrays hash alike. */
uint64_t array_hash(Str bytes);

/* The families of io.h; `type` is the array type. array_io.c */
Status array_input(Ctx *ctx, Scope *scope, SqlType type, Str text, const TypeIoContext *io,
                   Datum *out);
void array_output(StrBuf *out, SqlType type, const Vector *v, uint32_t row,
                  const TypeIoContext *io);
Status array_receive(Ctx *ctx, Scope *scope, SqlType type, Str bytes, const TypeIoContext *io,
                     Datum *out);
void array_send(StrBuf *out, SqlType type, const Vector *v, uint32_t row, const TypeIoContext *io);

/* The element type of an array type (its typmod goes along). */
SqlType array_element_type(SqlType array);

#endif
