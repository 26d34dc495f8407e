// SPDX-License-Identifier: Apache-2.0
//
// LIKE and ILIKE. A constant pattern is looked at once: most are a literal with % at one or both
// ends, or literals with % between (a chain of memmem searches); the rest goes through a matcher
// that backtracks to the last % only, O(text x pattern) at worst. ILIKE folds ASCII (C collation).
#include "func/func_int.h"

typedef enum LikeShape { LIKE_CHAIN, LIKE_GENERAL } LikeShape;

/* A chain: pieces[0] anchored at the start unless open_start, the last at the end unless open_end.
 */
typedef struct LikePattern {
    LikeShape shape;
    Str pattern; /* lower case for ILIKE */
    Str *pieces;
    uint32_t pieces_count;
    bool open_start;
    bool open_end;
} LikePattern;

static Str fold(Scope *scope, Str text)
{
    char *bytes = scope_alloc(scope, text.len + 1);

    for (size_t i = 0; i < text.len; i++)
        bytes[i] =
            (char)(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? text.ptr[i] + 32 : text.ptr[i]);
    return (Str){bytes, text.len};
}

static LikePattern *compile(Scope *scope, Str pattern)
{
    LikePattern *like = scope_new(scope, LikePattern);
    size_t start = 0;

    like->pattern = str_copy(scope, pattern);
    pattern = like->pattern;
    like->shape = LIKE_GENERAL;
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.ptr[i] == '_' || pattern.ptr[i] == '\\')
            return like;
    }
    like->shape = LIKE_CHAIN;
    like->pieces = scope_new_array(scope, Str, pattern.len + 1);
    like->open_start = pattern.len && pattern.ptr[0] == '%';
    like->open_end = pattern.len && pattern.ptr[pattern.len - 1] == '%';
    for (size_t i = 0; i <= pattern.len; i++) {
        if (i < pattern.len && pattern.ptr[i] != '%')
            continue;
        if (i > start)
            like->pieces[like->pieces_count++] = (Str){pattern.ptr + start, i - start};
        start = i + 1;
    }
    return like;
}

static bool chain_matches(const LikePattern *like, Str text)
{
    uint32_t first = 0;
    uint32_t last = like->pieces_count;

    if (last == 0)
        return like->open_start || text.len == 0;
    if (!like->open_start) {
        Str head = like->pieces[first++];
        if (text.len < head.len || memcmp(text.ptr, head.ptr, head.len) != 0)
            return false;
        text = (Str){text.ptr + head.len, text.len - head.len};
        if (first == last)
            return like->open_end || text.len == 0;
    }
    if (!like->open_end) {
        Str tail = like->pieces[--last];
        if (text.len < tail.len || memcmp(text.ptr + text.len - tail.len, tail.ptr, tail.len) != 0)
            return false;
        text.len -= tail.len;
    }
    for (; first < last; first++) {
        Str piece = like->pieces[first];
        const char *at =
            piece.len <= text.len ? memmem(text.ptr, text.len, piece.ptr, piece.len) : NULL;
        if (at == NULL)
            return false;
        size_t used = (size_t)(at - text.ptr) + piece.len;
        text = (Str){text.ptr + used, text.len - used};
    }
    return true;
}

static size_t step(Str text, size_t at)
{
    at++;
    while (at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80)
        at++;
    return at;
}

/* Greedy with one point to return to: the last % and where its text began. */
static Status general_matches(Ctx *ctx, Str text, Str pattern, bool *out)
{
    size_t t = 0;
    size_t p = 0;
    size_t retry_t = 0;
    size_t retry_p = SIZE_MAX;

    *out = false;
    for (;;) {
        if (p < pattern.len && pattern.ptr[p] == '%') {
            retry_p = ++p;
            retry_t = t;
            continue;
        }
        bool escaped = p < pattern.len && pattern.ptr[p] == '\\';
        if (escaped && p + 1 == pattern.len)
            return error_raise(ctx, E_INVALID_ESCAPE_SEQUENCE,
                               "LIKE pattern must not end with escape character");
        if (p == pattern.len && t == text.len) {
            *out = true;
            return OK;
        }
        if (p < pattern.len && t < text.len) {
            if (!escaped && pattern.ptr[p] == '_') {
                t = step(text, t);
                p++;
                continue;
            }
            if (pattern.ptr[p + escaped] == text.ptr[t]) {
                t++;
                p += 1 + escaped;
                continue;
            }
        }
        if (retry_p == SIZE_MAX || retry_t >= text.len)
            return OK;
        retry_t = step(text, retry_t);
        t = retry_t;
        p = retry_p;
    }
}

