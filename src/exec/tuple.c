// SPDX-License-Identifier: Apache-2.0
//
// Columns into tuples, out of them, and against them: one loop a width of value. Chunks grow from a
// few tuples to 256 KiB, so that a small query pays little. See tuple.h.
#include "exec/tuple.h"

#include "types/compare.h"

#define CHUNK_BYTES_MAX (256u << 10)
#define HEAP_BYTES      (64u << 10)

typedef struct Bytes16 {
    uint64_t words[2];
} Bytes16;
typedef struct Bytes32 {
    uint64_t words[4];
} Bytes32;

// --- layout and memory --------------------------------------------------------------------------

void tuple_layout_init(TupleLayout *out, Scope *scope, const SqlType *types, uint32_t fields_count,
                       uint32_t header_bytes, uint32_t extra_bytes)
{
    uint32_t at = header_bytes;

    *out = (TupleLayout){.fields_count = fields_count, .nulls_at = header_bytes};
    out->fields = scope_new_array(scope, TupleField, fields_count + 1);
    out->nulls_bytes = (fields_count + 7) / 8;
    at += out->nulls_bytes;
    for (uint32_t i = 0; i < fields_count; i++) {
        TupleField *field = &out->fields[i];
        field->type = types[i];
        field->phys = (uint8_t)type_phys(types[i]);
        field->null_at = out->nulls_at + i / 8;
        field->null_bit = i % 8;
        uint32_t bytes = phys_size[field->phys];
        at = (uint32_t)align_up(at, MIN(bytes, 16));
        field->offset = at;
        at += bytes;
    }
    out->extra_at = (uint32_t)align_up(at, 16);
    out->tuple_bytes =
        extra_bytes ? out->extra_at + (uint32_t)align_up(extra_bytes, 16) : out->extra_at;
    out->tuple_bytes = MAX(out->tuple_bytes, 16);
}

void tuple_buffer_init(TupleBuffer *buffer, Scope *scope, const TupleLayout *layout)
{
    *buffer = (TupleBuffer){.scope = scope, .layout = layout};
}

Status tuple_buffer_add_chunk(Ctx *ctx, TupleBuffer *buffer)
{
    Status st = OK;
    uint32_t width = buffer->layout->tuple_bytes;
    uint32_t most = MAX(CHUNK_BYTES_MAX / width, 16);
    TupleChunk *chunk = scope_new(buffer->scope, TupleChunk);
    void *memory;

    chunk->capacity = buffer->last ? MIN(buffer->last->capacity * 4, most) : 16;
    TRY(scope_alloc_data(ctx, buffer->scope, (size_t)chunk->capacity * width, &memory));
    chunk->tuples = memory;
    buffer->bytes += (size_t)chunk->capacity * width;
    if (buffer->last)
        buffer->last->next = chunk;
    else
        buffer->first = chunk;
    buffer->last = chunk;
done:
    return st;
}

Status tuple_buffer_heap(Ctx *ctx, TupleBuffer *buffer, size_t bytes, char **out)
{
    Status st = OK;
    void *memory;

    if (bytes > buffer->heap_left) {
        size_t piece = bytes > HEAP_BYTES / 4 ? bytes : buffer->count > 64 ? HEAP_BYTES : 1024;
        piece = MAX(piece, bytes);
        TRY(scope_alloc_data(ctx, buffer->scope, piece, &memory));
        buffer->bytes += piece;
        if (piece == bytes) {
            *out = memory;
            goto done;
        }
        buffer->heap = memory;
        buffer->heap_left = piece;
    }
    *out = buffer->heap;
    buffer->heap += bytes;
    buffer->heap_left -= bytes;
done:
    return st;
}

// --- columns in ---------------------------------------------------------------------------------

#define SCATTER(T)                                                                              \
    do {                                                                                        \
        const T *values = v->values;                                                            \
        if (v->form == VECTOR_FLAT) {                                                           \
            for (uint32_t i = 0; i < count; i++)                                                \
                memcpy(tuples[rows[i]] + offset, &values[rows[i]], sizeof(T));                  \
        } else {                                                                                \
            for (uint32_t i = 0; i < count; i++)                                                \
                memcpy(tuples[rows[i]] + offset, &values[vector_index(v, rows[i])], sizeof(T)); \
        }                                                                                       \
    } while (0)

static Status scatter_strings(Ctx *ctx, TupleBuffer *buffer, uint32_t offset, const TupleRows *rows)
{
    Status st = OK;
    char *to;

    for (uint32_t i = 0; i < rows->count; i++) {
        StrView *view = (StrView *)(rows->tuples[rows->rows[i]] + offset);
        if (view->len <= STRVIEW_INLINE_MAX)
            continue;
        TRY(tuple_buffer_heap(ctx, buffer, view->len, &to));
        memcpy(to, view->ptr, view->len);
        view->ptr = to;
    }
done:
    return st;
}

