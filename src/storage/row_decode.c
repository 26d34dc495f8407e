// SPDX-License-Identifier: Apache-2.0
//
// Decoding rows: the hot loop of scans. Rows of one schema version that follow each other are a
// run; for a run, each wanted column is one tight loop over row pointers with offsets that are
// constants. A run is cut into pieces that stay in the nearest cache while its columns are read.
// Columns are matched between versions by id; one that a version lacks gets its `missing` value.
// What a row says of its own lengths is checked before it is believed. Any thread; a RowBuffer
// belongs to one.
#include "storage/row_int.h"

#define PIECE_ROWS     128
#define NOT_IN_VERSION UINT32_MAX

typedef struct Source {
    uint32_t column; /* position in the version's schema, NOT_IN_VERSION */
    RowSlot slot;
    const Datum *missing;
} Source;

/* How one schema version is read. */
typedef struct Plan {
    RowLayout layout;
    Source *sources; /* by output column */
} Plan;

struct RowCodec {
    Plan *plans; /* by schema, the current one last */
    uint32_t plans_count;
    uint32_t columns_count;
    SqlType *types;
};

struct RowBuffer {
    uint32_t rows_max;
    uint32_t columns_count; /* with the extra ones */
    Vector *columns;        /* as made: values, no validity */
    uint64_t **validity;
    Vector *out;
};

/* A piece of a run, on its way into vectors at [first, first + count). */
typedef struct Piece {
    const Plan *plan;
    const Str *rows;
    uint32_t first;
    uint32_t count;
} Piece;

/* --- codec ---------------------------------------------------------------------------------- */

/* `hint` is where the column stands in the current schema, and mostly in the older ones. */
static void find_source(const Plan *plan, const RowColumn *wanted, uint32_t hint, Source *out)
{
    const RowSchema *schema = plan->layout.schema;
    uint32_t at = hint;

    *out = (Source){.column = NOT_IN_VERSION, .missing = &wanted->missing};
    if (at >= schema->columns_count || schema->columns[at].column_id != wanted->column_id) {
        for (at = 0; at < schema->columns_count; at++) {
            if (schema->columns[at].column_id == wanted->column_id)
                break;
        }
    }
    if (at == schema->columns_count)
        return;
    out->column = at;
    out->slot = plan->layout.slots[at];
    /* ROW-1: another physical form is another column id. */
    ASSERT(out->slot.phys == type_phys(wanted->type));
}

RowCodec *row_codec_new(Scope *scope, const Relation *relation, const uint32_t *columns,
                        uint32_t columns_count)
{
    const RowSchema *current = relation_schema(relation);
    RowCodec *codec = scope_new(scope, RowCodec);

    codec->columns_count = columns_count;
    codec->types = scope_new_array(scope, SqlType, columns_count);
    codec->plans_count = relation->schemas_count;
    codec->plans = scope_new_array(scope, Plan, codec->plans_count);
    for (uint32_t i = 0; i < columns_count; i++) {
        ASSERT(columns[i] < current->columns_count);
        codec->types[i] = current->columns[columns[i]].type;
    }
    for (uint32_t p = 0; p < codec->plans_count; p++) {
        Plan *plan = &codec->plans[p];
        const RowSchema *schema = relation->schemas[p];
        row_layout_init(&plan->layout, schema,
                        scope_new_array(scope, RowSlot, schema->columns_count));
        plan->sources = scope_new_array(scope, Source, columns_count);
        for (uint32_t i = 0; i < columns_count; i++)
            find_source(plan, &current->columns[columns[i]], columns[i], &plan->sources[i]);
    }
    return codec;
}

RowBuffer *row_buffer_new(Scope *scope, const RowCodec *codec, uint32_t rows_max,
                          uint32_t columns_extra)
{
    RowBuffer *buffer = scope_new(scope, RowBuffer);

    buffer->rows_max = rows_max;
    buffer->columns_count = codec->columns_count + columns_extra;
    buffer->columns = scope_new_array(scope, Vector, codec->columns_count);
    buffer->validity = scope_new_array(scope, uint64_t *, codec->columns_count);
    buffer->out = scope_new_array(scope, Vector, buffer->columns_count);
    for (uint32_t i = 0; i < codec->columns_count; i++) {
        vector_init_flat(&buffer->columns[i], scope, codec->types[i], rows_max);
        buffer->validity[i] = scope_new_array(scope, uint64_t, bitmap_words(rows_max));
    }
    return buffer;
}

