// SPDX-License-Identifier: Apache-2.0
//
// ALTER TABLE: constraints come and go. A primary key is the order in which rows are stored: adding
// or dropping one copies the table into a new relation, sorted by it or by hidden row ids. One
// thread.
#include "exec/ddl/alter_int.h"

// --- ADD ----------------------------------------------------------------------------------------

static Status add_check(Ddl *d, Oid table, const AstConstraint *ast)
{
    Status st = OK;
    TableDraft draft;

    ddl_draft_from(d, alter_table_now(d, table), &draft);
    TRY(ddl_add_check(d, &draft, ast));
    TRY(alter_put(d, &draft, false));
    if (!ast->not_valid)
        TRY(ddl_validate_check(d, alter_table_now(d, table), &array_last(&draft.checks)));
done:
    return st;
}

static Status add_unique(Ddl *d, Oid table, const IndexSpec *spec)
{
    Status st = OK;
    const Index *index = ddl_new_index(d, alter_table_now(d, table), spec, false);

    TRY(catalog_put(d->ctx, d->catalog, &index->object));
    TRY(ddl_build_index(d, alter_table_now(d, table), index));
done:
    return st;
}

static Status add_primary_key(Ddl *d, Oid table, TableDraft *draft, const IndexSpec *spec)
{
    Status st = OK;
    const Table *from = alter_table_now(d, table);
    const Index **indexes = scope_new_array(d->scope, const Index *, from->indexes_count + 1);

    for (uint32_t i = 0; i < from->columns_count; i++) {
        if (draft->columns.data[i].not_null && !from->columns[i].not_null)
            TRY(ddl_validate_not_null(d, from, &from->columns[i]));
    }
    draft->key_count = 0;
    for (uint32_t i = 0; i < spec->columns_count; i++)
        draft->key_ids[draft->key_count++] = spec->columns[i].column;
    ddl_draft_new_relation(d, draft);
    indexes[0] = ddl_new_index(d, &draft->table, spec, true);
    for (uint32_t i = 0; i < from->indexes_count; i++)
        indexes[i + 1] = from->indexes[i];
    draft->table.indexes = indexes;
    draft->table.indexes_count = from->indexes_count + 1;
    TRY(ddl_rewrite(d, from, draft, ddl_same_values(d, from, draft)));
done:
    return st;
}

static Status check_one_primary_key(Ddl *d, const Table *table, const AstConstraint *ast)
{
    if (ast->kind != AST_CONSTR_PRIMARY_KEY || table->key_columns_count == 0)
        return OK;
    return ddl_at(d, ast->node.location,
                  error_raise(d->ctx, E_INVALID_TABLE_DEFINITION,
                              "multiple primary keys for table \"%.*s\" are not allowed",
                              STR_ARGS(table->object.name)));
}

static Status find_unique_index(Ddl *d, const Table *table, Str name, const Index **out)
{
    Status st = OK;
    const Index *index = NULL;

    for (uint32_t i = 0; i < table->indexes_count; i++) {
        if (str_equal(table->indexes[i]->object.name, name))
            index = table->indexes[i];
    }
    if (index == NULL)
        FAIL(d->ctx, E_UNDEFINED_OBJECT, "index \"%.*s\" does not exist", STR_ARGS(name));
    if (index->constraint)
        FAIL(d->ctx, E_NOT_IN_PREREQUISITE_STATE,
             "index \"%.*s\" is already associated with a constraint", STR_ARGS(name));
    if (!index->unique)
        FAIL(d->ctx, E_WRONG_OBJECT_TYPE, "\"%.*s\" is not a unique index", STR_ARGS(name));
    if (index->predicate_sql.len)
        FAIL(d->ctx, E_WRONG_OBJECT_TYPE, "\"%.*s\" is a partial index", STR_ARGS(name));
    for (uint32_t i = 0; i < index->columns_count; i++) {
        const IndexColumn *column = &index->columns[i];
        if (column->column == UINT32_MAX)
            FAIL(d->ctx, E_WRONG_OBJECT_TYPE, "index \"%.*s\" contains expressions",
                 STR_ARGS(name));
        if (column->key.descending || column->key.nulls_first)
            FAIL(d->ctx, E_WRONG_OBJECT_TYPE,
                 "index \"%.*s\" column number %u does not have default sorting behavior",
                 STR_ARGS(name), i + 1);
    }
    *out = index;
done:
    return st;
}

