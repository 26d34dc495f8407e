// SPDX-License-Identifier: Apache-2.0
//
// Data work of DDL: looking for rows that break a constraint, building indexes, copying a table
// into a new relation. What is read is a snapshot taken after the table's lock was granted, with
// all own writes: older snapshots would miss rows committed since. One thread asks; queries may use
// workers.
#include "exec/ddl/ddl_int.h"

#include "base/memory.h"
#include "exec/insert.h"
#include "exec/row_store.h"
#include "sql/deparse.h"
#include "sql/parse/parse.h"
#include "types/cast.h"

/* Query results estimated at no more rows are kept before they are inserted. */
#define BUFFERED_ROWS_MAX 50000

// --- relations ----------------------------------------------------------------------------------

typedef struct RelationDrop {
    Storage *storage;
    RelationId relation;
} RelationDrop;

static void drop_relation(void *arg, Timestamp commit_ts)
{
    RelationDrop *drop = arg;

    if (commit_ts)
        storage_relation_drop_at(drop->storage, drop->relation, commit_ts);
    mem_free(drop);
}

void ddl_drop_relation_later(Ddl *d, RelationId relation)
{
    RelationDrop *drop = mem_alloc(sizeof *drop);

    *drop = (RelationDrop){d->env->storage, relation};
    txn_on_end(d->txn, drop_relation, drop);
}

RelationId ddl_new_relation(Ddl *d)
{
    return catalog_new_relation_id(d->catalog);
}

// --- snapshots and queries ----------------------------------------------------------------------

static void unpin_view(void *view)
{
    storage_view_unpin(view);
}

const Snapshot *ddl_fresh_snapshot(Ddl *d)
{
    Snapshot *snapshot = scope_new(d->scope, Snapshot);

    *snapshot = *d->env->exec.snapshot;
    snapshot->read_ts = storage_installed_ts(d->env->storage);
    snapshot->view = storage_view_pin(d->env->storage);
    snapshot->own_mark = 0;
    scope_defer(d->scope, unpin_view, snapshot->view);
    return snapshot;
}

Status ddl_bind_query(Ddl *d, const AstNode *query, PlannedStatement *out)
{
    Status st = OK;
    uint64_t version;

    do {
        version = catalog_version(d->catalog);
        TRY(sql_bind(d->ctx, d->scope, d->bind, query, out));
        for (uint32_t i = 0; i < out->tables_count; i++)
            TRY(ddl_lock(d, out->tables[i], out->table_modes[i]));
    } while (version != catalog_version(d->catalog));
done:
    return st;
}

static Status bind_stored_query(Ddl *d, const AstNode *query, PlannedStatement *out)
{
    BindEnv bind = *d->bind;

    bind.text = (Str){0};
    bind.params_count = 0;
    return sql_bind(d->ctx, d->scope, &bind, query, out);
}

static Status run_planned(Ddl *d, const PlannedStatement *query, const Snapshot *snapshot,
                          const ExecSink *sink, bool parallel)
{
    ExecEnv exec = d->env->exec;
    uint64_t rows;

    if (snapshot)
        exec.snapshot = snapshot;
    if (!parallel)
        exec.pool = NULL;
    exec.params_count = 0;
    exec.counters = NULL;
    return exec_run(d->ctx, d->scope, query, &exec, sink, &rows);
}

Status ddl_run_query(Ddl *d, const AstNode *query, const Snapshot *snapshot, const ExecSink *sink)
{
    Status st = OK;
    PlannedStatement statement;

    TRY(bind_stored_query(d, query, &statement));
    TRY(sql_optimise(d->ctx, d->scope, d->bind, d->env->storage, &statement));
    TRY(run_planned(d, &statement, snapshot, sink, true));
done:
    return st;
}

static Status keep_rows(void *arg, Ctx *ctx, const Batch *batch)
{
    return row_store_append(ctx, arg, batch);
}

/* Few rows are kept first, so that workers may make them. */
static Status run_buffered(Ddl *d, const PlannedStatement *query, const Snapshot *snapshot,
                           const ExecSink *sink)
{
    Status st = OK;
    RowStore rows;
    uint32_t count = query->plan->columns_count;
    SqlType *types = scope_new_array(d->scope, SqlType, count + 1);
    ExecSink keep = {keep_rows, &rows};

    for (uint32_t i = 0; i < count; i++)
        types[i] = query->plan->columns[i].type;
    row_store_init(&rows, d->scope, types, count);
    TRY(run_planned(d, query, snapshot, &keep, true));
    for (uint32_t i = 0; i < rows.batches.count; i++)
        TRY(sink->batch(sink->arg, d->ctx, &rows.batches.data[i]));
done:
    return st;
}

