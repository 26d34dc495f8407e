// SPDX-License-Identifier: Apache-2.0
//
// Binding and planning for a session: what the binder may look at, the search path resolved to
// schemas, the executor's surroundings. One thread at a time.
#include "api/session_int.h"

#include "os/clock.h"
#include "sql/ident.h"

#define EPOCH_2000_US   INT64_C(946684800000000)
#define SEARCH_PATH_MAX 64

bool session_is_planned(AstKind kind)
{
    return kind == AST_SELECT || kind == AST_INSERT || kind == AST_UPDATE || kind == AST_DELETE;
}

static void add_schema(Session *session, Oid oid)
{
    for (uint32_t i = 0; i < session->search_path_count; i++) {
        if (session->search_path[i] == oid)
            return;
    }
    if (session->search_path_count < SEARCH_PATH_MAX)
        session->search_path[session->search_path_count++] = oid;
}

/* pg_catalog is looked at first unless the path names it. */
static void resolve_search_path(Session *session)
{
    Scope *scope = scope_open(session->scope, "search path");
    Str list = settings_string(session->settings, SETTING_SEARCH_PATH);
    Str rest = list;
    Str name;
    bool names_catalog = false;

    if (session->search_path == NULL)
        session->search_path = scope_new_array(session->scope, Oid, SEARCH_PATH_MAX);
    while (ident_next(scope, &rest, &name))
        names_catalog = names_catalog || str_is(name, "pg_catalog");
    session->search_path_count = 0;
    session->info.schema = (Str){0};
    if (!names_catalog)
        add_schema(session, OID_SCHEMA_PG_CATALOG);
    for (rest = list; ident_next(scope, &rest, &name);) {
        if (str_is(name, "$user"))
            name = session->info.user;
        const Schema *schema = catalog_schema(session->catalog, name);
        if (schema == NULL)
            continue;
        add_schema(session, schema->object.oid);
        if (session->info.schema.ptr == NULL)
            session->info.schema = str_copy(session->txn_scope, schema->object.name);
    }
    session->info.search_path = list;
    session->search_path_version = catalog_version(session->catalog);
    session->search_path_stale = false;
    scope_close(scope);
}

void session_bind_env(Session *session, BindEnv *env, SqlType *params, uint32_t params_count)
{
    if (session->search_path_stale || session->info.schema.ptr == NULL ||
        session->search_path_version != catalog_version(session->catalog))
        resolve_search_path(session);
    *env = (BindEnv){
        .catalog = session->catalog,
        .database = session->database,
        .role = session->role,
        .search_path = session->search_path,
        .search_path_count = session->search_path_count,
        .io = &session->io,
        .session = &session->info,
        .params = params,
        .params_count = params_count,
        .params_cap = params_count,
    };
}

Status session_plan(Session *session, const AstNode *ast, Str text, SqlType **params,
                    uint32_t *params_count, PlannedStatement *out)
{
    Status st = OK;
    BindEnv env;

    *out = (PlannedStatement){.scope = scope_open(session->scope, "plan")};
    catalog_pin(session->catalog, out->scope);
    session_bind_env(session, &env, *params, *params_count);
    env.text = text;
    TRY(sql_bind(&session->ctx, out->scope, &env, ast, out));
    TRY(sql_optimise(&session->ctx, out->scope, &env, session->node->storage, out));
    out->catalog_version = catalog_version(session->catalog);
    *params = out->params;
    *params_count = out->params_count;
done:
    if (st != OK) {
        session_plan_free(out);
    }
    return st;
}

void session_plan_free(PlannedStatement *plan)
{
    scope_close(plan->scope);
    *plan = (PlannedStatement){0};
}

void session_exec_env(Session *session, const Snapshot *snapshot, const Datum *params,
                      uint32_t params_count, ExecEnv *out)
{
    int64_t threads = settings_int(session->settings, SETTING_QUERY_THREADS);

    session->info.statement_start_us = clock_wall_us() - EPOCH_2000_US;
    *out = (ExecEnv){
        .txn = session->txn,
        .snapshot = snapshot,
        .catalog = session->catalog,
        .params = params,
        .params_count = params_count,
        .io = &session->io,
        .session = &session->info,
        .pool = session->node->pool,
        .threads = threads ? (uint32_t)threads : session->node->threads,
        .work_mem = (size_t)settings_int(session->settings, SETTING_WORK_MEM),
        .temp_dir = session->node->temp_dir,
    };
}

const Object *session_find_relation(Session *session, const AstName *name)
{
    const Object *object = NULL;
    BindEnv env;

    session_bind_env(session, &env, NULL, 0);
    if (name->schema.ptr) {
        const Schema *schema = catalog_schema(session->catalog, name->schema);
        return schema ? catalog_relation(session->catalog, schema->object.oid, name->name) : NULL;
    }
    for (uint32_t i = 0; object == NULL && i < env.search_path_count; i++)
        object = catalog_relation(session->catalog, env.search_path[i], name->name);
    return object;
}
