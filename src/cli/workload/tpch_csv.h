// SPDX-License-Identifier: Apache-2.0
//
// TPC-H rows as CSV (RFC 4180): what the files and the loader are filled with. Fields are quoted
// only where they must be. Safe from any thread.
#ifndef DBASPOT_CLI_WORKLOAD_TPCH_CSV_H
#define DBASPOT_CLI_WORKLOAD_TPCH_CSV_H

#include "cli/workload/tpch.h"

/* Room for one unit of any table: an order's lines are the longest. */
#define TPCH_UNIT_BYTES_MAX 4096

typedef enum TpchEol {
    TPCH_EOL_LF,
    TPCH_EOL_CRLF, /* as RFC 4180 has it */
} TpchEol;

/* Appends the line of column names. */
void tpch_csv_put_header(TpchTable table, TpchEol eol, StrBuf *out);
/* Appends the rows of units [first, first + count); returns the rows. */
int64_t tpch_csv_put_units(const Tpch *tpch, TpchTable table, TpchEol eol, int64_t first,
                           int64_t count, StrBuf *out);

#endif
