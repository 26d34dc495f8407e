// SPDX-License-Identifier: Apache-2.0
//
// ORDER BY, GROUP BY, DISTINCT ON: items that may be output names, positions or expressions
// (PostgreSQL's findTargetlistEntrySQL92); LIMIT and OFFSET.
#include "sql/bind/query_int.h"

static const Str *simple_name(const AstNode *node)
{
    const AstColumnRef *ref = (const AstColumnRef *)node;

    if (!ast_is(node, AST_COLUMN_REF) || ref->star || ref->path.count != 1)
        return NULL;
    return &ref->path.items[0];
}

#define NO_TARGET UINT32_MAX

/* The target of that output name; NO_TARGET if there is none. */
static Status find_by_name(Binder *b, const TargetList *targets, Str name, const char *clause,
                           int32_t location, uint32_t *out)
{
    Status st = OK;

    *out = NO_TARGET;
    for (uint32_t i = 0; i < targets->count; i++) {
        const Target *target = &targets->data[i];
        if (target->junk || !str_equal(target->name, name))
            continue;
        if (*out == NO_TARGET)
            *out = i;
        else if (!expr_equal(targets->data[*out].expr, target->expr))
            BIND_FAIL(b, location, E_AMBIGUOUS_COLUMN, "%s \"%.*s\" is ambiguous", clause,
                      STR_ARGS(name));
    }
done:
    return st;
}

static Status find_by_position(Binder *b, const TargetList *targets, const AstConst *number,
                               const char *clause, uint32_t *out)
{
    Status st = OK;
    uint32_t count = 0;
    int32_t location = number->node.location;

    if (number->kind != AST_CONST_INT)
        BIND_FAIL(b, location, E_SYNTAX, "non-integer constant in %s", clause);
    for (uint32_t i = 0; i < targets->count; i++)
        count += !targets->data[i].junk;
    if (number->integer < 1 || (uint32_t)number->integer > count)
        BIND_FAIL(b, location, E_INVALID_COLUMN_REFERENCE, "%s position %d is not in select list",
                  clause, number->integer);
    *out = (uint32_t)number->integer - 1;
done:
    return st;
}

static uint32_t find_equal(const TargetList *targets, const Expr *expr)
{
    for (uint32_t i = 0; i < targets->count; i++) {
        if (expr_equal(targets->data[i].expr, expr))
            return i;
    }
    return NO_TARGET;
}

/* Where an expression's text begins. */
static int32_t ast_start(const AstNode *node)
{
    while (ast_is(node, AST_OP) && ((const AstOp *)node)->left)
        node = ((const AstOp *)node)->left;
    return node->location;
}

static Status names_only_error(Binder *b, int32_t location)
{
    Status st = error_raise(b->ctx, E_FEATURE_NOT_SUPPORTED,
                            "invalid UNION/INTERSECT/EXCEPT ORDER BY clause");

    error_detail(b->ctx, "Only result column names can be used, not expressions or functions.");
    error_hint(b->ctx, "Add the expression/function to every SELECT, or move the UNION into a "
                       "FROM clause.");
    return bind_at(b, location, st);
}

typedef struct Lookup {
    Level *level;
    Clause clause;
    bool names_only;
    TargetList *targets;
} Lookup;

/* The target an item means, added as junk if it is none yet. */
static Status find_target(Binder *b, const Lookup *in, const AstNode *node, uint32_t *out)
{
    Status st = OK;
    TargetList *targets = in->targets;
    const char *words = bind_clause_words(in->clause);
    const Str *name = simple_name(node);
    Expr *expr = NULL;

    *out = NO_TARGET;
    if (name && in->clause == CLAUSE_GROUP)
        TRY(bind_find_column_here(b, in->level, *name, node->location, &expr));
    if (name && expr == NULL)
        TRY(find_by_name(b, targets, *name, words, node->location, out));
    else if (ast_is(node, AST_CONST))
        TRY(find_by_position(b, targets, (const AstConst *)node, words, out));
    if (*out != NO_TARGET)
        goto done;
    TRY(bind_expr_in(b, in->level, in->clause, node, &expr));
    TRY(bind_resolve_unknown(b, &expr));
    *out = find_equal(targets, expr);
    if (*out == NO_TARGET && in->names_only)
        TRY(names_only_error(b, ast_start(node)));
    if (*out == NO_TARGET) {
        Target junk = {.expr = expr, .name = STR("?column?"), .junk = true};
        *out = targets->count;
        array_push(b->scope, targets, junk);
    }
done:
    if (st == OK)
        st = bind_resolve_unknown(b, &targets->data[*out].expr);
    return st;
}

