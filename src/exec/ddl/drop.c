// SPDX-License-Identifier: Apache-2.0
//
// DROP of relations and schemas, with PostgreSQL's words for what is missing or of another kind,
// and TRUNCATE. Dependencies are depend.c's. One thread.
#include "exec/ddl/ddl_int.h"

// --- DROP ---------------------------------------------------------------------------------------

static ObjectKind kind_of(AstObjectType type)
{
    switch (type) {
    case AST_OBJ_TABLE: return OBJECT_TABLE;
    case AST_OBJ_INDEX: return OBJECT_INDEX;
    case AST_OBJ_SEQUENCE: return OBJECT_SEQUENCE;
    case AST_OBJ_VIEW: return OBJECT_VIEW;
    case AST_OBJ_SCHEMA: return OBJECT_SCHEMA;
    default: return 0;
    }
}

static Status missing(Ddl *d, const AstDrop *ast, const AstName *name)
{
    bool is_schema = ast->type == AST_OBJ_SCHEMA;
    bool no_schema = name->schema.ptr && catalog_schema(d->catalog, name->schema) == NULL;
    const char *words = no_schema ? "schema" : ddl_kind_words(kind_of(ast->type));
    const char *what = no_schema ? str_to_c(d->scope, name->schema) : ddl_written_name(d, name);

    if (ast->if_exists) {
        ddl_notice(d, "00000", "%s \"%s\" does not exist, skipping", words, what);
        return OK;
    }
    return error_raise(d->ctx,
                       is_schema || no_schema       ? E_INVALID_SCHEMA_NAME
                       : ast->type == AST_OBJ_INDEX ? E_UNDEFINED_OBJECT
                                                    : E_UNDEFINED_TABLE,
                       "%s \"%s\" does not exist", words, what);
}

static Status wrong_kind(Ddl *d, const Object *object, ObjectKind wanted)
{
    static const char *const uses[] = {[OBJECT_TABLE] = "TABLE to remove a table",
                                       [OBJECT_INDEX] = "INDEX to remove an index",
                                       [OBJECT_SEQUENCE] = "SEQUENCE to remove a sequence",
                                       [OBJECT_VIEW] = "VIEW to remove a view"};
    Status st = ddl_wrong_kind(d, object, wanted);

    error_hint(d->ctx, "Use DROP %s.", uses[object->kind]);
    return st;
}

static Status add_schema(Ddl *d, const AstDrop *ast, const AstName *name, DropSet *set)
{
    Status st = OK;
    const Schema *schema = catalog_schema(d->catalog, name->name);

    if (schema == NULL)
        return missing(d, ast, name);
    if (ddl_is_system_schema(schema->object.oid))
        FAIL(d->ctx, E_DEPENDENT_OBJECTS,
             "cannot drop schema %.*s because it is required by the database system",
             STR_ARGS(schema->object.name));
    TRY(ddl_lock(d, schema->object.oid, TABLE_ACCESS_EXCLUSIVE));
    schema = catalog_schema(d->catalog, name->name);
    if (schema == NULL)
        return missing(d, ast, name);
    ddl_drop_add(set, &schema->object);
done:
    return st;
}

static Status add_relation(Ddl *d, const AstDrop *ast, const AstName *name, DropSet *set)
{
    Status st = OK;
    ObjectKind kind = kind_of(ast->type);
    const Object *object;
    const Object *again;

    for (object = ddl_find(d, name); object; object = again) {
        if (object->kind != kind)
            return wrong_kind(d, object, kind);
        if (kind == OBJECT_INDEX)
            TRY(ddl_lock(d, ((const Index *)object)->table, TABLE_ACCESS_EXCLUSIVE));
        TRY(ddl_lock(d, object->oid, TABLE_ACCESS_EXCLUSIVE));
        again = ddl_find(d, name);
        if (again && again->oid == object->oid) {
            ddl_drop_add(set, again);
            return OK;
        }
    }
    if (ddl_is_system_view(d, name))
        FAIL(d->ctx, E_INSUFFICIENT_PRIVILEGE, "permission denied: \"%.*s\" is a system catalog",
             STR_ARGS(name->name));
    TRY(missing(d, ast, name));
done:
    return st;
}

