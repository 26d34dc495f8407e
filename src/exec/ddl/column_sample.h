// SPDX-License-Identifier: Apache-2.0
//
// What ANALYZE collects of one column while it scans, and the statistics made of it: NULLs, widths
// and a HyperLogLog sketch over all rows seen, and the values of the sampled rows. One thread.
#ifndef DBASPOT_EXEC_DDL_COLUMN_SAMPLE_H
#define DBASPOT_EXEC_DDL_COLUMN_SAMPLE_H

#include "catalog/statistics.h"

typedef struct ColumnSample {
    SqlType type;
    uint64_t rows_seen;
    uint64_t nulls_seen;
    double bytes_seen;
    uint8_t *registers; /* HyperLogLog */
    Datum *values;      /* by place in the sample */
} ColumnSample;

/* Room for a sample of `rows_max` rows. */
void column_sample_init(ColumnSample *sample, Scope *scope, SqlType type, uint32_t rows_max);
/* Counts rows [0, rows); `hashes` is room for as many. */
void column_sample_count(ColumnSample *sample, const Vector *v, uint32_t rows, uint64_t *hashes);
/* Keeps one row's value at a place of the sample. */
void column_sample_keep(ColumnSample *sample, Scope *scope, const Vector *v, uint32_t row,
                        uint32_t place);

typedef struct SampleTotals {
    uint32_t kept; /* places of the sample in use, in the order of the scan */
    uint64_t scanned;
    double rows;   /* of the table */
    bool complete; /* all rows were scanned */
    bool unique;   /* a unique index on this column alone */
} SampleTotals;

/* Everything lies in `scope`. */
void column_sample_finish(const ColumnSample *sample, Scope *scope, const SampleTotals *totals,
                          ColumnStatistics *out);

#endif
