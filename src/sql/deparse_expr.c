// SPDX-License-Identifier: Apache-2.0
//
// Syntax tree -> SQL text: expressions, types, identifiers. Every operator is put in parentheses,
// as PostgreSQL's own deparser does, so that no precedence has to be known. Recursion is bounded by
// the tree's depth. Callable from any thread.
#include "sql/deparse.h"

#include "sql/parse/parse.h"

#include <inttypes.h>

// --- identifiers and literals ------------------------------------------------------------------

static bool is_plain_identifier(Str name)
{
    if (name.len == 0 || !((name.ptr[0] >= 'a' && name.ptr[0] <= 'z') || name.ptr[0] == '_'))
        return false;
    for (size_t i = 1; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return sql_keyword(name) <= SQL_KEYWORD_UNRESERVED;
}

void sql_quote_identifier(StrBuf *buf, Str name)
{
    if (is_plain_identifier(name)) {
        strbuf_append_str(buf, name);
        return;
    }
    strbuf_append_char(buf, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            strbuf_append_char(buf, '"');
        strbuf_append_char(buf, name.ptr[i]);
    }
    strbuf_append_char(buf, '"');
}

void sql_quote_literal(StrBuf *buf, Str text)
{
    if (text.len > 0 && memchr(text.ptr, '\\', text.len) != NULL)
        strbuf_append_char(buf, 'E');
    strbuf_append_char(buf, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'' || text.ptr[i] == '\\')
            strbuf_append_char(buf, text.ptr[i]);
        strbuf_append_char(buf, text.ptr[i]);
    }
    strbuf_append_char(buf, '\'');
}

void sql_quote_name(StrBuf *buf, const AstName *name)
{
    if (name->catalog.ptr != NULL) {
        sql_quote_identifier(buf, name->catalog);
        strbuf_append_char(buf, '.');
    }
    if (name->schema.ptr != NULL) {
        sql_quote_identifier(buf, name->schema);
        strbuf_append_char(buf, '.');
    }
    sql_quote_identifier(buf, name->name);
}

void sql_deparse_names(StrBuf *buf, const AstNames *names)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (i > 0)
            strbuf_append_c(buf, ", ");
        sql_quote_identifier(buf, names->items[i]);
    }
}

void sql_deparse_exprs(StrBuf *buf, const AstList *exprs)
{
    for (uint32_t i = 0; i < exprs->count; i++) {
        if (i > 0)
            strbuf_append_c(buf, ", ");
        sql_deparse_expr(buf, exprs->items[i]);
    }
}

// --- types -------------------------------------------------------------------------------------

static const struct {
    const char *name;
    const char *words;
    const char *suffix; /* after the precision */
    bool needs_typmod;  /* the words without one mean another type */
} type_words[] = {
    {"bool", "boolean", "", false},
    {"int2", "smallint", "", false},
    {"int4", "integer", "", false},
    {"int8", "bigint", "", false},
    {"float4", "real", "", false},
    {"float8", "double precision", "", false},
    {"numeric", "numeric", "", false},
    {"varchar", "character varying", "", false},
    {"bpchar", "character", "", true},
    {"bit", "bit", "", true},
    {"varbit", "bit varying", "", false},
    {"time", "time", " without time zone", false},
    {"timetz", "time", " with time zone", false},
    {"timestamp", "timestamp", " without time zone", false},
    {"timestamptz", "timestamp", " with time zone", false},
};

/* Bits of the first typmod of an interval: 1 << PostgreSQL's field numbers. */
enum {
    FIELD_MONTH = 1 << 1,
    FIELD_YEAR = 1 << 2,
    FIELD_DAY = 1 << 3,
    FIELD_HOUR = 1 << 10,
    FIELD_MINUTE = 1 << 11,
    FIELD_SECOND = 1 << 12,
    FIELD_ALL = 0x7FFF
};

