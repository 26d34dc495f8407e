// SPDX-License-Identifier: Apache-2.0
//
// Tests of the parser: which node each statement becomes, PostgreSQL's errors with their positions
// (recorded from PostgreSQL 15), what is refused, limits of depth and stack, threads, and the
// differences between the library and PostgreSQL's headers that the adapter relies on.
#include "os/thread.h"
#include "sql/deparse.h"
#include "sql/parse/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct Fixture {
    Ctx ctx;
    Scope *scope;
} Fixture;

static int setup(void **state)
{
    Fixture *fixture = calloc(1, sizeof *fixture);

    ctx_init(&fixture->ctx);
    fixture->scope = scope_open(NULL, "parse_test");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    Fixture *fixture = *state;

    scope_close(fixture->scope);
    ctx_free(&fixture->ctx);
    free(fixture);
    return 0;
}

static AstList parse_all(Fixture *fixture, Str text)
{
    AstList list = {NULL, 0};
    Status st = sql_parse(&fixture->ctx, fixture->scope, text, &list);

    if (st != OK)
        fail_msg("%.200s: %s", text.ptr, fixture->ctx.error.message);
    return list;
}

static const AstNode *parse_one(Fixture *fixture, const char *sql)
{
    AstList list = parse_all(fixture, str_from(sql));

    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0]->kind, AST_STATEMENT);
    return ((const AstStatement *)list.items[0])->body;
}

static const AstSelect *parse_query(Fixture *fixture, const char *sql)
{
    const AstNode *node = parse_one(fixture, sql);

    assert_int_equal(node->kind, AST_SELECT);
    return (const AstSelect *)node;
}

/* head, then `count` times part, then tail. */
static Str repeated(Scope *scope, const char *head, const char *part, uint32_t count,
                    const char *tail)
{
    StrBuf buf;

    strbuf_init(&buf);
    strbuf_append_c(&buf, head);
    for (uint32_t i = 0; i < count; i++)
        strbuf_append_c(&buf, part);
    strbuf_append_c(&buf, tail);
    Str text = str_copy(scope, strbuf_str(&buf));
    strbuf_free(&buf);
    return text;
}

#define assert_str(text, expected)                                                     \
    do {                                                                               \
        Str got_ = (text);                                                             \
        if (!str_is(got_, expected))                                                   \
            fail_msg("\"%.*s\" instead of \"%s\"", (int)got_.len, got_.ptr, expected); \
    } while (0)

// --- statements --------------------------------------------------------------------------------

