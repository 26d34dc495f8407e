// SPDX-License-Identifier: Apache-2.0
//
// A hash join's shared part: which side is built, what becomes of rows without a match, and the
// table. hash_build.c fills the table, hash_probe.c probes it, hash_spill.c does both from files,
// hash_rest.c reads the build side's rows afterwards.
#ifndef DBASPOT_EXEC_JOIN_HASH_JOIN_H
#define DBASPOT_EXEC_JOIN_HASH_JOIN_H

#include "exec/join/hash_table.h"
#include "exec/join/join.h"
#include "exec/spill.h"

typedef struct HashJoin {
    Stage build;
    Stage probe;
    Source rest;
    const Plan *plan;
    const Plan *build_plan, *probe_plan;
    bool build_left;
    bool keep_probe;     /* probe rows without a match come with NULLs */
    bool rest_matched;   /* afterwards: build rows with a match … */
    bool rest_unmatched; /* … or without */
    bool mark_build;     /* matches are noted in the build tuples */
    bool marks;          /* the probe side's rows with an answer each: SEMI, ANTI, MARK … */
    bool null_aware;     /* the answer may be unknown */
    bool single;
    uint32_t keys_count;
    Expr **build_keys, **probe_keys; /* of one type each */
    uint32_t *key_fields;            /* where the build's keys lie in its tuples */
    SqlType *key_types;
    Expr *condition; /* all conjuncts: for unknown answers */
    HashTable table;
    /* Spilling: both sides go to files by partition, and are joined partition by partition. */
    bool can_spill;
    _Atomic bool spilled;
    bool replaying; /* the probe stage probes again, what the files gave */
    TupleLayout probe_layout;
    SpillSet *build_sets, *probe_sets; /* by worker */
    Pipeline replay;
} HashJoin;

static inline bool hash_join_spilled(const HashJoin *self)
{
    return atomic_load_explicit(&self->spilled, memory_order_relaxed);
}

static inline bool hash_join_null_safe(const HashJoin *self, uint32_t key)
{
    return self->plan->join.null_safe && self->plan->join.null_safe[key];
}

/* The side that is built: what the plan says, but for joins that only the right side can answer. */
static inline bool hash_join_builds_left(const Plan *plan)
{
    JoinType type = plan->join.type;

    return plan->join.build_left && type != JOIN_MARK && type != JOIN_ANTI_NULL &&
           type != JOIN_SINGLE;
}

extern const StageOps hash_build_ops;
extern const StageOps hash_probe_ops;
extern const SourceOps hash_rest_ops;
/* Steps: the table when the build side is complete; what was spilled when the probe is. */
Status hash_build_complete(Query *query, void *arg);
Status hash_join_replay(Query *query, void *arg);
/* hash_spill.c: tuples of one worker's build side, or rows of its probe side, into their files. */
Status hash_spill_build(Worker *worker, HashJoin *self, TupleBuffer *tuples);
Status hash_spill_probe(Worker *worker, HashJoin *self, const Batch *in, const uint64_t *hashes);
Status hash_probe_batch(Worker *worker, Stage *stage, void *state, const Batch *in);

/* Evaluates keys and hashes them. *rows, *count: rows without a NULL that could not match. */
typedef struct KeyEval {
    Eval **evals;
    Vector *columns;
    uint64_t *hashes;
    uint32_t *rows;
    uint32_t count;
    uint32_t *null_rows;
    uint32_t null_count;
} KeyEval;
Status key_eval_new(Worker *worker, const HashJoin *self, bool build, KeyEval *out);
Status key_eval_run(Worker *worker, const HashJoin *self, KeyEval *keys, const Batch *in);

#endif