static const char *interval_fields(int32_t mask)
{
    switch (mask) {
    case FIELD_YEAR: return " year";
    case FIELD_MONTH: return " month";
    case FIELD_DAY: return " day";
    case FIELD_HOUR: return " hour";
    case FIELD_MINUTE: return " minute";
    case FIELD_SECOND: return " second";
    case FIELD_YEAR | FIELD_MONTH: return " year to month";
    case FIELD_DAY | FIELD_HOUR: return " day to hour";
    case FIELD_DAY | FIELD_HOUR | FIELD_MINUTE: return " day to minute";
    case FIELD_DAY | FIELD_HOUR | FIELD_MINUTE | FIELD_SECOND: return " day to second";
    case FIELD_HOUR | FIELD_MINUTE: return " hour to minute";
    case FIELD_HOUR | FIELD_MINUTE | FIELD_SECOND: return " hour to second";
    case FIELD_MINUTE | FIELD_SECOND: return " minute to second";
    default: return "";
    }
}

static void deparse_typmods(StrBuf *buf, const AstList *typmods)
{
    if (typmods->count == 0)
        return;
    strbuf_append_char(buf, '(');
    sql_deparse_exprs(buf, typmods);
    strbuf_append_char(buf, ')');
}

static void deparse_interval(StrBuf *buf, const AstTypeName *type)
{
    strbuf_append_c(buf, "interval");
    if (type->typmods.count > 0 && type->typmods.items[0]->kind == AST_CONST)
        strbuf_append_c(buf, interval_fields(((AstConst *)type->typmods.items[0])->integer));
    if (type->typmods.count > 1) {
        strbuf_append_char(buf, '(');
        sql_deparse_expr(buf, type->typmods.items[1]);
        strbuf_append_char(buf, ')');
    }
}

/* The words of a type the grammar itself names; false if it is none. */
static bool deparse_system_type(StrBuf *buf, const AstTypeName *type)
{
    if (!str_is(type->name.schema, "pg_catalog") || type->name.catalog.ptr != NULL)
        return false;
    if (str_is(type->name.name, "interval")) {
        deparse_interval(buf, type);
        return true;
    }
    for (size_t i = 0; i < ARRAY_COUNT(type_words); i++) {
        if (!str_is(type->name.name, type_words[i].name))
            continue;
        if (type_words[i].needs_typmod && type->typmods.count == 0)
            return false;
        strbuf_append_c(buf, type_words[i].words);
        deparse_typmods(buf, &type->typmods);
        strbuf_append_c(buf, type_words[i].suffix);
        return true;
    }
    return false;
}

static void deparse_type_of_column(StrBuf *buf, const AstTypeName *type)
{
    for (uint32_t i = 0; i < type->type_path.count; i++) {
        if (i > 0)
            strbuf_append_char(buf, '.');
        sql_quote_identifier(buf, type->type_path.items[i]);
    }
    strbuf_append_c(buf, "%TYPE");
}

void sql_deparse_type(StrBuf *buf, const AstTypeName *type)
{
    if (type->setof)
        strbuf_append_c(buf, "SETOF ");
    if (type->of_column) {
        deparse_type_of_column(buf, type);
    } else if (!deparse_system_type(buf, type)) {
        sql_quote_name(buf, &type->name);
        deparse_typmods(buf, &type->typmods);
    }
    for (uint32_t i = 0; i < type->bounds.count; i++) {
        int32_t bound = ((const AstConst *)type->bounds.items[i])->integer;
        if (bound < 0)
            strbuf_append_c(buf, "[]");
        else
            strbuf_printf(buf, "[%d]", bound);
    }
}

// --- leaves ------------------------------------------------------------------------------------

static bool is_negative(const AstConst *constant)
{
    return (constant->kind == AST_CONST_INT && constant->integer < 0) ||
           (constant->kind == AST_CONST_FLOAT && constant->text.ptr[0] == '-');
}

static void deparse_const(StrBuf *buf, const AstConst *constant)
{
    switch (constant->kind) {
    case AST_CONST_NULL: strbuf_append_c(buf, "NULL"); break;
    case AST_CONST_BOOL: strbuf_append_c(buf, constant->boolean ? "true" : "false"); break;
    case AST_CONST_INT: strbuf_printf(buf, "%" PRId32, constant->integer); break;
    case AST_CONST_FLOAT: strbuf_append_str(buf, constant->text); break;
    case AST_CONST_STRING: sql_quote_literal(buf, constant->text); break;
    case AST_CONST_BITS:
        strbuf_append_char(buf, constant->text.ptr[0]);
        sql_quote_literal(buf, str_make(constant->text.ptr + 1, constant->text.len - 1));
        break;
    }
}

