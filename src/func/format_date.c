// SPDX-License-Identifier: Apache-2.0
//
// to_char of timestamps and intervals. Names are English; TM, which asks for the locale's, gives
// the same without padding. See format_date.h.
#include "func/format_date.h"

#include "func/rows.h"
#include "types/datetime.h"

const char *const format_months[12] = {"January",   "February", "March",    "April",
                                       "May",       "June",     "July",     "August",
                                       "September", "October",  "November", "December"};
const char *const format_days[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                    "Thursday", "Friday", "Saturday"};
const char *const format_romans[12] = {"XII", "XI", "X",  "IX",  "VIII", "VII",
                                       "VI",  "V",  "IV", "III", "II",   "I"};

/* Longer ones first. clang-format off keeps the table one row a line. */
// clang-format off
static const FormatKeyword keywords[] = {
    {"MONTH", KEY_MONTH, false, false, true},
    {"Month", KEY_MONTH, false, false, true},
    {"SSSSS", KEY_SSSS, true, false, false},
    {"Y,YYY", KEY_Y_YYY, true, false, true},
    {"month", KEY_MONTH, false, false, true},
    {"sssss", KEY_SSSS, true, false, false},
    {"y,yyy", KEY_Y_YYY, true, false, true},
    {"A.D.", KEY_AD, false, false, false},
    {"A.M.", KEY_AM, false, false, false},
    {"B.C.", KEY_AD, false, false, false},
    {"HH24", KEY_HH24, true, false, false},
    {"HH12", KEY_HH12, true, false, false},
    {"IDDD", KEY_IDDD, true, true, false},
    {"IYYY", KEY_IYYY, true, true, false},
    {"P.M.", KEY_AM, false, false, false},
    {"SSSS", KEY_SSSS, true, false, false},
    {"YYYY", KEY_YYYY, true, false, true},
    {"a.d.", KEY_AD, false, false, false},
    {"a.m.", KEY_AM, false, false, false},
    {"b.c.", KEY_AD, false, false, false},
    {"hh24", KEY_HH24, true, false, false},
    {"hh12", KEY_HH12, true, false, false},
    {"iddd", KEY_IDDD, true, true, false},
    {"iyyy", KEY_IYYY, true, true, false},
    {"p.m.", KEY_AM, false, false, false},
    {"ssss", KEY_SSSS, true, false, false},
    {"yyyy", KEY_YYYY, true, false, true},
    {"DAY", KEY_DAY, false, false, false},
    {"DDD", KEY_DDD, true, false, true},
    {"Day", KEY_DAY, false, false, false},
    {"FF1", KEY_FF1, false, false, false},
    {"FF2", KEY_FF2, false, false, false},
    {"FF3", KEY_FF3, false, false, false},
    {"FF4", KEY_FF4, false, false, false},
    {"FF5", KEY_FF5, false, false, false},
    {"FF6", KEY_FF6, false, false, false},
    {"IYY", KEY_IYY, true, true, false},
    {"MON", KEY_MON, false, false, true},
    {"Mon", KEY_MON, false, false, true},
    {"TZH", KEY_TZH, false, false, false},
    {"TZM", KEY_TZM, true, false, false},
    {"YYY", KEY_YYY, true, false, true},
    {"day", KEY_DAY, false, false, false},
    {"ddd", KEY_DDD, true, false, true},
    {"ff1", KEY_FF1, false, false, false},
    {"ff2", KEY_FF2, false, false, false},
    {"ff3", KEY_FF3, false, false, false},
    {"ff4", KEY_FF4, false, false, false},
    {"ff5", KEY_FF5, false, false, false},
    {"ff6", KEY_FF6, false, false, false},
    {"iyy", KEY_IYY, true, true, false},
    {"mon", KEY_MON, false, false, true},
    {"tzh", KEY_TZH, false, false, false},
    {"tzm", KEY_TZM, true, false, false},
    {"yyy", KEY_YYY, true, false, true},
    {"AD", KEY_AD, false, false, false},
    {"AM", KEY_AM, false, false, false},
    {"BC", KEY_AD, false, false, false},
    {"CC", KEY_CC, true, false, false},
    {"DD", KEY_DD, true, false, true},
    {"DY", KEY_DY, false, false, false},
    {"Dy", KEY_DY, false, false, false},
    {"FX", KEY_FX, false, false, false},
    {"HH", KEY_HH12, true, false, false},
    {"ID", KEY_ID, true, true, false},
    {"IW", KEY_IW, true, true, false},
    {"IY", KEY_IY, true, true, false},
    {"MI", KEY_MI, true, false, false},
    {"MM", KEY_MM, true, false, true},
    {"MS", KEY_MS, true, false, false},
    {"OF", KEY_OF, false, false, false},
    {"PM", KEY_AM, false, false, false},
    {"RM", KEY_RM, false, false, true},
    {"SS", KEY_SS, true, false, false},
    {"TZ", KEY_TZ, false, false, false},
    {"US", KEY_US, true, false, false},
    {"WW", KEY_WW, true, false, true},
    {"YY", KEY_YY, true, false, true},
    {"ad", KEY_AD, false, false, false},
    {"am", KEY_AM, false, false, false},
    {"bc", KEY_AD, false, false, false},
    {"cc", KEY_CC, true, false, false},
    {"dd", KEY_DD, true, false, true},
    {"dy", KEY_DY, false, false, false},
    {"fx", KEY_FX, false, false, false},
    {"hh", KEY_HH12, true, false, false},
    {"id", KEY_ID, true, true, false},
    {"iw", KEY_IW, true, true, false},
    {"iy", KEY_IY, true, true, false},
    {"mi", KEY_MI, true, false, false},
    {"mm", KEY_MM, true, false, true},
    {"ms", KEY_MS, true, false, false},
    {"of", KEY_OF, false, false, false},
    {"pm", KEY_AM, false, false, false},
    {"rm", KEY_RM, false, false, true},
    {"ss", KEY_SS, true, false, false},
    {"tz", KEY_TZ, false, false, false},
    {"us", KEY_US, true, false, false},
    {"ww", KEY_WW, true, false, true},
    {"yy", KEY_YY, true, false, true},
    {"D", KEY_D, true, false, true},
    {"I", KEY_I, true, true, false},
    {"J", KEY_J, true, false, false},
    {"Q", KEY_Q, true, false, false},
    {"W", KEY_W, true, false, true},
    {"Y", KEY_Y, true, false, true},
    {"d", KEY_D, true, false, true},
    {"i", KEY_I, true, true, false},
    {"j", KEY_J, true, false, false},
    {"q", KEY_Q, true, false, false},
    {"w", KEY_W, true, false, true},
    {"y", KEY_Y, true, false, true},
};
// clang-format on

