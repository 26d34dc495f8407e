// SPDX-License-Identifier: Apache-2.0
//
// The context's error: one allocation a string, freed when it is cleared. Raising is the slow path,
// so plain formatting into heap strings is fine. One thread a Ctx at a time.
#include "base/error.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct ErrorRow {
    const char *sqlstate;
    const char *condition;
} ErrorRow;

static const ErrorRow error_rows[STATUS_COUNT] = {
    [OK] = {"00000", "successful_completion"},
#define ERROR_DEF(name, sqlstate, condition) [name] = {sqlstate, condition},
#include "base/errors.def"
#undef ERROR_DEF
};

void ctx_init(Ctx *ctx)
{
    *ctx = (Ctx){0};
}

void ctx_free(Ctx *ctx)
{
    error_clear(ctx);
}

static void set_format(char **slot, const char *format, va_list args) PRINTF_LIKE(2, 0);

static void set_format(char **slot, const char *format, va_list args)
{
    mem_free(*slot);
    *slot = mem_vprintf(format, args);
}

Status error_raise(Ctx *ctx, Status status, const char *format, ...)
{
    ASSERT(status != OK && status < STATUS_COUNT);
    if (ctx->error.status != OK)
        return ctx->error.status;
    va_list args;
    va_start(args, format);
    set_format(&ctx->error.message, format, args);
    va_end(args);
    ctx->error.status = status;
    return status;
}

void error_detail(Ctx *ctx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_format(&ctx->error.detail, format, args);
    va_end(args);
}

void error_hint(Ctx *ctx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_format(&ctx->error.hint, format, args);
    va_end(args);
}

void error_where(Ctx *ctx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_format(&ctx->error.where, format, args);
    va_end(args);
}

static void set_name(char **slot, const char *name)
{
    mem_free(*slot);
    *slot = name ? mem_strdup(name) : NULL;
}

void error_object(Ctx *ctx, const char *schema, const char *table, const char *column,
                  const char *constraint)
{
    set_name(&ctx->error.schema_name, schema);
    set_name(&ctx->error.table_name, table);
    set_name(&ctx->error.column_name, column);
    set_name(&ctx->error.constraint_name, constraint);
}

void error_position(Ctx *ctx, int32_t position)
{
    if (ctx->error.position == 0 && position > 0)
        ctx->error.position = position;
}

void error_clear(Ctx *ctx)
{
    Error *error = &ctx->error;

    mem_free(error->message);
    mem_free(error->detail);
    mem_free(error->hint);
    mem_free(error->where);
    mem_free(error->schema_name);
    mem_free(error->table_name);
    mem_free(error->column_name);
    mem_free(error->constraint_name);
    *error = (Error){0};
}

void error_adopt(Ctx *parent, Ctx *child)
{
    if (child->error.status == OK)
        return;
    if (parent->error.status != OK) {
        error_clear(child);
        return;
    }
    parent->error = child->error;
    child->error = (Error){0};
}

const char *error_sqlstate(Status status)
{
    ASSERT(status < STATUS_COUNT);
    return error_rows[status].sqlstate;
}

const char *error_condition(Status status)
{
    ASSERT(status < STATUS_COUNT);
    return error_rows[status].condition;
}

Status ctx_check_cancel(Ctx *ctx)
{
    if (ctx->cancel == NULL || !atomic_load_explicit(ctx->cancel, memory_order_relaxed))
        return OK;
    return error_raise(ctx, E_QUERY_CANCELED, "canceling statement due to user request");
}
