// SPDX-License-Identifier: Apache-2.0
//
// Rows: random schemas of all physical forms, random batches (flat, constant, dictionary, NULLs),
// encoded and decoded again in any choice of columns; rows of several schema versions mixed; and
// bytes that are damaged, which must give an error or some row, never a fault. SOAK=1 runs more.
#include "os/random.h"
#include "storage/row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define COLUMNS_MAX_TEST 40
#define ROWS             300

static const SqlType types[] = {
    {OID_BOOL, -1},   {OID_INT2, -1},     {OID_INT4, -1}, {OID_INT8, -1},
    {OID_FLOAT4, -1}, {OID_FLOAT8, -1},   {OID_UUID, -1}, {OID_NUMERIC, ((30 << 16) | 4) + 4},
    {OID_TEXT, -1},   {OID_INTERVAL, -1}, {OID_TEXT, -1}, {OID_NUMERIC, -1},
};

typedef struct Table {
    Ctx ctx;
    Scope *scope;
    Random random;
    RowColumn columns[COLUMNS_MAX_TEST];
    RowSchema schemas[3]; /* each has some columns more, and lacks some of those before */
    const RowSchema *list[3];
    Relation relations[3]; /* as they were when each schema was current */
} Table;

/* --- values --------------------------------------------------------------------------------- */

static void random_bytes(Table *table, void *out, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)out)[i] = (uint8_t)random_u64(&table->random);
}

static StrView random_text(Table *table)
{
    static const uint32_t lens[] = {0, 1, 3, 4, 5, 11, 12, 13, 16, 40, 300};
    size_t len = lens[random_below(&table->random, ARRAY_COUNT(lens))];
    char *text = scope_alloc(table->scope, len + 1);

    random_bytes(table, text, len);
    return strview_make(text, len);
}

static Numeric random_numeric(Table *table)
{
    Numeric numeric = {.scale = (int32_t)random_below(&table->random, NUMERIC_PRECISION_MAX + 1)};
    uint64_t shift = random_below(&table->random, 128);

    if (random_below(&table->random, 10) == 0)
        return (Numeric){.kind = (int32_t)(1 + random_below(&table->random, 3))};
    random_bytes(table, &numeric.coefficient, 16);
    numeric.coefficient >>= shift;
    return numeric;
}

static void random_value(Table *table, PhysType phys, void *out)
{
    if (phys == PHYS_STRING)
        *(StrView *)out = random_text(table);
    else if (phys == PHYS_NUMERIC)
        *(Numeric *)out = random_numeric(table);
    else
        random_bytes(table, out, phys_size[phys]);
}

static void random_vector(Table *table, SqlType type, Vector *out)
{
    Vector flat;

    vector_init_flat(&flat, table->scope, type, ROWS);
    for (uint32_t i = 0; i < ROWS; i++)
        random_value(table, (PhysType)flat.phys, (char *)flat.values + i * phys_size[flat.phys]);
    if (random_below(&table->random, 2)) {
        uint64_t *validity = vector_make_validity(&flat, table->scope, ROWS);
        for (uint32_t i = 0; i < ROWS; i++) {
            if (random_below(&table->random, 4) == 0)
                bitmap_clear(validity, i);
        }
    }
    switch (random_below(&table->random, 3)) {
    case 0: *out = flat; return;
    case 1:
        vector_init_const(out, table->scope, type,
                          random_below(&table->random, 2) ? flat.values : NULL);
        return;
    default: break;
    }
    uint32_t *indexes = scope_new_array(table->scope, uint32_t, ROWS);
    for (uint32_t i = 0; i < ROWS; i++)
        indexes[i] = (uint32_t)random_below(&table->random, ROWS);
    vector_slice(out, table->scope, &flat, indexes, ROWS);
}

/* --- tables --------------------------------------------------------------------------------- */

static void make_table(Table *table, uint64_t seed, uint32_t columns_count)
{
    memset(table, 0, sizeof *table);
    ctx_init(&table->ctx);
    random_seed(&table->random, seed);
    table->scope = scope_open(NULL, "test");
    for (uint32_t i = 0; i < columns_count; i++) {
        SqlType type = types[random_below(&table->random, ARRAY_COUNT(types))];
        table->columns[i] = (RowColumn){i * 3 + 1, type, datum_null(type)};
        if (random_below(&table->random, 2) == 0)
            continue;
        table->columns[i].missing.is_null = false;
        random_value(table, type_phys(type), table->columns[i].missing.bytes);
    }
    uint32_t third = columns_count / 3;
    table->schemas[0] = (RowSchema){7, 2 * third, table->columns};
    table->schemas[1] = (RowSchema){8, columns_count - third, table->columns + third};
    table->schemas[2] = (RowSchema){300, columns_count, table->columns};
    for (uint32_t s = 0; s < 3; s++) {
        table->list[s] = &table->schemas[s];
        table->relations[s] = (Relation){1001, table->list, s + 1};
    }
}

