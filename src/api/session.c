// SPDX-License-Identifier: Apache-2.0
//
// The session's life and its state machine: one request at a time, stepped until it is done. The
// simple protocol's request is a list of statements; the extended protocol's requests are Parse,
// Bind, Execute and Sync. See session.h.
#include "api/session_int.h"

#include "base/memory.h"
#include "os/clock.h"
#include "os/random.h"

#include <stdio.h>

/* Longer texts are parsed and planned on a pool thread. */
#define LOOP_TEXT_BYTES_MAX ((size_t)16 << 10)

void session_notice(Session *session, NoticeLevel level, const char *sqlstate, const char *format,
                    ...)
{
    /* client_min_messages' choices: debug5..debug1, log, notice, warning, error. */
    static const int rank[] = {4, 5, 6, 6, 7};
    const SessionSink *sink = &session->options.sink;
    va_list args;

    if (sink->notice == NULL ||
        (level != NOTICE_INFO &&
         rank[level] < settings_int(session->settings, SETTING_CLIENT_MIN_MESSAGES)))
        return;
    va_start(args, format);
    char *message = mem_vprintf(format, args);
    va_end(args);
    sink->notice(sink->arg, level, sqlstate, message, NULL, NULL);
    mem_free(message);
}

static Status find_identity(Ctx *ctx, Session *session, const SessionOptions *options)
{
    Status st = OK;
    Catalog *catalog = catalog_open(session->node->catalogs, session->txn_scope, 0, NULL);
    const Role *role = catalog_role(catalog, options->user);
    const Database *database;

    if (role == NULL || !role->login)
        FAIL(ctx, E_INVALID_AUTHORIZATION, "role \"%.*s\" %s", (int)options->user.len,
             options->user.ptr, role ? "is not permitted to log in" : "does not exist");
    database = catalog_database(catalog, options->database);
    if (database == NULL)
        FAIL(ctx, E_INVALID_CATALOG_NAME, "database \"%.*s\" does not exist",
             (int)options->database.len, options->database.ptr);
    session->role = role->object.oid;
    session->database = database->object.oid;
done:
    return st;
}

Status session_open(Ctx *ctx, Node *node, const SessionOptions *options, Session **out)
{
    Status st = OK;
    Session *session = mem_alloc_zero(sizeof *session);

    session->node = node;
    session->scope = scope_open(NULL, "session");
    session->txn_scope = scope_open(session->scope, "transaction");
    session->request.scope = scope_open(session->scope, "request");
    session->options = *options;
    ctx_init(&session->ctx);
    session->ctx.cancel = &session->cancel;
    atomic_store(&session->statement_deadline_ns, INT64_MAX);
    atomic_store(&session->lock_deadline_ns, INT64_MAX);
    session->settings = settings_copy(node->settings);
    session->prepared = strmap_new(session->scope);
    session->portals = strmap_new(session->scope);
    session->sequence_values = u64map_new(session->scope);
    mutex_init(&session->sequence_mutex);
    TRY(find_identity(ctx, session, options));
    TRY(random_entropy(ctx, &session->random_state, sizeof session->random_state));
    session->info = (SessionInfo){
        .user = str_copy(session->scope, options->user),
        .database = str_copy(session->scope, options->database),
        .client_address = str_copy(session->scope, options->client_address),
        .client_port = options->client_port,
        .backend_pid = options->backend_pid,
        .random_state = &session->random_state,
        .hooks = &session_hooks,
        .session = session,
    };
    session->io.reg_input = session_reg_input;
    session->io.reg_output = session_reg_output;
    session->io.reg_arg = session;
    TRY(settings_set(ctx, session->settings, SETTING_APPLICATION_NAME, options->application_name));
    TRY(settings_set(ctx, session->settings, SETTING_SESSION_AUTHORIZATION, options->user));
    session_apply_settings(session);
    session_txn_abort(session); /* to the defaults */
    *out = session;
done:
    if (st != OK)
        session_close(session);
    return st;
}

static void end_request(Session *session)
{
    Request *request = &session->request;
    Scope *scope = request->scope;

    if (request->running)
        session_run_free(&request->run);
    scope_reset(scope);
    *request = (Request){.scope = scope};
}

