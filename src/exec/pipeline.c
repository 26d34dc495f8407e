// SPDX-License-Identifier: Apache-2.0
//
// Running a pipeline. Alone: the caller reads morsel after morsel and pushes each batch. In
// parallel, workers take morsels by a counter. Where the chain has a sequential stage (a limit, the
// result, a modification), a Gate stands before it: what a worker's morsel brings to the gate is
// kept, and the caller pushes it on in the order of the morsels, so that order and the calling
// thread are as if it had run alone. Workers run at most a few morsels ahead of the caller.
#include "exec/exec_int.h"
#include "exec/row_store.h"

#define MORSELS_AHEAD 2 /* a worker, beyond the one that the caller waits for */

struct Gate {
    Stage stage;
};

// --- stages -------------------------------------------------------------------------------------

static void *const no_state = (void *)1;

Status stage_open(Worker *worker, Stage *stage)
{
    Status st = OK;
    void *state = no_state;

    if (stage->ops->open)
        TRY(stage->ops->open(worker, stage, &state));
    stage->states[worker->id] = state;
done:
    return st;
}

static Status gate_push(Worker *worker, Stage *stage, void *state UNUSED, const Batch *in)
{
    if (worker->gathered != (const Gate *)stage)
        return stage_push(worker, stage->next, in);
    RowStore *kept = worker->gathered_in;
    if (kept->types == NULL) {
        SqlType *types = scope_new_array(kept->scope, SqlType, in->columns_count + 1);
        for (uint32_t i = 0; i < in->columns_count; i++)
            types[i] = in->columns[i].type;
        row_store_init(kept, kept->scope, types, in->columns_count);
    }
    return row_store_append(worker->ctx, kept, in);
}

static const StageOps gate_ops = {.name = "gate", .push = gate_push};

Stage *stage_init(Query *query, Stage *stage, const StageOps *ops, Stage *next, bool sequential)
{
    stage->ops = ops;
    stage->next = next;
    stage->sequential = sequential;
    stage->states = scope_new_array(query->scope, void *, query->workers_max);
    if (!sequential || query->workers_max == 1)
        return stage;
    Gate *gate = scope_new(query->scope, Gate);
    gate->stage = (Stage){.ops = &gate_ops, .next = stage};
    gate->stage.states = scope_new_array(query->scope, void *, query->workers_max);
    return &gate->stage;
}

// --- one morsel ---------------------------------------------------------------------------------

static bool pipeline_stops(const Pipeline *pipeline)
{
    return atomic_load_explicit(&pipeline->stop, memory_order_relaxed) ||
           query_stops(pipeline->query);
}

static Status run_morsel(Worker *worker, Pipeline *pipeline, uint32_t morsel)
{
    Status st = OK;
    Source *source = pipeline->source;
    void **state = &pipeline->states[worker->id];
    Batch batch;

    TRY(source->ops->begin(worker, source, morsel, state));
    while (!pipeline_stops(pipeline)) {
        TRY(ctx_check_cancel(worker->ctx));
        TRY(source->ops->next(worker, source, *state, &batch));
        if (batch.rows_count == 0)
            break;
        TRY(stage_push(worker, pipeline->first, &batch));
        if (source->single_batch)
            break;
        scope_reset(worker->batch);
    }
done:
    return st;
}

static Status run_alone(Query *query, Pipeline *pipeline)
{
    Status st = OK;

    query->caller->pipeline = pipeline;
    for (uint32_t morsel = 0; morsel < pipeline->morsels && !pipeline_stops(pipeline); morsel++)
        TRY(run_morsel(query->caller, pipeline, morsel));
done:
    return st;
}

static Status run_unordered(Worker *worker, void *arg)
{
    Status st = OK;
    Pipeline *pipeline = arg;

    worker->pipeline = pipeline;
    while (!pipeline_stops(pipeline)) {
        uint32_t morsel = atomic_fetch_add(&pipeline->morsel_next, 1);
        if (morsel >= pipeline->morsels)
            break;
        TRY(run_morsel(worker, pipeline, morsel));
    }
done:
    return st;
}

// --- in order -----------------------------------------------------------------------------------

typedef struct MorselOutput {
    bool done;
    RowStore rows; /* in a scope of its own: filled by one thread, closed by another */
} MorselOutput;

typedef struct Ordered {
    Pipeline *pipeline;
    Gate *gate;
    Mutex lock;
    Condition changed;
    uint32_t taken;   /* morsels given out */
    uint32_t emitted; /* pushed on by the caller */
    uint32_t ahead;
    MorselOutput *outputs;
} Ordered;

static Status fill_output(Worker *worker, Ordered *ordered, uint32_t morsel)
{
    Status st;
    MorselOutput *output = &ordered->outputs[morsel];

    output->rows = (RowStore){.scope = scope_open(NULL, "morsel")};
    worker->gathered = ordered->gate;
    worker->gathered_in = &output->rows;
    st = run_morsel(worker, ordered->pipeline, morsel);
    worker->gathered = NULL;
    return st;
}

/* Takes the next morsel if the window allows; -1: none now. */
static int64_t take_locked(Ordered *ordered)
{
    if (ordered->taken < ordered->pipeline->morsels &&
        ordered->taken < ordered->emitted + ordered->ahead)
        return ordered->taken++;
    return -1;
}

