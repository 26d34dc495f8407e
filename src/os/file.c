// SPDX-License-Identifier: Apache-2.0
//
// What is common to every implementation of Files: whole transfers, messages, SQLSTATEs, and the
// operations built from the others (trees, whole files).
#include "os/file.h"

#include "base/array.h"

#include <errno.h>
#include <stdlib.h>

Status files_status(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT: return E_DISK_FULL;
    case ENOENT:
    case ENOTDIR: return E_UNDEFINED_FILE;
    case EEXIST: return E_DUPLICATE_FILE;
    case EACCES:
    case EPERM:
    case EROFS: return E_INSUFFICIENT_PRIVILEGE;
    case ENOMEM: return E_OUT_OF_MEMORY;
    default: return E_IO;
    }
}

/* "could not <verb> "path": reason", as PostgreSQL says it. */
static Status fail(Ctx *ctx, int error, const char *verb, const char *path)
{
    char reason[128];

    return error_raise(ctx, files_status(error), "could not %s \"%s\": %s", verb, path,
                       strerror_r(error, reason, sizeof reason));
}

Status file_open(Ctx *ctx, Files *files, const char *path, uint32_t flags, File **out)
{
    int error = files->ops->open(files, path, flags, out);

    return error ? fail(ctx, error, flags & FILE_EXCLUSIVE ? "create file" : "open file", path)
                 : OK;
}

void file_close(File *file)
{
    if (file)
        file->files->ops->close(file);
}

Status file_read_some(Ctx *ctx, File *file, void *out, size_t bytes, uint64_t offset, size_t *got)
{
    size_t total = 0;

    while (total < bytes) {
        size_t done = 0;
        int error =
            file->files->ops->read(file, (char *)out + total, bytes - total, offset + total, &done);

        if (error)
            return fail(ctx, error, "read file", file->path);
        if (done == 0)
            break;
        total += done;
    }
    *got = total;
    return OK;
}

Status file_read(Ctx *ctx, File *file, void *out, size_t bytes, uint64_t offset)
{
    Status st = OK;
    size_t got = 0;

    TRY(file_read_some(ctx, file, out, bytes, offset, &got));
    if (got < bytes)
        FAIL(ctx, E_DATA_CORRUPTED,
             "could not read file \"%s\": read only %zu of %zu bytes at offset %llu", file->path,
             got, bytes, (unsigned long long)offset);
done:
    return st;
}

Status file_write(Ctx *ctx, File *file, const void *bytes, size_t count, uint64_t offset)
{
    size_t total = 0;

    while (total < count) {
        size_t done = 0;
        int error = file->files->ops->write(file, (const char *)bytes + total, count - total,
                                            offset + total, &done);

        if (error == 0 && done == 0)
            error = ENOSPC;
        if (error)
            return fail(ctx, error, "write file", file->path);
        total += done;
    }
    return OK;
}

Status file_size(Ctx *ctx, File *file, uint64_t *out)
{
    int error = file->files->ops->size(file, out);

    return error ? fail(ctx, error, "stat file", file->path) : OK;
}

Status file_truncate(Ctx *ctx, File *file, uint64_t bytes)
{
    int error = file->files->ops->truncate(file, bytes);

    return error ? fail(ctx, error, "truncate file", file->path) : OK;
}

Status file_allocate(Ctx *ctx, File *file, uint64_t bytes)
{
    int error = file->files->ops->allocate(file, bytes);

    if (error == EOPNOTSUPP || error == ENOSYS || error == EINVAL)
        error = 0;
    return error ? fail(ctx, error, "allocate space for file", file->path) : OK;
}

Status file_sync_data(Ctx *ctx, File *file)
{
    int error = file->files->ops->sync(file, true);

    return error ? fail(ctx, error, "fdatasync file", file->path) : OK;
}

Status file_sync(Ctx *ctx, File *file)
{
    int error = file->files->ops->sync(file, false);

    return error ? fail(ctx, error, "fsync file", file->path) : OK;
}

Status file_lock(Ctx *ctx, File *file, bool *locked)
{
    int error = file->files->ops->lock(file);

    *locked = error == 0;
    if (error == EAGAIN || error == EACCES)
        error = 0;
    return error ? fail(ctx, error, "lock file", file->path) : OK;
}

Status files_rename(Ctx *ctx, Files *files, const char *from, const char *to)
{
    int error = files->ops->rename(files, from, to);

    return error ? fail(ctx, error, "rename file", from) : OK;
}

Status files_unlink(Ctx *ctx, Files *files, const char *path)
{
    int error = files->ops->unlink(files, path);

    return error ? fail(ctx, error, "remove file", path) : OK;
}

Status files_make_dir(Ctx *ctx, Files *files, const char *path)
{
    int error = files->ops->make_dir(files, path);

    return error && error != EEXIST ? fail(ctx, error, "create directory", path) : OK;
}

Status files_sync_dir(Ctx *ctx, Files *files, const char *path)
{
    int error = files->ops->sync_dir(files, path);

    return error ? fail(ctx, error, "fsync directory", path) : OK;
}

Status files_exists(Ctx *ctx, Files *files, const char *path, bool *out)
{
    int error = files->ops->exists(files, path, out);

    return error ? fail(ctx, error, "stat file", path) : OK;
}

typedef struct NameList {
    Scope *scope;
    ARRAY(char *) names;
} NameList;

static void add_name(void *arg, const char *name)
{
    NameList *list = arg;

    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        array_push(list->scope, &list->names, scope_strdup(list->scope, name));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

Status files_list(Ctx *ctx, Scope *scope, Files *files, const char *path, char ***names,
                  uint32_t *count)
{
    NameList list = {.scope = scope};
    int error = files->ops->list(files, path, add_name, &list);

    if (error)
        return fail(ctx, error, "open directory", path);
    if (list.names.count)
        qsort(list.names.data, list.names.count, sizeof *list.names.data, compare_names);
    *names = list.names.data;
    *count = list.names.count;
    return OK;
}

enum { TREE_DEPTH_MAX = 32 };

static Status remove_tree(Ctx *ctx, Scope *scope, Files *files, const char *path, int depth)
{
    Status st = OK;
    char **names = NULL;
    uint32_t count = 0;
    int error = files->ops->unlink(files, path);

    if (error == 0 || error == ENOENT)
        return OK;
    if (depth == TREE_DEPTH_MAX)
        FAIL(ctx, E_PROGRAM_LIMIT_EXCEEDED, "directory \"%s\" is too deep", path);
    TRY(files_list(ctx, scope, files, path, &names, &count));
    for (uint32_t i = 0; i < count; i++)
        TRY(remove_tree(ctx, scope, files, scope_printf(scope, "%s/%s", path, names[i]),
                        depth + 1));
    error = files->ops->remove_dir(files, path);
    if (error)
        st = fail(ctx, error, "remove directory", path);
done:
    return st;
}

Status files_remove_tree(Ctx *ctx, Files *files, const char *path)
{
    Scope *scope = scope_open(NULL, "remove tree");
    Status st = remove_tree(ctx, scope, files, path, 0);

    scope_close(scope);
    return st;
}

Status files_read_all(Ctx *ctx, Scope *scope, Files *files, const char *path, Str *out)
{
    Status st = OK;
    File *file = NULL;
    uint64_t size;
    void *bytes;

    TRY(file_open(ctx, files, path, FILE_READ, &file));
    TRY(file_size(ctx, file, &size));
    TRY(scope_alloc_data(ctx, scope, size, &bytes));
    TRY(file_read(ctx, file, bytes, size, 0));
    *out = str_make(bytes, size);
done:
    file_close(file);
    return st;
}
