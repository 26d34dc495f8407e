// SPDX-License-Identifier: Apache-2.0
//
// System views: pg_catalog and information_schema as far as tools need them, each a row of
// system_views.def (schema, name, columns, function). A view's function writes its rows from the
// catalog version that the statement sees; columns that we have no data for get PostgreSQL's
// default. The table is immutable after the first look-up; any thread.
#ifndef DBASPOT_CATALOG_SYSTEM_VIEWS_H
#define DBASPOT_CATALOG_SYSTEM_VIEWS_H

#include "catalog/catalog.h"
#include "types/array.h"

typedef struct SystemViewColumn {
    const char *name;
    Oid type;
} SystemViewColumn;

typedef struct RowWriter RowWriter;

typedef struct SystemView {
    const char *schema;
    const char *name;
    Oid oid;
    uint32_t columns_count;
    const SystemViewColumn *columns;
    Status (*write)(Ctx *ctx, RowWriter *writer, const Catalog *catalog);
} SystemView;

/* NULL if there is none. */
const SystemView *system_view_find(Str schema, Str name);
/* All of them; pg_class shows them too. */
const SystemView *system_view_rows(uint32_t *count);
/* All rows of a view, in batches that lie in `scope`. */
Status system_view_batches(Ctx *ctx, Scope *scope, const Catalog *catalog, const SystemView *view,
                           Batch **batches, uint32_t *count);

/* What a view's function calls: values of one row, column by column, then writer_end. */
void writer_bool(RowWriter *writer, bool value);
void writer_int(RowWriter *writer, int64_t value); /* any integer or oid column */
void writer_real(RowWriter *writer, double value);
void writer_text(RowWriter *writer, Str text); /* text, name, "char", arrays already packed */
void writer_c(RowWriter *writer, const char *text);
void writer_null(RowWriter *writer);
void writer_oids(RowWriter *writer, Oid element, const int64_t *values, uint32_t count);
void writer_end(RowWriter *writer);
Scope *writer_scope(RowWriter *writer);

#endif
