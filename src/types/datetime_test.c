// SPDX-License-Identifier: Apache-2.0
//
// Dates and times: every row of datetime_op_cases.def (PostgreSQL's answers, in Europe/Berlin), the
// calendar over its whole range, time zones, and make_*. Text forms are tested in io_test.c.
#include "types/datetime.h"
#include "types/numeric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct OpCase {
    const char *op;
    const char *a;
    const char *b;
    const char *expected;
} OpCase;

static const OpCase cases[] = {
#define DATE_OP_CASE(op, a, b, expected) {op, a, b, expected},
#include "types/datetime_op_cases.def"
#undef DATE_OP_CASE
};

/* One case at work: operands are read by the letters of the operation's row. */
typedef struct Run {
    Ctx *ctx;
    TypeIoContext io;
    Str a;
    Str b;
    StrBuf *out;
} Run;

static int64_t read_local(Run *r, Str text)
{
    int64_t value = 0;

    assert_int_equal(timestamp_parse(r->ctx, text, -1, &r->io, &value), OK);
    return value;
}

static int64_t read_instant(Run *r, Str text)
{
    int64_t value = 0;

    assert_int_equal(timestamptz_parse(r->ctx, text, -1, &r->io, &value), OK);
    return value;
}

static Interval read_interval(Run *r, Str text)
{
    Interval value = {0};

    assert_int_equal(interval_parse(r->ctx, text, -1, &r->io, &value), OK);
    return value;
}

/* Timestamps and intervals that give a timestamp. */
static Status run_add(Run *r, const char *op)
{
    int64_t out;
    Interval interval = read_interval(r, r->b);
    bool zoned = strcmp(op, "tz+") == 0;
    Status st = zoned ? timestamptz_add(r->ctx, read_instant(r, r->a), interval, r->io.zone, &out)
                      : timestamp_add(r->ctx, read_local(r, r->a), interval, &out);

    if (st == OK && zoned)
        timestamptz_print(r->out, out, &r->io);
    else if (st == OK)
        timestamp_print(r->out, out, &r->io);
    return st;
}

/* What gives an interval. */
static Status run_interval(Run *r, const char *op)
{
    Interval out;
    Status st;

    if (strcmp(op, "ts-ts") == 0)
        st = timestamp_subtract(r->ctx, read_local(r, r->a), read_local(r, r->b), &out);
    else if (strcmp(op, "age") == 0)
        st = timestamp_age(r->ctx, read_local(r, r->a), read_local(r, r->b), &out);
    else if (strcmp(op, "jh") == 0)
        st = interval_justify_hours(r->ctx, read_interval(r, r->a), &out);
    else if (strcmp(op, "jd") == 0)
        st = interval_justify_days(r->ctx, read_interval(r, r->a), &out);
    else if (strcmp(op, "ji") == 0)
        st = interval_justify(r->ctx, read_interval(r, r->a), &out);
    else if (strcmp(op, "i*") == 0)
        st = interval_multiply(r->ctx, read_interval(r, r->a), strtod(r->b.ptr, NULL), &out);
    else if (strcmp(op, "i/") == 0)
        st = interval_divide(r->ctx, read_interval(r, r->a), strtod(r->b.ptr, NULL), &out);
    else
        st = interval_trunc(r->ctx, r->a, read_interval(r, r->b), &out);
    if (st == OK)
        interval_print(r->out, out, &r->io);
    return st;
}

static Status run_trunc(Run *r, const char *op)
{
    int64_t out;
    bool zoned = strcmp(op, "ttz") == 0;
    Status st = zoned ? timestamptz_trunc(r->ctx, r->a, read_instant(r, r->b), r->io.zone, &out)
                      : timestamp_trunc(r->ctx, r->a, read_local(r, r->b), &out);

    if (st == OK && zoned)
        timestamptz_print(r->out, out, &r->io);
    else if (st == OK)
        timestamp_print(r->out, out, &r->io);
    return st;
}

