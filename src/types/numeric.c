// SPDX-License-Identifier: Apache-2.0
//
// Decimal arithmetic on 128-bit coefficients, with 256-bit intermediates where a product or a
// dividend needs them. See numeric.h for scales and overflow.
#include "types/numeric.h"

#include "base/hash.h"
#include "types/wide.h"

#define P18                    ((int128_t)1000000000000000000LL)
#define DIGITS_MAX             NUMERIC_PRECISION_MAX
#define MIN_SIGNIFICANT_DIGITS 16 /* NUMERIC_MIN_SIG_DIGITS */

const int128_t int128_pow10[DIGITS_MAX + 1] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    P18,
    P18 * 10,
    P18 * 100,
    P18 * 1000,
    P18 * 10000,
    P18 * 100000,
    P18 * 1000000,
    P18 * 10000000,
    P18 * 100000000,
    P18 * 1000000000,
    P18 * 10000000000,
    P18 * 100000000000,
    P18 * 1000000000000,
    P18 * 10000000000000,
    P18 * 100000000000000,
    P18 * 1000000000000000,
    P18 * 10000000000000000,
    P18 * 100000000000000000,
    P18 *P18,
    P18 *P18 * 10,
    P18 *P18 * 100,
};

static uint128_t magnitude(int128_t x)
{
    return x < 0 ? -(uint128_t)x : (uint128_t)x;
}

static int128_t with_sign(uint128_t magnitude, bool negative)
{
    return negative ? (int128_t)-magnitude : (int128_t)magnitude;
}

static uint128_t pow10_of(int n)
{
    return (uint128_t)int128_pow10[n];
}

int int128_digits(uint128_t x)
{
    if (x == 0)
        return 0;
    int bits =
        x >> 64 ? 128 - __builtin_clzll((uint64_t)(x >> 64)) : 64 - __builtin_clzll((uint64_t)x);
    int guess = bits * 1233 >> 12; /* log10(2) */
    return guess + (guess > DIGITS_MAX || x >= pow10_of(guess));
}

Status numeric_overflow(Ctx *ctx)
{
    Status st = error_raise(ctx, E_NUMERIC_OUT_OF_RANGE, "value overflows numeric format");

    error_hint(ctx, "A numeric value has at most %d digits; use double precision beyond that.",
               DIGITS_MAX);
    return st;
}

Numeric numeric_special(NumericKind kind)
{
    return (Numeric){.kind = (int32_t)kind};
}

static Numeric make(int128_t coefficient, int scale)
{
    return (Numeric){.coefficient = coefficient, .scale = scale};
}

Numeric numeric_from_scaled(int128_t coefficient, int scale)
{
    if (scale < 0)
        return make(coefficient * int128_pow10[-scale], 0);
    return make(coefficient, scale);
}

Numeric numeric_from_int64(int64_t value)
{
    return make(value, 0);
}

/* x / 10^digits, half away from zero; digits may exceed 38. */
static uint128_t divide_pow10_round(uint128_t x, int digits)
{
    if (digits > DIGITS_MAX)
        return 0; /* x < 10^38 <= 10^digits / 10 */
    uint128_t unit = pow10_of(digits);
    uint128_t rest = x % unit;
    return x / unit + (digits > 0 && rest >= unit - rest);
}

static uint128_t divide_pow10(uint128_t x, int digits)
{
    return digits > DIGITS_MAX ? 0 : x / pow10_of(digits);
}

/* x * 10^digits; false if it has more than 38 digits. */
static bool multiply_pow10(uint128_t x, int digits, uint128_t *out)
{
    if (x == 0) {
        *out = 0;
        return true;
    }
    if (digits > DIGITS_MAX || int128_digits(x) + digits > DIGITS_MAX)
        return false;
    *out = x * pow10_of(digits);
    return true;
}

Numeric numeric_trim(Numeric x)
{
    if (numeric_is_special(&x))
        return x;
    if (x.coefficient == 0)
        x.scale = 0;
    while (x.scale > 0 && x.coefficient % 10 == 0) {
        x.coefficient /= 10;
        x.scale--;
    }
    return x;
}

