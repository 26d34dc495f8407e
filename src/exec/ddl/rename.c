// SPDX-License-Identifier: Apache-2.0
//
// RENAME of everything, SET SCHEMA, OWNER TO of what is no relation. Texts in the catalog follow a
// column's new name; views do not care (ViewSource). One thread.
#include "exec/ddl/alter_int.h"

// --- columns ------------------------------------------------------------------------------------

static Status rename_in_indexes(Ddl *d, Oid table, Str from, Str to)
{
    Status st = OK;
    const Table *now = alter_table_now(d, table);

    for (uint32_t i = 0; i < now->indexes_count; i++) {
        Index index = *now->indexes[i];
        IndexColumn *columns = scope_new_array(d->scope, IndexColumn, index.columns_count);
        bool has_text = index.predicate_sql.len > 0;
        for (uint32_t k = 0; k < index.columns_count; k++) {
            columns[k] = index.columns[k];
            has_text = has_text || columns[k].expr_sql.len;
            TRY(ddl_rename_in_expr(d, columns[k].expr_sql, from, to, &columns[k].expr_sql));
        }
        TRY(ddl_rename_in_expr(d, index.predicate_sql, from, to, &index.predicate_sql));
        index.columns = columns;
        if (has_text)
            TRY(catalog_put(d->ctx, d->catalog, &index.object));
    }
done:
    return st;
}

static Status column_exists(Ddl *d, Str name, Str relation)
{
    return error_raise(d->ctx, E_DUPLICATE_COLUMN,
                       "column \"%.*s\" of relation \"%.*s\" already exists", STR_ARGS(name),
                       STR_ARGS(relation));
}

static Status no_column(Ddl *d, Str name)
{
    return error_raise(d->ctx, E_UNDEFINED_COLUMN, "column \"%.*s\" does not exist",
                       STR_ARGS(name));
}

static Status rename_table_column(Ddl *d, const Table *table, Str from, Str to)
{
    Status st = OK;
    TableDraft draft;
    uint32_t at = ddl_column_at(table->columns, table->columns_count, from);

    if (at == UINT32_MAX)
        return no_column(d, from);
    TRY(ddl_check_column_name(d, to, -1));
    if (ddl_column_at(table->columns, table->columns_count, to) != UINT32_MAX)
        return column_exists(d, to, table->object.name);
    ddl_draft_from(d, table, &draft);
    draft.columns.data[at].name = to;
    for (uint32_t i = 0; i < draft.checks.count; i++) {
        CheckConstraint *check = &draft.checks.data[i];
        TRY(ddl_rename_in_expr(d, check->expr_sql, from, to, &check->expr_sql));
    }
    TRY(alter_put(d, &draft, false));
    TRY(rename_in_indexes(d, table->object.oid, from, to));
done:
    return st;
}

static Status rename_view_column(Ddl *d, const View *view, Str from, Str to)
{
    View copy = *view;
    uint32_t at = ddl_column_at(view->columns, view->columns_count, from);
    Column *columns = scope_new_array(d->scope, Column, view->columns_count);

    if (at == UINT32_MAX)
        return no_column(d, from);
    if (ddl_column_at(view->columns, view->columns_count, to) != UINT32_MAX)
        return column_exists(d, to, view->object.name);
    memcpy(columns, view->columns, view->columns_count * sizeof *columns);
    columns[at].name = to;
    copy.columns = columns;
    return catalog_put(d->ctx, d->catalog, &copy.object);
}

static Status rename_column(Ddl *d, const AstRename *ast)
{
    Status st = OK;
    OpenSpec spec = {.lock = TABLE_ACCESS_EXCLUSIVE, .missing_ok = ast->if_exists};
    const Object *object;

    if (ast->relation_type == AST_OBJ_VIEW)
        spec.kind = OBJECT_VIEW;
    TRY(ddl_open(d, &ast->object->name, spec, &object));
    if (object == NULL)
        return OK;
    if (object->kind == OBJECT_TABLE)
        return rename_table_column(d, (const Table *)object, ast->object->member, ast->new_name);
    if (object->kind == OBJECT_VIEW)
        return rename_view_column(d, (const View *)object, ast->object->member, ast->new_name);
    FAIL(d->ctx, E_WRONG_OBJECT_TYPE, "cannot rename columns of relation \"%.*s\"",
         STR_ARGS(object->name));
done:
    return st;
}

