// SPDX-License-Identifier: Apache-2.0
//
// Generations against a naive model: random keys of several shapes, versions in random order, point
// reads at random times, walks over random ranges in both directions, splits; then readers beside
// writers (ThreadSanitizer runs this too). DBASPOT_SEED replays one seed, SOAK=1 runs more of them.
#include "base/scope.h"
#include "os/random.h"
#include "os/thread.h"
#include "storage/delta/delta.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TABLE    1001u
#define KEYS     3000
#define VERSIONS 4

/* --- the model ------------------------------------------------------------------------------ */

typedef struct ModelVersion {
    Timestamp ts; /* 0: none */
    bool tombstone;
} ModelVersion;

typedef struct ModelKey {
    char bytes[48];
    size_t len;
    ModelVersion versions[VERSIONS]; /* in the order in which they were put */
    uint32_t count;
} ModelKey;

typedef struct Model {
    ModelKey keys[KEYS];
    uint32_t count;
} Model;

static Str model_key(const ModelKey *key)
{
    return str_make(key->bytes, key->len);
}

static int compare_keys(const void *a, const void *b)
{
    return str_compare(model_key(a), model_key(b));
}

/* Shapes: short random bytes with zeros, integers, long shared prefixes, prefixes of one another.
 */
static void make_key(Random *random, uint32_t shape, ModelKey *key)
{
    static const char prefix[] = "a long prefix that all share: ";
    uint64_t number = random_below(random, KEYS * 4);

    key->len = 0;
    if (shape == 0) {
        key->len = 1 + random_below(random, 5);
        for (size_t i = 0; i < key->len; i++)
            key->bytes[i] = (char)(random_below(random, 3) * 127);
    } else if (shape == 1) {
        key->bytes[key->len++] = 1;
        for (int shift = 56; shift >= 0; shift -= 8)
            key->bytes[key->len++] = (char)(number >> shift);
    } else if (shape == 2) {
        /* Zeros are what heads are padded with. */
        key->len = random_below(random, 12);
        memset(key->bytes, 0, key->len);
        for (uint64_t n = number; n && random_below(random, 12); n /= 2)
            key->bytes[key->len++] = (char)(n % 2);
    } else {
        memcpy(key->bytes, prefix, sizeof prefix - 1);
        key->len = sizeof prefix - 1;
        if (shape == 3) {
            key->len = random_below(random, sizeof prefix);
            number >>= random_below(random, 16);
        }
        for (uint64_t n = number; n; n /= 4)
            key->bytes[key->len++] = (char)('a' + n % 4);
    }
}

static void make_keys(Model *model, Random *random)
{
    uint32_t shape = (uint32_t)random_below(random, 5);
    uint32_t kept = 0;

    memset(model, 0, sizeof *model);
    for (uint32_t i = 0; i < KEYS; i++)
        make_key(random, shape, &model->keys[i]);
    qsort(model->keys, KEYS, sizeof(ModelKey), compare_keys);
    for (uint32_t i = 0; i < KEYS; i++) {
        if (kept == 0 || compare_keys(&model->keys[kept - 1], &model->keys[i]))
            model->keys[kept++] = model->keys[i];
    }
    model->count = kept;
}

static const ModelVersion *model_at(const ModelKey *key, Timestamp ts)
{
    const ModelVersion *newest = NULL;

    for (uint32_t i = 0; i < key->count; i++) {
        const ModelVersion *version = &key->versions[i];
        if (version->ts <= ts && (newest == NULL || version->ts > newest->ts))
            newest = version;
    }
    return newest;
}

/* The first key of the model at or above `bound`. */
static uint32_t model_place(const Model *model, Str bound)
{
    uint32_t at = 0;

    while (at < model->count && str_compare(model_key(&model->keys[at]), bound) < 0)
        at++;
    return at;
}

/* --- checks --------------------------------------------------------------------------------- */

/* A row says which version it belongs to. */
static Str row_of(const ModelKey *key, Timestamp ts, char *buffer, size_t size)
{
    int bytes = snprintf(buffer, size, "%llu:", (unsigned long long)ts);

    memcpy(buffer + bytes, key->bytes, key->len);
    return str_make(buffer, (size_t)bytes + key->len);
}

