// SPDX-License-Identifier: Apache-2.0
//
// The lock table: see lock.h. A shard's mutex guards its entries; the wait mutex is taken before it
// by whoever changes a queue, so the deadlock search sees queues that stand still. Entries live
// while somebody holds or waits for them.
#include "txn/lock.h"

#include "base/hash.h"
#include "base/memory.h"
#include "os/thread.h"

#define SHARDS_COUNT 64
#define BUCKETS_MIN  64

typedef struct LockHolder {
    LockOwner *owner;
    uint8_t modes; /* bits */
} LockHolder;

struct LockEntry {
    LockEntry *next; /* in its bucket */
    uint64_t hash;
    LockKind kind;
    uint32_t object;
    uint32_t key_bytes;
    uint32_t holders_count;
    uint32_t holders_cap;
    LockHolder *holders; /* `first` while one is enough */
    LockHolder first;
    LockOwner *queue_head;
    LockOwner *queue_tail;
    char key[];
};

typedef struct LockHeld {
    LockEntry *entry;
    uint8_t mode;
} LockHeld;

typedef struct LockShard {
    Mutex mutex;
    LockEntry **buckets;
    uint32_t buckets_count; /* a power of two */
    uint32_t entries_count;
} LockShard;

struct LockTable {
    Mutex wait_mutex;
    uint64_t search; /* guarded by wait_mutex: the current search's mark */
    LockShard shards[SHARDS_COUNT];
};

/* By mode: which modes of other owners collide with it. */
static const uint8_t row_conflicts[4] = {
    /* ROW_KEY_SHARE */ 0x8,
    /* ROW_SHARE */ 0xC,
    /* ROW_NO_KEY_UPDATE */ 0xE,
    /* ROW_UPDATE */ 0xF,
};

#define T(mode) (1u << ((mode)-1))
/* TableLock modes 1..8 are bits 0..7. */
static const uint8_t table_conflicts[8] = {
    T(8),
    T(7) | T(8),
    T(5) | T(6) | T(7) | T(8),
    T(4) | T(5) | T(6) | T(7) | T(8),
    T(3) | T(4) | T(6) | T(7) | T(8),
    T(3) | T(4) | T(5) | T(6) | T(7) | T(8),
    T(2) | T(3) | T(4) | T(5) | T(6) | T(7) | T(8),
    T(1) | T(2) | T(3) | T(4) | T(5) | T(6) | T(7) | T(8),
};
#undef T

static const uint8_t bulk_conflicts[2] = {
    /* BULK_INTENT */ 1u << BULK_ESCALATED,
    /* BULK_ESCALATED */ (1u << BULK_INTENT) | (1u << BULK_ESCALATED),
};

static uint8_t conflicts_of(LockKind kind, uint8_t mode)
{
    switch (kind) {
    case LOCK_ROW: return row_conflicts[mode];
    case LOCK_TABLE: return table_conflicts[mode];
    case LOCK_BULK: return bulk_conflicts[mode];
    }
    return 0xFF;
}

/* True if holding `modes` makes asking for `mode` idle: one of them collides with all it would. */
static bool covers(LockKind kind, uint8_t modes, uint8_t mode)
{
    uint8_t wanted = conflicts_of(kind, mode);

    if (modes & (1u << mode))
        return true;
    for (uint8_t m = 0; m < 8; m++) {
        if ((modes & (1u << m)) && (conflicts_of(kind, m) & wanted) == wanted)
            return true;
    }
    return false;
}

static uint64_t tag_hash(const LockTag *tag)
{
    uint64_t seed = hash_u64(((uint64_t)tag->kind << 32) | tag->object);
    return tag->kind == LOCK_ROW ? hash_combine(seed, hash_str(tag->key)) : seed;
}

static LockShard *shard_of(LockTable *table, uint64_t hash)
{
    return &table->shards[hash >> 58];
}
static_assert(SHARDS_COUNT == 1 << 6, "shard_of takes the top six bits");

LockTable *lock_table_new(void)
{
    LockTable *table = mem_alloc_zero(sizeof *table);

    mutex_init(&table->wait_mutex);
    for (uint32_t i = 0; i < SHARDS_COUNT; i++) {
        LockShard *shard = &table->shards[i];
        mutex_init(&shard->mutex);
        shard->buckets_count = BUCKETS_MIN;
        shard->buckets = mem_alloc_zero(sizeof(LockEntry *) * BUCKETS_MIN);
    }
    return table;
}

void lock_table_free(LockTable *table)
{
    if (table == NULL)
        return;
    for (uint32_t i = 0; i < SHARDS_COUNT; i++) {
        LockShard *shard = &table->shards[i];
        ASSERT(shard->entries_count == 0);
        mem_free(shard->buckets);
        mutex_free(&shard->mutex);
    }
    mutex_free(&table->wait_mutex);
    mem_free(table);
}

