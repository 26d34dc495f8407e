// SPDX-License-Identifier: Apache-2.0
//
// Plans as EXPLAIN shows them, and answers of queries that are rewritten a lot. Answers were worked
// out by hand; what is asserted of plans is what matters of them, not their whole text.
#include "dbaspot.h"

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEXT_MAX     65536
#define QUERIES_TPCH 22

static dbaspot_db *db;
static dbaspot_conn *conn;

static int open_db(void **state UNUSED)
{
    return dbaspot_open(":memory:", &db) || dbaspot_connect(db, &conn);
}

static int close_db(void **state UNUSED)
{
    dbaspot_disconnect(conn);
    dbaspot_close(db);
    return 0;
}

static void run(const char *sql)
{
    if (dbaspot_query(conn, sql, NULL) != 0)
        fail_msg("%s: %s", sql, dbaspot_errmsg(conn));
}

/* The result as text: columns by '|', rows by ','. NULL is empty. */
static const char *answer(const char *sql, const char *between)
{
    static char text[TEXT_MAX];
    dbaspot_result *result;
    size_t at = 0;

    if (dbaspot_query(conn, sql, &result) != 0) {
        snprintf(text, sizeof text, "%s", dbaspot_sqlstate(conn));
        return text;
    }
    text[0] = 0;
    for (uint64_t row = 0; row < dbaspot_rows(result) && at < sizeof text; row++) {
        for (uint32_t i = 0; i < dbaspot_columns(result) && at < sizeof text; i++) {
            const char *value = dbaspot_value(result, row, i);
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s",
                                   i     ? "|"
                                   : row ? between
                                         : "",
                                   value ? value : "");
        }
    }
    dbaspot_result_free(result);
    return text;
}

static const char *plan_of(const char *sql)
{
    static char text[TEXT_MAX];

    snprintf(text, sizeof text, "EXPLAIN (COSTS OFF) %s", sql);
    return answer(text, "\n");
}

static uint32_t count_of(const char *text, const char *word)
{
    uint32_t count = 0;

    for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word))
        count++;
    return count;
}

static void expect(const char *plan, const char *word)
{
    if (strstr(plan, word) == NULL)
        fail_msg("no \"%s\" in\n%s", word, plan);
}

static void expect_no(const char *plan, const char *word)
{
    if (strstr(plan, word) != NULL)
        fail_msg("\"%s\" in\n%s", word, plan);
}

// --- access paths ------------------------------------------------------------------------------

static void make_accounts(void)
{
    run("CREATE TABLE acc (aid int PRIMARY KEY, bid int, bal int NOT NULL, name varchar(20))");
    run("CREATE INDEX acc_bid ON acc (bid)");
    run("CREATE TABLE pair (a int, b bigint, c text, PRIMARY KEY (a, b))");
    run("INSERT INTO acc SELECT g, g % 100, g, 'n' || g FROM generate_series(1, 5000) g");
}

static void keys_are_points_and_ranges(void **state UNUSED)
{
    static const struct {
        const char *sql, *cond;
    } cases[] = {
        {"SELECT bal FROM acc WHERE aid = 77", "Index Cond: (aid = 77)"},
        {"UPDATE acc SET bal = bal + 1 WHERE aid = 77", "Index Cond: (aid = 77)"},
        {"DELETE FROM acc WHERE 77 = aid", "Index Cond: (aid = 77)"},
        {"SELECT * FROM acc WHERE aid = 77::bigint", "Index Cond: (aid = 77)"},
        {"SELECT * FROM acc WHERE aid IN (1, 5)", "Index Cond: (aid = ANY ("},
        {"SELECT * FROM acc WHERE aid = 1 OR aid = 5", "Index Cond: (aid = ANY ("},
        {"SELECT * FROM acc WHERE aid = ANY ('{1,5}')", "Index Cond: (aid = ANY ("},
        {"SELECT * FROM acc WHERE aid BETWEEN 3 AND 9", "Index Cond: ((aid >= 3) AND (aid <= 9))"},
        {"SELECT * FROM acc WHERE bid = 5", "Index Scan using acc_bid"},
        {"SELECT * FROM pair WHERE b = 3 AND a = 1", "Index Cond: ((a = 1) AND (b = "},
        {"SELECT * FROM pair WHERE a = 1 AND b > 3", "Index Cond: ((a = 1) AND (b > "},
        {"SELECT * FROM pair WHERE a = 1 AND c = 'x'", "Index Cond: (a = 1)"},
        {"SELECT * FROM (SELECT aid AS x, bal FROM acc) s WHERE x = 7", "Index Cond: (aid = 7)"},
        {"SELECT * FROM acc x JOIN acc y ON x.aid = y.aid WHERE y.aid = 7", "Index Cond: (x.aid ="},
    };

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        expect(plan_of(cases[i].sql), cases[i].cond);
    expect(plan_of("SELECT * FROM acc WHERE aid = 99999999999"), "Seq Scan");
    expect(plan_of("SELECT * FROM acc WHERE aid + 1 = 7"), "Seq Scan");
    run("PREPARE p (int) AS SELECT bal FROM acc WHERE aid = $1");
    assert_string_equal(answer("EXECUTE p (77)", ","), "77");
    assert_string_equal(answer("SELECT count(*) FROM acc WHERE aid = NULL", ","), "0");
}

