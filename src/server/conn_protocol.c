// SPDX-License-Identifier: Apache-2.0
//
// The conversation: start-up, simple and extended queries, COPY, cancel. A request is started on
// the session and stepped; while it runs elsewhere or waits, input stays in the buffer. Source:
// PostgreSQL 15, chapter 55.2 (message flow).
#include "base/memory.h"
#include "server/conn.h"

#define PROTOCOL_3        196608
#define REQUEST_CANCEL    80877102
#define REQUEST_SSL       80877103
#define REQUEST_GSSENC    80877104
#define STARTUP_BYTES_MAX 10000
#define MESSAGE_BYTES_MAX ((size_t)0x3fffffff)
/* COPY data is given to the session in pieces of about this size. */
#define COPY_PIECE_BYTES  ((size_t)256 << 10)
/* A pool thread hands results over when it has this much. */
#define OUT_PIECE_BYTES   ((size_t)64 << 10)
#define OUTBOX_BYTES_MAX  ((size_t)8 << 20)

void conn_fatal(Conn *conn, Ctx *ctx)
{
    wire_error(&conn->out, "FATAL", &ctx->error);
    conn->wants_close = true;
    conn_flush(conn);
}

static void fatal_protocol(Conn *conn, const char *message)
{
    Ctx ctx;

    ctx_init(&ctx);
    if (error_raise(&ctx, E_PROTOCOL_VIOLATION, "%s", message) != OK)
        conn_fatal(conn, &ctx);
    ctx_free(&ctx);
}

/* From a pool thread: hands `out` to the loop, waits while too much is unsent. */
static Status hand_over(Conn *conn, Ctx *ctx)
{
    bool gone;

    mutex_lock(&conn->mutex);
    strbuf_append_str(&conn->outbox, strbuf_str(&conn->out));
    conn->unsent += conn->out.len;
    strbuf_clear(&conn->out);
    while (conn->unsent > OUTBOX_BYTES_MAX && !conn->gone) {
        mutex_unlock(&conn->mutex);
        conn_wake(conn);
        mutex_lock(&conn->mutex);
        if (conn->unsent > OUTBOX_BYTES_MAX && !conn->gone)
            condition_wait(&conn->drained, &conn->mutex);
    }
    gone = conn->gone;
    mutex_unlock(&conn->mutex);
    conn_wake(conn);
    return gone ? error_raise(ctx, E_CONNECTION_FAILURE, "connection to client lost") : OK;
}

static Status maybe_hand_over(Conn *conn, Ctx *ctx)
{
    if (conn->phase != CONN_POOL || conn->out.len < OUT_PIECE_BYTES)
        return OK;
    return hand_over(conn, ctx);
}

static const int16_t *current_formats(const Conn *conn, uint32_t *count)
{
    *count = conn->current ? conn->current->count : 0;
    return conn->current ? conn->current->formats : NULL;
}

static Status sink_columns(void *arg, Ctx *ctx, const PlannedStatement *statement)
{
    Conn *conn = arg;

    (void)ctx;
    wire_columns(&conn->out, statement, NULL, 0);
    return OK;
}

static Status sink_batch(void *arg, Ctx *ctx, const Batch *batch, uint32_t columns_count)
{
    Status st = OK;
    Conn *conn = arg;
    uint32_t count;
    const int16_t *formats = current_formats(conn, &count);

    TRY(wire_rows(ctx, &conn->out, batch, columns_count, formats, count,
                  session_io(conn->session)));
    TRY(maybe_hand_over(conn, ctx));
done:
    return st;
}

static Status sink_complete(void *arg, Ctx *ctx, const char *tag)
{
    Conn *conn = arg;

    (void)ctx;
    wire_complete(&conn->out, tag);
    return OK;
}

static Status sink_empty(void *arg, Ctx *ctx)
{
    Conn *conn = arg;

    (void)ctx;
    wire_empty(&conn->out, 'I');
    return OK;
}

static Status sink_suspended(void *arg, Ctx *ctx)
{
    Conn *conn = arg;

    (void)ctx;
    wire_empty(&conn->out, 's');
    return OK;
}

static void sink_notice(void *arg, NoticeLevel level, const char *sqlstate, const char *message,
                        const char *detail, const char *hint)
{
    static const char *const names[] = {"DEBUG", "LOG", "INFO", "NOTICE", "WARNING"};
    Conn *conn = arg;

    wire_notice(&conn->out, names[level], sqlstate, message, detail, hint);
}

static void sink_parameter(void *arg, const char *name, const char *value)
{
    Conn *conn = arg;
    wire_parameter(&conn->out, name, value);
}

