// SPDX-License-Identifier: Apache-2.0
//
// The pattern language of to_char, to_date, to_timestamp and to_number: a format text cut into
// nodes. Dates and numbers have their own tables of keywords. See PostgreSQL 15, chapter 9.8.
// Private to this room; any thread.
#ifndef DBASPOT_FUNC_FORMAT_PATTERN_H
#define DBASPOT_FUNC_FORMAT_PATTERN_H

#include "base/str.h"

typedef struct FormatKeyword {
    const char *name;
    int id;
    bool is_digit; /* stands for digits: the field before it has a fixed width */
    bool iso;      /* of the ISO week calendar */
    bool gregorian;
} FormatKeyword;

typedef enum FormatNodeKind {
    NODE_ACTION,
    NODE_CHAR,
    NODE_SEPARATOR,
    NODE_SPACE,
    NODE_END
} FormatNodeKind;

#define FORMAT_FILL_MODE (1u << 0) /* FM */
#define FORMAT_LOCAL     (1u << 1) /* TM */
#define FORMAT_TH_UPPER  (1u << 2)
#define FORMAT_TH_LOWER  (1u << 3)
#define FORMAT_TH        (FORMAT_TH_UPPER | FORMAT_TH_LOWER)

typedef struct FormatNode {
    FormatNodeKind kind;
    const FormatKeyword *keyword; /* of an action */
    Str text;                     /* the character of the others */
    unsigned modifiers;
} FormatNode;

/* The nodes of a format, ended by NODE_END. `keywords` is sorted so that longer ones come before
   their beginnings; `modifiers`: FM, TM and TH stand beside keywords (dates), they are no keywords
   (numbers). */
FormatNode *format_parse(Scope *scope, Str format, const FormatKeyword *keywords, size_t count,
                         bool modifiers);

/* "st", "nd", "rd" or "th" for a number written in digits. */
const char *format_ordinal(Str digits, bool upper);

#endif
