// SPDX-License-Identifier: Apache-2.0
//
// Variance and standard deviation. Integers and numerics: exact sums of x and x*x as 128- and
// 256-bit integers at the largest scale seen, one division at the end, so that digits are
// PostgreSQL's. Floats: Youngs and Cramer's method, as PostgreSQL. See agg.h.
#include "func/agg.h"
#include "types/numeric.h"
#include "types/wide.h"

#include <math.h>

typedef struct VarState {
    int128_t sum;
    Wide squares; /* sum of x * x */
    int64_t count;
    int32_t scale; /* sum is scaled by it, squares by twice as much */
    bool special;  /* a NaN or an infinity was seen: the result is NaN */
} VarState;

AGG_BYTES(var_pop, VarState)
AGG_BYTES(var_samp, VarState)
AGG_BYTES(stddev_pop, VarState)
AGG_BYTES(stddev_samp, VarState)

static uint128_t magnitude(int128_t x)
{
    return x < 0 ? -(uint128_t)x : (uint128_t)x;
}

/* False if the sum needs more than 256 bits. */
static bool add_wide(Wide *into, const Wide *by)
{
    unsigned carry = 0;

    for (int i = 0; i < 4; i++) {
        uint64_t sum;
        unsigned over = __builtin_add_overflow(into->words[i], by->words[i], &sum);
        over += __builtin_add_overflow(sum, (uint64_t)carry, &into->words[i]);
        carry = over;
    }
    return carry == 0;
}

/* a - b. REQUIRES: a >= b. */
static Wide subtract_wide(const Wide *a, const Wide *b)
{
    Wide result;
    unsigned borrow = 0;

    for (int i = 0; i < 4; i++) {
        uint64_t difference;
        unsigned under = __builtin_sub_overflow(a->words[i], b->words[i], &difference);
        under += __builtin_sub_overflow(difference, (uint64_t)borrow, &result.words[i]);
        borrow = under;
    }
    return result;
}

/* x * m, false if it needs more than 256 bits. */
static bool multiply_wide(Wide *x, uint128_t m)
{
    Wide low = wide_mul((uint128_t)x->words[1] << 64 | x->words[0], m);
    Wide high = wide_mul((uint128_t)x->words[3] << 64 | x->words[2], m);

    if (high.words[2] | high.words[3])
        return false;
    Wide shifted = {{0, 0, high.words[0], high.words[1]}};
    *x = low;
    return add_wide(x, &shifted);
}

/* Brings the sums to a larger scale. */
static bool rescale(VarState *s, int32_t scale)
{
    int32_t by = scale - s->scale;

    s->scale = scale;
    if (s->count == 0)
        return true;
    return !__builtin_mul_overflow(s->sum, int128_pow10[by], &s->sum) &&
           multiply_wide(&s->squares, (uint128_t)int128_pow10[by]) &&
           multiply_wide(&s->squares, (uint128_t)int128_pow10[by]);
}

static Status add_value(Ctx *ctx, VarState *s, int128_t x, int32_t scale)
{
    bool fits = scale <= s->scale || rescale(s, scale);

    if (scale < s->scale)
        fits = fits && !__builtin_mul_overflow(x, int128_pow10[s->scale - scale], &x);
    if (!fits || __builtin_add_overflow(s->sum, x, &s->sum))
        return numeric_overflow(ctx);
    Wide square = wide_mul(magnitude(x), magnitude(x));
    if (!add_wide(&s->squares, &square))
        return numeric_overflow(ctx);
    s->count++;
    return OK;
}

static Status add_numeric(Ctx *ctx, VarState *s, const Numeric *x)
{
    if (!numeric_is_special(x))
        return add_value(ctx, s, x->coefficient, x->scale);
    s->special = true;
    s->count++;
    return OK;
}

static Status update(AggCall *call, const Vector *v, uint32_t rows, void *const *states, void *one)
{
    Status st = OK;
    SqlType type = call->arg_types[0];
    int32_t scale =
        type.oid == OID_NUMERIC && v->phys != PHYS_NUMERIC ? type_numeric_scale(type) : 0;

    for (uint32_t i = 0; i < rows; i++) {
        uint32_t at = vector_index(v, i);
        if (v->validity && !bitmap_get(v->validity, at))
            continue;
        VarState *s = one ? one : states[i];
        switch (v->phys) {
        case PHYS_INT16:
            TRY(add_value(call->ctx, s, ((const int16_t *)v->values)[at], scale));
            break;
        case PHYS_INT32:
            TRY(add_value(call->ctx, s, ((const int32_t *)v->values)[at], scale));
            break;
        case PHYS_INT64:
            TRY(add_value(call->ctx, s, ((const int64_t *)v->values)[at], scale));
            break;
        case PHYS_INT128:
            TRY(add_value(call->ctx, s, ((const int128_t *)v->values)[at], scale));
            break;
        default: TRY(add_numeric(call->ctx, s, &((const Numeric *)v->values)[at])); break;
        }
    }
done:
    return st;
}

