// SPDX-License-Identifier: Apache-2.0
//
// to_char of numbers. The value is rounded to the pattern's digits and printed; then the pattern's
// nodes are walked, each giving a column: PostgreSQL's algorithm, because its blanks, zeros and
// signs are what clients see. See format_number.h.
#include "func/format_number.h"

#include "func/rows.h"
#include "types/float.h"
#include "types/numeric.h"

#include <math.h>

#define PATTERN_DIGITS_MAX 1000
#define DOUBLE_DIGITS      15 /* that a double always holds */

static const FormatKeyword keywords[] = {
    {",", NUM_COMMA, 0, 0, 0},   {".", NUM_POINT, 0, 0, 0}, {"0", NUM_0, 0, 0, 0},
    {"9", NUM_9, 0, 0, 0},       {"B", NUM_B, 0, 0, 0},     {"b", NUM_B, 0, 0, 0},
    {"D", NUM_D, 0, 0, 0},       {"d", NUM_D, 0, 0, 0},     {"EEEE", NUM_EEEE, 0, 0, 0},
    {"eeee", NUM_EEEE, 0, 0, 0}, {"FM", NUM_FM, 0, 0, 0},   {"fm", NUM_FM, 0, 0, 0},
    {"G", NUM_G, 0, 0, 0},       {"g", NUM_G, 0, 0, 0},     {"L", NUM_L, 0, 0, 0},
    {"l", NUM_L, 0, 0, 0},       {"MI", NUM_MI, 0, 0, 0},   {"mi", NUM_MI, 0, 0, 0},
    {"PL", NUM_PL, 0, 0, 0},     {"pl", NUM_PL, 0, 0, 0},   {"PR", NUM_PR, 0, 0, 0},
    {"pr", NUM_PR, 0, 0, 0},     {"RN", NUM_RN, 0, 0, 0},   {"rn", NUM_RN, 0, 0, 0},
    {"SG", NUM_SG, 0, 0, 0},     {"sg", NUM_SG, 0, 0, 0},   {"SP", NUM_SP, 0, 0, 0},
    {"sp", NUM_SP, 0, 0, 0},     {"S", NUM_S, 0, 0, 0},     {"s", NUM_S, 0, 0, 0},
    {"TH", NUM_TH, 0, 0, 0},     {"th", NUM_TH, 0, 0, 0},   {"V", NUM_V, 0, 0, 0},
    {"v", NUM_V, 0, 0, 0},
};

/* --- the pattern --- */

static Status bad_pattern(Ctx *ctx, const char *message)
{
    return error_raise(ctx, E_SYNTAX, "%s", message);
}

static void add_digit(NumberPattern *p, bool zero)
{
    if (p->multi && !zero) { /* a 0 behind V is one more digit, no multiplier */
        p->multiplier++;
        return;
    }
    if (zero && !p->zero && !p->decimal) {
        p->zero = true;
        p->zero_start = p->pre + 1;
    }
    if (p->decimal)
        p->post++;
    else
        p->pre++;
    if (zero)
        p->zero_end = p->pre + p->post;
}

