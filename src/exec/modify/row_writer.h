// SPDX-License-Identifier: Apache-2.0
//
// Writing rows of one table with everything that hangs on them: constraints, the row under its key,
// the entries of secondary indexes. Batches in; each step is done for all rows of a batch, rows in
// order. One thread. Errors are PostgreSQL's; a lock to be waited for is STATUS_LOCK_WAIT, a newer
// version STATUS_RETRY.
#ifndef DBASPOT_EXEC_MODIFY_ROW_WRITER_H
#define DBASPOT_EXEC_MODIFY_ROW_WRITER_H

#include "exec/eval/eval.h"

/* Many byte strings in one buffer: the i-th ends at ends[i]. */
typedef struct ByteList {
    StrBuf bytes;
    size_t *ends;
    uint32_t capacity;
} ByteList;

static inline Str byte_list_at(const ByteList *list, uint32_t at)
{
    size_t begin = at ? list->ends[at - 1] : 0;

    return (Str){list->bytes.ptr + begin, list->ends[at] - begin};
}

/* A secondary index. */
typedef struct IndexWriter {
    const Index *index;
    uint32_t *column_at;   /* positions in the table, UINT32_MAX: an expression */
    Eval **exprs;          /* by index column; NULL: a plain column */
    Eval *predicate;       /* NULL: all rows have an entry */
    bool touched;          /* UPDATE: a column it reads may change */
    const Vector **values; /* by index column, of the batch at hand */
    const Vector *kept;    /* the predicate's, of the batch at hand */
    ByteList keys, old_keys;
    bool *present, *old_present; /* by row: it has an entry */
    uint32_t present_capacity;
} IndexWriter;

typedef struct RowWriter {
    Worker *worker;
    const Table *table;
    const ModifyPlan *plan;
    Txn *txn;
    const Index *clustered; /* the primary key that orders the rows; NULL: hidden row ids */
    uint32_t indexes_count;
    IndexWriter *indexes;
    Eval **checks;
    bool key_touched; /* UPDATE: a key column may change */
    RowLock update_mode;
    ByteList keys, rows;
    const Index *arbiter; /* its entry is written first, and a live one is no error */
} RowWriter;

Status row_writer_new(Worker *worker, const ModifyPlan *plan, RowWriter **out);

/* The first columns of each batch are the table's. */
Status row_writer_check(RowWriter *writer, const Batch *rows);
Status row_writer_insert(RowWriter *writer, const Batch *rows);
/* `rows`: new row, old row, key. */
Status row_writer_update(RowWriter *writer, const Batch *rows);
/* `rows`: old row, key. */
Status row_writer_delete(RowWriter *writer, const Batch *rows);

/* One row's turn in an INSERT … ON CONFLICT. `rows` holds one row, checked. *hit: the index in
   which a live row was in the way (then nothing is written), NULL: inserted. */
Status row_writer_try_insert(RowWriter *writer, const Batch *rows, const Index **hit);

// --- inside modify/ -----------------------------------------------------------------------------

/* An index's expressions by column and its predicate, bound over the table's columns. */
typedef struct IndexExprs {
    const Index *index;
    Expr *const *exprs; /* NULL: plain columns only */
    const Expr *predicate;
} IndexExprs;
Status index_writer_init(RowWriter *writer, const IndexExprs *source, IndexWriter *out);
/* Keys of the batch's rows (fresh row ids without a primary key), and the encoded rows. */
Status row_writer_encode(RowWriter *writer, const Batch *rows);
void byte_list_clear(ByteList *list, Scope *scope, uint32_t rows);
/* The entries of all rows of a batch, under the row keys, into keys/present. */
Status index_entries(RowWriter *writer, IndexWriter *index, const Batch *rows,
                     const ByteList *row_keys);
/* 23505 about row `row` of the batch. */
Status index_violation(RowWriter *writer, const Index *index, const Vector *const *values,
                       uint32_t row);
/* "(a, b)=(1, 2)": the key of row `row`, for messages. */
void index_key_text(RowWriter *writer, const Index *index, const Vector *const *values,
                    uint32_t row, StrBuf *out);
/* Writes the entry of one row; *exists: a unique one was there. */
Status index_insert(RowWriter *writer, IndexWriter *index, const ByteList *row_keys, uint32_t row,
                    bool *exists);
Status index_delete(RowWriter *writer, IndexWriter *index, Str key);
/* The values of an index's plain columns out of a batch. */
void index_plain_values(const IndexWriter *index, const Batch *rows, const Vector **out);
/* Names the table, and what of it (either may be NULL), in the error just raised. */
void row_writer_error_object(RowWriter *writer, const char *column, const char *constraint);
/* OK, STATUS_LOCK_WAIT or STATUS_RETRY. */
Status verdict_status(TxnVerdict verdict);
/* "(1, null, abc)": as PostgreSQL shows a failing row. */
void append_row_text(StrBuf *out, const Batch *rows, uint32_t columns_count, uint32_t row,
                     const TypeIoContext *io);

#endif
