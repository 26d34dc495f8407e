// SPDX-License-Identifier: Apache-2.0
//
// Conversions between types: PostgreSQL 15's pg_cast as casts.def, one row a pair with its context
// and its kernel, plus casts through text, between arrays, and of a type to its own typmod. Any
// thread.
#ifndef DBASPOT_TYPES_CAST_H
#define DBASPOT_TYPES_CAST_H

#include "types/datum.h"
#include "types/io.h"

typedef enum CastContext { CAST_IMPLICIT, CAST_ASSIGNMENT, CAST_EXPLICIT } CastContext;

typedef enum CastMethod {
    CAST_NONE,     /* there is no such cast */
    CAST_BINARY,   /* same bytes: only the type changes */
    CAST_FUNCTION, /* a kernel */
    CAST_IO,       /* the source's text, read as the target */
    CAST_ARRAY,    /* element by element */
} CastMethod;

/* How `from` becomes `to` where the context allows `context` (an implicit cast may be used
   everywhere). Same type: CAST_BINARY. unknown -> anything is CAST_IO and implicit. As
   PostgreSQL's find_coercion_pathway. */
CastMethod cast_find(Oid from, Oid to, CastContext context);

/* Rows [0, rows) of `in` as `target`, its typmod applied: explicit casts to varchar(n)/char(n)
   cut, assignments raise E_STRING_TOO_LONG. `out` keeps constness (a constant gives a constant);
   dictionaries may stay dictionaries. REQUIRES: cast_find finds a way. */
Status cast_vector(Ctx *ctx, Scope *scope, const Vector *in, uint32_t rows, SqlType target,
                   bool explicit_cast, const TypeIoContext *io, Vector *out);
Status cast_datum(Ctx *ctx, Scope *scope, const Datum *in, SqlType target, bool explicit_cast,
                  const TypeIoContext *io, Datum *out);

/* Rows of casts.def, for pg_cast. */
typedef struct CastInfo {
    Oid from;
    Oid to;
    CastContext context;
    CastMethod method; /* CAST_BINARY, CAST_FUNCTION or CAST_IO */
} CastInfo;
const CastInfo *cast_rows(uint32_t *count);

#endif
