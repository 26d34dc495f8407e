// SPDX-License-Identifier: Apache-2.0
//
// Texts about catalog objects; see describe.h. One small function a SQL function, found by name.
// Stored texts are shown with the names that hold now: sequences by name instead of oid, relations
// of a view under their old names as aliases. Any thread that may read the catalog handle.
#include "exec/ddl/describe.h"

#include "exec/ddl/ddl_int.h"
#include "sql/deparse.h"
#include "sql/ident.h"
#include "sql/parse/parse.h"

/* One call. */
typedef struct Describe {
    Ctx *ctx;
    Scope *scope;
    const BindEnv *env;
    const Catalog *catalog;
    const Datum *args;
    uint32_t args_count;
    StrBuf out;
    bool found; /* else the answer is NULL */
} Describe;

static int64_t arg_number(const Describe *call, uint32_t at)
{
    const Datum *arg = &call->args[at];

    switch (type_phys(arg->type)) {
    case PHYS_BOOL: return arg->boolean;
    case PHYS_INT16: return arg->int16;
    case PHYS_INT32: return arg->int32;
    default: return arg->int64;
    }
}

static bool arg_is_text(const Describe *call, uint32_t at)
{
    return at < call->args_count && type_phys(call->args[at].type) == PHYS_STRING;
}

static Str arg_text(const Describe *call, uint32_t at)
{
    return strview_str(&call->args[at].string);
}

/* Pretty-printing asked for: the last boolean argument. */
static bool arg_pretty(const Describe *call)
{
    const Datum *last = &call->args[call->args_count - 1];

    return call->args_count > 1 && last->type.oid == OID_BOOL && last->boolean;
}

static const Object *find_relation(const BindEnv *env, const AstName *name)
{
    if (name->schema.ptr) {
        const Schema *schema = catalog_schema(env->catalog, name->schema);
        return schema ? catalog_relation(env->catalog, schema->object.oid, name->name) : NULL;
    }
    for (uint32_t i = 0; i < env->search_path_count; i++) {
        const Object *object = catalog_relation(env->catalog, env->search_path[i], name->name);
        if (object)
            return object;
    }
    return NULL;
}

/* By oid, or by name: then it must be there. */
static Status find_named(Describe *call, uint32_t at, const Object **out)
{
    Status st = OK;
    AstName name;

    if (!arg_is_text(call, at)) {
        *out = catalog_by_oid(call->catalog, (Oid)arg_number(call, at));
        return OK;
    }
    TRY(ident_parse_name(call->ctx, call->scope, arg_text(call, at), &name));
    *out = find_relation(call->env, &name);
    if (*out == NULL)
        FAIL(call->ctx, E_UNDEFINED_TABLE, "relation \"%.*s\" does not exist",
             STR_ARGS(arg_text(call, at)));
done:
    return st;
}

static void append_qualified(Describe *call, const Object *object)
{
    const Object *schema = catalog_by_oid(call->catalog, object->schema);

    sql_quote_name(&call->out,
                   &(AstName){.schema = schema ? schema->name : (Str){0}, .name = object->name});
}

// --- indexes and constraints --------------------------------------------------------------------

/* The text inside parentheses that enclose all of it; the text itself if none do. */
static Str inside_parentheses(Str text)
{
    uint32_t depth = 0;
    char quote = 0;

    if (text.len < 2 || text.ptr[0] != '(')
        return text;
    for (size_t i = 0; i + 1 < text.len; i++) {
        char c = text.ptr[i];
        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '\'' || c == '"')
            quote = c;
        else
            depth += (c == '(') - (c == ')');
        if (depth == 0 && !quote)
            return text;
    }
    return (Str){text.ptr + 1, text.len - 2};
}

/* Pretty texts do without the outer parentheses. */
static void append_expr(Describe *call, Str sql)
{
    Str text = ddl_display_expr(call->env, call->scope, sql);

    strbuf_append_str(&call->out, arg_pretty(call) ? inside_parentheses(text) : text);
}

static bool is_call(Str sql)
{
    Ctx ctx;
    AstNode *ast = NULL;
    Scope *scope = scope_open(NULL, "is_call");

    ctx_init(&ctx);
    bool call = sql_parse_expr(&ctx, scope, sql, &ast) == OK && ast->kind == AST_FUNC_CALL;
    ctx_free(&ctx);
    scope_close(scope);
    return call;
}

