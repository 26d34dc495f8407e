// SPDX-License-Identifier: Apache-2.0
//
// DISTINCT and ORDER BY inside aggregate calls. Input is collected with its group's keys: distinct
// rows in a table, ordered ones in a sorter. When the groups are known, it is brought into its
// order and given to the aggregate like any other input.
#include "exec/agg/agg.h"

Status agg_deferred_add(AggState *state, const AggStage *self, uint32_t at, const Batch *in,
                        const Vector *const *args)
{
    Status st = OK;
    Worker *worker = state->worker;
    const AggItem *item = &self->items[at];
    uint32_t columns = item->sort.columns_count;
    Batch rows = {in->rows_count, columns, scope_new_array(worker->batch, Vector, columns + 1)};
    const Vector *keys[16];

    for (uint32_t i = 0; i < self->keys_count; i++)
        rows.columns[i] = state->keys.columns[i];
    for (uint32_t i = 0; i < item->expr->args_count; i++)
        rows.columns[self->keys_count + i] = *args[i];
    if (state->distinct[at]) {
        uint32_t *added = scope_new_array(worker->batch, uint32_t, in->rows_count), count;
        TRY(agg_table_add_new(worker->ctx, state->distinct[at], &rows, added, &count));
        goto done;
    }
    if (item->sort.keys_count > ARRAY_COUNT(keys))
        FAIL(worker->ctx, E_PROGRAM_LIMIT_EXCEEDED,
             "an aggregate cannot be ordered by more than %zu expressions", ARRAY_COUNT(keys));
    for (uint32_t i = 0; i < item->sort.keys_count; i++)
        TRY(eval_run(worker, state->orders[at][i], in, &keys[i]));
    TRY(sorter_add(worker->ctx, state->ordered[at], &rows, keys));
done:
    return st;
}

// --- giving the input ---------------------------------------------------------------------------

/* Tuples of an item's input on their way to the aggregate. */
typedef struct Feed {
    Query *query;
    AggStage *self;
    AggState *state; /* of the caller: calls and row arrays */
    uint32_t at;
    const TupleLayout *layout;
    Tuple tuples[BATCH_ROWS_MAX];
    uint32_t count;
    Vector *columns;
    VectorBuffer *buffers;
    Tuple groups[BATCH_ROWS_MAX];
    void *states[BATCH_ROWS_MAX];
} Feed;

static Status feed_flush(Feed *feed)
{
    Status st = OK;
    AggStage *self = feed->self;
    const AggItem *item = &self->items[feed->at];
    AggCall *call = &feed->state->calls[feed->at];
    const Vector *args[16];
    uint32_t rows = feed->count;

    feed->count = 0;
    if (rows == 0)
        goto done;
    for (uint32_t i = 0; i < item->sort.columns_count; i++)
        tuple_gather(feed->layout, i, feed->tuples, rows, &feed->buffers[i], &feed->columns[i]);
    for (uint32_t i = 0; i < item->expr->args_count; i++)
        args[i] = &feed->columns[self->keys_count + i];
    if (!self->plain) {
        Batch keys = {rows, self->keys_count, feed->columns};
        TRY(agg_table_find(feed->query->ctx, self->tables[0], &keys, NULL, feed->groups));
    }
    for (uint32_t i = 0; i < rows; i++)
        feed->states[i] = self->plain
                              ? self->one + item->state_at
                              : feed->groups[i] + self->tables[0]->layout.extra_at + item->state_at;
    call->ctx = feed->query->ctx;
    TRY(item->info->update(call, args, rows, feed->states));
    TRY(ctx_check_cancel(feed->query->ctx));
done:
    return st;
}

static Status feed_add(Feed *feed, Tuple tuple)
{
    feed->tuples[feed->count++] = tuple;
    return feed->count == BATCH_ROWS_MAX ? feed_flush(feed) : OK;
}

static Status feed_table(Feed *feed, const AggTable *table)
{
    Status st = OK;

    feed->layout = &table->layout;
    for (const TupleChunk *chunk = table->tuples.first; chunk; chunk = chunk->next) {
        for (uint32_t i = 0; i < chunk->count; i++)
            TRY(feed_add(feed, chunk->tuples + (size_t)i * table->layout.tuple_bytes));
    }
    TRY(feed_flush(feed));
done:
    return st;
}

