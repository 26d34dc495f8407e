// SPDX-License-Identifier: Apache-2.0
//
// Texts of dates, times and timestamps: decodes the fields that datetime_text.c cut, by
// PostgreSQL's rules for which number means what. A Decoder gathers fields; what has been seen is a
// set of bits, and nothing may be given twice.
#include "types/datetime_int.h"

enum {
    SEEN_YEAR = 1,
    SEEN_MONTH = 2,
    SEEN_DAY = 4,
    SEEN_DATE = SEEN_YEAR | SEEN_MONTH | SEEN_DAY,
    SEEN_TIME = 8,
    SEEN_ZONE = 16,
    SEEN_DST = 32,
    SEEN_DAY_OF_YEAR = 64,
    SEEN_MERIDIEM = 128,
    SEEN_ERA = 256,
    SEEN_WEEKDAY = 512,
};

typedef enum Meridiem { MERIDIEM_NONE, MERIDIEM_AM, MERIDIEM_PM } Meridiem;

typedef struct Decoder {
    const TypeIoContext *io;
    bool time_only;
    DateTimeText *text;
    int seen;
    int prefix; /* DateTimeUnit that labels the next field; UNIT_NONE */
    bool time_prefix;
    bool text_month;
    bool two_digit_year;
    bool julian;
    bool bc;
    Meridiem meridiem;
    int day_of_year;
    int64_t hour;
    DateTime at;
    int64_t time_us;         /* of a fractional Julian day */
    DateTimeSpecial special; /* epoch and infinities: nothing else counts */
    int32_t offset_s;        /* with SEEN_ZONE, unless zone is set */
    const TimeZone *zone;
    const char *unknown_zone;
} Decoder;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const TimeZone *session_zone(const Decoder *d)
{
    return d->io ? d->io->zone : NULL;
}

static DateOrder date_order(const Decoder *d)
{
    return d->io ? (DateOrder)d->io->date_order : DATE_ORDER_MDY;
}

static int two_digits(const char *p)
{
    return (p[0] - '0') * 10 + (p[1] - '0');
}

/* Digits run together: yyyymmdd, hhmmss or hhmm, the last two perhaps with a fraction. */
static DateTimeError decode_run(Decoder *d, int seen, char *field, int *mask)
{
    char *point = strchr(field, '.');
    double fraction;
    size_t length = strlen(field);

    if (point) {
        if (!datetime_fraction(point, &fraction))
            return DATETIME_BAD_FORMAT;
        d->at.us = (int32_t)__builtin_rint(fraction * 1000000.0);
        *point = '\0';
        length = strlen(field);
    }
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(field[i]))
            return DATETIME_BAD_FORMAT;
    }
    if (!point && (seen & SEEN_DATE) != SEEN_DATE && length >= 6) {
        int64_t year;
        const char *p = field;
        *mask = SEEN_DATE;
        d->at.day = two_digits(field + length - 2);
        d->at.month = two_digits(field + length - 4);
        field[length - 4] = '\0';
        if (!datetime_integer(&p, &year) || year > INT32_MAX)
            return DATETIME_FIELD_OVERFLOW;
        d->at.year = (int32_t)year;
        d->two_digit_year = length == 6;
        return DATETIME_OK;
    }
    if ((seen & SEEN_TIME) || (length != 6 && length != 4))
        return DATETIME_BAD_FORMAT;
    *mask = SEEN_TIME;
    d->hour = two_digits(field);
    d->at.minute = two_digits(field + 2);
    d->at.second = length == 6 ? two_digits(field + 4) : 0;
    return DATETIME_OK;
}

