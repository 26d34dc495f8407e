// SPDX-License-Identifier: Apache-2.0
//
// The build side of a hash join: tuples in chains behind an array of buckets. A bucket holds the
// address of its chain's first tuple and a 16-bit filter of the chain's hashes, so that most probes
// without a match touch nothing else. Workers fill buffers of their own; the buckets are made when
// all are full, by all workers at once.
#ifndef DBASPOT_EXEC_JOIN_HASH_TABLE_H
#define DBASPOT_EXEC_JOIN_HASH_TABLE_H

#include "exec/exec_int.h"
#include "exec/tuple.h"

typedef struct BuildTuple {
    Tuple next;
    uint64_t hash;
    uint8_t matched; /* set by any prober */
} BuildTuple;
#define BUILD_HEADER_BYTES 17

typedef struct HashTable {
    TupleLayout layout;
    _Atomic uint64_t *buckets;
    uint64_t mask;
    uint64_t count;      /* in the chains */
    uint64_t null_count; /* with a NULL key, in no chain */
    uint32_t buffers_count;
    TupleBuffer **buffers; /* by worker; NULL where none */
    TupleBuffer **nulls;
} HashTable;

/* Links all tuples of the buffers; the buckets lie in `scope`. In the calling thread. */
Status hash_table_link(Query *query, Scope *scope, HashTable *table);

#define HASH_ADDRESS_MASK ((UINT64_C(1) << 48) - 1)

static inline uint64_t hash_table_tag(uint64_t hash)
{
    return UINT64_C(1) << (48 + (hash >> 60));
}

/* The chain that may hold the hash; NULL if none does. */
static inline Tuple hash_table_chain(const HashTable *table, uint64_t hash)
{
    uint64_t bucket =
        atomic_load_explicit(&table->buckets[hash & table->mask], memory_order_relaxed);

    return bucket & hash_table_tag(hash) ? (Tuple)(uintptr_t)(bucket & HASH_ADDRESS_MASK) : NULL;
}

static inline BuildTuple *build_tuple(Tuple tuple)
{
    return (BuildTuple *)tuple;
}

static inline void build_tuple_set_matched(Tuple tuple)
{
    __atomic_store_n(&build_tuple(tuple)->matched, 1, __ATOMIC_RELAXED);
}

#endif
