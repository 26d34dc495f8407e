// SPDX-License-Identifier: Apache-2.0
//
// Tests that no clause of a query is lost: a statement is parsed, printed and parsed again, and the
// grammar's own tree (as JSON, without locations) must be the same for both texts. What the tree
// deliberately changes (flat AND and OR) is checked by expected text.
#include "sql/deparse.h"
#include "sql/parse/parse.h"

#include <pg_query.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const queries[] = {
    "select",
    "select from t",
    "table t",
    "select a, b as x, c \"Select\", t.*, s.t.a, * from t where a > 1",
    "select -1, - a, -1::int, -(1::int), 2 - -1, (-1)::int, -1.5, 1.5e10, 99999999999",
    "select 'it''s', E'a\\\\b\\n', B'101', X'1F', null, true, false, true::text, U&'d\\0061t'",
    "select a + b * c - d / e % f ^ g, (a + b) * c, - (a + b), not a = b, a < b, a <= b, a <> b",
    "select a || b, a -> 'b' ->> 'c', a @> b, @ a, a ~ b, a !~* b, a operator(s.+) b, |/ a",
    "select a and b, (a or b) and c, a or b and c, not (a and not b)",
    "select a between 1 and 2, a not between symmetric -1 and b + 1, a in (1, 2), a not in (x)",
    "select a in (select 1), a not in (select 1), (a, b) in (select 1, 2), a = any (select 1)",
    "select a > all (array[1]), a = any ('{1}'::int[]), a <> all (select 1), a like any (b)",
    "select exists (select 1), array(select 1), (select 1), (select 1) + 1, (select r).x",
    "select a is null, a is not null, a notnull, a is true, a is not false, a is unknown",
    "select a is distinct from b, a is not distinct from b, row(a, b) is null",
    "select a like 'x' escape '!', a not like b, a ilike b, a not ilike b escape c",
    "select a similar to b, a not similar to b escape '', a like b || c",
    "select case when a then 1 else 2 end, case x + 1 when 1 then 'a' when 2 then 'b' end",
    "select coalesce(a, b), nullif(a, b), greatest(1, 2), least(a), grouping(a, b)",
    "select f(), f(1, a), s.f(x => 1, y := 2), f(variadic a), f(1, variadic array[2]), left('a', "
    "1)",
    "select count(*), count(distinct a), count(all a), sum(a order by b desc nulls first, c asc)",
    "select count(*) filter (where a > 1), percentile_cont(0.5) within group (order by a using <)",
    "select rank() over (), sum(a) over w, max(a) over (w order by b), lag(a) filter (where b) "
    "over "
    "(partition by c, d order by e rows between 1 preceding and unbounded following exclude ties) "
    "from t window w as (partition by x), v as (w range between current row and interval '1' day "
    "following), u as (order by a groups between unbounded preceding and 2 following exclude "
    "group)",
    "select extract(year from d), extract('epoch' from d), extract(\"select\" from d)",
    "select substring(a from 1 for 2), substring(a from 2), substring(a for 3), substring(a, 1)",
    "select position('a' in b), trim(a), trim(both 'x' from a), trim(leading from a), trim(a, 'b')",
    "select trim(trailing -1 from a), overlay(a placing b from 1 for 2), overlay(a placing b from "
    "3)",
    "select d at time zone 'UTC', (a, b) overlaps (c, d), collation for (a)",
    "select a::int, a::integer[], a::int[3][], cast(a as varchar(10)), a::numeric(10, 2), a::float",
    "select a::timestamp(3) with time zone, a::timestamp, a::time(2), a::timetz, a::char(3), "
    "a::bit",
    "select a::bit varying(5), a::\"char\", char 'a', a::s.t, a::\"T\"(1), a::pg_catalog.int8",
    "select a::interval day to second(3), interval '1' year, interval(3) '1', date '2020-01-01'",
    "select '1'::interval minute to second, '1'::interval year to month, '1'::interval second(0)",
    "select current_date, current_time(3), localtime, localtimestamp(0), current_timestamp",
    "select current_user, session_user, user, current_role, current_schema, current_catalog",
    "select a[1], a[1:2], a[:], a[b][c + 1], (a).b, (a).*, (a).b[1].c, a.b[1], (f(x)).y, (a[1]).b",
    "select $1, $2[1], ($1).x, $1::int",
    "select row(1, 2), (1, 2), row(), array[1, 2], array[]::int[], array[[1, 2], [3, 4]]",
    "select (1, 2) = (3, 4), (a, b) < (c, d), a collate \"C\" < b collate s.d",
    "select distinct a from t",
    "select distinct on (a, b + 1) a from t",
    "select a from t group by a, b + 1, rollup (a, (b, c)), cube (d), grouping sets ((a, b), (), "
    "rollup (c)) having count(*) > 1",
    "select a from t group by distinct a, ()",
    "select 1 from a join b on a.x = b.x left join c using (y, z) natural join d cross join e",
    "select 1 from a right join (b full join c on true) on false, (d join e using (x) as u) as v",
    "select 1 from a natural left join b, only s.t as q (x, y), a.b.c",
    "select 1 from (select 1) s, lateral (select a) as l (b), (values (1, 2), (3, 4)) v (a, b)",
    "select 1 from f(1), g() with ordinality as g (i, o), lateral h(a) as h, current_date as d",
    "select 1 from f() as (a int, b text collate \"C\"), g() as t (a int), "
    "rows from (f(1), g(2) as (x int)) with ordinality as r (a, b)",
    "select 1 from t as x tablesample system (10), u tablesample s.m (a, 1) repeatable (2)",
    "select 1 order by 1, a desc, b asc nulls last, c using > nulls first",
    "select 1 limit 5",
    "select 1 limit all offset 2",
    "select 1 offset a + 1 limit (select 1)",
    "select a from t order by a fetch first 3 rows with ties",
    "select 1 from t for update",
    "select 1 from t for no key update of t, u nowait for key share skip locked for share",
    "select 1 union select 2",
    "select 1 union all select 2 union all select 3",
    "select 1 union select 2 union all select 3 except select 4",
    "select 1 intersect all select 2 union select 3 intersect select 4 order by 1 limit 1",
    "select 1 union (select 2 union select 3)",
    "(select 1 order by 1 limit 1) union (select 2 for update) except all (with a as (select 1) "
    "select 2)",
    "(select 1 union select 2 order by 1) union select 3",
    "values (1, 'a'), (2, default)",
    "values (1) union values (2) order by 1 limit 1",
    "with a as (select 1), b (x, y) as materialized (values (1, 2)), c as not materialized (table "
    "a) select * from a, b, c",
    "with recursive r (n) as (select 1 union all select n + 1 from r) select * from r",
    "with a as (insert into t values (1) returning *), b as (update t set a = 1 returning a), c as "
    "(delete from t returning 1) select 1",
    "select \"a b\", \"x\"\"y\", \"Abc\", \"table\", abs, \"1a\", a1 from \"T\".\"Order\" as "
    "\"As\" (\"Group\")",
    "insert into t default values",
    "insert into t values (1, default)",
    "insert into s.t as x (a, b[1], c.d) select 1, 2, 3",
    "insert into t (a) overriding user value values (1) returning *, a as b",
    "insert into t overriding system value select 1 on conflict do nothing",
    "insert into t values (1) on conflict on constraint c do update set a = 1",
    "insert into t values (1) on conflict (a, lower(b), (a + b) collate \"C\" s.op) where a > 1 do "
    "update set a = excluded.a, (b, c) = (1, 2), d = default where t.a < 5",
    "with a as (select 1) insert into t select * from a",
    "update t set a = 1",
    "update only s.t as x set a[1] = 1, (b, c) = row(1, 2), (d, e.f) = (select 1, 2), g = default "
    "from y, z where x.a = y.a returning 1",
    "with a as (select 1) update t set b = 1 where current of c",
    "delete from t",
    "with a as (select 1) delete from only t as x using a, b join c on true where x.a = a.a "
    "returning *",
};

