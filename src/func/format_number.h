// SPDX-License-Identifier: Apache-2.0
//
// Number patterns, shared by to_char (format_number.c) and to_number (format_number_parse.c).
// Private to this room.
#ifndef DBASPOT_FUNC_FORMAT_NUMBER_H
#define DBASPOT_FUNC_FORMAT_NUMBER_H

#include "func/format_pattern.h"

typedef enum NumberKey {
    NUM_COMMA,
    NUM_POINT,
    NUM_0,
    NUM_9,
    NUM_B,
    NUM_D,
    NUM_EEEE,
    NUM_FM,
    NUM_G,
    NUM_L,
    NUM_MI,
    NUM_PL,
    NUM_PR,
    NUM_RN,
    NUM_SG,
    NUM_SP,
    NUM_S,
    NUM_TH,
    NUM_V
} NumberKey;

typedef enum SignPlace { SIGN_NONE, SIGN_BEFORE, SIGN_BEHIND } SignPlace;

/* What a number pattern says as a whole. */
typedef struct NumberPattern {
    FormatNode *nodes;
    int pre;        /* digits before the point */
    int post;       /* and behind it */
    int zero_start; /* position of the first 0, from 1; 0: none */
    int zero_end;
    int multiplier; /* digits behind V */
    int sign_pre;   /* digits before an S */
    SignPlace sign_place;
    bool decimal, fill, zero, blank, sign, bracket, minus, plus, roman, multi, scientific;
} NumberPattern;

Status format_parse_number(Ctx *ctx, Scope *scope, Str format, NumberPattern *out);

#endif
