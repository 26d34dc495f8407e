// SPDX-License-Identifier: Apache-2.0
//
// The tiers as one table against a naive model: a random history of commits over several
// generations and tier 3, own writes with savepoints, then gets, scans in both directions over
// random ranges and snapshots, splits. DBASPOT_SEED replays one seed, SOAK=1 runs more of them.
#include "os/file.h"
#include "os/random.h"
#include "storage/table_int.h"
#include "types/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define KEYS        400
#define GENERATIONS 5
#define COMMITS     120

/* --- the table: (id bigint primary key, number integer, name text), name added later ---------- */

#define TABLE 1001u

static const SqlType bigint_type = {OID_INT8, -1};

typedef struct Schemas {
    RowColumn columns[3];
    RowSchema old, now;
    const RowSchema *list[2];
    Relation relation;
    Relation old_relation; /* as it was before the name */
} Schemas;

static void make_schemas(Schemas *out)
{
    Datum missing = {.type = {OID_TEXT, -1}, .string = strview_make("missing", 7)};

    *out = (Schemas){0};
    out->columns[0] = (RowColumn){1, {OID_INT8, -1}, datum_null((SqlType){OID_INT8, -1})};
    out->columns[1] = (RowColumn){2, {OID_INT4, -1}, datum_null((SqlType){OID_INT4, -1})};
    out->columns[2] = (RowColumn){5, {OID_TEXT, -1}, missing};
    out->old = (RowSchema){1, 2, out->columns};
    out->now = (RowSchema){2, 3, out->columns};
    out->list[0] = &out->old;
    out->list[1] = &out->now;
    out->relation = (Relation){TABLE, out->list, 2};
    out->old_relation = (Relation){TABLE, out->list, 1};
}

/* --- the model ------------------------------------------------------------------------------ */

typedef struct ModelVersion {
    Timestamp ts;
    bool tombstone;
    bool old_schema;
    int32_t value; /* the row is made of it; multiples of 7 have NULLs */
} ModelVersion;

typedef struct ModelKey {
    ModelVersion versions[COMMITS];
    uint32_t count;
    ModelVersion own; /* ts is the number of the write, 0: none */
} ModelKey;

typedef struct Model {
    Ctx ctx;
    Scope *scope;
    Random random;
    Schemas schemas;
    ModelKey keys[KEYS];
    DeltaGeneration *generations[GENERATIONS]; /* newest first, as in the view */
    StorageView view;
    Timestamp generation_ends[GENERATIONS]; /* the last commit in each */
    Wos *wos;                               /* NULL: everything is in generations */
    WriteSet *own;
    Snapshot snapshot;
    Timestamp last_ts;
    int32_t last_value;
} Model;

static Str key_of(Scope *scope, int64_t number)
{
    StrBuf *key = scope_new(scope, StrBuf);
    KeyColumn column = {bigint_type, false, false};
    Datum datum = {.type = bigint_type, .int64 = number};

    strbuf_init_in(key, scope);
    key_append_datum(key, &column, &datum);
    return strbuf_str(key);
}

static Str name_of(Scope *scope, int32_t value)
{
    return str_from(scope_printf(scope, "name %d %.*s", value, value % 30,
                                 "and a text that is longer than a view"));
}

static Str row_of(Model *model, int64_t number, const ModelVersion *version)
{
    Scope *scope = model->scope;
    StrBuf *row = scope_new(scope, StrBuf);
    Vector columns[3];
    Batch batch = {1, version->old_schema ? 2 : 3, columns};
    Str name = name_of(scope, version->value);
    StrView view = strview_make(name.ptr, name.len);
    bool null = version->value % 7 == 0;
    size_t end;

    strbuf_init_in(row, scope);
    vector_init_const(&columns[0], scope, bigint_type, &number);
    vector_init_const(&columns[1], scope, (SqlType){OID_INT4, -1}, null ? NULL : &version->value);
    vector_init_const(&columns[2], scope, (SqlType){OID_TEXT, -1}, null ? NULL : &view);
    assert_int_equal(row_encode_batch(&model->ctx,
                                      version->old_schema ? &model->schemas.old_relation
                                                          : &model->schemas.relation,
                                      &batch, 0, 1, row, &end),
                     OK);
    return strbuf_str(row);
}

/* What a snapshot shows of a key, NULL if nothing. */
static const ModelVersion *model_see(const Model *model, const ModelKey *key)
{
    const ModelVersion *seen = NULL;

    if (model->snapshot.own && key->own.ts)
        return key->own.tombstone ? NULL : &key->own;
    for (uint32_t i = 0; i < key->count; i++) {
        if (key->versions[i].ts <= model->snapshot.read_ts)
            seen = &key->versions[i];
    }
    return seen && !seen->tombstone ? seen : NULL;
}

