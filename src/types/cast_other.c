// SPDX-License-Identifier: Apache-2.0
//
// Casts among the string types, "char", and the date and time types. Strings that become a piece of
// themselves share the bytes; times of day and dates out of a timestamptz are the session's zone's.
#include "types/cast_int.h"
#include "types/datetime.h"
#include "types/io_int.h"

#define NAME_BYTES_MAX 63

#define KERNEL_ARGS const CastCall *call UNUSED, const Vector *in, uint32_t rows, Vector *out

static const TimeZone *zone_of(const CastCall *call)
{
    return call->io ? call->io->zone : NULL;
}

Status cast_bool_text(KERNEL_ARGS)
{
    const uint8_t *from = in->values;
    StrView *to = out->values;

    for (uint32_t row = 0; row < rows; row++)
        to[row] = from[row] ? strview_make("true", 4) : strview_make("false", 5);
    return OK;
}

Status cast_int4_char(KERNEL_ARGS)
{
    const int32_t *from = in->values;
    StrView *to = out->values;

    for (uint32_t row = 0; row < rows; row++) {
        if (!cast_row_valid(in, row))
            continue;
        if (from[row] < INT8_MIN || from[row] > INT8_MAX)
            return error_raise(call->ctx, E_NUMERIC_OUT_OF_RANGE, "\"char\" out of range");
        char byte = (char)from[row];
        to[row] = strview_make(&byte, byte != '\0');
    }
    return OK;
}

Status cast_char_int4(KERNEL_ARGS)
{
    const StrView *from = in->values;
    int32_t *to = out->values;

    for (uint32_t row = 0; row < rows; row++) {
        if (cast_row_valid(in, row))
            to[row] = from[row].len ? (int8_t)strview_bytes(&from[row])[0] : 0;
    }
    return OK;
}

/* Strings that become a piece of themselves: the piece shares the bytes. */
#define CLIP(name, expr)                                  \
    Status name(KERNEL_ARGS)                              \
    {                                                     \
        const StrView *from = in->values;                 \
        StrView *to = out->values;                        \
                                                          \
        for (uint32_t row = 0; row < rows; row++) {       \
            if (!cast_row_valid(in, row))                 \
                continue;                                 \
            Str text = strview_str(&from[row]);           \
            Str piece = (expr);                           \
            to[row] = strview_make(piece.ptr, piece.len); \
        }                                                 \
        return OK;                                        \
    }

static Str strip_blanks(Str text)
{
    while (text.len && text.ptr[text.len - 1] == ' ')
        text.len--;
    return text;
}

CLIP(cast_text_char, str_make(text.ptr, MIN(text.len, 1)))
CLIP(cast_text_name, io_clip_utf8(text, NAME_BYTES_MAX))
CLIP(cast_text_bpchar, strip_blanks(text))

Status cast_text_reg(KERNEL_ARGS)
{
    Status st = OK;
    const StrView *from = in->values;
    Datum datum;

    for (uint32_t row = 0; row < rows; row++) {
        if (!cast_row_valid(in, row))
            continue;
        TRY(type_input(call->ctx, call->scope, call->target, strview_str(&from[row]), call->io,
                       &datum));
        ((int64_t *)out->values)[row] = datum.int64;
    }
done:
    return st;
}

/* --- dates and times --- */

#define CONVERT(name, S, T, call_expr)              \
    Status name(KERNEL_ARGS)                        \
    {                                               \
        Status st = OK;                             \
        const S *from = in->values;                 \
        T *to = out->values;                        \
                                                    \
        for (uint32_t row = 0; row < rows; row++) { \
            S x = from[row];                        \
            T *y = &to[row];                        \
            if (cast_row_valid(in, row))            \
                TRY(call_expr);                     \
        }                                           \
done:                                               \
        return st;                                  \
    }

static Status date_to_instant(const CastCall *call, int32_t date, int64_t *out)
{
    Status st = date_to_timestamp(call->ctx, date, out);

    return st == OK ? timestamp_to_timestamptz(call->ctx, *out, zone_of(call), out) : st;
}

static Status instant_to_date(const CastCall *call, int64_t instant, int32_t *out)
{
    int64_t local;
    Status st = timestamptz_to_timestamp(call->ctx, instant, zone_of(call), &local);

    *out = st == OK ? timestamp_to_date(local) : 0;
    return st;
}

static Status local_to_date(int64_t local, int32_t *out)
{
    *out = timestamp_to_date(local);
    return OK;
}

CONVERT(cast_date_timestamp, int32_t, int64_t, date_to_timestamp(call->ctx, x, y))
CONVERT(cast_date_timestamptz, int32_t, int64_t, date_to_instant(call, x, y))
CONVERT(cast_timestamp_date, int64_t, int32_t, local_to_date(x, y))
CONVERT(cast_timestamptz_date, int64_t, int32_t, instant_to_date(call, x, y))
CONVERT(cast_timestamp_timestamptz, int64_t, int64_t,
        timestamp_to_timestamptz(call->ctx, x, zone_of(call), y))
CONVERT(cast_timestamptz_timestamp, int64_t, int64_t,
        timestamptz_to_timestamp(call->ctx, x, zone_of(call), y))

/* Infinite timestamps have no time of day: NULL. */
static Status to_time(const CastCall *call, const Vector *in, uint32_t rows, Vector *out,
                      const TimeZone *zone)
{
    Status st = OK;
    const int64_t *from = in->values;
    int64_t *to = out->values;
    int64_t local;

    for (uint32_t row = 0; row < rows; row++) {
        if (!cast_row_valid(in, row))
            continue;
        if (!timestamp_is_finite(from[row])) {
            bitmap_clear(vector_make_validity(out, call->scope, rows), row);
            continue;
        }
        TRY(timestamptz_to_timestamp(call->ctx, from[row], zone, &local));
        to[row] = timestamp_time_of_day(local);
    }
done:
    return st;
}

Status cast_timestamp_time(KERNEL_ARGS)
{
    return to_time(call, in, rows, out, NULL);
}

Status cast_timestamptz_time(KERNEL_ARGS)
{
    return to_time(call, in, rows, out, zone_of(call));
}

Status cast_time_interval(KERNEL_ARGS)
{
    const int64_t *from = in->values;
    Interval *to = out->values;

    for (uint32_t row = 0; row < rows; row++)
        to[row] = (Interval){.us = from[row]};
    return OK;
}

Status cast_interval_time(KERNEL_ARGS)
{
    const Interval *from = in->values;
    int64_t *to = out->values;

    for (uint32_t row = 0; row < rows; row++)
        to[row] = time_add(0, from[row]);
    return OK;
}
