// SPDX-License-Identifier: Apache-2.0
//
// The SQL face of regular expressions: operators, SIMILAR TO, substring, regexp_*. Patterns are
// kept as regex_walk.h says.
#include "base/array.h"
#include "func/elements.h"
#include "func/regex_walk.h"
#include "func/rows.h"

/* --- the operators --- */

static Status test_rows(FuncCall *call, const Vector *const *args, uint32_t rows, Vector *out,
                        RegexFlags flags, bool negated)
{
    Status st = OK;
    Regex *regex = NULL;
    bool constant = args[1]->form == VECTOR_CONST;

    for (uint32_t i = 0; i < rows; i++) {
        bool matches = false;
        if (!kernel_row_valid(out, i))
            continue;
        if (regex == NULL || !constant)
            TRY(regex_find(call, KERNEL_STR(1), flags, &regex));
        TRY(regex_test(call->ctx, regex, KERNEL_STR(0), &matches));
        KERNEL_RESULT(uint8_t) = matches != negated;
    }
done:
    return st;
}

#define REGEX_OPERATOR(name, nocase, negated)                    \
    Status name(KERNEL_PARAMS)                                   \
    {                                                            \
        RegexFlags flags = {.ignore_case = (nocase)};            \
        return test_rows(call, args, rows, out, flags, negated); \
    }

REGEX_OPERATOR(func_regex_like, false, false)
REGEX_OPERATOR(func_regex_not_like, false, true)
REGEX_OPERATOR(func_regex_ilike, true, false)
REGEX_OPERATOR(func_regex_not_ilike, true, true)

/* --- SIMILAR TO --- */

static Status escape_length(Ctx *ctx)
{
    Status st = error_raise(ctx, E_INVALID_ESCAPE_SEQUENCE, "invalid escape string");
    error_hint(ctx, "Escape string must be empty or one character.");
    return st;
}

static bool starts_with(Str text, size_t at, Str part)
{
    return part.len && text.len - at >= part.len && memcmp(text.ptr + at, part.ptr, part.len) == 0;
}

/* A pattern of SIMILAR TO as an advanced regular expression, as PostgreSQL's similar_escape makes
   it: escape-double-quote pairs cut it into a part that is matched short, one that is captured and
   one that is matched short. */
typedef struct Similar {
    Ctx *ctx;
    StrBuf *buf;
    bool for_substring; /* the first part is matched short, whatever is in it */
    bool in_brackets;
    int separators;
} Similar;

static Status similar_escaped(Similar *s, Str c)
{
    if (c.ptr[0] != '"' || s->in_brackets) {
        /* An escaped letter or digit is itself, not a class. */
        strbuf_append_char(s->buf, '\\');
        strbuf_append_str(s->buf, c);
        return OK;
    }
    if (s->separators == 0)
        strbuf_append_c(s->buf, "){1,1}?(");
    else if (s->separators == 1)
        strbuf_append_c(s->buf, "){1,1}(?:");
    else
        return error_raise(s->ctx, E_INVALID_USE_OF_ESCAPE,
                           "SQL regular expression may not contain more than two "
                           "escape-double-quote separators");
    s->separators++;
    return OK;
}

static void similar_char(Similar *s, char c)
{
    if (s->in_brackets) {
        if (c == '\\')
            strbuf_append_char(s->buf, '\\');
        strbuf_append_char(s->buf, c);
        s->in_brackets = c != ']';
        return;
    }
    switch (c) {
    case '[':
        strbuf_append_char(s->buf, c);
        s->in_brackets = true;
        break;
    case '%': strbuf_append_c(s->buf, ".*"); break;
    case '_': strbuf_append_char(s->buf, '.'); break;
    case '(': strbuf_append_c(s->buf, "(?:"); break;
    case '\\':
    case '.':
    case '^':
    case '$':
        strbuf_append_char(s->buf, '\\');
        strbuf_append_char(s->buf, c);
        break;
    default: strbuf_append_char(s->buf, c); break;
    }
    if (s->for_substring && s->separators == 0 && strchr("%*+?}", c))
        strbuf_append_char(s->buf, '?');
}

