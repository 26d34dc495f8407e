// SPDX-License-Identifier: Apache-2.0
//
// What the library does with a text beside parsing it: normalised text, fingerprint, keywords. The
// text is parsed by ourselves first, which refuses what would exhaust the library's stack.
#include "sql/parse/parse_int.h"

/* Unlike the library's variables, its tables of keywords are shared by all threads. */
#undef PGDLLIMPORT
#define PGDLLIMPORT
#include "common/keywords.h"

#include <pg_query.h>

Status sql_normalize(Ctx *ctx, Scope *scope, Str text, Str *out)
{
    Status st = OK;
    PgQueryNormalizeResult result = {0};
    Scope *work = scope_open(scope, "sql_normalize");

    TRY(parse_check_depth(ctx, work, text));
    result = pg_query_normalize(str_to_c(work, text));
    if (result.error != NULL)
        FAIL(ctx, E_SYNTAX, "%s", result.error->message);
    *out = str_copy(scope, str_from(result.normalized_query));
done:
    pg_query_free_normalize_result(result);
    scope_close(work);
    return st;
}

Status sql_fingerprint(Ctx *ctx, Str text, uint64_t *out)
{
    Status st = OK;
    PgQueryFingerprintResult result = {0};
    Scope *work = scope_open(NULL, "sql_fingerprint");

    TRY(parse_check_depth(ctx, work, text));
    result = pg_query_fingerprint(str_to_c(work, text));
    if (result.error != NULL)
        FAIL(ctx, E_SYNTAX, "%s", result.error->message);
    *out = result.fingerprint;
done:
    pg_query_free_fingerprint_result(result);
    scope_close(work);
    return st;
}

SqlKeyword sql_keyword(Str word)
{
    static const SqlKeyword kinds[] = {
        [UNRESERVED_KEYWORD] = SQL_KEYWORD_UNRESERVED,
        [COL_NAME_KEYWORD] = SQL_KEYWORD_COLUMN_NAME,
        [TYPE_FUNC_NAME_KEYWORD] = SQL_KEYWORD_TYPE_FUNCTION,
        [RESERVED_KEYWORD] = SQL_KEYWORD_RESERVED,
    };
    char terminated[32];

    if (word.len >= sizeof terminated)
        return SQL_KEYWORD_NONE;
    memcpy(terminated, word.ptr, word.len);
    terminated[word.len] = '\0';
    int number = ScanKeywordLookup(terminated, &ScanKeywords);
    return number < 0 ? SQL_KEYWORD_NONE : kinds[ScanKeywordCategories[number]];
}