Status ddl_run_insert(Ddl *d, PlannedStatement *query, const Snapshot *snapshot,
                      const ExecSink *sink)
{
    Status st = OK;

    TRY(sql_optimise(d->ctx, d->scope, d->bind, d->env->storage, query));
    if (query->plan->rows_estimate <= BUFFERED_ROWS_MAX)
        TRY(run_buffered(d, query, snapshot, sink));
    else
        TRY(run_planned(d, query, snapshot, sink, false));
done:
    return st;
}

AstNode *ddl_ast_column(Ddl *d, Str name)
{
    AstColumnRef *ref = ast_new(d->scope, AST_COLUMN_REF, AstColumnRef, -1);

    ref->path.items = scope_new_array(d->scope, Str, 1);
    ref->path.items[0] = name;
    ref->path.count = 1;
    return &ref->node;
}

AstNode *ddl_ast_table(Ddl *d, const Object *table)
{
    AstTableRef *ref = ast_new(d->scope, AST_TABLE_REF, AstTableRef, -1);
    const Object *schema = catalog_by_oid(d->catalog, table->schema);

    ref->name.schema = schema->name;
    ref->name.name = table->name;
    ref->only = true;
    return &ref->node;
}

static AstNode *ast_int(Ddl *d, int32_t value)
{
    AstConst *node = ast_new(d->scope, AST_CONST, AstConst, -1);

    node->kind = AST_CONST_INT;
    node->integer = value;
    return &node->node;
}

static AstNode *ast_target(Ddl *d, AstNode *value)
{
    AstTarget *target = ast_new(d->scope, AST_TARGET, AstTarget, -1);

    target->value = value;
    return &target->node;
}

static AstSelect *ast_select(Ddl *d, const Object *table, AstNode **values, uint32_t count)
{
    AstSelect *select = ast_new(d->scope, AST_SELECT, AstSelect, -1);
    AstNode *from = ddl_ast_table(d, table);

    select->from = ast_list(d->scope, &from, 1);
    select->targets.items = scope_new_array(d->scope, AstNode *, count + 1);
    for (uint32_t i = 0; i < count; i++)
        select->targets.items[select->targets.count++] = ast_target(d, values[i]);
    return select;
}

// --- checks of rows -----------------------------------------------------------------------------

static Status note_row(void *arg, Ctx *ctx UNUSED, const Batch *batch)
{
    if (batch->rows_count)
        *(bool *)arg = true;
    return OK;
}

Status ddl_any_row(Ddl *d, const Table *table, AstNode *condition, bool *out)
{
    AstNode *one = ast_int(d, 1);
    AstSelect *select = ast_select(d, &table->object, &one, 1);
    ExecSink sink = {note_row, out};

    *out = false;
    select->where = condition;
    select->limit = one;
    return ddl_run_query(d, &select->node, ddl_fresh_snapshot(d), &sink);
}

Status ddl_validate_check(Ddl *d, const Table *table, const CheckConstraint *check)
{
    Status st = OK;
    AstBoolExpr *negated = ast_new(d->scope, AST_BOOL_EXPR, AstBoolExpr, -1);
    AstNode *expr;
    bool found;

    TRY(sql_parse_expr(d->ctx, d->scope, check->expr_sql, &expr));
    negated->op = AST_NOT;
    negated->args = ast_list(d->scope, &expr, 1);
    TRY(ddl_any_row(d, table, &negated->node, &found));
    if (!found)
        return OK;
    st = error_raise(d->ctx, E_CHECK_VIOLATION,
                     "check constraint \"%.*s\" of relation \"%.*s\" is violated by some row",
                     STR_ARGS(check->name), STR_ARGS(table->object.name));
    error_object(d->ctx, str_to_c(d->scope, catalog_by_oid(d->catalog, table->object.schema)->name),
                 str_to_c(d->scope, table->object.name), NULL, str_to_c(d->scope, check->name));
done:
    return st;
}

static Status contains_nulls(Ddl *d, const Table *table, Str column)
{
    Status st = error_raise(d->ctx, E_NOT_NULL_VIOLATION,
                            "column \"%.*s\" of relation \"%.*s\" contains null values",
                            STR_ARGS(column), STR_ARGS(table->object.name));

    error_object(d->ctx, str_to_c(d->scope, catalog_by_oid(d->catalog, table->object.schema)->name),
                 str_to_c(d->scope, table->object.name), str_to_c(d->scope, column), NULL);
    return st;
}

Status ddl_validate_not_null(Ddl *d, const Table *table, const Column *column)
{
    Status st = OK;
    AstNullTest *test = ast_new(d->scope, AST_NULL_TEST, AstNullTest, -1);
    bool found;

    test->arg = ddl_ast_column(d, column->name);
    TRY(ddl_any_row(d, table, &test->node, &found));
    if (found)
        TRY(contains_nulls(d, table, column->name));
done:
    return st;
}

