// SPDX-License-Identifier: Apache-2.0
//
// Statements bound against a catalog in memory: names, types and errors as PostgreSQL 15 gives them
// (bind_cases.def), and the plans' shapes: correlation, WITH, numeric types, locks.
#include "sql/parse/parse.h"
#include "sql/sql.h"

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
    CatalogManager *manager;
    Catalog *catalog;
    Txn *txn;
    TypeIoContext io;
    SessionInfo session;
} Fixture;

static const Oid search_path[] = {OID_SCHEMA_PG_CATALOG, OID_SCHEMA_PUBLIC};

static BindEnv env_of(Fixture *f, Str text)
{
    return (BindEnv){.catalog = f->catalog,
                     .database = OID_DATABASE_POSTGRES,
                     .role = OID_ROLE_POSTGRES,
                     .search_path = search_path,
                     .search_path_count = 2,
                     .io = &f->io,
                     .session = &f->session,
                     .text = text};
}

// --- the catalog -------------------------------------------------------------------------------

static void add_constraint(Fixture *f, const AstConstraint *ast, Column *column)
{
    const AstConst *value = (const AstConst *)ast->expr;

    if (ast->kind == AST_CONSTR_DEFAULT)
        column->default_sql =
            value->kind == AST_CONST_INT
                ? str_from(scope_printf(f->scope, "%d", value->integer))
                : str_from(scope_printf(f->scope, "'%.*s'", (int)value->text.len, value->text.ptr));
    if (ast->kind == AST_CONSTR_IDENTITY) {
        column->generated = GENERATED_ALWAYS_IDENTITY;
        column->sequence = 99;
    }
}

/* The clustered primary key on the first column. */
static const Index *primary_key(Fixture *f, const Table *table)
{
    Index *index = scope_new(f->scope, Index);
    IndexColumn *column = scope_new(f->scope, IndexColumn);

    column->column = table->columns[0].id;
    column->key.type = table->columns[0].type;
    index->object = table->object;
    index->object.kind = OBJECT_INDEX;
    index->object.oid = catalog_new_oid(f->catalog);
    index->object.name = str_from(
        scope_printf(f->scope, "%.*s_pkey", (int)table->object.name.len, table->object.name.ptr));
    index->table = table->object.oid;
    index->relation_id = table->relation_id;
    index->unique = index->primary = index->clustered = index->constraint = true;
    index->columns_count = 1;
    index->columns = column;
    return index;
}

static RowSchema *schema_of(Fixture *f, const Table *table)
{
    RowSchema *schema = scope_new(f->scope, RowSchema);
    RowColumn *columns = scope_new_array(f->scope, RowColumn, table->columns_count);

    for (uint32_t i = 0; i < table->columns_count; i++)
        columns[i] = (RowColumn){table->columns[i].id, table->columns[i].type,
                                 datum_null(table->columns[i].type)};
    schema->columns_count = table->columns_count;
    schema->columns = columns;
    return schema;
}

/* The table that the statement describes, its first column being the primary key. */
static void create(Fixture *f, const char *sql)
{
    AstList statements;
    BindEnv env = env_of(f, str_from(sql));

    assert_int_equal(sql_parse(&f->ctx, f->scope, str_from(sql), &statements), OK);
    const AstCreateTable *ast = (const AstCreateTable *)((AstStatement *)statements.items[0])->body;
    Table *table = scope_new(f->scope, Table);
    Column *columns = scope_new_array(f->scope, Column, ast->elements.count);
    for (uint32_t i = 0; i < ast->elements.count; i++) {
        const AstColumnDef *def = (const AstColumnDef *)ast->elements.items[i];
        columns[i].id = i;
        columns[i].name = def->name;
        assert_int_equal(sql_bind_type(&f->ctx, f->scope, &env, def->type, &columns[i].type), OK);
        columns[i].missing = datum_null(columns[i].type);
        for (uint32_t j = 0; j < def->constraints.count; j++)
            add_constraint(f, (const AstConstraint *)def->constraints.items[j], &columns[i]);
    }
    table->object = (Object){.kind = OBJECT_TABLE,
                             .oid = catalog_new_oid(f->catalog),
                             .database = OID_DATABASE_POSTGRES,
                             .schema = OID_SCHEMA_PUBLIC,
                             .owner = OID_ROLE_POSTGRES,
                             .name = ast->table->name.name};
    table->relation_id = catalog_new_relation_id(f->catalog);
    table->columns = columns;
    table->columns_count = table->next_column_id = ast->elements.count;
    const RowSchema **schemas = scope_new(f->scope, const RowSchema *);
    schemas[0] = schema_of(f, table);
    table->relation = (Relation){table->relation_id, schemas, 1};
    const Index **indexes = scope_new(f->scope, const Index *);
    indexes[0] = primary_key(f, table);
    KeyColumn *key = scope_new(f->scope, KeyColumn);
    key->type = columns[0].type;
    table->key_columns = key;
    table->key_columns_count = 1;
    table->key_column_at = scope_new(f->scope, uint32_t);
    table->indexes = indexes;
    table->indexes_count = 1;
    table->rows_estimate = -1;
    assert_int_equal(catalog_put(&f->ctx, f->catalog, &table->object), OK);
}

