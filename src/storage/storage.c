// SPDX-License-Identifier: Apache-2.0
//
// The door of storage: opening and closing, what is newest of a key, figures. The other files
// storage_*.c have the commit, the view, flushing, merging, recovery and drops. On disk a data
// directory has log/ (the write-ahead log), wos/ (tier 3) and a lock file. Any thread.
#include "storage/storage_core.h"

#include "base/memory.h"
#include "os/sysinfo.h"

#define MEMORY_LIMIT_MIN       ((size_t)8 << 20)
#define LOAD_AT_OPEN_BYTES     ((size_t)16 << 20)
#define VERSION_OVERHEAD_BYTES 40

/* --- opening ------------------------------------------------------------------------------- */

static void set_options(Storage *storage, const StorageOptions *options)
{
    StorageOptions *set = &storage->options;

    *set = *options;
    if (set->memory_limit == 0)
        set->memory_limit = (size_t)(sysinfo_memory_bytes() / 4);
    set->memory_limit = MAX(set->memory_limit, MEMORY_LIMIT_MIN);
    if (set->generation_bytes == 0)
        set->generation_bytes = GENERATION_BYTES_DEFAULT;
    if (set->segment_bytes == 0)
        set->segment_bytes = SEGMENT_BYTES_DEFAULT;
    storage->delta_bytes_max = set->memory_limit / 4 * 3;
    set->generation_bytes = MIN(set->generation_bytes, storage->delta_bytes_max / 8);
    storage->unflushed_bytes_max = MAX(MIN(8 * set->generation_bytes, storage->delta_bytes_max / 2),
                                       2 * set->generation_bytes);
    if (options->dir && strcmp(options->dir, ":memory:") != 0)
        storage->dir = mem_strdup(options->dir);
    else
        storage->unflushed_bytes_max = SIZE_MAX;
    set->dir = storage->dir;
}

static Storage *make(const StorageOptions *options, Files *log_files)
{
    Storage *storage = mem_try_alloc_aligned(64, sizeof *storage);

    ASSERT(storage != NULL && "out of memory");
    memset(storage, 0, sizeof *storage);
    set_options(storage, options);
    storage->log_files = log_files;
    mutex_init(&storage->commit_mutex);
    mutex_init(&storage->structure_mutex);
    condition_init(&storage->changed);
    rwlock_init(&storage->dropped_lock);
    storage_views_init(storage);
    storage->layers[0].generation = generation_new();
    storage->layers_count = 1;
    storage->active = storage->layers[0].generation;
    return storage;
}

static Status lock_dir(Ctx *ctx, Storage *storage)
{
    Status st = OK;
    Files *files = files_os();
    char *path = mem_printf("%s/dbaspot.lock", storage->dir);
    char *parent = mem_printf("%s/..", storage->dir);
    char *log = mem_printf("%s/log", storage->dir);
    bool locked;

    TRY(files_make_dir(ctx, files, storage->dir));
    TRY(files_sync_dir(ctx, files, parent));
    TRY(file_open(ctx, files, path, FILE_WRITE | FILE_CREATE, &storage->lock_file));
    TRY(file_lock(ctx, storage->lock_file, &locked));
    if (!locked)
        FAIL(ctx, E_LOCK_FILE_EXISTS, "data directory \"%s\" is already in use by another process",
             storage->dir);
    TRY(files_make_dir(ctx, storage->log_files, storage->dir));
    TRY(files_make_dir(ctx, storage->log_files, log));
    TRY(files_sync_dir(ctx, storage->log_files, storage->dir));
done:
    mem_free(path);
    mem_free(parent);
    mem_free(log);
    return st;
}

static Timestamp collector_horizon(void *arg)
{
    return storage_horizon(arg);
}

static bool collector_dropped(void *arg, RelationId relation)
{
    return storage_is_dropped(arg, relation);
}

/* A directory of another format is left alone; a new one is marked. */
static Status check_format(Ctx *ctx, Scope *scope, Storage *storage)
{
    Status st = OK;
    uint32_t version = FORMAT_VERSION;
    WosMeta mark = {META_FORMAT, {(const char *)&version, sizeof version}, false};
    Str bytes;
    bool found;

    TRY(wos_meta_get(ctx, scope, storage->wos, META_FORMAT, &bytes, &found));
    if (found && bytes.len == sizeof version)
        memcpy(&version, bytes.ptr, sizeof version);
    if (version != FORMAT_VERSION || (found && bytes.len != sizeof version))
        FAIL(ctx, E_FEATURE_NOT_SUPPORTED,
             "data directory \"%s\" has format %u, this program knows %u", storage->dir, version,
             FORMAT_VERSION);
    if (!found)
        TRY(wos_meta_write(ctx, storage->wos, &mark, 1));
done:
    return st;
}

