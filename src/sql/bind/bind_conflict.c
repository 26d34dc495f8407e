// SPDX-License-Identifier: Apache-2.0
//
// ON CONFLICT: the unique index that the clause means (by its columns, expressions and predicate,
// or by its constraint's name), and DO UPDATE over the existing and the excluded row.
#include "sql/bind/query_int.h"

/* The inference clause: what the index must have, in any order. */
typedef struct Inference {
    Level *level; /* the table's columns */
    const Table *table;
    uint32_t columns_count;
    uint32_t *columns; /* column ids of the table */
    ExprList exprs;
    Expr *predicate;
} Inference;

static Status infer_column(Binder *b, const Table *table, const AstIndexKey *key, uint32_t *out)
{
    for (*out = 0; *out < table->columns_count; ++*out) {
        if (str_equal(table->columns[*out].name, key->column))
            return OK;
    }
    return bind_at(b, key->node.location,
                   error_raise(b->ctx, E_UNDEFINED_COLUMN, "column \"%.*s\" does not exist",
                               STR_ARGS(key->column)));
}

static Status read_inference(Binder *b, const AstOnConflict *ast, Inference *in)
{
    Status st = OK;

    in->columns = scope_new_array(b->scope, uint32_t, ast->infer.count + 1);
    for (uint32_t i = 0; i < ast->infer.count; i++) {
        const AstIndexKey *key = (const AstIndexKey *)ast->infer.items[i];
        uint32_t at;
        Expr *expr;
        if (key->column.ptr) {
            TRY(infer_column(b, in->table, key, &at));
            in->columns[in->columns_count++] = in->table->columns[at].id;
            continue;
        }
        TRY(bind_expr_in(b, in->level, CLAUSE_INDEX, key->expr, &expr));
        array_push(b->scope, &in->exprs, expr);
    }
    if (ast->infer_where)
        TRY(bind_condition(b, in->level, CLAUSE_INDEX_PREDICATE, ast->infer_where, "WHERE",
                           &in->predicate));
done:
    return st;
}

static bool names_column(const Inference *in, uint32_t column)
{
    for (uint32_t i = 0; i < in->columns_count; i++) {
        if (in->columns[i] == column)
            return true;
    }
    return false;
}

static bool index_has_column(const Index *index, uint32_t column)
{
    for (uint32_t i = 0; i < index->columns_count; i++) {
        if (index->columns[i].column == column)
            return true;
    }
    return false;
}

static bool names_expr(const Inference *in, const Expr *expr)
{
    for (uint32_t i = 0; i < in->exprs.count; i++) {
        if (expr_equal(in->exprs.data[i], expr))
            return true;
    }
    return false;
}

/* Both name the same columns and as many expressions, each found in the other. */
static Status keys_match(Binder *b, const Inference *in, const Index *index, bool *out)
{
    Status st = OK;
    uint32_t exprs = 0;

    *out = true;
    for (uint32_t i = 0; i < in->columns_count && *out; i++)
        *out = index_has_column(index, in->columns[i]);
    for (uint32_t i = 0; i < index->columns_count && *out; i++) {
        Expr *expr;
        if (index->columns[i].column != UINT32_MAX) {
            *out = names_column(in, index->columns[i].column);
            continue;
        }
        exprs++;
        TRY(bind_stored_expr(b, in->level, CLAUSE_INDEX, index->columns[i].expr_sql, &expr));
        *out = names_expr(in, expr);
    }
    *out = *out && exprs == in->exprs.count;
done:
    return st;
}

/* A partial index serves if its predicate is the clause's, or one of its conjuncts. */
static Status predicate_matches(Binder *b, const Inference *in, const Index *index, bool *out)
{
    Status st = OK;
    ExprList given = {0};
    Expr *predicate;

    *out = index->predicate_sql.len == 0;
    if (*out || in->predicate == NULL)
        goto done;
    TRY(bind_stored_expr(b, in->level, CLAUSE_INDEX_PREDICATE, index->predicate_sql, &predicate));
    expr_conjuncts(b->scope, in->predicate, &given);
    *out = expr_equal(in->predicate, predicate);
    for (uint32_t i = 0; i < given.count; i++)
        *out = *out || expr_equal(given.data[i], predicate);
done:
    return st;
}

