#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that mean no good: garbage, lengths that lie, texts without end, clients that do not read.
The server refuses, stays small, goes on serving the others, and ends cleanly.

    tests/server/hostile_test.py DBASPOT [TEST...]
"""

import os
import random
import socket
import struct
import sys
import threading
import time

sys.dont_write_bytecode = True

from wire import (SYNC, Client, Server, bind, close, describe, error_of, execute, expect, int32,
                  kinds, main, message, parse, query, wait_for)  # noqa: E402

CONNECTIONS = 1000
GROWTH_KIB_MAX = 300 * 1024


def prepare(program):
    """One server for all, so that what one leaves behind hits the next."""
    return Server(program, "--max-connections", str(CONNECTIONS + 50))


def alive(server):
    """A well-behaved client is served, and soon."""
    started = time.monotonic()
    with Client(server) as c:
        expect(c.value("SELECT 40 + 2") == "42", "a wrong answer")
    expect(time.monotonic() - started < 10, "it was slow")


def test_garbage_before_startup(server):
    """Other protocols, random bytes, lengths that lie."""
    rng = random.Random(1)
    for data in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01",
                 b"\0" * 100, b"\xff" * 100, int32(0), int32(7) + b"xxx", int32(2000000000),
                 int32(-1), int32(8) + int32(196608), int32(9) + int32(196608) + b"\0",
                 int32(12) + int32(196608) + b"user", int32(12) + int32(80877102) + int32(1),
                 int32(16) + int32(80877102) + int32(1) + int32(2), b"",
                 *[rng.randbytes(rng.randrange(1, 300)) for _ in range(200)]):
        with Client(server, start=False) as c:
            c.send(data)
            c.socket.shutdown(socket.SHUT_WR)
            c.until_closed()
    alive(server)


def test_lengths_that_lie(server):
    """Impossible lengths end the connection; a large one is waited for, not allocated."""
    for length in (0, 3, -1, -2147483648, 2147483647, 0x40000000):
        with Client(server) as c:
            c.send(b"Q" + int32(length) + b"SELECT 1\0")
            expect(error_of(c.until_closed()) == "08P01", f"{length}")
    before = server.memory_kib()
    clients = [Client(server) for _ in range(50)]
    for c in clients:
        c.send(b"Q" + int32(0x3fffffff) + b"SELECT 1")
    alive(server)
    expect(server.memory_kib() - before < GROWTH_KIB_MAX, "memory for what never came")
    for c in clients:
        c.close()


def test_fields_that_lie(server):
    """Counts and lengths inside messages that go beyond them."""
    with Client(server) as c:
        for wrong in (message("P", b"no terminator"), message("P", "a", "SELECT 1", b"\xff\xff"),
                      message("P", "a", "SELECT 1", b"\0\5" + int32(23)),
                      message("B", "", "", b"\0\0", b"\xff\xff"),
                      message("B", "", "", b"\xff\xff"), message("B", "", ""), message("B"),
                      message("B", "", "", b"\0\0\0\1" + int32(1000) + b"x"),
                      message("B", "", "", b"\0\0\0\1" + int32(-2)),
                      message("B", "", "", b"\0\0\0\0\xff\xff"), message("E"),
                      message("E", "p", b"\0\0"), message("D"), message("D", b"S"),
                      message("C"), message("C", b"P")):
            c.send(wrong, SYNC)
            expect(error_of(c.until_ready()) is not None, f"{wrong} was taken")
        c.send(message("Q", b"SELECT 1"))
        expect(error_of(c.until_ready()) == "08P01", "a query without its end")
        c.send(message("Q", b"SELECT 1\0SELECT 2\0"))
        expect(error_of(c.until_ready()) == "08P01", "bytes after the query's end")
        expect(c.value("SELECT 1") == "1", "not alive")
    for kind in "!\0z\xfeR1":
        with Client(server) as c:
            c.send(kind.encode("latin-1") + int32(4))
            expect(error_of(c.until_closed()) == "08P01", f"{kind!r}")


def test_invalid_text(server):
    """Bytes that are no UTF-8, anywhere: 22021."""
    with Client(server) as c:
        c.run("DROP TABLE IF EXISTS texts; CREATE TABLE texts (a text)")
        bad = b"'\xff\xfe'"
        for start in (message("Q", b"SELECT " + bad + b"\0"),
                      message("P", "", b"SELECT " + bad + b"\0", b"\0\0") + SYNC,
                      parse("SELECT $1::text") + bind([b"\xc3"]) + SYNC,
                      parse("SELECT $1::text") + bind([b"\xc3"], formats=(1,)) + SYNC,
                      parse("SELECT $1::text") + bind([b"a\0b"]) + SYNC,
                      query("COPY texts FROM STDIN") + message("d", b"\xe2\x28\xa1\n") +
                      message("c")):
            c.send(start)
            answer = c.until_ready()
            expect(error_of(answer) == "22021", f"{start}: {answer}")
        expect(c.value("SELECT count(*) FROM texts") == "0", "it is there all the same")


def deep_texts():
    """Texts whose depth or length is the attack."""
    n = 100_000
    yield "SELECT " + "(" * n + "1" + ")" * n
    yield "SELECT " + "(" * n
    yield "SELECT " + "+".join(["1"] * n)
    yield "SELECT " + "||".join(["'a'"] * n)
    yield "SELECT " + " AND ".join(["true"] * n)
    yield "SELECT 1 WHERE " + " OR ".join(f"1 = {i}" for i in range(n))
    yield "SELECT " + "NOT " * n + "true"
    yield "SELECT " + "- " * n + "1"
    yield "SELECT " + "(SELECT " * n + "1" + ")" * n
    yield "SELECT " + "CASE WHEN true THEN " * n + "1" + " END" * n
    yield "SELECT " + "ARRAY[" * n + "1" + "]" * n
    yield "SELECT " + "abs(" * n + "1" + ")" * n
    yield "SELECT 1" + "::int" * n
    yield "SELECT 1" + " UNION ALL SELECT 1" * 20_000
    yield "SELECT 1 FROM (SELECT 1) a" + ", (SELECT 1) b" * 5_000
    yield "SELECT * FROM " + "(SELECT * FROM " * 20_000 + "pg_class" + ") x" * 20_000
    yield "SELECT * FROM " + "(" * n + "pg_class" + ")" * n
    yield "WITH " + ", ".join(f"c{i} AS (SELECT 1)" for i in range(5_000)) + " SELECT 1"
    yield "SELECT 1 IN (" + ",".join(map(str, range(n))) + ")"
    yield "VALUES " + ",".join(f"({i})" for i in range(n))
    yield "SELECT " + ",".join(["1"] * 3_000)
    yield "SELECT '" + "x" * 20_000_000 + "'"
    yield "SELECT " + "x" * 1_000_000
    yield "SELECT 1" + ";SELECT 1" * 2_000
    yield "/*" * 3_000  # nested comments are quadratic in the grammar that is PostgreSQL's too
    yield "$" * n
    yield "SELECT " + "[" * n


def test_deep_texts(server):
    """Each is answered, by a result or an error; the session goes on, and so do others."""
    with Client(server) as c:
        c.socket.settimeout(120)
        for text in deep_texts():
            started = time.monotonic()
            answer = c.run(text)
            took = time.monotonic() - started
            expect(answer[-1].kind == "Z", f"{text[:60]} …: {answer[-1]}")
            if os.environ.get("VERBOSE"):
                print(f"  {took:6.2f} s {error_of(answer)} {text[:50]}")
            expect(c.value("SELECT 1") == "1", "not alive")
    alive(server)


def test_deep_texts_in_extended_protocol(server):
    """The same through Parse."""
    with Client(server) as c:
        c.socket.settimeout(120)
        for text in deep_texts():
            c.send(parse(text), describe("S"), SYNC)
            expect(c.until_ready()[-1].kind == "Z", f"{text[:60]} …")


def test_wide_tables(server):
    """1,600 columns are allowed, 1,601 are not; 1,664 results are, 1,665 are not."""
    with Client(server) as c:
        c.run("DROP TABLE IF EXISTS wide")
        columns = ", ".join(f"c{i} int" for i in range(1600))
        expect(error_of(c.run(f"CREATE TABLE wide ({columns})")) is None, "1,600 columns")
        expect(error_of(c.run(f"CREATE TABLE wider ({columns}, d int)")) == "54011", "1,601")
        values = ", ".join(str(i) for i in range(1600))
        expect(error_of(c.run(f"INSERT INTO wide VALUES ({values})")) is None, "the insert")
        expect(len(c.rows("SELECT * FROM wide")[0]) == 1600, "the select")
        c.run("UPDATE wide SET c1599 = 7")
        expect(c.value("SELECT c1599 FROM wide") == "7", "the update")
        expect(error_of(c.run("ALTER TABLE wide ADD COLUMN d int")) == "54011", "ADD COLUMN")
        expect(len(c.rows("SELECT " + ",".join(["1"] * 1664))[0]) == 1664, "1,664 results")
        expect(error_of(c.run("SELECT " + ",".join(["1"] * 1665))) == "54011", "1,665 results")
        expect(error_of(c.run("SELECT *, * FROM wide")) == "54011", "*, *")
        c.run("DROP TABLE wide")


def test_client_that_does_not_read(server):
    """Large results for clients that never read: bounded memory, others served."""
    alive(server)
    before = server.memory_kib()
    clients = [Client(server, receive_buffer=4096) for _ in range(20)]
    for c in clients:
        c.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 2000000)"))
    with Client(server) as other:
        for _ in range(20):
            started = time.monotonic()
            other.value("SELECT count(*) FROM generate_series(1, 1000)")
            expect(time.monotonic() - started < 5, "another client waits")
    time.sleep(1)
    growth = server.memory_kib() - before
    expect(growth < GROWTH_KIB_MAX, f"{growth} KiB more")
    for c in clients:
        c.close()
    alive(server)


def test_pipeline_that_does_not_read(server):
    """Requests without end whose answers are never read."""
    before = server.memory_kib()
    with Client(server, receive_buffer=4096) as c:
        request = query("SELECT repeat('x', 100000)") * 100
        c.socket.settimeout(2)
        try:
            for _ in range(10000):
                c.send(request)
        except TimeoutError:
            pass
        alive(server)
        growth = server.memory_kib() - before
        expect(growth < GROWTH_KIB_MAX, f"{growth} KiB more")


def test_slow_client(server):
    """A request that comes byte by byte, with others in between."""
    with Client(server, start=False) as c:
        for byte in c.startup() + query("SELECT 'slow'"):
            c.send(bytes([byte]))
        c.until_ready()
        rows = [m.columns() for m in c.until_ready() if m.kind == "D"]
        expect(rows == [[b"slow"]], f"{rows}")


def test_sync_flood(server):
    """Half a million Syncs and Flushes are answered."""
    count = 100_000
    with Client(server) as c:
        reader = threading.Thread(target=lambda: [c.receive() for _ in range(count)])
        reader.start()
        for _ in range(100):
            c.send((SYNC + message("H") * 4) * (count // 100))
        reader.join(60)
        expect(not reader.is_alive(), "not all were answered")


def test_messages_at_random(server):
    """Messages in any order, broken in any way, from a fixed seed."""
    rng = random.Random(7)
    good = [query("SELECT 1"), query("BEGIN"), query("ROLLBACK"), query("SELECT 1/0"), SYNC,
            parse("SELECT $1::int"), parse("SELECT 1", "s"), bind([b"1"]), bind(statement="s"),
            bind([b"x"]), execute(), execute("", 1), describe("S"), describe("P"),
            describe("S", "s"), close("S", "s"), close("P"), message("H"),
            query("COPY (SELECT 1) TO STDOUT"), query("COPY fuzz FROM STDIN"),
            message("d", b"1\n"), message("c"), message("f", "no"), query("")]
    with Client(server) as c:
        c.run("DROP TABLE IF EXISTS fuzz; CREATE TABLE fuzz (a int)")
    for _ in range(400):
        with Client(server) as c:
            data = b"".join(rng.choice(good) for _ in range(rng.randrange(1, 40)))
            if rng.random() < 0.5:
                broken = bytearray(data)
                for _ in range(rng.randrange(1, 6)):
                    broken[rng.randrange(len(broken))] = rng.randrange(256)
                data = bytes(broken)
            try:
                c.send(data)
                c.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            c.until_closed()
    alive(server)


def test_clients_that_vanish(server):
    """Connections reset in every state."""
    for i in range(200):
        c = Client(server, start=i % 4 != 0)
        if i % 4 == 1:
            c.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 100000)"))
        elif i % 4 == 2:
            c.send(query("BEGIN"), parse("SELECT 1"), b"B" + int32(1000) + b"half")
        elif i % 4 == 3:
            c.send(query("SELECT pg_sleep(0.01)"))
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.close()
    alive(server)


def test_many_connections(server):
    """A thousand sessions at once, each served; their memory is given back or small."""
    before = server.memory_kib()
    clients = [Client(server) for _ in range(CONNECTIONS)]
    for c in clients:
        c.send(query("SELECT count(*) FROM pg_class"))
    for c in clients:
        expect(kinds(c.until_ready()) == "TDCZ", "no answer")
    growth = server.memory_kib() - before
    if os.environ.get("VERBOSE"):
        print(f"  {growth / CONNECTIONS:.0f} KiB a connection")
    expect(growth < CONNECTIONS * 400, f"{growth} KiB more")
    for c in clients:
        c.close()

    def served():
        with Client(server, start=False) as c:
            c.send(c.startup())
            return error_of(c.until_ready()) is None

    wait_for(served, "a free connection")


def test_copy_garbage(server):
    """COPY input of random bytes, in both formats, in pieces of any size."""
    rng = random.Random(3)
    with Client(server) as c:
        c.run("DROP TABLE IF EXISTS junk; CREATE TABLE junk (a text, b int, c date)")
        for i in range(100):
            c.send(query("COPY junk FROM STDIN" + (" (FORMAT csv)" if i % 2 else "")))
            c.until("GZ")
            data = bytes(rng.choice(b"ab1,\t\n\r\\\"N.\xc3\xa4\0") for _ in range(2000))
            while data:
                size = rng.randrange(1, 300)
                c.send(message("d", data[:size]))
                data = data[size:]
            c.send(message("c"))
            expect(c.until_ready()[-1].kind == "Z", "no answer")
        expect(c.value("SELECT 1") == "1", "not alive")


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")], prepare)
