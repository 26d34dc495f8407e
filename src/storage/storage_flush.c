// SPDX-License-Identifier: Apache-2.0
//
// The flusher thread: the oldest frozen layers, once they are installed and durable through their
// last commit, are merged into sorted files and ingested by tier 3; then the flushed position is
// written, synced, and the log before it is trimmed. A crash between the two is harmless: replaying
// what was flushed changes nothing, a version is named by key and commit_ts. The layers stay in
// memory as a cache until it is short.
#include "storage/storage_core.h"

#include "base/memory.h"
#include "os/clock.h"

#define RETRY_NS             INT64_C(1000000000)
#define RIPEN_NS             INT64_C(100000000)
#define COMPACT_VERSIONS_MIN 100000
#define LAYERS_COMFORTABLE   (LAYERS_MAX / 4 * 3)
#define LEVEL0_FILES_MAX     40
#define COMPACTION_BYTES_MAX ((uint64_t)64 << 30)

size_t storage_layers_bytes_locked(const Storage *storage)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < storage->layers_count; i++)
        bytes += generation_bytes(storage->layers[i].generation);
    return bytes;
}

void storage_evict_locked(Storage *storage, ViewState **dead)
{
    size_t bytes = storage_layers_bytes_locked(storage);
    uint32_t evicted = 0;

    *dead = NULL;
    while (storage->wos &&
           (bytes > storage->delta_bytes_max || storage->layers_count > LAYERS_COMFORTABLE)) {
        const Layer *oldest = &storage->layers[storage->layers_count - 1];

        if (!oldest->flushed || oldest->busy)
            break;
        bytes -= generation_bytes(oldest->generation);
        generation_unref(oldest->generation); /* the current view still has it */
        storage->layers_count--;
        evicted++;
    }
    if (evicted == 0)
        return;
    storage->complete = false;
    atomic_store(&storage->load_abandoned, true);
    /* Without a slot the old view stays, which is as right as the new one. */
    (void)storage_publish_locked(storage, dead);
}

static void evict(Storage *storage)
{
    ViewState *dead;

    mutex_lock(&storage->structure_mutex);
    storage_evict_locked(storage, &dead);
    mutex_unlock(&storage->structure_mutex);
    storage_view_free(dead);
}

/* --- one flush ----------------------------------------------------------------------------- */

typedef struct Flush {
    DeltaGeneration *generations[FLUSH_LAYERS_MAX]; /* newest first */
    uint32_t count;
    Timestamp last_ts;
    LogPosition replay_from;
    WosLoader *loader;
    uint64_t versions;
    uint64_t tombstones;
} Flush;

/* The oldest frozen layers that are not flushed. REQUIRES(structure_mutex). */
static void choose_locked(Storage *storage, Flush *flush)
{
    uint32_t end = storage->layers_count;
    uint32_t begin;

    *flush = (Flush){0};
    while (end > 0 && storage->layers[end - 1].flushed)
        end--;
    begin = end;
    while (begin > 0 && storage->layers[begin - 1].frozen && end - begin < FLUSH_LAYERS_MAX)
        begin--;
    for (uint32_t i = begin; i < end; i++) {
        flush->generations[flush->count++] = storage->layers[i].generation;
        storage->layers[i].busy = true;
    }
    if (flush->count) {
        flush->last_ts = storage->layers[begin].last_ts;
        flush->replay_from = storage->layers[begin].replay_from;
    }
}

static Status put_version(Ctx *ctx, void *arg, RelationId relation, const DeltaVersion *version)
{
    Flush *flush = arg;
    bool tombstone = delta_version_is_tombstone(version);

    flush->versions++;
    flush->tombstones += tombstone;
    return wos_loader_put(ctx, flush->loader, relation, delta_version_key(version),
                          version->commit_ts, delta_version_row(version), tombstone);
}

Status storage_set_flushed(Ctx *ctx, Storage *storage, LogPosition position, Timestamp ts)
{
    Status st = OK;
    uint64_t value[2] = {position, ts};
    WosMeta edit = {META_FLUSHED, {(const char *)value, sizeof value}, false};

    TRY(wos_meta_write(ctx, storage->wos, &edit, 1));
    mutex_lock(&storage->structure_mutex);
    storage->flushed_position = position;
    storage->flushed_ts = ts;
    mutex_unlock(&storage->structure_mutex);
    wal_trim(storage->wal, position);
done:
    return st;
}

static Status write_flush(Ctx *ctx, Storage *storage, Flush *flush)
{
    Status st = OK;
    MergeSpec spec = {
        .generations = flush->generations, .count = flush->count, .put = put_version, .arg = flush};

    TRY(wal_wait_durable(ctx, storage->wal, flush->last_ts)); /* STORAGE-4 */
    for (uint32_t i = 0; i < flush->count; i++)
        generation_freeze(flush->generations[i]);
    if (!storage->wos)
        goto done;
    spec.horizon = storage_horizon(storage);
    TRY(wos_loader_open(ctx, storage->wos, &flush->loader));
    TRY(storage_merge(ctx, storage, &spec));
    TRY(wos_loader_ingest(ctx, flush->loader));
    if (atomic_load(&storage->halted))
        FAIL(ctx, E_ADMIN_SHUTDOWN, "the database is being closed");
    TRY(storage_set_flushed(ctx, storage, flush->replay_from, flush->last_ts));
done:
    wos_loader_close(flush->loader);
    return st;
}

