// SPDX-License-Identifier: Apache-2.0
//
// The catalog: versions and who sees them, the overlay of a transaction under rollback and
// savepoints, names under concurrency, objects as bytes and back, sequences and ids that never come
// twice, also over a restart. The storage is a directory that each test gets afresh.
#include "catalog/catalog.h"

#include "catalog/codec.h"
#include "catalog/sequence.h"
#include "catalog/statistics.h"
#include "os/file.h"
#include "os/random.h"
#include "os/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { THREADS = 4, VALUES = 500, DAMAGES = 3000 };

typedef struct Fixture {
    Ctx ctx;
    char dir[64];
    Scope *scope;
    Storage *storage;
    TxnManager *txns;
    CatalogManager *catalogs;
    TxnManager *horizon;
} Fixture;

static Timestamp horizon(void *arg)
{
    return txn_manager_horizon(((Fixture *)arg)->horizon);
}

static void open_all(Fixture *f)
{
    StorageOptions options = {.dir = f->dir,
                              .memory_limit = 64 << 20,
                              .generation_bytes = 1 << 20,
                              .segment_bytes = 1 << 20,
                              .horizon = horizon,
                              .horizon_arg = f};

    f->horizon = NULL;
    if (storage_open(&f->ctx, &options, &f->storage) != OK)
        fail_msg("storage: %s", f->ctx.error.message);
    assert_int_equal(txn_manager_open(&f->ctx, f->storage, &f->txns), OK);
    if (catalog_manager_open(&f->ctx, f->txns, f->storage, &f->catalogs) != OK)
        fail_msg("catalog: %s", f->ctx.error.message);
}

static void close_all(Fixture *f)
{
    catalog_manager_close(f->catalogs);
    storage_close(f->storage);
    txn_manager_close(f->txns);
}

