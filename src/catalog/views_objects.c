// SPDX-License-Identifier: Apache-2.0
//
// pg_catalog's tables of objects: namespaces, classes, attributes, indexes, constraints, databases,
// roles. Columns in the order of system_views.def. See PostgreSQL 15, chapter 53.
#include "catalog/view_int.h"

DescribeObject view_describe;

Status view_empty(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    (void)ctx;
    (void)writer;
    (void)catalog;
    return OK;
}

Str view_schema_name(const Catalog *catalog, Oid schema)
{
    const Object *object = catalog_by_oid(catalog, schema);
    return object ? object->name : STR("");
}

Str view_role_name(const Catalog *catalog, Oid role)
{
    const Object *object = catalog_by_oid(catalog, role);
    return object ? object->name : STR("");
}

int view_attnum(uint32_t column_id)
{
    return (int)column_id + 1;
}

void view_nulls(RowWriter *writer, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        writer_null(writer);
}

static Status walk(Ctx *ctx, RowWriter *writer, const Catalog *catalog, ObjectKind kind,
                   bool (*visit)(void *arg, const Object *))
{
    ViewWalk walk = {ctx, writer, catalog};

    catalog_each(catalog, kind, visit, &walk);
    return ctx->error.status;
}

static bool write_namespace(void *arg, const Object *object)
{
    RowWriter *w = ((ViewWalk *)arg)->writer;

    writer_int(w, object->oid);
    writer_text(w, object->name);
    writer_int(w, object->owner);
    writer_null(w);
    writer_end(w);
    return true;
}

Status view_pg_namespace(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_SCHEMA, write_namespace);
}

typedef struct ClassRow {
    const Object *object;
    Oid am;
    double tuples;
    bool has_index;
    char kind;
    uint32_t columns;
    uint32_t checks;
} ClassRow;

static void write_class_row(RowWriter *w, const ClassRow *row)
{
    writer_int(w, row->object->oid);
    writer_text(w, row->object->name);
    writer_int(w, row->object->schema);
    writer_int(w, 0);
    writer_int(w, 0);
    writer_int(w, row->object->owner);
    writer_int(w, row->am);
    writer_int(w, row->kind == 'v' ? 0 : row->object->oid);
    writer_int(w, 0);
    writer_int(w, 0);
    writer_real(w, row->tuples);
    writer_int(w, 0);
    writer_int(w, 0);
    writer_bool(w, row->has_index);
    writer_bool(w, false);
    writer_c(w, "p");
    writer_text(w, (Str){&row->kind, 1});
    writer_int(w, row->columns);
    writer_int(w, row->checks);
    writer_bool(w, row->kind == 'v');
    writer_bool(w, false);
    writer_bool(w, false);
    writer_bool(w, false);
    writer_bool(w, false);
    writer_bool(w, true);
    writer_c(w, row->kind == 'r' ? "d" : "n");
    writer_bool(w, false);
    writer_int(w, 0);
    writer_int(w, 0);
    writer_int(w, 0);
    view_nulls(w, 3);
    writer_end(w);
}

static bool write_table_class(void *arg, const Object *object)
{
    const Table *table = (const Table *)object;

    write_class_row(((ViewWalk *)arg)->writer, &(ClassRow){.object = object,
                                                           .am = 2,
                                                           .tuples = table->rows_estimate,
                                                           .has_index = table->indexes_count > 0,
                                                           .kind = 'r',
                                                           .columns = table->columns_count,
                                                           .checks = table->checks_count});
    return true;
}

static bool write_index_class(void *arg, const Object *object)
{
    const Index *index = (const Index *)object;

    write_class_row(
        ((ViewWalk *)arg)->writer,
        &(ClassRow){.object = object, .am = 403, .kind = 'i', .columns = index->columns_count});
    return true;
}

static bool write_sequence_class(void *arg, const Object *object)
{
    write_class_row(((ViewWalk *)arg)->writer,
                    &(ClassRow){.object = object, .tuples = 1, .kind = 'S', .columns = 3});
    return true;
}

