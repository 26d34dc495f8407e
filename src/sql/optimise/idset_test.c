// SPDX-License-Identifier: Apache-2.0
//
// Tests of column sets: against what a plain array of booleans says.
#include "sql/optimise/optimise_int.h"

#include <setjmp.h>
#include <stdarg.h>
// cmocka wants the headers above first
#include <cmocka.h>

#define IDS_MAX 500

static uint64_t seed = 20261121;

static uint32_t draw(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % below;
}

static void fill(Scope *scope, IdSet *set, bool *model, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        ColumnId id = 1 + draw(IDS_MAX - 1);
        idset_add(scope, set, id);
        model[id] = true;
    }
}

static void sets_agree_with_a_model(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        Scope *scope = scope_open(NULL, "test");
        IdSet a = {0}, b = {0};
        bool in_a[IDS_MAX] = {0}, in_b[IDS_MAX] = {0};
        bool within = true, overlaps = false;

        fill(scope, &a, in_a, draw(8));
        fill(scope, &b, in_b, draw(60));
        for (uint32_t i = 1; i < IDS_MAX; i++) {
            within &= !in_a[i] || in_b[i];
            overlaps |= in_a[i] && in_b[i];
            assert_int_equal(idset_has(&a, i), in_a[i]);
        }
        assert_int_equal(idset_within(&a, &b), within);
        assert_int_equal(idset_overlaps(&a, &b), overlaps);
        idset_union(scope, &b, &a);
        for (uint32_t i = 1; i < IDS_MAX; i++)
            assert_int_equal(idset_has(&b, i), in_a[i] || in_b[i]);
        idset_subtract(&b, &a);
        for (uint32_t i = 1; i < IDS_MAX; i++)
            assert_int_equal(idset_has(&b, i), in_b[i] && !in_a[i]);
        scope_close(scope);
    }
}

static void an_empty_set_has_nothing(void **state)
{
    (void)state;
    Scope *scope = scope_open(NULL, "test");
    IdSet none = {0}, some = {0};

    assert_true(idset_empty(&none));
    assert_false(idset_has(&none, 1));
    assert_true(idset_within(&none, &some));
    idset_add(scope, &some, 64);
    assert_false(idset_empty(&some));
    assert_true(idset_within(&none, &some));
    assert_false(idset_overlaps(&none, &some));
    scope_close(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_agree_with_a_model),
        cmocka_unit_test(an_empty_set_has_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
