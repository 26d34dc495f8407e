#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The conversation, message by message: what PostgreSQL 15 answers (chapter 55.2), in the right
order, with its error codes.

    tests/server/protocol_test.py DBASPOT [TEST...]
"""

import sys

sys.dont_write_bytecode = True

from wire import (FLUSH, SYNC, Client, Server, bind, close, describe, error_of, execute, expect,
                  int16, int32, kinds, main, message, parse, query)  # noqa: E402


def expect_kinds(messages, expected):
    """The kinds of the messages, settings and notices left out."""
    expect(kinds(messages) == expected, f"{kinds(messages)} instead of {expected}: {messages}")


def test_greeting(server):
    """Authentication ok, settings, key, ready."""
    with Client(server, application_name="me") as c:
        expect_kinds(c.greeting, "RKZ")
        settings = dict(m.body.decode().split("\0")[:2] for m in c.greeting if m.kind == "S")
        expect(settings["server_encoding"] == "UTF8", "server_encoding")
        expect(settings["application_name"] == "me", "application_name")
        expect(settings["server_version"].startswith("15."), "server_version")
        expect(c.value("SHOW application_name") == "me", "SHOW application_name")


def test_ssl_is_refused_then_plain(server):
    """SSLRequest and GSSENCRequest get N each, then the start-up goes on."""
    with Client(server, start=False) as c:
        for code in (80877103, 80877104):
            c.send(int32(8), int32(code))
            expect(c.socket.recv(1) == b"N", "no N")
        c.send(c.startup())
        expect_kinds(c.until_ready(), "RKZ")


def test_startup_errors(server):
    """Unknown role and database, no user, an old protocol, replication."""
    for parameters, code in (({"database": "nowhere"}, "3D000"), ({"user": "nobody"}, "28000"),
                             ({"user": ""}, "28000"), ({"version": 4 << 16}, "0A000"),
                             ({"replication": "true"}, "0A000"),
                             ({"no_such_setting": "1"}, "42704")):
        with Client(server, start=False) as c:
            c.send(c.startup(**parameters))
            answer = c.until_closed()
            expect(error_of(answer) == code, f"{parameters}: {answer}")
            expect(answer[-1].fields()["S"] == "FATAL", "not FATAL")


def test_newer_protocol_is_negotiated(server):
    """Protocol 3.2 and unknown protocol options get NegotiateProtocolVersion."""
    with Client(server, start=False) as c:
        c.send(c.startup(version=196610, **{"_pq_.wings": "2"}))
        answer = c.until_ready()
        expect_kinds(answer, "vRKZ")
        expect(answer[0].body == int32(196608) + int32(1) + b"_pq_.wings\0", f"{answer[0]}")


def test_startup_options(server):
    """options: -c name=value and --name=value; RESET goes back to them."""
    options = r"-c work_mem=9MB --application_name=a\ b -cstatement_timeout=7s"
    with Client(server, options=options) as c:
        expect(c.value("SHOW work_mem") == "9MB", "work_mem")
        expect(c.value("SHOW application_name") == "a b", "application_name")
        expect(c.value("SHOW statement_timeout") == "7s", "statement_timeout")
        c.run("SET work_mem = '5MB'")
        c.run("RESET work_mem")
        expect(c.value("SHOW work_mem") == "9MB", "RESET")


def test_simple_query(server):
    """Rows, several statements, an empty query, an error in the middle."""
    with Client(server) as c:
        expect_kinds(c.run("SELECT 1"), "TDCZ")
        expect_kinds(c.run(""), "IZ")
        expect_kinds(c.run(" ; ; "), "IZ")
        expect_kinds(c.run("SELECT 1; SELECT 2"), "TDCTDCZ")
        answer = c.run("SELECT 1; SELECT 1/0; SELECT 3")
        expect_kinds(answer, "TDCEZ" if "D" in kinds(answer)[:3] else kinds(answer))
        expect(error_of(answer) == "22012", "no division by zero")


def test_several_statements_are_one_transaction(server):
    """A failing statement takes back those before it in the same message."""
    with Client(server) as c:
        c.run("DROP TABLE IF EXISTS multi; CREATE TABLE multi (a int PRIMARY KEY)")
        c.run("INSERT INTO multi VALUES (1); INSERT INTO multi VALUES (1)")
        expect(c.value("SELECT count(*) FROM multi") == "0", "the first insert stayed")
        c.run("INSERT INTO multi VALUES (1); COMMIT; INSERT INTO multi VALUES (1)")
        expect(c.value("SELECT count(*) FROM multi") == "1", "what COMMIT kept is gone")


def test_extended_query(server):
    """Parse, Bind, Describe, Execute, Sync; parameters in text and binary; results in binary."""
    with Client(server) as c:
        c.send(parse("SELECT $1::int + $2::int AS s"), describe("S"),
               bind([b"20", int32(22)], formats=(0, 1), results=(1,)), describe("P"), execute(),
               SYNC)
        answer = c.until_ready()
        expect_kinds(answer, "1tT2TDCZ")
        expect(answer[1].body == int16(2) + int32(23) + int32(23), f"{answer[1]}")
        expect([m for m in answer if m.kind == "D"][0].columns() == [int32(42)], "not 42")


def test_extended_without_rows(server):
    """NoData for statements without rows, EmptyQueryResponse for none."""
    with Client(server) as c:
        c.send(parse("BEGIN"), bind(), describe("P"), execute(), parse(""), bind(), describe("P"),
               execute(), parse("ROLLBACK"), bind(), execute(), SYNC)
        expect_kinds(c.until_ready(), "12nC12nI12CZ")


def test_row_limit(server):
    """A portal that is fetched in parts is suspended until its rows are used up."""
    with Client(server) as c:
        c.send(query("BEGIN"), parse("SELECT * FROM generate_series(1, 5)"), bind(portal="p"),
               execute("p", 2), execute("p", 2), execute("p", 2), execute("p", 2), SYNC)
        expect_kinds(c.until_ready(), "CZ")
        answer = c.until_ready()
        expect_kinds(answer, "12DDsDDsDCCZ")
        tags = [m.body for m in answer if m.kind == "C"]
        expect(tags == [b"SELECT 1\0", b"SELECT 0\0"], f"{tags}")
        c.send(query("COMMIT"))
        c.until_ready()


def test_portal_runs_once(server):
    """Execute on a finished portal: no rows again, and never the insert a second time."""
    with Client(server) as c:
        c.run("DROP TABLE IF EXISTS once; CREATE TABLE once (a int)")
        c.send(query("BEGIN"), parse("INSERT INTO once VALUES (1)"), bind(), execute(), execute(),
               SYNC)
        c.until_ready()
        answer = c.until_ready()
        expect_kinds(answer, "12CEZ")
        expect(error_of(answer) == "55000", f"{answer}")
        c.run("ROLLBACK")
        c.send(query("BEGIN"), parse("SELECT 1"), bind(), execute(), execute(), SYNC,
               query("COMMIT"))
        c.until_ready()
        expect_kinds(c.until_ready(), "12DCCZ")
        c.until_ready()


def test_portals_end_with_their_transaction(server):
    """After Sync outside a block, and after COMMIT, a portal is gone."""
    with Client(server) as c:
        c.send(parse("SELECT 1", "s"), bind(portal="p", statement="s"), SYNC, execute("p"), SYNC)
        expect_kinds(c.until_ready(), "12Z")
        expect(error_of(c.until_ready()) == "34000", "the portal is still there")
        c.send(query("BEGIN"), bind(portal="p", statement="s"), SYNC, query("COMMIT"),
               bind(portal="p", statement="s"), execute("p"), SYNC)
        c.until_ready()
        expect_kinds(c.until_ready(), "2Z")
        c.until_ready()
        expect_kinds(c.until_ready(), "2DCZ")


def test_names(server):
    """Names of statements and portals: taken, unknown, closed."""
    with Client(server) as c:
        c.send(parse("SELECT 1", "n"), SYNC, parse("SELECT 2", "n"), SYNC)
        c.until_ready()
        expect(error_of(c.until_ready()) == "42P05", "a second n")
        c.send(query("BEGIN"), bind(portal="p", statement="n"),
               bind(portal="p", statement="n"), SYNC)
        c.until_ready()
        expect(error_of(c.until_ready()) == "42P03", "a second p")
        c.run("ROLLBACK")
        c.send(close("S", "n"), close("P", "unknown"), bind(statement="n"), SYNC)
        answer = c.until_ready()
        expect_kinds(answer, "33EZ")
        expect(error_of(answer) == "26000", "n is still there")


def test_error_skips_to_sync(server):
    """After an error everything up to Sync is dropped; the next request works."""
    with Client(server) as c:
        c.send(parse("SELEC 1"), bind(), describe("P"), execute(), query("SELECT 1"), SYNC,
               query("SELECT 2"))
        answer = c.until_ready()
        expect_kinds(answer, "EZ")
        expect(error_of(answer) == "42601", f"{answer}")
        expect_kinds(c.until_ready(), "TDCZ")


def test_wrong_order(server):
    """Bind without Parse, Execute without Bind, Describe of nothing: errors, not ends."""
    with Client(server) as c:
        for wrong, code in ((bind(statement="none"), "26000"), (execute("none"), "34000"),
                            (describe("S", "none"), "26000"), (describe("P", "none"), "34000"),
                            (describe("X", ""), "08P01"), (close("Y", ""), "08P01"),
                            (message("d", b"data"), None), (message("c"), None),
                            (message("f", "reason"), None)):
            c.send(wrong, SYNC)
            expect(error_of(c.until_ready()) == code, f"{wrong}")
        expect(c.value("SELECT 1") == "1", "not alive")


def test_bind_errors(server):
    """Wrong numbers of parameters and formats, bad values, with PostgreSQL's codes."""
    with Client(server) as c:
        c.send(parse("SELECT $1::int, $2::int", "two"), SYNC)
        c.until_ready()
        for values, formats, code in (([b"1"], (), "08P01"), ([b"1", b"2", b"3"], (), "08P01"),
                                      ([b"1", b"2"], (0, 0, 0), "08P01"),
                                      ([b"1", b"2"], (7,), "22023"),
                                      ([b"1", b"x"], (), "22P02"),
                                      ([b"1", b"\xff"], (), "22021"),
                                      ([b"1", b"12345"], (0, 1), "22P03")):
            c.send(bind(values, statement="two", formats=formats), SYNC)
            answer = c.until_ready()
            expect(error_of(answer) == code, f"{values} {formats}: {answer}")


