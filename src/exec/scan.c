// SPDX-License-Identifier: Apache-2.0
//
// Scans of tables. Three forms: at most one row by its key (the point path: no cursor, no
// machinery); key ranges, each morsel a table scan; and an index, whose entries give row keys that
// are then fetched many at a time. Filters are evaluated here, on the scan's own batch (but see
// scan_late.c). The ranges of a large table are cut so that workers can share them; their order is
// kept.
#include "exec/scan.h"

#include "exec/scan_bounds.h"

#define MORSELS_PER_WORKER 16
/* Smaller tables are read by one thread. */
#define SPLIT_ROWS_MIN     8192
#define INDEX_ENTRIES      512

typedef struct ScanState {
    Filter *filter;
    Scope *scope; /* of the morsel's cursor */
    TableScan *scan;
    RawScan *entries;
    RowCodec *codec;
    Str *keys, *values;
    bool *found;
} ScanState;

// --- codecs and key columns ---------------------------------------------------------------------

static const KeyColumn hidden_key = {.type = {OID_INT8, -1}};

KeyColumn *scan_index_columns(Scope *scope, const Index *index)
{
    KeyColumn *columns = scope_new_array(scope, KeyColumn, index->columns_count);

    for (uint32_t i = 0; i < index->columns_count; i++)
        columns[i] = index->columns[i].key;
    return columns;
}

BoundsSpec scan_bounds_spec(Scope *scope, const ScanPlan *scan, const Visible *visible)
{
    BoundsSpec spec = {.bounds = &scan->bounds, .visible = visible};

    if (scan->method == SCAN_INDEX && !scan->index->clustered) {
        spec.columns = scan_index_columns(scope, scan->index);
        spec.columns_count = scan->index->columns_count;
    } else if (scan->table->key_columns_count) {
        spec.columns = scan->table->key_columns;
        spec.columns_count = scan->table->key_columns_count;
    } else {
        spec.columns = &hidden_key;
        spec.columns_count = 1;
    }
    return spec;
}

bool scan_uses_index(const ScanPlan *scan)
{
    return scan->method == SCAN_INDEX && !scan->index->clustered;
}

void scan_add_key_column(Scope *scope, const Str *keys, const bool *found, uint32_t count,
                         Batch *batch)
{
    Vector *columns = scope_new_array(scope, Vector, batch->columns_count + 1);
    StrView *views = scope_new_array(scope, StrView, batch->rows_count + 1);
    uint32_t row = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (found == NULL || found[i])
            views[row++] = strview_make(keys[i].ptr, keys[i].len);
    }
    ASSERT(row == batch->rows_count);
    if (batch->columns_count)
        memcpy(columns, batch->columns, batch->columns_count * sizeof *columns);
    columns[batch->columns_count] = (Vector){
        .type = sql_type(OID_BYTEA), .phys = PHYS_STRING, .form = VECTOR_FLAT, .values = views};
    batch->columns = columns;
    batch->columns_count++;
}

Status scan_filter_new(Worker *worker, const Plan *plan, Filter **out)
{
    const ExprList *filters = &plan->scan.filters;
    Visible visible = visible_of(plan);

    if (filters->count == 0)
        return OK;
    return filter_new(worker, filters->data, filters->count, &visible, out);
}

static Status state_new(Worker *worker, const ScanSource *self, ScanState **out)
{
    Status st = OK;
    ScanState *state = scope_new(worker->scope, ScanState);

    TRY(scan_filter_new(worker, self->plan, &state->filter));
    *out = state;
done:
    return st;
}

static Status filter_batch(Worker *worker, ScanState *state, Batch *batch)
{
    if (state->filter == NULL || batch->rows_count == 0)
        return OK;
    return filter_run(worker, state->filter, batch, batch, NULL);
}

// --- the point path -----------------------------------------------------------------------------

