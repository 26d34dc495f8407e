// SPDX-License-Identifier: Apache-2.0
//
// What the forms of scans, and index joins, share: the source, the key columns that bounds are
// about, adding the row's key to a batch.
#ifndef DBASPOT_EXEC_SCAN_H
#define DBASPOT_EXEC_SCAN_H

#include "exec/scan_bounds.h"

typedef struct ScanSource {
    Source source;
    const Plan *plan;
    KeyRange *ranges;
    uint32_t ranges_count;
    uint32_t columns_count; /* without the key */
    Str point_key;          /* of the point path */
    /* Output columns that filters read, and the others; their positions in the table. */
    uint32_t early_count, late_count;
    uint32_t *early, *later;
    uint32_t *early_at, *later_at;
} ScanSource;

/* The range of a morsel: backwards for a descending scan. */
static inline KeyRange scan_range(const ScanSource *self, uint32_t morsel)
{
    return self->ranges[self->plan->scan.descending ? self->ranges_count - 1 - morsel : morsel];
}

Status scan_prepare_ranges(Query *query, Source *source, uint32_t *morsels);
/* NULL if the scan has no filters. */
Status scan_filter_new(Worker *worker, const Plan *plan, Filter **out);
/* True if filters, the scan's or those of joins above, read some columns but not all: then
 * scan_late_ops pays. */
bool scan_split_columns(Query *query, ScanSource *self);
extern const SourceOps scan_late_ops;

/* True if entries of a secondary index lead to the rows. */
bool scan_uses_index(const ScanPlan *scan);
KeyColumn *scan_index_columns(Scope *scope, const Index *index);
BoundsSpec scan_bounds_spec(Scope *scope, const ScanPlan *scan, const Visible *visible);
/* Appends a bytea column with the keys of the rows that were found (found NULL: all). */
void scan_add_key_column(Scope *scope, const Str *keys, const bool *found, uint32_t count,
                         Batch *batch);

#endif
