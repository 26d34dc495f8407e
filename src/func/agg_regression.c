// SPDX-License-Identifier: Apache-2.0
//
// Statistics of pairs (Y, X): regr_*, covar_*, corr, by Youngs and Cramer's method as PostgreSQL's,
// and the bitwise aggregates. See agg.h.
#include "func/agg.h"

#include <math.h>

typedef struct PairState {
    double count;
    double sum_x;
    double sum_y;
    double xx; /* sums of products of differences from the means */
    double yy;
    double xy;
} PairState;

static bool is_finite(double x)
{
    return !isnan(x) && !isinf(x);
}

static Status overflow(Ctx *ctx)
{
    return error_raise(ctx, E_NUMERIC_OUT_OF_RANGE, "value out of range: overflow");
}

static Status add_pair(Ctx *ctx, PairState *s, double y, double x)
{
    double old_x = s->sum_x;
    double old_y = s->sum_y;

    s->count += 1;
    s->sum_x += x;
    s->sum_y += y;
    if (s->count <= 1) {
        if (!is_finite(x))
            s->xx = s->xy = NAN;
        if (!is_finite(y))
            s->yy = s->xy = NAN;
        return OK;
    }
    double dx = x * s->count - s->sum_x;
    double dy = y * s->count - s->sum_y;
    double scale = 1.0 / (s->count * (s->count - 1.0));
    s->xx += dx * dx * scale;
    s->yy += dy * dy * scale;
    s->xy += dx * dy * scale;
    if (isinf(s->xx) || isinf(s->yy) || isinf(s->xy)) {
        if (((isinf(s->xx) || isinf(s->xy)) && !isinf(old_x) && !isinf(x)) ||
            ((isinf(s->yy) || isinf(s->xy)) && !isinf(old_y) && !isinf(y)))
            return overflow(ctx);
        s->xx = isinf(s->xx) ? NAN : s->xx;
        s->yy = isinf(s->yy) ? NAN : s->yy;
        s->xy = isinf(s->xy) ? NAN : s->xy;
    }
    return OK;
}

static Status update(AggCall *call, const Vector *const *in, uint32_t rows, void *const *states,
                     void *one)
{
    Status st = OK;

    for (uint32_t i = 0; i < rows; i++) {
        if (vector_is_null(in[0], i) || vector_is_null(in[1], i))
            continue;
        TRY(add_pair(call->ctx, one ? one : states[i], vector_at(in[0], double, i),
                     vector_at(in[1], double, i)));
    }
done:
    return st;
}

static Status combine(AggCall *call, void *into, const void *from)
{
    PairState *s = into;
    const PairState *f = from;

    if (f->count == 0)
        return OK;
    if (s->count == 0) {
        *s = *f;
        return OK;
    }
    PairState old = *s;
    double count = s->count + f->count;
    double dx = s->sum_x / s->count - f->sum_x / f->count;
    double dy = s->sum_y / s->count - f->sum_y / f->count;
    double weight = s->count * f->count / count;
    *s = (PairState){.count = count,
                     .sum_x = s->sum_x + f->sum_x,
                     .sum_y = s->sum_y + f->sum_y,
                     .xx = s->xx + f->xx + weight * dx * dx,
                     .yy = s->yy + f->yy + weight * dy * dy,
                     .xy = s->xy + f->xy + weight * dx * dy};
    bool was_finite =
        !isinf(old.sum_x) && !isinf(f->sum_x) && !isinf(old.sum_y) && !isinf(f->sum_y);
    if (was_finite && (isinf(s->xx) || isinf(s->yy) || isinf(s->xy)))
        return overflow(call->ctx);
    return OK;
}

#define PAIR_AGG(prefix, is_null, value)                                                    \
    AGG_BYTES(prefix, PairState)                                                            \
    Status agg_##prefix##_update(AggCall *call, const Vector *const *in, uint32_t rows,     \
                                 void *const *states)                                       \
    {                                                                                       \
        return update(call, in, rows, states, NULL);                                        \
    }                                                                                       \
    Status agg_##prefix##_update_one(AggCall *call, const Vector *const *in, uint32_t rows, \
                                     void *state)                                           \
    {                                                                                       \
        return update(call, in, rows, NULL, state);                                         \
    }                                                                                       \
    Status agg_##prefix##_combine(AggCall *call, void *into, const void *from)              \
    {                                                                                       \
        return combine(call, into, from);                                                   \
    }                                                                                       \
    AGG_FINISH(prefix, PairState, is_null, vector_flat(out, double)[i] = (value))