/* Kinds of objects that this database does not have: none of them exists. */
static Status drop_other(Ddl *d, const AstDrop *ast)
{
    const char *words = ast_object_words(ast->type);

    if (!ast->if_exists) {
        Status st = error_raise(d->ctx, E_FEATURE_NOT_SUPPORTED, "DROP %s is not supported", words);
        error_hint(d->ctx, "There are no objects of this kind.");
        return st;
    }
    for (uint32_t i = 0; i < ast->objects.count; i++) {
        const AstObject *object = (const AstObject *)ast->objects.items[i];
        StrBuf lower;
        strbuf_init(&lower);
        for (const char *c = words; *c; c++)
            strbuf_append_char(&lower, *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c);
        ddl_notice(d, "00000", "%s \"%s\" does not exist, skipping", strbuf_c(&lower),
                   ddl_written_name(d, &object->name));
        strbuf_free(&lower);
    }
    return OK;
}

Status ddl_drop(Ddl *d, const AstDrop *ast)
{
    Status st = OK;
    DropSet *set = ddl_drop_new(d, ast->cascade);

    if (kind_of(ast->type) == 0)
        return drop_other(d, ast);
    for (uint32_t i = 0; i < ast->objects.count; i++) {
        const AstName *name = &((const AstObject *)ast->objects.items[i])->name;
        if (ast->type == AST_OBJ_SCHEMA)
            TRY(add_schema(d, ast, name, set));
        else
            TRY(add_relation(d, ast, name, set));
    }
    TRY(ddl_drop_run(set));
done:
    return st;
}

// --- TRUNCATE -----------------------------------------------------------------------------------

static Status restart_owned(Ddl *d, const Table *table)
{
    Status st = OK;
    OidList owned = {0};

    ddl_owned_sequences(d, table->object.oid, &owned);
    for (uint32_t i = 0; i < owned.count; i++) {
        TRY(ddl_lock(d, owned.data[i], TABLE_SHARE_ROW_EXCLUSIVE));
        const Sequence *sequence = (const Sequence *)catalog_by_oid(d->catalog, owned.data[i]);
        TRY(ddl_restart_sequence(d, sequence, sequence->start));
    }
done:
    return st;
}

/* The table and its indexes start over in new relations: nothing is deleted row by row. */
static Status truncate_table(Ddl *d, const Table *table)
{
    Status st = OK;
    TableDraft draft;

    ddl_draft_from(d, table, &draft);
    ddl_draft_new_relation(d, &draft);
    for (uint32_t i = 0; i < draft.columns.count; i++)
        draft.columns.data[i].missing = datum_null(draft.columns.data[i].type);
    TRY(ddl_draft_seal(d, &draft, true));
    TRY(catalog_put(d->ctx, d->catalog, &draft.table.object));
    for (uint32_t i = 0; i < table->indexes_count; i++) {
        Index index = *table->indexes[i];
        index.relation_id = index.clustered ? draft.table.relation_id : ddl_new_relation(d);
        TRY(catalog_put(d->ctx, d->catalog, &index.object));
    }
    ddl_drop_table_relations(d, table);
done:
    return st;
}

Status ddl_truncate(Ddl *d, const AstTruncate *ast)
{
    Status st = OK;
    OidList tables = {0};

    for (uint32_t i = 0; i < ast->tables.count; i++) {
        const AstTableRef *ref = (const AstTableRef *)ast->tables.items[i];
        OpenSpec spec = {.kind = OBJECT_TABLE, .lock = TABLE_ACCESS_EXCLUSIVE};
        const Object *object;
        if (ddl_is_system_view(d, &ref->name))
            FAIL(d->ctx, E_INSUFFICIENT_PRIVILEGE,
                 "permission denied: \"%.*s\" is a system catalog", STR_ARGS(ref->name.name));
        TRY(ddl_open(d, &ref->name, spec, &object));
        array_push(d->scope, &tables, object->oid);
    }
    for (uint32_t i = 0; i < tables.count; i++) {
        const Table *table = (const Table *)catalog_by_oid(d->catalog, tables.data[i]);
        TRY(truncate_table(d, table));
        if (ast->restart_identity)
            TRY(restart_owned(d, table));
    }
done:
    return st;
}
