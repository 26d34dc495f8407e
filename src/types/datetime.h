// SPDX-License-Identifier: Apache-2.0
//
// Dates and times: the calendar, text forms (datetime_parse.c, datetime_format.c), fields and
// arithmetic (datetime.c, datetime_fields.c), intervals (interval.c). A date is days, a timestamp
// microseconds since 2000-01-01; a timestamptz is UTC; a time is microseconds since midnight (24:00
// is allowed). The extreme values of a type are its infinities. Any thread.
#ifndef DBASPOT_TYPES_DATETIME_H
#define DBASPOT_TYPES_DATETIME_H

#include "types/io.h"
#include "types/timezone.h"

#define DATE_INFINITY          INT32_MAX
#define DATE_NEG_INFINITY      INT32_MIN
#define TIMESTAMP_INFINITY     INT64_MAX
#define TIMESTAMP_NEG_INFINITY INT64_MIN

#define US_PER_SECOND  INT64_C(1000000)
#define US_PER_MINUTE  INT64_C(60000000)
#define US_PER_HOUR    INT64_C(3600000000)
#define US_PER_DAY     INT64_C(86400000000)
#define DAYS_PER_MONTH 30

/* Days from 1970-01-01 to 2000-01-01, and Julian day of 2000-01-01. */
#define EPOCH_DAYS_1970 10957
#define EPOCH_JULIAN    2451545

/* First and one past the last value that is not infinite. */
#define DATE_FIRST      (-EPOCH_JULIAN)
#define DATE_END        (2147483494 - EPOCH_JULIAN)
#define TIMESTAMP_FIRST INT64_C(-211813488000000000)
#define TIMESTAMP_END   INT64_C(9223371331200000000)

static inline bool date_is_finite(int32_t date)
{
    return date != DATE_INFINITY && date != DATE_NEG_INFINITY;
}

static inline bool timestamp_is_finite(int64_t timestamp)
{
    return timestamp != TIMESTAMP_INFINITY && timestamp != TIMESTAMP_NEG_INFINITY;
}

/* Broken-down time. Year 0 is 1 BC. */
typedef struct DateTime {
    int32_t year;
    int32_t month; /* 1 .. 12 */
    int32_t day;   /* 1 .. 31 */
    int32_t hour;
    int32_t minute;
    int32_t second;
    int32_t us;
} DateTime;

/* Any proleptic Gregorian date; the month may be out of 1 .. 12. */
int32_t date_from_ymd(int32_t year, int32_t month, int32_t day);
void date_to_ymd(int32_t date, int32_t *year, int32_t *month, int32_t *day);
int32_t date_days_in_month(int32_t year, int32_t month);
/* 0 Sunday .. 6 Saturday. */
int date_day_of_week(int32_t date);
/* REQUIRES: finite. */
void timestamp_split(int64_t timestamp, DateTime *out);
/* False if it is out of the range of timestamps. */
bool timestamp_join(const DateTime *fields, int64_t *out);

/* --- text --- */

/* Exactly YYYY-MM-DD and a valid date; else false and nothing done: the fast path. */
bool date_parse_iso(Str text, int32_t *out);
/* The typmod of time and timestamp is their precision, -1 for none; an interval's has its fields.
 */
Status date_parse(Ctx *ctx, Str text, const TypeIoContext *io, int32_t *out);
Status time_parse(Ctx *ctx, Str text, int32_t typmod, const TypeIoContext *io, int64_t *out);
Status timestamp_parse(Ctx *ctx, Str text, int32_t typmod, const TypeIoContext *io, int64_t *out);
Status timestamptz_parse(Ctx *ctx, Str text, int32_t typmod, const TypeIoContext *io, int64_t *out);
Status interval_parse(Ctx *ctx, Str text, int32_t typmod, const TypeIoContext *io, Interval *out);

void date_print(StrBuf *out, int32_t date, const TypeIoContext *io);
void time_print(StrBuf *out, int64_t time);
void timestamp_print(StrBuf *out, int64_t timestamp, const TypeIoContext *io);
void timestamptz_print(StrBuf *out, int64_t timestamp, const TypeIoContext *io);
void interval_print(StrBuf *out, Interval interval, const TypeIoContext *io);

/* Rounded to `typmod` digits of the second, half away from zero; -1 leaves it. */
int64_t timestamp_round(int64_t timestamp, int32_t typmod);
Status interval_apply_typmod(Ctx *ctx, Interval *interval, int32_t typmod);

/* --- conversions; out of range is E_DATETIME_OVERFLOW --- */