/* As an operand: a negative number in parentheses, since -1::int is -(1::int). */
static void deparse_operand(StrBuf *buf, const AstNode *expr)
{
    bool wrap = expr->kind == AST_CONST && is_negative((const AstConst *)expr);

    if (wrap)
        strbuf_append_char(buf, '(');
    sql_deparse_expr(buf, expr);
    if (wrap)
        strbuf_append_char(buf, ')');
}

static void deparse_wrapped(StrBuf *buf, const char *before, const AstNode *expr)
{
    strbuf_append_c(buf, before);
    strbuf_append_char(buf, '(');
    sql_deparse_expr(buf, expr);
    strbuf_append_char(buf, ')');
}

static void deparse_column_ref(StrBuf *buf, const AstColumnRef *ref)
{
    for (uint32_t i = 0; i < ref->path.count; i++) {
        if (i > 0)
            strbuf_append_char(buf, '.');
        sql_quote_identifier(buf, ref->path.items[i]);
    }
    if (ref->star)
        strbuf_append_c(buf, ref->path.count > 0 ? ".*" : "*");
}

static void deparse_subscript(StrBuf *buf, const AstSubscript *subscript)
{
    strbuf_append_char(buf, '[');
    if (subscript->lower != NULL)
        sql_deparse_expr(buf, subscript->lower);
    if (subscript->slice)
        strbuf_append_char(buf, ':');
    if (subscript->upper != NULL)
        sql_deparse_expr(buf, subscript->upper);
    strbuf_append_char(buf, ']');
}

void sql_deparse_indirection(StrBuf *buf, const AstList *steps)
{
    for (uint32_t i = 0; i < steps->count; i++) {
        const AstField *field = (const AstField *)steps->items[i];
        if (field->node.kind == AST_SUBSCRIPT) {
            deparse_subscript(buf, (const AstSubscript *)field);
            continue;
        }
        strbuf_append_char(buf, '.');
        if (field->star)
            strbuf_append_char(buf, '*');
        else
            sql_quote_identifier(buf, field->name);
    }
}

static void deparse_indirected(StrBuf *buf, const AstIndirection *indirection)
{
    bool plain = indirection->arg->kind == AST_COLUMN_REF && indirection->steps.count > 0 &&
                 indirection->steps.items[0]->kind == AST_SUBSCRIPT;

    if (plain)
        sql_deparse_expr(buf, indirection->arg);
    else
        deparse_wrapped(buf, "", indirection->arg);
    sql_deparse_indirection(buf, &indirection->steps);
}

static void deparse_sql_value(StrBuf *buf, const AstSqlValue *value)
{
    static const char *const words[] = {
        [AST_CURRENT_DATE] = "CURRENT_DATE",           [AST_CURRENT_TIME] = "CURRENT_TIME",
        [AST_CURRENT_TIMESTAMP] = "CURRENT_TIMESTAMP", [AST_LOCALTIME] = "LOCALTIME",
        [AST_LOCALTIMESTAMP] = "LOCALTIMESTAMP",       [AST_CURRENT_ROLE] = "CURRENT_ROLE",
        [AST_CURRENT_USER] = "CURRENT_USER",           [AST_USER] = "USER",
        [AST_SESSION_USER] = "SESSION_USER",           [AST_CURRENT_CATALOG] = "CURRENT_CATALOG",
        [AST_CURRENT_SCHEMA] = "CURRENT_SCHEMA",
    };
    strbuf_append_c(buf, words[value->kind]);
    if (value->precision >= 0)
        strbuf_printf(buf, "(%" PRId32 ")", value->precision);
}

// --- operators ---------------------------------------------------------------------------------

static void deparse_op_name(StrBuf *buf, const AstName *op)
{
    if (op->schema.ptr == NULL) {
        strbuf_append_str(buf, op->name);
        return;
    }
    strbuf_append_c(buf, "OPERATOR(");
    if (op->catalog.ptr != NULL) {
        sql_quote_identifier(buf, op->catalog);
        strbuf_append_char(buf, '.');
    }
    sql_quote_identifier(buf, op->schema);
    strbuf_append_char(buf, '.');
    strbuf_append_str(buf, op->name);
    strbuf_append_char(buf, ')');
}

