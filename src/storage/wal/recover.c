// SPDX-License-Identifier: Apache-2.0
//
// Reading the log after a stop or a crash. Segments are read in order; each names where the log
// ended before it, which was durable by then (WAL-2). Where a record does not hold, the log ends:
// if nothing later says that it was durable beyond, this is the torn tail and is cut; else it is
// damage, and the log is not opened.
#include "storage/wal/wal_int.h"

#include "base/memory.h"

#include <stdlib.h>

typedef struct Recovery {
    Wal *wal;
    const WalOptions *options;
    uint32_t *numbers; /* segments from the first to be read on, ascending */
    uint32_t count;
    WalFound found; /* so far */
} Recovery;

static Status damaged(Ctx *ctx, Wal *wal, LogPosition position, const char *what)
{
    char *path = wal_segment_path(wal, log_segment(position));
    Status st = error_raise(ctx, E_DATA_CORRUPTED, "log file \"%s\" is damaged at offset %u: %s",
                            path, log_offset(position), what);

    mem_free(path);
    return st;
}

/* True if a whole record after `offset` was written when the log was durable beyond it. */
static bool later_record_proves(const char *bytes, size_t size, uint32_t number, size_t offset)
{
    LogPosition position = log_position(number, offset);
    RecordHeader header;

    for (size_t at = align_up(offset, WAL_ALIGN); at + sizeof header <= size; at += WAL_ALIGN) {
        if (record_parse(bytes, size, number, at, &header) && header.durable > position)
            return true;
    }
    return false;
}

static Status apply_record(Ctx *ctx, Recovery *recovery, const char *bytes,
                           const RecordHeader *header)
{
    WalRecord record = {
        .kind = header->kind,
        .partition = header->partition,
        .user = header->user,
        .txn_id = header->txn_id,
        .commit_ts = header->commit_ts,
        .batch = header->batch,
        .position = header->position,
        .end = header->position + align_up(header->length, WAL_ALIGN),
        .payload = {bytes + log_offset(header->position) + sizeof *header, header->payload_bytes},
    };
    Status st = OK;

    if (header->version != WAL_RECORD_VERSION || header->kind < WAL_COMMIT ||
        header->kind > WAL_SKIP)
        FAIL(ctx, E_FEATURE_NOT_SUPPORTED, "log record of kind %u, format %u is not known",
             header->kind, header->version);
    if (header->kind == WAL_SKIP)
        goto done;
    TRY(recovery->options->apply(ctx, recovery->options->apply_arg, &record));
    recovery->found.newest_ts = MAX(recovery->found.newest_ts, header->commit_ts);
done:
    return st;
}

/* Replays the records of one segment from `offset` on; recovery->found.end is where they end. */
static Status replay_segment(Ctx *ctx, Recovery *recovery, uint32_t number, const char *bytes,
                             size_t size, size_t offset)
{
    Status st = OK;
    RecordHeader header;

    if (offset > size)
        FAIL(ctx, E_DATA_CORRUPTED, "log segment %08x ends at %zu, before the flushed position %zu",
             number, size, offset);
    while (record_parse(bytes, size, number, offset, &header)) {
        TRY(apply_record(ctx, recovery, bytes, &header));
        offset += align_up(header.length, WAL_ALIGN);
        if (offset > size)
            break;
    }
    recovery->found.end = log_position(number, MIN(offset, size));
    if (later_record_proves(bytes, size, number, offset))
        TRY(damaged(ctx, recovery->wal, recovery->found.end,
                    "a record that was durable does not hold"));
done:
    return st;
}

/* What recover_segment finds. */
typedef struct SegmentBytes {
    char *bytes;
    size_t size;
    SegmentHeader header;
    bool valid;
} SegmentBytes;

