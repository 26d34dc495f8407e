// SPDX-License-Identifier: Apache-2.0
//
// Names in sight: levels, FROM items, and the look-up of columns through them, with PostgreSQL's
// rules of visibility (parse_relation.c) and its errors.
#include "sql/bind/query_int.h"

#include "sql/deparse.h"

void level_init(Level *level, Level *up)
{
    *level = (Level){.up = up};
}

/* BIND-1. */
ColumnId bind_new_column(Binder *b, Level *level)
{
    ColumnInfo info = {.level = level};

    array_push(b->scope, &b->ids, info);
    return b->ids.count - 1;
}

ColumnInfo *bind_column_info(Binder *b, ColumnId id)
{
    ASSERT(id > 0 && id < b->ids.count);
    return &b->ids.data[id];
}

const char *bind_qualified_name(Binder *b, Str item, Str column)
{
    StrBuf buf;

    strbuf_init(&buf);
    if (item.len > 0) {
        sql_quote_identifier(&buf, item);
        strbuf_append_char(&buf, '.');
    }
    sql_quote_identifier(&buf, column);
    char *name = scope_strndup(b->scope, buf.ptr, buf.len);
    strbuf_free(&buf);
    return name;
}

RangeItem *bind_add_item(Binder *b, Level *level, Str name, uint32_t columns_count)
{
    RangeItem *item = scope_new(b->scope, RangeItem);

    item->name = name;
    item->columns_count = columns_count;
    if (columns_count > 0)
        item->columns = scope_new_array(b->scope, RangeColumn, columns_count);
    item->rel_visible = name.ptr != NULL;
    item->cols_visible = true;
    item->lateral_ok = true;
    array_push(b->scope, &level->items, item);
    return item;
}

Status bind_check_duplicate_names(Binder *b, Level *level, uint32_t first, int32_t location)
{
    for (uint32_t i = MAX(first, level->visible_from); i < level->items.count; i++) {
        const RangeItem *x = level->items.data[i];
        for (uint32_t j = MAX(first, level->visible_from); x->rel_visible && j < i; j++) {
            const RangeItem *y = level->items.data[j];
            bool both_tables = x->table && y->table && x->schema.ptr && y->schema.ptr;
            if (!y->rel_visible || !str_equal(x->name, y->name) ||
                (both_tables && x->table != y->table))
                continue;
            return bind_at(b, location,
                           error_raise(b->ctx, E_DUPLICATE_ALIAS,
                                       "table name \"%.*s\" specified more than once",
                                       STR_ARGS(x->name)));
        }
    }
    return OK;
}

Status bind_apply_alias(Binder *b, RangeItem *item, const AstAlias *alias, int32_t location)
{
    Status st = OK;

    if (alias == NULL)
        return OK;
    item->name = alias->name;
    item->schema = (Str){0};
    item->rel_visible = true;
    if (alias->columns.count > item->columns_count)
        BIND_FAIL(b, location, E_INVALID_COLUMN_REFERENCE,
                  "%s \"%.*s\" has %u columns available but %u columns specified",
                  item->is_join ? "join expression" : "table", STR_ARGS(alias->name),
                  item->columns_count, alias->columns.count);
    for (uint32_t i = 0; i < alias->columns.count; i++)
        item->columns[i].name = alias->columns.items[i];
    for (uint32_t i = 0; i < item->columns_count && !item->is_join; i++) {
        Expr *expr = item->columns[i].expr;
        if (expr->kind == EXPR_COLUMN)
            expr->column.name = bind_qualified_name(b, item->name, item->columns[i].name);
    }
done:
    return st;
}

Expr *bind_range_ref(Binder *b, const RangeColumn *column, int32_t location)
{
    Expr *expr = expr_copy(b->scope, column->expr);

    expr->location = location;
    return expr;
}

// --- visibility --------------------------------------------------------------------------------

/* True if the level's items may be seen at all right now. */
static bool level_open(const Level *level)
{
    return !level->in_from || level->lateral;
}

