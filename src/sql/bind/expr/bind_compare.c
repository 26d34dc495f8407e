// SPDX-License-Identifier: Apache-2.0
//
// Tests with a syntax of their own: ANY and ALL over arrays, IN lists, BETWEEN, LIKE and its kin,
// IS NULL, IS TRUE, IS DISTINCT FROM.
#include "sql/bind/expr/expr_int.h"

// --- ANY, ALL ----------------------------------------------------------------------------------

/* The array operand: an unknown one becomes an array of the left side's type. */
static Status any_array(Binder *b, const Expr *left, Expr **array, int32_t location)
{
    Status st = OK;

    if ((*array)->type.oid == OID_UNKNOWN) {
        Oid element = left->type.oid == OID_UNKNOWN ? OID_TEXT : left->type.oid;
        Oid wanted = type_info(element)->array;
        if (wanted == OID_INVALID)
            BIND_FAIL(b, location, E_UNDEFINED_OBJECT, "could not find array type for data type %s",
                      bind_type_name(b, element));
        TRY(bind_coerce(b, *array, sql_type(wanted), CAST_IMPLICIT, location, array));
    }
    if (type_info((*array)->type.oid)->element == OID_INVALID)
        BIND_FAIL(b, location, E_WRONG_OBJECT_TYPE,
                  "op ANY/ALL (array) requires array on right side");
done:
    return st;
}

Status bind_op_any(Binder *b, Level *level, const AstOpAny *ast, Expr **out)
{
    Status st = OK;
    int32_t location = ast->node.location;
    Expr *left, *array;
    const OperatorInfo *op;
    Str name;

    TRY(bind_op_name(b, &ast->op, location, &name));
    TRY(bind_expr(b, level, ast->left, &left));
    TRY(bind_expr(b, level, ast->right, &array));
    TRY(any_array(b, left, &array, location));
    Expr element = {.kind = EXPR_COLUMN,
                    .type = sql_type(type_info(array->type.oid)->element),
                    .location = location};
    TRY(bind_find_operator(b, name, left, &element, location, &op));
    if (op->result != OID_BOOL)
        BIND_FAIL(b, location, E_WRONG_OBJECT_TYPE,
                  "op ANY/ALL (array) requires operator to yield boolean");
    if (left->type.oid != OID_VARCHAR || op->left != OID_TEXT)
        TRY(bind_coerce(b, left, sql_type(op->left), CAST_IMPLICIT, location, &left));
    if (op->right != element.type.oid && type_info(op->right)->array != OID_INVALID)
        TRY(bind_coerce(b, array, sql_type(type_info(op->right)->array), CAST_IMPLICIT, location,
                        &array));
    if (op->left == OID_NUMERIC)
        TRY(bind_plain_numeric(b, &left));
    Expr *expr = expr_new(b->scope, EXPR_ANY, sql_type(OID_BOOL), 2);
    expr->args[0] = left;
    expr->args[1] = array;
    expr->func.info = op->func;
    expr->func.op = op;
    expr->func.all = ast->all;
    expr->location = location;
    *out = bind_fold(b, expr);
done:
    return st;
}

// --- IN ----------------------------------------------------------------------------------------

/* All numerics of an IN to one exact type. */
static Status align_in(Binder *b, Expr *in)
{
    Status st = OK;
    SqlType common = {OID_INVALID, -1};

    for (uint32_t i = 0; i < in->args_count; i++) {
        const Expr *arg = in->args[i];
        if (arg->kind == EXPR_CONST && arg->constant.is_null)
            continue;
        common = common.oid ? numeric_common_exact(common, arg->type) : arg->type;
    }
    for (uint32_t i = 0; i < in->args_count; i++) {
        if (common.oid == OID_INVALID || common.typmod < 0)
            TRY(bind_plain_numeric(b, &in->args[i]));
        else
            TRY(bind_coerce(b, in->args[i], common, CAST_IMPLICIT, in->location, &in->args[i]));
    }
done:
    return st;
}

