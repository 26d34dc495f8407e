// SPDX-License-Identifier: Apache-2.0
//
// Sorter: rows with their normalised keys (types/key.h), sorted by memcmp, stable. With a limit it
// keeps no more than a few times that many rows. One thread each; runs of several sorters are
// merged by a SortMerge.
#ifndef DBASPOT_EXEC_SORTER_H
#define DBASPOT_EXEC_SORTER_H

#include "exec/spill.h"
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
    ARRAY(SpillFile *) runs;  /* sorted, on disk */
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
/* Sorts what is in memory, writes it to a file of the worker's and forgets it. */
Status sorter_spill(Worker *worker, Sorter *sorter);
/* Bytes in memory. */
static inline size_t sorter_bytes(const Sorter *sorter)
{
    return scope_data_bytes(sorter->scopes[sorter->current]);
}
uint64_t sort_key_prefix(const uint8_t *key, uint32_t length);
int sort_entry_compare(const SortEntry *a, const SortEntry *b);
/* Length of the key. */
static inline uint32_t sort_key_length(const uint8_t *key)
{
    uint32_t length;

    memcpy(&length, key - sizeof length, sizeof length);
    return length;
}

/* Runs on disk read as one. One thread. */
typedef struct RunMerge RunMerge;
Status run_merge_open(Ctx *ctx, Scope *scope, const TupleLayout *layout, SpillFile *const *runs,
                      uint32_t count, RunMerge **out);
/* Up to `max` tuples in order, valid until the next call; *count 0 at the end. */
Status run_merge_next(Ctx *ctx, RunMerge *merge, Tuple *tuples, uint32_t max, uint32_t *count);

/* Merges sorted sorters into one list of tuples. */
Status sorters_merge(Ctx *ctx, Scope *scope, Sorter *const *sorters, uint32_t count,
                     SortEntry **out, uint64_t *out_count);

#endif
