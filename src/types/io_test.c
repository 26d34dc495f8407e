// SPDX-License-Identifier: Apache-2.0
//
// Forms of values: every row of io_cases.def and datetime_cases.def (PostgreSQL's answers) is read
// and written; what can be read also survives the binary form, equal and with the same hash.
// Columns read by the fast path give what single values give.
#include "types/compare.h"
#include "types/datetime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct IoCase {
    Oid oid;
    int32_t typmod;
    const char *input;
    const char *expected;
} IoCase;

static const IoCase io_cases[] = {
#define IO_CASE(oid, typmod, input, expected) {oid, typmod, input, expected},
#include "types/io_cases.def"
#undef IO_CASE
};

static const IoCase datetime_cases[] = {
#define DATETIME_CASE(oid, typmod, input, expected) {oid, typmod, input, expected},
#include "types/datetime_cases.def"
#undef DATETIME_CASE
};

/* Not PostgreSQL's: what we refuse, what an assignment refuses, and char(n). */
static const IoCase own_cases[] = {
    {OID_NUMERIC, ((10 << 16) | 2) + 4, "NaN",
     "ERROR 0A000 NaN in a numeric type with a precision is not supported"},
    {OID_NUMERIC, -1, "1234567890123456789012345678901234567890",
     "ERROR 22003 value overflows numeric format"},
    {OID_NUMERIC, -1, "1.000000000000000000000000000000000000000000000",
     "1.0000000000000000000000000000000000000"},
    {OID_VARCHAR, 7, "abcd", "ERROR 22001 value too long for type character varying(3)"},
    {OID_VARCHAR, 7, "abc  ", "abc"},
    {OID_VARCHAR, 7, "ab    ", "ab "},
    {OID_BPCHAR, 7, "abcd", "ERROR 22001 value too long for type character(3)"},
    {OID_BPCHAR, 7, "a", "a  "},
    {OID_BPCHAR, 7, "\303\251  ", "\303\251  "},
    {OID_REGCLASS, -1, "pg_class",
     "ERROR 22P02 invalid input syntax for type regclass: \"pg_class\""},
    {OID_REGCLASS, -1, "1259", "1259"},
    {OID_REGCLASS, -1, "-", "-"},
    {OID_RECORD, -1, "(1)", "ERROR 0A000 input of anonymous composite types is not implemented"},
};

static void describe_error(Ctx *ctx, StrBuf *out)
{
    strbuf_printf(out, "ERROR %s %s", error_sqlstate(ctx->error.status), ctx->error.message);
    if (ctx->error.detail)
        strbuf_printf(out, " DETAIL %s", ctx->error.detail);
    error_clear(ctx);
}

static void append_visible(StrBuf *out, const Datum *datum, const TypeIoContext *io)
{
    StrBuf text;

    strbuf_init(&text);
    type_output_datum(&text, datum, io);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\t' || text.ptr[i] == '\n')
            strbuf_append_c(out, text.ptr[i] == '\t' ? "\\t" : "\\n");
        else
            strbuf_append_char(out, text.ptr[i]);
    }
    strbuf_free(&text);
}

static void check_binary(Ctx *ctx, Scope *scope, const Datum *datum, const TypeIoContext *io)
{
    Vector v;
    Datum back;
    StrBuf wire;

    /* Rounding may leave the type's range, as it may in PostgreSQL. */
    if (!type_has_binary(datum->type) ||
        (datum->type.oid == OID_TIMESTAMP && timestamp_is_finite(datum->int64) &&
         datum->int64 >= TIMESTAMP_END))
        return;
    strbuf_init(&wire);
    datum_to_vector(datum, scope, &v);
    type_send(&wire, datum->type, &v, 0, io);
    assert_int_equal(type_receive(ctx, scope, datum->type, strbuf_str(&wire), io, &back), OK);
    assert_true(datum_equal(datum, &back));
    assert_true(datum_hash(datum) == datum_hash(&back));
    strbuf_free(&wire);
}

