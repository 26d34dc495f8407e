// SPDX-License-Identifier: Apache-2.0
//
// to_number: a text read by a number pattern. Each column of the pattern takes a digit, point or
// sign if there is one; separators and currency take what fits; a character of the pattern that is
// no keyword skips one. See format_number.h.
#include "func/format_number.h"
#include "func/rows.h"
#include "types/numeric.h"

typedef struct NumberReader {
    const NumberPattern *p;
    Str in;
    size_t at;
    StrBuf *digits;
    char sign; /* ' ': none read yet */
    int read_pre;
    int read_post;
    bool read_point;
    bool digits_begun;
} NumberReader;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const NumberReader *r)
{
    return r->at < r->in.len ? r->in.ptr[r->at] : '\0';
}

static bool more(const NumberReader *r)
{
    return r->at < r->in.len;
}

static void skip_char(NumberReader *r)
{
    r->at++;
    while (more(r) && ((unsigned char)peek(r) & 0xC0) == 0x80)
        r->at++;
}

/* Skips one character if it cannot be part of a number. */
static void skip_other(NumberReader *r)
{
    if (more(r) && strchr("0123456789.,+-", peek(r)) == NULL)
        skip_char(r);
}

static void read_leading_sign(NumberReader *r)
{
    bool anchored = r->p->sign && r->p->sign_place == SIGN_BEFORE;
    char c = peek(r);

    if (r->sign != ' ' || r->read_pre + r->read_post > 0)
        return;
    if (c == '-' || (!anchored && r->p->bracket && c == '<')) {
        r->sign = '-';
        r->at++;
    } else if (c == '+') {
        r->sign = '+';
        r->at++;
    }
}

static void read_trailing_sign(NumberReader *r, bool was_read)
{
    if (r->sign != ' ' || r->read_pre + r->read_post == 0)
        return;
    if (r->p->sign && was_read && r->at + 1 < r->in.len && !is_digit(r->in.ptr[r->at + 1])) {
        char c = r->in.ptr[r->at + 1];
        if (c == '-' || c == '+') {
            r->sign = c;
            r->at++;
        }
    } else if (!was_read && !r->p->sign && (r->p->plus || r->p->minus)) {
        if (peek(r) == '-' || peek(r) == '+')
            r->sign = peek(r);
    }
}

/* A column; false: stop here, the character stays. */
static bool read_column(NumberReader *r, int id)
{
    bool was_read = false;

    if (peek(r) == ' ')
        r->at++;
    if (!more(r))
        return false;
    if (id == NUM_0 || id == NUM_9)
        read_leading_sign(r);
    if (!more(r))
        return false;
    if (is_digit(peek(r))) {
        if (r->read_point && r->read_post == r->p->post)
            return true;
        strbuf_append_char(r->digits, peek(r));
        if (r->read_point)
            r->read_post++;
        else
            r->read_pre++;
        was_read = r->digits_begun = true;
    } else if (r->p->decimal && !r->read_point && peek(r) == '.') {
        strbuf_append_char(r->digits, '.');
        was_read = r->read_point = true;
    }
    read_trailing_sign(r, was_read);
    return true;
}

static void read_sign_key(NumberReader *r, int id)
{
    char c = peek(r);
    bool minus = c == '-' && id != NUM_PL;
    bool plus = c == '+' && id != NUM_MI;

    if (minus || plus) {
        r->sign = c;
        r->at++;
    } else {
        skip_other(r);
    }
}

static Status read_action(Ctx *ctx, NumberReader *r, int id)
{
    switch (id) {
    case NUM_9:
    case NUM_0:
    case NUM_D:
    case NUM_POINT:
        if (read_column(r, id))
            r->at++;
        break;
    case NUM_COMMA:
    case NUM_G:
        if ((r->digits_begun || !r->p->fill) && peek(r) == ',')
            r->at++;
        break;
    case NUM_L: skip_other(r); break;
    case NUM_MI:
    case NUM_PL:
    case NUM_SG: read_sign_key(r, id); break;
    case NUM_TH:
        skip_other(r);
        skip_other(r);
        break;
    case NUM_RN: return error_raise(ctx, E_FEATURE_NOT_SUPPORTED, "\"RN\" not supported for input");
    default: break;
    }
    return OK;
}

static Status read_number(FuncCall *call, NumberReader *r)
{
    Status st = OK;

    if (r->p->scientific)
        FAIL(call->ctx, E_FEATURE_NOT_SUPPORTED, "\"EEEE\" not supported for input");
    for (const FormatNode *node = r->p->nodes; node->kind != NODE_END && more(r); node++) {
        if (node->kind == NODE_ACTION)
            TRY(read_action(call->ctx, r, node->keyword->id));
        else
            skip_char(r);
    }
done:
    return st;
}

/* The digits as a number of the pattern's precision. */
static Status finish(FuncCall *call, const NumberReader *r, Numeric *out)
{
    Status st = OK;
    StrBuf text;
    Str digits = strbuf_str(r->digits);

    strbuf_init(&text);
    if (digits.len && digits.ptr[digits.len - 1] == '.')
        digits.len--;
    if (r->sign == '-')
        strbuf_append_char(&text, '-');
    strbuf_append_str(&text, digits);
    TRY(numeric_parse(call->ctx, strbuf_str(&text), out));
    int precision = r->p->pre + r->p->multiplier + r->read_post;
    if (precision == 0 && out->coefficient != 0)
        FAIL(call->ctx, E_NUMERIC_OUT_OF_RANGE, "numeric field overflow");
    if (precision > 0 && precision <= NUMERIC_PRECISION_MAX)
        TRY(numeric_apply_typmod(call->ctx, out, type_numeric(precision, r->read_post)));
    if (r->p->multi) {
        Numeric ten = numeric_from_int64(10);
        Numeric exponent = numeric_from_int64(-r->p->multiplier);
        TRY(numeric_power(call->ctx, &ten, &exponent, &ten));
        TRY(numeric_mul(call->ctx, out, &ten, out));
    }
done:
    strbuf_free(&text);
    return st;
}

static Status to_number(FuncCall *call, Str text, Str format, Numeric *out)
{
    Status st = OK;
    NumberPattern pattern;
    StrBuf digits;
    NumberReader reader = {.p = &pattern, .in = text, .digits = &digits, .sign = ' '};

    strbuf_init(&digits);
    TRY(format_parse_number(call->ctx, call->scope, format, &pattern));
    TRY(read_number(call, &reader));
    TRY(finish(call, &reader, out));
done:
    strbuf_free(&digits);
    return st;
}

KERNEL_TRY_ROWS(func_to_number, {
    if (KERNEL_STR(1).len == 0)
        KERNEL_NULL(i);
    else
        TRY(to_number(call, KERNEL_STR(0), KERNEL_STR(1), &KERNEL_RESULT(Numeric)));
})
