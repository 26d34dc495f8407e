// SPDX-License-Identifier: Apache-2.0
//
// Fields of dates and times: extract, date_part and date_trunc, with PostgreSQL's scales (seconds
// have six digits, milliseconds three, everything else none) and its refusals by type.
#include "types/datetime_int.h"
#include "types/numeric.h"

/* Field of each unit word; -1 where a word is no field. */
static int field_of_unit(int unit)
{
    static const int8_t fields[] = {
        [UNIT_NONE] = -1,
        [UNIT_MICROSECOND] = FIELD_MICROSECOND,
        [UNIT_MILLISECOND] = FIELD_MILLISECOND,
        [UNIT_SECOND] = FIELD_SECOND,
        [UNIT_MINUTE] = FIELD_MINUTE,
        [UNIT_HOUR] = FIELD_HOUR,
        [UNIT_DAY] = FIELD_DAY,
        [UNIT_WEEK] = FIELD_WEEK,
        [UNIT_MONTH] = FIELD_MONTH,
        [UNIT_QUARTER] = FIELD_QUARTER,
        [UNIT_YEAR] = FIELD_YEAR,
        [UNIT_DECADE] = FIELD_DECADE,
        [UNIT_CENTURY] = FIELD_CENTURY,
        [UNIT_MILLENNIUM] = FIELD_MILLENNIUM,
        [UNIT_DOW] = FIELD_DOW,
        [UNIT_DOY] = FIELD_DOY,
        [UNIT_ISODOW] = FIELD_ISODOW,
        [UNIT_ISOYEAR] = FIELD_ISOYEAR,
        [UNIT_JULIAN] = FIELD_JULIAN,
        [UNIT_TIMEZONE] = FIELD_TIMEZONE,
        [UNIT_TIMEZONE_HOUR] = FIELD_TIMEZONE_HOUR,
        [UNIT_TIMEZONE_MINUTE] = FIELD_TIMEZONE_MINUTE,
    };

    return fields[unit];
}

/* A name in lower case; longer ones than any word are cut, and are no word then either. */
typedef struct LowerName {
    char text[64];
    int length;
} LowerName;

static LowerName lower_name(Str name)
{
    LowerName out = {.length = (int)MIN(name.len, sizeof out.text - 1)};

    for (int i = 0; i < out.length; i++) {
        char c = name.ptr[i];
        out.text[i] = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
    }
    return out;
}

/* What date_trunc knows: units of intervals. */
static bool find_trunc_field(Str name, DateField *out)
{
    LowerName word = lower_name(name);
    int value = UNIT_NONE;

    if (interval_word(word.text, &value) != WORD_UNIT || field_of_unit(value) < 0)
        return false;
    *out = (DateField)field_of_unit(value);
    return true;
}

bool date_field_find(Str name, DateField *out)
{
    LowerName word = lower_name(name);
    int value = UNIT_NONE;

    if (find_trunc_field(name, out))
        return true;
    WordKind kind = datetime_word(word.text, &value);
    if (kind == WORD_SPECIAL && value == SPECIAL_EPOCH) {
        *out = FIELD_EPOCH;
        return true;
    }
    if (kind != WORD_UNIT || field_of_unit(value) < 0)
        return false;
    *out = (DateField)field_of_unit(value);
    return true;
}

static Status refuse(Ctx *ctx, Str name, Oid type, bool known)
{
    LowerName word = lower_name(name);
    const char *type_name = type_info(type)->sql_name;

    if (known)
        return error_raise(ctx, E_FEATURE_NOT_SUPPORTED, "unit \"%s\" not supported for type %s",
                           word.text, type_name);
    return error_raise(ctx, E_INVALID_PARAMETER_VALUE, "unit \"%s\" not recognized for type %s",
                       word.text, type_name);
}

Status date_field_refuse(Ctx *ctx, Str name, Oid type)
{
    DateField field;

    return refuse(ctx, name, type, date_field_find(name, &field));
}

static Status refuse_trunc(Ctx *ctx, Str name, Oid type)
{
    DateField field;

    return refuse(ctx, name, type, find_trunc_field(name, &field));
}

int date_day_of_year(int32_t date)
{
    int32_t year, month, day;

    date_to_ymd(date, &year, &month, &day);
    return date - date_from_ymd(year, 1, 1) + 1;
}

int date_iso_week(int32_t date, int32_t *year)
{
    int32_t month, day;
    int weekday = (date_day_of_week(date) + 6) % 7; /* 0 Monday */
    int32_t thursday = date - weekday + 3;          /* its year is the week's year */

    date_to_ymd(thursday, year, &month, &day);
    return (thursday - date_from_ymd(*year, 1, 1)) / 7 + 1;
}