static int set_up(void **state)
{
    Fixture *f = test_calloc(1, sizeof *f);

    ctx_init(&f->ctx);
    snprintf(f->dir, sizeof f->dir, "/tmp/dbaspot-catalog-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->scope = scope_open(NULL, "test");
    open_all(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;

    scope_close(f->scope);
    close_all(f);
    assert_int_equal(files_remove_tree(&f->ctx, files_os(), f->dir), OK);
    ctx_free(&f->ctx);
    test_free(f);
    return 0;
}

/* --- a transaction with its handle --------------------------------------------------------- */

typedef struct Work {
    Fixture *f;
    Txn *txn;
    Scope *scope;
    Catalog *catalog;
    _Atomic int wakes;
} Work;

static void count_wake(void *arg)
{
    atomic_fetch_add(&((Work *)arg)->wakes, 1);
}

static void start_statement(Work *work)
{
    const Snapshot *snapshot;
    assert_int_equal(txn_statement_begin(&work->f->ctx, work->txn, false, &snapshot), OK);
    catalog_refresh(work->catalog);
}

static Work *start(Fixture *f)
{
    Work *work = scope_new(f->scope, Work);
    TxnOptions options = {.wake = count_wake, .wake_arg = work};

    work->f = f;
    work->scope = scope_open(f->scope, "work");
    assert_int_equal(txn_begin(&f->ctx, f->txns, &options, &work->txn), OK);
    work->catalog = catalog_open(f->catalogs, work->scope, OID_DATABASE_POSTGRES, work->txn);
    start_statement(work);
    return work;
}

static void end(Work *work, bool commits)
{
    Timestamp durable_ts;

    txn_statement_end(work->txn);
    if (commits)
        assert_int_equal(txn_commit(&work->f->ctx, work->txn, &durable_ts), OK);
    else
        txn_abort(work->txn);
    scope_close(work->scope);
}

static Catalog *reader(Fixture *f)
{
    return catalog_open(f->catalogs, f->scope, OID_DATABASE_POSTGRES, NULL);
}

static Schema schema_named(Oid oid, Str name)
{
    return (Schema){.object = {.kind = OBJECT_SCHEMA,
                               .oid = oid,
                               .database = OID_DATABASE_POSTGRES,
                               .owner = OID_ROLE_POSTGRES,
                               .name = name}};
}

static Oid put_schema(Work *work, Str name)
{
    Schema schema = schema_named(catalog_new_oid(work->catalog), name);

    if (catalog_put(&work->f->ctx, work->catalog, &schema.object) != OK)
        fail_msg("%s", work->f->ctx.error.message);
    return schema.object.oid;
}

static void rename_schema(Work *work, Oid oid, Str name)
{
    Schema schema = *(const Schema *)catalog_by_oid(work->catalog, oid);

    schema.object.name = name;
    assert_int_equal(catalog_put(&work->f->ctx, work->catalog, &schema.object), OK);
}

/* --- versions ------------------------------------------------------------------------------ */

static void test_a_new_database_has_its_first_objects(void **state)
{
    Catalog *catalog = reader(*state);

    assert_int_equal(catalog_database(catalog, STR("postgres"))->object.oid, OID_DATABASE_POSTGRES);
    assert_non_null(catalog_database(catalog, STR("template1")));
    assert_true(catalog_role(catalog, STR("postgres"))->superuser);
    assert_int_equal(catalog_schema(catalog, STR("public"))->object.oid, OID_SCHEMA_PUBLIC);
    assert_non_null(catalog_schema(catalog, STR("information_schema")));
    assert_null(catalog_schema(catalog, STR("Public")));
    assert_null(catalog_relation(catalog, OID_SCHEMA_PUBLIC, STR("public")));
}

static void test_a_change_is_seen_by_its_transaction_then_by_all(void **state)
{
    Fixture *f = *state;
    Catalog *other = reader(f);
    uint64_t before = catalog_version(other);
    Work *work = start(f);
    uint64_t own = catalog_version(work->catalog);
    Oid oid = put_schema(work, STR("s"));

    assert_true(catalog_version(work->catalog) != own);
    assert_int_equal(catalog_schema(work->catalog, STR("s"))->object.oid, oid);
    catalog_refresh(other);
    assert_null(catalog_schema(other, STR("s")));
    end(work, true);
    assert_null(catalog_schema(other, STR("s"))); /* until it looks for the newest version */
    catalog_refresh(other);
    assert_non_null(catalog_schema(other, STR("s")));
    assert_true(catalog_version(other) != before);
}

static void test_a_rollback_leaves_nothing(void **state)
{
    Fixture *f = *state;
    Catalog *other = reader(f);
    Work *work = start(f);
    uint64_t before = catalog_version(other);

    put_schema(work, STR("gone"));
    end(work, false);
    catalog_refresh(other);
    assert_int_equal(catalog_version(other), before);
    assert_null(catalog_schema(other, STR("gone")));
    work = start(f); /* its name is free again */
    put_schema(work, STR("gone"));
    end(work, true);
}

static void test_a_pinned_object_outlives_its_removal(void **state)
{
    Fixture *f = *state;
    Scope *pin = scope_open(f->scope, "pin");
    Work *work = start(f);
    Oid oid = put_schema(work, STR("pinned"));

    end(work, true);
    Scope *looker = scope_open(f->scope, "looker");
    Catalog *catalog = catalog_open(f->catalogs, looker, OID_DATABASE_POSTGRES, NULL);
    const Object *object = catalog_by_oid(catalog, oid);
    catalog_pin(catalog, pin);
    scope_close(looker);
    work = start(f);
    assert_int_equal(catalog_remove(&f->ctx, work->catalog, oid), OK);
    end(work, true);
    assert_true(str_is(object->name, "pinned"));
    scope_close(pin);
}

static bool count_object(void *arg, const Object *object)
{
    (void)object;
    ++*(uint32_t *)arg;
    return true;
}

static void test_each_sees_own_changes_in_oid_order(void **state)
{
    Fixture *f = *state;
    Work *work = start(f);
    uint32_t before = 0;
    uint32_t after = 0;

    catalog_each(work->catalog, OBJECT_SCHEMA, count_object, &before);
    Oid oid = put_schema(work, STR("e1"));
    put_schema(work, STR("e2"));
    assert_int_equal(catalog_remove(&f->ctx, work->catalog, oid), OK);
    catalog_each(work->catalog, OBJECT_SCHEMA, count_object, &after);
    assert_int_equal(after, before + 1);
    end(work, false);
}

/* --- savepoints ---------------------------------------------------------------------------- */

static void test_a_savepoint_takes_back_what_came_after_it(void **state)
{
    Fixture *f = *state;
    Work *work = start(f);
    Oid first = put_schema(work, STR("first"));
    TxnSavepoint outer = txn_savepoint(work->txn);

    rename_schema(work, first, STR("renamed"));
    Oid second = put_schema(work, STR("second"));
    TxnSavepoint inner = txn_savepoint(work->txn);
    assert_int_equal(catalog_remove(&f->ctx, work->catalog, second), OK);
    rename_schema(work, first, STR("again"));
    txn_rollback_to(work->txn, inner);
    assert_non_null(catalog_schema(work->catalog, STR("second")));
    assert_non_null(catalog_schema(work->catalog, STR("renamed")));
    assert_null(catalog_schema(work->catalog, STR("again")));
    txn_rollback_to(work->txn, outer);
    assert_non_null(catalog_schema(work->catalog, STR("first")));
    assert_null(catalog_schema(work->catalog, STR("second")));
    assert_null(catalog_schema(work->catalog, STR("renamed")));
    put_schema(work, STR("renamed")); /* the name that was taken back is free */
    end(work, true);

    Catalog *catalog = reader(f);
    assert_int_equal(catalog_schema(catalog, STR("first"))->object.oid, first);
    assert_non_null(catalog_schema(catalog, STR("renamed")));
    assert_null(catalog_schema(catalog, STR("second")));
}

static void test_a_failed_statement_takes_back_its_own_changes(void **state)
{
    Fixture *f = *state;
    Work *work = start(f);

    put_schema(work, STR("kept"));
    txn_statement_end(work->txn);
    start_statement(work);
    put_schema(work, STR("lost"));
    txn_statement_abort(work->txn);
    assert_non_null(catalog_schema(work->catalog, STR("kept")));
    assert_null(catalog_schema(work->catalog, STR("lost")));
    start_statement(work);
    end(work, true);
    assert_null(catalog_schema(reader(f), STR("lost")));
}

static void test_taking_back_all_changes_gives_the_committed_version(void **state)
{
    Fixture *f = *state;
    Work *work = start(f);
    uint64_t before = catalog_version(work->catalog);
    TxnSavepoint savepoint = txn_savepoint(work->txn);

    put_schema(work, STR("x"));
    txn_rollback_to(work->txn, savepoint);
    assert_int_equal(catalog_version(work->catalog), before);
    end(work, true);
}

/* --- names --------------------------------------------------------------------------------- */

static void test_a_name_is_taken_once(void **state)
{
    Fixture *f = *state;
    Work *work = start(f);
    Schema again = schema_named(catalog_new_oid(work->catalog), STR("public"));

    assert_int_equal(catalog_put(&f->ctx, work->catalog, &again.object), E_DUPLICATE_SCHEMA);
    assert_string_equal(f->ctx.error.message, "schema \"public\" already exists");
    error_clear(&f->ctx);
    end(work, false);
}

/* The second of two that make one name waits, then fails or succeeds as the first one ends. */
static void race_for_a_name(Fixture *f, Str name, bool first_commits)
{
    Work *first = start(f);
    Work *second = start(f);
    Schema schema = schema_named(catalog_new_oid(second->catalog), name);

    put_schema(first, name);
    assert_int_equal(catalog_put(&f->ctx, second->catalog, &schema.object), STATUS_LOCK_WAIT);
    error_clear(&f->ctx);
    txn_statement_abort(second->txn);
    assert_true(txn_is_waiting(second->txn));
    end(first, first_commits);
    assert_int_equal(second->wakes, 1);
    assert_false(txn_is_waiting(second->txn));
    start_statement(second);
    Status st = catalog_put(&f->ctx, second->catalog, &schema.object);
    assert_int_equal(st, first_commits ? E_DUPLICATE_SCHEMA : OK);
    error_clear(&f->ctx);
    end(second, !first_commits);
}

static void test_two_transactions_cannot_make_one_name(void **state)
{
    race_for_a_name(*state, STR("raced"), true);
    race_for_a_name(*state, STR("free"), false);
}

/* --- codec --------------------------------------------------------------------------------- */

static Column int_column(uint32_t id, Str name)
{
    return (Column){.id = id,
                    .name = name,
                    .type = {OID_INT4, -1},
                    .missing = datum_null((SqlType){OID_INT4, -1})};
}

static Object head(ObjectKind kind, Oid oid, Str name)
{
    return (Object){.kind = kind,
                    .oid = oid,
                    .database = OID_DATABASE_POSTGRES,
                    .schema = OID_SCHEMA_PUBLIC,
                    .owner = OID_ROLE_POSTGRES,
                    .name = name,
                    .comment = STR("what it is for")};
}

static TableStatistics *some_statistics(Scope *scope)
{
    TableStatistics *s = scope_new(scope, TableStatistics);
    ColumnStatistics *c = scope_new(scope, ColumnStatistics);

    *c = (ColumnStatistics){.column_id = 2,
                            .null_fraction = 0.25,
                            .distinct = 10,
                            .width = 4.5,
                            .correlation = -0.5,
                            .common_count = 1,
                            .bounds_count = 2};
    c->common = scope_new_array(scope, Datum, 1);
    c->common[0].type = (SqlType){OID_TEXT, -1};
    c->common[0].string = strview_make("more than twelve bytes", 22);
    c->common_fraction = scope_new_array(scope, double, 1);
    c->common_fraction[0] = 0.125;
    c->bounds = scope_new_array(scope, Datum, 2);
    for (int64_t i = 0; i < 2; i++) {
        c->bounds[i].type = (SqlType){OID_INT8, -1};
        c->bounds[i].int64 = i * 1000;
    }
    *s = (TableStatistics){.rows = 1234.5, .columns_count = 1, .columns = c};
    return s;
}

static Table *some_table(Scope *scope)
{
    Table *table = scope_new(scope, Table);
    Column *columns = scope_new_array(scope, Column, 2);
    RowColumn *row_columns = scope_new_array(scope, RowColumn, 2);
    RowSchema *schema = scope_new(scope, RowSchema);
    const RowSchema **schemas = scope_new_array(scope, const RowSchema *, 1);
    KeyColumn *keys = scope_new_array(scope, KeyColumn, 1);
    uint32_t *key_at = scope_new_array(scope, uint32_t, 1);
    CheckConstraint *checks = scope_new_array(scope, CheckConstraint, 1);

    columns[0] = int_column(0, STR("id"));
    columns[0].not_null = true;
    columns[0].generated = GENERATED_ALWAYS_IDENTITY;
    columns[0].sequence = 20001;
    columns[1] = int_column(2, STR("größe"));
    columns[1].type = (SqlType){OID_TEXT, -1};
    columns[1].default_sql = STR("'a'::text");
    columns[1].comment = STR("a column");
    columns[1].missing.type = columns[1].type;
    columns[1].missing.is_null = false;
    columns[1].missing.string = strview_make("short", 5);
    for (int i = 0; i < 2; i++)
        row_columns[i] = (RowColumn){columns[i].id, columns[i].type, columns[i].missing};
    *schema = (RowSchema){.version = 3, .columns_count = 2, .columns = row_columns};
    schemas[0] = schema;
    keys[0] = (KeyColumn){.type = {OID_INT4, -1}, .descending = true, .nulls_first = true};
    key_at[0] = 0;
    checks[0] = (CheckConstraint){.oid = 20002,
                                  .name = STR("positive"),
                                  .expr_sql = STR("(id > 0)"),
                                  .not_valid = true,
                                  .comment = STR("a check")};
    *table = (Table){.object = head(OBJECT_TABLE, 20000, STR("t")),
                     .relation_id = 1005,
                     .columns_count = 2,
                     .columns = columns,
                     .next_column_id = 3,
                     .relation = {.id = 1005, .schemas = schemas, .schemas_count = 1},
                     .key_columns_count = 1,
                     .key_columns = keys,
                     .key_column_at = key_at,
                     .checks_count = 1,
                     .checks = checks,
                     .options = STR("fillfactor=70"),
                     .rows_estimate = -1,
                     .statistics = some_statistics(scope)};
    return table;
}

static Index *some_index(Scope *scope)
{
    Index *index = scope_new(scope, Index);
    IndexColumn *columns = scope_new_array(scope, IndexColumn, 2);

    columns[0] = (IndexColumn){.column = 2, .key = {.type = {OID_TEXT, -1}, .descending = true}};
    columns[1] = (IndexColumn){
        .column = UINT32_MAX, .expr_sql = STR("lower(x)"), .key = {.type = {OID_TEXT, -1}}};
    *index = (Index){.object = head(OBJECT_INDEX, 20003, STR("i")),
                     .table = 20000,
                     .relation_id = 1006,
                     .unique = true,
                     .constraint = true,
                     .constraint_oid = 20004,
                     .columns_count = 2,
                     .columns = columns,
                     .predicate_sql = STR("(id > 5)"),
                     .nulls_not_distinct = true,
                     .constraint_comment = STR("a constraint")};
    return index;
}

static View *some_view(Scope *scope)
{
    View *view = scope_new(scope, View);
    Column *columns = scope_new_array(scope, Column, 1);
    Oid *depends = scope_new_array(scope, Oid, 2);
    ViewSource *sources = scope_new_array(scope, ViewSource, 1);
    uint32_t *ids = scope_new_array(scope, uint32_t, 1);
    Str *names = scope_new_array(scope, Str, 1);
    bool *used = scope_new_array(scope, bool, 1);

    columns[0] = int_column(0, STR("v"));
    depends[0] = 20000;
    depends[1] = 20003;
    ids[0] = 7;
    names[0] = STR("id");
    used[0] = true;
    sources[0] = (ViewSource){.schema = STR("public"),
                              .name = STR("t"),
                              .oid = 20000,
                              .columns_count = 1,
                              .column_ids = ids,
                              .column_names = names,
                              .column_used = used};
    *view = (View){.object = head(OBJECT_VIEW, 20005, STR("w")),
                   .query_sql = STR("SELECT id AS v FROM t"),
                   .columns_count = 1,
                   .columns = columns,
                   .depends_count = 2,
                   .depends = depends,
                   .sources_count = 1,
                   .sources = sources};
    return view;
}

/* One object of each kind, every field filled. */
static uint32_t some_objects(Scope *scope, const Object **out)
{
    Sequence *sequence = scope_new(scope, Sequence);
    Role *role = scope_new(scope, Role);
    Database *database = scope_new(scope, Database);
    Schema *schema = scope_new(scope, Schema);
    Table *table = some_table(scope);
    const Index **indexes = scope_new_array(scope, const Index *, 1);

    *sequence = (Sequence){.object = head(OBJECT_SEQUENCE, 20006, STR("q")),
                           .type = OID_INT8,
                           .start = 5,
                           .increment = -3,
                           .min = INT64_MIN,
                           .max = 100,
                           .cache = 20,
                           .cycle = true,
                           .owned_by_table = 20000,
                           .owned_by_column = 2,
                           .state = 20007,
                           .first = 50};
    *role = (Role){.object = head(OBJECT_ROLE, 20008, STR("r")),
                   .login = true,
                   .create_role = true,
                   .password = STR("SCRAM-SHA-256$4096:…")};
    database->object = head(OBJECT_DATABASE, 20009, STR("d"));
    schema->object = head(OBJECT_SCHEMA, 20010, STR("s"));
    indexes[0] = some_index(scope);
    table->indexes = indexes;
    table->indexes_count = 1;
    const Object *all[] = {&table->object,
                           &some_index(scope)->object,
                           &some_view(scope)->object,
                           &sequence->object,
                           &role->object,
                           &database->object,
                           &schema->object};
    memcpy(out, all, sizeof all);
    return ARRAY_COUNT(all);
}

static void test_objects_survive_as_bytes(void **state)
{
    Fixture *f = *state;
    const Object *objects[16];
    uint32_t count = some_objects(f->scope, objects);
    StrBuf once, twice;
    Object *back;

    strbuf_init(&once);
    strbuf_init(&twice);
    for (uint32_t i = 0; i < count; i++) {
        strbuf_clear(&once);
        strbuf_clear(&twice);
        catalog_encode(&once, objects[i]);
        assert_int_equal(catalog_decode(&f->ctx, f->scope, strbuf_str(&once), &back), OK);
        catalog_encode(&twice, back);
        assert_true(str_equal(strbuf_str(&once), strbuf_str(&twice)));
        assert_true(str_equal(back->name, objects[i]->name));
        assert_true(str_is(back->comment, "what it is for"));
    }
    strbuf_free(&once);
    strbuf_free(&twice);
}

static void test_a_table_comes_back_with_all_its_parts(void **state)
{
    Fixture *f = *state;
    const Object *objects[16];
    StrBuf bytes;
    Object *back;

    some_objects(f->scope, objects);
    strbuf_init(&bytes);
    catalog_encode(&bytes, objects[0]);
    assert_int_equal(catalog_decode(&f->ctx, f->scope, strbuf_str(&bytes), &back), OK);
    strbuf_free(&bytes);
    const Table *t = (const Table *)back;
    assert_true(str_is(t->columns[1].name, "größe"));
    assert_true(str_is(t->columns[1].default_sql, "'a'::text"));
    assert_true(str_equal(strview_str(&t->columns[1].missing.string), STR("short")));
    assert_int_equal(t->columns[0].generated, GENERATED_ALWAYS_IDENTITY);
    assert_int_equal(relation_schema(&t->relation)->version, 3);
    assert_true(t->key_columns[0].descending);
    assert_true(str_is(t->checks[0].expr_sql, "(id > 0)"));
    assert_true(str_is(t->indexes[0]->columns[1].expr_sql, "lower(x)"));
    assert_true(t->indexes[0]->nulls_not_distinct);
    const ColumnStatistics *s = statistics_column(t->statistics, 2);
    assert_true(str_is(strview_str(&s->common[0].string), "more than twelve bytes"));
    assert_true(s->bounds[1].int64 == 1000 && s->correlation == -0.5);
}

static void test_damaged_bytes_are_refused_or_read_harmlessly(void **state)
{
    Fixture *f = *state;
    const Object *objects[16];
    uint32_t count = some_objects(f->scope, objects);
    Random random;
    StrBuf bytes;
    Object *back;

    random_seed(&random, 11);
    strbuf_init(&bytes);
    for (uint32_t i = 0; i < count; i++) {
        strbuf_clear(&bytes);
        catalog_encode(&bytes, objects[i]);
        for (size_t length = 0; length < bytes.len; length++) {
            Scope *scope = scope_open(f->scope, "cut");
            Str cut = {bytes.ptr, length};
            assert_int_equal(catalog_decode(&f->ctx, scope, cut, &back), E_DATA_CORRUPTED);
            error_clear(&f->ctx);
            scope_close(scope);
        }
        for (int n = 0; n < DAMAGES; n++) {
            Scope *scope = scope_open(f->scope, "damaged");
            char *copy = scope_strndup(scope, bytes.ptr, bytes.len);
            copy[random_u64(&random) % bytes.len] ^= (char)(1 << random_u64(&random) % 8);
            if (catalog_decode(&f->ctx, scope, (Str){copy, bytes.len}, &back) != OK)
                error_clear(&f->ctx);
            scope_close(scope);
        }
    }
    strbuf_free(&bytes);
}

/* --- sequences and ids --------------------------------------------------------------------- */

static Sequence counting(Oid oid)
{
    return (Sequence){.object = head(OBJECT_SEQUENCE, oid, STR("seq")),
                      .type = OID_INT8,
                      .start = 1,
                      .increment = 1,
                      .min = 1,
                      .max = INT64_MAX,
                      .first = 1};
}

static int64_t next(Fixture *f, const Sequence *sequence)
{
    int64_t value = 0;

    if (sequence_next(&f->ctx, f->catalogs, sequence, &value) != OK)
        fail_msg("%s", f->ctx.error.message);
    return value;
}

static void test_a_sequence_counts(void **state)
{
    Fixture *f = *state;
    Sequence sequence = counting(30000);
    int64_t value;
    bool is_called;

    for (int64_t i = 1; i <= 5000; i++)
        assert_int_equal(next(f, &sequence), i);
    assert_int_equal(sequence_set(&f->ctx, f->catalogs, &sequence, 10, true), OK);
    assert_int_equal(next(f, &sequence), 11);
    assert_int_equal(sequence_set(&f->ctx, f->catalogs, &sequence, 10, false), OK);
    assert_int_equal(next(f, &sequence), 10);
    sequence.increment = 7; /* ALTER SEQUENCE */
    assert_int_equal(next(f, &sequence), 17);
    assert_int_equal(sequence_state(&f->ctx, f->catalogs, &sequence, &value, &is_called), OK);
    assert_true(value == 17 && is_called);
    assert_int_equal(sequence_set(&f->ctx, f->catalogs, &sequence, 0, true),
                     E_NUMERIC_OUT_OF_RANGE);
    error_clear(&f->ctx);
}

static void test_a_sequence_ends_or_begins_again_at_its_bounds(void **state)
{
    Fixture *f = *state;
    Sequence up = counting(30001);
    Sequence down = counting(30002);
    Sequence edge = counting(30003);
    int64_t value;

    up.max = 100;
    for (int64_t i = 1; i <= 100; i++)
        assert_int_equal(next(f, &up), i);
    assert_int_equal(sequence_next(&f->ctx, f->catalogs, &up, &value), E_SEQUENCE_LIMIT);
    assert_string_equal(f->ctx.error.message,
                        "nextval: reached maximum value of sequence \"seq\" (100)");
    error_clear(&f->ctx);
    up.cycle = true;
    assert_int_equal(next(f, &up), 1);
    assert_int_equal(next(f, &up), 2);
    down.first = down.start = down.max = -1;
    down.min = -5;
    down.increment = -2;
    assert_int_equal(next(f, &down), -1);
    assert_int_equal(next(f, &down), -3);
    assert_int_equal(next(f, &down), -5);
    assert_int_equal(sequence_next(&f->ctx, f->catalogs, &down, &value), E_SEQUENCE_LIMIT);
    error_clear(&f->ctx);
    edge.first = edge.start = INT64_MAX - 1;
    assert_true(next(f, &edge) == INT64_MAX - 1);
    assert_true(next(f, &edge) == INT64_MAX);
    assert_int_equal(sequence_next(&f->ctx, f->catalogs, &edge, &value), E_SEQUENCE_LIMIT);
    error_clear(&f->ctx);
}

static void test_no_value_comes_twice_over_restarts(void **state)
{
    Fixture *f = *state;
    Sequence sequence = counting(30004);
    int64_t last = 0;
    Oid last_oid = 0;
    RelationId last_relation = 0;

    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 1 + round * 40; i++) {
            int64_t value = next(f, &sequence);
            assert_true(value > last);
            last = value;
        }
        Scope *scope = scope_open(NULL, "ids");
        Catalog *catalog = catalog_open(f->catalogs, scope, OID_DATABASE_POSTGRES, NULL);
        for (int i = 0; i < 1 + round * 40; i++) {
            Oid oid = catalog_new_oid(catalog);
            RelationId relation = catalog_new_relation_id(catalog);
            assert_true(oid > last_oid && oid >= OID_USER_MIN);
            assert_true(relation > last_relation && relation >= RELATION_ID_USER_MIN);
            last_oid = oid;
            last_relation = relation;
        }
        scope_close(scope);
        close_all(f);
        open_all(f);
    }
}

