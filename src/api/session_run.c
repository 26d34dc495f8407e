// SPDX-License-Identifier: Apache-2.0
//
// Running one statement: plan it (or take the prepared plan), lock its tables, run it at a
// snapshot; undo and run again after a lock wait or when a newer row was met. Nothing is sent
// before it is sure to stand: the executor holds back what a re-run would repeat. One thread at a
// time.
#include "api/session_int.h"

#include "base/memory.h"

#include <stdio.h>

RunAnswer session_answer(Session *session, Status status)
{
    if (status == OK)
        return RUN_OK;
    if (status == STATUS_LOCK_WAIT) {
        error_clear(&session->ctx);
        session->waits_for_lock = true;
        session_lock_wait_begin(session);
        return RUN_WAIT;
    }
    return RUN_FAILED;
}

static bool may_run_when_failed(const AstNode *ast)
{
    if (!ast_is(ast, AST_TRANSACTION))
        return false;
    AstTransactionKind kind = ((const AstTransaction *)ast)->kind;
    return kind == AST_TX_COMMIT || kind == AST_TX_ROLLBACK || kind == AST_TX_ROLLBACK_TO;
}

Status session_check_failed(Session *session, const AstNode *ast)
{
    if (session->block != BLOCK_FAILED || may_run_when_failed(ast))
        return OK;
    return error_raise(&session->ctx, E_IN_FAILED_TRANSACTION,
                       "current transaction is aborted, commands ignored until end of transaction "
                       "block");
}

static bool same_columns(const PlannedStatement *a, const PlannedStatement *b)
{
    if (a->result_columns_count != b->result_columns_count)
        return false;
    for (uint32_t i = 0; i < a->result_columns_count; i++) {
        const PlanColumn *x = &a->result_columns[i];
        const PlanColumn *y = &b->result_columns[i];
        if (x->type.oid != y->type.oid || x->type.typmod != y->type.typmod ||
            strcmp(x->name, y->name) != 0)
            return false;
    }
    return true;
}

/* The parameters stay as they were: what is bound already has their types. */
static Status plan_again(Session *session, Prepared *prepared)
{
    Status st = OK;
    SqlType *params = prepared->params;
    uint32_t params_count = prepared->params_count;
    PlannedStatement plan;

    TRY(session_plan(session, prepared->statement->body, prepared->text, &params, &params_count,
                     &plan));
    if (prepared->plan.scope && !same_columns(&prepared->plan, &plan)) {
        session_plan_free(&plan);
        FAIL(&session->ctx, E_FEATURE_NOT_SUPPORTED, "cached plan must not change result type");
    }
    session_plan_free(&prepared->plan);
    prepared->plan = plan;
done:
    return st;
}

/* The plan of a prepared statement, made anew when an object it depends on has changed. */
static Status take_plan(Session *session, Run *run)
{
    Status st = OK;
    Prepared *prepared = run->prepared;
    SqlType *params = NULL;
    uint32_t params_count = 0;

    if (prepared == NULL) {
        TRY(session_plan(session, run->ast, run->text, &params, &params_count, &run->plan));
        run->has_plan = true;
        if (run->plan.params_count)
            FAIL(&session->ctx, E_UNDEFINED_PARAMETER, "there is no parameter $%u",
                 run->plan.params_count);
        goto done;
    }
    if (prepared->plan.scope && prepared->plan.catalog_version == catalog_version(session->catalog))
        goto done;
    TRY(plan_again(session, prepared));
done:
    return st;
}

static const PlannedStatement *run_plan(const Run *run)
{
    return run->prepared ? &run->prepared->plan : &run->plan;
}

static void drop_plan(Run *run)
{
    if (run->has_plan)
        session_plan_free(&run->plan);
    run->has_plan = false;
}

void session_run_free(Run *run)
{
    session_copy_free(run);
    drop_plan(run);
    session_prepared_unref(run->held);
    scope_close(run->scope);
    *run = (Run){0};
}

