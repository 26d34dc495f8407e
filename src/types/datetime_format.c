// SPDX-License-Identifier: Apache-2.0
//
// Dates, times, timestamps and intervals as text, in the styles of the session. Abbreviations of
// time zones are not known here: where a style wants one, zones other than UTC show their offset.
#include "types/datetime.h"
#include "types/numeric.h"

static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static char *put2(char *at, int value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
    return at + 2;
}

/* At least `width` digits. */
static char *put_number(char *at, int64_t value, int width)
{
    char digits[24];
    int length = (int)int64_format(digits, value);

    for (int i = length; i < width; i++)
        *at++ = '0';
    memcpy(at, digits, (size_t)length);
    return at + length;
}

/* .f without zeros at the end; nothing for 0. */
static char *put_fraction(char *at, int us)
{
    int digits = 6;

    if (us == 0)
        return at;
    while (us % 10 == 0) {
        us /= 10;
        digits--;
    }
    *at++ = '.';
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + us % 10);
        us /= 10;
    }
    return at + digits;
}

static char *put_time(char *at, int64_t time)
{
    at = put2(at, (int)(time / US_PER_HOUR));
    *at++ = ':';
    at = put2(at, (int)(time / US_PER_MINUTE % 60));
    *at++ = ':';
    at = put2(at, (int)(time / US_PER_SECOND % 60));
    return put_fraction(at, (int)(time % US_PER_SECOND));
}

/* Two numbers in the session's order, a separator behind each. */
static char *put_month_day(char *at, const DateTime *date, char separator, bool day_first)
{
    at = put2(at, day_first ? date->day : date->month);
    *at++ = separator;
    at = put2(at, day_first ? date->month : date->day);
    *at++ = separator;
    return at;
}

static char *put_date(char *at, const DateTime *date, const TypeIoContext *io)
{
    int year = date->year > 0 ? date->year : 1 - date->year;
    bool day_first = io && io->date_order == DATE_ORDER_DMY;

    switch (io ? io->date_style : DATE_STYLE_ISO) {
    case DATE_STYLE_SQL:
        at = put_month_day(at, date, '/', day_first);
        return put_number(at, year, 4);
    case DATE_STYLE_GERMAN: at = put_month_day(at, date, '.', true); return put_number(at, year, 4);
    case DATE_STYLE_POSTGRES:
        at = put_month_day(at, date, '-', day_first);
        return put_number(at, year, 4);
    default:
        at = put_number(at, year, 4);
        *at++ = '-';
        at = put2(at, date->month);
        *at++ = '-';
        return put2(at, date->day);
    }
}

static char *put_text(char *at, const char *text)
{
    size_t length = strlen(text);

    memcpy(at, text, length);
    return at + length;
}

static char *put_era(char *at, int32_t year)
{
    return year > 0 ? at : put_text(at, " BC");
}

void date_print(StrBuf *out, int32_t date, const TypeIoContext *io)
{
    char *start = strbuf_reserve(out, 64);
    char *at = start;
    DateTime fields;

    if (!date_is_finite(date)) {
        strbuf_append_c(out, date == DATE_INFINITY ? "infinity" : "-infinity");
        return;
    }
    date_to_ymd(date, &fields.year, &fields.month, &fields.day);
    at = put_era(put_date(at, &fields, io), fields.year);
    out->len += (size_t)(at - start);
}

void time_print(StrBuf *out, int64_t time)
{
    char *start = strbuf_reserve(out, 32);

    out->len += (size_t)(put_time(start, time) - start);
}

static char *put_offset(char *at, int32_t offset_s)
{
    int size = offset_s < 0 ? -offset_s : offset_s;

    *at++ = offset_s < 0 ? '-' : '+';
    at = put2(at, size / 3600);
    if (size % 3600) {
        *at++ = ':';
        at = put2(at, size / 60 % 60);
    }
    if (size % 60) {
        *at++ = ':';
        at = put2(at, size % 60);
    }
    return at;
}

/* The zone behind a time in the styles that write a name. */
static char *put_zone(char *at, int32_t offset_s, const TypeIoContext *io)
{
    *at++ = ' ';
    if (io == NULL || io->zone == NULL || io->zone == timezone_utc())
        return put_text(at, "UTC");
    return put_offset(at, offset_s);
}

