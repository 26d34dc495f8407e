// SPDX-License-Identifier: Apache-2.0
//
// One description of each object serves both directions: a Coder either writes or reads every field
// it is shown, so that encoding and decoding cannot drift apart. See codec.h.
#include "catalog/codec.h"

#include "catalog/statistics.h"

#define FORMAT 1

typedef struct Coder {
    StrBuf *out; /* NULL: reading */
    Scope *scope;
    Str in;
    bool failed;
} Coder;

static void code_bytes(Coder *c, void *bytes, size_t count)
{
    if (c->out) {
        strbuf_append(c->out, bytes, count);
    } else if (c->in.len < count) {
        c->failed = true;
        memset(bytes, 0, count);
    } else {
        memcpy(bytes, c->in.ptr, count);
        c->in = (Str){c->in.ptr + count, c->in.len - count};
    }
}

/* A damaged byte must not become a bool that is neither true nor false. */
static void code_bool(Coder *c, void *value, size_t count)
{
    uint8_t byte = 0;

    if (c->out) {
        code_bytes(c, value, count);
        return;
    }
    code_bytes(c, &byte, count);
    c->failed = c->failed || byte > 1;
    *(bool *)value = byte == 1;
}
static_assert(sizeof(bool) == 1, "a bool is one byte in a row");

#define code(c, field) \
    _Generic((field), bool * : code_bool, default : code_bytes)((c), (field), sizeof *(field))

static void code_str(Coder *c, Str *text)
{
    uint32_t length = (uint32_t)text->len;

    code(c, &length);
    if (c->out) {
        strbuf_append(c->out, text->ptr, length);
        return;
    }
    if (c->in.len < length) {
        c->failed = true;
        *text = (Str){0};
        return;
    }
    *text = str_copy(c->scope, (Str){c->in.ptr, length});
    c->in = (Str){c->in.ptr + length, c->in.len - length};
}

/* The count of an array, and its memory when reading: at most what the input could hold. */
static void code_array(Coder *c, uint32_t *count, void **items, size_t item_bytes)
{
    code(c, count);
    if (c->out)
        return;
    if (*count > c->in.len + 1) {
        c->failed = true;
        *count = 0;
    }
    *items = scope_alloc(c->scope, item_bytes * MAX(*count, 1));
}

static void code_datum(Coder *c, Datum *datum)
{
    code(c, &datum->type);
    code(c, &datum->is_null);
    if (type_info(datum->type.oid) == NULL)
        c->failed = true;
    if (c->failed || datum->is_null)
        return;
    if (type_phys(datum->type) == PHYS_STRING) {
        Str text = c->out ? strview_str(&datum->string) : (Str){0};
        code_str(c, &text);
        if (c->out == NULL)
            datum->string = strview_make(text.ptr, text.len);
        return;
    }
    code(c, &datum->bytes);
}

static void code_key(Coder *c, KeyColumn *key)
{
    code(c, &key->type);
    code(c, &key->descending);
    code(c, &key->nulls_first);
}

static void code_object(Coder *c, Object *object)
{
    code(c, &object->kind);
    code(c, &object->oid);
    code(c, &object->database);
    code(c, &object->schema);
    code(c, &object->owner);
    code_str(c, &object->name);
    code_str(c, &object->comment);
}

static void code_column(Coder *c, Column *column)
{
    code(c, &column->id);
    code_str(c, &column->name);
    code(c, &column->type);
    code(c, &column->not_null);
    code_str(c, &column->default_sql);
    code(c, &column->generated);
    code(c, &column->sequence);
    code_str(c, &column->comment);
    code_datum(c, &column->missing);
}

static void code_columns(Coder *c, uint32_t *count, const Column **columns)
{
    Column *items = (Column *)*columns;

    code_array(c, count, (void **)&items, sizeof *items);
    for (uint32_t i = 0; i < *count; i++)
        code_column(c, &items[i]);
    *columns = items;
}

static void code_index(Coder *c, Index *index)
{
    IndexColumn *columns = (IndexColumn *)index->columns;

    code_object(c, &index->object);
    code(c, &index->table);
    code(c, &index->relation_id);
    code(c, &index->unique);
    code(c, &index->primary);
    code(c, &index->clustered);
    code(c, &index->constraint);
    code(c, &index->constraint_oid);
    code_array(c, &index->columns_count, (void **)&columns, sizeof *columns);
    for (uint32_t i = 0; i < index->columns_count; i++) {
        code(c, &columns[i].column);
        code_str(c, &columns[i].expr_sql);
        code_key(c, &columns[i].key);
    }
    index->columns = columns;
    code_str(c, &index->predicate_sql);
    code(c, &index->nulls_not_distinct);
    code_str(c, &index->constraint_comment);
}

