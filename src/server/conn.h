// SPDX-License-Identifier: Apache-2.0
//
// A connection: its socket on one event loop, its session, and what passes between. Input is
// handled message by message on the loop's thread; a statement that may take long runs on a pool
// thread, which writes results into the connection's outbox while the loop sends them. Functions
// here are for the loop's thread unless they say otherwise.
#ifndef DBASPOT_SERVER_CONN_H
#define DBASPOT_SERVER_CONN_H

#include "os/thread.h"
#include "server/wire.h"

#include <uv.h>

typedef struct Conn Conn;
typedef struct Loop Loop;
typedef struct Server Server;

/* One event loop and the connections it owns. */
struct Loop {
    Server *server;
    uv_loop_t uv;
    uv_async_t async; /* wakes the loop for `woken`, `accepted` and stopping */
    Thread thread;
    Mutex mutex;   /* guards what other threads hand over, below */
    Conn *woken;   /* linked by next_woken */
    int *accepted; /* sockets to take over */
    uint32_t accepted_count;
    uint32_t accepted_cap;
    Conn *conns; /* all of this loop */
    uint32_t conns_count;
    bool stopping;
};

struct Server {
    Node *node;
    const Settings *settings;
    void (*log)(void *arg, NoticeLevel level, const char *message);
    void *log_arg;
    Loop *loops;
    uint32_t loops_count;
    uint32_t next_loop;
    _Atomic uint32_t conns_count;
    _Atomic int32_t next_pid;
    Mutex cancel_mutex;
    Conn *cancellable; /* by pid, linked by next_cancellable */
    _Atomic bool stopping;
};

/* Result formats that Bind asked for, kept until the portal goes. */
typedef struct PortalFormats {
    struct PortalFormats *next;
    char *name;
    uint32_t count;
    int16_t formats[];
} PortalFormats;

typedef enum ConnPhase {
    CONN_STARTUP,
    CONN_IDLE,
    CONN_POOL, /* SERVER-1: a pool thread steps the session: the loop keeps its hands off */
    CONN_WAIT, /* the session waits for a lock or the log */
    CONN_COPY, /* COPY data is expected */
    CONN_CLOSING,
} ConnPhase;

struct Conn {
    Loop *loop;
    Conn *next;
    Conn **link;
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    bool is_pipe;
    bool is_closing;
    bool is_reading;
    ConnPhase phase;
    Session *session;
    int32_t pid;
    int32_t secret;
    Conn *next_cancellable;

    StrBuf in; /* received, [0, in_at) handled */
    size_t in_at;
    StrBuf out; /* being written: by the loop, or by the pool thread while CONN_POOL */
    uv_write_t write;
    StrBuf sending;
    bool is_sending;

    /* From the pool thread to the loop. */
    Mutex mutex;
    Condition drained;
    StrBuf outbox;
    size_t unsent; /* outbox and sending: what the pool thread waits for */
    bool gone;     /* the client is: writing fails */
    _Atomic SessionStep pool_step;
    _Atomic bool pool_done;
    _Atomic bool is_woken; /* in the loop's woken list, or latched while running */
    Conn *next_woken;

    bool in_query; /* ReadyForQuery follows the request */
    bool is_sync;
    bool skip_to_sync;      /* an error in the extended protocol */
    bool wants_close;       /* Terminate, or the server stops */
    bool copy_failed_input; /* data of a COPY that has failed is thrown away */
    PortalFormats *formats;
    const PortalFormats *current; /* of the portal being executed */
};

/* Takes over a connected socket; false if it could not be set up (it is closed then). */
bool conn_open(Loop *loop, int fd, bool is_pipe);
/* After the loop was woken for it. */
void conn_woken(Conn *conn);
/* Says why and closes as soon as it is idle. */
void conn_shutdown(Conn *conn);
/* Sends what is in `out`. */
void conn_flush(Conn *conn);
void conn_close(Conn *conn);

/* conn_protocol.c: handles what has come in. */
void conn_process(Conn *conn);
/* Goes on with the session's request after a wait. */
void conn_step(Conn *conn);
/* The session's sink for a connection. */
SessionSink conn_sink(Conn *conn);
void conn_free_formats(Conn *conn);
/* Any thread: puts the connection on its loop's list. */
void conn_wake(void *arg);
/* FATAL error, then close. */
void conn_fatal(Conn *conn, Ctx *ctx);

/* server.c */
void server_add_cancellable(Server *server, Conn *conn);
void server_remove_cancellable(Server *server, Conn *conn);
void server_cancel(Server *server, int32_t pid, int32_t secret);

#endif
