// SPDX-License-Identifier: Apache-2.0
//
// A disk in memory. An inode has its current bytes, its durable bytes and the writes between them,
// in order; a sync empties that list. Names are a table of (path, inode) with a list of changes
// that a directory sync empties. A crash applies a random subset of an inode's writes and a random
// prefix of the name changes to what was durable.
#include "os/sim_disk.h"

#include "base/memory.h"
#include "os/random.h"
#include "os/thread.h"

#include <errno.h>

typedef struct SimWrite {
    struct SimWrite *next;
    uint64_t offset; /* of a write; the new size of a truncation */
    size_t count;
    bool truncate;
    char bytes[];
} SimWrite;

typedef struct SimInode {
    struct SimInode *next; /* all of the disk's */
    StrBuf current;
    StrBuf durable;
    SimWrite *unsynced;
    SimWrite **unsynced_end;
    bool directory;
    uint64_t locked_by; /* crash count + 1 at which a handle locked it, 0: free */
} SimInode;

/* `inode` NULL: the name is taken away. */
typedef struct SimName {
    struct SimName *next;
    SimInode *inode;
    bool joined; /* of a change: happens with the one after it, or not at all */
    char path[];
} SimName;

struct SimDisk {
    Files files; /* first: a Files is cast to its disk */
    Mutex mutex;
    Random random;
    SimInode *inodes;
    SimName *names;         /* current */
    SimName *durable_names; /* as the last directory sync or crash left them */
    SimName *changes;       /* between the two, oldest first */
    SimName **changes_end;
    uint64_t crashes;
    uint64_t syncs;
    uint64_t limit_bytes;
    uint64_t fail_skip;
    uint32_t fail_kinds;
    int fail_error;
    bool lying;
    bool short_transfers;
};

typedef struct SimFile {
    File file;
    SimInode *inode;
    uint64_t crashes; /* the disk's count when it was opened */
    bool locks;
} SimFile;

static SimDisk *disk_of(Files *files)
{
    return (SimDisk *)files;
}

/* --- names --------------------------------------------------------------------------------- */

static SimName **find_name(SimName **list, const char *path)
{
    while (*list && strcmp((*list)->path, path) != 0)
        list = &(*list)->next;
    return list;
}

static SimName *new_name(const char *path, SimInode *inode)
{
    size_t length = strlen(path) + 1;
    SimName *name = mem_alloc(sizeof *name + length);

    name->next = NULL;
    name->inode = inode;
    name->joined = false;
    memcpy(name->path, path, length);
    return name;
}

/* Makes `list` say that the path is this inode, or nothing. */
static void set_name(SimName **list, const char *path, SimInode *inode)
{
    SimName **at = find_name(list, path);

    if (*at && inode) {
        (*at)->inode = inode;
    } else if (*at) {
        SimName *gone = *at;

        *at = gone->next;
        mem_free(gone);
    } else if (inode) {
        *at = new_name(path, inode);
    }
}

static void change_name(SimDisk *disk, const char *path, SimInode *inode, bool joined)
{
    SimName *change = new_name(path, inode);

    change->joined = joined;
    set_name(&disk->names, path, inode);
    *disk->changes_end = change;
    disk->changes_end = &change->next;
}

static SimInode *lookup(SimDisk *disk, const char *path)
{
    SimName *name = *find_name(&disk->names, path);

    return name ? name->inode : NULL;
}

static bool lies_in(const char *path, const char *dir)
{
    size_t length = strlen(dir);

    return strncmp(path, dir, length) == 0 && path[length] == '/' &&
           strchr(path + length + 1, '/') == NULL;
}

static void free_names(SimName *list)
{
    while (list) {
        SimName *next = list->next;

        mem_free(list);
        list = next;
    }
}

/* --- bytes --------------------------------------------------------------------------------- */

