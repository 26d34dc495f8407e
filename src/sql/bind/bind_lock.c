// SPDX-License-Identifier: Apache-2.0
//
// SELECT … FOR UPDATE and its like: which tables' rows are locked, and the node that locks them,
// above the sort and below the limit, so that only rows are locked that are returned.
#include "sql/bind/query_int.h"

static const struct {
    const char *words;
    RowLock mode;
} strengths[] = {
    [AST_LOCK_KEY_SHARE] = {"FOR KEY SHARE", ROW_KEY_SHARE},
    [AST_LOCK_SHARE] = {"FOR SHARE", ROW_SHARE},
    [AST_LOCK_NO_KEY_UPDATE] = {"FOR NO KEY UPDATE", ROW_NO_KEY_UPDATE},
    [AST_LOCK_UPDATE] = {"FOR UPDATE", ROW_UPDATE},
};

/* What rules locking out, NULL if nothing does. */
static const char *obstacle(const Level *level, const AstSelect *ast)
{
    if (ast->setop != AST_SETOP_NONE)
        return "UNION/INTERSECT/EXCEPT";
    if (ast->values.count > 0)
        return "VALUES";
    if (ast->distinct)
        return "DISTINCT clause";
    if (ast->group.count > 0)
        return "GROUP BY clause";
    if (ast->having)
        return "HAVING clause";
    if (level->aggs.count > 0)
        return "aggregate functions";
    if (level->sets.count > 0)
        return "set-returning functions in the target list";
    return NULL;
}

static bool is_named(const AstLocking *locking, const RangeItem *item)
{
    for (uint32_t i = 0; i < locking->tables.count; i++) {
        const AstTableRef *ref = (const AstTableRef *)locking->tables.items[i];
        if (item->rel_visible && str_equal(ref->name.name, item->name))
            return true;
    }
    return locking->tables.count == 0;
}

static Status check_names(Binder *b, const Level *level, const AstLocking *locking)
{
    for (uint32_t i = 0; i < locking->tables.count; i++) {
        const AstTableRef *ref = (const AstTableRef *)locking->tables.items[i];
        bool found = false;
        for (uint32_t j = 0; j < level->items.count; j++) {
            const RangeItem *item = level->items.data[j];
            found |= item->rel_visible && str_equal(item->name, ref->name.name);
        }
        if (!found)
            return bind_at(b, ref->node.location,
                           error_raise(b->ctx, E_UNDEFINED_TABLE,
                                       "relation \"%.*s\" in %s clause not found in FROM clause",
                                       STR_ARGS(ref->name.name),
                                       strengths[locking->strength].words));
    }
    return OK;
}

static Status lock_item(Binder *b, const AstLocking *locking, const RangeItem *item,
                        TargetList *targets)
{
    Status st = OK;
    const char *words = strengths[locking->strength].words;

    if (item->is_subquery)
        TRY(bind_unsupported(b, locking->node.location, "row locks on a subquery in FROM are"));
    if (item->table == NULL) {
        if (locking->tables.count > 0 && item->is_join)
            BIND_FAIL(b, locking->node.location, E_FEATURE_NOT_SUPPORTED,
                      "%s cannot be applied to a join", words);
        if (locking->tables.count > 0)
            BIND_FAIL(b, locking->node.location, E_FEATURE_NOT_SUPPORTED,
                      "%s cannot be applied to a function or WITH query", words);
        goto done;
    }
    if (item->nullable)
        BIND_FAIL(b, locking->node.location, E_FEATURE_NOT_SUPPORTED,
                  "%s cannot be applied to the nullable side of an outer join", words);
    Target junk = {.expr = expr_column(b->scope, item->key, sql_type(OID_BYTEA), "ctid"),
                   .name = STR("ctid"),
                   .junk = true};
    array_push(b->scope, targets, junk);
    bind_use_table(b, item->table->object.oid, TABLE_ROW_SHARE);
    b->writes = true;
done:
    return st;
}

Status bind_locking(Binder *b, Level *level, const AstSelect *ast, TargetList *targets)
{
    Status st = OK;

    for (uint32_t i = 0; i < ast->locking.count; i++) {
        const AstLocking *locking = (const AstLocking *)ast->locking.items[i];
        const char *because = obstacle(level, ast);
        if (because)
            BIND_FAIL(b, locking->node.location, E_FEATURE_NOT_SUPPORTED,
                      "%s is not allowed with %s", strengths[locking->strength].words, because);
        TRY(check_names(b, level, locking));
        for (uint32_t j = 0; j < level->items.count; j++) {
            if (is_named(locking, level->items.data[j]))
                TRY(lock_item(b, locking, level->items.data[j], targets));
        }
    }
done:
    return st;
}

Plan *bind_lock_plan(Binder *b, Level *level, const AstSelect *ast, Plan *child)
{
    for (uint32_t i = 0; i < ast->locking.count; i++) {
        const AstLocking *locking = (const AstLocking *)ast->locking.items[i];
        Plan *plan = bind_over(b, PLAN_LOCK_ROWS, child);
        plan->lock_rows.tables = scope_new_array(b->scope, const Table *, level->items.count + 1);
        plan->lock_rows.keys = scope_new_array(b->scope, ColumnId, level->items.count + 1);
        plan->lock_rows.mode = strengths[locking->strength].mode;
        plan->lock_rows.nowait = locking->wait == AST_LOCK_NOWAIT;
        plan->lock_rows.skip_locked = locking->wait == AST_LOCK_SKIP_LOCKED;
        for (uint32_t j = 0; j < level->items.count; j++) {
            const RangeItem *item = level->items.data[j];
            if (item->table == NULL || !is_named(locking, item))
                continue;
            plan->lock_rows.tables[plan->lock_rows.count] = item->table;
            plan->lock_rows.keys[plan->lock_rows.count++] = item->key;
        }
        if (plan->lock_rows.count > 0)
            child = plan;
    }
    return child;
}
