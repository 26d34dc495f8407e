// SPDX-License-Identifier: Apache-2.0
//
// Expressions as text in PostgreSQL's manner (ruleutils.c): operators in parentheses, constants
// with their type where it is not obvious, implicit casts left out. For EXPLAIN; any thread.
#include "sql/plan/print_int.h"

#include "sql/deparse.h"
#include "types/io.h"

static void print_args(ExprPrinter *p, const Expr *expr, const char *between, uint32_t first)
{
    for (uint32_t i = first; i < expr->args_count; i++) {
        if (i > first)
            strbuf_append_c(p->out, between);
        expr_print_in(p, expr->args[i]);
    }
}

void expr_print_type(StrBuf *out, SqlType type)
{
    Scope *scope = scope_open(NULL, "type name");

    strbuf_append_c(out, type_format(scope, type));
    scope_close(scope);
}

// --- constants ---------------------------------------------------------------------------------

static void append_text(StrBuf *out, const Datum *datum)
{
    static const TypeIoContext io;

    type_output_datum(out, datum, &io);
}

/* Numbers that the grammar reads back as the same type need no quotes and no cast. */
static bool is_plain_number(const Datum *datum, Str text)
{
    if (datum->type.oid != OID_INT4 && datum->type.oid != OID_NUMERIC)
        return false;
    if (text.len == 0 || text.ptr[0] < '0' || text.ptr[0] > '9')
        return false;
    return datum->type.oid == OID_INT4 || memchr(text.ptr, '.', text.len) != NULL;
}

static void print_const(StrBuf *out, const Datum *datum)
{
    StrBuf text;

    if (datum->is_null) {
        strbuf_append_c(out, "NULL::");
        expr_print_type(out, datum->type);
        return;
    }
    if (datum->type.oid == OID_BOOL) {
        strbuf_append_c(out, datum->boolean ? "true" : "false");
        return;
    }
    strbuf_init(&text);
    append_text(&text, datum);
    if (is_plain_number(datum, strbuf_str(&text))) {
        strbuf_append_str(out, strbuf_str(&text));
    } else {
        SqlType shown = datum->type;
        if (shown.oid == OID_NUMERIC || shown.oid == OID_INTERVAL)
            shown.typmod = -1;
        sql_quote_literal(out, strbuf_str(&text));
        strbuf_append_c(out, "::");
        expr_print_type(out, shown);
    }
    strbuf_free(&text);
}

// --- columns, functions, subqueries ------------------------------------------------------------

/* The part behind the first dot of alias.column; texts that are no names (an aggregate's column is
   called by its call) are left whole. */
static const char *unqualified(const char *name)
{
    bool quoted = false;

    for (const char *c = name; *c; c++) {
        if (*c == '"')
            quoted = !quoted;
        else if (*c == '.' && !quoted)
            return c + 1;
        else if (!quoted && strchr("( '+-*/", *c))
            break;
    }
    return name;
}

static void print_column(ExprPrinter *p, const Expr *expr)
{
    const char *name = expr->column.name;

    if (name == NULL || *name == '\0')
        strbuf_printf(p->out, "\"?column?\"");
    else
        strbuf_append_c(p->out, p->qualified ? name : unqualified(name));
}

static void print_func(ExprPrinter *p, const Expr *expr)
{
    const OperatorInfo *op = expr->func.op;

    if (op == NULL) {
        strbuf_append_c(p->out, expr->func.info->name);
        strbuf_append_char(p->out, '(');
        print_args(p, expr, ", ", 0);
        strbuf_append_char(p->out, ')');
        return;
    }
    strbuf_append_char(p->out, '(');
    if (expr->args_count == 2) {
        expr_print_in(p, expr->args[0]);
        strbuf_append_char(p->out, ' ');
    }
    strbuf_append_c(p->out, op->name);
    strbuf_append_char(p->out, ' ');
    expr_print_in(p, expr->args[expr->args_count - 1]);
    strbuf_append_char(p->out, ')');
}

static void print_cast(ExprPrinter *p, const Expr *expr)
{
    const Expr *arg = expr->args[0];

    if (!expr->cast.explicit_cast) {
        expr_print_in(p, arg);
        return;
    }
    strbuf_append_char(p->out, '(');
    expr_print_in(p, arg);
    strbuf_append_c(p->out, ")::");
    expr_print_type(p->out, expr->type);
}

