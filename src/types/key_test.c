// SPDX-License-Identifier: Apache-2.0
//
// Keys: for random values of every physical form, edge cases first, memcmp of the keys must be the
// SQL order of the values (computed here, apart from key.c), for each direction and place of NULLs,
// alone and as a second column; and reading a key back gives an equal value.
#include "os/random.h"
#include "types/array.h"
#include "types/key.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define VALUES 160

static const SqlType types[] = {
    {OID_BOOL, -1},
    {OID_INT2, -1},
    {OID_INT4, -1},
    {OID_INT8, -1},
    {OID_NUMERIC, ((12 << 16) | 2) + 4},
    {OID_NUMERIC, ((30 << 16) | 4) + 4},
    {OID_NUMERIC, -1},
    {OID_FLOAT4, -1},
    {OID_FLOAT8, -1},
    {OID_INTERVAL, -1},
    {OID_UUID, -1},
    {OID_TEXT, -1},
    {OID_BYTEA, -1},
    {OID_DATE, -1},
    {OID_TIMESTAMP, -1},
    {OID_INT4_ARRAY, -1},
    {OID_TEXT_ARRAY, -1},
    {OID_NUMERIC_ARRAY, -1},
};

#define ARRAY_ELEMENTS 4

/* --- SQL's order ---------------------------------------------------------------------------- */

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* NaN equals itself and is above everything. */
static int order_floats(double a, double b)
{
    if (isnan(a) || isnan(b))
        return (isnan(a) != 0) - (isnan(b) != 0);
    return ORDER(a, b);
}

static int order_numerics(const Numeric *a, const Numeric *b)
{
    static const int rank[] = {
        [NUMERIC_FINITE] = 1, [NUMERIC_NAN] = 3, [NUMERIC_POS_INF] = 2, [NUMERIC_NEG_INF] = 0};

    if (a->kind != NUMERIC_FINITE || b->kind != NUMERIC_FINITE)
        return ORDER(rank[a->kind], rank[b->kind]);
    /* Compares digit by digit from the left, after the integer parts. */
    int128_t power_a = 1, power_b = 1;
    for (int32_t i = 0; i < a->scale; i++)
        power_a *= 10;
    for (int32_t i = 0; i < b->scale; i++)
        power_b *= 10;
    int128_t whole_a = a->coefficient / power_a, whole_b = b->coefficient / power_b;
    int128_t rest_a = a->coefficient % power_a, rest_b = b->coefficient % power_b;
    int order = ORDER(whole_a, whole_b);
    for (int i = 0; order == 0 && i < 40; i++) {
        /* rest * 10 could overflow at scale 38: take the digit by dividing the power instead. */
        power_a = power_a > 1 ? power_a / 10 : 1;
        power_b = power_b > 1 ? power_b / 10 : 1;
        order = ORDER(rest_a / power_a, rest_b / power_b);
        rest_a %= power_a;
        rest_b %= power_b;
    }
    return order;
}

static int128_t interval_us(const Interval *i)
{
    return ((int128_t)i->months * 30 + i->days) * INT64_C(86400000000) + i->us;
}

static int order_values(const Datum *a, const Datum *b);

/* PostgreSQL's: elements, NULLs last, the shorter first; then dimensions, lengths, lower bounds. */
static int order_arrays(const Datum *a, const Datum *b)
{
    ArrayView x, y;
    int order = 0;

    array_view(strview_str(&a->string), &x);
    array_view(strview_str(&b->string), &y);
    for (uint32_t i = 0; order == 0 && i < MIN(x.count, y.count); i++) {
        Datum left = array_get(&x, i), right = array_get(&y, i);
        order = left.is_null - right.is_null;
        if (order == 0 && !left.is_null)
            order = order_values(&left, &right);
    }
    if (order == 0)
        order = ORDER(x.count, y.count);
    if (order == 0)
        order = ORDER(x.dimensions, y.dimensions);
    for (int32_t d = 0; order == 0 && d < x.dimensions; d++)
        order = ORDER(x.lengths[d], y.lengths[d]);
    for (int32_t d = 0; order == 0 && d < x.dimensions; d++)
        order = ORDER(x.lower[d], y.lower[d]);
    return order;
}

