// SPDX-License-Identifier: Apache-2.0
//
// ANALYZE: one pass over the table, or over the beginnings of many pieces of a very large one;
// every row is counted and sketched, a sample of 30,000 rows is kept by reservoir sampling (Li's
// algorithm L), statistics go into the table's catalog object. One thread.
#include "exec/ddl/column_sample.h"
#include "exec/ddl/ddl_int.h"

#include "base/hash.h"

#include <math.h>
#include <stdlib.h>

/* Tables up to this many rows are read whole. */
#define FULL_SCAN_ROWS  10000000
#define PIECES_MAX      256
/* The sample: fewer rows of very wide tables. */
#define SAMPLE_ROWS_MAX 30000
#define SAMPLE_ROWS_MIN 1000
#define SAMPLE_VALUES   3000000

typedef struct Sampler {
    Ddl *d;
    const Table *table;
    const Snapshot *snapshot;
    Scope *scope;
    ColumnSample *columns;
    uint32_t *positions; /* of all columns */
    uint64_t *hashes;
    uint64_t *ordinals; /* by place: which row of the scan */
    uint32_t kept_max;
    uint32_t kept;
    uint64_t scanned;
    uint64_t next; /* the next row that replaces one */
    double weight;
    uint64_t random;
} Sampler;

/* In (0, 1); the same for the same table, so that ANALYZE can be repeated. */
static double next_random(Sampler *sampler)
{
    sampler->random += 0x9e3779b97f4a7c15ULL;
    return ((double)(hash_u64(sampler->random) >> 11) + 0.5) / 9007199254740992.0;
}

static void skip_rows(Sampler *sampler)
{
    sampler->weight *= exp(log(next_random(sampler)) / sampler->kept_max);
    double skip = floor(log(next_random(sampler)) / log1p(-sampler->weight));
    sampler->next += skip < 1e18 ? (uint64_t)skip + 1 : UINT64_MAX / 2;
}

static void keep_row(Sampler *sampler, const Batch *batch, uint32_t row, uint32_t place)
{
    sampler->ordinals[place] = sampler->scanned + row;
    for (uint32_t i = 0; i < batch->columns_count; i++)
        column_sample_keep(&sampler->columns[i], sampler->scope, &batch->columns[i], row, place);
}

static void sample_batch(Sampler *sampler, const Batch *batch)
{
    uint32_t row = 0;

    for (; row < batch->rows_count && sampler->kept < sampler->kept_max; row++) {
        keep_row(sampler, batch, row, sampler->kept++);
        if (sampler->kept == sampler->kept_max) {
            sampler->next = sampler->scanned + row;
            skip_rows(sampler);
        }
    }
    while (sampler->kept == sampler->kept_max &&
           sampler->next < sampler->scanned + batch->rows_count) {
        uint32_t place = (uint32_t)(next_random(sampler) * sampler->kept_max);
        keep_row(sampler, batch, (uint32_t)(sampler->next - sampler->scanned), place);
        skip_rows(sampler);
    }
    for (uint32_t i = 0; i < batch->columns_count; i++)
        column_sample_count(&sampler->columns[i], &batch->columns[i], batch->rows_count,
                            sampler->hashes);
    sampler->scanned += batch->rows_count;
}

static Status scan_range(Sampler *sampler, KeyRange range, uint64_t rows_max)
{
    Status st = OK;
    Ctx *ctx = sampler->d->ctx;
    Scope *scope = scope_open(sampler->scope, "analyze");
    ScanSpec spec = {.relation = &sampler->table->relation,
                     .columns = sampler->positions,
                     .columns_count = sampler->table->columns_count,
                     .range = range};
    uint64_t end = sampler->scanned + rows_max;
    TableScan *scan;
    Batch batch;

    TRY(table_scan_open(ctx, scope, sampler->snapshot, &spec, &scan));
    do {
        TRY(ctx_check_cancel(ctx));
        TRY(table_scan_next(ctx, scan, &batch));
        if (batch.rows_count)
            sample_batch(sampler, &batch);
    } while (batch.rows_count && sampler->scanned < end);
done:
    scope_close(scope);
    return st;
}

/* The beginnings of many pieces. */
static Status scan_pieces(Sampler *sampler)
{
    Status st = OK;
    KeyRange *pieces;
    uint32_t count;

    TRY(table_split(sampler->d->ctx, sampler->scope, sampler->snapshot, &sampler->table->relation,
                    (KeyRange){0}, PIECES_MAX, &pieces, &count));
    for (uint32_t i = 0; i < count; i++)
        TRY(scan_range(sampler, pieces[i], FULL_SCAN_ROWS / count));
done:
    return st;
}

