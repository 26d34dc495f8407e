// SPDX-License-Identifier: Apache-2.0
//
// Tests of the TPC-H generator: the same rows however a table is cut, the sizes and rules of the
// specification, and (at scale 1) how near the answers of some queries come to those that the
// specification publishes. Expected figures are the specification's, or follow from its formulas.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "cli/workload/tpch_csv.h"
#include "cli/workload/tpch_text.h"

#define DATE_1993_07_01 547
#define DATE_1993_10_01 639
#define DATE_1994_01_01 731
#define DATE_1995_01_01 1096
#define DATE_1995_09_01 1339
#define DATE_1995_10_01 1369
#define DATE_1998_09_02 2436

static Tpch small; /* scale 0.01 */
static Tpch full;  /* scale 1 */

static void make_tpch(double scale, uint64_t seed, Tpch *out)
{
    Ctx ctx;

    ctx_init(&ctx);
    assert_int_equal(tpch_init(&ctx, scale, seed, out), OK);
    ctx_free(&ctx);
}

static int setup(void **state)
{
    (void)state;
    make_tpch(0.01, TPCH_SEED_DEFAULT, &small);
    make_tpch(1, TPCH_SEED_DEFAULT, &full);
    return 0;
}

static void assert_within(double actual, double expected, double tolerance)
{
    if (actual < expected * (1 - tolerance) || actual > expected * (1 + tolerance))
        fail_msg("%.6g is not within %.3g %% of %.6g", actual, tolerance * 100, expected);
}

static void sizes_follow_the_scale(void **state)
{
    static const int64_t AT_ONE[] = {5, 25, 10000, 150000, 200000, 800000, 1500000, 6000000};
    Tpch tpch;

    (void)state;
    for (TpchTable table = 0; table < TPCH_TABLES; table++) {
        int64_t at_small = AT_ONE[table] / (table <= TPCH_NATION ? 1 : 100);

        assert_int_equal(tpch_rows_expected(&full, table), AT_ONE[table]);
        assert_int_equal(tpch_rows_expected(&small, table), at_small);
    }
    make_tpch(TPCH_SCALE_MIN, 1, &tpch);
    assert_int_equal(tpch.suppliers, 10);
    make_tpch(0.07, 1, &tpch);
    assert_int_equal(tpch.customers, 10500);
}

static void a_scale_out_of_bounds_is_refused(void **state)
{
    static const double BAD[] = {0, -1, 0.0009, 1e6, 1e300, __builtin_nan("")};
    Tpch tpch;

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(BAD); i++) {
        Ctx ctx;

        ctx_init(&ctx);
        assert_int_equal(tpch_init(&ctx, BAD[i], 1, &tpch), E_INVALID_PARAMETER_VALUE);
        ctx_free(&ctx);
    }
}

/* Every table at once and in uneven pieces made backwards: the same bytes. */
static void rows_do_not_depend_on_the_cut(void **state)
{
    Tpch again;

    (void)state;
    make_tpch(0.01, TPCH_SEED_DEFAULT, &again);
    for (TpchTable table = 0; table < TPCH_TABLES; table++) {
        int64_t units = tpch_units_count(&small, table);
        StrBuf whole, piece;
        size_t end;

        strbuf_init(&whole);
        strbuf_init(&piece);
        tpch_csv_put_units(&small, table, TPCH_EOL_LF, 0, units, &whole);
        end = whole.len;
        for (int64_t left = units; left > 0;) {
            int64_t count = MIN(left, 997);

            left -= count;
            strbuf_clear(&piece);
            tpch_csv_put_units(&again, table, TPCH_EOL_LF, left, count, &piece);
            assert_true(piece.len <= end);
            end -= piece.len;
            assert_memory_equal(piece.ptr, whole.ptr + end, piece.len);
        }
        assert_int_equal(end, 0);
        strbuf_free(&whole);
        strbuf_free(&piece);
    }
}

static void another_seed_gives_other_rows(void **state)
{
    Tpch other;
    TpchOrder a, b;
    int equal_dates = 0;

    (void)state;
    make_tpch(0.01, TPCH_SEED_DEFAULT + 1, &other);
    for (int64_t i = 0; i < 1000; i++) {
        tpch_order_make(&small, i, &a);
        tpch_order_make(&other, i, &b);
        equal_dates += a.date == b.date;
    }
    assert_true(equal_dates < 10);
}

