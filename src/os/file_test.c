// SPDX-License-Identifier: Apache-2.0
//
// The same tests over the system's files and over the simulated disk: whole transfers, flags,
// errors with their SQLSTATEs, directories, locks.
#include "os/file.h"
#include "os/sim_disk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static Ctx ctx;
static Files *files;
static SimDisk *disk;
static char dir[64];
static char path[96];

static const char *in_dir(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void write_then_read(void **state)
{
    File *file;
    char bytes[10];
    uint64_t size;
    size_t got;

    (void)state;
    assert_int_equal(file_open(&ctx, files, in_dir("a"), FILE_WRITE | FILE_CREATE, &file), OK);
    assert_int_equal(file_write(&ctx, file, "hello", 5, 3), OK);
    assert_int_equal(file_size(&ctx, file, &size), OK);
    assert_int_equal(size, 8);
    assert_int_equal(file_read(&ctx, file, bytes, 8, 0), OK);
    assert_memory_equal(bytes, "\0\0\0hello", 8);
    assert_int_equal(file_read_some(&ctx, file, bytes, sizeof bytes, 5, &got), OK);
    assert_int_equal(got, 3);
    assert_int_equal(file_read(&ctx, file, bytes, 4, 5), E_DATA_CORRUPTED);
    error_clear(&ctx);
    assert_int_equal(file_truncate(&ctx, file, 4), OK);
    assert_int_equal(file_allocate(&ctx, file, 1 << 16), OK);
    assert_int_equal(file_size(&ctx, file, &size), OK);
    assert_int_equal(size, 1 << 16);
    assert_int_equal(file_read(&ctx, file, bytes, 6, 0), OK);
    assert_memory_equal(bytes, "\0\0\0h\0\0", 6);
    assert_int_equal(file_sync_data(&ctx, file), OK);
    assert_int_equal(file_sync(&ctx, file), OK);
    file_close(file);
    file_close(NULL);
}

static void flags_and_errors(void **state)
{
    File *file;

    (void)state;
    assert_int_equal(file_open(&ctx, files, in_dir("none"), FILE_READ, &file), E_UNDEFINED_FILE);
    assert_non_null(strstr(ctx.error.message, "could not open file \""));
    assert_non_null(strstr(ctx.error.message, "\": No such file or directory"));
    error_clear(&ctx);
    uint32_t create = FILE_WRITE | FILE_CREATE | FILE_EXCLUSIVE;
    assert_int_equal(file_open(&ctx, files, in_dir("b"), create, &file), OK);
    file_close(file);
    assert_int_equal(file_open(&ctx, files, in_dir("b"), create, &file), E_DUPLICATE_FILE);
    error_clear(&ctx);
    assert_int_equal(files_unlink(&ctx, files, in_dir("b")), OK);
    assert_int_equal(files_unlink(&ctx, files, in_dir("b")), E_UNDEFINED_FILE);
    error_clear(&ctx);
    assert_int_equal(files_status(ENOSPC), E_DISK_FULL);
    assert_int_equal(files_status(EIO), E_IO);
    assert_int_equal(files_status(EACCES), E_INSUFFICIENT_PRIVILEGE);
}

static void touch(const char *name)
{
    File *file;

    assert_int_equal(file_open(&ctx, files, in_dir(name), FILE_WRITE | FILE_CREATE, &file), OK);
    assert_int_equal(file_write(&ctx, file, name, strlen(name), 0), OK);
    file_close(file);
}

static void directories(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    char from[96];
    char **names;
    uint32_t count;
    bool exists;
    Str text;

    (void)state;
    assert_int_equal(files_make_dir(&ctx, files, in_dir("d")), OK);
    assert_int_equal(files_make_dir(&ctx, files, in_dir("d")), OK);
    touch("d/two");
    touch("d/one");
    touch("d/three");
    snprintf(from, sizeof from, "%s", in_dir("d/three"));
    assert_int_equal(files_rename(&ctx, files, from, in_dir("d/2")), OK);
    assert_int_equal(files_sync_dir(&ctx, files, in_dir("d")), OK);
    assert_int_equal(files_list(&ctx, scope, files, in_dir("d"), &names, &count), OK);
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "2");
    assert_string_equal(names[1], "one");
    assert_string_equal(names[2], "two");
    assert_int_equal(files_read_all(&ctx, scope, files, in_dir("d/2"), &text), OK);
    assert_true(str_is(text, "d/three"));
    assert_int_equal(files_make_dir(&ctx, files, in_dir("d/deep")), OK);
    touch("d/deep/er");
    assert_int_equal(files_remove_tree(&ctx, files, in_dir("d")), OK);
    assert_int_equal(files_exists(&ctx, files, in_dir("d"), &exists), OK);
    assert_false(exists);
    assert_int_equal(files_remove_tree(&ctx, files, in_dir("d")), OK);
    assert_int_equal(files_list(&ctx, scope, files, in_dir("d"), &names, &count), E_UNDEFINED_FILE);
    error_clear(&ctx);
    scope_close(scope);
}

static void a_lock_has_one_owner(void **state)
{
    File *first;
    File *second;
    bool locked;

    (void)state;
    touch("lock");
    assert_int_equal(file_open(&ctx, files, in_dir("lock"), FILE_WRITE, &first), OK);
    assert_int_equal(file_open(&ctx, files, in_dir("lock"), FILE_WRITE, &second), OK);
    assert_int_equal(file_lock(&ctx, first, &locked), OK);
    assert_true(locked);
    assert_int_equal(file_lock(&ctx, second, &locked), OK);
    assert_false(locked);
    file_close(first);
    assert_int_equal(file_lock(&ctx, second, &locked), OK);
    assert_true(locked);
    file_close(second);
}

