// SPDX-License-Identifier: Apache-2.0
//
// Loops, listeners, signals. The first loop runs in the calling thread: it listens and takes
// signals as well as serving its share; accepted sockets go round-robin to all loops. See server.h.
#include "server/server.h"

#include "base/memory.h"
#include "os/random.h"
#include "os/sysinfo.h"
#include "server/conn.h"

#include <stdio.h>
#include <unistd.h>

#define BACKLOG 512

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

static void say(Server *server, NoticeLevel level, const char *format, ...) PRINTF_LIKE(3, 4);

static void say(Server *server, NoticeLevel level, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *message = mem_vprintf(format, args);
    va_end(args);
    if (server->log)
        server->log(server->log_arg, level, message);
    mem_free(message);
}

void server_add_cancellable(Server *server, Conn *conn)
{
    mutex_lock(&server->cancel_mutex);
    conn->next_cancellable = server->cancellable;
    server->cancellable = conn;
    mutex_unlock(&server->cancel_mutex);
}

void server_remove_cancellable(Server *server, Conn *conn)
{
    mutex_lock(&server->cancel_mutex);
    for (Conn **at = &server->cancellable; *at; at = &(*at)->next_cancellable) {
        if (*at == conn) {
            *at = conn->next_cancellable;
            break;
        }
    }
    mutex_unlock(&server->cancel_mutex);
}

void server_cancel(Server *server, int32_t pid, int32_t secret)
{
    mutex_lock(&server->cancel_mutex);
    for (Conn *conn = server->cancellable; conn; conn = conn->next_cancellable) {
        if (conn->pid == pid && conn->secret == secret)
            session_cancel(conn->session);
    }
    mutex_unlock(&server->cancel_mutex);
}

static void take_socket(Loop *loop, int fd)
{
    Random random;

    random_seed_entropy(&random);
    bool is_pipe = uv_guess_handle(fd) == UV_NAMED_PIPE;
    if (!conn_open(loop, fd, is_pipe))
        return;
    loop->conns->pid = atomic_fetch_add(&loop->server->next_pid, 1);
    loop->conns->secret = (int32_t)random_u64(&random);
}

static void stop_if_empty(Loop *loop)
{
    if (loop->stopping && loop->conns == NULL)
        uv_stop(&loop->uv);
}

/* Other threads have something for this loop. */
static void on_async(uv_async_t *async)
{
    Loop *loop = async->data;

    mutex_lock(&loop->mutex);
    Conn *woken = loop->woken;
    loop->woken = NULL;
    int *sockets = loop->accepted;
    uint32_t sockets_count = loop->accepted_count;
    loop->accepted = NULL;
    loop->accepted_count = loop->accepted_cap = 0;
    mutex_unlock(&loop->mutex);
    for (uint32_t i = 0; i < sockets_count; i++)
        take_socket(loop, sockets[i]);
    mem_free(sockets);
    while (woken) {
        Conn *next = woken->next_woken;
        conn_woken(woken);
        woken = next;
    }
    if (atomic_load(&loop->server->stopping) && !loop->stopping) {
        loop->stopping = true;
        for (Conn *conn = loop->conns, *next; conn; conn = next) {
            next = conn->next;
            conn_shutdown(conn);
        }
    }
}

/* After each turn of the loop: has the last connection gone? */
static void on_turn(uv_check_t *check)
{
    stop_if_empty(check->data);
}

static void give_socket(Server *server, int fd)
{
    Loop *loop = &server->loops[server->next_loop++ % server->loops_count];

    mutex_lock(&loop->mutex);
    if (loop->accepted_count == loop->accepted_cap) {
        loop->accepted_cap = loop->accepted_cap ? loop->accepted_cap * 2 : 16;
        loop->accepted = mem_realloc(loop->accepted, sizeof(int) * loop->accepted_cap);
    }
    loop->accepted[loop->accepted_count++] = fd;
    mutex_unlock(&loop->mutex);
    uv_async_send(&loop->async);
}

static void after_handle_close(uv_handle_t *handle)
{
    mem_free(handle);
}

