// SPDX-License-Identifier: Apache-2.0
//
// The merge: sources in order of precedence (own writes, generations from the newest to the oldest,
// tier 3), each at its next key. A step takes the source with the least key and emits all of its
// block that lies before every other source's key, without comparing row by row; when several stand
// at one key, the first in precedence that has a visible version decides. One thread a merge.
#include "storage/table_int.h"

/* Versions are touched this far ahead: a miss costs as much as a dozen rows. */
#define PREFETCH_AHEAD 8

typedef struct Source {
    DeltaIter delta;  /* own writes and generations */
    uint32_t at;      /* in delta.block */
    Timestamp ts;     /* the newest version at or below it is seen */
    WosCursor cursor; /* tier 3 */
    bool is_wos;
    bool at_end;
    Str key; /* the next one; undefined at the end */
} Source;

struct TableMerge {
    const Snapshot *snapshot;
    Source *sources;
    uint32_t sources_count;
    TableMergeSpec spec;
    Source *own; /* NULL: no own writes */
    uint64_t own_rollbacks;
    StrBuf next_key; /* beside own writes only: where the next call goes on; empty: the start */
    bool at_end;
    bool has_wos;
    Scope *copies; /* tier 3's rows of the current call */
};

/* Where a call's rows go. */
typedef struct Output {
    Str *keys;
    Str *rows;
    uint32_t max;
    uint32_t count;
} Output;

/* --- sources -------------------------------------------------------------------------------- */

/* <0: a comes before b in the direction of the merge. */
static int compare(const TableMerge *merge, Str a, Str b)
{
    return merge->spec.descending ? str_compare(b, a) : str_compare(a, b);
}

static void refill_delta(Source *source)
{
    source->at = 0;
    source->at_end = delta_iter_next(&source->delta) == 0;
    if (source->at_end)
        return;
    for (uint32_t i = 0; i < MIN(source->delta.count, (uint32_t)PREFETCH_AHEAD); i++)
        __builtin_prefetch(source->delta.block[i]);
    source->key = delta_version_key(source->delta.block[0]);
}

static void set_wos_key(const TableMerge *merge, Source *source)
{
    source->key = source->cursor.key;
    source->at_end = !source->cursor.valid;
    if (source->at_end)
        return;
    if (merge->spec.descending)
        source->at_end = str_compare(source->key, merge->spec.range.low) < 0;
    else if (merge->spec.range.has_high)
        source->at_end = str_compare(source->key, merge->spec.range.high) >= 0;
}

static Status advance(Ctx *ctx, const TableMerge *merge, Source *source, uint32_t steps)
{
    Status st = OK;

    if (source->is_wos) {
        TRY(wos_cursor_next(ctx, &source->cursor));
        set_wos_key(merge, source);
        goto done;
    }
    source->at += steps;
    if (source->at == source->delta.count)
        refill_delta(source);
    else
        source->key = delta_version_key(source->delta.block[source->at]);
done:
    return st;
}

static void close_cursor(void *cursor)
{
    wos_cursor_close(cursor);
}

static Status open_wos(Ctx *ctx, Scope *scope, TableMerge *merge, Source *source)
{
    Status st = OK;
    const KeyRange *range = &merge->spec.range;

    source->is_wos = true;
    TRY(wos_cursor_open(ctx, merge->snapshot->view->wos, merge->spec.relation,
                        merge->snapshot->read_ts, merge->spec.descending, &source->cursor));
    scope_defer(scope, close_cursor, &source->cursor);
    if (merge->spec.descending)
        TRY(wos_cursor_seek(ctx, &source->cursor, range->high, range->has_high));
    else
        TRY(wos_cursor_seek(ctx, &source->cursor, range->low, true));
    set_wos_key(merge, source);
done:
    return st;
}

/* At the start of the range, or at the start again. */
static void open_own(TableMerge *merge)
{
    merge->own_rollbacks = merge->snapshot->own->rollbacks_count;
    delta_iter_open_writes(&merge->own->delta, merge->snapshot->own, merge->spec.relation,
                           merge->spec.range, merge->spec.descending);
}