static void check_version(const ModelKey *key, const ModelVersion *expected,
                          const DeltaVersion *found)
{
    char buffer[96];

    if (expected == NULL) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_true(found->commit_ts == expected->ts);
    assert_true(str_equal(delta_version_key(found), model_key(key)));
    assert_int_equal(delta_version_is_tombstone(found), expected->tombstone);
    if (!expected->tombstone)
        assert_true(
            str_equal(delta_version_row(found), row_of(key, expected->ts, buffer, sizeof buffer)));
}

static void check_gets(const DeltaGeneration *generation, const Model *model, Random *random)
{
    for (uint32_t i = 0; i < model->count; i++) {
        Timestamp ts = random_below(random, 110);
        const ModelKey *key = &model->keys[i];
        check_version(key, model_at(key, ts),
                      generation_get(generation, TABLE, model_key(key), ts));
        const DeltaVersion *version =
            generation_get(generation, TABLE, model_key(key), TIMESTAMP_MAX);
        for (; version && delta_version_next(version); version = delta_version_next(version))
            assert_true(version->commit_ts > delta_version_next(version)->commit_ts);
    }
}

static void check_walk(const DeltaGeneration *generation, const Model *model, KeyRange range,
                       bool descending)
{
    DeltaIter iter;
    uint32_t low = model_place(model, range.low);
    uint32_t high = range.has_high ? model_place(model, range.high) : model->count;
    uint32_t at = descending ? MAX(low, high) : low;

    delta_iter_open(&iter, generation, TABLE, range, descending);
    while (delta_iter_next(&iter)) {
        for (uint32_t i = 0; i < iter.count; i++) {
            const ModelKey *key;
            do {
                assert_true(descending ? at > low : at < high);
                key = &model->keys[descending ? --at : at++];
            } while (key->count == 0);
            check_version(key, model_at(key, TIMESTAMP_MAX), iter.block[i]);
        }
    }
    for (; descending ? at > low : at < high; descending ? at-- : at++)
        assert_int_equal(model->keys[descending ? at - 1 : at].count, 0);
}

static KeyRange random_range(const Model *model, Random *random)
{
    KeyRange range = {{NULL, 0}, {NULL, 0}, false};

    if (random_below(random, 3))
        range.low = model_key(&model->keys[random_below(random, model->count)]);
    if (random_below(random, 3)) {
        range.high = model_key(&model->keys[random_below(random, model->count)]);
        range.has_high = true;
    }
    return range;
}

static void check_seek(const DeltaGeneration *generation, const Model *model, Random *random,
                       bool descending)
{
    DeltaIter iter;
    KeyRange range = random_range(model, random);
    uint32_t low = model_place(model, range.low);
    uint32_t high = range.has_high ? model_place(model, range.high) : model->count;
    uint32_t to = (uint32_t)random_below(random, model->count);

    delta_iter_open(&iter, generation, TABLE, range, descending);
    delta_iter_next(&iter);
    delta_iter_seek(&iter, model_key(&model->keys[to]));
    const ModelKey *expected = NULL;
    if (descending) {
        for (uint32_t at = MIN(to, high); at > low && expected == NULL; at--)
            expected = model->keys[at - 1].count ? &model->keys[at - 1] : NULL;
    } else {
        for (uint32_t at = MAX(to, low); at < high && expected == NULL; at++)
            expected = model->keys[at].count ? &model->keys[at] : NULL;
    }
    assert_int_equal(delta_iter_next(&iter) > 0, expected != NULL);
    if (expected)
        assert_true(str_equal(delta_version_key(iter.block[0]), model_key(expected)));
}

static void check_split(const DeltaGeneration *generation, const Model *model, KeyRange range)
{
    Str cuts[16];
    uint32_t max = 1 + model->count % 16;
    uint32_t count = generation_split(generation, TABLE, range, max, cuts);

    assert_true(count <= max);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(str_compare(i ? cuts[i - 1] : range.low, cuts[i]) < 0);
        assert_true(!range.has_high || str_compare(cuts[i], range.high) < 0);
    }
}

