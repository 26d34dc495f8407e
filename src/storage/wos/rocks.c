// SPDX-License-Identifier: Apache-2.0
//
// The RocksDB adapter. Keys in `rows` are version keys (version_key.h), ordered by a comparator of
// our own; Bloom filters cover the key without its time. Debian's build keeps RocksDB's assertions:
// handles are destroyed before the database, options after it. Any thread.
#include "storage/wos/version_key.h"
#include "storage/wos/wos.h"

#include "base/array.h"
#include "base/memory.h"
#include "os/file.h"

#include <rocksdb/c.h>
#include <stdlib.h>

enum {
    FILE_BYTES = 64 << 20,
    SKIPS_BEFORE_SEEK = 8,
    LEVELS = 7,
    FILTER_BITS = 10,
};

enum { FAMILY_DEFAULT, FAMILY_ROWS, FAMILY_META, FAMILIES };

struct Wos {
    char *dir;
    WosOptions options;
    rocksdb_t *db;
    rocksdb_column_family_handle_t *families[FAMILIES];
    rocksdb_options_t *db_options;
    rocksdb_options_t *rows_options;
    rocksdb_options_t *writer_options;
    rocksdb_options_t *meta_options;
    rocksdb_comparator_t *comparator;
    rocksdb_cache_t *cache;
    rocksdb_readoptions_t *get_options;
    rocksdb_writeoptions_t *sync_options;
    _Atomic uint64_t files_made;
    _Atomic uint64_t filters_done; /* orders what compactions read before what wos_close frees */
};

/* --- errors and keys ----------------------------------------------------------------------- */

/* Takes the text that RocksDB allocated; OK when there is none. */
static Status check(Ctx *ctx, char *error)
{
    Status st = E_IO;

    if (!error)
        return OK;
    if (strstr(error, "Corruption"))
        st = E_DATA_CORRUPTED;
    else if (strstr(error, "No space left"))
        st = E_DISK_FULL;
    st = error_raise(ctx, st, "tier 3: %s", error);
    rocksdb_free(error);
    return st;
}

static int compare_keys(void *state, const char *a, size_t a_len, const char *b, size_t b_len)
{
    (void)state;
    return version_key_compare(str_make(a, a_len), str_make(b, b_len));
}

static const char *comparator_name(void *state)
{
    (void)state;
    return "dbaspot.versions.1";
}

static char *prefix_of(void *state, const char *key, size_t len, size_t *prefix_len)
{
    (void)state;
    *prefix_len = len - VERSION_SUFFIX_BYTES;
    return (char *)key;
}

static unsigned char prefix_in_domain(void *state, const char *key, size_t len)
{
    (void)state;
    (void)key;
    return len >= VERSION_RELATION_BYTES + VERSION_SUFFIX_BYTES;
}

static unsigned char prefix_in_range(void *state, const char *key, size_t len)
{
    (void)state;
    (void)key;
    (void)len;
    return 0;
}

static const char *prefix_name(void *state)
{
    (void)state;
    return "dbaspot.key.1";
}

static void nothing(void *state)
{
    (void)state;
}

/* --- what compactions drop ------------------------------------------------------------------- */

/* One compaction's memory: the version before, of the same key if `key` matches. */
typedef struct Filter {
    Wos *wos;
    Timestamp horizon;
    bool everything; /* the compaction sees every version there is */
    StrBuf key;
    bool has_key;
    Timestamp newer_ts;
} Filter;

static unsigned char filter_version(void *state, int level, const char *bytes, size_t len,
                                    const char *value, size_t value_len, char **new_value,
                                    size_t *new_value_len, unsigned char *changed)
{
    Filter *filter = state;
    const WosOptions *options = &filter->wos->options;
    VersionKey version;
    bool drop;

    (void)level, (void)value, (void)value_len, (void)new_value, (void)new_value_len;
    *changed = 0;
    if (!version_key_parse(bytes, len, &version))
        return 0;
    Str prefix = str_make(bytes, len - VERSION_SUFFIX_BYTES);
    bool same = filter->has_key && str_equal(strbuf_str(&filter->key), prefix);
    if (same)
        drop = filter->newer_ts <= filter->horizon;
    else
        drop = filter->everything && version.tombstone && version.ts <= filter->horizon;
    if (!drop && options->dropped)
        drop = options->dropped(options->dropped_arg, version.relation);
    if (!same) {
        strbuf_clear(&filter->key);
        strbuf_append_str(&filter->key, prefix);
        filter->has_key = true;
    }
    filter->newer_ts = version.ts;
    return drop;
}

