// SPDX-License-Identifier: Apache-2.0
//
// INSERT, UPDATE and DELETE. The child's rows are buffered before the first write wherever they are
// read from tables, so that a statement never sees what it writes and no thread reads the
// transaction's writes while they grow. RETURNING is kept until all is written, since a lock wait
// runs the statement again.
#include "exec/modify/modify_int.h"

#include "exec/insert.h"

/* An INSERT of more rows from other tables than this streams in one thread instead. */
#define BUFFER_ROWS_MAX 200000

typedef struct ModifyStage {
    Stage stage;
    const Plan *plan;
    bool joins; /* UPDATE, DELETE: a row may come more than once */
    RowStore *returned;
} ModifyStage;

typedef struct ModifyState {
    RowWriter *writer;
    Returning *returning; /* NULL: none */
    Conflict *conflict;
    AggTable *seen; /* rows already written */
} ModifyState;

// --- RETURNING ----------------------------------------------------------------------------------

Status returning_add(Worker *worker, Returning *returning, const Batch *rows)
{
    Status st = OK;
    const Vector *v;

    for (uint32_t i = 0; i < returning->count; i++) {
        TRY(eval_run(worker, returning->evals[i], rows, &v));
        returning->columns[i] = *v;
    }
    Batch out = {rows->rows_count, returning->count, returning->columns};
    TRY(row_store_append(worker->ctx, returning->rows, &out));
done:
    return st;
}

static Status returning_new(Worker *worker, const ModifyStage *self, Returning **out)
{
    Status st = OK;
    const ModifyPlan *plan = &self->plan->modify;
    Visible visible = visible_of(self->plan->children[0]);
    Returning *returning = scope_new(worker->scope, Returning);

    returning->count = plan->returning.count;
    returning->columns = scope_new_array(worker->scope, Vector, returning->count + 1);
    returning->rows = self->returned;
    TRY(eval_compile_list(worker, &plan->returning, &visible, &returning->evals));
    *out = returning;
done:
    return st;
}

Status keys_first_seen(Worker *worker, AggTable *seen, const Vector *keys, uint32_t rows,
                       uint32_t *fresh, uint32_t *count)
{
    Vector columns[1] = {*keys};
    Batch batch = {rows, 1, columns};

    return agg_table_add_new(worker->ctx, seen, &batch, fresh, count);
}

// --- the stage ----------------------------------------------------------------------------------

static Status modify_open(Worker *worker, Stage *stage, void **out)
{
    Status st = OK;
    ModifyStage *self = (ModifyStage *)stage;
    ModifyState *state = scope_new(worker->scope, ModifyState);
    const ModifyPlan *plan = &self->plan->modify;
    SqlType bytea = sql_type(OID_BYTEA);

    TRY(row_writer_new(worker, plan, &state->writer));
    if (self->returned)
        TRY(returning_new(worker, self, &state->returning));
    if (plan->conflict)
        TRY(conflict_new(state->writer, state->returning, &state->conflict));
    if (self->joins)
        state->seen = agg_table_new(worker->scope, &bytea, 1, 0);
    *out = state;
done:
    return st;
}

static Status write_rows(Worker *worker, ModifyState *state, const Batch *rows)
{
    Status st = OK;
    RowWriter *writer = state->writer;

    if (writer->plan->kind != MODIFY_DELETE)
        TRY(row_writer_check(writer, rows));
    switch (writer->plan->kind) {
    case MODIFY_INSERT: TRY(row_writer_insert(writer, rows)); break;
    case MODIFY_UPDATE: TRY(row_writer_update(writer, rows)); break;
    case MODIFY_DELETE: TRY(row_writer_delete(writer, rows)); break;
    }
    worker->query->rows_modified += rows->rows_count;
    if (state->returning)
        TRY(returning_add(worker, state->returning, rows));
done:
    return st;
}

static Status modify_push(Worker *worker, Stage *stage UNUSED, void *arg, const Batch *in)
{
    Status st = OK;
    ModifyState *state = arg;
    const ModifyPlan *plan = state->writer->plan;
    uint64_t written;
    Batch rows = *in;

    if (state->conflict) {
        TRY(conflict_insert(state->conflict, in, &written));
        worker->query->rows_modified += written;
        goto done;
    }
    if (state->seen) {
        uint32_t at = plan->table->columns_count * (plan->kind == MODIFY_UPDATE ? 2 : 1);
        uint32_t *fresh = scope_new_array(worker->batch, uint32_t, in->rows_count), count;
        TRY(keys_first_seen(worker, state->seen, &in->columns[at], in->rows_count, fresh, &count));
        if (count < in->rows_count)
            batch_slice(&rows, worker->batch, in, fresh, count);
    }
    if (rows.rows_count)
        TRY(write_rows(worker, state, &rows));
done:
    return st;
}

