// SPDX-License-Identifier: Apache-2.0
//
// Access paths: how conjuncts over a table become bounds on its clustering key or on a secondary
// index. Key columns are bound from the first one on by equalities, then by one range or IN list.
// A conjunct that the bounds say in full is no filter any more. Parameters may be bounds, so that a
// cached plan is a point access for every value.
#include "sql/optimise/optimise_int.h"

#include "types/cast.h"
#include "types/compare.h"

#define IN_VALUES_MAX  1000
#define GROWN_ROWS     1000.0
#define GROWN_DISTINCT 200.0

/* A relation to look up in: the table itself by its key, or an index. */
typedef struct KeyInfo {
    const Index *index; /* NULL: the clustering key */
    uint32_t count;
    uint32_t *columns; /* positions in the table; UINT32_MAX: an expression */
    SqlType *types;
    bool unique;
} KeyInfo;

typedef struct AccessSearch {
    Optimiser *o;
    const Plan *scan;
    const ExprList *conjuncts;
    IdSet own; /* the scan's columns: bounds must not use them */
    const KeyInfo *key;
    AccessPath path;
} AccessSearch;

// --- values in the form of a key column --------------------------------------------------------

static int int_rank(Oid oid)
{
    switch (oid) {
    case OID_INT2: return 1;
    case OID_INT4: return 2;
    case OID_INT8: return 3;
    default: return 0;
    }
}

static Expr *cast_to(Optimiser *o, Expr *expr, SqlType type)
{
    Expr *cast = expr_new(o->scope, EXPR_CAST, type, 1);

    cast->args[0] = expr;
    cast->location = expr->location;
    return sql_fold(o->scope, o->env->io, o->env->session, cast);
}

/* A constant as the key's type, if that is the same value. */
static Expr *exact_constant(Optimiser *o, Expr *expr, SqlType type)
{
    Datum value, back;
    Ctx ctx;
    Expr *out = NULL;

    if (expr->constant.is_null)
        return expr_null(o->scope, type);
    ctx_init(&ctx);
    if (cast_datum(&ctx, o->scope, &expr->constant, type, false, o->env->io, &value) == OK &&
        cast_datum(&ctx, o->scope, &value, expr->type, false, o->env->io, &back) == OK) {
        back.type = expr->type;
        value.type = type;
        if (datum_equal(&back, &expr->constant))
            out = expr_const(o->scope, &value);
    }
    ctx_free(&ctx);
    return out;
}

/* NULL: it cannot be a bound. */
static Expr *bound_value(Optimiser *o, Expr *expr, SqlType key)
{
    SqlType from = expr->type;
    int from_rank = int_rank(from.oid), key_rank = int_rank(key.oid);

    if (key.oid == OID_NUMERIC) {
        if (type_equal(from, key))
            return expr;
        if (from.oid == OID_NUMERIC && key.typmod < 0)
            return cast_to(o, expr, key);
        return expr->kind == EXPR_CONST ? exact_constant(o, expr, key) : NULL;
    }
    if (from.oid == key.oid)
        return expr;
    if (from_rank && key_rank && from_rank < key_rank)
        return cast_to(o, expr, key);
    if (from_rank && key_rank)
        return expr->kind == EXPR_CONST ? exact_constant(o, expr, key) : NULL;
    if ((from.oid == OID_TEXT && key.oid == OID_VARCHAR) ||
        (from.oid == OID_VARCHAR && key.oid == OID_TEXT))
        return cast_to(o, expr, sql_type(key.oid));
    return NULL;
}

static bool may_bound(const AccessSearch *s, const Expr *expr)
{
    IdSet used = idset_of_expr(s->o->scope, expr);

    return !idset_overlaps(&used, &s->own) && !expr_is_volatile(expr);
}

// --- matching conjuncts ------------------------------------------------------------------------

static ColumnId key_column(const AccessSearch *s, uint32_t at)
{
    const ScanPlan *scan = &s->scan->scan;
    uint32_t columns = s->scan->columns_count - scan->with_key;

    for (uint32_t i = 0; i < columns; i++) {
        if (scan->column_at[i] == s->key->columns[at])
            return s->scan->columns[i].id;
    }
    return 0;
}

