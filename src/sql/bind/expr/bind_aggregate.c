// SPDX-License-Identifier: Apache-2.0
//
// Aggregate calls and set-returning calls. Both are taken out of the expression they stand in: the
// level keeps them, the expression gets the column that will hold the result. An aggregate whose
// arguments are all of an enclosing query belongs to that query.
#include "sql/bind/query_int.h"

const char *bind_clause_words(Clause clause)
{
    static const char *const words[CLAUSE_COUNT] = {
        [CLAUSE_NONE] = "this context",
        [CLAUSE_TARGETS] = "SELECT",
        [CLAUSE_WHERE] = "WHERE",
        [CLAUSE_JOIN_ON] = "JOIN conditions",
        [CLAUSE_FROM_FUNCTION] = "functions in FROM",
        [CLAUSE_FROM_SUBSELECT] = "FROM clause of their own query level",
        [CLAUSE_GROUP] = "GROUP BY",
        [CLAUSE_HAVING] = "HAVING",
        [CLAUSE_ORDER] = "ORDER BY",
        [CLAUSE_DISTINCT_ON] = "DISTINCT ON",
        [CLAUSE_LIMIT] = "LIMIT",
        [CLAUSE_OFFSET] = "OFFSET",
        [CLAUSE_FILTER] = "FILTER",
        [CLAUSE_VALUES] = "VALUES",
        [CLAUSE_UPDATE] = "UPDATE",
        [CLAUSE_RETURNING] = "RETURNING",
        [CLAUSE_CHECK] = "check constraints",
        [CLAUSE_DEFAULT] = "DEFAULT expressions",
        [CLAUSE_INDEX] = "index expressions",
        [CLAUSE_INDEX_PREDICATE] = "index predicates",
    };
    return words[clause];
}

// --- whose aggregate it is ---------------------------------------------------------------------

typedef struct LevelSearch {
    Binder *b;
    Level *from;
    Level *found; /* the innermost one that a column is of */
} LevelSearch;

static void consider(LevelSearch *search, ColumnId id)
{
    const Level *owner = bind_column_info(search->b, id)->level;

    for (Level *l = search->from; l; l = l->up) {
        if (l == search->found)
            return;
        if (l == owner) {
            search->found = l;
            return;
        }
    }
}

static bool consider_node(void *arg, Expr *expr)
{
    if (expr->kind == EXPR_COLUMN)
        consider(arg, expr->column.id);
    for (uint32_t i = 0; expr->kind == EXPR_SUBQUERY && i < expr->subquery.outer_count; i++)
        consider(arg, expr->subquery.outer[i]);
    return true;
}

static Level *level_of(Binder *b, Level *level, Expr *agg)
{
    LevelSearch search = {.b = b, .from = level};

    for (uint32_t i = 0; i < agg->args_count; i++)
        expr_walk(agg->args[i], consider_node, &search);
    if (agg->agg.filter)
        expr_walk(agg->agg.filter, consider_node, &search);
    return search.found ? search.found : level;
}

typedef struct NestedSearch {
    const Level *level;
    bool found;
} NestedSearch;

static bool find_own_aggregate(void *arg, Expr *expr)
{
    NestedSearch *search = arg;

    for (uint32_t i = 0; expr->kind == EXPR_COLUMN && i < search->level->aggs.count; i++)
        search->found |= search->level->aggs.data[i].id == expr->column.id;
    return !search->found;
}

static Status check_allowed(Binder *b, const Level *level, Expr *agg, int32_t location)
{
    Status st = OK;
    NestedSearch nested = {.level = level, .found = level->in_aggregate};

    expr_walk(agg, find_own_aggregate, &nested);
    if (nested.found)
        BIND_FAIL(b, location, E_GROUPING, "aggregate function calls cannot be nested");
    for (uint32_t i = 0; i < level->items.count; i++) {
        if (level->items.data[i]->working)
            BIND_FAIL(b, location, E_INVALID_RECURSION,
                      "aggregate functions are not allowed in a recursive query's recursive term");
    }
    switch (level->clause) {
    case CLAUSE_TARGETS:
    case CLAUSE_HAVING:
    case CLAUSE_ORDER:
    case CLAUSE_DISTINCT_ON: break;
    default:
        BIND_FAIL(b, location, E_GROUPING, "aggregate functions are not allowed in %s",
                  bind_clause_words(level->clause));
    }
done:
    return st;
}

// --- arguments ---------------------------------------------------------------------------------

