// SPDX-License-Identifier: Apache-2.0
//
// Views that show names to people: pg_tables, pg_views, pg_indexes, pg_sequences and
// information_schema. Texts that need the deparser come through view_describe.
#include "catalog/sequence.h"
#include "catalog/view_int.h"

static Status walk(Ctx *ctx, RowWriter *writer, const Catalog *catalog, ObjectKind kind,
                   bool (*visit)(void *arg, const Object *))
{
    ViewWalk walk = {ctx, writer, catalog};

    catalog_each(catalog, kind, visit, &walk);
    return ctx->error.status;
}

/* The database's name: the only one of its kind that the handle's schemas belong to. */
typedef struct FindDatabase {
    Oid oid;
    Str name;
} FindDatabase;

static bool match_database(void *arg, const Object *object)
{
    FindDatabase *find = arg;

    if (object->oid == find->oid)
        find->name = object->name;
    return true;
}

Str view_database_name(const Catalog *catalog)
{
    FindDatabase find = {.oid = catalog_database_oid(catalog)};

    catalog_each(catalog, OBJECT_DATABASE, match_database, &find);
    return find.name;
}

static void write_described(const ViewWalk *walk, const char *what, Oid oid)
{
    Str text = {0};

    if (view_describe)
        text = view_describe(writer_scope(walk->writer), walk->catalog, what, oid);
    if (text.ptr)
        writer_text(walk->writer, text);
    else
        writer_null(walk->writer);
}

static bool write_pg_table(void *arg, const Object *object)
{
    const ViewWalk *walk = arg;
    RowWriter *w = walk->writer;

    writer_text(w, view_schema_name(walk->catalog, object->schema));
    writer_text(w, object->name);
    writer_text(w, view_role_name(walk->catalog, object->owner));
    writer_null(w);
    writer_bool(w, ((const Table *)object)->indexes_count > 0);
    writer_bool(w, false);
    writer_bool(w, false);
    writer_bool(w, false);
    writer_end(w);
    return true;
}

Status view_pg_tables(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_TABLE, write_pg_table);
}

static bool write_pg_view(void *arg, const Object *object)
{
    const ViewWalk *walk = arg;
    RowWriter *w = walk->writer;

    writer_text(w, view_schema_name(walk->catalog, object->schema));
    writer_text(w, object->name);
    writer_text(w, view_role_name(walk->catalog, object->owner));
    write_described(walk, "pg_get_viewdef", object->oid);
    writer_end(w);
    return true;
}

Status view_pg_views(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_VIEW, write_pg_view);
}

static bool write_pg_index_row(void *arg, const Object *object)
{
    const ViewWalk *walk = arg;
    RowWriter *w = walk->writer;
    const Object *table = catalog_by_oid(walk->catalog, ((const Index *)object)->table);

    writer_text(w, view_schema_name(walk->catalog, object->schema));
    writer_text(w, table ? table->name : STR(""));
    writer_text(w, object->name);
    writer_null(w);
    write_described(walk, "pg_get_indexdef", object->oid);
    writer_end(w);
    return true;
}

Status view_pg_indexes(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_INDEX, write_pg_index_row);
}

static bool write_pg_sequence_row(void *arg, const Object *object)
{
    const ViewWalk *walk = arg;
    RowWriter *w = walk->writer;
    const Sequence *s = (const Sequence *)object;
    int64_t last = 0;
    bool called = false;

    writer_text(w, view_schema_name(walk->catalog, object->schema));
    writer_text(w, object->name);
    writer_text(w, view_role_name(walk->catalog, object->owner));
    writer_int(w, s->type);
    writer_int(w, s->start);
    writer_int(w, s->min);
    writer_int(w, s->max);
    writer_int(w, s->increment);
    writer_bool(w, s->cycle);
    writer_int(w, s->cache);
    if (sequence_state(walk->ctx, catalog_manager(walk->catalog), s, &last, &called) == OK &&
        called)
        writer_int(w, last);
    else
        writer_null(w);
    writer_end(w);
    return walk->ctx->error.status == OK;
}

Status view_pg_sequences(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_SEQUENCE, write_pg_sequence_row);
}

static bool write_schema(void *arg, const Object *object)
{
    const ViewWalk *walk = arg;
    RowWriter *w = walk->writer;

    writer_text(w, view_database_name(walk->catalog));
    writer_text(w, object->name);
    writer_text(w, view_role_name(walk->catalog, object->owner));
    view_nulls(w, 4);
    writer_end(w);
    return true;
}