def test_pipeline_is_one_transaction(server):
    """Requests before one Sync are one transaction."""
    with Client(server) as c:
        c.run("DROP TABLE IF EXISTS piped; CREATE TABLE piped (a int PRIMARY KEY)")
        one = parse("INSERT INTO piped VALUES ($1)", types=(23,))
        c.send(one, bind([b"1"]), execute(), bind([b"2"]), execute(), bind([b"1"]), execute(),
               bind([b"3"]), execute(), SYNC)
        answer = c.until_ready()
        expect_kinds(answer, "12C2C2EZ")
        expect(c.value("SELECT count(*) FROM piped") == "0", "rows stayed")
        c.send(one, bind([b"1"]), execute(), bind([b"2"]), execute(), SYNC)
        expect_kinds(c.until_ready(), "12C2CZ")
        expect(c.value("SELECT count(*) FROM piped") == "2", "rows are missing")


def test_long_pipeline(server):
    """Ten thousand requests sent at once are answered in order."""
    with Client(server) as c:
        requests = [parse("SELECT $1::int", "s"), SYNC]
        for i in range(10000):
            requests += [bind([str(i).encode()], statement="s"), execute(), SYNC]
        c.send(*requests)
        c.until_ready()
        for i in range(10000):
            rows = [m for m in c.until_ready() if m.kind == "D"]
            expect(rows[0].columns() == [str(i).encode()], f"{i}: {rows}")


