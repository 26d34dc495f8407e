// SPDX-License-Identifier: Apache-2.0
//
// TPC-H tables as CSV files in a directory: DIR/lineitem.csv and so on, with a header line, as RFC
// 4180 has it. A file appears under its name when it is complete.
#ifndef DBASPOT_CLI_WORKLOAD_CSV_FILES_H
#define DBASPOT_CLI_WORKLOAD_CSV_FILES_H

#include "cli/workload/tpch_fill.h"

/* Makes the directory (its parent must exist) and `count` sinks that fill its files together. They
 * live until `scope` ends. Called while no other thread of the process makes files. */
Status csv_files_open(Ctx *ctx, Scope *scope, const char *directory, int count, TpchSink **sinks);

#endif
