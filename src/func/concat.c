// SPDX-License-Identifier: Apache-2.0
//
// Text from values of any type: concat, concat_ws, text || anything, format, quote_*, and what asks
// about values of any type (pg_typeof, num_nulls). See kernel.h.
#include "func/quote.h"
#include "func/rows.h"
#include "types/cast.h"

/* --- quoting --- */

static const char *const reserved_words[] = {
#define KEYWORD(word) word,
#include "func/keywords.def"
#undef KEYWORD
};

static bool is_reserved(Str name)
{
    size_t low = 0;
    size_t high = ARRAY_COUNT(reserved_words);

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_compare(name, str_from(reserved_words[middle]));
        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static bool is_plain_ident(Str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len > 0 && !is_reserved(name);
}

void quote_append_ident(StrBuf *out, Str name)
{
    if (is_plain_ident(name)) {
        strbuf_append_str(out, name);
        return;
    }
    strbuf_append_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            strbuf_append_char(out, '"');
        strbuf_append_char(out, name.ptr[i]);
    }
    strbuf_append_char(out, '"');
}

void quote_append_literal(StrBuf *out, Str text)
{
    if (text.len && memchr(text.ptr, '\\', text.len))
        strbuf_append_char(out, 'E');
    strbuf_append_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'' || text.ptr[i] == '\\')
            strbuf_append_char(out, text.ptr[i]);
        strbuf_append_char(out, text.ptr[i]);
    }
    strbuf_append_char(out, '\'');
}

/* --- values as text --- */

/* As a cast to text prints it: a boolean is a word, char(n) loses its blanks. */
static Status append_cast(FuncCall *call, StrBuf *buf, const Vector *v, uint32_t row)
{
    Status st = OK;
    Datum text;

    if (v->type.oid == OID_TEXT || v->type.oid == OID_VARCHAR) {
        strbuf_append_str(buf, strview_str(&vector_at(v, StrView, row)));
        goto done;
    }
    Datum datum = datum_from_vector(v, row);
    TRY(cast_datum(call->ctx, call->scope, &datum, sql_type(OID_TEXT), true, kernel_io(call),
                   &text));
    strbuf_append_str(buf, strview_str(&text.string));
done:
    return st;
}

KERNEL_TEXT_ROWS(func_cat_any, {
    TRY(append_cast(call, &buf, args[0], i));
    TRY(append_cast(call, &buf, args[1], i));
})

KERNEL_TEXT_ROWS(func_concat, {
    for (uint32_t k = 0; k < call->args_count; k++) {
        if (!vector_is_null(args[k], i))
            kernel_print(&buf, call, args[k], i);
    }
})

KERNEL_TEXT_ROWS(func_concat_ws, {
    bool any = false;
    if (vector_is_null(args[0], i)) {
        KERNEL_NULL(i);
        continue;
    }
    for (uint32_t k = 1; k < call->args_count; k++) {
        if (vector_is_null(args[k], i))
            continue;
        if (any)
            strbuf_append_str(&buf, KERNEL_STR(0));
        kernel_print(&buf, call, args[k], i);
        any = true;
    }
})

KERNEL_TEXT_ROWS(func_quote_ident, quote_append_ident(&buf, KERNEL_STR(0));)

/* The argument's text as a literal. */
static Status append_quoted(FuncCall *call, StrBuf *buf, const Vector *v, uint32_t row)
{
    Status st = OK;
    StrBuf text;

    strbuf_init(&text);
    TRY(append_cast(call, &text, v, row));
    quote_append_literal(buf, strbuf_str(&text));
done:
    strbuf_free(&text);
    return st;
}

KERNEL_TEXT_ROWS(func_quote_literal, TRY(append_quoted(call, &buf, args[0], i));)

KERNEL_TEXT_ROWS(func_quote_nullable, {
    if (vector_is_null(args[0], i))
        strbuf_append_c(&buf, "NULL");
    else
        TRY(append_quoted(call, &buf, args[0], i));
})