static Status run_helper(Worker *worker, Ordered *ordered)
{
    Status st = OK;
    Pipeline *pipeline = ordered->pipeline;

    mutex_lock(&ordered->lock);
    while (st == OK && !pipeline_stops(pipeline) && ordered->taken < pipeline->morsels) {
        int64_t morsel = take_locked(ordered);
        if (morsel < 0) {
            condition_wait(&ordered->changed, &ordered->lock);
            continue;
        }
        mutex_unlock(&ordered->lock);
        st = fill_output(worker, ordered, (uint32_t)morsel);
        if (st != OK)
            atomic_store(&pipeline->query->failed, true);
        mutex_lock(&ordered->lock);
        ordered->outputs[morsel].done = true;
        condition_broadcast(&ordered->changed);
    }
    mutex_unlock(&ordered->lock);
    return st;
}

static Status emit_output(Worker *worker, Ordered *ordered, MorselOutput *output)
{
    Status st = OK;
    Pipeline *pipeline = ordered->pipeline;

    for (uint32_t i = 0; i < output->rows.batches.count && !pipeline_stops(pipeline); i++) {
        TRY(ctx_check_cancel(worker->ctx));
        TRY(stage_push(worker, ordered->gate->stage.next, &output->rows.batches.data[i]));
        scope_reset(worker->batch);
    }
done:
    scope_close(output->rows.scope);
    output->rows.scope = NULL;
    return st;
}

/* What the caller does next: push on what is ready, or work itself, or wait. */
static Status caller_turn(Worker *worker, Ordered *ordered)
{
    Status st = OK;
    MorselOutput *next = &ordered->outputs[ordered->emitted];
    int64_t morsel = -1;
    bool ready = next->done, in_turn;

    if (!ready)
        morsel = take_locked(ordered);
    if (!ready && morsel < 0) {
        condition_wait(&ordered->changed, &ordered->lock);
        return OK;
    }
    in_turn = ready || morsel == ordered->emitted;
    mutex_unlock(&ordered->lock);
    if (ready)
        st = emit_output(worker, ordered, next);
    else if (in_turn)
        st = run_morsel(worker, ordered->pipeline, (uint32_t)morsel);
    else
        st = fill_output(worker, ordered, (uint32_t)morsel);
    mutex_lock(&ordered->lock);
    if (in_turn)
        ordered->emitted++;
    else
        ordered->outputs[morsel].done = true;
    condition_broadcast(&ordered->changed);
    return st;
}

static Status run_caller(Worker *worker, Ordered *ordered)
{
    Status st = OK;
    Pipeline *pipeline = ordered->pipeline;

    mutex_lock(&ordered->lock);
    while (st == OK && ordered->emitted < pipeline->morsels && !pipeline_stops(pipeline))
        st = caller_turn(worker, ordered);
    if (st != OK)
        atomic_store(&pipeline->query->failed, true);
    atomic_store(&pipeline->stop, true);
    condition_broadcast(&ordered->changed);
    mutex_unlock(&ordered->lock);
    return st;
}

static Status run_ordered_worker(Worker *worker, void *arg)
{
    Ordered *ordered = arg;

    worker->pipeline = ordered->pipeline;
    return worker->id == 0 ? run_caller(worker, ordered) : run_helper(worker, ordered);
}

static Status run_ordered(Query *query, Pipeline *pipeline, Gate *gate, uint32_t workers)
{
    Status st;
    Ordered ordered = {.pipeline = pipeline, .gate = gate, .ahead = 1 + workers * MORSELS_AHEAD};

    ordered.outputs = scope_new_array(query->scope, MorselOutput, pipeline->morsels);
    mutex_init(&ordered.lock);
    condition_init(&ordered.changed);
    st = query_parallel(query, workers, run_ordered_worker, &ordered);
    for (uint32_t i = 0; i < pipeline->morsels; i++)
        scope_close(ordered.outputs[i].rows.scope);
    condition_free(&ordered.changed);
    mutex_free(&ordered.lock);
    return st;
}

// --- pipelines ----------------------------------------------------------------------------------

static Gate *first_gate(const Pipeline *pipeline)
{
    for (Stage *stage = pipeline->first; stage; stage = stage->next) {
        if (stage->ops == &gate_ops)
            return (Gate *)stage;
    }
    return NULL;
}

static Status pipeline_run(Query *query, void *arg)
{
    Status st = OK;
    Pipeline *pipeline = arg;

    TRY(pipeline->source->ops->prepare(query, pipeline->source, &pipeline->morsels));
    if (pipeline->morsels == 0)
        goto done;
    uint32_t workers = MIN(query->workers_max, pipeline->morsels);
    Gate *gate = workers > 1 ? first_gate(pipeline) : NULL;
    bool only_copies = gate && pipeline->first == &gate->stage && pipeline->source->cheap;
    if (workers <= 1 || only_copies)
        st = run_alone(query, pipeline);
    else if (gate)
        st = run_ordered(query, pipeline, gate, workers);
    else
        st = query_parallel(query, workers, run_unordered, pipeline);
done:
    return st;
}

Pipeline *pipeline_add(Query *query, Source *source, Stage *first)
{
    Pipeline *pipeline = scope_new(query->scope, Pipeline);

    pipeline->query = query;
    pipeline->source = source;
    pipeline->first = first;
    pipeline->states = scope_new_array(query->scope, void *, query->workers_max);
    query_add_step(query, pipeline_run, pipeline);
    return pipeline;
}
