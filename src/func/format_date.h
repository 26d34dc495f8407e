// SPDX-License-Identifier: Apache-2.0
//
// Keywords of date and time patterns, shared by to_char (format_date.c) and to_date, to_timestamp
// (format_date_parse.c). Private to this room.
#ifndef DBASPOT_FUNC_FORMAT_DATE_H
#define DBASPOT_FUNC_FORMAT_DATE_H

#include "func/format_pattern.h"

typedef enum DateKey {
    KEY_AD,
    KEY_AM,
    KEY_CC,
    KEY_DAY,
    KEY_DDD,
    KEY_DD,
    KEY_DY,
    KEY_D,
    KEY_FF1,
    KEY_FF2,
    KEY_FF3,
    KEY_FF4,
    KEY_FF5,
    KEY_FF6,
    KEY_FX,
    KEY_HH24,
    KEY_HH12,
    KEY_IDDD,
    KEY_ID,
    KEY_IW,
    KEY_IYYY,
    KEY_IYY,
    KEY_IY,
    KEY_I,
    KEY_J,
    KEY_MI,
    KEY_MM,
    KEY_MONTH,
    KEY_MON,
    KEY_MS,
    KEY_OF,
    KEY_Q,
    KEY_RM,
    KEY_SSSS,
    KEY_SS,
    KEY_TZH,
    KEY_TZM,
    KEY_TZ,
    KEY_US,
    KEY_WW,
    KEY_W,
    KEY_Y_YYY,
    KEY_YYYY,
    KEY_YYY,
    KEY_YY,
    KEY_Y
} DateKey;

extern const char *const format_months[12];
extern const char *const format_days[7];    /* Sunday first */
extern const char *const format_romans[12]; /* XII first */

FormatNode *format_parse_date(Scope *scope, Str format);

#endif
