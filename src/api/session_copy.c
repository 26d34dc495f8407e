// SPDX-License-Identifier: Apache-2.0
//
// COPY: into a table from the client or a file, out of a table or a query to the client or a file.
// Input comes in pieces; each piece's whole records are parsed column by column and inserted in
// batches. A batch that meets a lock is rolled back to its own savepoint and tried again when
// woken, as its input cannot be asked for twice. One thread at a time.
#include "api/copy_format.h"
#include "api/session_int.h"
#include "exec/insert.h"
#include "os/file.h"
#include "sql/ident.h"

#include <stdio.h>

#define FILE_PIECE_BYTES ((size_t)1 << 20)
#define OUT_PIECE_BYTES  ((size_t)64 << 10)

typedef struct CopyIn {
    Scope *scope; /* as long as the statement */
    Scope *batch_scope;
    CopyOptions options;
    CopyParser *parser;
    PlannedStatement target; /* INSERT … DEFAULT VALUES: checks and index expressions */
    const Table *table;
    uint32_t columns_count;    /* in the input */
    const uint32_t *column_at; /* position in the table of each */
    Expr **defaults;           /* by table column; NULL: in the input */
    Expr *where;
    ExecEnv env;
    Inserter *inserter;
    Str *texts;
    Batch pending; /* parsed, not yet inserted: a lock was met */
    bool has_pending;
    bool client_done;
    Str fail_reason; /* CopyFail; ptr NULL: none */
} CopyIn;

static bool named(const AstNames *names, Str name)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (str_equal(names->items[i], name))
            return true;
    }
    return false;
}

static Status find_table(Session *session, const AstCopy *ast, const Table **out)
{
    const Object *object = session_find_relation(session, &ast->table->name);
    int length = (int)ast->table->name.name.len;
    const char *name = ast->table->name.name.ptr;

    if (object == NULL) {
        bool no_schema = ast->table->name.schema.ptr &&
                         catalog_schema(session->catalog, ast->table->name.schema) == NULL;
        if (no_schema)
            return error_raise(&session->ctx, E_INVALID_SCHEMA_NAME,
                               "schema \"%.*s\" does not exist", (int)ast->table->name.schema.len,
                               ast->table->name.schema.ptr);
        return error_raise(&session->ctx, E_UNDEFINED_TABLE, "relation \"%.*s\" does not exist",
                           length, name);
    }
    if (object->kind != OBJECT_TABLE) {
        error_raise(&session->ctx, E_WRONG_OBJECT_TYPE, "cannot copy %s %s \"%.*s\"",
                    ast->is_from ? "to" : "from",
                    object->kind == OBJECT_VIEW ? "view" : "non-table relation", length, name);
        if (!ast->is_from)
            error_hint(&session->ctx, "Try the COPY (SELECT ...) TO variant.");
        return E_WRONG_OBJECT_TYPE;
    }
    *out = (const Table *)object;
    return OK;
}

/* Positions of the named columns, or of all. */
static Status find_columns(Session *session, Scope *scope, const Table *table,
                           const AstNames *names, uint32_t **out, uint32_t *count)
{
    *count = names->count ? names->count : table->columns_count;
    *out = scope_new_array(scope, uint32_t, MAX(*count, 1));
    for (uint32_t i = 0; i < *count; i++) {
        (*out)[i] = i;
        if (names->count == 0)
            continue;
        uint32_t at = 0;
        while (at < table->columns_count && !str_equal(table->columns[at].name, names->items[i]))
            at++;
        if (at == table->columns_count)
            return error_raise(&session->ctx, E_UNDEFINED_COLUMN,
                               "column \"%.*s\" of relation \"%.*s\" does not exist",
                               (int)names->items[i].len, names->items[i].ptr,
                               (int)table->object.name.len, table->object.name.ptr);
        for (uint32_t k = 0; k < i; k++) {
            if ((*out)[k] == at)
                return error_raise(&session->ctx, E_DUPLICATE_COLUMN,
                                   "column \"%.*s\" specified more than once",
                                   (int)names->items[i].len, names->items[i].ptr);
        }
        (*out)[i] = at;
    }
    return OK;
}