FormatNode *format_parse_date(Scope *scope, Str format)
{
    return format_parse(scope, format, keywords, ARRAY_COUNT(keywords), true);
}

/* What a pattern shows: a moment, or the fields of an interval. */
typedef struct Shown {
    DateTime at;
    int64_t hours; /* of an interval: any number */
    int32_t date;
    int32_t day_of_year;
    bool is_interval;
    bool has_zone;
    int32_t offset_s;
    const TimeZone *zone;
} Shown;

typedef struct Writer {
    Ctx *ctx;
    StrBuf *buf;
    const Shown *shown;
    const FormatNode *node;
} Writer;

static bool fill_mode(const Writer *w)
{
    return w->node->modifiers & FORMAT_FILL_MODE;
}

/* The ordinal ending of the digits from `start` on, where the pattern asks for it. */
static void put_ordinal(Writer *w, size_t start)
{
    Str digits = {w->buf->ptr + start, w->buf->len - start};

    if (w->node->modifiers & FORMAT_TH)
        strbuf_append_c(w->buf, format_ordinal(digits, w->node->modifiers & FORMAT_TH_UPPER));
}

/* A number of at least `width` digits (one more column when negative), with its ordinal ending. */
static void put_number(Writer *w, int64_t value, int width)
{
    size_t start = w->buf->len;

    strbuf_printf(w->buf, "%0*lld",
                  fill_mode(w) ? 0
                  : value < 0  ? width + 1
                               : width,
                  (long long)value);
    put_ordinal(w, start);
}

