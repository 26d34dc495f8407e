// SPDX-License-Identifier: Apache-2.0
//
// Function calls: found by PostgreSQL's rules (chapter 10.3) with defaults, VARIADIC and
// polymorphic arguments; a call in the form of a type's name is a cast.
#include "sql/bind/expr/expr_int.h"

#define CALL_ARGS_MAX 100

/* A call's bound arguments, and what the syntax said. */
typedef struct Call {
    Str schema; /* as written, for messages */
    Str name;
    Expr **args;
    uint32_t args_count;
    bool variadic; /* the last argument is written VARIADIC */
    int32_t location;
} Call;

// --- errors ------------------------------------------------------------------------------------

static const char *signature(Binder *b, const Call *call)
{
    StrBuf buf;

    strbuf_init(&buf);
    if (call->schema.ptr)
        strbuf_printf(&buf, "%.*s.", STR_ARGS(call->schema));
    strbuf_append_str(&buf, call->name);
    strbuf_append_char(&buf, '(');
    for (uint32_t i = 0; i < call->args_count; i++) {
        if (i > 0)
            strbuf_append_c(&buf, ", ");
        strbuf_append_c(&buf, bind_type_name(b, call->args[i]->type.oid));
    }
    strbuf_append_char(&buf, ')');
    char *text = scope_strndup(b->scope, buf.ptr, buf.len);
    strbuf_free(&buf);
    return text;
}

static Status no_function(Binder *b, const Call *call, bool ambiguous)
{
    Status st;

    if (ambiguous) {
        st = error_raise(b->ctx, E_AMBIGUOUS_FUNCTION, "function %s is not unique",
                         signature(b, call));
        error_hint(b->ctx, "Could not choose a best candidate function. You might need to add "
                           "explicit type casts.");
    } else {
        st = error_raise(b->ctx, E_UNDEFINED_FUNCTION, "function %s does not exist",
                         signature(b, call));
        error_hint(b->ctx, "No function matches the given name and argument types. You might need "
                           "to add explicit type casts.");
    }
    return bind_at(b, call->location, st);
}

// --- choice ------------------------------------------------------------------------------------

/* True if the function takes that many arguments, written that way. */
static bool takes_count(const FuncInfo *info, const Call *call)
{
    uint32_t fixed = info->args_count, given = call->args_count;

    if (info->variadic != OID_INVALID)
        return call->variadic ? given == fixed + 1 : given > fixed;
    return !call->variadic && given <= fixed && given + info->defaults_count >= fixed;
}

/* The declared types of the call's arguments; NULL if their number does not fit. A VARIADIC tail is
   spelled out unless the caller passes an array. */
static const Oid *declared_types(Binder *b, const FuncInfo *info, const Call *call)
{
    uint32_t fixed = info->args_count;

    if (!takes_count(info, call))
        return NULL;
    if (call->args_count <= fixed)
        return info->args;
    Oid *types = scope_new_array(b->scope, Oid, call->args_count);
    Oid tail = info->variadic;
    if (call->variadic && tail != OID_ANY)
        tail = tail == OID_ANYELEMENT ? (Oid)OID_ANYARRAY : type_info(tail)->array;
    memcpy(types, info->args, fixed * sizeof *types);
    for (uint32_t i = fixed; i < call->args_count; i++)
        types[i] = tail;
    return types;
}

static bool same_types(const Oid *declared, const Oid *inputs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (declared[i] != inputs[i])
            return false;
    }
    return true;
}

/* Keeps the candidates for which `fits` holds, all if it holds for none. */
static uint32_t keep(Candidate *candidates, uint32_t count,
                     bool (*fits)(const FuncInfo *info, uint32_t args_count))
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (fits(candidates[i].ref, candidates[i].args_count)) {
            Candidate swap = candidates[kept];
            candidates[kept++] = candidates[i];
            candidates[i] = swap;
        }
    }
    return kept > 0 ? kept : count;
}

static bool has_no_tail(const FuncInfo *info, uint32_t args_count UNUSED)
{
    return info->variadic == OID_INVALID;
}

static bool uses_no_default(const FuncInfo *info, uint32_t args_count)
{
    return info->args_count <= args_count;
}

