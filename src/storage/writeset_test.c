// SPDX-License-Identifier: Apache-2.0
//
// Write sets against a naive model: random puts, deletes, savepoints and rollbacks over several
// relations; then the walk in key order, the log's payload cut into random pieces and read back,
// and installing into a generation. DBASPOT_SEED replays one seed, SOAK=1 runs more of them.
#include "os/random.h"
#include "storage/delta/delta.h"
#include "storage/writeset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define RELATIONS 3
#define KEYS      150
#define MARKS     12

/* --- the model ------------------------------------------------------------------------------ */

typedef struct ModelWrite {
    WriteFound found;
    uint64_t value; /* its row is these 8 bytes, repeated */
    Timestamp seen_ts;
} ModelWrite;

typedef struct ModelState {
    ModelWrite writes[RELATIONS][KEYS];
} ModelState;

typedef struct Model {
    WriteSet *set;
    Ctx ctx;
    Scope *scope;
    Random random;
    ModelState now;
    ModelState saved[MARKS];
    WriteMark marks[MARKS];
    uint32_t marks_count;
    uint64_t values;
} Model;

static RelationId relation_id(uint32_t relation)
{
    return 2000 - relation * 300;
}

static Str key_of(uint32_t number, char buffer[16])
{
    return str_make(buffer, (size_t)snprintf(buffer, 16, "key%05u", number * 37));
}

static Str row_of(uint64_t value, uint64_t buffer[16])
{
    for (uint32_t i = 0; i < 16; i++)
        buffer[i] = value;
    return str_make((char *)buffer, value % 120);
}

static void check_write(const ModelWrite *expected, WriteFound found, Str row)
{
    uint64_t buffer[16];

    assert_int_equal(found, expected->found);
    if (found == WRITE_ROW)
        assert_true(str_equal(row, row_of(expected->value, buffer)));
}

static void check_reads(Model *model)
{
    char buffer[16];
    Str row;
    uint64_t keys = 0;

    for (uint32_t r = 0; r < RELATIONS; r++) {
        uint64_t relation_keys = 0;
        for (uint32_t k = 0; k < KEYS; k++) {
            Str key = key_of(k, buffer);
            const ModelWrite *expected = &model->now.writes[r][k];
            check_write(expected, writeset_get(model->set, relation_id(r), key, &row), row);
            relation_keys += expected->found != WRITE_ABSENT;
            if (model->marks_count == 0)
                continue;
            uint32_t m = (uint32_t)random_below(&model->random, model->marks_count);
            check_write(&model->saved[m].writes[r][k],
                        writeset_get_at(model->set, relation_id(r), key, model->marks[m], &row),
                        row);
        }
        assert_int_equal(writeset_has_relation(model->set, relation_id(r)), relation_keys > 0);
        keys += relation_keys;
    }
    assert_true(writeset_rows(model->set) == keys);
    assert_int_equal(writeset_is_empty(model->set), keys == 0);
}

static void check_items(Model *model, const WriteSet *set, bool with_seen)
{
    WriteIter *iter = writeset_iter_new(model->scope, set);
    WriteItem item;
    char buffer[16];

    /* Ascending by id: the relations of the model, last one first. */
    for (uint32_t r = RELATIONS; r-- > 0;) {
        for (uint32_t k = 0; k < KEYS; k++) {
            const ModelWrite *expected = &model->now.writes[r][k];
            if (expected->found == WRITE_ABSENT)
                continue;
            assert_true(writeset_iter_next(iter, &item));
            assert_int_equal(item.relation, relation_id(r));
            assert_true(str_equal(item.key, key_of(k, buffer)));
            check_write(expected, item.tombstone ? WRITE_TOMBSTONE : WRITE_ROW, item.row);
            if (with_seen)
                assert_true(item.seen_ts == expected->seen_ts);
        }
    }
    assert_false(writeset_iter_next(iter, &item));
}

