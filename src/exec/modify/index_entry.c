// SPDX-License-Identifier: Apache-2.0
//
// Entries of secondary indexes. A unique entry's key is the indexed columns alone, so that two rows
// with one value meet on one key; if a column is NULL (and NULLs are distinct) the row's key is
// appended, as it always is for other indexes. The value of every entry is the row's key.
#include "exec/modify/row_writer.h"

#include "sql/deparse.h"

void byte_list_clear(ByteList *list, Scope *scope, uint32_t rows)
{
    strbuf_clear(&list->bytes);
    if (rows <= list->capacity)
        return;
    list->capacity = rows <= 16 ? 16 : MAX(rows, BATCH_ROWS_MAX);
    list->ends = scope_new_array(scope, size_t, list->capacity);
}

Status verdict_status(TxnVerdict verdict)
{
    switch (verdict) {
    case TXN_WAIT: return STATUS_LOCK_WAIT;
    case TXN_RETRY: return STATUS_RETRY;
    default: return OK;
    }
}

void index_plain_values(const IndexWriter *index, const Batch *rows, const Vector **out)
{
    for (uint32_t i = 0; i < index->index->columns_count; i++) {
        if (index->column_at[i] != UINT32_MAX)
            out[i] = &rows->columns[index->column_at[i]];
    }
}

/* Which rows have an entry. */
static void mark_present(IndexWriter *index, uint32_t rows)
{
    for (uint32_t row = 0; row < rows; row++)
        index->present[row] = index->kept == NULL || eval_bool_at(index->kept, row) == 1;
}

static void append_entry(IndexWriter *writer, const ByteList *row_keys, uint32_t row)
{
    const Index *index = writer->index;
    bool any_null = false;

    for (uint32_t i = 0; i < index->columns_count; i++) {
        any_null |= vector_is_null(writer->values[i], row);
        key_append(&writer->keys.bytes, &index->columns[i].key, writer->values[i], row);
    }
    if (!index->unique || (any_null && !index->nulls_not_distinct))
        strbuf_append_str(&writer->keys.bytes, byte_list_at(row_keys, row));
    writer->keys.ends[row] = writer->keys.bytes.len;
}

Status index_entries(RowWriter *writer, IndexWriter *index, const Batch *rows,
                     const ByteList *row_keys)
{
    Status st = OK;
    Worker *worker = writer->worker;
    uint32_t count = rows->rows_count;

    if (count > index->present_capacity) {
        index->present_capacity = count <= 16 ? 16 : MAX(count, BATCH_ROWS_MAX);
        index->present = scope_alloc(worker->scope, index->present_capacity * sizeof(bool));
        index->old_present = scope_alloc(worker->scope, index->present_capacity * sizeof(bool));
    }
    byte_list_clear(&index->keys, worker->scope, count);
    index_plain_values(index, rows, index->values);
    for (uint32_t i = 0; i < index->index->columns_count; i++) {
        if (index->exprs[i])
            TRY(eval_run(worker, index->exprs[i], rows, &index->values[i]));
    }
    index->kept = NULL;
    if (index->predicate)
        TRY(eval_run(worker, index->predicate, rows, &index->kept));
    mark_present(index, count);
    for (uint32_t row = 0; row < count; row++)
        append_entry(index, row_keys, row);
done:
    return st;
}

Status index_insert(RowWriter *writer, IndexWriter *index, const ByteList *row_keys, uint32_t row,
                    bool *exists)
{
    Status st = OK;
    Ctx *ctx = writer->worker->ctx;
    RelationId relation = index->index->relation_id;
    Str key = byte_list_at(&index->keys, row), value = byte_list_at(row_keys, row);
    TxnVerdict verdict;

    *exists = false;
    if (!index->index->unique)
        return txn_put_unlocked(ctx, writer->txn, relation, key, value);
    TRY(txn_insert(ctx, writer->txn, relation, key, value, exists, &verdict));
    st = verdict_status(verdict);
done:
    return st;
}

Status index_delete(RowWriter *writer, IndexWriter *index, Str key)
{
    Status st = OK;
    Ctx *ctx = writer->worker->ctx;
    RelationId relation = index->index->relation_id;
    TxnVerdict verdict;

    if (!index->index->unique)
        return txn_delete_unlocked(ctx, writer->txn, relation, key);
    TRY(txn_delete(ctx, writer->txn, relation, key, &verdict));
    st = verdict_status(verdict);
done:
    return st;
}

void index_key_text(RowWriter *writer, const Index *index, const Vector *const *values,
                    uint32_t row, StrBuf *out)
{
    const Table *table = writer->table;

    strbuf_append_char(out, '(');
    for (uint32_t i = 0; i < index->columns_count; i++) {
        const IndexColumn *column = &index->columns[i];
        if (i > 0)
            strbuf_append_c(out, ", ");
        if (column->column == UINT32_MAX)
            strbuf_append_str(out, column->expr_sql);
        for (uint32_t k = 0; column->column != UINT32_MAX && k < table->columns_count; k++) {
            if (table->columns[k].id == column->column)
                sql_quote_identifier(out, table->columns[k].name);
        }
    }
    strbuf_append_c(out, ")=(");
    for (uint32_t i = 0; i < index->columns_count; i++) {
        if (i > 0)
            strbuf_append_c(out, ", ");
        if (vector_is_null(values[i], row))
            strbuf_append_c(out, "null");
        else
            type_output(out, values[i]->type, values[i], row, writer->worker->query->env->io);
    }
    strbuf_append_char(out, ')');
}

Status index_violation(RowWriter *writer, const Index *index, const Vector *const *values,
                       uint32_t row)
{
    Ctx *ctx = writer->worker->ctx;
    Scope *scope = writer->worker->batch;
    const char *name = str_to_c(scope, index->object.name);
    StrBuf text;

    Status st = error_raise(ctx, E_UNIQUE_VIOLATION,
                            "duplicate key value violates unique constraint \"%s\"", name);
    strbuf_init(&text);
    index_key_text(writer, index, values, row, &text);
    error_detail(ctx, "Key %s already exists.", strbuf_c(&text));
    row_writer_error_object(writer, NULL, name);
    strbuf_free(&text);
    return st;
}
