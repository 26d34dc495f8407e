// SPDX-License-Identifier: Apache-2.0
//
// CREATE TABLE: columns and LIKE clauses in the order in which they are written, then keys, then
// CHECKs; the primary key becomes the order in which rows are stored. One thread.
#include "exec/ddl/ddl_int.h"
#include "sql/parse/parse.h"

typedef struct KeyItem {
    const AstConstraint *ast;
    Str column; /* of a column's own constraint */
} KeyItem;

/* An index of a LIKE clause's table. */
typedef struct LikeIndex {
    const Table *from;
    const Index *index;
    bool comments;
} LikeIndex;

typedef struct CreateTable {
    Ddl *d;
    TableDraft draft;
    ARRAY(KeyItem) keys;
    ARRAY(const AstConstraint *) checks;
    ARRAY(LikeIndex) likes;
    ARRAY(IndexSpec) specs; /* the primary key first */
} CreateTable;

static Status check_supported(Ddl *d, const AstCreateTable *ast)
{
    Status st = OK;

    if (ast->persistence == AST_TEMPORARY)
        return ddl_unsupported(d, ast->table->node.location, "temporary tables are",
                               "Use an ordinary table, and drop it at the end.");
    if (ast->partition_by || ast->partition_of)
        return ddl_unsupported(d, -1, "partitioned tables are", "Leave PARTITION out.");
    if (ast->inherits.count)
        return ddl_unsupported(d, -1, "table inheritance is", NULL);
    if (ast->of_type)
        return ddl_unsupported(d, -1, "CREATE TABLE OF is", NULL);
    if (ast->on_commit != AST_ON_COMMIT_NONE)
        FAIL(d->ctx, E_INVALID_TABLE_DEFINITION, "ON COMMIT can only be used on temporary tables");
    if (ast->access_method.ptr != NULL && !str_is(ast->access_method, "heap"))
        FAIL(d->ctx, E_UNDEFINED_OBJECT, "access method \"%.*s\" does not exist",
             STR_ARGS(ast->access_method));
    if (ast->tablespace.ptr != NULL && !str_is(ast->tablespace, "pg_default"))
        FAIL(d->ctx, E_UNDEFINED_OBJECT, "tablespace \"%.*s\" does not exist",
             STR_ARGS(ast->tablespace));
done:
    return st;
}

// --- columns ------------------------------------------------------------------------------------

static Status add_column(CreateTable *t, const AstColumnDef *ast)
{
    Status st = OK;
    Ddl *d = t->d;
    TableDraft *draft = &t->draft;
    Column column = {.name = ast->name};
    ColumnParts parts = {0};

    TRY(ddl_column_type(d, ast, &column.type, &parts.serial));
    TRY(ddl_column_parts(d, draft->table.object.name, ast, &parts));
    TRY(ddl_draft_add_column(d, draft, &column, ast->node.location));
    TRY(ddl_column_finish(d, &draft->table.object, &parts, &array_last(&draft->columns)));
    for (uint32_t i = 0; i < parts.keys.count; i++)
        array_push(d->scope, &t->keys, (KeyItem){parts.keys.data[i], ast->name});
    for (uint32_t i = 0; i < parts.checks.count; i++)
        array_push(d->scope, &t->checks, parts.checks.data[i]);
done:
    return st;
}

static Status like_column(CreateTable *t, const Column *from, uint32_t options)
{
    Status st = OK;
    Ddl *d = t->d;
    Column column = {.name = from->name, .type = from->type, .not_null = from->not_null};

    if (options & AST_LIKE_COMMENTS)
        column.comment = from->comment;
    if (options & AST_LIKE_DEFAULTS)
        column.default_sql = from->default_sql;
    column.missing = datum_null(column.type);
    TRY(ddl_draft_add_column(d, &t->draft, &column, -1));
    if (from->generated != GENERATED_NONE && (options & AST_LIKE_IDENTITY)) {
        Column *copy = &array_last(&t->draft.columns);
        copy->generated = from->generated;
        TRY(ddl_owned_sequence(d, &t->draft.table.object, copy, NULL, &copy->sequence));
        const Sequence *old = (const Sequence *)catalog_by_oid(d->catalog, from->sequence);
        Sequence made = *(const Sequence *)catalog_by_oid(d->catalog, copy->sequence);
        made.start = made.first = old->start;
        made.increment = old->increment;
        made.min = old->min;
        made.max = old->max;
        made.cache = old->cache;
        made.cycle = old->cycle;
        TRY(catalog_put(d->ctx, d->catalog, &made.object));
    }
done:
    return st;
}

