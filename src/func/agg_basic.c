// SPDX-License-Identifier: Apache-2.0
//
// count, sum, avg, bool_and, bool_or. Integers add up in 128 bits, so partial sums cannot overflow;
// what does not fit the result type fails at the end, as PostgreSQL's sums do. See agg.h.
#include "func/agg.h"
#include "types/datetime.h"
#include "types/numeric.h"

typedef struct CountState {
    int64_t count;
} CountState;

AGG_BYTES(count_star, CountState)
AGG_BYTES(count, CountState)

Status agg_count_star_update(UNUSED AggCall *call, UNUSED const Vector *const *in, uint32_t rows,
                             void *const *states)
{
    for (uint32_t i = 0; i < rows; i++)
        ((CountState *)states[i])->count++;
    return OK;
}

Status agg_count_star_update_one(UNUSED AggCall *call, UNUSED const Vector *const *in,
                                 uint32_t rows, void *state)
{
    ((CountState *)state)->count += rows;
    return OK;
}

Status agg_count_update(AggCall *call, const Vector *const *in, uint32_t rows, void *const *states)
{
    if (in[0]->validity == NULL)
        return agg_count_star_update(call, in, rows, states);
    for (uint32_t i = 0; i < rows; i++)
        ((CountState *)states[i])->count += !vector_is_null(in[0], i);
    return OK;
}

Status agg_count_update_one(UNUSED AggCall *call, const Vector *const *in, uint32_t rows,
                            void *state)
{
    CountState *s = state;

    if (in[0]->validity == NULL) {
        s->count += rows;
        return OK;
    }
    for (uint32_t i = 0; i < rows; i++)
        s->count += !vector_is_null(in[0], i);
    return OK;
}

Status agg_count_combine(UNUSED AggCall *call, void *into, const void *from)
{
    ((CountState *)into)->count += ((const CountState *)from)->count;
    return OK;
}

Status agg_count_star_combine(AggCall *call, void *into, const void *from)
{
    return agg_count_combine(call, into, from);
}

AGG_FINISH(count, CountState, false, vector_flat(out, int64_t)[i] = s->count)
AGG_FINISH(count_star, CountState, false, vector_flat(out, int64_t)[i] = s->count)

/* Sums of integers and of scaled numerics. */
typedef struct SumState {
    int128_t sum;
    int64_t count;
} SumState;

static ALWAYS_INLINE int64_t int_at(const Vector *v, uint32_t at)
{
    switch (v->phys) {
    case PHYS_INT16: return ((const int16_t *)v->values)[at];
    case PHYS_INT32: return ((const int32_t *)v->values)[at];
    default: return ((const int64_t *)v->values)[at];
    }
}

#define SUM_COMBINE(prefix)                                                           \
    Status agg_##prefix##_combine(UNUSED AggCall *call, void *into, const void *from) \
    {                                                                                 \
        ((SumState *)into)->sum += ((const SumState *)from)->sum;                     \
        ((SumState *)into)->count += ((const SumState *)from)->count;                 \
        return OK;                                                                    \
    }

AGG_BYTES(sum_int, SumState)
AGG_UPDATES(sum_int, SumState, , s->sum += int_at(v, at); s->count++)
SUM_COMBINE(sum_int)

Status agg_sum_int_finish(AggCall *call, void *const *states, uint32_t count, Vector *out)
{
    for (uint32_t i = 0; i < count; i++) {
        const SumState *s = states[i];
        if (s->count == 0)
            bitmap_clear(vector_make_validity(out, call->scope, count), i);
        else if (s->sum > INT64_MAX || s->sum < INT64_MIN)
            return error_raise(call->ctx, E_NUMERIC_OUT_OF_RANGE, "bigint out of range");
        else
            vector_flat(out, int64_t)[i] = (int64_t)s->sum;
    }
    return OK;
}

AGG_BYTES(sum_int8, SumState)
AGG_UPDATES(sum_int8, SumState, , s->sum += int_at(v, at); s->count++)
SUM_COMBINE(sum_int8)
AGG_FINISH(sum_int8, SumState, s->count == 0,
           vector_flat(out, Numeric)[i] = numeric_from_scaled(s->sum, 0))

AGG_BYTES(avg_int, SumState)
AGG_UPDATES(avg_int, SumState, , s->sum += int_at(v, at); s->count++)
SUM_COMBINE(avg_int)

static Status average(Ctx *ctx, const Numeric *sum, int64_t count, Numeric *out)
{
    Numeric divisor = numeric_from_int64(count);
    return numeric_div(ctx, sum, &divisor, out);
}

