// SPDX-License-Identifier: Apache-2.0
//
// Prepared statements and portals: Parse and PREPARE, Bind, EXECUTE. A statement is parsed and
// bound once; its plan is kept and made anew when an object it depends on changes (session_run.c).
// One thread at a time.
#include "api/session_int.h"

#include "base/memory.h"
#include "types/cast.h"

Prepared *session_prepared_find(Session *session, Str name)
{
    Prepared *prepared = strmap_get(session->prepared, name);

    if (prepared)
        return prepared;
    if (name.len == 0)
        error_raise(&session->ctx, E_INVALID_STATEMENT_NAME,
                    "unnamed prepared statement does not exist");
    else
        error_raise(&session->ctx, E_INVALID_STATEMENT_NAME,
                    "prepared statement \"%.*s\" does not exist", (int)name.len, name.ptr);
    return NULL;
}

Prepared *session_prepared_ref(Prepared *prepared)
{
    prepared->refs++;
    return prepared;
}

void session_prepared_unref(Prepared *prepared)
{
    if (prepared == NULL || --prepared->refs > 0)
        return;
    session_plan_free(&prepared->plan);
    scope_close(prepared->scope);
}

void session_portal_free(Portal *portal)
{
    if (portal == NULL)
        return;
    session_prepared_unref(portal->prepared);
    scope_close(portal->scope);
}

Status session_prepared_add(Session *session, Prepared *prepared)
{
    Prepared *old = strmap_get(session->prepared, prepared->name);

    if (old && prepared->name.len)
        return error_raise(&session->ctx, E_DUPLICATE_PREPARED,
                           "prepared statement \"%.*s\" already exists", (int)prepared->name.len,
                           prepared->name.ptr);
    if (old)
        session_close_statement(session, prepared->name);
    strmap_put(session->prepared, prepared->name, prepared);
    return OK;
}

/* Binds and plans a statement that has a plan; parameters left unknown become text. */
static Status plan_prepared(Session *session, Prepared *prepared)
{
    Status st = OK;
    AstKind kind = prepared->statement->body->kind;

    TRY(session_check_failed(session, prepared->statement->body));
    if (!session_is_planned(kind))
        return session_describe_utility(session, prepared);
    catalog_refresh(session->catalog);
    TRY(session_plan(session, prepared->statement->body, prepared->text, &prepared->params,
                     &prepared->params_count, &prepared->plan));
    /* The types live with the plan: keep them when it is made anew. */
    SqlType *params = scope_new_array(prepared->scope, SqlType, MAX(prepared->params_count, 1));
    for (uint32_t i = 0; i < prepared->params_count; i++)
        params[i] = prepared->params[i];
    prepared->params = params;
done:
    return st;
}

static Prepared *prepared_new(Session *session, Str name, Str text)
{
    Scope *scope = scope_open(session->scope, "prepared statement");
    Prepared *prepared = scope_new(scope, Prepared);

    prepared->refs = 1;
    prepared->scope = scope;
    prepared->name = str_copy(scope, name);
    prepared->text = str_copy(scope, text);
    return prepared;
}

Status session_prepare_text(Session *session, Str name, Str text, const Oid *types, uint32_t count)
{
    Status st = OK;
    AstList statements;
    Prepared *prepared = prepared_new(session, name, text);

    TRY(sql_parse(&session->ctx, prepared->scope, prepared->text, &statements));
    if (statements.count > 1)
        FAIL(&session->ctx, E_SYNTAX, "cannot insert multiple commands into a prepared statement");
    prepared->params = scope_new_array(prepared->scope, SqlType, MAX(count, 1));
    prepared->params_count = count;
    for (uint32_t i = 0; i < count; i++)
        prepared->params[i] = sql_type(types[i] ? types[i] : OID_UNKNOWN);
    if (statements.count == 1) {
        prepared->statement = (const AstStatement *)statements.items[0];
        TRY(plan_prepared(session, prepared));
    }
    TRY(session_prepared_add(session, prepared));
    return OK;
done:
    session_prepared_unref(prepared);
    return st;
}

