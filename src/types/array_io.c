// SPDX-License-Identifier: Apache-2.0
//
// Text and binary forms of arrays, int2vector and oidvector. Braces nest to six dimensions; the
// text is read in one pass that keeps, for each depth, how many items the open brace has and how
// many a closed one had, so that ragged arrays are refused.
#include "base/array.h"
#include "types/array.h"
#include "types/io_int.h"

/* A literal that is being read. */
typedef struct ArrayReader {
    Ctx *ctx;
    Scope *scope;
    Str text;
    const char *p;
    const char *end;
    SqlType element;
    const TypeIoContext *io;
    int depth;
    int leaf_depth;                    /* where elements are; 0 until the first */
    int counts[ARRAY_DIMENSIONS_MAX];  /* items in the open brace of each depth */
    int lengths[ARRAY_DIMENSIONS_MAX]; /* items of the closed ones; -1 none yet */
    ARRAY(Datum) elements;
} ArrayReader;

static Status malformed(ArrayReader *r, const char *detail)
{
    Status st = error_raise(r->ctx, E_INVALID_TEXT, "malformed array literal: \"%.*s\"",
                            (int)r->text.len, r->text.ptr);

    error_detail(r->ctx, "%s", detail);
    return st;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_spaces(ArrayReader *r)
{
    while (r->p < r->end && is_space(*r->p))
        r->p++;
}

/* An element's characters, unescaped; *quoted or *escaped tell a text NULL from a null. */
static Status read_characters(ArrayReader *r, StrBuf *out, bool *plain)
{
    bool quoted = false;
    size_t kept = 0; /* up to the last character that is not a trailing blank */

    *plain = true;
    for (; r->p < r->end; r->p++) {
        char c = *r->p;
        if (c == '\\') {
            if (++r->p == r->end)
                return malformed(r, "Unexpected end of input.");
            strbuf_append_char(out, *r->p);
            kept = out->len;
            *plain = false;
        } else if (c == '"') {
            if (!quoted && (out->len > 0 || !*plain))
                return malformed(r, "Unexpected array element.");
            if (quoted) {
                r->p++;
                skip_spaces(r);
                if (r->p < r->end && *r->p != ',' && *r->p != '}')
                    return malformed(r, "Unexpected array element.");
                return OK;
            }
            quoted = true;
            *plain = false;
        } else if (!quoted && (c == ',' || c == '}')) {
            out->len = kept;
            return OK;
        } else if (!quoted && c == '{') {
            return malformed(r, "Unexpected \"{\" character.");
        } else {
            strbuf_append_char(out, c);
            if (quoted || !is_space(c))
                kept = out->len;
        }
    }
    return malformed(r, "Unexpected end of input.");
}

static Status read_element(ArrayReader *r)
{
    Status st = OK;
    StrBuf text;
    bool plain;
    Datum datum;

    strbuf_init(&text);
    if (r->leaf_depth == 0)
        r->leaf_depth = r->depth;
    TRY(read_characters(r, &text, &plain));
    if (plain && text.len == 0)
        TRY(malformed(r, *r->p == '}' ? "Unexpected \"}\" character."
                                      : "Unexpected \",\" character."));
    if (r->leaf_depth != r->depth)
        TRY(malformed(r, "Unexpected array element."));
    Str value = text.len ? strbuf_str(&text) : STR("");
    if (plain && str_equal_nocase(value, STR("null")))
        datum = datum_null(r->element);
    else
        TRY(type_input(r->ctx, r->scope, r->element, value, r->io, &datum));
    if (r->elements.count == ARRAY_ELEMENTS_MAX)
        FAIL(r->ctx, E_PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (%d)",
             ARRAY_ELEMENTS_MAX);
    array_push(r->scope, &r->elements, datum);
    r->counts[r->depth - 1]++;
done:
    strbuf_free(&text);
    return st;
}

static Status open_brace(ArrayReader *r)
{
    if (r->depth == ARRAY_DIMENSIONS_MAX)
        return error_raise(r->ctx, E_PROGRAM_LIMIT_EXCEEDED,
                           "number of array dimensions (%d) exceeds the maximum allowed (%d)",
                           r->depth + 1, ARRAY_DIMENSIONS_MAX);
    if (r->leaf_depth && r->depth >= r->leaf_depth)
        return malformed(r, "Unexpected \"{\" character.");
    r->counts[r->depth++] = 0;
    r->p++;
    return OK;
}

static Status close_brace(ArrayReader *r)
{
    int at = --r->depth;

    if (r->lengths[at] >= 0 && r->lengths[at] != r->counts[at])
        return malformed(r,
                         "Multidimensional arrays must have sub-arrays with matching dimensions.");
    r->lengths[at] = r->counts[at];
    if (at > 0)
        r->counts[at - 1]++;
    r->p++;
    return OK;
}

/* From the first brace to the end of the text. */
static Status read_braces(ArrayReader *r)
{
    Status st = OK;
    bool item_next = true; /* an item must or may come, not a separator */

    do {
        skip_spaces(r);
        if (r->p == r->end)
            TRY(malformed(r, "Unexpected end of input."));
        char c = *r->p;
        if (c == '{') {
            if (!item_next)
                TRY(malformed(r, "Unexpected \"{\" character."));
            TRY(open_brace(r));
        } else if (c == '}') {
            if (item_next && (r->counts[r->depth - 1] > 0 || r->depth > 1))
                TRY(malformed(r, "Unexpected \"}\" character."));
            TRY(close_brace(r));
            item_next = false;
        } else if (c == ',' && !item_next) {
            item_next = true;
            r->p++;
        } else if (!item_next) {
            TRY(malformed(r, "Unexpected array element."));
        } else {
            TRY(read_element(r));
            item_next = false;
        }
    } while (r->depth > 0);
    skip_spaces(r);
    if (r->p != r->end)
        TRY(malformed(r, "Junk after closing right brace."));
done:
    return st;
}

static bool read_bound(ArrayReader *r, int32_t *out)
{
    bool negative = r->p < r->end && *r->p == '-';
    int64_t value = 0;

    if (r->p < r->end && (*r->p == '-' || *r->p == '+'))
        r->p++;
    const char *start = r->p;
    for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++)
        value = MIN(value * 10 + (*r->p - '0'), INT32_MAX);
    *out = (int32_t)(negative ? -value : value);
    return r->p > start;
}

