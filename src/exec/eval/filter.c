// SPDX-License-Identifier: Apache-2.0
//
// A conjunction as a filter: each conjunct is evaluated on the rows that the earlier ones left.
// Their order adapts: now and then they are sorted by what a row costs over what share it drops,
// as measured so far. If one of them can fail (division, casts) the written order stays: users
// protect one condition by the one before it.
#include "exec/eval/eval.h"

#include "os/clock.h"

#define REORDER_BATCHES 64

typedef struct Conjunct {
    Eval *eval;
    uint64_t rows_in, rows_out;
    uint64_t ns;
} Conjunct;

struct Filter {
    uint32_t count;
    uint32_t batches;
    bool adaptive; /* no conjunct can raise an error */
    Conjunct *conjuncts;
    uint32_t *select[2];
};

Status filter_new(Worker *worker, Expr *const *conjuncts, uint32_t count, const Visible *visible,
                  Filter **out)
{
    Status st = OK;
    Filter *filter = scope_new(worker->scope, Filter);

    ASSERT(count > 0);
    filter->count = count;
    filter->conjuncts = scope_new_array(worker->scope, Conjunct, count);
    filter->adaptive = count > 1;
    for (uint32_t i = 0; i < count; i++) {
        TRY(eval_compile(worker, conjuncts[i], visible, &filter->conjuncts[i].eval));
        filter->adaptive &= !expr_can_fail(conjuncts[i]);
    }
    *out = filter;
done:
    return st;
}

/* Nanoseconds a row over the share of rows dropped: the smaller, the earlier. */
static double conjunct_rank(const Conjunct *c)
{
    if (c->rows_in < 256)
        return 0;
    double dropped = (double)(c->rows_in - c->rows_out) / (double)c->rows_in;
    return ((double)c->ns + 1) / (double)c->rows_in / (dropped + 0.001);
}

static void reorder(Filter *filter)
{
    for (uint32_t i = 1; i < filter->count; i++) {
        Conjunct moved = filter->conjuncts[i];
        double rank = conjunct_rank(&moved);
        uint32_t at = i;
        for (; at > 0 && conjunct_rank(&filter->conjuncts[at - 1]) > rank; at--)
            filter->conjuncts[at] = filter->conjuncts[at - 1];
        filter->conjuncts[at] = moved;
    }
}

static uint32_t *filter_indexes(Worker *worker, Filter *filter, uint32_t which, uint32_t rows)
{
    if (rows <= 64)
        return scope_new_array(worker->batch, uint32_t, rows + 1);
    if (filter->select[which] == NULL)
        filter->select[which] = scope_new_array(worker->scope, uint32_t, BATCH_ROWS_MAX + 1);
    return filter->select[which];
}

static Status run_conjunct(Worker *worker, Conjunct *c, bool measured, const Batch *in,
                           const Vector **out)
{
    Status st = OK;
    int64_t begin = measured ? clock_mono_ns() : 0;

    TRY(eval_run(worker, c->eval, in, out));
    if (measured)
        c->ns += (uint64_t)(clock_mono_ns() - begin);
done:
    return st;
}

Status filter_run(Worker *worker, Filter *filter, const Batch *in, Batch *out,
                  const uint32_t **selected)
{
    Status st = OK;
    const Batch input = *in; /* `out` may be `in` */
    const uint32_t *kept = NULL;
    uint32_t which = 0;
    bool measured = filter->adaptive && in->rows_count > 64;

    *out = input;
    if (measured && ++filter->batches % REORDER_BATCHES == 0)
        reorder(filter);
    for (uint32_t i = 0; i < filter->count && out->rows_count; i++) {
        Conjunct *c = &filter->conjuncts[i];
        uint32_t rows = out->rows_count;
        const Vector *v;
        TRY(run_conjunct(worker, c, measured, out, &v));
        uint32_t *now = filter_indexes(worker, filter, which, rows);
        uint32_t count = eval_select_true(v, rows, now);
        c->rows_in += rows;
        c->rows_out += count;
        if (count == rows)
            continue;
        for (uint32_t row = 0; kept && row < count; row++)
            now[row] = kept[now[row]];
        kept = now;
        which ^= 1;
        batch_slice(out, worker->batch, &input, kept, count);
    }
    if (selected)
        *selected = kept;
done:
    return st;
}