/* Forgets a source that has nothing. */
static void keep_if_any(TableMerge *merge, const Source *source)
{
    merge->sources_count += !source->at_end;
}

Status table_merge_open(Ctx *ctx, Scope *scope, const Snapshot *snapshot,
                        const TableMergeSpec *spec, TableMerge **out)
{
    Status st = OK;
    const StorageView *view = snapshot->view;
    TableMerge *merge = scope_new(scope, TableMerge);
    Source *source;

    merge->snapshot = snapshot;
    merge->spec = *spec;
    merge->spec.range.low = str_copy(scope, spec->range.low);
    if (spec->range.has_high)
        merge->spec.range.high = str_copy(scope, spec->range.high);
    merge->sources = scope_new_array(scope, Source, view->generations_count + 2);
    if (snapshot->own && writeset_has_relation(snapshot->own, spec->relation)) {
        merge->own = &merge->sources[merge->sources_count++];
        merge->own->ts = snapshot_own_mark(snapshot) - 1;
        strbuf_init_in(&merge->next_key, scope);
        open_own(merge);
        refill_delta(merge->own);
    }
    for (uint32_t i = 0; i < view->generations_count; i++) {
        source = &merge->sources[merge->sources_count];
        delta_iter_open(&source->delta, view->generations[i], spec->relation, merge->spec.range,
                        spec->descending);
        source->ts = snapshot->read_ts;
        refill_delta(source);
        keep_if_any(merge, source);
    }
    if (!view->complete) {
        source = &merge->sources[merge->sources_count];
        TRY(open_wos(ctx, scope, merge, source));
        merge->has_wos = !source->at_end;
        keep_if_any(merge, source);
    }
    if (merge->has_wos)
        merge->copies = scope_open(scope, "merge");
    *out = merge;
done:
    return st;
}

/* --- emitting ------------------------------------------------------------------------------- */

static void emit(Output *out, Str key, Str row)
{
    if (out->keys)
        out->keys[out->count] = key;
    out->rows[out->count++] = row;
}

static void emit_version(Output *out, const DeltaVersion *version)
{
    if (version && !delta_version_is_tombstone(version))
        emit(out, delta_version_key(version), delta_version_row(version));
}

/* Tier 3's bytes live until the cursor moves: they are copied. */
static Status emit_wos(Ctx *ctx, const TableMerge *merge, const Source *source, Output *out)
{
    Status st = OK;
    Str key = source->cursor.key, row = source->cursor.row;
    void *copy;

    TRY(scope_alloc_data(ctx, merge->copies, key.len + row.len, &copy));
    memcpy(copy, key.ptr, key.len);
    if (row.len)
        memcpy((char *)copy + key.len, row.ptr, row.len);
    emit(out, str_make(copy, key.len), str_make((char *)copy + key.len, row.len));
done:
    return st;
}

/* How many entries of the block lie before `bound`: at least the current one. */
static uint32_t run_before(const TableMerge *merge, const Source *source, Str bound)
{
    const DeltaVersion *const *block = source->delta.block;
    uint32_t at = source->at, end = source->delta.count;

    if (compare(merge, delta_version_key(block[end - 1]), bound) < 0)
        return end - at;
    /* The next one mostly decides when sources are interleaved. */
    if (compare(merge, delta_version_key(block[at + 1]), bound) >= 0)
        return 1;
    for (at = at + 1; end - at > 1;) {
        uint32_t middle = (at + end) / 2;
        if (compare(merge, delta_version_key(block[middle]), bound) < 0)
            at = middle;
        else
            end = middle;
    }
    return end - source->at;
}

static Status emit_run(Ctx *ctx, TableMerge *merge, Source *source, uint32_t count, Output *out)
{
    const DeltaVersion *const *block = source->delta.block + source->at;
    uint32_t ahead = source->delta.count - source->at;

    count = MIN(count, out->max - out->count);
    for (uint32_t i = 0; i < count; i++) {
        if (i + PREFETCH_AHEAD < ahead) {
            __builtin_prefetch(block[i + PREFETCH_AHEAD]);
            __builtin_prefetch((const char *)block[i + PREFETCH_AHEAD] + 64);
        }
        emit_version(out, delta_version_at(block[i], source->ts));
    }
    return advance(ctx, merge, source, count);
}

