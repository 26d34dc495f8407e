// SPDX-License-Identifier: Apache-2.0
//
// SELECT … FOR UPDATE and its like: each row that passes is locked under its key, in order, in the
// calling thread; a row that another transaction holds is skipped where SKIP LOCKED says so. A
// newer version under the lock means that the statement runs again.
#include "exec/modify/row_writer.h"

typedef struct LockStage {
    Stage stage;
    const Plan *plan;
    uint32_t *slots; /* of the keys in the child's columns */
} LockStage;

/* Locks one row of the batch in all tables; *kept false: skipped. */
static Status lock_row(Worker *worker, const LockStage *self, const Batch *in, uint32_t row,
                       bool *kept)
{
    Status st = OK;
    const Plan *plan = self->plan;
    TxnVerdict verdict;
    bool skipped;

    *kept = true;
    for (uint32_t i = 0; i < plan->lock_rows.count && *kept; i++) {
        const Vector *v = &in->columns[self->slots[i]];
        if (vector_is_null(v, row))
            continue;
        Str key = strview_str(&vector_at(v, StrView, row));
        TRY(txn_lock_row(worker->ctx, worker->query->env->txn,
                         plan->lock_rows.tables[i]->relation_id, key, plan->lock_rows.mode,
                         plan->lock_rows.nowait, plan->lock_rows.skip_locked, &skipped, &verdict));
        TRY(verdict_status(verdict));
        *kept = !skipped;
    }
done:
    return st;
}

static Status lock_push(Worker *worker, Stage *stage, void *state UNUSED, const Batch *in)
{
    Status st = OK;
    LockStage *self = (LockStage *)stage;
    uint32_t *rows = scope_new_array(worker->batch, uint32_t, in->rows_count), count = 0;
    Batch out = *in;
    bool kept;

    for (uint32_t row = 0; row < in->rows_count; row++) {
        TRY(lock_row(worker, self, in, row, &kept));
        rows[count] = row;
        count += kept;
    }
    if (count < in->rows_count)
        batch_slice(&out, worker->batch, in, rows, count);
    out.columns_count = self->plan->columns_count;
    TRY(stage_emit(worker, stage, &out));
done:
    return st;
}

static const StageOps lock_ops = {.name = "lock rows", .push = lock_push};

Status build_lock_rows(Query *query, const Plan *plan, Stage *to)
{
    Status st = OK;
    LockStage *self = scope_new(query->scope, LockStage);
    const Plan *child = plan->children[0];

    self->plan = plan;
    self->slots = scope_new_array(query->scope, uint32_t, plan->lock_rows.count + 1);
    if (query->env->txn == NULL)
        FAIL(query->ctx, E_INTERNAL, "locking rows needs a transaction");
    for (uint32_t i = 0; i < plan->lock_rows.count; i++) {
        uint32_t at = 0;
        while (at < child->columns_count && child->columns[at].id != plan->lock_rows.keys[i])
            at++;
        if (at == child->columns_count)
            FAIL(query->ctx, E_INTERNAL, "no key column of a table to be locked");
        self->slots[i] = at;
    }
    TRY(build_plan(query, child, stage_init(query, &self->stage, &lock_ops, to, true)));
done:
    return st;
}