static void filter_free(void *state)
{
    Filter *filter = state;

    strbuf_free(&filter->key);
    atomic_fetch_add_explicit(&filter->wos->filters_done, 1, memory_order_release);
    mem_free(filter);
}

static const char *filter_name(void *state)
{
    (void)state;
    return "dbaspot.collector";
}

static rocksdb_compactionfilter_t *filter_make(void *state,
                                               rocksdb_compactionfiltercontext_t *context)
{
    Wos *wos = state;
    Filter *filter = mem_alloc_zero(sizeof *filter);

    filter->wos = wos;
    if (wos->options.horizon)
        filter->horizon = wos->options.horizon(wos->options.horizon_arg);
    filter->everything = rocksdb_compactionfiltercontext_is_full_compaction(context);
    strbuf_init(&filter->key);
    return rocksdb_compactionfilter_create(filter, filter_free, filter_version, filter_name);
}

/* --- opening --------------------------------------------------------------------------------- */

static rocksdb_block_based_table_options_t *table_options(Wos *wos)
{
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

    rocksdb_block_based_options_set_block_size(table, 4096);
    rocksdb_block_based_options_set_format_version(table, 5);
    rocksdb_block_based_options_set_block_cache(table, wos->cache);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
    rocksdb_block_based_options_set_filter_policy(
        table, rocksdb_filterpolicy_create_bloom_full(FILTER_BITS));
    rocksdb_block_based_options_set_whole_key_filtering(table, 0);
    return table;
}

/* Options of files with row versions; `writer`: for the files that we write ourselves. */
static rocksdb_options_t *rows_options(Wos *wos, bool writer)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_block_based_table_options_t *table = table_options(wos);
    int levels[LEVELS];

    rocksdb_options_set_comparator(options, wos->comparator);
    rocksdb_options_set_prefix_extractor(
        options, rocksdb_slicetransform_create(NULL, nothing, prefix_of, prefix_in_domain,
                                               prefix_in_range, prefix_name));
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    rocksdb_options_set_compression(options, rocksdb_lz4_compression);
    if (writer)
        return options;
    for (int i = 0; i < LEVELS; i++)
        levels[i] = i == LEVELS - 1 ? rocksdb_zstd_compression : rocksdb_lz4_compression;
    rocksdb_options_set_num_levels(options, LEVELS);
    rocksdb_options_set_compression_per_level(options, levels, LEVELS);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1);
    rocksdb_options_set_write_buffer_size(options, 1 << 20);
    rocksdb_options_set_target_file_size_base(options, FILE_BYTES);
    rocksdb_options_set_max_bytes_for_level_base(options, (uint64_t)4 * FILE_BYTES);
    rocksdb_options_set_compaction_filter_factory(
        options, rocksdb_compactionfilterfactory_create(wos, nothing, filter_make, filter_name));
    return options;
}

static void make_options(Wos *wos)
{
    wos->comparator = rocksdb_comparator_create(NULL, nothing, compare_keys, comparator_name);
    wos->cache = rocksdb_cache_create_lru(wos->options.cache_bytes);
    wos->rows_options = rows_options(wos, false);
    wos->writer_options = rows_options(wos, true);
    wos->meta_options = rocksdb_options_create();
    rocksdb_options_set_write_buffer_size(wos->meta_options, 1 << 20);
    wos->db_options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(wos->db_options, 1);
    rocksdb_options_set_create_missing_column_families(wos->db_options, 1);
    rocksdb_options_set_max_open_files(wos->db_options, 512);
    rocksdb_options_set_max_background_jobs(wos->db_options, 2);
    rocksdb_options_set_write_buffer_size(wos->db_options, 1 << 16);
    rocksdb_options_set_max_total_wal_size(wos->db_options, 4 << 20);
    rocksdb_options_set_keep_log_file_num(wos->db_options, 2);
    rocksdb_options_set_info_log_level(wos->db_options, 2); /* warnings */
    rocksdb_options_set_stats_dump_period_sec(wos->db_options, 0);
    rocksdb_options_set_stats_persist_period_sec(wos->db_options, 0);
    wos->get_options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_prefix_same_as_start(wos->get_options, 1);
    wos->sync_options = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(wos->sync_options, 1);
}

