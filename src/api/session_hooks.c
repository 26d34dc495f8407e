// SPDX-License-Identifier: Apache-2.0
//
// What SQL functions and value formats ask of the session: sequences, settings, names of catalog
// objects. Called on the session's thread, or on a worker's while the session waits for the query:
// the catalog handle is only read then, and what is changed (currval) is under the sequence mutex.
#include "api/session_int.h"

#include "catalog/sequence.h"
#include "catalog/system_views.h"
#include "exec/ddl/describe.h"
#include "sql/ident.h"

static Status find_sequence(Session *session, Ctx *ctx, Oid oid, const Sequence **out)
{
    const Object *object = catalog_by_oid(session->catalog, oid);

    if (object == NULL)
        return error_raise(ctx, E_UNDEFINED_TABLE, "could not open relation with OID %u", oid);
    if (object->kind != OBJECT_SEQUENCE)
        return error_raise(ctx, E_WRONG_OBJECT_TYPE, "\"%.*s\" is not a sequence",
                           (int)object->name.len, object->name.ptr);
    *out = (const Sequence *)object;
    return OK;
}

static void remember_value(Session *session, Oid oid, int64_t value)
{
    mutex_lock(&session->sequence_mutex);
    int64_t *slot = u64map_get(session->sequence_values, oid);
    if (slot == NULL) {
        slot = scope_new(session->scope, int64_t);
        u64map_put(session->sequence_values, oid, slot);
    }
    *slot = value;
    session->last_sequence = oid;
    mutex_unlock(&session->sequence_mutex);
}

static Status hook_sequence_next(void *arg, Ctx *ctx, Oid oid, int64_t *out)
{
    Status st = OK;
    Session *session = arg;
    const Sequence *sequence = NULL;

    if (session->read_only)
        FAIL(ctx, E_READ_ONLY_TRANSACTION, "cannot execute nextval() in a read-only transaction");
    TRY(find_sequence(session, ctx, oid, &sequence));
    TRY(sequence_next(ctx, session->node->catalogs, sequence, out));
    remember_value(session, oid, *out);
done:
    return st;
}

static Status current_value(Session *session, Ctx *ctx, Oid oid, const Sequence *sequence,
                            int64_t *out)
{
    mutex_lock(&session->sequence_mutex);
    const int64_t *slot = u64map_get(session->sequence_values, oid);
    if (slot)
        *out = *slot;
    mutex_unlock(&session->sequence_mutex);
    if (slot)
        return OK;
    return error_raise(ctx, E_NOT_IN_PREREQUISITE_STATE,
                       "currval of sequence \"%.*s\" is not yet defined in this session",
                       (int)sequence->object.name.len, sequence->object.name.ptr);
}

static Status hook_sequence_current(void *arg, Ctx *ctx, Oid oid, int64_t *out)
{
    Status st = OK;
    Session *session = arg;
    const Sequence *sequence = NULL;

    TRY(find_sequence(session, ctx, oid, &sequence));
    TRY(current_value(session, ctx, oid, sequence, out));
done:
    return st;
}

static Status hook_sequence_set(void *arg, Ctx *ctx, Oid oid, int64_t value, bool is_called)
{
    Status st = OK;
    Session *session = arg;
    const Sequence *sequence = NULL;

    TRY(find_sequence(session, ctx, oid, &sequence));
    TRY(sequence_set(ctx, session->node->catalogs, sequence, value, is_called));
    if (is_called)
        remember_value(session, oid, value);
done:
    return st;
}

static Status hook_last_value(void *arg, Ctx *ctx, int64_t *out)
{
    Session *session = arg;
    const Object *sequence =
        session->last_sequence ? catalog_by_oid(session->catalog, session->last_sequence) : NULL;

    if (sequence == NULL)
        return error_raise(ctx, E_NOT_IN_PREREQUISITE_STATE,
                           "lastval is not yet defined in this session");
    return current_value(session, ctx, session->last_sequence, (const Sequence *)sequence, out);
}

static Status hook_setting_get(void *arg, Ctx *ctx, Scope *scope, Str name, bool missing_ok,
                               Str *out, bool *found)
{
    const char *value = session_setting(arg, scope, name);

    *found = value != NULL;
    if (value)
        *out = str_from(value);
    else if (!missing_ok)
        return error_raise(ctx, E_UNDEFINED_OBJECT, "unrecognized configuration parameter \"%.*s\"",
                           (int)name.len, name.ptr);
    return OK;
}

static Status hook_setting_set(void *arg, Ctx *ctx, Str name, Str value, bool local)
{
    Session *session = arg;
    Status st = session_set(session, name, value, local);

    if (ctx != &session->ctx)
        error_adopt(ctx, &session->ctx);
    return st;
}

static Status hook_catalog_text(void *arg, Ctx *ctx, Scope *scope, const char *what,
                                const Datum *args, uint32_t args_count, Str *out, bool *is_null)
{
    Session *session = arg;
    BindEnv env;

    session_bind_env(session, &env, NULL, 0);
    return describe_text(ctx, scope, &env, what, args, args_count, out, is_null);
}

static Status hook_catalog_number(void *arg, Ctx *ctx, const char *what, const Datum *args,
                                  uint32_t args_count, int64_t *out, bool *is_null)
{
    Session *session = arg;
    BindEnv env;

    if (strncmp(what, "txid_current", 12) == 0) {
        *is_null = session->txn == NULL;
        *out = *is_null ? 0 : (int64_t)txn_id(session->txn);
        return OK;
    }
    session_bind_env(session, &env, NULL, 0);
    return describe_number(ctx, &env, session->node->storage, what, args, args_count, out, is_null);
}