/* The grammar's tree of a text, without the numbers that depend on where things stand. */
static char *tree_of(const char *sql)
{
    static const char *const dropped[] = {"\"location\":", "\"stmt_len\":", "\"stmt_location\":"};
    PgQueryParseResult result = pg_query_parse(sql);

    if (result.error != NULL)
        fail_msg("%s: %s", sql, result.error->message);
    char *out = result.parse_tree;
    for (const char *in = result.parse_tree; *in != '\0';) {
        size_t skipped = 0;
        for (size_t i = 0; i < ARRAY_COUNT(dropped); i++)
            if (strncmp(in, dropped[i], strlen(dropped[i])) == 0)
                skipped = strlen(dropped[i]) + strspn(in + strlen(dropped[i]), "-0123456789");
        if (skipped > 0)
            in += skipped;
        else if (*in == ',' && (in[1] == '}' || in[1] == ','))
            in++;
        else
            *out++ = *in++;
    }
    *out = '\0';
    char *tree = strdup(result.parse_tree);
    pg_query_free_parse_result(result);
    return tree;
}

static char *printed(const char *sql)
{
    Ctx ctx;
    Scope *scope = scope_open(NULL, "roundtrip_test");
    AstList list = {NULL, 0};
    StrBuf buf;

    ctx_init(&ctx);
    strbuf_init(&buf);
    if (sql_parse(&ctx, scope, str_from(sql), &list) != OK)
        fail_msg("%s: %s", sql, ctx.error.message);
    assert_int_equal(list.count, 1);
    sql_deparse_query(&buf, ((const AstStatement *)list.items[0])->body);
    char *text = strdup(strbuf_c(&buf));
    strbuf_free(&buf);
    scope_close(scope);
    ctx_free(&ctx);
    return text;
}

static void printed_queries_parse_to_the_same_tree(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(queries); i++) {
        char *text = printed(queries[i]);
        char *before = tree_of(queries[i]);
        char *after = tree_of(text);
        if (strcmp(before, after) != 0)
            fail_msg("%s\nprinted: %s\n%s\n%s", queries[i], text, before, after);
        free(before);
        free(after);
        free(text);
    }
}

