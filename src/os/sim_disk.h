// SPDX-License-Identifier: Apache-2.0
//
// The simulated twin of the file system: a disk in memory that behaves as badly as a real one may.
// At a crash whatever was not synced is lost, except a random subset of it, which may be torn;
// names whose directory was not synced come back in order up to a random point. It fails on demand.
// A seed replays everything. Thread-safe.
#ifndef DBASPOT_OS_SIM_DISK_H
#define DBASPOT_OS_SIM_DISK_H

#include "os/file.h"

typedef struct SimDisk SimDisk;

SimDisk *sim_disk_new(uint64_t seed);
/* Every file must be closed. */
void sim_disk_free(SimDisk *disk);
/* What storage is given; lives as long as the disk. */
Files *sim_disk_files(SimDisk *disk);

typedef struct SimCrash {
    uint32_t survive_percent; /* of the unsynced writes, each by itself; 0: all are lost */
    uint32_t tear_bytes;      /* a surviving write may be cut at a multiple of this; 0: never */
} SimCrash;

/* The power fails: files that are open answer EIO from now on, the disk holds what survived. */
void sim_disk_crash(SimDisk *disk, const SimCrash *crash);
/* Syncs say yes and do nothing: a planted bug, which a crash test must find. */
void sim_disk_lie(SimDisk *disk, bool lie);

typedef enum SimFault { SIM_WRITE = 1, SIM_SYNC = 2, SIM_READ = 4, SIM_CREATE = 8 } SimFault;

/* After `skip` further calls of these kinds, each answers `error` (an errno value) until told 0. */
void sim_disk_fail(SimDisk *disk, uint32_t faults, uint64_t skip, int error);
/* Transfers are cut at a random place. */
void sim_disk_short_transfers(SimDisk *disk, bool on);
/* Writes beyond this many bytes on the disk answer ENOSPC; 0: no limit. */
void sim_disk_limit(SimDisk *disk, uint64_t bytes);
uint64_t sim_disk_syncs(const SimDisk *disk);
/* Inverts one bit of a file's current and durable bytes. */
void sim_disk_flip(SimDisk *disk, const char *path, uint64_t offset, uint32_t bit);

#endif
