// SPDX-License-Identifier: Apache-2.0
//
// Decimals to and from text. A text is scanned once into the places of its digits and its exponent;
// coefficients are then made at the scale that is wanted, with the short plain forms that tables
// are made of on a path of their own.
#include "types/float.h"
#include "types/numeric.h"

#define DIGITS_MAX NUMERIC_PRECISION_MAX

/* A scanned decimal: its digits are those of `whole` and then of `fraction`. */
typedef struct DecimalText {
    bool negative;
    Str whole;
    Str fraction;
    int64_t point; /* digits before the decimal point, the exponent included; may be negative */
} DecimalText;

static Status bad_syntax(Ctx *ctx, Str text)
{
    return error_raise(ctx, E_INVALID_TEXT, "invalid input syntax for type numeric: \"%.*s\"",
                       (int)text.len, text.ptr);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static Str take_digits(const char **at, const char *end)
{
    const char *start = *at;

    while (*at < end && is_digit(**at))
        (*at)++;
    return str_make(start, (size_t)(*at - start));
}

/* Reads e[+-]digits at *at, if it is there. Exponents beyond +-100000 are as good as that. */
static bool take_exponent(const char **at, const char *end, int64_t *out)
{
    const char *p = *at;
    bool negative = false;
    int64_t value = 0;

    *out = 0;
    if (p == end || (*p != 'e' && *p != 'E'))
        return true;
    p++;
    if (p < end && (*p == '+' || *p == '-'))
        negative = *p++ == '-';
    Str digits = take_digits(&p, end);
    if (digits.len == 0)
        return false;
    for (size_t i = 0; i < digits.len; i++)
        value = MIN(value * 10 + (digits.ptr[i] - '0'), 100000);
    *out = negative ? -value : value;
    *at = p;
    return true;
}

/* False if the (trimmed) text is not a decimal number. */
static bool scan(Str text, DecimalText *out)
{
    const char *p = text.ptr;
    const char *end = p + text.len;
    int64_t exponent;

    *out = (DecimalText){0};
    if (p < end && (*p == '+' || *p == '-'))
        out->negative = *p++ == '-';
    out->whole = take_digits(&p, end);
    if (p < end && *p == '.') {
        p++;
        out->fraction = take_digits(&p, end);
    }
    if (out->whole.len + out->fraction.len == 0 || !take_exponent(&p, end, &exponent))
        return false;
    while (out->whole.len && out->whole.ptr[0] == '0') {
        out->whole.ptr++;
        out->whole.len--;
    }
    out->point = (int64_t)out->whole.len + exponent;
    return p == end;
}

static int digit_at(const DecimalText *text, int64_t at)
{
    if (at < 0)
        return 0;
    if ((size_t)at < text->whole.len)
        return text->whole.ptr[at] - '0';
    at -= (int64_t)text->whole.len;
    return (size_t)at < text->fraction.len ? text->fraction.ptr[at] - '0' : 0;
}

/* The magnitude times 10^scale, half rounded up; false if it has more than 38 digits. */
static bool to_coefficient(const DecimalText *text, int scale, uint128_t *out)
{
    int64_t stop = text->point + scale;
    int64_t digits = (int64_t)(text->whole.len + text->fraction.len);
    int64_t at = 0;
    uint128_t value = 0;

    for (; at < MIN(stop, digits); at++) {
        if (value >= (uint128_t)int128_pow10[DIGITS_MAX - 1])
            return false;
        value = value * 10 + (unsigned)digit_at(text, at);
    }
    if (value != 0 && stop > at) {
        if (stop - at > DIGITS_MAX || int128_digits(value) + (stop - at) > DIGITS_MAX)
            return false;
        value *= (uint128_t)int128_pow10[stop - at];
    }
    value += digit_at(text, stop) >= 5;
    *out = value;
    return value < (uint128_t)int128_pow10[DIGITS_MAX];
}

static bool parse_special(Str text, Numeric *out)
{
    static const struct {
        const char *name;
        NumericKind kind;
    } names[] = {
        {"nan", NUMERIC_NAN},      {"infinity", NUMERIC_POS_INF},
        {"inf", NUMERIC_POS_INF},  {"+infinity", NUMERIC_POS_INF},
        {"+inf", NUMERIC_POS_INF}, {"-infinity", NUMERIC_NEG_INF},
        {"-inf", NUMERIC_NEG_INF},
    };

    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (str_equal_nocase(text, str_from(names[i].name))) {
            *out = numeric_special(names[i].kind);
            return true;
        }
    }
    return false;
}

