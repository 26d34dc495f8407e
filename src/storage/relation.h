// SPDX-License-Identifier: Apache-2.0
//
// What storage knows of a relation (a table's rows, or an index): an id and the row schemas. The
// catalog builds it; storage only reads it. Keys are order-preserving bytes (types/key.h); rows are
// compact binary (storage/row.h). Immutable once made; any thread.
#ifndef DBASPOT_STORAGE_RELATION_H
#define DBASPOT_STORAGE_RELATION_H

#include "types/datum.h"

/* Hybrid logical time: microseconds since 1970 in the upper 48+ bits' worth, strictly increasing.
 */
typedef uint64_t Timestamp;
#define TIMESTAMP_MAX          UINT64_MAX
/* A timestamp is microseconds << this, plus a counter of commits in one microsecond. */
#define TIMESTAMP_COUNTER_BITS 12

/* Names a set of keys on this node; never used again after a drop. 0 is invalid. Ids below
   RELATION_ID_USER_MIN are the system's (see below). */
typedef uint32_t RelationId;
#define RELATION_CATALOG       1u
#define RELATION_SEQUENCES     2u
#define RELATION_CATALOG_NAMES 3u
#define RELATION_ID_USER_MIN   1000u

/* Keys in [low, high): an empty low is the start; has_high false = to the end. */
typedef struct KeyRange {
    Str low;
    Str high;
    bool has_high;
} KeyRange;

typedef struct RowColumn {
    uint32_t column_id; /* stable through renames and drops */
    SqlType type;
    /* The value for rows written before the column existed (ADD COLUMN … DEFAULT); NULL mostly. */
    Datum missing;
} RowColumn;

/* One shape of row. A row carries the version of the schema that wrote it. */
typedef struct RowSchema {
    uint16_t version;
    uint32_t columns_count;
    const RowColumn *columns;
} RowSchema;

typedef struct Relation {
    RelationId id;
    /* Schemas by version, oldest first; the last one is current: positions in a scan's column list
       are positions in it. Older rows are read through their own schema, columns matched by id. */
    const RowSchema *const *schemas;
    uint32_t schemas_count;
} Relation;

static inline const RowSchema *relation_schema(const Relation *relation)
{
    return relation->schemas[relation->schemas_count - 1];
}

#endif
