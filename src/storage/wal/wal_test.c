// SPDX-License-Identifier: Apache-2.0
//
// The log on the simulated disk: what is acknowledged survives any crash, what is torn is cut, what
// is damaged is reported, recycled files never speak again. The crash model is proven by a disk
// that lies about syncs: with it, the same test must find a loss.
#include "storage/wal/wal_int.h"

#include "base/memory.h"
#include "os/random.h"
#include "os/sim_disk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEGMENT_BYTES = 1 << 16, BUFFER_BYTES = 1 << 16, COMMITS_MAX = 1 << 16, THREADS = 8 };

/* What a replay brought. */
typedef struct Seen {
    uint64_t numbers[COMMITS_MAX]; /* of commits, in order */
    LogPosition positions[COMMITS_MAX];
    LogPosition ends[COMMITS_MAX];
    size_t count;
    size_t pieces;
    size_t payload_bytes;
} Seen;

static Seen seen;
static Ctx ctx;

static Status see(Ctx *unused, void *arg, const WalRecord *record)
{
    (void)unused;
    (void)arg;
    seen.payload_bytes += record->payload.len;
    if (record->kind == WAL_DATA) {
        seen.pieces++;
        return OK;
    }
    assert_true(seen.count < COMMITS_MAX);
    seen.numbers[seen.count] = record->txn_id;
    seen.positions[seen.count] = record->position;
    seen.ends[seen.count++] = record->end;
    /* The payload is the transaction's number, repeated. */
    for (size_t i = 0; i + 8 <= record->payload.len; i += 8)
        assert_memory_equal(record->payload.ptr + i, &record->txn_id, 8);
    return OK;
}

static Timestamp start_ts; /* what was flushed through when the log is opened */

static Status try_open(SimDisk *disk, LogPosition from, Wal **wal)
{
    WalOptions options = {.files = sim_disk_files(disk),
                          .dir = "d/log",
                          .segment_bytes = SEGMENT_BYTES,
                          .buffer_bytes = BUFFER_BYTES,
                          .from = from,
                          .start_ts = start_ts,
                          .apply = see};

    memset(&seen, 0, sizeof seen);
    error_clear(&ctx);
    return wal_open(&ctx, &options, wal);
}

static Wal *open_log(SimDisk *disk, LogPosition from)
{
    Wal *wal = NULL;
    Status st = try_open(disk, from, &wal);

    if (st != OK)
        fail_msg("the log did not open: %s", ctx.error.message);
    return wal;
}

static SimDisk *new_disk(uint64_t seed)
{
    SimDisk *disk = sim_disk_new(seed);
    Files *files = sim_disk_files(disk);

    assert_int_equal(files_make_dir(&ctx, files, "d"), OK);
    assert_int_equal(files_make_dir(&ctx, files, "d/log"), OK);
    assert_int_equal(files_sync_dir(&ctx, files, "d"), OK);
    return disk;
}

static void fill(Wal *wal, const WalPlace *place, const WalRecord *record)
{
    WalWriter writer;
    size_t room;
    char *span;

    wal_write_begin(wal, place, record, &writer);
    for (size_t at = 0; (span = wal_write_span(&writer, &room)) && room > 0;) {
        for (size_t i = 0; i < room; i++, at++)
            span[i] = ((const char *)&record->txn_id)[at % 8];
        wal_write_advance(&writer, room);
    }
    wal_write_end(&writer);
}

/* A commit with number and commit_ts `number`. */
static Status commit(Wal *wal, uint64_t number, size_t payload_bytes)
{
    WalPlace place;
    WalRecord record = {.kind = WAL_COMMIT, .txn_id = number, .commit_ts = number};
    Status st = wal_reserve(&ctx, wal, payload_bytes, number, &place);

    if (st == OK) {
        fill(wal, &place, &record);
        wal_publish(wal, &place);
    }
    return st;
}

static void commit_durably(Wal *wal, uint64_t number, size_t payload_bytes)
{
    assert_int_equal(commit(wal, number, payload_bytes), OK);
    assert_int_equal(wal_wait_durable(&ctx, wal, number), OK);
}

static void expect_commits(uint64_t first, uint64_t last)
{
    assert_int_equal(seen.count, last - first + 1);
    for (uint64_t i = first; i <= last; i++)
        assert_int_equal(seen.numbers[i - first], i);
}

static const SimCrash all_lost = {0, 0};

/* --- the plain case -------------------------------------------------------------------------- */

