// SPDX-License-Identifier: Apache-2.0
//
// ALTER TABLE: columns come and go, their defaults, NOT NULL, identity. A new column's default is
// worked out once and stands in the schema for the rows that are there; only a volatile one (serial
// too) has the table copied. One thread.
#include "exec/ddl/alter_int.h"

#include "catalog/statistics.h"
#include "sql/parse/parse.h"
#include "types/cast.h"

// --- what reads a column ------------------------------------------------------------------------

Status alter_expr_reads(Ddl *d, const Table *table, Str sql, SqlType type, uint32_t column_id,
                        bool *out)
{
    Status st = OK;
    PositionList columns = {0};
    Expr *bound;

    *out = false;
    if (sql.len == 0)
        return OK;
    TRY(ddl_bind_stored(d, table, sql, type, &bound));
    ddl_expr_columns(d, bound, &columns);
    for (uint32_t i = 0; i < columns.count; i++)
        *out = *out || table->columns[columns.data[i]].id == column_id;
done:
    return st;
}

Status alter_index_reads(Ddl *d, const Table *table, const Index *index, uint32_t column_id,
                         bool *out)
{
    Status st = OK;

    *out = false;
    for (uint32_t i = 0; i < index->columns_count && !*out; i++) {
        const IndexColumn *column = &index->columns[i];
        if (column->column != UINT32_MAX)
            *out = column->column == column_id;
        else
            TRY(alter_expr_reads(d, table, column->expr_sql, sql_type(OID_INVALID), column_id,
                                 out));
    }
    if (!*out)
        TRY(alter_expr_reads(d, table, index->predicate_sql, sql_type(OID_BOOL), column_id, out));
done:
    return st;
}

void alter_forget_statistics(Ddl *d, TableDraft *draft, uint32_t column_id)
{
    const TableStatistics *old = draft->table.statistics;

    if (old == NULL)
        return;
    TableStatistics *copy = scope_new(d->scope, TableStatistics);
    copy->rows = old->rows;
    copy->columns = scope_new_array(d->scope, ColumnStatistics, old->columns_count + 1);
    for (uint32_t i = 0; i < old->columns_count; i++) {
        if (old->columns[i].column_id != column_id)
            copy->columns[copy->columns_count++] = old->columns[i];
    }
    draft->table.statistics = copy;
}

// --- ADD COLUMN ---------------------------------------------------------------------------------

/* The default's text; an identity column's is its sequence. */
static Str value_sql(Ddl *d, const Column *column)
{
    if (column->generated != GENERATED_NONE)
        return ddl_nextval_sql(d, column->sequence);
    return column->default_sql;
}

/* One value for all rows that are there, unless each needs its own. */
static Status existing_value(Ddl *d, Column *column, bool *per_row)
{
    Status st = OK;
    Str sql = value_sql(d, column);
    Vector v;
    Expr *bound;

    *per_row = false;
    if (sql.len == 0)
        return OK;
    TRY(ddl_bind_stored(d, NULL, sql, column->type, &bound));
    *per_row = expr_is_volatile(bound);
    if (*per_row)
        return OK;
    TRY(exec_eval(d->ctx, d->scope, bound, &d->env->exec, NULL, &v));
    Datum value = datum_from_vector(&v, 0);
    if (value.is_null) {
        column->missing = datum_null(column->type);
        return OK;
    }
    if (!type_equal(v.type, column->type))
        TRY(cast_datum(d->ctx, d->scope, &value, column->type, false, d->env->exec.io, &value));
    column->missing = datum_copy(d->scope, &value);
    column->missing.type = column->type;
done:
    return st;
}

static Status add_with_rewrite(Ddl *d, const Table *from, TableDraft *draft)
{
    Status st = OK;
    AstNode **values = ddl_same_values(d, from, draft);
    const Column *column = &array_last(&draft->columns);

    TRY(sql_parse_expr(d->ctx, d->scope, value_sql(d, column), &values[draft->columns.count - 1]));
    ddl_draft_new_relation(d, draft);
    TRY(ddl_rewrite(d, from, draft, values));
done:
    return st;
}

/* The column's own constraints, over rows that have it now. */
static Status add_column_constraints(Ddl *d, Oid table, Str name, const ColumnParts *parts)
{
    Status st = OK;
    const Table *now = alter_table_now(d, table);
    uint32_t at = ddl_column_at(now->columns, now->columns_count, name);

    if (now->columns[at].not_null && now->columns[at].missing.is_null)
        TRY(ddl_validate_not_null(d, now, &now->columns[at]));
    for (uint32_t i = 0; i < parts->checks.count; i++)
        TRY(alter_add_constraint(d, table, parts->checks.data[i], name));
    for (uint32_t i = 0; i < parts->keys.count; i++)
        TRY(alter_add_constraint(d, table, parts->keys.data[i], name));
done:
    return st;
}

