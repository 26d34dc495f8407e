// SPDX-License-Identifier: Apache-2.0
//
// Time zones as SQL names them, on the right of AT TIME ZONE and in arguments of date_trunc and
// make_timestamptz. Abbreviations are looked up first, as PostgreSQL does. Private to this room;
// any thread.
#ifndef DBASPOT_FUNC_ZONE_H
#define DBASPOT_FUNC_ZONE_H

#include "types/timezone.h"

/* An IANA name, an abbreviation or a POSIX form; E_INVALID_PARAMETER_VALUE if it is none. */
Status func_find_zone(Ctx *ctx, Str name, const TimeZone **out);

#endif
