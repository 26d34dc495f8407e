// SPDX-License-Identifier: Apache-2.0
//
// Inserting, updating and deleting batches of rows: first the rows under their keys, then, index by
// index, the entries. Within an index rows go in order, each row's old entry before its new one, so
// that a conflict is found exactly where PostgreSQL, which goes row by row, finds it.
#include "exec/modify/row_writer.h"

static const KeyColumn hidden_key = {.type = {OID_INT8, -1}};

// --- making -------------------------------------------------------------------------------------

static uint32_t column_position(const Table *table, uint32_t id)
{
    for (uint32_t i = 0; i < table->columns_count; i++) {
        if (table->columns[i].id == id)
            return i;
    }
    return UINT32_MAX;
}

static bool touches(const ModifyPlan *plan, uint32_t column)
{
    return plan->kind != MODIFY_UPDATE || plan->updated == NULL || plan->updated[column];
}

Status index_writer_init(RowWriter *writer, const IndexExprs *source, IndexWriter *out)
{
    Status st = OK;
    Worker *worker = writer->worker;
    const Index *index = source->index;
    uint32_t count = index->columns_count;
    Visible visible = {0};

    out->index = index;
    out->column_at = scope_new_array(worker->scope, uint32_t, count);
    out->exprs = scope_new_array(worker->scope, Eval *, count);
    out->values = scope_new_array(worker->scope, const Vector *, count);
    out->touched = writer->key_touched;
    strbuf_init_in(&out->keys.bytes, worker->scope);
    strbuf_init_in(&out->old_keys.bytes, worker->scope);
    for (uint32_t i = 0; i < count; i++) {
        out->column_at[i] = column_position(writer->table, index->columns[i].column);
        if (out->column_at[i] != UINT32_MAX) {
            out->touched |= writer->plan && touches(writer->plan, out->column_at[i]);
            continue;
        }
        out->touched = true;
        ASSERT(source->exprs && source->exprs[i]);
        TRY(eval_compile(worker, source->exprs[i], &visible, &out->exprs[i]));
    }
    if (source->predicate) {
        out->touched = true;
        TRY(eval_compile(worker, source->predicate, &visible, &out->predicate));
    }
    if (index->unique && out->touched)
        writer->update_mode = ROW_UPDATE;
done:
    return st;
}

static Status init_indexes(RowWriter *writer)
{
    Status st = OK;
    const ModifyPlan *plan = writer->plan;
    const Table *table = writer->table;
    IndexWriter *to;

    writer->indexes = scope_new_array(writer->worker->scope, IndexWriter, table->indexes_count + 1);
    for (uint32_t i = 0; i < table->indexes_count; i++) {
        const Index *index = table->indexes[i];
        if (index->clustered) {
            writer->clustered = index;
            continue;
        }
        to = &writer->indexes[writer->indexes_count];
        IndexExprs source = {.index = index,
                             .exprs = plan->index_exprs ? plan->index_exprs[i] : NULL,
                             .predicate =
                                 plan->index_predicates ? plan->index_predicates[i] : NULL};
        TRY(index_writer_init(writer, &source, to));
        /* The arbiter's entry is the first to be written. */
        if (index == writer->arbiter && writer->indexes_count > 0) {
            IndexWriter moved = *to;
            memmove(writer->indexes + 1, writer->indexes, sizeof moved * writer->indexes_count);
            writer->indexes[0] = moved;
        }
        writer->indexes_count++;
    }
done:
    return st;
}

