// SPDX-License-Identifier: Apache-2.0
//
// Memory of the delta store: blocks that only grow and go back whole. Allocation is one atomic step
// in the current block; a new block is made under a spin flag. An arena can hand its blocks to
// another (a write set to its generation). Blocks of the largest size lie on huge pages. Out of
// memory aborts, as for all structure: what data sizes was bounded before (the write set's budget,
// the generation's size). Any thread may allocate; rewinding, moving and freeing need the arena for
// themselves.
#ifndef DBASPOT_STORAGE_DELTA_ARENA_H
#define DBASPOT_STORAGE_DELTA_ARENA_H

#include "base/base.h"

typedef struct DeltaBlock {
    struct DeltaBlock *next; /* the one before it */
    size_t size;
    _Atomic size_t used;
    size_t padding;
    char bytes[];
} DeltaBlock;

typedef struct DeltaArena {
    _Atomic(DeltaBlock *) current;
    _Atomic bool growing;
    _Atomic size_t bytes; /* of all blocks */
    size_t first_bytes;   /* of blocks, with their headers */
    size_t next_bytes;
    bool ordered; /* later allocations always lie in later blocks, so that it can be rewound */
} DeltaArena;

/* The first block takes `first_bytes`, a power of two; later ones double, up to a huge page. */
void delta_arena_init(DeltaArena *arena, size_t first_bytes, bool ordered);
void delta_arena_free(DeltaArena *arena);
/* Forgets everything, keeps one block of the first size if there is one. */
void delta_arena_reset(DeltaArena *arena);
/* 8-byte aligned, contents undefined. */
void *delta_arena_alloc(DeltaArena *arena, size_t bytes);
/* Gives back what was allocated at and after `at`. REQUIRES: ordered, `at` came from it. */
void delta_arena_rewind(DeltaArena *arena, const void *at);
/* Moves all blocks of `from` into `to`; `from` is empty afterwards. */
void delta_arena_adopt(DeltaArena *to, DeltaArena *from);

static inline size_t delta_arena_bytes(const DeltaArena *arena)
{
    return atomic_load_explicit(&arena->bytes, memory_order_relaxed);
}

#endif
