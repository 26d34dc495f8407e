// SPDX-License-Identifier: Apache-2.0
//
// The merge below table scans: own writes, delta generations and tier 3 as one stream of visible
// rows in key order. Also the newest state of a key, for storage.c. Private to this room.
#ifndef DBASPOT_STORAGE_TABLE_INT_H
#define DBASPOT_STORAGE_TABLE_INT_H

#include "storage/storage_int.h"
#include "storage/table.h"
#include "storage/writeset_int.h"

typedef struct TableMerge TableMerge;

typedef struct TableMergeSpec {
    RelationId relation;
    KeyRange range;
    bool descending;
} TableMergeSpec;

/* Its memory and tier 3's cursor belong to `scope`; the range's bytes are copied. */
Status table_merge_open(Ctx *ctx, Scope *scope, const Snapshot *snapshot,
                        const TableMergeSpec *spec, TableMerge **out);
/* Up to `max` rows into rows[] and keys[] (keys may be NULL); *count 0 at the end. The bytes live
   until the next call. */
Status table_merge_next(Ctx *ctx, TableMerge *merge, Str *keys, Str *rows, uint32_t max,
                        uint32_t *count);

/* The newest commit_ts of a key in the view, 0 if it never existed; *live: that version is a row.
 */
Status table_newest(Ctx *ctx, const StorageView *view, RelationId relation, Str key,
                    Timestamp *newest, bool *live);

/* Own writes below this number are seen. */
static inline WriteMark snapshot_own_mark(const Snapshot *snapshot)
{
    return snapshot->own_mark ? snapshot->own_mark : UINT64_MAX;
}

#endif
