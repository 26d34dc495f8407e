// SPDX-License-Identifier: Apache-2.0
//
// Writing the delta tree. Inner nodes that are full are split on the way down, so that a leaf's
// split always finds room in its parent: at most two nodes are locked, by trying, child first, and
// who fails begins again. Splits follow the pattern of inserts: ascending ones leave full leaves
// behind, others cut in the middle. Any thread.
#include "storage/delta/node.h"

/* --- heads ---------------------------------------------------------------------------------- */

static void set_heads(DeltaNode *node, uint32_t skip)
{
    uint32_t count = load_relaxed(&node->count);

    store_relaxed(&node->skip, skip);
    if (count)
        store_relaxed(&node->shared, key_head(node_key(node, 0), 0) & head_mask(skip));
    for (uint32_t i = 0; i < count; i++)
        store_relaxed(&node->heads[i], key_head(node_key(node, i), skip));
}

/* One byte less than `a` and `b` share: then the next keys rarely change it again. */
static uint32_t skip_for(Str a, Str b)
{
    uint32_t shared = shared_bytes(a, b);

    return shared ? shared - 1 : 0;
}

/* Leaves out of the heads what the node's keys share. */
static void fit_heads(DeltaNode *node)
{
    uint32_t count = load_relaxed(&node->count);

    if (count < 2)
        return;
    uint32_t skip = skip_for(node_key(node, 0), node_key(node, count - 1));
    if (skip != load_relaxed(&node->skip))
        set_heads(node, skip);
}

/* Makes room for a key that does not begin with what the others share. */
static void admit_key(DeltaNode *node, Str key)
{
    uint32_t skip = load_relaxed(&node->skip);

    if (load_relaxed(&node->count) == 0)
        set_heads(node, 0);
    else if (skip && node_compare_shared(node, skip, key))
        set_heads(node, skip_for(node_key(node, 0), key));
}

/* --- entries -------------------------------------------------------------------------------- */

/* REQUIRES: the node is locked, or not reachable yet; it has room. */
static void insert_slot(DeltaNode *node, uint32_t at, Str key, const void *slot)
{
    uint32_t count = load_relaxed(&node->count);

    ASSERT(count < NODE_ENTRIES && at <= count); /* DELTA-4 */
    for (uint32_t i = count; i > at; i--) {
        store_relaxed(&node->heads[i], load_relaxed(&node->heads[i - 1]));
        store_release(&node->slots[i], load_relaxed(&node->slots[i - 1]));
    }
    store_relaxed(&node->heads[at], key_head(key, load_relaxed(&node->skip)));
    store_release(&node->slots[at], slot);
    if (count == 0)
        store_relaxed(&node->shared, key_head(key, 0) & head_mask(load_relaxed(&node->skip)));
    store_relaxed(&node->last_insert, (uint16_t)at);
    store_release(&node->count, (uint16_t)(count + 1));
}

static void insert_child(DeltaNode *node, const DeltaSeparator *separator, DeltaNode *right)
{
    Str key = separator_key(separator);
    uint32_t count = load_relaxed(&node->count);
    DeltaInner *inner = (DeltaInner *)node;
    bool equal;

    admit_key(node, key);
    uint32_t at = node_search(node, count, key, &equal);
    ASSERT(!equal);
    for (uint32_t i = count + 1; i > at + 1; i--)
        store_release(&inner->children[i], load_relaxed(&inner->children[i - 1]));
    store_release(&inner->children[at + 1], right);
    insert_slot(node, at, key, separator);
}

/* --- nodes ---------------------------------------------------------------------------------- */

static DeltaNode *node_new(DeltaArena *arena, uint64_t level, const DeltaSeparator *low)
{
    DeltaNode *node = delta_arena_alloc(arena, level ? sizeof(DeltaInner) : sizeof(DeltaNode));

    store_relaxed(&node->lock, 0);
    store_relaxed(&node->count, 0);
    store_relaxed(&node->last_insert, 0);
    store_relaxed(&node->skip, 0);
    store_relaxed(&node->shared, 0);
    store_relaxed(&node->next, NULL);
    store_relaxed(&node->high, NULL);
    node->low = low;
    node->level = level;
    return node;
}

/* The shortest key above `left` and at or below `right`. */
static const DeltaSeparator *separator_new(DeltaArena *arena, Str left, Str right)
{
    uint32_t len = shared_bytes(left, right) + 1;
    DeltaSeparator *separator = delta_arena_alloc(arena, sizeof *separator + len);

    ASSERT(len <= right.len);
    separator->len = len;
    memcpy(separator->bytes, right.ptr, len);
    return separator;
}

