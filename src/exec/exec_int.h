// SPDX-License-Identifier: Apache-2.0
//
// The executor's own words. A Query is one execution of a plan: a list of steps, run one after the
// other in the calling thread; most steps are pipelines, whose work may be shared among workers.
// A pipeline is a Source that hands out morsels, and a chain of Stages through which each batch is
// pushed; the last stage is a breaker's input, or the result. Plan, Query, Stage and Source are
// shared by the workers of a query; a Worker, and what a stage keeps for it, belongs to one thread
// at a time.
#ifndef DBASPOT_EXEC_EXEC_INT_H
#define DBASPOT_EXEC_EXEC_INT_H

#include "exec/exec.h"
#include "os/thread.h"

typedef struct Query Query;
typedef struct Worker Worker;
typedef struct Stage Stage;
typedef struct Source Source;
typedef struct Pipeline Pipeline;
typedef struct Gate Gate;

/* The columns an expression may see, in slot order: the first list, then the second. */
typedef struct Visible {
    const PlanColumn *first, *second;
    uint32_t first_count, second_count;
} Visible;

static inline Visible visible_of(const Plan *plan)
{
    return (Visible){.first = plan->columns, .first_count = plan->columns_count};
}

/* The current row of an enclosing query: columns are found by id. */
typedef struct OuterFrame {
    const struct OuterFrame *up;
    Visible visible;
    const Batch *batch;
    uint32_t row;
} OuterFrame;

struct Worker {
    Query *query;
    Ctx *ctx;
    Scope *scope; /* as long as the query */
    Scope *batch; /* until the source's next batch */
    uint32_t id;
    Pipeline *pipeline;   /* being run */
    const Gate *gathered; /* the gate that keeps this worker's output for the caller, or NULL */
    void *gathered_in;    /* the gate's buffer for the morsel */
    Ctx own_ctx;          /* of all but worker 0 */
};

/* A step of the query, in the calling thread. */
typedef struct Step {
    struct Step *next;
    Status (*run)(Query *query, void *arg);
    void *arg;
} Step;

/* What a CTE_REF reads: filled by an earlier step. */
typedef struct CteSlot {
    struct CteSlot *next;
    uint32_t id;
    struct RowStore *rows;
} CteSlot;

/* An uncorrelated subquery of an expression, evaluated once by the first worker that needs it. */
typedef struct SharedSubquery SharedSubquery;

struct Query {
    Ctx *ctx;
    Scope *scope;
    const ExecEnv *env;
    const Query *parent;     /* of a subquery: where CTEs are looked for */
    const OuterFrame *outer; /* rows of enclosing queries, innermost first */
    uint32_t depth;          /* of nested queries */
    uint32_t workers_max;
    Worker **workers; /* [0] is the caller; others NULL until first used */
    Worker *caller;
    Step *steps;
    Step **steps_end;
    CteSlot *ctes;
    struct JoinFilter *join_filters; /* for scans yet to be built */
    uint64_t rows_modified;
    Mutex lock; /* of `subqueries`, which any worker may add to */
    SharedSubquery *subqueries;
    _Atomic bool failed; /* a worker met an error: the others stop */
};

/* --- stages ----------------------------------------------------------------------------------- */

typedef struct StageOps {
    const char *name;
    /* Before a worker's first batch: *state is what `push` gets. NULL: no state. */
    Status (*open)(Worker *worker, Stage *stage, void **state);
    Status (*push)(Worker *worker, Stage *stage, void *state, const Batch *in);
} StageOps;

/* Embedded as the first member of each operator's shared part. */
struct Stage {
    const StageOps *ops;
    Stage *next;
    bool sequential; /* must see its batches in order, in the calling thread */
    void **states;   /* by worker */
};

/* Initialises `stage`, and puts a gate before it if it is sequential: the returned stage is where
   batches are pushed. */
Stage *stage_init(Query *query, Stage *stage, const StageOps *ops, Stage *next, bool sequential);
Status stage_open(Worker *worker, Stage *stage);

static inline Status stage_push(Worker *worker, Stage *stage, const Batch *batch)
{
    if (UNLIKELY(stage->states[worker->id] == NULL)) {
        Status st = stage_open(worker, stage);
        if (st != OK)
            return st;
    }
    return stage->ops->push(worker, stage, stage->states[worker->id], batch);
}

/* Pushes on what has rows. */
static inline Status stage_emit(Worker *worker, const Stage *stage, const Batch *batch)
{
    return batch->rows_count ? stage_push(worker, stage->next, batch) : OK;
}

