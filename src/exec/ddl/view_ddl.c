// SPDX-License-Identifier: Apache-2.0
//
// CREATE [OR REPLACE] VIEW. The query is kept as text, together with what each relation's name in
// it meant and which columns it then had (ViewSource), so that renames, additions and another
// search path change nothing. One thread.
#include "base/map.h"
#include "exec/ddl/ddl_int.h"
#include "sql/deparse.h"

#define VIEWS_DEPTH_MAX 64

// --- which columns the query reads --------------------------------------------------------------

/* Column ids of the plan -> their use; the scans they come from. */
typedef struct Usage {
    Ddl *d;
    U64Map *used;
    ARRAY(const Plan *) scans;
} Usage;

static void visit_plan(Usage *usage, Plan *plan);

static void note_column(Usage *usage, ColumnId id)
{
    u64map_put(usage->used, id, usage);
}

static bool visit_expr(void *arg, Expr *expr)
{
    Usage *usage = arg;

    if (expr->kind == EXPR_COLUMN)
        note_column(usage, expr->column.id);
    if (expr->kind == EXPR_SUBQUERY) {
        for (uint32_t i = 0; i < expr->subquery.outputs_count; i++)
            note_column(usage, expr->subquery.outputs[i]);
        visit_plan(usage, expr->subquery.plan);
    }
    return true;
}

static void visit_plan_expr(void *arg, Expr **expr)
{
    if (*expr)
        expr_walk(*expr, visit_expr, arg);
}

/* Operators whose rows matter as a whole: what they read is all used. */
static bool reads_all(PlanKind kind)
{
    return kind == PLAN_SETOP || kind == PLAN_DISTINCT || kind == PLAN_CTE ||
           kind == PLAN_RECURSIVE;
}

static void visit_plan(Usage *usage, Plan *plan)
{
    if (plan == NULL)
        return;
    if (plan->kind == PLAN_SCAN)
        array_push(usage->d->scope, &usage->scans, plan);
    plan_each_expr(plan, visit_plan_expr, usage);
    for (int i = 0; i < 2; i++) {
        const Plan *child = plan->children[i];
        for (uint32_t k = 0; child && reads_all(plan->kind) && k < child->columns_count; k++)
            note_column(usage, child->columns[k].id);
        visit_plan(usage, plan->children[i]);
    }
}

static void mark_used(const Usage *usage, const Table *table, uint32_t count, bool *used)
{
    for (uint32_t i = 0; i < usage->scans.count; i++) {
        const Plan *scan = usage->scans.data[i];
        if (scan->scan.table->object.oid != table->object.oid)
            continue;
        uint32_t columns = scan->columns_count - (scan->scan.with_key ? 1 : 0);
        for (uint32_t k = 0; k < columns; k++) {
            if (scan->scan.column_at[k] < count && u64map_get(usage->used, scan->columns[k].id))
                used[scan->scan.column_at[k]] = true;
        }
    }
}

// --- sources ------------------------------------------------------------------------------------

typedef struct SourceList {
    Ddl *d;
    ARRAY(ViewSource) sources;
    OidList depends;
} SourceList;

static void set_columns(SourceList *list, ViewSource *source, const Column *columns, uint32_t count)
{
    Scope *scope = list->d->scope;
    uint32_t *ids = scope_new_array(scope, uint32_t, count + 1);
    Str *names = scope_new_array(scope, Str, count + 1);

    for (uint32_t i = 0; i < count; i++) {
        ids[i] = columns[i].id;
        names[i] = columns[i].name;
    }
    source->columns_count = count;
    source->column_ids = ids;
    source->column_names = names;
    source->column_used = scope_new_array(scope, bool, count + 1);
}

static bool same_text(Str a, Str b)
{
    return (a.ptr == NULL) == (b.ptr == NULL) && str_equal(a, b);
}