static void append_index_column(Describe *call, const Table *table, const IndexColumn *column,
                                bool with_order)
{
    const KeyColumn *key = &column->key;

    if (column->column != UINT32_MAX) {
        sql_quote_identifier(&call->out,
                             table->columns[ddl_column_by_id(table, column->column)].name);
    } else if (is_call(column->expr_sql)) {
        append_expr(call, column->expr_sql);
    } else {
        strbuf_append_char(&call->out, '(');
        append_expr(call, column->expr_sql);
        strbuf_append_char(&call->out, ')');
    }
    if (!with_order)
        return;
    if (key->descending)
        strbuf_append_c(&call->out, key->nulls_first ? " DESC" : " DESC NULLS LAST");
    else if (key->nulls_first)
        strbuf_append_c(&call->out, " NULLS FIRST");
}

static Status describe_index(Describe *call)
{
    const Object *object = catalog_by_oid(call->catalog, (Oid)arg_number(call, 0));
    int64_t only = call->args_count > 1 ? arg_number(call, 1) : 0;

    if (object == NULL || object->kind != OBJECT_INDEX)
        return OK;
    const Index *index = (const Index *)object;
    const Table *table = (const Table *)catalog_by_oid(call->catalog, index->table);
    call->found = true;
    if (only > 0) {
        if (only <= index->columns_count)
            append_index_column(call, table, &index->columns[only - 1], false);
        return OK;
    }
    strbuf_printf(&call->out, "CREATE %sINDEX ", index->unique ? "UNIQUE " : "");
    sql_quote_identifier(&call->out, object->name);
    strbuf_append_c(&call->out, " ON ");
    if (arg_pretty(call))
        ddl_append_name(&call->out, call->env, &table->object);
    else
        append_qualified(call, &table->object);
    for (uint32_t i = 0; i < index->columns_count; i++) {
        strbuf_append_c(&call->out, i ? ", " : " USING btree (");
        append_index_column(call, table, &index->columns[i], true);
    }
    strbuf_append_char(&call->out, ')');
    if (index->nulls_not_distinct)
        strbuf_append_c(&call->out, " NULLS NOT DISTINCT");
    if (index->predicate_sql.len) {
        strbuf_append_c(&call->out, " WHERE ");
        append_expr(call, index->predicate_sql);
    }
    return OK;
}

/* What an oid in pg_constraint means. */
typedef struct ConstraintSearch {
    Oid oid;
    const Table *table;
    const Index *index;
    const CheckConstraint *check;
} ConstraintSearch;

static bool find_constraint(void *arg, const Object *object)
{
    ConstraintSearch *search = arg;
    const Table *table = (const Table *)object;

    for (uint32_t i = 0; i < table->indexes_count; i++) {
        if (table->indexes[i]->constraint && table->indexes[i]->constraint_oid == search->oid)
            search->index = table->indexes[i];
    }
    for (uint32_t i = 0; i < table->checks_count; i++) {
        if (table->checks[i].oid == search->oid)
            search->check = &table->checks[i];
    }
    search->table = table;
    return search->index == NULL && search->check == NULL;
}

static Status describe_constraint(Describe *call)
{
    ConstraintSearch search = {.oid = (Oid)arg_number(call, 0)};

    catalog_each(call->catalog, OBJECT_TABLE, find_constraint, &search);
    if (search.check) {
        strbuf_append_c(&call->out, "CHECK (");
        append_expr(call, search.check->expr_sql);
        strbuf_printf(&call->out, ")%s", search.check->not_valid ? " NOT VALID" : "");
    } else if (search.index) {
        const Index *index = search.index;
        strbuf_printf(&call->out, "%s%s", index->primary ? "PRIMARY KEY" : "UNIQUE",
                      index->nulls_not_distinct ? " NULLS NOT DISTINCT" : "");
        for (uint32_t i = 0; i < index->columns_count; i++) {
            strbuf_append_c(&call->out, i ? ", " : " (");
            append_index_column(call, search.table, &index->columns[i], false);
        }
        strbuf_append_char(&call->out, ')');
    }
    call->found = search.check || search.index;
    return OK;
}

// --- views --------------------------------------------------------------------------------------

