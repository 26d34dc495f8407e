// SPDX-License-Identifier: Apache-2.0
//
// Coercions: literals of unknown type are read as the type wanted, parameters take it, everything
// else gets a cast where there is one (PostgreSQL's parse_coerce.c).
#include "sql/bind/expr/expr_int.h"

bool bind_can_coerce(Oid from, Oid to, CastContext context)
{
    if (from == to || from == OID_UNKNOWN)
        return true;
    return cast_find(from, to, context) != CAST_NONE;
}

static Expr *make_cast(Binder *b, Expr *expr, SqlType target, CastContext context)
{
    Expr *cast = expr_new(b->scope, EXPR_CAST, target, 1);

    cast->args[0] = expr;
    cast->cast.explicit_cast = context == CAST_EXPLICIT;
    cast->location = expr->location;
    return bind_fold(b, cast);
}

/* The literal's text read as the type; its typmod is then a cast's matter, which cuts or refuses
   when the statement runs. */
static Status read_literal(Binder *b, Expr *expr, SqlType target, CastContext context, Expr **out)
{
    Status st = OK;
    SqlType read = target.oid == OID_INTERVAL ? target : sql_type(target.oid);
    Datum value = datum_null(read);

    if (!expr->constant.is_null)
        TRY(bind_at(b, expr->location,
                    type_input(b->ctx, b->scope, read, strview_str(&expr->constant.string),
                               b->env->io, &value)));
    *out = expr_const(b->scope, &value);
    (*out)->type = (*out)->constant.type = read;
    (*out)->location = expr->location;
    if (read.oid == OID_NUMERIC && target.typmod < 0 && !value.is_null)
        target = numeric_type_of(&value.numeric);
    if (!type_equal(read, target))
        *out = make_cast(b, *out, target, context);
done:
    return st;
}

/* An integer constant as numeric needs only its own digits. */
static SqlType numeric_target(const Expr *expr)
{
    if (expr->kind == EXPR_CONST && !expr->constant.is_null) {
        int64_t value;
        switch (expr->type.oid) {
        case OID_INT2: value = expr->constant.int16; break;
        case OID_INT4: value = expr->constant.int32; break;
        case OID_INT8: value = expr->constant.int64; break;
        default: return sql_type(OID_NUMERIC);
        }
        int digits = 1;
        for (int64_t rest = value / 10; rest != 0; rest /= 10)
            digits++;
        return type_numeric(digits, 0);
    }
    return numeric_for_source(expr->type.oid);
}

static Status coerce_unknown(Binder *b, Expr *expr, SqlType target, CastContext context, Expr **out)
{
    Status st = OK;

    if (expr->kind == EXPR_CONST)
        return read_literal(b, expr, target, context, out);
    if (expr->kind != EXPR_PARAM) {
        *out = make_cast(b, expr, target, context);
        goto done;
    }
    TRY(bind_param_type(b, expr, target.oid));
    *out = expr;
    if (target.typmod >= 0)
        *out = make_cast(b, expr, target, context);
done:
    return st;
}

/* See bind_number. */
static bool is_wide_number(const Expr *expr)
{
    return expr->kind == EXPR_CAST && expr->type.oid == OID_NUMERIC &&
           expr->args[0]->kind == EXPR_CONST && expr->args[0]->type.oid == OID_UNKNOWN;
}

Status bind_coerce(Binder *b, Expr *expr, SqlType target, CastContext context, int32_t location,
                   Expr **out)
{
    Status st = OK;
    Oid from = expr->type.oid;

    if (from == OID_UNKNOWN)
        return coerce_unknown(b, expr, target, context, out);
    if (is_wide_number(expr) && (target.oid == OID_FLOAT8 || target.oid == OID_FLOAT4))
        return coerce_unknown(b, expr->args[0], target, context, out);
    if (from == target.oid && (target.typmod < 0 || target.typmod == expr->type.typmod)) {
        *out = expr;
        goto done;
    }
    if (from != target.oid && cast_find(from, target.oid, context) == CAST_NONE)
        BIND_FAIL(b, location, E_CANNOT_COERCE, "cannot cast type %s to %s",
                  bind_type_name(b, from), bind_type_name(b, target.oid));
    if (target.oid == OID_NUMERIC && target.typmod < 0)
        target = numeric_target(expr);
    *out = make_cast(b, expr, target, context);
done:
    return st;
}

Status bind_coerce_specific(Binder *b, Expr *expr, Oid type, const char *construct, Expr **out)
{
    Status st = OK;

    if (!bind_can_coerce(expr->type.oid, type, CAST_ASSIGNMENT))
        BIND_FAIL(b, bind_start(expr), E_DATATYPE_MISMATCH,
                  "argument of %s must be type %s, not type %s", construct, bind_type_name(b, type),
                  bind_type_name(b, expr->type.oid));
    TRY(bind_coerce(b, expr, sql_type(type), CAST_ASSIGNMENT, expr->location, out));
done:
    return st;
}

Status bind_coerce_bool(Binder *b, Expr *expr, const char *construct, Expr **out)
{
    return bind_coerce_specific(b, expr, OID_BOOL, construct, out);
}

Status bind_resolve_unknown(Binder *b, Expr **expr)
{
    if ((*expr)->type.oid != OID_UNKNOWN)
        return OK;
    return coerce_unknown(b, *expr, sql_type(OID_TEXT), CAST_IMPLICIT, expr);
}