/* Which of year, month, day a single number is, by what is there already. */
static int choose_date_part(const Decoder *d, int seen, size_t length, bool *swap)
{
    bool year_first = length >= 3 || date_order(d) == DATE_ORDER_YMD;

    *swap = false;
    switch (seen & SEEN_DATE) {
    case 0:
        if (year_first)
            return SEEN_YEAR;
        return date_order(d) == DATE_ORDER_DMY ? SEEN_DAY : SEEN_MONTH;
    case SEEN_YEAR: return SEEN_MONTH;
    case SEEN_MONTH: return d->text_month && year_first ? SEEN_YEAR : SEEN_DAY;
    case SEEN_YEAR | SEEN_MONTH:
        *swap = d->text_month && length >= 3 && d->two_digit_year;
        return SEEN_DAY;
    case SEEN_DAY: return SEEN_MONTH;
    case SEEN_MONTH | SEEN_DAY: return SEEN_YEAR;
    default: return 0;
    }
}

static DateTimeError decode_number(Decoder *d, int seen, char *field, int *mask)
{
    const char *p = field;
    size_t length = strlen(field);
    int64_t value;
    double fraction;
    bool swap;

    *mask = 0;
    if (!datetime_integer(&p, &value) || value > INT32_MAX || value < INT32_MIN)
        return DATETIME_FIELD_OVERFLOW;
    if (p == field)
        return DATETIME_BAD_FORMAT;
    if (*p == '.') {
        if (p - field > 2)
            return decode_run(d, seen | SEEN_DATE, field, mask);
        if (!datetime_fraction(p, &fraction))
            return DATETIME_BAD_FORMAT;
        d->at.us = (int32_t)__builtin_rint(fraction * 1000000.0);
    } else if (*p != '\0') {
        return DATETIME_BAD_FORMAT;
    }
    if (length == 3 && (seen & SEEN_DATE) == SEEN_YEAR && value >= 1 && value <= 366) {
        *mask = SEEN_DAY_OF_YEAR | SEEN_MONTH | SEEN_DAY;
        d->day_of_year = (int)value;
        return DATETIME_OK;
    }
    if ((seen & SEEN_DATE) == SEEN_DATE)
        return decode_run(d, seen, field, mask);
    *mask = choose_date_part(d, seen, length, &swap);
    if (swap) {
        d->at.day = d->at.year;
        d->at.year = (int32_t)value;
        d->two_digit_year = false;
        return DATETIME_OK;
    }
    switch (*mask) {
    case SEEN_YEAR:
        d->at.year = (int32_t)value;
        d->two_digit_year = length <= 2;
        return DATETIME_OK;
    case SEEN_MONTH: d->at.month = (int32_t)value; return DATETIME_OK;
    case SEEN_DAY: d->at.day = (int32_t)value; return DATETIME_OK;
    default: return DATETIME_BAD_FORMAT;
    }
}

/* Cuts a date field at everything that is neither digit nor letter; false if it is malformed. */
static bool split_date(char *text, char **parts, int *count)
{
    *count = 0;
    while (*text && *count < DATETIME_FIELDS_MAX) {
        while (*text && !is_digit(*text) && !(*text >= 'a' && *text <= 'z'))
            text++;
        if (*text == '\0')
            return false;
        parts[(*count)++] = text;
        bool digits = is_digit(*text);
        while (*text && (digits ? is_digit(*text) : *text >= 'a' && *text <= 'z'))
            text++;
        if (*text)
            *text++ = '\0';
    }
    return true;
}

