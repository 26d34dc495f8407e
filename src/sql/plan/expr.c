// SPDX-License-Identifier: Apache-2.0
//
// Making, copying, comparing and walking expressions. Walks recurse: the binder limits the depth of
// what it makes. Printing is in expr_print.c. Called by one thread while a statement is planned.
#include "sql/plan/plan.h"

Expr *expr_new(Scope *scope, ExprKind kind, SqlType type, uint32_t args_count)
{
    Expr *expr = scope_new(scope, Expr);

    expr->kind = kind;
    expr->type = type;
    expr->location = -1;
    expr->args_count = args_count;
    if (args_count > 0)
        expr->args = scope_new_array(scope, Expr *, args_count);
    if (kind == EXPR_COLUMN)
        expr->column.slot = -1;
    return expr;
}

Expr *expr_const(Scope *scope, const Datum *datum)
{
    Expr *expr = expr_new(scope, EXPR_CONST, datum->type, 0);

    expr->constant = *datum;
    return expr;
}

Expr *expr_bool(Scope *scope, bool value)
{
    Datum datum = {.type = sql_type(OID_BOOL), .boolean = value};

    return expr_const(scope, &datum);
}

Expr *expr_null(Scope *scope, SqlType type)
{
    Datum datum = datum_null(type);

    return expr_const(scope, &datum);
}

Expr *expr_column(Scope *scope, ColumnId id, SqlType type, const char *name)
{
    Expr *expr = expr_new(scope, EXPR_COLUMN, type, 0);

    ASSERT(id != 0);
    expr->column.id = id;
    expr->column.name = name;
    return expr;
}

void expr_conjuncts(Scope *scope, Expr *condition, ExprList *out)
{
    if (condition == NULL)
        return;
    if (condition->kind != EXPR_AND) {
        array_push(scope, out, condition);
        return;
    }
    for (uint32_t i = 0; i < condition->args_count; i++)
        expr_conjuncts(scope, condition->args[i], out);
}

Expr *expr_and(Scope *scope, Expr *const *list, uint32_t count)
{
    ExprList flat = {0};

    for (uint32_t i = 0; i < count; i++)
        expr_conjuncts(scope, list[i], &flat);
    if (flat.count == 0)
        return NULL;
    if (flat.count == 1)
        return flat.data[0];
    Expr *expr = expr_new(scope, EXPR_AND, sql_type(OID_BOOL), flat.count);
    memcpy(expr->args, flat.data, flat.count * sizeof *flat.data);
    return expr;
}

/* A node with its own arrays; the children are still shared. */
static Expr *copy_node(Scope *scope, const Expr *expr)
{
    Expr *copy = scope_new(scope, Expr);

    *copy = *expr;
    if (expr->args_count > 0) {
        copy->args = scope_new_array(scope, Expr *, expr->args_count);
        memcpy(copy->args, expr->args, expr->args_count * sizeof *expr->args);
    }
    if (expr->kind == EXPR_AGG && expr->agg.order_count > 0) {
        copy->agg.order = scope_new_array(scope, SortKey, expr->agg.order_count);
        memcpy(copy->agg.order, expr->agg.order, expr->agg.order_count * sizeof(SortKey));
    }
    return copy;
}

Expr *expr_rewrite(Scope *scope, const Expr *expr, Expr *(*rewrite)(void *arg, Expr *expr),
                   void *arg)
{
    Expr *copy = copy_node(scope, expr);

    for (uint32_t i = 0; i < copy->args_count; i++)
        copy->args[i] = expr_rewrite(scope, copy->args[i], rewrite, arg);
    if (copy->kind == EXPR_AGG) {
        if (copy->agg.filter)
            copy->agg.filter = expr_rewrite(scope, copy->agg.filter, rewrite, arg);
        for (uint32_t i = 0; i < copy->agg.order_count; i++)
            copy->agg.order[i].expr = expr_rewrite(scope, copy->agg.order[i].expr, rewrite, arg);
    }
    return rewrite(arg, copy);
}

static Expr *rewrite_nothing(void *arg UNUSED, Expr *expr)
{
    return expr;
}

Expr *expr_copy(Scope *scope, const Expr *expr)
{
    return expr_rewrite(scope, expr, rewrite_nothing, NULL);
}

void expr_walk(Expr *expr, bool (*visit)(void *arg, Expr *expr), void *arg)
{
    if (!visit(arg, expr))
        return;
    for (uint32_t i = 0; i < expr->args_count; i++)
        expr_walk(expr->args[i], visit, arg);
    if (expr->kind == EXPR_AGG) {
        if (expr->agg.filter)
            expr_walk(expr->agg.filter, visit, arg);
        for (uint32_t i = 0; i < expr->agg.order_count; i++)
            expr_walk(expr->agg.order[i].expr, visit, arg);
    }
}

// --- equality ----------------------------------------------------------------------------------

static bool datum_same(const Datum *a, const Datum *b)
{
    if (!type_equal(a->type, b->type) || a->is_null != b->is_null)
        return false;
    if (a->is_null)
        return true;
    PhysType phys = type_phys(a->type);
    if (phys == PHYS_STRING)
        return strview_equal(&a->string, &b->string);
    return memcmp(a->bytes, b->bytes, phys_size[phys]) == 0;
}

