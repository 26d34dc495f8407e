// SPDX-License-Identifier: Apache-2.0
//
// RowStore: rows kept as flat columns, in batches of up to BATCH_ROWS_MAX, in the order in which
// they came; strings copied. What CTEs, nested loops, subqueries and RETURNING buffer in. Memory is
// charged to the store's scope. One thread fills it; when it is complete, any number may read.
#ifndef DBASPOT_EXEC_ROW_STORE_H
#define DBASPOT_EXEC_ROW_STORE_H

#include "base/array.h"
#include "types/vector.h"

typedef struct RowStore {
    Scope *scope;
    uint32_t columns_count;
    const SqlType *types; /* by column */
    uint64_t rows_count;
    ARRAY(Batch) batches; /* all but the last are full */
    uint32_t capacity;    /* of the last one */
} RowStore;

/* `types` lives as long as the store. */
void row_store_init(RowStore *store, Scope *scope, const SqlType *types, uint32_t columns_count);
/* Appends a batch's first columns. */
Status row_store_append(Ctx *ctx, RowStore *store, const Batch *batch);
/* Forgets the rows; memory stays with the scope. */
void row_store_clear(RowStore *store);
/* One row as constant vectors: out->columns (room for columns_count), rows_count 1. */
void row_store_row(const RowStore *store, uint64_t row, Batch *out);

#endif
