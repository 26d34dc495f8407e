// SPDX-License-Identifier: Apache-2.0
//
// What the files of this room share: the session and its request. session.c holds the state
// machine, session_run.c runs one statement, session_txn.c transactions, session_plan.c binding and
// plans, session_utility.c SET/SHOW/PREPARE/…, session_copy.c COPY, session_hooks.c what functions
// ask. One thread at a time.
#ifndef DBASPOT_API_SESSION_INT_H
#define DBASPOT_API_SESSION_INT_H

#include "api/session.h"
#include "base/map.h"
#include "exec/ddl/ddl.h"
#include "os/thread.h"
#include "sql/parse/parse.h"
#include "sql/sql.h"

struct Node {
    Scope *scope;
    Settings *settings;
    Storage *storage;
    _Atomic(TxnManager *) txns; /* NULL while storage opens: the horizon callback looks */
    CatalogManager *catalogs;
    WorkerPool *pool;
    uint32_t threads;
    char *temp_dir;
};

typedef enum Block {
    BLOCK_NONE,     /* each statement commits by itself */
    BLOCK_IMPLICIT, /* several statements of one request */
    BLOCK_EXPLICIT, /* BEGIN */
    BLOCK_FAILED,   /* only ROLLBACK gets out */
} Block;

/* A statement known by a name (the unnamed one: empty). */
typedef struct Prepared {
    uint32_t refs; /* its name, portals, what runs */
    Scope *scope;  /* all of it, but for the plan's own scope */
    Str name;
    Str text;                      /* the whole text: AST locations point into it */
    const AstStatement *statement; /* NULL: an empty query */
    SqlType *params;
    uint32_t params_count;
    PlannedStatement plan; /* plan.scope NULL: not planned (yet), or a utility */
    bool from_sql;         /* PREPARE: EXECUTE finds it */
} Prepared;

/* Rows kept for a portal that is fetched in parts. */
typedef struct ResultBuffer {
    Scope *scope;
    ARRAY(Batch) batches;
    uint32_t batch_at;
    uint32_t row_at;
    bool complete;
} ResultBuffer;

typedef struct Portal {
    Scope *scope;
    Str name;
    Prepared *prepared; /* a reference */
    Datum *params;
    uint32_t params_count;
    ResultBuffer *buffer; /* NULL until a row limit was given */
    bool done;            /* run to its end */
} Portal;

typedef enum RunPhase {
    RUN_PREPARE, /* bind, plan */
    RUN_EXECUTE,
    RUN_COPY, /* COPY FROM STDIN is between pieces */
    RUN_FINISH,
} RunPhase;

typedef enum RunAnswer { RUN_OK, RUN_FAILED, RUN_POOL, RUN_WAIT, RUN_COPY_IN } RunAnswer;

/* The statement that is being run. */
typedef struct Run {
    Scope *scope;
    RunPhase phase;
    Str text;
    const AstNode *ast;
    Prepared *prepared; /* whose plan is run; NULL: `plan` */
    Prepared *held;     /* a reference to what `ast` and `text` belong to; may be NULL */
    PlannedStatement plan;
    bool has_plan;
    const Datum *params;
    uint32_t params_count;
    Portal *portal; /* row limits; NULL: none */
    uint64_t rows_max;
    uint64_t rows;
    bool columns_sent;
    bool want_columns; /* the simple protocol describes rows by itself */
    struct CopyIn *copy_in;
    bool suspended; /* the row limit was reached */
    char tag[96];   /* empty: the command's own */
} Run;

typedef enum RequestKind {
    REQUEST_NONE,
    REQUEST_QUERY,
    REQUEST_PARSE,
    REQUEST_BIND,
    REQUEST_EXECUTE,
    REQUEST_SYNC,
} RequestKind;

typedef struct Request {
    RequestKind kind;
    Scope *scope;
    bool parsed;
    Str text;
    AstList statements;
    uint32_t at;
    bool committing; /* the transaction has been committed, the log is awaited */
    Run run;
    bool running;
    Str name; /* statement or portal */
    Oid *types;
    uint32_t types_count;
    uint64_t rows_max;
} Request;

typedef struct Savepoint {
    struct Savepoint *outer;
    Str name;
    TxnSavepoint mark;
} Savepoint;

struct Session {
    Node *node;
    Scope *scope;
    Ctx ctx;
    SessionOptions options;
    SessionInfo info;
    _Atomic uint64_t random_state; /* random()'s */
    Settings *settings;
    /* Values to go back to when the transaction rolls back / ends (SET LOCAL). */
    Settings *settings_initial; /* what RESET goes back to; NULL: the node's */
    Settings *settings_before;
    Settings *settings_after; /* what COMMIT leaves: with SET, without SET LOCAL */
    TypeIoContext io;
    Oid database;
    Oid role;
    Oid *search_path;
    uint32_t search_path_count;
    uint64_t search_path_version;
    bool search_path_stale;

