// SPDX-License-Identifier: Apache-2.0
//
// A generation: relations, their trees, one arena. Small write sets are copied in (one allocation a
// transaction, no block of theirs is kept); of a large one the blocks are taken over, its versions
// stamped in place, and its whole tree too if the relation had nothing here yet. Any thread.
#include "storage/delta/map.h"
#include "storage/writeset_int.h"

#include "base/memory.h"

#define BUCKETS_COUNT     256
#define FIRST_BLOCK_BYTES ((size_t)64 << 10)
/* Above this, and if at least half of it is live, a write set's memory is taken over. */
#define ADOPT_BYTES_MIN   ((size_t)256 << 10)

struct DeltaGeneration {
    _Atomic uint32_t references;
    _Atomic bool frozen;
    _Atomic uint64_t first_ts; /* 0: nothing yet */
    _Atomic uint64_t last_ts;
    DeltaArena arena;
    DeltaMap map;
    _Atomic(DeltaRelation *) buckets[BUCKETS_COUNT];
};

DeltaGeneration *generation_new(void)
{
    DeltaGeneration *generation = mem_alloc_zero(sizeof *generation);

    atomic_store(&generation->references, 1);
    generation->map = (DeltaMap){generation->buckets, BUCKETS_COUNT};
    delta_arena_init(&generation->arena, FIRST_BLOCK_BYTES, false);
    return generation;
}

DeltaGeneration *generation_ref(DeltaGeneration *generation)
{
    uint32_t before = atomic_fetch_add_explicit(&generation->references, 1, memory_order_relaxed);

    ASSERT(before > 0);
    return generation;
}

void generation_unref(DeltaGeneration *generation)
{
    if (generation == NULL)
        return;
    uint32_t before = atomic_fetch_sub_explicit(&generation->references, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before > 1)
        return;
    delta_arena_free(&generation->arena);
    mem_free(generation);
}

void generation_freeze(DeltaGeneration *generation)
{
    atomic_store(&generation->frozen, true);
}

bool generation_is_frozen(const DeltaGeneration *generation)
{
    return atomic_load(&generation->frozen);
}

/* --- what it holds -------------------------------------------------------------------------- */

static void note_time(DeltaGeneration *generation, Timestamp ts)
{
    uint64_t first = atomic_load(&generation->first_ts);
    uint64_t last = atomic_load(&generation->last_ts);

    while ((first == 0 || ts < first) &&
           !atomic_compare_exchange_weak(&generation->first_ts, &first, ts)) {
    }
    while (ts > last && !atomic_compare_exchange_weak(&generation->last_ts, &last, ts)) {
    }
}

Timestamp generation_first_ts(const DeltaGeneration *generation)
{
    return atomic_load(&generation->first_ts);
}

Timestamp generation_last_ts(const DeltaGeneration *generation)
{
    return atomic_load(&generation->last_ts);
}

size_t generation_bytes(const DeltaGeneration *generation)
{
    return delta_arena_bytes(&generation->arena);
}

uint64_t generation_relation_rows(const DeltaGeneration *generation, RelationId relation)
{
    const DeltaRelation *found = delta_map_get(&generation->map, relation);

    return found ? atomic_load_explicit(&found->keys_count, memory_order_relaxed) : 0;
}

uint64_t generation_relation_bytes(const DeltaGeneration *generation, RelationId relation)
{
    const DeltaRelation *found = delta_map_get(&generation->map, relation);

    return found ? atomic_load_explicit(&found->bytes, memory_order_relaxed) : 0;
}

uint32_t generation_relations(const DeltaGeneration *generation, Scope *scope, RelationId **out)
{
    DeltaRelation **list;
    uint32_t count = delta_map_list(&generation->map, scope, &list);

    *out = scope_new_array(scope, RelationId, count);
    for (uint32_t i = 0; i < count; i++)
        (*out)[i] = list[i]->id;
    return count;
}

static void note_growth(DeltaRelation *relation, uint64_t keys, uint64_t bytes)
{
    atomic_fetch_add_explicit(&relation->keys_count, keys, memory_order_relaxed);
    atomic_fetch_add_explicit(&relation->bytes, bytes, memory_order_relaxed);
}

/* --- reading -------------------------------------------------------------------------------- */

const DeltaVersion *generation_get(const DeltaGeneration *generation, RelationId relation, Str key,
                                   Timestamp read_ts)
{
    const DeltaRelation *found = delta_map_get(&generation->map, relation);

    return found ? delta_version_at(delta_tree_get(&found->tree, key), read_ts) : NULL;
}

void delta_iter_open(DeltaIter *iter, const DeltaGeneration *generation, RelationId relation,
                     KeyRange range, bool descending)
{
    const DeltaRelation *found = delta_map_get(&generation->map, relation);

    delta_tree_iter_open(iter, found ? &found->tree : NULL, range, descending);
}

uint32_t generation_split(const DeltaGeneration *generation, RelationId relation, KeyRange range,
                          uint32_t max, Str *out)
{
    const DeltaRelation *found = delta_map_get(&generation->map, relation);

    return found ? delta_tree_split(&found->tree, range, max, out) : 0;
}

/* --- writing -------------------------------------------------------------------------------- */

