// SPDX-License-Identifier: Apache-2.0
//
// Where a connection's session sends its results: messages into `out`, on the thread that steps the
// session. On a pool thread a full `out` goes to the outbox, from which the loop sends; when the
// client does not keep up the thread waits, and the pool makes up for it with another one.
#include "base/memory.h"
#include "server/conn.h"

/* A pool thread hands results over when it has this much. */
#define OUT_PIECE_BYTES  ((size_t)64 << 10)
/* And waits while this much has not been taken by the client's socket. */
#define OUTBOX_BYTES_MAX ((size_t)1 << 20)

/* From a pool thread: hands `out` to the loop, waits while too much is unsent. */
static Status hand_over(Conn *conn, Ctx *ctx)
{
    WorkerPool *pool = node_pool(conn->loop->server->node);

    mutex_lock(&conn->mutex);
    strbuf_append_str(&conn->outbox, strbuf_str(&conn->out));
    conn->unsent += conn->out.len;
    strbuf_clear(&conn->out);
    bool full = conn->unsent > OUTBOX_BYTES_MAX;
    mutex_unlock(&conn->mutex);
    conn_wake(conn);
    if (full) { /* a client that does not read must not keep others from the pool */
        exec_pool_wait_begin(pool);
        mutex_lock(&conn->mutex);
        while (conn->unsent > OUTBOX_BYTES_MAX && !conn->gone)
            condition_wait(&conn->drained, &conn->mutex);
        mutex_unlock(&conn->mutex);
        exec_pool_wait_end(pool);
    }
    mutex_lock(&conn->mutex);
    bool gone = conn->gone;
    mutex_unlock(&conn->mutex);
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

void conn_formats_free(Conn *conn)
{
    while (conn->formats) {
        PortalFormats *next = conn->formats->next;
        mem_free(conn->formats->name);
        mem_free(conn->formats);
        conn->formats = next;
    }
}

PortalFormats *conn_formats_find(const Conn *conn, Str name)
{
    PortalFormats *at = conn->formats;

    while (at && !str_is(name, at->name))
        at = at->next;
    return at;
}

void conn_formats_drop(Conn *conn, Str name)
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

void conn_formats_drop_named(Conn *conn)
{
    PortalFormats **at = &conn->formats;

    while (*at) {
        if ((*at)->name[0])
            conn_formats_drop(conn, str_from((*at)->name));
        else
            at = &(*at)->next;
    }
}

PortalFormats *conn_formats_add(Conn *conn, Str name, uint32_t count)
{
    PortalFormats *formats = conn_formats_find(conn, name);

    if (formats && formats->cap >= count) {
        formats->count = count;
        return formats;
    }
    conn_formats_drop(conn, name);
    formats = mem_alloc_zero(sizeof *formats + sizeof(int16_t) * count);
    formats->name = mem_alloc(name.len + 1);
    if (name.len)
        memcpy(formats->name, name.ptr, name.len);
    formats->name[name.len] = '\0';
    formats->count = formats->cap = count;
    formats->next = conn->formats;
    conn->formats = formats;
    return formats;
}
