// SPDX-License-Identifier: Apache-2.0
//
// INSERT: each row is made whole (values cast to their columns, defaults for the others) and given
// to PLAN_MODIFY. VALUES lists become PLAN_VALUES at once, a query is projected.
#include "sql/bind/query_int.h"

typedef struct Insert {
    const AstInsert *ast;
    const Table *table;
    Level *level;
    uint32_t *targets; /* positions in table->columns, in the order values are given */
    uint32_t targets_count;
    Expr **defaults; /* by table column, bound when first needed */
    ColumnId *ids;   /* the new row's columns */
} Insert;

static Status bind_columns(Binder *b, Insert *insert)
{
    Status st = OK;
    const AstList *columns = &insert->ast->columns;
    uint32_t count = columns->count ? columns->count : insert->table->columns_count;

    insert->targets = scope_new_array(b->scope, uint32_t, count + 1);
    insert->targets_count = count;
    for (uint32_t i = 0; i < count; i++) {
        insert->targets[i] = i;
        if (columns->count == 0)
            continue;
        const AstTarget *target = (const AstTarget *)columns->items[i];
        if (target->indirection.count > 0)
            TRY(bind_unsupported(b, target->node.location, "assignment to parts of a value is"));
        TRY(bind_table_column(b, insert->table, target->name, target->node.location,
                              &insert->targets[i]));
        for (uint32_t j = 0; j < i; j++) {
            if (insert->targets[j] == insert->targets[i])
                BIND_FAIL(b, target->node.location, E_DUPLICATE_COLUMN,
                          "column \"%.*s\" specified more than once", STR_ARGS(target->name));
        }
    }
done:
    return st;
}

static Status check_count(Binder *b, const Insert *insert, uint32_t given, int32_t location)
{
    Status st = OK;
    const AstList *columns = &insert->ast->columns;

    if (given > insert->targets_count)
        BIND_FAIL(b, location, E_SYNTAX, "INSERT has more expressions than target columns");
    if (given < insert->targets_count && columns->count > 0)
        BIND_FAIL(b, columns->items[given]->location, E_SYNTAX,
                  "INSERT has more target columns than expressions");
done:
    return st;
}

static Status default_of(Binder *b, Insert *insert, uint32_t at, Expr **out)
{
    Status st = OK;

    if (insert->defaults[at] == NULL)
        TRY(bind_default(b, &insert->table->columns[at], &insert->defaults[at]));
    *out = insert->defaults[at];
done:
    return st;
}

/* What identity rules make of a given value: kept, refused, or replaced by the default. */
static Status check_identity(Binder *b, const Insert *insert, const Column *column,
                             bool *use_default)
{
    *use_default = false;
    if (column->generated == GENERATED_NONE)
        return OK;
    switch (insert->ast->overriding) {
    case AST_OVERRIDING_USER: *use_default = true; return OK;
    case AST_OVERRIDING_SYSTEM: return OK;
    default: break;
    }
    if (column->generated == GENERATED_ALWAYS_IDENTITY)
        return bind_generated_always(b, column);
    return OK;
}

/* A row with the given values at their columns and defaults elsewhere. */
static Status complete_row(Binder *b, Insert *insert, Expr *const *values, uint32_t given,
                           Expr **row)
{
    Status st = OK;

    for (uint32_t i = 0; i < given; i++) {
        uint32_t at = insert->targets[i];
        const Column *column = &insert->table->columns[at];
        bool use_default = values[i] == NULL;
        if (!use_default)
            TRY(check_identity(b, insert, column, &use_default));
        if (!use_default)
            TRY(bind_assign(b, column, values[i], &row[at]));
    }
    for (uint32_t i = 0; i < insert->table->columns_count; i++) {
        if (row[i] == NULL)
            TRY(default_of(b, insert, i, &row[i]));
    }
done:
    return st;
}

// --- VALUES ------------------------------------------------------------------------------------