static const struct {
    const char *sql;
    AstKind kind;
    const char *tag;
} statements[] = {
    {"select 1", AST_SELECT, "SELECT"},
    {"values (1)", AST_SELECT, "SELECT"},
    {"table t", AST_SELECT, "SELECT"},
    {"select 1 into t", AST_CREATE_TABLE_AS, "SELECT INTO"},
    {"select 1 into t union select 2", AST_CREATE_TABLE_AS, "SELECT INTO"},
    {"insert into t default values", AST_INSERT, "INSERT"},
    {"update t set a = 1", AST_UPDATE, "UPDATE"},
    {"delete from t", AST_DELETE, "DELETE"},
    {"truncate t, only u restart identity cascade", AST_TRUNCATE, "TRUNCATE TABLE"},
    {"create table t ()", AST_CREATE_TABLE, "CREATE TABLE"},
    {"create temp table t as select 1 with no data", AST_CREATE_TABLE_AS, "CREATE TABLE AS"},
    {"create materialized view m as select 1", AST_CREATE_TABLE_AS, "CREATE MATERIALIZED VIEW"},
    {"create index on t (a)", AST_CREATE_INDEX, "CREATE INDEX"},
    {"create view v as select 1", AST_CREATE_VIEW, "CREATE VIEW"},
    {"create sequence s", AST_CREATE_SEQUENCE, "CREATE SEQUENCE"},
    {"alter sequence s restart", AST_ALTER_SEQUENCE, "ALTER SEQUENCE"},
    {"create schema s", AST_CREATE_SCHEMA, "CREATE SCHEMA"},
    {"create database d", AST_CREATE_DATABASE, "CREATE DATABASE"},
    {"alter database d connection limit 1", AST_ALTER_DATABASE, "ALTER DATABASE"},
    {"alter database d set a = 1", AST_ALTER_DATABASE_SET, "ALTER DATABASE"},
    {"drop database if exists d", AST_DROP_DATABASE, "DROP DATABASE"},
    {"create user u password 'x'", AST_CREATE_ROLE, "CREATE ROLE"},
    {"alter role r nologin", AST_ALTER_ROLE, "ALTER ROLE"},
    {"alter role all set a = 1", AST_ALTER_ROLE_SET, "ALTER ROLE"},
    {"drop role r", AST_DROP_ROLE, "DROP ROLE"},
    {"drop table t cascade", AST_DROP, "DROP TABLE"},
    {"drop materialized view m", AST_DROP, "DROP MATERIALIZED VIEW"},
    {"drop function f(int)", AST_DROP, "DROP FUNCTION"},
    {"alter table t add a int", AST_ALTER_TABLE, "ALTER TABLE"},
    {"alter index i set (fillfactor = 5)", AST_ALTER_TABLE, "ALTER INDEX"},
    {"alter table t rename to u", AST_RENAME, "ALTER TABLE"},
    {"alter view v rename column a to b", AST_RENAME, "ALTER VIEW"},
    {"alter table t rename constraint a to b", AST_RENAME, "ALTER TABLE"},
    {"alter schema s rename to t", AST_RENAME, "ALTER SCHEMA"},
    {"alter table t set schema s", AST_SET_SCHEMA, "ALTER TABLE"},
    {"alter schema s owner to r", AST_SET_OWNER, "ALTER SCHEMA"},
    {"comment on table t is null", AST_COMMENT, "COMMENT"},
    {"grant select on t to r", AST_GRANT, "GRANT"},
    {"revoke all on schema s from r", AST_GRANT, "REVOKE"},
    {"grant a to b", AST_GRANT_ROLE, "GRANT ROLE"},
    {"revoke a from b", AST_GRANT_ROLE, "REVOKE ROLE"},
    {"copy t from stdin", AST_COPY, "COPY"},
    {"explain select 1", AST_EXPLAIN, "EXPLAIN"},
    {"prepare p as select 1", AST_PREPARE, "PREPARE"},
    {"execute p", AST_EXECUTE, "EXECUTE"},
    {"deallocate p", AST_DEALLOCATE, "DEALLOCATE"},
    {"deallocate all", AST_DEALLOCATE, "DEALLOCATE ALL"},
    {"set a = 1", AST_SET, "SET"},
    {"reset a", AST_SET, "RESET"},
    {"show all", AST_SHOW, "SHOW"},
    {"begin", AST_TRANSACTION, "BEGIN"},
    {"start transaction", AST_TRANSACTION, "START TRANSACTION"},
    {"end", AST_TRANSACTION, "COMMIT"},
    {"abort", AST_TRANSACTION, "ROLLBACK"},
    {"savepoint a", AST_TRANSACTION, "SAVEPOINT"},
    {"release a", AST_TRANSACTION, "RELEASE"},
    {"rollback to a", AST_TRANSACTION, "ROLLBACK"},
    {"prepare transaction 'x'", AST_TRANSACTION, "PREPARE TRANSACTION"},
    {"commit prepared 'x'", AST_TRANSACTION, "COMMIT PREPARED"},
    {"rollback prepared 'x'", AST_TRANSACTION, "ROLLBACK PREPARED"},
    {"lock t", AST_LOCK, "LOCK TABLE"},
    {"vacuum full t", AST_VACUUM, "VACUUM"},
    {"analyze t (a)", AST_VACUUM, "ANALYZE"},
    {"reindex table t", AST_REINDEX, "REINDEX"},
    {"checkpoint", AST_CHECKPOINT, "CHECKPOINT"},
    {"discard temp", AST_DISCARD, "DISCARD TEMP"},
    {"declare c cursor for select 1", AST_DECLARE_CURSOR, "DECLARE CURSOR"},
    {"fetch c", AST_FETCH, "FETCH"},
    {"move c", AST_FETCH, "MOVE"},
    {"close c", AST_CLOSE, "CLOSE CURSOR"},
    {"close all", AST_CLOSE, "CLOSE CURSOR ALL"},
    {"notify c", AST_NOTIFY, "NOTIFY"},
    {"listen c", AST_NOTIFY, "LISTEN"},
    {"unlisten *", AST_NOTIFY, "UNLISTEN"},
    {"set constraints all deferred", AST_SET_CONSTRAINTS, "SET CONSTRAINTS"},
    {"do 'x'", AST_DO, "DO"},
    {"call f()", AST_CALL, "CALL"},
    {"merge into t using u on true when matched then delete", AST_UNSUPPORTED, "MERGE"},
    {"create function f() returns int as ''", AST_UNSUPPORTED, "CREATE FUNCTION"},
    {"create procedure f() as ''", AST_UNSUPPORTED, "CREATE PROCEDURE"},
    {"create trigger x before insert on t execute function f()", AST_UNSUPPORTED, "CREATE TRIGGER"},
    {"create type t as enum ('a')", AST_UNSUPPORTED, "CREATE TYPE"},
    {"create type t as (a int)", AST_UNSUPPORTED, "CREATE TYPE"},
    {"create aggregate a (int) (sfunc = f, stype = int)", AST_UNSUPPORTED, "CREATE AGGREGATE"},
    {"create domain d as int", AST_UNSUPPORTED, "CREATE DOMAIN"},
    {"create extension e", AST_UNSUPPORTED, "CREATE EXTENSION"},
    {"create rule r as on insert to t do nothing", AST_UNSUPPORTED, "CREATE RULE"},
    {"create policy p on t", AST_UNSUPPORTED, "CREATE POLICY"},
    {"create statistics s on a, b from t", AST_UNSUPPORTED, "CREATE STATISTICS"},
    {"drop cast (int as text)", AST_UNSUPPORTED, "DROP CAST"},
    {"refresh materialized view m", AST_UNSUPPORTED, "REFRESH MATERIALIZED VIEW"},
    {"cluster t", AST_UNSUPPORTED, "CLUSTER"},
    {"alter system set a = 1", AST_UNSUPPORTED, "ALTER SYSTEM"},
};

