// SPDX-License-Identifier: Apache-2.0
//
// numeric(p,s) of expressions: which precision and scale a value has, so that arithmetic stays on
// scaled integers, and the types in which two of them meet. A type is only chosen where it holds
// every value exactly; else it is plain numeric, which carries its own scale.
#include "sql/bind/expr/expr_int.h"

#include "types/numeric.h"

bool is_scaled_numeric(SqlType type)
{
    return type.oid == OID_NUMERIC && type.typmod >= 0;
}

static const SqlType plain = {OID_NUMERIC, -1};

SqlType numeric_type_of(const Numeric *value)
{
    if (numeric_is_special(value) || value->scale < 0)
        return plain;
    int128_t x = value->coefficient;
    int digits = int128_digits(x < 0 ? -(uint128_t)x : (uint128_t)x);
    int precision = MAX(MAX(digits, value->scale), 1);
    return precision > NUMERIC_PRECISION_MAX ? plain : type_numeric(precision, value->scale);
}

SqlType numeric_for_source(Oid oid)
{
    switch (oid) {
    case OID_INT2: return type_numeric(5, 0);
    case OID_INT4: return type_numeric(10, 0);
    case OID_INT8: return type_numeric(19, 0);
    default: return plain;
    }
}

SqlType numeric_common_exact(SqlType a, SqlType b)
{
    if (a.typmod < 0 || b.typmod < 0)
        return plain;
    int a_scale = type_numeric_scale(a), b_scale = type_numeric_scale(b);
    int scale = MAX(a_scale, b_scale);
    int whole = MAX(type_numeric_precision(a) - a_scale, type_numeric_precision(b) - b_scale);
    if (scale < 0 || whole < 0 || whole + scale > NUMERIC_PRECISION_MAX)
        return plain;
    return type_numeric(MAX(whole + scale, 1), scale);
}

SqlType numeric_common_value(SqlType a, SqlType b)
{
    if (a.typmod < 0 || b.typmod < 0 || type_numeric_scale(a) != type_numeric_scale(b))
        return plain;
    return numeric_common_exact(a, b);
}

/* A constant as plain numeric, or as the scaled type. */
static Status convert(Binder *b, Expr **expr, SqlType target)
{
    Status st = OK;

    if (type_equal((*expr)->type, target))
        goto done;
    Expr *cast = expr_new(b->scope, EXPR_CAST, target, 1);
    cast->args[0] = *expr;
    cast->location = (*expr)->location;
    *expr = bind_fold(b, cast);
done:
    return st;
}

Status bind_plain_numeric(Binder *b, Expr **expr)
{
    if (!is_scaled_numeric((*expr)->type))
        return OK;
    return convert(b, expr, plain);
}

Status bind_align_numeric(Binder *b, Expr **left, Expr **right)
{
    Status st = OK;

    if ((*left)->type.oid != OID_NUMERIC || (*right)->type.oid != OID_NUMERIC)
        goto done;
    SqlType common = numeric_common_exact((*left)->type, (*right)->type);
    TRY(convert(b, left, common));
    TRY(convert(b, right, common));
done:
    return st;
}