static Status combine(AggCall *call, void *into, const void *from)
{
    VarState *s = into;
    VarState f = *(const VarState *)from;
    int32_t scale = MAX(s->scale, f.scale);

    if (!rescale(s, scale) || !rescale(&f, scale) ||
        __builtin_add_overflow(s->sum, f.sum, &s->sum) || !add_wide(&s->squares, &f.squares))
        return numeric_overflow(call->ctx);
    s->count += f.count;
    s->special |= f.special;
    return OK;
}

/* dividend / divisor, where the dividend has more digits than a Numeric: the quotient gets as many
   digits behind the point as fit. */
static Status divide_wide(Ctx *ctx, const Wide *dividend, int scale, uint128_t divisor,
                          Numeric *out)
{
    for (int kept = MIN(scale, NUMERIC_PRECISION_MAX); kept >= 0; kept--) {
        uint128_t remainder = 0;
        Wide quotient = *dividend;
        for (int drop = scale - kept; drop > 0; drop -= NUMERIC_PRECISION_MAX)
            quotient = wide_div(
                &quotient, (uint128_t)int128_pow10[MIN(drop, NUMERIC_PRECISION_MAX)], &remainder);
        quotient = wide_div(&quotient, divisor, &remainder);
        if (remainder >= divisor - remainder)
            quotient = wide_add(&quotient, 1);
        if (!wide_fits_128(&quotient) || int128_digits(wide_low(&quotient)) > NUMERIC_PRECISION_MAX)
            continue;
        *out = numeric_from_scaled((int128_t)wide_low(&quotient), kept);
        return OK;
    }
    return numeric_overflow(ctx);
}

static Status variance(Ctx *ctx, const VarState *s, bool sample, Numeric *out)
{
    Status st = OK;
    Wide scaled = s->squares;
    Wide square = wide_mul(magnitude(s->sum), magnitude(s->sum));
    uint128_t divisor = (uint128_t)s->count * (uint128_t)(s->count - sample);

    *out = numeric_from_int64(0);
    if (s->special) {
        *out = numeric_special(NUMERIC_NAN);
        goto done;
    }
    if (!multiply_wide(&scaled, (uint128_t)s->count))
        TRY(numeric_overflow(ctx));
    if (wide_compare(&scaled, &square) <= 0)
        goto done;
    Wide dividend = subtract_wide(&scaled, &square);
    bool fits = wide_fits_128(&dividend) && 2 * s->scale <= NUMERIC_PRECISION_MAX &&
                int128_digits(wide_low(&dividend)) <= NUMERIC_PRECISION_MAX;
    if (!fits) {
        TRY(divide_wide(ctx, &dividend, 2 * s->scale, divisor, out));
        goto done;
    }
    Numeric a = numeric_from_scaled((int128_t)wide_low(&dividend), 2 * s->scale);
    Numeric b = numeric_from_scaled((int128_t)divisor, 0);
    TRY(numeric_div(ctx, &a, &b, out));
done:
    return st;
}

static Status finish_one(Ctx *ctx, const VarState *s, bool sample, bool deviation, Numeric *out)
{
    Status st = OK;
    Numeric zero = {0};

    TRY(variance(ctx, s, sample, out));
    if (deviation && numeric_compare(out, &zero) != 0 && !numeric_is_special(out)) {
        int scale = out->scale;
        TRY(numeric_sqrt(ctx, out, out));
        TRY(numeric_round(ctx, out, scale, out));
    }
done:
    return st;
}

static Status finish(AggCall *call, void *const *states, uint32_t count, Vector *out, bool sample,
                     bool deviation)
{
    Status st = OK;

    for (uint32_t i = 0; i < count; i++) {
        const VarState *s = states[i];
        if (s->count <= sample)
            bitmap_clear(vector_make_validity(out, call->scope, count), i);
        else
            TRY(finish_one(call->ctx, s, sample, deviation, &vector_flat(out, Numeric)[i]));
    }
done:
    return st;
}

