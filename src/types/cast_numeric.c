// SPDX-License-Identifier: Apache-2.0
//
// Casts from and to numeric. A numeric has three forms (int64 or int128 scaled by its type, or with
// its own scale); a kernel picks the loop for the form once, and scaled integers of the same scale
// stay integers.
#include "types/cast_int.h"
#include "types/float.h"
#include "types/numeric.h"

static Status out_of_range(Ctx *ctx, const char *type)
{
    return error_raise(ctx, E_NUMERIC_OUT_OF_RANGE, "%s out of range", type);
}

/* The numeric at `row` of any form. */
static Numeric load(const Vector *v, uint32_t row)
{
    switch (v->phys) {
    case PHYS_INT64:
        return numeric_from_scaled(((const int64_t *)v->values)[row], type_numeric_scale(v->type));
    case PHYS_INT128:
        return numeric_from_scaled(((const int128_t *)v->values)[row], type_numeric_scale(v->type));
    default: return ((const Numeric *)v->values)[row];
    }
}

static void store_scaled(Vector *out, uint32_t row, int128_t value)
{
    if (out->phys == PHYS_INT64)
        ((int64_t *)out->values)[row] = (int64_t)value;
    else
        ((int128_t *)out->values)[row] = value;
}

/* Into any form of `out`. */
static Status store(const CastCall *call, Vector *out, uint32_t row, const Numeric *value)
{
    int128_t scaled;

    if (out->phys == PHYS_NUMERIC) {
        ((Numeric *)out->values)[row] = *value;
        return OK;
    }
    Status st = numeric_to_scaled(call->ctx, value, out->type, &scaled);
    if (st == OK)
        store_scaled(out, row, scaled);
    return st;
}

/* --- integers -> numeric --- */

static Status ints_to_numeric(const CastCall *call, const Vector *in, uint32_t rows, Vector *out,
                              int64_t (*get)(const void *values, uint32_t row))
{
    Status st = OK;
    int scale = out->phys == PHYS_NUMERIC ? 0 : type_numeric_scale(out->type);

    for (uint32_t row = 0; row < rows; row++) {
        int64_t x = get(in->values, row);
        int128_t scaled;
        if (out->phys == PHYS_NUMERIC) {
            ((Numeric *)out->values)[row] = numeric_from_int64(x);
        } else if (scale >= 0 && scale <= 18 &&
                   (scaled = x * int128_pow10[scale],
                    scaled < int128_pow10[type_numeric_precision(out->type)] &&
                        -scaled < int128_pow10[type_numeric_precision(out->type)])) {
            store_scaled(out, row, scaled);
        } else if (cast_row_valid(in, row)) {
            TRY(scaled_rescale(call->ctx, x, 0, out->type, &scaled));
            store_scaled(out, row, scaled);
        }
    }
done:
    return st;
}

