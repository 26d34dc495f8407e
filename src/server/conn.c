// SPDX-License-Identifier: Apache-2.0
//
// A connection's bytes: reading, sending, closing, and the hand-over between a pool thread and the
// loop. A client that does not read holds the pool thread back at OUTBOX_BYTES_MAX. See conn.h.
#include "server/conn.h"

#include "base/memory.h"

#define READ_BYTES       ((size_t)64 << 10)
#define OUTBOX_BYTES_MAX ((size_t)8 << 20)
/* Beyond this much unhandled input reading pauses. */
#define INPUT_BYTES_MAX  ((size_t)4 << 20)

static void after_close(uv_handle_t *handle)
{
    Conn *conn = handle->data;
    Loop *loop = conn->loop;

    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
    loop->conns_count--;
    atomic_fetch_sub(&loop->server->conns_count, 1);
    strbuf_free(&conn->in);
    strbuf_free(&conn->out);
    strbuf_free(&conn->sending);
    strbuf_free(&conn->outbox);
    conn_free_formats(conn);
    condition_free(&conn->drained);
    mutex_free(&conn->mutex);
    mem_free(conn);
}

/* The session may be in a pool thread's hands: then it ends when that thread is done. */
void conn_close(Conn *conn)
{
    if (conn->is_closing)
        return;
    mutex_lock(&conn->mutex);
    conn->gone = true;
    condition_broadcast(&conn->drained);
    mutex_unlock(&conn->mutex);
    if (conn->phase == CONN_POOL || conn->phase == CONN_WAIT) {
        conn->wants_close = true;
        session_cancel(conn->session);
        if (conn->phase == CONN_POOL)
            return;
    }
    server_remove_cancellable(conn->loop->server, conn);
    session_close(conn->session);
    conn->session = NULL;
    conn->is_closing = true;
    conn->phase = CONN_CLOSING;
    /* A wake that is on its way finds the connection closing; the list must not hold it. */
    mutex_lock(&conn->loop->mutex);
    for (Conn **at = &conn->loop->woken; *at; at = &(*at)->next_woken) {
        if (*at == conn) {
            *at = conn->next_woken;
            break;
        }
    }
    mutex_unlock(&conn->loop->mutex);
    uv_close((uv_handle_t *)&conn->stream, after_close);
}

static void after_write(uv_write_t *request, int status)
{
    Conn *conn = request->data;

    conn->is_sending = false;
    strbuf_clear(&conn->sending);
    mutex_lock(&conn->mutex);
    conn->unsent = conn->outbox.len;
    if (status < 0)
        conn->gone = true;
    condition_broadcast(&conn->drained);
    mutex_unlock(&conn->mutex);
    if (status < 0)
        conn_close(conn);
    else
        conn_flush(conn);
}

/* Moves what is to be sent into `sending`; false if there is nothing. */
static bool gather(Conn *conn)
{
    if (conn->phase != CONN_POOL && conn->out.len) {
        StrBuf empty = conn->sending;
        conn->sending = conn->out;
        conn->out = empty;
        return true;
    }
    mutex_lock(&conn->mutex);
    StrBuf empty = conn->sending;
    conn->sending = conn->outbox;
    conn->outbox = empty;
    mutex_unlock(&conn->mutex);
    return conn->sending.len > 0;
}

void conn_flush(Conn *conn)
{
    while (!conn->is_closing && !conn->is_sending && gather(conn)) {
        uv_buf_t buf = uv_buf_init(conn->sending.ptr, (unsigned)conn->sending.len);
        int sent = uv_try_write(&conn->stream, &buf, 1);
        if (sent == (int)conn->sending.len) {
            strbuf_clear(&conn->sending);
            mutex_lock(&conn->mutex);
            conn->unsent = conn->outbox.len;
            condition_broadcast(&conn->drained);
            mutex_unlock(&conn->mutex);
            continue;
        }
        sent = MAX(sent, 0);
        buf = uv_buf_init(conn->sending.ptr + sent, (unsigned)conn->sending.len - (unsigned)sent);
        conn->write.data = conn;
        conn->is_sending = true;
        if (uv_write(&conn->write, &conn->stream, &buf, 1, after_write) < 0) {
            conn->is_sending = false;
            conn_close(conn);
            return;
        }
    }
    if (conn->wants_close && !conn->is_sending && conn->phase != CONN_POOL &&
        conn->phase != CONN_WAIT)
        conn_close(conn);
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
    *buf = uv_buf_init(strbuf_reserve(&conn->in, READ_BYTES), READ_BYTES);
}

static void pause_or_resume(Conn *conn);

static void after_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    Conn *conn = stream->data;

    (void)buf;
    if (count < 0) {
        conn_close(conn);
        return;
    }
    conn->in.len += (size_t)count;
    conn_process(conn);
    if (!conn->is_closing)
        pause_or_resume(conn);
}

static void pause_or_resume(Conn *conn)
{
    bool busy = conn->phase == CONN_POOL || conn->phase == CONN_WAIT;
    bool full = busy && conn->in.len - conn->in_at > INPUT_BYTES_MAX;

    if (full && conn->is_reading) {
        uv_read_stop(&conn->stream);
        conn->is_reading = false;
    } else if (!full && !conn->is_reading) {
        conn->is_reading = uv_read_start(&conn->stream, allocate, after_read) == 0;
    }
}

bool conn_open(Loop *loop, int fd, bool is_pipe)
{
    Conn *conn = mem_alloc_zero(sizeof *conn);
    int failed;

    conn->loop = loop;
    conn->is_pipe = is_pipe;
    mutex_init(&conn->mutex);
    condition_init(&conn->drained);
    if (is_pipe) {
        uv_pipe_init(&loop->uv, &conn->pipe, 0);
        failed = uv_pipe_open(&conn->pipe, fd);
    } else {
        uv_tcp_init(&loop->uv, &conn->tcp);
        failed = uv_tcp_open(&conn->tcp, fd);
        if (!failed)
            uv_tcp_nodelay(&conn->tcp, 1);
    }
    conn->stream.data = conn;
    conn->next = loop->conns;
    conn->link = &loop->conns;
    if (conn->next)
        conn->next->link = &conn->next;
    loop->conns = conn;
    loop->conns_count++;
    atomic_fetch_add(&loop->server->conns_count, 1);
    if (failed) {
        conn_close(conn);
        return false;
    }
    pause_or_resume(conn);
    return true;
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

void conn_woken(Conn *conn)
{
    atomic_store(&conn->is_woken, false);
    if (conn->is_closing)
        return;
    if (conn->phase == CONN_POOL) {
        if (!atomic_load(&conn->pool_done)) {
            conn_flush(conn);
            return;
        }
        atomic_store(&conn->pool_done, false);
        conn->phase = CONN_IDLE;
        conn_step(conn);
    } else if (conn->phase == CONN_WAIT) {
        conn->phase = CONN_IDLE;
        conn_step(conn);
    }
    if (conn->is_closing)
        return;
    pause_or_resume(conn);
}

void conn_shutdown(Conn *conn)
{
    Ctx ctx;

    if (conn->is_closing)
        return;
    if (conn->phase == CONN_POOL || conn->phase == CONN_WAIT) {
        conn->wants_close = true;
        session_cancel(conn->session);
        return;
    }
    ctx_init(&ctx);
    Status st =
        error_raise(&ctx, E_ADMIN_SHUTDOWN, "terminating connection due to administrator command");
    ASSERT(st != OK);
    conn_fatal(conn, &ctx);
    ctx_free(&ctx);
}
