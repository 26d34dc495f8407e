// SPDX-License-Identifier: Apache-2.0
//
// The first objects of an empty storage, with the oids that PostgreSQL gives them.
// The contract, and which thread may call, stands in the header.
#include "catalog/manager_int.h"

static Status put(Ctx *ctx, Catalog *catalog, Object *object, ObjectKind kind, Oid oid, Str name)
{
    object->kind = kind;
    object->oid = oid;
    object->name = name;
    object->owner = OID_ROLE_POSTGRES;
    return catalog_put(ctx, catalog, object);
}

static Status put_all(Ctx *ctx, Catalog *catalog)
{
    Status st = OK;
    Role role = {
        .superuser = true, .login = true, .create_db = true, .create_role = true, .inherit = true};
    Database template0 = {0};
    Database template1 = {0};
    Database postgres = {.object.comment = STR("default administrative connection database")};
    Schema pg_catalog = {.object.comment = STR("system catalog schema")};
    Schema information = {0};
    Schema public_schema = {.object.comment = STR("standard public schema"),
                            .object.database = OID_DATABASE_POSTGRES};

    TRY(put(ctx, catalog, &role.object, OBJECT_ROLE, OID_ROLE_POSTGRES, STR("postgres")));
    TRY(put(ctx, catalog, &template0.object, OBJECT_DATABASE, OID_DATABASE_TEMPLATE0,
            STR("template0")));
    TRY(put(ctx, catalog, &template1.object, OBJECT_DATABASE, OID_DATABASE_TEMPLATE1,
            STR("template1")));
    TRY(put(ctx, catalog, &postgres.object, OBJECT_DATABASE, OID_DATABASE_POSTGRES,
            STR("postgres")));
    TRY(put(ctx, catalog, &pg_catalog.object, OBJECT_SCHEMA, OID_SCHEMA_PG_CATALOG,
            STR("pg_catalog")));
    TRY(put(ctx, catalog, &information.object, OBJECT_SCHEMA, OID_SCHEMA_INFORMATION,
            STR("information_schema")));
    TRY(put(ctx, catalog, &public_schema.object, OBJECT_SCHEMA, OID_SCHEMA_PUBLIC, STR("public")));
done:
    return st;
}

Status catalog_bootstrap(Ctx *ctx, CatalogManager *manager)
{
    Status st = OK;
    Scope *scope = scope_open(NULL, "bootstrap");
    const Snapshot *snapshot;
    Timestamp durable_ts;
    Txn *txn = NULL;

    TRY(txn_begin(ctx, manager->txns, &(TxnOptions){0}, &txn));
    TRY(txn_statement_begin(ctx, txn, false, &snapshot));
    TRY(put_all(ctx, catalog_open(manager, scope, 0, txn)));
    txn_statement_end(txn);
    st = txn_commit(ctx, txn, &durable_ts);
    txn = NULL;
    if (st == OK)
        TRY(storage_wait_durable(ctx, manager->storage, durable_ts));
done:
    if (txn)
        txn_abort(txn);
    scope_close(scope);
    return st;
}
