// SPDX-License-Identifier: Apache-2.0
//
// UPDATE and DELETE: the target's rows with their keys, joined with FROM or USING and filtered; an
// UPDATE's rows are projected to new row, old row, key and what RETURNING needs of the others.
#include "sql/bind/query_int.h"

/* The target is not seen by LATERAL items of FROM. */
static Status bind_sources(Binder *b, Level *level, const AstTableRef *ref, const Table *table,
                           const AstList *from, Plan **out)
{
    Status st = OK;
    Str name = ref->alias ? ref->alias->name : table->object.name;

    level->want_keys = true;
    RangeItem *item = bind_scan_table(b, level, table, name);
    level->want_keys = false;
    TRY(bind_apply_alias(b, item, ref->alias, ref->node.location));
    item->lateral_ok = false;
    *out = item->scan;
    st = bind_from_list(b, level, from, out);
    item->lateral_ok = true;
done:
    return st;
}

// --- columns that RETURNING needs --------------------------------------------------------------

typedef struct Extras {
    Binder *b;
    const Plan *child;
    uint32_t skip; /* the target's own columns come first */
    ColumnList ids;
} Extras;

static void add_extra(Extras *extras, ColumnId id)
{
    bool given = false;

    for (uint32_t i = extras->skip; i < extras->child->columns_count; i++)
        given |= extras->child->columns[i].id == id;
    for (uint32_t i = 0; i < extras->ids.count; i++)
        given &= extras->ids.data[i] != id;
    if (given)
        array_push(extras->b->scope, &extras->ids, id);
}

static bool find_extra(void *arg, Expr *expr)
{
    if (expr->kind == EXPR_COLUMN)
        add_extra(arg, expr->column.id);
    for (uint32_t i = 0; expr->kind == EXPR_SUBQUERY && i < expr->subquery.outer_count; i++)
        add_extra(arg, expr->subquery.outer[i]);
    return true;
}

static void find_extras(Extras *extras, const ExprList *exprs)
{
    for (uint32_t i = 0; i < exprs->count; i++)
        expr_walk(exprs->data[i], find_extra, extras);
}

static const PlanColumn *child_column(const Plan *child, ColumnId id)
{
    for (uint32_t i = 0; i < child->columns_count; i++) {
        if (child->columns[i].id == id)
            return &child->columns[i];
    }
    ASSERT(!"a column of RETURNING is not the child's");
    return NULL;
}

static void push_column(Binder *b, Plan *project, uint32_t *at, const PlanColumn *column)
{
    Expr *expr = expr_column(b->scope, column->id, column->type, column->name);

    project->columns[(*at)++] = *column;
    array_push(b->scope, &project->project.exprs, expr);
}

/* [new row] old row, key, extras. */
static Plan *row_project(Binder *b, const Table *table, Expr *const *new_row, const ColumnId *ids,
                         const Extras *extras)
{
    uint32_t count = table->columns_count, at = 0;
    uint32_t all = (new_row ? 2 * count : count) + 1 + extras->ids.count;
    Plan *project = plan_new(b->scope, PLAN_PROJECT, all);

    project->children[0] = (Plan *)extras->child;
    for (uint32_t i = 0; i < count && new_row; i++) {
        project->columns[at++] =
            (PlanColumn){ids[i], new_row[i]->type, bind_c(b, table->columns[i].name)};
        array_push(b->scope, &project->project.exprs, new_row[i]);
    }
    for (uint32_t i = 0; i <= count; i++)
        push_column(b, project, &at, &extras->child->columns[i]);
    for (uint32_t i = 0; i < extras->ids.count; i++)
        push_column(b, project, &at, child_column(extras->child, extras->ids.data[i]));
    return project;
}

// --- UPDATE ------------------------------------------------------------------------------------

/* RETURNING sees the new row under the target's name, and the other items as they are. */
static Level *returning_level(Binder *b, Level *level, const Table *table, const ColumnId *ids)
{
    Level *returning = scope_new(b->scope, Level);

    level_init(returning, NULL);
    returning->ctes = level->ctes;
    bind_row_item(b, returning, table, level->items.data[0]->name, ids);
    for (uint32_t i = 0; i < table->columns_count; i++)
        returning->items.data[0]->columns[i].name = level->items.data[0]->columns[i].name;
    for (uint32_t i = 1; i < level->items.count; i++)
        array_push(b->scope, &returning->items, level->items.data[i]);
    return returning;
}