Status bind_sort_options(Binder *b, const AstSortKey *ast, OrderKey *out)
{
    Status st = OK;

    out->descending = ast->order == AST_SORT_DESC;
    if (ast->order == AST_SORT_USING) {
        Str op;
        TRY(bind_op_name(b, &ast->using_op, ast->node.location, &op));
        out->descending = str_is(op, ">");
        if (!out->descending && !str_is(op, "<")) {
            st = error_raise(b->ctx, E_WRONG_OBJECT_TYPE,
                             "operator %.*s is not a valid ordering operator", STR_ARGS(op));
            error_hint(b->ctx, "Ordering operators must be \"<\" or \">\" members of btree "
                               "operator families.");
            TRY(bind_at(b, ast->node.location, st));
        }
    }
    out->nulls_first =
        ast->nulls == AST_NULLS_DEFAULT ? out->descending : ast->nulls == AST_NULLS_FIRST;
done:
    return st;
}

Status bind_order(Binder *b, Level *level, const AstList *ast, bool names_only, TargetList *targets,
                  OrderList *out)
{
    Status st = OK;
    Lookup in = {level, CLAUSE_ORDER, names_only, targets};

    for (uint32_t i = 0; i < ast->count; i++) {
        const AstSortKey *item = (const AstSortKey *)ast->items[i];
        OrderKey key;
        bool repeated = false;
        TRY(find_target(b, &in, item->expr, &key.target));
        TRY(bind_sort_options(b, item, &key));
        for (uint32_t j = 0; j < out->count; j++)
            repeated |= out->data[j].target == key.target;
        if (!repeated)
            array_push(b->scope, out, key);
    }
done:
    return st;
}

// --- GROUP BY ----------------------------------------------------------------------------------

typedef struct ComputedSearch {
    const Level *level;
    bool agg, set;
    int32_t location; /* of the aggregate */
} ComputedSearch;

static bool find_computed(void *arg, Expr *expr)
{
    ComputedSearch *search = arg;

    if (expr->kind != EXPR_COLUMN)
        return true;
    for (uint32_t i = 0; i < search->level->aggs.count; i++) {
        if (search->level->aggs.data[i].id != expr->column.id)
            continue;
        search->agg = true;
        search->location = expr->location;
    }
    for (uint32_t i = 0; i < search->level->sets.count; i++)
        search->set |= search->level->sets.data[i].id == expr->column.id;
    return true;
}

static Status check_group(Binder *b, Level *level, Expr *expr, int32_t location)
{
    Status st = OK;
    ComputedSearch search = {.level = level};

    expr_walk(expr, find_computed, &search);
    if (search.agg)
        BIND_FAIL(b, search.location, E_GROUPING,
                  "aggregate functions are not allowed in GROUP BY");
    if (search.set)
        TRY(bind_unsupported(b, location, "set-returning functions in GROUP BY are"));
done:
    return st;
}

static Status bind_group_item(Binder *b, Level *level, const AstNode *node, TargetList *targets,
                              ExprList *out)
{
    Status st = OK;
    uint32_t at;

    if (ast_is(node, AST_GROUPING_SET) &&
        ((const AstGroupingSet *)node)->kind == AST_GROUPING_EMPTY)
        goto done;
    if (ast_is(node, AST_GROUPING_SET))
        TRY(bind_unsupported(b, node->location, "GROUPING SETS, ROLLUP and CUBE are"));
    if (ast_is(node, AST_ROW)) {
        const AstRow *row = (const AstRow *)node;
        for (uint32_t i = 0; i < row->args.count; i++)
            TRY(bind_group_item(b, level, row->args.items[i], targets, out));
        goto done;
    }
    uint32_t before = targets->count;
    TRY(find_target(b, &(Lookup){level, CLAUSE_GROUP, false, targets}, node, &at));
    Expr *expr = targets->data[at].expr;
    targets->count = before;
    TRY(check_group(b, level, expr, node->location));
    array_push(b->scope, out, expr);
done:
    return st;
}

