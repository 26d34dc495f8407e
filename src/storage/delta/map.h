// SPDX-License-Identifier: Apache-2.0
//
// Relation id -> tree, for generations (many threads) and write sets (one): a fixed number of
// buckets with lists that only grow. Entries lie in the arena of whoever owns the map.
#ifndef DBASPOT_STORAGE_DELTA_MAP_H
#define DBASPOT_STORAGE_DELTA_MAP_H

#include "storage/delta/tree.h"

typedef struct DeltaRelation {
    struct DeltaRelation *next;
    RelationId id;
    DeltaTree tree;
    _Atomic uint64_t keys_count;
    _Atomic uint64_t bytes; /* of its versions */
    DeltaNode *hint;        /* write sets: the leaf of the last insert */
} DeltaRelation;

typedef struct DeltaMap {
    _Atomic(DeltaRelation *) *buckets;
    uint32_t buckets_count; /* a power of two */
} DeltaMap;

/* NULL if the relation is not there. */
DeltaRelation *delta_map_get(const DeltaMap *map, RelationId id);
/* Adds it if it is not there. */
DeltaRelation *delta_map_make(DeltaMap *map, DeltaArena *arena, RelationId id);
/* All relations with at least one key, ascending by id, in `scope`. */
uint32_t delta_map_list(const DeltaMap *map, Scope *scope, DeltaRelation ***out);

#endif
