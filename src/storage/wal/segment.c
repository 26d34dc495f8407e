// SPDX-License-Identifier: Apache-2.0
//
// The log's files: NNNNNNNN.log are segments, spare-N files that are written through and synced, so
// that a commit's sync has no metadata to write. A preparer thread makes spares before they are
// needed; old segments of full size become spares again, others are removed.
#include "storage/wal/wal_int.h"

#include "base/memory.h"

enum { ZERO_BYTES = 1 << 18, SYNC_EVERY = 1 << 22 };

char *wal_segment_path(const Wal *wal, uint32_t number)
{
    return mem_printf("%s/%08x.log", wal->dir, number);
}

static Status write_zeros(Ctx *ctx, File *file, uint64_t bytes)
{
    Status st = OK;
    char *zeros = mem_alloc_zero(ZERO_BYTES);

    TRY(file_allocate(ctx, file, bytes));
    for (uint64_t at = 0; at < bytes; at += ZERO_BYTES) {
        TRY(file_write(ctx, file, zeros, (size_t)MIN(bytes - at, (uint64_t)ZERO_BYTES), at));
        /* In small portions: a long sync would hold up the commits beside it. */
        if ((at + ZERO_BYTES) % SYNC_EVERY == 0)
            TRY(file_sync_data(ctx, file));
    }
    TRY(file_sync(ctx, file));
done:
    mem_free(zeros);
    return st;
}

static void unlink_quietly(Wal *wal, const char *path)
{
    Ctx ctx;

    ctx_init(&ctx);
    if (files_unlink(&ctx, wal->files, path) != OK)
        error_clear(&ctx);
    ctx_free(&ctx);
}

static char *spare_path(Wal *wal)
{
    mutex_lock(&wal->segment_mutex);
    uint64_t name = ++wal->spares_made;
    mutex_unlock(&wal->segment_mutex);
    return mem_printf("%s/spare-%llu", wal->dir, (unsigned long long)name);
}

Status wal_spare_create(Ctx *ctx, Wal *wal, uint64_t bytes, WalSpare *out)
{
    Status st = OK;
    WalSpare spare = {.path = spare_path(wal), .bytes = bytes};

    TRY(file_open(ctx, wal->files, spare.path, FILE_WRITE | FILE_CREATE, &spare.file));
    TRY(write_zeros(ctx, spare.file, bytes));
    *out = spare;
done:
    if (st != OK) {
        file_close(spare.file);
        unlink_quietly(wal, spare.path);
        mem_free(spare.path);
    }
    return st;
}

Status wal_segment_begin(Ctx *ctx, Wal *wal, WalSpare *spare, uint32_t number,
                         LogPosition previous_end, File **out)
{
    Status st = OK;
    SegmentHeader header;
    char *path = wal_segment_path(wal, number);

    segment_header_make(&header, number, previous_end, spare->bytes);
    TRY(files_rename(ctx, wal->files, spare->path, path));
    TRY(files_sync_dir(ctx, wal->files, wal->dir));
    TRY(file_write(ctx, spare->file, &header, sizeof header, 0));
    *out = spare->file;
    spare->file = NULL;
done:
    mem_free(path);
    return st;
}

void wal_segment_add(Wal *wal, uint32_t number, uint64_t bytes)
{
    mutex_lock(&wal->segment_mutex);
    if (wal->segments_count == wal->segments_cap) {
        wal->segments_cap = MAX(8, wal->segments_cap * 2);
        wal->segments = mem_realloc(wal->segments, wal->segments_cap * sizeof *wal->segments);
    }
    ASSERT(wal->segments_count == 0 || wal->segments[wal->segments_count - 1].number + 1 == number);
    wal->segments[wal->segments_count++] = (WalSegment){number, bytes};
    mutex_unlock(&wal->segment_mutex);
}

uint64_t wal_bytes(Wal *wal)
{
    uint64_t bytes = 0;

    mutex_lock(&wal->segment_mutex);
    for (uint32_t i = 0; i < wal->segments_count; i++)
        bytes += wal->segments[i].bytes;
    mutex_unlock(&wal->segment_mutex);
    return bytes;
}

/* --- spares ---------------------------------------------------------------------------------- */

