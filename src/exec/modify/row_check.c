// SPDX-License-Identifier: Apache-2.0
//
// NOT NULL and CHECK over a batch of new rows, and the text of a row that fails. Of a batch the
// first row that breaks NOT NULL is reported, then the first that breaks a CHECK.
#include "exec/modify/row_writer.h"

#define FIELD_BYTES_MAX 64

static void append_field(StrBuf *out, const Vector *v, uint32_t row, const TypeIoContext *io)
{
    StrBuf text;
    size_t len;

    strbuf_init(&text);
    type_output(&text, v->type, v, row, io);
    len = text.len;
    if (len > FIELD_BYTES_MAX) {
        len = FIELD_BYTES_MAX;
        while (len > 0 && ((uint8_t)text.ptr[len] & 0xc0) == 0x80)
            len--;
    }
    strbuf_append(out, text.ptr, len);
    if (len < text.len)
        strbuf_append_c(out, "...");
    strbuf_free(&text);
}

void append_row_text(StrBuf *out, const Batch *rows, uint32_t columns_count, uint32_t row,
                     const TypeIoContext *io)
{
    strbuf_append_char(out, '(');
    for (uint32_t i = 0; i < columns_count; i++) {
        if (i > 0)
            strbuf_append_c(out, ", ");
        if (vector_is_null(&rows->columns[i], row))
            strbuf_append_c(out, "null");
        else
            append_field(out, &rows->columns[i], row, io);
    }
    strbuf_append_char(out, ')');
}

static void add_row_detail(RowWriter *writer, const Batch *rows, uint32_t row)
{
    StrBuf text;

    strbuf_init(&text);
    append_row_text(&text, rows, writer->table->columns_count, row, writer->worker->query->env->io);
    error_detail(writer->worker->ctx, "Failing row contains %s.", strbuf_c(&text));
    strbuf_free(&text);
}

void row_writer_error_object(RowWriter *writer, const char *column, const char *constraint)
{
    const Catalog *catalog = writer->worker->query->env->catalog;
    const Object *table = &writer->table->object;
    const Object *schema = catalog ? catalog_by_oid(catalog, table->schema) : NULL;
    Scope *scope = writer->worker->batch;

    error_object(writer->worker->ctx, schema ? str_to_c(scope, schema->name) : NULL,
                 str_to_c(scope, table->name), column, constraint);
}

static const char *text_of(RowWriter *writer, Str name)
{
    return str_to_c(writer->worker->batch, name);
}

static Status check_not_null(RowWriter *writer, const Batch *rows)
{
    const Table *table = writer->table;
    Ctx *ctx = writer->worker->ctx;
    uint32_t bad_row = UINT32_MAX, bad_column = 0;

    for (uint32_t i = 0; i < table->columns_count; i++) {
        const Vector *v = &rows->columns[i];
        if (!table->columns[i].not_null || v->validity == NULL)
            continue;
        for (uint32_t row = 0; row < MIN(rows->rows_count, bad_row); row++) {
            if (vector_is_null(v, row)) {
                bad_row = row;
                bad_column = i;
            }
        }
    }
    if (bad_row == UINT32_MAX)
        return OK;
    const char *column = text_of(writer, table->columns[bad_column].name);
    const char *relation = text_of(writer, table->object.name);
    Status st =
        error_raise(ctx, E_NOT_NULL_VIOLATION,
                    "null value in column \"%s\" of relation \"%s\" violates not-null constraint",
                    column, relation);
    row_writer_error_object(writer, column, NULL);
    add_row_detail(writer, rows, bad_row);
    return st;
}

Status row_writer_check(RowWriter *writer, const Batch *rows)
{
    Status st = OK;
    Worker *worker = writer->worker;
    const Vector *v;

    TRY(check_not_null(writer, rows));
    for (uint32_t i = 0; i < writer->plan->checks_count; i++) {
        TRY(eval_run(worker, writer->checks[i], rows, &v));
        for (uint32_t row = 0; row < rows->rows_count; row++) {
            if (eval_bool_at(v, row) != 0)
                continue;
            const char *name = writer->plan->checks[i].name;
            const char *relation = text_of(writer, writer->table->object.name);
            st = error_raise(worker->ctx, E_CHECK_VIOLATION,
                             "new row for relation \"%s\" violates check constraint \"%s\"",
                             relation, name);
            row_writer_error_object(writer, NULL, name);
            add_row_detail(writer, rows, row);
            goto done;
        }
    }
done:
    return st;
}
