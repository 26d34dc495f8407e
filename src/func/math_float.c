// SPDX-License-Identifier: Apache-2.0
//
// Mathematical functions on double precision, with PostgreSQL's domain errors: what overflows or
// underflows from finite arguments is an error, NaN passes through. The degree forms are exact
// where the answer is (sind(30) = 0.5). See kernel.h.
#include "base/hash.h"
#include "func/rows.h"
#include "os/random.h"

#include <math.h>

#define RADIANS_PER_DEGREE 0.0174532925199432957692

static Status out_of_range(Ctx *ctx)
{
    return error_raise(ctx, E_NUMERIC_OUT_OF_RANGE, "input is out of range");
}

/* An infinite result of finite arguments, or a zero of one that has no zero there. */
static Status check_result(Ctx *ctx, double result, bool infinite_input, bool zero_is_valid)
{
    if (isinf(result) && !infinite_input)
        return error_raise(ctx, E_NUMERIC_OUT_OF_RANGE, "value out of range: overflow");
    if (result == 0 && !zero_is_valid)
        return error_raise(ctx, E_NUMERIC_OUT_OF_RANGE, "value out of range: underflow");
    return OK;
}

/* Functions that cannot fail. */
KERNEL1(func_float8_rint, double, double, rint(x))
KERNEL1(func_float8_trunc, double, double, trunc(x))
KERNEL1(func_float8_ceil, double, double, ceil(x))
KERNEL1(func_float8_floor, double, double, floor(x))
KERNEL1(func_float8_sign, double, double, x > 0 ? 1.0 : x < 0 ? -1.0 : isnan(x) ? x : 0.0)
KERNEL1(func_float8_cbrt, double, double, cbrt(x))
KERNEL1(func_float8_atan, double, double, atan(x))
KERNEL1(func_float8_sinh, double, double, sinh(x))
KERNEL1(func_float8_cosh, double, double, cosh(x))
KERNEL1(func_float8_tanh, double, double, tanh(x))
KERNEL1(func_float8_asinh, double, double, asinh(x))
KERNEL1(func_float8_radians, double, double, x *RADIANS_PER_DEGREE)
KERNEL2(func_float8_atan2, double, double, double, atan2(x, y))

/* A function of one argument: `domain` may FAIL, then x has a value. */
#define CHECKED1(name, domain, value, zero_is_valid)                     \
    KERNEL_TRY_ROWS(name, {                                              \
        double x = KERNEL_ARG(double, 0);                                \
        domain;                                                          \
        double result = (value);                                         \
        TRY(check_result(call->ctx, result, isinf(x), (zero_is_valid))); \
        KERNEL_RESULT(double) = result;                                  \
    })

