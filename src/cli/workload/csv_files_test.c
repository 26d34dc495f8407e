// SPDX-License-Identifier: Apache-2.0
//
// Tests of the CSV files: the bytes do not depend on the number of workers, are those that the
// generator makes by itself, and a failure leaves no file that looks complete.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/workload/csv_files.h"
#include "os/file.h"

typedef struct Fixture {
    Ctx ctx;
    Scope *scope;
    char directory[64];
    Tpch tpch;
} Fixture;

static int setup(void **state)
{
    Fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    ctx_init(&f->ctx);
    f->scope = scope_open(NULL, "test");
    snprintf(f->directory, sizeof f->directory, "/tmp/dbaspot-csv-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    assert_int_equal(tpch_init(&f->ctx, 0.01, TPCH_SEED_DEFAULT, &f->tpch), OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    Fixture *f = *state;

    scope_close(f->scope);
    assert_int_equal(files_remove_tree(&f->ctx, files_os(), f->directory), OK);
    ctx_free(&f->ctx);
    free(f);
    return 0;
}

static Status write_table(Fixture *f, const char *directory, int workers, TpchTable table)
{
    Scope *scope = scope_open(f->scope, "files");
    TpchSink *sinks[TPCH_FILL_WORKERS_MAX];
    TpchFill fill = {&f->tpch, TPCH_EOL_CRLF, sinks, workers, true};
    Status st = OK;

    TRY(csv_files_open(&f->ctx, scope, directory, workers, sinks));
    TRY(tpch_fill_table(&f->ctx, &fill, table));
done:
    scope_close(scope);
    return st;
}

static void files_do_not_depend_on_the_workers(void **state)
{
    static const int WORKERS[] = {1, 3, 8};
    Fixture *f = *state;

    for (TpchTable table = 0; table < TPCH_TABLES; table++) {
        const char *path =
            scope_printf(f->scope, "%s/%s.csv", f->directory, tpch_table_name(table));
        StrBuf expected;

        strbuf_init(&expected);
        tpch_csv_put_header(table, TPCH_EOL_CRLF, &expected);
        tpch_csv_put_units(&f->tpch, table, TPCH_EOL_CRLF, 0, tpch_units_count(&f->tpch, table),
                           &expected);
        for (size_t i = 0; i < ARRAY_COUNT(WORKERS); i++) {
            Str actual;

            assert_int_equal(write_table(f, f->directory, WORKERS[i], table), OK);
            assert_int_equal(files_read_all(&f->ctx, f->scope, files_os(), path, &actual), OK);
            assert_int_equal(actual.len, expected.len);
            assert_memory_equal(actual.ptr, expected.ptr, expected.len);
        }
        strbuf_free(&expected);
    }
}

static void a_directory_without_a_parent_is_an_error(void **state)
{
    Fixture *f = *state;
    const char *path = scope_printf(f->scope, "%s/none/below", f->directory);

    assert_int_equal(write_table(f, path, 2, TPCH_REGION), E_UNDEFINED_FILE);
}

/* The name is taken by a directory: the file cannot be given it, and all workers come to an end. */
static void a_failure_stops_every_worker(void **state)
{
    Fixture *f = *state;
    const char *taken = scope_printf(f->scope, "%s/orders.csv.part", f->directory);

    assert_int_equal(files_make_dir(&f->ctx, files_os(), taken), OK);
    assert_true(write_table(f, f->directory, 4, TPCH_ORDERS) != OK);
    assert_non_null(f->ctx.error.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_do_not_depend_on_the_workers, setup, teardown),
        cmocka_unit_test_setup_teardown(a_directory_without_a_parent_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_stops_every_worker, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
