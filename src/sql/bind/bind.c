// SPDX-License-Identifier: Apache-2.0
//
// The binder's doors: statements and stored expressions. It makes the Binder, hands over to the
// statement's file, and fills in what a finished statement tells besides its plan.
#include "sql/bind/query_int.h"
#include "sql/parse/parse.h"

// --- errors ------------------------------------------------------------------------------------

void bind_position(Binder *b, int32_t location)
{
    if (location < 0 || b->stored)
        return;
    if (b->env->text.ptr)
        error_position(b->ctx, sql_position(b->env->text, location));
    else
        error_position(b->ctx, location + 1);
}

Status bind_at(Binder *b, int32_t location, Status st)
{
    if (st != OK)
        bind_position(b, location);
    return st;
}

Status bind_enter(Binder *b, int32_t location)
{
    if (b->depth < BIND_DEPTH_MAX) {
        b->depth++;
        b->nodes_bound++;
        return b->nodes_bound % 1024 ? OK : ctx_check_cancel(b->ctx);
    }
    Status st = error_raise(b->ctx, E_STATEMENT_TOO_COMPLEX, "stack depth limit exceeded");
    error_hint(b->ctx, "The statement nests expressions or queries more than %d deep.",
               BIND_DEPTH_MAX);
    return bind_at(b, location, st);
}

Status bind_unsupported(Binder *b, int32_t location, const char *feature)
{
    return bind_at(b, location,
                   error_raise(b->ctx, E_FEATURE_NOT_SUPPORTED, "%s not supported yet", feature));
}

const char *bind_type_name(Binder *b, Oid oid)
{
    return type_format(b->scope, sql_type(oid));
}

const char *bind_c(Binder *b, Str text)
{
    return str_to_c(b->scope, text);
}

// --- doors -------------------------------------------------------------------------------------

static void binder_init(Binder *b, Ctx *ctx, Scope *scope, BindEnv *env)
{
    *b = (Binder){.ctx = ctx, .scope = scope, .env = env, .ctes_next = 1};
    array_push(scope, &b->ids, (ColumnInfo){0});
}

static Status bind_statement(Binder *b, const AstNode *statement, BoundQuery *out)
{
    if (statement->kind == AST_STATEMENT)
        statement = ((const AstStatement *)statement)->body;
    switch (statement->kind) {
    case AST_SELECT: return bind_query(b, NULL, statement, false, out);
    case AST_INSERT: return bind_insert(b, (const AstInsert *)statement, out);
    case AST_UPDATE: return bind_update(b, (const AstUpdate *)statement, out);
    case AST_DELETE: return bind_delete(b, (const AstDelete *)statement, out);
    case AST_UNSUPPORTED:
        return bind_unsupported(
            b, statement->location,
            scope_printf(b->scope, "%.*s is", STR_ARGS(((AstUnsupported *)statement)->feature)));
    default:
        return error_raise(b->ctx, E_INTERNAL, "%s is no statement to bind",
                           ast_kind_name(statement->kind));
    }
}

static Status check_params(Binder *b)
{
    for (uint32_t i = 0; i < b->env->params_count; i++) {
        Oid oid = b->env->params[i].oid;
        if (oid == OID_INVALID || oid == OID_UNKNOWN)
            return error_raise(b->ctx, E_INDETERMINATE_DATATYPE,
                               "could not determine data type of parameter $%u", i + 1);
    }
    return OK;
}

static void fill_results(Binder *b, const BoundQuery *query, PlannedStatement *out)
{
    uint32_t count = query->columns_count;

    out->result_columns_count = count;
    if (count == 0)
        return;
    out->result_columns = scope_new_array(b->scope, PlanColumn, count);
    out->result_tables = scope_new_array(b->scope, Oid, count);
    out->result_attnums = scope_new_array(b->scope, int16_t, count);
    for (uint32_t i = 0; i < count; i++) {
        const BoundColumn *column = &query->columns[i];
        const ColumnInfo *info = bind_column_info(b, column->id);
        SqlType type = column->type;
        if (!column->declared)
            type.typmod = -1;
        out->result_columns[i] =
            (PlanColumn){.id = column->id, .type = type, .name = bind_c(b, column->name)};
        out->result_tables[i] = info->table;
        out->result_attnums[i] = info->attnum;
    }
}

