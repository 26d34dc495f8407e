// SPDX-License-Identifier: Apache-2.0
//
// Cuts a date, time or interval text into fields, and knows the words. See datetime_int.h. As in
// PostgreSQL only the first ten characters of a word count.
#include "types/datetime_int.h"

#include "types/float.h"

#define WORD_CHARS_MAX 10

typedef struct Word {
    const char *word;
    WordKind kind;
    int value;
} Word;

static const Word date_words[] = {
    {"-infinity", WORD_SPECIAL, SPECIAL_NEG_INFINITY},
    {"infinity", WORD_SPECIAL, SPECIAL_INFINITY},
    {"now", WORD_SPECIAL, SPECIAL_NOW},
    {"today", WORD_SPECIAL, SPECIAL_TODAY},
    {"tomorrow", WORD_SPECIAL, SPECIAL_TOMORROW},
    {"yesterday", WORD_SPECIAL, SPECIAL_YESTERDAY},
    {"allballs", WORD_SPECIAL, SPECIAL_ALLBALLS},
    {"epoch", WORD_SPECIAL, SPECIAL_EPOCH},
    {"ad", WORD_ERA, 0},
    {"bc", WORD_ERA, 1},
    {"am", WORD_MERIDIEM, 0},
    {"pm", WORD_MERIDIEM, 1},
    {"at", WORD_IGNORED, 0},
    {"on", WORD_IGNORED, 0},
    {"dst", WORD_DST, 3600},
    {"t", WORD_ISO_TIME, 0},
    {"jan", WORD_MONTH, 1},
    {"january", WORD_MONTH, 1},
    {"feb", WORD_MONTH, 2},
    {"february", WORD_MONTH, 2},
    {"mar", WORD_MONTH, 3},
    {"march", WORD_MONTH, 3},
    {"apr", WORD_MONTH, 4},
    {"april", WORD_MONTH, 4},
    {"may", WORD_MONTH, 5},
    {"jun", WORD_MONTH, 6},
    {"june", WORD_MONTH, 6},
    {"jul", WORD_MONTH, 7},
    {"july", WORD_MONTH, 7},
    {"aug", WORD_MONTH, 8},
    {"august", WORD_MONTH, 8},
    {"sep", WORD_MONTH, 9},
    {"sept", WORD_MONTH, 9},
    {"september", WORD_MONTH, 9},
    {"oct", WORD_MONTH, 10},
    {"october", WORD_MONTH, 10},
    {"nov", WORD_MONTH, 11},
    {"november", WORD_MONTH, 11},
    {"dec", WORD_MONTH, 12},
    {"december", WORD_MONTH, 12},
    {"sun", WORD_WEEKDAY, 0},
    {"sunday", WORD_WEEKDAY, 0},
    {"mon", WORD_WEEKDAY, 1},
    {"monday", WORD_WEEKDAY, 1},
    {"tue", WORD_WEEKDAY, 2},
    {"tues", WORD_WEEKDAY, 2},
    {"tuesday", WORD_WEEKDAY, 2},
    {"wed", WORD_WEEKDAY, 3},
    {"weds", WORD_WEEKDAY, 3},
    {"wednesday", WORD_WEEKDAY, 3},
    {"thu", WORD_WEEKDAY, 4},
    {"thur", WORD_WEEKDAY, 4},
    {"thurs", WORD_WEEKDAY, 4},
    {"thursday", WORD_WEEKDAY, 4},
    {"fri", WORD_WEEKDAY, 5},
    {"friday", WORD_WEEKDAY, 5},
    {"sat", WORD_WEEKDAY, 6},
    {"saturday", WORD_WEEKDAY, 6},
    {"d", WORD_UNIT, UNIT_DAY},
    {"dow", WORD_UNIT, UNIT_DOW},
    {"doy", WORD_UNIT, UNIT_DOY},
    {"h", WORD_UNIT, UNIT_HOUR},
    {"isodow", WORD_UNIT, UNIT_ISODOW},
    {"isoyear", WORD_UNIT, UNIT_ISOYEAR},
    {"j", WORD_UNIT, UNIT_JULIAN},
    {"jd", WORD_UNIT, UNIT_JULIAN},
    {"julian", WORD_UNIT, UNIT_JULIAN},
    {"m", WORD_UNIT, UNIT_MONTH},
    {"mm", WORD_UNIT, UNIT_MINUTE},
    {"s", WORD_UNIT, UNIT_SECOND},
    {"y", WORD_UNIT, UNIT_YEAR},
};

