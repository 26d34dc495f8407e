// SPDX-License-Identifier: Apache-2.0
//
// COPY's options, with PostgreSQL 15's checks and messages. See copy_format.h.
// The contract, and which thread may call, stands in the header.
#include "api/copy_format.h"

static Status one_char(Ctx *ctx, Scope *scope, const AstOption *option, const char *what, char *out)
{
    Status st = OK;
    Str text;

    TRY(ast_option_string(ctx, scope, option, &text));
    if (text.len != 1)
        FAIL(ctx, text.len > 1 ? E_FEATURE_NOT_SUPPORTED : E_INVALID_PARAMETER_VALUE,
             "COPY %s must be a single one-byte character", what);
    *out = text.ptr[0];
done:
    return st;
}

static Status column_list(Ctx *ctx, const AstOption *option, bool *all, AstNames *out)
{
    if (ast_is(option->value, AST_STAR)) {
        *all = true;
        return OK;
    }
    if (!ast_is(option->value, AST_NAME_LIST))
        return error_raise(ctx, E_INVALID_PARAMETER_VALUE,
                           "argument to option \"%.*s\" must be a list of column names",
                           (int)option->name.len, option->name.ptr);
    *out = ((const AstNameList *)option->value)->names;
    return OK;
}

static Status read_format(Ctx *ctx, Scope *scope, const AstOption *option, CopyOptions *out)
{
    Status st = OK;
    Str name;

    TRY(ast_option_string(ctx, scope, option, &name));
    if (str_is(name, "text"))
        out->format = COPY_TEXT;
    else if (str_is(name, "csv"))
        out->format = COPY_CSV;
    else if (str_is(name, "binary"))
        FAIL(ctx, E_FEATURE_NOT_SUPPORTED, "COPY format \"binary\" is not supported");
    else
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "COPY format \"%.*s\" not recognized", (int)name.len,
             name.ptr);
done:
    return st;
}

static Status read_header(Ctx *ctx, Scope *scope, const AstOption *option, bool is_from,
                          CopyOptions *out)
{
    Status st = OK;
    Str text;
    bool on;

    if (option->value && ast_option_string(ctx, scope, option, &text) == OK &&
        str_equal_nocase(text, STR("match"))) {
        if (!is_from)
            FAIL(ctx, E_FEATURE_NOT_SUPPORTED, "cannot use \"match\" with HEADER in COPY TO");
        out->header = COPY_HEADER_MATCH;
        return OK;
    }
    error_clear(ctx);
    TRY(ast_option_bool(ctx, option, &on));
    out->header = on ? COPY_HEADER_SKIP : COPY_HEADER_NONE;
done:
    return st;
}

static Status read_option(Ctx *ctx, Scope *scope, const AstOption *option, bool is_from,
                          CopyOptions *out)
{
    Status st = OK;
    Str name = option->name;
    Str text;
    bool ignored;

    if (str_is(name, "format"))
        return read_format(ctx, scope, option, out);
    if (str_is(name, "header"))
        return read_header(ctx, scope, option, is_from, out);
    if (str_is(name, "delimiter"))
        return one_char(ctx, scope, option, "delimiter", &out->delimiter);
    if (str_is(name, "quote"))
        return one_char(ctx, scope, option, "quote", &out->quote);
    if (str_is(name, "escape"))
        return one_char(ctx, scope, option, "escape", &out->escape);
    if (str_is(name, "null"))
        return ast_option_string(ctx, scope, option, &out->null);
    if (str_is(name, "freeze"))
        return ast_option_bool(ctx, option, &ignored);
    if (str_is(name, "force_quote"))
        return column_list(ctx, option, &out->force_quote_all, &out->force_quote);
    if (str_is(name, "force_not_null"))
        return column_list(ctx, option, &out->force_not_null_all, &out->force_not_null);
    if (str_is(name, "force_null"))
        return column_list(ctx, option, &out->force_null_all, &out->force_null);
    if (!str_is(name, "encoding"))
        FAIL(ctx, E_SYNTAX, "option \"%.*s\" not recognized", (int)name.len, name.ptr);
    TRY(ast_option_string(ctx, scope, option, &text));
    if (!str_equal_nocase(text, STR("utf8")) && !str_equal_nocase(text, STR("utf-8")))
        FAIL(ctx, E_FEATURE_NOT_SUPPORTED, "COPY encoding \"%.*s\" is not supported", (int)text.len,
             text.ptr);
done:
    return st;
}