void session_close_statement(Session *session, Str name)
{
    session_prepared_unref(strmap_remove(session->prepared, name));
}

void session_close_portal(Session *session, Str name)
{
    session_portal_free(strmap_remove(session->portals, name));
}

void session_close_portals(Session *session)
{
    uint32_t at = 0;
    Str name;
    void *portal;

    while (strmap_next(session->portals, &at, &name, &portal)) {
        session_close_portal(session, ((Portal *)portal)->name);
        at = 0;
    }
    session->request.run.portal = NULL;
}

static Status bind_value(Session *session, Portal *portal, uint32_t at, Str value, uint8_t format)
{
    Status st = OK;
    Datum *param = &portal->params[at];
    SqlType type = portal->prepared->params[at];

    if (value.ptr == NULL) {
        *param = datum_null(type);
        return OK;
    }
    value = str_copy(portal->scope, value);
    if (format) {
        TRY(type_receive(&session->ctx, portal->scope, type, value, &session->io, param));
    } else {
        TRY(type_check_utf8(&session->ctx, value));
        TRY(type_input(&session->ctx, portal->scope, type, value, &session->io, param));
    }
    return OK;
done:
    error_where(&session->ctx, "%s%.*s%s parameter $%u%s",
                portal->name.len ? "portal \"" : "unnamed portal", (int)portal->name.len,
                portal->name.ptr, portal->name.len ? "\"" : "", at + 1, format ? "" : " = '...'");
    return st;
}

static Portal *portal_new(Session *session, Str name, Prepared *prepared)
{
    Scope *scope = scope_open(session->scope, "portal");
    Portal *portal = scope_new(scope, Portal);

    portal->scope = scope;
    portal->name = str_copy(scope, name);
    portal->prepared = session_prepared_ref(prepared);
    portal->params_count = prepared->params_count;
    portal->params = scope_new_array(scope, Datum, MAX(portal->params_count, 1));
    return portal;
}

void session_start_bind(Session *session, Str name, Str statement, const Str *values,
                        const uint8_t *formats, uint32_t count)
{
    Status st = OK;
    Portal *portal = NULL;

    session->request.kind = REQUEST_BIND;
    error_clear(&session->ctx);
    Prepared *prepared = session_prepared_find(session, statement);
    if (prepared == NULL) {
        st = E_INVALID_STATEMENT_NAME;
        goto done;
    }
    if (count != prepared->params_count)
        FAIL(&session->ctx, E_PROTOCOL_VIOLATION,
             "bind message supplies %u parameters, but prepared statement \"%.*s\" requires %u",
             count, (int)statement.len, statement.ptr, prepared->params_count);
    if (prepared->statement)
        TRY(session_check_failed(session, prepared->statement->body));
    if (name.len && strmap_get(session->portals, name))
        FAIL(&session->ctx, E_DUPLICATE_CURSOR, "cursor \"%.*s\" already exists", (int)name.len,
             name.ptr);
    portal = portal_new(session, name, prepared);
    for (uint32_t i = 0; i < count; i++)
        TRY(bind_value(session, portal, i, values[i], formats[i]));
    session_close_portal(session, name);
    strmap_put(session->portals, portal->name, portal);
    return;
done:
    session_portal_free(portal);
    if (st != OK)
        session_txn_fail(session);
}

