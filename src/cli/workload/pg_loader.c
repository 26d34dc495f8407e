// SPDX-License-Identifier: Apache-2.0
//
// The libpq adapter of the workloads (see pg_loader.h). Blocking calls on a connection of its own;
// the server's notices are dropped. A COPY that fails is told so to the server, and the error that
// the server has for it is the one reported.
#include "cli/workload/pg_loader.h"

#include <libpq-fe.h>

struct PgLoader {
    TpchSink sink;
    PGconn *conn;
    Scope *scope;
    const char *copy_sql; /* of the table being filled */
    int64_t batch_rows;   /* 0: no limit */
    int64_t copied_rows;  /* since the last COPY began */
    bool is_copying;
};

/* The status whose SQLSTATE a server sent; E_INTERNAL if we have none. */
static Status status_of_sqlstate(const char *sqlstate)
{
    for (int status = OK + 1; sqlstate && status < STATUS_COUNT; status++)
        if (strcmp(error_sqlstate((Status)status), sqlstate) == 0)
            return (Status)status;
    return E_INTERNAL;
}

/* Text of libpq without its line end. */
static Str without_line_end(const char *text)
{
    Str line = str_trim(str_from(text));

    return line.len ? line : STR("no reason given");
}

static Status raise_connection(Ctx *ctx, const PgLoader *loader)
{
    Str text = without_line_end(PQerrorMessage(loader->conn));

    return error_raise(ctx, E_CONNECTION_FAILURE, "%.*s", (int)text.len, text.ptr);
}

static Status raise_result(Ctx *ctx, const PgLoader *loader, const PGresult *result)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    Status st;

    if (!message)
        return raise_connection(ctx, loader);
    st = error_raise(ctx, status_of_sqlstate(PQresultErrorField(result, PG_DIAG_SQLSTATE)), "%s",
                     message);
    if (detail)
        error_detail(ctx, "%s", detail);
    if (hint)
        error_hint(ctx, "%s", hint);
    if (context)
        error_where(ctx, "%s", context);
    return st;
}

static void drop_notice(void *arg UNUSED, const PGresult *result UNUSED)
{
}

static void close_connection(void *arg)
{
    PQfinish(((PgLoader *)arg)->conn);
}

Status pg_loader_execute(Ctx *ctx, PgLoader *loader, const char *sql)
{
    PGresult *result = PQexec(loader->conn, sql);
    ExecStatusType kind = PQresultStatus(result);
    Status st = OK;

    if (kind != PGRES_COMMAND_OK && kind != PGRES_TUPLES_OK && kind != PGRES_EMPTY_QUERY)
        st = raise_result(ctx, loader, result);
    PQclear(result);
    return st;
}

static Status copy_begin(Ctx *ctx, PgLoader *loader)
{
    PGresult *result = PQexec(loader->conn, loader->copy_sql);
    Status st = OK;

    ASSERT(!loader->is_copying);
    if (PQresultStatus(result) == PGRES_COPY_IN)
        loader->is_copying = true;
    else
        st = raise_result(ctx, loader, result);
    loader->copied_rows = 0;
    PQclear(result);
    return st;
}

/* Ends the COPY (with `abandon`, tells the server why it fails) and reads what the server says. */
static Status copy_end(Ctx *ctx, PgLoader *loader, const char *abandon)
{
    PGresult *result;
    Status st = OK;

    ASSERT(loader->is_copying);
    loader->is_copying = false;
    if (PQputCopyEnd(loader->conn, abandon) != 1)
        st = raise_connection(ctx, loader);
    while ((result = PQgetResult(loader->conn))) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK && st == OK && !abandon)
            st = raise_result(ctx, loader, result);
        PQclear(result);
    }
    return st;
}

static Status begin(Ctx *ctx, TpchSink *sink, TpchTable table)
{
    PgLoader *loader = (PgLoader *)sink;

    loader->copy_sql =
        scope_printf(loader->scope, "COPY %s FROM STDIN (FORMAT csv)", tpch_table_name(table));
    return copy_begin(ctx, loader);
}

static Status put(Ctx *ctx, TpchSink *sink, int64_t piece UNUSED, Str csv, int64_t rows)
{
    PgLoader *loader = (PgLoader *)sink;
    Status st = OK;

    if (loader->batch_rows && loader->copied_rows &&
        loader->copied_rows + rows > loader->batch_rows) {
        TRY(copy_end(ctx, loader, NULL));
        TRY(copy_begin(ctx, loader));
    }
    if (PQputCopyData(loader->conn, csv.ptr, (int)csv.len) != 1)
        TRY(raise_connection(ctx, loader));
    loader->copied_rows += rows;
done:
    return st;
}

static Status end(Ctx *ctx, TpchSink *sink, bool failed)
{
    PgLoader *loader = (PgLoader *)sink;

    if (!loader->is_copying)
        return OK;
    return copy_end(ctx, loader, failed ? "the load was given up" : NULL);
}

Status pg_loader_open(Ctx *ctx, Scope *scope, const char *url, PgLoader **out)
{
    static const TpchSinkOps OPS = {.begin = begin, .put = put, .end = end};
    PgLoader *loader = scope_new(scope, PgLoader);
    Status st = OK;

    loader->sink.ops = &OPS;
    loader->scope = scope_open(scope, "loader");
    loader->conn = PQconnectdb(url);
    if (!loader->conn)
        FAIL(ctx, E_OUT_OF_MEMORY, "out of memory");
    scope_defer(loader->scope, close_connection, loader);
    if (PQstatus(loader->conn) != CONNECTION_OK)
        TRY(raise_connection(ctx, loader));
    PQsetNoticeReceiver(loader->conn, drop_notice, NULL);
    *out = loader;
done:
    return st;
}

TpchSink *pg_loader_sink(PgLoader *loader, int64_t batch_rows)
{
    ASSERT(batch_rows >= 0);
    loader->batch_rows = batch_rows;
    return &loader->sink;
}
