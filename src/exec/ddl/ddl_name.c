// SPDX-License-Identifier: Apache-2.0
//
// Names: finding and locking what a statement is about, choosing names as PostgreSQL does, and the
// words of messages. See ddl_int.h; one thread.
#include "base/memory.h"
#include "catalog/system_views.h"
#include "exec/ddl/ddl_int.h"
#include "sql/deparse.h"
#include "sql/parse/parse.h"

#include <stdarg.h>

// --- messages -----------------------------------------------------------------------------------

void ddl_notice(Ddl *d, const char *sqlstate, const char *format, ...)
{
    va_list args;

    if (d->env->notice == NULL)
        return;
    va_start(args, format);
    char *text = mem_vprintf(format, args);
    va_end(args);
    d->env->notice(d->env->notice_arg, sqlstate, text);
    mem_free(text);
}

Status ddl_at(Ddl *d, int32_t location, Status st)
{
    if (st != OK && location >= 0 && d->env->source.ptr != NULL)
        error_position(d->ctx, sql_position(d->env->source, location));
    return st;
}

Status ddl_unsupported(Ddl *d, int32_t location, const char *feature, const char *hint)
{
    Status st = error_raise(d->ctx, E_FEATURE_NOT_SUPPORTED, "%s not supported", feature);

    if (hint != NULL)
        error_hint(d->ctx, "%s", hint);
    return ddl_at(d, location, st);
}

const char *ddl_kind_words(ObjectKind kind)
{
    switch (kind) {
    case OBJECT_DATABASE: return "database";
    case OBJECT_SCHEMA: return "schema";
    case OBJECT_TABLE: return "table";
    case OBJECT_INDEX: return "index";
    case OBJECT_SEQUENCE: return "sequence";
    case OBJECT_VIEW: return "view";
    case OBJECT_ROLE: return "role";
    case OBJECT_CONSTRAINT: return "constraint";
    }
    return "object";
}

static bool in_schema(const Object *object)
{
    return object->kind == OBJECT_TABLE || object->kind == OBJECT_INDEX ||
           object->kind == OBJECT_SEQUENCE || object->kind == OBJECT_VIEW;
}

bool ddl_is_visible(const BindEnv *env, const Object *object)
{
    for (uint32_t i = 0; i < env->search_path_count; i++) {
        const Object *found = catalog_relation(env->catalog, env->search_path[i], object->name);
        if (found)
            return found->oid == object->oid;
    }
    return false;
}

void ddl_append_name(StrBuf *out, const BindEnv *env, const Object *object)
{
    if (in_schema(object) && !ddl_is_visible(env, object)) {
        const Object *schema = catalog_by_oid(env->catalog, object->schema);
        if (schema) {
            sql_quote_identifier(out, schema->name);
            strbuf_append_char(out, '.');
        }
    }
    sql_quote_identifier(out, object->name);
}

const char *ddl_visible_name(Ddl *d, const Object *object)
{
    StrBuf buf;

    strbuf_init(&buf);
    ddl_append_name(&buf, d->bind, object);
    char *name = scope_strndup(d->scope, buf.ptr, buf.len);
    strbuf_free(&buf);
    return name;
}

const char *ddl_describe(Ddl *d, const Object *object)
{
    return scope_printf(d->scope, "%s %s", ddl_kind_words(object->kind),
                        ddl_visible_name(d, object));
}

Str ddl_qualified_name(Ddl *d, const Object *object)
{
    const Object *schema = catalog_by_oid(d->catalog, object->schema);
    StrBuf buf;

    strbuf_init(&buf);
    sql_quote_name(&buf,
                   &(AstName){.schema = schema ? schema->name : (Str){0}, .name = object->name});
    Str name = str_copy(d->scope, strbuf_str(&buf));
    strbuf_free(&buf);
    return name;
}

const char *ddl_written_name(Ddl *d, const AstName *name)
{
    if (name->schema.ptr == NULL)
        return str_to_c(d->scope, name->name);
    return scope_printf(d->scope, "%.*s.%.*s", STR_ARGS(name->schema), STR_ARGS(name->name));
}

// --- finding and locking ------------------------------------------------------------------------

bool ddl_is_system_schema(Oid schema)
{
    return schema == OID_SCHEMA_PG_CATALOG || schema == OID_SCHEMA_INFORMATION;
}

