// SPDX-License-Identifier: Apache-2.0
//
// malloc and its family, with the two policies of memory.h. Any thread.
// The contract, and which thread may call, stands in the header.
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

static _Atomic(FatalHook) fatal_hook;

void base_set_fatal_hook(FatalHook hook)
{
    atomic_store(&fatal_hook, hook);
}

_Noreturn void base_assert_failed(const char *expr, const char *file, int line)
{
    char text[512];
    FatalHook hook = atomic_load(&fatal_hook);

    snprintf(text, sizeof text, "broken invariant: %s (%s:%d)", expr, file, line);
    fprintf(stderr, "%s\n", text);
    if (hook)
        hook(text);
    abort();
}

void *mem_alloc(size_t bytes)
{
    void *ptr = malloc(bytes ? bytes : 1);
    ASSERT(ptr != NULL && "out of memory");
    return ptr;
}

void *mem_alloc_zero(size_t bytes)
{
    void *ptr = calloc(1, bytes ? bytes : 1);
    ASSERT(ptr != NULL && "out of memory");
    return ptr;
}

void *mem_realloc(void *ptr, size_t bytes)
{
    void *grown = realloc(ptr, bytes ? bytes : 1);
    ASSERT(grown != NULL && "out of memory");
    return grown;
}

void *mem_try_alloc(size_t bytes)
{
    return malloc(bytes ? bytes : 1);
}

void *mem_try_realloc(void *ptr, size_t bytes)
{
    return realloc(ptr, bytes ? bytes : 1);
}

void *mem_try_alloc_aligned(size_t align, size_t bytes)
{
    return aligned_alloc(align, align_up(bytes ? bytes : 1, align));
}

void mem_free(void *ptr)
{
    free(ptr);
}

char *mem_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(mem_alloc(bytes), text, bytes);
}

char *mem_printf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = mem_vprintf(format, args);
    va_end(args);
    return text;
}

char *mem_vprintf(const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    ASSERT(length >= 0);
    char *text = mem_alloc((size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}
