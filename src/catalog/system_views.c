// SPDX-License-Identifier: Apache-2.0
//
// The table of system views and the writer that their functions fill; see system_views.h.
// The contract, and which thread may call, stands in the header.
#include "catalog/system_views.h"

#include "base/array.h"
#include "base/map.h"
#include "catalog/view_int.h"
#include "os/thread.h"

typedef struct ViewRow {
    const char *schema;
    const char *name;
    Oid oid;
    Status (*write)(Ctx *ctx, RowWriter *writer, const Catalog *catalog);
    const char *columns;
} ViewRow;

static const ViewRow view_rows[] = {
#define VIEW(schema, name, oid, function, columns) {schema, name, oid, function, columns},
#include "catalog/system_views.def"
#undef VIEW
};

/* Views without an oid of PostgreSQL's are numbered from here. */
#define OID_OWN_VIEWS 13100u

static struct {
    Once once;
    Scope *scope; /* never closed */
    SystemView views[ARRAY_COUNT(view_rows)];
    StrMap *by_name; /* "schema.name" */
} tables = {.once = ONCE_INIT};

static void parse_columns(const char *text, SystemView *out)
{
    ARRAY(SystemViewColumn) columns = {0};

    while (*text) {
        size_t name = strcspn(text, ":");
        size_t end = strcspn(text, " ");
        Str type = {text + name + 1, end - name - 1};
        const TypeInfo *info = type_by_name(type);
        if (type.ptr[0] == '_') {
            info = type_by_name((Str){type.ptr + 1, type.len - 1});
            info = info ? type_info(info->array) : NULL;
        } else if (str_is(type, "char")) {
            info = type_info(OID_CHAR);
        }
        ASSERT(info != NULL && "a system view's column has an unknown type");
        array_push(tables.scope, &columns,
                   (SystemViewColumn){scope_strndup(tables.scope, text, name), info->oid});
        text += end + (text[end] == ' ');
    }
    out->columns = columns.data;
    out->columns_count = columns.count;
}

static void build(void)
{
    Oid next = OID_OWN_VIEWS;

    tables.scope = scope_open(NULL, "system views");
    tables.by_name = strmap_new(tables.scope);
    for (uint32_t i = 0; i < ARRAY_COUNT(view_rows); i++) {
        SystemView *view = &tables.views[i];
        const ViewRow *row = &view_rows[i];
        *view = (SystemView){.schema = row->schema,
                             .name = row->name,
                             .oid = row->oid ? row->oid : next++,
                             .write = row->write};
        parse_columns(row->columns, view);
        strmap_put(tables.by_name,
                   str_from(scope_printf(tables.scope, "%s.%s", row->schema, row->name)), view);
    }
}

const SystemView *system_view_find(Str schema, Str name)
{
    char key[2 * NAME_BYTES_MAX + 2];

    once_run(&tables.once, build);
    if (schema.len + name.len + 1 > sizeof key)
        return NULL;
    memcpy(key, schema.ptr, schema.len);
    key[schema.len] = '.';
    memcpy(key + schema.len + 1, name.ptr, name.len);
    return strmap_get(tables.by_name, (Str){key, schema.len + name.len + 1});
}

const SystemView *system_view_rows(uint32_t *count)
{
    once_run(&tables.once, build);
    *count = ARRAY_COUNT(view_rows);
    return tables.views;
}

struct RowWriter {
    Ctx *ctx;
    Scope *scope;
    const SystemView *view;
    ARRAY(Batch) batches;
    uint32_t row; /* in the last batch */
    uint32_t column;
};

Scope *writer_scope(RowWriter *writer)
{
    return writer->scope;
}

static void begin_row(RowWriter *writer)
{
    const SystemView *view = writer->view;
    Batch batch = {.columns_count = view->columns_count};

    if (writer->batches.count && writer->row < BATCH_ROWS_MAX)
        return;
    batch.columns = scope_new_array(writer->scope, Vector, view->columns_count);
    for (uint32_t i = 0; i < view->columns_count; i++)
        vector_init_flat(&batch.columns[i], writer->scope, sql_type(view->columns[i].type),
                         BATCH_ROWS_MAX);
    array_push(writer->scope, &writer->batches, batch);
    writer->row = 0;
}

/* The vector of the next value. */
static Vector *next_column(RowWriter *writer)
{
    if (writer->column == 0)
        begin_row(writer);
    ASSERT(writer->column < writer->view->columns_count);
    return &array_last(&writer->batches).columns[writer->column++];
}

void writer_bool(RowWriter *writer, bool value)
{
    Vector *v = next_column(writer);
    ASSERT(v->phys == PHYS_BOOL);
    vector_flat(v, uint8_t)[writer->row] = value;
}

void writer_int(RowWriter *writer, int64_t value)
{
    Vector *v = next_column(writer);

    switch (v->phys) {
    case PHYS_INT16: vector_flat(v, int16_t)[writer->row] = (int16_t)value; break;
    case PHYS_INT32: vector_flat(v, int32_t)[writer->row] = (int32_t)value; break;
    default:
        ASSERT(v->phys == PHYS_INT64);
        vector_flat(v, int64_t)[writer->row] = value;
        break;
    }
}

void writer_real(RowWriter *writer, double value)
{
    Vector *v = next_column(writer);
    ASSERT(v->phys == PHYS_FLOAT32);
    vector_flat(v, float)[writer->row] = (float)value;
}

void writer_text(RowWriter *writer, Str text)
{
    Vector *v = next_column(writer);
    ASSERT(v->phys == PHYS_STRING);
    vector_flat(v, StrView)[writer->row] = strview_make(text.ptr, text.len);
}

void writer_c(RowWriter *writer, const char *text)
{
    writer_text(writer, str_from(text));
}

void writer_null(RowWriter *writer)
{
    Vector *v = next_column(writer);

    memset((char *)v->values + (size_t)writer->row * phys_size[v->phys], 0, phys_size[v->phys]);
    bitmap_clear(vector_make_validity(v, writer->scope, BATCH_ROWS_MAX), writer->row);
}

void writer_oids(RowWriter *writer, Oid element, const int64_t *values, uint32_t count)
{
    Datum *items = scope_new_array(writer->scope, Datum, count + 1);
    StrView array;

    for (uint32_t i = 0; i < count; i++) {
        items[i].type = sql_type(element);
        if (element == OID_INT2)
            items[i].int16 = (int16_t)values[i];
        else
            items[i].int64 = values[i];
    }
    if (array_make_1d(writer->ctx, writer->scope, sql_type(element), items, count, &array) != OK)
        writer_null(writer);
    else
        writer_text(writer, strview_str(&array));
}

void writer_end(RowWriter *writer)
{
    ASSERT(writer->column == writer->view->columns_count);
    writer->column = 0;
    writer->row++;
    array_last(&writer->batches).rows_count = writer->row;
}

Status system_view_batches(Ctx *ctx, Scope *scope, const Catalog *catalog, const SystemView *view,
                           Batch **batches, uint32_t *count)
{
    Status st = OK;
    RowWriter writer = {.ctx = ctx, .scope = scope, .view = view};

    TRY(view->write(ctx, &writer, catalog));
    *batches = writer.batches.data;
    *count = writer.batches.count;
done:
    return st;
}