static void keys_give_orders(void **state UNUSED)
{
    const char *plan = plan_of("SELECT aid FROM acc ORDER BY aid DESC LIMIT 3");

    expect(plan, "Index Scan Backward using acc_pkey");
    expect_no(plan, "Sort");
    expect_no(plan_of("SELECT * FROM pair WHERE a = 1 ORDER BY b, c"), "Sort");
    expect(plan_of("SELECT * FROM pair ORDER BY b"), "Sort");
    expect(plan_of("SELECT * FROM pair ORDER BY a, b DESC"), "Sort");
    expect(plan_of("SELECT max(aid) FROM acc"), "Index Scan Backward using acc_pkey");
    assert_string_equal(answer("SELECT aid FROM acc ORDER BY aid DESC LIMIT 3", ","),
                        "5000,4999,4998");
    assert_string_equal(answer("SELECT max(aid), min(aid) FROM acc", ","), "5000|1");
    assert_string_equal(answer("SELECT max(aid) FROM acc WHERE aid < 100", ","), "99");
    assert_string_equal(answer("SELECT bid, aid FROM acc ORDER BY bid DESC, aid LIMIT 2", ","),
                        "99|99,99|199");
}

// --- subqueries --------------------------------------------------------------------------------

static void make_small(void)
{
    run("CREATE TABLE o (id int PRIMARY KEY, k int, v int)");
    run("CREATE TABLE i (id int PRIMARY KEY, k int, v int)");
    run("INSERT INTO o VALUES (1, 1, 10), (2, 2, 20), (3, 3, 30), (4, NULL, 40)");
    run("INSERT INTO i VALUES (1, 1, 5), (2, 1, 7), (3, 2, 20), (4, NULL, 1)");
}

static void subqueries_become_joins(void **state UNUSED)
{
    static const struct {
        const char *sql, *join;
    } cases[] = {
        {"SELECT id FROM o WHERE k IN (SELECT k FROM i)", "Semi Join"},
        {"SELECT id FROM o WHERE EXISTS (SELECT 1 FROM i WHERE i.k = o.k)", "Semi Join"},
        {"SELECT id FROM o WHERE NOT EXISTS (SELECT 1 FROM i WHERE i.k = o.k)", "Anti Join"},
        {"SELECT id FROM o WHERE id NOT IN (SELECT id FROM i)", "Anti Join"},
        {"SELECT id FROM o WHERE k NOT IN (SELECT k FROM i)", "Null-Aware Anti Join"},
        {"SELECT id FROM o WHERE EXISTS (SELECT 1 FROM i WHERE i.k = o.k) OR v > 30", "Mark Join"},
        {"SELECT id, (SELECT sum(v) FROM i WHERE i.k = o.k) FROM o", "Left Join"},
        {"SELECT id, (SELECT v FROM i WHERE i.k = o.k) FROM o", "Single Join"},
        {"SELECT id FROM o WHERE v > (SELECT sum(v) FROM i WHERE i.k = o.k)", "Hash Join"},
        {"SELECT id, (SELECT sum(v) FROM i WHERE i.k = o.k AND i.v < o.v) FROM o", "Left Join"},
        {"SELECT id, (SELECT sum(v + o.v) FROM i WHERE i.v < o.v) FROM o", "Left Join"},
        {"SELECT * FROM o, LATERAL (SELECT sum(v) FROM i WHERE i.k = o.k) s", "Left Join"},
        {"SELECT * FROM o, LATERAL (SELECT v FROM i WHERE i.k = o.k) s", "Hash Join"},
    };

    for (size_t at = 0; at < ARRAY_COUNT(cases); at++) {
        const char *plan = plan_of(cases[at].sql);
        expect(plan, cases[at].join);
        expect_no(plan, "SubPlan");
    }
    expect(plan_of("SELECT id FROM o WHERE v > (SELECT avg(v) FROM i)"), "InitPlan");
}