static Status match(FuncCall *call, const LikePattern *like, Str text, bool *out)
{
    if (like->shape == LIKE_CHAIN) {
        *out = chain_matches(like, text);
        return OK;
    }
    return general_matches(call->ctx, text, like->pattern, out);
}

/* char(n) is held without its blanks, but a pattern sees them. */
static Str padded(Scope *scope, Str text, int32_t typmod)
{
    size_t length = str_utf8_length(text);
    size_t wanted = typmod < 4 ? 0 : (size_t)typmod - 4;

    if (length >= wanted)
        return text;
    char *bytes = scope_alloc(scope, text.len + wanted - length);
    if (text.len)
        memcpy(bytes, text.ptr, text.len);
    memset(bytes + text.len, ' ', wanted - length);
    return (Str){bytes, text.len + wanted - length};
}

static Status like_rows(FuncCall *call, const Vector *const *args, uint32_t rows, Vector *out,
                        bool nocase, bool negated)
{
    Status st = OK;
    bool constant = args[1]->form == VECTOR_CONST && !vector_is_null(args[1], 0);
    const LikePattern *like = call->state;

    for (uint32_t i = 0; i < rows; i++) {
        bool matches;
        if (!kernel_row_valid(out, i))
            continue;
        Str text = KERNEL_STR(0);
        Str pattern = KERNEL_STR(1);
        if (args[0]->type.oid == OID_BPCHAR)
            text = padded(call->scope, text, args[0]->type.typmod);
        if (nocase) {
            text = fold(call->scope, text);
            pattern = fold(call->scope, pattern);
        }
        if (like == NULL || !str_equal(like->pattern, pattern)) {
            like =
                compile(constant && call->state_scope ? call->state_scope : call->scope, pattern);
            call->state = constant && call->state_scope ? (void *)like : NULL;
        }
        TRY(match(call, like, text, &matches));
        KERNEL_RESULT(uint8_t) = matches != negated;
    }
done:
    return st;
}

Status func_like(KERNEL_PARAMS)
{
    return like_rows(call, args, rows, out, false, false);
}

Status func_not_like(KERNEL_PARAMS)
{
    return like_rows(call, args, rows, out, false, true);
}

Status func_ilike(KERNEL_PARAMS)
{
    return like_rows(call, args, rows, out, true, false);
}

Status func_not_ilike(KERNEL_PARAMS)
{
    return like_rows(call, args, rows, out, true, true);
}

/* Rewrites a pattern from its own escape character to the backslash (empty: no escape). */
KERNEL_ROWS(func_like_escape, {
    Str pattern = KERNEL_STR(0);
    Str escape = KERNEL_STR(1);
    if (str_utf8_length(escape) > 1) {
        error_raise(call->ctx, E_INVALID_ESCAPE_SEQUENCE, "invalid escape string");
        error_hint(call->ctx, "Escape string must be empty or one character.");
        return E_INVALID_ESCAPE_SEQUENCE;
    }
    char *bytes = scope_alloc(call->scope, pattern.len * 2 + 1);
    size_t length = 0;
    for (size_t k = 0; k < pattern.len; k++) {
        bool is_escape = escape.len && pattern.len - k >= escape.len &&
                         memcmp(pattern.ptr + k, escape.ptr, escape.len) == 0;
        if (is_escape) {
            bytes[length++] = '\\';
            k += escape.len;
            if (k < pattern.len)
                bytes[length++] = pattern.ptr[k];
            continue;
        }
        if (pattern.ptr[k] == '\\')
            bytes[length++] = '\\';
        bytes[length++] = pattern.ptr[k];
    }
    vector_flat(out, StrView)[i] = strview_make(bytes, length);
})
