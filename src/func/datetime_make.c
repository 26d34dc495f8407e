// SPDX-License-Identifier: Apache-2.0
//
// Dates and times made from parts, from the clock, and in another time zone (AT TIME ZONE). See
// kernel.h.
#include "func/rows.h"
#include "func/zone.h"
#include "os/clock.h"
#include "types/datetime.h"

#include <math.h>

#define EPOCH_1970_US (-(int64_t)EPOCH_DAYS_1970 * US_PER_DAY)

static const TimeZone *zone_of(const FuncCall *call)
{
    return call->io ? call->io->zone : NULL;
}

/* --- from parts --- */

KERNEL_TRY_ROWS(func_make_date,
                TRY(date_make(call->ctx, KERNEL_ARG(int32_t, 0), KERNEL_ARG(int32_t, 1),
                              KERNEL_ARG(int32_t, 2), &vector_flat(out, int32_t)[i]));)

KERNEL_TRY_ROWS(func_make_time,
                TRY(time_make(call->ctx, KERNEL_ARG(int32_t, 0), KERNEL_ARG(int32_t, 1),
                              KERNEL_ARG(double, 2), &vector_flat(out, int64_t)[i]));)

static Status make_local(FuncCall *call, const Vector *const *args, uint32_t i, int64_t *out)
{
    DateTime date = {.year = KERNEL_ARG(int32_t, 0),
                     .month = KERNEL_ARG(int32_t, 1),
                     .day = KERNEL_ARG(int32_t, 2),
                     .hour = KERNEL_ARG(int32_t, 3),
                     .minute = KERNEL_ARG(int32_t, 4)};

    return timestamp_make(call->ctx, &date, KERNEL_ARG(double, 5), out);
}

KERNEL_TRY_ROWS(func_make_timestamp, TRY(make_local(call, args, i, &KERNEL_RESULT(int64_t)));)

KERNEL_TRY_ROWS(func_make_timestamptz, {
    const TimeZone *zone = zone_of(call);
    int64_t local;
    if (call->func->args_count > 6)
        TRY(func_find_zone(call->ctx, KERNEL_STR(6), &zone));
    TRY(make_local(call, args, i, &local));
    TRY(timestamp_to_timestamptz(call->ctx, local, zone, &KERNEL_RESULT(int64_t)));
})

/* Argument `at` of make_interval, 0 when it is left out. */
static int64_t part(const FuncCall *call, const Vector *const *args, uint32_t at, uint32_t i)
{
    return at < call->args_count ? KERNEL_ARG(int32_t, at) : 0;
}

KERNEL_TRY_ROWS(func_make_interval, {
    double seconds = call->args_count > 6 ? KERNEL_ARG(double, 6) : 0;
    int64_t months = part(call, args, 0, i) * 12 + part(call, args, 1, i);
    int64_t days = part(call, args, 2, i) * 7 + part(call, args, 3, i);
    double us = rint(seconds * (double)US_PER_SECOND);
    int64_t time;
    if (isnan(seconds) || isinf(seconds) || fabs(us) > 9e18 || months != (int32_t)months ||
        days != (int32_t)days ||
        __builtin_add_overflow(part(call, args, 4, i) * US_PER_HOUR +
                                   part(call, args, 5, i) * US_PER_MINUTE,
                               (int64_t)us, &time))
        FAIL(call->ctx, E_DATETIME_OVERFLOW, "interval out of range");
    KERNEL_RESULT(Interval) = (Interval){time, (int32_t)days, (int32_t)months};
})

KERNEL_TRY_ROWS(func_to_timestamp, {
    double seconds = KERNEL_ARG(double, 0);
    if (isnan(seconds))
        FAIL(call->ctx, E_DATETIME_OVERFLOW, "timestamp cannot be NaN");
    if (isinf(seconds)) {
        KERNEL_RESULT(int64_t) = seconds > 0 ? TIMESTAMP_INFINITY : TIMESTAMP_NEG_INFINITY;
        continue;
    }
    double us = rint((seconds - (double)EPOCH_DAYS_1970 * 86400) * (double)US_PER_SECOND);
    if (us < (double)TIMESTAMP_FIRST || us >= (double)TIMESTAMP_END)
        FAIL(call->ctx, E_DATETIME_OVERFLOW, "timestamp out of range: \"%g\"", seconds);
    KERNEL_RESULT(int64_t) = (int64_t)us;
})

