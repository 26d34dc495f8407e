// SPDX-License-Identifier: Apache-2.0
//
// Tier 3, the write-optimised store: row versions in RocksDB, sorted by relation, key and time,
// newest first. Rows arrive only as sorted files that are ingested; `meta` is written in synced
// batches. No RocksDB snapshot is needed: what arrives later is newer than any open read_ts, what
// goes is superseded at or below the horizon. The adapter (rocks.c) is the only file that includes
// RocksDB's headers. Thread-safe; a cursor and a loader belong to one thread at a time.
#ifndef DBASPOT_STORAGE_WOS_WOS_H
#define DBASPOT_STORAGE_WOS_WOS_H

#include "storage/relation.h"

typedef struct Wos Wos;

typedef struct WosOptions {
    const char *dir; /* created if missing */
    size_t cache_bytes;
    /* Versions superseded at or below this may be dropped by compactions; NULL: nothing goes. */
    Timestamp (*horizon)(void *arg);
    void *horizon_arg;
    /* True if the relation was dropped for good: compactions drop its rows. May be NULL. */
    bool (*dropped)(void *arg, RelationId relation);
    void *dropped_arg;
} WosOptions;

Status wos_open(Ctx *ctx, const WosOptions *options, Wos **out);
/* Every cursor must be closed. NULL allowed. */
void wos_close(Wos *wos);
/* Stops compactions, for good: what wos_close would wait for. */
void wos_halt(Wos *wos);
void wos_set_cache_bytes(Wos *wos, size_t bytes);

/* One version of a key. A tombstone has no row. */
typedef struct WosVersion {
    Timestamp commit_ts;
    Str row; /* in the caller's scope */
    bool tombstone;
} WosVersion;

/* The newest version at or below `ts`; *found false if there is none. */
Status wos_get(Ctx *ctx, Scope *scope, Wos *wos, RelationId relation, Str key, Timestamp ts,
               WosVersion *version, bool *found);
/* The newest commit_ts of a key, 0 if none; *live: that version is a row. */
Status wos_newest(Ctx *ctx, Wos *wos, RelationId relation, Str key, Timestamp *newest, bool *live);

/* A cursor over one relation's keys at one timestamp: the newest version at or below `ts` of each
   key, tombstones left out, ascending or descending. The fields are the current entry; their bytes
   live until the next call. */
typedef struct WosCursor {
    bool valid;
    Str key;
    Str row;
    Timestamp commit_ts;
    struct WosCursorState *state;
} WosCursor;

Status wos_cursor_open(Ctx *ctx, Wos *wos, RelationId relation, Timestamp ts, bool descending,
                       WosCursor *out);
void wos_cursor_close(WosCursor *cursor);
/* Ascending: to the first key >= `key`. Descending: to the last key < `key`; has_key false: to the
   last key of all. */
Status wos_cursor_seek(Ctx *ctx, WosCursor *cursor, Str key, bool has_key);
Status wos_cursor_next(Ctx *ctx, WosCursor *cursor);

/* Keys that cut [low, high) of a relation into up to `parts_max` parts of similar size: fewer than
   parts_max bounds into bounds[], in `scope`. */
Status wos_split(Ctx *ctx, Scope *scope, Wos *wos, RelationId relation, Str low, Str high,
                 bool has_high, uint32_t parts_max, Str *bounds, uint32_t *bounds_count);

/* --- filling it ---------------------------------------------------------------------------- */

/* Writes versions in the order relation, key, newest first into new files, then ingests them. */
typedef struct WosLoader WosLoader;
Status wos_loader_open(Ctx *ctx, Wos *wos, WosLoader **out);
Status wos_loader_put(Ctx *ctx, WosLoader *loader, RelationId relation, Str key, Timestamp ts,
                      Str row, bool tombstone);
/* Finishes the files and makes them part of the store, durably, all or none. */
Status wos_loader_ingest(Ctx *ctx, WosLoader *loader);
/* Removes files that were not ingested. NULL allowed. */
void wos_loader_close(WosLoader *loader);

/* Every version of every relation, in the order above. The bytes live until the call returns. */
typedef Status (*WosEach)(Ctx *ctx, void *arg, RelationId relation, Str key, Timestamp ts, Str row,
                          bool tombstone);
Status wos_walk(Ctx *ctx, Wos *wos, WosEach each, void *arg);

/* Deletes a relation's rows by range. */
Status wos_delete_relation(Ctx *ctx, Wos *wos, RelationId relation);
/* Rewrites everything, so that what may go does, tombstones too. */
void wos_compact(Wos *wos);

/* --- meta ---------------------------------------------------------------------------------- */

typedef struct WosMeta {
    Str key;
    Str value;
    bool remove;
} WosMeta;

/* One atomic batch, synced. */
Status wos_meta_write(Ctx *ctx, Wos *wos, const WosMeta *edits, uint32_t count);
Status wos_meta_get(Ctx *ctx, Scope *scope, Wos *wos, Str key, Str *value, bool *found);
/* All keys with this prefix, in order. */
Status wos_meta_list(Ctx *ctx, Scope *scope, Wos *wos, Str prefix, Str **keys, uint32_t *count);

typedef struct WosStats {
    uint64_t files_bytes; /* live files on disk */
    uint64_t entries;     /* versions and tombstones */
    uint64_t raw_bytes;   /* of keys and rows before compression */
    uint64_t level0_files;
    uint64_t compaction_bytes; /* estimated debt */
} WosStats;
void wos_stats(Wos *wos, WosStats *out);
/* Estimates. */
void wos_relation_size(Wos *wos, RelationId relation, uint64_t *rows, uint64_t *bytes);

#endif
