// SPDX-License-Identifier: Apache-2.0
//
// Types and vectors: the table of types against itself, printed names and typmods as PostgreSQL has
// them, slices of each form, ranges at every offset, flat copies.
#include "types/datum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_type_table_is_consistent(void **state)
{
    uint32_t count;
    const TypeInfo *rows = type_rows(&count);

    (void)state;
    for (uint32_t i = 0; i < count; i++) {
        assert_true(i == 0 || rows[i - 1].oid < rows[i].oid);
        assert_ptr_equal(type_info(rows[i].oid), &rows[i]);
        assert_ptr_equal(type_by_name(str_from(rows[i].name)), &rows[i]);
        if (rows[i].array)
            assert_int_equal(type_info(rows[i].array)->element, rows[i].oid);
        if (rows[i].element)
            assert_int_equal(rows[i].phys, PHYS_STRING);
    }
    assert_null(type_info(600));
    assert_null(type_by_name(STR("nothing")));
    assert_int_equal(type_by_name(STR("timestamp with time zone"))->oid, OID_TIMESTAMPTZ);
    assert_int_equal(type_by_name(STR("INTEGER"))->oid, OID_INT4);
    assert_int_equal(type_by_name(STR("integer[]"))->oid, OID_INT4_ARRAY);
    assert_int_equal(type_by_name(STR("char"))->oid, OID_CHAR);
}

static void test_printed_types(void **state)
{
    static const struct {
        SqlType type;
        const char *text;
    } cases[] = {
        {{OID_INT4, -1}, "integer"},
        {{OID_VARCHAR, 14}, "character varying(10)"},
        {{OID_BPCHAR, 5}, "character(1)"},
        {{OID_NUMERIC, ((12 << 16) | 2) + 4}, "numeric(12,2)"},
        {{OID_NUMERIC, ((3 << 16) | (-2 & 0x7ff)) + 4}, "numeric(3,-2)"},
        {{OID_TIMESTAMP, 3}, "timestamp(3) without time zone"},
        {{OID_TIMESTAMPTZ, -1}, "timestamp with time zone"},
        {{OID_INTERVAL, (4 << 16) | 0xffff}, "interval year"},
        {{OID_INTERVAL, (0x1c08 << 16) | 3}, "interval day to second(3)"},
        {{OID_CHAR, -1}, "\"char\""},
        {{OID_NUMERIC_ARRAY, ((12 << 16) | 2) + 4}, "numeric(12,2)[]"},
        {{OID_OIDVECTOR, -1}, "oidvector"},
        {{0, -1}, "-"},
        {{600, -1}, "???"},
    };
    Scope *scope = scope_open(NULL, "test");

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(type_format(scope, cases[i].type), cases[i].text);
    scope_close(scope);
}

static void test_typmods(void **state)
{
    static const struct {
        Oid oid;
        uint32_t count;
        int32_t mods[3];
        int32_t typmod;
        const char *error;
    } cases[] = {
        {OID_NUMERIC, 2, {12, 2}, ((12 << 16) | 2) + 4, NULL},
        {OID_NUMERIC, 1, {5}, (5 << 16) + 4, NULL},
        {OID_NUMERIC, 1, {0}, 0, "NUMERIC precision 0 must be between 1 and 1000"},
        {OID_NUMERIC, 2, {3, 1001}, 0, "NUMERIC scale 1001 must be between -1000 and 1000"},
        {OID_NUMERIC, 3, {1, 2, 3}, 0, "invalid NUMERIC type modifier"},
        {OID_NUMERIC, 1, {39}, 0, "numeric types of more than 38 digits are not supported"},
        {OID_VARCHAR, 1, {10}, 14, NULL},
        {OID_VARCHAR, 1, {0}, 0, "length for type varchar must be at least 1"},
        {OID_BPCHAR, 1, {0}, 0, "length for type char must be at least 1"},
        {OID_VARCHAR, 1, {100000000}, 0, "length for type varchar cannot exceed 10485760"},
        {OID_TIMESTAMP, 1, {7}, 6, NULL},
        {OID_TIMESTAMPTZ,
         1,
         {-1},
         0,
         "TIMESTAMP(-1) WITH TIME ZONE precision must not be negative"},
        {OID_INT4, 1, {3}, 0, "type modifier is not allowed for type \"int4\""},
        {OID_VARCHAR_ARRAY, 1, {3}, 7, NULL},
        {OID_INTERVAL, 2, {0x7fff, 3}, (0x7fff << 16) | 3, NULL},
    };
    Ctx ctx;

    (void)state;
    ctx_init(&ctx);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int32_t typmod = 0;
        Status st = type_make_typmod(&ctx, cases[i].oid, cases[i].mods, cases[i].count, &typmod);
        assert_int_equal(st == OK, cases[i].error == NULL);
        if (st == OK)
            assert_int_equal(typmod, cases[i].typmod);
        else
            assert_string_equal(ctx.error.message, cases[i].error);
        error_clear(&ctx);
    }
    ctx_free(&ctx);
}

