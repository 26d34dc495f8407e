// SPDX-License-Identifier: Apache-2.0
//
// The open log, for the files of this room. Three locks, taken in this order and never the other
// way:
//   reserve_mutex   the next place, the queue of segments to come
//   wait_mutex      who waits for durability, who leads the flush
//   segment_mutex   the segments on disk, and the spare ones
// What the leader of the flush owns (file, written, ...) is guarded by being the leader.
#ifndef DBASPOT_STORAGE_WAL_WAL_INT_H
#define DBASPOT_STORAGE_WAL_WAL_INT_H

#include "os/thread.h"
#include "storage/wal/record.h"

#define WAL_SLOTS       8192u /* records reserved and not yet written, at most */
#define WAL_TURNS_MAX   16u   /* segments that the ring may run into ahead of the writer */
#define WAL_SPARES_MAX  2u
#define WAL_SEGMENT_MIN ((size_t)1 << 20)
#define WAL_PAYLOAD_MAX ((size_t)256 << 10)
#define WAL_LAZY_NS     5000000 /* how long a commit that nobody waits for may stay in memory */

/* What became of a reserved record; slots[sequence % WAL_SLOTS]. */
typedef struct WalSlot {
    _Atomic uint64_t published; /* sequence + 1 once it is */
    _Atomic uint64_t end_at;
    _Atomic LogPosition end_position;
    _Atomic Timestamp commit_ts; /* the newest commit reserved so far */
} WalSlot;

/* A file of the right size, written once through, ready to become a segment. */
typedef struct WalSpare {
    char *path;
    File *file;
    uint64_t bytes;
} WalSpare;

/* The ring leaves one segment for the next at `at`. */
typedef struct WalTurn {
    uint64_t at;
    uint32_t number;
    WalSpare spare;
} WalTurn;

typedef struct WalSegment {
    uint32_t number;
    uint64_t bytes; /* of the file */
} WalSegment;

struct Wal {
    Files *files;
    char *dir; /* NULL: nothing is written */
    size_t segment_bytes;
    size_t buffer_bytes;
    size_t payload_max;
    char *buffer; /* the ring */

    /* Where the next record goes; guarded by reserve_mutex. */
    Mutex reserve_mutex;
    Condition space; /* the writer got on, or a spare segment came */
    uint64_t next_sequence;
    uint64_t next_at;
    LogPosition next_position;
    uint64_t capacity; /* of the segment that next_position lies in */
    Timestamp next_ts; /* the newest commit_ts reserved */
    WalTurn turns[WAL_TURNS_MAX];
    uint32_t turns_first;
    uint32_t turns_count;
    bool spare_asked; /* for the segment after this one */
    _Atomic uint32_t space_waiters;

    /* What is published, without a lock. */
    alignas(64) _Atomic uint64_t head; /* all sequences below are published */
    _Atomic Timestamp installed_ts;
    WalSlot *slots;

    /* What is on disk: written by the leader alone. */
    alignas(64) _Atomic uint64_t flushed_sequence;
    _Atomic uint64_t flushed_at;
    _Atomic LogPosition durable_position;
    _Atomic Timestamp durable_ts;
    _Atomic uint64_t syncs;
    int64_t flush_ns; /* how long a flush takes, smoothed */
    File *file;
    uint32_t file_number;
    uint64_t file_base; /* byte `at` of the stream lies at offset at - file_base */

    /* Who waits; guarded by wait_mutex. */
    alignas(64) Mutex wait_mutex;
    Condition work;         /* for the flusher */
    DurableWaiter *waiters; /* by ts, ascending */
    DurableWaiter *waiters_last;
    bool flushing;     /* somebody leads */
    uint64_t expected; /* arrivals, once those whom the last flush served are back; 0: unknown */
    uint32_t gather_skips;     /* leaders that shall not gather, as it was in vain before */
    uint32_t gather_skips_max; /* after the next vain one; doubles */
    bool flush_asked;
    bool stopping;
    bool abandoned;
    _Atomic uint64_t arrivals; /* wishes to hear of durability, so far */
    _Atomic bool armed;        /* the flusher knows that there is something to write some day */
    Thread flusher;

    _Atomic bool failed;
    char *failure; /* set before `failed` */

    /* Files; guarded by segment_mutex. */
    Mutex segment_mutex;
    Condition prepare;    /* for the preparer */
    WalSegment *segments; /* oldest first */
    uint32_t segments_count;
    uint32_t segments_cap;
    WalSpare spares[WAL_SPARES_MAX];
    uint32_t spares_count;
    bool spare_wanted;
    bool preparer_stopping;
    Status prepare_status; /* why there is no spare */
    char *prepare_message;
    uint64_t next_spare_bytes;
    uint64_t spares_made; /* names them */
    Thread preparer;
};

/* --- segment.c ----------------------------------------------------------------------------- */
char *wal_segment_path(const Wal *wal, uint32_t number);
/* A new file of that size, written through and synced, its name not yet durable. */
Status wal_spare_create(Ctx *ctx, Wal *wal, uint64_t bytes, WalSpare *out);
/* Makes the spare the segment `number`: its name and header; durable with the next sync of its
   file. The spare's file becomes *out. */
Status wal_segment_begin(Ctx *ctx, Wal *wal, WalSpare *spare, uint32_t number,
                         LogPosition previous_end, File **out);
void wal_segment_add(Wal *wal, uint32_t number, uint64_t bytes);
/* Takes a spare if there is one; else says why not, and asks for one. */
Status wal_spare_take(Ctx *ctx, Wal *wal, bool *taken, WalSpare *out);
void wal_spare_ask(Wal *wal);
void wal_preparer_main(void *arg);
/* Removes spare files and closes them. */
void wal_spares_drop(Wal *wal);

/* --- recover.c ----------------------------------------------------------------------------- */
typedef struct WalFound {
    LogPosition end;      /* of the log; 0: there was none */
    uint32_t last_number; /* of the segments in use */
    Timestamp newest_ts;  /* of the commits replayed */
} WalFound;
/* Reads the segments, applies the records, finds where the log ends; fills segments[]. */
Status wal_recover(Ctx *ctx, Wal *wal, const WalOptions *options, WalFound *out);

/* --- flush.c ------------------------------------------------------------------------------- */
void wal_flusher_main(void *arg);
/* Writes and syncs what is published. REQUIRES(being the leader). */
void wal_flush_once(Wal *wal);
void wal_flush_ask(Wal *wal);
/* Tells those who wait in wal_reserve that there may be room now. */
void wal_space_wake(Wal *wal);

#endif