/* --- operations ----------------------------------------------------------------------------- */

static void write_one(Model *model)
{
    uint32_t r = (uint32_t)random_below(&model->random, RELATIONS);
    uint32_t k = (uint32_t)random_below(&model->random, KEYS);
    Timestamp seen_ts = 100 + random_below(&model->random, 3);
    ModelWrite *write = &model->now.writes[r][k];
    char key_buffer[16];
    uint64_t row_buffer[16];
    Str key = key_of(k, key_buffer);

    if (write->found != WRITE_ABSENT)
        write->seen_ts = MIN(write->seen_ts, seen_ts);
    else
        write->seen_ts = seen_ts;
    write->value = ++model->values;
    if (random_below(&model->random, 4)) {
        write->found = WRITE_ROW;
        assert_int_equal(writeset_put(&model->ctx, model->set, relation_id(r), key,
                                      row_of(write->value, row_buffer), seen_ts),
                         OK);
    } else {
        write->found = WRITE_TOMBSTONE;
        assert_int_equal(writeset_delete(&model->ctx, model->set, relation_id(r), key, seen_ts),
                         OK);
    }
}

static void take_mark(Model *model)
{
    if (model->marks_count == MARKS)
        return;
    model->saved[model->marks_count] = model->now;
    model->marks[model->marks_count++] = writeset_mark(model->set);
}

static void roll_back(Model *model)
{
    if (model->marks_count == 0)
        return;
    uint32_t m = (uint32_t)random_below(&model->random, model->marks_count);
    writeset_rollback(model->set, model->marks[m]);
    model->now = model->saved[m];
    model->marks_count = m + (uint32_t)random_below(&model->random, 2);
    if (model->marks_count > m)
        model->marks[m] = writeset_mark(model->set);
}

static void check_code(Model *model)
{
    uint64_t bytes = writeset_encoded_bytes(model->set);
    char *payload = malloc(bytes + 1);
    WriteEncoder *encoder = writeset_encoder_new(model->scope, model->set);
    WriteSet *decoded = writeset_new();
    WriteDecoder *decoder = writeset_decoder_new(model->scope, decoded);
    size_t at = 0, got;

    do {
        size_t piece = 1 + random_below(&model->random, 300);
        got = writeset_encode(encoder, payload + at, MIN(piece, bytes + 1 - at));
        at += got;
    } while (got);
    assert_true(at == bytes);
    for (at = 0; at < bytes; at += got) {
        size_t piece = 1 + random_below(&model->random, 300);
        got = MIN(piece, bytes - at);
        assert_int_equal(writeset_decode(&model->ctx, decoder, payload + at, got), OK);
    }
    assert_int_equal(writeset_decode_end(&model->ctx, decoder), OK);
    check_items(model, decoded, false);
    writeset_free(decoded);
    free(payload);
}

static void check_install(Model *model)
{
    DeltaGeneration *generation = generation_new();
    char buffer[16];

    generation_install(generation, model->set, 77);
    assert_true(writeset_is_empty(model->set));
    for (uint32_t r = 0; r < RELATIONS; r++) {
        for (uint32_t k = 0; k < KEYS; k++) {
            const DeltaVersion *version =
                generation_get(generation, relation_id(r), key_of(k, buffer), 77);
            const ModelWrite *expected = &model->now.writes[r][k];
            assert_int_equal(version != NULL, expected->found != WRITE_ABSENT);
            if (version == NULL)
                continue;
            assert_true(version->commit_ts == 77 && delta_version_next(version) == NULL);
            check_write(expected, delta_version_is_tombstone(version) ? WRITE_TOMBSTONE : WRITE_ROW,
                        delta_version_row(version));
        }
    }
    generation_unref(generation);
}