static void subqueries_answer_as_before(void **state UNUSED)
{
    static const struct {
        const char *sql, *rows;
    } cases[] = {
        /* The count of no rows is 0, also where it is computed with. */
        {"SELECT id, (SELECT count(*) FROM i WHERE i.k = o.k) FROM o ORDER BY id",
         "1|2,2|1,3|0,4|0"},
        {"SELECT id, (SELECT count(v) + 1 FROM i WHERE i.k = o.k) FROM o ORDER BY id",
         "1|3,2|2,3|1,4|1"},
        {"SELECT id FROM o WHERE (SELECT count(*) FROM i WHERE i.k = o.k) = 0 ORDER BY id", "3,4"},
        {"SELECT id, (SELECT coalesce(sum(v), -1) FROM i WHERE i.k = o.k) FROM o ORDER BY id",
         "1|12,2|20,3|-1,4|-1"},
        {"SELECT id, (SELECT sum(v) FROM i WHERE i.k = o.k HAVING count(*) > 1) FROM o "
         "ORDER BY id",
         "1|12,2|,3|,4|"},
        {"SELECT o.id, s.n FROM o, LATERAL (SELECT count(*) AS n FROM i WHERE i.k = o.k) s "
         "ORDER BY 1",
         "1|2,2|1,3|0,4|0"},
        {"SELECT o.id, s.v FROM o LEFT JOIN LATERAL (SELECT v FROM i WHERE i.k = o.k AND v > 5) s "
         "ON true ORDER BY 1, 2",
         "1|7,2|20,3|,4|"},
        /* Correlated by more than equalities; rows with NULLs and repeated values too. */
        {"SELECT id, (SELECT count(*) FROM i WHERE i.v < o.v) FROM o ORDER BY id",
         "1|3,2|3,3|4,4|4"},
        {"SELECT id, (SELECT sum(i.v + o.v) FROM i WHERE i.k = o.k AND i.v < o.v) FROM o "
         "ORDER BY id",
         "1|32,2|,3|,4|"},
        {"SELECT id, (SELECT max(i.id) FROM i WHERE i.k IS NOT DISTINCT FROM o.k) FROM o "
         "ORDER BY id",
         "1|2,2|3,3|,4|4"},
        {"SELECT o.id, x.id, (SELECT count(*) FROM i WHERE i.v < o.v + x.v) FROM o JOIN i x "
         "ON o.k = x.k ORDER BY 1, 2",
         "1|1|3,1|2|3,2|3|4"},
        /* NULLs among the values make NOT IN unknown; NULL on the left too, unless there is nothing
           to compare it with. */
        {"SELECT id FROM o WHERE k NOT IN (SELECT k FROM i)", ""},
        {"SELECT id FROM o WHERE k NOT IN (SELECT k FROM i WHERE k IS NOT NULL) ORDER BY id", "3"},
        {"SELECT id FROM o WHERE k NOT IN (SELECT k FROM i WHERE v > 99) ORDER BY id", "1,2,3,4"},
        {"SELECT id FROM o WHERE v NOT IN (SELECT v FROM i WHERE i.k = o.k) ORDER BY id", "1,3,4"},
        {"SELECT id, k IN (SELECT k FROM i) FROM o ORDER BY id", "1|t,2|t,3|,4|"},
        {"SELECT id FROM o WHERE k IN (SELECT k FROM i) OR v = 30 ORDER BY id", "1,2,3"},
        {"SELECT id FROM o WHERE v > ALL (SELECT v FROM i WHERE i.k = o.k) ORDER BY id", "1,3,4"},
        {"SELECT id FROM o WHERE v <= ANY (SELECT v FROM i WHERE i.k <> o.k) ORDER BY id", "1"},
        {"SELECT id FROM o WHERE EXISTS (SELECT sum(v) FROM i WHERE i.k = o.k) ORDER BY id",
         "1,2,3,4"},
        {"SELECT id FROM o WHERE EXISTS (SELECT DISTINCT v FROM i WHERE i.k = o.k LIMIT 1) "
         "ORDER BY id",
         "1,2"},
        /* A scalar subquery with two rows fails, but only where it is evaluated. */
        {"SELECT (SELECT v FROM i WHERE i.k = o.k) FROM o", "21000"},
        {"SELECT CASE WHEN id > 1 THEN (SELECT v FROM i WHERE i.k = o.k) END FROM o ORDER BY id",
         ",20,,"},
        {"SELECT (SELECT v FROM i WHERE i.id = o.id) FROM o ORDER BY id", "5,7,20,1"},
    };

    for (size_t at = 0; at < ARRAY_COUNT(cases); at++) {
        const char *got = answer(cases[at].sql, ",");
        if (strcmp(got, cases[at].rows) != 0)
            fail_msg("%s\n  gives    %s\n  expected %s", cases[at].sql, got, cases[at].rows);
    }
}