static void code_schema_version(Coder *c, RowSchema *schema)
{
    RowColumn *columns = (RowColumn *)schema->columns;

    code(c, &schema->version);
    code_array(c, &schema->columns_count, (void **)&columns, sizeof *columns);
    for (uint32_t i = 0; i < schema->columns_count; i++) {
        code(c, &columns[i].column_id);
        code(c, &columns[i].type);
        code_datum(c, &columns[i].missing);
    }
    schema->columns = columns;
}

static void code_relation(Coder *c, Relation *relation)
{
    const RowSchema **schemas = (const RowSchema **)relation->schemas;

    code(c, &relation->id);
    code_array(c, &relation->schemas_count, (void **)&schemas, sizeof *schemas);
    for (uint32_t i = 0; i < relation->schemas_count; i++) {
        if (c->out == NULL)
            schemas[i] = scope_new(c->scope, RowSchema);
        code_schema_version(c, (RowSchema *)schemas[i]);
    }
    relation->schemas = schemas;
}

static void code_column_statistics(Coder *c, ColumnStatistics *column)
{
    code(c, &column->column_id);
    code(c, &column->null_fraction);
    code(c, &column->distinct);
    code(c, &column->width);
    code(c, &column->correlation);
    code_array(c, &column->common_count, (void **)&column->common, sizeof(Datum));
    if (c->out == NULL)
        column->common_fraction = scope_new_array(c->scope, double, MAX(column->common_count, 1));
    for (uint32_t i = 0; i < column->common_count; i++) {
        code_datum(c, &column->common[i]);
        code(c, &column->common_fraction[i]);
    }
    code_array(c, &column->bounds_count, (void **)&column->bounds, sizeof(Datum));
    for (uint32_t i = 0; i < column->bounds_count; i++)
        code_datum(c, &column->bounds[i]);
}

static void code_statistics(Coder *c, TableStatistics **statistics)
{
    bool present = *statistics != NULL;

    code(c, &present);
    if (!present) {
        *statistics = NULL;
        return;
    }
    if (c->out == NULL)
        *statistics = scope_new(c->scope, TableStatistics);
    TableStatistics *s = *statistics;
    code(c, &s->rows);
    code_array(c, &s->columns_count, (void **)&s->columns, sizeof *s->columns);
    for (uint32_t i = 0; i < s->columns_count; i++)
        code_column_statistics(c, &s->columns[i]);
}

static void code_table_indexes(Coder *c, Table *table)
{
    const Index **indexes = (const Index **)table->indexes;

    code_array(c, &table->indexes_count, (void **)&indexes, sizeof *indexes);
    for (uint32_t i = 0; i < table->indexes_count; i++) {
        if (c->out == NULL)
            indexes[i] = scope_new(c->scope, Index);
        code_index(c, (Index *)indexes[i]);
    }
    table->indexes = indexes;
}

static void code_table(Coder *c, Table *table)
{
    KeyColumn *keys = (KeyColumn *)table->key_columns;
    uint32_t *key_at = (uint32_t *)table->key_column_at;
    CheckConstraint *checks = (CheckConstraint *)table->checks;

    code(c, &table->relation_id);
    code_columns(c, &table->columns_count, &table->columns);
    code(c, &table->next_column_id);
    code_relation(c, &table->relation);
    code_array(c, &table->key_columns_count, (void **)&keys, sizeof *keys);
    if (c->out == NULL)
        key_at = scope_new_array(c->scope, uint32_t, MAX(table->key_columns_count, 1));
    for (uint32_t i = 0; i < table->key_columns_count; i++) {
        code_key(c, &keys[i]);
        code(c, &key_at[i]);
    }
    table->key_columns = keys;
    table->key_column_at = key_at;
    code_table_indexes(c, table);
    code_array(c, &table->checks_count, (void **)&checks, sizeof *checks);
    for (uint32_t i = 0; i < table->checks_count; i++) {
        code(c, &checks[i].oid);
        code_str(c, &checks[i].name);
        code_str(c, &checks[i].expr_sql);
        code(c, &checks[i].not_valid);
        code_str(c, &checks[i].comment);
    }
    table->checks = checks;
    code_str(c, &table->options);
    code(c, &table->rows_estimate);
    code_statistics(c, &table->statistics);
}

