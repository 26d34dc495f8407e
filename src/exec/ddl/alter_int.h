// SPDX-License-Identifier: Apache-2.0
//
// The steps of ALTER TABLE. Each looks at the table as the catalog has it when its turn comes, and
// puts it back changed, so that later steps of the same statement see what earlier ones did. One
// thread.
#ifndef DBASPOT_EXEC_DDL_ALTER_INT_H
#define DBASPOT_EXEC_DDL_ALTER_INT_H

#include "exec/ddl/ddl_int.h"

/* The table as it is now. */
const Table *alter_table_now(const Ddl *d, Oid table);
/* Seals the draft and puts it into the catalog. */
Status alter_put(Ddl *d, TableDraft *draft, bool new_schema);

/* alter_column.c */
Status alter_add_column(Ddl *d, Oid table, const AstAlterCommand *command);
Status alter_drop_column(Ddl *d, Oid table, const AstAlterCommand *command);
Status alter_set_default(Ddl *d, Oid table, const AstAlterCommand *command);
Status alter_set_not_null(Ddl *d, Oid table, const AstAlterCommand *command);
Status alter_drop_not_null(Ddl *d, Oid table, const AstAlterCommand *command);
Status alter_identity(Ddl *d, Oid table, const AstAlterCommand *command);
/* alter_type.c */
Status alter_column_type(Ddl *d, Oid table, const AstAlterCommand *command);
/* alter_constraint.c */
Status alter_add_constraint(Ddl *d, Oid table, const AstConstraint *ast, Str column);
Status alter_drop_constraint(Ddl *d, Oid table, const AstAlterCommand *command);
Status alter_validate_constraint(Ddl *d, Oid table, const AstAlterCommand *command);
/* Drops the primary key's index; the rows get hidden ids. */
Status alter_drop_clustering(Ddl *d, Oid table, const Index *index);

/* Forgets what ANALYZE found out about a column. */
void alter_forget_statistics(Ddl *d, TableDraft *draft, uint32_t column_id);
/* True if a stored expression over the table reads the column. */
Status alter_expr_reads(Ddl *d, const Table *table, Str sql, SqlType type, uint32_t column_id,
                        bool *out);
/* The same for an index: its columns, expressions, predicate. */
Status alter_index_reads(Ddl *d, const Table *table, const Index *index, uint32_t column_id,
                         bool *out);

#endif