static void each_statement_has_its_node_and_tag(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
        const AstNode *node = parse_one(*state, statements[i].sql);
        if (node->kind != statements[i].kind)
            fail_msg("%s: %s", statements[i].sql, ast_kind_name(node->kind));
        assert_string_equal(ast_command_tag(node), statements[i].tag);
    }
}

static void statements_know_their_bytes(void **state)
{
    static const char *const expected[] = {"select 'a;b'", "insert into t values ($3)", "commit"};
    Str text = STR("  /* a /* nested */ ; */ select 'a;b' ; ;-- c;\n\tinsert into t values ($3)\n;"
                   "commit ;  -- end");
    AstList list = parse_all(*state, text);

    assert_int_equal(list.count, 3);
    for (uint32_t i = 0; i < list.count; i++) {
        const AstStatement *statement = (const AstStatement *)list.items[i];
        assert_str(str_make(text.ptr + statement->start, statement->length), expected[i]);
    }
    assert_int_equal(((const AstStatement *)list.items[0])->params_max, 0);
    assert_int_equal(((const AstStatement *)list.items[1])->params_max, 3);
}

static void blank_text_has_no_statement(void **state)
{
    static const char *const blanks[] = {"", " \t\n", ";", ";;", "-- only this", "/* x */"};

    for (size_t i = 0; i < ARRAY_COUNT(blanks); i++)
        assert_int_equal(parse_all(*state, str_from(blanks[i])).count, 0);
}

// --- errors ------------------------------------------------------------------------------------

/* As PostgreSQL 15 reports them; positions are characters. */
static const struct {
    const char *sql;
    const char *sqlstate;
    const char *message;
    int32_t position;
} errors[] = {
    {"selec 1", "42601", "syntax error at or near \"selec\"", 1},
    {"select 1 +", "42601", "syntax error at end of input", 11},
    {"select \xc3\xa4 \xc3\xbc \xc2\xa7", "42601", "syntax error at or near \"\xc2\xa7\"", 12},
    {"select 1; select 2 +; select 3", "42601", "syntax error at or near \";\"", 21},
    {"select 'abc", "42601", "unterminated quoted string at or near \"'abc\"", 8},
    {"select \"abc", "42601", "unterminated quoted identifier at or near \"\"abc\"", 8},
    {"select $$abc", "42601", "unterminated dollar-quoted string at or near \"$$abc\"", 8},
    {"select /* abc", "42601", "unterminated /* comment at or near \"/* abc\"", 8},
    {"select \"\"", "42601", "zero-length delimited identifier at or near \"\"\"\"", 8},
    {"select 1 limit 1,2", "42601", "LIMIT #,# syntax is not supported", 10},
    {"select 1 from a.b.c.d", "42601", "improper qualified name (too many dotted names): a.b.c.d",
     15},
    {"select a.b.c.d.e.f()", "42601",
     "improper qualified name (too many dotted names): a.b.c.d.e.f", 8},
    {"select 1::a.b.c.d", "42601", "improper qualified name (too many dotted names): a.b.c.d", 0},
    {"create role none", "42939", "role name \"none\" is reserved", 13},
    {"create table x (a int not null deferrable)", "42601", "misplaced DEFERRABLE clause", 32},
    {"create table x (a int check (a > 1) initially deferred)", "42601",
     "misplaced INITIALLY DEFERRED clause", 37},
    {"create table x (a int primary key not deferrable initially deferred)", "42601",
     "constraint declared INITIALLY DEFERRED must be DEFERRABLE", 50},
    {"create table x (a int unique deferrable not deferrable)", "42601",
     "multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed", 41},
    {"create assertion a check (true)", "0A000", "CREATE ASSERTION is not yet implemented", 0},
    {"select rank() over (rows between unbounded following and current row)", "42P20",
     "frame start cannot be UNBOUNDED FOLLOWING", 34},
    {"select * from (select 1 into x) y", "42601", "SELECT ... INTO is not allowed here", 30},
    {"with a as (select 1 into b) select 1", "42601", "SELECT ... INTO is not allowed here", 26},
    {"set x = $1", "42601", "syntax error at or near \"$1\"", 9},
    {"set time zone $1", "42601", "syntax error at or near \"$1\"", 15},
    {"alter role x password $1", "42601", "syntax error at or near \"$1\"", 23},
    {"create user x encrypted password $1", "42601", "syntax error at or near \"$1\"", 34},
    {"select interval $1", "42601", "syntax error at or near \"$1\"", 17},
    {"select interval(3) $1", "42601", "syntax error at or near \"$1\"", 20},
    {"select date $1", "42601", "syntax error at or near \"$1\"", 13},
    {"select extract($1 from x)", "42601", "syntax error at or near \"$1\"", 16},
    {"select $0", "42P02", "there is no parameter $0", 8},
};

