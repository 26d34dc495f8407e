// SPDX-License-Identifier: Apache-2.0
//
// SQL functions, operators and aggregates as vector kernels. The tables are funcs.def,
// operators.def and aggregates.def (one row each, each function row with an example that is run as
// a test); the binder resolves overloads over them by PostgreSQL's rules; pg_proc, pg_operator and
// pg_aggregate are made from them. Immutable after start; any thread.
#ifndef DBASPOT_FUNC_FUNC_H
#define DBASPOT_FUNC_FUNC_H

#include "types/datum.h"

#define FUNC_ARGS_MAX 8

typedef struct TypeIoContext TypeIoContext; /* types/io.h: DateStyle, TimeZone, reg* names … */
typedef struct SessionInfo SessionInfo;     /* below */
typedef struct FuncCall FuncCall;

typedef enum Volatility { IMMUTABLE, STABLE, VOLATILE } Volatility;

/* Computes rows [0, rows) of the result. Strict functions: a kernel may compute garbage for rows
   with a NULL argument but must not fail on them (look at the arguments' validity before raising);
   the caller has merged the arguments' validity into out->validity. Non-strict: the kernel sets
   validity. `out` comes as a flat vector with room for `rows`; a kernel may turn it into another
   form. Arguments come in any form. Memory from call->scope. */
typedef Status (*FuncKernel)(FuncCall *call, const Vector *const *args, uint32_t rows, Vector *out);

/* A set-returning function: called repeatedly, appends rows to `out` until *done. The columns of
   `out` are flat, have room for BATCH_ROWS_MAX rows and no validity at first; a call that finds
   rows_count at BATCH_ROWS_MAX adds nothing. call->state is NULL at the first call of a set, and
   the function keeps its place there, in state_scope. Strict: the caller gives no rows if an
   argument is NULL. */
typedef Status (*SetFunc)(FuncCall *call, const Datum *args, uint32_t args_count, Batch *out,
                          bool *done);

/* Result type where it depends on the arguments (numeric scales, char lengths, anyelement). */
typedef SqlType (*FuncDerive)(const SqlType *args, uint32_t args_count);

typedef struct FuncInfo {
    Oid oid; /* PostgreSQL's where it has one */
    const char *name;
    uint8_t args_count; /* without the variadic tail */
    Oid args[FUNC_ARGS_MAX];
    uint8_t defaults_count; /* trailing arguments that may be left out (defaults from the kernel) */
    Oid variadic;           /* element type of a VARIADIC tail, 0 none; OID_ANY: "any" */
    Oid result;
    FuncKernel kernel; /* NULL for set-returning functions */
    SetFunc set;       /* NULL for scalar functions */
    FuncDerive derive; /* NULL: result with typmod -1 */
    Volatility volatility;
    bool strict;
    uint16_t cost; /* relative to an integer comparison = 1 */
    const char
        *column_names;   /* of a set function with several columns: "a,b"; types in `columns` */
    const char *example; /* "expression => text result", run as a test */
    const Oid *columns;  /* types of column_names */
} FuncInfo;

struct SessionInfo {
    Str user; /* current_user = session_user */
    Str database;
    Str schema;      /* current_schema(), empty if none */
    Str search_path; /* comma-separated, as SHOW prints it */
    int32_t backend_pid;
    int64_t transaction_start_us; /* now(): microseconds since 2000-01-01 UTC */
    int64_t statement_start_us;
    Str client_address; /* empty for a Unix socket */
    uint16_t client_port;
    _Atomic uint64_t *random_state; /* random()'s; NULL: every call draws entropy, no setseed */
    /* Anything that needs the catalog, the transaction or the settings goes through these; NULL in
       unit tests. Implemented by api/session. */
    const struct SessionHooks *hooks;
    void *session;
};

