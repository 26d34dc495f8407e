// SPDX-License-Identifier: Apache-2.0
//
// Keys are kept apart from the tuples, behind their length; an entry carries the first eight bytes
// so that most comparisons touch nothing else. Merge sort over entries: stable, no worst case. With
// a limit, rows beyond the best so far are dropped as they come, and now and then the rest is cut
// and copied into fresh memory.
#include "exec/sorter.h"

#define HEAP_BYTES      (64u << 10)
#define RUN_ENTRIES     12
#define ENTRIES_MIN     64
#define PRUNE_ROWS_MORE 4096

Sorter *sorter_new(Scope *scope, const SorterSpec *spec)
{
    Sorter *sorter = scope_new(scope, Sorter);

    sorter->spec = *spec;
    sorter->scopes[0] = scope_open(scope, "sort");
    sorter->scopes[1] = spec->limit ? scope_open(scope, "sort") : NULL;
    tuple_layout_init(&sorter->layout, scope, spec->types, spec->columns_count, 0, 0);
    tuple_buffer_init(&sorter->tuples, sorter->scopes[0], &sorter->layout);
    sorter->batch_tuples = scope_new_array(scope, Tuple, BATCH_ROWS_MAX);
    sorter->buffers = vector_buffers_new(scope, spec->columns_count);
    strbuf_init_in(&sorter->key, scope);
    return sorter;
}

uint64_t sort_key_prefix(const uint8_t *key, uint32_t length)
{
    uint64_t prefix = 0;

    memcpy(&prefix, key, MIN(length, 8));
    return __builtin_bswap64(prefix);
}

static int compare_keys(const uint8_t *a, const uint8_t *b)
{
    uint32_t a_length = sort_key_length(a), b_length = sort_key_length(b);
    int order = memcmp(a, b, MIN(a_length, b_length));

    return order ? order : (a_length > b_length) - (a_length < b_length);
}

int sort_entry_compare(const SortEntry *a, const SortEntry *b)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    return compare_keys(a->key, b->key);
}

// --- adding -------------------------------------------------------------------------------------

static Status keep_key(Ctx *ctx, Sorter *sorter, SortEntry *entry)
{
    Status st = OK;
    uint32_t length = (uint32_t)sorter->key.len;
    size_t bytes = sizeof length + length;
    void *memory;

    if (bytes > sorter->heap_left) {
        size_t piece = MAX(bytes, sorter->count < 64 ? 1024 : HEAP_BYTES);
        TRY(scope_alloc_data(ctx, sorter->scopes[sorter->current], piece, &memory));
        sorter->heap = memory;
        sorter->heap_left = piece;
    }
    memcpy(sorter->heap, &length, sizeof length);
    memcpy(sorter->heap + sizeof length, sorter->key.ptr, length);
    entry->key = (uint8_t *)sorter->heap + sizeof length;
    entry->prefix = sort_key_prefix(entry->key, length);
    sorter->heap += bytes;
    sorter->heap_left -= bytes;
done:
    return st;
}

static Status reserve_entries(Ctx *ctx, Sorter *sorter, uint64_t more)
{
    Status st = OK;
    uint64_t capacity = MAX(sorter->capacity, ENTRIES_MIN);
    void *memory;

    if (sorter->count + more <= sorter->capacity)
        goto done;
    while (capacity < sorter->count + more)
        capacity *= 2;
    TRY(scope_alloc_data(ctx, sorter->scopes[sorter->current], capacity * sizeof(SortEntry),
                         &memory));
    if (sorter->count)
        memcpy(memory, sorter->entries, sorter->count * sizeof(SortEntry));
    sorter->entries = memory;
    sorter->capacity = capacity;
done:
    return st;
}

static bool beyond_threshold(const Sorter *sorter)
{
    Str key = strbuf_str(&sorter->key);

    if (sorter->threshold == NULL)
        return false;
    Str last = {(const char *)sorter->threshold, sort_key_length(sorter->threshold)};
    return str_compare(key, last) >= 0;
}

static Status prune(Ctx *ctx, Sorter *sorter);

