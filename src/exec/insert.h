// SPDX-License-Identifier: Apache-2.0
//
// Inserting batches of rows outside a plan: what COPY, CREATE TABLE AS and table rewrites use, and
// what INSERT's own operator is built on. Same checks, keys and index entries either way. One
// thread at a time.
#ifndef DBASPOT_EXEC_INSERT_H
#define DBASPOT_EXEC_INSERT_H

#include "exec/exec.h"

typedef struct Inserter Inserter;

/* `target` is a finished INSERT's plan node (checks and index expressions bound and resolved over
   the new row's columns); its conflict clause and RETURNING are not looked at. */
Status inserter_open(Ctx *ctx, Scope *scope, const ExecEnv *env, const ModifyPlan *target,
                     Inserter **out);
/* `batch` has the table's columns, in order, of their types. NOT NULL, CHECK, unique. On
   STATUS_LOCK_WAIT part of the batch may be written: the caller rolls back to a savepoint. */
Status inserter_batch(Ctx *ctx, Inserter *inserter, const Batch *batch);
uint64_t inserter_rows(const Inserter *inserter);

/* Fills a new index (not yet part of its table's list, or just added) from the rows that the
   snapshot sees; 23505 "could not create unique index" if two rows agree. */
Status index_build(Ctx *ctx, Scope *scope, const ExecEnv *env, const Table *table,
                   const Index *index);

#endif
