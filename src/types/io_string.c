// SPDX-License-Identifier: Apache-2.0
//
// Text and binary forms of the types that are strings in a vector: text, varchar, char(n), name,
// "char", bytea and the texts of the catalog. Lengths count characters, name's limit counts bytes.
// char(n) is held without trailing blanks (TYPES-2).
#include "types/io_int.h"

#define NAME_BYTES_MAX 63

#define IO_ARGS                                                                                   \
    Ctx *ctx UNUSED, Scope *scope, SqlType type UNUSED, Str text, const TypeIoContext *io UNUSED, \
        Datum *out
#define OUTPUT_ARGS \
    StrBuf *out, SqlType type UNUSED, const Vector *v, uint32_t row, const TypeIoContext *io UNUSED

StrView io_keep_string(Scope *scope, Str text)
{
    if (text.len <= STRVIEW_INLINE_MAX)
        return strview_make(text.ptr, text.len);
    return strview_make(str_to_c(scope, text), text.len);
}

Str io_clip_utf8(Str text, size_t bytes)
{
    if (text.len <= bytes)
        return text;
    while (bytes > 0 && ((uint8_t)text.ptr[bytes] & 0xc0) == 0x80)
        bytes--;
    return str_make(text.ptr, bytes);
}

static Str strip_blanks(Str text)
{
    while (text.len && text.ptr[text.len - 1] == ' ')
        text.len--;
    return text;
}

/* Bytes of the first `chars` characters. */
static size_t bytes_of_chars(Str text, size_t chars)
{
    size_t at = 0;

    for (; at < text.len; at++) {
        if (((uint8_t)text.ptr[at] & 0xc0) != 0x80 && chars-- == 0)
            break;
    }
    return at;
}

Status io_fit_string(Ctx *ctx, SqlType type, Str text, bool cut, Str *out)
{
    Status st = OK;

    ASSERT(type.oid == OID_VARCHAR || type.oid == OID_BPCHAR);
    *out = type.oid == OID_BPCHAR ? strip_blanks(text) : text;
    if (type.typmod < 4 || out->len <= (size_t)type.typmod - 4)
        return st;
    size_t chars = (size_t)type.typmod - 4;
    size_t bytes = bytes_of_chars(*out, chars);
    if (!cut && strip_blanks(*out).len > bytes)
        FAIL(ctx, E_STRING_TOO_LONG, "value too long for type %s(%zu)",
             type.oid == OID_BPCHAR ? "character" : "character varying", chars);
    out->len = bytes;
    if (type.oid == OID_BPCHAR)
        *out = strip_blanks(*out);
done:
    return st;
}

/* --- text and what is held as given --- */

static Status text_input(IO_ARGS)
{
    out->string = io_keep_string(scope, text);
    return OK;
}

static void text_output(OUTPUT_ARGS)
{
    const StrView *view = &vector_at(v, StrView, row);

    strbuf_append(out, strview_bytes(view), view->len);
}

static Status text_receive(IO_ARGS)
{
    out->string = io_keep_string(scope, text);
    return type_check_utf8(ctx, text);
}

/* --- varchar(n), char(n) --- */

static Status fitted_input(IO_ARGS)
{
    Str fitted;
    Status st = io_fit_string(ctx, type, text, false, &fitted);

    if (st == OK)
        out->string = io_keep_string(scope, fitted);
    return st;
}

static Status fitted_receive(IO_ARGS)
{
    Status st = type_check_utf8(ctx, text);

    return st == OK ? fitted_input(ctx, scope, type, text, io, out) : st;
}

static void bpchar_output(OUTPUT_ARGS)
{
    Str text = strview_str(&vector_at(v, StrView, row));

    strbuf_append_str(out, text);
    if (type.typmod < 4)
        return;
    size_t chars = str_utf8_length(text);
    size_t width = (size_t)type.typmod - 4;
    if (chars < width) {
        memset(strbuf_reserve(out, width - chars), ' ', width - chars);
        out->len += width - chars;
    }
}

/* --- name --- */

static Status name_input(IO_ARGS)
{
    out->string = io_keep_string(scope, io_clip_utf8(text, NAME_BYTES_MAX));
    return OK;
}

static Status name_receive(IO_ARGS)
{
    if (text.len > NAME_BYTES_MAX) {
        Status st = error_raise(ctx, E_NAME_TOO_LONG, "identifier too long");
        error_detail(ctx, "Identifier must be less than %d characters.", NAME_BYTES_MAX + 1);
        return st;
    }
    return text_receive(ctx, scope, type, text, io, out);
}

/* --- "char": one byte; bytes that are not ASCII are written in octal --- */

static bool is_octal(const char *p)
{
    return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' && p[2] <= '7';
}

static char octal_value(const char *p)
{
    return (char)((p[0] - '0') << 6 | (p[1] - '0') << 3 | (p[2] - '0'));
}

static Status char_input(IO_ARGS)
{
    char byte = text.len ? text.ptr[0] : '\0';

    if (text.len == 4 && text.ptr[0] == '\\' && is_octal(text.ptr + 1))
        byte = octal_value(text.ptr + 1);
    out->string = strview_make(&byte, byte != '\0');
    (void)scope;
    return OK;
}

