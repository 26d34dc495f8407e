// SPDX-License-Identifier: Apache-2.0
//
// How fast the delta store is: inserts in random and ascending order, commits of few writes, point
// gets, scans by one and two threads, memory a row. As a test it runs on few rows and checks that
// they come back; with BENCH_ROWS=1000000 it is the benchmark and prints rates.
#include "os/clock.h"
#include "os/random.h"
#include "os/thread.h"
#include "storage/table_int.h"
#include "types/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TABLE       1001u
#define COLUMNS     6
#define THREADS_MAX 2

/* id bigint, amount numeric(12,2), day date, number integer, code varchar(8), note text */
static const RowColumn columns[COLUMNS] = {
    {.column_id = 1, .type = {OID_INT8, -1}},
    {.column_id = 2, .type = {OID_NUMERIC, ((12 << 16) | 2) + 4}},
    {.column_id = 3, .type = {OID_DATE, -1}},
    {.column_id = 4, .type = {OID_INT4, -1}},
    {.column_id = 5, .type = {OID_VARCHAR, 12}},
    {.column_id = 6, .type = {OID_TEXT, -1}},
};
static const RowSchema schema = {1, COLUMNS, columns};
static const RowSchema *const schemas[] = {&schema};
static const Relation relation = {TABLE, schemas, 1};

typedef struct Bench {
    Ctx ctx;
    Scope *scope;
    uint64_t rows_count;
    DeltaGeneration *generation;
    StorageView view;
    Snapshot snapshot;
    StrBuf rows; /* encoded, all of one length but the last column's */
    size_t *ends;
    size_t data_bytes; /* keys and rows */
} Bench;

static double seconds_since(int64_t start_ns)
{
    return (double)(clock_mono_ns() - start_ns) / 1e9;
}

static void report(const char *what, double count, double seconds)
{
    printf("%-44s %8.2f M/s\n", what, count / seconds / 1e6);
}

static Str key_of(uint64_t id, char key[9])
{
    uint64_t big = __builtin_bswap64(id ^ (UINT64_C(1) << 63));

    key[0] = 1;
    memcpy(key + 1, &big, 8);
    return str_make(key, 9);
}

static Str row_at(const Bench *bench, uint64_t at)
{
    size_t start = at ? bench->ends[at - 1] : 0;

    return str_make(bench->rows.ptr + start, bench->ends[at] - start);
}

static void encode_rows(Bench *bench)
{
    Vector vectors[COLUMNS];
    Batch batch = {BATCH_ROWS_MAX, COLUMNS, vectors};
    int64_t start = clock_mono_ns();

    strbuf_init_in(&bench->rows, bench->scope);
    bench->ends = malloc(bench->rows_count * sizeof *bench->ends);
    for (uint32_t c = 0; c < COLUMNS; c++)
        vector_init_flat(&vectors[c], bench->scope, columns[c].type, BATCH_ROWS_MAX);
    for (uint64_t done = 0; done < bench->rows_count; done += BATCH_ROWS_MAX) {
        for (uint32_t i = 0; i < BATCH_ROWS_MAX; i++) {
            uint64_t id = done + i;
            vector_flat(&vectors[0], int64_t)[i] = (int64_t)id;
            vector_flat(&vectors[1], int64_t)[i] = (int64_t)(id * 7919 % 1000000);
            vector_flat(&vectors[2], int32_t)[i] = (int32_t)(id % 2500);
            vector_flat(&vectors[3], int32_t)[i] = (int32_t)(id % 97);
            vector_flat(&vectors[4], StrView)[i] = strview_make("CODE-123", 3 + id % 6);
            vector_flat(&vectors[5], StrView)[i] =
                strview_make("a note that is as long as comments are", 10 + id % 28);
        }
        uint32_t count = (uint32_t)MIN(bench->rows_count - done, (uint64_t)BATCH_ROWS_MAX);
        assert_int_equal(row_encode_batch(&bench->ctx, &relation, &batch, 0, count, &bench->rows,
                                          bench->ends + done),
                         OK);
    }
    report("encode rows of 6 columns", (double)bench->rows_count, seconds_since(start));
    bench->data_bytes = bench->rows.len + bench->rows_count * 9;
}