static const ViewSource *find_source(const View *view, const AstName *name)
{
    for (uint32_t i = 0; i < view->sources_count; i++) {
        const ViewSource *source = &view->sources[i];
        if (str_equal(source->schema, name->schema) && str_equal(source->name, name->name))
            return source;
    }
    return NULL;
}

typedef struct ViewText {
    Describe *call;
    const View *view;
} ViewText;

/* The columns' names now, as far as the view knows them; false if they are as they were. */
static bool columns_renamed(const Catalog *catalog, const ViewSource *source)
{
    const Object *object = catalog_by_oid(catalog, source->oid);
    const Column *columns = NULL;
    uint32_t count = 0;

    if (object && object->kind == OBJECT_TABLE) {
        columns = ((const Table *)object)->columns;
        count = ((const Table *)object)->columns_count;
    } else if (object && object->kind == OBJECT_VIEW) {
        columns = ((const View *)object)->columns;
        count = ((const View *)object)->columns_count;
    }
    for (uint32_t i = 0, at = 0; i < count && at < source->columns_count; i++) {
        while (at < source->columns_count && source->column_ids[at] != columns[i].id)
            at++;
        if (at < source->columns_count && !str_equal(source->column_names[at], columns[i].name))
            return true;
    }
    return false;
}

/* Names that are still there, in the order of the columns. */
static AstNames kept_names(Describe *call, const ViewSource *source)
{
    const Object *object = catalog_by_oid(call->catalog, source->oid);
    AstNames names = {scope_new_array(call->scope, Str, source->columns_count + 1), 0};

    for (uint32_t i = 0; i < source->columns_count; i++) {
        if (object->kind != OBJECT_TABLE ||
            ddl_column_by_id((const Table *)object, source->column_ids[i]) != UINT32_MAX)
            names.items[names.count++] = source->column_names[i];
    }
    return names;
}

/* What a relation is called now; its old names become aliases. */
static void update_table_ref(ViewText *text, AstTableRef *ref)
{
    Describe *call = text->call;
    const ViewSource *source = find_source(text->view, &ref->name);
    const Object *object = source ? catalog_by_oid(call->catalog, source->oid) : NULL;
    AstAlias *alias = ref->alias;

    if (object == NULL)
        return;
    bool renamed = !str_equal(object->name, ref->name.name);
    bool columns = columns_renamed(call->catalog, source) && (!alias || !alias->columns.count);
    if (alias == NULL && (renamed || columns)) {
        alias = ast_new(call->scope, AST_ALIAS, AstAlias, -1);
        alias->name = ref->name.name;
    }
    if (columns)
        alias->columns = kept_names(call, source);
    const Object *schema = catalog_by_oid(call->catalog, object->schema);
    ref->name = (AstName){.name = object->name};
    if (schema && !ddl_is_visible(call->env, object))
        ref->name.schema = schema->name;
    ref->alias = alias;
}

static void update_query(ViewText *text, AstNode *node);

static void update_expr_node(void *arg, AstNode *node)
{
    if (node->kind == AST_SUBLINK)
        update_query(arg, ((AstSublink *)node)->query);
}

static void update_exprs(ViewText *text, const AstList *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        AstNode *node = list->items[i];
        if (node && node->kind == AST_TARGET)
            node = ((AstTarget *)node)->value;
        if (node && node->kind == AST_VALUES_ROW)
            update_exprs(text, &((AstValuesRow *)node)->values);
        else
            ddl_walk_ast(node, update_expr_node, text);
    }
}

static void update_from(ViewText *text, AstNode *node)
{
    switch (node->kind) {
    case AST_TABLE_REF: update_table_ref(text, (AstTableRef *)node); break;
    case AST_SUBSELECT: update_query(text, ((AstSubselect *)node)->query); break;
    case AST_JOIN: {
        AstJoin *join = (AstJoin *)node;
        update_from(text, join->left);
        update_from(text, join->right);
        ddl_walk_ast(join->on, update_expr_node, text);
        break;
    }
    case AST_RANGE_FUNCTION: {
        const AstList *functions = &((AstRangeFunction *)node)->functions;
        for (uint32_t i = 0; i < functions->count; i++)
            ddl_walk_ast(((AstRowsFromItem *)functions->items[i])->function, update_expr_node,
                         text);
        break;
    }
    default: break;
    }
}

