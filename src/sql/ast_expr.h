// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree's expressions. They are as written: names are not looked up, literals not typed,
// BETWEEN, IN and LIKE not yet turned into operators; the binder (bind/) does that. Conventions as
// in ast_node.h.
#ifndef DBASPOT_SQL_AST_EXPR_H
#define DBASPOT_SQL_AST_EXPR_H

#include "sql/ast_node.h"

typedef enum AstConstKind {
    AST_CONST_NULL,
    AST_CONST_BOOL,
    AST_CONST_INT,    /* fits 32 bits */
    AST_CONST_FLOAT,  /* any other number, as text: bigint or numeric by its value */
    AST_CONST_STRING, /* an unknown literal */
    AST_CONST_BITS    /* text starts with b or x: B'101', X'1F' */
} AstConstKind;

typedef struct AstConst {
    AstNode node;
    AstConstKind kind;
    bool boolean;
    int32_t integer;
    Str text; /* float, string, bits */
} AstConst;

typedef struct AstParam {
    AstNode node;
    int32_t number; /* 1-based */
} AstParam;

/* a, t.a, s.t.a, c.s.t.a, or with star: *, t.*, s.t.* (path without the star). */
typedef struct AstColumnRef {
    AstNode node;
    AstNames path;
    bool star;
} AstColumnRef;

/* arg followed by AstSubscript and AstField steps. */
typedef struct AstIndirection {
    AstNode node;
    AstNode *arg;
    AstList steps;
} AstIndirection;

/* [upper], or with slice [lower:upper], each optional. */
typedef struct AstSubscript {
    AstNode node;
    AstNode *lower;
    AstNode *upper;
    bool slice;
} AstSubscript;

/* .name, or .* (star, no name). */
typedef struct AstField {
    AstNode node;
    Str name;
    bool star;
} AstField;

struct AstWindowDef;

typedef struct AstFuncCall {
    AstNode node;
    AstName name;
    AstList args;  /* expressions; AstNamedArg for name => value */
    AstList order; /* AstSortKey: of f(x ORDER BY y), or of WITHIN GROUP */
    AstNode *filter;
    struct AstWindowDef *over; /* a reference to a named window has only `name` set */
    bool within_group;
    bool star;       /* f(*) */
    bool distinct;   /* f(DISTINCT x) */
    bool variadic;   /* f(..., VARIADIC x) */
    bool sql_syntax; /* written EXTRACT(..), POSITION(.. IN ..), x AT TIME ZONE y, ... */
} AstFuncCall;

typedef struct AstNamedArg {
    AstNode node;
    Str name;
    AstNode *arg;
} AstNamedArg;

/* left op right; a prefix operator has no left. */
typedef struct AstOp {
    AstNode node;
    AstName op; /* OPERATOR(schema.+) has a schema */
    AstNode *left;
    AstNode *right;
} AstOp;

/* left op ANY (array) or ALL (array); over a subquery it is an AstSublink. */
typedef struct AstOpAny {
    AstNode node;
    AstName op;
    AstNode *left;
    AstNode *right;
    bool all;
} AstOpAny;

typedef enum AstBoolOp { AST_AND, AST_OR, AST_NOT } AstBoolOp;

/* AND and OR are flat: no argument of an AND is itself an AND. NOT has one argument. */
typedef struct AstBoolExpr {
    AstNode node;
    AstBoolOp op;
    AstList args;
} AstBoolExpr;

typedef struct AstNullTest {
    AstNode node;
    AstNode *arg;
    bool negated; /* IS NOT NULL */
} AstNullTest;

typedef enum AstTruth { AST_TRUTH_TRUE, AST_TRUTH_FALSE, AST_TRUTH_UNKNOWN } AstTruth;

typedef struct AstBooleanTest {
    AstNode node;
    AstNode *arg;
    AstTruth truth;
    bool negated; /* IS NOT ... */
} AstBooleanTest;

typedef struct AstDistinctFrom {
    AstNode node;
    AstNode *left;
    AstNode *right;
    bool negated; /* IS NOT DISTINCT FROM */
} AstDistinctFrom;