static void order_keys_use_eight_of_thirty_two(void **state)
{
    TpchOrder order;
    int64_t before = 0;

    (void)state;
    for (int64_t i = 0; i < small.orders; i++) {
        tpch_order_make(&small, i, &order);
        assert_true(order.key > before && order.key % 32 < 8);
        before = order.key;
    }
    tpch_order_make(&full, full.orders - 1, &order);
    assert_int_equal(order.key, 6000000);
}

static void a_third_of_the_customers_has_no_orders(void **state)
{
    static bool seen[1501];
    TpchOrder order;
    int with_orders = 0;

    (void)state;
    memset(seen, 0, sizeof seen);
    for (int64_t i = 0; i < small.orders; i++) {
        tpch_order_make(&small, i, &order);
        assert_in_range(order.customer, 1, small.customers);
        assert_true(order.customer % 3 != 0);
        with_orders += !seen[order.customer];
        seen[order.customer] = true;
    }
    assert_within(with_orders, 1000, 0.02);
}

static void prices_follow_the_formula(void **state)
{
    TpchPart part;

    (void)state;
    assert_int_equal(tpch_part_price_cents(1), 90100);
    assert_int_equal(tpch_part_price_cents(999), 90000 + 99 + 99900);
    assert_int_equal(tpch_part_price_cents(200000), 90000 + 20000);
    assert_int_equal(tpch_part_price_cents(200010), 90000 + 0 + 1000);
    tpch_part_make(&small, 41, &part);
    assert_int_equal(part.price_cents, 90000 + 4 + 4200);
}

static void a_part_has_four_suppliers_at_every_scale(void **state)
{
    static const int64_t OF_PART_1[] = {2, 2502, 5002, 7502};

    (void)state;
    for (int i = 0; i < TPCH_PART_SUPPLIERS; i++)
        assert_int_equal(tpch_part_supplier(&full, 1, i), OF_PART_1[i]);
    for (int suppliers = 10; suppliers <= 400; suppliers++) {
        Tpch tpch;

        make_tpch(suppliers / 10000.0, 1, &tpch);
        assert_int_equal(tpch.suppliers, suppliers);
        for (int64_t part = 1; part <= tpch.parts; part += 7) {
            int64_t s[TPCH_PART_SUPPLIERS];

            for (int i = 0; i < TPCH_PART_SUPPLIERS; i++) {
                s[i] = tpch_part_supplier(&tpch, part, i);
                assert_in_range(s[i], 1, suppliers);
                for (int j = 0; j < i; j++)
                    assert_true(s[i] != s[j]);
            }
        }
    }
}

static void check_line(const TpchOrder *order, const TpchLine *line)
{
    bool offered = false;

    for (int i = 0; i < TPCH_PART_SUPPLIERS; i++)
        offered |= tpch_part_supplier(&small, line->part, i) == line->supplier;
    assert_true(offered);
    assert_in_range(line->part, 1, small.parts);
    assert_in_range(line->quantity, 1, 50);
    assert_in_range(line->discount, 0, 10);
    assert_in_range(line->tax, 0, 8);
    assert_int_equal(line->extended_price_cents,
                     line->quantity * tpch_part_price_cents(line->part));
    assert_in_range(line->ship_date - order->date, 1, 121);
    assert_in_range(line->commit_date - order->date, 30, 90);
    assert_in_range(line->receipt_date - line->ship_date, 1, 30);
    assert_in_range(line->receipt_date, 0, TPCH_DATE_COUNT - 1);
    assert_int_equal(line->return_flag == 'N', line->receipt_date > TPCH_CURRENT_DATE);
    assert_int_equal(line->status == 'O', line->ship_date > TPCH_CURRENT_DATE);
}

static void orders_and_lines_keep_the_rules(void **state)
{
    TpchOrder order;

    (void)state;
    assert_memory_equal(small.dates[TPCH_CURRENT_DATE], "1995-06-17", TPCH_DATE_BYTES);
    assert_memory_equal(small.dates[TPCH_ORDER_DATE_COUNT - 1], "1998-08-02", TPCH_DATE_BYTES);
    for (int64_t i = 0; i < small.orders; i++) {
        double price = 0;
        int open_lines = 0;

        tpch_order_make(&small, i, &order);
        assert_in_range(order.date, 0, TPCH_ORDER_DATE_COUNT - 1);
        assert_in_range(order.clerk, 1, 10);
        assert_in_range(order.lines_count, 1, TPCH_LINES_MAX);
        for (int j = 0; j < order.lines_count; j++) {
            const TpchLine *line = &order.lines[j];

            check_line(&order, line);
            price += (double)line->extended_price_cents * (1 + line->tax / 100.0) *
                     (1 - line->discount / 100.0);
            open_lines += line->status == 'O';
        }
        assert_true(price - (double)order.total_price_cents < 0.51);
        assert_true((double)order.total_price_cents - price < 0.51);
        assert_int_equal(order.status == 'F', open_lines == 0);
        assert_int_equal(order.status == 'O', open_lines == order.lines_count);
    }
}

