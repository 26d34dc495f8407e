// SPDX-License-Identifier: Apache-2.0
//
// Plans made by hand over VALUES and over a stored table, run to the end, and their rows compared
// as text. Expected rows follow from SQL's rules; nothing here is our own output.
#include "exec/exec.h"

#include "exec/insert.h"
#include "os/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct Fixture {
    Ctx ctx;
    Scope *scope;
    Storage *storage;
    TxnManager *txns;
    WorkerPool *pool;
    TypeIoContext io;
    SessionInfo session;
    StrBuf rows;
    Table table;
    ColumnId next_id;
    char temp_dir[64];
    size_t work_mem;
} Fixture;

static const SqlType int4 = {OID_INT4, -1}, text = {OID_TEXT, -1}, boolean = {OID_BOOL, -1},
                     bytea = {OID_BYTEA, -1};

// --- running ------------------------------------------------------------------------------------

static Status collect(void *arg, Ctx *ctx, const Batch *batch)
{
    Fixture *f = arg;

    (void)ctx;
    for (uint32_t row = 0; row < batch->rows_count; row++) {
        for (uint32_t i = 0; i < batch->columns_count; i++) {
            const Vector *v = &batch->columns[i];
            if (i > 0)
                strbuf_append_char(&f->rows, ',');
            if (vector_is_null(v, row))
                strbuf_append_c(&f->rows, "NULL");
            else
                type_output(&f->rows, v->type, v, row, &f->io);
        }
        strbuf_append_char(&f->rows, ' ');
    }
    return OK;
}

static ExecEnv env_of(Fixture *f, Txn *txn, const Snapshot *snapshot)
{
    return (ExecEnv){.txn = txn,
                     .snapshot = snapshot,
                     .io = &f->io,
                     .session = &f->session,
                     .pool = f->pool,
                     .threads = f->pool ? 3 : 1,
                     .work_mem = f->work_mem,
                     .temp_dir = f->temp_dir};
}

static Status run_in(Fixture *f, Txn *txn, const Snapshot *snapshot, Plan *plan, uint64_t *rows)
{
    Status st = OK;
    ExecEnv env = env_of(f, txn, snapshot);
    ExecSink sink = {collect, f};
    PlannedStatement statement = {.plan = plan};

    strbuf_clear(&f->rows);
    TRY(plan_resolve(&f->ctx, f->scope, plan, NULL));
    TRY(exec_run(&f->ctx, f->scope, &statement, &env, &sink, rows));
done:
    return st;
}

/* Runs a plan without tables. */
static const char *run(Fixture *f, Plan *plan)
{
    uint64_t rows;

    assert_int_equal(run_in(f, NULL, NULL, plan, &rows), OK);
    return strbuf_c(&f->rows);
}

/* Runs and commits; the status of the run. */
static Status run_txn(Fixture *f, Plan *plan, uint64_t *rows)
{
    TxnOptions options = {.autocommit = true};
    const Snapshot *snapshot;
    Timestamp durable;
    Txn *txn;

    assert_int_equal(txn_begin(&f->ctx, f->txns, &options, &txn), OK);
    assert_int_equal(txn_statement_begin(&f->ctx, txn, false, &snapshot), OK);
    Status st = run_in(f, txn, snapshot, plan, rows);
    if (st == OK) {
        txn_statement_end(txn);
        assert_int_equal(txn_commit(&f->ctx, txn, &durable), OK);
    } else {
        txn_statement_abort(txn);
        txn_abort(txn);
    }
    return st;
}

static int set_up_with(void **state, uint32_t threads)
{
    Fixture *f = calloc(1, sizeof *f);
    StorageOptions options = {.dir = NULL, .memory_limit = 256 << 20, .generation_bytes = 64 << 20};

    ctx_init(&f->ctx);
    f->scope = scope_open(NULL, "test");
    strbuf_init(&f->rows);
    f->next_id = 1;
    f->work_mem = 64 << 20;
    snprintf(f->temp_dir, sizeof f->temp_dir, "/tmp/dbaspot-exec-XXXXXX");
    assert_non_null(mkdtemp(f->temp_dir));
    if (threads > 1)
        assert_int_equal(exec_pool_open(&f->ctx, threads, &f->pool), OK);
    assert_int_equal(storage_open(&f->ctx, &options, &f->storage), OK);
    assert_int_equal(txn_manager_open(&f->ctx, f->storage, &f->txns), OK);
    *state = f;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, 1);
}

static int set_up_parallel(void **state)
{
    return set_up_with(state, 3);
}

static int tear_down(void **state)
{
    Fixture *f = *state;

    exec_pool_close(f->pool);
    assert_int_equal(files_remove_tree(&f->ctx, files_os(), f->temp_dir), OK);
    txn_manager_close(f->txns);
    storage_close(f->storage);
    strbuf_free(&f->rows);
    scope_close(f->scope);
    ctx_free(&f->ctx);
    free(f);
    return 0;
}

// --- making plans -------------------------------------------------------------------------------

static Plan *new_plan(Fixture *f, PlanKind kind, const SqlType *types, uint32_t count)
{
    Plan *plan = plan_new(f->scope, kind, count);

    for (uint32_t i = 0; i < count; i++)
        plan->columns[i] = (PlanColumn){f->next_id++, types[i], "c"};
    return plan;
}