static Status bind_agg_order(Binder *b, Level *level, const AstFuncCall *ast, Expr *agg)
{
    Status st = OK;
    uint32_t count = ast->order.count;

    if (count == 0)
        goto done;
    agg->agg.order = scope_new_array(b->scope, SortKey, count);
    agg->agg.order_count = count;
    for (uint32_t i = 0; i < count; i++) {
        const AstSortKey *key = (const AstSortKey *)ast->order.items[i];
        OrderKey options;
        Expr *expr;
        TRY(bind_expr(b, level, key->expr, &expr));
        TRY(bind_resolve_unknown(b, &expr));
        TRY(bind_sort_options(b, key, &options));
        agg->agg.order[i] = (SortKey){expr, options.descending, options.nulls_first};
    }
done:
    return st;
}

/* The same values are sorted and made distinct: ORDER BY may only name arguments. */
static Status check_distinct_order(Binder *b, const Expr *agg)
{
    for (uint32_t i = 0; agg->agg.distinct && i < agg->agg.order_count; i++) {
        const Expr *key = agg->agg.order[i].expr;
        bool found = false;
        for (uint32_t j = 0; j < agg->args_count; j++)
            found |= expr_equal(key, agg->args[j]);
        if (!found)
            return bind_at(b, key->location,
                           error_raise(b->ctx, E_INVALID_COLUMN_REFERENCE,
                                       "in an aggregate with DISTINCT, ORDER BY expressions must "
                                       "appear in argument list"));
    }
    return OK;
}

/* count(t) and count((a, b)): a row as a whole is not NULL, so that counting it is count(*). */
static Status counts_rows(Binder *b, Level *level, const AstFuncCall *ast, bool *out)
{
    Status st = OK;
    const AstNode *arg = ast->args.count == 1 ? ast->args.items[0] : NULL;
    const AstColumnRef *ref = (const AstColumnRef *)arg;
    RangeItem *item = NULL;
    Expr *expr = NULL;

    *out = false;
    if (!str_is(ast->name.name, "count") || ast->distinct || arg == NULL)
        goto done;
    if (ast_is(arg, AST_ROW)) {
        const AstRow *row = (const AstRow *)arg;
        for (uint32_t i = 0; i < row->args.count; i++)
            TRY(bind_expr(b, level, row->args.items[i], &expr));
        *out = true;
        goto done;
    }
    if (!ast_is(arg, AST_COLUMN_REF) || ref->path.count != 1)
        goto done;
    if (!ref->star)
        TRY(bind_find_column_here(b, level, ref->path.items[0], arg->location, &expr));
    if (expr == NULL)
        TRY(bind_find_item(b, level, (Str){0}, ref->path.items[0], arg->location, &item));
    *out = item != NULL && !item->nullable;
done:
    return st;
}

/* Direct arguments first, then, of an ordered-set aggregate, what WITHIN GROUP sorts. */
static Status bind_agg_args(Binder *b, Level *level, const AstFuncCall *ast, Expr *agg)
{
    Status st = OK;
    uint32_t direct = ast->args.count;
    bool rows;

    TRY(counts_rows(b, level, ast, &rows));
    if (rows)
        agg->args_count = direct = 0;
    for (uint32_t i = 0; i < direct; i++)
        TRY(bind_expr(b, level, ast->args.items[i], &agg->args[i]));
    TRY(bind_agg_order(b, level, ast, agg));
    for (uint32_t i = 0; i < ast->order.count && ast->within_group; i++)
        agg->args[direct + i] = expr_copy(b->scope, agg->agg.order[i].expr);
done:
    return st;
}

static Status bind_agg_parts(Binder *b, Level *level, const AstFuncCall *ast, Expr *agg)
{
    Status st = OK;

    TRY(bind_agg_args(b, level, ast, agg));
    level->in_aggregate = false;
    if (ast->filter)
        TRY(bind_condition(b, level, CLAUSE_FILTER, ast->filter, "FILTER", &agg->agg.filter));
done:
    return st;
}

// --- the choice --------------------------------------------------------------------------------

static Status no_aggregate(Binder *b, const AstFuncCall *ast, const Expr *agg, bool ambiguous)
{
    StrBuf buf;

    strbuf_init(&buf);
    for (uint32_t i = 0; i < agg->args_count; i++)
        strbuf_printf(&buf, "%s%s", i > 0 ? ", " : "", bind_type_name(b, agg->args[i]->type.oid));
    Status st = error_raise(b->ctx, ambiguous ? E_AMBIGUOUS_FUNCTION : E_UNDEFINED_FUNCTION,
                            ambiguous ? "function %.*s(%s) is not unique"
                                      : "function %.*s(%s) does not exist",
                            STR_ARGS(ast->name.name), strbuf_c(&buf));
    strbuf_free(&buf);
    error_hint(b->ctx, "%s",
               ambiguous ? "Could not choose a best candidate function. You might need to add "
                           "explicit type casts."
                         : "No function matches the given name and argument types. You might need "
                           "to add explicit type casts.");
    return bind_at(b, ast->node.location, st);
}