static void note_lateral(Level *level)
{
    if (level->in_from)
        level->lateral_used = true;
}

static Status check_lateral(Binder *b, const Level *level, const RangeItem *item, int32_t location)
{
    if (!level->in_from || item->lateral_ok)
        return OK;
    Status st = error_raise(b->ctx, E_INVALID_COLUMN_REFERENCE,
                            "invalid reference to FROM-clause entry for table \"%.*s\"",
                            STR_ARGS(item->name));
    error_detail(b->ctx, "The combining JOIN type must be INNER or LEFT for a LATERAL reference.");
    return bind_at(b, location, st);
}

static Status find_in_item(Binder *b, const RangeItem *item, Str name, int32_t location,
                           const RangeColumn **out)
{
    *out = NULL;
    for (uint32_t i = 0; i < item->columns_count; i++) {
        if (!str_equal(item->columns[i].name, name))
            continue;
        if (*out != NULL)
            return bind_at(b, location,
                           error_raise(b->ctx, E_AMBIGUOUS_COLUMN,
                                       "column reference \"%.*s\" is ambiguous", STR_ARGS(name)));
        *out = &item->columns[i];
    }
    return OK;
}

Status bind_find_column_here(Binder *b, Level *level, Str name, int32_t location, Expr **out)
{
    Status st = OK;
    const RangeColumn *found = NULL;
    const RangeItem *found_in = NULL;

    *out = NULL;
    for (uint32_t i = level->visible_from; i < level->items.count; i++) {
        const RangeItem *item = level->items.data[i];
        const RangeColumn *column;
        if (!item->cols_visible)
            continue;
        TRY(find_in_item(b, item, name, location, &column));
        if (column == NULL)
            continue;
        if (found != NULL)
            BIND_FAIL(b, location, E_AMBIGUOUS_COLUMN, "column reference \"%.*s\" is ambiguous",
                      STR_ARGS(name));
        found = column;
        found_in = item;
    }
    if (found == NULL)
        goto done;
    TRY(check_lateral(b, level, found_in, location));
    note_lateral(level);
    *out = bind_range_ref(b, found, location);
done:
    return st;
}

static bool item_matches(const RangeItem *item, Str schema, Str name)
{
    if (!item->rel_visible || !str_equal(item->name, name))
        return false;
    return schema.ptr == NULL || str_equal(item->schema, schema);
}

Status bind_find_item(Binder *b, Level *level, Str schema, Str name, int32_t location,
                      RangeItem **out)
{
    Status st = OK;

    *out = NULL;
    for (Level *l = level; l; l = l->up) {
        for (uint32_t i = l->visible_from; level_open(l) && i < l->items.count; i++) {
            RangeItem *item = l->items.data[i];
            if (!item_matches(item, schema, name))
                continue;
            if (*out != NULL)
                BIND_FAIL(b, location, E_AMBIGUOUS_ALIAS, "table reference \"%.*s\" is ambiguous",
                          STR_ARGS(name));
            TRY(check_lateral(b, l, item, location));
            note_lateral(l);
            *out = item;
        }
        if (*out != NULL)
            break;
    }
done:
    return st;
}

// --- errors of names that are not there --------------------------------------------------------

Status bind_missing_item(Binder *b, Level *level, Str name, int32_t location)
{
    const RangeItem *hidden = NULL, *aliased = NULL;

    for (Level *l = level; l; l = l->up) {
        for (uint32_t i = 0; i < l->items.count; i++) {
            const RangeItem *item = l->items.data[i];
            if (str_equal(item->name, name) && hidden == NULL)
                hidden = item;
            else if (str_equal(item->table_name, name) && aliased == NULL)
                aliased = item;
        }
    }
    Status st =
        error_raise(b->ctx, E_UNDEFINED_TABLE,
                    hidden || aliased ? "invalid reference to FROM-clause entry for table \"%.*s\""
                                      : "missing FROM-clause entry for table \"%.*s\"",
                    STR_ARGS(name));
    if (hidden)
        error_hint(b->ctx,
                   "There is an entry for table \"%.*s\", but it cannot be referenced from this "
                   "part of the query.",
                   STR_ARGS(name));
    else if (aliased)
        error_hint(b->ctx, "Perhaps you meant to reference the table alias \"%.*s\".",
                   STR_ARGS(aliased->name));
    return bind_at(b, location, st);
}