Status sorter_add(Ctx *ctx, Sorter *sorter, const Batch *batch, const Vector *const *keys)
{
    Status st = OK;
    uint32_t rows[BATCH_ROWS_MAX], count = 0;
    uint64_t first = sorter->count;

    TRY(reserve_entries(ctx, sorter, batch->rows_count));
    for (uint32_t row = 0; row < batch->rows_count; row++) {
        strbuf_clear(&sorter->key);
        for (uint32_t i = 0; i < sorter->spec.keys_count; i++)
            key_append(&sorter->key, &sorter->spec.keys[i], keys[i], row);
        if (beyond_threshold(sorter))
            continue;
        TRY(keep_key(ctx, sorter, &sorter->entries[sorter->count + count]));
        rows[count++] = row;
    }
    TupleRows kept = {.tuples = sorter->batch_tuples, .rows = rows, .count = count};
    TRY(tuple_buffer_append(ctx, &sorter->tuples, batch, &kept));
    for (uint32_t i = 0; i < count; i++)
        sorter->entries[first + i].tuple = sorter->batch_tuples[rows[i]];
    sorter->count += count;
    if (sorter->spec.limit && sorter->count >= 2 * sorter->spec.limit + PRUNE_ROWS_MORE)
        TRY(prune(ctx, sorter));
done:
    return st;
}

// --- sorting ------------------------------------------------------------------------------------

static void insertion_sort(SortEntry *entries, uint64_t count)
{
    for (uint64_t i = 1; i < count; i++) {
        SortEntry moved = entries[i];
        uint64_t at = i;
        for (; at > 0 && sort_entry_compare(&entries[at - 1], &moved) > 0; at--)
            entries[at] = entries[at - 1];
        entries[at] = moved;
    }
}

static void merge_runs(const SortEntry *a, const SortEntry *a_end, const SortEntry *b_end,
                       SortEntry *out)
{
    const SortEntry *b = a_end;

    while (a < a_end && b < b_end)
        *out++ = sort_entry_compare(a, b) <= 0 ? *a++ : *b++;
    memcpy(out, a, (size_t)(a_end - a) * sizeof *a);
    memcpy(out + (a_end - a), b, (size_t)(b_end - b) * sizeof *b);
}

static Status merge_sort(Ctx *ctx, Scope *scope, SortEntry *entries, uint64_t count)
{
    Status st = OK;
    SortEntry *from = entries, *to;
    void *memory;

    for (uint64_t i = 0; i < count; i += RUN_ENTRIES)
        insertion_sort(entries + i, MIN(RUN_ENTRIES, count - i));
    if (count <= RUN_ENTRIES)
        goto done;
    TRY(scope_alloc_data(ctx, scope, count * sizeof *to, &memory));
    to = memory;
    for (uint64_t run = RUN_ENTRIES; run < count; run *= 2) {
        for (uint64_t i = 0; i < count; i += 2 * run) {
            const SortEntry *middle = from + MIN(i + run, count);
            merge_runs(from + i, middle, from + MIN(i + 2 * run, count), to + i);
        }
        SortEntry *swap = from;
        from = to;
        to = swap;
    }
    if (from != entries)
        memcpy(entries, from, count * sizeof *entries);
done:
    return st;
}

Status sorter_sort(Ctx *ctx, Sorter *sorter)
{
    Status st = OK;
    Scope *scope = scope_open(sorter->scopes[sorter->current], "merge");

    TRY(merge_sort(ctx, scope, sorter->entries, sorter->count));
    if (sorter->spec.limit && sorter->count > sorter->spec.limit)
        sorter->count = sorter->spec.limit;
done:
    scope_close(scope);
    return st;
}