static Status choose(Binder *b, const AstFuncCall *ast, const Expr *agg, const AggInfo **out)
{
    Status st = OK;
    Oid inputs[4];
    uint32_t all_count, count = 0;
    const AggInfo *const *all = agg_overloads(ast->name.name, &all_count);
    Candidate *candidates = scope_new_array(b->scope, Candidate, all_count);

    for (uint32_t i = 0; i < agg->args_count && i < ARRAY_COUNT(inputs); i++)
        inputs[i] = agg->args[i]->type.oid;
    for (uint32_t i = 0; i < all_count; i++) {
        bool exact = all[i]->args_count == agg->args_count;
        if (!exact || all[i]->ordered_set != ast->within_group)
            continue;
        for (uint32_t j = 0; j < agg->args_count; j++)
            exact &= all[i]->args[j] == inputs[j];
        candidates[count++] =
            (Candidate){.args = all[i]->args, .args_count = agg->args_count, .ref = all[i]};
        if (exact) {
            candidates[0] = candidates[count - 1];
            count = 1;
            break;
        }
    }
    if (count != 1 || agg->args_count > 0)
        count = overload_select(inputs, agg->args_count, candidates, count);
    if (count != 1)
        TRY(no_aggregate(b, ast, agg, count > 1));
    *out = candidates[0].ref;
done:
    return st;
}

static Status coerce_agg_args(Binder *b, const AstFuncCall *ast, Expr *agg, PolyTypes *poly)
{
    Status st = OK;
    const AggInfo *info = agg->agg.info;
    Oid inputs[4];

    for (uint32_t i = 0; i < agg->args_count; i++)
        inputs[i] = agg->args[i]->type.oid;
    if (!overload_polymorphic(info->args, inputs, agg->args_count, poly))
        TRY(no_aggregate(b, ast, agg, false));
    if (poly->used && poly->element == OID_INVALID)
        BIND_FAIL(b, ast->node.location, E_DATATYPE_MISMATCH,
                  "could not determine polymorphic type because input has type unknown");
    for (uint32_t i = 0; i < agg->args_count; i++) {
        Expr **arg = &agg->args[i];
        Oid declared = overload_actual(info->args[i], poly);
        if (declared != OID_ANY && ((*arg)->type.oid != OID_VARCHAR || declared != OID_TEXT))
            TRY(bind_coerce(b, *arg, sql_type(declared), CAST_IMPLICIT, (*arg)->location, arg));
    }
done:
    return st;
}

static SqlType agg_type(const Expr *agg, const PolyTypes *poly)
{
    SqlType types[4];

    for (uint32_t i = 0; i < agg->args_count; i++)
        types[i] = agg->args[i]->type;
    SqlType declared = sql_type(overload_actual(agg->agg.info->result, poly));
    if (agg->agg.info->derive == NULL)
        return declared;
    SqlType derived = agg->agg.info->derive(types, agg->args_count);
    return derived.oid == declared.oid ? derived : declared;
}

/* The call's text, as EXPLAIN shows the column. */
static const char *agg_name(Binder *b, const Expr *agg)
{
    StrBuf buf;

    strbuf_init(&buf);
    expr_print(&buf, agg);
    char *name = scope_strndup(b->scope, buf.ptr, buf.len);
    strbuf_free(&buf);
    return name;
}

/* BIND-2: the aggregate's column at its level; equal calls share one. */
static Expr *place(Binder *b, Level *level, Expr *agg)
{
    ColumnId id = 0;

    for (uint32_t i = 0; i < level->aggs.count && id == 0; i++) {
        if (expr_equal(level->aggs.data[i].agg, agg) && !expr_is_volatile(agg))
            id = level->aggs.data[i].id;
    }
    if (id == 0) {
        id = bind_new_column(b, level);
        bind_column_info(b, id)->computed = true;
        AggEntry entry = {.agg = agg, .id = id};
        array_push(b->scope, &level->aggs, entry);
    }
    return expr_column(b->scope, id, agg->type, agg_name(b, agg));
}

/* WITHIN GROUP goes with ordered-set aggregates, and they with it. */
static Status check_within_group(Binder *b, const AstFuncCall *ast)
{
    Status st = OK;
    uint32_t count;
    const AggInfo *const *all = agg_overloads(ast->name.name, &count);

    if (all[0]->ordered_set == ast->within_group)
        goto done;
    if (ast->within_group)
        BIND_FAIL(b, ast->node.location, E_WRONG_OBJECT_TYPE,
                  "%.*s is not an ordered-set aggregate, so it cannot have WITHIN GROUP",
                  STR_ARGS(ast->name.name));
    BIND_FAIL(b, ast->node.location, E_WRONG_OBJECT_TYPE,
              "WITHIN GROUP is required for ordered-set aggregate %.*s", STR_ARGS(ast->name.name));
done:
    return st;
}