typedef struct AstBetween {
    AstNode node;
    AstNode *arg;
    AstNode *low;
    AstNode *high;
    bool negated;
    bool symmetric;
} AstBetween;

typedef struct AstInList {
    AstNode node;
    AstNode *arg;
    AstList items;
    bool negated;
} AstInList;

typedef enum AstLikeKind { AST_LIKE_LIKE, AST_LIKE_ILIKE, AST_LIKE_SIMILAR } AstLikeKind;

typedef struct AstLike {
    AstNode node;
    AstLikeKind kind;
    bool negated;
    AstNode *arg;
    AstNode *pattern;
    AstNode *escape; /* NULL if not written */
} AstLike;

typedef struct AstCase {
    AstNode node;
    AstNode *arg; /* CASE arg WHEN ..., or NULL */
    AstList whens;
    AstNode *otherwise; /* NULL if there is no ELSE */
} AstCase;

typedef struct AstCaseWhen {
    AstNode node;
    AstNode *condition;
    AstNode *result;
} AstCaseWhen;

typedef struct AstCoalesce {
    AstNode node;
    AstList args;
} AstCoalesce;

typedef struct AstNullIf {
    AstNode node;
    AstNode *left;
    AstNode *right;
} AstNullIf;

typedef struct AstMinMax {
    AstNode node;
    bool least; /* else GREATEST */
    AstList args;
} AstMinMax;

/* CAST(arg AS type), arg::type, type 'literal'. */
typedef struct AstCast {
    AstNode node;
    AstNode *arg;
    AstTypeName *type;
} AstCast;

typedef struct AstCollate {
    AstNode node;
    AstNode *arg;
    AstName collation;
} AstCollate;

typedef struct AstRow {
    AstNode node;
    AstList args;
    bool row_word; /* written ROW(...) */
} AstRow;

typedef struct AstArray {
    AstNode node;
    AstList elements; /* nested AstArray for ARRAY[[..],[..]] */
} AstArray;

typedef enum AstSublinkKind {
    AST_SUBLINK_EXISTS,
    AST_SUBLINK_ANY, /* test op ANY (query); `test IN (query)` has op.name absent */
    AST_SUBLINK_ALL,
    AST_SUBLINK_SCALAR,
    AST_SUBLINK_ARRAY
} AstSublinkKind;

typedef struct AstSublink {
    AstNode node;
    AstSublinkKind kind;
    AstNode *test; /* ANY, ALL; an AstRow for (a, b) IN ... */
    AstName op;
    AstNode *query; /* AstSelect */
} AstSublink;

typedef enum AstSqlValueKind {
    AST_CURRENT_DATE,
    AST_CURRENT_TIME,
    AST_CURRENT_TIMESTAMP,
    AST_LOCALTIME,
    AST_LOCALTIMESTAMP,
    AST_CURRENT_ROLE,
    AST_CURRENT_USER,
    AST_USER,
    AST_SESSION_USER,
    AST_CURRENT_CATALOG,
    AST_CURRENT_SCHEMA
} AstSqlValueKind;

typedef struct AstSqlValue {
    AstNode node;
    AstSqlValueKind kind;
    int32_t precision; /* -1 none: CURRENT_TIME, CURRENT_TIMESTAMP, LOCALTIME, LOCALTIMESTAMP */
} AstSqlValue;

typedef struct AstGrouping {
    AstNode node;
    AstList args;
} AstGrouping;

/* DEFAULT in VALUES, INSERT or UPDATE. */
typedef struct AstDefault {
    AstNode node;
} AstDefault;

/* The value of one target of SET (a, b) = source; the targets share one source node, which is an
   AstRow, an AstSublink (scalar) or anything else the binder refuses. */
typedef struct AstMultiAssign {
    AstNode node;
    AstNode *source;
    uint32_t column; /* 1 .. columns */
    uint32_t columns;
} AstMultiAssign;

typedef struct AstCurrentOf {
    AstNode node;
    Str cursor;
} AstCurrentOf;

#endif