static Status add_sign(Ctx *ctx, NumberPattern *p)
{
    if (p->sign)
        return bad_pattern(ctx, "cannot use \"S\" twice");
    if (p->plus || p->minus || p->bracket)
        return bad_pattern(ctx, "cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
    p->sign = true;
    p->sign_place = p->decimal ? SIGN_BEHIND : SIGN_BEFORE;
    p->sign_pre = p->decimal ? 0 : p->pre;
    return OK;
}

static Status add_point(Ctx *ctx, NumberPattern *p)
{
    if (p->decimal)
        return bad_pattern(ctx, "multiple decimal points");
    if (p->multi)
        return bad_pattern(ctx, "cannot use \"V\" and decimal point together");
    p->decimal = true;
    return OK;
}

static Status add_scientific(Ctx *ctx, NumberPattern *p)
{
    Status st = OK;

    if (p->scientific)
        return bad_pattern(ctx, "cannot use \"EEEE\" twice");
    if (p->blank || p->fill || p->sign || p->bracket || p->minus || p->plus || p->roman ||
        p->multi) {
        st = bad_pattern(ctx, "\"EEEE\" is incompatible with other formats");
        error_detail(ctx, "\"EEEE\" may only be used together with digit and decimal point "
                          "patterns.");
    }
    p->scientific = true;
    return st;
}

static Status add_node(Ctx *ctx, NumberPattern *p, int id)
{
    if (p->scientific && id != NUM_EEEE)
        return bad_pattern(ctx, "\"EEEE\" must be the last pattern used");
    switch (id) {
    case NUM_9:
        if (p->bracket)
            return bad_pattern(ctx, "\"9\" must be ahead of \"PR\"");
        add_digit(p, false);
        break;
    case NUM_0:
        if (p->bracket)
            return bad_pattern(ctx, "\"0\" must be ahead of \"PR\"");
        add_digit(p, true);
        break;
    case NUM_B: p->blank |= p->pre == 0 && p->post == 0 && !p->zero; break;
    case NUM_D:
    case NUM_POINT: return add_point(ctx, p);
    case NUM_FM: p->fill = true; break;
    case NUM_S: return add_sign(ctx, p);
    case NUM_MI:
    case NUM_PL:
    case NUM_SG:
        if (p->sign)
            return bad_pattern(ctx, id == NUM_MI   ? "cannot use \"S\" and \"MI\" together"
                                    : id == NUM_PL ? "cannot use \"S\" and \"PL\" together"
                                                   : "cannot use \"S\" and \"SG\" together");
        p->minus |= id != NUM_PL;
        p->plus |= id != NUM_MI;
        break;
    case NUM_PR:
        if (p->sign || p->plus || p->minus)
            return bad_pattern(ctx, "cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
        p->bracket = true;
        break;
    case NUM_RN: p->roman = true; break;
    case NUM_V:
        if (p->decimal)
            return bad_pattern(ctx, "cannot use \"V\" and decimal point together");
        p->multi = true;
        break;
    case NUM_EEEE: return add_scientific(ctx, p);
    default: break;
    }
    return OK;
}

Status format_parse_number(Ctx *ctx, Scope *scope, Str format, NumberPattern *out)
{
    Status st = OK;

    *out = (NumberPattern){0};
    out->nodes = format_parse(scope, format, keywords, ARRAY_COUNT(keywords), false);
    for (const FormatNode *node = out->nodes; node->kind != NODE_END; node++) {
        if (node->kind == NODE_ACTION)
            TRY(add_node(ctx, out, node->keyword->id));
    }
    if (out->pre + out->post + out->multiplier > PATTERN_DIGITS_MAX)
        TRY(bad_pattern(ctx, "number pattern is too long"));
done:
    return st;
}

/* --- walking the pattern --- */

typedef struct NumberWriter {
    NumberPattern p;
    StrBuf *buf;
    const char *number;        /* terminated: digits, perhaps with a point, without sign */
    const char *next;          /* what of it is to be written */
    const char *last_relevant; /* NULL, or where the digits that FM keeps end */
    char sign;
    bool sign_written;
    bool digits_begun;
    bool bad_ordinal; /* TH where there is no digit */
    bool ended;       /* PostgreSQL writes a NUL there: nothing after it is seen */
    size_t end;
    int blanks; /* columns before the number's first digit */
    int column;
    int columns;
} NumberWriter;

/* The last digit behind the point that is not 0; the point itself if all are. */
static const char *last_relevant_digit(const char *number)
{
    const char *point = strchr(number, '.');
    const char *last = point;

    for (const char *p = point; p && *p; p++)
        last = *p != '0' ? p : last;
    return last;
}

static void start(NumberWriter *w)
{
    NumberPattern *p = &w->p;

    if (p->zero_start)
        p->zero_start--;
    if (p->plus || p->minus) {
        w->sign_written = !(p->plus && !p->minus);
    } else {
        if (w->sign != '-' && p->fill)
            p->bracket = false;
        w->sign_written = w->sign == '+' && p->fill && !p->sign;
        if (p->sign_place == SIGN_BEFORE && p->pre == p->sign_pre)
            p->sign_place = SIGN_BEHIND;
    }
    w->columns = p->post + p->pre - 1;
    if (p->fill && p->decimal) {
        w->last_relevant = last_relevant_digit(w->number);
        if (w->last_relevant && p->zero_end > w->blanks) {
            int last = MIN((int)strlen(w->number) - 1, p->zero_end - w->blanks);
            w->last_relevant = MAX(w->last_relevant, w->number + last);
        }
    }
    if (!w->sign_written && w->blanks == 0)
        w->columns++;
}

/* What PostgreSQL's buffer holds ends here. */
static void end_output(NumberWriter *w)
{
    if (!w->ended)
        w->end = w->buf->len;
    w->ended = true;
}

/* "9.9" shows .1, not 0.1. */
static bool hides_zero(const NumberWriter *w)
{
    return !w->p.zero && w->number == w->next && *w->number == '0' && w->p.post != 0;
}

static bool only_point_left(const NumberWriter *w)
{
    return w->last_relevant && *w->last_relevant == '.';
}

static void write_sign(NumberWriter *w)
{
    bool begins = w->column >= w->blanks || (w->p.zero && w->p.zero_start == w->column);

    if (w->sign_written || !begins || (hides_zero(w) && !only_point_left(w)))
        return;
    if (w->p.sign) {
        if (w->p.sign_place != SIGN_BEFORE)
            return;
        strbuf_append_char(w->buf, w->sign);
    } else if (w->p.bracket) {
        strbuf_append_char(w->buf, w->sign == '+' ? ' ' : '<');
    } else if (w->sign == '-') {
        strbuf_append_char(w->buf, '-');
    } else if (!w->p.fill) {
        strbuf_append_char(w->buf, ' ');
    }
    w->sign_written = true;
}

/* The next character of the number itself. */
static void write_number(NumberWriter *w, int id)
{
    if (*w->next == '.') {
        if (!only_point_left(w) || w->p.fill)
            strbuf_append_char(w->buf, '.');
    } else if (w->last_relevant && w->next > w->last_relevant && id != NUM_0) {
        /* a zero at the end that FM leaves out */
    } else if (hides_zero(w)) {
        if (!w->p.fill)
            strbuf_append_char(w->buf, ' ');
        else if (only_point_left(w))
            strbuf_append_char(w->buf, '0');
    } else {
        if (*w->next)
            strbuf_append_char(w->buf, *w->next);
        else
            end_output(w);
        w->digits_begun = true;
    }
    if (*w->next)
        w->next++;
}

static void write_end_sign(NumberWriter *w)
{
    int end = w->columns + (w->blanks ? 1 : 0) + (w->p.decimal ? 1 : 0);

    if (w->last_relevant && w->last_relevant == w->next)
        end = w->column;
    if (w->column + 1 != end)
        return;
    if (w->sign_written && w->p.bracket)
        strbuf_append_char(w->buf, w->sign == '+' ? ' ' : '>');
    else if (w->p.sign && w->p.sign_place == SIGN_BEHIND)
        strbuf_append_char(w->buf, w->sign);
}

/* A column: 9, 0 or the point. */
static void write_column(NumberWriter *w, int id)
{
    if (w->p.roman)
        return;
    w->digits_begun = false;
    write_sign(w);
    if (w->column < w->blanks && (w->p.zero_start > w->column || !w->p.zero)) {
        if (!w->p.fill)
            strbuf_append_char(w->buf, ' ');
    } else if (w->p.zero && w->column < w->blanks && w->p.zero_start <= w->column) {
        strbuf_append_char(w->buf, '0');
        w->digits_begun = true;
    } else {
        write_number(w, id);
    }
    write_end_sign(w);
    w->column++;
}

static void write_separator(NumberWriter *w)
{
    if (w->digits_begun)
        strbuf_append_char(w->buf, ',');
    else if (!w->p.fill)
        strbuf_append_char(w->buf, ' ');
}

static void write_roman(NumberWriter *w, bool small)
{
    int blanks = w->p.fill ? 0 : 15 - (int)strlen(w->number);

    for (int i = 0; i < blanks; i++)
        strbuf_append_char(w->buf, ' ');
    for (const char *p = w->number; *p; p++)
        strbuf_append_char(w->buf, small && *p >= 'A' ? (char)(*p + 32) : *p);
}

static void write_ordinal(NumberWriter *w, bool small)
{
    Str digits = str_from(w->number);
    char last = digits.len ? digits.ptr[digits.len - 1] : '\0';

    w->bad_ordinal |= last < '0' || last > '9';
    strbuf_append_c(w->buf, format_ordinal(digits, !small));
}

static void write_action(NumberWriter *w, const FormatKeyword *keyword)
{
    bool small = keyword->name[0] >= 'a';

    switch (keyword->id) {
    case NUM_9:
    case NUM_0:
    case NUM_D:
    case NUM_POINT: write_column(w, keyword->id); break;
    case NUM_COMMA:
    case NUM_G: write_separator(w); break;
    case NUM_L: strbuf_append_char(w->buf, ' '); break;
    case NUM_RN: write_roman(w, small); break;
    case NUM_TH:
        if (!w->p.roman && *w->number != '#' && w->sign != '-' && !w->p.decimal)
            write_ordinal(w, small);
        break;
    case NUM_MI:
        if (w->sign == '-' || !w->p.fill)
            strbuf_append_char(w->buf, w->sign == '-' ? '-' : ' ');
        break;
    case NUM_PL:
        if (w->sign == '+' || !w->p.fill)
            strbuf_append_char(w->buf, w->sign == '+' ? '+' : ' ');
        break;
    case NUM_SG:
        if (w->sign)
            strbuf_append_char(w->buf, w->sign);
        else
            end_output(w);
        break;
    default: break;
    }
}

static Status write_all(Ctx *ctx, NumberWriter *w)
{
    w->next = w->number;
    start(w);
    for (const FormatNode *node = w->p.nodes; node->kind != NODE_END; node++) {
        if (node->kind == NODE_ACTION)
            write_action(w, node->keyword);
        else
            strbuf_append_str(w->buf, node->text);
    }
    if (w->ended)
        w->buf->len = w->end;
    if (w->bad_ordinal)
        return error_raise(ctx, E_INVALID_TEXT, "\"%s\" is not a number", w->number);
    return OK;
}

/* --- values --- */

/* Writes a rounded number, given as terminated text with an optional minus. */
static Status write_digits(Ctx *ctx, NumberWriter *w, StrBuf *text)
{
    const char *number = strbuf_c(text);

    w->sign = *number == '-' ? '-' : '+';
    w->number = number + (*number == '-');
    const char *point = strchr(w->number, '.');
    int whole = (int)(point ? (size_t)(point - w->number) : strlen(w->number));
    if (whole < w->p.pre) {
        w->blanks = w->p.pre - whole;
    } else if (whole > w->p.pre) {
        char sign = w->sign;
        strbuf_clear(text);
        for (int i = 0; i < w->p.pre + w->p.post + 1; i++)
            strbuf_append_char(text, i == w->p.pre ? '.' : '#');
        w->number = strbuf_c(text);
        w->sign = sign;
    }
    return write_all(ctx, w);
}

static void roman_text(StrBuf *text, int64_t number)
{
    static const char *const symbols[] = {"M",  "CM", "D",  "CD", "C",  "XC", "L",
                                          "XL", "X",  "IX", "V",  "IV", "I"};
    static const int values[] = {1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1};

    if (number < 1 || number > 3999) {
        strbuf_append_c(text, "###############");
        return;
    }
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        for (; number >= values[i]; number -= values[i])
            strbuf_append_c(text, symbols[i]);
    }
}

static Status write_roman_number(Ctx *ctx, NumberWriter *w, int64_t number, StrBuf *text)
{
    NumberPattern plain = {.nodes = w->p.nodes, .fill = w->p.fill, .roman = true};

    roman_text(text, number);
    w->p = plain;
    w->number = strbuf_c(text);
    w->sign = '\0';
    return write_all(ctx, w);
}

/* Digits d.ddde+xx; the first `whole` of the significant ones stand before the point. */
typedef struct Scientific {
    bool negative;
    Str digits;
    int whole;
    int exponent;
} Scientific;

static void write_scientific(StrBuf *buf, Scientific x, int post)
{
    strbuf_append_char(buf, x.negative ? '-' : ' ');
    for (int i = 0; i < x.whole + post; i++) {
        if (i == x.whole)
            strbuf_append_char(buf, '.');
        strbuf_append_char(buf, (size_t)i < x.digits.len ? x.digits.ptr[i] : '0');
    }
    strbuf_printf(buf, "e%c%02d", x.exponent < 0 ? '-' : '+',
                  x.exponent < 0 ? -x.exponent : x.exponent);
}

/* What stands for NaN and infinities there. */
static void write_scientific_hashes(StrBuf *buf, const NumberPattern *p)
{
    strbuf_append_char(buf, ' ');
    for (int i = 1; i < p->pre + p->post + 6; i++)
        strbuf_append_char(buf, i == p->pre + 1 ? '.' : '#');
}

/* PostgreSQL finds a numeric's exponent before it rounds: 9.99 as 9.9EEEE is 10.0e+00. An integer
   goes through printf there, and is 1.0e+01. */
static Status numeric_scientific(Ctx *ctx, StrBuf *buf, const NumberPattern *p, Numeric x,
                                 bool integer)
{
    Status st = OK;
    StrBuf digits;
    Numeric rounded = numeric_abs(x);

    strbuf_init(&digits);
    if (numeric_is_special(&x)) {
        write_scientific_hashes(buf, p);
        goto done;
    }
    rounded.scale = 0; /* its digits are what matters */
    int count = int128_digits((uint128_t)rounded.coefficient);
    Scientific shown = {.negative = x.coefficient < 0, .whole = 1};
    shown.exponent = count ? count - 1 - x.scale : 0;
    if (count > p->post + 1) {
        TRY(numeric_round(ctx, &rounded, p->post + 1 - count, &rounded));
        bool carried = int128_digits((uint128_t)rounded.coefficient) > count;
        shown.exponent += carried && integer;
        shown.whole += carried && !integer;
    }
    numeric_print(&digits, &rounded);
    shown.digits = strbuf_str(&digits);
    write_scientific(buf, shown, p->post);
done:
    strbuf_free(&digits);
    return st;
}

static Status power_of_ten(Ctx *ctx, Numeric *x, int exponent)
{
    if (exponent > NUMERIC_PRECISION_MAX)
        return numeric_overflow(ctx);
    Numeric factor = numeric_from_scaled(int128_pow10[exponent], 0);
    return numeric_mul(ctx, x, &factor, x);
}

/* Appends zeros behind the point: a Numeric holds fewer digits than a pattern may ask for. */
static void pad_fraction(StrBuf *text, int post)
{
    const char *number = strbuf_c(text);
    const char *point = strchr(number, '.');
    int have = point ? (int)strlen(point + 1) : 0;

    if (post > 0 && point == NULL)
        strbuf_append_char(text, '.');
    for (; have < post; have++)
        strbuf_append_char(text, '0');
}

static Status numeric_to_char(FuncCall *call, Numeric x, Str format, bool integer, StrBuf *buf)
{
    Status st = OK;
    NumberWriter w = {.buf = buf};
    StrBuf text;
    int64_t whole = 0;

    strbuf_init(&text);
    TRY(format_parse_number(call->ctx, call->scope, format, &w.p));
    if (w.p.roman) {
        if (!numeric_to_int64(&x, &whole) || whole != (int32_t)whole)
            FAIL(call->ctx, E_NUMERIC_OUT_OF_RANGE, "integer out of range");
        TRY(write_roman_number(call->ctx, &w, whole, &text));
    } else if (w.p.scientific) {
        TRY(numeric_scientific(call->ctx, buf, &w.p, x, integer));
    } else {
        if (w.p.multi)
            TRY(power_of_ten(call->ctx, &x, w.p.multiplier));
        w.p.pre += w.p.multiplier;
        TRY(numeric_round(call->ctx, &x, MIN(w.p.post, NUMERIC_PRECISION_MAX), &x));
        numeric_print(&text, &x);
        if (!numeric_is_special(&x))
            pad_fraction(&text, w.p.post);
        TRY(write_digits(call->ctx, &w, &text));
    }
done:
    strbuf_free(&text);
    return st;
}

KERNEL_TEXT_ROWS(func_to_char_numeric, {
    TRY(numeric_to_char(call, KERNEL_ARG(Numeric, 0), KERNEL_STR(1), false, &buf));
})

KERNEL_TEXT_ROWS(func_to_char_int4, {
    Numeric x = numeric_from_int64(KERNEL_ARG(int32_t, 0));
    TRY(numeric_to_char(call, x, KERNEL_STR(1), true, &buf));
})

KERNEL_TEXT_ROWS(func_to_char_int8, {
    Numeric x = numeric_from_int64(KERNEL_ARG(int64_t, 0));
    TRY(numeric_to_char(call, x, KERNEL_STR(1), true, &buf));
})

/* --- floats --- */

/* As printf's %.*f, with the digits that `digits_max` allows. */
static void print_fixed(StrBuf *text, double x, int *post, int digits_max)
{
    FloatDigits digits;
    StrBuf whole;

    strbuf_init(&whole);
    strbuf_printf(&whole, "%.0f", fabs(x));
    int count = (int)whole.len;
    strbuf_free(&whole);
    *post = count >= digits_max ? 0 : MIN(*post, digits_max - count);
    if (*post == 0) {
        strbuf_printf(text, "%.0f", x);
        return;
    }
    /* The position of the last digit wanted, counted from the first significant one. */
    int first = x == 0 ? 0 : (int)floor(log10(fabs(x)));
    int wanted = first + 1 + *post;
    if (wanted < 1) {
        float_round_digits(x, 17, &digits); /* above half of the last place? */
        bool up = wanted == 0 &&
                  (digits.digits[0] > '5' || (digits.digits[0] == '5' && digits.count > 1));
        digits = (FloatDigits){.count = 1, .exponent = -*post};
        digits.digits[0] = up ? '1' : '0';
    } else {
        float_round_digits(x, MIN(wanted, 17), &digits);
    }
    Numeric number = {.coefficient = 0};
    for (int i = 0; i < digits.count; i++)
        number.coefficient = number.coefficient * 10 + digits.digits[i] - '0';
    number = numeric_from_scaled(x < 0 ? -number.coefficient : number.coefficient,
                                 MAX(-digits.exponent, -NUMERIC_PRECISION_MAX));
    if (signbit(x) && number.coefficient == 0)
        strbuf_append_char(text, '-');
    numeric_print(text, &number);
    pad_fraction(text, *post);
}

static void float_scientific(StrBuf *buf, const NumberPattern *p, double x)
{
    FloatDigits digits;

    if (isnan(x) || isinf(x)) {
        write_scientific_hashes(buf, p);
        return;
    }
    float_round_digits(x, MIN(p->post + 1, 17), &digits);
    Scientific shown = {.negative = signbit(x),
                        .digits = {digits.digits, (size_t)digits.count},
                        .whole = 1,
                        .exponent = x == 0 ? 0 : digits.exponent + digits.count - 1};
    write_scientific(buf, shown, p->post);
}

static Status float_to_char(FuncCall *call, double x, int digits_max, Str format, StrBuf *buf)
{
    Status st = OK;
    NumberWriter w = {.buf = buf};
    StrBuf text;

    strbuf_init(&text);
    TRY(format_parse_number(call->ctx, call->scope, format, &w.p));
    if (w.p.roman) {
        bool fits = x > -1e9 && x < 1e9;
        TRY(write_roman_number(call->ctx, &w, fits ? (int64_t)rint(x) : 0, &text));
    } else if (w.p.scientific) {
        float_scientific(buf, &w.p, x);
    } else {
        if (w.p.multi)
            x *= pow(10, w.p.multiplier);
        w.p.pre += w.p.multiplier;
        if (isnan(x) || isinf(x)) {
            strbuf_append_c(&text, isnan(x) ? "NaN" : x < 0 ? "-Infinity" : "Infinity");
            w.p.post = 0;
        } else {
            print_fixed(&text, x, &w.p.post, digits_max);
        }
        TRY(write_digits(call->ctx, &w, &text));
    }
done:
    strbuf_free(&text);
    return st;
}

KERNEL_TEXT_ROWS(func_to_char_float8, TRY(float_to_char(call, KERNEL_ARG(double, 0), DOUBLE_DIGITS,
                                                        KERNEL_STR(1), &buf));)
KERNEL_TEXT_ROWS(func_to_char_float4,
                 TRY(float_to_char(call, (double)KERNEL_ARG(float, 0), 6, KERNEL_STR(1), &buf));)
