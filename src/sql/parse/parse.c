// SPDX-License-Identifier: Apache-2.0
//
// The adapter's entry: sets the library up for the calling thread, runs the grammar under its own
// error frame, and hands each raw statement to the converters. The library's memory for one call is
// one context, gone when the call returns; the tree and its strings live in the caller's scope.
// pg_query_init is not called: it takes a pthread key for each thread, which run out after a
// thousand.
#include "sql/parse/parse_int.h"

#include "base/memory.h"
#include "os/thread.h"

#include "mb/pg_wchar.h"
#include "parser/parser.h"
#include "utils/memutils.h"

#include <pg_query.h>
#include <stdarg.h>

extern __thread sig_atomic_t pg_query_initialized;

typedef enum ThreadState { THREAD_FRESH, THREAD_READY, THREAD_RELEASED } ThreadState;

static _Thread_local ThreadState thread_state;

/* PARSE-3: the library's free lists point into freed memory afterwards. */
static void release_thread(void)
{
    thread_state = THREAD_RELEASED;
    pg_query_exit();
}

void parse_prepare_thread(void)
{
    if (thread_state == THREAD_READY)
        return;
    ASSERT(thread_state == THREAD_FRESH);
    MemoryContextInit();
    SetDatabaseEncoding(PG_UTF8);
    pg_query_initialized = 1;
    thread_on_exit(release_thread);
    thread_state = THREAD_READY;
}

// --- errors ------------------------------------------------------------------------------------

int32_t sql_position(Str text, int32_t location)
{
    if (location < 0)
        return 0;
    return (int32_t)str_utf8_length(str_make(text.ptr, MIN((size_t)location, text.len))) + 1;
}

void parse_fail(Parse *p, Status status, int location, const char *format, ...)
{
    va_list args;

    if (p->status != OK)
        return;
    va_start(args, format);
    char *message = mem_vprintf(format, args);
    va_end(args);
    p->status = error_raise(p->ctx, status, "%s", message);
    mem_free(message);
    error_position(p->ctx, sql_position(p->text, location));
}

void parse_unsupported(Parse *p, int location, const char *feature)
{
    parse_fail(p, E_FEATURE_NOT_SUPPORTED, location, "%s is not supported", feature);
}

bool parse_enter(Parse *p)
{
    if (p->status == OK && p->depth >= AST_DEPTH_MAX) { /* PARSE-1 */
        parse_fail(p, E_STATEMENT_TOO_COMPLEX, -1, "stack depth limit exceeded");
        error_hint(p->ctx, "A statement may be nested %d levels deep.", AST_DEPTH_MAX);
    }
    if (p->status != OK)
        return false;
    p->depth++;
    return true;
}

static Status status_of_sqlstate(const char *sqlstate)
{
    for (Status status = OK + 1; status < STATUS_COUNT; status++)
        if (strcmp(error_sqlstate(status), sqlstate) == 0)
            return status;
    return strncmp(sqlstate, "42", 2) == 0 ? E_SYNTAX : E_INTERNAL;
}

static Status raise_library_error(Ctx *ctx, const ErrorData *error)
{
    char sqlstate[6];

    for (int i = 0; i < 5; i++)
        sqlstate[i] = PGUNSIXBIT(error->sqlerrcode >> (6 * i));
    sqlstate[5] = '\0';
    Status st = error_raise(ctx, status_of_sqlstate(sqlstate), "%s",
                            error->message ? error->message : "parse error");
    if (error->detail != NULL)
        error_detail(ctx, "%s", error->detail);
    if (error->hint != NULL)
        error_hint(ctx, "%s", error->hint);
    error_position(ctx, error->cursorpos);
    return st;
}

// --- the grammar -------------------------------------------------------------------------------

/* Runs the grammar in the current memory context. */
static Status run_grammar(Ctx *ctx, Str text, RawParseMode mode, List **out)
{
    MemoryContext context = CurrentMemoryContext;
    List *volatile parsed = NIL;
    ErrorData *volatile error = NULL;

    PG_TRY();
    {
        char *terminated = palloc(text.len + 1);
        if (text.len > 0)
            memcpy(terminated, text.ptr, text.len);
        terminated[text.len] = '\0';
        parsed = raw_parser(terminated, mode);
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        error = CopyErrorData();
        FlushErrorState();
    }
    PG_END_TRY();
    *out = parsed;
    return error == NULL ? OK : raise_library_error(ctx, error);
}

static Status check_text(Ctx *ctx, Str text)
{
    Status st = OK;
    size_t bad_at;

    if (text.len > SQL_TEXT_BYTES_MAX)
        FAIL(ctx, E_PROGRAM_LIMIT_EXCEEDED, "statement is too long: %zu bytes", text.len);
    if (!str_utf8_valid(text, &bad_at)) {
        StrBuf bytes;
        strbuf_init(&bytes);
        size_t bytes_wanted = (size_t)pg_utf_mblen((const unsigned char *)text.ptr + bad_at);
        size_t shown = MIN(text.len - bad_at, bytes_wanted);
        for (size_t i = 0; i < shown; i++)
            strbuf_printf(&bytes, " 0x%02x", (unsigned char)text.ptr[bad_at + i]);
        st = error_raise(ctx, E_CHARACTER_NOT_IN_REPERTOIRE,
                         "invalid byte sequence for encoding \"UTF8\":%s", strbuf_c(&bytes));
        strbuf_free(&bytes);
    }
done:
    return st;
}

/* What a call does with the grammar's result; runs in the call's memory context. */
typedef void (*ParseUse)(Parse *p, List *parsed, void *out);