/* Removes the files of loads that a crash interrupted. */
static Status sweep(Ctx *ctx, Wos *wos)
{
    Status st = OK;
    Scope *scope = scope_open(NULL, "sweep");
    char **names;
    uint32_t count;

    TRY(files_list(ctx, scope, files_os(), wos->dir, &names, &count));
    for (uint32_t i = 0; i < count; i++) {
        if (strncmp(names[i], "load-", 5) == 0)
            TRY(files_unlink(ctx, files_os(), scope_printf(scope, "%s/%s", wos->dir, names[i])));
    }
done:
    scope_close(scope);
    return st;
}

Status wos_open(Ctx *ctx, const WosOptions *options, Wos **out)
{
    static const char *const names[FAMILIES] = {"default", "rows", "meta"};
    Status st = OK;
    char *error = NULL;
    Wos *wos = mem_alloc_zero(sizeof *wos);

    wos->dir = mem_strdup(options->dir);
    wos->options = *options;
    wos->options.dir = wos->dir;
    make_options(wos);
    const rocksdb_options_t *family_options[FAMILIES] = {wos->meta_options, wos->rows_options,
                                                         wos->meta_options};
    wos->db = rocksdb_open_column_families(wos->db_options, wos->dir, FAMILIES, names,
                                           family_options, wos->families, &error);
    TRY(check(ctx, error));
    TRY(sweep(ctx, wos));
    *out = wos;
done:
    if (st != OK)
        wos_close(wos);
    return st;
}

void wos_close(Wos *wos)
{
    if (!wos)
        return;
    if (wos->db) {
        wos_halt(wos);
        rocksdb_cancel_all_background_work(wos->db, 1);
        for (int i = 0; i < FAMILIES; i++)
            rocksdb_column_family_handle_destroy(wos->families[i]);
        rocksdb_close(wos->db);
        (void)atomic_load_explicit(&wos->filters_done, memory_order_acquire);
    }
    rocksdb_writeoptions_destroy(wos->sync_options);
    rocksdb_readoptions_destroy(wos->get_options);
    rocksdb_options_destroy(wos->db_options);
    rocksdb_options_destroy(wos->meta_options);
    rocksdb_options_destroy(wos->writer_options);
    rocksdb_options_destroy(wos->rows_options);
    rocksdb_cache_destroy(wos->cache);
    rocksdb_comparator_destroy(wos->comparator);
    mem_free(wos->dir);
    mem_free(wos);
}

void wos_halt(Wos *wos)
{
    rocksdb_disable_manual_compaction(wos->db);
}

void wos_set_cache_bytes(Wos *wos, size_t bytes)
{
    rocksdb_cache_set_capacity(wos->cache, bytes);
}

/* --- reading one key ------------------------------------------------------------------------- */

/* The newest version at or below `ts`, in the iterator's memory. */
static Status find_version(Ctx *ctx, rocksdb_iterator_t *iter, StrBuf *seek, VersionKey *version,
                           bool *found)
{
    Status st = OK;
    char *error = NULL;
    size_t len;

    *found = false;
    rocksdb_iter_seek(iter, seek->ptr, seek->len);
    if (rocksdb_iter_valid(iter)) {
        const char *bytes = rocksdb_iter_key(iter, &len);

        *found = len == seek->len && memcmp(bytes, seek->ptr, len - VERSION_SUFFIX_BYTES) == 0 &&
                 version_key_parse(bytes, len, version);
    } else {
        rocksdb_iter_get_error(iter, &error);
        TRY(check(ctx, error));
    }
done:
    return st;
}

