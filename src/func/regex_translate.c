// SPDX-License-Identifier: Apache-2.0
//
// PostgreSQL's advanced regular expressions, rewritten for PCRE2. One pass of recursive descent
// that checks the syntax with PostgreSQL's errors, so that nothing of Perl's own syntax gets
// through: classes are those of the C locale, \m \M \y become word boundaries, \v is a vertical
// tab, anchors are spelled out in the newline-sensitive modes, groups in lookaround capture
// nothing. On the way it finds which match PostgreSQL prefers. See regex.h; PostgreSQL 15,
// chapter 9.7.3.
#include "func/regex.h"

#define DEPTH_MAX      200
#define REPETITION_MAX 255

typedef enum Preference { PREFERS_NOTHING, PREFERS_LONG, PREFERS_SHORT } Preference;

typedef struct Translator {
    Ctx *ctx;
    Str in;
    size_t at;
    StrBuf *out;
    RegexTranslation *result;
    uint32_t variable;   /* quantifiers that may match more or less */
    uint32_t lookaround; /* depth of enclosing lookaround groups */
    uint32_t depth;
} Translator;

typedef struct Piece {
    Preference preference;
    bool constraint; /* matches no characters: takes no quantifier */
    bool nothing;    /* a comment */
} Piece;

static Status invalid(Translator *t, const char *why)
{
    return error_raise(t->ctx, E_INVALID_REGULAR_EXPRESSION, "invalid regular expression: %s", why);
}

static Status bad_operand(Translator *t)
{
    return invalid(t, "quantifier operand invalid");
}

static Status bad_escape(Translator *t)
{
    return invalid(t, "invalid escape \\ sequence");
}

static bool more(const Translator *t)
{
    return t->at < t->in.len;
}

static char peek(const Translator *t)
{
    return more(t) ? t->in.ptr[t->at] : '\0';
}

static char peek_next(const Translator *t)
{
    return t->at + 1 < t->in.len ? t->in.ptr[t->at + 1] : '\0';
}

static bool follows(const Translator *t, const char *text)
{
    Str wanted = str_from(text);
    return t->in.len - t->at >= wanted.len &&
           memcmp(t->in.ptr + t->at, wanted.ptr, wanted.len) == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The character at the position, which moves behind it. */
static uint32_t take_char(Translator *t)
{
    const unsigned char *p = (const unsigned char *)t->in.ptr + t->at;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    uint32_t code = n == 1 ? p[0] : p[0] & (0xFF >> (n + 1));

    n = MIN(n, t->in.len - t->at);
    for (size_t k = 1; k < n; k++)
        code = code << 6 | (p[k] & 0x3F);
    t->at += n;
    return code;
}

static void emit(Translator *t, const char *text)
{
    strbuf_append_c(t->out, text);
}

/* A character as itself; one that is not ASCII has no other case (C collation). */
static void emit_literal(Translator *t, uint32_t code)
{
    bool plain = is_alpha(code) || (code >= '0' && code <= '9');

    bool folds_beyond = code != 0 && code < 0x80 && strchr("kKsS", (int)code);

    if (folds_beyond && t->result->flags.ignore_case) /* not the Kelvin sign, not the long s */
        strbuf_printf(t->out, "(?-i:[%c%c])", (char)code, (char)(code ^ 32));
    else if (plain)
        strbuf_append_char(t->out, (char)code);
    else if (code >= 0x80 && t->result->flags.ignore_case)
        strbuf_printf(t->out, "(?-i:\\x{%x})", code);
    else
        strbuf_printf(t->out, "\\x{%x}", code);
}

/* Blanks and comments, where the expanded syntax ignores them. */
static void skip_blanks(Translator *t)
{
    while (t->result->flags.expanded && more(t)) {
        char c = peek(t);
        if (c == '#') {
            while (more(t) && peek(t) != '\n')
                t->at++;
        } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
            t->at++;
        } else {
            break;
        }
    }
}

