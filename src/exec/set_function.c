// SPDX-License-Identifier: Apache-2.0
//
// Set-returning functions: in FROM (PLAN_FUNCTION, one run without outer columns) and in a target
// list (PLAN_PROJECT_SET: all calls of a row step together, the shorter ones padded with NULL).
#include "exec/set_function.h"

struct SetCursor {
    Worker *worker;
    const Expr *expr;
    Eval **args;
    Datum *values;
    FuncCall call;
    Scope *state_scope;
    Scope *batch_scope;
    const SqlType *types;
    uint32_t columns_count;
    Vector *columns;
    void **memory; /* values of the columns */
    bool done;
};

Status set_cursor_new(Worker *worker, const Expr *call, const Visible *visible,
                      const SqlType *types, uint32_t columns_count, SetCursor **out)
{
    Status st = OK;
    Scope *scope = worker->scope;
    SetCursor *cursor = scope_new(scope, SetCursor);

    ASSERT(call->kind == EXPR_FUNC && call->func.info->set);
    cursor->worker = worker;
    cursor->expr = call;
    cursor->types = types;
    cursor->columns_count = columns_count;
    cursor->state_scope = scope_open(scope, "set function");
    cursor->batch_scope = scope_open(scope, "set batch");
    cursor->columns = scope_new_array(scope, Vector, columns_count + 1);
    cursor->memory = scope_new_array(scope, void *, columns_count + 1);
    for (uint32_t i = 0; i < columns_count; i++)
        cursor->memory[i] =
            scope_alloc(scope, (size_t)phys_size[type_phys(types[i])] * BATCH_ROWS_MAX);
    cursor->values = scope_new_array(scope, Datum, call->args_count + 1);
    cursor->args = scope_new_array(scope, Eval *, call->args_count + 1);
    for (uint32_t i = 0; i < call->args_count; i++)
        TRY(eval_compile(worker, call->args[i], visible, &cursor->args[i]));
    *out = cursor;
done:
    return st;
}

Status set_cursor_start(SetCursor *cursor, const Batch *in, uint32_t row)
{
    Status st = OK;
    Worker *worker = cursor->worker;
    const FuncInfo *info = cursor->expr->func.info;
    const Vector *v;

    scope_reset(cursor->state_scope);
    cursor->done = false;
    cursor->call = (FuncCall){.ctx = worker->ctx,
                              .scope = cursor->batch_scope,
                              .func = info,
                              .result_type = cursor->expr->type,
                              .io = worker->query->env->io,
                              .session = worker->query->env->session,
                              .state_scope = cursor->state_scope};
    for (uint32_t i = 0; i < cursor->expr->args_count; i++) {
        TRY(eval_run(worker, cursor->args[i], in, &v));
        Datum datum = datum_from_vector(v, row);
        cursor->values[i] = datum_copy(cursor->state_scope, &datum);
        cursor->done |= info->strict && datum.is_null;
    }
done:
    return st;
}

Status set_cursor_next(SetCursor *cursor, Batch *out)
{
    Status st = OK;

    *out = (Batch){0, cursor->columns_count, cursor->columns};
    while (!cursor->done && out->rows_count == 0) {
        scope_reset(cursor->batch_scope);
        for (uint32_t i = 0; i < cursor->columns_count; i++)
            cursor->columns[i] = (Vector){.type = cursor->types[i],
                                          .phys = (uint8_t)type_phys(cursor->types[i]),
                                          .form = VECTOR_FLAT,
                                          .values = cursor->memory[i]};
        TRY(cursor->expr->func.info->set(&cursor->call, cursor->values, cursor->expr->args_count,
                                         out, &cursor->done));
    }
done:
    return st;
}

// --- in FROM ------------------------------------------------------------------------------------

typedef struct FunctionSource {
    Source source;
    const Plan *plan;
    SqlType *types;
} FunctionSource;

typedef struct FunctionState {
    SetCursor *cursor;
    Vector *columns; /* with the ordinality */
    int64_t rows;
} FunctionState;

static Status function_prepare(Query *query UNUSED, Source *source UNUSED, uint32_t *morsels)
{
    *morsels = 1;
    return OK;
}

static Status function_begin(Worker *worker, Source *source, uint32_t morsel UNUSED, void **out)
{
    Status st = OK;
    FunctionSource *self = (FunctionSource *)source;
    const Plan *plan = self->plan;
    FunctionState *state = scope_new(worker->scope, FunctionState);
    Batch one = {.rows_count = 1};

    TRY(set_cursor_new(worker, plan->function.call, NULL, self->types,
                       plan->columns_count - plan->function.ordinality, &state->cursor));
    TRY(set_cursor_start(state->cursor, &one, 0));
    state->columns = scope_new_array(worker->scope, Vector, plan->columns_count + 1);
    *out = state;
done:
    return st;
}

static Status function_next(Worker *worker, Source *source, void *arg, Batch *out)
{
    Status st = OK;
    const Plan *plan = ((FunctionSource *)source)->plan;
    FunctionState *state = arg;

    TRY(set_cursor_next(state->cursor, out));
    if (!plan->function.ordinality || out->rows_count == 0)
        goto done;
    Vector *number = &state->columns[out->columns_count];
    memcpy(state->columns, out->columns, out->columns_count * sizeof(Vector));
    vector_init_flat(number, worker->batch, sql_type(OID_INT8), out->rows_count);
    for (uint32_t i = 0; i < out->rows_count; i++)
        vector_flat(number, int64_t)[i] = ++state->rows;
    out->columns = state->columns;
    out->columns_count++;
done:
    return st;
}

