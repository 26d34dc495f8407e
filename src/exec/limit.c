// SPDX-License-Identifier: Apache-2.0
//
// LIMIT and OFFSET, also WITH TIES: a sequential stage that counts rows and stops the pipeline when
// it has enough.
#include "exec/eval/eval.h"

#include "types/compare.h"

typedef struct LimitStage {
    Stage stage;
    const Plan *plan;
    int64_t limit; /* -1: none */
    int64_t offset;
    uint64_t seen; /* rows that came in */
    Eval **keys;   /* WITH TIES */
    Datum *last;   /* of the last row within the limit */
    Scope *last_scope;
} LimitStage;

Status eval_count(Query *query, const Expr *expr, bool is_offset, int64_t *out)
{
    Status st = OK;
    Eval *eval;
    Datum datum;

    *out = -1;
    if (expr == NULL)
        goto done;
    TRY(eval_compile(query->caller, expr, NULL, &eval));
    TRY(eval_datum(query->caller, eval, &datum));
    if (datum.is_null)
        goto done;
    switch (type_phys(datum.type)) {
    case PHYS_INT16: *out = datum.int16; break;
    case PHYS_INT32: *out = datum.int32; break;
    case PHYS_INT64: *out = datum.int64; break;
    default: FAIL(query->ctx, E_INTERNAL, "LIMIT is not a bigint");
    }
    if (*out < 0 && is_offset)
        FAIL(query->ctx, E_INVALID_ROW_COUNT_IN_OFFSET, "OFFSET must not be negative");
    if (*out < 0)
        FAIL(query->ctx, E_INVALID_ROW_COUNT_IN_LIMIT, "LIMIT must not be negative");
done:
    return st;
}

static Status limit_prepare(Query *query, void *arg)
{
    Status st = OK;
    LimitStage *self = arg;
    const Plan *plan = self->plan;
    Visible visible = visible_of(plan->children[0]);

    TRY(eval_count(query, plan->limit.limit, false, &self->limit));
    TRY(eval_count(query, plan->limit.offset, true, &self->offset));
    self->offset = MAX(self->offset, 0);
    if (!plan->limit.with_ties)
        goto done;
    self->keys = scope_new_array(query->scope, Eval *, plan->limit.keys_count + 1);
    self->last = scope_new_array(query->scope, Datum, plan->limit.keys_count + 1);
    self->last_scope = scope_open(query->scope, "ties");
    for (uint32_t i = 0; i < plan->limit.keys_count; i++)
        TRY(eval_compile(query->caller, plan->limit.keys[i].expr, &visible, &self->keys[i]));
done:
    return st;
}

static void stop(Worker *worker)
{
    atomic_store_explicit(&worker->pipeline->stop, true, memory_order_relaxed);
}

static Status remember_last(Worker *worker, LimitStage *self, const Batch *in, uint32_t row)
{
    Status st = OK;
    const Vector *v;

    scope_reset(self->last_scope);
    for (uint32_t i = 0; i < self->plan->limit.keys_count; i++) {
        TRY(eval_run(worker, self->keys[i], in, &v));
        Datum datum = datum_from_vector(v, row);
        self->last[i] = datum_copy(self->last_scope, &datum);
    }
done:
    return st;
}

/* How many rows from `first` on equal the last one within the limit. */
static Status count_ties(Worker *worker, LimitStage *self, const Batch *in, uint32_t first,
                         uint32_t *out)
{
    Status st = OK;
    uint32_t ties = in->rows_count - first;
    const Vector *v;

    for (uint32_t i = 0; i < self->plan->limit.keys_count; i++) {
        TRY(eval_run(worker, self->keys[i], in, &v));
        uint32_t equal = 0;
        for (; equal < ties; equal++) {
            Datum datum = datum_from_vector(v, first + equal);
            if (!datum_equal(&datum, &self->last[i]))
                break;
        }
        ties = equal;
    }
    *out = ties;
done:
    return st;
}

static Status limit_push(Worker *worker, Stage *stage, void *state UNUSED, const Batch *in)
{
    Status st = OK;
    LimitStage *self = (LimitStage *)stage;
    uint64_t begin = self->seen, end = begin + in->rows_count;
    uint64_t low = (uint64_t)self->offset;
    uint64_t high = self->limit < 0 ? UINT64_MAX : low + (uint64_t)self->limit;
    bool ties = self->plan->limit.with_ties && self->limit > 0;
    Batch out;

    self->seen = end;
    if (!ties && high <= begin) {
        stop(worker);
        goto done;
    }
    uint64_t from = MAX(low, begin), to = MIN(high, end);
    if (ties && begin < high && high <= end)
        TRY(remember_last(worker, self, in, (uint32_t)(high - 1 - begin)));
    if (ties && end > high) {
        uint32_t more, first = begin > high ? 0 : (uint32_t)(high - begin);
        TRY(count_ties(worker, self, in, first, &more));
        from = MAX(low, begin);
        to = begin + first + more;
        if (to < end)
            stop(worker);
    } else if (!ties && end >= high) {
        stop(worker);
    }
    if (from >= to)
        goto done;
    if (from == begin && to == end) {
        TRY(stage_push(worker, stage->next, in));
        goto done;
    }
    batch_range(&out, worker->batch, in, (uint32_t)(from - begin), (uint32_t)(to - from));
    TRY(stage_push(worker, stage->next, &out));
done:
    return st;
}

static const StageOps limit_ops = {.name = "limit", .push = limit_push};

Status build_limit(Query *query, const Plan *plan, Stage *to)
{
    LimitStage *self = scope_new(query->scope, LimitStage);

    self->plan = plan;
    query_add_step(query, limit_prepare, self);
    return build_plan(query, plan->children[0],
                      stage_init(query, &self->stage, &limit_ops, to, true));
}
