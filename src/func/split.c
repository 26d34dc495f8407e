// SPDX-License-Identifier: Apache-2.0
//
// Strings and lists: string_to_array, string_to_table, array_to_string. One cutter serves both
// directions of splitting: at a delimiter, or into characters when it is NULL; an empty delimiter
// cuts nothing. See kernel.h.
#include "base/array.h"
#include "func/elements.h"
#include "func/rows.h"

/* A string being cut: at `delimiter`, or (has_delimiter false) into characters. */
typedef struct Cut {
    Str rest;
    Str delimiter;
    bool has_delimiter;
    bool ended;
} Cut;

static size_t char_bytes(Str text)
{
    size_t n = 1;

    while (n < text.len && ((unsigned char)text.ptr[n] & 0xC0) == 0x80)
        n++;
    return n;
}

static void cut_start(Cut *cut, Str text, const Str *delimiter)
{
    *cut = (Cut){.rest = text, .has_delimiter = delimiter != NULL, .ended = text.len == 0};
    if (delimiter)
        cut->delimiter = *delimiter;
}

/* The next field; false at the end. */
static bool cut_next(Cut *cut, Str *out)
{
    if (cut->ended)
        return false;
    Str text = cut->rest;
    size_t length = text.len;
    size_t skip = 0;
    if (!cut->has_delimiter) {
        length = char_bytes(text);
    } else if (cut->delimiter.len && text.len) {
        const char *at = memmem(text.ptr, text.len, cut->delimiter.ptr, cut->delimiter.len);
        if (at) {
            length = (size_t)(at - text.ptr);
            skip = cut->delimiter.len;
        }
    }
    *out = (Str){text.ptr, length};
    cut->rest = (Str){text.ptr + length + skip, text.len - length - skip};
    cut->ended = cut->has_delimiter ? skip == 0 : cut->rest.len == 0;
    return true;
}

static Datum field_datum(Str field, const Str *null_text)
{
    Datum datum = {.type = sql_type(OID_TEXT)};

    datum.is_null = null_text && str_equal(field, *null_text);
    if (!datum.is_null)
        datum.string = strview_make(field.ptr, field.len);
    return datum;
}

/* Argument `at` if it was given and is not NULL. */
static const Str *optional_text(const FuncCall *call, const Vector *const *args, uint32_t at,
                                uint32_t i, Str *room)
{
    if (at >= call->args_count || vector_is_null(args[at], i))
        return NULL;
    *room = KERNEL_STR(at);
    return room;
}

KERNEL_TRY_ROWS(func_string_to_array, {
    ARRAY(Datum) elements = {0};
    Str delimiter, null_text, field;
    Cut cut;
    if (vector_is_null(args[0], i)) {
        KERNEL_NULL(i);
        continue;
    }
    const Str *null_shown = optional_text(call, args, 2, i, &null_text);
    cut_start(&cut, KERNEL_STR(0), optional_text(call, args, 1, i, &delimiter));
    while (cut_next(&cut, &field))
        array_push(call->scope, &elements, field_datum(field, null_shown));
    TRY(array_make_1d(call->ctx, call->scope, sql_type(OID_TEXT), elements.data, elements.count,
                      &KERNEL_RESULT(StrView)));
})

Status set_string_to_table(FuncCall *call, const Datum *args, uint32_t args_count, Batch *out,
                           bool *done)
{
    Cut *cut = call->state;
    Str null_text, field;
    const Str *null_shown = NULL;

    if (args_count > 2 && !args[2].is_null) {
        null_text = strview_str(&args[2].string);
        null_shown = &null_text;
    }
    if (cut == NULL) {
        call->state = cut = scope_new(call->state_scope, Cut);
        Str delimiter = args[1].is_null ? (Str){0} : strview_str(&args[1].string);
        Str text = args[0].is_null ? (Str){0} : strview_str(&args[0].string);
        cut_start(cut, str_copy(call->state_scope, text), args[1].is_null ? NULL : &delimiter);
        cut->delimiter = str_copy(call->state_scope, delimiter);
    }
    while (out->rows_count < BATCH_ROWS_MAX && cut_next(cut, &field)) {
        Datum datum = field_datum(field, null_shown);
        vector_put_datum(&out->columns[0], call->scope, out->rows_count++, BATCH_ROWS_MAX, &datum);
    }
    *done = cut->ended;
    return OK;
}

KERNEL_TEXT_ROWS(func_array_to_string, {
    ArrayView view;
    Str null_text;
    bool any = false;
    if (vector_is_null(args[0], i) || vector_is_null(args[1], i)) {
        KERNEL_NULL(i);
        continue;
    }
    const Str *null_shown = optional_text(call, args, 2, i, &null_text);
    array_view(KERNEL_STR(0), &view);
    for (uint32_t k = 0; k < view.count; k++) {
        Datum element = array_get(&view, k);
        if (element.is_null && null_shown == NULL)
            continue;
        if (any)
            strbuf_append_str(&buf, KERNEL_STR(1));
        any = true;
        if (element.is_null)
            strbuf_append_str(&buf, *null_shown);
        else
            type_output_datum(&buf, &element, kernel_io(call));
    }
})
