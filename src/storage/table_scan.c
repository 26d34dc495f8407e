// SPDX-License-Identifier: Apache-2.0
//
// Table scans and raw scans: batches out of a merge. The first batches are small and grow, so that
// a scan of a few rows does not pay for room for thousands. One thread a scan.
#include "storage/table_int.h"

#define FIRST_ROWS 64
#define ROWS_GROW  8

struct TableScan {
    Scope *scope;
    TableMerge *merge;
    const RowCodec *codec;
    RowBuffer *buffer;
    uint32_t rows_max; /* of the buffer */
    bool with_key;
    Str *rows;
    Str *keys; /* NULL without with_key */
    StrView *key_views;
};

/* Room for more rows; what was there stays in the scope. */
static void grow(TableScan *scan)
{
    uint32_t rows =
        scan->rows_max ? MIN(scan->rows_max * ROWS_GROW, (uint32_t)BATCH_ROWS_MAX) : FIRST_ROWS;

    scan->rows_max = rows;
    scan->buffer = row_buffer_new(scan->scope, scan->codec, rows, scan->with_key);
    scan->rows = scope_new_array(scan->scope, Str, rows);
    if (scan->with_key) {
        scan->keys = scope_new_array(scan->scope, Str, rows);
        scan->key_views = scope_new_array(scan->scope, StrView, rows);
    }
}

Status table_scan_open(Ctx *ctx, Scope *scope, const Snapshot *snapshot, const ScanSpec *spec,
                       TableScan **out)
{
    Status st = OK;
    TableScan *scan = scope_new(scope, TableScan);

    scan->scope = scope;
    scan->with_key = spec->with_key;
    scan->codec = row_codec_new(scope, spec->relation, spec->columns, spec->columns_count);
    TableMergeSpec merge = {spec->relation->id, spec->range, spec->descending};
    TRY(table_merge_open(ctx, scope, snapshot, &merge, &scan->merge));
    *out = scan;
done:
    return st;
}

static void set_key_column(TableScan *scan, const Batch *batch)
{
    for (uint32_t i = 0; i < batch->rows_count; i++)
        scan->key_views[i] = strview_make(scan->keys[i].ptr, scan->keys[i].len);
    batch->columns[batch->columns_count - 1] = (Vector){
        .type = sql_type(OID_BYTEA),
        .phys = PHYS_STRING,
        .form = VECTOR_FLAT,
        .values = scan->key_views,
    };
}

Status table_scan_next(Ctx *ctx, TableScan *scan, Batch *out)
{
    Status st = OK;
    uint32_t count;

    if (scan->rows_max < BATCH_ROWS_MAX)
        grow(scan);
    TRY(table_merge_next(ctx, scan->merge, scan->keys, scan->rows, scan->rows_max, &count));
    TRY(row_decode_into(ctx, scan->codec, scan->rows, count, scan->buffer, out));
    if (scan->with_key)
        set_key_column(scan, out);
done:
    return st;
}

/* --- raw ------------------------------------------------------------------------------------ */

struct RawScan {
    TableMerge *merge;
};

Status table_raw_scan_open(Ctx *ctx, Scope *scope, const Snapshot *snapshot, RelationId relation,
                           KeyRange range, bool descending, RawScan **out)
{
    Status st = OK;
    RawScan *scan = scope_new(scope, RawScan);
    TableMergeSpec spec = {relation, range, descending};

    TRY(table_merge_open(ctx, scope, snapshot, &spec, &scan->merge));
    *out = scan;
done:
    return st;
}

Status table_raw_scan_next(Ctx *ctx, RawScan *scan, Str *keys, Str *values, uint32_t max,
                           uint32_t *count)
{
    return table_merge_next(ctx, scan->merge, keys, values, max, count);
}