/* --- escapes --- */

static Status take_hex(Translator *t, int digits, uint32_t *out)
{
    *out = 0;
    for (int k = 0; k < digits; k++) {
        int value = more(t) ? hex_value(peek(t)) : -1;
        if (value < 0)
            return bad_escape(t);
        *out = *out << 4 | (uint32_t)value;
        t->at++;
    }
    return *out > 0x10FFFF ? bad_escape(t) : OK;
}

/* \x and any number of digits. */
static Status take_hex_run(Translator *t, uint32_t *out)
{
    int digits = 0;

    *out = 0;
    for (; more(t) && hex_value(peek(t)) >= 0; digits++) {
        *out = *out << 4 | (uint32_t)hex_value(peek(t));
        t->at++;
        if (*out > 0x10FFFF)
            return bad_escape(t);
    }
    return digits ? OK : bad_escape(t);
}

static void take_octal(Translator *t, uint32_t *out)
{
    *out = 0;
    for (int k = 0; k < 3 && peek(t) >= '0' && peek(t) <= '7'; k++)
        *out = *out << 3 | (uint32_t)(t->in.ptr[t->at++] - '0');
}

/* A letter's character-entry escape; *is_char false if the letter is none. */
static Status take_char_escape(Translator *t, char letter, uint32_t *out, bool *is_char)
{
    *is_char = true;
    switch (letter) {
    case 'a': *out = 7; break;
    case 'b': *out = 8; break;
    case 'B': *out = '\\'; break;
    case 'c':
        if (!more(t))
            return bad_escape(t);
        *out = take_char(t) & 0x1F;
        break;
    case 'e': *out = 27; break;
    case 'f': *out = 12; break;
    case 'n': *out = 10; break;
    case 'r': *out = 13; break;
    case 't': *out = 9; break;
    case 'v': *out = 11; break;
    case 'u': return take_hex(t, 4, out);
    case 'U': return take_hex(t, 8, out);
    case 'x': return take_hex_run(t, out);
    default: *is_char = false; break;
    }
    return OK;
}

/* \1 … : a back reference if there are that many groups or it is one digit, else octal. */
static Status take_number_escape(Translator *t)
{
    size_t start = t->at;
    uint64_t number = 0;
    uint32_t code;

    while (is_digit(peek(t)) && number < 100000)
        number = number * 10 + (uint64_t)(t->in.ptr[t->at++] - '0');
    bool octal = t->in.ptr[start] == '0' || (t->at - start > 1 && number > t->result->groups);
    if (octal) {
        t->at = start;
        take_octal(t, &code);
        emit_literal(t, code);
        return OK;
    }
    if (number > t->result->groups || t->lookaround)
        return invalid(t, "invalid backreference number");
    t->result->backreferences = true;
    strbuf_printf(t->out, "\\g{%u}", (unsigned)number);
    return OK;
}

/* Behind a backslash, outside brackets. */
static Status take_escape(Translator *t, Piece *piece)
{
    Status st = OK;
    uint32_t code;
    bool is_char;

    if (!more(t))
        return bad_escape(t);
    if (is_digit(peek(t)))
        return take_number_escape(t);
    if (!is_alpha((unsigned char)peek(t))) {
        emit_literal(t, take_char(t));
        return OK;
    }
    char letter = t->in.ptr[t->at++];
    const char *constraint = letter == 'A'   ? "\\A"
                             : letter == 'Z' ? "\\z"
                             : letter == 'm' ? "\\b(?=\\w)"
                             : letter == 'M' ? "\\b(?<=\\w)"
                             : letter == 'y' ? "\\b"
                             : letter == 'Y' ? "\\B"
                                             : NULL;
    if (constraint) {
        piece->constraint = true;
        emit(t, constraint);
        goto done;
    }
    if (strchr("dswDSW", letter)) {
        strbuf_printf(t->out, "\\%c", letter);
        goto done;
    }
    TRY(take_char_escape(t, letter, &code, &is_char));
    if (!is_char)
        TRY(bad_escape(t));
    emit_literal(t, code);
done:
    return st;
}

