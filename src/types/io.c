// SPDX-License-Identifier: Apache-2.0
//
// Finds the family that knows a type's forms, and reads columns of text: the types that large files
// are made of have loops of their own, everything else goes value by value.
#include "types/io.h"

#include "types/datetime.h"
#include "types/io_int.h"
#include "types/numeric.h"

static Status pseudo_input(Ctx *ctx, Scope *scope UNUSED, SqlType type, Str text UNUSED,
                           const TypeIoContext *io UNUSED, Datum *out)
{
    const TypeInfo *info = type_info(type.oid);

    if (type.oid == OID_VOID) {
        out->string = (StrView){0};
        return OK;
    }
    if (type.oid == OID_RECORD)
        return error_raise(ctx, E_FEATURE_NOT_SUPPORTED,
                           "input of anonymous composite types is not implemented");
    return error_raise(ctx, E_FEATURE_NOT_SUPPORTED, "cannot accept a value of type %s",
                       info->sql_name);
}

static void pseudo_output(StrBuf *out, SqlType type UNUSED, const Vector *v, uint32_t row,
                          const TypeIoContext *io UNUSED)
{
    strbuf_append_str(out, strview_str(&vector_at(v, StrView, row)));
}

static const TypeIo pseudo_io = {pseudo_input, pseudo_output, pseudo_input, pseudo_output};

static const TypeIo *find(Oid oid)
{
    const TypeIo *found = io_number_find(oid);

    if (found == NULL)
        found = io_string_find(oid);
    if (found == NULL)
        found = io_datetime_find(oid);
    if (found == NULL)
        found = io_array_find(oid);
    return found ? found : &pseudo_io;
}

Status io_bad_syntax(Ctx *ctx, const char *name, Str text)
{
    return error_raise(ctx, E_INVALID_TEXT, "invalid input syntax for type %s: \"%.*s\"", name,
                       (int)text.len, text.ptr);
}

Status io_want_bytes(Ctx *ctx, Str bytes, size_t want)
{
    if (bytes.len < want)
        return error_raise(ctx, E_PROTOCOL_VIOLATION, "insufficient data left in message");
    if (bytes.len > want)
        return error_raise(ctx, E_INVALID_BINARY, "incorrect binary data format");
    return OK;
}

Status type_check_utf8(Ctx *ctx, Str text)
{
    StrBuf bytes;
    size_t at;

    if (LIKELY(str_utf8_valid(text, &at)))
        return OK;
    strbuf_init(&bytes);
    uint8_t lead = (uint8_t)text.ptr[at];
    size_t count = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 1;
    for (size_t i = at; i < MIN(at + count, text.len); i++)
        strbuf_printf(&bytes, i > at ? " 0x%02x" : "0x%02x", (uint8_t)text.ptr[i]);
    Status st = error_raise(ctx, E_CHARACTER_NOT_IN_REPERTOIRE,
                            "invalid byte sequence for encoding \"UTF8\": %s", strbuf_c(&bytes));
    strbuf_free(&bytes);
    return st;
}

Status type_input(Ctx *ctx, Scope *scope, SqlType type, Str text, const TypeIoContext *io,
                  Datum *out)
{
    *out = (Datum){.type = type};
    return find(type.oid)->input(ctx, scope, type, text, io, out);
}

Status type_receive(Ctx *ctx, Scope *scope, SqlType type, Str bytes, const TypeIoContext *io,
                    Datum *out)
{
    *out = (Datum){.type = type};
    return find(type.oid)->receive(ctx, scope, type, bytes, io, out);
}

TypeOutput type_output_function(SqlType type)
{
    return find(type.oid)->output;
}

void type_output(StrBuf *out, SqlType type, const Vector *v, uint32_t row, const TypeIoContext *io)
{
    find(type.oid)->output(out, type, v, row, io);
}

/* A constant vector over the datum itself. */
static Vector view_datum(const Datum *datum)
{
    return (Vector){.type = datum->type,
                    .phys = (uint8_t)type_phys(datum->type),
                    .form = VECTOR_CONST,
                    .values = (void *)datum->bytes};
}

void type_output_datum(StrBuf *out, const Datum *datum, const TypeIoContext *io)
{
    Vector v = view_datum(datum);

    type_output(out, datum->type, &v, 0, io);
}

void type_send(StrBuf *out, SqlType type, const Vector *v, uint32_t row, const TypeIoContext *io)
{
    find(type.oid)->send(out, type, v, row, io);
}

bool type_has_binary(SqlType type)
{
    const TypeInfo *info = type_info(type.oid);

    return info && type.oid != OID_ACLITEM && type.oid != OID_ACLITEM_ARRAY &&
           type.oid != OID_PG_NODE_TREE && find(type.oid) != &pseudo_io;
}

/* A column that is being read: rows whose text is NULL are cleared in `validity` as met. */
typedef struct ColumnReader {
    Ctx *ctx;
    Scope *scope;
    const Str *texts;
    uint32_t rows;
    Vector *out;
    uint32_t row; /* where the loop stands, for the error */
} ColumnReader;