def test_flush_answers_at_once(server):
    """Flush sends what is there, without Sync."""
    with Client(server) as c:
        c.send(parse("SELECT 7"), bind(), execute(), FLUSH)
        expect_kinds(c.until("C"), "12DC")
        c.send(SYNC)
        expect_kinds(c.until_ready(), "Z")


def test_failed_transaction(server):
    """25P02 in both protocols until ROLLBACK; COMMIT answers ROLLBACK."""
    with Client(server) as c:
        c.run("BEGIN")
        c.run("SELECT 1/0")
        expect(c.run("SELECT 1")[-1].body == b"E", "status is not E")
        expect(error_of(c.run("SELECT 1")) == "25P02", "simple")
        c.send(parse("SELECT 1"), SYNC)
        expect(error_of(c.until_ready()) == "25P02", "extended")
        c.send(parse("COMMIT"), bind(), execute(), SYNC)
        answer = c.until_ready()
        expect([m.body for m in answer if m.kind == "C"] == [b"ROLLBACK\0"], f"{answer}")
        expect(answer[-1].body == b"I", "status is not I")


def test_plan_follows_changes(server):
    """A prepared statement sees changed tables; its columns may not change."""
    with Client(server) as c:
        c.run("DROP TABLE IF EXISTS follow; CREATE TABLE follow (a int, b int)")
        c.run("INSERT INTO follow VALUES (1, 2)")
        c.send(parse("SELECT b FROM follow WHERE a = $1", "f"),
               parse("SELECT * FROM follow", "star"), SYNC)
        c.until_ready()
        for i in range(3):
            c.run(f"ALTER TABLE follow ADD COLUMN c{i} int")
            c.send(bind([b"1"], statement="f"), execute(), SYNC)
            rows = [m.columns() for m in c.until_ready() if m.kind == "D"]
            expect(rows == [[b"2"]], f"{rows}")
        c.send(bind(statement="star"), execute(), SYNC)
        expect(error_of(c.until_ready()) == "0A000", "columns have changed")


