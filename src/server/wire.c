// SPDX-License-Identifier: Apache-2.0
//
// Encoding and decoding of protocol 3.0 messages; see wire.h. Integers are big-endian; a message's
// length counts itself but not its type byte. Any thread.
#include "server/wire.h"

static uint32_t read_be(WireReader *reader, size_t bytes)
{
    uint32_t value = 0;

    if (reader->rest.len < bytes) {
        reader->bad = true;
        reader->rest.len = 0;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | (uint8_t)reader->rest.ptr[i];
    reader->rest = (Str){reader->rest.ptr + bytes, reader->rest.len - bytes};
    return value;
}

uint8_t wire_read_byte(WireReader *reader)
{
    return (uint8_t)read_be(reader, 1);
}

int16_t wire_read_int16(WireReader *reader)
{
    return (int16_t)read_be(reader, 2);
}

int32_t wire_read_int32(WireReader *reader)
{
    return (int32_t)read_be(reader, 4);
}

Str wire_read_string(WireReader *reader)
{
    const char *end = reader->rest.len ? memchr(reader->rest.ptr, '\0', reader->rest.len) : NULL;

    if (end == NULL) {
        reader->bad = true;
        return STR("");
    }
    Str text = {reader->rest.ptr, (size_t)(end - reader->rest.ptr)};
    reader->rest = (Str){end + 1, reader->rest.len - text.len - 1};
    return text;
}

Str wire_read_bytes(WireReader *reader, size_t count)
{
    if (reader->rest.len < count) {
        reader->bad = true;
        return STR("");
    }
    Str bytes = {reader->rest.ptr, count};
    reader->rest = (Str){reader->rest.ptr + count, reader->rest.len - count};
    return bytes;
}

static void store_int32(char *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(at, &value, sizeof value);
}

size_t wire_begin(StrBuf *out, char type)
{
    char *at = strbuf_reserve(out, 5);
    size_t start = out->len;

    at[0] = type;
    out->len += 5;
    return start;
}

void wire_end(StrBuf *out, size_t start)
{
    store_int32(out->ptr + start + 1, (uint32_t)(out->len - start - 1));
}

void wire_put_int16(StrBuf *out, int16_t value)
{
    char *at = strbuf_reserve(out, 2);

    at[0] = (char)(value >> 8);
    at[1] = (char)value;
    out->len += 2;
}

void wire_put_int32(StrBuf *out, int32_t value)
{
    store_int32(strbuf_reserve(out, 4), (uint32_t)value);
    out->len += 4;
}

void wire_put_string(StrBuf *out, const char *text)
{
    strbuf_append(out, text, strlen(text) + 1);
}

void wire_put_text(StrBuf *out, Str text)
{
    strbuf_append_str(out, text);
    strbuf_append_char(out, '\0');
}

void wire_empty(StrBuf *out, char type)
{
    wire_end(out, wire_begin(out, type));
}

void wire_ready(StrBuf *out, char transaction_status)
{
    size_t start = wire_begin(out, 'Z');

    strbuf_append_char(out, transaction_status);
    wire_end(out, start);
}

void wire_parameter(StrBuf *out, const char *name, const char *value)
{
    size_t start = wire_begin(out, 'S');

    wire_put_string(out, name);
    wire_put_string(out, value);
    wire_end(out, start);
}

void wire_complete(StrBuf *out, const char *tag)
{
    size_t start = wire_begin(out, 'C');

    wire_put_string(out, tag);
    wire_end(out, start);
}

static void put_field(StrBuf *out, char field, const char *text)
{
    if (text == NULL)
        return;
    strbuf_append_char(out, field);
    wire_put_string(out, text);
}

void wire_error(StrBuf *out, const char *severity, const Error *error)
{
    size_t start = wire_begin(out, 'E');

    put_field(out, 'S', severity);
    put_field(out, 'V', severity);
    put_field(out, 'C', error_sqlstate(error->status));
    put_field(out, 'M', error->message ? error->message : "");
    put_field(out, 'D', error->detail);
    put_field(out, 'H', error->hint);
    if (error->position > 0) {
        strbuf_append_char(out, 'P');
        strbuf_printf(out, "%d", error->position);
        strbuf_append_char(out, '\0');
    }
    put_field(out, 'W', error->where);
    put_field(out, 's', error->schema_name);
    put_field(out, 't', error->table_name);
    put_field(out, 'c', error->column_name);
    put_field(out, 'n', error->constraint_name);
    strbuf_append_char(out, '\0');
    wire_end(out, start);
}

void wire_notice(StrBuf *out, const char *severity, const char *sqlstate, const char *message,
                 const char *detail, const char *hint)
{
    size_t start = wire_begin(out, 'N');

    put_field(out, 'S', severity);
    put_field(out, 'V', severity);
    put_field(out, 'C', sqlstate);
    put_field(out, 'M', message);
    put_field(out, 'D', detail);
    put_field(out, 'H', hint);
    strbuf_append_char(out, '\0');
    wire_end(out, start);
}

static int16_t format_of(const int16_t *formats, uint32_t count, uint32_t column)
{
    return count == 0 ? 0 : formats[count == 1 ? 0 : MIN(column, count - 1)];
}

void wire_columns(StrBuf *out, const PlannedStatement *statement, const int16_t *formats,
                  uint32_t formats_count)
{
    size_t start = wire_begin(out, 'T');

    wire_put_int16(out, (int16_t)statement->result_columns_count);
    for (uint32_t i = 0; i < statement->result_columns_count; i++) {
        const PlanColumn *column = &statement->result_columns[i];
        const TypeInfo *info = type_info(column->type.oid);
        wire_put_string(out, column->name);
        wire_put_int32(out, (int32_t)(statement->result_tables ? statement->result_tables[i] : 0));
        wire_put_int16(out, statement->result_attnums ? statement->result_attnums[i] : 0);
        wire_put_int32(out, (int32_t)column->type.oid);
        wire_put_int16(out, info ? info->length : -1);
        wire_put_int32(out, column->type.typmod);
        wire_put_int16(out, format_of(formats, formats_count, i));
    }
    wire_end(out, start);
}

void wire_params(StrBuf *out, const SqlType *params, uint32_t count)
{
    size_t start = wire_begin(out, 't');

    wire_put_int16(out, (int16_t)count);
    for (uint32_t i = 0; i < count; i++)
        wire_put_int32(out, (int32_t)params[i].oid);
    wire_end(out, start);
}

static void put_value(StrBuf *out, const Vector *v, uint32_t row, TypeOutput text,
                      const TypeIoContext *io)
{
    size_t at = out->len;

    strbuf_reserve(out, 4);
    out->len += 4;
    if (text)
        text(out, v->type, v, row, io);
    else
        type_send(out, v->type, v, row, io);
    store_int32(out->ptr + at, (uint32_t)(out->len - at - 4));
}

Status wire_rows(Ctx *ctx, StrBuf *out, const Batch *batch, uint32_t columns_count,
                 const int16_t *formats, uint32_t formats_count, const TypeIoContext *io)
{
    TypeOutput text[1664];

    ASSERT(columns_count <= ARRAY_COUNT(text));
    for (uint32_t i = 0; i < columns_count; i++) {
        SqlType type = batch->columns[i].type;
        bool binary = format_of(formats, formats_count, i) == 1;
        if (binary && !type_has_binary(type))
            return error_raise(ctx, E_FEATURE_NOT_SUPPORTED, "type with oid %u has no binary form",
                               type.oid);
        text[i] = binary ? NULL : type_output_function(type);
    }
    for (uint32_t row = 0; row < batch->rows_count; row++) {
        size_t start = wire_begin(out, 'D');
        wire_put_int16(out, (int16_t)columns_count);
        for (uint32_t i = 0; i < columns_count; i++) {
            const Vector *v = &batch->columns[i];
            if (vector_is_null(v, row))
                wire_put_int32(out, -1);
            else
                put_value(out, v, row, text[i], io);
        }
        wire_end(out, start);
    }
    return OK;
}

void wire_copy(StrBuf *out, char type, int format, uint32_t columns_count)
{
    size_t start = wire_begin(out, type);

    strbuf_append_char(out, (char)format);
    wire_put_int16(out, (int16_t)columns_count);
    for (uint32_t i = 0; i < columns_count; i++)
        wire_put_int16(out, (int16_t)format);
    wire_end(out, start);
}
