#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What ends a statement or a session early: cancel requests, timeouts, deadlocks. A cancelled
statement ends within 100 ms (its answer may be late on a busy machine: the tests allow more).

    tests/server/timeout_test.py DBASPOT [TEST...]
"""

import sys
import time

sys.dont_write_bytecode = True

from wire import (SYNC, Client, Server, bind, cancel, error_of, execute, expect, kinds, main, parse,
                  query, wait_for)  # noqa: E402

PATIENCE_SECONDS = 5
LONG = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b"


def prepare(program):
    """A server with a table of two rows."""
    server = Server(program, "--authentication-timeout", "1s")
    with Client(server) as c:
        c.rows("CREATE TABLE rows2 (a int PRIMARY KEY, b int)")
        c.rows("INSERT INTO rows2 VALUES (1, 0), (2, 0)")
    return server


def ended(client, code, message, started):
    """The client's statement has failed with this code and text, soon after `started`."""
    answer = client.until_ready()
    took = time.monotonic() - started
    expect(error_of(answer) == code, f"{answer}")
    text = [m for m in answer if m.kind == "E"][0].fields()["M"]
    expect(text == message, text)
    expect(took < PATIENCE_SECONDS, f"it took {took:.1f} s")
    return took


def test_cancel_query(server):
    """A long query, a sleep, and the same in the extended protocol."""
    with Client(server) as c:
        for start in (query(LONG), query("SELECT pg_sleep(100)"),
                      parse(LONG) + bind() + execute() + SYNC):
            c.send(start)
            time.sleep(0.2)  # it must be running: nothing tells us that it is
            started = time.monotonic()
            cancel(server, c)
            ended(c, "57014", "canceling statement due to user request", started)
            expect(c.value("SELECT 1") == "1", "not alive")


def test_cancel_lock_wait(server):
    """A statement that waits for a row lock and one that waits for a table lock."""
    with Client(server) as holder, Client(server) as waiter:
        for hold, wait in (("UPDATE rows2 SET b = 1 WHERE a = 1",
                            "UPDATE rows2 SET b = 2 WHERE a = 1"),
                           ("LOCK TABLE rows2 IN ACCESS EXCLUSIVE MODE", "SELECT * FROM rows2")):
            holder.run("BEGIN")
            holder.run(hold)
            waiter.send(query(wait))
            time.sleep(0.2)
            started = time.monotonic()
            cancel(server, waiter)
            ended(waiter, "57014", "canceling statement due to user request", started)
            holder.run("ROLLBACK")
            expect(len(waiter.rows(wait + " RETURNING 1" if "UPDATE" in wait else wait)) > 0,
                   "the lock is stuck")


def test_wrong_key_cancels_nothing(server):
    """A CancelRequest with another secret is ignored."""
    with Client(server) as c:
        c.send(query("SELECT pg_sleep(0.5)"))
        c.secret ^= 1
        cancel(server, c)
        expect(error_of(c.until_ready()) is None, "it was cancelled")


def test_late_cancel_is_harmless(server):
    """A cancel request for an idle session does not touch the next statement."""
    with Client(server) as c:
        for _ in range(50):
            c.value("SELECT 1")
            cancel(server, c)
            expect(c.value("SELECT 2") == "2", "the next statement was cancelled")


def test_statement_timeout(server):
    """In both protocols; each statement of a message has its own time; 0 switches it off."""
    with Client(server) as c:
        c.run("SET statement_timeout = '150ms'")
        for start in (query("SELECT pg_sleep(100)"), query(LONG),
                      parse("SELECT pg_sleep(100)") + bind() + execute() + SYNC):
            c.send(start)
            took = ended(c, "57014", "canceling statement due to statement timeout",
                         time.monotonic())
            expect(took > 0.1, f"it took only {took:.3f} s")
        c.run("SET statement_timeout = '2s'")
        expect(error_of(c.run("SELECT pg_sleep(1.2); SELECT pg_sleep(1.2)")) is None,
               "two statements shared their time")
        c.run("SET statement_timeout = 0")
        expect(error_of(c.run("SELECT pg_sleep(0.3)")) is None, "the timeout is still there")


def test_statement_timeout_while_waiting(server):
    """It also ends a wait for a lock."""
    with Client(server) as holder, Client(server) as waiter:
        holder.run("BEGIN; UPDATE rows2 SET b = 1 WHERE a = 1")
        waiter.run("SET statement_timeout = '150ms'")
        waiter.send(query("UPDATE rows2 SET b = 2 WHERE a = 1"))
        ended(waiter, "57014", "canceling statement due to statement timeout", time.monotonic())
        holder.run("ROLLBACK")


