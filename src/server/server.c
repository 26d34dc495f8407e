// SPDX-License-Identifier: Apache-2.0
//
// The server's life: node, loops, signals, the end. The first loop runs in the calling thread: it
// listens and takes signals as well as serving its share; accepted sockets go round-robin to all
// loops. See server.h.
#include "server/server.h"

#include "base/memory.h"
#include "os/random.h"
#include "os/sysinfo.h"
#include "server/conn.h"

/* Files of the node itself, and spare ones, beside one a connection. */
#define FILES_RESERVED 1024

void server_say(Server *server, NoticeLevel level, const char *format, ...)
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
            session_cancel(conn->session, CANCEL_USER);
    }
    mutex_unlock(&server->cancel_mutex);
}

static void take_socket(Loop *loop, int fd)
{
    Random random;
    Conn *conn = conn_open(loop, fd, uv_guess_handle(fd) == UV_NAMED_PIPE);

    if (conn == NULL)
        return;
    random_seed_entropy(&random);
    conn->pid = atomic_fetch_add(&loop->server->next_pid, 1);
    conn->secret = (int32_t)random_u64(&random);
}

void loop_stop_if_empty(Loop *loop)
{
    if (loop->stopping && loop->conns == NULL)
        uv_stop(&loop->uv);
}

static void begin_stopping(Loop *loop)
{
    loop->stopping = true;
    for (Conn *conn = loop->conns, *next; conn; conn = next) {
        next = conn->next;
        conn_shutdown(conn);
    }
    loop_stop_if_empty(loop);
}

/* Other threads have something for this loop. */
static void on_async(uv_async_t *async)
{
    Loop *loop = async->data;

    mutex_lock(&loop->mutex);
    int *sockets = loop->accepted;
    uint32_t sockets_count = loop->accepted_count;
    loop->accepted = NULL;
    loop->accepted_count = loop->accepted_cap = 0;
    mutex_unlock(&loop->mutex);
    for (uint32_t i = 0; i < sockets_count; i++)
        take_socket(loop, sockets[i]);
    mem_free(sockets);
    for (;;) { /* one by one: a connection that closes takes itself off the list */
        mutex_lock(&loop->mutex);
        Conn *conn = loop->woken;
        if (conn)
            loop->woken = conn->next_woken;
        mutex_unlock(&loop->mutex);
        if (conn == NULL)
            break;
        conn_woken(conn);
    }
    if (atomic_load(&loop->server->stopping) && !loop->stopping)
        begin_stopping(loop);
}

void server_give_socket(Server *server, int fd)
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
    loop->bind_params = mem_alloc(sizeof *loop->bind_params);
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
    mem_free(loop->bind_params);
    mem_free(loop->accepted);
    mutex_free(&loop->mutex);
}

static void on_signal(uv_signal_t *handle, int number)
{
    Server *server = handle->data;

    (void)number;
    if (atomic_exchange(&server->stopping, true))
        return;
    server_say(server, NOTICE_LOG, "stopping");
    for (uint32_t i = 0; i < server->loops_count; i++)
        uv_async_send(&server->loops[i].async);
}

static Status serve(Ctx *ctx, Server *server)
{
    Status st = OK;
    uv_signal_t signals[2];
    static const int numbers[] = {SIGTERM, SIGINT};
    uint32_t started = 1;

    for (uint32_t i = 0; i < 2; i++) {
        uv_signal_init(&server->loops[0].uv, &signals[i]);
        signals[i].data = server;
        uv_signal_start(&signals[i], on_signal, numbers[i]);
    }
    TRY(server_listen(ctx, server));
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
    for (uint32_t i = 0; i < server->loops_count; i++)
        loop_close(&server->loops[i]); /* while the signals' handles still exist */
    return st;
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
    sysinfo_raise_files_limit(FILES_RESERVED +
                              (uint64_t)settings_int(options->settings, SETTING_MAX_CONNECTIONS));
    server->loops_count = threads ? threads : sysinfo_cores();
    server->loops = scope_new_array(scope, Loop, server->loops_count);
    for (uint32_t i = 0; i < server->loops_count; i++)
        loop_open(server, &server->loops[i]);
    st = serve(ctx, server);
done:
    node_close(server->node);
    mutex_free(&server->cancel_mutex);
    mem_free(server);
    scope_close(scope);
    return st;
}
