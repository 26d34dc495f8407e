// SPDX-License-Identifier: Apache-2.0
//
// POSIX threads and futexes behind thread.h. Deadlines are on the monotonic clock, so a jump of the
// wall clock wakes nobody. An Event's word is 0 (not set), 1 (set) or 2 (somebody sleeps on it).
#include "os/thread.h"

#include "base/memory.h"
#include "os/clock.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { EVENT_CLEAR, EVENT_SET, EVENT_AWAITED };

/* False when the deadline passed. It may return without reason. */
static bool futex_wait(_Atomic uint32_t *word, uint32_t expected, const struct timespec *deadline)
{
    /* FUTEX_WAIT_BITSET takes an absolute time on the monotonic clock. */
    long failed = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
                          deadline, NULL, FUTEX_BITSET_MATCH_ANY);
    return failed == 0 || errno != ETIMEDOUT;
}

static void futex_wake(_Atomic uint32_t *word, int32_t threads_max)
{
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, threads_max);
}

typedef struct ThreadStart {
    void (*fn)(void *);
    void *arg;
} ThreadStart;

static void *thread_main(void *arg)
{
    ThreadStart start = *(ThreadStart *)arg;

    mem_free(arg);
    start.fn(start.arg);
    return NULL;
}

Status thread_start(Ctx *ctx, Thread *thread, const char *name, void (*fn)(void *), void *arg)
{
    Status st = OK;
    ThreadStart *start = mem_alloc(sizeof *start);
    sigset_t all;
    sigset_t before;

    ASSERT(strlen(name) <= 15);
    *start = (ThreadStart){fn, arg};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread->native, NULL, thread_main, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    thread->started = error == 0;
    if (error) {
        mem_free(start);
        FAIL(ctx, E_OUT_OF_MEMORY, "could not start a thread: error %d", error);
    }
    pthread_setname_np(thread->native, name);
done:
    return st;
}

void thread_join(Thread *thread)
{
    if (!thread->started)
        return;
    int error = pthread_join(thread->native, NULL);
    ASSERT(error == 0);
    thread->started = false;
}

bool thread_is_self(const Thread *thread)
{
    return thread->started && pthread_equal(thread->native, pthread_self());
}

void thread_yield(void)
{
    sched_yield();
}

void thread_lower_priority(void)
{
    /* Linux: the nice value is a thread's. Not being allowed to is no harm. */
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10);
}

void mutex_init(Mutex *mutex)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
    int error = pthread_mutex_init(&mutex->native, &attr);
    pthread_mutexattr_destroy(&attr);
    ASSERT(error == 0);
}

void mutex_free(Mutex *mutex)
{
    int error = pthread_mutex_destroy(&mutex->native);
    ASSERT(error == 0);
}

void mutex_lock(Mutex *mutex)
{
    int error = pthread_mutex_lock(&mutex->native);
    ASSERT(error == 0);
}

bool mutex_try_lock(Mutex *mutex)
{
    int error = pthread_mutex_trylock(&mutex->native);
    ASSERT(error == 0 || error == EBUSY);
    return error == 0;
}

void mutex_unlock(Mutex *mutex)
{
    int error = pthread_mutex_unlock(&mutex->native);
    ASSERT(error == 0);
}

/* glibc's condition variables can lose a wake-up (its bug 25847, in 2.36), so ours sleep on a
   futex. A waiter reads the sequence before it lets go of the mutex; what it waits for changes
   under the mutex, so a signal that it must not miss comes after the read, moves the sequence, and
   the sleep ends at once or is woken. A signal with nobody waiting costs no system call: who
   registers later takes the mutex later, and finds the change made. */
void condition_init(Condition *condition)
{
    atomic_init(&condition->sequence, 0);
    atomic_init(&condition->waiters, 0);
}

void condition_free(Condition *condition)
{
    ASSERT(atomic_load(&condition->waiters) == 0);
}

static bool condition_sleep(Condition *condition, Mutex *mutex, const struct timespec *deadline)
{
    uint32_t sequence = atomic_load(&condition->sequence);

    atomic_fetch_add(&condition->waiters, 1);
    mutex_unlock(mutex);
    bool in_time = futex_wait(&condition->sequence, sequence, deadline);
    mutex_lock(mutex);
    atomic_fetch_sub(&condition->waiters, 1);
    return in_time;
}