/* The number digits * 10^-scale where digits may be too many: gives up zeros behind the point. */
static Status fit(Ctx *ctx, Wide digits, int scale, bool negative, Numeric *out)
{
    Wide limit = wide_from(pow10_of(DIGITS_MAX));

    if ((digits.words[0] | digits.words[1] | digits.words[2] | digits.words[3]) == 0) {
        *out = make(0, MIN(scale, DIGITS_MAX));
        return OK;
    }
    while (scale > DIGITS_MAX || wide_compare(&digits, &limit) >= 0) {
        uint128_t rest;
        Wide shorter = wide_div(&digits, 10, &rest);
        if (rest != 0 || scale == 0)
            return numeric_overflow(ctx);
        digits = shorter;
        scale--;
    }
    *out = make(with_sign(wide_low(&digits), negative), scale);
    return OK;
}

/* NaN and infinities of a sum; `b_sign` -1 for a difference. False if both are finite. */
static bool add_special(const Numeric *a, const Numeric *b, bool subtract, Numeric *out)
{
    int b_kind = b->kind;

    if (!numeric_is_special(a) && !numeric_is_special(b))
        return false;
    if (subtract && b_kind >= NUMERIC_POS_INF)
        b_kind = b_kind == NUMERIC_POS_INF ? NUMERIC_NEG_INF : NUMERIC_POS_INF;
    if (a->kind == NUMERIC_NAN || b_kind == NUMERIC_NAN)
        *out = numeric_special(NUMERIC_NAN);
    else if (numeric_is_special(a) && b_kind != NUMERIC_FINITE && a->kind != b_kind)
        *out = numeric_special(NUMERIC_NAN);
    else
        *out = numeric_special(numeric_is_special(a) ? (NumericKind)a->kind : (NumericKind)b_kind);
    return true;
}

static Status add_finite(Ctx *ctx, Numeric a, Numeric b, Numeric *out)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        int scale = MAX(a.scale, b.scale);
        uint128_t left, right;
        if (multiply_pow10(magnitude(a.coefficient), scale - a.scale, &left) &&
            multiply_pow10(magnitude(b.coefficient), scale - b.scale, &right)) {
            /* Two numbers below 10^38 add up to less than 2^128. */
            bool a_negative = a.coefficient < 0;
            bool b_negative = b.coefficient < 0;
            bool less = left < right;
            uint128_t sum = a_negative == b_negative ? left + right
                            : less                   ? right - left
                                                     : left - right;
            bool negative = a_negative == b_negative ? a_negative : less ? b_negative : a_negative;
            return fit(ctx, wide_from(sum), scale, negative, out);
        }
        a = numeric_trim(a);
        b = numeric_trim(b);
    }
    return numeric_overflow(ctx);
}

Status numeric_add(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out)
{
    if (add_special(a, b, false, out))
        return OK;
    return add_finite(ctx, *a, *b, out);
}

Status numeric_sub(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out)
{
    if (add_special(a, b, true, out))
        return OK;
    return add_finite(ctx, *a, numeric_negate(*b), out);
}

/* -1, 0, 1; infinities have signs, NaN is not asked. */
static int sign_of(const Numeric *x)
{
    if (numeric_is_special(x))
        return x->kind == NUMERIC_POS_INF ? 1 : -1;
    return (x->coefficient > 0) - (x->coefficient < 0);
}

Status numeric_mul(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out)
{
    if (numeric_is_special(a) || numeric_is_special(b)) {
        if (a->kind == NUMERIC_NAN || b->kind == NUMERIC_NAN) {
            *out = numeric_special(NUMERIC_NAN);
            return OK;
        }
        int sign = sign_of(a) * sign_of(b);
        *out = numeric_special(sign == 0  ? NUMERIC_NAN
                               : sign > 0 ? NUMERIC_POS_INF
                                          : NUMERIC_NEG_INF);
        return OK;
    }
    bool negative = (a->coefficient < 0) != (b->coefficient < 0);
    Wide product = wide_mul(magnitude(a->coefficient), magnitude(b->coefficient));
    return fit(ctx, product, a->scale + b->scale, negative, out);
}

/* Weight of the first digit to the base 10000, and that digit: what PostgreSQL's rule looks at. */
static int base10000_weight(const Numeric *x, int *first)
{
    uint128_t coefficient = magnitude(x->coefficient);
    int digits = int128_digits(coefficient);

    *first = 0;
    if (digits == 0)
        return 0;
    int exponent = digits - 1 - x->scale;
    int weight = exponent >= 0 ? exponent / 4 : -((3 - exponent) / 4);
    int take = exponent - weight * 4 + 1; /* decimal digits in the first base-10000 digit */
    if (digits >= take)
        *first = (int)(coefficient / pow10_of(digits - take));
    else
        *first = (int)(coefficient * pow10_of(take - digits));
    return weight;
}

