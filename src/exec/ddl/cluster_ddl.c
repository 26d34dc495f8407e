// SPDX-License-Identifier: Apache-2.0
//
// Schemas, databases and roles: what CREATE, ALTER and DROP of them do. A database is a name that
// objects carry; dropping one drops its objects. Roles have attributes and passwords; privileges
// are not checked yet. One thread.
#include "exec/ddl/ddl_int.h"

// --- schemas ------------------------------------------------------------------------------------

Status ddl_create_schema(Ddl *d, const AstCreateSchema *ast)
{
    Status st = OK;
    const Role *owner = NULL;
    Str name = ast->name;

    if (ast->owner)
        TRY(ddl_find_role(d, ast->owner, &owner));
    if (name.ptr == NULL)
        name = owner->object.name;
    TRY(ddl_check_schema_name(d, name));
    if (catalog_schema(d->catalog, name)) {
        if (!ast->if_not_exists)
            FAIL(d->ctx, E_DUPLICATE_SCHEMA, "schema \"%.*s\" already exists", STR_ARGS(name));
        ddl_notice(d, "42P06", "schema \"%.*s\" already exists, skipping", STR_ARGS(name));
        return OK;
    }
    if (ast->elements.count)
        TRY(ddl_unsupported(d, -1, "CREATE SCHEMA with schema elements is",
                            "Create the objects in statements of their own."));
    Schema schema = {.object = ddl_new_object(d, OBJECT_SCHEMA, 0, name)};
    if (owner)
        schema.object.owner = owner->object.oid;
    TRY(catalog_put(d->ctx, d->catalog, &schema.object));
done:
    return st;
}

// --- databases ----------------------------------------------------------------------------------

static bool is_utf8(Str name)
{
    return str_equal_nocase(name, STR("utf8")) || str_equal_nocase(name, STR("utf-8")) ||
           str_equal_nocase(name, STR("unicode")) || str_is(name, "6");
}

static bool is_c_locale(Str name)
{
    return str_is(name, "C") || str_is(name, "POSIX") || str_equal_nocase(name, STR("C.UTF-8")) ||
           str_equal_nocase(name, STR("C.utf8"));
}

/* Every database is UTF-8 in C order and made from template1, which is empty: options that ask for
   this are fine. */
static Status database_option(Ddl *d, const AstOption *option, Oid *owner)
{
    Status st = OK;
    Str name = option->name;
    Str value = {0};

    if (option->value == NULL) /* DEFAULT */
        return OK;
    TRY(ast_option_string(d->ctx, d->scope, option, &value));
    if (str_is(name, "owner")) {
        const Role *role = catalog_role(d->catalog, value);
        if (role == NULL)
            FAIL(d->ctx, E_UNDEFINED_OBJECT, "role \"%.*s\" does not exist", STR_ARGS(value));
        *owner = role->object.oid;
    } else if (str_is(name, "template")) {
        if (catalog_database(d->catalog, value) == NULL)
            FAIL(d->ctx, E_INVALID_CATALOG_NAME, "template database \"%.*s\" does not exist",
                 STR_ARGS(value));
        if (!str_is(value, "template0") && !str_is(value, "template1"))
            TRY(ddl_unsupported(d, option->node.location,
                                "copying a database other than template0 and template1 is", NULL));
    } else if (str_is(name, "encoding")) {
        if (!is_utf8(value))
            TRY(ddl_unsupported(d, option->node.location, "an encoding other than UTF8 is", NULL));
    } else if (str_is(name, "locale") || str_is(name, "lc_collate") || str_is(name, "lc_ctype")) {
        if (!is_c_locale(value))
            TRY(ddl_unsupported(d, option->node.location, "a locale other than C is", NULL));
    } else if (str_is(name, "tablespace")) {
        if (!str_is(value, "pg_default"))
            FAIL(d->ctx, E_UNDEFINED_OBJECT, "tablespace \"%.*s\" does not exist", STR_ARGS(value));
    } else if (str_is(name, "connection_limit")) {
        if (!str_is(value, "-1"))
            TRY(ddl_unsupported(d, option->node.location, "CONNECTION LIMIT is", NULL));
    } else if (!str_is(name, "strategy") && !str_is(name, "oid")) {
        st = error_raise(d->ctx, E_SYNTAX, "option \"%.*s\" not recognized", STR_ARGS(name));
        return ddl_at(d, option->node.location, st);
    }
done:
    return st;
}

Status ddl_create_database(Ddl *d, const AstCreateDatabase *ast)
{
    Status st = OK;
    Oid owner = d->bind->role;

    for (uint32_t i = 0; i < ast->options.count; i++)
        TRY(database_option(d, (const AstOption *)ast->options.items[i], &owner));
    if (catalog_database(d->catalog, ast->name))
        FAIL(d->ctx, E_DUPLICATE_DATABASE, "database \"%.*s\" already exists", STR_ARGS(ast->name));
    Database database = {.object = ddl_new_object(d, OBJECT_DATABASE, 0, ast->name)};
    database.object.database = 0;
    database.object.owner = owner;
    TRY(catalog_put(d->ctx, d->catalog, &database.object));
    Schema schema = {.object = ddl_new_object(d, OBJECT_SCHEMA, 0, STR("public"))};
    schema.object.database = database.object.oid;
    schema.object.owner = owner;
    schema.object.comment = STR("standard public schema");
    TRY(catalog_put(d->ctx, d->catalog, &schema.object));
done:
    return st;
}

