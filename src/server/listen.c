// SPDX-License-Identifier: Apache-2.0
//
// The listeners: TCP on a loopback address (trust authentication goes no further), and a Unix
// socket named as libpq looks for it. They accept on the first loop and give a copy of the socket
// to the loop that will serve it. First loop's thread.
#include "base/memory.h"
#include "os/file.h"
#include "os/unix_socket.h"
#include "server/loop.h"

#include <stdio.h>
#include <unistd.h>

#define BACKLOG        512
#define PORT_DEFAULT   5432
#define PIPE_BYTES_MAX 100 /* of sockaddr_un's 108 */

static void after_handle_close(uv_handle_t *handle)
{
    mem_free(handle);
}

static void on_connection(uv_stream_t *stream, int status)
{
    Listener *listener = stream->data;
    uv_loop_t *uv = stream->loop;
    uv_os_fd_t fd;

    if (status < 0) {
        server_say(listener->server, NOTICE_WARNING, "a connection could not be accepted: %s",
                   uv_strerror(status));
        return;
    }
    uv_stream_t *accepted =
        mem_alloc_zero(listener->is_pipe ? sizeof(uv_pipe_t) : sizeof(uv_tcp_t));
    if (listener->is_pipe)
        uv_pipe_init(uv, (uv_pipe_t *)accepted, 0);
    else
        uv_tcp_init(uv, (uv_tcp_t *)accepted);
    if (uv_accept(stream, accepted) == 0 && uv_fileno((uv_handle_t *)accepted, &fd) == 0) {
        int copy = dup(fd);
        if (copy >= 0)
            server_give_socket(listener->server, copy);
    }
    uv_close((uv_handle_t *)accepted, after_handle_close);
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* "127.0.0.1:5432", "[::1]:5432", "localhost:0". */
static Status parse_address(Ctx *ctx, Str text, struct sockaddr_storage *out)
{
    char host[128];
    size_t colon = text.len;
    int64_t port = 0;

    while (colon && text.ptr[colon - 1] != ':')
        colon--;
    for (size_t i = colon; i < text.len && port <= 65535; i++)
        port = text.ptr[i] >= '0' && text.ptr[i] <= '9' ? port * 10 + text.ptr[i] - '0' : 65536;
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

static int port_of(const struct sockaddr_storage *address)
{
    return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

/* *port is the one that was taken. */
static Status listen_tcp(Ctx *ctx, Server *server, Str text, int *port)
{
    Status st = OK;
    Listener *listener = &server->tcp;
    struct sockaddr_storage address = {0};
    int length = sizeof address;
    char host[64];
    int failed;

    TRY(parse_address(ctx, text, &address));
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
    if (failed) {
        error_raise(ctx, E_IO, "could not listen on %.*s: %s", (int)text.len, text.ptr,
                    uv_strerror(failed));
        if (failed == UV_EADDRINUSE)
            error_hint(ctx, "Is another server running there? Choose another port.");
        return E_IO;
    }
    uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&address, &length);
    bool v4 = address.ss_family == AF_INET;
    if (v4)
        uv_ip4_name((const struct sockaddr_in *)&address, host, sizeof host);
    else
        uv_ip6_name((const struct sockaddr_in6 *)&address, host, sizeof host);
    *port = port_of(&address);
    server_say(server, NOTICE_LOG, v4 ? "listening on %s:%d" : "listening on [%s]:%d", host, *port);
done:
    return st;
}

/* DIR/.s.PGSQL.PORT. A socket that nobody listens on is taken over. */
static Status listen_pipe(Ctx *ctx, Server *server, Str dir, int port)
{
    Status st = OK;
    Listener *listener = &server->pipe;
    char path[PIPE_BYTES_MAX];
    int failed;

    if ((size_t)snprintf(path, sizeof path, "%.*s/.s.PGSQL.%d", (int)dir.len, dir.ptr, port) >=
        sizeof path)
        FAIL(ctx, E_CONFIG_FILE, "socket directory \"%.*s\" is too long", (int)dir.len, dir.ptr);
    if (unix_socket_is_live(path)) {
        error_raise(ctx, E_IO, "could not listen on %s: address already in use", path);
        error_hint(ctx, "Is another server running there? Choose another directory.");
        return E_IO;
    }
    if (files_unlink(ctx, files_os(), path) != OK)
        error_clear(ctx); /* none was there; or binding says why */
    listener->is_pipe = true;
    uv_pipe_init(&server->loops[0].uv, &listener->pipe, 0);
    listener->is_open = true;
    listener->stream.data = listener;
    failed = uv_pipe_bind(&listener->pipe, path);
    if (!failed)
        failed = uv_listen(&listener->stream, BACKLOG, on_connection);
    if (failed)
        FAIL(ctx, E_IO, "could not listen on %s: %s", path, uv_strerror(failed));
    server_say(server, NOTICE_LOG, "listening on %s", path);
done:
    return st;
}

Status server_listen(Ctx *ctx, Server *server)
{
    Status st = OK;
    Str address = settings_string(server->settings, SETTING_LISTEN);
    Str dir = settings_string(server->settings, SETTING_SOCKET);
    int port = PORT_DEFAULT;

    server->tcp.server = server;
    server->pipe.server = server;
    if (address.len == 0 && dir.len == 0)
        FAIL(ctx, E_CONFIG_FILE, "nothing to listen on: neither an address nor a socket is set");
    if (address.len)
        TRY(listen_tcp(ctx, server, address, &port));
    if (dir.len)
        TRY(listen_pipe(ctx, server, dir, port));
done:
    return st;
}