static Status open_wos(Ctx *ctx, Storage *storage)
{
    Status st = OK;
    Scope *scope = scope_open(NULL, "open");
    char *dir = scope_printf(scope, "%s/wos", storage->dir);
    WosOptions options = {
        .dir = dir,
        .cache_bytes = storage->options.memory_limit / 4,
        .horizon = collector_horizon,
        .horizon_arg = storage,
        .dropped = collector_dropped,
        .dropped_arg = storage,
    };
    uint64_t value[2];
    Str bytes;
    bool found;

    TRY(wos_open(ctx, &options, &storage->wos));
    TRY(check_format(ctx, scope, storage));
    TRY(wos_meta_get(ctx, scope, storage->wos, META_FLUSHED, &bytes, &found));
    if (found && bytes.len != sizeof value)
        FAIL(ctx, E_DATA_CORRUPTED, "the flushed position has %zu bytes, not %zu", bytes.len,
             sizeof value);
    if (found) {
        memcpy(value, bytes.ptr, sizeof value);
        storage->flushed_position = value[0];
        storage->flushed_ts = value[1];
    }
    TRY(storage_read_drops(ctx, storage));
done:
    scope_close(scope);
    return st;
}

/* Decides whether memory can hold everything that tier 3 has; little is loaded at once. */
static Status plan_load(Ctx *ctx, Storage *storage)
{
    Status st = OK;
    WosStats stats;

    storage->complete = true;
    if (!storage->wos)
        goto done;
    wos_stats(storage->wos, &stats);
    if (stats.entries == 0)
        goto done;
    uint64_t bytes = stats.raw_bytes + stats.entries * VERSION_OVERHEAD_BYTES;
    storage->complete = false;
    storage->load_ts = storage->flushed_ts;
    storage->loading = bytes <= storage->options.memory_limit / 2;
    if (storage->loading && bytes <= LOAD_AT_OPEN_BYTES)
        TRY(storage_load(ctx, storage));
done:
    return st;
}

static Status start(Ctx *ctx, Storage *storage)
{
    Status st = OK;
    ViewState *dead;

    mutex_lock(&storage->structure_mutex);
    bool published = storage_publish_locked(storage, &dead);
    mutex_unlock(&storage->structure_mutex);
    ASSERT(published);
    TRY(plan_load(ctx, storage));
    mutex_lock(&storage->structure_mutex);
    published = storage_publish_locked(storage, &dead);
    mutex_unlock(&storage->structure_mutex);
    ASSERT(published);
    storage_view_free(dead);
    atomic_store(&storage->open, true);
    TRY(thread_start(ctx, &storage->flusher, "flush", storage_flusher_main, storage));
    TRY(thread_start(ctx, &storage->merger, "merge", storage_merger_main, storage));
done:
    return st;
}

static void stop_threads(Storage *storage)
{
    mutex_lock(&storage->structure_mutex);
    storage->stopping = true;
    condition_broadcast(&storage->changed);
    mutex_unlock(&storage->structure_mutex);
    atomic_store(&storage->halted, true);
    if (storage->wos)
        wos_halt(storage->wos);
    thread_join(&storage->flusher);
    thread_join(&storage->merger);
}

/* Before the log goes: compactions ask for the horizon, which asks the log. */
static void close_wos(Storage *storage)
{
    wos_close(storage->wos);
    storage->wos = NULL;
}

static void destroy(Storage *storage)
{
    storage_views_close(storage);
    for (uint32_t i = 0; i < storage->layers_count; i++)
        generation_unref(storage->layers[i].generation);
    file_close(storage->lock_file);
    mutex_free(&storage->commit_mutex);
    mutex_free(&storage->structure_mutex);
    condition_free(&storage->changed);
    rwlock_free(&storage->dropped_lock);
    mem_free(storage->dropped);
    mem_free(storage->flush_message);
    mem_free(storage->dir);
    mem_free(storage);
}

Status storage_open_on(Ctx *ctx, const StorageOptions *options, Files *log_files, Storage **out)
{
    Status st = OK;
    Storage *storage = make(options, log_files);

    if (storage->dir) {
        TRY(lock_dir(ctx, storage));
        TRY(open_wos(ctx, storage));
    }
    TRY(storage_recover(ctx, storage));
    TRY(start(ctx, storage));
    *out = storage;
done:
    if (st != OK) {
        stop_threads(storage);
        close_wos(storage);
        if (storage->wal)
            wal_abandon(storage->wal);
        destroy(storage);
    }
    return st;
}

Status storage_open(Ctx *ctx, const StorageOptions *options, Storage **out)
{
    return storage_open_on(ctx, options, files_os(), out);
}

/* --- closing ------------------------------------------------------------------------------- */