static DateTimeError decode_date(Decoder *d, char *field, int *mask)
{
    char *parts[DATETIME_FIELDS_MAX];
    int count;
    int seen = d->seen;

    *mask = 0;
    if (!split_date(field, parts, &count))
        return DATETIME_BAD_FORMAT;
    bool text_month = d->text_month;
    d->text_month = false;
    for (int i = 0; i < count; i++) {
        int value;
        if (is_digit(parts[i][0]))
            continue;
        WordKind kind = datetime_word(parts[i], &value);
        parts[i] = NULL;
        if (kind == WORD_IGNORED)
            continue;
        if (kind != WORD_MONTH || (seen & SEEN_MONTH))
            return DATETIME_BAD_FORMAT;
        d->at.month = value;
        d->text_month = true;
        seen |= SEEN_MONTH;
        *mask |= SEEN_MONTH;
    }
    for (int i = 0; i < count; i++) {
        int part;
        if (parts[i] == NULL)
            continue;
        DateTimeError error = decode_number(d, seen, parts[i], &part);
        if (error)
            return error;
        if (seen & part)
            return DATETIME_BAD_FORMAT;
        seen |= part;
        *mask |= part;
    }
    d->text_month = text_month;
    if ((seen & (SEEN_DATE | SEEN_TIME)) != SEEN_DATE)
        return DATETIME_BAD_FORMAT;
    return DATETIME_OK;
}

/* +hh, +hhmm, +hh:mm, +hh:mm:ss */
static DateTimeError decode_zone(const char *field, int32_t *offset_s)
{
    const char *p = field + 1;
    int64_t hour;
    int64_t minute = 0;
    int64_t second = 0;

    if (field[0] != '+' && field[0] != '-')
        return DATETIME_BAD_FORMAT;
    if (!datetime_integer(&p, &hour))
        return DATETIME_ZONE_OVERFLOW;
    if (*p == ':') {
        p++;
        if (!datetime_integer(&p, &minute))
            return DATETIME_ZONE_OVERFLOW;
        if (*p == ':') {
            p++;
            if (!datetime_integer(&p, &second))
                return DATETIME_ZONE_OVERFLOW;
        }
    } else if (*p == '\0' && strlen(field) > 3) {
        minute = hour % 100;
        hour /= 100;
    }
    if (hour < 0 || hour > 15 || minute < 0 || minute >= 60 || second < 0 || second >= 60)
        return DATETIME_ZONE_OVERFLOW;
    int32_t offset = (int32_t)(hour * 3600 + minute * 60 + second);
    *offset_s = field[0] == '-' ? -offset : offset;
    return *p ? DATETIME_BAD_FORMAT : DATETIME_OK;
}

static DateTimeError decode_zone_name(Decoder *d, const char *field, int *mask)
{
    d->zone = timezone_find(str_from(field));
    *mask = SEEN_ZONE;
    return d->zone ? DATETIME_OK : DATETIME_BAD_FORMAT;
}

/* hhmmss-zz: a run of digits with its zone. */
static DateTimeError decode_run_with_zone(Decoder *d, char *field, int *mask)
{
    char *sign = strchr(field, '-');

    if (d->prefix != UNIT_NONE || (d->seen & SEEN_TIME) || sign == NULL)
        return DATETIME_BAD_FORMAT;
    d->time_prefix = false;
    DateTimeError error = decode_zone(sign, &d->offset_s);
    if (error)
        return error;
    *sign = '\0';
    error = decode_run(d, d->seen | (d->time_only ? SEEN_DATE : 0), field, mask);
    *mask |= SEEN_ZONE;
    return error;
}

static DateTimeError decode_date_field(Decoder *d, int i, int *mask)
{
    DateTimeText *text = d->text;
    char *field = text->fields[i];
    bool have_date = (d->seen & (SEEN_MONTH | SEEN_DAY)) == (SEEN_MONTH | SEEN_DAY);

    if (d->prefix == UNIT_JULIAN && !d->time_only) {
        int64_t day;
        const char *p = field;
        if (!datetime_integer(&p, &day) || day > INT32_MAX)
            return DATETIME_FIELD_OVERFLOW;
        date_to_ymd((int32_t)(day - EPOCH_JULIAN), &d->at.year, &d->at.month, &d->at.day);
        d->julian = true;
        d->prefix = UNIT_NONE;
        *mask = SEEN_DATE | SEEN_TIME | SEEN_ZONE;
        return decode_zone(p, &d->offset_s);
    }
    if (d->time_only) {
        bool date_first =
            i == 0 && text->count >= 2 &&
            (text->kinds[text->count - 1] == TEXT_DATE || text->kinds[1] == TEXT_TIME);
        if (date_first)
            return decode_date(d, field, mask);
        if (is_digit(field[0]) && strchr(field, '-') == NULL)
            return decode_run(d, d->seen | SEEN_DATE, field, mask);
    } else if (d->prefix == UNIT_NONE && !d->time_prefix && !have_date) {
        return decode_date(d, field, mask);
    }
    if (is_digit(field[0]) || d->prefix != UNIT_NONE || d->time_prefix)
        return decode_run_with_zone(d, field, mask);
    if (decode_zone_name(d, field, mask) == DATETIME_OK)
        return DATETIME_OK;
    d->unknown_zone = field;
    return DATETIME_ZONE_UNKNOWN;
}

