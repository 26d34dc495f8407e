// SPDX-License-Identifier: Apache-2.0
//
// A queue of tasks, first in first out, and the threads that serve it. Statements handed over by
// exec_pool_submit and the helpers of parallel queries share it. A thread that waits for something
// outside is replaced for as long; who is one too many afterwards ends.
#include "exec/pool.h"

#include "base/memory.h"

typedef struct Submitted {
    PoolTask task;
    void (*fn)(void *arg);
    void *arg;
} Submitted;

static _Thread_local bool is_pool_thread;

typedef struct PoolThread {
    struct PoolThread *next;
    WorkerPool *pool;
    Thread thread;
    bool ended;
} PoolThread;

struct WorkerPool {
    Mutex lock;
    Condition work;
    PoolTask *first;
    PoolTask **end;
    bool closing;
    uint32_t threads_wanted;
    uint32_t threads_count; /* that have not ended */
    uint32_t waiting_count; /* of them, between wait_begin and wait_end */
    PoolThread *threads;
};

/* More threads work than the pool should have: those that waited are back. */
static bool has_surplus_locked(const WorkerPool *pool)
{
    return pool->threads_count - pool->waiting_count > pool->threads_wanted;
}

/* NULL: the thread ends. */
static PoolTask *take_task(PoolThread *self)
{
    WorkerPool *pool = self->pool;
    PoolTask *task = NULL;

    mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->closing && !has_surplus_locked(pool))
        condition_wait(&pool->work, &pool->lock);
    if (has_surplus_locked(pool) && !pool->closing) {
        if (pool->first)
            condition_signal(&pool->work); /* the signal was meant for one that stays */
    } else if (pool->first) {
        task = pool->first;
        pool->first = task->next;
        if (pool->first == NULL)
            pool->end = &pool->first;
        task->queued = false;
    }
    if (task == NULL) {
        pool->threads_count--;
        self->ended = true;
    }
    mutex_unlock(&pool->lock);
    return task;
}

static void pool_thread(void *arg)
{
    PoolTask *task;

    is_pool_thread = true;
    thread_lower_priority();
    while ((task = take_task(arg)) != NULL) {
        bool detached = task->detached;
        task->fn(task->arg);
        if (!detached)
            event_set(&task->done);
    }
}

static Status start_thread_locked(Ctx *ctx, WorkerPool *pool)
{
    Status st = OK;
    PoolThread *thread = mem_alloc_zero(sizeof *thread);

    thread->pool = pool;
    TRY(thread_start(ctx, &thread->thread, "dbaspot-pool", pool_thread, thread));
    thread->next = pool->threads;
    pool->threads = thread;
    pool->threads_count++;
    thread = NULL;
done:
    mem_free(thread);
    return st;
}

/* Threads that have ended, or all. They are joined without the lock that they end under. */
static void join_threads(WorkerPool *pool, bool all)
{
    PoolThread *gone = NULL;

    mutex_lock(&pool->lock);
    for (PoolThread **at = &pool->threads; *at;) {
        PoolThread *thread = *at;
        if (!all && !thread->ended) {
            at = &thread->next;
            continue;
        }
        *at = thread->next;
        thread->next = gone;
        gone = thread;
    }
    mutex_unlock(&pool->lock);
    while (gone) {
        PoolThread *next = gone->next;
        thread_join(&gone->thread);
        mem_free(gone);
        gone = next;
    }
}

Status exec_pool_open(Ctx *ctx, uint32_t threads, WorkerPool **out)
{
    Status st = OK;
    WorkerPool *pool = mem_alloc_zero(sizeof *pool);

    pool->end = &pool->first;
    pool->threads_wanted = MAX(threads, 1);
    mutex_init(&pool->lock);
    condition_init(&pool->work);
    mutex_lock(&pool->lock);
    for (uint32_t i = 0; i < pool->threads_wanted && st == OK; i++)
        st = start_thread_locked(ctx, pool);
    mutex_unlock(&pool->lock);
    TRY(st);
    *out = pool;
    pool = NULL;
done:
    exec_pool_close(pool);
    return st;
}

void exec_pool_close(WorkerPool *pool)
{
    if (pool == NULL)
        return;
    mutex_lock(&pool->lock);
    pool->closing = true;
    condition_broadcast(&pool->work);
    mutex_unlock(&pool->lock);
    join_threads(pool, true);
    ASSERT(pool->first == NULL && pool->threads_count == 0 && pool->waiting_count == 0);
    condition_free(&pool->work);
    mutex_free(&pool->lock);
    mem_free(pool);
}

void exec_pool_wait_begin(WorkerPool *pool)
{
    Ctx ctx;

    if (!is_pool_thread)
        return;
    join_threads(pool, false);
    ctx_init(&ctx);
    mutex_lock(&pool->lock);
    pool->waiting_count++;
    if (pool->threads_count - pool->waiting_count < pool->threads_wanted &&
        start_thread_locked(&ctx, pool) != OK)
        error_clear(&ctx); /* then the pool has one thread less for a while */
    mutex_unlock(&pool->lock);
}

void exec_pool_wait_end(WorkerPool *pool)
{
    if (!is_pool_thread)
        return;
    mutex_lock(&pool->lock);
    pool->waiting_count--;
    if (has_surplus_locked(pool))
        condition_signal(&pool->work);
    mutex_unlock(&pool->lock);
}

static void enqueue(WorkerPool *pool, PoolTask *task)
{
    task->next = NULL;
    task->queued = true;
    mutex_lock(&pool->lock);
    *pool->end = task;
    pool->end = &task->next;
    condition_signal(&pool->work);
    mutex_unlock(&pool->lock);
}

static void run_submitted(void *arg)
{
    Submitted submitted = *(Submitted *)arg;

    mem_free(arg);
    submitted.fn(submitted.arg);
}

void exec_pool_submit(WorkerPool *pool, void (*fn)(void *arg), void *arg)
{
    Submitted *submitted = mem_alloc_zero(sizeof *submitted);

    submitted->fn = fn;
    submitted->arg = arg;
    submitted->task.fn = run_submitted;
    submitted->task.arg = submitted;
    submitted->task.detached = true;
    enqueue(pool, &submitted->task);
}

void pool_task_start(WorkerPool *pool, PoolTask *task, void (*fn)(void *arg), void *arg)
{
    task->fn = fn;
    task->arg = arg;
    task->detached = false;
    event_init(&task->done);
    enqueue(pool, task);
}

void pool_task_finish(WorkerPool *pool, PoolTask *task)
{
    bool withdrawn;

    mutex_lock(&pool->lock);
    withdrawn = task->queued;
    if (withdrawn) {
        PoolTask **link = &pool->first;
        while (*link != task)
            link = &(*link)->next;
        *link = task->next;
        if (task->next == NULL)
            pool->end = link;
        task->queued = false;
    }
    mutex_unlock(&pool->lock);
    if (!withdrawn)
        event_wait(&task->done);
}
