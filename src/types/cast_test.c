// SPDX-License-Identifier: Apache-2.0
//
// Casts: every row of cast_cases.def (PostgreSQL's answers), the same over flat, constant and
// dictionary vectors with NULLs, typmods, and which casts exist in which context.
#include "types/cast.h"
#include "types/compare.h"
#include "types/timezone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct CastCase {
    Oid from;
    int32_t from_typmod;
    const char *input;
    Oid to;
    int32_t to_typmod;
    const char *expected;
} CastCase;

static const CastCase cases[] = {
#define CAST_CASE(from, from_typmod, input, to, to_typmod, expected) \
    {from, from_typmod, input, to, to_typmod, expected},
#include "types/cast_cases.def"
#undef CAST_CASE
};

/* Ours: what PostgreSQL allows and we refuse. */
static const CastCase own_cases[] = {
    {OID_FLOAT8, -1, "NaN", OID_NUMERIC, ((5 << 16) | 2) + 4,
     "ERROR 0A000 NaN in a numeric type with a precision is not supported"},
    {OID_FLOAT8, -1, "1e300", OID_NUMERIC, -1, "ERROR 22003 value overflows numeric format"},
};

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

static void describe_error(Ctx *ctx, StrBuf *out)
{
    strbuf_printf(out, "ERROR %s %s", error_sqlstate(ctx->error.status), ctx->error.message);
    if (ctx->error.detail)
        strbuf_printf(out, " DETAIL %s", ctx->error.detail);
    error_clear(ctx);
}

/* Rows value, NULL, value as a flat vector and as a dictionary cast like the single value. */
static void check_vectors(Ctx *ctx, Scope *scope, const Datum *value, SqlType target,
                          const TypeIoContext *io)
{
    static const uint32_t indexes[] = {0, 1, 2, 1, 0};
    Datum expected;
    Vector in, dict, out;

    Status want = cast_datum(ctx, scope, value, target, true, io, &expected);
    error_clear(ctx);
    vector_init_flat(&in, scope, value->type, 3);
    size_t bytes = phys_size[in.phys];
    memcpy(in.values, value->bytes, bytes);
    memcpy((char *)in.values + 2 * bytes, value->bytes, bytes);
    bitmap_clear(vector_make_validity(&in, scope, 3), 1);
    vector_slice(&dict, scope, &in, indexes, 5);
    for (int form = 0; form < 2; form++) {
        uint32_t rows = form ? 5 : 3;
        Status got = cast_vector(ctx, scope, form ? &dict : &in, rows, target, true, io, &out);
        error_clear(ctx);
        assert_int_equal(got, want);
        for (uint32_t row = 0; got == OK && row < rows; row++) {
            Datum cell = datum_from_vector(&out, row);
            assert_true(row % 2 ? cell.is_null : datum_equal(&cell, &expected));
        }
    }
    /* A NULL never fails, whatever its bytes. */
    bitmap_clear(in.validity, 0);
    bitmap_clear(in.validity, 2);
    assert_int_equal(cast_vector(ctx, scope, &in, 3, target, true, io, &out),
                     want == E_CANNOT_COERCE ? E_CANNOT_COERCE : OK);
    error_clear(ctx);
}

static void check_case(const CastCase *c, const TypeIoContext *io)
{
    Ctx ctx;
    StrBuf got;
    Datum in, out;
    SqlType from = {c->from, c->from_typmod};
    SqlType to = {c->to, c->to_typmod};
    Scope *scope = scope_open(NULL, "test");

    ctx_init(&ctx);
    strbuf_init(&got);
    assert_int_equal(type_input(&ctx, scope, from, str_from(c->input), io, &in), OK);
    if (cast_datum(&ctx, scope, &in, to, true, io, &out) != OK)
        describe_error(&ctx, &got);
    else if (out.is_null)
        strbuf_append_c(&got, "NULL");
    else
        append_visible(&got, &out, io);
    if (strcmp(strbuf_c(&got), c->expected) != 0)
        fail_msg("%s \"%s\" as %s: got \"%s\", not \"%s\"", type_format(scope, from), c->input,
                 type_format(scope, to), strbuf_c(&got), c->expected);
    check_vectors(&ctx, scope, &in, to, io);
    strbuf_free(&got);
    ctx_free(&ctx);
    scope_close(scope);
}

static void test_as_postgresql(void **state)
{
    const TypeIoContext io = {.zone = timezone_find(STR("Europe/Berlin"))};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check_case(&cases[i], &io);
    for (size_t i = 0; i < ARRAY_COUNT(own_cases); i++)
        check_case(&own_cases[i], &io);
}

