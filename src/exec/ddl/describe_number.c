// SPDX-License-Identifier: Apache-2.0
//
// Numbers and booleans about catalog objects: visibility, sizes, the state of sequences,
// privileges; see describe.h. One small function a SQL function, found by name. Any thread that may
// read the catalog handle.
#include "exec/ddl/describe.h"

#include "catalog/sequence.h"
#include "catalog/system_views.h"
#include "exec/ddl/ddl_int.h"
#include "sql/ident.h"

typedef struct Measure {
    Ctx *ctx;
    Scope *scope;
    const BindEnv *env;
    const Catalog *catalog;
    Storage *storage;
    const char *what;
    const Datum *args;
    uint32_t args_count;
    int64_t out;
    bool found; /* else the answer is NULL */
} Measure;

static void give(Measure *m, int64_t value)
{
    m->out = value;
    m->found = true;
}

static Oid arg_oid(const Measure *m, uint32_t at)
{
    const Datum *arg = &m->args[at];

    return (Oid)(type_phys(arg->type) == PHYS_INT32 ? arg->int32 : arg->int64);
}

static const SystemView *system_view_by_oid(Oid oid)
{
    uint32_t count;
    const SystemView *views = system_view_rows(&count);

    for (uint32_t i = 0; i < count; i++) {
        if (views[i].oid == oid)
            return &views[i];
    }
    return NULL;
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

static const SystemView *find_system_view(const AstName *name)
{
    const SystemView *view = NULL;

    if (name->schema.ptr == NULL || str_is(name->schema, "pg_catalog"))
        view = system_view_find(STR("pg_catalog"), name->name);
    if (view == NULL && str_is(name->schema, "information_schema"))
        view = system_view_find(STR("information_schema"), name->name);
    return view;
}

static Status table_is_visible(Measure *m)
{
    const Object *object = catalog_by_oid(m->catalog, arg_oid(m, 0));
    const SystemView *view = object ? NULL : system_view_by_oid(arg_oid(m, 0));

    if (object)
        give(m, ddl_is_visible(m->env, object));
    else if (view)
        give(m, strcmp(view->schema, "pg_catalog") == 0);
    return OK;
}

/* All of them are in pg_catalog, which is always searched. */
static Status is_visible(Measure *m)
{
    give(m, 1);
    return OK;
}

/* NULL. */
static Status unknown(Measure *m UNUSED)
{
    return OK;
}

static Status never(Measure *m)
{
    give(m, 0);
    return OK;
}

// --- sizes --------------------------------------------------------------------------------------

static int64_t relation_bytes(const Measure *m, RelationId relation)
{
    uint64_t rows, bytes = 0;

    if (m->storage)
        storage_relation_size(m->storage, relation, &rows, &bytes);
    return (int64_t)bytes;
}

static int64_t indexes_bytes(const Measure *m, const Table *table)
{
    int64_t bytes = 0;

    for (uint32_t i = 0; i < table->indexes_count; i++) {
        if (!table->indexes[i]->clustered)
            bytes += relation_bytes(m, table->indexes[i]->relation_id);
    }
    return bytes;
}

static Status relation_size(Measure *m)
{
    const Object *object = catalog_by_oid(m->catalog, arg_oid(m, 0));

    if (object == NULL) {
        if (system_view_by_oid(arg_oid(m, 0)))
            give(m, 0);
    } else if (object->kind == OBJECT_TABLE) {
        give(m, relation_bytes(m, ((const Table *)object)->relation_id));
    } else if (object->kind == OBJECT_INDEX && !((const Index *)object)->clustered) {
        give(m, relation_bytes(m, ((const Index *)object)->relation_id));
    } else {
        give(m, 0); /* the primary key is the table's own order */
    }
    return OK;
}

static Status total_size(Measure *m)
{
    Status st = relation_size(m);
    const Object *object = catalog_by_oid(m->catalog, arg_oid(m, 0));

    if (object && object->kind == OBJECT_TABLE)
        m->out += indexes_bytes(m, (const Table *)object);
    return st;
}

static Status indexes_size(Measure *m)
{
    const Object *object = catalog_by_oid(m->catalog, arg_oid(m, 0));

    if (object)
        give(m, object->kind == OBJECT_TABLE ? indexes_bytes(m, (const Table *)object) : 0);
    return OK;
}

static bool add_table_size(void *arg, const Object *object)
{
    Measure *m = arg;
    const Table *table = (const Table *)object;

    m->out += relation_bytes(m, table->relation_id) + indexes_bytes(m, table);
    return true;
}

/* Of this database; the others' tables are not in sight. */
static Status database_size(Measure *m)
{
    m->found = true;
    catalog_each(m->catalog, OBJECT_TABLE, add_table_size, m);
    return OK;
}

// --- sequences ----------------------------------------------------------------------------------

static Status sequence_now(Measure *m, int64_t *value, bool *is_called, bool *found)
{
    const Object *object = catalog_by_oid(m->catalog, arg_oid(m, 0));

    *found = object && object->kind == OBJECT_SEQUENCE;
    if (!*found)
        return OK;
    return sequence_state(m->ctx, catalog_manager(m->catalog), (const Sequence *)object, value,
                          is_called);
}

static Status sequence_value(Measure *m)
{
    Status st = OK;
    int64_t value;
    bool is_called, found;

    TRY(sequence_now(m, &value, &is_called, &found));
    if (found)
        give(m, value);
done:
    return st;
}

static Status sequence_is_called(Measure *m)
{
    Status st = OK;
    int64_t value;
    bool is_called, found;

    TRY(sequence_now(m, &value, &is_called, &found));
    if (found)
        give(m, is_called);
done:
    return st;
}

static Status sequence_last_value(Measure *m)
{
    Status st = OK;
    int64_t value;
    bool is_called, found;

    TRY(sequence_now(m, &value, &is_called, &found));
    if (found && is_called)
        give(m, value);
done:
    return st;
}

// --- privileges ---------------------------------------------------------------------------------

/* Every role has them all, on what exists: a name that does not is an error. */
static Status has_privilege(Measure *m)
{
    Status st = OK;
    bool on_column = strstr(m->what, "column_privilege") && !strstr(m->what, "any_");
    uint32_t at = m->args_count - (on_column ? 3 : 2);
    AstName name;

    if (m->args_count < 2 || at >= m->args_count || type_phys(m->args[at].type) != PHYS_STRING) {
        give(m, 1);
        return OK;
    }
    Str text = strview_str(&m->args[at].string);
    if (strstr(m->what, "_database_") && catalog_database(m->catalog, text) == NULL)
        FAIL(m->ctx, E_INVALID_CATALOG_NAME, "database \"%.*s\" does not exist", STR_ARGS(text));
    if (strstr(m->what, "_schema_") && catalog_schema(m->catalog, text) == NULL)
        FAIL(m->ctx, E_INVALID_SCHEMA_NAME, "schema \"%.*s\" does not exist", STR_ARGS(text));
    if (strstr(m->what, "_table_") || strstr(m->what, "_column_")) {
        TRY(ident_parse_name(m->ctx, m->scope, text, &name));
        if (find_relation(m->env, &name) == NULL && find_system_view(&name) == NULL)
            FAIL(m->ctx, E_UNDEFINED_TABLE, "relation \"%.*s\" does not exist", STR_ARGS(text));
    }
    give(m, 1);
done:
    return st;
}

static Status relation_filenode(Measure *m)
{
    const Object *object = catalog_by_oid(m->catalog, arg_oid(m, 0));

    if (object && object->kind == OBJECT_TABLE)
        give(m, ((const Table *)object)->relation_id);
    else if (object && object->kind == OBJECT_INDEX)
        give(m, ((const Index *)object)->relation_id);
    return OK;
}

/* Only tables take changes; 28 is all of INSERT, UPDATE and DELETE in PostgreSQL's mask. */
static Status is_updatable(Measure *m)
{
    const Object *object = catalog_by_oid(m->catalog, arg_oid(m, 0));
    bool table = object && object->kind == OBJECT_TABLE;
    bool of_column = strcmp(m->what, "pg_column_is_updatable") == 0;

    give(m, !table ? 0 : of_column ? 1 : 28);
    return OK;
}

static const struct {
    const char *name;
    Status (*measure)(Measure *m);
} numbers[] = {
    {"pg_table_is_visible", table_is_visible},
    {"pg_type_is_visible", is_visible},
    {"pg_function_is_visible", is_visible},
    {"pg_operator_is_visible", is_visible},
    {"pg_opclass_is_visible", is_visible},
    {"pg_opfamily_is_visible", is_visible},
    {"pg_collation_is_visible", is_visible},
    {"pg_conversion_is_visible", is_visible},
    {"pg_statistics_obj_is_visible", is_visible},
    {"pg_ts_config_is_visible", is_visible},
    {"pg_ts_dict_is_visible", is_visible},
    {"pg_ts_parser_is_visible", is_visible},
    {"pg_ts_template_is_visible", is_visible},
    {"pg_relation_size", relation_size},
    {"pg_table_size", relation_size},
    {"pg_total_relation_size", total_size},
    {"pg_indexes_size", indexes_size},
    {"pg_database_size", database_size},
    {"pg_tablespace_size", database_size},
    {"pg_relation_is_publishable", never},
    {"pg_relation_is_updatable", is_updatable},
    {"pg_column_is_updatable", is_updatable},
    {"pg_relation_filenode", relation_filenode},
    {"pg_sequence_last_value", sequence_last_value},
    {"dbaspot_sequence_value", sequence_value},
    {"dbaspot_sequence_is_called", sequence_is_called},
    {"pg_postmaster_start_time", unknown},
    {"pg_conf_load_time", unknown},
};

Status describe_number(Ctx *ctx, const BindEnv *env, Storage *storage, const char *what,
                       const Datum *args, uint32_t args_count, int64_t *out, bool *is_null)
{
    Status st = OK;
    Measure m = {.ctx = ctx,
                 .scope = scope_open(NULL, "describe"),
                 .env = env,
                 .catalog = env->catalog,
                 .storage = storage,
                 .what = what,
                 .args = args,
                 .args_count = args_count};

    *is_null = true;
    for (uint32_t i = 0; i < args_count; i++) {
        if (args[i].is_null)
            goto done;
    }
    if (strncmp(what, "has_", 4) == 0 || strcmp(what, "pg_has_role") == 0) {
        TRY(has_privilege(&m));
        *is_null = false;
        *out = m.out;
        goto done;
    }
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        if (strcmp(numbers[i].name, what) != 0)
            continue;
        TRY(numbers[i].measure(&m));
        *is_null = !m.found;
        *out = m.out;
        goto done;
    }
    FAIL(ctx, E_FEATURE_NOT_SUPPORTED, "function %s is not supported", what);
done:
    scope_close(m.scope);
    return st;
}