// --- relations ----------------------------------------------------------------------------------

Status ddl_put_head(Ddl *d, const Object *object, const Object *head)
{
    union {
        Table table;
        View view;
        Sequence sequence;
        Index index;
        Role role;
        Object object;
    } copy;

    switch (object->kind) {
    case OBJECT_TABLE: copy.table = *(const Table *)object; break;
    case OBJECT_VIEW: copy.view = *(const View *)object; break;
    case OBJECT_SEQUENCE: copy.sequence = *(const Sequence *)object; break;
    case OBJECT_INDEX: copy.index = *(const Index *)object; break;
    case OBJECT_ROLE: copy.role = *(const Role *)object; break;
    default: break;
    }
    copy.object = *head;
    return catalog_put(d->ctx, d->catalog, &copy.object);
}

static Status put_name(Ddl *d, const Object *object, Str name)
{
    Object head = *object;

    head.name = name;
    return ddl_put_head(d, object, &head);
}

static Status rename_constraint(Ddl *d, const AstRename *ast)
{
    Status st = OK;
    OpenSpec spec = {
        .kind = OBJECT_TABLE, .lock = TABLE_ACCESS_EXCLUSIVE, .missing_ok = ast->if_exists};
    Str from = ast->object->member;
    const Object *object;
    StrList taken = {0};
    TableDraft draft;

    TRY(ddl_open(d, &ast->object->name, spec, &object));
    if (object == NULL)
        return OK;
    const Table *table = (const Table *)object;
    ddl_constraint_names(d, table, &taken);
    for (uint32_t i = 0; i < taken.count; i++) {
        if (str_equal(taken.data[i], ast->new_name))
            FAIL(d->ctx, E_DUPLICATE_OBJECT,
                 "constraint \"%.*s\" for relation \"%.*s\" already exists",
                 STR_ARGS(ast->new_name), STR_ARGS(object->name));
    }
    for (uint32_t i = 0; i < table->indexes_count; i++) {
        if (table->indexes[i]->constraint && str_equal(table->indexes[i]->object.name, from))
            return put_name(d, &table->indexes[i]->object, ast->new_name);
    }
    ddl_draft_from(d, table, &draft);
    for (uint32_t i = 0; i < draft.checks.count; i++) {
        if (!str_equal(draft.checks.data[i].name, from))
            continue;
        draft.checks.data[i].name = ast->new_name;
        return alter_put(d, &draft, false);
    }
    FAIL(d->ctx, E_UNDEFINED_OBJECT, "constraint \"%.*s\" for table \"%.*s\" does not exist",
         STR_ARGS(from), STR_ARGS(object->name));
done:
    return st;
}

static ObjectKind relation_kind(AstObjectType type)
{
    switch (type) {
    case AST_OBJ_INDEX: return OBJECT_INDEX;
    case AST_OBJ_VIEW: return OBJECT_VIEW;
    case AST_OBJ_SEQUENCE: return OBJECT_SEQUENCE;
    default: return 0; /* ALTER TABLE renames any relation */
    }
}

static Status rename_relation(Ddl *d, const AstRename *ast)
{
    Status st = OK;
    OpenSpec spec = {.kind = relation_kind(ast->type),
                     .lock = TABLE_ACCESS_EXCLUSIVE,
                     .missing_ok = ast->if_exists};
    const Object *object;

    TRY(ddl_open(d, &ast->object->name, spec, &object));
    if (object == NULL)
        return OK;
    if (catalog_relation(d->catalog, object->schema, ast->new_name))
        FAIL(d->ctx, E_DUPLICATE_TABLE, "relation \"%.*s\" already exists",
             STR_ARGS(ast->new_name));
    TRY(put_name(d, object, ast->new_name));
done:
    return st;
}

