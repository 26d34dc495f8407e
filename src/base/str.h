// SPDX-License-Identifier: Apache-2.0
//
// Str: a slice of bytes (text is UTF-8, not terminated). StrBuf: a growing buffer of bytes.
// Slices own nothing. A StrBuf owns its bytes until strbuf_free, or until its scope ends when it
// was made by strbuf_init_in. Plain values; one thread a buffer at a time.
#ifndef DBASPOT_BASE_STR_H
#define DBASPOT_BASE_STR_H

#include "base/scope.h"

typedef struct Str {
    const char *ptr;
    size_t len;
} Str;

#define STR(literal) ((Str){"" literal, sizeof(literal) - 1})

static inline Str str_make(const char *ptr, size_t len)
{
    return (Str){ptr, len};
}

static inline Str str_from(const char *text)
{
    return (Str){text, text ? strlen(text) : 0};
}

static inline bool str_equal(Str a, Str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_is(Str a, const char *text)
{
    return str_equal(a, str_from(text));
}

/* memcmp order, a prefix sorts first: <0, 0, >0. */
static inline int str_compare(Str a, Str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* ASCII case is ignored. */
bool str_equal_nocase(Str a, Str b);
Str str_trim(Str text);
/* A terminated copy in `scope`; str_copy without the pointer's lifetime. */
char *str_to_c(Scope *scope, Str text);
Str str_copy(Scope *scope, Str text);
/* True if the bytes are well-formed UTF-8 without NUL; else *bad_at is the offset of the first bad
 * byte. */
bool str_utf8_valid(Str text, size_t *bad_at);
/* Number of characters of well-formed UTF-8. */
size_t str_utf8_length(Str text);

typedef struct StrBuf {
    char *ptr;
    size_t len;
    size_t cap;
} StrBuf;

void strbuf_init(StrBuf *buf);
/* Freed when the scope ends; `buf` itself must live as long as the scope. */
void strbuf_init_in(StrBuf *buf, Scope *scope);
void strbuf_free(StrBuf *buf);
/* Room for `bytes` more; returns where they go. Does not change len. */
char *strbuf_reserve(StrBuf *buf, size_t bytes);
void strbuf_append(StrBuf *buf, const void *bytes, size_t count);
void strbuf_append_str(StrBuf *buf, Str text);
void strbuf_append_c(StrBuf *buf, const char *text);
void strbuf_append_char(StrBuf *buf, char c);
void strbuf_printf(StrBuf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* Terminates (not counted in len) and returns the bytes. */
const char *strbuf_c(StrBuf *buf);

static inline void strbuf_clear(StrBuf *buf)
{
    buf->len = 0;
}

static inline Str strbuf_str(const StrBuf *buf)
{
    return (Str){buf->ptr, buf->len};
}

#endif
