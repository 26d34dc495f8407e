// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic on numerics. Scaled operands (numeric(p,s) in 64 or 128 bits) stay scaled where the
// result type holds the value: the binder derives it with the functions here. Everything else goes
// through Numeric, which carries its own scale. A result beyond 38 digits is an error.
#include "func/derive.h"
#include "func/kernel.h"
#include "types/array.h"
#include "types/numeric.h"

#define FUNC(oid, name, result, kernel, ...) Status kernel(KERNEL_PARAMS);
#include "func/arith.def"
#undef FUNC

static SqlType numeric_of(int whole, int scale)
{
    if (scale > NUMERIC_PRECISION_MAX)
        return sql_type(OID_NUMERIC);
    return type_numeric(MAX(MIN(whole + scale, NUMERIC_PRECISION_MAX), 1), scale);
}

static bool scaled_types(const SqlType *args, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (args[i].oid != OID_NUMERIC || args[i].typmod < 0 || type_numeric_scale(args[i]) < 0)
            return false;
    }
    return true;
}

static int whole_digits(SqlType type)
{
    return MAX(type_numeric_precision(type) - type_numeric_scale(type), 0);
}

SqlType func_derive_numeric_add(const SqlType *args, uint32_t args_count)
{
    if (args_count != 2 || !scaled_types(args, 2))
        return sql_type(OID_NUMERIC);
    int scale = MAX(type_numeric_scale(args[0]), type_numeric_scale(args[1]));
    return numeric_of(MAX(whole_digits(args[0]), whole_digits(args[1])) + 1, scale);
}

SqlType func_derive_numeric_mul(const SqlType *args, uint32_t args_count)
{
    if (args_count != 2 || !scaled_types(args, 2))
        return sql_type(OID_NUMERIC);
    return numeric_of(whole_digits(args[0]) + whole_digits(args[1]),
                      type_numeric_scale(args[0]) + type_numeric_scale(args[1]));
}

SqlType func_derive_numeric_same(const SqlType *args, uint32_t args_count)
{
    return args_count ? args[0] : sql_type(OID_NUMERIC);
}

SqlType func_derive_numeric_sum(const SqlType *args, uint32_t args_count)
{
    if (args_count != 1 || !scaled_types(args, 1))
        return sql_type(OID_NUMERIC);
    return type_numeric(NUMERIC_PRECISION_MAX, type_numeric_scale(args[0]));
}

SqlType func_derive_element(const SqlType *args, uint32_t args_count)
{
    return args_count ? array_element_type(args[0]) : sql_type(OID_ANYELEMENT);
}

SqlType func_derive_array(const SqlType *args, uint32_t args_count)
{
    const TypeInfo *info = args_count ? type_info(args[0].oid) : NULL;
    return (SqlType){info ? info->array : OID_ANYARRAY, args_count ? args[0].typmod : -1};
}

static int scale_of(const Vector *v)
{
    return v->phys == PHYS_NUMERIC ? 0 : type_numeric_scale(v->type);
}

static int128_t scaled_at(const Vector *v, uint32_t row)
{
    uint32_t at = vector_index(v, row);
    return v->phys == PHYS_INT64 ? ((const int64_t *)v->values)[at]
                                 : ((const int128_t *)v->values)[at];
}

static Numeric numeric_at(const Vector *v, uint32_t row)
{
    if (v->phys == PHYS_NUMERIC)
        return ((const Numeric *)v->values)[vector_index(v, row)];
    return numeric_from_scaled(scaled_at(v, row), scale_of(v));
}

typedef Status (*NumericOp)(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out);

/* Row by row through Numeric; the result may be scaled all the same. */
static Status numeric_rows(FuncCall *call, const Vector *const *args, uint32_t rows, Vector *out,
                           NumericOp op)
{
    Status st = OK;

    for (uint32_t i = 0; i < rows; i++) {
        if (!kernel_row_valid(out, i))
            continue;
        Numeric a = numeric_at(args[0], i);
        Numeric b = numeric_at(args[1], i);
        Numeric r;
        int128_t scaled;
        TRY(op(call->ctx, &a, &b, &r));
        if (out->phys == PHYS_NUMERIC) {
            ((Numeric *)out->values)[i] = r;
            continue;
        }
        TRY(numeric_to_scaled(call->ctx, &r, out->type, &scaled));
        if (out->phys == PHYS_INT64)
            ((int64_t *)out->values)[i] = (int64_t)scaled;
        else
            ((int128_t *)out->values)[i] = scaled;
    }
done:
    return st;
}

static bool all_scaled(const Vector *const *args, const Vector *out)
{
    return args[0]->phys != PHYS_NUMERIC && args[1]->phys != PHYS_NUMERIC &&
           out->phys != PHYS_NUMERIC;
}

static bool all_int64(const Vector *const *args)
{
    return args[0]->phys == PHYS_INT64 && args[1]->phys == PHYS_INT64;
}

/* |value| must stay below 10^38. */
static bool beyond_38_digits(int128_t value)
{
    int128_t limit = int128_pow10[NUMERIC_PRECISION_MAX];
    return value >= limit || value <= -limit;
}