static void free_table(Table *table)
{
    scope_close(table->scope);
    ctx_free(&table->ctx);
}

static void random_batch(Table *table, const RowSchema *schema, Batch *out)
{
    *out = (Batch){ROWS, schema->columns_count,
                   scope_new_array(table->scope, Vector, schema->columns_count)};
    for (uint32_t c = 0; c < schema->columns_count; c++)
        random_vector(table, schema->columns[c].type, &out->columns[c]);
}

/* Encodes a batch as rows of a version. */
static void encode(Table *table, const Relation *relation, const Batch *batch, Str *rows)
{
    StrBuf *out = scope_new(table->scope, StrBuf);
    size_t ends[ROWS], start = 3;
    uint32_t half = ROWS / 2;

    strbuf_init_in(out, table->scope);
    strbuf_append(out, "abc", 3);
    assert_int_equal(row_encode_batch(&table->ctx, relation, batch, 0, half, out, ends), OK);
    assert_int_equal(
        row_encode_batch(&table->ctx, relation, batch, half, ROWS - half, out, ends + half), OK);
    assert_int_equal(ends[ROWS - 1], out->len);
    for (uint32_t i = 0; i < ROWS; i++) {
        rows[i] = str_make(out->ptr + start, ends[i] - start);
        start = ends[i];
    }
}

/* --- checks --------------------------------------------------------------------------------- */

static bool same_value(PhysType phys, const void *a, const void *b)
{
    if (phys == PHYS_STRING)
        return strview_equal(a, b);
    if (phys == PHYS_NUMERIC) {
        const Numeric *x = a, *y = b;
        return x->kind == y->kind &&
               (x->kind || (x->coefficient == y->coefficient && x->scale == y->scale));
    }
    return memcmp(a, b, phys_size[phys]) == 0;
}

static const void *value_at(const Vector *v, uint32_t row)
{
    return (const char *)v->values + (size_t)vector_index(v, row) * phys_size[v->phys];
}

static void check_value(const Vector *out, uint32_t row, bool null, const void *expected)
{
    assert_int_equal(vector_is_null(out, row), null);
    if (!null)
        assert_true(same_value((PhysType)out->phys, value_at(out, row), expected));
}

/* Row `row` of the result, which was row `from` of `batch`, written by `schema`. */
static void check_row(const Table *table, const Batch *out, const uint32_t *wanted, uint32_t row,
                      const RowSchema *schema, const Batch *batch, uint32_t from)
{
    for (uint32_t c = 0; c < out->columns_count; c++) {
        const RowColumn *column = &table->schemas[2].columns[wanted[c]];
        const Vector *source = NULL;
        for (uint32_t i = 0; i < schema->columns_count; i++) {
            if (schema->columns[i].column_id == column->column_id)
                source = &batch->columns[i];
        }
        if (source)
            check_value(&out->columns[c], row, vector_is_null(source, from),
                        value_at(source, from));
        else
            check_value(&out->columns[c], row, column->missing.is_null, column->missing.bytes);
    }
}

static void check_decode(Table *table, Batch batches[3], Str rows[3][ROWS])
{
    uint32_t wanted[COLUMNS_MAX_TEST], schemas[ROWS];
    uint32_t wanted_count = (uint32_t)random_below(&table->random, table->schemas[2].columns_count);
    uint32_t count = 1 + (uint32_t)random_below(&table->random, ROWS);
    uint64_t mix = random_below(&table->random, 3);
    Str mixed[ROWS];
    Batch out;

    for (uint32_t c = 0; c < wanted_count; c++)
        wanted[c] = (uint32_t)random_below(&table->random, table->schemas[2].columns_count);
    for (uint32_t i = 0; i < count; i++) {
        schemas[i] = mix == 0   ? 2
                     : mix == 1 ? i * 3 / count
                                : (uint32_t)random_below(&table->random, 3);
        mixed[i] = rows[schemas[i]][i];
    }
    RowCodec *codec = row_codec_new(table->scope, &table->relations[2], wanted, wanted_count);
    assert_int_equal(row_decode(&table->ctx, table->scope, codec, mixed, count, &out), OK);
    assert_int_equal(out.rows_count, count);
    assert_int_equal(out.columns_count, wanted_count);
    for (uint32_t i = 0; i < count; i++)
        check_row(table, &out, wanted, i, &table->schemas[schemas[i]], &batches[schemas[i]], i);
}

