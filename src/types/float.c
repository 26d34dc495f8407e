// SPDX-License-Identifier: Apache-2.0
//
// Floating point and its decimal text: see float.h. Shortest digits are by Schubfach (R. Giulietti,
// "The Schubfach way to render doubles", 2020), with the bounds of the rounding interval left out
// as PostgreSQL leaves them out. The C library reads and rounds the hard cases, from texts without
// a decimal point, since what that is depends on the host's locale.
#include "types/float.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define POW10_MIN   (-292)
#define DIGITS_KEPT 800 /* more significant digits never change a double */

static const struct {
    uint64_t high;
    uint64_t low;
} pow10_words[] = {
#define FLOAT_POW10(high, low) {high, low},
#include "types/float_pow10.def"
#undef FLOAT_POW10
};

static const double exact_pow10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

double float_exact_pow10(int n)
{
    ASSERT(n >= 0 && n <= 22);
    return exact_pow10[n];
}

/* floor(e * log2(10)), floor(e * log10(2)) and floor(e * log10(2) + log10(3/4)). */
static int floor_log2_pow10(int e)
{
    return (e * 1741647) >> 19;
}

static int floor_log10_pow2(int e, bool three_quarters)
{
    return (e * 1262611 - (three_quarters ? 524031 : 0)) >> 22;
}

static uint64_t round_to_odd(uint64_t high, uint64_t low, uint64_t cp)
{
    uint128_t x = (uint128_t)low * cp;
    uint128_t y = (uint128_t)high * cp + (uint64_t)(x >> 64);

    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

static uint32_t round_to_odd_32(uint64_t g, uint32_t cp)
{
    uint128_t p = (uint128_t)g * cp;

    return (uint32_t)(p >> 64) | ((uint32_t)(p >> 32) > 1);
}

/* The choice among the candidates s, s+1 and their shorter neighbours, times 4 all three bounds. */
static uint64_t choose(uint64_t lower, uint64_t value, uint64_t upper, int *exponent)
{
    uint64_t s = value / 4;

    if (s >= 10) {
        uint64_t shorter = s / 10;
        bool below = lower <= 40 * shorter;
        bool above = 40 * shorter + 40 <= upper;
        if (below != above) {
            (*exponent)++;
            return shorter + above;
        }
    }
    bool below = lower <= 4 * s;
    bool above = 4 * s + 4 <= upper;
    if (below != above)
        return s + above;
    uint64_t middle = 4 * s + 2;
    return s + (value > middle || (value == middle && (s & 1)));
}

static void set_digits(uint64_t decimal, int exponent, FloatDigits *out)
{
    char buffer[24];
    int at = (int)sizeof buffer;

    while (decimal >= 10 && decimal % 10 == 0) {
        decimal /= 10;
        exponent++;
    }
    do {
        buffer[--at] = (char)('0' + decimal % 10);
        decimal /= 10;
    } while (decimal);
    out->count = (int)sizeof buffer - at;
    memcpy(out->digits, buffer + at, (size_t)out->count);
    out->exponent = out->digits[0] == '0' ? 0 : exponent;
}

void float_shortest_digits(double value, FloatDigits *out)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int biased = (int)(bits >> 52 & 0x7ff);
    ASSERT(biased != 0x7ff);
    uint64_t c = biased ? fraction | (uint64_t)1 << 52 : fraction;
    int q = (biased ? biased : 1) - 1075;
    if (c == 0) {
        set_digits(0, 0, out);
        return;
    }
    if (q <= 0 && q > -53 && (c & (((uint64_t)1 << -q) - 1)) == 0) {
        set_digits(c >> -q, 0, out);
        return;
    }
    bool closer = fraction == 0 && biased > 1;
    int k = floor_log10_pow2(q, closer);
    int h = q + floor_log2_pow10(-k) + 1;
    uint64_t high = pow10_words[-k - POW10_MIN].high;
    uint64_t low = pow10_words[-k - POW10_MIN].low;
    uint64_t lower = round_to_odd(high, low, (4 * c - 2 + closer) << h) + 1;
    uint64_t middle = round_to_odd(high, low, (4 * c) << h);
    uint64_t upper = round_to_odd(high, low, (4 * c + 2) << h) - 1;
    uint64_t decimal = choose(lower, middle, upper, &k);
    set_digits(decimal, k, out);
}

