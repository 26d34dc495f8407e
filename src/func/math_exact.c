// SPDX-License-Identifier: Apache-2.0
//
// Mathematical functions on numerics and integers. Numerics arrive with their own scale (the binder
// casts numeric(p,s) arguments), so that every function is one call of types/numeric.h.
#include "func/rows.h"
#include "types/numeric.h"

#define NUMERIC1(name, op) \
    KERNEL_TRY_ROWS(name, { TRY(op(call->ctx, &KERNEL_ARG(Numeric, 0), &KERNEL_RESULT(Numeric))); })
#define NUMERIC2(name, op)                                                  \
    KERNEL_TRY_ROWS(name, {                                                 \
        TRY(op(call->ctx, &KERNEL_ARG(Numeric, 0), &KERNEL_ARG(Numeric, 1), \
               &KERNEL_RESULT(Numeric)));                                   \
    })
#define NUMERIC_TO_SCALE(name, op, scale) \
    KERNEL_TRY_ROWS(                      \
        name, { TRY(op(call->ctx, &KERNEL_ARG(Numeric, 0), (scale), &KERNEL_RESULT(Numeric))); })

/* Digits that a scale can matter for. */
static int clamp_scale(int32_t scale)
{
    return MAX(MIN(scale, NUMERIC_PRECISION_MAX), -NUMERIC_PRECISION_MAX - 1);
}

static Status log10_of(Ctx *ctx, const Numeric *x, Numeric *out)
{
    Numeric ten = numeric_from_int64(10);
    return numeric_log(ctx, &ten, x, out);
}

NUMERIC1(func_numeric_ceil, numeric_ceil)
NUMERIC1(func_numeric_floor, numeric_floor)
NUMERIC1(func_numeric_sqrt, numeric_sqrt)
NUMERIC1(func_numeric_exp, numeric_exp)
NUMERIC1(func_numeric_ln, numeric_ln)
NUMERIC1(func_numeric_log10, log10_of)
NUMERIC2(func_numeric_log, numeric_log)
NUMERIC2(func_numeric_power, numeric_power)
NUMERIC_TO_SCALE(func_numeric_round, numeric_round, 0)
NUMERIC_TO_SCALE(func_numeric_trunc, numeric_trunc, 0)
NUMERIC_TO_SCALE(func_numeric_round_to, numeric_round, clamp_scale(KERNEL_ARG(int32_t, 1)))
NUMERIC_TO_SCALE(func_numeric_trunc_to, numeric_trunc, clamp_scale(KERNEL_ARG(int32_t, 1)))

KERNEL_ROWS(func_numeric_sign, KERNEL_RESULT(Numeric) = numeric_sign(KERNEL_ARG(Numeric, 0));)
KERNEL_ROWS(func_numeric_trim_scale, KERNEL_RESULT(Numeric) = numeric_trim(KERNEL_ARG(Numeric, 0));)

#define SCALE_KERNEL(name, expr)                 \
    KERNEL_ROWS(name, {                          \
        Numeric x = KERNEL_ARG(Numeric, 0);      \
        if (numeric_is_special(&x))              \
            kernel_set_null(call, out, i, rows); \
        else                                     \
            KERNEL_RESULT(int32_t) = (expr);     \
    })

SCALE_KERNEL(func_numeric_scale, x.scale)
SCALE_KERNEL(func_numeric_min_scale, numeric_trim(x).scale)

/* --- gcd and lcm --- */

static uint128_t magnitude(int128_t x)
{
    return x < 0 ? -(uint128_t)x : (uint128_t)x;
}

