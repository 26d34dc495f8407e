// SPDX-License-Identifier: Apache-2.0
//
// CREATE INDEX: one kind of index, ordered keys, called btree as everywhere; columns, expressions,
// partial ones. The table's SHARE lock keeps writers out while it is filled. One thread.
#include "exec/ddl/ddl_int.h"

static Status check_method(Ddl *d, Str method)
{
    static const char *const others[] = {"hash", "gist", "gin", "spgist", "brin"};

    if (method.ptr == NULL || str_is(method, "btree"))
        return OK;
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        if (str_is(method, others[i])) {
            Status st = error_raise(d->ctx, E_FEATURE_NOT_SUPPORTED,
                                    "access method \"%s\" is not supported", others[i]);
            error_hint(d->ctx, "Use btree, which serves equality and ranges.");
            return st;
        }
    }
    return error_raise(d->ctx, E_UNDEFINED_OBJECT, "access method \"%.*s\" does not exist",
                       STR_ARGS(method));
}

static Status check_supported(Ddl *d, const AstCreateIndex *ast)
{
    Status st = OK;

    TRY(check_method(d, ast->method));
    if (ast->including.count)
        TRY(ddl_unsupported(d, -1, "INCLUDE columns are", "Name them as columns of the index."));
    if (ast->tablespace.ptr != NULL && !str_is(ast->tablespace, "pg_default"))
        FAIL(d->ctx, E_UNDEFINED_OBJECT, "tablespace \"%.*s\" does not exist",
             STR_ARGS(ast->tablespace));
    if (ast->keys.count > KEY_COLUMNS_MAX)
        FAIL(d->ctx, E_TOO_MANY_COLUMNS, "cannot use more than %d columns in an index",
             KEY_COLUMNS_MAX);
    for (uint32_t i = 0; i < ast->options.count; i++) {
        Str name = ((const AstOption *)ast->options.items[i])->name;
        if (!str_is(name, "fillfactor") && !str_is(name, "deduplicate_items"))
            FAIL(d->ctx, E_INVALID_PARAMETER_VALUE, "unrecognized parameter \"%.*s\"",
                 STR_ARGS(name));
    }
done:
    return st;
}

/* Operator classes change nothing where every text is in C order. */
static Status check_key_options(Ddl *d, const AstIndexKey *key)
{
    Str opclass = key->opclass.name;
    Str collation = key->collation.name;

    if (opclass.ptr != NULL &&
        (opclass.len < 5 || !str_is((Str){opclass.ptr + opclass.len - 4, 4}, "_ops")))
        return error_raise(d->ctx, E_UNDEFINED_OBJECT,
                           "operator class \"%.*s\" does not exist for access method \"btree\"",
                           STR_ARGS(opclass));
    if (collation.ptr != NULL && !str_is(collation, "C") && !str_is(collation, "POSIX") &&
        !str_is(collation, "default"))
        return error_raise(d->ctx, E_UNDEFINED_OBJECT,
                           "collation \"%.*s\" for encoding \"UTF8\" does not exist",
                           STR_ARGS(collation));
    return OK;
}

static Status mutable_error(Ddl *d, const char *what)
{
    return error_raise(d->ctx, E_INVALID_OBJECT_DEFINITION,
                       "functions in index %s must be marked IMMUTABLE", what);
}

static Status add_expression(Ddl *d, const Table *table, const AstIndexKey *key, IndexColumn *out,
                             Str *name_part)
{
    Status st = OK;
    Expr *bound;

    TRY(sql_bind_expr(d->ctx, d->scope, d->bind, key->expr, table, sql_type(OID_INVALID), &bound));
    if (ddl_expr_is_mutable(bound))
        TRY(mutable_error(d, "expression"));
    TRY(ddl_store_expr(d, key->expr, &out->expr_sql));
    out->column = UINT32_MAX;
    out->key.type = bound->type;
    *name_part = ddl_name_part(key->expr);
done:
    return st;
}