Status row_writer_new(Worker *worker, const ModifyPlan *plan, RowWriter **out)
{
    Status st = OK;
    const Table *table = plan->table;
    RowWriter *writer = scope_new(worker->scope, RowWriter);
    Visible visible = {0};

    writer->worker = worker;
    writer->table = table;
    writer->plan = plan;
    writer->txn = worker->query->env->txn;
    writer->update_mode = ROW_NO_KEY_UPDATE;
    writer->arbiter = plan->conflict ? plan->conflict->arbiter : NULL;
    if (writer->txn == NULL)
        FAIL(worker->ctx, E_INTERNAL, "a modification needs a transaction");
    for (uint32_t i = 0; i < table->key_columns_count; i++)
        writer->key_touched |= touches(plan, table->key_column_at[i]);
    strbuf_init_in(&writer->keys.bytes, worker->scope);
    strbuf_init_in(&writer->rows.bytes, worker->scope);
    TRY(init_indexes(writer));
    if (writer->key_touched)
        writer->update_mode = ROW_UPDATE;
    writer->checks = scope_new_array(worker->scope, Eval *, plan->checks_count + 1);
    for (uint32_t i = 0; i < plan->checks_count; i++)
        TRY(eval_compile(worker, plan->checks[i].expr, &visible, &writer->checks[i]));
    *out = writer;
done:
    return st;
}

// --- keys and rows ------------------------------------------------------------------------------

static Status encode_hidden_keys(RowWriter *writer, uint32_t rows)
{
    Status st = OK;
    Datum id = {.type = hidden_key.type};
    uint64_t first;

    TRY(txn_take_row_ids(writer->worker->ctx, writer->txn, writer->table->relation_id, rows,
                         &first));
    for (uint32_t row = 0; row < rows; row++) {
        id.int64 = (int64_t)(first + row);
        key_append_datum(&writer->keys.bytes, &hidden_key, &id);
        writer->keys.ends[row] = writer->keys.bytes.len;
    }
done:
    return st;
}

static Status encode_keys(RowWriter *writer, const Batch *rows)
{
    const Table *table = writer->table;

    byte_list_clear(&writer->keys, writer->worker->scope, rows->rows_count);
    if (table->key_columns_count == 0)
        return encode_hidden_keys(writer, rows->rows_count);
    for (uint32_t row = 0; row < rows->rows_count; row++) {
        for (uint32_t i = 0; i < table->key_columns_count; i++)
            key_append(&writer->keys.bytes, &table->key_columns[i],
                       &rows->columns[table->key_column_at[i]], row);
        writer->keys.ends[row] = writer->keys.bytes.len;
    }
    return OK;
}

static Status encode_rows(RowWriter *writer, const Batch *rows)
{
    Batch own = {rows->rows_count, writer->table->columns_count, rows->columns};

    byte_list_clear(&writer->rows, writer->worker->scope, rows->rows_count);
    return row_encode_batch(writer->worker->ctx, &writer->table->relation, &own, 0,
                            rows->rows_count, &writer->rows.bytes, writer->rows.ends);
}

Status row_writer_encode(RowWriter *writer, const Batch *rows)
{
    Status st = OK;

    TRY(encode_keys(writer, rows));
    TRY(encode_rows(writer, rows));
done:
    return st;
}

// --- inserting ----------------------------------------------------------------------------------

static Status key_violation(RowWriter *writer, const Batch *rows, uint32_t row)
{
    const Table *table = writer->table;
    const Vector **values =
        scope_new_array(writer->worker->batch, const Vector *, table->key_columns_count + 1);

    ASSERT(writer->clustered);
    for (uint32_t i = 0; i < table->key_columns_count; i++)
        values[i] = &rows->columns[table->key_column_at[i]];
    return index_violation(writer, writer->clustered, values, row);
}

static Status insert_row(RowWriter *writer, const Batch *rows, uint32_t row)
{
    Status st = OK;
    Ctx *ctx = writer->worker->ctx;
    RelationId relation = writer->table->relation_id;
    Str key = byte_list_at(&writer->keys, row), bytes = byte_list_at(&writer->rows, row);
    TxnVerdict verdict;
    bool exists;

    if (writer->table->key_columns_count == 0)
        return txn_put_unlocked(ctx, writer->txn, relation, key, bytes);
    TRY(txn_insert(ctx, writer->txn, relation, key, bytes, &exists, &verdict));
    TRY(verdict_status(verdict));
    if (exists)
        TRY(key_violation(writer, rows, row));
done:
    return st;
}

