// SPDX-License-Identifier: Apache-2.0
//
// Numbers and booleans about catalog objects: visibility, sizes, privileges, names to oids; see
// describe.h.
#include "exec/ddl/describe.h"

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

// --- names --------------------------------------------------------------------------------------

static const SystemView *find_system_view(const AstName *name)
{
    const SystemView *view = NULL;

    if (name->schema.ptr == NULL || str_is(name->schema, "pg_catalog"))
        view = system_view_find(STR("pg_catalog"), name->name);
    if (view == NULL && str_is(name->schema, "information_schema"))
        view = system_view_find(STR("information_schema"), name->name);
    return view;
}

static Status to_regclass(Measure *m)
{
    Status st = OK;
    AstName name;
    const Object *object = NULL;

    TRY(ident_parse_name(m->ctx, m->scope, strview_str(&m->args[0].string), &name));
    if (name.schema.ptr) {
        const Schema *schema = catalog_schema(m->catalog, name.schema);
        object = schema ? catalog_relation(m->catalog, schema->object.oid, name.name) : NULL;
    }
    for (uint32_t i = 0; !name.schema.ptr && !object && i < m->env->search_path_count; i++)
        object = catalog_relation(m->catalog, m->env->search_path[i], name.name);
    const SystemView *view = find_system_view(&name);
    if (view && (object == NULL || name.schema.ptr == NULL))
        give(m, view->oid);
    else if (object)
        give(m, object->oid);
done:
    return st;
}

static Status to_regnamespace(Measure *m)
{
    Status st = OK;
    AstName name;

    TRY(ident_parse_name(m->ctx, m->scope, strview_str(&m->args[0].string), &name));
    const Schema *schema = catalog_schema(m->catalog, name.name);
    if (schema)
        give(m, schema->object.oid);
done:
    return st;
}

static Status to_regrole(Measure *m)
{
    Status st = OK;
    AstName name;

    TRY(ident_parse_name(m->ctx, m->scope, strview_str(&m->args[0].string), &name));
    const Role *role = catalog_role(m->catalog, name.name);
    if (role)
        give(m, role->object.oid);
done:
    return st;
}

static Status to_regtype(Measure *m)
{
    const TypeInfo *info = type_by_name(strview_str(&m->args[0].string));

    if (info)
        give(m, info->oid);
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
    {"pg_relation_is_updatable", never},
    {"pg_is_other_temp_schema", never},
    {"pg_my_temp_schema", never},
    {"to_regclass", to_regclass},
    {"to_regtype", to_regtype},
    {"to_regnamespace", to_regnamespace},
    {"to_regrole", to_regrole},
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
        *is_null = false;
        *out = 1; /* privileges are not enforced: every role has all of them */
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
