// SPDX-License-Identifier: Apache-2.0
//
// Relations that nobody will read again. A drop takes effect when the commit that it follows is
// durable and no snapshot from before it is open; from then on flushes and merges leave its rows
// out and tier 3 deletes them by range. A note in tier 3's meta outlives a crash, so that replay
// cannot bring the rows back; it goes when the log that could is gone.
#include "storage/storage_core.h"

#include "base/memory.h"

#include <stdlib.h>

/* Where the relation is, or belongs. REQUIRES(dropped_lock). */
static uint32_t find_locked(const Storage *storage, RelationId relation)
{
    uint32_t low = 0;
    uint32_t high = storage->dropped_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (storage->dropped[middle].relation < relation)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add(Storage *storage, const DroppedRelation *drop)
{
    rwlock_lock_write(&storage->dropped_lock);
    uint32_t at = find_locked(storage, drop->relation);
    if (at == storage->dropped_count || storage->dropped[at].relation != drop->relation) {
        if (storage->dropped_count == storage->dropped_cap) {
            storage->dropped_cap = MAX(16, storage->dropped_cap * 2);
            storage->dropped =
                mem_realloc(storage->dropped, storage->dropped_cap * sizeof *storage->dropped);
        }
        memmove(storage->dropped + at + 1, storage->dropped + at,
                (storage->dropped_count - at) * sizeof *storage->dropped);
        storage->dropped[at] = *drop;
        storage->dropped_count++;
        if (drop->effective)
            atomic_store(&storage->dropped_any, true);
    }
    rwlock_unlock(&storage->dropped_lock);
}

void storage_relation_drop(Storage *storage, RelationId relation)
{
    storage_relation_drop_at(storage, relation, wal_installed_ts(storage->wal));
}

void storage_relation_drop_at(Storage *storage, RelationId relation, Timestamp commit_ts)
{
    DroppedRelation drop = {.relation = relation, .ts = commit_ts};

    add(storage, &drop);
    mutex_lock(&storage->structure_mutex);
    storage->nudged = true;
    condition_broadcast(&storage->changed);
    mutex_unlock(&storage->structure_mutex);
}

bool storage_is_dropped(Storage *storage, RelationId relation)
{
    if (!atomic_load_explicit(&storage->dropped_any, memory_order_acquire))
        return false;
    rwlock_lock_read(&storage->dropped_lock);
    uint32_t at = find_locked(storage, relation);
    bool dropped = at < storage->dropped_count && storage->dropped[at].relation == relation &&
                   storage->dropped[at].effective;
    rwlock_unlock(&storage->dropped_lock);
    return dropped;
}

size_t storage_dropped_bytes(Storage *storage, const DeltaGeneration *generation)
{
    Scope *scope = scope_open(NULL, "dropped bytes");
    RelationId *ids;
    uint32_t count = generation_relations(generation, scope, &ids);
    size_t bytes = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (storage_is_dropped(storage, ids[i]))
            bytes += generation_relation_bytes(generation, ids[i]);
    }
    scope_close(scope);
    return bytes;
}

bool storage_has_unripe_drops(Storage *storage)
{
    bool unripe = false;

    rwlock_lock_read(&storage->dropped_lock);
    for (uint32_t i = 0; i < storage->dropped_count; i++)
        unripe = unripe || !storage->dropped[i].effective;
    rwlock_unlock(&storage->dropped_lock);
    return unripe;
}

bool storage_ripen_drops(Storage *storage)
{
    bool some = false;

    rwlock_lock_read(&storage->dropped_lock);
    bool none = storage->dropped_count == 0;
    rwlock_unlock(&storage->dropped_lock);
    if (none)
        return false;
    Timestamp durable_ts = wal_durable_ts(storage->wal);
    Timestamp horizon = storage->options.horizon ? storage_horizon(storage) : durable_ts;

    rwlock_lock_write(&storage->dropped_lock);
    for (uint32_t i = 0; i < storage->dropped_count; i++) {
        DroppedRelation *drop = &storage->dropped[i];

        if (!drop->effective && drop->ts <= durable_ts && drop->ts <= horizon) {
            drop->effective = true;
            atomic_store_explicit(&storage->dropped_any, true, memory_order_release);
            atomic_store(&storage->sweep_wanted, true);
        }
        some = some || (drop->effective && !drop->recorded);
    }
    rwlock_unlock(&storage->dropped_lock);
    return some && storage->wos;
}

/* One that is effective and not yet recorded; false: none. */
static bool next_to_record(Storage *storage, RelationId *out)
{
    bool found = false;

    rwlock_lock_read(&storage->dropped_lock);
    for (uint32_t i = 0; i < storage->dropped_count && !found; i++) {
        found = storage->dropped[i].effective && !storage->dropped[i].recorded;
        *out = storage->dropped[i].relation;
    }
    rwlock_unlock(&storage->dropped_lock);
    return found;
}

static Str note_key(Scope *scope, RelationId relation)
{
    return str_from(scope_printf(scope, "%s%08x", META_DROPPED.ptr, relation));
}

Status storage_record_drops(Ctx *ctx, Storage *storage)
{
    Status st = OK;
    Scope *scope = scope_open(NULL, "drops");
    RelationId relation;

    while (next_to_record(storage, &relation)) {
        LogPosition position = wal_end(storage->wal);
        WosMeta note = {note_key(scope, relation), {(char *)&position, sizeof position}, false};

        TRY(wos_meta_write(ctx, storage->wos, &note, 1));
        TRY(wos_delete_relation(ctx, storage->wos, relation));
        rwlock_lock_write(&storage->dropped_lock);
        storage->dropped[find_locked(storage, relation)].recorded = true;
        rwlock_unlock(&storage->dropped_lock);
    }
done:
    scope_close(scope);
    return st;
}

Status storage_read_drops(Ctx *ctx, Storage *storage)
{
    Status st = OK;
    Scope *scope = scope_open(NULL, "drops");
    Str *keys;
    uint32_t count;

    TRY(wos_meta_list(ctx, scope, storage->wos, META_DROPPED, &keys, &count));
    for (uint32_t i = 0; i < count; i++) {
        const char *digits = str_to_c(scope, keys[i]) + META_DROPPED.len;
        DroppedRelation drop = {
            .relation = (RelationId)strtoul(digits, NULL, 16), .effective = true, .recorded = true};
        LogPosition position = 0;
        Str value;
        bool found;

        TRY(wos_meta_get(ctx, scope, storage->wos, keys[i], &value, &found));
        if (found && value.len == sizeof position)
            memcpy(&position, value.ptr, sizeof position);
        TRY(wos_delete_relation(ctx, storage->wos, drop.relation));
        if (position <= storage->flushed_position) {
            WosMeta gone = {.key = keys[i], .remove = true};

            TRY(wos_meta_write(ctx, storage->wos, &gone, 1));
        } else {
            add(storage, &drop);
        }
    }
done:
    scope_close(scope);
    return st;
}
