// SPDX-License-Identifier: Apache-2.0
//
// Comparing and hashing: for each type a list of texts in PostgreSQL's order, groups of equal ones
// together; every pair is compared as datums and vectors, equal values must hash alike, and the
// probe keeps exactly the equal pairs.
#include "types/compare.h"
#include "types/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define VALUES_MAX 16

/* Ascending; "=" before a text: equal to the one before it. */
typedef struct OrderCase {
    SqlType type;
    const char *texts[VALUES_MAX];
} OrderCase;

static const OrderCase orders[] = {
    {{OID_BOOL, -1}, {"f", "t"}},
    {{OID_INT2, -1}, {"-32768", "-1", "0", "7", "32767"}},
    {{OID_INT4, -1}, {"-2147483648", "-1", "0", "1", "2147483647"}},
    {{OID_INT8, -1}, {"-9223372036854775808", "-1", "0", "9223372036854775807"}},
    {{OID_OID, -1}, {"0", "2147483647", "2147483648", "4294967295"}},
    {{OID_FLOAT4, -1}, {"-Infinity", "-1", "-0", "=0", "1e-45", "1", "Infinity", "NaN", "=NaN"}},
    {{OID_FLOAT8, -1},
     {"-Infinity", "-1e300", "-0", "=0", "5e-324", "1", "Infinity", "NaN", "=NaN"}},
    {{OID_NUMERIC, -1},
     {"-Infinity", "-1e30", "-1.50", "=-1.5", "0", "=0.000", "1e-30", "9", "10", "=10.0", "1e37",
      "Infinity", "NaN", "=NaN"}},
    {{OID_NUMERIC, ((10 << 16) | 2) + 4}, {"-99999999.99", "-0.01", "0", "0.01", "99999999.99"}},
    {{OID_NUMERIC, ((30 << 16) | 5) + 4},
     {"-1234567890123456789012345", "0", "0.00001", "1234567890123456789012345.00001"}},
    {{OID_TEXT, -1},
     {"", "A", "B", "a", "ab", "abcdefghijkl", "abcdefghijklm", "abcdefghijkln", "b", "\303\251"}},
    {{OID_BPCHAR, 14}, {"a", "=a   ", "ab", "b"}},
    {{OID_BYTEA, -1}, {"\\x", "\\x00", "\\x0001", "\\x7f", "\\x80", "\\xff"}},
    {{OID_DATE, -1}, {"-infinity", "0044-03-15 BC", "2000-01-01", "2024-01-01", "infinity"}},
    {{OID_TIMESTAMP, -1}, {"-infinity", "2000-01-01", "2000-01-01 00:00:00.000001", "infinity"}},
    {{OID_TIMESTAMPTZ, -1}, {"2000-01-01 00:00+01", "2000-01-01 00:00+00", "=2000-01-01 01:00+01"}},
    {{OID_INTERVAL, -1},
     {"-1 mon", "=-30 days", "0", "24:00", "=1 day", "1 mon", "=30 days", "=29 days 24:00",
      "30 days 00:00:01", "1 year", "=360 days"}},
    {{OID_UUID, -1},
     {"00000000-0000-0000-0000-000000000001", "7fffffff-0000-0000-0000-000000000000",
      "80000000-0000-0000-0000-000000000000"}},
    {{OID_INT4_ARRAY, -1},
     {"{}", "{1}", "{1,2}", "{{1},{2}}", "{1,3}", "{1,NULL}", "{2}", "{NULL}"}},
    {{OID_TEXT_ARRAY, -1}, {"{a}", "{a,b}", "{b}"}},
    {{OID_NUMERIC_ARRAY, -1}, {"{1.5}", "={1.50}", "{2}"}},
};

/* Rank of a value: equal values share it. */
typedef struct Values {
    Datum datums[VALUES_MAX];
    int ranks[VALUES_MAX];
    uint32_t count;
} Values;

static void read_values(Ctx *ctx, Scope *scope, const OrderCase *c, Values *out)
{
    int rank = 0;

    out->count = 0;
    for (int i = 0; i < VALUES_MAX && c->texts[i]; i++) {
        const char *text = c->texts[i];
        rank += text[0] != '=';
        text += text[0] == '=';
        assert_int_equal(
            type_input(ctx, scope, c->type, str_from(text), NULL, &out->datums[out->count]), OK);
        out->ranks[out->count++] = rank;
    }
}

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static void fill_vector(Scope *scope, const Values *values, Vector *out)
{
    vector_init_flat(out, scope, values->datums[0].type, values->count + 1);
    for (uint32_t i = 0; i < values->count; i++)
        memcpy((char *)out->values + i * phys_size[out->phys], values->datums[i].bytes,
               phys_size[out->phys]);
    bitmap_clear(vector_make_validity(out, scope, values->count + 1), values->count);
}

/* Every pair of rows, the NULL at the end too, through the probe. */
static void check_probe(const Values *values, const Vector *v)
{
    uint32_t rows = values->count + 1;
    uint32_t a[VALUES_MAX * VALUES_MAX], b[VALUES_MAX * VALUES_MAX];
    uint32_t selection[VALUES_MAX * VALUES_MAX];
    uint32_t pairs = 0, expected = 0;

    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t j = 0; j < rows; j++) {
            a[pairs] = i;
            b[pairs] = j;
            selection[pairs] = pairs;
            pairs++;
            expected +=
                i < values->count && j < values->count && values->ranks[i] == values->ranks[j];
        }
    }
    uint32_t kept = vector_select_equal(v, v, (RowPairs){a, b}, selection, pairs, false);
    assert_int_equal(kept, expected);
    for (uint32_t e = 0; e < kept; e++)
        assert_int_equal(values->ranks[a[selection[e]]], values->ranks[b[selection[e]]]);
    for (uint32_t e = 0; e < pairs; e++)
        selection[e] = e;
    assert_int_equal(vector_select_equal(v, v, (RowPairs){a, b}, selection, pairs, true),
                     expected + 1);
}