// --- schemas, databases, roles ------------------------------------------------------------------

Status ddl_check_schema_name(Ddl *d, Str name)
{
    if (name.len < 3 || memcmp(name.ptr, "pg_", 3) != 0)
        return OK;
    Status st =
        error_raise(d->ctx, E_RESERVED_NAME, "unacceptable schema name \"%.*s\"", STR_ARGS(name));
    error_detail(d->ctx, "The prefix \"pg_\" is reserved for system schemas.");
    return st;
}

static Status rename_schema(Ddl *d, const AstRename *ast)
{
    Status st = OK;
    const Schema *schema;

    TRY(ddl_find_schema(d, ast->object->name.name, &schema));
    if (ddl_is_system_schema(schema->object.oid))
        FAIL(d->ctx, E_INSUFFICIENT_PRIVILEGE, "permission denied for schema %.*s",
             STR_ARGS(schema->object.name));
    TRY(ddl_lock(d, schema->object.oid, TABLE_ACCESS_EXCLUSIVE));
    if (catalog_schema(d->catalog, ast->new_name))
        FAIL(d->ctx, E_DUPLICATE_SCHEMA, "schema \"%.*s\" already exists", STR_ARGS(ast->new_name));
    TRY(ddl_check_schema_name(d, ast->new_name));
    TRY(put_name(d, &schema->object, ast->new_name));
done:
    return st;
}

static Status rename_database(Ddl *d, const AstRename *ast)
{
    Status st = OK;
    Str name = ast->object->name.name;
    const Database *database = catalog_database(d->catalog, name);

    if (database == NULL)
        FAIL(d->ctx, E_INVALID_CATALOG_NAME, "database \"%.*s\" does not exist", STR_ARGS(name));
    if (catalog_database(d->catalog, ast->new_name))
        FAIL(d->ctx, E_DUPLICATE_DATABASE, "database \"%.*s\" already exists",
             STR_ARGS(ast->new_name));
    if (database->object.oid == d->bind->database)
        FAIL(d->ctx, E_FEATURE_NOT_SUPPORTED, "current database cannot be renamed");
    TRY(put_name(d, &database->object, ast->new_name));
done:
    return st;
}

static Status rename_role(Ddl *d, const AstRename *ast)
{
    Status st = OK;
    Str name = ast->object->name.name;
    const Role *role = catalog_role(d->catalog, name);

    if (role == NULL)
        FAIL(d->ctx, E_UNDEFINED_OBJECT, "role \"%.*s\" does not exist", STR_ARGS(name));
    if (role->object.oid == d->bind->role)
        FAIL(d->ctx, E_FEATURE_NOT_SUPPORTED, "session user cannot be renamed");
    if (catalog_role(d->catalog, ast->new_name))
        FAIL(d->ctx, E_DUPLICATE_OBJECT, "role \"%.*s\" already exists", STR_ARGS(ast->new_name));
    TRY(put_name(d, &role->object, ast->new_name));
done:
    return st;
}

Status ddl_rename(Ddl *d, const AstRename *ast)
{
    switch (ast->type) {
    case AST_OBJ_COLUMN: return rename_column(d, ast);
    case AST_OBJ_TABLE_CONSTRAINT: return rename_constraint(d, ast);
    case AST_OBJ_TABLE:
    case AST_OBJ_INDEX:
    case AST_OBJ_VIEW:
    case AST_OBJ_SEQUENCE: return rename_relation(d, ast);
    case AST_OBJ_SCHEMA: return rename_schema(d, ast);
    case AST_OBJ_DATABASE: return rename_database(d, ast);
    case AST_OBJ_ROLE: return rename_role(d, ast);
    default:
        return ddl_unsupported(
            d, -1, scope_printf(d->scope, "ALTER %s ... RENAME is", ast_object_words(ast->type)),
            NULL);
    }
}