/* Plans a statement that is made up here from the table's qualified name. */
static Status plan_text(Session *session, Scope *scope, Str text, PlannedStatement *out)
{
    Status st = OK;
    AstList statements;
    SqlType *params = NULL;
    uint32_t params_count = 0;

    TRY(sql_parse(&session->ctx, scope, text, &statements));
    TRY(session_plan(session, ((const AstStatement *)statements.items[0])->body, text, &params,
                     &params_count, out));
done:
    return st;
}

static void append_table(Session *session, StrBuf *out, const Table *table)
{
    const Object *schema = catalog_by_oid(session->catalog, table->object.schema);

    ident_append(out, schema->name);
    strbuf_append_char(out, '.');
    ident_append(out, table->object.name);
}

static Status bind_default(Session *session, CopyIn *copy, uint32_t at)
{
    Status st = OK;
    const Column *column = &copy->table->columns[at];
    AstNode *ast;
    BindEnv env;

    if (column->default_sql.len == 0) {
        copy->defaults[at] = expr_null(copy->scope, column->type);
        return OK;
    }
    session_bind_env(session, &env, NULL, 0);
    env.text = column->default_sql;
    TRY(sql_parse_expr(&session->ctx, copy->scope, column->default_sql, &ast));
    TRY(sql_bind_expr(&session->ctx, copy->scope, &env, ast, NULL, column->type,
                      &copy->defaults[at]));
done:
    return st;
}

static Status bind_defaults(Session *session, CopyIn *copy)
{
    Status st = OK;
    bool *given = scope_new_array(copy->scope, bool, copy->table->columns_count + 1);

    copy->defaults = scope_new_array(copy->scope, Expr *, copy->table->columns_count + 1);
    for (uint32_t i = 0; i < copy->columns_count; i++)
        given[copy->column_at[i]] = true;
    for (uint32_t i = 0; i < copy->table->columns_count; i++) {
        if (!given[i])
            TRY(bind_default(session, copy, i));
    }
done:
    return st;
}

static Status check_header(void *arg, Ctx *ctx, const Str *names, uint32_t count)
{
    const CopyIn *copy = arg;

    if (count != copy->columns_count)
        return error_raise(ctx, E_BAD_COPY_FORMAT,
                           "wrong number of fields in header line: got %u, expected %u", count,
                           copy->columns_count);
    for (uint32_t i = 0; i < count; i++) {
        Str expected = copy->table->columns[copy->column_at[i]].name;
        if (!str_equal(names[i], expected))
            return error_raise(
                ctx, E_BAD_COPY_FORMAT,
                "column name mismatch in header line field %u: got \"%.*s\", expected \"%.*s\"",
                i + 1, (int)names[i].len, names[i].ptr, (int)expected.len, expected.ptr);
    }
    return OK;
}

static void make_parser(CopyIn *copy)
{
    bool *not_null = scope_new_array(copy->scope, bool, copy->columns_count + 1);
    bool *null = scope_new_array(copy->scope, bool, copy->columns_count + 1);

    for (uint32_t i = 0; i < copy->columns_count; i++) {
        Str name = copy->table->columns[copy->column_at[i]].name;
        not_null[i] =
            copy->options.force_not_null_all || named(&copy->options.force_not_null, name);
        null[i] = copy->options.force_null_all || named(&copy->options.force_null, name);
    }
    copy->parser =
        copy_parser_new(copy->scope, &copy->options, copy->columns_count, not_null, null);
    copy_parser_on_header(copy->parser, check_header, copy);
    copy->texts =
        scope_new_array(copy->scope, Str, (size_t)copy->columns_count * BATCH_ROWS_MAX + 1);
}

static void error_at_line(Session *session, const CopyIn *copy, uint64_t line, const char *column)
{
    Str name = copy->table->object.name;

    if (column)
        error_where(&session->ctx, "COPY %.*s, line %llu, column %s", (int)name.len, name.ptr,
                    (unsigned long long)line, column);
    else
        error_where(&session->ctx, "COPY %.*s, line %llu", (int)name.len, name.ptr,
                    (unsigned long long)line);
}