/* One EXPR_IN if all have a common type with an equality of its own, else *out NULL. */
static Status in_of_one_type(Binder *b, Expr *left, Expr *const *items, uint32_t count,
                             const AstInList *ast, Expr **out)
{
    Status st = OK;
    Expr *in = expr_new(b->scope, EXPR_IN, sql_type(OID_BOOL), count + 1);
    Oid type;

    *out = NULL;
    in->args[0] = left;
    memcpy(in->args + 1, items, count * sizeof *items);
    TRY(bind_common_type(b, in->args, count + 1, NULL, &type));
    if (type == OID_VARCHAR)
        type = left->type.oid == OID_VARCHAR ? OID_VARCHAR : OID_TEXT;
    if (type == OID_INVALID || (type != OID_VARCHAR && operator_exact("=", type, type) == NULL))
        goto done;
    for (uint32_t i = 0; i <= count; i++) {
        if (!bind_can_coerce(in->args[i]->type.oid, type, CAST_IMPLICIT))
            goto done;
    }
    in->location = ast->node.location;
    in->test.negated = ast->negated;
    for (uint32_t i = 0; i <= count; i++)
        TRY(bind_coerce(b, in->args[i], sql_type(type), CAST_IMPLICIT, in->location, &in->args[i]));
    if (type == OID_NUMERIC)
        TRY(align_in(b, in));
    *out = bind_fold(b, in);
done:
    return st;
}

static Status in_of_equalities(Binder *b, Level *level, Expr *left, Expr *const *items,
                               const AstInList *ast, Expr **out)
{
    Status st = OK;
    int32_t location = ast->node.location;
    uint32_t count = ast->items.count;
    ExprKind kind = ast->negated ? EXPR_AND : EXPR_OR;
    Str op = ast->negated ? STR("<>") : STR("=");
    Expr *expr = expr_new(b->scope, kind, sql_type(OID_BOOL), count);

    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            TRY(bind_again(b, level, ast->arg, &left));
        TRY(bind_apply_op(b, op, left, items[i], location, &expr->args[i]));
        TRY(bind_coerce_bool(b, expr->args[i], "IN", &expr->args[i]));
    }
    expr->location = location;
    *out = count == 1 ? expr->args[0] : expr;
done:
    return st;
}

static Status in_of_rows(Binder *b, Level *level, const AstInList *ast, Expr **out)
{
    Status st = OK;
    uint32_t count = ast->items.count;
    ExprKind kind = ast->negated ? EXPR_AND : EXPR_OR;
    Str op = ast->negated ? STR("<>") : STR("=");
    Expr *expr = expr_new(b->scope, kind, sql_type(OID_BOOL), count);

    for (uint32_t i = 0; i < count; i++) {
        const AstNode *item = ast->items.items[i];
        if (!ast_is(item, AST_ROW))
            TRY(bind_unsupported(b, item->location, "row values of this kind are"));
        RowPair rows = {level, (const AstRow *)ast->arg, (const AstRow *)item, NULL,
                        ast->node.location};
        TRY(bind_row_op(b, &rows, op, &expr->args[i]));
    }
    *out = count == 1 ? expr->args[0] : expr;
done:
    return st;
}

Status bind_in_list(Binder *b, Level *level, const AstInList *ast, Expr **out)
{
    Status st = OK;
    Expr *left;
    Expr **items = scope_new_array(b->scope, Expr *, ast->items.count);

    if (ast_is(ast->arg, AST_ROW))
        return in_of_rows(b, level, ast, out);
    TRY(bind_expr(b, level, ast->arg, &left));
    for (uint32_t i = 0; i < ast->items.count; i++)
        TRY(bind_expr(b, level, ast->items.items[i], &items[i]));
    *out = NULL;
    if (ast->items.count > 1)
        TRY(in_of_one_type(b, left, items, ast->items.count, ast, out));
    if (*out == NULL)
        TRY(in_of_equalities(b, level, left, items, ast, out));
done:
    return st;
}

// --- BETWEEN -----------------------------------------------------------------------------------

