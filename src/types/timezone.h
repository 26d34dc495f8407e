// SPDX-License-Identifier: Apache-2.0
//
// Time zones: the one place that asks ICU about calendars. A zone's transitions are read once, kept
// for the life of the process and never changed, so that an offset is a binary search. Beyond the
// table the rules repeat every 400 years. Any thread.
#ifndef DBASPOT_TYPES_TIMEZONE_H
#define DBASPOT_TYPES_TIMEZONE_H

#include "base/str.h"

typedef struct TimeZone TimeZone;

const TimeZone *timezone_utc(void);
/* By IANA name (case ignored), "UTC", abbreviation is not one; POSIX forms "EST5", "UTC+3" (west is
   positive there). NULL if there is no such zone. */
const TimeZone *timezone_find(Str name);
/* A fixed offset, printed as PostgreSQL does: "<+02>-02". */
const TimeZone *timezone_fixed(int32_t offset_s);
/* As SHOW timezone prints it. */
const char *timezone_name(const TimeZone *zone);

/* Seconds east of UTC at an instant (microseconds since 2000-01-01 UTC). NULL zone: UTC. */
int32_t timezone_offset(const TimeZone *zone, int64_t utc_us);
/* True if the zone has one offset for all times. */
bool timezone_is_fixed(const TimeZone *zone);
/* Offset of a local time; in a gap the time before it counts on, an ambiguous time is the later one
   (standard time), as in PostgreSQL. */
int32_t timezone_offset_local(const TimeZone *zone, int64_t local_us);
/* True if daylight saving time is in force. */
bool timezone_is_dst(const TimeZone *zone, int64_t utc_us);

/* A time zone abbreviation of PostgreSQL's default set ("PST", "CEST"; case ignored). */
bool timezone_abbreviation(Str name, int32_t *offset_s, bool *is_dst);

#endif
