// SPDX-License-Identifier: Apache-2.0
//
// Statements that have no plan: data definition, PREPARE, LOCK, VACUUM, EXPLAIN and their like.
// What writes runs inside the transaction as a planned statement does. One thread at a time.
#include "api/session_int.h"

#include <stdio.h>

bool session_utility_is_quick(AstKind kind)
{
    switch (kind) {
    case AST_TRANSACTION:
    case AST_SET:
    case AST_SHOW:
    case AST_PREPARE:
    case AST_DEALLOCATE:
    case AST_DISCARD:
    case AST_UNSUPPORTED: return true;
    default: return false;
    }
}

static Status not_supported(Session *session, const AstNode *ast)
{
    const char *command = ast_command_tag(ast);

    if (ast->kind == AST_UNSUPPORTED) {
        Str feature = ((const AstUnsupported *)ast)->feature;
        return error_raise(&session->ctx, E_FEATURE_NOT_SUPPORTED, "%.*s is not supported",
                           (int)feature.len, feature.ptr);
    }
    return error_raise(&session->ctx, E_FEATURE_NOT_SUPPORTED, "%s is not supported", command);
}

static void ddl_notice(void *arg, const char *sqlstate, const char *message)
{
    session_notice(arg, NOTICE_NOTICE, sqlstate, "%s", message);
}

static Status check_no_block(Session *session, const AstNode *ast)
{
    if (session->block == BLOCK_NONE)
        return OK;
    if (session->block == BLOCK_IMPLICIT)
        return error_raise(&session->ctx, E_ACTIVE_SQL_TRANSACTION,
                           "%s cannot be executed from a function or multi-command string",
                           ast_command_tag(ast));
    return error_raise(&session->ctx, E_ACTIVE_SQL_TRANSACTION,
                       "%s cannot run inside a transaction block", ast_command_tag(ast));
}

static void ddl_env(Session *session, const Run *run, const Snapshot *snapshot, BindEnv *bind,
                    DdlEnv *out)
{
    session_bind_env(session, bind, NULL, 0);
    bind->text = run->text;
    *out = (DdlEnv){.bind = bind,
                    .storage = session->node->storage,
                    .source = run->text,
                    .notice = ddl_notice,
                    .notice_arg = session};
    session_exec_env(session, snapshot, NULL, 0, &out->exec);
}

static Status run_ddl(Session *session, Run *run)
{
    Status st = OK;
    const Snapshot *snapshot = NULL;
    BindEnv bind;
    DdlEnv env;

    if (ddl_needs_no_block(run->ast))
        TRY(check_no_block(session, run->ast));
    TRY(session_txn_ensure(session));
    if (txn_read_only(session->txn))
        FAIL(&session->ctx, E_READ_ONLY_TRANSACTION, "cannot execute %s in a read-only transaction",
             ast_command_tag(run->ast));
    do {
        error_clear(&session->ctx);
        TRY(txn_statement_begin(&session->ctx, session->txn, false, &snapshot));
        catalog_refresh(session->catalog);
        ddl_env(session, run, snapshot, &bind, &env);
        scope_reset(run->scope);
        st = ddl_execute(&session->ctx, run->scope, &env, run->ast);
        if (st == OK)
            txn_statement_end(session->txn);
        else
            txn_statement_abort(session->txn);
    } while (st == STATUS_RETRY);
    if (st == OK && run->ast->kind == AST_CREATE_TABLE_AS)
        snprintf(run->tag, sizeof run->tag, "SELECT %llu", (unsigned long long)env.rows);
done:
    return st;
}

static const Object *find_relation(Session *session, const AstName *name)
{
    const Object *object = session_find_relation(session, name);

    if (object == NULL)
        error_raise(&session->ctx, E_UNDEFINED_TABLE, "relation \"%.*s\" does not exist",
                    (int)name->name.len, name->name.ptr);
    return object;
}

static Status lock_statement(Session *session, const AstLock *ast)
{
    Status st = OK;
    TxnVerdict verdict;

    if (session->block == BLOCK_NONE)
        return error_raise(&session->ctx, E_NO_ACTIVE_TRANSACTION,
                           "LOCK TABLE can only be used in transaction blocks");
    TRY(session_txn_ensure(session));
    for (uint32_t i = 0; i < ast->tables.count; i++) {
        const Object *object =
            find_relation(session, &((const AstTableRef *)ast->tables.items[i])->name);
        if (object == NULL)
            return E_UNDEFINED_TABLE;
        TRY(txn_lock_table(&session->ctx, session->txn, object->oid, (TableLock)ast->mode,
                           ast->nowait, &verdict));
        if (verdict != TXN_GRANTED)
            return STATUS_LOCK_WAIT;
    }
done:
    return st;
}