static int on_system(void **state)
{
    (void)state;
    files = files_os();
    snprintf(dir, sizeof dir, "%s", "/tmp/dbaspot-file-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int off_system(void **state)
{
    (void)state;
    return files_remove_tree(&ctx, files, dir) == OK ? 0 : -1;
}

static int on_sim(void **state)
{
    (void)state;
    disk = sim_disk_new(1);
    sim_disk_short_transfers(disk, true);
    files = sim_disk_files(disk);
    snprintf(dir, sizeof dir, "%s", "sim");
    return files_make_dir(&ctx, files, dir) == OK ? 0 : -1;
}

static int off_sim(void **state)
{
    (void)state;
    sim_disk_free(disk);
    return 0;
}

/* --- what only the simulated disk does -------------------------------------------------------- */

static char content(const char *name)
{
    Scope *scope = scope_open(NULL, "test");
    bool exists;
    Str text = {0};
    char first = 0;

    assert_int_equal(files_exists(&ctx, files, name, &exists), OK);
    if (exists)
        assert_int_equal(files_read_all(&ctx, scope, files, name, &text), OK);
    if (text.len)
        first = text.ptr[0];
    scope_close(scope);
    return exists ? (text.len ? first : '-') : 0;
}

static void a_crash_forgets_what_was_not_synced(void **state)
{
    static const SimCrash all_lost = {0, 0};
    File *file;

    (void)state;
    sim_disk_short_transfers(disk, false);
    touch("a");
    assert_int_equal(files_sync_dir(&ctx, files, dir), OK);
    touch("b");
    assert_int_equal(file_open(&ctx, files, in_dir("a"), FILE_WRITE, &file), OK);
    sim_disk_crash(disk, &all_lost);
    assert_int_equal(content(in_dir("a")), '-'); /* its name was durable, its bytes were not */
    assert_int_equal(content(in_dir("b")), 0);
    assert_int_equal(file_write(&ctx, file, "x", 1, 0), E_IO); /* from before the crash */
    error_clear(&ctx);
    file_close(file);
    assert_int_equal(file_open(&ctx, files, in_dir("a"), FILE_WRITE, &file), OK);
    assert_int_equal(file_write(&ctx, file, "1", 1, 0), OK);
    assert_int_equal(file_sync_data(&ctx, file), OK);
    assert_int_equal(file_write(&ctx, file, "2", 1, 0), OK);
    sim_disk_crash(disk, &all_lost);
    file_close(file);
    assert_int_equal(content(in_dir("a")), '1');
}

static void a_rename_is_whole_or_not_at_all(void **state)
{
    int seen_old = 0;
    int seen_new = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        SimCrash crash = {50, 1};
        char from[96];

        off_sim(NULL);
        disk = sim_disk_new(seed);
        files = sim_disk_files(disk);
        assert_int_equal(files_make_dir(&ctx, files, dir), OK);
        touch("old");
        assert_int_equal(files_sync_dir(&ctx, files, dir), OK);
        snprintf(from, sizeof from, "%s", in_dir("old"));
        assert_int_equal(files_rename(&ctx, files, from, in_dir("new")), OK);
        sim_disk_crash(disk, &crash);
        bool is_old = content(in_dir("old")) != 0;
        bool is_new = content(in_dir("new")) != 0;
        assert_true(is_old != is_new);
        seen_old += is_old;
        seen_new += is_new;
    }
    assert_true(seen_old > 0 && seen_new > 0);
}

static void faults_come_on_demand(void **state)
{
    File *file;

    (void)state;
    sim_disk_short_transfers(disk, false);
    assert_int_equal(file_open(&ctx, files, in_dir("f"), FILE_WRITE | FILE_CREATE, &file), OK);
    sim_disk_fail(disk, SIM_WRITE, 1, ENOSPC);
    assert_int_equal(file_write(&ctx, file, "x", 1, 0), OK);
    assert_int_equal(file_write(&ctx, file, "x", 1, 0), E_DISK_FULL);
    error_clear(&ctx);
    sim_disk_fail(disk, SIM_SYNC, 0, EIO);
    assert_int_equal(file_sync_data(&ctx, file), E_IO);
    error_clear(&ctx);
    sim_disk_fail(disk, 0, 0, 0);
    sim_disk_limit(disk, 100);
    assert_int_equal(file_write(&ctx, file, "x", 1, 200), E_DISK_FULL);
    error_clear(&ctx);
    sim_disk_limit(disk, 0);
    assert_int_equal(file_sync(&ctx, file), OK);
    sim_disk_flip(disk, in_dir("f"), 0, 0);
    assert_int_equal(content(in_dir("f")), 'x' ^ 1);
    file_close(file);
}

#define BOTH(name)                                                \
    cmocka_unit_test_setup_teardown(name, on_system, off_system), \
        cmocka_unit_test_setup_teardown(name, on_sim, off_sim)
#define SIM(name) cmocka_unit_test_setup_teardown(name, on_sim, off_sim)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(write_then_read),
        BOTH(flags_and_errors),
        BOTH(directories),
        BOTH(a_lock_has_one_owner),
        SIM(a_crash_forgets_what_was_not_synced),
        SIM(a_rename_is_whole_or_not_at_all),
        SIM(faults_come_on_demand),
    };

    ctx_init(&ctx);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ctx_free(&ctx);
    return failed;
}
