// SPDX-License-Identifier: Apache-2.0
//
// The room's door: which statements are data definition, and who runs which. Also the small ones:
// GRANT, REINDEX. One thread.
#include "exec/ddl/ddl.h"

#include "exec/ddl/ddl_int.h"

bool ddl_handles(AstKind kind)
{
    switch (kind) {
    case AST_CREATE_TABLE:
    case AST_CREATE_TABLE_AS:
    case AST_CREATE_INDEX:
    case AST_CREATE_VIEW:
    case AST_CREATE_SEQUENCE:
    case AST_ALTER_SEQUENCE:
    case AST_CREATE_SCHEMA:
    case AST_CREATE_DATABASE:
    case AST_ALTER_DATABASE:
    case AST_ALTER_DATABASE_SET:
    case AST_DROP_DATABASE:
    case AST_CREATE_ROLE:
    case AST_ALTER_ROLE:
    case AST_ALTER_ROLE_SET:
    case AST_DROP_ROLE:
    case AST_DROP:
    case AST_ALTER_TABLE:
    case AST_RENAME:
    case AST_SET_SCHEMA:
    case AST_SET_OWNER:
    case AST_COMMENT:
    case AST_GRANT:
    case AST_GRANT_ROLE:
    case AST_TRUNCATE:
    case AST_REINDEX: return true;
    default: return false;
    }
}

bool ddl_needs_no_block(const AstNode *statement)
{
    switch (statement->kind) {
    case AST_CREATE_DATABASE:
    case AST_DROP_DATABASE: return true;
    case AST_CREATE_INDEX: return ((const AstCreateIndex *)statement)->concurrently;
    case AST_DROP: return ((const AstDrop *)statement)->concurrently;
    case AST_REINDEX: {
        AstReindexKind kind = ((const AstReindex *)statement)->kind;
        return kind == AST_REINDEX_SCHEMA || kind == AST_REINDEX_DATABASE ||
               kind == AST_REINDEX_SYSTEM;
    }
    default: return false;
    }
}

// --- GRANT --------------------------------------------------------------------------------------

static Status check_grant_object(Ddl *d, const AstGrant *ast, const AstObject *object)
{
    Status st = OK;
    const Schema *schema;
    const Object *relation;

    if (ast->all_in_schema || ast->type == AST_OBJ_SCHEMA)
        return ddl_find_schema(d, object->name.name, &schema);
    if (ast->type == AST_OBJ_DATABASE) {
        if (catalog_database(d->catalog, object->name.name) == NULL)
            FAIL(d->ctx, E_INVALID_CATALOG_NAME, "database \"%.*s\" does not exist",
                 STR_ARGS(object->name.name));
        return OK;
    }
    if (ast->type != AST_OBJ_TABLE && ast->type != AST_OBJ_SEQUENCE)
        return ddl_unsupported(
            d, -1, scope_printf(d->scope, "GRANT ON %s is", ast_object_words(ast->type)), NULL);
    if (!ddl_is_system_view(d, &object->name))
        TRY(ddl_open(d, &object->name, (OpenSpec){.lock = TABLE_ACCESS_SHARE}, &relation));
done:
    return st;
}

/* Every role may do everything, so what GRANT promises holds already; REVOKE would promise what
   nobody keeps. */
Status ddl_grant(Ddl *d, const AstGrant *ast)
{
    Status st = OK;
    const Role *role;

    if (!ast->grant)
        return ddl_unsupported(d, -1, "REVOKE is",
                               "Privileges are not enforced yet: every role may do everything.");
    for (uint32_t i = 0; i < ast->objects.count; i++)
        TRY(check_grant_object(d, ast, (const AstObject *)ast->objects.items[i]));
    for (uint32_t i = 0; i < ast->grantees.count; i++) {
        const AstRole *grantee = (const AstRole *)ast->grantees.items[i];
        if (grantee->kind != AST_ROLE_PUBLIC)
            TRY(ddl_find_role(d, grantee, &role));
    }
    ddl_notice(d, "00000", "privileges are not enforced yet: every role may do everything");
done:
    return st;
}

// --- REINDEX ------------------------------------------------------------------------------------

/* Indexes hold no garbage that rebuilding would remove: names are checked, nothing else. */
Status ddl_reindex(Ddl *d, const AstReindex *ast)
{
    Status st = OK;
    OpenSpec spec = {.lock = TABLE_SHARE};
    const Object *object;
    const Schema *schema;

    switch (ast->kind) {
    case AST_REINDEX_TABLE:
    case AST_REINDEX_INDEX:
        spec.kind = ast->kind == AST_REINDEX_TABLE ? OBJECT_TABLE : OBJECT_INDEX;
        TRY(ddl_open(d, &ast->relation->name, spec, &object));
        break;
    case AST_REINDEX_SCHEMA: TRY(ddl_find_schema(d, ast->name, &schema)); break;
    default:
        if (ast->name.ptr && !str_equal(ast->name, d->env->exec.session->database))
            FAIL(d->ctx, E_FEATURE_NOT_SUPPORTED, "can only reindex the currently open database");
    }
done:
    return st;
}

