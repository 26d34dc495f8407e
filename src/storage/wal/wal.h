// SPDX-License-Identifier: Apache-2.0
//
// The write-ahead log: the durability of tier 1. Records are reserved in commit order, copied into
// a ring of memory outside any lock, published, written and synced in groups. It also keeps the
// order of installation: a record is published when its writes are in the delta store too, so what
// is written is always installed. Without a directory nothing is written, only the order is kept.
// A failed write or sync is fatal for the log: it is never tried again, every later call is E_IO.
// Any thread, except where a caller's lock is named.
#ifndef DBASPOT_STORAGE_WAL_WAL_H
#define DBASPOT_STORAGE_WAL_WAL_H

#include "os/file.h"
#include "storage/storage.h"

typedef struct Wal Wal;

/* A place in the log: segment number in the upper half, byte offset in the lower. Only grows. */
typedef uint64_t LogPosition;

enum WalKind {
    WAL_COMMIT = 1, /* the last (mostly the only) record of a transaction */
    WAL_DATA = 2,   /* a piece of a large transaction's writes, before its commit */
    WAL_SKIP = 3,   /* a place that was given up; replay does not show it */
};

typedef struct WalRecord {
    uint8_t kind;
    uint32_t partition;
    uint32_t user;
    uint64_t txn_id;
    Timestamp commit_ts; /* of WAL_DATA: 0 */
    LogPosition batch;   /* the transaction's first WAL_DATA, 0 if it has none */
    LogPosition position;
    LogPosition end; /* after it; set when it is replayed */
    Str payload;
} WalRecord;

/* Called for each whole record, in order. */
typedef Status (*WalApply)(Ctx *ctx, void *arg, const WalRecord *record);

typedef struct WalOptions {
    Files *files;
    const char *dir;      /* created if missing; NULL: nothing is written */
    size_t segment_bytes; /* the largest segment; the first ones are smaller */
    size_t buffer_bytes;  /* of the ring; a power of two */
    LogPosition from;     /* replay begins here; 0: at the beginning */
    Timestamp start_ts;   /* the newest commit before that */
    WalApply apply;
    void *apply_arg;
} WalOptions;

/* Opens or creates the log and replays it. A torn tail is cut; damage before it is E_DATA_CORRUPTED
   with file and offset. What was replayed is durable when this returns, and installed_ts is the
   newest of it. */
Status wal_open(Ctx *ctx, const WalOptions *options, Wal **out);
/* Writes what is left, stops the threads, shrinks the files. NULL allowed. */
void wal_close(Wal *wal);
/* As a crash would: stops the threads and writes nothing more. For tests. */
void wal_abandon(Wal *wal);

/* Where a record goes. */
typedef struct WalPlace {
    uint64_t sequence;
    uint64_t at; /* in the stream of bytes that runs through the ring */
    LogPosition position;
    uint32_t payload_bytes;
} WalPlace;

/* The most payload that one record may have; no limit where nothing is written. */
size_t wal_payload_max(const Wal *wal);
/* Takes the next place. Commits are reserved under the caller's lock, so that the order of places
   is the order of commit_ts; for WAL_DATA commit_ts is 0. Waits while the ring is full. Every place
   must be written and published. E_IO after a failure; E_DISK_FULL: no room, nothing happened. */
Status wal_reserve(Ctx *ctx, Wal *wal, size_t payload_bytes, Timestamp commit_ts, WalPlace *out);

/* Copies a record into its place: begin, put its payload_bytes, end. Does nothing where nothing is
   written. */
typedef struct WalWriter {
    Wal *wal;
    WalPlace place;
    uint64_t at;
} WalWriter;
void wal_write_begin(Wal *wal, const WalPlace *place, const WalRecord *record, WalWriter *writer);
void wal_write_put(WalWriter *writer, const void *bytes, size_t count);
/* Instead of put: where the next bytes of the payload go, and how many fit there in one piece (0:
   none are left); then say how many were written. */
char *wal_write_span(const WalWriter *writer, size_t *bytes_max);
void wal_write_advance(WalWriter *writer, size_t count);
void wal_write_end(WalWriter *writer);
/* Gives a place up: fills it with nothing and publishes it. */
void wal_skip(Wal *wal, const WalPlace *place);

/* The record is copied and, for a commit, its writes are installed. */
void wal_publish(Wal *wal, const WalPlace *place);
/* Waits, briefly, until installed_ts has reached a commit that is published. */
void wal_await_installed(Wal *wal, Timestamp commit_ts);

/* The newest commit such that it and all before it are published. */
Timestamp wal_installed_ts(const Wal *wal);
/* The newest commit such that it and all before it are published and synced. */
Timestamp wal_durable_ts(const Wal *wal);
/* The position after the last record that is on disk. */
LogPosition wal_durable_position(const Wal *wal);
/* The position after the last reserved record. REQUIRES(the caller's lock around wal_reserve). */
LogPosition wal_end(Wal *wal);

/* As storage.h's functions of these names. */
bool wal_on_durable(Wal *wal, DurableWaiter *waiter);
Status wal_wait_durable(Ctx *ctx, Wal *wal, Timestamp ts);
void wal_lead_flush(Wal *wal);

/* Nothing before `keep` will be replayed: earlier segments are recycled or removed. */
void wal_trim(Wal *wal, LogPosition keep);
/* OK, or E_IO with the story when the log has failed. */
Status wal_check(Ctx *ctx, Wal *wal);
uint64_t wal_bytes(Wal *wal);
uint64_t wal_syncs(const Wal *wal);

#endif