/* A plan that passes its child's columns through. */
static Plan *over(Fixture *f, PlanKind kind, Plan *child)
{
    Plan *plan = plan_new(f->scope, kind, child->columns_count);

    memcpy(plan->columns, child->columns, child->columns_count * sizeof *plan->columns);
    plan->children[0] = child;
    return plan;
}

static Expr *column(Fixture *f, const Plan *plan, uint32_t at)
{
    return expr_column(f->scope, plan->columns[at].id, plan->columns[at].type, "c");
}

#define NO_VALUE INT32_MIN

static Expr *number(Fixture *f, int32_t value)
{
    Datum datum = {.type = int4, .int32 = value, .is_null = value == NO_VALUE};

    return expr_const(f->scope, &datum);
}

static Expr *string(Fixture *f, const char *value)
{
    Datum datum = {.type = text, .string = strview_make(value, strlen(value))};

    return expr_const(f->scope, &datum);
}

static Expr *call(Fixture *f, const char *name, Expr *left, Expr *right)
{
    const OperatorInfo *op = operator_exact(name, left->type.oid, right->type.oid);

    assert_non_null(op);
    Expr *expr = expr_new(f->scope, EXPR_FUNC, sql_type(op->result), 2);
    expr->func.info = op->func;
    expr->func.op = op;
    expr->args[0] = left;
    expr->args[1] = right;
    return expr;
}

/* Rows of integers, `columns` to a row. */
static Plan *values(Fixture *f, uint32_t columns, const int32_t *numbers, uint32_t rows)
{
    SqlType types[4] = {int4, int4, int4, int4};
    Plan *plan = new_plan(f, PLAN_VALUES, types, columns);

    plan->values.rows_count = rows;
    plan->values.rows = scope_new_array(f->scope, ExprList, rows + 1);
    for (uint32_t row = 0; row < rows; row++) {
        for (uint32_t i = 0; i < columns; i++) {
            Expr *expr = number(f, numbers[row * columns + i]);
            array_push(f->scope, &plan->values.rows[row], expr);
        }
    }
    return plan;
}

static Plan *filter(Fixture *f, Plan *child, Expr *condition)
{
    Plan *plan = over(f, PLAN_FILTER, child);

    array_push(f->scope, &plan->filter.conditions, condition);
    return plan;
}

static Plan *sort(Fixture *f, Plan *child, uint32_t at, bool descending)
{
    Plan *plan = over(f, PLAN_SORT, child);

    plan->sort.keys = scope_new(f->scope, SortKey);
    plan->sort.keys_count = 1;
    plan->sort.keys[0] = (SortKey){.expr = column(f, child, at), .descending = descending};
    return plan;
}

static Plan *join(Fixture *f, JoinType type, JoinMethod method, Plan *left, Plan *right)
{
    bool left_only = type == JOIN_SEMI || type == JOIN_ANTI || type == JOIN_ANTI_NULL;
    uint32_t count = left->columns_count + (left_only           ? 0
                                            : type == JOIN_MARK ? 1
                                                                : right->columns_count);
    Plan *plan = plan_new(f->scope, PLAN_JOIN, count);

    memcpy(plan->columns, left->columns, left->columns_count * sizeof *plan->columns);
    for (uint32_t i = left->columns_count; i < count; i++)
        plan->columns[i] = right->columns[i - left->columns_count];
    if (type == JOIN_MARK)
        plan->columns[count - 1] = (PlanColumn){f->next_id++, boolean, "mark"};
    plan->join.type = type;
    plan->join.method = method;
    plan->children[0] = left;
    plan->children[1] = right;
    Expr *equal = call(f, "=", column(f, left, 0), column(f, right, 0));
    array_push(f->scope, &plan->join.conditions, equal);
    if (method == JOIN_HASH) {
        array_push(f->scope, &plan->join.left_keys, equal->args[0]);
        array_push(f->scope, &plan->join.right_keys, equal->args[1]);
    }
    return plan;
}

static Plan *aggregate(Fixture *f, Plan *child, int group, const char *name, int arg, bool distinct)
{
    uint32_t count, groups = group >= 0;
    const AggInfo *const *found = agg_overloads(str_from(name), &count);
    const AggInfo *info = NULL;
    Expr *agg;

    for (uint32_t i = 0; i < count; i++) {
        bool any = found[i]->args_count == 0 || found[i]->args[0] == OID_ANY ||
                   found[i]->args[0] == OID_INT4;
        if (any && (found[i]->args_count > 0) == (arg >= 0))
            info = found[i];
    }
    assert_non_null(info);
    SqlType types[2] = {int4, sql_type(info->result)};
    Plan *plan = new_plan(f, PLAN_AGGREGATE, groups ? types : types + 1, groups + 1);
    plan->children[0] = child;
    if (groups) {
        Expr *key = column(f, child, (uint32_t)group);
        array_push(f->scope, &plan->aggregate.groups, key);
    }
    agg = expr_new(f->scope, EXPR_AGG, sql_type(info->result), arg >= 0);
    if (arg >= 0)
        agg->args[0] = column(f, child, (uint32_t)arg);
    agg->agg.info = info;
    agg->agg.distinct = distinct;
    array_push(f->scope, &plan->aggregate.aggs, agg);
    return plan;
}

// --- tests without tables -----------------------------------------------------------------------

static void values_come_in_order(void **state)
{
    Fixture *f = *state;

    assert_string_equal(run(f, values(f, 2, (int32_t[]){1, 2, 3, NO_VALUE}, 2)), "1,2 3,NULL ");
}

