// SPDX-License-Identifier: Apache-2.0
//
// Grouping by all columns, as a plan made at execution: what DISTINCT and UNION are. Called while a
// query is built, by its thread.
#ifndef DBASPOT_EXEC_AGG_DISTINCT_H
#define DBASPOT_EXEC_AGG_DISTINCT_H

#include "exec/exec_int.h"

/* GROUP BY all columns of `like` over `child`, whose columns match by position. */
Plan *distinct_plan(Query *query, const Plan *like, Plan *child);

#endif