/* [l:u][u]= before the braces. */
static Status read_dimensions(ArrayReader *r, ArrayShape *out)
{
    Status st = OK;

    for (skip_spaces(r); r->p < r->end && *r->p == '['; skip_spaces(r)) {
        int32_t first;
        if (out->dimensions == ARRAY_DIMENSIONS_MAX)
            FAIL(r->ctx, E_PROGRAM_LIMIT_EXCEEDED,
                 "number of array dimensions (%d) exceeds the maximum allowed (%d)",
                 out->dimensions + 1, ARRAY_DIMENSIONS_MAX);
        r->p++;
        int32_t upper = 0;
        int32_t lower = 1;
        if (!read_bound(r, &first))
            TRY(malformed(r, "\"[\" must introduce explicitly-specified array dimensions."));
        upper = first;
        if (r->p < r->end && *r->p == ':') {
            r->p++;
            lower = first;
            if (!read_bound(r, &upper))
                TRY(malformed(r, "Missing array dimension value."));
        }
        if (r->p == r->end || *r->p++ != ']')
            TRY(malformed(r, "Missing \"]\" after array dimensions."));
        if (upper < lower)
            FAIL(r->ctx, E_ARRAY_SUBSCRIPT, "upper bound cannot be less than lower bound");
        out->lower[out->dimensions] = lower;
        out->lengths[out->dimensions++] = (int32_t)MIN((int64_t)upper - lower + 1, INT32_MAX);
    }
    if (out->dimensions) {
        if (r->p == r->end || *r->p != '=')
            TRY(malformed(r, "Missing \"=\" after array dimensions."));
        r->p++;
        skip_spaces(r);
    }
    if (r->p == r->end || *r->p != '{')
        TRY(malformed(r, out->dimensions ? "Array contents must start with \"{\"."
                                         : "Array value must start with \"{\" or dimension "
                                           "information."));
done:
    return st;
}