static void deparse_op(StrBuf *buf, const AstOp *op)
{
    strbuf_append_char(buf, '(');
    if (op->left != NULL) {
        deparse_operand(buf, op->left);
        strbuf_append_char(buf, ' ');
    }
    deparse_op_name(buf, &op->op);
    strbuf_append_char(buf, ' ');
    deparse_operand(buf, op->right);
    strbuf_append_char(buf, ')');
}

static void deparse_op_any(StrBuf *buf, const AstOpAny *op)
{
    strbuf_append_char(buf, '(');
    deparse_operand(buf, op->left);
    strbuf_append_char(buf, ' ');
    deparse_op_name(buf, &op->op);
    deparse_wrapped(buf, op->all ? " ALL " : " ANY ", op->right);
    strbuf_append_char(buf, ')');
}

static void deparse_bool_expr(StrBuf *buf, const AstBoolExpr *expr)
{
    strbuf_append_char(buf, '(');
    if (expr->op == AST_NOT)
        strbuf_append_c(buf, "NOT ");
    for (uint32_t i = 0; i < expr->args.count; i++) {
        if (i > 0)
            strbuf_append_c(buf, expr->op == AST_AND ? " AND " : " OR ");
        sql_deparse_expr(buf, expr->args.items[i]);
    }
    strbuf_append_char(buf, ')');
}

static void deparse_infix(StrBuf *buf, const AstNode *left, const char *words, const AstNode *right)
{
    strbuf_append_char(buf, '(');
    deparse_operand(buf, left);
    strbuf_append_c(buf, words);
    deparse_operand(buf, right);
    strbuf_append_char(buf, ')');
}

static void deparse_postfix(StrBuf *buf, const AstNode *arg, const char *words)
{
    strbuf_append_char(buf, '(');
    deparse_operand(buf, arg);
    strbuf_append_c(buf, words);
    strbuf_append_char(buf, ')');
}

static void deparse_boolean_test(StrBuf *buf, const AstBooleanTest *test)
{
    static const char *const words[][2] = {
        [AST_TRUTH_TRUE] = {" IS TRUE", " IS NOT TRUE"},
        [AST_TRUTH_FALSE] = {" IS FALSE", " IS NOT FALSE"},
        [AST_TRUTH_UNKNOWN] = {" IS UNKNOWN", " IS NOT UNKNOWN"},
    };
    deparse_postfix(buf, test->arg, words[test->truth][test->negated]);
}

static void deparse_between(StrBuf *buf, const AstBetween *between)
{
    strbuf_append_char(buf, '(');
    deparse_operand(buf, between->arg);
    strbuf_append_c(buf, between->negated ? " NOT BETWEEN " : " BETWEEN ");
    if (between->symmetric)
        strbuf_append_c(buf, "SYMMETRIC ");
    deparse_operand(buf, between->low);
    strbuf_append_c(buf, " AND ");
    deparse_operand(buf, between->high);
    strbuf_append_char(buf, ')');
}

static void deparse_in_list(StrBuf *buf, const AstInList *in)
{
    strbuf_append_char(buf, '(');
    deparse_operand(buf, in->arg);
    strbuf_append_c(buf, in->negated ? " NOT IN (" : " IN (");
    sql_deparse_exprs(buf, &in->items);
    strbuf_append_c(buf, "))");
}

static void deparse_like(StrBuf *buf, const AstLike *like)
{
    static const char *const words[][2] = {
        [AST_LIKE_LIKE] = {" LIKE ", " NOT LIKE "},
        [AST_LIKE_ILIKE] = {" ILIKE ", " NOT ILIKE "},
        [AST_LIKE_SIMILAR] = {" SIMILAR TO ", " NOT SIMILAR TO "},
    };
    strbuf_append_char(buf, '(');
    deparse_operand(buf, like->arg);
    strbuf_append_c(buf, words[like->kind][like->negated]);
    deparse_operand(buf, like->pattern);
    if (like->escape != NULL) {
        strbuf_append_c(buf, " ESCAPE ");
        deparse_operand(buf, like->escape);
    }
    strbuf_append_char(buf, ')');
}

