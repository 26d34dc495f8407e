// SPDX-License-Identifier: Apache-2.0
//
// What SQL functions tell of catalog objects: pg_get_viewdef, pg_get_constraintdef,
// obj_description, pg_relation_size, has_table_privilege … SessionHooks.catalog_text and
// catalog_number end here. Only reads; any thread that may read the catalog handle.
#ifndef DBASPOT_EXEC_DDL_DESCRIBE_H
#define DBASPOT_EXEC_DDL_DESCRIBE_H

#include "sql/sql.h"

/* `what` is the function's name. An object that does not exist gives NULL, as in PostgreSQL. A name
   that is not known here is E_FEATURE_NOT_SUPPORTED. The text lies in `scope`. */
Status describe_text(Ctx *ctx, Scope *scope, const BindEnv *env, const char *what,
                     const Datum *args, uint32_t args_count, Str *out, bool *is_null);
/* Booleans are 0 and 1. `storage` may be NULL: sizes are 0. */
Status describe_number(Ctx *ctx, const BindEnv *env, Storage *storage, const char *what,
                       const Datum *args, uint32_t args_count, int64_t *out, bool *is_null);

#endif
