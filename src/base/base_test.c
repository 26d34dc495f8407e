// SPDX-License-Identifier: Apache-2.0
//
// Scopes, errors, strings, maps and settings.
#include "base/array.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/settings.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void note(void *arg)
{
    int **at = arg;
    *(*at)++ = 1;
}

static void scope_runs_cleanups_newest_first(void **state)
{
    int order[3] = {0};
    int *at = order;
    Scope *outer = scope_open(NULL, "outer");
    Scope *inner = scope_open(outer, "inner");

    (void)state;
    scope_defer(outer, note, &at);
    scope_defer(inner, note, &at);
    scope_close(outer);
    assert_int_equal(at - order, 2);
}

static void scope_memory_is_zeroed_and_aligned(void **state)
{
    Scope *scope = scope_open(NULL, "test");

    (void)state;
    for (size_t bytes = 1; bytes < 200000; bytes = bytes * 3 + 1) {
        unsigned char *p = scope_alloc(scope, bytes);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xAB, bytes);
    }
    scope_reset(scope);
    unsigned char *again = scope_alloc(scope, 64);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(again[i], 0);
    scope_close(scope);
}

static void budget_of_an_ancestor_is_kept(void **state)
{
    Ctx ctx;
    void *p;
    Scope *outer = scope_open(NULL, "outer");
    Scope *inner = scope_open(outer, "inner");

    (void)state;
    ctx_init(&ctx);
    scope_set_budget(outer, 1000);
    assert_int_equal(scope_alloc_data(&ctx, inner, 900, &p), OK);
    assert_false(scope_fits(inner, 200));
    assert_int_equal(scope_alloc_data(&ctx, inner, 200, &p), E_OUT_OF_MEMORY);
    assert_string_equal(error_sqlstate(ctx.error.status), "53200");
    assert_int_equal(scope_data_bytes(outer), 900);
    scope_close(inner);
    assert_int_equal(scope_data_bytes(outer), 0);
    scope_close(outer);
    ctx_free(&ctx);
}

static void first_error_wins(void **state)
{
    Ctx ctx;

    (void)state;
    ctx_init(&ctx);
    assert_int_equal(error_raise(&ctx, E_SYNTAX, "first %d", 1), E_SYNTAX);
    assert_int_equal(error_raise(&ctx, E_INTERNAL, "second"), E_SYNTAX);
    assert_string_equal(ctx.error.message, "first 1");
    error_position(&ctx, 7);
    error_position(&ctx, 9);
    assert_int_equal(ctx.error.position, 7);
    ctx_free(&ctx);
}

static void utf8_is_checked(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        bool valid;
    } cases[] = {
        {"abc", 3, true},
        {"\xC3\xA4", 2, true},
        {"\xC0\x80", 2, false},
        {"\xED\xA0\x80", 3, false},
        {"\xF4\x8F\xBF\xBF", 4, true},
        {"\xF4\x90\x80\x80", 4, false},
        {"\xE2\x82", 2, false},
        {"0123456789\xFF", 11, false},
        {"a\0b", 3, false},
        {"12345678\0", 9, false},
        {"\xE2\x82\xAC"
         "1234567",
         10, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_int_equal(str_utf8_valid((Str){cases[i].bytes, cases[i].length}, NULL),
                         cases[i].valid);
}

static void map_finds_what_was_put(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    StrMap *map = strmap_new(scope);
    static int values[5000];

    (void)state;
    for (int i = 0; i < 5000; i++)
        strmap_put(map, str_from(scope_printf(scope, "key %d", i)), &values[i]);
    for (int i = 0; i < 5000; i += 3)
        assert_ptr_equal(strmap_remove(map, str_from(scope_printf(scope, "key %d", i))),
                         &values[i]);
    for (int i = 0; i < 5000; i++)
        assert_ptr_equal(strmap_get(map, str_from(scope_printf(scope, "key %d", i))),
                         i % 3 ? &values[i] : NULL);
    assert_int_equal(strmap_count(map), 5000 - 1667);
    scope_close(scope);
}

static Str show(const Settings *settings, Scope *scope, const char *name)
{
    return settings_show(settings, scope, setting_find(str_from(name)));
}

static void settings_read_units(void **state)
{
    static const struct {
        const char *text;
        const char *shown;
    } cases[] = {
        {"64kB", "64kB"}, {"64KiB", "64kB"}, {"1024", "1MB"}, {"1GB", "1GB"}, {"1.5GiB", "1536MB"}};
    Ctx ctx;
    Scope *scope = scope_open(NULL, "test");
    Settings *settings = settings_new();

    (void)state;
    ctx_init(&ctx);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(settings_set(&ctx, settings, SETTING_WORK_MEM, str_from(cases[i].text)),
                         OK);
        assert_true(str_is(show(settings, scope, "work_mem"), cases[i].shown));
    }
    assert_int_equal(settings_set(&ctx, settings, SETTING_WORK_MEM, STR("1 parsec")),
                     E_INVALID_PARAMETER_VALUE);
    assert_true(str_is(show(settings, scope, "work_mem"), "1536MB"));
    assert_int_equal(setting_find(STR("WORK-MEM")), SETTING_WORK_MEM);
    assert_int_equal(setting_find(STR("nope")), SETTINGS_COUNT);
    ctx_free(&ctx);
    settings_free(settings);
    scope_close(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scope_runs_cleanups_newest_first),
        cmocka_unit_test(scope_memory_is_zeroed_and_aligned),
        cmocka_unit_test(budget_of_an_ancestor_is_kept),
        cmocka_unit_test(first_error_wins),
        cmocka_unit_test(utf8_is_checked),
        cmocka_unit_test(map_finds_what_was_put),
        cmocka_unit_test(settings_read_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
