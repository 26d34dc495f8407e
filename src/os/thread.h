// SPDX-License-Identifier: Apache-2.0
//
// Threads and what they wait on: thin wrappers over POSIX threads. Deadlines are clock_mono_ns
// times. A Condition is a futex word that counts signals: what is waited for must be changed under
// the mutex. An Event is a one-shot signal on a futex word: set once, waited for by one or more
// threads, cheap when nobody waits. Misuse (unlocking what is not locked, joining twice) is an
// assertion.
#ifndef DBASPOT_OS_THREAD_H
#define DBASPOT_OS_THREAD_H

#include "base/error.h"

#include <pthread.h>

typedef struct Mutex {
    pthread_mutex_t native;
} Mutex;

typedef struct Condition {
    _Atomic uint32_t sequence; /* of signals: what a waiter sleeps on */
    _Atomic uint32_t waiters;
} Condition;

typedef struct RwLock {
    pthread_rwlock_t native;
} RwLock;

typedef struct Once {
    pthread_once_t native;
} Once;

typedef struct Thread {
    pthread_t native;
    bool started;
} Thread;

typedef struct Event {
    _Atomic uint32_t word;
} Event;

#define MUTEX_INIT                \
    {                             \
        PTHREAD_MUTEX_INITIALIZER \
    }
#define ONCE_INIT         \
    {                     \
        PTHREAD_ONCE_INIT \
    }

/* Starts fn(arg). `name` (at most 15 characters) is shown by debuggers. Signals are blocked in it:
   they are the host program's. E_OUT_OF_MEMORY if the system has no thread left. */
Status thread_start(Ctx *ctx, Thread *thread, const char *name, void (*fn)(void *), void *arg);
/* Waits until it ends. A Thread that was never started is left alone. */
void thread_join(Thread *thread);
/* True if the calling thread is `thread`. */
bool thread_is_self(const Thread *thread);
void thread_yield(void);
/* Lowers the calling thread's priority (background work). */
void thread_lower_priority(void);

/* Spins a little in the kernel's absence before it sleeps: for sections of well under 1 us. */
void mutex_init(Mutex *mutex);
void mutex_free(Mutex *mutex);
void mutex_lock(Mutex *mutex);
bool mutex_try_lock(Mutex *mutex);
void mutex_unlock(Mutex *mutex);

void condition_init(Condition *condition);
void condition_free(Condition *condition);
/* REQUIRES(mutex). May wake without reason: wait in a loop on what is waited for. */
void condition_wait(Condition *condition, Mutex *mutex);
/* False when the deadline passed. */
bool condition_wait_until(Condition *condition, Mutex *mutex, int64_t deadline_ns);
void condition_signal(Condition *condition);
void condition_broadcast(Condition *condition);

void rwlock_init(RwLock *lock);
void rwlock_free(RwLock *lock);
void rwlock_lock_read(RwLock *lock);
void rwlock_lock_write(RwLock *lock);
void rwlock_unlock(RwLock *lock);

void once_run(Once *once, void (*fn)(void));

#define THREAD_EXITS_MAX 8

/* Runs fn when the calling thread ends (not the main thread's: the process ends with it); the
   newest first, THREAD_EXITS_MAX a thread at most. All threads share one system key. */
void thread_on_exit(void (*fn)(void));

void event_init(Event *event);
/* After this the event may be gone: the waiter owns it. */
void event_set(Event *event);
bool event_is_set(const Event *event);
void event_wait(Event *event);
/* False when the deadline passed. */
bool event_wait_until(Event *event, int64_t deadline_ns);

/* One turn of a spin loop. */
static inline void thread_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
