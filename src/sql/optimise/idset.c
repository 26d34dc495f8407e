// SPDX-License-Identifier: Apache-2.0
//
// Sets of column ids as bitmaps, and the columns that plans make and expressions use. Memory comes
// from the statement's scope; sets are small (one bit a column of the query).
#include "sql/optimise/optimise_int.h"

static void grow(Scope *scope, IdSet *set, uint32_t words)
{
    if (words <= set->words_count)
        return;
    words = (uint32_t)align_up(words, 4);
    uint64_t *grown = scope_new_array(scope, uint64_t, words);
    if (set->words_count)
        memcpy(grown, set->words, set->words_count * sizeof *grown);
    set->words = grown;
    set->words_count = words;
}

void idset_add(Scope *scope, IdSet *set, ColumnId id)
{
    grow(scope, set, id / 64 + 1);
    set->words[id / 64] |= UINT64_C(1) << (id % 64);
}

void idset_union(Scope *scope, IdSet *set, const IdSet *other)
{
    grow(scope, set, other->words_count);
    for (uint32_t i = 0; i < other->words_count; i++)
        set->words[i] |= other->words[i];
}

void idset_subtract(IdSet *set, const IdSet *other)
{
    for (uint32_t i = 0; i < MIN(set->words_count, other->words_count); i++)
        set->words[i] &= ~other->words[i];
}

bool idset_has(const IdSet *set, ColumnId id)
{
    return id / 64 < set->words_count && (set->words[id / 64] >> (id % 64) & 1);
}

bool idset_empty(const IdSet *set)
{
    for (uint32_t i = 0; i < set->words_count; i++) {
        if (set->words[i])
            return false;
    }
    return true;
}

bool idset_within(const IdSet *a, const IdSet *b)
{
    for (uint32_t i = 0; i < a->words_count; i++) {
        if (a->words[i] & ~(i < b->words_count ? b->words[i] : 0))
            return false;
    }
    return true;
}

bool idset_overlaps(const IdSet *a, const IdSet *b)
{
    for (uint32_t i = 0; i < MIN(a->words_count, b->words_count); i++) {
        if (a->words[i] & b->words[i])
            return true;
    }
    return false;
}

IdSet idset_of_plan(Scope *scope, const Plan *plan)
{
    IdSet set = {0};

    for (uint32_t i = 0; i < plan->columns_count; i++)
        idset_add(scope, &set, plan->columns[i].id);
    return set;
}

typedef struct UseSearch {
    Scope *scope;
    IdSet *set;
} UseSearch;

static bool note_use(void *arg, Expr *expr)
{
    UseSearch *search = arg;

    if (expr->kind == EXPR_COLUMN)
        idset_add(search->scope, search->set, expr->column.id);
    for (uint32_t i = 0; expr->kind == EXPR_SUBQUERY && i < expr->subquery.outer_count; i++)
        idset_add(search->scope, search->set, expr->subquery.outer[i]);
    return true;
}

void idset_add_expr(Scope *scope, IdSet *set, const Expr *expr)
{
    UseSearch search = {scope, set};

    expr_walk((Expr *)expr, note_use, &search);
}

IdSet idset_of_expr(Scope *scope, const Expr *expr)
{
    IdSet set = {0};

    idset_add_expr(scope, &set, expr);
    return set;
}
