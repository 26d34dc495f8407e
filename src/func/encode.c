// SPDX-License-Identifier: Apache-2.0
//
// Bytes: encode and decode, digests, bits, conversion between encodings (UTF-8 is the only one),
// unistr, random UUIDs. See kernel.h.
#include "func/rows.h"
#include "os/crypto.h"
#include "os/random.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Bytes of the character at the start, for messages. */
static int char_bytes(Str text)
{
    size_t n = 1;

    while (n < text.len && ((unsigned char)text.ptr[n] & 0xC0) == 0x80)
        n++;
    return (int)n;
}

/* --- hex --- */

static void encode_hex(StrBuf *buf, Str bytes)
{
    char *at = strbuf_reserve(buf, bytes.len * 2);

    for (size_t i = 0; i < bytes.len; i++) {
        *at++ = hex_digits[(unsigned char)bytes.ptr[i] >> 4];
        *at++ = hex_digits[bytes.ptr[i] & 15];
    }
    buf->len += bytes.len * 2;
}

static Status hex_digit(Ctx *ctx, Str text, size_t at, int *out)
{
    Str rest = {text.ptr + at, text.len - at};

    *out = hex_value(text.ptr[at]);
    if (*out >= 0)
        return OK;
    return error_raise(ctx, E_INVALID_PARAMETER_VALUE, "invalid hexadecimal digit: \"%.*s\"",
                       char_bytes(rest), rest.ptr);
}

static Status decode_hex(Ctx *ctx, StrBuf *buf, Str text)
{
    Status st = OK;
    int high, low;

    for (size_t i = 0; i < text.len; i++) {
        if (is_space(text.ptr[i]))
            continue;
        TRY(hex_digit(ctx, text, i, &high));
        if (++i >= text.len)
            FAIL(ctx, E_INVALID_PARAMETER_VALUE, "invalid hexadecimal data: odd number of digits");
        TRY(hex_digit(ctx, text, i, &low));
        strbuf_append_char(buf, (char)(high << 4 | low));
    }
done:
    return st;
}

/* --- base64: lines of 76 characters, as RFC 2045 wants them --- */

static void encode_base64(StrBuf *buf, Str bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    size_t line = 0;

    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                         (left > 2 ? p[i + 2] : 0);
        strbuf_append_char(buf, base64_digits[group >> 18]);
        strbuf_append_char(buf, base64_digits[group >> 12 & 63]);
        strbuf_append_char(buf, left > 1 ? base64_digits[group >> 6 & 63] : '=');
        strbuf_append_char(buf, left > 2 ? base64_digits[group & 63] : '=');
        line += 4;
        if (line == 76 && left > 3) {
            strbuf_append_char(buf, '\n');
            line = 0;
        }
    }
}

static int base64_value(char c)
{
    const char *at = c ? strchr(base64_digits, c) : NULL;
    return at ? (int)(at - base64_digits) : -1;
}

static Status decode_base64(Ctx *ctx, StrBuf *buf, Str text)
{
    Status st = OK;
    uint32_t group = 0;
    int position = 0;
    int end = 0; /* padding seen: how many bytes the last group has */

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int value = 0;
        if (is_space(c))
            continue;
        if (c == '=') {
            if (end == 0) {
                if (position < 2)
                    FAIL(ctx, E_INVALID_PARAMETER_VALUE,
                         "unexpected \"=\" while decoding base64 sequence");
                end = position == 2 ? 1 : 2;
            }
        } else {
            value = base64_value(c);
            Str rest = {text.ptr + i, text.len - i};
            if (value < 0)
                FAIL(ctx, E_INVALID_PARAMETER_VALUE,
                     "invalid symbol \"%.*s\" found while decoding base64 sequence",
                     char_bytes(rest), rest.ptr);
        }
        group = group << 6 | (uint32_t)value;
        if (++position < 4)
            continue;
        strbuf_append_char(buf, (char)(group >> 16));
        if (end == 0 || end > 1)
            strbuf_append_char(buf, (char)(group >> 8));
        if (end == 0 || end > 2)
            strbuf_append_char(buf, (char)group);
        position = 0;
        group = 0;
    }
    if (position != 0) {
        st = error_raise(ctx, E_INVALID_PARAMETER_VALUE, "invalid base64 end sequence");
        error_hint(ctx, "Input data is missing padding, is truncated, or is otherwise corrupted.");
    }
