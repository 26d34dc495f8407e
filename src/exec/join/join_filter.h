// SPDX-License-Identifier: Apache-2.0
//
// Runtime join filters: a scan that feeds the probe of a hash join asks the finished hash table
// whether a row can have a match, before it decodes the rest of the row. Registered while the query
// is built; read by workers when the table is complete.
#ifndef DBASPOT_EXEC_JOIN_JOIN_FILTER_H
#define DBASPOT_EXEC_JOIN_JOIN_FILTER_H

#include "exec/exec_int.h"

struct HashJoin;

typedef struct JoinFilter {
    struct JoinFilter *next; /* of the query's */
    const Plan *scan;
    const struct HashJoin *join;
    uint32_t keys_count;
    uint32_t *slots; /* of the keys in the scan's output, in the join's order */
} JoinFilter;

/* Leaves a filter for the scan below the join's probe side, if all keys are columns of one scan and
   rows without a match are dropped on their whole way. */
void join_filter_register(Query *query, const struct HashJoin *join);

/* A worker's use of one filter: it stops asking when too many rows pass. */
typedef struct JoinFilterState {
    const JoinFilter *filter;
    bool off;
    uint64_t rows_in, rows_out;
    Vector *keys;
    uint64_t *hashes;
} JoinFilterState;

/* All filters of a scan; *count may be 0. */
JoinFilterState *join_filters_of(Worker *worker, const Plan *scan, uint32_t *count);
/* The rows of `in` (its key columns are set) that may have a match, into `out`; false: all. */
bool join_filter_select(JoinFilterState *state, const Batch *in, uint32_t *out, uint32_t *count);

#endif