static void run_model(uint64_t seed)
{
    Model *model = calloc(1, sizeof *model);

    random_seed(&model->random, seed);
    ctx_init(&model->ctx);
    model->scope = scope_open(NULL, "test");
    model->set = writeset_new();
    for (uint32_t round = 0; round < 3; round++) {
        memset(&model->now, 0, sizeof model->now);
        model->marks_count = 0;
        for (uint32_t i = 0; i < 600; i++) {
            uint64_t dice = random_below(&model->random, 100);
            if (dice < 85)
                write_one(model);
            else if (dice < 93)
                take_mark(model);
            else if (dice < 97)
                roll_back(model);
            else
                check_reads(model);
        }
        check_reads(model);
        check_items(model, model->set, true);
        check_code(model);
        check_install(model);
        if (round == 1)
            writeset_clear(model->set);
    }
    writeset_free(model->set);
    scope_close(model->scope);
    ctx_free(&model->ctx);
    free(model);
}

static void test_model(void **state)
{
    const char *seed = getenv("DBASPOT_SEED");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1;
    uint64_t last = seed ? first : getenv("SOAK") ? 3000 : 60;

    (void)state;
    for (uint64_t s = first; s <= last; s++) {
        printf("seed %llu\n", (unsigned long long)s);
        run_model(s);
    }
}

/* --- large sets ----------------------------------------------------------------------------- */

static Str number_key(uint64_t number, uint64_t *buffer)
{
    *buffer = __builtin_bswap64(number);
    return str_make((char *)buffer, 8);
}

static void fill(Ctx *ctx, WriteSet *set, RelationId relation, uint64_t from, uint64_t to)
{
    uint64_t key, row[8] = {0};

    for (uint64_t n = from; n < to; n++) {
        row[0] = n;
        assert_int_equal(writeset_put(ctx, set, relation, number_key(n, &key),
                                      str_make((char *)row, sizeof row), 5),
                         OK);
    }
}

static void check_filled(const DeltaGeneration *generation, RelationId relation, uint64_t to)
{
    DeltaIter iter;
    uint64_t n = 0, key;

    delta_iter_open(&iter, generation, relation, (KeyRange){0}, false);
    while (delta_iter_next(&iter)) {
        for (uint32_t i = 0; i < iter.count; i++, n++) {
            uint64_t word;
            assert_true(str_equal(delta_version_key(iter.block[i]), number_key(n, &key)));
            memcpy(&word, delta_version_row(iter.block[i]).ptr, 8);
            assert_true(word == n);
        }
    }
    assert_true(n == to);
    assert_true(generation_relation_rows(generation, relation) == to);
}

/* The tree itself is taken over by an empty relation; by one with rows, the versions are. */
static void test_large_install(void **state)
{
    DeltaGeneration *generation = generation_new();
    WriteSet *set = writeset_new();
    Ctx ctx;

    (void)state;
    ctx_init(&ctx);
    fill(&ctx, set, 1001, 0, 20000);
    fill(&ctx, set, 1002, 0, 10);
    size_t bytes = writeset_bytes(set);
    generation_install(generation, set, 10);
    assert_true(generation_bytes(generation) >= bytes - 100000);
    fill(&ctx, set, 1001, 15000, 40000);
    fill(&ctx, set, 1002, 5, 30000);
    WriteMark mark = writeset_mark(set);
    fill(&ctx, set, 1002, 10000, 30000);
    fill(&ctx, set, 1003, 0, 30000);
    writeset_rollback(set, mark);
    assert_false(writeset_has_relation(set, 1003));
    generation_install(generation, set, 11);
    writeset_free(set);
    check_filled(generation, 1001, 40000);
    check_filled(generation, 1002, 30000);
    assert_int_equal(generation_relation_rows(generation, 1003), 0);
    uint64_t key;
    const DeltaVersion *version = generation_get(generation, 1001, number_key(16000, &key), 99);
    assert_true(version->commit_ts == 11);
    version = delta_version_next(version);
    assert_true(version && version->commit_ts == 10 && delta_version_next(version) == NULL);
    generation_unref(generation);
    ctx_free(&ctx);
}

