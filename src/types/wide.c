// SPDX-License-Identifier: Apache-2.0
//
// 256-bit arithmetic: see wide.h. Division is Knuth's algorithm D on 32-bit digits, with the case
// that fits 128 bits left to the compiler.
#include "types/wide.h"

Wide wide_mul_u128(const Wide *x, uint128_t m)
{
    uint64_t parts[2] = {(uint64_t)m, (uint64_t)(m >> 64)};
    Wide out = {{0}};

    for (int j = 0; j < 2; j++) {
        uint64_t carry = 0;
        for (int i = 0; i + j < 4; i++) {
            uint128_t t = (uint128_t)x->words[i] * parts[j] + out.words[i + j] + carry;
            out.words[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
    }
    return out;
}

Wide wide_mul(uint128_t a, uint128_t b)
{
    Wide x = wide_from(a);

    return wide_mul_u128(&x, b);
}

Wide wide_add(const Wide *x, uint128_t addend)
{
    Wide add = wide_from(addend);
    Wide out;
    uint64_t carry = 0;

    for (int i = 0; i < 4; i++) {
        uint128_t t = (uint128_t)x->words[i] + add.words[i] + carry;
        out.words[i] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
    }
    return out;
}

int wide_compare(const Wide *a, const Wide *b)
{
    for (int i = 3; i >= 0; i--) {
        if (a->words[i] != b->words[i])
            return a->words[i] < b->words[i] ? -1 : 1;
    }
    return 0;
}

static int split(const Wide *x, int shift, uint32_t *digits)
{
    uint64_t carry = 0;
    int count = 0;

    for (int i = 0; i < 8; i++) {
        uint64_t digit = (uint32_t)(x->words[i / 2] >> (i & 1 ? 32 : 0));
        digit = digit << shift | carry;
        digits[i] = (uint32_t)digit;
        carry = digit >> 32;
    }
    digits[8] = (uint32_t)carry;
    for (int i = 0; i < 9; i++)
        count = digits[i] ? i + 1 : count;
    return count;
}

/* u[0..n] -= q * v[0..n); returns true if it went below zero. */
static bool subtract(uint32_t *u, const uint32_t *v, int n, uint64_t q)
{
    uint64_t carry = 0;
    int64_t borrow = 0;

    for (int i = 0; i < n; i++) {
        uint64_t product = q * v[i] + carry;
        carry = product >> 32;
        int64_t t = (int64_t)u[i] - (int64_t)(uint32_t)product + borrow;
        u[i] = (uint32_t)t;
        borrow = t >> 32;
    }
    int64_t t = (int64_t)u[n] - (int64_t)carry + borrow;
    u[n] = (uint32_t)t;
    return t < 0;
}

static void add_back(uint32_t *u, const uint32_t *v, int n)
{
    uint64_t carry = 0;

    for (int i = 0; i < n; i++) {
        uint64_t t = (uint64_t)u[i] + v[i] + carry;
        u[i] = (uint32_t)t;
        carry = t >> 32;
    }
    u[n] += (uint32_t)carry;
}

Wide wide_div(const Wide *x, uint128_t divisor, uint128_t *remainder)
{
    uint32_t u[10] = {0};
    uint32_t v[10] = {0};
    Wide quotient = {{0}};
    uint128_t rest = 0;

    ASSERT(divisor != 0);
    if (wide_fits_128(x)) {
        *remainder = wide_low(x) % divisor;
        return wide_from(wide_low(x) / divisor);
    }
    if (divisor >> 32 == 0) {
        uint64_t r = 0;
        split(x, 0, u);
        for (int i = 7; i >= 0; i--) {
            uint64_t t = r << 32 | u[i];
            quotient.words[i / 2] |= t / (uint64_t)divisor << (i & 1 ? 32 : 0);
            r = t % (uint64_t)divisor;
        }
        *remainder = r;
        return quotient;
    }
    Wide d = wide_from(divisor);
    int n = split(&d, 0, v);
    int shift = __builtin_clz(v[n - 1]);
    split(&d, shift, v);
    split(x, shift, u);
    for (int j = 8 - n; j >= 0; j--) {
        uint64_t head = (uint64_t)u[j + n] << 32 | u[j + n - 1];
        uint64_t q = head / v[n - 1];
        uint64_t r = head % v[n - 1];
        while (q >> 32 || q * v[n - 2] > (r << 32 | u[j + n - 2])) {
            q--;
            r += v[n - 1];
            if (r >> 32)
                break;
        }
        if (subtract(u + j, v, n, q)) {
            q--;
            add_back(u + j, v, n);
        }
        quotient.words[j / 2] |= q << (j & 1 ? 32 : 0);
    }
    for (int i = n - 1; i >= 0; i--)
        rest = rest << 32 | u[i];
    *remainder = rest >> shift;
    return quotient;
}

uint128_t wide_sqrt(const Wide *x)
{
    uint128_t root = 0;

    for (int bit = 127; bit >= 0; bit--) {
        uint128_t trial = root | (uint128_t)1 << bit;
        Wide square = wide_mul(trial, trial);
        if (wide_compare(&square, x) <= 0)
            root = trial;
    }
    return root;
}
