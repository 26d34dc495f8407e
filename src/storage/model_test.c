// SPDX-License-Identifier: Apache-2.0
//
// Random histories against a naive model: every version that was ever committed, in an array a key.
// Commits, snapshots that stay open, point reads, scans both ways, newest versions, flushes, full
// compactions, memory that runs short, restarts and crashes, in random order from a seed. A
// snapshot reads through the view of its opening or through the current one; both must say what the
// model says. DBASPOT_SEED replays one seed; SOAK=1 runs many.
#include "os/random.h"
#include "storage/storage_core.h"
#include "storage/table.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { KEYS = 2500, VERSIONS_MAX = 200, SNAPSHOTS = 6, RELATION = 1001, ROW_BYTES_MAX = 8000 };

typedef struct ModelVersion {
    Timestamp ts;
    uint32_t value; /* 0: deleted */
} ModelVersion;

typedef struct ModelKey {
    ModelVersion versions[VERSIONS_MAX]; /* oldest first */
    uint32_t count;
} ModelKey;

typedef struct OpenSnapshot {
    StorageView *view; /* NULL: none */
    Timestamp read_ts;
} OpenSnapshot;

typedef struct Model {
    uint64_t seed;
    Random random;
    Storage *storage;
    ModelKey keys[KEYS];
    OpenSnapshot snapshots[SNAPSHOTS];
    uint32_t next_value;
    Timestamp acknowledged;
} Model;

static Ctx ctx;
static char dir[64];
static Model model;
static _Atomic Timestamp horizon;

static Timestamp get_horizon(void *arg)
{
    (void)arg;
    return atomic_load(&horizon);
}

/* The oldest timestamp that a snapshot is open at; published before what it lets go can be read. */
static void set_horizon(void)
{
    Timestamp oldest = TIMESTAMP_MAX;

    for (int i = 0; i < SNAPSHOTS; i++) {
        if (model.snapshots[i].view)
            oldest = MIN(oldest, model.snapshots[i].read_ts);
    }
    atomic_store(&horizon, oldest);
}

static uint32_t below(uint32_t bound)
{
    return (uint32_t)random_below(&model.random, bound);
}

static void check(Status st)
{
    if (st != OK)
        fail_msg("seed %llu: %s", (unsigned long long)model.seed, ctx.error.message);
}

static void open_storage(void)
{
    StorageOptions options = {.dir = dir,
                              .memory_limit = (size_t)8 << 20,
                              .generation_bytes = (size_t)1 << 18,
                              .segment_bytes = (size_t)1 << 20,
                              .horizon = get_horizon};

    atomic_store(&horizon, 0);
    check(storage_open(&ctx, &options, &model.storage));
    set_horizon();
}

/* --- the model ---------------------------------------------------------------------------- */

static Str key_of(uint32_t number, char *bytes)
{
    /* Keys that are prefixes of each other, with zeros and ones in them. */
    static const char tails[] = {0, 1, (char)0xff, 'k'};
    size_t len = 0;

    bytes[len++] = (char)(number / 60);
    for (uint32_t rest = number % 60; rest > 0; rest /= 4)
        bytes[len++] = tails[rest % 4];
    bytes[len++] = (char)(number % 60);
    return str_make(bytes, len);
}

static Str row_of(uint32_t value, char *bytes)
{
    size_t len = 8 + value * 7919u % ROW_BYTES_MAX;

    memset(bytes, (char)value, len);
    memcpy(bytes, &value, sizeof value);
    return str_make(bytes, len);
}

static uint32_t model_get(uint32_t key, Timestamp ts)
{
    const ModelKey *versions = &model.keys[key];
    uint32_t at = versions->count;

    while (at > 0 && versions->versions[at - 1].ts > ts)
        at--;
    return at ? versions->versions[at - 1].value : 0;
}

static void model_put(uint32_t key, Timestamp ts, uint32_t value)
{
    ModelKey *versions = &model.keys[key];

    if (versions->count == VERSIONS_MAX) {
        memmove(versions->versions, versions->versions + VERSIONS_MAX / 2,
                VERSIONS_MAX / 2 * sizeof *versions->versions);
        versions->count = VERSIONS_MAX / 2;
    }
    versions->versions[versions->count++] = (ModelVersion){ts, value};
}

/* --- steps ----------------------------------------------------------------------------------- */

enum { WRITES_MAX = 150 };

