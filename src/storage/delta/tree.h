// SPDX-License-Identifier: Apache-2.0
//
// The ordered map under generations and write sets: a B+tree of chain heads, with optimistic lock
// coupling (Leis et al., "The ART of Practical Synchronization", DaMoN 2016). A node holds up to 64
// entries: the first 8 key bytes after what all its keys share, as an integer, beside the pointer.
// Readers check a node's lock word before and after and begin again if it changed; writers lock the
// leaf, and its parent only to split. Nodes never go away while the arena lives, so that whatever a
// reader follows is memory of ours. Any thread; delta_tree_truncate needs the tree for itself.
#ifndef DBASPOT_STORAGE_DELTA_TREE_H
#define DBASPOT_STORAGE_DELTA_TREE_H

#include "storage/delta/arena.h"
#include "storage/delta/delta.h"

#define NODE_ENTRIES DELTA_BLOCK_MAX

/* A key that separates two children: keys at or above it lie right of it. Immutable. */
typedef struct DeltaSeparator {
    uint32_t len;
    char bytes[];
} DeltaSeparator;

/* Everything that changes is atomic: readers look while writers write. */
typedef struct DeltaNode {
    _Atomic uint64_t lock;            /* odd: locked; moves on with every change of the entries */
    _Atomic uint16_t count;           /* entries: versions of a leaf, separators of an inner node */
    _Atomic uint16_t last_insert;     /* where the last entry went: tells ascending inserts */
    _Atomic uint32_t skip;            /* bytes that all keys share, left out of heads */
    _Atomic uint64_t shared;          /* the first 8 of those, as in heads, the rest 0 */
    _Atomic(struct DeltaNode *) next; /* leaf: the one to the right */
    _Atomic(const DeltaSeparator *) high; /* keys are below it; NULL: no bound */
    const DeltaSeparator *low;            /* keys are at or above it; NULL: no bound; immutable */
    uint64_t level;                       /* 0: leaf; immutable */
    _Atomic uint64_t heads[NODE_ENTRIES];
    _Atomic(const void *) slots[NODE_ENTRIES]; /* DeltaVersion, or DeltaSeparator */
} DeltaNode;

typedef struct DeltaInner {
    DeltaNode node;
    /* children[i] holds the keys below slots[i], children[count] the rest. */
    _Atomic(DeltaNode *) children[NODE_ENTRIES + 1];
} DeltaInner;

typedef struct DeltaTree {
    _Atomic(DeltaNode *) root; /* NULL while nothing was inserted */
} DeltaTree;

typedef enum DeltaInsert { DELTA_NEW_KEY, DELTA_NEW_VERSION, DELTA_DUPLICATE } DeltaInsert;

/* Adds a version to its key's chain, in its place by commit_ts; a duplicate is left out. `hint` is
   the leaf of an insert before, in this tree, or NULL inside; updated. */
DeltaInsert delta_tree_insert(DeltaTree *tree, DeltaArena *arena, DeltaVersion *version,
                              DeltaNode **hint);
/* The head of the key's chain, NULL if absent. */
const DeltaVersion *delta_tree_get(const DeltaTree *tree, Str key);
/* Makes `version`, a later part of the key's chain, its head; NULL: the key goes. */
void delta_tree_truncate(DeltaTree *tree, Str key, const DeltaVersion *version);

void delta_tree_iter_open(DeltaIter *iter, const DeltaTree *tree, KeyRange range, bool descending);
/* See generation_split. */
uint32_t delta_tree_split(const DeltaTree *tree, KeyRange range, uint32_t max, Str *out);

#endif