static void test_objects_are_there_after_a_restart(void **state)
{
    Fixture *f = *state;
    Work *work = start(f);
    Table *table = some_table(work->scope);

    assert_int_equal(catalog_put(&f->ctx, work->catalog, &table->object), OK);
    assert_int_equal(catalog_put(&f->ctx, work->catalog, &some_index(work->scope)->object), OK);
    end(work, true);
    for (int i = 0; i < 2; i++) {
        Scope *scope = scope_open(NULL, "look");
        Catalog *catalog = catalog_open(f->catalogs, scope, OID_DATABASE_POSTGRES, NULL);
        const Object *found = catalog_relation(catalog, OID_SCHEMA_PUBLIC, STR("t"));
        assert_non_null(found);
        const Table *t = (const Table *)found;
        assert_int_equal(t->indexes_count, 1);
        assert_int_equal(t->indexes[0]->object.oid, 20003);
        assert_ptr_equal(catalog_by_oid(catalog, 20000), found);
        scope_close(scope);
        close_all(f);
        open_all(f);
    }
}

typedef struct Taker {
    Fixture *f;
    int64_t values[VALUES];
} Taker;

static void take_values(void *arg)
{
    Taker *taker = arg;
    Sequence sequence = counting(30005);
    Ctx ctx;

    ctx_init(&ctx);
    for (int i = 0; i < VALUES; i++) {
        Status st = sequence_next(&ctx, taker->f->catalogs, &sequence, &taker->values[i]);
        ASSERT(st == OK);
    }
    ctx_free(&ctx);
}

