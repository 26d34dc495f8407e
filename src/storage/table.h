// SPDX-License-Identifier: Apache-2.0
//
// The tiers seen as one table: get and scan at a snapshot. Nothing above knows which tier answered.
// A scan merges delta generations, tier 3 and the transaction's own writes, newest version at or
// below read_ts first, tombstones hidden. Key order is kept within a scan.
#ifndef DBASPOT_STORAGE_TABLE_H
#define DBASPOT_STORAGE_TABLE_H

#include "storage/row.h"
#include "storage/storage.h"

/* What a statement reads: everything comes from one view at one timestamp. */
typedef struct Snapshot {
    StorageView *view;
    Timestamp read_ts;
    const WriteSet *own; /* the transaction's writes, NULL if none */
    /* Own writes at or after this mark are not seen: a statement does not see what it writes itself
       (UPDATE t SET key = key + 1 ends). 0 = all are seen. */
    WriteMark own_mark;
} Snapshot;

typedef struct TableScan TableScan;

typedef struct ScanSpec {
    const Relation *relation;
    const uint32_t *columns; /* positions in the current schema */
    uint32_t columns_count;
    KeyRange range;
    bool with_key;   /* adds a last column of type bytea: the row's key */
    bool descending; /* from high to low */
} ScanSpec;

/* Opens a scan; its memory belongs to `scope`, one thread at a time. The snapshot must outlive it.
 */
Status table_scan_open(Ctx *ctx, Scope *scope, const Snapshot *snapshot, const ScanSpec *spec,
                       TableScan **out);
/* The next batch (up to BATCH_ROWS_MAX rows, the first ones smaller, so that short scans stay
   cheap); rows_count 0 at the end. Vectors and the bytes of string views live until the next call.
 */
Status table_scan_next(Ctx *ctx, TableScan *scan, Batch *out);

/* Cuts a range into up to `parts_max` sub-ranges of similar size for parallel scans; bounds lie in
   `scope`. Returns at least one part. */
Status table_split(Ctx *ctx, Scope *scope, const Snapshot *snapshot, const Relation *relation,
                   KeyRange range, uint32_t parts_max, KeyRange **out, uint32_t *out_count);

/* Rows by key: decodes the codec's columns of the keys that exist, in the order given; found[i]
   says whether keys[i] exists; `out` holds only the found ones. */
Status table_get_many(Ctx *ctx, Scope *scope, const Snapshot *snapshot, const Relation *relation,
                      const RowCodec *codec, const Str *keys, uint32_t count, bool *found,
                      Batch *out);
/* One row's bytes (valid while the view is pinned or in `scope`); *found false if absent. */
Status table_get(Ctx *ctx, Scope *scope, const Snapshot *snapshot, RelationId relation, Str key,
                 Str *row, bool *found);
/* The keys and values of a relation as raw bytes: index entries, catalog rows. */
typedef struct RawScan RawScan;
Status table_raw_scan_open(Ctx *ctx, Scope *scope, const Snapshot *snapshot, RelationId relation,
                           KeyRange range, bool descending, RawScan **out);
/* Up to `max` entries into keys/values; *count 0 at the end. Bytes live until the next call. */
Status table_raw_scan_next(Ctx *ctx, RawScan *scan, Str *keys, Str *values, uint32_t max,
                           uint32_t *count);

#endif
