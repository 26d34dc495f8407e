// SPDX-License-Identifier: Apache-2.0
//
// Decimals: every row of numeric_cases.def (PostgreSQL's answers), 256-bit division against
// multiplication, hashes of equal numbers, and what happens beyond 38 digits.
#include "types/float.h"
#include "types/numeric.h"
#include "types/wide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct NumericCase {
    const char *op;
    const char *a;
    const char *b;
    const char *expected;
} NumericCase;

static const NumericCase cases[] = {
#define NUMERIC_CASE(op, a, b, expected) {op, a, b, expected},
#include "types/numeric_cases.def"
#undef NUMERIC_CASE
};

typedef Status (*Binary)(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out);
typedef Status (*Unary)(Ctx *ctx, const Numeric *x, Numeric *out);
typedef Status (*Rounding)(Ctx *ctx, const Numeric *x, int scale, Numeric *out);

static const struct {
    const char *name;
    Binary binary;
    Unary unary;
    Rounding rounding;
} operations[] = {
    {"+", numeric_add, NULL, NULL},       {"-", numeric_sub, NULL, NULL},
    {"*", numeric_mul, NULL, NULL},       {"/", numeric_div, NULL, NULL},
    {"%", numeric_mod, NULL, NULL},       {"div", numeric_div_trunc, NULL, NULL},
    {"log", numeric_log, NULL, NULL},     {"power", numeric_power, NULL, NULL},
    {"sqrt", NULL, numeric_sqrt, NULL},   {"exp", NULL, numeric_exp, NULL},
    {"ln", NULL, numeric_ln, NULL},       {"ceil", NULL, numeric_ceil, NULL},
    {"floor", NULL, numeric_floor, NULL}, {"round", NULL, NULL, numeric_round},
    {"trunc", NULL, NULL, numeric_trunc},
};

static Numeric parse(Ctx *ctx, const char *text)
{
    Numeric x = {0};

    assert_int_equal(numeric_parse(ctx, str_from(text), &x), OK);
    return x;
}

/* Operations without errors of their own; false if `op` is none of them. */
static bool run_plain(const char *op, const Numeric *a, const Numeric *b, StrBuf *out)
{
    if (strcmp(op, "cmp") == 0) {
        int order = numeric_compare(a, b);
        if (order == 0)
            assert_true(numeric_hash(a) == numeric_hash(b));
        strbuf_printf(out, "%d", (order > 0) - (order < 0));
    } else if (strcmp(op, "dbl") == 0) {
        float_print(out, numeric_to_double(a), 0);
    } else if (strcmp(op, "trim_scale") == 0 || strcmp(op, "sign") == 0) {
        Numeric x = op[0] == 't' ? numeric_trim(*a) : numeric_sign(*a);
        numeric_print(out, &x);
    } else {
        return false;
    }
    return true;
}

static void run_case(Ctx *ctx, const NumericCase *c, StrBuf *out)
{
    Numeric a = parse(ctx, c->a);
    Numeric b = c->b[0] ? parse(ctx, c->b) : (Numeric){0};
    Numeric result = {0};
    Status st = E_INTERNAL;

    if (run_plain(c->op, &a, &b, out))
        return;
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
        if (strcmp(operations[i].name, c->op) != 0)
            continue;
        if (operations[i].binary)
            st = operations[i].binary(ctx, &a, &b, &result);
        else if (operations[i].unary)
            st = operations[i].unary(ctx, &a, &result);
        else
            st = operations[i].rounding(ctx, &a, (int)b.coefficient, &result);
    }
    if (st == OK)
        numeric_print(out, &result);
    else
        strbuf_printf(out, "ERROR %s %s", error_sqlstate(st), ctx->error.message);
    error_clear(ctx);
}

static void test_as_postgresql(void **state)
{
    Ctx ctx;
    StrBuf got;

    (void)state;
    ctx_init(&ctx);
    strbuf_init(&got);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const NumericCase *c = &cases[i];
        strbuf_clear(&got);
        run_case(&ctx, c, &got);
        if (strcmp(strbuf_c(&got), c->expected) != 0)
            fail_msg("%s %s %s: got %s, not %s", c->a, c->op, c->b, strbuf_c(&got), c->expected);
    }
    strbuf_free(&got);
    ctx_free(&ctx);
}

static uint64_t random_state = 42;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint128_t random_wide(void)
{
    uint128_t x = (uint128_t)next_random() << 64 | next_random();

    return x >> (next_random() % 128);
}

