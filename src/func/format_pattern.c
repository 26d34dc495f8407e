// SPDX-License-Identifier: Apache-2.0
//
// Cutting a format into nodes: at each place a modifier, then the longest keyword, else quoted or
// plain characters one by one, told apart as separators, blanks and others because to_date treats
// them differently. See format_pattern.h.
#include "func/format_pattern.h"

#include "base/array.h"

typedef ARRAY(FormatNode) FormatNodes;

static size_t char_bytes(Str text, size_t at)
{
    size_t n = 1;

    while (at + n < text.len && ((unsigned char)text.ptr[at + n] & 0xC0) == 0x80)
        n++;
    return n;
}

static bool starts(Str text, size_t at, const char *with)
{
    size_t length = strlen(with);
    return text.len - at >= length && memcmp(text.ptr + at, with, length) == 0;
}

static const FormatKeyword *find_keyword(Str format, size_t at, const FormatKeyword *keywords,
                                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (starts(format, at, keywords[i].name))
            return &keywords[i];
    }
    return NULL;
}

/* A modifier in front of a keyword; *at goes behind it. */
static unsigned take_prefix(Str format, size_t *at)
{
    unsigned found = 0;

    if (starts(format, *at, "FM") || starts(format, *at, "fm"))
        found = FORMAT_FILL_MODE;
    else if (starts(format, *at, "TM") || starts(format, *at, "tm"))
        found = FORMAT_LOCAL;
    *at += found ? 2 : 0;
    return found;
}

static unsigned take_suffix(Str format, size_t *at)
{
    unsigned found = 0;
    bool spelled = starts(format, *at, "SP") || starts(format, *at, "sp");

    if (starts(format, *at, "TH"))
        found = FORMAT_TH_UPPER;
    else if (starts(format, *at, "th"))
        found = FORMAT_TH_LOWER;
    *at += found || spelled ? 2 : 0;
    return found;
}

static FormatNodeKind kind_of(char c, bool separators)
{
    bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

    if (separators && c > ' ' && c < 0x7F && !alnum)
        return NODE_SEPARATOR;
    return c == ' ' || (c >= '\t' && c <= '\r') ? NODE_SPACE : NODE_CHAR;
}

static void add_char(Scope *scope, FormatNodes *nodes, Str format, size_t *at, FormatNodeKind kind)
{
    size_t bytes = char_bytes(format, *at);
    FormatNode node = {.kind = kind, .text = {format.ptr + *at, bytes}};

    array_push(scope, nodes, node);
    *at += bytes;
}

/* Behind an opening quote; a backslash makes the next character plain. */
static void take_quoted(Scope *scope, FormatNodes *nodes, Str format, size_t *at)
{
    while (*at < format.len) {
        if (format.ptr[*at] == '"') {
            ++*at;
            return;
        }
        if (format.ptr[*at] == '\\' && *at + 1 < format.len)
            ++*at;
        add_char(scope, nodes, format, at, NODE_CHAR);
    }
}

FormatNode *format_parse(Scope *scope, Str format, const FormatKeyword *keywords, size_t count,
                         bool modifiers)
{
    FormatNodes nodes = {0};

    for (size_t at = 0; at < format.len;) {
        FormatNode node = {.kind = NODE_ACTION};
        if (modifiers)
            node.modifiers = take_prefix(format, &at);
        if (at >= format.len)
            break;
        node.keyword = find_keyword(format, at, keywords, count);
        if (node.keyword) {
            at += strlen(node.keyword->name);
            if (modifiers)
                node.modifiers |= take_suffix(format, &at);
            array_push(scope, &nodes, node);
        } else if (format.ptr[at] == '"') {
            at++;
            take_quoted(scope, &nodes, format, &at);
        } else {
            if (format.ptr[at] == '\\' && at + 1 < format.len && format.ptr[at + 1] == '"')
                at++;
            add_char(scope, &nodes, format, &at, kind_of(format.ptr[at], modifiers));
        }
    }
    FormatNode end = {.kind = NODE_END};
    array_push(scope, &nodes, end);
    return nodes.data;
}

const char *format_ordinal(Str digits, bool upper)
{
    static const char *const lower_words[] = {"th", "st", "nd", "rd"};
    static const char *const upper_words[] = {"TH", "ST", "ND", "RD"};
    char last = digits.len ? digits.ptr[digits.len - 1] : '0';
    bool teen = digits.len > 1 && digits.ptr[digits.len - 2] == '1';
    int word = !teen && last >= '1' && last <= '3' ? last - '0' : 0;

    return upper ? upper_words[word] : lower_words[word];
}