/* Puts all rows through one write set and a generation. */
static DeltaGeneration *load(Bench *bench, const uint64_t *order, const char *what)
{
    DeltaGeneration *generation = generation_new();
    WriteSet *set = writeset_new();
    char key[9], text[64];
    int64_t start = clock_mono_ns();

    for (uint64_t i = 0; i < bench->rows_count; i++) {
        uint64_t id = order ? order[i] : i;
        assert_true(writeset_put(&bench->ctx, set, TABLE, key_of(id, key), row_at(bench, id), 0) ==
                    OK);
    }
    snprintf(text, sizeof text, "%s: write set", what);
    report(text, (double)bench->rows_count, seconds_since(start));
    start = clock_mono_ns();
    generation_install(generation, set, 10);
    snprintf(text, sizeof text, "%s: install of it", what);
    report(text, (double)bench->rows_count, seconds_since(start));
    size_t overhead = generation_bytes(generation) - bench->data_bytes;
    printf("%-44s %8.1f bytes (row and key %.1f)\n", "  overhead a row",
           (double)overhead / (double)bench->rows_count,
           (double)bench->data_bytes / (double)bench->rows_count);
    writeset_free(set);
    return generation;
}

static void load_singly(Bench *bench, const uint64_t *order, const char *what)
{
    DeltaGeneration *generation = generation_new();
    GenerationHint hint = {NULL, NULL};
    char key[9];
    int64_t start = clock_mono_ns();

    for (uint64_t i = 0; i < bench->rows_count; i++) {
        uint64_t id = order ? order[i] : i;
        GenerationWrite write = {key_of(id, key), row_at(bench, id), false, 10};
        generation_put(generation, &hint, TABLE, &write);
    }
    report(what, (double)bench->rows_count, seconds_since(start));
    assert_true(generation_relation_rows(generation, TABLE) == bench->rows_count);
    generation_unref(generation);
}

static void commit_small(Bench *bench, const uint64_t *order)
{
    DeltaGeneration *generation = generation_new();
    uint64_t commits = bench->rows_count / 4;
    char key[9];
    int64_t start = clock_mono_ns();

    for (uint64_t c = 0; c < commits; c++) {
        WriteSet *set = writeset_new();
        for (uint64_t i = 0; i < 4; i++) {
            uint64_t id = order[c * 4 + i];
            assert_true(writeset_put(&bench->ctx, set, TABLE + (uint32_t)i % 3, key_of(id, key),
                                     row_at(bench, id), 0) == OK);
        }
        generation_install(generation, set, c + 1);
        writeset_free(set);
    }
    report("commits of 4 writes to 3 relations", (double)commits, seconds_since(start));
    generation_unref(generation);
}

static void get_points(Bench *bench, const uint64_t *order)
{
    char key[9];
    Str row;
    bool found;
    int64_t start = clock_mono_ns();

    for (uint64_t i = 0; i < bench->rows_count; i++) {
        assert_true(table_get(&bench->ctx, bench->scope, &bench->snapshot, TABLE,
                              key_of(order[i], key), &row, &found) == OK);
        assert_true(found && row.len == row_at(bench, order[i]).len);
    }
    report("point gets in random order", (double)bench->rows_count, seconds_since(start));
}

/* --- scans ---------------------------------------------------------------------------------- */

typedef struct ScanTask {
    const Bench *bench;
    const uint32_t *columns;
    uint32_t columns_count;
    KeyRange range;
    bool descending;
    uint64_t rows;
    Thread thread;
} ScanTask;

static void scan_range(void *arg)
{
    ScanTask *task = arg;
    Scope *scope = scope_open(NULL, "scan");
    TableScan *scan;
    Batch batch;
    Ctx ctx;
    ScanSpec spec = {.relation = &relation,
                     .columns = task->columns,
                     .columns_count = task->columns_count,
                     .range = task->range,
                     .descending = task->descending};

    ctx_init(&ctx);
    assert_true(table_scan_open(&ctx, scope, &task->bench->snapshot, &spec, &scan) == OK);
    do {
        assert_true(table_scan_next(&ctx, scan, &batch) == OK);
        task->rows += batch.rows_count;
    } while (batch.rows_count);
    scope_close(scope);
    ctx_free(&ctx);
}

