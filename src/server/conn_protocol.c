// SPDX-License-Identifier: Apache-2.0
//
// The conversation: simple and extended queries, COPY. A request is started on the session and
// stepped; while it runs elsewhere or waits, input stays in the buffer. PostgreSQL 15, chapter
// 55.2 (message flow). Loop's thread.
#include "base/memory.h"
#include "os/clock.h"
#include "server/conn.h"

#define MESSAGE_BYTES_MAX ((size_t)0x3fffffff)
/* COPY data is given to the session in pieces of about this size. */
#define COPY_PIECE_BYTES  ((size_t)256 << 10)
/* Answers to pipelined requests are sent when there are this many bytes. */
#define OUT_FLUSH_BYTES   ((size_t)64 << 10)

void conn_fatal_error(Conn *conn, Ctx *ctx)
{
    wire_error(&conn->out, "FATAL", &ctx->error);
    conn->wants_close = true;
    conn_flush(conn);
}

void conn_fatal(Conn *conn, Status status, const char *message)
{
    Ctx ctx;

    ctx_init(&ctx);
    if (error_raise(&ctx, status, "%s", message) != OK)
        conn_fatal_error(conn, &ctx);
    ctx_free(&ctx);
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
    conn->pool_step = step;
    atomic_store(&conn->pool_done, true);
    conn_wake(conn);
}

/* After an error in the extended protocol the client's messages up to Sync are dropped. */
static void send_error(Conn *conn)
{
    Ctx *ctx = session_ctx(conn->session);
    bool fatal = ctx->error.status == E_ADMIN_SHUTDOWN;

    wire_error(&conn->out, fatal ? "FATAL" : "ERROR", &ctx->error);
    error_clear(ctx);
    conn->skip_to_sync = conn->request != CONN_QUERY && conn->request != CONN_SYNC;
    conn->wants_close = conn->wants_close || fatal;
}

static void refuse(Conn *conn, Status status, const char *message)
{
    Ctx *ctx = session_ctx(conn->session);

    error_clear(ctx);
    if (error_raise(ctx, status, "%s", message) != OK) {
        session_fail(conn->session);
        send_error(conn);
    }
}

static void protocol_error(Conn *conn, const char *message)
{
    refuse(conn, E_PROTOCOL_VIOLATION, message);
}

static void send_ready(Conn *conn)
{
    if (conn->wants_close)
        return;
    char status = session_transaction_status(conn->session);
    wire_ready(&conn->out, status);
    if (status == 'I')
        conn_formats_drop_named(conn);
    conn->idle_ns = clock_mono_ns();
}

/* The request is over: report an error, say that we are ready. */
static void end_request(Conn *conn)
{
    bool failed = session_ctx(conn->session)->error.status != OK;

    conn->phase = CONN_IDLE;
    conn->current = NULL;
    if (failed)
        send_error(conn);
    else if (conn->request == CONN_PARSE)
        wire_empty(&conn->out, '1');
    if (conn->request == CONN_QUERY || conn->request == CONN_SYNC)
        send_ready(conn);
    if (conn->shutdown_ns && !conn->wants_close)
        conn_fatal(conn, E_ADMIN_SHUTDOWN, "terminating connection due to administrator command");
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
    if (!conn->is_closing)
        conn_timer_set(conn);
}

static void step_request(Conn *conn, ConnRequest request)
{
    conn->request = request;
    after_step(conn, session_step(conn->session, false));
}

void conn_resume(Conn *conn)
{
    SessionStep step = conn->phase == CONN_POOL ? conn->pool_step : STEP_WAIT;

    /* What the session waits for may have come before the pool thread was done. */
    if (step == STEP_WAIT)
        step = session_step(conn->session, false);
    after_step(conn, step);
    conn_process(conn);
}