/* a +- b on scaled operands: both brought to the result's scale. Results of at most 18 digits
   cannot overflow 64 bits by their derivation. */
static Status scaled_add(FuncCall *call, const Vector *const *args, uint32_t rows, Vector *out,
                         int sign)
{
    int scale = type_numeric_scale(out->type);
    int128_t a_factor = int128_pow10[scale - scale_of(args[0])];
    int128_t b_factor = int128_pow10[scale - scale_of(args[1])] * sign;

    if (all_int64(args) && out->phys == PHYS_INT64) {
        const int64_t *a = args[0]->values;
        const int64_t *b = args[1]->values;
        int64_t *r = out->values;
        int64_t fa = (int64_t)a_factor;
        int64_t fb = (int64_t)b_factor;
        /* Meaningless rows may wrap: unsigned arithmetic keeps that defined. */
        KERNEL2_LOOPS(int64_t, int64_t,
                      r[i] = (int64_t)((uint64_t)x * (uint64_t)fa + (uint64_t)y * (uint64_t)fb))
        return OK;
    }
    for (uint32_t i = 0; i < rows; i++) {
        int128_t x, y, r;
        bool bad = __builtin_mul_overflow(scaled_at(args[0], i), a_factor, &x) |
                   __builtin_mul_overflow(scaled_at(args[1], i), b_factor, &y);
        bad |= __builtin_add_overflow(x, y, &r);
        if (UNLIKELY(bad || beyond_38_digits(r))) {
            if (kernel_row_valid(out, i))
                return numeric_overflow(call->ctx);
            r = 0;
        }
        if (out->phys == PHYS_INT64)
            ((int64_t *)out->values)[i] = (int64_t)r;
        else
            ((int128_t *)out->values)[i] = r;
    }
    return OK;
}

Status func_numeric_add(KERNEL_PARAMS)
{
    if (!all_scaled(args, out))
        return numeric_rows(call, args, rows, out, numeric_add);
    return scaled_add(call, args, rows, out, 1);
}

Status func_numeric_sub(KERNEL_PARAMS)
{
    if (!all_scaled(args, out))
        return numeric_rows(call, args, rows, out, numeric_sub);
    return scaled_add(call, args, rows, out, -1);
}

Status func_numeric_mul(KERNEL_PARAMS)
{
    if (!all_scaled(args, out))
        return numeric_rows(call, args, rows, out, numeric_mul);
    if (all_int64(args)) {
        const int64_t *a = args[0]->values;
        const int64_t *b = args[1]->values;
        if (out->phys == PHYS_INT64) {
            int64_t *r = out->values;
            KERNEL2_LOOPS(int64_t, int64_t, r[i] = (int64_t)((uint64_t)x * (uint64_t)y))
        } else {
            int128_t *r = out->values;
            KERNEL2_LOOPS(int64_t, int64_t, r[i] = (int128_t)x * y)
        }
        return OK;
    }
    for (uint32_t i = 0; i < rows; i++) {
        int128_t r;
        if (UNLIKELY(__builtin_mul_overflow(scaled_at(args[0], i), scaled_at(args[1], i), &r) ||
                     beyond_38_digits(r))) {
            if (kernel_row_valid(out, i))
                return numeric_overflow(call->ctx);
            r = 0;
        }
        ((int128_t *)out->values)[i] = r;
    }
    return OK;
}

Status func_numeric_div(KERNEL_PARAMS)
{
    return numeric_rows(call, args, rows, out, numeric_div);
}

Status func_numeric_mod(KERNEL_PARAMS)
{
    return numeric_rows(call, args, rows, out, numeric_mod);
}

Status func_numeric_div_trunc(KERNEL_PARAMS)
{
    return numeric_rows(call, args, rows, out, numeric_div_trunc);
}

/* Sign changes keep the type, so each form maps to itself. */
#define SIGN_KERNEL(name, scaled_expr, numeric_expr)                  \
    Status name(KERNEL_PARAMS)                                        \
    {                                                                 \
        for (uint32_t i = 0; i < rows; i++) {                         \
            if (out->phys == PHYS_NUMERIC) {                          \
                Numeric x = numeric_at(args[0], i);                   \
                ((Numeric *)out->values)[i] = (numeric_expr);         \
                continue;                                             \
            }                                                         \
            int128_t x = scaled_at(args[0], i);                       \
            if (out->phys == PHYS_INT64)                              \
                ((int64_t *)out->values)[i] = (int64_t)(scaled_expr); \
            else                                                      \
                ((int128_t *)out->values)[i] = (scaled_expr);         \
        }                                                             \
        return OK;                                                    \
    }

SIGN_KERNEL(func_numeric_uminus, (int128_t)(0 - (uint128_t)x), numeric_negate(x))
SIGN_KERNEL(func_numeric_uplus, x, x)
SIGN_KERNEL(func_numeric_abs, x < 0 ? (int128_t)(0 - (uint128_t)x) : x, numeric_abs(x))
