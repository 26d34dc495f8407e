// SPDX-License-Identifier: Apache-2.0
//
// SQL statements of the TPC-H schema (see tpch_schema.h), put together from tpch_schema.def, which
// is read once for the columns, once for the primary keys and once for the foreign keys. Called by
// the loader; any thread.
#include "cli/workload/tpch_schema.h"

static const struct {
    TpchTable table;
    const char *name;
    const char *type;
} COLUMNS[] = {
#define TPCH_TABLE(id, name, key, stream)
#define TPCH_COLUMN(id, name, type) {id, name, type},
#define TPCH_FOREIGN_KEY(id, columns, table, keys)
#include "cli/workload/tpch_schema.def"
#undef TPCH_TABLE
#undef TPCH_COLUMN
#undef TPCH_FOREIGN_KEY
};

static const char *const PRIMARY_KEYS[] = {
#define TPCH_TABLE(id, name, key, stream) [id] = key,
#define TPCH_COLUMN(id, name, type)
#define TPCH_FOREIGN_KEY(id, columns, table, keys)
#include "cli/workload/tpch_schema.def"
#undef TPCH_TABLE
#undef TPCH_COLUMN
#undef TPCH_FOREIGN_KEY
};

static const struct {
    TpchTable table;
    const char *columns;
    const char *other;
    const char *keys;
} FOREIGN_KEYS[] = {
#define TPCH_TABLE(id, name, key, stream)
#define TPCH_COLUMN(id, name, type)
#define TPCH_FOREIGN_KEY(id, columns, table, keys) {id, columns, table, keys},
#include "cli/workload/tpch_schema.def"
#undef TPCH_TABLE
#undef TPCH_COLUMN
#undef TPCH_FOREIGN_KEY
};

char *tpch_schema_create_sql(Scope *scope, TpchTable table)
{
    char *columns = scope_strdup(scope, "");

    ASSERT(table < TPCH_TABLES);
    for (size_t i = 0; i < ARRAY_COUNT(COLUMNS); i++)
        if (COLUMNS[i].table == table)
            columns = scope_printf(scope, "%s%s %s NOT NULL, ", columns, COLUMNS[i].name,
                                   COLUMNS[i].type);
    return scope_printf(scope, "CREATE TABLE %s (%sPRIMARY KEY (%s))", tpch_table_name(table),
                        columns, PRIMARY_KEYS[table]);
}

char *tpch_schema_foreign_key_sql(Scope *scope, int index)
{
    ASSERT(index >= 0);
    if ((size_t)index >= ARRAY_COUNT(FOREIGN_KEYS))
        return NULL;
    return scope_printf(scope, "ALTER TABLE %s ADD FOREIGN KEY (%s) REFERENCES %s (%s)",
                        tpch_table_name(FOREIGN_KEYS[index].table), FOREIGN_KEYS[index].columns,
                        FOREIGN_KEYS[index].other, FOREIGN_KEYS[index].keys);
}
