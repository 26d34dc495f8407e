// SPDX-License-Identifier: Apache-2.0
//
// Functions and operators on arrays. Element equality is IS NOT DISTINCT FROM where PostgreSQL
// searches, = where it tests containment. See types/array.h.
#include "base/array.h"
#include "func/elements.h"
#include "func/rows.h"
#include "types/compare.h"

SqlType func_derive_second(const SqlType *args, uint32_t args_count)
{
    return args_count > 1 ? args[1] : sql_type(OID_ANYARRAY);
}

/* --- shape --- */

static void view_argument(const Vector *const *args, uint32_t at, uint32_t i, ArrayView *out)
{
    array_view(KERNEL_STR(at), out);
}

#define DIMENSION_KERNEL(name, expr)                       \
    KERNEL_ROWS(name, {                                    \
        ArrayView view;                                    \
        int32_t dimension = KERNEL_ARG(int32_t, 1) - 1;    \
        view_argument(args, 0, i, &view);                  \
        if (dimension < 0 || dimension >= view.dimensions) \
            KERNEL_NULL(i);                                \
        else                                               \
            KERNEL_RESULT(int32_t) = (expr);               \
    })

DIMENSION_KERNEL(func_array_length, view.lengths[dimension])
DIMENSION_KERNEL(func_array_lower, view.lower[dimension])
DIMENSION_KERNEL(func_array_upper, view.lower[dimension] + view.lengths[dimension] - 1)

KERNEL_ROWS(func_array_ndims, {
    ArrayView view;
    view_argument(args, 0, i, &view);
    if (view.dimensions == 0)
        KERNEL_NULL(i);
    else
        KERNEL_RESULT(int32_t) = view.dimensions;
})

KERNEL_ROWS(func_cardinality, {
    ArrayView view;
    view_argument(args, 0, i, &view);
    KERNEL_RESULT(int32_t) = (int32_t)view.count;
})

KERNEL_TEXT_ROWS(func_array_dims, {
    ArrayView view;
    view_argument(args, 0, i, &view);
    if (view.dimensions == 0) {
        KERNEL_NULL(i);
        continue;
    }
    for (int k = 0; k < view.dimensions; k++)
        strbuf_printf(&buf, "[%d:%d]", view.lower[k], view.lower[k] + view.lengths[k] - 1);
})

/* --- growing --- */

/* Elements being put together for a result. */
typedef struct Builder {
    Scope *scope;
    ARRAY(Datum) elements;
    ArrayShape shape;
} Builder;

static void add_all(Builder *builder, const ArrayView *view)
{
    for (uint32_t k = 0; k < view->count; k++)
        array_push(builder->scope, &builder->elements, array_get(view, k));
}

static Status finish(FuncCall *call, const Builder *builder, StrView *out)
{
    return array_make(call->ctx, call->scope, array_element_type(call->result_type),
                      &builder->shape, builder->elements.data, out);
}

/* One element put before or behind a one-dimensional array (NULL: an empty one). */
static Status add_element(FuncCall *call, const Vector *array, const Vector *element, uint32_t row,
                          bool before, StrView *out)
{
    Status st = OK;
    ArrayView view = {0};
    Builder builder = {.scope = call->scope};

    if (!vector_is_null(array, row))
        array_view(strview_str(&vector_at(array, StrView, row)), &view);
    if (view.dimensions > 1)
        FAIL(call->ctx, E_DATA_EXCEPTION, "argument must be empty or one-dimensional array");
    if (before)
        array_push(call->scope, &builder.elements, element_from_vector(element, row));
    add_all(&builder, &view);
    if (!before)
        array_push(call->scope, &builder.elements, element_from_vector(element, row));
    builder.shape.dimensions = 1;
    builder.shape.lengths[0] = (int32_t)view.count + 1;
    builder.shape.lower[0] = view.dimensions ? view.lower[0] : 1;
    TRY(finish(call, &builder, out));
done:
    return st;
}

KERNEL_TRY_ROWS(func_array_append,
                TRY(add_element(call, args[0], args[1], i, false, &KERNEL_RESULT(StrView)));)