Status ddl_alter_database(Ddl *d, const AstAlterDatabase *ast)
{
    Status st = OK;

    if (catalog_database(d->catalog, ast->name) == NULL)
        FAIL(d->ctx, E_INVALID_CATALOG_NAME, "database \"%.*s\" does not exist",
             STR_ARGS(ast->name));
    for (uint32_t i = 0; i < ast->options.count; i++) {
        const AstOption *option = (const AstOption *)ast->options.items[i];
        Oid owner = 0;
        if (str_is(option->name, "is_template") || str_is(option->name, "allow_connections"))
            TRY(ddl_unsupported(d, option->node.location, "this option of a database is", NULL));
        TRY(database_option(d, option, &owner));
    }
done:
    return st;
}

typedef struct ObjectList {
    Ddl *d;
    Oid database; /* 0: any */
    Oid owner;    /* 0: any */
    ARRAY(const Object *) objects;
} ObjectList;

static bool collect(void *arg, const Object *object)
{
    ObjectList *list = arg;

    if ((list->database == 0 || object->database == list->database) &&
        (list->owner == 0 || object->owner == list->owner))
        array_push(list->d->scope, &list->objects, object);
    return true;
}

static Status remove_content(Ddl *d, Oid database)
{
    static const ObjectKind kinds[] = {OBJECT_VIEW, OBJECT_TABLE, OBJECT_SEQUENCE, OBJECT_SCHEMA};
    Status st = OK;
    ObjectList list = {.d = d, .database = database};

    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        catalog_each(d->catalog, kinds[i], collect, &list);
    for (uint32_t i = 0; i < list.objects.count; i++)
        TRY(ddl_remove(d, list.objects.data[i]));
done:
    return st;
}

Status ddl_drop_database(Ddl *d, const AstDropDatabase *ast)
{
    Status st = OK;
    const Database *database = catalog_database(d->catalog, ast->name);

    if (database == NULL) {
        if (!ast->if_exists)
            FAIL(d->ctx, E_INVALID_CATALOG_NAME, "database \"%.*s\" does not exist",
                 STR_ARGS(ast->name));
        ddl_notice(d, "00000", "database \"%.*s\" does not exist, skipping", STR_ARGS(ast->name));
        return OK;
    }
    Oid oid = database->object.oid;
    if (oid == OID_DATABASE_TEMPLATE0 || oid == OID_DATABASE_TEMPLATE1)
        FAIL(d->ctx, E_WRONG_OBJECT_TYPE, "cannot drop a template database");
    if (oid == d->bind->database)
        FAIL(d->ctx, E_OBJECT_IN_USE, "cannot drop the currently open database");
    TRY(ddl_lock(d, oid, TABLE_ACCESS_EXCLUSIVE));
    Oid own = catalog_look_at(d->catalog, 0);
    st = remove_content(d, oid);
    if (st == OK)
        st = catalog_remove(d->ctx, d->catalog, oid);
    catalog_look_at(d->catalog, own);
done:
    return st;
}

// --- roles --------------------------------------------------------------------------------------

/* Only a verifier is stored: the clear text would be readable in the log. */
static Status set_password(Ddl *d, const AstOption *option, Role *role)
{
    Status st = OK;
    Str text;

    role->password = (Str){0};
    if (option->value == NULL || (ast_is(option->value, AST_CONST) &&
                                  ((const AstConst *)option->value)->kind == AST_CONST_NULL))
        return OK;
    TRY(ast_option_string(d->ctx, d->scope, option, &text));
    if (text.len < 14 || memcmp(text.ptr, "SCRAM-SHA-256$", 14) != 0)
        TRY(ddl_unsupported(d, option->node.location, "a password in clear text is",
                            "Give a SCRAM-SHA-256 verifier, as psql's \\password sends it."));
    role->password = text;
done:
    return st;
}

static bool *role_flag(Role *role, Str name)
{
    return str_is(name, "superuser")    ? &role->superuser
           : str_is(name, "createdb")   ? &role->create_db
           : str_is(name, "createrole") ? &role->create_role
           : str_is(name, "inherit")    ? &role->inherit
           : str_is(name, "canlogin")   ? &role->login
                                        : NULL;
}

