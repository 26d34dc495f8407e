// SPDX-License-Identifier: Apache-2.0
//
// Templates of kernels that work a row at a time and may fail: the body uses TRY and FAIL, reads
// arguments by KERNEL_ARG and KERNEL_STR, and runs for valid rows only. Text results are built in
// `buf` and copied to the result when the body ends. See kernel.h.
#ifndef DBASPOT_FUNC_ROWS_H
#define DBASPOT_FUNC_ROWS_H

#include "func/func_int.h"

/* PostgreSQL's limit of a value. */
#define TEXT_BYTES_MAX ((size_t)0x3fffffff)

/* Sets row `row` to a copy of the bytes. */
static inline Status kernel_put_text(FuncCall *call, Vector *out, uint32_t row, Str text)
{
    Status st = OK;
    void *bytes;

    if (text.len > TEXT_BYTES_MAX)
        FAIL(call->ctx, E_PROGRAM_LIMIT_EXCEEDED, "requested length too large");
    if (text.len > STRVIEW_INLINE_MAX) {
        TRY(scope_alloc_data(call->ctx, call->scope, text.len, &bytes));
        memcpy(bytes, text.ptr, text.len);
        text.ptr = bytes;
    }
    vector_flat(out, StrView)[row] = kernel_string(text);
done:
    return st;
}

/* Shares the bytes: they are an argument's, or lie in call->scope. */
static inline void kernel_share_text(Vector *out, uint32_t row, Str text)
{
    vector_flat(out, StrView)[row] = kernel_string(text);
}

static inline bool kernel_is_null(const Vector *const *args, uint32_t at, uint32_t row)
{
    return vector_is_null(args[at], row);
}

/* The session's forms of values; the default ones where there is no session. */
static inline const TypeIoContext *kernel_io(const FuncCall *call)
{
    static const TypeIoContext standard;
    return call->io ? call->io : &standard;
}

/* Appends the text of row `row`, which is not NULL. */
static inline void kernel_print(StrBuf *buf, const FuncCall *call, const Vector *v, uint32_t row)
{
    type_output(buf, v->type, v, row, kernel_io(call));
}

#define KERNEL_TRY_ROWS(name, ...)            \
    Status name(KERNEL_PARAMS)                \
    {                                         \
        Status st = OK;                       \
        for (uint32_t i = 0; i < rows; i++) { \
            if (!kernel_row_valid(out, i))    \
                continue;                     \
            __VA_ARGS__                       \
        }                                     \
        goto done;                            \
done:                                         \
        return st;                            \
    }

/* `continue` in the body leaves the row as it is (set NULL, or given another way). */
#define KERNEL_TEXT_ROWS(name, ...)                               \
    Status name(KERNEL_PARAMS)                                    \
    {                                                             \
        Status st = OK;                                           \
        StrBuf buf;                                               \
        strbuf_init(&buf);                                        \
        for (uint32_t i = 0; i < rows; i++) {                     \
            if (!kernel_row_valid(out, i))                        \
                continue;                                         \
            strbuf_clear(&buf);                                   \
            __VA_ARGS__                                           \
            TRY(kernel_put_text(call, out, i, strbuf_str(&buf))); \
        }                                                         \
done:                                                             \
        strbuf_free(&buf);                                        \
        return st;                                                \
    }

#define KERNEL_NULL(row) kernel_set_null(call, out, (row), rows)

#endif