static bool is_array(SqlType type)
{
    return type.oid == OID_INT4_ARRAY || type.oid == OID_TEXT_ARRAY ||
           type.oid == OID_NUMERIC_ARRAY;
}

static int order_values(const Datum *a, const Datum *b)
{
    if (is_array(a->type))
        return order_arrays(a, b);
    switch (type_phys(a->type)) {
    case PHYS_BOOL: return ORDER(a->boolean, b->boolean);
    case PHYS_INT16: return ORDER(a->int16, b->int16);
    case PHYS_INT32: return ORDER(a->int32, b->int32);
    case PHYS_INT64: return ORDER(a->int64, b->int64);
    case PHYS_INT128: return ORDER(a->int128, b->int128);
    case PHYS_FLOAT32: return order_floats(a->float32, b->float32);
    case PHYS_FLOAT64: return order_floats(a->float64, b->float64);
    case PHYS_INTERVAL: return ORDER(interval_us(&a->interval), interval_us(&b->interval));
    case PHYS_UUID: return memcmp(&a->uuid, &b->uuid, 16);
    case PHYS_NUMERIC: return order_numerics(&a->numeric, &b->numeric);
    default: return strview_compare(&a->string, &b->string);
    }
}

static int order_datums(const KeyColumn *column, const Datum *a, const Datum *b)
{
    if (a->is_null || b->is_null) {
        int order = a->is_null - b->is_null;
        return column->nulls_first ? -order : order;
    }
    int order = order_values(a, b);
    return column->descending ? -order : order;
}

static int sign(int order)
{
    return ORDER(order, 0);
}

/* --- values --------------------------------------------------------------------------------- */

static int64_t random_int(Random *random)
{
    static const int64_t edges[] = {0, 1, -1, INT64_MAX, INT64_MIN, 255, 256, -256, INT32_MAX};
    uint64_t shift = random_below(random, 64);

    if (random_below(random, 4) == 0)
        return edges[random_below(random, ARRAY_COUNT(edges))];
    return (int64_t)random_u64(random) >> shift;
}

static double random_float(Random *random)
{
    static const double edges[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, -NAN, 1.5, -1.5, 5e-324};

    if (random_below(random, 3) == 0)
        return edges[random_below(random, ARRAY_COUNT(edges))];
    return (double)random_int(random) / (double)(1 + random_below(random, 1000));
}

static Numeric random_numeric(Random *random)
{
    Numeric numeric = {.scale = (int32_t)random_below(random, NUMERIC_PRECISION_MAX + 1)};
    uint64_t digits = random_below(random, NUMERIC_PRECISION_MAX + 1);
    bool round = random_below(random, 2);

    if (random_below(random, 12) == 0)
        return (Numeric){.kind = (int32_t)(1 + random_below(random, 3))};
    for (uint64_t i = 0; i < digits; i++) {
        int digit = round && i > digits / 3 ? 0 : (int)random_below(random, 10);
        numeric.coefficient = numeric.coefficient * 10 + digit;
    }
    if (random_below(random, 2))
        numeric.coefficient = -numeric.coefficient;
    return numeric;
}

static StrView random_text(Random *random, Scope *scope)
{
    static const char letters[] = {0, 1, (char)0xff, (char)0xfe, 'a', 'b'};
    size_t len = random_below(random, 20);
    char *text = scope_alloc(scope, len + 1);

    for (size_t i = 0; i < len; i++)
        text[i] = letters[random_below(random, 1 + random_below(random, sizeof letters))];
    return strview_make(text, len);
}

static Datum random_value(Random *random, Scope *scope, SqlType type);

