// SPDX-License-Identifier: Apache-2.0
//
// A range is a prefix of equal columns and, on the next column, a start and an end. For a
// descending column the low bound is the end of the byte range. A range open on one side stops at
// the NULLs, wherever the column's order puts them: an inequality is never true of NULL.
#include "exec/scan_bounds.h"

#include "types/cast.h"

struct Bounds {
    BoundsSpec spec;
    Eval **equal, **in;
    Eval *low, *high;
    const Vector **equal_values, **in_values;
    const Vector *low_value, *high_value;
};

static Status compile_some(Worker *worker, Expr *const *exprs, uint32_t count,
                           const Visible *visible, Eval ***out)
{
    Status st = OK;
    Eval **evals = scope_new_array(worker->scope, Eval *, count + 1);

    for (uint32_t i = 0; i < count; i++)
        TRY(eval_compile(worker, exprs[i], visible, &evals[i]));
    *out = evals;
done:
    return st;
}

Status bounds_new(Worker *worker, const BoundsSpec *spec, Bounds **out)
{
    Status st = OK;
    const KeyBounds *plan = spec->bounds;
    Bounds *bounds = scope_new(worker->scope, Bounds);
    uint32_t used = plan->equal_count + (plan->in_count > 0) + (plan->low || plan->high);

    ASSERT(used <= spec->columns_count);
    bounds->spec = *spec;
    TRY(compile_some(worker, plan->equal, plan->equal_count, spec->visible, &bounds->equal));
    TRY(compile_some(worker, plan->in, plan->in_count, spec->visible, &bounds->in));
    bounds->equal_values = scope_new_array(worker->scope, const Vector *, plan->equal_count + 1);
    bounds->in_values = scope_new_array(worker->scope, const Vector *, plan->in_count + 1);
    if (plan->low)
        TRY(eval_compile(worker, plan->low, spec->visible, &bounds->low));
    if (plan->high)
        TRY(eval_compile(worker, plan->high, spec->visible, &bounds->high));
    *out = bounds;
done:
    return st;
}

/* The bound's values in the form of the key column. */
static Status eval_bound(Worker *worker, Eval *eval, const KeyColumn *column, const Batch *in,
                         const Vector **out)
{
    Status st = OK;

    TRY(eval_run(worker, eval, in, out));
    if ((*out)->type.oid == column->type.oid)
        goto done;
    Vector *cast = scope_new(worker->batch, Vector);
    uint32_t rows = (*out)->form == VECTOR_CONST ? 1 : in->rows_count;
    TRY(cast_vector(worker->ctx, worker->batch, *out, rows, column->type, false,
                    worker->query->env->io, cast));
    *out = cast;
done:
    return st;
}

Status bounds_eval(Worker *worker, Bounds *bounds, const Batch *in)
{
    Status st = OK;
    const KeyBounds *plan = bounds->spec.bounds;
    const KeyColumn *columns = bounds->spec.columns;
    uint32_t at = plan->equal_count;

    for (uint32_t i = 0; i < plan->equal_count; i++)
        TRY(eval_bound(worker, bounds->equal[i], &columns[i], in, &bounds->equal_values[i]));
    for (uint32_t i = 0; i < plan->in_count; i++)
        TRY(eval_bound(worker, bounds->in[i], &columns[at], in, &bounds->in_values[i]));
    at += plan->in_count > 0;
    if (bounds->low)
        TRY(eval_bound(worker, bounds->low, &columns[at], in, &bounds->low_value));
    if (bounds->high)
        TRY(eval_bound(worker, bounds->high, &columns[at], in, &bounds->high_value));
done:
    return st;
}

void bounds_range_init(BoundsRange *range, Scope *scope)
{
    *range = (BoundsRange){0};
    strbuf_init_in(&range->low, scope);
    strbuf_init_in(&range->high, scope);
}

void bounds_range_free(BoundsRange *range)
{
    strbuf_free(&range->low);
    strbuf_free(&range->high);
}

/* The column's range in bytes: `first` and `last` as the byte order meets them. */
typedef struct ColumnRange {
    const KeyColumn *column;
    const Vector *first, *last;
    bool first_inclusive, last_inclusive;
    uint32_t row;
} ColumnRange;

