// SPDX-License-Identifier: Apache-2.0
//
// Pulling correlated conditions up, out of a subquery's plan (or a LATERAL item's): afterwards the
// plan no longer depends on the enclosing side, and the conditions are those of a join with it.
// This is Neumann and Kemper's pushing down of the domain for all the cases in which the domain's
// columns equal columns of the plan, or are not needed below at all. First it is asked whether it
// can be done; only then is the plan changed.
#include "sql/optimise/optimise_int.h"

bool plan_uses(Optimiser *o, const Plan *plan, const IdSet *columns)
{
    ColumnList outer = {0};

    plan_outer_columns(o->scope, plan, &outer);
    for (uint32_t i = 0; i < outer.count; i++) {
        if (idset_has(columns, outer.data[i]))
            return true;
    }
    return false;
}

bool expr_uses(Optimiser *o, const Expr *expr, const IdSet *columns)
{
    IdSet used = idset_of_expr(o->scope, expr);

    return idset_overlaps(&used, columns);
}

// --- can it be done? ---------------------------------------------------------------------------

static bool list_uses(Pull *p, const ExprList *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (expr_uses(p->o, list->data[i], &p->outer))
            return true;
    }
    return false;
}

static bool keys_use(Pull *p, const SortKey *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (expr_uses(p->o, keys[i].expr, &p->outer))
            return true;
    }
    return false;
}

/* `own`: the columns that the condition sees besides the outer ones. */
static bool conditions_can_move(Pull *p, const ExprList *list, const IdSet *own, bool keyed)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const Expr *cond = list->data[i];
        Expr *inner, *outer;
        if (!expr_uses(p->o, cond, &p->outer))
            continue;
        if (expr_has_subquery(cond) || expr_is_volatile(cond))
            return false;
        if (keyed && !condition_separates(p->o, cond, own, &inner, &outer))
            return false;
    }
    return true;
}

static bool join_is_possible(Pull *p, const Plan *plan, bool keyed)
{
    const Plan *left = plan->children[0], *right = plan->children[1];
    IdSet own = idset_of_plan(p->o->scope, left), second = idset_of_plan(p->o->scope, right);
    bool left_only = plan_uses(p->o, right, &p->outer);

    if (plan->join.type == JOIN_FULL)
        return false;
    if (plan->join.type != JOIN_INNER)
        return !left_only && !list_uses(p, &plan->join.conditions) &&
               pull_is_possible(p, left, keyed);
    if (plan->join.dependent && left_only)
        return false;
    idset_union(p->o->scope, &own, &second);
    return conditions_can_move(p, &plan->join.conditions, &own, keyed) &&
           pull_is_possible(p, left, keyed) && pull_is_possible(p, right, keyed);
}

bool pull_is_possible(Pull *p, const Plan *plan, bool keyed)
{
    const Plan *child = plan->children[0];
    IdSet own;

    if (!plan_uses(p->o, plan, &p->outer))
        return true;
    switch (plan->kind) {
    case PLAN_FILTER:
        own = idset_of_plan(p->o->scope, child);
        return conditions_can_move(p, &plan->filter.conditions, &own, keyed) &&
               pull_is_possible(p, child, keyed);
    case PLAN_PROJECT:
        return !list_uses(p, &plan->project.exprs) && pull_is_possible(p, child, keyed);
    case PLAN_JOIN: return join_is_possible(p, plan, keyed);
    case PLAN_AGGREGATE:
        return plan->aggregate.groups.count > 0 && plan->aggregate.sets_count == 0 &&
               !list_uses(p, &plan->aggregate.groups) && !list_uses(p, &plan->aggregate.aggs) &&
               pull_is_possible(p, child, true);
    case PLAN_DISTINCT: return plan->distinct.on.count == 0 && pull_is_possible(p, child, true);
    case PLAN_SORT:
        return plan->sort.limit == NULL && plan->sort.offset == NULL &&
               !keys_use(p, plan->sort.keys, plan->sort.keys_count) &&
               pull_is_possible(p, child, keyed);
    default: return false;
    }
}

// --- doing it ----------------------------------------------------------------------------------

void join_set_columns(Optimiser *o, Plan *join)
{
    const Plan *left = join->children[0], *right = join->children[1];
    JoinType type = join->join.type;
    bool left_only = type == JOIN_SEMI || type == JOIN_ANTI || type == JOIN_ANTI_NULL;
    bool mark = type == JOIN_MARK;
    uint32_t more = mark ? 1 : left_only ? 0 : right->columns_count;

    join->columns_count = left->columns_count + more;
    join->columns = scope_new_array(o->scope, PlanColumn, join->columns_count + 1);
    if (left->columns_count)
        memcpy(join->columns, left->columns, left->columns_count * sizeof *join->columns);
    if (mark)
        join->columns[left->columns_count] =
            (PlanColumn){join->join.mark, sql_type(OID_BOOL), "mark"};
    else if (more)
        memcpy(join->columns + left->columns_count, right->columns, more * sizeof *join->columns);
}

static void columns_from_child(Optimiser *o, Plan *plan)
{
    const Plan *child = plan->children[0];

    plan->columns_count = child->columns_count;
    plan->columns = scope_new_array(o->scope, PlanColumn, child->columns_count + 1);
    if (child->columns_count)
        memcpy(plan->columns, child->columns, child->columns_count * sizeof *plan->columns);
}

static void take_conditions(Pull *p, ExprList *list, ExprList *out)
{
    ExprList rest = {0};

    for (uint32_t i = 0; i < list->count; i++) {
        bool moves = expr_uses(p->o, list->data[i], &p->outer);
        array_push(p->o->scope, moves ? out : &rest, list->data[i]);
    }
    *list = rest;
}