Status alter_add_column(Ddl *d, Oid table, const AstAlterCommand *command)
{
    Status st = OK;
    const AstColumnDef *ast = command->column;
    const Table *from = alter_table_now(d, table);
    Column column = {.name = ast->name};
    ColumnParts parts = {0};
    TableDraft draft;
    bool per_row;

    if (ddl_column_at(from->columns, from->columns_count, ast->name) != UINT32_MAX) {
        const char *text =
            scope_printf(d->scope, "column \"%.*s\" of relation \"%.*s\" already exists",
                         STR_ARGS(ast->name), STR_ARGS(from->object.name));
        if (!command->if_exists)
            FAIL(d->ctx, E_DUPLICATE_COLUMN, "%s", text);
        ddl_notice(d, "42701", "%s, skipping", text);
        return OK;
    }
    TRY(ddl_column_type(d, ast, &column.type, &parts.serial));
    TRY(ddl_column_parts(d, from->object.name, ast, &parts));
    ddl_draft_from(d, from, &draft);
    TRY(ddl_draft_add_column(d, &draft, &column, -1));
    TRY(ddl_column_finish(d, &from->object, &parts, &array_last(&draft.columns)));
    TRY(existing_value(d, &array_last(&draft.columns), &per_row));
    if (per_row)
        TRY(add_with_rewrite(d, from, &draft));
    else
        TRY(alter_put(d, &draft, true));
    if (!per_row || parts.checks.count || parts.keys.count)
        TRY(add_column_constraints(d, table, ast->name, &parts));
done:
    return st;
}

// --- DROP COLUMN --------------------------------------------------------------------------------

/* Indexes and CHECKs that read the column go with it. */
static Status drop_readers(Ddl *d, Oid table, uint32_t column_id)
{
    Status st = OK;
    const Table *from = alter_table_now(d, table);
    TableDraft draft;
    bool reads;

    for (uint32_t i = 0; i < from->indexes_count; i++) {
        TRY(alter_index_reads(d, from, from->indexes[i], column_id, &reads));
        if (reads && from->indexes[i]->clustered)
            TRY(alter_drop_clustering(d, table, from->indexes[i]));
        else if (reads)
            TRY(ddl_remove(d, catalog_by_oid(d->catalog, from->indexes[i]->object.oid)));
    }
    from = alter_table_now(d, table);
    ddl_draft_from(d, from, &draft);
    draft.checks.count = 0;
    for (uint32_t i = 0; i < from->checks_count; i++) {
        TRY(alter_expr_reads(d, from, from->checks[i].expr_sql, sql_type(OID_BOOL), column_id,
                             &reads));
        if (!reads)
            draft.checks.data[draft.checks.count++] = from->checks[i];
    }
    TRY(alter_put(d, &draft, false));
done:
    return st;
}

Status alter_drop_column(Ddl *d, Oid table, const AstAlterCommand *command)
{
    Status st = OK;
    const Table *from = alter_table_now(d, table);
    uint32_t at = ddl_column_at(from->columns, from->columns_count, command->name);
    TableDraft draft;

    if (at == UINT32_MAX && command->if_exists) {
        ddl_notice(d, "00000", "column \"%.*s\" of relation \"%.*s\" does not exist, skipping",
                   STR_ARGS(command->name), STR_ARGS(from->object.name));
        return OK;
    }
    TRY(ddl_table_column(d, from, command->name, &at));
    uint32_t column_id = from->columns[at].id;
    TRY(ddl_drop_column_users(d, from, column_id, command->cascade));
    TRY(drop_readers(d, table, column_id));
    ddl_draft_from(d, alter_table_now(d, table), &draft);
    memmove(&draft.columns.data[at], &draft.columns.data[at + 1],
            (draft.columns.count - at - 1) * sizeof *draft.columns.data);
    draft.columns.count--;
    alter_forget_statistics(d, &draft, column_id);
    TRY(alter_put(d, &draft, true));
done:
    return st;
}

// --- DEFAULT, NOT NULL --------------------------------------------------------------------------

static Status is_identity(Ddl *d, const Table *table, const Column *column)
{
    return error_raise(d->ctx, E_SYNTAX,
                       "column \"%.*s\" of relation \"%.*s\" is an identity column",
                       STR_ARGS(column->name), STR_ARGS(table->object.name));
}

Status alter_set_default(Ddl *d, Oid table, const AstAlterCommand *command)
{
    Status st = OK;
    const Table *from = alter_table_now(d, table);
    TableDraft draft;
    uint32_t at;

    TRY(ddl_table_column(d, from, command->name, &at));
    if (from->columns[at].generated != GENERATED_NONE) {
        st = is_identity(d, from, &from->columns[at]);
        if (command->expr == NULL)
            error_hint(d->ctx, "Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.");
        return st;
    }
    ddl_draft_from(d, from, &draft);
    Column *column = &draft.columns.data[at];
    column->default_sql = (Str){0};
    if (command->expr)
        TRY(ddl_store_default(d, column, command->expr, &column->default_sql));
    TRY(alter_put(d, &draft, false));
done:
    return st;
}