static bool time_too_large(int64_t hour, const DateTime *at)
{
    if (hour < 0 || hour > 24 || at->minute > 59 || at->second > 60 || at->us > US_PER_SECOND)
        return true;
    return hour * US_PER_HOUR + at->minute * US_PER_MINUTE + at->second * US_PER_SECOND + at->us >
           US_PER_DAY;
}

static DateTimeError decode_time_field(Decoder *d, const char *field, int *mask)
{
    if (d->prefix != UNIT_NONE)
        return DATETIME_BAD_FORMAT;
    d->time_prefix = false;
    *mask = SEEN_TIME;
    DateTimeError error = datetime_decode_time(field, false, &d->hour, &d->at);
    if (error)
        return error;
    return time_too_large(d->hour, &d->at) ? DATETIME_FIELD_OVERFLOW : DATETIME_OK;
}

/* A number that the field before it named: J2451187, T040506. */
static DateTimeError decode_labelled(Decoder *d, char *field, int *mask)
{
    const char *p = field;
    int64_t value;
    double fraction;

    if (!datetime_integer(&p, &value) || value > INT32_MAX || value < INT32_MIN)
        return DATETIME_FIELD_OVERFLOW;
    if (*p != '.' && *p != '\0')
        return DATETIME_BAD_FORMAT;
    if (d->time_prefix) {
        d->time_prefix = false;
        DateTimeError error = decode_run(d, d->seen | SEEN_DATE, field, mask);
        return !error && *mask != SEEN_TIME ? DATETIME_BAD_FORMAT : error;
    }
    if (d->prefix != UNIT_JULIAN || d->time_only)
        return DATETIME_BAD_FORMAT;
    if (value < 0)
        return DATETIME_FIELD_OVERFLOW;
    d->prefix = UNIT_NONE;
    d->julian = true;
    *mask = SEEN_DATE;
    date_to_ymd((int32_t)(value - EPOCH_JULIAN), &d->at.year, &d->at.month, &d->at.day);
    if (*p == '.') {
        if (!datetime_fraction(p, &fraction))
            return DATETIME_BAD_FORMAT;
        int64_t time = (int64_t)(fraction * (double)US_PER_DAY);
        *mask |= SEEN_TIME;
        d->hour = time / US_PER_HOUR;
        d->at.minute = (int32_t)(time / US_PER_MINUTE % 60);
        d->at.second = (int32_t)(time / US_PER_SECOND % 60);
        d->at.us = (int32_t)(time % US_PER_SECOND);
    }
    return DATETIME_OK;
}