static const Word unit_words[] = {
    {"@", WORD_IGNORED, 0},
    {"ago", WORD_AGO, 0},
    {"c", WORD_UNIT, UNIT_CENTURY},
    {"cent", WORD_UNIT, UNIT_CENTURY},
    {"centuries", WORD_UNIT, UNIT_CENTURY},
    {"century", WORD_UNIT, UNIT_CENTURY},
    {"d", WORD_UNIT, UNIT_DAY},
    {"day", WORD_UNIT, UNIT_DAY},
    {"days", WORD_UNIT, UNIT_DAY},
    {"dec", WORD_UNIT, UNIT_DECADE},
    {"decade", WORD_UNIT, UNIT_DECADE},
    {"decades", WORD_UNIT, UNIT_DECADE},
    {"decs", WORD_UNIT, UNIT_DECADE},
    {"h", WORD_UNIT, UNIT_HOUR},
    {"hour", WORD_UNIT, UNIT_HOUR},
    {"hours", WORD_UNIT, UNIT_HOUR},
    {"hr", WORD_UNIT, UNIT_HOUR},
    {"hrs", WORD_UNIT, UNIT_HOUR},
    {"m", WORD_UNIT, UNIT_MINUTE},
    {"microsecon", WORD_UNIT, UNIT_MICROSECOND},
    {"mil", WORD_UNIT, UNIT_MILLENNIUM},
    {"millennia", WORD_UNIT, UNIT_MILLENNIUM},
    {"millennium", WORD_UNIT, UNIT_MILLENNIUM},
    {"millisecon", WORD_UNIT, UNIT_MILLISECOND},
    {"mils", WORD_UNIT, UNIT_MILLENNIUM},
    {"min", WORD_UNIT, UNIT_MINUTE},
    {"mins", WORD_UNIT, UNIT_MINUTE},
    {"minute", WORD_UNIT, UNIT_MINUTE},
    {"minutes", WORD_UNIT, UNIT_MINUTE},
    {"mon", WORD_UNIT, UNIT_MONTH},
    {"mons", WORD_UNIT, UNIT_MONTH},
    {"month", WORD_UNIT, UNIT_MONTH},
    {"months", WORD_UNIT, UNIT_MONTH},
    {"ms", WORD_UNIT, UNIT_MILLISECOND},
    {"msec", WORD_UNIT, UNIT_MILLISECOND},
    {"mseconds", WORD_UNIT, UNIT_MILLISECOND},
    {"msecs", WORD_UNIT, UNIT_MILLISECOND},
    {"qtr", WORD_UNIT, UNIT_QUARTER},
    {"quarter", WORD_UNIT, UNIT_QUARTER},
    {"s", WORD_UNIT, UNIT_SECOND},
    {"sec", WORD_UNIT, UNIT_SECOND},
    {"second", WORD_UNIT, UNIT_SECOND},
    {"seconds", WORD_UNIT, UNIT_SECOND},
    {"secs", WORD_UNIT, UNIT_SECOND},
    {"timezone", WORD_UNIT, UNIT_TIMEZONE},
    {"timezone_h", WORD_UNIT, UNIT_TIMEZONE_HOUR},
    {"timezone_m", WORD_UNIT, UNIT_TIMEZONE_MINUTE},
    {"us", WORD_UNIT, UNIT_MICROSECOND},
    {"usec", WORD_UNIT, UNIT_MICROSECOND},
    {"useconds", WORD_UNIT, UNIT_MICROSECOND},
    {"usecs", WORD_UNIT, UNIT_MICROSECOND},
    {"w", WORD_UNIT, UNIT_WEEK},
    {"week", WORD_UNIT, UNIT_WEEK},
    {"weeks", WORD_UNIT, UNIT_WEEK},
    {"y", WORD_UNIT, UNIT_YEAR},
    {"year", WORD_UNIT, UNIT_YEAR},
    {"years", WORD_UNIT, UNIT_YEAR},
    {"yr", WORD_UNIT, UNIT_YEAR},
    {"yrs", WORD_UNIT, UNIT_YEAR},
};