static bool agg_same(const Expr *a, const Expr *b)
{
    if (a->agg.info != b->agg.info || a->agg.distinct != b->agg.distinct ||
        a->agg.order_count != b->agg.order_count || !a->agg.filter != !b->agg.filter)
        return false;
    if (a->agg.filter && !expr_equal(a->agg.filter, b->agg.filter))
        return false;
    for (uint32_t i = 0; i < a->agg.order_count; i++) {
        const SortKey *x = &a->agg.order[i], *y = &b->agg.order[i];
        if (x->descending != y->descending || x->nulls_first != y->nulls_first ||
            !expr_equal(x->expr, y->expr))
            return false;
    }
    return true;
}

static bool node_same(const Expr *a, const Expr *b)
{
    switch (a->kind) {
    case EXPR_CONST: return datum_same(&a->constant, &b->constant);
    case EXPR_COLUMN: return a->column.id == b->column.id;
    case EXPR_PARAM: return a->param.at == b->param.at;
    case EXPR_FUNC:
    case EXPR_NULLIF:
    case EXPR_ANY: return a->func.info == b->func.info && a->func.all == b->func.all;
    case EXPR_IS_NULL:
    case EXPR_DISTINCT:
    case EXPR_IN: return a->test.negated == b->test.negated;
    case EXPR_IS_BOOL: return a->test.negated == b->test.negated && a->test.test == b->test.test;
    case EXPR_SUBQUERY: return a->subquery.plan == b->subquery.plan;
    case EXPR_AGG: return agg_same(a, b);
    default: return true;
    }
}

bool expr_equal(const Expr *a, const Expr *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || !type_equal(a->type, b->type) || a->args_count != b->args_count ||
        !node_same(a, b))
        return false;
    for (uint32_t i = 0; i < a->args_count; i++) {
        if (!expr_equal(a->args[i], b->args[i]))
            return false;
    }
    return true;
}

// --- properties --------------------------------------------------------------------------------

static bool find_subquery(void *arg, Expr *expr)
{
    if (expr->kind == EXPR_SUBQUERY)
        *(bool *)arg = true;
    return !*(bool *)arg;
}

bool expr_has_subquery(const Expr *expr)
{
    bool found = false;

    expr_walk((Expr *)expr, find_subquery, &found);
    return found;
}

static bool plan_is_volatile(Plan *plan);

static bool find_volatile(void *arg, Expr *expr)
{
    bool *found = arg;

    if (expr->kind == EXPR_FUNC && expr->func.info->volatility == VOLATILE)
        *found = true;
    else if (expr->kind == EXPR_SUBQUERY && plan_is_volatile(expr->subquery.plan))
        *found = true;
    return !*found;
}

static void find_volatile_in(void *arg, Expr **expr)
{
    expr_walk(*expr, find_volatile, arg);
}

static bool plan_is_volatile(Plan *plan)
{
    bool found = plan->kind == PLAN_MODIFY || plan->kind == PLAN_LOCK_ROWS;

    plan_each_expr(plan, find_volatile_in, &found);
    for (int i = 0; i < 2 && !found; i++) {
        if (plan->children[i])
            found = plan_is_volatile(plan->children[i]);
    }
    return found;
}

bool expr_is_volatile(const Expr *expr)
{
    bool found = false;

    expr_walk((Expr *)expr, find_volatile, &found);
    return found;
}

/* Types whose text, or whose meaning as another type, depends on the session's settings or on the
   catalog: casts of them are STABLE in PostgreSQL. */
static bool type_is_settings_bound(Oid oid)
{
    const TypeInfo *info = type_info(oid);

    switch (info && info->element ? info->element : oid) {
    case OID_DATE:
    case OID_TIME:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
    case OID_INTERVAL:
    case OID_REGPROC:
    case OID_REGPROCEDURE:
    case OID_REGOPER:
    case OID_REGOPERATOR:
    case OID_REGCLASS:
    case OID_REGTYPE:
    case OID_REGROLE:
    case OID_REGNAMESPACE: return true;
    default: return false;
    }
}

static bool cast_is_immutable(Oid from, Oid to)
{
    bool zoned = from == OID_TIMESTAMPTZ || to == OID_TIMESTAMPTZ;

    if (from == to)
        return true;
    if (!type_is_settings_bound(from) && !type_is_settings_bound(to))
        return true;
    return !zoned && type_is_settings_bound(from) && type_is_settings_bound(to);
}

static bool find_variable(void *arg, Expr *expr)
{
    bool *found = arg;

    switch (expr->kind) {
    case EXPR_COLUMN:
    case EXPR_PARAM:
    case EXPR_SUBQUERY:
    case EXPR_AGG: *found = true; break;
    case EXPR_FUNC:
        if (expr->func.info->volatility != IMMUTABLE || expr->func.info->set)
            *found = true;
        break;
    case EXPR_CAST:
        if (!cast_is_immutable(expr->args[0]->type.oid, expr->type.oid))
            *found = true;
        break;
    default: break;
    }
    return !*found;
}

bool expr_is_constant(const Expr *expr)
{
    bool found = false;

    expr_walk((Expr *)expr, find_variable, &found);
    return !found;
}

bool expr_can_fail(const Expr *expr)
{
    switch (expr->kind) {
    case EXPR_CONST:
    case EXPR_COLUMN:
    case EXPR_PARAM:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
    case EXPR_IS_NULL:
    case EXPR_IS_BOOL:
    case EXPR_DISTINCT:
    case EXPR_IN: break;
    case EXPR_FUNC:
        if (expr->func.op == NULL || expr->func.op->result != OID_BOOL)
            return true;
        break;
    default: return true;
    }
    for (uint32_t i = 0; i < expr->args_count; i++) {
        if (expr_can_fail(expr->args[i]))
            return true;
    }
    return false;
}