static Status sink_copy_in(void *arg, Ctx *ctx, int format, uint32_t columns_count)
{
    Conn *conn = arg;

    (void)ctx;
    wire_copy(&conn->out, 'G', format, columns_count);
    return OK;
}

static Status sink_copy_out(void *arg, Ctx *ctx, int format, uint32_t columns_count)
{
    Conn *conn = arg;

    (void)ctx;
    wire_copy(&conn->out, 'H', format, columns_count);
    return OK;
}

static Status sink_copy_row(void *arg, Ctx *ctx, Str data)
{
    Conn *conn = arg;
    size_t start = wire_begin(&conn->out, 'd');

    strbuf_append_str(&conn->out, data);
    wire_end(&conn->out, start);
    return maybe_hand_over(conn, ctx);
}

static Status sink_copy_done(void *arg, Ctx *ctx)
{
    Conn *conn = arg;

    (void)ctx;
    wire_empty(&conn->out, 'c');
    return OK;
}

SessionSink conn_sink(Conn *conn)
{
    return (SessionSink){
        .arg = conn,
        .columns = sink_columns,
        .batch = sink_batch,
        .complete = sink_complete,
        .empty_query = sink_empty,
        .portal_suspended = sink_suspended,
        .notice = sink_notice,
        .parameter = sink_parameter,
        .copy_in = sink_copy_in,
        .copy_out = sink_copy_out,
        .copy_row = sink_copy_row,
        .copy_done = sink_copy_done,
    };
}

void conn_free_formats(Conn *conn)
{
    while (conn->formats) {
        PortalFormats *next = conn->formats->next;
        mem_free(conn->formats->name);
        mem_free(conn->formats);
        conn->formats = next;
    }
}

static PortalFormats *find_formats(const Conn *conn, Str name)
{
    PortalFormats *at = conn->formats;

    while (at && !str_is(name, at->name))
        at = at->next;
    return at;
}

static void drop_formats(Conn *conn, Str name)
{
    for (PortalFormats **at = &conn->formats; *at; at = &(*at)->next) {
        if (str_is(name, (*at)->name)) {
            PortalFormats *gone = *at;
            *at = gone->next;
            if (conn->current == gone)
                conn->current = NULL;
            mem_free(gone->name);
            mem_free(gone);
            return;
        }
    }
}

static PortalFormats *add_formats(Conn *conn, Str name, uint32_t count)
{
    PortalFormats *formats = mem_alloc_zero(sizeof *formats + sizeof(int16_t) * count);

    drop_formats(conn, name);
    formats->name = mem_alloc(name.len + 1);
    if (name.len)
        memcpy(formats->name, name.ptr, name.len);
    formats->name[name.len] = '\0';
    formats->count = count;
    formats->next = conn->formats;
    conn->formats = formats;
    return formats;
}

/* On a pool thread: steps until the session must wait or is done, then gives it back to the loop.
 */
static void run_on_pool(void *arg)
{
    Conn *conn = arg;
    SessionStep step;

    do
        step = session_step(conn->session, true);
    while (step == STEP_POOL);
    atomic_store(&conn->pool_step, step);
    atomic_store(&conn->pool_done, true);
    conn_wake(conn);
}

/* The request is over: report an error, say that we are ready. */
static void end_request(Conn *conn)
{
    Ctx *ctx = session_ctx(conn->session);
    bool failed = ctx->error.status != OK;

    conn->phase = CONN_IDLE;
    conn->current = NULL;
    if (failed) {
        wire_error(&conn->out, "ERROR", &ctx->error);
        error_clear(ctx);
        if (!conn->in_query && !conn->is_sync)
            conn->skip_to_sync = true;
    }
    if (conn->in_query || conn->is_sync)
        wire_ready(&conn->out, session_transaction_status(conn->session));
    conn->in_query = false;
    conn->is_sync = false;
}

static void after_step(Conn *conn, SessionStep step)
{
    switch (step) {
    case STEP_DONE: end_request(conn); break;
    case STEP_POOL:
        conn->phase = CONN_POOL;
        atomic_store(&conn->pool_done, false);
        exec_pool_submit(node_pool(conn->loop->server->node), run_on_pool, conn);
        break;
    case STEP_WAIT: conn->phase = CONN_WAIT; break;
    case STEP_COPY_IN: conn->phase = CONN_COPY; break;
    }
}

static void step_request(Conn *conn)
{
    after_step(conn, session_step(conn->session, false));
}