static void note_source(void *arg, const AstName *name, const Object *object)
{
    SourceList *list = arg;
    ViewSource source = {.schema = name->schema, .name = name->name, .oid = object->oid};
    bool known = false;

    for (uint32_t i = 0; i < list->sources.count; i++) {
        const ViewSource *other = &list->sources.data[i];
        if (same_text(other->schema, source.schema) && same_text(other->name, source.name))
            return;
        known = known || other->oid == source.oid;
    }
    if (object->kind == OBJECT_TABLE)
        set_columns(list, &source, ((const Table *)object)->columns,
                    ((const Table *)object)->columns_count);
    else if (object->kind == OBJECT_VIEW)
        set_columns(list, &source, ((const View *)object)->columns,
                    ((const View *)object)->columns_count);
    array_push(list->d->scope, &list->sources, source);
    if (!known)
        array_push(list->d->scope, &list->depends, object->oid);
}

static void mark_sources(Ddl *d, const PlannedStatement *query, SourceList *list)
{
    Usage usage = {.d = d, .used = u64map_new(d->scope)};

    visit_plan(&usage, query->plan);
    for (uint32_t i = 0; i < query->result_columns_count; i++)
        note_column(&usage, query->result_columns[i].id);
    for (uint32_t i = 0; i < list->sources.count; i++) {
        const ViewSource *source = &list->sources.data[i];
        const Object *object = catalog_by_oid(d->catalog, source->oid);
        if (object && object->kind == OBJECT_TABLE)
            mark_used(&usage, (const Table *)object, source->columns_count,
                      (bool *)source->column_used);
    }
}

// --- the view -----------------------------------------------------------------------------------

static Status check_supported(Ddl *d, const AstCreateView *ast)
{
    if (ast->persistence == AST_TEMPORARY)
        return ddl_unsupported(d, ast->view->node.location, "temporary views are", NULL);
    if (ast->check != AST_VIEW_CHECK_NONE)
        return ddl_unsupported(d, -1, "WITH CHECK OPTION is", NULL);
    if (ast->options.count)
        return ddl_unsupported(d, -1, "options of a view are", NULL);
    return OK;
}

static Status view_columns(Ddl *d, const AstCreateView *ast, const PlannedStatement *query,
                           View *view)
{
    Status st = OK;
    uint32_t count = query->result_columns_count;
    Column *columns = scope_new_array(d->scope, Column, count + 1);

    if (ast->columns.count > count)
        FAIL(d->ctx, E_SYNTAX, "CREATE VIEW specifies more column names than columns");
    if (count == 0)
        FAIL(d->ctx, E_INVALID_TABLE_DEFINITION, "view must have at least one column");
    for (uint32_t i = 0; i < count; i++) {
        const PlanColumn *from = &query->result_columns[i];
        SqlType type = from->type.oid == OID_UNKNOWN ? sql_type(OID_TEXT) : from->type;
        columns[i] =
            (Column){.id = i,
                     .name = i < ast->columns.count ? ast->columns.items[i] : str_from(from->name),
                     .type = type,
                     .missing = datum_null(type)};
        if (ddl_column_at(columns, i, columns[i].name) != UINT32_MAX)
            FAIL(d->ctx, E_DUPLICATE_COLUMN, "column \"%.*s\" specified more than once",
                 STR_ARGS(columns[i].name));
    }
    view->columns = columns;
    view->columns_count = count;
done:
    return st;
}

static Status check_replacement(Ddl *d, const View *old, const View *new)
{
    Status st = OK;

    if (new->columns_count < old->columns_count)
        FAIL(d->ctx, E_INVALID_TABLE_DEFINITION, "cannot drop columns from view");
    for (uint32_t i = 0; i < old->columns_count; i++) {
        const Column *a = &old->columns[i];
        Column *b = (Column *)&new->columns[i];
        if (!str_equal(a->name, b->name)) {
            st = error_raise(d->ctx, E_INVALID_TABLE_DEFINITION,
                             "cannot change name of view column \"%.*s\" to \"%.*s\"",
                             STR_ARGS(a->name), STR_ARGS(b->name));
            error_hint(d->ctx, "Use ALTER VIEW ... RENAME COLUMN ... to change name of view column "
                               "instead.");
            goto done;
        }
        if (!type_equal(a->type, b->type))
            FAIL(d->ctx, E_INVALID_TABLE_DEFINITION,
                 "cannot change data type of view column \"%.*s\" from %s to %s", STR_ARGS(a->name),
                 type_format(d->scope, a->type), type_format(d->scope, b->type));
        b->comment = a->comment;
    }
done:
    return st;
}