/* A local timestamp; `zoned`: with its offset behind it. */
static void print(StrBuf *out, int64_t local, bool zoned, int32_t offset_s, const TypeIoContext *io)
{
    char *start = strbuf_reserve(out, 96);
    char *at = start;
    DateTime date;
    int style = io ? io->date_style : DATE_STYLE_ISO;
    int64_t time = timestamp_time_of_day(local);

    timestamp_split(local, &date);
    if (style == DATE_STYLE_POSTGRES) {
        at = put_text(at, day_names[date_day_of_week(timestamp_to_date(local))]);
        *at++ = ' ';
        bool day_first = io->date_order == DATE_ORDER_DMY;
        at = day_first ? put2(at, date.day) : put_text(at, month_names[date.month - 1]);
        *at++ = ' ';
        at = day_first ? put_text(at, month_names[date.month - 1]) : put2(at, date.day);
        *at++ = ' ';
        at = put_time(at, time);
        *at++ = ' ';
        at = put_number(at, date.year > 0 ? date.year : 1 - date.year, 4);
    } else {
        at = put_date(at, &date, io);
        *at++ = ' ';
        at = put_time(at, time);
    }
    if (zoned)
        at = style == DATE_STYLE_ISO ? put_offset(at, offset_s) : put_zone(at, offset_s, io);
    at = put_era(at, date.year);
    out->len += (size_t)(at - start);
}

static bool print_infinite(StrBuf *out, int64_t timestamp)
{
    if (timestamp_is_finite(timestamp))
        return false;
    strbuf_append_c(out, timestamp == TIMESTAMP_INFINITY ? "infinity" : "-infinity");
    return true;
}

void timestamp_print(StrBuf *out, int64_t timestamp, const TypeIoContext *io)
{
    if (!print_infinite(out, timestamp))
        print(out, timestamp, false, 0, io);
}

void timestamptz_print(StrBuf *out, int64_t timestamp, const TypeIoContext *io)
{
    if (print_infinite(out, timestamp))
        return;
    int32_t offset = timezone_offset(io ? io->zone : NULL, timestamp);
    print(out, timestamp + offset * US_PER_SECOND, true, offset, io);
}

/* --- intervals --- */

typedef struct IntervalParts {
    int64_t hours;
    int years;
    int months;
    int days;
    int minutes;
    int seconds;
    int us;
} IntervalParts;

static IntervalParts take_apart(Interval interval)
{
    int64_t us = interval.us;

    return (IntervalParts){
        .years = interval.months / 12,
        .months = interval.months % 12,
        .days = interval.days,
        .hours = us / US_PER_HOUR,
        .minutes = (int)(us / US_PER_MINUTE % 60),
        .seconds = (int)(us / US_PER_SECOND % 60),
        .us = (int)(us % US_PER_SECOND),
    };
}

static int64_t size_of(int64_t x)
{
    return x < 0 ? -x : x;
}

static bool any_time(const IntervalParts *p)
{
    return p->hours || p->minutes || p->seconds || p->us;
}

static bool negative_time(const IntervalParts *p)
{
    return p->hours < 0 || p->minutes < 0 || p->seconds < 0 || p->us < 0;
}

static void append_seconds(StrBuf *out, int seconds, int us, bool two_digits)
{
    char text[24];
    char *at = text;

    at = two_digits ? put2(at, (int)size_of(seconds)) : put_number(at, size_of(seconds), 1);
    at = put_fraction(at, (int)size_of(us));
    strbuf_append(out, text, (size_t)(at - text));
}

static void append_clock(StrBuf *out, const IntervalParts *p, int hour_digits)
{
    char text[32];
    char *at = put_number(text, size_of(p->hours), hour_digits);

    *at++ = ':';
    at = put2(at, (int)size_of(p->minutes));
    *at++ = ':';
    strbuf_append(out, text, (size_t)(at - text));
    append_seconds(out, p->seconds, p->us, true);
}