static void scan(Bench *bench, uint32_t columns_count, uint32_t threads, const char *what)
{
    static const uint32_t wanted[COLUMNS] = {0, 1, 2, 3, 4, 5};
    ScanTask tasks[THREADS_MAX] = {{0}};
    KeyRange *parts;
    uint32_t parts_count;
    uint64_t rows = 0;

    assert_int_equal(table_split(&bench->ctx, bench->scope, &bench->snapshot, &relation,
                                 (KeyRange){0}, threads, &parts, &parts_count),
                     OK);
    int64_t start = clock_mono_ns();
    for (uint32_t i = 0; i < parts_count; i++) {
        tasks[i].bench = bench;
        tasks[i].columns = wanted;
        tasks[i].columns_count = columns_count;
        tasks[i].range = parts[i];
        if (threads == 1)
            scan_range(&tasks[i]);
        else
            assert_true(
                thread_start(&bench->ctx, &tasks[i].thread, "scan", scan_range, &tasks[i]) == OK);
    }
    for (uint32_t i = 0; i < parts_count; i++) {
        thread_join(&tasks[i].thread);
        rows += tasks[i].rows;
    }
    report(what, (double)rows, seconds_since(start));
    assert_true(rows == bench->rows_count);
}

static void scan_all(Bench *bench)
{
    scan(bench, 0, 1, "  scan, no column, 1 thread");
    scan(bench, 2, 1, "  scan, 2 columns, 1 thread");
    scan(bench, 4, 1, "  scan, 4 columns (no text), 1 thread");
    scan(bench, 6, 1, "  scan, 6 columns (2 text), 1 thread");
    scan(bench, 6, 2, "  scan, 6 columns (2 text), 2 threads");
}

/* A tenth of the rows updated, in random places, in a newer generation. */
static void scan_merged(Bench *bench, const uint64_t *order)
{
    DeltaGeneration *newer = generation_new();
    DeltaGeneration *both[] = {newer, bench->generation};
    Bench merged = *bench;
    char key[9];

    for (uint64_t i = 0; i < bench->rows_count / 10; i++) {
        GenerationWrite write = {key_of(order[i], key), row_at(bench, order[i]), false, 20};
        generation_put(newer, NULL, TABLE, &write);
    }
    merged.view.generations = both;
    merged.view.generations_count = 2;
    merged.snapshot = (Snapshot){.view = &merged.view, .read_ts = 30};
    printf("beside a newer generation with a tenth of the rows:\n");
    scan(&merged, 4, 1, "  scan, 4 columns, 1 thread");
    get_points(&merged, order);
    generation_unref(newer);
}

static uint64_t *shuffled(uint64_t count)
{
    uint64_t *order = malloc(count * sizeof *order);
    Random random;

    random_seed(&random, 1);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t j = random_below(&random, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}

static void show(Bench *bench, DeltaGeneration *generation)
{
    DeltaGeneration *generations[] = {generation};

    bench->generation = generation;
    bench->view =
        (StorageView){.generations = generations, .generations_count = 1, .complete = true};
    bench->snapshot = (Snapshot){.view = &bench->view, .read_ts = 15};
    scan_all(bench);
}

static void test_speed(void **state)
{
    const char *rows = getenv("BENCH_ROWS");
    Bench bench = {.rows_count = rows ? strtoull(rows, NULL, 10) : 20000};
    uint64_t *order = shuffled(bench.rows_count);

    (void)state;
    ctx_init(&bench.ctx);
    bench.scope = scope_open(NULL, "bench");
    encode_rows(&bench);
    load_singly(&bench, NULL, "put singly, ascending");
    load_singly(&bench, order, "put singly, random order");
    commit_small(&bench, order);
    DeltaGeneration *ascending = load(&bench, NULL, "ascending");
    show(&bench, ascending);
    generation_unref(ascending);
    DeltaGeneration *random = load(&bench, order, "random order");
    DeltaGeneration *generations[] = {random};
    show(&bench, random);
    bench.view.generations = generations;
    get_points(&bench, order);
    scan_merged(&bench, order);
    generation_unref(random);
    scope_close(bench.scope);
    ctx_free(&bench.ctx);
    free(bench.ends);
    free(order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_speed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