// --- conditions --------------------------------------------------------------------------------

static void conditions_move(void **state UNUSED)
{
    const char *plan = plan_of("SELECT * FROM o LEFT JOIN i ON o.k = i.k WHERE i.v > 5");

    expect_no(plan, "Left Join");
    expect(plan_of("SELECT * FROM o LEFT JOIN i ON o.k = i.k WHERE i.v IS NULL"), "Left Join");
    plan = plan_of("SELECT * FROM o FULL JOIN i ON o.k = i.k WHERE o.v = 1");
    expect_no(plan, "Full Join");
    plan = plan_of("SELECT k, count(*) FROM o GROUP BY k HAVING k > 1 AND count(*) > 1");
    expect(plan, "Filter: (k > 1)");
    plan = plan_of("SELECT * FROM (SELECT id FROM o UNION ALL SELECT id FROM i) u WHERE id = 2");
    assert_int_equal(count_of(plan, "Index Cond"), 2);
    plan = plan_of("SELECT * FROM o, i WHERE (o.id = i.k AND o.v = 1) OR (o.id = i.k AND o.v = 2)");
    expect(plan, "o.v = ANY ('{1,2}'::integer[])");
    expect(plan_of("SELECT * FROM o WHERE false"), "Result");
    expect(plan_of("SELECT * FROM o WHERE NOT (v > 3 OR k = 1)"), "(v <= 3) AND (k <> 1)");
    assert_string_equal(
        answer("SELECT o.id, i.id FROM o LEFT JOIN i ON o.k = i.k AND i.v > 6 ORDER BY 1, 2", ","),
        "1|2,2|3,3|,4|");
    assert_string_equal(
        answer("SELECT o.id, i.id FROM o FULL JOIN i ON o.k = i.k ORDER BY 1, 2", ","),
        "1|1,1|2,2|3,3|,4|,|4");
}

// --- join order --------------------------------------------------------------------------------

static const char *const tpch_tables[] = {
    "region (r_regionkey int PRIMARY KEY, r_name char(25) NOT NULL)",
    "nation (n_nationkey int PRIMARY KEY, n_name char(25) NOT NULL, n_regionkey int NOT NULL)",
    "supplier (s_suppkey int PRIMARY KEY, s_name char(25) NOT NULL, s_nationkey int NOT NULL)",
    "customer (c_custkey int PRIMARY KEY, c_name text NOT NULL, c_nationkey int NOT NULL)",
    "orders (o_orderkey int PRIMARY KEY, o_custkey int NOT NULL, o_orderdate date NOT NULL)",
    "lineitem (l_order int, l_line int, l_suppkey int, l_price int, PRIMARY KEY (l_order, l_line))",
};