// --- dispatch -----------------------------------------------------------------------------------

static Status execute_shared(Ddl *d, const AstNode *ast)
{
    switch (ast->kind) {
    case AST_CREATE_SCHEMA: return ddl_create_schema(d, (const AstCreateSchema *)ast);
    case AST_CREATE_DATABASE: return ddl_create_database(d, (const AstCreateDatabase *)ast);
    case AST_ALTER_DATABASE: return ddl_alter_database(d, (const AstAlterDatabase *)ast);
    case AST_DROP_DATABASE: return ddl_drop_database(d, (const AstDropDatabase *)ast);
    case AST_CREATE_ROLE: return ddl_create_role(d, (const AstCreateRole *)ast);
    case AST_ALTER_ROLE: return ddl_alter_role(d, (const AstAlterRole *)ast);
    case AST_DROP_ROLE: return ddl_drop_role(d, (const AstDropRole *)ast);
    case AST_ALTER_DATABASE_SET:
    case AST_ALTER_ROLE_SET:
        return ddl_unsupported(d, -1, "settings of a role or database are",
                               "Use SET in the session, or a setting of the server.");
    case AST_GRANT: return ddl_grant(d, (const AstGrant *)ast);
    case AST_GRANT_ROLE: return ddl_unsupported(d, -1, "membership in roles is", NULL);
    case AST_REINDEX: return ddl_reindex(d, (const AstReindex *)ast);
    default: break;
    }
    return error_raise(d->ctx, E_INTERNAL, "%s is no data definition", ast_kind_name(ast->kind));
}

static void ddl_init(Ddl *d, Ctx *ctx, Scope *scope, DdlEnv *env)
{
    *d = (Ddl){.ctx = ctx,
               .scope = scope,
               .env = env,
               .bind = env->bind,
               .catalog = env->exec.catalog,
               .txn = env->exec.txn};
}

Status ddl_execute(Ctx *ctx, Scope *scope, DdlEnv *env, const AstNode *statement)
{
    Ddl ddl;
    Ddl *d = &ddl;

    ddl_init(d, ctx, scope, env);
    switch (statement->kind) {
    case AST_CREATE_TABLE: return ddl_create_table(d, (const AstCreateTable *)statement);
    case AST_CREATE_TABLE_AS: return ddl_create_table_as(d, (const AstCreateTableAs *)statement);
    case AST_CREATE_INDEX: return ddl_create_index(d, (const AstCreateIndex *)statement);
    case AST_CREATE_VIEW: return ddl_create_view(d, (const AstCreateView *)statement);
    case AST_CREATE_SEQUENCE: return ddl_create_sequence(d, (const AstCreateSequence *)statement);
    case AST_ALTER_SEQUENCE: return ddl_alter_sequence(d, (const AstAlterSequence *)statement);
    case AST_DROP: return ddl_drop(d, (const AstDrop *)statement);
    case AST_ALTER_TABLE: return ddl_alter_table(d, (const AstAlterTable *)statement);
    case AST_RENAME: return ddl_rename(d, (const AstRename *)statement);
    case AST_SET_SCHEMA: return ddl_set_schema(d, (const AstSetSchema *)statement);
    case AST_SET_OWNER: return ddl_set_owner(d, (const AstSetOwner *)statement);
    case AST_COMMENT: return ddl_comment(d, (const AstComment *)statement);
    case AST_TRUNCATE: return ddl_truncate(d, (const AstTruncate *)statement);
    default: return execute_shared(d, statement);
    }
}

typedef struct TableWalk {
    Ddl *d;
    ARRAY(const Table *) tables;
} TableWalk;

static bool add_table(void *arg, const Object *object)
{
    TableWalk *walk = arg;

    array_push(walk->d->scope, &walk->tables, (const Table *)object);
    return true;
}

Status ddl_analyze(Ctx *ctx, Scope *scope, DdlEnv *env, const Table *table)
{
    Status st = OK;
    Ddl d;
    TableWalk walk = {.d = &d};

    ddl_init(&d, ctx, scope, env);
    if (table)
        return ddl_analyze_table(&d, table);
    catalog_pin(d.catalog, scope);
    catalog_each(d.catalog, OBJECT_TABLE, add_table, &walk);
    for (uint32_t i = 0; i < walk.tables.count; i++)
        TRY(ddl_analyze_table(&d, walk.tables.data[i]));
done:
    return st;
}
