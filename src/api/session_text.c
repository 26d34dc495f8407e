// SPDX-License-Identifier: Apache-2.0
//
// Results that are text made here: SHOW's value and EXPLAIN's lines, one text column. One thread at
// a time.
#include "api/session_int.h"

#include "os/clock.h"

#include <stdio.h>

#define EXPLAIN_COLUMN "QUERY PLAN"

/* A statement without a plan whose result is one text column. */
static void text_statement(Scope *scope, const char *column, PlannedStatement *out)
{
    *out = (PlannedStatement){.result_columns_count = 1};
    out->result_columns = scope_new(scope, PlanColumn);
    out->result_columns[0] = (PlanColumn){.type = sql_type(OID_TEXT), .name = column};
    out->result_tables = scope_new(scope, Oid);
    out->result_attnums = scope_new(scope, int16_t);
}

/* EXECUTE gives the columns of the statement that it names, as it is now. */
static Status describe_execute(Session *session, Prepared *prepared)
{
    const AstExecute *ast = (const AstExecute *)prepared->statement->body;
    const Prepared *target = strmap_get(session->prepared, ast->name);
    Scope *scope = prepared->scope;
    uint32_t count = target ? target->plan.result_columns_count : 0;

    if (count == 0)
        return OK; /* executing it says what is wrong, if anything is */
    PlannedStatement *plan = &prepared->plan;
    *plan = (PlannedStatement){.scope = scope_open(session->scope, "plan"),
                               .result_columns_count = count,
                               .returns_rows = true};
    plan->result_columns = scope_new_array(scope, PlanColumn, count);
    plan->result_tables = scope_new_array(scope, Oid, count);
    plan->result_attnums = scope_new_array(scope, int16_t, count);
    for (uint32_t i = 0; i < count; i++) {
        plan->result_columns[i] = target->plan.result_columns[i];
        plan->result_columns[i].name = scope_strdup(scope, target->plan.result_columns[i].name);
    }
    return OK;
}

Status session_describe_utility(Session *session, Prepared *prepared)
{
    const AstNode *ast = prepared->statement->body;
    const char *column = EXPLAIN_COLUMN;

    if (ast->kind == AST_SHOW) {
        SettingId id = setting_find(((const AstShow *)ast)->name);
        column = id == SETTINGS_COUNT ? "setting" : setting_info(id)->name;
    } else if (ast->kind == AST_EXECUTE) {
        return describe_execute(session, prepared);
    } else if (ast->kind != AST_EXPLAIN) {
        return OK;
    }
    text_statement(prepared->scope, column, &prepared->plan);
    prepared->plan.scope = scope_open(session->scope, "plan");
    return OK;
}

Status session_send_text(Session *session, const char *column, const Str *lines, uint32_t count)
{
    Status st = OK;
    Scope *scope = session->request.scope;
    const SessionSink *sink = &session->options.sink;
    const Run *run = &session->request.run;
    PlannedStatement statement;

    text_statement(scope, column, &statement);
    if (sink->columns && run->want_columns)
        TRY(sink->columns(sink->arg, &session->ctx, &statement));
    for (uint32_t first = 0; sink->batch && first < count; first += BATCH_ROWS_MAX) {
        uint32_t rows = MIN(count - first, BATCH_ROWS_MAX);
        Vector texts;
        vector_init_flat(&texts, scope, sql_type(OID_TEXT), rows);
        for (uint32_t i = 0; i < rows; i++)
            vector_flat(&texts, StrView)[i] =
                strview_make(lines[first + i].ptr, lines[first + i].len);
        Batch batch = {.rows_count = rows, .columns_count = 1, .columns = &texts};
        TRY(sink->batch(sink->arg, &session->ctx, &batch, 1));
    }
done:
    return st;
}

typedef struct ExplainOptions {
    bool analyze;
    bool costs;
} ExplainOptions;