static void create_view(Fixture *f, const char *name, const char *query, const char *const *columns)
{
    View *view = scope_new(f->scope, View);
    Column *list = scope_new_array(f->scope, Column, 2);

    for (uint32_t i = 0; i < 2; i++) {
        list[i].id = i;
        list[i].name = str_from(columns[i]);
        list[i].type = sql_type(i == 0 ? OID_INT4 : OID_TEXT);
        list[i].missing = datum_null(list[i].type);
    }
    view->object = (Object){.kind = OBJECT_VIEW,
                            .oid = catalog_new_oid(f->catalog),
                            .database = OID_DATABASE_POSTGRES,
                            .schema = OID_SCHEMA_PUBLIC,
                            .owner = OID_ROLE_POSTGRES,
                            .name = str_from(name)};
    view->query_sql = str_from(query);
    view->columns = list;
    view->columns_count = 2;
    assert_int_equal(catalog_put(&f->ctx, f->catalog, &view->object), OK);
}

static int set_up(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    StorageOptions options = {.dir = NULL, .memory_limit = 64 << 20, .generation_bytes = 16 << 20};
    TxnOptions txn = {0};

    ctx_init(&f->ctx);
    f->scope = scope_open(NULL, "bind test");
    assert_int_equal(storage_open(&f->ctx, &options, &f->storage), OK);
    assert_int_equal(txn_manager_open(&f->ctx, f->storage, &f->txns), OK);
    assert_int_equal(catalog_manager_open(&f->ctx, f->txns, f->storage, &f->manager), OK);
    assert_int_equal(txn_begin(&f->ctx, f->txns, &txn, &f->txn), OK);
    f->catalog = catalog_open(f->manager, f->scope, OID_DATABASE_POSTGRES, f->txn);
    create(f, "create table t(a int, b text, c numeric(10,2), d date, e varchar(10), f float8, "
              "g bigint, h char(5), i int2, k bool)");
    create(f, "create table u(a int, x text, y numeric(5,1), z timestamp)");
    create(f, "create table w(id int generated always as identity, n int default 5, "
              "m text default 'x', q int)");
    create_view(f, "v", "select a, b from t where a > 1", (const char *const[]){"va", "vb"});
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;

    txn_abort(f->txn);
    scope_close(f->scope);
    catalog_manager_close(f->manager);
    txn_manager_close(f->txns);
    storage_close(f->storage);
    ctx_free(&f->ctx);
    free(f);
    return 0;
}

// --- binding -----------------------------------------------------------------------------------

static Status bind(Fixture *f, const char *sql, PlannedStatement *out)
{
    Status st = OK;
    AstList statements;
    BindEnv env = env_of(f, str_from(sql));

    error_clear(&f->ctx);
    TRY(sql_parse(&f->ctx, f->scope, str_from(sql), &statements));
    TRY(sql_bind(&f->ctx, f->scope, &env, statements.items[0], out));
    TRY(plan_resolve(&f->ctx, f->scope, out->plan, NULL));
done:
    return st;
}

static void describe(Fixture *f, Status st, const PlannedStatement *statement, StrBuf *out)
{
    const Error *e = &f->ctx.error;

    if (st != OK) {
        strbuf_printf(out, "E %s|%s|%s|%s|", error_sqlstate(st), e->message,
                      e->detail ? e->detail : "", e->hint ? e->hint : "");
        if (e->position > 0)
            strbuf_printf(out, "%d", e->position);
        return;
    }
    strbuf_append_c(out, "R");
    for (uint32_t i = 0; i < statement->result_columns_count; i++)
        strbuf_printf(out, "%s %s %s", i > 0 ? "," : "", statement->result_columns[i].name,
                      type_format(f->scope, statement->result_columns[i].type));
    if (statement->params_count > 0 && statement->result_columns_count == 0)
        strbuf_append_char(out, ' ');
    for (uint32_t i = 0; i < statement->params_count; i++)
        strbuf_printf(out, " $%u %s", i + 1,
                      type_format(f->scope, sql_type(statement->params[i].oid)));
}