void conn_step(Conn *conn)
{
    /* What a pool thread wrote goes out first; `out` continues it. */
    mutex_lock(&conn->mutex);
    if (conn->outbox.len) {
        strbuf_append_str(&conn->outbox, strbuf_str(&conn->out));
        StrBuf swap = conn->out;
        conn->out = conn->outbox;
        conn->outbox = swap;
        strbuf_clear(&conn->outbox);
    }
    conn->unsent = 0;
    mutex_unlock(&conn->mutex);
    SessionStep step = atomic_exchange(&conn->pool_step, STEP_POOL);
    if (step == STEP_POOL)
        step_request(conn);
    else if (step == STEP_WAIT && conn->phase == CONN_IDLE)
        step_request(conn); /* the wake may have come before the pool thread was done */
    else
        after_step(conn, step);
    conn_process(conn);
}

static void extended_error(Conn *conn)
{
    Ctx *ctx = session_ctx(conn->session);

    wire_error(&conn->out, "ERROR", &ctx->error);
    error_clear(ctx);
    conn->skip_to_sync = true;
}

static void handle_query(Conn *conn, WireReader *reader)
{
    Str text = wire_read_string(reader);

    if (reader->bad) {
        fatal_protocol(conn, "invalid query message");
        return;
    }
    conn->in_query = true;
    conn->current = NULL;
    session_start_query(conn->session, text);
    step_request(conn);
}

static void handle_parse(Conn *conn, WireReader *reader)
{
    Str name = wire_read_string(reader);
    Str text = wire_read_string(reader);
    int16_t count = wire_read_int16(reader);
    Oid types[1024];

    if (count < 0 || (size_t)count * 4 > reader->rest.len)
        reader->bad = true;
    if (reader->bad || (uint32_t)count > ARRAY_COUNT(types)) {
        fatal_protocol(conn, "invalid parse message");
        return;
    }
    for (int i = 0; i < count; i++)
        types[i] = (Oid)wire_read_int32(reader);
    session_start_parse(conn->session, name, text, types, (uint32_t)count);
    SessionStep step = session_step(conn->session, false);
    ASSERT(step == STEP_DONE);
    if (session_ctx(conn->session)->error.status != OK)
        extended_error(conn);
    else
        wire_empty(&conn->out, '1');
}

/* Parameter formats and values of a Bind message. */
static bool read_params(WireReader *reader, Str *values, uint8_t *formats, uint32_t max,
                        uint32_t *count)
{
    int16_t formats_count = wire_read_int16(reader);
    int16_t all[1024];

    if (formats_count < 0 || (uint32_t)formats_count > ARRAY_COUNT(all))
        return false;
    for (int i = 0; i < formats_count; i++)
        all[i] = wire_read_int16(reader);
    int16_t values_count = wire_read_int16(reader);
    if (reader->bad || values_count < 0 || (uint32_t)values_count > max ||
        (formats_count > 1 && formats_count != values_count))
        return false;
    for (int i = 0; i < values_count; i++) {
        int32_t bytes = wire_read_int32(reader);
        values[i] = bytes < 0 ? (Str){0} : wire_read_bytes(reader, (size_t)bytes);
        formats[i] = (uint8_t)(formats_count == 0 ? 0 : all[formats_count == 1 ? 0 : i]);
    }
    *count = (uint32_t)values_count;
    return !reader->bad;
}

static void handle_bind(Conn *conn, WireReader *reader)
{
    Str portal = wire_read_string(reader);
    Str statement = wire_read_string(reader);
    Str values[1024];
    uint8_t formats[1024];
    uint32_t count;

    if (!read_params(reader, values, formats, ARRAY_COUNT(values), &count)) {
        fatal_protocol(conn, "invalid bind message");
        return;
    }
    int16_t results = wire_read_int16(reader);
    if (reader->bad || results < 0 || (size_t)results * 2 > reader->rest.len) {
        fatal_protocol(conn, "invalid bind message");
        return;
    }
    session_start_bind(conn->session, portal, statement, values, formats, count);
    if (session_ctx(conn->session)->error.status != OK) {
        extended_error(conn);
        return;
    }
    PortalFormats *kept = add_formats(conn, portal, (uint32_t)results);
    for (int i = 0; i < results; i++)
        kept->formats[i] = wire_read_int16(reader);
    wire_empty(&conn->out, '2');
}