/* Years without a year 0, as they are shown. */
static int64_t shown_year(int32_t year)
{
    return year > 0 ? year : year - 1;
}

static int64_t decade(int32_t year)
{
    return year >= 0 ? year / 10 : -((8 - (year - 1)) / 10);
}

/* Centuries (years = 100) and millennia (1000) start with year 1. */
static int64_t age_of(int32_t year, int32_t years)
{
    return year > 0 ? (year + years - 1) / years : -((years - 1 - (year - 1)) / years);
}

/* Fields that a date has; false for the others. */
static bool extract_day(DateField field, int32_t date, int64_t *out)
{
    int32_t year, month, day, iso_year;

    date_to_ymd(date, &year, &month, &day);
    switch (field) {
    case FIELD_DAY: *out = day; break;
    case FIELD_MONTH: *out = month; break;
    case FIELD_QUARTER: *out = (month - 1) / 3 + 1; break;
    case FIELD_WEEK: *out = date_iso_week(date, &iso_year); break;
    case FIELD_YEAR: *out = shown_year(year); break;
    case FIELD_DECADE: *out = decade(year); break;
    case FIELD_CENTURY: *out = age_of(year, 100); break;
    case FIELD_MILLENNIUM: *out = age_of(year, 1000); break;
    case FIELD_DOW: *out = date_day_of_week(date); break;
    case FIELD_ISODOW: *out = (date_day_of_week(date) + 6) % 7 + 1; break;
    case FIELD_DOY: *out = date_day_of_year(date); break;
    case FIELD_ISOYEAR:
        date_iso_week(date, &iso_year);
        *out = shown_year(iso_year);
        break;
    case FIELD_JULIAN: *out = (int64_t)date + EPOCH_JULIAN; break;
    default: return false;
    }
    return true;
}

/* Fields that a time of day (or an interval's time) has. */
static bool extract_time(DateField field, int64_t time, Numeric *out)
{
    int64_t minute_us = time % US_PER_MINUTE;

    switch (field) {
    case FIELD_MICROSECOND: *out = numeric_from_int64(minute_us); break;
    case FIELD_MILLISECOND: *out = numeric_from_scaled(minute_us, 3); break;
    case FIELD_SECOND: *out = numeric_from_scaled(minute_us, 6); break;
    case FIELD_MINUTE: *out = numeric_from_int64(time / US_PER_MINUTE % 60); break;
    case FIELD_HOUR: *out = numeric_from_int64(time / US_PER_HOUR); break;
    default: return false;
    }
    return true;
}

/* What an infinite value has: infinity for fields that grow, else NULL. */
static Status extract_infinite(Ctx *ctx, Str name, Oid type, bool positive, Numeric *out,
                               bool *is_null)
{
    DateField field;

    if (!date_field_find(name, &field))
        return date_field_refuse(ctx, name, type);
    switch (field) {
    case FIELD_YEAR:
    case FIELD_DECADE:
    case FIELD_CENTURY:
    case FIELD_MILLENNIUM:
    case FIELD_JULIAN:
    case FIELD_ISOYEAR:
    case FIELD_EPOCH: *out = numeric_special(positive ? NUMERIC_POS_INF : NUMERIC_NEG_INF); break;
    case FIELD_TIMEZONE:
    case FIELD_TIMEZONE_HOUR:
    case FIELD_TIMEZONE_MINUTE:
    case FIELD_MICROSECOND:
    case FIELD_MILLISECOND:
    case FIELD_SECOND:
    case FIELD_MINUTE:
    case FIELD_HOUR:
        if (type == OID_DATE)
            return date_field_refuse(ctx, name, type);
        *is_null = true;
        break;
    default: *is_null = true;
    }
    return OK;
}

Status date_extract(Ctx *ctx, Str name, int32_t date, Numeric *out, bool *is_null)
{
    DateField field;
    int64_t value;

    *is_null = false;
    if (!date_is_finite(date))
        return extract_infinite(ctx, name, OID_DATE, date == DATE_INFINITY, out, is_null);
    if (!date_field_find(name, &field))
        return date_field_refuse(ctx, name, OID_DATE);
    if (field == FIELD_EPOCH)
        value = ((int64_t)date + EPOCH_DAYS_1970) * 86400;
    else if (!extract_day(field, date, &value))
        return date_field_refuse(ctx, name, OID_DATE);
    *out = numeric_from_int64(value);
    return OK;
}

