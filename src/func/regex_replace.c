// SPDX-License-Identifier: Apache-2.0
//
// regexp_replace, regexp_count, regexp_instr, regexp_substr: functions that count matches.
// Positions are characters from 1. See regex_walk.h.
#include "func/regex_walk.h"

static Status bad_parameter(Ctx *ctx, const char *name, int32_t value)
{
    return error_raise(ctx, E_INVALID_PARAMETER_VALUE, "invalid value for parameter \"%s\": %d",
                       name, value);
}

/* Integer argument `at`, or `missing`; at least `low`. */
static Status read_int(FuncCall *call, const Vector *const *args, uint32_t at, uint32_t i,
                       const char *name, int32_t low, int32_t *out)
{
    if (at < call->args_count)
        *out = KERNEL_ARG(int32_t, at);
    return *out < low ? bad_parameter(call->ctx, name, *out) : OK;
}

/* Byte offset of character `position` (from 1); behind the end if there are fewer. */
static size_t offset_of(Str text, int32_t position)
{
    size_t at = 0;

    for (int32_t k = 1; k < position && at <= text.len; k++)
        at = regex_after_char(text, at);
    return at;
}

/* --- regexp_replace --- */

static void append_replacement(StrBuf *buf, Str replacement, Str text, const RegexSpan *spans,
                               uint32_t groups)
{
    for (size_t k = 0; k < replacement.len; k++) {
        char c = replacement.ptr[k];
        char next = k + 1 < replacement.len ? replacement.ptr[k + 1] : '\0';
        uint32_t group = next == '&' ? 0 : (uint32_t)(next - '0');
        if (c != '\\' || !(next == '\\' || next == '&' || (next >= '1' && next <= '9'))) {
            strbuf_append_char(buf, c);
            continue;
        }
        k++;
        if (next == '\\')
            strbuf_append_char(buf, '\\');
        else if (group <= groups && spans[group].start != REGEX_NO_MATCH)
            strbuf_append(buf, text.ptr + spans[group].start,
                          spans[group].end - spans[group].start);
    }
}

typedef struct Replacing {
    RegexWalk walk;
    Str replacement;
    int32_t nth; /* the match to replace, 0: all */
} Replacing;

static Status replace(Ctx *ctx, Replacing *r, StrBuf *buf)
{
    Status st = OK;
    Str text = r->walk.text;
    size_t copied = 0;
    const RegexSpan *spans;

    for (int32_t seen = 1;; seen++) {
        TRY(regex_walk_next(ctx, &r->walk, &spans));
        if (spans == NULL)
            break;
        if (seen < r->nth)
            continue;
        strbuf_append(buf, text.ptr + copied, spans[0].start - copied);
        append_replacement(buf, r->replacement, text, spans, regex_groups(r->walk.regex));
        copied = spans[0].end;
        if (r->nth)
            break;
    }
    if (copied < text.len)
        strbuf_append(buf, text.ptr + copied, text.len - copied);
done:
    return st;
}

/* A digit as the flags: most likely a start was meant. */
static Status check_flags(FuncCall *call, Str flags)
{
    if (flags.len == 0 || flags.ptr[0] < '0' || flags.ptr[0] > '9')
        return OK;
    Status st = error_raise(call->ctx, E_INVALID_PARAMETER_VALUE,
                            "invalid regular expression option: \"%c\"", flags.ptr[0]);
    error_hint(call->ctx, "If you meant to use regexp_replace() with a start parameter, cast the "
                          "fourth argument to integer explicitly.");
    return st;
}

KERNEL_TEXT_ROWS(func_regexp_replace, {
    RegexFlags flags;
    Replacing r = {.walk = {.text = KERNEL_STR(0)}, .replacement = KERNEL_STR(2)};
    if (call->args_count > 3)
        TRY(check_flags(call, KERNEL_STR(3)));
    TRY(regex_read_flags(call, args, 3, i, true, &flags));
    TRY(regex_find(call, KERNEL_STR(1), flags, &r.walk.regex));
    r.nth = flags.global ? 0 : 1;
    TRY(replace(call->ctx, &r, &buf));
})

