// SPDX-License-Identifier: Apache-2.0
//
// Aggregates over much of which only little is used: joined by their groups with a relation that
// has few of the values (as unnesting makes them: one group for every possible value of what was
// correlated). A semijoin below the aggregate with a copy of that relation computes only the groups
// that are looked for; what magic sets do.
#include "sql/optimise/block.h"

#define INPUT_ROWS_MIN 20000.0
#define SHARE_MAX      0.2 /* of the values are looked for */

/* An aggregate and one of its groups, found below a relation's plan. */
typedef struct GroupColumn {
    Plan *aggregate;
    Expr *input; /* the column of the aggregate's child that is grouped by */
} GroupColumn;

static bool find_group(Plan *plan, ColumnId id, GroupColumn *out)
{
    for (;; plan = plan->children[0]) {
        uint32_t at = 0;
        while (at < plan->columns_count && plan->columns[at].id != id)
            at++;
        if (at == plan->columns_count)
            return false;
        switch (plan->kind) {
        case PLAN_FILTER: break;
        case PLAN_PROJECT:
            if (plan->project.exprs.data[at]->kind != EXPR_COLUMN)
                return false;
            id = plan->project.exprs.data[at]->column.id;
            break;
        case PLAN_AGGREGATE:
            if (at >= plan->aggregate.groups.count || plan->aggregate.sets_count)
                return false;
            out->aggregate = plan;
            out->input = plan->aggregate.groups.data[at];
            return out->input->kind == EXPR_COLUMN;
        default: return false;
        }
    }
}

/* Rows of the largest table read below. */
static double input_rows(Optimiser *o, const Plan *plan)
{
    double rows = plan->kind == PLAN_SCAN ? table_size(o, plan->scan.table)->rows : 0;

    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            rows = MAX(rows, input_rows(o, plan->children[i]));
    }
    return rows;
}

/* The share of the column's values that the relation has after its conditions; 1: not known. */
static double share_of_values(Block *b, const BlockRel *rel, const Expr *column)
{
    const ColumnOrigin *origin = column_origin(b->o, column->column.id);

    if (rel->op != JOIN_INNER || rel->plan->kind != PLAN_SCAN || rel->local.count == 0 ||
        origin == NULL || !origin->unique)
        return 1;
    for (uint32_t i = 0; i < rel->local.count; i++) {
        if (expr_has_subquery(rel->local.data[i]) || expr_is_volatile(rel->local.data[i]))
            return 1;
    }
    return selectivity_of_list(b->o, &rel->local);
}

static void reduce(Block *b, const GroupColumn *group, const BlockRel *by, const Expr *column)
{
    Optimiser *o = b->o;
    U64Map *ids = u64map_new(o->scope);
    Plan *copy = plan_clone(o, plan_filter(o->scope, by->plan, &by->local), ids);
    ColumnId id = (ColumnId)(uintptr_t)u64map_get(ids, column->column.id);
    const PlanColumn *made = plan_column(copy, id);
    const OperatorInfo *op = operator_exact("=", column->type.oid, column->type.oid);
    Plan *join = plan_new(o->scope, PLAN_JOIN, 0);

    if (op == NULL || made == NULL || group->input->type.oid != column->type.oid)
        return;
    Expr *equal = expr_new(o->scope, EXPR_FUNC, sql_type(OID_BOOL), 2);
    equal->func.op = op;
    equal->func.info = op->func;
    equal->args[0] = group->input;
    equal->args[1] = plan_column_expr(o->scope, made);
    join->join.type = JOIN_SEMI;
    join->children[0] = group->aggregate->children[0];
    join->children[1] = copy;
    array_push(o->scope, &join->join.conditions, equal);
    join_set_columns(o, join);
    group->aggregate->children[0] = join;
    origins_note(o, copy);
}

/* The relation with the smallest share of the class's values. */
static const BlockRel *smallest_of(Block *b, const EqualClass *class, const BlockRel *but,
                                   const Expr **column)
{
    const BlockRel *best = NULL;
    double smallest = SHARE_MAX;

    for (uint32_t i = 0; i < class->members.count; i++) {
        const ClassMember *member = &class->members.data[i];
        const BlockRel *rel = &b->rels[member->rel];
        double share = rel == but ? 1 : share_of_values(b, rel, member->column);
        if (share < smallest) {
            smallest = share;
            best = rel;
            *column = member->column;
        }
    }
    return best;
}

static void try_member(Block *b, const EqualClass *class, const BlockRel *rel, ColumnId id)
{
    GroupColumn group;
    const Expr *column;

    if (!find_group(rel->plan, id, &group) ||
        input_rows(b->o, group.aggregate->children[0]) < INPUT_ROWS_MIN)
        return;
    const BlockRel *by = smallest_of(b, class, rel, &column);
    if (by)
        reduce(b, &group, by, column);
}

/* Outer-joined aggregates: by the classes of what they are joined with. */
static void reduce_operator(Block *b, const BlockRel *rel)
{
    IdSet own = idset_of_plan(b->o->scope, rel->plan);

    for (uint32_t i = 0; i < rel->conds.count; i++) {
        Expr *inner, *outer;
        if (!condition_separates(b->o, rel->conds.data[i], &own, &inner, &outer) ||
            inner->kind != EXPR_COLUMN || outer->kind != EXPR_COLUMN ||
            inner->type.oid != outer->type.oid || predicate_compare(rel->conds.data[i]) == 0)
            continue;
        EqualClass alone = {0};
        for (uint32_t j = 0; j < b->classes.count; j++) {
            const EqualClass *class = &b->classes.data[j];
            for (uint32_t k = 0; k < class->members.count; k++) {
                if (class->members.data[k].column->column.id == outer->column.id)
                    alone = *class;
            }
        }
        RelMask mask = block_mask(b, outer);
        if (alone.members.count == 0 && mask) {
            ClassMember member = {.column = outer, .rel = (uint32_t)__builtin_ctzll(mask)};
            array_push(b->o->scope, &alone.members, member);
        }
        try_member(b, &alone, rel, inner->column.id);
    }
}

void block_reduce(Block *b)
{
    for (uint32_t i = 0; i < b->classes.count; i++) {
        const EqualClass *class = &b->classes.data[i];
        for (uint32_t j = 0; j < class->members.count; j++)
            try_member(b, class, &b->rels[class->members.data[j].rel],
                       class->members.data[j].column->column.id);
    }
    for (uint32_t i = 0; i < b->rels_count; i++) {
        if (b->rels[i].op == JOIN_LEFT || b->rels[i].op == JOIN_SINGLE)
            reduce_operator(b, &b->rels[i]);
    }
}