static Status check_agg_syntax(Binder *b, const AstFuncCall *ast)
{
    Status st = OK;

    if (ast->over)
        TRY(bind_unsupported(b, ast->node.location, "window functions are"));
    TRY(check_within_group(b, ast));
    if (ast->variadic)
        TRY(bind_unsupported(b, ast->node.location, "VARIADIC aggregate arguments are"));
    if (ast->args.count + (ast->within_group ? ast->order.count : 0) > 4)
        BIND_FAIL(b, ast->node.location, E_UNDEFINED_FUNCTION,
                  "function %.*s with %u arguments does not exist", STR_ARGS(ast->name.name),
                  ast->args.count);
    if (ast->args.count == 0 && !ast->star && !ast->within_group) {
        st = error_raise(b->ctx, E_WRONG_OBJECT_TYPE,
                         "%.*s(*) must be used to call a parameterless aggregate function",
                         STR_ARGS(ast->name.name));
        TRY(bind_at(b, ast->node.location, st));
    }
done:
    return st;
}

Status bind_aggregate(Binder *b, Level *level, const AstFuncCall *ast, Expr **out)
{
    Status st = OK;
    PolyTypes poly;
    bool nested = level->in_aggregate, no_sets = level->no_sets;
    uint32_t args_count = ast->args.count + (ast->within_group ? ast->order.count : 0);
    Expr *agg = expr_new(b->scope, EXPR_AGG, sql_type(OID_INVALID), args_count);

    TRY(check_agg_syntax(b, ast));
    level->in_aggregate = true;
    level->no_sets = true;
    level->no_sets_words = NULL;
    st = bind_agg_parts(b, level, ast, agg);
    level->in_aggregate = nested;
    level->no_sets = no_sets;
    TRY(st);
    TRY(choose(b, ast, agg, &agg->agg.info));
    TRY(coerce_agg_args(b, ast, agg, &poly));
    agg->agg.distinct = ast->distinct;
    agg->type = agg_type(agg, &poly);
    agg->location = ast->node.location;
    TRY(check_distinct_order(b, agg));
    Level *owner = level_of(b, level, agg);
    TRY(check_allowed(b, owner, agg, ast->node.location));
    *out = place(b, owner, agg);
    (*out)->location = ast->node.location;
done:
    return st;
}

// --- set-returning functions -------------------------------------------------------------------

static Status check_sets_allowed(Binder *b, const Level *level, int32_t location)
{
    Status st = OK;

    if (level->no_sets) {
        if (level->no_sets_words)
            st = error_raise(b->ctx, E_FEATURE_NOT_SUPPORTED,
                             "set-returning functions are not allowed in %s", level->no_sets_words);
        else
            st = error_raise(b->ctx, E_FEATURE_NOT_SUPPORTED,
                             "aggregate function calls cannot contain set-returning function "
                             "calls");
        error_hint(b->ctx, "You might be able to move the set-returning function into a LATERAL "
                           "FROM item.");
        TRY(bind_at(b, location, st));
    }
    switch (level->clause) {
    case CLAUSE_TARGETS:
    case CLAUSE_ORDER: break;
    default:
        BIND_FAIL(b, location, E_FEATURE_NOT_SUPPORTED,
                  "set-returning functions are not allowed in %s",
                  bind_clause_words(level->clause));
    }
done:
    return st;
}

typedef struct SetSearch {
    const Level *level;
    bool found;
} SetSearch;

static bool find_set_column(void *arg, Expr *expr)
{
    SetSearch *search = arg;

    for (uint32_t i = 0; expr->kind == EXPR_COLUMN && i < search->level->sets.count; i++)
        search->found |= search->level->sets.data[i].id == expr->column.id;
    return !search->found;
}

Status bind_set_call(Binder *b, Level *level, Expr *call, int32_t location, Expr **out)
{
    Status st = OK;
    SetSearch search = {.level = level};

    if (level->clause == CLAUSE_FROM_FUNCTION) {
        *out = call;
        goto done;
    }
    TRY(check_sets_allowed(b, level, location));
    if (call->func.info->column_names)
        TRY(bind_unsupported(b, location, "functions returning several columns in SELECT are"));
    expr_walk(call, find_set_column, &search);
    if (search.found)
        TRY(bind_unsupported(b, location, "nested set-returning functions are"));
    for (uint32_t i = 0; i < level->sets.count; i++) {
        const SetEntry *entry = &level->sets.data[i];
        if (!expr_equal(entry->call, call))
            continue;
        *out = expr_column(b->scope, entry->id, call->type, call->func.info->name);
        goto done;
    }
    SetEntry entry = {.call = call, .id = bind_new_column(b, level)};
    bind_column_info(b, entry.id)->computed = true;
    array_push(b->scope, &level->sets, entry);
    *out = expr_column(b->scope, entry.id, call->type, call->func.info->name);
done:
    return st;
}