Status time_extract(Ctx *ctx, Str name, int64_t time, Numeric *out)
{
    DateField field;

    if (!date_field_find(name, &field))
        return date_field_refuse(ctx, name, OID_TIME);
    if (field == FIELD_EPOCH) {
        *out = numeric_from_scaled(time, 6);
        return OK;
    }
    return extract_time(field, time, out) ? OK : date_field_refuse(ctx, name, OID_TIME);
}

/* Of a local timestamp; `epoch_us` is the instant that epoch counts. */
static Status extract_timestamp(Ctx *ctx, Str name, Oid type, int64_t local, int64_t epoch_us,
                                Numeric *out)
{
    DateField field;
    int64_t value;
    int32_t date = timestamp_to_date(local);
    int64_t time = timestamp_time_of_day(local);

    if (!date_field_find(name, &field))
        return date_field_refuse(ctx, name, type);
    if (field == FIELD_EPOCH) {
        int128_t us = (int128_t)epoch_us + (int128_t)EPOCH_DAYS_1970 * US_PER_DAY;
        *out = numeric_from_scaled(us, 6);
        return OK;
    }
    if (field == FIELD_JULIAN) {
        Numeric day = numeric_from_int64((int64_t)date + EPOCH_JULIAN);
        Numeric part = numeric_from_int64(time);
        Numeric whole = numeric_from_int64(US_PER_DAY);
        Status st = numeric_div(ctx, &part, &whole, &part);
        return st == OK ? numeric_add(ctx, &day, &part, out) : st;
    }
    if (extract_time(field, time, out))
        return OK;
    if (!extract_day(field, date, &value))
        return date_field_refuse(ctx, name, type);
    *out = numeric_from_int64(value);
    return OK;
}

Status timestamp_extract(Ctx *ctx, Str name, int64_t timestamp, Numeric *out, bool *is_null)
{
    *is_null = false;
    if (!timestamp_is_finite(timestamp))
        return extract_infinite(ctx, name, OID_TIMESTAMP, timestamp > 0, out, is_null);
    return extract_timestamp(ctx, name, OID_TIMESTAMP, timestamp, timestamp, out);
}

Status timestamptz_extract(Ctx *ctx, Str name, int64_t instant, const TimeZone *zone, Numeric *out,
                           bool *is_null)
{
    DateField field;

    *is_null = false;
    if (!timestamp_is_finite(instant))
        return extract_infinite(ctx, name, OID_TIMESTAMPTZ, instant > 0, out, is_null);
    int32_t offset = timezone_offset(zone, instant);
    if (date_field_find(name, &field) && field >= FIELD_TIMEZONE) {
        int32_t value = field == FIELD_TIMEZONE        ? offset
                        : field == FIELD_TIMEZONE_HOUR ? offset / 3600
                                                       : offset / 60 % 60;
        *out = numeric_from_int64(value);
        return OK;
    }
    return extract_timestamp(ctx, name, OID_TIMESTAMPTZ, instant + offset * US_PER_SECOND, instant,
                             out);
}

Status interval_extract(Ctx *ctx, Str name, Interval interval, Numeric *out)
{
    DateField field;
    int32_t years = interval.months / 12;
    int32_t months = interval.months % 12;

    if (!date_field_find(name, &field))
        return date_field_refuse(ctx, name, OID_INTERVAL);
    if (extract_time(field, interval.us, out))
        return OK;
    switch (field) {
    case FIELD_DAY: *out = numeric_from_int64(interval.days); return OK;
    case FIELD_MONTH: *out = numeric_from_int64(months); return OK;
    case FIELD_QUARTER: *out = numeric_from_int64(months / 3 + 1); return OK;
    case FIELD_YEAR: *out = numeric_from_int64(years); return OK;
    case FIELD_DECADE: *out = numeric_from_int64(years / 10); return OK;
    case FIELD_CENTURY: *out = numeric_from_int64(years / 100); return OK;
    case FIELD_MILLENNIUM: *out = numeric_from_int64(years / 1000); return OK;
    case FIELD_EPOCH: {
        /* A year has 365.25 days here, a month without a year 30. */
        int128_t quarters =
            (int128_t)years * 1461 + (int128_t)months * 120 + (int128_t)interval.days * 4;
        *out = numeric_from_scaled(quarters * (US_PER_DAY / 4) + interval.us, 6);
        return OK;
    }
    default: return date_field_refuse(ctx, name, OID_INTERVAL);
    }
}