static Status vector_type_input(Ctx *ctx, Scope *scope, SqlType type, Str text,
                                const TypeIoContext *io, Datum *out);

Status array_input(Ctx *ctx, Scope *scope, SqlType type, Str text, const TypeIoContext *io,
                   Datum *out)
{
    Status st = OK;
    ArrayReader r = {.ctx = ctx, .scope = scope, .text = text, .p = text.ptr, .io = io};
    ArrayShape given = {0};
    ArrayShape shape = {0};

    if (type.oid == OID_INT2VECTOR || type.oid == OID_OIDVECTOR)
        return vector_type_input(ctx, scope, type, text, io, out);
    r.end = text.ptr + text.len;
    r.element = (SqlType){type_info(type.oid)->element, type.typmod};
    memset(r.lengths, -1, sizeof r.lengths);
    TRY(read_dimensions(&r, &given));
    TRY(read_braces(&r));
    shape.dimensions = r.elements.count ? r.leaf_depth : 0;
    for (int i = 0; i < shape.dimensions; i++) {
        shape.lengths[i] = r.lengths[i];
        shape.lower[i] = given.dimensions ? given.lower[i] : 1;
    }
    if (given.dimensions && (given.dimensions != shape.dimensions ||
                             memcmp(given.lengths, shape.lengths, sizeof shape.lengths) != 0))
        TRY(malformed(&r, "Specified array dimensions do not match array contents."));
    SqlType element = array_element_type(type);
    /* A numeric(p,s) was read as a scaled integer. */
    for (uint32_t i = 0; i < r.elements.count; i++)
        io_unscale_numeric(&r.elements.data[i]);
    TRY(array_make(ctx, scope, element, &shape, r.elements.data, &out->string));
done:
    return st;
}

static bool needs_quotes(Str text)
{
    if (text.len == 0 || str_equal_nocase(text, STR("null")))
        return true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '"' || c == '\\' || c == '{' || c == '}' || c == ',' || is_space(c))
            return true;
    }
    return false;
}

static void append_quoted(StrBuf *out, Str text)
{
    if (!needs_quotes(text)) {
        strbuf_append_str(out, text);
        return;
    }
    strbuf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            strbuf_append_char(out, '\\');
        strbuf_append_char(out, text.ptr[i]);
    }
    strbuf_append_char(out, '"');
}

static void append_element(StrBuf *out, const Datum *element, SqlType type, const TypeIoContext *io)
{
    StrBuf text;

    if (element->is_null) {
        strbuf_append_c(out, "NULL");
        return;
    }
    strbuf_init(&text);
    Datum typed = *element;
    typed.type = type;
    type_output_datum(&text, &typed, io);
    append_quoted(out, text.len ? strbuf_str(&text) : STR(""));
    strbuf_free(&text);
}

static void append_dimensions(StrBuf *out, const ArrayView *view)
{
    bool needed = false;

    for (int i = 0; i < view->dimensions; i++)
        needed |= view->lower[i] != 1;
    if (!needed)
        return;
    for (int i = 0; i < view->dimensions; i++)
        strbuf_printf(out, "[%d:%d]", view->lower[i], view->lower[i] + view->lengths[i] - 1);
    strbuf_append_char(out, '=');
}

