// SPDX-License-Identifier: Apache-2.0
//
// Texts of intervals: PostgreSQL's own ("1 day 02:03", "2 hrs ago"), SQL's ("1-2 3 4:05:06") and
// ISO 8601's. Fields are read from the right, so that a unit is known before its number.
#include "types/datetime_int.h"

enum { RANGE_MONTH = 1 << 1, RANGE_YEAR = 1 << 2, RANGE_DAY = 1 << 3 };
enum { RANGE_HOUR = 1 << 10, RANGE_MINUTE = 1 << 11, RANGE_SECOND = 1 << 12 };
#define RANGE_FULL 0x7fff

/* Seconds with a fraction also stand for milliseconds and microseconds. */
#define SEEN_ALL_SECONDS (1 << UNIT_SECOND | 1 << UNIT_MILLISECOND | 1 << UNIT_MICROSECOND)

/* Sums are wider than an interval: it is made, and checked, at the end. */
typedef struct Gathered {
    int64_t months;
    int64_t days;
    int64_t us;
} Gathered;

static bool add_product(int64_t *sum, int64_t value, int64_t scale)
{
    int64_t product;

    return !__builtin_mul_overflow(value, scale, &product) &&
           !__builtin_add_overflow(*sum, product, sum);
}

static bool add_fraction_us(Gathered *sum, double fraction, int64_t scale)
{
    fraction *= (double)scale;
    int64_t us = (int64_t)fraction;
    fraction -= (double)us;
    us += (fraction > 0.5) - (fraction < -0.5);
    return !__builtin_add_overflow(sum->us, us, &sum->us);
}

static bool add_fraction_days(Gathered *sum, double fraction, int scale)
{
    fraction *= scale;
    int days = (int)fraction;
    sum->days += days;
    return add_fraction_us(sum, fraction - days, US_PER_DAY);
}

/* value + fraction of a unit; the parts of PostgreSQL's interval have 32 bits but for time. */
static bool add_unit(Gathered *sum, DateTimeUnit unit, int64_t value, double fraction)
{
    static const int64_t time_scale[] = {
        [UNIT_MICROSECOND] = 1,        [UNIT_MILLISECOND] = 1000, [UNIT_SECOND] = US_PER_SECOND,
        [UNIT_MINUTE] = US_PER_MINUTE, [UNIT_HOUR] = US_PER_HOUR,
    };
    static const int year_scale[] = {
        [UNIT_YEAR] = 1, [UNIT_DECADE] = 10, [UNIT_CENTURY] = 100, [UNIT_MILLENNIUM] = 1000};

    if (unit >= UNIT_MICROSECOND && unit <= UNIT_HOUR)
        return add_product(&sum->us, value, time_scale[unit]) &&
               add_fraction_us(sum, fraction, time_scale[unit]);
    if (value > INT32_MAX || value < INT32_MIN)
        return false;
    bool ok;
    switch (unit) {
    case UNIT_DAY:
        ok = add_product(&sum->days, value, 1) && add_fraction_us(sum, fraction, US_PER_DAY);
        break;
    case UNIT_WEEK:
        ok = add_product(&sum->days, value, 7) && add_fraction_days(sum, fraction, 7);
        break;
    case UNIT_MONTH:
        ok =
            add_product(&sum->months, value, 1) && add_fraction_days(sum, fraction, DAYS_PER_MONTH);
        break;
    default:
        ok = add_product(&sum->months, value, (int64_t)12 * year_scale[unit]);
        sum->months += (int64_t)__builtin_rint(fraction * year_scale[unit] * 12);
    }
    return ok && sum->days <= INT32_MAX && sum->days >= INT32_MIN &&
           sum->months <= (int64_t)INT32_MAX * 12 && sum->months >= (int64_t)INT32_MIN * 12;
}

/* What the rightmost number without a unit is, by the type's fields. */
static DateTimeUnit default_unit(int range)
{
    if (range == RANGE_FULL || (range & RANGE_SECOND))
        return UNIT_SECOND;
    if (range & RANGE_MINUTE)
        return UNIT_MINUTE;
    if (range & RANGE_HOUR)
        return UNIT_HOUR;
    if (range & RANGE_DAY)
        return UNIT_DAY;
    return range & RANGE_MONTH ? UNIT_MONTH : UNIT_YEAR;
}