static void durable_commits_survive_a_crash(void **state)
{
    SimDisk *disk = new_disk(1);
    Wal *wal = open_log(disk, 0);

    (void)state;
    assert_int_equal(seen.count, 0);
    for (uint64_t i = 1; i <= 100; i++)
        commit_durably(wal, i, i % 40);
    assert_int_equal(wal_durable_ts(wal), 100);
    sim_disk_crash(disk, &all_lost);
    wal_abandon(wal);
    wal = open_log(disk, 0);
    expect_commits(1, 100);
    assert_int_equal(wal_installed_ts(wal), 100);
    wal_close(wal);
    sim_disk_free(disk);
}

static void a_closed_log_is_small_and_goes_on(void **state)
{
    SimDisk *disk = new_disk(1);
    uint64_t number = 0;

    (void)state;
    for (int life = 0; life < 5; life++) {
        Wal *wal = open_log(disk, 0);

        assert_int_equal(seen.count, number);
        for (int i = 0; i < 10; i++)
            commit_durably(wal, ++number, 16);
        assert_int_equal(commit(wal, ++number, 8), OK); /* nobody waits: closing writes it */
        wal_close(wal);
    }
    Wal *wal = open_log(disk, 0);
    expect_commits(1, number);
    assert_true(wal_bytes(wal) < 5 * 4096 + SEGMENT_BYTES);
    wal_close(wal);
    sim_disk_free(disk);
}

static void pieces_are_replayed_before_their_commit(void **state)
{
    SimDisk *disk = new_disk(1);
    Wal *wal = open_log(disk, 0);
    size_t piece = wal_payload_max(wal);
    WalPlace place;
    WalRecord record = {.kind = WAL_DATA, .txn_id = 7};

    (void)state;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(wal_reserve(&ctx, wal, piece, 0, &place), OK);
        if (record.batch == 0)
            record.batch = place.position;
        fill(wal, &place, &record);
        wal_publish(wal, &place);
    }
    commit_durably(wal, 7, 24);
    sim_disk_crash(disk, &all_lost);
    wal_abandon(wal);
    wal = open_log(disk, 0);
    expect_commits(7, 7);
    assert_int_equal(seen.pieces, 50);
    assert_int_equal(seen.payload_bytes, 50 * piece + 24);
    wal_close(wal);
    sim_disk_free(disk);
}

/* --- torn and damaged ---------------------------------------------------------------------- */

/* Overwrites the file from `position` on with noise, durably. */
static void destroy_from(SimDisk *disk, LogPosition position)
{
    File *file;
    char path[64];
    char bytes[512];

    snprintf(path, sizeof path, "d/log/%08x.log", log_segment(position));
    memset(bytes, 0xa5, sizeof bytes);
    assert_int_equal(file_open(&ctx, sim_disk_files(disk), path, FILE_WRITE, &file), OK);
    assert_int_equal(file_write(&ctx, file, bytes, sizeof bytes, log_offset(position)), OK);
    assert_int_equal(file_sync(&ctx, file), OK);
    file_close(file);
}

/* Ten commits, each synced alone; returns where the eighth begins and the log ends. */
static SimDisk *ten_commits(LogPosition *eighth, LogPosition *end)
{
    SimDisk *disk = new_disk(2);
    Wal *wal = open_log(disk, 0);

    for (uint64_t i = 1; i <= 10; i++)
        commit_durably(wal, i, 24);
    sim_disk_crash(disk, &all_lost);
    wal_abandon(wal);
    wal = open_log(disk, 0);
    *eighth = seen.positions[7];
    *end = seen.ends[9];
    sim_disk_crash(disk, &all_lost);
    wal_abandon(wal);
    return disk;
}

static void a_tail_torn_at_any_byte_is_cut(void **state)
{
    LogPosition eighth;
    LogPosition end;

    (void)state;
    sim_disk_free(ten_commits(&eighth, &end));
    for (LogPosition cut = eighth; cut < end; cut++) {
        SimDisk *disk = ten_commits(&eighth, &end);
        size_t whole = 7 + (size_t)(cut - eighth) / ((end - eighth) / 3);

        /* The segment that the second life began must not vouch for the first one's end. */
        assert_int_equal(files_remove_tree(&ctx, sim_disk_files(disk), "d/log/00000002.log"), OK);
        destroy_from(disk, cut);
        /* Padding carries nothing: a record that lost only that is whole. */
        bool padding_only = (cut - eighth) % ((end - eighth) / 3) >= sizeof(RecordHeader) + 24;
        Wal *wal = open_log(disk, 0);
        expect_commits(1, padding_only ? whole + 1 : whole);
        commit_durably(wal, 100, 8);
        sim_disk_crash(disk, &all_lost);
        wal_abandon(wal);
        wal = open_log(disk, 0);
        assert_int_equal(seen.numbers[seen.count - 1], 100);
        assert_int_equal(seen.count, (padding_only ? whole + 1 : whole) + 1);
        wal_close(wal);
        sim_disk_free(disk);
    }
}

