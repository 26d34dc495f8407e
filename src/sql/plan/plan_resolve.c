// SPDX-License-Identifier: Apache-2.0
//
// The last step of planning: ids of columns become slots in the batches that operators see, nodes
// get dense numbers. Every expression is copied first, because nodes may share them and one column
// lies in different slots of different operators. Called by one thread.
#include "base/map.h"
#include "sql/plan/plan.h"

/* What an expression may see: up to two lists of columns one behind the other, and, by id only, the
   columns of the enclosing queries. */
typedef struct Visible {
    const PlanColumn *first, *second;
    uint32_t first_count, second_count;
} Visible;

typedef struct Enclosing {
    const Visible *view;
    const struct Enclosing *up;
} Enclosing;

typedef struct Resolver {
    Ctx *ctx;
    Scope *scope;
    Status status;
    uint32_t nodes_count;
    Visible view;               /* of the expression being resolved */
    const Enclosing *enclosing; /* columns of enclosing queries, innermost first */
    U64Map *seen;               /* plans already numbered: shared by copies of a subquery */
} Resolver;

static void resolve_plan(Resolver *r, Plan *plan, const Enclosing *enclosing, const Visible *index);

static Visible view_of(const Plan *plan)
{
    if (plan == NULL)
        return (Visible){0};
    return (Visible){.first = plan->columns, .first_count = plan->columns_count};
}

static Visible view_of_both(const Plan *left, const Plan *right)
{
    return (Visible){.first = left->columns,
                     .first_count = left->columns_count,
                     .second = right->columns,
                     .second_count = right->columns_count};
}

static int32_t view_find(const Visible *view, ColumnId id)
{
    for (uint32_t i = 0; i < view->first_count; i++) {
        if (view->first[i].id == id)
            return (int32_t)i;
    }
    for (uint32_t i = 0; i < view->second_count; i++) {
        if (view->second[i].id == id)
            return (int32_t)(view->first_count + i);
    }
    return -1;
}

/* PLAN-2. */
static void resolve_column(Resolver *r, Expr *expr)
{
    expr->column.slot = view_find(&r->view, expr->column.id);
    if (expr->column.slot >= 0)
        return;
    for (const Enclosing *e = r->enclosing; e; e = e->up) {
        if (view_find(e->view, expr->column.id) >= 0)
            return;
    }
    if (r->status == OK)
        r->status = error_raise(r->ctx, E_INTERNAL, "column %u (%s) is made nowhere below its use",
                                expr->column.id, expr->column.name ? expr->column.name : "?");
}

static Expr *resolve_node(void *arg, Expr *expr)
{
    Resolver *r = arg;

    if (expr->kind == EXPR_COLUMN) {
        resolve_column(r, expr);
    } else if (expr->kind == EXPR_SUBQUERY &&
               !u64map_get(r->seen, (uintptr_t)expr->subquery.plan)) {
        Visible view = r->view;
        const Enclosing *enclosing = r->enclosing;
        Enclosing inner = {.view = &view, .up = enclosing};
        resolve_plan(r, expr->subquery.plan, &inner, NULL);
        r->view = view;
        r->enclosing = enclosing;
    }
    return expr;
}

static void resolve_expr(void *arg, Expr **expr)
{
    Resolver *r = arg;

    *expr = expr_rewrite(r->scope, *expr, resolve_node, r);
}

static void resolve_list(Resolver *r, ExprList *list, Visible view)
{
    Expr **data = list->count ? scope_new_array(r->scope, Expr *, list->count) : NULL;

    r->view = view;
    for (uint32_t i = 0; i < list->count; i++) {
        data[i] = list->data[i];
        resolve_expr(r, &data[i]);
    }
    list->data = data;
    list->cap = list->count;
}

static void resolve_one(Resolver *r, Expr **expr, Visible view)
{
    r->view = view;
    if (*expr)
        resolve_expr(r, expr);
}

static void resolve_join(Resolver *r, Plan *plan)
{
    Visible left = view_of(plan->children[0]), right = view_of(plan->children[1]);
    Visible both = view_of_both(plan->children[0], plan->children[1]);

    resolve_list(r, &plan->join.conditions, both);
    resolve_list(r, &plan->join.residual, both);
    resolve_list(r, &plan->join.left_keys, left);
    resolve_list(r, &plan->join.right_keys, right);
}

static void resolve_scan(Resolver *r, Plan *plan, const Visible *index)
{
    KeyBounds *bounds = &plan->scan.bounds;
    Visible outer = index ? *index : (Visible){0};

    resolve_list(r, &plan->scan.filters, view_of(plan));
    for (uint32_t i = 0; i < bounds->equal_count; i++)
        resolve_one(r, &bounds->equal[i], outer);
    for (uint32_t i = 0; i < bounds->in_count; i++)
        resolve_one(r, &bounds->in[i], outer);
    resolve_one(r, &bounds->low, outer);
    resolve_one(r, &bounds->high, outer);
}