typedef struct Reader {
    int range;
    DateTimeUnit unit; /* of the number to the left */
    int seen;
    bool ago;
    Gathered sum;
} Reader;

static DateTimeError read_clock(Reader *r, const char *text, bool negative)
{
    DateTime clock = {0};
    int64_t hour, us;

    DateTimeError error =
        datetime_decode_time(text, r->range == (RANGE_MINUTE | RANGE_SECOND), &hour, &clock);
    if (error)
        return error;
    if (__builtin_mul_overflow(hour, US_PER_HOUR, &us) ||
        __builtin_add_overflow(
            us, clock.minute * US_PER_MINUTE + clock.second * US_PER_SECOND + clock.us, &us))
        return DATETIME_FIELD_OVERFLOW;
    if (__builtin_add_overflow(r->sum.us, negative ? -us : us, &r->sum.us))
        return DATETIME_FIELD_OVERFLOW;
    r->unit = UNIT_DAY;
    return DATETIME_OK;
}

/* The number's bits in `seen`: hours, minutes and seconds apart, as a clock takes them all. */
static int bits_of(DateTimeUnit unit, double fraction)
{
    if (unit == UNIT_SECOND && fraction != 0)
        return SEEN_ALL_SECONDS;
    return 1 << unit;
}

static DateTimeError read_number(Reader *r, const char *field, int *mask)
{
    const char *p = field;
    int64_t value;
    double fraction = 0;

    if (r->unit == UNIT_NONE)
        r->unit = default_unit(r->range);
    if (!datetime_integer(&p, &value))
        return DATETIME_FIELD_OVERFLOW;
    if (*p == '-') {
        int64_t months;
        p++;
        if (!datetime_integer(&p, &months) || months < 0 || months >= 12)
            return DATETIME_FIELD_OVERFLOW;
        if (*p != '\0')
            return DATETIME_BAD_FORMAT;
        if (value > INT32_MAX || value < INT32_MIN)
            return DATETIME_FIELD_OVERFLOW;
        r->unit = UNIT_MONTH;
        value = value * 12 + (field[0] == '-' ? -months : months);
    } else if (*p == '.') {
        if (!datetime_fraction(p, &fraction))
            return DATETIME_BAD_FORMAT;
        if (field[0] == '-')
            fraction = -fraction;
    } else if (*p != '\0') {
        return DATETIME_BAD_FORMAT;
    }
    if (r->unit > UNIT_MILLENNIUM || r->unit == UNIT_QUARTER)
        return DATETIME_BAD_FORMAT;
    if (!add_unit(&r->sum, r->unit, value, fraction))
        return DATETIME_FIELD_OVERFLOW;
    *mask = bits_of(r->unit, fraction);
    if (r->unit == UNIT_HOUR)
        r->unit = UNIT_DAY;
    return DATETIME_OK;
}

static DateTimeError read_field(Reader *r, FieldKind kind, const char *field, int *mask)
{
    const int clock_mask = 1 << UNIT_HOUR | 1 << UNIT_MINUTE | SEEN_ALL_SECONDS;
    int value = UNIT_NONE;

    *mask = 0;
    switch (kind) {
    case TEXT_TIME: *mask = clock_mask; return read_clock(r, field, false);
    case TEXT_ZONE:
        if (strchr(field, ':') && read_clock(r, field + 1, field[0] == '-') == DATETIME_OK) {
            *mask = clock_mask;
            return DATETIME_OK;
        }
        return read_number(r, field, mask);
    case TEXT_DATE:
    case TEXT_NUMBER: return read_number(r, field, mask);
    default: break;
    }
    switch (interval_word(field, &value)) {
    case WORD_IGNORED: return DATETIME_OK;
    case WORD_UNIT: r->unit = (DateTimeUnit)value; return DATETIME_OK;
    case WORD_AGO:
        r->ago = true;
        r->unit = UNIT_DOW; /* no unit of intervals: a number needs its own before "ago" */
        return DATETIME_OK;
    default: return DATETIME_BAD_FORMAT;
    }
}

