// SPDX-License-Identifier: Apache-2.0
//
// A session's transaction: begun by the first statement that needs one, ended by COMMIT, ROLLBACK
// or the end of the request. Settings changed inside it go back with it. One thread at a time.
#include "api/session_int.h"

#include "os/clock.h"

/* 2000-01-01 in microseconds since 1970. */
#define EPOCH_2000_US INT64_C(946684800000000)

Catalog *session_catalog(Session *session)
{
    return session->catalog;
}

static Isolation isolation_from(int64_t choice)
{
    static const Isolation by_choice[] = {ISOLATION_SERIALIZABLE, ISOLATION_REPEATABLE_READ,
                                          ISOLATION_READ_COMMITTED, ISOLATION_READ_COMMITTED};
    return by_choice[choice];
}

Status session_txn_ensure(Session *session)
{
    Status st = OK;

    if (session->txn) {
        catalog_refresh(session->catalog);
        return OK;
    }
    TxnOptions options = {
        .isolation = session->isolation,
        .read_only = session->read_only,
        .deferrable = session->deferrable,
        .autocommit = session->block == BLOCK_NONE,
        .wake = session->options.wake,
        .wake_arg = session->options.wake_arg,
    };
    session->info.transaction_start_us = clock_wall_us() - EPOCH_2000_US;
    session->io.now_us = session->info.transaction_start_us;
    TRY(txn_begin(&session->ctx, atomic_load(&session->node->txns), &options, &session->txn));
    scope_reset(session->txn_scope);
    session->catalog =
        catalog_open(session->node->catalogs, session->txn_scope, session->database, session->txn);
done:
    return st;
}

/* A handle for binding and look-ups outside a transaction. */
static void open_plain_catalog(Session *session)
{
    scope_reset(session->txn_scope);
    session->catalog =
        catalog_open(session->node->catalogs, session->txn_scope, session->database, NULL);
}

static void keep_settings(Session *session, Settings *kept, Settings *dropped)
{
    if (kept) {
        settings_free(session->settings);
        session->settings = kept;
        session_apply_settings(session);
    }
    settings_free(dropped);
    session->settings_before = NULL;
    session->settings_after = NULL;
}

static void back_to_defaults(Session *session)
{
    const Settings *settings = session->settings;

    session_close_portals(session);
    session->block = BLOCK_NONE;
    session->txn = NULL;
    session->savepoints = NULL;
    session->isolation =
        isolation_from(settings_int(settings, SETTING_DEFAULT_TRANSACTION_ISOLATION));
    session->read_only = settings_bool(settings, SETTING_DEFAULT_TRANSACTION_READ_ONLY);
    session->deferrable = settings_bool(settings, SETTING_DEFAULT_TRANSACTION_DEFERRABLE);
    open_plain_catalog(session);
}

static void wake_durable(DurableWaiter *waiter, Status status)
{
    Session *session = (Session *)((char *)waiter - offsetof(Session, durable));
    void (*wake)(void *) = session->options.wake;
    void *arg = session->options.wake_arg;

    atomic_store(&session->durable_state, status == OK ? 1 : 2);
    if (wake)
        wake(arg);
    atomic_fetch_sub(&session->durable_wakes, 1);
}

Status session_txn_commit(Session *session, bool *waits)
{
    Status st = OK;
    Timestamp durable_ts = 0;

    *waits = false;
    if (session->txn) {
        Txn *txn = session->txn;
        session->txn = NULL;
        st = txn_commit(&session->ctx, txn, &durable_ts);
    }
    if (st != OK) {
        keep_settings(session, session->settings_before, session->settings_after);
        back_to_defaults(session);
        return st;
    }
    keep_settings(session, session->settings_after, session->settings_before);
    back_to_defaults(session);
    if (durable_ts == 0)
        return OK;
    session->durable = (DurableWaiter){.ts = durable_ts, .wake = wake_durable};
    atomic_store(&session->durable_state, 0);
    atomic_fetch_add(&session->durable_wakes, 1);
    *waits = !storage_on_durable(session->node->storage, &session->durable);
    if (!*waits)
        atomic_fetch_sub(&session->durable_wakes, 1);
    return OK;
}

void session_txn_abort(Session *session)
{
    if (session->txn)
        txn_abort(session->txn);
    session->txn = NULL;
    session->waits_for_lock = false;
    keep_settings(session, session->settings_before, session->settings_after);
    back_to_defaults(session);
}

void session_txn_fail(Session *session)
{
    if (session->block == BLOCK_EXPLICIT || session->block == BLOCK_FAILED) {
        session->block = BLOCK_FAILED;
        return;
    }
    session_txn_abort(session);
}

static void set_modes(Session *session, const AstTransactionModes *modes)
{
    static const Isolation by_level[] = {ISOLATION_READ_COMMITTED, ISOLATION_READ_COMMITTED,
                                         ISOLATION_READ_COMMITTED, ISOLATION_REPEATABLE_READ,
                                         ISOLATION_SERIALIZABLE};

    if (modes->isolation != AST_ISOLATION_NONE)
        session->isolation = by_level[modes->isolation];
    if (modes->read_only != AST_UNSAID)
        session->read_only = modes->read_only == AST_ON;
    if (modes->deferrable != AST_UNSAID)
        session->deferrable = modes->deferrable == AST_ON;
}