Status view_is_schemata(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_SCHEMA, write_schema);
}

static void write_is_table(const ViewWalk *walk, Str schema, Str name, const char *type,
                           bool insertable)
{
    RowWriter *w = walk->writer;

    writer_text(w, view_database_name(walk->catalog));
    writer_text(w, schema);
    writer_text(w, name);
    writer_c(w, type);
    view_nulls(w, 5);
    writer_c(w, insertable ? "YES" : "NO");
    writer_c(w, "NO");
    writer_null(w);
    writer_end(w);
}

static bool visit_is_table(void *arg, const Object *object)
{
    const ViewWalk *walk = arg;

    write_is_table(walk, view_schema_name(walk->catalog, object->schema), object->name,
                   object->kind == OBJECT_VIEW ? "VIEW" : "BASE TABLE",
                   object->kind == OBJECT_TABLE);
    return true;
}

Status view_is_tables(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    Status st = OK;
    ViewWalk self = {ctx, writer, catalog};
    uint32_t count;
    const SystemView *views = system_view_rows(&count);

    for (uint32_t i = 0; i < count; i++)
        write_is_table(&self, str_from(views[i].schema), str_from(views[i].name), "VIEW", false);
    TRY(walk(ctx, writer, catalog, OBJECT_TABLE, visit_is_table));
    TRY(walk(ctx, writer, catalog, OBJECT_VIEW, visit_is_table));
done:
    return st;
}

typedef struct IsColumn {
    Str schema;
    Str table;
    const Column *column;
    int position;
    bool updatable;
} IsColumn;

static void int_or_null(RowWriter *w, int64_t value)
{
    if (value < 0)
        writer_null(w);
    else
        writer_int(w, value);
}

/* Lengths, precisions and scales as the standard counts them: -1 none. */
static void write_type_facts(RowWriter *w, SqlType type)
{
    bool numeric = type.oid == OID_NUMERIC;
    bool integer = type.oid == OID_INT2 || type.oid == OID_INT4 || type.oid == OID_INT8;
    bool real = type.oid == OID_FLOAT4 || type.oid == OID_FLOAT8;
    bool chars = type.oid == OID_VARCHAR || type.oid == OID_BPCHAR;
    bool string = chars || type.oid == OID_TEXT;
    bool moment = type.oid == OID_TIME || type.oid == OID_TIMESTAMP ||
                  type.oid == OID_TIMESTAMPTZ || type.oid == OID_INTERVAL;
    int64_t length = chars && type.typmod >= 4 ? type.typmod - 4 : -1;
    int64_t bits = type.oid == OID_INT2     ? 16
                   : type.oid == OID_INT4   ? 32
                   : type.oid == OID_INT8   ? 64
                   : type.oid == OID_FLOAT4 ? 24
                   : type.oid == OID_FLOAT8 ? 53
                                            : -1;
    bool scaled = numeric && type.typmod >= 0;

    int_or_null(w, length);
    int_or_null(w, !string ? -1 : length < 0 ? 1073741824 : length * 4);
    int_or_null(w, scaled ? type_numeric_precision(type) : bits);
    int_or_null(w, numeric ? 10 : integer || real ? 2 : -1);
    int_or_null(w, scaled ? type_numeric_scale(type) : integer ? 0 : -1);
    int_or_null(w, type.oid == OID_DATE ? 0 : !moment ? -1 : type.typmod >= 0 ? type.typmod : 6);
}

static Str type_words(RowWriter *w, SqlType type)
{
    const TypeInfo *info = type_info(type.oid);

    if (info && info->element && info->category == 'A')
        return STR("ARRAY");
    return str_from(type_format(writer_scope(w), sql_type(type.oid)));
}

static void write_identity(const ViewWalk *walk, const Column *column)
{
    RowWriter *w = walk->writer;
    const Sequence *s = (const Sequence *)catalog_by_oid(walk->catalog, column->sequence);

    if (column->generated == GENERATED_NONE || s == NULL) {
        writer_c(w, "NO");
        view_nulls(w, 5);
        writer_c(w, "NO");
        return;
    }
    writer_c(w, "YES");
    writer_c(w, column->generated == GENERATED_ALWAYS_IDENTITY ? "ALWAYS" : "BY DEFAULT");
    writer_c(w, scope_printf(writer_scope(w), "%lld", (long long)s->start));
    writer_c(w, scope_printf(writer_scope(w), "%lld", (long long)s->increment));
    writer_c(w, scope_printf(writer_scope(w), "%lld", (long long)s->max));
    writer_c(w, scope_printf(writer_scope(w), "%lld", (long long)s->min));
    writer_c(w, s->cycle ? "YES" : "NO");
}

