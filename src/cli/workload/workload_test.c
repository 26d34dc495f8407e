// SPDX-License-Identifier: Apache-2.0
//
// Tests of the command line of `dbaspot workload` and of the statements that make the tables.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/workload/tpch_schema.h"
#include "cli/workload/workload.h"
#include "os/file.h"

#define ARGUMENTS_MAX 8

/* Exit code of `workload` with these arguments, up to the first NULL. */
static int run(const char *const *arguments)
{
    char *argv[ARGUMENTS_MAX + 2] = {"workload"};
    int argc = 1;

    for (; argc <= ARGUMENTS_MAX && arguments[argc - 1]; argc++)
        argv[argc] = (char *)arguments[argc - 1];
    return workload_main(argc, argv);
}

static void wrong_usage_exits_with_2(void **state)
{
    static const char *const WRONG[][ARGUMENTS_MAX] = {
        {NULL},
        {"tpcc"},
        {"tpch"},
        {"tpch", "--out"},
        {"tpch", "--out", "a", "--load", "b"},
        {"tpch", "--out", "a", "--scale", "much"},
        {"tpch", "--out", "a", "--scale", "inf"},
        {"tpch", "--out", "a", "--scale", "0"},
        {"tpch", "--out", "a", "--scale=1x"},
        {"tpch", "--out", "a", "--threads", "0"},
        {"tpch", "--out", "a", "--threads", "65"},
        {"tpch", "--out", "a", "--seed", "99999999999999999999"},
        {"tpch", "--out", "a", "--batch", "5"},
        {"tpch", "--out", "a", "--replace"},
        {"tpch", "--out", "a", "--colour"},
        {"tpch", "a"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(WRONG); i++)
        assert_int_equal(run(WRONG[i]), 2);
}

static void help_exits_with_0(void **state)
{
    (void)state;
    assert_int_equal(run((const char *[]){"--help", NULL}), 0);
    assert_int_equal(run((const char *[]){"tpch", "--help", NULL}), 0);
}

static void a_server_that_is_not_there_exits_with_1(void **state)
{
    (void)state;
    assert_int_equal(run((const char *[]){"tpch", "--load", "host=/nowhere dbname=postgres", NULL}),
                     1);
}

static void files_are_written(void **state)
{
    char directory[] = "/tmp/dbaspot-workload-XXXXXX";
    Ctx ctx;
    bool exists = false;

    (void)state;
    ctx_init(&ctx);
    assert_non_null(mkdtemp(directory));
    Scope *scope = scope_open(NULL, "test");
    assert_int_equal(run((const char *[]){"tpch", "--scale=0.001", "--out", directory, "--quiet",
                                          "--threads=2", NULL}),
                     0);
    for (TpchTable table = 0; table < TPCH_TABLES; table++) {
        const char *path = scope_printf(scope, "%s/%s.csv", directory, tpch_table_name(table));

        assert_int_equal(files_exists(&ctx, files_os(), path, &exists), OK);
        assert_true(exists);
    }
    scope_close(scope);
    assert_int_equal(files_remove_tree(&ctx, files_os(), directory), OK);
    ctx_free(&ctx);
}

static void statements_name_columns_and_keys(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    int count = 0;

    (void)state;
    assert_string_equal(tpch_schema_create_sql(scope, TPCH_NATION),
                        "CREATE TABLE nation (n_nationkey integer NOT NULL, "
                        "n_name char(25) NOT NULL, n_regionkey integer NOT NULL, "
                        "n_comment varchar(152) NOT NULL, PRIMARY KEY (n_nationkey))");
    assert_string_equal(tpch_schema_foreign_key_sql(scope, 0),
                        "ALTER TABLE nation ADD FOREIGN KEY (n_regionkey) "
                        "REFERENCES region (r_regionkey)");
    while (tpch_schema_foreign_key_sql(scope, count))
        count++;
    assert_int_equal(count, 8);
    scope_close(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_usage_exits_with_2),
        cmocka_unit_test(help_exits_with_0),
        cmocka_unit_test(a_server_that_is_not_there_exits_with_1),
        cmocka_unit_test(files_are_written),
        cmocka_unit_test(statements_name_columns_and_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
