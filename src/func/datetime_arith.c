// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic of dates, times and intervals: the operators, age, justify_*, date_bin, overlaps. The
// rules are those of types/datetime.h. See kernel.h.
#include "func/rows.h"
#include "types/datetime.h"

static const TimeZone *zone_of(const FuncCall *call)
{
    return call->io ? call->io->zone : NULL;
}

/* --- a date and a number of days --- */

static Status add_days(FuncCall *call, const Vector *const *args, uint32_t rows, Vector *out,
                       uint32_t date_at, int sign)
{
    Status st = OK;
    int32_t *r = out->values;

    for (uint32_t i = 0; i < rows; i++) {
        if (!kernel_row_valid(out, i))
            continue;
        int32_t days = KERNEL_ARG(int32_t, 1 - date_at);
        int64_t signed_days = (int64_t)days * sign;
        if (signed_days > INT32_MAX)
            FAIL(call->ctx, E_DATETIME_OVERFLOW, "date out of range");
        TRY(date_add_days(call->ctx, KERNEL_ARG(int32_t, date_at), (int32_t)signed_days, &r[i]));
    }
done:
    return st;
}

Status func_date_pli(KERNEL_PARAMS)
{
    return add_days(call, args, rows, out, 0, 1);
}

Status func_integer_pl_date(KERNEL_PARAMS)
{
    return add_days(call, args, rows, out, 1, 1);
}

Status func_date_mii(KERNEL_PARAMS)
{
    return add_days(call, args, rows, out, 0, -1);
}

KERNEL_TRY_ROWS(func_date_mi, {
    int32_t a = KERNEL_ARG(int32_t, 0);
    int32_t b = KERNEL_ARG(int32_t, 1);
    if (!date_is_finite(a) || !date_is_finite(b))
        FAIL(call->ctx, E_DATETIME_OVERFLOW, "cannot subtract infinite dates");
    KERNEL_RESULT(int32_t) = (int32_t)((uint32_t)a - (uint32_t)b);
})

/* --- a moment and an interval --- */

static Status date_add(FuncCall *call, int32_t date, Interval interval, int64_t *out)
{
    Status st = OK;
    int64_t midnight;

    TRY(date_to_timestamp(call->ctx, date, &midnight));
    TRY(timestamp_add(call->ctx, midnight, interval, out));
done:
    return st;
}

#define MOMENT_PLUS(name, T, moment_at, interval_at, negative, add)                  \
    KERNEL_TRY_ROWS(name, {                                                          \
        Interval by = KERNEL_ARG(Interval, interval_at);                             \
        if (negative)                                                                \
            TRY(interval_negate(call->ctx, by, &by));                                \
        TRY(add(call, KERNEL_ARG(T, moment_at), by, &vector_flat(out, int64_t)[i])); \
    })

static Status local_add(FuncCall *call, int64_t timestamp, Interval interval, int64_t *out)
{
    return timestamp_add(call->ctx, timestamp, interval, out);
}

static Status instant_add(FuncCall *call, int64_t instant, Interval interval, int64_t *out)
{
    return timestamptz_add(call->ctx, instant, interval, zone_of(call), out);
}

static Status clock_add(UNUSED FuncCall *call, int64_t time, Interval interval, int64_t *out)
{
    *out = time_add(time, interval);
    return OK;
}

MOMENT_PLUS(func_date_pl_interval, int32_t, 0, 1, false, date_add)
MOMENT_PLUS(func_date_mi_interval, int32_t, 0, 1, true, date_add)
MOMENT_PLUS(func_interval_pl_date, int32_t, 1, 0, false, date_add)
MOMENT_PLUS(func_timestamp_pl_interval, int64_t, 0, 1, false, local_add)
MOMENT_PLUS(func_timestamp_mi_interval, int64_t, 0, 1, true, local_add)
MOMENT_PLUS(func_interval_pl_timestamp, int64_t, 1, 0, false, local_add)
MOMENT_PLUS(func_timestamptz_pl_interval, int64_t, 0, 1, false, instant_add)
MOMENT_PLUS(func_timestamptz_mi_interval, int64_t, 0, 1, true, instant_add)
MOMENT_PLUS(func_interval_pl_timestamptz, int64_t, 1, 0, false, instant_add)
MOMENT_PLUS(func_time_pl_interval, int64_t, 0, 1, false, clock_add)
MOMENT_PLUS(func_time_mi_interval, int64_t, 0, 1, true, clock_add)
MOMENT_PLUS(func_interval_pl_time, int64_t, 1, 0, false, clock_add)

