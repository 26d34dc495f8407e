// SPDX-License-Identifier: Apache-2.0
//
// Runs the example of every function and aggregate, "expression => text", through the whole engine:
// the rows of func's tables are their own tests. The texts are PostgreSQL 15's.
#include "dbaspot.h"
#include "func/func.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

typedef struct Fixture {
    dbaspot_db *db;
    dbaspot_conn *conn;
} Fixture;

static int set_up(void **state)
{
    static Fixture fixture;

    *state = &fixture;
    return dbaspot_open(NULL, &fixture.db) || dbaspot_connect(fixture.db, &fixture.conn);
}

static int tear_down(void **state)
{
    Fixture *fixture = *state;

    dbaspot_disconnect(fixture->conn);
    dbaspot_close(fixture->db);
    return 0;
}

/* Runs "… => text"; returns 1 if it does not give the text. */
static int run_example(Fixture *fixture, const char *name, const char *example, const char *prefix)
{
    const char *arrow = NULL;
    for (const char *p = strstr(example, " => "); p; p = strstr(p + 1, " => "))
        arrow = p; /* the last one */
    dbaspot_result *result = NULL;
    char sql[2000];

    if (example[0] == '\0')
        return 0;
    assert_non_null(arrow);
    snprintf(sql, sizeof sql, "%s%.*s", prefix, (int)(arrow - example), example);
    if (dbaspot_query(fixture->conn, sql, &result) != 0) {
        print_error("%s: %s: %s\n", name, sql, dbaspot_errmsg(fixture->conn));
        return 1;
    }
    const char *value = dbaspot_rows(result) == 1 ? dbaspot_value(result, 0, 0) : "(no row)";
    value = value ? value : "(null)";
    int failed = strcmp(value, arrow + 4) != 0;
    if (failed)
        print_error("%s: %s: \"%s\", not \"%s\"\n", name, sql, value, arrow + 4);
    dbaspot_result_free(result);
    return failed;
}

static void examples_of_functions_hold(void **state)
{
    uint32_t count;
    const FuncInfo *rows = func_rows(&count);
    int failed = 0;

    for (uint32_t i = 0; i < count; i++)
        failed += run_example(*state, rows[i].name, rows[i].example, "select ");
    assert_int_equal(failed, 0);
}

static void examples_of_aggregates_hold(void **state)
{
    uint32_t count;
    const AggInfo *rows = agg_rows(&count);
    int failed = 0;

    for (uint32_t i = 0; i < count; i++)
        failed += run_example(*state, rows[i].name, rows[i].example, "");
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_functions_hold),
        cmocka_unit_test(examples_of_aggregates_hold),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
