// SPDX-License-Identifier: Apache-2.0
//
// The calendar and the arithmetic of dates, times and timestamps. Days are counted by H. Hinnant's
// civil-date algorithms, which have no range of their own; ranges are checked where values are
// made.
#include "types/datetime.h"

#include <math.h>

static Status timestamp_range(Ctx *ctx)
{
    return error_raise(ctx, E_DATETIME_OVERFLOW, "timestamp out of range");
}

static bool timestamp_valid(int64_t timestamp)
{
    return timestamp >= TIMESTAMP_FIRST && timestamp < TIMESTAMP_END;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* --- calendar --- */

int32_t date_from_ymd(int32_t year, int32_t month, int32_t day)
{
    int64_t months = (int64_t)year * 12 + month - 3; /* March is the first */
    int64_t y = floor_div(months, 12);
    int64_t m = months - y * 12;
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * m + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (int32_t)(era * 146097 + day_of_era - 719468 - EPOCH_DAYS_1970);
}

void date_to_ymd(int32_t date, int32_t *year, int32_t *month, int32_t *day)
{
    int64_t z = (int64_t)date + EPOCH_DAYS_1970 + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;

    *day = (int32_t)(day_of_year - (153 * m + 2) / 5 + 1);
    *month = (int32_t)(m < 10 ? m + 3 : m - 9);
    *year = (int32_t)(year_of_era + era * 400 + (*month <= 2));
}

int32_t date_days_in_month(int32_t year, int32_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

int date_day_of_week(int32_t date)
{
    int day = (int)(((int64_t)date + 6) % 7); /* 2000-01-01 was a Saturday */

    return day < 0 ? day + 7 : day;
}

void timestamp_split(int64_t timestamp, DateTime *out)
{
    int64_t date = floor_div(timestamp, US_PER_DAY);
    int64_t time = timestamp - date * US_PER_DAY;

    date_to_ymd((int32_t)date, &out->year, &out->month, &out->day);
    out->hour = (int32_t)(time / US_PER_HOUR);
    out->minute = (int32_t)(time / US_PER_MINUTE % 60);
    out->second = (int32_t)(time / US_PER_SECOND % 60);
    out->us = (int32_t)(time % US_PER_SECOND);
}

/* Days and time of day; days may be any, the time may reach over a day. */
static bool join(int64_t date, int64_t time, int64_t *out)
{
    return !__builtin_mul_overflow(date, US_PER_DAY, out) &&
           !__builtin_add_overflow(*out, time, out) && timestamp_valid(*out);
}

bool timestamp_join(const DateTime *fields, int64_t *out)
{
    int64_t time = fields->hour * US_PER_HOUR + fields->minute * US_PER_MINUTE +
                   fields->second * US_PER_SECOND + fields->us;

    if (fields->year < -4713 || fields->year > 294276)
        return false;
    return join(date_from_ymd(fields->year, fields->month, fields->day), time, out);
}

int64_t timestamp_round(int64_t timestamp, int32_t typmod)
{
    static const int64_t units[] = {1000000, 100000, 10000, 1000, 100, 10, 1};

    if (typmod < 0 || typmod >= 6 || !timestamp_is_finite(timestamp))
        return timestamp;
    int64_t unit = units[typmod];
    int64_t half = unit / 2;
    return timestamp >= 0 ? (timestamp + half) / unit * unit : -((-timestamp + half) / unit * unit);
}

/* --- conversions --- */

Status date_to_timestamp(Ctx *ctx, int32_t date, int64_t *out)
{
    if (!date_is_finite(date)) {
        *out = date == DATE_INFINITY ? TIMESTAMP_INFINITY : TIMESTAMP_NEG_INFINITY;
        return OK;
    }
    if (!join(date, 0, out))
        return error_raise(ctx, E_DATETIME_OVERFLOW, "date out of range for timestamp");
    return OK;
}

int32_t timestamp_to_date(int64_t timestamp)
{
    if (!timestamp_is_finite(timestamp))
        return timestamp == TIMESTAMP_INFINITY ? DATE_INFINITY : DATE_NEG_INFINITY;
    return (int32_t)floor_div(timestamp, US_PER_DAY);
}

int64_t timestamp_time_of_day(int64_t timestamp)
{
    return timestamp - floor_div(timestamp, US_PER_DAY) * US_PER_DAY;
}

Status timestamp_to_timestamptz(Ctx *ctx, int64_t local, const TimeZone *zone, int64_t *out)
{
    *out = local;
    if (!timestamp_is_finite(local))
        return OK;
    *out = local - timezone_offset_local(zone, local) * US_PER_SECOND;
    return timestamp_valid(*out) ? OK : timestamp_range(ctx);
}

Status timestamptz_to_timestamp(Ctx *ctx, int64_t instant, const TimeZone *zone, int64_t *out)
{
    *out = instant;
    if (!timestamp_is_finite(instant))
        return OK;
    *out = instant + timezone_offset(zone, instant) * US_PER_SECOND;
    return timestamp_valid(*out) ? OK : timestamp_range(ctx);
}

/* --- arithmetic --- */

Status date_add_days(Ctx *ctx, int32_t date, int32_t days, int32_t *out)
{
    int64_t sum = (int64_t)date + days;

    *out = date;
    if (!date_is_finite(date))
        return OK;
    if (sum < DATE_FIRST || sum >= DATE_END)
        return error_raise(ctx, E_DATETIME_OVERFLOW, "date out of range");
    *out = (int32_t)sum;
    return OK;
}

/* Moves a local timestamp by months, the day cut to the month's last. */
static Status add_months(Ctx *ctx, int64_t timestamp, int32_t months, int64_t *out)
{
    DateTime at;

    timestamp_split(timestamp, &at);
    int64_t month = (int64_t)at.year * 12 + at.month - 1 + months;
    int64_t year = floor_div(month, 12);
    if (year < -4714 || year > 294276)
        return timestamp_range(ctx);
    at.year = (int32_t)year;
    at.month = (int32_t)(month - year * 12) + 1;
    at.day = MIN(at.day, date_days_in_month(at.year, at.month));
    return timestamp_join(&at, out) ? OK : timestamp_range(ctx);
}

static Status add_days(Ctx *ctx, int64_t timestamp, int32_t days, int64_t *out)
{
    int64_t date = floor_div(timestamp, US_PER_DAY);
    int64_t time = timestamp - date * US_PER_DAY;

    return join(date + days, time, out) ? OK : timestamp_range(ctx);
}

Status timestamp_add(Ctx *ctx, int64_t timestamp, Interval interval, int64_t *out)
{
    Status st = OK;

    *out = timestamp;
    if (!timestamp_is_finite(timestamp))
        goto done;
    if (interval.months)
        TRY(add_months(ctx, *out, interval.months, out));
    if (interval.days)
        TRY(add_days(ctx, *out, interval.days, out));
    if (__builtin_add_overflow(*out, interval.us, out) || !timestamp_valid(*out))
        TRY(timestamp_range(ctx));
done:
    return st;
}

Status timestamptz_add(Ctx *ctx, int64_t instant, Interval interval, const TimeZone *zone,
                       int64_t *out)
{
    Status st = OK;
    int64_t local;

    *out = instant;
    if (!timestamp_is_finite(instant))
        goto done;
    if (interval.months) {
        TRY(timestamptz_to_timestamp(ctx, *out, zone, &local));
        TRY(add_months(ctx, local, interval.months, &local));
        TRY(timestamp_to_timestamptz(ctx, local, zone, out));
    }
    if (interval.days) {
        TRY(timestamptz_to_timestamp(ctx, *out, zone, &local));
        TRY(add_days(ctx, local, interval.days, &local));
        TRY(timestamp_to_timestamptz(ctx, local, zone, out));
    }
    if (__builtin_add_overflow(*out, interval.us, out) || !timestamp_valid(*out))
        TRY(timestamp_range(ctx));
done:
    return st;
}

int64_t time_add(int64_t time, Interval interval)
{
    int64_t sum = time + interval.us % US_PER_DAY;

    return sum - floor_div(sum, US_PER_DAY) * US_PER_DAY;
}

Status timestamp_subtract(Ctx *ctx, int64_t a, int64_t b, Interval *out)
{
    if (!timestamp_is_finite(a) || !timestamp_is_finite(b))
        return error_raise(ctx, E_DATETIME_OVERFLOW, "cannot subtract infinite timestamps");
    Interval difference = {.us = a - b};
    return interval_justify_hours(ctx, difference, out);
}

Status timestamp_age(Ctx *ctx, int64_t a, int64_t b, Interval *out)
{
    DateTime x, y;

    if (!timestamp_is_finite(a) || !timestamp_is_finite(b))
        return error_raise(ctx, E_DATETIME_OVERFLOW, "timestamp out of range");
    bool negative = a < b;
    timestamp_split(negative ? b : a, &x);
    timestamp_split(negative ? a : b, &y);
    /* Borrowed days are those of the earlier date's month. */
    int64_t us = (x.hour - y.hour) * US_PER_HOUR + (x.minute - y.minute) * US_PER_MINUTE +
                 (x.second - y.second) * US_PER_SECOND + (x.us - y.us);
    int32_t days = x.day - y.day;
    int32_t months = (x.year - y.year) * 12 + x.month - y.month;
    if (us < 0) {
        us += US_PER_DAY;
        days--;
    }
    while (days < 0) {
        days += date_days_in_month(y.year, y.month);
        months--;
    }
    *out = (Interval){us, days, months};
    return negative ? interval_negate(ctx, *out, out) : OK;
}

/* --- make_* --- */

static bool valid_ymd(int32_t year, int32_t month, int32_t day)
{
    return month >= 1 && month <= 12 && day >= 1 && day <= date_days_in_month(year, month);
}

/* Years count -1 for 1 BC outside, 0 inside. */
static bool make_ymd(int32_t year, int32_t month, int32_t day, int32_t *out)
{
    if (year == 0 || year < -4713 || year > 5874897)
        return false;
    int32_t inside = year < 0 ? year + 1 : year;
    if (!valid_ymd(inside, month, day))
        return false;
    *out = date_from_ymd(inside, month, day);
    return true;
}

Status date_make(Ctx *ctx, int32_t year, int32_t month, int32_t day, int32_t *out)
{
    if (year == 0 || (year >= -4713 && year <= 5874897 && !make_ymd(year, month, day, out)))
        return error_raise(ctx, E_DATETIME_OVERFLOW, "date field value out of range: %d-%02d-%02d",
                           year, month, day);
    if (year < -4713 || year > 5874897 || *out < DATE_FIRST || *out >= DATE_END)
        return error_raise(ctx, E_DATETIME_OVERFLOW, "date out of range: %d-%02d-%02d", year, month,
                           day);
    return OK;
}

Status time_make(Ctx *ctx, int32_t hour, int32_t minute, double second, int64_t *out)
{
    double us = rint(second * (double)US_PER_SECOND);

    if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || isnan(second) || us < 0 ||
        us > 60e6 || hour * US_PER_HOUR + minute * US_PER_MINUTE + (int64_t)us > US_PER_DAY)
        return error_raise(ctx, E_DATETIME_OVERFLOW, "time field value out of range: %d:%02d:%02g",
                           hour, minute, second);
    *out = hour * US_PER_HOUR + minute * US_PER_MINUTE + (int64_t)us;
    return OK;
}

Status timestamp_make(Ctx *ctx, const DateTime *date, double second, int64_t *out)
{
    Status st = OK;
    int32_t day;
    int64_t time;

    if (!make_ymd(date->year, date->month, date->day, &day))
        FAIL(ctx, E_DATETIME_OVERFLOW, "date field value out of range: %d-%02d-%02d", date->year,
             date->month, date->day);
    TRY(time_make(ctx, date->hour, date->minute, second, &time));
    if (!join(day, time, out))
        FAIL(ctx, E_DATETIME_OVERFLOW, "timestamp out of range: %d-%02d-%02d %d:%02d:%02g",
             date->year, date->month, date->day, date->hour, date->minute, second);
done:
    return st;
}
