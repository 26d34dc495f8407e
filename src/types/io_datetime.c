// SPDX-License-Identifier: Apache-2.0
//
// Text and binary forms of date, time, timestamp, timestamptz and interval: the texts are made and
// read by datetime.h's functions, the binary forms are big-endian numbers.
#include "types/datetime.h"
#include "types/io_int.h"

#define IO_ARGS                                                                                   \
    Ctx *ctx, Scope *scope UNUSED, SqlType type UNUSED, Str text, const TypeIoContext *io UNUSED, \
        Datum *out
#define OUTPUT_ARGS \
    StrBuf *out, SqlType type UNUSED, const Vector *v, uint32_t row, const TypeIoContext *io UNUSED

static Status date_input(IO_ARGS)
{
    return date_parse(ctx, text, io, &out->int32);
}

static void date_output(OUTPUT_ARGS)
{
    date_print(out, vector_at(v, int32_t, row), io);
}

static Status date_receive(IO_ARGS)
{
    Status st = io_want_bytes(ctx, text, 4);

    if (st != OK)
        return st;
    out->int32 = (int32_t)io_get_be(text.ptr, 4);
    if (date_is_finite(out->int32) && (out->int32 < DATE_FIRST || out->int32 >= DATE_END))
        return error_raise(ctx, E_DATETIME_OVERFLOW, "date out of range");
    return OK;
}

static void date_send(OUTPUT_ARGS)
{
    io_put_be(out, (uint64_t)vector_at(v, int32_t, row), 4);
}

static Status time_input(IO_ARGS)
{
    return time_parse(ctx, text, type.typmod, io, &out->int64);
}

static void time_output(OUTPUT_ARGS)
{
    time_print(out, vector_at(v, int64_t, row));
}

static Status time_receive(IO_ARGS)
{
    Status st = io_want_bytes(ctx, text, 8);

    if (st != OK)
        return st;
    out->int64 = (int64_t)io_get_be(text.ptr, 8);
    if (out->int64 < 0 || out->int64 > US_PER_DAY)
        return error_raise(ctx, E_DATETIME_OVERFLOW, "time out of range");
    out->int64 = timestamp_round(out->int64, type.typmod);
    return OK;
}

static void int64_send(OUTPUT_ARGS)
{
    io_put_be(out, (uint64_t)vector_at(v, int64_t, row), 8);
}

static Status timestamp_input(IO_ARGS)
{
    return timestamp_parse(ctx, text, type.typmod, io, &out->int64);
}

static void timestamp_output(OUTPUT_ARGS)
{
    timestamp_print(out, vector_at(v, int64_t, row), io);
}

static Status timestamp_receive(IO_ARGS)
{
    Status st = io_want_bytes(ctx, text, 8);

    if (st != OK)
        return st;
    out->int64 = (int64_t)io_get_be(text.ptr, 8);
    if (timestamp_is_finite(out->int64) &&
        (out->int64 < TIMESTAMP_FIRST || out->int64 >= TIMESTAMP_END))
        return error_raise(ctx, E_DATETIME_OVERFLOW, "timestamp out of range");
    out->int64 = timestamp_round(out->int64, type.typmod);
    return OK;
}

static Status timestamptz_input(IO_ARGS)
{
    return timestamptz_parse(ctx, text, type.typmod, io, &out->int64);
}

static void timestamptz_output(OUTPUT_ARGS)
{
    timestamptz_print(out, vector_at(v, int64_t, row), io);
}

static Status interval_input(IO_ARGS)
{
    return interval_parse(ctx, text, type.typmod, io, &out->interval);
}

static void interval_output(OUTPUT_ARGS)
{
    interval_print(out, vector_at(v, Interval, row), io);
}

static Status interval_receive(IO_ARGS)
{
    Status st = io_want_bytes(ctx, text, 16);

    if (st != OK)
        return st;
    out->interval.us = (int64_t)io_get_be(text.ptr, 8);
    out->interval.days = (int32_t)io_get_be(text.ptr + 8, 4);
    out->interval.months = (int32_t)io_get_be(text.ptr + 12, 4);
    return interval_apply_typmod(ctx, &out->interval, type.typmod);
}

static void interval_send(OUTPUT_ARGS)
{
    const Interval *interval = &vector_at(v, Interval, row);

    io_put_be(out, (uint64_t)interval->us, 8);
    io_put_be(out, (uint64_t)interval->days, 4);
    io_put_be(out, (uint64_t)interval->months, 4);
}

const TypeIo *io_datetime_find(Oid oid)
{
    static const TypeIo date_io = {date_input, date_output, date_receive, date_send},
                        time_io = {time_input, time_output, time_receive, int64_send},
                        timestamp_io = {timestamp_input, timestamp_output, timestamp_receive,
                                        int64_send},
                        timestamptz_io = {timestamptz_input, timestamptz_output, timestamp_receive,
                                          int64_send},
                        interval_io = {interval_input, interval_output, interval_receive,
                                       interval_send};

    switch (oid) {
    case OID_DATE: return &date_io;
    case OID_TIME: return &time_io;
    case OID_TIMESTAMP: return &timestamp_io;
    case OID_TIMESTAMPTZ: return &timestamptz_io;
    case OID_INTERVAL: return &interval_io;
    default: return NULL;
    }
}
