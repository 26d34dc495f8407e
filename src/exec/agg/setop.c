// SPDX-License-Identifier: Apache-2.0
//
// Set operations. UNION ALL is two children with one consumer, UNION the same below a DISTINCT.
// INTERSECT and EXCEPT count each row's appearances on both sides in one table, in the calling
// thread, and then give each row as often as it is due.
#include "exec/agg/agg_table.h"
#include "exec/agg/distinct.h"

typedef struct Counts {
    uint64_t side[2];
} Counts;

typedef struct Setop Setop;

typedef struct SideStage {
    Stage stage;
    Setop *setop;
    uint32_t side;
} SideStage;

struct Setop {
    SideStage sides[2];
    Source source;
    const Plan *plan;
    AggTable *table;
    Tuple *tuples;
};

static Status side_push(Worker *worker, Stage *stage, void *state UNUSED, const Batch *in)
{
    Status st = OK;
    SideStage *side = (SideStage *)stage;
    Setop *self = side->setop;

    TRY(agg_table_find(worker->ctx, self->table, in, NULL, self->tuples));
    for (uint32_t i = 0; i < in->rows_count; i++) {
        Counts *counts = agg_tuple_states(self->table, self->tuples[i]);
        counts->side[side->side]++;
    }
done:
    return st;
}

static const StageOps side_ops = {.name = "set operation", .push = side_push};

/* How often a row is in the result. */
static uint64_t copies(SetOp op, const Counts *counts)
{
    uint64_t left = counts->side[0], right = counts->side[1];

    switch (op) {
    case SETOP_INTERSECT: return left && right;
    case SETOP_INTERSECT_ALL: return MIN(left, right);
    case SETOP_EXCEPT: return left && !right;
    case SETOP_EXCEPT_ALL: return left > right ? left - right : 0;
    default: return 0;
    }
}

// --- reading ------------------------------------------------------------------------------------

typedef struct ReadState {
    const TupleChunk *chunk;
    uint32_t at;
    uint64_t given; /* copies of the tuple at `at` */
    Vector *columns;
    VectorBuffer *buffers;
    Tuple tuples[BATCH_ROWS_MAX];
} ReadState;

static Setop *setop_of(Source *source)
{
    return (Setop *)((char *)source - offsetof(Setop, source));
}

static Status read_prepare(Query *query UNUSED, Source *source UNUSED, uint32_t *morsels)
{
    *morsels = 1;
    return OK;
}

static Status read_begin(Worker *worker, Source *source, uint32_t morsel UNUSED, void **out)
{
    Setop *self = setop_of(source);
    ReadState *state = scope_new(worker->scope, ReadState);

    state->chunk = self->table->tuples.first;
    state->columns = scope_new_array(worker->scope, Vector, self->plan->columns_count + 1);
    state->buffers = vector_buffers_new(worker->scope, self->plan->columns_count);
    *out = state;
    return OK;
}

static Status read_next(Worker *worker UNUSED, Source *source, void *arg, Batch *out)
{
    Setop *self = setop_of(source);
    ReadState *state = arg;
    const TupleLayout *layout = &self->table->layout;
    uint32_t rows = 0;

    while (state->chunk && rows < BATCH_ROWS_MAX) {
        if (state->at == state->chunk->count) {
            state->chunk = state->chunk->next;
            state->at = 0;
            continue;
        }
        Tuple tuple = state->chunk->tuples + (size_t)state->at * layout->tuple_bytes;
        uint64_t due = copies(self->plan->setop.op, agg_tuple_states(self->table, tuple));
        for (; state->given < due && rows < BATCH_ROWS_MAX; state->given++)
            state->tuples[rows++] = tuple;
        if (state->given == due) {
            state->given = 0;
            state->at++;
        }
    }
    *out = (Batch){rows, self->plan->columns_count, state->columns};
    for (uint32_t i = 0; i < self->plan->columns_count && rows; i++)
        tuple_gather(layout, i, state->tuples, rows, &state->buffers[i], &state->columns[i]);
    return OK;
}

static const SourceOps read_ops = {
    .name = "set operation", .prepare = read_prepare, .begin = read_begin, .next = read_next};

// --- building -----------------------------------------------------------------------------------

static Status build_counted(Query *query, const Plan *plan, Stage *to)
{
    Status st = OK;
    Setop *self = scope_new(query->scope, Setop);
    SqlType *types = scope_new_array(query->scope, SqlType, plan->columns_count + 1);

    for (uint32_t i = 0; i < plan->columns_count; i++)
        types[i] = plan->columns[i].type;
    self->plan = plan;
    self->table = agg_table_new(query->scope, types, plan->columns_count, sizeof(Counts));
    self->tuples = scope_new_array(query->scope, Tuple, BATCH_ROWS_MAX);
    self->source = (Source){.ops = &read_ops, .cheap = true};
    for (uint32_t i = 0; i < 2; i++) {
        SideStage *side = &self->sides[i];
        side->setop = self;
        side->side = i;
        TRY(build_plan(query, plan->children[i],
                       stage_init(query, &side->stage, &side_ops, NULL, true)));
    }
    pipeline_add(query, &self->source, to);
done:
    return st;
}

Status build_setop(Query *query, const Plan *plan, Stage *to)
{
    Status st = OK;

    if (plan->setop.op == SETOP_UNION) {
        Plan *all = scope_new(query->scope, Plan);
        *all = *plan;
        all->setop.op = SETOP_UNION_ALL;
        all->node_id = UINT32_MAX;
        return build_aggregate(query, distinct_plan(query, plan, all), to);
    }
    if (plan->setop.op != SETOP_UNION_ALL)
        return build_counted(query, plan, to);
    TRY(build_plan(query, plan->children[0], to));
    TRY(build_plan(query, plan->children[1], to));
done:
    return st;
}
