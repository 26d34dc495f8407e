// SPDX-License-Identifier: Apache-2.0
//
// Aggregates that keep every value: string_agg and array_agg. Rows come in the order that the call
// asked for. Buffers double in the aggregate's memory. See agg.h.
#include "func/agg_values.h"

/* --- string_agg --- */

/* The text so far, each value led by its delimiter; the first one's is cut off at the end. */
typedef struct TextState {
    char *bytes;
    size_t count;
    size_t cap;
    size_t first_delimiter;
    bool any;
} TextState;

AGG_BYTES(string_agg, TextState)

static Status append(AggCall *call, TextState *s, Str text)
{
    Status st = OK;

    if (text.len > s->cap - s->count) {
        size_t cap = MAX(align_up(s->count + text.len, 16), s->cap * 2);
        void *bytes;
        if (s->count + text.len > (size_t)0x3fffffff)
            FAIL(call->ctx, E_PROGRAM_LIMIT_EXCEEDED, "string buffer exceeds maximum length");
        TRY(scope_alloc_data(call->ctx, call->scope, cap, &bytes));
        if (s->count)
            memcpy(bytes, s->bytes, s->count);
        s->bytes = bytes;
        s->cap = cap;
    }
    if (text.len)
        memcpy(s->bytes + s->count, text.ptr, text.len);
    s->count += text.len;
done:
    return st;
}

static Status add_text(AggCall *call, TextState *s, const Vector *const *in, uint32_t row)
{
    Status st = OK;
    Str delimiter = {0};

    if (vector_is_null(in[0], row))
        goto done;
    if (!vector_is_null(in[1], row))
        delimiter = strview_str(&vector_at(in[1], StrView, row));
    if (!s->any)
        s->first_delimiter = delimiter.len;
    s->any = true;
    TRY(append(call, s, delimiter));
    TRY(append(call, s, strview_str(&vector_at(in[0], StrView, row))));
done:
    return st;
}

Status agg_string_agg_update(AggCall *call, const Vector *const *in, uint32_t rows,
                             void *const *states)
{
    Status st = OK;

    for (uint32_t i = 0; i < rows; i++)
        TRY(add_text(call, states[i], in, i));
done:
    return st;
}

Status agg_string_agg_update_one(AggCall *call, const Vector *const *in, uint32_t rows, void *state)
{
    Status st = OK;

    for (uint32_t i = 0; i < rows; i++)
        TRY(add_text(call, state, in, i));
done:
    return st;
}

Status agg_string_agg_combine(AggCall *call, void *into, const void *from)
{
    TextState *s = into;
    const TextState *f = from;

    if (!f->any)
        return OK;
    if (!s->any)
        s->first_delimiter = f->first_delimiter;
    s->any = true;
    return append(call, s, (Str){f->bytes, f->count});
}

AGG_FINISH(string_agg, TextState, !s->any,
           vector_flat(out, StrView)[i] = strview_make(s->count > s->first_delimiter
                                                           ? s->bytes + s->first_delimiter
                                                           : "",
                                                       s->count - s->first_delimiter))

/* --- array_agg --- */

Status agg_values_push(AggCall *call, AggValues *s, Datum element)
{
    Status st = OK;
    void *bytes;

    if (s->count == s->cap) {
        uint32_t cap = MAX(8, s->cap * 2);
        if (s->count >= ARRAY_ELEMENTS_MAX)
            FAIL(call->ctx, E_PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (%d)",
                 ARRAY_ELEMENTS_MAX);
        TRY(scope_alloc_data(call->ctx, call->scope, cap * sizeof(Datum), &bytes));
        if (s->count)
            memcpy(bytes, s->elements, s->count * sizeof(Datum));
        s->elements = bytes;
        s->cap = cap;
    }
    if (!element.is_null && type_phys(element.type) == PHYS_STRING &&
        element.string.len > STRVIEW_INLINE_MAX) {
        TRY(scope_alloc_data(call->ctx, call->scope, element.string.len, &bytes));
        memcpy(bytes, strview_bytes(&element.string), element.string.len);
        element.string = strview_make(bytes, element.string.len);
    }
    s->elements[s->count++] = element;
done:
    return st;
}

typedef struct ArrayState {
    AggValues values;
    /* Of the arrays that array_agg(anyarray) stacks. */
    ArrayShape shape;
    uint32_t arrays;
    bool any;
} ArrayState;

AGG_BYTES(array_agg, ArrayState)
AGG_BYTES(array_agg_arrays, ArrayState)

static Status add_element(AggCall *call, ArrayState *s, const Vector *const *in, uint32_t row)
{
    s->any = true;
    return agg_values_push(call, &s->values, element_from_vector(in[0], row));
}

