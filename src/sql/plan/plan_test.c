// SPDX-License-Identifier: Apache-2.0
//
// Plans: slots and node numbers, columns from outside, and EXPLAIN's shape. Trees are made by hand.
#include "sql/plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct Fixture {
    Ctx ctx;
    Scope *scope;
} Fixture;

static int set_up(void **state)
{
    Fixture *f = test_calloc(1, sizeof *f);

    ctx_init(&f->ctx);
    f->scope = scope_open(NULL, "plan test");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;

    scope_close(f->scope);
    ctx_free(&f->ctx);
    test_free(f);
    return 0;
}

static Expr *column(Fixture *f, ColumnId id)
{
    return expr_column(f->scope, id, sql_type(OID_INT4), scope_printf(f->scope, "c%u", id));
}

/* One row of constants with the columns first, first + 1 … */
static Plan *values(Fixture *f, ColumnId first, uint32_t count)
{
    Plan *plan = plan_new(f->scope, PLAN_VALUES, count);

    plan->values.rows_count = 2;
    plan->values.rows = scope_new_array(f->scope, ExprList, 2);
    for (uint32_t i = 0; i < count; i++) {
        plan->columns[i] = (PlanColumn){first + i, sql_type(OID_INT4), "v"};
        for (int row = 0; row < 2; row++)
            array_push(f->scope, &plan->values.rows[row], expr_null(f->scope, sql_type(OID_INT4)));
    }
    return plan;
}

static Plan *over(Fixture *f, PlanKind kind, Plan *child)
{
    Plan *plan = plan_new(f->scope, kind, child->columns_count);

    memcpy(plan->columns, child->columns, child->columns_count * sizeof *plan->columns);
    plan->children[0] = child;
    return plan;
}

static Plan *join(Fixture *f, Plan *left, Plan *right)
{
    Plan *plan = plan_new(f->scope, PLAN_JOIN, left->columns_count + right->columns_count);

    memcpy(plan->columns, left->columns, left->columns_count * sizeof *plan->columns);
    memcpy(plan->columns + left->columns_count, right->columns,
           right->columns_count * sizeof *plan->columns);
    plan->children[0] = left;
    plan->children[1] = right;
    return plan;
}

static Expr *equal(Fixture *f, Expr *left, Expr *right)
{
    const OperatorInfo *op = operator_exact("=", OID_INT4, OID_INT4);
    Expr *expr = expr_new(f->scope, EXPR_FUNC, sql_type(OID_BOOL), 2);

    expr->func.info = op->func;
    expr->func.op = op;
    expr->args[0] = left;
    expr->args[1] = right;
    return expr;
}

static void a_shared_expression_gets_a_slot_in_each_operator(void **state)
{
    Fixture *f = *state;
    Plan *both = join(f, values(f, 1, 2), values(f, 11, 2));
    Plan *project = plan_new(f->scope, PLAN_PROJECT, 1);
    Plan *filter;
    Expr *shared = column(f, 12);
    uint32_t nodes;

    project->columns[0] = both->columns[3];
    project->children[0] = both;
    array_push(f->scope, &project->project.exprs, shared);
    filter = over(f, PLAN_FILTER, project);
    array_push(f->scope, &filter->filter.conditions, equal(f, shared, shared));
    assert_int_equal(plan_resolve(&f->ctx, f->scope, filter, &nodes), OK);
    assert_int_equal(nodes, 5);
    assert_int_equal(project->project.exprs.data[0]->column.slot, 3);
    assert_int_equal(filter->filter.conditions.data[0]->args[1]->column.slot, 0);
    assert_int_equal(shared->column.slot, -1);
}

