// SPDX-License-Identifier: Apache-2.0
//
// Casts among boolean, integers, oid and floating point: one template for conversions that cannot
// fail, one for those with a range.
#include "types/cast_int.h"

#include <math.h>

#define KERNEL_ARGS const CastCall *call UNUSED, const Vector *in, uint32_t rows, Vector *out

/* Every value has an image. */
#define WIDEN(name, S, T, expr)                     \
    Status name(KERNEL_ARGS)                        \
    {                                               \
        const S *from = in->values;                 \
        T *to = out->values;                        \
                                                    \
        for (uint32_t row = 0; row < rows; row++) { \
            S x = from[row];                        \
            to[row] = (T)(expr);                    \
        }                                           \
        return OK;                                  \
    }

WIDEN(cast_bool_int4, uint8_t, int32_t, x)
WIDEN(cast_int4_bool, int32_t, uint8_t, x != 0)
WIDEN(cast_int2_int4, int16_t, int32_t, x)
WIDEN(cast_int2_int8, int16_t, int64_t, x)
WIDEN(cast_int4_int8, int32_t, int64_t, x)
WIDEN(cast_int2_oid, int16_t, int64_t, (uint32_t)(int32_t)x)
WIDEN(cast_int4_oid, int32_t, int64_t, (uint32_t)x)
WIDEN(cast_oid_int4, int64_t, int32_t, (int32_t)(uint32_t)x)
WIDEN(cast_int2_float4, int16_t, float, x)
WIDEN(cast_int2_float8, int16_t, double, x)
WIDEN(cast_int4_float4, int32_t, float, x)
WIDEN(cast_int4_float8, int32_t, double, x)
WIDEN(cast_int8_float4, int64_t, float, x)
WIDEN(cast_int8_float8, int64_t, double, x)
WIDEN(cast_float4_float8, float, double, x)

/* Values outside the range fail: the loop first converts and gathers whether any did, so that it
   stays free of branches. */
#define NARROW(name, S, T, fits, convert, ...)                                      \
    Status name(KERNEL_ARGS)                                                        \
    {                                                                               \
        const S *from = in->values;                                                 \
        T *to = out->values;                                                        \
        bool all_fit = true;                                                        \
                                                                                    \
        for (uint32_t row = 0; row < rows; row++) {                                 \
            S x = from[row];                                                        \
            bool ok = (fits);                                                       \
            to[row] = ok ? (T)(convert) : 0;                                        \
            all_fit &= ok;                                                          \
        }                                                                           \
        for (uint32_t row = 0; !all_fit && row < rows; row++) {                     \
            S x = from[row];                                                        \
            if (!(fits) && cast_row_valid(in, row))                                 \
                return error_raise(call->ctx, E_NUMERIC_OUT_OF_RANGE, __VA_ARGS__); \
        }                                                                           \
        return OK;                                                                  \
    }

#define FITS(low, high) (x >= (low) && x <= (high))

NARROW(cast_int4_int2, int32_t, int16_t, FITS(INT16_MIN, INT16_MAX), x, "smallint out of range")
NARROW(cast_int8_int2, int64_t, int16_t, FITS(INT16_MIN, INT16_MAX), x, "smallint out of range")
NARROW(cast_int8_int4, int64_t, int32_t, FITS(INT32_MIN, INT32_MAX), x, "integer out of range")
NARROW(cast_int8_oid, int64_t, int64_t, FITS(0, UINT32_MAX), x, "OID out of range")

/* Rounded half to even; the bounds are exact in the source's type. */
#define FITS_ROUNDED(low, high_plus_one) (rint(x) >= (low) && rint(x) < (high_plus_one))

NARROW(cast_float4_int2, float, int16_t, FITS_ROUNDED(-32768.0, 32768.0), rint(x),
       "smallint out of range")
NARROW(cast_float4_int4, float, int32_t, FITS_ROUNDED(-2147483648.0, 2147483648.0), rint(x),
       "integer out of range")
NARROW(cast_float4_int8, float, int64_t,
       FITS_ROUNDED(-9223372036854775808.0, 9223372036854775808.0), rint(x), "bigint out of range")
NARROW(cast_float8_int2, double, int16_t, FITS_ROUNDED(-32768.0, 32768.0), rint(x),
       "smallint out of range")
NARROW(cast_float8_int4, double, int32_t, FITS_ROUNDED(-2147483648.0, 2147483648.0), rint(x),
       "integer out of range")
NARROW(cast_float8_int8, double, int64_t,
       FITS_ROUNDED(-9223372036854775808.0, 9223372036854775808.0), rint(x), "bigint out of range")

static bool float_kept(double x)
{
    float narrow = (float)x;

    return !(isinf(narrow) && !isinf(x)) && !(narrow == 0.0F && x != 0.0);
}

NARROW(cast_float8_float4, double, float, float_kept(x), x, "value out of range: %s",
       fabs(x) > 1 ? "overflow" : "underflow")
