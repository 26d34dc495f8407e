// SPDX-License-Identifier: Apache-2.0
//
// Expressions: conjunctions, equality, copies, rewrites, what counts as constant, and their text in
// EXPLAIN. Expected texts are PostgreSQL 15's for the same expressions.
#include "sql/plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int set_up(void **state)
{
    *state = scope_open(NULL, "expr test");
    return 0;
}

static int tear_down(void **state)
{
    scope_close(*state);
    return 0;
}

static Expr *int4(Scope *scope, int32_t value)
{
    Datum datum = {.type = sql_type(OID_INT4), .int32 = value};
    return expr_const(scope, &datum);
}

static Expr *text(Scope *scope, const char *value)
{
    Datum datum = {.type = sql_type(OID_TEXT), .string = strview_make(value, strlen(value))};
    return expr_const(scope, &datum);
}

static Expr *apply(Scope *scope, const char *op, Expr *left, Expr *right)
{
    const OperatorInfo *info = operator_exact(op, left->type.oid, right->type.oid);
    assert_non_null(info);
    Expr *expr = expr_new(scope, EXPR_FUNC, sql_type(info->result), 2);
    expr->args[0] = left;
    expr->args[1] = right;
    expr->func.info = info->func;
    expr->func.op = info;
    return expr;
}

static void assert_prints(const Expr *expr, const char *expected)
{
    StrBuf buf;

    strbuf_init(&buf);
    expr_print(&buf, expr);
    assert_string_equal(strbuf_c(&buf), expected);
    strbuf_free(&buf);
}

static void conjunctions_are_flat(void **state)
{
    Scope *scope = *state;
    Expr *a = expr_column(scope, 1, sql_type(OID_BOOL), "a");
    Expr *b = expr_column(scope, 2, sql_type(OID_BOOL), "b");
    Expr *c = expr_column(scope, 3, sql_type(OID_BOOL), "c");
    Expr *ab = expr_and(scope, (Expr *[]){a, b}, 2);
    Expr *abc = expr_and(scope, (Expr *[]){ab, c}, 2);

    assert_int_equal(abc->kind, EXPR_AND);
    assert_int_equal(abc->args_count, 3);
    assert_ptr_equal(expr_and(scope, &a, 1), a);
    assert_null(expr_and(scope, NULL, 0));
    ExprList list = {0};
    expr_conjuncts(scope, abc, &list);
    assert_int_equal(list.count, 3);
    assert_ptr_equal(list.data[2], c);
}

static void equality_ignores_places_but_not_values(void **state)
{
    Scope *scope = *state;
    Expr *column = expr_column(scope, 7, sql_type(OID_INT4), "t.a");
    Expr *one = apply(scope, "+", column, int4(scope, 5));
    Expr *same = expr_copy(scope, one);

    same->location = 12;
    same->args[0]->column.slot = 3;
    assert_true(expr_equal(one, same));
    assert_false(expr_equal(one, apply(scope, "+", column, int4(scope, 6))));
    assert_false(expr_equal(one, apply(scope, "-", column, int4(scope, 5))));
    assert_false(expr_equal(text(scope, "a longer text than twelve"),
                            text(scope, "a longer text than twelvf")));
    assert_true(expr_equal(text(scope, "a longer text than twelve"),
                           text(scope, "a longer text than twelve")));
    assert_false(expr_equal(expr_null(scope, sql_type(OID_INT4)), int4(scope, 0)));
}

static void a_copy_shares_no_node(void **state)
{
    Scope *scope = *state;
    Expr *column = expr_column(scope, 7, sql_type(OID_INT4), "a");
    Expr *sum = apply(scope, "+", column, int4(scope, 5));
    Expr *copy = expr_copy(scope, sum);

    copy->args[0]->column.id = 8;
    assert_int_equal(column->column.id, 7);
}

static Expr *rename_seven(void *arg, Expr *expr)
{
    if (expr->kind == EXPR_COLUMN && expr->column.id == 7)
        return arg;
    return expr;
}

static void a_rewrite_replaces_bottom_up(void **state)
{
    Scope *scope = *state;
    Expr *column = expr_column(scope, 7, sql_type(OID_INT4), "a");
    Expr *sum = apply(scope, "+", column, apply(scope, "*", column, int4(scope, 2)));
    Expr *done = expr_rewrite(scope, sum, rename_seven, int4(scope, 9));

    assert_prints(done, "(9 + (9 * 2))");
    assert_prints(sum, "(a + (a * 2))");
}

static void constants_hold_no_columns(void **state)
{
    Scope *scope = *state;
    Expr *column = expr_column(scope, 7, sql_type(OID_INT4), "a");

    assert_true(expr_is_constant(apply(scope, "+", int4(scope, 1), int4(scope, 2))));
    assert_false(expr_is_constant(apply(scope, "+", column, int4(scope, 2))));
    Expr *param = expr_new(scope, EXPR_PARAM, sql_type(OID_INT4), 0);
    assert_false(expr_is_constant(apply(scope, "+", param, int4(scope, 2))));
    Expr *zoned = expr_new(scope, EXPR_CAST, sql_type(OID_TIMESTAMPTZ), 1);
    zoned->args[0] = text(scope, "2020-01-01");
    assert_false(expr_is_constant(zoned));
}

static void texts_are_postgresqls(void **state)
{
    Scope *scope = *state;
    Expr *a = expr_column(scope, 1, sql_type(OID_INT4), "t.a");
    Expr *b = expr_column(scope, 2, sql_type(OID_TEXT), "t.\"B.x\"");

    assert_prints(a, "a");
    assert_prints(b, "\"B.x\"");
    assert_prints(apply(scope, "=", b, text(scope, "it's")), "(\"B.x\" = 'it''s'::text)");
    assert_prints(apply(scope, "=", a, int4(scope, -5)), "(a = '-5'::integer)");
    assert_prints(expr_null(scope, sql_type(OID_INT4)), "NULL::integer");
    Expr *is_null = expr_new(scope, EXPR_IS_NULL, sql_type(OID_BOOL), 1);
    is_null->args[0] = a;
    is_null->test.negated = true;
    assert_prints(is_null, "(a IS NOT NULL)");
    Expr *in = expr_new(scope, EXPR_IN, sql_type(OID_BOOL), 3);
    in->args[0] = a;
    in->args[1] = int4(scope, 1);
    in->args[2] = int4(scope, 2);
    assert_prints(in, "(a = ANY ('{1,2}'::integer[]))");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(conjunctions_are_flat, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equality_ignores_places_but_not_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_shares_no_node, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rewrite_replaces_bottom_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(constants_hold_no_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(texts_are_postgresqls, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
