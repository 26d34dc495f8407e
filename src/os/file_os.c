// SPDX-License-Identifier: Apache-2.0
//
// The system's file system behind file.h's table: POSIX calls, interrupted ones tried again (never
// a sync), every descriptor closed on exec. Locks are fcntl's open-file-description locks, so that
// a second open in the same process is refused too.
#include "base/memory.h"
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct OsFile {
    File file;
    int fd;
} OsFile;

static int fd_of(const File *file)
{
    return ((const OsFile *)file)->fd;
}

static int os_open(Files *files, const char *path, uint32_t flags, File **out)
{
    int mode = (flags & FILE_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC;
    int fd;

    if (flags & FILE_CREATE)
        mode |= O_CREAT;
    if (flags & FILE_EXCLUSIVE)
        mode |= O_EXCL;
    do
        fd = open(path, mode, 0600);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return errno;
    OsFile *file = mem_alloc(sizeof *file);
    *file = (OsFile){.file = {files, mem_strdup(path)}, .fd = fd};
    *out = &file->file;
    return 0;
}

static void os_close(File *file)
{
    close(fd_of(file));
    mem_free(file->path);
    mem_free(file);
}

static int os_read(File *file, void *out, size_t bytes, uint64_t offset, size_t *done)
{
    ssize_t got;

    do
        got = pread(fd_of(file), out, bytes, (off_t)offset);
    while (got < 0 && errno == EINTR);
    *done = got < 0 ? 0 : (size_t)got;
    return got < 0 ? errno : 0;
}

static int os_write(File *file, const void *bytes, size_t count, uint64_t offset, size_t *done)
{
    ssize_t put;

    do
        put = pwrite(fd_of(file), bytes, count, (off_t)offset);
    while (put < 0 && errno == EINTR);
    *done = put < 0 ? 0 : (size_t)put;
    return put < 0 ? errno : 0;
}

static int os_size(File *file, uint64_t *out)
{
    struct stat info;

    if (fstat(fd_of(file), &info) != 0)
        return errno;
    *out = (uint64_t)info.st_size;
    return 0;
}

static int os_truncate(File *file, uint64_t bytes)
{
    return ftruncate(fd_of(file), (off_t)bytes) == 0 ? 0 : errno;
}

static int os_allocate(File *file, uint64_t bytes)
{
    return fallocate(fd_of(file), 0, 0, (off_t)bytes) == 0 ? 0 : errno;
}

static int os_sync(File *file, bool data_only)
{
    return (data_only ? fdatasync(fd_of(file)) : fsync(fd_of(file))) == 0 ? 0 : errno;
}

static int os_lock(File *file)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(fd_of(file), F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

static int os_rename(Files *files, const char *from, const char *to)
{
    (void)files;
    return rename(from, to) == 0 ? 0 : errno;
}

static int os_unlink(Files *files, const char *path)
{
    (void)files;
    return unlink(path) == 0 ? 0 : errno;
}

static int os_make_dir(Files *files, const char *path)
{
    (void)files;
    return mkdir(path, 0700) == 0 ? 0 : errno;
}

static int os_remove_dir(Files *files, const char *path)
{
    (void)files;
    return rmdir(path) == 0 ? 0 : errno;
}

static int os_sync_dir(Files *files, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)files;
    if (fd < 0)
        return errno;
    int error = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return error;
}

static int os_list(Files *files, const char *path, void (*each)(void *arg, const char *name),
                   void *arg)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    (void)files;
    if (!dir)
        return errno;
    errno = 0;
    while ((entry = readdir(dir)) != NULL) {
        each(arg, entry->d_name);
        errno = 0;
    }
    int error = errno;
    closedir(dir);
    return error;
}

static int os_exists(Files *files, const char *path, bool *out)
{
    struct stat info;

    (void)files;
    *out = stat(path, &info) == 0;
    return *out || errno == ENOENT || errno == ENOTDIR ? 0 : errno;
}

Files *files_os(void)
{
    static const FilesOps ops = {
        .open = os_open,
        .close = os_close,
        .read = os_read,
        .write = os_write,
        .size = os_size,
        .truncate = os_truncate,
        .allocate = os_allocate,
        .sync = os_sync,
        .lock = os_lock,
        .rename = os_rename,
        .unlink = os_unlink,
        .make_dir = os_make_dir,
        .remove_dir = os_remove_dir,
        .sync_dir = os_sync_dir,
        .list = os_list,
        .exists = os_exists,
    };
    static Files files = {&ops};

    return &files;
}