static void scatter_nulls(const TupleField *field, const Vector *v, const TupleRows *rows)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        if (!vector_is_null(v, rows->rows[i]))
            continue;
        Tuple tuple = rows->tuples[rows->rows[i]];
        tuple[field->null_at] |= (uint8_t)(1u << field->null_bit);
        memset(tuple + field->offset, 0, phys_size[field->phys]);
    }
}

Status tuple_scatter(Ctx *ctx, TupleBuffer *buffer, uint32_t at, const Vector *v,
                     const TupleRows *to)
{
    Tuple *tuples = to->tuples;
    const uint32_t *rows = to->rows;
    uint32_t count = to->count;
    const TupleField *field = &buffer->layout->fields[at];
    uint32_t offset = field->offset;

    ASSERT(v->phys == field->phys);
    switch (phys_size[field->phys]) {
    case 1: SCATTER(uint8_t); break;
    case 2: SCATTER(uint16_t); break;
    case 4: SCATTER(uint32_t); break;
    case 8: SCATTER(uint64_t); break;
    case 16: SCATTER(Bytes16); break;
    default: SCATTER(Bytes32); break;
    }
    if (v->validity)
        scatter_nulls(field, v, to);
    return field->phys == PHYS_STRING ? scatter_strings(ctx, buffer, offset, to) : OK;
}

Status tuple_buffer_append(Ctx *ctx, TupleBuffer *buffer, const Batch *batch, const TupleRows *rows)
{
    Status st = OK;

    for (uint32_t i = 0; i < rows->count; i++)
        TRY(tuple_buffer_take(ctx, buffer, &rows->tuples[rows->rows[i]]));
    for (uint32_t i = 0; i < buffer->layout->fields_count; i++)
        TRY(tuple_scatter(ctx, buffer, i, &batch->columns[i], rows));
done:
    return st;
}

Status tuple_buffer_copy(Ctx *ctx, TupleBuffer *buffer, Tuple tuple, Tuple *out)
{
    Status st = OK;
    const TupleLayout *layout = buffer->layout;
    uint32_t row = 0;
    TupleRows rows = {.tuples = out, .rows = &row, .count = 1};

    TRY(tuple_buffer_take(ctx, buffer, out));
    memcpy(*out, tuple, layout->tuple_bytes);
    for (uint32_t i = 0; i < layout->fields_count; i++) {
        const TupleField *field = &layout->fields[i];
        if (field->phys == PHYS_STRING && !tuple_field_is_null(field, tuple))
            TRY(scatter_strings(ctx, buffer, field->offset, &rows));
    }
done:
    return st;
}

// --- columns out --------------------------------------------------------------------------------

VectorBuffer *vector_buffers_new(Scope *scope, uint32_t count)
{
    VectorBuffer *buffers = scope_new_array(scope, VectorBuffer, count + 1);

    for (uint32_t i = 0; i < count; i++)
        buffers[i].scope = scope;
    return buffers;
}

void vector_buffer_flat(VectorBuffer *buffer, SqlType type, uint32_t rows, Vector *out)
{
    PhysType phys = type_phys(type);

    if (UNLIKELY(rows > buffer->capacity)) {
        uint32_t capacity = rows <= 16 ? 16 : rows <= 256 ? 256 : MAX(rows, BATCH_ROWS_MAX);
        buffer->values = scope_alloc(buffer->scope, (size_t)phys_size[phys] * capacity);
        buffer->validity = NULL;
        buffer->capacity = capacity;
    }
    *out = (Vector){
        .type = type, .phys = (uint8_t)phys, .form = VECTOR_FLAT, .values = buffer->values};
}

uint64_t *vector_buffer_validity(VectorBuffer *buffer, uint32_t rows, Vector *out)
{
    if (buffer->validity == NULL)
        buffer->validity =
            scope_alloc(buffer->scope, bitmap_words(buffer->capacity) * sizeof(uint64_t));
    memset(buffer->validity, 0xff, bitmap_words(rows) * sizeof(uint64_t));
    out->validity = buffer->validity;
    return buffer->validity;
}

#define GATHER(T)                                                 \
    do {                                                          \
        T *to = out->values;                                      \
        for (uint32_t i = 0; i < count; i++)                      \
            memcpy(&to[i], tuples[i] + field->offset, sizeof(T)); \
    } while (0)

/* Tuples that are NULL are read as this. */
static void gather_some(const TupleField *field, Tuple const *tuples, uint32_t count, Vector *out)
{
    uint32_t width = phys_size[field->phys];
    uint8_t *to = out->values;

    for (uint32_t i = 0; i < count; i++, to += width) {
        if (tuples[i])
            memcpy(to, tuples[i] + field->offset, width);
        else
            memset(to, 0, width);
    }
}

