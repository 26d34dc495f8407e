// SPDX-License-Identifier: Apache-2.0
//
// What MODIFY's stage and its ON CONFLICT share: RETURNING and the set of keys already written. One
// thread.
#ifndef DBASPOT_EXEC_MODIFY_MODIFY_INT_H
#define DBASPOT_EXEC_MODIFY_MODIFY_INT_H

#include "exec/agg/agg_table.h"
#include "exec/modify/row_writer.h"
#include "exec/row_store.h"

typedef struct Returning {
    Eval **evals;
    uint32_t count;
    Vector *columns;
    RowStore *rows;
} Returning;

/* Keeps the RETURNING values of a batch of rows as they now are; NULL: there is none. */
Status returning_add(Worker *worker, Returning *returning, const Batch *rows);

typedef struct Conflict Conflict;
Status conflict_new(RowWriter *writer, Returning *returning, Conflict **out);
/* INSERT … ON CONFLICT for a batch; *written: rows inserted or updated. */
Status conflict_insert(Conflict *conflict, const Batch *rows, uint64_t *written);

/* The rows of a batch whose key (a bytea column) the set has not seen; adds them. */
Status keys_first_seen(Worker *worker, AggTable *seen, const Vector *keys, uint32_t rows,
                       uint32_t *fresh, uint32_t *count);

#endif
