// SPDX-License-Identifier: Apache-2.0
//
// The PCRE2 adapter; see regex.h. JIT does the searching, the interpreter takes over where its
// stack is too small, the DFA matcher finds the end where Perl's order of alternatives might differ
// from PostgreSQL's. Limits on work and memory turn runaway patterns into errors.
#include "func/regex.h"

#include "base/memory.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MATCH_LIMIT     20000000u
#define HEAP_LIMIT_KIB  65536u
#define WORKSPACE_FIRST 512u
#define WORKSPACE_MAX   (1u << 20)

struct Regex {
    pcre2_general_context *general;
    pcre2_compile_context *compile;
    pcre2_match_context *context;
    pcre2_code *code;
    pcre2_match_data *match;
    Scope *scope;
    int *workspace; /* of the DFA matcher */
    uint32_t workspace_ints;
    uint32_t groups;
    bool jit;
    bool check_end; /* the end must be asked of the DFA matcher */
    bool prefers_short;
    RegexSpan *spans;
};

static void *allocate(size_t bytes, UNUSED void *arg)
{
    return mem_try_alloc(bytes);
}

static void release(void *ptr, UNUSED void *arg)
{
    mem_free(ptr);
}

static void close_regex(void *arg)
{
    Regex *regex = arg;

    pcre2_match_data_free(regex->match);
    pcre2_match_context_free(regex->context);
    pcre2_compile_context_free(regex->compile);
    pcre2_code_free(regex->code);
    pcre2_general_context_free(regex->general);
}

static Status no_memory(Ctx *ctx)
{
    return error_raise(ctx, E_OUT_OF_MEMORY, "out of memory");
}

/* What the translator let through and PCRE2 refuses: lookbehind of no fixed length, size. */
static Status refused(Ctx *ctx, int code)
{
    PCRE2_UCHAR message[120];

    pcre2_get_error_message(code, message, sizeof message);
    if (code == PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH)
        return error_raise(ctx, E_FEATURE_NOT_SUPPORTED,
                           "lookbehind of variable length is not supported in regular expressions");
    return error_raise(ctx, E_INVALID_REGULAR_EXPRESSION, "invalid regular expression: %s",
                       (const char *)message);
}

static Status open_contexts(Ctx *ctx, Regex *regex)
{
    regex->general = pcre2_general_context_create(allocate, release, NULL);
    if (regex->general)
        regex->compile = pcre2_compile_context_create(regex->general);
    if (regex->compile)
        regex->context = pcre2_match_context_create(regex->general);
    if (regex->context == NULL)
        return no_memory(ctx);
    pcre2_set_newline(regex->compile, PCRE2_NEWLINE_LF);
    pcre2_set_match_limit(regex->context, MATCH_LIMIT);
    pcre2_set_heap_limit(regex->context, HEAP_LIMIT_KIB);
    return OK;
}

static Status compile(Ctx *ctx, Regex *regex, Str pattern, const RegexTranslation *translation)
{
    int error = 0;
    PCRE2_SIZE offset = 0;
    uint32_t options =
        PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;

    if (translation->flags.ignore_case)
        options |= PCRE2_CASELESS;
    if (translation->ambiguous && translation->prefers_short)
        options |= PCRE2_NO_AUTO_POSSESS;
    regex->code = pcre2_compile((PCRE2_SPTR)(pattern.ptr ? pattern.ptr : ""), pattern.len, options,
                                &error, &offset, regex->compile);
    if (regex->code == NULL)
        return refused(ctx, error);
    regex->jit = pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0;
    regex->match = pcre2_match_data_create_from_pattern(regex->code, regex->general);
    return regex->match ? OK : no_memory(ctx);
}

Status regex_compile(Ctx *ctx, Scope *scope, Str pattern, RegexFlags flags, Regex **out)
{
    Status st = OK;
    RegexTranslation translation;
    Regex *regex = scope_new(scope, Regex);
    StrBuf text;

    strbuf_init(&text);
    regex->scope = scope;
    scope_defer(scope, close_regex, regex);
    TRY(regex_translate(ctx, pattern, flags, &text, &translation));
    TRY(open_contexts(ctx, regex));
    TRY(compile(ctx, regex, strbuf_str(&text), &translation));
    regex->groups = translation.groups;
    regex->prefers_short = translation.prefers_short;
    regex->check_end = translation.ambiguous && !translation.backreferences;
    regex->spans = scope_new_array(scope, RegexSpan, regex->groups + 1);
    *out = regex;
done:
    strbuf_free(&text);
    return st;
}

uint32_t regex_groups(const Regex *regex)
{
    return regex->groups;
}