/* --- random versions ------------------------------------------------------------------------ */

static void put(DeltaGeneration *generation, GenerationHint *hint, const ModelKey *key,
                const ModelVersion *version)
{
    char buffer[96];
    GenerationWrite write = {
        .key = model_key(key),
        .row = row_of(key, version->ts, buffer, sizeof buffer),
        .tombstone = version->tombstone,
        .commit_ts = version->ts,
    };

    generation_put(generation, hint, TABLE, &write);
}

/* Some keys, in an order: 0 ascending, 1 descending, 2 random; every third stays absent. */
static uint64_t put_random(DeltaGeneration *generation, Model *model, Random *random)
{
    GenerationHint hint = {NULL, NULL};
    uint32_t order = (uint32_t)random_below(random, 3);
    uint64_t puts = 0;

    for (uint32_t i = 0; i < model->count * 2; i++) {
        uint32_t at = order == 0   ? i % model->count
                      : order == 1 ? model->count - 1 - i % model->count
                                   : (uint32_t)random_below(random, model->count);
        ModelKey *key = &model->keys[at];
        if (at % 3 == 0 || key->count == VERSIONS)
            continue;
        ModelVersion version = {1 + random_below(random, 100), random_below(random, 5) == 0};
        bool there = false;
        for (uint32_t v = 0; v < key->count; v++)
            there |= key->versions[v].ts == version.ts;
        put(generation, random_below(random, 2) ? &hint : NULL, key, &version);
        if (!there)
            key->versions[key->count++] = version;
        puts++;
    }
    return puts;
}

static void run_model(uint64_t seed)
{
    Random random;
    Model *model = malloc(sizeof *model);
    DeltaGeneration *generation = generation_new();
    uint64_t keys = 0;

    random_seed(&random, seed);
    make_keys(model, &random);
    put_random(generation, model, &random);
    for (uint32_t i = 0; i < model->count; i++)
        keys += model->keys[i].count > 0;
    assert_true(generation_relation_rows(generation, TABLE) == keys);
    check_gets(generation, model, &random);
    check_walk(generation, model, (KeyRange){0}, false);
    check_walk(generation, model, (KeyRange){0}, true);
    for (uint32_t i = 0; i < 40; i++) {
        KeyRange range = random_range(model, &random);
        check_walk(generation, model, range, i % 2);
        check_seek(generation, model, &random, i % 2);
        if (!range.has_high || str_compare(range.low, range.high) < 0)
            check_split(generation, model, range);
    }
    generation_unref(generation);
    free(model);
}

static void test_model(void **state)
{
    const char *seed = getenv("DBASPOT_SEED");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1;
    uint64_t last = seed ? first : getenv("SOAK") ? 2000 : 60;

    (void)state;
    for (uint64_t s = first; s <= last; s++) {
        printf("seed %llu\n", (unsigned long long)s);
        run_model(s);
    }
}

/* --- one by one ----------------------------------------------------------------------------- */

static void test_relations(void **state)
{
    DeltaGeneration *generation = generation_new();
    Scope *scope = scope_open(NULL, "test");
    RelationId *ids;

    (void)state;
    assert_int_equal(generation_relations(generation, scope, &ids), 0);
    assert_true(generation_first_ts(generation) == 0 && generation_last_ts(generation) == 0);
    assert_null(generation_get(generation, 7, STR("k"), 10));
    for (uint32_t id = 5000; id > 4000; id--)
        generation_put(generation, NULL, id,
                       &(GenerationWrite){STR("k"), STR("row"), false, id - 4000});
    assert_int_equal(generation_relations(generation, scope, &ids), 1000);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(ids[i], 4001 + i);
    assert_true(generation_first_ts(generation) == 1);
    assert_true(generation_last_ts(generation) == 1000);
    assert_null(generation_get(generation, 4500, STR("k"), 499));
    assert_non_null(generation_get(generation, 4500, STR("k"), 500));
    assert_null(generation_get(generation, 4500, STR("j"), 500));
    assert_int_equal(generation_relation_rows(generation, 4500), 1);
    assert_false(generation_is_frozen(generation));
    generation_freeze(generation);
    assert_true(generation_is_frozen(generation));
    generation_unref(generation_ref(generation));
    assert_true(generation_bytes(generation) > 0);
    generation_unref(generation);
    scope_close(scope);
}