Status wos_get(Ctx *ctx, Scope *scope, Wos *wos, RelationId relation, Str key, Timestamp ts,
               WosVersion *version, bool *found)
{
    Status st = OK;
    StrBuf seek;
    VersionKey parsed;
    size_t len;
    rocksdb_iterator_t *iter =
        rocksdb_create_iterator_cf(wos->db, wos->get_options, wos->families[FAMILY_ROWS]);

    strbuf_init(&seek);
    version_key_make(&seek, relation, key, ts, 0);
    TRY(find_version(ctx, iter, &seek, &parsed, found));
    if (*found) {
        const char *value = rocksdb_iter_value(iter, &len);
        void *copy;

        TRY(scope_alloc_data(ctx, scope, len ? len : 1, &copy));
        if (len)
            memcpy(copy, value, len);
        *version = (WosVersion){parsed.ts, str_make(copy, len), parsed.tombstone};
    }
done:
    strbuf_free(&seek);
    rocksdb_iter_destroy(iter);
    return st;
}

Status wos_newest(Ctx *ctx, Wos *wos, RelationId relation, Str key, Timestamp *newest, bool *live)
{
    StrBuf seek;
    VersionKey parsed;
    bool found;
    rocksdb_iterator_t *iter =
        rocksdb_create_iterator_cf(wos->db, wos->get_options, wos->families[FAMILY_ROWS]);

    strbuf_init(&seek);
    version_key_make(&seek, relation, key, TIMESTAMP_MAX, 0);
    Status st = find_version(ctx, iter, &seek, &parsed, &found);
    *newest = st == OK && found ? parsed.ts : 0;
    *live = st == OK && found && !parsed.tombstone;
    strbuf_free(&seek);
    rocksdb_iter_destroy(iter);
    return st;
}

/* --- cursors --------------------------------------------------------------------------------- */

struct WosCursorState {
    Wos *wos;
    rocksdb_readoptions_t *options;
    rocksdb_iterator_t *iter;
    RelationId relation;
    Timestamp ts;
    bool descending;
    StrBuf low; /* bounds of the relation: RocksDB keeps pointers to them */
    StrBuf high;
    StrBuf seek;
    StrBuf key; /* the current entry's key; descending: its row too */
    StrBuf row;
};

Status wos_cursor_open(Ctx *ctx, Wos *wos, RelationId relation, Timestamp ts, bool descending,
                       WosCursor *out)
{
    struct WosCursorState *state = mem_alloc_zero(sizeof *state);

    (void)ctx;
    state->wos = wos;
    state->relation = relation;
    state->ts = ts;
    state->descending = descending;
    version_key_make(&state->low, relation, STR(""), TIMESTAMP_MAX, 0);
    version_key_make(&state->high, relation + 1, STR(""), TIMESTAMP_MAX, 0);
    state->options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_total_order_seek(state->options, 1);
    rocksdb_readoptions_set_iterate_lower_bound(state->options, state->low.ptr, state->low.len);
    rocksdb_readoptions_set_iterate_upper_bound(state->options, state->high.ptr, state->high.len);
    state->iter = rocksdb_create_iterator_cf(wos->db, state->options, wos->families[FAMILY_ROWS]);
    *out = (WosCursor){.state = state};
    return OK;
}

void wos_cursor_close(WosCursor *cursor)
{
    struct WosCursorState *state = cursor->state;

    if (!state)
        return;
    rocksdb_iter_destroy(state->iter);
    rocksdb_readoptions_destroy(state->options);
    strbuf_free(&state->low);
    strbuf_free(&state->high);
    strbuf_free(&state->seek);
    strbuf_free(&state->key);
    strbuf_free(&state->row);
    mem_free(state);
    *cursor = (WosCursor){0};
}

static bool current(struct WosCursorState *state, VersionKey *out)
{
    size_t len;

    while (rocksdb_iter_valid(state->iter)) {
        const char *bytes = rocksdb_iter_key(state->iter, &len);

        if (version_key_parse(bytes, len, out))
            return true;
        rocksdb_iter_next(state->iter);
    }
    return false;
}

static Status at_end(Ctx *ctx, WosCursor *cursor)
{
    char *error = NULL;

    cursor->valid = false;
    rocksdb_iter_get_error(cursor->state->iter, &error);
    return check(ctx, error);
}

static void keep_key(struct WosCursorState *state, Str key)
{
    strbuf_clear(&state->key);
    strbuf_append_str(&state->key, key);
}