Status alter_set_not_null(Ddl *d, Oid table, const AstAlterCommand *command)
{
    Status st = OK;
    const Table *from = alter_table_now(d, table);
    TableDraft draft;
    uint32_t at;

    TRY(ddl_table_column(d, from, command->name, &at));
    if (from->columns[at].not_null)
        return OK;
    TRY(ddl_validate_not_null(d, from, &from->columns[at]));
    ddl_draft_from(d, from, &draft);
    draft.columns.data[at].not_null = true;
    TRY(alter_put(d, &draft, false));
done:
    return st;
}

Status alter_drop_not_null(Ddl *d, Oid table, const AstAlterCommand *command)
{
    Status st = OK;
    const Table *from = alter_table_now(d, table);
    TableDraft draft;
    uint32_t at;

    TRY(ddl_table_column(d, from, command->name, &at));
    if (from->columns[at].generated != GENERATED_NONE)
        return is_identity(d, from, &from->columns[at]);
    ddl_draft_from(d, from, &draft);
    for (uint32_t i = 0; i < draft.key_count; i++) {
        if (draft.key_ids[i] == from->columns[at].id)
            FAIL(d->ctx, E_INVALID_TABLE_DEFINITION, "column \"%.*s\" is in a primary key",
                 STR_ARGS(command->name));
    }
    draft.columns.data[at].not_null = false;
    TRY(alter_put(d, &draft, false));
done:
    return st;
}

// --- identity -----------------------------------------------------------------------------------

static Status add_identity(Ddl *d, const Table *table, Column *column,
                           const AstConstraint *constraint)
{
    Status st = OK;
    const char *problem = !column->not_null ? "must be declared NOT NULL before identity can be "
                                              "added"
                          : column->generated != GENERATED_NONE ? "is already an identity column"
                          : column->default_sql.len             ? "already has a default value"
                                                                : NULL;
    ColumnParts parts = {.identity = constraint, .not_null = true};
    Datum missing = column->missing;

    if (problem)
        FAIL(d->ctx, E_NOT_IN_PREREQUISITE_STATE, "column \"%.*s\" of relation \"%.*s\" %s",
             STR_ARGS(column->name), STR_ARGS(table->object.name), problem);
    TRY(ddl_column_finish(d, &table->object, &parts, column));
    column->missing = missing;
done:
    return st;
}

/* SET GENERATED, and options of the sequence (written SET START 5 …). */
static Status set_identity(Ddl *d, Column *column, const AstList *options)
{
    Status st = OK;
    const AstOption *generated = ast_option_find(options, "generated");
    AstList rest = {scope_new_array(d->scope, AstNode *, options->count + 1), 0};
    int64_t word;

    for (uint32_t i = 0; i < options->count; i++) {
        if (options->items[i] != &generated->node)
            rest.items[rest.count++] = options->items[i];
    }
    if (generated) {
        TRY(ast_option_int64(d->ctx, generated, &word));
        column->generated = word == 'a' ? GENERATED_ALWAYS_IDENTITY : GENERATED_BY_DEFAULT_IDENTITY;
    }
    if (rest.count) {
        TRY(ddl_lock(d, column->sequence, TABLE_SHARE_ROW_EXCLUSIVE));
        Sequence sequence = *(const Sequence *)catalog_by_oid(d->catalog, column->sequence);
        TRY(ddl_sequence_options(d, &sequence, &rest, false));
        TRY(catalog_put(d->ctx, d->catalog, &sequence.object));
    }
done:
    return st;
}

static Status drop_identity(Ddl *d, Column *column)
{
    Status st = OK;

    TRY(ddl_remove(d, catalog_by_oid(d->catalog, column->sequence)));
    column->generated = GENERATED_NONE;
    column->sequence = 0;
done:
    return st;
}

Status alter_identity(Ddl *d, Oid table, const AstAlterCommand *command)
{
    Status st = OK;
    const Table *from = alter_table_now(d, table);
    TableDraft draft;
    uint32_t at;

    TRY(ddl_table_column(d, from, command->name, &at));
    ddl_draft_from(d, from, &draft);
    Column *column = &draft.columns.data[at];
    if (command->kind == AST_ALTER_ADD_IDENTITY) {
        TRY(add_identity(d, from, column, command->constraint));
    } else if (column->generated == GENERATED_NONE) {
        const char *text =
            scope_printf(d->scope, "column \"%.*s\" of relation \"%.*s\" is not an identity column",
                         STR_ARGS(command->name), STR_ARGS(from->object.name));
        if (!command->if_exists)
            FAIL(d->ctx, E_NOT_IN_PREREQUISITE_STATE, "%s", text);
        ddl_notice(d, "00000", "%s, skipping", text);
        return OK;
    } else if (command->kind == AST_ALTER_SET_IDENTITY) {
        TRY(set_identity(d, column, &command->options));
    } else {
        TRY(drop_identity(d, column));
    }
    TRY(alter_put(d, &draft, false));
done:
    return st;
}