static Status read_options(Session *session, const AstExplain *ast, ExplainOptions *out)
{
    static const char *const accepted[] = {"verbose", "buffers",  "timing",
                                           "summary", "settings", "wal"};
    Status st = OK;

    *out = (ExplainOptions){.costs = true};
    for (uint32_t i = 0; i < ast->options.count; i++) {
        const AstOption *option = (const AstOption *)ast->options.items[i];
        bool ignored;
        bool known = false;
        Str format;
        if (str_is(option->name, "analyze")) {
            TRY(ast_option_bool(&session->ctx, option, &out->analyze));
            continue;
        }
        if (str_is(option->name, "costs")) {
            TRY(ast_option_bool(&session->ctx, option, &out->costs));
            continue;
        }
        if (str_is(option->name, "format")) {
            TRY(ast_option_string(&session->ctx, session->request.scope, option, &format));
            if (str_equal_nocase(format, STR("text")))
                continue;
            FAIL(&session->ctx, E_FEATURE_NOT_SUPPORTED, "EXPLAIN format \"%.*s\" is not supported",
                 (int)format.len, format.ptr);
        }
        for (uint32_t k = 0; k < ARRAY_COUNT(accepted); k++)
            known = known || str_is(option->name, accepted[k]);
        if (!known)
            FAIL(&session->ctx, E_SYNTAX, "unrecognized EXPLAIN option \"%.*s\"",
                 (int)option->name.len, option->name.ptr);
        TRY(ast_option_bool(&session->ctx, option, &ignored));
    }
done:
    return st;
}

static Status discard_batch(void *arg, Ctx *ctx, const Batch *batch)
{
    (void)arg;
    (void)ctx;
    (void)batch;
    return OK;
}

static uint32_t count_nodes(const Plan *plan)
{
    return plan == NULL ? 0
                        : MAX(plan->node_id + 1,
                              MAX(count_nodes(plan->children[0]), count_nodes(plan->children[1])));
}

static Status run_counted(Session *session, Run *run, const PlannedStatement *plan,
                          ExecCounters *counters)
{
    Status st = OK;
    const Snapshot *snapshot = NULL;
    ExecSink sink = {.batch = discard_batch};
    ExecEnv env;
    TxnVerdict verdict = TXN_GRANTED;

    for (uint32_t i = 0; i < plan->tables_count; i++) {
        TRY(txn_lock_table(&session->ctx, session->txn, plan->tables[i], plan->table_modes[i],
                           false, &verdict));
        if (verdict != TXN_GRANTED)
            return STATUS_LOCK_WAIT;
    }
    do {
        error_clear(&session->ctx);
        TRY(txn_statement_begin(&session->ctx, session->txn, false, &snapshot));
        session_exec_env(session, snapshot, NULL, 0, &env);
        memset(counters->nodes, 0, sizeof(ExecCounter) * counters->count);
        env.counters = counters;
        st = exec_run(&session->ctx, run->scope, plan, &env, &sink, &run->rows);
        if (st == OK)
            txn_statement_end(session->txn);
        else
            txn_statement_abort(session->txn);
    } while (st == STATUS_RETRY);
done:
    return st;
}

static Status send_lines(Session *session, Str text)
{
    Scope *scope = session->request.scope;
    ARRAY(Str) lines = {0};

    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t length = end ? (size_t)(end - text.ptr) : text.len;
        array_push(scope, &lines, (Str){text.ptr, length});
        length += end != NULL;
        text = (Str){text.ptr + length, text.len - length};
    }
    return session_send_text(session, EXPLAIN_COLUMN, lines.data, lines.count);
}

Status session_explain(Session *session, Run *run)
{
    Status st = OK;
    const AstExplain *ast = (const AstExplain *)run->ast;
    PlannedStatement plan = {0};
    SqlType *params = NULL;
    uint32_t params_count = 0;
    ExplainOptions options;
    ExecCounters counters = {0};
    StrBuf text;

    strbuf_init(&text);
    TRY(read_options(session, ast, &options));
    if (!session_is_planned(ast->statement->kind))
        FAIL(&session->ctx, E_FEATURE_NOT_SUPPORTED, "EXPLAIN %s is not supported",
             ast_command_tag(ast->statement));
    TRY(session_txn_ensure(session));
    int64_t planning_ns = clock_mono_ns();
    TRY(session_plan(session, ast->statement, run->text, &params, &params_count, &plan));
    planning_ns = clock_mono_ns() - planning_ns;
    int64_t running_ns = clock_mono_ns();
    if (options.analyze) {
        counters.count = count_nodes(plan.plan);
        counters.nodes = scope_new_array(session->request.scope, ExecCounter, counters.count);
        TRY(run_counted(session, run, &plan, &counters));
    }
    running_ns = clock_mono_ns() - running_ns;
    plan_print(&text, plan.plan, options.costs, options.analyze ? &counters : NULL);
    if (options.analyze)
        strbuf_printf(&text, "Planning Time: %.3f ms\nExecution Time: %.3f ms\n",
                      (double)planning_ns / 1e6, (double)running_ns / 1e6);
    TRY(send_lines(session, strbuf_str(&text)));
    snprintf(run->tag, sizeof run->tag, "EXPLAIN");
done:
    strbuf_free(&text);
    session_plan_free(&plan);
    return st;
}