static void answers_are_postgresqls(void **state)
{
    static const struct {
        const char *sql, *answer;
    } cases[] = {
#define CASE(sql, answer) {sql, answer},
#include "sql/bind/bind_cases.def"
#undef CASE
    };
    Fixture *f = *state;
    uint32_t wrong = 0;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        PlannedStatement statement;
        StrBuf answer;
        strbuf_init(&answer);
        describe(f, bind(f, cases[i].sql, &statement), &statement, &answer);
        if (strcmp(strbuf_c(&answer), cases[i].answer) != 0) {
            print_error("%s\n  expected %s\n  got      %s\n", cases[i].sql, cases[i].answer,
                        strbuf_c(&answer));
            wrong++;
        }
        strbuf_free(&answer);
    }
    assert_int_equal(wrong, 0);
}

// --- plans -------------------------------------------------------------------------------------

static Plan *plan_of(Fixture *f, const char *sql)
{
    PlannedStatement statement;

    if (bind(f, sql, &statement) != OK)
        fail_msg("%s: %s", sql, f->ctx.error.message);
    return statement.plan;
}

static const Plan *find(const Plan *plan, PlanKind kind)
{
    if (plan == NULL || plan->kind == kind)
        return plan;
    const Plan *left = find(plan->children[0], kind);
    return left ? left : find(plan->children[1], kind);
}

static SqlType type_of(Fixture *f, const char *expr)
{
    const char *sql = scope_printf(f->scope, "select %s from t, u", expr);

    return plan_of(f, sql)->columns[0].type;
}

static void numerics_stay_scaled_while_exact(void **state)
{
    static const struct {
        const char *expr;
        int precision, scale;
    } cases[] = {{"c", 10, 2},        {"c + y", 11, 2},
                 {"c * y", 15, 3},    {"c * (1 - c)", 21, 4},
                 {"c + 1", 11, 2},    {"c + 0.125", 12, 3},
                 {"0.05", 2, 2},      {"sum(c)", 38, 2},
                 {"max(t.c)", 10, 2}, {"coalesce(c, 1.50)", 10, 2}};
    Fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SqlType type = type_of(f, cases[i].expr);
        SqlType expected = type_numeric(cases[i].precision, cases[i].scale);
        if (!type_equal(type, expected))
            fail_msg("%s is %s", cases[i].expr, type_format(f->scope, type));
    }
}

/* 1.50 and 2 must be displayed as they are: no common scale does that. */
static void values_of_two_scales_are_plain_numerics(void **state)
{
    static const char *const exprs[] = {"coalesce(c, y)", "case when k then c else 0 end", "c / 2",
                                        "greatest(c, 1.5)"};
    Fixture *f = *state;

    for (size_t i = 0; i < sizeof exprs / sizeof *exprs; i++)
        assert_true(type_equal(type_of(f, exprs[i]), sql_type(OID_NUMERIC)));
    Plan *plan = plan_of(f, "select c from t union all select y from u");
    assert_true(type_equal(plan->columns[0].type, sql_type(OID_NUMERIC)));
}

static const Expr *first_condition(Fixture *f, const char *sql)
{
    const Plan *filter = find(plan_of(f, sql), PLAN_FILTER);

    assert_non_null(filter);
    return filter->filter.conditions.data[0];
}

static void comparisons_have_one_scale_on_both_sides(void **state)
{
    Fixture *f = *state;
    const Expr *equal = first_condition(f, "select 1 from t where c = 1.5");

    assert_true(type_equal(equal->args[0]->type, equal->args[1]->type));
    assert_int_equal(equal->args[1]->kind, EXPR_CONST);
    const Expr *in = first_condition(f, "select 1 from t where c in (1, 2.5, 3.125)");
    assert_int_equal(in->kind, EXPR_IN);
    for (uint32_t i = 1; i < in->args_count; i++)
        assert_true(type_equal(in->args[0]->type, in->args[i]->type));
}

static void a_correlated_subquery_names_its_outer_columns(void **state)
{
    Fixture *f = *state;
    const Expr *exists = first_condition(
        f, "select 1 from t where exists (select 1 from u where u.a = t.a and u.x = t.b and "
           "exists (select 1 from w where w.id = t.a and w.n = u.a))");

    assert_int_equal(exists->kind, EXPR_SUBQUERY);
    assert_int_equal(exists->subquery.outer_count, 2);
    const Expr *plain = first_condition(f, "select 1 from t where a in (select a from u)");
    assert_int_equal(plain->subquery.kind, SUBQUERY_ANY);
    assert_int_equal(plain->subquery.outer_count, 0);
    assert_int_equal(plain->args_count, 1);
}

static void an_aggregate_of_outer_columns_is_the_outer_querys(void **state)
{
    Fixture *f = *state;
    const Plan *plan = plan_of(f, "select (select sum(t.a) from u limit 1) from t");
    const Plan *outer = find(plan, PLAN_AGGREGATE);

    assert_non_null(outer);
    assert_int_equal(outer->aggregate.aggs.count, 1);
}

