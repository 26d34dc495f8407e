// SPDX-License-Identifier: Apache-2.0
//
// Ordered-set aggregates: percentile_cont, percentile_disc, mode. Their values come sorted, as
// WITHIN GROUP asks, and are kept; the fraction is the first argument of any row. See agg.h.
#include "func/agg_values.h"
#include "types/compare.h"
#include "types/datetime.h"

#include <math.h>

typedef struct OrderedState {
    AggValues values;
    double fraction;
    bool has_fraction;
    bool fraction_is_null;
} OrderedState;

AGG_BYTES(percentile_cont, OrderedState)
AGG_BYTES(percentile_cont_interval, OrderedState)
AGG_BYTES(percentile_disc, OrderedState)
AGG_BYTES(mode, OrderedState)

static Status add_row(AggCall *call, OrderedState *s, const Vector *const *in, uint32_t row)
{
    const Vector *values = in[call->agg->args_count - 1];

    if (!s->has_fraction && call->agg->args_count > 1) {
        s->has_fraction = true;
        s->fraction_is_null = vector_is_null(in[0], row);
        if (!s->fraction_is_null)
            s->fraction = vector_at(in[0], double, row);
    }
    if (vector_is_null(values, row))
        return OK;
    return agg_values_push(call, &s->values, datum_from_vector(values, row));
}

static Status update(AggCall *call, const Vector *const *in, uint32_t rows, void *const *states,
                     void *one)
{
    Status st = OK;

    for (uint32_t i = 0; i < rows; i++)
        TRY(add_row(call, one ? one : states[i], in, i));
done:
    return st;
}

static Status combine(AggCall *call, void *into, const void *from)
{
    Status st = OK;
    OrderedState *s = into;
    const OrderedState *f = from;

    if (!s->has_fraction) {
        s->has_fraction = f->has_fraction;
        s->fraction_is_null = f->fraction_is_null;
        s->fraction = f->fraction;
    }
    for (uint32_t i = 0; i < f->values.count; i++)
        TRY(agg_values_push(call, &s->values, f->values.elements[i]));
done:
    return st;
}

/* The result of one state; *is_null as it says. */
typedef Status (*Finish)(Ctx *ctx, const OrderedState *s, Datum *out);

static Status check_fraction(Ctx *ctx, const OrderedState *s)
{
    if (s->fraction >= 0 && s->fraction <= 1)
        return OK;
    return error_raise(ctx, E_NUMERIC_OUT_OF_RANGE, "percentile value %g is not between 0 and 1",
                       s->fraction);
}

/* The two values that the fraction lies between, and how far from the first. */
static double position(const OrderedState *s, uint32_t *low, uint32_t *high)
{
    double at = s->fraction * (s->values.count - 1);

    *low = (uint32_t)floor(at);
    *high = (uint32_t)ceil(at);
    return at - *low;
}

static Status between_floats(UNUSED Ctx *ctx, const OrderedState *s, Datum *out)
{
    uint32_t low, high;
    double part = position(s, &low, &high);
    double a = s->values.elements[low].float64;
    double b = s->values.elements[high].float64;

    out->float64 = low == high ? a : a + part * (b - a);
    return OK;
}

static Status between_intervals(Ctx *ctx, const OrderedState *s, Datum *out)
{
    Status st = OK;
    uint32_t low, high;
    double part = position(s, &low, &high);
    Interval a = s->values.elements[low].interval;
    Interval difference;

    out->interval = a;
    if (low == high)
        goto done;
    TRY(interval_subtract(ctx, s->values.elements[high].interval, a, &difference));
    TRY(interval_multiply(ctx, difference, part, &difference));
    TRY(interval_add(ctx, a, difference, &out->interval));
done:
    return st;
}

static Status first_reaching(UNUSED Ctx *ctx, const OrderedState *s, Datum *out)
{
    double row = ceil(s->fraction * s->values.count);

    *out = s->values.elements[row < 1 ? 0 : (uint32_t)row - 1];
    return OK;
}

static Status most_frequent(UNUSED Ctx *ctx, const OrderedState *s, Datum *out)
{
    uint32_t best = 0;

    for (uint32_t start = 0, end; start < s->values.count; start = end) {
        for (end = start + 1; end < s->values.count; end++) {
            if (datum_compare(&s->values.elements[start], &s->values.elements[end]) != 0)
                break;
        }
        if (end - start > best)
            *out = s->values.elements[start];
        best = MAX(best, end - start);
    }
    return OK;
}

static Status finish(AggCall *call, void *const *states, uint32_t count, Vector *out, Finish one)
{
    Status st = OK;

    for (uint32_t i = 0; i < count; i++) {
        const OrderedState *s = states[i];
        Datum value = {.is_null = false};
        if (s->has_fraction && !s->fraction_is_null)
            TRY(check_fraction(call->ctx, s));
        value.is_null = s->values.count == 0 || s->fraction_is_null;
        if (!value.is_null)
            TRY(one(call->ctx, s, &value));
        vector_put_datum(out, call->scope, i, count, &value);
    }
done:
    return st;
}

#define ORDERED_AGG(prefix, one)                                                                  \
    Status agg_##prefix##_update(AggCall *call, const Vector *const *in, uint32_t rows,           \
                                 void *const *states)                                             \
    {                                                                                             \
        return update(call, in, rows, states, NULL);                                              \
    }                                                                                             \
    Status agg_##prefix##_update_one(AggCall *call, const Vector *const *in, uint32_t rows,       \
                                     void *state)                                                 \
    {                                                                                             \
        return update(call, in, rows, NULL, state);                                               \
    }                                                                                             \
    Status agg_##prefix##_combine(AggCall *call, void *into, const void *from)                    \
    {                                                                                             \
        return combine(call, into, from);                                                         \
    }                                                                                             \
    Status agg_##prefix##_finish(AggCall *call, void *const *states, uint32_t count, Vector *out) \
    {                                                                                             \
        return finish(call, states, count, out, one);                                             \
    }

ORDERED_AGG(percentile_cont, between_floats)
ORDERED_AGG(percentile_cont_interval, between_intervals)
ORDERED_AGG(percentile_disc, first_reaching)
ORDERED_AGG(mode, most_frequent)