/* --- brackets --- */

typedef struct Bracket {
    StrBuf items;
    bool beyond_ascii;
} Bracket;

static void bracket_char(Bracket *bracket, uint32_t code)
{
    strbuf_printf(&bracket->items, "\\x{%x}", code);
    bracket->beyond_ascii |= code >= 0x80;
}

/* low-high, and what it means for the other case of letters. */
static void bracket_range(Bracket *bracket, uint32_t low, uint32_t high, bool both_cases)
{
    static const uint32_t letters[2][2] = {{'a', 'z'}, {'A', 'Z'}};

    bracket_char(bracket, low);
    if (high != low) {
        strbuf_append_char(&bracket->items, '-');
        bracket_char(bracket, high);
    }
    for (int k = 0; both_cases && k < 2; k++) {
        uint32_t from = MAX(low, letters[k][0]);
        uint32_t to = MIN(high, letters[k][1]);
        if (from <= to)
            strbuf_printf(&bracket->items, "\\x{%x}-\\x{%x}", from ^ 32, to ^ 32);
    }
}

/* [:name:] behind its "[:". */
static Status take_class(Translator *t, Bracket *bracket)
{
    static const char *const names[] = {"alnum", "alpha", "ascii",  "blank", "cntrl",
                                        "digit", "graph", "lower",  "print", "punct",
                                        "space", "upper", "xdigit", "word"};

    for (size_t k = 0; k < ARRAY_COUNT(names); k++) {
        size_t length = strlen(names[k]);
        if (!follows(t, names[k]) || t->in.len - t->at < length + 2 ||
            memcmp(t->in.ptr + t->at + length, ":]", 2) != 0)
            continue;
        bool any_case = t->result->flags.ignore_case && (k == 7 || k == 11);
        strbuf_printf(&bracket->items, "[:%s:]", any_case ? "alpha" : names[k]);
        t->at += length + 2;
        return OK;
    }
    return invalid(t, "invalid character class");
}

/* [.x.] or [=x=] behind its opening: one character. */
static Status take_collating(Translator *t, char mark, uint32_t *out)
{
    char closing[3] = {mark, ']', '\0'};

    if (!more(t))
        return invalid(t, "brackets [] not balanced");
    *out = take_char(t);
    if (!follows(t, closing))
        return invalid(t, "invalid collating element");
    t->at += 2;
    return OK;
}

/* One character of a bracket; *is_class: a class was written to the items instead. */
static Status take_bracket_item(Translator *t, Bracket *bracket, uint32_t *out, bool *is_class)
{
    Status st = OK;
    bool is_char;

    *is_class = false;
    if (peek(t) == '[' && (peek_next(t) == '.' || peek_next(t) == '=')) {
        char mark = peek_next(t);
        t->at += 2;
        TRY(take_collating(t, mark, out));
        goto done;
    }
    if (follows(t, "[:")) {
        t->at += 2;
        *is_class = true;
        TRY(take_class(t, bracket));
        goto done;
    }
    if (peek(t) != '\\') {
        *out = take_char(t);
        goto done;
    }
    t->at++;
    if (!more(t))
        TRY(bad_escape(t));
    if (is_digit(peek(t))) {
        take_octal(t, out);
    } else if (!is_alpha((unsigned char)peek(t))) {
        *out = take_char(t);
    } else {
        char letter = t->in.ptr[t->at++];
        *is_class = strchr("dswDSW", letter) != NULL;
        if (*is_class) {
            strbuf_printf(&bracket->items, "\\%c", letter);
            goto done;
        }
        TRY(take_char_escape(t, letter, out, &is_char));
        if (!is_char)
            TRY(bad_escape(t));
    }
done:
    return st;
}