typedef struct TableList {
    Scope *scope;
    ARRAY(Oid) oids;
} TableList;

static bool collect_table(void *arg, const Object *object)
{
    TableList *list = arg;

    array_push(list->scope, &list->oids, object->oid);
    return true;
}

/* Statistics of the named tables, or of all. */
static Status analyze(Session *session, Run *run, const AstVacuum *ast)
{
    Status st = OK;
    const Snapshot *snapshot = NULL;
    TableList list = {.scope = run->scope};
    BindEnv bind;
    DdlEnv env;

    TRY(session_txn_ensure(session));
    for (uint32_t i = 0; i < ast->tables.count; i++) {
        const AstVacuumTable *item = (const AstVacuumTable *)ast->tables.items[i];
        const Object *object = find_relation(session, &item->table->name);
        if (object == NULL)
            return E_UNDEFINED_TABLE;
        if (object->kind == OBJECT_TABLE)
            collect_table(&list, object);
        else
            session_notice(session, NOTICE_WARNING, "01000",
                           "skipping \"%.*s\" --- cannot vacuum or analyze non-tables",
                           (int)object->name.len, object->name.ptr);
    }
    if (ast->tables.count == 0)
        catalog_each(session->catalog, OBJECT_TABLE, collect_table, &list);
    TRY(txn_statement_begin(&session->ctx, session->txn, false, &snapshot));
    ddl_env(session, run, snapshot, &bind, &env);
    for (uint32_t i = 0; i < list.oids.count && st == OK; i++) {
        const Object *table = catalog_by_oid(session->catalog, list.oids.data[i]);
        if (table)
            st = ddl_analyze(&session->ctx, run->scope, &env, (const Table *)table);
    }
    if (st == OK)
        txn_statement_end(session->txn);
    else
        txn_statement_abort(session->txn);
done:
    return st;
}

/* VACUUM has nothing to reclaim by hand: background merges do; with ANALYZE it gathers statistics.
 */
static Status vacuum(Session *session, Run *run)
{
    Status st = OK;
    const AstVacuum *ast = (const AstVacuum *)run->ast;
    const AstOption *option = ast_option_find(&ast->options, "analyze");
    bool wants_statistics = !ast->vacuum;

    if (ast->vacuum)
        TRY(check_no_block(session, run->ast));
    if (option)
        TRY(ast_option_bool(&session->ctx, option, &wants_statistics));
    for (uint32_t i = 0; i < ast->tables.count; i++) {
        const AstVacuumTable *item = (const AstVacuumTable *)ast->tables.items[i];
        if (find_relation(session, &item->table->name) == NULL)
            return E_UNDEFINED_TABLE;
    }
    if (wants_statistics)
        TRY(analyze(session, run, ast));
done:
    return st;
}

static const Settings *initial_settings(const Session *session)
{
    return session->settings_initial ? session->settings_initial : session->node->settings;
}

static Status set_statement(Session *session, const AstSet *ast)
{
    Status st = OK;
    Scope *scope = session->request.scope;
    Str text;
    SettingId id = ast->name.ptr ? setting_find(ast->name) : SETTINGS_COUNT;
    AstSetForm form = id == SETTING_SEARCH_PATH ? AST_SET_IDENTIFIERS
                      : id == SETTING_DATESTYLE ? AST_SET_LIST
                                                : AST_SET_SCALAR;

    switch (ast->kind) {
    case AST_SET_VALUE:
        TRY(ast_set_text(&session->ctx, scope, ast, form, &text));
        return session_set(session, ast->name, text, ast->local);
    case AST_SET_DEFAULT:
    case AST_SET_RESET:
        if (id == SETTINGS_COUNT)
            return session_set(session, ast->name, STR(""), ast->local);
        return session_set(session, ast->name, settings_show(initial_settings(session), scope, id),
                           ast->local);
    case AST_SET_RESET_ALL:
        for (int i = 0; i < SETTINGS_COUNT; i++) {
            if (setting_info((SettingId)i)->context == SETTING_CONTEXT_SESSION)
                settings_reset(session->settings, initial_settings(session), (SettingId)i);
        }
        session_apply_settings(session);
        return OK;
    case AST_SET_TRANSACTION:
    case AST_SET_SESSION_CHARACTERISTICS: return session_set_modes(session, ast);
    case AST_SET_CURRENT:
    case AST_SET_SNAPSHOT:
        return error_raise(&session->ctx, E_FEATURE_NOT_SUPPORTED,
                           "this form of SET is not supported");
    }
done:
    return st;
}

