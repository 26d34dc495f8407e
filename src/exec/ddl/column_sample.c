// SPDX-License-Identifier: Apache-2.0
//
// One column's statistics. The number of distinct values comes from HyperLogLog when all rows were
// seen (Flajolet et al. 2007, 2^14 registers: 0.8 % error), exactly when all rows are in the
// sample, else from the sample by Haas and Stokes' Duj1 estimator, as in PostgreSQL. Common values,
// histogram and correlation come from the sample. See column_sample.h.
#include "exec/ddl/column_sample.h"

#include "base/hash.h"
#include "types/compare.h"

#include <math.h>
#include <stdlib.h>

#define REGISTER_BITS   14
#define REGISTERS       (1u << REGISTER_BITS)
#define COMMON_MAX      100
#define BUCKETS_MAX     100
/* Longer values make no histogram: they would only swell the catalog. */
#define VALUE_BYTES_MAX 256
/* Estimates this near to the number of rows mean that values do not repeat. */
#define DISTINCT_SNAP   0.97

void column_sample_init(ColumnSample *sample, Scope *scope, SqlType type, uint32_t rows_max)
{
    *sample = (ColumnSample){.type = type};
    sample->registers = scope_alloc(scope, REGISTERS);
    sample->values = scope_new_array(scope, Datum, rows_max);
}

static void note_hash(ColumnSample *sample, uint64_t hash)
{
    uint32_t at = (uint32_t)(hash >> (64 - REGISTER_BITS));
    uint64_t rest = hash << REGISTER_BITS | ((uint64_t)1 << (REGISTER_BITS - 1));
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);

    if (sample->registers[at] < rank)
        sample->registers[at] = rank;
}

void column_sample_count(ColumnSample *sample, const Vector *v, uint32_t rows, uint64_t *hashes)
{
    bool is_string = type_phys(sample->type) == PHYS_STRING;
    uint32_t width = phys_size[type_phys(sample->type)];

    vector_hash(v, rows, hashes, false);
    for (uint32_t row = 0; row < rows; row++) {
        if (vector_is_null(v, row)) {
            sample->nulls_seen++;
            continue;
        }
        sample->bytes_seen += is_string ? vector_at(v, StrView, row).len : width;
        note_hash(sample, hash_u64(hashes[row]));
    }
    sample->rows_seen += rows;
}

void column_sample_keep(ColumnSample *sample, Scope *scope, const Vector *v, uint32_t row,
                        uint32_t place)
{
    Datum value;

    if (vector_is_null(v, row)) {
        sample->values[place] = datum_null(sample->type);
        return;
    }
    value = datum_from_vector(v, row);
    if (type_phys(sample->type) == PHYS_STRING && value.string.len > VALUE_BYTES_MAX)
        value.string = strview_make(strview_bytes(&value.string), VALUE_BYTES_MAX + 1);
    sample->values[place] = datum_copy(scope, &value);
}

// --- distinct values ----------------------------------------------------------------------------

static double sketch_estimate(const ColumnSample *sample)
{
    double sum = 0;
    uint32_t empty = 0;
    double m = REGISTERS;

    for (uint32_t i = 0; i < REGISTERS; i++) {
        sum += ldexp(1, -sample->registers[i]);
        empty += sample->registers[i] == 0;
    }
    double estimate = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (estimate <= 2.5 * m && empty)
        estimate = m * log(m / empty);
    return estimate;
}

/* A value of the sample and where the scan met it. */
typedef struct Sampled {
    const Datum *value;
    uint32_t place;
} Sampled;

/* A run of equal values. */
typedef struct Run {
    uint32_t first;
    uint32_t count;
} Run;

typedef struct Runs {
    uint32_t values_count;
    Sampled *values; /* sorted, without NULLs and long values */
    uint32_t runs_count;
    Run *runs;
    uint32_t singles; /* runs of one */
} Runs;