static void print_case(ExprPrinter *p, const Expr *expr)
{
    strbuf_append_c(p->out, "CASE");
    for (uint32_t i = 0; i + 1 < expr->args_count; i += 2) {
        strbuf_append_c(p->out, " WHEN ");
        expr_print_in(p, expr->args[i]);
        strbuf_append_c(p->out, " THEN ");
        expr_print_in(p, expr->args[i + 1]);
    }
    strbuf_append_c(p->out, " ELSE ");
    expr_print_in(p, expr->args[expr->args_count - 1]);
    strbuf_append_c(p->out, " END");
}

static void print_subquery(ExprPrinter *p, const Expr *expr)
{
    uint32_t at = 0;

    while (at < p->subqueries.count && p->subqueries.data[at] != expr)
        at++;
    if (at == p->subqueries.count && p->scope)
        array_push(p->scope, &p->subqueries, expr);
    bool tests = expr->subquery.kind == SUBQUERY_ANY || expr->subquery.kind == SUBQUERY_ALL;
    if (expr->subquery.outer_count == 0 && !tests)
        strbuf_printf(p->out, "$%u", at);
    else
        strbuf_printf(p->out, "(SubPlan %u)", at + 1);
}

static void print_agg(ExprPrinter *p, const Expr *expr)
{
    strbuf_append_c(p->out, expr->agg.info->name);
    strbuf_append_c(p->out, expr->agg.distinct ? "(DISTINCT " : "(");
    if (expr->args_count == 0)
        strbuf_append_char(p->out, '*');
    print_args(p, expr, ", ", 0);
    for (uint32_t i = 0; i < expr->agg.order_count; i++) {
        strbuf_append_c(p->out, i == 0 ? " ORDER BY " : ", ");
        expr_print_in(p, expr->agg.order[i].expr);
        if (expr->agg.order[i].descending)
            strbuf_append_c(p->out, " DESC");
    }
    strbuf_append_char(p->out, ')');
    if (expr->agg.filter) {
        strbuf_append_c(p->out, " FILTER (WHERE ");
        expr_print_in(p, expr->agg.filter);
        strbuf_append_char(p->out, ')');
    }
}

// --- tests and lists ---------------------------------------------------------------------------

static void print_infix(ExprPrinter *p, const Expr *expr, const char *between)
{
    strbuf_append_char(p->out, '(');
    print_args(p, expr, between, 0);
    strbuf_append_char(p->out, ')');
}

static void print_call(ExprPrinter *p, const Expr *expr, const char *name)
{
    strbuf_append_c(p->out, name);
    print_infix(p, expr, ", ");
}

static void print_suffix(ExprPrinter *p, const Expr *expr, const char *suffix)
{
    strbuf_append_char(p->out, '(');
    expr_print_in(p, expr->args[0]);
    strbuf_append_c(p->out, suffix);
    strbuf_append_char(p->out, ')');
}

static const char *bool_test_suffix(const Expr *expr)
{
    static const char *const suffixes[][2] = {
        [IS_TRUE] = {" IS TRUE", " IS NOT TRUE"},
        [IS_FALSE] = {" IS FALSE", " IS NOT FALSE"},
        [IS_UNKNOWN] = {" IS UNKNOWN", " IS NOT UNKNOWN"},
    };
    return suffixes[expr->test.test][expr->test.negated];
}

/* One element as array output writes it: quoted unless it is plain. */
static void append_element(StrBuf *out, const Datum *datum)
{
    StrBuf text;

    if (datum->is_null) {
        strbuf_append_c(out, "NULL");
        return;
    }
    strbuf_init(&text);
    append_text(&text, datum);
    bool plain = text.len > 0 && !str_equal_nocase(strbuf_str(&text), STR("null"));
    for (size_t i = 0; i < text.len; i++)
        plain &= !strchr("{},\"\\ \t\n\r\v\f", text.ptr[i]);
    if (!plain)
        strbuf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            strbuf_append_char(out, '\\');
        strbuf_append_char(out, text.ptr[i]);
    }
    if (!plain)
        strbuf_append_char(out, '"');
    strbuf_free(&text);
}

static bool all_constants(const Expr *expr, uint32_t first)
{
    for (uint32_t i = first; i < expr->args_count; i++) {
        if (expr->args[i]->kind != EXPR_CONST)
            return false;
    }
    return true;
}