void lock_owner_init(LockOwner *owner, uint64_t id, void (*wake)(void *), void *wake_arg)
{
    LockHeld *held = owner->held;
    uint32_t held_cap = owner->held_cap;

    *owner = (LockOwner){.id = id, .wake = wake, .wake_arg = wake_arg};
    owner->held = held;
    owner->held_cap = held_cap;
}

void lock_owner_free(LockOwner *owner)
{
    ASSERT(owner->held_count == 0 && owner->waits_for == NULL);
    mem_free(owner->held);
    owner->held = NULL;
    owner->held_cap = 0;
}

static bool entry_matches(const LockEntry *entry, uint64_t hash, const LockTag *tag)
{
    return entry->hash == hash && entry->kind == tag->kind && entry->object == tag->object &&
           (tag->kind != LOCK_ROW || str_equal((Str){entry->key, entry->key_bytes}, tag->key));
}

static LockEntry *find_locked(const LockShard *shard, uint64_t hash, const LockTag *tag)
{
    LockEntry *entry = shard->buckets[hash & (shard->buckets_count - 1)];

    while (entry && !entry_matches(entry, hash, tag))
        entry = entry->next;
    return entry;
}

static void grow_locked(LockShard *shard)
{
    uint32_t count = shard->buckets_count * 2;
    LockEntry **buckets = mem_alloc_zero(sizeof(LockEntry *) * count);

    for (uint32_t i = 0; i < shard->buckets_count; i++) {
        for (LockEntry *entry = shard->buckets[i], *next; entry; entry = next) {
            next = entry->next;
            entry->next = buckets[entry->hash & (count - 1)];
            buckets[entry->hash & (count - 1)] = entry;
        }
    }
    mem_free(shard->buckets);
    shard->buckets = buckets;
    shard->buckets_count = count;
}

static LockEntry *create_locked(LockShard *shard, uint64_t hash, const LockTag *tag)
{
    uint32_t key_bytes = tag->kind == LOCK_ROW ? (uint32_t)tag->key.len : 0;
    LockEntry *entry = mem_alloc(sizeof *entry + key_bytes);

    *entry = (LockEntry){.hash = hash,
                         .kind = tag->kind,
                         .object = tag->object,
                         .key_bytes = key_bytes,
                         .holders_cap = 1};
    entry->holders = &entry->first;
    if (key_bytes)
        memcpy(entry->key, tag->key.ptr, key_bytes);
    if (shard->entries_count >= shard->buckets_count)
        grow_locked(shard);
    LockEntry **bucket = &shard->buckets[hash & (shard->buckets_count - 1)];
    entry->next = *bucket;
    *bucket = entry;
    shard->entries_count++;
    return entry;
}

static void drop_if_idle_locked(LockShard *shard, LockEntry *entry)
{
    if (entry->holders_count || entry->queue_head)
        return;
    LockEntry **link = &shard->buckets[entry->hash & (shard->buckets_count - 1)];
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    shard->entries_count--;
    if (entry->holders != &entry->first)
        mem_free(entry->holders);
    mem_free(entry);
}

static LockHolder *holder_of(const LockEntry *entry, const LockOwner *owner)
{
    for (uint32_t i = 0; i < entry->holders_count; i++) {
        if (entry->holders[i].owner == owner)
            return &entry->holders[i];
    }
    return NULL;
}

static bool others_collide(const LockEntry *entry, const LockOwner *owner, uint8_t mode)
{
    uint8_t conflicts = conflicts_of(entry->kind, mode);

    for (uint32_t i = 0; i < entry->holders_count; i++) {
        if (entry->holders[i].owner != owner && (entry->holders[i].modes & conflicts))
            return true;
    }
    return false;
}

static void add_holder_locked(LockEntry *entry, LockOwner *owner, uint8_t mode)
{
    LockHolder *holder = holder_of(entry, owner);

    if (holder) {
        holder->modes |= (uint8_t)(1u << mode);
        return;
    }
    if (entry->holders_count == entry->holders_cap) {
        uint32_t cap = entry->holders_cap * 4;
        LockHolder *grown = mem_alloc(sizeof(LockHolder) * cap);
        memcpy(grown, entry->holders, sizeof(LockHolder) * entry->holders_count);
        if (entry->holders != &entry->first)
            mem_free(entry->holders);
        entry->holders = grown;
        entry->holders_cap = cap;
    }
    entry->holders[entry->holders_count++] =
        (LockHolder){.owner = owner, .modes = (uint8_t)(1u << mode)};
}