/* --- format --- */

typedef struct FormatSpec {
    int64_t argument;       /* 0: the next one */
    int64_t width_argument; /* of *: 0 none, -1 the next one */
    int64_t width;
    bool left;
    char type;
} FormatSpec;

static Status unterminated(Ctx *ctx)
{
    Status st = error_raise(ctx, E_INVALID_PARAMETER_VALUE, "unterminated format() type specifier");
    error_hint(ctx, "For a single \"%%\" use \"%%%%\".");
    return st;
}

/* Digits at *at; false if there are none. */
static Status read_number(Ctx *ctx, Str text, size_t *at, int64_t *out, bool *found)
{
    *out = 0;
    *found = false;
    for (; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9'; (*at)++) {
        *out = *out * 10 + text.ptr[*at] - '0';
        *found = true;
        if (*out > INT32_MAX)
            return error_raise(ctx, E_NUMERIC_OUT_OF_RANGE, "number is out of range");
    }
    return *at >= text.len ? unterminated(ctx) : OK;
}

static Status argument_zero(Ctx *ctx)
{
    return error_raise(ctx, E_INVALID_PARAMETER_VALUE,
                       "format specifies argument 0, but arguments are numbered from 1");
}

/* The width after %: a number, *, or *n$. */
static Status read_width(Ctx *ctx, Str text, size_t *at, FormatSpec *spec)
{
    Status st = OK;
    bool found;

    if (text.ptr[*at] != '*') {
        TRY(read_number(ctx, text, at, &spec->width, &found));
        goto done;
    }
    (*at)++;
    TRY(read_number(ctx, text, at, &spec->width_argument, &found));
    if (!found) {
        spec->width_argument = -1;
        goto done;
    }
    if (text.ptr[*at] != '$')
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "width argument position must be ended by \"$\"");
    if (spec->width_argument == 0)
        TRY(argument_zero(ctx));
    if (++(*at) >= text.len)
        TRY(unterminated(ctx));
done:
    return st;
}

/* Reads what follows a %; *at is behind the type letter at the end. */
static Status read_spec(Ctx *ctx, Str text, size_t *at, FormatSpec *spec)
{
    Status st = OK;
    bool found;
    int64_t number;

    *spec = (FormatSpec){0};
    TRY(read_number(ctx, text, at, &number, &found));
    if (found && text.ptr[*at] != '$') {
        spec->width = number;
    } else {
        if (found) {
            if (number == 0)
                TRY(argument_zero(ctx));
            spec->argument = number;
            if (++(*at) >= text.len)
                TRY(unterminated(ctx));
        }
        while (text.ptr[*at] == '-') {
            spec->left = true;
            if (++(*at) >= text.len)
                TRY(unterminated(ctx));
        }
        TRY(read_width(ctx, text, at, spec));
    }
    spec->type = text.ptr[(*at)++];
done:
    return st;
}

static Status take_argument(FuncCall *call, int64_t wanted, int64_t *last, uint32_t *out)
{
    int64_t at = wanted > 0 ? wanted : *last + 1;

    if (at >= call->args_count)
        return error_raise(call->ctx, E_INVALID_PARAMETER_VALUE, "too few arguments for format()");
    *last = at;
    *out = (uint32_t)at;
    return OK;
}

static Status width_of_argument(FuncCall *call, const Vector *v, uint32_t row, FormatSpec *spec)
{
    Status st = OK;
    Datum width;

    if (vector_is_null(v, row))
        goto done;
    Datum datum = datum_from_vector(v, row);
    TRY(cast_datum(call->ctx, call->scope, &datum, sql_type(OID_INT4), true, kernel_io(call),
                   &width));
    if (width.int32 < 0)
        spec->left = true;
    spec->width = width.int32 < 0 ? -(int64_t)width.int32 : width.int32;
done:
    return st;
}