/* Moves entries [cut, count) into `right`, which is empty. */
static void move_slots(DeltaNode *node, DeltaNode *right, uint32_t cut)
{
    uint32_t count = load_relaxed(&node->count);

    store_relaxed(&right->skip, load_relaxed(&node->skip));
    store_relaxed(&right->shared, load_relaxed(&node->shared));
    for (uint32_t i = cut; i < count; i++) {
        store_relaxed(&right->heads[i - cut], load_relaxed(&node->heads[i]));
        store_release(&right->slots[i - cut], load_relaxed(&node->slots[i]));
    }
    store_release(&right->count, (uint16_t)(count - cut));
    store_release(&node->count, (uint16_t)cut);
}

/* Puts `right` beside `node` below `parent`, or below a new root. REQUIRES: both are locked. */
static void link_right(DeltaTree *tree, DeltaArena *arena, DeltaNode *parent, DeltaNode *node,
                       DeltaNode *right)
{
    store_relaxed(&right->high, load_relaxed(&node->high));
    store_release(&node->high, right->low);
    if (node->level == 0) {
        store_relaxed(&right->next, load_relaxed(&node->next));
        store_release(&node->next, right);
    }
    if (parent) {
        insert_child(parent, right->low, right);
        return;
    }
    DeltaNode *root = node_new(arena, node->level + 1, NULL);
    store_release(&((DeltaInner *)root)->children[0], node);
    insert_child(root, right->low, right);
    ASSERT(load_relaxed(&tree->root) == node);
    store_release(&tree->root, root);
}

static void split_inner(DeltaTree *tree, DeltaArena *arena, DeltaNode *parent, DeltaNode *node)
{
    uint32_t count = load_relaxed(&node->count);
    uint32_t cut = load_relaxed(&node->high) ? count / 2 : count - 4;
    const DeltaSeparator *middle = load_relaxed(&node->slots[cut]);
    DeltaNode *right = node_new(arena, node->level, middle);

    for (uint32_t i = cut + 1; i <= count; i++)
        store_release(&((DeltaInner *)right)->children[i - cut - 1],
                      load_relaxed(&((DeltaInner *)node)->children[i]));
    move_slots(node, right, cut + 1);
    store_release(&node->count, (uint16_t)cut);
    fit_heads(node);
    fit_heads(right);
    link_right(tree, arena, parent, node, right);
}

/* Splits a full leaf and inserts the version, whose place in it is `at`; returns its leaf. */
static DeltaNode *split_leaf(DeltaTree *tree, DeltaArena *arena, DeltaNode *parent, DeltaNode *node,
                             uint32_t at, const DeltaVersion *version)
{
    Str key = delta_version_key(version);
    bool ascending = at == load_relaxed(&node->last_insert) + 1u;
    uint32_t count = load_relaxed(&node->count);
    uint32_t cut = ascending ? at : count / 2;
    Str first_right = cut == count ? key : node_key(node, cut);
    /* With the cut at `at` the key ends the left leaf, unless the left one has no room. */
    const DeltaSeparator *low = separator_new(arena, node_key(node, cut - 1), first_right);
    DeltaNode *right = node_new(arena, 0, low);

    move_slots(node, right, cut);
    if (cut == count)
        store_relaxed(&right->skip, skip_for(node_key(node, count - 1), key));
    fit_heads(node);
    fit_heads(right);
    DeltaNode *target = str_compare(key, separator_key(low)) < 0 ? node : right;
    if (load_relaxed(&target->count)) {
        admit_key(target, key);
        bool equal;
        at = node_search(target, load_relaxed(&target->count), key, &equal);
    } else {
        at = 0;
    }
    insert_slot(target, at, key, version);
    link_right(tree, arena, parent, node, right);
    return target;
}

/* --- insert --------------------------------------------------------------------------------- */

/* Puts the version into the chain whose head is in slot `at`, by time. REQUIRES: leaf locked. */
static DeltaInsert insert_in_chain(DeltaNode *leaf, uint32_t at, DeltaVersion *version)
{
    DeltaVersion *newer = NULL;
    DeltaVersion *older = (DeltaVersion *)load_relaxed(&leaf->slots[at]);

    while (older && older->commit_ts > version->commit_ts) {
        newer = older;
        older = load_relaxed(&older->next);
    }
    if (older && older->commit_ts == version->commit_ts)
        return DELTA_DUPLICATE;
    store_relaxed(&version->next, older);
    if (newer)
        store_release(&newer->next, version);
    else
        store_release(&leaf->slots[at], (const void *)version);
    return DELTA_NEW_VERSION;
}