static DateTimeError decode_number_field(Decoder *d, int i, int *mask)
{
    char *field = d->text->fields[i];
    size_t length = strlen(field);
    const char *point = strchr(field, '.');
    int seen = d->seen | (d->time_only ? SEEN_DATE : 0);

    if (d->prefix != UNIT_NONE || d->time_prefix)
        return decode_labelled(d, field, mask);
    if (d->time_only) {
        if (point && i == 0 && d->text->count >= 2 &&
            d->text->kinds[d->text->count - 1] == TEXT_DATE)
            return decode_date(d, field, mask);
        if (point && point - field > 2)
            return decode_run(d, seen, field, mask);
        if (point)
            return DATETIME_BAD_FORMAT;
        return length > 4 ? decode_run(d, seen, field, mask) : decode_number(d, seen, field, mask);
    }
    if (point && !(d->seen & SEEN_DATE))
        return decode_date(d, field, mask);
    bool run = point ? point - field > 2
                     : length >= 6 && (!(d->seen & SEEN_DATE) || !(d->seen & SEEN_TIME));
    return run ? decode_run(d, seen, field, mask) : decode_number(d, seen, field, mask);
}

/* Local time of the transaction's start. */
static int64_t local_now(const Decoder *d)
{
    int64_t now = d->io ? d->io->now_us : 0;

    return now + timezone_offset(session_zone(d), now) * US_PER_SECOND;
}

static DateTimeError decode_special(Decoder *d, DateTimeSpecial special, int *mask)
{
    int32_t today = timestamp_to_date(local_now(d));
    DateTime now;

    if (d->time_only && special != SPECIAL_NOW && special != SPECIAL_ALLBALLS)
        return DATETIME_BAD_FORMAT;
    switch (special) {
    case SPECIAL_NOW:
        *mask = SEEN_TIME | SEEN_ZONE | (d->time_only ? 0 : SEEN_DATE);
        timestamp_split(local_now(d), &now);
        d->hour = now.hour;
        d->at = now;
        d->offset_s = timezone_offset(session_zone(d), d->io ? d->io->now_us : 0);
        return DATETIME_OK;
    case SPECIAL_TODAY:
    case SPECIAL_TOMORROW:
    case SPECIAL_YESTERDAY:
        *mask = SEEN_DATE;
        today += (special == SPECIAL_TOMORROW) - (special == SPECIAL_YESTERDAY);
        date_to_ymd(today, &d->at.year, &d->at.month, &d->at.day);
        return DATETIME_OK;
    case SPECIAL_ALLBALLS:
        *mask = SEEN_TIME | SEEN_ZONE;
        d->hour = 0;
        d->at.minute = d->at.second = d->at.us = 0;
        d->offset_s = 0;
        return DATETIME_OK;
    default:
        *mask = SEEN_DATE | SEEN_TIME | SEEN_ZONE; /* nothing else may stand beside it */
        d->special = special;
        return DATETIME_OK;
    }
}

static DateTimeError decode_month(Decoder *d, int month, int *mask)
{
    *mask = SEEN_MONTH;
    /* A number was taken for the month, but here is the month: the number was the day. */
    if ((d->seen & SEEN_MONTH) && !d->text_month && !(d->seen & SEEN_DAY) && d->at.month >= 1 &&
        d->at.month <= 31) {
        d->at.day = d->at.month;
        *mask = SEEN_DAY;
    }
    d->text_month = true;
    d->at.month = month;
    return DATETIME_OK;
}

