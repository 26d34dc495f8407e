// SPDX-License-Identifier: Apache-2.0
//
// Relations by name: tables become scans, views are parsed from the catalog and bound as
// subselects, system views become PLAN_VIRTUAL. Names without a schema are looked up along the
// search path.
#include "sql/bind/query_int.h"

#include "sql/parse/parse.h"

void bind_use_table(Binder *b, Oid table, TableLock mode)
{
    for (uint32_t i = 0; i < b->tables.count; i++) {
        if (b->tables.data[i] == table) {
            b->table_modes.data[i] = MAX(b->table_modes.data[i], mode);
            return;
        }
    }
    array_push(b->scope, &b->tables, table);
    array_push(b->scope, &b->table_modes, mode);
}

// --- look-up -----------------------------------------------------------------------------------

static Status no_relation(Binder *b, const AstName *name, int32_t location)
{
    Status st;

    if (name->schema.ptr)
        st = error_raise(b->ctx, E_UNDEFINED_TABLE, "relation \"%.*s.%.*s\" does not exist",
                         STR_ARGS(name->schema), STR_ARGS(name->name));
    else
        st = error_raise(b->ctx, E_UNDEFINED_TABLE, "relation \"%.*s\" does not exist",
                         STR_ARGS(name->name));
    return bind_at(b, location, st);
}

static Status check_catalog_name(Binder *b, const AstName *name, int32_t location)
{
    const Object *database = catalog_by_oid(b->env->catalog, b->env->database);

    if (name->catalog.ptr == NULL || (database && str_equal(database->name, name->catalog)))
        return OK;
    return bind_at(b, location,
                   error_raise(b->ctx, E_FEATURE_NOT_SUPPORTED,
                               "cross-database references are not implemented: "
                               "\"%.*s.%.*s.%.*s\"",
                               STR_ARGS(name->catalog), STR_ARGS(name->schema),
                               STR_ARGS(name->name)));
}

static bool find_in_schema(Binder *b, const Schema *schema, Str name, const Object **out,
                           const SystemView **view_out)
{
    *out = NULL;
    *view_out = NULL;
    if (schema->object.oid == OID_SCHEMA_PG_CATALOG || schema->object.oid == OID_SCHEMA_INFORMATION)
        *view_out = system_view_find(schema->object.name, name);
    if (*view_out == NULL)
        *out = catalog_relation(b->env->catalog, schema->object.oid, name);
    return *out != NULL || *view_out != NULL;
}

/* What the view under work says of a name in its text; NULL if it says nothing. */
static const ViewSource *find_source(const Binder *b, const AstName *name)
{
    for (uint32_t i = 0; b->view && i < b->view->sources_count; i++) {
        const ViewSource *source = &b->view->sources[i];
        if (str_equal(source->schema, name->schema) && str_equal(source->name, name->name))
            return source;
    }
    return NULL;
}

/* Names and number of the item's columns as they were when the view was made: columns added since
   stand at the end, dropped ones are in neither list. */
static void apply_source(const Binder *b, const AstName *name, const Column *columns,
                         RangeItem *item)
{
    const ViewSource *source = find_source(b, name);

    if (source == NULL)
        return;
    for (uint32_t i = 0; i < item->columns_count; i++) {
        uint32_t at = 0;
        while (at < source->columns_count && source->column_ids[at] != columns[i].id)
            at++;
        if (at == source->columns_count) {
            item->columns_count = i;
            break;
        }
        item->columns[i].name = source->column_names[at];
    }
    if (source->schema.len > 0)
        item->schema = source->schema;
}

static Status find_relation(Binder *b, const AstName *name, int32_t location, const Object **out,
                            const SystemView **view_out)
{
    Status st = OK;
    const Catalog *catalog = b->env->catalog;

    *out = NULL;
    *view_out = NULL;
    TRY(check_catalog_name(b, name, location));
    if (name->schema.ptr) {
        const Schema *schema = catalog_schema(catalog, name->schema);
        if (schema == NULL || !find_in_schema(b, schema, name->name, out, view_out))
            TRY(no_relation(b, name, location));
        goto done;
    }
    for (uint32_t i = 0; i < b->env->search_path_count; i++) {
        const Object *schema = catalog_by_oid(catalog, b->env->search_path[i]);
        if (schema == NULL || schema->kind != OBJECT_SCHEMA)
            continue;
        if (find_in_schema(b, (const Schema *)schema, name->name, out, view_out))
            goto done;
    }
    TRY(no_relation(b, name, location));
done:
    return st;
}

Status bind_find_relation(Binder *b, const AstName *name, int32_t location, const Object **out,
                          const SystemView **view_out)
{
    Status st = OK;
    const ViewSource *source = find_source(b, name);

    *view_out = NULL;
    *out = source ? catalog_by_oid(b->env->catalog, source->oid) : NULL;
    if (*out)
        return OK;
    TRY(find_relation(b, name, location, out, view_out));
    if (*out && b->view == NULL && b->env->named)
        b->env->named(b->env->named_arg, name, *out);
done:
    return st;
}