static void phones_begin_with_the_country(void **state)
{
    TpchCustomer customer;
    char country[16];

    (void)state;
    for (int64_t i = 0; i < small.customers; i++) {
        tpch_customer_make(&small, i, &customer);
        snprintf(country, sizeof country, "%02d", 10 + customer.nation);
        assert_memory_equal(customer.phone, country, 2);
        for (int at = 2; at < TPCH_PHONE_BYTES; at++)
            assert_true(at == 2 || at == 6 || at == 10
                            ? customer.phone[at] == '-'
                            : customer.phone[at] >= '0' && customer.phone[at] <= '9');
        assert_in_range(customer.address_bytes, 10, 40);
        assert_true(customer.balance_cents >= -99999 && customer.balance_cents <= 999999);
    }
}

static void colors_of_a_part_differ(void **state)
{
    TpchPart part;

    (void)state;
    for (int64_t i = 0; i < small.parts; i++) {
        tpch_part_make(&small, i, &part);
        assert_int_equal(part.brand / 10, part.manufacturer);
        assert_in_range(part.size, 1, 50);
        for (int a = 0; a < 5; a++)
            for (int b = 0; b < a; b++)
                assert_true(part.colors[a] != part.colors[b]);
    }
}

/* True if a whole word of a text is one of the grammar's. */
static bool word_is_known(Str word)
{
    if (str_is(word, "the"))
        return true;
    for (TpchClass class = 0; class < TPCH_TERMINATOR; class ++) {
        for (int32_t i = 0; i < full.class_words[class]; i++) {
            Str entry = str_from(tpch_word(&full, class, i)->text);

            /* Entries of more than one word ("pinto beans") are met a word at a time. */
            for (size_t at = 0; at + word.len <= entry.len; at++) {
                bool starts = at == 0 || entry.ptr[at - 1] == ' ';
                bool ends = at + word.len == entry.len || entry.ptr[at + word.len] == ' ';

                if (starts && ends && memcmp(entry.ptr + at, word.ptr, word.len) == 0)
                    return true;
            }
        }
    }
    return false;
}

static void texts_are_made_of_the_grammars_words(void **state)
{
    TpchRng rng = {42};
    char text[100 + TPCH_TEXT_SLACK];
    size_t bytes_sum = 0;
    int words = 0;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        size_t bytes = tpch_text_make(&full, &rng, 40, 100, text);
        size_t start = bytes;

        assert_in_range(bytes, 40, 100);
        bytes_sum += bytes;
        for (size_t at = 0; at < bytes; at++) {
            if (!strchr(" .,;:?!", text[at]))
                continue;
            if (start < at && memcmp(text + start, "--", MIN(at - start, 2)) != 0) {
                Str word = str_make(text + start, at - start);

                if (word.len > 2 && memcmp(word.ptr + word.len - 2, "--", 2) == 0)
                    word.len -= 2;
                if (!word_is_known(word))
                    fail_msg("unknown word \"%.*s\"", (int)word.len, word.ptr);
                words++;
            }
            start = at + 1;
        }
    }
    assert_within((double)bytes_sum / 5000, 70, 0.02);
    assert_true(words > 30000);
}

static bool holds(Str text, const char *first, const char *then)
{
    const char *at = memmem(text.ptr, text.len, first, strlen(first));

    if (!at)
        return false;
    at += strlen(first);
    return memmem(at, text.len - (size_t)(at - text.ptr), then, strlen(then)) != NULL;
}

static void five_suppliers_are_complained_about_and_five_recommended(void **state)
{
    char text[100 + TPCH_TEXT_SLACK];
    TpchSupplier supplier;
    int complaints = 0, recommends = 0;

    (void)state;
    for (int64_t i = 0; i < full.suppliers; i++) {
        tpch_supplier_make(&full, i, &supplier);
        size_t bytes = tpch_text_supplier(&full, &supplier.text, i, text);

        assert_in_range(bytes, 25, 100);
        complaints += holds(str_make(text, bytes), "Customer", "Complaints");
        recommends += holds(str_make(text, bytes), "Customer", "Recommends");
    }
    assert_int_equal(complaints, 5);
    assert_int_equal(recommends, 5);
}

