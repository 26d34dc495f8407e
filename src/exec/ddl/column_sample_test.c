// SPDX-License-Identifier: Apache-2.0
//
// Statistics of columns whose values are known: distinct counts by each of the three ways, common
// values, histogram, NULLs, width, correlation.
#include "exec/ddl/column_sample.h"

#include "base/hash.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ROWS 20000

/* Feeds rows value(i), NULL where value is negative; keeps every `step`-th in the sample. */
static ColumnStatistics collect(Scope *scope, uint32_t rows, uint32_t step,
                                int32_t (*value)(uint32_t), SampleTotals totals)
{
    ColumnSample sample;
    ColumnStatistics out = {0};
    uint64_t hashes[BATCH_ROWS_MAX];
    Vector v;

    column_sample_init(&sample, scope, sql_type(OID_INT4), rows);
    for (uint32_t first = 0; first < rows; first += BATCH_ROWS_MAX) {
        uint32_t count = MIN(BATCH_ROWS_MAX, rows - first);
        vector_init_flat(&v, scope, sql_type(OID_INT4), count);
        for (uint32_t i = 0; i < count; i++) {
            int32_t x = value(first + i);
            vector_flat(&v, int32_t)[i] = MAX(x, 0);
            if (x < 0)
                bitmap_clear(vector_make_validity(&v, scope, count), i);
        }
        column_sample_count(&sample, &v, count, hashes);
        for (uint32_t i = 0; i < count; i++) {
            if ((first + i) % step == 0)
                column_sample_keep(&sample, scope, &v, i, totals.kept++);
        }
    }
    totals.scanned = rows;
    column_sample_finish(&sample, scope, &totals, &out);
    return out;
}

static int32_t ascending(uint32_t i)
{
    return (int32_t)i;
}

static int32_t descending(uint32_t i)
{
    return (int32_t)(ROWS - i);
}

static int32_t scattered(uint32_t i)
{
    return (int32_t)(hash_u64(i + 1) % 1000000000);
}

static int32_t thousand(uint32_t i)
{
    return (int32_t)(hash_u64(i + 1) % 1000);
}

/* Half of the rows 7, a quarter NULL, the others few. */
static int32_t skewed(uint32_t i)
{
    return i % 4 < 2 ? 7 : i % 4 == 2 ? -1 : (int32_t)(hash_u64(i) % 5000) + 100;
}

static int32_t all_null(uint32_t i)
{
    return -(int32_t)i - 1;
}

static void near(double got, double wanted, double share)
{
    if (fabs(got - wanted) > wanted * share)
        fail_msg("got %f, wanted %f", got, wanted);
}

static void test_distinct(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    SampleTotals whole = {.rows = ROWS, .complete = true};
    SampleTotals part = {.rows = ROWS * 50.0};

    (void)state;
    /* All rows in the sample: exact. */
    assert_true(collect(scope, ROWS, 1, thousand, whole).distinct == 1000);
    assert_true(collect(scope, ROWS, 1, ascending, whole).distinct == ROWS);
    /* All rows seen, some sampled: the sketch; nearly unique becomes unique. */
    near(collect(scope, ROWS, 10, thousand, whole).distinct, 1000, 0.05);
    assert_true(collect(scope, ROWS, 10, scattered, whole).distinct == ROWS);
    /* A fiftieth seen: few values stay few, unique ones grow with the table. */
    near(collect(scope, ROWS, 1, thousand, part).distinct, 1000, 0.05);
    near(collect(scope, ROWS, 1, scattered, part).distinct, ROWS * 50.0, 0.05);
    scope_close(scope);
}

static void test_common_values(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    SampleTotals whole = {.rows = ROWS, .complete = true};
    ColumnStatistics s = collect(scope, ROWS, 1, skewed, whole);

    (void)state;
    assert_true(s.null_fraction == 0.25);
    assert_true(s.width == 4);
    assert_true(s.common_count >= 1);
    assert_int_equal(s.common[0].int32, 7);
    assert_true(s.common_fraction[0] == 0.5);
    for (uint32_t i = 0; i < s.bounds_count; i++)
        assert_int_not_equal(s.bounds[i].int32, 7);
    for (uint32_t i = 1; i < s.bounds_count; i++)
        assert_true(s.bounds[i - 1].int32 <= s.bounds[i].int32);
    scope_close(scope);
}

static void test_histogram_and_correlation(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    SampleTotals whole = {.rows = ROWS, .complete = true};
    ColumnStatistics up = collect(scope, ROWS, 1, ascending, whole);
    ColumnStatistics down = collect(scope, ROWS, 1, descending, whole);
    ColumnStatistics mixed = collect(scope, ROWS, 1, scattered, whole);

    (void)state;
    assert_int_equal(up.common_count, 0);
    assert_int_equal(up.bounds_count, 101);
    assert_int_equal(up.bounds[0].int32, 0);
    assert_int_equal(up.bounds[100].int32, ROWS - 1);
    near(up.bounds[50].int32, ROWS / 2, 0.01);
    near(up.correlation, 1, 0.0001);
    near(-down.correlation, 1, 0.0001);
    assert_true(fabs(mixed.correlation) < 0.05);
    scope_close(scope);
}

static void test_nothing_to_see(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    ColumnStatistics nulls =
        collect(scope, ROWS, 1, all_null, (SampleTotals){.rows = ROWS, .complete = true});
    ColumnStatistics empty = collect(scope, 0, 1, ascending, (SampleTotals){.complete = true});

    (void)state;
    assert_true(nulls.null_fraction == 1 && nulls.distinct == 0);
    assert_int_equal(nulls.common_count + nulls.bounds_count, 0);
    assert_true(empty.null_fraction == 0 && empty.distinct == 0);
    scope_close(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distinct),
        cmocka_unit_test(test_common_values),
        cmocka_unit_test(test_histogram_and_correlation),
        cmocka_unit_test(test_nothing_to_see),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
