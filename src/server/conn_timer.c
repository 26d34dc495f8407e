// SPDX-License-Identifier: Apache-2.0
//
// A connection's one timer: start-up that takes too long, the timeouts of statements, lock waits
// and idle transactions, and the end of patience when the server stops. It is set whenever the
// phase changes and looks again when it fires: a deadline may have moved. Loop's thread.
#include "os/clock.h"
#include "server/conn.h"

static int64_t after_ms(int64_t since_ns, int64_t ms)
{
    return ms ? since_ns + ms * 1000000 : INT64_MAX;
}

/* When something must be done if nothing happens before. */
static int64_t deadline(const Conn *conn)
{
    int64_t limit_ns = conn->shutdown_ns ? conn->shutdown_ns : INT64_MAX;
    const Settings *settings = conn->loop->server->settings;

    switch (conn->phase) {
    case CONN_STARTUP:
        return MIN(limit_ns, after_ms(conn->opened_ns,
                                      settings_int(settings, SETTING_AUTHENTICATION_TIMEOUT)));
    case CONN_POOL:
    case CONN_WAIT: return MIN(limit_ns, session_deadline_ns(conn->session));
    case CONN_IDLE:
        return MIN(limit_ns, after_ms(conn->idle_ns, session_idle_limit_ms(conn->session)));
    case CONN_COPY: break;
    }
    return limit_ns;
}

static void on_timer(uv_timer_t *timer)
{
    Conn *conn = timer->data;
    int64_t now_ns = clock_mono_ns();

    if (conn->is_closing)
        return;
    if (deadline(conn) > now_ns) {
        conn_timer_set(conn);
    } else if (conn->shutdown_ns && conn->shutdown_ns <= now_ns) {
        conn_lose(conn);
    } else if (conn->phase == CONN_STARTUP) {
        conn_fatal(conn, E_QUERY_CANCELED, "canceling authentication due to timeout");
    } else if (conn->phase == CONN_IDLE) {
        conn_fatal(conn, E_IDLE_IN_TRANSACTION_TIMEOUT,
                   "terminating connection due to idle-in-transaction timeout");
    } else {
        session_cancel_overdue(conn->session, now_ns);
        conn_timer_set(conn);
    }
}

void conn_timer_open(Conn *conn)
{
    uv_timer_init(&conn->loop->uv, &conn->timer);
    conn->timer.data = conn;
}

void conn_timer_set(Conn *conn)
{
    int64_t at_ns = deadline(conn);

    if (at_ns == INT64_MAX) {
        if (uv_is_active((const uv_handle_t *)&conn->timer))
            uv_timer_stop(&conn->timer);
        return;
    }
    int64_t left_ms = (at_ns - clock_mono_ns()) / 1000000 + 1;
    uv_timer_start(&conn->timer, on_timer, (uint64_t)MAX(left_ms, 1), 0);
}