static void filter_drops_false_and_null(void **state)
{
    Fixture *f = *state;
    Plan *child = values(f, 1, (int32_t[]){1, NO_VALUE, 5, 9}, 4);

    assert_string_equal(run(f, filter(f, child, call(f, ">", column(f, child, 0), number(f, 3)))),
                        "5 9 ");
}

static void case_protects_its_branches(void **state)
{
    Fixture *f = *state;
    Plan *child = values(f, 1, (int32_t[]){2, 0, 5, NO_VALUE}, 4);
    Plan *plan = new_plan(f, PLAN_PROJECT, &int4, 1);
    Expr *choice = expr_new(f->scope, EXPR_CASE, int4, 3);

    choice->args[0] = call(f, "<>", column(f, child, 0), number(f, 0));
    choice->args[1] = call(f, "/", number(f, 10), column(f, child, 0));
    choice->args[2] = number(f, -1);
    plan->children[0] = child;
    array_push(f->scope, &plan->project.exprs, choice);
    assert_string_equal(run(f, plan), "5 -1 2 -1 ");
}

static void and_stops_at_false(void **state)
{
    Fixture *f = *state;
    Plan *child = values(f, 1, (int32_t[]){0, 2, 20}, 3);
    Expr *safe = call(f, "<>", column(f, child, 0), number(f, 0));
    Expr *quotient = call(f, "/", number(f, 10), column(f, child, 0));
    Expr *both = expr_new(f->scope, EXPR_AND, boolean, 2);

    both->args[0] = safe;
    both->args[1] = call(f, ">", quotient, number(f, 1));
    assert_string_equal(run(f, filter(f, child, both)), "2 ");
}

static void in_list_knows_null(void **state)
{
    Fixture *f = *state;
    Plan *child = values(f, 1, (int32_t[]){1, 2, NO_VALUE}, 3);
    Plan *plan = new_plan(f, PLAN_PROJECT, &boolean, 1);
    Expr *in = expr_new(f->scope, EXPR_IN, boolean, 3);

    in->args[0] = column(f, child, 0);
    in->args[1] = number(f, 1);
    in->args[2] = number(f, NO_VALUE);
    plan->children[0] = child;
    array_push(f->scope, &plan->project.exprs, in);
    assert_string_equal(run(f, plan), "t NULL NULL ");
}

static void sort_puts_nulls_last(void **state)
{
    Fixture *f = *state;
    const int32_t numbers[] = {3, NO_VALUE, 1, 2};

    assert_string_equal(run(f, sort(f, values(f, 1, numbers, 4), 0, false)), "1 2 3 NULL ");
    assert_string_equal(run(f, sort(f, values(f, 1, numbers, 4), 0, true)), "3 2 1 NULL ");
}

static void top_n_keeps_the_first(void **state)
{
    Fixture *f = *state;
    int32_t numbers[2000];

    for (int32_t i = 0; i < 2000; i++)
        numbers[i] = (i * 7919) % 2000;
    Plan *plan = sort(f, values(f, 1, numbers, 2000), 0, false);
    Datum limit = {.type = sql_type(OID_INT8), .int64 = 3}, offset = limit;
    offset.int64 = 2;
    plan->sort.limit = expr_const(f->scope, &limit);
    plan->sort.offset = expr_const(f->scope, &offset);
    assert_string_equal(run(f, plan), "2 3 4 ");
}

static void limit_and_offset_cut(void **state)
{
    Fixture *f = *state;
    Plan *plan = over(f, PLAN_LIMIT, values(f, 1, (int32_t[]){1, 2, 3, 4, 5}, 5));
    Datum two = {.type = sql_type(OID_INT8), .int64 = 2};

    plan->limit.limit = expr_const(f->scope, &two);
    plan->limit.offset = expr_const(f->scope, &two);
    assert_string_equal(run(f, plan), "3 4 ");
}

static void groups_are_counted(void **state)
{
    Fixture *f = *state;
    Plan *child = values(f, 2, (int32_t[]){1, 10, 2, 20, 1, 30, NO_VALUE, 1, NO_VALUE, 2}, 5);
    Plan *plan = sort(f, aggregate(f, child, 0, "sum", 1, false), 0, false);

    assert_string_equal(run(f, plan), "1,40 2,20 NULL,3 ");
}

static void distinct_aggregates_count_once(void **state)
{
    Fixture *f = *state;
    Plan *child = values(f, 2, (int32_t[]){1, 5, 1, 5, 1, 6, 2, 5, 2, NO_VALUE}, 5);
    Plan *plan = sort(f, aggregate(f, child, 0, "count", 1, true), 0, false);

    assert_string_equal(run(f, plan), "1,2 2,1 ");
    child = values(f, 1, (int32_t[]){4, 4, 5}, 3);
    assert_string_equal(run(f, aggregate(f, child, -1, "sum", 0, true)), "9 ");
}

static void plain_aggregate_of_nothing_is_a_row(void **state)
{
    Fixture *f = *state;

    assert_string_equal(run(f, aggregate(f, values(f, 1, NULL, 0), -1, "count", -1, false)), "0 ");
}

