// SPDX-License-Identifier: Apache-2.0
//
// The doors of the executor: a statement, an expression, a constant to be folded. Each makes a
// query in a scope of its own, runs it and closes the scope; the caller's thread is the first
// worker.
#include "exec/eval/eval.h"

/* What one query may take in all: what cannot spill ends there. */
#define QUERY_WORK_MEMS 16
#define QUERY_BYTES_MIN ((size_t)64 << 20)

typedef struct ResultStage {
    Stage stage;
    const ExecSink *sink;
    uint64_t rows;
} ResultStage;

static Status result_push(Worker *worker, Stage *stage, void *state UNUSED, const Batch *in)
{
    ResultStage *self = (ResultStage *)stage;

    self->rows += in->rows_count;
    return self->sink && self->sink->batch ? self->sink->batch(self->sink->arg, worker->ctx, in)
                                           : OK;
}

static const StageOps result_ops = {.name = "result", .push = result_push};

Status exec_run(Ctx *ctx, Scope *scope, const PlannedStatement *statement, const ExecEnv *env,
                const ExecSink *sink, uint64_t *rows_affected)
{
    Status st = OK;
    Scope *own = scope_open(scope, "query");
    Query *query = query_new(ctx, own, env, NULL, NULL);
    ResultStage *result = scope_new(own, ResultStage);

    if (env->work_mem)
        scope_set_budget(own, MAX(env->work_mem * QUERY_WORK_MEMS, QUERY_BYTES_MIN));
    result->sink = sink;
    if (statement->is_short || (query->workers_max > 1 && !plan_is_parallel_safe(statement->plan)))
        query->workers_max = 1;
    Stage *entry = stage_init(query, &result->stage, &result_ops, NULL, true);
    TRY(build_plan(query, statement->plan, entry));
    TRY(query_execute(query));
    if (rows_affected)
        *rows_affected = statement->plan->kind == PLAN_MODIFY ? query->rows_modified : result->rows;
done:
    scope_close(own);
    return st;
}

Status exec_eval(Ctx *ctx, Scope *scope, const Expr *expr, const ExecEnv *env, const Batch *input,
                 Vector *out)
{
    Status st = OK;
    Scope *own = scope_open(scope, "expression");
    Query *query = query_new(ctx, own, env, NULL, NULL);
    Batch one = {.rows_count = 1};
    const Vector *v;
    Eval *eval;

    query->workers_max = 1;
    TRY(eval_compile(query->caller, expr, NULL, &eval));
    TRY(eval_run(query->caller, eval, input ? input : &one, &v));
    TRY(vector_copy_flat(ctx, scope, v, input ? input->rows_count : 1, true, out));
done:
    scope_close(own);
    return st;
}

Status exec_fold(Ctx *ctx, Scope *scope, const Expr *expr, const TypeIoContext *io,
                 const SessionInfo *session, Datum *out)
{
    Status st = OK;
    ExecEnv env = {.io = io, .session = session, .threads = 1};
    Vector v;

    TRY(exec_eval(ctx, scope, expr, &env, NULL, &v));
    *out = datum_from_vector(&v, 0);
    out->type = expr->type;
done:
    return st;
}
