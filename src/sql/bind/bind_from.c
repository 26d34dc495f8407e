// SPDX-License-Identifier: Apache-2.0
//
// FROM: its items bound from left to right and joined. A LATERAL item may look at those before it;
// if it does, the join is dependent.
#include "sql/bind/query_int.h"

Plan *bind_join_plan(Binder *b, Level *level, JoinType type, Plan *left, Plan *right)
{
    Plan *plan = plan_new(b->scope, PLAN_JOIN, left->columns_count + right->columns_count);
    ColumnList outer = {0};

    if (left->columns_count > 0)
        memcpy(plan->columns, left->columns, left->columns_count * sizeof *plan->columns);
    if (right->columns_count > 0)
        memcpy(plan->columns + left->columns_count, right->columns,
               right->columns_count * sizeof *plan->columns);
    plan->children[0] = left;
    plan->children[1] = right;
    plan->join.type = type;
    if (!level->lateral_used)
        return plan;
    plan_outer_columns(b->scope, right, &outer);
    for (uint32_t i = 0; i < outer.count; i++) {
        for (uint32_t j = 0; j < left->columns_count; j++)
            plan->join.dependent |= left->columns[j].id == outer.data[i];
    }
    return plan;
}

RangeItem *bind_add_query_item(Binder *b, Level *level, Str name, const BoundQuery *query)
{
    RangeItem *item = bind_add_item(b, level, name, query->columns_count);

    for (uint32_t i = 0; i < query->columns_count; i++) {
        const BoundColumn *column = &query->columns[i];
        const char *label = bind_qualified_name(b, name, column->name);
        item->columns[i].name = column->name;
        item->columns[i].expr = expr_column(b->scope, column->id, column->type, label);
        item->columns[i].expr->column.declared = column->declared;
    }
    item->is_subquery = true;
    return item;
}

/* The subselect's columns count as this level's from here on: GROUP BY looks at that. */
static void adopt_columns(Binder *b, Level *level, const BoundQuery *query)
{
    for (uint32_t i = 0; i < query->columns_count; i++) {
        ColumnInfo *info = bind_column_info(b, query->columns[i].id);
        info->level = level;
        info->computed = false;
    }
}

Status bind_subselect_item(Binder *b, Level *level, const AstSubselect *ast, Plan **out)
{
    Status st = OK;
    bool lateral = level->lateral;
    Clause clause = level->clause;
    BoundQuery query;

    level->lateral = ast->lateral;
    level->clause = CLAUSE_FROM_SUBSELECT;
    st = bind_query(b, level, ast->query, false, &query);
    level->lateral = lateral;
    level->clause = clause;
    TRY(st);
    adopt_columns(b, level, &query);
    RangeItem *item =
        bind_add_query_item(b, level, ast->alias ? ast->alias->name : (Str){0}, &query);
    TRY(bind_apply_alias(b, item, ast->alias, ast->node.location));
    *out = query.plan;
done:
    return st;
}

Status bind_from_item(Binder *b, Level *level, const AstNode *node, Plan **out)
{
    Status st = bind_enter(b, node->location);

    if (st != OK)
        return st;
    switch (node->kind) {
    case AST_TABLE_REF: st = bind_table_ref(b, level, (const AstTableRef *)node, out); break;
    case AST_SUBSELECT: st = bind_subselect_item(b, level, (const AstSubselect *)node, out); break;
    case AST_RANGE_FUNCTION:
        st = bind_range_function(b, level, (const AstRangeFunction *)node, out);
        break;
    case AST_JOIN: st = bind_join(b, level, (const AstJoin *)node, out); break;
    case AST_TABLE_SAMPLE: st = bind_unsupported(b, node->location, "TABLESAMPLE is"); break;
    default: st = error_raise(b->ctx, E_INTERNAL, "%s in FROM", ast_kind_name(node->kind)); break;
    }
    bind_leave(b);
    return st;
}

Status bind_from_list(Binder *b, Level *level, const AstList *from, Plan **out)
{
    Status st = OK;
    Plan *plan = *out;

    level->in_from = true;
    for (uint32_t i = 0; i < from->count; i++) {
        Plan *next;
        level->lateral_used = false;
        TRY(bind_from_item(b, level, from->items[i], &next));
        TRY(bind_check_duplicate_names(b, level, 0, -1));
        plan = plan ? bind_join_plan(b, level, JOIN_INNER, plan, next) : next;
    }
    *out = plan;
done:
    level->in_from = false;
    return st;
}