static void deparse_case(StrBuf *buf, const AstCase *expr)
{
    strbuf_append_c(buf, "CASE");
    if (expr->arg != NULL) {
        strbuf_append_char(buf, ' ');
        sql_deparse_expr(buf, expr->arg);
    }
    for (uint32_t i = 0; i < expr->whens.count; i++) {
        const AstCaseWhen *when = (const AstCaseWhen *)expr->whens.items[i];
        strbuf_append_c(buf, " WHEN ");
        sql_deparse_expr(buf, when->condition);
        strbuf_append_c(buf, " THEN ");
        sql_deparse_expr(buf, when->result);
    }
    if (expr->otherwise != NULL) {
        strbuf_append_c(buf, " ELSE ");
        sql_deparse_expr(buf, expr->otherwise);
    }
    strbuf_append_c(buf, " END");
}

static void deparse_cast(StrBuf *buf, const AstCast *cast)
{
    const AstConst *constant = (const AstConst *)cast->arg;

    if (cast->arg->kind == AST_CONST && !is_negative(constant))
        deparse_const(buf, constant);
    else
        deparse_wrapped(buf, "", cast->arg);
    strbuf_append_c(buf, "::");
    sql_deparse_type(buf, cast->type);
}

static void deparse_collate(StrBuf *buf, const AstCollate *collate)
{
    strbuf_append_char(buf, '(');
    deparse_operand(buf, collate->arg);
    strbuf_append_c(buf, " COLLATE ");
    sql_quote_name(buf, &collate->collation);
    strbuf_append_char(buf, ')');
}

static void deparse_list_of(StrBuf *buf, const char *open, const AstList *args, const char *close)
{
    strbuf_append_c(buf, open);
    sql_deparse_exprs(buf, args);
    strbuf_append_c(buf, close);
}

static void deparse_sublink(StrBuf *buf, const AstSublink *link)
{
    bool test = link->kind == AST_SUBLINK_ANY || link->kind == AST_SUBLINK_ALL;
    bool outer = test || link->kind == AST_SUBLINK_EXISTS;

    if (outer)
        strbuf_append_char(buf, '(');
    if (test) {
        deparse_operand(buf, link->test);
        strbuf_append_char(buf, ' ');
    }
    if (test && link->op.name.ptr == NULL) {
        strbuf_append_c(buf, "IN ");
    } else if (test) {
        deparse_op_name(buf, &link->op);
        strbuf_append_c(buf, link->kind == AST_SUBLINK_ANY ? " ANY " : " ALL ");
    } else if (link->kind == AST_SUBLINK_EXISTS) {
        strbuf_append_c(buf, "EXISTS ");
    } else if (link->kind == AST_SUBLINK_ARRAY) {
        strbuf_append_c(buf, "ARRAY");
    }
    strbuf_append_char(buf, '(');
    sql_deparse_query(buf, link->query);
    strbuf_append_char(buf, ')');
    if (outer)
        strbuf_append_char(buf, ')');
}

// --- functions ---------------------------------------------------------------------------------

static void deparse_extract(StrBuf *buf, const AstList *args)
{
    const AstConst *field = (const AstConst *)args->items[0];

    strbuf_append_c(buf, "EXTRACT(");
    if (field->node.kind == AST_CONST && is_plain_identifier(field->text))
        strbuf_append_str(buf, field->text);
    else
        sql_deparse_expr(buf, &field->node);
    strbuf_append_c(buf, " FROM ");
    sql_deparse_expr(buf, args->items[1]);
    strbuf_append_char(buf, ')');
}

/* name(args[0] word1 args[1] word2 args[2] ...). */
static void deparse_with_words(StrBuf *buf, const char *name, const char *const *words,
                               const AstList *args)
{
    strbuf_append_c(buf, name);
    strbuf_append_char(buf, '(');
    for (uint32_t i = 0; i < args->count; i++) {
        if (i > 0)
            strbuf_append_c(buf, words[i - 1]);
        deparse_operand(buf, args->items[i]);
    }
    strbuf_append_char(buf, ')');
}