static Status read_segment(Ctx *ctx, Wal *wal, uint32_t number, SegmentBytes *out)
{
    Status st = OK;
    File *file = NULL;
    char *path = wal_segment_path(wal, number);
    uint64_t size;

    TRY(file_open(ctx, wal->files, path, FILE_WRITE, &file));
    TRY(file_size(ctx, file, &size));
    out->size = size;
    out->bytes = mem_try_alloc(size + 1);
    if (!out->bytes)
        FAIL(ctx, E_OUT_OF_MEMORY, "out of memory reading log file \"%s\"", path);
    TRY(file_read(ctx, file, out->bytes, size, 0));
    /* A crash of the process alone leaves written but unsynced bytes: what is replayed is shown to
       readers as durable, so make it so. */
    TRY(file_sync_data(ctx, file));
    out->valid = false;
    if (size >= sizeof out->header) {
        memcpy(&out->header, out->bytes, sizeof out->header);
        out->valid = segment_header_valid(&out->header, number);
    }
    if (out->valid && out->header.version != WAL_SEGMENT_VERSION)
        FAIL(ctx, E_FEATURE_NOT_SUPPORTED, "log file \"%s\" has the unknown format %u", path,
             out->header.version);
done:
    file_close(file);
    mem_free(path);
    return st;
}

/* One segment; *ends: it never became part of the log, which ends before it. */
static Status recover_segment(Ctx *ctx, Recovery *recovery, uint32_t index, bool *ends)
{
    Status st = OK;
    LogPosition from = recovery->options->from;
    Wal *wal = recovery->wal;
    uint32_t number = recovery->numbers[index];
    bool last = index + 1 == recovery->count;
    SegmentBytes segment = {0};

    TRY(read_segment(ctx, wal, number, &segment));
    if (!segment.valid) {
        if (!last || (index == 0 && from != 0) ||
            later_record_proves(segment.bytes, segment.size, number, 0))
            TRY(damaged(ctx, wal, log_position(number, 0), "the segment's header does not hold"));
        *ends = true;
        goto done;
    }
    if (index > 0 && segment.header.previous_end != recovery->found.end)
        TRY(damaged(ctx, wal, recovery->found.end,
                    "a record that was durable before the next segment does not hold"));
    TRY(replay_segment(ctx, recovery, number, segment.bytes, segment.size,
                       index == 0 && from ? log_offset(from) : sizeof(SegmentHeader)));
    wal_segment_add(wal, number, segment.size);
done:
    mem_free(segment.bytes);
    return st;
}

static Status remove_file(Ctx *ctx, Wal *wal, const char *name)
{
    char *path = mem_printf("%s/%s", wal->dir, name);
    Status st = files_unlink(ctx, wal->files, path);

    mem_free(path);
    return st;
}

/* The numbers of the segments from `first` on; older ones and spares are removed. */
static Status list_segments(Ctx *ctx, Scope *scope, Recovery *recovery, uint32_t first)
{
    Status st = OK;
    Wal *wal = recovery->wal;
    char **names;
    uint32_t count;

    TRY(files_list(ctx, scope, wal->files, wal->dir, &names, &count));
    recovery->numbers = scope_new_array(scope, uint32_t, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        char *end;
        uint32_t number = (uint32_t)strtoul(names[i], &end, 16);
        bool segment = end == names[i] + 8 && strcmp(end, ".log") == 0;

        if (segment && number >= first)
            recovery->numbers[recovery->count++] = number;
        else if (segment || strncmp(names[i], "spare-", 6) == 0)
            TRY(remove_file(ctx, wal, names[i]));
    }
    for (uint32_t i = 0; i < recovery->count; i++) {
        if (recovery->numbers[i] != first + i)
            TRY(damaged(ctx, wal, log_position(first + i, 0), "the segment is missing"));
    }
done:
    return st;
}

Status wal_recover(Ctx *ctx, Wal *wal, const WalOptions *options, WalFound *out)
{
    Status st = OK;
    Scope *scope = scope_open(NULL, "log recovery");
    Recovery recovery = {.wal = wal, .options = options};
    LogPosition from = options->from;
    uint32_t first = from ? log_segment(from) : 1;
    bool ends = false;
    uint32_t used = 0;

    TRY(list_segments(ctx, scope, &recovery, first));
    if (recovery.count == 0 && from)
        TRY(damaged(ctx, wal, from, "the segment is missing"));
    while (used < recovery.count) {
        TRY(recover_segment(ctx, &recovery, used, &ends));
        if (ends)
            break;
        used++;
    }
    *out = recovery.found;
    out->last_number = first + used - 1;
done:
    scope_close(scope);
    return st;
}
