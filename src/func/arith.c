// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic on integers and floats, with PostgreSQL's errors: overflow and division by zero are
// looked for in rows that count only. Numerics are in arith_numeric.c. See kernel.h.
#include "func/kernel.h"

#include <math.h>

#define FUNC(oid, name, result, kernel, ...) Status kernel(KERNEL_PARAMS);
#include "func/arith.def"
#undef FUNC

static Status division_by_zero(Ctx *ctx)
{
    return error_raise(ctx, E_DIVISION_BY_ZERO, "division by zero");
}

#define INT_DIVIDE(name, A, B, R, type_name)                                                      \
    KERNEL_ROWS(name, {                                                                           \
        A x = KERNEL_ARG(A, 0);                                                                   \
        B y = KERNEL_ARG(B, 1);                                                                   \
        if (UNLIKELY(y == 0))                                                                     \
            return division_by_zero(call->ctx);                                                   \
        if (UNLIKELY(y == -1)) {                                                                  \
            if (__builtin_sub_overflow(0, x, &KERNEL_RESULT(R)))                                  \
                return error_raise(call->ctx, E_NUMERIC_OUT_OF_RANGE, type_name " out of range"); \
        } else {                                                                                  \
            KERNEL_RESULT(R) = (R)((R)x / (R)y);                                                  \
        }                                                                                         \
    })

#define INT_MODULO(name, A)                          \
    KERNEL_ROWS(name, {                              \
        A x = KERNEL_ARG(A, 0);                      \
        A y = KERNEL_ARG(A, 1);                      \
        if (UNLIKELY(y == 0))                        \
            return division_by_zero(call->ctx);      \
        KERNEL_RESULT(A) = y == -1 ? 0 : (A)(x % y); \
    })

#define INT_NEGATE(name, A, type_name)                                                        \
    KERNEL_ROWS(name, {                                                                       \
        if (__builtin_sub_overflow((A)0, KERNEL_ARG(A, 0), &KERNEL_RESULT(A)))                \
            return error_raise(call->ctx, E_NUMERIC_OUT_OF_RANGE, type_name " out of range"); \
    })

#define INT_ABS(name, A, type_name)                                                           \
    KERNEL_ROWS(name, {                                                                       \
        A x = KERNEL_ARG(A, 0);                                                               \
        KERNEL_RESULT(A) = x;                                                                 \
        if (x < 0 && __builtin_sub_overflow((A)0, x, &KERNEL_RESULT(A)))                      \
            return error_raise(call->ctx, E_NUMERIC_OUT_OF_RANGE, type_name " out of range"); \
    })

/* Infinity from finite arguments is overflow; zero from a product of others is underflow. */
#define FLOAT_OP(name, A, B, R, expr, can_underflow)                                        \
    Status name(KERNEL_PARAMS)                                                              \
    {                                                                                       \
        const A *a = args[0]->values;                                                       \
        const B *b = args[1]->values;                                                       \
        R *r = out->values;                                                                 \
        bool odd = false;                                                                   \
        KERNEL2_LOOPS(A, B, r[i] = (expr);                                                  \
                      odd |= !(fabs((double)r[i]) <=                                        \
                               (double)(sizeof(R) == 4 ? __FLT_MAX__ : __DBL_MAX__)) ||     \
                             (can_underflow && r[i] == 0))                                  \
        for (uint32_t i = 0; UNLIKELY(odd) && i < rows; i++) {                              \
            A x = a[vector_index(args[0], i)];                                              \
            B y = b[vector_index(args[1], i)];                                              \
            if (kernel_row_valid(out, i) && isinf(r[i]) && !isinf(x) && !isinf(y))          \
                return error_raise(call->ctx, E_NUMERIC_OUT_OF_RANGE,                       \
                                   "value out of range: overflow");                         \
            if (can_underflow && kernel_row_valid(out, i) && r[i] == 0 && x != 0 && y != 0) \
                return error_raise(call->ctx, E_NUMERIC_OUT_OF_RANGE,                       \
                                   "value out of range: underflow");                        \
        }                                                                                   \
        return OK;                                                                          \
    }