static void handle_describe(Conn *conn, WireReader *reader)
{
    char what = (char)wire_read_byte(reader);
    Str name = wire_read_string(reader);
    const PortalFormats *formats = NULL;
    const PlannedStatement *statement;

    if (reader->bad || (what != 'S' && what != 'P')) {
        fatal_protocol(conn, "invalid describe message");
        return;
    }
    if (what == 'S') {
        statement = session_describe_statement(conn->session, name);
    } else {
        statement = session_describe_portal(conn->session, name);
        formats = find_formats(conn, name);
    }
    if (statement == NULL) {
        extended_error(conn);
        return;
    }
    if (what == 'S')
        wire_params(&conn->out, statement->params, statement->params_count);
    if (statement->result_columns_count || statement->returns_rows)
        wire_columns(&conn->out, statement, formats ? formats->formats : NULL,
                     formats ? formats->count : 0);
    else
        wire_empty(&conn->out, 'n');
}

static void handle_execute(Conn *conn, WireReader *reader)
{
    Str portal = wire_read_string(reader);
    int32_t rows_max = wire_read_int32(reader);

    if (reader->bad) {
        fatal_protocol(conn, "invalid execute message");
        return;
    }
    conn->current = find_formats(conn, portal);
    session_start_execute(conn->session, portal, rows_max > 0 ? (uint64_t)rows_max : 0);
    step_request(conn);
}

static void handle_close(Conn *conn, WireReader *reader)
{
    char what = (char)wire_read_byte(reader);
    Str name = wire_read_string(reader);

    if (reader->bad) {
        fatal_protocol(conn, "invalid close message");
        return;
    }
    if (what == 'S') {
        session_close_statement(conn->session, name);
    } else {
        session_close_portal(conn->session, name);
        drop_formats(conn, name);
    }
    wire_empty(&conn->out, '3');
}

static void handle_sync(Conn *conn)
{
    conn->skip_to_sync = false;
    conn->is_sync = true;
    session_start_sync(conn->session);
    step_request(conn);
}

static void handle_message(Conn *conn, char type, WireReader *reader)
{
    if (conn->skip_to_sync && type != 'S' && type != 'X')
        return;
    switch (type) {
    case 'Q': handle_query(conn, reader); break;
    case 'P': handle_parse(conn, reader); break;
    case 'B': handle_bind(conn, reader); break;
    case 'D': handle_describe(conn, reader); break;
    case 'E': handle_execute(conn, reader); break;
    case 'C': handle_close(conn, reader); break;
    case 'S': handle_sync(conn); break;
    case 'H': conn_flush(conn); break;
    case 'X': conn->wants_close = true; break;
    case 'd':
    case 'c':
    case 'f': break; /* the rest of a COPY that has failed */
    default: fatal_protocol(conn, "invalid frontend message type"); break;
    }
}

/* One message of a COPY; true when enough has been gathered to be worked on. */
static bool handle_copy_message(Conn *conn, char type, Str payload, size_t *gathered)
{
    switch (type) {
    case 'd':
        session_copy_data(conn->session, payload);
        *gathered += payload.len;
        return *gathered >= COPY_PIECE_BYTES;
    case 'c': session_copy_done(conn->session); return true;
    case 'f': {
        WireReader reader = {.rest = payload};
        session_copy_fail(conn->session, wire_read_string(&reader));
        return true;
    }
    case 'H':
    case 'S': return false; /* allowed and ignored during COPY */
    case 'X':
        conn->wants_close = true;
        session_copy_fail(conn->session, STR("client terminated"));
        return true;
    default:
        session_copy_fail(conn->session, STR("unexpected message during COPY from stdin"));
        return true;
    }
}

/* The next whole message; false if it has not come yet or the length is impossible. */
static bool next_message(Conn *conn, char *type, Str *payload)
{
    size_t left = conn->in.len - conn->in_at;
    const char *at = conn->in.ptr + conn->in_at;
    uint32_t length;

    if (left < 5)
        return false;
    memcpy(&length, at + 1, sizeof length);
    length = __builtin_bswap32(length);
    if (length < 4 || length > MESSAGE_BYTES_MAX) {
        fatal_protocol(conn, "invalid message length");
        conn->in_at = conn->in.len;
        return false;
    }
    if (left < (size_t)length + 1)
        return false;
    *type = at[0];
    *payload = (Str){at + 5, length - 4};
    conn->in_at += (size_t)length + 1;
    return true;
}