static void remember(LockOwner *owner, LockEntry *entry, uint8_t mode)
{
    if (owner->held_count == owner->held_cap) {
        owner->held_cap = owner->held_cap ? owner->held_cap * 2 : 16;
        owner->held = mem_realloc(owner->held, sizeof(LockHeld) * owner->held_cap);
    }
    owner->held[owner->held_count++] = (LockHeld){.entry = entry, .mode = mode};
}

/* Pushes the owners that stand in the way of `owner` and wait themselves; true if `target` is one.
 */
static bool push_blockers(LockTable *table, const LockOwner *owner, const LockOwner *target,
                          LockOwner ***stack, uint32_t *count, uint32_t *cap)
{
    LockEntry *entry = owner->waits_for;
    LockShard *shard = shard_of(table, entry->hash);
    uint8_t conflicts = conflicts_of(entry->kind, owner->wait_mode);
    bool found = false;

    mutex_lock(&shard->mutex);
    LockOwner *queued = entry->queue_head;
    for (uint32_t i = 0; !found; i++) {
        LockOwner *blocker = NULL;
        if (i < entry->holders_count) {
            if (entry->holders[i].modes & conflicts)
                blocker = entry->holders[i].owner;
        } else if (queued && queued != owner) {
            blocker = queued; /* first come, first served: who stands ahead blocks too */
            queued = queued->queue_next;
        } else {
            break;
        }
        if (blocker == NULL || blocker == owner)
            continue;
        found = blocker == target;
        if (found || blocker->waits_for == NULL || blocker->visited == table->search)
            continue;
        blocker->visited = table->search;
        if (*count == *cap) {
            *cap *= 2;
            *stack = mem_realloc(*stack, sizeof(LockOwner *) * *cap);
        }
        (*stack)[(*count)++] = blocker;
    }
    mutex_unlock(&shard->mutex);
    return found;
}

/* REQUIRES(wait_mutex): queues stand still. O(edges of the wait-for graph reachable from owner). */
static bool closes_cycle_locked(LockTable *table, LockOwner *owner)
{
    uint32_t count = 1;
    uint32_t cap = 16;
    LockOwner **stack = mem_alloc(sizeof(LockOwner *) * cap);
    bool cycle = false;

    table->search++;
    stack[0] = owner;
    while (count && !cycle) {
        const LockOwner *next = stack[--count];
        cycle = push_blockers(table, next, owner, &stack, &count, &cap);
    }
    mem_free(stack);
    return cycle;
}

static void dequeue_locked(LockEntry *entry, LockOwner *owner)
{
    LockOwner *before = NULL;

    for (LockOwner *at = entry->queue_head; at != owner; at = at->queue_next)
        before = at;
    if (before)
        before->queue_next = owner->queue_next;
    else
        entry->queue_head = owner->queue_next;
    if (entry->queue_tail == owner)
        entry->queue_tail = before;
    owner->queue_next = NULL;
    owner->waits_for = NULL;
}

/* Grants from the head of the queue while nothing collides; the granted are chained into *woken. */
static void grant_queue_locked(LockEntry *entry, LockOwner **woken)
{
    while (entry->queue_head &&
           !others_collide(entry, entry->queue_head, entry->queue_head->wait_mode)) {
        LockOwner *owner = entry->queue_head;
        dequeue_locked(entry, owner);
        add_holder_locked(entry, owner, owner->wait_mode);
        remember(owner, entry, owner->wait_mode);
        owner->granted = true;
        owner->queue_next = *woken;
        *woken = owner;
    }
}

/* TXN-1, REQUIRES(wait_mutex): an owner that finds itself granted may end only after its wake call.
 */
static void wake_all(LockOwner *woken)
{
    while (woken) {
        LockOwner *next = woken->queue_next;
        woken->queue_next = NULL;
        woken->wake(woken->wake_arg);
        woken = next;
    }
}

/* Takes the lock if it can be had at once. */
static LockAnswer try_locked(LockShard *shard, LockOwner *owner, const LockTag *tag, uint64_t hash,
                             uint8_t mode)
{
    LockEntry *entry = find_locked(shard, hash, tag);

    if (entry == NULL)
        entry = create_locked(shard, hash, tag);
    LockHolder *holder = holder_of(entry, owner);
    if (holder && covers(tag->kind, holder->modes, mode))
        return LOCK_GRANTED;
    if (others_collide(entry, owner, mode) || (holder == NULL && entry->queue_head))
        return LOCK_BUSY;
    add_holder_locked(entry, owner, mode);
    remember(owner, entry, mode);
    return LOCK_GRANTED;
}

