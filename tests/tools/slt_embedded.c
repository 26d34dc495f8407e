// SPDX-License-Identifier: Apache-2.0
//
// The driver in process, by include/dbaspot.h alone, as a host program would use it. A test file
// gets a database directory of its own below the target directory, removed when it ends. COPY FROM
// STDIN and TO STDOUT are for the wire; the embedded interface has neither, so such files halt when
// embedded.

#include "slt.h"

#include "dbaspot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct SltDatabase {
    dbaspot_db *db;
    char *path;
};

struct SltSession {
    dbaspot_conn *connection;
};

static SltDatabase *database_create(const char *target, unsigned ordinal, char **error)
{
    SltDatabase *database = slt_alloc(sizeof *database);

    mkdir(target, 0777); // may be there
    database->path = slt_format("%s/slt_%u_%d", target, ordinal, (int)getpid());
    if (dbaspot_open(database->path, &database->db) == 0)
        return database;
    *error = slt_copy(dbaspot_open_error());
    free(database->path);
    free(database);
    return NULL;
}

static bool database_drop(SltDatabase *database, char **error)
{
    dbaspot_close(database->db);
    bool good = slt_remove_tree(database->path);
    if (!good)
        *error = slt_format("cannot remove %s", database->path);
    free(database->path);
    free(database);
    return good;
}

static SltSession *session_open(SltDatabase *database, char **error)
{
    SltSession *session = slt_alloc(sizeof *session);

    if (dbaspot_connect(database->db, &session->connection) == 0)
        return session;
    *error = slt_copy("dbaspot_connect failed");
    free(session);
    return NULL;
}

static void session_close(SltSession *session)
{
    dbaspot_disconnect(session->connection);
    free(session);
}

static void take_rows(const dbaspot_result *result, SltResult *out)
{
    uint32_t columns_count = dbaspot_columns(result);

    out->types = slt_alloc(columns_count + 1);
    out->columns_count = columns_count;
    for (uint32_t column = 0; column < columns_count; column++)
        out->types[column] = slt_type_letter(dbaspot_column_type(result, column));
    for (uint64_t row = 0; row < dbaspot_rows(result); row++) {
        for (uint32_t column = 0; column < columns_count; column++)
            slt_result_add_value(out, dbaspot_value(result, row, column),
                                 dbaspot_value_length(result, row, column));
        slt_result_end_row(out);
    }
}

// The count at the end of a command tag ("INSERT 0 3"), -1 when there is none.
static long count_in_tag(const char *tag)
{
    const char *last = strrchr(tag, ' ');
    char *end = NULL;

    if (last == NULL || last[1] == '\0')
        return -1;
    long count = strtol(last + 1, &end, 10);
    return *end == '\0' ? count : -1;
}

static void session_run(SltSession *session, const char *sql, const SltLines *copy_in,
                        SltResult *out)
{
    dbaspot_result *result = NULL;

    (void)copy_in;
    out->changed_count = -1;
    if (dbaspot_query(session->connection, sql, &result) != 0) {
        slt_result_fail(out, dbaspot_sqlstate(session->connection),
                        dbaspot_errmsg(session->connection));
        return;
    }
    take_rows(result, out);
    out->changed_count = count_in_tag(dbaspot_tag(result));
    dbaspot_result_free(result);
}

const SltDriver slt_driver_embedded = {
    .kind = "embedded",
    .protocol = "none",
    .database_create = database_create,
    .database_drop = database_drop,
    .session_open = session_open,
    .session_close = session_close,
    .session_run = session_run,
};