static void resize(StrBuf *buf, uint64_t bytes)
{
    if (bytes > buf->len) {
        memset(strbuf_reserve(buf, bytes - buf->len), 0, bytes - buf->len);
    }
    buf->len = bytes;
}

static void apply_write(StrBuf *buf, const SimWrite *write, size_t count)
{
    if (write->truncate) {
        resize(buf, write->offset);
        return;
    }
    if (write->offset + count > buf->len)
        resize(buf, write->offset + count);
    if (count)
        memcpy(buf->ptr + write->offset, write->bytes, count);
}

static void add_write(SimInode *inode, const void *bytes, size_t count, uint64_t offset,
                      bool truncate)
{
    SimWrite *write = mem_alloc(sizeof *write + count);

    write->next = NULL;
    write->offset = offset;
    write->count = count;
    write->truncate = truncate;
    if (count)
        memcpy(write->bytes, bytes, count);
    apply_write(&inode->current, write, count);
    *inode->unsynced_end = write;
    inode->unsynced_end = &write->next;
}

static void drop_writes(SimInode *inode)
{
    while (inode->unsynced) {
        SimWrite *next = inode->unsynced->next;

        mem_free(inode->unsynced);
        inode->unsynced = next;
    }
    inode->unsynced_end = &inode->unsynced;
}

static void sync_inode(SimInode *inode)
{
    for (SimWrite *write = inode->unsynced; write; write = write->next)
        apply_write(&inode->durable, write, write->count);
    drop_writes(inode);
}

static SimInode *new_inode(SimDisk *disk, bool directory)
{
    SimInode *inode = mem_alloc_zero(sizeof *inode);

    strbuf_init(&inode->current);
    strbuf_init(&inode->durable);
    inode->unsynced_end = &inode->unsynced;
    inode->directory = directory;
    inode->next = disk->inodes;
    disk->inodes = inode;
    return inode;
}

static uint64_t disk_bytes(SimDisk *disk)
{
    uint64_t bytes = 0;

    for (SimName *name = disk->names; name; name = name->next)
        bytes += name->inode->current.len;
    return bytes;
}

/* --- faults -------------------------------------------------------------------------------- */

static int fault(SimDisk *disk, SimFault kind)
{
    if (!(disk->fail_kinds & kind) || disk->fail_error == 0)
        return 0;
    if (disk->fail_skip > 0) {
        disk->fail_skip--;
        return 0;
    }
    return disk->fail_error;
}

static size_t cut_short(SimDisk *disk, size_t bytes)
{
    return disk->short_transfers && bytes > 1 ? 1 + random_below(&disk->random, bytes) : bytes;
}

/* Locks the disk; the file's handle must be from after the last crash. */
static int enter(File *file, SimFault kind, SimDisk **out)
{
    SimDisk *disk = disk_of(file->files);

    *out = disk;
    mutex_lock(&disk->mutex);
    if (((SimFile *)file)->crashes != disk->crashes)
        return EIO;
    return fault(disk, kind);
}

/* --- the table of functions ---------------------------------------------------------------- */

static int sim_open(Files *files, const char *path, uint32_t flags, File **out)
{
    SimDisk *disk = disk_of(files);
    int error = 0;

    mutex_lock(&disk->mutex);
    SimInode *inode = lookup(disk, path);
    if (inode && inode->directory) {
        error = EISDIR;
    } else if (inode && (flags & FILE_EXCLUSIVE)) {
        error = EEXIST;
    } else if (!inode && !(flags & FILE_CREATE)) {
        error = ENOENT;
    } else if (!inode) {
        error = fault(disk, SIM_CREATE);
        if (!error) {
            inode = new_inode(disk, false);
            change_name(disk, path, inode, false);
        }
    }
    if (!error) {
        SimFile *file = mem_alloc_zero(sizeof *file);

        *file = (SimFile){{files, mem_strdup(path)}, inode, disk->crashes, false};
        *out = &file->file;
    }
    mutex_unlock(&disk->mutex);
    return error;
}

