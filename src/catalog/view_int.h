// SPDX-License-Identifier: Apache-2.0
//
// The functions behind the rows of system_views.def. Private to this room.
// Any thread, unless a declaration says otherwise.
#ifndef DBASPOT_CATALOG_VIEW_INT_H
#define DBASPOT_CATALOG_VIEW_INT_H

#include "catalog/system_views.h"

#define VIEW(schema, name, oid, function, columns) \
    Status function(Ctx *ctx, RowWriter *writer, const Catalog *catalog);
#include "catalog/system_views.def"
#undef VIEW

/* What a view's visitor carries. */
typedef struct ViewWalk {
    Ctx *ctx;
    RowWriter *writer;
    const Catalog *catalog;
} ViewWalk;

/* Text about objects that needs the deparser lives above this room: set at start. `what` is a
   pg_get_* function's name; NULL text: none. */
typedef Str (*DescribeObject)(Scope *scope, const Catalog *catalog, const char *what, Oid oid);
extern DescribeObject view_describe;

Str view_schema_name(const Catalog *catalog, Oid schema);
Str view_role_name(const Catalog *catalog, Oid role);
Str view_database_name(const Catalog *catalog);
/* 1-based position of a column id in its table; 0 if dropped. attnum itself is id + 1. */
int view_attnum(uint32_t column_id);
/* NULLs for the next `count` columns. */
void view_nulls(RowWriter *writer, uint32_t count);

#endif
