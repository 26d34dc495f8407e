// SPDX-License-Identifier: Apache-2.0
//
// Blocks in a list, newest first. What does not fit the current block waits for the spin flag and
// makes the next one. A large request gets a block of its own, behind the current one unless the
// arena is ordered.
#include "storage/delta/arena.h"

#include "base/memory.h"
#include "os/pages.h"
#include "os/thread.h"

#define BLOCK_BYTES_MAX PAGES_HUGE_BYTES

void delta_arena_init(DeltaArena *arena, size_t first_bytes, bool ordered)
{
    *arena =
        (DeltaArena){.first_bytes = first_bytes, .next_bytes = first_bytes, .ordered = ordered};
}

static void free_list(DeltaBlock *block)
{
    while (block) {
        DeltaBlock *next = block->next;
        mem_free(block);
        block = next;
    }
}

void delta_arena_free(DeltaArena *arena)
{
    free_list(atomic_load_explicit(&arena->current, memory_order_relaxed));
    delta_arena_init(arena, arena->first_bytes, arena->ordered);
}

void delta_arena_reset(DeltaArena *arena)
{
    DeltaBlock *block = atomic_load_explicit(&arena->current, memory_order_relaxed);
    DeltaBlock *keep = NULL;

    while (block) {
        DeltaBlock *next = block->next;
        if (keep == NULL && block->size == arena->first_bytes - sizeof *block)
            keep = block;
        else
            mem_free(block);
        block = next;
    }
    delta_arena_init(arena, arena->first_bytes, arena->ordered);
    if (keep) {
        keep->next = NULL;
        atomic_store_explicit(&keep->used, 0, memory_order_relaxed);
        atomic_store_explicit(&arena->bytes, sizeof *keep + keep->size, memory_order_relaxed);
        atomic_store_explicit(&arena->current, keep, memory_order_relaxed);
        arena->next_bytes = MIN(arena->first_bytes * 2, BLOCK_BYTES_MAX);
    }
}

/* `bytes` with the header. */
static DeltaBlock *block_new(DeltaArena *arena, size_t bytes)
{
    DeltaBlock *block;

    if (bytes == BLOCK_BYTES_MAX) {
        block = mem_try_alloc_aligned(PAGES_HUGE_BYTES, bytes);
        ASSERT(block != NULL && "out of memory");
        pages_advise_huge(block, bytes);
    } else {
        block = mem_alloc(bytes);
    }
    block->next = NULL;
    block->size = bytes - sizeof *block;
    atomic_store_explicit(&block->used, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&arena->bytes, bytes, memory_order_relaxed);
    return block;
}

static void grow_lock(DeltaArena *arena)
{
    for (uint32_t spins = 1; atomic_exchange_explicit(&arena->growing, true, memory_order_acquire);
         spins++) {
        if (spins % 64)
            thread_pause();
        else
            thread_yield();
    }
}

/* REQUIRES(growing). */
static void *alloc_in_new_block_locked(DeltaArena *arena, size_t bytes)
{
    DeltaBlock *current = atomic_load_explicit(&arena->current, memory_order_relaxed);
    bool large = bytes > arena->next_bytes / 4;
    size_t large_bytes = MAX(sizeof(DeltaBlock) + bytes, arena->first_bytes);
    DeltaBlock *block = block_new(arena, large ? large_bytes : arena->next_bytes);

    atomic_store_explicit(&block->used, bytes, memory_order_relaxed);
    if (large && current && !arena->ordered) {
        block->next = current->next;
        current->next = block;
        return block->bytes;
    }
    if (!large)
        arena->next_bytes = MIN(arena->next_bytes * 2, BLOCK_BYTES_MAX);
    block->next = current;
    atomic_store_explicit(&arena->current, block, memory_order_release);
    return block->bytes;
}

/* NULL if it does not fit. */
static void *take(DeltaBlock *block, size_t bytes)
{
    size_t used = atomic_load_explicit(&block->used, memory_order_relaxed);

    while (block->size - used >= bytes) {
        if (atomic_compare_exchange_weak_explicit(&block->used, &used, used + bytes,
                                                  memory_order_relaxed, memory_order_relaxed))
            return block->bytes + used;
    }
    return NULL;
}

void *delta_arena_alloc(DeltaArena *arena, size_t bytes)
{
    bytes = align_up(bytes, 8);
    for (;;) {
        DeltaBlock *block = atomic_load_explicit(&arena->current, memory_order_acquire);
        void *ptr = block ? take(block, bytes) : NULL;
        if (LIKELY(ptr != NULL))
            return ptr;
        grow_lock(arena);
        if (atomic_load_explicit(&arena->current, memory_order_relaxed) == block)
            ptr = alloc_in_new_block_locked(arena, bytes);
        atomic_store_explicit(&arena->growing, false, memory_order_release);
        if (ptr)
            return ptr;
    }
}

void delta_arena_rewind(DeltaArena *arena, const void *at)
{
    DeltaBlock *block = atomic_load_explicit(&arena->current, memory_order_relaxed);
    const char *place = at;

    ASSERT(arena->ordered);
    while (block && !(place >= block->bytes && place < block->bytes + block->size)) {
        DeltaBlock *next = block->next;
        atomic_fetch_sub_explicit(&arena->bytes, sizeof *block + block->size, memory_order_relaxed);
        mem_free(block);
        block = next;
    }
    ASSERT(block != NULL);
    atomic_store_explicit(&block->used, (size_t)(place - block->bytes), memory_order_relaxed);
    atomic_store_explicit(&arena->current, block, memory_order_relaxed);
}

void delta_arena_adopt(DeltaArena *to, DeltaArena *from)
{
    DeltaBlock *first = atomic_load_explicit(&from->current, memory_order_relaxed);

    if (first == NULL)
        return;
    DeltaBlock *last = first;
    while (last->next)
        last = last->next;
    grow_lock(to);
    DeltaBlock *current = atomic_load_explicit(&to->current, memory_order_relaxed);
    if (current) {
        last->next = current->next;
        current->next = first;
    } else {
        atomic_store_explicit(&to->current, first, memory_order_release);
    }
    atomic_store_explicit(&to->growing, false, memory_order_release);
    atomic_fetch_add_explicit(&to->bytes, delta_arena_bytes(from), memory_order_relaxed);
    delta_arena_init(from, from->first_bytes, from->ordered);
}
