// SPDX-License-Identifier: Apache-2.0
//
// to_date and to_timestamp: a text read by a pattern, as leniently as PostgreSQL reads it (a
// separator matches any separator or none, blanks are skipped, a number ends where digits end
// unless the next field is digits too). See format_date.h.
#include "func/format_date.h"
#include "func/rows.h"
#include "types/datetime.h"

#include <limits.h>
#include <stdio.h>

typedef enum Calendar { CALENDAR_NONE, CALENDAR_GREGORIAN, CALENDAR_ISO } Calendar;

/* What was read; 0: not given. */
typedef struct Fields {
    Calendar calendar;
    int32_t hour, pm, minute, second, second_of_day;
    int32_t weekday; /* 1 Sunday … 7 */
    int32_t day, day_of_year, month, year, year_digits, century, julian;
    int32_t week, week_of_month;
    int32_t ms, us;
    int32_t zone_sign, zone_hours, zone_minutes;
    bool bc;
    bool clock12;
} Fields;

typedef struct Reader {
    Ctx *ctx;
    Str in;
    size_t at;
    const FormatNode *node;
    Fields fields;
    bool exact; /* FX */
    int extra_skip;
} Reader;

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool more(const Reader *r)
{
    return r->at < r->in.len;
}

static bool is_separator(char c)
{
    return c > ' ' && c < 0x7F && !is_digit(c) && !(c >= 'a' && c <= 'z') &&
           !(c >= 'A' && c <= 'Z');
}

static void skip_char(Reader *r)
{
    r->at++;
    while (more(r) && ((unsigned char)r->in.ptr[r->at] & 0xC0) == 0x80)
        r->at++;
}

static void skip_spaces(Reader *r)
{
    while (more(r) && is_space(r->in.ptr[r->at])) {
        r->at++;
        r->extra_skip++;
    }
}

/* True if the field that follows cannot begin with a digit. */
static bool next_is_separator(const FormatNode *node)
{
    if (node->modifiers & FORMAT_TH)
        return true;
    node++;
    if (node->kind == NODE_END)
        return true;
    if (node->kind == NODE_ACTION)
        return !node->keyword->is_digit;
    return !(node->text.len == 1 && is_digit(node->text.ptr[0]));
}

static Status bad_value(Reader *r, Str value, const char *detail)
{
    Status st = error_raise(r->ctx, E_INVALID_DATETIME, "invalid value \"%.*s\" for \"%s\"",
                            (int)value.len, value.ptr, r->node->keyword->name);
    error_detail(r->ctx, "%s", detail);
    return st;
}

static Status set_field(Reader *r, int32_t *field, int32_t value)
{
    if (*field != 0 && *field != value) {
        Status st = error_raise(r->ctx, E_INVALID_DATETIME,
                                "conflicting values for \"%s\" field in formatting string",
                                r->node->keyword->name);
        error_detail(r->ctx, "This value contradicts a previous setting for the same field type.");
        return st;
    }
    *field = value;
    return OK;
}

/* strtol within [at, end): sign and digits; returns how many bytes. */
static size_t scan_number(Str text, size_t at, size_t end, int64_t *out)
{
    size_t start = at;
    bool negative = false;

    *out = 0;
    if (at < end && (text.ptr[at] == '-' || text.ptr[at] == '+'))
        negative = text.ptr[at++] == '-';
    size_t digits = at;
    for (; at < end && is_digit(text.ptr[at]); at++)
        *out = MIN(*out * 10 + text.ptr[at] - '0', (int64_t)1 << 40);
    if (negative)
        *out = -*out;
    return at == digits ? 0 : at - start;
}

static Status too_short(Reader *r, int width, size_t left)
{
    Status st =
        error_raise(r->ctx, E_INVALID_DATETIME,
                    "source string too short for \"%s\" formatting field", r->node->keyword->name);
    error_detail(r->ctx, "Field requires %d characters, but only %zu remain.", width, left);
    error_hint(r->ctx, "If your source string is not fixed-width, try using the \"FM\" modifier.");
    return st;
}