static DateTimeError decode_word(Decoder *d, const char *field, int *mask)
{
    int32_t offset;
    bool dst;
    int value;

    *mask = 0;
    if (timezone_abbreviation(str_from(field), &offset, &dst)) {
        *mask = SEEN_ZONE;
        d->offset_s = offset;
        return DATETIME_OK;
    }
    switch (datetime_word(field, &value)) {
    case WORD_IGNORED: return DATETIME_OK;
    case WORD_SPECIAL: return decode_special(d, (DateTimeSpecial)value, mask);
    case WORD_MONTH: return d->time_only ? DATETIME_BAD_FORMAT : decode_month(d, value, mask);
    case WORD_WEEKDAY:
        *mask = SEEN_WEEKDAY;
        return d->time_only ? DATETIME_BAD_FORMAT : DATETIME_OK;
    case WORD_DST:
        *mask = SEEN_DST;
        d->offset_s += value;
        return DATETIME_OK;
    case WORD_MERIDIEM:
        *mask = SEEN_MERIDIEM;
        d->meridiem = value ? MERIDIEM_PM : MERIDIEM_AM;
        return DATETIME_OK;
    case WORD_ERA:
        *mask = SEEN_ERA;
        d->bc = value == 1;
        return DATETIME_OK;
    case WORD_UNIT:
        if (d->prefix != UNIT_NONE || d->time_prefix)
            return DATETIME_BAD_FORMAT;
        d->prefix = value;
        return DATETIME_OK;
    case WORD_ISO_TIME:
        if ((!d->time_only && (d->seen & SEEN_DATE) != SEEN_DATE) || d->prefix != UNIT_NONE ||
            d->time_prefix)
            return DATETIME_BAD_FORMAT;
        d->time_prefix = true;
        return DATETIME_OK;
    default: return decode_zone_name(d, field, mask);
    }
}

static DateTimeError validate_date(Decoder *d)
{
    DateTime *at = &d->at;

    if ((d->seen & SEEN_YEAR) && !d->julian) {
        if (d->bc && at->year <= 0)
            return DATETIME_FIELD_OVERFLOW;
        if (d->bc)
            at->year = -(at->year - 1);
        else if (d->two_digit_year)
            at->year += at->year < 70 ? 2000 : at->year < 100 ? 1900 : 0;
        else if (at->year <= 0)
            return DATETIME_FIELD_OVERFLOW;
    }
    if (d->seen & SEEN_DAY_OF_YEAR)
        date_to_ymd(date_from_ymd(at->year, 1, 1) + d->day_of_year - 1, &at->year, &at->month,
                    &at->day);
    if ((d->seen & SEEN_MONTH) && (at->month < 1 || at->month > 12))
        return DATETIME_DATE_ORDER;
    if ((d->seen & SEEN_DAY) && (at->day < 1 || at->day > 31))
        return DATETIME_DATE_ORDER;
    if ((d->seen & SEEN_DATE) == SEEN_DATE && at->day > date_days_in_month(at->year, at->month))
        return DATETIME_FIELD_OVERFLOW;
    return DATETIME_OK;
}

static DateTimeError finish(Decoder *d)
{
    if (d->prefix != UNIT_NONE || d->time_prefix)
        return DATETIME_BAD_FORMAT;
    if (d->special)
        return DATETIME_OK;
    DateTimeError error = validate_date(d);
    if (error)
        return error;
    if (d->meridiem != MERIDIEM_NONE && d->hour > 12)
        return DATETIME_FIELD_OVERFLOW;
    if (d->meridiem == MERIDIEM_AM && d->hour == 12)
        d->hour = 0;
    else if (d->meridiem == MERIDIEM_PM && d->hour != 12)
        d->hour += 12;
    if (d->time_only) {
        if (time_too_large(d->hour, &d->at))
            return DATETIME_FIELD_OVERFLOW;
        /* A zone whose offset changes needs a date. */
        if (d->zone && !timezone_is_fixed(d->zone) && (d->seen & SEEN_DATE) != SEEN_DATE)
            return DATETIME_BAD_FORMAT;
        return d->seen & SEEN_TIME ? DATETIME_OK : DATETIME_BAD_FORMAT;
    }
    if ((d->seen & SEEN_DATE) != SEEN_DATE)
        return DATETIME_BAD_FORMAT;
    /* "DST" needs an abbreviation to modify. */
    if ((d->seen & SEEN_DST) && (d->zone || !(d->seen & SEEN_ZONE)))
        return DATETIME_BAD_FORMAT;
    return DATETIME_OK;
}