static void enqueue_locked(LockEntry *entry, LockOwner *owner, uint8_t mode)
{
    owner->waits_for = entry;
    owner->wait_mode = mode;
    owner->granted = false;
    owner->queue_next = NULL;
    if (holder_of(entry, owner)) { /* an upgrade goes first: those behind wait for it anyway */
        owner->queue_next = entry->queue_head;
        entry->queue_head = owner;
        if (entry->queue_tail == NULL)
            entry->queue_tail = owner;
        return;
    }
    if (entry->queue_tail)
        entry->queue_tail->queue_next = owner;
    else
        entry->queue_head = owner;
    entry->queue_tail = owner;
}

LockAnswer lock_acquire(LockTable *table, LockOwner *owner, const LockTag *tag, uint8_t mode,
                        bool wait)
{
    uint64_t hash = tag_hash(tag);
    LockShard *shard = shard_of(table, hash);

    ASSERT(owner->waits_for == NULL);
    mutex_lock(&shard->mutex);
    LockAnswer answer = try_locked(shard, owner, tag, hash, mode);
    mutex_unlock(&shard->mutex);
    if (answer == LOCK_GRANTED || !wait)
        return answer;

    mutex_lock(&table->wait_mutex);
    mutex_lock(&shard->mutex);
    answer = try_locked(shard, owner, tag, hash, mode);
    if (answer == LOCK_BUSY) {
        enqueue_locked(find_locked(shard, hash, tag), owner, mode);
        answer = LOCK_QUEUED;
    }
    mutex_unlock(&shard->mutex);
    if (answer == LOCK_QUEUED && closes_cycle_locked(table, owner)) {
        mutex_lock(&shard->mutex);
        dequeue_locked(owner->waits_for, owner);
        mutex_unlock(&shard->mutex);
        answer = LOCK_DEADLOCK;
    }
    mutex_unlock(&table->wait_mutex);
    return answer;
}

bool lock_is_held(LockTable *table, const LockOwner *owner, const LockTag *tag, uint8_t mode)
{
    uint64_t hash = tag_hash(tag);
    LockShard *shard = shard_of(table, hash);

    mutex_lock(&shard->mutex);
    const LockEntry *entry = find_locked(shard, hash, tag);
    const LockHolder *holder = entry ? holder_of(entry, owner) : NULL;
    bool held = holder && covers(tag->kind, holder->modes, mode);
    mutex_unlock(&shard->mutex);
    return held;
}

bool lock_collect(LockTable *table, LockOwner *owner)
{
    mutex_lock(&table->wait_mutex);
    bool granted = owner->waits_for == NULL;
    owner->granted = false;
    mutex_unlock(&table->wait_mutex);
    return granted;
}

void lock_cancel(LockTable *table, LockOwner *owner)
{
    LockOwner *woken = NULL;

    mutex_lock(&table->wait_mutex);
    LockEntry *entry = owner->waits_for;
    if (entry) {
        LockShard *shard = shard_of(table, entry->hash);
        mutex_lock(&shard->mutex);
        dequeue_locked(entry, owner);
        grant_queue_locked(entry, &woken);
        drop_if_idle_locked(shard, entry);
        mutex_unlock(&shard->mutex);
    }
    owner->granted = false;
    wake_all(woken);
    mutex_unlock(&table->wait_mutex);
}

/* Takes one mode off; the caller lets waiters in. */
static void drop_mode_locked(LockEntry *entry, LockOwner *owner, uint8_t mode)
{
    LockHolder *holder = holder_of(entry, owner);

    ASSERT(holder && (holder->modes & (1u << mode)));
    holder->modes &= (uint8_t) ~(1u << mode);
    if (holder->modes == 0)
        *holder = entry->holders[--entry->holders_count];
}

static void release_one(LockTable *table, LockOwner *owner, const LockHeld *held)
{
    LockEntry *entry = held->entry;
    LockShard *shard = shard_of(table, entry->hash);

    mutex_lock(&shard->mutex);
    if (LIKELY(entry->queue_head == NULL)) {
        drop_mode_locked(entry, owner, held->mode);
        drop_if_idle_locked(shard, entry);
        mutex_unlock(&shard->mutex);
        return;
    }
    mutex_unlock(&shard->mutex);

    LockOwner *woken = NULL;
    mutex_lock(&table->wait_mutex);
    mutex_lock(&shard->mutex);
    drop_mode_locked(entry, owner, held->mode);
    grant_queue_locked(entry, &woken);
    drop_if_idle_locked(shard, entry);
    mutex_unlock(&shard->mutex);
    wake_all(woken);
    mutex_unlock(&table->wait_mutex);
}

void lock_release(LockTable *table, LockOwner *owner, uint32_t keep)
{
    while (owner->held_count > keep) {
        LockHeld held = owner->held[--owner->held_count];
        release_one(table, owner, &held);
    }
}
