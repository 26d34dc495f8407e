// SPDX-License-Identifier: Apache-2.0
//
// The room's face: text -> AST (parse/parse.h) -> bound plan (bind/bind.h) -> optimised plan
// (optimise/optimise.h). See the plan in plan/plan.h.
#ifndef DBASPOT_SQL_SQL_H
#define DBASPOT_SQL_SQL_H

#include "sql/ast.h"
#include "sql/plan/plan.h"
#include "types/io.h"

/* What binding a statement may look at. */
typedef struct BindEnv {
    const Catalog *catalog;
    Oid database;
    Oid role;
    const Oid *search_path; /* schema oids in order, pg_catalog first unless named */
    uint32_t search_path_count;
    const TypeIoContext *io;
    const SessionInfo *session;
    Str text;              /* what the tree's locations count in: for error positions */
    SqlType *params;       /* known parameter types by position; OID_UNKNOWN: to be inferred */
    uint32_t params_count; /* grows while binding */
    uint32_t params_cap;
    bool params_fixed; /* a $n beyond params_count is 42P02: a simple query has none */
    /* Hears of each table, view or sequence that the statement itself names (those inside views are
       the views' affair): what CREATE VIEW keeps. May be NULL. */
    void (*named)(void *arg, const AstName *name, const Object *object);
    void *named_arg;
} BindEnv;

/* SELECT, VALUES, INSERT, UPDATE, DELETE, and the queries inside EXPLAIN, COPY (…), CREATE TABLE
   AS: bound, unoptimised plan. REQUIRES: the tables named are resolved against env->catalog; the
   caller locks them afterwards. */
Status sql_bind(Ctx *ctx, Scope *scope, BindEnv *env, const AstNode *statement,
                PlannedStatement *out);
/* A scalar expression over a table's columns (defaults, CHECKs, index expressions): EXPR_COLUMN ids
   are 1 + position in table->columns, slots = position. `target`.oid 0: the expression's own type.
 */
Status sql_bind_expr(Ctx *ctx, Scope *scope, BindEnv *env, const AstNode *expr, const Table *table,
                     SqlType target, Expr **out);
/* A type as written: 42704 if there is none of that name, errors of its modifiers. */
Status sql_bind_type(Ctx *ctx, Scope *scope, BindEnv *env, const AstTypeName *type, SqlType *out);
/* Rewrites, join order, access paths, methods; resolves slots. `threads` for costing. */
Status sql_optimise(Ctx *ctx, Scope *scope, const BindEnv *env, Storage *storage,
                    PlannedStatement *statement);
/* Evaluates constant subexpressions; needs the evaluator below the optimiser: given by exec at
 * start. */
typedef Status (*ExprFold)(Ctx *ctx, Scope *scope, const Expr *expr, const TypeIoContext *io,
                           const SessionInfo *session, Datum *out);
void sql_set_fold(ExprFold fold);
/* The constant that a constant expression (expr_is_constant) is; the expression itself if it is not
   one, or if its evaluation fails: then the failure shows only where a row needs the value. */
Expr *sql_fold(Scope *scope, const TypeIoContext *io, const SessionInfo *session, Expr *expr);

#endif