static bool write_view_class(void *arg, const Object *object)
{
    const View *view = (const View *)object;

    write_class_row(
        ((ViewWalk *)arg)->writer,
        &(ClassRow){.object = object, .tuples = -1, .kind = 'v', .columns = view->columns_count});
    return true;
}

static Oid schema_of(const SystemView *view)
{
    return strcmp(view->schema, "pg_catalog") == 0 ? OID_SCHEMA_PG_CATALOG : OID_SCHEMA_INFORMATION;
}

Status view_pg_class(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    Status st = OK;
    uint32_t count;
    const SystemView *views = system_view_rows(&count);

    for (uint32_t i = 0; i < count; i++) {
        Object object = {.oid = views[i].oid,
                         .schema = schema_of(&views[i]),
                         .owner = OID_ROLE_POSTGRES,
                         .name = str_from(views[i].name)};
        write_class_row(writer, &(ClassRow){.object = &object,
                                            .kind = 'v',
                                            .tuples = -1,
                                            .columns = views[i].columns_count});
    }
    TRY(walk(ctx, writer, catalog, OBJECT_TABLE, write_table_class));
    TRY(walk(ctx, writer, catalog, OBJECT_INDEX, write_index_class));
    TRY(walk(ctx, writer, catalog, OBJECT_SEQUENCE, write_sequence_class));
    TRY(walk(ctx, writer, catalog, OBJECT_VIEW, write_view_class));
done:
    return st;
}

typedef struct AttributeRow {
    Oid relation;
    Str name;
    SqlType type;
    int number;
    bool not_null;
    bool has_default;
    char identity; /* 'a', 'd' or 0 */
    bool dropped;
} AttributeRow;

static void write_attribute_row(RowWriter *w, const AttributeRow *row)
{
    const TypeInfo *info = type_info(row->type.oid);
    bool collatable = info && info->category == 'S' && row->type.oid != OID_CHAR;

    writer_int(w, row->relation);
    writer_text(w, row->name);
    writer_int(w, row->type.oid);
    writer_int(w, -1);
    writer_int(w, info ? info->length : -1);
    writer_int(w, row->number);
    writer_int(w, info && info->element && info->length == -1 ? 1 : 0);
    writer_int(w, -1);
    writer_int(w, row->type.typmod);
    writer_bool(w, info && info->length > 0 && info->length <= 8);
    writer_c(w, info && info->length == 1 ? "c" : info && info->length == 2 ? "s" : "i");
    writer_c(w, info && info->length == -1 ? "x" : "p");
    writer_c(w, "");
    writer_bool(w, row->not_null);
    writer_bool(w, row->has_default);
    writer_bool(w, false);
    writer_text(w, (Str){&row->identity, row->identity != 0});
    writer_c(w, "");
    writer_bool(w, row->dropped);
    writer_bool(w, true);
    writer_int(w, 0);
    writer_int(w, collatable ? (row->type.oid == OID_NAME ? 950 : 100) : 0);
    view_nulls(w, 4);
    writer_end(w);
}

static void write_columns(RowWriter *w, Oid relation, const Column *columns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const Column *c = &columns[i];
        write_attribute_row(
            w,
            &(AttributeRow){.relation = relation,
                            .name = c->name,
                            .type = c->type,
                            .number = view_attnum(c->id),
                            .not_null = c->not_null,
                            .has_default = c->default_sql.len > 0 && c->generated == GENERATED_NONE,
                            .identity = c->generated == GENERATED_ALWAYS_IDENTITY       ? 'a'
                                        : c->generated == GENERATED_BY_DEFAULT_IDENTITY ? 'd'
                                                                                        : 0});
    }
}

static const Column *column_by_id(const Table *table, uint32_t id)
{
    for (uint32_t i = 0; table && i < table->columns_count; i++) {
        if (table->columns[i].id == id)
            return &table->columns[i];
    }
    return NULL;
}

/* The numbers that no column has any more. */
static void write_dropped_columns(RowWriter *w, const Table *table)
{
    for (uint32_t id = 0; id < table->next_column_id; id++) {
        if (column_by_id(table, id))
            continue;
        Str name = str_from(
            scope_printf(writer_scope(w), "........pg.dropped.%d........", view_attnum(id)));
        write_attribute_row(w, &(AttributeRow){.relation = table->object.oid,
                                               .name = name,
                                               .type = {OID_INVALID, -1},
                                               .number = view_attnum(id),
                                               .dropped = true});
    }
}