static void handle_query(Conn *conn, WireReader *reader)
{
    Str text = wire_read_string(reader);

    conn->request = CONN_QUERY;
    conn->current = NULL;
    if (reader->bad || reader->rest.len) {
        protocol_error(conn, "invalid message format");
        send_ready(conn);
        return;
    }
    session_start_query(conn->session, text);
    step_request(conn, CONN_QUERY);
}

static void handle_parse(Conn *conn, WireReader *reader)
{
    Str name = wire_read_string(reader);
    Str text = wire_read_string(reader);
    uint16_t count = (uint16_t)wire_read_int16(reader);
    Oid *types;

    if (reader->bad || reader->rest.len != (size_t)count * 4) {
        protocol_error(conn, "invalid message format");
        return;
    }
    types = mem_alloc(sizeof(Oid) * count);
    for (uint32_t i = 0; i < count; i++)
        types[i] = (Oid)wire_read_int32(reader);
    session_start_parse(conn->session, name, text, types, count);
    mem_free(types);
    step_request(conn, CONN_PARSE);
}

static const char bad_format[] = "unsupported format code";

/* NULL, or what is wrong. */
static const char *read_params(WireReader *reader, BindParams *params)
{
    params->formats_count = (uint16_t)wire_read_int16(reader);
    for (uint32_t i = 0; i < params->formats_count; i++) {
        int16_t format = wire_read_int16(reader);
        if (format != 0 && format != 1)
            return bad_format;
        params->formats[i] = (uint8_t)format;
    }
    params->count = (uint16_t)wire_read_int16(reader);
    if (params->formats_count > 1 && params->formats_count != params->count)
        return "bind message has a different number of parameter formats than parameters";
    for (uint32_t i = 0; i < params->count; i++) {
        int32_t bytes = wire_read_int32(reader);
        params->values[i] = bytes == -1 ? (Str){0} : wire_read_bytes(reader, (uint32_t)bytes);
        if (params->formats_count <= 1)
            params->formats[i] = params->formats_count ? params->formats[0] : 0;
    }
    return reader->bad ? "insufficient data left in message" : NULL;
}

/* Keeps the result formats for Describe and Execute. */
static const char *read_result_formats(Conn *conn, WireReader *reader, Str portal)
{
    uint32_t count = (uint16_t)wire_read_int16(reader);

    if (reader->bad || reader->rest.len != (size_t)count * 2)
        return "invalid message format";
    PortalFormats *kept = conn_formats_add(conn, portal, count);
    for (uint32_t i = 0; i < count; i++) {
        kept->formats[i] = wire_read_int16(reader);
        if (kept->formats[i] != 0 && kept->formats[i] != 1)
            return bad_format;
    }
    return NULL;
}

static void handle_bind(Conn *conn, WireReader *reader)
{
    Str portal = wire_read_string(reader);
    Str statement = wire_read_string(reader);
    BindParams *params = conn->loop->bind_params;

    conn->request = CONN_EXECUTE;
    const char *wrong = read_params(reader, params);
    if (wrong == NULL)
        wrong = read_result_formats(conn, reader, portal);
    if (wrong) {
        refuse(conn, wrong == bad_format ? E_INVALID_PARAMETER_VALUE : E_PROTOCOL_VIOLATION, wrong);
        return;
    }
    session_start_bind(conn->session, portal, statement, params->values, params->formats,
                       params->count);
    if (session_ctx(conn->session)->error.status != OK)
        send_error(conn);
    else
        wire_empty(&conn->out, '2');
}

