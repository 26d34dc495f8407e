// SPDX-License-Identifier: Apache-2.0
//
// How records and segments look in a file. All integers are little-endian. A record is a header,
// the payload, then extension fields, each led by its tag and length (readers skip tags they do not
// know), padded with zeros to 16 bytes. It names its own position, so that what an earlier life of
// a recycled file left can never pass for a record. Pure functions; any thread.
#ifndef DBASPOT_STORAGE_WAL_RECORD_H
#define DBASPOT_STORAGE_WAL_RECORD_H

#include "storage/wal/wal.h"

#define WAL_RECORD_VERSION  1
#define WAL_SEGMENT_VERSION 1
#define WAL_ALIGN           16u

typedef struct RecordHeader {
    uint32_t checksum; /* CRC-32C of everything after it, to the end of the extension fields */
    uint32_t length;   /* of header, payload and extension fields, without the padding */
    uint64_t position;
    uint64_t durable; /* the last durable position when it was written */
    uint64_t commit_ts;
    uint64_t txn_id;
    uint64_t batch;
    uint32_t partition;
    uint32_t user;
    uint32_t payload_bytes;
    uint8_t version;
    uint8_t kind;
    uint16_t flags; /* none yet: written 0, unknown ones ignored */
} RecordHeader;
static_assert(sizeof(RecordHeader) == 64, "on disk");

/* An extension field: its bytes follow. */
typedef struct RecordExtension {
    uint16_t tag;
    uint16_t reserved;
    uint32_t bytes;
} RecordExtension;
static_assert(sizeof(RecordExtension) == 8, "on disk");

typedef struct SegmentHeader {
    char magic[8];
    uint32_t version;
    uint32_t number;
    uint64_t
        previous_end; /* where the log ended, and was durable, before this segment; 0: nowhere */
    uint64_t bytes;   /* the size this segment was made with */
    uint32_t reserved[7];
    uint32_t checksum; /* CRC-32C of everything before it */
} SegmentHeader;
static_assert(sizeof(SegmentHeader) == 64, "on disk");

static inline LogPosition log_position(uint32_t number, uint64_t offset)
{
    return (LogPosition)number << 32 | offset;
}

static inline uint32_t log_segment(LogPosition position)
{
    return (uint32_t)(position >> 32);
}

static inline uint32_t log_offset(LogPosition position)
{
    return (uint32_t)position;
}

/* Bytes in the file of a record with that much payload and no extension fields. */
static inline size_t record_bytes(size_t payload_bytes)
{
    return align_up(sizeof(RecordHeader) + payload_bytes, WAL_ALIGN);
}

/* The record at `offset` of the segment's bytes, if a whole one that belongs there is. */
bool record_parse(const char *segment, size_t size, uint32_t number, size_t offset,
                  RecordHeader *header);
/* True if the extension fields after the payload are well-formed. */
bool record_extensions_valid(const char *fields, size_t bytes);

void segment_header_make(SegmentHeader *header, uint32_t number, LogPosition previous_end,
                         uint64_t bytes);
bool segment_header_valid(const SegmentHeader *header, uint32_t number);

#endif