static DateTimeError decode(Decoder *d)
{
    for (int i = 0; i < d->text->count; i++) {
        DateTimeError error = DATETIME_BAD_FORMAT;
        int mask = 0;
        switch (d->text->kinds[i]) {
        case TEXT_DATE: error = decode_date_field(d, i, &mask); break;
        case TEXT_TIME: error = decode_time_field(d, d->text->fields[i], &mask); break;
        case TEXT_ZONE:
            error = decode_zone(d->text->fields[i], &d->offset_s);
            mask = SEEN_ZONE;
            break;
        case TEXT_NUMBER: error = decode_number_field(d, i, &mask); break;
        case TEXT_STRING:
        case TEXT_SPECIAL: error = decode_word(d, d->text->fields[i], &mask); break;
        }
        if (error)
            return error;
        if (mask & d->seen)
            return DATETIME_BAD_FORMAT;
        d->seen |= mask;
    }
    return finish(d);
}

static Status decode_text(Ctx *ctx, Str text, const char *type, DateTimeText *fields, Decoder *d)
{
    DateTimeError error = datetime_split(text, fields);

    d->text = fields;
    if (!error)
        error = decode(d);
    return error ? datetime_raise(ctx, error, text, type, d->unknown_zone) : OK;
}

bool date_parse_iso(Str text, int32_t *out)
{
    const char *p = text.ptr;

    if (text.len != 10 || p[4] != '-' || p[7] != '-')
        return false;
    for (int i = 0; i < 10; i++) {
        if (i != 4 && i != 7 && !is_digit(p[i]))
            return false;
    }
    int32_t year = two_digits(p) * 100 + two_digits(p + 2);
    int32_t month = two_digits(p + 5);
    int32_t day = two_digits(p + 8);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > date_days_in_month(year, month))
        return false;
    *out = date_from_ymd(year, month, day);
    return true;
}

Status date_parse(Ctx *ctx, Str text, const TypeIoContext *io, int32_t *out)
{
    Status st = OK;
    DateTimeText fields;
    Decoder d = {.io = io};

    if (date_parse_iso(text, out))
        goto done;
    TRY(decode_text(ctx, text, "date", &fields, &d));
    if (d.special == SPECIAL_INFINITY || d.special == SPECIAL_NEG_INFINITY) {
        *out = d.special == SPECIAL_INFINITY ? DATE_INFINITY : DATE_NEG_INFINITY;
    } else if (d.special == SPECIAL_EPOCH) {
        *out = -EPOCH_DAYS_1970;
    } else {
        bool in_range = d.at.year >= -4713 && d.at.year <= 5874897;
        if (in_range)
            *out = date_from_ymd(d.at.year, d.at.month, d.at.day);
        if (!in_range || *out < DATE_FIRST || *out >= DATE_END)
            FAIL(ctx, E_DATETIME_OVERFLOW, "date out of range: \"%.*s\"", (int)text.len, text.ptr);
    }
done:
    return st;
}

Status time_parse(Ctx *ctx, Str text, int32_t typmod, const TypeIoContext *io, int64_t *out)
{
    Status st = OK;
    DateTimeText fields;
    Decoder d = {.io = io, .time_only = true};

    TRY(decode_text(ctx, text, "time", &fields, &d));
    *out =
        d.hour * US_PER_HOUR + d.at.minute * US_PER_MINUTE + d.at.second * US_PER_SECOND + d.at.us;
    *out = timestamp_round(*out, typmod);
done:
    return st;
}

