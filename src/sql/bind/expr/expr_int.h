// SPDX-License-Identifier: Apache-2.0
//
// Expressions: types, coercions, overloads, and one function a kind of node. All make typed nodes
// of bound operands; names of columns are looked up through the level. Errors carry a position.
#ifndef DBASPOT_SQL_BIND_EXPR_EXPR_INT_H
#define DBASPOT_SQL_BIND_EXPR_EXPR_INT_H

#include "sql/bind/bind_int.h"

// --- types (bind_types.c, bind_coerce.c, bind_numeric.c) ---------------------------------------

Status bind_type(Binder *b, const AstTypeName *ast, SqlType *out);
bool bind_can_coerce(Oid from, Oid to, CastContext context);
/* Makes `expr` of the type; 42846 if there is no way. */
Status bind_coerce(Binder *b, Expr *expr, SqlType target, CastContext context, int32_t location,
                   Expr **out);
/* 42804 "argument of WHERE must be type boolean, not type integer". */
Status bind_coerce_bool(Binder *b, Expr *expr, const char *construct, Expr **out);
/* The same for another type. */
Status bind_coerce_specific(Binder *b, Expr *expr, Oid type, const char *construct, Expr **out);
/* An unknown literal or parameter becomes text. */
Status bind_resolve_unknown(Binder *b, Expr **expr);
/* PostgreSQL's select_common_type; `context` is "CASE", "UNION", …; NULL: no error, *out 0. */
Status bind_common_type(Binder *b, Expr *const *exprs, uint32_t count, const char *context,
                        Oid *out);
/* Coerces all to one type and typmod that keeps each value as it is displayed. */
Status bind_to_common(Binder *b, Expr **exprs, uint32_t count, Oid type, const char *context,
                      SqlType *out);
/* Where the expression's text begins: an operator's location is that of its sign. */
int32_t bind_start(const Expr *expr);
/* The typmod reported to the client for an expression. */
int32_t bind_reported_typmod(const Expr *expr);

/* numeric(p,s) of the value, as small as it is. */
SqlType numeric_type_of(const Numeric *value);
/* One type that holds both exactly and displays each as before; plain numeric if there is none. */
SqlType numeric_common_value(SqlType a, SqlType b);
/* One type in which both compare exactly; plain numeric if there is none. */
SqlType numeric_common_exact(SqlType a, SqlType b);
/* numeric(p,0) for an integer type; plain numeric for others. */
SqlType numeric_for_source(Oid oid);
bool is_scaled_numeric(SqlType type);
/* Brings two sides of a comparison to one type; non-numerics are left. */
Status bind_align_numeric(Binder *b, Expr **left, Expr **right);
Status bind_plain_numeric(Binder *b, Expr **expr);

// --- overloads (bind_overload.c) ---------------------------------------------------------------

typedef struct Candidate {
    const Oid *args;
    uint32_t args_count;
    const void *ref;
} Candidate;

/* Keeps in `candidates` the best by PostgreSQL's rules and returns how many: 0 none fits, 1
   decided, more: ambiguous. Each has as many arguments as there are inputs. */
uint32_t overload_select(const Oid *inputs, uint32_t inputs_count, Candidate *candidates,
                         uint32_t count);
bool overload_accepts(Oid input, Oid declared);
/* What polymorphic types stand for in this call; false if they contradict each other. */
typedef struct PolyTypes {
    bool used;
    Oid element; /* 0: only unknowns were given */
} PolyTypes;
bool overload_polymorphic(const Oid *declared, const Oid *inputs, uint32_t count, PolyTypes *out);
Oid overload_actual(Oid declared, const PolyTypes *poly);
static inline bool type_is_polymorphic(Oid oid)
{
    return oid == OID_ANYELEMENT || oid == OID_ANYARRAY || oid == OID_ANYNONARRAY;
}

// --- expressions -------------------------------------------------------------------------------

Status bind_expr(Binder *b, Level *level, const AstNode *node, Expr **out);
/* An operand once more, for constructs that evaluate it several times: plans of subqueries cannot
   be shared. What nests repeats itself exponentially, so the sum is limited: 54001. */
Status bind_again(Binder *b, Level *level, const AstNode *node, Expr **out);
/* Binds in a clause, which is restored afterwards. */
Status bind_expr_in(Binder *b, Level *level, Clause clause, const AstNode *node, Expr **out);
/* Binds a condition: boolean, `construct` for the error. */
Status bind_condition(Binder *b, Level *level, Clause clause, const AstNode *node,
                      const char *construct, Expr **out);