static bool has_char(Str text, char c)
{
    return text.len && memchr(text.ptr, c, text.len) != NULL;
}

static Status check(Ctx *ctx, const CopyOptions *o, bool is_from)
{
    static const char forbidden[] = "\\.abcdefghijklmnopqrstuvwxyz0123456789";
    bool csv = o->format == COPY_CSV;

    if (o->delimiter == '\n' || o->delimiter == '\r')
        return error_raise(ctx, E_INVALID_PARAMETER_VALUE,
                           "COPY delimiter cannot be newline or carriage return");
    if (has_char(o->null, '\n') || has_char(o->null, '\r'))
        return error_raise(ctx, E_INVALID_PARAMETER_VALUE,
                           "COPY null representation cannot use newline or carriage return");
    if (!csv && strchr(forbidden, o->delimiter))
        return error_raise(ctx, E_INVALID_PARAMETER_VALUE, "COPY delimiter cannot be \"%c\"",
                           o->delimiter);
    if (csv && o->delimiter == o->quote)
        return error_raise(ctx, E_INVALID_PARAMETER_VALUE,
                           "COPY delimiter and quote must be different");
    if (has_char(o->null, o->delimiter))
        return error_raise(ctx, E_FEATURE_NOT_SUPPORTED,
                           "COPY delimiter must not appear in the NULL specification");
    if (csv && has_char(o->null, o->quote))
        return error_raise(ctx, E_FEATURE_NOT_SUPPORTED,
                           "CSV quote character must not appear in the NULL specification");
    if (!csv && (o->force_quote_all || o->force_quote.count))
        return error_raise(ctx, E_FEATURE_NOT_SUPPORTED,
                           "COPY force quote available only in CSV mode");
    if (is_from && (o->force_quote_all || o->force_quote.count))
        return error_raise(ctx, E_FEATURE_NOT_SUPPORTED,
                           "COPY force quote only available using COPY TO");
    if ((!csv || !is_from) && (o->force_not_null_all || o->force_not_null.count ||
                               o->force_null_all || o->force_null.count))
        return error_raise(ctx, E_FEATURE_NOT_SUPPORTED,
                           "COPY force null and force not null are only available in CSV mode "
                           "using COPY FROM");
    return OK;
}

Status copy_options(Ctx *ctx, Scope *scope, const AstList *options, bool is_from, CopyOptions *out)
{
    Status st = OK;

    *out = (CopyOptions){0};
    for (uint32_t i = 0; i < options->count; i++) {
        const AstOption *option = (const AstOption *)options->items[i];
        if (ast_option_find(options, str_to_c(scope, option->name)) != option)
            FAIL(ctx, E_SYNTAX, "conflicting or redundant options");
        TRY(read_option(ctx, scope, option, is_from, out));
    }
    bool csv = out->format == COPY_CSV;
    if (!csv && (out->quote || out->escape))
        FAIL(ctx, E_FEATURE_NOT_SUPPORTED, "COPY %s available only in CSV mode",
             out->quote ? "quote" : "escape");
    if (out->delimiter == 0)
        out->delimiter = csv ? ',' : '\t';
    if (out->null.ptr == NULL)
        out->null = csv ? STR("") : STR("\\N");
    if (out->quote == 0)
        out->quote = '"';
    if (out->escape == 0)
        out->escape = out->quote;
    TRY(check(ctx, out, is_from));
done:
    return st;
}