static void check_error(Fixture *fixture, const char *sql, const char *sqlstate,
                        const char *message, int32_t position)
{
    AstList list;
    Status st = sql_parse(&fixture->ctx, fixture->scope, str_from(sql), &list);
    const Error *error = &fixture->ctx.error;

    if (st == OK)
        fail_msg("%s: no error", sql);
    if (strcmp(error_sqlstate(st), sqlstate) != 0 || strcmp(error->message, message) != 0 ||
        error->position != position)
        fail_msg("%s: %s %s at %d", sql, error_sqlstate(st), error->message, error->position);
    error_clear(&fixture->ctx);
}

static void errors_are_postgresqls(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(errors); i++)
        check_error(*state, errors[i].sql, errors[i].sqlstate, errors[i].message,
                    errors[i].position);
}

static void hints_arrive(void **state)
{
    Fixture *fixture = *state;
    AstList list;

    assert_int_equal(sql_parse(&fixture->ctx, fixture->scope, STR("select 1 limit 1,2"), &list),
                     E_SYNTAX);
    assert_string_equal(fixture->ctx.error.hint, "Use separate LIMIT and OFFSET clauses.");
}

static void clauses_without_a_node_are_refused(void **state)
{
    check_error(*state, "select xmlelement(name a)", "0A000", "XML is not supported", 8);
    check_error(*state, "select * from xmltable('x' passing y columns a int)", "0A000",
                "XMLTABLE is not supported", 15);
    check_error(*state, "with recursive r as (select 1) search depth first by a set b select 1",
                "0A000", "SEARCH is not supported", 32);
    check_error(*state, "create table x (exclude using gist (a with =))", "0A000",
                "an exclusion constraint is not supported", 17);
    check_error(*state, "alter table t alter column 1 set statistics 3", "0A000",
                "ALTER COLUMN by number is not supported", 0);
}

static void bad_utf8_is_refused(void **state)
{
    check_error(*state, "select '\xc3'", "22021",
                "invalid byte sequence for encoding \"UTF8\": 0xc3 0x27", 0);
    check_error(*state, "select '\xff'", "22021",
                "invalid byte sequence for encoding \"UTF8\": 0xff", 0);
}

// --- trees -------------------------------------------------------------------------------------

/* The library numbers LimitOption as DEFAULT 0, COUNT 1, WITH_TIES 2; PostgreSQL's header does not.
 */
static void limit_option_is_read_as_the_library_numbers_it(void **state)
{
    assert_false(parse_query(*state, "select 1")->with_ties);
    assert_false(parse_query(*state, "select 1 limit 1")->with_ties);
    assert_false(parse_query(*state, "select 1 order by 1 fetch first 2 rows only")->with_ties);
    assert_true(parse_query(*state, "select 1 order by 1 fetch first 2 rows with ties")->with_ties);
}

static void constants_have_their_kinds(void **state)
{
    static const AstConstKind kinds[] = {
        AST_CONST_INT,  AST_CONST_INT,  AST_CONST_FLOAT, AST_CONST_FLOAT, AST_CONST_STRING,
        AST_CONST_BITS, AST_CONST_BITS, AST_CONST_NULL,  AST_CONST_BOOL,
    };
    const AstSelect *select = parse_query(
        *state, "select 2147483647, -5, 2147483648, 1.50, 'x''y', b'01', x'1F', null, true");

    assert_int_equal(select->targets.count, ARRAY_COUNT(kinds));
    for (uint32_t i = 0; i < select->targets.count; i++) {
        const AstConst *value =
            (const AstConst *)((const AstTarget *)select->targets.items[i])->value;
        assert_int_equal(value->node.kind, AST_CONST);
        assert_int_equal(value->kind, kinds[i]);
    }
    const AstConst *negative =
        (const AstConst *)((const AstTarget *)select->targets.items[1])->value;
    assert_int_equal(negative->integer, -5);
    const AstConst *exact = (const AstConst *)((const AstTarget *)select->targets.items[3])->value;
    assert_str(exact->text, "1.50");
}