static NOINLINE void set_null(ColumnReader *reader, uint32_t row)
{
    bitmap_clear(vector_make_validity(reader->out, reader->scope, reader->rows), row);
}

/* Up to 18 digits with a sign; everything else is left to the careful way. */
static inline bool plain_int(Str text, int64_t *out)
{
    const char *p = text.ptr;
    const char *end = p + text.len;
    uint64_t value = 0;

    if (text.len == 0 || text.len > 18)
        return false;
    bool negative = *p == '-';
    p += negative;
    if (p == end)
        return false;
    for (; p < end; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (digit > 9)
            return false;
        value = value * 10 + digit;
    }
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

#define READ_INTEGERS(name, T, low, high, sql_name)                                    \
    static Status name(ColumnReader *r)                                                \
    {                                                                                  \
        Status st = OK;                                                                \
        T *values = r->out->values;                                                    \
        int64_t value;                                                                 \
                                                                                       \
        for (uint32_t row = 0; row < r->rows; row++) {                                 \
            Str text = r->texts[row];                                                  \
            r->row = row;                                                              \
            if (text.ptr == NULL) {                                                    \
                set_null(r, row);                                                      \
                continue;                                                              \
            }                                                                          \
            if (UNLIKELY(!plain_int(text, &value) || value < (low) || value > (high))) \
                TRY(io_parse_int64(r->ctx, text, (low), (high), sql_name, &value));    \
            values[row] = (T)value;                                                    \
        }                                                                              \
done:                                                                                  \
        return st;                                                                     \
    }

READ_INTEGERS(read_int16, int16_t, INT16_MIN, INT16_MAX, "smallint")
READ_INTEGERS(read_int32, int32_t, INT32_MIN, INT32_MAX, "integer")
READ_INTEGERS(read_int64, int64_t, INT64_MIN, INT64_MAX, "bigint")

static Status read_scaled(ColumnReader *r)
{
    Status st = OK;
    bool narrow = r->out->phys == PHYS_INT64;
    int128_t value;

    for (uint32_t row = 0; row < r->rows; row++) {
        r->row = row;
        if (r->texts[row].ptr == NULL) {
            set_null(r, row);
            continue;
        }
        TRY(numeric_parse_scaled(r->ctx, r->texts[row], r->out->type, &value));
        if (narrow)
            vector_flat(r->out, int64_t)[row] = (int64_t)value;
        else
            vector_flat(r->out, int128_t)[row] = value;
    }
done:
    return st;
}

static Status read_dates(ColumnReader *r, const TypeIoContext *io)
{
    Status st = OK;
    int32_t *values = r->out->values;

    for (uint32_t row = 0; row < r->rows; row++) {
        r->row = row;
        if (r->texts[row].ptr == NULL)
            set_null(r, row);
        else if (!date_parse_iso(r->texts[row], &values[row]))
            TRY(date_parse(r->ctx, r->texts[row], io, &values[row]));
    }
done:
    return st;
}

/* text, varchar and char: the views share the texts' bytes. */
static Status read_strings(ColumnReader *r)
{
    Status st = OK;
    SqlType type = r->out->type;
    StrView *values = r->out->values;

    for (uint32_t row = 0; row < r->rows; row++) {
        Str text = r->texts[row];
        r->row = row;
        if (text.ptr == NULL) {
            set_null(r, row);
            continue;
        }
        if (type.oid != OID_TEXT)
            TRY(io_fit_string(r->ctx, type, text, false, &text));
        values[row] = strview_make(text.ptr, text.len);
    }
done:
    return st;
}

static Status read_any(ColumnReader *r, const TypeIoContext *io)
{
    Status st = OK;
    TypeInput input = find(r->out->type.oid)->input;
    size_t bytes = phys_size[r->out->phys];
    Datum datum = {.type = r->out->type};

    for (uint32_t row = 0; row < r->rows; row++) {
        r->row = row;
        if (r->texts[row].ptr == NULL) {
            set_null(r, row);
            continue;
        }
        TRY(input(r->ctx, r->scope, r->out->type, r->texts[row], io, &datum));
        memcpy((char *)r->out->values + row * bytes, datum.bytes, bytes);
    }
done:
    return st;
}

static Status read_column(ColumnReader *r, const TypeIoContext *io)
{
    switch (r->out->type.oid) {
    case OID_INT2: return read_int16(r);
    case OID_INT4: return read_int32(r);
    case OID_INT8: return read_int64(r);
    case OID_DATE: return read_dates(r, io);
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_BPCHAR: return read_strings(r);
    case OID_NUMERIC:
        if (r->out->phys != PHYS_NUMERIC)
            return read_scaled(r);
        return read_any(r, io);
    default: return read_any(r, io);
    }
}

Status type_input_vector(Ctx *ctx, Scope *scope, SqlType type, const Str *texts, uint32_t rows,
                         const TypeIoContext *io, Vector *out, uint32_t *bad_row)
{
    ColumnReader reader = {.ctx = ctx, .scope = scope, .texts = texts, .rows = rows, .out = out};

    vector_init_flat(out, scope, type, rows);
    Status st = read_column(&reader, io);
    if (st != OK && bad_row)
        *bad_row = reader.row;
    return st;
}