static void gather_all(const TupleField *field, Tuple const *tuples, uint32_t count, Vector *out)
{
    switch (phys_size[field->phys]) {
    case 1: GATHER(uint8_t); break;
    case 2: GATHER(uint16_t); break;
    case 4: GATHER(uint32_t); break;
    case 8: GATHER(uint64_t); break;
    case 16: GATHER(Bytes16); break;
    default: GATHER(Bytes32); break;
    }
}

void tuple_gather(const TupleLayout *layout, uint32_t at, Tuple const *tuples, uint32_t count,
                  VectorBuffer *buffer, Vector *out)
{
    const TupleField *field = &layout->fields[at];
    bool missing = false;
    uint8_t nulls = 0;

    vector_buffer_flat(buffer, field->type, count, out);
    for (uint32_t i = 0; i < count; i++)
        missing |= tuples[i] == NULL;
    if (missing)
        gather_some(field, tuples, count, out);
    else
        gather_all(field, tuples, count, out);
    for (uint32_t i = 0; i < count && !missing; i++)
        nulls |= tuples[i][field->null_at];
    if (!missing && !(nulls >> field->null_bit & 1))
        return;
    uint64_t *validity = vector_buffer_validity(buffer, count, out);
    for (uint32_t i = 0; i < count; i++) {
        if (tuples[i] == NULL || tuple_field_is_null(field, tuples[i]))
            bitmap_clear(validity, i);
    }
}

// --- comparing ----------------------------------------------------------------------------------

#define EQUAL_PLAIN(a, b)  (*(a) == *(b))
#define EQUAL_FLOAT(a, b)  (*(a) == *(b) || (*(a) != *(a) && *(b) != *(b)))
#define EQUAL_16(a, b)     ((a)->words[0] == (b)->words[0] && (a)->words[1] == (b)->words[1])
#define EQUAL_STRING(a, b) strview_equal((a), (b))

#define MATCH(T, EQUAL)                                                          \
    do {                                                                         \
        const T *values = v->values;                                             \
        for (uint32_t i = 0; i < count; i++) {                                   \
            uint32_t row = rows[i], index = vector_index(v, row);                \
            const uint8_t *tuple = match->tuples[row];                           \
            bool left = v->validity && !bitmap_get(v->validity, index);          \
            bool right = tuple_field_is_null(field, tuple);                      \
            const T *stored = (const T *)(tuple + field->offset);                \
            bool equal = (left || right) ? (left && right && match->nulls_equal) \
                                         : EQUAL(&values[index], stored);        \
            rows[kept] = row;                                                    \
            match->rejected[match->rejected_count] = row;                        \
            kept += equal;                                                       \
            match->rejected_count += !equal;                                     \
        }                                                                        \
    } while (0)

/* Types whose equal values may differ in bytes, and numerics of different scales. */
static uint32_t match_general(TupleMatch *match, const TupleField *field, uint32_t *rows,
                              uint32_t count)
{
    Vector stored = {.type = field->type, .phys = field->phys, .form = VECTOR_CONST};
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows[i];
        uint8_t *tuple = match->tuples[row];
        bool left = vector_is_null(match->v, row), right = tuple_field_is_null(field, tuple);
        bool equal = left & right & match->nulls_equal;
        stored.values = tuple + field->offset;
        if (!left && !right)
            equal = vector_equal(match->v, row, &stored, 0);
        if (equal)
            rows[kept++] = row;
        else
            match->rejected[match->rejected_count++] = row;
    }
    return kept;
}

uint32_t tuple_match(TupleMatch *match, uint32_t *rows, uint32_t count)
{
    const TupleField *field = &match->layout->fields[match->field];
    const Vector *v = match->v;
    uint32_t kept = 0;

    if (field->type.oid == OID_NUMERIC && v->type.typmod != field->type.typmod)
        return match_general(match, field, rows, count);
    switch (field->phys) {
    case PHYS_BOOL: MATCH(uint8_t, EQUAL_PLAIN); break;
    case PHYS_INT16: MATCH(int16_t, EQUAL_PLAIN); break;
    case PHYS_INT32: MATCH(int32_t, EQUAL_PLAIN); break;
    case PHYS_INT64: MATCH(int64_t, EQUAL_PLAIN); break;
    case PHYS_FLOAT32: MATCH(float, EQUAL_FLOAT); break;
    case PHYS_FLOAT64: MATCH(double, EQUAL_FLOAT); break;
    case PHYS_INT128:
    case PHYS_UUID: MATCH(Bytes16, EQUAL_16); break;
    case PHYS_STRING: MATCH(StrView, EQUAL_STRING); break;
    default: return match_general(match, field, rows, count);
    }
    return kept;
}