static Status with_grammar(Ctx *ctx, Scope *scope, Str text, RawParseMode mode, ParseUse use,
                           void *out)
{
    Status st = OK;
    MemoryContext context = NULL;
    MemoryContext before = NULL;
    List *parsed = NIL;
    Parse p = {.ctx = ctx, .scope = scope, .text = text};

    TRY(check_text(ctx, text));
    parse_prepare_thread();
    before = CurrentMemoryContext;
    context = AllocSetContextCreate(TopMemoryContext, "sql_parse", ALLOCSET_DEFAULT_SIZES);
    MemoryContextSwitchTo(context);
    TRY(run_grammar(ctx, text, mode, &parsed));
    use(&p, parsed, out);
    st = p.status;
done:
    if (context != NULL) { /* PARSE-2 */
        MemoryContextSwitchTo(before);
        MemoryContextDelete(context);
    }
    return st;
}

// --- statements --------------------------------------------------------------------------------

static size_t skip_line_comment(Str text, size_t at)
{
    while (at < text.len && text.ptr[at] != '\n' && text.ptr[at] != '\r')
        at++;
    return at;
}

static size_t skip_block_comment(Str text, size_t at)
{
    uint32_t depth = 0;

    while (at + 1 < text.len) {
        if (text.ptr[at] == '/' && text.ptr[at + 1] == '*') {
            depth++;
            at += 2;
        } else if (text.ptr[at] == '*' && text.ptr[at + 1] == '/') {
            depth--;
            at += 2;
            if (depth == 0)
                return at;
        } else {
            at++;
        }
    }
    return text.len;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The first byte of a statement: blanks and comments before it are skipped. */
static size_t skip_to_statement(Str text, size_t at)
{
    while (at < text.len) {
        Str rest = str_make(text.ptr + at, text.len - at);
        if (is_blank(rest.ptr[0]) || rest.ptr[0] == ';')
            at++;
        else if (rest.len > 1 && rest.ptr[0] == '-' && rest.ptr[1] == '-')
            at = skip_line_comment(text, at);
        else if (rest.len > 1 && rest.ptr[0] == '/' && rest.ptr[1] == '*')
            at = skip_block_comment(text, at);
        else
            break;
    }
    return at;
}

static AstStatement *convert_statement(Parse *p, const RawStmt *raw)
{
    size_t start = skip_to_statement(p->text, (size_t)MAX(raw->stmt_location, 0));
    size_t end =
        raw->stmt_len > 0 ? (size_t)raw->stmt_location + (size_t)raw->stmt_len : p->text.len;
    AstStatement *statement = PARSE_NEW(p, AST_STATEMENT, AstStatement, (int32_t)start);

    while (end > start && is_blank(p->text.ptr[end - 1]))
        end--;
    statement->start = (uint32_t)start;
    statement->length = (uint32_t)(end - start);
    p->params_max = 0;
    statement->body = parse_statement(p, raw->stmt);
    statement->params_max = p->params_max;
    return statement;
}

static void use_statements(Parse *p, List *parsed, void *out)
{
    uint32_t count = (uint32_t)list_length(parsed);
    AstList list = {.items = scope_new_array(p->scope, AstNode *, count), .count = 0};
    ListCell *cell;

    foreach(cell, parsed) {
        list.items[list.count++] = &convert_statement(p, lfirst(cell))->node;
        if (p->status != OK)
            return;
    }
    *(AstList *)out = list;
}

/* Converts the statements to learn how deep the grammar's tree is: the library's own walks recurse
   without a limit, also along chains of set operations, which ours do not. */
static void use_depth(Parse *p, List *parsed, void *out)
{
    use_statements(p, parsed, out);
    if (p->status == OK && p->arms_max > AST_DEPTH_MAX)
        parse_fail(p, E_STATEMENT_TOO_COMPLEX, -1, "stack depth limit exceeded");
}

Status parse_check_depth(Ctx *ctx, Scope *scope, Str text)
{
    AstList ignored;
    return with_grammar(ctx, scope, text, RAW_PARSE_DEFAULT, use_depth, &ignored);
}

Status sql_parse(Ctx *ctx, Scope *scope, Str text, AstList *out)
{
    return with_grammar(ctx, scope, text, RAW_PARSE_DEFAULT, use_statements, out);
}

static bool is_plain_expression(const SelectStmt *select)
{
    return list_length(select->targetList) == 1 && select->op == SETOP_NONE &&
           select->distinctClause == NIL && select->fromClause == NIL &&
           select->whereClause == NULL && select->groupClause == NIL &&
           select->havingClause == NULL && select->windowClause == NIL &&
           select->sortClause == NIL && select->limitCount == NULL && select->limitOffset == NULL &&
           select->lockingClause == NIL;
}

static void use_expression(Parse *p, List *parsed, void *out)
{
    const SelectStmt *select = castNode(SelectStmt, linitial_node(RawStmt, parsed)->stmt);

    if (!is_plain_expression(select)) {
        parse_fail(p, E_SYNTAX, -1, "syntax error: one expression expected");
        return;
    }
    *(AstNode **)out = parse_expr(p, linitial_node(ResTarget, select->targetList)->val);
}

Status sql_parse_expr(Ctx *ctx, Scope *scope, Str text, AstNode **out)
{
    return with_grammar(ctx, scope, text, RAW_PARSE_PLPGSQL_EXPR, use_expression, out);
}

static void use_type(Parse *p, List *parsed, void *out)
{
    *(AstTypeName **)out = parse_type_name(p, linitial_node(TypeName, parsed));
}

Status sql_parse_type(Ctx *ctx, Scope *scope, Str text, AstTypeName **out)
{
    return with_grammar(ctx, scope, text, RAW_PARSE_TYPE_NAME, use_type, out);
}
