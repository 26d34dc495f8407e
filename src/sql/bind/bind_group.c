// SPDX-License-Identifier: Apache-2.0
//
// What GROUP BY and aggregates do to the expressions above them: a grouped expression becomes the
// group's column, any other column of the query's own FROM is the error 42803, unless the primary
// key of its table is grouped by: then it is one more (dependent) group column.
#include "sql/bind/query_int.h"

static const RangeItem *item_of(const Level *level, ColumnId id, uint32_t *at)
{
    for (uint32_t i = 0; i < level->items.count; i++) {
        const RangeItem *item = level->items.data[i];
        for (uint32_t j = 0; item->table && j < item->columns_count; j++) {
            if (item->columns[j].expr->column.id == id) {
                *at = j;
                return item;
            }
        }
    }
    return NULL;
}

static bool is_grouped(const Grouping *grouping, ColumnId id)
{
    for (uint32_t i = 0; i < grouping->groups.count; i++) {
        const Expr *group = grouping->groups.data[i];
        if (group->kind == EXPR_COLUMN && group->column.id == id)
            return true;
    }
    return false;
}

/* The item's column with that column id of the table; 0 if it is gone. */
static ColumnId item_column(const RangeItem *item, uint32_t column)
{
    for (uint32_t i = 0; i < item->table->columns_count; i++) {
        if (item->table->columns[i].id == column)
            return item->columns[i].expr->column.id;
    }
    return 0;
}

static bool primary_key_grouped(const Grouping *grouping, const RangeItem *item)
{
    for (uint32_t i = 0; i < item->table->indexes_count; i++) {
        const Index *index = item->table->indexes[i];
        bool all = index->primary;
        for (uint32_t j = 0; j < index->columns_count && all; j++)
            all = is_grouped(grouping, item_column(item, index->columns[j].column));
        if (all)
            return true;
    }
    return false;
}

static void add_group(Binder *b, Grouping *grouping, Expr *expr)
{
    bool own =
        expr->kind == EXPR_COLUMN && bind_column_info(b, expr->column.id)->level == grouping->level;
    ColumnId id = own ? expr->column.id : bind_new_column(b, grouping->level);

    if (!own)
        bind_column_info(b, id)->computed = true;
    array_push(b->scope, &grouping->groups, expr);
    array_push(b->scope, &grouping->ids, id);
}

/* True if the column may stand above the aggregate under its own id. */
static bool may_stand(Binder *b, Grouping *grouping, ColumnId id)
{
    const ColumnInfo *info = bind_column_info(b, id);
    uint32_t at;

    if (info->level != grouping->level || info->computed || is_grouped(grouping, id))
        return true;
    const RangeItem *item = item_of(grouping->level, id, &at);
    if (item == NULL || !primary_key_grouped(grouping, item))
        return false;
    add_group(b, grouping, expr_copy(b->scope, item->columns[at].expr));
    return true;
}

static const char *column_name(const Level *level, ColumnId id)
{
    for (uint32_t i = 0; i < level->items.count; i++) {
        const RangeItem *item = level->items.data[i];
        for (uint32_t j = 0; j < item->columns_count; j++) {
            const Expr *expr = item->columns[j].expr;
            if (expr->kind == EXPR_COLUMN && expr->column.id == id)
                return expr->column.name;
        }
    }
    return "?column?";
}

typedef struct UseSearch {
    ColumnId id;
    int32_t location;
} UseSearch;

static void find_use_in_plan(UseSearch *search, Plan *plan);

static bool find_use(void *arg, Expr *expr)
{
    UseSearch *search = arg;

    if (expr->kind == EXPR_COLUMN && expr->column.id == search->id && search->location < 0)
        search->location = expr->location;
    if (expr->kind == EXPR_SUBQUERY)
        find_use_in_plan(search, expr->subquery.plan);
    return search->location < 0;
}

static void find_use_in_expr(void *arg, Expr **expr)
{
    expr_walk(*expr, find_use, arg);
}

static void find_use_in_plan(UseSearch *search, Plan *plan)
{
    plan_each_expr(plan, find_use_in_expr, search);
    for (int i = 0; i < 2 && search->location < 0; i++) {
        if (plan->children[i])
            find_use_in_plan(search, plan->children[i]);
    }
}

