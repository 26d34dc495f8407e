// SPDX-License-Identifier: Apache-2.0
//
// ALTER COLUMN … TYPE: where stored rows already are values of the new type only the catalog
// changes; else the table is copied through the USING expression, or the assignment cast. Defaults
// follow, CHECKs are looked at again. One thread.
#include "exec/ddl/alter_int.h"
#include "sql/parse/parse.h"
#include "types/cast.h"

static bool is_text(Oid oid)
{
    return oid == OID_TEXT || oid == OID_VARCHAR;
}

static bool typmod_widens(SqlType from, SqlType to)
{
    return to.typmod < 0 || (from.typmod >= 0 && from.typmod <= to.typmod);
}

/* Every stored value is one of the new type, in the same bytes. */
static bool keeps_rows(SqlType from, SqlType to)
{
    if (type_phys(from) != type_phys(to))
        return false;
    if (type_equal(from, to))
        return true;
    if (is_text(from.oid) && is_text(to.oid))
        return to.typmod < 0 || (from.oid == OID_VARCHAR && typmod_widens(from, to));
    if (from.oid != to.oid)
        return false;
    switch (from.oid) {
    case OID_NUMERIC:
        return from.typmod >= 0 && to.typmod >= 0 &&
               type_numeric_scale(from) == type_numeric_scale(to) &&
               type_numeric_precision(from) <= type_numeric_precision(to);
    case OID_TIME:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ: return typmod_widens(from, to);
    default: return false;
    }
}

typedef struct ViewSearch {
    Ddl *d;
    Oid table;
    uint32_t column_id;
    const View *found;
} ViewSearch;

static bool find_view(void *arg, const Object *object)
{
    ViewSearch *search = arg;
    const View *view = (const View *)object;

    for (uint32_t i = 0; i < view->sources_count; i++) {
        const ViewSource *source = &view->sources[i];
        for (uint32_t k = 0; source->oid == search->table && k < source->columns_count; k++) {
            if (source->column_ids[k] == search->column_id && source->column_used[k])
                search->found = view;
        }
    }
    return search->found == NULL;
}

static Status check_views(Ddl *d, const Table *table, const Column *column)
{
    ViewSearch search = {.d = d, .table = table->object.oid, .column_id = column->id};

    catalog_each(d->catalog, OBJECT_VIEW, find_view, &search);
    if (search.found == NULL)
        return OK;
    Status st = error_raise(d->ctx, E_FEATURE_NOT_SUPPORTED,
                            "cannot alter type of a column used by a view or rule");
    error_detail(d->ctx, "rule _RETURN on %s depends on column \"%.*s\"",
                 ddl_describe(d, &search.found->object), STR_ARGS(column->name));
    return st;
}

static Status no_cast(Ddl *d, const Column *column, SqlType type)
{
    Status st = error_raise(d->ctx, E_DATATYPE_MISMATCH,
                            "column \"%.*s\" cannot be cast automatically to type %s",
                            STR_ARGS(column->name), type_format(d->scope, type));

    error_hint(d->ctx, "You might need to specify \"USING %.*s::%s\".", STR_ARGS(column->name),
               type_format(d->scope, type));
    return st;
}

/* The USING expression; a literal becomes one of the type. */
static Status bind_using(Ddl *d, const Table *table, const AstAlterCommand *command, SqlType type,
                         AstNode **out)
{
    Status st = OK;
    const char *words = type_format(d->scope, type);
    Expr *bound;

    *out = command->expr;
    if (ast_is(command->expr, AST_CONST)) {
        AstCast *cast = ast_new(d->scope, AST_CAST, AstCast, command->expr->location);
        cast->arg = command->expr;
        TRY(sql_parse_type(d->ctx, d->scope,
                           type.oid == OID_BPCHAR && type.typmod < 0 ? STR("bpchar")
                                                                     : str_from(words),
                           &cast->type));
        *out = &cast->node;
    }
    TRY(sql_bind_expr(d->ctx, d->scope, d->bind, *out, table, sql_type(OID_INVALID), &bound));
    if (cast_find(bound->type.oid, type.oid, CAST_ASSIGNMENT) == CAST_NONE) {
        st = error_raise(d->ctx, E_DATATYPE_MISMATCH,
                         "result of USING clause for column \"%.*s\" cannot be cast automatically "
                         "to type %s",
                         STR_ARGS(command->name), words);
        error_hint(d->ctx, "You might need to add an explicit cast.");
    }
done:
    return st;
}