def test_deallocate_from_itself(server):
    """A statement may drop every statement while it runs as one of them."""
    with Client(server) as c:
        for text in ("DEALLOCATE ALL", "DISCARD ALL", "DEALLOCATE self"):
            c.send(parse(text, "self"), bind(statement="self"), execute(), SYNC)
            expect(error_of(c.until_ready()) is None, text)
            c.send(close("S", "self"), SYNC)
            c.until_ready()


def test_copy(server):
    """COPY both ways; CopyFail; wrong messages in the middle; an error in the data."""
    with Client(server) as c:
        c.run("DROP TABLE IF EXISTS copied; CREATE TABLE copied (a int, b text)")
        c.send(query("COPY copied FROM STDIN"))
        expect_kinds(c.until("G"), "G")
        c.send(message("d", b"1\tone\n2\tt"), message("d", b"wo\n3\t\\N\n"), message("c"))
        expect_kinds(c.until_ready(), "CZ")
        c.send(query("COPY copied TO STDOUT"))
        answer = c.until_ready()
        expect_kinds(answer, "HdddcCZ")
        data = b"".join(m.body for m in answer if m.kind == "d")
        expect(data == b"1\tone\n2\ttwo\n3\t\\N\n", f"{data}")
        for wrong, code in ((message("f", "no more"), "57014"),
                            (message("d", b"x\ty\n") + message("c"), "22P02"),
                            (message("d", b"4\n") + message("c"), "22P04")):
            c.send(query("COPY copied FROM STDIN"))
            c.until("G")
            c.send(wrong)
            answer = c.until_ready()
            expect(error_of(answer) == code, f"{wrong}: {answer}")
            expect(c.value("SELECT count(*) FROM copied") == "3", "rows of a failed COPY")


def test_copy_in_extended_protocol(server):
    """COPY FROM through Execute: Sync within the data is ignored, one ends it."""
    with Client(server) as c:
        c.run("DROP TABLE IF EXISTS copied2; CREATE TABLE copied2 (a int)")
        c.send(parse("COPY copied2 FROM STDIN"), bind(), execute(), SYNC)
        expect_kinds(c.until("G"), "12G")
        c.send(message("d", b"1\n2\n"), message("c"), SYNC)
        expect_kinds(c.until_ready(), "CZ")
        expect(c.value("SELECT count(*) FROM copied2") == "2", "rows are missing")


def test_error_position_counts_characters(server):
    """P is the character, not the byte, where the error lies."""
    with Client(server) as c:
        answer = c.run("SELECT 'äöü', nothing")
        fields = answer[0].fields()
        expect(fields["C"] == "42703" and fields["P"] == "15", f"{fields}")


def test_function_call_message(server):
    """The old function call interface is refused, and the session goes on."""
    with Client(server) as c:
        c.send(message("F", int32(1), int16(0), int16(0), int16(0)))
        expect(error_of(c.until_ready()) == "0A000", "not refused")
        expect(c.value("SELECT 1") == "1", "not alive")


def test_many_parameters(server):
    """65,535 parameters are the most that the protocol can carry."""
    count = 65535
    with Client(server) as c:
        text = "SELECT " + " + ".join(f"${i + 1}::int" for i in range(100))
        c.send(parse(text), bind([b"1"] * 100), execute(), SYNC)
        rows = [m.columns() for m in c.until_ready() if m.kind == "D"]
        expect(rows == [[b"100"]], f"{rows}")
        c.send(parse("SELECT 1 WHERE 1 IN (" + ",".join(f"${i + 1}" for i in range(count)) + ")",
                     types=[23] * count), bind([b"1"] * count), execute(), SYNC)
        answer = c.until_ready()
        expect(kinds(answer) == "12DCZ", f"{answer}")


def test_half_closed(server):
    """A client that has said all and closed its side still gets its answer."""
    with Client(server) as c:
        c.send(query("SELECT pg_sleep(0.2)"), query("SELECT 2"))
        c.socket.shutdown(1)
        answer = c.until_closed()
        expect(kinds(answer) == "TDCZTDCZ", f"{answer}")


def test_terminate(server):
    """X ends the connection; what came before it is done."""
    with Client(server) as c:
        c.run("DROP TABLE IF EXISTS last; CREATE TABLE last (a int)")
        c.send(query("INSERT INTO last VALUES (1)"), message("X"))
        c.until_closed()
    with Client(server) as c:
        expect(c.value("SELECT count(*) FROM last") == "1", "the insert is lost")


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")], Server)