/* --- a history ------------------------------------------------------------------------------ */

static ModelVersion random_version(Model *model, Timestamp ts)
{
    return (ModelVersion){ts, random_below(&model->random, 4) == 0,
                          random_below(&model->random, 3) == 0, ++model->last_value};
}

static void write_version(Model *model, WriteSet *set, int64_t number, const ModelVersion *version)
{
    Str key = key_of(model->scope, number);

    if (version->tombstone)
        assert_int_equal(writeset_delete(&model->ctx, set, TABLE, key, 0), OK);
    else
        assert_int_equal(
            writeset_put(&model->ctx, set, TABLE, key, row_of(model, number, version), 0), OK);
}

static void commit_random(Model *model, DeltaGeneration *generation)
{
    WriteSet *set = writeset_new();
    Timestamp ts = model->last_ts += 1 + random_below(&model->random, 3);
    uint64_t writes = 1 + random_below(&model->random, 60);
    bool ascending = random_below(&model->random, 2);
    uint64_t first = random_below(&model->random, KEYS);

    for (uint64_t i = 0; i < writes; i++) {
        uint64_t at = ascending ? (first + i) % KEYS : random_below(&model->random, KEYS);
        ModelKey *key = &model->keys[at];
        if (key->count && key->versions[key->count - 1].ts == ts)
            key->count--;
        key->versions[key->count] = random_version(model, ts);
        write_version(model, set, (int64_t)at, &key->versions[key->count++]);
    }
    generation_install(generation, set, ts);
    writeset_free(set);
}

/* Writes, a rollback of some, then a mark behind which the snapshot does not look. */
static void write_own(Model *model)
{
    WriteMark number;

    model->own = writeset_new();
    for (uint32_t i = 0; i < 90; i++) {
        uint64_t at = random_below(&model->random, KEYS);
        ModelKey *key = &model->keys[at];
        ModelVersion version = random_version(model, 1);
        number = writeset_mark(model->own);
        write_version(model, model->own, (int64_t)at, &version);
        if (i < 30)
            key->own = version;
        else if (i < 60)
            writeset_rollback(model->own, number);
        if (i == 59)
            model->snapshot.own_mark = writeset_mark(model->own);
    }
}

static void make_history(Model *model, uint64_t seed)
{
    random_seed(&model->random, seed);
    ctx_init(&model->ctx);
    model->scope = scope_open(NULL, "test");
    make_schemas(&model->schemas);
    for (uint32_t g = GENERATIONS; g-- > 0;) {
        uint64_t commits = random_below(&model->random, COMMITS / GENERATIONS);
        model->generations[g] = generation_new();
        for (uint64_t i = 0; i < commits; i++)
            commit_random(model, model->generations[g]);
        model->generation_ends[g] = model->last_ts;
        if (g)
            generation_freeze(model->generations[g]);
    }
    model->view = (StorageView){
        .generations = model->generations, .generations_count = GENERATIONS, .complete = true};
    model->snapshot = (Snapshot){.view = &model->view, .read_ts = model->last_ts};
}

/* Every version up to `through` also lies in tier 3, and the oldest generations are gone. */
static void move_to_wos(Model *model, const char *dir)
{
    uint32_t moved = (uint32_t)random_below(&model->random, GENERATIONS);
    uint32_t kept = GENERATIONS - (uint32_t)random_below(&model->random, GENERATIONS - moved + 1);
    Timestamp through = model->generation_ends[moved];
    WosOptions options = {.dir = dir, .cache_bytes = 1 << 20};
    WosLoader *loader;

    assert_int_equal(wos_open(&model->ctx, &options, &model->wos), OK);
    assert_int_equal(wos_loader_open(&model->ctx, model->wos, &loader), OK);
    for (int64_t i = 0; i < KEYS; i++) {
        const ModelKey *key = &model->keys[i];
        for (uint32_t v = key->count; v-- > 0;) {
            const ModelVersion *version = &key->versions[v];
            Str row = version->tombstone ? STR("") : row_of(model, i, version);
            if (version->ts <= through)
                assert_int_equal(wos_loader_put(&model->ctx, loader, TABLE, key_of(model->scope, i),
                                                version->ts, row, version->tombstone),
                                 OK);
        }
    }
    assert_int_equal(wos_loader_ingest(&model->ctx, loader), OK);
    wos_loader_close(loader);
    model->view.wos = model->wos;
    model->view.complete = false;
    model->view.generations_count = kept;
}

static void free_history(Model *model)
{
    wos_close(model->wos);
    for (uint32_t g = 0; g < GENERATIONS; g++)
        generation_unref(model->generations[g]);
    writeset_free(model->own);
    scope_close(model->scope);
    ctx_free(&model->ctx);
}