// --- indexes ------------------------------------------------------------------------------------

Status ddl_build_index(Ddl *d, const Table *table, const Index *index)
{
    Status st = OK;
    ExecEnv exec = d->env->exec;
    IndexBuild build = {.table = table, .index = index};

    build.exprs = scope_new_array(d->scope, Expr *, index->columns_count);
    for (uint32_t i = 0; i < index->columns_count; i++) {
        const IndexColumn *column = &index->columns[i];
        if (column->column == UINT32_MAX)
            TRY(ddl_bind_stored(d, table, column->expr_sql, sql_type(OID_INVALID),
                                &build.exprs[i]));
    }
    if (index->predicate_sql.len)
        TRY(ddl_bind_stored(d, table, index->predicate_sql, sql_type(OID_BOOL), &build.predicate));
    exec.snapshot = ddl_fresh_snapshot(d);
    exec.counters = NULL;
    TRY(index_build(d->ctx, d->scope, &exec, &build));
done:
    return st;
}

// --- rewrites -----------------------------------------------------------------------------------

AstNode **ddl_same_values(Ddl *d, const Table *from, const TableDraft *to)
{
    AstNode **values = scope_new_array(d->scope, AstNode *, to->columns.count + 1);

    for (uint32_t i = 0; i < to->columns.count; i++) {
        uint32_t at = ddl_column_by_id(from, to->columns.data[i].id);
        if (at != UINT32_MAX)
            values[i] = ddl_ast_column(d, from->columns[at].name);
    }
    return values;
}

typedef struct Copying {
    Ddl *d;
    Inserter *inserter;
    const Table *table;
    Scope *scratch;
} Copying;

static Status copy_batch(void *arg, Ctx *ctx, const Batch *batch)
{
    Status st = OK;
    Copying *copying = arg;
    const Table *table = copying->table;
    Batch row = {.rows_count = batch->rows_count, .columns_count = table->columns_count};

    if (batch->rows_count == 0)
        return OK;
    TRY(ctx_check_cancel(ctx));
    scope_reset(copying->scratch);
    row.columns = scope_new_array(copying->scratch, Vector, table->columns_count + 1);
    for (uint32_t i = 0; i < table->columns_count; i++) {
        const Vector *in = &batch->columns[i];
        if (type_equal(in->type, table->columns[i].type))
            row.columns[i] = *in;
        else
            TRY(cast_vector(ctx, copying->scratch, in, batch->rows_count, table->columns[i].type,
                            false, copying->d->env->exec.io, &row.columns[i]));
    }
    TRY(inserter_batch(ctx, copying->inserter, &row));
done:
    return st;
}

/* An INSERT's target without CHECKs and with the clustered key as its only index. */
static ModifyPlan *insert_target(Ddl *d, const Table *table)
{
    ModifyPlan *plan = scope_new(d->scope, ModifyPlan);
    Table *bare = scope_new(d->scope, Table);
    const Index **indexes = scope_new_array(d->scope, const Index *, 1);

    *bare = *table;
    bare->indexes = indexes;
    bare->indexes_count = 0;
    for (uint32_t i = 0; i < table->indexes_count; i++) {
        if (table->indexes[i]->clustered)
            indexes[bare->indexes_count++] = table->indexes[i];
    }
    plan->kind = MODIFY_INSERT;
    plan->table = bare;
    plan->new_columns = scope_new_array(d->scope, ColumnId, table->columns_count + 1);
    for (uint32_t i = 0; i < table->columns_count; i++)
        plan->new_columns[i] = i + 1;
    return plan;
}

Status ddl_copy_sink(Ddl *d, const Table *table, ExecSink *out)
{
    Status st = OK;
    Copying *copying = scope_new(d->scope, Copying);
    ExecEnv *exec = scope_new(d->scope, ExecEnv);
    ModifyPlan *target = insert_target(d, table);

    *exec = d->env->exec;
    exec->snapshot = ddl_fresh_snapshot(d);
    exec->counters = NULL;
    copying->d = d;
    copying->table = target->table;
    copying->scratch = scope_open(d->scope, "copied batch");
    TRY(inserter_open(d->ctx, d->scope, exec, target, &copying->inserter));
    *out = (ExecSink){copy_batch, copying};
done:
    return st;
}

uint64_t ddl_copied_rows(const ExecSink *sink)
{
    return inserter_rows(((const Copying *)sink->arg)->inserter);
}