#define FLOAT_DIVIDE(name, A, B, R)                                                                \
    KERNEL_ROWS(name, {                                                                            \
        A x = KERNEL_ARG(A, 0);                                                                    \
        B y = KERNEL_ARG(B, 1);                                                                    \
        if (UNLIKELY(y == 0) && !isnan(x))                                                         \
            return division_by_zero(call->ctx);                                                    \
        R q = (R)x / (R)y;                                                                         \
        if (isinf(q) && !isinf(x))                                                                 \
            return error_raise(call->ctx, E_NUMERIC_OUT_OF_RANGE, "value out of range: overflow"); \
        if (q == 0 && x != 0 && !isinf(y))                                                         \
            return error_raise(call->ctx, E_NUMERIC_OUT_OF_RANGE,                                  \
                               "value out of range: underflow");                                   \
        KERNEL_RESULT(R) = q;                                                                      \
    })

KERNEL2_CHECKED(func_int2pl, int16_t, int16_t, int16_t, __builtin_add_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "smallint out of range")
KERNEL2_CHECKED(func_int2mi, int16_t, int16_t, int16_t, __builtin_sub_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "smallint out of range")
KERNEL2_CHECKED(func_int2mul, int16_t, int16_t, int16_t, __builtin_mul_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "smallint out of range")
INT_DIVIDE(func_int2div, int16_t, int16_t, int16_t, "smallint")
KERNEL2_CHECKED(func_int24pl, int16_t, int32_t, int32_t, __builtin_add_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "integer out of range")
KERNEL2_CHECKED(func_int24mi, int16_t, int32_t, int32_t, __builtin_sub_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "integer out of range")
KERNEL2_CHECKED(func_int24mul, int16_t, int32_t, int32_t, __builtin_mul_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "integer out of range")
INT_DIVIDE(func_int24div, int16_t, int32_t, int32_t, "integer")
KERNEL2_CHECKED(func_int28pl, int16_t, int64_t, int64_t, __builtin_add_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
KERNEL2_CHECKED(func_int28mi, int16_t, int64_t, int64_t, __builtin_sub_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
KERNEL2_CHECKED(func_int28mul, int16_t, int64_t, int64_t, __builtin_mul_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
INT_DIVIDE(func_int28div, int16_t, int64_t, int64_t, "bigint")
INT_MODULO(func_int2mod, int16_t)
INT_NEGATE(func_int2um, int16_t, "smallint")
KERNEL1(func_int2up, int16_t, int16_t, x)
INT_ABS(func_int2abs, int16_t, "smallint")
KERNEL2(func_int2and, int16_t, int16_t, int16_t, (int16_t)(x &y))
KERNEL2(func_int2or, int16_t, int16_t, int16_t, (int16_t)(x | y))
KERNEL2(func_int2xor, int16_t, int16_t, int16_t, (int16_t)(x ^ y))
KERNEL2(func_int2shl, int16_t, int32_t, int16_t, (int16_t)((uint16_t)x << (y & 31)))
KERNEL2(func_int2shr, int16_t, int32_t, int16_t, (int16_t)(x >> (y & 31)))
KERNEL1(func_int2not, int16_t, int16_t, (int16_t)~x)
KERNEL2_CHECKED(func_int42pl, int32_t, int16_t, int32_t, __builtin_add_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "integer out of range")
KERNEL2_CHECKED(func_int42mi, int32_t, int16_t, int32_t, __builtin_sub_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "integer out of range")
KERNEL2_CHECKED(func_int42mul, int32_t, int16_t, int32_t, __builtin_mul_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "integer out of range")
INT_DIVIDE(func_int42div, int32_t, int16_t, int32_t, "integer")
KERNEL2_CHECKED(func_int4pl, int32_t, int32_t, int32_t, __builtin_add_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "integer out of range")
KERNEL2_CHECKED(func_int4mi, int32_t, int32_t, int32_t, __builtin_sub_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "integer out of range")
KERNEL2_CHECKED(func_int4mul, int32_t, int32_t, int32_t, __builtin_mul_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "integer out of range")
INT_DIVIDE(func_int4div, int32_t, int32_t, int32_t, "integer")
KERNEL2_CHECKED(func_int48pl, int32_t, int64_t, int64_t, __builtin_add_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
KERNEL2_CHECKED(func_int48mi, int32_t, int64_t, int64_t, __builtin_sub_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
KERNEL2_CHECKED(func_int48mul, int32_t, int64_t, int64_t, __builtin_mul_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
INT_DIVIDE(func_int48div, int32_t, int64_t, int64_t, "bigint")
INT_MODULO(func_int4mod, int32_t)
INT_NEGATE(func_int4um, int32_t, "integer")
KERNEL1(func_int4up, int32_t, int32_t, x)
INT_ABS(func_int4abs, int32_t, "integer")
KERNEL2(func_int4and, int32_t, int32_t, int32_t, (int32_t)(x &y))
KERNEL2(func_int4or, int32_t, int32_t, int32_t, (int32_t)(x | y))
KERNEL2(func_int4xor, int32_t, int32_t, int32_t, (int32_t)(x ^ y))
KERNEL2(func_int4shl, int32_t, int32_t, int32_t, (int32_t)((uint32_t)x << (y & 31)))
KERNEL2(func_int4shr, int32_t, int32_t, int32_t, (int32_t)(x >> (y & 31)))
KERNEL1(func_int4not, int32_t, int32_t, (int32_t)~x)
KERNEL2_CHECKED(func_int82pl, int64_t, int16_t, int64_t, __builtin_add_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
KERNEL2_CHECKED(func_int82mi, int64_t, int16_t, int64_t, __builtin_sub_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
KERNEL2_CHECKED(func_int82mul, int64_t, int16_t, int64_t, __builtin_mul_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
INT_DIVIDE(func_int82div, int64_t, int16_t, int64_t, "bigint")
KERNEL2_CHECKED(func_int84pl, int64_t, int32_t, int64_t, __builtin_add_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
KERNEL2_CHECKED(func_int84mi, int64_t, int32_t, int64_t, __builtin_sub_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
KERNEL2_CHECKED(func_int84mul, int64_t, int32_t, int64_t, __builtin_mul_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
INT_DIVIDE(func_int84div, int64_t, int32_t, int64_t, "bigint")
KERNEL2_CHECKED(func_int8pl, int64_t, int64_t, int64_t, __builtin_add_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
KERNEL2_CHECKED(func_int8mi, int64_t, int64_t, int64_t, __builtin_sub_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
KERNEL2_CHECKED(func_int8mul, int64_t, int64_t, int64_t, __builtin_mul_overflow(x, y, &r[i]),
                E_NUMERIC_OUT_OF_RANGE, "bigint out of range")
INT_DIVIDE(func_int8div, int64_t, int64_t, int64_t, "bigint")
INT_MODULO(func_int8mod, int64_t)
INT_NEGATE(func_int8um, int64_t, "bigint")
KERNEL1(func_int8up, int64_t, int64_t, x)
INT_ABS(func_int8abs, int64_t, "bigint")
KERNEL2(func_int8and, int64_t, int64_t, int64_t, (int64_t)(x &y))
KERNEL2(func_int8or, int64_t, int64_t, int64_t, (int64_t)(x | y))
KERNEL2(func_int8xor, int64_t, int64_t, int64_t, (int64_t)(x ^ y))
KERNEL2(func_int8shl, int64_t, int32_t, int64_t, (int64_t)((uint64_t)x << (y & 63)))
KERNEL2(func_int8shr, int64_t, int32_t, int64_t, (int64_t)(x >> (y & 63)))
KERNEL1(func_int8not, int64_t, int64_t, (int64_t)~x)
FLOAT_OP(func_float4pl, float, float, float, (float)x + (float)y, false)
FLOAT_OP(func_float4mi, float, float, float, (float)x - (float)y, false)
FLOAT_OP(func_float4mul, float, float, float, (float)x *(float)y, true)
FLOAT_DIVIDE(func_float4div, float, float, float)
FLOAT_OP(func_float48pl, float, double, double, (double)x + (double)y, false)
FLOAT_OP(func_float48mi, float, double, double, (double)x - (double)y, false)
FLOAT_OP(func_float48mul, float, double, double, (double)x *(double)y, true)
FLOAT_DIVIDE(func_float48div, float, double, double)
KERNEL1(func_float4um, float, float, -x)
KERNEL1(func_float4up, float, float, x)
KERNEL1(func_float4abs, float, float, x < 0 || (x == 0 && signbit(x)) ? -x : x)
FLOAT_OP(func_float84pl, double, float, double, (double)x + (double)y, false)
FLOAT_OP(func_float84mi, double, float, double, (double)x - (double)y, false)
FLOAT_OP(func_float84mul, double, float, double, (double)x *(double)y, true)
FLOAT_DIVIDE(func_float84div, double, float, double)
FLOAT_OP(func_float8pl, double, double, double, (double)x + (double)y, false)
FLOAT_OP(func_float8mi, double, double, double, (double)x - (double)y, false)
FLOAT_OP(func_float8mul, double, double, double, (double)x *(double)y, true)
FLOAT_DIVIDE(func_float8div, double, double, double)
KERNEL1(func_float8um, double, double, -x)
KERNEL1(func_float8up, double, double, x)
KERNEL1(func_float8abs, double, double, x < 0 || (x == 0 && signbit(x)) ? -x : x)