// --- SET SCHEMA, OWNER TO -----------------------------------------------------------------------

static Status move(Ddl *d, const Object *object, const Schema *schema)
{
    Status st = OK;
    Object head = *object;

    if (catalog_relation(d->catalog, schema->object.oid, object->name))
        FAIL(d->ctx, E_DUPLICATE_TABLE, "relation \"%.*s\" already exists in schema \"%.*s\"",
             STR_ARGS(object->name), STR_ARGS(schema->object.name));
    head.schema = schema->object.oid;
    TRY(ddl_put_head(d, object, &head));
done:
    return st;
}

/* A table takes its indexes and sequences along. */
static Status move_table_parts(Ddl *d, const Table *table, const Schema *schema)
{
    Status st = OK;
    OidList owned = {0};

    for (uint32_t i = 0; i < table->indexes_count; i++)
        TRY(move(d, &table->indexes[i]->object, schema));
    ddl_owned_sequences(d, table->object.oid, &owned);
    for (uint32_t i = 0; i < owned.count; i++)
        TRY(move(d, catalog_by_oid(d->catalog, owned.data[i]), schema));
done:
    return st;
}

Status ddl_set_schema(Ddl *d, const AstSetSchema *ast)
{
    Status st = OK;
    OpenSpec spec = {.kind = relation_kind(ast->type),
                     .lock = TABLE_ACCESS_EXCLUSIVE,
                     .missing_ok = ast->if_exists};
    const Schema *schema;
    const Object *object;

    if (ast->type != AST_OBJ_TABLE && spec.kind == 0)
        return ddl_unsupported(
            d, -1,
            scope_printf(d->scope, "ALTER %s ... SET SCHEMA is", ast_object_words(ast->type)),
            NULL);
    TRY(ddl_open(d, &ast->object->name, spec, &object));
    if (object == NULL)
        return OK;
    TRY(ddl_find_schema(d, ast->new_schema, &schema));
    if (ddl_is_system_schema(schema->object.oid))
        FAIL(d->ctx, E_INSUFFICIENT_PRIVILEGE, "permission denied for schema %.*s",
             STR_ARGS(schema->object.name));
    if (object->schema == schema->object.oid)
        return OK;
    if (object->kind == OBJECT_SEQUENCE && ((const Sequence *)object)->owned_by_table) {
        st = error_raise(d->ctx, E_FEATURE_NOT_SUPPORTED,
                         "cannot move an owned sequence into another schema");
        error_detail(d->ctx, "Sequence \"%.*s\" is linked to a table.", STR_ARGS(object->name));
        goto done;
    }
    TRY(ddl_lock(d, schema->object.oid, TABLE_ACCESS_SHARE));
    TRY(move(d, object, schema));
    if (object->kind == OBJECT_TABLE)
        TRY(move_table_parts(d, (const Table *)object, schema));
done:
    return st;
}

Status ddl_set_owner(Ddl *d, const AstSetOwner *ast)
{
    Status st = OK;
    const Object *object = NULL;
    Str name = ast->object->name.name;
    const Role *role;

    TRY(ddl_find_role(d, ast->owner, &role));
    if (ast->type == AST_OBJ_SCHEMA) {
        const Schema *schema;
        TRY(ddl_find_schema(d, name, &schema));
        object = &schema->object;
    } else if (ast->type == AST_OBJ_DATABASE) {
        const Database *database = catalog_database(d->catalog, name);
        if (database == NULL)
            FAIL(d->ctx, E_INVALID_CATALOG_NAME, "database \"%.*s\" does not exist",
                 STR_ARGS(name));
        object = &database->object;
    } else {
        return ddl_unsupported(
            d, -1, scope_printf(d->scope, "ALTER %s ... OWNER TO is", ast_object_words(ast->type)),
            NULL);
    }
    Object head = *object;
    head.owner = role->object.oid;
    TRY(ddl_put_head(d, object, &head));
done:
    return st;
}