/* Parsed texts -> the table's row: input columns converted, the others from their defaults. */
static Status make_batch(Session *session, CopyIn *copy, uint32_t rows)
{
    Status st = OK;
    const Table *table = copy->table;
    Scope *scope = copy->batch_scope;
    Vector *columns = scope_new_array(scope, Vector, table->columns_count + 1);
    Batch input = {.rows_count = rows};

    for (uint32_t i = 0; i < copy->columns_count; i++) {
        const Column *column = &table->columns[copy->column_at[i]];
        uint32_t bad_row = 0;
        st = type_input_vector(&session->ctx, scope, column->type,
                               copy->texts + (size_t)i * BATCH_ROWS_MAX, rows, &session->io,
                               &columns[copy->column_at[i]], &bad_row);
        if (st != OK) {
            error_at_line(session, copy, copy_parser_line(copy->parser, bad_row),
                          str_to_c(scope, column->name));
            goto done;
        }
    }
    for (uint32_t i = 0; i < table->columns_count; i++) {
        if (copy->defaults[i])
            TRY(exec_eval(&session->ctx, scope, copy->defaults[i], &copy->env, &input,
                          &columns[i]));
    }
    copy->pending =
        (Batch){.rows_count = rows, .columns_count = table->columns_count, .columns = columns};
    copy->has_pending = true;
done:
    return st;
}

/* COPY … WHERE: keeps the rows for which it is true. */
static Status filter_pending(Session *session, CopyIn *copy)
{
    Status st = OK;
    Batch *batch = &copy->pending;
    uint32_t *kept;
    uint32_t kept_count = 0;
    Vector keep;

    if (copy->where == NULL)
        return OK;
    kept = scope_new_array(copy->batch_scope, uint32_t, batch->rows_count + 1);
    TRY(exec_eval(&session->ctx, copy->batch_scope, copy->where, &copy->env, batch, &keep));
    for (uint32_t i = 0; i < batch->rows_count; i++) {
        if (!vector_is_null(&keep, i) && vector_at(&keep, uint8_t, i))
            kept[kept_count++] = i;
    }
    Batch filtered;
    batch_slice(&filtered, copy->batch_scope, batch, kept, kept_count);
    copy->pending = filtered;
done:
    return st;
}

static Status insert_pending(Session *session, CopyIn *copy)
{
    TxnSavepoint savepoint = txn_savepoint(session->txn);
    Status st = OK;

    if (copy->pending.rows_count)
        st = inserter_batch(&session->ctx, copy->inserter, &copy->pending);
    if (st == STATUS_LOCK_WAIT || st == STATUS_RETRY) {
        /* Locks stay (the wait's grant comes on top), the batch's rows go. */
        txn_undo_writes(session->txn, savepoint);
        return st;
    }
    if (st != OK) {
        error_at_line(session, copy, copy_parser_line(copy->parser, 0), NULL);
        return st;
    }
    copy->has_pending = false;
    return OK;
}

/* Inserts all whole records that have come. */
static Status drain(Session *session, CopyIn *copy)
{
    Status st = OK;
    uint32_t rows;

    for (;;) {
        if (copy->has_pending) {
            do
                st = insert_pending(session, copy);
            while (st == STATUS_RETRY);
            TRY(st);
        }
        TRY(ctx_check_cancel(&session->ctx));
        st = copy_parser_next(&session->ctx, copy->parser, copy->texts, BATCH_ROWS_MAX, &rows);
        if (st != OK) {
            error_at_line(session, copy, copy_parser_line(copy->parser, UINT32_MAX), NULL);
            goto done;
        }
        if (rows == 0)
            break;
        scope_reset(copy->batch_scope);
        TRY(make_batch(session, copy, rows));
        TRY(filter_pending(session, copy));
    }
done:
    return st;
}