static void add_column(Optimiser *o, Plan *plan, PlanColumn column, uint32_t at)
{
    PlanColumn *columns = scope_new_array(o->scope, PlanColumn, plan->columns_count + 1);

    if (at)
        memcpy(columns, plan->columns, at * sizeof *columns);
    columns[at] = column;
    if (at < plan->columns_count)
        memcpy(columns + at + 1, plan->columns + at, (plan->columns_count - at) * sizeof *columns);
    plan->columns = columns;
    plan->columns_count++;
}

/* What the conditions need of the child goes through the projection. */
static void project_needs(Pull *p, Plan *plan, const ExprList *conds)
{
    const Plan *child = plan->children[0];
    IdSet needs = {0};

    for (uint32_t i = 0; i < conds->count; i++)
        idset_add_expr(p->o->scope, &needs, conds->data[i]);
    for (uint32_t i = 0; i < child->columns_count; i++) {
        const PlanColumn *column = &child->columns[i];
        if (!idset_has(&needs, column->id) || plan_column(plan, column->id))
            continue;
        add_column(p->o, plan, *column, plan->columns_count);
        array_push(p->o->scope, &plan->project.exprs, plan_column_expr(p->o->scope, column));
    }
}

static Expr *with_inner(Optimiser *o, const Expr *cond, const Expr *inner, Expr *replacement)
{
    Expr *copy = scope_new(o->scope, Expr);

    *copy = *cond;
    copy->args = scope_new_array(o->scope, Expr *, 2);
    for (int i = 0; i < 2; i++)
        copy->args[i] = cond->args[i] == inner ? replacement : cond->args[i];
    return copy;
}

static PlanColumn group_column(Optimiser *o, const Expr *group)
{
    bool plain = group->kind == EXPR_COLUMN;

    return (PlanColumn){plain ? group->column.id : column_new(o), group->type,
                        plain ? group->column.name : "?column?"};
}

void pull_add_groups(Pull *p, Plan *plan, ExprList *conds)
{
    Optimiser *o = p->o;
    IdSet own = idset_of_plan(o->scope, plan->children[0]);

    for (uint32_t i = 0; i < conds->count; i++) {
        Expr *inner, *outer;
        uint32_t at = 0;
        bool separates = condition_separates(o, conds->data[i], &own, &inner, &outer);
        ASSERT(separates);
        while (at < plan->aggregate.groups.count &&
               !expr_equal(plan->aggregate.groups.data[at], inner))
            at++;
        if (at == plan->aggregate.groups.count) {
            ExprList groups = {0};
            list_append(o->scope, &groups, &plan->aggregate.groups);
            array_push(o->scope, &groups, inner);
            plan->aggregate.groups = groups;
            add_column(o, plan, group_column(o, inner), at);
        }
        conds->data[i] =
            with_inner(o, conds->data[i], inner, plan_column_expr(o->scope, &plan->columns[at]));
    }
}

/* The inner sides become columns of a projection below DISTINCT, which then keeps them apart. */
static void distinct_needs(Pull *p, Plan *plan, ExprList *conds)
{
    Optimiser *o = p->o;
    Plan *child = plan->children[0];
    IdSet own = idset_of_plan(o->scope, child);
    Plan *project = plan_new(o->scope, PLAN_PROJECT, plan->columns_count);

    project->children[0] = child;
    for (uint32_t i = 0; i < plan->columns_count; i++) {
        project->columns[i] = plan->columns[i];
        array_push(o->scope, &project->project.exprs,
                   plan_column_expr(o->scope, &plan->columns[i]));
    }
    for (uint32_t i = 0; i < conds->count; i++) {
        Expr *inner, *outer;
        bool separates = condition_separates(o, conds->data[i], &own, &inner, &outer);
        ASSERT(separates);
        if (inner->kind != EXPR_COLUMN || plan_column(project, inner->column.id) == NULL) {
            PlanColumn column = group_column(o, inner);
            add_column(o, project, column, project->columns_count);
            array_push(o->scope, &project->project.exprs, inner);
            conds->data[i] =
                with_inner(o, conds->data[i], inner, plan_column_expr(o->scope, &column));
        }
    }
    plan->children[0] = project;
}

static Plan *pull_from(Pull *p, Plan *plan, ExprList *out)
{
    Plan *child = plan->children[0];

    if (!plan_uses(p->o, plan, &p->outer))
        return plan;
    if (child)
        plan->children[0] = child = pull_from(p, child, out);
    switch (plan->kind) {
    case PLAN_FILTER:
        take_conditions(p, &plan->filter.conditions, out);
        if (plan->filter.conditions.count == 0)
            return child;
        columns_from_child(p->o, plan);
        break;
    case PLAN_PROJECT: project_needs(p, plan, out); break;
    case PLAN_JOIN:
        if (plan->join.type == JOIN_INNER) {
            plan->children[1] = pull_from(p, plan->children[1], out);
            take_conditions(p, &plan->join.conditions, out);
        }
        join_set_columns(p->o, plan);
        break;
    case PLAN_AGGREGATE: pull_add_groups(p, plan, out); break;
    case PLAN_DISTINCT:
        distinct_needs(p, plan, out);
        columns_from_child(p->o, plan);
        break;
    default: columns_from_child(p->o, plan); break;
    }
    return plan;
}

Plan *pull_conditions(Pull *p, Plan *plan)
{
    return pull_from(p, plan, &p->conds);
}