static void sim_close(File *base)
{
    SimFile *file = (SimFile *)base;
    SimDisk *disk = disk_of(base->files);

    mutex_lock(&disk->mutex);
    if (file->locks && file->inode->locked_by == file->crashes + 1)
        file->inode->locked_by = 0;
    mutex_unlock(&disk->mutex);
    mem_free(base->path);
    mem_free(file);
}

static int sim_read(File *file, void *out, size_t bytes, uint64_t offset, size_t *done)
{
    SimDisk *disk;
    int error = enter(file, SIM_READ, &disk);
    StrBuf *current = &((SimFile *)file)->inode->current;

    *done = 0;
    if (!error && offset < current->len) {
        *done = cut_short(disk, MIN(bytes, current->len - offset));
        memcpy(out, current->ptr + offset, *done);
    }
    mutex_unlock(&disk->mutex);
    return error;
}

static int sim_write(File *file, const void *bytes, size_t count, uint64_t offset, size_t *done)
{
    SimDisk *disk;
    int error = enter(file, SIM_WRITE, &disk);
    SimInode *inode = ((SimFile *)file)->inode;

    *done = 0;
    if (!error && disk->limit_bytes && offset + count > inode->current.len &&
        disk_bytes(disk) + (offset + count - inode->current.len) > disk->limit_bytes)
        error = ENOSPC;
    if (!error) {
        *done = cut_short(disk, count);
        add_write(inode, bytes, *done, offset, false);
    }
    mutex_unlock(&disk->mutex);
    return error;
}

static int sim_size(File *file, uint64_t *out)
{
    SimDisk *disk;
    int error = enter(file, 0, &disk);

    *out = ((SimFile *)file)->inode->current.len;
    mutex_unlock(&disk->mutex);
    return error;
}

static int sim_truncate(File *file, uint64_t bytes)
{
    SimDisk *disk;
    int error = enter(file, SIM_WRITE, &disk);

    if (!error)
        add_write(((SimFile *)file)->inode, NULL, 0, bytes, true);
    mutex_unlock(&disk->mutex);
    return error;
}

static int sim_allocate(File *file, uint64_t bytes)
{
    SimDisk *disk;
    int error = enter(file, SIM_WRITE, &disk);
    SimInode *inode = ((SimFile *)file)->inode;

    if (!error && bytes > inode->current.len) {
        if (disk->limit_bytes && disk_bytes(disk) + bytes - inode->current.len > disk->limit_bytes)
            error = ENOSPC;
        else
            add_write(inode, NULL, 0, bytes, true);
    }
    mutex_unlock(&disk->mutex);
    return error;
}

static int sim_sync(File *file, bool data_only)
{
    SimDisk *disk;
    int error = enter(file, SIM_SYNC, &disk);

    (void)data_only;
    disk->syncs++;
    if (!error && !disk->lying)
        sync_inode(((SimFile *)file)->inode);
    mutex_unlock(&disk->mutex);
    return error;
}

static int sim_lock(File *base)
{
    SimFile *file = (SimFile *)base;
    SimDisk *disk;
    int error = enter(base, 0, &disk);

    if (!error && file->inode->locked_by == disk->crashes + 1)
        error = EAGAIN;
    if (!error) {
        file->inode->locked_by = disk->crashes + 1;
        file->locks = true;
    }
    mutex_unlock(&disk->mutex);
    return error;
}

static int sim_rename(Files *files, const char *from, const char *to)
{
    SimDisk *disk = disk_of(files);
    SimInode *inode;

    mutex_lock(&disk->mutex);
    inode = lookup(disk, from);
    if (inode) {
        change_name(disk, to, inode, true);
        change_name(disk, from, NULL, false);
    }
    mutex_unlock(&disk->mutex);
    return inode ? 0 : ENOENT;
}

