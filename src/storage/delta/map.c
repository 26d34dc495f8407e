// SPDX-License-Identifier: Apache-2.0
//
// The relations of a generation or a write set. A relation is pushed in front of its bucket's list
// by compare and swap, so that two threads cannot add it twice. Any thread.
#include "storage/delta/map.h"

#include "base/array.h"
#include "base/hash.h"

#include <stdlib.h>

static _Atomic(DeltaRelation *) *bucket_of(const DeltaMap *map, RelationId id)
{
    return &map->buckets[hash_u64(id) & (map->buckets_count - 1)];
}

static DeltaRelation *find(DeltaRelation *relation, RelationId id)
{
    while (relation && relation->id != id)
        relation = relation->next;
    return relation;
}

DeltaRelation *delta_map_get(const DeltaMap *map, RelationId id)
{
    return find(atomic_load_explicit(bucket_of(map, id), memory_order_acquire), id);
}

DeltaRelation *delta_map_make(DeltaMap *map, DeltaArena *arena, RelationId id)
{
    _Atomic(DeltaRelation *) *bucket = bucket_of(map, id);
    DeltaRelation *first = atomic_load_explicit(bucket, memory_order_acquire);
    DeltaRelation *found = find(first, id);

    if (LIKELY(found != NULL))
        return found;
    DeltaRelation *made = delta_arena_alloc(arena, sizeof *made);
    memset(made, 0, sizeof *made);
    made->id = id;
    for (;;) {
        made->next = first;
        if (atomic_compare_exchange_weak_explicit(bucket, &first, made, memory_order_acq_rel,
                                                  memory_order_acquire))
            return made;
        found = find(first, id);
        if (found)
            return found;
    }
}

static int compare_ids(const void *a, const void *b)
{
    RelationId id_a = (*(DeltaRelation *const *)a)->id, id_b = (*(DeltaRelation *const *)b)->id;

    return (id_a > id_b) - (id_a < id_b);
}

uint32_t delta_map_list(const DeltaMap *map, Scope *scope, DeltaRelation ***out)
{
    ARRAY(DeltaRelation *) list = {0};

    for (uint32_t i = 0; i < map->buckets_count; i++) {
        DeltaRelation *relation = atomic_load_explicit(&map->buckets[i], memory_order_acquire);
        for (; relation; relation = relation->next) {
            if (atomic_load_explicit(&relation->keys_count, memory_order_relaxed))
                array_push(scope, &list, relation);
        }
    }
    if (list.count)
        qsort(list.data, list.count, sizeof *list.data, compare_ids);
    *out = list.data;
    return list.count;
}