static void check_joins(Fixture *f, JoinMethod method)
{
    static const struct {
        JoinType type;
        const char *rows;
    } cases[] = {
        {JOIN_INNER, "2,20,2,200 2,20,2,201 3,30,3,300 "},
        {JOIN_LEFT, "1,10,NULL,NULL 2,20,2,200 2,20,2,201 3,30,3,300 NULL,40,NULL,NULL "},
        {JOIN_RIGHT, "2,20,2,200 2,20,2,201 3,30,3,300 NULL,NULL,4,400 NULL,NULL,NULL,500 "},
        {JOIN_FULL, "1,10,NULL,NULL 2,20,2,200 2,20,2,201 3,30,3,300 NULL,40,NULL,NULL "
                    "NULL,NULL,4,400 NULL,NULL,NULL,500 "},
        {JOIN_SEMI, "2,20 3,30 "},
        {JOIN_ANTI, "1,10 NULL,40 "},
        {JOIN_ANTI_NULL, ""},
        {JOIN_MARK, "1,10,NULL 2,20,t 3,30,t NULL,40,NULL "},
    };
    const int32_t left[] = {1, 10, 2, 20, 3, 30, NO_VALUE, 40};
    const int32_t right[] = {2, 200, 2, 201, 3, 300, 4, 400, NO_VALUE, 500};

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        for (int side = 0; side < 2; side++) {
            Plan *plan =
                join(f, cases[i].type, method, values(f, 2, left, 4), values(f, 2, right, 5));
            plan->join.build_left = side;
            Plan *sorted = over(f, PLAN_SORT, plan);
            sorted->sort.keys_count = plan->columns_count;
            sorted->sort.keys = scope_new_array(f->scope, SortKey, plan->columns_count);
            for (uint32_t k = 0; k < plan->columns_count; k++)
                sorted->sort.keys[k] = (SortKey){.expr = column(f, plan, k)};
            const char *rows = run(f, sorted);
            if (cases[i].type == JOIN_FULL)
                assert_int_equal(strlen(rows), strlen(cases[i].rows));
            else
                assert_string_equal(rows, cases[i].rows);
        }
    }
}

static void hash_joins_of_all_types(void **state)
{
    check_joins(*state, JOIN_HASH);
}

static void nested_loops_of_all_types(void **state)
{
    check_joins(*state, JOIN_NESTED_LOOP);
}

static void single_join_refuses_two_matches(void **state)
{
    Fixture *f = *state;
    uint64_t rows;

    for (int method = JOIN_HASH; method <= JOIN_NESTED_LOOP; method++) {
        Plan *plan = join(f, JOIN_SINGLE, (JoinMethod)method, values(f, 1, (int32_t[]){1, 2}, 2),
                          values(f, 1, (int32_t[]){2, 2}, 2));
        assert_int_equal(run_in(f, NULL, NULL, plan, &rows), E_CARDINALITY_VIOLATION);
        error_clear(&f->ctx);
    }
}

static void set_operations_count_rows(void **state)
{
    Fixture *f = *state;
    static const struct {
        SetOp op;
        const char *rows;
    } cases[] = {{SETOP_UNION, "1 2 3 4 "}, {SETOP_UNION_ALL, "1 1 1 2 2 3 4 "},
                 {SETOP_INTERSECT, "1 2 "}, {SETOP_INTERSECT_ALL, "1 2 "},
                 {SETOP_EXCEPT, "3 "},      {SETOP_EXCEPT_ALL, "1 3 "}};

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        Plan *left = values(f, 1, (int32_t[]){1, 2, 1, 3}, 4);
        Plan *plan = over(f, PLAN_SETOP, left);
        plan->children[1] = values(f, 1, (int32_t[]){2, 4, 1}, 3);
        plan->setop.op = cases[i].op;
        assert_string_equal(run(f, sort(f, plan, 0, false)), cases[i].rows);
    }
}

static void recursion_ends(void **state)
{
    Fixture *f = *state;
    Plan *base = values(f, 1, (int32_t[]){1}, 1);
    Plan *plan = over(f, PLAN_RECURSIVE, base);
    Plan *ref = new_plan(f, PLAN_CTE_REF, &int4, 1);
    Plan *step = new_plan(f, PLAN_PROJECT, &int4, 1);

    ref->cte.id = plan->cte.id = 7;
    Plan *some = filter(f, ref, call(f, "<", column(f, ref, 0), number(f, 5)));
    Expr *next = call(f, "+", column(f, some, 0), number(f, 1));
    array_push(f->scope, &step->project.exprs, next);
    step->children[0] = some;
    plan->children[1] = step;
    assert_string_equal(run(f, plan), "1 2 3 4 5 ");
}

static void scalar_subquery_runs_once_or_per_row(void **state)
{
    Fixture *f = *state;
    Plan *child = values(f, 1, (int32_t[]){1, 2, 3}, 3);
    Plan *inner = values(f, 2, (int32_t[]){1, 11, 3, 33}, 2);
    Plan *match = filter(f, inner, call(f, "=", column(f, inner, 0), column(f, child, 0)));
    Plan *plan = new_plan(f, PLAN_PROJECT, &int4, 1);
    Expr *subquery = expr_new(f->scope, EXPR_SUBQUERY, int4, 0);

    subquery->subquery.kind = SUBQUERY_SCALAR;
    subquery->subquery.plan = match;
    subquery->subquery.outputs = &match->columns[1].id;
    subquery->subquery.outputs_count = 1;
    subquery->subquery.outer = &child->columns[0].id;
    subquery->subquery.outer_count = 1;
    plan->children[0] = child;
    array_push(f->scope, &plan->project.exprs, subquery);
    assert_string_equal(run(f, plan), "11 NULL 33 ");
}