static void update_query(ViewText *text, AstNode *node)
{
    AstSelect *select = (AstSelect *)node;

    if (node->kind != AST_SELECT)
        return;
    for (uint32_t i = 0; select->with && i < select->with->ctes.count; i++)
        update_query(text, ((AstCte *)select->with->ctes.items[i])->query);
    for (uint32_t i = 0; i < select->args.count; i++)
        update_query(text, select->args.items[i]);
    for (uint32_t i = 0; i < select->from.count; i++)
        update_from(text, select->from.items[i]);
    update_exprs(text, &select->targets);
    update_exprs(text, &select->distinct_on);
    update_exprs(text, &select->group);
    update_exprs(text, &select->values);
    update_exprs(text, &select->order);
    ddl_walk_ast(select->where, update_expr_node, text);
    ddl_walk_ast(select->having, update_expr_node, text);
    ddl_walk_ast(select->limit, update_expr_node, text);
    ddl_walk_ast(select->offset, update_expr_node, text);
}

static Status describe_view(Describe *call)
{
    Status st = OK;
    const Object *object;
    AstList statements;

    TRY(find_named(call, 0, &object));
    if (object == NULL || object->kind != OBJECT_VIEW)
        return OK;
    ViewText text = {call, (const View *)object};
    TRY(sql_parse(call->ctx, call->scope, text.view->query_sql, &statements));
    AstNode *query = ((const AstStatement *)statements.items[0])->body;
    update_query(&text, query);
    strbuf_append_char(&call->out, ' ');
    sql_deparse_query(&call->out, query);
    strbuf_append_char(&call->out, ';');
    call->found = true;
done:
    return st;
}

// --- the rest -----------------------------------------------------------------------------------

static Status describe_expr(Describe *call)
{
    append_expr(call, arg_text(call, 0));
    call->found = true;
    return OK;
}

typedef struct OwnedSearch {
    Oid table;
    uint32_t column;
    const Object *found;
} OwnedSearch;

static bool find_owned(void *arg, const Object *object)
{
    OwnedSearch *search = arg;
    const Sequence *sequence = (const Sequence *)object;

    if (sequence->owned_by_table == search->table && sequence->owned_by_column == search->column)
        search->found = object;
    return search->found == NULL;
}

static Status describe_serial(Describe *call)
{
    Status st = OK;
    const Object *object;
    Str name = arg_text(call, 1);

    TRY(find_named(call, 0, &object));
    const Table *table = (const Table *)object;
    uint32_t at = object->kind == OBJECT_TABLE
                      ? ddl_column_at(table->columns, table->columns_count, name)
                      : UINT32_MAX;
    if (at == UINT32_MAX)
        FAIL(call->ctx, E_UNDEFINED_COLUMN, "column \"%.*s\" of relation \"%.*s\" does not exist",
             STR_ARGS(name), STR_ARGS(object->name));
    OwnedSearch search = {.table = object->oid, .column = table->columns[at].id};
    catalog_each(call->catalog, OBJECT_SEQUENCE, find_owned, &search);
    call->found = search.found != NULL;
    if (search.found)
        append_qualified(call, search.found);
done:
    return st;
}

static Status describe_user(Describe *call)
{
    Oid oid = (Oid)arg_number(call, 0);
    const Object *object = catalog_by_oid(call->catalog, oid);

    call->found = true;
    if (object && object->kind == OBJECT_ROLE)
        strbuf_append_str(&call->out, object->name);
    else
        strbuf_printf(&call->out, "unknown (OID=%u)", oid);
    return OK;
}

static void give_comment(Describe *call, Str comment)
{
    call->found = comment.len > 0;
    strbuf_append_str(&call->out, comment);
}

static Status describe_object(Describe *call)
{
    Oid oid = (Oid)arg_number(call, 0);
    const Object *object = catalog_by_oid(call->catalog, oid);
    ConstraintSearch search = {.oid = oid};

    if (object) {
        give_comment(call, object->comment);
        return OK;
    }
    catalog_each(call->catalog, OBJECT_TABLE, find_constraint, &search);
    if (search.check)
        give_comment(call, search.check->comment);
    else if (search.index)
        give_comment(call, search.index->constraint_comment);
    return OK;
}