static Status bind_range(Binder *b, Level *level, const AstBetween *ast, const AstNode *low,
                         const AstNode *high, Expr **out)
{
    Status st = OK;
    int32_t location = ast->node.location;
    Expr *arg, *bound, *from, *to;

    TRY(bind_again(b, level, ast->arg, &arg));
    TRY(bind_expr(b, level, low, &bound));
    TRY(bind_apply_op(b, ast->negated ? STR("<") : STR(">="), arg, bound, location, &from));
    TRY(bind_again(b, level, ast->arg, &arg));
    TRY(bind_expr(b, level, high, &bound));
    TRY(bind_apply_op(b, ast->negated ? STR(">") : STR("<="), arg, bound, location, &to));
    *out = bind_bool_expr(b, ast->negated ? EXPR_OR : EXPR_AND, from, to, location);
done:
    return st;
}

Status bind_between(Binder *b, Level *level, const AstBetween *ast, Expr **out)
{
    Status st = OK;
    Expr *straight, *swapped;

    TRY(bind_range(b, level, ast, ast->low, ast->high, &straight));
    *out = straight;
    if (!ast->symmetric)
        goto done;
    TRY(bind_range(b, level, ast, ast->high, ast->low, &swapped));
    *out =
        bind_bool_expr(b, ast->negated ? EXPR_AND : EXPR_OR, straight, swapped, ast->node.location);
done:
    return st;
}

// --- LIKE --------------------------------------------------------------------------------------

static Status like_pattern(Binder *b, Level *level, const AstLike *ast, Expr **pattern)
{
    Status st = OK;
    Expr *args[2];
    uint32_t count = 1;
    bool similar = ast->kind == AST_LIKE_SIMILAR;

    TRY(bind_expr(b, level, ast->pattern, &args[0]));
    *pattern = args[0];
    if (ast->escape == NULL && !similar)
        goto done;
    if (ast->escape) {
        TRY(bind_expr(b, level, ast->escape, &args[1]));
        count = 2;
    }
    Str name = similar ? STR("similar_to_escape") : STR("like_escape");
    TRY(bind_call(b, name, args, count, ast->node.location, pattern));
done:
    return st;
}

Status bind_like(Binder *b, Level *level, const AstLike *ast, Expr **out)
{
    static const char *const ops[][2] = {[AST_LIKE_LIKE] = {"~~", "!~~"},
                                         [AST_LIKE_ILIKE] = {"~~*", "!~~*"},
                                         [AST_LIKE_SIMILAR] = {"~", "!~"}};
    Status st = OK;
    Expr *arg, *pattern;

    TRY(bind_expr(b, level, ast->arg, &arg));
    TRY(like_pattern(b, level, ast, &pattern));
    TRY(bind_apply_op(b, str_from(ops[ast->kind][ast->negated]), arg, pattern, ast->node.location,
                      out));
done:
    return st;
}

// --- IS ----------------------------------------------------------------------------------------

static Expr *null_test(Binder *b, Expr *arg, bool negated, int32_t location)
{
    Expr *expr = expr_new(b->scope, EXPR_IS_NULL, sql_type(OID_BOOL), 1);

    expr->args[0] = arg;
    expr->test.negated = negated;
    expr->location = location;
    return bind_fold(b, expr);
}

/* ROW(a, b) IS [NOT] NULL holds when it holds for every column. */
static Status bind_row_null_test(Binder *b, Level *level, const AstNullTest *ast, Expr **out)
{
    Status st = OK;
    const AstRow *row = (const AstRow *)ast->arg;
    Expr *all = expr_new(b->scope, EXPR_AND, sql_type(OID_BOOL), row->args.count);

    if (row->args.count == 0)
        TRY(bind_unsupported(b, ast->node.location, "empty row values are"));
    for (uint32_t i = 0; i < row->args.count; i++) {
        Expr *arg;
        TRY(bind_expr(b, level, row->args.items[i], &arg));
        all->args[i] = null_test(b, arg, ast->negated, ast->node.location);
    }
    *out = row->args.count == 1 ? all->args[0] : all;
done:
    return st;
}

Status bind_null_test(Binder *b, Level *level, const AstNullTest *ast, Expr **out)
{
    Status st = OK;
    Expr *arg;

    if (ast_is(ast->arg, AST_ROW))
        return bind_row_null_test(b, level, ast, out);
    TRY(bind_expr(b, level, ast->arg, &arg));
    *out = null_test(b, arg, ast->negated, ast->node.location);
done:
    return st;
}

