// SPDX-License-Identifier: Apache-2.0
//
// A batch is looked up in passes. In each, every remaining row walks to a free slot or one with its
// hash bits; a free slot is taken at once (so that a second row with the same key finds it), then
// the new tuples are filled, then the candidates compared, column by column; who differs goes on
// with the next slot in the next pass.
#include "exec/agg/agg_table.h"

#include "types/compare.h"

#include <stdlib.h>

#define SLOTS_MIN    64
#define CACHED_SLOTS 16384 /* more are worth fetching ahead */
#define ADDRESS_BITS 48
#define ADDRESS_MASK ((UINT64_C(1) << ADDRESS_BITS) - 1)

AggTable *agg_table_new(Scope *scope, const SqlType *types, uint32_t keys_count,
                        uint32_t states_bytes)
{
    AggTable *table = scope_new(scope, AggTable);

    tuple_layout_init(&table->layout, scope, types, keys_count, sizeof(uint64_t), states_bytes);
    tuple_buffer_init(&table->tuples, scope, &table->layout);
    table->states_bytes = states_bytes;
    return table;
}

void batch_hash(const Batch *batch, uint32_t columns, uint64_t *hashes)
{
    if (columns == 0)
        memset(hashes, 0, batch->rows_count * sizeof *hashes);
    for (uint32_t i = 0; i < columns; i++)
        vector_hash(&batch->columns[i], batch->rows_count, hashes, i > 0);
}

static void insert_address(AggTable *table, uint64_t hash, Tuple tuple)
{
    uint64_t at = hash & table->mask;

    while (table->slots[at])
        at = (at + 1) & table->mask;
    table->slots[at] = (hash & ~ADDRESS_MASK) | (uint64_t)(uintptr_t)tuple;
}

/* Room for `rows` more keys, at most half full. */
static Status reserve(Ctx *ctx, AggTable *table, uint32_t rows)
{
    Status st = OK;
    uint64_t needed = (table->tuples.count + rows) * 2, slots = SLOTS_MIN;
    Scope *scope = table->tuples.scope;
    void *memory;

    if (table->slots && needed <= table->mask + 1)
        goto done;
    while (slots < needed)
        slots *= 2;
    TRY(scope_alloc_data(ctx, scope, slots * sizeof(uint64_t), &memory));
    memset(memory, 0, slots * sizeof(uint64_t));
    table->slots = memory;
    table->mask = slots - 1;
    for (TupleChunk *chunk = table->tuples.first; chunk; chunk = chunk->next) {
        Tuple tuple = chunk->tuples;
        for (uint32_t i = 0; i < chunk->count; i++, tuple += table->layout.tuple_bytes)
            insert_address(table, agg_tuple_hash(tuple), tuple);
    }
done:
    return st;
}

static void reserve_batch(AggTable *table, uint32_t rows)
{
    Scope *scope = table->tuples.scope;

    if (rows <= table->batch_rows)
        return;
    rows = rows <= 16 ? 16 : MAX(rows, BATCH_ROWS_MAX);
    table->hashes = scope_new_array(scope, uint64_t, rows);
    table->at = scope_new_array(scope, uint64_t, rows);
    table->rows = scope_new_array(scope, uint32_t, rows);
    table->fresh = scope_new_array(scope, uint32_t, rows);
    table->rejected = scope_new_array(scope, uint32_t, rows);
    table->batch_rows = rows;
}

/* From *at to the first slot with the row's hash bits: its tuple; NULL: *at is a free slot. */
static inline Tuple walk(const AggTable *table, uint64_t hash, uint64_t *at)
{
    uint64_t tag = hash & ~ADDRESS_MASK, slot;

    while ((slot = table->slots[*at]) != 0) {
        if ((slot & ~ADDRESS_MASK) == tag)
            return (Tuple)(uintptr_t)(slot & ADDRESS_MASK);
        *at = (*at + 1) & table->mask;
    }
    return NULL;
}

static Status take_new(Ctx *ctx, AggTable *table, uint64_t hash, uint64_t at, Tuple *out)
{
    Status st = OK;

    TRY(tuple_buffer_take(ctx, &table->tuples, out));
    memcpy(*out, &hash, sizeof hash);
    if (table->states_bytes)
        memset(*out + table->layout.extra_at, 0, table->states_bytes);
    table->slots[at] = (hash & ~ADDRESS_MASK) | (uint64_t)(uintptr_t)*out;
done:
    return st;
}