static Status feed_entries(Feed *feed, const TupleLayout *layout, const SortEntry *entries,
                           uint64_t count)
{
    Status st = OK;

    feed->layout = layout;
    for (uint64_t i = 0; i < count; i++)
        TRY(feed_add(feed, entries[i].tuple));
    TRY(feed_flush(feed));
done:
    return st;
}

/* Batches of a table's tuples to a function. */
static Status each_batch(Feed *feed, const AggTable *table,
                         Status (*fn)(Feed *feed, const Batch *batch, void *arg), void *arg)
{
    Status st = OK;
    uint32_t columns = table->layout.fields_count;

    for (const TupleChunk *chunk = table->tuples.first; chunk; chunk = chunk->next) {
        for (uint32_t first = 0; first < chunk->count; first += BATCH_ROWS_MAX) {
            uint32_t rows = MIN(chunk->count - first, BATCH_ROWS_MAX);
            for (uint32_t i = 0; i < rows; i++)
                feed->tuples[i] = chunk->tuples + (size_t)(first + i) * table->layout.tuple_bytes;
            for (uint32_t i = 0; i < columns; i++)
                tuple_gather(&table->layout, i, feed->tuples, rows, &feed->buffers[i],
                             &feed->columns[i]);
            Batch batch = {rows, columns, feed->columns};
            TRY(fn(feed, &batch, arg));
        }
    }
done:
    return st;
}

static Status add_to_table(Feed *feed, const Batch *batch, void *table)
{
    return agg_table_find(feed->query->ctx, table, batch, NULL, feed->groups);
}

static Status add_to_sorter(Feed *feed, const Batch *batch, void *sorter)
{
    const AggItem *item = &feed->self->items[feed->at];
    const Vector *keys[16];

    for (uint32_t i = 0; i < item->sort.keys_count; i++)
        keys[i] = &batch->columns[feed->self->keys_count + item->order_args[i]];
    return sorter_add(feed->query->ctx, sorter, batch, keys);
}

static Status complete_distinct(Feed *feed, AggState *const *states, uint32_t count)
{
    Status st = OK;
    const AggItem *item = &feed->self->items[feed->at];
    AggTable *all = states[0]->distinct[feed->at];

    for (uint32_t i = 1; i < count; i++)
        TRY(each_batch(feed, states[i]->distinct[feed->at], add_to_table, all));
    if (item->sort.keys_count == 0) {
        TRY(feed_table(feed, all));
        goto done;
    }
    Sorter *sorter = sorter_new(feed->query->scope, &item->sort);
    TRY(each_batch(feed, all, add_to_sorter, sorter));
    TRY(sorter_sort(feed->query->ctx, sorter));
    TRY(feed_entries(feed, &sorter->layout, sorter->entries, sorter->count));
done:
    return st;
}

static Status complete_ordered(Feed *feed, AggState *const *states, uint32_t count)
{
    Status st = OK;
    Sorter *sorters[AGG_PARTITIONS_MAX];
    SortEntry *entries;
    uint64_t total;

    for (uint32_t i = 0; i < count; i++) {
        sorters[i] = states[i]->ordered[feed->at];
        TRY(sorter_sort(feed->query->ctx, sorters[i]));
    }
    TRY(sorters_merge(feed->query->ctx, feed->query->scope, sorters, count, &entries, &total));
    TRY(feed_entries(feed, &sorters[0]->layout, entries, total));
done:
    return st;
}

Status agg_deferred_complete(Query *query, AggStage *self, AggState *const *states, uint32_t count)
{
    Status st = OK;
    Feed *feed = scope_new(query->scope, Feed);

    feed->query = query;
    feed->self = self;
    feed->state = states[0];
    for (uint32_t i = 0; i < self->items_count; i++) {
        const AggItem *item = &self->items[i];
        if (!item->deferred)
            continue;
        feed->at = i;
        feed->columns = scope_new_array(query->scope, Vector, item->sort.columns_count + 1);
        feed->buffers = vector_buffers_new(query->scope, item->sort.columns_count);
        if (states[0]->distinct[i])
            TRY(complete_distinct(feed, states, count));
        else
            TRY(complete_ordered(feed, states, count));
    }
done:
    return st;
}
