// SPDX-License-Identifier: Apache-2.0
//
// Dependencies, found by looking: a schema's relations; a relation's views (their sources say which
// columns they read); a table's indexes and owned sequences, which go with it unasked; a sequence's
// defaults. A DropSet is the closure of what a DROP names; what is in it only because it depends on
// something named needs CASCADE. One thread.
#include "exec/ddl/ddl_int.h"

#define REPORTED_MAX 100

typedef struct DropItem {
    const Object *object;
    bool named;   /* by the statement */
    bool unasked; /* goes with its owner, without a word */
} DropItem;

/* A column that loses its default. */
typedef struct DefaultItem {
    Oid table;
    uint32_t column_id;
} DefaultItem;

struct DropSet {
    Ddl *d;
    bool cascade;
    const char *subject; /* what goes that is no object: a column */
    const Table *subject_table;
    uint32_t subject_column;
    ARRAY(DropItem) items;
    ARRAY(DefaultItem) defaults;
    ARRAY(const Table *) tables; /* of the database */
    ARRAY(const View *) views;
    ARRAY(const Sequence *) sequences;
    StrBuf report; /* "view v depends on table t", a line each */
    uint32_t reported;
    const char *last; /* the last thing that CASCADE took along */
};

static bool collect(void *arg, const Object *object)
{
    DropSet *set = arg;

    if (object->kind == OBJECT_TABLE)
        array_push(set->d->scope, &set->tables, (const Table *)object);
    else if (object->kind == OBJECT_VIEW)
        array_push(set->d->scope, &set->views, (const View *)object);
    else
        array_push(set->d->scope, &set->sequences, (const Sequence *)object);
    return true;
}

DropSet *ddl_drop_new(Ddl *d, bool cascade)
{
    DropSet *set = scope_new(d->scope, DropSet);

    set->d = d;
    set->cascade = cascade;
    strbuf_init_in(&set->report, d->scope);
    return set;
}

void ddl_drop_add(DropSet *set, const Object *object)
{
    for (uint32_t i = 0; i < set->items.count; i++) {
        if (set->items.data[i].object->oid == object->oid)
            return;
    }
    array_push(set->d->scope, &set->items, (DropItem){.object = object, .named = true});
}

static bool contains(const DropSet *set, Oid oid)
{
    for (uint32_t i = 0; i < set->items.count; i++) {
        if (set->items.data[i].object->oid == oid)
            return true;
    }
    return false;
}

static void report(DropSet *set, const char *dependent, const char *on)
{
    if (set->reported++ < REPORTED_MAX)
        strbuf_printf(&set->report, "%s%s depends on %s", set->report.len ? "\n" : "", dependent,
                      on);
    set->last = dependent;
}

/* Something that needs CASCADE. */
static Status add_dependent(DropSet *set, const Object *object, const char *on)
{
    Status st = OK;

    if (contains(set, object->oid))
        return OK;
    if (set->cascade)
        TRY(ddl_lock(set->d, object->oid, TABLE_ACCESS_EXCLUSIVE));
    report(set, ddl_describe(set->d, object), on);
    array_push(set->d->scope, &set->items, (DropItem){.object = object});
done:
    return st;
}

static void add_unasked(DropSet *set, const Object *object)
{
    if (!contains(set, object->oid))
        array_push(set->d->scope, &set->items, (DropItem){.object = object, .unasked = true});
}

static const ViewSource *find_source(const View *view, Oid oid)
{
    for (uint32_t i = 0; i < view->sources_count; i++) {
        if (view->sources[i].oid == oid)
            return &view->sources[i];
    }
    return NULL;
}

static bool depends_on(const View *view, Oid oid)
{
    for (uint32_t i = 0; i < view->depends_count; i++) {
        if (view->depends[i] == oid)
            return true;
    }
    return false;
}

static Status add_views(DropSet *set, const Object *object)
{
    Status st = OK;

    for (uint32_t i = 0; i < set->views.count; i++) {
        if (depends_on(set->views.data[i], object->oid))
            TRY(add_dependent(set, &set->views.data[i]->object, ddl_describe(set->d, object)));
    }
done:
    return st;
}

static Status add_schema_content(DropSet *set, const Object *schema)
{
    Status st = OK;
    const char *on = ddl_describe(set->d, schema);

    for (uint32_t i = 0; i < set->tables.count; i++) {
        if (set->tables.data[i]->object.schema == schema->oid)
            TRY(add_dependent(set, &set->tables.data[i]->object, on));
    }
    for (uint32_t i = 0; i < set->sequences.count; i++) {
        const Sequence *sequence = set->sequences.data[i];
        if (sequence->object.schema == schema->oid && !contains(set, sequence->owned_by_table))
            TRY(add_dependent(set, &sequence->object, on));
    }
    for (uint32_t i = 0; i < set->views.count; i++) {
        if (set->views.data[i]->object.schema == schema->oid)
            TRY(add_dependent(set, &set->views.data[i]->object, on));
    }
done:
    return st;
}