static Status choose(Binder *b, const Call *call, const FuncInfo **out, const Oid **declared)
{
    Status st = OK;
    Oid inputs[CALL_ARGS_MAX];
    uint32_t all_count, count = 0;
    const FuncInfo *const *all = func_overloads(call->name, &all_count);
    Candidate *candidates = scope_new_array(b->scope, Candidate, all_count + 1);

    for (uint32_t i = 0; i < call->args_count; i++)
        inputs[i] = call->args[i]->type.oid;
    *out = NULL;
    for (uint32_t i = 0; i < all_count; i++) {
        const Oid *types = declared_types(b, all[i], call);
        if (types == NULL)
            continue;
        if (all[i]->args_count == call->args_count && same_types(types, inputs, call->args_count)) {
            *out = all[i];
            *declared = types;
            goto done;
        }
        candidates[count++] =
            (Candidate){.args = types, .args_count = call->args_count, .ref = all[i]};
    }
    count = overload_select(inputs, call->args_count, candidates, count);
    if (count > 1)
        count = keep(candidates, count, has_no_tail);
    if (count > 1)
        count = keep(candidates, count, uses_no_default);
    if (count > 1)
        TRY(no_function(b, call, true));
    if (count == 1) {
        *out = candidates[0].ref;
        *declared = candidates[0].args;
    }
done:
    return st;
}

// --- the call ----------------------------------------------------------------------------------

static Status coerce_arg(Binder *b, const FuncInfo *info, Oid declared, Expr **arg)
{
    Status st = OK;
    Oid from = (*arg)->type.oid;

    if (declared == OID_ANY || declared == OID_INVALID)
        goto done;
    if (from == OID_VARCHAR && declared == OID_TEXT)
        goto done;
    TRY(bind_coerce(b, *arg, sql_type(declared), CAST_IMPLICIT, (*arg)->location, arg));
    if (declared == OID_NUMERIC && info->derive == NULL)
        TRY(bind_plain_numeric(b, arg));
done:
    return st;
}

static Status coerce_args(Binder *b, const Call *call, const FuncInfo *info, const Oid *declared,
                          PolyTypes *poly)
{
    Status st = OK;
    Oid inputs[CALL_ARGS_MAX];

    for (uint32_t i = 0; i < call->args_count; i++)
        inputs[i] = call->args[i]->type.oid;
    if (!overload_polymorphic(declared, inputs, call->args_count, poly))
        TRY(no_function(b, call, false));
    if (poly->used && poly->element == OID_INVALID)
        BIND_FAIL(b, call->location, E_DATATYPE_MISMATCH,
                  "could not determine polymorphic type because input has type unknown");
    for (uint32_t i = 0; i < call->args_count; i++)
        TRY(coerce_arg(b, info, overload_actual(declared[i], poly), &call->args[i]));
done:
    return st;
}

static SqlType result_type(Binder *b, const Call *call, const FuncInfo *info, const PolyTypes *poly)
{
    SqlType declared = sql_type(overload_actual(info->result, poly));
    if (info->derive == NULL)
        return declared;
    SqlType *types = scope_new_array(b->scope, SqlType, call->args_count + 1);
    for (uint32_t i = 0; i < call->args_count; i++)
        types[i] = call->args[i]->type;
    SqlType derived = info->derive(types, call->args_count);
    return derived.oid == declared.oid || declared.oid == OID_INVALID ? derived : declared;
}

/* Volatile functions that change nothing: a statement that calls others writes. */
static bool only_reads(const FuncInfo *info)
{
    static const char *const harmless[] = {
        "random",          "clock_timestamp", "timeofday",
        "gen_random_uuid", "currval",         "lastval",
        "pg_sleep",        "current_setting", "pg_stat_get_snapshot_timestamp"};

    if (info->volatility != VOLATILE)
        return true;
    for (uint32_t i = 0; i < ARRAY_COUNT(harmless); i++) {
        if (strcmp(info->name, harmless[i]) == 0)
            return true;
    }
    return false;
}

static Status make_call(Binder *b, Level *level, const Call *call, const FuncInfo *info,
                        const Oid *declared, Expr **out)
{
    Status st = OK;
    PolyTypes poly;

    if (call->variadic && info->variadic == OID_ANY)
        TRY(bind_unsupported(b, call->location, "VARIADIC arrays of any type are"));
    TRY(coerce_args(b, call, info, declared, &poly));
    Expr *expr = expr_new(b->scope, EXPR_FUNC, result_type(b, call, info, &poly), call->args_count);
    if (call->args_count > 0)
        memcpy(expr->args, call->args, call->args_count * sizeof *call->args);
    expr->func.info = info;
    expr->location = call->location;
    if (!only_reads(info))
        b->writes = true;
    if (info->set)
        TRY(bind_set_call(b, level, expr, call->location, out));
    else
        *out = bind_fold(b, expr);
done:
    return st;
}