static bool write_table_attributes(void *arg, const Object *object)
{
    const Table *table = (const Table *)object;
    RowWriter *w = ((ViewWalk *)arg)->writer;

    write_columns(w, object->oid, table->columns, table->columns_count);
    write_dropped_columns(w, table);
    return true;
}

static bool write_view_attributes(void *arg, const Object *object)
{
    const View *view = (const View *)object;
    Column *columns =
        scope_new_array(writer_scope(((ViewWalk *)arg)->writer), Column, view->columns_count + 1);

    for (uint32_t i = 0; i < view->columns_count; i++) {
        columns[i] = view->columns[i];
        columns[i].id = i;
    }
    write_columns(((ViewWalk *)arg)->writer, object->oid, columns, view->columns_count);
    return true;
}

static bool write_index_attributes(void *arg, const Object *object)
{
    const ViewWalk *walk = arg;
    const Index *index = (const Index *)object;
    const Table *table = (const Table *)catalog_by_oid(walk->catalog, index->table);

    for (uint32_t i = 0; i < index->columns_count; i++) {
        const Column *column = column_by_id(table, index->columns[i].column);
        write_attribute_row(walk->writer,
                            &(AttributeRow){.relation = object->oid,
                                            .name = column ? column->name : STR("expr"),
                                            .type = index->columns[i].key.type,
                                            .number = (int)i + 1});
    }
    return true;
}

Status view_pg_attribute(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    Status st = OK;
    uint32_t count;
    const SystemView *views = system_view_rows(&count);

    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < views[i].columns_count; k++)
            write_attribute_row(writer, &(AttributeRow){.relation = views[i].oid,
                                                        .name = str_from(views[i].columns[k].name),
                                                        .type = sql_type(views[i].columns[k].type),
                                                        .number = (int)k + 1});
    }
    TRY(walk(ctx, writer, catalog, OBJECT_TABLE, write_table_attributes));
    TRY(walk(ctx, writer, catalog, OBJECT_INDEX, write_index_attributes));
    TRY(walk(ctx, writer, catalog, OBJECT_VIEW, write_view_attributes));
done:
    return st;
}

static bool write_attrdefs(void *arg, const Object *object)
{
    RowWriter *w = ((ViewWalk *)arg)->writer;
    const Table *table = (const Table *)object;

    for (uint32_t i = 0; i < table->columns_count; i++) {
        const Column *column = &table->columns[i];
        if (column->default_sql.len == 0 || column->generated != GENERATED_NONE)
            continue;
        writer_int(w, object->oid);
        writer_int(w, object->oid);
        writer_int(w, view_attnum(column->id));
        writer_text(w, column->default_sql);
        writer_end(w);
    }
    return true;
}

Status view_pg_attrdef(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_TABLE, write_attrdefs);
}

static void write_index_vectors(RowWriter *w, const Index *index)
{
    int64_t *keys = scope_new_array(writer_scope(w), int64_t, index->columns_count + 1);
    int64_t *zeros = scope_new_array(writer_scope(w), int64_t, index->columns_count + 1);
    int64_t *options = scope_new_array(writer_scope(w), int64_t, index->columns_count + 1);

    for (uint32_t i = 0; i < index->columns_count; i++) {
        const IndexColumn *column = &index->columns[i];
        keys[i] = column->column == UINT32_MAX ? 0 : view_attnum(column->column);
        options[i] = (column->key.descending ? 1 : 0) | (column->key.nulls_first ? 2 : 0);
    }
    writer_oids(w, OID_INT2, keys, index->columns_count);
    writer_oids(w, OID_OID, zeros, index->columns_count);
    writer_oids(w, OID_OID, zeros, index->columns_count);
    writer_oids(w, OID_INT2, options, index->columns_count);
}