static PlanColumn *conflict_columns(Resolver *r, const Table *table, const ColumnId *ids)
{
    PlanColumn *columns = scope_new_array(r->scope, PlanColumn, table->columns_count);

    for (uint32_t i = 0; i < table->columns_count; i++)
        columns[i].id = ids[i];
    return columns;
}

static void resolve_modify(Resolver *r, Plan *plan)
{
    ModifyPlan *modify = &plan->modify;
    ConflictPlan *conflict = modify->conflict;
    ExprList new_row = {0};
    Expr *where = NULL;

    if (conflict && conflict->do_update) {
        uint32_t count = modify->table->columns_count;
        Visible view = {.first = conflict_columns(r, modify->table, conflict->existing),
                        .second = conflict_columns(r, modify->table, conflict->excluded),
                        .first_count = count,
                        .second_count = count};
        resolve_list(r, &conflict->new_row, view);
        resolve_one(r, &conflict->where, view);
        new_row = conflict->new_row;
        where = conflict->where;
        conflict->new_row = (ExprList){0};
        conflict->where = NULL;
    }
    r->view = view_of(plan->children[0]);
    plan_each_expr(plan, resolve_expr, r);
    if (conflict && conflict->do_update) {
        conflict->new_row = new_row;
        conflict->where = where;
    }
}

static void resolve_keys(Resolver *r, SortKey **keys, uint32_t count, Visible view)
{
    SortKey *own = count ? scope_new_array(r->scope, SortKey, count) : NULL;

    for (uint32_t i = 0; i < count; i++) {
        own[i] = (*keys)[i];
        resolve_one(r, &own[i].expr, view);
    }
    *keys = own;
}

static void resolve_exprs(Resolver *r, Plan *plan, const Visible *index)
{
    Visible child = view_of(plan->children[0]);

    switch (plan->kind) {
    case PLAN_JOIN: resolve_join(r, plan); break;
    case PLAN_SCAN: resolve_scan(r, plan, index); break;
    case PLAN_VIRTUAL: resolve_list(r, &plan->virtual_table.filters, view_of(plan)); break;
    case PLAN_MODIFY: resolve_modify(r, plan); break;
    case PLAN_VALUES:
        for (uint32_t i = 0; i < plan->values.rows_count; i++)
            resolve_list(r, &plan->values.rows[i], (Visible){0});
        break;
    case PLAN_FUNCTION: resolve_one(r, &plan->function.call, (Visible){0}); break;
    case PLAN_FILTER: resolve_list(r, &plan->filter.conditions, child); break;
    case PLAN_PROJECT: resolve_list(r, &plan->project.exprs, child); break;
    case PLAN_PROJECT_SET: resolve_list(r, &plan->project_set.exprs, child); break;
    case PLAN_AGGREGATE:
        resolve_list(r, &plan->aggregate.groups, child);
        resolve_list(r, &plan->aggregate.aggs, child);
        break;
    case PLAN_DISTINCT: resolve_list(r, &plan->distinct.on, child); break;
    case PLAN_SORT:
        resolve_keys(r, &plan->sort.keys, plan->sort.keys_count, child);
        resolve_one(r, &plan->sort.limit, (Visible){0});
        resolve_one(r, &plan->sort.offset, (Visible){0});
        break;
    case PLAN_LIMIT:
        resolve_keys(r, &plan->limit.keys, plan->limit.keys_count, child);
        resolve_one(r, &plan->limit.limit, (Visible){0});
        resolve_one(r, &plan->limit.offset, (Visible){0});
        break;
    case PLAN_WINDOW:
        resolve_keys(r, &plan->window.partition, plan->window.partition_count, child);
        break;
    default: break;
    }
}

static void resolve_plan(Resolver *r, Plan *plan, const Enclosing *enclosing, const Visible *index)
{
    if (u64map_get(r->seen, (uintptr_t)plan))
        return;
    u64map_put(r->seen, (uintptr_t)plan, plan);
    plan->node_id = r->nodes_count++;
    r->enclosing = enclosing;
    resolve_exprs(r, plan, index);
    if (plan->children[0])
        resolve_plan(r, plan->children[0], enclosing, index);
    if (plan->children[1] == NULL || r->status != OK)
        return;
    Visible left = view_of(plan->children[0]);
    Enclosing inner = {.view = &left, .up = enclosing};
    bool joins = plan->kind == PLAN_JOIN;
    bool by_index = joins && plan->join.method == JOIN_INDEX;
    resolve_plan(r, plan->children[1], joins && plan->join.dependent ? &inner : enclosing,
                 by_index ? &left : index);
}

Status plan_resolve(Ctx *ctx, Scope *scope, Plan *plan, uint32_t *nodes_count)
{
    Resolver r = {.ctx = ctx, .scope = scope, .seen = u64map_new(scope)};

    resolve_plan(&r, plan, NULL, NULL);
    if (nodes_count)
        *nodes_count = r.nodes_count;
    return r.status;
}