// --- tests with a table -------------------------------------------------------------------------

/* create table t (a int primary key, b int not null, c text), unique index on b. */
static void make_table(Fixture *f)
{
    static const uint32_t key_at[1] = {0};
    Table *t = &f->table;
    Column *columns = scope_new_array(f->scope, Column, 3);
    RowColumn *row = scope_new_array(f->scope, RowColumn, 3);
    RowSchema *schema = scope_new(f->scope, RowSchema);
    const RowSchema **schemas = scope_new(f->scope, const RowSchema *);
    Index *indexes = scope_new_array(f->scope, Index, 2);
    const Index **list = scope_new_array(f->scope, const Index *, 2);
    IndexColumn *keys = scope_new_array(f->scope, IndexColumn, 2);
    static const char *names[] = {"a", "b", "c"};
    KeyColumn *key = scope_new(f->scope, KeyColumn);

    for (uint32_t i = 0; i < 3; i++) {
        SqlType type = i < 2 ? int4 : text;
        columns[i] = (Column){.id = i, .name = str_from(names[i]), .type = type, .not_null = i < 2};
        row[i] = (RowColumn){.column_id = i, .type = type, .missing = datum_null(type)};
        if (i < 2)
            keys[i] = (IndexColumn){.column = i, .key = {.type = int4}};
    }
    *schema = (RowSchema){.version = 1, .columns_count = 3, .columns = row};
    *schemas = schema;
    *key = (KeyColumn){.type = int4};
    indexes[0] = (Index){.object = {.name = STR("t_pkey")},
                         .relation_id = 1000,
                         .unique = true,
                         .primary = true,
                         .clustered = true,
                         .columns_count = 1,
                         .columns = &keys[0]};
    indexes[1] = (Index){.object = {.name = STR("t_b_key")},
                         .relation_id = 1001,
                         .unique = true,
                         .columns_count = 1,
                         .columns = &keys[1]};
    list[0] = &indexes[0];
    list[1] = &indexes[1];
    *t = (Table){.object = {.name = STR("t")},
                 .relation_id = 1000,
                 .columns_count = 3,
                 .columns = columns,
                 .key_columns_count = 1,
                 .key_columns = key,
                 .key_column_at = key_at,
                 .indexes_count = 2,
                 .indexes = list,
                 .rows_estimate = -1};
    t->relation = (Relation){.id = 1000, .schemas = schemas, .schemas_count = 1};
}

static Plan *table_rows(Fixture *f, const int32_t *numbers, uint32_t rows)
{
    SqlType types[3] = {int4, int4, text};
    Plan *plan = new_plan(f, PLAN_VALUES, types, 3);

    plan->values.rows_count = rows;
    plan->values.rows = scope_new_array(f->scope, ExprList, rows + 1);
    for (uint32_t i = 0; i < rows; i++) {
        Expr *a = number(f, numbers[2 * i]), *b = number(f, numbers[2 * i + 1]);
        array_push(f->scope, &plan->values.rows[i], a);
        array_push(f->scope, &plan->values.rows[i], b);
        Expr *c = string(f, "a text that does not fit inline");
        array_push(f->scope, &plan->values.rows[i], c);
    }
    return plan;
}

static Plan *modify(Fixture *f, ModifyKind kind, Plan *child)
{
    Plan *plan = plan_new(f->scope, PLAN_MODIFY, 0);

    plan->children[0] = child;
    plan->modify.kind = kind;
    plan->modify.table = &f->table;
    plan->modify.new_columns = scope_new_array(f->scope, ColumnId, 3);
    for (uint32_t i = 0; i < 3; i++)
        plan->modify.new_columns[i] = child->columns[i].id;
    return plan;
}

static void insert_rows(Fixture *f, const int32_t *numbers, uint32_t rows)
{
    uint64_t written;

    assert_int_equal(run_txn(f, modify(f, MODIFY_INSERT, table_rows(f, numbers, rows)), &written),
                     OK);
    assert_int_equal(written, rows);
}

static Plan *scan(Fixture *f, bool with_key)
{
    static const uint32_t at[3] = {0, 1, 2};
    SqlType types[4] = {int4, int4, text, bytea};
    Plan *plan = new_plan(f, PLAN_SCAN, types, 3 + with_key);

    plan->scan.table = &f->table;
    plan->scan.column_at = at;
    plan->scan.with_key = with_key;
    plan->scan.method = SCAN_FULL;
    return plan;
}

/* a and b of all rows, by a. */
static const char *contents(Fixture *f)
{
    SqlType types[2] = {int4, int4};
    Plan *child = scan(f, false), *plan = new_plan(f, PLAN_PROJECT, types, 2);
    uint64_t rows;

    plan->children[0] = child;
    for (uint32_t i = 0; i < 2; i++) {
        Expr *expr = column(f, child, i);
        array_push(f->scope, &plan->project.exprs, expr);
    }
    assert_int_equal(run_txn(f, plan, &rows), OK);
    return strbuf_c(&f->rows);
}

static void inserted_rows_are_scanned(void **state)
{
    Fixture *f = *state;

    make_table(f);
    insert_rows(f, (int32_t[]){3, 30, 1, 10, 2, 20}, 3);
    assert_string_equal(contents(f), "1,10 2,20 3,30 ");
}