/* bind_const.c */
Status bind_const(Binder *b, const AstConst *ast, Expr **out);
Status bind_param(Binder *b, const AstParam *ast, Expr **out);
Status bind_param_type(Binder *b, Expr *param, Oid type);
Expr *bind_unknown_literal(Binder *b, Str text, int32_t location);
Expr *bind_int4(Binder *b, int32_t value);
/* bind_fold.c: the constant it is, else the expression itself. */
Expr *bind_fold(Binder *b, Expr *expr);
/* bind_operator.c */
Status bind_op(Binder *b, Level *level, const AstOp *ast, Expr **out);
/* Applies an operator to bound operands; left NULL: prefix. */
Status bind_apply_op(Binder *b, Str name, Expr *left, Expr *right, int32_t location, Expr **out);
/* The operator for two operand types, the way PostgreSQL finds it; no coercion done. */
Status bind_find_operator(Binder *b, Str name, const Expr *left, const Expr *right,
                          int32_t location, const OperatorInfo **out);
Status bind_op_name(Binder *b, const AstName *name, int32_t location, Str *out);
/* bind_compare.c */
Status bind_op_any(Binder *b, Level *level, const AstOpAny *ast, Expr **out);
Status bind_in_list(Binder *b, Level *level, const AstInList *ast, Expr **out);
Status bind_between(Binder *b, Level *level, const AstBetween *ast, Expr **out);
Status bind_like(Binder *b, Level *level, const AstLike *ast, Expr **out);
Status bind_distinct_from(Binder *b, Level *level, const AstDistinctFrom *ast, Expr **out);
Status bind_null_test(Binder *b, Level *level, const AstNullTest *ast, Expr **out);
Status bind_boolean_test(Binder *b, Level *level, const AstBooleanTest *ast, Expr **out);
/* bind_row.c */
/* Two rows to compare; the right one may be a scalar subquery of several columns. */
typedef struct RowPair {
    Level *level;
    const AstRow *left, *right;
    const AstSublink *right_query; /* instead of `right` */
    int32_t location;
} RowPair;
Status bind_row_op(Binder *b, const RowPair *rows, Str op, Expr **out);
Expr *bind_bool_expr(Binder *b, ExprKind kind, Expr *left, Expr *right, int32_t location);
Expr *bind_not(Binder *b, Expr *arg, int32_t location);
/* bind_case.c */
Status bind_case(Binder *b, Level *level, const AstCase *ast, Expr **out);
Status bind_coalesce(Binder *b, Level *level, const AstCoalesce *ast, Expr **out);
Status bind_nullif(Binder *b, Level *level, const AstNullIf *ast, Expr **out);
Status bind_min_max(Binder *b, Level *level, const AstMinMax *ast, Expr **out);
/* bind_array.c; `target` 0 or the array type it is cast to */
Status bind_array(Binder *b, Level *level, const AstArray *ast, Oid target, Expr **out);
Status bind_indirection(Binder *b, Level *level, const AstIndirection *ast, Expr **out);
/* bind_func.c */
Status bind_func_call(Binder *b, Level *level, const AstFuncCall *ast, Expr **out);
/* A function of pg_catalog by name on bound arguments; not a set-returning one. */
Status bind_call(Binder *b, Str name, Expr **args, uint32_t args_count, int32_t location,
                 Expr **out);
Status bind_sql_value(Binder *b, const AstSqlValue *ast, Expr **out);
/* bind_aggregate.c */
Status bind_aggregate(Binder *b, Level *level, const AstFuncCall *ast, Expr **out);
/* "aggregate functions are not allowed in WHERE" … */
const char *bind_clause_words(Clause clause);
/* Puts a set-returning call aside and gives its column, where it may stand. */
Status bind_set_call(Binder *b, Level *level, Expr *call, int32_t location, Expr **out);
/* bind_subquery.c */
/* Column `at` of a subquery of `count` columns, as a scalar subquery of its own. */
Status bind_sublink_column(Binder *b, Level *level, const AstSublink *ast, uint32_t at,
                           uint32_t count, Expr **out);
Status bind_sublink(Binder *b, Level *level, const AstSublink *ast, Expr **out);

#endif