Status numeric_parse(Ctx *ctx, Str text, Numeric *out)
{
    DecimalText decimal;
    Str trimmed = str_trim(text);
    uint128_t value = 0;

    if (!scan(trimmed, &decimal)) {
        if (parse_special(trimmed, out))
            return OK;
        return bad_syntax(ctx, text);
    }
    /* Zeros at the end that do not fit are not shown; digits that do not fit are an error. */
    int64_t last = (int64_t)(decimal.whole.len + decimal.fraction.len);
    int64_t scale = last - decimal.point;
    while (last > 0 && scale > 0 && digit_at(&decimal, last - 1) == 0 &&
           (scale > DIGITS_MAX || last > DIGITS_MAX)) {
        last--;
        scale--;
    }
    scale = MAX(scale, 0);
    if (last == 0)
        scale = MIN(scale, DIGITS_MAX);
    if (scale > DIGITS_MAX || !to_coefficient(&decimal, (int)scale, &value))
        return numeric_overflow(ctx);
    *out = (Numeric){.coefficient = decimal.negative ? -(int128_t)value : (int128_t)value,
                     .scale = (int32_t)scale};
    return OK;
}

/* [-]digits[.digits] of at most 18 digits with no more than `scale` behind the point. */
static bool parse_plain(Str text, int scale, int64_t *out)
{
    const char *p = text.ptr;
    const char *end = p + text.len;
    bool negative = false;
    uint64_t value = 0;

    if (text.len == 0 || text.len > 19)
        return false;
    if (*p == '-') {
        negative = true;
        p++;
    }
    const char *start = p;
    while (p < end && is_digit(*p))
        value = value * 10 + (uint64_t)(*p++ - '0');
    size_t digits = (size_t)(p - start);
    if (p < end && *p == '.') {
        start = ++p;
        while (p < end && is_digit(*p))
            value = value * 10 + (uint64_t)(*p++ - '0');
        size_t fraction = (size_t)(p - start);
        digits += fraction;
        scale -= (int)fraction;
    }
    if (p != end || digits == 0 || scale < 0 || digits + (size_t)scale > 18)
        return false;
    value *= (uint64_t)int128_pow10[scale];
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static Status to_scaled(Ctx *ctx, const DecimalText *text, SqlType type, int128_t *out)
{
    int scale = type_numeric_scale(type);
    uint128_t value;

    /* A number that is too long certainly overflows the field: 10^38 stands for it. */
    if (!to_coefficient(text, scale, &value))
        value = (uint128_t)int128_pow10[DIGITS_MAX];
    return scaled_rescale(ctx, text->negative ? -(int128_t)value : (int128_t)value, scale, type,
                          out);
}

Status numeric_parse_scaled(Ctx *ctx, Str text, SqlType type, int128_t *out)
{
    DecimalText decimal;
    int scale = type_numeric_scale(type);
    int64_t plain;
    Numeric special;

    if (LIKELY(parse_plain(text, scale, &plain))) {
        int128_t limit = int128_pow10[type_numeric_precision(type)];
        *out = plain;
        if (LIKELY(plain < limit && plain > -limit))
            return OK;
        return scaled_rescale(ctx, plain, scale, type, out);
    }
    Str trimmed = str_trim(text);
    if (!scan(trimmed, &decimal)) {
        if (parse_special(trimmed, &special))
            return numeric_to_scaled(ctx, &special, type, out);
        return bad_syntax(ctx, text);
    }
    return to_scaled(ctx, &decimal, type, out);
}

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

/* Writes backwards from `end`; returns the first character. */
static char *format_u64(char *end, uint64_t value)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, digit_pairs + value * 2, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

static char *format_u128(char *end, uint128_t value)
{
    const uint64_t chunk = 1000000000000000000ULL;

    while (value >> 64) {
        char *stop = end - 18;
        end = format_u64(end, (uint64_t)(value % chunk));
        while (end > stop)
            *--end = '0';
        value /= chunk;
    }
    return format_u64(end, (uint64_t)value);
}

size_t int64_format(char *out, int64_t value)
{
    char buffer[24];
    char *end = buffer + sizeof buffer;
    char *start = format_u64(end, value < 0 ? -(uint64_t)value : (uint64_t)value);

    if (value < 0)
        *--start = '-';
    memcpy(out, start, (size_t)(end - start));
    return (size_t)(end - start);
}

void int64_print(StrBuf *out, int64_t value)
{
    out->len += int64_format(strbuf_reserve(out, 24), value);
}

void scaled_print(StrBuf *out, int128_t value, int scale)
{
    char buffer[128];
    char *end = buffer + sizeof buffer;
    uint128_t size = value < 0 ? -(uint128_t)value : (uint128_t)value;

    for (int i = scale; i < 0 && value != 0; i++)
        *--end = '0';
    char *start = format_u128(end, size);
    end = buffer + sizeof buffer;
    if (scale > 0) {
        while (end - start <= scale)
            *--start = '0';
        size_t whole = (size_t)(end - start) - (size_t)scale;
        memmove(start - 1, start, whole);
        start--;
        start[whole] = '.';
    }
    if (value < 0)
        *--start = '-';
    strbuf_append(out, start, (size_t)(end - start));
}

void numeric_print(StrBuf *out, const Numeric *x)
{
    static const char *const names[] = {
        [NUMERIC_NAN] = "NaN", [NUMERIC_POS_INF] = "Infinity", [NUMERIC_NEG_INF] = "-Infinity"};

    if (numeric_is_special(x))
        strbuf_append_c(out, names[x->kind]);
    else
        scaled_print(out, x->coefficient, x->scale);
}

double numeric_to_double(const Numeric *x)
{
    char text[64];
    StrBuf buf = {.ptr = text, .cap = sizeof text};
    uint128_t size = x->coefficient < 0 ? -(uint128_t)x->coefficient : (uint128_t)x->coefficient;

    switch (x->kind) {
    case NUMERIC_NAN: return __builtin_nan("");
    case NUMERIC_POS_INF: return __builtin_inf();
    case NUMERIC_NEG_INF: return -__builtin_inf();
    default: break;
    }
    /* Both exact, so the one division rounds once. */
    if (size <= (uint64_t)1 << 53 && x->scale <= 22)
        return (double)(int64_t)x->coefficient / float_exact_pow10(x->scale);
    scaled_print(&buf, x->coefficient, 0);
    return float_from_digits(strbuf_str(&buf), -x->scale);
}

/* NaN and infinities of floating point. */
static bool special_of_float(double value, Numeric *out)
{
    if (__builtin_isnan(value))
        *out = numeric_special(NUMERIC_NAN);
    else if (__builtin_isinf(value))
        *out = numeric_special(value > 0 ? NUMERIC_POS_INF : NUMERIC_NEG_INF);
    else
        return false;
    return true;
}

/* The value rounded to `digits` significant digits; `digits_out` holds what the text points at. */
static DecimalText round_float(double value, int digits, FloatDigits *digits_out)
{
    float_round_digits(value, digits, digits_out);
    return (DecimalText){.negative = value < 0,
                         .whole = str_make(digits_out->digits, (size_t)digits_out->count),
                         .point = digits_out->count + digits_out->exponent};
}

static Status from_rounded(Ctx *ctx, double value, int digits, Numeric *out)
{
    FloatDigits decimal;
    uint128_t coefficient;

    if (special_of_float(value, out))
        return OK;
    DecimalText text = round_float(value, digits, &decimal);
    int64_t scale = MAX(-decimal.exponent, 0);
    if (scale > DIGITS_MAX || !to_coefficient(&text, (int)scale, &coefficient))
        return numeric_overflow(ctx);
    *out = (Numeric){.coefficient = value < 0 ? -(int128_t)coefficient : (int128_t)coefficient,
                     .scale = (int32_t)scale};
    return OK;
}

static Status scaled_from_rounded(Ctx *ctx, double value, int digits, SqlType type, int128_t *out)
{
    FloatDigits decimal;
    Numeric special;

    if (special_of_float(value, &special))
        return numeric_to_scaled(ctx, &special, type, out);
    DecimalText text = round_float(value, digits, &decimal);
    return to_scaled(ctx, &text, type, out);
}

Status numeric_from_double(Ctx *ctx, double value, Numeric *out)
{
    return from_rounded(ctx, value, 15, out);
}

Status numeric_from_float(Ctx *ctx, float value, Numeric *out)
{
    return from_rounded(ctx, (double)value, 6, out);
}

Status numeric_scaled_from_double(Ctx *ctx, double value, SqlType type, int128_t *out)
{
    return scaled_from_rounded(ctx, value, 15, type, out);
}

Status numeric_scaled_from_float(Ctx *ctx, float value, SqlType type, int128_t *out)
{
    return scaled_from_rounded(ctx, (double)value, 6, type, out);
}
