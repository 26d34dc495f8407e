// SPDX-License-Identifier: Apache-2.0
//
// The TPC-H tables as SQL: statements that make, key and drop them. Pure functions of the rows of
// tpch_schema.def; any thread.
#ifndef DBASPOT_CLI_WORKLOAD_TPCH_SCHEMA_H
#define DBASPOT_CLI_WORKLOAD_TPCH_SCHEMA_H

#include "cli/workload/tpch_dist.h"

/* CREATE TABLE with its primary key, as text in `scope`. */
char *tpch_schema_create_sql(Scope *scope, TpchTable table);
/* ALTER TABLE ... ADD FOREIGN KEY, all of them in turn: NULL from the first index that is none. */
char *tpch_schema_foreign_key_sql(Scope *scope, int index);

#endif