/* The value that the conjunct compares the column with. */
static Expr *compared_value(const AccessSearch *s, const Expr *conjunct, ColumnId id, CompareOp *op)
{
    Expr *value = NULL;

    *op = predicate_compare(conjunct);
    if (*op == COMPARE_NONE || *op == COMPARE_NE)
        return NULL;
    if (expr_is_column(conjunct->args[0], id)) {
        value = conjunct->args[1];
    } else if (expr_is_column(conjunct->args[1], id)) {
        value = conjunct->args[0];
        *op = compare_commute(*op);
    }
    return value && may_bound(s, value) ? value : NULL;
}

static bool match_equal(AccessSearch *s, uint32_t at)
{
    ColumnId id = key_column(s, at);
    CompareOp op;

    for (uint32_t i = 0; id && i < s->conjuncts->count; i++) {
        Expr *value = compared_value(s, s->conjuncts->data[i], id, &op);
        if (value == NULL || op != COMPARE_EQ || s->path.used[i])
            continue;
        value = bound_value(s->o, value, s->key->types[at]);
        if (value == NULL)
            continue;
        s->path.bounds.equal[at] = value;
        s->path.bounds.equal_count = at + 1;
        s->path.used[i] = true;
        return true;
    }
    return false;
}

static bool in_values(AccessSearch *s, const Expr *in, SqlType type, Expr **out)
{
    for (uint32_t i = 1; i < in->args_count; i++) {
        out[i - 1] = may_bound(s, in->args[i]) ? bound_value(s->o, in->args[i], type) : NULL;
        if (out[i - 1] == NULL)
            return false;
    }
    return true;
}

static bool match_in(AccessSearch *s, uint32_t at)
{
    ColumnId id = key_column(s, at);

    for (uint32_t i = 0; id && i < s->conjuncts->count; i++) {
        const Expr *in = s->conjuncts->data[i];
        if (in->kind != EXPR_IN || in->test.negated || !expr_is_column(in->args[0], id) ||
            in->args_count > IN_VALUES_MAX)
            continue;
        Expr **values = scope_new_array(s->o->scope, Expr *, in->args_count);
        if (!in_values(s, in, s->key->types[at], values))
            continue;
        s->path.bounds.in = values;
        s->path.bounds.in_count = in->args_count - 1;
        s->path.used[i] = true;
        return true;
    }
    return false;
}

static bool match_range(AccessSearch *s, uint32_t at)
{
    ColumnId id = key_column(s, at);
    KeyBounds *bounds = &s->path.bounds;
    CompareOp op;

    for (uint32_t i = 0; id && i < s->conjuncts->count; i++) {
        Expr *value = compared_value(s, s->conjuncts->data[i], id, &op);
        if (value == NULL || s->path.used[i])
            continue;
        bool low = op == COMPARE_GT || op == COMPARE_GE,
             high = op == COMPARE_LT || op == COMPARE_LE;
        if ((low && bounds->low) || (high && bounds->high) || (!low && !high))
            continue;
        value = bound_value(s->o, value, s->key->types[at]);
        if (value == NULL)
            continue;
        s->path.used[i] = true;
        if (low) {
            bounds->low = value;
            bounds->low_inclusive = op == COMPARE_GE;
        } else {
            bounds->high = value;
            bounds->high_inclusive = op == COMPARE_LE;
        }
    }
    return bounds->low || bounds->high;
}

static bool search_key(AccessSearch *s)
{
    uint32_t at = 0;

    s->path =
        (AccessPath){.method = s->key->index ? SCAN_INDEX : SCAN_KEY_RANGE, .index = s->key->index};
    s->path.used = scope_new_array(s->o->scope, bool, s->conjuncts->count + 1);
    s->path.bounds.equal = scope_new_array(s->o->scope, Expr *, s->key->count + 1);
    while (at < s->key->count && match_equal(s, at))
        at++;
    if (at == s->key->count) {
        s->path.unique = s->key->unique;
        return at > 0;
    }
    if (match_in(s, at)) {
        s->path.unique = s->key->unique && at + 1 == s->key->count;
        return true;
    }
    return match_range(s, at) || at > 0;
}

// --- keys of a table ---------------------------------------------------------------------------

static void clustering_key(Optimiser *o, const Table *table, KeyInfo *out)
{
    *out = (KeyInfo){.count = table->key_columns_count, .unique = true};
    out->columns = scope_new_array(o->scope, uint32_t, out->count + 1);
    out->types = scope_new_array(o->scope, SqlType, out->count + 1);
    for (uint32_t i = 0; i < out->count; i++) {
        out->columns[i] = table->key_column_at[i];
        out->types[i] = table->key_columns[i].type;
    }
}

