// SPDX-License-Identifier: Apache-2.0
//
// Functions on text and bytea. Text is UTF-8: positions and lengths count characters; case mapping
// follows the C collation (ASCII only). Results share the argument's bytes where they are a part of
// it. See kernel.h.
#include "func/func_int.h"

/* A string result in PostgreSQL's limit. */
#define TEXT_BYTES_MAX ((size_t)0x3fffffff)

static char *result_bytes(FuncCall *call, size_t bytes, Status *st)
{
    void *out = NULL;

    if (bytes > TEXT_BYTES_MAX) {
        *st = error_raise(call->ctx, E_PROGRAM_LIMIT_EXCEEDED, "requested length too large");
        return NULL;
    }
    *st = scope_alloc_data(call->ctx, call->scope, bytes, &out);
    return out;
}

#define RESULT_BYTES(name, count)                             \
    Status name##_status;                                     \
    char *name = result_bytes(call, (count), &name##_status); \
    if (UNLIKELY(name == NULL))                               \
    return name##_status

static void set_string(Vector *out, uint32_t row, const char *bytes, size_t count)
{
    vector_flat(out, StrView)[row] = strview_make(bytes, count);
}

static bool is_ascii(Str text)
{
    unsigned char all = 0;

    for (size_t i = 0; i < text.len; i++)
        all |= (unsigned char)text.ptr[i];
    return all < 0x80;
}

/* Byte offset of character `index` (from 0), the length if there are fewer. */
static size_t char_offset(Str text, int64_t index)
{
    if (index <= 0)
        return 0;
    if (is_ascii(text))
        return MIN((size_t)index, text.len);
    size_t at = 0;
    while (at < text.len) {
        at++;
        while (at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80)
            at++;
        if (--index == 0)
            break;
    }
    return at;
}

static int32_t length_of(Str text)
{
    return (int32_t)str_utf8_length(text);
}

KERNEL_ROWS(func_length, KERNEL_RESULT(int32_t) = length_of(KERNEL_STR(0));)
KERNEL_ROWS(func_octet_length, KERNEL_RESULT(int32_t) = (int32_t)KERNEL_STR(0).len;)
KERNEL_ROWS(func_bit_length, KERNEL_RESULT(int32_t) = (int32_t)KERNEL_STR(0).len * 8;)

/* char(n) is held without its blanks, but they count here. */
KERNEL_ROWS(func_bpchar_octet_length, {
    Str text = KERNEL_STR(0);
    int32_t blanks = args[0]->type.typmod < 0 ? 0 : args[0]->type.typmod - 4 - length_of(text);
    KERNEL_RESULT(int32_t) = (int32_t)text.len + MAX(blanks, 0);
})

#define CASE_KERNEL(name, first, last, offset)                             \
    KERNEL_ROWS(name, {                                                    \
        Str text = KERNEL_STR(0);                                          \
        RESULT_BYTES(bytes, text.len);                                     \
        for (size_t k = 0; k < text.len; k++) {                            \
            char c = text.ptr[k];                                          \
            bytes[k] = (char)(c >= first && c <= last ? c + (offset) : c); \
        }                                                                  \
        set_string(out, i, bytes, text.len);                               \
    })

CASE_KERNEL(func_lower, 'A', 'Z', 32)
CASE_KERNEL(func_upper, 'a', 'z', -32)

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

KERNEL_ROWS(func_initcap, {
    Str text = KERNEL_STR(0);
    bool in_word = false;
    RESULT_BYTES(bytes, text.len);
    for (size_t k = 0; k < text.len; k++) {
        char c = text.ptr[k];
        if (in_word && c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        else if (!in_word && c >= 'a' && c <= 'z')
            c = (char)(c - 32);
        bytes[k] = c;
        in_word = is_alnum(c);
    }
    set_string(out, i, bytes, text.len);
})

KERNEL_ROWS(func_textcat, {
    Str a = KERNEL_STR(0);
    Str b = KERNEL_STR(1);
    RESULT_BYTES(bytes, a.len + b.len);
    if (a.len)
        memcpy(bytes, a.ptr, a.len);
    if (b.len)
        memcpy(bytes + a.len, b.ptr, b.len);
    set_string(out, i, bytes, a.len + b.len);
})

/* Characters [start, start + length) with SQL's counting from 1; length < 0: to the end. */
static Str substring(Str text, int64_t start, int64_t end)
{
    size_t first = char_offset(text, start - 1);
    Str rest = {text.ptr + first, text.len - first};

    if (end < 0)
        return rest;
    rest.len = char_offset(rest, MAX(end - MAX(start, 1), 0));
    if (end <= MAX(start, 1))
        rest.len = 0;
    return rest;
}

static Str subbytes(Str text, int64_t start, int64_t end)
{
    size_t first = (size_t)MIN(MAX(start - 1, 0), (int64_t)text.len);
    size_t last = end < 0 ? text.len : (size_t)MIN(MAX(end - 1, 0), (int64_t)text.len);

    return (Str){text.ptr + first, last > first ? last - first : 0};
}

#define SUBSTRING3(name, cut)                                            \
    KERNEL_ROWS(name, {                                                  \
        int64_t start = KERNEL_ARG(int32_t, 1);                          \
        int64_t length = KERNEL_ARG(int32_t, 2);                         \
        if (length < 0)                                                  \
            return error_raise(call->ctx, E_SUBSTRING_ERROR,             \
                               "negative substring length not allowed"); \
        Str part = cut(KERNEL_STR(0), start, MAX(start + length, 0));    \
        set_string(out, i, part.ptr, part.len);                          \
    })
#define SUBSTRING2(name, cut)                                      \
    KERNEL_ROWS(name, {                                            \
        Str part = cut(KERNEL_STR(0), KERNEL_ARG(int32_t, 1), -1); \
        set_string(out, i, part.ptr, part.len);                    \
    })

SUBSTRING3(func_substr3, substring)
SUBSTRING2(func_substr2, substring)
SUBSTRING3(func_bytea_substr3, subbytes)
SUBSTRING2(func_bytea_substr2, subbytes)

KERNEL_ROWS(func_left, {
    Str text = KERNEL_STR(0);
    int64_t n = KERNEL_ARG(int32_t, 1);
    if (n < 0)
        n = MAX(length_of(text) + n, 0);
    set_string(out, i, text.ptr, char_offset(text, n));
})

KERNEL_ROWS(func_right, {
    Str text = KERNEL_STR(0);
    int64_t n = KERNEL_ARG(int32_t, 1);
    size_t first = char_offset(text, n < 0 ? -n : length_of(text) - n);
    set_string(out, i, text.ptr + first, text.len - first);
})

/* Byte offset of `part` in `text`, -1 if it is not there. */
static int64_t find(Str text, Str part)
{
    if (part.len == 0)
        return 0;
    const char *at = part.len <= text.len ? memmem(text.ptr, text.len, part.ptr, part.len) : NULL;
    return at ? at - text.ptr : -1;
}

KERNEL_ROWS(func_position, {
    Str text = KERNEL_STR(0);
    int64_t at = find(text, KERNEL_STR(1));
    KERNEL_RESULT(int32_t) = at < 0 ? 0 : length_of((Str){text.ptr, (size_t)at}) + 1;
})

KERNEL_ROWS(func_bytea_position,
            KERNEL_RESULT(int32_t) = (int32_t)(find(KERNEL_STR(0), KERNEL_STR(1)) + 1);)

typedef struct Padding {
    Str fill;
    bool left;
} Padding;

/* lpad and rpad: filled to `length` characters, cut to it when longer. */
static Status pad(FuncCall *call, Str text, int64_t length, Padding padding, Vector *out,
                  uint32_t row)
{
    Str fill = padding.fill;
    bool left = padding.left;
    int64_t missing = length - length_of(text);
    size_t fill_bytes = 0;

    if (missing <= 0 || fill.len == 0) {
        set_string(out, row, text.ptr, char_offset(text, MAX(length, 0)));
        return OK;
    }
    int64_t whole = missing / length_of(fill);
    size_t part = char_offset(fill, missing % length_of(fill));
    if ((uint64_t)whole > TEXT_BYTES_MAX / fill.len)
        return error_raise(call->ctx, E_PROGRAM_LIMIT_EXCEEDED, "requested length too large");
    fill_bytes = (size_t)whole * fill.len + part;
    RESULT_BYTES(bytes, fill_bytes + text.len);
    char *at = left ? bytes : bytes + text.len;
    if (text.len)
        memcpy(left ? bytes + fill_bytes : bytes, text.ptr, text.len);
    for (int64_t k = 0; k < whole; k++, at += fill.len)
        memcpy(at, fill.ptr, fill.len);
    memcpy(at, fill.ptr, part);
    set_string(out, row, bytes, fill_bytes + text.len);
    return OK;
}

#define PAD_KERNEL(name, to_left)                                                           \
    KERNEL_ROWS(name, {                                                                     \
        Padding padding = {call->func->args_count > 2 ? KERNEL_STR(2) : STR(" "), to_left}; \
        Status st = pad(call, KERNEL_STR(0), KERNEL_ARG(int32_t, 1), padding, out, i);      \
        if (st != OK)                                                                       \
            return st;                                                                      \
    })

PAD_KERNEL(func_lpad, true)
PAD_KERNEL(func_rpad, false)

/* Bytes of the character at p. */
static size_t char_bytes(const char *p, size_t left)
{
    size_t n = 1;

    while (n < left && ((unsigned char)p[n] & 0xC0) == 0x80)
        n++;
    return n;
}

static bool in_set(Str set, const char *p, size_t bytes)
{
    for (size_t at = 0; at < set.len;) {
        size_t n = char_bytes(set.ptr + at, set.len - at);
        if (n == bytes && memcmp(set.ptr + at, p, n) == 0)
            return true;
        at += n;
    }
    return false;
}

static Str trim(Str text, Str set, bool left, bool right)
{
    while (left && text.len) {
        size_t n = char_bytes(text.ptr, text.len);
        if (!in_set(set, text.ptr, n))
            break;
        text = (Str){text.ptr + n, text.len - n};
    }
    while (right && text.len) {
        size_t start = text.len - 1;
        while (start && ((unsigned char)text.ptr[start] & 0xC0) == 0x80)
            start--;
        if (!in_set(set, text.ptr + start, text.len - start))
            break;
        text.len = start;
    }
    return text;
}

#define TRIM_KERNEL(name, left, right)                                   \
    KERNEL_ROWS(name, {                                                  \
        Str set = call->func->args_count > 1 ? KERNEL_STR(1) : STR(" "); \
        Str text = trim(KERNEL_STR(0), set, left, right);                \
        set_string(out, i, text.ptr, text.len);                          \
    })

TRIM_KERNEL(func_ltrim, true, false)
TRIM_KERNEL(func_rtrim, false, true)
TRIM_KERNEL(func_btrim, true, true)

KERNEL_ROWS(func_repeat, {
    Str text = KERNEL_STR(0);
    size_t times = (size_t)MAX(KERNEL_ARG(int32_t, 1), 0);
    RESULT_BYTES(bytes, text.len * times);
    for (size_t k = 0; k < times && text.len; k++)
        memcpy(bytes + k * text.len, text.ptr, text.len);
    set_string(out, i, bytes, text.len * times);
})

KERNEL_ROWS(func_replace, {
    Str text = KERNEL_STR(0);
    Str from = KERNEL_STR(1);
    Str to = KERNEL_STR(2);
    size_t found = 0;
    int64_t at;
    for (Str rest = text; from.len && (at = find(rest, from)) >= 0; found++)
        rest = (Str){rest.ptr + at + from.len, rest.len - (size_t)at - from.len};
    if (found == 0) {
        set_string(out, i, text.ptr, text.len);
        continue;
    }
    size_t length = text.len - found * from.len + found * to.len;
    RESULT_BYTES(bytes, length);
    char *p = bytes;
    for (Str rest = text; rest.len || p == bytes;) {
        at = find(rest, from);
        size_t kept = at < 0 ? rest.len : (size_t)at;
        memcpy(p, rest.ptr, kept);
        p += kept;
        if (at < 0)
            break;
        if (to.len)
            memcpy(p, to.ptr, to.len);
        p += to.len;
        rest = (Str){rest.ptr + at + from.len, rest.len - (size_t)at - from.len};
    }
    set_string(out, i, bytes, length);
})

KERNEL_ROWS(func_reverse, {
    Str text = KERNEL_STR(0);
    RESULT_BYTES(bytes, text.len);
    for (size_t at = 0; at < text.len;) {
        size_t n = char_bytes(text.ptr + at, text.len - at);
        memcpy(bytes + text.len - at - n, text.ptr + at, n);
        at += n;
    }
    set_string(out, i, bytes, text.len);
})

/* Field `n` (from 1) of text cut at `by`; empty if there is none. */
static Str field_at(Str text, Str by, int64_t n)
{
    while (n > 1) {
        int64_t at = by.len ? find(text, by) : -1;
        if (at < 0)
            return STR("");
        text = (Str){text.ptr + at + by.len, text.len - (size_t)at - by.len};
        n--;
    }
    int64_t end = by.len ? find(text, by) : -1;
    return (Str){text.ptr, end < 0 ? text.len : (size_t)end};
}

static int64_t count_fields(Str text, Str by)
{
    int64_t count = 1;
    int64_t at;

    while (by.len && (at = find(text, by)) >= 0) {
        text = (Str){text.ptr + at + by.len, text.len - (size_t)at - by.len};
        count++;
    }
    return count;
}

KERNEL_ROWS(func_split_part, {
    Str text = KERNEL_STR(0);
    Str by = KERNEL_STR(1);
    int64_t n = KERNEL_ARG(int32_t, 2);
    if (n == 0)
        return error_raise(call->ctx, E_INVALID_PARAMETER_VALUE, "field position must not be zero");
    if (n < 0)
        n = count_fields(text, by) + 1 + n;
    Str field = n < 1 || text.len == 0 ? STR("") : field_at(text, by, n);
    set_string(out, i, field.ptr, field.len);
})

/* The character of `to` that stands where the character stands in `from`; ptr NULL: removed. */
static Str translate_char(Str from, Str to, Str c, bool *found)
{
    int64_t index = 0;

    *found = false;
    for (size_t at = 0; at < from.len; index++) {
        size_t n = char_bytes(from.ptr + at, from.len - at);
        if (n == c.len && memcmp(from.ptr + at, c.ptr, n) == 0) {
            *found = true;
            size_t start = char_offset(to, index);
            if (start >= to.len)
                return (Str){0};
            return (Str){to.ptr + start, char_bytes(to.ptr + start, to.len - start)};
        }
        at += n;
    }
    return c;
}

KERNEL_ROWS(func_translate, {
    Str text = KERNEL_STR(0);
    size_t length = 0;
    RESULT_BYTES(bytes, text.len * 4);
    for (size_t at = 0; at < text.len;) {
        bool found;
        Str c = {text.ptr + at, char_bytes(text.ptr + at, text.len - at)};
        at += c.len;
        Str mapped = translate_char(KERNEL_STR(1), KERNEL_STR(2), c, &found);
        if (mapped.len)
            memcpy(bytes + length, mapped.ptr, mapped.len);
        length += mapped.len;
    }
    set_string(out, i, bytes, length);
})

static int32_t first_code_point(Str text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;

    if (text.len == 0)
        return 0;
    size_t n = char_bytes(text.ptr, text.len);
    int32_t code = n == 1 ? p[0] : n == 2 ? p[0] & 0x1F : n == 3 ? p[0] & 0x0F : p[0] & 0x07;
    for (size_t k = 1; k < n; k++)
        code = code << 6 | (p[k] & 0x3F);
    return code;
}

KERNEL_ROWS(func_ascii, KERNEL_RESULT(int32_t) = first_code_point(KERNEL_STR(0));)

static size_t put_code_point(int32_t code, char bytes[4])
{
    if (code < 0x80) {
        bytes[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t k = n - 1; k > 0; k--, code >>= 6)
        bytes[k] = (char)(0x80 | (code & 0x3F));
    bytes[0] = (char)((0xF00 >> n) | code);
    return n;
}

KERNEL_ROWS(func_chr, {
    int32_t code = KERNEL_ARG(int32_t, 0);
    char bytes[4];
    if (code == 0)
        return error_raise(call->ctx, E_PROGRAM_LIMIT_EXCEEDED, "null character not permitted");
    if (code < 0)
        return error_raise(call->ctx, E_INVALID_PARAMETER_VALUE,
                           "character number must be positive");
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return error_raise(call->ctx, E_PROGRAM_LIMIT_EXCEEDED,
                           "requested character not valid for encoding: %d", code);
    set_string(out, i, bytes, put_code_point(code, bytes));
})

KERNEL_ROWS(func_starts_with, {
    Str text = KERNEL_STR(0);
    Str start = KERNEL_STR(1);
    KERNEL_RESULT(uint8_t) = text.len >= start.len && str_equal((Str){text.ptr, start.len}, start);
})

static void put_hex(FuncCall *call, uint64_t value, Vector *out, uint32_t row)
{
    static const char digits[] = "0123456789abcdef";
    char *bytes = scope_alloc(call->scope, 16);
    size_t at = 16;

    do {
        bytes[--at] = digits[value & 15];
        value >>= 4;
    } while (value);
    set_string(out, row, bytes + at, 16 - at);
}

KERNEL_ROWS(func_to_hex4, put_hex(call, (uint32_t)KERNEL_ARG(int32_t, 0), out, i);)
KERNEL_ROWS(func_to_hex8, put_hex(call, (uint64_t)KERNEL_ARG(int64_t, 0), out, i);)

KERNEL_ROWS(func_overlay, {
    Str text = KERNEL_STR(0);
    Str by = KERNEL_STR(1);
    int64_t start = KERNEL_ARG(int32_t, 2);
    int64_t length = call->func->args_count > 3 ? KERNEL_ARG(int32_t, 3) : length_of(by);
    if (start <= 0)
        return error_raise(call->ctx, E_SUBSTRING_ERROR, "negative substring length not allowed");
    size_t head = char_offset(text, start - 1);
    size_t tail = MIN(char_offset(text, start - 1 + length), text.len);
    RESULT_BYTES(bytes, head + by.len + text.len - tail);
    memcpy(bytes, text.ptr, head);
    if (by.len)
        memcpy(bytes + head, by.ptr, by.len);
    memcpy(bytes + head + by.len, text.ptr + tail, text.len - tail);
    set_string(out, i, bytes, head + by.len + text.len - tail);
})