/* int4('7'), text(x): PostgreSQL takes a function named as a type for a cast to it. */
static Status call_as_cast(Binder *b, const Call *call, Expr **out)
{
    const TypeInfo *type = type_by_name(call->name);

    *out = NULL;
    if (call->args_count != 1 || call->variadic || type == NULL ||
        !str_is(call->name, type->name) || type->category == 'P' ||
        !bind_can_coerce(call->args[0]->type.oid, type->oid, CAST_EXPLICIT))
        return OK;
    return bind_coerce(b, call->args[0], sql_type(type->oid), CAST_EXPLICIT, call->location, out);
}

static Status bind_bound_call(Binder *b, Level *level, const Call *call, Expr **out)
{
    Status st = OK;
    const FuncInfo *info;
    const Oid *declared;

    if (call->args_count > CALL_ARGS_MAX)
        BIND_FAIL(b, call->location, E_TOO_MANY_ARGUMENTS,
                  "cannot pass more than %d arguments to a function", CALL_ARGS_MAX);
    TRY(choose(b, call, &info, &declared));
    if (info != NULL) {
        TRY(make_call(b, level, call, info, declared, out));
        goto done;
    }
    TRY(call_as_cast(b, call, out));
    if (*out == NULL)
        TRY(no_function(b, call, false));
done:
    return st;
}

Status bind_call(Binder *b, Str name, Expr **args, uint32_t args_count, int32_t location,
                 Expr **out)
{
    Call call = {.name = name, .args = args, .args_count = args_count, .location = location};

    return bind_bound_call(b, NULL, &call, out);
}

// --- as written --------------------------------------------------------------------------------

static Status check_plain_call(Binder *b, const AstFuncCall *ast)
{
    Status st = OK;
    int32_t location = ast->node.location;
    Str name = ast->name.name;

    if (ast->star)
        BIND_FAIL(b, location, E_WRONG_OBJECT_TYPE,
                  "%.*s(*) specified, but %.*s is not an aggregate function", STR_ARGS(name),
                  STR_ARGS(name));
    if (ast->distinct)
        BIND_FAIL(b, location, E_WRONG_OBJECT_TYPE,
                  "DISTINCT specified, but %.*s is not an aggregate function", STR_ARGS(name));
    if (ast->order.count > 0)
        BIND_FAIL(b, location, E_WRONG_OBJECT_TYPE,
                  "ORDER BY specified, but %.*s is not an aggregate function", STR_ARGS(name));
    if (ast->filter)
        BIND_FAIL(b, location, E_WRONG_OBJECT_TYPE,
                  "FILTER specified, but %.*s is not an aggregate function", STR_ARGS(name));
done:
    return st;
}

static bool is_window_function(Str name)
{
    static const char *const names[] = {"row_number",  "rank",       "dense_rank", "percent_rank",
                                        "cume_dist",   "ntile",      "lag",        "lead",
                                        "first_value", "last_value", "nth_value"};

    for (uint32_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (str_is(name, names[i]))
            return true;
    }
    return false;
}

static Status check_window(Binder *b, const AstFuncCall *ast)
{
    Status st = OK;

    if (ast->over)
        TRY(bind_unsupported(b, ast->node.location, "window functions are"));
    if (ast->within_group)
        TRY(bind_unsupported(b, ast->node.location, "ordered-set aggregates are"));
    if (is_window_function(ast->name.name))
        BIND_FAIL(b, ast->node.location, E_WRONG_OBJECT_TYPE,
                  "window function %.*s requires an OVER clause", STR_ARGS(ast->name.name));
done:
    return st;
}

// --- named arguments ---------------------------------------------------------------------------

/* Functions whose arguments have names worth writing; one left out is 0. */
static const struct {
    const char *function;
    const char *args[7];
} named_functions[] = {
    {"make_interval", {"years", "months", "weeks", "days", "hours", "mins", "secs"}},
    {"make_date", {"year", "month", "day"}},
    {"make_time", {"hour", "min", "sec"}},
    {"make_timestamp", {"year", "month", "mday", "hour", "min", "sec"}},
    {"make_timestamptz", {"year", "month", "mday", "hour", "min", "sec", "timezone"}},
};

static Status unknown_argument(Binder *b, const AstNamedArg *arg)
{
    return bind_unsupported(
        b, arg->node.location,
        scope_printf(b->scope, "the named argument \"%.*s\" is", STR_ARGS(arg->name)));
}