/* REQUIRES(structure_mutex). */
static void finish_locked(Storage *storage, const Flush *flush, Status st, const Ctx *ctx)
{
    for (uint32_t i = 0; i < storage->layers_count; i++) {
        Layer *layer = &storage->layers[i];

        if (!layer->frozen || layer->flushed || layer->last_ts > flush->last_ts)
            continue;
        layer->busy = false;
        layer->flushed = st == OK;
        if (st == OK)
            atomic_fetch_sub(&storage->unflushed_bytes, layer->frozen_bytes);
    }
    storage->flush_status = st;
    mem_free(storage->flush_message);
    storage->flush_message = st == OK ? NULL : mem_strdup(ctx->error.message);
    storage->retry_at_ns = st == OK ? 0 : clock_mono_ns() + RETRY_NS;
    if (st == OK) {
        storage->flushes_count++;
        storage->versions_flushed += flush->versions;
        storage->tombstones_flushed += flush->tombstones;
    }
    /* Enough deletions wait at the top of tier 3: only a full compaction lets them go. */
    if (storage->wos && storage->tombstones_flushed > COMPACT_VERSIONS_MIN &&
        storage->tombstones_flushed > storage->versions_flushed / 4) {
        storage->compact_wanted = true;
        storage->tombstones_flushed = 0;
        storage->versions_flushed = 0;
    }
    condition_broadcast(&storage->changed);
}

/* How far tier 3 has fallen behind: files at its top, bytes to be compacted. */
static void weigh_debt(Storage *storage)
{
    WosStats stats;

    if (!storage->wos)
        return;
    wos_stats(storage->wos, &stats);
    uint64_t files = stats.level0_files * 1000 / LEVEL0_FILES_MAX;
    uint64_t bytes = stats.compaction_bytes / (COMPACTION_BYTES_MAX / 1000);
    atomic_store(&storage->debt_permille, (uint32_t)MIN(MAX(files, bytes), (uint64_t)1000));
}

/* --- the thread ---------------------------------------------------------------------------- */

static void flush_now(Storage *storage, Flush *flush)
{
    Ctx ctx;

    ctx_init(&ctx);
    Status st = write_flush(&ctx, storage, flush);
    mutex_lock(&storage->structure_mutex);
    finish_locked(storage, flush, st, &ctx);
    mutex_unlock(&storage->structure_mutex);
    ctx_free(&ctx);
    weigh_debt(storage);
    evict(storage);
}

static void record_drops(Storage *storage)
{
    Ctx ctx;

    ctx_init(&ctx);
    if (storage_record_drops(&ctx, storage) != OK)
        error_clear(&ctx); /* tried again after the next change */
    ctx_free(&ctx);
}

/* Sleeps until something changed or is due. REQUIRES(structure_mutex). */
static void sleep_locked(Storage *storage)
{
    int64_t deadline = INT64_MAX;

    if (storage->retry_at_ns)
        deadline = storage->retry_at_ns;
    if (storage_has_unripe_drops(storage))
        deadline = MIN(deadline, clock_mono_ns() + RIPEN_NS);
    if (deadline == INT64_MAX)
        condition_wait(&storage->changed, &storage->structure_mutex);
    else
        condition_wait_until(&storage->changed, &storage->structure_mutex, deadline);
}

void storage_flusher_main(void *arg)
{
    Storage *storage = arg;
    Flush flush;

    mutex_lock(&storage->structure_mutex);
    while (!storage->stopping) {
        bool due = storage->retry_at_ns == 0 || clock_mono_ns() >= storage->retry_at_ns;

        flush.count = 0;
        if (due)
            choose_locked(storage, &flush);
        mutex_unlock(&storage->structure_mutex);
        bool drops = storage_ripen_drops(storage);
        if (drops)
            record_drops(storage);
        if (flush.count)
            flush_now(storage, &flush);
        mutex_lock(&storage->structure_mutex);
        if (flush.count == 0 && !storage->stopping && !storage->nudged)
            sleep_locked(storage);
        storage->nudged = false;
    }
    mutex_unlock(&storage->structure_mutex);
}

Status storage_await_flushed(Ctx *ctx, Storage *storage)
{
    Status st = OK;
    bool waits = true;

    mutex_lock(&storage->structure_mutex);
    storage->retry_at_ns = 0;
    storage->flush_status = OK;
    storage->nudged = true;
    condition_broadcast(&storage->changed);
    while (waits) {
        waits = false;
        for (uint32_t i = 0; i < storage->layers_count; i++)
            waits = waits || (storage->layers[i].frozen && !storage->layers[i].flushed);
        if (waits && storage->flush_status != OK)
            FAIL(ctx, storage->flush_status, "%s", storage->flush_message);
        if (waits)
            condition_wait(&storage->changed, &storage->structure_mutex);
    }
done:
    mutex_unlock(&storage->structure_mutex);
    return st;
}