static int sim_unlink(Files *files, const char *path)
{
    SimDisk *disk = disk_of(files);
    int error = 0;

    mutex_lock(&disk->mutex);
    SimInode *inode = lookup(disk, path);
    if (!inode)
        error = ENOENT;
    else if (inode->directory)
        error = EISDIR;
    else
        change_name(disk, path, NULL, false);
    mutex_unlock(&disk->mutex);
    return error;
}

static int sim_make_dir(Files *files, const char *path)
{
    SimDisk *disk = disk_of(files);
    int error = 0;

    mutex_lock(&disk->mutex);
    if (lookup(disk, path))
        error = EEXIST;
    else
        change_name(disk, path, new_inode(disk, true), false);
    mutex_unlock(&disk->mutex);
    return error;
}

static int sim_remove_dir(Files *files, const char *path)
{
    SimDisk *disk = disk_of(files);
    int error = 0;

    mutex_lock(&disk->mutex);
    SimInode *inode = lookup(disk, path);
    if (!inode)
        error = ENOENT;
    else if (!inode->directory)
        error = ENOTDIR;
    for (SimName *name = disk->names; name && !error; name = name->next) {
        if (lies_in(name->path, path))
            error = ENOTEMPTY;
    }
    if (!error)
        change_name(disk, path, NULL, false);
    mutex_unlock(&disk->mutex);
    return error;
}

static int sim_sync_dir(Files *files, const char *path)
{
    SimDisk *disk = disk_of(files);
    int error;

    mutex_lock(&disk->mutex);
    error = fault(disk, SIM_SYNC);
    disk->syncs++;
    for (SimName **at = &disk->changes; !error && !disk->lying && *at;) {
        SimName *change = *at;

        if (lies_in(change->path, path)) {
            set_name(&disk->durable_names, change->path, change->inode);
            *at = change->next;
            mem_free(change);
        } else {
            at = &change->next;
        }
    }
    disk->changes_end = &disk->changes;
    while (*disk->changes_end)
        disk->changes_end = &(*disk->changes_end)->next;
    mutex_unlock(&disk->mutex);
    return error;
}

static int sim_list(Files *files, const char *path, void (*each)(void *arg, const char *name),
                    void *arg)
{
    SimDisk *disk = disk_of(files);
    int error = 0;

    mutex_lock(&disk->mutex);
    SimInode *inode = lookup(disk, path);
    if (!inode || !inode->directory)
        error = inode ? ENOTDIR : ENOENT;
    for (SimName *name = disk->names; name && !error; name = name->next) {
        if (lies_in(name->path, path))
            each(arg, name->path + strlen(path) + 1);
    }
    mutex_unlock(&disk->mutex);
    return error;
}

static int sim_exists(Files *files, const char *path, bool *out)
{
    SimDisk *disk = disk_of(files);

    mutex_lock(&disk->mutex);
    *out = lookup(disk, path) != NULL;
    mutex_unlock(&disk->mutex);
    return 0;
}

/* --- what tests say -------------------------------------------------------------------------- */

SimDisk *sim_disk_new(uint64_t seed)
{
    static const FilesOps ops = {
        .open = sim_open,
        .close = sim_close,
        .read = sim_read,
        .write = sim_write,
        .size = sim_size,
        .truncate = sim_truncate,
        .allocate = sim_allocate,
        .sync = sim_sync,
        .lock = sim_lock,
        .rename = sim_rename,
        .unlink = sim_unlink,
        .make_dir = sim_make_dir,
        .remove_dir = sim_remove_dir,
        .sync_dir = sim_sync_dir,
        .list = sim_list,
        .exists = sim_exists,
    };
    SimDisk *disk = mem_alloc_zero(sizeof *disk);

    disk->files.ops = &ops;
    mutex_init(&disk->mutex);
    random_seed(&disk->random, seed);
    disk->changes_end = &disk->changes;
    return disk;
}