/* SQL's style gives a leading minus to all fields, if it is the only sign. */
static bool one_sign_for_all(const DateTimeText *text, const TypeIoContext *io)
{
    if (io == NULL || io->interval_style != INTERVAL_STYLE_SQL_STANDARD || text->count == 0 ||
        text->fields[0][0] != '-')
        return false;
    for (int i = 1; i < text->count; i++) {
        if (text->fields[i][0] == '-' || text->fields[i][0] == '+')
            return false;
    }
    return true;
}

static void negate(Gathered *sum)
{
    sum->months = -sum->months;
    sum->days = -sum->days;
    sum->us = (int64_t) - (uint64_t)sum->us;
}

static DateTimeError read_fields(Str text, const TypeIoContext *io, Reader *r)
{
    DateTimeText fields;

    DateTimeError error = datetime_split(text, &fields);
    for (int i = fields.count - 1; !error && i >= 0; i--) {
        int mask;
        error = read_field(r, fields.kinds[i], fields.fields[i], &mask);
        if (!error && (mask & r->seen))
            return DATETIME_BAD_FORMAT;
        r->seen |= error ? 0 : mask;
    }
    if (error)
        return error;
    if (r->seen == 0)
        return DATETIME_BAD_FORMAT;
    if (one_sign_for_all(&fields, io)) {
        /* Each number's own sign is dropped, then all are negative. */
        r->sum.months = r->sum.months > 0 ? -r->sum.months : r->sum.months;
        r->sum.days = r->sum.days > 0 ? -r->sum.days : r->sum.days;
        r->sum.us = r->sum.us > 0 ? -r->sum.us : r->sum.us;
    }
    if (r->ago)
        negate(&r->sum);
    return DATETIME_OK;
}

/* A number of ISO 8601's form: [-]digits[.digits]; false if there is none. */
static bool iso_number(const char **at, int64_t *value, double *fraction)
{
    const char *p = *at;
    char text[64];
    bool negative = *p == '-';

    *fraction = 0;
    if (!((*p >= '0' && *p <= '9') || *p == '-' || *p == '.'))
        return false;
    if (!datetime_integer(&p, value))
        return false;
    bool digits = p != *at;
    if (!digits && *p == '-')
        p++;
    if (*p == '.') {
        size_t length = 1;
        while (p[length] >= '0' && p[length] <= '9')
            length++;
        if (length >= sizeof text || (length == 1 && !digits))
            return false;
        digits = true;
        memcpy(text, p, length);
        text[length] = '\0';
        if (!datetime_fraction(text, fraction))
            return false;
        if (negative)
            *fraction = -*fraction;
        p += length;
    }
    *at = p;
    return digits;
}

static int integer_width(const char *start)
{
    int width = 0;

    start += *start == '-';
    while (start[width] >= '0' && start[width] <= '9')
        width++;
    return width;
}

/* Years, months and days with hyphens, hours, minutes and seconds with colons: the value read is
 * the first; units go down from it. */
static DateTimeError iso_extended(const char **at, int64_t value, double fraction,
                                  const DateTimeUnit *units, char separator, Gathered *sum)
{
    for (int i = 0; i < 3; i++) {
        if (i > 0 && !iso_number(at, &value, &fraction))
            return DATETIME_BAD_FORMAT;
        if (!add_unit(sum, units[i], value, fraction))
            return DATETIME_FIELD_OVERFLOW;
        if (**at == '\0' || **at == 'T')
            return DATETIME_OK;
        if (i < 2) {
            if (**at != separator)
                return DATETIME_BAD_FORMAT;
            (*at)++;
        }
    }
    return DATETIME_BAD_FORMAT;
}

