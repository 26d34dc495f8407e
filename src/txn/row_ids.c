// SPDX-License-Identifier: Apache-2.0
//
// A map of counters under a mutex: a batch of rows takes its ids in one call, so the mutex is cold.
// See row_ids.h.
#include "txn/row_ids.h"

#include "base/map.h"
#include "base/memory.h"
#include "os/thread.h"
#include "types/key.h"

struct RowIds {
    Storage *storage;
    Scope *scope;
    Mutex lock;
    U64Map *counters; /* relation -> uint64_t, the next id */
};

RowIds *row_ids_new(Storage *storage)
{
    RowIds *ids = mem_alloc_zero(sizeof *ids);

    ids->storage = storage;
    ids->scope = scope_open(NULL, "row ids");
    ids->counters = u64map_new(ids->scope);
    mutex_init(&ids->lock);
    return ids;
}

void row_ids_free(RowIds *ids)
{
    if (ids == NULL)
        return;
    mutex_free(&ids->lock);
    scope_close(ids->scope);
    mem_free(ids);
}

/* One more than the greatest id that any committed row has. */
static Status recover_next(Ctx *ctx, Scope *scope, const RowIds *ids, RelationId relation,
                           uint64_t *next)
{
    Status st = OK;
    static const KeyColumn column = {.type = {OID_INT8, -1}};
    Snapshot snapshot = {.read_ts = storage_installed_ts(ids->storage)};
    RawScan *scan;
    Str key, value;
    uint32_t count;
    Datum id;

    snapshot.view = storage_view_pin(ids->storage);
    *next = 1;
    TRY(table_raw_scan_open(ctx, scope, &snapshot, relation, (KeyRange){0}, true, &scan));
    TRY(table_raw_scan_next(ctx, scan, &key, &value, 1, &count));
    if (count == 0)
        goto done;
    TRY(key_decode(ctx, scope, &column, &key, &id));
    *next = (uint64_t)id.int64 + 1;
done:
    scope_reset(scope);
    storage_view_unpin(snapshot.view);
    return st;
}

Status row_ids_take(Ctx *ctx, RowIds *ids, RelationId relation, uint64_t count, uint64_t *first)
{
    Status st = OK;
    uint64_t *counter;

    mutex_lock(&ids->lock);
    counter = u64map_get(ids->counters, relation);
    if (counter == NULL) {
        uint64_t next;
        Scope *scope = scope_open(NULL, "row id");
        st = recover_next(ctx, scope, ids, relation, &next);
        scope_close(scope);
        if (st != OK)
            goto done;
        counter = scope_new(ids->scope, uint64_t);
        *counter = next;
        u64map_put(ids->counters, relation, counter);
    }
    *first = *counter;
    *counter += count;
done:
    mutex_unlock(&ids->lock);
    return st;
}