int numeric_div_scale(const Numeric *a, const Numeric *b)
{
    int a_first, b_first;
    int weight = base10000_weight(a, &a_first) - base10000_weight(b, &b_first);

    if (a_first <= b_first)
        weight--;
    int scale = MIN_SIGNIFICANT_DIGITS - weight * 4;
    scale = MAX(scale, a->scale);
    scale = MAX(scale, b->scale);
    return MAX(scale, 0);
}

/* a * 10^shift / b with its remainder; false if the dividend does not fit 256 bits. */
static bool divide_shifted(const Numeric *a, const Numeric *b, int shift, Wide *quotient,
                           uint128_t *rest, uint128_t *divisor)
{
    uint128_t dividend = magnitude(a->coefficient);

    *divisor = magnitude(b->coefficient);
    if (shift < 0) {
        /* Scale the divisor instead; if it leaves 38 digits the quotient is below one. */
        if (!multiply_pow10(*divisor, -shift, divisor)) {
            *quotient = (Wide){{0}};
            *rest = dividend;
            *divisor = UINT64_MAX;
            *divisor = *divisor << 64 | UINT64_MAX;
            return true;
        }
        shift = 0;
    }
    if (int128_digits(dividend) + shift > 2 * DIGITS_MAX)
        return false;
    Wide x = wide_mul(dividend, pow10_of(MIN(shift, DIGITS_MAX)));
    if (shift > DIGITS_MAX)
        x = wide_mul_u128(&x, pow10_of(shift - DIGITS_MAX));
    *quotient = wide_div(&x, *divisor, rest);
    return true;
}

static Status division_special(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out)
{
    if (a->kind == NUMERIC_NAN || b->kind == NUMERIC_NAN) {
        *out = numeric_special(NUMERIC_NAN);
    } else if (numeric_is_special(a) && numeric_is_special(b)) {
        *out = numeric_special(NUMERIC_NAN);
    } else if (numeric_is_special(a)) {
        if (b->coefficient == 0)
            return error_raise(ctx, E_DIVISION_BY_ZERO, "division by zero");
        bool positive = sign_of(a) * sign_of(b) > 0;
        *out = numeric_special(positive ? NUMERIC_POS_INF : NUMERIC_NEG_INF);
    } else {
        *out = make(0, 0);
    }
    return OK;
}

Status numeric_div(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out)
{
    Wide limit = wide_from(pow10_of(DIGITS_MAX));
    Wide quotient;
    uint128_t rest, divisor;

    if (numeric_is_special(a) || numeric_is_special(b))
        return division_special(ctx, a, b, out);
    if (b->coefficient == 0)
        return error_raise(ctx, E_DIVISION_BY_ZERO, "division by zero");
    int scale = MIN(numeric_div_scale(a, b), DIGITS_MAX);
    for (; scale >= 0; scale--) {
        if (!divide_shifted(a, b, scale + b->scale - a->scale, &quotient, &rest, &divisor))
            continue;
        if (rest >= divisor - rest)
            quotient = wide_add(&quotient, 1);
        if (wide_compare(&quotient, &limit) < 0) {
            bool negative = (a->coefficient < 0) != (b->coefficient < 0);
            *out = make(with_sign(wide_low(&quotient), negative), scale);
            return OK;
        }
    }
    return numeric_overflow(ctx);
}

Status numeric_div_trunc(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out)
{
    Wide quotient;
    uint128_t rest, divisor;

    if (numeric_is_special(a) || numeric_is_special(b))
        return division_special(ctx, a, b, out);
    if (b->coefficient == 0)
        return error_raise(ctx, E_DIVISION_BY_ZERO, "division by zero");
    if (!divide_shifted(a, b, b->scale - a->scale, &quotient, &rest, &divisor))
        return numeric_overflow(ctx);
    return fit(ctx, quotient, 0, (a->coefficient < 0) != (b->coefficient < 0), out);
}