static const SourceOps function_ops = {.name = "function",
                                       .prepare = function_prepare,
                                       .begin = function_begin,
                                       .next = function_next};

Status build_function(Query *query, const Plan *plan, Stage *to)
{
    FunctionSource *self = scope_new(query->scope, FunctionSource);

    self->source.ops = &function_ops;
    self->plan = plan;
    self->types = scope_new_array(query->scope, SqlType, plan->columns_count + 1);
    for (uint32_t i = 0; i < plan->columns_count; i++)
        self->types[i] = plan->columns[i].type;
    pipeline_add(query, &self->source, to);
    return OK;
}

// --- in a target list ---------------------------------------------------------------------------

typedef struct SetStage {
    Stage stage;
    const Plan *plan;
} SetStage;

typedef struct SetState {
    Eval **evals;        /* by output column; NULL: a set */
    SetCursor **cursors; /* by output column; NULL: an expression */
    const Vector **values;
    Batch *parts; /* by output column: the set's rows at hand */
    Vector *out;
    Scope *scope; /* of one input row */
} SetState;

static bool is_set(const Expr *expr)
{
    return expr->kind == EXPR_FUNC && expr->func.info->set;
}

static Status sets_open(Worker *worker, Stage *stage, void **out)
{
    Status st = OK;
    const Plan *plan = ((SetStage *)stage)->plan;
    uint32_t count = plan->project_set.exprs.count;
    Visible visible = visible_of(plan->children[0]);
    SetState *state = scope_new(worker->scope, SetState);

    state->evals = scope_new_array(worker->scope, Eval *, count + 1);
    state->cursors = scope_new_array(worker->scope, SetCursor *, count + 1);
    state->values = scope_new_array(worker->scope, const Vector *, count + 1);
    state->parts = scope_new_array(worker->scope, Batch, count + 1);
    state->out = scope_new_array(worker->scope, Vector, count + 1);
    state->scope = scope_open(worker->scope, "sets");
    for (uint32_t i = 0; i < count; i++) {
        const Expr *expr = plan->project_set.exprs.data[i];
        if (is_set(expr))
            TRY(set_cursor_new(worker, expr, &visible, &plan->columns[i].type, 1,
                               &state->cursors[i]));
        else
            TRY(eval_compile(worker, expr, &visible, &state->evals[i]));
    }
    *out = state;
done:
    return st;
}

/* Rows [0, rows) of a set's part, NULLs behind its end. */
static void pad_part(Scope *scope, const Batch *part, SqlType type, uint32_t rows, Vector *out)
{
    if (part->rows_count == rows) {
        *out = part->columns[0];
        return;
    }
    vector_init_flat(out, scope, type, rows);
    uint64_t *validity = vector_make_validity(out, scope, rows);
    size_t width = phys_size[out->phys];
    for (uint32_t row = 0; row < rows; row++) {
        if (row >= part->rows_count || vector_is_null(&part->columns[0], row))
            bitmap_clear(validity, row);
        else
            memcpy((char *)out->values + row * width,
                   (const char *)part->columns[0].values +
                       vector_index(&part->columns[0], row) * width,
                   width);
    }
}

/* All rows that one input row makes. Cursors fill whole batches, so their parts stay in step. */
static Status expand_row(Worker *worker, Stage *stage, SetState *state, const Batch *in,
                         uint32_t row)
{
    Status st = OK;
    const Plan *plan = ((SetStage *)stage)->plan;
    uint32_t count = plan->project_set.exprs.count, rows;

    for (uint32_t i = 0; i < count; i++) {
        if (state->cursors[i]) {
            TRY(set_cursor_start(state->cursors[i], in, row));
            continue;
        }
        Datum datum = datum_from_vector(state->values[i], row);
        datum_to_vector(&datum, state->scope, &state->out[i]);
    }
    for (;;) {
        rows = 0;
        for (uint32_t i = 0; i < count; i++) {
            if (state->cursors[i] == NULL)
                continue;
            TRY(set_cursor_next(state->cursors[i], &state->parts[i]));
            rows = MAX(rows, state->parts[i].rows_count);
        }
        if (rows == 0)
            break;
        for (uint32_t i = 0; i < count; i++) {
            if (state->cursors[i])
                pad_part(state->scope, &state->parts[i], plan->columns[i].type, rows,
                         &state->out[i]);
        }
        Batch out = {rows, count, state->out};
        TRY(stage_push(worker, stage->next, &out));
    }
done:
    scope_reset(state->scope);
    return st;
}

static Status sets_push(Worker *worker, Stage *stage, void *arg, const Batch *in)
{
    Status st = OK;
    SetState *state = arg;
    uint32_t count = ((SetStage *)stage)->plan->project_set.exprs.count;

    for (uint32_t i = 0; i < count; i++) {
        if (state->evals[i])
            TRY(eval_run(worker, state->evals[i], in, &state->values[i]));
    }
    for (uint32_t row = 0; row < in->rows_count; row++) {
        TRY(ctx_check_cancel(worker->ctx));
        TRY(expand_row(worker, stage, state, in, row));
        if (atomic_load_explicit(&worker->pipeline->stop, memory_order_relaxed))
            break;
    }
done:
    return st;
}

static const StageOps sets_ops = {.name = "project set", .open = sets_open, .push = sets_push};

Status build_project_set(Query *query, const Plan *plan, Stage *to)
{
    SetStage *self = scope_new(query->scope, SetStage);

    self->plan = plan;
    return build_plan(query, plan->children[0],
                      stage_init(query, &self->stage, &sets_ops, to, false));
}
