// SPDX-License-Identifier: Apache-2.0
//
// The heap below scopes: the only place that calls malloc. Structure never fails (out of memory
// there aborts, with a message); what data sizes is asked for with mem_try_alloc. Any thread.
#ifndef DBASPOT_BASE_MEMORY_H
#define DBASPOT_BASE_MEMORY_H

#include "base/base.h"

#include <stdarg.h>

/* Never NULL; contents undefined (mem_alloc_zero: zeroed). Free with mem_free. */
void *mem_alloc(size_t bytes);
void *mem_alloc_zero(size_t bytes);
void *mem_realloc(void *ptr, size_t bytes);
/* NULL when there is no memory. */
void *mem_try_alloc(size_t bytes);
void *mem_try_realloc(void *ptr, size_t bytes);
/* Aligned to `align` (a power of two); NULL when there is no memory. Free with mem_free. */
void *mem_try_alloc_aligned(size_t align, size_t bytes);
/* NULL is allowed. */
void mem_free(void *ptr);
char *mem_strdup(const char *text);
char *mem_printf(const char *format, ...) PRINTF_LIKE(1, 2);
char *mem_vprintf(const char *format, va_list args) PRINTF_LIKE(1, 0);

#endif
