// SPDX-License-Identifier: Apache-2.0
//
// Generations merged into one stream, without the versions that nobody can read: what a flush
// writes to tier 3, and what keeps the flushed generations in memory few. The merger thread joins
// them so that each is at least twice as large as the ones above it together, and at the start
// loads tier 3 into memory if it fits. A flushed generation is only a cache: losing one is never
// wrong.
#include "storage/storage_core.h"

#include "base/array.h"

#include <stdlib.h>

enum { LAYERS_CALM = 3, LAYERS_MANY = 8, CANCEL_EVERY = 1024, SWEEP_SHARE = 4 };

/* --- merging --------------------------------------------------------------------------------- */

/* One generation's place in the walk of a relation. */
typedef struct Source {
    DeltaIter iter;
    uint32_t at;
    const DeltaVersion *head; /* of the next key; NULL at the end */
} Source;

static void advance(Source *source)
{
    if (source->at == source->iter.count) {
        source->at = 0;
        if (!delta_iter_next(&source->iter)) {
            source->head = NULL;
            return;
        }
    }
    source->head = source->iter.block[source->at++];
}

static int compare_ids(const void *a, const void *b)
{
    RelationId left = *(const RelationId *)a;
    RelationId right = *(const RelationId *)b;

    return (left > right) - (left < right);
}

/* Ids of all relations in the generations, ascending. */
static uint32_t all_relations(Scope *scope, const MergeSpec *spec, RelationId **out)
{
    ARRAY(RelationId) ids = {0};
    uint32_t kept = 0;

    for (uint32_t i = 0; i < spec->count; i++) {
        RelationId *some;
        uint32_t count = generation_relations(spec->generations[i], scope, &some);

        for (uint32_t j = 0; j < count; j++)
            array_push(scope, &ids, some[j]);
    }
    if (ids.count)
        qsort(ids.data, ids.count, sizeof *ids.data, compare_ids);
    for (uint32_t i = 0; i < ids.count; i++) {
        if (kept == 0 || ids.data[kept - 1] != ids.data[i])
            ids.data[kept++] = ids.data[i];
    }
    *out = ids.data;
    return kept;
}

/* The smallest key among the sources' heads, NULL at the end. */
static const DeltaVersion *smallest(const Source *sources, uint32_t count)
{
    const DeltaVersion *least = NULL;

    for (uint32_t i = 0; i < count; i++) {
        const DeltaVersion *head = sources[i].head;

        if (head && (!least || str_compare(delta_version_key(head), delta_version_key(least)) < 0))
            least = head;
    }
    return least;
}

/* The versions of one key, which the sources named in order, newest first, may hold. */
static Status merge_key(Ctx *ctx, const MergeSpec *spec, RelationId relation, Source *sources,
                        Str key)
{
    Status st = OK;
    Timestamp newer_ts = TIMESTAMP_MAX; /* of the version above; none: nothing supersedes */

    for (uint32_t i = 0; i < spec->count; i++) {
        const DeltaVersion *version = sources[i].head;

        if (!version || !str_equal(delta_version_key(version), key))
            continue;
        for (; version && newer_ts > spec->horizon; version = delta_version_next(version)) {
            bool gone = spec->drop_tombstones && version->commit_ts <= spec->horizon &&
                        delta_version_is_tombstone(version);

            ASSERT(version->commit_ts < newer_ts); /* DELTA-1, across generations */
            if (!gone)
                TRY(spec->put(ctx, spec->arg, relation, version));
            newer_ts = version->commit_ts;
        }
        advance(&sources[i]);
    }
done:
    return st;
}

static Status merge_relation(Ctx *ctx, Storage *storage, const MergeSpec *spec, RelationId relation,
                             Source *sources)
{
    Status st = OK;
    const DeltaVersion *least;
    uint32_t turn = 0;

    for (uint32_t i = 0; i < spec->count; i++) {
        delta_iter_open(&sources[i].iter, spec->generations[i], relation, (KeyRange){0}, false);
        sources[i].at = 0;
        sources[i].iter.count = 0;
        advance(&sources[i]);
    }
    while ((least = smallest(sources, spec->count)) != NULL) {
        TRY(merge_key(ctx, spec, relation, sources, delta_version_key(least)));
        if (++turn % CANCEL_EVERY == 0 && atomic_load(&storage->halted))
            FAIL(ctx, E_ADMIN_SHUTDOWN, "the database is being closed");
    }
done:
    return st;
}