static Status positive(Ctx *ctx, double x)
{
    if (x == 0)
        return error_raise(ctx, E_INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of zero");
    if (x < 0)
        return error_raise(ctx, E_INVALID_ARGUMENT_FOR_LOG,
                           "cannot take logarithm of a negative number");
    return OK;
}

static Status within(Ctx *ctx, double x, double low, double high)
{
    return x < low || x > high ? out_of_range(ctx) : OK;
}

static Status finite_angle(Ctx *ctx, double x)
{
    return isinf(x) ? out_of_range(ctx) : OK;
}

static Status not_negative(Ctx *ctx, double x)
{
    if (x < 0)
        return error_raise(ctx, E_INVALID_ARGUMENT_FOR_POWER,
                           "cannot take square root of a negative number");
    return OK;
}

CHECKED1(func_float8_sqrt, TRY(not_negative(call->ctx, x)), sqrt(x), x == 0)
CHECKED1(func_float8_exp, , exp(x), isinf(x))
CHECKED1(func_float8_ln, TRY(positive(call->ctx, x)), log(x), true)
CHECKED1(func_float8_log10, TRY(positive(call->ctx, x)), log10(x), true)
CHECKED1(func_float8_degrees, , x / RADIANS_PER_DEGREE, true)
CHECKED1(func_float8_sin, TRY(finite_angle(call->ctx, x)), sin(x), true)
CHECKED1(func_float8_cos, TRY(finite_angle(call->ctx, x)), cos(x), true)
CHECKED1(func_float8_asin, TRY(within(call->ctx, x, -1, 1)), asin(x), true)
CHECKED1(func_float8_acos, TRY(within(call->ctx, x, -1, 1)), acos(x), true)

#define UNBOUNDED1(name, domain, value)   \
    KERNEL_TRY_ROWS(name, {               \
        double x = KERNEL_ARG(double, 0); \
        domain;                           \
        KERNEL_RESULT(double) = (value);  \
    })

UNBOUNDED1(func_float8_tan, TRY(finite_angle(call->ctx, x)), tan(x))
UNBOUNDED1(func_float8_cot, TRY(finite_angle(call->ctx, x)), 1.0 / tan(x))
UNBOUNDED1(func_float8_acosh, TRY(within(call->ctx, x, 1, INFINITY)), acosh(x))
UNBOUNDED1(func_float8_atanh, TRY(within(call->ctx, x, -1, 1)), atanh(x))

/* --- degrees --- */

/* Kept out of the compiler's sight, so that the quotients below are exactly 1. */
static double NOINLINE opaque(double x)
{
    volatile double hidden = x;
    return hidden;
}

static double sind_to_30(double x)
{
    return sin(x * RADIANS_PER_DEGREE) / sin(opaque(30) * RADIANS_PER_DEGREE) / 2.0;
}

static double cosd_to_60(double x)
{
    double one_minus = 1.0 - cos(x * RADIANS_PER_DEGREE);
    double of_60 = 1.0 - cos(opaque(60) * RADIANS_PER_DEGREE);
    return 1.0 - (one_minus / of_60) / 2.0;
}

/* In the first quadrant. */
static double sind_quadrant(double x)
{
    return x <= 30.0 ? sind_to_30(x) : cosd_to_60(90.0 - x);
}

static double cosd_quadrant(double x)
{
    return x <= 60.0 ? cosd_to_60(x) : sind_to_30(90.0 - x);
}

static double asind_quadrant(double x)
{
    if (x <= 0.5)
        return asin(x) / asin(opaque(0.5)) * 30.0;
    return 90.0 - acos(x) / acos(opaque(0.5)) * 60.0;
}

static double acosd_quadrant(double x)
{
    if (x <= 0.5)
        return 90.0 - asin(x) / asin(opaque(0.5)) * 30.0;
    return acos(x) / acos(opaque(0.5)) * 60.0;
}

static double sind(double x)
{
    int sign = 1;

    x = fmod(x, 360.0);
    if (x < 0) {
        x = -x;
        sign = -sign;
    }
    if (x > 180.0) {
        x = 360.0 - x;
        sign = -sign;
    }
    return sign * sind_quadrant(x > 90.0 ? 180.0 - x : x);
}

static double cosd(double x)
{
    x = fabs(fmod(x, 360.0));
    if (x > 180.0)
        x = 360.0 - x;
    return x > 90.0 ? -cosd_quadrant(180.0 - x) : cosd_quadrant(x);
}

/* Brings the angle into the first quadrant for tand and cotd, returns the sign. */
static int tangent_quadrant(double *x)
{
    int sign = 1;

    *x = fmod(*x, 360.0);
    if (*x < 0) {
        *x = -*x;
        sign = -sign;
    }
    if (*x > 180.0) {
        *x = 360.0 - *x;
        sign = -sign;
    }
    if (*x > 90.0) {
        *x = 180.0 - *x;
        sign = -sign;
    }
    return sign;
}

static double tand(double x)
{
    int sign = tangent_quadrant(&x);
    double of_45 = sind_quadrant(opaque(45)) / cosd_quadrant(opaque(45));
    double result = sign * ((sind_quadrant(x) / cosd_quadrant(x)) / of_45);
    return result == 0 ? 0 : result;
}

static double cotd(double x)
{
    int sign = tangent_quadrant(&x);
    double of_45 = cosd_quadrant(opaque(45)) / sind_quadrant(opaque(45));
    double result = sign * ((cosd_quadrant(x) / sind_quadrant(x)) / of_45);
    return result == 0 ? 0 : result;
}

UNBOUNDED1(func_float8_sind, TRY(finite_angle(call->ctx, x)), sind(x))
UNBOUNDED1(func_float8_cosd, TRY(finite_angle(call->ctx, x)), cosd(x))
UNBOUNDED1(func_float8_tand, TRY(finite_angle(call->ctx, x)), tand(x))
UNBOUNDED1(func_float8_cotd, TRY(finite_angle(call->ctx, x)), cotd(x))
UNBOUNDED1(func_float8_asind, TRY(within(call->ctx, x, -1, 1)),
           x >= 0 ? asind_quadrant(x) : -asind_quadrant(-x))
UNBOUNDED1(func_float8_acosd, TRY(within(call->ctx, x, -1, 1)),
           x >= 0 ? acosd_quadrant(x) : 90.0 + asind_quadrant(-x))
UNBOUNDED1(func_float8_atand, , atan(x) / atan(opaque(1)) * 45.0)
KERNEL2(func_float8_atan2d, double, double, double, atan2(x, y) / atan(opaque(1)) * 45.0)

/* --- powers --- */

KERNEL_TRY_ROWS(func_float8_power, {
    double x = KERNEL_ARG(double, 0);
    double y = KERNEL_ARG(double, 1);
    if (x == 0 && y < 0)
        FAIL(call->ctx, E_INVALID_ARGUMENT_FOR_POWER,
             "zero raised to a negative power is undefined");
    if (x < 0 && !isinf(x) && !isinf(y) && floor(y) != y)
        FAIL(call->ctx, E_INVALID_ARGUMENT_FOR_POWER,
             "a negative number raised to a non-integer power yields a complex result");
    double result = pow(x, y);
    bool infinite = isinf(x) || isinf(y);
    TRY(check_result(call->ctx, result, infinite, x == 0 || infinite));
    KERNEL_RESULT(double) = result;
})

/* --- width_bucket --- */

static Status bucket(Ctx *ctx, double x, double low, double high, int32_t count, int32_t *out)
{
    Status st = OK;
    bool descending = low > high;

    if (count <= 0)
        FAIL(ctx, E_INVALID_ARGUMENT_FOR_WIDTH_BUCKET, "count must be greater than zero");
    if (isnan(x) || isnan(low) || isnan(high))
        FAIL(ctx, E_INVALID_ARGUMENT_FOR_WIDTH_BUCKET,
             "operand, lower bound, and upper bound cannot be NaN");
    if (isinf(low) || isinf(high))
        FAIL(ctx, E_INVALID_ARGUMENT_FOR_WIDTH_BUCKET, "lower and upper bounds must be finite");
    if (low == high)
        FAIL(ctx, E_INVALID_ARGUMENT_FOR_WIDTH_BUCKET, "lower bound cannot equal upper bound");
    if (descending ? x > low : x < low) {
        *out = 0;
    } else if (descending ? x <= high : x >= high) {
        if (__builtin_add_overflow(count, 1, out))
            FAIL(ctx, E_NUMERIC_OUT_OF_RANGE, "integer out of range");
    } else {
        /* Halves keep differences of huge bounds finite. */
        double part = (x / 2 - low / 2) / (high / 2 - low / 2);
        *out = (int32_t)MIN(part * count, (double)count - 1) + 1;
    }
done:
    return st;
}

KERNEL_TRY_ROWS(func_float8_width_bucket,
                TRY(bucket(call->ctx, KERNEL_ARG(double, 0), KERNEL_ARG(double, 1),
                           KERNEL_ARG(double, 2), KERNEL_ARG(int32_t, 3),
                           &KERNEL_RESULT(int32_t)));)

/* --- constants and random numbers --- */

Status func_pi(KERNEL_PARAMS)
{
    for (uint32_t i = 0; i < rows; i++)
        vector_flat(out, double)[i] = M_PI;
    return OK;
}

#define GOLDEN_STEP 0x9e3779b97f4a7c15ULL

/* The session's generator is a counter (splitmix64): workers take steps of it atomically. */
static Status take_random(FuncCall *call, uint32_t count, uint64_t *out)
{
    Status st = OK;

    if (call->session && call->session->random_state) {
        *out = atomic_fetch_add(call->session->random_state, count * GOLDEN_STEP);
        goto done;
    }
    TRY(random_entropy(call->ctx, out, sizeof *out));
done:
    return st;
}

Status func_random(KERNEL_PARAMS)
{
    Status st = OK;
    uint64_t state;

    TRY(take_random(call, rows, &state));
    for (uint32_t i = 0; i < rows; i++) {
        state += GOLDEN_STEP;
        vector_flat(out, double)[i] = (double)(hash_u64(state) >> 11) * 0x1.0p-53;
    }
done:
    return st;
}

KERNEL_TRY_ROWS(func_setseed, {
    double seed = KERNEL_ARG(double, 0);
    uint64_t bits;
    if (isnan(seed) || seed < -1 || seed > 1)
        FAIL(call->ctx, E_INVALID_PARAMETER_VALUE,
             "setseed parameter %g is out of allowed range [-1,1]", seed);
    if (call->session == NULL || call->session->random_state == NULL)
        FAIL(call->ctx, E_FEATURE_NOT_SUPPORTED, "setseed is not supported here");
    memcpy(&bits, &seed, sizeof bits);
    atomic_store(call->session->random_state, hash_u64(bits));
    kernel_share_text(out, i, STR(""));
})