static void char_output(OUTPUT_ARGS)
{
    Str text = strview_str(&vector_at(v, StrView, row));

    if (text.len && (uint8_t)text.ptr[0] >= 0x80)
        strbuf_printf(out, "\\%03o", (uint8_t)text.ptr[0]);
    else
        strbuf_append_str(out, text);
}

static Status char_receive(IO_ARGS)
{
    Status st = io_want_bytes(ctx, text, 1);

    if (st == OK)
        out->string = strview_make(text.ptr, text.ptr[0] != '\0');
    (void)scope;
    return st;
}

static void char_send(OUTPUT_ARGS)
{
    Str text = strview_str(&vector_at(v, StrView, row));

    strbuf_append_char(out, text.len ? text.ptr[0] : '\0');
}

/* --- bytea --- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static Status bytea_hex_input(Ctx *ctx, Str hex, char *to, size_t *count)
{
    Status st = OK;
    const char *p = hex.ptr;
    const char *end = p + hex.len;

    *count = 0;
    while (p < end) {
        if (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r') {
            p++;
            continue;
        }
        Str character = str_make(p, bytes_of_chars(str_make(p, (size_t)(end - p)), 1));
        if (hex_value(p[0]) < 0)
            FAIL(ctx, E_INVALID_PARAMETER_VALUE, "invalid hexadecimal digit: \"%.*s\"",
                 (int)character.len, character.ptr);
        if (end - p < 2)
            FAIL(ctx, E_INVALID_PARAMETER_VALUE, "invalid hexadecimal data: odd number of digits");
        character = str_make(p + 1, bytes_of_chars(str_make(p + 1, (size_t)(end - p - 1)), 1));
        if (hex_value(p[1]) < 0)
            FAIL(ctx, E_INVALID_PARAMETER_VALUE, "invalid hexadecimal digit: \"%.*s\"",
                 (int)character.len, character.ptr);
        to[(*count)++] = (char)(hex_value(p[0]) << 4 | hex_value(p[1]));
        p += 2;
    }
done:
    return st;
}

static Status bytea_escape_input(Ctx *ctx, Str text, char *to, size_t *count)
{
    const char *p = text.ptr;
    const char *end = p + text.len;

    *count = 0;
    while (p < end) {
        if (*p != '\\') {
            to[(*count)++] = *p++;
        } else if (end - p >= 4 && is_octal(p + 1)) {
            to[(*count)++] = octal_value(p + 1);
            p += 4;
        } else if (end - p >= 2 && p[1] == '\\') {
            to[(*count)++] = '\\';
            p += 2;
        } else {
            return error_raise(ctx, E_INVALID_TEXT, "invalid input syntax for type bytea");
        }
    }
    return OK;
}

static Status bytea_input(IO_ARGS)
{
    Status st = OK;
    void *bytes;
    size_t count;

    TRY(scope_alloc_data(ctx, scope, text.len, &bytes));
    if (text.len >= 2 && text.ptr[0] == '\\' && text.ptr[1] == 'x')
        TRY(bytea_hex_input(ctx, str_make(text.ptr + 2, text.len - 2), bytes, &count));
    else
        TRY(bytea_escape_input(ctx, text, bytes, &count));
    out->string = strview_make(bytes, count);
done:
    return st;
}

static void bytea_output(OUTPUT_ARGS)
{
    Str bytes = strview_str(&vector_at(v, StrView, row));

    if (io && io->bytea_escape) {
        for (size_t i = 0; i < bytes.len; i++) {
            uint8_t byte = (uint8_t)bytes.ptr[i];
            if (byte == '\\')
                strbuf_append_c(out, "\\\\");
            else if (byte < 0x20 || byte > 0x7e)
                strbuf_printf(out, "\\%03o", byte);
            else
                strbuf_append_char(out, (char)byte);
        }
        return;
    }
    char *at = strbuf_reserve(out, 2 + 2 * bytes.len);
    *at++ = '\\';
    *at++ = 'x';
    for (size_t i = 0; i < bytes.len; i++) {
        *at++ = "0123456789abcdef"[(uint8_t)bytes.ptr[i] >> 4];
        *at++ = "0123456789abcdef"[bytes.ptr[i] & 15];
    }
    out->len += 2 + 2 * bytes.len;
}

static Status bytea_receive(IO_ARGS)
{
    out->string = io_keep_string(scope, text);
    return OK;
}

const TypeIo *io_string_find(Oid oid)
{
    static const TypeIo text_io = {text_input, text_output, text_receive, text_output},
                        varchar_io = {fitted_input, text_output, fitted_receive, text_output},
                        bpchar_io = {fitted_input, bpchar_output, fitted_receive, bpchar_output},
                        name_io = {name_input, text_output, name_receive, text_output},
                        char_io = {char_input, char_output, char_receive, char_send},
                        bytea_io = {bytea_input, bytea_output, bytea_receive, text_output};

    switch (oid) {
    case OID_TEXT:
    case OID_UNKNOWN:
    case OID_CSTRING:
    case OID_PG_NODE_TREE:
    case OID_ACLITEM: return &text_io;
    case OID_VARCHAR: return &varchar_io;
    case OID_BPCHAR: return &bpchar_io;
    case OID_NAME: return &name_io;
    case OID_CHAR: return &char_io;
    case OID_BYTEA: return &bytea_io;
    default: return NULL;
    }
}
