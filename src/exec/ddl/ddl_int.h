// SPDX-License-Identifier: Apache-2.0
//
// What the files of this room share: the statement under work, finding and locking objects, the
// parts that tables, indexes and sequences are made of, dependencies, and running queries for
// checks and rewrites. One thread; everything lives in the statement's scope.
#ifndef DBASPOT_EXEC_DDL_DDL_INT_H
#define DBASPOT_EXEC_DDL_DDL_INT_H

#include "base/array.h"
#include "exec/ddl/ddl.h"

#define STR_ARGS(text) (int)(text).len, (text).ptr

/* One DDL statement. */
typedef struct Ddl {
    Ctx *ctx;
    Scope *scope;
    DdlEnv *env;
    BindEnv *bind;
    Catalog *catalog;
    Txn *txn;
} Ddl;

typedef ARRAY(Str) StrList;
typedef ARRAY(Oid) OidList;
typedef ARRAY(Column) ColumnArray;
typedef ARRAY(CheckConstraint) CheckArray;

// --- names, messages, locks (ddl_name.c) --------------------------------------------------------

/* Tells the client, level NOTICE. */
void ddl_notice(Ddl *d, const char *sqlstate, const char *format, ...) PRINTF_LIKE(3, 4);
/* Passes `st` on with the position of a location in the source, if it is an error. */
Status ddl_at(Ddl *d, int32_t location, Status st);
/* 0A000 "… is not supported"; `hint` may be NULL. */
Status ddl_unsupported(Ddl *d, int32_t location, const char *feature, const char *hint);
/* True if the name alone finds the object. */
bool ddl_is_visible(const BindEnv *env, const Object *object);
/* Appends the name, quoted, with its schema if it is not visible. */
void ddl_append_name(StrBuf *out, const BindEnv *env, const Object *object);
/* "table t", "view s.v", for messages. */
const char *ddl_describe(Ddl *d, const Object *object);
/* As ddl_append_name, but as text of the statement. */
const char *ddl_visible_name(Ddl *d, const Object *object);
/* schema.name, both quoted, always. */
Str ddl_qualified_name(Ddl *d, const Object *object);
/* "s.t" or "t" as written, unquoted, for messages. */
const char *ddl_written_name(Ddl *d, const AstName *name);

/* STATUS_LOCK_WAIT if it must be waited for. Sees the newest catalog afterwards. */
Status ddl_lock(Ddl *d, Oid oid, TableLock mode);
/* Any relation by name, unlocked; NULL if there is none. */
const Object *ddl_find(const Ddl *d, const AstName *name);
/* A relation of the kind, locked: 42P01, 42809 "… is not a table". missing_ok: NULL and a notice
   when absent. `kind` 0 takes any. */
typedef struct OpenSpec {
    ObjectKind kind;
    TableLock lock;
    bool missing_ok;
} OpenSpec;
Status ddl_open(Ddl *d, const AstName *name, OpenSpec spec, const Object **out);
/* 42809 "\"v\" is not a table". */
Status ddl_wrong_kind(Ddl *d, const Object *object, ObjectKind wanted);
/* The schema to create a relation in, locked: 3F000, 42501. */
Status ddl_creation_schema(Ddl *d, const AstName *name, Oid *out);
Status ddl_find_schema(Ddl *d, Str name, const Schema **out);
/* CURRENT_USER and its like too; 42704. */
Status ddl_find_role(Ddl *d, const AstRole *ast, const Role **out);
/* "table", "view", … */
const char *ddl_kind_words(ObjectKind kind);
/* An empty object of a kind in this database, with a new oid. */
Object ddl_new_object(Ddl *d, ObjectKind kind, Oid schema, Str name);
/* Puts the object back under another head (name, schema, owner, comment). */
Status ddl_put_head(Ddl *d, const Object *object, const Object *head);
/* 42939 for pg_something. */
Status ddl_check_schema_name(Ddl *d, Str name);
bool ddl_is_system_schema(Oid schema);
/* A relation that the catalog makes up: pg_class, information_schema.tables. */
bool ddl_is_system_view(Ddl *d, const AstName *name);
/* 42501 for what belongs to the system. */
Status ddl_check_not_system(Ddl *d, const Object *object);