/* Candidates rows[0..count) that differ from their tuple, into rejected. */
static uint32_t compare(AggTable *table, const Batch *keys, uint32_t *rows, uint32_t count,
                        const Tuple *tuples)
{
    TupleMatch match = {.layout = &table->layout,
                        .tuples = (Tuple const *)tuples,
                        .nulls_equal = true,
                        .rejected = table->rejected};

    for (uint32_t i = 0; i < table->layout.fields_count && count; i++) {
        match.field = i;
        match.v = &keys->columns[i];
        count = tuple_match(&match, rows, count);
    }
    return match.rejected_count;
}

/* One pass over rows[0..count); returns the new tuples' rows in fresh, the candidates in rows. */
static Status pass(Ctx *ctx, AggTable *table, const uint64_t *hashes, uint32_t *count,
                   Tuple *tuples, uint32_t *fresh_count)
{
    Status st = OK;
    uint32_t *rows = table->rows, candidates = 0;

    for (uint32_t i = 0; i < *count; i++) {
        uint32_t row = rows[i];
        tuples[row] = walk(table, hashes[row], &table->at[row]);
        if (tuples[row]) {
            __builtin_prefetch(tuples[row]);
            rows[candidates++] = row;
            continue;
        }
        TRY(take_new(ctx, table, hashes[row], table->at[row], &tuples[row]));
        table->fresh[(*fresh_count)++] = row;
    }
    *count = candidates;
done:
    return st;
}

static Status find(Ctx *ctx, AggTable *table, const Batch *keys, const uint64_t *hashes,
                   Tuple *tuples)
{
    Status st = OK;
    uint32_t count = keys->rows_count, fresh_all = 0;

    TRY(reserve(ctx, table, count));
    for (uint32_t row = 0; row < count; row++) {
        table->rows[row] = row;
        table->at[row] = hashes[row] & table->mask;
    }
    for (uint32_t row = 0; table->mask >= CACHED_SLOTS && row < count; row++)
        __builtin_prefetch(&table->slots[table->at[row]]);
    uint32_t *fresh_first = table->fresh;
    while (count) {
        uint32_t fresh = 0;
        table->fresh = fresh_first + fresh_all;
        TRY(pass(ctx, table, hashes, &count, tuples, &fresh));
        TupleRows made = {.tuples = tuples, .rows = table->fresh, .count = fresh};
        for (uint32_t i = 0; i < table->layout.fields_count && fresh; i++)
            TRY(tuple_scatter(ctx, &table->tuples, i, &keys->columns[i], &made));
        fresh_all += fresh;
        count = compare(table, keys, table->rows, count, tuples);
        memcpy(table->rows, table->rejected, count * sizeof *table->rows);
        for (uint32_t i = 0; i < count; i++)
            table->at[table->rows[i]] = (table->at[table->rows[i]] + 1) & table->mask;
    }
    table->fresh = fresh_first;
    table->fresh_count = fresh_all;
done:
    return st;
}

Status agg_table_find(Ctx *ctx, AggTable *table, const Batch *keys, const uint64_t *hashes,
                      Tuple *tuples)
{
    reserve_batch(table, keys->rows_count);
    if (hashes == NULL) {
        batch_hash(keys, table->layout.fields_count, table->hashes);
        hashes = table->hashes;
    }
    return find(ctx, table, keys, hashes, tuples);
}

void agg_table_lookup(AggTable *table, const Batch *keys, const uint64_t *hashes, Tuple *tuples)
{
    uint32_t count = keys->rows_count;

    reserve_batch(table, count);
    for (uint32_t row = 0; row < count; row++) {
        table->rows[row] = row;
        table->at[row] = hashes[row] & table->mask;
    }
    while (count) {
        uint32_t candidates = 0;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t row = table->rows[i];
            tuples[row] = table->slots ? walk(table, hashes[row], &table->at[row]) : NULL;
            table->rows[candidates] = row;
            candidates += tuples[row] != NULL;
        }
        count = compare(table, keys, table->rows, candidates, tuples);
        memcpy(table->rows, table->rejected, count * sizeof *table->rows);
        for (uint32_t i = 0; i < count; i++)
            table->at[table->rows[i]] = (table->at[table->rows[i]] + 1) & table->mask;
    }
}

static int order_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

Status agg_table_add_new(Ctx *ctx, AggTable *table, const Batch *keys, uint32_t *added,
                         uint32_t *count)
{
    Status st = OK;

    reserve_batch(table, keys->rows_count);
    if (table->found == NULL)
        table->found = scope_new_array(table->tuples.scope, Tuple, BATCH_ROWS_MAX);
    TRY(agg_table_find(ctx, table, keys, NULL, table->found));
    *count = table->fresh_count;
    memcpy(added, table->fresh, *count * sizeof *added);
    qsort(added, *count, sizeof *added, order_u32);
done:
    return st;
}
