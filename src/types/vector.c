// SPDX-License-Identifier: Apache-2.0
//
// Making, slicing and flattening vectors: see vector.h. Copies go by the value's size, not by its
// type, so one loop a size serves them all.
#include "types/vector.h"

void vector_init_flat(Vector *out, Scope *scope, SqlType type, uint32_t rows)
{
    PhysType phys = type_phys(type);

    *out = (Vector){.type = type, .phys = (uint8_t)phys, .form = VECTOR_FLAT};
    out->values = scope_alloc(scope, (size_t)phys_size[phys] * rows);
}

uint64_t *vector_make_validity(Vector *v, Scope *scope, uint32_t rows)
{
    ASSERT(v->form == VECTOR_FLAT);
    if (v->validity == NULL) {
        size_t bytes = bitmap_words(rows) * sizeof(uint64_t);
        v->validity = scope_alloc(scope, bytes);
        memset(v->validity, 0xff, bytes);
    }
    return v->validity;
}

void vector_init_const(Vector *out, Scope *scope, SqlType type, const void *value)
{
    PhysType phys = type_phys(type);

    *out = (Vector){.type = type, .phys = (uint8_t)phys, .form = VECTOR_CONST};
    out->values = scope_alloc(scope, phys_size[phys]);
    if (value)
        memcpy(out->values, value, phys_size[phys]);
    else
        out->validity = scope_alloc(scope, sizeof(uint64_t));
}

static uint32_t *compose(Scope *scope, const uint32_t *outer, const uint32_t *inner, uint32_t rows)
{
    uint32_t *composed = scope_new_array(scope, uint32_t, rows);

    for (uint32_t row = 0; row < rows; row++)
        composed[row] = inner[outer[row]];
    return composed;
}

void vector_slice(Vector *out, Scope *scope, const Vector *v, const uint32_t *indexes,
                  uint32_t rows)
{
    *out = *v;
    if (v->form == VECTOR_CONST)
        return;
    out->form = VECTOR_DICT;
    out->indexes = v->form == VECTOR_FLAT ? indexes : compose(scope, indexes, v->indexes, rows);
}

void batch_slice(Batch *out, Scope *scope, const Batch *batch, const uint32_t *indexes,
                 uint32_t rows)
{
    Vector *columns = scope_new_array(scope, Vector, batch->columns_count);
    const uint32_t *inner = NULL;
    const uint32_t *composed = NULL;

    for (uint32_t i = 0; i < batch->columns_count; i++) {
        const Vector *v = &batch->columns[i];
        /* Columns of one filter share their indexes: compose them once. */
        if (v->form == VECTOR_DICT && v->indexes == inner) {
            columns[i] = *v;
            columns[i].indexes = composed;
            continue;
        }
        vector_slice(&columns[i], scope, v, indexes, rows);
        if (v->form == VECTOR_DICT) {
            inner = v->indexes;
            composed = columns[i].indexes;
        }
    }
    *out = (Batch){rows, batch->columns_count, columns};
}

static uint64_t *bitmap_range(Scope *scope, const uint64_t *bits, uint32_t first, uint32_t rows)
{
    size_t words = bitmap_words(rows);
    const uint64_t *from = bits + (first >> 6);
    uint32_t shift = first & 63;

    uint64_t *out = scope_new_array(scope, uint64_t, words);
    for (size_t i = 0; i < words; i++) {
        out[i] = from[i] >> shift;
        /* The next word is read only if rows of this range lie in it. */
        if (shift && i * 64 + (64 - shift) < rows)
            out[i] |= from[i + 1] << (64 - shift);
    }
    return out;
}