/* Copies the kept tuples and keys into the other scope. */
static Status move_kept(Ctx *ctx, Sorter *sorter, const SortEntry *from, uint64_t count)
{
    Status st = OK;
    Tuple tuples[BATCH_ROWS_MAX];
    uint32_t rows[BATCH_ROWS_MAX];
    Vector *columns =
        scope_new_array(sorter->scopes[sorter->current], Vector, sorter->spec.columns_count + 1);
    TupleRows made = {.tuples = sorter->batch_tuples, .rows = rows};

    TRY(reserve_entries(ctx, sorter, count));
    for (uint64_t first = 0; first < count; first += made.count) {
        made.count = (uint32_t)MIN(count - first, BATCH_ROWS_MAX);
        for (uint32_t i = 0; i < made.count; i++) {
            rows[i] = i;
            tuples[i] = from[first + i].tuple;
            strbuf_clear(&sorter->key);
            strbuf_append(&sorter->key, from[first + i].key, sort_key_length(from[first + i].key));
            TRY(keep_key(ctx, sorter, &sorter->entries[first + i]));
        }
        for (uint32_t i = 0; i < sorter->spec.columns_count; i++)
            tuple_gather(&sorter->layout, i, tuples, made.count, &sorter->buffers[i], &columns[i]);
        Batch batch = {made.count, sorter->spec.columns_count, columns};
        TRY(tuple_buffer_append(ctx, &sorter->tuples, &batch, &made));
        for (uint32_t i = 0; i < made.count; i++)
            sorter->entries[first + i].tuple = sorter->batch_tuples[i];
    }
    sorter->count = count;
done:
    return st;
}

static Status prune(Ctx *ctx, Sorter *sorter)
{
    Status st = OK;
    Scope *old = sorter->scopes[sorter->current];

    TRY(sorter_sort(ctx, sorter));
    const SortEntry *kept = sorter->entries;
    uint64_t count = sorter->count;
    sorter->current = !sorter->current;
    tuple_buffer_init(&sorter->tuples, sorter->scopes[sorter->current], &sorter->layout);
    sorter->entries = NULL;
    sorter->count = sorter->capacity = 0;
    sorter->heap_left = 0;
    TRY(move_kept(ctx, sorter, kept, count));
    sorter->threshold = sorter->entries[count - 1].key;
    scope_reset(old);
done:
    return st;
}

Status sorter_spill(Worker *worker, Sorter *sorter)
{
    Status st = OK;
    SpillFile *run;

    if (sorter->count == 0)
        goto done;
    TRY(sorter_sort(worker->ctx, sorter));
    TRY(spill_file_open(worker, worker->scope, &sorter->layout, &run));
    for (uint64_t i = 0; i < sorter->count; i++) {
        const uint8_t *key = sorter->entries[i].key;
        Str text = {(const char *)key, sort_key_length(key)};
        TRY(spill_write(worker->ctx, run, sorter->entries[i].tuple, text));
    }
    TRY(spill_finish(worker->ctx, run));
    array_push(worker->scope, &sorter->runs, run);
    scope_reset(sorter->scopes[sorter->current]);
    tuple_buffer_init(&sorter->tuples, sorter->scopes[sorter->current], &sorter->layout);
    sorter->entries = NULL;
    sorter->count = sorter->capacity = 0;
    sorter->heap_left = 0;
done:
    return st;
}

// --- merging ------------------------------------------------------------------------------------

Status sorters_merge(Ctx *ctx, Scope *scope, Sorter *const *sorters, uint32_t count,
                     SortEntry **out, uint64_t *out_count)
{
    Status st = OK;
    uint64_t at[64] = {0}, total = 0;
    void *memory;

    ASSERT(count <= ARRAY_COUNT(at));
    for (uint32_t i = 0; i < count; i++)
        total += sorters[i]->count;
    *out = count ? sorters[0]->entries : NULL;
    *out_count = total;
    if (count <= 1 || total == 0)
        goto done;
    TRY(scope_alloc_data(ctx, scope, total * sizeof(SortEntry), &memory));
    *out = memory;
    for (uint64_t i = 0; i < total; i++) {
        const SortEntry *best = NULL;
        uint32_t best_at = 0;
        for (uint32_t k = 0; k < count; k++) {
            const SortEntry *next = &sorters[k]->entries[at[k]];
            if (at[k] == sorters[k]->count || (best && sort_entry_compare(best, next) <= 0))
                continue;
            best = next;
            best_at = k;
        }
        (*out)[i] = *best;
        at[best_at]++;
    }
    if (sorters[0]->spec.limit)
        *out_count = MIN(total, sorters[0]->spec.limit);
done:
    return st;
}
