// SPDX-License-Identifier: Apache-2.0
//
// Rows by key: own writes, then the generations from the newest to the oldest, then tier 3. The
// first that has a version at or below read_ts has the newest one (TABLE-1), so the search ends
// there, also at a tombstone. Any thread.
#include "storage/table_int.h"

/* In the delta store; NULL: ask tier 3 unless the view is complete. */
static const DeltaVersion *find_version(const StorageView *view, RelationId relation, Str key,
                                        Timestamp ts)
{
    for (uint32_t i = 0; i < view->generations_count; i++) {
        const DeltaVersion *version = generation_get(view->generations[i], relation, key, ts);
        if (version)
            return version;
    }
    return NULL;
}

Status table_get(Ctx *ctx, Scope *scope, const Snapshot *snapshot, RelationId relation, Str key,
                 Str *row, bool *found)
{
    Status st = OK;
    const StorageView *view = snapshot->view;
    WosVersion stored;

    *found = false;
    if (snapshot->own) {
        WriteFound own =
            writeset_get_at(snapshot->own, relation, key, snapshot_own_mark(snapshot), row);
        *found = own == WRITE_ROW;
        if (own != WRITE_ABSENT)
            goto done;
    }
    const DeltaVersion *version = find_version(view, relation, key, snapshot->read_ts);
    if (version) {
        *found = !delta_version_is_tombstone(version);
        *row = delta_version_row(version);
    } else if (!view->complete) {
        TRY(wos_get(ctx, scope, view->wos, relation, key, snapshot->read_ts, &stored, found));
        *found = *found && !stored.tombstone;
        if (*found)
            *row = stored.row;
    }
done:
    return st;
}

Status table_get_many(Ctx *ctx, Scope *scope, const Snapshot *snapshot, const Relation *relation,
                      const RowCodec *codec, const Str *keys, uint32_t count, bool *found,
                      Batch *out)
{
    Status st = OK;
    Str *rows = scope_new_array(scope, Str, count);
    uint32_t rows_count = 0;

    for (uint32_t i = 0; i < count; i++) {
        TRY(table_get(ctx, scope, snapshot, relation->id, keys[i], &rows[rows_count], &found[i]));
        rows_count += found[i];
    }
    TRY(row_decode(ctx, scope, codec, rows, rows_count, out));
done:
    return st;
}

Status table_newest(Ctx *ctx, const StorageView *view, RelationId relation, Str key,
                    Timestamp *newest, bool *live)
{
    const DeltaVersion *version = find_version(view, relation, key, TIMESTAMP_MAX);

    *newest = version ? version->commit_ts : 0;
    *live = version && !delta_version_is_tombstone(version);
    if (version || view->complete)
        return OK;
    return wos_newest(ctx, view->wos, relation, key, newest, live);
}