void batch_range(Batch *out, Scope *scope, const Batch *batch, uint32_t first, uint32_t rows)
{
    Vector *columns = scope_new_array(scope, Vector, batch->columns_count);

    ASSERT(first + rows <= batch->rows_count);
    for (uint32_t i = 0; i < batch->columns_count; i++) {
        Vector *v = &columns[i];
        *v = batch->columns[i];
        if (v->form == VECTOR_DICT)
            v->indexes += first;
        if (v->form != VECTOR_FLAT)
            continue;
        v->values = (char *)v->values + (size_t)first * phys_size[v->phys];
        if (v->validity && (first & 63))
            v->validity = bitmap_range(scope, v->validity, first, rows);
        else if (v->validity)
            v->validity += first >> 6;
    }
    *out = (Batch){rows, batch->columns_count, columns};
}

typedef struct Bytes16 {
    uint64_t words[2];
} Bytes16;
typedef struct Bytes32 {
    uint64_t words[4];
} Bytes32;

#define GATHER(T)                                     \
    do {                                              \
        T *to = out;                                  \
        const T *from = v->values;                    \
        if (v->form == VECTOR_CONST) {                \
            for (uint32_t row = 0; row < rows; row++) \
                to[row] = from[0];                    \
        } else {                                      \
            for (uint32_t row = 0; row < rows; row++) \
                to[row] = from[v->indexes[row]];      \
        }                                             \
    } while (0)

static void gather(const Vector *v, uint32_t rows, void *out)
{
    if (v->form == VECTOR_FLAT) {
        memcpy(out, v->values, (size_t)rows * phys_size[v->phys]);
        return;
    }
    switch (phys_size[v->phys]) {
    case 1: GATHER(uint8_t); break;
    case 2: GATHER(uint16_t); break;
    case 4: GATHER(uint32_t); break;
    case 8: GATHER(uint64_t); break;
    case 16: GATHER(Bytes16); break;
    case 32: GATHER(Bytes32); break;
    default: ASSERT(!"a physical form has one of six sizes");
    }
}

static void gather_validity(const Vector *v, uint32_t rows, uint64_t *out)
{
    if (v->form == VECTOR_FLAT) {
        memcpy(out, v->validity, bitmap_words(rows) * sizeof(uint64_t));
        return;
    }
    memset(out, 0, bitmap_words(rows) * sizeof(uint64_t));
    for (uint32_t row = 0; row < rows; row++)
        out[row >> 6] |= (uint64_t)bitmap_get(v->validity, vector_index(v, row)) << (row & 63);
}

/* Moves the strings' bytes into `scope`; views of NULL rows become empty. */
static Status deepen(Ctx *ctx, Scope *scope, Vector *v, uint32_t rows)
{
    Status st = OK;
    StrView *views = v->values;
    size_t bytes = 0;
    void *at;

    for (uint32_t row = 0; row < rows; row++) {
        if (views[row].len <= STRVIEW_INLINE_MAX)
            continue;
        if (v->validity && !bitmap_get(v->validity, row))
            views[row] = (StrView){0};
        else
            bytes += views[row].len;
    }
    if (bytes == 0)
        goto done;
    TRY(scope_alloc_data(ctx, scope, bytes, &at));
    for (uint32_t row = 0; row < rows; row++) {
        if (views[row].len <= STRVIEW_INLINE_MAX)
            continue;
        memcpy(at, views[row].ptr, views[row].len);
        views[row].ptr = at;
        at = (char *)at + views[row].len;
    }
done:
    return st;
}

Status vector_copy_flat(Ctx *ctx, Scope *scope, const Vector *v, uint32_t rows, bool deep,
                        Vector *out)
{
    Status st = OK;
    void *validity;

    *out = (Vector){.type = v->type, .phys = v->phys, .form = VECTOR_FLAT};
    TRY(scope_alloc_data(ctx, scope, (size_t)rows * phys_size[v->phys], &out->values));
    gather(v, rows, out->values);
    if (v->validity) {
        TRY(scope_alloc_data(ctx, scope, bitmap_words(rows) * sizeof(uint64_t), &validity));
        out->validity = validity;
        gather_validity(v, rows, out->validity);
    }
    if (deep && v->phys == PHYS_STRING)
        TRY(deepen(ctx, scope, out, rows));
done:
    return st;
}
