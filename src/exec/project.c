// SPDX-License-Identifier: Apache-2.0
//
// The streaming operators that keep nothing from batch to batch: filter and project. Their stages
// run in any worker.
#include "exec/eval/eval.h"

typedef struct PlanStage {
    Stage stage;
    const Plan *plan;
} PlanStage;

static PlanStage *plan_stage_new(Query *query, const Plan *plan)
{
    PlanStage *self = scope_new(query->scope, PlanStage);

    self->plan = plan;
    return self;
}

// --- filter -------------------------------------------------------------------------------------

static Status filter_open(Worker *worker, Stage *stage, void **state)
{
    Status st = OK;
    const Plan *plan = ((PlanStage *)stage)->plan;
    const ExprList *conditions = &plan->filter.conditions;
    Visible visible = visible_of(plan->children[0]);
    Filter *filter;

    TRY(filter_new(worker, conditions->data, conditions->count, &visible, &filter));
    *state = filter;
done:
    return st;
}

static Status filter_push(Worker *worker, Stage *stage, void *state, const Batch *in)
{
    Status st = OK;
    Batch out;

    TRY(filter_run(worker, state, in, &out, NULL));
    TRY(stage_emit(worker, stage, &out));
done:
    return st;
}

static const StageOps filter_ops = {.name = "filter", .open = filter_open, .push = filter_push};

Status build_filter(Query *query, const Plan *plan, Stage *to)
{
    PlanStage *self = plan_stage_new(query, plan);

    if (plan->filter.conditions.count == 0)
        return build_plan(query, plan->children[0], to);
    return build_plan(query, plan->children[0],
                      stage_init(query, &self->stage, &filter_ops, to, false));
}

// --- project ------------------------------------------------------------------------------------

typedef struct ProjectState {
    Eval **evals;
    Vector *columns;
} ProjectState;

static Status project_open(Worker *worker, Stage *stage, void **out)
{
    Status st = OK;
    const Plan *plan = ((PlanStage *)stage)->plan;
    Visible visible = visible_of(plan->children[0]);
    ProjectState *state = scope_new(worker->scope, ProjectState);

    TRY(eval_compile_list(worker, &plan->project.exprs, &visible, &state->evals));
    state->columns = scope_new_array(worker->scope, Vector, plan->project.exprs.count + 1);
    *out = state;
done:
    return st;
}

static Status project_push(Worker *worker, Stage *stage, void *arg, const Batch *in)
{
    Status st = OK;
    const Plan *plan = ((PlanStage *)stage)->plan;
    ProjectState *state = arg;
    uint32_t count = plan->project.exprs.count;
    const Vector *v;

    for (uint32_t i = 0; i < count; i++) {
        TRY(eval_run(worker, state->evals[i], in, &v));
        state->columns[i] = *v;
    }
    Batch out = {in->rows_count, count, state->columns};
    TRY(stage_push(worker, stage->next, &out));
done:
    return st;
}

static const StageOps project_ops = {.name = "project", .open = project_open, .push = project_push};

Status build_project(Query *query, const Plan *plan, Stage *to)
{
    PlanStage *self = plan_stage_new(query, plan);

    return build_plan(query, plan->children[0],
                      stage_init(query, &self->stage, &project_ops, to, false));
}