/* Past the versions of state->key: a few steps, then a seek. */
static void skip_key(struct WosCursorState *state)
{
    VersionKey version;

    for (int steps = 0; current(state, &version); steps++) {
        if (!str_equal(version.key, strbuf_str(&state->key)))
            return;
        if (steps < SKIPS_BEFORE_SEEK) {
            rocksdb_iter_next(state->iter);
        } else {
            version_key_make(&state->seek, state->relation, strbuf_str(&state->key), 0, (char)0xff);
            rocksdb_iter_seek(state->iter, state->seek.ptr, state->seek.len);
        }
    }
}

/* The iterator stands on the newest version of a key: to the first key with a row at `ts`. */
static Status settle_ascending(Ctx *ctx, WosCursor *cursor)
{
    struct WosCursorState *state = cursor->state;
    VersionKey version;
    size_t len;

    while (current(state, &version)) {
        if (version.ts > state->ts) {
            keep_key(state, version.key);
            version_key_make(&state->seek, state->relation, strbuf_str(&state->key), state->ts, 0);
            rocksdb_iter_next(state->iter);
            if (current(state, &version) && version.ts > state->ts &&
                str_equal(version.key, strbuf_str(&state->key)))
                rocksdb_iter_seek(state->iter, state->seek.ptr, state->seek.len);
            continue;
        }
        keep_key(state, version.key);
        if (!version.tombstone) {
            const char *row = rocksdb_iter_value(state->iter, &len);

            cursor->key = strbuf_str(&state->key);
            cursor->row = str_make(row, len);
            cursor->commit_ts = version.ts;
            cursor->valid = true;
            return OK;
        }
        skip_key(state);
    }
    return at_end(ctx, cursor);
}

/* The iterator stands on the oldest version of a key, or before: to the last key with a row. It is
   left on the newest version of the key before. */
static Status settle_descending(Ctx *ctx, WosCursor *cursor)
{
    struct WosCursorState *state = cursor->state;
    VersionKey version;
    size_t len;

    while (current(state, &version)) {
        bool found = false;
        bool tombstone = false;

        keep_key(state, version.key);
        do {
            if (version.ts <= state->ts) {
                const char *row = rocksdb_iter_value(state->iter, &len);

                found = true;
                tombstone = version.tombstone;
                cursor->commit_ts = version.ts;
                strbuf_clear(&state->row);
                strbuf_append(&state->row, row, len);
            }
            rocksdb_iter_prev(state->iter);
        } while (current(state, &version) && str_equal(version.key, strbuf_str(&state->key)));
        if (found && !tombstone) {
            cursor->key = strbuf_str(&state->key);
            cursor->row = strbuf_str(&state->row);
            cursor->valid = true;
            return OK;
        }
    }
    return at_end(ctx, cursor);
}

Status wos_cursor_seek(Ctx *ctx, WosCursor *cursor, Str key, bool has_key)
{
    struct WosCursorState *state = cursor->state;

    if (!state->descending) {
        version_key_make(&state->seek, state->relation, key, TIMESTAMP_MAX, 0);
        rocksdb_iter_seek(state->iter, state->seek.ptr, state->seek.len);
        return settle_ascending(ctx, cursor);
    }
    if (has_key) {
        version_key_make(&state->seek, state->relation, key, TIMESTAMP_MAX, 0);
        rocksdb_iter_seek_for_prev(state->iter, state->seek.ptr, state->seek.len);
    } else {
        rocksdb_iter_seek_to_last(state->iter);
    }
    return settle_descending(ctx, cursor);
}

Status wos_cursor_next(Ctx *ctx, WosCursor *cursor)
{
    ASSERT(cursor->valid);
    if (cursor->state->descending)
        return settle_descending(ctx, cursor);
    skip_key(cursor->state);
    return settle_ascending(ctx, cursor);
}

/* --- filling ------------------------------------------------------------------------------- */

struct WosLoader {
    Wos *wos;
    Scope *scope;
    rocksdb_envoptions_t *env_options;
    rocksdb_sstfilewriter_t *writer; /* of the last file, NULL between files */
    ARRAY(char *) paths;
    uint64_t file_bytes;
    bool ingested;
    StrBuf key;
    StrBuf last; /* relation and key last put: versions of one key stay in one file */
};

