// SPDX-License-Identifier: Apache-2.0
//
// The server's frame: event loops, each with a thread and the connections it owns, the listeners
// of the first loop, and the list by which cancel requests find their connection. A Loop's fields
// are its own thread's but for those under `mutex`.
#ifndef DBASPOT_SERVER_LOOP_H
#define DBASPOT_SERVER_LOOP_H

#include "api/session.h"
#include "os/thread.h"

#include <uv.h>

typedef struct Conn Conn;
typedef struct Loop Loop;
typedef struct Server Server;
typedef struct BindParams BindParams;

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
    Conn *conns;             /* all of this loop */
    BindParams *bind_params; /* of the Bind message at hand */
    bool stopping;
};

typedef struct Listener {
    Server *server;
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    bool is_pipe;
    bool is_open;
} Listener;

struct Server {
    Node *node;
    const Settings *settings;
    void (*log)(void *arg, NoticeLevel level, const char *message);
    void *log_arg;
    Loop *loops;
    uint32_t loops_count;
    uint32_t next_loop;
    Listener tcp;
    Listener pipe;
    _Atomic uint32_t conns_count; /* with a session */
    _Atomic int32_t next_pid;
    Mutex cancel_mutex;
    Conn *cancellable; /* linked by next_cancellable */
    _Atomic bool stopping;
};

/* server.c. Any thread. */
void server_say(Server *server, NoticeLevel level, const char *format, ...) PRINTF_LIKE(3, 4);
/* From here to server_remove_cancellable a cancel request finds the connection. */
void server_add_cancellable(Server *server, Conn *conn);
void server_remove_cancellable(Server *server, Conn *conn);
void server_cancel(Server *server, int32_t pid, int32_t secret);
/* After its last connection has gone a stopping loop ends. Its own thread. */
void loop_stop_if_empty(Loop *loop);
/* Gives a connected socket to the next loop in turn. First loop's thread. */
void server_give_socket(Server *server, int fd);

/* listen.c: opens what the settings ask for on the first loop. E_CONFIG_FILE, E_IO. */
Status server_listen(Ctx *ctx, Server *server);

#endif