static Status show_all(Session *session)
{
    Scope *scope = session->request.scope;
    Str *lines = scope_new_array(scope, Str, SETTINGS_COUNT);

    for (int i = 0; i < SETTINGS_COUNT; i++) {
        Str value = settings_show(session->settings, scope, (SettingId)i);
        lines[i] = str_from(scope_printf(scope, "%s = %.*s", setting_info((SettingId)i)->name,
                                         (int)value.len, value.ptr));
    }
    return session_send_text(session, "setting", lines, SETTINGS_COUNT);
}

static Status show_statement(Session *session, const AstShow *ast)
{
    SettingId id = setting_find(ast->name);

    if (str_is(ast->name, "all"))
        return show_all(session);
    if (id == SETTINGS_COUNT)
        return error_raise(&session->ctx, E_UNDEFINED_OBJECT,
                           "unrecognized configuration parameter \"%.*s\"", (int)ast->name.len,
                           ast->name.ptr);
    Str value = str_from(session_setting(session, session->request.scope, ast->name));
    return session_send_text(session, setting_info(id)->name, &value, 1);
}

static void forget_prepared(Session *session)
{
    uint32_t at = 0;
    Str name;
    void *value;

    while (strmap_next(session->prepared, &at, &name, &value)) {
        if (name.len == 0)
            continue;
        session_close_statement(session, ((Prepared *)value)->name);
        at = 0;
    }
}

static Status discard(Session *session, const AstDiscard *ast)
{
    Status st = OK;

    if (ast->target != AST_DISCARD_ALL)
        return OK;
    TRY(check_no_block(session, &ast->node));
    forget_prepared(session);
    TRY(set_statement(session, &(AstSet){.kind = AST_SET_RESET_ALL}));
done:
    return st;
}

static Status deallocate(Session *session, const AstDeallocate *ast)
{
    if (ast->name.ptr == NULL) {
        forget_prepared(session);
        return OK;
    }
    if (session_prepared_find(session, ast->name) == NULL)
        return E_INVALID_STATEMENT_NAME;
    session_close_statement(session, ast->name);
    return OK;
}

static Status utility(Session *session, Run *run)
{
    const AstNode *ast = run->ast;

    if (ddl_handles(ast->kind))
        return run_ddl(session, run);
    switch (ast->kind) {
    case AST_SET: return set_statement(session, (const AstSet *)ast);
    case AST_SHOW: return show_statement(session, (const AstShow *)ast);
    case AST_PREPARE: return session_prepare_statement(session, run);
    case AST_DEALLOCATE: return deallocate(session, (const AstDeallocate *)ast);
    case AST_DISCARD: return discard(session, (const AstDiscard *)ast);
    case AST_LOCK: return lock_statement(session, (const AstLock *)ast);
    case AST_VACUUM: return vacuum(session, run);
    case AST_CHECKPOINT: return storage_checkpoint(&session->ctx, session->node->storage);
    case AST_EXPLAIN: return session_explain(session, run);
    default: return not_supported(session, ast);
    }
}

RunAnswer session_utility(Session *session, Run *run, bool on_pool)
{
    const AstNode *ast = run->ast;

    if (ast->kind == AST_TRANSACTION) {
        const AstTransaction *statement = (const AstTransaction *)ast;
        if (statement->kind == AST_TX_COMMIT && session->block == BLOCK_FAILED)
            snprintf(run->tag, sizeof run->tag, "ROLLBACK");
        return session_transaction_statement(session, statement);
    }
    if (!on_pool && !session_utility_is_quick(ast->kind))
        return RUN_POOL;
    if (ast->kind == AST_COPY)
        return session_copy(session, run);
    return session_answer(session, utility(session, run));
}
