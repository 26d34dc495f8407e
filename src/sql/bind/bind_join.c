// SPDX-License-Identifier: Apache-2.0
//
// JOIN in FROM: ON sees the join's two sides only; USING and NATURAL merge columns. The join has an
// item of its own: unqualified names are looked up there, qualified ones still in its sides unless
// the join has an alias.
#include "sql/bind/query_int.h"

typedef struct JoinSides {
    const AstJoin *ast;
    uint32_t first;       /* items from here on belong to the join */
    uint32_t right_first; /* … and from here on to its right side */
    RangeItem *left, *right;
    AstNames merged; /* USING's names, or those NATURAL finds */
    RangeColumn *merged_columns;
    Plan *plan;
} JoinSides;

static JoinType join_type(AstJoinType type)
{
    static const JoinType types[] = {[AST_JOIN_INNER] = JOIN_INNER,
                                     [AST_JOIN_LEFT] = JOIN_LEFT,
                                     [AST_JOIN_RIGHT] = JOIN_RIGHT,
                                     [AST_JOIN_FULL] = JOIN_FULL};
    return types[type];
}

/* The left side's items can be seen laterally by the right one unless it may be missing. */
static Status bind_sides(Binder *b, Level *level, JoinSides *sides)
{
    Status st = OK;
    const AstJoin *ast = sides->ast;
    bool hides = ast->type == AST_JOIN_RIGHT || ast->type == AST_JOIN_FULL;
    Plan *left, *right;

    sides->first = level->items.count;
    TRY(bind_from_item(b, level, ast->left, &left));
    sides->left = array_last(&level->items);
    sides->right_first = level->items.count;
    for (uint32_t i = sides->first; i < sides->right_first && hides; i++)
        level->items.data[i]->lateral_ok = false;
    bool used = level->lateral_used;
    level->lateral_used = false;
    TRY(bind_from_item(b, level, ast->right, &right));
    sides->right = array_last(&level->items);
    sides->plan = bind_join_plan(b, level, join_type(ast->type), left, right);
    level->lateral_used |= used;
    for (uint32_t i = sides->first; i < sides->right_first; i++)
        level->items.data[i]->lateral_ok = true;
    TRY(bind_check_duplicate_names(b, level, sides->first, -1));
done:
    return st;
}

static Status mark_nullable(Binder *b, const Level *level, const JoinSides *sides)
{
    Status st = OK;
    AstJoinType type = sides->ast->type;

    for (uint32_t i = sides->first; i < level->items.count; i++) {
        RangeItem *item = level->items.data[i];
        bool right = i >= sides->right_first;
        if (type != AST_JOIN_FULL && type != (right ? AST_JOIN_LEFT : AST_JOIN_RIGHT))
            continue;
        item->nullable = true;
        if (item->working)
            BIND_FAIL(b, item->location, E_INVALID_RECURSION,
                      "recursive reference to query \"%.*s\" must not appear within an outer join",
                      STR_ARGS(item->table_name));
    }
done:
    return st;
}

static Status bind_on(Binder *b, Level *level, JoinSides *sides)
{
    Status st = OK;
    bool in_from = level->in_from;
    uint32_t visible_from = level->visible_from;
    Expr *condition;

    if (sides->ast->on == NULL)
        goto done;
    level->in_from = false;
    level->visible_from = sides->first;
    st = bind_condition(b, level, CLAUSE_JOIN_ON, sides->ast->on, "JOIN/ON", &condition);
    level->in_from = in_from;
    level->visible_from = visible_from;
    TRY(st);
    expr_conjuncts(b->scope, condition, &sides->plan->join.conditions);
done:
    return st;
}

// --- USING -------------------------------------------------------------------------------------

static Status find_common(Binder *b, const RangeItem *item, Str name, const char *side,
                          int32_t location, const RangeColumn **out)
{
    Status st = OK;

    *out = NULL;
    for (uint32_t i = 0; i < item->columns_count; i++) {
        if (!str_equal(item->columns[i].name, name))
            continue;
        if (*out)
            BIND_FAIL(b, location, E_AMBIGUOUS_COLUMN,
                      "common column name \"%.*s\" appears more than once in %s table",
                      STR_ARGS(name), side);
        *out = &item->columns[i];
    }
    if (*out == NULL)
        BIND_FAIL(b, location, E_UNDEFINED_COLUMN,
                  "column \"%.*s\" specified in USING clause does not exist in %s table",
                  STR_ARGS(name), side);
done:
    return st;
}

static bool item_has(const RangeItem *item, Str name)
{
    for (uint32_t i = 0; i < item->columns_count; i++) {
        if (str_equal(item->columns[i].name, name))
            return true;
    }
    return false;
}

static void natural_names(Binder *b, JoinSides *sides)
{
    const RangeItem *left = sides->left;

    sides->merged.items = scope_new_array(b->scope, Str, left->columns_count + 1);
    for (uint32_t i = 0; i < left->columns_count; i++) {
        if (item_has(sides->right, left->columns[i].name))
            sides->merged.items[sides->merged.count++] = left->columns[i].name;
    }
}