static Status take_items(Translator *t, Bracket *bracket)
{
    Status st = OK;
    bool first = true;
    bool both_cases = t->result->flags.ignore_case;
    uint32_t low = 0, high = 0;
    bool is_class;

    for (;; first = false) {
        if (!more(t))
            TRY(invalid(t, "brackets [] not balanced"));
        if (peek(t) == ']' && !first)
            break;
        bool dash = peek(t) == '-';
        TRY(take_bracket_item(t, bracket, &low, &is_class));
        if (is_class)
            continue;
        if (dash && !first && peek(t) != ']' && peek(t) != '-')
            TRY(invalid(t, "invalid character range"));
        high = low;
        if (peek(t) == '-' && t->at + 1 < t->in.len && peek_next(t) != ']') {
            t->at++;
            TRY(take_bracket_item(t, bracket, &high, &is_class));
            if (is_class || high < low)
                TRY(invalid(t, "invalid character range"));
        }
        bracket_range(bracket, low, high, both_cases);
    }
    t->at++;
done:
    return st;
}

static Status take_bracket(Translator *t, Piece *piece)
{
    Status st = OK;
    Bracket bracket = {0};
    bool boundary = follows(t, "[:<:]]") || follows(t, "[:>:]]");

    strbuf_init(&bracket.items);
    if (boundary) {
        emit(t, t->in.ptr[t->at + 2] == '<' ? "\\b(?=\\w)" : "\\b(?<=\\w)");
        t->at += 6;
        piece->constraint = true;
        goto done;
    }
    bool negated = peek(t) == '^';
    t->at += negated;
    TRY(take_items(t, &bracket));
    bool no_case = t->result->flags.ignore_case;
    emit(t, no_case ? "(?-i:[" : "[");
    emit(t, negated ? "^" : "");
    strbuf_append_str(t->out, strbuf_str(&bracket.items));
    emit(t, negated && t->result->flags.newline_dot ? "\\n]" : "]");
    emit(t, no_case ? ")" : "");
done:
    strbuf_free(&bracket.items);
    return st;
}

/* --- groups --- */

static Status take_expression(Translator *t, Preference *preference);