Status numeric_mod(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out)
{
    if (a->kind == NUMERIC_NAN || b->kind == NUMERIC_NAN || numeric_is_special(a)) {
        if (a->kind != NUMERIC_NAN && b->kind == NUMERIC_FINITE && b->coefficient == 0)
            return error_raise(ctx, E_DIVISION_BY_ZERO, "division by zero");
        *out = numeric_special(NUMERIC_NAN);
        return OK;
    }
    if (numeric_is_special(b)) {
        *out = *a;
        return OK;
    }
    if (b->coefficient == 0)
        return error_raise(ctx, E_DIVISION_BY_ZERO, "division by zero");
    int scale = MAX(a->scale, b->scale);
    Wide dividend = wide_mul(magnitude(a->coefficient), pow10_of(scale - a->scale));
    uint128_t divisor, rest;
    if (multiply_pow10(magnitude(b->coefficient), scale - b->scale, &divisor))
        wide_div(&dividend, divisor, &rest);
    else
        rest = magnitude(a->coefficient); /* then a has the larger scale, and |a| < |b| */
    return fit(ctx, wide_from(rest), scale, a->coefficient < 0, out);
}

Numeric numeric_negate(Numeric x)
{
    if (x.kind == NUMERIC_POS_INF)
        x.kind = NUMERIC_NEG_INF;
    else if (x.kind == NUMERIC_NEG_INF)
        x.kind = NUMERIC_POS_INF;
    x.coefficient = -x.coefficient;
    return x;
}

Numeric numeric_abs(Numeric x)
{
    if (x.kind == NUMERIC_NEG_INF)
        x.kind = NUMERIC_POS_INF;
    if (x.coefficient < 0)
        x.coefficient = -x.coefficient;
    return x;
}

Numeric numeric_sign(Numeric x)
{
    if (x.kind == NUMERIC_NAN)
        return x;
    return make(sign_of(&x), 0);
}

/* To `scale` digits behind the point (below 0: before it), rounding or cutting. */
static Status set_scale(Ctx *ctx, const Numeric *x, int scale, bool round, Numeric *out)
{
    uint128_t value = magnitude(x->coefficient);
    bool negative = x->coefficient < 0;

    if (numeric_is_special(x)) {
        *out = *x;
        return OK;
    }
    if (scale >= x->scale) {
        /* Zeros to show: as many as 38 digits allow. */
        int room = DIGITS_MAX - MAX(int128_digits(value), x->scale);
        int more = MIN(MIN(scale, DIGITS_MAX) - x->scale, room);
        *out = make(x->coefficient * int128_pow10[MAX(more, 0)], x->scale + MAX(more, 0));
        return OK;
    }
    value =
        round ? divide_pow10_round(value, x->scale - scale) : divide_pow10(value, x->scale - scale);
    if (scale < 0 && !multiply_pow10(value, -scale, &value))
        return numeric_overflow(ctx);
    return fit(ctx, wide_from(value), MAX(scale, 0), negative, out);
}

Status numeric_round(Ctx *ctx, const Numeric *x, int scale, Numeric *out)
{
    return set_scale(ctx, x, MAX(MIN(scale, 2000), -2000), true, out);
}

Status numeric_trunc(Ctx *ctx, const Numeric *x, int scale, Numeric *out)
{
    return set_scale(ctx, x, MAX(MIN(scale, 2000), -2000), false, out);
}

static Status integer_towards(Ctx *ctx, const Numeric *x, bool up, Numeric *out)
{
    if (numeric_is_special(x)) {
        *out = *x;
        return OK;
    }
    int128_t unit = int128_pow10[x->scale];
    int128_t whole = x->coefficient / unit;
    int128_t rest = x->coefficient % unit;
    if (up && rest > 0)
        whole++;
    else if (!up && rest < 0)
        whole--;
    return fit(ctx, wide_from(magnitude(whole)), 0, whole < 0, out);
}

Status numeric_ceil(Ctx *ctx, const Numeric *x, Numeric *out)
{
    return integer_towards(ctx, x, true, out);
}

Status numeric_floor(Ctx *ctx, const Numeric *x, Numeric *out)
{
    return integer_towards(ctx, x, false, out);
}

bool numeric_to_int64(const Numeric *x, int64_t *out)
{
    if (numeric_is_special(x))
        return false;
    uint128_t value = divide_pow10_round(magnitude(x->coefficient), x->scale);
    uint128_t limit = (uint128_t)1 << 63;
    if (value > limit || (value == limit && x->coefficient > 0))
        return false;
    *out = x->coefficient < 0 ? (int64_t) - (uint64_t)value : (int64_t)value;
    return true;
}