static void handle_describe(Conn *conn, WireReader *reader)
{
    char what = (char)wire_read_byte(reader);
    Str name = wire_read_string(reader);
    const PortalFormats *formats = NULL;
    const PlannedStatement *statement;

    conn->request = CONN_EXECUTE;
    if (reader->bad || (what != 'S' && what != 'P')) {
        protocol_error(conn, "invalid DESCRIBE message");
        return;
    }
    if (what == 'S') {
        statement = session_describe_statement(conn->session, name);
    } else {
        statement = session_describe_portal(conn->session, name);
        formats = conn_formats_find(conn, name);
    }
    if (statement == NULL) {
        send_error(conn);
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

    conn->request = CONN_EXECUTE;
    if (reader->bad) {
        protocol_error(conn, "invalid message format");
        return;
    }
    conn->current = conn_formats_find(conn, portal);
    session_start_execute(conn->session, portal, rows_max > 0 ? (uint64_t)rows_max : 0);
    step_request(conn, CONN_EXECUTE);
}

static void handle_close(Conn *conn, WireReader *reader)
{
    char what = (char)wire_read_byte(reader);
    Str name = wire_read_string(reader);

    conn->request = CONN_EXECUTE;
    if (reader->bad || (what != 'S' && what != 'P')) {
        protocol_error(conn, "invalid CLOSE message");
        return;
    }
    if (what == 'S') {
        session_close_statement(conn->session, name);
    } else {
        session_close_portal(conn->session, name);
        conn_formats_drop(conn, name);
    }
    wire_empty(&conn->out, '3');
}

static void handle_sync(Conn *conn)
{
    conn->skip_to_sync = false;
    session_start_sync(conn->session);
    step_request(conn, CONN_SYNC);
}

/* The fast path interface is not there. */
static void handle_function_call(Conn *conn)
{
    conn->request = CONN_QUERY;
    refuse(conn, E_FEATURE_NOT_SUPPORTED, "function calls by message are not supported");
    send_ready(conn);
}

static void handle_message(Conn *conn, char type, WireReader *reader)
{
    if (conn->skip_to_sync && type != 'S' && type != 'X')
        return;
    switch (type) {
    case 'Q': handle_query(conn, reader); break;
    case 'P':
        conn->request = CONN_PARSE;
        handle_parse(conn, reader);
        break;
    case 'B': handle_bind(conn, reader); break;
    case 'D': handle_describe(conn, reader); break;
    case 'E': handle_execute(conn, reader); break;
    case 'C': handle_close(conn, reader); break;
    case 'S': handle_sync(conn); break;
    case 'F': handle_function_call(conn); break;
    case 'H': conn_flush(conn); break;
    case 'X': conn->wants_close = true; break;
    case 'd':
    case 'c':
    case 'f': break; /* the rest of a COPY that has failed */
    default: conn_fatal(conn, E_PROTOCOL_VIOLATION, "invalid frontend message type"); break;
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
        conn->in_at = conn->in.len;
        conn_fatal(conn, E_PROTOCOL_VIOLATION, "invalid message length");
        return false;
    }
    if (left < (size_t)length + 1)
        return false;
    *type = at[0];
    *payload = (Str){at + 5, length - 4};
    conn->in_at += (size_t)length + 1;
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
        step_request(conn, conn->request);
    return work;
}

/* One step of what the phase asks for; false: nothing can be done now. */
static bool process_one(Conn *conn)
{
    char type;
    Str payload;

    switch (conn->phase) {
    case CONN_STARTUP: return conn_process_startup(conn);
    case CONN_COPY: return process_copy(conn);
    case CONN_IDLE:
        if (!next_message(conn, &type, &payload))
            return false;
        handle_message(conn, type, &(WireReader){.rest = payload});
        return true;
    case CONN_POOL:
    case CONN_WAIT: break;
    }
    return false;
}

void conn_process(Conn *conn)
{
    bool goes_on = true;

    while (goes_on && !conn->is_closing && !conn->wants_close && !conn_is_clogged(conn)) {
        goes_on = process_one(conn);
        if (conn->out.len > OUT_FLUSH_BYTES && conn->phase != CONN_POOL)
            conn_flush(conn);
    }
    if (conn->is_closing)
        return;
    if (conn->at_eof && !goes_on && conn->phase != CONN_POOL && conn->phase != CONN_WAIT)
        conn->wants_close = true;
    if (conn->phase == CONN_WAIT && session_awaits_log(conn->session))
        return; /* the rest of the answer comes soon: one packet for all */
    conn_flush(conn);
}