/* rows values i * 3, every fifth NULL. */
static void fill(Scope *scope, uint32_t rows, Vector *out)
{
    vector_init_flat(out, scope, sql_type(OID_INT8), rows);
    uint64_t *validity = vector_make_validity(out, scope, rows);

    for (uint32_t row = 0; row < rows; row++) {
        vector_flat(out, int64_t)[row] = row * 3;
        if (row % 5 == 0)
            bitmap_clear(validity, row);
    }
}

static void expect_row(const Vector *v, uint32_t row, uint32_t original)
{
    assert_int_equal(vector_is_null(v, row), original % 5 == 0);
    if (original % 5)
        assert_int_equal(vector_at(v, int64_t, row), original * 3);
}

static void test_slices_compose(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    Vector columns[3];
    Batch batch = {300, 3, columns};
    Batch once, twice;
    uint32_t first[100], second[10];

    (void)state;
    fill(scope, 300, &columns[0]);
    fill(scope, 300, &columns[1]);
    vector_init_const(&columns[2], scope, sql_type(OID_INT8), NULL);
    for (uint32_t i = 0; i < 100; i++)
        first[i] = 299 - i * 2;
    for (uint32_t i = 0; i < 10; i++)
        second[i] = i * 9;
    batch_slice(&once, scope, &batch, first, 100);
    batch_slice(&twice, scope, &once, second, 10);
    assert_int_equal(twice.rows_count, 10);
    for (uint32_t row = 0; row < 10; row++) {
        expect_row(&twice.columns[0], row, first[second[row]]);
        expect_row(&twice.columns[1], row, first[second[row]]);
        assert_true(vector_is_null(&twice.columns[2], row));
    }
    /* Columns of one filter share one composed dictionary. */
    assert_ptr_equal(twice.columns[0].indexes, twice.columns[1].indexes);
    scope_close(scope);
}

static void test_ranges_at_every_offset(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    Vector columns[2];
    Batch batch = {200, 2, columns};
    uint32_t indexes[200];

    (void)state;
    fill(scope, 200, &columns[0]);
    for (uint32_t i = 0; i < 200; i++)
        indexes[i] = 199 - i;
    vector_slice(&columns[1], scope, &columns[0], indexes, 200);
    for (uint32_t start = 0; start < 200; start++) {
        Batch range;
        uint32_t rows = 200 - start;
        batch_range(&range, scope, &batch, start, rows);
        for (uint32_t row = 0; row < rows; row++) {
            expect_row(&range.columns[0], row, start + row);
            expect_row(&range.columns[1], row, 199 - start - row);
        }
    }
    scope_close(scope);
}

static void test_flat_copies_are_deep(void **state)
{
    Ctx ctx;
    Scope *scope = scope_open(NULL, "test");
    char bytes[] = "a string that is longer than the view";
    StrView view = strview_make(bytes, sizeof bytes - 1);
    uint32_t indexes[] = {0, 0, 0};
    Vector constant, flat, dict, copy;

    (void)state;
    ctx_init(&ctx);
    vector_init_const(&constant, scope, sql_type(OID_TEXT), &view);
    assert_int_equal(vector_copy_flat(&ctx, scope, &constant, 3, true, &flat), OK);
    assert_int_equal(flat.form, VECTOR_FLAT);
    vector_slice(&dict, scope, &flat, indexes, 3);
    assert_int_equal(vector_copy_flat(&ctx, scope, &dict, 3, true, &copy), OK);
    bytes[0] = 'X';
    for (uint32_t row = 0; row < 3; row++)
        assert_true(str_is(strview_str(&vector_at(&copy, StrView, row)),
                           "a string that is longer than the view"));
    scope_close(scope);
    ctx_free(&ctx);
}

/* A copy of data is charged; beyond the budget it fails. */
static void test_copy_respects_the_budget(void **state)
{
    Ctx ctx;
    Scope *scope = scope_open(NULL, "test");
    Vector v, copy;

    (void)state;
    ctx_init(&ctx);
    fill(scope, 2000, &v);
    scope_set_budget(scope, 1000);
    assert_int_equal(vector_copy_flat(&ctx, scope, &v, 2000, false, &copy), E_OUT_OF_MEMORY);
    ctx_free(&ctx);
    scope_close(scope);
}

static void test_datums(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    char bytes[] = "more than twelve bytes";
    Datum text = {.type = sql_type(OID_TEXT), .string = strview_make(bytes, sizeof bytes - 1)};
    Vector v;

    (void)state;
    Datum copy = datum_copy(scope, &text);
    bytes[0] = 'X';
    assert_true(str_is(strview_str(&copy.string), "more than twelve bytes"));
    datum_to_vector(&copy, scope, &v);
    Datum back = datum_from_vector(&v, 17);
    assert_true(strview_equal(&back.string, &copy.string));
    Datum null = datum_null(sql_type(OID_NUMERIC));
    datum_to_vector(&null, scope, &v);
    assert_true(datum_from_vector(&v, 3).is_null);
    scope_close(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_type_table_is_consistent),
        cmocka_unit_test(test_printed_types),
        cmocka_unit_test(test_typmods),
        cmocka_unit_test(test_slices_compose),
        cmocka_unit_test(test_ranges_at_every_offset),
        cmocka_unit_test(test_flat_copies_are_deep),
        cmocka_unit_test(test_copy_respects_the_budget),
        cmocka_unit_test(test_datums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