/* The specification's Q13 counts 1,500,000 orders less those with special requests: the sum of
 * c_count * custdist of its published answer is 1,484,298. */
static void special_requests_are_as_frequent_as_published(void **state)
{
    char text[78 + TPCH_TEXT_SLACK];
    TpchOrder order;
    int64_t special = 0;

    (void)state;
    for (int64_t i = 0; i < 300000; i++) {
        tpch_order_make(&full, i, &order);
        size_t bytes = tpch_text_make(&full, &order.text, 19, 78, text);

        special += holds(str_make(text, bytes), "special", "requests");
    }
    assert_within((double)special / 300000, 15702 / 1500000.0, 0.05);
}

/* Fields of one CSV line; fails on a quote that is not closed. */
static int fields_count(Str line)
{
    bool quoted = false;
    int fields = 1;

    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == '"')
            quoted = !quoted;
        fields += line.ptr[i] == ',' && !quoted;
    }
    assert_false(quoted);
    return fields;
}

static void csv_is_as_rfc_4180_has_it(void **state)
{
    static const int COLUMNS[] = {3, 4, 7, 8, 9, 5, 9, 16};

    (void)state;
    for (TpchTable table = 0; table < TPCH_TABLES; table++) {
        int64_t units = tpch_units_count(&small, table);
        StrBuf csv;
        int64_t lines = 0;

        strbuf_init(&csv);
        tpch_csv_put_header(table, TPCH_EOL_CRLF, &csv);
        int64_t rows = tpch_csv_put_units(&small, table, TPCH_EOL_CRLF, 0, units, &csv);
        for (size_t at = 0; at < csv.len; lines++) {
            const char *eol = memmem(csv.ptr + at, csv.len - at, "\r\n", 2);

            assert_non_null(eol);
            size_t end = (size_t)(eol - csv.ptr);
            assert_int_equal(fields_count(str_make(csv.ptr + at, end - at)), COLUMNS[table]);
            at = end + 2;
        }
        assert_int_equal(lines, rows + 1);
        if (table != TPCH_LINEITEM)
            assert_int_equal(rows, tpch_rows_expected(&small, table));
        strbuf_free(&csv);
    }
}

/* What one pass over the orders of scale 1 says about the queries. */
typedef struct Answers {
    int64_t lines;
    double q1_count[3]; /* A, R, N */
    double q1_quantity[3];
    double q4_count[5];
    double q6_revenue;
    double q12_count[2][2]; /* MAIL and SHIP; urgent or high, others */
    double q14_promo, q14_all;
    int64_t q18_orders;
} Answers;

static void answer_from_line(Answers *a, const TpchOrder *order, const TpchLine *line,
                             const bool *promo)
{
    double price = (double)line->extended_price_cents / 100;
    int flag = line->return_flag == 'A' ? 0 : line->return_flag == 'R' ? 1 : 2;
    const char *mode = tpch_word(&full, TPCH_MODE, line->mode)->text;
    bool is_mail = strcmp(mode, "MAIL") == 0;

    a->lines++;
    if (line->ship_date <= DATE_1998_09_02) {
        a->q1_count[flag]++;
        a->q1_quantity[flag] += line->quantity;
    }
    if (line->ship_date >= DATE_1994_01_01 && line->ship_date < DATE_1995_01_01 &&
        line->discount >= 5 && line->discount <= 7 && line->quantity < 24)
        a->q6_revenue += price * line->discount / 100;
    if ((is_mail || strcmp(mode, "SHIP") == 0) && line->commit_date < line->receipt_date &&
        line->ship_date < line->commit_date && line->receipt_date >= DATE_1994_01_01 &&
        line->receipt_date < DATE_1995_01_01)
        a->q12_count[!is_mail][order->priority >= 2]++;
    if (line->ship_date >= DATE_1995_09_01 && line->ship_date < DATE_1995_10_01) {
        a->q14_all += price * (100 - line->discount);
        a->q14_promo += promo[line->part] ? price * (100 - line->discount) : 0;
    }
}

static void answer_from_orders(Answers *a, const bool *promo)
{
    TpchOrder order;

    for (int64_t i = 0; i < full.orders; i++) {
        bool late = false;
        int quantity = 0;

        tpch_order_make(&full, i, &order);
        for (int j = 0; j < order.lines_count; j++) {
            answer_from_line(a, &order, &order.lines[j], promo);
            late |= order.lines[j].commit_date < order.lines[j].receipt_date;
            quantity += order.lines[j].quantity;
        }
        a->q4_count[order.priority] +=
            late && order.date >= DATE_1993_07_01 && order.date < DATE_1993_10_01;
        a->q18_orders += quantity > 300;
    }
}