Status wos_loader_open(Ctx *ctx, Wos *wos, WosLoader **out)
{
    Scope *scope = scope_open(NULL, "loader");
    WosLoader *loader = scope_new(scope, WosLoader);

    (void)ctx;
    loader->wos = wos;
    loader->scope = scope;
    loader->env_options = rocksdb_envoptions_create();
    strbuf_init_in(&loader->key, scope);
    strbuf_init_in(&loader->last, scope);
    *out = loader;
    return OK;
}

static Status finish_file(Ctx *ctx, WosLoader *loader)
{
    char *error = NULL;

    if (!loader->writer)
        return OK;
    rocksdb_sstfilewriter_finish(loader->writer, &error);
    rocksdb_sstfilewriter_destroy(loader->writer);
    loader->writer = NULL;
    return check(ctx, error);
}

static Status begin_file(Ctx *ctx, WosLoader *loader)
{
    Wos *wos = loader->wos;
    char *error = NULL;
    char *path = scope_printf(loader->scope, "%s/load-%llu.sst", wos->dir,
                              (unsigned long long)atomic_fetch_add(&wos->files_made, 1));

    loader->writer = rocksdb_sstfilewriter_create(loader->env_options, wos->writer_options);
    array_push(loader->scope, &loader->paths, path);
    loader->file_bytes = 0;
    rocksdb_sstfilewriter_open(loader->writer, path, &error);
    return check(ctx, error);
}

Status wos_loader_put(Ctx *ctx, WosLoader *loader, RelationId relation, Str key, Timestamp ts,
                      Str row, bool tombstone)
{
    Status st = OK;
    char *error = NULL;

    version_key_make(&loader->key, relation, key, ts, !tombstone);
    Str prefix = str_make(loader->key.ptr, loader->key.len - VERSION_SUFFIX_BYTES);
    bool same = str_equal(prefix, strbuf_str(&loader->last));
    if (loader->writer && loader->file_bytes >= FILE_BYTES && !same)
        TRY(finish_file(ctx, loader));
    if (!loader->writer)
        TRY(begin_file(ctx, loader));
    rocksdb_sstfilewriter_put(loader->writer, loader->key.ptr, loader->key.len, row.ptr, row.len,
                              &error);
    TRY(check(ctx, error));
    loader->file_bytes += loader->key.len + row.len;
    if (!same) {
        strbuf_clear(&loader->last);
        strbuf_append(&loader->last, loader->key.ptr, loader->key.len - VERSION_SUFFIX_BYTES);
    }
done:
    return st;
}

Status wos_loader_ingest(Ctx *ctx, WosLoader *loader)
{
    Status st = OK;
    Wos *wos = loader->wos;
    char *error = NULL;
    rocksdb_ingestexternalfileoptions_t *options = rocksdb_ingestexternalfileoptions_create();

    TRY(finish_file(ctx, loader));
    rocksdb_ingestexternalfileoptions_set_move_files(options, 1);
    rocksdb_ingestexternalfileoptions_set_snapshot_consistency(options, 0);
    if (loader->paths.count) {
        rocksdb_ingest_external_file_cf(wos->db, wos->families[FAMILY_ROWS],
                                        (const char *const *)loader->paths.data,
                                        loader->paths.count, options, &error);
        TRY(check(ctx, error));
    }
    loader->ingested = true;
done:
    rocksdb_ingestexternalfileoptions_destroy(options);
    return st;
}

static void remove_quietly(const char *path)
{
    Ctx ctx;

    ctx_init(&ctx);
    if (files_unlink(&ctx, files_os(), path) != OK)
        error_clear(&ctx); /* swept at the next opening */
    ctx_free(&ctx);
}

void wos_loader_close(WosLoader *loader)
{
    if (!loader)
        return;
    if (loader->writer)
        rocksdb_sstfilewriter_destroy(loader->writer);
    for (uint32_t i = 0; i < loader->paths.count && !loader->ingested; i++)
        remove_quietly(loader->paths.data[i]);
    rocksdb_envoptions_destroy(loader->env_options);
    scope_close(loader->scope);
}

