// SPDX-License-Identifier: Apache-2.0
//
// Arena of growing blocks (8 KiB to 1 MiB; larger requests get a block of their own), a stack of
// cleanups, and a data counter that every ancestor shares (atomic, as tasks charge in parallel).
// One thread a scope at a time; only the counters are shared between threads.
#include "base/scope.h"

#include "base/memory.h"

#include <stdio.h>

#define BLOCK_BYTES_MIN ((size_t)8 << 10)
#define BLOCK_BYTES_MAX ((size_t)1 << 20)

typedef struct Block {
    struct Block *next;
    size_t used;
    size_t size;
    alignas(16) char bytes[];
} Block;

typedef struct Cleanup {
    struct Cleanup *next;
    ScopeCleanup fn;
    void *arg;
} Cleanup;

struct Scope {
    Scope *parent;
    Scope *first_child;
    Scope *next_sibling;
    Scope **link; /* where the parent's list points at us */
    Block *block; /* newest first */
    Cleanup *cleanups;
    const char *name;
    size_t next_block_bytes;
    size_t own_data_bytes; /* what this scope itself charged */
    _Atomic size_t data_bytes;
    size_t data_bytes_max;
};

Scope *scope_open(Scope *parent, const char *name)
{
    Scope *scope = mem_alloc_zero(sizeof *scope);

    scope->name = name;
    scope->parent = parent;
    scope->next_block_bytes = BLOCK_BYTES_MIN;
    if (parent) {
        scope->next_sibling = parent->first_child;
        if (scope->next_sibling)
            scope->next_sibling->link = &scope->next_sibling;
        scope->link = &parent->first_child;
        parent->first_child = scope;
    }
    return scope;
}

static void run_cleanups(Scope *scope)
{
    while (scope->first_child)
        scope_close(scope->first_child);
    while (scope->cleanups) {
        Cleanup *cleanup = scope->cleanups;
        scope->cleanups = cleanup->next;
        cleanup->fn(cleanup->arg);
    }
    scope_uncharge(scope, scope->own_data_bytes);
}

static void free_blocks(Block *block)
{
    while (block) {
        Block *next = block->next;
        mem_free(block);
        block = next;
    }
}

void scope_close(Scope *scope)
{
    if (scope == NULL)
        return;
    run_cleanups(scope);
    free_blocks(scope->block);
    if (scope->parent) {
        *scope->link = scope->next_sibling;
        if (scope->next_sibling)
            scope->next_sibling->link = scope->link;
    }
    mem_free(scope);
}

void scope_reset(Scope *scope)
{
    run_cleanups(scope);
    Block *keep = scope->block;
    if (keep == NULL)
        return;
    free_blocks(keep->next);
    keep->next = NULL;
    keep->used = 0;
    if (keep->size > BLOCK_BYTES_MAX) {
        mem_free(keep);
        scope->block = NULL;
    }
}

void scope_set_budget(Scope *scope, size_t bytes_max)
{
    scope->data_bytes_max = bytes_max;
}

size_t scope_data_bytes(const Scope *scope)
{
    return atomic_load_explicit(&scope->data_bytes, memory_order_relaxed);
}

bool scope_fits(const Scope *scope, size_t bytes)
{
    for (const Scope *s = scope; s; s = s->parent) {
        if (s->data_bytes_max && scope_data_bytes(s) + bytes > s->data_bytes_max)
            return false;
    }
    return true;
}

/* BASE-1: what passes a limit is taken back before anyone else can see it as granted. */
Status scope_charge(Ctx *ctx, Scope *scope, size_t bytes)
{
    for (Scope *s = scope; s; s = s->parent) {
        size_t now = atomic_fetch_add_explicit(&s->data_bytes, bytes, memory_order_relaxed) + bytes;
        if (s->data_bytes_max == 0 || now <= s->data_bytes_max)
            continue;
        for (Scope *undo = scope;; undo = undo->parent) {
            atomic_fetch_sub_explicit(&undo->data_bytes, bytes, memory_order_relaxed);
            if (undo == s)
                break;
        }
        Status st = error_raise(ctx, E_OUT_OF_MEMORY, "out of memory");
        error_detail(ctx, "Failed on request of %zu bytes: \"%s\" may use %zu bytes.", bytes,
                     s->name, s->data_bytes_max);
        return st;
    }
    scope->own_data_bytes += bytes;
    return OK;
}

void scope_uncharge(Scope *scope, size_t bytes)
{
    ASSERT(bytes <= scope->own_data_bytes);
    scope->own_data_bytes -= bytes;
    for (Scope *s = scope; s && bytes; s = s->parent)
        atomic_fetch_sub_explicit(&s->data_bytes, bytes, memory_order_relaxed);
}

static Block *block_new(size_t bytes)
{
    Block *block = mem_try_alloc(sizeof(Block) + bytes);

    if (block) {
        block->used = 0;
        block->size = bytes;
    }
    return block;
}

/* Puts a large block behind the current one, so that the current one keeps filling. */
static void link_block(Scope *scope, Block *block, bool as_current)
{
    if (as_current || scope->block == NULL) {
        block->next = scope->block;
        scope->block = block;
    } else {
        block->next = scope->block->next;
        scope->block->next = block;
    }
}

/* NULL when the heap has no memory. */
static void *arena_take(Scope *scope, size_t bytes)
{
    Block *block = scope->block;

    bytes = align_up(bytes ? bytes : 1, 16);
    if (LIKELY(block && block->size - block->used >= bytes)) {
        void *ptr = block->bytes + block->used;
        block->used += bytes;
        return ptr;
    }
    bool large = bytes > scope->next_block_bytes / 4;
    block = block_new(large ? bytes : scope->next_block_bytes);
    if (block == NULL)
        return NULL;
    if (!large)
        scope->next_block_bytes = MIN(scope->next_block_bytes * 2, BLOCK_BYTES_MAX);
    link_block(scope, block, !large);
    block->used = bytes;
    return block->bytes;
}

void *scope_alloc(Scope *scope, size_t bytes)
{
    void *ptr = arena_take(scope, bytes);

    ASSERT(ptr != NULL && "out of memory");
    return memset(ptr, 0, bytes);
}

Status scope_alloc_data(Ctx *ctx, Scope *scope, size_t bytes, void **out)
{
    Status st = scope_charge(ctx, scope, bytes);

    if (st != OK)
        return st;
    *out = arena_take(scope, bytes);
    if (*out)
        return OK;
    scope_uncharge(scope, bytes);
    return error_raise(ctx, E_OUT_OF_MEMORY, "out of memory");
}

void scope_defer(Scope *scope, ScopeCleanup fn, void *arg)
{
    Cleanup *cleanup = scope_new(scope, Cleanup);

    cleanup->fn = fn;
    cleanup->arg = arg;
    cleanup->next = scope->cleanups;
    scope->cleanups = cleanup;
}

char *scope_strdup(Scope *scope, const char *text)
{
    return scope_strndup(scope, text, strlen(text));
}

char *scope_strndup(Scope *scope, const char *text, size_t length)
{
    char *copy = scope_alloc(scope, length + 1);

    memcpy(copy, text, length);
    return copy;
}

char *scope_printf(Scope *scope, const char *format, ...)
{
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    ASSERT(length >= 0);
    char *text = scope_alloc(scope, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}