static void deparse_trim(StrBuf *buf, const char *side, const AstList *args)
{
    strbuf_append_c(buf, "TRIM(");
    strbuf_append_c(buf, side);
    if (args->count > 1) {
        strbuf_append_char(buf, ' ');
        sql_deparse_expr(buf, args->items[1]);
    }
    strbuf_append_c(buf, " FROM ");
    sql_deparse_expr(buf, args->items[0]);
    strbuf_append_char(buf, ')');
}

static void deparse_overlaps(StrBuf *buf, const AstList *args)
{
    for (uint32_t i = 0; i < args->count; i++) {
        static const char *const before[] = {"((", ", ", ") OVERLAPS (", ", "};
        strbuf_append_c(buf, before[i]);
        sql_deparse_expr(buf, args->items[i]);
    }
    strbuf_append_c(buf, "))");
}

static bool deparse_trim_call(StrBuf *buf, Str name, const AstList *args)
{
    static const char *const sides[][2] = {
        {"btrim", "BOTH"}, {"ltrim", "LEADING"}, {"rtrim", "TRAILING"}};

    for (size_t i = 0; i < ARRAY_COUNT(sides) && (args->count == 1 || args->count == 2); i++) {
        if (str_is(name, sides[i][0])) {
            deparse_trim(buf, sides[i][1], args);
            return true;
        }
    }
    return false;
}

/* SQL's own syntax for some functions; false: print it as a plain call. */
static bool deparse_sql_syntax(StrBuf *buf, const AstFuncCall *call)
{
    static const char *const substring_words[] = {" FROM ", " FOR "};
    static const char *const overlay_words[] = {" PLACING ", " FROM ", " FOR "};
    Str name = call->name.name;
    const AstList *args = &call->args;

    if (str_is(name, "extract") && args->count == 2)
        deparse_extract(buf, args);
    else if (str_is(name, "timezone") && args->count == 2)
        deparse_infix(buf, args->items[1], " AT TIME ZONE ", args->items[0]);
    else if (str_is(name, "position") && args->count == 2) {
        deparse_wrapped(buf, "POSITION(", args->items[1]);
        deparse_wrapped(buf, " IN ", args->items[0]);
        strbuf_append_char(buf, ')');
    } else if (str_is(name, "substring") && (args->count == 2 || args->count == 3))
        deparse_with_words(buf, "SUBSTRING", substring_words, args);
    else if (str_is(name, "overlay") && (args->count == 3 || args->count == 4))
        deparse_with_words(buf, "OVERLAY", overlay_words, args);
    else if (str_is(name, "overlaps") && args->count == 4)
        deparse_overlaps(buf, args);
    else if (str_is(name, "pg_collation_for") && args->count == 1)
        deparse_wrapped(buf, "COLLATION FOR ", args->items[0]);
    else
        return deparse_trim_call(buf, name, args);
    return true;
}

static void deparse_call_args(StrBuf *buf, const AstFuncCall *call)
{
    strbuf_append_char(buf, '(');
    if (call->star)
        strbuf_append_char(buf, '*');
    if (call->distinct)
        strbuf_append_c(buf, "DISTINCT ");
    for (uint32_t i = 0; i < call->args.count; i++) {
        if (i > 0)
            strbuf_append_c(buf, ", ");
        if (call->variadic && i == call->args.count - 1)
            strbuf_append_c(buf, "VARIADIC ");
        sql_deparse_expr(buf, call->args.items[i]);
    }
    if (call->order.count > 0 && !call->within_group) {
        strbuf_append_c(buf, " ORDER BY ");
        sql_deparse_sort_keys(buf, &call->order);
    }
    strbuf_append_char(buf, ')');
}

static void deparse_func_call(StrBuf *buf, const AstFuncCall *call)
{
    if (call->sql_syntax && deparse_sql_syntax(buf, call))
        return;
    sql_quote_name(buf, &call->name);
    deparse_call_args(buf, call);
    if (call->within_group) {
        strbuf_append_c(buf, " WITHIN GROUP (ORDER BY ");
        sql_deparse_sort_keys(buf, &call->order);
        strbuf_append_char(buf, ')');
    }
    if (call->filter != NULL) {
        strbuf_append_c(buf, " FILTER (WHERE ");
        sql_deparse_expr(buf, call->filter);
        strbuf_append_char(buf, ')');
    }
    if (call->over == NULL)
        return;
    strbuf_append_c(buf, " OVER ");
    if (call->over->name.ptr != NULL)
        sql_quote_identifier(buf, call->over->name);
    else
        sql_deparse_window(buf, call->over);
}

