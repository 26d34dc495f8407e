// SPDX-License-Identifier: Apache-2.0
//
// Errors: a function that can fail returns Status; the story (message, detail, hint, position) is
// written once into the context, the first failure wins. One macro passes a failure on (TRY), one
// raises it (FAIL), both jump to the label `done:` where the function leaves. A Ctx belongs to one
// thread at a time; a parallel task has its own, adopted by its parent at the join.
#ifndef DBASPOT_BASE_ERROR_H
#define DBASPOT_BASE_ERROR_H

#include "base/base.h"

#if defined(__clang__)
#define STATUS_ATTRIBUTE __attribute__((warn_unused_result))
#else
#define STATUS_ATTRIBUTE
#endif

typedef enum STATUS_ATTRIBUTE Status {
    OK = 0,
#define ERROR_DEF(name, sqlstate, condition) name,
#include "base/errors.def"
#undef ERROR_DEF
    STATUS_COUNT
} Status;

typedef struct Error {
    Status status; /* OK when there is none */
    char *message; /* primary message; the strings are owned by the Ctx, NULL if absent */
    char *detail;
    char *hint;
    char *where; /* context lines, e.g. "COPY lineitem, line 7" */
    char *schema_name;
    char *table_name;
    char *column_name;
    char *constraint_name;
    int32_t position; /* 1-based character offset into the statement text, 0 = unknown */
} Error;

typedef struct Ctx {
    Error error;
    _Atomic bool *cancel; /* set by another thread to stop the statement; may be NULL */
} Ctx;

void ctx_init(Ctx *ctx);
/* Releases the strings of the error. */
void ctx_free(Ctx *ctx);

/* Writes the story unless there is one already; returns `status` (never OK). */
Status error_raise(Ctx *ctx, Status status, const char *format, ...) PRINTF_LIKE(3, 4);
/* Add to the error just raised; the last call wins. */
void error_detail(Ctx *ctx, const char *format, ...) PRINTF_LIKE(2, 3);
void error_hint(Ctx *ctx, const char *format, ...) PRINTF_LIKE(2, 3);
void error_where(Ctx *ctx, const char *format, ...) PRINTF_LIKE(2, 3);
/* Names the object an integrity error is about; each may be NULL. */
void error_object(Ctx *ctx, const char *schema, const char *table, const char *column,
                  const char *constraint);
/* Sets the position if none is set yet; 0 is ignored. */
void error_position(Ctx *ctx, int32_t position);
/* Swallows the error on purpose. */
void error_clear(Ctx *ctx);
/* Moves the error of a finished task into its parent's context (the first one wins). */
void error_adopt(Ctx *parent, Ctx *child);

/* Five characters, and the condition name, of a status. */
const char *error_sqlstate(Status status);
const char *error_condition(Status status);

/* E_QUERY_CANCELED if the statement was asked to stop. Call it once a batch. */
Status ctx_check_cancel(Ctx *ctx);

/* The line to jump to is `done:`, the variable is `st`. */
#define TRY(call)               \
    do {                        \
        st = (call);            \
        if (UNLIKELY(st != OK)) \
            goto done;          \
    } while (0)

#define FAIL(ctx, status, ...)                          \
    do {                                                \
        st = error_raise((ctx), (status), __VA_ARGS__); \
        goto done;                                      \
    } while (0)

#endif