static void check_order(Ctx *ctx, Scope *scope, const OrderCase *c)
{
    Values values;
    Vector v;
    uint64_t hashes[VALUES_MAX + 1], again[VALUES_MAX + 1];

    read_values(ctx, scope, c, &values);
    fill_vector(scope, &values, &v);
    vector_hash(&v, values.count + 1, hashes, false);
    for (uint32_t i = 0; i < values.count; i++) {
        assert_true(hashes[i] == datum_hash(&values.datums[i]));
        for (uint32_t j = 0; j < values.count; j++) {
            int want = sign(values.ranks[i] - values.ranks[j]);
            if (sign(datum_compare(&values.datums[i], &values.datums[j])) != want)
                fail_msg("%s: \"%s\" against \"%s\"", type_format(scope, c->type), c->texts[i],
                         c->texts[j]);
            assert_int_equal(sign(vector_compare(&v, i, &v, j)), want);
            assert_int_equal(vector_equal(&v, i, &v, j), want == 0);
            assert_true(want != 0 || hashes[i] == hashes[j]);
            assert_true(want == 0 || hashes[i] != hashes[j]);
        }
        assert_int_equal(sign(vector_compare_nulls(&v, i, &v, values.count, false)), -1);
        assert_int_equal(sign(vector_compare_nulls(&v, i, &v, values.count, true)), 1);
        assert_false(vector_equal(&v, i, &v, values.count));
    }
    assert_true(hashes[values.count] == HASH_OF_NULL);
    assert_int_equal(vector_compare_nulls(&v, values.count, &v, values.count, true), 0);
    memcpy(again, hashes, sizeof again);
    vector_hash(&v, values.count + 1, again, true);
    if (again[values.count - 1] == hashes[values.count - 1])
        fail_msg("%s: combining changes nothing", type_format(scope, c->type));
    check_probe(&values, &v);
}

static void test_order_equality_and_hash(void **state)
{
    Ctx ctx;

    (void)state;
    ctx_init(&ctx);
    for (size_t i = 0; i < ARRAY_COUNT(orders); i++) {
        Scope *scope = scope_open(NULL, "test");
        check_order(&ctx, scope, &orders[i]);
        scope_close(scope);
    }
    ctx_free(&ctx);
}

/* Numerics of different typmods are one type: they compare and hash alike. */
static void test_numerics_of_different_form(void **state)
{
    static const SqlType types[] = {{OID_NUMERIC, -1},
                                    {OID_NUMERIC, ((10 << 16) | 2) + 4},
                                    {OID_NUMERIC, ((12 << 16) | 4) + 4},
                                    {OID_NUMERIC, ((30 << 16) | 3) + 4}};
    static const char *const texts[] = {"-7.5", "0", "1.25", "100"};
    Ctx ctx;
    Scope *scope = scope_open(NULL, "test");

    (void)state;
    ctx_init(&ctx);
    for (size_t i = 0; i < ARRAY_COUNT(types) * ARRAY_COUNT(texts); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(types) * ARRAY_COUNT(texts); j++) {
            Datum a, b;
            assert_int_equal(
                type_input(&ctx, scope, types[i / 4], str_from(texts[i % 4]), NULL, &a), OK);
            assert_int_equal(
                type_input(&ctx, scope, types[j / 4], str_from(texts[j % 4]), NULL, &b), OK);
            int want = sign((int)(i % 4) - (int)(j % 4));
            assert_int_equal(sign(datum_compare(&a, &b)), want);
            assert_int_equal(datum_hash(&a) == datum_hash(&b), want == 0);
        }
    }
    ctx_free(&ctx);
    scope_close(scope);
}

/* Long vectors in each form hash row by row as their values do. */
static void test_hash_of_forms(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    uint64_t flat_hashes[1000], hashes[1000], combined[1000];
    uint32_t indexes[1000];
    Vector flat, dict, constant;
    int32_t seven = 7;

    (void)state;
    vector_init_flat(&flat, scope, sql_type(OID_INT4), 1000);
    uint64_t *validity = vector_make_validity(&flat, scope, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        vector_flat(&flat, int32_t)[i] = (int32_t)(i % 77);
        indexes[i] = (i * 31) % 1000;
        if (i % 10 == 3)
            bitmap_clear(validity, i);
    }
    vector_hash(&flat, 1000, flat_hashes, false);
    vector_slice(&dict, scope, &flat, indexes, 1000);
    vector_hash(&dict, 1000, hashes, false);
    for (uint32_t i = 0; i < 1000; i++) {
        Datum datum = datum_from_vector(&flat, i);
        assert_true(flat_hashes[i] == datum_hash(&datum));
        assert_true(hashes[i] == flat_hashes[indexes[i]]);
    }
    /* Combining a constant, then a dictionary, is the same for equal rows. */
    vector_init_const(&constant, scope, sql_type(OID_INT4), &seven);
    vector_hash(&constant, 1000, combined, false);
    vector_hash(&dict, 1000, combined, true);
    for (uint32_t i = 0; i < 1000; i++) {
        for (uint32_t j = i + 1; j < MIN(i + 50, 1000); j++)
            assert_int_equal(combined[i] == combined[j], hashes[i] == hashes[j]);
    }
    scope_close(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_equality_and_hash),
        cmocka_unit_test(test_numerics_of_different_form),
        cmocka_unit_test(test_hash_of_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