static void join_keys_see_their_side(void **state)
{
    Fixture *f = *state;
    Plan *both = join(f, values(f, 1, 3), values(f, 11, 2));

    array_push(f->scope, &both->join.left_keys, column(f, 3));
    array_push(f->scope, &both->join.right_keys, column(f, 12));
    array_push(f->scope, &both->join.residual, equal(f, column(f, 2), column(f, 11)));
    assert_int_equal(plan_resolve(&f->ctx, f->scope, both, NULL), OK);
    assert_int_equal(both->join.left_keys.data[0]->column.slot, 2);
    assert_int_equal(both->join.right_keys.data[0]->column.slot, 1);
    assert_int_equal(both->join.residual.data[0]->args[1]->column.slot, 3);
}

static void a_column_from_nowhere_is_an_internal_error(void **state)
{
    Fixture *f = *state;
    Plan *filter = over(f, PLAN_FILTER, values(f, 1, 2));

    array_push(f->scope, &filter->filter.conditions, equal(f, column(f, 1), column(f, 99)));
    assert_int_equal(plan_resolve(&f->ctx, f->scope, filter, NULL), E_INTERNAL);
}

static void a_dependent_join_gives_its_left_columns(void **state)
{
    Fixture *f = *state;
    Plan *right = over(f, PLAN_FILTER, values(f, 11, 1));
    Plan *both = join(f, values(f, 1, 2), right);
    ColumnList outer = {0};

    array_push(f->scope, &right->filter.conditions, equal(f, column(f, 2), column(f, 11)));
    plan_outer_columns(f->scope, right, &outer);
    assert_int_equal(outer.count, 1);
    assert_int_equal(outer.data[0], 2);
    outer.count = 0;
    plan_outer_columns(f->scope, both, &outer);
    assert_int_equal(outer.count, 0);

    both->join.dependent = true;
    assert_int_equal(plan_resolve(&f->ctx, f->scope, both, NULL), OK);
    const Expr *condition = right->filter.conditions.data[0];
    assert_int_equal(condition->args[0]->column.slot, -1);
    assert_int_equal(condition->args[1]->column.slot, 0);
}

static void a_correlated_subquery_is_resolved_too(void **state)
{
    Fixture *f = *state;
    Plan *inner = over(f, PLAN_FILTER, values(f, 11, 1));
    Plan *outer = over(f, PLAN_FILTER, values(f, 1, 2));
    Expr *exists = expr_new(f->scope, EXPR_SUBQUERY, sql_type(OID_BOOL), 0);
    uint32_t nodes;

    array_push(f->scope, &inner->filter.conditions, equal(f, column(f, 1), column(f, 11)));
    exists->subquery.kind = SUBQUERY_EXISTS;
    exists->subquery.plan = inner;
    array_push(f->scope, &outer->filter.conditions, exists);
    assert_int_equal(plan_resolve(&f->ctx, f->scope, outer, &nodes), OK);
    assert_int_equal(nodes, 4);
    assert_int_equal(inner->filter.conditions.data[0]->args[1]->column.slot, 0);
}

static void explain_folds_filters_into_the_node_below(void **state)
{
    Fixture *f = *state;
    Plan *filter = over(f, PLAN_FILTER, values(f, 1, 1));
    Plan *sort = over(f, PLAN_SORT, filter);
    SortKey key = {.expr = column(f, 1), .descending = true, .nulls_first = true};
    StrBuf buf;

    array_push(f->scope, &filter->filter.conditions, equal(f, column(f, 1), column(f, 1)));
    sort->sort.keys = &key;
    sort->sort.keys_count = 1;
    strbuf_init(&buf);
    plan_print(&buf, sort, false, NULL);
    assert_string_equal(strbuf_c(&buf), "Sort\n"
                                        "  Sort Key: c1 DESC\n"
                                        "  ->  Values Scan on \"*VALUES*\"\n"
                                        "        Filter: (c1 = c1)\n");
    strbuf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_shared_expression_gets_a_slot_in_each_operator, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(join_keys_see_their_side, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_column_from_nowhere_is_an_internal_error, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_dependent_join_gives_its_left_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_correlated_subquery_is_resolved_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(explain_folds_filters_into_the_node_below, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
