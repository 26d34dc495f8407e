// SPDX-License-Identifier: Apache-2.0
//
// Rows kept together: what hash tables, sorts and aggregation store. A tuple is a header of the
// owner's, a byte array of NULL bits (1 = NULL), the fields at fixed offsets, and room of the
// owner's at the end. Long strings lie in the buffer's heap. Columns go in and out in tight loops
// over tuple pointers. A buffer belongs to one thread while it is filled.
#ifndef DBASPOT_EXEC_TUPLE_H
#define DBASPOT_EXEC_TUPLE_H

#include "types/vector.h"

typedef uint8_t *Tuple;

typedef struct TupleField {
    SqlType type;
    uint8_t phys;
    uint8_t null_bit;
    uint32_t null_at;
    uint32_t offset;
} TupleField;

typedef struct TupleLayout {
    uint32_t fields_count;
    TupleField *fields;
    uint32_t nulls_at, nulls_bytes;
    uint32_t extra_at; /* 16-byte aligned */
    uint32_t tuple_bytes;
} TupleLayout;

void tuple_layout_init(TupleLayout *out, Scope *scope, const SqlType *types, uint32_t fields_count,
                       uint32_t header_bytes, uint32_t extra_bytes);

typedef struct TupleChunk {
    struct TupleChunk *next;
    uint32_t count, capacity;
    uint8_t *tuples;
} TupleChunk;

typedef struct TupleBuffer {
    const TupleLayout *layout;
    Scope *scope; /* memory is charged here */
    TupleChunk *first, *last;
    uint64_t count;
    uint64_t bytes; /* taken so far */
    char *heap;
    size_t heap_left;
} TupleBuffer;

void tuple_buffer_init(TupleBuffer *buffer, Scope *scope, const TupleLayout *layout);
Status tuple_buffer_add_chunk(Ctx *ctx, TupleBuffer *buffer);

/* One more tuple, 16-byte aligned; NULL bits cleared, nothing else set. */
static inline Status tuple_buffer_take(Ctx *ctx, TupleBuffer *buffer, Tuple *out)
{
    const TupleLayout *layout = buffer->layout;

    if (UNLIKELY(buffer->last == NULL || buffer->last->count == buffer->last->capacity)) {
        Status st = tuple_buffer_add_chunk(ctx, buffer);
        if (st != OK)
            return st;
    }
    *out = buffer->last->tuples + (size_t)buffer->last->count++ * layout->tuple_bytes;
    buffer->count++;
    memset(*out + layout->nulls_at, 0, layout->nulls_bytes);
    return OK;
}

/* Room for string bytes in the buffer's heap. */
Status tuple_buffer_heap(Ctx *ctx, TupleBuffer *buffer, size_t bytes, char **out);

/* A copy, its strings too. */
Status tuple_buffer_copy(Ctx *ctx, TupleBuffer *buffer, Tuple tuple, Tuple *out);

/* Rows of a batch, and the tuple of each: tuples[rows[i]], i < count. */
typedef struct TupleRows {
    Tuple *tuples;
    const uint32_t *rows;
    uint32_t count;
} TupleRows;

/* Writes field `field` of each row's tuple from the vector. */
Status tuple_scatter(Ctx *ctx, TupleBuffer *buffer, uint32_t field, const Vector *v,
                     const TupleRows *rows);
/* Takes a tuple for each row and fills its fields from the batch's columns. */
Status tuple_buffer_append(Ctx *ctx, TupleBuffer *buffer, const Batch *batch,
                           const TupleRows *rows);

/* Memory for a column that is made again for each batch; grows to what is needed. */
typedef struct VectorBuffer {
    Scope *scope; /* set by its owner */
    void *values;
    uint64_t *validity;
    uint32_t capacity;
} VectorBuffer;
VectorBuffer *vector_buffers_new(Scope *scope, uint32_t count);
void vector_buffer_flat(VectorBuffer *buffer, SqlType type, uint32_t rows, Vector *out);
uint64_t *vector_buffer_validity(VectorBuffer *buffer, uint32_t rows, Vector *out);

/* Field `field` of tuples[0..count) as a flat vector in the buffer's memory. A NULL tuple gives
   NULL. */
void tuple_gather(const TupleLayout *layout, uint32_t field, Tuple const *tuples, uint32_t count,
                  VectorBuffer *buffer, Vector *out);

/* Sorts rows[0..count) into those where tuples[row]'s field equals the vector at `row` (kept in
   place, their number returned) and the others (appended to rejected[*rejected_count]). */
typedef struct TupleMatch {
    const TupleLayout *layout;
    uint32_t field;
    const Vector *v;
    Tuple const *tuples;
    bool nulls_equal;
    uint32_t *rejected;
    uint32_t rejected_count;
} TupleMatch;
uint32_t tuple_match(TupleMatch *match, uint32_t *rows, uint32_t count);

static inline bool tuple_field_is_null(const TupleField *field, const uint8_t *tuple)
{
    return tuple[field->null_at] >> field->null_bit & 1;
}

#endif