void sim_disk_free(SimDisk *disk)
{
    while (disk->inodes) {
        SimInode *next = disk->inodes->next;

        drop_writes(disk->inodes);
        strbuf_free(&disk->inodes->current);
        strbuf_free(&disk->inodes->durable);
        mem_free(disk->inodes);
        disk->inodes = next;
    }
    free_names(disk->names);
    free_names(disk->durable_names);
    free_names(disk->changes);
    mutex_free(&disk->mutex);
    mem_free(disk);
}

Files *sim_disk_files(SimDisk *disk)
{
    return &disk->files;
}

/* Some of the unsynced writes made it, in their order, each whole or torn. */
static void crash_inode(SimDisk *disk, SimInode *inode, const SimCrash *crash)
{
    for (SimWrite *write = inode->unsynced; write; write = write->next) {
        size_t count = write->count;

        if (random_below(&disk->random, 100) >= crash->survive_percent)
            continue;
        if (crash->tear_bytes && !write->truncate && random_below(&disk->random, 2)) {
            uint64_t cut = random_below(&disk->random, write->offset + count + 1);

            cut -= cut % crash->tear_bytes;
            count = cut > write->offset ? MIN(cut - write->offset, count) : 0;
        }
        apply_write(&inode->durable, write, count);
    }
    drop_writes(inode);
    strbuf_clear(&inode->current);
    strbuf_append(&inode->current, inode->durable.ptr, inode->durable.len);
}

void sim_disk_crash(SimDisk *disk, const SimCrash *crash)
{
    mutex_lock(&disk->mutex);
    disk->crashes++;
    for (SimInode *inode = disk->inodes; inode; inode = inode->next)
        crash_inode(disk, inode, crash);
    bool joined = false;
    for (SimName *change = disk->changes; change; change = change->next) {
        if (!joined && random_below(&disk->random, 100) >= crash->survive_percent)
            break;
        set_name(&disk->durable_names, change->path, change->inode);
        joined = change->joined;
    }
    free_names(disk->changes);
    disk->changes = NULL;
    disk->changes_end = &disk->changes;
    free_names(disk->names);
    disk->names = NULL;
    for (SimName *name = disk->durable_names; name; name = name->next)
        set_name(&disk->names, name->path, name->inode);
    mutex_unlock(&disk->mutex);
}

void sim_disk_lie(SimDisk *disk, bool lie)
{
    mutex_lock(&disk->mutex);
    disk->lying = lie;
    mutex_unlock(&disk->mutex);
}

void sim_disk_fail(SimDisk *disk, uint32_t faults, uint64_t skip, int error)
{
    mutex_lock(&disk->mutex);
    disk->fail_kinds = faults;
    disk->fail_skip = skip;
    disk->fail_error = error;
    mutex_unlock(&disk->mutex);
}

void sim_disk_short_transfers(SimDisk *disk, bool on)
{
    mutex_lock(&disk->mutex);
    disk->short_transfers = on;
    mutex_unlock(&disk->mutex);
}

void sim_disk_limit(SimDisk *disk, uint64_t bytes)
{
    mutex_lock(&disk->mutex);
    disk->limit_bytes = bytes;
    mutex_unlock(&disk->mutex);
}

uint64_t sim_disk_syncs(const SimDisk *disk)
{
    SimDisk *writable = (SimDisk *)disk;

    mutex_lock(&writable->mutex);
    uint64_t syncs = disk->syncs;
    mutex_unlock(&writable->mutex);
    return syncs;
}

void sim_disk_flip(SimDisk *disk, const char *path, uint64_t offset, uint32_t bit)
{
    mutex_lock(&disk->mutex);
    SimInode *inode = lookup(disk, path);
    ASSERT(inode && offset < inode->current.len && offset < inode->durable.len && bit < 8);
    inode->current.ptr[offset] ^= (char)(1 << bit);
    inode->durable.ptr[offset] ^= (char)(1 << bit);
    mutex_unlock(&disk->mutex);
}