/* STATUS_LOCK_WAIT when one must be waited for. */
static Status lock_tables(Session *session, const PlannedStatement *plan)
{
    Status st = OK;
    TxnVerdict verdict = TXN_GRANTED;

    for (uint32_t i = 0; i < plan->tables_count; i++) {
        TRY(txn_lock_table(&session->ctx, session->txn, plan->tables[i], plan->table_modes[i],
                           false, &verdict));
        if (verdict != TXN_GRANTED)
            return STATUS_LOCK_WAIT;
    }
done:
    return st;
}

/* Plans, locks, and plans again if the objects changed while the locks were waited for. */
static Status plan_and_lock(Session *session, Run *run)
{
    Status st = OK;
    uint64_t version;

    do {
        TRY(take_plan(session, run));
        TRY(lock_tables(session, run_plan(run)));
        version = run_plan(run)->catalog_version;
        catalog_refresh(session->catalog);
        if (run->prepared == NULL && version != catalog_version(session->catalog))
            drop_plan(run);
    } while (version != catalog_version(session->catalog));
done:
    return st;
}

typedef struct RunSink {
    Session *session;
    Run *run;
    const PlannedStatement *plan;
} RunSink;

static Status send_columns(RunSink *sink, Ctx *ctx)
{
    SessionSink *out = &sink->session->options.sink;

    if (sink->run->columns_sent || !sink->run->want_columns || out->columns == NULL)
        return OK;
    sink->run->columns_sent = true;
    return out->columns(out->arg, ctx, sink->plan);
}

static Status send_batch(void *arg, Ctx *ctx, const Batch *batch)
{
    RunSink *sink = arg;
    SessionSink *out = &sink->session->options.sink;
    Status st = send_columns(sink, ctx);

    if (st == OK && out->batch)
        st = out->batch(out->arg, ctx, batch, sink->plan->result_columns_count);
    return st;
}

/* Keeps a copy for a portal that is fetched in parts. */
static Status keep_batch(void *arg, Ctx *ctx, const Batch *batch)
{
    Status st = OK;
    RunSink *sink = arg;
    ResultBuffer *buffer = sink->run->portal->buffer;
    Batch copy = {.rows_count = batch->rows_count,
                  .columns_count = sink->plan->result_columns_count};

    copy.columns = scope_new_array(buffer->scope, Vector, MAX(copy.columns_count, 1));
    for (uint32_t i = 0; i < copy.columns_count; i++)
        TRY(vector_copy_flat(ctx, buffer->scope, &batch->columns[i], batch->rows_count, true,
                             &copy.columns[i]));
    array_push(buffer->scope, &buffer->batches, copy);
done:
    return st;
}

/* Sends up to rows_max kept rows; *suspended if more are left. */
static Status send_kept(Session *session, Run *run, bool *suspended)
{
    Status st = OK;
    ResultBuffer *buffer = run->portal->buffer;
    RunSink sink = {session, run, run_plan(run)};
    uint64_t left = run->rows_max ? run->rows_max : UINT64_MAX;

    while (left && buffer->batch_at < buffer->batches.count) {
        const Batch *batch = &buffer->batches.data[buffer->batch_at];
        uint32_t rows = (uint32_t)MIN(left, batch->rows_count - buffer->row_at);
        Batch part;
        batch_range(&part, run->scope, batch, buffer->row_at, rows);
        TRY(send_batch(&sink, &session->ctx, &part));
        run->rows += rows;
        left -= rows;
        buffer->row_at += rows;
        if (buffer->row_at == batch->rows_count) {
            buffer->batch_at++;
            buffer->row_at = 0;
        }
    }
    *suspended = left == 0;
done:
    return st;
}

static bool returns_rows(const Run *run)
{
    return run->ast->kind == AST_SELECT || run_plan(run)->result_columns_count > 0;
}

