// SPDX-License-Identifier: Apache-2.0
//
// Hidden row ids: one counter a relation without a primary key. A counter begins behind the
// greatest key that is stored when it is first asked for; ids are never given twice while the node
// runs. Thread-safe.
#ifndef DBASPOT_TXN_ROW_IDS_H
#define DBASPOT_TXN_ROW_IDS_H

#include "storage/table.h"

typedef struct RowIds RowIds;

RowIds *row_ids_new(Storage *storage);
void row_ids_free(RowIds *ids);
/* `count` ids in a row, the first in *first. */
Status row_ids_take(Ctx *ctx, RowIds *ids, RelationId relation, uint64_t count, uint64_t *first);

#endif
