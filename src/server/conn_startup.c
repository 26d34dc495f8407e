// SPDX-License-Identifier: Apache-2.0
//
// The first packets of a connection: SSLRequest and GSSENCRequest (refused), CancelRequest, and
// StartupMessage, which opens the session. PostgreSQL 15, chapter 55.2.1 and 55.2.7. Loop's thread.
#include "os/clock.h"
#include "server/conn.h"

#include <stdio.h>

#define PROTOCOL_3_0      196608
#define REQUEST_CANCEL    80877102
#define REQUEST_SSL       80877103
#define REQUEST_GSSENC    80877104
#define STARTUP_BYTES_MAX 10000
#define ADDRESS_BYTES_MAX 64

typedef struct Startup {
    Str user;
    Str database;
    Str options;
    bool replication;
    int unknown_count; /* _pq_.… parameters: protocol options that we do not know */
    WireReader params;
} Startup;

static bool is_own_parameter(Str name)
{
    return str_is(name, "user") || str_is(name, "database") || str_is(name, "options") ||
           str_is(name, "replication");
}

static bool is_protocol_option(Str name)
{
    return name.len >= 5 && memcmp(name.ptr, "_pq_.", 5) == 0;
}

static Status read_startup(Ctx *ctx, WireReader reader, Startup *out)
{
    *out = (Startup){.params = reader};
    while (reader.rest.len > 1 && !reader.bad) {
        Str name = wire_read_string(&reader);
        Str value = wire_read_string(&reader);
        if (str_is(name, "user"))
            out->user = value;
        else if (str_is(name, "database"))
            out->database = value;
        else if (str_is(name, "options"))
            out->options = value;
        else if (str_is(name, "replication"))
            out->replication = !str_is(value, "false") && !str_is(value, "0") &&
                               !str_is(value, "off") && !str_is(value, "no");
        else if (is_protocol_option(name))
            out->unknown_count++;
    }
    if (reader.bad || reader.rest.len != 1)
        return error_raise(ctx, E_PROTOCOL_VIOLATION,
                           "invalid startup packet layout: expected terminator as last byte");
    if (out->user.len == 0)
        return error_raise(ctx, E_INVALID_AUTHORIZATION,
                           "no PostgreSQL user name specified in startup packet");
    if (out->replication)
        return error_raise(ctx, E_FEATURE_NOT_SUPPORTED, "replication is not supported");
    if (out->database.len == 0)
        out->database = out->user;
    return OK;
}

/* "-c name=value" or "--name=value", separated by spaces; a backslash takes the next character. */
static Status apply_options(Ctx *ctx, Scope *scope, Session *session, Str options)
{
    Status st = OK;
    char *word = scope_alloc(scope, options.len + 1);
    bool expects_value = false;

    for (size_t i = 0; i < options.len;) {
        size_t length = 0;
        while (i < options.len && options.ptr[i] == ' ')
            i++;
        for (; i < options.len && options.ptr[i] != ' '; i++) {
            if (options.ptr[i] == '\\' && i + 1 < options.len)
                i++;
            word[length++] = options.ptr[i];
        }
        Str text = {word, length};
        if (text.len == 0)
            break;
        if (str_is(text, "-c") && !expects_value) {
            expects_value = true;
            continue;
        }
        if (!expects_value && text.len > 2 && text.ptr[0] == '-' &&
            (text.ptr[1] == 'c' || text.ptr[1] == '-'))
            text = (Str){text.ptr + 2, text.len - 2};
        else if (!expects_value)
            FAIL(ctx, E_SYNTAX, "invalid command-line argument for server process: %.*s",
                 (int)text.len, text.ptr);
        expects_value = false;
        const char *equals = memchr(text.ptr, '=', text.len);
        if (equals == NULL)
            FAIL(ctx, E_SYNTAX, "-c %.*s requires a value", (int)text.len, text.ptr);
        Str name = {text.ptr, (size_t)(equals - text.ptr)};
        TRY(session_parameter(ctx, session, name, (Str){equals + 1, text.len - name.len - 1}));
    }
done:
    return st;
}

static Status apply_parameters(Ctx *ctx, Scope *scope, Session *session, const Startup *startup)
{
    Status st = OK;
    WireReader params = startup->params;

    TRY(apply_options(ctx, scope, session, startup->options));
    while (params.rest.len > 1) {
        Str name = wire_read_string(&params);
        Str value = wire_read_string(&params);
        if (!is_own_parameter(name) && !is_protocol_option(name))
            TRY(session_parameter(ctx, session, name, value));
    }
done:
    return st;
}

/* NegotiateProtocolVersion: 3.0, and the options that we do not know. */
static void answer_version(Conn *conn, const Startup *startup)
{
    WireReader params = startup->params;
    size_t start = wire_begin(&conn->out, 'v');

    wire_put_int32(&conn->out, PROTOCOL_3_0); /* PostgreSQL 15 sends the whole version */
    wire_put_int32(&conn->out, startup->unknown_count);
    while (params.rest.len > 1) {
        Str name = wire_read_string(&params);
        wire_read_string(&params);
        if (is_protocol_option(name))
            wire_put_text(&conn->out, name);
    }
    wire_end(&conn->out, start);
}

