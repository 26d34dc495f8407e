// SPDX-License-Identifier: Apache-2.0
//
// Threads, locks, conditions and events: what they order, and that deadlines pass.
#include "os/thread.h"

#include "os/clock.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { THREADS = 6, ROUNDS = 2000 };

static Ctx ctx;
static Mutex mutex;
static Condition condition;
static RwLock rwlock;
static Once once = ONCE_INIT;
static uint64_t counter;
static uint64_t turn;
static uint64_t once_count;

static void count(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        mutex_lock(&mutex);
        counter++;
        mutex_unlock(&mutex);
    }
}

static void run_all(void (*fn)(void *))
{
    Thread threads[THREADS] = {0};

    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(thread_start(&ctx, &threads[i], "worker", fn, (void *)i), OK);
    for (int i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
}

static void a_mutex_excludes(void **state)
{
    (void)state;
    counter = 0;
    run_all(count);
    assert_int_equal(counter, THREADS * ROUNDS);
    mutex_lock(&mutex);
    assert_false(mutex_try_lock(&mutex));
    mutex_unlock(&mutex);
    assert_true(mutex_try_lock(&mutex));
    mutex_unlock(&mutex);
}

static void take_turns(void *arg)
{
    for (int i = 0; i < 200; i++) {
        mutex_lock(&mutex);
        while (turn % THREADS != (uintptr_t)arg)
            condition_wait(&condition, &mutex);
        turn++;
        condition_broadcast(&condition);
        mutex_unlock(&mutex);
    }
}

static void a_condition_wakes(void **state)
{
    (void)state;
    turn = 0;
    run_all(take_turns);
    assert_int_equal(turn, THREADS * 200);
}

static void deadlines_pass(void **state)
{
    Event event;
    int64_t start = clock_mono_ns();

    (void)state;
    event_init(&event);
    mutex_lock(&mutex);
    while (condition_wait_until(&condition, &mutex, start + 2000000)) {
    }
    mutex_unlock(&mutex);
    assert_true(clock_mono_ns() >= start + 2000000);
    assert_false(event_wait_until(&event, start + 4000000));
    assert_true(clock_mono_ns() >= start + 4000000);
    event_set(&event);
    assert_true(event_wait_until(&event, 0));
}

static Event ping[ROUNDS];
static Event pong[ROUNDS];

static void answer(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        event_wait(&ping[i]);
        counter++;
        event_set(&pong[i]);
    }
}

static void an_event_orders_what_came_before(void **state)
{
    Thread thread;

    (void)state;
    counter = 0;
    for (int i = 0; i < ROUNDS; i++) {
        event_init(&ping[i]);
        event_init(&pong[i]);
    }
    assert_int_equal(thread_start(&ctx, &thread, "answer", answer, NULL), OK);
    assert_false(thread_is_self(&thread));
    for (uint64_t i = 0; i < ROUNDS; i++) {
        assert_int_equal(counter, i);
        event_set(&ping[i]);
        event_wait(&pong[i]);
        assert_true(event_is_set(&pong[i]));
    }
    thread_join(&thread);
    thread_join(&thread); /* once ended, it is left alone */
}

static void read_and_write(void *arg)
{
    for (int i = 0; i < 300; i++) {
        if ((uintptr_t)arg % 2) {
            rwlock_lock_write(&rwlock);
            counter += 2;
        } else {
            rwlock_lock_read(&rwlock);
            assert_true(counter % 2 == 0);
        }
        rwlock_unlock(&rwlock);
    }
}

static void readers_share_and_writers_exclude(void **state)
{
    (void)state;
    counter = 0;
    run_all(read_and_write);
    assert_int_equal(counter, THREADS / 2 * 300 * 2);
}

static void count_once(void)
{
    once_count++;
}

static void run_once(void *arg)
{
    (void)arg;
    once_run(&once, count_once);
    assert_int_equal(once_count, 1);
}

static void once_is_once(void **state)
{
    (void)state;
    run_all(run_once);
    assert_int_equal(once_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mutex_excludes),
        cmocka_unit_test(a_condition_wakes),
        cmocka_unit_test(deadlines_pass),
        cmocka_unit_test(an_event_orders_what_came_before),
        cmocka_unit_test(readers_share_and_writers_exclude),
        cmocka_unit_test(once_is_once),
    };

    ctx_init(&ctx);
    mutex_init(&mutex);
    condition_init(&condition);
    rwlock_init(&rwlock);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rwlock_free(&rwlock);
    condition_free(&condition);
    mutex_free(&mutex);
    ctx_free(&ctx);
    return failed;
}
