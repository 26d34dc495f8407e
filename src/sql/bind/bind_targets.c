// SPDX-License-Identifier: Apache-2.0
//
// Target lists: what stands behind SELECT and RETURNING, with * spelled out, and their projection.
// Names are PostgreSQL's (ast_target_name). One thread.
#include "sql/bind/query_int.h"

static void push_target(Binder *b, TargetList *out, Expr *expr, Str name)
{
    Target target = {.expr = expr, .name = name};

    array_push(b->scope, out, target);
}

static void push_item(Binder *b, const RangeItem *item, int32_t location, TargetList *out)
{
    for (uint32_t i = 0; i < item->columns_count; i++)
        push_target(b, out, bind_range_ref(b, &item->columns[i], location), item->columns[i].name);
}

static Status star_of_all(Binder *b, Level *level, int32_t location, TargetList *out)
{
    Status st = OK;
    bool any = false;

    for (uint32_t i = level->visible_from; i < level->items.count; i++) {
        if (!level->items.data[i]->cols_visible)
            continue;
        push_item(b, level->items.data[i], location, out);
        any = true;
    }
    if (!any)
        BIND_FAIL(b, location, E_SYNTAX, "SELECT * with no tables specified is not valid");
done:
    return st;
}

Status bind_star(Binder *b, Level *level, const AstColumnRef *ref, TargetList *out)
{
    Status st = OK;
    const AstNames *path = &ref->path;
    int32_t location = ref->node.location;
    RangeItem *item;

    if (path->count == 0)
        return star_of_all(b, level, location, out);
    if (path->count > 3)
        BIND_FAIL(b, location, E_SYNTAX, "improper qualified name (too many dotted names)");
    Str name = path->items[path->count - 1];
    Str schema = path->count > 1 ? path->items[path->count - 2] : (Str){0};
    TRY(bind_find_item(b, level, schema, name, location, &item));
    if (item == NULL)
        TRY(bind_missing_item(b, level, name, location));
    push_item(b, item, location, out);
done:
    return st;
}

static bool is_star(const AstNode *value)
{
    return ast_is(value, AST_COLUMN_REF) && ((const AstColumnRef *)value)->star;
}

static Status bind_target(Binder *b, Level *level, const AstTarget *ast, TargetList *out)
{
    Status st = OK;
    Expr *expr;

    if (is_star(ast->value))
        return bind_star(b, level, (const AstColumnRef *)ast->value, out);
    TRY(bind_expr(b, level, ast->value, &expr));
    Str name = ast->name.ptr ? ast->name : ast_target_name(ast);
    push_target(b, out, expr, name.ptr ? name : STR("?column?"));
done:
    return st;
}

Status bind_targets(Binder *b, Level *level, const AstList *ast, Clause clause, TargetList *out)
{
    Status st = OK;
    Clause before = level->clause;

    level->clause = clause;
    for (uint32_t i = 0; i < ast->count; i++)
        TRY(bind_target(b, level, (const AstTarget *)ast->items[i], out));
    if (out->count > TARGETS_MAX)
        BIND_FAIL(b, -1, E_TOO_MANY_COLUMNS, "target lists can have at most %d entries",
                  TARGETS_MAX);
done:
    level->clause = before;
    return st;
}

// --- projection --------------------------------------------------------------------------------

static bool has_id(const PlanColumn *columns, uint32_t count, ColumnId id)
{
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i].id == id)
            return true;
    }
    return false;
}

/* PLAN-1: a plain column of the child keeps its id the first time it is projected. */
static ColumnId target_id(Binder *b, Level *level, const Plan *child, const Plan *project,
                          uint32_t at, const Expr *expr)
{
    bool column = expr->kind == EXPR_COLUMN;

    if (column && has_id(child->columns, child->columns_count, expr->column.id) &&
        !has_id(project->columns, at, expr->column.id))
        return expr->column.id;
    ColumnId id = bind_new_column(b, level);
    if (column) {
        const ColumnInfo origin = *bind_column_info(b, expr->column.id);
        bind_column_info(b, id)->table = origin.table;
        bind_column_info(b, id)->attnum = origin.attnum;
    }
    return id;
}

static bool is_identity(const Plan *project, const Plan *child)
{
    if (project->columns_count != child->columns_count)
        return false;
    for (uint32_t i = 0; i < child->columns_count; i++) {
        if (project->columns[i].id != child->columns[i].id)
            return false;
    }
    return true;
}

Plan *bind_project(Binder *b, Level *level, Plan *child, const TargetList *targets, ColumnId *ids)
{
    Plan *plan = plan_new(b->scope, PLAN_PROJECT, targets->count);

    plan->children[0] = child;
    for (uint32_t i = 0; i < targets->count; i++) {
        Expr *expr = targets->data[i].expr;
        ids[i] = target_id(b, level, child, plan, i, expr);
        plan->columns[i] = (PlanColumn){ids[i], expr->type, bind_c(b, targets->data[i].name)};
        array_push(b->scope, &plan->project.exprs, expr);
    }
    return is_identity(plan, child) ? child : plan;
}
