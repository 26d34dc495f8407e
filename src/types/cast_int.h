// SPDX-License-Identifier: Apache-2.0
//
// The kernels behind cast.h: each converts a flat (or one-row constant) vector of its source type.
// Private to this room. Any thread.
#ifndef DBASPOT_TYPES_CAST_INT_H
#define DBASPOT_TYPES_CAST_INT_H

#include "types/cast.h"

typedef struct CastCall {
    Ctx *ctx;
    Scope *scope;
    const TypeIoContext *io;
    SqlType target;
    bool explicit_cast;
} CastCall;

/* `out` has room for `rows` values and the input's NULLs in its own validity. Rows that are NULL
   may get any value, but must not fail (TYPES-4). */
typedef Status (*CastKernel)(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);

/* cast_number.c */
Status cast_bool_int4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int4_bool(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int2_int4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int2_int8(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int4_int2(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int4_int8(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int8_int2(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int8_int4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int2_oid(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int4_oid(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int8_oid(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_oid_int4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int2_float4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int2_float8(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int4_float4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int4_float8(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int8_float4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int8_float8(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_float4_float8(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_float8_float4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_float4_int2(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_float4_int4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_float4_int8(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_float8_int2(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_float8_int4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_float8_int8(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);

/* cast_numeric.c: numerics in each of their three forms, the target's typmod applied. */
Status cast_int2_numeric(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int4_numeric(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int8_numeric(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_float4_numeric(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_float8_numeric(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_numeric_int2(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_numeric_int4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_numeric_int8(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_numeric_float4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_numeric_float8(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_numeric_numeric(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);

/* cast_other.c */
Status cast_bool_text(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_int4_char(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_char_int4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_text_char(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_text_name(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_text_bpchar(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_text_reg(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_date_timestamp(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_date_timestamptz(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_timestamp_date(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_timestamp_time(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_timestamp_timestamptz(const CastCall *call, const Vector *in, uint32_t rows,
                                  Vector *out);
Status cast_timestamptz_date(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_timestamptz_time(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_timestamptz_timestamp(const CastCall *call, const Vector *in, uint32_t rows,
                                  Vector *out);
Status cast_time_interval(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);
Status cast_interval_time(const CastCall *call, const Vector *in, uint32_t rows, Vector *out);

static inline bool cast_row_valid(const Vector *in, uint32_t row)
{
    return in->validity == NULL || bitmap_get(in->validity, row);
}

#endif
