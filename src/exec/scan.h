// SPDX-License-Identifier: Apache-2.0
//
// What scans and index joins share: the key columns that bounds are about, and adding the row's key
// to a batch.
#ifndef DBASPOT_EXEC_SCAN_H
#define DBASPOT_EXEC_SCAN_H

#include "exec/scan_bounds.h"

/* True if entries of a secondary index lead to the rows. */
bool scan_uses_index(const ScanPlan *scan);
KeyColumn *scan_index_columns(Scope *scope, const Index *index);
BoundsSpec scan_bounds_spec(Scope *scope, const ScanPlan *scan, const Visible *visible);
/* Appends a bytea column with the keys of the rows that were found (found NULL: all). */
void scan_add_key_column(Scope *scope, const Str *keys, const bool *found, uint32_t count,
                         Batch *batch);

#endif