/* What the merged column is: either side, or for FULL JOIN the one that is there. */
static Status merge_columns(Binder *b, const JoinSides *sides, Expr *left, Expr *right, Expr **out)
{
    Status st = OK;
    Expr *both[2] = {left, right};
    SqlType type;
    Oid common;

    TRY(bind_common_type(b, both, 2, "JOIN/USING", &common));
    if (sides->ast->type != AST_JOIN_FULL) {
        Expr *side = sides->ast->type == AST_JOIN_RIGHT ? right : left;
        TRY(bind_coerce(b, side, sql_type(common), CAST_IMPLICIT, side->location, out));
        goto done;
    }
    TRY(bind_to_common(b, both, 2, common, "JOIN/USING", &type));
    Expr *merged = expr_new(b->scope, EXPR_COALESCE, type, 2);
    memcpy(merged->args, both, sizeof both);
    *out = merged;
done:
    return st;
}

static Status bind_using(Binder *b, JoinSides *sides)
{
    Status st = OK;
    int32_t location = sides->ast->node.location;
    Expr *equal;

    sides->merged = sides->ast->using_columns;
    if (sides->ast->natural)
        natural_names(b, sides);
    sides->merged_columns = scope_new_array(b->scope, RangeColumn, sides->merged.count + 1);
    for (uint32_t i = 0; i < sides->merged.count; i++) {
        Str name = sides->merged.items[i];
        const RangeColumn *left, *right;
        for (uint32_t j = 0; j < i; j++) {
            if (str_equal(sides->merged.items[j], name))
                BIND_FAIL(b, location, E_DUPLICATE_COLUMN,
                          "column name \"%.*s\" appears more than once in USING clause",
                          STR_ARGS(name));
        }
        TRY(find_common(b, sides->left, name, "left", location, &left));
        TRY(find_common(b, sides->right, name, "right", location, &right));
        TRY(bind_apply_op(b, STR("="), bind_range_ref(b, left, location),
                          bind_range_ref(b, right, location), location, &equal));
        expr_conjuncts(b->scope, equal, &sides->plan->join.conditions);
        sides->merged_columns[i].name = name;
        TRY(merge_columns(b, sides, bind_range_ref(b, left, location),
                          bind_range_ref(b, right, location), &sides->merged_columns[i].expr));
    }
done:
    return st;
}

// --- the join's own item -----------------------------------------------------------------------

static bool is_merged(const JoinSides *sides, Str name)
{
    for (uint32_t i = 0; i < sides->merged.count; i++) {
        if (str_equal(sides->merged.items[i], name))
            return true;
    }
    return false;
}

static void add_rest(const JoinSides *sides, const RangeItem *side, RangeItem *item)
{
    for (uint32_t i = 0; i < side->columns_count; i++) {
        if (!is_merged(sides, side->columns[i].name))
            item->columns[item->columns_count++] = side->columns[i];
    }
}

static Status add_join_item(Binder *b, Level *level, JoinSides *sides)
{
    Status st = OK;
    const AstJoin *ast = sides->ast;
    uint32_t count = sides->merged.count + sides->left->columns_count + sides->right->columns_count;
    RangeItem *item = bind_add_item(b, level, (Str){0}, count);

    sides->left->cols_visible = false;
    sides->right->cols_visible = false;
    item->is_join = true;
    item->columns_count = sides->merged.count;
    if (sides->merged.count > 0)
        memcpy(item->columns, sides->merged_columns, sides->merged.count * sizeof *item->columns);
    add_rest(sides, sides->left, item);
    add_rest(sides, sides->right, item);
    if (ast->alias) {
        for (uint32_t i = sides->first; i + 1 < level->items.count; i++)
            level->items.data[i]->rel_visible = false;
        TRY(bind_apply_alias(b, item, ast->alias, ast->node.location));
    }
done:
    return st;
}

/* USING (a) AS x: x names the merged columns; the join's own item stays the last one. */
static void add_using_alias(Binder *b, Level *level, const JoinSides *sides)
{
    if (sides->ast->using_alias == NULL)
        return;
    RangeItem *item = bind_add_item(b, level, sides->ast->using_alias->name, sides->merged.count);
    item->cols_visible = false;
    item->is_join = true;
    if (sides->merged.count > 0)
        memcpy(item->columns, sides->merged_columns, sides->merged.count * sizeof *item->columns);
}

Status bind_join(Binder *b, Level *level, const AstJoin *ast, Plan **out)
{
    Status st = OK;
    JoinSides sides = {.ast = ast};

    TRY(bind_sides(b, level, &sides));
    TRY(bind_on(b, level, &sides));
    if (ast->natural || ast->using_columns.count > 0)
        TRY(bind_using(b, &sides));
    TRY(mark_nullable(b, level, &sides));
    add_using_alias(b, level, &sides);
    TRY(add_join_item(b, level, &sides));
    *out = sides.plan;
done:
    return st;
}