/* Edit distance, given up beyond `limit` (then limit + 1). */
static uint32_t edit_distance(Str a, Str b, uint32_t limit)
{
    uint32_t row[NAME_BYTES_MAX + 1];

    if (a.len > NAME_BYTES_MAX || b.len > NAME_BYTES_MAX)
        return limit + 1;
    for (uint32_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (uint32_t i = 1; i <= a.len; i++) {
        uint32_t diagonal = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= b.len; j++) {
            uint32_t change = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            diagonal = row[j];
            row[j] = MIN(MIN(row[j], row[j - 1]) + 1, change);
        }
    }
    return MIN(row[b.len], limit + 1);
}

#define NEAR_DISTANCE_MAX 3

/* The nearest columns; more than two alike are no help. */
typedef struct NearMiss {
    const RangeItem *item[2];
    const RangeColumn *column[2];
    uint32_t count;
    uint32_t distance;
} NearMiss;

/* `penalty`: how far the item's name is from the one written. True: the very name was found. */
static bool search_near(NearMiss *near, const RangeItem *item, Str name, uint32_t penalty)
{
    for (uint32_t i = 0; i < item->columns_count; i++) {
        const RangeColumn *column = &item->columns[i];
        uint32_t limit = (uint32_t)MIN(NEAR_DISTANCE_MAX, name.len / 2);
        uint32_t distance = edit_distance(name, column->name, limit);
        if (distance > limit || distance + penalty > near->distance)
            continue;
        if (distance + penalty < near->distance)
            near->count = 0;
        near->distance = distance + penalty;
        if (near->count < 2) {
            near->item[near->count] = item;
            near->column[near->count] = column;
        }
        near->count++;
        if (distance == 0)
            return true;
    }
    return false;
}

static void search_level(NearMiss *near, const Level *level, Str table, Str name)
{
    for (uint32_t i = 0; i < level->items.count; i++) {
        const RangeItem *item = level->items.data[i];
        uint32_t penalty = 0;
        if (item->is_join || item->name.ptr == NULL)
            continue;
        if (table.ptr)
            penalty = edit_distance(table, item->name, NEAR_DISTANCE_MAX);
        if (penalty <= near->distance && search_near(near, item, name, penalty))
            return;
    }
}

/* PostgreSQL's errorMissingColumn: the column is named, with what may have been meant. */
static Status missing_column(Binder *b, Level *level, Str table, Str name, int32_t location)
{
    NearMiss near = {.distance = NEAR_DISTANCE_MAX};
    Status st;

    if (table.ptr)
        st = error_raise(b->ctx, E_UNDEFINED_COLUMN, "column %.*s.%.*s does not exist",
                         STR_ARGS(table), STR_ARGS(name));
    else
        st = error_raise(b->ctx, E_UNDEFINED_COLUMN, "column \"%.*s\" does not exist",
                         STR_ARGS(name));
    for (Level *l = level; l; l = l->up)
        search_level(&near, l, table, name);
    if (near.count == 1 && table.ptr == NULL && str_equal(near.column[0]->name, name))
        error_hint(b->ctx,
                   "There is a column named \"%.*s\" in table \"%.*s\", but it cannot be "
                   "referenced from this part of the query.",
                   STR_ARGS(name), STR_ARGS(near.item[0]->name));
    else if (near.count == 1)
        error_hint(b->ctx, "Perhaps you meant to reference the column \"%.*s.%.*s\".",
                   STR_ARGS(near.item[0]->name), STR_ARGS(near.column[0]->name));
    else if (near.count == 2)
        error_hint(b->ctx,
                   "Perhaps you meant to reference the column \"%.*s.%.*s\" or the column "
                   "\"%.*s.%.*s\".",
                   STR_ARGS(near.item[0]->name), STR_ARGS(near.column[0]->name),
                   STR_ARGS(near.item[1]->name), STR_ARGS(near.column[1]->name));
    return bind_at(b, location, st);
}

