// SPDX-License-Identifier: Apache-2.0
//
// The optimiser's door: the order of the passes, and what a finished statement tells besides its
// plan.
#include "sql/optimise/optimise_int.h"

#define SHORT_ROWS_MAX 500.0

static Status plan_query(Optimiser *o, Plan **slot, const IdSet *need, bool exact);

// --- limits ------------------------------------------------------------------------------------

typedef struct Survey {
    Ctx *ctx;
    uint32_t depth;
    uint32_t cte_max;
    Status status;
} Survey;

static void survey_plan(Survey *s, const Plan *plan);

static bool survey_node(void *arg, Expr *expr)
{
    if (expr->kind == EXPR_SUBQUERY)
        survey_plan(arg, expr->subquery.plan);
    return ((Survey *)arg)->status == OK;
}

static void survey_expr(void *arg, Expr **expr)
{
    expr_walk(*expr, survey_node, arg);
}

/* The passes recurse: plans that are too deep are refused once and for all. */
static void survey_plan(Survey *s, const Plan *plan)
{
    if (s->status != OK)
        return;
    if (++s->depth > OPTIMISE_DEPTH_MAX) {
        s->status = error_raise(s->ctx, E_STATEMENT_TOO_COMPLEX, "stack depth limit exceeded");
        error_hint(s->ctx, "The statement's plan is more than %d nodes deep.", OPTIMISE_DEPTH_MAX);
        return;
    }
    if (plan->kind == PLAN_CTE || plan->kind == PLAN_RECURSIVE)
        s->cte_max = MAX(s->cte_max, plan->cte.id);
    plan_each_expr((Plan *)plan, survey_expr, s);
    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            survey_plan(s, plan->children[i]);
    }
    s->depth--;
}

// --- short statements --------------------------------------------------------------------------

static bool is_short_plan(const Plan *plan);

static bool note_long(void *arg, Expr *expr)
{
    bool blocks = expr->kind == EXPR_FUNC && strncmp(expr->func.info->name, "pg_sleep", 8) == 0;

    if (blocks || (expr->kind == EXPR_SUBQUERY && !is_short_plan(expr->subquery.plan)))
        *(bool *)arg = true;
    return true;
}

static void check_expr(void *arg, Expr **expr)
{
    expr_walk(*expr, note_long, arg);
}

static bool is_short_node(const Plan *plan)
{
    switch (plan->kind) {
    case PLAN_SCAN:
        return plan->scan.unique_match ||
               (plan->scan.method != SCAN_FULL && plan->rows_estimate <= SHORT_ROWS_MAX &&
                (plan->scan.bounds.equal_count || plan->scan.bounds.in_count ||
                 (plan->scan.bounds.low && plan->scan.bounds.high)));
    case PLAN_VALUES: return plan->values.rows_count <= SHORT_ROWS_MAX;
    case PLAN_JOIN: return plan->join.method == JOIN_INDEX;
    case PLAN_FUNCTION:
    case PLAN_VIRTUAL:
    case PLAN_RECURSIVE:
    case PLAN_PROJECT_SET:
    case PLAN_WINDOW: return false;
    default: return true;
    }
}

/* Small, by its bounds and the estimates of them. */
static bool is_short_plan(const Plan *plan)
{
    bool found_long = false;

    if (!is_short_node(plan))
        return false;
    plan_each_expr((Plan *)plan, check_expr, &found_long);
    for (int i = 0; i < 2 && !found_long; i++) {
        if (plan->children[i])
            found_long = !is_short_plan(plan->children[i]);
    }
    return !found_long;
}

// --- passes ------------------------------------------------------------------------------------

typedef struct Nested {
    Optimiser *o;
    Status status;
} Nested;

/* A subquery that was not unnested is planned like a statement of its own. */
static bool plan_subquery(void *arg, Expr *expr)
{
    Nested *nested = arg;
    Optimiser *o = nested->o;
    IdSet need = {0};

    if (expr->kind != EXPR_SUBQUERY || nested->status != OK)
        return nested->status == OK;
    Plan *before = expr->subquery.plan, *known = u64map_get(o->done, (uintptr_t)before);
    if (known == NULL) {
        bool exact = expr->subquery.kind != SUBQUERY_EXISTS;
        nested->status = plan_query(o, &expr->subquery.plan, &need, exact);
        known = expr->subquery.plan;
        u64map_put(o->done, (uintptr_t)before, known);
        u64map_put(o->done, (uintptr_t)known, known);
    }
    expr->subquery.plan = known;
    subquery_renew_outer(o, expr);
    return true;
}

static void plan_subqueries_of(void *arg, Expr **expr)
{
    expr_walk(*expr, plan_subquery, arg);
}

static Status plan_subqueries(Optimiser *o, Plan *plan)
{
    Status st = OK;
    Nested nested = {.o = o};

    plan_each_expr(plan, plan_subqueries_of, &nested);
    TRY(nested.status);
    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            TRY(plan_subqueries(o, plan->children[i]));
    }
done:
    return st;
}

static Status plan_query(Optimiser *o, Plan **slot, const IdSet *need, bool exact)
{
    Status st = OK;
    ExprList none = {0};
    PlanColumn *columns = (*slot)->columns;
    uint32_t count = (*slot)->columns_count;

    TRY(push_conditions(o, slot, &none));
    *slot = plan_shaped(o->scope, *slot, columns, count);
    physical_plan(o, slot);
    *slot = prune(o, *slot, need, exact);
    TRY(plan_subqueries(o, *slot));
done:
    return st;
}

Status sql_optimise(Ctx *ctx, Scope *scope, const BindEnv *env, Storage *storage,
                    PlannedStatement *statement)
{
    Status st = OK;
    Optimiser o = {.ctx = ctx,
                   .scope = scope,
                   .env = env,
                   .storage = storage,
                   .statement = statement,
                   .column_next = MAX(statement->columns_next, 1),
                   .origins = u64map_new(scope),
                   .tables = u64map_new(scope),
                   .ctes = u64map_new(scope),
                   .done = u64map_new(scope)};
    Survey survey = {.ctx = ctx};
    IdSet none = {0};

    survey_plan(&survey, statement->plan);
    TRY(survey.status);
    o.cte_next = survey.cte_max + 1;
    TRY(normalise(&o, &statement->plan));
    TRY(unnest(&o, &statement->plan));
    origins_note(&o, statement->plan);
    TRY(plan_query(&o, &statement->plan, &none, true));
    TRY(plan_resolve(ctx, scope, statement->plan, NULL));
    statement->is_short = is_short_plan(statement->plan);
    statement->columns_next = o.column_next;
done:
    return st;
}
