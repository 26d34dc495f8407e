// SPDX-License-Identifier: Apache-2.0
//
// Node and Session: what the C API, the shell and the server are built on. A Node is one open
// database directory with its threads. A Session is one client's conversation: settings,
// transaction, prepared statements, portals. It is a state machine, so that no thread is held by a
// wait: a request is started, then session_step is called until it says STEP_DONE; in between it
// may ask to be called again on a pool thread, when a lock has been granted, when the log is
// durable, or with COPY data. A session is used by one thread at a time, any thread; only
// session_cancel may be called from elsewhere.
#ifndef DBASPOT_API_SESSION_H
#define DBASPOT_API_SESSION_H

#include "base/settings.h"
#include "exec/exec.h"

typedef struct Node Node;
typedef struct Session Session;

typedef struct NodeOptions {
    const char *dir;          /* NULL: in memory */
    const Settings *settings; /* node-wide values (memory_limit, threads …); copied */
} NodeOptions;

Status node_open(Ctx *ctx, const NodeOptions *options, Node **out);
/* Every session must be closed. */
void node_close(Node *node);
WorkerPool *node_pool(Node *node);
Storage *node_storage(Node *node);
CatalogManager *node_catalog(Node *node);
const Settings *node_settings(const Node *node);

typedef enum NoticeLevel {
    NOTICE_DEBUG,
    NOTICE_LOG,
    NOTICE_INFO,
    NOTICE_NOTICE,
    NOTICE_WARNING
} NoticeLevel;

/* Where results go, called on the thread that steps. A Status other than OK (client gone) ends the
   request. Values live until the call returns. Any function may be NULL: not wanted. */
typedef struct SessionSink {
    void *arg;
    /* Before the first batch of a statement that returns rows. */
    Status (*columns)(void *arg, Ctx *ctx, const PlannedStatement *statement);
    Status (*batch)(void *arg, Ctx *ctx, const Batch *batch, uint32_t columns_count);
    /* A statement is done: its command tag. Not called for an empty query. */
    Status (*complete)(void *arg, Ctx *ctx, const char *tag);
    Status (*empty_query)(void *arg, Ctx *ctx);
    Status (*portal_suspended)(void *arg, Ctx *ctx);
    void (*notice)(void *arg, NoticeLevel level, const char *sqlstate, const char *message,
                   const char *detail, const char *hint);
    /* A setting that clients follow has changed. */
    void (*parameter)(void *arg, const char *name, const char *value);
    /* COPY … FROM STDIN begins / COPY … TO STDOUT begins: format 0 text, 1 binary. */
    Status (*copy_in)(void *arg, Ctx *ctx, int format, uint32_t columns_count);
    Status (*copy_out)(void *arg, Ctx *ctx, int format, uint32_t columns_count);
    Status (*copy_row)(void *arg, Ctx *ctx, Str data);
    Status (*copy_done)(void *arg, Ctx *ctx);
} SessionSink;

typedef struct SessionOptions {
    Str user;
    Str database;
    Str application_name;
    Str client_address;
    uint16_t client_port;
    int32_t backend_pid;
    SessionSink sink;
    /* Called from any thread when a session that answered STEP_WAIT may be stepped again. */
    void (*wake)(void *arg);
    void *wake_arg;
} SessionOptions;

/* 3D000 if the database, 28000 if the role does not exist. */
Status session_open(Ctx *ctx, Node *node, const SessionOptions *options, Session **out);
/* Rolls back. REQUIRES: not stepping. */
void session_close(Session *session);

typedef enum SessionStep {
    STEP_DONE,    /* the request has ended; session_ctx(session)->error tells if it failed */
    STEP_POOL,    /* call session_step again on a pool thread: this may take long or block */
    STEP_WAIT,    /* call session_step again after `wake` was called */
    STEP_COPY_IN, /* give session_copy_data / _done / _fail, then step */
} SessionStep;

/* A start-up parameter of the client: as SET, outside any transaction. */
Status session_parameter(Ctx *ctx, Session *session, Str name, Str value);
/* RESET goes back to the settings as they are now. */
void session_keep_parameters(Session *session);

/* Requests. One at a time; follow each by session_step until STEP_DONE. Text is copied. */
void session_start_query(Session *session, Str text); /* the simple protocol: many statements */
void session_start_parse(Session *session, Str name, Str text, const Oid *types, uint32_t count);
/* Values as sent: text (format 0) or binary (1); NULL pointers for SQL NULL. */
void session_start_bind(Session *session, Str portal, Str statement, const Str *values,
                        const uint8_t *formats, uint32_t count);
void session_start_execute(Session *session, Str portal, uint64_t rows_max); /* 0: all */
/* Ends an implicit transaction (Sync). */
void session_start_sync(Session *session);
/* `on_pool`: the thread may block and take long. */
SessionStep session_step(Session *session, bool on_pool);
Ctx *session_ctx(Session *session);
/* The last STEP_WAIT is for the log: it comes soon. */
bool session_awaits_log(const Session *session);
/* A request that never reached the session has failed: its transaction with it. */
void session_fail(Session *session);

/* Valid until the next request: the statement's parameters and columns. NULL: no such name (error
 * in the ctx). */
const PlannedStatement *session_describe_statement(Session *session, Str name);
const PlannedStatement *session_describe_portal(Session *session, Str name);
void session_close_statement(Session *session, Str name);
void session_close_portal(Session *session, Str name);

/* COPY FROM STDIN: pieces of any size, copied or consumed before returning. */
void session_copy_data(Session *session, Str data);
void session_copy_done(Session *session);
void session_copy_fail(Session *session, Str reason);

typedef enum CancelReason {
    CANCEL_USER,              /* 57014 */
    CANCEL_STATEMENT_TIMEOUT, /* 57014 */
    CANCEL_LOCK_TIMEOUT,      /* 55P03 */
    CANCEL_SHUTDOWN,          /* 57P01 */
} CancelReason;

/* Any thread: the statement that runs or waits ends with an error. */
void session_cancel(Session *session, CancelReason reason);
/* Any thread: when the statement, or its wait for a lock, will have taken longer than the session's
   settings allow (a clock_mono_ns time); INT64_MAX: never. */
int64_t session_deadline_ns(const Session *session);
/* Any thread: cancels what is past its deadline; that deadline is gone then. */
void session_cancel_overdue(Session *session, int64_t now_ns);
/* Between requests: how long the client may leave its transaction idle, 0: no limit. */
int64_t session_idle_limit_ms(const Session *session);
/* 'I' idle, 'T' in a transaction, 'E' in a failed one. */
char session_transaction_status(const Session *session);
const TypeIoContext *session_io(const Session *session);
/* The value of a setting as SHOW prints it; NULL if unknown. */
const char *session_setting(Session *session, Scope *scope, Str name);

#endif
