// SPDX-License-Identifier: Apache-2.0
//
// Fixed-point reals: see fixed.h. The exponential is Taylor's series after halving the argument,
// the logarithm the series of atanh after taking out the power of two.
#include "types/fixed.h"

#define FRACTION_BITS (FIXED_FRACTION_WORDS * 64)
#define HALVINGS      8

static int compare(const Fixed *a, const Fixed *b)
{
    for (int i = FIXED_WORDS - 1; i >= 0; i--) {
        if (a->words[i] != b->words[i])
            return a->words[i] < b->words[i] ? -1 : 1;
    }
    return 0;
}

static bool is_zero(const Fixed *x)
{
    uint64_t any = 0;

    for (int i = 0; i < FIXED_WORDS; i++)
        any |= x->words[i];
    return any == 0;
}

static Fixed add_magnitudes(const Fixed *a, const Fixed *b)
{
    Fixed out = {.negative = a->negative};
    uint64_t carry = 0;

    for (int i = 0; i < FIXED_WORDS; i++) {
        uint128_t t = (uint128_t)a->words[i] + b->words[i] + carry;
        out.words[i] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
    }
    return out;
}

/* |a| - |b|. REQUIRES: |a| >= |b|. */
static Fixed subtract_magnitudes(const Fixed *a, const Fixed *b)
{
    Fixed out = {.negative = a->negative};
    uint64_t borrow = 0;

    for (int i = 0; i < FIXED_WORDS; i++) {
        uint128_t t = (uint128_t)a->words[i] - b->words[i] - borrow;
        out.words[i] = (uint64_t)t;
        borrow = (uint64_t)(t >> 64) & 1;
    }
    return out;
}

Fixed fixed_add(const Fixed *a, const Fixed *b)
{
    if (a->negative == b->negative)
        return add_magnitudes(a, b);
    return compare(a, b) >= 0 ? subtract_magnitudes(a, b) : subtract_magnitudes(b, a);
}

static void multiply_small(Fixed *x, uint64_t factor)
{
    uint64_t carry = 0;

    for (int i = 0; i < FIXED_WORDS; i++) {
        uint128_t t = (uint128_t)x->words[i] * factor + carry;
        x->words[i] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
    }
}

static void divide_small(Fixed *x, uint64_t divisor)
{
    uint64_t rest = 0;

    for (int i = FIXED_WORDS - 1; i >= 0; i--) {
        uint128_t t = (uint128_t)rest << 64 | x->words[i];
        x->words[i] = (uint64_t)(t / divisor);
        rest = (uint64_t)(t % divisor);
    }
}

static void shift_left(Fixed *x, int bits)
{
    for (int n = bits / 64; n > 0; n--) {
        memmove(x->words + 1, x->words, (FIXED_WORDS - 1) * sizeof(uint64_t));
        x->words[0] = 0;
    }
    bits %= 64;
    for (int i = FIXED_WORDS - 1; bits && i >= 0; i--)
        x->words[i] = x->words[i] << bits | (i ? x->words[i - 1] >> (64 - bits) : 0);
}

static void shift_right(Fixed *x, int bits)
{
    for (int n = bits / 64; n > 0; n--) {
        memmove(x->words, x->words + 1, (FIXED_WORDS - 1) * sizeof(uint64_t));
        x->words[FIXED_WORDS - 1] = 0;
    }
    bits %= 64;
    for (int i = 0; bits && i < FIXED_WORDS; i++)
        x->words[i] =
            x->words[i] >> bits | (i + 1 < FIXED_WORDS ? x->words[i + 1] << (64 - bits) : 0);
}

static uint64_t power_of_ten(int n)
{
    uint64_t power = 1;

    while (n-- > 0)
        power *= 10;
    return power;
}

Fixed fixed_from_decimal(int128_t coefficient, int scale)
{
    Fixed out = {.negative = coefficient < 0};
    uint128_t size = coefficient < 0 ? -(uint128_t)coefficient : (uint128_t)coefficient;

    out.words[FIXED_FRACTION_WORDS] = (uint64_t)size;
    out.words[FIXED_FRACTION_WORDS + 1] = (uint64_t)(size >> 64);
    for (; scale > 0; scale -= 18)
        divide_small(&out, power_of_ten(scale < 18 ? scale : 18));
    return out;
}

bool fixed_to_decimal(const Fixed *x, int scale, uint128_t *out)
{
    Fixed scaled = *x;
    Fixed half = {.words = {[FIXED_FRACTION_WORDS - 1] = (uint64_t)1 << 63}};

    for (; scale > 0; scale -= 18) {
        if (scaled.words[FIXED_WORDS - 1])
            return false;
        multiply_small(&scaled, power_of_ten(scale < 18 ? scale : 18));
    }
    half.negative = scaled.negative;
    scaled = add_magnitudes(&scaled, &half);
    *out = (uint128_t)scaled.words[FIXED_FRACTION_WORDS + 1] << 64 |
           scaled.words[FIXED_FRACTION_WORDS];
    return scaled.words[FIXED_WORDS - 1] == 0 && *out >> 127 == 0;
}

