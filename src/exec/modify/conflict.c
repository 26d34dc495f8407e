// SPDX-License-Identifier: Apache-2.0
//
// INSERT … ON CONFLICT, one row at a time: the row is inserted unless a live one is in the way;
// then it is left out, or that one is locked, read and updated. A row in the way that the snapshot
// does not see means that the statement must see more: it is run again, or, where one snapshot is
// promised, fails.
#include "exec/modify/modify_int.h"

struct Conflict {
    RowWriter *writer;
    const ConflictPlan *plan;
    Returning *returning;
    RowCodec *codec; /* all columns */
    Eval *where;
    Eval **new_row;
    AggTable *seen; /* keys inserted or updated by this statement */
};

static PlanColumn *columns_of(RowWriter *writer, const ColumnId *ids)
{
    const Table *table = writer->table;
    PlanColumn *columns =
        scope_new_array(writer->worker->scope, PlanColumn, table->columns_count + 1);

    for (uint32_t i = 0; i < table->columns_count; i++)
        columns[i] = (PlanColumn){.id = ids[i], .type = table->columns[i].type};
    return columns;
}

Status conflict_new(RowWriter *writer, Returning *returning, Conflict **out)
{
    Status st = OK;
    Worker *worker = writer->worker;
    const Table *table = writer->table;
    Conflict *self = scope_new(worker->scope, Conflict);
    const ConflictPlan *plan = writer->plan->conflict;
    uint32_t *all = scope_new_array(worker->scope, uint32_t, table->columns_count + 1);
    SqlType bytea = sql_type(OID_BYTEA);

    self->writer = writer;
    self->plan = plan;
    self->returning = returning;
    *out = self;
    if (!plan->do_update)
        goto done;
    for (uint32_t i = 0; i < table->columns_count; i++)
        all[i] = i;
    self->codec = row_codec_new(worker->scope, &table->relation, all, table->columns_count);
    self->seen = agg_table_new(worker->scope, &bytea, 1, 0);
    Visible visible = {.first = columns_of(writer, plan->existing),
                       .first_count = table->columns_count,
                       .second = columns_of(writer, plan->excluded),
                       .second_count = table->columns_count};
    if (plan->where)
        TRY(eval_compile(worker, plan->where, &visible, &self->where));
    TRY(eval_compile_list(worker, &plan->new_row, &visible, &self->new_row));
done:
    return st;
}

/* A live row that the snapshot does not see. */
static Status unseen_row(Conflict *self)
{
    if (txn_isolation(self->writer->txn) == ISOLATION_READ_COMMITTED)
        return STATUS_RETRY;
    return error_raise(self->writer->worker->ctx, E_SERIALIZATION_FAILURE,
                       "could not serialize access due to concurrent update");
}

/* The key of the row in the way; found false: the snapshot does not see it. */
static Status existing_key(Conflict *self, const Index *hit, Str *key, bool *found)
{
    Status st = OK;
    RowWriter *writer = self->writer;
    Worker *worker = writer->worker;

    *found = true;
    if (hit->clustered) {
        *key = str_copy(worker->batch, byte_list_at(&writer->keys, 0));
        goto done;
    }
    for (uint32_t i = 0; i < writer->indexes_count; i++) {
        if (writer->indexes[i].index == hit)
            TRY(table_get(worker->ctx, worker->batch, worker->query->env->snapshot,
                          hit->relation_id, byte_list_at(&writer->indexes[i].keys, 0), key, found));
    }
done:
    return st;
}

static void key_vector(Worker *worker, Str key, Vector *out)
{
    StrView view = strview_make(key.ptr, key.len);

    vector_init_const(out, worker->batch, sql_type(OID_BYTEA), &view);
}

static Status mark_touched(Conflict *self, Str key)
{
    Status st = OK;
    Worker *worker = self->writer->worker;
    uint32_t fresh[1], count;
    Vector v;

    if (self->seen == NULL)
        goto done;
    key_vector(worker, key, &v);
    TRY(keys_first_seen(worker, self->seen, &v, 1, fresh, &count));
    if (count == 0) {
        st = error_raise(worker->ctx, E_CARDINALITY_VIOLATION,
                         "ON CONFLICT DO UPDATE command cannot affect row a second time");
        error_hint(worker->ctx, "Ensure that no rows proposed for insertion within the same "
                                "command have duplicate constrained values.");
    }
done:
    return st;
}

