// SPDX-License-Identifier: Apache-2.0
//
// The embedded C API of include/dbaspot.h over Node and Session: a connection steps its session in
// the caller's thread and blocks where the session asks to wait. Results are kept as text.
#include "dbaspot.h"

#include "api/session_int.h"
#include "base/memory.h"

struct dbaspot_db {
    Node *node;
};

struct dbaspot_conn {
    Node *node;
    Session *session;
    Event woken;            /* set by the session's wake; taken down before each step */
    Error error;            /* of the last call, taken over from the session's context */
    dbaspot_result *result; /* being filled */
};

typedef struct ResultColumn {
    char *name;
    Oid type;
} ResultColumn;

struct dbaspot_result {
    Scope *scope;
    uint32_t columns_count;
    ResultColumn *columns;
    ARRAY(char *) values; /* row by row; NULL: SQL NULL */
    ARRAY(uint32_t) lengths;
    uint64_t rows_count;
    char *tag;
};

static _Thread_local char open_error[512];

const char *dbaspot_version(void)
{
    return DBASPOT_VERSION;
}

void dbaspot_on_fatal(void (*hook)(const char *message))
{
    base_set_fatal_hook(hook);
}

static int fail_open(Ctx *ctx)
{
    const char *message = ctx->error.message ? ctx->error.message : "";
    size_t length = MIN(strlen(message), sizeof open_error - 1);

    memcpy(open_error, message, length);
    open_error[length] = '\0';
    int code = (int)ctx->error.status;
    ctx_free(ctx);
    return code;
}

const char *dbaspot_open_error(void)
{
    return open_error;
}

int dbaspot_open(const char *path, dbaspot_db **out)
{
    Ctx ctx;
    NodeOptions options = {.dir = path};
    Node *node = NULL;

    ctx_init(&ctx);
    *out = NULL;
    if (path == NULL || strcmp(path, ":memory:") == 0)
        options.dir = NULL;
    if (node_open(&ctx, &options, &node) != OK)
        return fail_open(&ctx);
    *out = mem_alloc_zero(sizeof **out);
    (*out)->node = node;
    return 0;
}

void dbaspot_close(dbaspot_db *db)
{
    if (db == NULL)
        return;
    node_close(db->node);
    mem_free(db);
}

static void wake(void *arg)
{
    dbaspot_conn *conn = arg;
    event_set(&conn->woken);
}

static dbaspot_result *result_new(void)
{
    Scope *scope = scope_open(NULL, "result");
    dbaspot_result *result = scope_new(scope, dbaspot_result);

    result->scope = scope;
    result->tag = scope_strdup(scope, "");
    return result;
}

void dbaspot_result_free(dbaspot_result *result)
{
    if (result)
        scope_close(result->scope);
}

/* Each statement of a text begins a result; the last one is kept. */
static Status take_columns(void *arg, Ctx *ctx, const PlannedStatement *statement)
{
    dbaspot_conn *conn = arg;
    dbaspot_result *result = result_new();

    (void)ctx;
    dbaspot_result_free(conn->result);
    conn->result = result;
    result->columns_count = statement->result_columns_count;
    result->columns = scope_new_array(result->scope, ResultColumn, result->columns_count + 1);
    for (uint32_t i = 0; i < result->columns_count; i++)
        result->columns[i] =
            (ResultColumn){scope_strdup(result->scope, statement->result_columns[i].name),
                           statement->result_columns[i].type.oid};
    return OK;
}

static Status take_batch(void *arg, Ctx *ctx, const Batch *batch, uint32_t columns_count)
{
    dbaspot_conn *conn = arg;
    dbaspot_result *result = conn->result;
    const TypeIoContext *io = session_io(conn->session);
    StrBuf text;

    (void)ctx;
    strbuf_init(&text);
    for (uint32_t row = 0; row < batch->rows_count; row++) {
        for (uint32_t i = 0; i < columns_count; i++) {
            const Vector *v = &batch->columns[i];
            char *value = NULL;
            strbuf_clear(&text);
            if (!vector_is_null(v, row)) {
                type_output(&text, v->type, v, row, io);
                value = scope_strndup(result->scope, text.len ? text.ptr : "", text.len);
            }
            array_push(result->scope, &result->values, value);
            array_push(result->scope, &result->lengths, (uint32_t)text.len);
        }
        result->rows_count++;
    }
    strbuf_free(&text);
    return OK;
}

