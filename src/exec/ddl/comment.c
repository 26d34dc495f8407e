// SPDX-License-Identifier: Apache-2.0
//
// COMMENT ON: the text stands in the object; a column's and a constraint's in its table. An empty
// text or NULL takes it away. One thread.
#include "exec/ddl/alter_int.h"

static Str comment_text(const AstComment *ast)
{
    return ast->text.ptr ? ast->text : (Str){0};
}

static Status put_comment(Ddl *d, const Object *object, const AstComment *ast)
{
    Object head = *object;

    head.comment = comment_text(ast);
    return ddl_put_head(d, object, &head);
}

static Status comment_relation(Ddl *d, const AstComment *ast, ObjectKind kind)
{
    Status st = OK;
    OpenSpec spec = {.kind = kind, .lock = TABLE_SHARE_UPDATE_EXCLUSIVE};
    const Object *object;

    TRY(ddl_open(d, &ast->object->name, spec, &object));
    TRY(put_comment(d, object, ast));
done:
    return st;
}

static Status comment_column(Ddl *d, const AstComment *ast)
{
    Status st = OK;
    OpenSpec spec = {.lock = TABLE_SHARE_UPDATE_EXCLUSIVE};
    Str name = ast->object->member;
    const Object *object;
    TableDraft draft;
    uint32_t at;

    TRY(ddl_open(d, &ast->object->name, spec, &object));
    if (object->kind == OBJECT_TABLE) {
        TRY(ddl_table_column(d, (const Table *)object, name, &at));
        ddl_draft_from(d, (const Table *)object, &draft);
        draft.columns.data[at].comment = comment_text(ast);
        TRY(alter_put(d, &draft, false));
    } else if (object->kind == OBJECT_VIEW) {
        View view = *(const View *)object;
        Column *columns = scope_new_array(d->scope, Column, view.columns_count);
        at = ddl_column_at(view.columns, view.columns_count, name);
        if (at == UINT32_MAX)
            FAIL(d->ctx, E_UNDEFINED_COLUMN, "column \"%.*s\" of relation \"%.*s\" does not exist",
                 STR_ARGS(name), STR_ARGS(object->name));
        memcpy(columns, view.columns, view.columns_count * sizeof *columns);
        columns[at].comment = comment_text(ast);
        view.columns = columns;
        TRY(catalog_put(d->ctx, d->catalog, &view.object));
    } else {
        FAIL(d->ctx, E_WRONG_OBJECT_TYPE,
             "\"%.*s\" is not a table, view, materialized view, "
             "composite type, or foreign table",
             STR_ARGS(object->name));
    }
done:
    return st;
}

static Status comment_constraint(Ddl *d, const AstComment *ast)
{
    Status st = OK;
    OpenSpec spec = {.kind = OBJECT_TABLE, .lock = TABLE_SHARE_UPDATE_EXCLUSIVE};
    Str name = ast->object->member;
    const Object *object;
    TableDraft draft;

    TRY(ddl_open(d, &ast->object->name, spec, &object));
    const Table *table = (const Table *)object;
    for (uint32_t i = 0; i < table->indexes_count; i++) {
        Index index = *table->indexes[i];
        if (!index.constraint || !str_equal(index.object.name, name))
            continue;
        index.constraint_comment = comment_text(ast);
        return catalog_put(d->ctx, d->catalog, &index.object);
    }
    ddl_draft_from(d, table, &draft);
    for (uint32_t i = 0; i < draft.checks.count; i++) {
        if (!str_equal(draft.checks.data[i].name, name))
            continue;
        draft.checks.data[i].comment = comment_text(ast);
        return alter_put(d, &draft, false);
    }
    FAIL(d->ctx, E_UNDEFINED_OBJECT, "constraint \"%.*s\" for table \"%.*s\" does not exist",
         STR_ARGS(name), STR_ARGS(object->name));
done:
    return st;
}

static Status comment_shared(Ddl *d, const AstComment *ast)
{
    Status st = OK;
    Str name = ast->object->name.name;
    const Object *object = NULL;

    if (ast->type == AST_OBJ_SCHEMA) {
        const Schema *schema;
        TRY(ddl_find_schema(d, name, &schema));
        object = &schema->object;
    } else if (ast->type == AST_OBJ_DATABASE) {
        object = (const Object *)catalog_database(d->catalog, name);
        if (object == NULL)
            FAIL(d->ctx, E_INVALID_CATALOG_NAME, "database \"%.*s\" does not exist",
                 STR_ARGS(name));
    } else {
        object = (const Object *)catalog_role(d->catalog, name);
        if (object == NULL)
            FAIL(d->ctx, E_UNDEFINED_OBJECT, "role \"%.*s\" does not exist", STR_ARGS(name));
    }
    TRY(put_comment(d, object, ast));
done:
    return st;
}

Status ddl_comment(Ddl *d, const AstComment *ast)
{
    switch (ast->type) {
    case AST_OBJ_TABLE: return comment_relation(d, ast, OBJECT_TABLE);
    case AST_OBJ_INDEX: return comment_relation(d, ast, OBJECT_INDEX);
    case AST_OBJ_SEQUENCE: return comment_relation(d, ast, OBJECT_SEQUENCE);
    case AST_OBJ_VIEW: return comment_relation(d, ast, OBJECT_VIEW);
    case AST_OBJ_COLUMN: return comment_column(d, ast);
    case AST_OBJ_TABLE_CONSTRAINT: return comment_constraint(d, ast);
    case AST_OBJ_SCHEMA:
    case AST_OBJ_DATABASE:
    case AST_OBJ_ROLE: return comment_shared(d, ast);
    default:
        return ddl_unsupported(
            d, -1, scope_printf(d->scope, "COMMENT ON %s is", ast_object_words(ast->type)), NULL);
    }
}
