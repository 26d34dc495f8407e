// SPDX-License-Identifier: Apache-2.0
//
// The node's worker threads, as the executor uses them: tasks that lie in the caller's memory and
// can be taken back while no thread has begun them, so that nobody ever waits for a busy pool.
#ifndef DBASPOT_EXEC_POOL_H
#define DBASPOT_EXEC_POOL_H

#include "exec/exec.h"
#include "os/thread.h"

typedef struct PoolTask {
    struct PoolTask *next;
    void (*fn)(void *arg);
    void *arg;
    bool queued;   /* no thread has begun it; guarded by the pool's mutex */
    bool detached; /* nobody waits for it: it frees itself */
    Event done;
} PoolTask;

/* `task` must stay until pool_task_finish. Any thread. */
void pool_task_start(WorkerPool *pool, PoolTask *task, void (*fn)(void *arg), void *arg);
/* Takes the task back if it has not begun, else waits for its end. */
void pool_task_finish(WorkerPool *pool, PoolTask *task);

#endif
