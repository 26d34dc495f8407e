// SPDX-License-Identifier: Apache-2.0
//
// Sequence values: not transactional, as in PostgreSQL. A row of RELATION_SEQUENCES (key: oid)
// holds how far values have been given out; it is written ahead by small transactions of its own,
// many values at a time, so that a crash leaves a gap and never a repetition (the user's own
// commit, later in the same log, makes it durable). Thread-safe.
#ifndef DBASPOT_CATALOG_SEQUENCE_H
#define DBASPOT_CATALOG_SEQUENCE_H

#include "catalog/catalog.h"

/* nextval: 2200H beyond the bounds. */
Status sequence_next(Ctx *ctx, CatalogManager *manager, const Sequence *sequence, int64_t *out);
/* setval. */
Status sequence_set(Ctx *ctx, CatalogManager *manager, const Sequence *sequence, int64_t value,
                    bool is_called);
/* last_value and is_called, as the sequence's own row shows them. */
Status sequence_state(Ctx *ctx, CatalogManager *manager, const Sequence *sequence, int64_t *value,
                      bool *is_called);
/* Forgets the cached state of a dropped or restarted sequence. */
void sequence_forget(CatalogManager *manager, Oid sequence);

#endif