Status storage_checkpoint(Ctx *ctx, Storage *storage)
{
    Status st = OK;

    mutex_lock(&storage->commit_mutex);
    storage_freeze_locked(storage);
    mutex_unlock(&storage->commit_mutex);
    TRY(storage_await_flushed(ctx, storage));
done:
    return st;
}

/* Everything goes to tier 3, so that the next opening has nothing to replay. */
static Status settle(Ctx *ctx, Storage *storage)
{
    Status st = OK;

    TRY(wal_check(ctx, storage->wal));
    TRY(storage_checkpoint(ctx, storage));
    TRY(storage_set_flushed(ctx, storage, wal_durable_position(storage->wal), storage->last_ts));
done:
    return st;
}

void storage_close(Storage *storage)
{
    Ctx ctx;

    if (!storage)
        return;
    ctx_init(&ctx);
    if (storage->wos && settle(&ctx, storage) != OK)
        error_clear(&ctx); /* the log keeps what could not be flushed */
    ctx_free(&ctx);
    stop_threads(storage);
    close_wos(storage);
    wal_close(storage->wal);
    destroy(storage);
}

void storage_crash(Storage *storage)
{
    stop_threads(storage);
    close_wos(storage);
    wal_abandon(storage->wal);
    destroy(storage);
}

/* --- through to the log -------------------------------------------------------------------- */

Timestamp storage_installed_ts(const Storage *storage)
{
    return wal_installed_ts(storage->wal);
}

Timestamp storage_durable_ts(const Storage *storage)
{
    return wal_durable_ts(storage->wal);
}

bool storage_on_durable(Storage *storage, DurableWaiter *waiter)
{
    return wal_on_durable(storage->wal, waiter);
}

Status storage_wait_durable(Ctx *ctx, Storage *storage, Timestamp ts)
{
    return wal_wait_durable(ctx, storage->wal, ts);
}

void storage_lead_flush(Storage *storage)
{
    wal_lead_flush(storage->wal);
}

Timestamp storage_horizon(Storage *storage)
{
    if (!atomic_load(&storage->open) || !storage->options.horizon)
        return 0;
    /* Read first: a snapshot that is opened from here on is at or above it. */
    Timestamp durable_ts = wal_durable_ts(storage->wal);
    Timestamp oldest = storage->options.horizon(storage->options.horizon_arg);
    return MIN(durable_ts, oldest);
}

/* --- questions ----------------------------------------------------------------------------- */

Status storage_newest(Ctx *ctx, Storage *storage, RelationId relation, Str key, Timestamp *newest,
                      bool *live)
{
    Status st = OK;
    StorageView *view = storage_view_pin(storage);

    *newest = 0;
    *live = false;
    for (uint32_t i = 0; i < view->generations_count; i++) {
        const DeltaVersion *version =
            generation_get(view->generations[i], relation, key, TIMESTAMP_MAX);

        if (version) {
            *newest = version->commit_ts;
            *live = !delta_version_is_tombstone(version);
            goto done;
        }
    }
    if (!view->complete)
        TRY(wos_newest(ctx, view->wos, relation, key, newest, live));
done:
    storage_view_unpin(view);
    return st;
}

void storage_stats(const Storage *storage, StorageStats *out)
{
    Storage *open = (Storage *)storage;
    WosStats wos = {0};

    if (open->wos)
        wos_stats(open->wos, &wos);
    *out = (StorageStats){
        .wos_bytes = wos.files_bytes,
        .log_bytes = wal_bytes(open->wal),
        .commits_count = atomic_load_explicit(&open->commits_count, memory_order_relaxed),
        .fsyncs_count = wal_syncs(open->wal),
    };
    mutex_lock(&open->structure_mutex);
    out->generations_count = open->layers_count;
    out->delta_bytes = storage_layers_bytes_locked(open);
    out->flushes_count = open->flushes_count;
    mutex_unlock(&open->structure_mutex);
}

void storage_relation_size(Storage *storage, RelationId relation, uint64_t *rows, uint64_t *bytes)
{
    StorageView *view = storage_view_pin(storage);
    uint64_t stored_rows = 0;
    uint64_t stored_bytes = 0;

    *rows = 0;
    *bytes = 0;
    for (uint32_t i = 0; i < view->generations_count; i++) {
        *rows += generation_relation_rows(view->generations[i], relation);
        *bytes += generation_relation_bytes(view->generations[i], relation);
    }
    if (!view->complete)
        wos_relation_size(view->wos, relation, &stored_rows, &stored_bytes);
    /* Flushed generations are in tier 3 too: the larger of the two is the better guess. */
    *rows = MAX(*rows, stored_rows);
    *bytes = MAX(*bytes, stored_bytes);
    storage_view_unpin(view);
}