static StrView random_array(Random *random, Scope *scope, SqlType type)
{
    static const ArrayShape shapes[] = {
        {0, {0}, {0}}, {1, {1}, {1}},       {1, {2}, {1}},       {1, {2}, {-3}},
        {1, {4}, {1}}, {2, {2, 2}, {1, 1}}, {2, {4, 1}, {1, 1}}, {2, {1, 4}, {0, 1}},
    };
    static const uint32_t counts[] = {0, 1, 2, 2, 4, 4, 4, 4};
    Datum elements[ARRAY_ELEMENTS];
    uint64_t shape = random_below(random, ARRAY_COUNT(shapes));
    StrView array;
    Ctx ctx;

    ctx_init(&ctx);
    for (uint32_t i = 0; i < counts[shape]; i++) {
        elements[i] = random_value(random, scope, array_element_type(type));
        if (type.oid == OID_INT4_ARRAY)
            elements[i].int32 %= 3;
    }
    assert_int_equal(
        array_make(&ctx, scope, array_element_type(type), &shapes[shape], elements, &array), OK);
    ctx_free(&ctx);
    return array;
}

static Datum random_value(Random *random, Scope *scope, SqlType type)
{
    Datum datum = {.type = type, .is_null = random_below(random, 10) == 0};
    int64_t number = random_int(random);

    switch (type_phys(type)) {
    case PHYS_BOOL: datum.boolean = number & 1; break;
    case PHYS_INT16: datum.int16 = (int16_t)number; break;
    case PHYS_INT32: datum.int32 = (int32_t)number; break;
    case PHYS_INT64: datum.int64 = number; break;
    case PHYS_INT128: datum.int128 = (int128_t)number * random_int(random); break;
    case PHYS_FLOAT32: datum.float32 = (float)random_float(random); break;
    case PHYS_FLOAT64: datum.float64 = random_float(random); break;
    case PHYS_INTERVAL:
        datum.interval =
            (Interval){number, (int32_t)random_int(random) >> 3, (int32_t)random_int(random) >> 3};
        if (random_below(random, 2))
            datum.interval =
                (Interval){(int64_t)random_below(random, 2) * 86400000000,
                           (int32_t)random_below(random, 2) * 30, (int32_t)random_below(random, 3)};
        break;
    case PHYS_UUID:
        for (uint32_t i = 0; i < 16; i++)
            datum.uuid.bytes[i] = (uint8_t)(random_below(random, 3) * 127);
        break;
    case PHYS_NUMERIC: datum.numeric = random_numeric(random); break;
    default:
        datum.string =
            is_array(type) ? random_array(random, scope, type) : random_text(random, scope);
        break;
    }
    return datum;
}

/* --- checks --------------------------------------------------------------------------------- */

static Str make_key(Scope *scope, const KeyColumn *column, const Datum *datum)
{
    StrBuf *key = scope_new(scope, StrBuf);
    Vector v;

    strbuf_init_in(key, scope);
    strbuf_append_char(key, 'k'); /* appends to what is there */
    datum_to_vector(datum, scope, &v);
    key_append(key, column, &v, 3);
    size_t len = key->len;
    key_append_datum(key, column, datum);
    assert_memory_equal(key->ptr + 1, key->ptr + len, len - 1);
    return str_make(key->ptr + 1, len - 1);
}

static void check_read_back(Ctx *ctx, Scope *scope, const KeyColumn *column, Str key,
                            const Datum *datum)
{
    Datum out;
    Str rest = key;

    assert_int_equal(key_decode(ctx, scope, column, &rest, &out), OK);
    assert_int_equal(rest.len, 0);
    assert_int_equal(out.is_null, datum->is_null);
    assert_true(type_equal(out.type, datum->type));
    if (!datum->is_null)
        assert_int_equal(order_values(&out, datum), 0);
    for (size_t cut = 0; cut < key.len; cut++) {
        rest = str_make(key.ptr, cut);
        Status st = key_decode(ctx, scope, column, &rest, &out);
        /* A key of another value may end here only if this is a NULL's. */
        assert_int_equal(st, E_DATA_CORRUPTED);
        error_clear(ctx);
    }
}

