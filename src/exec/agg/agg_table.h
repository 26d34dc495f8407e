// SPDX-License-Identifier: Apache-2.0
//
// AggTable: distinct keys, each with room for states: GROUP BY, DISTINCT, set operations. Open
// addressing with linear probing; a slot holds a tuple's address and 16 bits of its hash. Found or
// inserted a batch at a time. One thread at a time.
#ifndef DBASPOT_EXEC_AGG_AGG_TABLE_H
#define DBASPOT_EXEC_AGG_AGG_TABLE_H

#include "exec/tuple.h"

typedef struct AggTable {
    TupleLayout layout; /* header: the 8-byte hash; extra: the states, zeroed in a new tuple */
    TupleBuffer tuples;
    uint32_t states_bytes;
    uint64_t *slots;
    uint64_t mask;
    /* of a batch */
    uint64_t *hashes;
    uint64_t *at;
    uint32_t *rows, *fresh, *rejected;
    uint32_t batch_rows; /* room in these */
    uint32_t fresh_count;
    Tuple *found; /* of agg_table_add_new */
} AggTable;

/* `types`: the keys. Memory is charged to `scope`. */
AggTable *agg_table_new(Scope *scope, const SqlType *types, uint32_t keys_count,
                        uint32_t states_bytes);
/* tuples[row] for each row of the batch, whose first columns are the keys. NULLs are equal.
   `hashes` NULL: they are computed. */
Status agg_table_find(Ctx *ctx, AggTable *table, const Batch *keys, const uint64_t *hashes,
                      Tuple *tuples);
/* As agg_table_find, but nothing is added: NULL for a key that is not there. */
void agg_table_lookup(AggTable *table, const Batch *keys, const uint64_t *hashes, Tuple *tuples);
/* Rows whose key was not there before, into added[0..*count), in order. */
Status agg_table_add_new(Ctx *ctx, AggTable *table, const Batch *keys, uint32_t *added,
                         uint32_t *count);

static inline uint64_t agg_tuple_hash(const uint8_t *tuple)
{
    uint64_t hash;

    memcpy(&hash, tuple, sizeof hash);
    return hash;
}

static inline void *agg_tuple_states(const AggTable *table, Tuple tuple)
{
    return tuple + table->layout.extra_at;
}

/* Hashes of the first `columns` columns of a batch. */
void batch_hash(const Batch *batch, uint32_t columns, uint64_t *hashes);

#endif
