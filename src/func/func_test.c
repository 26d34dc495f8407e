// SPDX-License-Identifier: Apache-2.0
//
// Checks that the tables are consistent: oids unique, names well-formed, overloads distinct,
// operators and their commutators and negators known. Their examples are run by
// api/func_examples_test.c.
#include "func/func.h"

#include "base/map.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

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
        cmocka_unit_test(functions_are_consistent),
        cmocka_unit_test(overloads_are_distinct),
        cmocka_unit_test(operators_are_consistent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