/* --- values --------------------------------------------------------------------------------- */

#define DEFINE_READ_FIXED(name, T)                                  \
    static void name(const Piece *piece, uint32_t at, void *values) \
    {                                                               \
        const Str *rows = piece->rows + piece->first;               \
        T *out = (T *)values + piece->first;                        \
                                                                    \
        for (uint32_t i = 0; i < piece->count; i++)                 \
            memcpy(&out[i], rows[i].ptr + at, sizeof(T));           \
    }
DEFINE_READ_FIXED(read_1, uint8_t)
DEFINE_READ_FIXED(read_2, uint16_t)
DEFINE_READ_FIXED(read_4, uint32_t)
DEFINE_READ_FIXED(read_8, uint64_t)
DEFINE_READ_FIXED(read_16, uint128_t)

static void read_fixed(const Piece *piece, const RowSlot *slot, void *values)
{
    switch (phys_size[slot->phys]) {
    case 1: read_1(piece, slot->at, values); break;
    case 2: read_2(piece, slot->at, values); break;
    case 4: read_4(piece, slot->at, values); break;
    case 8: read_8(piece, slot->at, values); break;
    case 16: read_16(piece, slot->at, values); break;
    default: ASSERT(false && "a width without a loop");
    }
}

/* Where a variable value lies, checked against the row's length. */
static ALWAYS_INLINE bool variable_slice(const Plan *plan, const Str *row, uint32_t number,
                                         const char **bytes, uint32_t *len)
{
    const char *end_at = row->ptr + plan->layout.ends_at + 4 * (size_t)number;
    uint32_t end = row_load_u32(end_at);
    uint32_t start = number ? row_load_u32(end_at - 4) : 0;

    *bytes = row->ptr + plan->layout.variable_at + start;
    *len = end - start;
    return start <= end && end <= row->len - plan->layout.variable_at;
}

/* A view of bytes that have at least 16 - len bytes of the same row before them: one load of the
   16 bytes that end where they do, shifted into place. */
static ALWAYS_INLINE void read_view(const char *bytes, uint32_t len, StrView *out)
{
    if (len > STRVIEW_INLINE_MAX) {
        out->len = len;
        memcpy(out->prefix, bytes, 4);
        out->ptr = bytes;
        return;
    }
    uint128_t word = 0;
    if (len) {
        memcpy(&word, bytes + len - 16, 16);
        word >>= 8 * (16 - len);
    }
    word = word << 32 | len;
    memcpy(out, &word, 16);
}

static bool read_strings(const Piece *piece, const RowSlot *slot, StrView *values)
{
    const Str *rows = piece->rows + piece->first;
    StrView *out = values + piece->first;
    const char *bytes;
    uint32_t len;

    if (piece->plan->layout.variable_at >= 16) {
        for (uint32_t i = 0; i < piece->count; i++) {
            if (UNLIKELY(!variable_slice(piece->plan, &rows[i], slot->at, &bytes, &len)))
                return false;
            read_view(bytes, len, &out[i]);
        }
        return true;
    }
    for (uint32_t i = 0; i < piece->count; i++) {
        if (!variable_slice(piece->plan, &rows[i], slot->at, &bytes, &len))
            return false;
        out[i] = strview_make(bytes, len);
    }
    return true;
}

static bool read_numerics(const Piece *piece, const RowSlot *slot, Numeric *values)
{
    for (uint32_t i = 0; i < piece->count; i++) {
        const char *bytes;
        uint32_t len;
        Numeric *out = &values[piece->first + i];
        if (!variable_slice(piece->plan, &piece->rows[piece->first + i], slot->at, &bytes, &len) ||
            len > ROW_NUMERIC_BYTES_MAX)
            return false;
        *out = (Numeric){0};
        if (len == 0)
            continue;
        out->kind = (uint8_t)bytes[0] >> 6;
        out->scale = bytes[0] & 63;
        if (len > 1) {
            uint128_t word = 0;
            memcpy(&word, bytes + 1, len - 1);
            uint32_t unused = 8 * (17 - len);
            out->coefficient = (int128_t)(word << unused) >> unused;
        }
        if (out->scale > NUMERIC_PRECISION_MAX)
            return false;
    }
    return true;
}