/* --- checks --------------------------------------------------------------------------------- */

static void check_columns(Model *model, const Batch *batch, uint32_t row, int64_t number,
                          const ModelVersion *version)
{
    bool null = version->value % 7 == 0;
    Str name = version->old_schema ? STR("missing") : name_of(model->scope, version->value);

    /* Columns in the order name, id, number. */
    assert_true(vector_at(&batch->columns[1], int64_t, row) == number);
    assert_int_equal(vector_is_null(&batch->columns[2], row), null);
    if (!null)
        assert_true(vector_at(&batch->columns[2], int32_t, row) == version->value);
    assert_int_equal(vector_is_null(&batch->columns[0], row), null && !version->old_schema);
    if (!vector_is_null(&batch->columns[0], row))
        assert_true(str_equal(strview_str(&vector_at(&batch->columns[0], StrView, row)), name));
}

static const uint32_t wanted[] = {2, 0, 1};

/* Scans [low, high) and compares with the model; `disturb` rolls own writes back on the way. */
static uint32_t check_scan(Model *model, int64_t low, int64_t high, bool descending, bool disturb)
{
    Scope *scope = scope_open(model->scope, "scan");
    ScanSpec spec = {.relation = &model->schemas.relation,
                     .columns = wanted,
                     .columns_count = 3,
                     .range = {key_of(scope, low), key_of(scope, high), true},
                     .with_key = true,
                     .descending = descending};
    TableScan *scan;
    Batch batch;
    uint32_t rows = 0;
    int64_t number = descending ? high : low - 1;

    assert_int_equal(table_scan_open(&model->ctx, scope, &model->snapshot, &spec, &scan), OK);
    for (;;) {
        assert_int_equal(table_scan_next(&model->ctx, scan, &batch), OK);
        if (batch.rows_count == 0)
            break;
        assert_int_equal(batch.columns_count, 4);
        for (uint32_t row = 0; row < batch.rows_count; row++, rows++) {
            const ModelVersion *version;
            do {
                number += descending ? -1 : 1;
                assert_true(number >= low && number < high);
                version = model_see(model, &model->keys[number]);
            } while (version == NULL);
            check_columns(model, &batch, row, number, version);
            assert_true(str_equal(strview_str(&vector_at(&batch.columns[3], StrView, row)),
                                  key_of(scope, number)));
        }
        if (disturb && model->own && model->snapshot.own_mark)
            writeset_rollback(model->own, model->snapshot.own_mark);
    }
    for (number += descending ? -1 : 1; number >= low && number < high;
         number += descending ? -1 : 1)
        assert_null(model_see(model, &model->keys[number]));
    scope_close(scope);
    return rows;
}

static void check_raw_scan(Model *model, bool descending)
{
    Scope *scope = scope_open(model->scope, "scan");
    RawScan *scan;
    Str keys[7], rows[7];
    uint32_t count;
    int64_t number = descending ? KEYS : -1;

    assert_int_equal(table_raw_scan_open(&model->ctx, scope, &model->snapshot, TABLE, (KeyRange){0},
                                         descending, &scan),
                     OK);
    do {
        assert_int_equal(table_raw_scan_next(&model->ctx, scan, keys, rows, 7, &count), OK);
        for (uint32_t i = 0; i < count; i++) {
            const ModelVersion *version;
            do {
                number += descending ? -1 : 1;
                assert_true(number >= 0 && number < KEYS);
                version = model_see(model, &model->keys[number]);
            } while (version == NULL);
            assert_true(str_equal(keys[i], key_of(scope, number)));
            assert_true(str_equal(rows[i], row_of(model, number, version)));
        }
    } while (count);
    scope_close(scope);
}

static void check_gets(Model *model)
{
    Scope *scope = scope_open(model->scope, "gets");
    RowCodec *codec = row_codec_new(scope, &model->schemas.relation, wanted, 3);
    Str keys[KEYS + 1];
    bool found[KEYS + 1], one_found;
    Batch batch;
    Str row;

    for (int64_t i = 0; i <= KEYS; i++)
        keys[i] = key_of(scope, i);
    assert_int_equal(table_get_many(&model->ctx, scope, &model->snapshot, &model->schemas.relation,
                                    codec, keys, KEYS + 1, found, &batch),
                     OK);
    assert_false(found[KEYS]);
    for (uint32_t i = 0, at = 0; i < KEYS; i++) {
        const ModelVersion *version = model_see(model, &model->keys[i]);
        assert_int_equal(found[i], version != NULL);
        assert_int_equal(
            table_get(&model->ctx, scope, &model->snapshot, TABLE, keys[i], &row, &one_found), OK);
        assert_int_equal(one_found, version != NULL);
        if (version == NULL)
            continue;
        assert_true(str_equal(row, row_of(model, i, version)));
        check_columns(model, &batch, at++, i, version);
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        const ModelKey *key = &model->keys[i];
        Timestamp newest;
        bool live;
        assert_int_equal(table_newest(&model->ctx, &model->view, TABLE, keys[i], &newest, &live),
                         OK);
        assert_true(newest == (key->count ? key->versions[key->count - 1].ts : 0));
        assert_int_equal(live, key->count && !key->versions[key->count - 1].tombstone);
    }
    scope_close(scope);
}