KERNEL_TRY_ROWS(func_array_prepend,
                TRY(add_element(call, args[1], args[0], i, true, &KERNEL_RESULT(StrView)));)

static Status incompatible(Ctx *ctx, const char *detail)
{
    Status st = error_raise(ctx, E_ARRAY_SUBSCRIPT, "cannot concatenate incompatible arrays");
    error_detail(ctx, "%s", detail);
    return st;
}

static void copy_shape(ArrayShape *shape, const ArrayView *view)
{
    shape->dimensions = view->dimensions;
    memcpy(shape->lengths, view->lengths, sizeof shape->lengths);
    memcpy(shape->lower, view->lower, sizeof shape->lower);
}

/* The shape of a || b: as many dimensions each, or one is an element of the other. */
static Status joined_shape(Ctx *ctx, const ArrayView *a, const ArrayView *b, ArrayShape *out)
{
    const ArrayView *outer = a->dimensions >= b->dimensions ? a : b;
    const ArrayView *inner = outer == a ? b : a;
    int skip = outer->dimensions - inner->dimensions;

    copy_shape(out, outer);
    if (skip > 1)
        return incompatible(ctx, "Arrays of different dimensions are not compatible for "
                                 "concatenation.");
    for (int k = 1; k < outer->dimensions; k++) {
        if (outer->lengths[k] != inner->lengths[k - skip] ||
            outer->lower[k] != inner->lower[k - skip])
            return incompatible(ctx, skip ? "Arrays with differing dimensions are not compatible "
                                            "for concatenation."
                                          : "Arrays with differing element dimensions are not "
                                            "compatible for concatenation.");
    }
    out->lengths[0] += skip ? 1 : inner->lengths[0];
    return OK;
}

KERNEL_TRY_ROWS(func_array_cat, {
    ArrayView a, b;
    Builder builder = {.scope = call->scope};
    bool no_a = vector_is_null(args[0], i);
    bool no_b = vector_is_null(args[1], i);
    if (no_a && no_b) {
        KERNEL_NULL(i);
        continue;
    }
    if (!no_a)
        view_argument(args, 0, i, &a);
    if (!no_b)
        view_argument(args, 1, i, &b);
    if (no_b || (!no_a && b.dimensions == 0)) {
        KERNEL_RESULT(StrView) = KERNEL_ARG(StrView, 0);
        continue;
    }
    if (no_a || a.dimensions == 0) {
        KERNEL_RESULT(StrView) = KERNEL_ARG(StrView, 1);
        continue;
    }
    TRY(joined_shape(call->ctx, &a, &b, &builder.shape));
    add_all(&builder, &a);
    add_all(&builder, &b);
    TRY(finish(call, &builder, &KERNEL_RESULT(StrView)));
})

/* --- searching --- */

/* Subscripts of the elements not distinct from the value, from subscript `from` on. */
static Status search(FuncCall *call, const Vector *const *args, uint32_t i, int32_t from,
                     Builder *found, bool only_first)
{
    Status st = OK;
    ArrayView view;

    view_argument(args, 0, i, &view);
    if (view.dimensions > 1)
        FAIL(call->ctx, E_FEATURE_NOT_SUPPORTED,
             "searching for elements in multidimensional arrays is not supported");
    Datum wanted = element_from_vector(args[1], i);
    for (uint32_t k = 0; k < view.count; k++) {
        Datum element = array_get(&view, k);
        int32_t subscript = view.lower[0] + (int32_t)k;
        if (subscript < from || !datum_equal(&element, &wanted))
            continue;
        Datum position = {.type = sql_type(OID_INT4), .int32 = subscript};
        array_push(found->scope, &found->elements, position);
        if (only_first)
            break;
    }
done:
    return st;
}