static bool read_values(const Piece *piece, const Source *source, void *values)
{
    if (!source->slot.is_variable) {
        read_fixed(piece, &source->slot, values);
        return true;
    }
    return source->slot.phys == PHYS_STRING ? read_strings(piece, &source->slot, values)
                                            : read_numerics(piece, &source->slot, values);
}

static void fill_missing(const Piece *piece, const Source *source, Vector *v)
{
    size_t bytes = phys_size[v->phys];
    char *out = (char *)v->values + piece->first * bytes;

    for (uint32_t i = 0; i < piece->count; i++, out += bytes) {
        if (source->missing->is_null)
            memset(out, 0, bytes);
        else
            memcpy(out, source->missing->bytes, bytes);
    }
}

/* --- NULLs ---------------------------------------------------------------------------------- */

static void mark_nulls(const Piece *piece, const Source *source, Vector *v, uint64_t *validity,
                       uint32_t rows_count)
{
    const Str *rows = piece->rows + piece->first;
    bool missing = source->column == NOT_IN_VERSION;
    uint32_t byte = ROW_VERSION_BYTES + source->column / 8, bit = source->column % 8;
    uint8_t any = 0;

    if (missing)
        any = source->missing->is_null;
    for (uint32_t i = 0; !missing && i < piece->count; i++)
        any |= (uint8_t)rows[i].ptr[byte] >> bit & 1;
    if (LIKELY(!any))
        return;
    if (v->validity == NULL) {
        v->validity = validity;
        memset(validity, 0xff, bitmap_words(rows_count) * sizeof *validity);
    }
    for (uint32_t i = 0; i < piece->count; i++) {
        if (missing || ((uint8_t)rows[i].ptr[byte] >> bit & 1))
            bitmap_clear(validity, piece->first + i);
    }
}

/* --- runs ----------------------------------------------------------------------------------- */

static const Plan *find_plan(const RowCodec *codec, uint16_t version)
{
    for (uint32_t i = codec->plans_count; i > 0; i--) {
        if (codec->plans[i - 1].layout.schema->version == version)
            return &codec->plans[i - 1];
    }
    return NULL;
}

/* The rows from `first` on that have the same version, at most PIECE_ROWS; their fixed parts are
   whole. False: malformed. */
static bool find_piece(const RowCodec *codec, const Str *rows, uint32_t first, uint32_t end,
                       Piece *out)
{
    if (rows[first].len < ROW_VERSION_BYTES)
        return false;
    uint16_t version = row_load_u16(rows[first].ptr);
    const Plan *plan = find_plan(codec, version);
    if (plan == NULL)
        return false;
    uint32_t at = first;
    end = MIN(end, first + PIECE_ROWS);
    for (; at < end; at++) {
        if (rows[at].len < ROW_VERSION_BYTES || row_load_u16(rows[at].ptr) != version)
            break;
        if (rows[at].len < plan->layout.variable_at)
            return false;
    }
    *out = (Piece){plan, rows, first, at - first};
    return true;
}

static bool read_piece(const RowCodec *codec, const Piece *piece, const RowBuffer *buffer,
                       uint32_t rows_count)
{
    for (uint32_t c = 0; c < codec->columns_count; c++) {
        const Source *source = &piece->plan->sources[c];
        Vector *v = &buffer->out[c];
        if (source->column == NOT_IN_VERSION)
            fill_missing(piece, source, v);
        else if (!read_values(piece, source, v->values))
            return false;
        mark_nulls(piece, source, v, buffer->validity[c], rows_count);
    }
    return true;
}

Status row_decode_into(Ctx *ctx, const RowCodec *codec, const Str *rows, uint32_t count,
                       RowBuffer *buffer, Batch *out)
{
    Status st = OK;
    Piece piece;

    ASSERT(count <= buffer->rows_max);
    memcpy(buffer->out, buffer->columns, codec->columns_count * sizeof *buffer->out);
    for (uint32_t done = 0; done < count; done += piece.count) {
        if (!find_piece(codec, rows, done, count, &piece) ||
            !read_piece(codec, &piece, buffer, count))
            FAIL(ctx, E_DATA_CORRUPTED, "malformed row in storage");
    }
    *out = (Batch){count, buffer->columns_count, buffer->out};
done:
    return st;
}

Status row_decode(Ctx *ctx, Scope *scope, const RowCodec *codec, const Str *rows, uint32_t count,
                  Batch *out)
{
    return row_decode_into(ctx, codec, rows, count, row_buffer_new(scope, codec, count, 0), out);
}