/* What the inserter says of one row becomes what ALTER TABLE says of the table. */
static Status rewrite_error(Ddl *d, const Table *table, Status st)
{
    const Error *error = &d->ctx->error;
    char *detail = error->detail ? scope_strdup(d->scope, error->detail) : NULL;
    char *name = error->constraint_name ? scope_strdup(d->scope, error->constraint_name) : NULL;
    char *column = error->column_name ? scope_strdup(d->scope, error->column_name) : NULL;

    if (st == E_NOT_NULL_VIOLATION && column) {
        error_clear(d->ctx);
        return contains_nulls(d, table, str_from(column));
    }
    if (st != E_UNIQUE_VIOLATION || name == NULL)
        return st;
    char *tail = detail ? strstr(detail, " already exists.") : NULL;
    if (tail)
        *tail = '\0';
    error_clear(d->ctx);
    st = error_raise(d->ctx, E_UNIQUE_VIOLATION, "could not create unique index \"%s\"", name);
    if (tail)
        error_detail(d->ctx, "%s is duplicated.", detail);
    error_object(d->ctx, str_to_c(d->scope, catalog_by_oid(d->catalog, table->object.schema)->name),
                 str_to_c(d->scope, table->object.name), NULL, name);
    return st;
}

static bool same_key(const Table *from, const TableDraft *to)
{
    if (from->key_columns_count != to->key_count)
        return false;
    for (uint32_t i = 0; i < to->key_count; i++) {
        if (from->columns[from->key_column_at[i]].id != to->key_ids[i])
            return false;
    }
    return true;
}

/* In the order of the new key, so that rows arrive where they stay. */
static void add_order(Ddl *d, const Table *to, AstSelect *select)
{
    AstNode **keys = scope_new_array(d->scope, AstNode *, to->key_columns_count + 1);

    for (uint32_t i = 0; i < to->key_columns_count; i++) {
        AstSortKey *key = ast_new(d->scope, AST_SORT_KEY, AstSortKey, -1);
        key->expr = ast_int(d, (int32_t)to->key_column_at[i] + 1);
        keys[i] = &key->node;
    }
    select->order = (AstList){keys, to->key_columns_count};
}

/* Indexes for the new rows: of the same names and oids, over new relations. */
static void renew_indexes(Ddl *d, Table *table)
{
    const Index **indexes = scope_new_array(d->scope, const Index *, table->indexes_count + 1);

    for (uint32_t i = 0; i < table->indexes_count; i++) {
        Index *index = scope_new(d->scope, Index);
        IndexColumn *columns =
            scope_new_array(d->scope, IndexColumn, table->indexes[i]->columns_count);
        *index = *table->indexes[i];
        for (uint32_t k = 0; k < index->columns_count; k++) {
            columns[k] = index->columns[k];
            uint32_t at = ddl_column_by_id(table, columns[k].column);
            if (at != UINT32_MAX)
                columns[k].key.type = table->columns[at].type;
        }
        index->columns = columns;
        index->relation_id = index->clustered ? table->relation_id : ddl_new_relation(d);
        indexes[i] = index;
    }
    table->indexes = indexes;
}

/* The table, its indexes, and their entries. */
static Status put_rewritten(Ddl *d, const Table *table)
{
    Status st = OK;

    TRY(catalog_put(d->ctx, d->catalog, &table->object));
    for (uint32_t i = 0; i < table->indexes_count; i++)
        TRY(catalog_put(d->ctx, d->catalog, &table->indexes[i]->object));
    for (uint32_t i = 0; i < table->indexes_count; i++) {
        const Index *index = table->indexes[i];
        const Object *now = catalog_by_oid(d->catalog, table->object.oid);
        if (!index->clustered)
            TRY(ddl_build_index(d, (const Table *)now, index));
    }
done:
    return st;
}

void ddl_drop_table_relations(Ddl *d, const Table *table)
{
    ddl_drop_relation_later(d, table->relation_id);
    for (uint32_t i = 0; i < table->indexes_count; i++) {
        if (!table->indexes[i]->clustered)
            ddl_drop_relation_later(d, table->indexes[i]->relation_id);
    }
}

Status ddl_rewrite(Ddl *d, const Table *from, TableDraft *to, AstNode **values)
{
    Status st = OK;
    PlannedStatement query;
    ExecSink sink;

    ASSERT(to->table.relation_id != from->relation_id);
    to->table.relation.schemas_count = 0;
    for (uint32_t i = 0; i < to->columns.count; i++)
        to->columns.data[i].missing = datum_null(to->columns.data[i].type);
    TRY(ddl_draft_seal(d, to, true));
    renew_indexes(d, &to->table);
    AstSelect *select = ast_select(d, &from->object, values, to->columns.count);
    if (!same_key(from, to))
        add_order(d, &to->table, select);
    TRY(ddl_copy_sink(d, &to->table, &sink));
    TRY(bind_stored_query(d, &select->node, &query));
    st = ddl_run_insert(d, &query, ddl_fresh_snapshot(d), &sink);
    if (st != OK)
        return rewrite_error(d, from, st);
    TRY(put_rewritten(d, &to->table));
    ddl_drop_table_relations(d, from);
done:
    return st;
}