static Status run_extract(Run *r, const char *op)
{
    Numeric out;
    bool is_null = false;
    Status st;
    int32_t date;
    int64_t time;

    if (strcmp(op, "xd") == 0) {
        assert_int_equal(date_parse(r->ctx, r->b, &r->io, &date), OK);
        st = date_extract(r->ctx, r->a, date, &out, &is_null);
    } else if (strcmp(op, "xt") == 0) {
        assert_int_equal(time_parse(r->ctx, r->b, -1, &r->io, &time), OK);
        st = time_extract(r->ctx, r->a, time, &out);
    } else if (strcmp(op, "xi") == 0) {
        st = interval_extract(r->ctx, r->a, read_interval(r, r->b), &out);
    } else if (strcmp(op, "xtz") == 0) {
        st = timestamptz_extract(r->ctx, r->a, read_instant(r, r->b), r->io.zone, &out, &is_null);
    } else {
        st = timestamp_extract(r->ctx, r->a, read_local(r, r->b), &out, &is_null);
    }
    if (st == OK && is_null)
        strbuf_append_c(r->out, "NULL");
    else if (st == OK)
        numeric_print(r->out, &out);
    return st;
}

static void check_case(Run *r, const OpCase *c)
{
    Status st;

    r->a = str_from(c->a);
    r->b = str_from(c->b);
    strbuf_clear(r->out);
    if (c->op[0] == 'x')
        st = run_extract(r, c->op);
    else if (strcmp(c->op, "ts+") == 0 || strcmp(c->op, "tz+") == 0)
        st = run_add(r, c->op);
    else if (strcmp(c->op, "tts") == 0 || strcmp(c->op, "ttz") == 0)
        st = run_trunc(r, c->op);
    else
        st = run_interval(r, c->op);
    if (st != OK)
        strbuf_printf(r->out, "ERROR %s %s", error_sqlstate(st), r->ctx->error.message);
    error_clear(r->ctx);
    if (strcmp(strbuf_c(r->out), c->expected) != 0)
        fail_msg("%s (%s, %s): got \"%s\", not \"%s\"", c->op, c->a, c->b, strbuf_c(r->out),
                 c->expected);
}

static void test_as_postgresql(void **state)
{
    Ctx ctx;
    StrBuf out;
    Run run = {.ctx = &ctx, .io.zone = timezone_find(STR("Europe/Berlin")), .out = &out};

    (void)state;
    ctx_init(&ctx);
    strbuf_init(&out);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check_case(&run, &cases[i]);
    strbuf_free(&out);
    ctx_free(&ctx);
}

/* Day by day over 800 years, and at both ends of the range. */
static void test_calendar_counts_days(void **state)
{
    int32_t year = 1600, month = 1, day = 1;
    int32_t first = date_from_ymd(1600, 1, 1);

    (void)state;
    for (int32_t date = first; date < first + 2 * 146097; date++) {
        int32_t y, m, d;
        date_to_ymd(date, &y, &m, &d);
        assert_true(y == year && m == month && d == day);
        assert_int_equal(date_from_ymd(y, m, d), date);
        if (++day > date_days_in_month(year, month)) {
            day = 1;
            if (++month > 12) {
                month = 1;
                year++;
            }
        }
    }
    assert_int_equal(date_from_ymd(2000, 1, 1), 0);
    assert_int_equal(date_from_ymd(-4713, 11, 24), DATE_FIRST);
    assert_int_equal(date_from_ymd(5874897, 12, 31), DATE_END - 1);
    assert_int_equal(date_day_of_week(0), 6);
    assert_int_equal(date_day_of_week(DATE_FIRST), 1); /* Julian day 0 was a Monday */
}

static int64_t utc(int32_t year, int32_t month, int32_t day, int32_t hour)
{
    DateTime fields = {year, month, day, hour, 0, 0, 0};
    int64_t out = 0;

    assert_true(timestamp_join(&fields, &out));
    return out;
}

