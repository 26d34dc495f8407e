// SPDX-License-Identifier: Apache-2.0
//
// The compact form of arrays: elements come back as they went in, for every kind of element; bytes
// from a file are checked. Text and binary forms are tested in io_test.c.
#include "types/array.h"
#include "types/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    Oid array;
    const char *text;
} cases[] = {
    {OID_INT4_ARRAY, "{}"},
    {OID_INT4_ARRAY, "{1,NULL,3}"},
    {OID_BOOL_ARRAY, "{t,f}"},
    {OID_TEXT_ARRAY, "{a,\"\",NULL,\"a long string beyond the view\"}"},
    {OID_NUMERIC_ARRAY, "{1.50,NaN}"},
    {OID_UUID_ARRAY, "{00000000-0000-0000-0000-000000000001}"},
    {OID_INTERVAL_ARRAY, "{\"1 day\",NULL}"},
    {OID_TEXT_ARRAY, "{{a,b},{c,d}}"},
    {OID_OIDVECTOR, "1 2 3"},
};

static void test_elements_come_back(void **state)
{
    Ctx ctx;
    Scope *scope = scope_open(NULL, "test");

    (void)state;
    ctx_init(&ctx);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        Datum datum;
        ArrayView view;
        ArrayShape shape = {0};
        Datum elements[8];
        StrView again;
        assert_int_equal(type_input(&ctx, scope, sql_type(cases[i].array), str_from(cases[i].text),
                                    NULL, &datum),
                         OK);
        Str bytes = strview_str(&datum.string);
        assert_int_equal(array_check(&ctx, bytes), OK);
        array_view(bytes, &view);
        shape.dimensions = view.dimensions;
        memcpy(shape.lengths, view.lengths, sizeof shape.lengths);
        memcpy(shape.lower, view.lower, sizeof shape.lower);
        for (uint32_t e = 0; e < view.count; e++)
            elements[e] = array_get(&view, e);
        assert_int_equal(array_make(&ctx, scope, view.element, &shape, elements, &again), OK);
        assert_true(str_equal(strview_str(&again), bytes));
        assert_int_equal(array_compare(strview_str(&again), bytes), 0);
    }
    ctx_free(&ctx);
    scope_close(scope);
}

/* No cut and no flipped byte of a stored array is read beyond its end. */
static void test_damaged_bytes_are_found_or_harmless(void **state)
{
    Ctx ctx;
    Scope *scope = scope_open(NULL, "test");

    (void)state;
    ctx_init(&ctx);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        Datum datum;
        assert_int_equal(type_input(&ctx, scope, sql_type(cases[i].array), str_from(cases[i].text),
                                    NULL, &datum),
                         OK);
        Str bytes = strview_str(&datum.string);
        for (size_t length = 0; length < bytes.len; length++) {
            char *cut = malloc(length ? length : 1);
            memcpy(cut, bytes.ptr, length);
            assert_int_equal(array_check(&ctx, str_make(cut, length)), E_DATA_CORRUPTED);
            error_clear(&ctx);
            free(cut);
        }
        for (size_t at = 0; at < bytes.len * 8; at++) {
            char *damaged = malloc(bytes.len);
            memcpy(damaged, bytes.ptr, bytes.len);
            damaged[at / 8] ^= (char)(1 << (at % 8));
            if (array_check(&ctx, str_make(damaged, bytes.len)) == OK)
                array_hash(str_make(damaged, bytes.len));
            error_clear(&ctx);
            free(damaged);
        }
    }
    ctx_free(&ctx);
    scope_close(scope);
}

static void test_one_dimension(void **state)
{
    Ctx ctx;
    StrView out;
    ArrayView view;
    Scope *scope = scope_open(NULL, "test");
    Datum elements[3] = {{.type = sql_type(OID_INT8), .int64 = 5},
                         {.type = sql_type(OID_INT8), .is_null = true},
                         {.type = sql_type(OID_INT8), .int64 = -1}};

    (void)state;
    ctx_init(&ctx);
    assert_int_equal(array_make_1d(&ctx, scope, sql_type(OID_INT8), elements, 3, &out), OK);
    array_view(strview_str(&out), &view);
    assert_int_equal(view.dimensions, 1);
    assert_int_equal(view.lower[0], 1);
    assert_int_equal(array_get(&view, 2).int64, -1);
    assert_true(array_get(&view, 1).is_null);
    assert_int_equal(array_make_1d(&ctx, scope, sql_type(OID_INT8), NULL, 0, &out), OK);
    array_view(strview_str(&out), &view);
    assert_int_equal(view.dimensions, 0);
    assert_int_equal(array_element_type((SqlType){OID_VARCHAR_ARRAY, 7}).typmod, 7);
    ctx_free(&ctx);
    scope_close(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements_come_back),
        cmocka_unit_test(test_damaged_bytes_are_found_or_harmless),
        cmocka_unit_test(test_one_dimension),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