static void check_case(const IoCase *c, const TypeIoContext *io)
{
    Ctx ctx;
    StrBuf got;
    Datum datum;
    SqlType type = {c->oid, c->typmod};
    Scope *scope = scope_open(NULL, "test");

    ctx_init(&ctx);
    strbuf_init(&got);
    if (type_input(&ctx, scope, type, str_from(c->input), io, &datum) == OK) {
        append_visible(&got, &datum, io);
        check_binary(&ctx, scope, &datum, io);
    } else {
        describe_error(&ctx, &got);
    }
    if (strcmp(strbuf_c(&got), c->expected) != 0)
        fail_msg("%s \"%s\": got \"%s\", not \"%s\"", type_format(scope, type), c->input,
                 strbuf_c(&got), c->expected);
    strbuf_free(&got);
    ctx_free(&ctx);
    scope_close(scope);
}

static void test_text_forms(void **state)
{
    const TypeIoContext io = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(io_cases); i++)
        check_case(&io_cases[i], &io);
    for (size_t i = 0; i < ARRAY_COUNT(datetime_cases); i++)
        check_case(&datetime_cases[i], &io);
}

static void test_own_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(own_cases); i++)
        check_case(&own_cases[i], NULL);
}

/* A column of one type's cases that can be read, a NULL between each two. */
static void check_column(Ctx *ctx, Scope *scope, SqlType type)
{
    Str texts[256];
    Datum expected[256];
    uint32_t rows = 0;
    Vector column;
    uint32_t bad_row;
    const TypeIoContext io = {0};

    for (size_t i = 0; i < ARRAY_COUNT(io_cases) + ARRAY_COUNT(datetime_cases) && rows < 254; i++) {
        const IoCase *c =
            i < ARRAY_COUNT(io_cases) ? &io_cases[i] : &datetime_cases[i - ARRAY_COUNT(io_cases)];
        Datum datum;
        if (c->oid != type.oid)
            continue;
        if (type_input(ctx, scope, type, str_from(c->input), &io, &datum) != OK) {
            error_clear(ctx);
            continue;
        }
        texts[rows] = str_from(c->input);
        expected[rows++] = datum;
        texts[rows] = (Str){0};
        expected[rows++] = datum_null(type);
    }
    assert_int_equal(type_input_vector(ctx, scope, type, texts, rows, &io, &column, &bad_row), OK);
    for (uint32_t row = 0; row < rows; row++) {
        Datum got = datum_from_vector(&column, row);
        assert_true(datum_equal(&got, &expected[row]));
    }
}

static void test_columns_read_as_values(void **state)
{
    static const SqlType types[] = {
        {OID_INT2, -1},    {OID_INT4, -1},
        {OID_INT8, -1},    {OID_NUMERIC, ((10 << 16) | 2) + 4},
        {OID_NUMERIC, -1}, {OID_NUMERIC, ((38 << 16) | 10) + 4},
        {OID_DATE, -1},    {OID_TEXT, -1},
        {OID_BOOL, -1},    {OID_VARCHAR, 7},
        {OID_FLOAT8, -1},  {OID_TIMESTAMP, -1},
        {OID_UUID, -1},    {OID_INT4_ARRAY, -1},
    };
    Ctx ctx;
    Scope *scope = scope_open(NULL, "test");

    (void)state;
    ctx_init(&ctx);
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        check_column(&ctx, scope, types[i]);
    ctx_free(&ctx);
    scope_close(scope);
}

static void test_column_error_names_its_row(void **state)
{
    Ctx ctx;
    Vector column;
    uint32_t bad_row = 0;
    const Str texts[] = {STR("1"), STR("2"), STR("x")};
    Scope *scope = scope_open(NULL, "test");

    (void)state;
    ctx_init(&ctx);
    assert_int_equal(
        type_input_vector(&ctx, scope, sql_type(OID_INT4), texts, 3, NULL, &column, &bad_row),
        E_INVALID_TEXT);
    assert_int_equal(bad_row, 2);
    assert_string_equal(ctx.error.message, "invalid input syntax for type integer: \"x\"");
    ctx_free(&ctx);
    scope_close(scope);
}

