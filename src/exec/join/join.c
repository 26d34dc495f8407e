// SPDX-License-Identifier: Apache-2.0
//
// Choosing the join's method, and what all methods share: columns of NULLs, the answers of
// semijoins and their like.
#include "exec/join/join.h"

Vector *join_null_columns(Scope *scope, const Plan *plan)
{
    Vector *columns = scope_new_array(scope, Vector, plan->columns_count + 1);

    for (uint32_t i = 0; i < plan->columns_count; i++)
        vector_init_const(&columns[i], scope, plan->columns[i].type, NULL);
    return columns;
}

Expr *join_condition(Scope *scope, const Plan *plan)
{
    return expr_and(scope, plan->join.conditions.data, plan->join.conditions.count);
}

Status join_single_violation(Ctx *ctx)
{
    return error_raise(ctx, E_CARDINALITY_VIOLATION,
                       "more than one row returned by a subquery used as an expression");
}

static Status emit_selected(Worker *worker, const Stage *stage, const Batch *left,
                            const uint8_t *marks, uint8_t wanted)
{
    uint32_t *rows = scope_new_array(worker->batch, uint32_t, left->rows_count + 1), count = 0;
    Batch out = *left;

    for (uint32_t row = 0; row < left->rows_count; row++) {
        rows[count] = row;
        count += marks[row] == wanted;
    }
    if (count < left->rows_count)
        batch_slice(&out, worker->batch, left, rows, count);
    out.rows_count = count;
    return stage_emit(worker, stage, &out);
}

static Status emit_mark(Worker *worker, const Stage *stage, const Batch *left, const uint8_t *marks)
{
    uint32_t rows = left->rows_count, columns = left->columns_count;
    Vector *all = scope_new_array(worker->batch, Vector, columns + 1);
    Vector *mark = &all[columns];

    if (columns)
        memcpy(all, left->columns, columns * sizeof *all);
    vector_init_flat(mark, worker->batch, sql_type(OID_BOOL), rows);
    for (uint32_t row = 0; row < rows; row++) {
        vector_flat(mark, uint8_t)[row] = marks[row] == 1;
        if (marks[row] == 2)
            bitmap_clear(vector_make_validity(mark, worker->batch, rows), row);
    }
    Batch out = {rows, columns + 1, all};
    return stage_push(worker, stage->next, &out);
}

Status join_emit_marked(Worker *worker, const Stage *stage, const Plan *plan, const Batch *left,
                        const uint8_t *marks)
{
    switch (plan->join.type) {
    case JOIN_SEMI: return emit_selected(worker, stage, left, marks, 1);
    case JOIN_ANTI:
    case JOIN_ANTI_NULL: return emit_selected(worker, stage, left, marks, 0);
    default: return emit_mark(worker, stage, left, marks);
    }
}

Status build_join(Query *query, const Plan *plan, Stage *to)
{
    if (plan->join.dependent)
        return build_dependent_join(query, plan, to);
    if (plan->join.method == JOIN_INDEX)
        return build_index_join(query, plan, to);
    if (plan->join.method == JOIN_HASH && plan->join.left_keys.count)
        return build_hash_join(query, plan, to);
    return build_nested_join(query, plan, to);
}