Status agg_avg_int_finish(AggCall *call, void *const *states, uint32_t count, Vector *out)
{
    Status st = OK;

    for (uint32_t i = 0; i < count; i++) {
        const SumState *s = states[i];
        if (s->count == 0) {
            bitmap_clear(vector_make_validity(out, call->scope, count), i);
            continue;
        }
        Numeric sum = numeric_from_scaled(s->sum, 0);
        TRY(average(call->ctx, &sum, s->count, &vector_flat(out, Numeric)[i]));
    }
done:
    return st;
}

/* Numerics: scaled ones add as integers, the others as Numeric. One of the two is in use, by the
   argument's type. */
typedef struct NumericState {
    union {
        int128_t scaled;
        Numeric sum;
    };
    int64_t count;
    int64_t padding;
} NumericState;

static bool is_scaled(const AggCall *call)
{
    return type_phys(call->arg_types[0]) != PHYS_NUMERIC;
}

static Status add_scaled(Ctx *ctx, NumericState *s, int128_t value, int64_t count)
{
    if (UNLIKELY(__builtin_add_overflow(s->scaled, value, &s->scaled)))
        return numeric_overflow(ctx);
    s->count += count;
    return OK;
}

static Status add_numeric(Ctx *ctx, NumericState *s, const Numeric *value, int64_t count)
{
    Status st = OK;

    if (s->count == 0)
        s->sum = *value;
    else
        TRY(numeric_add(ctx, &s->sum, value, &s->sum));
    s->count += count;
done:
    return st;
}

static Status numeric_update(AggCall *call, const Vector *v, uint32_t rows, void *const *states,
                             void *one)
{
    Status st = OK;

    for (uint32_t i = 0; i < rows; i++) {
        uint32_t at = vector_index(v, i);
        if (v->validity && !bitmap_get(v->validity, at))
            continue;
        NumericState *s = one ? one : states[i];
        if (v->phys == PHYS_INT64) {
            s->scaled += ((const int64_t *)v->values)[at]; /* 2^64 rows before it overflows */
            s->count++;
        } else if (v->phys == PHYS_INT128) {
            TRY(add_scaled(call->ctx, s, ((const int128_t *)v->values)[at], 1));
        } else {
            TRY(add_numeric(call->ctx, s, &((const Numeric *)v->values)[at], 1));
        }
    }
done:
    return st;
}

static Status numeric_combine(AggCall *call, void *into, const void *from)
{
    const NumericState *f = from;

    if (f->count == 0)
        return OK;
    if (is_scaled(call))
        return add_scaled(call->ctx, into, f->scaled, f->count);
    return add_numeric(call->ctx, into, &f->sum, f->count);
}

#define NUMERIC_AGG(prefix)                                                                 \
    AGG_BYTES(prefix, NumericState)                                                         \
    Status agg_##prefix##_update(AggCall *call, const Vector *const *in, uint32_t rows,     \
                                 void *const *states)                                       \
    {                                                                                       \
        return numeric_update(call, in[0], rows, states, NULL);                             \
    }                                                                                       \
    Status agg_##prefix##_update_one(AggCall *call, const Vector *const *in, uint32_t rows, \
                                     void *state)                                           \
    {                                                                                       \
        return numeric_update(call, in[0], rows, NULL, state);                              \
    }                                                                                       \
    Status agg_##prefix##_combine(AggCall *call, void *into, const void *from)              \
    {                                                                                       \
        return numeric_combine(call, into, from);                                           \
    }

NUMERIC_AGG(sum_numeric)
NUMERIC_AGG(avg_numeric)

static Numeric state_sum(const AggCall *call, const NumericState *s)
{
    return is_scaled(call) ? numeric_from_scaled(s->scaled, type_numeric_scale(call->arg_types[0]))
                           : s->sum;
}

Status agg_sum_numeric_finish(AggCall *call, void *const *states, uint32_t count, Vector *out)
{
    for (uint32_t i = 0; i < count; i++) {
        const NumericState *s = states[i];
        int128_t limit = int128_pow10[NUMERIC_PRECISION_MAX];
        if (s->count == 0) {
            bitmap_clear(vector_make_validity(out, call->scope, count), i);
            continue;
        }
        if (is_scaled(call) && (s->scaled >= limit || s->scaled <= -limit))
            return numeric_overflow(call->ctx);
        if (out->phys == PHYS_INT128)
            vector_flat(out, int128_t)[i] = s->scaled;
        else
            vector_flat(out, Numeric)[i] = state_sum(call, s);
    }
    return OK;
}

Status agg_avg_numeric_finish(AggCall *call, void *const *states, uint32_t count, Vector *out)
{
    Status st = OK;

    for (uint32_t i = 0; i < count; i++) {
        const NumericState *s = states[i];
        if (s->count == 0) {
            bitmap_clear(vector_make_validity(out, call->scope, count), i);
            continue;
        }
        Numeric sum = state_sum(call, s);
        TRY(average(call->ctx, &sum, s->count, &vector_flat(out, Numeric)[i]));
    }
done:
    return st;
}

