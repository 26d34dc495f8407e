// SPDX-License-Identifier: Apache-2.0
//
// Reading the delta tree: search within nodes, descent, point get; and taking entries away, which
// only a write set does (rollback to a savepoint). A descent holds no lock: it reads a node, then
// checks that the parent did not change meanwhile, and begins at the root again if it did.
// Iteration is in tree_iter.c, inserts are in tree_insert.c.
#include "storage/delta/node.h"

int node_compare_shared(const DeltaNode *node, uint32_t skip, Str key)
{
    uint64_t head = key_head(key, 0) & head_mask(skip);
    uint64_t shared = load_relaxed(&node->shared);

    if (head != shared)
        return head < shared ? -1 : 1;
    if (skip > 8 && key.len > 8) {
        Str first = node_key(node, 0);
        size_t bytes = MIN(MIN((size_t)skip, first.len), key.len);
        int order = bytes > 8 ? memcmp(key.ptr + 8, first.ptr + 8, bytes - 8) : 0;
        if (order)
            return order;
    }
    return key.len < skip ? -1 : 0;
}

/* Among entries of one head, [at, end), by whole keys. */
static uint32_t search_ties(const DeltaNode *node, uint32_t at, uint32_t end, Str key, bool *equal)
{
    *equal = false;
    while (at < end) {
        uint32_t middle = (at + end) / 2;
        int order = str_compare(node_key(node, middle), key);
        if (order == 0) {
            *equal = true;
            return middle;
        }
        if (order < 0)
            at = middle + 1;
        else
            end = middle;
    }
    return at;
}

uint32_t node_search(const DeltaNode *node, uint32_t count, Str key, bool *equal)
{
    uint32_t skip = load_relaxed(&node->skip);

    *equal = false;
    if (count == 0)
        return 0;
    if (skip) {
        int order = node_compare_shared(node, skip, key);
        if (order)
            return order < 0 ? 0 : count;
    }
    uint64_t head = key_head(key, skip);
    uint32_t at = 0;
    for (uint32_t rest = count; rest > 1;) {
        uint32_t half = rest / 2;
        at += load_relaxed(&node->heads[at + half - 1]) < head ? half : 0;
        rest -= half;
    }
    at += load_relaxed(&node->heads[at]) < head;
    uint32_t end = at;
    while (end < count && load_relaxed(&node->heads[end]) == head)
        end++;
    return at < end ? search_ties(node, at, end, key, equal) : at;
}

static const DeltaNode *find_child(const DeltaNode *node, Str key, bool before)
{
    uint32_t count = node_count(node);

    if (key.ptr == NULL)
        return inner_child(node, before ? count : 0);
    bool equal;
    uint32_t at = node_search(node, count, key, &equal);
    return inner_child(node, equal && !before ? at + 1 : at);
}

const DeltaNode *tree_find_leaf(const DeltaTree *tree, Str key, bool before, uint64_t *lock)
{
    for (;;) {
        const DeltaNode *node = load_acquire(&tree->root);
        if (node == NULL)
            return NULL;
        uint64_t seen = node_begin(node);
        if (load_acquire(&tree->root) != node)
            continue;
        bool unchanged = true;
        while (node->level) {
            const DeltaNode *child = find_child(node, key, before);
            node_prefetch(child);
            if (!(unchanged = node_unchanged(node, seen)))
                break;
            uint64_t child_seen = node_begin(child);
            if (!(unchanged = node_unchanged(node, seen)))
                break;
            node = child;
            seen = child_seen;
        }
        if (LIKELY(unchanged)) {
            *lock = seen;
            return node;
        }
    }
}

const DeltaVersion *delta_tree_get(const DeltaTree *tree, Str key)
{
    for (;;) {
        uint64_t lock;
        const DeltaNode *leaf = tree_find_leaf(tree, key, false, &lock);
        if (leaf == NULL)
            return NULL;
        bool equal;
        uint32_t at = node_search(leaf, node_count(leaf), key, &equal);
        const DeltaVersion *version = equal ? load_acquire(&leaf->slots[at]) : NULL;
        if (LIKELY(node_unchanged(leaf, lock)))
            return version;
    }
}

void delta_tree_truncate(DeltaTree *tree, Str key, const DeltaVersion *version)
{
    uint64_t lock;
    DeltaNode *leaf = (DeltaNode *)tree_find_leaf(tree, key, false, &lock);

    ASSERT(leaf != NULL);
    bool locked = node_try_lock(leaf, lock);
    ASSERT(locked);
    uint32_t count = node_count(leaf);
    bool equal;
    uint32_t at = node_search(leaf, count, key, &equal);
    ASSERT(equal);
    if (version) {
        store_release(&leaf->slots[at], version);
        node_unlock(leaf, false);
        return;
    }
    for (; at + 1 < count; at++) {
        store_relaxed(&leaf->heads[at], load_relaxed(&leaf->heads[at + 1]));
        store_release(&leaf->slots[at], load_relaxed(&leaf->slots[at + 1]));
    }
    store_release(&leaf->count, (uint16_t)(count - 1));
    if (count == 1) {
        store_relaxed(&leaf->skip, 0);
        store_relaxed(&leaf->shared, 0);
    }
    node_unlock(leaf, true);
}
