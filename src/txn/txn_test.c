// SPDX-License-Identifier: Apache-2.0
//
// Transactions on an in-memory storage: visibility, first committer wins, waits and retries,
// deadlocks, savepoints, escalation, and counters under many threads.
#include "txn/txn.h"

#include "os/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define RELATION 2000u

typedef struct Fixture {
    Ctx ctx;
    Storage *storage;
    TxnManager *manager;
} Fixture;

static int set_up(void **state)
{
    Fixture *f = test_calloc(1, sizeof *f);
    StorageOptions options = {
        .memory_limit = 256 << 20, .generation_bytes = 16 << 20, .segment_bytes = 16 << 20};

    ctx_init(&f->ctx);
    assert_int_equal(storage_open(&f->ctx, &options, &f->storage), OK);
    assert_int_equal(txn_manager_open(&f->ctx, f->storage, &f->manager), OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;

    storage_close(f->storage);
    txn_manager_close(f->manager);
    ctx_free(&f->ctx);
    test_free(f);
    return 0;
}

typedef struct Waker {
    _Atomic int count;
} Waker;

static void count_wake(void *arg)
{
    atomic_fetch_add(&((Waker *)arg)->count, 1);
}

static Txn *begin(Fixture *f, Isolation isolation, Waker *waker)
{
    Txn *txn;
    TxnOptions options = {
        .isolation = isolation, .wake = waker ? count_wake : NULL, .wake_arg = waker};

    assert_int_equal(txn_begin(&f->ctx, f->manager, &options, &txn), OK);
    return txn;
}

static const Snapshot *statement(Fixture *f, Txn *txn)
{
    const Snapshot *snapshot;

    assert_int_equal(txn_statement_begin(&f->ctx, txn, false, &snapshot), OK);
    return snapshot;
}

static void commit(Fixture *f, Txn *txn)
{
    Timestamp durable_ts;
    assert_int_equal(txn_commit(&f->ctx, txn, &durable_ts), OK);
}

static void put(Fixture *f, const char *key, const char *row)
{
    bool exists;
    TxnVerdict verdict;
    Txn *txn = begin(f, ISOLATION_READ_COMMITTED, NULL);

    statement(f, txn);
    assert_int_equal(
        txn_insert(&f->ctx, txn, RELATION, str_from(key), str_from(row), &exists, &verdict), OK);
    assert_int_equal(verdict, TXN_GRANTED);
    assert_false(exists);
    txn_statement_end(txn);
    commit(f, txn);
}

static void expect(Fixture *f, const Snapshot *snapshot, const char *key, const char *row)
{
    Scope *scope = scope_open(NULL, "test");
    bool found;
    Str value;

    assert_int_equal(table_get(&f->ctx, scope, snapshot, RELATION, str_from(key), &value, &found),
                     OK);
    assert_int_equal(found, row != NULL);
    if (row)
        assert_true(str_is(value, row));
    scope_close(scope);
}

static TxnVerdict update(Fixture *f, Txn *txn, const char *key, const char *row)
{
    TxnVerdict verdict;

    assert_int_equal(
        txn_update(&f->ctx, txn, RELATION, str_from(key), str_from(row), ROW_UPDATE, &verdict), OK);
    return verdict;
}

static void snapshot_does_not_see_later_commits(void **state)
{
    Fixture *f = *state;
    put(f, "a", "1");
    Txn *reader = begin(f, ISOLATION_REPEATABLE_READ, NULL);

    expect(f, statement(f, reader), "a", "1");
    txn_statement_end(reader);
    put(f, "b", "2");
    expect(f, statement(f, reader), "b", NULL);
    txn_statement_end(reader);
    commit(f, reader);
    reader = begin(f, ISOLATION_READ_COMMITTED, NULL);
    expect(f, statement(f, reader), "b", "2");
    txn_abort(reader);
}

static void first_committer_wins(void **state)
{
    Fixture *f = *state;
    TxnVerdict verdict;
    put(f, "a", "1");
    Txn *slow = begin(f, ISOLATION_REPEATABLE_READ, NULL);
    Txn *fast = begin(f, ISOLATION_READ_COMMITTED, NULL);

    statement(f, slow);
    statement(f, fast);
    assert_int_equal(update(f, fast, "a", "2"), TXN_GRANTED);
    txn_statement_end(fast);
    commit(f, fast);
    assert_int_equal(txn_update(&f->ctx, slow, RELATION, STR("a"), STR("3"), ROW_UPDATE, &verdict),
                     E_SERIALIZATION_FAILURE);
    error_clear(&f->ctx);
    txn_abort(slow);
}

static void waiter_is_woken_and_retries(void **state)
{
    Fixture *f = *state;
    Waker waker = {0};
    put(f, "a", "1");
    Txn *holder = begin(f, ISOLATION_READ_COMMITTED, NULL);
    Txn *waiter = begin(f, ISOLATION_READ_COMMITTED, &waker);

    statement(f, holder);
    assert_int_equal(update(f, holder, "a", "2"), TXN_GRANTED);
    statement(f, waiter);
    assert_int_equal(update(f, waiter, "a", "3"), TXN_WAIT);
    txn_statement_abort(waiter);
    assert_true(txn_is_waiting(waiter));
    txn_statement_end(holder);
    commit(f, holder);
    assert_int_equal(waker.count, 1);
    assert_false(txn_is_waiting(waiter));
    expect(f, statement(f, waiter), "a", "2");
    assert_int_equal(update(f, waiter, "a", "3"), TXN_GRANTED);
    txn_statement_end(waiter);
    commit(f, waiter);
}

static void newer_row_is_met_by_a_retry(void **state)
{
    Fixture *f = *state;
    put(f, "a", "1");
    Txn *late = begin(f, ISOLATION_READ_COMMITTED, NULL);
    Txn *other = begin(f, ISOLATION_READ_COMMITTED, NULL);

    statement(f, late);
    statement(f, other);
    assert_int_equal(update(f, other, "a", "2"), TXN_GRANTED);
    txn_statement_end(other);
    commit(f, other);
    assert_int_equal(update(f, late, "a", "3"), TXN_RETRY);
    txn_statement_abort(late);
    expect(f, statement(f, late), "a", "2");
    assert_int_equal(update(f, late, "a", "3"), TXN_GRANTED);
    txn_abort(late);
}

static void cycle_of_waits_is_a_deadlock(void **state)
{
    Fixture *f = *state;
    Waker wakers[2] = {0};
    TxnVerdict verdict;
    put(f, "a", "1");
    put(f, "b", "1");
    Txn *x = begin(f, ISOLATION_READ_COMMITTED, &wakers[0]);
    Txn *y = begin(f, ISOLATION_READ_COMMITTED, &wakers[1]);

    statement(f, x);
    statement(f, y);
    assert_int_equal(update(f, x, "a", "x"), TXN_GRANTED);
    assert_int_equal(update(f, y, "b", "y"), TXN_GRANTED);
    assert_int_equal(update(f, x, "b", "x"), TXN_WAIT);
    assert_int_equal(txn_update(&f->ctx, y, RELATION, STR("a"), STR("y"), ROW_UPDATE, &verdict),
                     E_DEADLOCK);
    error_clear(&f->ctx);
    txn_abort(y);
    assert_int_equal(wakers[0].count, 1);
    txn_abort(x);
}

static void rollback_to_savepoint_releases_later_locks(void **state)
{
    Fixture *f = *state;
    Waker waker = {0};
    put(f, "a", "1");
    put(f, "b", "1");
    Txn *txn = begin(f, ISOLATION_READ_COMMITTED, NULL);
    Txn *other = begin(f, ISOLATION_READ_COMMITTED, &waker);

    statement(f, txn);
    assert_int_equal(update(f, txn, "a", "2"), TXN_GRANTED);
    TxnSavepoint savepoint = txn_savepoint(txn);
    assert_int_equal(update(f, txn, "b", "2"), TXN_GRANTED);
    txn_rollback_to(txn, savepoint);
    expect(f, statement(f, txn), "b", "1");
    expect(f, statement(f, txn), "a", "2");
    statement(f, other);
    assert_int_equal(update(f, other, "b", "3"), TXN_GRANTED);
    txn_abort(other);
    txn_abort(txn);
}

static void table_modes_collide_as_documented(void **state)
{
    Fixture *f = *state;
    TxnVerdict verdict;
    Txn *writer = begin(f, ISOLATION_READ_COMMITTED, NULL);
    Txn *other = begin(f, ISOLATION_READ_COMMITTED, NULL);

    assert_int_equal(txn_lock_table(&f->ctx, writer, 7, TABLE_ROW_EXCLUSIVE, false, &verdict), OK);
    assert_int_equal(txn_lock_table(&f->ctx, other, 7, TABLE_ROW_EXCLUSIVE, true, &verdict), OK);
    assert_int_equal(txn_lock_table(&f->ctx, other, 7, TABLE_SHARE, true, &verdict),
                     E_LOCK_NOT_AVAILABLE);
    error_clear(&f->ctx);
    assert_int_equal(txn_lock_table(&f->ctx, other, 7, TABLE_ACCESS_SHARE, true, &verdict), OK);
    txn_abort(writer);
    assert_int_equal(txn_lock_table(&f->ctx, other, 7, TABLE_ACCESS_EXCLUSIVE, true, &verdict), OK);
    txn_abort(other);
}

static void bulk_writer_escalates_and_others_wait(void **state)
{
    Fixture *f = *state;
    Waker waker = {0};
    char key[32];
    bool exists;
    TxnVerdict verdict;
    Txn *bulk = begin(f, ISOLATION_READ_COMMITTED, NULL);
    Txn *other = begin(f, ISOLATION_READ_COMMITTED, &waker);

    statement(f, bulk);
    for (int i = 0; i < 60000; i++) {
        snprintf(key, sizeof key, "k%07d", i);
        assert_int_equal(
            txn_insert(&f->ctx, bulk, RELATION, str_from(key), STR("x"), &exists, &verdict), OK);
        assert_int_equal(verdict, TXN_GRANTED);
    }
    statement(f, other);
    assert_int_equal(
        txn_insert(&f->ctx, other, RELATION, STR("unrelated"), STR("x"), &exists, &verdict), OK);
    assert_int_equal(verdict, TXN_WAIT);
    txn_statement_abort(other);
    txn_statement_end(bulk);
    commit(f, bulk);
    assert_int_equal(waker.count, 1);
    statement(f, other);
    assert_int_equal(
        txn_insert(&f->ctx, other, RELATION, STR("k0000000"), STR("x"), &exists, &verdict), OK);
    assert_true(exists);
    txn_abort(other);
}

enum { THREADS = 4, TURNS = 500 };

/* Adds one to the counter, waiting for the others as a session would. */
static void add_one(Fixture *f, Ctx *ctx)
{
    Scope *scope = scope_open(NULL, "turn");
    Timestamp durable_ts;
    const Snapshot *snapshot;
    TxnVerdict verdict = TXN_RETRY;
    Txn *txn;
    char text[32];
    bool found;
    Str row;

    assert_int_equal(txn_begin(ctx, f->manager, &(TxnOptions){0}, &txn), OK);
    while (verdict == TXN_RETRY) {
        assert_int_equal(txn_statement_begin(ctx, txn, false, &snapshot), OK);
        assert_int_equal(table_get(ctx, scope, snapshot, RELATION, STR("n"), &row, &found), OK);
        snprintf(text, sizeof text, "%.*s", (int)row.len, row.ptr);
        snprintf(text, sizeof text, "%d", (int)strtol(text, NULL, 10) + 1);
        assert_int_equal(
            txn_update(ctx, txn, RELATION, STR("n"), str_from(text), ROW_UPDATE, &verdict), OK);
        if (verdict == TXN_RETRY)
            txn_statement_abort(txn);
    }
    txn_statement_end(txn);
    assert_int_equal(txn_commit(ctx, txn, &durable_ts), OK);
    scope_close(scope);
}

static void run_turns(void *arg)
{
    Ctx ctx;

    ctx_init(&ctx);
    for (int i = 0; i < TURNS; i++)
        add_one(arg, &ctx);
    ctx_free(&ctx);
}

static void no_update_is_lost_under_contention(void **state)
{
    Fixture *f = *state;
    Thread threads[THREADS] = {0};
    char total[32];
    put(f, "n", "0");

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(thread_start(&f->ctx, &threads[i], "turns", run_turns, f), OK);
    for (int i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
    Txn *reader = begin(f, ISOLATION_READ_COMMITTED, NULL);
    snprintf(total, sizeof total, "%d", THREADS * TURNS);
    expect(f, statement(f, reader), "n", total);
    txn_abort(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(snapshot_does_not_see_later_commits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(first_committer_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waiter_is_woken_and_retries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(newer_row_is_met_by_a_retry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cycle_of_waits_is_a_deadlock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rollback_to_savepoint_releases_later_locks, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(table_modes_collide_as_documented, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bulk_writer_escalates_and_others_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_update_is_lost_under_contention, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