static Status similar_translate(Ctx *ctx, Str pattern, Str escape, bool for_substring, StrBuf *buf)
{
    Status st = OK;
    Similar s = {.ctx = ctx, .buf = buf, .for_substring = for_substring};

    if (str_utf8_length(escape) > 1)
        TRY(escape_length(ctx));
    strbuf_append_c(buf, "^(?:");
    for (size_t at = 0; at < pattern.len;) {
        if (starts_with(pattern, at, escape) && at + escape.len < pattern.len) {
            at += escape.len;
            size_t bytes = 1;
            while (at + bytes < pattern.len &&
                   ((unsigned char)pattern.ptr[at + bytes] & 0xC0) == 0x80)
                bytes++;
            TRY(similar_escaped(&s, (Str){pattern.ptr + at, bytes}));
            at += bytes;
        } else if (starts_with(pattern, at, escape)) {
            break; /* an escape at the end stands for nothing */
        } else {
            similar_char(&s, pattern.ptr[at++]);
        }
    }
    strbuf_append_c(buf, ")$");
done:
    return st;
}

KERNEL_TEXT_ROWS(func_similar_to_escape, {
    Str escape = call->args_count > 1 ? KERNEL_STR(1) : STR("\\");
    TRY(similar_translate(call->ctx, KERNEL_STR(0), escape, false, &buf));
})

/* --- substring --- */

/* The first group's span, or the whole match's where there is no group. */
static RegexSpan part_of(const Regex *regex, const RegexSpan *spans)
{
    return spans ? spans[regex_groups(regex) > 0] : (RegexSpan){REGEX_NO_MATCH, REGEX_NO_MATCH};
}

static void put_span(Vector *out, uint32_t row, Str text, RegexSpan span)
{
    kernel_share_text(out, row, (Str){text.ptr + span.start, span.end - span.start});
}

KERNEL_TRY_ROWS(func_regex_substring, {
    Regex *regex;
    const RegexSpan *spans;
    TRY(regex_find(call, KERNEL_STR(1), (RegexFlags){0}, &regex));
    TRY(regex_search(call->ctx, regex, KERNEL_STR(0), 0, &spans));
    RegexSpan part = part_of(regex, spans);
    if (part.start == REGEX_NO_MATCH)
        KERNEL_NULL(i);
    else
        put_span(out, i, KERNEL_STR(0), part);
})

Status func_similar_substring(KERNEL_PARAMS)
{
    Status st = OK;
    StrBuf buf;

    strbuf_init(&buf);
    for (uint32_t i = 0; i < rows; i++) {
        Regex *regex;
        const RegexSpan *spans;
        if (!kernel_row_valid(out, i))
            continue;
        strbuf_clear(&buf);
        TRY(similar_translate(call->ctx, KERNEL_STR(1), KERNEL_STR(2), true, &buf));
        TRY(regex_find(call, strbuf_str(&buf), (RegexFlags){0}, &regex));
        TRY(regex_search(call->ctx, regex, KERNEL_STR(0), 0, &spans));
        RegexSpan part = part_of(regex, spans);
        if (part.start == REGEX_NO_MATCH)
            KERNEL_NULL(i);
        else
            put_span(out, i, KERNEL_STR(0), part);
    }
done:
    strbuf_free(&buf);
    return st;
}

/* --- regexp_like, regexp_match, regexp_matches --- */

KERNEL_TRY_ROWS(func_regexp_like, {
    RegexFlags flags;
    Regex *regex;
    bool matches = false;
    TRY(regex_read_flags(call, args, 2, i, false, &flags));
    TRY(regex_find(call, KERNEL_STR(1), flags, &regex));
    TRY(regex_test(call->ctx, regex, KERNEL_STR(0), &matches));
    KERNEL_RESULT(uint8_t) = matches;
})

/* The groups' texts as an array; the whole match where there are none. */
static Status make_groups(Ctx *ctx, Scope *scope, const Regex *regex, Str text,
                          const RegexSpan *spans, StrView *out)
{
    uint32_t groups = regex_groups(regex);
    uint32_t count = MAX(groups, 1);
    Datum *parts = scope_new_array(scope, Datum, count);

    for (uint32_t k = 0; k < count; k++) {
        RegexSpan span = spans[groups ? k + 1 : 0];
        parts[k].type = sql_type(OID_TEXT);
        parts[k].is_null = span.start == REGEX_NO_MATCH;
        if (!parts[k].is_null)
            parts[k].string = strview_make(text.ptr + span.start, span.end - span.start);
    }
    return array_make_1d(ctx, scope, sql_type(OID_TEXT), parts, count, out);
}