static Status failed(Ctx *ctx, int code)
{
    PCRE2_UCHAR message[120];

    if (code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_HEAPLIMIT ||
        code == PCRE2_ERROR_DEPTHLIMIT || code == PCRE2_ERROR_JIT_STACKLIMIT)
        return error_raise(ctx, E_STATEMENT_TOO_COMPLEX,
                           "regular expression is too complex for its input");
    pcre2_get_error_message(code, message, sizeof message);
    return error_raise(ctx, E_INTERNAL, "regular expression failed: %s", (const char *)message);
}

/* *out: whether there is one. */
static Status match(Ctx *ctx, Regex *regex, Str text, size_t start, uint32_t options, bool *out)
{
    PCRE2_SPTR subject = (PCRE2_SPTR)(text.ptr ? text.ptr : "");
    int code = PCRE2_ERROR_JIT_STACKLIMIT;

    options |= PCRE2_NO_UTF_CHECK;
    if (regex->jit && options == PCRE2_NO_UTF_CHECK)
        code = pcre2_jit_match(regex->code, subject, text.len, start, options, regex->match,
                               regex->context);
    if (code == PCRE2_ERROR_JIT_STACKLIMIT)
        code = pcre2_match(regex->code, subject, text.len, start, options | PCRE2_NO_JIT,
                           regex->match, regex->context);
    *out = code >= 0;
    return code >= 0 || code == PCRE2_ERROR_NOMATCH ? OK : failed(ctx, code);
}

Status regex_test(Ctx *ctx, Regex *regex, Str text, bool *out)
{
    return match(ctx, regex, text, 0, 0, out);
}

static void grow_workspace(Regex *regex, uint32_t ints)
{
    regex->workspace_ints = ints;
    regex->workspace = scope_new_array(regex->scope, int, ints);
}

/* The end of the longest (or shortest) match that starts at `start`. */
static Status find_end(Ctx *ctx, Regex *regex, Str text, size_t start, size_t *out)
{
    uint32_t options = PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED;
    int code;

    if (regex->prefers_short)
        options |= PCRE2_DFA_SHORTEST;
    if (regex->workspace == NULL)
        grow_workspace(regex, WORKSPACE_FIRST);
    for (;;) {
        code =
            pcre2_dfa_match(regex->code, (PCRE2_SPTR)text.ptr, text.len, start, options,
                            regex->match, regex->context, regex->workspace, regex->workspace_ints);
        if (code != PCRE2_ERROR_DFA_WSSIZE)
            break;
        if (regex->workspace_ints >= WORKSPACE_MAX)
            return failed(ctx, PCRE2_ERROR_HEAPLIMIT);
        grow_workspace(regex, regex->workspace_ints * 4);
    }
    if (code < 0)
        return failed(ctx, code);
    *out = pcre2_get_ovector_pointer(regex->match)[1];
    return OK;
}

static void read_spans(Regex *regex)
{
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(regex->match);

    for (uint32_t i = 0; i <= regex->groups; i++) {
        bool took_part = offsets[2 * i] != PCRE2_UNSET;
        regex->spans[i].start = took_part ? offsets[2 * i] : REGEX_NO_MATCH;
        regex->spans[i].end = took_part ? offsets[2 * i + 1] : REGEX_NO_MATCH;
    }
}

/* Gives the match the end that PostgreSQL chooses, and the groups of a match that ends there. */
static Status settle_end(Ctx *ctx, Regex *regex, Str text)
{
    Status st = OK;
    size_t start = regex->spans[0].start;
    size_t end = 0;
    bool found;

    TRY(find_end(ctx, regex, text, start, &end));
    if (end == regex->spans[0].end)
        goto done;
    regex->spans[0].end = end;
    if (regex->groups == 0)
        goto done;
    Str cut = {text.ptr, end};
    TRY(match(ctx, regex, cut, start, PCRE2_ANCHORED | PCRE2_ENDANCHORED, &found));
    if (!found)
        FAIL(ctx, E_FEATURE_NOT_SUPPORTED,
             "groups of this regular expression are ambiguous: lookahead behind alternatives is "
             "not supported");
    read_spans(regex);
done:
    return st;
}

Status regex_search(Ctx *ctx, Regex *regex, Str text, size_t start, const RegexSpan **out)
{
    Status st = OK;
    bool found;

    *out = NULL;
    TRY(match(ctx, regex, text, start, 0, &found));
    if (!found)
        goto done;
    read_spans(regex);
    if (regex->check_end && text.len)
        TRY(settle_end(ctx, regex, text));
    *out = regex->spans;
done:
    return st;
}