static void print_in(ExprPrinter *p, const Expr *expr)
{
    SqlType element = expr->args[0]->type;
    StrBuf array;

    strbuf_append_char(p->out, '(');
    expr_print_in(p, expr->args[0]);
    strbuf_append_c(p->out, expr->test.negated ? " <> ALL (" : " = ANY (");
    if (all_constants(expr, 1)) {
        strbuf_init(&array);
        strbuf_append_char(&array, '{');
        for (uint32_t i = 1; i < expr->args_count; i++) {
            if (i > 1)
                strbuf_append_char(&array, ',');
            append_element(&array, &expr->args[i]->constant);
        }
        strbuf_append_char(&array, '}');
        sql_quote_literal(p->out, strbuf_str(&array));
        strbuf_append_c(p->out, "::");
        expr_print_type(p->out, sql_type(element.oid));
        strbuf_append_c(p->out, "[]");
        strbuf_free(&array);
    } else {
        strbuf_append_c(p->out, "ARRAY[");
        print_args(p, expr, ", ", 1);
        strbuf_append_char(p->out, ']');
    }
    strbuf_append_c(p->out, "))");
}

static void print_any(ExprPrinter *p, const Expr *expr)
{
    strbuf_append_char(p->out, '(');
    expr_print_in(p, expr->args[0]);
    strbuf_printf(p->out, " %s %s (", expr->func.op ? expr->func.op->name : expr->func.info->name,
                  expr->func.all ? "ALL" : "ANY");
    expr_print_in(p, expr->args[1]);
    strbuf_append_c(p->out, "))");
}

static void print_subscript(ExprPrinter *p, const Expr *expr)
{
    expr_print_in(p, expr->args[0]);
    for (uint32_t i = 1; i < expr->args_count; i++) {
        strbuf_append_char(p->out, '[');
        expr_print_in(p, expr->args[i]);
        strbuf_append_char(p->out, ']');
    }
}

void expr_print_in(ExprPrinter *p, const Expr *expr)
{
    switch (expr->kind) {
    case EXPR_CONST: print_const(p->out, &expr->constant); break;
    case EXPR_COLUMN: print_column(p, expr); break;
    case EXPR_PARAM: strbuf_printf(p->out, "$%u", expr->param.at + 1); break;
    case EXPR_FUNC: print_func(p, expr); break;
    case EXPR_CAST: print_cast(p, expr); break;
    case EXPR_AND: print_infix(p, expr, " AND "); break;
    case EXPR_OR: print_infix(p, expr, " OR "); break;
    case EXPR_NOT:
        strbuf_append_c(p->out, "(NOT ");
        expr_print_in(p, expr->args[0]);
        strbuf_append_char(p->out, ')');
        break;
    case EXPR_IS_NULL:
        print_suffix(p, expr, expr->test.negated ? " IS NOT NULL" : " IS NULL");
        break;
    case EXPR_IS_BOOL: print_suffix(p, expr, bool_test_suffix(expr)); break;
    case EXPR_DISTINCT:
        print_infix(p, expr, expr->test.negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ");
        break;
    case EXPR_CASE: print_case(p, expr); break;
    case EXPR_COALESCE: print_call(p, expr, "COALESCE"); break;
    case EXPR_NULLIF: print_call(p, expr, "NULLIF"); break;
    case EXPR_GREATEST: print_call(p, expr, "GREATEST"); break;
    case EXPR_LEAST: print_call(p, expr, "LEAST"); break;
    case EXPR_IN: print_in(p, expr); break;
    case EXPR_ANY: print_any(p, expr); break;
    case EXPR_ARRAY:
        strbuf_append_c(p->out, "ARRAY[");
        print_args(p, expr, ", ", 0);
        strbuf_append_char(p->out, ']');
        break;
    case EXPR_SUBSCRIPT: print_subscript(p, expr); break;
    case EXPR_SUBQUERY: print_subquery(p, expr); break;
    case EXPR_AGG: print_agg(p, expr); break;
    }
}

void expr_print_list(ExprPrinter *p, const ExprList *conjuncts)
{
    if (conjuncts->count == 1) {
        expr_print_in(p, conjuncts->data[0]);
        return;
    }
    strbuf_append_char(p->out, '(');
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        if (i > 0)
            strbuf_append_c(p->out, " AND ");
        expr_print_in(p, conjuncts->data[i]);
    }
    strbuf_append_char(p->out, ')');
}

void expr_print(StrBuf *out, const Expr *expr)
{
    ExprPrinter printer = {.out = out};

    expr_print_in(&printer, expr);
}
