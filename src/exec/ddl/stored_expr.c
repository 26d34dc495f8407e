// SPDX-License-Identifier: Apache-2.0
//
// Expressions that the catalog keeps as text: defaults, CHECKs, expressions and predicates of
// indexes. They are checked as they were written, then stored in a form that outlives renames of
// tables and sequences: columns without their table, sequences by oid. A rename of a column
// rewrites the texts of its table. One thread.
#include "exec/ddl/ddl_int.h"
#include "sql/deparse.h"
#include "sql/ident.h"
#include "sql/parse/parse.h"

#include <stdlib.h>

// --- walking ------------------------------------------------------------------------------------

typedef struct Walk {
    void (*visit)(void *arg, AstNode *node);
    void *arg;
} Walk;

static void walk(const Walk *w, AstNode *node);

static void walk_list(const Walk *w, const AstList *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        walk(w, list->items[i]);
}

static void walk_call(const Walk *w, AstFuncCall *call)
{
    walk_list(w, &call->args);
    walk_list(w, &call->order);
    walk(w, call->filter);
    if (call->over) {
        walk_list(w, &call->over->partition);
        walk_list(w, &call->over->order);
    }
}

static void walk_indirection(const Walk *w, AstIndirection *node)
{
    walk(w, node->arg);
    for (uint32_t i = 0; i < node->steps.count; i++) {
        AstSubscript *step = (AstSubscript *)node->steps.items[i];
        if (step->node.kind != AST_SUBSCRIPT)
            continue;
        walk(w, step->lower);
        walk(w, step->upper);
    }
}

static void walk_two(const Walk *w, AstNode *left, AstNode *right)
{
    walk(w, left);
    walk(w, right);
}

static void walk_three(const Walk *w, AstNode *a, AstNode *b, AstNode *c)
{
    walk_two(w, a, b);
    walk(w, c);
}

/* The kinds with several arguments of their own. */
static void walk_many(const Walk *w, AstNode *node)
{
    switch (node->kind) {
    case AST_INDIRECTION: walk_indirection(w, (AstIndirection *)node); break;
    case AST_FUNC_CALL: walk_call(w, (AstFuncCall *)node); break;
    case AST_BETWEEN: {
        AstBetween *between = (AstBetween *)node;
        walk_three(w, between->arg, between->low, between->high);
        break;
    }
    case AST_LIKE: {
        AstLike *like = (AstLike *)node;
        walk_three(w, like->arg, like->pattern, like->escape);
        break;
    }
    case AST_IN_LIST:
        walk(w, ((AstInList *)node)->arg);
        walk_list(w, &((AstInList *)node)->items);
        break;
    case AST_CASE:
        walk(w, ((AstCase *)node)->arg);
        walk_list(w, &((AstCase *)node)->whens);
        walk(w, ((AstCase *)node)->otherwise);
        break;
    default: break;
    }
}

static void walk(const Walk *w, AstNode *node)
{
    if (node == NULL)
        return;
    w->visit(w->arg, node);
    switch (node->kind) {
    case AST_NAMED_ARG: walk(w, ((AstNamedArg *)node)->arg); break;
    case AST_OP: walk_two(w, ((AstOp *)node)->left, ((AstOp *)node)->right); break;
    case AST_OP_ANY: walk_two(w, ((AstOpAny *)node)->left, ((AstOpAny *)node)->right); break;
    case AST_BOOL_EXPR: walk_list(w, &((AstBoolExpr *)node)->args); break;
    case AST_NULL_TEST: walk(w, ((AstNullTest *)node)->arg); break;
    case AST_BOOLEAN_TEST: walk(w, ((AstBooleanTest *)node)->arg); break;
    case AST_DISTINCT_FROM:
        walk_two(w, ((AstDistinctFrom *)node)->left, ((AstDistinctFrom *)node)->right);
        break;
    case AST_CASE_WHEN:
        walk_two(w, ((AstCaseWhen *)node)->condition, ((AstCaseWhen *)node)->result);
        break;
    case AST_COALESCE: walk_list(w, &((AstCoalesce *)node)->args); break;
    case AST_NULLIF: walk_two(w, ((AstNullIf *)node)->left, ((AstNullIf *)node)->right); break;
    case AST_MIN_MAX: walk_list(w, &((AstMinMax *)node)->args); break;
    case AST_CAST: walk(w, ((AstCast *)node)->arg); break;
    case AST_COLLATE: walk(w, ((AstCollate *)node)->arg); break;
    case AST_ROW: walk_list(w, &((AstRow *)node)->args); break;
    case AST_ARRAY: walk_list(w, &((AstArray *)node)->elements); break;
    case AST_SORT_KEY: walk(w, ((AstSortKey *)node)->expr); break;
    case AST_SUBLINK: walk(w, ((AstSublink *)node)->test); break;
    default: walk_many(w, node); break;
    }
}