static Status infer_index(Binder *b, const AstOnConflict *ast, Inference *in, const Index **out)
{
    Status st = OK;
    const Table *table = in->table;

    TRY(read_inference(b, ast, in));
    *out = NULL;
    for (uint32_t i = 0; i < table->indexes_count && *out == NULL; i++) {
        const Index *index = table->indexes[i];
        bool keys, predicate;
        if (!index->unique)
            continue;
        TRY(keys_match(b, in, index, &keys));
        TRY(predicate_matches(b, in, index, &predicate));
        if (keys && predicate)
            *out = index;
    }
    if (*out == NULL)
        BIND_FAIL(b, -1, E_INVALID_COLUMN_REFERENCE,
                  "there is no unique or exclusion constraint matching the ON CONFLICT "
                  "specification");
done:
    return st;
}

static Status named_index(Binder *b, const Table *table, Str name, const Index **out)
{
    for (uint32_t i = 0; i < table->indexes_count; i++) {
        if (table->indexes[i]->constraint && str_equal(table->indexes[i]->object.name, name)) {
            *out = table->indexes[i];
            return OK;
        }
    }
    return error_raise(b->ctx, E_UNDEFINED_OBJECT,
                       "constraint \"%.*s\" for table \"%.*s\" does not exist", STR_ARGS(name),
                       STR_ARGS(table->object.name));
}

static Status find_arbiter(Binder *b, const AstOnConflict *ast, Inference *in, const Index **out)
{
    Status st = OK;

    *out = NULL;
    if (ast->constraint.ptr)
        return named_index(b, in->table, ast->constraint, out);
    if (ast->infer.count > 0)
        return infer_index(b, ast, in, out);
    if (!ast->update)
        goto done;
    st = error_raise(b->ctx, E_SYNTAX,
                     "ON CONFLICT DO UPDATE requires inference specification or constraint name");
    error_hint(b->ctx, "For example, ON CONFLICT (column_name).");
    TRY(bind_at(b, ast->node.location, st));
done:
    return st;
}

static ColumnId *new_ids(Binder *b, Level *level, uint32_t count)
{
    ColumnId *ids = scope_new_array(b->scope, ColumnId, count + 1);

    for (uint32_t i = 0; i < count; i++)
        ids[i] = bind_new_column(b, level);
    return ids;
}

static Status bind_do_update(Binder *b, const AstOnConflict *ast, const Table *table, Level *level,
                             ConflictPlan *plan)
{
    Status st = OK;
    uint32_t count = table->columns_count;
    const RangeItem *existing = level->items.data[0];
    SetList set = {.level = level, .table = table};

    bind_row_item(b, level, table, STR("excluded"), plan->excluded);
    set.new_row = scope_new_array(b->scope, Expr *, count + 1);
    set.updated = scope_new_array(b->scope, bool, count + 1);
    for (uint32_t i = 0; i < count; i++)
        set.new_row[i] = bind_range_ref(b, &existing->columns[i], -1);
    TRY(bind_set_list(b, &set, &ast->set));
    for (uint32_t i = 0; i < count; i++)
        array_push(b->scope, &plan->new_row, set.new_row[i]);
    if (ast->where)
        TRY(bind_condition(b, level, CLAUSE_WHERE, ast->where, "WHERE", &plan->where));
done:
    return st;
}

Status bind_conflict(Binder *b, const AstInsert *ast, const Table *table, ConflictPlan **out)
{
    Status st = OK;
    const AstOnConflict *clause = ast->on_conflict;
    Level *level = scope_new(b->scope, Level);
    ConflictPlan *plan = scope_new(b->scope, ConflictPlan);
    Inference in = {.level = level, .table = table};
    Str name = ast->table->alias ? ast->table->alias->name : table->object.name;

    level_init(level, NULL);
    plan->do_update = clause->update;
    plan->existing = new_ids(b, level, table->columns_count);
    plan->excluded = new_ids(b, level, table->columns_count);
    bind_row_item(b, level, table, name, plan->existing);
    TRY(find_arbiter(b, clause, &in, &plan->arbiter));
    if (clause->update)
        TRY(bind_do_update(b, clause, table, level, plan));
    *out = plan;
done:
    return st;
}
