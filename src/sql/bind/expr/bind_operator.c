// SPDX-License-Identifier: Apache-2.0
//
// Operators: found by PostgreSQL's rules (chapter 10.2), applied with their operands coerced.
// Numeric operands stay scaled where the operator derives its result's scale; comparisons bring
// both sides to one scale.
#include "sql/bind/expr/expr_int.h"

Status bind_op_name(Binder *b, const AstName *name, int32_t location, Str *out)
{
    Status st = OK;

    if (name->schema.ptr && !str_is(name->schema, "pg_catalog"))
        BIND_FAIL(b, location, E_UNDEFINED_FUNCTION, "operator does not exist: %.*s.%.*s",
                  STR_ARGS(name->schema), STR_ARGS(name->name));
    *out = name->name;
done:
    return st;
}

static Status no_operator(Binder *b, Str name, const Expr *left, const Expr *right,
                          int32_t location, bool ambiguous)
{
    const char *before = left ? bind_type_name(b, left->type.oid) : "";
    Status st = error_raise(
        b->ctx, ambiguous ? E_AMBIGUOUS_FUNCTION : E_UNDEFINED_FUNCTION,
        ambiguous ? "operator is not unique: %s%s%.*s %s" : "operator does not exist: %s%s%.*s %s",
        before, left ? " " : "", STR_ARGS(name), bind_type_name(b, right->type.oid));

    error_hint(b->ctx, "%s",
               ambiguous ? "Could not choose a best candidate operator. You might need to add "
                           "explicit type casts."
               : left    ? "No operator matches the given name and argument types. You might need "
                           "to add explicit type casts."
                         : "No operator matches the given name and argument type. You might need "
                           "to add an explicit type cast.");
    return bind_at(b, location, st);
}

/* Exactly these types; an unknown operand is taken to be of the other's type. */
static const OperatorInfo *find_exact(const OperatorInfo *const *all, uint32_t count,
                                      const Expr *left, Oid *inputs)
{
    Oid l = inputs[0], r = inputs[1];

    if (left && l == OID_UNKNOWN)
        l = r;
    else if (left && r == OID_UNKNOWN)
        r = l;
    for (uint32_t i = 0; i < count; i++) {
        if (all[i]->left == l && all[i]->right == r)
            return all[i];
    }
    return NULL;
}

Status bind_find_operator(Binder *b, Str name, const Expr *left, const Expr *right,
                          int32_t location, const OperatorInfo **out)
{
    Status st = OK;
    Oid inputs[2] = {left ? left->type.oid : OID_INVALID, right->type.oid};
    uint32_t count, fitting = 0;
    const OperatorInfo *const *all = operator_overloads(name, &count);
    Candidate *candidates;

    *out = find_exact(all, count, left, inputs);
    if (*out != NULL)
        goto done;
    candidates = scope_new_array(b->scope, Candidate, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const Oid *declared = left ? &all[i]->left : &all[i]->right;
        if ((all[i]->left == OID_INVALID) != (left == NULL))
            continue;
        candidates[fitting++] =
            (Candidate){.args = declared, .args_count = left ? 2 : 1, .ref = all[i]};
    }
    fitting = overload_select(left ? inputs : inputs + 1, left ? 2 : 1, candidates, fitting);
    if (fitting != 1)
        TRY(no_operator(b, name, left, right, location, fitting > 1));
    *out = candidates[0].ref;
done:
    return st;
}

// --- application -------------------------------------------------------------------------------

static bool keeps_varchar(Oid from, Oid to)
{
    return from == OID_VARCHAR && to == OID_TEXT;
}

static Status coerce_operand(Binder *b, Expr **operand, Oid declared, int32_t location)
{
    if (keeps_varchar((*operand)->type.oid, declared))
        return OK;
    return bind_coerce(b, *operand, sql_type(declared), CAST_IMPLICIT, location, operand);
}

static Status adapt_numerics(Binder *b, const OperatorInfo *op, Expr **left, Expr **right)
{
    Status st = OK;

    if (op->func->derive)
        goto done;
    if (op->result == OID_BOOL && op->left == OID_NUMERIC && op->right == OID_NUMERIC) {
        TRY(bind_align_numeric(b, left, right));
        goto done;
    }
    if (op->left == OID_NUMERIC)
        TRY(bind_plain_numeric(b, left));
    if (op->right == OID_NUMERIC)
        TRY(bind_plain_numeric(b, right));
done:
    return st;
}

