# SPDX-License-Identifier: Apache-2.0
"""A server of its own in a temporary directory, and a client that speaks protocol 3.0 byte by byte,
so that a test can say what no driver would say. Python's own library only."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

START_SECONDS_MAX = 60
ANSWER_SECONDS_MAX = 60


class Failed(Exception):
    """An expectation that does not hold."""


def expect(condition, message):
    """Fails the test with `message` unless the condition holds."""
    if not condition:
        raise Failed(message)


def wait_for(condition, what, seconds=ANSWER_SECONDS_MAX):
    """Waits until condition() is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, f"waited in vain for {what}")
        time.sleep(0.005)


class Server:
    """A running `dbaspot server`; a context manager. It must end by itself, and with code 0."""

    def __init__(self, program, *flags, directory=None):
        self.program = program
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="dbaspot-server-test-")
        self.log = os.path.join(self.directory, f"log.{time.monotonic_ns()}")
        self.process = None
        self.port = 0
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                [program, "server", "--data", os.path.join(self.directory, "data"),
                 "--listen", "127.0.0.1:0", *flags],
                stdout=out, stderr=out)
        wait_for(self._is_up, "the server's start", START_SECONDS_MAX)

    def _is_up(self):
        expect(self.process.poll() is None, "the server does not start:\n" + self.text())
        mark = "listening on 127.0.0.1:"
        for line in self.text().splitlines():
            if mark in line:
                self.port = int(line.split(mark)[1])
                return True
        return False

    def text(self):
        """The server's log."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self, number=signal.SIGTERM, seconds=30):
        """Asks it to end; fails when it ends badly. Returns how long it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        try:
            code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed("the server does not stop:\n" + self.text()) from None
        expect(code == 0, f"the server ended with code {code}:\n" + self.text())
        return time.monotonic() - started

    def memory_kib(self):
        """Resident memory."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        raise Failed("no VmRSS")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if self.process.poll() is None and kind is None:
                self.stop()
            elif kind is None:
                expect(self.process.returncode == 0, "the server has died:\n" + self.text())
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            if kind is not None:
                sys.stderr.write(self.text()[-20000:])
            if self.own_directory:
                shutil.rmtree(self.directory, ignore_errors=True)


class Message:
    """A message of the server."""

    def __init__(self, kind, body):
        self.kind = kind
        self.body = body

    def __repr__(self):
        return f"{self.kind}{self.body!r}"

    def fields(self):
        """The fields of an error or a notice, by their letters."""
        return {part[:1].decode(): part[1:].decode("utf-8", "replace")
                for part in self.body.split(b"\0") if part}

    def columns(self):
        """The values of a DataRow."""
        (count,) = struct.unpack_from("!H", self.body)
        at = 2
        values = []
        for _ in range(count):
            (length,) = struct.unpack_from("!i", self.body, at)
            at += 4
            values.append(None if length < 0 else self.body[at:at + length])
            at += max(length, 0)
        return values


def message(kind, *parts):
    """A typed message; text is sent with its terminator."""
    body = b"".join(p.encode() + b"\0" if isinstance(p, str) else p for p in parts)
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def int16(value):
    """A big-endian 16-bit integer."""
    return struct.pack("!H", value)


def int32(value):
    """A big-endian 32-bit integer."""
    return struct.pack("!i", value)


def query(text):
    """A Query message."""
    return message("Q", text)


def parse(text, name="", types=()):
    """A Parse message."""
    return message("P", name, text, int16(len(types)), b"".join(int32(t) for t in types))


def bind(values=(), portal="", statement="", formats=(), results=()):
    """A Bind message; values are bytes or None."""
    parts = [int32(-1) if v is None else int32(len(v)) + v for v in values]
    return message("B", portal, statement, int16(len(formats)), b"".join(map(int16, formats)),
                   int16(len(values)), *parts, int16(len(results)),
                   b"".join(map(int16, results)))


def describe(what, name=""):
    """A Describe message: what is "S" or "P"."""
    return message("D", what.encode(), name)


def execute(portal="", rows_max=0):
    """An Execute message."""
    return message("E", portal, int32(rows_max))


def close(what, name=""):
    """A Close message: what is "S" or "P"."""
    return message("C", what.encode(), name)


SYNC = message("S")
FLUSH = message("H")
TERMINATE = message("X")


class Client:
    """A connection. With start=False nothing has been said on it yet."""

    def __init__(self, server, start=True, receive_buffer=None, **parameters):
        self.port = server.port
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(ANSWER_SECONDS_MAX)
        self.socket.connect(("127.0.0.1", server.port))
        self.buffer = b""
        self.pid = self.secret = 0
        self.greeting = []
        if start:
            self.send(self.startup(**parameters))
            self.greeting = self.until_ready()
            for m in self.greeting:
                if m.kind == "K":
                    self.pid, self.secret = struct.unpack("!ii", m.body)

    @staticmethod
    def startup(version=196608, **parameters):
        """A StartupMessage."""
        names = {"user": "postgres", "database": "postgres", **parameters}
        body = int32(version) + b"".join(
            k.encode() + b"\0" + v.encode() + b"\0" for k, v in names.items()) + b"\0"
        return struct.pack("!i", len(body) + 4) + body

    def send(self, *parts):
        """Sends the bytes of all parts at once."""
        self.socket.sendall(b"".join(parts))

    def _read(self, count):
        while len(self.buffer) < count:
            piece = self.socket.recv(1 << 16)
            if not piece:
                raise EOFError
            self.buffer += piece
        piece, self.buffer = self.buffer[:count], self.buffer[count:]
        return piece

    def receive(self):
        """The next message; EOFError when the server has closed."""
        head = self._read(5)
        (length,) = struct.unpack("!i", head[1:])
        return Message(head[:1].decode("latin-1"), self._read(length - 4))

    def until(self, kinds):
        """All messages up to the first of one of these kinds, with it."""
        messages = []
        while not messages or messages[-1].kind not in kinds:
            messages.append(self.receive())
        return messages

    def until_ready(self):
        """All messages up to ReadyForQuery; stops at a FATAL error too."""
        messages = []
        while not messages or messages[-1].kind != "Z":
            messages.append(self.receive())
            if messages[-1].kind == "E" and messages[-1].fields()["S"] == "FATAL":
                break
        return messages

    def until_closed(self):
        """All messages up to the end of the connection."""
        messages = []
        try:
            while True:
                messages.append(self.receive())
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return messages

    def run(self, text):
        """Runs a simple query; all messages of the answer."""
        self.send(query(text))
        return self.until_ready()

    def rows(self, text):
        """The rows of a simple query, as text; fails on an error."""
        answer = self.run(text)
        expect(error_of(answer) is None, f"{text}: {error_of(answer)}")
        return [[v if v is None else v.decode() for v in m.columns()]
                for m in answer if m.kind == "D"]

    def value(self, text):
        """The only value of a simple query."""
        return self.rows(text)[0][0]

    def close(self):
        """Closes the socket, without a word."""
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def cancel(server, client):
    """Sends a CancelRequest for the client's connection."""
    with Client(server, start=False) as other:
        other.send(int32(16) + int32(80877102) + int32(client.pid) + int32(client.secret))
        try:
            other.until_closed()
        except OSError:
            pass