static void locations_are_bytes(void **state)
{
    const AstSelect *select = parse_query(*state, "select '\xc3\xa4', a + b");
    const AstTarget *sum = (const AstTarget *)select->targets.items[1];

    assert_int_equal(sum->node.location, 13);
    assert_int_equal(sum->value->location, 15);
    assert_int_equal(sql_position(STR("select '\xc3\xa4', a + b"), sum->value->location), 15);
    assert_int_equal(sql_position(STR("x"), -1), 0);
}

static void and_or_are_flat(void **state)
{
    const AstSelect *select =
        parse_query(*state, "select 1 where a and (b and (c and d)) and (e or (f or g) or not h)");
    const AstBoolExpr *all = (const AstBoolExpr *)select->where;

    assert_int_equal(all->op, AST_AND);
    assert_int_equal(all->args.count, 5);
    const AstBoolExpr *any = (const AstBoolExpr *)all->args.items[4];
    assert_int_equal(any->op, AST_OR);
    assert_int_equal(any->args.count, 4);
}

static void equal_set_operations_are_one_node(void **state)
{
    const AstSelect *all = parse_query(*state, "select 1 union all select 2 union all select 3");
    assert_int_equal(all->setop, AST_SETOP_UNION);
    assert_true(all->setop_all);
    assert_int_equal(all->args.count, 3);

    /* ((1 union 2) union all 3): two kinds, two nodes; an ORDER BY of its own parts a chain. */
    const AstSelect *mixed = parse_query(*state, "select 1 union select 2 union all select 3");
    assert_int_equal(mixed->args.count, 2);
    assert_int_equal(((const AstSelect *)mixed->args.items[0])->args.count, 2);
    const AstSelect *ordered =
        parse_query(*state, "(select 1 union select 2 order by 1) union select 3");
    assert_int_equal(ordered->args.count, 2);
}

static void like_gets_its_escape_back(void **state)
{
    const AstSelect *select =
        parse_query(*state, "select a like 'x' escape '!', a not ilike b, a similar to b, "
                            "a like pg_catalog.like_escape('x', 'y')");
    const AstLike *like[4];

    for (uint32_t i = 0; i < 4; i++) {
        like[i] = (const AstLike *)((const AstTarget *)select->targets.items[i])->value;
        assert_int_equal(like[i]->node.kind, AST_LIKE);
    }
    assert_non_null(like[0]->escape);
    assert_int_equal(like[1]->kind, AST_LIKE_ILIKE);
    assert_true(like[1]->negated);
    assert_int_equal(like[2]->kind, AST_LIKE_SIMILAR);
    assert_null(like[2]->escape);
    assert_int_equal(like[3]->pattern->kind, AST_FUNC_CALL);
}

static void multi_assignment_shares_its_source(void **state)
{
    const AstUpdate *update =
        (const AstUpdate *)parse_one(*state, "update t set (a, b) = (select 1, 2), (c) = row(3)");
    const AstMultiAssign *a = (const AstMultiAssign *)((AstTarget *)update->set.items[0])->value;
    const AstMultiAssign *b = (const AstMultiAssign *)((AstTarget *)update->set.items[1])->value;
    const AstMultiAssign *c = (const AstMultiAssign *)((AstTarget *)update->set.items[2])->value;

    assert_ptr_equal(a->source, b->source);
    assert_ptr_not_equal(a->source, c->source);
    assert_int_equal(b->column, 2);
    assert_int_equal(b->columns, 2);
}

static void column_constraints_take_their_deferrability(void **state)
{
    const AstCreateTable *create = (const AstCreateTable *)parse_one(
        *state, "create table t (a int default 1 unique deferrable initially deferred "
                "references o (x) on delete cascade not null, primary key (a) initially deferred)");
    const AstColumnDef *column = (const AstColumnDef *)create->elements.items[0];
    const AstConstraint *unique = (const AstConstraint *)column->constraints.items[1];
    const AstConstraint *foreign = (const AstConstraint *)column->constraints.items[2];
    const AstConstraint *key = (const AstConstraint *)create->elements.items[1];

    assert_int_equal(column->constraints.count, 4);
    assert_true(unique->deferrable && unique->initially_deferred);
    assert_int_equal(foreign->kind, AST_CONSTR_FOREIGN_KEY);
    assert_false(foreign->deferrable);
    assert_int_equal(foreign->on_delete, 'c');
    assert_int_equal(foreign->on_update, 'a');
    assert_true(key->deferrable && key->initially_deferred);
}

