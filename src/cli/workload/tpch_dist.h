// SPDX-License-Identifier: Apache-2.0
//
// What the TPC-H generator draws from: the tables and their sizes, a counter-based random stream
// per row, the specification's word lists, and the calendar. A stream is splitmix64 started at a
// hash of (seed, table, row): reaching the stream of any row costs the same. Safe from any thread
// once tpch_init has returned.
#ifndef DBASPOT_CLI_WORKLOAD_TPCH_DIST_H
#define DBASPOT_CLI_WORKLOAD_TPCH_DIST_H

#include "base/str.h"

#define TPCH_SCALE_MIN         0.001
#define TPCH_SCALE_MAX         100000.0
#define TPCH_LINES_MAX         7 /* lineitem rows of an order */
#define TPCH_PART_SUPPLIERS    4 /* partsupp rows of a part */
#define TPCH_ADDRESS_BYTES_MAX 40
#define TPCH_PHONE_BYTES       15
#define TPCH_NATIONS           25
#define TPCH_REGIONS           5
#define TPCH_DATE_COUNT        2557 /* 1992-01-01 .. 1998-12-31 */
#define TPCH_DATE_BYTES        10   /* 1992-01-01 */
#define TPCH_PICKS_MAX         512  /* sum of the weights of one class */

/* In the order in which foreign keys allow the tables to be filled. */
typedef enum TpchTable {
#define TPCH_TABLE(id, name, key, stream) id,
#define TPCH_COLUMN(id, name, type)
#define TPCH_FOREIGN_KEY(id, columns, table, keys)
#include "cli/workload/tpch_schema.def"
#undef TPCH_TABLE
#undef TPCH_COLUMN
#undef TPCH_FOREIGN_KEY
    TPCH_TABLES
} TpchTable;

/* A stream for each table, and one that says which suppliers are marked. */
#define TPCH_MARKS   TPCH_TABLES
#define TPCH_STREAMS (TPCH_TABLES + 1)

/* The word classes; those up to TPCH_TERMINATOR make the sentences and are weighted. */
typedef enum TpchClass {
    TPCH_NOUN,
    TPCH_VERB,
    TPCH_ADJECTIVE,
    TPCH_ADVERB,
    TPCH_PREPOSITION,
    TPCH_AUXILIARY,
    TPCH_TERMINATOR,
    TPCH_COLOR,
    TPCH_TYPE_SIZE,
    TPCH_TYPE_FINISH,
    TPCH_TYPE_METAL,
    TPCH_CONTAINER_SIZE,
    TPCH_CONTAINER_KIND,
    TPCH_SEGMENT,
    TPCH_PRIORITY,
    TPCH_INSTRUCTION,
    TPCH_MODE,
    TPCH_CLASSES
} TpchClass;
#define TPCH_WEIGHTED_CLASSES (TPCH_TERMINATOR + 1)

typedef struct TpchWord {
    char text[22];
    uint8_t bytes;
} TpchWord;

typedef struct Tpch {
    uint64_t streams[TPCH_STREAMS]; /* where a table's streams of random numbers start */
    int64_t suppliers;              /* every other size follows from this one */
    int64_t parts;
    int64_t customers;
    int64_t orders;
    int64_t clerks;
    uint16_t class_first[TPCH_CLASSES];
    uint16_t class_words[TPCH_CLASSES];
    uint32_t picks_count[TPCH_WEIGHTED_CLASSES];
    uint8_t picks[TPCH_WEIGHTED_CLASSES][TPCH_PICKS_MAX]; /* a word, once for each of its weight */
    char dates[TPCH_DATE_COUNT][TPCH_DATE_BYTES];
} Tpch;

typedef struct TpchRng {
    uint64_t state;
} TpchRng;

/* Sizes for `scale` (rounded to whole suppliers; TPCH_SCALE_MIN .. TPCH_SCALE_MAX, else
 * E_INVALID_PARAMETER_VALUE). The same seed and scale give the same rows for ever. */
Status tpch_init(Ctx *ctx, double scale, uint64_t seed, Tpch *out);

const char *tpch_table_name(TpchTable table);
/* What a table is made of, a unit at a time: a row; for partsupp a part with its suppliers, for
 * lineitem an order with its lines. */
int64_t tpch_units_count(const Tpch *tpch, TpchTable table);
/* Rows of a table; for lineitem what is expected, for the others exact. */
int64_t tpch_rows_expected(const Tpch *tpch, TpchTable table);

/* The word `index` (< class_words) of a class. */
const TpchWord *tpch_word(const Tpch *tpch, TpchClass class, int32_t index);
Str tpch_region_name(int32_t region);
Str tpch_nation_name(int32_t nation);
int32_t tpch_nation_region(int32_t nation);

static ALWAYS_INLINE uint64_t tpch_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The stream of a row (GEN-1). */
static ALWAYS_INLINE TpchRng tpch_rng_at(const Tpch *tpch, TpchTable table, int64_t row)
{
    uint64_t base = tpch->streams[table];

    return (TpchRng){tpch_mix(base + (uint64_t)row * UINT64_C(0xd1342543de82ef95))};
}

static ALWAYS_INLINE uint64_t tpch_rng_next(TpchRng *rng)
{
    rng->state += UINT64_C(0x9e3779b97f4a7c15);
    return tpch_mix(rng->state);
}

/* Uniform in [low, high]. */
static ALWAYS_INLINE int64_t tpch_rng_between(TpchRng *rng, int64_t low, int64_t high)
{
    uint64_t span = (uint64_t)(high - low) + 1;

    return low + (int64_t)(((uint128_t)tpch_rng_next(rng) * span) >> 64);
}

/* Uniform index of a word of a class. */
static ALWAYS_INLINE int32_t tpch_rng_word(const Tpch *tpch, TpchRng *rng, TpchClass class)
{
    return (int32_t)tpch_rng_between(rng, 0, tpch->class_words[class] - 1);
}

#endif