static RunAnswer begin_block(Session *session, const AstTransaction *statement)
{
    if (session->block == BLOCK_EXPLICIT) {
        session_notice(session, NOTICE_WARNING, "25001",
                       "there is already a transaction in progress");
        return RUN_OK;
    }
    session->block = BLOCK_EXPLICIT;
    set_modes(session, &statement->modes);
    Status st = session_txn_ensure(session);
    if (st == OK)
        st = txn_set(&session->ctx, session->txn, session->isolation, session->read_only,
                     session->deferrable);
    if (st == OK)
        return RUN_OK;
    session_txn_abort(session);
    return RUN_FAILED;
}

static RunAnswer end_block(Session *session, bool commit, bool chain)
{
    AstTransaction again = {.kind = AST_TX_BEGIN,
                            .modes = {.isolation = session->isolation == ISOLATION_READ_COMMITTED
                                                       ? AST_ISOLATION_READ_COMMITTED
                                                       : AST_ISOLATION_REPEATABLE_READ,
                                      .read_only = session->read_only ? AST_ON : AST_OFF,
                                      .deferrable = session->deferrable ? AST_ON : AST_OFF}};
    bool waits = false;
    RunAnswer answer = RUN_OK;

    if (session->block != BLOCK_EXPLICIT && session->block != BLOCK_FAILED) {
        if (chain)
            return session_answer(session,
                                  error_raise(&session->ctx, E_NO_ACTIVE_TRANSACTION,
                                              "%s AND CHAIN can only be used in transaction blocks",
                                              commit ? "COMMIT" : "ROLLBACK"));
        session_notice(session, NOTICE_WARNING, "25P01", "there is no transaction in progress");
    }
    if (commit && session->block != BLOCK_FAILED)
        answer = session_answer(session, session_txn_commit(session, &waits));
    else
        session_txn_abort(session);
    if (answer == RUN_OK && chain)
        answer = begin_block(session, &again);
    session->request.committing = waits;
    return answer;
}

static Savepoint *find_savepoint(Session *session, Str name)
{
    Savepoint *at = session->savepoints;

    while (at && !str_equal(at->name, name))
        at = at->outer;
    if (at == NULL)
        error_raise(&session->ctx, E_INVALID_SAVEPOINT, "savepoint \"%.*s\" does not exist",
                    (int)name.len, name.ptr);
    return at;
}

static const char *savepoint_command(AstTransactionKind kind)
{
    return kind == AST_TX_SAVEPOINT ? "SAVEPOINT"
           : kind == AST_TX_RELEASE ? "RELEASE SAVEPOINT"
                                    : "ROLLBACK TO SAVEPOINT";
}

static RunAnswer savepoint_statement(Session *session, const AstTransaction *statement)
{
    Savepoint *savepoint;

    if (session->block != BLOCK_EXPLICIT && session->block != BLOCK_FAILED)
        return session_answer(session, error_raise(&session->ctx, E_NO_ACTIVE_TRANSACTION,
                                                   "%s can only be used in transaction blocks",
                                                   savepoint_command(statement->kind)));
    if (statement->kind == AST_TX_SAVEPOINT) {
        savepoint = scope_new(session->txn_scope, Savepoint);
        savepoint->name = str_copy(session->txn_scope, statement->savepoint);
        savepoint->mark = txn_savepoint(session->txn);
        savepoint->outer = session->savepoints;
        session->savepoints = savepoint;
        return RUN_OK;
    }
    savepoint = find_savepoint(session, statement->savepoint);
    if (savepoint == NULL)
        return RUN_FAILED;
    if (statement->kind == AST_TX_RELEASE) {
        session->savepoints = savepoint->outer;
        return RUN_OK;
    }
    txn_rollback_to(session->txn, savepoint->mark);
    catalog_refresh(session->catalog);
    session->savepoints = savepoint;
    session->block = BLOCK_EXPLICIT;
    return RUN_OK;
}

RunAnswer session_transaction_statement(Session *session, const AstTransaction *statement)
{
    switch (statement->kind) {
    case AST_TX_BEGIN:
    case AST_TX_START: return begin_block(session, statement);
    case AST_TX_COMMIT:
    case AST_TX_ROLLBACK:
        return end_block(session, statement->kind == AST_TX_COMMIT, statement->chain);
    case AST_TX_SAVEPOINT:
    case AST_TX_RELEASE:
    case AST_TX_ROLLBACK_TO: return savepoint_statement(session, statement);
    case AST_TX_PREPARE:
    case AST_TX_COMMIT_PREPARED:
    case AST_TX_ROLLBACK_PREPARED: break;
    }
    return session_answer(session, error_raise(&session->ctx, E_FEATURE_NOT_SUPPORTED,
                                               "prepared transactions are not supported"));
}
