#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server's start and end: directories, ports, sockets, limits, signals.

    tests/server/lifecycle_test.py DBASPOT [TEST...]
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

from wire import Client, Server, error_of, expect, main, query  # noqa: E402


def fails(program, *flags):
    """Starts a server that must end with code 1; returns what it says."""
    result = subprocess.run([program, "server", *flags], capture_output=True, text=True,
                            timeout=60, check=False)
    expect(result.returncode == 1, f"code {result.returncode}: {result.stderr}")
    return result.stderr


def test_data_survives(program):
    """What was committed is there after SIGTERM and after SIGINT."""
    with tempfile.TemporaryDirectory(prefix="dbaspot-server-test-") as directory:
        for i, number in enumerate((signal.SIGTERM, signal.SIGINT, signal.SIGTERM)):
            with Server(program, directory=directory) as server:
                with Client(server) as c:
                    c.run("CREATE TABLE IF NOT EXISTS kept (a int, s serial)")
                    expect(c.value("SELECT count(*) FROM kept") == str(i), f"round {i}")
                    c.run("INSERT INTO kept (a) VALUES (1)")
                    serials = [int(r[0]) for r in c.rows("SELECT s FROM kept")]
                    expect(len(set(serials)) == i + 1, f"{serials}")
                server.stop(number)


def test_two_servers_on_one_directory(program):
    """The second one is told, and the first is not disturbed."""
    with Server(program) as server:
        said = fails(program, "--data", os.path.join(server.directory, "data"), "--listen",
                     "127.0.0.1:0")
        expect("already in use" in said, said)
        with Client(server) as c:
            expect(c.value("SELECT 1") == "1", "not alive")


def test_port_in_use(program):
    """A clear error, and the data directory is free again."""
    with Server(program) as server, tempfile.TemporaryDirectory() as directory:
        said = fails(program, "--data", directory, "--listen", f"127.0.0.1:{server.port}")
        expect("address already in use" in said, said)


def test_wrong_flags(program):
    """Addresses, settings and values that do not exist."""
    with tempfile.TemporaryDirectory() as directory:
        for flags, word in ((("--listen", "0.0.0.0:0"), "loopback"),
                            (("--listen", "nonsense"), "invalid listen address"),
                            (("--listen", "127.0.0.1:99999"), "invalid listen address"),
                            (("--listen", ""), "nothing to listen on"),
                            (("--wings", "2"), "no flag --wings"),
                            (("--max-connections", "0"), "outside the valid range"),
                            (("--work-mem", "5 parsecs"), "invalid value"),
                            (("--socket", directory + "/" + "x" * 200), "too long")):
            said = fails(program, "--data", directory, *flags)
            expect(word in said, f"{flags}: {said}")
        expect("--data" in fails(program), "no hint at --data")


def start_on_socket(program, directory, data):
    """A server without TCP, listening in `directory`; with the socket's path."""
    path = os.path.join(directory, ".s.PGSQL.5432")
    process = subprocess.Popen([program, "server", "--data", os.path.join(directory, data),
                                "--listen", "", "--socket", directory],
                               stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    expect(path in line, line)
    return process, path


def test_unix_socket(program):
    """libpq's name for it; a live one is not taken over, one left by a killed server is."""
    with tempfile.TemporaryDirectory(prefix="dbs-") as directory:
        process, path = start_on_socket(program, directory, "one")
        try:
            said = fails(program, "--data", directory + "/two", "--listen", "", "--socket",
                         directory)
            expect("address already in use" in said, said)
            process.kill()
            process.wait()
            process.stderr.close()
            expect(os.path.exists(path), "no socket file is left")
            process, path = start_on_socket(program, directory, "one")
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(path)
                s.sendall(Client.startup())
                expect(s.recv(1) == b"R", "no greeting")
            process.send_signal(signal.SIGTERM)
            expect(process.wait(timeout=30) == 0, "it ended badly")
            expect(not os.path.exists(path), "the socket file is left")
        finally:
            process.kill()
            process.wait()
            process.stderr.close()


def test_connection_limit(program):
    """53300 beyond it; a place is free when a client has gone."""
    with Server(program, "--max-connections", "3") as server:
        clients = [Client(server) for _ in range(3)]
        with Client(server, start=False) as c:
            c.send(c.startup())
            answer = c.until_closed()
            expect(error_of(answer) == "53300", f"{answer}")
            expect(answer[0].fields()["M"] == "sorry, too many clients already", f"{answer}")
        clients.pop().close()
        deadline = time.monotonic() + 10
        while True:
            with Client(server, start=False) as c:
                c.send(c.startup())
                if error_of(c.until_ready()) is None:
                    break
            expect(time.monotonic() < deadline, "the place is not free")
        for c in clients:
            c.close()


def test_sigterm_while_busy(program):
    """Idle, in a transaction, in a query, waiting for a lock, in COPY: all are told 57P01."""
    with Server(program) as server:
        clients = [Client(server) for _ in range(6)]
        clients[0].run("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)")
        clients[1].run("BEGIN; UPDATE t SET a = 2")
        clients[2].send(query("SELECT pg_sleep(1000)"))
        clients[3].send(query("UPDATE t SET a = 3"))
        clients[4].send(query("COPY t FROM STDIN"))
        clients[4].until("G")
        clients[5].send(query("SELECT count(*) FROM generate_series(1, 100000) a, "
                              "generate_series(1, 100000) b"))
        time.sleep(0.3)
        took = server.stop()
        expect(took < 10, f"it took {took:.1f} s")
        for i, c in enumerate(clients):
            answer = c.until_closed()
            expect(error_of(answer) == "57P01", f"{i}: {answer}")
            c.close()


def test_sigterm_with_a_client_that_does_not_read(program):
    """A stuck client holds nothing up."""
    with Server(program) as server:
        c = Client(server, receive_buffer=4096)
        c.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 1000000)"))
        time.sleep(0.5)
        took = server.stop()
        expect(took < 20, f"it took {took:.1f} s")
        c.close()


def test_sigterm_twice(program):
    """The second signal changes nothing."""
    with Server(program) as server:
        with Client(server) as c:
            c.send(query("SELECT pg_sleep(1000)"))
            time.sleep(0.1)
            server.process.send_signal(signal.SIGTERM)
            server.stop()


def test_settings_come_from_everywhere(program):
    """Config file, then environment, then flags."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "dbaspot.conf")
        with open(path, "w", encoding="utf-8") as out:
            out.write("# a comment\nwork_mem = '11MB'\nstatement_timeout = 1min  # long\n"
                      "lock_timeout = 7s\n")
        os.environ["DBASPOT_LOCK_TIMEOUT"] = "8s"
        os.environ["DBASPOT_STATEMENT_TIMEOUT"] = "2min"
        try:
            with Server(program, "--config", path, "--statement-timeout=3min") as server:
                with Client(server) as c:
                    values = [c.value("SHOW " + name)
                              for name in ("work_mem", "lock_timeout", "statement_timeout")]
            expect(values == ["11MB", "8s", "3min"], f"{values}")
        finally:
            del os.environ["DBASPOT_LOCK_TIMEOUT"], os.environ["DBASPOT_STATEMENT_TIMEOUT"]
        with open(path, "w", encoding="utf-8") as out:
            out.write("\nwings = 2\n")
        said = fails(program, "--data", directory + "/d", "--config", path)
        expect("wings" in said and "line 2" in said, said)


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
