// SPDX-License-Identifier: Apache-2.0
//
// Fixed-point reals with 192 bits before the point and 320 behind it (about 96 decimal digits):
// what the exponential and logarithm of decimals are computed in, so that 38 digits come out
// rounded right. Private to numeric_math.c. Any thread.
#ifndef DBASPOT_TYPES_FIXED_H
#define DBASPOT_TYPES_FIXED_H

#include "base/base.h"

#define FIXED_WORDS          8
#define FIXED_FRACTION_WORDS 5

/* A magnitude, least significant word first, and a sign. */
typedef struct Fixed {
    uint64_t words[FIXED_WORDS];
    bool negative;
} Fixed;

/* coefficient * 10^-scale, cut at the last bit; 0 <= scale <= 38. */
Fixed fixed_from_decimal(int128_t coefficient, int scale);
/* The magnitude times 10^scale, rounded; false if it does not fit 127 bits. */
bool fixed_to_decimal(const Fixed *x, int scale, uint128_t *out);
double fixed_to_double(const Fixed *x);

Fixed fixed_add(const Fixed *a, const Fixed *b);
/* Product and quotient wrap beyond 192 bits before the point; the caller knows they fit. */
Fixed fixed_mul(const Fixed *a, const Fixed *b);
Fixed fixed_div(const Fixed *a, const Fixed *b);
/* REQUIRES: |x| < 100. */
Fixed fixed_exp(const Fixed *x);
/* REQUIRES: x > 0. */
Fixed fixed_ln(const Fixed *x);

#endif