KERNEL_TRY_ROWS(func_array_position, {
    Builder found = {.scope = call->scope};
    int32_t from = INT32_MIN;
    if (vector_is_null(args[0], i)) {
        KERNEL_NULL(i);
        continue;
    }
    if (call->args_count > 2) {
        if (vector_is_null(args[2], i))
            FAIL(call->ctx, E_NULL_VALUE_NOT_ALLOWED, "initial position must not be null");
        from = KERNEL_ARG(int32_t, 2);
    }
    TRY(search(call, args, i, from, &found, true));
    if (found.elements.count == 0)
        KERNEL_NULL(i);
    else
        KERNEL_RESULT(int32_t) = found.elements.data[0].int32;
})

KERNEL_TRY_ROWS(func_array_positions, {
    Builder found = {.scope = call->scope};
    if (vector_is_null(args[0], i)) {
        KERNEL_NULL(i);
        continue;
    }
    TRY(search(call, args, i, INT32_MIN, &found, false));
    TRY(array_make_1d(call->ctx, call->scope, sql_type(OID_INT4), found.elements.data,
                      found.elements.count, &KERNEL_RESULT(StrView)));
})

KERNEL_TRY_ROWS(func_array_remove, {
    ArrayView view;
    Builder kept = {.scope = call->scope};
    if (vector_is_null(args[0], i)) {
        KERNEL_NULL(i);
        continue;
    }
    view_argument(args, 0, i, &view);
    if (view.dimensions > 1)
        FAIL(call->ctx, E_FEATURE_NOT_SUPPORTED,
             "removing elements from multidimensional arrays is not supported");
    Datum unwanted = element_from_vector(args[1], i);
    for (uint32_t k = 0; k < view.count; k++) {
        Datum element = array_get(&view, k);
        if (!datum_equal(&element, &unwanted))
            array_push(call->scope, &kept.elements, element);
    }
    copy_shape(&kept.shape, &view);
    kept.shape.lengths[0] = (int32_t)kept.elements.count;
    if (kept.elements.count == 0)
        kept.shape = (ArrayShape){0};
    TRY(finish(call, &kept, &KERNEL_RESULT(StrView)));
})

KERNEL_TRY_ROWS(func_array_replace, {
    ArrayView view;
    Builder builder = {.scope = call->scope};
    if (vector_is_null(args[0], i)) {
        KERNEL_NULL(i);
        continue;
    }
    view_argument(args, 0, i, &view);
    Datum from = element_from_vector(args[1], i);
    Datum to = element_from_vector(args[2], i);
    for (uint32_t k = 0; k < view.count; k++) {
        Datum element = array_get(&view, k);
        array_push(call->scope, &builder.elements, datum_equal(&element, &from) ? to : element);
    }
    copy_shape(&builder.shape, &view);
    TRY(finish(call, &builder, &KERNEL_RESULT(StrView)));
})

/* --- array_fill, trim_array --- */

/* Reads lengths or lower bounds from an int4[] argument. */
static Status read_dimensions(FuncCall *call, const Vector *v, uint32_t row, int32_t *out,
                              int32_t *count)
{
    Status st = OK;
    ArrayView view;

    if (vector_is_null(v, row))
        FAIL(call->ctx, E_NULL_VALUE_NOT_ALLOWED,
             "dimension array or low bound array cannot be null");
    array_view(strview_str(&vector_at(v, StrView, row)), &view);
    if (view.dimensions > 1)
        FAIL(call->ctx, E_ARRAY_SUBSCRIPT, "wrong number of array subscripts");
    if (view.count > ARRAY_DIMENSIONS_MAX)
        FAIL(call->ctx, E_PROGRAM_LIMIT_EXCEEDED,
             "number of array dimensions (%u) exceeds the maximum allowed (%d)", view.count,
             ARRAY_DIMENSIONS_MAX);
    *count = (int32_t)view.count;
    for (uint32_t k = 0; k < view.count; k++) {
        Datum element = array_get(&view, k);
        if (element.is_null)
            FAIL(call->ctx, E_NULL_VALUE_NOT_ALLOWED, "dimension values cannot be null");
        out[k] = element.int32;
    }
done:
    return st;
}

