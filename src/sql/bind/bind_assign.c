// SPDX-License-Identifier: Apache-2.0
//
// SET lists of UPDATE and ON CONFLICT DO UPDATE: single columns, and rows (a, b) = (1, 2) or
// (a, b) = (SELECT …); such a query is joined to the rows that are updated.
#include "sql/bind/query_int.h"

static Status updated_to_default_only(Binder *b, const Column *column)
{
    Status st =
        error_raise(b->ctx, E_GENERATED_ALWAYS, "column \"%.*s\" can only be updated to DEFAULT",
                    STR_ARGS(column->name));

    error_detail(b->ctx, "Column \"%.*s\" is an identity column defined as GENERATED ALWAYS.",
                 STR_ARGS(column->name));
    return st;
}

static Status wrong_count(Binder *b, int32_t location)
{
    return bind_at(
        b, location,
        error_raise(b->ctx, E_SYNTAX, "number of columns does not match number of values"));
}

/* Joins the query once for all its targets; at most one row may match. */
static Status join_source(Binder *b, SetList *set, const AstMultiAssign *ast)
{
    Status st = OK;
    const AstSublink *sublink = (const AstSublink *)ast->source;

    if (set->source == ast->source)
        goto done;
    if (set->from == NULL)
        TRY(bind_unsupported(b, ast->node.location, "SET (…) = (SELECT …) in ON CONFLICT is"));
    TRY(bind_query(b, set->level, sublink->query, false, &set->source_query));
    if (set->source_query.columns_count != ast->columns)
        TRY(wrong_count(b, ast->source->location));
    set->level->lateral_used = true;
    *set->from = bind_join_plan(b, set->level, JOIN_SINGLE, *set->from, set->source_query.plan);
    set->source = ast->source;
done:
    return st;
}

/* One target of a row: a node still to be bound, or a column of the joined query. */
static Status bind_multi(Binder *b, SetList *set, const AstMultiAssign *ast, const AstNode **value,
                         Expr **out)
{
    Status st = OK;

    *value = NULL;
    if (ast_is(ast->source, AST_ROW)) {
        const AstRow *row = (const AstRow *)ast->source;
        if (row->args.count != ast->columns)
            TRY(wrong_count(b, ast->source->location));
        *value = row->args.items[ast->column - 1];
        goto done;
    }
    if (!ast_is(ast->source, AST_SUBLINK) ||
        ((const AstSublink *)ast->source)->kind != AST_SUBLINK_SCALAR)
        BIND_FAIL(b, ast->node.location, E_FEATURE_NOT_SUPPORTED,
                  "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() "
                  "expression");
    TRY(join_source(b, set, ast));
    const BoundColumn *column = &set->source_query.columns[ast->column - 1];
    *out = expr_column(b->scope, column->id, column->type,
                       bind_qualified_name(b, STR(""), column->name));
    (*out)->location = column->location;
done:
    return st;
}

/* The value of one target, not yet of the column's type; NULL: DEFAULT. */
static Status bind_value(Binder *b, SetList *set, const AstTarget *target, Expr **out)
{
    Status st = OK;
    const AstNode *value = target->value;

    *out = NULL;
    if (ast_is(value, AST_MULTI_ASSIGN))
        TRY(bind_multi(b, set, (const AstMultiAssign *)value, &value, out));
    if (*out == NULL && !ast_is(value, AST_DEFAULT))
        TRY(bind_expr_in(b, set->level, CLAUSE_UPDATE, value, out));
done:
    return st;
}

static Status assign(Binder *b, SetList *set, const AstTarget *target, Expr *value)
{
    Status st = OK;
    uint32_t at;

    if (target->indirection.count > 0)
        TRY(bind_unsupported(b, target->node.location, "assignment to parts of a value is"));
    TRY(bind_table_column(b, set->table, target->name, target->node.location, &at));
    const Column *column = &set->table->columns[at];
    if (set->updated[at])
        BIND_FAIL(b, -1, E_SYNTAX, "multiple assignments to same column \"%.*s\"",
                  STR_ARGS(target->name));
    set->updated[at] = true;
    if (value == NULL) {
        TRY(bind_default(b, column, &set->new_row[at]));
        goto done;
    }
    if (column->generated == GENERATED_ALWAYS_IDENTITY)
        TRY(updated_to_default_only(b, column));
    TRY(bind_assign(b, column, value, &set->new_row[at]));
done:
    return st;
}

/* All values first, as PostgreSQL does: it decides which error shows. */
Status bind_set_list(Binder *b, SetList *set, const AstList *ast)
{
    Status st = OK;
    Expr **values = scope_new_array(b->scope, Expr *, ast->count + 1);

    for (uint32_t i = 0; i < ast->count; i++)
        TRY(bind_value(b, set, (const AstTarget *)ast->items[i], &values[i]));
    for (uint32_t i = 0; i < ast->count; i++)
        TRY(assign(b, set, (const AstTarget *)ast->items[i], values[i]));
done:
    return st;
}