typedef struct Operands {
    Str name;
    Expr *left, *right; /* left NULL: prefix */
    int32_t location;
    PolyTypes poly;
} Operands;

static Status coerce_operands(Binder *b, const OperatorInfo *op, Operands *in)
{
    Status st = OK;
    Oid declared[2] = {op->left, op->right};
    Oid inputs[2] = {in->left ? in->left->type.oid : OID_INVALID, in->right->type.oid};

    if (!overload_polymorphic(declared, inputs, 2, &in->poly))
        TRY(no_operator(b, in->name, in->left, in->right, in->location, false));
    if (in->poly.used && in->poly.element == OID_INVALID)
        BIND_FAIL(b, in->location, E_DATATYPE_MISMATCH,
                  "could not determine polymorphic type because input has type unknown");
    if (in->left)
        TRY(coerce_operand(b, &in->left, overload_actual(op->left, &in->poly), in->location));
    TRY(coerce_operand(b, &in->right, overload_actual(op->right, &in->poly), in->location));
    TRY(adapt_numerics(b, op, &in->left, &in->right));
done:
    return st;
}

/* LIKE and regular expressions see char(n) with its trailing blanks, which are not stored. */
static Status pad_char(Binder *b, Operands *in)
{
    static const char *const patterns[] = {"~~", "!~~", "~~*", "!~~*", "~", "!~", "~*", "!~*"};
    Status st = OK;
    Expr *args[2] = {in->left};
    bool pattern = false;

    if (in->left == NULL || in->left->type.oid != OID_BPCHAR || in->left->type.typmod <= 4)
        goto done;
    for (uint32_t i = 0; i < ARRAY_COUNT(patterns); i++)
        pattern |= str_is(in->name, patterns[i]);
    if (!pattern)
        goto done;
    args[1] = bind_int4(b, in->left->type.typmod - 4);
    TRY(bind_call(b, STR("rpad"), args, 2, in->location, &in->left));
done:
    return st;
}

Status bind_apply_op(Binder *b, Str name, Expr *left, Expr *right, int32_t location, Expr **out)
{
    Status st = OK;
    const OperatorInfo *op;
    Operands in = {.name = name, .left = left, .right = right, .location = location};

    TRY(pad_char(b, &in));
    TRY(bind_find_operator(b, name, in.left, right, location, &op));
    TRY(coerce_operands(b, op, &in));
    uint32_t count = left ? 2 : 1;
    Expr *expr = expr_new(b->scope, EXPR_FUNC, sql_type(OID_INVALID), count);
    expr->args[0] = left ? in.left : in.right;
    expr->args[count - 1] = in.right;
    expr->func.info = op->func;
    expr->func.op = op;
    expr->location = location;
    SqlType types[2] = {expr->args[0]->type, in.right->type};
    expr->type = op->func->derive ? op->func->derive(types, count)
                                  : sql_type(overload_actual(op->result, &in.poly));
    *out = bind_fold(b, expr);
done:
    return st;
}

static bool is_row(const AstNode *node)
{
    return ast_is(node, AST_ROW);
}

static bool is_scalar_query(const AstNode *node)
{
    return ast_is(node, AST_SUBLINK) && ((const AstSublink *)node)->kind == AST_SUBLINK_SCALAR;
}

Status bind_op(Binder *b, Level *level, const AstOp *ast, Expr **out)
{
    Status st = OK;
    Str name;
    Expr *left = NULL, *right;

    TRY(bind_op_name(b, &ast->op, ast->node.location, &name));
    if (is_row(ast->left) && (is_row(ast->right) || is_scalar_query(ast->right))) {
        RowPair rows = {.level = level,
                        .left = (const AstRow *)ast->left,
                        .right = is_row(ast->right) ? (const AstRow *)ast->right : NULL,
                        .right_query = (const AstSublink *)ast->right,
                        .location = ast->node.location};
        return bind_row_op(b, &rows, name, out);
    }
    if (ast->left)
        TRY(bind_expr(b, level, ast->left, &left));
    TRY(bind_expr(b, level, ast->right, &right));
    TRY(bind_apply_op(b, name, left, right, ast->node.location, out));
done:
    return st;
}