/* True if NULLs come before the value that was appended to key behind `prefix` bytes. */
static bool nulls_before(const KeyColumn *column, const StrBuf *key, size_t prefix)
{
    StrBuf null;
    Datum datum = datum_null(column->type);
    bool before;

    strbuf_init(&null);
    key_append_datum(&null, column, &datum);
    before = str_compare(strbuf_str(&null), str_make(key->ptr + prefix, key->len - prefix)) < 0;
    strbuf_free(&null);
    return before;
}

/* REQUIRES: out->low holds the prefix, out->high a copy of it. */
static void range_column(const ColumnRange *r, BoundsRange *out)
{
    size_t prefix = out->low.len;
    Datum null = datum_null(r->column->type);

    if (r->first)
        key_append(&out->low, r->column, r->first, r->row);
    if (r->last)
        key_append(&out->high, r->column, r->last, r->row);
    if (!r->first && nulls_before(r->column, &out->high, prefix)) {
        key_append_datum(&out->low, r->column, &null);
        out->empty |= !key_successor(&out->low);
    }
    if (!r->last && !nulls_before(r->column, &out->low, prefix)) {
        key_append_datum(&out->high, r->column, &null);
    } else if (!r->last || r->last_inclusive) {
        out->has_high = key_successor(&out->high);
    }
    if (r->first && !r->first_inclusive)
        out->empty |= !key_successor(&out->low);
}

static bool append_equal(StrBuf *key, const KeyColumn *column, const Vector *v, uint32_t row)
{
    if (vector_is_null(v, row))
        return false;
    key_append(key, column, v, row);
    return true;
}

void bounds_range(const Bounds *bounds, uint32_t row, uint32_t in_at, BoundsRange *out)
{
    const KeyBounds *plan = bounds->spec.bounds;
    const KeyColumn *columns = bounds->spec.columns;
    uint32_t at = plan->equal_count;

    strbuf_clear(&out->low);
    strbuf_clear(&out->high);
    out->empty = false;
    for (uint32_t i = 0; i < plan->equal_count; i++)
        out->empty |= !append_equal(&out->low, &columns[i], bounds->equal_values[i], row);
    if (plan->in_count)
        out->empty |= !append_equal(&out->low, &columns[at++], bounds->in_values[in_at], row);
    out->empty |= (bounds->low && vector_is_null(bounds->low_value, row)) ||
                  (bounds->high && vector_is_null(bounds->high_value, row));
    if (out->empty)
        return;
    strbuf_append_str(&out->high, strbuf_str(&out->low));
    out->has_high = true;
    if (bounds->low == NULL && bounds->high == NULL) {
        out->has_high = out->high.len > 0 && key_successor(&out->high);
        return;
    }
    ColumnRange range = {.column = &columns[at],
                         .first = bounds->low ? bounds->low_value : NULL,
                         .last = bounds->high ? bounds->high_value : NULL,
                         .first_inclusive = plan->low_inclusive,
                         .last_inclusive = plan->high_inclusive,
                         .row = row};
    if (columns[at].descending) {
        ColumnRange r = range;
        range.first = r.last;
        range.first_inclusive = r.last_inclusive;
        range.last = r.first;
        range.last_inclusive = r.first_inclusive;
    }
    range_column(&range, out);
}

Status bounds_all_ranges(Worker *worker, Bounds *bounds, KeyRange **out, uint32_t *count)
{
    Status st = OK;
    uint32_t in_count = MAX(bounds->spec.bounds->in_count, 1), kept = 0;
    KeyRange *ranges = scope_new_array(worker->scope, KeyRange, in_count);
    Batch one = {.rows_count = 1};
    BoundsRange range = {0};

    TRY(bounds_eval(worker, bounds, &one));
    for (uint32_t i = 0; i < in_count; i++) {
        bounds_range(bounds, 0, i, &range);
        if (range.empty)
            continue;
        KeyRange made = {.low = str_copy(worker->scope, strbuf_str(&range.low)),
                         .high = str_copy(worker->scope, strbuf_str(&range.high)),
                         .has_high = range.has_high};
        uint32_t at = kept;
        while (at > 0 && str_compare(ranges[at - 1].low, made.low) > 0)
            at--;
        if (at > 0 && str_equal(ranges[at - 1].low, made.low))
            continue;
        memmove(&ranges[at + 1], &ranges[at], (kept - at) * sizeof *ranges);
        ranges[at] = made;
        kept++;
    }
    *out = ranges;
    *count = kept;
done:
    bounds_range_free(&range);
    return st;
}