static Status point_prepare(Query *query, Source *source, uint32_t *morsels)
{
    Status st = OK;
    ScanSource *self = (ScanSource *)source;
    Batch one = {.rows_count = 1};
    BoundsRange range = {0};
    Bounds *bounds;

    BoundsSpec spec = scan_bounds_spec(query->scope, &self->plan->scan, NULL);
    TRY(bounds_new(query->caller, &spec, &bounds));
    TRY(bounds_eval(query->caller, bounds, &one));
    bounds_range(bounds, 0, 0, &range);
    *morsels = !range.empty;
    self->point_key = str_copy(query->scope, strbuf_str(&range.low));
done:
    bounds_range_free(&range);
    return st;
}

static Status point_begin(Worker *worker, Source *source, uint32_t morsel UNUSED, void **state)
{
    return *state ? OK : state_new(worker, (ScanSource *)source, (ScanState **)state);
}

static Status point_next(Worker *worker, Source *source, void *arg, Batch *out)
{
    Status st = OK;
    ScanSource *self = (ScanSource *)source;
    const ScanPlan *scan = &self->plan->scan;
    const Table *table = scan->table;
    const Snapshot *snapshot = worker->query->env->snapshot;
    ScanState *state = arg;
    Str key = self->point_key, row;
    bool found = true;

    out->rows_count = 0;
    if (scan_uses_index(scan))
        TRY(table_get(worker->ctx, worker->scope, snapshot, scan->index->relation_id, key, &key,
                      &found));
    if (found)
        TRY(table_get(worker->ctx, worker->scope, snapshot, table->relation_id, key, &row, &found));
    if (!found)
        goto done;
    RowCodec *codec =
        row_codec_new(worker->scope, &table->relation, scan->column_at, self->columns_count);
    TRY(row_decode(worker->ctx, worker->scope, codec, &row, 1, out));
    if (scan->with_key)
        scan_add_key_column(worker->scope, &key, NULL, 1, out);
    TRY(filter_batch(worker, state, out));
done:
    return st;
}

static const SourceOps point_ops = {
    .name = "point", .prepare = point_prepare, .begin = point_begin, .next = point_next};

// --- ranges -------------------------------------------------------------------------------------

static Status base_ranges(Query *query, ScanSource *self)
{
    Status st = OK;
    const ScanPlan *scan = &self->plan->scan;
    Bounds *bounds;

    if (scan->method == SCAN_FULL || scan->method == SCAN_METHOD_NONE) {
        self->ranges = scope_new(query->scope, KeyRange);
        self->ranges_count = 1;
        goto done;
    }
    BoundsSpec spec = scan_bounds_spec(query->scope, scan, NULL);
    TRY(bounds_new(query->caller, &spec, &bounds));
    TRY(bounds_all_ranges(query->caller, bounds, &self->ranges, &self->ranges_count));
done:
    return st;
}

Status scan_prepare_ranges(Query *query, Source *source, uint32_t *morsels)
{
    Status st = OK;
    ScanSource *self = (ScanSource *)source;
    const ScanPlan *scan = &self->plan->scan;
    double rows = scan->table->rows_estimate;

    TRY(base_ranges(query, self));
    if (query->workers_max > 1 && self->ranges_count == 1 && !scan_uses_index(scan) &&
        (rows < 0 || rows >= SPLIT_ROWS_MIN))
        TRY(table_split(query->ctx, query->scope, query->env->snapshot, &scan->table->relation,
                        self->ranges[0], query->workers_max * MORSELS_PER_WORKER, &self->ranges,
                        &self->ranges_count));
    *morsels = self->ranges_count;
done:
    return st;
}

static Status range_begin(Worker *worker, Source *source, uint32_t morsel, void **arg)
{
    Status st = OK;
    ScanSource *self = (ScanSource *)source;
    const ScanPlan *scan = &self->plan->scan;
    ScanState *state = *arg;

    if (state == NULL) {
        TRY(state_new(worker, self, &state));
        state->scope = scope_open(worker->scope, "scan");
        *arg = state;
    }
    scope_reset(state->scope);
    ScanSpec spec = {.relation = &scan->table->relation,
                     .columns = scan->column_at,
                     .columns_count = self->columns_count,
                     .range = scan_range(self, morsel),
                     .with_key = scan->with_key,
                     .descending = scan->descending};
    TRY(table_scan_open(worker->ctx, state->scope, worker->query->env->snapshot, &spec,
                        &state->scan));
done:
    return st;
}

