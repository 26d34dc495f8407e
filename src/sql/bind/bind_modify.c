// SPDX-License-Identifier: Apache-2.0
//
// What INSERT, UPDATE and DELETE have in common: their target, assignment casts, defaults, CHECKs,
// index expressions, RETURNING.
#include "sql/bind/query_int.h"

#include "sql/parse/parse.h"

// --- target ------------------------------------------------------------------------------------

static Status view_not_updatable(Binder *b, const Object *view, const char *verb, int32_t location)
{
    bool insert = strcmp(verb, "insert into") == 0, update = strcmp(verb, "update") == 0;
    const char *doing = insert ? "inserting into" : update ? "updating" : "deleting from";
    const char *event = insert ? "INSERT" : update ? "UPDATE" : "DELETE";
    Status st = error_raise(b->ctx, E_NOT_IN_PREREQUISITE_STATE, "cannot %s view \"%.*s\"", verb,
                            STR_ARGS(view->name));

    error_detail(b->ctx, "Views that do not select from a single table or view are not "
                         "automatically updatable.");
    error_hint(b->ctx,
               "To enable %s the view, provide an INSTEAD OF %s trigger or an unconditional ON %s "
               "DO INSTEAD rule.",
               doing, event, event);
    return bind_at(b, location, st);
}

/* INSERT INTO v (column …): the columns must be the view's. */
static Status check_view_columns(Binder *b, const View *view, const AstList *columns)
{
    for (uint32_t i = 0; columns && i < columns->count; i++) {
        const AstTarget *target = (const AstTarget *)columns->items[i];
        uint32_t at = 0;
        while (at < view->columns_count && !str_equal(view->columns[at].name, target->name))
            at++;
        if (at == view->columns_count)
            return bind_at(b, target->node.location,
                           error_raise(b->ctx, E_UNDEFINED_COLUMN,
                                       "column \"%.*s\" of relation \"%.*s\" does not exist",
                                       STR_ARGS(target->name), STR_ARGS(view->object.name)));
    }
    return OK;
}

Status bind_target_table(Binder *b, const AstTableRef *ast, const char *verb,
                         const AstList *columns, const Table **out)
{
    Status st = OK;
    const Object *object;
    const SystemView *system;
    int32_t location = ast->node.location;

    TRY(bind_find_relation(b, &ast->name, location, &object, &system));
    if (system)
        BIND_FAIL(b, location, E_INSUFFICIENT_PRIVILEGE,
                  "permission denied: \"%.*s\" is a system catalog", STR_ARGS(ast->name.name));
    switch (object->kind) {
    case OBJECT_TABLE: break;
    case OBJECT_VIEW:
        TRY(check_view_columns(b, (const View *)object, columns));
        TRY(view_not_updatable(b, object, verb, location));
        break;
    case OBJECT_SEQUENCE:
        BIND_FAIL(b, location, E_WRONG_OBJECT_TYPE, "cannot change sequence \"%.*s\"",
                  STR_ARGS(object->name));
    default:
        BIND_FAIL(b, location, E_WRONG_OBJECT_TYPE, "\"%.*s\" is an index", STR_ARGS(object->name));
    }
    *out = (const Table *)object;
    b->writes = true;
    bind_use_table(b, object->oid, TABLE_ROW_EXCLUSIVE);
done:
    return st;
}

Status bind_table_column(Binder *b, const Table *table, Str name, int32_t location, uint32_t *out)
{
    for (uint32_t i = 0; i < table->columns_count; i++) {
        if (str_equal(table->columns[i].name, name)) {
            *out = i;
            return OK;
        }
    }
    return bind_at(b, location,
                   error_raise(b->ctx, E_UNDEFINED_COLUMN,
                               "column \"%.*s\" of relation \"%.*s\" does not exist",
                               STR_ARGS(name), STR_ARGS(table->object.name)));
}

RangeItem *bind_row_item(Binder *b, Level *level, const Table *table, Str name, const ColumnId *ids)
{
    RangeItem *item = bind_add_item(b, level, name, table->columns_count);

    for (uint32_t i = 0; i < table->columns_count; i++) {
        const Column *column = &table->columns[i];
        ColumnInfo *info = bind_column_info(b, ids[i]);
        info->level = level;
        info->table = table->object.oid;
        info->attnum = (int16_t)(column->id + 1);
        item->columns[i].name = column->name;
        item->columns[i].expr =
            expr_column(b->scope, ids[i], column->type, bind_qualified_name(b, name, column->name));
        item->columns[i].expr->column.declared = true;
    }
    item->table_name = table->object.name;
    item->table = table;
    return item;
}

// --- values ------------------------------------------------------------------------------------

Status bind_assign(Binder *b, const Column *column, Expr *expr, Expr **out)
{
    Status st = OK;
    Oid from = expr->type.oid;

    if (!bind_can_coerce(from, column->type.oid, CAST_ASSIGNMENT)) {
        st = error_raise(b->ctx, E_DATATYPE_MISMATCH,
                         "column \"%.*s\" is of type %s but expression is of type %s",
                         STR_ARGS(column->name), bind_type_name(b, column->type.oid),
                         bind_type_name(b, from));
        error_hint(b->ctx, "You will need to rewrite or cast the expression.");
        TRY(bind_at(b, bind_start(expr), st));
    }
    TRY(bind_coerce(b, expr, column->type, CAST_ASSIGNMENT, expr->location, out));
    if (column->type.oid == OID_NUMERIC && column->type.typmod < 0)
        TRY(bind_plain_numeric(b, out));
done:
    return st;
}

