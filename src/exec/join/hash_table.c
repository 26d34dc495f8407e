// SPDX-License-Identifier: Apache-2.0
//
// Linking: chunks of tuples are claimed one by one; each tuple is pushed onto its bucket's chain
// with a compare-and-swap. See hash_table.h.
#include "exec/join/hash_table.h"

#define BUCKETS_MIN       256
#define PARALLEL_ROWS_MIN 50000

typedef struct Linking {
    HashTable *table;
    const TupleChunk **chunks;
    uint32_t chunks_count;
    _Atomic uint32_t next;
} Linking;

static void link_tuple(HashTable *table, Tuple tuple)
{
    BuildTuple *header = build_tuple(tuple);
    _Atomic uint64_t *bucket = &table->buckets[header->hash & table->mask];
    uint64_t old = atomic_load_explicit(bucket, memory_order_relaxed), linked;

    do {
        header->next = (Tuple)(uintptr_t)(old & HASH_ADDRESS_MASK);
        linked =
            (uint64_t)(uintptr_t)tuple | (old & ~HASH_ADDRESS_MASK) | hash_table_tag(header->hash);
    } while (!atomic_compare_exchange_weak_explicit(bucket, &old, linked, memory_order_release,
                                                    memory_order_relaxed));
}

static void link_tuple_alone(HashTable *table, Tuple tuple)
{
    BuildTuple *header = build_tuple(tuple);
    _Atomic uint64_t *bucket = &table->buckets[header->hash & table->mask];
    uint64_t old = atomic_load_explicit(bucket, memory_order_relaxed);

    header->next = (Tuple)(uintptr_t)(old & HASH_ADDRESS_MASK);
    atomic_store_explicit(bucket,
                          (uint64_t)(uintptr_t)tuple | (old & ~HASH_ADDRESS_MASK) |
                              hash_table_tag(header->hash),
                          memory_order_relaxed);
}

static void link_chunk(HashTable *table, const TupleChunk *chunk, bool alone)
{
    Tuple tuple = chunk->tuples;

    for (uint32_t i = 0; i < chunk->count; i++, tuple += table->layout.tuple_bytes) {
        if (alone)
            link_tuple_alone(table, tuple);
        else
            link_tuple(table, tuple);
    }
}

static Status link_some(Worker *worker, void *arg)
{
    Status st = OK;
    Linking *linking = arg;
    uint32_t at;

    while ((at = atomic_fetch_add(&linking->next, 1)) < linking->chunks_count) {
        TRY(ctx_check_cancel(worker->ctx));
        link_chunk(linking->table, linking->chunks[at], false);
    }
done:
    return st;
}

static void list_chunks(Scope *scope, const HashTable *table, Linking *linking)
{
    for (int pass = 0; pass < 2; pass++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < table->buffers_count; i++) {
            const TupleChunk *chunk = table->buffers[i] ? table->buffers[i]->first : NULL;
            for (; chunk; chunk = chunk->next, count++) {
                if (pass == 1)
                    linking->chunks[count] = chunk;
            }
        }
        linking->chunks_count = count;
        if (pass == 0)
            linking->chunks = scope_new_array(scope, const TupleChunk *, count + 1);
    }
}

Status hash_table_link(Query *query, Scope *scope, HashTable *table)
{
    Status st = OK;
    uint64_t buckets = BUCKETS_MIN;
    Linking linking = {.table = table};
    void *memory;

    table->count = table->null_count = 0;
    for (uint32_t i = 0; i < table->buffers_count; i++) {
        table->count += table->buffers[i] ? table->buffers[i]->count : 0;
        table->null_count += table->nulls[i] ? table->nulls[i]->count : 0;
    }
    while (buckets < table->count * 2)
        buckets *= 2;
    if (table->count < BUCKETS_MIN / 8)
        buckets = 32;
    TRY(scope_alloc_data(query->ctx, scope, buckets * sizeof(uint64_t), &memory));
    memset(memory, 0, buckets * sizeof(uint64_t));
    table->buckets = memory;
    table->mask = buckets - 1;
    list_chunks(scope, table, &linking);
    if (query->workers_max > 1 && table->count >= PARALLEL_ROWS_MIN) {
        st = query_parallel(query, query->workers_max, link_some, &linking);
        goto done;
    }
    for (uint32_t i = 0; i < linking.chunks_count; i++)
        link_chunk(table, linking.chunks[i], true);
done:
    return st;
}