/* Damages copies that end where their memory ends, so that a sanitizer sees what is read beyond. */
static void check_damage(Table *table, const Str *rows)
{
    uint32_t wanted[COLUMNS_MAX_TEST];
    uint32_t count = table->schemas[2].columns_count;
    Batch out;

    for (uint32_t c = 0; c < count; c++)
        wanted[c] = c;
    RowCodec *codec = row_codec_new(table->scope, &table->relations[2], wanted, count);
    for (uint32_t i = 0; i < 60; i++) {
        Str row = rows[random_below(&table->random, ROWS)];
        size_t len =
            random_below(&table->random, 2) ? row.len : random_below(&table->random, row.len + 1);
        char *damaged = malloc(len ? len : 1);
        memcpy(damaged, row.ptr, len);
        for (uint32_t b = 0; b < random_below(&table->random, 3) && len > 2; b++)
            damaged[2 + random_below(&table->random, len - 2)] ^=
                (char)(1 << random_below(&table->random, 8));
        Str copy = str_make(damaged, len);
        Status st = row_decode(&table->ctx, table->scope, codec, &copy, 1, &out);
        assert_true(st == OK || st == E_DATA_CORRUPTED);
        assert_true(len >= 2 || st == E_DATA_CORRUPTED);
        for (uint32_t c = 0; st == OK && c < count; c++) {
            if (out.columns[c].phys == PHYS_STRING)
                free(memcpy(malloc(row.len + 300), strview_bytes(out.columns[c].values),
                            ((StrView *)out.columns[c].values)->len));
        }
        error_clear(&table->ctx);
        free(damaged);
    }
}

static void test_random(void **state)
{
    uint64_t seeds = getenv("SOAK") ? 3000 : 120;

    (void)state;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        Table table;
        Batch batches[3];
        Str rows[3][ROWS];
        make_table(&table, seed, 3 + (uint32_t)(seed % (COLUMNS_MAX_TEST - 3)));
        for (uint32_t s = 0; s < 3; s++) {
            random_batch(&table, &table.schemas[s], &batches[s]);
            encode(&table, &table.relations[s], &batches[s], rows[s]);
        }
        for (uint32_t i = 0; i < 6; i++)
            check_decode(&table, batches, rows);
        check_damage(&table, rows[2]);
        free_table(&table);
    }
}

/* One text column alone: a row shorter than the 16 bytes that views are read with. */
static void test_one_column(void **state)
{
    Table table;
    Vector v;
    Batch batch = {4, 1, &v}, out;
    Str texts[] = {STR(""), STR("a"), STR("twelve bytes"), STR("thirteen byte")};
    StrBuf buf;
    size_t ends[4];
    Str rows[4];
    uint32_t wanted = 0;

    (void)state;
    make_table(&table, 1, 3);
    RowColumn column = {1, {OID_TEXT, -1}, datum_null((SqlType){OID_TEXT, -1})};
    RowSchema schema = {0, 1, &column};
    const RowSchema *list = &schema;
    Relation relation = {1001, &list, 1};
    vector_init_flat(&v, table.scope, column.type, 4);
    for (uint32_t i = 0; i < 4; i++)
        vector_flat(&v, StrView)[i] = strview_make(texts[i].ptr, texts[i].len);
    strbuf_init_in(&buf, table.scope);
    assert_int_equal(row_encode_batch(&table.ctx, &relation, &batch, 0, 4, &buf, ends), OK);
    /* version, bitmap, one end offset, the bytes */
    assert_int_equal(ends[0], 2 + 1 + 4);
    assert_int_equal(ends[3] - ends[2], 2 + 1 + 4 + 13);
    for (uint32_t i = 0; i < 4; i++)
        rows[i] = str_make(buf.ptr + (i ? ends[i - 1] : 0), ends[i] - (i ? ends[i - 1] : 0));
    RowCodec *codec = row_codec_new(table.scope, &relation, &wanted, 1);
    assert_int_equal(row_decode(&table.ctx, table.scope, codec, rows, 4, &out), OK);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(str_equal(strview_str(&vector_at(&out.columns[0], StrView, i)), texts[i]));
    assert_int_equal(row_decode(&table.ctx, table.scope, codec, rows, 0, &out), OK);
    assert_int_equal(out.rows_count, 0);
    free_table(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_one_column),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