/* Accepts on this loop, then hands a copy of the socket to the loop that will serve it. */
static void on_connection(uv_stream_t *stream, int status)
{
    Listener *listener = stream->data;
    uv_loop_t *uv = stream->loop;
    uv_os_fd_t fd;

    if (status < 0)
        return;
    uv_stream_t *accepted =
        mem_alloc_zero(listener->is_pipe ? sizeof(uv_pipe_t) : sizeof(uv_tcp_t));
    if (listener->is_pipe)
        uv_pipe_init(uv, (uv_pipe_t *)accepted, 0);
    else
        uv_tcp_init(uv, (uv_tcp_t *)accepted);
    if (uv_accept(stream, accepted) == 0 && uv_fileno((uv_handle_t *)accepted, &fd) == 0) {
        int copy = dup(fd);
        if (copy >= 0)
            give_socket(listener->server, copy);
    }
    uv_close((uv_handle_t *)accepted, after_handle_close);
}

static void run_loop(void *arg)
{
    Loop *loop = arg;
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void loop_open(Server *server, Loop *loop)
{
    loop->server = server;
    mutex_init(&loop->mutex);
    int failed = uv_loop_init(&loop->uv);
    ASSERT(failed == 0 && "an event loop could not be made");
    failed = uv_async_init(&loop->uv, &loop->async, on_async);
    ASSERT(failed == 0);
    loop->async.data = loop;
}

static void close_any(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void loop_close(Loop *loop)
{
    uv_walk(&loop->uv, close_any, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&loop->uv);
    ASSERT(busy == 0);
    mem_free(loop->accepted);
    mutex_free(&loop->mutex);
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* "127.0.0.1:5432", "[::1]:5432", "localhost:0". */
static Status parse_listen(Ctx *ctx, Str text, struct sockaddr_storage *out)
{
    char host[128];
    size_t colon = text.len;
    int64_t port = 0;

    while (colon && text.ptr[colon - 1] != ':')
        colon--;
    for (size_t i = colon; i < text.len; i++)
        port = text.ptr[i] >= '0' && text.ptr[i] <= '9' ? port * 10 + text.ptr[i] - '0' : 1 << 20;
    Str name = {text.ptr, colon ? colon - 1 : 0};
    if (name.len >= 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']')
        name = (Str){name.ptr + 1, name.len - 2};
    if (str_is(name, "localhost"))
        name = STR("127.0.0.1");
    if (colon == 0 || colon == text.len || name.len >= sizeof host || port > 65535)
        return error_raise(ctx, E_CONFIG_FILE,
                           "invalid listen address \"%.*s\": expected ADDR:PORT", (int)text.len,
                           text.ptr);
    memcpy(host, name.ptr, name.len);
    host[name.len] = '\0';
    if (uv_ip4_addr(host, (int)port, (struct sockaddr_in *)out) == 0 ||
        uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)out) == 0)
        return OK;
    return error_raise(ctx, E_CONFIG_FILE, "invalid listen address \"%s\"", host);
}

static Status listen_tcp(Ctx *ctx, Server *server, Listener *listener)
{
    Status st = OK;
    Str text = settings_string(server->settings, SETTING_LISTEN);
    struct sockaddr_storage address = {0};
    int length = sizeof address;
    char host[64];
    int failed;

    if (text.len == 0)
        return OK;
    TRY(parse_listen(ctx, text, &address));
    if (!is_loopback(&address)) {
        st = error_raise(ctx, E_CONFIG_FILE, "trust authentication is for loopback addresses only");
        error_hint(ctx, "Listen on 127.0.0.1 or [::1], or use a Unix socket.");
        goto done;
    }
    uv_tcp_init(&server->loops[0].uv, &listener->tcp);
    listener->is_open = true;
    listener->stream.data = listener;
    failed = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&address, 0);
    if (!failed)
        failed = uv_listen(&listener->stream, BACKLOG, on_connection);
    if (failed)
        FAIL(ctx, E_IO, "could not listen on %.*s: %s", (int)text.len, text.ptr,
             uv_strerror(failed));
    uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&address, &length);
    bool v4 = address.ss_family == AF_INET;
    if (v4)
        uv_ip4_name((const struct sockaddr_in *)&address, host, sizeof host);
    else
        uv_ip6_name((const struct sockaddr_in6 *)&address, host, sizeof host);
    say(server, NOTICE_LOG, v4 ? "listening on %s:%d" : "listening on [%s]:%d", host,
        ntohs(((const struct sockaddr_in *)&address)->sin_port));
done:
    return st;
}