typedef struct FloatState {
    double sum;
    int64_t count;
} FloatState;

static ALWAYS_INLINE double float_at(const Vector *v, uint32_t at)
{
    return v->phys == PHYS_FLOAT32 ? ((const float *)v->values)[at]
                                   : ((const double *)v->values)[at];
}

#define FLOAT_AGG(prefix)                                                             \
    AGG_BYTES(prefix, FloatState)                                                     \
    AGG_UPDATES(prefix, FloatState, , s->sum += float_at(v, at); s->count++)          \
    Status agg_##prefix##_combine(UNUSED AggCall *call, void *into, const void *from) \
    {                                                                                 \
        ((FloatState *)into)->sum += ((const FloatState *)from)->sum;                 \
        ((FloatState *)into)->count += ((const FloatState *)from)->count;             \
        return OK;                                                                    \
    }

FLOAT_AGG(sum_float)
FLOAT_AGG(avg_float)

AGG_FINISH(sum_float, FloatState, s->count == 0,
           if (out->phys == PHYS_FLOAT32) vector_flat(out, float)[i] = (float)s->sum;
           else vector_flat(out, double)[i] = s->sum)
AGG_FINISH(avg_float, FloatState, s->count == 0,
           vector_flat(out, double)[i] = s->sum / (double)s->count)

typedef struct IntervalState {
    Interval sum;
    int64_t count;
} IntervalState;

static Status interval_update(AggCall *call, const Vector *v, uint32_t rows, void *const *states,
                              void *one)
{
    Status st = OK;

    for (uint32_t i = 0; i < rows; i++) {
        uint32_t at = vector_index(v, i);
        if (v->validity && !bitmap_get(v->validity, at))
            continue;
        IntervalState *s = one ? one : states[i];
        TRY(interval_add(call->ctx, s->sum, ((const Interval *)v->values)[at], &s->sum));
        s->count++;
    }
done:
    return st;
}

#define INTERVAL_AGG(prefix)                                                                 \
    AGG_BYTES(prefix, IntervalState)                                                         \
    Status agg_##prefix##_update(AggCall *call, const Vector *const *in, uint32_t rows,      \
                                 void *const *states)                                        \
    {                                                                                        \
        return interval_update(call, in[0], rows, states, NULL);                             \
    }                                                                                        \
    Status agg_##prefix##_update_one(AggCall *call, const Vector *const *in, uint32_t rows,  \
                                     void *state)                                            \
    {                                                                                        \
        return interval_update(call, in[0], rows, NULL, state);                              \
    }                                                                                        \
    Status agg_##prefix##_combine(AggCall *call, void *into, const void *from)               \
    {                                                                                        \
        IntervalState *s = into;                                                             \
        s->count += ((const IntervalState *)from)->count;                                    \
        return interval_add(call->ctx, s->sum, ((const IntervalState *)from)->sum, &s->sum); \
    }

INTERVAL_AGG(sum_interval)
INTERVAL_AGG(avg_interval)
AGG_FINISH(sum_interval, IntervalState, s->count == 0, vector_flat(out, Interval)[i] = s->sum)

Status agg_avg_interval_finish(AggCall *call, void *const *states, uint32_t count, Vector *out)
{
    Status st = OK;

    for (uint32_t i = 0; i < count; i++) {
        const IntervalState *s = states[i];
        if (s->count == 0)
            bitmap_clear(vector_make_validity(out, call->scope, count), i);
        else
            TRY(interval_divide(call->ctx, s->sum, (double)s->count,
                                &vector_flat(out, Interval)[i]));
    }
done:
    return st;
}

typedef struct BoolState {
    bool any;
    bool value;
} BoolState;

#define BOOL_AGG(prefix, op)                                                          \
    AGG_BYTES(prefix, BoolState)                                                      \
    AGG_UPDATES(prefix, BoolState, const uint8_t *values = v->values,                 \
                s->value = s->any ? (s->value op values[at]) : values[at];            \
                s->any = true)                                                        \
    Status agg_##prefix##_combine(UNUSED AggCall *call, void *into, const void *from) \
    {                                                                                 \
        BoolState *s = into;                                                          \
        const BoolState *f = from;                                                    \
        if (f->any)                                                                   \
            *s = (BoolState){true, s->any ? (s->value op f->value) : f->value};       \
        return OK;                                                                    \
    }                                                                                 \
    AGG_FINISH(prefix, BoolState, !s->any, vector_flat(out, uint8_t)[i] = s->value)

BOOL_AGG(bool_and, &&)
BOOL_AGG(bool_or, ||)
