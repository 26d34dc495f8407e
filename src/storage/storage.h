// SPDX-License-Identifier: Apache-2.0
//
// One node's storage: the log, the delta generations and the write-optimised store behind one door.
// Commits enter by storage_commit, reads go through a pinned view (storage/table.h). Background
// threads flush and merge. Thread-safe unless said otherwise.
//
//   installed_ts  the newest commit such that it and all before it are in the delta store
//   durable_ts    min(log durable through, installed_ts); both only grow
#ifndef DBASPOT_STORAGE_STORAGE_H
#define DBASPOT_STORAGE_STORAGE_H

#include "storage/writeset.h"

typedef struct Storage Storage;
typedef struct StorageView StorageView;

typedef struct StorageOptions {
    const char *dir;         /* data directory; NULL or ":memory:" = no files, nothing durable */
    size_t memory_limit;     /* bytes for delta generations and RocksDB's caches together */
    size_t generation_bytes; /* a delta generation is frozen at this size (64 MiB) */
    size_t segment_bytes;    /* log segment size (64 MiB) */
    /* The oldest timestamp any open snapshot can read at; called by background threads. */
    Timestamp (*horizon)(void *arg);
    void *horizon_arg;
} StorageOptions;

/* Opens or creates; recovers: replays the log from the flushed position, cuts a torn tail. A second
   process on the directory gets E_LOCK_FILE_EXISTS. Corruption is E_DATA_CORRUPTED with file and
   offset. */
Status storage_open(Ctx *ctx, const StorageOptions *options, Storage **out);
/* Stops the threads, flushes, closes. NULL allowed. */
void storage_close(Storage *storage);

Timestamp storage_installed_ts(const Storage *storage);
Timestamp storage_durable_ts(const Storage *storage);

/* Called inside the commit's critical section, before the commit can be seen, in commit order;
   an error stops the commit without a trace. */
typedef Status (*StorageCommitHook)(Ctx *ctx, void *arg, Timestamp commit_ts);

/* Takes commit_ts and the place in the log, writes the record, installs the versions, advances
   installed_ts (waits, briefly, for those before it). Locks, validation and uniqueness are the
   caller's (txn). The set's memory passes to the delta store; the set is empty afterwards. Does not
   wait for the disk. A log write error is fatal for the node: every later commit fails with E_IO.
 */
Status storage_commit(Ctx *ctx, Storage *storage, WriteSet *set, uint64_t txn_id,
                      StorageCommitHook hook, void *hook_arg, Timestamp *commit_ts);

/* A registered wish to hear when durable_ts >= ts. */
typedef struct DurableWaiter {
    Timestamp ts;
    void (*wake)(struct DurableWaiter *waiter,
                 Status status); /* on the log's thread; must be quick */
    struct DurableWaiter *next;  /* storage's */
} DurableWaiter;

/* True: durable already, wake will not be called. False: wake will be called once. */
bool storage_on_durable(Storage *storage, DurableWaiter *waiter);
/* Blocks. E_IO if the log failed. */
Status storage_wait_durable(Ctx *ctx, Storage *storage, Timestamp ts);
/* Runs one group flush on this thread if none is running (a loop with nothing else to do). */
void storage_lead_flush(Storage *storage);

/* The current view, pinned: an unchanging set of generations and tier-3 state; cheap. Take read_ts
   from installed_ts/durable_ts first, then the view. */
StorageView *storage_view_pin(Storage *storage);
void storage_view_unpin(StorageView *view);

/* The newest commit_ts of a key in any tier, 0 if it never existed; *live says if that version is a
   row (not a tombstone). Looks at the newest state, not at a view. */
Status storage_newest(Ctx *ctx, Storage *storage, RelationId relation, Str key, Timestamp *newest,
                      bool *live);

/* Freezes the active generation and flushes everything to tier 3, then trims the log. */
Status storage_checkpoint(Ctx *ctx, Storage *storage);
/* Says that a relation's rows will never be read again (dropped, truncated, rolled back). */
void storage_relation_drop(Storage *storage, RelationId relation);
/* The same from inside a commit's hook: nobody will read it once the commit at commit_ts is durable
   and no older snapshot is open. */
void storage_relation_drop_at(Storage *storage, RelationId relation, Timestamp commit_ts);

typedef struct StorageStats {
    uint64_t generations_count;
    uint64_t delta_bytes;
    uint64_t wos_bytes;
    uint64_t log_bytes;
    uint64_t flushes_count;
    uint64_t commits_count;
    uint64_t fsyncs_count;
} StorageStats;
void storage_stats(const Storage *storage, StorageStats *out);
/* Rows (estimate: entries in all tiers) and bytes of a relation, for the optimiser. */
void storage_relation_size(Storage *storage, RelationId relation, uint64_t *rows, uint64_t *bytes);

#endif