static void write_is_column(const ViewWalk *walk, const IsColumn *row)
{
    RowWriter *w = walk->writer;
    const Column *c = row->column;
    const TypeInfo *info = type_info(c->type.oid);
    Str database = view_database_name(walk->catalog);

    writer_text(w, database);
    writer_text(w, row->schema);
    writer_text(w, row->table);
    writer_text(w, c->name);
    writer_int(w, row->position);
    if (c->default_sql.len && c->generated == GENERATED_NONE)
        writer_text(w, c->default_sql);
    else
        writer_null(w);
    writer_c(w, c->not_null ? "NO" : "YES");
    writer_text(w, type_words(w, c->type));
    write_type_facts(w, c->type);
    view_nulls(w, 11); /* interval_type … domain_name */
    writer_text(w, database);
    writer_c(w, "pg_catalog");
    writer_c(w, info ? info->name : "");
    view_nulls(w, 4);
    writer_c(w, scope_printf(writer_scope(w), "%d", row->position));
    writer_c(w, "NO");
    write_identity(walk, c);
    writer_c(w, "NEVER");
    writer_null(w);
    writer_c(w, row->updatable ? "YES" : "NO");
    writer_end(w);
}

static bool visit_is_columns(void *arg, const Object *object)
{
    const ViewWalk *walk = arg;
    bool table = object->kind == OBJECT_TABLE;
    uint32_t count =
        table ? ((const Table *)object)->columns_count : ((const View *)object)->columns_count;
    const Column *columns =
        table ? ((const Table *)object)->columns : ((const View *)object)->columns;

    for (uint32_t i = 0; i < count; i++)
        write_is_column(walk,
                        &(IsColumn){.schema = view_schema_name(walk->catalog, object->schema),
                                    .table = object->name,
                                    .column = &columns[i],
                                    .position = table ? view_attnum(columns[i].id) : (int)i + 1,
                                    .updatable = table});
    return true;
}

Status view_is_columns(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    Status st = OK;

    TRY(walk(ctx, writer, catalog, OBJECT_TABLE, visit_is_columns));
    TRY(walk(ctx, writer, catalog, OBJECT_VIEW, visit_is_columns));
done:
    return st;
}

static bool visit_is_view(void *arg, const Object *object)
{
    const ViewWalk *walk = arg;
    RowWriter *w = walk->writer;

    writer_text(w, view_database_name(walk->catalog));
    writer_text(w, view_schema_name(walk->catalog, object->schema));
    writer_text(w, object->name);
    write_described(walk, "pg_get_viewdef", object->oid);
    writer_c(w, "NONE");
    for (int i = 0; i < 5; i++)
        writer_c(w, "NO");
    writer_end(w);
    return true;
}

Status view_is_views(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_VIEW, visit_is_view);
}

static void write_table_constraint(const ViewWalk *walk, const Table *table, Str name,
                                   const char *type)
{
    RowWriter *w = walk->writer;
    Str database = view_database_name(walk->catalog);
    Str schema = view_schema_name(walk->catalog, table->object.schema);

    writer_text(w, database);
    writer_text(w, schema);
    writer_text(w, name);
    writer_text(w, database);
    writer_text(w, schema);
    writer_text(w, table->object.name);
    writer_c(w, type);
    writer_c(w, "NO");
    writer_c(w, "NO");
    writer_c(w, "YES");
    if (type[0] == 'U')
        writer_c(w, "YES");
    else
        writer_null(w);
    writer_end(w);
}

/* A NOT NULL shows as a check, named by oids as PostgreSQL does. */
static Str not_null_name(RowWriter *w, const Table *table, uint32_t column)
{
    return str_from(scope_printf(writer_scope(w), "%u_%u_%d_not_null", table->object.schema,
                                 table->object.oid, view_attnum(table->columns[column].id)));
}