static void a_lateral_item_makes_the_join_dependent(void **state)
{
    Fixture *f = *state;
    const char *lateral = "select * from t, lateral (select x from u where u.a = t.a) s";
    const char *plain = "select * from t, lateral (select x from u) s";

    assert_true(find(plan_of(f, lateral), PLAN_JOIN)->join.dependent);
    assert_false(find(plan_of(f, plain), PLAN_JOIN)->join.dependent);
}

static void a_cte_used_once_is_inlined(void **state)
{
    Fixture *f = *state;

    assert_null(find(plan_of(f, "with q as (select a from t) select * from q"), PLAN_CTE));
    assert_non_null(
        find(plan_of(f, "with q as materialized (select a from t) select * from q"), PLAN_CTE));
    assert_non_null(find(plan_of(f, "with q as (select a from t) select * from q, q p"), PLAN_CTE));
    assert_non_null(find(plan_of(f, "with q as (select random() r) select * from q"), PLAN_CTE));
    assert_null(find(plan_of(f, "with q as (select a from t) select 1"), PLAN_CTE));
    const Plan *recursive =
        find(plan_of(f, "with recursive q(n) as (select 1 union select n + 1 from q where n < 9) "
                        "select * from q"),
             PLAN_RECURSIVE);
    assert_non_null(recursive);
    assert_true(recursive->cte.distinct);
}

static void rows_are_locked_below_the_limit(void **state)
{
    Fixture *f = *state;
    PlannedStatement statement;

    assert_int_equal(
        bind(f, "select a from t order by b limit 1 for update skip locked", &statement), OK);
    const Plan *limit = find(statement.plan, PLAN_LIMIT);
    assert_int_equal(limit->children[0]->kind, PLAN_LOCK_ROWS);
    assert_int_equal(limit->children[0]->children[0]->kind, PLAN_SORT);
    assert_true(limit->children[0]->lock_rows.skip_locked);
    assert_false(statement.reads_only);
    assert_int_equal(statement.tables_count, 1);
    assert_int_equal(statement.table_modes[0], TABLE_ROW_SHARE);
}

static void statements_tell_what_they_touch(void **state)
{
    Fixture *f = *state;
    PlannedStatement statement;

    assert_int_equal(bind(f, "update t set b = u.x from u where u.a = t.a", &statement), OK);
    assert_int_equal(statement.tables_count, 2);
    assert_int_equal(statement.table_modes[0], TABLE_ROW_EXCLUSIVE);
    assert_int_equal(statement.table_modes[1], TABLE_ACCESS_SHARE);
    assert_false(statement.reads_only);
    const ModifyPlan *modify = &statement.plan->modify;
    const Plan *child = statement.plan->children[0];
    uint32_t count = modify->table->columns_count;
    assert_int_equal(child->columns_count, 2 * count + 1);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(child->columns[i].id, modify->new_columns[i]);
        assert_int_equal(modify->updated[i], i == 1);
    }
    assert_int_equal(child->columns[2 * count].type.oid, OID_BYTEA);
    assert_int_equal(bind(f, "select * from v", &statement), OK);
    assert_true(statement.reads_only);
    assert_int_equal(statement.tables_count, 2);
    assert_int_equal(statement.result_attnums[1], 2);
}

/* n times the text, in the statement's scope. */
static char *repeated(Fixture *f, const char *before, const char *part, uint32_t n,
                      const char *after)
{
    StrBuf buf;

    strbuf_init(&buf);
    strbuf_append_c(&buf, before);
    for (uint32_t i = 0; i < n; i++)
        strbuf_append_c(&buf, part);
    strbuf_append_c(&buf, after);
    char *text = scope_strndup(f->scope, buf.ptr, buf.len);
    strbuf_free(&buf);
    return text;
}

static void what_repeats_itself_is_limited(void **state)
{
    Fixture *f = *state;
    PlannedStatement statement;
    char *nested =
        repeated(f, repeated(f, "select ", "(", 40, "a"), " between 1 and 2)::int", 40, " from t");

    assert_int_equal(bind(f, nested, &statement), E_STATEMENT_TOO_COMPLEX);
    char *wide = repeated(f, "select a", ", a", TARGETS_MAX, " from t");
    assert_int_equal(bind(f, wide, &statement), E_TOO_MANY_COLUMNS);
    char *long_list = repeated(f, "select 1 from t where a in (0", ", 1", 20000, ")");
    assert_int_equal(bind(f, long_list, &statement), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_are_postgresqls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(numerics_stay_scaled_while_exact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_of_two_scales_are_plain_numerics, set_up, tear_down),
        cmocka_unit_test_setup_teardown(comparisons_have_one_scale_on_both_sides, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_correlated_subquery_names_its_outer_columns, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_aggregate_of_outer_columns_is_the_outer_querys, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_lateral_item_makes_the_join_dependent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cte_used_once_is_inlined, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_are_locked_below_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(statements_tell_what_they_touch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_repeats_itself_is_limited, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
