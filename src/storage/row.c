// SPDX-License-Identifier: Apache-2.0
//
// Encoding rows, a column at a time: first the lengths of all rows, then their fixed parts, then
// each variable column behind the one before it. Decoding is in row_decode.c. Any thread.
#include "storage/row_int.h"

void row_layout_init(RowLayout *out, const RowSchema *schema, RowSlot *slots)
{
    uint32_t at = ROW_VERSION_BYTES + (schema->columns_count + 7) / 8;

    *out = (RowLayout){.schema = schema, .slots = slots};
    for (uint32_t i = 0; i < schema->columns_count; i++) {
        PhysType phys = type_phys(schema->columns[i].type);
        slots[i] = (RowSlot){.phys = (uint8_t)phys, .at = at};
        slots[i].is_variable = phys == PHYS_STRING || phys == PHYS_NUMERIC;
        if (slots[i].is_variable)
            slots[i].at = out->variable_count++;
        else
            at += phys_size[phys];
    }
    out->ends_at = at;
    out->variable_at = at + 4 * out->variable_count;
}

/* Rows [first, first + count) of a batch, count <= BATCH_ROWS_MAX, on their way into `out`. */
typedef struct Encoding {
    const RowLayout *layout;
    uint32_t first;
    uint32_t count;
    char *base;                   /* where the first row goes */
    uint64_t at[BATCH_ROWS_MAX];  /* offset of each row from base */
    uint64_t end[BATCH_ROWS_MAX]; /* first its length, then where its variable part has got to */
} Encoding;

/* --- numerics ------------------------------------------------------------------------------- */

static uint32_t numeric_bytes(const Numeric *value)
{
    uint32_t bytes = 1;

    if (value->kind != NUMERIC_FINITE || value->coefficient == 0)
        return 1;
    for (;; bytes++) {
        int128_t signs = value->coefficient >> (8 * bytes - 1);
        if (signs == 0 || signs == -1)
            return 1 + bytes;
    }
}

static uint32_t put_numeric(char *out, const Numeric *value)
{
    uint32_t bytes = numeric_bytes(value);

    ASSERT(bytes <= ROW_NUMERIC_BYTES_MAX);
    out[0] = (char)((uint32_t)value->kind << 6 | (uint32_t)value->scale);
    memcpy(out + 1, &value->coefficient, bytes - 1);
    return bytes;
}

/* --- columns -------------------------------------------------------------------------------- */

static uint32_t variable_bytes(const Vector *v, uint32_t row)
{
    return v->phys == PHYS_STRING ? vector_at(v, StrView, row).len
                                  : numeric_bytes(&vector_at(v, Numeric, row));
}

static void add_lengths(Encoding *rows, const Vector *v)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        if (!vector_is_null(v, rows->first + i))
            rows->end[i] += variable_bytes(v, rows->first + i);
    }
}

static void put_null(const Encoding *rows, uint32_t i, uint32_t column)
{
    rows->base[rows->at[i] + ROW_VERSION_BYTES + column / 8] |= (char)(1 << column % 8);
}

static void put_variable(Encoding *rows, const Vector *v, uint32_t column)
{
    const RowLayout *layout = rows->layout;
    uint32_t end_at = layout->ends_at + 4 * layout->slots[column].at;

    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t row = rows->first + i;
        char *to = rows->base + rows->end[i];
        if (vector_is_null(v, row)) {
            put_null(rows, i, column);
        } else if (v->phys == PHYS_NUMERIC) {
            rows->end[i] += put_numeric(to, &vector_at(v, Numeric, row));
        } else {
            const StrView *view = &vector_at(v, StrView, row);
            memcpy(to, strview_bytes(view), view->len);
            rows->end[i] += view->len;
        }
        uint32_t end = (uint32_t)(rows->end[i] - rows->at[i] - layout->variable_at);
        memcpy(rows->base + rows->at[i] + end_at, &end, 4);
    }
}