/* PostgreSQL's ChooseRelationName: name1_name2_label, made unique in the schema and `taken`;
   name2 may be empty. */
typedef struct NameParts {
    Str name1, name2;
    const char *label;
} NameParts;
Str ddl_choose_name(Ddl *d, NameParts parts, Oid schema, const StrList *taken);
/* name1_name2_label cut to 63 bytes. */
Str ddl_make_name(Ddl *d, NameParts parts);

// --- expressions that are stored (stored_expr.c) ------------------------------------------------

/* Calls visit for every node of an expression, parents first; `visit` may change the node. */
void ddl_walk_ast(AstNode *node, void (*visit)(void *arg, AstNode *node), void *arg);
/* The text to keep of a checked expression: sequences in it are known by oid from then on. */
Status ddl_store_expr(Ddl *d, const AstNode *expr, Str *out);
/* DEFAULT: checked against the column's type. */
Status ddl_store_default(Ddl *d, const Column *column, const AstNode *expr, Str *out);
/* A CHECK over the table (its columns suffice). `columns` gets their positions, may be NULL. */
typedef ARRAY(uint32_t) PositionList;
Status ddl_store_check(Ddl *d, const Table *table, const AstNode *expr, Str *out,
                       PositionList *columns);
/* A stored expression, bound over the table (NULL: none); target.oid 0: its own type. */
Status ddl_bind_stored(Ddl *d, const Table *table, Str sql, SqlType target, Expr **out);
/* Positions of the columns that a bound expression reads, each once. */
void ddl_expr_columns(Ddl *d, Expr *expr, PositionList *out);
/* The text with one column's name changed. */
Status ddl_rename_in_expr(Ddl *d, Str sql, Str from, Str to, Str *out);
/* Oids of the sequences in a stored default. */
void ddl_expr_sequences(Scope *scope, Str sql, OidList *out);
Str ddl_nextval_sql(Ddl *d, Oid sequence);
/* The text as it is shown: sequences by name. */
Str ddl_display_expr(const BindEnv *env, Scope *scope, Str sql);
/* Not IMMUTABLE somewhere. */
bool ddl_expr_is_mutable(Expr *expr);

// --- tables (table_build.c) ---------------------------------------------------------------------

/* PostgreSQL's INDEX_MAX_KEYS. */
#define KEY_COLUMNS_MAX 32

/* A table being made or changed: copies of the lists, to be edited and then sealed. */
typedef struct TableDraft {
    Table table;
    ColumnArray columns;
    CheckArray checks;
    uint32_t key_count; /* the clustering key, by column ids; 0: the hidden row id */
    uint32_t key_ids[KEY_COLUMNS_MAX];
} TableDraft;

void ddl_draft_from(Ddl *d, const Table *table, TableDraft *out);
/* A table without columns. */
void ddl_draft_new(Ddl *d, Oid schema, Str name, TableDraft *out);
/* Points the table at the lists. `new_schema`: the columns changed for storage: appends a version
   of the row schema, or makes the first one. */
Status ddl_draft_seal(Ddl *d, TableDraft *draft, bool new_schema);
/* Position of a column, UINT32_MAX if there is none. */
uint32_t ddl_column_at(const Column *columns, uint32_t count, Str name);
uint32_t ddl_column_by_id(const Table *table, uint32_t id);
/* 42703 "column "x" of relation "t" does not exist". */
Status ddl_table_column(Ddl *d, const Table *table, Str name, uint32_t *out);
/* Gives the table a new, empty relation. */
void ddl_draft_new_relation(Ddl *d, TableDraft *draft);
/* 42701, 54011. Returns where the column lies. */
Status ddl_draft_add_column(Ddl *d, TableDraft *draft, const Column *column, int32_t location);
/* Names of constraints that the table has: CHECKs and keys. */
void ddl_constraint_names(Ddl *d, const Table *table, StrList *out);
Status ddl_check_column_name(Ddl *d, Str name, int32_t location);