static Status add_like(CreateTable *t, const AstTableLike *ast)
{
    Status st = OK;
    Ddl *d = t->d;
    const Object *object;

    TRY(ddl_open(d, &ast->table->name, (OpenSpec){.lock = TABLE_ACCESS_SHARE}, &object));
    if (object->kind == OBJECT_VIEW) {
        const View *view = (const View *)object;
        for (uint32_t i = 0; i < view->columns_count; i++)
            TRY(like_column(t, &view->columns[i], ast->options & AST_LIKE_COMMENTS));
        return OK;
    }
    if (object->kind != OBJECT_TABLE)
        FAIL(d->ctx, E_WRONG_OBJECT_TYPE, "relation \"%.*s\" is invalid in LIKE clause",
             STR_ARGS(object->name));
    const Table *from = (const Table *)object;
    for (uint32_t i = 0; i < from->columns_count; i++)
        TRY(like_column(t, &from->columns[i], ast->options));
    if (ast->options & AST_LIKE_CONSTRAINTS) {
        for (uint32_t i = 0; i < from->checks_count; i++) {
            CheckConstraint check = from->checks[i];
            check.oid = catalog_new_oid(d->catalog);
            array_push(d->scope, &t->draft.checks, check);
        }
    }
    for (uint32_t i = 0; (ast->options & AST_LIKE_INDEXES) && i < from->indexes_count; i++)
        array_push(d->scope, &t->likes,
                   (LikeIndex){from, from->indexes[i], ast->options & AST_LIKE_COMMENTS});
done:
    return st;
}

static Status add_elements(CreateTable *t, const AstList *elements)
{
    Status st = OK;
    Ddl *d = t->d;

    for (uint32_t i = 0; i < elements->count; i++) {
        const AstNode *element = elements->items[i];
        const AstConstraint *constraint = (const AstConstraint *)element;
        if (element->kind == AST_COLUMN_DEF)
            TRY(add_column(t, (const AstColumnDef *)element));
        else if (element->kind == AST_TABLE_LIKE)
            TRY(add_like(t, (const AstTableLike *)element));
        else if (constraint->kind == AST_CONSTR_CHECK)
            array_push(d->scope, &t->checks, constraint);
        else if (constraint->kind == AST_CONSTR_FOREIGN_KEY)
            TRY(ddl_unsupported(d, element->location, "foreign keys are",
                                "Leave the constraint out."));
        else
            array_push(d->scope, &t->keys, (KeyItem){.ast = constraint});
    }
done:
    return st;
}

// --- keys ---------------------------------------------------------------------------------------

/* UNIQUE beside a PRIMARY KEY of the same columns makes no second index. */
static bool is_redundant(const CreateTable *t, const IndexSpec *spec)
{
    for (uint32_t i = 0; spec->name.ptr == NULL && i < t->specs.count; i++) {
        const IndexSpec *other = &t->specs.data[i];
        bool same = other->columns_count == spec->columns_count && other->constraint &&
                    other->nulls_not_distinct == spec->nulls_not_distinct;
        for (uint32_t k = 0; same && k < spec->columns_count; k++)
            same = other->columns[k].column == spec->columns[k].column;
        if (same)
            return true;
    }
    return false;
}

static Status add_spec(CreateTable *t, const IndexSpec *spec, int32_t location)
{
    Status st = OK;
    Ddl *d = t->d;

    if (spec->primary && t->draft.key_count)
        TRY(ddl_at(d, location,
                   error_raise(d->ctx, E_INVALID_TABLE_DEFINITION,
                               "multiple primary keys for table \"%.*s\" are not allowed",
                               STR_ARGS(t->draft.table.object.name))));
    for (uint32_t i = 0; spec->primary && i < spec->columns_count; i++)
        t->draft.key_ids[t->draft.key_count++] = spec->columns[i].column;
    if (spec->primary || !is_redundant(t, spec))
        array_push(d->scope, &t->specs, *spec);
done:
    return st;
}