def test_lock_timeout(server):
    """Row locks, table locks, in a transaction; without a wait nothing happens."""
    with Client(server) as holder, Client(server) as waiter:
        waiter.run("SET lock_timeout = '150ms'")
        for hold, wait in (("UPDATE rows2 SET b = 1 WHERE a = 1",
                            "UPDATE rows2 SET b = 2 WHERE a = 1"),
                           ("UPDATE rows2 SET b = 1 WHERE a = 1",
                            "SELECT * FROM rows2 FOR UPDATE"),
                           ("LOCK TABLE rows2", "INSERT INTO rows2 VALUES (3, 3)")):
            holder.run("BEGIN")
            holder.run(hold)
            waiter.send(query(wait))
            ended(waiter, "55P03", "canceling statement due to lock timeout", time.monotonic())
            holder.run("ROLLBACK")
        expect(error_of(waiter.run("SELECT pg_sleep(0.4)")) is None, "no lock was waited for")


def test_idle_in_transaction_timeout(server):
    """The session ends, its locks are free, its work is undone; an idle session stays."""
    with Client(server) as c, Client(server) as other:
        other.run("SET idle_in_transaction_session_timeout = '150ms'")
        c.run("SET idle_in_transaction_session_timeout = '150ms'")
        c.run("BEGIN; UPDATE rows2 SET b = 77 WHERE a = 2")
        answer = c.until_closed()
        expect(error_of(answer) == "25P03", f"{answer}")
        expect(answer[-1].fields()["S"] == "FATAL", f"{answer}")
        expect(other.value("UPDATE rows2 SET b = b WHERE a = 2 RETURNING b") == "0", "not undone")
        time.sleep(0.3)
        expect(other.value("SELECT 1") == "1", "an idle session was ended")


def test_authentication_timeout(server):
    """A client that says nothing is cut off."""
    with Client(server, start=False) as c:
        started = time.monotonic()
        c.until_closed()
        expect(0.5 < time.monotonic() - started < PATIENCE_SECONDS, "not after a second")


def test_deadlock(server):
    """One of two that wait for each other gets 40P01, the other goes on."""
    with Client(server) as a, Client(server) as b:
        for c, row in ((a, 1), (b, 2)):
            c.run("BEGIN")
            c.run(f"UPDATE rows2 SET b = b WHERE a = {row}")
        a.send(query("UPDATE rows2 SET b = b WHERE a = 2"))
        time.sleep(0.1)
        b.send(query("UPDATE rows2 SET b = b WHERE a = 1"))
        answers = [error_of(b.until_ready())]
        if answers[0]:
            b.run("ROLLBACK")
        answers.append(error_of(a.until_ready()))
        expect(sorted(map(str, answers)) == ["40P01", "None"], f"{answers}")
        a.run("ROLLBACK")
        b.run("ROLLBACK")


def test_lost_client_gives_up_its_locks(server):
    """A connection that is reset in a transaction, while idle and while it waits."""
    with Client(server) as other:
        for waits in (False, True):
            with Client(server) as holder, Client(server) as lost:
                holder.run("BEGIN; UPDATE rows2 SET b = 1 WHERE a = 1")
                lost.run("BEGIN; UPDATE rows2 SET b = 1 WHERE a = 2")
                if waits:
                    lost.send(query("UPDATE rows2 SET b = 1 WHERE a = 1"))
                    time.sleep(0.1)
                lost.close()
                holder.run("ROLLBACK")
                other.run("SET lock_timeout = '5s'")
                expect(error_of(other.run("UPDATE rows2 SET b = 0")) is None, "still locked")


def test_sleepers_do_not_keep_others_waiting(server):
    """More sleeping statements than pool threads: a long query of another client still runs."""
    clients = [Client(server) for _ in range(20)]
    for c in clients:
        c.send(query("SELECT pg_sleep(20)"))
    with Client(server) as other:
        started = time.monotonic()
        other.value("SELECT count(*) FROM generate_series(1, 100000)")
        expect(time.monotonic() - started < 10, "it waited for the sleepers")
    for c in clients:
        cancel(server, c)
        expect(kinds(c.until_ready()).endswith("EZ"), "not cancelled")
        c.close()


def test_threads_go_when_sleepers_are_gone(server):
    """The pool's extra threads end."""
    def threads():
        with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
            return [int(s.split()[1]) for s in status if s.startswith("Threads:")][0]

    with Client(server) as c:
        c.value("SELECT count(*) FROM generate_series(1, 10000)")
        wait_for(lambda: threads() < 30, "the threads' end")


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")], prepare)
