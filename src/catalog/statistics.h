// SPDX-License-Identifier: Apache-2.0
//
// What ANALYZE knows of a table: plain data inside the table's catalog object. The optimiser reads
// it; absent (NULL) means never analysed. Immutable; any thread.
#ifndef DBASPOT_CATALOG_STATISTICS_H
#define DBASPOT_CATALOG_STATISTICS_H

#include "types/datum.h"

typedef struct ColumnStatistics {
    uint32_t column_id;
    double null_fraction;
    double distinct;    /* number of distinct values, not NULL */
    double width;       /* average bytes of a value */
    double correlation; /* of value order and key order, -1 .. 1 */
    uint32_t common_count;
    Datum *common; /* most common values, most frequent first */
    double *common_fraction;
    uint32_t bounds_count;
    Datum *bounds; /* equi-depth histogram of the other values: bounds_count - 1 buckets */
} ColumnStatistics;

typedef struct TableStatistics {
    double rows;
    uint32_t columns_count;
    ColumnStatistics *columns;
} TableStatistics;

/* NULL if the column has none. */
static inline const ColumnStatistics *statistics_column(const TableStatistics *statistics,
                                                        uint32_t column_id)
{
    for (uint32_t i = 0; statistics && i < statistics->columns_count; i++) {
        if (statistics->columns[i].column_id == column_id)
            return &statistics->columns[i];
    }
    return NULL;
}

#endif
