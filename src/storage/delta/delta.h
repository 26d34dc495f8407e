// SPDX-License-Identifier: Apache-2.0
//
// Tier 1: a delta generation is an insert-only concurrent ordered map for each relation, key ->
// chain of versions, in memory that goes back whole when the last reference does. Readers never
// lock; writers lock one leaf. Any number of threads may install and read at once. A generation is
// chosen, frozen and flushed by storage.c; to "freeze" is only a mark here: the caller sees to it
// that no install is running or follows.
#ifndef DBASPOT_STORAGE_DELTA_DELTA_H
#define DBASPOT_STORAGE_DELTA_DELTA_H

#include "storage/delta/version.h"
#include "storage/writeset.h"

typedef struct DeltaGeneration DeltaGeneration;

/* One reference, the caller's. */
DeltaGeneration *generation_new(void);
DeltaGeneration *generation_ref(DeltaGeneration *generation);
/* NULL is allowed. The last one frees everything. */
void generation_unref(DeltaGeneration *generation);
void generation_freeze(DeltaGeneration *generation);
bool generation_is_frozen(const DeltaGeneration *generation);

/* Publishes a transaction's writes at commit_ts and empties the set; a large set's memory is taken
   over, not copied. Writes of one key must come in the order of their commit_ts. Cannot fail. */
void generation_install(DeltaGeneration *generation, WriteSet *set, Timestamp commit_ts);

/* Where the last insert went: makes inserts in key order of one relation cheap. Zero it to begin;
   one thread, one generation. */
typedef struct GenerationHint {
    struct DeltaRelation *relation;
    struct DeltaNode *leaf;
} GenerationHint;

typedef struct GenerationWrite {
    Str key;
    Str row;
    bool tombstone;
    Timestamp commit_ts;
} GenerationWrite;

/* Inserts one version, copied (replay, merged generations). Versions of a key may come in any
   order; one that is there already, by (key, commit_ts), is left alone. `hint` may be NULL. */
void generation_put(DeltaGeneration *generation, GenerationHint *hint, RelationId relation,
                    const GenerationWrite *write);

/* The newest version at or below read_ts, which may be a tombstone; NULL if there is none. */
const DeltaVersion *generation_get(const DeltaGeneration *generation, RelationId relation, Str key,
                                   Timestamp read_ts);

/* Memory held (arena blocks), and what a relation holds of it: keys, and bytes of its versions. */
size_t generation_bytes(const DeltaGeneration *generation);
uint64_t generation_relation_rows(const DeltaGeneration *generation, RelationId relation);
uint64_t generation_relation_bytes(const DeltaGeneration *generation, RelationId relation);
/* The smallest and largest commit_ts in it; 0 and 0 while it is empty. */
Timestamp generation_first_ts(const DeltaGeneration *generation);
Timestamp generation_last_ts(const DeltaGeneration *generation);
/* Ids of the relations with at least one version, ascending, in `scope`. */
uint32_t generation_relations(const DeltaGeneration *generation, Scope *scope, RelationId **out);

#define DELTA_BLOCK_MAX 64

/* Walks a relation's keys in [low, high) in order, a leaf at a time. Entries are the heads of the
   chains: the newest versions; follow delta_version_next for the older ones. What is installed
   meanwhile may or may not be seen. Plain struct: copy nothing, needs no close; the bounds' bytes
   and the generation must outlive it. One thread. */
typedef struct DeltaIter {
    const struct DeltaTree *tree; /* NULL: the relation has nothing here */
    KeyRange range;
    bool descending;
    bool at_end;
    const struct DeltaNode *leaf; /* ascending: the leaf to read next; NULL: look `from` up */
    Str from;                     /* ascending: keys >= it are next; descending: keys < it */
    bool has_from;                /* descending: false = from the very end */
    uint32_t count;
    const DeltaVersion *block[DELTA_BLOCK_MAX];
} DeltaIter;

/* The range's bytes must outlive the iterator. */
void delta_iter_open(DeltaIter *iter, const DeltaGeneration *generation, RelationId relation,
                     KeyRange range, bool descending);
/* The same over the transaction's own writes: newest write of each key first (commit_ts of those
   versions is the write's number). */
void delta_iter_open_writes(DeltaIter *iter, const WriteSet *set, RelationId relation,
                            KeyRange range, bool descending);
/* Fills block[0..count) with the next entries, in the direction of the walk; 0 at the end. */
uint32_t delta_iter_next(DeltaIter *iter);
/* Goes on at `key`, whose bytes must live until the next block is fetched: ascending, at the first
   key >= it; descending, at the last key < it. */
void delta_iter_seek(DeltaIter *iter, Str key);

/* Up to `max` keys that cut the range into parts of similar size, ascending, strictly inside; their
   bytes live as long as the generation. Returns how many. */
uint32_t generation_split(const DeltaGeneration *generation, RelationId relation, KeyRange range,
                          uint32_t max, Str *out);

#endif