#define DATE_AND_TIME(name, date_at, time_at)                                                 \
    KERNEL_TRY_ROWS(name, {                                                                   \
        Interval by = {.us = KERNEL_ARG(int64_t, time_at)};                                   \
        TRY(date_add(call, KERNEL_ARG(int32_t, date_at), by, &vector_flat(out, int64_t)[i])); \
    })

DATE_AND_TIME(func_datetime_pl, 0, 1)
DATE_AND_TIME(func_timedate_pl, 1, 0)

KERNEL_TRY_ROWS(func_timestamp_mi,
                TRY(timestamp_subtract(call->ctx, KERNEL_ARG(int64_t, 0), KERNEL_ARG(int64_t, 1),
                                       &vector_flat(out, Interval)[i]));)

KERNEL_ROWS(func_time_mi_time, KERNEL_RESULT(Interval) = (Interval){.us = KERNEL_ARG(int64_t, 0) -
                                                                          KERNEL_ARG(int64_t, 1)};)

/* --- intervals --- */

#define INTERVAL2(name, B, op)                                                         \
    KERNEL_TRY_ROWS(name, TRY(op(call->ctx, KERNEL_ARG(Interval, 0), KERNEL_ARG(B, 1), \
                                 &vector_flat(out, Interval)[i]));)
#define INTERVAL1(name, op) \
    KERNEL_TRY_ROWS(name,   \
                    TRY(op(call->ctx, KERNEL_ARG(Interval, 0), &vector_flat(out, Interval)[i]));)

INTERVAL2(func_interval_pl, Interval, interval_add)
INTERVAL2(func_interval_mi, Interval, interval_subtract)
INTERVAL2(func_interval_mul, double, interval_multiply)
INTERVAL2(func_interval_div, double, interval_divide)
INTERVAL1(func_interval_um, interval_negate)
INTERVAL1(func_justify_days, interval_justify_days)
INTERVAL1(func_justify_hours, interval_justify_hours)
INTERVAL1(func_justify_interval, interval_justify)

KERNEL_TRY_ROWS(func_mul_d_interval,
                TRY(interval_multiply(call->ctx, KERNEL_ARG(Interval, 1), KERNEL_ARG(double, 0),
                                      &vector_flat(out, Interval)[i]));)

KERNEL1(func_isfinite_date, int32_t, uint8_t, date_is_finite(x))
KERNEL1(func_isfinite_timestamp, int64_t, uint8_t, timestamp_is_finite(x))

Status func_isfinite_interval(KERNEL_PARAMS)
{
    memset(out->values, 1, rows);
    return OK;
}

/* --- age --- */

KERNEL_TRY_ROWS(func_age,
                TRY(timestamp_age(call->ctx, KERNEL_ARG(int64_t, 0), KERNEL_ARG(int64_t, 1),
                                  &vector_flat(out, Interval)[i]));)

/* Between two instants, by the session's calendar. */
static Status instant_age(FuncCall *call, int64_t a, int64_t b, Interval *out)
{
    Status st = OK;
    int64_t a_local, b_local;

    TRY(timestamptz_to_timestamp(call->ctx, a, zone_of(call), &a_local));
    TRY(timestamptz_to_timestamp(call->ctx, b, zone_of(call), &b_local));
    TRY(timestamp_age(call->ctx, a_local, b_local, out));
done:
    return st;
}

KERNEL_TRY_ROWS(func_age_tz, TRY(instant_age(call, KERNEL_ARG(int64_t, 0), KERNEL_ARG(int64_t, 1),
                                             &vector_flat(out, Interval)[i]));)

/* Midnight of the transaction's day. */
static Status today(FuncCall *call, int64_t *out)
{
    Status st = OK;
    int64_t now = call->session ? call->session->transaction_start_us : 0;

    TRY(timestamptz_to_timestamp(call->ctx, now, zone_of(call), out));
    *out -= timestamp_time_of_day(*out);
done:
    return st;
}

static Status age_today(FuncCall *call, int64_t local, Interval *out)
{
    Status st = OK;
    int64_t midnight;

    TRY(today(call, &midnight));
    TRY(timestamp_age(call->ctx, midnight, local, out));
done:
    return st;
}

KERNEL_TRY_ROWS(func_age_today,
                TRY(age_today(call, KERNEL_ARG(int64_t, 0), &vector_flat(out, Interval)[i]));)

