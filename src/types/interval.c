// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic of intervals: three numbers that are kept apart (months, days, time) until a fraction
// of one must become some of the next, a month then being 30 days and a day 24 hours.
#include "types/datetime.h"

#include <math.h>

static Status interval_range(Ctx *ctx)
{
    return error_raise(ctx, E_DATETIME_OVERFLOW, "interval out of range");
}

Status interval_add(Ctx *ctx, Interval a, Interval b, Interval *out)
{
    if (__builtin_add_overflow(a.months, b.months, &out->months) ||
        __builtin_add_overflow(a.days, b.days, &out->days) ||
        __builtin_add_overflow(a.us, b.us, &out->us))
        return interval_range(ctx);
    return OK;
}

Status interval_subtract(Ctx *ctx, Interval a, Interval b, Interval *out)
{
    if (__builtin_sub_overflow(a.months, b.months, &out->months) ||
        __builtin_sub_overflow(a.days, b.days, &out->days) ||
        __builtin_sub_overflow(a.us, b.us, &out->us))
        return interval_range(ctx);
    return OK;
}

Status interval_negate(Ctx *ctx, Interval a, Interval *out)
{
    return interval_subtract(ctx, (Interval){0}, a, out);
}

/* To microseconds, so that what floating point left behind the sixth digit is gone. */
static double round_us(double seconds)
{
    return rint(seconds * 1000000.0) / 1000000.0;
}

static bool fits_int32(double x)
{
    return x >= (double)INT32_MIN && x <= (double)INT32_MAX;
}

/* The interval whose unrounded parts are given; fractions flow down. */
static Status from_parts(Ctx *ctx, double months, double days, double us, Interval *out)
{
    if (!fits_int32(months) || !fits_int32(days))
        return interval_range(ctx);
    out->months = (int32_t)months;
    out->days = (int32_t)days;
    double month_days = round_us((months - out->months) * DAYS_PER_MONTH);
    double seconds = round_us((days - out->days + month_days - (int)month_days) * 86400.0);
    if (fabs(seconds) >= 86400.0) {
        int more = (int)(seconds / 86400.0);
        if (__builtin_add_overflow(out->days, more, &out->days))
            return interval_range(ctx);
        seconds -= more * 86400.0;
    }
    if (__builtin_add_overflow(out->days, (int32_t)month_days, &out->days))
        return interval_range(ctx);
    double time = rint(us + seconds * 1000000.0);
    if (!(time >= -9223372036854775808.0 && time < 9223372036854775808.0))
        return interval_range(ctx);
    out->us = (int64_t)time;
    return OK;
}

Status interval_multiply(Ctx *ctx, Interval a, double factor, Interval *out)
{
    return from_parts(ctx, a.months * factor, a.days * factor, (double)a.us * factor, out);
}

Status interval_divide(Ctx *ctx, Interval a, double divisor, Interval *out)
{
    if (divisor == 0.0)
        return error_raise(ctx, E_DIVISION_BY_ZERO, "division by zero");
    return from_parts(ctx, a.months / divisor, a.days / divisor, (double)a.us / divisor, out);
}

int128_t interval_sort_value(Interval interval)
{
    int64_t days = (int64_t)interval.months * DAYS_PER_MONTH + interval.days;

    return (int128_t)days * US_PER_DAY + interval.us;
}

Status interval_justify_hours(Ctx *ctx, Interval a, Interval *out)
{
    int64_t days = a.us / US_PER_DAY;

    a.us -= days * US_PER_DAY;
    if (__builtin_add_overflow(a.days, days, &a.days))
        return interval_range(ctx);
    if (a.days > 0 && a.us < 0) {
        a.us += US_PER_DAY;
        a.days--;
    } else if (a.days < 0 && a.us > 0) {
        a.us -= US_PER_DAY;
        a.days++;
    }
    *out = a;
    return OK;
}

Status interval_justify_days(Ctx *ctx, Interval a, Interval *out)
{
    int32_t months = a.days / DAYS_PER_MONTH;

    a.days -= months * DAYS_PER_MONTH;
    if (__builtin_add_overflow(a.months, months, &a.months))
        return interval_range(ctx);
    if (a.months > 0 && a.days < 0) {
        a.days += DAYS_PER_MONTH;
        a.months--;
    } else if (a.months < 0 && a.days > 0) {
        a.days -= DAYS_PER_MONTH;
        a.months++;
    }
    *out = a;
    return OK;
}

Status interval_justify(Ctx *ctx, Interval a, Interval *out)
{
    Status st = OK;

    /* Days first become months where they have the other sign, lest adding hours overflow. */
    if ((a.days > 0 && a.us > 0) || (a.days < 0 && a.us < 0)) {
        int32_t months = a.days / DAYS_PER_MONTH;
        a.days -= months * DAYS_PER_MONTH;
        if (__builtin_add_overflow(a.months, months, &a.months))
            FAIL(ctx, E_DATETIME_OVERFLOW, "interval out of range");
    }
    int64_t days = a.us / US_PER_DAY;
    a.us -= days * US_PER_DAY;
    if (__builtin_add_overflow(a.days, days, &a.days))
        FAIL(ctx, E_DATETIME_OVERFLOW, "interval out of range");
    int32_t months = a.days / DAYS_PER_MONTH;
    a.days -= months * DAYS_PER_MONTH;
    if (__builtin_add_overflow(a.months, months, &a.months))
        FAIL(ctx, E_DATETIME_OVERFLOW, "interval out of range");
    if (a.months > 0 && (a.days < 0 || (a.days == 0 && a.us < 0))) {
        a.days += DAYS_PER_MONTH;
        a.months--;
    } else if (a.months < 0 && (a.days > 0 || (a.days == 0 && a.us > 0))) {
        a.days -= DAYS_PER_MONTH;
        a.months++;
    }
    if (a.days > 0 && a.us < 0) {
        a.us += US_PER_DAY;
        a.days--;
    } else if (a.days < 0 && a.us > 0) {
        a.us -= US_PER_DAY;
        a.days++;
    }
    *out = a;
done:
    return st;
}

Status interval_apply_typmod(Ctx *ctx, Interval *interval, int32_t typmod)
{
    enum { MONTH = 1 << 1, YEAR = 1 << 2, DAY = 1 << 3 };
    enum { HOUR = 1 << 10, MINUTE = 1 << 11, SECOND = 1 << 12 };

    if (typmod < 0)
        return OK;
    int fields = typmod >> 16 & 0x7fff;
    int precision = typmod & 0xffff;
    if (fields != 0x7fff) {
        /* Only what is finer than the last field goes. */
        if (!(fields & (MONTH | DAY | HOUR | MINUTE | SECOND)))
            interval->months = interval->months / 12 * 12;
        if (!(fields & (DAY | HOUR | MINUTE | SECOND)))
            interval->days = 0;
        if (!(fields & (HOUR | MINUTE | SECOND)))
            interval->us = 0;
        else if (!(fields & (MINUTE | SECOND)))
            interval->us = interval->us / US_PER_HOUR * US_PER_HOUR;
        else if (!(fields & SECOND))
            interval->us = interval->us / US_PER_MINUTE * US_PER_MINUTE;
    }
    if (precision > 6)
        return OK;
    if (interval->us > INT64_MAX - US_PER_SECOND || interval->us < INT64_MIN + US_PER_SECOND)
        return interval_range(ctx);
    interval->us = timestamp_round(interval->us, precision);
    return OK;
}