static void start_session(Conn *conn, Str user, Str database, WireReader params)
{
    static const SettingId reported[] = {
        SETTING_APPLICATION_NAME,
        SETTING_CLIENT_ENCODING,
        SETTING_DATESTYLE,
        SETTING_INTEGER_DATETIMES,
        SETTING_INTERVALSTYLE,
        SETTING_IS_SUPERUSER,
        SETTING_SERVER_ENCODING,
        SETTING_SERVER_VERSION,
        SETTING_TIMEZONE,
        SETTING_SESSION_AUTHORIZATION,
        SETTING_STANDARD_CONFORMING_STRINGS,
    };
    Server *server = conn->loop->server;
    SessionOptions options = {
        .user = user,
        .database = database.len ? database : user,
        .application_name = STR(""),
        .backend_pid = conn->pid,
        .sink = conn_sink(conn),
        .wake = conn_wake,
        .wake_arg = conn,
    };
    Status st = OK;
    Scope *scope = NULL;
    Ctx ctx;

    ctx_init(&ctx);
    TRY(session_open(&ctx, server->node, &options, &conn->session));
    conn->phase = CONN_IDLE;
    while (params.rest.len > 1 && !params.bad) {
        Str name = wire_read_string(&params);
        Str value = wire_read_string(&params);
        if (str_is(name, "user") || str_is(name, "database") || str_is(name, "replication") ||
            str_is(name, "options"))
            continue;
        TRY(session_parameter(&ctx, conn->session, name, value));
    }
    strbuf_clear(&conn->out); /* reports of the settings above: all are reported below */
    scope = scope_open(NULL, "startup");
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
    server_add_cancellable(server, conn);
done:
    scope_close(scope);
    if (st != OK)
        conn_fatal(conn, &ctx);
    ctx_free(&ctx);
}

static void handle_startup(Conn *conn, WireReader reader)
{
    Server *server = conn->loop->server;
    Str user = {0};
    Str database = {0};
    WireReader params = reader;
    Ctx ctx;

    while (reader.rest.len > 1 && !reader.bad) {
        Str name = wire_read_string(&reader);
        Str value = wire_read_string(&reader);
        if (str_is(name, "user"))
            user = value;
        else if (str_is(name, "database"))
            database = value;
    }
    ctx_init(&ctx);
    Status st = OK;
    if (reader.bad || user.len == 0)
        st = error_raise(&ctx, E_INVALID_AUTHORIZATION,
                         "no PostgreSQL user name specified in startup packet");
    else if (atomic_load(&server->conns_count) >
             (uint64_t)settings_int(server->settings, SETTING_MAX_CONNECTIONS))
        st = error_raise(&ctx, E_TOO_MANY_CONNECTIONS, "sorry, too many clients already");
    else if (atomic_load(&server->stopping))
        st = error_raise(&ctx, E_CANNOT_CONNECT_NOW, "the database system is shutting down");
    if (st != OK)
        conn_fatal(conn, &ctx);
    else
        start_session(conn, user, database, params);
    ctx_free(&ctx);
}

/* SSLRequest, CancelRequest or StartupMessage: no type byte. False: more bytes are needed. */
static bool process_startup(Conn *conn)
{
    size_t left = conn->in.len - conn->in_at;
    WireReader reader = {.rest = {conn->in.ptr + conn->in_at, left}};
    uint32_t length;

    if (left < 8)
        return false;
    length = (uint32_t)wire_read_int32(&reader);
    if (length < 8 || length > STARTUP_BYTES_MAX) {
        fatal_protocol(conn, "invalid length of startup packet");
        conn->in_at = conn->in.len;
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
        conn_close(conn);
        return false;
    } else if (code >> 16 != PROTOCOL_3 >> 16) {
        Ctx ctx;
        ctx_init(&ctx);
        if (error_raise(&ctx, E_FEATURE_NOT_SUPPORTED,
                        "unsupported frontend protocol %d.%d: server supports 3.0 to 3.0",
                        code >> 16, code & 0xFFFF) != OK)
            conn_fatal(conn, &ctx);
        ctx_free(&ctx);
        return false;
    } else {
        handle_startup(conn, reader);
    }
    return true;
}

/* False: more data must come first. */
static bool process_copy(Conn *conn)
{
    char type;
    Str payload;
    size_t gathered = 0;
    bool work = false;

    while (!work && next_message(conn, &type, &payload))
        work = handle_copy_message(conn, type, payload, &gathered);
    if (work)
        step_request(conn);
    return work;
}

void conn_process(Conn *conn)
{
    char type;
    Str payload;

    while (!conn->is_closing && !conn->wants_close) {
        if (conn->phase == CONN_STARTUP) {
            if (!process_startup(conn))
                break;
            continue;
        }
        if (conn->phase == CONN_COPY) {
            if (!process_copy(conn))
                break;
            continue;
        }
        if (conn->phase != CONN_IDLE || !next_message(conn, &type, &payload))
            break;
        WireReader reader = {.rest = payload};
        handle_message(conn, type, &reader);
    }
    conn_flush(conn);
}