static bool same_shape(const ArrayState *s, const ArrayView *view)
{
    if (s->shape.dimensions != view->dimensions)
        return false;
    for (int i = 0; i < view->dimensions; i++) {
        if (s->shape.lengths[i] != view->lengths[i] || s->shape.lower[i] != view->lower[i])
            return false;
    }
    return true;
}

static Status add_array(AggCall *call, ArrayState *s, const Vector *const *in, uint32_t row)
{
    Status st = OK;
    ArrayView view;

    if (vector_is_null(in[0], row))
        FAIL(call->ctx, E_NULL_VALUE_NOT_ALLOWED, "cannot accumulate null arrays");
    array_view(strview_str(&vector_at(in[0], StrView, row)), &view);
    if (view.dimensions == 0)
        FAIL(call->ctx, E_ARRAY_SUBSCRIPT, "cannot accumulate empty arrays");
    if (view.dimensions == ARRAY_DIMENSIONS_MAX)
        FAIL(call->ctx, E_PROGRAM_LIMIT_EXCEEDED,
             "number of array dimensions (%d) exceeds the maximum allowed (%d)",
             view.dimensions + 1, ARRAY_DIMENSIONS_MAX);
    if (!s->any) {
        s->shape.dimensions = view.dimensions;
        memcpy(s->shape.lengths, view.lengths, sizeof view.lengths);
        memcpy(s->shape.lower, view.lower, sizeof view.lower);
    }
    if (!same_shape(s, &view))
        FAIL(call->ctx, E_ARRAY_SUBSCRIPT, "cannot accumulate arrays of different dimensionality");
    s->any = true;
    s->arrays++;
    for (uint32_t i = 0; i < view.count; i++)
        TRY(agg_values_push(call, &s->values, array_get(&view, i)));
done:
    return st;
}

static Status combine(AggCall *call, void *into, const void *from)
{
    Status st = OK;
    ArrayState *s = into;
    const ArrayState *f = from;

    if (!f->any)
        goto done;
    if (!s->any)
        s->shape = f->shape;
    else if (memcmp(&s->shape, &f->shape, sizeof s->shape) != 0)
        FAIL(call->ctx, E_ARRAY_SUBSCRIPT, "cannot accumulate arrays of different dimensionality");
    s->any = true;
    s->arrays += f->arrays;
    for (uint32_t i = 0; i < f->values.count; i++)
        TRY(agg_values_push(call, &s->values, f->values.elements[i]));
done:
    return st;
}

static Status finish_one(AggCall *call, const ArrayState *s, StrView *out)
{
    SqlType element = array_element_type(call->result_type);
    ArrayShape shape = {.dimensions = s->shape.dimensions + 1};

    if (s->shape.dimensions == 0)
        return array_make_1d(call->ctx, call->scope, element, s->values.elements, s->values.count,
                             out);
    shape.lengths[0] = (int32_t)s->arrays;
    shape.lower[0] = 1;
    memcpy(shape.lengths + 1, s->shape.lengths, (size_t)s->shape.dimensions * sizeof(int32_t));
    memcpy(shape.lower + 1, s->shape.lower, (size_t)s->shape.dimensions * sizeof(int32_t));
    return array_make(call->ctx, call->scope, element, &shape, s->values.elements, out);
}

#define ARRAY_AGG(prefix, add)                                                                    \
    Status agg_##prefix##_update(AggCall *call, const Vector *const *in, uint32_t rows,           \
                                 void *const *states)                                             \
    {                                                                                             \
        Status st = OK;                                                                           \
        for (uint32_t i = 0; i < rows; i++)                                                       \
            TRY(add(call, states[i], in, i));                                                     \
done:                                                                                             \
        return st;                                                                                \
    }                                                                                             \
    Status agg_##prefix##_update_one(AggCall *call, const Vector *const *in, uint32_t rows,       \
                                     void *state)                                                 \
    {                                                                                             \
        Status st = OK;                                                                           \
        for (uint32_t i = 0; i < rows; i++)                                                       \
            TRY(add(call, state, in, i));                                                         \
done:                                                                                             \
        return st;                                                                                \
    }                                                                                             \
    Status agg_##prefix##_combine(AggCall *call, void *into, const void *from)                    \
    {                                                                                             \
        return combine(call, into, from);                                                         \
    }                                                                                             \
    Status agg_##prefix##_finish(AggCall *call, void *const *states, uint32_t count, Vector *out) \
    {                                                                                             \
        Status st = OK;                                                                           \
        for (uint32_t i = 0; i < count; i++) {                                                    \
            const ArrayState *s = states[i];                                                      \
            if (!s->any)                                                                          \
                bitmap_clear(vector_make_validity(out, call->scope, count), i);                   \
            else                                                                                  \
                TRY(finish_one(call, s, &vector_flat(out, StrView)[i]));                          \
        }                                                                                         \
done:                                                                                             \
        return st;                                                                                \
    }

ARRAY_AGG(array_agg, add_element)
ARRAY_AGG(array_agg_arrays, add_array)