static Status open_copy_in(Session *session, Run *run, const AstCopy *ast)
{
    Status st = OK;
    Scope *scope = session->request.scope;
    CopyIn *copy = scope_new(scope, CopyIn);
    const Snapshot *snapshot;
    uint32_t *column_at;
    StrBuf text;
    BindEnv env;

    strbuf_init(&text);
    run->copy_in = copy;
    copy->scope = scope;
    copy->batch_scope = scope_open(scope, "copy batch");
    TRY(copy_options(&session->ctx, scope, &ast->options, true, &copy->options));
    TRY(find_table(session, ast, &copy->table));
    strbuf_append_c(&text, "INSERT INTO ");
    append_table(session, &text, copy->table);
    strbuf_append_c(&text, " DEFAULT VALUES");
    TRY(plan_text(session, scope, str_copy(scope, strbuf_str(&text)), &copy->target));
    TxnVerdict verdict;
    TRY(txn_lock_table(&session->ctx, session->txn, copy->table->object.oid, TABLE_ROW_EXCLUSIVE,
                       false, &verdict));
    if (verdict != TXN_GRANTED) {
        st = STATUS_LOCK_WAIT;
        goto done;
    }
    TRY(find_columns(session, scope, copy->table, &ast->columns, &column_at, &copy->columns_count));
    copy->column_at = column_at;
    TRY(bind_defaults(session, copy));
    if (ast->where) {
        session_bind_env(session, &env, NULL, 0);
        env.text = run->text;
        TRY(sql_bind_expr(&session->ctx, scope, &env, ast->where, copy->table, sql_type(OID_BOOL),
                          &copy->where));
    }
    TRY(txn_statement_begin(&session->ctx, session->txn, false, &snapshot));
    session_exec_env(session, snapshot, NULL, 0, &copy->env);
    TRY(inserter_open(&session->ctx, scope, &copy->env, &copy->target.plan->modify,
                      &copy->inserter));
    make_parser(copy);
done:
    strbuf_free(&text);
    return st;
}

void session_copy_free(Run *run)
{
    if (run->copy_in)
        session_plan_free(&run->copy_in->target);
    run->copy_in = NULL;
}

static RunAnswer end_copy_in(Session *session, Run *run, Status status)
{
    CopyIn *copy = run->copy_in;

    if (status == STATUS_LOCK_WAIT) {
        run->phase = copy->inserter ? RUN_COPY : RUN_PREPARE;
        if (copy->inserter == NULL)
            session_copy_free(run);
        return session_answer(session, status);
    }
    if (status != OK) {
        if (copy->inserter)
            txn_statement_abort(session->txn);
        session_copy_free(run);
        return session_answer(session, status);
    }
    txn_statement_end(session->txn);
    snprintf(run->tag, sizeof run->tag, "COPY %llu",
             (unsigned long long)inserter_rows(copy->inserter));
    session_copy_free(run);
    return RUN_OK;
}

static Status read_file(Session *session, CopyIn *copy, Str filename)
{
    Status st = OK;
    File *file = NULL;
    uint64_t offset = 0;
    size_t got = 1;
    char *piece = scope_alloc(copy->scope, FILE_PIECE_BYTES);

    TRY(file_open(&session->ctx, files_os(), str_to_c(copy->scope, filename), FILE_READ, &file));
    while (got) {
        TRY(file_read_some(&session->ctx, file, piece, FILE_PIECE_BYTES, offset, &got));
        offset += got;
        if (got)
            copy_parser_feed(copy->parser, (Str){piece, got});
        else
            copy_parser_finish(copy->parser);
        /* A file is read on a pool thread: a lock is waited for right here. */
        for (st = drain(session, copy); st == STATUS_LOCK_WAIT; st = drain(session, copy)) {
            error_clear(&session->ctx);
            TRY(txn_wait_here(&session->ctx, session->txn));
        }
        TRY(st);
    }
done:
    if (file)
        file_close(file);
    return st;
}

static RunAnswer copy_from(Session *session, Run *run, const AstCopy *ast)
{
    Status st = OK;
    const SessionSink *sink = &session->options.sink;

    TRY(session_txn_ensure(session));
    if (txn_read_only(session->txn))
        FAIL(&session->ctx, E_READ_ONLY_TRANSACTION,
             "cannot execute COPY FROM in a read-only transaction");
    TRY(open_copy_in(session, run, ast));
    if (ast->filename.ptr) {
        st = read_file(session, run->copy_in, ast->filename);
        return end_copy_in(session, run, st);
    }
    if (sink->copy_in == NULL)
        FAIL(&session->ctx, E_FEATURE_NOT_SUPPORTED, "COPY FROM STDIN is not possible here");
    TRY(sink->copy_in(sink->arg, &session->ctx, 0, run->copy_in->columns_count));
    run->phase = RUN_COPY;
    return RUN_COPY_IN;
done:
    if (run->copy_in)
        return end_copy_in(session, run, st);
    return session_answer(session, st);
}