void float32_shortest_digits(float value, FloatDigits *out)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    uint32_t fraction = bits & ((1U << 23) - 1);
    int biased = (int)(bits >> 23 & 0xff);
    ASSERT(biased != 0xff);
    uint32_t c = biased ? fraction | 1U << 23 : fraction;
    int q = (biased ? biased : 1) - 150;
    if (c == 0) {
        set_digits(0, 0, out);
        return;
    }
    if (q <= 0 && q > -24 && (c & ((1U << -q) - 1)) == 0) {
        set_digits(c >> -q, 0, out);
        return;
    }
    bool closer = fraction == 0 && biased > 1;
    int k = floor_log10_pow2(q, closer);
    int h = q + floor_log2_pow10(-k) + 1;
    uint64_t g = pow10_words[-k - POW10_MIN].high + (pow10_words[-k - POW10_MIN].low != 0);
    uint32_t lower = round_to_odd_32(g, (4 * c - 2 + closer) << h) + 1;
    uint32_t middle = round_to_odd_32(g, (4 * c) << h);
    uint32_t upper = round_to_odd_32(g, (4 * c + 2) << h) - 1;
    uint64_t decimal = choose(lower, middle, upper, &k);
    set_digits(decimal, k, out);
}

void float_round_digits(double value, int digits, FloatDigits *out)
{
    char text[64];
    int count = 0;
    const char *p = text;

    /* d<point>ddde+xx: the point is whatever the host's locale says. */
    snprintf(text, sizeof text, "%.*e", digits - 1, fabs(value));
    for (; *p != 'e'; p++) {
        if (*p >= '0' && *p <= '9')
            out->digits[count++] = *p;
    }
    int exponent = (int)strtol(p + 1, NULL, 10) - (count - 1);
    while (count > 1 && out->digits[count - 1] == '0') {
        count--;
        exponent++;
    }
    out->count = count;
    out->exponent = out->digits[0] == '0' ? 0 : exponent;
}

/* A scanned number: digits without the point, as strtod takes them everywhere. */
typedef struct FloatText {
    char text[DIGITS_KEPT + 32];
    uint64_t small; /* the digits, if there are at most 19 */
    int count;
    int64_t exponent;
    bool negative;
} FloatText;

static void add_digit(FloatText *out, char digit, bool fraction)
{
    if (out->count == 0 && digit == '0') {
        out->exponent -= fraction;
        return;
    }
    if (out->count < DIGITS_KEPT) {
        out->text[1 + out->count++] = digit;
        out->small = out->small * 10 + (uint64_t)(digit - '0');
        out->exponent -= fraction;
        return;
    }
    /* What is beyond matters only as being there. */
    out->exponent += !fraction;
    if (digit != '0')
        out->text[DIGITS_KEPT] = '1';
}

static bool scan_exponent(const char **at, const char *end, int64_t *exponent)
{
    const char *p = *at + 1;
    bool negative = false;
    int64_t value = 0;

    if (p < end && (*p == '+' || *p == '-'))
        negative = *p++ == '-';
    if (p == end || *p < '0' || *p > '9')
        return false;
    for (; p < end && *p >= '0' && *p <= '9'; p++)
        value = MIN(value * 10 + (*p - '0'), 1000000);
    *exponent += negative ? -value : value;
    *at = p;
    return true;
}

static bool scan(Str text, FloatText *out)
{
    const char *p = text.ptr;
    const char *end = p + text.len;
    bool fraction = false;
    bool any = false;

    out->small = 0;
    out->count = 0;
    out->exponent = 0;
    out->negative = false;
    if (p < end && (*p == '+' || *p == '-'))
        out->negative = *p++ == '-';
    for (; p < end; p++) {
        if (*p >= '0' && *p <= '9') {
            any = true;
            add_digit(out, *p, fraction);
        } else if (*p == '.' && !fraction) {
            fraction = true;
        } else {
            break;
        }
    }
    if (!any)
        return false;
    if (p < end && (*p == 'e' || *p == 'E') && !scan_exponent(&p, end, &out->exponent))
        return false;
    return p == end;
}

/* Makes text ready for strtod. */
static const char *finish(FloatText *text)
{
    if (text->count == 0)
        text->text[1 + text->count++] = '0';
    text->text[0] = text->negative ? '-' : '+';
    snprintf(text->text + 1 + text->count, 24, "e%lld",
             (long long)MAX(MIN(text->exponent, 100000), -100000));
    return text->text;
}

static bool fast_double(const FloatText *text, double *out)
{
    if (text->count > 15 || text->exponent < -22 || text->exponent > 22)
        return false;
    double value = (double)text->small;
    value = text->exponent < 0 ? value / exact_pow10[-text->exponent]
                               : value * exact_pow10[text->exponent];
    *out = text->negative ? -value : value;
    return true;
}

double float_from_digits(Str digits, int exponent)
{
    FloatText text;
    double value;

    bool ok = scan(digits, &text);
    ASSERT(ok);
    text.exponent += exponent;
    if (fast_double(&text, &value))
        return value;
    return strtod(finish(&text), NULL);
}

static bool parse_special(Str text, double *out)
{
    static const struct {
        const char *name;
        double value;
    } names[] = {
        {"nan", NAN},        {"+nan", NAN},           {"-nan", NAN},
        {"inf", INFINITY},   {"infinity", INFINITY},  {"+inf", INFINITY},
        {"-inf", -INFINITY}, {"+infinity", INFINITY}, {"-infinity", -INFINITY},
    };

    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (str_equal_nocase(text, str_from(names[i].name))) {
            *out = names[i].value;
            return true;
        }
    }
    return false;
}

