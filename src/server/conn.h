// SPDX-License-Identifier: Apache-2.0
//
// A connection: its socket on one event loop, its session, and what passes between. Input is
// handled message by message on the loop's thread; a statement that may take long runs on a pool
// thread, which writes results into the connection's outbox while the loop sends them. Functions
// here are for the loop's thread unless they say otherwise.
#ifndef DBASPOT_SERVER_CONN_H
#define DBASPOT_SERVER_CONN_H

#include "server/loop.h"
#include "server/wire.h"

#define PARAMS_MAX 65535

/* Result formats that Bind asked for, kept until the portal goes. */
typedef struct PortalFormats {
    struct PortalFormats *next;
    char *name;
    uint32_t count;
    uint32_t cap;
    int16_t formats[];
} PortalFormats;

typedef enum ConnPhase {
    CONN_STARTUP,
    CONN_IDLE,
    CONN_POOL, /* SERVER-1: a pool thread steps the session: the loop keeps its hands off */
    CONN_WAIT, /* the session waits for a lock or the log */
    CONN_COPY, /* COPY data is expected */
} ConnPhase;

/* The request that the session works on. */
typedef enum ConnRequest { CONN_QUERY, CONN_PARSE, CONN_EXECUTE, CONN_SYNC } ConnRequest;

/* A Bind message's parameters. On the heap: there may be 65,535. */
struct BindParams {
    uint32_t count;
    uint32_t formats_count;
    Str values[PARAMS_MAX];
    uint8_t formats[PARAMS_MAX];
};

struct Conn {
    Loop *loop;
    Conn *next;
    Conn **link;
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    uv_timer_t timer;
    int handles_count; /* not closed yet: the stream, the timer */
    bool is_pipe;
    bool is_closing;
    bool is_reading;
    bool at_eof;      /* the client sends no more; it may still read */
    bool is_lost;     /* the client is gone: nothing is sent any more */
    bool wants_close; /* Terminate, a fatal error, or the server stops: when idle */
    ConnPhase phase;
    ConnRequest request;
    Session *session;
    int32_t pid;
    int32_t secret;
    Conn *next_cancellable;
    int64_t opened_ns;   /* for the time that start-up may take */
    int64_t idle_ns;     /* since when the client has been waited for in a transaction */
    int64_t shutdown_ns; /* when a connection that was asked to end is cut; 0: not asked */

    StrBuf in; /* received, [0, in_at) handled */
    size_t in_at;
    size_t read_bytes; /* of the next read: grows while reads fill it */
    StrBuf out;        /* being written: by the loop, or by the pool thread while CONN_POOL */
    uv_write_t write;
    StrBuf sending;
    bool is_sending;

    /* Between the pool thread and the loop. */
    Mutex mutex;
    Condition drained;
    StrBuf outbox;
    size_t unsent; /* outbox and sending: what the pool thread waits for */
    bool gone;     /* is_lost, for the pool thread */
    SessionStep pool_step;
    _Atomic bool pool_done;
    _Atomic bool is_woken; /* in the loop's woken list, or latched while running */
    Conn *next_woken;

    bool skip_to_sync; /* an error in the extended protocol */
    PortalFormats *formats;
    const PortalFormats *current; /* of the portal being executed */
};

/* conn.c: bytes. Takes over a connected socket; NULL if it could not be set up (it is closed). */
Conn *conn_open(Loop *loop, int fd, bool is_pipe);
/* After the loop was woken for it. */
void conn_woken(Conn *conn);
/* Says why and closes as soon as it is idle. */
void conn_shutdown(Conn *conn);
/* Sends what is in `out`. */
void conn_flush(Conn *conn);
/* The client cannot be reached: stops what runs, closes when it has stopped. */
void conn_lose(Conn *conn);
/* More has been written than the socket takes: input waits. */
bool conn_is_clogged(const Conn *conn);
/* Any thread: puts the connection on its loop's list. */
void conn_wake(void *arg);

/* conn_timer.c: starts or stops the timer, after the phase or a deadline changed. */
void conn_timer_open(Conn *conn);
void conn_timer_set(Conn *conn);

/* conn_protocol.c: handles what has come in. */
void conn_process(Conn *conn);
/* Goes on with the session's request after a wait, or after the pool thread is done. */
void conn_resume(Conn *conn);
/* FATAL error, then close. */
void conn_fatal(Conn *conn, Status status, const char *message);
void conn_fatal_error(Conn *conn, Ctx *ctx);

/* conn_startup.c: SSLRequest, CancelRequest or StartupMessage. False: more bytes are needed. */
bool conn_process_startup(Conn *conn);

/* conn_sink.c: the session's sink for a connection, and portals' result formats. */
SessionSink conn_sink(Conn *conn);
PortalFormats *conn_formats_find(const Conn *conn, Str name);
PortalFormats *conn_formats_add(Conn *conn, Str name, uint32_t count);
void conn_formats_drop(Conn *conn, Str name);
/* Named portals end with their transaction. */
void conn_formats_drop_named(Conn *conn);
void conn_formats_free(Conn *conn);

#endif