bool ddl_is_system_view(Ddl *d, const AstName *name)
{
    if (name->schema.ptr != NULL)
        return system_view_find(name->schema, name->name) != NULL;
    for (uint32_t i = 0; i < d->bind->search_path_count; i++) {
        const Object *schema = catalog_by_oid(d->catalog, d->bind->search_path[i]);
        if (schema && system_view_find(schema->name, name->name))
            return true;
        if (catalog_relation(d->catalog, d->bind->search_path[i], name->name))
            return false;
    }
    return false;
}

Status ddl_check_not_system(Ddl *d, const Object *object)
{
    if (!in_schema(object) || !ddl_is_system_schema(object->schema))
        return OK;
    return error_raise(d->ctx, E_INSUFFICIENT_PRIVILEGE,
                       "permission denied: \"%.*s\" is a system catalog", STR_ARGS(object->name));
}

Status ddl_lock(Ddl *d, Oid oid, TableLock mode)
{
    Status st = OK;
    TxnVerdict verdict;

    TRY(txn_lock_table(d->ctx, d->txn, oid, mode, false, &verdict));
    if (verdict != TXN_GRANTED)
        return verdict == TXN_WAIT ? STATUS_LOCK_WAIT : STATUS_RETRY;
    /* What was seen so far stays readable until the statement ends. */
    catalog_pin(d->catalog, d->scope);
    catalog_refresh(d->catalog);
done:
    return st;
}

const Object *ddl_find(const Ddl *d, const AstName *name)
{
    if (name->schema.ptr != NULL) {
        const Schema *schema = catalog_schema(d->catalog, name->schema);
        return schema ? catalog_relation(d->catalog, schema->object.oid, name->name) : NULL;
    }
    for (uint32_t i = 0; i < d->bind->search_path_count; i++) {
        const Object *object = catalog_relation(d->catalog, d->bind->search_path[i], name->name);
        if (object)
            return object;
    }
    return NULL;
}

/* Another database's name in front: PostgreSQL reads it, and refuses. */
static Status check_database(Ddl *d, const AstName *name)
{
    const SessionInfo *session = d->env->exec.session;

    if (name->catalog.ptr == NULL || str_equal(name->catalog, session->database))
        return OK;
    return error_raise(d->ctx, E_FEATURE_NOT_SUPPORTED,
                       "cross-database references are not implemented: \"%.*s.%s\"",
                       STR_ARGS(name->catalog), ddl_written_name(d, name));
}

Status ddl_wrong_kind(Ddl *d, const Object *object, ObjectKind wanted)
{
    const char *article = wanted == OBJECT_INDEX ? "an" : "a";

    return error_raise(d->ctx, E_WRONG_OBJECT_TYPE, "\"%.*s\" is not %s %s", STR_ARGS(object->name),
                       article, ddl_kind_words(wanted));
}

Status ddl_open(Ddl *d, const AstName *name, OpenSpec spec, const Object **out)
{
    Status st = OK;
    const Object *object;
    const Object *again;

    *out = NULL;
    TRY(check_database(d, name));
    for (object = ddl_find(d, name); object; object = again) {
        if (spec.kind && object->kind != spec.kind)
            return ddl_wrong_kind(d, object, spec.kind);
        TRY(ddl_check_not_system(d, object));
        TRY(ddl_lock(d, object->oid, spec.lock));
        again = ddl_find(d, name);
        if (again && again->oid == object->oid) {
            *out = again;
            return OK;
        }
    }
    if (!spec.missing_ok)
        FAIL(d->ctx, E_UNDEFINED_TABLE, "relation \"%s\" does not exist",
             ddl_written_name(d, name));
    ddl_notice(d, "00000", "relation \"%s\" does not exist, skipping", ddl_written_name(d, name));
done:
    return st;
}

Status ddl_find_schema(Ddl *d, Str name, const Schema **out)
{
    *out = catalog_schema(d->catalog, name);
    if (*out)
        return OK;
    return error_raise(d->ctx, E_INVALID_SCHEMA_NAME, "schema \"%.*s\" does not exist",
                       STR_ARGS(name));
}

