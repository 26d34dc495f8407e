// SPDX-License-Identifier: Apache-2.0
//
// A canonical order of a block's relations, so that neither names nor the order of FROM decide
// between plans of equal cost. Relations are sorted by size; equal ones by a signature: a hash of
// the relation's shape and conditions, refined a few times with the signatures of the relations
// that it is joined with (as in the Weisfeiler-Lehman test of isomorphism).
#include "sql/optimise/block.h"

#include "base/hash.h"

#define ROUNDS 3

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t words[2] = {a, b};

    return hash_memory(words, sizeof words);
}

static uint64_t hash_rows(double value)
{
    return (uint64_t)(value * 16);
}

/* A column is known by its place in its relation. */
static uint64_t column_signature(const Block *b, ColumnId id)
{
    for (uint32_t i = 0; i < b->rels_count; i++) {
        const Plan *plan = b->rels[i].plan;
        for (uint32_t j = 0; j < plan->columns_count; j++) {
            if (plan->columns[j].id == id)
                return mix(b->rels[i].signature, j);
        }
        if (b->rels[i].mark == id)
            return mix(b->rels[i].signature, UINT32_MAX);
    }
    return 1;
}

static uint64_t datum_signature(const Datum *datum)
{
    if (datum->is_null)
        return 2;
    if (type_phys(datum->type) == PHYS_STRING) {
        Str text = strview_str(&datum->string);
        return hash_memory(text.ptr, text.len);
    }
    return hash_memory(datum->bytes, phys_size[type_phys(datum->type)]);
}

static uint64_t expr_signature(const Block *b, const Expr *expr)
{
    uint64_t hash = mix(expr->kind, expr->type.oid);
    bool symmetric =
        expr->kind == EXPR_AND || expr->kind == EXPR_OR || predicate_compare(expr) == COMPARE_EQ;
    uint64_t sum = 0;

    switch (expr->kind) {
    case EXPR_CONST: return mix(hash, datum_signature(&expr->constant));
    case EXPR_COLUMN: return mix(hash, column_signature(b, expr->column.id));
    case EXPR_PARAM: return mix(hash, expr->param.at);
    case EXPR_FUNC:
    case EXPR_ANY: {
        const char *name = expr->func.info->name;
        hash = mix(hash, hash_memory(name, strlen(name)));
        break;
    }
    case EXPR_IS_NULL:
    case EXPR_IS_BOOL:
    case EXPR_DISTINCT:
    case EXPR_IN: hash = mix(hash, expr->test.negated * 8 + expr->test.test); break;
    default: break;
    }
    for (uint32_t i = 0; i < expr->args_count; i++) {
        uint64_t arg = expr_signature(b, expr->args[i]);
        if (symmetric)
            sum += arg;
        else
            hash = mix(hash, arg);
    }
    return mix(hash, sum);
}

static uint64_t list_signature(const Block *b, const ExprList *list)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < list->count; i++)
        sum += expr_signature(b, list->data[i]);
    return sum;
}

static uint64_t class_signature(const Block *b, const EqualClass *class)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < class->members.count; i++)
        sum += column_signature(b, class->members.data[i].column->column.id);
    return sum;
}

static uint64_t refined(const Block *b, uint32_t at)
{
    const BlockRel *rel = &b->rels[at];
    uint64_t hash = mix(rel->signature, list_signature(b, &rel->conds));

    for (uint32_t i = 0; i < b->classes.count; i++) {
        const EqualClass *class = &b->classes.data[i];
        uint64_t sum = class_signature(b, class);
        for (uint32_t j = 0; j < class->members.count; j++) {
            if (class->members.data[j].rel == at)
                hash += mix(sum, column_signature(b, class->members.data[j].column->column.id));
        }
    }
    for (uint32_t i = 0; i < b->conds.count; i++) {
        if (b->conds.data[i].mask & rel_bit(at))
            hash += expr_signature(b, b->conds.data[i].expr);
    }
    for (uint32_t i = 0; i < b->computed.count; i++) {
        if (block_mask(b, b->computed.data[i].expr) & rel_bit(at))
            hash += mix(3, expr_signature(b, b->computed.data[i].expr));
    }
    return hash;
}