Status date_to_timestamp(Ctx *ctx, int32_t date, int64_t *out);
int32_t timestamp_to_date(int64_t timestamp);
/* Local time of a zone (NULL: UTC) <-> instant. */
Status timestamp_to_timestamptz(Ctx *ctx, int64_t local, const TimeZone *zone, int64_t *out);
Status timestamptz_to_timestamp(Ctx *ctx, int64_t instant, const TimeZone *zone, int64_t *out);
/* Time of day of a finite timestamp. */
int64_t timestamp_time_of_day(int64_t timestamp);

/* --- arithmetic --- */

Status date_add_days(Ctx *ctx, int32_t date, int32_t days, int32_t *out);
/* Months clamp to the month's last day, then days, then time. */
Status timestamp_add(Ctx *ctx, int64_t timestamp, Interval interval, int64_t *out);
/* The same in a zone's local time: a day may have 23 hours. */
Status timestamptz_add(Ctx *ctx, int64_t instant, Interval interval, const TimeZone *zone,
                       int64_t *out);
int64_t time_add(int64_t time, Interval interval);
/* a - b in days and time. */
Status timestamp_subtract(Ctx *ctx, int64_t a, int64_t b, Interval *out);
/* a - b in years, months, days and time. */
Status timestamp_age(Ctx *ctx, int64_t a, int64_t b, Interval *out);

Status interval_add(Ctx *ctx, Interval a, Interval b, Interval *out);
Status interval_subtract(Ctx *ctx, Interval a, Interval b, Interval *out);
Status interval_negate(Ctx *ctx, Interval a, Interval *out);
Status interval_multiply(Ctx *ctx, Interval a, double factor, Interval *out);
Status interval_divide(Ctx *ctx, Interval a, double divisor, Interval *out);
/* Microseconds with months of 30 days: intervals compare by it. */
int128_t interval_sort_value(Interval interval);
Status interval_justify_hours(Ctx *ctx, Interval a, Interval *out);
Status interval_justify_days(Ctx *ctx, Interval a, Interval *out);
Status interval_justify(Ctx *ctx, Interval a, Interval *out);

/* --- make_date, make_time, make_timestamp, make_interval: negative years are BC --- */

Status date_make(Ctx *ctx, int32_t year, int32_t month, int32_t day, int32_t *out);
Status time_make(Ctx *ctx, int32_t hour, int32_t minute, double second, int64_t *out);
Status timestamp_make(Ctx *ctx, const DateTime *date, double second, int64_t *out);

/* --- fields: extract, date_part, date_trunc (datetime_fields.c) --- */

typedef enum DateField {
    FIELD_MICROSECOND,
    FIELD_MILLISECOND,
    FIELD_SECOND,
    FIELD_MINUTE,
    FIELD_HOUR,
    FIELD_DAY,
    FIELD_WEEK,
    FIELD_MONTH,
    FIELD_QUARTER,
    FIELD_YEAR,
    FIELD_DECADE,
    FIELD_CENTURY,
    FIELD_MILLENNIUM,
    FIELD_DOW,
    FIELD_ISODOW,
    FIELD_DOY,
    FIELD_ISOYEAR,
    FIELD_JULIAN,
    FIELD_EPOCH,
    FIELD_TIMEZONE,
    FIELD_TIMEZONE_HOUR,
    FIELD_TIMEZONE_MINUTE,
} DateField;

/* As extract's and date_trunc's first argument ("week", "MSec", "years"); false if unknown. */
bool date_field_find(Str name, DateField *out);
/* "unit ... not recognized / not supported for type ...", as PostgreSQL. */
Status date_field_refuse(Ctx *ctx, Str name, Oid type);

/* extract's numeric result; *is_null for infinities where the field has no value. `name` is what
   was written, for errors. `zone` is for timestamptz; NULL: UTC. */
Status date_extract(Ctx *ctx, Str name, int32_t date, Numeric *out, bool *is_null);
Status time_extract(Ctx *ctx, Str name, int64_t time, Numeric *out);
Status timestamp_extract(Ctx *ctx, Str name, int64_t timestamp, Numeric *out, bool *is_null);
Status timestamptz_extract(Ctx *ctx, Str name, int64_t instant, const TimeZone *zone, Numeric *out,
                           bool *is_null);
Status interval_extract(Ctx *ctx, Str name, Interval interval, Numeric *out);

Status timestamp_trunc(Ctx *ctx, Str name, int64_t timestamp, int64_t *out);
Status timestamptz_trunc(Ctx *ctx, Str name, int64_t instant, const TimeZone *zone, int64_t *out);
Status interval_trunc(Ctx *ctx, Str name, Interval interval, Interval *out);
/* Day of year 1 .. 366; ISO 8601 week and its year. */
int date_day_of_year(int32_t date);
int date_iso_week(int32_t date, int32_t *year);

#endif