void ddl_walk_ast(AstNode *node, void (*visit)(void *arg, AstNode *node), void *arg)
{
    walk(&(Walk){visit, arg}, node);
}

// --- the stored form ----------------------------------------------------------------------------

static bool is_string(const AstNode *node)
{
    return ast_is(node, AST_CONST) && ((const AstConst *)node)->kind == AST_CONST_STRING;
}

static bool is_regclass(const AstNode *node)
{
    return ast_is(node, AST_CAST) && str_is(((const AstCast *)node)->type->name.name, "regclass") &&
           is_string(((const AstCast *)node)->arg);
}

/* The oid that the text of a regclass constant is; 0 for a name. */
static Oid text_oid(Str text)
{
    uint64_t value = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || value > UINT32_MAX)
            return 0;
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    return value <= UINT32_MAX ? (Oid)value : 0;
}

static AstNode *oid_cast(Scope *scope, Oid oid)
{
    AstCast *cast = ast_new(scope, AST_CAST, AstCast, -1);
    AstConst *text = ast_new(scope, AST_CONST, AstConst, -1);

    text->kind = AST_CONST_STRING;
    text->text = str_from(scope_printf(scope, "%u", oid));
    cast->arg = &text->node;
    cast->type = ast_new(scope, AST_TYPE_NAME, AstTypeName, -1);
    cast->type->name.name = STR("regclass");
    return &cast->node;
}

/* The object a text names, 0 if it is not one of ours. */
static Oid named_oid(Ddl *d, Str text)
{
    Ctx ctx;
    AstName name;
    const Object *object = NULL;

    ctx_init(&ctx);
    if (ident_parse_name(&ctx, d->scope, text, &name) == OK)
        object = ddl_find(d, &name);
    ctx_free(&ctx);
    return object ? object->oid : 0;
}

static bool is_sequence_function(const AstFuncCall *call)
{
    return str_is(call->name.name, "nextval") || str_is(call->name.name, "currval") ||
           str_is(call->name.name, "setval");
}

static void visit_stored(void *arg, AstNode *node)
{
    Ddl *d = arg;
    Oid oid = 0;

    if (node->kind == AST_COLUMN_REF) {
        AstColumnRef *ref = (AstColumnRef *)node;
        if (ref->path.count > 1)
            ref->path = (AstNames){.items = &ref->path.items[ref->path.count - 1], .count = 1};
    } else if (node->kind == AST_FUNC_CALL) {
        AstFuncCall *call = (AstFuncCall *)node;
        if (is_sequence_function(call) && call->args.count > 0 && is_string(call->args.items[0]))
            oid = named_oid(d, ((const AstConst *)call->args.items[0])->text);
        if (oid)
            call->args.items[0] = oid_cast(d->scope, oid);
    } else if (is_regclass(node)) {
        AstCast *cast = (AstCast *)node;
        Str text = ((const AstConst *)cast->arg)->text;
        if (text_oid(text) == 0)
            oid = named_oid(d, text);
        if (oid)
            *cast = *(AstCast *)oid_cast(d->scope, oid);
    }
}