/* ADD UNIQUE USING INDEX takes the index over; a primary key takes its columns. */
static Status add_using_index(Ddl *d, Oid table, const AstConstraint *ast)
{
    Status st = OK;
    const Table *from = alter_table_now(d, table);
    const Index *index = NULL;
    TableDraft draft;

    TRY(find_unique_index(d, from, ast->using_index, &index));
    Str name = ast->name.ptr ? ast->name : index->object.name;
    if (!str_equal(name, index->object.name))
        ddl_notice(d, "00000",
                   "ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"%.*s\" to "
                   "\"%.*s\"",
                   STR_ARGS(index->object.name), STR_ARGS(name));
    if (ast->kind == AST_CONSTR_UNIQUE) {
        Index copy = *index;
        copy.constraint = true;
        copy.constraint_oid = catalog_new_oid(d->catalog);
        copy.object.name = name;
        return catalog_put(d->ctx, d->catalog, &copy.object);
    }
    IndexSpec spec = {.name = name,
                      .unique = true,
                      .primary = true,
                      .constraint = true,
                      .columns_count = index->columns_count,
                      .columns = (IndexColumn *)index->columns};
    TRY(ddl_remove(d, &index->object));
    ddl_draft_from(d, alter_table_now(d, table), &draft);
    for (uint32_t i = 0; i < spec.columns_count; i++)
        draft.columns.data[ddl_column_by_id(from, spec.columns[i].column)].not_null = true;
    TRY(add_primary_key(d, table, &draft, &spec));
done:
    return st;
}

Status alter_add_constraint(Ddl *d, Oid table, const AstConstraint *ast, Str column)
{
    Status st = OK;
    const Table *from = alter_table_now(d, table);
    TableDraft draft;
    IndexSpec spec;

    if (ast->kind == AST_CONSTR_CHECK)
        return add_check(d, table, ast);
    if (ast->kind != AST_CONSTR_PRIMARY_KEY && ast->kind != AST_CONSTR_UNIQUE)
        return ddl_unsupported(d, ast->node.location, "foreign keys are",
                               "Leave the constraint out.");
    TRY(check_one_primary_key(d, from, ast));
    if (ast->using_index.ptr)
        return add_using_index(d, table, ast);
    ddl_draft_from(d, from, &draft);
    TRY(ddl_key_spec(d, &draft, ast, column, &spec));
    if (spec.primary)
        TRY(add_primary_key(d, table, &draft, &spec));
    else
        TRY(add_unique(d, table, &spec));
done:
    return st;
}

// --- DROP, VALIDATE -----------------------------------------------------------------------------

Status alter_drop_clustering(Ddl *d, Oid table, const Index *index)
{
    Status st = OK;
    TableDraft draft;

    TRY(ddl_remove(d, catalog_by_oid(d->catalog, index->object.oid)));
    const Table *from = alter_table_now(d, table);
    ddl_draft_from(d, from, &draft);
    draft.key_count = 0;
    ddl_draft_new_relation(d, &draft);
    TRY(ddl_rewrite(d, from, &draft, ddl_same_values(d, from, &draft)));
done:
    return st;
}

static Status drop_check(Ddl *d, const Table *table, uint32_t at)
{
    TableDraft draft;

    ddl_draft_from(d, table, &draft);
    memmove(&draft.checks.data[at], &draft.checks.data[at + 1],
            (draft.checks.count - at - 1) * sizeof *draft.checks.data);
    draft.checks.count--;
    return alter_put(d, &draft, false);
}

Status alter_drop_constraint(Ddl *d, Oid table, const AstAlterCommand *command)
{
    const Table *from = alter_table_now(d, table);

    for (uint32_t i = 0; i < from->checks_count; i++) {
        if (str_equal(from->checks[i].name, command->name))
            return drop_check(d, from, i);
    }
    for (uint32_t i = 0; i < from->indexes_count; i++) {
        const Index *index = from->indexes[i];
        if (!index->constraint || !str_equal(index->object.name, command->name))
            continue;
        if (index->clustered)
            return alter_drop_clustering(d, table, index);
        return ddl_remove(d, catalog_by_oid(d->catalog, index->object.oid));
    }
    const char *text =
        scope_printf(d->scope, "constraint \"%.*s\" of relation \"%.*s\" does not exist",
                     STR_ARGS(command->name), STR_ARGS(from->object.name));
    if (!command->if_exists)
        return error_raise(d->ctx, E_UNDEFINED_OBJECT, "%s", text);
    ddl_notice(d, "00000", "%s, skipping", text);
    return OK;
}

Status alter_validate_constraint(Ddl *d, Oid table, const AstAlterCommand *command)
{
    Status st = OK;
    const Table *from = alter_table_now(d, table);
    TableDraft draft;

    ddl_draft_from(d, from, &draft);
    for (uint32_t i = 0; i < from->checks_count; i++) {
        if (!str_equal(from->checks[i].name, command->name))
            continue;
        TRY(ddl_validate_check(d, from, &from->checks[i]));
        draft.checks.data[i].not_valid = false;
        return alter_put(d, &draft, false);
    }
    for (uint32_t i = 0; i < from->indexes_count; i++) {
        if (from->indexes[i]->constraint && str_equal(from->indexes[i]->object.name, command->name))
            FAIL(d->ctx, E_WRONG_OBJECT_TYPE,
                 "constraint \"%.*s\" of relation \"%.*s\" is not a foreign key or check "
                 "constraint",
                 STR_ARGS(command->name), STR_ARGS(from->object.name));
    }
    FAIL(d->ctx, E_UNDEFINED_OBJECT, "constraint \"%.*s\" of relation \"%.*s\" does not exist",
         STR_ARGS(command->name), STR_ARGS(from->object.name));
done:
    return st;
}
