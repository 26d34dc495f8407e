// SPDX-License-Identifier: Apache-2.0
//
// Fills sinks with the tables of a TPC-H database: one worker thread a sink makes pieces of a table
// (a few thousand rows of CSV) and hands them to its sink; no more than one piece a worker is in
// memory. What a sink does with them (a file, a server) is its own matter.
#ifndef DBASPOT_CLI_WORKLOAD_TPCH_FILL_H
#define DBASPOT_CLI_WORKLOAD_TPCH_FILL_H

#include "cli/workload/tpch_csv.h"

#define TPCH_FILL_WORKERS_MAX 64

typedef struct TpchSink TpchSink;

/* What a sink does; each is called by its worker's thread with the worker's context. Every piece of
 * a table reaches some sink exactly once; pieces reach one sink with growing numbers, and sinks
 * that share an order can rely on every lower number being handed out before. */
typedef struct TpchSinkOps {
    Status (*begin)(Ctx *ctx, TpchSink *sink, TpchTable table);
    Status (*put)(Ctx *ctx, TpchSink *sink, int64_t piece, Str csv, int64_t rows);
    /* Called after begin succeeded, also when `failed` (then the table is abandoned). */
    Status (*end)(Ctx *ctx, TpchSink *sink, bool failed);
    /* Another worker failed: wakes a sink that waits for it. Any thread; NULL if it never waits. */
    void (*stop)(TpchSink *sink);
} TpchSinkOps;

struct TpchSink {
    const TpchSinkOps *ops;
};

typedef struct TpchFill {
    const Tpch *tpch;
    TpchEol eol;
    TpchSink **sinks; /* one a worker */
    int sinks_count;  /* 1 .. TPCH_FILL_WORKERS_MAX */
    bool is_quiet;
} TpchFill;

/* All rows of one table into the sinks, progress on stderr. The first worker's error is reported.
 */
Status tpch_fill_table(Ctx *ctx, const TpchFill *fill, TpchTable table);

#endif