static void greet(Conn *conn, Scope *scope)
{
    static const SettingId reported[] = {
        SETTING_APPLICATION_NAME,
        SETTING_CLIENT_ENCODING,
        SETTING_DATESTYLE,
        SETTING_DEFAULT_TRANSACTION_READ_ONLY,
        SETTING_INTEGER_DATETIMES,
        SETTING_INTERVALSTYLE,
        SETTING_IS_SUPERUSER,
        SETTING_SERVER_ENCODING,
        SETTING_SERVER_VERSION,
        SETTING_SESSION_AUTHORIZATION,
        SETTING_STANDARD_CONFORMING_STRINGS,
        SETTING_TIMEZONE,
    };

    size_t start = wire_begin(&conn->out, 'R');
    wire_put_int32(&conn->out, 0);
    wire_end(&conn->out, start);
    for (uint32_t i = 0; i < ARRAY_COUNT(reported); i++) {
        const char *name = setting_info(reported[i])->name;
        wire_parameter(&conn->out, name, session_setting(conn->session, scope, str_from(name)));
    }
    start = wire_begin(&conn->out, 'K');
    wire_put_int32(&conn->out, conn->pid);
    wire_put_int32(&conn->out, conn->secret);
    wire_end(&conn->out, start);
    wire_ready(&conn->out, 'I');
}

/* The client's address as text; empty for a Unix socket. */
static uint16_t client_address(const Conn *conn, char out[ADDRESS_BYTES_MAX])
{
    struct sockaddr_storage address;
    int length = sizeof address;

    out[0] = '\0';
    if (conn->is_pipe || uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&address, &length) != 0)
        return 0;
    uv_ip_name((const struct sockaddr *)&address, out, ADDRESS_BYTES_MAX);
    return ntohs(((const struct sockaddr_in *)&address)->sin_port);
}

static Status open_session(Ctx *ctx, Conn *conn, const Startup *startup)
{
    Server *server = conn->loop->server;
    char address[ADDRESS_BYTES_MAX];
    SessionOptions options = {
        .user = startup->user,
        .database = startup->database,
        .application_name = STR(""),
        .client_port = client_address(conn, address),
        .backend_pid = conn->pid,
        .sink = conn_sink(conn),
        .wake = conn_wake,
        .wake_arg = conn,
    };

    if (atomic_load(&server->stopping))
        return error_raise(ctx, E_CANNOT_CONNECT_NOW, "the database system is shutting down");
    options.client_address = str_from(address);
    if (atomic_fetch_add(&server->conns_count, 1) >=
        (uint64_t)settings_int(server->settings, SETTING_MAX_CONNECTIONS)) {
        atomic_fetch_sub(&server->conns_count, 1);
        return error_raise(ctx, E_TOO_MANY_CONNECTIONS, "sorry, too many clients already");
    }
    Status st = session_open(ctx, server->node, &options, &conn->session);
    if (st != OK)
        atomic_fetch_sub(&server->conns_count, 1);
    return st;
}

static void handle_startup(Conn *conn, WireReader reader, int32_t version)
{
    Status st = OK;
    Scope *scope = scope_open(NULL, "startup");
    size_t sent = conn->out.len;
    Startup startup;
    Ctx ctx;

    ctx_init(&ctx);
    TRY(read_startup(&ctx, reader, &startup));
    TRY(open_session(&ctx, conn, &startup));
    TRY(apply_parameters(&ctx, scope, conn->session, &startup));
    session_keep_parameters(conn->session);
    conn->out.len = sent; /* reports of these settings: all are reported below */
    if (version > PROTOCOL_3_0 || startup.unknown_count)
        answer_version(conn, &startup);
    greet(conn, scope);
    conn->phase = CONN_IDLE;
    server_add_cancellable(conn->loop->server, conn);
    conn_timer_set(conn);
done:
    if (st != OK)
        conn_fatal_error(conn, &ctx);
    ctx_free(&ctx);
    scope_close(scope);
}

bool conn_process_startup(Conn *conn)
{
    size_t left = conn->in.len - conn->in_at;
    WireReader reader = {.rest = {conn->in.ptr + conn->in_at, left}};
    char text[96];

    if (left < 8)
        return false;
    uint32_t length = (uint32_t)wire_read_int32(&reader);
    if (length < 8 || length > STARTUP_BYTES_MAX) {
        conn->in_at = conn->in.len;
        conn_fatal(conn, E_PROTOCOL_VIOLATION, "invalid length of startup packet");
        return false;
    }
    if (left < length)
        return false;
    reader.rest.len = length - 4;
    int32_t code = wire_read_int32(&reader);
    conn->in_at += length;
    if (code == REQUEST_SSL || code == REQUEST_GSSENC) {
        strbuf_append_char(&conn->out, 'N');
    } else if (code == REQUEST_CANCEL) {
        int32_t pid = wire_read_int32(&reader);
        int32_t secret = wire_read_int32(&reader);
        if (!reader.bad)
            server_cancel(conn->loop->server, pid, secret);
        conn->wants_close = true; /* no answer */
        return false;
    } else if (code >> 16 != PROTOCOL_3_0 >> 16) {
        snprintf(text, sizeof text,
                 "unsupported frontend protocol %u.%u: server supports 3.0 to 3.0",
                 (uint32_t)code >> 16, (uint32_t)code & 0xFFFF);
        conn_fatal(conn, E_FEATURE_NOT_SUPPORTED, text);
        return false;
    } else {
        handle_startup(conn, reader, code);
    }
    return true;
}
