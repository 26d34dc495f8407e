// SPDX-License-Identifier: Apache-2.0
//
// The driver over PostgreSQL's wire protocol, by libpq: the only file that includes its header. A
// test file gets a database of its own, made and dropped through a second connection to the URL's
// database. COPY TO STDOUT answers one line of data as one row of one text column; COPY FROM STDIN
// sends the lines it is given.

#include "slt.h"

#include <libpq-fe.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct SltDatabase {
    PGconn *admin;
    char *name;
    bool extended;
};

struct SltSession {
    PGconn *connection;
    bool extended;
};

static void ignore_notice(void *unused, const char *message)
{
    (void)unused;
    (void)message;
}

// Takes over a connection just made: itself, or NULL with the reason in *error.
static PGconn *check_connection(PGconn *connection, char **error)
{
    if (PQstatus(connection) == CONNECTION_OK) {
        PQsetNoticeProcessor(connection, ignore_notice, NULL);
        return connection;
    }
    *error = slt_copy(PQerrorMessage(connection));
    PQfinish(connection);
    return NULL;
}

static bool run_command(PGconn *connection, const char *command, const char *name, char **error)
{
    char *sql = slt_format("%s %s", command, name);
    PGresult *result = PQexec(connection, sql);
    bool good = PQresultStatus(result) == PGRES_COMMAND_OK;

    if (!good)
        *error = slt_format("%s: %s", sql, PQresultErrorMessage(result));
    PQclear(result);
    free(sql);
    return good;
}

static SltDatabase *create(const char *url, unsigned ordinal, bool extended, char **error)
{
    SltDatabase *database = slt_alloc(sizeof *database);

    database->extended = extended;
    database->name = slt_format("slt_%u_%d", ordinal, (int)getpid());
    database->admin = check_connection(PQconnectdb(url), error);
    if (database->admin && run_command(database->admin, "CREATE DATABASE", database->name, error))
        return database;
    PQfinish(database->admin);
    free(database->name);
    free(database);
    return NULL;
}

static SltDatabase *database_create(const char *target, unsigned ordinal, char **error)
{
    return create(target, ordinal, false, error);
}

static SltDatabase *database_create_extended(const char *target, unsigned ordinal, char **error)
{
    return create(target, ordinal, true, error);
}

static bool database_drop(SltDatabase *database, char **error)
{
    bool good = run_command(database->admin, "DROP DATABASE", database->name, error);

    PQfinish(database->admin);
    free(database->name);
    free(database);
    return good;
}

static SltSession *session_open(SltDatabase *database, char **error)
{
    // The parameters that the admin connection was made with, but another database.
    PQconninfoOption *options = PQconninfo(database->admin);
    const char *keys[64] = {0};
    const char *values[64] = {0};
    size_t n = 0;

    for (PQconninfoOption *option = options; option && option->keyword && n < 62; option++) {
        if (option->val == NULL || option->val[0] == '\0')
            continue;
        keys[n] = option->keyword;
        values[n++] = strcmp(option->keyword, "dbname") == 0 ? database->name : option->val;
    }
    PGconn *connection = check_connection(PQconnectdbParams(keys, values, 0), error);
    PQconninfoFree(options);
    if (connection == NULL)
        return NULL;
    SltSession *session = slt_alloc(sizeof *session);
    session->connection = connection;
    session->extended = database->extended;
    return session;
}

static void session_close(SltSession *session)
{
    PQfinish(session->connection);
    free(session);
}

static void take_error(PGconn *connection, const PGresult *result, SltResult *out)
{
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    slt_result_fail(out, PQresultErrorField(result, PG_DIAG_SQLSTATE),
                    primary ? primary : PQerrorMessage(connection));
}

static void take_rows(const PGresult *result, SltResult *out)
{
    int columns_count = PQnfields(result);

    slt_lines_clear(&out->rows);
    free(out->types);
    out->types = slt_alloc((size_t)columns_count + 1);
    out->columns_count = (size_t)columns_count;
    for (int column = 0; column < columns_count; column++)
        out->types[column] = slt_type_letter(PQftype(result, column));
    for (int row = 0; row < PQntuples(result); row++) {
        for (int column = 0; column < columns_count; column++) {
            const char *text =
                PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
            slt_result_add_value(out, text, (size_t)PQgetlength(result, row, column));
        }
        slt_result_end_row(out);
    }
}

static void take_copy_out(PGconn *connection, SltResult *out)
{
    char *data = NULL;
    int bytes;

    out->types = slt_copy("T");
    out->columns_count = 1;
    while ((bytes = PQgetCopyData(connection, &data, 0)) > 0) {
        size_t kept = (size_t)bytes - (data[bytes - 1] == '\n');
        slt_result_add_value(out, data, kept);
        slt_result_end_row(out);
        PQfreemem(data);
    }
}

static void send_copy_in(PGconn *connection, const SltLines *lines)
{
    for (size_t i = 0; lines && i < lines->count; i++) {
        PQputCopyData(connection, lines->at[i], (int)strlen(lines->at[i]));
        PQputCopyData(connection, "\n", 1);
    }
    PQputCopyEnd(connection, lines ? NULL : "the record sends no data");
}

static void session_run(SltSession *session, const char *sql, const SltLines *copy_in,
                        SltResult *out)
{
    PGconn *connection = session->connection;
    PGresult *result;
    int sent = session->extended ? PQsendQueryParams(connection, sql, 0, NULL, NULL, NULL, NULL, 0)
                                 : PQsendQuery(connection, sql);

    out->changed_count = -1;
    if (!sent)
        slt_result_fail(out, NULL, PQerrorMessage(connection));
    while (sent && (result = PQgetResult(connection)) != NULL) {
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE)
            take_error(connection, result, out);
        else if (status == PGRES_TUPLES_OK)
            take_rows(result, out);
        else if (status == PGRES_COPY_OUT)
            take_copy_out(connection, out);
        else if (status == PGRES_COPY_IN)
            send_copy_in(connection, copy_in);
        const char *changed = PQcmdTuples(result);
        if (changed[0])
            out->changed_count = strtol(changed, NULL, 10);
        PQclear(result);
    }
    out->lost = PQstatus(connection) != CONNECTION_OK;
}

const SltDriver slt_driver_wire = {
    .kind = "wire",
    .protocol = "simple",
    .database_create = database_create,
    .database_drop = database_drop,
    .session_open = session_open,
    .session_close = session_close,
    .session_run = session_run,
};

const SltDriver slt_driver_wire_extended = {
    .kind = "wire",
    .protocol = "extended",
    .database_create = database_create_extended,
    .database_drop = database_drop,
    .session_open = session_open,
    .session_close = session_close,
    .session_run = session_run,
};
