// SPDX-License-Identifier: Apache-2.0
//
// The open storage, for the files storage_*.c. Locks, taken in this order and never the other way:
//   commit_mutex     the commit's critical section: next commit_ts, the active generation
//   structure_mutex  the layers, the current view, what background threads do; held briefly, never
//                    across I/O
// A layer is a generation and what is known of it. Layers lie newest first: the active one, frozen
// ones that wait to be flushed, flushed ones that stay as a cache of tier 3.
#ifndef DBASPOT_STORAGE_STORAGE_CORE_H
#define DBASPOT_STORAGE_STORAGE_CORE_H

#include "os/thread.h"
#include "storage/storage_int.h"
#include "storage/wal/wal.h"

#define LAYERS_MAX               128u
#define FORMAT_VERSION           1u
#define VIEWS_MAX                4096u
#define VIEW_PINS_BITS           52
#define META_FLUSHED             STR("flushed")
#define META_FORMAT              STR("format")
#define META_DROPPED             STR("dropped/")
#define FLUSH_LAYERS_MAX         8u
#define GENERATION_BYTES_DEFAULT ((size_t)64 << 20)
#define SEGMENT_BYTES_DEFAULT    ((size_t)64 << 20)

typedef struct Layer {
    DeltaGeneration *generation; /* one reference */
    Timestamp last_ts;           /* of a frozen one: no commit in it is newer */
    LogPosition replay_from;     /* of a frozen one: once it is flushed, replay begins here */
    size_t frozen_bytes;         /* counted in unflushed_bytes */
    bool frozen;
    bool flushed; /* tier 3 holds everything that is in it */
    bool busy;    /* a background thread works on it */
} Layer;

typedef struct ViewState {
    StorageView view;
    _Atomic int64_t references; /* VIEW_CURRENT - unpins while current; then pins - unpins */
    uint32_t slot;
    DeltaGeneration *generations[LAYERS_MAX]; /* one reference each */
} ViewState;

/* A transaction whose pieces are in the log already. */
typedef struct OpenBatch {
    struct OpenBatch *next;
    LogPosition position; /* of its first piece */
} OpenBatch;

/* A relation that nobody will read again, once `ts` is durable and below the horizon. */
typedef struct DroppedRelation {
    RelationId relation;
    Timestamp ts;
    bool effective; /* now: rows of it are dropped wherever they are met */
    bool recorded;  /* in tier 3's meta, its rows there are deleted */
} DroppedRelation;

struct Storage {
    StorageOptions options;
    char *dir; /* NULL: memory only */
    Files *log_files;
    File *lock_file;
    Wal *wal;
    Wos *wos; /* NULL: memory only */
    size_t delta_bytes_max;
    size_t unflushed_bytes_max;

    Mutex commit_mutex;
    Timestamp last_ts;
    DeltaGeneration *active; /* that of layers[0] */
    bool active_used;        /* a commit was given to it */
    OpenBatch *batches;
    _Atomic uint64_t commits_count;

    alignas(64) _Atomic uint64_t current_view; /* slot << VIEW_PINS_BITS | pins so far */
    ViewState *views[VIEWS_MAX];
    Mutex slots_mutex;
    uint32_t slots_free[VIEWS_MAX];
    uint32_t slots_free_count;

    alignas(64) Mutex structure_mutex;
    Condition changed;
    Layer layers[LAYERS_MAX];
    uint32_t layers_count;
    bool published; /* there is a current view */
    bool complete;  /* the layers hold every row */
    bool loading;   /* a thread reads tier 3 into a layer */
    _Atomic bool load_abandoned;
    Timestamp load_ts; /* tier 3 is loaded as of this */
    bool stopping;
    bool nudged;         /* the flusher shall look again */
    _Atomic bool open;   /* recovered, the threads run */
    _Atomic bool halted; /* background work is to be given up, half done */
    bool compact_wanted;
    _Atomic bool sweep_wanted; /* a drop took effect: layers may hold much that is gone */
    int64_t retry_at_ns;       /* after a failed flush */
    Status flush_status;       /* of the last attempt */
    char *flush_message;
    uint64_t flushes_count;
    LogPosition flushed_position; /* as in tier 3's meta */
    Timestamp flushed_ts;
    uint64_t tombstones_flushed; /* since the last full compaction */
    uint64_t versions_flushed;
    _Atomic uint64_t unflushed_bytes; /* of frozen layers */
    _Atomic uint32_t debt_permille;   /* of the compactions that tier 3 may leave undone */
    Thread flusher;
    Thread merger;