Status bind_boolean_test(Binder *b, Level *level, const AstBooleanTest *ast, Expr **out)
{
    static const struct {
        BoolTest test;
        const char *words[2];
    } tests[] = {[AST_TRUTH_TRUE] = {IS_TRUE, {"IS TRUE", "IS NOT TRUE"}},
                 [AST_TRUTH_FALSE] = {IS_FALSE, {"IS FALSE", "IS NOT FALSE"}},
                 [AST_TRUTH_UNKNOWN] = {IS_UNKNOWN, {"IS UNKNOWN", "IS NOT UNKNOWN"}}};
    Status st = OK;
    Expr *expr = expr_new(b->scope, EXPR_IS_BOOL, sql_type(OID_BOOL), 1);

    TRY(bind_expr(b, level, ast->arg, &expr->args[0]));
    TRY(bind_coerce_bool(b, expr->args[0], tests[ast->truth].words[ast->negated], &expr->args[0]));
    expr->test.test = tests[ast->truth].test;
    expr->test.negated = ast->negated;
    expr->location = ast->node.location;
    *out = bind_fold(b, expr);
done:
    return st;
}

/* Both sides as the equality operator's operands. */
static Status distinct_pair(Binder *b, Expr *left, Expr *right, const AstDistinctFrom *ast,
                            Expr **out)
{
    Status st = OK;
    int32_t location = ast->node.location;
    Expr *equality;
    Expr *expr = expr_new(b->scope, EXPR_DISTINCT, sql_type(OID_BOOL), 2);
    const OperatorInfo *op;

    if (left->type.oid == OID_UNKNOWN && right->type.oid == OID_UNKNOWN)
        TRY(bind_resolve_unknown(b, &left));
    TRY(bind_find_operator(b, STR("="), left, right, location, &op));
    if (op->left != op->right) {
        Expr *both[2] = {left, right};
        SqlType type;
        Oid common;
        TRY(bind_common_type(b, both, 2, "IS DISTINCT FROM", &common));
        TRY(bind_to_common(b, both, 2, common, "IS DISTINCT FROM", &type));
        left = both[0];
        right = both[1];
    }
    TRY(bind_apply_op(b, STR("="), left, right, location, &equality));
    if (equality->kind == EXPR_FUNC) {
        memcpy(expr->args, equality->args, 2 * sizeof(Expr *));
    } else {
        TRY(bind_coerce(b, left, sql_type(op->left), CAST_IMPLICIT, location, &expr->args[0]));
        TRY(bind_coerce(b, right, sql_type(op->right), CAST_IMPLICIT, location, &expr->args[1]));
        TRY(bind_align_numeric(b, &expr->args[0], &expr->args[1]));
    }
    expr->test.negated = ast->negated;
    expr->location = location;
    *out = bind_fold(b, expr);
done:
    return st;
}

static Status distinct_rows(Binder *b, Level *level, const AstDistinctFrom *ast, Expr **out)
{
    Status st = OK;
    const AstRow *left = (const AstRow *)ast->left, *right = (const AstRow *)ast->right;
    ExprKind kind = ast->negated ? EXPR_AND : EXPR_OR;
    Expr *expr = expr_new(b->scope, kind, sql_type(OID_BOOL), left->args.count);

    if (left->args.count != right->args.count || left->args.count == 0)
        BIND_FAIL(b, ast->node.location, E_SYNTAX, "unequal number of entries in row expressions");
    for (uint32_t i = 0; i < left->args.count; i++) {
        Expr *l, *r;
        TRY(bind_expr(b, level, left->args.items[i], &l));
        TRY(bind_expr(b, level, right->args.items[i], &r));
        TRY(distinct_pair(b, l, r, ast, &expr->args[i]));
    }
    *out = left->args.count == 1 ? expr->args[0] : expr;
done:
    return st;
}

Status bind_distinct_from(Binder *b, Level *level, const AstDistinctFrom *ast, Expr **out)
{
    Status st = OK;
    Expr *left, *right;

    if (ast_is(ast->left, AST_ROW) && ast_is(ast->right, AST_ROW))
        return distinct_rows(b, level, ast, out);
    TRY(bind_expr(b, level, ast->left, &left));
    TRY(bind_expr(b, level, ast->right, &right));
    TRY(distinct_pair(b, left, right, ast, out));
done:
    return st;
}
