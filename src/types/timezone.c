// SPDX-License-Identifier: Apache-2.0
//
// Time zones out of ICU: see timezone.h. Zones hang in one list that only grows, by compare and
// swap, so readers need no lock; two threads that read the same zone at once may both add it, which
// does no harm. ICU's calendar is asked for all transitions up to TABLE_YEARS_END.
#include "types/timezone.h"

#include "base/memory.h"

#include <stdio.h>
#include <unicode/ucal.h>
#include <unicode/uenum.h>

#define SECONDS_1970_TO_2000 INT64_C(946684800)
/* 400 Gregorian years, after which days and weekdays repeat. */
#define CYCLE_S              INT64_C(12622780800)
/* 1800-01-01 and 2440-01-01, in seconds since 2000. */
#define TABLE_START_S        INT64_C(-6311347200)
#define TABLE_END_S          INT64_C(13885084800)
#define SECOND_US            INT64_C(1000000)
#define DAY_S                INT64_C(86400)

typedef struct Transition {
    int64_t at_s; /* seconds since 2000-01-01 UTC */
    int32_t offset_s;
    bool is_dst;
} Transition;

struct TimeZone {
    TimeZone *next;
    char *name;
    Transition *transitions; /* [0].at_s is INT64_MIN */
    uint32_t count;
};

static Transition utc_transition = {INT64_MIN, 0, false};
static TimeZone utc_zone = {.name = (char *)"UTC", .transitions = &utc_transition, .count = 1};
static _Atomic(TimeZone *) zones;

const TimeZone *timezone_utc(void)
{
    return &utc_zone;
}

const char *timezone_name(const TimeZone *zone)
{
    return zone ? zone->name : utc_zone.name;
}

static const TimeZone *find_known(Str name)
{
    if (str_equal_nocase(name, STR("UTC")))
        return &utc_zone;
    for (TimeZone *zone = atomic_load(&zones); zone; zone = zone->next) {
        if (str_equal_nocase(name, str_from(zone->name)))
            return zone;
    }
    return NULL;
}

static const TimeZone *publish(TimeZone *zone)
{
    zone->next = atomic_load(&zones);
    while (!atomic_compare_exchange_weak(&zones, &zone->next, zone))
        continue;
    return zone;
}

static void add_transition(TimeZone *zone, uint32_t *cap, Transition transition)
{
    if (zone->count == *cap) {
        *cap = *cap ? *cap * 2 : 16;
        zone->transitions = mem_realloc(zone->transitions, *cap * sizeof(Transition));
    }
    zone->transitions[zone->count++] = transition;
}

static Transition read_calendar(UCalendar *calendar, int64_t at_s, UErrorCode *error)
{
    ucal_setMillis(calendar, (double)(at_s + SECONDS_1970_TO_2000) * 1000, error);
    int32_t offset_ms = ucal_get(calendar, UCAL_ZONE_OFFSET, error);
    int32_t dst_ms = ucal_get(calendar, UCAL_DST_OFFSET, error);
    return (Transition){at_s, (offset_ms + dst_ms) / 1000, dst_ms != 0};
}

static const TimeZone *read_zone(const UChar *id, int32_t length, const char *name)
{
    UErrorCode error = U_ZERO_ERROR;
    uint32_t cap = 0;
    UDate next_ms;

    UCalendar *calendar = ucal_open(id, length, "en_US", UCAL_GREGORIAN, &error);
    if (U_FAILURE(error))
        return NULL;
    TimeZone *zone = mem_alloc_zero(sizeof *zone);
    zone->name = mem_strdup(name);
    Transition first = read_calendar(calendar, TABLE_START_S, &error);
    first.at_s = INT64_MIN;
    add_transition(zone, &cap, first);
    while (ucal_getTimeZoneTransitionDate(calendar, UCAL_TZ_TRANSITION_NEXT, &next_ms, &error) &&
           U_SUCCESS(error)) {
        int64_t at_s = (int64_t)(next_ms / 1000) - SECONDS_1970_TO_2000;
        if (at_s >= TABLE_END_S)
            break;
        add_transition(zone, &cap, read_calendar(calendar, at_s, &error));
    }
    ucal_close(calendar);
    return publish(zone);
}

/* ICU knows its zones by exact names; we are asked in any case. */
static const TimeZone *find_icu(Str name)
{
    UErrorCode error = U_ZERO_ERROR;
    const TimeZone *zone = NULL;
    int32_t length;
    const char *id;

    UEnumeration *ids = ucal_openTimeZones(&error);
    if (U_FAILURE(error))
        return NULL;
    while ((id = uenum_next(ids, &length, &error)) != NULL && U_SUCCESS(error)) {
        UChar wide[64];
        if (!str_equal_nocase(name, str_from(id)) || length >= (int32_t)ARRAY_COUNT(wide))
            continue;
        for (int32_t i = 0; i < length; i++)
            wide[i] = (UChar)id[i];
        zone = read_zone(wide, length, id);
        break;
    }
    uenum_close(ids);
    return zone;
}

static const TimeZone *make_fixed(const char *name, int32_t offset_s)
{
    const TimeZone *known = find_known(str_from(name));

    if (known)
        return known;
    TimeZone *zone = mem_alloc_zero(sizeof *zone);
    uint32_t cap = 0;
    zone->name = mem_strdup(name);
    add_transition(zone, &cap, (Transition){INT64_MIN, offset_s, false});
    return publish(zone);
}

