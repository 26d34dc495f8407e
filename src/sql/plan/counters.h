// SPDX-License-Identifier: Apache-2.0
//
// What the executor counts per plan node for EXPLAIN ANALYZE, indexed by Plan.node_id. Workers add
// to the atomics; the printer reads them when the statement has ended.
#ifndef DBASPOT_SQL_PLAN_COUNTERS_H
#define DBASPOT_SQL_PLAN_COUNTERS_H

#include "base/base.h"

typedef struct ExecCounter {
    _Atomic uint64_t rows, batches, ns, bytes, loops;
} ExecCounter;

typedef struct ExecCounters {
    uint32_t count;
    ExecCounter *nodes;
} ExecCounters;

#endif