RunAnswer session_copy_continue(Session *session, Run *run)
{
    Status st = OK;
    CopyIn *copy = run->copy_in;

    if (copy->fail_reason.ptr)
        FAIL(&session->ctx, E_QUERY_CANCELED, "COPY from stdin failed: %.*s",
             (int)copy->fail_reason.len, copy->fail_reason.ptr);
    if (copy->client_done)
        copy_parser_finish(copy->parser);
    TRY(drain(session, copy));
    if (!copy->client_done)
        return RUN_COPY_IN;
done:
    return end_copy_in(session, run, st);
}

static CopyIn *current_copy(Session *session)
{
    return session->request.running ? session->request.run.copy_in : NULL;
}

void session_copy_data(Session *session, Str data)
{
    CopyIn *copy = current_copy(session);
    if (copy)
        copy_parser_feed(copy->parser, data);
}

void session_copy_done(Session *session)
{
    CopyIn *copy = current_copy(session);
    if (copy)
        copy->client_done = true;
}

void session_copy_fail(Session *session, Str reason)
{
    CopyIn *copy = current_copy(session);
    if (copy)
        copy->fail_reason = str_copy(copy->scope, reason);
}

/* COPY TO: rows are written into a buffer that goes out in pieces. */
typedef struct CopyOut {
    Session *session;
    CopyOptions options;
    const bool *force_quote;
    uint32_t columns_count;
    StrBuf buffer;
    File *file; /* NULL: to the client */
    uint64_t offset;
    uint64_t rows;
} CopyOut;

static Status flush_out(CopyOut *out, Ctx *ctx)
{
    Status st = OK;

    if (out->file) {
        TRY(file_write(ctx, out->file, out->buffer.ptr, out->buffer.len, out->offset));
        out->offset += out->buffer.len;
    }
    strbuf_clear(&out->buffer);
done:
    return st;
}

static Status copy_out_batch(void *arg, Ctx *ctx, const Batch *batch)
{
    Status st = OK;
    CopyOut *out = arg;
    const SessionSink *sink = &out->session->options.sink;

    for (uint32_t row = 0; row < batch->rows_count; row++) {
        copy_write_row(&out->buffer, &out->options, batch, row, out->columns_count,
                       out->force_quote, &out->session->io);
        out->rows++;
        if (out->file == NULL) {
            TRY(sink->copy_row(sink->arg, ctx, strbuf_str(&out->buffer)));
            strbuf_clear(&out->buffer);
        } else if (out->buffer.len >= OUT_PIECE_BYTES) {
            TRY(flush_out(out, ctx));
        }
    }
done:
    return st;
}

/* SELECT of the table's columns, or the statement that was given. */
static Status plan_copy_to(Session *session, Run *run, const AstCopy *ast, PlannedStatement *plan)
{
    Status st = OK;
    Scope *scope = session->request.scope;
    const Table *table;
    uint32_t *column_at;
    uint32_t count;
    SqlType *params = NULL;
    uint32_t params_count = 0;
    StrBuf text;

    strbuf_init(&text);
    if (ast->query) {
        TRY(session_plan(session, ast->query, run->text, &params, &params_count, plan));
        if (plan->result_columns_count == 0)
            FAIL(&session->ctx, E_FEATURE_NOT_SUPPORTED, "COPY query must have a RETURNING clause");
        goto done;
    }
    TRY(find_table(session, ast, &table));
    TRY(find_columns(session, scope, table, &ast->columns, &column_at, &count));
    strbuf_append_c(&text, "SELECT ");
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            strbuf_append_c(&text, ", ");
        ident_append(&text, table->columns[column_at[i]].name);
    }
    strbuf_append_c(&text, " FROM ");
    append_table(session, &text, table);
    TRY(plan_text(session, scope, str_copy(scope, strbuf_str(&text)), plan));
done:
    strbuf_free(&text);
    return st;
}

static void write_header(CopyOut *out, const PlannedStatement *plan, Scope *scope)
{
    const char **names = scope_new_array(scope, const char *, plan->result_columns_count + 1);

    for (uint32_t i = 0; i < plan->result_columns_count; i++)
        names[i] = plan->result_columns[i].name;
    copy_write_header(&out->buffer, &out->options, names, plan->result_columns_count);
}