static Status describe_column(Describe *call)
{
    const Object *object = catalog_by_oid(call->catalog, (Oid)arg_number(call, 0));
    uint32_t id = (uint32_t)(arg_number(call, 1) - 1);
    const Column *columns = NULL;
    uint32_t count = 0;

    if (object && object->kind == OBJECT_TABLE) {
        columns = ((const Table *)object)->columns;
        count = ((const Table *)object)->columns_count;
    } else if (object && object->kind == OBJECT_VIEW) {
        columns = ((const View *)object)->columns;
        count = ((const View *)object)->columns_count;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i].id == id)
            give_comment(call, columns[i].comment);
    }
    return OK;
}

static Status describe_any(Describe *call)
{
    const Object *object = catalog_by_oid(call->catalog, (Oid)arg_number(call, 1));

    if (object) {
        call->found = true;
        strbuf_printf(&call->out, "%s ", ddl_kind_words(object->kind));
        ddl_append_name(&call->out, call->env, object);
    }
    return OK;
}

// --- functions ----------------------------------------------------------------------------------

static Status describe_arguments(Describe *call)
{
    const FuncInfo *func = func_by_oid((Oid)arg_number(call, 0));

    call->found = func != NULL;
    for (uint32_t i = 0; func && i < func->args_count; i++)
        strbuf_printf(&call->out, "%s%s", i ? ", " : "",
                      type_format(call->scope, sql_type(func->args[i])));
    if (func && func->variadic)
        strbuf_printf(&call->out, "%sVARIADIC %s", func->args_count ? ", " : "",
                      type_format(call->scope, sql_type(func->variadic)));
    return OK;
}

static Status describe_result(Describe *call)
{
    const FuncInfo *func = func_by_oid((Oid)arg_number(call, 0));

    call->found = func != NULL;
    if (func)
        strbuf_printf(&call->out, "%s%s", func->set ? "SETOF " : "",
                      type_format(call->scope, sql_type(func->result)));
    return OK;
}

/* About kinds of objects that there are none of. */
static Status describe_none(Describe *call UNUSED)
{
    return OK;
}

static const struct {
    const char *name;
    Status (*describe)(Describe *call);
} texts[] = {
    {"pg_get_viewdef", describe_view},
    {"pg_get_constraintdef", describe_constraint},
    {"pg_get_indexdef", describe_index},
    {"pg_get_expr", describe_expr},
    {"pg_get_serial_sequence", describe_serial},
    {"pg_get_userbyid", describe_user},
    {"obj_description", describe_object},
    {"shobj_description", describe_object},
    {"col_description", describe_column},
    {"pg_describe_object", describe_any},
    {"pg_get_function_arguments", describe_arguments},
    {"pg_get_function_identity_arguments", describe_arguments},
    {"pg_get_function_result", describe_result},
    {"pg_get_function_sqlbody", describe_none},
    {"pg_get_ruledef", describe_none},
    {"pg_get_triggerdef", describe_none},
    {"pg_get_functiondef", describe_none},
    {"pg_get_partkeydef", describe_none},
    {"pg_get_partition_constraintdef", describe_none},
    {"pg_get_statisticsobjdef", describe_none},
    {"pg_get_statisticsobjdef_columns", describe_none},
    {"pg_relation_filepath", describe_none},
    {"pg_tablespace_location", describe_none},
};

Status describe_text(Ctx *ctx, Scope *scope, const BindEnv *env, const char *what,
                     const Datum *args, uint32_t args_count, Str *out, bool *is_null)
{
    Status st = OK;
    Describe call = {.ctx = ctx,
                     .scope = scope,
                     .env = env,
                     .catalog = env->catalog,
                     .args = args,
                     .args_count = args_count};

    *is_null = true;
    for (uint32_t i = 0; i < args_count; i++) {
        if (args[i].is_null)
            return OK;
    }
    strbuf_init(&call.out);
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        if (strcmp(texts[i].name, what) != 0)
            continue;
        TRY(texts[i].describe(&call));
        *is_null = !call.found;
        *out = str_copy(scope, strbuf_str(&call.out));
        goto done;
    }
    FAIL(ctx, E_FEATURE_NOT_SUPPORTED, "function %s is not supported", what);
done:
    strbuf_free(&call.out);
    return st;
}