static void damage_before_the_tail_is_reported(void **state)
{
    LogPosition eighth;
    LogPosition end;
    char place[64];

    (void)state;
    sim_disk_free(ten_commits(&eighth, &end));
    size_t stride = (size_t)(end - eighth) / 3;
    for (size_t bit = 0; bit < (sizeof(RecordHeader) + 24) * 8; bit += 5) {
        SimDisk *disk = ten_commits(&eighth, &end);
        Wal *wal;

        sim_disk_flip(disk, "d/log/00000001.log", log_offset(eighth) + bit / 8, bit % 8);
        assert_int_equal(try_open(disk, 0, &wal), E_DATA_CORRUPTED);
        snprintf(place, sizeof place, "\"d/log/00000001.log\" is damaged at offset %u",
                 log_offset(eighth));
        assert_non_null(strstr(ctx.error.message, place));
        sim_disk_free(disk);
    }
    /* The last record may be torn, if no segment follows: then it is cut. */
    SimDisk *disk = ten_commits(&eighth, &end);
    assert_int_equal(files_remove_tree(&ctx, sim_disk_files(disk), "d/log/00000002.log"), OK);
    sim_disk_flip(disk, "d/log/00000001.log", log_offset(eighth) + 2 * stride + 20, 3);
    Wal *wal = open_log(disk, 0);
    expect_commits(1, 9);
    wal_close(wal);
    sim_disk_free(disk);
    /* But not if one does: its header was written when all before it was durable. */
    disk = ten_commits(&eighth, &end);
    sim_disk_flip(disk, "d/log/00000001.log", log_offset(eighth) + 2 * stride + 20, 3);
    assert_int_equal(try_open(disk, 0, &wal), E_DATA_CORRUPTED);
    sim_disk_free(disk);
}

static void a_missing_or_headless_segment_is_reported(void **state)
{
    SimDisk *disk = new_disk(3);
    Wal *wal = open_log(disk, 0);
    uint64_t number = 0;

    (void)state;
    while (wal->file_number < 4)
        commit_durably(wal, ++number, 4000);
    for (int i = 0; i < 3; i++)
        commit_durably(wal, ++number, 16);
    sim_disk_crash(disk, &all_lost);
    wal_abandon(wal);
    sim_disk_flip(disk, "d/log/00000004.log", 9, 1);
    assert_int_equal(try_open(disk, 0, &wal), E_DATA_CORRUPTED);
    assert_non_null(strstr(ctx.error.message, "00000004.log"));
    sim_disk_flip(disk, "d/log/00000004.log", 9, 1);
    assert_int_equal(files_unlink(&ctx, sim_disk_files(disk), "d/log/00000002.log"), OK);
    assert_int_equal(try_open(disk, 0, &wal), E_DATA_CORRUPTED);
    assert_non_null(strstr(ctx.error.message, "00000002.log"));
    assert_int_equal(try_open(disk, log_position(3, sizeof(SegmentHeader)), &wal), OK);
    assert_int_equal(seen.numbers[seen.count - 1], number);
    wal_close(wal);
    sim_disk_free(disk);
}

/* --- recycling ----------------------------------------------------------------------------- */

static void recycled_segments_stay_silent(void **state)
{
    SimDisk *disk = new_disk(4);
    Wal *wal = open_log(disk, 0);
    uint64_t number = 0;
    uint32_t last = 0;

    (void)state;
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 10; i++)
            commit_durably(wal, ++number, 1000);
        /* Trimmed to its end: every file before is used again and again. */
        wal_trim(wal, wal_durable_position(wal));
        last = wal->file_number;
    }
    assert_true(last > 5);
    assert_true(wal_bytes(wal) <= 2 * SEGMENT_BYTES);
    LogPosition keep = wal_durable_position(wal);
    for (int i = 0; i < 5; i++)
        commit_durably(wal, ++number, 100);
    sim_disk_crash(disk, &all_lost);
    wal_abandon(wal);
    wal = open_log(disk, keep);
    expect_commits(number - 4, number);
    wal_close(wal);
    sim_disk_free(disk);
}

/* --- groups -------------------------------------------------------------------------------- */

