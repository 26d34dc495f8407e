// SPDX-License-Identifier: Apache-2.0
//
// Sorter: rows with their normalised keys (types/key.h), sorted by memcmp, stable. With a limit it
// keeps no more than a few times that many rows. One thread each; runs of several sorters are
// merged by a SortMerge.
#ifndef DBASPOT_EXEC_SORTER_H
#define DBASPOT_EXEC_SORTER_H

#include "exec/tuple.h"
#include "types/key.h"

typedef struct SortEntry {
    uint64_t prefix; /* the key's first bytes, big-endian */
    const uint8_t *key;
    Tuple tuple;
} SortEntry;

typedef struct SorterSpec {
    const SqlType *types; /* of the columns kept */
    uint32_t columns_count;
    const KeyColumn *keys;
    uint32_t keys_count;
    uint64_t limit; /* 0: all */
} SorterSpec;

typedef struct Sorter {
    SorterSpec spec;
    TupleLayout layout;
    Scope *scopes[2]; /* tuples and keys live in one; pruning moves them to the other */
    uint32_t current;
    TupleBuffer tuples;
    SortEntry *entries;
    uint64_t count, capacity;
    char *heap; /* of keys */
    size_t heap_left;
    const uint8_t *threshold; /* the limit's last key so far; NULL: none */
    StrBuf key;
    Tuple *batch_tuples;
    VectorBuffer *buffers;
} Sorter;

/* `spec`'s arrays live as long as the sorter. */
Sorter *sorter_new(Scope *scope, const SorterSpec *spec);
/* Keeps the batch's first columns; keys[i] are the values of the i-th key. */
Status sorter_add(Ctx *ctx, Sorter *sorter, const Batch *batch, const Vector *const *keys);
/* Sorts what is there; with a limit, cuts. */
Status sorter_sort(Ctx *ctx, Sorter *sorter);
int sort_entry_compare(const SortEntry *a, const SortEntry *b);
/* Length of the key. */
static inline uint32_t sort_key_length(const uint8_t *key)
{
    uint32_t length;

    memcpy(&length, key - sizeof length, sizeof length);
    return length;
}

/* Merges sorted sorters into one list of tuples. */
Status sorters_merge(Ctx *ctx, Scope *scope, Sorter *const *sorters, uint32_t count,
                     SortEntry **out, uint64_t *out_count);

#endif