static Status find_argument(Binder *b, Str function, const AstNamedArg *arg, uint32_t *out)
{
    for (uint32_t i = 0; i < ARRAY_COUNT(named_functions); i++) {
        if (!str_is(function, named_functions[i].function))
            continue;
        for (*out = 0; *out < 7 && named_functions[i].args[*out]; ++*out) {
            if (str_is(arg->name, named_functions[i].args[*out]))
                return OK;
        }
    }
    return unknown_argument(b, arg);
}

/* The arguments in the function's order; what lies between them and is not given is 0. */
static Status bind_args(Binder *b, Level *level, const AstFuncCall *ast, Call *call)
{
    Status st = OK;

    call->args = scope_new_array(b->scope, Expr *, MAX(ast->args.count, 7) + 1);
    for (uint32_t i = 0; i < ast->args.count; i++) {
        const AstNode *arg = ast->args.items[i];
        uint32_t at = i;
        if (ast_is(arg, AST_NAMED_ARG)) {
            TRY(find_argument(b, call->name, (const AstNamedArg *)arg, &at));
            arg = ((const AstNamedArg *)arg)->arg;
        }
        if (call->args[at] != NULL)
            BIND_FAIL(b, arg->location, E_SYNTAX, "an argument is given more than once");
        TRY(bind_expr(b, level, arg, &call->args[at]));
        call->args_count = MAX(call->args_count, at + 1);
    }
    for (uint32_t i = 0; i < call->args_count; i++) {
        if (call->args[i] == NULL)
            call->args[i] = bind_int4(b, 0);
    }
done:
    return st;
}

// --- a call ------------------------------------------------------------------------------------

/* Only pg_catalog holds functions. */
static Status check_schema(Binder *b, const Call *call)
{
    if (call->schema.ptr == NULL || str_is(call->schema, "pg_catalog"))
        return OK;
    if (catalog_schema(b->env->catalog, call->schema) != NULL)
        return no_function(b, call, false);
    return bind_at(b, call->location,
                   error_raise(b->ctx, E_INVALID_SCHEMA_NAME, "schema \"%.*s\" does not exist",
                               STR_ARGS(call->schema)));
}

Status bind_func_call(Binder *b, Level *level, const AstFuncCall *ast, Expr **out)
{
    Status st = OK;
    Str schema = ast->name.schema;
    uint32_t aggs_count;
    Call call = {.schema = schema,
                 .name = ast->name.name,
                 .variadic = ast->variadic,
                 .location = ast->node.location};

    agg_overloads(ast->name.name, &aggs_count);
    if (aggs_count > 0 && (schema.ptr == NULL || str_is(schema, "pg_catalog")))
        return bind_aggregate(b, level, ast, out);
    TRY(check_window(b, ast));
    TRY(bind_args(b, level, ast, &call));
    TRY(check_schema(b, &call));
    TRY(bind_bound_call(b, level, &call, out));
    TRY(check_plain_call(b, ast));
done:
    return st;
}

// --- CURRENT_DATE and its like -----------------------------------------------------------------

static Status now_as(Binder *b, Oid type, const AstSqlValue *ast, Expr **out)
{
    Status st = OK;
    SqlType target = {type, ast->precision};

    TRY(bind_call(b, STR("now"), NULL, 0, ast->node.location, out));
    TRY(bind_coerce(b, *out, target, CAST_EXPLICIT, ast->node.location, out));
done:
    return st;
}

Status bind_sql_value(Binder *b, const AstSqlValue *ast, Expr **out)
{
    Str name = {0};

    switch (ast->kind) {
    case AST_CURRENT_DATE: return now_as(b, OID_DATE, ast, out);
    case AST_CURRENT_TIMESTAMP: return now_as(b, OID_TIMESTAMPTZ, ast, out);
    case AST_LOCALTIMESTAMP: return now_as(b, OID_TIMESTAMP, ast, out);
    case AST_LOCALTIME: return now_as(b, OID_TIME, ast, out);
    case AST_CURRENT_TIME: return bind_unsupported(b, ast->node.location, "time with time zone is");
    case AST_CURRENT_ROLE:
    case AST_CURRENT_USER:
    case AST_USER: name = STR("current_user"); break;
    case AST_SESSION_USER: name = STR("session_user"); break;
    case AST_CURRENT_CATALOG: name = STR("current_database"); break;
    case AST_CURRENT_SCHEMA: name = STR("current_schema"); break;
    }
    return bind_call(b, name, NULL, 0, ast->node.location, out);
}