static Status range_next(Worker *worker, Source *source UNUSED, void *arg, Batch *out)
{
    Status st = OK;
    ScanState *state = arg;

    for (;;) {
        TRY(table_scan_next(worker->ctx, state->scan, out));
        if (out->rows_count == 0)
            break;
        TRY(filter_batch(worker, state, out));
        if (out->rows_count)
            break;
        TRY(ctx_check_cancel(worker->ctx));
        scope_reset(worker->batch);
    }
done:
    return st;
}

static const SourceOps range_ops = {
    .name = "scan", .prepare = scan_prepare_ranges, .begin = range_begin, .next = range_next};

// --- index entries ------------------------------------------------------------------------------

static Status index_begin(Worker *worker, Source *source, uint32_t morsel, void **arg)
{
    Status st = OK;
    ScanSource *self = (ScanSource *)source;
    const ScanPlan *scan = &self->plan->scan;
    ScanState *state = *arg;

    if (state == NULL) {
        TRY(state_new(worker, self, &state));
        state->scope = scope_open(worker->scope, "index scan");
        state->codec = row_codec_new(worker->scope, &scan->table->relation, scan->column_at,
                                     self->columns_count);
        state->keys = scope_new_array(worker->scope, Str, INDEX_ENTRIES);
        state->values = scope_new_array(worker->scope, Str, INDEX_ENTRIES);
        state->found = scope_alloc(worker->scope, INDEX_ENTRIES * sizeof(bool));
        *arg = state;
    }
    scope_reset(state->scope);
    TRY(table_raw_scan_open(worker->ctx, state->scope, worker->query->env->snapshot,
                            scan->index->relation_id, scan_range(self, morsel), scan->descending,
                            &state->entries));
done:
    return st;
}

static Status index_next(Worker *worker, Source *source, void *arg, Batch *out)
{
    Status st = OK;
    ScanSource *self = (ScanSource *)source;
    const ScanPlan *scan = &self->plan->scan;
    ScanState *state = arg;
    uint32_t count;

    out->rows_count = 0;
    while (out->rows_count == 0) {
        TRY(ctx_check_cancel(worker->ctx));
        scope_reset(worker->batch);
        TRY(table_raw_scan_next(worker->ctx, state->entries, state->keys, state->values,
                                INDEX_ENTRIES, &count));
        if (count == 0)
            break;
        TRY(table_get_many(worker->ctx, worker->batch, worker->query->env->snapshot,
                           &scan->table->relation, state->codec, state->values, count, state->found,
                           out));
        if (scan->with_key)
            scan_add_key_column(worker->batch, state->values, state->found, count, out);
        TRY(filter_batch(worker, state, out));
    }
done:
    return st;
}

static const SourceOps index_ops = {
    .name = "index scan", .prepare = scan_prepare_ranges, .begin = index_begin, .next = index_next};

// --- building -----------------------------------------------------------------------------------

Status build_scan(Query *query, const Plan *plan, Stage *to)
{
    const ScanPlan *scan = &plan->scan;
    ScanSource *self = scope_new(query->scope, ScanSource);

    self->plan = plan;
    self->columns_count = plan->columns_count - scan->with_key;
    bool late = scan_split_columns(query, self);
    self->source.ops = scan_uses_index(scan) ? &index_ops : late ? &scan_late_ops : &range_ops;
    if (scan->unique_match && scan->bounds.in_count == 0 && scan->method != SCAN_FULL) {
        self->source.ops = &point_ops;
        self->source.single_batch = true;
    }
    pipeline_add(query, &self->source, to);
    return OK;
}