static Status insert_entries(RowWriter *writer, IndexWriter *index, const Batch *rows)
{
    Status st = OK;
    bool exists;

    TRY(index_entries(writer, index, rows, &writer->keys));
    for (uint32_t row = 0; row < rows->rows_count; row++) {
        if (!index->present[row])
            continue;
        TRY(index_insert(writer, index, &writer->keys, row, &exists));
        if (exists)
            TRY(index_violation(writer, index->index, index->values, row));
    }
done:
    return st;
}

Status row_writer_insert(RowWriter *writer, const Batch *rows)
{
    Status st = OK;

    TRY(row_writer_encode(writer, rows));
    for (uint32_t row = 0; row < rows->rows_count; row++)
        TRY(insert_row(writer, rows, row));
    for (uint32_t i = 0; i < writer->indexes_count; i++)
        TRY(insert_entries(writer, &writer->indexes[i], rows));
done:
    return st;
}

/* The row under its key, unless a live one is there. */
static Status try_insert_row(RowWriter *writer, const Batch *rows, const Index **hit)
{
    Status st = OK;
    TxnVerdict verdict;
    bool exists;

    if (writer->table->key_columns_count == 0)
        return insert_row(writer, rows, 0);
    TRY(txn_insert(writer->worker->ctx, writer->txn, writer->table->relation_id,
                   byte_list_at(&writer->keys, 0), byte_list_at(&writer->rows, 0), &exists,
                   &verdict));
    TRY(verdict_status(verdict));
    if (exists && writer->arbiter && writer->arbiter != writer->clustered)
        TRY(key_violation(writer, rows, 0));
    *hit = exists ? writer->clustered : NULL;
done:
    return st;
}

static Status try_insert_entry(RowWriter *writer, IndexWriter *index, const Batch *rows,
                               const Index **hit)
{
    Status st = OK;
    bool exists;

    TRY(index_entries(writer, index, rows, &writer->keys));
    if (!index->present[0])
        goto done;
    TRY(index_insert(writer, index, &writer->keys, 0, &exists));
    if (exists && writer->arbiter && writer->arbiter != index->index)
        TRY(index_violation(writer, index->index, index->values, 0));
    *hit = exists ? index->index : NULL;
done:
    return st;
}

Status row_writer_try_insert(RowWriter *writer, const Batch *rows, const Index **hit)
{
    Status st = OK;
    TxnSavepoint savepoint = txn_savepoint(writer->txn);
    uint32_t first = writer->indexes_count && writer->arbiter == writer->indexes[0].index;

    ASSERT(rows->rows_count == 1);
    *hit = NULL;
    TRY(row_writer_encode(writer, rows));
    if (first)
        TRY(try_insert_entry(writer, &writer->indexes[0], rows, hit));
    if (*hit == NULL)
        TRY(try_insert_row(writer, rows, hit));
    for (uint32_t i = first; i < writer->indexes_count && *hit == NULL; i++)
        TRY(try_insert_entry(writer, &writer->indexes[i], rows, hit));
    if (*hit)
        txn_undo_writes(writer->txn, savepoint);
done:
    return st;
}

// --- updating -----------------------------------------------------------------------------------

static Str key_column_at(const Vector *v, uint32_t row)
{
    return strview_str(&vector_at(v, StrView, row));
}

static Status update_row(RowWriter *writer, const Batch *rows, const Vector *old_keys, uint32_t row)
{
    Status st = OK;
    Ctx *ctx = writer->worker->ctx;
    RelationId relation = writer->table->relation_id;
    Str old_key = key_column_at(old_keys, row), bytes = byte_list_at(&writer->rows, row);
    TxnVerdict verdict;

    if (!writer->key_touched || str_equal(old_key, byte_list_at(&writer->keys, row))) {
        TRY(txn_update(ctx, writer->txn, relation, old_key, bytes, writer->update_mode, &verdict));
        st = verdict_status(verdict);
        goto done;
    }
    TRY(txn_delete(ctx, writer->txn, relation, old_key, &verdict));
    TRY(verdict_status(verdict));
    TRY(insert_row(writer, rows, row));
done:
    return st;
}

