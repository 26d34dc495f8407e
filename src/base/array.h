// SPDX-License-Identifier: Apache-2.0
//
// Growing arrays in a scope: ARRAY(T) is an open struct {data, count, cap}; array_push is O(1)
// amortised. What is outgrown stays in the arena until the scope ends. One thread at a time.
#ifndef DBASPOT_BASE_ARRAY_H
#define DBASPOT_BASE_ARRAY_H

#include "base/scope.h"

#define ARRAY(T)        \
    struct {            \
        T *data;        \
        uint32_t count; \
        uint32_t cap;   \
    }

/* Makes room for one more element of `bytes` bytes; used by array_push. */
static inline void *array_grow(Scope *scope, void *data, uint32_t count, uint32_t *cap,
                               size_t bytes)
{
    if (count < *cap)
        return data;
    ASSERT(*cap <= UINT32_MAX / 2);
    *cap = *cap ? *cap * 2 : 8;
    void *grown = scope_alloc(scope, *cap * bytes);
    if (count)
        memcpy(grown, data, count * bytes);
    return grown;
}

#define array_push(scope, array, ...)                                                     \
    do {                                                                                  \
        (array)->data = array_grow((scope), (array)->data, (array)->count, &(array)->cap, \
                                   sizeof *(array)->data);                                \
        (array)->data[(array)->count++] = (__VA_ARGS__);                                  \
    } while (0)

#define array_last(array) ((array)->data[(array)->count - 1])

#endif
