// SPDX-License-Identifier: Apache-2.0
//
// Roots, exponentials, logarithms and powers of decimals. Values come from integer square roots and
// from fixed-point series (fixed.h); the number of digits shown is PostgreSQL's choice for the same
// input, cut to what 38 digits hold.
#include "types/fixed.h"
#include "types/numeric.h"
#include "types/wide.h"

#include <math.h>

#define DIGITS_MAX             NUMERIC_PRECISION_MAX
#define MIN_SIGNIFICANT_DIGITS 16
#define LOG10_E                0.434294481903252

static uint128_t magnitude(int128_t x)
{
    return x < 0 ? -(uint128_t)x : (uint128_t)x;
}

static Numeric make(bool negative, uint128_t size, int scale)
{
    return (Numeric){.coefficient = negative ? -(int128_t)size : (int128_t)size, .scale = scale};
}

static int clamp_scale(int scale, int low)
{
    return MAX(MIN(MAX(scale, low), 1000), 0);
}

/* Digits to the base 10000, as PostgreSQL holds them: its estimates look at the first few. */
typedef struct Base10000 {
    int weight;
    int count; /* without zeros at the end */
    int digits[12];
} Base10000;

static Base10000 to_base10000(const Numeric *x)
{
    Base10000 out = {0};
    uint128_t size = magnitude(x->coefficient);
    int digits = int128_digits(size);

    if (digits == 0)
        return out;
    int exponent = digits - 1 - x->scale;
    out.weight = exponent >= 0 ? exponent / 4 : -((3 - exponent) / 4);
    int take = exponent - out.weight * 4 + 1;
    while (digits > 0) {
        int part = MIN(take, digits);
        uint128_t unit = (uint128_t)int128_pow10[digits - part];
        int digit = (int)(size / unit);
        size %= unit;
        digits -= part;
        for (int i = part; i < take; i++)
            digit *= 10;
        out.digits[out.count++] = digit;
        take = 4;
    }
    while (out.count && out.digits[out.count - 1] == 0)
        out.count--;
    return out;
}

/* Decimal weight of ln(x): PostgreSQL's estimate_ln_dweight. */
static int ln_weight(const Numeric *x)
{
    Numeric low = {.coefficient = 9, .scale = 1};
    Numeric high = {.coefficient = 11, .scale = 1};
    Numeric unit = {.coefficient = int128_pow10[x->scale], .scale = x->scale};

    if (numeric_compare(x, &low) >= 0 && numeric_compare(x, &high) <= 0) {
        Numeric rest = {.coefficient = x->coefficient - unit.coefficient, .scale = x->scale};
        if (rest.coefficient == 0)
            return 0;
        Base10000 digits = to_base10000(&rest);
        return digits.weight * 4 + (int)log10(digits.digits[0]);
    }
    Base10000 digits = to_base10000(x);
    if (digits.count == 0)
        return 0;
    double first = digits.digits[0];
    int weight = digits.weight * 4;
    if (digits.count > 1) {
        first = first * 10000 + digits.digits[1];
        weight -= 4;
    }
    double ln = log(first) + weight * 2.302585092994046;
    return (int)log10(fabs(ln));
}

/* x with `scale` digits behind the point, or as many as fit. */
static Status from_fixed(Ctx *ctx, const Fixed *x, int scale, Numeric *out)
{
    uint128_t size;

    for (scale = MIN(scale, DIGITS_MAX); scale >= 0; scale--) {
        if (fixed_to_decimal(x, scale, &size) && size < (uint128_t)int128_pow10[DIGITS_MAX]) {
            *out = make(x->negative, size, scale);
            return OK;
        }
    }
    return numeric_overflow(ctx);
}

Status numeric_sqrt(Ctx *ctx, const Numeric *x, Numeric *out)
{
    if (x->kind == NUMERIC_NEG_INF || (x->kind == NUMERIC_FINITE && x->coefficient < 0))
        return error_raise(ctx, E_INVALID_ARGUMENT_FOR_POWER,
                           "cannot take square root of a negative number");
    if (numeric_is_special(x)) {
        *out = *x;
        return OK;
    }
    int weight = to_base10000(x).weight * 2 + 1;
    int scale = MIN(clamp_scale(MIN_SIGNIFICANT_DIGITS - weight, x->scale), DIGITS_MAX);
    /* The root of coefficient * 10^(2 * scale - x's scale) must have at most 38 digits. */
    int digits = int128_digits(magnitude(x->coefficient));
    while (scale > 0 && digits + 2 * scale - x->scale > 2 * DIGITS_MAX)
        scale--;
    int shift = 2 * scale - x->scale;
    uint128_t size = magnitude(x->coefficient);
    /* What is cut here is less than one, and cannot reach the quarter that rounding looks at. */
    if (shift < 0) {
        size /= (uint128_t)int128_pow10[-shift];
        shift = 0;
    }
    Wide square = wide_mul(size, (uint128_t)int128_pow10[MIN(shift, DIGITS_MAX)]);
    if (shift > DIGITS_MAX)
        square = wide_mul_u128(&square, (uint128_t)int128_pow10[shift - DIGITS_MAX]);
    uint128_t root = wide_sqrt(&square);
    /* (root + 1/2)^2 = root * (root + 1) + 1/4 */
    Wide middle = wide_mul(root, root + 1);
    int order = wide_compare(&square, &middle);
    *out = make(false, root + (order > 0), scale);
    return OK;
}

