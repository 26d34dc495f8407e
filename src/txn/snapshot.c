// SPDX-License-Identifier: Apache-2.0
//
// Slots come in chunks that are never freed before the registry is, so a collector can walk them
// while others are taken. See snapshot.h.
#include "txn/snapshot.h"

#include "base/memory.h"
#include "os/thread.h"

#define CHUNK_SLOTS 64
#define CACHE_LINE  64

struct SnapshotSlot {
    alignas(CACHE_LINE) _Atomic Timestamp read_ts; /* TIMESTAMP_MAX: reads nothing */
    SnapshotSlot *next_free;                       /* guarded by the registry's mutex */
};

typedef struct SlotChunk {
    struct SlotChunk *next;
    SnapshotSlot slots[CHUNK_SLOTS];
} SlotChunk;

struct SnapshotRegistry {
    Mutex mutex;
    SnapshotSlot *free_slots;
    uint32_t taken_count;
    _Atomic(SlotChunk *) chunks;
    _Atomic Timestamp gc_ts;
};

SnapshotRegistry *snapshot_registry_new(void)
{
    SnapshotRegistry *registry = mem_alloc_zero(sizeof *registry);
    mutex_init(&registry->mutex);
    return registry;
}

void snapshot_registry_free(SnapshotRegistry *registry)
{
    if (registry == NULL)
        return;
    ASSERT(registry->taken_count == 0);
    for (SlotChunk *chunk = atomic_load(&registry->chunks), *next; chunk; chunk = next) {
        next = chunk->next;
        mem_free(chunk);
    }
    mutex_free(&registry->mutex);
    mem_free(registry);
}

static void add_chunk_locked(SnapshotRegistry *registry)
{
    SlotChunk *chunk = mem_try_alloc_aligned(CACHE_LINE, sizeof *chunk);

    ASSERT(chunk != NULL && "out of memory");
    for (uint32_t i = 0; i < CHUNK_SLOTS; i++) {
        atomic_init(&chunk->slots[i].read_ts, TIMESTAMP_MAX);
        chunk->slots[i].next_free = registry->free_slots;
        registry->free_slots = &chunk->slots[i];
    }
    chunk->next = atomic_load(&registry->chunks);
    atomic_store(&registry->chunks, chunk);
}

SnapshotSlot *snapshot_slot_take(SnapshotRegistry *registry)
{
    mutex_lock(&registry->mutex);
    if (registry->free_slots == NULL)
        add_chunk_locked(registry);
    SnapshotSlot *slot = registry->free_slots;
    registry->free_slots = slot->next_free;
    registry->taken_count++;
    mutex_unlock(&registry->mutex);
    return slot;
}

void snapshot_slot_give(SnapshotRegistry *registry, SnapshotSlot *slot)
{
    snapshot_withdraw(slot);
    mutex_lock(&registry->mutex);
    slot->next_free = registry->free_slots;
    registry->free_slots = slot;
    registry->taken_count--;
    mutex_unlock(&registry->mutex);
}

Timestamp snapshot_publish(SnapshotRegistry *registry, SnapshotSlot *slot, const Storage *storage,
                           bool durable)
{
    for (;;) { /* TXN-2 */
        Timestamp ts = durable ? storage_durable_ts(storage) : storage_installed_ts(storage);
        atomic_store(&slot->read_ts, ts);
        if (LIKELY(atomic_load(&registry->gc_ts) <= ts))
            return ts;
    }
}

void snapshot_withdraw(SnapshotSlot *slot)
{
    atomic_store(&slot->read_ts, TIMESTAMP_MAX);
}

Timestamp snapshot_horizon(SnapshotRegistry *registry, Timestamp durable_ts)
{
    Timestamp oldest = atomic_load(&registry->gc_ts);

    while (oldest < durable_ts &&
           !atomic_compare_exchange_weak(&registry->gc_ts, &oldest, durable_ts)) {
    }
    oldest = atomic_load(&registry->gc_ts);
    for (SlotChunk *chunk = atomic_load(&registry->chunks); chunk; chunk = chunk->next) {
        for (uint32_t i = 0; i < CHUNK_SLOTS; i++) {
            Timestamp ts = atomic_load(&chunk->slots[i].read_ts);
            oldest = MIN(oldest, ts);
        }
    }
    return oldest;
}