static void keys_are_unique(void **state)
{
    Fixture *f = *state;
    uint64_t rows;

    make_table(f);
    insert_rows(f, (int32_t[]){1, 10}, 1);
    Plan *plan = modify(f, MODIFY_INSERT, table_rows(f, (int32_t[]){1, 11}, 1));
    assert_int_equal(run_txn(f, plan, &rows), E_UNIQUE_VIOLATION);
    assert_string_equal(f->ctx.error.message,
                        "duplicate key value violates unique constraint \"t_pkey\"");
    assert_string_equal(f->ctx.error.detail, "Key (a)=(1) already exists.");
    error_clear(&f->ctx);
    plan = modify(f, MODIFY_INSERT, table_rows(f, (int32_t[]){2, 10}, 1));
    assert_int_equal(run_txn(f, plan, &rows), E_UNIQUE_VIOLATION);
    assert_string_equal(f->ctx.error.detail, "Key (b)=(10) already exists.");
    error_clear(&f->ctx);
    assert_string_equal(contents(f), "1,10 ");
}

static void null_is_refused(void **state)
{
    Fixture *f = *state;
    uint64_t rows;

    make_table(f);
    Plan *plan = modify(f, MODIFY_INSERT, table_rows(f, (int32_t[]){1, NO_VALUE}, 1));
    assert_int_equal(run_txn(f, plan, &rows), E_NOT_NULL_VIOLATION);
    assert_string_equal(f->ctx.error.message, "null value in column \"b\" of relation \"t\" "
                                              "violates not-null constraint");
    assert_string_equal(f->ctx.error.detail,
                        "Failing row contains (1, null, a text that does not fit inline).");
    error_clear(&f->ctx);
}

/* update t set a = a + step, b = b + step */
static Plan *shift(Fixture *f, int32_t step, bool keys)
{
    SqlType types[7] = {int4, int4, text, int4, int4, text, bytea};
    Plan *child = scan(f, true), *plan = new_plan(f, PLAN_PROJECT, types, 7);
    static bool updated[2][3] = {{false, true, false}, {true, true, false}};

    plan->children[0] = child;
    for (uint32_t i = 0; i < 3; i++) {
        Expr *value = column(f, child, i);
        if (i == 1 || (i == 0 && keys))
            value = call(f, "+", value, number(f, step));
        array_push(f->scope, &plan->project.exprs, value);
    }
    for (uint32_t i = 0; i < 4; i++) {
        Expr *value = column(f, child, i);
        array_push(f->scope, &plan->project.exprs, value);
    }
    plan = modify(f, MODIFY_UPDATE, plan);
    plan->modify.updated = updated[keys];
    return plan;
}

static void updates_move_rows_and_entries(void **state)
{
    Fixture *f = *state;
    uint64_t rows;

    make_table(f);
    insert_rows(f, (int32_t[]){1, 10, 2, 20}, 2);
    assert_int_equal(run_txn(f, shift(f, 100, true), &rows), OK);
    assert_int_equal(rows, 2);
    assert_string_equal(contents(f), "101,110 102,120 ");
    insert_rows(f, (int32_t[]){1, 10}, 1);
    assert_int_equal(run_txn(f, shift(f, 1, false), &rows), OK);
    assert_string_equal(contents(f), "1,11 101,111 102,121 ");
}

static void deleted_rows_and_entries_are_gone(void **state)
{
    Fixture *f = *state;
    uint64_t rows;

    make_table(f);
    insert_rows(f, (int32_t[]){1, 10, 2, 20}, 2);
    Plan *child = scan(f, true);
    Expr *one = call(f, "=", column(f, child, 0), number(f, 1));
    array_push(f->scope, &child->scan.filters, one);
    assert_int_equal(run_txn(f, modify(f, MODIFY_DELETE, child), &rows), OK);
    assert_int_equal(rows, 1);
    insert_rows(f, (int32_t[]){3, 10}, 1);
    assert_string_equal(contents(f), "2,20 3,10 ");
}

static void point_and_index_find_a_row(void **state)
{
    Fixture *f = *state;
    uint64_t rows;

    make_table(f);
    insert_rows(f, (int32_t[]){1, 10, 2, 20, 3, 30}, 3);
    for (int i = 0; i < 3; i++) {
        Plan *plan = scan(f, false);
        Expr *value = number(f, i == 0 ? 2 : 20);
        plan->scan.method = i == 0 ? SCAN_KEY_RANGE : SCAN_INDEX;
        plan->scan.index = i == 0 ? NULL : f->table.indexes[1];
        plan->scan.bounds.equal = scope_new(f->scope, Expr *);
        plan->scan.bounds.equal[0] = value;
        plan->scan.bounds.equal_count = 1;
        plan->scan.unique_match = i < 2;
        assert_int_equal(run_txn(f, plan, &rows), OK);
        assert_int_equal(rows, 1);
        assert_memory_equal(strbuf_c(&f->rows), "2,20,", 5);
    }
}