static bool visit_table_constraints(void *arg, const Object *object)
{
    const ViewWalk *walk = arg;
    const Table *table = (const Table *)object;

    for (uint32_t i = 0; i < table->indexes_count; i++) {
        if (table->indexes[i]->constraint)
            write_table_constraint(walk, table, table->indexes[i]->object.name,
                                   table->indexes[i]->primary ? "PRIMARY KEY" : "UNIQUE");
    }
    for (uint32_t i = 0; i < table->checks_count; i++)
        write_table_constraint(walk, table, table->checks[i].name, "CHECK");
    for (uint32_t i = 0; i < table->columns_count; i++) {
        if (table->columns[i].not_null)
            write_table_constraint(walk, table, not_null_name(walk->writer, table, i), "CHECK");
    }
    return true;
}

Status view_is_table_constraints(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_TABLE, visit_table_constraints);
}

static Str column_name(const Table *table, uint32_t id)
{
    for (uint32_t i = 0; i < table->columns_count; i++) {
        if (table->columns[i].id == id)
            return table->columns[i].name;
    }
    return STR("");
}

static bool visit_key_columns(void *arg, const Object *object)
{
    const ViewWalk *walk = arg;
    RowWriter *w = walk->writer;
    const Table *table = (const Table *)object;
    Str database = view_database_name(walk->catalog);
    Str schema = view_schema_name(walk->catalog, object->schema);

    for (uint32_t i = 0; i < table->indexes_count; i++) {
        const Index *index = table->indexes[i];
        for (uint32_t k = 0; index->constraint && k < index->columns_count; k++) {
            writer_text(w, database);
            writer_text(w, schema);
            writer_text(w, index->object.name);
            writer_text(w, database);
            writer_text(w, schema);
            writer_text(w, object->name);
            writer_text(w, column_name(table, index->columns[k].column));
            writer_int(w, k + 1);
            writer_null(w);
            writer_end(w);
        }
    }
    return true;
}

Status view_is_key_column_usage(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_TABLE, visit_key_columns);
}

static void write_check(const ViewWalk *walk, const Table *table, Str name, Str clause)
{
    RowWriter *w = walk->writer;

    writer_text(w, view_database_name(walk->catalog));
    writer_text(w, view_schema_name(walk->catalog, table->object.schema));
    writer_text(w, name);
    writer_text(w, clause);
    writer_end(w);
}

static bool visit_checks(void *arg, const Object *object)
{
    const ViewWalk *walk = arg;
    const Table *table = (const Table *)object;

    for (uint32_t i = 0; i < table->checks_count; i++) {
        Str expr = table->checks[i].expr_sql;
        write_check(
            walk, table, table->checks[i].name,
            str_from(scope_printf(writer_scope(walk->writer), "(%.*s)", (int)expr.len, expr.ptr)));
    }
    for (uint32_t i = 0; i < table->columns_count; i++) {
        const Column *column = &table->columns[i];
        if (column->not_null)
            write_check(walk, table, not_null_name(walk->writer, table, i),
                        str_from(scope_printf(writer_scope(walk->writer), "%.*s IS NOT NULL",
                                              (int)column->name.len, column->name.ptr)));
    }
    return true;
}

Status view_is_check_constraints(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_TABLE, visit_checks);
}

static bool visit_sequence(void *arg, const Object *object)
{
    const ViewWalk *walk = arg;
    RowWriter *w = walk->writer;
    Scope *scope = writer_scope(w);
    const Sequence *s = (const Sequence *)object;

    writer_text(w, view_database_name(walk->catalog));
    writer_text(w, view_schema_name(walk->catalog, object->schema));
    writer_text(w, object->name);
    writer_text(w, type_words(w, sql_type(s->type)));
    writer_int(w, s->type == OID_INT2 ? 16 : s->type == OID_INT4 ? 32 : 64);
    writer_int(w, 2);
    writer_int(w, 0);
    writer_c(w, scope_printf(scope, "%lld", (long long)s->start));
    writer_c(w, scope_printf(scope, "%lld", (long long)s->min));
    writer_c(w, scope_printf(scope, "%lld", (long long)s->max));
    writer_c(w, scope_printf(scope, "%lld", (long long)s->increment));
    writer_c(w, s->cycle ? "YES" : "NO");
    writer_end(w);
    return true;
}

Status view_is_sequences(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_SEQUENCE, visit_sequence);
}
