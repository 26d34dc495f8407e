// SPDX-License-Identifier: Apache-2.0
//
// Comparison kernels: one line a pair of types and operator. Order is PostgreSQL's: NaN equals NaN
// and is above all, -0 equals 0, strings by bytes (C collation), intervals with 30-day months. Rows
// with a NULL argument get a meaningless result, which the caller's validity hides. See kernel.h.
#include "types/compare.h"
#include "func/kernel.h"
#include "types/array.h"
#include "types/datetime.h"
#include "types/numeric.h"

#define FUNC(oid, name, result, kernel, ...) Status kernel(KERNEL_PARAMS);
#include "func/compare.def"
#undef FUNC

static ALWAYS_INLINE int float_compare(double x, double y)
{
    if (x < y)
        return -1;
    if (x > y)
        return 1;
    if (x == y)
        return 0;
    return (x != x) - (y != y); /* one is NaN at least */
}

static int interval_compare(Interval x, Interval y)
{
    int128_t a = interval_sort_value(x);
    int128_t b = interval_sort_value(y);
    return (a > b) - (a < b);
}

static int128_t scaled_at(const Vector *v, uint32_t at)
{
    return v->phys == PHYS_INT64 ? ((const int64_t *)v->values)[at]
                                 : ((const int128_t *)v->values)[at];
}

static bool is_scaled(const Vector *v)
{
    return v->phys != PHYS_NUMERIC;
}

/* Numerics of any two forms; the binder has brought most pairs to one scale. */
static int numeric_rows_compare(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row)
{
    return vector_compare(a, a_row, b, b_row);
}

#define NUMERIC_KERNEL(name, op)                                                                 \
    Status name(KERNEL_PARAMS)                                                                   \
    {                                                                                            \
        uint8_t *r = out->values;                                                                \
        bool one_scale = is_scaled(args[0]) && is_scaled(args[1]) &&                             \
                         type_numeric_scale(args[0]->type) == type_numeric_scale(args[1]->type); \
        if (one_scale && args[0]->phys == PHYS_INT64 && args[1]->phys == PHYS_INT64) {           \
            const int64_t *a = args[0]->values;                                                  \
            const int64_t *b = args[1]->values;                                                  \
            KERNEL2_LOOPS(int64_t, int64_t, r[i] = x op y)                                       \
        } else if (one_scale) {                                                                  \
            for (uint32_t i = 0; i < rows; i++)                                                  \
                r[i] = scaled_at(args[0], vector_index(args[0], i))                              \
                    op scaled_at(args[1], vector_index(args[1], i));                             \
        } else {                                                                                 \
            for (uint32_t i = 0; i < rows; i++)                                                  \
                if (kernel_row_valid(out, i))                                                    \
                    r[i] = numeric_rows_compare(args[0], i, args[1], i) op 0;                    \
        }                                                                                        \
        return OK;                                                                               \
    }

#define ARRAY_KERNEL(name, op) \
    KERNEL_ROWS(name, KERNEL_RESULT(uint8_t) = array_compare(KERNEL_STR(0), KERNEL_STR(1)) op 0;)

/* A date, timestamp or timestamptz as microseconds; local forms count in the session's zone when
   the other side is an instant. */
static int64_t moment(const Vector *v, uint32_t row, bool as_instant, const TimeZone *zone)
{
    uint32_t at = vector_index(v, row);
    int64_t us;

    if (v->type.oid == OID_DATE) {
        int32_t date = ((const int32_t *)v->values)[at];
        if (!date_is_finite(date))
            return date == DATE_INFINITY ? TIMESTAMP_INFINITY : TIMESTAMP_NEG_INFINITY;
        if (__builtin_mul_overflow((int64_t)date, US_PER_DAY, &us))
            return date > 0 ? TIMESTAMP_INFINITY - 1 : TIMESTAMP_NEG_INFINITY + 1;
    } else {
        us = ((const int64_t *)v->values)[at];
    }
    if (!as_instant || v->type.oid == OID_TIMESTAMPTZ || !timestamp_is_finite(us))
        return us;
    return us - timezone_offset_local(zone, us) * US_PER_SECOND;
}