/* A column as written, without its constraints. `serial`: 's', 'i', 'b' for smallserial, serial,
   bigserial, else 0. */
Status ddl_column_type(Ddl *d, const AstColumnDef *ast, SqlType *out, char *serial);

/* Constraints of a column definition, sorted out. */
typedef struct ColumnParts {
    const AstConstraint *default_;
    const AstConstraint *identity;
    bool not_null, nullable;
    char serial;
    ARRAY(const AstConstraint *) checks;
    ARRAY(const AstConstraint *) keys; /* PRIMARY KEY, UNIQUE */
} ColumnParts;
Status ddl_column_parts(Ddl *d, Str table, const AstColumnDef *ast, ColumnParts *out);
/* Gives the column its default, its sequence and NOT NULL; the sequence is put into the catalog. */
Status ddl_column_finish(Ddl *d, const Object *table, const ColumnParts *parts, Column *column);

/* A key or index to be made. */
typedef struct IndexSpec {
    Str name; /* empty: chosen */
    bool unique, primary, constraint, nulls_not_distinct;
    uint32_t columns_count;
    IndexColumn *columns;
    Str predicate_sql;
    Str *name_parts; /* a column's name, or what stands for an expression, for the chosen name */
    Str comment;
} IndexSpec;
/* What stands for an expression in a chosen index name: its function's name, or "expr". */
Str ddl_name_part(const AstNode *expr);
/* From a constraint's columns, or its one column: 42703, 42701. PRIMARY KEY columns become NOT
   NULL. */
Status ddl_key_spec(Ddl *d, TableDraft *draft, const AstConstraint *ast, Str column,
                    IndexSpec *out);
/* Refuses types that have no order. */
Status ddl_check_key_type(Ddl *d, SqlType type);
/* The index's object; a primary key with `clustered` shares the table's relation. */
Index *ddl_new_index(Ddl *d, const Table *table, const IndexSpec *spec, bool clustered);
Str ddl_index_name(Ddl *d, const Table *table, const IndexSpec *spec);
/* Adds a CHECK to the draft, its name chosen if it has none. */
Status ddl_add_check(Ddl *d, TableDraft *draft, const AstConstraint *ast);
/* WITH (…) as stored: "fillfactor=70". */
Status ddl_options_text(Ddl *d, const AstList *options, Str *out);

// --- sequences (sequence_ddl.c)
// -------------------------------------------------------------------

/* Fills in a sequence from its options; `type` 0 with none given: bigint. */
Status ddl_sequence_options(Ddl *d, Sequence *sequence, const AstList *options, bool is_new);
/* The sequence behind serial and identity columns, owned by the column. */
Status ddl_owned_sequence(Ddl *d, const Object *table, const Column *column, const AstList *options,
                          Oid *out);
void ddl_owned_sequences(Ddl *d, Oid table, OidList *out);
Status ddl_restart_sequence(Ddl *d, const Sequence *sequence, int64_t value);

// --- queries (ddl_query.c) ----------------------------------------------------------------------

/* A snapshot of everything committed so far and of all own writes, for work under a table lock. */
const Snapshot *ddl_fresh_snapshot(Ddl *d);
/* Binds a query of the statement and locks what it reads; again if that changed meanwhile. */
Status ddl_bind_query(Ddl *d, const AstNode *query, PlannedStatement *out);
/* Binds, plans and runs a SELECT. */
Status ddl_run_query(Ddl *d, const AstNode *query, const Snapshot *snapshot, const ExecSink *sink);
/* Runs a bound query at the statement's snapshot (NULL) or another into a sink that writes: many
   rows come from this thread alone, since nobody else may read the write set meanwhile. */
Status ddl_run_insert(Ddl *d, PlannedStatement *query, const Snapshot *snapshot,
                      const ExecSink *sink);