/* Behind "(?": what kind it is. */
static Status take_group_kind(Translator *t, Piece *piece, const char **opening)
{
    static const char *const kinds[] = {":", "=", "!", "<=", "<!"};
    static const char *const openings[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!"};

    if (peek(t) == '#') {
        while (more(t) && peek(t) != ')')
            t->at++;
        if (!more(t))
            return invalid(t, "parentheses () not balanced");
        t->at++;
        piece->nothing = true;
        return OK;
    }
    for (size_t k = 0; k < ARRAY_COUNT(kinds); k++) {
        if (!follows(t, kinds[k]))
            continue;
        t->at += strlen(kinds[k]);
        *opening = openings[k];
        piece->constraint = k > 0;
        return OK;
    }
    return bad_operand(t);
}

static Status take_group(Translator *t, Piece *piece)
{
    Status st = OK;
    const char *opening = t->lookaround ? "(?:" : "(";

    if (peek(t) == '?') {
        t->at++;
        TRY(take_group_kind(t, piece, &opening));
        if (piece->nothing)
            goto done;
    }
    if (++t->depth > DEPTH_MAX)
        TRY(invalid(t, "regular expression is too complex"));
    if (opening[1] == '\0')
        t->result->groups++;
    emit(t, opening);
    t->lookaround += piece->constraint;
    TRY(take_expression(t, &piece->preference));
    t->lookaround -= piece->constraint;
    if (peek(t) != ')' || !more(t))
        TRY(invalid(t, "parentheses () not balanced"));
    t->at++;
    emit(t, ")");
    t->depth--;
done:
    return st;
}

/* --- quantifiers --- */

static bool at_quantifier(const Translator *t)
{
    char c = peek(t);
    return more(t) && (c == '*' || c == '+' || c == '?' || (c == '{' && is_digit(peek_next(t))));
}

static Status take_count(Translator *t, int *out)
{
    *out = 0;
    while (is_digit(peek(t))) {
        *out = *out * 10 + (t->in.ptr[t->at++] - '0');
        if (*out > REPETITION_MAX)
            return invalid(t, "invalid repetition count(s)");
    }
    return OK;
}

/* {m}, {m,} or {m,n}; high -1: no limit. *plain: the first form, which prefers what its atom does.
 */
static Status take_bounds(Translator *t, int *low, int *high, bool *plain)
{
    Status st = OK;

    t->at++;
    TRY(take_count(t, low));
    *high = *low;
    *plain = peek(t) != ',';
    if (!*plain) {
        t->at++;
        *high = -1;
        if (is_digit(peek(t)))
            TRY(take_count(t, high));
    }
    if (!more(t))
        TRY(invalid(t, "braces {} not balanced"));
    if (peek(t) != '}' || (*high >= 0 && *high < *low))
        TRY(invalid(t, "invalid repetition count(s)"));
    t->at++;
done:
    return st;
}

static Status take_quantifier(Translator *t, Piece *piece)
{
    Status st = OK;
    int low = 0;
    int high = -1;
    bool plain = false;
    char c = peek(t);

    if (piece->constraint)
        TRY(bad_operand(t));
    if (c == '{') {
        TRY(take_bounds(t, &low, &high, &plain));
    } else {
        low = c == '+';
        high = c == '?' ? 1 : -1;
        t->at++;
    }
    bool lazy = peek(t) == '?' && more(t);
    t->at += lazy;
    if (high < 0)
        strbuf_printf(t->out, "{%d,}", low);
    else
        strbuf_printf(t->out, "{%d,%d}", low, high);
    if (!plain)
        piece->preference = lazy ? PREFERS_SHORT : PREFERS_LONG;
    if (low != high) {
        emit(t, lazy ? "?" : "");
        t->variable++;
    }
    skip_blanks(t);
    if (at_quantifier(t))
        TRY(bad_operand(t));
done:
    return st;
}

/* --- the whole --- */

static Status take_anchor(Translator *t, char c, Piece *piece)
{
    bool lines = t->result->flags.newline_anchor;

    piece->constraint = true;
    if (c == '^')
        emit(t, lines ? "(?<![^\\n])" : "\\A");
    else
        emit(t, lines ? "(?![^\\n])" : "\\z");
    return OK;
}

static Status take_atom(Translator *t, Piece *piece)
{
    char c = peek(t);

    if (at_quantifier(t))
        return bad_operand(t);
    if ((unsigned char)c >= 0x80) {
        emit_literal(t, take_char(t));
        return OK;
    }
    t->at++;
    switch (c) {
    case '^':
    case '$': return take_anchor(t, c, piece);
    case '(': return take_group(t, piece);
    case '[': return take_bracket(t, piece);
    case '\\': return take_escape(t, piece);
    case '.': emit(t, t->result->flags.newline_dot ? "[^\\n]" : "(?s:.)"); return OK;
    default: emit_literal(t, (unsigned char)c); return OK;
    }
}

static Status take_branch(Translator *t, Preference *preference)
{
    Status st = OK;

    *preference = PREFERS_NOTHING;
    for (;;) {
        Piece piece = {0};
        skip_blanks(t);
        if (!more(t) || peek(t) == '|' || peek(t) == ')')
            break;
        TRY(take_atom(t, &piece));
        skip_blanks(t);
        if (piece.nothing)
            continue;
        if (at_quantifier(t))
            TRY(take_quantifier(t, &piece));
        if (*preference == PREFERS_NOTHING && !piece.constraint)
            *preference = piece.preference;
    }
done:
    return st;
}

static Status take_expression(Translator *t, Preference *preference)
{
    Status st = OK;
    Preference branch;

    TRY(take_branch(t, preference));
    while (peek(t) == '|' && more(t)) {
        t->at++;
        emit(t, "|");
        t->result->ambiguous = true;
        TRY(take_branch(t, &branch));
        *preference = PREFERS_LONG;
    }
done:
    return st;
}

static Status bad_option(Translator *t)
{
    return invalid(t, "invalid embedded option");
}

/* The letter of an option: in (?…) at the start, or of a flags argument. False if unknown. */
static bool set_flag(RegexFlags *flags, char letter)
{
    switch (letter) {
    case 'c': flags->ignore_case = false; return true;
    case 'i': flags->ignore_case = true; return true;
    case 'm':
    case 'n': flags->newline_dot = flags->newline_anchor = true; return true;
    case 'p':
        flags->newline_dot = true;
        flags->newline_anchor = false;
        return true;
    case 'q': flags->literal = true; return true;
    case 's': flags->newline_dot = flags->newline_anchor = false; return true;
    case 't': flags->expanded = false; return true;
    case 'w':
        flags->newline_dot = false;
        flags->newline_anchor = true;
        return true;
    case 'x': flags->expanded = true; return true;
    default: return false;
    }
}

static Status other_flavour(Ctx *ctx)
{
    return error_raise(
        ctx, E_FEATURE_NOT_SUPPORTED,
        "basic and extended regular expressions (options b and e) are not supported");
}

Status regex_parse_flags(Ctx *ctx, Str letters, RegexFlags *out)
{
    for (size_t i = 0; i < letters.len; i++) {
        char letter = letters.ptr[i];
        if (letter == 'b' || letter == 'e')
            return other_flavour(ctx);
        if (letter == 'g') {
            out->global = true;
        } else if (!set_flag(out, letter)) {
            size_t end = i + 1;
            while (end < letters.len && ((unsigned char)letters.ptr[end] & 0xC0) == 0x80)
                end++;
            return error_raise(ctx, E_INVALID_PARAMETER_VALUE,
                               "invalid regular expression option: \"%.*s\"", (int)(end - i),
                               letters.ptr + i);
        }
    }
    return OK;
}

/* "***:" or "***=", then (?options). */
static Status take_prefix(Translator *t)
{
    Status st = OK;

    if (follows(t, "***")) {
        t->at += 3;
        if (peek(t) == '=')
            t->result->flags.literal = true;
        else if (peek(t) != ':')
            TRY(bad_operand(t));
        t->at++;
    }
    if (t->result->flags.literal || !follows(t, "(?") ||
        !is_alpha((unsigned char)*(t->in.ptr + MIN(t->at + 2, t->in.len - 1))))
        goto done;
    for (t->at += 2; is_alpha((unsigned char)peek(t)); t->at++) {
        if (peek(t) == 'b' || peek(t) == 'e')
            TRY(other_flavour(t->ctx));
        if (!set_flag(&t->result->flags, peek(t)))
            TRY(bad_option(t));
    }
    if (peek(t) != ')')
        TRY(bad_option(t));
    t->at++;
done:
    return st;
}

Status regex_translate(Ctx *ctx, Str pattern, RegexFlags flags, StrBuf *out,
                       RegexTranslation *translation)
{
    Status st = OK;
    Preference preference = PREFERS_NOTHING;
    Translator t = {.ctx = ctx, .in = pattern, .out = out, .result = translation};

    *translation = (RegexTranslation){.flags = flags};
    if (!flags.literal)
        TRY(take_prefix(&t));
    while (translation->flags.literal && more(&t))
        emit_literal(&t, take_char(&t));
    TRY(take_expression(&t, &preference));
    if (more(&t))
        TRY(invalid(&t, "parentheses () not balanced"));
    translation->prefers_short = preference == PREFERS_SHORT;
    translation->ambiguous |= t.variable > 1;
done:
    return st;
}