static uint32_t position_of(const Table *table, uint32_t column_id)
{
    for (uint32_t i = 0; i < table->columns_count; i++) {
        if (table->columns[i].id == column_id)
            return i;
    }
    return UINT32_MAX;
}

static void index_key(Optimiser *o, const Table *table, const Index *index, KeyInfo *out)
{
    *out = (KeyInfo){.index = index, .count = index->columns_count, .unique = index->unique};
    out->columns = scope_new_array(o->scope, uint32_t, out->count + 1);
    out->types = scope_new_array(o->scope, SqlType, out->count + 1);
    for (uint32_t i = 0; i < out->count; i++) {
        out->columns[i] = position_of(table, index->columns[i].column);
        out->types[i] = index->columns[i].key.type;
    }
}

// --- costs -------------------------------------------------------------------------------------

static double row_cost(const Plan *scan)
{
    return COST_SCAN_ROW + scan->columns_count * COST_SCAN_COLUMN;
}

/* The share of rows within the bounds. An equality with a column of another relation is with one of
   its values. Plans outlive a table's first rows: tiny tables count as if they had grown. */
static double bounds_share(AccessSearch *s, bool grown)
{
    double share = 1;

    for (uint32_t i = 0; i < s->conjuncts->count; i++) {
        const Expr *cond = s->conjuncts->data[i];
        Expr *inner, *outer;
        if (!s->path.used[i])
            continue;
        double own = selectivity_of(s->o, cond);
        if (condition_separates(s->o, cond, &s->own, &inner, &outer)) {
            IdSet others = idset_of_expr(s->o->scope, outer);
            if (!idset_empty(&others))
                own = 1 / expr_distinct(s->o, inner, table_size(s->o, s->scan->scan.table)->rows);
            share *= grown ? MIN(own, 1 / GROWN_DISTINCT) : own;
        } else {
            share *= own;
        }
    }
    return share;
}

static void cost_path(AccessSearch *s)
{
    AccessPath *path = &s->path;
    const Table *table = s->scan->scan.table;
    double rows = table_size(s->o, table)->rows;
    bool grown = rows < GROWN_ROWS && table->statistics == NULL;
    double ranges = MAX(path->bounds.in_count, 1);

    rows = grown ? GROWN_ROWS : rows;
    path->rows = path->unique ? ranges : MAX(rows * bounds_share(s, grown), 1);
    path->cost = ranges * COST_LOOKUP + path->rows * row_cost(s->scan);
    if (path->index)
        path->cost += path->rows * (COST_INDEX_ENTRY + COST_LOOKUP);
}

static double full_cost(Optimiser *o, const Plan *scan)
{
    double rows = table_size(o, scan->scan.table)->rows;

    if (scan->scan.table->statistics == NULL)
        rows = MAX(rows, GROWN_ROWS);
    return rows * row_cost(scan) + COST_LOOKUP;
}

static double filters_cost(const ExprList *conjuncts, const AccessPath *path)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < conjuncts->count; i++)
        left += !path->used[i];
    return path->rows * left * COST_CONDITION;
}

// --- choosing ----------------------------------------------------------------------------------

/* The way's key; false: there is no such way, or it is a partial index. */
static bool way_key(Optimiser *o, const Table *table, uint32_t way, KeyInfo *out)
{
    if (way == 0) {
        clustering_key(o, table, out);
        return out->count > 0;
    }
    const Index *index = table->indexes[way - 1];
    if (index->clustered || index->predicate_sql.len)
        return false;
    index_key(o, table, index, out);
    return true;
}

static bool is_better(const AccessPath *a, const AccessPath *b)
{
    bool a_single = a->unique && a->bounds.in_count == 0;
    bool b_single = b->unique && b->bounds.in_count == 0;

    return a_single != b_single ? a_single : a->cost < b->cost;
}