/* Whether any row of the table makes the condition true. */
Status ddl_any_row(Ddl *d, const Table *table, AstNode *condition, bool *out);
/* 23514 if a row breaks the CHECK; 23502 if one has NULL there. */
Status ddl_validate_check(Ddl *d, const Table *table, const CheckConstraint *check);
Status ddl_validate_not_null(Ddl *d, const Table *table, const Column *column);
/* Builds an index that is in the catalog; `table` as in the catalog now. */
Status ddl_build_index(Ddl *d, const Table *table, const Index *index);
/* Drops the relation's rows when the transaction commits. (What a new one got goes with the
   transaction's write set if it does not.) */
void ddl_drop_relation_later(Ddl *d, RelationId relation);
RelationId ddl_new_relation(Ddl *d);
/* AST pieces over stored names. */
AstNode *ddl_ast_column(Ddl *d, Str name);
AstNode *ddl_ast_table(Ddl *d, const Object *table);

/* A sink that casts what it gets, as assignments do, and inserts it into the table, which is new:
   only the clustered key is looked at. How many rows went in. */
Status ddl_copy_sink(Ddl *d, const Table *table, ExecSink *out);
uint64_t ddl_copied_rows(const ExecSink *sink);
void ddl_drop_table_relations(Ddl *d, const Table *table);

/* Copies the rows of `from` into the draft's table, which has a new relation and new relations for
   its secondary indexes, and puts all of it into the catalog. values[i]: the new row's i-th column
   over the old columns. */
Status ddl_rewrite(Ddl *d, const Table *from, TableDraft *to, AstNode **values);
/* The values of a rewrite that changes no row: each column by its name. */
AstNode **ddl_same_values(Ddl *d, const Table *from, const TableDraft *to);

// --- dependencies (depend.c) --------------------------------------------------------------------

/* What is to go together: objects named, and what depends on them. */
typedef struct DropSet DropSet;
DropSet *ddl_drop_new(Ddl *d, bool cascade);
void ddl_drop_add(DropSet *set, const Object *object);
/* Finds what depends on the set, refuses (2BP01) or adds it, and drops all. */
Status ddl_drop_run(DropSet *set);
/* Before a column goes: views that read it (2BP01, or dropped with `cascade`), its sequence. */
Status ddl_drop_column_users(Ddl *d, const Table *table, uint32_t column_id, bool cascade);
/* Drops one object from the catalog, a table with its indexes: no dependency is looked at. */
Status ddl_remove(Ddl *d, const Object *object);

// --- statements ---------------------------------------------------------------------------------

Status ddl_create_table(Ddl *d, const AstCreateTable *ast);
Status ddl_create_table_as(Ddl *d, const AstCreateTableAs *ast);
Status ddl_create_index(Ddl *d, const AstCreateIndex *ast);
Status ddl_create_view(Ddl *d, const AstCreateView *ast);
Status ddl_create_sequence(Ddl *d, const AstCreateSequence *ast);
Status ddl_alter_sequence(Ddl *d, const AstAlterSequence *ast);
Status ddl_create_schema(Ddl *d, const AstCreateSchema *ast);
Status ddl_create_database(Ddl *d, const AstCreateDatabase *ast);
Status ddl_alter_database(Ddl *d, const AstAlterDatabase *ast);
Status ddl_drop_database(Ddl *d, const AstDropDatabase *ast);
Status ddl_create_role(Ddl *d, const AstCreateRole *ast);
Status ddl_alter_role(Ddl *d, const AstAlterRole *ast);
Status ddl_drop_role(Ddl *d, const AstDropRole *ast);
Status ddl_alter_table(Ddl *d, const AstAlterTable *ast);
Status ddl_rename(Ddl *d, const AstRename *ast);
Status ddl_set_schema(Ddl *d, const AstSetSchema *ast);
Status ddl_set_owner(Ddl *d, const AstSetOwner *ast);
Status ddl_drop(Ddl *d, const AstDrop *ast);
Status ddl_truncate(Ddl *d, const AstTruncate *ast);
Status ddl_comment(Ddl *d, const AstComment *ast);
Status ddl_grant(Ddl *d, const AstGrant *ast);
Status ddl_reindex(Ddl *d, const AstReindex *ast);
Status ddl_analyze_table(Ddl *d, const Table *table);

#endif
