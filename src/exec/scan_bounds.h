// SPDX-License-Identifier: Apache-2.0
//
// KeyBounds as byte ranges of a relation's keys. The bounds' expressions are evaluated over a batch
// (of outer rows, or one row without columns), then each row gives its range. Belongs to one
// worker.
#ifndef DBASPOT_EXEC_SCAN_BOUNDS_H
#define DBASPOT_EXEC_SCAN_BOUNDS_H

#include "exec/eval/eval.h"

typedef struct Bounds Bounds;

typedef struct BoundsRange {
    StrBuf low, high;
    bool has_high;
    bool empty; /* a NULL bound: matches nothing */
} BoundsRange;

/* `columns`: the relation's key columns. `visible`: the outer side's, NULL for none. */
typedef struct BoundsSpec {
    const KeyBounds *bounds;
    const KeyColumn *columns;
    uint32_t columns_count;
    const Visible *visible;
} BoundsSpec;
Status bounds_new(Worker *worker, const BoundsSpec *spec, Bounds **out);
/* Values stay until the worker's next batch. */
Status bounds_eval(Worker *worker, Bounds *bounds, const Batch *in);
/* The range of row `row` and IN value `in_at` (0 if there is no IN list). The buffers of `out` are
   overwritten; REQUIRES: they were initialised (zeroed is initialised). */
void bounds_range(const Bounds *bounds, uint32_t row, uint32_t in_at, BoundsRange *out);
/* Freed with the scope, which `range` must live as long as; or by bounds_range_free. */
void bounds_range_init(BoundsRange *range, Scope *scope);
void bounds_range_free(BoundsRange *range);
static inline KeyRange bounds_key_range(const BoundsRange *range)
{
    return (KeyRange){strbuf_str(&range->low), strbuf_str(&range->high), range->has_high};
}
/* All ranges of a scan without outer columns, in key order and apart from each other; in the
   worker's scope. */
Status bounds_all_ranges(Worker *worker, Bounds *bounds, KeyRange **out, uint32_t *count);

#endif