/* Pairs and contexts as in PostgreSQL's pg_cast and find_coercion_pathway. */
static void test_which_casts_exist(void **state)
{
    (void)state;
    assert_int_equal(cast_find(OID_INT4, OID_INT4, CAST_IMPLICIT), CAST_BINARY);
    assert_int_equal(cast_find(OID_INT4, OID_INT8, CAST_IMPLICIT), CAST_FUNCTION);
    assert_int_equal(cast_find(OID_INT8, OID_INT4, CAST_IMPLICIT), CAST_NONE);
    assert_int_equal(cast_find(OID_INT8, OID_INT4, CAST_ASSIGNMENT), CAST_FUNCTION);
    assert_int_equal(cast_find(OID_INT4, OID_BOOL, CAST_ASSIGNMENT), CAST_NONE);
    assert_int_equal(cast_find(OID_INT4, OID_BOOL, CAST_EXPLICIT), CAST_FUNCTION);
    assert_int_equal(cast_find(OID_TEXT, OID_VARCHAR, CAST_IMPLICIT), CAST_BINARY);
    assert_int_equal(cast_find(OID_VARCHAR, OID_TEXT, CAST_IMPLICIT), CAST_BINARY);
    assert_int_equal(cast_find(OID_INT4, OID_TEXT, CAST_IMPLICIT), CAST_NONE);
    assert_int_equal(cast_find(OID_INT4, OID_TEXT, CAST_ASSIGNMENT), CAST_IO);
    assert_int_equal(cast_find(OID_TEXT, OID_INT4, CAST_ASSIGNMENT), CAST_NONE);
    assert_int_equal(cast_find(OID_TEXT, OID_INT4, CAST_EXPLICIT), CAST_IO);
    assert_int_equal(cast_find(OID_UNKNOWN, OID_DATE, CAST_IMPLICIT), CAST_IO);
    assert_int_equal(cast_find(OID_DATE, OID_INT4, CAST_EXPLICIT), CAST_NONE);
    assert_int_equal(cast_find(OID_INT4_ARRAY, OID_INT8_ARRAY, CAST_IMPLICIT), CAST_ARRAY);
    assert_int_equal(cast_find(OID_INT8_ARRAY, OID_INT4_ARRAY, CAST_IMPLICIT), CAST_NONE);
    assert_int_equal(cast_find(OID_VARCHAR_ARRAY, OID_TEXT_ARRAY, CAST_IMPLICIT), CAST_BINARY);
    assert_int_equal(cast_find(OID_OID, OID_REGCLASS, CAST_IMPLICIT), CAST_BINARY);
}

static Status cast_text(Ctx *ctx, Scope *scope, const char *text, SqlType to, bool explicit_cast,
                        Datum *out)
{
    Datum in = {.type = sql_type(OID_TEXT), .string = strview_make(text, strlen(text))};

    return cast_datum(ctx, scope, &in, to, explicit_cast, NULL, out);
}

/* An explicit cast cuts, an assignment refuses all but blanks. */
static void test_lengths(void **state)
{
    Ctx ctx;
    Datum out;
    const SqlType varchar3 = {OID_VARCHAR, 7};
    const SqlType char3 = {OID_BPCHAR, 7};
    Scope *scope = scope_open(NULL, "test");

    (void)state;
    ctx_init(&ctx);
    assert_int_equal(cast_text(&ctx, scope, "\303\251bcd", varchar3, true, &out), OK);
    assert_true(str_is(strview_str(&out.string), "\303\251bc"));
    assert_int_equal(cast_text(&ctx, scope, "abcd", varchar3, false, &out), E_STRING_TOO_LONG);
    assert_string_equal(ctx.error.message, "value too long for type character varying(3)");
    error_clear(&ctx);
    assert_int_equal(cast_text(&ctx, scope, "abc   ", varchar3, false, &out), OK);
    assert_true(str_is(strview_str(&out.string), "abc"));
    assert_int_equal(cast_text(&ctx, scope, "ab  cd", char3, true, &out), OK);
    assert_true(str_is(strview_str(&out.string), "ab"));
    assert_int_equal(cast_text(&ctx, scope, "abcd", char3, false, &out), E_STRING_TOO_LONG);
    assert_string_equal(ctx.error.message, "value too long for type character(3)");
    ctx_free(&ctx);
    scope_close(scope);
}

/* Scaled integers change scale and width; the vector of a constant stays a constant. */
static void test_numeric_typmods(void **state)
{
    Ctx ctx;
    Vector in, out;
    const int64_t price = 12345; /* numeric(10,2): 123.45 */
    Scope *scope = scope_open(NULL, "test");

    (void)state;
    ctx_init(&ctx);
    vector_init_const(&in, scope, type_numeric(10, 2), &price);
    assert_int_equal(cast_vector(&ctx, scope, &in, 100, type_numeric(15, 4), true, NULL, &out), OK);
    assert_int_equal(out.form, VECTOR_CONST);
    assert_int_equal(vector_at(&out, int64_t, 57), 1234500);
    assert_int_equal(cast_vector(&ctx, scope, &in, 1, type_numeric(30, 6), true, NULL, &out), OK);
    assert_int_equal(out.phys, PHYS_INT128);
    assert_true(vector_at(&out, int128_t, 0) == 123450000);
    assert_int_equal(cast_vector(&ctx, scope, &in, 1, type_numeric(4, 1), true, NULL, &out), OK);
    assert_int_equal(vector_at(&out, int64_t, 0), 1235);
    assert_int_equal(cast_vector(&ctx, scope, &in, 1, type_numeric(2, 0), true, NULL, &out),
                     E_NUMERIC_OUT_OF_RANGE);
    error_clear(&ctx);
    assert_int_equal(cast_vector(&ctx, scope, &in, 1, sql_type(OID_NUMERIC), true, NULL, &out), OK);
    assert_int_equal(out.phys, PHYS_NUMERIC);
    assert_int_equal(vector_at(&out, Numeric, 0).scale, 2);
    ctx_free(&ctx);
    scope_close(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_postgresql),
        cmocka_unit_test(test_which_casts_exist),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_numeric_typmods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