KERNEL_TRY_ROWS(func_regexp_match, {
    RegexFlags flags;
    Regex *regex;
    const RegexSpan *spans;
    TRY(regex_read_flags(call, args, 2, i, false, &flags));
    TRY(regex_find(call, KERNEL_STR(1), flags, &regex));
    TRY(regex_search(call->ctx, regex, KERNEL_STR(0), 0, &spans));
    if (spans == NULL)
        KERNEL_NULL(i);
    else
        TRY(make_groups(call->ctx, call->scope, regex, KERNEL_STR(0), spans,
                        &KERNEL_RESULT(StrView)));
})

typedef struct SetWalk {
    RegexWalk walk;
    bool global;
    size_t piece_start; /* of regexp_split_to_table */
    bool last_given;
} SetWalk;

static Status start_set(FuncCall *call, const Datum *args, uint32_t args_count, bool splits,
                        SetWalk **out)
{
    Status st = OK;
    RegexFlags flags = {0};
    SetWalk *set = scope_new(call->state_scope, SetWalk);

    if (args_count > 2)
        TRY(regex_parse_flags(call->ctx, strview_str(&args[2].string), &flags));
    if (splits && flags.global)
        TRY(regex_refuse_global(call));
    TRY(regex_compile(call->ctx, call->state_scope, strview_str(&args[1].string), flags,
                      &set->walk.regex));
    set->walk.text = str_copy(call->state_scope, strview_str(&args[0].string));
    set->walk.skip_empty = splits;
    set->global = flags.global;
    call->state = *out = set;
done:
    return st;
}

Status set_regexp_matches(FuncCall *call, const Datum *args, uint32_t args_count, Batch *out,
                          bool *done)
{
    Status st = OK;
    SetWalk *set = call->state;
    const RegexSpan *spans;

    if (set == NULL)
        TRY(start_set(call, args, args_count, false, &set));
    while (out->rows_count < BATCH_ROWS_MAX && !set->walk.ended) {
        TRY(regex_walk_next(call->ctx, &set->walk, &spans));
        if (spans == NULL)
            break;
        TRY(make_groups(call->ctx, call->scope, set->walk.regex, set->walk.text, spans,
                        &vector_flat(&out->columns[0], StrView)[out->rows_count]));
        out->rows_count++;
        set->walk.ended = !set->global;
    }
    *done = set->walk.ended;
done:
    return st;
}

/* --- regexp_split_to_array, regexp_split_to_table --- */

/* The next piece; false at the end. */
static Status split_next(Ctx *ctx, SetWalk *set, Str *out, bool *found)
{
    Status st = OK;
    const RegexSpan *spans;
    Str text = set->walk.text;

    *found = !set->last_given;
    if (set->last_given)
        goto done;
    TRY(regex_walk_next(ctx, &set->walk, &spans));
    size_t end = spans ? spans[0].start : text.len;
    *out = (Str){text.ptr + set->piece_start, end - set->piece_start};
    set->piece_start = spans ? spans[0].end : text.len;
    set->last_given = spans == NULL;
done:
    return st;
}

Status set_regexp_split(FuncCall *call, const Datum *args, uint32_t args_count, Batch *out,
                        bool *done)
{
    Status st = OK;
    SetWalk *set = call->state;
    Str piece;
    bool found;

    if (set == NULL)
        TRY(start_set(call, args, args_count, true, &set));
    while (out->rows_count < BATCH_ROWS_MAX) {
        TRY(split_next(call->ctx, set, &piece, &found));
        if (!found)
            break;
        vector_flat(&out->columns[0], StrView)[out->rows_count++] =
            strview_make(piece.ptr, piece.len);
    }
    *done = set->last_given;
done:
    return st;
}

KERNEL_TRY_ROWS(func_regexp_split_to_array, {
    RegexFlags flags;
    SetWalk set = {.walk = {.text = KERNEL_STR(0), .skip_empty = true}};
    ARRAY(Datum) pieces = {0};
    Str piece;
    bool found = true;
    TRY(regex_read_flags(call, args, 2, i, false, &flags));
    TRY(regex_find(call, KERNEL_STR(1), flags, &set.walk.regex));
    for (;;) {
        TRY(split_next(call->ctx, &set, &piece, &found));
        if (!found)
            break;
        Datum datum = {.type = sql_type(OID_TEXT), .string = strview_make(piece.ptr, piece.len)};
        array_push(call->scope, &pieces, datum);
    }
    TRY(array_make_1d(call->ctx, call->scope, sql_type(OID_TEXT), pieces.data, pieces.count,
                      &KERNEL_RESULT(StrView)));
})