Status bind_stored_expr(Binder *b, Level *level, Clause clause, Str sql, Expr **out)
{
    Status st = OK;
    bool stored = b->stored;
    AstNode *ast;

    b->stored = true;
    TRY(sql_parse_expr(b->ctx, b->scope, sql, &ast));
    TRY(bind_expr_in(b, level, clause, ast, out));
done:
    b->stored = stored;
    return st;
}

Status bind_default(Binder *b, const Column *column, Expr **out)
{
    Status st = OK;
    Level level;

    level_init(&level, NULL);
    if (column->default_sql.len > 0) {
        TRY(bind_stored_expr(b, &level, CLAUSE_DEFAULT, column->default_sql, out));
    } else if (column->generated != GENERATED_NONE && column->sequence != 0) {
        Datum sequence = {.type = sql_type(OID_REGCLASS), .int64 = column->sequence};
        Expr *arg = expr_const(b->scope, &sequence);
        TRY(bind_call(b, STR("nextval"), &arg, 1, -1, out));
    } else {
        *out = expr_null(b->scope, column->type);
        goto done;
    }
    TRY(bind_assign(b, column, *out, out));
done:
    return st;
}

// --- constraints -------------------------------------------------------------------------------

static Status bind_index_exprs(Binder *b, Level *level, ModifyPlan *modify, uint32_t at)
{
    Status st = OK;
    const Index *index = modify->table->indexes[at];
    uint32_t tables = modify->table->indexes_count;

    for (uint32_t i = 0; i < index->columns_count; i++) {
        Expr *expr;
        if (index->columns[i].column != UINT32_MAX)
            continue;
        if (modify->index_exprs == NULL)
            modify->index_exprs = scope_new_array(b->scope, Expr **, tables);
        if (modify->index_exprs[at] == NULL)
            modify->index_exprs[at] = scope_new_array(b->scope, Expr *, index->columns_count);
        TRY(bind_stored_expr(b, level, CLAUSE_INDEX, index->columns[i].expr_sql, &expr));
        TRY(bind_coerce(b, expr, index->columns[i].key.type, CAST_ASSIGNMENT, -1, &expr));
        if (index->columns[i].key.type.typmod < 0)
            TRY(bind_plain_numeric(b, &expr));
        modify->index_exprs[at][i] = expr;
    }
    if (index->predicate_sql.len > 0) {
        Expr *predicate;
        if (modify->index_predicates == NULL)
            modify->index_predicates = scope_new_array(b->scope, Expr *, tables);
        TRY(bind_stored_expr(b, level, CLAUSE_INDEX_PREDICATE, index->predicate_sql, &predicate));
        TRY(bind_coerce_bool(b, predicate, "index predicates", &modify->index_predicates[at]));
    }
done:
    return st;
}

Status bind_row_checks(Binder *b, ModifyPlan *modify)
{
    Status st = OK;
    const Table *table = modify->table;
    bool checked = modify->kind != MODIFY_DELETE;
    Level *level = scope_new(b->scope, Level);

    level_init(level, NULL);
    bind_row_item(b, level, table, table->object.name, modify->new_columns);
    for (uint32_t i = 0; i < table->indexes_count; i++)
        TRY(bind_index_exprs(b, level, modify, i));
    if (!checked || table->checks_count == 0)
        goto done;
    modify->checks_count = table->checks_count;
    modify->checks = scope_new_array(b->scope, CheckExpr, table->checks_count);
    for (uint32_t i = 0; i < table->checks_count; i++) {
        Expr *expr;
        TRY(bind_stored_expr(b, level, CLAUSE_CHECK, table->checks[i].expr_sql, &expr));
        TRY(bind_coerce_bool(b, expr, "CHECK", &expr));
        modify->checks[i] = (CheckExpr){bind_c(b, table->checks[i].name), expr};
    }
done:
    return st;
}

Status bind_generated_always(Binder *b, const Column *column)
{
    Status st = error_raise(b->ctx, E_GENERATED_ALWAYS,
                            "cannot insert a non-DEFAULT value into column \"%.*s\"",
                            STR_ARGS(column->name));

    error_detail(b->ctx, "Column \"%.*s\" is an identity column defined as GENERATED ALWAYS.",
                 STR_ARGS(column->name));
    error_hint(b->ctx, "Use OVERRIDING SYSTEM VALUE to override.");
    return st;
}

// --- RETURNING ---------------------------------------------------------------------------------

Status bind_returning(Binder *b, Level *level, const AstList *ast, Plan *modify, BoundQuery *out)
{
    Status st = OK;
    TargetList targets = {0};

    *out = (BoundQuery){.plan = modify};
    if (ast->count == 0)
        goto done;
    TRY(bind_targets(b, level, ast, CLAUSE_RETURNING, &targets));
    modify->modify.has_returning = true;
    modify->columns_count = targets.count;
    modify->columns = scope_new_array(b->scope, PlanColumn, targets.count + 1);
    out->columns_count = targets.count;
    out->columns = scope_new_array(b->scope, BoundColumn, targets.count + 1);
    for (uint32_t i = 0; i < targets.count; i++) {
        Expr *expr = targets.data[i].expr;
        TRY(bind_resolve_unknown(b, &expr));
        ColumnId id = bind_new_column(b, level);
        if (expr->kind == EXPR_COLUMN) {
            const ColumnInfo origin = *bind_column_info(b, expr->column.id);
            bind_column_info(b, id)->table = origin.table;
            bind_column_info(b, id)->attnum = origin.attnum;
        }
        array_push(b->scope, &modify->modify.returning, expr);
        modify->columns[i] = (PlanColumn){id, expr->type, bind_c(b, targets.data[i].name)};
        out->columns[i] =
            (BoundColumn){.name = targets.data[i].name,
                          .id = id,
                          .type = expr->type,
                          .declared = bind_reported_typmod(expr) == expr->type.typmod};
    }
done:
    return st;
}