Status wal_spare_take(Ctx *ctx, Wal *wal, bool *taken, WalSpare *out)
{
    Status st = OK;

    mutex_lock(&wal->segment_mutex);
    *taken = wal->spares_count > 0;
    if (*taken) {
        *out = wal->spares[0];
        wal->spares_count--;
        memmove(wal->spares, wal->spares + 1, wal->spares_count * sizeof *wal->spares);
        goto done;
    }
    wal->spare_wanted = true;
    condition_signal(&wal->prepare);
    if (wal->prepare_status != OK) {
        Status why = wal->prepare_status;

        wal->prepare_status = OK;
        FAIL(ctx, why, "%s", wal->prepare_message);
    }
done:
    mutex_unlock(&wal->segment_mutex);
    return st;
}

void wal_spare_ask(Wal *wal)
{
    mutex_lock(&wal->segment_mutex);
    if (wal->spares_count == 0) {
        wal->spare_wanted = true;
        condition_signal(&wal->prepare);
    }
    mutex_unlock(&wal->segment_mutex);
}

/* REQUIRES(segment_mutex), which it leaves while it works. */
static void prepare_one_locked(Wal *wal)
{
    uint64_t bytes = wal->next_spare_bytes;
    WalSpare spare;
    Ctx ctx;

    ctx_init(&ctx);
    wal->spare_wanted = false;
    mutex_unlock(&wal->segment_mutex);
    Status st = wal_spare_create(&ctx, wal, bytes, &spare);
    mutex_lock(&wal->segment_mutex);
    if (st != OK) {
        wal->prepare_status = st;
        mem_free(wal->prepare_message);
        wal->prepare_message = mem_strdup(ctx.error.message);
    } else if (wal->spares_count < WAL_SPARES_MAX) {
        wal->prepare_status = OK;
        wal->next_spare_bytes = MIN(wal->segment_bytes, bytes * 2);
        wal->spares[wal->spares_count++] = spare;
    } else {
        file_close(spare.file);
        unlink_quietly(wal, spare.path);
        mem_free(spare.path);
    }
    ctx_free(&ctx);
}

void wal_preparer_main(void *arg)
{
    Wal *wal = arg;

    mutex_lock(&wal->segment_mutex);
    while (!wal->preparer_stopping) {
        if (!wal->spare_wanted) {
            condition_wait(&wal->prepare, &wal->segment_mutex);
            continue;
        }
        prepare_one_locked(wal);
        mutex_unlock(&wal->segment_mutex);
        wal_space_wake(wal);
        mutex_lock(&wal->segment_mutex);
    }
    mutex_unlock(&wal->segment_mutex);
}

void wal_spares_drop(Wal *wal)
{
    for (uint32_t i = 0; i < wal->spares_count; i++) {
        file_close(wal->spares[i].file);
        unlink_quietly(wal, wal->spares[i].path);
        mem_free(wal->spares[i].path);
    }
    wal->spares_count = 0;
}

/* The segment's file becomes a spare; false if it cannot. */
static bool recycle(Wal *wal, const WalSegment *segment, const char *path)
{
    WalSpare spare = {.path = spare_path(wal), .bytes = segment->bytes};
    bool kept = false;
    Ctx ctx;

    ctx_init(&ctx);
    if (file_open(&ctx, wal->files, path, FILE_WRITE, &spare.file) == OK &&
        files_rename(&ctx, wal->files, path, spare.path) == OK) {
        mutex_lock(&wal->segment_mutex);
        kept = wal->spares_count < WAL_SPARES_MAX;
        if (kept)
            wal->spares[wal->spares_count++] = spare;
        mutex_unlock(&wal->segment_mutex);
        if (!kept)
            unlink_quietly(wal, spare.path);
    }
    if (!kept) {
        file_close(spare.file);
        mem_free(spare.path);
    }
    ctx_free(&ctx);
    return kept;
}

void wal_trim(Wal *wal, LogPosition keep)
{
    for (;;) {
        WalSegment segment;

        mutex_lock(&wal->segment_mutex);
        bool found = wal->segments_count > 1 && wal->segments[0].number < log_segment(keep);
        bool useful = wal->spares_count < WAL_SPARES_MAX;
        if (found) {
            segment = wal->segments[0];
            wal->segments_count--;
            memmove(wal->segments, wal->segments + 1, wal->segments_count * sizeof *wal->segments);
        }
        mutex_unlock(&wal->segment_mutex);
        if (!found)
            break;
        char *path = wal_segment_path(wal, segment.number);
        if (!useful || segment.bytes != wal->segment_bytes || !recycle(wal, &segment, path))
            unlink_quietly(wal, path);
        mem_free(path);
    }
}