static Str expr_text(Scope *scope, const AstNode *expr)
{
    StrBuf buf;

    strbuf_init(&buf);
    sql_deparse_expr(&buf, expr);
    Str text = str_copy(scope, strbuf_str(&buf));
    strbuf_free(&buf);
    return text;
}

Status ddl_store_expr(Ddl *d, const AstNode *expr, Str *out)
{
    Status st = OK;
    AstNode *copy;

    /* The statement's own tree may be shared with a prepared one: a copy is changed. */
    TRY(sql_parse_expr(d->ctx, d->scope, expr_text(d->scope, expr), &copy));
    ddl_walk_ast(copy, visit_stored, d);
    *out = expr_text(d->scope, copy);
done:
    return st;
}

/* PostgreSQL shows a literal with its type; blank-padded char must not become char(1). */
static Str literal_text(Ddl *d, const AstConst *literal, SqlType type)
{
    StrBuf buf;
    const char *words =
        type.oid == OID_BPCHAR ? "bpchar" : type_format(d->scope, sql_type(type.oid));

    strbuf_init(&buf);
    sql_quote_literal(&buf, literal->text);
    strbuf_append_c(&buf, "::");
    strbuf_append_c(&buf, words);
    Str text = str_copy(d->scope, strbuf_str(&buf));
    strbuf_free(&buf);
    return text;
}

static Status default_mismatch(Ddl *d, const Column *column, const AstNode *expr)
{
    Status st = OK;
    Expr *bound;

    error_clear(d->ctx);
    TRY(sql_bind_expr(d->ctx, d->scope, d->bind, expr, NULL, sql_type(OID_INVALID), &bound));
    st = error_raise(d->ctx, E_DATATYPE_MISMATCH,
                     "column \"%.*s\" is of type %s but default expression is of type %s",
                     STR_ARGS(column->name), type_format(d->scope, column->type),
                     type_format(d->scope, sql_type(bound->type.oid)));
    error_hint(d->ctx, "You will need to rewrite or cast the expression.");
done:
    return st;
}

Status ddl_store_default(Ddl *d, const Column *column, const AstNode *expr, Str *out)
{
    Status st = OK;
    Expr *bound;

    *out = (Str){0};
    st = sql_bind_expr(d->ctx, d->scope, d->bind, expr, NULL, column->type, &bound);
    if (st == E_DATATYPE_MISMATCH)
        return default_mismatch(d, column, expr);
    TRY(st);
    if (ast_is(expr, AST_CONST) && ((const AstConst *)expr)->kind == AST_CONST_NULL)
        return OK;
    if (is_string(expr))
        *out = literal_text(d, (const AstConst *)expr, column->type);
    else
        TRY(ddl_store_expr(d, expr, out));
done:
    return st;
}

static bool collect_column(void *arg, Expr *expr)
{
    PositionList *list = ((void **)arg)[0];
    Ddl *d = ((void **)arg)[1];

    if (expr->kind != EXPR_COLUMN)
        return true;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->data[i] == expr->column.id - 1)
            return true;
    }
    array_push(d->scope, list, expr->column.id - 1);
    return true;
}

void ddl_expr_columns(Ddl *d, Expr *expr, PositionList *out)
{
    void *arg[2] = {out, d};

    expr_walk(expr, collect_column, arg);
}

Status ddl_store_check(Ddl *d, const Table *table, const AstNode *expr, Str *out,
                       PositionList *columns)
{
    Status st = OK;
    Expr *bound;

    TRY(sql_bind_expr(d->ctx, d->scope, d->bind, expr, table, sql_type(OID_BOOL), &bound));
    if (columns)
        ddl_expr_columns(d, bound, columns);
    TRY(ddl_store_expr(d, expr, out));
done:
    return st;
}