/* The parts of a split are the range, in order, without a gap. */
static void check_split(Model *model, int64_t low, int64_t high)
{
    Scope *scope = scope_open(model->scope, "split");
    KeyRange range = {key_of(scope, low), key_of(scope, high), true};
    KeyRange *parts;
    uint32_t count;

    assert_int_equal(table_split(&model->ctx, scope, &model->snapshot, &model->schemas.relation,
                                 range, 6, &parts, &count),
                     OK);
    assert_true(count >= 1 && count <= 6);
    assert_true(str_equal(parts[0].low, range.low));
    assert_true(parts[count - 1].has_high && str_equal(parts[count - 1].high, range.high));
    for (uint32_t i = 1; i < count; i++) {
        assert_true(parts[i - 1].has_high);
        assert_true(str_equal(parts[i - 1].high, parts[i].low));
        assert_true(str_compare(parts[i - 1].low, parts[i].low) < 0);
    }
    scope_close(scope);
}

static void check_snapshot(Model *model)
{
    check_gets(model);
    check_scan(model, 0, KEYS, false, false);
    check_scan(model, 0, KEYS, true, false);
    check_raw_scan(model, false);
    check_raw_scan(model, true);
    for (uint32_t i = 0; i < 6; i++) {
        int64_t low = (int64_t)random_below(&model->random, KEYS);
        int64_t high = low + 1 + (int64_t)random_below(&model->random, (uint64_t)(KEYS - low));
        check_scan(model, low, high, i % 2, false);
        check_split(model, low, high);
    }
}

static void run_model(uint64_t seed, const char *wos_dir)
{
    Model *model = calloc(1, sizeof *model);

    make_history(model, seed);
    if (wos_dir)
        move_to_wos(model, wos_dir);
    check_snapshot(model);
    for (uint32_t i = 0; i < 4; i++) {
        model->snapshot.read_ts = random_below(&model->random, model->last_ts + 2);
        check_snapshot(model);
    }
    write_own(model);
    model->snapshot.own = model->own;
    check_snapshot(model);
    check_scan(model, 0, KEYS, seed % 2, true);
    check_snapshot(model);
    free_history(model);
    free(model);
}

static void run_seeds(uint64_t last, bool with_wos)
{
    const char *seed = getenv("DBASPOT_SEED");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1;

    last = seed ? first : getenv("SOAK") ? last * 30 : last;
    for (uint64_t s = first; s <= last; s++) {
        char dir[] = "/tmp/dbaspot-table-test-XXXXXX";
        printf("seed %llu\n", (unsigned long long)s);
        if (!with_wos) {
            run_model(s, NULL);
            continue;
        }
        Ctx ctx;
        ctx_init(&ctx);
        assert_non_null(mkdtemp(dir));
        run_model(s, dir);
        assert_int_equal(files_remove_tree(&ctx, files_os(), dir), OK);
        ctx_free(&ctx);
    }
}

static void test_generations(void **state)
{
    (void)state;
    run_seeds(30, false);
}

static void test_generations_and_wos(void **state)
{
    (void)state;
    run_seeds(8, true);
}

/* An own write that the scan has fetched but not returned goes away under it. */
static void test_rollback_under_scan(void **state)
{
    for (uint32_t descending = 0; descending < 2; descending++) {
        Model *model = calloc(1, sizeof *model);
        make_history(model, 99);
        model->own = writeset_new();
        model->snapshot.own = model->own;
        ModelVersion version = {1, false, false, 1};
        for (int64_t i = 0; i < 300; i++)
            write_version(model, model->own, i, &version);
        model->snapshot.own_mark = writeset_mark(model->own);
        for (int64_t i = 0; i < KEYS; i++) {
            write_version(model, model->own, i, &version);
            if (i < 300)
                model->keys[i].own = version;
        }
        check_scan(model, 0, KEYS, descending, true);
        free_history(model);
        free(model);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generations),
        cmocka_unit_test(test_generations_and_wos),
        cmocka_unit_test(test_rollback_under_scan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