static Status role_option(Ddl *d, const AstOption *option, Role *role)
{
    Status st = OK;
    bool *flag = role_flag(role, option->name);
    int64_t number = 0;
    bool value = false;

    if (flag)
        return ast_option_bool(d->ctx, option, flag);
    if (str_is(option->name, "password"))
        return set_password(d, option, role);
    if (str_is(option->name, "sysid"))
        return OK;
    if (str_is(option->name, "connectionlimit")) {
        TRY(ast_option_int64(d->ctx, option, &number));
        if (number == -1)
            return OK;
    }
    if (str_is(option->name, "isreplication") || str_is(option->name, "bypassrls")) {
        TRY(ast_option_bool(d->ctx, option, &value));
        if (!value)
            return OK;
    }
    TRY(ddl_unsupported(
        d, option->node.location,
        scope_printf(d->scope, "the role option \"%.*s\" is", STR_ARGS(option->name)), NULL));
done:
    return st;
}

static Status role_options(Ddl *d, const AstList *options, Role *role)
{
    Status st = OK;

    for (uint32_t i = 0; i < options->count; i++) {
        const AstOption *option = (const AstOption *)options->items[i];
        for (uint32_t k = 0; k < i; k++) {
            if (str_equal(((const AstOption *)options->items[k])->name, option->name))
                return ddl_at(d, option->node.location,
                              error_raise(d->ctx, E_SYNTAX, "conflicting or redundant options"));
        }
        TRY(role_option(d, option, role));
    }
done:
    return st;
}

Status ddl_create_role(Ddl *d, const AstCreateRole *ast)
{
    Status st = OK;
    Str name = ast->name;
    Role role = {.inherit = true, .login = ast->as == AST_CREATE_AS_USER};

    if (name.len >= 3 && memcmp(name.ptr, "pg_", 3) == 0) {
        st = error_raise(d->ctx, E_RESERVED_NAME, "role name \"%.*s\" is reserved", STR_ARGS(name));
        error_detail(d->ctx, "Role names starting with \"pg_\" are reserved.");
        goto done;
    }
    TRY(role_options(d, &ast->options, &role));
    if (catalog_role(d->catalog, name))
        FAIL(d->ctx, E_DUPLICATE_OBJECT, "role \"%.*s\" already exists", STR_ARGS(name));
    role.object = ddl_new_object(d, OBJECT_ROLE, 0, name);
    role.object.database = 0;
    TRY(catalog_put(d->ctx, d->catalog, &role.object));
done:
    return st;
}

Status ddl_alter_role(Ddl *d, const AstAlterRole *ast)
{
    Status st = OK;
    const Role *found;

    TRY(ddl_find_role(d, ast->role, &found));
    Role role = *found;
    TRY(role_options(d, &ast->options, &role));
    TRY(catalog_put(d->ctx, d->catalog, &role.object));
done:
    return st;
}

/* 2BP01 if the role owns anything in any database. */
static Status check_owns_nothing(Ddl *d, const Role *role)
{
    static const ObjectKind kinds[] = {OBJECT_DATABASE, OBJECT_SCHEMA, OBJECT_TABLE, OBJECT_VIEW,
                                       OBJECT_SEQUENCE};
    ObjectList list = {.d = d, .owner = role->object.oid};
    StrBuf detail;
    Status st;

    Oid own = catalog_look_at(d->catalog, 0);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        catalog_each(d->catalog, kinds[i], collect, &list);
    catalog_look_at(d->catalog, own);
    if (list.objects.count == 0)
        return OK;
    strbuf_init(&detail);
    for (uint32_t i = 0; i < list.objects.count; i++)
        strbuf_printf(&detail, "%sowner of %s", i ? "\n" : "",
                      ddl_describe(d, list.objects.data[i]));
    st = error_raise(d->ctx, E_DEPENDENT_OBJECTS,
                     "role \"%.*s\" cannot be dropped because some objects depend on it",
                     STR_ARGS(role->object.name));
    error_detail(d->ctx, "%s", strbuf_c(&detail));
    strbuf_free(&detail);
    return st;
}

Status ddl_drop_role(Ddl *d, const AstDropRole *ast)
{
    Status st = OK;

    for (uint32_t i = 0; i < ast->roles.count; i++) {
        const AstRole *named = (const AstRole *)ast->roles.items[i];
        const Role *role;
        if (named->kind == AST_ROLE_NAME && ast->if_exists &&
            catalog_role(d->catalog, named->name) == NULL) {
            ddl_notice(d, "00000", "role \"%.*s\" does not exist, skipping", STR_ARGS(named->name));
            continue;
        }
        TRY(ddl_find_role(d, named, &role));
        if (role->object.oid == d->bind->role)
            FAIL(d->ctx, E_OBJECT_IN_USE, "current user cannot be dropped");
        if (role->object.oid == OID_ROLE_POSTGRES)
            FAIL(d->ctx, E_DEPENDENT_OBJECTS,
                 "cannot drop role %.*s because it is required by the database system",
                 STR_ARGS(role->object.name));
        TRY(check_owns_nothing(d, role));
        TRY(catalog_remove(d->ctx, d->catalog, role->object.oid));
    }
done:
    return st;
}