static WordKind find_word(const Word *words, size_t count, const char *word, int *value)
{
    for (size_t i = 0; i < count; i++) {
        if (strncmp(words[i].word, word, WORD_CHARS_MAX) == 0) {
            *value = words[i].value;
            return words[i].kind;
        }
    }
    return WORD_UNKNOWN;
}

WordKind datetime_word(const char *word, int *value)
{
    return find_word(date_words, ARRAY_COUNT(date_words), word, value);
}

WordKind interval_word(const char *word, int *value)
{
    return find_word(unit_words, ARRAY_COUNT(unit_words), word, value);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_punct(char c)
{
    return c > ' ' && c < 127 && !is_digit(c) && !is_alpha(c);
}

/* A place in the text that is being cut, and where the current field is written. */
typedef struct Cutter {
    const char *p;
    const char *end;
    char *to;
} Cutter;

static char peek(const Cutter *cutter)
{
    return cutter->p < cutter->end ? *cutter->p : '\0';
}

static void take(Cutter *cutter)
{
    char c = *cutter->p++;

    *cutter->to++ = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

static void take_digits(Cutter *cutter)
{
    while (is_digit(peek(cutter)))
        take(cutter);
}

/* A field that starts with a digit. */
static FieldKind cut_number(Cutter *cutter)
{
    take_digits(cutter);
    char delimiter = peek(cutter);
    if (delimiter == ':') {
        while (is_digit(peek(cutter)) || peek(cutter) == ':' || peek(cutter) == '.')
            take(cutter);
        return TEXT_TIME;
    }
    if (delimiter != '-' && delimiter != '/' && delimiter != '.')
        return TEXT_NUMBER;
    take(cutter);
    if (is_digit(peek(cutter))) {
        FieldKind kind = delimiter == '.' ? TEXT_NUMBER : TEXT_DATE;
        take_digits(cutter);
        if (peek(cutter) == delimiter) {
            kind = TEXT_DATE;
            take(cutter);
            while (is_digit(peek(cutter)) || peek(cutter) == delimiter)
                take(cutter);
        }
        return kind;
    }
    while (is_digit(peek(cutter)) || is_alpha(peek(cutter)) || peek(cutter) == delimiter)
        take(cutter);
    return TEXT_DATE;
}

/* A field that starts with a letter: a word, or a date or zone name with punctuation. */
static FieldKind cut_word(Cutter *cutter)
{
    const char *start = cutter->to;
    bool is_date = false;
    int value;

    while (is_alpha(peek(cutter)))
        take(cutter);
    char next = peek(cutter);
    if (next == '-' || next == '/' || next == '.') {
        is_date = true;
    } else if (next == '+' || is_digit(next)) {
        *cutter->to = '\0';
        is_date = datetime_word(start, &value) == WORD_UNKNOWN;
    }
    if (!is_date)
        return TEXT_STRING;
    for (;;) {
        char c = peek(cutter);
        bool part = c != '\0' && strchr("+-/_.:", c) != NULL;
        if (!part && !is_digit(c) && !is_alpha(c))
            return TEXT_DATE;
        take(cutter);
    }
}

/* A field that starts with a sign; false if it is neither a zone nor a word. */
static bool cut_signed(Cutter *cutter, FieldKind *kind)
{
    take(cutter);
    while (is_space(peek(cutter)))
        cutter->p++;
    if (is_digit(peek(cutter)) || peek(cutter) == '.') {
        *kind = TEXT_ZONE;
        while (is_digit(peek(cutter)) || peek(cutter) == ':' || peek(cutter) == '.' ||
               peek(cutter) == '-')
            take(cutter);
        return true;
    }
    if (!is_alpha(peek(cutter)))
        return false;
    *kind = TEXT_SPECIAL;
    while (is_alpha(peek(cutter)))
        take(cutter);
    return true;
}

DateTimeError datetime_split(Str text, DateTimeText *out)
{
    Cutter cutter = {text.ptr, text.ptr + text.len, out->bytes};

    out->count = 0;
    if (text.len > DATETIME_BYTES_MAX - 1)
        return DATETIME_BAD_FORMAT;
    while (cutter.p < cutter.end) {
        char c = *cutter.p;
        if (is_space(c)) {
            cutter.p++;
            continue;
        }
        if (out->count == DATETIME_FIELDS_MAX)
            return DATETIME_BAD_FORMAT;
        FieldKind *kind = &out->kinds[out->count];
        out->fields[out->count] = cutter.to;
        if (is_digit(c)) {
            *kind = cut_number(&cutter);
        } else if (c == '.') {
            *kind = TEXT_NUMBER;
            take(&cutter);
            take_digits(&cutter);
        } else if (is_alpha(c)) {
            *kind = cut_word(&cutter);
        } else if (c == '+' || c == '-') {
            if (!cut_signed(&cutter, kind))
                return DATETIME_BAD_FORMAT;
        } else if (is_punct(c)) {
            cutter.p++; /* other punctuation is nothing */
            continue;
        } else {
            return DATETIME_BAD_FORMAT;
        }
        *cutter.to++ = '\0';
        out->count++;
    }
    return DATETIME_OK;
}

Status datetime_raise(Ctx *ctx, DateTimeError error, Str text, const char *type, const char *detail)
{
    int length = (int)text.len;
    Status st;

    switch (error) {
    case DATETIME_FIELD_OVERFLOW:
        return error_raise(ctx, E_DATETIME_OVERFLOW, "date/time field value out of range: \"%.*s\"",
                           length, text.ptr);
    case DATETIME_DATE_ORDER:
        st = error_raise(ctx, E_DATETIME_OVERFLOW, "date/time field value out of range: \"%.*s\"",
                         length, text.ptr);
        error_hint(ctx, "Perhaps you need a different \"datestyle\" setting.");
        return st;
    case DATETIME_INTERVAL_OVERFLOW:
        return error_raise(ctx, E_INTERVAL_OVERFLOW, "interval field value out of range: \"%.*s\"",
                           length, text.ptr);
    case DATETIME_ZONE_OVERFLOW:
        return error_raise(ctx, E_INVALID_TIME_ZONE,
                           "time zone displacement out of range: \"%.*s\"", length, text.ptr);
    case DATETIME_ZONE_UNKNOWN:
        return error_raise(ctx, E_INVALID_PARAMETER_VALUE, "time zone \"%s\" not recognized",
                           detail);
    default:
        return error_raise(ctx, E_INVALID_DATETIME, "invalid input syntax for type %s: \"%.*s\"",
                           type, length, text.ptr);
    }
}

bool datetime_integer(const char **at, int64_t *out)
{
    const char *p = *at;
    bool negative = *p == '-';
    bool fits = true;
    int64_t value = 0;

    p += *p == '-' || *p == '+';
    if (!is_digit(*p)) {
        *out = 0;
        return true;
    }
    for (; is_digit(*p); p++)
        fits = fits && !__builtin_mul_overflow(value, 10, &value) &&
               !__builtin_sub_overflow(value, *p - '0', &value);
    *at = p;
    if (!negative)
        fits = fits && !__builtin_sub_overflow((int64_t)0, value, &value);
    *out = value;
    return fits;
}

bool datetime_fraction(const char *at, double *out)
{
    ASSERT(*at == '.');
    *out = 0;
    if (at[1] == '\0')
        return true;
    return float_parse(str_from(at), out) == FLOAT_OK && is_digit(at[1]);
}

DateTimeError datetime_decode_time(const char *text, bool minute_second, int64_t *hour,
                                   DateTime *out)
{
    const char *p = text;
    int64_t minute;
    int64_t second = 0;
    double fraction = 0;

    if (!datetime_integer(&p, hour))
        return DATETIME_FIELD_OVERFLOW;
    if (*p != ':')
        return DATETIME_BAD_FORMAT;
    p++;
    if (!datetime_integer(&p, &minute))
        return DATETIME_FIELD_OVERFLOW;
    if (*p == ':') {
        p++;
        if (!datetime_integer(&p, &second))
            return DATETIME_FIELD_OVERFLOW;
        minute_second = false;
    } else if (*p == '.') {
        minute_second = true;
    }
    if (*p == '.' && !datetime_fraction(p, &fraction))
        return DATETIME_BAD_FORMAT;
    if (*p != '.' && *p != '\0')
        return DATETIME_BAD_FORMAT;
    if (minute_second) {
        second = minute;
        minute = *hour;
        *hour = 0;
    }
    if (*hour < 0 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return DATETIME_FIELD_OVERFLOW;
    out->minute = (int32_t)minute;
    out->second = (int32_t)second;
    out->us = (int32_t)__builtin_rint(fraction * 1000000.0);
    return DATETIME_OK;
}