static void deparse_named_arg(StrBuf *buf, const AstNamedArg *named)
{
    sql_quote_identifier(buf, named->name);
    strbuf_append_c(buf, " => ");
    sql_deparse_expr(buf, named->arg);
}

// --- ORDER BY, windows -------------------------------------------------------------------------

void sql_deparse_sort_keys(StrBuf *buf, const AstList *keys)
{
    static const char *const nulls[] = {
        [AST_NULLS_DEFAULT] = "",
        [AST_NULLS_FIRST] = " NULLS FIRST",
        [AST_NULLS_LAST] = " NULLS LAST",
    };

    for (uint32_t i = 0; i < keys->count; i++) {
        const AstSortKey *key = (const AstSortKey *)keys->items[i];
        if (i > 0)
            strbuf_append_c(buf, ", ");
        sql_deparse_expr(buf, key->expr);
        if (key->order == AST_SORT_USING) {
            strbuf_append_c(buf, " USING ");
            deparse_op_name(buf, &key->using_op);
        } else if (key->order != AST_SORT_DEFAULT) {
            strbuf_append_c(buf, key->order == AST_SORT_DESC ? " DESC" : " ASC");
        }
        strbuf_append_c(buf, nulls[key->nulls]);
    }
}

static void deparse_frame_bound(StrBuf *buf, AstFrameBound bound, const AstNode *offset)
{
    static const char *const words[] = {
        [AST_BOUND_UNBOUNDED_PRECEDING] = "UNBOUNDED PRECEDING",
        [AST_BOUND_OFFSET_PRECEDING] = " PRECEDING",
        [AST_BOUND_CURRENT_ROW] = "CURRENT ROW",
        [AST_BOUND_OFFSET_FOLLOWING] = " FOLLOWING",
        [AST_BOUND_UNBOUNDED_FOLLOWING] = "UNBOUNDED FOLLOWING",
    };
    if (offset != NULL)
        sql_deparse_expr(buf, offset);
    strbuf_append_c(buf, words[bound]);
}

static void deparse_frame(StrBuf *buf, const AstWindowDef *window)
{
    static const char *const modes[] = {
        [AST_FRAME_RANGE] = " RANGE", [AST_FRAME_ROWS] = " ROWS", [AST_FRAME_GROUPS] = " GROUPS"};
    static const char *const excludes[] = {
        [AST_EXCLUDE_NONE] = "",
        [AST_EXCLUDE_CURRENT_ROW] = " EXCLUDE CURRENT ROW",
        [AST_EXCLUDE_GROUP] = " EXCLUDE GROUP",
        [AST_EXCLUDE_TIES] = " EXCLUDE TIES",
    };
    strbuf_append_c(buf, modes[window->mode]);
    strbuf_append_c(buf, " BETWEEN ");
    deparse_frame_bound(buf, window->start, window->start_offset);
    strbuf_append_c(buf, " AND ");
    deparse_frame_bound(buf, window->end, window->end_offset);
    strbuf_append_c(buf, excludes[window->exclude]);
}

void sql_deparse_window(StrBuf *buf, const AstWindowDef *window)
{
    const char *blank = "";

    strbuf_append_char(buf, '(');
    if (window->base.ptr != NULL) {
        sql_quote_identifier(buf, window->base);
        blank = " ";
    }
    if (window->partition.count > 0) {
        strbuf_append_c(buf, blank);
        deparse_list_of(buf, "PARTITION BY ", &window->partition, "");
        blank = " ";
    }
    if (window->order.count > 0) {
        strbuf_append_c(buf, blank);
        strbuf_append_c(buf, "ORDER BY ");
        sql_deparse_sort_keys(buf, &window->order);
    }
    if (window->frame_given)
        deparse_frame(buf, window);
    strbuf_append_char(buf, ')');
}

// --- all of them -------------------------------------------------------------------------------

