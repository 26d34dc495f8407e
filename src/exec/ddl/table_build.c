// SPDX-License-Identifier: Apache-2.0
//
// What tables are made of: drafts of a table (editable copies of its lists), columns with their
// constraints sorted out, CHECKs, keys, and the names of constraints and indexes. CREATE TABLE and
// ALTER TABLE share these. One thread.
#include "exec/ddl/ddl_int.h"

#define ROW_SCHEMAS_MAX 60000

// --- drafts -------------------------------------------------------------------------------------

void ddl_draft_new(Ddl *d, Oid schema, Str name, TableDraft *out)
{
    *out = (TableDraft){.table.object = ddl_new_object(d, OBJECT_TABLE, schema, name),
                        .table.rows_estimate = -1};
    ddl_draft_new_relation(d, out);
}

void ddl_draft_from(Ddl *d, const Table *table, TableDraft *out)
{
    *out = (TableDraft){.table = *table};
    for (uint32_t i = 0; i < table->columns_count; i++)
        array_push(d->scope, &out->columns, table->columns[i]);
    for (uint32_t i = 0; i < table->checks_count; i++)
        array_push(d->scope, &out->checks, table->checks[i]);
    for (uint32_t i = 0; i < table->key_columns_count; i++)
        out->key_ids[out->key_count++] = table->columns[table->key_column_at[i]].id;
}

void ddl_draft_new_relation(Ddl *d, TableDraft *draft)
{
    draft->table.relation_id = ddl_new_relation(d);
    draft->table.relation = (Relation){.id = draft->table.relation_id};
}

static Status add_row_schema(Ddl *d, TableDraft *draft)
{
    Relation *relation = &draft->table.relation;
    uint32_t count = relation->schemas_count;
    const RowSchema **schemas = scope_new_array(d->scope, const RowSchema *, count + 1);
    RowSchema *schema = scope_new(d->scope, RowSchema);
    RowColumn *columns = scope_new_array(d->scope, RowColumn, draft->columns.count + 1);

    if (count >= ROW_SCHEMAS_MAX) {
        Status st = error_raise(d->ctx, E_PROGRAM_LIMIT_EXCEEDED,
                                "the columns of table \"%.*s\" have changed too often",
                                STR_ARGS(draft->table.object.name));
        error_hint(d->ctx, "Copy it into a new table.");
        return st;
    }
    if (count)
        memcpy(schemas, relation->schemas, count * sizeof *schemas);
    for (uint32_t i = 0; i < draft->columns.count; i++) {
        const Column *column = &draft->columns.data[i];
        columns[i] = (RowColumn){column->id, column->type, column->missing};
    }
    *schema = (RowSchema){.version = count ? (uint16_t)(schemas[count - 1]->version + 1) : 1,
                          .columns_count = draft->columns.count,
                          .columns = columns};
    schemas[count] = schema;
    relation->schemas = schemas;
    relation->schemas_count = count + 1;
    return OK;
}

Status ddl_draft_seal(Ddl *d, TableDraft *draft, bool new_schema)
{
    Table *table = &draft->table;
    KeyColumn *keys = scope_new_array(d->scope, KeyColumn, draft->key_count + 1);
    uint32_t *key_at = scope_new_array(d->scope, uint32_t, draft->key_count + 1);

    table->columns = draft->columns.data;
    table->columns_count = draft->columns.count;
    table->checks = draft->checks.data;
    table->checks_count = draft->checks.count;
    table->key_columns_count = draft->key_count;
    for (uint32_t i = 0; i < draft->key_count; i++) {
        key_at[i] = ddl_column_by_id(table, draft->key_ids[i]);
        ASSERT(key_at[i] < table->columns_count);
        keys[i] = (KeyColumn){.type = table->columns[key_at[i]].type};
    }
    table->key_columns = keys;
    table->key_column_at = key_at;
    return new_schema ? add_row_schema(d, draft) : OK;
}

uint32_t ddl_column_at(const Column *columns, uint32_t count, Str name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (str_equal(columns[i].name, name))
            return i;
    }
    return UINT32_MAX;
}

