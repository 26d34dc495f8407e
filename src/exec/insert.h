// SPDX-License-Identifier: Apache-2.0
//
// Rows into a table, batch by batch, with every check and every index kept: what COPY and table
// rewrites use, and INSERT itself. Also filling a new index. An inserter belongs to one thread; the
// statement's snapshot and transaction are in the environment.
#ifndef DBASPOT_EXEC_INSERT_H
#define DBASPOT_EXEC_INSERT_H

#include "exec/exec.h"

typedef struct Inserter Inserter;

/* `plan` is a resolved INSERT without ON CONFLICT; its checks and index expressions see the new
   row's columns in slots 0 … */
Status inserter_open(Ctx *ctx, Scope *scope, const ExecEnv *env, const ModifyPlan *plan,
                     Inserter **out);
/* All columns of the table, in order; may hold more behind them. After STATUS_LOCK_WAIT or
   STATUS_RETRY the caller undoes the batch's writes and gives the batch again. */
Status inserter_batch(Ctx *ctx, Inserter *inserter, const Batch *rows);
uint64_t inserter_rows(const Inserter *inserter);

typedef struct IndexBuild {
    const Table *table; /* as it is now */
    const Index *index; /* its relation is empty */
    /* By index column: bound over the table's columns (slots = positions); NULL for a plain column.
       The whole array may be NULL. */
    Expr **exprs;
    Expr *predicate; /* NULL: none */
} IndexBuild;

/* Writes an entry for each row that the environment's snapshot sees. 23505 "could not create unique
   index" with the duplicate key as detail. REQUIRES: a table lock that keeps writers out. */
Status index_build(Ctx *ctx, Scope *scope, const ExecEnv *env, const IndexBuild *build);

#endif