static Status take_tag(void *arg, Ctx *ctx, const char *tag)
{
    dbaspot_conn *conn = arg;

    (void)ctx;
    if (conn->result == NULL || conn->result->tag[0]) {
        dbaspot_result_free(conn->result);
        conn->result = result_new();
    }
    conn->result->tag = scope_strdup(conn->result->scope, tag);
    return OK;
}

int dbaspot_connect_to(dbaspot_db *db, const char *database, const char *user, dbaspot_conn **out)
{
    Ctx ctx;
    dbaspot_conn *conn = mem_alloc_zero(sizeof *conn);
    SessionOptions options = {
        .user = str_from(user),
        .database = str_from(database),
        .application_name = STR(""),
        .sink = {.arg = conn, .columns = take_columns, .batch = take_batch, .complete = take_tag},
        .wake = wake,
        .wake_arg = conn,
    };

    ctx_init(&ctx);
    *out = NULL;
    conn->node = db->node;
    event_init(&conn->woken);
    if (session_open(&ctx, db->node, &options, &conn->session) != OK) {
        mem_free(conn);
        return fail_open(&ctx);
    }
    *out = conn;
    return 0;
}

int dbaspot_connect(dbaspot_db *db, dbaspot_conn **out)
{
    return dbaspot_connect_to(db, "postgres", "postgres", out);
}

static void forget_error(dbaspot_conn *conn)
{
    Ctx holder = {.error = conn->error};
    ctx_free(&holder);
    conn->error = (Error){0};
}

void dbaspot_disconnect(dbaspot_conn *conn)
{
    if (conn == NULL)
        return;
    session_close(conn->session);
    dbaspot_result_free(conn->result);
    forget_error(conn);
    mem_free(conn);
}

/* Steps to the end, blocking where the session waits. */
static void run(dbaspot_conn *conn)
{
    for (;;) {
        event_init(&conn->woken);
        SessionStep step = session_step(conn->session, true);
        if (step == STEP_DONE)
            return;
        if (step == STEP_WAIT)
            event_wait(&conn->woken);
    }
}

int dbaspot_query(dbaspot_conn *conn, const char *sql, dbaspot_result **out)
{
    Ctx *ctx = session_ctx(conn->session);

    forget_error(conn);
    if (out)
        *out = NULL;
    session_start_query(conn->session, str_from(sql));
    run(conn);
    if (ctx->error.status != OK) {
        conn->error = ctx->error;
        ctx->error = (Error){0};
        dbaspot_result_free(conn->result);
        conn->result = NULL;
        return (int)conn->error.status;
    }
    if (out)
        *out = conn->result ? conn->result : result_new();
    else
        dbaspot_result_free(conn->result);
    conn->result = NULL;
    return 0;
}

void dbaspot_cancel(dbaspot_conn *conn)
{
    session_cancel(conn->session, CANCEL_USER);
}

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

const char *dbaspot_errmsg(const dbaspot_conn *conn)
{
    return text_or_empty(conn->error.message);
}

const char *dbaspot_sqlstate(const dbaspot_conn *conn)
{
    return error_sqlstate(conn->error.status);
}

const char *dbaspot_errdetail(const dbaspot_conn *conn)
{
    return text_or_empty(conn->error.detail);
}

const char *dbaspot_errhint(const dbaspot_conn *conn)
{
    return text_or_empty(conn->error.hint);
}

int dbaspot_errposition(const dbaspot_conn *conn)
{
    return conn->error.position;
}

uint64_t dbaspot_rows(const dbaspot_result *result)
{
    return result->rows_count;
}

uint32_t dbaspot_columns(const dbaspot_result *result)
{
    return result->columns_count;
}

const char *dbaspot_column_name(const dbaspot_result *result, uint32_t column)
{
    return column < result->columns_count ? result->columns[column].name : NULL;
}

uint32_t dbaspot_column_type(const dbaspot_result *result, uint32_t column)
{
    return column < result->columns_count ? result->columns[column].type : 0;
}

static uint64_t value_at(const dbaspot_result *result, uint64_t row, uint32_t column)
{
    ASSERT(row < result->rows_count && column < result->columns_count);
    return row * result->columns_count + column;
}

const char *dbaspot_value(const dbaspot_result *result, uint64_t row, uint32_t column)
{
    return result->values.data[value_at(result, row, column)];
}

size_t dbaspot_value_length(const dbaspot_result *result, uint64_t row, uint32_t column)
{
    return result->lengths.data[value_at(result, row, column)];
}

const char *dbaspot_tag(const dbaspot_result *result)
{
    return result->tag;
}
