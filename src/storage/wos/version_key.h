// SPDX-License-Identifier: Apache-2.0
//
// Keys of tier 3: the relation (u32, big-endian), the encoded key as it is, then a suffix of nine
// bytes: the inverted timestamp (u64, big-endian) and one byte, 0 for a tombstone. The order is
// that of what comes before the suffix, a prefix first, then of the suffix: versions of a key stand
// together, newest first. The layout and the order are on disk. Any thread.
#ifndef DBASPOT_STORAGE_WOS_VERSION_KEY_H
#define DBASPOT_STORAGE_WOS_VERSION_KEY_H

#include "storage/relation.h"

enum { VERSION_RELATION_BYTES = 4, VERSION_SUFFIX_BYTES = 9 };

typedef struct VersionKey {
    RelationId relation;
    Str key;
    Timestamp ts;
    bool tombstone;
} VersionKey;

/* Replaces what is in `out`. `kind` 0 is a tombstone, and the place to seek from. */
void version_key_make(StrBuf *out, RelationId relation, Str key, Timestamp ts, char kind);
/* out->key points into the bytes. False for a key that nobody here made. */
bool version_key_parse(const char *bytes, size_t len, VersionKey *out);
/* <0, 0, >0; any bytes. */
int version_key_compare(Str a, Str b);

#endif