Status wos_walk(Ctx *ctx, Wos *wos, WosEach each, void *arg)
{
    Status st = OK;
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    rocksdb_iterator_t *iter;
    char *error = NULL;

    rocksdb_readoptions_set_total_order_seek(options, 1);
    rocksdb_readoptions_set_fill_cache(options, 0);
    rocksdb_readoptions_set_readahead_size(options, 2 << 20);
    iter = rocksdb_create_iterator_cf(wos->db, options, wos->families[FAMILY_ROWS]);
    for (rocksdb_iter_seek_to_first(iter); rocksdb_iter_valid(iter); rocksdb_iter_next(iter)) {
        size_t key_len;
        size_t row_len;
        const char *key = rocksdb_iter_key(iter, &key_len);
        const char *row = rocksdb_iter_value(iter, &row_len);
        VersionKey version;

        if (version_key_parse(key, key_len, &version))
            TRY(each(ctx, arg, version.relation, version.key, version.ts, str_make(row, row_len),
                     version.tombstone));
    }
    rocksdb_iter_get_error(iter, &error);
    TRY(check(ctx, error));
done:
    rocksdb_iter_destroy(iter);
    rocksdb_readoptions_destroy(options);
    return st;
}

Status wos_delete_relation(Ctx *ctx, Wos *wos, RelationId relation)
{
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    StrBuf low;
    StrBuf high;
    char *error = NULL;

    strbuf_init(&low);
    strbuf_init(&high);
    version_key_make(&low, relation, STR(""), TIMESTAMP_MAX, 0);
    version_key_make(&high, relation + 1, STR(""), TIMESTAMP_MAX, 0);
    rocksdb_writebatch_delete_range_cf(batch, wos->families[FAMILY_ROWS], low.ptr, low.len,
                                       high.ptr, high.len);
    rocksdb_write(wos->db, wos->sync_options, batch, &error);
    rocksdb_writebatch_destroy(batch);
    strbuf_free(&low);
    strbuf_free(&high);
    return check(ctx, error);
}

void wos_compact(Wos *wos)
{
    rocksdb_compactoptions_t *options = rocksdb_compactoptions_create();

    rocksdb_compactoptions_set_bottommost_level_compaction(options, 1 /* if there is a filter */);
    rocksdb_compact_range_cf_opt(wos->db, wos->families[FAMILY_ROWS], options, NULL, 0, NULL, 0);
    rocksdb_compactoptions_destroy(options);
}

/* --- meta ---------------------------------------------------------------------------------- */

Status wos_meta_write(Ctx *ctx, Wos *wos, const WosMeta *edits, uint32_t count)
{
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    rocksdb_column_family_handle_t *meta = wos->families[FAMILY_META];
    char *error = NULL;

    for (uint32_t i = 0; i < count; i++) {
        const WosMeta *edit = &edits[i];

        if (edit->remove)
            rocksdb_writebatch_delete_cf(batch, meta, edit->key.ptr, edit->key.len);
        else
            rocksdb_writebatch_put_cf(batch, meta, edit->key.ptr, edit->key.len, edit->value.ptr,
                                      edit->value.len);
    }
    rocksdb_write(wos->db, wos->sync_options, batch, &error);
    rocksdb_writebatch_destroy(batch);
    return check(ctx, error);
}

Status wos_meta_get(Ctx *ctx, Scope *scope, Wos *wos, Str key, Str *value, bool *found)
{
    Status st = OK;
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    char *error = NULL;
    size_t len = 0;
    char *bytes = rocksdb_get_cf(wos->db, options, wos->families[FAMILY_META], key.ptr, key.len,
                                 &len, &error);

    rocksdb_readoptions_destroy(options);
    *found = bytes != NULL;
    *value = bytes ? str_copy(scope, str_make(bytes, len)) : str_make(NULL, 0);
    rocksdb_free(bytes);
    TRY(check(ctx, error));
done:
    return st;
}

Status wos_meta_list(Ctx *ctx, Scope *scope, Wos *wos, Str prefix, Str **keys, uint32_t *count)
{
    Status st = OK;
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    rocksdb_iterator_t *iter =
        rocksdb_create_iterator_cf(wos->db, options, wos->families[FAMILY_META]);
    ARRAY(Str) list = {0};
    char *error = NULL;

    for (rocksdb_iter_seek(iter, prefix.ptr, prefix.len); rocksdb_iter_valid(iter);
         rocksdb_iter_next(iter)) {
        size_t len;
        const char *key = rocksdb_iter_key(iter, &len);

        if (len < prefix.len || memcmp(key, prefix.ptr, prefix.len) != 0)
            break;
        array_push(scope, &list, str_copy(scope, str_make(key, len)));
    }
    rocksdb_iter_get_error(iter, &error);
    TRY(check(ctx, error));
    *keys = list.data;
    *count = list.count;
done:
    rocksdb_iter_destroy(iter);
    rocksdb_readoptions_destroy(options);
    return st;
}

