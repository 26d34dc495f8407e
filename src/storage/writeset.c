// SPDX-License-Identifier: Apache-2.0
//
// A write set is a delta store of its own: the same tree, with numbers of writes in the place of
// commit timestamps, so that "as of a savepoint" is a read at a number. Rolling back walks the runs
// of writes after the mark, makes the version before it the head of each key's chain again, and
// rewinds the memory. Walking and coding are in writeset_iter.c and writeset_code.c.
#include "storage/writeset_int.h"

#include "base/memory.h"

#define FIRST_BLOCK_BYTES ((size_t)4096)
#define RUN_WRITES_MAX    1024

WriteSet *writeset_new(void)
{
    WriteSet *set = mem_alloc_zero(sizeof *set);

    set->map = (DeltaMap){set->buckets, WRITESET_BUCKETS};
    set->next_number = 1;
    delta_arena_init(&set->rows, FIRST_BLOCK_BYTES, true);
    delta_arena_init(&set->nodes, FIRST_BLOCK_BYTES, false);
    return set;
}

void writeset_free(WriteSet *set)
{
    if (set == NULL)
        return;
    delta_arena_free(&set->rows);
    delta_arena_free(&set->nodes);
    mem_free(set->runs);
    mem_free(set);
}

void writeset_clear(WriteSet *set)
{
    delta_arena_reset(&set->rows);
    delta_arena_reset(&set->nodes);
    for (uint32_t i = 0; i < WRITESET_BUCKETS; i++)
        atomic_store_explicit(&set->buckets[i], NULL, memory_order_relaxed);
    if (set->runs_cap > RUN_WRITES_MAX) {
        mem_free(set->runs);
        set->runs = NULL;
        set->runs_cap = 0;
    }
    set->runs_count = 0;
    set->rows_end = NULL;
    set->rollbacks_count++;
    set->keys_count = 0;
    set->live_bytes = 0;
    set->encoded_bytes = 0;
}

void writeset_set_budget(WriteSet *set, size_t bytes_max)
{
    set->bytes_max = bytes_max;
}

bool writeset_is_empty(const WriteSet *set)
{
    return set->keys_count == 0;
}

bool writeset_has_relation(const WriteSet *set, RelationId relation)
{
    const DeltaRelation *found = delta_map_get(&set->map, relation);

    return found && atomic_load_explicit(&found->keys_count, memory_order_relaxed) > 0;
}

size_t writeset_bytes(const WriteSet *set)
{
    return delta_arena_bytes(&set->rows) + delta_arena_bytes(&set->nodes) +
           set->runs_cap * sizeof *set->runs;
}

uint64_t writeset_rows(const WriteSet *set)
{
    return set->keys_count;
}

/* --- counting ------------------------------------------------------------------------------- */

/* `sign` 1: the version becomes what its key is now, -1: it is no longer. */
static void count_version(WriteSet *set, DeltaRelation *relation, const DeltaVersion *version,
                          int sign)
{
    uint64_t key_len = delta_version_key(version).len;
    uint64_t bytes = delta_version_bytes(key_len, version->row_len);
    uint64_t coded = writeset_entry_bytes(version);

    set->live_bytes += (uint64_t)sign * bytes;
    set->encoded_bytes += (uint64_t)sign * coded;
    atomic_fetch_add_explicit(&relation->bytes, (uint64_t)sign * bytes, memory_order_relaxed);
}

static void count_keys(WriteSet *set, DeltaRelation *relation, int sign)
{
    set->keys_count += (uint64_t)sign;
    atomic_fetch_add_explicit(&relation->keys_count, (uint64_t)sign, memory_order_relaxed);
}

/* --- runs ----------------------------------------------------------------------------------- */

const WriteRun *writeset_run(const WriteSet *set, WriteMark number)
{
    uint32_t at = 0, end = set->runs_count;

    while (end - at > 1) {
        uint32_t middle = (at + end) / 2;
        if (set->runs[middle].first <= number)
            at = middle;
        else
            end = middle;
    }
    ASSERT(at < end && number - set->runs[at].first < set->runs[at].count);
    return &set->runs[at];
}

static const DeltaVersion *version_after(const DeltaVersion *version)
{
    size_t bytes = delta_version_bytes(delta_version_key(version).len, version->row_len);

    return (const DeltaVersion *)((const char *)version + bytes);
}

static void add_to_run(WriteSet *set, DeltaRelation *relation, DeltaVersion *version,
                       Timestamp seen_ts)
{
    WriteRun *last = set->runs_count ? &set->runs[set->runs_count - 1] : NULL;

    if (last && (const char *)version == set->rows_end && last->relation == relation &&
        last->seen_ts == seen_ts && last->count < RUN_WRITES_MAX &&
        last->first + last->count == version->commit_ts) {
        last->count++;
    } else {
        if (set->runs_count == set->runs_cap) {
            set->runs_cap = set->runs_cap ? set->runs_cap * 2 : 8;
            set->runs = mem_realloc(set->runs, set->runs_cap * sizeof *set->runs);
        }
        set->runs[set->runs_count++] =
            (WriteRun){version->commit_ts, 1, relation, seen_ts, version};
    }
    set->rows_end = (const char *)version_after(version);
}

/* --- writing -------------------------------------------------------------------------------- */

