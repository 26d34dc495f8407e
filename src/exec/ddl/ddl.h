// SPDX-License-Identifier: Apache-2.0
//
// Data definition: runs one DDL statement inside the caller's transaction (catalog rows, backfills,
// locks), so that a rollback takes all of it back. A table lock that must be waited for comes back
// as STATUS_LOCK_WAIT: the caller undoes the statement and runs it again. The thread may take long.
#ifndef DBASPOT_EXEC_DDL_DDL_H
#define DBASPOT_EXEC_DDL_DDL_H

#include "exec/exec.h"
#include "sql/sql.h"

typedef struct DdlEnv {
    ExecEnv exec; /* txn, snapshot, catalog, pool, session … */
    BindEnv *bind;
    Storage *storage;
    Str source; /* the whole text: AST locations point into it */
    /* "relation "t" already exists, skipping": level NOTICE. */
    void (*notice)(void *arg, const char *sqlstate, const char *message);
    void *notice_arg;
    uint64_t rows; /* out: rows of CREATE TABLE AS */
} DdlEnv;

/* True for the statements ddl_execute runs: CREATE/ALTER/DROP/RENAME/COMMENT/GRANT/TRUNCATE … */
bool ddl_handles(AstKind kind);
/* True if it may not run inside a transaction block (CREATE DATABASE …): 25001 is the caller's. */
bool ddl_needs_no_block(const AstNode *statement);
Status ddl_execute(Ctx *ctx, Scope *scope, DdlEnv *env, const AstNode *statement);
/* ANALYZE [table]: statistics into the catalog. `table` NULL: all of the database. */
Status ddl_analyze(Ctx *ctx, Scope *scope, DdlEnv *env, const Table *table);

#endif