KERNEL_TEXT_ROWS(func_regexp_replace_from, {
    RegexFlags flags;
    int32_t start = 1;
    Replacing r = {.walk = {.text = KERNEL_STR(0)}, .replacement = KERNEL_STR(2), .nth = 1};
    TRY(read_int(call, args, 3, i, "start", 1, &start));
    TRY(read_int(call, args, 4, i, "n", 0, &r.nth));
    TRY(regex_read_flags(call, args, 5, i, true, &flags));
    TRY(regex_find(call, KERNEL_STR(1), flags, &r.walk.regex));
    r.walk.at = offset_of(r.walk.text, start);
    TRY(replace(call->ctx, &r, &buf));
})

/* --- counting --- */

static Status count_matches(Ctx *ctx, RegexWalk *walk, int32_t *out)
{
    Status st = OK;
    const RegexSpan *spans;

    for (*out = 0;; ++*out) {
        TRY(regex_walk_next(ctx, walk, &spans));
        if (spans == NULL)
            break;
    }
done:
    return st;
}

KERNEL_TRY_ROWS(func_regexp_count, {
    RegexFlags flags;
    int32_t start = 1;
    RegexWalk walk = {.text = KERNEL_STR(0)};
    TRY(read_int(call, args, 2, i, "start", 1, &start));
    TRY(regex_read_flags(call, args, 3, i, false, &flags));
    TRY(regex_find(call, KERNEL_STR(1), flags, &walk.regex));
    walk.at = offset_of(walk.text, start);
    TRY(count_matches(call->ctx, &walk, &KERNEL_RESULT(int32_t)));
})

/* The span of group `group` of the nth match; start REGEX_NO_MATCH if there is none. */
static Status nth_span(Ctx *ctx, RegexWalk *walk, int32_t nth, int32_t group, RegexSpan *out)
{
    Status st = OK;
    const RegexSpan *spans = NULL;

    *out = (RegexSpan){REGEX_NO_MATCH, REGEX_NO_MATCH};
    for (int32_t k = 0; k < nth; k++) {
        TRY(regex_walk_next(ctx, walk, &spans));
        if (spans == NULL)
            goto done;
    }
    if ((uint32_t)group <= regex_groups(walk->regex))
        *out = spans[group];
done:
    return st;
}

KERNEL_TRY_ROWS(func_regexp_instr, {
    RegexFlags flags;
    int32_t start = 1;
    int32_t nth = 1;
    int32_t at_end = 0;
    int32_t group = 0;
    RegexSpan span;
    RegexWalk walk = {.text = KERNEL_STR(0)};
    TRY(read_int(call, args, 2, i, "start", 1, &start));
    TRY(read_int(call, args, 3, i, "n", 1, &nth));
    TRY(read_int(call, args, 4, i, "endoption", 0, &at_end));
    if (at_end > 1)
        TRY(bad_parameter(call->ctx, "endoption", at_end));
    TRY(read_int(call, args, 6, i, "subexpr", 0, &group));
    TRY(regex_read_flags(call, args, 5, i, false, &flags));
    TRY(regex_find(call, KERNEL_STR(1), flags, &walk.regex));
    walk.at = offset_of(walk.text, start);
    TRY(nth_span(call->ctx, &walk, nth, group, &span));
    size_t offset = at_end ? span.end : span.start;
    KERNEL_RESULT(int32_t) =
        offset == REGEX_NO_MATCH ? 0 : (int32_t)str_utf8_length((Str){walk.text.ptr, offset}) + 1;
})

KERNEL_TRY_ROWS(func_regexp_substr, {
    RegexFlags flags;
    int32_t start = 1;
    int32_t nth = 1;
    int32_t group = 0;
    RegexSpan span;
    RegexWalk walk = {.text = KERNEL_STR(0)};
    TRY(read_int(call, args, 2, i, "start", 1, &start));
    TRY(read_int(call, args, 3, i, "n", 1, &nth));
    TRY(read_int(call, args, 5, i, "subexpr", 0, &group));
    TRY(regex_read_flags(call, args, 4, i, false, &flags));
    TRY(regex_find(call, KERNEL_STR(1), flags, &walk.regex));
    walk.at = offset_of(walk.text, start);
    TRY(nth_span(call->ctx, &walk, nth, group, &span));
    if (span.start == REGEX_NO_MATCH)
        KERNEL_NULL(i);
    else
        kernel_share_text(out, i, (Str){walk.text.ptr + span.start, span.end - span.start});
})