static void hook_waits(void *arg, bool begins)
{
    const Session *session = arg;

    if (begins)
        exec_pool_wait_begin(session->node->pool);
    else
        exec_pool_wait_end(session->node->pool);
}

const SessionHooks session_hooks = {
    .sequence_next = hook_sequence_next,
    .sequence_current = hook_sequence_current,
    .sequence_set = hook_sequence_set,
    .last_value = hook_last_value,
    .setting_get = hook_setting_get,
    .setting_set = hook_setting_set,
    .catalog_text = hook_catalog_text,
    .catalog_number = hook_catalog_number,
    .waits = hook_waits,
};

static const SystemView *find_system_view(const AstName *name)
{
    return system_view_find(name->schema.len ? name->schema : STR("pg_catalog"), name->name);
}

static Status input_class(Session *session, Ctx *ctx, const AstName *name, int64_t *out)
{
    const SystemView *view = find_system_view(name);
    const Object *object = view ? NULL : session_find_relation(session, name);

    if (view == NULL && object == NULL) {
        if (name->schema.len && catalog_schema(session->catalog, name->schema) == NULL)
            return error_raise(ctx, E_INVALID_SCHEMA_NAME, "schema \"%.*s\" does not exist",
                               (int)name->schema.len, name->schema.ptr);
        return error_raise(ctx, E_UNDEFINED_TABLE, "relation \"%.*s%s%.*s\" does not exist",
                           (int)name->schema.len, name->schema.len ? name->schema.ptr : "",
                           name->schema.len ? "." : "", (int)name->name.len, name->name.ptr);
    }
    *out = view ? view->oid : object->oid;
    return OK;
}

/* 'pg_class'::regclass and its like. */
Status session_reg_input(void *arg, Ctx *ctx, Oid type, Str text, int64_t *out)
{
    Status st = OK;
    Session *session = arg;
    Scope *scope = scope_open(NULL, "reg input");
    AstName name;
    uint32_t count;
    const char *what = NULL;

    TRY(ident_parse_name(ctx, scope, text, &name));
    *out = -1;
    if (type == OID_REGCLASS) {
        TRY(input_class(session, ctx, &name, out));
    } else if (type == OID_REGTYPE) {
        const TypeInfo *info = type_by_name(text);
        what = "type";
        *out = info ? (int64_t)info->oid : -1;
    } else if (type == OID_REGNAMESPACE) {
        const Schema *schema = catalog_schema(session->catalog, name.name);
        what = "schema";
        *out = schema ? (int64_t)schema->object.oid : -1;
    } else if (type == OID_REGROLE) {
        const Role *role = catalog_role(session->catalog, name.name);
        what = "role";
        *out = role ? (int64_t)role->object.oid : -1;
    } else {
        const FuncInfo *const *funcs = func_overloads(name.name, &count);
        what = "function";
        if (count > 1)
            FAIL(ctx, E_AMBIGUOUS_FUNCTION, "more than one function named \"%.*s\"", (int)text.len,
                 text.ptr);
        *out = count ? (int64_t)funcs[0]->oid : -1;
    }
    if (*out < 0)
        FAIL(ctx,
             type == OID_REGNAMESPACE ? E_INVALID_SCHEMA_NAME
             : what && what[0] == 'f' ? E_UNDEFINED_FUNCTION
                                      : E_UNDEFINED_OBJECT,
             "%s \"%.*s\" does not exist", what, (int)text.len, text.ptr);
done:
    scope_close(scope);
    return st;
}

static void append_class(Session *session, const Object *object, StrBuf *out)
{
    AstName name = {.name = object->name};
    const Object *schema = catalog_by_oid(session->catalog, object->schema);

    if (schema && session_find_relation(session, &name) != object) {
        ident_append(out, schema->name);
        strbuf_append_char(out, '.');
    }
    ident_append(out, object->name);
}

static bool append_system_view(Oid oid, StrBuf *out)
{
    uint32_t count;
    const SystemView *views = system_view_rows(&count);

    for (uint32_t i = 0; i < count; i++) {
        if (views[i].oid != oid)
            continue;
        if (strcmp(views[i].schema, "pg_catalog") != 0) {
            ident_append(out, str_from(views[i].schema));
            strbuf_append_char(out, '.');
        }
        ident_append(out, str_from(views[i].name));
        return true;
    }
    return false;
}

bool session_reg_output(void *arg, Oid type, int64_t value, StrBuf *out)
{
    Session *session = arg;
    const Object *object;
    const FuncInfo *func;

    if (value == 0) {
        strbuf_append_char(out, '-');
        return true;
    }
    if (type == OID_REGTYPE) {
        if (type_info((Oid)value) == NULL)
            return false;
        Scope *scope = scope_open(NULL, "reg output");
        strbuf_append_c(out, type_format(scope, sql_type((Oid)value)));
        scope_close(scope);
        return true;
    }
    if (type == OID_REGPROC || type == OID_REGPROCEDURE) {
        func = func_by_oid((Oid)value);
        if (func)
            strbuf_append_c(out, func->name);
        return func != NULL;
    }
    object = session->catalog ? catalog_by_oid(session->catalog, (Oid)value) : NULL;
    if (object == NULL)
        return type == OID_REGCLASS && append_system_view((Oid)value, out);
    if (type == OID_REGCLASS)
        append_class(session, object, out);
    else
        ident_append(out, object->name);
    return true;
}