    Block block;
    Txn *txn;
    Scope *txn_scope;
    Catalog *catalog; /* of the transaction, or of the request when there is none */
    Savepoint *savepoints;
    Isolation isolation;
    bool read_only;
    bool deferrable;

    StrMap *prepared;
    StrMap *portals;
    Request request;
    U64Map *sequence_values; /* currval: oid -> int64_t* */
    Oid last_sequence;
    Mutex sequence_mutex; /* guards the two above: nextval may run on workers */

    DurableWaiter durable;
    _Atomic int durable_state;      /* 0 waiting, 1 durable, 2 failed */
    _Atomic uint32_t durable_wakes; /* on their way: the session must not go before they are done */
    _Atomic bool cancel;
    _Atomic(CancelReason) cancel_reason;
    _Atomic int64_t statement_deadline_ns; /* INT64_MAX: none */
    _Atomic int64_t lock_deadline_ns;      /* INT64_MAX: none, or no wait */
    bool waits_for_lock;
};

/* session_txn.c */
Status session_txn_ensure(Session *session);
/* Commits; *waits says that durable_state must be awaited before anything is acknowledged. */
Status session_txn_commit(Session *session, bool *waits);
void session_txn_abort(Session *session);
/* After a failed statement: an explicit block is marked failed, everything else rolled back. */
void session_txn_fail(Session *session);
RunAnswer session_transaction_statement(Session *session, const AstTransaction *statement);
Catalog *session_catalog(Session *session);

/* session_plan.c */
void session_bind_env(Session *session, BindEnv *env, SqlType *params, uint32_t params_count);
/* Binds and optimises; `out` has a scope of its own. */
Status session_plan(Session *session, const AstNode *ast, Str text, SqlType **params,
                    uint32_t *params_count, PlannedStatement *out);
void session_plan_free(PlannedStatement *plan);
bool session_is_planned(AstKind kind);
void session_exec_env(Session *session, const Snapshot *snapshot, const Datum *params,
                      uint32_t params_count, ExecEnv *out);
/* By search path or schema; NULL if there is none (no error is raised). */
const Object *session_find_relation(Session *session, const AstName *name);

/* session_run.c */
RunAnswer session_run(Session *session, Run *run, bool on_pool);
void session_run_free(Run *run);
RunAnswer session_answer(Session *session, Status status);
/* From here a wait for a lock counts against lock_timeout; session_lock_wait_end stops that. */
void session_lock_wait_begin(Session *session);
void session_lock_wait_end(Session *session);
/* 25P02 if the statement may not run in a failed transaction. */
Status session_check_failed(Session *session, const AstNode *ast);

/* session_utility.c: statements that need no plan. */
RunAnswer session_utility(Session *session, Run *run, bool on_pool);
bool session_utility_is_quick(AstKind kind);
Status session_set(Session *session, Str name, Str value, bool local);
void session_apply_settings(Session *session);
Status session_set_modes(Session *session, const AstSet *ast);
/* One row of one text column, as SHOW and EXPLAIN give. */
Status session_send_text(Session *session, const char *column, const Str *lines, uint32_t count);
Status session_explain(Session *session, Run *run);
/* The columns that SHOW and EXPLAIN will give, for Describe. */
Status session_describe_utility(Session *session, Prepared *prepared);

/* session_prepared.c */
Prepared *session_prepared_find(Session *session, Str name);
Status session_prepared_add(Session *session, Prepared *prepared);
Status session_prepare_text(Session *session, Str name, Str text, const Oid *types, uint32_t count);
Prepared *session_prepared_ref(Prepared *prepared);
void session_prepared_unref(Prepared *prepared);
void session_portal_free(Portal *portal);
/* They end with their transaction. */
void session_close_portals(Session *session);
Status session_execute_statement(Session *session, Run *run);
Status session_prepare_statement(Session *session, Run *run);

/* session_copy.c */
RunAnswer session_copy(Session *session, Run *run);
RunAnswer session_copy_continue(Session *session, Run *run);
void session_copy_free(Run *run);

/* session_hooks.c */
extern const SessionHooks session_hooks;
Status session_reg_input(void *arg, Ctx *ctx, Oid type, Str text, int64_t *out);
bool session_reg_output(void *arg, Oid type, int64_t value, StrBuf *out);

void session_notice(Session *session, NoticeLevel level, const char *sqlstate, const char *format,
                    ...) PRINTF_LIKE(4, 5);

#endif