static void commit(void)
{
    WriteSet *set = writeset_new();
    uint32_t keys[WRITES_MAX];
    uint32_t values[WRITES_MAX];
    uint32_t count = 1 + below(below(100) ? 8 : WRITES_MAX); /* some get their own generation */
    char key[16];
    char row[ROW_BYTES_MAX + 16];
    Timestamp ts;

    for (uint32_t i = 0; i < count; i++) {
        keys[i] = below(4) ? below(KEYS) : below(10);
        values[i] = below(5) ? ++model.next_value : 0;
        if (values[i])
            check(
                writeset_put(&ctx, set, RELATION, key_of(keys[i], key), row_of(values[i], row), 0));
        else
            check(writeset_delete(&ctx, set, RELATION, key_of(keys[i], key), 0));
    }
    check(storage_commit(&ctx, model.storage, set, 1, NULL, NULL, &ts));
    for (uint32_t i = 0; i < count; i++) {
        bool again = false;

        for (uint32_t j = i + 1; j < count; j++)
            again = again || keys[j] == keys[i];
        if (!again)
            model_put(keys[i], ts, values[i]);
    }
    writeset_free(set);
    if (below(8) == 0) {
        check(storage_wait_durable(&ctx, model.storage, ts));
        model.acknowledged = ts;
    }
}

static void toggle_snapshot(void)
{
    OpenSnapshot *snapshot = &model.snapshots[below(SNAPSHOTS)];

    if (snapshot->view) {
        storage_view_unpin(snapshot->view);
        snapshot->view = NULL;
        set_horizon();
        return;
    }
    /* Registered first, then the view, as transactions do. */
    snapshot->read_ts = storage_installed_ts(model.storage);
    atomic_store(&horizon, MIN(atomic_load(&horizon), snapshot->read_ts));
    snapshot->view = storage_view_pin(model.storage);
}

static void close_snapshots(void)
{
    for (int i = 0; i < SNAPSHOTS; i++) {
        if (model.snapshots[i].view)
            storage_view_unpin(model.snapshots[i].view);
        model.snapshots[i].view = NULL;
    }
}

static void expect_model(uint32_t key, Timestamp ts, Str row)
{
    uint32_t value = model_get(key, ts);
    char expected[ROW_BYTES_MAX + 16];

    if (value == 0 || !str_equal(row, row_of(value, expected)))
        fail_msg("seed %llu: key %u at %llu has a wrong row", (unsigned long long)model.seed, key,
                 (unsigned long long)ts);
}

static void read_key(const Snapshot *snapshot)
{
    Scope *scope = scope_open(NULL, "test");
    uint32_t key = below(KEYS);
    char bytes[16];
    bool found;
    Str row;

    check(table_get(&ctx, scope, snapshot, RELATION, key_of(key, bytes), &row, &found));
    if (found)
        expect_model(key, snapshot->read_ts, row);
    else
        assert_int_equal(model_get(key, snapshot->read_ts), 0);
    scope_close(scope);
}

static int compare_keys(const void *a, const void *b)
{
    char left[16];
    char right[16];
    Str left_key = key_of(*(const uint32_t *)a, left);
    Str right_key = key_of(*(const uint32_t *)b, right);

    return str_compare(left_key, right_key);
}

static void scan(const Snapshot *snapshot)
{
    Scope *scope = scope_open(NULL, "test");
    static uint32_t order[KEYS];
    bool descending = below(2);
    uint32_t first = below(KEYS);
    uint32_t last = first + below(KEYS - first);
    char low[16];
    char high[16];
    char bytes[16];
    RawScan *raw;
    Str keys[100];
    Str rows[100];
    uint32_t count = 0;
    uint32_t at = 0;

    for (uint32_t i = 0; i < KEYS; i++)
        order[i] = i;
    qsort(order, KEYS, sizeof *order, compare_keys);
    KeyRange range = {key_of(order[first], low), key_of(order[last], high), true};
    check(table_raw_scan_open(&ctx, scope, snapshot, RELATION, range, descending, &raw));
    for (uint32_t i = first; i < last; i++) {
        uint32_t key = order[descending ? last - 1 - (i - first) : i];

        if (model_get(key, snapshot->read_ts) == 0)
            continue;
        if (at == count) {
            check(table_raw_scan_next(&ctx, raw, keys, rows, ARRAY_COUNT(keys), &count));
            at = 0;
        }
        if (at == count || !str_equal(keys[at], key_of(key, bytes)))
            fail_msg("seed %llu: a scan misses key %u", (unsigned long long)model.seed, key);
        expect_model(key, snapshot->read_ts, rows[at++]);
    }
    if (at == count)
        check(table_raw_scan_next(&ctx, raw, keys, rows, ARRAY_COUNT(keys), &count));
    else
        count -= at;
    assert_int_equal(count, 0);
    scope_close(scope);
}