static const char *const tpch_rows[] = {
    "region SELECT g, 'R' || g FROM generate_series(0, 4) g",
    "nation SELECT g, 'N' || g, g % 5 FROM generate_series(0, 24) g",
    "supplier SELECT g, 'S' || g, g % 25 FROM generate_series(1, 100) g",
    "customer SELECT g, 'C' || g, g % 25 FROM generate_series(1, 1500) g",
    "orders SELECT g, g % 1500 + 1, date '1992-01-01' + g % 2400 FROM generate_series(1, 6000) g",
    "lineitem SELECT g / 4 + 1, g % 4, g % 100 + 1, g FROM generate_series(0, 23999) g",
};

/* Prefix before every table's name; `reverse`: made in the other order. */
static void make_tpch(const char *prefix, bool reverse)
{
    char sql[512];
    size_t count = ARRAY_COUNT(tpch_tables);

    for (size_t i = 0; i < count; i++) {
        size_t at = reverse ? count - 1 - i : i;
        snprintf(sql, sizeof sql, "CREATE TABLE %s%s", prefix, tpch_tables[at]);
        run(sql);
        snprintf(sql, sizeof sql, "INSERT INTO %s%s", prefix, tpch_rows[at]);
        run(sql);
    }
}

/* Q5's joins, with a self-join that only the conditions tell apart. */
static const char *join_query(const char *prefix, uint32_t rotate, bool reverse)
{
    static const char *const names[] = {"customer", "orders",    "lineitem", "supplier",
                                        "nation n", "nation n2", "region"};
    static char sql[2048];
    size_t at = (size_t)snprintf(sql, sizeof sql, "SELECT n_name, sum(l_price) FROM ");
    uint32_t count = ARRAY_COUNT(names);

    sql[at] = 0;
    at = (size_t)snprintf(sql, sizeof sql, "SELECT n.n_name, sum(l_price) FROM ");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t pick = (i + rotate) % count;
        at += (size_t)snprintf(sql + at, sizeof sql - at, "%s%s%s", i ? ", " : "", prefix,
                               names[reverse ? count - 1 - pick : pick]);
    }
    snprintf(sql + at, sizeof sql - at,
             " WHERE c_custkey = o_custkey AND l_order = o_orderkey AND l_suppkey = s_suppkey"
             " AND s_nationkey = n.n_nationkey AND c_nationkey = n2.n_nationkey"
             " AND n.n_regionkey = r_regionkey AND r_name = 'R3'"
             " AND o_orderdate >= date '1994-01-01' AND o_orderdate < date '1995-01-01'"
             " GROUP BY n.n_name ORDER BY 1");
    return sql;
}

static void without(char *text, const char *word)
{
    size_t length = strlen(word);

    for (char *at = text; (at = strstr(at, word)) != NULL;)
        memmove(at, at + length, strlen(at + length) + 1);
}

static void plans_depend_on_neither_names_nor_order(void **state UNUSED)
{
    static char first[TEXT_MAX], rows[TEXT_MAX], other[TEXT_MAX];

    make_tpch("", false);
    make_tpch("zz_", true);
    snprintf(first, sizeof first, "%s", plan_of(join_query("", 0, false)));
    snprintf(rows, sizeof rows, "%s", answer(join_query("", 0, false), ","));
    assert_true(strlen(rows) > 0);
    for (uint32_t i = 0; i < 7; i++) {
        assert_string_equal(plan_of(join_query("", i, i % 2)), first);
        assert_string_equal(answer(join_query("", i, i % 2), ","), rows);
        snprintf(other, sizeof other, "%s", plan_of(join_query("zz_", i, i % 2)));
        without(other, "zz_");
        assert_string_equal(other, first);
        assert_string_equal(answer(join_query("zz_", i, i % 2), ","), rows);
    }
    expect_no(first, "Join Filter");
}