uint32_t ddl_column_by_id(const Table *table, uint32_t id)
{
    for (uint32_t i = 0; i < table->columns_count; i++) {
        if (table->columns[i].id == id)
            return i;
    }
    return UINT32_MAX;
}

Status ddl_table_column(Ddl *d, const Table *table, Str name, uint32_t *out)
{
    *out = ddl_column_at(table->columns, table->columns_count, name);
    if (*out != UINT32_MAX)
        return OK;
    return error_raise(d->ctx, E_UNDEFINED_COLUMN,
                       "column \"%.*s\" of relation \"%.*s\" does not exist", STR_ARGS(name),
                       STR_ARGS(table->object.name));
}

Status ddl_check_column_name(Ddl *d, Str name, int32_t location)
{
    static const char *const system_columns[] = {"ctid", "xmin", "cmin",
                                                 "xmax", "cmax", "tableoid"};

    for (size_t i = 0; i < ARRAY_COUNT(system_columns); i++) {
        if (str_is(name, system_columns[i]))
            return ddl_at(d, location,
                          error_raise(d->ctx, E_DUPLICATE_COLUMN,
                                      "column name \"%s\" conflicts with a system column name",
                                      system_columns[i]));
    }
    return OK;
}

Status ddl_draft_add_column(Ddl *d, TableDraft *draft, const Column *column, int32_t location)
{
    Status st = OK;

    if (draft->columns.count >= COLUMNS_MAX)
        FAIL(d->ctx, E_TOO_MANY_COLUMNS, "tables can have at most %d columns", COLUMNS_MAX);
    TRY(ddl_check_column_name(d, column->name, location));
    if (ddl_column_at(draft->columns.data, draft->columns.count, column->name) != UINT32_MAX)
        FAIL(d->ctx, E_DUPLICATE_COLUMN, "column \"%.*s\" specified more than once",
             STR_ARGS(column->name));
    array_push(d->scope, &draft->columns, *column);
    array_last(&draft->columns).id = draft->table.next_column_id++;
done:
    return st;
}

// --- columns ------------------------------------------------------------------------------------

static char serial_kind(const AstTypeName *type)
{
    static const struct {
        const char *name;
        char kind;
    } names[] = {{"serial", 'i'},  {"serial4", 'i'},     {"bigserial", 'b'},
                 {"serial8", 'b'}, {"smallserial", 's'}, {"serial2", 's'}};

    if (type->name.schema.ptr != NULL || type->of_column)
        return 0;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (str_is(type->name.name, names[i].name))
            return names[i].kind;
    }
    return 0;
}

static Status check_collation(Ddl *d, const AstColumnDef *ast)
{
    Str name = ast->collation.name;

    if (name.ptr == NULL || str_is(name, "C") || str_is(name, "POSIX") || str_is(name, "default"))
        return OK;
    return error_raise(d->ctx, E_UNDEFINED_OBJECT,
                       "collation \"%.*s\" for encoding \"UTF8\" does not exist", STR_ARGS(name));
}

Status ddl_column_type(Ddl *d, const AstColumnDef *ast, SqlType *out, char *serial)
{
    Status st = OK;

    if (ast->type == NULL)
        FAIL(d->ctx, E_SYNTAX, "column \"%.*s\" has no type", STR_ARGS(ast->name));
    *serial = serial_kind(ast->type);
    if (*serial) {
        if (ast->type->bounds.count)
            TRY(ddl_unsupported(d, ast->type->node.location, "array of serial is", NULL));
        *out = sql_type(*serial == 's' ? OID_INT2 : *serial == 'i' ? OID_INT4 : OID_INT8);
        return OK;
    }
    if (ast->type->setof)
        FAIL(d->ctx, E_INVALID_TABLE_DEFINITION, "column \"%.*s\" cannot be declared SETOF",
             STR_ARGS(ast->name));
    TRY(sql_bind_type(d->ctx, d->scope, d->bind, ast->type, out));
    char category = type_info(out->oid)->category;
    if (category == 'P' || category == 'X')
        FAIL(d->ctx, E_INVALID_TABLE_DEFINITION, "column \"%.*s\" has pseudo-type %s",
             STR_ARGS(ast->name), type_format(d->scope, *out));
    TRY(check_collation(d, ast));
done:
    return st;
}

