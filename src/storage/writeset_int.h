// SPDX-License-Identifier: Apache-2.0
//
// The open write set, for those in this room who take its memory over (delta/generation.c) or walk
// its trees (table, writeset_*.c). Versions lie in `rows` in the order of writing, each with its
// number in commit_ts; a run names the relation and seen_ts of consecutive ones, so that a write
// costs nothing beside its version and its slot. One thread.
#ifndef DBASPOT_STORAGE_WRITESET_INT_H
#define DBASPOT_STORAGE_WRITESET_INT_H

#include "storage/delta/map.h"
#include "storage/writeset.h"

#define WRITESET_BUCKETS  16
#define WRITE_KEY_LEN_MAX ((size_t)64 << 10)
#define WRITE_ROW_LEN_MAX ((size_t)1 << 30)

/* Consecutive writes to one relation, one after the other in memory. */
typedef struct WriteRun {
    WriteMark first;
    uint64_t count;
    DeltaRelation *relation;
    Timestamp seen_ts;
    DeltaVersion *start;
} WriteRun;

struct WriteSet {
    DeltaArena rows;
    DeltaArena nodes;
    DeltaMap map;
    _Atomic(DeltaRelation *) buckets[WRITESET_BUCKETS];
    WriteRun *runs; /* by number */
    uint32_t runs_count;
    uint32_t runs_cap;
    const char *rows_end;  /* where the last version ends: the next may continue its run */
    WriteMark next_number; /* only grows, also through rollbacks (WRITE-1) */
    uint64_t rollbacks_count;
    uint64_t keys_count;
    uint64_t live_bytes;    /* of the newest version of each key, as delta_version_bytes */
    uint64_t encoded_bytes; /* of those in the log, without the relations' headers */
    size_t bytes_max;       /* 0: no limit */
};

/* The run of a write. */
const WriteRun *writeset_run(const WriteSet *set, WriteMark number);
/* Bytes of a version in the log's payload. */
uint64_t writeset_entry_bytes(const DeltaVersion *version);

#endif