static Status add_table_parts(DropSet *set, const Table *table)
{
    for (uint32_t i = 0; i < set->sequences.count; i++) {
        if (set->sequences.data[i]->owned_by_table == table->object.oid)
            add_unasked(set, &set->sequences.data[i]->object);
    }
    return add_views(set, &table->object);
}

static bool uses_sequence(DropSet *set, const Column *column, Oid sequence)
{
    OidList found = {0};

    if (column->default_sql.len == 0)
        return false;
    ddl_expr_sequences(set->d->scope, column->default_sql, &found);
    for (uint32_t i = 0; i < found.count; i++) {
        if (found.data[i] == sequence)
            return true;
    }
    return false;
}

static Status add_default(DropSet *set, const Table *table, const Column *column, const char *on)
{
    Status st = OK;
    Ddl *d = set->d;

    if (contains(set, table->object.oid) ||
        (set->subject_table && table->object.oid == set->subject_table->object.oid &&
         column->id == set->subject_column))
        return OK;
    if (set->cascade)
        TRY(ddl_lock(d, table->object.oid, TABLE_ACCESS_EXCLUSIVE));
    report(set,
           scope_printf(d->scope, "default value for column %.*s of %s", STR_ARGS(column->name),
                        ddl_describe(d, &table->object)),
           on);
    array_push(d->scope, &set->defaults, (DefaultItem){table->object.oid, column->id});
done:
    return st;
}

static Status add_sequence_users(DropSet *set, const Sequence *sequence)
{
    Status st = OK;
    const char *on = ddl_describe(set->d, &sequence->object);

    for (uint32_t i = 0; i < set->tables.count; i++) {
        const Table *table = set->tables.data[i];
        for (uint32_t k = 0; k < table->columns_count; k++) {
            if (uses_sequence(set, &table->columns[k], sequence->object.oid))
                TRY(add_default(set, table, &table->columns[k], on));
        }
    }
    TRY(add_views(set, &sequence->object));
done:
    return st;
}

/* What may go only together with its owner. */
static Status check_owner(DropSet *set, const DropItem *item)
{
    Status st = OK;
    Ddl *d = set->d;
    const char *owner = NULL;

    if (!item->named)
        return OK;
    if (item->object->kind == OBJECT_INDEX && ((const Index *)item->object)->constraint) {
        const Object *table = catalog_by_oid(d->catalog, ((const Index *)item->object)->table);
        if (!contains(set, table->oid))
            owner = scope_printf(d->scope, "constraint %.*s on %s", STR_ARGS(item->object->name),
                                 ddl_describe(d, table));
    } else if (item->object->kind == OBJECT_SEQUENCE) {
        const Sequence *sequence = (const Sequence *)item->object;
        const Table *table =
            sequence->owned_by_table
                ? (const Table *)catalog_by_oid(d->catalog, sequence->owned_by_table)
                : NULL;
        uint32_t at = table ? ddl_column_by_id(table, sequence->owned_by_column) : UINT32_MAX;
        if (at != UINT32_MAX && table->columns[at].generated != GENERATED_NONE &&
            table->columns[at].sequence == sequence->object.oid &&
            !contains(set, table->object.oid))
            owner = scope_printf(d->scope, "column %.*s of %s", STR_ARGS(table->columns[at].name),
                                 ddl_describe(d, &table->object));
    }
    if (owner) {
        st = error_raise(d->ctx, E_DEPENDENT_OBJECTS, "cannot drop %s because %s requires it",
                         ddl_describe(d, item->object), owner);
        error_hint(d->ctx, "You can drop %s instead.", owner);
    }
    return st;
}

static Status add_dependents(DropSet *set, const Object *object)
{
    switch (object->kind) {
    case OBJECT_SCHEMA: return add_schema_content(set, object);
    case OBJECT_TABLE: return add_table_parts(set, (const Table *)object);
    case OBJECT_VIEW: return add_views(set, object);
    case OBJECT_SEQUENCE: return add_sequence_users(set, (const Sequence *)object);
    default: return OK;
    }
}