Status sql_bind(Ctx *ctx, Scope *scope, BindEnv *env, const AstNode *statement,
                PlannedStatement *out)
{
    Status st = OK;
    Binder b;
    BoundQuery query = {0};

    binder_init(&b, ctx, scope, env);
    TRY(bind_statement(&b, statement, &query));
    TRY(check_params(&b));
    *out = (PlannedStatement){.scope = scope, .plan = query.plan};
    fill_results(&b, &query, out);
    out->params_count = env->params_count;
    if (env->params_count > 0) {
        out->params = scope_new_array(scope, SqlType, env->params_count);
        memcpy(out->params, env->params, env->params_count * sizeof *env->params);
    }
    out->reads_only = !b.writes;
    out->catalog_version = catalog_version(env->catalog);
    out->columns_next = b.ids.count;
    out->tables = b.tables.data;
    out->table_modes = b.table_modes.data;
    out->tables_count = b.tables.count;
done:
    return st;
}

/* Which kind of stored expression it is, as far as the caller tells. */
static Clause expr_clause(const Table *table, SqlType target)
{
    if (table == NULL)
        return CLAUSE_DEFAULT;
    return target.oid == OID_BOOL ? CLAUSE_CHECK : CLAUSE_INDEX;
}

static bool set_slot(void *arg UNUSED, Expr *expr)
{
    if (expr->kind == EXPR_COLUMN)
        expr->column.slot = (int32_t)expr->column.id - 1;
    return true;
}

static Status coerce_stored(Binder *b, SqlType target, Expr **expr)
{
    Status st = OK;
    Oid from = (*expr)->type.oid;

    if (!bind_can_coerce(from, target.oid, CAST_ASSIGNMENT)) {
        st = error_raise(b->ctx, E_DATATYPE_MISMATCH,
                         "column is of type %s but expression is of type %s",
                         bind_type_name(b, target.oid), bind_type_name(b, from));
        error_hint(b->ctx, "You will need to rewrite or cast the expression.");
        TRY(bind_at(b, (*expr)->location, st));
    }
    TRY(bind_coerce(b, *expr, target, CAST_ASSIGNMENT, (*expr)->location, expr));
    if (target.oid == OID_NUMERIC && target.typmod < 0)
        TRY(bind_plain_numeric(b, expr));
done:
    return st;
}

Status sql_bind_expr(Ctx *ctx, Scope *scope, BindEnv *env, const AstNode *expr, const Table *table,
                     SqlType target, Expr **out)
{
    Status st = OK;
    Binder b;
    Level level;
    Clause clause = expr_clause(table, target);

    binder_init(&b, ctx, scope, env);
    level_init(&level, NULL);
    if (table && table->columns_count > 0) {
        ColumnId *ids = scope_new_array(scope, ColumnId, table->columns_count);
        for (uint32_t i = 0; i < table->columns_count; i++)
            ids[i] = bind_new_column(&b, &level);
        bind_row_item(&b, &level, table, table->object.name, ids);
    }
    TRY(bind_expr_in(&b, &level, clause, expr, out));
    if (target.oid == OID_BOOL && clause == CLAUSE_CHECK)
        TRY(bind_coerce_bool(&b, *out, "CHECK", out));
    else if (target.oid != OID_INVALID)
        TRY(coerce_stored(&b, target, out));
    TRY(bind_resolve_unknown(&b, out));
    expr_walk(*out, set_slot, NULL);
done:
    return st;
}

Status sql_bind_type(Ctx *ctx, Scope *scope, BindEnv *env, const AstTypeName *type, SqlType *out)
{
    Binder b;

    binder_init(&b, ctx, scope, env);
    return bind_type(&b, type, out);
}
