// SPDX-License-Identifier: Apache-2.0
//
// A transaction's own writes: for each relation an ordered map key -> new row or tombstone, with
// seen_ts (the snapshot at which the row was read or found absent) and an undo list, so that a
// savepoint is a mark and rolling back costs what was written since. Rows lie in memory that the
// delta store can adopt at commit without copying them. One thread at a time (readers of the same
// transaction may scan in parallel while nobody writes).
#ifndef DBASPOT_STORAGE_WRITESET_H
#define DBASPOT_STORAGE_WRITESET_H

#include "storage/relation.h"

typedef struct WriteSet WriteSet;
typedef uint64_t WriteMark;

typedef enum WriteFound { WRITE_ABSENT, WRITE_ROW, WRITE_TOMBSTONE } WriteFound;

WriteSet *writeset_new(void);
void writeset_free(WriteSet *set);

/* Key and row are copied. E_OUT_OF_MEMORY beyond the budget set by writeset_set_budget. */
Status writeset_put(Ctx *ctx, WriteSet *set, RelationId relation, Str key, Str row,
                    Timestamp seen_ts);
Status writeset_delete(Ctx *ctx, WriteSet *set, RelationId relation, Str key, Timestamp seen_ts);
/* *row points into the set. */
WriteFound writeset_get(const WriteSet *set, RelationId relation, Str key, Str *row);
bool writeset_is_empty(const WriteSet *set);
bool writeset_has_relation(const WriteSet *set, RelationId relation);
/* Everything written into this relation is forgotten, and what storage holds of it is hidden from
   this transaction and from everyone after commit (TRUNCATE and DROP use a new relation id instead;
   this is for rollback of a created relation). */
size_t writeset_bytes(const WriteSet *set);
uint64_t writeset_rows(const WriteSet *set);

WriteMark writeset_mark(const WriteSet *set);
/* Undoes what came after the mark. */
void writeset_rollback(WriteSet *set, WriteMark mark);

#endif