static DateTimeError iso_designated(char designator, bool time, int64_t value, double fraction,
                                    Gathered *sum)
{
    const char *designators = time ? "HMS" : "YMWD";
    static const DateTimeUnit time_units[] = {UNIT_HOUR, UNIT_MINUTE, UNIT_SECOND};
    static const DateTimeUnit date_units[] = {UNIT_YEAR, UNIT_MONTH, UNIT_WEEK, UNIT_DAY};
    const char *found = strchr(designators, designator);

    if (found == NULL)
        return DATETIME_BAD_FORMAT;
    DateTimeUnit unit = time ? time_units[found - designators] : date_units[found - designators];
    return add_unit(sum, unit, value, fraction) ? DATETIME_OK : DATETIME_FIELD_OVERFLOW;
}

/* yyyymmdd and hhmmss without separators. */
static bool iso_basic(bool time, int width, int64_t value, double fraction, Gathered *sum)
{
    if (!time && width == 8)
        return add_unit(sum, UNIT_YEAR, value / 10000, 0) &&
               add_unit(sum, UNIT_MONTH, value / 100 % 100, 0) &&
               add_unit(sum, UNIT_DAY, value % 100, fraction);
    return add_unit(sum, UNIT_HOUR, value / 10000, 0) &&
           add_unit(sum, UNIT_MINUTE, value / 100 % 100, 0) &&
           add_unit(sum, UNIT_SECOND, value % 100, fraction);
}

static DateTimeError read_iso(const char *text, Gathered *sum)
{
    static const DateTimeUnit date_units[] = {UNIT_YEAR, UNIT_MONTH, UNIT_DAY};
    static const DateTimeUnit time_units[] = {UNIT_HOUR, UNIT_MINUTE, UNIT_SECOND};
    const char *p = text + 1;
    bool time = false;
    bool any = false;

    if (text[0] != 'P' || text[1] == '\0')
        return DATETIME_BAD_FORMAT;
    while (*p) {
        int64_t value;
        double fraction;
        const char *start = p;
        if (*p == 'T') {
            time = true;
            any = false;
            p++;
            continue;
        }
        if (!iso_number(&p, &value, &fraction))
            return DATETIME_BAD_FORMAT;
        char next = *p;
        bool end = next == '\0' || (next == 'T' && !time);
        DateTimeError error;
        if (end && !any && integer_width(start) == (time ? 6 : 8)) {
            error = iso_basic(time, time ? 6 : 8, value, fraction, sum) ? DATETIME_OK
                                                                        : DATETIME_FIELD_OVERFLOW;
        } else if (end || next == (time ? ':' : '-')) {
            if (any)
                return DATETIME_BAD_FORMAT;
            error = iso_extended(&p, value, fraction, time ? time_units : date_units,
                                 time ? ':' : '-', sum);
        } else {
            error = iso_designated(next, time, value, fraction, sum);
            p++;
        }
        if (error)
            return error;
        any = true;
    }
    return DATETIME_OK;
}

Status interval_parse(Ctx *ctx, Str text, int32_t typmod, const TypeIoContext *io, Interval *out)
{
    Reader reader = {.range = typmod >= 0 ? typmod >> 16 & RANGE_FULL : RANGE_FULL};
    char terminated[DATETIME_BYTES_MAX];

    DateTimeError error = read_fields(text, io, &reader);
    if (error == DATETIME_BAD_FORMAT && text.len < sizeof terminated) {
        memcpy(terminated, text.ptr, text.len);
        terminated[text.len] = '\0';
        reader.sum = (Gathered){0};
        error = read_iso(terminated, &reader.sum);
    }
    if (error == DATETIME_FIELD_OVERFLOW)
        error = DATETIME_INTERVAL_OVERFLOW;
    if (error)
        return datetime_raise(ctx, error, text, "interval", NULL);
    Gathered *sum = &reader.sum;
    if (sum->months > INT32_MAX || sum->months < INT32_MIN || sum->days > INT32_MAX ||
        sum->days < INT32_MIN)
        return error_raise(ctx, E_DATETIME_OVERFLOW, "interval out of range");
    *out = (Interval){sum->us, (int32_t)sum->days, (int32_t)sum->months};
    return interval_apply_typmod(ctx, out, typmod);
}