    RwLock dropped_lock;
    DroppedRelation *dropped; /* by relation id */
    uint32_t dropped_count;
    uint32_t dropped_cap;
    _Atomic bool dropped_any; /* some are effective */
};

/* --- storage.c ----------------------------------------------------------------------------- */
/* As storage_open, with the log's files on another file system (a simulated disk). */
Status storage_open_on(Ctx *ctx, const StorageOptions *options, Files *log_files, Storage **out);
/* As the end of the process: stops the threads, writes nothing more. For tests. */
void storage_crash(Storage *storage);
/* At or below it, of several versions of a key only the newest can be read. */
Timestamp storage_horizon(Storage *storage);

/* --- storage_view.c ------------------------------------------------------------------------ */
void storage_views_init(Storage *storage);
/* Makes the layers the current view. NULL, or the old view to be freed by storage_view_free once no
   lock is held. False if there is no slot: nothing happened. REQUIRES(structure_mutex). */
bool storage_publish_locked(Storage *storage, ViewState **dead);
void storage_view_free(ViewState *state);
/* The last view goes; nobody may hold a pin. */
void storage_views_close(Storage *storage);

/* --- storage_commit.c ---------------------------------------------------------------------- */
/* The active generation becomes a frozen layer, if a commit is in it. REQUIRES(commit_mutex). */
void storage_freeze_locked(Storage *storage);

/* --- storage_flush.c ----------------------------------------------------------------------- */
void storage_flusher_main(void *arg);
/* Waits until every frozen layer is flushed. */
Status storage_await_flushed(Ctx *ctx, Storage *storage);
/* Writes down that the log is not needed before `position`, and trims it. */
Status storage_set_flushed(Ctx *ctx, Storage *storage, LogPosition position, Timestamp ts);
/* Drops the oldest flushed layers while memory is short. REQUIRES(structure_mutex). */
void storage_evict_locked(Storage *storage, ViewState **dead);
size_t storage_layers_bytes_locked(const Storage *storage);

/* --- storage_drop.c ------------------------------------------------------------------------ */
bool storage_is_dropped(Storage *storage, RelationId relation);
/* Bytes of dropped relations in a generation. */
size_t storage_dropped_bytes(Storage *storage, const DeltaGeneration *generation);
/* Makes those effective whose time has come; true if there are some to be recorded. */
bool storage_ripen_drops(Storage *storage);
/* Deletes their rows from tier 3, and says so in meta. */
Status storage_record_drops(Ctx *ctx, Storage *storage);
Status storage_read_drops(Ctx *ctx, Storage *storage);
bool storage_has_unripe_drops(Storage *storage);

/* --- storage_merge.c ----------------------------------------------------------------------- */
void storage_merger_main(void *arg);
/* Reads tier 3 into a layer. */
Status storage_load(Ctx *ctx, Storage *storage);
/* Calls `put` for every version that a reader may still need, of generations given newest first, in
   the order relation, key, newest first. */
typedef Status (*MergePut)(Ctx *ctx, void *arg, RelationId relation, const DeltaVersion *version);
typedef struct MergeSpec {
    DeltaGeneration *const *generations;
    uint32_t count;
    Timestamp horizon;
    bool drop_tombstones; /* nothing older lies below */
    MergePut put;
    void *arg;
} MergeSpec;
Status storage_merge(Ctx *ctx, Storage *storage, const MergeSpec *spec);

/* --- storage_recover.c --------------------------------------------------------------------- */
Status storage_recover(Ctx *ctx, Storage *storage);

#endif
