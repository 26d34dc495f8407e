// SPDX-License-Identifier: Apache-2.0
//
// Checks of what a log file holds: record.h says how it looks. Nothing here trusts a length before
// the checksum over it holds, and nothing reads beyond the bytes that were given. Pure functions,
// used by recovery; any thread.
#include "storage/wal/record.h"

#include "base/crc32c.h"

static const char segment_magic[8] = {'d', 'b', 'a', 's', 'p', 'o', 't', 'L'};

bool record_extensions_valid(const char *fields, size_t bytes)
{
    while (bytes >= sizeof(RecordExtension)) {
        RecordExtension extension;

        memcpy(&extension, fields, sizeof extension);
        if (extension.bytes > bytes - sizeof extension)
            return false;
        fields += sizeof extension + extension.bytes;
        bytes -= sizeof extension + extension.bytes;
    }
    return bytes == 0;
}

bool record_parse(const char *segment, size_t size, uint32_t number, size_t offset,
                  RecordHeader *header)
{
    const char *at = segment + offset;

    if (offset > size || size - offset < sizeof *header)
        return false;
    memcpy(header, at, sizeof *header);
    if (header->position != log_position(number, offset) || header->length > size - offset ||
        header->length < sizeof *header || header->payload_bytes > header->length - sizeof *header)
        return false;
    if (header->checksum !=
        crc32c(0, at + sizeof header->checksum, header->length - sizeof header->checksum))
        return false;
    return record_extensions_valid(at + sizeof *header + header->payload_bytes,
                                   header->length - sizeof *header - header->payload_bytes);
}

static uint32_t header_checksum(const SegmentHeader *header)
{
    return crc32c(0, header, offsetof(SegmentHeader, checksum));
}

void segment_header_make(SegmentHeader *header, uint32_t number, LogPosition previous_end,
                         uint64_t bytes)
{
    memset(header, 0, sizeof *header);
    memcpy(header->magic, segment_magic, sizeof header->magic);
    header->version = WAL_SEGMENT_VERSION;
    header->number = number;
    header->previous_end = previous_end;
    header->bytes = bytes;
    header->checksum = header_checksum(header);
}

bool segment_header_valid(const SegmentHeader *header, uint32_t number)
{
    return memcmp(header->magic, segment_magic, sizeof header->magic) == 0 &&
           header->number == number && header->checksum == header_checksum(header);
}
