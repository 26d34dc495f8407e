// SPDX-License-Identifier: Apache-2.0
//
// What the files of this room share: the manager, its counters, the first objects of an empty
// database directory.
#ifndef DBASPOT_CATALOG_MANAGER_INT_H
#define DBASPOT_CATALOG_MANAGER_INT_H

#include "catalog/sequence.h"
#include "os/thread.h"

typedef struct CatalogVersion CatalogVersion;
typedef struct SequenceTable SequenceTable;

struct CatalogManager {
    TxnManager *txns;
    Storage *storage;
    Scope *scope;
    Mutex mutex; /* guards `current` */
    CatalogVersion *current;
    _Atomic uint64_t current_id;
    _Atomic uint64_t next_overlay;
    SequenceTable *sequences;
};

/* Ids that never come back are kept as rows of RELATION_SEQUENCES below every real oid. */
typedef enum Counter { COUNTER_OID = 1, COUNTER_RELATION = 2 } Counter;

void counters_open(CatalogManager *manager);
void counters_close(CatalogManager *manager);
/* The next id, reserved ahead in the log. An I/O failure there is fatal later, at the commit. */
int64_t counter_next(CatalogManager *manager, Counter counter);

/* Databases, schemas and the superuser of an empty storage, in one transaction. */
Status catalog_bootstrap(Ctx *ctx, CatalogManager *manager);

#endif