Status numeric_exp(Ctx *ctx, const Numeric *x, Numeric *out)
{
    if (numeric_is_special(x)) {
        *out = x->kind == NUMERIC_NEG_INF ? (Numeric){0} : *x;
        return OK;
    }
    double weight = numeric_to_double(x) * LOG10_E;
    if (weight >= DIGITS_MAX + 1)
        return numeric_overflow(ctx);
    int scale = clamp_scale(MIN_SIGNIFICANT_DIGITS - (int)MAX(weight, -2000.0), x->scale);
    if (weight < -DIGITS_MAX - 1) {
        *out = make(false, 0, DIGITS_MAX);
        return OK;
    }
    Fixed argument = fixed_from_decimal(x->coefficient, x->scale);
    Fixed result = fixed_exp(&argument);
    return from_fixed(ctx, &result, scale, out);
}

/* What has no logarithm. */
static Status check_logarithm(Ctx *ctx, const Numeric *x)
{
    if (x->kind == NUMERIC_NEG_INF || (x->kind == NUMERIC_FINITE && x->coefficient < 0))
        return error_raise(ctx, E_INVALID_ARGUMENT_FOR_LOG,
                           "cannot take logarithm of a negative number");
    if (x->kind == NUMERIC_FINITE && x->coefficient == 0)
        return error_raise(ctx, E_INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of zero");
    return OK;
}

Status numeric_ln(Ctx *ctx, const Numeric *x, Numeric *out)
{
    Status st = check_logarithm(ctx, x);

    if (st != OK)
        return st;
    if (numeric_is_special(x)) {
        *out = *x;
        return OK;
    }
    Fixed argument = fixed_from_decimal(x->coefficient, x->scale);
    Fixed result = fixed_ln(&argument);
    return from_fixed(ctx, &result, clamp_scale(MIN_SIGNIFICANT_DIGITS - ln_weight(x), x->scale),
                      out);
}

Status numeric_log(Ctx *ctx, const Numeric *base, const Numeric *x, Numeric *out)
{
    Status st = OK;

    if (base->kind == NUMERIC_NAN || x->kind == NUMERIC_NAN) {
        *out = numeric_special(NUMERIC_NAN);
        goto done;
    }
    TRY(check_logarithm(ctx, base));
    TRY(check_logarithm(ctx, x));
    if (numeric_is_special(base)) {
        *out = numeric_is_special(x) ? numeric_special(NUMERIC_NAN) : (Numeric){0};
        goto done;
    }
    if (numeric_is_special(x)) {
        *out = *x;
        goto done;
    }
    Fixed divisor = fixed_from_decimal(base->coefficient, base->scale);
    Fixed dividend = fixed_from_decimal(x->coefficient, x->scale);
    divisor = fixed_ln(&divisor);
    dividend = fixed_ln(&dividend);
    if (numeric_compare(base, &(Numeric){.coefficient = 1}) == 0)
        FAIL(ctx, E_DIVISION_BY_ZERO, "division by zero");
    int scale = clamp_scale(MIN_SIGNIFICANT_DIGITS - (ln_weight(x) - ln_weight(base)),
                            MAX(base->scale, x->scale));
    Fixed quotient = fixed_div(&dividend, &divisor);
    TRY(from_fixed(ctx, &quotient, scale, out));
done:
    return st;
}

static bool is_integer(const Numeric *x)
{
    return x->coefficient % int128_pow10[x->scale] == 0;
}

static bool is_odd(const Numeric *x)
{
    return x->coefficient / int128_pow10[x->scale] % 2 != 0;
}

/* |base| compared with 1. */
static int compare_size_with_one(const Numeric *base)
{
    Numeric size = numeric_abs(*base);

    return numeric_compare(&size, &(Numeric){.coefficient = 1});
}

/* POSIX's pow() for infinities and NaN. */
static Status power_special(Ctx *ctx, const Numeric *base, const Numeric *exponent, Numeric *out)
{
    const Numeric unit = {.coefficient = 1};
    bool base_one = base->kind == NUMERIC_FINITE && numeric_compare(base, &unit) == 0;
    bool exponent_zero = exponent->kind == NUMERIC_FINITE && exponent->coefficient == 0;

    *out = unit;
    if (base_one || exponent_zero)
        return OK;
    if (base->kind == NUMERIC_NAN || exponent->kind == NUMERIC_NAN) {
        *out = numeric_special(NUMERIC_NAN);
        return OK;
    }
    bool base_zero = base->kind == NUMERIC_FINITE && base->coefficient == 0;
    bool negative_exponent = exponent->kind == NUMERIC_NEG_INF ||
                             (exponent->kind == NUMERIC_FINITE && exponent->coefficient < 0);
    if (base_zero && negative_exponent)
        return error_raise(ctx, E_INVALID_ARGUMENT_FOR_POWER,
                           "zero raised to a negative power is undefined");
    if (numeric_is_special(exponent)) {
        int order = numeric_is_special(base) ? 1 : compare_size_with_one(base);
        if (order == 0)
            return OK;
        bool grows = (order > 0) == (exponent->kind == NUMERIC_POS_INF);
        *out = grows ? numeric_special(NUMERIC_POS_INF) : (Numeric){0};
        return OK;
    }
    if (base->kind == NUMERIC_NEG_INF && !is_integer(exponent))
        return error_raise(ctx, E_INVALID_ARGUMENT_FOR_POWER,
                           "a negative number raised to a non-integer power yields a complex "
                           "result");
    bool negative = base->kind == NUMERIC_NEG_INF && is_odd(exponent);
    *out = negative_exponent ? (Numeric){0}
                             : numeric_special(negative ? NUMERIC_NEG_INF : NUMERIC_POS_INF);
    return OK;
}

/* log10(|x|), from its first digits. */
static double decimal_log(const Numeric *x)
{
    Base10000 digits = to_base10000(x);
    double first = digits.digits[0];
    int weight = digits.weight * 4;

    for (int i = 1; i < digits.count && i * 4 < 16; i++) {
        first = first * 10000 + digits.digits[i];
        weight -= 4;
    }
    return log10(first) + weight;
}

/* Scale of the result: a 32-bit integer exponent asks only for the base's. */
static int power_scale(const Numeric *base, const Numeric *exponent, bool integer)
{
    double power = numeric_to_double(exponent);

    if (integer && power >= INT32_MIN && power <= INT32_MAX)
        return clamp_scale(MIN_SIGNIFICANT_DIGITS, base->scale);
    double weight = 0;
    if (base->coefficient != 0) {
        /* PostgreSQL's estimate has about 8 digits of the logarithm, and so have we. */
        Numeric size = numeric_abs(*base);
        double unit = pow(10, MAX(8 - ln_weight(&size), 0));
        double ln = round(decimal_log(base) / LOG10_E * unit) / unit;
        double product = ln * power * unit;
        /* The nudge is for halves that binary fractions miss. */
        weight = round(product + copysign(1e-6, product)) / unit * LOG10_E;
    }
    weight = MAX(MIN(weight, 2000.0), -2000.0);
    return clamp_scale(MIN_SIGNIFICANT_DIGITS - (int)weight, MAX(base->scale, exponent->scale));
}

/* base^exponent by exp(exponent * ln(|base|)); base is neither 0 nor 1. */
static Status power_by_logarithm(Ctx *ctx, const Numeric *base, const Numeric *exponent, int scale,
                                 Numeric *out)
{
    Numeric size = numeric_abs(*base);
    Fixed ln = fixed_from_decimal(size.coefficient, size.scale);
    Fixed factor = fixed_from_decimal(exponent->coefficient, exponent->scale);

    ln = fixed_ln(&ln);
    ln = fixed_mul(&ln, &factor);
    double estimate = fixed_to_double(&ln);
    if (estimate > 90)
        return numeric_overflow(ctx);
    if (estimate < -95) {
        *out = make(false, 0, MIN(scale, DIGITS_MAX));
        return OK;
    }
    Fixed result = fixed_exp(&ln);
    result.negative = base->coefficient < 0 && is_odd(exponent);
    return from_fixed(ctx, &result, scale, out);
}

Status numeric_power(Ctx *ctx, const Numeric *base, const Numeric *exponent, Numeric *out)
{
    if (numeric_is_special(base) || numeric_is_special(exponent))
        return power_special(ctx, base, exponent, out);
    bool integer = is_integer(exponent);
    if (base->coefficient == 0 && exponent->coefficient < 0)
        return error_raise(ctx, E_INVALID_ARGUMENT_FOR_POWER,
                           "zero raised to a negative power is undefined");
    if (base->coefficient < 0 && !integer)
        return error_raise(ctx, E_INVALID_ARGUMENT_FOR_POWER,
                           "a negative number raised to a non-integer power yields a complex "
                           "result");
    int scale = power_scale(base, exponent, integer);
    if (exponent->coefficient == 0 || compare_size_with_one(base) == 0) {
        bool negative = base->coefficient < 0 && is_odd(exponent);
        scale = MIN(scale, DIGITS_MAX - 1);
        *out = make(negative, (uint128_t)int128_pow10[scale], scale);
        return OK;
    }
    if (base->coefficient == 0) {
        *out = make(false, 0, MIN(integer ? scale : MIN_SIGNIFICANT_DIGITS, DIGITS_MAX));
        return OK;
    }
    return power_by_logarithm(ctx, base, exponent, scale, out);
}
