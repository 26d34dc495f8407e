// SPDX-License-Identifier: Apache-2.0
//
// The catalog: objects are rows of the system relation RELATION_CATALOG (key: oid; value: one
// serialised object), written by the DDL's own transaction. Readers use an immutable
// CatalogVersion: hash maps by oid and by (database, schema, name), copied on write by each DDL
// commit inside the commit's critical section; a transaction with DDL sees its own overlay. DDL
// functions work on the overlay and the transaction's write set together, so a rollback (also to a
// savepoint) undoes both. Thread-safe; a Catalog handle (per transaction) is used by one thread at
// a time.
#ifndef DBASPOT_CATALOG_CATALOG_H
#define DBASPOT_CATALOG_CATALOG_H

#include "catalog/object.h"
#include "txn/txn.h"

typedef struct CatalogManager CatalogManager;
/* What one transaction (or statement) sees: a pinned version plus its own changes. */
typedef struct Catalog Catalog;

#define OID_SCHEMA_PG_CATALOG  11u
#define OID_SCHEMA_PUBLIC      2200u
#define OID_SCHEMA_INFORMATION 13000u
#define OID_ROLE_POSTGRES      10u
#define OID_DATABASE_POSTGRES  5u
#define OID_DATABASE_TEMPLATE1 1u
#define OID_DATABASE_TEMPLATE0 4u

/* Loads all objects; in an empty storage makes the superuser "postgres", the databases postgres,
   template1 and template0, and the schemas pg_catalog, public, information_schema. */
Status catalog_manager_open(Ctx *ctx, TxnManager *txns, Storage *storage, CatalogManager **out);
void catalog_manager_close(CatalogManager *manager);

/* A handle on the newest committed version, for `database`. `txn` may be NULL for reading only. */
Catalog *catalog_open(CatalogManager *manager, Scope *scope, Oid database, Txn *txn);
/* Moves to the newest committed version (each statement of any isolation level does, as in
   PostgreSQL); own changes stay. */
void catalog_refresh(Catalog *catalog);
/* Looks at the objects of another database from now on (0: of all); returns the one before. For DDL
   about databases and roles, which puts it back. */
Oid catalog_look_at(Catalog *catalog, Oid database);
/* Changes whenever any object this handle can see changed: compare to know whether a plan is stale.
 */
uint64_t catalog_version(const Catalog *catalog);

/* The database this handle sees. */
Oid catalog_database_oid(const Catalog *catalog);
/* Its manager: sequences live there. */
CatalogManager *catalog_manager(const Catalog *catalog);
/* Keeps every object that this handle can see now alive until `scope` ends: what a plan points to.
 */
void catalog_pin(const Catalog *catalog, Scope *scope);

/* Look-ups; NULL when absent. Objects live while the handle's version is pinned (its scope). */
const Object *catalog_by_oid(const Catalog *catalog, Oid oid);
/* Tables, indexes, sequences and views share one namespace. */
const Object *catalog_relation(const Catalog *catalog, Oid schema, Str name);
const Schema *catalog_schema(const Catalog *catalog, Str name);
const Database *catalog_database(const Catalog *catalog, Str name);
const Role *catalog_role(const Catalog *catalog, Str name);
/* Objects of a kind in this database (and the shared ones), in oid order; `visit` false stops. */
void catalog_each(const Catalog *catalog, ObjectKind kind, bool (*visit)(void *arg, const Object *),
                  void *arg);

Oid catalog_new_oid(Catalog *catalog);
RelationId catalog_new_relation_id(Catalog *catalog);
/* Publishes a new or changed object in this transaction (deep-copied, serialised, written). */
Status catalog_put(Ctx *ctx, Catalog *catalog, const Object *object);
Status catalog_remove(Ctx *ctx, Catalog *catalog, Oid oid);

#endif