def error_of(messages):
    """SQLSTATE of the first error among the messages; None if there is none."""
    for m in messages:
        if m.kind == "E":
            return m.fields()["C"]
    return None


def kinds(messages):
    """The letters of the messages; reports of settings and notices left out."""
    return "".join(m.kind for m in messages if m.kind not in "SN")


def main(tests, prepare=None):
    """Runs tests (functions of the program's path, or of a server) and prints how many passed.

    With `prepare` all tests share the server that it makes."""
    program = os.path.abspath(sys.argv[1])
    wanted = sys.argv[2:]
    failed = 0
    chosen = [t for t in tests if not wanted or t.__name__ in wanted]
    server = prepare(program) if prepare else None
    for test in chosen:
        started = time.monotonic()
        try:
            test(server or program)
            print(f"ok   {test.__name__} ({time.monotonic() - started:.2f} s)", flush=True)
        except (Failed, OSError, EOFError):
            failed += 1
            print(f"FAIL {test.__name__}", flush=True)
            traceback.print_exc()
        if server and server.process.poll() is not None:
            print(f"the server has died ({server.process.poll()}):\n" + server.text()[-20000:])
            failed = max(failed, 1)
            break
    if server:
        try:
            with server:
                pass
        except Failed as reason:
            failed += 1
            print(f"FAIL the server's end: {reason}")
    print(f"{len(chosen) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