/* The keys of the rows as they are now, as a list. */
static void list_old_keys(RowWriter *writer, const Vector *old_keys, uint32_t rows, ByteList *out)
{
    byte_list_clear(out, writer->worker->scope, rows);
    for (uint32_t row = 0; row < rows; row++) {
        strbuf_append_str(&out->bytes, key_column_at(old_keys, row));
        out->ends[row] = out->bytes.len;
    }
}

/* Entries of the old rows, put aside in old_keys and old_present. */
static Status old_entries(RowWriter *writer, IndexWriter *index, const Batch *old,
                          const ByteList *old_keys)
{
    Status st = OK;

    TRY(index_entries(writer, index, old, old_keys));
    ByteList keys = index->keys;
    bool *present = index->present;
    index->keys = index->old_keys;
    index->present = index->old_present;
    index->old_keys = keys;
    index->old_present = present;
done:
    return st;
}

static Status update_entry(RowWriter *writer, IndexWriter *index, const ByteList *old_row_keys,
                           uint32_t row)
{
    Status st = OK;
    bool old = index->old_present[row], now = index->present[row], exists = false;
    Str old_key = byte_list_at(&index->old_keys, row), key = byte_list_at(&index->keys, row);
    bool same_row = str_equal(byte_list_at(old_row_keys, row), byte_list_at(&writer->keys, row));

    if (old && now && same_row && str_equal(old_key, key))
        return OK;
    if (old)
        TRY(index_delete(writer, index, old_key));
    if (now)
        TRY(index_insert(writer, index, &writer->keys, row, &exists));
    if (exists)
        TRY(index_violation(writer, index->index, index->values, row));
done:
    return st;
}

static Status update_entries(RowWriter *writer, IndexWriter *index, const Batch *rows,
                             const ByteList *old_row_keys)
{
    Status st = OK;
    uint32_t columns = writer->table->columns_count;
    Batch old = {rows->rows_count, rows->columns_count - columns, rows->columns + columns};

    TRY(old_entries(writer, index, &old, old_row_keys));
    TRY(index_entries(writer, index, rows, &writer->keys));
    for (uint32_t row = 0; row < rows->rows_count; row++)
        TRY(update_entry(writer, index, old_row_keys, row));
done:
    return st;
}

Status row_writer_update(RowWriter *writer, const Batch *rows)
{
    Status st = OK;
    const Vector *old_keys = &rows->columns[2 * writer->table->columns_count];
    ByteList old_row_keys = {0};

    TRY(encode_rows(writer, rows));
    if (writer->key_touched)
        TRY(encode_keys(writer, rows));
    else
        list_old_keys(writer, old_keys, rows->rows_count, &writer->keys);
    for (uint32_t row = 0; row < rows->rows_count; row++)
        TRY(update_row(writer, rows, old_keys, row));
    list_old_keys(writer, old_keys, rows->rows_count, &old_row_keys);
    for (uint32_t i = 0; i < writer->indexes_count; i++) {
        if (writer->indexes[i].touched)
            TRY(update_entries(writer, &writer->indexes[i], rows, &old_row_keys));
    }
done:
    strbuf_free(&old_row_keys.bytes);
    return st;
}

// --- deleting -----------------------------------------------------------------------------------

Status row_writer_delete(RowWriter *writer, const Batch *rows)
{
    Status st = OK;
    const Vector *keys = &rows->columns[writer->table->columns_count];
    TxnVerdict verdict;

    list_old_keys(writer, keys, rows->rows_count, &writer->keys);
    for (uint32_t row = 0; row < rows->rows_count; row++) {
        TRY(txn_delete(writer->worker->ctx, writer->txn, writer->table->relation_id,
                       byte_list_at(&writer->keys, row), &verdict));
        TRY(verdict_status(verdict));
    }
    for (uint32_t i = 0; i < writer->indexes_count; i++) {
        IndexWriter *index = &writer->indexes[i];
        TRY(index_entries(writer, index, rows, &writer->keys));
        for (uint32_t row = 0; row < rows->rows_count; row++) {
            if (index->present[row])
                TRY(index_delete(writer, index, byte_list_at(&index->keys, row)));
        }
    }
done:
    return st;
}
