// SPDX-License-Identifier: Apache-2.0
//
// Rows as compact bytes: schema version (u16), NULL bitmap (1 = NULL), fixed-width values packed in
// column order (a NULL keeps its slot, zeroed, so offsets are constants), then for each variable-
// width column a u32 end offset into the variable part, then the variable part. Numerics without a
// typmod are variable-width (trimmed coefficient). Little-endian. Decoding one column of many rows
// is a tight loop over row pointers. Any thread.
#ifndef DBASPOT_STORAGE_ROW_H
#define DBASPOT_STORAGE_ROW_H

#include "storage/relation.h"

typedef struct RowCodec RowCodec;

/* Offsets and widths worked out once for a relation; lives in `scope`. `columns` are positions in
   the current schema that decoding wants, in output order. */
RowCodec *row_codec_new(Scope *scope, const Relation *relation, const uint32_t *columns,
                        uint32_t columns_count);

/* Appends to `out` the rows [first, first+count) of a batch that has all columns of the current
   schema in order; ends[i] is the offset in `out` after the i-th row. */
Status row_encode_batch(Ctx *ctx, const Relation *relation, const Batch *batch, uint32_t first,
                        uint32_t count, StrBuf *out, size_t *ends);

/* Decodes rows[0..count) into flat vectors of the codec's columns (allocated in `scope`). String
   views point into the rows' bytes. A malformed row is E_DATA_CORRUPTED. */
Status row_decode(Ctx *ctx, Scope *scope, const RowCodec *codec, const Str *rows, uint32_t count,
                  Batch *out);

/* Room for batches of up to `rows_max` rows that is used again and again. `columns_extra` columns
   more are left zeroed behind the codec's, for the caller to fill. */
typedef struct RowBuffer RowBuffer;
RowBuffer *row_buffer_new(Scope *scope, const RowCodec *codec, uint32_t rows_max,
                          uint32_t columns_extra);
/* As row_decode, into the buffer: what the call before gave is overwritten. */
Status row_decode_into(Ctx *ctx, const RowCodec *codec, const Str *rows, uint32_t count,
                       RowBuffer *buffer, Batch *out);

#endif