#define MOMENT_KERNEL(name, op)                                                                  \
    Status name(KERNEL_PARAMS)                                                                   \
    {                                                                                            \
        const TimeZone *zone = call->io ? call->io->zone : NULL;                                 \
        bool instants =                                                                          \
            args[0]->type.oid == OID_TIMESTAMPTZ || args[1]->type.oid == OID_TIMESTAMPTZ;        \
        uint8_t *r = out->values;                                                                \
        for (uint32_t i = 0; i < rows; i++) {                                                    \
            if (kernel_row_valid(out, i))                                                        \
                r[i] = moment(args[0], i, instants, zone) op moment(args[1], i, instants, zone); \
        }                                                                                        \
        return OK;                                                                               \
    }

KERNEL2(func_int2eq, int16_t, int16_t, uint8_t, x == y)
KERNEL2(func_int2ne, int16_t, int16_t, uint8_t, x != y)
KERNEL2(func_int2lt, int16_t, int16_t, uint8_t, x < y)
KERNEL2(func_int2le, int16_t, int16_t, uint8_t, x <= y)
KERNEL2(func_int2gt, int16_t, int16_t, uint8_t, x > y)
KERNEL2(func_int2ge, int16_t, int16_t, uint8_t, x >= y)
KERNEL2(func_int24eq, int16_t, int32_t, uint8_t, x == y)
KERNEL2(func_int24ne, int16_t, int32_t, uint8_t, x != y)
KERNEL2(func_int24lt, int16_t, int32_t, uint8_t, x < y)
KERNEL2(func_int24le, int16_t, int32_t, uint8_t, x <= y)
KERNEL2(func_int24gt, int16_t, int32_t, uint8_t, x > y)
KERNEL2(func_int24ge, int16_t, int32_t, uint8_t, x >= y)
KERNEL2(func_int28eq, int16_t, int64_t, uint8_t, x == y)
KERNEL2(func_int28ne, int16_t, int64_t, uint8_t, x != y)
KERNEL2(func_int28lt, int16_t, int64_t, uint8_t, x < y)
KERNEL2(func_int28le, int16_t, int64_t, uint8_t, x <= y)
KERNEL2(func_int28gt, int16_t, int64_t, uint8_t, x > y)
KERNEL2(func_int28ge, int16_t, int64_t, uint8_t, x >= y)
KERNEL2(func_int42eq, int32_t, int16_t, uint8_t, x == y)
KERNEL2(func_int42ne, int32_t, int16_t, uint8_t, x != y)
KERNEL2(func_int42lt, int32_t, int16_t, uint8_t, x < y)
KERNEL2(func_int42le, int32_t, int16_t, uint8_t, x <= y)
KERNEL2(func_int42gt, int32_t, int16_t, uint8_t, x > y)
KERNEL2(func_int42ge, int32_t, int16_t, uint8_t, x >= y)
KERNEL2(func_int4eq, int32_t, int32_t, uint8_t, x == y)
KERNEL2(func_int4ne, int32_t, int32_t, uint8_t, x != y)
KERNEL2(func_int4lt, int32_t, int32_t, uint8_t, x < y)
KERNEL2(func_int4le, int32_t, int32_t, uint8_t, x <= y)
KERNEL2(func_int4gt, int32_t, int32_t, uint8_t, x > y)
KERNEL2(func_int4ge, int32_t, int32_t, uint8_t, x >= y)
KERNEL2(func_int48eq, int32_t, int64_t, uint8_t, x == y)
KERNEL2(func_int48ne, int32_t, int64_t, uint8_t, x != y)
KERNEL2(func_int48lt, int32_t, int64_t, uint8_t, x < y)
KERNEL2(func_int48le, int32_t, int64_t, uint8_t, x <= y)
KERNEL2(func_int48gt, int32_t, int64_t, uint8_t, x > y)
KERNEL2(func_int48ge, int32_t, int64_t, uint8_t, x >= y)
KERNEL2(func_int82eq, int64_t, int16_t, uint8_t, x == y)
KERNEL2(func_int82ne, int64_t, int16_t, uint8_t, x != y)
KERNEL2(func_int82lt, int64_t, int16_t, uint8_t, x < y)
KERNEL2(func_int82le, int64_t, int16_t, uint8_t, x <= y)
KERNEL2(func_int82gt, int64_t, int16_t, uint8_t, x > y)
KERNEL2(func_int82ge, int64_t, int16_t, uint8_t, x >= y)
KERNEL2(func_int84eq, int64_t, int32_t, uint8_t, x == y)
KERNEL2(func_int84ne, int64_t, int32_t, uint8_t, x != y)
KERNEL2(func_int84lt, int64_t, int32_t, uint8_t, x < y)
KERNEL2(func_int84le, int64_t, int32_t, uint8_t, x <= y)
KERNEL2(func_int84gt, int64_t, int32_t, uint8_t, x > y)
KERNEL2(func_int84ge, int64_t, int32_t, uint8_t, x >= y)
KERNEL2(func_int8eq, int64_t, int64_t, uint8_t, x == y)
KERNEL2(func_int8ne, int64_t, int64_t, uint8_t, x != y)
KERNEL2(func_int8lt, int64_t, int64_t, uint8_t, x < y)
KERNEL2(func_int8le, int64_t, int64_t, uint8_t, x <= y)
KERNEL2(func_int8gt, int64_t, int64_t, uint8_t, x > y)
KERNEL2(func_int8ge, int64_t, int64_t, uint8_t, x >= y)
KERNEL2(func_booleq, uint8_t, uint8_t, uint8_t, x == y)
KERNEL2(func_boolne, uint8_t, uint8_t, uint8_t, x != y)
KERNEL2(func_boollt, uint8_t, uint8_t, uint8_t, x < y)
KERNEL2(func_boolle, uint8_t, uint8_t, uint8_t, x <= y)
KERNEL2(func_boolgt, uint8_t, uint8_t, uint8_t, x > y)
KERNEL2(func_boolge, uint8_t, uint8_t, uint8_t, x >= y)
KERNEL2(func_float4eq, float, float, uint8_t, float_compare(x, y) == 0)
KERNEL2(func_float4ne, float, float, uint8_t, float_compare(x, y) != 0)
KERNEL2(func_float4lt, float, float, uint8_t, float_compare(x, y) < 0)
KERNEL2(func_float4le, float, float, uint8_t, float_compare(x, y) <= 0)
KERNEL2(func_float4gt, float, float, uint8_t, float_compare(x, y) > 0)
KERNEL2(func_float4ge, float, float, uint8_t, float_compare(x, y) >= 0)
KERNEL2(func_float48eq, float, double, uint8_t, float_compare(x, y) == 0)
KERNEL2(func_float48ne, float, double, uint8_t, float_compare(x, y) != 0)
KERNEL2(func_float48lt, float, double, uint8_t, float_compare(x, y) < 0)
KERNEL2(func_float48le, float, double, uint8_t, float_compare(x, y) <= 0)
KERNEL2(func_float48gt, float, double, uint8_t, float_compare(x, y) > 0)
KERNEL2(func_float48ge, float, double, uint8_t, float_compare(x, y) >= 0)
KERNEL2(func_float84eq, double, float, uint8_t, float_compare(x, y) == 0)
KERNEL2(func_float84ne, double, float, uint8_t, float_compare(x, y) != 0)
KERNEL2(func_float84lt, double, float, uint8_t, float_compare(x, y) < 0)
KERNEL2(func_float84le, double, float, uint8_t, float_compare(x, y) <= 0)
KERNEL2(func_float84gt, double, float, uint8_t, float_compare(x, y) > 0)
KERNEL2(func_float84ge, double, float, uint8_t, float_compare(x, y) >= 0)
KERNEL2(func_float8eq, double, double, uint8_t, float_compare(x, y) == 0)
KERNEL2(func_float8ne, double, double, uint8_t, float_compare(x, y) != 0)
KERNEL2(func_float8lt, double, double, uint8_t, float_compare(x, y) < 0)
KERNEL2(func_float8le, double, double, uint8_t, float_compare(x, y) <= 0)
KERNEL2(func_float8gt, double, double, uint8_t, float_compare(x, y) > 0)
KERNEL2(func_float8ge, double, double, uint8_t, float_compare(x, y) >= 0)
KERNEL2(func_interval_eq, Interval, Interval, uint8_t, interval_compare(x, y) == 0)
KERNEL2(func_uuid_eq, Uuid, Uuid, uint8_t, memcmp(&x, &y, sizeof x) == 0)
KERNEL2(func_interval_ne, Interval, Interval, uint8_t, interval_compare(x, y) != 0)
KERNEL2(func_uuid_ne, Uuid, Uuid, uint8_t, memcmp(&x, &y, sizeof x) != 0)
KERNEL2(func_interval_lt, Interval, Interval, uint8_t, interval_compare(x, y) < 0)
KERNEL2(func_uuid_lt, Uuid, Uuid, uint8_t, memcmp(&x, &y, sizeof x) < 0)
KERNEL2(func_interval_le, Interval, Interval, uint8_t, interval_compare(x, y) <= 0)
KERNEL2(func_uuid_le, Uuid, Uuid, uint8_t, memcmp(&x, &y, sizeof x) <= 0)
KERNEL2(func_interval_gt, Interval, Interval, uint8_t, interval_compare(x, y) > 0)
KERNEL2(func_uuid_gt, Uuid, Uuid, uint8_t, memcmp(&x, &y, sizeof x) > 0)
KERNEL2(func_interval_ge, Interval, Interval, uint8_t, interval_compare(x, y) >= 0)
KERNEL2(func_uuid_ge, Uuid, Uuid, uint8_t, memcmp(&x, &y, sizeof x) >= 0)
KERNEL2(func_string_eq, StrView, StrView, uint8_t, strview_equal(&x, &y))
KERNEL2(func_string_ne, StrView, StrView, uint8_t, !strview_equal(&x, &y))
KERNEL2(func_string_lt, StrView, StrView, uint8_t, strview_compare(&x, &y) < 0)
KERNEL2(func_string_le, StrView, StrView, uint8_t, strview_compare(&x, &y) <= 0)
KERNEL2(func_string_gt, StrView, StrView, uint8_t, strview_compare(&x, &y) > 0)
KERNEL2(func_string_ge, StrView, StrView, uint8_t, strview_compare(&x, &y) >= 0)
MOMENT_KERNEL(func_moment_eq, ==)
MOMENT_KERNEL(func_moment_ne, !=)
MOMENT_KERNEL(func_moment_lt, <)
MOMENT_KERNEL(func_moment_le, <=)
MOMENT_KERNEL(func_moment_gt, >)
MOMENT_KERNEL(func_moment_ge, >=)
ARRAY_KERNEL(func_array_eq, ==)
ARRAY_KERNEL(func_array_ne, !=)
ARRAY_KERNEL(func_array_lt, <)
ARRAY_KERNEL(func_array_le, <=)
ARRAY_KERNEL(func_array_gt, >)
ARRAY_KERNEL(func_array_ge, >=)
NUMERIC_KERNEL(func_numeric_eq, ==)
NUMERIC_KERNEL(func_numeric_ne, !=)
NUMERIC_KERNEL(func_numeric_lt, <)
NUMERIC_KERNEL(func_numeric_le, <=)
NUMERIC_KERNEL(func_numeric_gt, >)
NUMERIC_KERNEL(func_numeric_ge, >=)