static Status column_syntax(Ddl *d, Str table, const AstColumnDef *ast, const char *what)
{
    return ddl_at(d, ast->node.location,
                  error_raise(d->ctx, E_SYNTAX, "%s for column \"%.*s\" of table \"%.*s\"", what,
                              STR_ARGS(ast->name), STR_ARGS(table)));
}

static Status add_null(Ddl *d, Str table, const AstColumnDef *ast, bool not_null, ColumnParts *out)
{
    if (not_null ? out->nullable : out->not_null)
        return column_syntax(d, table, ast, "conflicting NULL/NOT NULL declarations");
    if (not_null)
        out->not_null = true;
    else
        out->nullable = true;
    return OK;
}

static Status add_part(Ddl *d, Str table, const AstColumnDef *ast, const AstConstraint *constraint,
                       ColumnParts *out)
{
    Status st = OK;

    switch (constraint->kind) {
    case AST_CONSTR_NULL: return add_null(d, table, ast, false, out);
    case AST_CONSTR_NOT_NULL: return add_null(d, table, ast, true, out);
    case AST_CONSTR_DEFAULT:
        if (out->default_)
            return column_syntax(d, table, ast, "multiple default values specified");
        out->default_ = constraint;
        break;
    case AST_CONSTR_IDENTITY:
        if (out->identity)
            return column_syntax(d, table, ast, "multiple identity specifications");
        out->identity = constraint;
        TRY(add_null(d, table, ast, true, out));
        break;
    case AST_CONSTR_GENERATED:
        return ddl_unsupported(d, constraint->node.location, "generated columns are",
                               "Compute the value in a view, or in the query.");
    case AST_CONSTR_CHECK: array_push(d->scope, &out->checks, constraint); break;
    case AST_CONSTR_PRIMARY_KEY:
    case AST_CONSTR_UNIQUE: array_push(d->scope, &out->keys, constraint); break;
    case AST_CONSTR_FOREIGN_KEY:
        return ddl_unsupported(d, constraint->node.location, "foreign keys are",
                               "Leave the constraint out.");
    }
done:
    return st;
}

Status ddl_column_parts(Ddl *d, Str table, const AstColumnDef *ast, ColumnParts *out)
{
    Status st = OK;
    char serial = out->serial;

    *out = (ColumnParts){.serial = serial, .not_null = serial != 0};
    for (uint32_t i = 0; i < ast->constraints.count; i++)
        TRY(add_part(d, table, ast, (const AstConstraint *)ast->constraints.items[i], out));
    if (out->default_ && serial)
        TRY(column_syntax(d, table, ast, "multiple default values specified"));
    if (out->identity && (serial || out->default_))
        TRY(column_syntax(d, table, ast, "both default and identity specified"));
done:
    return st;
}

Status ddl_column_finish(Ddl *d, const Object *table, const ColumnParts *parts, Column *column)
{
    Status st = OK;

    column->not_null = parts->not_null;
    column->missing = datum_null(column->type);
    if (parts->default_)
        TRY(ddl_store_default(d, column, parts->default_->expr, &column->default_sql));
    if (parts->serial) {
        TRY(ddl_owned_sequence(d, table, column, NULL, &column->sequence));
        column->default_sql = ddl_nextval_sql(d, column->sequence);
    }
    if (parts->identity) {
        Oid oid = column->type.oid;
        if (oid != OID_INT2 && oid != OID_INT4 && oid != OID_INT8)
            FAIL(d->ctx, E_INVALID_PARAMETER_VALUE,
                 "identity column type must be smallint, integer, or bigint");
        column->generated = parts->identity->generated_always ? GENERATED_ALWAYS_IDENTITY
                                                              : GENERATED_BY_DEFAULT_IDENTITY;
        TRY(ddl_owned_sequence(d, table, column, &parts->identity->options, &column->sequence));
    }
done:
    return st;
}

// --- constraints --------------------------------------------------------------------------------