static int by_value(const void *a, const void *b)
{
    const Sampled *x = a;
    const Sampled *y = b;
    int order = datum_compare(x->value, y->value);

    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static bool is_long(const Datum *value)
{
    return type_phys(value->type) == PHYS_STRING && value->string.len > VALUE_BYTES_MAX;
}

static void find_runs(const ColumnSample *sample, Scope *scope, uint32_t kept, Runs *out)
{
    *out = (Runs){.values = scope_new_array(scope, Sampled, kept + 1),
                  .runs = scope_new_array(scope, Run, kept + 1)};
    for (uint32_t i = 0; i < kept; i++) {
        if (!sample->values[i].is_null && !is_long(&sample->values[i]))
            out->values[out->values_count++] = (Sampled){&sample->values[i], i};
    }
    if (out->values_count)
        qsort(out->values, out->values_count, sizeof *out->values, by_value);
    for (uint32_t i = 0; i < out->values_count; i++) {
        if (i && datum_compare(out->values[i - 1].value, out->values[i].value) == 0)
            out->runs[out->runs_count - 1].count++;
        else
            out->runs[out->runs_count++] = (Run){i, 1};
    }
    for (uint32_t i = 0; i < out->runs_count; i++)
        out->singles += out->runs[i].count == 1;
}

static double duj1_estimate(const Runs *runs, double rows)
{
    double n = runs->values_count;
    double f1 = runs->singles;
    double d = runs->runs_count;

    return n * d / (n - f1 + f1 * n / rows);
}

static double estimate_distinct(const ColumnSample *sample, const SampleTotals *totals,
                                const Runs *runs, double not_null)
{
    double distinct;

    if (not_null <= 0)
        return 0;
    if (totals->unique)
        return not_null;
    if (totals->complete && totals->scanned == totals->kept && runs->values_count >= not_null)
        distinct = runs->runs_count;
    else if (totals->complete || runs->values_count == 0)
        distinct = sketch_estimate(sample);
    else
        distinct = MAX(duj1_estimate(runs, not_null), sketch_estimate(sample));
    if (distinct > not_null * DISTINCT_SNAP && totals->scanned != totals->kept)
        distinct = not_null;
    return MAX(1, MIN(distinct, not_null));
}

// --- common values, histogram, correlation ------------------------------------------------------

static int by_count(const void *a, const void *b)
{
    const Run *x = a;
    const Run *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

/* All values if they are few, else those clearly more frequent than the average; they leave the
   runs: `common` marks them by their first value. */
static void find_common(const Runs *runs, Scope *scope, const SampleTotals *totals, double distinct,
                        ColumnStatistics *out, bool *common)
{
    Run *sorted = scope_new_array(scope, Run, runs->runs_count + 1);
    bool all = runs->runs_count <= COMMON_MAX && distinct <= runs->runs_count * 1.1;
    double average = distinct > 0 ? runs->values_count / distinct : 0;
    double threshold = all ? 0 : MAX(2, average * 1.25);

    memcpy(sorted, runs->runs, runs->runs_count * sizeof *sorted);
    if (runs->runs_count)
        qsort(sorted, runs->runs_count, sizeof *sorted, by_count);
    out->common = scope_new_array(scope, Datum, COMMON_MAX);
    out->common_fraction = scope_new_array(scope, double, COMMON_MAX);
    for (uint32_t i = 0; i < MIN(runs->runs_count, COMMON_MAX); i++) {
        if (sorted[i].count < threshold || (!all && sorted[i].count < 2))
            break;
        out->common[out->common_count] = *runs->values[sorted[i].first].value;
        out->common_fraction[out->common_count++] = (double)sorted[i].count / totals->kept;
        common[sorted[i].first] = true;
    }
}

static void find_bounds(const Runs *runs, Scope *scope, const bool *common, ColumnStatistics *out)
{
    const Datum **rest = scope_new_array(scope, const Datum *, runs->values_count + 1);
    uint32_t count = 0;
    uint32_t distinct = 0;

    for (uint32_t i = 0; i < runs->runs_count; i++) {
        if (common[runs->runs[i].first])
            continue;
        distinct++;
        for (uint32_t k = 0; k < runs->runs[i].count; k++)
            rest[count++] = runs->values[runs->runs[i].first + k].value;
    }
    if (distinct < 2)
        return;
    uint32_t bounds = MIN(count, BUCKETS_MAX + 1);
    out->bounds = scope_new_array(scope, Datum, bounds);
    out->bounds_count = bounds;
    for (uint32_t i = 0; i < bounds; i++)
        out->bounds[i] = *rest[(uint64_t)i * (count - 1) / (bounds - 1)];
}

/* Of rank by value and rank by place, both 0 … n-1. */
static double find_correlation(const Runs *runs, Scope *scope, uint32_t kept)
{
    double n = runs->values_count;
    double product = 0;
    uint32_t rank = 0;
    uint32_t *ranks = scope_new_array(scope, uint32_t, kept + 1);

    if (runs->values_count < 2 || runs->runs_count < 2)
        return runs->runs_count == 1 ? 1 : 0;
    for (uint32_t i = 0; i < runs->values_count; i++)
        ranks[runs->values[i].place] = 1;
    for (uint32_t i = 0; i < kept; i++)
        rank += ranks[i] ? (ranks[i] = rank, 1) : 0;
    for (uint32_t i = 0; i < runs->values_count; i++)
        product += (double)i * ranks[runs->values[i].place];
    double sum = n * (n - 1) / 2;
    double squares = n * (n - 1) * (2 * n - 1) / 6;
    return (n * product - sum * sum) / (n * squares - sum * sum);
}

void column_sample_finish(const ColumnSample *sample, Scope *scope, const SampleTotals *totals,
                          ColumnStatistics *out)
{
    uint64_t seen = sample->rows_seen - sample->nulls_seen;
    Runs runs;

    out->null_fraction = sample->rows_seen ? (double)sample->nulls_seen / sample->rows_seen : 0;
    out->width = seen ? sample->bytes_seen / (double)seen : 0;
    find_runs(sample, scope, totals->kept, &runs);
    out->distinct =
        estimate_distinct(sample, totals, &runs, totals->rows * (1 - out->null_fraction));
    if (runs.values_count == 0)
        return;
    bool *common = scope_new_array(scope, bool, runs.values_count);
    find_common(&runs, scope, totals, out->distinct, out, common);
    find_bounds(&runs, scope, common, out);
    out->correlation = find_correlation(&runs, scope, totals->kept);
}