/* More relations than dynamic programming takes. */
static void many_relations_are_joined(void **state UNUSED)
{
    char sql[4096];
    size_t at = (size_t)snprintf(sql, sizeof sql, "SELECT count(*) FROM nation t0");

    for (int i = 1; i < 40; i++)
        at +=
            (size_t)snprintf(sql + at, sizeof sql - at,
                             " JOIN nation t%d ON t%d.n_nationkey = t%d.n_nationkey", i, i, i - 1);
    assert_string_equal(answer(sql, ","), "25");
    assert_string_equal(answer("SELECT count(*) FROM region a, region b, region c", ","), "125");
}

static char *read_query(int number)
{
    static char sql[8192];
    char path[64];
    size_t length = 0;

    snprintf(path, sizeof path, "bench/tpch/queries/q%02d.sql", number);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s is missing", path);
    length = fread(sql, 1, sizeof sql - 1, file);
    fclose(file);
    sql[length] = 0;
    return strstr(sql, number == 15 ? "\nwith" : "\nselect");
}

/* The full schema, empty: keys alone must lead to joins without cross products or subplans. */
static void tpch_queries_are_all_joins(void **state UNUSED)
{
    run("CREATE SCHEMA tpch; SET search_path = tpch");
    run("CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name char(25), r_comment text);"
        "CREATE TABLE nation (n_nationkey int PRIMARY KEY, n_name char(25), n_regionkey int,"
        " n_comment text);"
        "CREATE TABLE supplier (s_suppkey bigint PRIMARY KEY, s_name char(25), s_address text,"
        " s_nationkey int, s_phone char(15), s_acctbal decimal(15,2), s_comment text);"
        "CREATE TABLE customer (c_custkey bigint PRIMARY KEY, c_name text, c_address text,"
        " c_nationkey int, c_phone char(15), c_acctbal decimal(15,2), c_mktsegment char(10),"
        " c_comment text);"
        "CREATE TABLE part (p_partkey bigint PRIMARY KEY, p_name text, p_mfgr char(25),"
        " p_brand char(10), p_type text, p_size int, p_container char(10),"
        " p_retailprice decimal(15,2), p_comment text);"
        "CREATE TABLE partsupp (ps_partkey bigint, ps_suppkey bigint, ps_availqty int,"
        " ps_supplycost decimal(15,2), ps_comment text, PRIMARY KEY (ps_partkey, ps_suppkey));"
        "CREATE TABLE orders (o_orderkey bigint PRIMARY KEY, o_custkey bigint,"
        " o_orderstatus char(1), o_totalprice decimal(15,2), o_orderdate date,"
        " o_orderpriority char(15), o_clerk char(15), o_shippriority int, o_comment text);"
        "CREATE TABLE lineitem (l_orderkey bigint, l_partkey bigint, l_suppkey bigint,"
        " l_linenumber int, l_quantity decimal(15,2), l_extendedprice decimal(15,2),"
        " l_discount decimal(15,2), l_tax decimal(15,2), l_returnflag char(1),"
        " l_linestatus char(1), l_shipdate date, l_commitdate date, l_receiptdate date,"
        " l_shipinstruct char(25), l_shipmode char(10), l_comment text,"
        " PRIMARY KEY (l_orderkey, l_linenumber))");
    for (int number = 1; number <= QUERIES_TPCH; number++) {
        const char *plan = plan_of(read_query(number));
        uint32_t lookups = count_of(plan, "Index Scan");
        expect(plan, "Scan on");
        expect_no(plan, "SubPlan");
        if (count_of(plan, "Nested Loop") > lookups)
            fail_msg("a cross product in query %d:\n%s", number, plan);
    }
    run("RESET search_path");
}

static int make_tables(void **state)
{
    int failed = open_db(state);

    if (failed)
        return failed;
    make_accounts();
    make_small();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_points_and_ranges),
        cmocka_unit_test(keys_give_orders),
        cmocka_unit_test(subqueries_become_joins),
        cmocka_unit_test(subqueries_answer_as_before),
        cmocka_unit_test(conditions_move),
        cmocka_unit_test(plans_depend_on_neither_names_nor_order),
        cmocka_unit_test(many_relations_are_joined),
        cmocka_unit_test(tpch_queries_are_all_joins),
    };

    return cmocka_run_group_tests(tests, make_tables, close_db);
}