void session_close(Session *session)
{
    uint32_t at = 0;
    Str name;
    void *value;

    if (session == NULL)
        return;
    while (atomic_load(&session->durable_wakes)) /* API-2: the log's thread is about to finish */
        thread_yield();
    end_request(session);
    if (session->txn)
        txn_abort(session->txn);
    session_close_portals(session);
    while (strmap_next(session->prepared, &at, &name, &value))
        session_prepared_unref(value);
    settings_free(session->settings);
    settings_free(session->settings_initial);
    settings_free(session->settings_before);
    settings_free(session->settings_after);
    ctx_free(&session->ctx);
    mutex_free(&session->sequence_mutex);
    scope_close(session->scope);
    mem_free(session);
}

Ctx *session_ctx(Session *session)
{
    return &session->ctx;
}

const TypeIoContext *session_io(const Session *session)
{
    return &session->io;
}

char session_transaction_status(const Session *session)
{
    return session->block == BLOCK_EXPLICIT ? 'T' : session->block == BLOCK_FAILED ? 'E' : 'I';
}

void session_cancel(Session *session, CancelReason reason)
{
    atomic_store(&session->cancel_reason, reason);
    atomic_store(&session->cancel, true);
    if (session->options.wake)
        session->options.wake(session->options.wake_arg);
}

int64_t session_deadline_ns(const Session *session)
{
    return MIN(atomic_load(&session->statement_deadline_ns),
               atomic_load(&session->lock_deadline_ns));
}

void session_cancel_overdue(Session *session, int64_t now_ns)
{
    if (atomic_load(&session->lock_deadline_ns) <= now_ns) {
        atomic_store(&session->lock_deadline_ns, INT64_MAX);
        session_cancel(session, CANCEL_LOCK_TIMEOUT);
    } else if (atomic_load(&session->statement_deadline_ns) <= now_ns) {
        atomic_store(&session->statement_deadline_ns, INT64_MAX);
        session_cancel(session, CANCEL_STATEMENT_TIMEOUT);
    }
}

int64_t session_idle_limit_ms(const Session *session)
{
    if (session->block != BLOCK_EXPLICIT && session->block != BLOCK_FAILED)
        return 0;
    return settings_int(session->settings, SETTING_IDLE_IN_TRANSACTION_SESSION_TIMEOUT);
}

/* When a time of `timeout` from now on is over. */
static int64_t deadline_of(const Session *session, SettingId timeout)
{
    int64_t ms = settings_int(session->settings, timeout);
    return ms ? clock_mono_ns() + ms * 1000000 : INT64_MAX;
}

void session_lock_wait_begin(Session *session)
{
    atomic_store(&session->lock_deadline_ns, deadline_of(session, SETTING_LOCK_TIMEOUT));
}

void session_lock_wait_end(Session *session)
{
    atomic_store(&session->lock_deadline_ns, INT64_MAX);
}

bool session_awaits_log(const Session *session)
{
    return session->request.committing && atomic_load(&session->durable_state) == 0;
}

static void start(Session *session, RequestKind kind)
{
    end_request(session);
    error_clear(&session->ctx);
    atomic_store(&session->cancel, false);
    atomic_store(&session->cancel_reason, CANCEL_USER);
    session->request.kind = kind;
}

void session_start_query(Session *session, Str text)
{
    start(session, REQUEST_QUERY);
    session->request.text = str_copy(session->request.scope, text);
}

void session_start_parse(Session *session, Str name, Str text, const Oid *types, uint32_t count)
{
    Scope *scope = session->request.scope;

    start(session, REQUEST_PARSE);
    session->request.name = str_copy(scope, name);
    session->request.text = str_copy(scope, text);
    session->request.types = scope_new_array(scope, Oid, MAX(count, 1));
    session->request.types_count = count;
    if (count)
        memcpy(session->request.types, types, sizeof(Oid) * count);
}

void session_start_execute(Session *session, Str portal, uint64_t rows_max)
{
    start(session, REQUEST_EXECUTE);
    session->request.name = str_copy(session->request.scope, portal);
    session->request.rows_max = rows_max;
}

void session_start_sync(Session *session)
{
    start(session, REQUEST_SYNC);
}

static void start_run(Session *session, Str text, const AstNode *ast)
{
    Run *run = &session->request.run;

    *run = (Run){.scope = scope_open(session->scope, "statement"), .text = text, .ast = ast};
    session->request.running = true;
    atomic_store(&session->statement_deadline_ns, deadline_of(session, SETTING_STATEMENT_TIMEOUT));
}

static void free_run(Session *session)
{
    session_run_free(&session->request.run);
    session->request.running = false;
    atomic_store(&session->statement_deadline_ns, INT64_MAX);
}