static bool is_plain_values(const AstNode *source)
{
    const AstSelect *select = (const AstSelect *)source;

    return ast_is(source, AST_SELECT) && select->values.count > 0 && select->with == NULL &&
           select->order.count == 0 && select->limit == NULL && select->offset == NULL &&
           select->locking.count == 0;
}

static Status bind_row(Binder *b, Insert *insert, const AstValuesRow *ast, ExprList *out)
{
    Status st = OK;
    uint32_t count = ast->values.count;
    Expr **values = scope_new_array(b->scope, Expr *, count + 1);
    Expr **row = scope_new_array(b->scope, Expr *, insert->table->columns_count + 1);

    for (uint32_t i = 0; i < count; i++) {
        const AstNode *value = ast->values.items[i];
        if (i == insert->targets_count)
            TRY(check_count(b, insert, count, value->location));
        if (!ast_is(value, AST_DEFAULT))
            TRY(bind_expr_in(b, insert->level, CLAUSE_VALUES, value, &values[i]));
    }
    TRY(check_count(b, insert, count, ast->node.location));
    TRY(complete_row(b, insert, values, count, row));
    *out = (ExprList){
        .data = row, .count = insert->table->columns_count, .cap = insert->table->columns_count};
done:
    return st;
}

static Plan *rows_plan(Binder *b, const Insert *insert, ExprList *rows, uint32_t rows_count)
{
    const Table *table = insert->table;
    Plan *plan = plan_new(b->scope, PLAN_VALUES, table->columns_count);

    for (uint32_t i = 0; i < table->columns_count; i++)
        plan->columns[i] =
            (PlanColumn){insert->ids[i], table->columns[i].type, bind_c(b, table->columns[i].name)};
    plan->values.rows = rows;
    plan->values.rows_count = rows_count;
    return plan;
}

static Status bind_values_rows(Binder *b, Insert *insert, const AstSelect *source, Plan **out)
{
    Status st = OK;
    uint32_t count = source->values.count;
    uint32_t width = ((const AstValuesRow *)source->values.items[0])->values.count;
    ExprList *rows = scope_new_array(b->scope, ExprList, count);

    for (uint32_t i = 1; i < count; i++) {
        const AstValuesRow *row = (const AstValuesRow *)source->values.items[i];
        if (row->values.count != width)
            BIND_FAIL(b, row->node.location, E_SYNTAX, "VALUES lists must all be the same length");
    }
    for (uint32_t i = 0; i < count; i++)
        TRY(bind_row(b, insert, (const AstValuesRow *)source->values.items[i], &rows[i]));
    *out = rows_plan(b, insert, rows, count);
done:
    return st;
}

/* DEFAULT VALUES. */
static Status bind_default_row(Binder *b, Insert *insert, Plan **out)
{
    Status st = OK;
    uint32_t count = insert->table->columns_count;
    ExprList *row = scope_new(b->scope, ExprList);

    *row = (ExprList){
        .data = scope_new_array(b->scope, Expr *, count + 1), .count = count, .cap = count};
    TRY(complete_row(b, insert, NULL, 0, row->data));
    *out = rows_plan(b, insert, row, 1);
done:
    return st;
}

// --- a query -----------------------------------------------------------------------------------

/* Literals of unknown type in the query's output are read as the columns' types. */
static Status retype_literals(Binder *b, Insert *insert, BoundQuery *query)
{
    SqlType *types = scope_new_array(b->scope, SqlType, query->columns_count + 1);

    for (uint32_t i = 0; i < query->columns_count; i++) {
        types[i] = query->columns[i].type;
        if (types[i].oid == OID_UNKNOWN)
            types[i] = insert->table->columns[insert->targets[i]].type;
    }
    return bind_retype_query(b, insert->level, query, types, CAST_ASSIGNMENT);
}