// --- tables ------------------------------------------------------------------------------------

RangeItem *bind_scan_table(Binder *b, Level *level, const Table *table, Str alias)
{
    uint32_t count = table->columns_count;
    Plan *plan = plan_new(b->scope, PLAN_SCAN, count + level->want_keys);
    RangeItem *item = bind_add_item(b, level, alias, count);
    uint32_t *column_at = scope_new_array(b->scope, uint32_t, count + 1);

    for (uint32_t i = 0; i < count; i++) {
        const Column *column = &table->columns[i];
        ColumnId id = bind_new_column(b, level);
        ColumnInfo *info = bind_column_info(b, id);
        info->table = table->object.oid;
        info->attnum = (int16_t)(column->id + 1);
        column_at[i] = i;
        plan->columns[i] = (PlanColumn){id, column->type, bind_c(b, column->name)};
        item->columns[i].name = column->name;
        item->columns[i].expr =
            expr_column(b->scope, id, column->type, bind_qualified_name(b, alias, column->name));
        item->columns[i].expr->column.declared = true;
    }
    if (level->want_keys) {
        item->key = bind_new_column(b, level);
        plan->columns[count] = (PlanColumn){item->key, sql_type(OID_BYTEA), "ctid"};
        plan->scan.with_key = true;
    }
    plan->scan.table = table;
    plan->scan.alias = bind_c(b, alias);
    plan->scan.column_at = column_at;
    item->table = table;
    item->table_name = table->object.name;
    item->scan = plan;
    bind_use_table(b, table->object.oid, TABLE_ACCESS_SHARE);
    return item;
}

static Status bind_plain_table(Binder *b, Level *level, const AstTableRef *ast, const Table *table,
                               Plan **out)
{
    Str name = ast->alias ? ast->alias->name : ast->name.name;
    RangeItem *item = bind_scan_table(b, level, table, name);

    *out = item->scan;
    if (ast->alias == NULL) {
        const Object *schema = catalog_by_oid(b->env->catalog, table->object.schema);
        item->schema = schema ? schema->name : (Str){0};
    }
    apply_source(b, &ast->name, table->columns, item);
    return bind_apply_alias(b, item, ast->alias, ast->node.location);
}

static Status bind_system_view(Binder *b, Level *level, const AstTableRef *ast,
                               const SystemView *view, Plan **out)
{
    uint32_t count = view->columns_count;
    Str name = ast->alias ? ast->alias->name : ast->name.name;
    Plan *plan = plan_new(b->scope, PLAN_VIRTUAL, count);
    RangeItem *item = bind_add_item(b, level, name, count);
    uint32_t *column_at = scope_new_array(b->scope, uint32_t, count + 1);

    for (uint32_t i = 0; i < count; i++) {
        Str column = str_from(view->columns[i].name);
        SqlType type = sql_type(view->columns[i].type);
        ColumnId id = bind_new_column(b, level);
        column_at[i] = i;
        plan->columns[i] = (PlanColumn){id, type, view->columns[i].name};
        item->columns[i].name = column;
        item->columns[i].expr =
            expr_column(b->scope, id, type, bind_qualified_name(b, name, column));
        item->columns[i].expr->column.declared = true;
    }
    plan->virtual_table.view = view;
    plan->virtual_table.name = bind_c(b, ast->name.name);
    plan->virtual_table.column_at = column_at;
    item->table_name = ast->name.name;
    if (ast->alias == NULL)
        item->schema = ast->name.schema.ptr ? ast->name.schema : STR("pg_catalog");
    *out = plan;
    return bind_apply_alias(b, item, ast->alias, ast->node.location);
}

/* A sequence's one row. */
static Status bind_sequence(Binder *b, Level *level, const AstTableRef *ast, const Object *sequence,
                            Plan **out)
{
    static const struct {
        const char *column;
        Oid type;
        const char *function; /* NULL: always 0 */
    } parts[] = {{"last_value", OID_INT8, "dbaspot_sequence_value"},
                 {"log_cnt", OID_INT8, NULL},
                 {"is_called", OID_BOOL, "dbaspot_sequence_is_called"}};
    Status st = OK;
    Str name = ast->alias ? ast->alias->name : ast->name.name;
    Plan *plan = plan_new(b->scope, PLAN_VALUES, ARRAY_COUNT(parts));
    RangeItem *item = bind_add_item(b, level, name, ARRAY_COUNT(parts));
    Datum oid = {.type = sql_type(OID_REGCLASS), .int64 = sequence->oid};
    Datum zero = {.type = sql_type(OID_INT8)};

    plan->values.rows_count = 1;
    plan->values.rows = scope_new(b->scope, ExprList);
    for (uint32_t i = 0; i < ARRAY_COUNT(parts); i++) {
        Str column = str_from(parts[i].column);
        SqlType type = sql_type(parts[i].type);
        ColumnId id = bind_new_column(b, level);
        Expr *arg = expr_const(b->scope, &oid);
        Expr *value = expr_const(b->scope, &zero);
        if (parts[i].function)
            TRY(bind_call(b, str_from(parts[i].function), &arg, 1, -1, &value));
        array_push(b->scope, &plan->values.rows[0], value);
        plan->columns[i] = (PlanColumn){id, type, parts[i].column};
        item->columns[i].name = column;
        item->columns[i].expr =
            expr_column(b->scope, id, type, bind_qualified_name(b, name, column));
        item->columns[i].expr->column.declared = true;
    }
    item->table_name = sequence->name;
    bind_use_table(b, sequence->oid, TABLE_ACCESS_SHARE);
    *out = plan;
    TRY(bind_apply_alias(b, item, ast->alias, ast->node.location));
done:
    return st;
}