static Status complete(Session *session, const char *tag)
{
    const SessionSink *sink = &session->options.sink;
    return sink->complete ? sink->complete(sink->arg, &session->ctx, tag) : OK;
}

/* A cancelled statement's error says who cancelled it. */
static void tell_reason(Session *session)
{
    Ctx *ctx = &session->ctx;
    CancelReason reason = atomic_load(&session->cancel_reason);

    if (reason == CANCEL_USER || !atomic_load(&session->cancel) ||
        ctx->error.status != E_QUERY_CANCELED)
        return;
    error_clear(ctx);
    if (reason == CANCEL_STATEMENT_TIMEOUT)
        error_raise(ctx, E_QUERY_CANCELED, "canceling statement due to statement timeout");
    else if (reason == CANCEL_LOCK_TIMEOUT)
        error_raise(ctx, E_LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout");
    else
        error_raise(ctx, E_ADMIN_SHUTDOWN, "terminating connection due to administrator command");
}

void session_fail(Session *session)
{
    session_txn_fail(session);
}

/* The request has failed: its transaction too. */
static SessionStep fail(Session *session)
{
    ASSERT(session->ctx.error.status != OK);
    tell_reason(session);
    if (session->request.running)
        free_run(session);
    session_txn_fail(session);
    session->request.kind = REQUEST_NONE;
    return STEP_DONE;
}

/* API-1. 0 not waiting for the log (any more), 1 still waiting; a failed log is an error. */
static int awaits_log(Session *session)
{
    if (!session->request.committing)
        return 0;
    int state = atomic_load(&session->durable_state);
    if (state == 0)
        return 1;
    session->request.committing = false;
    if (state == 2)
        error_raise(&session->ctx, E_IO, "the log could not be written");
    return 0;
}

static SessionStep step_of(RunAnswer answer)
{
    switch (answer) {
    case RUN_POOL: return STEP_POOL;
    case RUN_COPY_IN: return STEP_COPY_IN;
    default: return STEP_WAIT;
    }
}

/* A lock wait that was given up, or that is still on: true if the request goes on waiting. */
static bool still_waits(Session *session)
{
    if (!session->waits_for_lock || session->txn == NULL)
        return false;
    if (atomic_load(&session->cancel)) {
        txn_cancel_wait(session->txn);
        session->waits_for_lock = false;
        return false;
    }
    return txn_is_waiting(session->txn);
}

/* After a statement's work: commit if it ends the transaction, then tell. */
static Status finish_statement(Session *session, bool last, bool *waits)
{
    Status st = OK;
    Request *request = &session->request;

    *waits = request->committing;
    if (last && session->txn && session->block != BLOCK_EXPLICIT &&
        session->block != BLOCK_FAILED) {
        TRY(session_txn_commit(session, waits));
        request->committing = *waits;
    }
    request->run.phase = RUN_FINISH;
done:
    return st;
}

/* Parsing and planning it would keep the loop from others. */
static bool is_long(const Request *request)
{
    return request->text.len > LOOP_TEXT_BYTES_MAX;
}

static SessionStep step_query(Session *session, bool on_pool)
{
    Request *request = &session->request;
    const SessionSink *sink = &session->options.sink;
    bool waits;

    if (!request->parsed) {
        if (is_long(request) && !on_pool)
            return STEP_POOL;
        if (type_check_utf8(&session->ctx, request->text) != OK ||
            sql_parse(&session->ctx, request->scope, request->text, &request->statements) != OK)
            return fail(session);
        request->parsed = true;
        if (request->statements.count == 0 && sink->empty_query)
            sink->empty_query(sink->arg, &session->ctx);
        if (request->statements.count > 1 && session->block == BLOCK_NONE)
            session->block = BLOCK_IMPLICIT;
    }
    while (request->at < request->statements.count) {
        const AstStatement *statement =
            (const AstStatement *)request->statements.items[request->at];
        bool last = request->at + 1 == request->statements.count;
        if (!request->running) {
            start_run(session, request->text, statement->body);
            request->run.want_columns = true;
        }
        if (request->run.phase != RUN_FINISH) {
            RunAnswer answer = session_run(session, &request->run, on_pool);
            if (answer == RUN_FAILED)
                return fail(session);
            if (answer != RUN_OK)
                return step_of(answer);
            if (finish_statement(session, last, &waits) != OK)
                return fail(session);
        }
        if (awaits_log(session))
            return STEP_WAIT;
        if (session->ctx.error.status != OK || complete(session, request->run.tag) != OK)
            return fail(session);
        free_run(session);
        request->at++;
        if (!last && session->block == BLOCK_NONE)
            session->block = BLOCK_IMPLICIT;
    }
    if (session->block == BLOCK_IMPLICIT)
        session_txn_abort(session); /* nothing was left to commit */
    return STEP_DONE;
}

static SessionStep step_parse(Session *session, bool on_pool)
{
    const Request *request = &session->request;

    if (is_long(request) && !on_pool)
        return STEP_POOL;
    if (type_check_utf8(&session->ctx, request->text) != OK)
        return fail(session);
    Status st = session_prepare_text(session, request->name, request->text, request->types,
                                     request->types_count);
    return st == OK ? STEP_DONE : fail(session);
}

static Portal *find_portal(Session *session, Str name)
{
    Portal *portal = strmap_get(session->portals, name);

    if (portal == NULL)
        error_raise(&session->ctx, E_INVALID_CURSOR_NAME, "portal \"%.*s\" does not exist",
                    (int)name.len, name.ptr);
    return portal;
}

/* False: an empty query. */
static bool start_portal(Session *session, Portal *portal)
{
    Run *run = &session->request.run;
    const AstStatement *statement = portal->prepared->statement;

    if (statement == NULL)
        return false;
    start_run(session, portal->prepared->text, statement->body);
    run->portal = portal;
    run->held = session_prepared_ref(portal->prepared);
    run->prepared = session_is_planned(statement->body->kind) ? portal->prepared : NULL;
    run->params = portal->params;
    run->params_count = portal->params_count;
    run->rows_max = session->request.rows_max;
    return true;
}

static SessionStep step_execute(Session *session, bool on_pool)
{
    Request *request = &session->request;
    const SessionSink *sink = &session->options.sink;

    if (!request->running) {
        Portal *portal = find_portal(session, request->name);
        if (portal == NULL)
            return fail(session);
        if (!start_portal(session, portal)) {
            if (sink->empty_query)
                sink->empty_query(sink->arg, &session->ctx);
            return STEP_DONE;
        }
    }
    if (request->run.phase != RUN_FINISH) {
        RunAnswer answer = session_run(session, &request->run, on_pool);
        if (answer == RUN_FAILED)
            return fail(session);
        if (answer != RUN_OK)
            return step_of(answer);
        request->run.phase = RUN_FINISH;
    }
    if (awaits_log(session))
        return STEP_WAIT;
    if (session->ctx.error.status != OK)
        return fail(session);
    if (request->run.suspended) {
        if (sink->portal_suspended)
            sink->portal_suspended(sink->arg, &session->ctx);
    } else if (complete(session, request->run.tag) != OK) {
        return fail(session);
    }
    free_run(session);
    return STEP_DONE;
}

static SessionStep step_sync(Session *session)
{
    Request *request = &session->request;
    bool waits = false;

    if (!request->parsed) {
        request->parsed = true;
        if (session->block == BLOCK_NONE || session->block == BLOCK_IMPLICIT) {
            session_close_portals(session);
            if (session->txn && session_txn_commit(session, &waits) != OK)
                return fail(session);
        }
        request->committing = waits;
    }
    if (awaits_log(session))
        return STEP_WAIT;
    return session->ctx.error.status == OK ? STEP_DONE : fail(session);
}

SessionStep session_step(Session *session, bool on_pool)
{
    SessionStep step;

    if (still_waits(session))
        return STEP_WAIT;
    switch (session->request.kind) {
    case REQUEST_QUERY: step = step_query(session, on_pool); break;
    case REQUEST_PARSE: step = step_parse(session, on_pool); break;
    case REQUEST_EXECUTE: step = step_execute(session, on_pool); break;
    case REQUEST_SYNC: step = step_sync(session); break;
    default: /* Bind has done its work already */ step = STEP_DONE; break;
    }
    if (step == STEP_DONE)
        end_request(session);
    return step;
}

const PlannedStatement *session_describe_statement(Session *session, Str name)
{
    Prepared *prepared;

    error_clear(&session->ctx);
    prepared = session_prepared_find(session, name);
    if (prepared == NULL)
        session_txn_fail(session);
    return prepared ? &prepared->plan : NULL;
}

const PlannedStatement *session_describe_portal(Session *session, Str name)
{
    Portal *portal;

    error_clear(&session->ctx);
    portal = find_portal(session, name);
    if (portal == NULL)
        session_txn_fail(session);
    return portal ? &portal->prepared->plan : NULL;
}
