// SPDX-License-Identifier: Apache-2.0
//
// Tier 3 alone: what is ingested is found at every timestamp, keys that are prefixes of each other
// or full of zeros and ones keep apart, compactions drop what may go and nothing else, meta
// survives.
#include "storage/wos/wos.h"

#include "base/memory.h"
#include "os/file.h"
#include "os/random.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RELATION = 7 };

static Ctx ctx;
static char dir[64];
static Timestamp horizon;
static RelationId gone;

static Timestamp get_horizon(void *arg)
{
    (void)arg;
    return horizon;
}

static bool is_dropped(void *arg, RelationId relation)
{
    (void)arg;
    return relation == gone;
}

static Wos *open_wos(void)
{
    WosOptions options = {
        .dir = dir, .cache_bytes = 1 << 20, .horizon = get_horizon, .dropped = is_dropped};
    Wos *wos = NULL;

    if (wos_open(&ctx, &options, &wos) != OK)
        fail_msg("%s", ctx.error.message);
    return wos;
}

typedef struct Version {
    RelationId relation;
    const char *key;
    size_t key_len;
    Timestamp ts;
    const char *row; /* NULL: a tombstone */
} Version;

/* In the order that the loader wants. */
static void load(Wos *wos, const Version *versions, size_t count)
{
    WosLoader *loader;

    assert_int_equal(wos_loader_open(&ctx, wos, &loader), OK);
    for (size_t i = 0; i < count; i++) {
        const Version *v = &versions[i];

        assert_int_equal(wos_loader_put(&ctx, loader, v->relation, str_make(v->key, v->key_len),
                                        v->ts, str_from(v->row), v->row == NULL),
                         OK);
    }
    assert_int_equal(wos_loader_ingest(&ctx, loader), OK);
    wos_loader_close(loader);
}

static void expect(Wos *wos, const char *key, size_t key_len, Timestamp ts, const char *row)
{
    Scope *scope = scope_open(NULL, "test");
    WosVersion version = {0};
    bool found;

    assert_int_equal(
        wos_get(&ctx, scope, wos, RELATION, str_make(key, key_len), ts, &version, &found), OK);
    if (row) {
        assert_true(found);
        assert_false(version.tombstone);
        assert_true(version.commit_ts <= ts);
        assert_true(str_is(version.row, row));
    } else {
        assert_true(!found || version.tombstone);
    }
    scope_close(scope);
}

static void versions_are_found_at_every_time(void **state)
{
    static const Version versions[] = {
        {RELATION, "", 0, 5, "empty"},        {RELATION, "\0", 1, 30, "zero"},
        {RELATION, "\0\0", 2, 20, "zeros"},   {RELATION, "a", 1, 30, NULL},
        {RELATION, "a", 1, 20, "a2"},         {RELATION, "a", 1, 10, "a1"},
        {RELATION, "a\0", 2, 15, "a zero"},   {RELATION, "ab", 2, 25, "ab"},
        {RELATION, "a\xff", 2, 7, "a ones"},  {RELATION, "\xff", 1, 9, "ones"},
        {RELATION + 1, "a", 1, 1, "another"},
    };
    Wos *wos = open_wos();

    (void)state;
    load(wos, versions, ARRAY_COUNT(versions));
    for (int life = 0; life < 2; life++) {
        expect(wos, "", 0, 100, "empty");
        expect(wos, "", 0, 4, NULL);
        expect(wos, "\0", 1, 30, "zero");
        expect(wos, "\0", 1, 29, NULL);
        expect(wos, "\0\0", 2, 29, "zeros");
        expect(wos, "a", 1, 100, NULL);
        expect(wos, "a", 1, 29, "a2");
        expect(wos, "a", 1, 19, "a1");
        expect(wos, "a", 1, 9, NULL);
        expect(wos, "a\0", 2, 100, "a zero");
        expect(wos, "a\xff", 2, 100, "a ones");
        expect(wos, "\xff", 1, 100, "ones");
        expect(wos, "b", 1, 100, NULL);
        wos_close(wos);
        wos = open_wos();
    }
    WosCursor cursor;
    static const char *const rows[] = {"empty", "zero", "zeros", "a zero", "ab", "a ones", "ones"};
    for (int descending = 0; descending < 2; descending++) {
        assert_int_equal(wos_cursor_open(&ctx, wos, RELATION, 100, descending, &cursor), OK);
        assert_int_equal(wos_cursor_seek(&ctx, &cursor, STR(""), false), OK);
        for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
            assert_true(cursor.valid);
            assert_true(str_is(cursor.row, rows[descending ? ARRAY_COUNT(rows) - 1 - i : i]));
            assert_int_equal(wos_cursor_next(&ctx, &cursor), OK);
        }
        assert_false(cursor.valid);
        wos_cursor_close(&cursor);
    }
    wos_close(wos);
}