static void print_postgres(StrBuf *out, const IntervalParts *p)
{
    const int values[] = {p->years, p->months, p->days};
    static const char *const units[] = {"year", "mon", "day"};
    bool empty = true;
    bool before = false;

    for (int i = 0; i < 3; i++) {
        if (values[i] == 0)
            continue;
        strbuf_printf(out, "%s%s%d %s%s", empty ? "" : " ", before && values[i] > 0 ? "+" : "",
                      values[i], units[i], values[i] == 1 ? "" : "s");
        before = values[i] < 0;
        empty = false;
    }
    if (!empty && !any_time(p))
        return;
    if (!empty)
        strbuf_append_char(out, ' ');
    strbuf_append_c(out, negative_time(p) ? "-" : before ? "+" : "");
    append_clock(out, p, 2);
}

static void print_verbose(StrBuf *out, const IntervalParts *p)
{
    const int64_t values[] = {p->years, p->months, p->days, p->hours, p->minutes};
    static const char *const units[] = {"year", "mon", "day", "hour", "min"};
    bool empty = true;
    bool ago = false;

    strbuf_append_char(out, '@');
    for (int i = 0; i < 5; i++) {
        int64_t value = values[i];
        if (value == 0)
            continue;
        if (empty)
            ago = value < 0;
        value = ago ? -value : value;
        strbuf_printf(out, " %lld %s%s", (long long)value, units[i], value == 1 ? "" : "s");
        empty = false;
    }
    if (p->seconds || p->us) {
        bool negative = p->seconds < 0 || p->us < 0;
        if (empty)
            ago = negative;
        strbuf_append_c(out, negative != ago ? " -" : " ");
        append_seconds(out, p->seconds, p->us, false);
        strbuf_append_c(out, size_of(p->seconds) != 1 || p->us ? " secs" : " sec");
        empty = false;
    }
    strbuf_append_c(out, empty ? " 0" : "");
    strbuf_append_c(out, ago ? " ago" : "");
}

static void print_iso(StrBuf *out, const IntervalParts *p)
{
    const int64_t values[] = {p->years, p->months, p->days, p->hours, p->minutes};
    bool empty = true;

    strbuf_append_char(out, 'P');
    for (int i = 0; i < 5; i++) {
        if (i == 3 && any_time(p))
            strbuf_append_char(out, 'T');
        if (values[i] == 0)
            continue;
        strbuf_printf(out, "%lld%c", (long long)values[i], "YMDHM"[i]);
        empty = false;
    }
    if (p->seconds || p->us) {
        strbuf_append_c(out, p->seconds < 0 || p->us < 0 ? "-" : "");
        append_seconds(out, p->seconds, p->us, false);
        strbuf_append_char(out, 'S');
        empty = false;
    }
    if (empty)
        strbuf_append_c(out, "T0S");
}

static void print_sql(StrBuf *out, const IntervalParts *p)
{
    bool months = p->years || p->months;
    bool days = p->days || any_time(p);
    bool negative = p->years < 0 || p->months < 0 || p->days < 0 || negative_time(p);
    bool positive =
        p->years > 0 || p->months > 0 || p->days > 0 || (any_time(p) && !negative_time(p));

    if (!negative && !positive) {
        strbuf_append_char(out, '0');
        return;
    }
    if ((negative && positive) || (months && days)) {
        /* Not a standard interval: every part says its sign. */
        strbuf_printf(out, "%c%d-%d %c%lld %c", p->years < 0 || p->months < 0 ? '-' : '+',
                      (int)size_of(p->years), (int)size_of(p->months), p->days < 0 ? '-' : '+',
                      (long long)size_of(p->days), negative_time(p) ? '-' : '+');
        append_clock(out, p, 1);
        return;
    }
    if (negative)
        strbuf_append_char(out, '-');
    if (months) {
        strbuf_printf(out, "%d-%d", (int)size_of(p->years), (int)size_of(p->months));
        return;
    }
    if (p->days)
        strbuf_printf(out, "%lld ", (long long)size_of(p->days));
    append_clock(out, p, 1);
}

void interval_print(StrBuf *out, Interval interval, const TypeIoContext *io)
{
    IntervalParts parts = take_apart(interval);

    switch (io ? io->interval_style : INTERVAL_STYLE_POSTGRES) {
    case INTERVAL_STYLE_POSTGRES_VERBOSE: print_verbose(out, &parts); break;
    case INTERVAL_STYLE_SQL_STANDARD: print_sql(out, &parts); break;
    case INTERVAL_STYLE_ISO_8601: print_iso(out, &parts); break;
    default: print_postgres(out, &parts);
    }
}