static bool write_index(void *arg, const Object *object)
{
    RowWriter *w = ((ViewWalk *)arg)->writer;
    const Index *index = (const Index *)object;

    writer_int(w, object->oid);
    writer_int(w, index->table);
    writer_int(w, index->columns_count);
    writer_int(w, index->columns_count);
    writer_bool(w, index->unique);
    writer_bool(w, false);
    writer_bool(w, index->primary);
    writer_bool(w, false);
    writer_bool(w, true);
    writer_bool(w, false);
    writer_bool(w, true);
    writer_bool(w, false);
    writer_bool(w, true);
    writer_bool(w, true);
    writer_bool(w, false);
    write_index_vectors(w, index);
    writer_null(w);
    if (index->predicate_sql.len)
        writer_text(w, index->predicate_sql);
    else
        writer_null(w);
    writer_end(w);
    return true;
}

Status view_pg_index(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_INDEX, write_index);
}

/* tidy: allow parameters -- the columns of one row of pg_constraint */
static void write_constraint_row(RowWriter *w, const Table *table, Oid oid, Str name, char type,
                                 bool valid, const Index *index, Str expr)
{
    writer_int(w, oid);
    writer_text(w, name);
    writer_int(w, table->object.schema);
    writer_text(w, str_copy(writer_scope(w), (Str){&type, 1}));
    writer_bool(w, false);
    writer_bool(w, false);
    writer_bool(w, valid);
    writer_int(w, table->object.oid);
    writer_int(w, 0);
    writer_int(w, index ? index->object.oid : 0);
    writer_int(w, 0);
    writer_int(w, 0);
    writer_c(w, " ");
    writer_c(w, " ");
    writer_c(w, " ");
    writer_bool(w, true);
    writer_int(w, 0);
    writer_bool(w, type != 'c');
    if (index) {
        int64_t *keys = scope_new_array(writer_scope(w), int64_t, index->columns_count + 1);
        for (uint32_t i = 0; i < index->columns_count; i++)
            keys[i] = view_attnum(index->columns[i].column);
        writer_oids(w, OID_INT2, keys, index->columns_count);
    } else {
        writer_null(w);
    }
    view_nulls(w, 6);
    if (expr.len)
        writer_text(w, expr);
    else
        writer_null(w);
    writer_end(w);
}

static bool write_constraints(void *arg, const Object *object)
{
    RowWriter *w = ((ViewWalk *)arg)->writer;
    const Table *table = (const Table *)object;

    for (uint32_t i = 0; i < table->indexes_count; i++) {
        const Index *index = table->indexes[i];
        if (index->constraint)
            write_constraint_row(w, table, index->constraint_oid, index->object.name,
                                 index->primary ? 'p' : 'u', true, index, STR(""));
    }
    for (uint32_t i = 0; i < table->checks_count; i++) {
        const CheckConstraint *check = &table->checks[i];
        write_constraint_row(w, table, check->oid, check->name, 'c', !check->not_valid, NULL,
                             check->expr_sql);
    }
    return true;
}

Status view_pg_constraint(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_TABLE, write_constraints);
}

static bool write_database(void *arg, const Object *object)
{
    RowWriter *w = ((ViewWalk *)arg)->writer;
    bool template0 = object->oid == OID_DATABASE_TEMPLATE0;

    writer_int(w, object->oid);
    writer_text(w, object->name);
    writer_int(w, object->owner);
    writer_int(w, 6); /* UTF8 */
    writer_c(w, "c");
    writer_bool(w, template0 || object->oid == OID_DATABASE_TEMPLATE1);
    writer_bool(w, !template0);
    writer_int(w, -1);
    writer_int(w, 0);
    writer_int(w, 0);
    writer_int(w, 1663);
    writer_c(w, "C");
    writer_c(w, "C.UTF-8");
    view_nulls(w, 3);
    writer_end(w);
    return true;
}

Status view_pg_database(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_DATABASE, write_database);
}

static bool write_role(void *arg, const Object *object)
{
    RowWriter *w = ((ViewWalk *)arg)->writer;
    const Role *role = (const Role *)object;

    writer_text(w, object->name);
    writer_bool(w, role->superuser);
    writer_bool(w, role->inherit);
    writer_bool(w, role->create_role);
    writer_bool(w, role->create_db);
    writer_bool(w, role->login);
    writer_bool(w, role->superuser);
    writer_int(w, -1);
    writer_c(w, "********");
    writer_null(w);
    writer_bool(w, role->superuser);
    writer_null(w);
    writer_int(w, object->oid);
    writer_end(w);
    return true;
}