static Status execute_once(Session *session, Run *run)
{
    Status st = OK;
    const PlannedStatement *plan = run_plan(run);
    const Snapshot *snapshot = NULL;
    RunSink sink = {session, run, plan};
    bool keeps = run->portal && run->portal->buffer;
    ExecSink exec_sink = {.batch = keeps ? keep_batch : send_batch, .arg = &sink};
    bool durable_read =
        plan->reads_only && session->block != BLOCK_EXPLICIT && !txn_has_written(session->txn);
    ExecEnv env;

    if (!plan->reads_only && txn_read_only(session->txn) && run->ast->kind != AST_SELECT)
        FAIL(&session->ctx, E_READ_ONLY_TRANSACTION, "cannot execute %s in a read-only transaction",
             ast_command_tag(run->ast));
    TRY(txn_statement_begin(&session->ctx, session->txn, durable_read, &snapshot));
    session_exec_env(session, snapshot, run->params, run->params_count, &env);
    scope_reset(run->scope);
    st = exec_run(&session->ctx, run->scope, plan, &env, &exec_sink, &run->rows);
    if (st == OK && returns_rows(run) && !keeps)
        st = send_columns(&sink, &session->ctx);
    if (st == OK)
        txn_statement_end(session->txn);
    else
        txn_statement_abort(session->txn);
done:
    return st;
}

static Status execute(Session *session, Run *run)
{
    Status st = OK;
    bool suspended = false;
    Portal *portal = run->portal;

    if (portal && portal->done) {
        if (!returns_rows(run))
            FAIL(&session->ctx, E_NOT_IN_PREREQUISITE_STATE, "portal \"%.*s\" cannot be run",
                 (int)portal->name.len, portal->name.ptr);
        run->rows = 0; /* all have been fetched */
    } else if (portal && (run->rows_max || portal->buffer)) {
        if (portal->buffer == NULL) {
            portal->buffer = scope_new(portal->scope, ResultBuffer);
            portal->buffer->scope = portal->scope;
        }
        if (!portal->buffer->complete) {
            TRY(execute_once(session, run));
            portal->buffer->complete = true;
        }
        if (returns_rows(run)) {
            run->rows = 0;
            TRY(send_kept(session, run, &suspended));
        }
    } else {
        TRY(execute_once(session, run));
        if (portal)
            portal->done = true;
    }
    run->suspended = suspended;
done:
    return st;
}

static void make_tag(Run *run)
{
    const char *command = ast_command_tag(run->ast);

    if (run->tag[0])
        return;
    if (!session_is_planned(run->ast->kind))
        snprintf(run->tag, sizeof run->tag, "%s", command);
    else
        snprintf(run->tag, sizeof run->tag, "%s %s%llu", command,
                 run->ast->kind == AST_INSERT ? "0 " : "", (unsigned long long)run->rows);
}

static RunAnswer run_planned(Session *session, Run *run, bool on_pool)
{
    Status st = OK;

    if (run->phase == RUN_PREPARE) {
        TRY(session_txn_ensure(session));
        TRY(take_plan(session, run));
        run->phase = RUN_EXECUTE;
    }
    if (!on_pool && !run_plan(run)->is_short)
        return RUN_POOL;
    do {
        error_clear(&session->ctx);
        TRY(plan_and_lock(session, run));
        st = execute(session, run);
    } while (st == STATUS_RETRY);
done:
    return session_answer(session, st);
}

RunAnswer session_run(Session *session, Run *run, bool on_pool)
{
    RunAnswer answer;

    session->waits_for_lock = false;
    session_lock_wait_end(session);
    if (ctx_check_cancel(&session->ctx) != OK)
        return RUN_FAILED;
    if (run->phase == RUN_PREPARE && session_check_failed(session, run->ast) != OK)
        return RUN_FAILED;
    if (run->phase == RUN_PREPARE && ast_is(run->ast, AST_EXECUTE)) {
        if (session_execute_statement(session, run) != OK)
            return RUN_FAILED;
    }
    if (run->phase == RUN_COPY)
        answer = on_pool ? session_copy_continue(session, run) : RUN_POOL;
    else if (session_is_planned(run->ast->kind))
        answer = run_planned(session, run, on_pool);
    else
        answer = session_utility(session, run, on_pool);
    if (answer == RUN_OK)
        make_tag(run);
    return answer;
}
