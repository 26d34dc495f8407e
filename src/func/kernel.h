// SPDX-License-Identifier: Apache-2.0
//
// Templates of scalar kernels: one loop a form of argument (flat, constant), so that the compiler
// makes SIMD of the common ones, and one for any form. The expressions see x (and y) and give the
// result. Checked kernels compute all rows first and look for the row to blame only when something
// overflowed, because rows with a NULL argument hold meaningless values.
#ifndef DBASPOT_FUNC_KERNEL_H
#define DBASPOT_FUNC_KERNEL_H

#include "func/func.h"
#include "types/io.h"

#define KERNEL_PARAMS                                                              \
    UNUSED FuncCall *call, UNUSED const Vector *const *args, UNUSED uint32_t rows, \
        UNUSED Vector *out

/* True if the result of `row` counts: no argument of a strict function is NULL there. */
static inline bool kernel_row_valid(const Vector *out, uint32_t row)
{
    return out->validity == NULL || bitmap_get(out->validity, row);
}

#define KERNEL1(name, A, R, expr)                  \
    Status name(KERNEL_PARAMS)                     \
    {                                              \
        const A *a = args[0]->values;              \
        R *r = out->values;                        \
        if (args[0]->form == VECTOR_FLAT) {        \
            for (uint32_t i = 0; i < rows; i++) {  \
                A x = a[i];                        \
                r[i] = (expr);                     \
            }                                      \
        } else {                                   \
            for (uint32_t i = 0; i < rows; i++) {  \
                A x = a[vector_index(args[0], i)]; \
                r[i] = (expr);                     \
            }                                      \
        }                                          \
        return OK;                                 \
    }

/* statement(x, y, r[i]) for all rows, by form. */
#define KERNEL2_LOOPS(A, B, statement)                                          \
    if (args[0]->form == VECTOR_FLAT && args[1]->form == VECTOR_FLAT) {         \
        for (uint32_t i = 0; i < rows; i++) {                                   \
            A x = a[i];                                                         \
            B y = b[i];                                                         \
            statement;                                                          \
        }                                                                       \
    } else if (args[0]->form == VECTOR_FLAT && args[1]->form == VECTOR_CONST) { \
        B y = b[0];                                                             \
        for (uint32_t i = 0; i < rows; i++) {                                   \
            A x = a[i];                                                         \
            statement;                                                          \
        }                                                                       \
    } else if (args[0]->form == VECTOR_CONST && args[1]->form == VECTOR_FLAT) { \
        A x = a[0];                                                             \
        for (uint32_t i = 0; i < rows; i++) {                                   \
            B y = b[i];                                                         \
            statement;                                                          \
        }                                                                       \
    } else if (args[0]->form == VECTOR_DICT && args[1]->form == VECTOR_CONST) { \
        const uint32_t *at = args[0]->indexes;                                  \
        B y = b[0];                                                             \
        for (uint32_t i = 0; i < rows; i++) {                                   \
            A x = a[at[i]];                                                     \
            statement;                                                          \
        }                                                                       \
    } else {                                                                    \
        for (uint32_t i = 0; i < rows; i++) {                                   \
            A x = a[vector_index(args[0], i)];                                  \
            B y = b[vector_index(args[1], i)];                                  \
            statement;                                                          \
        }                                                                       \
    }

#define KERNEL2(name, A, B, R, expr)       \
    Status name(KERNEL_PARAMS)             \
    {                                      \
        const A *a = args[0]->values;      \
        const B *b = args[1]->values;      \
        R *r = out->values;                \
        KERNEL2_LOOPS(A, B, r[i] = (expr)) \
        return OK;                         \
    }

/* `overflows` is an expression that computes r[i] and is true on overflow. */
#define KERNEL2_CHECKED(name, A, B, R, overflows, status, message) \
    Status name(KERNEL_PARAMS)                                     \
    {                                                              \
        const A *a = args[0]->values;                              \
        const B *b = args[1]->values;                              \
        R *r = out->values;                                        \
        bool bad = false;                                          \
        KERNEL2_LOOPS(A, B, bad |= (overflows))                    \
        for (uint32_t i = 0; UNLIKELY(bad) && i < rows; i++) {     \
            A x = a[vector_index(args[0], i)];                     \
            B y = b[vector_index(args[1], i)];                     \
            if ((overflows) && kernel_row_valid(out, i))           \
                return error_raise(call->ctx, status, message);    \
        }                                                          \
        return OK;                                                 \
    }

/* A row at a time, valid rows only; `body` is a statement that may `return` an error. It sees i,
   call, and pointers to values by KERNEL_ARG. For functions where the call costs more than the
   loop. */
#define KERNEL_ROWS(name, ...)                \
    Status name(KERNEL_PARAMS)                \
    {                                         \
        for (uint32_t i = 0; i < rows; i++) { \
            if (!kernel_row_valid(out, i))    \
                continue;                     \
            __VA_ARGS__                       \
        }                                     \
        return OK;                            \
    }

#define KERNEL_ARG(T, k) (((const T *)args[k]->values)[vector_index(args[k], i)])
#define KERNEL_STR(k)    (strview_str(&KERNEL_ARG(StrView, k)))
#define KERNEL_RESULT(T) (((T *)out->values)[i])

/* A string result whose bytes lie (or are made to lie) in call->scope. */
static inline StrView kernel_string(Str text)
{
    return strview_make(text.ptr, text.len);
}

/* Marks row `row` NULL. */
static inline void kernel_set_null(FuncCall *call, Vector *out, uint32_t row, uint32_t rows)
{
    bitmap_clear(vector_make_validity(out, call->scope, rows), row);
}

#endif