static Status open_target(Session *session, const AstCopy *ast, CopyOut *out)
{
    Status st = OK;
    const SessionSink *sink = &session->options.sink;
    char *path;

    if (ast->filename.ptr == NULL) {
        if (sink->copy_out == NULL || sink->copy_row == NULL)
            FAIL(&session->ctx, E_FEATURE_NOT_SUPPORTED, "COPY TO STDOUT is not possible here");
        TRY(sink->copy_out(sink->arg, &session->ctx, 0, out->columns_count));
        goto done;
    }
    path = str_to_c(session->request.scope, ast->filename);
    if (path[0] != '/')
        FAIL(&session->ctx, E_INVALID_NAME, "relative path not allowed for COPY to file");
    TRY(file_open(&session->ctx, files_os(), path, FILE_READ | FILE_WRITE | FILE_CREATE,
                  &out->file));
    TRY(file_truncate(&session->ctx, out->file, 0));
done:
    return st;
}

static Status run_copy_to(Session *session, Run *run, CopyOut *out, const PlannedStatement *plan)
{
    Status st = OK;
    const SessionSink *sink = &session->options.sink;
    ExecSink exec_sink = {.batch = copy_out_batch, .arg = out};
    const Snapshot *snapshot;
    TxnVerdict verdict;
    uint64_t rows;
    ExecEnv env;

    for (uint32_t i = 0; i < plan->tables_count; i++) {
        TRY(txn_lock_table(&session->ctx, session->txn, plan->tables[i], plan->table_modes[i],
                           false, &verdict));
        if (verdict != TXN_GRANTED)
            return STATUS_LOCK_WAIT;
    }
    TRY(open_target(session, run->ast ? (const AstCopy *)run->ast : NULL, out));
    if (out->options.header != COPY_HEADER_NONE)
        write_header(out, plan, session->request.scope);
    if (out->buffer.len && out->file == NULL) {
        TRY(sink->copy_row(sink->arg, &session->ctx, strbuf_str(&out->buffer)));
        strbuf_clear(&out->buffer);
    }
    TRY(txn_statement_begin(&session->ctx, session->txn, false, &snapshot));
    session_exec_env(session, snapshot, NULL, 0, &env);
    st = exec_run(&session->ctx, run->scope, plan, &env, &exec_sink, &rows);
    if (st != OK) {
        txn_statement_abort(session->txn);
        goto done;
    }
    txn_statement_end(session->txn);
    TRY(flush_out(out, &session->ctx));
    if (out->file == NULL && sink->copy_done)
        TRY(sink->copy_done(sink->arg, &session->ctx));
done:
    return st;
}

static RunAnswer copy_to(Session *session, Run *run, const AstCopy *ast)
{
    Status st = OK;
    Scope *scope = session->request.scope;
    CopyOut out = {.session = session};
    PlannedStatement plan = {0};
    bool *force_quote;

    strbuf_init(&out.buffer);
    TRY(session_txn_ensure(session));
    TRY(copy_options(&session->ctx, scope, &ast->options, false, &out.options));
    TRY(plan_copy_to(session, run, ast, &plan));
    out.columns_count = plan.result_columns_count;
    force_quote = scope_new_array(scope, bool, out.columns_count + 1);
    for (uint32_t i = 0; i < out.columns_count; i++)
        force_quote[i] = out.options.force_quote_all ||
                         named(&out.options.force_quote, str_from(plan.result_columns[i].name));
    out.force_quote = force_quote;
    TRY(run_copy_to(session, run, &out, &plan));
    snprintf(run->tag, sizeof run->tag, "COPY %llu", (unsigned long long)out.rows);
done:
    if (out.file)
        file_close(out.file);
    strbuf_free(&out.buffer);
    session_plan_free(&plan);
    return session_answer(session, st);
}

RunAnswer session_copy(Session *session, Run *run)
{
    const AstCopy *ast = (const AstCopy *)run->ast;

    if (ast->is_program)
        return session_answer(session, error_raise(&session->ctx, E_FEATURE_NOT_SUPPORTED,
                                                   "COPY %s PROGRAM is not supported",
                                                   ast->is_from ? "FROM" : "TO"));
    return ast->is_from ? copy_from(session, run, ast) : copy_to(session, run, ast);
}