static void deparse_constructor(StrBuf *buf, const AstNode *expr)
{
    switch (expr->kind) {
    case AST_COALESCE:
        deparse_list_of(buf, "COALESCE(", &((const AstCoalesce *)expr)->args, ")");
        break;
    case AST_MIN_MAX: {
        const AstMinMax *extreme = (const AstMinMax *)expr;
        deparse_list_of(buf, extreme->least ? "LEAST(" : "GREATEST(", &extreme->args, ")");
        break;
    }
    case AST_ROW: {
        const AstRow *row = (const AstRow *)expr;
        deparse_list_of(buf, row->row_word ? "ROW(" : "(", &row->args, ")");
        break;
    }
    case AST_ARRAY: deparse_list_of(buf, "ARRAY[", &((const AstArray *)expr)->elements, "]"); break;
    case AST_GROUPING:
        deparse_list_of(buf, "GROUPING(", &((const AstGrouping *)expr)->args, ")");
        break;
    case AST_NULLIF: {
        const AstNullIf *nullif = (const AstNullIf *)expr;
        strbuf_append_c(buf, "NULLIF(");
        sql_deparse_expr(buf, nullif->left);
        strbuf_append_c(buf, ", ");
        sql_deparse_expr(buf, nullif->right);
        strbuf_append_char(buf, ')');
        break;
    }
    case AST_DEFAULT: strbuf_append_c(buf, "DEFAULT"); break;
    case AST_CURRENT_OF:
        strbuf_append_c(buf, "CURRENT OF ");
        sql_quote_identifier(buf, ((const AstCurrentOf *)expr)->cursor);
        break;
    default: ASSERT(!"an expression that can be printed");
    }
}

static void deparse_test(StrBuf *buf, const AstNode *expr)
{
    switch (expr->kind) {
    case AST_NULL_TEST: {
        const AstNullTest *test = (const AstNullTest *)expr;
        deparse_postfix(buf, test->arg, test->negated ? " IS NOT NULL" : " IS NULL");
        break;
    }
    case AST_BOOLEAN_TEST: deparse_boolean_test(buf, (const AstBooleanTest *)expr); break;
    case AST_DISTINCT_FROM: {
        const AstDistinctFrom *test = (const AstDistinctFrom *)expr;
        deparse_infix(buf, test->left,
                      test->negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ", test->right);
        break;
    }
    case AST_BETWEEN: deparse_between(buf, (const AstBetween *)expr); break;
    case AST_IN_LIST: deparse_in_list(buf, (const AstInList *)expr); break;
    case AST_LIKE: deparse_like(buf, (const AstLike *)expr); break;
    default: deparse_constructor(buf, expr);
    }
}

void sql_deparse_expr(StrBuf *buf, const AstNode *expr)
{
    switch (expr->kind) {
    case AST_CONST: deparse_const(buf, (const AstConst *)expr); break;
    case AST_PARAM: strbuf_printf(buf, "$%" PRId32, ((const AstParam *)expr)->number); break;
    case AST_COLUMN_REF: deparse_column_ref(buf, (const AstColumnRef *)expr); break;
    case AST_INDIRECTION: deparse_indirected(buf, (const AstIndirection *)expr); break;
    case AST_FUNC_CALL: deparse_func_call(buf, (const AstFuncCall *)expr); break;
    case AST_NAMED_ARG: deparse_named_arg(buf, (const AstNamedArg *)expr); break;
    case AST_OP: deparse_op(buf, (const AstOp *)expr); break;
    case AST_OP_ANY: deparse_op_any(buf, (const AstOpAny *)expr); break;
    case AST_BOOL_EXPR: deparse_bool_expr(buf, (const AstBoolExpr *)expr); break;
    case AST_CASE: deparse_case(buf, (const AstCase *)expr); break;
    case AST_CAST: deparse_cast(buf, (const AstCast *)expr); break;
    case AST_COLLATE: deparse_collate(buf, (const AstCollate *)expr); break;
    case AST_SUBLINK: deparse_sublink(buf, (const AstSublink *)expr); break;
    case AST_SQL_VALUE: deparse_sql_value(buf, (const AstSqlValue *)expr); break;
    case AST_TYPE_NAME: sql_deparse_type(buf, (const AstTypeName *)expr); break;
    default: deparse_test(buf, expr); break;
    }
}