Status ddl_creation_schema(Ddl *d, const AstName *name, Oid *out)
{
    Status st = OK;
    const Schema *schema = NULL;

    TRY(check_database(d, name));
    if (str_is(name->schema, "pg_temp"))
        TRY(ddl_unsupported(d, -1, "temporary tables are", NULL));
    *out = 0;
    if (name->schema.ptr != NULL) {
        TRY(ddl_find_schema(d, name->schema, &schema));
        *out = schema->object.oid;
    }
    for (uint32_t i = 0; *out == 0 && i < d->bind->search_path_count; i++) {
        if (d->bind->search_path[i] != OID_SCHEMA_PG_CATALOG)
            *out = d->bind->search_path[i];
    }
    if (*out == 0)
        FAIL(d->ctx, E_INVALID_SCHEMA_NAME, "no schema has been selected to create in");
    if (ddl_is_system_schema(*out)) {
        st = error_raise(d->ctx, E_INSUFFICIENT_PRIVILEGE, "permission denied to create \"%s\"",
                         ddl_written_name(d, name));
        error_detail(d->ctx, "System catalog modifications are currently disallowed.");
        goto done;
    }
    TRY(ddl_lock(d, *out, TABLE_ACCESS_SHARE));
    if (catalog_by_oid(d->catalog, *out) == NULL)
        FAIL(d->ctx, E_INVALID_SCHEMA_NAME, "schema with OID %u does not exist", *out);
done:
    return st;
}

Status ddl_find_role(Ddl *d, const AstRole *ast, const Role **out)
{
    if (ast->kind == AST_ROLE_NAME || ast->kind == AST_ROLE_PUBLIC) {
        Str name = ast->kind == AST_ROLE_PUBLIC ? STR("public") : ast->name;
        *out = catalog_role(d->catalog, name);
        if (*out == NULL)
            return error_raise(d->ctx, E_UNDEFINED_OBJECT, "role \"%.*s\" does not exist",
                               STR_ARGS(name));
        return OK;
    }
    *out = (const Role *)catalog_by_oid(d->catalog, d->bind->role);
    ASSERT(*out != NULL);
    return OK;
}

Object ddl_new_object(Ddl *d, ObjectKind kind, Oid schema, Str name)
{
    return (Object){.kind = kind,
                    .oid = catalog_new_oid(d->catalog),
                    .database = d->bind->database,
                    .schema = schema,
                    .owner = d->bind->role,
                    .name = name};
}

// --- choosing names -----------------------------------------------------------------------------

/* As many whole characters as fit. */
static size_t clip(Str text, size_t bytes_max)
{
    size_t length = MIN(text.len, bytes_max);

    while (length > 0 && length < text.len && ((unsigned char)text.ptr[length] & 0xC0) == 0x80)
        length--;
    return length;
}

Str ddl_make_name(Ddl *d, NameParts parts)
{
    size_t label = parts.label ? strlen(parts.label) : 0;
    size_t overhead = (parts.name2.len ? 1 : 0) + (label ? label + 1 : 0);
    size_t room = NAME_BYTES_MAX - MIN(overhead, (size_t)NAME_BYTES_MAX);
    Str a = parts.name1;
    Str b = parts.name2;

    /* The longer one gives way, a byte at a time, as in PostgreSQL. */
    while (a.len + b.len > room) {
        if (a.len > b.len)
            a.len--;
        else
            b.len--;
    }
    a.len = clip(parts.name1, a.len);
    b.len = clip(parts.name2, b.len);
    return str_from(scope_printf(d->scope, "%.*s%s%.*s%s%s", STR_ARGS(a), b.len ? "_" : "",
                                 STR_ARGS(b), label ? "_" : "", label ? parts.label : ""));
}

static bool is_taken(const StrList *taken, Str name)
{
    for (uint32_t i = 0; taken && i < taken->count; i++) {
        if (str_equal(taken->data[i], name))
            return true;
    }
    return false;
}

Str ddl_choose_name(Ddl *d, NameParts parts, Oid schema, const StrList *taken)
{
    const char *label = parts.label;
    Str name = ddl_make_name(d, parts);

    for (uint32_t i = 1;
         is_taken(taken, name) || (schema && catalog_relation(d->catalog, schema, name)); i++) {
        parts.label = scope_printf(d->scope, "%s%u", label, i);
        name = ddl_make_name(d, parts);
    }
    return name;
}