static Status write(Ctx *ctx, WriteSet *set, RelationId id, const GenerationWrite *write)
{
    Status st = OK;
    Timestamp seen_ts = write->commit_ts;
    size_t bytes = delta_version_bytes(write->key.len, write->row.len);

    if (write->key.len > WRITE_KEY_LEN_MAX)
        FAIL(ctx, E_PROGRAM_LIMIT_EXCEEDED, "index row size %zu exceeds maximum %zu",
             write->key.len, WRITE_KEY_LEN_MAX);
    if (write->row.len > WRITE_ROW_LEN_MAX)
        FAIL(ctx, E_PROGRAM_LIMIT_EXCEEDED, "row is too big: size %zu, maximum size %zu",
             write->row.len, WRITE_ROW_LEN_MAX);
    if (set->bytes_max && writeset_bytes(set) + bytes > set->bytes_max) {
        st = error_raise(ctx, E_OUT_OF_MEMORY, "out of memory");
        error_detail(ctx, "The transaction's writes may use %zu bytes.", set->bytes_max);
        goto done;
    }
    DeltaRelation *relation = delta_map_make(&set->map, &set->nodes, id);
    DeltaVersion *version = delta_arena_alloc(&set->rows, bytes);
    delta_version_init(version, write->key, write->row, write->tombstone);
    version->commit_ts = set->next_number++;
    delta_tree_insert(&relation->tree, &set->nodes, version, &relation->hint);
    const DeltaVersion *older = delta_version_next(version);
    if (older) {
        seen_ts = MIN(seen_ts, writeset_run(set, older->commit_ts)->seen_ts);
        count_version(set, relation, older, -1);
    } else {
        count_keys(set, relation, 1);
    }
    count_version(set, relation, version, 1);
    add_to_run(set, relation, version, seen_ts);
done:
    return st;
}

Status writeset_put(Ctx *ctx, WriteSet *set, RelationId relation, Str key, Str row,
                    Timestamp seen_ts)
{
    return write(ctx, set, relation, &(GenerationWrite){key, row, false, seen_ts});
}

Status writeset_delete(Ctx *ctx, WriteSet *set, RelationId relation, Str key, Timestamp seen_ts)
{
    return write(ctx, set, relation, &(GenerationWrite){key, {NULL, 0}, true, seen_ts});
}

/* --- reading -------------------------------------------------------------------------------- */

WriteFound writeset_get_at(const WriteSet *set, RelationId relation, Str key, WriteMark mark,
                           Str *row)
{
    const DeltaRelation *found = delta_map_get(&set->map, relation);
    const DeltaVersion *version = found ? delta_tree_get(&found->tree, key) : NULL;

    version = delta_version_at(version, mark - 1);
    if (version == NULL)
        return WRITE_ABSENT;
    if (delta_version_is_tombstone(version))
        return WRITE_TOMBSTONE;
    *row = delta_version_row(version);
    return WRITE_ROW;
}

WriteFound writeset_get(const WriteSet *set, RelationId relation, Str key, Str *row)
{
    return writeset_get_at(set, relation, key, UINT64_MAX, row);
}

void delta_iter_open_writes(DeltaIter *iter, const WriteSet *set, RelationId relation,
                            KeyRange range, bool descending)
{
    const DeltaRelation *found = delta_map_get(&set->map, relation);

    delta_tree_iter_open(iter, found ? &found->tree : NULL, range, descending);
}

/* --- savepoints ----------------------------------------------------------------------------- */

WriteMark writeset_mark(const WriteSet *set)
{
    return set->next_number;
}

/* Gives the key of an undone version back what it was before the mark. */
static void undo_version(WriteSet *set, DeltaRelation *relation, const DeltaVersion *version,
                         WriteMark mark)
{
    Str key = delta_version_key(version);
    const DeltaVersion *head = delta_tree_get(&relation->tree, key);

    if (head == NULL || head->commit_ts < mark)
        return;
    const DeltaVersion *before = delta_version_at(head, mark - 1);
    count_version(set, relation, head, -1);
    if (before)
        count_version(set, relation, before, 1);
    else
        count_keys(set, relation, -1);
    delta_tree_truncate(&relation->tree, key, before);
}

/* Undoes the writes of a run at and after the mark; returns the first of them. */
static const DeltaVersion *undo_run(WriteSet *set, const WriteRun *run, WriteMark mark)
{
    const DeltaVersion *version = run->start, *first = NULL;

    for (uint64_t i = 0; i < run->count; i++, version = version_after(version)) {
        if (version->commit_ts < mark)
            continue;
        if (first == NULL)
            first = version;
        undo_version(set, run->relation, version, mark);
    }
    return first;
}

void writeset_rollback(WriteSet *set, WriteMark mark)
{
    const DeltaVersion *first = NULL;

    ASSERT(mark > 0 && mark <= set->next_number);
    for (uint32_t i = set->runs_count; i > 0; i--) {
        WriteRun *run = &set->runs[i - 1];
        if (run->first + run->count <= mark)
            break;
        first = undo_run(set, run, mark);
        if (run->first < mark) {
            run->count = mark - run->first;
            break;
        }
        set->runs_count--;
    }
    if (first == NULL)
        return;
    delta_arena_rewind(&set->rows, first);
    set->rows_end = (const char *)first;
    set->rollbacks_count++;
}

void writeset_drop_relation(WriteSet *set, RelationId relation)
{
    DeltaRelation *found = delta_map_get(&set->map, relation);
    DeltaIter iter;

    if (found == NULL)
        return;
    delta_tree_iter_open(&iter, &found->tree, (KeyRange){0}, false);
    while (delta_iter_next(&iter)) {
        for (uint32_t i = 0; i < iter.count; i++) {
            count_version(set, found, iter.block[i], -1);
            count_keys(set, found, -1);
        }
    }
    /* The writes stay where they are in the runs; undoing one finds its key gone. */
    atomic_store_explicit(&found->tree.root, NULL, memory_order_relaxed);
    found->hint = NULL;
    set->rollbacks_count++;
}