#define INT_TO_NUMERIC(name, T)                                                     \
    static int64_t name##_get(const void *values, uint32_t row)                     \
    {                                                                               \
        return ((const T *)values)[row];                                            \
    }                                                                               \
    Status name(const CastCall *call, const Vector *in, uint32_t rows, Vector *out) \
    {                                                                               \
        return ints_to_numeric(call, in, rows, out, name##_get);                    \
    }

INT_TO_NUMERIC(cast_int2_numeric, int16_t)
INT_TO_NUMERIC(cast_int4_numeric, int32_t)
INT_TO_NUMERIC(cast_int8_numeric, int64_t)

/* --- floating point -> numeric --- */

#define FLOAT_TO_NUMERIC(name, T, convert, convert_scaled)                          \
    Status name(const CastCall *call, const Vector *in, uint32_t rows, Vector *out) \
    {                                                                               \
        Status st = OK;                                                             \
        const T *from = in->values;                                                 \
        int128_t scaled;                                                            \
                                                                                    \
        for (uint32_t row = 0; row < rows; row++) {                                 \
            if (!cast_row_valid(in, row))                                           \
                continue;                                                           \
            if (out->phys == PHYS_NUMERIC) {                                        \
                TRY(convert(call->ctx, from[row], (Numeric *)out->values + row));   \
            } else {                                                                \
                TRY(convert_scaled(call->ctx, from[row], out->type, &scaled));      \
                store_scaled(out, row, scaled);                                     \
            }                                                                       \
        }                                                                           \
done:                                                                               \
        return st;                                                                  \
    }

FLOAT_TO_NUMERIC(cast_float4_numeric, float, numeric_from_float, numeric_scaled_from_float)
FLOAT_TO_NUMERIC(cast_float8_numeric, double, numeric_from_double, numeric_scaled_from_double)

/* --- numeric -> integers --- */

static Status to_integer(const CastCall *call, const Numeric *x, int64_t low, int64_t high,
                         int64_t *out)
{
    const char *type = type_info(call->target.oid)->sql_name;

    if (x->kind == NUMERIC_NAN)
        return error_raise(call->ctx, E_FEATURE_NOT_SUPPORTED, "cannot convert NaN to %s", type);
    if (numeric_is_special(x))
        return error_raise(call->ctx, E_FEATURE_NOT_SUPPORTED, "cannot convert infinity to %s",
                           type);
    if (!numeric_to_int64(x, out) || *out < low || *out > high)
        return out_of_range(call->ctx, type);
    return OK;
}

#define NUMERIC_TO_INT(name, T, low, high)                                          \
    Status name(const CastCall *call, const Vector *in, uint32_t rows, Vector *out) \
    {                                                                               \
        Status st = OK;                                                             \
        T *to = out->values;                                                        \
        int64_t value;                                                              \
                                                                                    \
        for (uint32_t row = 0; row < rows; row++) {                                 \
            if (!cast_row_valid(in, row))                                           \
                continue;                                                           \
            Numeric x = load(in, row);                                              \
            TRY(to_integer(call, &x, (low), (high), &value));                       \
            to[row] = (T)value;                                                     \
        }                                                                           \
done:                                                                               \
        return st;                                                                  \
    }

NUMERIC_TO_INT(cast_numeric_int2, int16_t, INT16_MIN, INT16_MAX)
NUMERIC_TO_INT(cast_numeric_int4, int32_t, INT32_MIN, INT32_MAX)
NUMERIC_TO_INT(cast_numeric_int8, int64_t, INT64_MIN, INT64_MAX)

/* --- numeric -> floating point --- */

Status cast_numeric_float8(const CastCall *call, const Vector *in, uint32_t rows, Vector *out)
{
    double *to = out->values;
    int scale = in->phys == PHYS_INT64 ? type_numeric_scale(in->type) : -1;

    (void)call;
    for (uint32_t row = 0; row < rows; row++) {
        if (!cast_row_valid(in, row))
            continue;
        int64_t x = in->phys == PHYS_INT64 ? ((const int64_t *)in->values)[row] : 0;
        if (scale >= 0 && scale <= 22 && x < (int64_t)1 << 53 && x > -((int64_t)1 << 53)) {
            to[row] = (double)x / float_exact_pow10(scale);
        } else {
            Numeric numeric = load(in, row);
            to[row] = numeric_to_double(&numeric);
        }
    }
    return OK;
}

Status cast_numeric_float4(const CastCall *call, const Vector *in, uint32_t rows, Vector *out)
{
    Status st = OK;
    float *to = out->values;
    StrBuf text;

    strbuf_init(&text);
    for (uint32_t row = 0; row < rows; row++) {
        if (!cast_row_valid(in, row))
            continue;
        Numeric x = load(in, row);
        strbuf_clear(&text);
        numeric_print(&text, &x);
        if (float32_parse(strbuf_str(&text), &to[row]) != FLOAT_OK)
            FAIL(call->ctx, E_NUMERIC_OUT_OF_RANGE, "\"%s\" is out of range for type real",
                 strbuf_c(&text));
    }
done:
    strbuf_free(&text);
    return st;
}

/* --- numeric -> numeric --- */

/* int64 to int64 at a scale that does not shrink, where no value can overflow. */
static bool rescale_fast(const Vector *in, uint32_t rows, Vector *out)
{
    int up = type_numeric_scale(out->type) - type_numeric_scale(in->type);
    int room = type_numeric_precision(out->type) - type_numeric_precision(in->type);
    const int64_t *from = in->values;

    if (up < 0 || up > room || in->phys != PHYS_INT64)
        return false;
    if (out->phys == PHYS_INT64) {
        int64_t *to = out->values;
        int64_t factor = (int64_t)int128_pow10[up];
        for (uint32_t row = 0; row < rows; row++)
            to[row] = (int64_t)((uint64_t)from[row] * (uint64_t)factor);
    } else {
        int128_t *to = out->values;
        int128_t factor = int128_pow10[up];
        for (uint32_t row = 0; row < rows; row++)
            to[row] = (int128_t)((uint128_t)from[row] * (uint128_t)factor);
    }
    return true;
}

Status cast_numeric_numeric(const CastCall *call, const Vector *in, uint32_t rows, Vector *out)
{
    Status st = OK;

    if (in->phys != PHYS_NUMERIC && out->phys != PHYS_NUMERIC && rescale_fast(in, rows, out))
        goto done;
    for (uint32_t row = 0; row < rows; row++) {
        if (!cast_row_valid(in, row))
            continue;
        Numeric x = load(in, row);
        TRY(store(call, out, row, &x));
    }
done:
    return st;
}