Status storage_merge(Ctx *ctx, Storage *storage, const MergeSpec *spec)
{
    Status st = OK;
    Scope *scope = scope_open(NULL, "merge");
    RelationId *ids;
    uint32_t count = all_relations(scope, spec, &ids);
    Source *sources = scope_new_array(scope, Source, spec->count);

    for (uint32_t i = 0; i < count; i++) {
        if (!storage_is_dropped(storage, ids[i]))
            TRY(merge_relation(ctx, storage, spec, ids[i], sources));
    }
done:
    scope_close(scope);
    return st;
}

/* --- fewer layers -------------------------------------------------------------------------- */

typedef struct Joined {
    DeltaGeneration *generation;
    GenerationHint hint;
} Joined;

static Status put_joined(Ctx *ctx, void *arg, RelationId relation, const DeltaVersion *version)
{
    Joined *joined = arg;
    GenerationWrite write = {
        .key = delta_version_key(version),
        .row = delta_version_row(version),
        .tombstone = delta_version_is_tombstone(version),
        .commit_ts = version->commit_ts,
    };

    (void)ctx;
    generation_put(joined->generation, &joined->hint, relation, &write);
    return OK;
}

/* A flushed layer of which a quarter or more belongs to dropped relations. */
static bool choose_swept_locked(Storage *storage, uint32_t *first)
{
    if (!atomic_load(&storage->sweep_wanted))
        return false;
    for (uint32_t i = 0; i < storage->layers_count; i++) {
        const Layer *layer = &storage->layers[i];

        if (layer->flushed && storage_dropped_bytes(storage, layer->generation) >
                                  generation_bytes(layer->generation) / SWEEP_SHARE) {
            *first = i;
            return true;
        }
    }
    atomic_store(&storage->sweep_wanted, false);
    return false;
}

/* Chooses neighbouring flushed layers [*first, *first + count) to join; 0: none. */
static uint32_t choose_locked(Storage *storage, uint32_t *first)
{
    uint32_t begin = 0;
    size_t bytes;
    uint32_t end;

    if (choose_swept_locked(storage, first))
        return 1;
    while (begin < storage->layers_count && !storage->layers[begin].flushed)
        begin++;
    uint32_t flushed = storage->layers_count - begin;
    if (flushed < LAYERS_CALM)
        return 0;
    bytes = generation_bytes(storage->layers[begin].generation);
    for (end = begin + 1; end < storage->layers_count; end++) {
        size_t next = generation_bytes(storage->layers[end].generation);

        if (next / 2 > bytes && !(flushed > LAYERS_MANY && end == begin + 1))
            break;
        bytes += next;
    }
    if (end - begin < 2 || (storage->wos && storage_layers_bytes_locked(storage) + bytes >
                                                storage->delta_bytes_max * 5 / 4))
        return 0;
    *first = begin;
    return end - begin;
}

/* Puts the new layer into the place of the joined ones, which may have moved down meanwhile. */
static bool replace_locked(Storage *storage, DeltaGeneration *const *joined, uint32_t count,
                           const Layer *with, ViewState **dead)
{
    Layer *layers = storage->layers;
    Layer before[LAYERS_MAX];
    uint32_t before_count = storage->layers_count;
    uint32_t first = 0;

    memcpy(before, layers, sizeof before);
    while (layers[first].generation != joined[0])
        first++;
    ASSERT(first + count <= storage->layers_count);
    layers[first] = *with;
    memmove(layers + first + 1, layers + first + count,
            (storage->layers_count - first - count) * sizeof *layers);
    storage->layers_count -= count - 1;
    if (storage_publish_locked(storage, dead))
        return true;
    memcpy(layers, before, sizeof before);
    storage->layers_count = before_count;
    for (uint32_t i = 0; i < count; i++)
        layers[first + i].busy = false;
    return false;
}

/* Joins some layers; false if there are none to join. REQUIRES(structure_mutex), left meanwhile. */
static bool join_some_locked(Storage *storage)
{
    DeltaGeneration *generations[LAYERS_MAX];
    uint32_t first = 0;
    uint32_t count = choose_locked(storage, &first);
    Joined joined = {0};
    ViewState *dead = NULL;
    ViewState *evicted = NULL;
    Ctx ctx;

    if (count == 0)
        return false;
    Layer with = storage->layers[first];
    for (uint32_t i = 0; i < count; i++) {
        generations[i] = storage->layers[first + i].generation;
        storage->layers[first + i].busy = true;
    }
    bool oldest = first + count == storage->layers_count && !storage->loading;
    mutex_unlock(&storage->structure_mutex);

    joined.generation = generation_new();
    MergeSpec spec = {generations, count, storage_horizon(storage), oldest, put_joined, &joined};
    ctx_init(&ctx);
    bool merged = storage_merge(&ctx, storage, &spec) == OK;
    ctx_free(&ctx);
    generation_freeze(joined.generation);

    mutex_lock(&storage->structure_mutex);
    with.generation = joined.generation;
    if (merged && replace_locked(storage, generations, count, &with, &dead)) {
        storage_evict_locked(storage, &evicted);
    } else {
        generations[0] = joined.generation;
        count = 1;
        merged = false;
    }
    mutex_unlock(&storage->structure_mutex);
    for (uint32_t i = 0; i < count; i++)
        generation_unref(generations[i]);
    storage_view_free(dead);
    storage_view_free(evicted);
    mutex_lock(&storage->structure_mutex);
    return merged;
}