/* --- floats --- */

typedef struct FloatState {
    double count;
    double sum;
    double squares; /* of differences from the mean */
} FloatState;

AGG_BYTES(var_pop_float, FloatState)
AGG_BYTES(var_samp_float, FloatState)
AGG_BYTES(stddev_pop_float, FloatState)
AGG_BYTES(stddev_samp_float, FloatState)

static bool is_finite(double x)
{
    return !isnan(x) && !isinf(x);
}

static Status add_float(Ctx *ctx, FloatState *s, double x)
{
    double old_sum = s->sum;

    s->count += 1;
    s->sum += x;
    if (s->count <= 1) {
        if (!is_finite(x))
            s->squares = NAN;
        return OK;
    }
    double difference = x * s->count - s->sum;
    s->squares += difference * difference / (s->count * (s->count - 1));
    if (isinf(s->sum) || isinf(s->squares)) {
        if (!isinf(old_sum) && !isinf(x))
            return error_raise(ctx, E_NUMERIC_OUT_OF_RANGE, "value out of range: overflow");
        s->squares = NAN;
    }
    return OK;
}

static Status update_float(AggCall *call, const Vector *v, uint32_t rows, void *const *states,
                           void *one)
{
    Status st = OK;

    for (uint32_t i = 0; i < rows; i++) {
        uint32_t at = vector_index(v, i);
        if (v->validity && !bitmap_get(v->validity, at))
            continue;
        double x = v->phys == PHYS_FLOAT32 ? (double)((const float *)v->values)[at]
                                           : ((const double *)v->values)[at];
        TRY(add_float(call->ctx, one ? one : states[i], x));
    }
done:
    return st;
}

static Status combine_float(AggCall *call, void *into, const void *from)
{
    FloatState *s = into;
    const FloatState *f = from;

    if (f->count == 0)
        return OK;
    if (s->count == 0) {
        *s = *f;
        return OK;
    }
    bool was_finite = !isinf(s->squares) && !isinf(f->squares);
    double count = s->count + f->count;
    double difference = s->sum / s->count - f->sum / f->count;
    double squares =
        s->squares + f->squares + s->count * f->count * difference * difference / count;
    if (isinf(squares) && was_finite)
        return error_raise(call->ctx, E_NUMERIC_OUT_OF_RANGE, "value out of range: overflow");
    *s = (FloatState){count, s->sum + f->sum, squares};
    return OK;
}

static Status finish_float(AggCall *call, void *const *states, uint32_t count, Vector *out,
                           bool sample, bool deviation)
{
    for (uint32_t i = 0; i < count; i++) {
        const FloatState *s = states[i];
        if (s->count <= sample) {
            bitmap_clear(vector_make_validity(out, call->scope, count), i);
            continue;
        }
        double variance = s->squares / (s->count - sample);
        vector_flat(out, double)[i] = deviation ? sqrt(variance) : variance;
    }
    return OK;
}

#define VARIANCE_AGG(prefix, kind, sample, deviation)                                             \
    Status agg_##prefix##_update(AggCall *call, const Vector *const *in, uint32_t rows,           \
                                 void *const *states)                                             \
    {                                                                                             \
        return update##kind(call, in[0], rows, states, NULL);                                     \
    }                                                                                             \
    Status agg_##prefix##_update_one(AggCall *call, const Vector *const *in, uint32_t rows,       \
                                     void *state)                                                 \
    {                                                                                             \
        return update##kind(call, in[0], rows, NULL, state);                                      \
    }                                                                                             \
    Status agg_##prefix##_combine(AggCall *call, void *into, const void *from)                    \
    {                                                                                             \
        return combine##kind(call, into, from);                                                   \
    }                                                                                             \
    Status agg_##prefix##_finish(AggCall *call, void *const *states, uint32_t count, Vector *out) \
    {                                                                                             \
        return finish##kind(call, states, count, out, sample, deviation);                         \
    }

VARIANCE_AGG(var_pop, , false, false)
VARIANCE_AGG(var_samp, , true, false)
VARIANCE_AGG(stddev_pop, , false, true)
VARIANCE_AGG(stddev_samp, , true, true)
VARIANCE_AGG(var_pop_float, _float, false, false)
VARIANCE_AGG(var_samp_float, _float, true, false)
VARIANCE_AGG(stddev_pop_float, _float, false, true)
VARIANCE_AGG(stddev_samp_float, _float, true, true)
