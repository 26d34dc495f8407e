// SPDX-License-Identifier: Apache-2.0
//
// Literals and parameters. A number is integer, bigint or numeric by its size (numeric with its own
// precision and scale); a string is of unknown type until something wants it; a parameter without a
// declared type takes the first one that is wanted of it.
#include "sql/bind/expr/expr_int.h"

#include "types/numeric.h"

Expr *bind_unknown_literal(Binder *b, Str text, int32_t location)
{
    Datum datum = {.type = sql_type(OID_UNKNOWN), .string = strview_make(text.ptr, text.len)};
    Expr *expr = expr_const(b->scope, &datum);

    expr->location = location;
    return expr;
}

Expr *bind_int4(Binder *b, int32_t value)
{
    Datum datum = {.type = sql_type(OID_INT4), .int32 = value};

    return expr_const(b->scope, &datum);
}

/* Digits only, fitting int64. */
static bool read_int64(Str text, int64_t *out)
{
    uint64_t value = 0;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    size_t at = negative;

    if (text.len == at || text.len - at > 19)
        return false;
    for (; at < text.len; at++) {
        if (text.ptr[at] < '0' || text.ptr[at] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.ptr[at] - '0');
    }
    if (value > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

/* A number beyond numeric's digits may still be a double: it stays a cast of its text until it is
   known which is wanted (bind_coerce). */
static Status bind_number(Binder *b, const AstConst *ast, Expr **out)
{
    Status st = OK;
    int64_t value;

    if (read_int64(ast->text, &value)) {
        bool small = value >= INT32_MIN && value <= INT32_MAX;
        Datum datum = {.type = sql_type(small ? OID_INT4 : OID_INT8)};
        if (small)
            datum.int32 = (int32_t)value;
        else
            datum.int64 = value;
        *out = expr_const(b->scope, &datum);
        (*out)->location = ast->node.location;
        goto done;
    }
    Expr *literal = bind_unknown_literal(b, ast->text, ast->node.location);
    st = bind_coerce(b, literal, sql_type(OID_NUMERIC), CAST_IMPLICIT, ast->node.location, out);
    if (st == E_NUMERIC_OUT_OF_RANGE) {
        error_clear(b->ctx);
        st = OK;
        *out = expr_new(b->scope, EXPR_CAST, sql_type(OID_NUMERIC), 1);
        (*out)->args[0] = literal;
        (*out)->location = ast->node.location;
    }
done:
    return st;
}

Status bind_const(Binder *b, const AstConst *ast, Expr **out)
{
    Status st = OK;

    switch (ast->kind) {
    case AST_CONST_NULL: *out = expr_null(b->scope, sql_type(OID_UNKNOWN)); break;
    case AST_CONST_BOOL: *out = expr_bool(b->scope, ast->boolean); break;
    case AST_CONST_INT: *out = bind_int4(b, ast->integer); break;
    case AST_CONST_FLOAT: return bind_number(b, ast, out);
    case AST_CONST_STRING: *out = bind_unknown_literal(b, ast->text, ast->node.location); break;
    case AST_CONST_BITS: TRY(bind_unsupported(b, ast->node.location, "bit strings are"));
    }
    (*out)->location = ast->node.location;
done:
    return st;
}

// --- parameters --------------------------------------------------------------------------------

static Status grow_params(Binder *b, uint32_t count)
{
    BindEnv *env = b->env;

    if (count <= env->params_count)
        return OK;
    if (count > env->params_cap) {
        uint32_t cap = MAX(count, env->params_cap * 2);
        SqlType *grown = scope_new_array(b->scope, SqlType, cap);
        if (env->params_count > 0)
            memcpy(grown, env->params, env->params_count * sizeof *grown);
        env->params = grown;
        env->params_cap = cap;
    }
    for (uint32_t i = env->params_count; i < count; i++)
        env->params[i] = sql_type(OID_UNKNOWN);
    env->params_count = count;
    return OK;
}

Status bind_param(Binder *b, const AstParam *ast, Expr **out)
{
    Status st = OK;

    if (ast->number <= 0 || ast->number > UINT16_MAX || b->stored)
        BIND_FAIL(b, ast->node.location, E_UNDEFINED_PARAMETER, "there is no parameter $%d",
                  ast->number);
    TRY(grow_params(b, (uint32_t)ast->number));
    SqlType type = b->env->params[ast->number - 1];
    if (type.oid == OID_INVALID)
        type = sql_type(OID_UNKNOWN);
    *out = expr_new(b->scope, EXPR_PARAM, sql_type(type.oid), 0);
    (*out)->param.at = (uint32_t)ast->number - 1;
    (*out)->location = ast->node.location;
done:
    return st;
}

Status bind_param_type(Binder *b, Expr *param, Oid type)
{
    Status st = OK;
    SqlType *known = &b->env->params[param->param.at];

    if (known->oid == OID_UNKNOWN || known->oid == OID_INVALID) {
        *known = sql_type(type);
    } else if (known->oid != type) {
        st = error_raise(b->ctx, E_AMBIGUOUS_PARAMETER,
                         "inconsistent types deduced for parameter $%u", param->param.at + 1);
        error_detail(b->ctx, "%s versus %s", bind_type_name(b, known->oid),
                     bind_type_name(b, type));
        TRY(bind_at(b, param->location, st));
    }
    param->type = sql_type(type);
done:
    return st;
}