static bool goes_before(const BlockRel *a, const BlockRel *b)
{
    if (a->rows != b->rows)
        return a->rows < b->rows;
    if (a->cost != b->cost)
        return a->cost < b->cost;
    return a->signature < b->signature;
}

/* order[new] = old */
static void apply_order(Block *b, const uint32_t *order)
{
    BlockRel *old = scope_new_array(b->o->scope, BlockRel, b->rels_count);
    uint32_t place[BLOCK_RELATIONS_MAX];

    memcpy(old, b->rels, b->rels_count * sizeof *old);
    for (uint32_t i = 0; i < b->rels_count; i++)
        place[order[i]] = i;
    for (uint32_t i = 0; i < b->rels_count; i++) {
        BlockRel *rel = &b->rels[i];
        *rel = old[order[i]];
        RelMask required = 0;
        for (uint32_t j = 0; j < b->rels_count; j++)
            required |= rel->required & rel_bit(j) ? rel_bit(place[j]) : 0;
        rel->required = required;
    }
    for (uint32_t i = 0; i < b->classes.count; i++) {
        for (uint32_t j = 0; j < b->classes.data[i].members.count; j++) {
            ClassMember *member = &b->classes.data[i].members.data[j];
            member->rel = place[member->rel];
        }
    }
    for (uint32_t i = 0; i < b->conds.count; i++)
        b->conds.data[i].mask = block_mask(b, b->conds.data[i].expr);
}

static void sort_members(EqualClass *class)
{
    for (uint32_t i = 1; i < class->members.count; i++) {
        ClassMember member = class->members.data[i];
        uint32_t at = i;
        for (; at > 0 && class->members.data[at - 1].rel > member.rel; at--)
            class->members.data[at] = class->members.data[at - 1];
        class->members.data[at] = member;
    }
}

static void sort_classes(Block *b)
{
    uint64_t *keys = scope_new_array(b->o->scope, uint64_t, b->classes.count + 1);

    for (uint32_t i = 0; i < b->classes.count; i++) {
        sort_members(&b->classes.data[i]);
        keys[i] = class_signature(b, &b->classes.data[i]);
    }
    for (uint32_t i = 1; i < b->classes.count; i++) {
        EqualClass class = b->classes.data[i];
        uint64_t key = keys[i];
        uint32_t at = i;
        for (; at > 0 && keys[at - 1] > key; at--) {
            b->classes.data[at] = b->classes.data[at - 1];
            keys[at] = keys[at - 1];
        }
        b->classes.data[at] = class;
        keys[at] = key;
    }
}

static void sort_conditions(Block *b)
{
    uint64_t *keys = scope_new_array(b->o->scope, uint64_t, b->conds.count + 1);

    for (uint32_t i = 0; i < b->conds.count; i++) {
        BlockCond cond = b->conds.data[i];
        uint64_t key = expr_signature(b, cond.expr);
        uint32_t at = i;
        for (; at > 0 && keys[at - 1] > key; at--) {
            b->conds.data[at] = b->conds.data[at - 1];
            keys[at] = keys[at - 1];
        }
        b->conds.data[at] = cond;
        keys[at] = key;
    }
}

void block_sort(Block *b)
{
    uint32_t order[BLOCK_RELATIONS_MAX];
    uint64_t next[BLOCK_RELATIONS_MAX];

    for (uint32_t i = 0; i < b->rels_count; i++) {
        BlockRel *rel = &b->rels[i];
        rel->signature = mix(hash_rows(rel->rows), rel->plan->kind * 16 + rel->op);
        rel->signature = mix(rel->signature, rel->plan->columns_count);
    }
    for (uint32_t i = 0; i < b->rels_count; i++)
        next[i] = mix(b->rels[i].signature, list_signature(b, &b->rels[i].local));
    for (uint32_t round = 0; round <= ROUNDS; round++) {
        for (uint32_t i = 0; i < b->rels_count; i++)
            b->rels[i].signature = next[i];
        for (uint32_t i = 0; i < b->rels_count; i++)
            next[i] = refined(b, i);
    }
    for (uint32_t i = 0; i < b->rels_count; i++) {
        uint32_t at = i;
        for (; at > 0 && goes_before(&b->rels[i], &b->rels[order[at - 1]]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    apply_order(b, order);
    sort_classes(b);
    sort_conditions(b);
}