void condition_wait(Condition *condition, Mutex *mutex)
{
    condition_sleep(condition, mutex, NULL);
}

bool condition_wait_until(Condition *condition, Mutex *mutex, int64_t deadline_ns)
{
    struct timespec at = {deadline_ns / 1000000000, deadline_ns % 1000000000};

    return condition_sleep(condition, mutex, &at);
}

static void condition_wake(Condition *condition, int32_t threads_max)
{
    atomic_fetch_add(&condition->sequence, 1);
    if (atomic_load(&condition->waiters) > 0)
        futex_wake(&condition->sequence, threads_max);
}

void condition_signal(Condition *condition)
{
    condition_wake(condition, 1);
}

void condition_broadcast(Condition *condition)
{
    condition_wake(condition, INT32_MAX);
}

void rwlock_init(RwLock *lock)
{
    int error = pthread_rwlock_init(&lock->native, NULL);
    ASSERT(error == 0);
}

void rwlock_free(RwLock *lock)
{
    int error = pthread_rwlock_destroy(&lock->native);
    ASSERT(error == 0);
}

void rwlock_lock_read(RwLock *lock)
{
    int error = pthread_rwlock_rdlock(&lock->native);
    ASSERT(error == 0);
}

void rwlock_lock_write(RwLock *lock)
{
    int error = pthread_rwlock_wrlock(&lock->native);
    ASSERT(error == 0);
}

void rwlock_unlock(RwLock *lock)
{
    int error = pthread_rwlock_unlock(&lock->native);
    ASSERT(error == 0);
}

void once_run(Once *once, void (*fn)(void))
{
    int error = pthread_once(&once->native, fn);
    ASSERT(error == 0);
}

static pthread_key_t exit_key;
static Once exit_key_once = ONCE_INIT;
static _Thread_local void (*exit_fns[THREAD_EXITS_MAX])(void);
static _Thread_local uint32_t exit_fns_count;

static void run_exit_fns(void *unused)
{
    (void)unused;
    while (exit_fns_count > 0)
        exit_fns[--exit_fns_count]();
}

static void make_exit_key(void)
{
    int error = pthread_key_create(&exit_key, run_exit_fns);
    ASSERT(error == 0);
}

void thread_on_exit(void (*fn)(void))
{
    ASSERT(exit_fns_count < THREAD_EXITS_MAX);
    once_run(&exit_key_once, make_exit_key);
    exit_fns[exit_fns_count++] = fn;
    int error = pthread_setspecific(exit_key, exit_fns);
    ASSERT(error == 0);
}

void event_init(Event *event)
{
    atomic_init(&event->word, EVENT_CLEAR);
}

void event_set(Event *event)
{
    /* The waiter may free the event as soon as the word changes: a wake of a word that is gone is
       harmless, it never reads it. */
    if (atomic_exchange(&event->word, EVENT_SET) == EVENT_AWAITED)
        futex_wake(&event->word, INT32_MAX);
}

bool event_is_set(const Event *event)
{
    return atomic_load(&event->word) == EVENT_SET;
}

void event_wait(Event *event)
{
    uint32_t word = EVENT_CLEAR;

    while (!event_is_set(event)) {
        word = EVENT_CLEAR;
        atomic_compare_exchange_strong(&event->word, &word, EVENT_AWAITED);
        if (word != EVENT_SET)
            futex_wait(&event->word, EVENT_AWAITED, NULL);
    }
}

bool event_wait_until(Event *event, int64_t deadline_ns)
{
    struct timespec at = {deadline_ns / 1000000000, deadline_ns % 1000000000};

    while (!event_is_set(event)) {
        uint32_t word = EVENT_CLEAR;

        if (clock_mono_ns() >= deadline_ns)
            return false;
        atomic_compare_exchange_strong(&event->word, &word, EVENT_AWAITED);
        if (word != EVENT_SET)
            futex_wait(&event->word, EVENT_AWAITED, &at);
    }
    return true;
}