void generation_put(DeltaGeneration *generation, GenerationHint *hint, RelationId relation,
                    const GenerationWrite *write)
{
    GenerationHint none = {NULL, NULL};

    if (hint == NULL)
        hint = &none;
    if (hint->relation == NULL || hint->relation->id != relation) {
        hint->relation = delta_map_make(&generation->map, &generation->arena, relation);
        hint->leaf = NULL;
    }
    ASSERT(!generation_is_frozen(generation));
    ASSERT(write->key.len <= DELTA_KEY_LEN_MAX && write->row.len <= UINT32_MAX);
    size_t bytes = delta_version_bytes(write->key.len, write->tombstone ? 0 : write->row.len);
    DeltaVersion *version = delta_arena_alloc(&generation->arena, bytes);
    delta_version_init(version, write->key, write->row, write->tombstone);
    version->commit_ts = write->commit_ts;
    note_time(generation, write->commit_ts);
    DeltaInsert result =
        delta_tree_insert(&hint->relation->tree, &generation->arena, version, &hint->leaf);
    if (result != DELTA_DUPLICATE)
        note_growth(hint->relation, result == DELTA_NEW_KEY, bytes);
}

typedef struct Install {
    DeltaGeneration *generation;
    DeltaRelation *to;
    Timestamp commit_ts;
    char *copies;    /* room for the versions' copies; NULL: they stay where they are */
    bool tree_taken; /* the nodes' memory is taken over too */
} Install;

/* The version as the generation will hold it: a copy, or itself. */
static DeltaVersion *take_version(Install *install, const DeltaVersion *version, size_t bytes)
{
    DeltaVersion *taken = (DeltaVersion *)version;

    if (install->copies) {
        taken = (DeltaVersion *)install->copies;
        install->copies += bytes;
        taken->key_len = version->key_len;
        taken->row_len = version->row_len;
        memcpy(taken->bytes, version->bytes, bytes - sizeof *version);
    }
    taken->commit_ts = install->commit_ts;
    return taken;
}

/* Inserts the newest version of each key of a write set's relation, in key order. */
static void install_versions(Install *install, const DeltaTree *tree)
{
    DeltaIter iter;
    DeltaNode *hint = NULL;
    uint64_t keys = 0, bytes_all = 0;

    delta_tree_iter_open(&iter, tree, (KeyRange){0}, false);
    while (delta_iter_next(&iter)) {
        for (uint32_t i = 0; i < iter.count; i++) {
            const DeltaVersion *version = iter.block[i];
            size_t bytes = delta_version_bytes(delta_version_key(version).len, version->row_len);
            if (i + 8 < iter.count)
                __builtin_prefetch(iter.block[i + 8], 1);
            DeltaVersion *taken = take_version(install, version, bytes);
            keys += delta_tree_insert(&install->to->tree, &install->generation->arena, taken,
                                      &hint) == DELTA_NEW_KEY;
            bytes_all += bytes;
        }
    }
    note_growth(install->to, keys, bytes_all);
}

/* Takes the whole tree over. False: the relation has one already. */
static bool install_tree(Install *install, const DeltaRelation *from)
{
    DeltaNode *none = NULL;
    DeltaIter iter;

    if (atomic_load_explicit(&install->to->tree.root, memory_order_relaxed))
        return false;
    delta_tree_iter_open(&iter, &from->tree, (KeyRange){0}, false);
    while (delta_iter_next(&iter)) {
        for (uint32_t i = 0; i < iter.count; i++) {
            if (i + 8 < iter.count)
                __builtin_prefetch(iter.block[i + 8], 1);
            DeltaVersion *version = (DeltaVersion *)iter.block[i];
            atomic_store_explicit(&version->next, NULL, memory_order_relaxed);
            version->commit_ts = install->commit_ts;
        }
    }
    DeltaNode *root = atomic_load_explicit(&from->tree.root, memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&install->to->tree.root, &none, root,
                                                 memory_order_release, memory_order_relaxed))
        return false;
    install->tree_taken = true;
    note_growth(install->to, atomic_load_explicit(&from->keys_count, memory_order_relaxed),
                atomic_load_explicit(&from->bytes, memory_order_relaxed));
    return true;
}

void generation_install(DeltaGeneration *generation, WriteSet *set, Timestamp commit_ts)
{
    Install install = {.generation = generation, .commit_ts = commit_ts};
    uint64_t live_bytes = set->live_bytes;

    ASSERT(!generation_is_frozen(generation));
    if (writeset_is_empty(set)) {
        writeset_clear(set);
        return;
    }
    bool adopt = live_bytes >= ADOPT_BYTES_MIN && live_bytes >= delta_arena_bytes(&set->rows) / 2;
    if (!adopt)
        install.copies = delta_arena_alloc(&generation->arena, live_bytes);
    note_time(generation, commit_ts);
    for (uint32_t i = 0; i < set->map.buckets_count; i++) {
        DeltaRelation *from = atomic_load_explicit(&set->map.buckets[i], memory_order_relaxed);
        for (; from; from = from->next) {
            if (atomic_load_explicit(&from->keys_count, memory_order_relaxed) == 0)
                continue;
            install.to = delta_map_make(&generation->map, &generation->arena, from->id);
            if (!adopt || !install_tree(&install, from))
                install_versions(&install, &from->tree);
        }
    }
    if (adopt)
        delta_arena_adopt(&generation->arena, &set->rows);
    if (install.tree_taken)
        delta_arena_adopt(&generation->arena, &set->nodes);
    writeset_clear(set);
}