/* A name in the keyword's case, cut to `letters` (0: whole) or padded to `width`. */
static void put_name(Writer *w, const char *name, int letters, int width)
{
    const char *spelled = w->node->keyword->name;
    bool upper = spelled[1] >= 'A' && spelled[1] <= 'Z';
    bool lower = spelled[0] >= 'a' && spelled[0] <= 'z';
    int length = letters ? letters : (int)strlen(name);

    for (int i = 0; i < length; i++) {
        char c = name[i];
        if (upper && c >= 'a' && c <= 'z')
            c = (char)(c - 32);
        else if (lower && c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        strbuf_append_char(w->buf, c);
    }
    bool pads = !fill_mode(w) && !(w->node->modifiers & FORMAT_LOCAL);
    for (int i = length; pads && i < width; i++)
        strbuf_append_char(w->buf, ' ');
}

/* A.M., BC …: in the letters of the keyword, first or second of the pair. */
static void put_half(Writer *w, bool second)
{
    const char *spelled = w->node->keyword->name;
    bool era = w->node->keyword->id == KEY_AD;
    bool lower = spelled[0] >= 'a';
    bool dotted = spelled[1] == '.';
    const char *letters = era ? (second ? "BC" : "AD") : second ? "PM" : "AM";

    for (int i = 0; i < 2; i++) {
        strbuf_append_char(w->buf, (char)(lower ? letters[i] + 32 : letters[i]));
        if (dotted)
            strbuf_append_char(w->buf, '.');
    }
}

static void put_time(Writer *w)
{
    const Shown *s = w->shown;
    size_t start = w->buf->len;
    static const int32_t divisors[] = {100000, 10000, 1000, 100, 10, 1};
    int id = w->node->keyword->id;
    int64_t hours = s->is_interval ? s->hours : s->at.hour;
    int64_t hour12 = hours % 12 == 0 ? 12 : hours % 12;

    switch (id) {
    case KEY_AM: put_half(w, hours % 24 >= 12); break;
    case KEY_HH12: put_number(w, hour12, 2); break;
    case KEY_HH24: put_number(w, hours, 2); break;
    case KEY_MI: put_number(w, s->at.minute, 2); break;
    case KEY_SS: put_number(w, s->at.second, 2); break;
    case KEY_MS:
        strbuf_printf(w->buf, "%03d", s->at.us / 1000);
        put_ordinal(w, start);
        break;
    case KEY_US:
        strbuf_printf(w->buf, "%06d", s->at.us);
        put_ordinal(w, start);
        break;
    case KEY_SSSS:
        strbuf_printf(w->buf, "%lld", (long long)(hours * 3600 + s->at.minute * 60 + s->at.second));
        put_ordinal(w, start);
        break;
    default:
        strbuf_printf(w->buf, "%0*d", id - KEY_FF1 + 1, s->at.us / divisors[id - KEY_FF1]);
        put_ordinal(w, start);
        break;
    }
}

static Status put_zone(Writer *w)
{
    const Shown *s = w->shown;
    int32_t minutes = (s->offset_s < 0 ? -s->offset_s : s->offset_s) / 60;
    const char *spelled = w->node->keyword->name;

    switch (w->node->keyword->id) {
    case KEY_TZH: strbuf_printf(w->buf, "%c%02d", s->offset_s < 0 ? '-' : '+', minutes / 60); break;
    case KEY_TZM: strbuf_printf(w->buf, "%02d", minutes % 60); break;
    case KEY_OF:
        strbuf_printf(w->buf, "%c%0*d", s->offset_s < 0 ? '-' : '+', fill_mode(w) ? 0 : 2,
                      minutes / 60);
        if (minutes % 60)
            strbuf_printf(w->buf, ":%02d", minutes % 60);
        break;
    default:
        if (!s->has_zone)
            break;
        if (s->zone && s->zone != timezone_utc())
            return error_raise(w->ctx, E_FEATURE_NOT_SUPPORTED,
                               "to_char pattern \"%s\" is only supported in time zone UTC",
                               spelled);
        strbuf_append_c(w->buf, spelled[0] == 't' ? "utc" : "UTC");
    }
    return OK;
}

static int64_t century_of(const Shown *s)
{
    if (s->is_interval)
        return s->at.year / 100;
    return s->at.year > 0 ? (s->at.year - 1) / 100 + 1 : s->at.year / 100 - 1;
}

/* The last `digits` digits of a year, 0: all of it. */
static void put_year(Writer *w, int32_t year, int digits)
{
    static const int32_t powers[] = {0, 10, 100, 1000};
    int64_t shown = w->shown->is_interval || year > 0 ? year : 1 - (int64_t)year;

    if (digits == 0)
        put_number(w, shown, 4);
    else
        put_number(w, shown % powers[digits], digits);
}

static void put_month(Writer *w)
{
    const Shown *s = w->shown;

    switch (w->node->keyword->id) {
    case KEY_MONTH:
        if (s->at.month)
            put_name(w, format_months[s->at.month - 1], 0, 9);
        break;
    case KEY_MON:
        if (s->at.month)
            put_name(w, format_months[s->at.month - 1], 3, 3);
        break;
    case KEY_MM: put_number(w, s->at.month, 2); break;
    case KEY_Q:
        if (s->at.month)
            put_number(w, (s->at.month - 1) / 3 + 1, 1);
        break;
    default: /* RM; the list begins with XII, which a month of 0 means, too */
        if (s->at.month == 0 && s->at.year == 0)
            break;
        int at = s->at.month < 0 ? -(s->at.month + 1) : 12 - s->at.month;
        put_name(w, format_romans[s->at.month == 0 ? (s->at.year >= 0 ? 0 : 11) : at], 0, 4);
        break;
    }
}

static void put_day(Writer *w)
{
    const Shown *s = w->shown;
    int weekday = s->is_interval ? 0 : date_day_of_week(s->date);
    int32_t iso_year = 0;
    int week = s->is_interval ? 0 : date_iso_week(s->date, &iso_year);

    switch (w->node->keyword->id) {
    case KEY_DAY: put_name(w, format_days[weekday], 0, 9); break;
    case KEY_DY: put_name(w, format_days[weekday], 3, 3); break;
    case KEY_DDD: put_number(w, s->day_of_year, 3); break;
    case KEY_DD: put_number(w, s->at.day, 2); break;
    case KEY_D: put_number(w, weekday + 1, 1); break;
    case KEY_ID: put_number(w, weekday == 0 ? 7 : weekday, 1); break;
    case KEY_IDDD: put_number(w, (week - 1) * 7 + (weekday == 0 ? 7 : weekday), 3); break;
    case KEY_IW: put_number(w, week, 2); break;
    case KEY_WW: put_number(w, (s->day_of_year - 1) / 7 + 1, 2); break;
    case KEY_W: put_number(w, (s->at.day - 1) / 7 + 1, 1); break;
    case KEY_J: put_number(w, s->is_interval ? s->date : (int64_t)s->date + EPOCH_JULIAN, 0); break;
    case KEY_IYYY: put_year(w, iso_year, 0); break;
    case KEY_IYY: put_year(w, iso_year, 3); break;
    case KEY_IY: put_year(w, iso_year, 2); break;
    default: put_year(w, iso_year, 1); break;
    }
}

static void put_years(Writer *w)
{
    const Shown *s = w->shown;
    int64_t year = s->is_interval || s->at.year > 0 ? s->at.year : 1 - (int64_t)s->at.year;
    size_t start = w->buf->len;

    switch (w->node->keyword->id) {
    case KEY_AD: put_half(w, s->at.year <= 0); break;
    case KEY_CC: put_number(w, century_of(s), 2); break;
    case KEY_Y_YYY:
        strbuf_printf(w->buf, "%lld,%03lld", (long long)(year / 1000), (long long)(year % 1000));
        put_ordinal(w, start);
        break;
    case KEY_YYYY: put_year(w, s->at.year, 0); break;
    case KEY_YYY: put_year(w, s->at.year, 3); break;
    case KEY_YY: put_year(w, s->at.year, 2); break;
    default: put_year(w, s->at.year, 1); break;
    }
}

/* What an interval, tied to no date, cannot show. */
static bool needs_date(int id)
{
    switch (id) {
    case KEY_AD:
    case KEY_DAY:
    case KEY_DY:
    case KEY_D:
    case KEY_ID:
    case KEY_MONTH:
    case KEY_MON:
    case KEY_TZ:
    case KEY_TZH:
    case KEY_TZM:
    case KEY_OF:
    case KEY_IDDD:
    case KEY_IW:
    case KEY_IYYY:
    case KEY_IYY:
    case KEY_IY:
    case KEY_I: return true;
    default: return false;
    }
}

static Status put_field(Writer *w)
{
    int id = w->node->keyword->id;

    if (w->shown->is_interval && needs_date(id)) {
        Status st = error_raise(w->ctx, E_INVALID_DATETIME,
                                "invalid format specification for an interval value");
        error_hint(w->ctx, "Intervals are not tied to specific calendar dates.");
        return st;
    }
    switch (id) {
    case KEY_FX: break;
    case KEY_AM:
    case KEY_HH12:
    case KEY_HH24:
    case KEY_MI:
    case KEY_SS:
    case KEY_MS:
    case KEY_US:
    case KEY_SSSS:
    case KEY_FF1:
    case KEY_FF2:
    case KEY_FF3:
    case KEY_FF4:
    case KEY_FF5:
    case KEY_FF6: put_time(w); break;
    case KEY_TZ:
    case KEY_TZH:
    case KEY_TZM:
    case KEY_OF: return put_zone(w);
    case KEY_MONTH:
    case KEY_MON:
    case KEY_MM:
    case KEY_Q:
    case KEY_RM: put_month(w); break;
    case KEY_AD:
    case KEY_CC:
    case KEY_Y_YYY:
    case KEY_YYYY:
    case KEY_YYY:
    case KEY_YY:
    case KEY_Y: put_years(w); break;
    default: put_day(w); break;
    }
    return OK;
}

static Status put_all(FuncCall *call, Str format, const Shown *shown, StrBuf *buf)
{
    Status st = OK;
    const FormatNode *nodes = format_parse_date(call->scope, format);
    Writer w = {.ctx = call->ctx, .buf = buf, .shown = shown};

    for (w.node = nodes; w.node->kind != NODE_END; w.node++) {
        if (w.node->kind == NODE_ACTION)
            TRY(put_field(&w));
        else
            strbuf_append_str(buf, w.node->text);
    }
done:
    return st;
}

static void show_moment(int64_t local, Shown *out)
{
    timestamp_split(local, &out->at);
    out->date = timestamp_to_date(local);
    out->day_of_year = date_day_of_year(out->date);
}

KERNEL_TEXT_ROWS(func_to_char_timestamp, {
    Shown shown = {0};
    int64_t at = KERNEL_ARG(int64_t, 0);
    if (!timestamp_is_finite(at) || KERNEL_STR(1).len == 0) {
        KERNEL_NULL(i);
        continue;
    }
    show_moment(at, &shown);
    TRY(put_all(call, KERNEL_STR(1), &shown, &buf));
})

KERNEL_TEXT_ROWS(func_to_char_timestamptz, {
    Shown shown = {.has_zone = true, .zone = kernel_io(call)->zone};
    int64_t at = KERNEL_ARG(int64_t, 0);
    int64_t local;
    if (!timestamp_is_finite(at) || KERNEL_STR(1).len == 0) {
        KERNEL_NULL(i);
        continue;
    }
    TRY(timestamptz_to_timestamp(call->ctx, at, shown.zone, &local));
    shown.offset_s = timezone_offset(shown.zone, at);
    show_moment(local, &shown);
    TRY(put_all(call, KERNEL_STR(1), &shown, &buf));
})

KERNEL_TEXT_ROWS(func_to_char_interval, {
    Shown shown = {.is_interval = true};
    Interval interval = KERNEL_ARG(Interval, 0);
    if (KERNEL_STR(1).len == 0) {
        KERNEL_NULL(i);
        continue;
    }
    int64_t us = interval.us;
    shown.hours = us / US_PER_HOUR;
    us %= US_PER_HOUR;
    shown.at = (DateTime){.year = interval.months / 12,
                          .month = interval.months % 12,
                          .day = interval.days,
                          .minute = (int32_t)(us / US_PER_MINUTE),
                          .second = (int32_t)(us % US_PER_MINUTE / US_PER_SECOND),
                          .us = (int32_t)(us % US_PER_SECOND)};
    shown.day_of_year = (int32_t)((int64_t)interval.months * DAYS_PER_MONTH + interval.days);
    shown.date = date_from_ymd(shown.at.year, shown.at.month, shown.at.day) + EPOCH_JULIAN;
    TRY(put_all(call, KERNEL_STR(1), &shown, &buf));
})
