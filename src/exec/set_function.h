// SPDX-License-Identifier: Apache-2.0
//
// Running one set-returning call: arguments of one row in, batches of its rows out. Belongs to one
// worker.
#ifndef DBASPOT_EXEC_SET_FUNCTION_H
#define DBASPOT_EXEC_SET_FUNCTION_H

#include "exec/eval/eval.h"

typedef struct SetCursor SetCursor;

/* `call` is an EXPR_FUNC with info->set; `types` are its columns'. */
Status set_cursor_new(Worker *worker, const Expr *call, const Visible *visible,
                      const SqlType *types, uint32_t columns_count, SetCursor **out);
/* Begins anew with the arguments of row `row`. */
Status set_cursor_start(SetCursor *cursor, const Batch *in, uint32_t row);
/* Up to BATCH_ROWS_MAX rows, valid until the next call; rows_count 0 at the end. */
Status set_cursor_next(SetCursor *cursor, Batch *out);

#endif