/* expr, expr1, expr2: parts of a chosen name differ. */
static Str distinct_part(Ddl *d, const IndexSpec *spec, uint32_t count, Str part)
{
    Str name = part;

    for (uint32_t number = 1, i = 0; i < count;) {
        if (!str_equal(spec->name_parts[i], name)) {
            i++;
            continue;
        }
        name = str_from(scope_printf(d->scope, "%.*s%u", STR_ARGS(part), number++));
        i = 0;
    }
    return name;
}

static Status add_key(Ddl *d, const Table *table, const AstIndexKey *key, IndexSpec *spec)
{
    Status st = OK;
    IndexColumn *column = &spec->columns[spec->columns_count];
    Str part;

    TRY(check_key_options(d, key));
    if (key->column.ptr != NULL) {
        uint32_t at = ddl_column_at(table->columns, table->columns_count, key->column);
        if (at == UINT32_MAX)
            FAIL(d->ctx, E_UNDEFINED_COLUMN, "column \"%.*s\" does not exist",
                 STR_ARGS(key->column));
        *column = (IndexColumn){.column = table->columns[at].id,
                                .key = {.type = table->columns[at].type}};
        part = key->column;
    } else {
        TRY(add_expression(d, table, key, column, &part));
    }
    TRY(ddl_check_key_type(d, column->key.type));
    column->key.descending = key->order == AST_SORT_DESC;
    column->key.nulls_first =
        key->nulls == AST_NULLS_DEFAULT ? column->key.descending : key->nulls == AST_NULLS_FIRST;
    spec->name_parts[spec->columns_count] = distinct_part(d, spec, spec->columns_count, part);
    spec->columns_count++;
done:
    return st;
}

static Status add_predicate(Ddl *d, const Table *table, const AstNode *where, IndexSpec *spec)
{
    Status st = OK;
    Expr *bound;

    TRY(sql_bind_expr(d->ctx, d->scope, d->bind, where, table, sql_type(OID_BOOL), &bound));
    if (ddl_expr_is_mutable(bound))
        TRY(mutable_error(d, "predicate"));
    TRY(ddl_store_expr(d, where, &spec->predicate_sql));
done:
    return st;
}

static Status wrong_relation(Ddl *d, const Object *object)
{
    static const char *const plurals[] = {
        [OBJECT_INDEX] = "indexes", [OBJECT_SEQUENCE] = "sequences", [OBJECT_VIEW] = "views"};
    Status st = error_raise(d->ctx, E_WRONG_OBJECT_TYPE, "cannot create index on relation \"%.*s\"",
                            STR_ARGS(object->name));

    error_detail(d->ctx, "This operation is not supported for %s.", plurals[object->kind]);
    return st;
}

Status ddl_create_index(Ddl *d, const AstCreateIndex *ast)
{
    Status st = OK;
    IndexSpec spec = {
        .name = ast->name, .unique = ast->unique, .nulls_not_distinct = ast->nulls_not_distinct};
    const Object *object;

    TRY(check_supported(d, ast));
    TRY(ddl_open(d, &ast->table->name, (OpenSpec){.lock = TABLE_SHARE}, &object));
    if (object->kind != OBJECT_TABLE)
        return wrong_relation(d, object);
    const Table *table = (const Table *)object;
    if (ast->if_not_exists && catalog_relation(d->catalog, object->schema, ast->name)) {
        ddl_notice(d, "42P07", "relation \"%.*s\" already exists, skipping", STR_ARGS(ast->name));
        return OK;
    }
    spec.columns = scope_new_array(d->scope, IndexColumn, ast->keys.count);
    spec.name_parts = scope_new_array(d->scope, Str, ast->keys.count);
    for (uint32_t i = 0; i < ast->keys.count; i++)
        TRY(add_key(d, table, (const AstIndexKey *)ast->keys.items[i], &spec));
    if (ast->where)
        TRY(add_predicate(d, table, ast->where, &spec));
    const Index *index = ddl_new_index(d, table, &spec, false);
    TRY(catalog_put(d->ctx, d->catalog, &index->object));
    table = (const Table *)catalog_by_oid(d->catalog, object->oid);
    TRY(ddl_build_index(d, table, index));
done:
    return st;
}