// --- views -------------------------------------------------------------------------------------

/* The view's query, with its schema in front of the search path and no outer names in sight. */
static Status bind_view_query(Binder *b, const View *view, BoundQuery *out)
{
    Status st = OK;
    BindEnv *env = b->env;
    const Oid *path = env->search_path;
    uint32_t path_count = env->search_path_count;
    bool stored = b->stored;
    const View *outer_view = b->view;
    AstList statements;
    Oid *own_path = scope_new_array(b->scope, Oid, path_count + 1);

    own_path[0] = view->object.schema;
    if (path_count > 0)
        memcpy(own_path + 1, path, path_count * sizeof *path);
    b->stored = true;
    b->view = view;
    b->views_depth++;
    env->search_path = own_path;
    env->search_path_count = path_count + 1;
    if (b->views_depth > BIND_VIEWS_MAX)
        FAIL(b->ctx, E_STATEMENT_TOO_COMPLEX, "views are nested more than %d deep", BIND_VIEWS_MAX);
    TRY(sql_parse(b->ctx, b->scope, view->query_sql, &statements));
    if (statements.count != 1)
        FAIL(b->ctx, E_DATA_CORRUPTED, "view \"%.*s\" holds %u statements",
             STR_ARGS(view->object.name), statements.count);
    TRY(bind_query(b, NULL, ((const AstStatement *)statements.items[0])->body, false, out));
done:
    env->search_path = path;
    env->search_path_count = path_count;
    b->views_depth--;
    b->view = outer_view;
    b->stored = stored;
    return st;
}

static Status bind_view(Binder *b, Level *level, const AstTableRef *ast, const View *view,
                        Plan **out)
{
    Status st = OK;
    BoundQuery query;

    TRY(bind_view_query(b, view, &query));
    if (query.columns_count != view->columns_count)
        FAIL(b->ctx, E_DATA_CORRUPTED, "view \"%.*s\" has %u columns, its query %u",
             STR_ARGS(view->object.name), view->columns_count, query.columns_count);
    for (uint32_t i = 0; i < query.columns_count; i++) {
        ColumnInfo *info = bind_column_info(b, query.columns[i].id);
        *info = (ColumnInfo){.level = level,
                             .table = view->object.oid,
                             .attnum = (int16_t)(view->columns[i].id + 1)};
        query.columns[i].name = view->columns[i].name;
    }
    Str name = ast->alias ? ast->alias->name : ast->name.name;
    RangeItem *item = bind_add_query_item(b, level, name, &query);
    item->table_name = view->object.name;
    apply_source(b, &ast->name, view->columns, item);
    bind_use_table(b, view->object.oid, TABLE_ACCESS_SHARE);
    TRY(bind_apply_alias(b, item, ast->alias, ast->node.location));
    *out = query.plan;
done:
    return st;
}

Status bind_table_ref(Binder *b, Level *level, const AstTableRef *ast, Plan **out)
{
    Status st = OK;
    const Object *object;
    const SystemView *system;
    Cte *cte = ast->name.schema.ptr ? NULL : bind_find_cte(level, ast->name.name);
    int32_t location = ast->node.location;

    if (cte)
        return bind_cte_ref(b, level, cte, ast, out);
    TRY(bind_find_relation(b, &ast->name, location, &object, &system));
    if (system)
        return bind_system_view(b, level, ast, system, out);
    switch (object->kind) {
    case OBJECT_TABLE: TRY(bind_plain_table(b, level, ast, (const Table *)object, out)); break;
    case OBJECT_VIEW: TRY(bind_view(b, level, ast, (const View *)object, out)); break;
    case OBJECT_SEQUENCE: TRY(bind_sequence(b, level, ast, object, out)); break;
    default:
        BIND_FAIL(b, location, E_WRONG_OBJECT_TYPE, "\"%.*s\" is an index", STR_ARGS(object->name));
    }
done:
    return st;
}