static void transaction_modes_are_read(void **state)
{
    const AstTransaction *begin = (const AstTransaction *)parse_one(
        *state, "begin isolation level repeatable read, read only, not deferrable");

    assert_int_equal(begin->modes.isolation, AST_ISOLATION_REPEATABLE_READ);
    assert_int_equal(begin->modes.read_only, AST_ON);
    assert_int_equal(begin->modes.deferrable, AST_OFF);
    const AstSet *set =
        (const AstSet *)parse_one(*state, "set session characteristics as transaction read write");
    assert_int_equal(set->kind, AST_SET_SESSION_CHARACTERISTICS);
    assert_int_equal(set->modes.isolation, AST_ISOLATION_NONE);
    assert_int_equal(set->modes.read_only, AST_OFF);
}

static void copy_options_are_kept(void **state)
{
    Fixture *fixture = *state;
    const AstCopy *copy = (const AstCopy *)parse_one(
        fixture, "copy t (a, b) from stdin with (format csv, header, delimiter ';', freeze 0, "
                 "force_null (a, b), force_quote *)");
    Str format;
    bool on;

    assert_true(copy->is_from);
    assert_null(copy->filename.ptr);
    assert_int_equal(copy->columns.count, 2);
    assert_int_equal(ast_option_string(&fixture->ctx, fixture->scope,
                                       ast_option_find(&copy->options, "format"), &format),
                     OK);
    assert_str(format, "csv");
    assert_int_equal(ast_option_bool(&fixture->ctx, ast_option_find(&copy->options, "header"), &on),
                     OK);
    assert_true(on);
    assert_int_equal(ast_option_bool(&fixture->ctx, ast_option_find(&copy->options, "freeze"), &on),
                     OK);
    assert_false(on);
    const AstOption *columns = ast_option_find(&copy->options, "force_null");
    assert_int_equal(((const AstNameList *)columns->value)->names.count, 2);
    assert_int_equal(ast_option_find(&copy->options, "force_quote")->value->kind, AST_STAR);
    assert_int_equal(
        ast_option_bool(&fixture->ctx, ast_option_find(&copy->options, "delimiter"), &on),
        E_SYNTAX);
    assert_string_equal(fixture->ctx.error.message, "delimiter requires a Boolean value");
}

static void option_numbers_are_checked(void **state)
{
    Fixture *fixture = *state;
    const AstCreateSequence *create = (const AstCreateSequence *)parse_one(
        fixture, "create sequence s minvalue -9223372036854775808 maxvalue 9223372036854775808 "
                 "start 1.5 no cycle");
    int64_t value;

    assert_int_equal(
        ast_option_int64(&fixture->ctx, ast_option_find(&create->options, "minvalue"), &value), OK);
    assert_true(value == INT64_MIN);
    assert_int_equal(
        ast_option_int64(&fixture->ctx, ast_option_find(&create->options, "maxvalue"), &value),
        E_NUMERIC_OUT_OF_RANGE);
    error_clear(&fixture->ctx);
    assert_int_equal(
        ast_option_int64(&fixture->ctx, ast_option_find(&create->options, "start"), &value),
        E_INVALID_TEXT);
    error_clear(&fixture->ctx);
}

static void set_values_are_joined(void **state)
{
    Fixture *fixture = *state;
    const AstSet *set = (const AstSet *)parse_one(fixture, "set search_path = a, \"B\", 'c d', 5");
    Str text;

    assert_int_equal(ast_set_text(&fixture->ctx, fixture->scope, set, AST_SET_IDENTIFIERS, &text),
                     OK);
    assert_str(text, "a, \"B\", \"c d\", 5");
    assert_int_equal(ast_set_text(&fixture->ctx, fixture->scope, set, AST_SET_LIST, &text), OK);
    assert_str(text, "a, B, c d, 5");
    assert_int_equal(ast_set_text(&fixture->ctx, fixture->scope, set, AST_SET_SCALAR, &text),
                     E_INVALID_PARAMETER_VALUE);
    assert_string_equal(fixture->ctx.error.message, "SET search_path takes only one argument");
}

/* As PostgreSQL 15 names them. */
static void unnamed_columns_get_postgresqls_names(void **state)
{
    static const char *const names[] = {
        "?column?",  "text",     "?column?", "?column?", "a",        "case",
        "now",       "column1",  "?column?", "array",    "exists",   "row",
        "x",         "x",        "array",    "?column?", "nullif",   "greatest",
        "?column?",  "int4",     "btrim",    "position", "?column?", "current_date",
        "interval",  "?column?", "?column?", "?column?", "x",        "coalesce",
        "substring", "extract",  "timezone", "varchar",  "q",        "grouping",
    };
    const AstSelect *select = parse_query(
        *state,
        "select true, true::text, (select true), (select 1+1)::int, "
        "(select a from (values(1)) v(a))::text, case when true then 1 end, "
        "case when true then now() else now() end, (values (1)), "
        "(select 1 union select 2 limit 1), array(select 1), exists(select 1), row(1,2), a.x, "
        "(a).x, (array[1])[1], 1 is null, nullif(1,2), greatest(1,2), 'x' collate \"C\", "
        "cast('1' as int), trim('a'), position('a' in 'b'), 'a' like 'b', current_date, "
        "interval '1' day, 1 in (2), not true, -1, a.x::text::int, coalesce(1,2), "
        "substring('a' from 1), extract(year from now()), now() at time zone 'UTC', "
        "('a' collate \"C\")::varchar(3), (select 5 as q), grouping(a.x)");

    assert_int_equal(select->targets.count, ARRAY_COUNT(names));
    for (uint32_t i = 0; i < select->targets.count; i++)
        assert_str(ast_target_name((const AstTarget *)select->targets.items[i]), names[i]);
}