/* A view that reads itself, through others. */
static Status check_recursion(Ddl *d, const View *view, Oid self, uint32_t depth)
{
    Status st = OK;

    for (uint32_t i = 0; i < view->depends_count; i++) {
        const Object *object = catalog_by_oid(d->catalog, view->depends[i]);
        if (view->depends[i] == self || depth > VIEWS_DEPTH_MAX)
            FAIL(d->ctx, E_INVALID_OBJECT_DEFINITION,
                 "infinite recursion detected in rules for relation \"%.*s\"",
                 STR_ARGS(view->object.name));
        if (object && object->kind == OBJECT_VIEW)
            TRY(check_recursion(d, (const View *)object, self, depth + 1));
    }
done:
    return st;
}

/* The relation of that name: NULL, or a view to be replaced, locked. */
static Status find_old(Ddl *d, const AstCreateView *ast, Oid schema, const View **out)
{
    Status st = OK;
    Str name = ast->view->name.name;
    const Object *object = catalog_relation(d->catalog, schema, name);

    *out = NULL;
    if (object == NULL)
        return OK;
    if (!ast->replace)
        FAIL(d->ctx, E_DUPLICATE_TABLE, "relation \"%.*s\" already exists", STR_ARGS(name));
    if (object->kind != OBJECT_VIEW)
        return ddl_wrong_kind(d, object, OBJECT_VIEW);
    TRY(ddl_lock(d, object->oid, TABLE_ACCESS_EXCLUSIVE));
    *out = (const View *)catalog_by_oid(d->catalog, object->oid);
done:
    return st;
}

static Status bind_view(Ddl *d, const AstNode *query, SourceList *sources, PlannedStatement *out)
{
    BindEnv *env = d->bind;
    BindEnv saved = *env;

    env->named = note_source;
    env->named_arg = sources;
    Status st = ddl_bind_query(d, query, out);
    *env = saved;
    return st;
}

static Str query_text(Ddl *d, const AstNode *query)
{
    StrBuf buf;

    strbuf_init(&buf);
    sql_deparse_query(&buf, query);
    Str text = str_copy(d->scope, strbuf_str(&buf));
    strbuf_free(&buf);
    return text;
}

Status ddl_create_view(Ddl *d, const AstCreateView *ast)
{
    Status st = OK;
    SourceList sources = {.d = d};
    PlannedStatement query;
    const View *old;
    Oid schema;

    TRY(check_supported(d, ast));
    TRY(bind_view(d, ast->query, &sources, &query));
    if (!query.reads_only)
        TRY(ddl_unsupported(d, -1, "data changes and row locks in a view are", NULL));
    TRY(ddl_creation_schema(d, &ast->view->name, &schema));
    TRY(find_old(d, ast, schema, &old));
    mark_sources(d, &query, &sources);
    View view = {.query_sql = query_text(d, ast->query)};
    view.object = old ? old->object : ddl_new_object(d, OBJECT_VIEW, schema, ast->view->name.name);
    TRY(view_columns(d, ast, &query, &view));
    view.depends = sources.depends.data;
    view.depends_count = sources.depends.count;
    view.sources = sources.sources.data;
    view.sources_count = sources.sources.count;
    if (old) {
        TRY(check_replacement(d, old, &view));
        TRY(check_recursion(d, &view, view.object.oid, 0));
    }
    TRY(catalog_put(d->ctx, d->catalog, &view.object));
done:
    return st;
}