static void answers_are_near_those_published(void **state)
{
    static const double Q4[] = {10594, 10476, 10410, 10556, 10487};
    static const double Q12[2][2] = {{6202, 9324}, {6200, 9262}};
    static bool promo[200001];
    Answers a = {0};
    TpchPart part;

    (void)state;
    for (int64_t i = 0; i < full.parts; i++) {
        tpch_part_make(&full, i, &part);
        promo[part.key] =
            strcmp(tpch_word(&full, TPCH_TYPE_SIZE, part.type_size)->text, "PROMO") == 0;
    }
    answer_from_orders(&a, promo);
    assert_int_equal(a.lines, 6001215);
    assert_within(a.q1_count[0], 1478493, 0.01);
    assert_within(a.q1_count[1], 1478870, 0.01);
    assert_within(a.q1_count[2], 2920374 + 38854, 0.01);
    assert_within(a.q1_quantity[0], 37734107, 0.01);
    assert_within(a.q1_quantity[1], 37719753, 0.01);
    assert_within(a.q1_quantity[2], 74476040 + 991417, 0.01);
    for (int i = 0; i < 5; i++)
        assert_within(a.q4_count[i], Q4[i], 0.02);
    assert_within(a.q6_revenue, 123141078.23, 0.02);
    for (int i = 0; i < 4; i++)
        assert_within(a.q12_count[i / 2][i % 2], Q12[i / 2][i % 2], 0.02);
    assert_within(100 * a.q14_promo / a.q14_all, 16.38, 0.02);
    assert_within((double)a.q18_orders, 57, 0.02);
}

static int64_t count_true(const bool *seen, int64_t count)
{
    int64_t found = 0;

    for (int64_t i = 0; i < count; i++)
        found += seen[i];
    return found;
}

/* At scale 1 every day that the rules allow is met: 2,406 order dates, 2,526 ship dates, 2,466
 * commit dates; the price formula has 20,899 values. Known sizes of the specification's database.
 */
static void distinct_counts_are_those_of_the_rules(void **state)
{
    static bool orders[TPCH_DATE_COUNT], ships[TPCH_DATE_COUNT], commits[TPCH_DATE_COUNT];
    static bool clerks[1001], prices[300000];
    TpchOrder order;

    (void)state;
    for (int64_t i = 0; i < full.orders; i++) {
        tpch_order_make(&full, i, &order);
        orders[order.date] = true;
        clerks[order.clerk] = true;
        for (int j = 0; j < order.lines_count; j++) {
            ships[order.lines[j].ship_date] = true;
            commits[order.lines[j].commit_date] = true;
        }
    }
    for (int64_t part = 1; part <= full.parts; part++)
        prices[tpch_part_price_cents(part)] = true;
    assert_int_equal(count_true(orders, TPCH_DATE_COUNT), 2406);
    assert_int_equal(count_true(ships, TPCH_DATE_COUNT), 2526);
    assert_int_equal(count_true(commits, TPCH_DATE_COUNT), 2466);
    assert_int_equal(count_true(clerks, ARRAY_COUNT(clerks)), 1000);
    assert_int_equal(count_true(prices, ARRAY_COUNT(prices)), 20899);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_follow_the_scale),
        cmocka_unit_test(a_scale_out_of_bounds_is_refused),
        cmocka_unit_test(rows_do_not_depend_on_the_cut),
        cmocka_unit_test(another_seed_gives_other_rows),
        cmocka_unit_test(order_keys_use_eight_of_thirty_two),
        cmocka_unit_test(a_third_of_the_customers_has_no_orders),
        cmocka_unit_test(prices_follow_the_formula),
        cmocka_unit_test(a_part_has_four_suppliers_at_every_scale),
        cmocka_unit_test(orders_and_lines_keep_the_rules),
        cmocka_unit_test(phones_begin_with_the_country),
        cmocka_unit_test(colors_of_a_part_differ),
        cmocka_unit_test(texts_are_made_of_the_grammars_words),
        cmocka_unit_test(five_suppliers_are_complained_about_and_five_recommended),
        cmocka_unit_test(special_requests_are_as_frequent_as_published),
        cmocka_unit_test(csv_is_as_rfc_4180_has_it),
        cmocka_unit_test(distinct_counts_are_those_of_the_rules),
        cmocka_unit_test(answers_are_near_those_published),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
