// SPDX-License-Identifier: Apache-2.0
//
// Identifiers as text; see ident.h.
// The contract, and which thread may call, stands in the header.
#include "sql/ident.h"

#include "sql/parse/parse.h"

static bool is_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}

static bool is_part(char c)
{
    return is_start(c) || (c >= '0' && c <= '9') || c == '$';
}

/* Reads one identifier at *at; false if there is none. */
static bool read_part(Scope *scope, Str text, size_t *at, Str *out)
{
    char *name = scope_alloc(scope, text.len + 1);
    size_t length = 0;
    size_t i = *at;

    if (i < text.len && text.ptr[i] == '"') {
        for (i++; i < text.len; i++) {
            if (text.ptr[i] == '"') {
                if (i + 1 >= text.len || text.ptr[i + 1] != '"')
                    break;
                i++;
            }
            name[length++] = text.ptr[i];
        }
        if (i >= text.len || length == 0)
            return false;
        i++;
    } else {
        for (; i < text.len && is_part(text.ptr[i]); i++) {
            char c = text.ptr[i];
            name[length++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
        if (length == 0)
            return false;
    }
    *at = i;
    *out = (Str){name, length};
    return true;
}

Status ident_parse_name(Ctx *ctx, Scope *scope, Str text, AstName *out)
{
    Str trimmed = str_trim(text);
    Str parts[3] = {0};
    uint32_t count = 0;
    size_t at = 0;

    while (count < 3 && read_part(scope, trimmed, &at, &parts[count])) {
        count++;
        if (at == trimmed.len || trimmed.ptr[at] != '.')
            break;
        at++;
    }
    if (count == 0 || at != trimmed.len)
        return error_raise(ctx, E_INVALID_NAME, "invalid name syntax");
    *out = (AstName){.name = parts[count - 1]};
    if (count >= 2)
        out->schema = parts[count - 2];
    if (count == 3)
        out->catalog = parts[0];
    return OK;
}

void ident_append(StrBuf *out, Str name)
{
    bool plain = name.len > 0 && is_start(name.ptr[0]);

    for (size_t i = 0; i < name.len && plain; i++)
        plain = is_part(name.ptr[i]) && name.ptr[i] != '$' &&
                !(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z');
    if (plain) {
        SqlKeyword word = sql_keyword(name);
        plain = word == SQL_KEYWORD_NONE || word == SQL_KEYWORD_UNRESERVED;
    }
    if (plain) {
        strbuf_append_str(out, name);
        return;
    }
    strbuf_append_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            strbuf_append_char(out, '"');
        strbuf_append_char(out, name.ptr[i]);
    }
    strbuf_append_char(out, '"');
}

bool ident_next(Scope *scope, Str *list, Str *out)
{
    Str rest = str_trim(*list);
    size_t at = 0;

    if (rest.len == 0)
        return false;
    if (!read_part(scope, rest, &at, out)) {
        /* Not an identifier (a bare "$user"): everything to the comma. */
        while (at < rest.len && rest.ptr[at] != ',')
            at++;
        *out = str_trim((Str){rest.ptr, at});
    }
    while (at < rest.len && rest.ptr[at] != ',')
        at++;
    at = MIN(at + 1, rest.len);
    *list = (Str){rest.ptr + at, rest.len - at};
    return true;
}