/* Tries the leaf of the insert before: no descent if the key lies in it. */
static bool insert_at_hint(DeltaNode *leaf, DeltaVersion *version, DeltaInsert *result)
{
    Str key = delta_version_key(version);

    if (!node_try_lock(leaf, node_begin(leaf)))
        return false;
    const DeltaSeparator *high = load_relaxed(&leaf->high);
    uint32_t count = load_relaxed(&leaf->count);
    bool here = (high == NULL || str_compare(key, separator_key(high)) < 0) &&
                (leaf->low == NULL || str_compare(key, separator_key(leaf->low)) >= 0);
    bool equal = false;
    uint32_t at = here ? node_search(leaf, count, key, &equal) : 0;

    if (here && equal) {
        *result = insert_in_chain(leaf, at, version);
        node_unlock(leaf, false);
        return true;
    }
    here = here && count < NODE_ENTRIES;
    if (here) {
        *result = DELTA_NEW_KEY;
        admit_key(leaf, key);
        insert_slot(leaf, at, key, version);
    }
    node_unlock(leaf, here);
    return here;
}

/* The first leaf, if nobody else was quicker. */
static void make_root(DeltaTree *tree, DeltaArena *arena)
{
    DeltaNode *none = NULL;

    atomic_compare_exchange_strong_explicit(&tree->root, &none, node_new(arena, 0, NULL),
                                            memory_order_release, memory_order_relaxed);
}

typedef struct Descent {
    DeltaNode *parent; /* NULL: `node` is the root */
    uint64_t parent_lock;
    DeltaNode *node;
    uint64_t lock;
} Descent;

/* Locks the node and its parent. False: begin again, nothing is locked. */
static bool lock_both(DeltaTree *tree, const Descent *at)
{
    if (!node_try_lock(at->node, at->lock))
        return false;
    if (at->parent ? node_try_lock(at->parent, at->parent_lock)
                   : load_acquire(&tree->root) == at->node)
        return true;
    node_unlock(at->node, false);
    return false;
}

static void unlock_both(const Descent *at)
{
    node_unlock(at->node, true);
    if (at->parent)
        node_unlock(at->parent, true);
}

/* Walks to the key's leaf; full inner nodes on the way are split. False: begin again. */
static bool descend(DeltaTree *tree, DeltaArena *arena, Str key, Descent *out)
{
    Descent at = {.node = load_acquire(&tree->root)};

    if (at.node == NULL) {
        make_root(tree, arena);
        return false;
    }
    at.lock = node_begin(at.node);
    if (load_acquire(&tree->root) != at.node)
        return false;
    while (at.node->level) {
        uint32_t count = node_count(at.node);
        if (count == NODE_ENTRIES) {
            if (lock_both(tree, &at)) {
                split_inner(tree, arena, at.parent, at.node);
                unlock_both(&at);
            }
            return false;
        }
        bool equal;
        uint32_t child_at = node_search(at.node, count, key, &equal);
        DeltaNode *child = inner_child(at.node, child_at + equal);
        node_prefetch(child);
        if (!node_unchanged(at.node, at.lock))
            return false;
        uint64_t child_lock = node_begin(child);
        if (!node_unchanged(at.node, at.lock))
            return false;
        at = (Descent){at.node, at.lock, child, child_lock};
    }
    *out = at;
    return true;
}

/* Inserts into the leaf that a descent found. False: it changed meanwhile, begin again. */
static bool insert_at_leaf(DeltaTree *tree, DeltaArena *arena, const Descent *to,
                           DeltaVersion *version, DeltaNode **hint, DeltaInsert *result)
{
    Str key = delta_version_key(version);
    DeltaNode *leaf = to->node;
    bool equal;

    if (!node_try_lock(leaf, to->lock))
        return false;
    uint32_t count = load_relaxed(&leaf->count);
    uint32_t at = node_search(leaf, count, key, &equal);
    *hint = leaf;
    if (equal) {
        *result = insert_in_chain(leaf, at, version);
        node_unlock(leaf, false);
        return true;
    }
    *result = DELTA_NEW_KEY;
    if (count < NODE_ENTRIES) {
        admit_key(leaf, key);
        insert_slot(leaf, at, key, version);
        node_unlock(leaf, true);
        return true;
    }
    node_unlock(leaf, false);
    if (!lock_both(tree, to))
        return false;
    *hint = split_leaf(tree, arena, to->parent, leaf, at, version);
    unlock_both(to);
    return true;
}

DeltaInsert delta_tree_insert(DeltaTree *tree, DeltaArena *arena, DeltaVersion *version,
                              DeltaNode **hint)
{
    DeltaInsert result;
    Descent to;

    store_relaxed(&version->next, NULL);
    if (*hint && insert_at_hint(*hint, version, &result))
        return result;
    for (;;) {
        if (descend(tree, arena, delta_version_key(version), &to) &&
            insert_at_leaf(tree, arena, &to, version, hint, &result))
            return result;
    }
}