static Status count_version(Ctx *unused, void *arg, RelationId relation, Str key, Timestamp ts,
                            Str row, bool tombstone)
{
    (void)unused, (void)relation, (void)key, (void)ts, (void)row, (void)tombstone;
    ++*(uint64_t *)arg;
    return OK;
}

static uint64_t versions_count(Wos *wos)
{
    uint64_t count = 0;

    assert_int_equal(wos_walk(&ctx, wos, count_version, &count), OK);
    return count;
}

static void compactions_drop_what_may_go(void **state)
{
    static const Version old[] = {
        {RELATION, "a", 1, 10, "a1"},
        {RELATION, "b", 1, 10, "b1"},
        {RELATION, "c", 1, 10, "c1"},
        {RELATION + 2, "x", 1, 10, "x"},
    };
    static const Version new[] = {
        {RELATION, "a", 1, 40, "a4"}, {RELATION, "a", 1, 30, "a3"}, {RELATION, "a", 1, 20, "a2"},
        {RELATION, "b", 1, 20, NULL}, {RELATION, "c", 1, 40, NULL},
    };
    Wos *wos = open_wos();

    (void)state;
    horizon = 0;
    gone = 0;
    load(wos, old, ARRAY_COUNT(old));
    load(wos, new, ARRAY_COUNT(new));
    wos_compact(wos);
    assert_int_equal(versions_count(wos), 9); /* a snapshot at 0 might be open */
    horizon = 30;
    wos_compact(wos);
    /* a2, a1 and b1 are superseded at or below 30. */
    expect(wos, "a", 1, 30, "a3");
    expect(wos, "a", 1, 50, "a4");
    expect(wos, "a", 1, 29, NULL);
    expect(wos, "b", 1, 30, NULL);
    expect(wos, "c", 1, 39, "c1");
    expect(wos, "c", 1, 40, NULL);
    assert_true(versions_count(wos) <= 6);
    gone = RELATION + 2;
    wos_compact(wos);
    assert_true(versions_count(wos) <= 5);
    assert_int_equal(wos_delete_relation(&ctx, wos, RELATION), OK);
    expect(wos, "a", 1, 50, NULL);
    wos_close(wos);
    wos = open_wos();
    assert_int_equal(versions_count(wos), 0);
    wos_close(wos);
}

static void ingesting_twice_changes_nothing(void **state)
{
    static const Version versions[] = {{RELATION, "a", 1, 20, NULL}, {RELATION, "a", 1, 10, "a"}};
    Wos *wos = open_wos();

    (void)state;
    horizon = 0;
    gone = 0;
    for (int i = 0; i < 3; i++)
        load(wos, versions, ARRAY_COUNT(versions));
    assert_int_equal(versions_count(wos), 2);
    expect(wos, "a", 1, 15, "a");
    wos_close(wos);
}

static void meta_is_durable_and_atomic(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    Wos *wos = open_wos();
    WosMeta first[] = {{STR("x/1"), STR("one"), false},
                       {STR("x/2"), STR("two"), false},
                       {STR("y"), STR("why"), false}};
    WosMeta second[] = {{STR("x/1"), STR(""), true}, {STR("x/3"), STR("three"), false}};
    Str value;
    Str *keys;
    uint32_t count;
    bool found;

    (void)state;
    assert_int_equal(wos_meta_write(&ctx, wos, first, ARRAY_COUNT(first)), OK);
    assert_int_equal(wos_meta_write(&ctx, wos, second, ARRAY_COUNT(second)), OK);
    wos_close(wos);
    wos = open_wos();
    assert_int_equal(wos_meta_get(&ctx, scope, wos, STR("x/1"), &value, &found), OK);
    assert_false(found);
    assert_int_equal(wos_meta_get(&ctx, scope, wos, STR("x/3"), &value, &found), OK);
    assert_true(found && str_is(value, "three"));
    assert_int_equal(wos_meta_list(&ctx, scope, wos, STR("x/"), &keys, &count), OK);
    assert_int_equal(count, 2);
    assert_true(str_is(keys[0], "x/2") && str_is(keys[1], "x/3"));
    wos_close(wos);
    scope_close(scope);
}