static const StageOps modify_ops = {.name = "modify", .open = modify_open, .push = modify_push};

// --- building -----------------------------------------------------------------------------------

static bool has_join(const Plan *plan)
{
    if (plan == NULL)
        return false;
    return plan->kind == PLAN_JOIN || has_join(plan->children[0]) || has_join(plan->children[1]);
}

static void note_subquery(void *arg, Expr **expr)
{
    *(bool *)arg |= expr_has_subquery(*expr);
}

/* One batch that is complete before it is written, or rows that come from no table. */
static bool needs_no_buffer(const Plan *plan)
{
    bool subquery = false;

    plan_each_expr((Plan *)plan, note_subquery, &subquery);
    switch (plan->kind) {
    case PLAN_PROJECT:
    case PLAN_FILTER: return !subquery && needs_no_buffer(plan->children[0]);
    case PLAN_SCAN: return plan->scan.unique_match && plan->scan.bounds.in_count == 0;
    case PLAN_FUNCTION:
    case PLAN_VALUES: return !subquery;
    default: return false;
    }
}

static bool reads_table(const Plan *plan, const Table *table)
{
    if (plan == NULL)
        return false;
    bool subquery = false;
    plan_each_expr((Plan *)plan, note_subquery, &subquery);
    if (subquery ||
        (plan->kind == PLAN_SCAN && plan->scan.table->relation_id == table->relation_id))
        return true;
    return reads_table(plan->children[0], table) || reads_table(plan->children[1], table);
}

static RowStore *store_of(Query *query, const Plan *plan)
{
    SqlType *types = scope_new_array(query->scope, SqlType, plan->columns_count + 1);
    RowStore *store = scope_new(query->scope, RowStore);

    for (uint32_t i = 0; i < plan->columns_count; i++)
        types[i] = plan->columns[i].type;
    row_store_init(store, query->scope, types, plan->columns_count);
    return store;
}

static RowStore **store_ref(Query *query, RowStore *store)
{
    RowStore **ref = scope_new(query->scope, RowStore *);

    *ref = store;
    return ref;
}

/* Compiled before the first row, so that broken expressions fail even if no row comes. */
static Status modify_prepare(Query *query, void *arg)
{
    return stage_open(query->caller, arg);
}

Status build_modify(Query *query, const Plan *plan, Stage *to)
{
    Status st = OK;
    const Plan *child = plan->children[0];
    const ModifyPlan *modify = &plan->modify;
    ModifyStage *self = scope_new(query->scope, ModifyStage);
    bool buffered = !needs_no_buffer(child);

    self->plan = plan;
    self->joins = modify->kind != MODIFY_INSERT && has_join(child);
    if (modify->has_returning)
        self->returned = store_of(query, plan);
    if (buffered && modify->kind == MODIFY_INSERT && child->rows_estimate > BUFFER_ROWS_MAX &&
        !reads_table(child, modify->table)) {
        buffered = false;
        query->workers_max = 1;
    }
    Stage *entry = stage_init(query, &self->stage, &modify_ops, NULL, true);
    query_add_step(query, modify_prepare, &self->stage);
    if (buffered) {
        RowStore *buffer = store_of(query, child);
        TRY(build_plan(query, child, store_stage_new(query, buffer)));
        pipeline_add(query, store_source_new(query, store_ref(query, buffer)), entry);
    } else {
        TRY(build_plan(query, child, entry));
    }
    if (modify->has_returning)
        pipeline_add(query, store_source_new(query, store_ref(query, self->returned)), to);
done:
    return st;
}

// --- for COPY -----------------------------------------------------------------------------------

struct Inserter {
    RowWriter *writer;
    Worker *worker;
    uint64_t rows;
};

Status inserter_open(Ctx *ctx, Scope *scope, const ExecEnv *env, const ModifyPlan *plan,
                     Inserter **out)
{
    Status st = OK;
    Query *query = query_new(ctx, scope, env, NULL, NULL);
    Inserter *inserter = scope_new(scope, Inserter);

    ASSERT(plan->kind == MODIFY_INSERT && plan->conflict == NULL);
    inserter->worker = query->caller;
    TRY(row_writer_new(query->caller, plan, &inserter->writer));
    *out = inserter;
done:
    return st;
}

Status inserter_batch(Ctx *ctx, Inserter *inserter, const Batch *rows)
{
    Status st = OK;

    inserter->worker->ctx = ctx;
    TRY(row_writer_check(inserter->writer, rows));
    TRY(row_writer_insert(inserter->writer, rows));
    inserter->rows += rows->rows_count;
done:
    scope_reset(inserter->worker->batch);
    return st;
}

uint64_t inserter_rows(const Inserter *inserter)
{
    return inserter->rows;
}