double fixed_to_double(const Fixed *x)
{
    double value = 0;

    for (int i = FIXED_WORDS - 1; i >= 0; i--)
        value += __builtin_ldexp((double)x->words[i], (i - FIXED_FRACTION_WORDS) * 64);
    return x->negative ? -value : value;
}

Fixed fixed_mul(const Fixed *a, const Fixed *b)
{
    uint64_t product[2 * FIXED_WORDS] = {0};
    Fixed out = {.negative = a->negative != b->negative};

    for (int j = 0; j < FIXED_WORDS; j++) {
        uint64_t carry = 0;
        for (int i = 0; i < FIXED_WORDS; i++) {
            uint128_t t = (uint128_t)a->words[i] * b->words[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
        product[j + FIXED_WORDS] = carry;
    }
    memcpy(out.words, product + FIXED_FRACTION_WORDS, sizeof out.words);
    return out;
}

/* Bit by bit: quotients are rare. */
Fixed fixed_div(const Fixed *a, const Fixed *b)
{
    Fixed quotient = {.negative = a->negative != b->negative};
    Fixed rest = {.negative = false};
    Fixed divisor = *b;

    ASSERT(!is_zero(b));
    divisor.negative = false;
    for (int bit = FIXED_WORDS * 64 + FRACTION_BITS - 1; bit >= 0; bit--) {
        int at = bit - FRACTION_BITS;
        bool overflow = rest.words[FIXED_WORDS - 1] >> 63;
        shift_left(&rest, 1);
        if (at >= 0)
            rest.words[0] |= a->words[at / 64] >> (at % 64) & 1;
        if (!overflow && compare(&rest, &divisor) < 0)
            continue;
        rest = subtract_magnitudes(&rest, &divisor);
        if (bit < FIXED_WORDS * 64)
            quotient.words[bit / 64] |= (uint64_t)1 << (bit % 64);
    }
    return quotient;
}

static Fixed one(void)
{
    return (Fixed){.words = {[FIXED_FRACTION_WORDS] = 1}};
}

Fixed fixed_exp(const Fixed *x)
{
    Fixed sum = one();
    Fixed term = one();
    Fixed r = *x;

    /* exp(x) = exp(x / 2^n)^(2^n), n so that the series is short. */
    int halvings = HALVINGS + 7;
    shift_right(&r, halvings);
    r.negative = false;
    for (uint64_t n = 1; !is_zero(&term); n++) {
        term = fixed_mul(&term, &r);
        divide_small(&term, n);
        sum = fixed_add(&sum, &term);
    }
    for (int i = 0; i < halvings; i++)
        sum = fixed_mul(&sum, &sum);
    if (!x->negative)
        return sum;
    Fixed numerator = one();
    return fixed_div(&numerator, &sum);
}

static int bit_length(const Fixed *x)
{
    for (int i = FIXED_WORDS - 1; i >= 0; i--) {
        if (x->words[i])
            return i * 64 + 64 - __builtin_clzll(x->words[i]);
    }
    return 0;
}

/* 2 * atanh(z) = 2 * (z + z^3/3 + z^5/5 ...) for z = (m - 1) / (m + 1): ln(m). */
static Fixed ln_near_one(const Fixed *m)
{
    Fixed unit = one();
    Fixed minus_unit = one();
    Fixed sum = {.negative = false};

    minus_unit.negative = true;
    Fixed above = fixed_add(m, &minus_unit);
    Fixed below = fixed_add(m, &unit);
    Fixed power = fixed_div(&above, &below);
    Fixed square = fixed_mul(&power, &power);
    for (uint64_t n = 1; !is_zero(&power); n += 2) {
        Fixed term = power;
        divide_small(&term, n);
        sum = fixed_add(&sum, &term);
        power = fixed_mul(&power, &square);
    }
    shift_left(&sum, 1);
    return sum;
}

Fixed fixed_ln(const Fixed *x)
{
    int exponent = bit_length(x) - FRACTION_BITS; /* x = m * 2^exponent, 0.5 <= m < 1 */
    Fixed m = *x;

    ASSERT(!is_zero(x) && !x->negative);
    if (exponent > 0)
        shift_right(&m, exponent);
    else
        shift_left(&m, -exponent);
    Fixed result = ln_near_one(&m);
    if (exponent == 0)
        return result;
    Fixed half = {.words = {[FIXED_FRACTION_WORDS - 1] = (uint64_t)1 << 63}};
    Fixed ln_two = ln_near_one(&half); /* of 1/2: negative */
    multiply_small(&ln_two, (uint64_t)(exponent > 0 ? exponent : -exponent));
    ln_two.negative = exponent < 0;
    return fixed_add(&result, &ln_two);
}
