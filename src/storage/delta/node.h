// SPDX-License-Identifier: Apache-2.0
//
// Inside a node of the delta tree: the lock word's protocol and the search. Private to tree*.c. A
// reader: node_begin, look, node_unchanged; what was looked at counts only if that says true. What
// a reader can find, even in the middle of a change, is live memory (DELTA-2).
#ifndef DBASPOT_STORAGE_DELTA_NODE_H
#define DBASPOT_STORAGE_DELTA_NODE_H

#include "os/thread.h"
#include "storage/delta/tree.h"

#define load_relaxed(at)         atomic_load_explicit((at), memory_order_relaxed)
#define load_acquire(at)         atomic_load_explicit((at), memory_order_acquire)
#define store_relaxed(at, value) atomic_store_explicit((at), (value), memory_order_relaxed)
#define store_release(at, value) atomic_store_explicit((at), (value), memory_order_release)

static inline uint64_t node_begin(const DeltaNode *node)
{
    for (uint32_t spins = 1;; spins++) {
        uint64_t lock = load_acquire(&node->lock);
        if (LIKELY(!(lock & 1)))
            return lock;
        if (spins % 64)
            thread_pause();
        else
            thread_yield();
    }
}

static inline bool node_unchanged(const DeltaNode *node, uint64_t lock)
{
    atomic_thread_fence(memory_order_acquire);
    return load_relaxed(&node->lock) == lock;
}

/* False if the node changed since node_begin gave `lock`. */
static inline bool node_try_lock(DeltaNode *node, uint64_t lock)
{
    if (!atomic_compare_exchange_strong_explicit(&node->lock, &lock, lock + 1, memory_order_acquire,
                                                 memory_order_relaxed))
        return false;
    atomic_thread_fence(memory_order_release);
    return true;
}

/* `changed`: the entries are others, or elsewhere. */
static inline void node_unlock(DeltaNode *node, bool changed)
{
    uint64_t lock = load_relaxed(&node->lock);

    ASSERT(lock & 1);
    store_release(&node->lock, changed ? lock + 1 : lock - 1);
}

/* The 8 bytes of a key from `skip` on as an integer whose order is theirs; 0 beyond the end. */
static inline uint64_t key_head(Str key, uint32_t skip)
{
    uint64_t head = 0;

    if (LIKELY(key.len >= (size_t)skip + 8)) {
        memcpy(&head, key.ptr + skip, 8);
    } else if (key.len > skip) {
        memcpy(&head, key.ptr + skip, key.len - skip);
    }
    return __builtin_bswap64(head);
}

/* The mask of the first min(skip, 8) bytes of a head. */
static inline uint64_t head_mask(uint32_t skip)
{
    return skip >= 8 ? UINT64_MAX : skip == 0 ? 0 : ~(UINT64_MAX >> (8 * skip));
}

static inline Str separator_key(const DeltaSeparator *separator)
{
    return (Str){separator->bytes, separator->len};
}

static inline Str slot_key(const DeltaNode *node, const void *slot)
{
    return node->level == 0 ? delta_version_key(slot) : separator_key(slot);
}

static inline Str node_key(const DeltaNode *node, uint32_t at)
{
    return slot_key(node, load_acquire(&node->slots[at]));
}

static inline uint32_t shared_bytes(Str a, Str b)
{
    size_t max = MIN(a.len, b.len), at = 0;

    while (at < max && a.ptr[at] == b.ptr[at])
        at++;
    return (uint32_t)at;
}

/* How `key` compares with what all keys of the node share: 0 = it begins with it. */
int node_compare_shared(const DeltaNode *node, uint32_t skip, Str key);

/* The first entry at or above `key`, among `count` entries; *equal: it is the key itself. */
uint32_t node_search(const DeltaNode *node, uint32_t count, Str key, bool *equal);

static inline uint32_t node_count(const DeltaNode *node)
{
    return load_acquire(&node->count);
}

static inline DeltaNode *inner_child(const DeltaNode *node, uint32_t at)
{
    return load_acquire(&((const DeltaInner *)node)->children[at]);
}

/* Brings the header and the heads in at once: a search would meet their lines one after another. */
static ALWAYS_INLINE void node_prefetch(const DeltaNode *node)
{
    for (size_t at = 0; at < offsetof(DeltaNode, slots); at += 64)
        __builtin_prefetch((const char *)node + at);
}

/* The leaf where `key` belongs (`before`: where the greatest key below it does; NULL key.ptr: the
   last leaf if `before`, else the first), with its lock word. NULL: the tree is empty. */
const DeltaNode *tree_find_leaf(const DeltaTree *tree, Str key, bool before, uint64_t *lock);

#endif
