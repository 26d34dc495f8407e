// SPDX-License-Identifier: Apache-2.0
//
// Walking the delta tree a leaf at a time: the pointers of a leaf are copied out while nobody
// changes it, then handed on. Ascending, the next leaf is the right neighbour: a split only moves
// keys to the right, to a leaf in between. Descending, it is looked up from the root: the leaf that
// holds the greatest key below the lower bound of this one, a bound that never changes. Also here:
// keys that cut a range into similar parts, taken from the separators. Any thread.
#include "storage/delta/node.h"

void delta_tree_iter_open(DeltaIter *iter, const DeltaTree *tree, KeyRange range, bool descending)
{
    iter->tree = tree;
    iter->range = range;
    iter->descending = descending;
    iter->at_end = tree == NULL;
    iter->leaf = NULL;
    iter->from = descending ? range.high : range.low;
    iter->has_from = descending ? range.has_high : range.low.len > 0;
    iter->count = 0;
}

void delta_iter_seek(DeltaIter *iter, Str key)
{
    iter->at_end = iter->tree == NULL;
    iter->leaf = NULL;
    iter->from = key;
    iter->has_from = true;
    if (!iter->descending && str_compare(key, iter->range.low) < 0)
        iter->from = iter->range.low;
    if (iter->descending && iter->range.has_high && str_compare(key, iter->range.high) > 0)
        iter->from = iter->range.high;
    iter->count = 0;
}

static uint32_t place_of(const DeltaNode *leaf, uint32_t count, Str key)
{
    bool equal;

    return node_search(leaf, count, key, &equal);
}

static void copy_block(DeltaIter *iter, const DeltaNode *leaf, uint32_t from, uint32_t to)
{
    iter->count = to > from ? to - from : 0;
    if (iter->descending) {
        for (uint32_t i = 0; i < iter->count; i++)
            iter->block[i] = load_acquire(&leaf->slots[to - 1 - i]);
    } else {
        for (uint32_t i = 0; i < iter->count; i++)
            iter->block[i] = load_acquire(&leaf->slots[from + i]);
    }
}

/* False: the leaf changed while it was read. */
static bool read_ascending(DeltaIter *iter, const DeltaNode *leaf, uint64_t lock)
{
    uint32_t count = MIN(node_count(leaf), (uint32_t)NODE_ENTRIES);
    const DeltaSeparator *high = load_acquire(&leaf->high);
    const DeltaNode *next = load_acquire(&leaf->next);
    uint32_t from = iter->has_from ? place_of(leaf, count, iter->from) : 0;
    uint32_t to = count;
    bool last = next == NULL;

    if (iter->range.has_high &&
        (high == NULL || str_compare(separator_key(high), iter->range.high) >= 0)) {
        to = place_of(leaf, count, iter->range.high);
        last = true;
    }
    copy_block(iter, leaf, from, to);
    if (!node_unchanged(leaf, lock))
        return false;
    iter->leaf = next;
    iter->at_end = last;
    iter->has_from = false;
    return true;
}

static bool read_descending(DeltaIter *iter, const DeltaNode *leaf, uint64_t lock)
{
    uint32_t count = MIN(node_count(leaf), (uint32_t)NODE_ENTRIES);
    uint32_t to = iter->has_from ? place_of(leaf, count, iter->from) : count;
    bool last = leaf->low == NULL || str_compare(separator_key(leaf->low), iter->range.low) <= 0;
    uint32_t from = last ? place_of(leaf, count, iter->range.low) : 0;

    copy_block(iter, leaf, from, to);
    if (!node_unchanged(leaf, lock))
        return false;
    iter->at_end = last;
    if (!last)
        iter->from = separator_key(leaf->low);
    iter->has_from = true;
    return true;
}

static const DeltaNode *find_from(const DeltaIter *iter, uint64_t *lock)
{
    Str none = {NULL, 0};

    return tree_find_leaf(iter->tree, iter->has_from ? iter->from : none, iter->descending, lock);
}

uint32_t delta_iter_next(DeltaIter *iter)
{
    iter->count = 0;
    while (!iter->at_end && iter->count == 0) {
        uint64_t lock;
        const DeltaNode *leaf = iter->leaf;
        if (leaf)
            lock = node_begin(leaf);
        else
            leaf = find_from(iter, &lock);
        if (leaf == NULL) {
            iter->at_end = true;
        } else if (iter->descending) {
            while (!read_descending(iter, leaf, lock))
                leaf = find_from(iter, &lock);
        } else {
            /* DELTA-3: a leaf in hand keeps its lower bound, whatever was split off. */
            while (!read_ascending(iter, leaf, lock)) {
                if (iter->leaf)
                    lock = node_begin(leaf);
                else
                    leaf = find_from(iter, &lock);
            }
        }
    }
    return iter->count;
}

/* --- splitting a range ---------------------------------------------------------------------- */

typedef struct Split {
    KeyRange range;
    uint64_t seen;  /* separators met */
    uint64_t total; /* to be met; 0: only count */
    uint32_t max;
    uint32_t count;
    Str *out;
} Split;

/* An inner node's separators strictly inside the range and the children around them. */
typedef struct InnerCopy {
    uint32_t count;
    Str keys[NODE_ENTRIES];
    const DeltaNode *children[NODE_ENTRIES + 1];
} InnerCopy;

static void copy_inner(const DeltaNode *node, KeyRange range, InnerCopy *out)
{
    uint64_t lock;

    do {
        lock = node_begin(node);
        uint32_t count = MIN(node_count(node), (uint32_t)NODE_ENTRIES);
        bool equal = false;
        uint32_t from = range.low.len ? node_search(node, count, range.low, &equal) : 0;
        uint32_t to = range.has_high ? place_of(node, count, range.high) : count;
        from += equal;
        out->count = to > from ? to - from : 0;
        for (uint32_t i = 0; i < out->count; i++)
            out->keys[i] = node_key(node, from + i);
        for (uint32_t i = 0; i <= out->count; i++)
            out->children[i] = inner_child(node, from + i);
    } while (!node_unchanged(node, lock));
}

static void meet_separator(Split *split, Str key)
{
    uint64_t parts = split->max + 1u, at = split->seen++;

    if (split->total == 0 || split->count == split->max)
        return;
    if (split->total > split->max &&
        (at + 1) * parts / (split->total + 1) == at * parts / (split->total + 1))
        return;
    if (split->count == 0 || str_compare(split->out[split->count - 1], key) < 0)
        split->out[split->count++] = key;
}

/* Separators in order, from `node` and `depth` levels below it. The tree is at most 11 levels. */
static void walk_separators(Split *split, const DeltaNode *node, uint32_t depth)
{
    InnerCopy copy;

    copy_inner(node, split->range, &copy);
    for (uint32_t i = 0; i <= copy.count; i++) {
        if (depth && copy.children[i]->level)
            walk_separators(split, copy.children[i], depth - 1);
        if (i < copy.count)
            meet_separator(split, copy.keys[i]);
    }
}

uint32_t delta_tree_split(const DeltaTree *tree, KeyRange range, uint32_t max, Str *out)
{
    const DeltaNode *root = load_acquire(&tree->root);

    if (root == NULL || root->level == 0 || max == 0)
        return 0;
    for (uint32_t depth = 0;; depth++) {
        Split count = {.range = range};
        walk_separators(&count, root, depth);
        if (count.seen < 4u * (uint64_t)max && depth + 1 < root->level)
            continue;
        Split split = {.range = range, .total = count.seen, .max = max, .out = out};
        if (count.seen)
            walk_separators(&split, root, depth);
        return split.count;
    }
}