static void sampler_init(Sampler *sampler, Ddl *d, const Table *table)
{
    uint32_t count = table->columns_count;

    *sampler = (Sampler){.d = d,
                         .table = table,
                         .snapshot = ddl_fresh_snapshot(d),
                         .scope = scope_open(d->scope, "sample"),
                         .weight = 1,
                         .random = table->object.oid};
    sampler->kept_max = MAX(SAMPLE_ROWS_MIN, MIN(SAMPLE_ROWS_MAX, SAMPLE_VALUES / MAX(count, 1)));
    sampler->columns = scope_new_array(sampler->scope, ColumnSample, count + 1);
    sampler->positions = scope_new_array(sampler->scope, uint32_t, count + 1);
    sampler->hashes = scope_new_array(sampler->scope, uint64_t, BATCH_ROWS_MAX);
    sampler->ordinals = scope_new_array(sampler->scope, uint64_t, sampler->kept_max);
    for (uint32_t i = 0; i < count; i++) {
        sampler->positions[i] = i;
        column_sample_init(&sampler->columns[i], sampler->scope, table->columns[i].type,
                           sampler->kept_max);
    }
}

typedef struct Place {
    uint64_t ordinal;
    uint32_t place;
} Place;

static int by_ordinal(const void *a, const void *b)
{
    uint64_t x = ((const Place *)a)->ordinal;
    uint64_t y = ((const Place *)b)->ordinal;
    return (x > y) - (x < y);
}

/* Puts the sample into the order of the scan. */
static void sort_sample(Sampler *sampler)
{
    Place *places = scope_new_array(sampler->scope, Place, sampler->kept + 1);
    Datum *sorted = scope_new_array(sampler->scope, Datum, sampler->kept + 1);

    for (uint32_t i = 0; i < sampler->kept; i++)
        places[i] = (Place){sampler->ordinals[i], i};
    if (sampler->kept)
        qsort(places, sampler->kept, sizeof *places, by_ordinal);
    for (uint32_t c = 0; c < sampler->table->columns_count; c++) {
        Datum *values = sampler->columns[c].values;
        for (uint32_t i = 0; i < sampler->kept; i++)
            sorted[i] = values[places[i].place];
        memcpy(values, sorted, sampler->kept * sizeof *sorted);
    }
}

static bool is_unique(const Table *table, uint32_t column_id)
{
    for (uint32_t i = 0; i < table->indexes_count; i++) {
        const Index *index = table->indexes[i];
        if (index->unique && index->columns_count == 1 && index->predicate_sql.len == 0 &&
            index->columns[0].column == column_id)
            return true;
    }
    return false;
}

static Status put_statistics(Sampler *sampler, double rows, bool complete)
{
    Ddl *d = sampler->d;
    TableStatistics *statistics = scope_new(d->scope, TableStatistics);
    Table copy = *sampler->table;
    SampleTotals totals = {
        .kept = sampler->kept, .scanned = sampler->scanned, .rows = rows, .complete = complete};

    statistics->rows = rows;
    statistics->columns_count = copy.columns_count;
    statistics->columns = scope_new_array(d->scope, ColumnStatistics, copy.columns_count + 1);
    for (uint32_t i = 0; i < copy.columns_count; i++) {
        ColumnStatistics *column = &statistics->columns[i];
        column->column_id = copy.columns[i].id;
        totals.unique = is_unique(&copy, column->column_id);
        column_sample_finish(&sampler->columns[i], sampler->scope, &totals, column);
    }
    copy.statistics = statistics;
    copy.rows_estimate = rows;
    return catalog_put(d->ctx, d->catalog, &copy.object);
}

Status ddl_analyze_table(Ddl *d, const Table *table)
{
    Status st = OK;
    Oid oid = table->object.oid;
    uint64_t rows, bytes;
    Sampler sampler = {0};

    TRY(ddl_lock(d, oid, TABLE_SHARE_UPDATE_EXCLUSIVE));
    table = (const Table *)catalog_by_oid(d->catalog, oid);
    if (table == NULL)
        return OK; /* dropped meanwhile */
    storage_relation_size(d->env->storage, table->relation_id, &rows, &bytes);
    bool complete = rows <= FULL_SCAN_ROWS;
    sampler_init(&sampler, d, table);
    if (complete)
        TRY(scan_range(&sampler, (KeyRange){0}, UINT64_MAX / 2));
    else
        TRY(scan_pieces(&sampler));
    sort_sample(&sampler);
    double total = complete ? (double)sampler.scanned : MAX((double)rows, (double)sampler.scanned);
    TRY(put_statistics(&sampler, total, complete));
done:
    scope_close(sampler.scope);
    return st;
}
