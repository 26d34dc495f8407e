// SPDX-License-Identifier: Apache-2.0
//
// Tuples in temporary files: what sorts, hash joins and aggregations write when they pass their
// memory. A file has no name any more when it is first written, so nothing is left behind by a
// crash. Written by one thread, then read by one thread.
#ifndef DBASPOT_EXEC_SPILL_H
#define DBASPOT_EXEC_SPILL_H

#include "exec/exec_int.h"
#include "exec/tuple.h"

#define SPILL_PARTITIONS 32

typedef struct SpillFile SpillFile;

/* True if the query has a place for temporary files. */
bool spill_is_possible(const Query *query);
/* Bytes that an operator may hold in each worker before it spills. */
size_t spill_threshold(const Query *query);

/* Closed with the scope. Tuples have the layout, and `header_bytes` of the owner's first. */
Status spill_file_open(Worker *worker, Scope *scope, const TupleLayout *layout, SpillFile **out);
/* `key` (may be empty) goes in front. */
Status spill_write(Ctx *ctx, SpillFile *file, Tuple tuple, Str key);
/* After the last write. */
Status spill_finish(Ctx *ctx, SpillFile *file);
uint64_t spill_rows(const SpillFile *file);

/* Reads from the start. The tuple and its strings go into `into` (same layout), *key lives until
   the next call; *found false at the end. */
Status spill_rewind(Ctx *ctx, SpillFile *file);
Status spill_read(Ctx *ctx, SpillFile *file, TupleBuffer *into, Tuple *out, Str *key, bool *found);

/* A worker's files by partition, opened when first written. */
typedef struct SpillSet {
    const TupleLayout *layout;
    SpillFile *files[SPILL_PARTITIONS];
} SpillSet;

static inline uint32_t spill_partition(uint64_t hash)
{
    return (uint32_t)(hash >> 40) % SPILL_PARTITIONS;
}

Status spill_set_write(Worker *worker, SpillSet *set, uint32_t partition, Tuple tuple);
Status spill_set_finish(Ctx *ctx, SpillSet *set);

#endif