/* The timestamp of the fields, minus an offset from UTC; special values as they are. */
static Status to_timestamp(Ctx *ctx, Str text, Decoder *d, int64_t offset_s, int64_t *out)
{
    DateTime *at = &d->at;

    switch (d->special) {
    case SPECIAL_INFINITY: *out = TIMESTAMP_INFINITY; return OK;
    case SPECIAL_NEG_INFINITY: *out = TIMESTAMP_NEG_INFINITY; return OK;
    case SPECIAL_EPOCH: *out = -EPOCH_DAYS_1970 * US_PER_DAY; return OK;
    default: break;
    }
    int64_t time = d->hour * US_PER_HOUR + at->minute * US_PER_MINUTE + at->second * US_PER_SECOND +
                   at->us - offset_s * US_PER_SECOND;
    if (at->year < -4713 || at->year > 294277 ||
        __builtin_mul_overflow((int64_t)date_from_ymd(at->year, at->month, at->day), US_PER_DAY,
                               out) ||
        __builtin_add_overflow(*out, time, out) || *out < TIMESTAMP_FIRST || *out >= TIMESTAMP_END)
        return error_raise(ctx, E_DATETIME_OVERFLOW, "timestamp out of range: \"%.*s\"",
                           (int)text.len, text.ptr);
    return OK;
}

/* Offset of the decoded local time, from what the text says or the session's zone. */
static int32_t offset_of(const Decoder *d)
{
    if ((d->seen & SEEN_ZONE) && d->zone == NULL)
        return d->offset_s;
    /* Far from every transition it does not matter that the year is cut. */
    int32_t year = MAX(MIN(d->at.year, 200000), -4000);
    int64_t local = date_from_ymd(year, d->at.month, d->at.day) * US_PER_DAY +
                    d->hour * US_PER_HOUR + d->at.minute * US_PER_MINUTE +
                    d->at.second * US_PER_SECOND + d->at.us;
    return timezone_offset_local(d->zone ? d->zone : session_zone(d), local);
}

/* yyyy-mm-dd hh:mm:ss[.ffffff], the form that dumps and drivers write. */
static bool parse_iso_timestamp(Str text, int64_t *out)
{
    static const int32_t scale[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    int32_t date;

    if (text.len < 19 || text.len > 26 || !date_parse_iso(str_make(text.ptr, 10), &date))
        return false;
    const char *p = text.ptr + 10;
    if ((p[0] != ' ' && p[0] != 'T') || p[3] != ':' || p[6] != ':' ||
        (text.len > 19 && p[9] != '.'))
        return false;
    int32_t fraction = 0;
    for (int i = 1; i < (int)text.len - 10; i++) {
        if (i == 3 || i == 6 || i == 9)
            continue;
        if (!is_digit(p[i]))
            return false;
        if (i > 9)
            fraction = fraction * 10 + (p[i] - '0');
    }
    int32_t hour = two_digits(p + 1);
    int32_t minute = two_digits(p + 4);
    int32_t second = two_digits(p + 7);
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    if (text.len > 19)
        fraction *= scale[text.len - 20];
    *out = date * US_PER_DAY + hour * US_PER_HOUR + minute * US_PER_MINUTE +
           second * US_PER_SECOND + fraction;
    return true;
}

Status timestamp_parse(Ctx *ctx, Str text, int32_t typmod, const TypeIoContext *io, int64_t *out)
{
    Status st = OK;
    DateTimeText fields;
    Decoder d = {.io = io};

    if (!parse_iso_timestamp(text, out)) {
        TRY(decode_text(ctx, text, "timestamp", &fields, &d));
        TRY(to_timestamp(ctx, text, &d, 0, out));
    }
    *out = timestamp_round(*out, typmod);
done:
    return st;
}

Status timestamptz_parse(Ctx *ctx, Str text, int32_t typmod, const TypeIoContext *io, int64_t *out)
{
    Status st = OK;
    DateTimeText fields;
    Decoder d = {.io = io};
    const TimeZone *zone = io ? io->zone : NULL;

    if (parse_iso_timestamp(text, out)) {
        *out -= timezone_offset_local(zone, *out) * US_PER_SECOND;
    } else {
        TRY(decode_text(ctx, text, "timestamp with time zone", &fields, &d));
        TRY(to_timestamp(ctx, text, &d, d.special ? 0 : offset_of(&d), out));
    }
    *out = timestamp_round(*out, typmod);
done:
    return st;
}
