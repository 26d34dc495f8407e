// SPDX-License-Identifier: Apache-2.0
//
// Loads a TPC-H database into any server that speaks PostgreSQL's protocol. The only file of the
// workloads that knows libpq: it translates libpq's errors into ours (message, detail, hint and, by
// the SQLSTATE, the status). One PgLoader is one connection, used by one thread at a time.
#ifndef DBASPOT_CLI_WORKLOAD_PG_LOADER_H
#define DBASPOT_CLI_WORKLOAD_PG_LOADER_H

#include "cli/workload/tpch_fill.h"

typedef struct PgLoader PgLoader;

/* Connects; `url` is a libpq connection string or URI. The connection is closed with `scope`.
 * E_CONNECTION_FAILURE with libpq's text if it cannot. */
Status pg_loader_open(Ctx *ctx, Scope *scope, const char *url, PgLoader **out);
/* Runs a statement and drops its rows. */
Status pg_loader_execute(Ctx *ctx, PgLoader *loader, const char *sql);
/* The loader as a sink: each table goes through COPY ... FROM STDIN (FORMAT csv), with a new COPY,
 * and so a transaction, every `batch_rows` rows (0: one for the table). */
TpchSink *pg_loader_sink(PgLoader *loader, int64_t batch_rows);

#endif