static void test_large_rows(void **state)
{
    DeltaGeneration *generation = generation_new();
    size_t bytes = (size_t)3 << 20;
    char *row = malloc(bytes);

    (void)state;
    memset(row, 'x', bytes);
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t key = __builtin_bswap64(i);
        GenerationWrite write = {str_make((char *)&key, 8), str_make(row, i * bytes / 20), false,
                                 i + 1};
        generation_put(generation, NULL, TABLE, &write);
    }
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t key = __builtin_bswap64(i);
        const DeltaVersion *version =
            generation_get(generation, TABLE, str_make((char *)&key, 8), TIMESTAMP_MAX);
        assert_true(str_equal(delta_version_row(version), str_make(row, i * bytes / 20)));
    }
    generation_unref(generation);
    free(row);
}

/* --- threads -------------------------------------------------------------------------------- */

#define WRITERS         3
#define READERS         2
#define WRITES_A_THREAD 6000

typedef struct Shared {
    DeltaGeneration *generation;
    _Atomic uint64_t clock;              /* gives commit_ts */
    _Atomic uint64_t installed[WRITERS]; /* number of writes whose keys must be there */
    _Atomic bool done;
    uint64_t seed;
} Shared;

typedef struct Worker {
    Shared *shared;
    uint32_t number;
    Thread thread;
} Worker;

/* The n-th key of a writer: scattered, and everybody knows it. */
static uint64_t shared_key(uint32_t writer, uint64_t n)
{
    uint64_t key = n * WRITERS + writer;

    if (writer)
        key = key * 0x9e3779b97f4a7c15ULL;
    return __builtin_bswap64(key);
}

static void write_keys(void *arg)
{
    Worker *worker = arg;
    Shared *shared = worker->shared;
    Ctx ctx;
    WriteSet *set = writeset_new();

    ctx_init(&ctx);
    for (uint64_t n = 0; n < WRITES_A_THREAD;) {
        uint64_t in_set = 1 + n % 7, first = n;
        for (; n < MIN(first + in_set, (uint64_t)WRITES_A_THREAD); n++) {
            uint64_t key = shared_key(worker->number, n);
            Str bytes = str_make((char *)&key, 8);
            assert_int_equal(writeset_put(&ctx, set, TABLE, bytes, bytes, 0), OK);
        }
        generation_install(shared->generation, set, atomic_fetch_add(&shared->clock, 1) + 1);
        atomic_store(&shared->installed[worker->number], n);
    }
    writeset_free(set);
    ctx_free(&ctx);
}

static void check_shared_walk(Shared *shared, bool descending)
{
    DeltaIter iter;
    uint64_t expected = 0, seen = 0, last = 0;

    for (uint32_t w = 0; w < WRITERS; w++)
        expected += atomic_load(&shared->installed[w]);
    delta_iter_open(&iter, shared->generation, TABLE, (KeyRange){0}, descending);
    while (delta_iter_next(&iter)) {
        for (uint32_t i = 0; i < iter.count; i++) {
            Str key = delta_version_key(iter.block[i]), row = delta_version_row(iter.block[i]);
            uint64_t word;
            assert_true(str_equal(key, row));
            memcpy(&word, key.ptr, 8);
            word = __builtin_bswap64(word);
            assert_true(seen == 0 || (descending ? word < last : word > last));
            last = word;
            seen++;
        }
    }
    assert_true(seen >= expected);
}