static Status field_overflow(Ctx *ctx, SqlType type)
{
    int precision = type_numeric_precision(type);
    int scale = type_numeric_scale(type);
    int digits = precision - scale;
    Status st = error_raise(ctx, E_NUMERIC_OUT_OF_RANGE, "numeric field overflow");

    error_detail(ctx,
                 "A field with precision %d, scale %d must round to an absolute value less than "
                 "%s%d.",
                 precision, scale, digits ? "10^" : "", digits ? digits : 1);
    return st;
}

Status scaled_rescale(Ctx *ctx, int128_t value, int scale, SqlType type, int128_t *out)
{
    int change = type_numeric_scale(type) - scale;
    uint128_t size = magnitude(value);

    if (change < 0)
        size = divide_pow10_round(size, -change);
    else if (change > 0 && !multiply_pow10(size, change, &size))
        return field_overflow(ctx, type);
    if (size >= pow10_of(type_numeric_precision(type)))
        return field_overflow(ctx, type);
    *out = with_sign(size, value < 0);
    return OK;
}

Status numeric_to_scaled(Ctx *ctx, const Numeric *x, SqlType type, int128_t *out)
{
    if (LIKELY(!numeric_is_special(x)))
        return scaled_rescale(ctx, x->coefficient, x->scale, type, out);
    if (x->kind == NUMERIC_NAN) {
        Status st = error_raise(ctx, E_FEATURE_NOT_SUPPORTED,
                                "NaN in a numeric type with a precision is not supported");
        error_hint(ctx, "Declare the column as numeric, without precision and scale.");
        return st;
    }
    Status st = error_raise(ctx, E_NUMERIC_OUT_OF_RANGE, "numeric field overflow");
    error_detail(ctx, "A field with precision %d, scale %d cannot hold an infinite value.",
                 type_numeric_precision(type), type_numeric_scale(type));
    return st;
}

Status numeric_apply_typmod(Ctx *ctx, Numeric *x, SqlType type)
{
    int128_t value;
    Status st = numeric_to_scaled(ctx, x, type, &value);

    if (st == OK)
        *x = numeric_from_scaled(value, type_numeric_scale(type));
    return st;
}

int scaled_compare(int128_t a, int a_scale, int128_t b, int b_scale)
{
    if (a_scale < 0)
        return scaled_compare(a * int128_pow10[-a_scale], 0, b, b_scale);
    if (b_scale < 0)
        return scaled_compare(a, a_scale, b * int128_pow10[-b_scale], 0);
    if ((a < 0) != (b < 0) || a == 0 || b == 0 || a_scale == b_scale)
        return (a > b) - (a < b);
    Wide x = wide_mul(magnitude(a), pow10_of(MAX(b_scale - a_scale, 0)));
    Wide y = wide_mul(magnitude(b), pow10_of(MAX(a_scale - b_scale, 0)));
    int order = wide_compare(&x, &y);
    return a < 0 ? -order : order;
}

static int special_rank(const Numeric *x)
{
    static const int8_t ranks[] = {
        [NUMERIC_FINITE] = 0, [NUMERIC_NAN] = 2, [NUMERIC_POS_INF] = 1, [NUMERIC_NEG_INF] = -1};

    return ranks[x->kind];
}

int numeric_compare(const Numeric *a, const Numeric *b)
{
    if (numeric_is_special(a) || numeric_is_special(b))
        return special_rank(a) - special_rank(b);
    return scaled_compare(a->coefficient, a->scale, b->coefficient, b->scale);
}

uint64_t scaled_hash(int128_t value, int scale)
{
    if (value == 0)
        return hash_u64(0);
    if ((int64_t)value == value) {
        int64_t narrow = (int64_t)value;
        while (narrow % 10 == 0) {
            narrow /= 10;
            scale--;
        }
        value = narrow;
    } else {
        while (value % 10 == 0) {
            value /= 10;
            scale--;
        }
    }
    uint64_t hash = hash_u64((uint64_t)value ^ ((uint64_t)(int64_t)scale << 56));
    uint64_t high = (uint64_t)(value >> 64);
    return high + 1 <= 1 ? hash : hash_combine(hash, high);
}

uint64_t numeric_hash(const Numeric *x)
{
    if (numeric_is_special(x))
        return hash_u64(0xdead0000ULL + (uint64_t)x->kind);
    return scaled_hash(x->coefficient, x->scale);
}
