// SPDX-License-Identifier: Apache-2.0
//
// Runs the example of every function and aggregate through the whole engine, and checks that the
// tables are consistent: oids unique, names well-formed, overloads distinct, operators and their
// commutators and negators known. The examples' results are PostgreSQL 15's.
#include "func/func.h"

#include "base/map.h"
#include "dbaspot.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

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

static void check_name(const char *name)
{
    assert_in_range(strlen(name), 1, 63);
    for (const char *p = name; *p; p++)
        assert_true((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_');
}

static void check_type(Oid oid)
{
    assert_non_null(type_info(oid));
}

static void functions_are_consistent(void **state UNUSED)
{
    uint32_t count;
    const FuncInfo *rows = func_rows(&count);
    Scope *scope = scope_open(NULL, "test");
    U64Map *seen = u64map_new(scope);

    for (uint32_t i = 0; i < count; i++) {
        check_name(rows[i].name);
        if (u64map_get(seen, rows[i].oid))
            fail_msg("oid %u is used twice: %s", rows[i].oid, rows[i].name);
        u64map_put(seen, rows[i].oid, (void *)&rows[i]);
        assert_ptr_equal(func_by_oid(rows[i].oid), &rows[i]);
        assert_true((rows[i].kernel != NULL) != (rows[i].set != NULL));
        assert_in_range(rows[i].args_count, 0, FUNC_ARGS_MAX);
        check_type(rows[i].result);
        for (uint32_t k = 0; k < rows[i].args_count; k++)
            check_type(rows[i].args[k]);
    }
    scope_close(scope);
}

static bool same_arguments(const FuncInfo *a, const FuncInfo *b)
{
    return a->args_count == b->args_count && a->variadic == b->variadic &&
           memcmp(a->args, b->args, a->args_count * sizeof(Oid)) == 0;
}

static void overloads_are_distinct(void **state UNUSED)
{
    uint32_t count, overloads_count;
    const FuncInfo *rows = func_rows(&count);

    for (uint32_t i = 0; i < count; i++) {
        const FuncInfo *const *overloads = func_overloads(str_from(rows[i].name), &overloads_count);
        for (uint32_t k = 0; k < overloads_count; k++) {
            if (overloads[k] != &rows[i] && same_arguments(overloads[k], &rows[i]))
                fail_msg("%s has two rows with the same arguments", rows[i].name);
        }
    }
}

static void operators_are_consistent(void **state UNUSED)
{
    uint32_t count;
    const OperatorInfo *rows = operator_rows(&count);
    Scope *scope = scope_open(NULL, "test");
    U64Map *seen = u64map_new(scope);

    for (uint32_t i = 0; i < count; i++) {
        const OperatorInfo *op = &rows[i];
        if (u64map_get(seen, op->oid))
            fail_msg("oid %u is used twice: operator %s", op->oid, op->name);
        u64map_put(seen, op->oid, (void *)op);
        assert_ptr_equal(operator_by_oid(op->oid), op);
        assert_int_equal(op->func->result, op->result);
        if (op->negator && operator_exact(op->negator, op->left, op->right) == NULL)
            fail_msg("operator %u %s: no negator %s", op->oid, op->name, op->negator);
        if (op->commutator && operator_exact(op->commutator, op->right, op->left) == NULL)
            fail_msg("operator %u %s: no commutator %s", op->oid, op->name, op->commutator);
    }
    scope_close(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_consistent),    cmocka_unit_test(overloads_are_distinct),
        cmocka_unit_test(operators_are_consistent),    cmocka_unit_test(examples_of_functions_hold),
        cmocka_unit_test(examples_of_aggregates_hold),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