done:
    return st;
}

/* --- escape --- */

static void encode_escape(StrBuf *buf, Str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        if (c == 0 || c >= 0x80)
            strbuf_printf(buf, "\\%03o", c);
        else if (c == '\\')
            strbuf_append_c(buf, "\\\\");
        else
            strbuf_append_char(buf, (char)c);
    }
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

static Status decode_escape(Ctx *ctx, StrBuf *buf, Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *p = text.ptr + i;
        size_t left = text.len - i;
        if (*p != '\\') {
            strbuf_append_char(buf, *p);
        } else if (left >= 4 && p[1] >= '0' && p[1] <= '3' && is_octal(p[2]) && is_octal(p[3])) {
            strbuf_append_char(buf, (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0')));
            i += 3;
        } else if (left >= 2 && p[1] == '\\') {
            strbuf_append_char(buf, '\\');
            i++;
        } else {
            return error_raise(ctx, E_INVALID_TEXT, "invalid input syntax for type %s", "bytea");
        }
    }
    return OK;
}

static Status unknown_encoding(Ctx *ctx, Str name)
{
    return error_raise(ctx, E_INVALID_PARAMETER_VALUE, "unrecognized encoding: \"%.*s\"",
                       (int)name.len, name.ptr);
}

KERNEL_TEXT_ROWS(func_encode, {
    Str name = KERNEL_STR(1);
    if (str_equal_nocase(name, STR("hex")))
        encode_hex(&buf, KERNEL_STR(0));
    else if (str_equal_nocase(name, STR("base64")))
        encode_base64(&buf, KERNEL_STR(0));
    else if (str_equal_nocase(name, STR("escape")))
        encode_escape(&buf, KERNEL_STR(0));
    else
        TRY(unknown_encoding(call->ctx, name));
})

KERNEL_TEXT_ROWS(func_decode, {
    Str name = KERNEL_STR(1);
    if (str_equal_nocase(name, STR("hex")))
        TRY(decode_hex(call->ctx, &buf, KERNEL_STR(0)));
    else if (str_equal_nocase(name, STR("base64")))
        TRY(decode_base64(call->ctx, &buf, KERNEL_STR(0)));
    else if (str_equal_nocase(name, STR("escape")))
        TRY(decode_escape(call->ctx, &buf, KERNEL_STR(0)));
    else
        TRY(unknown_encoding(call->ctx, name));
})

/* --- digests --- */

#define DIGEST_KERNEL(name, kind, shown_in_hex)                             \
    KERNEL_TEXT_ROWS(name, {                                                \
        uint8_t digest[DIGEST_BYTES_MAX];                                   \
        size_t bytes;                                                       \
        TRY(crypto_digest(call->ctx, kind, KERNEL_STR(0), digest, &bytes)); \
        if (shown_in_hex)                                                   \
            encode_hex(&buf, (Str){(const char *)digest, bytes});           \
        else                                                                \
            strbuf_append(&buf, digest, bytes);                             \
    })

DIGEST_KERNEL(func_md5, DIGEST_MD5, true)
DIGEST_KERNEL(func_sha224, DIGEST_SHA224, false)
DIGEST_KERNEL(func_sha256, DIGEST_SHA256, false)
DIGEST_KERNEL(func_sha384, DIGEST_SHA384, false)
DIGEST_KERNEL(func_sha512, DIGEST_SHA512, false)

/* --- bytes and bits --- */

static Status check_index(Ctx *ctx, int64_t index, int64_t count)
{
    if (index >= 0 && index < count)
        return OK;
    return error_raise(ctx, E_ARRAY_SUBSCRIPT, "index %lld out of valid range, 0..%lld",
                       (long long)index, (long long)(count - 1));
}

KERNEL_TRY_ROWS(func_get_byte, {
    Str bytes = KERNEL_STR(0);
    int64_t at = KERNEL_ARG(int32_t, 1);
    TRY(check_index(call->ctx, at, (int64_t)bytes.len));
    KERNEL_RESULT(int32_t) = (unsigned char)bytes.ptr[at];
})

KERNEL_TRY_ROWS(func_get_bit, {
    Str bytes = KERNEL_STR(0);
    int64_t at = KERNEL_ARG(int64_t, 1);
    TRY(check_index(call->ctx, at, (int64_t)bytes.len * 8));
    KERNEL_RESULT(int32_t) = bytes.ptr[at / 8] >> (at % 8) & 1;
})

KERNEL_TEXT_ROWS(func_set_byte, {
    int64_t at = KERNEL_ARG(int32_t, 1);
    strbuf_append_str(&buf, KERNEL_STR(0));
    TRY(check_index(call->ctx, at, (int64_t)buf.len));
    buf.ptr[at] = (char)KERNEL_ARG(int32_t, 2);
})

KERNEL_TEXT_ROWS(func_set_bit, {
    int64_t at = KERNEL_ARG(int64_t, 1);
    int32_t bit = KERNEL_ARG(int32_t, 2);
    strbuf_append_str(&buf, KERNEL_STR(0));
    TRY(check_index(call->ctx, at, (int64_t)buf.len * 8));
    if (bit != 0 && bit != 1)
        FAIL(call->ctx, E_INVALID_PARAMETER_VALUE, "new bit must be 0 or 1");
    buf.ptr[at / 8] = (char)((buf.ptr[at / 8] & ~(1 << (at % 8))) | bit << (at % 8));
})

KERNEL_TEXT_ROWS(func_bytea_overlay, {
    Str bytes = KERNEL_STR(0);
    Str by = KERNEL_STR(1);
    int64_t start = KERNEL_ARG(int32_t, 2);
    int64_t length = call->args_count > 3 ? KERNEL_ARG(int32_t, 3) : (int64_t)by.len;
    if (start <= 0)
        FAIL(call->ctx, E_SUBSTRING_ERROR, "negative substring length not allowed");
    size_t head = (size_t)MIN(start - 1, (int64_t)bytes.len);
    size_t tail = (size_t)MIN(MAX(start - 1 + length, 0), (int64_t)bytes.len);
    strbuf_append(&buf, bytes.ptr, head);
    strbuf_append_str(&buf, by);
    strbuf_append(&buf, bytes.ptr + tail, bytes.len - tail);
})

static Str trim_bytes(Str bytes, Str set, bool left, bool right)
{
    while (left && bytes.len && set.len && memchr(set.ptr, bytes.ptr[0], set.len))
        bytes = (Str){bytes.ptr + 1, bytes.len - 1};
    while (right && bytes.len && set.len && memchr(set.ptr, bytes.ptr[bytes.len - 1], set.len))
        bytes.len--;
    return bytes;
}

#define TRIM_BYTES(name, left, right) \
    KERNEL_ROWS(name,                 \
                kernel_share_text(out, i, trim_bytes(KERNEL_STR(0), KERNEL_STR(1), left, right));)

TRIM_BYTES(func_bytea_btrim, true, true)
TRIM_BYTES(func_bytea_ltrim, true, false)
TRIM_BYTES(func_bytea_rtrim, false, true)

static int64_t count_bits(Str bytes)
{
    int64_t count = 0;

    for (size_t i = 0; i < bytes.len; i++)
        count += __builtin_popcount((unsigned char)bytes.ptr[i]);
    return count;
}

KERNEL_ROWS(func_bit_count, KERNEL_RESULT(int64_t) = count_bits(KERNEL_STR(0));)

/* --- encodings --- */

static bool is_utf8(Str name)
{
    return str_equal_nocase(name, STR("UTF8")) || str_equal_nocase(name, STR("UTF-8")) ||
           str_equal_nocase(name, STR("UNICODE"));
}

static Status other_encoding(Ctx *ctx, Str name)
{
    Status st = error_raise(ctx, E_FEATURE_NOT_SUPPORTED, "encoding \"%.*s\" is not supported",
                            (int)name.len, name.ptr);
    error_hint(ctx, "Text is always UTF8.");
    return st;
}

KERNEL_TRY_ROWS(func_convert_from, {
    if (!is_utf8(KERNEL_STR(1)))
        TRY(other_encoding(call->ctx, KERNEL_STR(1)));
    TRY(type_check_utf8(call->ctx, KERNEL_STR(0)));
    KERNEL_RESULT(StrView) = KERNEL_ARG(StrView, 0);
})

KERNEL_TRY_ROWS(func_convert_to, {
    if (!is_utf8(KERNEL_STR(1)))
        TRY(other_encoding(call->ctx, KERNEL_STR(1)));
    KERNEL_RESULT(StrView) = KERNEL_ARG(StrView, 0);
})

KERNEL_ROWS(func_pg_client_encoding, kernel_share_text(out, i, STR("UTF8"));)

/* Numbers of PostgreSQL's pg_wchar.h: only the two that can be asked for here. */
KERNEL_ROWS(func_pg_encoding_to_char, {
    int32_t number = KERNEL_ARG(int32_t, 0);
    kernel_share_text(out, i, number == 6 ? STR("UTF8") : number == 0 ? STR("SQL_ASCII") : STR(""));
})

KERNEL_ROWS(func_pg_char_to_encoding, {
    Str name = KERNEL_STR(0);
    KERNEL_RESULT(int32_t) = is_utf8(name) ? 6 : str_equal_nocase(name, STR("SQL_ASCII")) ? 0 : -1;
})

KERNEL_TRY_ROWS(func_normalize,
                FAIL(call->ctx, E_FEATURE_NOT_SUPPORTED, "Unicode normalization is not supported");)

/* --- unistr --- */

static size_t put_code_point(uint32_t code, char bytes[4])
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

static Status invalid_escape(Ctx *ctx)
{
    Status st = error_raise(ctx, E_SYNTAX, "invalid Unicode escape");
    error_hint(ctx, "Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.");
    return st;
}

/* The escape at text.ptr[*at], a backslash that is not doubled; *at goes behind it. */
static Status read_escape(Ctx *ctx, Str text, size_t *at, uint32_t *out)
{
    size_t start = *at + 1;
    size_t digits = 4;
    char mark = start < text.len ? text.ptr[start] : '\0';

    if (mark == '+' || mark == 'u' || mark == 'U') {
        digits = mark == '+' ? 6 : mark == 'u' ? 4 : 8;
        start++;
    }
    if (text.len - MIN(start, text.len) < digits)
        return invalid_escape(ctx);
    *out = 0;
    for (size_t k = 0; k < digits; k++) {
        int value = hex_value(text.ptr[start + k]);
        if (value < 0)
            return invalid_escape(ctx);
        *out = *out << 4 | (uint32_t)value;
    }
    *at = start + digits;
    return OK;
}

static Status append_escape(Ctx *ctx, StrBuf *buf, uint32_t code, uint32_t *high)
{
    Status st = OK;
    char bytes[4];
    bool is_low = code >= 0xDC00 && code <= 0xDFFF;

    if ((*high != 0) != is_low)
        FAIL(ctx, E_SYNTAX, "invalid Unicode surrogate pair");
    if (code >= 0xD800 && code <= 0xDBFF) {
        *high = code;
        goto done;
    }
    if (is_low)
        code = 0x10000 + ((*high & 0x3FF) << 10) + (code & 0x3FF);
    *high = 0;
    if (code == 0 || code > 0x10FFFF)
        FAIL(ctx, E_SYNTAX, "invalid Unicode code point: %04X", code);
    strbuf_append(buf, bytes, put_code_point(code, bytes));
done:
    return st;
}

KERNEL_TEXT_ROWS(func_unistr, {
    Str text = KERNEL_STR(0);
    uint32_t high = 0;
    uint32_t code = 0;
    for (size_t at = 0; at < text.len;) {
        bool escape = text.ptr[at] == '\\';
        if (escape && !(at + 1 < text.len && text.ptr[at + 1] == '\\')) {
            TRY(read_escape(call->ctx, text, &at, &code));
            TRY(append_escape(call->ctx, &buf, code, &high));
            continue;
        }
        if (high)
            FAIL(call->ctx, E_SYNTAX, "invalid Unicode surrogate pair");
        strbuf_append_char(&buf, text.ptr[at]);
        at += escape ? 2 : 1;
    }
    if (high)
        FAIL(call->ctx, E_SYNTAX, "invalid Unicode surrogate pair");
})

/* --- UUIDs --- */

Status func_gen_random_uuid(KERNEL_PARAMS)
{
    Status st = OK;
    Uuid *values = out->values;

    TRY(random_entropy(call->ctx, values, rows * sizeof *values));
    for (uint32_t i = 0; i < rows; i++) {
        values[i].bytes[6] = (uint8_t)((values[i].bytes[6] & 0x0F) | 0x40); /* version 4 */
        values[i].bytes[8] = (uint8_t)((values[i].bytes[8] & 0x3F) | 0x80);
    }
done:
    return st;
}