#define DEFINE_PUT_FIXED(name, bytes)                                           \
    static void name(const Encoding *rows, const Vector *v, uint32_t column)    \
    {                                                                           \
        uint32_t at = rows->layout->slots[column].at;                           \
        const char *values = v->values;                                         \
                                                                                \
        for (uint32_t i = 0; i < rows->count; i++) {                            \
            uint32_t row = rows->first + i;                                     \
            if (vector_is_null(v, row))                                         \
                put_null(rows, i, column);                                      \
            else                                                                \
                memcpy(rows->base + rows->at[i] + at,                           \
                       values + (size_t)vector_index(v, row) * (bytes), bytes); \
        }                                                                       \
    }
DEFINE_PUT_FIXED(put_fixed_1, 1)
DEFINE_PUT_FIXED(put_fixed_2, 2)
DEFINE_PUT_FIXED(put_fixed_4, 4)
DEFINE_PUT_FIXED(put_fixed_8, 8)
DEFINE_PUT_FIXED(put_fixed_16, 16)

static void put_column(Encoding *rows, const Vector *v, uint32_t column)
{
    ASSERT(v->phys == rows->layout->slots[column].phys);
    if (rows->layout->slots[column].is_variable) {
        put_variable(rows, v, column);
        return;
    }
    switch (phys_size[v->phys]) {
    case 1: put_fixed_1(rows, v, column); break;
    case 2: put_fixed_2(rows, v, column); break;
    case 4: put_fixed_4(rows, v, column); break;
    case 8: put_fixed_8(rows, v, column); break;
    case 16: put_fixed_16(rows, v, column); break;
    default: ASSERT(false && "a width without a loop");
    }
}

/* --- rows ----------------------------------------------------------------------------------- */

static Status place_rows(Ctx *ctx, Encoding *rows, const Batch *batch, StrBuf *out, size_t *ends)
{
    const RowLayout *layout = rows->layout;
    uint64_t at = 0;

    for (uint32_t i = 0; i < rows->count; i++)
        rows->end[i] = layout->variable_at;
    for (uint32_t c = 0; c < batch->columns_count; c++) {
        if (layout->slots[c].is_variable)
            add_lengths(rows, &batch->columns[c]);
    }
    for (uint32_t i = 0; i < rows->count; i++) {
        if (rows->end[i] > UINT32_MAX)
            return error_raise(ctx, E_PROGRAM_LIMIT_EXCEEDED, "row is too big");
        rows->at[i] = at;
        at += rows->end[i];
        ends[i] = out->len + at;
        rows->end[i] = rows->at[i] + layout->variable_at;
    }
    rows->base = strbuf_reserve(out, at);
    out->len += at;
    for (uint32_t i = 0; i < rows->count; i++) {
        memset(rows->base + rows->at[i], 0, layout->variable_at);
        memcpy(rows->base + rows->at[i], &layout->schema->version, ROW_VERSION_BYTES);
    }
    return OK;
}

Status row_encode_batch(Ctx *ctx, const Relation *relation, const Batch *batch, uint32_t first,
                        uint32_t count, StrBuf *out, size_t *ends)
{
    Status st = OK;
    const RowSchema *schema = relation_schema(relation);
    RowSlot slots[schema->columns_count + 1];
    RowLayout layout;
    Encoding rows;

    ASSERT(batch->columns_count == schema->columns_count);
    row_layout_init(&layout, schema, slots);
    rows.layout = &layout;
    rows.base = NULL;
    for (uint32_t done = 0; done < count; done += rows.count) {
        rows.first = first + done;
        rows.count = MIN(count - done, (uint32_t)BATCH_ROWS_MAX);
        TRY(place_rows(ctx, &rows, batch, out, ends + done));
        for (uint32_t c = 0; c < batch->columns_count; c++)
            put_column(&rows, &batch->columns[c], c);
    }
done:
    return st;
}