static Status add_like_index(CreateTable *t, const LikeIndex *like)
{
    Status st = OK;
    Ddl *d = t->d;
    const Index *index = like->index;
    uint32_t count = index->columns_count;
    IndexSpec spec = {.unique = index->unique,
                      .primary = index->primary,
                      .constraint = index->constraint,
                      .nulls_not_distinct = index->nulls_not_distinct,
                      .columns_count = count,
                      .columns = scope_new_array(d->scope, IndexColumn, count),
                      .predicate_sql = index->predicate_sql,
                      .name_parts = scope_new_array(d->scope, Str, count)};

    if (like->comments)
        spec.comment = index->object.comment;
    for (uint32_t i = 0; i < count; i++) {
        spec.columns[i] = index->columns[i];
        if (index->columns[i].column == UINT32_MAX) {
            AstNode *expr;
            TRY(sql_parse_expr(d->ctx, d->scope, index->columns[i].expr_sql, &expr));
            spec.name_parts[i] = ddl_name_part(expr);
            continue;
        }
        uint32_t from = ddl_column_by_id(like->from, index->columns[i].column);
        Str name = like->from->columns[from].name;
        uint32_t at = ddl_column_at(t->draft.columns.data, t->draft.columns.count, name);
        spec.name_parts[i] = name;
        spec.columns[i].column = t->draft.columns.data[at].id;
        if (spec.primary)
            t->draft.columns.data[at].not_null = true;
    }
    TRY(add_spec(t, &spec, -1));
done:
    return st;
}

/* PRIMARY KEY first, as its index is made first. */
static Status add_keys(CreateTable *t)
{
    Status st = OK;

    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < t->keys.count; i++) {
            const KeyItem *key = &t->keys.data[i];
            IndexSpec spec;
            if ((key->ast->kind == AST_CONSTR_PRIMARY_KEY) != (pass == 0))
                continue;
            TRY(ddl_key_spec(t->d, &t->draft, key->ast, key->column, &spec));
            TRY(add_spec(t, &spec, key->ast->node.location));
        }
        for (uint32_t i = 0; i < t->likes.count; i++) {
            if (t->likes.data[i].index->primary == (pass == 0))
                TRY(add_like_index(t, &t->likes.data[i]));
        }
    }
done:
    return st;
}

static Status put_table(CreateTable *t)
{
    Status st = OK;
    Ddl *d = t->d;
    const Table *table = &t->draft.table;

    TRY(ddl_draft_seal(d, &t->draft, true));
    TRY(catalog_put(d->ctx, d->catalog, &table->object));
    for (uint32_t i = 0; i < t->specs.count; i++) {
        const IndexSpec *spec = &t->specs.data[i];
        const Table *now = (const Table *)catalog_by_oid(d->catalog, table->object.oid);
        TRY(catalog_put(d->ctx, d->catalog, &ddl_new_index(d, now, spec, spec->primary)->object));
    }
done:
    return st;
}

Status ddl_create_table(Ddl *d, const AstCreateTable *ast)
{
    Status st = OK;
    CreateTable t = {.d = d};
    Str name = ast->table->name.name;
    Oid schema;

    TRY(check_supported(d, ast));
    TRY(ddl_creation_schema(d, &ast->table->name, &schema));
    if (catalog_relation(d->catalog, schema, name)) {
        if (!ast->if_not_exists)
            FAIL(d->ctx, E_DUPLICATE_TABLE, "relation \"%.*s\" already exists", STR_ARGS(name));
        ddl_notice(d, "42P07", "relation \"%.*s\" already exists, skipping", STR_ARGS(name));
        return OK;
    }
    ddl_draft_new(d, schema, name, &t.draft);
    TRY(ddl_options_text(d, &ast->options, &t.draft.table.options));
    TRY(add_elements(&t, &ast->elements));
    TRY(add_keys(&t));
    for (uint32_t i = 0; i < t.checks.count; i++)
        TRY(ddl_add_check(d, &t.draft, t.checks.data[i]));
    for (uint32_t i = 0; i < t.draft.checks.count; i++)
        t.draft.checks.data[i].not_valid = false; /* there are no rows */
    TRY(put_table(&t));
done:
    return st;
}
