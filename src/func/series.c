// SPDX-License-Identifier: Apache-2.0
//
// Set-returning functions that count: generate_series, generate_subscripts, unnest. Each keeps its
// next value in call->state. See SetFunc in func.h.
#include "func/elements.h"
#include "func/func_int.h"
#include "types/datetime.h"

typedef struct Series {
    int64_t next;
    int64_t last;
    int64_t step;
    Numeric next_numeric;
    Interval interval;
    bool ended;
} Series;

/* The series of this call, and whether it is new. */
static Series *series_of(FuncCall *call, bool *fresh)
{
    *fresh = call->state == NULL;
    if (*fresh)
        call->state = scope_new(call->state_scope, Series);
    return call->state;
}

static Status zero_step(Ctx *ctx)
{
    return error_raise(ctx, E_INVALID_PARAMETER_VALUE, "step size cannot equal zero");
}

/* --- integers --- */

static Status start_integers(FuncCall *call, Series *series, int64_t first, int64_t last,
                             int64_t step)
{
    *series = (Series){.next = first, .last = last, .step = step};
    series->ended = step > 0 ? first > last : first < last;
    return step == 0 ? zero_step(call->ctx) : OK;
}

/* Moves on; the end is also where the next value does not fit. */
static void advance(Series *series)
{
    if (__builtin_add_overflow(series->next, series->step, &series->next))
        series->ended = true;
    else
        series->ended =
            series->step > 0 ? series->next > series->last : series->next < series->last;
}

#define INTEGER_ROWS(T)                                                             \
    for (; out->rows_count < BATCH_ROWS_MAX && !series->ended; out->rows_count++) { \
        vector_flat(&out->columns[0], T)[out->rows_count] = (T)series->next;        \
        advance(series);                                                            \
    }                                                                               \
    *done = series->ended

Status set_series_int4(FuncCall *call, const Datum *args, uint32_t args_count, Batch *out,
                       bool *done)
{
    Status st = OK;
    bool fresh;
    Series *series = series_of(call, &fresh);

    if (fresh)
        TRY(start_integers(call, series, args[0].int32, args[1].int32,
                           args_count > 2 ? args[2].int32 : 1));
    INTEGER_ROWS(int32_t);
done:
    return st;
}

Status set_series_int8(FuncCall *call, const Datum *args, uint32_t args_count, Batch *out,
                       bool *done)
{
    Status st = OK;
    bool fresh;
    Series *series = series_of(call, &fresh);

    if (fresh)
        TRY(start_integers(call, series, args[0].int64, args[1].int64,
                           args_count > 2 ? args[2].int64 : 1));
    INTEGER_ROWS(int64_t);
done:
    return st;
}

/* --- numerics --- */

static Status check_numeric(Ctx *ctx, const Numeric *value, const char *what)
{
    if (!numeric_is_special(value))
        return OK;
    return error_raise(ctx, E_INVALID_PARAMETER_VALUE, "%s cannot be %s", what,
                       value->kind == NUMERIC_NAN ? "NaN" : "infinity");
}

static Status start_numerics(FuncCall *call, Series *series, const Datum *args, const Numeric *step)
{
    Status st = OK;
    Numeric zero = {0};

    TRY(check_numeric(call->ctx, &args[0].numeric, "start value"));
    TRY(check_numeric(call->ctx, &args[1].numeric, "stop value"));
    TRY(check_numeric(call->ctx, step, "step size"));
    if (numeric_compare(step, &zero) == 0)
        TRY(zero_step(call->ctx));
    series->next_numeric = args[0].numeric;
done:
    return st;
}

Status set_series_numeric(FuncCall *call, const Datum *args, uint32_t args_count, Batch *out,
                          bool *done)
{
    Status st = OK;
    bool fresh;
    Series *series = series_of(call, &fresh);
    Numeric zero = {0};
    Numeric step = args_count > 2 ? args[2].numeric : numeric_from_int64(1);
    Numeric *values = out->columns[0].values;

    if (fresh)
        TRY(start_numerics(call, series, args, &step));
    bool up = numeric_compare(&step, &zero) > 0;
    while (out->rows_count < BATCH_ROWS_MAX && !series->ended) {
        int order = numeric_compare(&series->next_numeric, &args[1].numeric);
        series->ended = up ? order > 0 : order < 0;
        if (series->ended)
            break;
        values[out->rows_count++] = series->next_numeric;
        TRY(numeric_add(call->ctx, &series->next_numeric, &step, &series->next_numeric));
    }
    *done = series->ended;
done:
    return st;
}

/* --- timestamps --- */

static Status series_moments(FuncCall *call, const Datum *args, Batch *out, bool *done,
                             bool instants)
{
    Status st = OK;
    bool fresh;
    Series *series = series_of(call, &fresh);
    Interval step = args[2].interval;
    int128_t sign = interval_sort_value(step);
    const TimeZone *zone = call->io ? call->io->zone : NULL;

    if (fresh) {
        series->next = args[0].int64;
        if (sign == 0)
            TRY(zero_step(call->ctx));
    }
    while (out->rows_count < BATCH_ROWS_MAX && !series->ended) {
        series->ended = sign > 0 ? series->next > args[1].int64 : series->next < args[1].int64;
        if (series->ended)
            break;
        vector_flat(&out->columns[0], int64_t)[out->rows_count++] = series->next;
        if (instants)
            TRY(timestamptz_add(call->ctx, series->next, step, zone, &series->next));
        else
            TRY(timestamp_add(call->ctx, series->next, step, &series->next));
    }
    *done = series->ended;
done:
    return st;
}

Status set_series_timestamp(FuncCall *call, const Datum *args, UNUSED uint32_t args_count,
                            Batch *out, bool *done)
{
    return series_moments(call, args, out, done, false);
}

Status set_series_timestamptz(FuncCall *call, const Datum *args, UNUSED uint32_t args_count,
                              Batch *out, bool *done)
{
    return series_moments(call, args, out, done, true);
}

/* --- arrays --- */

Status set_subscripts(FuncCall *call, const Datum *args, uint32_t args_count, Batch *out,
                      bool *done)
{
    Status st = OK;
    bool fresh;
    Series *series = series_of(call, &fresh);

    if (fresh) {
        ArrayView view;
        array_view(strview_str(&args[0].string), &view);
        int32_t dimension = args[1].int32;
        bool reverse = args_count > 2 && args[2].boolean;
        series->ended = dimension < 1 || dimension > view.dimensions;
        if (!series->ended) {
            int64_t first = view.lower[dimension - 1];
            int64_t last = first + view.lengths[dimension - 1] - 1;
            TRY(start_integers(call, series, reverse ? last : first, reverse ? first : last,
                               reverse ? -1 : 1));
        }
    }
    INTEGER_ROWS(int32_t);
done:
    return st;
}

Status set_unnest(FuncCall *call, const Datum *args, UNUSED uint32_t args_count, Batch *out,
                  bool *done)
{
    bool fresh;
    Series *series = series_of(call, &fresh);
    ArrayView view;

    array_view(strview_str(&args[0].string), &view);
    for (; out->rows_count < BATCH_ROWS_MAX && series->next < view.count; out->rows_count++) {
        Datum element = array_get(&view, (uint32_t)series->next++);
        vector_put_datum(&out->columns[0], call->scope, out->rows_count, BATCH_ROWS_MAX, &element);
    }
    *done = series->next >= view.count;
    return OK;
}