static void check_type(Random *random, KeyColumn column)
{
    Scope *scope = scope_open(NULL, "test");
    Datum *values = scope_new_array(scope, Datum, VALUES);
    Str *keys = scope_new_array(scope, Str, VALUES);
    Ctx ctx;

    ctx_init(&ctx);
    for (uint32_t i = 0; i < VALUES; i++) {
        values[i] = random_value(random, scope, column.type);
        keys[i] = make_key(scope, &column, &values[i]);
        check_read_back(&ctx, scope, &column, keys[i], &values[i]);
    }
    for (uint32_t i = 0; i < VALUES; i++) {
        for (uint32_t j = 0; j < VALUES; j++) {
            int order = sign(order_datums(&column, &values[i], &values[j]));
            assert_int_equal(sign(str_compare(keys[i], keys[j])), order);
            /* No key is a prefix of another: what follows in a longer key cannot matter. */
            if (order)
                assert_false(keys[i].len <= keys[j].len &&
                             memcmp(keys[i].ptr, keys[j].ptr, keys[i].len) == 0);
        }
    }
    scope_close(scope);
    ctx_free(&ctx);
}

static void test_order(void **state)
{
    Random random;

    (void)state;
    random_seed(&random, 2024);
    for (uint32_t t = 0; t < ARRAY_COUNT(types); t++) {
        for (uint32_t flags = 0; flags < 4; flags++)
            check_type(&random, (KeyColumn){types[t], flags & 1, flags & 2});
    }
}

/* 1.0 and 1.00 are one key; -0.0 and 0.0; a month and 30 days. */
static void test_equal_values(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    KeyColumn numeric = {{OID_NUMERIC, -1}, false, false};
    KeyColumn real = {{OID_FLOAT4, -1}, false, false};
    KeyColumn interval = {{OID_INTERVAL, -1}, false, false};
    Datum one = {.type = numeric.type, .numeric = {.coefficient = 10, .scale = 1}};
    Datum same = {.type = numeric.type, .numeric = {.coefficient = 100, .scale = 2}};

    (void)state;
    assert_true(str_equal(make_key(scope, &numeric, &one), make_key(scope, &numeric, &same)));
    Datum zero = {.type = real.type, .float32 = 0.0f},
          minus = {.type = real.type, .float32 = -0.0f};
    assert_true(str_equal(make_key(scope, &real, &zero), make_key(scope, &real, &minus)));
    Datum month = {.type = interval.type, .interval = {0, 0, 1}};
    Datum days = {.type = interval.type, .interval = {0, 30, 0}};
    assert_true(str_equal(make_key(scope, &interval, &month), make_key(scope, &interval, &days)));
    scope_close(scope);
}

static void test_successor(void **state)
{
    StrBuf key;

    (void)state;
    strbuf_init(&key);
    strbuf_append(&key, "ab\xff\xff", 4);
    assert_true(key_successor(&key));
    assert_true(str_equal(strbuf_str(&key), STR("ac")));
    strbuf_clear(&key);
    assert_false(key_successor(&key));
    strbuf_append(&key, "\xff\xff", 2);
    assert_false(key_successor(&key));
    strbuf_free(&key);
}

static void test_malformed(void **state)
{
    Scope *scope = scope_open(NULL, "test");
    Random random;
    Ctx ctx;
    Datum out;

    (void)state;
    ctx_init(&ctx);
    random_seed(&random, 5);
    for (uint32_t i = 0; i < 60000; i++) {
        char noise[24];
        size_t len = random_below(&random, sizeof noise + 1);
        for (size_t b = 0; b < len; b++)
            noise[b] = (char)random_below(&random, b < 2 ? 6 : 256);
        Str key = {noise, len};
        KeyColumn column = {types[i % ARRAY_COUNT(types)], i & 1, i & 2};
        Status st = key_decode(&ctx, scope, &column, &key, &out);
        assert_true(st == OK || st == E_DATA_CORRUPTED);
        error_clear(&ctx);
        scope_reset(scope);
    }
    scope_close(scope);
    ctx_free(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_equal_values),
        cmocka_unit_test(test_successor),
        cmocka_unit_test(test_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