static void ranges_are_cut_right(void **state)
{
    Fixture *f = *state;
    uint64_t rows;

    make_table(f);
    insert_rows(f, (int32_t[]){1, 10, 2, 20, 3, 30, 4, 40}, 4);
    for (int inclusive = 0; inclusive < 2; inclusive++) {
        Plan *plan = scan(f, false);
        plan->scan.method = SCAN_KEY_RANGE;
        plan->scan.bounds.low = number(f, 1);
        plan->scan.bounds.high = number(f, 3);
        plan->scan.bounds.low_inclusive = plan->scan.bounds.high_inclusive = inclusive;
        assert_int_equal(run_txn(f, plan, &rows), OK);
        assert_int_equal(rows, inclusive ? 3 : 1);
    }
}

/* insert … on conflict (a) do update set b = excluded.b */
static Plan *upsert(Fixture *f, const int32_t *numbers, uint32_t count, bool update)
{
    Plan *plan = modify(f, MODIFY_INSERT, table_rows(f, numbers, count));
    ConflictPlan *conflict = scope_new(f->scope, ConflictPlan);

    plan->modify.conflict = conflict;
    conflict->do_update = update;
    if (!update)
        return plan;
    conflict->arbiter = f->table.indexes[0];
    conflict->existing = scope_new_array(f->scope, ColumnId, 3);
    conflict->excluded = scope_new_array(f->scope, ColumnId, 3);
    for (uint32_t i = 0; i < 3; i++) {
        conflict->existing[i] = f->next_id++;
        conflict->excluded[i] = f->next_id++;
    }
    for (uint32_t i = 0; i < 3; i++) {
        SqlType type = i < 2 ? int4 : text;
        ColumnId id = i == 1 ? conflict->excluded[i] : conflict->existing[i];
        Expr *value = expr_column(f->scope, id, type, "c");
        array_push(f->scope, &conflict->new_row, value);
    }
    return plan;
}

static void conflicts_are_skipped_or_merged(void **state)
{
    Fixture *f = *state;
    uint64_t rows;

    make_table(f);
    insert_rows(f, (int32_t[]){1, 10, 2, 20}, 2);
    assert_int_equal(run_txn(f, upsert(f, (int32_t[]){1, 99, 3, 20, 4, 40}, 3, false), &rows), OK);
    assert_int_equal(rows, 1);
    assert_string_equal(contents(f), "1,10 2,20 4,40 ");
    assert_int_equal(run_txn(f, upsert(f, (int32_t[]){1, 11, 5, 50}, 2, true), &rows), OK);
    assert_int_equal(rows, 2);
    assert_string_equal(contents(f), "1,11 2,20 4,40 5,50 ");
    assert_int_equal(run_txn(f, upsert(f, (int32_t[]){7, 1, 7, 2}, 2, true), &rows),
                     E_CARDINALITY_VIOLATION);
    error_clear(&f->ctx);
}

static void index_build_finds_duplicates(void **state)
{
    Fixture *f = *state;
    TxnOptions options = {0};
    const Snapshot *snapshot;
    Txn *txn;

    make_table(f);
    f->table.indexes_count = 1;
    insert_rows(f, (int32_t[]){1, 10, 2, 10}, 2);
    assert_int_equal(txn_begin(&f->ctx, f->txns, &options, &txn), OK);
    assert_int_equal(txn_statement_begin(&f->ctx, txn, false, &snapshot), OK);
    ExecEnv env = env_of(f, txn, snapshot);
    IndexBuild build = {.table = &f->table, .index = f->table.indexes[1]};
    assert_int_equal(index_build(&f->ctx, f->scope, &env, &build), E_UNIQUE_VIOLATION);
    assert_string_equal(f->ctx.error.message, "could not create unique index \"t_b_key\"");
    assert_string_equal(f->ctx.error.detail, "Key (b)=(10) is duplicated.");
    txn_abort(txn);
    error_clear(&f->ctx);
}

enum { ROWS = 60000, STEP = 2000 };

/* a = b = 0 … ROWS - 1 */
static void fill_table(Fixture *f)
{
    int32_t numbers[2 * STEP];

    make_table(f);
    for (int32_t first = 0; first < ROWS; first += STEP) {
        for (int32_t i = 0; i < STEP; i++) {
            numbers[2 * i] = first + i;
            numbers[2 * i + 1] = first + i;
        }
        insert_rows(f, numbers, STEP);
    }
}

/* Every row of a sort, group or join that does not fit its memory comes back. */
static void what_does_not_fit_is_spilled(void **state)
{
    Fixture *f = *state;
    uint64_t rows;

    fill_table(f);
    f->work_mem = 1 << 20;
    Plan *sorted = sort(f, scan(f, false), 1, true);
    assert_int_equal(run_txn(f, sorted, &rows), OK);
    assert_int_equal(rows, ROWS);
    const char *at = strbuf_c(&f->rows);
    for (int32_t i = ROWS - 1; i >= 0; i--) {
        char expected[80];
        int length =
            snprintf(expected, sizeof expected, "%d,%d,a text that does not fit inline ", i, i);
        assert_memory_equal(at, expected, (size_t)length);
        at += length;
    }
    Plan *limited = over(f, PLAN_LIMIT, sort(f, scan(f, false), 1, true));
    Datum offset = {.type = sql_type(OID_INT8), .int64 = ROWS - 2};
    limited->limit.offset = expr_const(f->scope, &offset);
    assert_int_equal(run_txn(f, limited, &rows), OK);
    assert_memory_equal(strbuf_c(&f->rows), "1,1,", 4);
}