// --- expressions, types, texts -----------------------------------------------------------------

static void one_expression_is_parsed(void **state)
{
    static const char *const refused[] = {"a, b", "1 from t", "1 where 2", "1; select 2", "",
                                          ")",    "*, 1",     "1 into x",  "1 order by 1"};
    Fixture *fixture = *state;
    AstNode *expr;

    assert_int_equal(
        sql_parse_expr(&fixture->ctx, fixture->scope, STR("a + 1 > lower('x')"), &expr), OK);
    assert_int_equal(expr->kind, AST_OP);
    assert_int_equal(expr->location, 6);
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        assert_int_equal(sql_parse_expr(&fixture->ctx, fixture->scope, str_from(refused[i]), &expr),
                         E_SYNTAX);
        error_clear(&fixture->ctx);
    }
}

static void one_type_is_parsed(void **state)
{
    Fixture *fixture = *state;
    AstTypeName *type;

    assert_int_equal(
        sql_parse_type(&fixture->ctx, fixture->scope, STR("numeric(10, 2)[][3]"), &type), OK);
    assert_str(type->name.schema, "pg_catalog");
    assert_str(type->name.name, "numeric");
    assert_int_equal(type->typmods.count, 2);
    assert_int_equal(type->bounds.count, 2);
    assert_int_equal(sql_parse_type(&fixture->ctx, fixture->scope, STR("int; select 1"), &type),
                     E_SYNTAX);
}

static void constants_are_normalized(void **state)
{
    Fixture *fixture = *state;
    uint64_t a;
    uint64_t b;
    Str text;

    assert_int_equal(sql_normalize(&fixture->ctx, fixture->scope,
                                   STR("select a, 'x', 5 from t where b = 'y' limit 10"), &text),
                     OK);
    assert_str(text, "select a, $1, $2 from t where b = $3 limit $4");
    assert_int_equal(sql_fingerprint(&fixture->ctx, STR("select a from t where b = 1"), &a), OK);
    assert_int_equal(sql_fingerprint(&fixture->ctx, STR("SELECT a  FROM t WHERE b = 22"), &b), OK);
    assert_true(a == b);
    assert_int_equal(sql_fingerprint(&fixture->ctx, STR("select a from t where c = 1"), &b), OK);
    assert_true(a != b);
}

static void keywords_have_their_kinds(void **state)
{
    (void)state;
    assert_int_equal(sql_keyword(STR("select")), SQL_KEYWORD_RESERVED);
    assert_int_equal(sql_keyword(STR("left")), SQL_KEYWORD_TYPE_FUNCTION);
    assert_int_equal(sql_keyword(STR("coalesce")), SQL_KEYWORD_COLUMN_NAME);
    assert_int_equal(sql_keyword(STR("abort")), SQL_KEYWORD_UNRESERVED);
    assert_int_equal(sql_keyword(STR("abalance")), SQL_KEYWORD_NONE);
    assert_int_equal(sql_keyword(STR("a_word_longer_than_every_keyword_there_is")),
                     SQL_KEYWORD_NONE);
}

// --- limits ------------------------------------------------------------------------------------

static Status status_of(Fixture *fixture, Str text)
{
    AstList list;
    Status st = sql_parse(&fixture->ctx, fixture->scope, text, &list);

    error_clear(&fixture->ctx);
    return st;
}

static void long_chains_never_exhaust_the_stack(void **state)
{
    Fixture *fixture = *state;
    Scope *scope = fixture->scope;

    assert_int_equal(status_of(fixture, repeated(scope, "select 1", "+1", 100000, "")),
                     E_STATEMENT_TOO_COMPLEX);
    assert_int_equal(status_of(fixture, repeated(scope, "select ", "(", 100000, "1")), E_SYNTAX);
    assert_int_equal(status_of(fixture, repeated(scope, "select a", "::int", 100000, "")),
                     E_STATEMENT_TOO_COMPLEX);
    assert_int_equal(status_of(fixture, repeated(scope, "select ", "not ", 100000, "a")), E_SYNTAX);
    assert_int_equal(
        status_of(fixture, repeated(scope, "select * from a", " natural join b", 100000, "")),
        E_STATEMENT_TOO_COMPLEX);
    assert_int_equal(status_of(fixture, repeated(scope, "select 1",
                                                 " union select 1 union all select 1", 20000, "")),
                     E_STATEMENT_TOO_COMPLEX);
    Str text;
    Str chain = repeated(scope, "select 1", " union select 1", 20000, "");
    assert_int_equal(sql_normalize(&fixture->ctx, scope, chain, &text), E_STATEMENT_TOO_COMPLEX);
    error_clear(&fixture->ctx);
}

