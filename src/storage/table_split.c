// SPDX-License-Identifier: Apache-2.0
//
// Parts of a range for parallel scans: the bounds come from the tree that holds most of the
// relation (a generation's, or the transaction's own writes), or from tier 3 when most of it must
// lie there. Any thread.
#include "storage/table_int.h"

/* Fewer keys than this in the largest tree say little about what tier 3 holds. */
#define DELTA_KEYS_MIN 10000

/* Cuts from the largest tree in memory; *keys is how many it holds. */
static uint32_t split_delta(const Snapshot *snapshot, RelationId relation, KeyRange range,
                            uint32_t cuts_max, Str *cuts, uint64_t *keys)
{
    const StorageView *view = snapshot->view;
    const DeltaGeneration *largest = NULL;
    const DeltaRelation *own = snapshot->own ? delta_map_get(&snapshot->own->map, relation) : NULL;

    *keys = own ? atomic_load_explicit(&own->keys_count, memory_order_relaxed) : 0;
    for (uint32_t i = 0; i < view->generations_count; i++) {
        uint64_t rows = generation_relation_rows(view->generations[i], relation);
        if (rows > *keys) {
            *keys = rows;
            largest = view->generations[i];
        }
    }
    if (largest)
        return generation_split(largest, relation, range, cuts_max, cuts);
    return own ? delta_tree_split(&own->tree, range, cuts_max, cuts) : 0;
}

Status table_split(Ctx *ctx, Scope *scope, const Snapshot *snapshot, const Relation *relation,
                   KeyRange range, uint32_t parts_max, KeyRange **out, uint32_t *out_count)
{
    Status st = OK;
    const StorageView *view = snapshot->view;
    uint32_t cuts_max = MAX(parts_max, 1u) - 1;
    Str *cuts = scope_new_array(scope, Str, cuts_max);
    uint64_t keys;
    uint32_t count = split_delta(snapshot, relation->id, range, cuts_max, cuts, &keys);

    if (!view->complete && keys < DELTA_KEYS_MIN && cuts_max)
        TRY(wos_split(ctx, scope, view->wos, relation->id, range.low, range.high, range.has_high,
                      parts_max, cuts, &count));
    KeyRange *parts = scope_new_array(scope, KeyRange, count + 1);
    Str low = range.low;
    for (uint32_t i = 0; i < count; i++) {
        Str cut = str_copy(scope, cuts[i]);
        parts[i] = (KeyRange){low, cut, true};
        low = cut;
    }
    parts[count] = (KeyRange){low, range.high, range.has_high};
    *out = parts;
    *out_count = count + 1;
done:
    return st;
}