KERNEL_TRY_ROWS(func_age_today_tz, {
    int64_t local;
    TRY(timestamptz_to_timestamp(call->ctx, KERNEL_ARG(int64_t, 0), zone_of(call), &local));
    TRY(age_today(call, local, &vector_flat(out, Interval)[i]));
})

/* --- date_bin --- */

static Status bin(Ctx *ctx, Interval stride, int64_t at, int64_t origin, int64_t *out)
{
    Status st = OK;
    int64_t width, distance;

    *out = at;
    if (!timestamp_is_finite(at))
        goto done;
    if (!timestamp_is_finite(origin))
        FAIL(ctx, E_DATETIME_OVERFLOW, "origin out of range");
    if (stride.months != 0)
        FAIL(ctx, E_FEATURE_NOT_SUPPORTED,
             "timestamps cannot be binned into intervals containing months or years");
    if (__builtin_mul_overflow((int64_t)stride.days, US_PER_DAY, &width) ||
        __builtin_add_overflow(width, stride.us, &width) ||
        __builtin_sub_overflow(at, origin, &distance))
        FAIL(ctx, E_DATETIME_OVERFLOW, "interval out of range");
    if (width <= 0)
        FAIL(ctx, E_DATETIME_OVERFLOW, "stride must be greater than zero");
    int64_t rest = distance % width;
    *out = at - rest - (rest < 0 ? width : 0);
done:
    return st;
}

KERNEL_TRY_ROWS(func_date_bin, TRY(bin(call->ctx, KERNEL_ARG(Interval, 0), KERNEL_ARG(int64_t, 1),
                                       KERNEL_ARG(int64_t, 2), &vector_flat(out, int64_t)[i]));)

/* --- overlaps --- */

/* A period's end: given, or its length after the start. */
static Status period_end(FuncCall *call, const Vector *const *args, uint32_t at, uint32_t row,
                         int64_t start, int64_t *out)
{
    uint32_t i = row;

    if (args[at]->phys != PHYS_INTERVAL) {
        *out = KERNEL_ARG(int64_t, at);
        return OK;
    }
    if (args[at - 1]->type.oid == OID_TIMESTAMPTZ)
        return instant_add(call, start, KERNEL_ARG(Interval, at), out);
    return local_add(call, start, KERNEL_ARG(Interval, at), out);
}

typedef struct Bound {
    int64_t at;
    bool known;
} Bound;

static bool swap_needed(Bound a, Bound b)
{
    return !a.known || (b.known && a.at > b.at);
}

/* 1, 0, or -1 for NULL, by the standard's rules (PostgreSQL's overlaps_timestamp). */
static int overlap(Bound start1, Bound end1, Bound start2, Bound end2)
{
    Bound swap;

    if ((!start1.known && !end1.known) || (!start2.known && !end2.known))
        return -1;
    if (swap_needed(start1, end1)) {
        swap = start1;
        start1 = end1;
        end1 = swap;
    }
    if (swap_needed(start2, end2)) {
        swap = start2;
        start2 = end2;
        end2 = swap;
    }
    if (start1.at == start2.at)
        return end1.known && end2.known ? 1 : -1;
    if (start1.at > start2.at) {
        swap = start1;
        start1 = start2;
        start2 = swap;
        swap = end1;
        end1 = end2;
        end2 = swap;
    }
    if (!end1.known)
        return -1;
    if (start2.at < end1.at)
        return 1;
    return end2.known ? 0 : -1;
}

Status func_overlaps(KERNEL_PARAMS)
{
    Status st = OK;

    for (uint32_t i = 0; i < rows; i++) {
        Bound bounds[4];
        for (uint32_t k = 0; k < 4; k++)
            bounds[k].known = !vector_is_null(args[k], i);
        for (uint32_t k = 0; k < 4; k += 2) {
            if (bounds[k].known)
                bounds[k].at = KERNEL_ARG(int64_t, k);
            bounds[k + 1].known &= bounds[k].known || args[k + 1]->phys != PHYS_INTERVAL;
            if (bounds[k + 1].known)
                TRY(period_end(call, args, k + 1, i, bounds[k].known ? bounds[k].at : 0,
                               &bounds[k + 1].at));
        }
        int answer = overlap(bounds[0], bounds[1], bounds[2], bounds[3]);
        KERNEL_RESULT(uint8_t) = answer == 1;
        if (answer < 0)
            KERNEL_NULL(i);
    }
done:
    return st;
}