/* The state a worker has at a stage; NULL if it never got a batch. */
static inline void *stage_state(const Stage *stage, uint32_t worker)
{
    return stage->states[worker];
}

/* --- sources ---------------------------------------------------------------------------------- */

typedef struct SourceOps {
    const char *name;
    /* In the calling thread, when earlier steps are done: how many morsels there are (0: none). */
    Status (*prepare)(Query *query, Source *source, uint32_t *morsels);
    /* Per worker and morsel; the state is one slot a worker, NULL at first. */
    Status (*begin)(Worker *worker, Source *source, uint32_t morsel, void **state);
    /* rows_count 0: the morsel is done. */
    Status (*next)(Worker *worker, Source *source, void *state, Batch *out);
} SourceOps;

struct Source {
    const SourceOps *ops;
    bool single_batch; /* at most one batch in all, complete before it is pushed */
    bool cheap;        /* rows lie ready in memory: not worth a thread of its own */
};

struct Pipeline {
    Query *query;
    Source *source;
    Stage *first;
    void **states; /* the source's, by worker */
    uint32_t morsels;
    _Atomic uint32_t morsel_next;
    _Atomic bool stop; /* a limit is reached */
};

/* Adds a step that runs the source into the stages from `first`. */
Pipeline *pipeline_add(Query *query, Source *source, Stage *first);
void query_add_step(Query *query, Status (*run)(Query *query, void *arg), void *arg);

/* --- queries ---------------------------------------------------------------------------------- */

/* `outer` and `parent` for subqueries; NULL at the top. Steps are added by build_plan. */
Query *query_new(Ctx *ctx, Scope *scope, const ExecEnv *env, const Query *parent,
                 const OuterFrame *outer);
Status query_execute(Query *query);
/* The worker with this number, opened if need be. REQUIRES: in the calling thread. */
Worker *query_worker(Query *query, uint32_t id);
/* Runs fn on up to `workers` workers at once, the caller being the first; the first error wins. */
Status query_parallel(Query *query, uint32_t workers, Status (*fn)(Worker *worker, void *arg),
                      void *arg);
/* True when another worker failed: stop quietly. */
static inline bool query_stops(const Query *query)
{
    return atomic_load_explicit(&query->failed, memory_order_relaxed);
}
struct RowStore *query_find_cte(const Query *query, uint32_t id);

/* Adds the steps that run `plan` into `to`: build.c, and one function an operator. */
Status build_plan(Query *query, const Plan *plan, Stage *to);

#define BUILD_DEF(name) Status build_##name(Query *query, const Plan *plan, Stage *to);
BUILD_DEF(scan)
BUILD_DEF(virtual)
BUILD_DEF(function)
BUILD_DEF(values)
BUILD_DEF(filter)
BUILD_DEF(project)
BUILD_DEF(project_set)
BUILD_DEF(join)
BUILD_DEF(hash_join)
BUILD_DEF(nested_join)
BUILD_DEF(index_join)
BUILD_DEF(dependent_join)
BUILD_DEF(aggregate)
BUILD_DEF(distinct)
BUILD_DEF(sort)
BUILD_DEF(limit)
BUILD_DEF(setop)
BUILD_DEF(cte)
BUILD_DEF(cte_ref)
BUILD_DEF(recursive)
BUILD_DEF(modify)
BUILD_DEF(lock_rows)
#undef BUILD_DEF

/* Runs a plan inside a worker and keeps its rows in `out`; working memory in `scope`. `row`: the
   current row (then it runs in this thread alone), NULL: the plan needs none. `rows_max` 0: all. */
typedef struct NestedRun {
    const Plan *plan;
    const OuterFrame *row;
    Scope *scope;
    uint64_t rows_max;
} NestedRun;
Status query_run_nested(Worker *worker, const NestedRun *run, struct RowStore *out);
/* Closes what uncorrelated subqueries keep: when the query ends. */
void shared_subqueries_close(void *query);

/* A stage that keeps what it gets in a RowStore, in order. */
Stage *store_stage_new(Query *query, struct RowStore *store);

/* False if an expression in it needs the session's thread. */
bool plan_is_parallel_safe(const Plan *plan);

/* A source over a complete RowStore; *rows is looked at when the step runs. */
Source *store_source_new(Query *query, struct RowStore *const *rows);

/* LIMIT and OFFSET: the value of an expression without columns; -1: NULL or no expression. */
Status eval_count(Query *query, const Expr *expr, bool is_offset, int64_t *out);

#endif