typedef struct Group {
    Wal *wal;
    Mutex mutex;
    uint64_t next;
    _Atomic uint64_t woken;
} Group;

static Group group;

static void commit_many(void *arg)
{
    Ctx own;

    (void)arg;
    ctx_init(&own);
    for (int i = 0; i < 500; i++) {
        WalPlace place;

        mutex_lock(&group.mutex);
        uint64_t number = ++group.next;
        assert_int_equal(wal_reserve(&own, group.wal, number % 300, number, &place), OK);
        mutex_unlock(&group.mutex);
        WalRecord record = {.kind = WAL_COMMIT, .txn_id = number, .commit_ts = number};
        fill(group.wal, &place, &record);
        wal_publish(group.wal, &place);
        wal_await_installed(group.wal, number);
        assert_true(wal_installed_ts(group.wal) >= number);
        assert_int_equal(wal_wait_durable(&own, group.wal, number), OK);
        assert_true(wal_durable_ts(group.wal) >= number);
    }
    ctx_free(&own);
}

static void many_threads_commit_in_groups(void **state)
{
    SimDisk *disk = new_disk(5);
    Thread threads[THREADS];

    (void)state;
    group.wal = open_log(disk, 0);
    group.next = 0;
    mutex_init(&group.mutex);
    sim_disk_short_transfers(disk, true);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(thread_start(&ctx, &threads[i], "commit", commit_many, NULL), OK);
    for (int i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
    sim_disk_crash(disk, &all_lost);
    wal_abandon(group.wal);
    Wal *wal = open_log(disk, 0);
    expect_commits(1, THREADS * 500);
    wal_close(wal);
    mutex_free(&group.mutex);
    sim_disk_free(disk);
}

static void note_wake(DurableWaiter *waiter, Status status)
{
    (void)waiter;
    assert_int_equal(status, OK);
    atomic_fetch_add(&group.woken, 1);
}

static void callbacks_are_called_once_when_durable(void **state)
{
    SimDisk *disk = new_disk(6);
    Wal *wal = open_log(disk, 0);
    DurableWaiter waiters[100];
    uint64_t expected = 0;

    (void)state;
    atomic_store(&group.woken, 0);
    for (uint64_t i = 1; i <= 100; i++) {
        waiters[i - 1] = (DurableWaiter){.ts = i, .wake = note_wake};
        assert_int_equal(commit(wal, i, 10), OK);
        if (i % 3 == 0)
            wal_lead_flush(wal);
        expected += !wal_on_durable(wal, &waiters[i - 1]);
    }
    assert_int_equal(wal_wait_durable(&ctx, wal, 100), OK);
    while (atomic_load(&group.woken) < expected)
        thread_yield();
    assert_int_equal(atomic_load(&group.woken), expected);
    wal_close(wal);
    sim_disk_free(disk);
}

static void what_nobody_waits_for_is_written_soon(void **state)
{
    SimDisk *disk = new_disk(6);
    Wal *wal = open_log(disk, 0);

    (void)state;
    assert_int_equal(commit(wal, 1, 10), OK);
    while (wal_durable_ts(wal) < 1)
        thread_yield(); /* the flusher's deadline bounds it; the test's limit bounds a failure */
    wal_close(wal);
    sim_disk_free(disk);
}

/* --- failures ------------------------------------------------------------------------------ */

static void a_failed_sync_ends_the_log(void **state)
{
    (void)state;
    for (int kind = SIM_WRITE; kind <= SIM_SYNC; kind++) {
        SimDisk *disk = new_disk(7);
        Wal *wal = open_log(disk, 0);

        commit_durably(wal, 1, 10);
        sim_disk_fail(disk, (uint32_t)kind, 0, EIO);
        assert_int_equal(commit(wal, 2, 10), OK);
        assert_int_equal(wal_wait_durable(&ctx, wal, 2), E_IO);
        error_clear(&ctx);
        sim_disk_fail(disk, 0, 0, 0); /* the disk recovers, the log does not */
        assert_int_equal(commit(wal, 3, 10), E_IO);
        error_clear(&ctx);
        assert_int_equal(wal_wait_durable(&ctx, wal, 2), E_IO);
        assert_int_equal(wal_durable_ts(wal), 1);
        wal_close(wal);
        wal = open_log(disk, 0);
        assert_int_equal(seen.numbers[0], 1);
        wal_close(wal);
        sim_disk_free(disk);
    }
}

static void a_full_disk_refuses_commits_until_there_is_room(void **state)
{
    SimDisk *disk = new_disk(8);
    Wal *wal = open_log(disk, 0);
    uint64_t number = 0;
    Status st;

    (void)state;
    sim_disk_limit(disk, 2 * SEGMENT_BYTES);
    do {
        st = commit(wal, ++number, 4000);
        if (st == OK)
            assert_int_equal(wal_wait_durable(&ctx, wal, number), OK);
    } while (st == OK && number < 1000);
    assert_int_equal(st, E_DISK_FULL);
    error_clear(&ctx);
    sim_disk_limit(disk, 0);
    /* The first try may still be told of the failure before. */
    for (st = E_DISK_FULL; st == E_DISK_FULL; error_clear(&ctx))
        st = commit(wal, number, 4000);
    assert_int_equal(st, OK);
    assert_int_equal(wal_wait_durable(&ctx, wal, number), OK);
    wal_close(wal);
    wal = open_log(disk, 0);
    expect_commits(1, number);
    wal_close(wal);
    sim_disk_free(disk);
}

/* --- random crashes ------------------------------------------------------------------------ */

/* One history: lives of random commits, syncs and trims, each ended by a crash. Returns false if an
   acknowledged commit is missing or one that was lost has a successor. */
static bool survives(uint64_t seed, bool lying)
{
    SimDisk *disk = new_disk(seed);
    Random random;
    uint64_t number = 0;
    uint64_t acknowledged = 0;
    uint64_t replay_first = 1;
    LogPosition keep = 0;
    bool right = true;

    random_seed(&random, seed);
    start_ts = 0;
    for (int life = 0; life < 6 && right; life++) {
        SimCrash crash = {(uint32_t)random_below(&random, 101), random_below(&random, 2) ? 512 : 1};
        Wal *wal = NULL;

        right = try_open(disk, keep, &wal) == OK;
        if (!right)
            break;
        for (size_t i = 0; i < seen.count; i++)
            right = right && seen.numbers[i] == replay_first + i;
        uint64_t last = seen.count ? seen.numbers[seen.count - 1] : replay_first - 1;
        right = right && last >= acknowledged && last <= number;
        acknowledged = number = last;
        sim_disk_lie(disk, lying);
        for (uint64_t steps = random_below(&random, 60); steps > 0; steps--) {
            uint64_t kind = random_below(&random, 10);

            if (kind < 7) {
                assert_int_equal(commit(wal, ++number, random_below(&random, 6000)), OK);
            } else if (kind < 9) {
                assert_int_equal(wal_wait_durable(&ctx, wal, number), OK);
                acknowledged = number;
            } else if (number > 0 && !lying) {
                assert_int_equal(wal_wait_durable(&ctx, wal, number), OK);
                acknowledged = number;
                keep = wal_durable_position(wal);
                replay_first = number + 1;
                start_ts = number;
                wal_trim(wal, keep);
            }
        }
        sim_disk_crash(disk, &crash);
        sim_disk_lie(disk, false);
        wal_abandon(wal);
    }
    sim_disk_free(disk);
    start_ts = 0;
    return right;
}

static void acknowledged_commits_survive_random_crashes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        if (!survives(seed, false))
            fail_msg("seed %llu: %s", (unsigned long long)seed,
                     ctx.error.message ? ctx.error.message : "a commit is missing");
    }
}

