// SPDX-License-Identifier: Apache-2.0
//
// The clocks and their simulated twin, random numbers against xoshiro256**'s published sequence,
// and what the machine says of itself.
#include "os/clock.h"

#include "os/random.h"
#include "os/sysinfo.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void time_goes_on(void **state)
{
    int64_t before = clock_mono_ns();

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_mono_ns();

        assert_true(now >= before);
        before = now;
    }
    assert_true(clock_wall_us() > INT64_C(1700000000000000));
}

static void simulated_time_stands_still(void **state)
{
    SimClock clock;

    (void)state;
    sim_clock_init(&clock, 1000);
    clock_set_source(&clock.source);
    int64_t mono = clock_mono_ns();
    assert_int_equal(clock_wall_us(), 1000);
    assert_int_equal(clock_mono_ns(), mono);
    sim_clock_advance_us(&clock, 5);
    assert_int_equal(clock_wall_us(), 1005);
    assert_int_equal(clock_mono_ns(), mono + 5000);
    sim_clock_jump_us(&clock, -500);
    assert_int_equal(clock_wall_us(), 505);
    assert_int_equal(clock_mono_ns(), mono + 5000);
    clock_set_source(NULL);
    assert_true(clock_wall_us() > INT64_C(1700000000000000));
}

static void numbers_are_the_published_ones(void **state)
{
    /* State 1, 2, 3, 4: the authors' reference implementation gives these. */
    static const uint64_t expected[] = {
        11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600};
    Random random = {{1, 2, 3, 4}};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++)
        assert_true(random_u64(&random) == expected[i]);
}

static void numbers_stay_in_bounds_and_repeat(void **state)
{
    Random a;
    Random b;
    uint32_t seen[7] = {0};
    unsigned char entropy[32] = {0};
    unsigned char zeros[32] = {0};
    Ctx ctx;

    (void)state;
    random_seed(&a, 42);
    random_seed(&b, 42);
    for (int i = 0; i < 7000; i++) {
        uint64_t x = random_below(&a, 7);

        assert_true(x < 7);
        assert_int_equal(random_below(&b, 7), x);
        seen[x]++;
        double d = random_double(&a);
        assert_true(d >= 0 && d < 1);
        (void)random_double(&b);
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 800, 1200);
    random_seed_entropy(&a);
    random_seed_entropy(&b);
    assert_true(random_u64(&a) != random_u64(&b));
    ctx_init(&ctx);
    assert_int_equal(random_entropy(&ctx, entropy, sizeof entropy), OK);
    assert_memory_not_equal(entropy, zeros, sizeof zeros);
    ctx_free(&ctx);
}

static void the_machine_has_something(void **state)
{
    (void)state;
    assert_true(sysinfo_cores() >= 1);
    assert_true(sysinfo_memory_bytes() >= (uint64_t)16 << 20);
    assert_true(sysinfo_resident_bytes() > 0);
    assert_true(sysinfo_resident_bytes() < sysinfo_memory_bytes());
    assert_true(sysinfo_process_id() > 0);
    assert_int_equal(sysinfo_page_bytes() & (sysinfo_page_bytes() - 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_goes_on),
        cmocka_unit_test(simulated_time_stands_still),
        cmocka_unit_test(numbers_are_the_published_ones),
        cmocka_unit_test(numbers_stay_in_bounds_and_repeat),
        cmocka_unit_test(the_machine_has_something),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