void access_choose(Optimiser *o, const Plan *scan, const ExprList *conjuncts, AccessPath *out)
{
    const Table *table = scan->scan.table;
    AccessSearch s = {.o = o, .scan = scan, .conjuncts = conjuncts};
    KeyInfo key;

    s.own = idset_of_plan(o->scope, scan);
    s.key = &key;
    *out = (AccessPath){.method = SCAN_FULL};
    out->used = scope_new_array(o->scope, bool, conjuncts->count + 1);
    out->rows = table_size(o, table)->rows;
    out->cost = full_cost(o, scan) + filters_cost(conjuncts, out);
    for (uint32_t way = 0; way <= table->indexes_count; way++) {
        if (!way_key(o, table, way, &key) || !search_key(&s))
            continue;
        cost_path(&s);
        s.path.cost += filters_cost(conjuncts, &s.path);
        if (is_better(&s.path, out))
            *out = s.path;
    }
}

bool access_in_order(Optimiser *o, const Plan *scan, const ExprList *conjuncts, uint32_t way,
                     AccessPath *out, KeyOrder *order)
{
    const Table *table = scan->scan.table;
    AccessSearch s = {.o = o, .scan = scan, .conjuncts = conjuncts};
    KeyInfo key;

    if (way > table->indexes_count || !way_key(o, table, way, &key))
        return false;
    s.own = idset_of_plan(o->scope, scan);
    s.key = &key;
    ColumnId *columns = scope_new_array(o->scope, ColumnId, key.count + 1);
    KeyColumn *keys = scope_new_array(o->scope, KeyColumn, key.count + 1);
    bool *not_null = scope_new_array(o->scope, bool, key.count + 1);
    for (uint32_t i = 0; i < key.count; i++) {
        bool plain = key.columns[i] != UINT32_MAX;
        columns[i] = plain ? key_column(&s, i) : 0;
        keys[i] = way ? table->indexes[way - 1]->columns[i].key : table->key_columns[i];
        not_null[i] = way == 0 || (plain && table->columns[key.columns[i]].not_null);
    }
    *order = (KeyOrder){key.count, columns, keys, not_null, key.unique};
    bool bounded = search_key(&s);
    cost_path(&s);
    if (!bounded) {
        s.path.method = way ? SCAN_INDEX : SCAN_FULL;
        s.path.rows = table_size(o, table)->rows;
        s.path.cost = full_cost(o, scan) + (way ? s.path.rows * COST_LOOKUP : 0);
    }
    s.path.cost += filters_cost(conjuncts, &s.path);
    *out = s.path;
    return true;
}

/* What a condition costs, roughly, in comparisons of integers. */
static double condition_cost(const Expr *expr)
{
    double cost = 0;

    if (expr->kind == EXPR_SUBQUERY)
        return expr->subquery.outer_count ? 10000 : 1;
    if (expr->kind == EXPR_IN)
        cost = 1;
    else if (expr->kind == EXPR_FUNC)
        cost = expr->func.info->cost;
    for (uint32_t i = 0; i < expr->args_count && (expr->kind != EXPR_IN || i == 0); i++) {
        cost += condition_cost(expr->args[i]);
        if (expr->kind == EXPR_FUNC && type_phys(expr->args[i]->type) == PHYS_STRING)
            cost += 1;
    }
    return cost;
}

/* Cheap ones that keep few rows first. */
static void sort_filters(Optimiser *o, ExprList *filters)
{
    double *ranks = scope_new_array(o->scope, double, filters->count + 1);

    for (uint32_t i = 0; i < filters->count; i++) {
        if (expr_can_fail(filters->data[i]))
            return;
    }
    for (uint32_t i = 0; i < filters->count; i++) {
        Expr *filter = filters->data[i];
        double rank = (selectivity_of(o, filter) - 1) / MAX(condition_cost(filter), 1);
        uint32_t at = i;
        for (; at > 0 && ranks[at - 1] > rank; at--) {
            ranks[at] = ranks[at - 1];
            filters->data[at] = filters->data[at - 1];
        }
        ranks[at] = rank;
        filters->data[at] = filter;
    }
}

void access_apply(Optimiser *o, Plan *scan, const ExprList *conjuncts, const AccessPath *path)
{
    ExprList rest = {0};

    for (uint32_t i = 0; i < conjuncts->count; i++) {
        if (!path->used[i])
            array_push(o->scope, &rest, conjuncts->data[i]);
    }
    scan->scan.method = path->method;
    scan->scan.index = path->index;
    scan->scan.bounds = path->bounds;
    scan->scan.unique_match = path->unique && path->bounds.in_count == 0;
    scan->scan.filters = rest;
    sort_filters(o, &scan->scan.filters);
    scan->cost = path->cost;
}