static Status bind_source_query(Binder *b, Insert *insert, Plan **out)
{
    Status st = OK;
    const AstNode *source = insert->ast->source;
    uint32_t columns_count = insert->table->columns_count;
    BoundQuery query;

    TRY(bind_query(b, insert->level, source, true, &query));
    int32_t extra = -1;
    if (query.columns_count > insert->targets_count)
        extra = query.columns[insert->targets_count].location;
    TRY(check_count(b, insert, query.columns_count, extra));
    TRY(retype_literals(b, insert, &query));
    Expr **values = scope_new_array(b->scope, Expr *, query.columns_count + 1);
    Expr **row = scope_new_array(b->scope, Expr *, columns_count + 1);
    for (uint32_t i = 0; i < query.columns_count; i++) {
        const BoundColumn *column = &query.columns[i];
        values[i] = expr_column(b->scope, column->id, column->type,
                                bind_qualified_name(b, STR(""), column->name));
        values[i]->location = column->location;
    }
    TRY(complete_row(b, insert, values, query.columns_count, row));
    Plan *plan = plan_new(b->scope, PLAN_PROJECT, columns_count);
    plan->children[0] = query.plan;
    for (uint32_t i = 0; i < columns_count; i++) {
        plan->columns[i] =
            (PlanColumn){insert->ids[i], row[i]->type, bind_c(b, insert->table->columns[i].name)};
        array_push(b->scope, &plan->project.exprs, row[i]);
    }
    *out = plan;
done:
    return st;
}

// --- the statement -----------------------------------------------------------------------------

static Status bind_source(Binder *b, Insert *insert, Plan **out)
{
    const AstNode *source = insert->ast->source;

    if (source == NULL)
        return bind_default_row(b, insert, out);
    if (is_plain_values(source))
        return bind_values_rows(b, insert, (const AstSelect *)source, out);
    return bind_source_query(b, insert, out);
}

static Str target_name(const AstTableRef *ref, const Table *table)
{
    return ref->alias ? ref->alias->name : table->object.name;
}

static Status bind_insert_plan(Binder *b, Insert *insert, Plan *child, BoundQuery *out)
{
    Status st = OK;
    const AstInsert *ast = insert->ast;
    const Table *table = insert->table;
    Plan *plan = plan_new(b->scope, PLAN_MODIFY, 0);
    Level *returning = scope_new(b->scope, Level);

    plan->children[0] = child;
    plan->modify.kind = MODIFY_INSERT;
    plan->modify.table = table;
    plan->modify.new_columns = insert->ids;
    TRY(bind_row_checks(b, &plan->modify));
    if (ast->on_conflict)
        TRY(bind_conflict(b, ast, table, &plan->modify.conflict));
    level_init(returning, NULL);
    returning->ctes = insert->level->ctes;
    bind_row_item(b, returning, table, target_name(ast->table, table), insert->ids);
    TRY(bind_returning(b, returning, &ast->returning, plan, out));
done:
    return st;
}

/* The target's columns cannot be seen by its source; errors tell that they are there. */
static void hide_target(Binder *b, const Insert *insert)
{
    Str name = target_name(insert->ast->table, insert->table);
    RangeItem *item = bind_row_item(b, insert->level, insert->table, name, insert->ids);

    item->rel_visible = false;
    item->cols_visible = false;
}

Status bind_insert(Binder *b, const AstInsert *ast, BoundQuery *out)
{
    Status st = OK;
    Insert insert = {.ast = ast, .level = scope_new(b->scope, Level)};
    Plan *child = NULL;

    level_init(insert.level, NULL);
    if (ast->with)
        TRY(bind_with(b, insert.level, ast->with));
    TRY(bind_target_table(b, ast->table, "insert into", &ast->columns, &insert.table));
    TRY(bind_columns(b, &insert));
    uint32_t count = insert.table->columns_count;
    insert.defaults = scope_new_array(b->scope, Expr *, count + 1);
    insert.ids = scope_new_array(b->scope, ColumnId, count + 1);
    for (uint32_t i = 0; i < count; i++)
        insert.ids[i] = bind_new_column(b, insert.level);
    hide_target(b, &insert);
    TRY(bind_source(b, &insert, &child));
    TRY(bind_insert_plan(b, &insert, child, out));
    if (ast->with)
        out->plan = bind_with_wrap(b, insert.level, ast->with, out->plan);
done:
    return st;
}