static Status refuse(DropSet *set)
{
    Status st = OK;
    Ddl *d = set->d;
    const char *subject = set->subject;
    uint32_t named = 0;

    for (uint32_t i = 0; i < set->items.count; i++) {
        if (set->items.data[i].named) {
            subject = ddl_describe(d, set->items.data[i].object);
            named++;
        }
    }
    if (named > 1)
        st = error_raise(d->ctx, E_DEPENDENT_OBJECTS,
                         "cannot drop desired object(s) because other objects depend on them");
    else
        st = error_raise(d->ctx, E_DEPENDENT_OBJECTS,
                         "cannot drop %s because other objects depend on it", subject);
    if (set->reported > REPORTED_MAX)
        strbuf_printf(&set->report, "\nand %u other objects", set->reported - REPORTED_MAX);
    error_detail(d->ctx, "%s", strbuf_c(&set->report));
    error_hint(d->ctx, "Use DROP ... CASCADE to drop the dependent objects too.");
    return st;
}

static Status clear_default(Ddl *d, const DefaultItem *item)
{
    Status st = OK;
    const Table *table = (const Table *)catalog_by_oid(d->catalog, item->table);
    TableDraft draft;

    if (table == NULL)
        return OK;
    ddl_draft_from(d, table, &draft);
    Column *column = &draft.columns.data[ddl_column_by_id(table, item->column_id)];
    column->default_sql = (Str){0};
    column->sequence = 0;
    TRY(ddl_draft_seal(d, &draft, false));
    TRY(catalog_put(d->ctx, d->catalog, &draft.table.object));
done:
    return st;
}

Status ddl_remove(Ddl *d, const Object *object)
{
    Status st = OK;

    TRY(catalog_remove(d->ctx, d->catalog, object->oid));
    if (object->kind == OBJECT_TABLE) {
        const Table *table = (const Table *)object;
        for (uint32_t i = 0; i < table->indexes_count; i++)
            TRY(catalog_remove(d->ctx, d->catalog, table->indexes[i]->object.oid));
        ddl_drop_table_relations(d, table);
    } else if (object->kind == OBJECT_INDEX && !((const Index *)object)->clustered) {
        ddl_drop_relation_later(d, ((const Index *)object)->relation_id);
    }
done:
    return st;
}

static void gather(DropSet *set)
{
    catalog_pin(set->d->catalog, set->d->scope);
    catalog_each(set->d->catalog, OBJECT_TABLE, collect, set);
    catalog_each(set->d->catalog, OBJECT_VIEW, collect, set);
    catalog_each(set->d->catalog, OBJECT_SEQUENCE, collect, set);
}

Status ddl_drop_run(DropSet *set)
{
    Status st = OK;
    Ddl *d = set->d;

    if (set->tables.count + set->views.count + set->sequences.count == 0)
        gather(set);
    for (uint32_t i = 0; i < set->items.count; i++) {
        TRY(check_owner(set, &set->items.data[i]));
        TRY(add_dependents(set, set->items.data[i].object));
    }
    if (set->reported && !set->cascade)
        return refuse(set);
    if (set->reported == 1)
        ddl_notice(d, "00000", "drop cascades to %s", set->last);
    else if (set->reported > 1)
        ddl_notice(d, "00000", "drop cascades to %u other objects", set->reported);
    for (uint32_t i = set->items.count; i > 0; i--) {
        const Object *now = catalog_by_oid(d->catalog, set->items.data[i - 1].object->oid);
        if (now) /* an index may have gone with its table */
            TRY(ddl_remove(d, now));
    }
    for (uint32_t i = 0; i < set->defaults.count; i++)
        TRY(clear_default(d, &set->defaults.data[i]));
done:
    return st;
}

Status ddl_drop_column_users(Ddl *d, const Table *table, uint32_t column_id, bool cascade)
{
    Status st = OK;
    DropSet *set = ddl_drop_new(d, cascade);
    uint32_t at = ddl_column_by_id(table, column_id);

    set->subject = scope_printf(d->scope, "column %.*s of %s", STR_ARGS(table->columns[at].name),
                                ddl_describe(d, &table->object));
    set->subject_table = table;
    set->subject_column = column_id;
    gather(set);
    for (uint32_t i = 0; i < set->sequences.count; i++) {
        const Sequence *sequence = set->sequences.data[i];
        if (sequence->owned_by_table == table->object.oid && sequence->owned_by_column == column_id)
            add_unasked(set, &sequence->object);
    }
    for (uint32_t i = 0; i < set->views.count; i++) {
        const ViewSource *source = find_source(set->views.data[i], table->object.oid);
        for (uint32_t k = 0; source && k < source->columns_count; k++) {
            if (source->column_ids[k] == column_id && source->column_used[k])
                TRY(add_dependent(set, &set->views.data[i]->object, set->subject));
        }
    }
    TRY(ddl_drop_run(set));
done:
    return st;
}