static void read_keys(void *arg)
{
    Worker *worker = arg;
    Shared *shared = worker->shared;
    Random random;
    bool done = false;

    random_seed(&random, shared->seed + worker->number);
    while (!done) {
        done = atomic_load(&shared->done);
        for (uint32_t i = 0; i < 200; i++) {
            uint32_t writer = (uint32_t)random_below(&random, WRITERS);
            uint64_t installed = atomic_load(&shared->installed[writer]);
            if (installed == 0)
                continue;
            uint64_t key = shared_key(writer, random_below(&random, installed));
            Str bytes = str_make((char *)&key, 8);
            const DeltaVersion *version =
                generation_get(shared->generation, TABLE, bytes, TIMESTAMP_MAX);
            assert_non_null(version);
            assert_true(str_equal(delta_version_row(version), bytes));
        }
        check_shared_walk(shared, worker->number % 2);
    }
}

static void test_threads(void **state)
{
    Shared shared = {.generation = generation_new(), .seed = 42};
    Worker writers[WRITERS] = {0}, readers[READERS] = {0};
    Ctx ctx;

    (void)state;
    ctx_init(&ctx);
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i].shared = &shared;
        writers[i].number = i;
        assert_int_equal(thread_start(&ctx, &writers[i].thread, "writer", write_keys, &writers[i]),
                         OK);
    }
    for (uint32_t i = 0; i < READERS; i++) {
        readers[i].shared = &shared;
        readers[i].number = i;
        assert_int_equal(thread_start(&ctx, &readers[i].thread, "reader", read_keys, &readers[i]),
                         OK);
    }
    for (uint32_t i = 0; i < WRITERS; i++)
        thread_join(&writers[i].thread);
    atomic_store(&shared.done, true);
    for (uint32_t i = 0; i < READERS; i++)
        thread_join(&readers[i].thread);
    assert_true(generation_relation_rows(shared.generation, TABLE) == WRITERS * WRITES_A_THREAD);
    generation_unref(shared.generation);
    ctx_free(&ctx);
}

/* Many threads update the same few keys, each in its own order, in relations that all of them meet
   for the first time at once: chains stay sorted, nothing is lost. */
static void update_keys(void *arg)
{
    Worker *worker = arg;
    Shared *shared = worker->shared;

    for (uint64_t n = 0; n < WRITES_A_THREAD; n++) {
        uint64_t ts = atomic_fetch_add(&shared->clock, 1) + 1;
        char key = (char)(ts % 5);
        GenerationWrite write = {str_make(&key, 1), str_make((char *)&ts, 8), false, ts};
        generation_put(shared->generation, NULL, TABLE + (RelationId)(n / 10), &write);
    }
}

static uint64_t count_versions(const DeltaGeneration *generation, RelationId relation)
{
    uint64_t versions = 0;

    for (char key = 0; key < 5; key++) {
        const DeltaVersion *version =
            generation_get(generation, relation, str_make(&key, 1), TIMESTAMP_MAX);
        for (Timestamp last = TIMESTAMP_MAX; version; version = delta_version_next(version)) {
            assert_true(version->commit_ts < last);
            last = version->commit_ts;
            versions++;
        }
    }
    return versions;
}

static void test_hot_keys(void **state)
{
    Shared shared = {.generation = generation_new()};
    Worker writers[WRITERS] = {0};
    Ctx ctx;
    uint64_t versions = 0;

    (void)state;
    ctx_init(&ctx);
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i].shared = &shared;
        assert_int_equal(thread_start(&ctx, &writers[i].thread, "writer", update_keys, &writers[i]),
                         OK);
    }
    for (uint32_t i = 0; i < WRITERS; i++)
        thread_join(&writers[i].thread);
    Scope *scope = scope_open(NULL, "test");
    RelationId *ids;
    uint32_t ids_count = generation_relations(shared.generation, scope, &ids);
    assert_int_equal(ids_count, WRITES_A_THREAD / 10);
    for (uint32_t i = 0; i < ids_count; i++)
        versions += count_versions(shared.generation, ids[i]);
    scope_close(scope);
    assert_true(versions == WRITERS * WRITES_A_THREAD);
    generation_unref(shared.generation);
    ctx_free(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),      cmocka_unit_test(test_relations),
        cmocka_unit_test(test_large_rows), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_hot_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