static void printing_again_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(queries); i++) {
        char *once = printed(queries[i]);
        char *twice = printed(once);
        assert_string_equal(once, twice);
        free(once);
        free(twice);
    }
}

/* The words PostgreSQL's own deparser uses. */
static void printed_text_reads_like_postgresqls(void **state)
{
    static const struct {
        const char *sql;
        const char *text;
    } cases[] = {
        {"select a+1 as b from t where a=1 and (b=2 and not c)",
         "SELECT (a + 1) AS b FROM t WHERE ((a = 1) AND (b = 2) AND (NOT c))"},
        {"select x::int4, 'a'::text, (a+1)::int8, left('abc',1)",
         "SELECT (x)::int4, 'a'::text, ((a + 1))::int8, \"left\"('abc', 1)"},
        {"select cast(x as int), x::varchar(5), x::timestamp with time zone, x::char",
         "SELECT (x)::integer, (x)::character varying(5), (x)::timestamp with time zone, "
         "(x)::character(1)"},
        {"select case when a>0 then 1 else 2 end", "SELECT CASE WHEN (a > 0) THEN 1 ELSE 2 END"},
        {"select sum(a) over (order by b rows unbounded preceding)",
         "SELECT sum(a) OVER (ORDER BY b ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"},
        {"select * from a join b on a.x=b.x", "SELECT * FROM (a JOIN b ON (a.x = b.x))"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *text = printed(cases[i].sql);
        assert_string_equal(text, cases[i].text);
        free(text);
    }
}

/* As pg_get_viewdef lays out the same view in PostgreSQL 15. */
static void views_are_laid_out_like_postgresqls(void **state)
{
    Ctx ctx;
    Scope *scope = scope_open(NULL, "roundtrip_test");
    AstList list = {NULL, 0};
    StrBuf buf;

    (void)state;
    ctx_init(&ctx);
    strbuf_init(&buf);
    assert_int_equal(sql_parse(&ctx, scope,
                               STR("select a, b as x from t where a > b group by a, b having b > 1 "
                                   "union all select b, a from t order by 1 limit 5"),
                               &list),
                     OK);
    sql_deparse_view(&buf, ((const AstStatement *)list.items[0])->body);
    assert_string_equal(strbuf_c(&buf), " SELECT a,\n    b AS x\n   FROM t\n  WHERE (a > b)\n"
                                        "  GROUP BY a, b\n HAVING (b > 1)\nUNION ALL\n"
                                        " SELECT b,\n    a\n   FROM t\n  ORDER BY 1\n LIMIT 5;");
    strbuf_free(&buf);
    scope_close(scope);
    ctx_free(&ctx);
}

static const struct {
    const char *written;
    const char *printed;
} constraints[] = {
    {"check (a > 0 and b is not null)", "CHECK (((a > 0) AND (b IS NOT NULL)))"},
    {"check (a > 0) no inherit", "CHECK ((a > 0)) NO INHERIT"},
    {"primary key (a, \"B\")", "PRIMARY KEY (a, \"B\")"},
    {"unique nulls not distinct (a) include (b)", "UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b)"},
    {"unique (a) deferrable initially deferred", "UNIQUE (a) DEFERRABLE INITIALLY DEFERRED"},
    {"foreign key (a, b) references s.t (x, y) match full on update cascade on delete set null (a)",
     "FOREIGN KEY (a, b) REFERENCES s.t(x, y) MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL (a)"},
    {"foreign key (a) references t on delete no action", "FOREIGN KEY (a) REFERENCES t"},
};

/* As pg_get_constraintdef prints them. */
static void constraints_print_like_postgresqls(void **state)
{
    Ctx ctx;
    Scope *scope = scope_open(NULL, "roundtrip_test");

    (void)state;
    ctx_init(&ctx);
    for (size_t i = 0; i < ARRAY_COUNT(constraints); i++) {
        AstList list = {NULL, 0};
        StrBuf buf;
        char *sql = scope_printf(scope, "create table t (%s)", constraints[i].written);
        assert_int_equal(sql_parse(&ctx, scope, str_from(sql), &list), OK);
        const AstCreateTable *create =
            (const AstCreateTable *)((const AstStatement *)list.items[0])->body;
        strbuf_init(&buf);
        sql_deparse_constraint(&buf, (const AstConstraint *)create->elements.items[0]);
        assert_string_equal(strbuf_c(&buf), constraints[i].printed);
        strbuf_free(&buf);
    }
    scope_close(scope);
    ctx_free(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printed_queries_parse_to_the_same_tree),
        cmocka_unit_test(printing_again_changes_nothing),
        cmocka_unit_test(printed_text_reads_like_postgresqls),
        cmocka_unit_test(views_are_laid_out_like_postgresqls),
        cmocka_unit_test(constraints_print_like_postgresqls),
    };
    return cmocka_run_group_tests_name("sql/parse roundtrip", tests, NULL, NULL);
}