void ddl_constraint_names(Ddl *d, const Table *table, StrList *out)
{
    for (uint32_t i = 0; i < table->checks_count; i++)
        array_push(d->scope, out, table->checks[i].name);
    for (uint32_t i = 0; i < table->indexes_count; i++) {
        if (table->indexes[i]->constraint)
            array_push(d->scope, out, table->indexes[i]->object.name);
    }
}

static Status check_constraint_name(Ddl *d, const Table *table, Str name)
{
    StrList taken = {0};

    ddl_constraint_names(d, table, &taken);
    for (uint32_t i = 0; i < taken.count; i++) {
        if (str_equal(taken.data[i], name))
            return error_raise(d->ctx, E_DUPLICATE_OBJECT,
                               "constraint \"%.*s\" for relation \"%.*s\" already exists",
                               STR_ARGS(name), STR_ARGS(table->object.name));
    }
    return OK;
}

Status ddl_add_check(Ddl *d, TableDraft *draft, const AstConstraint *ast)
{
    Status st = OK;
    PositionList columns = {0};
    StrList taken = {0};
    CheckConstraint check = {.name = ast->name, .not_valid = ast->not_valid};

    TRY(ddl_draft_seal(d, draft, false));
    TRY(ddl_store_check(d, &draft->table, ast->expr, &check.expr_sql, &columns));
    if (check.name.ptr != NULL) {
        TRY(check_constraint_name(d, &draft->table, check.name));
    } else {
        NameParts parts = {.name1 = draft->table.object.name, .label = "check"};
        if (columns.count == 1)
            parts.name2 = draft->columns.data[columns.data[0]].name;
        ddl_constraint_names(d, &draft->table, &taken);
        check.name = ddl_choose_name(d, parts, 0, &taken);
    }
    check.oid = catalog_new_oid(d->catalog);
    array_push(d->scope, &draft->checks, check);
    TRY(ddl_draft_seal(d, draft, false));
done:
    return st;
}

Status ddl_check_key_type(Ddl *d, SqlType type)
{
    const TypeInfo *info = type_info(type.oid);

    if (info->category == 'A')
        return ddl_unsupported(d, -1, "indexes on arrays are", NULL);
    if (type.oid == OID_XID || type.oid == OID_CID || type.oid == OID_ACLITEM ||
        type.oid == OID_PG_NODE_TREE) {
        Status st = error_raise(d->ctx, E_UNDEFINED_OBJECT,
                                "data type %s has no default operator class for access method "
                                "\"btree\"",
                                info->sql_name);
        error_hint(d->ctx, "You must specify an operator class for the index or define a default "
                           "operator class for the data type.");
        return st;
    }
    return OK;
}

static Status add_key_column(Ddl *d, TableDraft *draft, const AstConstraint *ast, Str name,
                             IndexSpec *out)
{
    Status st = OK;
    uint32_t at = ddl_column_at(draft->columns.data, draft->columns.count, name);

    if (at == UINT32_MAX)
        return ddl_at(d, ast->node.location,
                      error_raise(d->ctx, E_UNDEFINED_COLUMN,
                                  "column \"%.*s\" named in key does not exist", STR_ARGS(name)));
    for (uint32_t i = 0; i < out->columns_count; i++) {
        if (out->columns[i].column == draft->columns.data[at].id)
            return ddl_at(d, ast->node.location,
                          error_raise(d->ctx, E_DUPLICATE_COLUMN,
                                      "column \"%.*s\" appears twice in %s constraint",
                                      STR_ARGS(name), out->primary ? "primary key" : "unique"));
    }
    Column *column = &draft->columns.data[at];
    TRY(ddl_check_key_type(d, column->type));
    if (out->primary)
        column->not_null = true;
    out->name_parts[out->columns_count] = name;
    out->columns[out->columns_count++] =
        (IndexColumn){.column = column->id, .key = {.type = column->type}};
done:
    return st;
}