static Status append_formatted(FuncCall *call, StrBuf *buf, const FormatSpec *spec, const Vector *v,
                               uint32_t row)
{
    Status st = OK;
    StrBuf text, quoted;
    const StrBuf *shown = &text;

    strbuf_init(&text);
    strbuf_init(&quoted);
    if (vector_is_null(v, row)) {
        if (spec->type == 'I')
            FAIL(call->ctx, E_NULL_VALUE_NOT_ALLOWED,
                 "null values cannot be formatted as an SQL identifier");
        if (spec->type == 'L')
            strbuf_append_c(&text, "NULL");
    } else {
        kernel_print(&text, call, v, row);
        if (spec->type == 'I')
            quote_append_ident(&quoted, strbuf_str(&text));
        else if (spec->type == 'L')
            quote_append_literal(&quoted, strbuf_str(&text));
        if (spec->type != 's')
            shown = &quoted;
    }
    int64_t blanks = spec->width - (int64_t)str_utf8_length(strbuf_str(shown));
    if (blanks > (int64_t)TEXT_BYTES_MAX)
        FAIL(call->ctx, E_PROGRAM_LIMIT_EXCEEDED, "requested length too large");
    if (spec->left)
        strbuf_append_str(buf, strbuf_str(shown));
    if (blanks > 0) {
        memset(strbuf_reserve(buf, (size_t)blanks), ' ', (size_t)blanks);
        buf->len += (size_t)blanks;
    }
    if (!spec->left)
        strbuf_append_str(buf, strbuf_str(shown));
done:
    strbuf_free(&text);
    strbuf_free(&quoted);
    return st;
}

static Status format_one(FuncCall *call, const Vector *const *args, uint32_t row, Str text,
                         size_t *at, int64_t *last, StrBuf *buf)
{
    Status st = OK;
    FormatSpec spec;
    uint32_t argument = 0;

    TRY(read_spec(call->ctx, text, at, &spec));
    if (strchr("sIL", spec.type) == NULL || spec.type == '\0') {
        st = error_raise(call->ctx, E_INVALID_PARAMETER_VALUE,
                         "unrecognized format() type specifier \"%c\"", spec.type);
        error_hint(call->ctx, "For a single \"%%\" use \"%%%%\".");
        goto done;
    }
    if (spec.width_argument) {
        TRY(take_argument(call, spec.width_argument, last, &argument));
        TRY(width_of_argument(call, args[argument], row, &spec));
    }
    TRY(take_argument(call, spec.argument, last, &argument));
    TRY(append_formatted(call, buf, &spec, args[argument], row));
done:
    return st;
}

KERNEL_TEXT_ROWS(func_format, {
    int64_t last = 0;
    if (vector_is_null(args[0], i)) {
        KERNEL_NULL(i);
        continue;
    }
    Str text = KERNEL_STR(0);
    for (size_t at = 0; at < text.len;) {
        char c = text.ptr[at++];
        if (c != '%') {
            strbuf_append_char(&buf, c);
            continue;
        }
        if (at >= text.len)
            TRY(unterminated(call->ctx));
        if (text.ptr[at] == '%')
            strbuf_append_char(&buf, text.ptr[at++]);
        else
            TRY(format_one(call, args, i, text, &at, &last, &buf));
    }
})

/* --- about values --- */

Status func_pg_typeof(KERNEL_PARAMS)
{
    for (uint32_t i = 0; i < rows; i++)
        vector_flat(out, int64_t)[i] = args[0]->type.oid;
    return OK;
}

static int32_t count_nulls(const FuncCall *call, const Vector *const *args, uint32_t row)
{
    int32_t count = 0;

    for (uint32_t k = 0; k < call->args_count; k++)
        count += vector_is_null(args[k], row);
    return count;
}

KERNEL_ROWS(func_num_nulls, KERNEL_RESULT(int32_t) = count_nulls(call, args, i);)
KERNEL_ROWS(func_num_nonnulls,
            KERNEL_RESULT(int32_t) = (int32_t)call->args_count - count_nulls(call, args, i);)
