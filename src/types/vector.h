// SPDX-License-Identifier: Apache-2.0
//
// Vectors and batches: the unit of execution, in Arrow's layout (validity bitmap with 1 = valid,
// contiguous little-endian values; booleans are bytes). A vector is flat, constant (one value for
// all rows) or a dictionary (indexes into a flat vector: what a filter leaves). Vectors are cheap
// descriptors: their buffers belong to the batch's scope, to a pinned storage view, or to whoever
// the producer says, and live until the producer's next batch; a pipeline breaker copies.
// A NULL row's value bytes are initialised but meaningless. One thread at a time.
#ifndef DBASPOT_TYPES_VECTOR_H
#define DBASPOT_TYPES_VECTOR_H

#include "base/scope.h"
#include "types/type.h"
#include "types/value.h"

#define BATCH_ROWS_MAX 2048

typedef enum VectorForm { VECTOR_FLAT, VECTOR_CONST, VECTOR_DICT } VectorForm;

typedef struct Vector {
    SqlType type;
    uint8_t phys; /* PhysType, = type_phys(type) */
    uint8_t form; /* VectorForm */
    /* FLAT: one bit a row; CONST: bit 0; DICT: of the base, by index. NULL = no NULLs. */
    uint64_t *validity;
    /* FLAT: values by row; CONST: one value; DICT: the base's values. */
    void *values;
    /* DICT: row -> index into values and validity. */
    const uint32_t *indexes;
} Vector;

typedef struct Batch {
    uint32_t rows_count;
    uint32_t columns_count;
    Vector *columns;
} Batch;

static inline bool bitmap_get(const uint64_t *bits, uint32_t at)
{
    return (bits[at >> 6] >> (at & 63)) & 1;
}

static inline void bitmap_set(uint64_t *bits, uint32_t at)
{
    bits[at >> 6] |= 1ULL << (at & 63);
}

static inline void bitmap_clear(uint64_t *bits, uint32_t at)
{
    bits[at >> 6] &= ~(1ULL << (at & 63));
}

static inline size_t bitmap_words(uint32_t rows)
{
    return (rows + 63) / 64;
}

/* Where row `row` lies in values and validity. */
static inline uint32_t vector_index(const Vector *v, uint32_t row)
{
    return v->form == VECTOR_FLAT ? row : v->form == VECTOR_CONST ? 0 : v->indexes[row];
}

static inline bool vector_is_null(const Vector *v, uint32_t row)
{
    return v->validity && !bitmap_get(v->validity, vector_index(v, row));
}

/* The value of type T at `row`; NULL rows give meaningless bytes. */
#define vector_at(v, T, row) (((const T *)(v)->values)[vector_index((v), (row))])

/* The values array of a flat vector, to be written. */
#define vector_flat(v, T) ((T *)(v)->values)

/* A flat vector with room for `rows` values, no NULLs yet (validity NULL). */
void vector_init_flat(Vector *out, Scope *scope, SqlType type, uint32_t rows);
/* Gives a flat vector a validity bitmap of all-valid bits if it has none; returns it. */
uint64_t *vector_make_validity(Vector *v, Scope *scope, uint32_t rows);
/* A constant; `value` is copied (string bytes are not), NULL = SQL NULL. */
void vector_init_const(Vector *out, Scope *scope, SqlType type, const void *value);
/* `out` shows rows indexes[0..] of `v`: shares buffers; dictionaries over dictionaries are
   composed. */
void vector_slice(Vector *out, Scope *scope, const Vector *v, const uint32_t *indexes,
                  uint32_t rows);
/* A flat copy of rows [0, rows), strings' bytes copied too if `deep`. */
Status vector_copy_flat(Ctx *ctx, Scope *scope, const Vector *v, uint32_t rows, bool deep,
                        Vector *out);
/* Slices every column; `out->columns` is allocated in `scope`. */
void batch_slice(Batch *out, Scope *scope, const Batch *batch, const uint32_t *indexes,
                 uint32_t rows);
/* Rows [first, first + rows) of a batch, sharing buffers. */
void batch_range(Batch *out, Scope *scope, const Batch *batch, uint32_t first, uint32_t rows);

#endif