static void ordinary_chains_have_no_limit(void **state)
{
    Fixture *fixture = *state;
    Scope *scope = fixture->scope;
    AstList list =
        parse_all(fixture, repeated(scope, "select 1 where a = 1", " or a = 1", 10000, ""));
    const AstSelect *select = (const AstSelect *)((AstStatement *)list.items[0])->body;
    assert_int_equal(((const AstBoolExpr *)select->where)->args.count, 10001);

    list = parse_all(fixture, repeated(scope, "select 1", " union all select 1", 20000, ""));
    select = (const AstSelect *)((AstStatement *)list.items[0])->body;
    assert_int_equal(select->args.count, 20001);
    list = parse_all(fixture, repeated(scope, "", "select 1;", 10000, ""));
    assert_int_equal(list.count, 10000);
}

/* As deep as allowed, through converter and deparser. */
static void the_deepest_tree_fits_the_stack(void **state)
{
    static const char *const parts[][3] = {
        {"select 1", "+1", ""},
        {"select ", "not ", "a"},
        {"select * from a", " natural join b", ""},
    };
    Fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        StrBuf buf;
        AstList list = parse_all(fixture, repeated(fixture->scope, parts[i][0], parts[i][1],
                                                   AST_DEPTH_MAX - 10, parts[i][2]));
        strbuf_init(&buf);
        sql_deparse_query(&buf, ((AstStatement *)list.items[0])->body);
        assert_true(buf.len > AST_DEPTH_MAX);
        strbuf_free(&buf);
    }
}

static void large_insert_keeps_every_row(void **state)
{
    Fixture *fixture = *state;
    Str text = repeated(fixture->scope, "insert into t values (0, '')", ", (1, 'x')", 999, "");
    AstList list = parse_all(fixture, text);
    const AstInsert *insert = (const AstInsert *)((AstStatement *)list.items[0])->body;

    assert_int_equal(((const AstSelect *)insert->source)->values.count, 1000);
}

// --- threads -----------------------------------------------------------------------------------

enum { THREADS_COUNT = 3000 };

static void parse_in_thread(void *result)
{
    Fixture fixture;
    AstList list;

    ctx_init(&fixture.ctx);
    fixture.scope = scope_open(NULL, "thread");
    bool parsed = sql_parse(&fixture.ctx, fixture.scope, STR("select a from t"), &list) == OK;
    bool refused = status_of(&fixture, STR("select a from")) == E_SYNTAX;
    *(bool *)result = parsed && refused;
    scope_close(fixture.scope);
    ctx_free(&fixture.ctx);
}

/* More threads than there are pthread keys: each parses, fails to parse, and ends. */
static void short_lived_threads_parse(void **state)
{
    Fixture *fixture = *state;

    for (uint32_t i = 0; i < THREADS_COUNT; i++) {
        Thread thread = {0};
        bool result = false;
        assert_int_equal(thread_start(&fixture->ctx, &thread, "parse", parse_in_thread, &result),
                         OK);
        thread_join(&thread);
        assert_true(result);
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_statement_has_its_node_and_tag),
        TEST(statements_know_their_bytes),
        TEST(blank_text_has_no_statement),
        TEST(errors_are_postgresqls),
        TEST(hints_arrive),
        TEST(clauses_without_a_node_are_refused),
        TEST(bad_utf8_is_refused),
        TEST(limit_option_is_read_as_the_library_numbers_it),
        TEST(constants_have_their_kinds),
        TEST(locations_are_bytes),
        TEST(and_or_are_flat),
        TEST(equal_set_operations_are_one_node),
        TEST(like_gets_its_escape_back),
        TEST(multi_assignment_shares_its_source),
        TEST(column_constraints_take_their_deferrability),
        TEST(transaction_modes_are_read),
        TEST(copy_options_are_kept),
        TEST(option_numbers_are_checked),
        TEST(set_values_are_joined),
        TEST(unnamed_columns_get_postgresqls_names),
        TEST(one_expression_is_parsed),
        TEST(one_type_is_parsed),
        TEST(constants_are_normalized),
        TEST(keywords_have_their_kinds),
        TEST(long_chains_never_exhaust_the_stack),
        TEST(ordinary_chains_have_no_limit),
        TEST(the_deepest_tree_fits_the_stack),
        TEST(large_insert_keeps_every_row),
        TEST(short_lived_threads_parse),
    };
    return cmocka_run_group_tests_name("sql/parse", tests, NULL, NULL);
}