static void test_rollback_gives_memory_back(void **state)
{
    WriteSet *set = writeset_new();
    Ctx ctx;

    (void)state;
    ctx_init(&ctx);
    fill(&ctx, set, 1001, 0, 1000);
    WriteMark mark = writeset_mark(set);
    fill(&ctx, set, 1001, 0, 20000);
    size_t bytes = writeset_bytes(set);
    for (uint32_t i = 0; i < 20; i++) {
        writeset_rollback(set, mark);
        fill(&ctx, set, 1001, 0, 20000);
    }
    assert_true(writeset_bytes(set) < bytes + bytes / 2);
    assert_true(writeset_rows(set) == 20000);
    writeset_drop_relation(set, 1001);
    assert_true(writeset_is_empty(set));
    writeset_rollback(set, mark);
    assert_true(writeset_is_empty(set));
    writeset_free(set);
    ctx_free(&ctx);
}

/* --- limits and bad bytes ------------------------------------------------------------------- */

static void test_limits(void **state)
{
    WriteSet *set = writeset_new();
    Ctx ctx;
    char *large = calloc(1, 1 << 20);

    (void)state;
    ctx_init(&ctx);
    assert_int_equal(writeset_put(&ctx, set, 1001, str_make(large, 70000), STR(""), 0),
                     E_PROGRAM_LIMIT_EXCEEDED);
    error_clear(&ctx);
    assert_int_equal(
        writeset_put(&ctx, set, 1001, STR("k"), str_make(large, ((size_t)1 << 30) + 1), 0),
        E_PROGRAM_LIMIT_EXCEEDED);
    error_clear(&ctx);
    writeset_set_budget(set, 100000);
    assert_int_equal(writeset_put(&ctx, set, 1001, STR("k"), str_make(large, 1 << 20), 0),
                     E_OUT_OF_MEMORY);
    error_clear(&ctx);
    assert_true(writeset_is_empty(set));
    assert_int_equal(writeset_put(&ctx, set, 1001, STR(""), STR(""), 0), OK);
    Str row;
    assert_int_equal(writeset_get(set, 1001, STR(""), &row), WRITE_ROW);
    writeset_free(set);
    free(large);
    ctx_free(&ctx);
}

static Status decode(const void *bytes, size_t count)
{
    DeltaGeneration *generation = generation_new();
    Ctx ctx;

    ctx_init(&ctx);
    Status st = writeset_decode_into(&ctx, generation, 5, bytes, count);
    generation_unref(generation);
    ctx_free(&ctx);
    return st;
}

static void test_malformed_payload(void **state)
{
    /* relation 1, row with key "k" and row "r" */
    static const char good[] = {1 << 2 | 2, 1 << 2, 1, 'k', 'r'};
    Random random;

    (void)state;
    assert_int_equal(decode(good, sizeof good), OK);
    assert_int_equal(decode(good, 0), OK);
    for (size_t cut = 2; cut < sizeof good; cut++)
        assert_int_equal(decode(good, cut), E_DATA_CORRUPTED);
    assert_int_equal(decode(good + 1, sizeof good - 1), E_DATA_CORRUPTED); /* no relation */
    assert_int_equal(decode("\x02", 1), E_DATA_CORRUPTED);                 /* relation 0 */
    assert_int_equal(decode("\x06\x07", 2), E_DATA_CORRUPTED);             /* kind 3 */
    assert_int_equal(decode("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11), E_DATA_CORRUPTED);
    random_seed(&random, 7);
    for (uint32_t i = 0; i < 20000; i++) {
        char noise[24];
        for (size_t b = 0; b < sizeof noise; b++)
            noise[b] = (char)random_below(&random, b < 6 ? 16 : 256);
        Status st = decode(noise, sizeof noise);
        assert_true(st == OK || st == E_DATA_CORRUPTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_large_install),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_rollback_gives_memory_back),
        cmocka_unit_test(test_malformed_payload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
