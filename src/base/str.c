// SPDX-License-Identifier: Apache-2.0
//
// Slices and growing buffers: see str.h. A buffer doubles, so appending is O(1) amortised.
// The contract, and which thread may call, stands in the header.
#include "base/str.h"

#include "base/memory.h"

#include <stdio.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_equal_nocase(Str a, Str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    }
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

Str str_trim(Str text)
{
    while (text.len && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

char *str_to_c(Scope *scope, Str text)
{
    return scope_strndup(scope, text.ptr ? text.ptr : "", text.len);
}

Str str_copy(Scope *scope, Str text)
{
    return (Str){str_to_c(scope, text), text.len};
}

/* Bytes of the character at p (at most `left`), 0 if malformed: overlong forms, surrogates and
   values above U+10FFFF are (Unicode 15, table 3-7). */
static size_t utf8_char(const unsigned char *p, size_t left)
{
    unsigned char lead = p[0];
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    size_t bytes;

    if (lead < 0x80)
        return lead != 0;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    if (left < bytes || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < bytes; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    }
    return bytes;
}

bool str_utf8_valid(Str text, size_t *bad_at)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    size_t i = 0;

    while (i < text.len) {
        uint64_t word;
        if (text.len - i >= sizeof word) {
            memcpy(&word, bytes + i, sizeof word);
            bool ascii = (word & 0x8080808080808080ULL) == 0;
            bool zero = ((word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL) != 0;
            if (ascii && !zero) {
                i += sizeof word;
                continue;
            }
        }
        size_t step = utf8_char(bytes + i, text.len - i);
        if (step == 0) {
            if (bad_at)
                *bad_at = i;
            return false;
        }
        i += step;
    }
    return true;
}

size_t str_utf8_length(Str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return count;
}

void strbuf_init(StrBuf *buf)
{
    *buf = (StrBuf){0};
}

static void free_buffer(void *arg)
{
    strbuf_free(arg);
}

void strbuf_init_in(StrBuf *buf, Scope *scope)
{
    strbuf_init(buf);
    scope_defer(scope, free_buffer, buf);
}

void strbuf_free(StrBuf *buf)
{
    mem_free(buf->ptr);
    *buf = (StrBuf){0};
}

char *strbuf_reserve(StrBuf *buf, size_t bytes)
{
    if (buf->cap - buf->len < bytes) {
        size_t cap = MAX(buf->cap * 2, buf->len + bytes);
        buf->cap = MAX(cap, 64);
        buf->ptr = mem_realloc(buf->ptr, buf->cap);
    }
    return buf->ptr + buf->len;
}

void strbuf_append(StrBuf *buf, const void *bytes, size_t count)
{
    if (count == 0)
        return;
    memcpy(strbuf_reserve(buf, count), bytes, count);
    buf->len += count;
}

void strbuf_append_str(StrBuf *buf, Str text)
{
    strbuf_append(buf, text.ptr, text.len);
}

void strbuf_append_c(StrBuf *buf, const char *text)
{
    strbuf_append(buf, text, strlen(text));
}

void strbuf_append_char(StrBuf *buf, char c)
{
    *strbuf_reserve(buf, 1) = c;
    buf->len++;
}

void strbuf_printf(StrBuf *buf, const char *format, ...)
{
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    ASSERT(length >= 0);
    vsnprintf(strbuf_reserve(buf, (size_t)length + 1), (size_t)length + 1, format, args);
    buf->len += (size_t)length;
    va_end(args);
}

const char *strbuf_c(StrBuf *buf)
{
    *strbuf_reserve(buf, 1) = '\0';
    return buf->ptr;
}
