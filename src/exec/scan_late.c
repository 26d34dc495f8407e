// SPDX-License-Identifier: Apache-2.0
//
// Range scans with filters, their own and those of joins above (join_filter.h): the columns that
// the filters read are decoded first, the others only for the rows that pass. Rows stay bytes in
// between.
#include "exec/join/join_filter.h"
#include "exec/scan.h"

#define FIRST_ROWS 64
#define ROWS_GROW  8

typedef struct LateState {
    Filter *filter;
    Scope *scope; /* of the morsel's cursor */
    RawScan *scan;
    RowCodec *early, *later;
    RowBuffer *early_rows, *later_rows;
    uint32_t rows_max; /* of the buffers */
    Str *keys, *rows;
    Vector *early_columns, *columns;
    JoinFilterState *joins;
    uint32_t joins_count;
} LateState;

static Status late_begin(Worker *worker, Source *source, uint32_t morsel, void **arg)
{
    Status st = OK;
    ScanSource *self = (ScanSource *)source;
    const ScanPlan *scan = &self->plan->scan;
    const Relation *relation = &scan->table->relation;
    Scope *scope = worker->scope;
    LateState *state = *arg;

    if (state == NULL) {
        *arg = state = scope_new(scope, LateState);
        TRY(scan_filter_new(worker, self->plan, &state->filter));
        state->scope = scope_open(scope, "scan");
        state->early = row_codec_new(scope, relation, self->early_at, self->early_count);
        state->later = row_codec_new(scope, relation, self->later_at, self->late_count);
        state->early_columns = scope_new_array(scope, Vector, self->plan->columns_count + 1);
        state->columns = scope_new_array(scope, Vector, self->plan->columns_count + 1);
        state->joins = join_filters_of(worker, self->plan, &state->joins_count);
    }
    scope_reset(state->scope);
    TRY(table_raw_scan_open(worker->ctx, state->scope, worker->query->env->snapshot, relation->id,
                            scan_range(self, morsel), scan->descending, &state->scan));
done:
    return st;
}

/* The first batches are small: a scan of a few rows does not pay for thousands. */
static void grow(Worker *worker, LateState *state)
{
    uint32_t rows =
        state->rows_max ? MIN(state->rows_max * ROWS_GROW, (uint32_t)BATCH_ROWS_MAX) : FIRST_ROWS;

    state->rows_max = rows;
    state->keys = scope_new_array(worker->scope, Str, rows);
    state->rows = scope_new_array(worker->scope, Str, rows);
    state->early_rows = row_buffer_new(worker->scope, state->early, rows, 0);
    state->later_rows = row_buffer_new(worker->scope, state->later, rows, 0);
}

/* Adds the columns that filters do not read, of the rows that passed. */
static Status complete(Worker *worker, const ScanSource *self, LateState *state,
                       const uint32_t *kept, Batch *out)
{
    Status st = OK;
    Batch later;

    for (uint32_t i = 0; kept && i < out->rows_count; i++) {
        state->rows[i] = state->rows[kept[i]];
        state->keys[i] = state->keys[kept[i]];
    }
    TRY(row_decode_into(worker->ctx, state->later, state->rows, out->rows_count, state->later_rows,
                        &later));
    memcpy(state->columns, out->columns, self->columns_count * sizeof(Vector));
    for (uint32_t i = 0; i < self->late_count; i++)
        state->columns[self->later[i]] = later.columns[i];
    out->columns = state->columns;
    if (self->plan->scan.with_key)
        scan_add_key_column(worker->batch, state->keys, NULL, out->rows_count, out);
done:
    return st;
}

/* Drops rows that have no match in a join above; *kept: numbers in the batch as it was read. */
static void apply_joins(Worker *worker, LateState *state, Batch *out, const uint32_t **kept)
{
    for (uint32_t i = 0; i < state->joins_count && out->rows_count; i++) {
        uint32_t *rows = scope_new_array(worker->batch, uint32_t, out->rows_count), count;
        Batch all = *out;
        if (!join_filter_select(&state->joins[i], out, rows, &count))
            continue;
        batch_slice(out, worker->batch, &all, rows, count);
        for (uint32_t row = 0; *kept && row < count; row++)
            rows[row] = (*kept)[rows[row]];
        *kept = rows;
    }
}

static Status late_next(Worker *worker, Source *source, void *arg, Batch *out)
{
    Status st = OK;
    ScanSource *self = (ScanSource *)source;
    LateState *state = arg;
    const uint32_t *kept;
    uint32_t count;
    Batch early;

    out->rows_count = 0;
    while (out->rows_count == 0) {
        TRY(ctx_check_cancel(worker->ctx));
        scope_reset(worker->batch);
        if (state->rows_max < BATCH_ROWS_MAX)
            grow(worker, state);
        TRY(table_raw_scan_next(worker->ctx, state->scan, state->keys, state->rows, state->rows_max,
                                &count));
        if (count == 0)
            break;
        TRY(row_decode_into(worker->ctx, state->early, state->rows, count, state->early_rows,
                            &early));
        for (uint32_t i = 0; i < self->early_count; i++)
            state->early_columns[self->early[i]] = early.columns[i];
        *out = (Batch){count, self->columns_count, state->early_columns};
        kept = NULL;
        if (state->filter)
            TRY(filter_run(worker, state->filter, out, out, &kept));
        apply_joins(worker, state, out, &kept);
        if (out->rows_count)
            TRY(complete(worker, self, state, kept, out));
    }
done:
    return st;
}

const SourceOps scan_late_ops = {
    .name = "late scan", .prepare = scan_prepare_ranges, .begin = late_begin, .next = late_next};

typedef struct SlotSearch {
    bool *used;
    bool subquery;
} SlotSearch;

static bool note_slot(void *arg, Expr *expr)
{
    SlotSearch *search = arg;

    if (expr->kind == EXPR_COLUMN && expr->column.slot >= 0)
        search->used[expr->column.slot] = true;
    search->subquery |= expr->kind == EXPR_SUBQUERY;
    return true;
}

bool scan_split_columns(Query *query, ScanSource *self)
{
    const ScanPlan *scan = &self->plan->scan;
    uint32_t room = self->plan->columns_count + 1;
    SlotSearch search = {.used = scope_alloc(query->scope, room)};
    bool joins = false;

    for (const JoinFilter *filter = query->join_filters; filter; filter = filter->next) {
        for (uint32_t i = 0; filter->scan == self->plan && i < filter->keys_count; i++)
            search.used[filter->slots[i]] = joins = true;
    }
    if (scan->filters.count == 0 && !joins)
        return false;
    for (uint32_t i = 0; i < scan->filters.count; i++)
        expr_walk(scan->filters.data[i], note_slot, &search);
    /* A subquery may read any column; the key is added last. */
    if (search.subquery || search.used[self->columns_count])
        return false;
    self->early = scope_new_array(query->scope, uint32_t, 4 * (size_t)room);
    self->later = self->early + room;
    self->early_at = self->later + room;
    self->later_at = self->early_at + room;
    for (uint32_t i = 0; i < self->columns_count; i++) {
        if (search.used[i]) {
            self->early_at[self->early_count] = scan->column_at[i];
            self->early[self->early_count++] = i;
        } else {
            self->later_at[self->late_count] = scan->column_at[i];
            self->later[self->late_count++] = i;
        }
    }
    return self->late_count > 0;
}