/* 0x1.8p3, which strtod takes and so PostgreSQL does. */
static bool parse_hex(Str text, double *out)
{
    char buffer[64];
    char *end;
    size_t sign = text.len && (text.ptr[0] == '-' || text.ptr[0] == '+');

    if (text.len < sign + 3 || text.len >= sizeof buffer || text.ptr[sign] != '0' ||
        (text.ptr[sign + 1] | 32) != 'x')
        return false;
    memcpy(buffer, text.ptr, text.len);
    buffer[text.len] = '\0';
    errno = 0;
    *out = strtod(buffer, &end);
    return end == buffer + text.len;
}

FloatParse float_parse(Str text, double *out)
{
    FloatText scanned;

    text = str_trim(text);
    if (!scan(text, &scanned))
        return parse_special(text, out) || parse_hex(text, out) ? FLOAT_OK : FLOAT_BAD_SYNTAX;
    if (fast_double(&scanned, out))
        return FLOAT_OK;
    *out = strtod(finish(&scanned), NULL);
    bool lost = isinf(*out) || (*out == 0 && scanned.small != 0);
    return lost ? FLOAT_OUT_OF_RANGE : FLOAT_OK;
}

FloatParse float32_parse(Str text, float *out)
{
    FloatText scanned;
    double value;

    text = str_trim(text);
    if (!scan(text, &scanned)) {
        if (!parse_special(text, &value) && !parse_hex(text, &value))
            return FLOAT_BAD_SYNTAX;
        *out = (float)value;
        return FLOAT_OK;
    }
    if (scanned.count <= 7 && scanned.exponent >= -10 && scanned.exponent <= 10) {
        float exact = (float)scanned.small;
        float scale = (float)exact_pow10[llabs(scanned.exponent)];
        exact = scanned.exponent < 0 ? exact / scale : exact * scale;
        *out = scanned.negative ? -exact : exact;
        return FLOAT_OK;
    }
    *out = strtof(finish(&scanned), NULL);
    bool lost = isinf(*out) || (*out == 0 && scanned.small != 0);
    return lost ? FLOAT_OUT_OF_RANGE : FLOAT_OK;
}

/* As printf's %g lays digits out, with an exponent from `exponential_from` digits on. */
static void print_digits(StrBuf *out, const FloatDigits *decimal, int exponential_from)
{
    int point = decimal->count + decimal->exponent; /* digits before the decimal point */
    Str digits = str_make(decimal->digits, (size_t)decimal->count);

    if (point - 1 < -4 || point > exponential_from) {
        int exponent = point - 1;
        strbuf_append_char(out, digits.ptr[0]);
        if (digits.len > 1) {
            strbuf_append_char(out, '.');
            strbuf_append(out, digits.ptr + 1, digits.len - 1);
        }
        strbuf_printf(out, "e%c%02d", exponent < 0 ? '-' : '+',
                      exponent < 0 ? -exponent : exponent);
        return;
    }
    if (point <= 0) {
        strbuf_append(out, "0.0000", (size_t)(2 - point));
        strbuf_append_str(out, digits);
        return;
    }
    if ((size_t)point >= digits.len) {
        strbuf_append_str(out, digits);
        for (int i = decimal->count; i < point; i++)
            strbuf_append_char(out, '0');
        return;
    }
    strbuf_append(out, digits.ptr, (size_t)point);
    strbuf_append_char(out, '.');
    strbuf_append(out, digits.ptr + point, digits.len - (size_t)point);
}

static bool print_special(StrBuf *out, double value)
{
    if (isnan(value))
        strbuf_append_c(out, "NaN");
    else if (isinf(value))
        strbuf_append_c(out, value > 0 ? "Infinity" : "-Infinity");
    else
        return false;
    return true;
}

void float_print(StrBuf *out, double value, int shorter)
{
    FloatDigits decimal;
    int digits = MAX(15 - (shorter - 1), 1);

    if (print_special(out, value))
        return;
    if (signbit(value))
        strbuf_append_char(out, '-');
    if (shorter == 0)
        float_shortest_digits(value, &decimal);
    else
        float_round_digits(value, digits, &decimal);
    print_digits(out, &decimal, shorter == 0 ? 15 : digits);
}

void float32_print(StrBuf *out, float value, int shorter)
{
    FloatDigits decimal;
    int digits = MAX(6 - (shorter - 1), 1);

    if (print_special(out, (double)value))
        return;
    if (signbit(value))
        strbuf_append_char(out, '-');
    if (shorter == 0)
        float32_shortest_digits(value, &decimal);
    else
        float_round_digits((double)value, digits, &decimal);
    print_digits(out, &decimal, shorter == 0 ? 6 : digits);
}
