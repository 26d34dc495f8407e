// SPDX-License-Identifier: Apache-2.0
//
// The lock table: row locks (by relation and key), table locks (by object id) and the escalation
// marks of bulk writers, in one sharded hash table with FIFO queues. Modes are bits of a mask; two
// tables say which collide (PostgreSQL 15, chapter 13.3). No thread is held: a request that
// collides is queued and its owner's wake function is called when it has been granted. Deadlocks
// are searched for when a request is queued (the wait-for graph, depth first). Thread-safe.
#ifndef DBASPOT_TXN_LOCK_H
#define DBASPOT_TXN_LOCK_H

#include "storage/relation.h"

typedef struct LockTable LockTable;
typedef struct LockEntry LockEntry;

typedef enum LockKind { LOCK_ROW, LOCK_TABLE, LOCK_BULK } LockKind;

/* Modes of LOCK_BULK: every row writer of a relation holds INTENT; ESCALATED stands for all rows.
 */
enum { BULK_INTENT = 0, BULK_ESCALATED = 1 };

typedef struct LockTag {
    LockKind kind;
    uint32_t object; /* relation id, or the table's oid */
    Str key;         /* LOCK_ROW */
} LockTag;

typedef enum LockAnswer {
    LOCK_GRANTED,
    LOCK_QUEUED,   /* wake will be called once */
    LOCK_BUSY,     /* not asked to wait */
    LOCK_DEADLOCK, /* not queued: waiting would close a cycle */
} LockAnswer;

/* Who locks. Embedded in a transaction; the fields are the lock table's. */
typedef struct LockOwner {
    uint64_t id; /* for messages */
    void (*wake)(void *arg);
    void *wake_arg;
    struct LockHeld *held; /* newest last, held_count of them */
    uint32_t held_count;
    uint32_t held_cap;
    LockEntry *waits_for; /* NULL when not waiting; guarded by the table's wait mutex */
    uint8_t wait_mode;
    bool granted; /* the wait ended well; collected by lock_collect */
    struct LockOwner *queue_next;
    uint64_t visited; /* mark of the deadlock search */
} LockOwner;

LockTable *lock_table_new(void);
/* Nothing may be held. */
void lock_table_free(LockTable *table);

void lock_owner_init(LockOwner *owner, uint64_t id, void (*wake)(void *), void *wake_arg);
/* REQUIRES: nothing held, not waiting. */
void lock_owner_free(LockOwner *owner);

/* Asks for a mode; O(1) when nothing collides. Already held (or stronger): granted at once. */
LockAnswer lock_acquire(LockTable *table, LockOwner *owner, const LockTag *tag, uint8_t mode,
                        bool wait);
/* True if the owner holds this mode or one that is at least as strong. */
bool lock_is_held(LockTable *table, const LockOwner *owner, const LockTag *tag, uint8_t mode);
/* Takes note of a granted wait: the lock is in the held list then. False: still queued. */
bool lock_collect(LockTable *table, LockOwner *owner);
/* Leaves the queue, if in one; a lock granted meanwhile is kept (collected). */
void lock_cancel(LockTable *table, LockOwner *owner);
/* Releases what was acquired after the first `keep` grants (0: everything), waking who may go on.
 */
void lock_release(LockTable *table, LockOwner *owner, uint32_t keep);

#endif