static Status bind_update_plan(Binder *b, const AstUpdate *ast, Level *level, const Table *table,
                               Plan *child, BoundQuery *out)
{
    Status st = OK;
    uint32_t count = table->columns_count;
    SetList set = {.level = level, .table = table, .from = &child};
    Plan *plan = plan_new(b->scope, PLAN_MODIFY, 0);
    ColumnId *ids = scope_new_array(b->scope, ColumnId, count + 1);

    set.new_row = scope_new_array(b->scope, Expr *, count + 1);
    set.updated = scope_new_array(b->scope, bool, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        set.new_row[i] = bind_range_ref(b, &level->items.data[0]->columns[i], -1);
        ids[i] = bind_new_column(b, level);
    }
    plan->modify.kind = MODIFY_UPDATE;
    plan->modify.table = table;
    plan->modify.new_columns = ids;
    plan->modify.updated = set.updated;
    TRY(bind_returning(b, returning_level(b, level, table, ids), &ast->returning, plan, out));
    TRY(bind_set_list(b, &set, &ast->set));
    TRY(bind_row_checks(b, &plan->modify));
    Extras extras = {.b = b, .child = child, .skip = count + 1};
    find_extras(&extras, &plan->modify.returning);
    plan->children[0] = row_project(b, table, set.new_row, ids, &extras);
done:
    return st;
}

Status bind_update(Binder *b, const AstUpdate *ast, BoundQuery *out)
{
    Status st = OK;
    const Table *table;
    Level *level = scope_new(b->scope, Level);
    Plan *child = NULL;

    level_init(level, NULL);
    if (ast->with)
        TRY(bind_with(b, level, ast->with));
    TRY(bind_target_table(b, ast->table, "update", &ast->set, &table));
    TRY(bind_sources(b, level, ast->table, table, &ast->from, &child));
    if (ast->where) {
        Expr *where;
        TRY(bind_condition(b, level, CLAUSE_WHERE, ast->where, "WHERE", &where));
        child = bind_filter(b, child, where);
    }
    TRY(bind_update_plan(b, ast, level, table, child, out));
    if (ast->with)
        out->plan = bind_with_wrap(b, level, ast->with, out->plan);
done:
    return st;
}

// --- DELETE ------------------------------------------------------------------------------------

Status bind_delete(Binder *b, const AstDelete *ast, BoundQuery *out)
{
    Status st = OK;
    const Table *table;
    Level *level = scope_new(b->scope, Level);
    Plan *child = NULL, *plan = plan_new(b->scope, PLAN_MODIFY, 0);
    Expr *where = NULL;

    level_init(level, NULL);
    if (ast->with)
        TRY(bind_with(b, level, ast->with));
    TRY(bind_target_table(b, ast->table, "delete from", NULL, &table));
    TRY(bind_sources(b, level, ast->table, table, &ast->from, &child));
    if (ast->where)
        TRY(bind_condition(b, level, CLAUSE_WHERE, ast->where, "WHERE", &where));
    child = bind_filter(b, child, where);
    plan->modify.kind = MODIFY_DELETE;
    plan->modify.table = table;
    plan->modify.new_columns = scope_new_array(b->scope, ColumnId, table->columns_count + 1);
    for (uint32_t i = 0; i < table->columns_count; i++)
        plan->modify.new_columns[i] = level->items.data[0]->columns[i].expr->column.id;
    TRY(bind_returning(b, level, &ast->returning, plan, out));
    TRY(bind_row_checks(b, &plan->modify));
    Extras extras = {.b = b, .child = child, .skip = table->columns_count + 1};
    find_extras(&extras, &plan->modify.returning);
    plan->children[0] = ast->from.count > 0 ? row_project(b, table, NULL, NULL, &extras) : child;
    if (ast->with)
        out->plan = bind_with_wrap(b, level, ast->with, out->plan);
done:
    return st;
}
