// SPDX-License-Identifier: Apache-2.0
//
// PostgreSQL's advanced regular expressions on PCRE2 (regex.c is its only includer): the pattern is
// translated (regex_translate.c), compiled with JIT, and matched with limits. A match starts as far
// left as it can; how long it is follows PostgreSQL's rule (longest, or shortest when the whole
// expression prefers few), checked with PCRE2's DFA matcher where Perl's order could choose
// another. A Regex is used by one thread at a time.
#ifndef DBASPOT_FUNC_REGEX_H
#define DBASPOT_FUNC_REGEX_H

#include "base/str.h"

typedef struct RegexFlags {
    bool global;         /* g: for the callers */
    bool ignore_case;    /* i */
    bool expanded;       /* x */
    bool literal;        /* q */
    bool newline_dot;    /* n, p: . and [^…] do not match a newline */
    bool newline_anchor; /* n, w: ^ and $ match at lines */
} RegexFlags;

/* The letters of a flags argument; E_INVALID_PARAMETER_VALUE for others. */
Status regex_parse_flags(Ctx *ctx, Str letters, RegexFlags *out);

typedef struct Regex Regex;

/* E_INVALID_REGULAR_EXPRESSION. The Regex lives in `scope`. */
Status regex_compile(Ctx *ctx, Scope *scope, Str pattern, RegexFlags flags, Regex **out);
uint32_t regex_groups(const Regex *regex);

#define REGEX_NO_MATCH ((size_t)-1)
typedef struct RegexSpan {
    size_t start; /* byte offsets; REGEX_NO_MATCH: the group took no part */
    size_t end;
} RegexSpan;

/* True if there is a match anywhere. */
Status regex_test(Ctx *ctx, Regex *regex, Str text, bool *out);
/* The first match at or after `start`; spans[0] is the whole, spans[1 … groups] the groups. The
   array belongs to the Regex and lives until the next call. NULL: no match. */
Status regex_search(Ctx *ctx, Regex *regex, Str text, size_t start, const RegexSpan **out);

/* --- between regex.c and regex_translate.c --- */

typedef struct RegexTranslation {
    uint32_t groups;
    bool prefers_short; /* the whole expression is non-greedy */
    bool ambiguous;     /* Perl's choice of the end may differ from PostgreSQL's */
    bool backreferences;
    RegexFlags flags; /* with embedded options */
} RegexTranslation;

/* Appends the PCRE2 pattern to `out`. */
Status regex_translate(Ctx *ctx, Str pattern, RegexFlags flags, StrBuf *out,
                       RegexTranslation *translation);

#endif