/* --- the clock --- */

static void fill(Vector *out, uint32_t rows, int64_t value)
{
    for (uint32_t i = 0; i < rows; i++)
        vector_flat(out, int64_t)[i] = value;
}

Status func_now(KERNEL_PARAMS)
{
    fill(out, rows, call->session ? call->session->transaction_start_us : 0);
    return OK;
}

Status func_statement_timestamp(KERNEL_PARAMS)
{
    fill(out, rows, call->session ? call->session->statement_start_us : 0);
    return OK;
}

Status func_clock_timestamp(KERNEL_PARAMS)
{
    fill(out, rows, clock_wall_us() + EPOCH_1970_US);
    return OK;
}

/* "Wed Feb 18 15:59:11.123456 2026 UTC" */
static void print_time_of_day(StrBuf *buf, int64_t instant, const TimeZone *zone)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int32_t offset = timezone_offset(zone, instant);
    int64_t local = instant + offset * US_PER_SECOND;
    DateTime at;

    timestamp_split(local, &at);
    strbuf_printf(buf, "%.3s %.3s %02d %02d:%02d:%02d.%06d %04d ",
                  days + 3 * date_day_of_week(timestamp_to_date(local)),
                  months + 3 * (at.month - 1), at.day, at.hour, at.minute, at.second, at.us,
                  at.year);
    if (offset == 0)
        strbuf_append_c(buf, "UTC");
    else
        strbuf_printf(buf, "%+03d%02d", offset / 3600, (offset < 0 ? -offset : offset) / 60 % 60);
}

KERNEL_TEXT_ROWS(func_timeofday,
                 print_time_of_day(&buf, clock_wall_us() + EPOCH_1970_US, zone_of(call));)

/* --- AT TIME ZONE --- */

Status func_find_zone(Ctx *ctx, Str name, const TimeZone **out)
{
    int32_t offset_s;
    bool is_dst;

    if (timezone_abbreviation(name, &offset_s, &is_dst)) {
        *out = timezone_fixed(offset_s);
        return OK;
    }
    *out = timezone_find(name);
    if (*out)
        return OK;
    return error_raise(ctx, E_INVALID_PARAMETER_VALUE, "time zone \"%.*s\" not recognized",
                       (int)name.len, name.ptr);
}

/* The zone in the first argument: a name, or an offset as an interval. */
static Status zone_argument(FuncCall *call, const Vector *const *args, uint32_t i,
                            const TimeZone **out)
{
    if (args[0]->phys != PHYS_INTERVAL)
        return func_find_zone(call->ctx, KERNEL_STR(0), out);
    Interval offset = KERNEL_ARG(Interval, 0);
    if (offset.months || offset.days)
        return error_raise(call->ctx, E_INVALID_PARAMETER_VALUE,
                           "interval time zone must not include months or days");
    if (offset.us <= -100 * US_PER_HOUR || offset.us >= 100 * US_PER_HOUR)
        return error_raise(call->ctx, E_INVALID_PARAMETER_VALUE, "time zone offset out of range");
    *out = timezone_fixed((int32_t)(offset.us / US_PER_SECOND));
    return OK;
}

#define AT_TIME_ZONE(name, convert)                                                     \
    KERNEL_TRY_ROWS(name, {                                                             \
        const TimeZone *zone;                                                           \
        TRY(zone_argument(call, args, i, &zone));                                       \
        TRY(convert(call->ctx, KERNEL_ARG(int64_t, 1), zone, &KERNEL_RESULT(int64_t))); \
    })

AT_TIME_ZONE(func_timezone_to_instant, timestamp_to_timestamptz)
AT_TIME_ZONE(func_timezone_to_local, timestamptz_to_timestamp)
