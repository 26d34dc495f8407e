// SPDX-License-Identifier: Apache-2.0
//
// Merging sorted runs from temporary files: a binary heap of the runs' next rows. What is given out
// lives in one of two scopes that take turns, a batch each; rows still waiting move along.
#include "exec/sorter.h"

typedef struct Run {
    SpillFile *file;
    SortEntry head; /* its key lies in the file's buffer */
} Run;

struct RunMerge {
    const TupleLayout *layout;
    Scope *scopes[2];
    uint32_t current;
    TupleBuffer tuples;
    Run *runs;
    Run **heap;
    uint32_t count;
};

static bool before(const Run *a, const Run *b)
{
    int order = sort_entry_compare(&a->head, &b->head);

    return order ? order < 0 : a < b;
}

static void sift_down(RunMerge *merge, uint32_t at)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child + 1 < merge->count && before(merge->heap[child + 1], merge->heap[child]))
            child++;
        if (child >= merge->count || !before(merge->heap[child], merge->heap[at]))
            return;
        Run *moved = merge->heap[at];
        merge->heap[at] = merge->heap[child];
        merge->heap[child] = moved;
        at = child;
    }
}

static Status read_head(Ctx *ctx, RunMerge *merge, Run *run, bool *found)
{
    Status st = OK;
    Str key;

    TRY(spill_read(ctx, run->file, &merge->tuples, &run->head.tuple, &key, found));
    if (!*found)
        goto done;
    run->head.key = (const uint8_t *)key.ptr;
    run->head.prefix = sort_key_prefix(run->head.key, (uint32_t)key.len);
done:
    return st;
}

static void use_scope(RunMerge *merge, uint32_t which)
{
    merge->current = which;
    scope_reset(merge->scopes[which]);
    tuple_buffer_init(&merge->tuples, merge->scopes[which], merge->layout);
}

Status run_merge_open(Ctx *ctx, Scope *scope, const TupleLayout *layout, SpillFile *const *runs,
                      uint32_t count, RunMerge **out)
{
    Status st = OK;
    RunMerge *merge = scope_new(scope, RunMerge);
    bool found;

    merge->layout = layout;
    merge->scopes[0] = scope_open(scope, "merge");
    merge->scopes[1] = scope_open(scope, "merge");
    merge->runs = scope_new_array(scope, Run, count + 1);
    merge->heap = scope_new_array(scope, Run *, count + 1);
    use_scope(merge, 0);
    for (uint32_t i = 0; i < count; i++) {
        merge->runs[i].file = runs[i];
        TRY(spill_rewind(ctx, runs[i]));
        TRY(read_head(ctx, merge, &merge->runs[i], &found));
        if (found)
            merge->heap[merge->count++] = &merge->runs[i];
    }
    for (uint32_t i = merge->count; i > 0; i--)
        sift_down(merge, i - 1);
    *out = merge;
done:
    return st;
}

Status run_merge_next(Ctx *ctx, RunMerge *merge, Tuple *tuples, uint32_t max, uint32_t *count)
{
    Status st = OK;
    bool found;

    *count = 0;
    use_scope(merge, !merge->current);
    for (uint32_t i = 0; i < merge->count; i++) {
        Tuple moved = merge->heap[i]->head.tuple;
        TRY(tuple_buffer_copy(ctx, &merge->tuples, moved, &merge->heap[i]->head.tuple));
    }
    while (*count < max && merge->count) {
        Run *run = merge->heap[0];
        tuples[(*count)++] = run->head.tuple;
        TRY(read_head(ctx, merge, run, &found));
        if (!found)
            merge->heap[0] = merge->heap[--merge->count];
        sift_down(merge, 0);
    }
done:
    return st;
}