/* --- date_trunc --- */

/* First day of the period that `date` lies in; false if the field is no such period. */
static bool first_day(DateField field, int32_t date, int32_t *out)
{
    int32_t year, month, day;

    date_to_ymd(date, &year, &month, &day);
    switch (field) {
    case FIELD_MILLENNIUM:
        year =
            year > 0 ? (year + 999) / 1000 * 1000 - 999 : -((999 - (year - 1)) / 1000) * 1000 + 1;
        break;
    case FIELD_CENTURY:
        year = year > 0 ? (year + 99) / 100 * 100 - 99 : -((99 - (year - 1)) / 100) * 100 + 1;
        break;
    case FIELD_DECADE: year = year > 0 ? year / 10 * 10 : -((8 - (year - 1)) / 10) * 10; break;
    case FIELD_YEAR: break;
    case FIELD_QUARTER: *out = date_from_ymd(year, (month - 1) / 3 * 3 + 1, 1); return true;
    case FIELD_MONTH: *out = date_from_ymd(year, month, 1); return true;
    case FIELD_WEEK: *out = date - (date_day_of_week(date) + 6) % 7; return true;
    case FIELD_DAY: *out = date; return true;
    default: return false;
    }
    *out = date_from_ymd(year, 1, 1);
    return true;
}

/* Microseconds of a field below a day, 0 for others. */
static int64_t unit_us(DateField field)
{
    switch (field) {
    case FIELD_MICROSECOND: return 1;
    case FIELD_MILLISECOND: return 1000;
    case FIELD_SECOND: return US_PER_SECOND;
    case FIELD_MINUTE: return US_PER_MINUTE;
    case FIELD_HOUR: return US_PER_HOUR;
    default: return 0;
    }
}

static Status trunc_local(Ctx *ctx, Str name, Oid type, int64_t local, int64_t *out)
{
    DateField field;
    int32_t date = timestamp_to_date(local);

    if (!find_trunc_field(name, &field))
        return refuse_trunc(ctx, name, type);
    if (unit_us(field)) {
        int64_t time = timestamp_time_of_day(local);
        *out = local - time % unit_us(field);
        return OK;
    }
    if (!first_day(field, date, &date))
        return refuse_trunc(ctx, name, type);
    return date_to_timestamp(ctx, date, out);
}

Status timestamp_trunc(Ctx *ctx, Str name, int64_t timestamp, int64_t *out)
{
    *out = timestamp;
    if (!timestamp_is_finite(timestamp))
        return OK;
    return trunc_local(ctx, name, OID_TIMESTAMP, timestamp, out);
}

Status timestamptz_trunc(Ctx *ctx, Str name, int64_t instant, const TimeZone *zone, int64_t *out)
{
    DateField field;

    *out = instant;
    if (!timestamp_is_finite(instant))
        return OK;
    int32_t offset = timezone_offset(zone, instant);
    int64_t local = instant + offset * US_PER_SECOND;
    Status st = trunc_local(ctx, name, OID_TIMESTAMPTZ, local, &local);
    if (st != OK)
        return st;
    /* Below a day the offset stays; a day may start with another one. */
    if (find_trunc_field(name, &field) && unit_us(field) == 0)
        return timestamp_to_timestamptz(ctx, local, zone, out);
    *out = local - offset * US_PER_SECOND;
    return OK;
}

Status interval_trunc(Ctx *ctx, Str name, Interval interval, Interval *out)
{
    DateField field;
    int32_t unit_months = 0;

    if (!find_trunc_field(name, &field))
        return refuse_trunc(ctx, name, OID_INTERVAL);
    *out = interval;
    if (unit_us(field)) {
        out->us -= out->us % unit_us(field);
        return OK;
    }
    switch (field) {
    case FIELD_MILLENNIUM: unit_months = 12000; break;
    case FIELD_CENTURY: unit_months = 1200; break;
    case FIELD_DECADE: unit_months = 120; break;
    case FIELD_YEAR: unit_months = 12; break;
    case FIELD_QUARTER: unit_months = 3; break;
    case FIELD_MONTH: unit_months = 1; break;
    case FIELD_DAY: out->us = 0; return OK;
    case FIELD_WEEK: {
        Status st = refuse_trunc(ctx, name, OID_INTERVAL);
        error_detail(ctx, "Months usually have fractional weeks.");
        return st;
    }
    default: return refuse_trunc(ctx, name, OID_INTERVAL);
    }
    out->us = 0;
    out->days = 0;
    out->months -= out->months % unit_months;
    return OK;
}
