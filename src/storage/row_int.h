// SPDX-License-Identifier: Apache-2.0
//
// Where the columns of one schema version lie in a row. Shared by row.c (encoding) and
// row_decode.c. A row: u16 version, NULL bitmap, fixed-width values, u32 end offsets, variable
// part.
#ifndef DBASPOT_STORAGE_ROW_INT_H
#define DBASPOT_STORAGE_ROW_INT_H

#include "storage/row.h"

#define ROW_VERSION_BYTES     2
/* A numeric in the variable part: one byte (kind << 6 | scale), then the coefficient's bytes. */
#define ROW_NUMERIC_BYTES_MAX 17
static_assert(NUMERIC_PRECISION_MAX < 64, "a scale fits six bits");

typedef struct RowSlot {
    uint8_t phys;
    bool is_variable;
    uint32_t at; /* fixed: offset in the row; variable: its number among the variable ones */
} RowSlot;

typedef struct RowLayout {
    const RowSchema *schema;
    uint32_t ends_at;     /* offset of the end offsets */
    uint32_t variable_at; /* offset of the variable part: what a row has at least */
    uint32_t variable_count;
    RowSlot *slots; /* by position in the schema */
} RowLayout;

/* `slots` has room for the schema's columns. */
void row_layout_init(RowLayout *out, const RowSchema *schema, RowSlot *slots);

static inline uint32_t row_load_u32(const char *at)
{
    uint32_t value;

    memcpy(&value, at, 4);
    return value;
}

static inline uint16_t row_load_u16(const char *at)
{
    uint16_t value;

    memcpy(&value, at, 2);
    return value;
}

#endif
