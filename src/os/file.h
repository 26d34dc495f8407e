// SPDX-License-Identifier: Apache-2.0
//
// Files behind a small table of functions: the system's (files_os) and a simulated disk
// (os/sim_disk.h) that forgets, tears and fails. Whoever writes files takes a Files and never asks
// which. Messages and SQLSTATEs are PostgreSQL's. A File may be read and written by several threads
// at once (positions are given), closed by one.
#ifndef DBASPOT_OS_FILE_H
#define DBASPOT_OS_FILE_H

#include "base/str.h"

typedef struct Files Files;
typedef struct File File;

enum FileFlags {
    FILE_READ = 0,
    FILE_WRITE = 1,    /* read and write */
    FILE_CREATE = 2,   /* if missing */
    FILE_EXCLUSIVE = 4 /* with FILE_CREATE: E_DUPLICATE_FILE if it exists */
};

/* What a file system does. Each function returns 0 or an errno value; transfers may be short. */
typedef struct FilesOps {
    int (*open)(Files *files, const char *path, uint32_t flags, File **out);
    void (*close)(File *file);
    int (*read)(File *file, void *out, size_t bytes, uint64_t offset, size_t *done);
    int (*write)(File *file, const void *bytes, size_t count, uint64_t offset, size_t *done);
    int (*size)(File *file, uint64_t *out);
    int (*truncate)(File *file, uint64_t bytes);
    int (*allocate)(File *file, uint64_t bytes);
    int (*sync)(File *file, bool data_only);
    int (*lock)(File *file);
    int (*rename)(Files *files, const char *from, const char *to);
    int (*unlink)(Files *files, const char *path);
    int (*make_dir)(Files *files, const char *path);
    int (*remove_dir)(Files *files, const char *path);
    int (*sync_dir)(Files *files, const char *path);
    int (*list)(Files *files, const char *path, void (*each)(void *arg, const char *name),
                void *arg);
    int (*exists)(Files *files, const char *path, bool *out);
} FilesOps;

struct Files {
    const FilesOps *ops;
};

/* The common head of every implementation's file. */
struct File {
    Files *files;
    char *path; /* owned by the implementation */
};

/* The system's. Lives for ever. */
Files *files_os(void);

Status file_open(Ctx *ctx, Files *files, const char *path, uint32_t flags, File **out);
/* NULL is allowed. */
void file_close(File *file);
/* Exactly `bytes`, or E_DATA_CORRUPTED if the file ends before. */
Status file_read(Ctx *ctx, File *file, void *out, size_t bytes, uint64_t offset);
/* As many as there are, up to `bytes`. */
Status file_read_some(Ctx *ctx, File *file, void *out, size_t bytes, uint64_t offset, size_t *got);
/* All of it, or an error (E_DISK_FULL, E_IO): then what lies there is unknown. */
Status file_write(Ctx *ctx, File *file, const void *bytes, size_t count, uint64_t offset);
Status file_size(Ctx *ctx, File *file, uint64_t *out);
Status file_truncate(Ctx *ctx, File *file, uint64_t bytes);
/* Reserves space; a file system that cannot is no error. */
Status file_allocate(Ctx *ctx, File *file, uint64_t bytes);
/* A failed sync is never tried again: what was written before is lost or not, nobody knows. */
Status file_sync_data(Ctx *ctx, File *file);
Status file_sync(Ctx *ctx, File *file);
/* Exclusive, until the file is closed or the process ends; *locked false if another holds it. */
Status file_lock(Ctx *ctx, File *file, bool *locked);

Status files_rename(Ctx *ctx, Files *files, const char *from, const char *to);
Status files_unlink(Ctx *ctx, Files *files, const char *path);
/* No error if it exists. */
Status files_make_dir(Ctx *ctx, Files *files, const char *path);
/* Makes creations, renames and removals in the directory durable. */
Status files_sync_dir(Ctx *ctx, Files *files, const char *path);
/* Names (not paths) in the directory, in byte order, without "." and ".."; in `scope`. */
Status files_list(Ctx *ctx, Scope *scope, Files *files, const char *path, char ***names,
                  uint32_t *count);
Status files_exists(Ctx *ctx, Files *files, const char *path, bool *out);
/* The directory and all below it. No error if it does not exist. */
Status files_remove_tree(Ctx *ctx, Files *files, const char *path);
/* The whole file in `scope`, charged to its budget. */
Status files_read_all(Ctx *ctx, Scope *scope, Files *files, const char *path, Str *out);

/* The status of an errno value: E_DISK_FULL, E_UNDEFINED_FILE … E_IO. */
Status files_status(int error);

#endif
