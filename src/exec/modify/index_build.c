// SPDX-License-Identifier: Apache-2.0
//
// Filling a new index from the rows of its table, and finding the duplicate that forbids a unique
// one. One thread, under a table lock that keeps writers out.
#include "exec/insert.h"
#include "exec/modify/row_writer.h"

typedef struct Build {
    const IndexBuild *spec;
    RowWriter writer;
    IndexWriter index;
    uint32_t columns_count;
    uint32_t *columns; /* that the entries need */
    Vector *row;       /* all columns of the table, the others unset */
    ByteList row_keys;
} Build;

/* The columns to be read: the indexed ones, or all if there are expressions over them. */
static void choose_columns(Build *build, Scope *scope)
{
    const Table *table = build->spec->table;
    bool all = build->index.predicate != NULL;

    build->columns = scope_new_array(scope, uint32_t, table->columns_count + 1);
    for (uint32_t i = 0; i < build->spec->index->columns_count; i++)
        all |= build->index.column_at[i] == UINT32_MAX;
    for (uint32_t i = 0; i < table->columns_count; i++) {
        bool used = all;
        for (uint32_t k = 0; k < build->spec->index->columns_count; k++)
            used |= build->index.column_at[k] == i;
        if (used)
            build->columns[build->columns_count++] = i;
    }
}

static Status duplicate(Build *build, uint32_t row)
{
    RowWriter *writer = &build->writer;
    const Index *index = build->spec->index;
    const char *name = str_to_c(writer->worker->batch, index->object.name);
    StrBuf text;

    Status st = error_raise(writer->worker->ctx, E_UNIQUE_VIOLATION,
                            "could not create unique index \"%s\"", name);
    strbuf_init(&text);
    index_key_text(writer, index, build->index.values, row, &text);
    error_detail(writer->worker->ctx, "Key %s is duplicated.", strbuf_c(&text));
    row_writer_error_object(writer, NULL, name);
    strbuf_free(&text);
    return st;
}

static Status build_batch(Build *build, const Batch *scanned)
{
    Status st = OK;
    RowWriter *writer = &build->writer;
    const Vector *keys = &scanned->columns[build->columns_count];
    Batch rows = {scanned->rows_count, build->spec->table->columns_count, build->row};
    bool exists;

    for (uint32_t i = 0; i < build->columns_count; i++)
        build->row[build->columns[i]] = scanned->columns[i];
    byte_list_clear(&build->row_keys, writer->worker->scope, rows.rows_count);
    for (uint32_t row = 0; row < rows.rows_count; row++) {
        strbuf_append_str(&build->row_keys.bytes, strview_str(&vector_at(keys, StrView, row)));
        build->row_keys.ends[row] = build->row_keys.bytes.len;
    }
    TRY(index_entries(writer, &build->index, &rows, &build->row_keys));
    for (uint32_t row = 0; row < rows.rows_count; row++) {
        if (!build->index.present[row])
            continue;
        TRY(index_insert(writer, &build->index, &build->row_keys, row, &exists));
        if (exists)
            TRY(duplicate(build, row));
    }
done:
    return st;
}

Status index_build(Ctx *ctx, Scope *scope, const ExecEnv *env, const IndexBuild *spec)
{
    Status st = OK;
    Scope *own = scope_open(scope, "index build");
    Query *query = query_new(ctx, own, env, NULL, NULL);
    Build *build = scope_new(own, Build);
    IndexExprs source = {.index = spec->index, .exprs = spec->exprs, .predicate = spec->predicate};
    TableScan *scan;
    Batch batch;

    build->spec = spec;
    build->writer = (RowWriter){.worker = query->caller, .table = spec->table, .txn = env->txn};
    TRY(index_writer_init(&build->writer, &source, &build->index));
    choose_columns(build, own);
    build->row = scope_new_array(own, Vector, spec->table->columns_count + 1);
    strbuf_init_in(&build->row_keys.bytes, own);
    ScanSpec scanned = {.relation = &spec->table->relation,
                        .columns = build->columns,
                        .columns_count = build->columns_count,
                        .with_key = true};
    TRY(table_scan_open(ctx, own, env->snapshot, &scanned, &scan));
    for (;;) {
        TRY(ctx_check_cancel(ctx));
        TRY(table_scan_next(ctx, scan, &batch));
        if (batch.rows_count == 0)
            break;
        TRY(build_batch(build, &batch));
        scope_reset(query->caller->batch);
    }
done:
    scope_close(own);
    return st;
}