// --- references --------------------------------------------------------------------------------

static Status check_column_clause(Binder *b, const Level *level, int32_t location)
{
    if (level->up != NULL || level->clause != CLAUSE_DEFAULT)
        return OK;
    return bind_at(b, location,
                   error_raise(b->ctx, E_FEATURE_NOT_SUPPORTED,
                               "cannot use column reference in DEFAULT expression"));
}

static Status ref_by_name(Binder *b, Level *level, Str name, int32_t location, Expr **out)
{
    Status st = OK;
    RangeItem *item;

    TRY(check_column_clause(b, level, location));
    for (Level *l = level; l; l = l->up) {
        if (level_open(l))
            TRY(bind_find_column_here(b, l, name, location, out));
        else
            *out = NULL;
        if (*out != NULL)
            goto done;
    }
    TRY(bind_find_item(b, level, (Str){0}, name, location, &item));
    if (item != NULL)
        TRY(bind_unsupported(b, location, "whole-row references are"));
    TRY(missing_column(b, level, (Str){0}, name, location));
done:
    return st;
}

/* tableoid is the one system column we have. */
static Expr *system_column(Binder *b, const RangeItem *item, Str name, int32_t location)
{
    if (item->table == NULL || !str_is(name, "tableoid"))
        return NULL;
    Datum oid = {.type = sql_type(OID_OID), .int64 = item->table->object.oid};
    Expr *expr = expr_const(b->scope, &oid);
    expr->location = location;
    return expr;
}

/* The path's last two or three names: [schema.]table.column. */
static Status ref_by_table(Binder *b, Level *level, const AstColumnRef *ref, Expr **out)
{
    Status st = OK;
    const Str *end = ref->path.items + ref->path.count;
    Str schema = ref->path.count > 2 ? end[-3] : (Str){0};
    Str table = end[-2], name = end[-1];
    int32_t location = ref->node.location;
    RangeItem *item;
    const RangeColumn *column;

    TRY(check_column_clause(b, level, location));
    TRY(bind_find_item(b, level, schema, table, location, &item));
    if (item == NULL)
        TRY(bind_missing_item(b, level, table, location));
    TRY(find_in_item(b, item, name, location, &column));
    if (column != NULL)
        *out = bind_range_ref(b, column, location);
    else
        *out = system_column(b, item, name, location);
    if (*out == NULL)
        TRY(missing_column(b, level, table, name, location));
done:
    return st;
}

static Status too_many_names(Binder *b, const AstNames *path, int32_t location)
{
    StrBuf buf;

    strbuf_init(&buf);
    for (uint32_t i = 0; i < path->count; i++) {
        strbuf_append_c(&buf, i > 0 ? "." : "");
        strbuf_append_str(&buf, path->items[i]);
    }
    Status st = error_raise(b->ctx, E_SYNTAX, "improper qualified name (too many dotted names): %s",
                            strbuf_c(&buf));
    strbuf_free(&buf);
    return bind_at(b, location, st);
}

Status bind_column_ref(Binder *b, Level *level, const AstColumnRef *ref, Expr **out)
{
    Status st = OK;
    const Str *path = ref->path.items;
    int32_t location = ref->node.location;

    if (ref->star)
        BIND_FAIL(b, location, E_SYNTAX, "row expansion via \"*\" is not supported here");
    switch (ref->path.count) {
    case 1: st = ref_by_name(b, level, path[0], location, out); break;
    case 2:
    case 3:
    case 4: st = ref_by_table(b, level, ref, out); break;
    default: st = too_many_names(b, &ref->path, location); break;
    }
done:
    return st;
}
