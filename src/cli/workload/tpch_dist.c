// SPDX-License-Identifier: Apache-2.0
//
// Sizes, word lists and calendar of the TPC-H generator (see tpch_dist.h). The facts come from the
// .def files beside this one; tpch_init turns them into tables for drawing by index.
#include "cli/workload/tpch_dist.h"

#define SUPPLIERS_PER_SCALE    10000
#define PARTS_PER_SUPPLIER     20
#define CUSTOMERS_PER_SUPPLIER 15
#define ORDERS_PER_CUSTOMER    10
#define SUPPLIERS_PER_CLERK    10
#define LINES_PER_ORDER        4 /* on average */

static const struct {
    TpchClass class;
    uint8_t weight;
    TpchWord word;
} WORDS[] = {
#define TPCH_WORD(class, text, weight) {TPCH_##class, weight, {text, sizeof(text) - 1}},
#include "cli/workload/tpch_words.def"
#undef TPCH_WORD
};

static const char *const TABLE_NAMES[] = {
#define TPCH_TABLE(id, name, key, stream) [id] = name,
#define TPCH_COLUMN(id, name, type)
#define TPCH_FOREIGN_KEY(id, columns, table, keys)
#include "cli/workload/tpch_schema.def"
#undef TPCH_TABLE
#undef TPCH_COLUMN
#undef TPCH_FOREIGN_KEY
};

/* Salts of the tables' streams: see tpch_schema.def. */
static const uint32_t STREAM_NUMBERS[TPCH_STREAMS] = {
#define TPCH_TABLE(id, name, key, stream) [id] = stream,
#define TPCH_COLUMN(id, name, type)
#define TPCH_FOREIGN_KEY(id, columns, table, keys)
#include "cli/workload/tpch_schema.def"
#undef TPCH_TABLE
#undef TPCH_COLUMN
#undef TPCH_FOREIGN_KEY
    [TPCH_MARKS] = 1,
};

static const char *const REGION_NAMES[] = {
#define TPCH_REGION_ROW(name) name,
#define TPCH_NATION_ROW(name, region)
#include "cli/workload/tpch_nations.def"
#undef TPCH_REGION_ROW
#undef TPCH_NATION_ROW
};

static const struct {
    const char *name;
    int32_t region;
} NATION_ROWS[] = {
#define TPCH_REGION_ROW(name)
#define TPCH_NATION_ROW(name, region) {name, region},
#include "cli/workload/tpch_nations.def"
#undef TPCH_REGION_ROW
#undef TPCH_NATION_ROW
};

static_assert(ARRAY_COUNT(WORDS) <= UINT16_MAX, "words are numbered in 16 bits");
static_assert(ARRAY_COUNT(TABLE_NAMES) == TPCH_TABLES, "a name for each table");
static_assert(ARRAY_COUNT(REGION_NAMES) == TPCH_REGIONS, "clause 4.2.3: 5 regions");
static_assert(ARRAY_COUNT(NATION_ROWS) == TPCH_NATIONS, "clause 4.2.3: 25 nations");

static void words_init(Tpch *tpch)
{
    for (uint16_t i = 0; i < (uint16_t)ARRAY_COUNT(WORDS); i++) {
        TpchClass class = WORDS[i].class;

        if (tpch->class_words[class] == 0)
            tpch->class_first[class] = i;
        ASSERT(i == tpch->class_first[class] + tpch->class_words[class]);
        if (class < TPCH_WEIGHTED_CLASSES) {
            uint32_t *count = &tpch->picks_count[class];

            ASSERT(*count + WORDS[i].weight <= TPCH_PICKS_MAX);
            memset(&tpch->picks[class][*count], tpch->class_words[class], WORDS[i].weight);
            *count += WORDS[i].weight;
        }
        tpch->class_words[class]++;
    }
}

static void put_digits(char *out, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
}

static void dates_init(Tpch *tpch)
{
    static const int MONTH_DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 1992, month = 1, day = 1;

    for (int i = 0; i < TPCH_DATE_COUNT; i++) {
        char *text = tpch->dates[i];

        put_digits(text, year, 4);
        text[4] = text[7] = '-';
        put_digits(text + 5, month, 2);
        put_digits(text + 8, day, 2);
        if (++day > MONTH_DAYS[month - 1] + (month == 2 && year % 4 == 0)) {
            day = 1;
            if (++month > 12) {
                month = 1;
                year++;
            }
        }
    }
    ASSERT(memcmp(tpch->dates[TPCH_DATE_COUNT - 1], "1998-12-31", TPCH_DATE_BYTES) == 0);
}

Status tpch_init(Ctx *ctx, double scale, uint64_t seed, Tpch *out)
{
    Status st = OK;

    if (!(scale >= TPCH_SCALE_MIN && scale <= TPCH_SCALE_MAX))
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "scale must be between %g and %.0f", TPCH_SCALE_MIN,
             TPCH_SCALE_MAX);
    memset(out, 0, sizeof *out);
    for (int i = 0; i < TPCH_STREAMS; i++)
        out->streams[i] = tpch_mix(seed + ((uint64_t)i << 56) + STREAM_NUMBERS[i]);
    out->suppliers = (int64_t)(scale * SUPPLIERS_PER_SCALE + 0.5);
    out->parts = out->suppliers * PARTS_PER_SUPPLIER;
    out->customers = out->suppliers * CUSTOMERS_PER_SUPPLIER;
    out->orders = out->customers * ORDERS_PER_CUSTOMER;
    out->clerks = MAX(out->suppliers / SUPPLIERS_PER_CLERK, 1);
    words_init(out);
    dates_init(out);
done:
    return st;
}

const char *tpch_table_name(TpchTable table)
{
    ASSERT(table < TPCH_TABLES);
    return TABLE_NAMES[table];
}

int64_t tpch_units_count(const Tpch *tpch, TpchTable table)
{
    switch (table) {
    case TPCH_REGION: return TPCH_REGIONS;
    case TPCH_NATION: return TPCH_NATIONS;
    case TPCH_SUPPLIER: return tpch->suppliers;
    case TPCH_CUSTOMER: return tpch->customers;
    case TPCH_PART:
    case TPCH_PARTSUPP: return tpch->parts;
    case TPCH_ORDERS:
    case TPCH_LINEITEM: return tpch->orders;
    case TPCH_TABLES: break;
    }
    ASSERT(!"a TPC-H table");
    return 0;
}

int64_t tpch_rows_expected(const Tpch *tpch, TpchTable table)
{
    int64_t units = tpch_units_count(tpch, table);

    if (table == TPCH_LINEITEM)
        return units * LINES_PER_ORDER;
    return table == TPCH_PARTSUPP ? units * TPCH_PART_SUPPLIERS : units;
}

const TpchWord *tpch_word(const Tpch *tpch, TpchClass class, int32_t index)
{
    ASSERT_SLOW(index >= 0 && index < tpch->class_words[class]);
    return &WORDS[tpch->class_first[class] + index].word;
}

Str tpch_region_name(int32_t region)
{
    ASSERT(region >= 0 && region < TPCH_REGIONS);
    return str_from(REGION_NAMES[region]);
}

Str tpch_nation_name(int32_t nation)
{
    ASSERT(nation >= 0 && nation < TPCH_NATIONS);
    return str_from(NATION_ROWS[nation].name);
}

int32_t tpch_nation_region(int32_t nation)
{
    ASSERT(nation >= 0 && nation < TPCH_NATIONS);
    return NATION_ROWS[nation].region;
}
