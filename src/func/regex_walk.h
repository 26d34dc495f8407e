// SPDX-License-Identifier: Apache-2.0
//
// What the functions on regular expressions share: the few patterns compiled last, kept in
// call->state for the statement (a pattern may come from a column), and a walk through all matches
// of a text. Private to this room; one thread a call.
#ifndef DBASPOT_FUNC_REGEX_WALK_H
#define DBASPOT_FUNC_REGEX_WALK_H

#include "func/regex.h"
#include "func/rows.h"

Status regex_find(FuncCall *call, Str pattern, RegexFlags flags, Regex **out);

/* The flags in argument `at`, if the call has it. */
Status regex_read_flags(FuncCall *call, const Vector *const *args, uint32_t at, uint32_t i,
                        bool may_be_global, RegexFlags *out);
/* "… does not support the "global" option". */
Status regex_refuse_global(FuncCall *call);

typedef struct RegexWalk {
    Regex *regex;
    Str text;
    size_t at;       /* where the next search starts */
    size_t last_end; /* of the match before */
    bool skip_empty; /* matches that would split nothing off */
    bool ended;
} RegexWalk;

/* The next match, NULL at the end. */
Status regex_walk_next(Ctx *ctx, RegexWalk *walk, const RegexSpan **out);
/* Where the character at `at` ends. */
size_t regex_after_char(Str text, size_t at);

#endif
