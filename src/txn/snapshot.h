// SPDX-License-Identifier: Apache-2.0
//
// The registry of open snapshots: one slot a transaction holds the oldest timestamp it may read at.
// Background work asks for the horizon: no version that has a successor at or below it is needed.
// Protocol (both sides sequentially consistent): a reader publishes its slot, then looks at gc_ts
// and takes a newer timestamp if it finds itself below; the collector publishes gc_ts, then reads
// the slots. Thread-safe, no lock on the reader's path once a slot is owned.
#ifndef DBASPOT_TXN_SNAPSHOT_H
#define DBASPOT_TXN_SNAPSHOT_H

#include "storage/storage.h"

typedef struct SnapshotRegistry SnapshotRegistry;
typedef struct SnapshotSlot SnapshotSlot;

SnapshotRegistry *snapshot_registry_new(void);
/* Every slot must have been given back. */
void snapshot_registry_free(SnapshotRegistry *registry);

SnapshotSlot *snapshot_slot_take(SnapshotRegistry *registry);
void snapshot_slot_give(SnapshotRegistry *registry, SnapshotSlot *slot);

/* Publishes and returns a read timestamp: durable_ts or installed_ts as of now. */
Timestamp snapshot_publish(SnapshotRegistry *registry, SnapshotSlot *slot, const Storage *storage,
                           bool durable);
void snapshot_withdraw(SnapshotSlot *slot);

/* Moves gc_ts up to durable_ts and returns the oldest timestamp anyone reads at. */
Timestamp snapshot_horizon(SnapshotRegistry *registry, Timestamp durable_ts);

#endif