/* Settings of extra_float_digits, bytea_output, DateStyle and IntervalStyle. */
static void test_styles(void **state)
{
    static const struct {
        TypeIoContext io;
        Oid oid;
        const char *input;
        const char *expected;
    } cases[] = {
        {{.float_shorter = 1}, OID_FLOAT8, "0.30000000000000004", "0.3"},
        {{.float_shorter = 1}, OID_FLOAT4, "1234567", "1.23457e+06"},
        {{.bytea_escape = true}, OID_BYTEA, "\\x005c61ff", "\\000\\\\a\\377"},
        {{.date_style = DATE_STYLE_SQL}, OID_DATE, "2024-01-02", "01/02/2024"},
        {{.date_style = DATE_STYLE_SQL, .date_order = DATE_ORDER_DMY},
         OID_DATE,
         "2024-01-02",
         "02/01/2024"},
        {{.date_style = DATE_STYLE_GERMAN},
         OID_TIMESTAMP,
         "2024-01-02 03:04:05.5",
         "02.01.2024 03:04:05.5"},
        {{.date_style = DATE_STYLE_POSTGRES},
         OID_TIMESTAMPTZ,
         "2024-01-02 03:04:05.5",
         "Tue Jan 02 03:04:05.5 2024 UTC"},
        {{.interval_style = INTERVAL_STYLE_SQL_STANDARD},
         OID_INTERVAL,
         "1 year 2 mons 3 days 04:05:06",
         "+1-2 +3 +4:05:06"},
        {{.interval_style = INTERVAL_STYLE_POSTGRES_VERBOSE},
         OID_INTERVAL,
         "-1 year -2 mons 3 days",
         "@ 1 year 2 mons -3 days ago"},
        {{.interval_style = INTERVAL_STYLE_ISO_8601},
         OID_INTERVAL,
         "1 year 2 mons 04:05:06.7",
         "P1Y2MT4H5M6.7S"},
        {{.now_us = INT64_C(757396800123456)}, OID_TIMESTAMP, "now", "2024-01-01 04:00:00.123456"},
        {{.now_us = INT64_C(757396800123456)}, OID_DATE, "yesterday", "2023-12-31"},
        {{.now_us = INT64_C(757396800123456)},
         OID_TIMESTAMP,
         "tomorrow 03:00",
         "2024-01-02 03:00:00"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        IoCase c = {cases[i].oid, -1, cases[i].input, cases[i].expected};
        check_case(&c, &cases[i].io);
    }
}

/* Cut and lengthened messages are refused, never read beyond. */
static void test_binary_garbage_is_refused(void **state)
{
    Ctx ctx;
    Scope *scope = scope_open(NULL, "test");
    uint32_t count;
    const TypeInfo *rows = type_rows(&count);

    (void)state;
    ctx_init(&ctx);
    for (uint32_t i = 0; i < count; i++) {
        SqlType type = sql_type(rows[i].oid);
        if (!type_has_binary(type))
            continue;
        for (size_t length = 0; length < 40; length++) {
            Datum datum;
            char *bytes = malloc(length ? length : 1);
            for (size_t b = 0; b < length; b++)
                bytes[b] = (char)(length * 7 + b * b);
            if (type_receive(&ctx, scope, type, str_make(bytes, length), NULL, &datum) != OK)
                error_clear(&ctx);
            free(bytes);
        }
    }
    Datum datum;
    assert_int_equal(
        type_receive(&ctx, scope, sql_type(OID_TEXT), str_make("a\xff", 2), NULL, &datum),
        E_CHARACTER_NOT_IN_REPERTOIRE);
    assert_string_equal(ctx.error.message, "invalid byte sequence for encoding \"UTF8\": 0xff");
    ctx_free(&ctx);
    scope_close(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_forms),
        cmocka_unit_test(test_own_limits),
        cmocka_unit_test(test_columns_read_as_values),
        cmocka_unit_test(test_column_error_names_its_row),
        cmocka_unit_test(test_styles),
        cmocka_unit_test(test_binary_garbage_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