Status ddl_bind_stored(Ddl *d, const Table *table, Str sql, SqlType target, Expr **out)
{
    Status st = OK;
    BindEnv env = *d->bind;
    AstNode *ast;

    env.text = (Str){0};
    env.params_count = 0;
    TRY(sql_parse_expr(d->ctx, d->scope, sql, &ast));
    st = sql_bind_expr(d->ctx, d->scope, &env, ast, table, target, out);
    if (st != OK)
        d->ctx->error.position = 0; /* it would count in a text that nobody has seen */
done:
    return st;
}

typedef struct Renaming {
    Str from, to;
} Renaming;

static void visit_rename(void *arg, AstNode *node)
{
    const Renaming *renaming = arg;
    AstColumnRef *ref = (AstColumnRef *)node;

    if (node->kind == AST_COLUMN_REF && ref->path.count > 0 &&
        str_equal(ref->path.items[ref->path.count - 1], renaming->from))
        ref->path.items[ref->path.count - 1] = renaming->to;
}

Status ddl_rename_in_expr(Ddl *d, Str sql, Str from, Str to, Str *out)
{
    Status st = OK;
    Renaming renaming = {from, to};
    AstNode *ast;

    *out = sql;
    if (sql.len == 0)
        return OK;
    TRY(sql_parse_expr(d->ctx, d->scope, sql, &ast));
    ddl_walk_ast(ast, visit_rename, &renaming);
    *out = expr_text(d->scope, ast);
done:
    return st;
}

// --- sequences in texts -------------------------------------------------------------------------

typedef struct SequenceSearch {
    Scope *scope;
    OidList *out;
} SequenceSearch;

static void visit_sequence(void *arg, AstNode *node)
{
    SequenceSearch *search = arg;

    if (!is_regclass(node))
        return;
    Oid oid = text_oid(((const AstConst *)((const AstCast *)node)->arg)->text);
    if (oid)
        array_push(search->scope, search->out, oid);
}

void ddl_expr_sequences(Scope *scope, Str sql, OidList *out)
{
    SequenceSearch search = {scope, out};
    AstNode *ast;
    Ctx ctx;

    if (sql.len == 0)
        return;
    ctx_init(&ctx);
    if (sql_parse_expr(&ctx, scope, sql, &ast) == OK)
        ddl_walk_ast(ast, visit_sequence, &search);
    ctx_free(&ctx);
}

Str ddl_nextval_sql(Ddl *d, Oid sequence)
{
    return str_from(scope_printf(d->scope, "nextval('%u'::regclass)", sequence));
}

typedef struct Display {
    const BindEnv *env;
    Scope *scope;
} Display;

static void visit_display(void *arg, AstNode *node)
{
    const Display *display = arg;
    StrBuf buf;

    if (!is_regclass(node))
        return;
    AstConst *text = (AstConst *)((AstCast *)node)->arg;
    Oid oid = text_oid(text->text);
    const Object *object = oid ? catalog_by_oid(display->env->catalog, oid) : NULL;
    if (object == NULL)
        return;
    strbuf_init(&buf);
    ddl_append_name(&buf, display->env, object);
    text->text = str_copy(display->scope, strbuf_str(&buf));
    strbuf_free(&buf);
}

Str ddl_display_expr(const BindEnv *env, Scope *scope, Str sql)
{
    Display display = {env, scope};
    Str text = sql;
    AstNode *ast;
    Ctx ctx;

    ctx_init(&ctx);
    if (memmem(sql.ptr, sql.len, "regclass", 8) && sql_parse_expr(&ctx, scope, sql, &ast) == OK) {
        ddl_walk_ast(ast, visit_display, &display);
        text = expr_text(scope, ast);
    }
    ctx_free(&ctx);
    return text;
}

static bool find_mutable(void *arg, Expr *expr)
{
    bool *found = arg;

    if (expr->kind == EXPR_FUNC && expr->func.info->volatility != IMMUTABLE)
        *found = true;
    return !*found;
}

bool ddl_expr_is_mutable(Expr *expr)
{
    bool found = false;

    expr_walk(expr, find_mutable, &found);
    return found;
}