/* --- loading ------------------------------------------------------------------------------- */

typedef struct Load {
    Storage *storage;
    Joined joined;
    Timestamp ts;
    StrBuf key; /* the key whose newest version was seen */
    RelationId relation;
    bool has_key;
    uint32_t turn;
    size_t bytes_max;
} Load;

static Status load_version(Ctx *ctx, void *arg, RelationId relation, Str key, Timestamp ts, Str row,
                           bool tombstone)
{
    Status st = OK;
    Load *load = arg;

    if (++load->turn % CANCEL_EVERY == 0 &&
        (atomic_load(&load->storage->halted) || atomic_load(&load->storage->load_abandoned) ||
         generation_bytes(load->joined.generation) > load->bytes_max))
        FAIL(ctx, E_OUT_OF_MEMORY, "loading into memory was given up");
    if (ts > load->ts ||
        (load->has_key && load->relation == relation && str_equal(strbuf_str(&load->key), key)))
        goto done;
    strbuf_clear(&load->key);
    strbuf_append_str(&load->key, key);
    load->relation = relation;
    load->has_key = true;
    if (!tombstone && !storage_is_dropped(load->storage, relation)) {
        GenerationWrite write = {.key = key, .row = row, .commit_ts = ts};

        generation_put(load->joined.generation, &load->joined.hint, relation, &write);
    }
done:
    return st;
}

/* The loaded generation becomes the oldest layer. */
static void add_loaded(Storage *storage, DeltaGeneration *generation, Timestamp ts)
{
    ViewState *dead = NULL;
    ViewState *evicted = NULL;

    generation_freeze(generation);
    mutex_lock(&storage->structure_mutex);
    bool added = !atomic_load(&storage->load_abandoned) && storage->layers_count < LAYERS_MAX;
    if (added) {
        storage->layers[storage->layers_count++] =
            (Layer){.generation = generation, .last_ts = ts, .frozen = true, .flushed = true};
        storage->complete = true;
        if (!storage_publish_locked(storage, &dead)) {
            storage->layers_count--;
            storage->complete = false;
            added = false;
        } else {
            storage_evict_locked(storage, &evicted);
        }
    }
    mutex_unlock(&storage->structure_mutex);
    if (!added)
        generation_unref(generation);
    storage_view_free(dead);
    storage_view_free(evicted);
}

Status storage_load(Ctx *ctx, Storage *storage)
{
    Status st = OK;
    Load load = {.storage = storage, .bytes_max = storage->delta_bytes_max * 3 / 4};

    load.joined.generation = generation_new();
    strbuf_init(&load.key);
    mutex_lock(&storage->structure_mutex);
    load.ts = storage->load_ts;
    mutex_unlock(&storage->structure_mutex);
    TRY(wos_walk(ctx, storage->wos, load_version, &load));
    add_loaded(storage, load.joined.generation, load.ts);
    load.joined.generation = NULL;
done:
    generation_unref(load.joined.generation);
    strbuf_free(&load.key);
    mutex_lock(&storage->structure_mutex);
    storage->loading = false;
    mutex_unlock(&storage->structure_mutex);
    return st;
}

void storage_merger_main(void *arg)
{
    Storage *storage = arg;
    Ctx ctx;

    thread_lower_priority();
    if (storage->loading) {
        ctx_init(&ctx);
        if (storage_load(&ctx, storage) != OK)
            error_clear(&ctx); /* tier 3 goes on answering */
        ctx_free(&ctx);
    }
    mutex_lock(&storage->structure_mutex);
    while (!storage->stopping) {
        if (storage->compact_wanted) {
            storage->compact_wanted = false;
            mutex_unlock(&storage->structure_mutex);
            wos_compact(storage->wos);
            mutex_lock(&storage->structure_mutex);
        } else if (!join_some_locked(storage) && !storage->stopping) {
            condition_wait(&storage->changed, &storage->structure_mutex);
        }
    }
    mutex_unlock(&storage->structure_mutex);
}