static uint128_t gcd(uint128_t a, uint128_t b)
{
    while (b) {
        uint128_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

#define INTEGER_GCD(T, name_gcd, name_lcm, max, words)                               \
    KERNEL_TRY_ROWS(name_gcd, {                                                      \
        uint128_t g = gcd(magnitude(KERNEL_ARG(T, 0)), magnitude(KERNEL_ARG(T, 1))); \
        if (g > (max))                                                               \
            FAIL(call->ctx, E_NUMERIC_OUT_OF_RANGE, words);                          \
        KERNEL_RESULT(T) = (T)g;                                                     \
    })                                                                               \
    KERNEL_TRY_ROWS(name_lcm, {                                                      \
        uint128_t a = magnitude(KERNEL_ARG(T, 0));                                   \
        uint128_t b = magnitude(KERNEL_ARG(T, 1));                                   \
        uint128_t l = a && b ? a / gcd(a, b) * b : 0;                                \
        if (l > (max))                                                               \
            FAIL(call->ctx, E_NUMERIC_OUT_OF_RANGE, words);                          \
        KERNEL_RESULT(T) = (T)l;                                                     \
    })

INTEGER_GCD(int32_t, func_int4_gcd, func_int4_lcm, INT32_MAX, "integer out of range")
INTEGER_GCD(int64_t, func_int8_gcd, func_int8_lcm, INT64_MAX, "bigint out of range")

/* Both as integers of one scale; false: NaN or an infinity is the answer. */
static Status common_scale(Ctx *ctx, const Numeric *a, const Numeric *b, uint128_t out[2],
                           int *scale)
{
    int128_t x, y;

    *scale = MAX(a->scale, b->scale);
    if (__builtin_mul_overflow(a->coefficient, int128_pow10[*scale - a->scale], &x) ||
        __builtin_mul_overflow(b->coefficient, int128_pow10[*scale - b->scale], &y))
        return numeric_overflow(ctx);
    out[0] = magnitude(x);
    out[1] = magnitude(y);
    return OK;
}

static Status numeric_gcd_lcm(Ctx *ctx, const Numeric *a, const Numeric *b, bool lcm, Numeric *out)
{
    Status st = OK;
    uint128_t values[2] = {0};
    uint128_t result;
    int scale;

    *out = numeric_special(NUMERIC_NAN);
    if (numeric_is_special(a) || numeric_is_special(b))
        goto done;
    TRY(common_scale(ctx, a, b, values, &scale));
    result = gcd(values[0], values[1]);
    if (lcm && result && __builtin_mul_overflow(values[0] / result, values[1], &result))
        TRY(numeric_overflow(ctx));
    if (int128_digits(result) > NUMERIC_PRECISION_MAX)
        TRY(numeric_overflow(ctx));
    *out = numeric_from_scaled((int128_t)result, scale);
done:
    return st;
}

static Status numeric_gcd(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out)
{
    return numeric_gcd_lcm(ctx, a, b, false, out);
}

static Status numeric_lcm(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out)
{
    return numeric_gcd_lcm(ctx, a, b, true, out);
}

NUMERIC2(func_numeric_gcd, numeric_gcd)
NUMERIC2(func_numeric_lcm, numeric_lcm)

/* --- factorial, width_bucket --- */

KERNEL_TRY_ROWS(func_factorial, {
    int64_t n = KERNEL_ARG(int64_t, 0);
    int128_t product = 1;
    if (n < 0)
        FAIL(call->ctx, E_NUMERIC_OUT_OF_RANGE, "factorial of a negative number is undefined");
    if (n > 33) /* 34! has 39 digits */
        TRY(numeric_overflow(call->ctx));
    for (int64_t k = 2; k <= n; k++)
        product *= k;
    KERNEL_RESULT(Numeric) = numeric_from_scaled(product, 0);
})

static Status check_bucket(Ctx *ctx, const Numeric bounds[3], int32_t count)
{
    Status st = OK;

    if (count <= 0)
        FAIL(ctx, E_INVALID_ARGUMENT_FOR_WIDTH_BUCKET, "count must be greater than zero");
    for (int k = 0; k < 3; k++) {
        if (bounds[k].kind == NUMERIC_NAN)
            FAIL(ctx, E_INVALID_ARGUMENT_FOR_WIDTH_BUCKET,
                 "operand, lower bound, and upper bound cannot be NaN");
    }
    if (numeric_is_special(&bounds[1]) || numeric_is_special(&bounds[2]))
        FAIL(ctx, E_INVALID_ARGUMENT_FOR_WIDTH_BUCKET, "lower and upper bounds must be finite");
    if (numeric_compare(&bounds[1], &bounds[2]) == 0)
        FAIL(ctx, E_INVALID_ARGUMENT_FOR_WIDTH_BUCKET, "lower bound cannot equal upper bound");
done:
    return st;
}

/* floor((x - low) * count / (high - low)) + 1, between the bounds. */
static Status inner_bucket(Ctx *ctx, const Numeric bounds[3], int32_t count, int32_t *out)
{
    Status st = OK;
    Numeric from_low, width, quotient;
    Numeric times = numeric_from_int64(count);
    int64_t whole;

    TRY(numeric_sub(ctx, &bounds[0], &bounds[1], &from_low));
    TRY(numeric_sub(ctx, &bounds[2], &bounds[1], &width));
    TRY(numeric_mul(ctx, &from_low, &times, &from_low));
    TRY(numeric_div_trunc(ctx, &from_low, &width, &quotient));
    if (!numeric_to_int64(&quotient, &whole))
        TRY(numeric_overflow(ctx));
    *out = (int32_t)whole + 1;
done:
    return st;
}

KERNEL_TRY_ROWS(func_numeric_width_bucket, {
    Numeric bounds[3] = {KERNEL_ARG(Numeric, 0), KERNEL_ARG(Numeric, 1), KERNEL_ARG(Numeric, 2)};
    int32_t count = KERNEL_ARG(int32_t, 3);
    TRY(check_bucket(call->ctx, bounds, count));
    int direction = numeric_compare(&bounds[1], &bounds[2]) < 0 ? 1 : -1;
    if (numeric_compare(&bounds[0], &bounds[1]) * direction < 0)
        KERNEL_RESULT(int32_t) = 0;
    else if (numeric_compare(&bounds[0], &bounds[2]) * direction < 0)
        TRY(inner_bucket(call->ctx, bounds, count, &KERNEL_RESULT(int32_t)));
    else if (__builtin_add_overflow(count, 1, &KERNEL_RESULT(int32_t)))
        FAIL(call->ctx, E_NUMERIC_OUT_OF_RANGE, "integer out of range");
})
