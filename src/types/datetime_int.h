// SPDX-License-Identifier: Apache-2.0
//
// How texts of dates, times and intervals are cut into fields, and the words in them: shared by
// datetime_parse.c and interval_parse.c. Cutting and decoding follow PostgreSQL's ParseDateTime and
// its Decode functions, since what is accepted is defined by them alone. Private to this room.
#ifndef DBASPOT_TYPES_DATETIME_INT_H
#define DBASPOT_TYPES_DATETIME_INT_H

#include "types/datetime.h"

#define DATETIME_FIELDS_MAX 25
#define DATETIME_BYTES_MAX  256

typedef enum FieldKind {
    TEXT_NUMBER,  /* digits, perhaps with a fraction */
    TEXT_STRING,  /* letters */
    TEXT_DATE,    /* digits and letters around - / . */
    TEXT_TIME,    /* digits with : */
    TEXT_ZONE,    /* a sign and digits */
    TEXT_SPECIAL, /* a sign and letters: -infinity */
} FieldKind;

/* A text cut into terminated, lower-case fields. */
typedef struct DateTimeText {
    int count;
    FieldKind kinds[DATETIME_FIELDS_MAX];
    char *fields[DATETIME_FIELDS_MAX];
    char bytes[DATETIME_BYTES_MAX + DATETIME_FIELDS_MAX];
} DateTimeText;

/* What went wrong with a text; each has its message and SQLSTATE. */
typedef enum DateTimeError {
    DATETIME_OK,
    DATETIME_BAD_FORMAT,
    DATETIME_FIELD_OVERFLOW,
    DATETIME_DATE_ORDER, /* overflow of month or day: perhaps another DateStyle was meant */
    DATETIME_INTERVAL_OVERFLOW,
    DATETIME_ZONE_OVERFLOW,
    DATETIME_ZONE_UNKNOWN, /* in `detail` */
} DateTimeError;

typedef enum WordKind {
    WORD_UNKNOWN,
    WORD_IGNORED,
    WORD_MONTH,
    WORD_WEEKDAY,
    WORD_MERIDIEM, /* 0 AM, 1 PM */
    WORD_ERA,      /* 0 AD, 1 BC */
    WORD_DST,      /* "DST" behind an abbreviation */
    WORD_SPECIAL,  /* DateTimeSpecial */
    WORD_ISO_TIME, /* the T of 2024-01-02T03:04:05 */
    WORD_UNIT,     /* of a value to come (dates) or before (intervals): DateTimeUnit */
    WORD_AGO,
} WordKind;

typedef enum DateTimeSpecial {
    SPECIAL_NONE,
    SPECIAL_NOW,
    SPECIAL_TODAY,
    SPECIAL_TOMORROW,
    SPECIAL_YESTERDAY,
    SPECIAL_ALLBALLS,
    SPECIAL_EPOCH,
    SPECIAL_INFINITY,
    SPECIAL_NEG_INFINITY,
} DateTimeSpecial;

typedef enum DateTimeUnit {
    UNIT_NONE,
    UNIT_MICROSECOND,
    UNIT_MILLISECOND,
    UNIT_SECOND,
    UNIT_MINUTE,
    UNIT_HOUR,
    UNIT_DAY,
    UNIT_WEEK,
    UNIT_MONTH,
    UNIT_QUARTER,
    UNIT_YEAR,
    UNIT_DECADE,
    UNIT_CENTURY,
    UNIT_MILLENNIUM,
    UNIT_DOW,
    UNIT_DOY,
    UNIT_ISODOW,
    UNIT_ISOYEAR,
    UNIT_JULIAN,
    UNIT_TIMEZONE,
    UNIT_TIMEZONE_HOUR,
    UNIT_TIMEZONE_MINUTE,
} DateTimeUnit;

DateTimeError datetime_split(Str text, DateTimeText *out);
/* Words of dates ("jan", "pm", "today"), and units of intervals ("hrs", "ago"). */
WordKind datetime_word(const char *word, int *value);
WordKind interval_word(const char *word, int *value);

/* Raises the error; `type` is the type's name in the message. */
Status datetime_raise(Ctx *ctx, DateTimeError error, Str text, const char *type,
                      const char *detail);

/* Signed decimal digits at *at; false beyond int64. *at stays when there are none. */
bool datetime_integer(const char **at, int64_t *out);
/* ".123": a fraction; false if something else follows it. */
bool datetime_fraction(const char *at, double *out);
/* hh:mm[:ss[.f]]; `minute_second`: two fields are mm:ss. */
DateTimeError datetime_decode_time(const char *text, bool minute_second, int64_t *hour,
                                   DateTime *out);

#endif