static double determination(const PairState *s)
{
    return s->yy == 0 ? 1.0 : (s->xy * s->xy) / (s->xx * s->yy);
}

PAIR_AGG(regr_sxx, s->count < 1, s->xx)
PAIR_AGG(regr_syy, s->count < 1, s->yy)
PAIR_AGG(regr_sxy, s->count < 1, s->xy)
PAIR_AGG(regr_avgx, s->count < 1, s->sum_x / s->count)
PAIR_AGG(regr_avgy, s->count < 1, s->sum_y / s->count)
PAIR_AGG(covar_pop, s->count < 1, s->xy / s->count)
PAIR_AGG(covar_samp, s->count < 2, s->xy / (s->count - 1))
PAIR_AGG(corr, s->count < 1 || s->xx == 0 || s->yy == 0, s->xy / sqrt(s->xx * s->yy))
PAIR_AGG(regr_r2, s->count < 1 || s->xx == 0, determination(s))
PAIR_AGG(regr_slope, s->count < 1 || s->xx == 0, s->xy / s->xx)
PAIR_AGG(regr_intercept, s->count < 1 || s->xx == 0,
         (s->sum_y - s->sum_x * s->xy / s->xx) / s->count)

/* --- regr_count --- */

AGG_BYTES(regr_count, int64_t)

Status agg_regr_count_update(UNUSED AggCall *call, const Vector *const *in, uint32_t rows,
                             void *const *states)
{
    for (uint32_t i = 0; i < rows; i++)
        *(int64_t *)states[i] += !vector_is_null(in[0], i) && !vector_is_null(in[1], i);
    return OK;
}

Status agg_regr_count_update_one(UNUSED AggCall *call, const Vector *const *in, uint32_t rows,
                                 void *state)
{
    for (uint32_t i = 0; i < rows; i++)
        *(int64_t *)state += !vector_is_null(in[0], i) && !vector_is_null(in[1], i);
    return OK;
}

Status agg_regr_count_combine(UNUSED AggCall *call, void *into, const void *from)
{
    *(int64_t *)into += *(const int64_t *)from;
    return OK;
}

AGG_FINISH(regr_count, int64_t, false, vector_flat(out, int64_t)[i] = *s)

/* --- bit_and, bit_or, bit_xor --- */

typedef struct BitState {
    int64_t value;
    bool any;
} BitState;

static ALWAYS_INLINE int64_t int_at(const Vector *v, uint32_t at)
{
    switch (v->phys) {
    case PHYS_INT16: return ((const int16_t *)v->values)[at];
    case PHYS_INT32: return ((const int32_t *)v->values)[at];
    default: return ((const int64_t *)v->values)[at];
    }
}

static void put_int(Vector *out, uint32_t row, int64_t value)
{
    switch (out->phys) {
    case PHYS_INT16: vector_flat(out, int16_t)[row] = (int16_t)value; break;
    case PHYS_INT32: vector_flat(out, int32_t)[row] = (int32_t)value; break;
    default: vector_flat(out, int64_t)[row] = value; break;
    }
}

#define BIT_AGG(prefix, op)                                                           \
    AGG_BYTES(prefix, BitState)                                                       \
    AGG_UPDATES(prefix, BitState, ,                                                   \
                s->value = s->any ? (s->value op int_at(v, at)) : int_at(v, at);      \
                s->any = true)                                                        \
    Status agg_##prefix##_combine(UNUSED AggCall *call, void *into, const void *from) \
    {                                                                                 \
        BitState *s = into;                                                           \
        const BitState *f = from;                                                     \
        if (f->any)                                                                   \
            *s = (BitState){s->any ? (s->value op f->value) : f->value, true};        \
        return OK;                                                                    \
    }                                                                                 \
    AGG_FINISH(prefix, BitState, !s->any, put_int(out, i, s->value))

BIT_AGG(bit_and, &)
BIT_AGG(bit_or, |)
BIT_AGG(bit_xor, ^)
