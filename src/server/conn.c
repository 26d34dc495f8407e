// SPDX-License-Identifier: Apache-2.0
//
// A connection's bytes: reading, sending, closing, and the hand-over between a pool thread and the
// loop. A client that does not read stops the handling of what it sends; its statement on the pool
// waits (conn_sink.c). See conn.h.
#include "server/conn.h"

#include "base/memory.h"
#include "os/clock.h"

#define READ_BYTES_MIN    ((size_t)4 << 10)
#define READ_BYTES_MAX    ((size_t)256 << 10)
/* Beyond this much unhandled input reading pauses. */
#define INPUT_BYTES_MAX   ((size_t)1 << 20)
/* Buffers above this size are given back when they are empty. */
#define BUFFER_BYTES_KEPT ((size_t)32 << 10)
#define SHUTDOWN_NS       INT64_C(3000000000)
#define KEEPALIVE_SECONDS 300

static void after_close(uv_handle_t *handle)
{
    Conn *conn = handle->data;

    if (--conn->handles_count > 0)
        return;
    Loop *loop = conn->loop;
    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
    strbuf_free(&conn->in);
    strbuf_free(&conn->out);
    strbuf_free(&conn->sending);
    strbuf_free(&conn->outbox);
    conn_formats_free(conn);
    condition_free(&conn->drained);
    mutex_free(&conn->mutex);
    mem_free(conn);
    loop_stop_if_empty(loop);
}

/* A wake that is on its way finds the connection closing; the list must not hold it. */
static void leave_woken_list(Conn *conn)
{
    Loop *loop = conn->loop;

    mutex_lock(&loop->mutex);
    for (Conn **at = &loop->woken; *at; at = &(*at)->next_woken) {
        if (*at == conn) {
            *at = conn->next_woken;
            break;
        }
    }
    mutex_unlock(&loop->mutex);
}

static bool is_busy(const Conn *conn)
{
    return conn->phase == CONN_POOL || conn->phase == CONN_WAIT;
}

/* REQUIRES: not busy, so that nobody else has the session (SERVER-2). */
static void close_now(Conn *conn)
{
    ASSERT(!conn->is_closing && !is_busy(conn));
    conn->is_closing = true;
    if (conn->session) {
        server_remove_cancellable(conn->loop->server, conn);
        session_close(conn->session);
        conn->session = NULL;
        atomic_fetch_sub(&conn->loop->server->conns_count, 1);
    }
    leave_woken_list(conn);
    uv_close((uv_handle_t *)&conn->timer, after_close);
    uv_close((uv_handle_t *)&conn->stream, after_close);
}

void conn_lose(Conn *conn)
{
    if (conn->is_closing)
        return;
    conn->is_lost = true;
    conn->wants_close = true;
    mutex_lock(&conn->mutex);
    conn->gone = true;
    condition_broadcast(&conn->drained);
    mutex_unlock(&conn->mutex);
    if (is_busy(conn))
        session_cancel(conn->session, CANCEL_USER);
    else
        close_now(conn);
}

static void give_back(StrBuf *buffer)
{
    strbuf_clear(buffer);
    if (buffer->cap > BUFFER_BYTES_KEPT) {
        strbuf_free(buffer);
        strbuf_init(buffer);
    }
}

/* What was sent makes room for a pool thread that waits. */
static void count_unsent(Conn *conn)
{
    if (conn->phase != CONN_POOL)
        return;
    mutex_lock(&conn->mutex);
    conn->unsent = conn->outbox.len;
    condition_broadcast(&conn->drained);
    mutex_unlock(&conn->mutex);
}

static void pause_or_resume(Conn *conn);

static void after_write(uv_write_t *request, int status)
{
    Conn *conn = request->data;

    conn->is_sending = false;
    give_back(&conn->sending);
    if (status < 0) {
        conn_lose(conn);
        return;
    }
    count_unsent(conn);
    conn_flush(conn);
    if (!conn->is_closing && !is_busy(conn))
        conn_process(conn);
    if (!conn->is_closing)
        pause_or_resume(conn);
}

/* Moves what is to be sent into `sending`; false if there is nothing. */
static bool gather(Conn *conn)
{
    StrBuf empty = conn->sending;

    if (conn->phase != CONN_POOL) {
        conn->sending = conn->out;
        conn->out = empty;
        return conn->sending.len > 0;
    }
    mutex_lock(&conn->mutex);
    conn->sending = conn->outbox;
    conn->outbox = empty;
    mutex_unlock(&conn->mutex);
    return conn->sending.len > 0;
}

void conn_flush(Conn *conn)
{
    while (!conn->is_closing && !conn->is_sending && gather(conn)) {
        uv_buf_t buf = uv_buf_init(conn->sending.ptr, (unsigned)conn->sending.len);
        int sent = conn->is_lost ? (int)buf.len : uv_try_write(&conn->stream, &buf, 1);
        if (sent == (int)conn->sending.len) {
            give_back(&conn->sending);
            count_unsent(conn);
            continue;
        }
        sent = MAX(sent, 0);
        buf = uv_buf_init(conn->sending.ptr + sent, (unsigned)conn->sending.len - (unsigned)sent);
        conn->write.data = conn;
        conn->is_sending = true;
        if (uv_write(&conn->write, &conn->stream, &buf, 1, after_write) < 0) {
            conn->is_sending = false;
            conn_lose(conn);
            return;
        }
    }
    if (conn->wants_close && !conn->is_closing && !conn->is_sending && !is_busy(conn))
        close_now(conn);
}