static int format_offset(char *out, size_t bytes, char sign, int32_t offset_s)
{
    int32_t size = offset_s < 0 ? -offset_s : offset_s;

    if (size % 60)
        return snprintf(out, bytes, "%c%02d:%02d:%02d", sign, size / 3600, size / 60 % 60,
                        size % 60);
    if (size % 3600)
        return snprintf(out, bytes, "%c%02d:%02d", sign, size / 3600, size / 60 % 60);
    return snprintf(out, bytes, "%c%02d", sign, size / 3600);
}

const TimeZone *timezone_fixed(int32_t offset_s)
{
    char east[16], west[16], name[40];

    format_offset(east, sizeof east, offset_s < 0 ? '-' : '+', offset_s);
    format_offset(west, sizeof west, offset_s < 0 ? '+' : '-', offset_s);
    snprintf(name, sizeof name, "<%s>%s", east, west);
    return make_fixed(name, offset_s);
}

/* What ends the name in a POSIX form. */
static bool ends_name(char c)
{
    return (c >= '0' && c <= '9') || c == ',' || c == '-' || c == '+';
}

/* "EST5", "<+02>-02", "UTC+3:30": a name, then hours west of UTC. */
static const TimeZone *find_posix(Str name)
{
    const char *p = name.ptr;
    const char *end = p + name.len;
    int32_t parts[3] = {0};
    char text[64];

    if (p < end && *p == '<') {
        while (p < end && *p != '>')
            p++;
        p += p < end;
    } else {
        while (p < end && !ends_name(*p))
            p++;
    }
    if (name.len >= sizeof text)
        return NULL;
    bool plain = p == name.ptr; /* a bare number: hours east, as SET TIME ZONE -5 means it */
    bool negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    for (int i = 0; i < 3; i++) {
        const char *start = p;
        for (; p < end && p - start < 3 && *p >= '0' && *p <= '9'; p++)
            parts[i] = parts[i] * 10 + (*p - '0');
        if (p == start)
            return NULL;
        if (p < end && *p == ':')
            p++;
        else
            break;
    }
    if (p != end || parts[0] > 167 || parts[1] > 59 || parts[2] > 59)
        return NULL;
    int32_t west_s = parts[0] * 3600 + parts[1] * 60 + parts[2];
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return make_fixed(text, negative != plain ? west_s : -west_s);
}

const TimeZone *timezone_find(Str name)
{
    const TimeZone *zone = find_known(name);

    if (zone == NULL && name.len > 0)
        zone = find_icu(name);
    if (zone == NULL && name.len > 0)
        zone = find_posix(name);
    return zone;
}

/* The last transition at or before `at_s`. */
static uint32_t find_transition(const TimeZone *zone, int64_t at_s)
{
    uint32_t low = 0;
    uint32_t high = zone->count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->transitions[middle].at_s <= at_s)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int64_t floor_seconds(int64_t us)
{
    return us >= 0 ? us / SECOND_US : -((-(us + 1)) / SECOND_US) - 1;
}

/* Folds instants beyond the table into its last 400 years. */
static int64_t fold(int64_t at_s)
{
    if (at_s >= TABLE_END_S)
        at_s -= ((at_s - TABLE_END_S) / CYCLE_S + 1) * CYCLE_S;
    return at_s;
}

int32_t timezone_offset(const TimeZone *zone, int64_t utc_us)
{
    if (timezone_is_fixed(zone))
        return zone ? zone->transitions[0].offset_s : 0;
    return zone->transitions[find_transition(zone, fold(floor_seconds(utc_us)))].offset_s;
}

bool timezone_is_fixed(const TimeZone *zone)
{
    return zone == NULL || zone->count == 1;
}

bool timezone_is_dst(const TimeZone *zone, int64_t utc_us)
{
    if (timezone_is_fixed(zone))
        return false;
    return zone->transitions[find_transition(zone, fold(floor_seconds(utc_us)))].is_dst;
}

int32_t timezone_offset_local(const TimeZone *zone, int64_t local_us)
{
    if (timezone_is_fixed(zone))
        return zone ? zone->transitions[0].offset_s : 0;
    /* The first transition after the day before decides, as in DetermineTimeZoneOffset. */
    int64_t local_s = fold(floor_seconds(local_us));
    uint32_t at = find_transition(zone, local_s - DAY_S);
    int32_t before = zone->transitions[at].offset_s;
    if (at + 1 == zone->count)
        return before;
    int64_t boundary = zone->transitions[at + 1].at_s;
    int32_t after = zone->transitions[at + 1].offset_s;
    int64_t before_s = local_s - before;
    int64_t after_s = local_s - after;
    if (before_s < boundary && after_s < boundary)
        return before;
    if (before_s > boundary && after_s >= boundary)
        return after;
    return before_s > after_s ? before : after;
}

bool timezone_abbreviation(Str name, int32_t *offset_s, bool *is_dst)
{
    static const struct {
        const char *name;
        int32_t offset_s;
        bool is_dst;
    } rows[] = {
#define TIMEZONE_ABBREVIATION(name, offset_s, is_dst) {name, offset_s, is_dst},
#include "types/timezone_abbreviations.def"
#undef TIMEZONE_ABBREVIATION
    };

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (str_equal_nocase(name, str_from(rows[i].name))) {
            *offset_s = rows[i].offset_s;
            *is_dst = rows[i].is_dst;
            return true;
        }
    }
    return false;
}
