// SPDX-License-Identifier: Apache-2.0
//
// 256-bit unsigned arithmetic, as much as decimals of 38 digits need: products of two 128-bit
// numbers and their division. Private to the numeric files of this room. Any thread.
#ifndef DBASPOT_TYPES_WIDE_H
#define DBASPOT_TYPES_WIDE_H

#include "base/base.h"

/* Least significant word first. */
typedef struct Wide {
    uint64_t words[4];
} Wide;

static inline Wide wide_from(uint128_t x)
{
    return (Wide){{(uint64_t)x, (uint64_t)(x >> 64), 0, 0}};
}

static inline bool wide_fits_128(const Wide *x)
{
    return (x->words[2] | x->words[3]) == 0;
}

static inline uint128_t wide_low(const Wide *x)
{
    return (uint128_t)x->words[1] << 64 | x->words[0];
}

/* The full product. */
Wide wide_mul(uint128_t a, uint128_t b);
/* x * m. REQUIRES: the product fits. */
Wide wide_mul_u128(const Wide *x, uint128_t m);
/* x + small. REQUIRES: the sum fits. */
Wide wide_add(const Wide *x, uint128_t addend);
/* Quotient; the remainder goes to *remainder. REQUIRES: divisor != 0. */
Wide wide_div(const Wide *x, uint128_t divisor, uint128_t *remainder);
int wide_compare(const Wide *a, const Wide *b);
/* floor(sqrt(x)). */
uint128_t wide_sqrt(const Wide *x);

#endif
