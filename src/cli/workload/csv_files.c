// SPDX-License-Identifier: Apache-2.0
//
// Sinks that write one file together (see csv_files.h). Pieces have different lengths, so a sink
// waits until the piece before its own has taken its place in the file; it takes the next place and
// writes there without holding anything up. The first sink to begin a table makes the file, the
// last one to end it gives the file its name.
#include "cli/workload/csv_files.h"

#include <sys/stat.h>

#include "os/file.h"
#include "os/thread.h"

#define FILE_MODE      0666
#define DIRECTORY_MODE 0777

typedef struct Target {
    const char *directory;
    mode_t mask; /* the user's: the files are for other programs to read */
    int sinks_count;
    Mutex mutex;
    Condition turn;
    /* All below: REQUIRES(mutex). */
    File *file;
    char *path_temporary;
    char *path;
    int64_t next_piece;
    uint64_t bytes; /* places taken in the file */
    int ended;      /* sinks that are done with the table */
    bool failed;
} Target;

typedef struct FileSink {
    TpchSink base;
    Target *target;
    Scope *scope;
} FileSink;

static Status make_file_locked(Ctx *ctx, Target *target, Scope *scope, TpchTable table)
{
    Status st = OK;
    StrBuf header;

    strbuf_init(&header);
    target->path = scope_printf(scope, "%s/%s.csv", target->directory, tpch_table_name(table));
    target->path_temporary = scope_printf(scope, "%s.part", target->path);
    tpch_csv_put_header(table, TPCH_EOL_CRLF, &header);
    TRY(file_open(ctx, files_os(), target->path_temporary, FILE_WRITE | FILE_CREATE,
                  &target->file));
    TRY(file_truncate(ctx, target->file, 0));
    TRY(file_write(ctx, target->file, header.ptr, header.len, 0));
    target->bytes = header.len;
    target->next_piece = 0;
    target->ended = 0;
done:
    strbuf_free(&header);
    return st;
}

static Status begin(Ctx *ctx, TpchSink *base, TpchTable table)
{
    FileSink *sink = (FileSink *)base;
    Target *target = sink->target;
    Status st = OK;

    mutex_lock(&target->mutex);
    if (!target->file && !target->failed)
        st = make_file_locked(ctx, target, sink->scope, table);
    mutex_unlock(&target->mutex);
    return st;
}

static Status put(Ctx *ctx, TpchSink *base, int64_t piece, Str csv, int64_t rows UNUSED)
{
    Target *target = ((FileSink *)base)->target;

    mutex_lock(&target->mutex);
    while (target->next_piece != piece && !target->failed)
        condition_wait(&target->turn, &target->mutex);
    bool failed = target->failed;
    uint64_t offset = target->bytes;
    target->bytes += csv.len;
    target->next_piece++;
    condition_broadcast(&target->turn);
    mutex_unlock(&target->mutex);
    return failed ? OK : file_write(ctx, target->file, csv.ptr, csv.len, offset);
}

/* GEN-4: the file is complete now. */
static Status give_name_locked(Ctx *ctx, const Target *target)
{
    Status st = OK;

    if (chmod(target->path_temporary, FILE_MODE & ~target->mask) != 0)
        FAIL(ctx, E_IO, "could not set permissions of file \"%s\"", target->path_temporary);
    TRY(files_rename(ctx, files_os(), target->path_temporary, target->path));
done:
    return st;
}

static Status end(Ctx *ctx, TpchSink *base, bool failed)
{
    Target *target = ((FileSink *)base)->target;
    Status st = OK;

    mutex_lock(&target->mutex);
    target->failed |= failed;
    condition_broadcast(&target->turn);
    if (++target->ended == target->sinks_count && target->file) {
        file_close(target->file);
        target->file = NULL;
        if (!target->failed)
            st = give_name_locked(ctx, target);
    }
    mutex_unlock(&target->mutex);
    return st;
}

static void stop(TpchSink *base)
{
    Target *target = ((FileSink *)base)->target;

    mutex_lock(&target->mutex);
    target->failed = true;
    condition_broadcast(&target->turn);
    mutex_unlock(&target->mutex);
}

static void target_close(void *arg)
{
    Target *target = arg;

    file_close(target->file);
    condition_free(&target->turn);
    mutex_free(&target->mutex);
}

/* Makes the directory with the permissions that the user's mask gives, if it does not exist. */
static Status make_directory(Ctx *ctx, const char *path, mode_t mask)
{
    bool exists;
    Status st = OK;

    TRY(files_exists(ctx, files_os(), path, &exists));
    TRY(files_make_dir(ctx, files_os(), path));
    if (!exists && chmod(path, DIRECTORY_MODE & ~mask) != 0)
        FAIL(ctx, E_IO, "could not set permissions of directory \"%s\"", path);
done:
    return st;
}

Status csv_files_open(Ctx *ctx, Scope *scope, const char *directory, int count, TpchSink **sinks)
{
    static const TpchSinkOps OPS = {.begin = begin, .put = put, .end = end, .stop = stop};
    Target *target = scope_new(scope, Target);
    Status st = OK;

    /* The mask can only be read by setting it; no other thread runs yet. */
    target->mask = umask(0);
    umask(target->mask);
    TRY(make_directory(ctx, directory, target->mask));
    target->directory = scope_strdup(scope, directory);
    target->sinks_count = count;
    mutex_init(&target->mutex);
    condition_init(&target->turn);
    scope_defer(scope, target_close, target);
    for (int i = 0; i < count; i++) {
        FileSink *sink = scope_new(scope, FileSink);

        *sink = (FileSink){.base.ops = &OPS, .target = target};
        sink->scope = scope_open(scope, "csv sink");
        sinks[i] = &sink->base;
    }
done:
    return st;
}