/* Locks the row in the way and reads it, as it lies in the table. */
static Status lock_existing(Conflict *self, Str key, Batch *out, bool *found)
{
    Status st = OK;
    RowWriter *writer = self->writer;
    Worker *worker = writer->worker;
    TxnVerdict verdict;
    bool skipped;
    Str row;

    TRY(txn_lock_row(worker->ctx, writer->txn, writer->table->relation_id, key, ROW_UPDATE, false,
                     false, &skipped, &verdict));
    TRY(verdict_status(verdict));
    TRY(table_get(worker->ctx, worker->batch, worker->query->env->snapshot,
                  writer->table->relation_id, key, &row, found));
    if (*found)
        TRY(row_decode(worker->ctx, worker->batch, self->codec, &row, 1, out));
done:
    return st;
}

/* DO UPDATE of the existing row; `excluded` is the row proposed. */
static Status update_existing(Conflict *self, const Batch *existing, Str key, const Batch *excluded,
                              uint64_t *written)
{
    Status st = OK;
    Worker *worker = self->writer->worker;
    uint32_t columns = self->writer->table->columns_count;
    uint32_t width = MAX(2 * columns + 1, excluded->columns_count);
    Vector *both = scope_new_array(worker->batch, Vector, 2 * columns);
    Vector *update = scope_new_array(worker->batch, Vector, width);
    Batch in = {1, 2 * columns, both}, row = {1, 2 * columns + 1, update};
    const Vector *v;

    memcpy(both, existing->columns, columns * sizeof *both);
    memcpy(both + columns, excluded->columns, columns * sizeof *both);
    if (self->where) {
        TRY(eval_run(worker, self->where, &in, &v));
        if (eval_bool_at(v, 0) != 1)
            goto done;
    }
    for (uint32_t i = 0; i < columns; i++) {
        TRY(eval_run(worker, self->new_row[i], &in, &v));
        update[i] = *v;
        update[columns + i] = existing->columns[i];
    }
    key_vector(worker, key, &update[2 * columns]);
    TRY(row_writer_check(self->writer, &row));
    TRY(row_writer_update(self->writer, &row));
    (*written)++;
    if (self->returning == NULL)
        goto done;
    for (uint32_t i = columns; i < excluded->columns_count; i++)
        update[i] = excluded->columns[i];
    row.columns_count = excluded->columns_count;
    TRY(returning_add(worker, self->returning, &row));
done:
    return st;
}

static Status meet(Conflict *self, const Index *hit, const Batch *row, uint64_t *written)
{
    Status st = OK;
    bool found;
    Str key;
    Batch existing;

    if (!self->plan->do_update && txn_isolation(self->writer->txn) == ISOLATION_READ_COMMITTED)
        goto done;
    TRY(existing_key(self, hit, &key, &found));
    if (!found) {
        st = unseen_row(self);
        goto done;
    }
    if (!self->plan->do_update)
        goto done;
    key = str_copy(self->writer->worker->batch, key);
    TRY(mark_touched(self, key));
    TRY(lock_existing(self, key, &existing, &found));
    if (!found) {
        st = unseen_row(self);
        goto done;
    }
    TRY(update_existing(self, &existing, key, row, written));
done:
    return st;
}

Status conflict_insert(Conflict *self, const Batch *rows, uint64_t *written)
{
    Status st = OK;
    RowWriter *writer = self->writer;
    const Index *hit;
    Batch row;

    *written = 0;
    for (uint32_t i = 0; i < rows->rows_count; i++) {
        batch_range(&row, writer->worker->batch, rows, i, 1);
        TRY(row_writer_check(writer, &row));
        TRY(row_writer_try_insert(writer, &row, &hit));
        if (hit) {
            TRY(meet(self, hit, &row, written));
            continue;
        }
        TRY(mark_touched(self, byte_list_at(&writer->keys, 0)));
        (*written)++;
        if (self->returning)
            TRY(returning_add(writer->worker, self->returning, &row));
    }
done:
    return st;
}
