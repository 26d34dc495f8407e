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
/* Forgets everything; keeps a first piece of memory, so that a session's next transaction is cheap.
 */
void writeset_clear(WriteSet *set);
/* Bytes of keys and rows it may hold, 0 = no limit. */
void writeset_set_budget(WriteSet *set, size_t bytes_max);

/* Key and row are copied. E_OUT_OF_MEMORY beyond the budget set by writeset_set_budget. A key that
   the set holds already keeps the smaller seen_ts of the two. */
Status writeset_put(Ctx *ctx, WriteSet *set, RelationId relation, Str key, Str row,
                    Timestamp seen_ts);
Status writeset_delete(Ctx *ctx, WriteSet *set, RelationId relation, Str key, Timestamp seen_ts);
/* *row points into the set. */
WriteFound writeset_get(const WriteSet *set, RelationId relation, Str key, Str *row);
/* As of a mark: what was written since is not seen (a statement does not see its own writes). */
WriteFound writeset_get_at(const WriteSet *set, RelationId relation, Str key, WriteMark mark,
                           Str *row);
bool writeset_is_empty(const WriteSet *set);
bool writeset_has_relation(const WriteSet *set, RelationId relation);
/* Everything written into this relation is forgotten (rollback of a created relation; TRUNCATE and
   DROP use a new relation id instead). No undo. */
void writeset_drop_relation(WriteSet *set, RelationId relation);
/* Memory held, and keys written. */
size_t writeset_bytes(const WriteSet *set);
uint64_t writeset_rows(const WriteSet *set);

/* Never 0. Writes after it have numbers at or above it. */
WriteMark writeset_mark(const WriteSet *set);
/* Undoes what came after the mark. */
void writeset_rollback(WriteSet *set, WriteMark mark);

typedef struct WriteItem {
    RelationId relation;
    Str key; /* points into the set */
    Str row;
    bool tombstone;
    Timestamp seen_ts;
    WriteMark number; /* >= a mark: written after it */
} WriteItem;

/* Walks the writes, newest of each key: relations by id, keys ascending: the order in which locks
   are taken, and of the log record. The set must not change meanwhile. */
typedef struct WriteIter WriteIter;
WriteIter *writeset_iter_new(Scope *scope, const WriteSet *set);
/* False at the end. */
bool writeset_iter_next(WriteIter *iter, WriteItem *out);

/* The log's payload: the writes in the order of the iterator, as a stream of bytes. Its exact
   length, and a reader that fills buffers of any size until it returns 0. */
uint64_t writeset_encoded_bytes(const WriteSet *set);
typedef struct WriteEncoder WriteEncoder;
WriteEncoder *writeset_encoder_new(Scope *scope, const WriteSet *set);
size_t writeset_encode(WriteEncoder *encoder, void *buffer, size_t bytes_max);

/* The way back: feed the stream in pieces of any size into a set (then generation_install makes the
   commit visible, or the set is dropped when its record turns out to be torn). E_DATA_CORRUPTED if
   the bytes make no sense, and from _end if they stop inside a write. */
typedef struct WriteDecoder WriteDecoder;
WriteDecoder *writeset_decoder_new(Scope *scope, WriteSet *set);
Status writeset_decode(Ctx *ctx, WriteDecoder *decoder, const void *bytes, size_t count);
Status writeset_decode_end(Ctx *ctx, WriteDecoder *decoder);

/* A whole payload in one piece, straight into a generation. E_DATA_CORRUPTED leaves the versions
   before the bad place in it. */
struct DeltaGeneration;
Status writeset_decode_into(Ctx *ctx, struct DeltaGeneration *generation, Timestamp commit_ts,
                            const void *bytes, size_t count);

#endif
