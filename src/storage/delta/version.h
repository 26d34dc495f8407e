// SPDX-License-Identifier: Apache-2.0
//
// One version of one key as it lies in memory: in a write set first, then, the same bytes, in a
// delta generation. Immutable once published, except `next`. A chain runs from the newest version
// to the oldest, strictly descending in commit_ts (DELTA-1). The memory belongs to the generation
// (or the write set) and lives as long as it is pinned. Any thread may read.
#ifndef DBASPOT_STORAGE_DELTA_VERSION_H
#define DBASPOT_STORAGE_DELTA_VERSION_H

#include "storage/relation.h"

#define DELTA_TOMBSTONE   0x80000000u
#define DELTA_KEY_LEN_MAX 0x7fffffffu

typedef struct DeltaVersion {
    _Atomic(struct DeltaVersion *) next; /* the older version, NULL at the end of the chain */
    Timestamp commit_ts;                 /* in a write set: the number of the write */
    uint32_t key_len;                    /* with the flag DELTA_TOMBSTONE */
    uint32_t row_len;                    /* 0 for a tombstone */
    char bytes[];                        /* the key, then the row */
} DeltaVersion;
static_assert(sizeof(DeltaVersion) == 24, "what a row costs beside its bytes and its slot");

static inline Str delta_version_key(const DeltaVersion *version)
{
    return (Str){version->bytes, version->key_len & ~DELTA_TOMBSTONE};
}

static inline Str delta_version_row(const DeltaVersion *version)
{
    return (Str){version->bytes + (version->key_len & ~DELTA_TOMBSTONE), version->row_len};
}

/* What a version takes in an arena. */
static inline size_t delta_version_bytes(size_t key_len, size_t row_len)
{
    return align_up(sizeof(DeltaVersion) + key_len + row_len, 8);
}

/* Fills all but commit_ts and next. */
static inline void delta_version_init(DeltaVersion *version, Str key, Str row, bool tombstone)
{
    version->key_len = (uint32_t)key.len | (tombstone ? DELTA_TOMBSTONE : 0);
    version->row_len = tombstone ? 0 : (uint32_t)row.len;
    if (key.len)
        memcpy(version->bytes, key.ptr, key.len);
    if (version->row_len)
        memcpy(version->bytes + key.len, row.ptr, row.len);
}

static inline bool delta_version_is_tombstone(const DeltaVersion *version)
{
    return version->key_len & DELTA_TOMBSTONE;
}

static inline const DeltaVersion *delta_version_next(const DeltaVersion *version)
{
    return atomic_load_explicit(&version->next, memory_order_acquire);
}

/* The newest version of the chain at or below `ts`, NULL if there is none. */
static inline const DeltaVersion *delta_version_at(const DeltaVersion *version, Timestamp ts)
{
    while (version && version->commit_ts > ts)
        version = delta_version_next(version);
    return version;
}

#endif