static void test_threads_never_get_the_same_value(void **state)
{
    Fixture *f = *state;
    Taker *takers = test_calloc(THREADS, sizeof *takers);
    Thread threads[THREADS] = {0};
    bool seen[THREADS * VALUES + 1] = {false};

    for (int i = 0; i < THREADS; i++) {
        takers[i].f = f;
        assert_int_equal(thread_start(&f->ctx, &threads[i], "taker", take_values, &takers[i]), OK);
    }
    for (int i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
    for (int i = 0; i < THREADS; i++) {
        for (int n = 0; n < VALUES; n++) {
            int64_t value = takers[i].values[n];
            assert_true(value >= 1 && value <= THREADS * VALUES && !seen[value]);
            seen[value] = true;
        }
    }
    test_free(takers);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_new_database_has_its_first_objects),
        TEST(test_a_change_is_seen_by_its_transaction_then_by_all),
        TEST(test_a_rollback_leaves_nothing),
        TEST(test_a_pinned_object_outlives_its_removal),
        TEST(test_each_sees_own_changes_in_oid_order),
        TEST(test_a_savepoint_takes_back_what_came_after_it),
        TEST(test_a_failed_statement_takes_back_its_own_changes),
        TEST(test_taking_back_all_changes_gives_the_committed_version),
        TEST(test_a_name_is_taken_once),
        TEST(test_two_transactions_cannot_make_one_name),
        TEST(test_objects_survive_as_bytes),
        TEST(test_a_table_comes_back_with_all_its_parts),
        TEST(test_damaged_bytes_are_refused_or_read_harmlessly),
        TEST(test_a_sequence_counts),
        TEST(test_a_sequence_ends_or_begins_again_at_its_bounds),
        TEST(test_no_value_comes_twice_over_restarts),
        TEST(test_objects_are_there_after_a_restart),
        TEST(test_threads_never_get_the_same_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
