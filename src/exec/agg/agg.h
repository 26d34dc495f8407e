// SPDX-License-Identifier: Apache-2.0
//
// What the files of aggregation share: the compiled list of aggregates, the stage, its states.
// Workers aggregate into tables of their own; agg_merge.c makes one of them. Aggregates with
// DISTINCT or ORDER BY only collect their input at first (agg_deferred.c).
#ifndef DBASPOT_EXEC_AGG_AGG_H
#define DBASPOT_EXEC_AGG_AGG_H

#include "exec/agg/agg_table.h"
#include "exec/eval/eval.h"
#include "exec/sorter.h"
#include "exec/spill.h"

#define AGG_PARTITIONS_MAX 64

/* One aggregate call, shared. */
typedef struct AggItem {
    const Expr *expr;
    const AggInfo *info;
    SqlType *arg_types;
    uint32_t state_at; /* in the tuple's extra room */
    bool deferred;     /* DISTINCT or ordered */
    SorterSpec sort;   /* of a deferred one: columns are keys, arguments; keys_count 0: unordered */
    uint32_t *order_args; /* DISTINCT: the argument each ORDER BY key is */
} AggItem;

typedef struct AggStage {
    Stage stage;
    Source source;
    const Plan *plan;
    uint32_t keys_count; /* group columns, and the set's number if there are grouping sets */
    SqlType *key_types;
    uint32_t items_count;
    AggItem *items;
    uint32_t states_bytes;
    bool plain; /* one group, always there */
    bool has_deferred;
    /* The result: */
    uint32_t tables_count;
    AggTable **tables;
    Tuple one; /* plain */
    /* Spilling: a full table takes no new groups; rows of others go to files. */
    bool can_spill;
    TupleLayout input_layout; /* the child's columns */
    Stage *to;
    Pipeline replay;
} AggStage;

/* Of one worker. */
typedef struct AggState {
    Worker *worker;
    Eval **groups;
    Eval ***args;
    Eval **filters;      /* by item, NULL: none */
    Eval ***orders;      /* by item: ORDER BY keys */
    AggCall *calls;      /* by item */
    AggTable *table;     /* NULL: plain */
    Tuple one;           /* plain */
    Tuple *tuples;       /* of a batch */
    void **states;       /* of a batch */
    Batch keys;          /* of a batch */
    bool full;           /* takes no new groups */
    SpillSet spilled;    /* input rows of other groups */
    AggTable **distinct; /* by item: the keys and arguments seen */
    Sorter **ordered;    /* by item */
} AggState;

Status agg_state_new(Worker *worker, AggStage *self, AggState **out);
Status agg_push_batch(AggState *state, AggStage *self, const Batch *in);
/* agg_spill.c: the rows whose group the full table has, as *kept, their tuples in state->tuples;
   the others go to files. */
Status agg_spill_rows(AggState *state, AggStage *self, const Batch *in, Batch *kept);
/* The step that aggregates what went to files, and pushes on those groups. */
Status agg_replay(Query *query, void *arg);
/* Results of groups, a batch at a time: for the source, and for what was spilled. */
typedef struct GroupReader GroupReader;
GroupReader *group_reader_new(Worker *worker, AggStage *self);
Status group_reader_batch(GroupReader *reader, const AggTable *table, Tuple *tuples, uint32_t rows,
                          Batch *out);
/* Adds the states of from[] to those of into[]. */
Status agg_combine(Worker *worker, const AggStage *self, AggCall *calls, Tuple *const pair[2],
                   uint32_t rows);
AggCall *agg_calls_new(Worker *worker, const AggStage *self);
/* The step that makes one result of the workers' tables. */
Status agg_complete(Query *query, void *arg);
/* Gives the deferred aggregates of all workers their input. REQUIRES: the result is one table. */
Status agg_deferred_complete(Query *query, AggStage *self, AggState *const *states, uint32_t count);
/* Collects a batch for item `at`; keys are set. */
Status agg_deferred_add(AggState *state, const AggStage *self, uint32_t at, const Batch *in,
                        const Vector *const *args);
/* rows of `args` into states[]. */
Status agg_update(AggState *state, const AggStage *self, uint32_t at, const Vector *const *args,
                  uint32_t rows);

static inline void *agg_item_state(const AggStage *self, uint32_t item, Tuple states)
{
    return states + self->items[item].state_at;
}

#endif