void array_output(StrBuf *out, SqlType type, const Vector *v, uint32_t row, const TypeIoContext *io)
{
    ArrayView view;
    SqlType element = array_element_type(type);

    array_view(strview_str(&vector_at(v, StrView, row)), &view);
    if (type.oid == OID_INT2VECTOR || type.oid == OID_OIDVECTOR) {
        for (uint32_t i = 0; i < view.count; i++) {
            Datum datum = array_get(&view, i);
            if (i > 0)
                strbuf_append_char(out, ' ');
            type_output_datum(out, &datum, io);
        }
        return;
    }
    if (view.count == 0) {
        strbuf_append_c(out, "{}");
        return;
    }
    /* An anyarray shows its own elements. */
    if (type_info(type.oid)->element != view.element.oid)
        element = view.element;
    append_dimensions(out, &view);
    for (uint32_t i = 0; i < view.count; i++) {
        /* Braces open and close where the inner dimensions start and end. */
        uint32_t block = 1;
        int braces = 0;
        for (int d = view.dimensions - 1; d >= 0; d--) {
            block *= (uint32_t)view.lengths[d];
            braces += i % block == 0;
        }
        if (i > 0 && braces == 0)
            strbuf_append_char(out, ',');
        if (i > 0 && braces > 0) {
            for (int b = 0; b < braces; b++)
                strbuf_append_char(out, '}');
            strbuf_append_char(out, ',');
        }
        for (int b = 0; b < braces; b++)
            strbuf_append_char(out, '{');
        Datum datum = array_get(&view, i);
        append_element(out, &datum, element, io);
    }
    for (int d = 0; d < view.dimensions; d++)
        strbuf_append_char(out, '}');
}

/* "1 2 3": numbers and blanks. */
static Status vector_type_input(Ctx *ctx, Scope *scope, SqlType type, Str text,
                                const TypeIoContext *io, Datum *out)
{
    Status st = OK;
    SqlType element = array_element_type(type);
    ARRAY(Datum) elements = {0};
    const char *p = text.ptr;
    const char *end = p + text.len;

    for (;;) {
        Datum datum;
        while (p < end && is_space(*p))
            p++;
        if (p == end)
            break;
        const char *start = p;
        while (p < end && !is_space(*p))
            p++;
        TRY(type_input(ctx, scope, element, str_make(start, (size_t)(p - start)), io, &datum));
        array_push(scope, &elements, datum);
    }
    ArrayShape shape = {.dimensions = 1, .lengths = {(int32_t)elements.count}, .lower = {0}};
    if (elements.count == 0)
        shape.dimensions = 0;
    TRY(array_make(ctx, scope, element, &shape, elements.data, &out->string));
done:
    return st;
}

/* --- binary --- */

/* Bytes that are being taken from the front. */
static Status take(Ctx *ctx, Str *bytes, size_t count, Str *out)
{
    if (bytes->len < count)
        return error_raise(ctx, E_PROTOCOL_VIOLATION, "insufficient data left in message");
    *out = str_make(bytes->ptr, count);
    *bytes = str_make(bytes->ptr + count, bytes->len - count);
    return OK;
}

static Status take_int32(Ctx *ctx, Str *bytes, int32_t *out)
{
    Str word = {0};
    Status st = take(ctx, bytes, 4, &word);

    if (st == OK)
        *out = (int32_t)io_get_be(word.ptr, 4);
    return st;
}