/* The planted bug: without syncs the same test must fail. */
static void a_disk_that_lies_is_found_out(void **state)
{
    int found = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++)
        found += !survives(seed, true);
    assert_true(found > 10);
}

static int set_up(void **state)
{
    (void)state;
    ctx_init(&ctx);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ctx_free(&ctx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durable_commits_survive_a_crash),
        cmocka_unit_test(a_closed_log_is_small_and_goes_on),
        cmocka_unit_test(pieces_are_replayed_before_their_commit),
        cmocka_unit_test(a_tail_torn_at_any_byte_is_cut),
        cmocka_unit_test(damage_before_the_tail_is_reported),
        cmocka_unit_test(a_missing_or_headless_segment_is_reported),
        cmocka_unit_test(recycled_segments_stay_silent),
        cmocka_unit_test(many_threads_commit_in_groups),
        cmocka_unit_test(callbacks_are_called_once_when_durable),
        cmocka_unit_test(what_nobody_waits_for_is_written_soon),
        cmocka_unit_test(a_failed_sync_ends_the_log),
        cmocka_unit_test(a_full_disk_refuses_commits_until_there_is_room),
        cmocka_unit_test(acknowledged_commits_survive_random_crashes),
        cmocka_unit_test(a_disk_that_lies_is_found_out),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