static void groups_that_do_not_fit_are_spilled(void **state)
{
    Fixture *f = *state;
    uint64_t rows;

    fill_table(f);
    f->work_mem = 1 << 20;
    for (int column = 0; column < 2; column++) {
        Plan *groups = aggregate(f, scan(f, false), column, "sum", 1, false);
        assert_int_equal(run_txn(f, sort(f, groups, 0, false), &rows), OK);
        assert_int_equal(rows, ROWS);
        const char *at = strbuf_c(&f->rows);
        for (int32_t i = 0; i < ROWS; i++) {
            char expected[40];
            int length = snprintf(expected, sizeof expected, "%d,%d ", i, i);
            assert_memory_equal(at, expected, (size_t)length);
            at += length;
        }
    }
}

static void joins_that_do_not_fit_are_spilled(void **state)
{
    Fixture *f = *state;
    static const struct {
        JoinType type;
        uint64_t rows;
    } cases[] = {
        {JOIN_INNER, ROWS / 2}, {JOIN_LEFT, ROWS},     {JOIN_RIGHT, ROWS / 2},
        {JOIN_FULL, ROWS},      {JOIN_SEMI, ROWS / 2}, {JOIN_ANTI, ROWS / 2},
    };
    uint64_t rows;

    fill_table(f);
    f->work_mem = 1 << 20;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        for (int side = 0; side < 2; side++) {
            Plan *half = scan(f, false);
            Expr *upper = call(f, ">=", column(f, half, 0), number(f, ROWS / 2));
            array_push(f->scope, &half->scan.filters, upper);
            Plan *plan = join(f, cases[i].type, JOIN_HASH, scan(f, false), half);
            plan->join.build_left = side;
            assert_int_equal(run_txn(f, plan, &rows), OK);
            assert_int_equal(rows, cases[i].rows);
        }
    }
}

/* Many rows, several workers: sums, groups and order are what one worker finds. */
static void many_rows_in_parallel(void **state)
{
    Fixture *f = *state;
    uint64_t rows;

    fill_table(f);
    assert_int_equal(run_txn(f, aggregate(f, scan(f, false), -1, "count", -1, false), &rows), OK);
    assert_string_equal(strbuf_c(&f->rows), "60000 ");
    Plan *self = join(f, JOIN_INNER, JOIN_HASH, scan(f, false), scan(f, false));
    assert_int_equal(run_txn(f, aggregate(f, self, -1, "count", -1, false), &rows), OK);
    assert_string_equal(strbuf_c(&f->rows), "60000 ");
    Plan *groups = aggregate(f, scan(f, false), 0, "count", -1, false);
    assert_int_equal(run_txn(f, aggregate(f, groups, -1, "count", -1, false), &rows), OK);
    assert_string_equal(strbuf_c(&f->rows), "60000 ");
    Plan *some = filter(f, scan(f, false), NULL);
    some->filter.conditions.count = 0;
    Expr *condition = call(f, ">=", column(f, some, 0), number(f, 59997));
    array_push(f->scope, &some->filter.conditions, condition);
    assert_int_equal(run_txn(f, some, &rows), OK);
    assert_int_equal(rows, 3);
    assert_memory_equal(strbuf_c(&f->rows), "59997,59997,", 12);
    Plan *sorted = sort(f, scan(f, false), 1, true);
    Plan *limited = over(f, PLAN_LIMIT, sorted);
    Datum one = {.type = sql_type(OID_INT8), .int64 = 1};
    limited->limit.limit = expr_const(f->scope, &one);
    assert_int_equal(run_txn(f, limited, &rows), OK);
    assert_int_equal(rows, 1);
    assert_memory_equal(strbuf_c(&f->rows), "59999,59999,", 12);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_come_in_order),
        TEST(filter_drops_false_and_null),
        TEST(case_protects_its_branches),
        TEST(and_stops_at_false),
        TEST(in_list_knows_null),
        TEST(sort_puts_nulls_last),
        TEST(top_n_keeps_the_first),
        TEST(limit_and_offset_cut),
        TEST(groups_are_counted),
        TEST(distinct_aggregates_count_once),
        TEST(plain_aggregate_of_nothing_is_a_row),
        TEST(hash_joins_of_all_types),
        TEST(nested_loops_of_all_types),
        TEST(single_join_refuses_two_matches),
        TEST(set_operations_count_rows),
        TEST(recursion_ends),
        TEST(scalar_subquery_runs_once_or_per_row),
        TEST(inserted_rows_are_scanned),
        TEST(keys_are_unique),
        TEST(null_is_refused),
        TEST(updates_move_rows_and_entries),
        TEST(deleted_rows_and_entries_are_gone),
        TEST(point_and_index_find_a_row),
        TEST(ranges_are_cut_right),
        TEST(conflicts_are_skipped_or_merged),
        TEST(index_build_finds_duplicates),
        TEST(what_does_not_fit_is_spilled),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_spilled, set_up_parallel, tear_down),
        TEST(groups_that_do_not_fit_are_spilled),
        cmocka_unit_test_setup_teardown(groups_that_do_not_fit_are_spilled, set_up_parallel,
                                        tear_down),
        TEST(joins_that_do_not_fit_are_spilled),
        cmocka_unit_test_setup_teardown(joins_that_do_not_fit_are_spilled, set_up_parallel,
                                        tear_down),
        TEST(many_rows_in_parallel),
        cmocka_unit_test_setup_teardown(many_rows_in_parallel, set_up_parallel, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