static void test_time_zones(void **state)
{
    const TimeZone *berlin = timezone_find(STR("europe/BERLIN"));
    int32_t offset;
    bool dst;

    (void)state;
    assert_non_null(berlin);
    assert_string_equal(timezone_name(berlin), "Europe/Berlin");
    assert_ptr_equal(timezone_find(STR("Europe/Berlin")), berlin);
    assert_null(timezone_find(STR("Europe/Nowhere")));
    assert_null(timezone_find(STR("")));
    /* The last Sunday of March and of October 2024, 01:00 UTC. */
    assert_int_equal(timezone_offset(berlin, utc(2024, 3, 31, 1) - 1), 3600);
    assert_int_equal(timezone_offset(berlin, utc(2024, 3, 31, 1)), 7200);
    assert_true(timezone_is_dst(berlin, utc(2024, 7, 1, 0)));
    /* 02:30 does not exist, then exists twice: before, and standard time. */
    assert_int_equal(timezone_offset_local(berlin, utc(2024, 3, 31, 2)), 3600);
    assert_int_equal(timezone_offset_local(berlin, utc(2024, 10, 27, 2)), 3600);
    /* The rules go on, 400 years at a time. */
    assert_int_equal(timezone_offset(berlin, utc(2824, 7, 1, 0)), 7200);
    assert_int_equal(timezone_offset(berlin, utc(12024, 1, 1, 0)), 3600);
    assert_string_equal(timezone_name(timezone_fixed(7200)), "<+02>-02");
    assert_string_equal(timezone_name(timezone_fixed(-12600)), "<-03:30>+03:30");
    assert_int_equal(timezone_offset(timezone_find(STR("UTC+3")), 0), -10800);
    assert_true(timezone_abbreviation(STR("cest"), &offset, &dst));
    assert_int_equal(offset, 7200);
    assert_true(dst);
    assert_false(timezone_abbreviation(STR("XYZ"), &offset, &dst));
}

static void test_make(void **state)
{
    Ctx ctx;
    int32_t date;
    int64_t time;
    const DateTime fields = {-44, 3, 15, 12, 30, 0, 0};

    (void)state;
    ctx_init(&ctx);
    assert_int_equal(date_make(&ctx, -44, 3, 15, &date), OK);
    assert_int_equal(date, date_from_ymd(-43, 3, 15));
    assert_int_equal(date_make(&ctx, 2023, 2, 29, &date), E_DATETIME_OVERFLOW);
    assert_string_equal(ctx.error.message, "date field value out of range: 2023-02-29");
    error_clear(&ctx);
    assert_int_equal(date_make(&ctx, 0, 1, 1, &date), E_DATETIME_OVERFLOW);
    assert_string_equal(ctx.error.message, "date field value out of range: 0-01-01");
    error_clear(&ctx);
    assert_int_equal(time_make(&ctx, 8, 15, 23.5, &time), OK);
    assert_int_equal(time, INT64_C(29723500000));
    assert_int_equal(time_make(&ctx, 24, 0, 0.1, &time), E_DATETIME_OVERFLOW);
    assert_string_equal(ctx.error.message, "time field value out of range: 24:00:0.1");
    error_clear(&ctx);
    assert_int_equal(timestamp_make(&ctx, &fields, 1.25, &time), OK);
    assert_int_equal(timestamp_time_of_day(time), INT64_C(45001250000));
    ctx_free(&ctx);
}

/* Years of ISO 8601 weeks at the turns of years (the standard's own examples). */
static void test_iso_weeks(void **state)
{
    static const struct {
        int32_t year, month, day, week_year;
        int week;
    } weeks[] = {
        {2005, 1, 1, 2004, 53},   {2005, 1, 2, 2004, 53},   {2005, 12, 31, 2005, 52},
        {2007, 1, 1, 2007, 1},    {2007, 12, 30, 2007, 52}, {2007, 12, 31, 2008, 1},
        {2008, 12, 28, 2008, 52}, {2008, 12, 29, 2009, 1},  {2010, 1, 3, 2009, 53},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(weeks); i++) {
        int32_t year;
        int32_t date = date_from_ymd(weeks[i].year, weeks[i].month, weeks[i].day);
        assert_int_equal(date_iso_week(date, &year), weeks[i].week);
        assert_int_equal(year, weeks[i].week_year);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_postgresql), cmocka_unit_test(test_calendar_counts_days),
        cmocka_unit_test(test_time_zones),    cmocka_unit_test(test_make),
        cmocka_unit_test(test_iso_weeks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