/* DIR/.s.PGSQL.PORT, as libpq looks for it. */
static Status listen_pipe(Ctx *ctx, Server *server, Listener *listener)
{
    Status st = OK;
    Str dir = settings_string(server->settings, SETTING_SOCKET);
    Str tcp = settings_string(server->settings, SETTING_LISTEN);
    struct sockaddr_storage address = {0};
    int port = 5432;
    char path[256];
    int failed;

    if (dir.len == 0)
        return OK;
    if (tcp.len) {
        TRY(parse_listen(ctx, tcp, &address));
        port = ntohs(((const struct sockaddr_in *)&address)->sin_port);
        if (port == 0)
            port = 5432;
    }
    if (snprintf(path, sizeof path, "%.*s/.s.PGSQL.%d", (int)dir.len, dir.ptr, port) >= 100)
        FAIL(ctx, E_CONFIG_FILE, "socket directory \"%.*s\" is too long", (int)dir.len, dir.ptr);
    listener->is_pipe = true;
    uv_pipe_init(&server->loops[0].uv, &listener->pipe, 0);
    listener->is_open = true;
    listener->stream.data = listener;
    unlink(path);
    failed = uv_pipe_bind(&listener->pipe, path);
    if (!failed)
        failed = uv_listen(&listener->stream, BACKLOG, on_connection);
    if (failed)
        FAIL(ctx, E_IO, "could not listen on %s: %s", path, uv_strerror(failed));
    say(server, NOTICE_LOG, "listening on %s", path);
done:
    return st;
}

static void on_signal(uv_signal_t *handle, int number)
{
    Server *server = handle->data;

    (void)number;
    if (atomic_exchange(&server->stopping, true))
        return;
    say(server, NOTICE_LOG, "stopping");
    for (uint32_t i = 0; i < server->loops_count; i++)
        uv_async_send(&server->loops[i].async);
}

static Status serve(Ctx *ctx, Server *server)
{
    Status st = OK;
    Listener tcp = {.server = server};
    Listener pipe = {.server = server};
    uv_signal_t signals[2];
    static const int numbers[] = {SIGTERM, SIGINT};
    uint32_t started = 1;

    for (uint32_t i = 0; i < 2; i++) {
        uv_signal_init(&server->loops[0].uv, &signals[i]);
        signals[i].data = server;
        uv_signal_start(&signals[i], on_signal, numbers[i]);
    }
    TRY(listen_tcp(ctx, server, &tcp));
    TRY(listen_pipe(ctx, server, &pipe));
    if (!tcp.is_open && !pipe.is_open)
        FAIL(ctx, E_CONFIG_FILE, "nothing to listen on: neither an address nor a socket is set");
    for (; started < server->loops_count; started++)
        TRY(thread_start(ctx, &server->loops[started].thread, "loop", run_loop,
                         &server->loops[started]));
    run_loop(&server->loops[0]);
done:
    atomic_store(&server->stopping, true);
    for (uint32_t i = 1; i < started; i++) {
        uv_async_send(&server->loops[i].async);
        thread_join(&server->loops[i].thread);
    }
    return st;
}

/* Each loop looks, after each turn, whether it may end. */
static void watch_end(Loop *loop, uv_check_t *check)
{
    uv_check_init(&loop->uv, check);
    check->data = loop;
    uv_check_start(check, on_turn);
}

Status server_run(Ctx *ctx, const ServerOptions *options)
{
    Status st = OK;
    Server *server = mem_alloc_zero(sizeof *server);
    Scope *scope = scope_open(NULL, "server");
    uint32_t threads = (uint32_t)settings_int(options->settings, SETTING_THREADS);
    Str dir = settings_string(options->settings, SETTING_DATA_DIRECTORY);
    NodeOptions node = {.dir = dir.len ? str_to_c(scope, dir) : NULL,
                        .settings = options->settings};

    server->settings = options->settings;
    server->log = options->log;
    server->log_arg = options->log_arg;
    atomic_store(&server->next_pid, 1000);
    mutex_init(&server->cancel_mutex);
    TRY(node_open(ctx, &node, &server->node));
    server->loops_count = threads ? threads : sysinfo_cores();
    server->loops = scope_new_array(scope, Loop, server->loops_count);
    uv_check_t *checks = scope_new_array(scope, uv_check_t, server->loops_count);
    for (uint32_t i = 0; i < server->loops_count; i++) {
        loop_open(server, &server->loops[i]);
        watch_end(&server->loops[i], &checks[i]);
    }
    st = serve(ctx, server);
    for (uint32_t i = 0; i < server->loops_count; i++)
        loop_close(&server->loops[i]);
done:
    node_close(server->node);
    mutex_free(&server->cancel_mutex);
    mem_free(server);
    scope_close(scope);
    return st;
}