static Status check_subquery(Binder *b, Grouping *grouping, const Expr *expr)
{
    for (uint32_t i = 0; i < expr->subquery.outer_count; i++) {
        ColumnId id = expr->subquery.outer[i];
        UseSearch use = {.id = id, .location = -1};
        if (may_stand(b, grouping, id))
            continue;
        find_use_in_plan(&use, expr->subquery.plan);
        return bind_at(b, use.location,
                       error_raise(b->ctx, E_GROUPING,
                                   "subquery uses ungrouped column \"%s\" from outer query",
                                   column_name(grouping->level, id)));
    }
    return OK;
}

/* The group's column if the expression is one of the groups. */
static Expr *as_group(Binder *b, const Grouping *grouping, const Expr *expr)
{
    for (uint32_t i = 0; i < grouping->groups.count; i++) {
        const Expr *group = grouping->groups.data[i];
        if (!expr_equal(group, expr))
            continue;
        const char *name = group->kind == EXPR_COLUMN ? group->column.name : NULL;
        Expr *column = expr_column(b->scope, grouping->ids.data[i], expr->type, name);
        column->location = expr->location;
        if (expr->kind == EXPR_COLUMN)
            column->column.declared = expr->column.declared;
        return column;
    }
    return NULL;
}

Status bind_regroup(Binder *b, Grouping *grouping, Expr **expr)
{
    Status st = OK;
    Expr *group = as_group(b, grouping, *expr);

    if (group != NULL) {
        *expr = group;
        goto done;
    }
    if ((*expr)->kind == EXPR_COLUMN && !may_stand(b, grouping, (*expr)->column.id))
        BIND_FAIL(b, (*expr)->location, E_GROUPING,
                  "column \"%s\" must appear in the GROUP BY clause or be used in an aggregate "
                  "function",
                  (*expr)->column.name);
    if ((*expr)->kind == EXPR_SUBQUERY)
        TRY(check_subquery(b, grouping, *expr));
    if ((*expr)->args_count == 0)
        goto done;
    Expr *copy = scope_new(b->scope, Expr);
    *copy = **expr;
    copy->args = scope_new_array(b->scope, Expr *, copy->args_count);
    memcpy(copy->args, (*expr)->args, copy->args_count * sizeof *copy->args);
    for (uint32_t i = 0; i < copy->args_count; i++)
        TRY(bind_regroup(b, grouping, &copy->args[i]));
    *expr = copy;
done:
    return st;
}

void bind_groups(Binder *b, Grouping *grouping, const ExprList *exprs)
{
    for (uint32_t i = 0; i < exprs->count; i++) {
        if (as_group(b, grouping, exprs->data[i]) == NULL)
            add_group(b, grouping, exprs->data[i]);
    }
}

static const char *expr_text(Binder *b, const Expr *expr)
{
    StrBuf buf;

    if (expr->kind == EXPR_COLUMN)
        return expr->column.name;
    strbuf_init(&buf);
    expr_print(&buf, expr);
    char *text = scope_strndup(b->scope, buf.ptr, buf.len);
    strbuf_free(&buf);
    return text;
}

Plan *bind_aggregate_plan(Binder *b, Grouping *grouping, Plan *child)
{
    const Level *level = grouping->level;
    uint32_t groups = grouping->groups.count, aggs = level->aggs.count;
    Plan *plan = plan_new(b->scope, PLAN_AGGREGATE, groups + aggs);

    plan->children[0] = child;
    for (uint32_t i = 0; i < groups; i++) {
        const Expr *group = grouping->groups.data[i];
        plan->columns[i] = (PlanColumn){grouping->ids.data[i], group->type, expr_text(b, group)};
    }
    plan->aggregate.groups = grouping->groups;
    for (uint32_t i = 0; i < aggs; i++) {
        const AggEntry *entry = &level->aggs.data[i];
        array_push(b->scope, &plan->aggregate.aggs, entry->agg);
        plan->columns[groups + i] =
            (PlanColumn){entry->id, entry->agg->type, expr_text(b, entry->agg)};
    }
    return plan;
}
