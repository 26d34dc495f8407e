// SPDX-License-Identifier: Apache-2.0
//
// The workers behind tpch_fill_table (see tpch_fill.h). Pieces are handed out by one counter, so a
// slow sink does not hold up the others. The calling thread is one of the workers.
#include "cli/workload/tpch_fill.h"

#include "cli/workload/progress.h"

#define PIECE_UNITS 2000

typedef struct Job {
    const TpchFill *fill;
    TpchTable table;
    _Atomic int64_t next_piece;
    _Atomic bool failed;
    Progress progress;
} Job;

typedef struct Worker {
    Job *job;
    TpchSink *sink;
    Ctx ctx;
    Thread thread;
    Status status;
} Worker;

static Status fill_pieces(Worker *worker)
{
    Job *job = worker->job;
    const Tpch *tpch = job->fill->tpch;
    int64_t units = tpch_units_count(tpch, job->table);
    Status st = OK;
    StrBuf csv;

    strbuf_init(&csv);
    while (!atomic_load(&job->failed)) {
        int64_t piece = atomic_fetch_add(&job->next_piece, 1);
        int64_t first = piece * PIECE_UNITS;

        if (first >= units)
            break;
        strbuf_clear(&csv); /* GEN-2: each piece takes the place of the one before */
        int64_t rows = tpch_csv_put_units(tpch, job->table, job->fill->eol, first,
                                          MIN(PIECE_UNITS, units - first), &csv);
        TRY(worker->sink->ops->put(&worker->ctx, worker->sink, piece, strbuf_str(&csv), rows));
        progress_add(&job->progress, rows);
    }
done:
    strbuf_free(&csv);
    return st;
}

static void work(void *arg)
{
    Worker *worker = arg;
    Job *job = worker->job;
    TpchSink *sink = worker->sink;
    Status st = sink->ops->begin(&worker->ctx, sink, job->table);

    if (st == OK) {
        st = fill_pieces(worker);
        Status ended = sink->ops->end(&worker->ctx, sink, st != OK || atomic_load(&job->failed));

        st = st != OK ? st : ended;
    }
    worker->status = st;
    if (st != OK) {
        atomic_store(&job->failed, true);
        for (int i = 0; i < job->fill->sinks_count; i++)
            if (job->fill->sinks[i]->ops->stop)
                job->fill->sinks[i]->ops->stop(job->fill->sinks[i]);
    }
}

Status tpch_fill_table(Ctx *ctx, const TpchFill *fill, TpchTable table)
{
    Worker workers[TPCH_FILL_WORKERS_MAX] = {0};
    Job job = {.fill = fill, .table = table};
    int started = 0;
    Status st = OK;

    ASSERT(fill->sinks_count >= 1 && fill->sinks_count <= TPCH_FILL_WORKERS_MAX);
    progress_begin(&job.progress, tpch_table_name(table), tpch_rows_expected(fill->tpch, table),
                   fill->is_quiet);
    for (int i = 0; i < fill->sinks_count; i++) {
        workers[i] = (Worker){.job = &job, .sink = fill->sinks[i]};
        ctx_init(&workers[i].ctx);
    }
    for (started = 1; started < fill->sinks_count && st == OK; started++)
        st = thread_start(ctx, &workers[started].thread, "workload", work, &workers[started]);
    if (st == OK)
        work(&workers[0]);
    else
        atomic_store(&job.failed, true);
    for (int i = 1; i < started; i++)
        thread_join(&workers[i].thread);
    for (int i = 0; i < fill->sinks_count; i++) {
        if (workers[i].status != OK) {
            st = st != OK ? st : workers[i].status;
            error_adopt(ctx, &workers[i].ctx);
        }
        ctx_free(&workers[i].ctx);
    }
    progress_end(&job.progress, st == OK);
    return st;
}