static Status half_parsed(Reader *r, Str value, int width, size_t used)
{
    char detail[100];

    snprintf(detail, sizeof detail, "Field requires %d characters, but only %zu could be parsed.",
             width, used);
    Status st = bad_value(r, value, detail);
    error_hint(r->ctx, "If your source string is not fixed-width, try using the \"FM\" modifier.");
    return st;
}

/* A number of `width` digits, or of any where it ends by itself. *used: its length. */
static Status take_int(Reader *r, int width, int32_t *field, size_t *used)
{
    Status st = OK;
    int64_t value;
    size_t start;

    while (more(r) && is_space(r->in.ptr[r->at]))
        r->at++;
    start = r->at;
    size_t left = r->in.len - r->at;
    Str shown = {r->in.ptr + r->at, MIN(left, (size_t)width)};
    if ((r->node->modifiers & FORMAT_FILL_MODE) || next_is_separator(r->node)) {
        *used = scan_number(r->in, r->at, r->in.len, &value);
    } else {
        if (left < (size_t)width)
            TRY(too_short(r, width, left));
        *used = scan_number(r->in, r->at, r->at + (size_t)width, &value);
        if (*used > 0 && *used < (size_t)width)
            TRY(half_parsed(r, shown, width, *used));
    }
    if (*used == 0)
        TRY(bad_value(r, shown, "Value must be an integer."));
    r->at = start + *used;
    if (value < INT_MIN || value > INT_MAX) {
        st = error_raise(r->ctx, E_DATETIME_OVERFLOW,
                         "value for \"%s\" in source string is out of range",
                         r->node->keyword->name);
        error_detail(r->ctx, "Value must be in the range %d to %d.", INT_MIN, INT_MAX);
        goto done;
    }
    if (field)
        TRY(set_field(r, field, (int32_t)value));
done:
    return st;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool matches(const Reader *r, const char *name, size_t letters)
{
    if (r->in.len - r->at < letters)
        return false;
    for (size_t i = 0; i < letters; i++) {
        if (lower(r->in.ptr[r->at + i]) != lower(name[i]))
            return false;
    }
    return true;
}

/* One of the names (their first `letters`, 0: all); its index. */
static Status take_name(Reader *r, const char *const *names, int count, size_t letters, int *out)
{
    for (int i = 0; i < count; i++) {
        size_t length = letters ? letters : strlen(names[i]);
        if (!matches(r, names[i], length))
            continue;
        r->at += length;
        *out = i;
        return OK;
    }
    size_t end = r->at;
    while (end < r->in.len && !is_space(r->in.ptr[end]))
        end++;
    return bad_value(r, (Str){r->in.ptr + r->at, end - r->at},
                     "The given value did not match any of the allowed values for this field.");
}

/* AM or PM, AD or BC, with or without dots as the keyword has them. */
static Status take_half(Reader *r, const char *const *names, bool *second)
{
    int index;
    bool dotted = r->node->keyword->name[1] == '.';
    Status st = take_name(r, names + (dotted ? 2 : 0), 2, 0, &index);

    *second = st == OK && index == 1;
    return st;
}

static void skip_ordinal(Reader *r)
{
    for (int i = 0; (r->node->modifiers & FORMAT_TH) && i < 2 && more(r); i++)
        skip_char(r);
}

/* 2-digit years belong to the time around 2020. */
static int32_t whole_year(int32_t year)
{
    if (year < 70)
        return year + 2000;
    if (year < 100)
        return year + 1900;
    if (year < 520)
        return year + 2000;
    return year < 1000 ? year + 1000 : year;
}

static Status take_year(Reader *r, int digits)
{
    Status st = OK;
    int32_t year = 0;
    size_t used;

    TRY(take_int(r, digits, &year, &used));
    if (digits < 4 && used < 4)
        year = whole_year(year);
    TRY(set_field(r, &r->fields.year, year));
    r->fields.year_digits = digits;
    skip_ordinal(r);
done:
    return st;
}

static Status take_comma_year(Reader *r)
{
    Status st = OK;
    int64_t thousands, rest;
    size_t used = scan_number(r->in, r->at, r->in.len, &thousands);
    size_t comma = r->at + used;

    if (used == 0 || comma >= r->in.len || r->in.ptr[comma] != ',')
        FAIL(r->ctx, E_INVALID_DATETIME, "invalid input string for \"Y,YYY\"");
    size_t more_used = scan_number(r->in, comma + 1, MIN(comma + 4, r->in.len), &rest);
    if (more_used == 0 || thousands > 1000000)
        FAIL(r->ctx, E_INVALID_DATETIME, "invalid input string for \"Y,YYY\"");
    r->at = comma + 1 + more_used;
    TRY(set_field(r, &r->fields.year, (int32_t)(thousands * 1000 + rest)));
    r->fields.year_digits = 4;
    skip_ordinal(r);
done:
    return st;
}

/* A fraction of a second: 5 after the point is half of it. */
static Status take_fraction(Reader *r, int width, int unit_digits, int32_t *field)
{
    Status st = OK;
    int32_t value = 0;
    size_t used;

    TRY(take_int(r, width, &value, &used));
    for (size_t k = used; k < (size_t)unit_digits; k++)
        value *= 10;
    TRY(set_field(r, field, value));
    skip_ordinal(r);
done:
    return st;
}

static Status take_plain(Reader *r, int width, int32_t *field)
{
    size_t used;
    Status st = take_int(r, width, field, &used);

    if (st == OK)
        skip_ordinal(r);
    return st;
}

static const char *const halves[] = {"AM", "PM", "A.M.", "P.M."};
static const char *const eras[] = {"AD", "BC", "A.D.", "B.C."};

static Status take_time_field(Reader *r)
{
    Status st = OK;
    Fields *f = &r->fields;
    int id = r->node->keyword->id;
    bool second;

    switch (id) {
    case KEY_AM:
        TRY(take_half(r, halves, &second));
        f->pm = second;
        f->clock12 = true;
        break;
    case KEY_HH12:
        f->clock12 = true;
        TRY(take_plain(r, 2, &f->hour));
        break;
    case KEY_HH24: TRY(take_plain(r, 2, &f->hour)); break;
    case KEY_MI: TRY(take_plain(r, 2, &f->minute)); break;
    case KEY_SS: TRY(take_plain(r, 2, &f->second)); break;
    case KEY_SSSS:
        TRY(take_plain(r, (int)strlen(r->node->keyword->name), &f->second_of_day));
        break;
    case KEY_MS: TRY(take_fraction(r, 3, 3, &f->ms)); break;
    case KEY_US: TRY(take_fraction(r, 6, 6, &f->us)); break;
    case KEY_TZH:
        if (more(r) && strchr("+- ", r->in.ptr[r->at]))
            f->zone_sign = r->in.ptr[r->at++] == '-' ? -1 : 1;
        else
            f->zone_sign = r->extra_skip > 0 && r->in.ptr[r->at - 1] == '-' ? -1 : 1;
        TRY(take_plain(r, 2, &f->zone_hours));
        break;
    case KEY_TZM:
        f->zone_sign = f->zone_sign ? f->zone_sign : 1;
        TRY(take_plain(r, 2, &f->zone_minutes));
        break;
    case KEY_TZ:
    case KEY_OF:
        FAIL(r->ctx, E_FEATURE_NOT_SUPPORTED,
             "formatting field \"%s\" is only supported in to_char", r->node->keyword->name);
    default: TRY(take_fraction(r, id - KEY_FF1 + 1, 6, &f->us)); break;
    }
done:
    return st;
}

static Status take_day_field(Reader *r)
{
    Status st = OK;
    Fields *f = &r->fields;
    int index = 0;

    switch (r->node->keyword->id) {
    case KEY_MONTH:
        TRY(take_name(r, format_months, 12, 0, &index));
        TRY(set_field(r, &f->month, index + 1));
        break;
    case KEY_MON:
        TRY(take_name(r, format_months, 12, 3, &index));
        TRY(set_field(r, &f->month, index + 1));
        break;
    case KEY_RM:
        TRY(take_name(r, format_romans, 12, 0, &index));
        TRY(set_field(r, &f->month, 12 - index));
        break;
    case KEY_MM: TRY(take_plain(r, 2, &f->month)); break;
    case KEY_DAY:
    case KEY_DY:
        TRY(take_name(r, format_days, 7, r->node->keyword->id == KEY_DY ? 3 : 0, &index));
        TRY(set_field(r, &f->weekday, index + 1));
        break;
    case KEY_DDD:
    case KEY_IDDD: TRY(take_plain(r, 3, &f->day_of_year)); break;
    case KEY_DD: TRY(take_plain(r, 2, &f->day)); break;
    case KEY_D: TRY(take_plain(r, 1, &f->weekday)); break;
    case KEY_ID:
        TRY(take_plain(r, 1, &f->weekday));
        f->weekday = f->weekday >= 7 ? 1 : f->weekday + 1;
        break;
    case KEY_WW:
    case KEY_IW: TRY(take_plain(r, 2, &f->week)); break;
    case KEY_W: TRY(take_plain(r, 1, &f->week_of_month)); break;
    case KEY_Q: TRY(take_plain(r, 1, NULL)); break;
    default: TRY(take_plain(r, 1, &f->julian)); break;
    }
done:
    return st;
}

static Status take_field(Reader *r)
{
    Status st = OK;

    switch (r->node->keyword->id) {
    case KEY_FX: r->exact = true; break;
    case KEY_AD: TRY(take_half(r, eras, &r->fields.bc)); break;
    case KEY_CC: TRY(take_plain(r, 2, &r->fields.century)); break;
    case KEY_Y_YYY: TRY(take_comma_year(r)); break;
    case KEY_YYYY:
    case KEY_IYYY: TRY(take_year(r, 4)); break;
    case KEY_YYY:
    case KEY_IYY: TRY(take_year(r, 3)); break;
    case KEY_YY:
    case KEY_IY: TRY(take_year(r, 2)); break;
    case KEY_Y:
    case KEY_I: TRY(take_year(r, 1)); break;
    case KEY_MONTH:
    case KEY_MON:
    case KEY_RM:
    case KEY_MM:
    case KEY_DAY:
    case KEY_DY:
    case KEY_DDD:
    case KEY_IDDD:
    case KEY_DD:
    case KEY_D:
    case KEY_ID:
    case KEY_WW:
    case KEY_IW:
    case KEY_W:
    case KEY_Q:
    case KEY_J: TRY(take_day_field(r)); break;
    default: TRY(take_time_field(r)); break;
    }
done:
    return st;
}

static Status set_calendar(Reader *r)
{
    const FormatKeyword *keyword = r->node->keyword;
    Calendar calendar = keyword->iso         ? CALENDAR_ISO
                        : keyword->gregorian ? CALENDAR_GREGORIAN
                                             : CALENDAR_NONE;

    if (calendar == CALENDAR_NONE)
        return OK;
    if (r->fields.calendar != CALENDAR_NONE && r->fields.calendar != calendar) {
        Status st =
            error_raise(r->ctx, E_INVALID_DATETIME, "invalid combination of date conventions");
        error_hint(r->ctx, "Do not mix Gregorian and ISO week date conventions in a formatting "
                           "template.");
        return st;
    }
    r->fields.calendar = calendar;
    return OK;
}

/* A character of the pattern that is no field. */
static void pass_literal(Reader *r)
{
    bool loose = r->node->kind != NODE_CHAR;

    if (r->exact) {
        skip_char(r);
    } else if (loose) {
        r->extra_skip--;
        if (is_space(r->in.ptr[r->at]) || is_separator(r->in.ptr[r->at])) {
            r->at++;
            r->extra_skip++;
        }
    } else if (r->extra_skip > 0) {
        r->extra_skip--; /* more was skipped already than the pattern has */
    } else {
        skip_char(r);
    }
}

static Status read_fields(Reader *r, const FormatNode *nodes)
{
    Status st = OK;

    for (r->node = nodes; r->node->kind != NODE_END && more(r); r->node++) {
        bool action = r->node->kind == NODE_ACTION;
        if (!r->exact && !(action && r->node->keyword->id == KEY_FX) &&
            (action || r->node == nodes))
            skip_spaces(r);
        if (!more(r))
            break;
        if (!action) {
            pass_literal(r);
            continue;
        }
        TRY(set_calendar(r));
        TRY(take_field(r));
        if (!r->exact) {
            r->extra_skip = 0;
            skip_spaces(r);
        }
    }
done:
    return st;
}

/* --- fields to a date --- */

static Status out_of_range(Reader *r)
{
    return error_raise(r->ctx, E_DATETIME_OVERFLOW, "date/time field value out of range: \"%.*s\"",
                       (int)r->in.len, r->in.ptr);
}

/* The year by year and century; 0 is 1 BC. */
static int32_t settle_year(const Fields *f)
{
    int32_t century = f->bc ? -f->century : f->century;

    if (f->year && !(f->century && f->year_digits <= 2)) {
        int32_t year = f->bc ? -f->year : f->year;
        return year < 0 ? year + 1 : year;
    }
    if (f->year) {
        int32_t in_century = f->year % 100;
        if (in_century == 0)
            return century * 100 + (century >= 0 ? 0 : 1);
        return century >= 0 ? in_century + (century - 1) * 100
                            : (century + 1) * 100 - in_century + 1;
    }
    if (f->century)
        return century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
    return 0;
}

/* Monday of an ISO week. */
static int32_t iso_monday(int32_t year, int32_t week)
{
    int32_t fourth = date_from_ymd(year, 1, 4);
    int weekday = (date_day_of_week(fourth) + 6) % 7;

    return fourth - weekday + (week - 1) * 7;
}

static void set_date(DateTime *at, int32_t date)
{
    date_to_ymd(date, &at->year, &at->month, &at->day);
}

static Status settle_day_of_year(Reader *r, DateTime *at)
{
    const Fields *f = &r->fields;

    if (at->year == 0 && !f->bc)
        return error_raise(r->ctx, E_INVALID_DATETIME,
                           "cannot calculate day of year without year information");
    if (f->calendar == CALENDAR_ISO) {
        set_date(at, iso_monday(at->year, 1) - 1 + f->day_of_year);
        return OK;
    }
    int32_t days = date_from_ymd(at->year + 1, 1, 1) - date_from_ymd(at->year, 1, 1);
    if (f->day_of_year < 1 || f->day_of_year > days)
        return out_of_range(r);
    DateTime found = *at;
    set_date(&found, date_from_ymd(at->year, 1, 1) + f->day_of_year - 1);
    if (at->month <= 1)
        at->month = found.month;
    if (at->day <= 1)
        at->day = found.day;
    return OK;
}

static Status settle_date(Reader *r, DateTime *at)
{
    Status st = OK;
    Fields *f = &r->fields;

    at->year = settle_year(f);
    at->month = at->day = 1;
    if (f->julian)
        set_date(at, f->julian - EPOCH_JULIAN);
    if (f->week && f->calendar == CALENDAR_ISO) {
        int32_t from_monday = f->weekday ? (f->weekday + 5) % 7 : 0;
        set_date(at, iso_monday(at->year, f->week) + from_monday);
    } else if (f->week) {
        f->day_of_year = (f->week - 1) * 7 + 1;
    }
    if (f->week_of_month)
        f->day = (f->week_of_month - 1) * 7 + 1;
    if (f->day)
        at->day = f->day;
    if (f->month)
        at->month = f->month;
    if (f->day_of_year && (at->month <= 1 || at->day <= 1))
        TRY(settle_day_of_year(r, at));
    if (at->month < 1 || at->month > 12 || at->day < 1 || at->day > 31 ||
        at->day > date_days_in_month(at->year, at->month))
        TRY(out_of_range(r));
done:
    return st;
}

static Status settle_time(Reader *r, DateTime *at)
{
    const Fields *f = &r->fields;

    at->hour = f->hour ? f->hour : f->second_of_day / 3600;
    at->minute = f->minute ? f->minute : f->second_of_day % 3600 / 60;
    at->second = f->second ? f->second : f->second_of_day % 60;
    if (!f->clock12)
        return OK;
    if (at->hour < 1 || at->hour > 12) {
        Status st = error_raise(r->ctx, E_INVALID_DATETIME,
                                "hour \"%d\" is invalid for the 12-hour clock", at->hour);
        error_hint(r->ctx, "Use the 24-hour clock, or give an hour between 1 and 12.");
        return st;
    }
    if (f->pm && at->hour < 12)
        at->hour += 12;
    else if (!f->pm && at->hour == 12)
        at->hour = 0;
    return OK;
}

static Status check_time(Reader *r, DateTime *at)
{
    const Fields *f = &r->fields;
    int64_t us = (int64_t)f->ms * 1000 + f->us;

    if (at->hour < 0 || at->hour > 23 || at->minute < 0 || at->minute > 59 || at->second < 0 ||
        at->second > 59 || us < 0 || us >= US_PER_SECOND || f->zone_hours > 15 ||
        f->zone_minutes > 59)
        return out_of_range(r);
    at->us = (int32_t)us;
    return OK;
}

static Status read_moment(FuncCall *call, Str text, Str format, Reader *r, DateTime *out)
{
    Status st = OK;

    *r = (Reader){.ctx = call->ctx, .in = text};
    *out = (DateTime){0};
    TRY(read_fields(r, format_parse_date(call->scope, format)));
    TRY(settle_time(r, out));
    TRY(settle_date(r, out));
    TRY(check_time(r, out));
done:
    return st;
}

KERNEL_TRY_ROWS(func_to_date, {
    Reader reader;
    DateTime at;
    TRY(read_moment(call, KERNEL_STR(0), KERNEL_STR(1), &reader, &at));
    if (at.year < -4713 || at.year > 5874897)
        FAIL(call->ctx, E_DATETIME_OVERFLOW, "date out of range: \"%.*s\"", (int)reader.in.len,
             reader.in.ptr);
    int32_t date = date_from_ymd(at.year, at.month, at.day);
    if (date < DATE_FIRST || date >= DATE_END)
        FAIL(call->ctx, E_DATETIME_OVERFLOW, "date out of range: \"%.*s\"", (int)reader.in.len,
             reader.in.ptr);
    KERNEL_RESULT(int32_t) = date;
})

KERNEL_TRY_ROWS(func_to_timestamp_text, {
    Reader reader;
    DateTime at;
    int64_t local;
    TRY(read_moment(call, KERNEL_STR(0), KERNEL_STR(1), &reader, &at));
    if (at.year < -4713 || at.year > 294277 || !timestamp_join(&at, &local))
        FAIL(call->ctx, E_DATETIME_OVERFLOW, "timestamp out of range");
    const Fields *f = &reader.fields;
    if (f->zone_sign)
        KERNEL_RESULT(int64_t) =
            local - f->zone_sign * (f->zone_hours * US_PER_HOUR + f->zone_minutes * US_PER_MINUTE);
    else
        TRY(timestamp_to_timestamptz(call->ctx, local, kernel_io(call)->zone,
                                     &KERNEL_RESULT(int64_t)));
})