static void sizes_and_splits_are_in_proportion(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    Wos *wos = open_wos();
    Random random;
    char noise[1000];
    Str bounds[4];
    uint32_t count;
    uint64_t rows;
    uint64_t bytes;

    (void)state;
    random_seed(&random, 1);
    for (uint32_t file = 0; file < 8; file++) {
        WosLoader *loader;

        assert_int_equal(wos_loader_open(&ctx, wos, &loader), OK);
        for (uint32_t i = 0; i < 500; i++) {
            char key[16];

            for (size_t j = 0; j < sizeof noise; j++)
                noise[j] = (char)random_u64(&random);
            snprintf(key, sizeof key, "%u%06u", file, i);
            assert_int_equal(wos_loader_put(&ctx, loader, RELATION, str_from(key), 10,
                                            str_make(noise, sizeof noise), false),
                             OK);
        }
        assert_int_equal(wos_loader_ingest(&ctx, loader), OK);
        wos_loader_close(loader);
    }
    wos_relation_size(wos, RELATION, &rows, &bytes);
    assert_in_range(rows, 3000, 5000);
    assert_in_range(bytes, 3000000, 5500000);
    wos_relation_size(wos, RELATION + 1, &rows, &bytes);
    assert_in_range(rows, 0, 500);
    assert_int_equal(
        wos_split(&ctx, scope, wos, RELATION, STR(""), STR(""), false, 4, bounds, &count), OK);
    assert_in_range(count, 1, 3);
    for (uint32_t i = 1; i < count; i++)
        assert_true(str_compare(bounds[i - 1], bounds[i]) < 0);
    assert_int_equal(
        wos_split(&ctx, scope, wos, RELATION, STR("3"), STR("5"), true, 4, bounds, &count), OK);
    for (uint32_t i = 0; i < count; i++)
        assert_true(str_compare(bounds[i], STR("3")) > 0 && str_compare(bounds[i], STR("5")) < 0);
    wos_close(wos);
    scope_close(scope);
}

static void interrupted_loads_are_swept(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    Wos *wos = open_wos();
    WosLoader *loader;
    File *file;
    char **names;
    uint32_t count;

    (void)state;
    assert_int_equal(wos_loader_open(&ctx, wos, &loader), OK);
    assert_int_equal(wos_loader_put(&ctx, loader, RELATION, STR("k"), 1, STR("given up"), false),
                     OK);
    wos_loader_close(loader);
    assert_int_equal(file_open(&ctx, files_os(), scope_printf(scope, "%s/load-77.sst", dir),
                               FILE_WRITE | FILE_CREATE, &file),
                     OK);
    file_close(file);
    wos_close(wos);
    wos = open_wos();
    assert_int_equal(files_list(&ctx, scope, files_os(), dir, &names, &count), OK);
    for (uint32_t i = 0; i < count; i++)
        assert_null(strstr(names[i], "load-"));
    expect(wos, "k", 1, 10, NULL);
    wos_close(wos);
    scope_close(scope);
}

static int set_up(void **state)
{
    (void)state;
    ctx_init(&ctx);
    snprintf(dir, sizeof dir, "%s", "/tmp/dbaspot-wos-XXXXXX");
    assert_non_null(mkdtemp(dir));
    horizon = 0;
    gone = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(files_remove_tree(&ctx, files_os(), dir), OK);
    ctx_free(&ctx);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(versions_are_found_at_every_time),   TEST(compactions_drop_what_may_go),
        TEST(ingesting_twice_changes_nothing),    TEST(meta_is_durable_and_atomic),
        TEST(sizes_and_splits_are_in_proportion), TEST(interrupted_loads_are_swept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