/* What functions reach above their room: sequences, settings, catalog text. Results in `scope`. */
typedef struct SessionHooks {
    Status (*sequence_next)(void *session, Ctx *ctx, Oid sequence, int64_t *out);
    Status (*sequence_current)(void *session, Ctx *ctx, Oid sequence, int64_t *out);
    Status (*sequence_set)(void *session, Ctx *ctx, Oid sequence, int64_t value, bool is_called);
    Status (*last_value)(void *session, Ctx *ctx, int64_t *out);
    Status (*setting_get)(void *session, Ctx *ctx, Scope *scope, Str name, bool missing_ok,
                          Str *out, bool *found);
    Status (*setting_set)(void *session, Ctx *ctx, Str name, Str value, bool local);
    /* Text about catalog objects: `what` is the function's name (pg_get_viewdef, format_type …). */
    Status (*catalog_text)(void *session, Ctx *ctx, Scope *scope, const char *what,
                           const Datum *args, uint32_t args_count, Str *out, bool *is_null);
    /* Numbers about catalog objects: pg_table_is_visible, has_table_privilege, pg_relation_size …
     */
    Status (*catalog_number)(void *session, Ctx *ctx, const char *what, const Datum *args,
                             uint32_t args_count, int64_t *out, bool *is_null);
    /* The calling thread begins or ends a long wait (pg_sleep). */
    void (*waits)(void *session, bool begins);
} SessionHooks;

struct FuncCall {
    Ctx *ctx;
    Scope *scope; /* result memory: lives as long as the result vectors */
    const FuncInfo *func;
    uint32_t args_count; /* as called: defaults left out, a VARIADIC tail counted */
    SqlType result_type;
    const TypeIoContext *io;
    const SessionInfo *session;
    void *state;        /* kept between calls of one expression: compiled patterns, set cursors */
    Scope *state_scope; /* where state lives (the statement) */
};

/* Aggregates: states of state_bytes each, zeroed at first. Kernels see many rows at once. */
typedef struct AggCall {
    Ctx *ctx;
    Scope *scope; /* memory that states point to; one per worker; charged to work_mem */
    const struct AggInfo *agg;
    const SqlType *arg_types;
    SqlType result_type;
    const TypeIoContext *io;
} AggCall;

typedef struct AggInfo {
    Oid oid;
    const char *name;
    uint8_t args_count;
    Oid args[4]; /* OID_ANY for count("any"), OID_ANYELEMENT … */
    Oid result;
    FuncDerive derive;
    /* Bytes of a state for these argument types (a multiple of 16). */
    uint32_t (*state_bytes)(const SqlType *args);
    /* rows [0, rows) of the arguments go to states[row]; rows whose NULLs the aggregate ignores are
       skipped by the kernel itself. */
    Status (*update)(AggCall *call, const Vector *const *args, uint32_t rows, void *const *states);
    /* All rows go to one state: the fast path without groups. May be NULL. */
    Status (*update_one)(AggCall *call, const Vector *const *args, uint32_t rows, void *state);
    Status (*combine)(AggCall *call, void *into, const void *from);
    /* Writes the result of states[0..count) to out (flat, room for count), sets validity. */
    Status (*finish)(AggCall *call, void *const *states, uint32_t count, Vector *out);
    bool ordered;     /* the order of input matters (string_agg, array_agg): ORDER BY is honoured */
    bool ordered_set; /* called with WITHIN GROUP: what it is ordered by are the last arguments */
    const char *example; /* "select agg => text" */
} AggInfo;

typedef struct OperatorInfo {
    Oid oid;
    const char *name; /* "+", "=", "~~" … */
    Oid left;         /* 0: prefix operator */
    Oid right;
    Oid result;
    const FuncInfo *func;
    const char *commutator; /* operator names, NULL if none */
    const char *negator;
} OperatorInfo;

/* All overloads of a name; *count 0 if unknown. */
const FuncInfo *const *func_overloads(Str name, uint32_t *count);
const AggInfo *const *agg_overloads(Str name, uint32_t *count);
const OperatorInfo *const *operator_overloads(Str name, uint32_t *count);
const FuncInfo *func_by_oid(Oid oid);
const OperatorInfo *operator_by_oid(Oid oid);
/* The operator with exactly these operand types, NULL if none. */
const OperatorInfo *operator_exact(const char *name, Oid left, Oid right);
const FuncInfo *func_rows(uint32_t *count);
const AggInfo *agg_rows(uint32_t *count);
const OperatorInfo *operator_rows(uint32_t *count);

#endif
