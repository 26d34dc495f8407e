// SPDX-License-Identifier: Apache-2.0
//
// A queue of tasks, first in first out, and the threads that serve it. Statements handed over by
// exec_pool_submit and the helpers of parallel queries share it.
#include "exec/pool.h"

#include "base/memory.h"

typedef struct Submitted {
    PoolTask task;
    void (*fn)(void *arg);
    void *arg;
} Submitted;

struct WorkerPool {
    Mutex lock;
    Condition work;
    PoolTask *first;
    PoolTask **end;
    bool closing;
    uint32_t threads_count;
    Thread *threads;
};

static PoolTask *take_task(WorkerPool *pool)
{
    PoolTask *task;

    mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->closing)
        condition_wait(&pool->work, &pool->lock);
    task = pool->first;
    if (task) {
        pool->first = task->next;
        if (pool->first == NULL)
            pool->end = &pool->first;
        task->queued = false;
    }
    mutex_unlock(&pool->lock);
    return task;
}

static void pool_thread(void *arg)
{
    PoolTask *task;

    thread_lower_priority();
    while ((task = take_task(arg)) != NULL) {
        bool detached = task->detached;
        task->fn(task->arg);
        if (!detached)
            event_set(&task->done);
    }
}

Status exec_pool_open(Ctx *ctx, uint32_t threads, WorkerPool **out)
{
    Status st = OK;
    WorkerPool *pool = mem_alloc_zero(sizeof *pool);

    pool->end = &pool->first;
    pool->threads = mem_alloc_zero(sizeof(Thread) * MAX(threads, 1));
    mutex_init(&pool->lock);
    condition_init(&pool->work);
    for (uint32_t i = 0; i < threads; i++) {
        TRY(thread_start(ctx, &pool->threads[i], "dbaspot-pool", pool_thread, pool));
        pool->threads_count++;
    }
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
    for (uint32_t i = 0; i < pool->threads_count; i++)
        thread_join(&pool->threads[i]);
    ASSERT(pool->first == NULL);
    condition_free(&pool->work);
    mutex_free(&pool->lock);
    mem_free(pool->threads);
    mem_free(pool);
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
