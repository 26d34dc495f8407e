// SPDX-License-Identifier: Apache-2.0
//
// Appending goes column by column: values are gathered behind those that are there, validity bits
// one by one, the bytes of long strings into one piece of memory a batch. The first batch is small,
// so that a store of one row costs little.
#include "exec/row_store.h"

void row_store_init(RowStore *store, Scope *scope, const SqlType *types, uint32_t columns_count)
{
    *store = (RowStore){.scope = scope, .types = types, .columns_count = columns_count};
}

void row_store_clear(RowStore *store)
{
    store->rows_count = 0;
    store->batches.count = 0;
    store->capacity = 0;
}

static Status add_batch(Ctx *ctx, RowStore *store, uint32_t rows)
{
    Status st = OK;
    uint32_t capacity = store->batches.count ? BATCH_ROWS_MAX : rows <= 16 ? 16 : rows;
    Batch batch = {.columns_count = store->columns_count};
    void *memory;

    if (store->batches.count == 0 && rows > 256)
        capacity = BATCH_ROWS_MAX;
    batch.columns = scope_new_array(store->scope, Vector, MAX(store->columns_count, 1));
    for (uint32_t i = 0; i < store->columns_count; i++) {
        Vector *v = &batch.columns[i];
        *v = (Vector){.type = store->types[i], .phys = (uint8_t)type_phys(store->types[i])};
        TRY(scope_alloc_data(ctx, store->scope, (size_t)phys_size[v->phys] * capacity, &memory));
        v->values = memory;
    }
    store->capacity = capacity;
    array_push(store->scope, &store->batches, batch);
done:
    return st;
}

typedef struct Bytes16 {
    uint64_t words[2];
} Bytes16;
typedef struct Bytes32 {
    uint64_t words[4];
} Bytes32;

/* Rows [first, first + rows) of `v`, going to rows from `at` of the last batch. */
typedef struct Span {
    const Vector *v;
    uint32_t first, rows, at;
} Span;

#define GATHER(T)                                                     \
    do {                                                              \
        T *to = (T *)out->values + span->at;                          \
        const T *from = span->v->values;                              \
        for (uint32_t row = 0; row < span->rows; row++)               \
            to[row] = from[vector_index(span->v, span->first + row)]; \
    } while (0)

static void append_values(Vector *out, const Span *span)
{
    size_t width = phys_size[out->phys];

    if (span->v->form == VECTOR_FLAT) {
        memcpy((char *)out->values + span->at * width,
               (const char *)span->v->values + span->first * width, span->rows * width);
        return;
    }
    switch (width) {
    case 1: GATHER(uint8_t); break;
    case 2: GATHER(uint16_t); break;
    case 4: GATHER(uint32_t); break;
    case 8: GATHER(uint64_t); break;
    case 16: GATHER(Bytes16); break;
    default: GATHER(Bytes32); break;
    }
}

static Status append_validity(Ctx *ctx, RowStore *store, Vector *out, const Span *span)
{
    Status st = OK;
    void *memory;

    if (span->v->validity == NULL && out->validity == NULL)
        goto done;
    if (out->validity == NULL) {
        size_t bytes = bitmap_words(store->capacity) * sizeof(uint64_t);
        TRY(scope_alloc_data(ctx, store->scope, bytes, &memory));
        out->validity = memory;
        memset(out->validity, 0xff, bytes);
    }
    for (uint32_t row = 0; row < span->rows; row++) {
        if (vector_is_null(span->v, span->first + row))
            bitmap_clear(out->validity, span->at + row);
        else
            bitmap_set(out->validity, span->at + row);
    }
done:
    return st;
}

/* The bytes of rows [at, at + rows) move into the store. */
static Status own_strings(Ctx *ctx, RowStore *store, Vector *out, uint32_t at, uint32_t rows)
{
    Status st = OK;
    StrView *views = (StrView *)out->values + at;
    size_t bytes = 0;
    void *memory;

    for (uint32_t row = 0; row < rows; row++) {
        if (out->validity && !bitmap_get(out->validity, at + row))
            views[row] = (StrView){0};
        else if (views[row].len > STRVIEW_INLINE_MAX)
            bytes += views[row].len;
    }
    if (bytes == 0)
        goto done;
    TRY(scope_alloc_data(ctx, store->scope, bytes, &memory));
    char *to = memory;
    for (uint32_t row = 0; row < rows; row++) {
        if (views[row].len <= STRVIEW_INLINE_MAX)
            continue;
        memcpy(to, views[row].ptr, views[row].len);
        views[row].ptr = to;
        to += views[row].len;
    }
done:
    return st;
}

static Status append_range(Ctx *ctx, RowStore *store, const Batch *in, uint32_t first,
                           uint32_t rows)
{
    Status st = OK;
    Batch *to = &array_last(&store->batches);
    uint32_t at = to->rows_count;

    for (uint32_t i = 0; i < store->columns_count; i++) {
        Span span = {.v = &in->columns[i], .first = first, .rows = rows, .at = at};
        Vector *out = &to->columns[i];
        ASSERT(span.v->phys == out->phys);
        append_values(out, &span);
        TRY(append_validity(ctx, store, out, &span));
        if (out->phys == PHYS_STRING)
            TRY(own_strings(ctx, store, out, at, rows));
    }
    to->rows_count += rows;
    store->rows_count += rows;
done:
    return st;
}

Status row_store_append(Ctx *ctx, RowStore *store, const Batch *batch)
{
    Status st = OK;
    uint32_t first = 0;

    ASSERT(batch->columns_count >= store->columns_count);
    while (first < batch->rows_count) {
        uint32_t left = batch->rows_count - first;
        if (store->batches.count == 0 || array_last(&store->batches).rows_count == store->capacity)
            TRY(add_batch(ctx, store, left));
        uint32_t rows = MIN(left, store->capacity - array_last(&store->batches).rows_count);
        TRY(append_range(ctx, store, batch, first, rows));
        first += rows;
    }
done:
    return st;
}

static const uint64_t no_row_valid = 0;

void row_store_row(const RowStore *store, uint64_t row, Batch *out)
{
    uint32_t at = 0;

    ASSERT(row < store->rows_count);
    while (row >= store->batches.data[at].rows_count)
        row -= store->batches.data[at++].rows_count;
    const Batch *batch = &store->batches.data[at];
    out->rows_count = 1;
    out->columns_count = store->columns_count;
    for (uint32_t i = 0; i < store->columns_count; i++) {
        Vector *v = &out->columns[i];
        bool is_null = vector_is_null(&batch->columns[i], (uint32_t)row);
        *v = batch->columns[i];
        v->form = VECTOR_CONST;
        v->validity = is_null ? (uint64_t *)&no_row_valid : NULL;
        v->values = (char *)v->values + row * phys_size[v->phys];
    }
}