Status bind_group(Binder *b, Level *level, const AstList *ast, TargetList *targets, ExprList *out)
{
    Status st = OK;

    for (uint32_t i = 0; i < ast->count; i++)
        TRY(bind_group_item(b, level, ast->items[i], targets, out));
done:
    return st;
}

// --- DISTINCT ON -------------------------------------------------------------------------------

static bool list_has(const IndexList *list, uint32_t value)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->data[i] == value)
            return true;
    }
    return false;
}

static Status distinct_on_mismatch(Binder *b, int32_t location)
{
    return bind_at(b, location,
                   error_raise(b->ctx, E_INVALID_COLUMN_REFERENCE,
                               "SELECT DISTINCT ON expressions must match initial ORDER BY "
                               "expressions"));
}

Status bind_distinct_on(Binder *b, Level *level, const AstList *ast, TargetList *targets,
                        const OrderList *order, IndexList *out)
{
    Status st = OK;
    uint32_t leading = 0;
    Lookup in = {level, CLAUSE_DISTINCT_ON, false, targets};

    for (uint32_t i = 0; i < ast->count; i++) {
        uint32_t at;
        TRY(find_target(b, &in, ast->items[i], &at));
        if (!list_has(out, at))
            array_push(b->scope, out, at);
    }
    while (leading < order->count && list_has(out, order->data[leading].target))
        leading++;
    if (leading < order->count && leading < out->count)
        TRY(distinct_on_mismatch(b, ast->items[0]->location));
done:
    return st;
}

// --- LIMIT -------------------------------------------------------------------------------------

typedef struct OwnSearch {
    Binder *b;
    const Level *level;
    bool found;
    int32_t location;
} OwnSearch;

static bool find_own(void *arg, Expr *expr)
{
    OwnSearch *search = arg;

    if (expr->kind == EXPR_COLUMN)
        search->found = bind_column_info(search->b, expr->column.id)->level == search->level;
    for (uint32_t i = 0; expr->kind == EXPR_SUBQUERY && i < expr->subquery.outer_count; i++) {
        ColumnId id = expr->subquery.outer[i];
        search->found |= bind_column_info(search->b, id)->level == search->level;
    }
    search->location = expr->location;
    return !search->found;
}

static Status bind_limit_expr(Binder *b, Level *level, Clause clause, const AstNode *node,
                              Expr **out)
{
    Status st = OK;
    const char *words = bind_clause_words(clause);
    OwnSearch search = {.b = b, .level = level};

    *out = NULL;
    if (node == NULL)
        goto done;
    TRY(bind_expr_in(b, level, clause, node, out));
    TRY(bind_coerce_specific(b, *out, OID_INT8, words, out));
    expr_walk(*out, find_own, &search);
    if (search.found)
        BIND_FAIL(b, search.location, E_INVALID_COLUMN_REFERENCE,
                  "argument of %s must not contain variables", words);
    if ((*out)->kind == EXPR_CONST && (*out)->constant.is_null)
        *out = NULL;
done:
    return st;
}

Status bind_limit(Binder *b, Level *level, const AstSelect *ast, Expr **limit, Expr **offset)
{
    Status st = OK;

    TRY(bind_limit_expr(b, level, CLAUSE_OFFSET, ast->offset, offset));
    TRY(bind_limit_expr(b, level, CLAUSE_LIMIT, ast->limit, limit));
    if (ast->with_ties && ast->order.count == 0)
        BIND_FAIL(b, -1, E_SYNTAX, "WITH TIES cannot be specified without ORDER BY clause");
done:
    return st;
}