static Status receive_shape(Ctx *ctx, Str *bytes, SqlType element, ArrayShape *out, uint32_t *count)
{
    Status st = OK;
    int32_t flags, oid;
    uint64_t total = 1;

    TRY(take_int32(ctx, bytes, &out->dimensions));
    if (out->dimensions < 0)
        FAIL(ctx, E_INVALID_BINARY, "invalid number of dimensions: %d", out->dimensions);
    if (out->dimensions > ARRAY_DIMENSIONS_MAX)
        FAIL(ctx, E_PROGRAM_LIMIT_EXCEEDED,
             "number of array dimensions (%d) exceeds the maximum allowed (%d)", out->dimensions,
             ARRAY_DIMENSIONS_MAX);
    TRY(take_int32(ctx, bytes, &flags));
    if (flags != 0 && flags != 1)
        FAIL(ctx, E_INVALID_BINARY, "invalid array flags");
    TRY(take_int32(ctx, bytes, &oid));
    if ((Oid)oid != element.oid)
        FAIL(ctx, E_DATATYPE_MISMATCH,
             "binary data has array element type %u (%s) instead of expected %u (%s)", (Oid)oid,
             type_info((Oid)oid) ? type_info((Oid)oid)->sql_name : "???", element.oid,
             type_info(element.oid)->sql_name);
    for (int i = 0; i < out->dimensions; i++) {
        TRY(take_int32(ctx, bytes, &out->lengths[i]));
        TRY(take_int32(ctx, bytes, &out->lower[i]));
        if (out->lengths[i] < 0 || total * (uint64_t)out->lengths[i] > ARRAY_ELEMENTS_MAX)
            FAIL(ctx, E_PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (%d)",
                 ARRAY_ELEMENTS_MAX);
        total *= (uint64_t)out->lengths[i];
    }
    if (total == 0)
        out->dimensions = 0;
    /* Each element has a length word: a huge count with few bytes is a lie. */
    if (out->dimensions && total > bytes->len / 4)
        FAIL(ctx, E_PROTOCOL_VIOLATION, "insufficient data left in message");
    *count = out->dimensions ? (uint32_t)total : 0;
done:
    return st;
}

Status array_receive(Ctx *ctx, Scope *scope, SqlType type, Str bytes, const TypeIoContext *io,
                     Datum *out)
{
    Status st = OK;
    SqlType element = array_element_type(type);
    SqlType wanted = {element.oid, type.typmod};
    ArrayShape shape = {0};
    uint32_t count = 0;

    TRY(receive_shape(ctx, &bytes, element, &shape, &count));
    Datum *elements = scope_new_array(scope, Datum, count);
    for (uint32_t i = 0; i < count; i++) {
        int32_t length;
        Str value;
        TRY(take_int32(ctx, &bytes, &length));
        if (length == -1) {
            elements[i] = datum_null(element);
            continue;
        }
        if (length < 0)
            FAIL(ctx, E_INVALID_BINARY, "insufficient data left in message");
        TRY(take(ctx, &bytes, (size_t)length, &value));
        TRY(type_receive(ctx, scope, wanted, value, io, &elements[i]));
        io_unscale_numeric(&elements[i]);
    }
    TRY(io_want_bytes(ctx, bytes, 0));
    TRY(array_make(ctx, scope, element, &shape, elements, &out->string));
done:
    return st;
}

void array_send(StrBuf *out, SqlType type, const Vector *v, uint32_t row, const TypeIoContext *io)
{
    ArrayView view;

    array_view(strview_str(&vector_at(v, StrView, row)), &view);
    /* After a binary cast (varchar[] to text[]) the declared element is what the client expects. */
    view.element = array_element_type(type);
    view.element.typmod = -1;
    io_put_be(out, (uint64_t)view.dimensions, 4);
    io_put_be(out, view.validity != NULL, 4);
    io_put_be(out, view.element.oid, 4);
    for (int i = 0; i < view.dimensions; i++) {
        io_put_be(out, (uint64_t)view.lengths[i], 4);
        io_put_be(out, (uint64_t)view.lower[i], 4);
    }
    for (uint32_t i = 0; i < view.count; i++) {
        Datum datum = array_get(&view, i);
        if (datum.is_null) {
            io_put_be(out, (uint32_t)-1, 4);
            continue;
        }
        size_t length_at = out->len;
        io_put_be(out, 0, 4);
        Vector one = {.type = datum.type,
                      .phys = (uint8_t)type_phys(datum.type),
                      .form = VECTOR_CONST,
                      .values = datum.bytes};
        type_send(out, datum.type, &one, 0, io);
        uint32_t length = (uint32_t)(out->len - length_at - 4);
        for (int b = 0; b < 4; b++)
            out->ptr[length_at + (size_t)b] = (char)(length >> (24 - 8 * b));
    }
}

const TypeIo *io_array_find(Oid oid)
{
    static const TypeIo array_io = {array_input, array_output, array_receive, array_send};
    const TypeInfo *info = type_info(oid);

    return info && info->element && info->category == 'A' ? &array_io : NULL;
}