Status view_pg_roles(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_ROLE, write_role);
}

static bool write_authid(void *arg, const Object *object)
{
    RowWriter *w = ((ViewWalk *)arg)->writer;
    const Role *role = (const Role *)object;

    writer_int(w, object->oid);
    writer_text(w, object->name);
    writer_bool(w, role->superuser);
    writer_bool(w, role->inherit);
    writer_bool(w, role->create_role);
    writer_bool(w, role->create_db);
    writer_bool(w, role->login);
    writer_bool(w, role->superuser);
    writer_bool(w, role->superuser);
    writer_int(w, -1);
    view_nulls(w, 2);
    writer_end(w);
    return true;
}

Status view_pg_authid(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_ROLE, write_authid);
}

static bool write_user(void *arg, const Object *object)
{
    RowWriter *w = ((ViewWalk *)arg)->writer;
    const Role *role = (const Role *)object;

    if (!role->login)
        return true;
    writer_text(w, object->name);
    writer_int(w, object->oid);
    writer_bool(w, role->create_db);
    writer_bool(w, role->superuser);
    writer_bool(w, role->superuser);
    writer_bool(w, role->superuser);
    writer_c(w, "********");
    view_nulls(w, 2);
    writer_end(w);
    return true;
}

Status view_pg_user(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_ROLE, write_user);
}

static bool write_sequence(void *arg, const Object *object)
{
    RowWriter *w = ((ViewWalk *)arg)->writer;
    const Sequence *s = (const Sequence *)object;

    writer_int(w, object->oid);
    writer_int(w, s->type);
    writer_int(w, s->start);
    writer_int(w, s->increment);
    writer_int(w, s->max);
    writer_int(w, s->min);
    writer_int(w, s->cache);
    writer_bool(w, s->cycle);
    writer_end(w);
    return true;
}

Status view_pg_sequence(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_SEQUENCE, write_sequence);
}

static void write_description(RowWriter *w, Oid oid, Oid class, int column, Str text)
{
    if (text.len == 0)
        return;
    writer_int(w, oid);
    writer_int(w, class);
    writer_int(w, column);
    writer_text(w, text);
    writer_end(w);
}

static bool write_class_description(void *arg, const Object *object)
{
    RowWriter *w = ((ViewWalk *)arg)->writer;

    write_description(w, object->oid, object->kind == OBJECT_SCHEMA ? 2615 : 1259, 0,
                      object->comment);
    if (object->kind != OBJECT_TABLE)
        return true;
    const Table *table = (const Table *)object;
    for (uint32_t i = 0; i < table->columns_count; i++)
        write_description(w, object->oid, 1259, view_attnum(table->columns[i].id),
                          table->columns[i].comment);
    return true;
}

Status view_pg_description(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    static const ObjectKind kinds[] = {OBJECT_SCHEMA, OBJECT_TABLE, OBJECT_INDEX, OBJECT_SEQUENCE,
                                       OBJECT_VIEW};
    Status st = OK;

    for (uint32_t i = 0; i < ARRAY_COUNT(kinds); i++)
        TRY(walk(ctx, writer, catalog, kinds[i], write_class_description));
done:
    return st;
}

static bool write_owned_sequence(void *arg, const Object *object)
{
    RowWriter *w = ((ViewWalk *)arg)->writer;
    const Sequence *s = (const Sequence *)object;

    if (s->owned_by_table == 0)
        return true;
    writer_int(w, 1259);
    writer_int(w, object->oid);
    writer_int(w, 0);
    writer_int(w, 1259);
    writer_int(w, s->owned_by_table);
    writer_int(w, view_attnum(s->owned_by_column));
    writer_c(w, "a");
    writer_end(w);
    return true;
}

Status view_pg_depend(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    return walk(ctx, writer, catalog, OBJECT_SEQUENCE, write_owned_sequence);
}
