// SPDX-License-Identifier: Apache-2.0
//
// Recovery: the log's records from the flushed position on are put back into generations, in order;
// the pieces of a large transaction are gathered until its commit record, and forgotten if there is
// none. Replaying what tier 3 has already changes nothing. Runs before any other thread.
#include "storage/storage_core.h"

#include "base/memory.h"

typedef struct ReplayBatch {
    struct ReplayBatch *next;
    LogPosition position;
    Scope *scope;
    WriteSet *set;
    WriteDecoder *decoder;
} ReplayBatch;

typedef struct Replay {
    Storage *storage;
    ReplayBatch *batches;
} Replay;

static ReplayBatch **find_batch(Replay *replay, LogPosition position)
{
    ReplayBatch **at = &replay->batches;

    while (*at && (*at)->position != position)
        at = &(*at)->next;
    return at;
}

static ReplayBatch *begin_batch(Replay *replay, LogPosition position)
{
    Scope *scope = scope_open(NULL, "replay");
    ReplayBatch *batch = scope_new(scope, ReplayBatch);

    batch->position = position;
    batch->scope = scope;
    batch->set = writeset_new();
    batch->decoder = writeset_decoder_new(scope, batch->set);
    batch->next = replay->batches;
    replay->batches = batch;
    return batch;
}

static void end_batch(ReplayBatch **at)
{
    ReplayBatch *batch = *at;

    *at = batch->next;
    writeset_free(batch->set);
    scope_close(batch->scope);
}

/* The record's place, said once in the story. */
static Status blame(Ctx *ctx, const WalRecord *record, Status st)
{
    if (st != OK)
        error_detail(ctx, "The record lies in log segment %08x at offset %u.",
                     (uint32_t)(record->position >> 32), (uint32_t)record->position);
    return st;
}

static Status apply_piece(Ctx *ctx, Replay *replay, const WalRecord *record)
{
    Status st = OK;
    ReplayBatch *batch = *find_batch(replay, record->batch);

    if (!batch && record->batch == record->position)
        batch = begin_batch(replay, record->position);
    if (!batch)
        FAIL(ctx, E_DATA_CORRUPTED, "a log record continues a transaction that never began");
    TRY(writeset_decode(ctx, batch->decoder, record->payload.ptr, record->payload.len));
done:
    return blame(ctx, record, st);
}

static Status install(Ctx *ctx, Replay *replay, const WalRecord *record)
{
    Status st = OK;
    DeltaGeneration *generation = replay->storage->active;
    ReplayBatch **at = find_batch(replay, record->batch);

    if (record->batch == 0) {
        TRY(writeset_decode_into(ctx, generation, record->commit_ts, record->payload.ptr,
                                 record->payload.len));
        goto done;
    }
    if (!*at)
        FAIL(ctx, E_DATA_CORRUPTED, "a log record ends a transaction that never began");
    TRY(writeset_decode(ctx, (*at)->decoder, record->payload.ptr, record->payload.len));
    TRY(writeset_decode_end(ctx, (*at)->decoder));
    generation_install(generation, (*at)->set, record->commit_ts);
done:
    if (record->batch && *at)
        end_batch(at);
    return blame(ctx, record, st);
}

/* As storage_freeze_locked, for a log that is still being read and readers that do not exist. */
static void freeze_replayed(Replay *replay, LogPosition end)
{
    Storage *storage = replay->storage;
    Layer *layers = storage->layers;
    size_t bytes = generation_bytes(storage->active);

    if (bytes < storage->options.generation_bytes || storage->layers_count == LAYERS_MAX)
        return;
    for (ReplayBatch *batch = replay->batches; batch; batch = batch->next)
        end = MIN(end, batch->position);
    layers[0].frozen = true;
    layers[0].frozen_bytes = bytes;
    layers[0].last_ts = storage->last_ts;
    layers[0].replay_from = end;
    memmove(layers + 1, layers, storage->layers_count * sizeof *layers);
    layers[0] = (Layer){.generation = generation_new()};
    storage->layers_count++;
    storage->active = layers[0].generation;
    storage->active_used = false;
    atomic_fetch_add(&storage->unflushed_bytes, bytes);
}

static Status apply(Ctx *ctx, void *arg, const WalRecord *record)
{
    Status st = OK;
    Replay *replay = arg;
    Storage *storage = replay->storage;

    if (record->kind == WAL_DATA)
        return apply_piece(ctx, replay, record);
    if (record->commit_ts <= storage->flushed_ts) {
        ReplayBatch **at = find_batch(replay, record->batch);

        if (record->batch && *at)
            end_batch(at);
        return OK;
    }
    if (record->commit_ts <= storage->last_ts)
        FAIL(ctx, E_DATA_CORRUPTED, "log records are out of order");
    TRY(install(ctx, replay, record));
    storage->last_ts = record->commit_ts;
    storage->active_used = true;
    freeze_replayed(replay, record->end);
done:
    return st;
}

Status storage_recover(Ctx *ctx, Storage *storage)
{
    Replay replay = {.storage = storage};
    size_t buffer_bytes = (size_t)256 << 10;
    char *dir = storage->dir ? mem_printf("%s/log", storage->dir) : NULL;

    while (buffer_bytes < ((size_t)8 << 20) && buffer_bytes < storage->options.memory_limit / 64)
        buffer_bytes *= 2;
    WalOptions options = {.files = storage->log_files,
                          .dir = dir,
                          .segment_bytes = storage->options.segment_bytes,
                          .buffer_bytes = buffer_bytes,
                          .from = storage->flushed_position,
                          .start_ts = storage->flushed_ts,
                          .apply = apply,
                          .apply_arg = &replay};
    storage->last_ts = storage->flushed_ts;
    Status st = wal_open(ctx, &options, &storage->wal);
    while (replay.batches)
        end_batch(&replay.batches);
    mem_free(dir);
    return st;
}
