// SPDX-License-Identifier: Apache-2.0
//
// Where columns come from: a column that is a table's, through any number of projections, has the
// statistics of that table's column. Tables that were never analysed have the size that storage
// knows, and guesses made of keys and types: a column that is a key by itself has as many values
// as the table rows, a boolean two, a short char(n) is a code with few.
#include "sql/optimise/optimise_int.h"

#include <math.h>

#define ROWS_OF_EMPTY     1000.0 /* plans outlive a table's first rows */
#define DISTINCT_OF_DATE  2500.0
#define DISTINCT_OF_CODE  10.0
#define DISTINCT_OF_CHAR  50.0
#define DISTINCT_OF_OTHER 200.0
#define DISTINCT_OF_CALL  100.0

const TableSize *table_size(Optimiser *o, const Table *table)
{
    TableSize *size = u64map_get(o->tables, table->object.oid);
    uint64_t rows = 0, bytes = 0;

    if (size)
        return size;
    size = scope_new(o->scope, TableSize);
    if (o->storage)
        storage_relation_size(o->storage, table->relation_id, &rows, &bytes);
    size->rows = (double)rows;
    size->bytes = (double)bytes;
    const TableStatistics *statistics = table->statistics;
    if (statistics && size->rows > statistics->rows / 2 && size->rows < statistics->rows * 2)
        size->rows = statistics->rows;
    if (size->rows < 1)
        size->rows = statistics ? MAX(statistics->rows, 1) : ROWS_OF_EMPTY;
    u64map_put(o->tables, table->object.oid, size);
    return size;
}

// --- distinct values ---------------------------------------------------------------------------

static bool is_key_alone(const Table *table, uint32_t position)
{
    if (table->key_columns_count == 1 && table->key_column_at[0] == position)
        return true;
    for (uint32_t i = 0; i < table->indexes_count; i++) {
        const Index *index = table->indexes[i];
        if (index->unique && index->columns_count == 1 && index->predicate_sql.len == 0 &&
            index->columns[0].column == table->columns[position].id)
            return true;
    }
    return false;
}

static double guess_distinct(const ColumnOrigin *origin)
{
    SqlType type = origin->table->columns[origin->position].type;
    double rows = origin->size->rows, guess = MAX(DISTINCT_OF_OTHER, sqrt(rows));

    if (origin->unique)
        return rows;
    if (origin->table->key_columns_count > 1 && origin->table->key_column_at[0] == origin->position)
        return MAX(rows / 4, 1);
    switch (type.oid) {
    case OID_BOOL: guess = 2; break;
    case OID_DATE: guess = DISTINCT_OF_DATE; break;
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ: guess = rows / 2; break;
    case OID_CHAR: guess = DISTINCT_OF_CODE; break;
    case OID_BPCHAR:
        if (type.typmod == 5)
            guess = 3;
        else if (type.typmod > 0 && type.typmod <= 14)
            guess = DISTINCT_OF_CODE;
        else if (type.typmod > 0)
            guess = DISTINCT_OF_CHAR;
        break;
    default: break;
    }
    return MAX(MIN(guess, rows), 1);
}

static void note_scan(Optimiser *o, const Plan *plan)
{
    const Table *table = plan->scan.table;
    uint32_t count = plan->columns_count - plan->scan.with_key;

    for (uint32_t i = 0; i < count; i++) {
        ColumnOrigin *origin = scope_new(o->scope, ColumnOrigin);
        origin->table = table;
        origin->position = plan->scan.column_at[i];
        origin->size = table_size(o, table);
        origin->statistics =
            statistics_column(table->statistics, table->columns[origin->position].id);
        origin->unique = is_key_alone(table, origin->position);
        if (origin->statistics && !origin->unique)
            origin->distinct = MAX(origin->statistics->distinct, 1);
        else
            origin->distinct = guess_distinct(origin);
        u64map_put(o->origins, plan->columns[i].id, origin);
    }
}

static void note_rename(Optimiser *o, ColumnId id, const Expr *expr)
{
    if (expr->kind != EXPR_COLUMN || u64map_get(o->origins, id))
        return;
    void *origin = u64map_get(o->origins, expr->column.id);
    if (origin)
        u64map_put(o->origins, id, origin);
}

static void note_nested(void *arg, Expr **expr);

void origins_note(Optimiser *o, Plan *plan)
{
    if (plan->kind == PLAN_RECURSIVE)
        u64map_put(o->ctes, plan->cte.id, plan);
    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            origins_note(o, plan->children[i]);
        if (i == 0 && plan->kind == PLAN_CTE)
            u64map_put(o->ctes, plan->cte.id, plan->children[0]);
    }
    plan_each_expr(plan, note_nested, o);
    if (plan->kind == PLAN_SCAN)
        note_scan(o, plan);
    for (uint32_t i = 0; plan->kind == PLAN_PROJECT && i < plan->columns_count; i++)
        note_rename(o, plan->columns[i].id, plan->project.exprs.data[i]);
    for (uint32_t i = 0; plan->kind == PLAN_AGGREGATE && i < plan->aggregate.groups.count; i++)
        note_rename(o, plan->columns[i].id, plan->aggregate.groups.data[i]);
    Plan *made = plan->kind == PLAN_CTE_REF ? u64map_get(o->ctes, plan->cte.id) : NULL;
    for (uint32_t i = 0; made && i < plan->columns_count; i++) {
        Expr column = {.kind = EXPR_COLUMN, .column.id = made->columns[i].id};
        note_rename(o, plan->columns[i].id, &column);
    }
}

static bool note_nested_node(void *arg, Expr *expr)
{
    if (expr->kind == EXPR_SUBQUERY)
        origins_note(arg, expr->subquery.plan);
    return true;
}

static void note_nested(void *arg, Expr **expr)
{
    expr_walk(*expr, note_nested_node, arg);
}

const ColumnOrigin *column_origin(Optimiser *o, ColumnId id)
{
    return u64map_get(o->origins, id);
}

// --- of expressions ----------------------------------------------------------------------------

static double call_distinct(const Expr *expr, double of_args)
{
    const char *name = expr->func.info->name;

    if (strcmp(name, "date_part") == 0 || strcmp(name, "extract") == 0)
        return MIN(of_args, 12);
    if (expr->type.oid == OID_BOOL)
        return 2;
    if (strcmp(name, "substring") == 0 || strcmp(name, "substr") == 0)
        return MIN(of_args, DISTINCT_OF_CALL);
    return of_args;
}

static double unknown_distinct(double rows)
{
    return isinf(rows) ? DISTINCT_OF_OTHER : MAX(rows / 10, DISTINCT_OF_OTHER);
}

double expr_distinct(Optimiser *o, const Expr *expr, double rows)
{
    const ColumnOrigin *origin;
    double product = 1;

    switch (expr->kind) {
    case EXPR_CONST:
    case EXPR_PARAM: return 1;
    case EXPR_COLUMN:
        origin = column_origin(o, expr->column.id);
        return MAX(MIN(origin ? origin->distinct : unknown_distinct(rows), rows), 1);
    default: break;
    }
    for (uint32_t i = 0; i < expr->args_count && product < rows; i++)
        product *= expr_distinct(o, expr->args[i], rows);
    if (expr->kind == EXPR_FUNC)
        product = call_distinct(expr, product);
    else if (expr->type.oid == OID_BOOL)
        product = 2;
    return MAX(MIN(product, rows), 1);
}