/* --- figures ------------------------------------------------------------------------------- */

static uint64_t property(Wos *wos, const char *name)
{
    uint64_t value = 0;

    rocksdb_property_int_cf(wos->db, wos->families[FAMILY_ROWS], name, &value);
    return value;
}

/* "# entries=17; raw key size=…": the number after `name`. */
static uint64_t number_after(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

void wos_stats(Wos *wos, WosStats *out)
{
    char *text = rocksdb_property_value_cf(wos->db, wos->families[FAMILY_ROWS],
                                           "rocksdb.aggregated-table-properties");

    *out = (WosStats){
        .files_bytes = property(wos, "rocksdb.live-sst-files-size"),
        .level0_files = 0,
        .compaction_bytes = property(wos, "rocksdb.estimate-pending-compaction-bytes"),
    };
    if (text) {
        out->entries = number_after(text, "# entries=");
        out->raw_bytes =
            number_after(text, "raw key size=") + number_after(text, "raw value size=");
        rocksdb_free(text);
    }
    text = rocksdb_property_value_cf(wos->db, wos->families[FAMILY_ROWS],
                                     "rocksdb.num-files-at-level0");
    if (text) {
        out->level0_files = strtoull(text, NULL, 10);
        rocksdb_free(text);
    }
}

void wos_relation_size(Wos *wos, RelationId relation, uint64_t *rows, uint64_t *bytes)
{
    StrBuf low;
    StrBuf high;
    WosStats stats;
    uint64_t size = 0;
    char *error = NULL;

    strbuf_init(&low);
    strbuf_init(&high);
    version_key_make(&low, relation, STR(""), TIMESTAMP_MAX, 0);
    version_key_make(&high, relation + 1, STR(""), TIMESTAMP_MAX, 0);
    const char *starts[1] = {low.ptr};
    const char *limits[1] = {high.ptr};
    rocksdb_approximate_sizes_cf(wos->db, wos->families[FAMILY_ROWS], 1, starts, &low.len, limits,
                                 &high.len, &size, &error);
    wos_stats(wos, &stats);
    if (error) {
        rocksdb_free(error);
        size = 0;
    }
    double share = stats.files_bytes ? (double)size / (double)stats.files_bytes : 0;
    *rows = (uint64_t)(share * (double)stats.entries);
    *bytes = (uint64_t)(share * (double)stats.raw_bytes);
    strbuf_free(&low);
    strbuf_free(&high);
}

static int compare_str(const void *a, const void *b)
{
    return str_compare(*(const Str *)a, *(const Str *)b);
}

Status wos_split(Ctx *ctx, Scope *scope, Wos *wos, RelationId relation, Str low, Str high,
                 bool has_high, uint32_t parts_max, Str *bounds, uint32_t *bounds_count)
{
    const rocksdb_livefiles_t *files = rocksdb_livefiles(wos->db);
    ARRAY(Str) keys = {0};
    uint32_t kept = 0;

    (void)ctx;
    for (int i = 0; i < rocksdb_livefiles_count(files); i++) {
        VersionKey first;
        size_t len;
        const char *bytes = rocksdb_livefiles_smallestkey(files, i, &len);

        if (strcmp(rocksdb_livefiles_column_family_name(files, i), "rows") == 0 &&
            version_key_parse(bytes, len, &first) && first.relation == relation &&
            str_compare(first.key, low) > 0 && (!has_high || str_compare(first.key, high) < 0))
            array_push(scope, &keys, str_copy(scope, first.key));
    }
    rocksdb_livefiles_destroy(files);
    if (keys.count)
        qsort(keys.data, keys.count, sizeof *keys.data, compare_str);
    for (uint32_t part = 1; part < parts_max && keys.count; part++) {
        Str key = keys.data[(uint64_t)keys.count * part / parts_max];

        if (kept == 0 || str_compare(bounds[kept - 1], key) < 0)
            bounds[kept++] = key;
    }
    *bounds_count = kept;
    return OK;
}