/* Reads as one of the open snapshots, through its own view or the current one, or as a new one. */
static void read_something(void)
{
    const OpenSnapshot *open = &model.snapshots[below(SNAPSHOTS)];
    Snapshot snapshot = {.read_ts = storage_installed_ts(model.storage)};
    StorageView *view = storage_view_pin(model.storage);

    snapshot.view = view;
    if (open->view) {
        snapshot.read_ts = open->read_ts;
        snapshot.view = below(2) ? open->view : view;
    }
    if (below(4))
        read_key(&snapshot);
    else
        scan(&snapshot);
    storage_view_unpin(view);
}

static void ask_newest(void)
{
    uint32_t key = below(KEYS);
    const ModelKey *versions = &model.keys[key];
    Timestamp newest;
    bool live;
    char bytes[16];

    check(storage_newest(&ctx, model.storage, RELATION, key_of(key, bytes), &newest, &live));
    if (live || (versions->count && versions->versions[versions->count - 1].value)) {
        assert_int_equal(newest, versions->versions[versions->count - 1].ts);
        assert_true(live);
    }
}

static void expect_everything(void)
{
    StorageView *view = storage_view_pin(model.storage);
    Snapshot snapshot = {.view = view, .read_ts = storage_installed_ts(model.storage)};
    Scope *scope = scope_open(NULL, "test");
    char bytes[16];

    for (uint32_t key = 0; key < KEYS; key++) {
        bool found;
        Str row;

        check(table_get(&ctx, scope, &snapshot, RELATION, key_of(key, bytes), &row, &found));
        if (found)
            expect_model(key, snapshot.read_ts, row);
        else
            assert_int_equal(model_get(key, snapshot.read_ts), 0);
    }
    scope_close(scope);
    storage_view_unpin(view);
}

static void restart(bool crash)
{
    close_snapshots();
    if (crash)
        storage_crash(model.storage);
    else
        storage_close(model.storage);
    Timestamp last = crash ? model.acknowledged : 0;
    open_storage();
    Timestamp installed = storage_installed_ts(model.storage);
    if (installed < last)
        fail_msg("seed %llu: an acknowledged commit is gone", (unsigned long long)model.seed);
    for (uint32_t key = 0; key < KEYS; key++) {
        ModelKey *versions = &model.keys[key];

        while (versions->count && versions->versions[versions->count - 1].ts > installed)
            versions->count--;
    }
    expect_everything();
}

static void step(void)
{
    uint32_t kind = below(1000);

    if (kind < 600)
        commit();
    else if (kind < 640)
        toggle_snapshot();
    else if (kind < 940)
        read_something();
    else if (kind < 980)
        ask_newest();
    else if (kind < 988)
        check(storage_checkpoint(&ctx, model.storage));
    else if (kind < 991)
        wos_compact(model.storage->wos);
    else if (kind < 994)
        restart(below(2));
}

static void run(uint64_t seed, uint32_t steps)
{
    memset(&model, 0, sizeof model);
    model.seed = seed;
    random_seed(&model.random, seed);
    open_storage();
    for (uint32_t i = 0; i < steps; i++)
        step();
    restart(false);
    close_snapshots();
    storage_close(model.storage);
    check(files_remove_tree(&ctx, files_os(), dir));
}

static void histories_agree_with_the_model(void **state)
{
    const char *seed = getenv("DBASPOT_SEED");
    uint64_t runs = getenv("SOAK") ? 500 : 3;

    (void)state;
    snprintf(dir, sizeof dir, "%s", "/tmp/dbaspot-model-XXXXXX");
    assert_non_null(mkdtemp(dir));
    ctx_init(&ctx);
    if (seed) {
        run(strtoull(seed, NULL, 10), 2500);
        runs = 0;
    }
    for (uint64_t i = 1; i <= runs; i++)
        run(i, 2500);
    check(files_remove_tree(&ctx, files_os(), dir));
    ctx_free(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histories_agree_with_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