static Status fill_shape(FuncCall *call, const Vector *const *args, uint32_t row, ArrayShape *shape,
                         int64_t *elements)
{
    Status st = OK;
    int32_t bounds = 0;

    TRY(read_dimensions(call, args[1], row, shape->lengths, &shape->dimensions));
    for (int k = 0; k < ARRAY_DIMENSIONS_MAX; k++)
        shape->lower[k] = 1;
    if (call->args_count > 2) {
        TRY(read_dimensions(call, args[2], row, shape->lower, &bounds));
        if (bounds != shape->dimensions)
            FAIL(call->ctx, E_ARRAY_SUBSCRIPT, "wrong number of array subscripts");
    }
    *elements = shape->dimensions ? 1 : 0;
    for (int k = 0; k < shape->dimensions; k++) {
        if (shape->lengths[k] < 0 || shape->lengths[k] > ARRAY_ELEMENTS_MAX ||
            *elements * shape->lengths[k] > ARRAY_ELEMENTS_MAX)
            FAIL(call->ctx, E_PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (%d)",
                 ARRAY_ELEMENTS_MAX);
        *elements *= shape->lengths[k];
    }
    if (*elements == 0)
        *shape = (ArrayShape){0};
done:
    return st;
}

KERNEL_TRY_ROWS(func_array_fill, {
    Builder builder = {.scope = call->scope};
    int64_t count = 0;
    void *elements = NULL;
    TRY(fill_shape(call, args, i, &builder.shape, &count));
    TRY(scope_alloc_data(call->ctx, call->scope, (size_t)MAX(count, 1) * sizeof(Datum), &elements));
    builder.elements.data = elements;
    Datum value = element_from_vector(args[0], i);
    for (int64_t k = 0; k < count; k++)
        builder.elements.data[k] = value;
    TRY(finish(call, &builder, &KERNEL_RESULT(StrView)));
})

KERNEL_TRY_ROWS(func_trim_array, {
    ArrayView view;
    Builder builder = {.scope = call->scope};
    int32_t fewer = KERNEL_ARG(int32_t, 1);
    view_argument(args, 0, i, &view);
    int32_t length = view.dimensions ? view.lengths[0] : 0;
    if (fewer < 0 || fewer > length)
        FAIL(call->ctx, E_ARRAY_SUBSCRIPT, "number of elements to trim must be between 0 and %d",
             length);
    copy_shape(&builder.shape, &view);
    uint32_t kept = length ? view.count / (uint32_t)length * (uint32_t)(length - fewer) : 0;
    for (uint32_t k = 0; k < kept; k++)
        array_push(call->scope, &builder.elements, array_get(&view, k));
    builder.shape.lengths[0] = length - fewer;
    if (kept == 0)
        builder.shape = (ArrayShape){0};
    TRY(finish(call, &builder, &KERNEL_RESULT(StrView)));
})

/* --- containment --- */

static bool has_element(const ArrayView *view, const Datum *wanted)
{
    for (uint32_t k = 0; k < view->count; k++) {
        Datum element = array_get(view, k);
        if (!element.is_null && datum_equal(&element, wanted))
            return true;
    }
    return false;
}

/* All (or any) of `part`'s elements are in `whole`; a NULL is in nothing. */
static bool covers(const ArrayView *whole, const ArrayView *part, bool all)
{
    for (uint32_t k = 0; k < part->count; k++) {
        Datum element = array_get(part, k);
        bool found = !element.is_null && has_element(whole, &element);
        if (found != all)
            return found;
    }
    return all;
}

#define CONTAINMENT(name, whole, part, all)                                \
    KERNEL_ROWS(name, {                                                    \
        ArrayView views[2];                                                \
        view_argument(args, 0, i, &views[0]);                              \
        view_argument(args, 1, i, &views[1]);                              \
        KERNEL_RESULT(uint8_t) = covers(&views[whole], &views[part], all); \
    })

CONTAINMENT(func_arraycontains, 0, 1, true)
CONTAINMENT(func_arraycontained, 1, 0, true)
CONTAINMENT(func_arrayoverlap, 0, 1, false)