static Status check_default(Ddl *d, const Column *column)
{
    Status st = OK;
    Expr *bound;

    if (column->default_sql.len == 0)
        return OK;
    if (ddl_bind_stored(d, NULL, column->default_sql, column->type, &bound) == OK)
        return OK;
    error_clear(d->ctx);
    FAIL(d->ctx, E_DATATYPE_MISMATCH,
         "default for column \"%.*s\" cannot be cast automatically to type %s",
         STR_ARGS(column->name), type_format(d->scope, column->type));
done:
    return st;
}

/* The type stands in each index over the column too. */
static Status retype_indexes(Ddl *d, Oid table, const Column *column)
{
    Status st = OK;
    const Table *now = alter_table_now(d, table);

    for (uint32_t i = 0; i < now->indexes_count; i++) {
        Index index = *now->indexes[i];
        IndexColumn *columns = scope_new_array(d->scope, IndexColumn, index.columns_count);
        bool touched = false;
        for (uint32_t k = 0; k < index.columns_count; k++) {
            columns[k] = index.columns[k];
            if (columns[k].column == column->id) {
                columns[k].key.type = column->type;
                touched = true;
            }
        }
        index.columns = columns;
        if (touched)
            TRY(catalog_put(d->ctx, d->catalog, &index.object));
    }
done:
    return st;
}

/* An identity column's sequence counts in the column's type. */
static Status retype_sequence(Ddl *d, const Column *column)
{
    Status st = OK;
    Oid type = column->type.oid;

    if (column->generated == GENERATED_NONE)
        return OK;
    if (type != OID_INT2 && type != OID_INT4 && type != OID_INT8)
        FAIL(d->ctx, E_INVALID_PARAMETER_VALUE,
             "identity column type must be smallint, integer, or bigint");
    Sequence sequence = *(const Sequence *)catalog_by_oid(d->catalog, column->sequence);
    int64_t old_max = sequence.type == OID_INT2   ? INT16_MAX
                      : sequence.type == OID_INT4 ? INT32_MAX
                                                  : INT64_MAX;
    int64_t new_max = type == OID_INT2 ? INT16_MAX : type == OID_INT4 ? INT32_MAX : INT64_MAX;
    if (sequence.max == old_max || sequence.max > new_max)
        sequence.max = new_max;
    sequence.type = type;
    TRY(catalog_put(d->ctx, d->catalog, &sequence.object));
done:
    return st;
}

/* CHECKs that read the column mean something else now. */
static Status check_again(Ddl *d, Oid table, uint32_t column_id)
{
    Status st = OK;
    const Table *now = alter_table_now(d, table);
    bool reads;

    for (uint32_t i = 0; i < now->checks_count; i++) {
        const CheckConstraint *check = &now->checks[i];
        TRY(alter_expr_reads(d, now, check->expr_sql, sql_type(OID_BOOL), column_id, &reads));
        if (reads && !check->not_valid)
            TRY(ddl_validate_check(d, now, check));
    }
done:
    return st;
}

static Status rewrite(Ddl *d, const Table *from, TableDraft *draft, uint32_t at, AstNode *using)
{
    AstNode **values = ddl_same_values(d, from, draft);

    if (using)
        values[at] = using;
    ddl_draft_new_relation(d, draft);
    return ddl_rewrite(d, from, draft, values);
}

Status alter_column_type(Ddl *d, Oid table, const AstAlterCommand *command)
{
    Status st = OK;
    const Table *from = alter_table_now(d, table);
    TableDraft draft;
    AstNode *using = NULL;
    SqlType type;
    uint32_t at;
    char serial;

    TRY(ddl_table_column(d, from, command->name, &at));
    TRY(ddl_column_type(d, command->column, &type, &serial));
    if (serial)
        FAIL(d->ctx, E_UNDEFINED_OBJECT, "type \"%.*s\" does not exist",
             STR_ARGS(command->column->type->name.name));
    SqlType old = from->columns[at].type;
    if (type_equal(old, type) && command->expr == NULL)
        return OK;
    TRY(check_views(d, from, &from->columns[at]));
    if (command->expr)
        TRY(bind_using(d, from, command, type, &using));
    else if (cast_find(old.oid, type.oid, CAST_ASSIGNMENT) == CAST_NONE)
        TRY(no_cast(d, &from->columns[at], type));
    ddl_draft_from(d, from, &draft);
    Column *column = &draft.columns.data[at];
    column->type = type;
    column->missing.type = type;
    TRY(check_default(d, column));
    alter_forget_statistics(d, &draft, column->id);
    if (command->expr == NULL && keeps_rows(old, type)) {
        TRY(alter_put(d, &draft, true));
        TRY(retype_indexes(d, table, column));
    } else {
        TRY(rewrite(d, from, &draft, at, using));
    }
    TRY(retype_sequence(d, column));
    TRY(check_again(d, table, column->id));
done:
    return st;
}