/* Several sources stand at the key of `first`, which comes before them in precedence. */
static Status emit_tie(Ctx *ctx, TableMerge *merge, Source *first, Output *out)
{
    Status st = OK;
    Str key = first->key;
    bool decided = false;

    for (Source *source = first; source < merge->sources + merge->sources_count; source++) {
        if (source->at_end || !str_equal(source->key, key))
            continue;
        if (source->is_wos) {
            if (!decided)
                TRY(emit_wos(ctx, merge, source, out));
        } else if (!decided) {
            const DeltaVersion *version =
                delta_version_at(source->delta.block[source->at], source->ts);
            decided = version != NULL;
            emit_version(out, version);
        }
        /* Delta keys outlive the step, and tier 3, whose do not, comes last. */
        TRY(advance(ctx, merge, source, 1));
    }
done:
    return st;
}

/* --- steps ---------------------------------------------------------------------------------- */

/* The source with the least key, the first in precedence of those; *bound: the least key of the
   others, if there is one. */
static Source *find_least(const TableMerge *merge, Str *bound, bool *has_bound)
{
    Source *least = NULL;

    *has_bound = false;
    for (Source *source = merge->sources; source < merge->sources + merge->sources_count;
         source++) {
        if (source->at_end)
            continue;
        if (least == NULL) {
            least = source;
        } else if (compare(merge, source->key, least->key) < 0) {
            *bound = least->key;
            *has_bound = true;
            least = source;
        } else if (!*has_bound || compare(merge, source->key, *bound) < 0) {
            *bound = source->key;
            *has_bound = true;
        }
    }
    return least;
}

static Status step(Ctx *ctx, TableMerge *merge, Output *out, bool *at_end)
{
    Status st = OK;
    Str bound;
    bool has_bound;
    Source *source = find_least(merge, &bound, &has_bound);

    *at_end = source == NULL;
    if (source == NULL)
        goto done;
    if (has_bound && str_equal(source->key, bound)) {
        TRY(emit_tie(ctx, merge, source, out));
    } else if (source->is_wos) {
        TRY(emit_wos(ctx, merge, source, out));
        TRY(advance(ctx, merge, source, 1));
    } else {
        uint32_t run =
            has_bound ? run_before(merge, source, bound) : source->delta.count - source->at;
        TRY(emit_run(ctx, merge, source, run, out));
    }
done:
    return st;
}

/* Own writes were rolled back since the last call: their block may hold what is gone. */
static void reread_own(TableMerge *merge)
{
    Source *own = merge->own;

    if (own == NULL || merge->own_rollbacks == merge->snapshot->own->rollbacks_count)
        return;
    own->at_end = merge->at_end;
    if (own->at_end)
        return;
    open_own(merge);
    if (merge->next_key.len) {
        /* Descending, a walk begins below a key: the one behind the next serves. */
        if (merge->spec.descending)
            strbuf_append_char(&merge->next_key, 0);
        delta_iter_seek(&own->delta, strbuf_str(&merge->next_key));
    }
    refill_delta(own);
}

static void keep_next_key(TableMerge *merge)
{
    Str bound;
    bool has_bound;

    if (merge->own == NULL)
        return;
    const Source *next = find_least(merge, &bound, &has_bound);
    merge->at_end = next == NULL;
    strbuf_clear(&merge->next_key);
    if (next)
        strbuf_append_str(&merge->next_key, next->key);
}

Status table_merge_next(Ctx *ctx, TableMerge *merge, Str *keys, Str *rows, uint32_t max,
                        uint32_t *count)
{
    Status st = OK;
    Output out = {.keys = keys, .rows = rows, .max = max};
    bool at_end = false;

    TRY(ctx_check_cancel(ctx));
    if (merge->has_wos)
        scope_reset(merge->copies);
    reread_own(merge);
    while (out.count < max && !at_end)
        TRY(step(ctx, merge, &out, &at_end));
    keep_next_key(merge);
    *count = out.count;
done:
    return st;
}