/* (q * d + r) / d = q rest r, for every width of d and q. */
static void test_wide_division_undoes_multiplication(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint128_t divisor = random_wide() | 1;
        uint128_t quotient = random_wide();
        uint128_t rest = random_wide() % divisor;
        uint128_t got_rest;
        Wide x = wide_mul(quotient, divisor);
        x = wide_add(&x, rest);
        Wide got = wide_div(&x, divisor, &got_rest);
        assert_true(wide_fits_128(&got) && wide_low(&got) == quotient);
        assert_true(got_rest == rest);
    }
}

static void test_wide_square_root(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        uint128_t root = random_wide();
        Wide x = wide_mul(root, root);
        assert_true(wide_sqrt(&x) == root);
        if (root > 0) {
            x = wide_add(&x, 2 * root <= root ? 0 : 2 * root); /* one less than the next square */
            assert_true(wide_sqrt(&x) == root);
        }
    }
}

/* Beyond 38 digits: zeros go, then it is an error; quotients are cut. */
static void test_limits(void **state)
{
    Ctx ctx;
    StrBuf text;
    Numeric out;

    (void)state;
    ctx_init(&ctx);
    strbuf_init(&text);
    Numeric large = parse(&ctx, "99999999999999999999999999999999999999");
    Numeric one = parse(&ctx, "1");
    assert_int_equal(numeric_add(&ctx, &large, &one, &out), E_NUMERIC_OUT_OF_RANGE);
    assert_string_equal(ctx.error.message, "value overflows numeric format");
    assert_non_null(ctx.error.hint);
    error_clear(&ctx);
    Numeric zeros = parse(&ctx, "2.00000000000000000000");
    assert_int_equal(numeric_mul(&ctx, &zeros, &zeros, &out), OK);
    numeric_print(&text, &out);
    assert_string_equal(strbuf_c(&text), "4.0000000000000000000000000000000000000");
    Numeric small = parse(&ctx, "0.00000000000000000001");
    assert_int_equal(numeric_mul(&ctx, &small, &small, &out), E_NUMERIC_OUT_OF_RANGE);
    error_clear(&ctx);
    Numeric three = parse(&ctx, "3.00000000000000000000000000");
    Numeric wide = parse(&ctx, "10000000000000000");
    assert_int_equal(numeric_div(&ctx, &wide, &three, &out), OK);
    strbuf_clear(&text);
    numeric_print(&text, &out);
    assert_string_equal(strbuf_c(&text), "3333333333333333.3333333333333333333333");
    strbuf_free(&text);
    ctx_free(&ctx);
}

/* The same number has one hash, in every form. */
static void test_hash_of_equal_numbers(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t value = (int64_t)next_random() >> (next_random() % 40);
        Numeric x = {.coefficient = value, .scale = 2};
        for (int zeros = 0; zeros < 10; zeros++) {
            int128_t scaled = (int128_t)value * int128_pow10[zeros];
            assert_true(scaled_hash(scaled, 2 + zeros) == numeric_hash(&x));
            assert_int_equal(scaled_compare(scaled, 2 + zeros, value, 2), 0);
        }
    }
}

static void test_scaled_conversions(void **state)
{
    Ctx ctx;
    int128_t out;
    int64_t whole;
    const SqlType type = type_numeric(5, 2);

    (void)state;
    ctx_init(&ctx);
    assert_int_equal(scaled_rescale(&ctx, -123455, 3, type, &out), OK);
    assert_true(out == -12346); /* -123.455 rounds away from zero */
    assert_int_equal(scaled_rescale(&ctx, 999995, 3, type, &out), E_NUMERIC_OUT_OF_RANGE);
    assert_string_equal(ctx.error.detail, "A field with precision 5, scale 2 must round to an "
                                          "absolute value less than 10^3.");
    error_clear(&ctx);
    assert_int_equal(numeric_scaled_from_double(&ctx, 1e-50, type, &out), OK);
    assert_true(out == 0);
    Numeric half = parse(&ctx, "-2.5");
    assert_true(numeric_to_int64(&half, &whole));
    assert_int_equal(whole, -3);
    Numeric edge = parse(&ctx, "9223372036854775807.5");
    assert_false(numeric_to_int64(&edge, &whole));
    ctx_free(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_postgresql),
        cmocka_unit_test(test_wide_division_undoes_multiplication),
        cmocka_unit_test(test_wide_square_root),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_hash_of_equal_numbers),
        cmocka_unit_test(test_scaled_conversions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
