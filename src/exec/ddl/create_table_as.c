// SPDX-License-Identifier: Apache-2.0
//
// CREATE TABLE AS and SELECT INTO: the query's columns become the table's, its rows are inserted
// batch by batch as they come. One thread; the query may use workers.
#include "exec/ddl/ddl_int.h"

static Status check_supported(Ddl *d, const AstCreateTableAs *ast)
{
    if (ast->materialized_view)
        return ddl_unsupported(d, ast->table->node.location, "materialized views are",
                               "Use a view, or CREATE TABLE AS.");
    if (ast->persistence == AST_TEMPORARY)
        return ddl_unsupported(d, ast->table->node.location, "temporary tables are",
                               "Use an ordinary table, and drop it at the end.");
    if (ast->query->kind != AST_SELECT)
        return ddl_unsupported(d, -1, "CREATE TABLE AS EXECUTE is",
                               "Write the query itself behind AS.");
    return OK;
}

static Status add_columns(Ddl *d, const AstCreateTableAs *ast, const PlannedStatement *query,
                          TableDraft *draft)
{
    Status st = OK;

    if (ast->columns.count > query->result_columns_count)
        FAIL(d->ctx, E_SYNTAX, "too many column names were specified");
    for (uint32_t i = 0; i < query->result_columns_count; i++) {
        const PlanColumn *from = &query->result_columns[i];
        SqlType type = from->type.oid == OID_UNKNOWN ? sql_type(OID_TEXT) : from->type;
        Column column = {.name =
                             i < ast->columns.count ? ast->columns.items[i] : str_from(from->name),
                         .type = type,
                         .missing = datum_null(type)};
        if (type_info(type.oid)->category == 'P')
            FAIL(d->ctx, E_INVALID_TABLE_DEFINITION, "column \"%.*s\" has pseudo-type %s",
                 STR_ARGS(column.name), type_format(d->scope, type));
        TRY(ddl_draft_add_column(d, draft, &column, -1));
    }
done:
    return st;
}

static Status fill(Ddl *d, PlannedStatement *query, const Table *table)
{
    Status st = OK;
    ExecSink sink;

    TRY(ddl_copy_sink(d, table, &sink));
    TRY(ddl_run_insert(d, query, NULL, &sink));
    d->env->rows = ddl_copied_rows(&sink);
done:
    return st;
}

Status ddl_create_table_as(Ddl *d, const AstCreateTableAs *ast)
{
    Status st = OK;
    Str name = ast->table->name.name;
    PlannedStatement query;
    TableDraft draft;
    Oid schema;

    TRY(check_supported(d, ast));
    TRY(ddl_creation_schema(d, &ast->table->name, &schema));
    if (ast->if_not_exists && catalog_relation(d->catalog, schema, name)) {
        ddl_notice(d, "42P07", "relation \"%.*s\" already exists, skipping", STR_ARGS(name));
        return OK;
    }
    TRY(ddl_bind_query(d, ast->query, &query));
    ddl_draft_new(d, schema, name, &draft);
    TRY(ddl_options_text(d, &ast->options, &draft.table.options));
    TRY(add_columns(d, ast, &query, &draft));
    TRY(ddl_draft_seal(d, &draft, true));
    TRY(catalog_put(d->ctx, d->catalog, &draft.table.object));
    if (!ast->with_no_data)
        TRY(fill(d, &query, &draft.table));
done:
    return st;
}