Status ddl_key_spec(Ddl *d, TableDraft *draft, const AstConstraint *ast, Str column, IndexSpec *out)
{
    Status st = OK;
    bool of_column = column.ptr != NULL && ast->columns.count == 0;
    uint32_t count = of_column ? 1 : ast->columns.count;

    *out = (IndexSpec){.name = ast->name,
                       .unique = true,
                       .primary = ast->kind == AST_CONSTR_PRIMARY_KEY,
                       .constraint = true,
                       .nulls_not_distinct = ast->nulls_not_distinct};
    if (ast->deferrable)
        TRY(ddl_unsupported(d, ast->node.location, "deferrable constraints are", NULL));
    if (ast->including.count)
        TRY(ddl_unsupported(d, ast->node.location, "INCLUDE columns are",
                            "Name them as columns of an index."));
    if (count > KEY_COLUMNS_MAX)
        FAIL(d->ctx, E_TOO_MANY_COLUMNS, "cannot use more than %d columns in an index",
             KEY_COLUMNS_MAX);
    out->columns = scope_new_array(d->scope, IndexColumn, count);
    out->name_parts = scope_new_array(d->scope, Str, count);
    for (uint32_t i = 0; i < count; i++)
        TRY(add_key_column(d, draft, ast, of_column ? column : ast->columns.items[i], out));
    if (out->name.ptr != NULL)
        TRY(check_constraint_name(d, &draft->table, out->name));
done:
    return st;
}

// --- indexes ------------------------------------------------------------------------------------

Str ddl_name_part(const AstNode *expr)
{
    AstTarget target = {.value = (AstNode *)expr};
    Str name = ast_target_name(&target);

    return name.ptr == NULL || str_is(name, "?column?") ? STR("expr") : name;
}

Str ddl_index_name(Ddl *d, const Table *table, const IndexSpec *spec)
{
    StrList taken = {0};
    NameParts parts = {.name1 = table->object.name,
                       .label = spec->primary      ? "pkey"
                                : spec->constraint ? "key"
                                                   : "idx"};

    if (spec->name.ptr != NULL)
        return spec->name;
    if (!spec->primary) {
        StrBuf joined;
        strbuf_init(&joined);
        for (uint32_t i = 0; i < spec->columns_count && joined.len < NAME_BYTES_MAX; i++) {
            if (i > 0)
                strbuf_append_char(&joined, '_');
            strbuf_append_str(&joined, spec->name_parts[i]);
        }
        parts.name2 = str_copy(d->scope, strbuf_str(&joined));
        strbuf_free(&joined);
    }
    if (spec->constraint)
        ddl_constraint_names(d, table, &taken);
    return ddl_choose_name(d, parts, table->object.schema, &taken);
}

Index *ddl_new_index(Ddl *d, const Table *table, const IndexSpec *spec, bool clustered)
{
    Index *index = scope_new(d->scope, Index);
    Str name = ddl_index_name(d, table, spec);

    *index = (Index){
        .object = ddl_new_object(d, OBJECT_INDEX, table->object.schema, name),
        .table = table->object.oid,
        .relation_id = clustered ? table->relation_id : ddl_new_relation(d),
        .unique = spec->unique,
        .primary = spec->primary,
        .clustered = clustered,
        .constraint = spec->constraint,
        .columns_count = spec->columns_count,
        .columns = spec->columns,
        .predicate_sql = spec->predicate_sql,
        .nulls_not_distinct = spec->nulls_not_distinct,
    };
    index->object.owner = table->object.owner;
    index->object.comment = spec->comment;
    if (spec->constraint)
        index->constraint_oid = catalog_new_oid(d->catalog);
    return index;
}

Status ddl_options_text(Ddl *d, const AstList *options, Str *out)
{
    Status st = OK;
    StrBuf buf;
    Str value;

    strbuf_init(&buf);
    for (uint32_t i = 0; i < options->count; i++) {
        const AstOption *option = (const AstOption *)options->items[i];
        if (option->value)
            TRY(ast_option_string(d->ctx, d->scope, option, &value));
        else
            value = STR("true");
        if (str_is(option->name, "oids"))
            continue; /* WITH (oids = false): what old dumps say */
        if (buf.len)
            strbuf_append_char(&buf, ',');
        strbuf_printf(&buf, "%.*s=%.*s", STR_ARGS(option->name), STR_ARGS(value));
    }
    *out = str_copy(d->scope, strbuf_str(&buf));
done:
    strbuf_free(&buf);
    return st;
}
