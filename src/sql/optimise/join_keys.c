// SPDX-License-Identifier: Apache-2.0
//
// A join's conditions as hash keys and a rest: equalities of something of the left side with
// something of the right one, both in a common type, are keys.
#include "sql/optimise/optimise_int.h"

typedef struct JoinSides {
    Optimiser *o;
    IdSet left, right;
} JoinSides;

/* The type both sides are hashed in; OID_INVALID: they are not. */
static SqlType common_type(SqlType a, SqlType b)
{
    static const Oid chains[][3] = {{OID_INT2, OID_INT4, OID_INT8},
                                    {OID_FLOAT4, OID_FLOAT8, OID_INVALID},
                                    {OID_DATE, OID_TIMESTAMP, OID_INVALID},
                                    {OID_NAME, OID_TEXT, OID_INVALID},
                                    {OID_VARCHAR, OID_TEXT, OID_INVALID}};

    if (a.oid == b.oid)
        return a;
    for (size_t i = 0; i < ARRAY_COUNT(chains); i++) {
        int at_a = -1, at_b = -1;
        for (int j = 0; j < 3; j++) {
            at_a = chains[i][j] == a.oid ? j : at_a;
            at_b = chains[i][j] == b.oid ? j : at_b;
        }
        if (at_a >= 0 && at_b >= 0)
            return sql_type(chains[i][MAX(at_a, at_b)]);
    }
    return sql_type(OID_INVALID);
}

static Expr *in_type(Optimiser *o, Expr *expr, SqlType type)
{
    if (expr->type.oid == type.oid)
        return expr;
    Expr *cast = expr_new(o->scope, EXPR_CAST, type, 1);
    cast->args[0] = expr;
    return cast;
}

/* The side is made of `own` columns and, maybe, of enclosing queries' ones. */
static bool is_side(const JoinSides *s, const Expr *expr, const IdSet *own, const IdSet *other)
{
    IdSet used = idset_of_expr(s->o->scope, expr);

    return idset_overlaps(&used, own) && !idset_overlaps(&used, other);
}

static bool as_key(JoinSides *s, Plan *join, Expr *condition, bool *null_safe)
{
    bool distinct = condition->kind == EXPR_DISTINCT && condition->test.negated;

    if (!distinct && predicate_compare(condition) != COMPARE_EQ)
        return false;
    Expr *a = condition->args[0], *b = condition->args[1];
    SqlType type = common_type(a->type, b->type);
    if (type.oid == OID_INVALID || expr_is_volatile(condition) || expr_has_subquery(condition))
        return false;
    if (is_side(s, a, &s->right, &s->left) && is_side(s, b, &s->left, &s->right)) {
        Expr *swap = a;
        a = b;
        b = swap;
    } else if (!is_side(s, a, &s->left, &s->right) || !is_side(s, b, &s->right, &s->left)) {
        return false;
    }
    *null_safe = distinct;
    array_push(s->o->scope, &join->join.left_keys, in_type(s->o, a, type));
    array_push(s->o->scope, &join->join.right_keys, in_type(s->o, b, type));
    return true;
}

static void split_conditions(Optimiser *o, Plan *plan)
{
    JoinPlan *join = &plan->join;
    JoinSides s = {.o = o};
    bool any = false;

    s.left = idset_of_plan(o->scope, plan->children[0]);
    s.right = idset_of_plan(o->scope, plan->children[1]);
    join->left_keys = join->right_keys = join->residual = (ExprList){0};
    bool *null_safe = scope_new_array(o->scope, bool, join->conditions.count + 1);
    for (uint32_t i = 0; i < join->conditions.count; i++) {
        if (!as_key(&s, plan, join->conditions.data[i], &null_safe[join->left_keys.count]))
            array_push(o->scope, &join->residual, join->conditions.data[i]);
        else
            any |= null_safe[join->left_keys.count - 1];
    }
    join->null_safe = any ? null_safe : NULL;
}

void join_choose_keys(Optimiser *o, Plan *plan)
{
    JoinPlan *join = &plan->join;

    if (join->method == JOIN_INDEX)
        return;
    split_conditions(o, plan);
    bool hash = join->left_keys.count > 0 && !join->dependent;
    if (hash) {
        if (join->method != JOIN_HASH) {
            bool mirrored = join->type == JOIN_INNER || join->type == JOIN_LEFT ||
                            join->type == JOIN_SEMI || join->type == JOIN_ANTI ||
                            join->type == JOIN_FULL;
            join->build_left =
                mirrored && plan->children[0]->rows_estimate < plan->children[1]->rows_estimate;
        }
        join->method = JOIN_HASH;
        return;
    }
    join->method = JOIN_NESTED_LOOP;
    join->build_left = false;
    join->left_keys = join->right_keys = (ExprList){0};
    join->null_safe = NULL;
    join->residual = join->conditions;
}