bool conn_is_clogged(const Conn *conn)
{
    return conn->is_sending && !conn->is_lost;
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    Conn *conn = handle->data;

    (void)suggested;
    if (conn->in_at) {
        conn->in.len -= conn->in_at;
        memmove(conn->in.ptr, conn->in.ptr + conn->in_at, conn->in.len);
        conn->in_at = 0;
    }
    *buf = uv_buf_init(strbuf_reserve(&conn->in, conn->read_bytes), (unsigned)conn->read_bytes);
}

static void after_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    Conn *conn = stream->data;

    if (count == UV_EOF) { /* what it has sent is still answered */
        conn->at_eof = true;
        conn_process(conn);
        return;
    }
    if (count < 0) {
        conn_lose(conn);
        return;
    }
    conn->in.len += (size_t)count;
    if ((size_t)count == buf->len)
        conn->read_bytes = MIN(conn->read_bytes * 4, READ_BYTES_MAX);
    conn_process(conn);
    if (conn->is_closing)
        return;
    if (conn->in_at == conn->in.len) {
        conn->in_at = 0;
        give_back(&conn->in);
        if (count < (ssize_t)READ_BYTES_MIN)
            conn->read_bytes = READ_BYTES_MIN;
    }
    pause_or_resume(conn);
}

static void pause_or_resume(Conn *conn)
{
    bool waits = is_busy(conn) || conn_is_clogged(conn);
    bool full = waits && conn->in.len - conn->in_at > INPUT_BYTES_MAX;

    if (conn->at_eof)
        return;
    if (full && conn->is_reading) {
        uv_read_stop(&conn->stream);
        conn->is_reading = false;
    } else if (!full && !conn->is_reading) {
        conn->is_reading = uv_read_start(&conn->stream, allocate, after_read) == 0;
    }
}

static int open_stream(Conn *conn, int fd)
{
    uv_loop_t *uv = &conn->loop->uv;

    if (conn->is_pipe) {
        uv_pipe_init(uv, &conn->pipe, 0);
        return uv_pipe_open(&conn->pipe, fd);
    }
    uv_tcp_init(uv, &conn->tcp);
    int failed = uv_tcp_open(&conn->tcp, fd);
    if (!failed) {
        uv_tcp_nodelay(&conn->tcp, 1);
        uv_tcp_keepalive(&conn->tcp, 1, KEEPALIVE_SECONDS);
    }
    return failed;
}

Conn *conn_open(Loop *loop, int fd, bool is_pipe)
{
    Conn *conn = mem_alloc_zero(sizeof *conn);

    conn->loop = loop;
    conn->is_pipe = is_pipe;
    conn->opened_ns = clock_mono_ns();
    conn->read_bytes = READ_BYTES_MIN;
    conn->handles_count = 2;
    mutex_init(&conn->mutex);
    condition_init(&conn->drained);
    int failed = open_stream(conn, fd);
    conn->stream.data = conn;
    conn_timer_open(conn);
    conn->next = loop->conns;
    conn->link = &loop->conns;
    if (conn->next)
        conn->next->link = &conn->next;
    loop->conns = conn;
    if (failed) {
        close_now(conn);
        return NULL;
    }
    pause_or_resume(conn);
    conn_timer_set(conn);
    return conn;
}

/* Any thread. A wake during a step is latched: the flag is looked at when the step says WAIT. */
void conn_wake(void *arg)
{
    Conn *conn = arg;
    Loop *loop = conn->loop;

    if (atomic_exchange(&conn->is_woken, true))
        return;
    mutex_lock(&loop->mutex);
    conn->next_woken = loop->woken;
    loop->woken = conn;
    mutex_unlock(&loop->mutex);
    uv_async_send(&loop->async);
}

/* What a pool thread wrote goes out first; `out` continues it. */
static void take_back(Conn *conn)
{
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
}

void conn_woken(Conn *conn)
{
    atomic_store(&conn->is_woken, false);
    ASSERT(!conn->is_closing);
    if (conn->phase == CONN_POOL && !atomic_load(&conn->pool_done)) {
        conn_flush(conn);
        return;
    }
    if (!is_busy(conn))
        return; /* a cancel request that came late */
    if (conn->phase == CONN_POOL)
        take_back(conn);
    conn_resume(conn);
    if (!conn->is_closing)
        pause_or_resume(conn);
}

void conn_shutdown(Conn *conn)
{
    if (conn->is_closing)
        return;
    conn->shutdown_ns = clock_mono_ns() + SHUTDOWN_NS;
    if (is_busy(conn))
        session_cancel(conn->session, CANCEL_SHUTDOWN);
    else if (!conn->wants_close)
        conn_fatal(conn, E_ADMIN_SHUTDOWN, "terminating connection due to administrator command");
    if (!conn->is_closing)
        conn_timer_set(conn);
}