/* PREPARE name AS …: the statement's text is cut out and kept. */
Status session_prepare_statement(Session *session, Run *run)
{
    Status st = OK;
    const AstPrepare *ast = (const AstPrepare *)run->ast;
    Oid *types = scope_new_array(run->scope, Oid, MAX(ast->types.count, 1));

    for (uint32_t i = 0; i < ast->types.count; i++) {
        const AstTypeName *name = (const AstTypeName *)ast->types.items[i];
        const TypeInfo *type = type_by_name(name->name.name);
        if (type == NULL)
            FAIL(&session->ctx, E_UNDEFINED_OBJECT, "type \"%.*s\" does not exist",
                 (int)name->name.name.len, name->name.name.ptr);
        types[i] = name->bounds.count ? type->array : type->oid;
    }
    if (strmap_get(session->prepared, ast->name))
        FAIL(&session->ctx, E_DUPLICATE_PREPARED, "prepared statement \"%.*s\" already exists",
             (int)ast->name.len, ast->name.ptr);
    Prepared *prepared = prepared_new(session, ast->name, run->text);
    AstList statements;
    st = sql_parse(&session->ctx, prepared->scope, prepared->text, &statements);
    if (st == OK) {
        /* The same text gives the same tree: take this statement's place in it. */
        for (uint32_t i = 0; i < statements.count; i++) {
            const AstStatement *statement = (const AstStatement *)statements.items[i];
            if (statement->body->kind != AST_PREPARE ||
                statement->body->location != ast->node.location)
                continue;
            if (!str_equal(((const AstPrepare *)statement->body)->name, ast->name))
                continue;
            AstStatement *inner = ast_new(prepared->scope, AST_STATEMENT, AstStatement, -1);
            *inner = *statement;
            inner->body = ((const AstPrepare *)statement->body)->statement;
            prepared->statement = inner;
        }
        ASSERT(prepared->statement != NULL);
        prepared->params = scope_new_array(prepared->scope, SqlType, MAX(ast->types.count, 1));
        prepared->params_count = ast->types.count;
        for (uint32_t i = 0; i < ast->types.count; i++)
            prepared->params[i] = sql_type(types[i]);
        prepared->from_sql = true;
        st = plan_prepared(session, prepared);
    }
    if (st == OK)
        st = session_prepared_add(session, prepared);
    if (st != OK)
        session_prepared_unref(prepared);
done:
    return st;
}

/* EXECUTE name (args): the arguments are evaluated once, then the prepared statement is run. */
Status session_execute_statement(Session *session, Run *run)
{
    Status st = OK;
    const AstExecute *ast = (const AstExecute *)run->ast;
    Prepared *prepared = session_prepared_find(session, ast->name);
    BindEnv env;
    ExecEnv exec;

    if (prepared == NULL)
        return E_INVALID_STATEMENT_NAME;
    if (ast->args.count != prepared->params_count) {
        error_raise(&session->ctx, E_SYNTAX,
                    "wrong number of parameters for prepared statement \"%.*s\"",
                    (int)ast->name.len, ast->name.ptr);
        error_detail(&session->ctx, "Expected %u parameters but got %u.", prepared->params_count,
                     ast->args.count);
        return E_SYNTAX;
    }
    TRY(session_txn_ensure(session));
    Datum *params = scope_new_array(session->request.scope, Datum, MAX(ast->args.count, 1));
    session_bind_env(session, &env, NULL, 0);
    env.text = run->text;
    session_exec_env(session, NULL, NULL, 0, &exec);
    for (uint32_t i = 0; i < ast->args.count; i++) {
        Expr *expr;
        Vector value;
        TRY(sql_bind_expr(&session->ctx, session->request.scope, &env, ast->args.items[i], NULL,
                          prepared->params[i], &expr));
        TRY(exec_eval(&session->ctx, session->request.scope, expr, &exec, NULL, &value));
        params[i] = datum_from_vector(&value, 0);
        /* A literal numeric keeps its own scale when bound: the plan expects the declared form. */
        if (!type_equal(params[i].type, prepared->params[i]))
            TRY(cast_datum(&session->ctx, session->request.scope, &params[i], prepared->params[i],
                           false, &session->io, &params[i]));
    }
    run->prepared = session_is_planned(prepared->statement->body->kind) ? prepared : NULL;
    run->held = session_prepared_ref(prepared);
    run->ast = prepared->statement->body;
    run->text = prepared->text;
    run->params = params;
    run->params_count = ast->args.count;
done:
    return st;
}