static void code_sequence(Coder *c, Sequence *sequence)
{
    code(c, &sequence->type);
    code(c, &sequence->start);
    code(c, &sequence->increment);
    code(c, &sequence->min);
    code(c, &sequence->max);
    code(c, &sequence->cache);
    code(c, &sequence->cycle);
    code(c, &sequence->owned_by_table);
    code(c, &sequence->owned_by_column);
    code(c, &sequence->state);
    code(c, &sequence->first);
}

static void code_source(Coder *c, ViewSource *source)
{
    uint32_t *ids = (uint32_t *)source->column_ids;
    Str *names = (Str *)source->column_names;
    bool *used = (bool *)source->column_used;

    code_str(c, &source->schema);
    code_str(c, &source->name);
    code(c, &source->oid);
    code_array(c, &source->columns_count, (void **)&ids, sizeof *ids);
    if (c->out == NULL) {
        names = scope_new_array(c->scope, Str, MAX(source->columns_count, 1));
        used = scope_new_array(c->scope, bool, MAX(source->columns_count, 1));
    }
    for (uint32_t i = 0; i < source->columns_count; i++) {
        code(c, &ids[i]);
        code_str(c, &names[i]);
        code(c, &used[i]);
    }
    source->column_ids = ids;
    source->column_names = names;
    source->column_used = used;
}

static void code_view(Coder *c, View *view)
{
    Oid *depends = (Oid *)view->depends;
    ViewSource *sources = (ViewSource *)view->sources;

    code_str(c, &view->query_sql);
    code_columns(c, &view->columns_count, &view->columns);
    code_array(c, &view->depends_count, (void **)&depends, sizeof *depends);
    for (uint32_t i = 0; i < view->depends_count; i++)
        code(c, &depends[i]);
    view->depends = depends;
    code_array(c, &view->sources_count, (void **)&sources, sizeof *sources);
    for (uint32_t i = 0; i < view->sources_count; i++)
        code_source(c, &sources[i]);
    view->sources = sources;
}

static void code_role(Coder *c, Role *role)
{
    code(c, &role->superuser);
    code(c, &role->login);
    code(c, &role->create_db);
    code(c, &role->create_role);
    code(c, &role->inherit);
    code_str(c, &role->password);
}

static size_t object_bytes(ObjectKind kind)
{
    switch (kind) {
    case OBJECT_DATABASE: return sizeof(Database);
    case OBJECT_SCHEMA: return sizeof(Schema);
    case OBJECT_TABLE: return sizeof(Table);
    case OBJECT_INDEX: return sizeof(Index);
    case OBJECT_SEQUENCE: return sizeof(Sequence);
    case OBJECT_VIEW: return sizeof(View);
    case OBJECT_ROLE: return sizeof(Role);
    case OBJECT_CONSTRAINT: break;
    }
    return 0;
}

/* What follows the common part. */
static void code_rest(Coder *c, Object *object)
{
    switch (object->kind) {
    case OBJECT_TABLE: code_table(c, (Table *)object); break;
    case OBJECT_INDEX: code_index(c, (Index *)object); break;
    case OBJECT_SEQUENCE: code_sequence(c, (Sequence *)object); break;
    case OBJECT_VIEW: code_view(c, (View *)object); break;
    case OBJECT_ROLE: code_role(c, (Role *)object); break;
    default: break;
    }
}

void catalog_encode(StrBuf *out, const Object *object)
{
    Coder coder = {.out = out};

    strbuf_append_char(out, FORMAT);
    code_object(&coder, (Object *)object);
    code_rest(&coder, (Object *)object);
}

Status catalog_decode(Ctx *ctx, Scope *scope, Str bytes, Object **out)
{
    Coder coder = {.scope = scope, .in = bytes};
    Object head = {0};
    char format = 0;

    code(&coder, &format);
    code_object(&coder, &head);
    size_t size = coder.failed || format != FORMAT ? 0 : object_bytes(head.kind);
    if (size == 0)
        return error_raise(ctx, E_DATA_CORRUPTED, "a catalog row is not readable");
    Object *object = scope_alloc(scope, size);
    *object = head;
    code_rest(&coder, object);
    if (coder.failed)
        return error_raise(ctx, E_DATA_CORRUPTED, "the catalog row of \"%.*s\" is cut short",
                           (int)head.name.len, head.name.ptr);
    *out = object;
    return OK;
}
