/* SPDX-License-Identifier: Apache-2.0
 *
 * dbaspot, embedded: the whole engine in the caller's process. The only installed header.
 *
 *     dbaspot_db *db; dbaspot_conn *conn; dbaspot_result *result;
 *     if (dbaspot_open("./mydb", &db) == 0 && dbaspot_connect(db, &conn) == 0) {
 *         dbaspot_query(conn, "SELECT 1 + 1", &result);
 *         puts(dbaspot_value(result, 0, 0));
 *         dbaspot_result_free(result);
 *     }
 *
 * Functions return 0, or a non-zero code whose story dbaspot_errmsg and its family tell. A database
 * may be used from any thread, a connection from one thread at a time. The library installs no
 * signal handlers, changes no locale, writes to no standard stream; when an invariant of its own is
 * broken it calls the hook given to dbaspot_on_fatal and aborts. */
#ifndef DBASPOT_H
#define DBASPOT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DBASPOT_API __attribute__((visibility("default")))

typedef struct dbaspot_db dbaspot_db;
typedef struct dbaspot_conn dbaspot_conn;
typedef struct dbaspot_result dbaspot_result;

/* The library's version, "0.1.0". */
DBASPOT_API const char *dbaspot_version(void);
/* Called with one line of text before the process aborts. NULL: none. */
DBASPOT_API void dbaspot_on_fatal(void (*hook)(const char *message));

/* Opens a data directory (made when missing) or ":memory:". One process at a time may have it open.
 * On failure *out is NULL and dbaspot_open_error() says why (per thread). */
DBASPOT_API int dbaspot_open(const char *path, dbaspot_db **out);
DBASPOT_API const char *dbaspot_open_error(void);
/* Closes; every connection must be closed before. NULL is allowed. */
DBASPOT_API void dbaspot_close(dbaspot_db *db);

/* A connection to the database "postgres" as the superuser. */
DBASPOT_API int dbaspot_connect(dbaspot_db *db, dbaspot_conn **out);
DBASPOT_API int dbaspot_connect_to(dbaspot_db *db, const char *database, const char *user,
                                   dbaspot_conn **out);
/* Rolls back what is open. NULL is allowed. */
DBASPOT_API void dbaspot_disconnect(dbaspot_conn *conn);

/* Runs one or more statements; *out (may be NULL) is the last one's result, to be freed. On failure
 * *out is NULL, an implicit transaction is rolled back, an explicit one is failed. */
DBASPOT_API int dbaspot_query(dbaspot_conn *conn, const char *sql, dbaspot_result **out);
/* Stops the statement that another thread runs on this connection. */
DBASPOT_API void dbaspot_cancel(dbaspot_conn *conn);

/* The last failure on a connection; strings live until its next call. Absent parts are "". */
DBASPOT_API const char *dbaspot_errmsg(const dbaspot_conn *conn);
DBASPOT_API const char *dbaspot_sqlstate(const dbaspot_conn *conn);
DBASPOT_API const char *dbaspot_errdetail(const dbaspot_conn *conn);
DBASPOT_API const char *dbaspot_errhint(const dbaspot_conn *conn);
/* 1-based character offset into the statement, 0 = unknown. */
DBASPOT_API int dbaspot_errposition(const dbaspot_conn *conn);

/* Results: rows and columns from 0; values in PostgreSQL's text form, NULL for SQL NULL. */
DBASPOT_API uint64_t dbaspot_rows(const dbaspot_result *result);
DBASPOT_API uint32_t dbaspot_columns(const dbaspot_result *result);
DBASPOT_API const char *dbaspot_column_name(const dbaspot_result *result, uint32_t column);
/* PostgreSQL's type oid. */
DBASPOT_API uint32_t dbaspot_column_type(const dbaspot_result *result, uint32_t column);
DBASPOT_API const char *dbaspot_value(const dbaspot_result *result, uint64_t row, uint32_t column);
DBASPOT_API size_t dbaspot_value_length(const dbaspot_result *result, uint64_t row,
                                        uint32_t column);
/* The command tag: "SELECT 3", "INSERT 0 1", "CREATE TABLE". */
DBASPOT_API const char *dbaspot_tag(const dbaspot_result *result);
DBASPOT_API void dbaspot_result_free(dbaspot_result *result);

#ifdef __cplusplus
}
#endif
#endif
