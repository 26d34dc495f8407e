# SPDX-License-Identifier: Apache-2.0
"""The systems that run TPC-H beside each other: dbaspot, PostgreSQL 15 and DuckDB.

Each peer starts with a database of its own in a directory of its own, loads the tables from CSV
files, runs a query and gives back its rows, and leaves no process behind. psycopg and duckdb are
imported by the peers that need them: bench/tpch/run sees to it that they are there.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time

import schema

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
QUERY_SECONDS_MAX = 600
COPY_PIECE_BYTES = 1 << 20
POSTGRES_BIN = "/usr/lib/postgresql/15/bin"
POSTGRES_USER = "postgres"


def memory_mib():
    """Memory of the machine in MiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tree_bytes(path):
    """Bytes that the files below a path take on disk."""
    if os.path.isfile(path):
        return os.stat(path).st_blocks * 512
    total = 0
    for directory, _, files in os.walk(path):
        for name in files:
            total += os.lstat(os.path.join(directory, name)).st_blocks * 512
    return total


class WirePeer:
    """A server that speaks PostgreSQL's protocol; a subclass starts and stops it."""

    def __init__(self):
        self.conn = None

    def connect(self, port):
        import psycopg  # bench/tpch/run may install it after this module was read

        self.conn = psycopg.connect(
            f"postgresql://postgres@127.0.0.1:{port}/postgres", autocommit=True
        )
        try:
            self.conn.execute(f"SET statement_timeout = '{QUERY_SECONDS_MAX}s'")
        except psycopg.errors.FeatureNotSupported:
            pass

    def version(self):
        return self.conn.execute("SELECT version()").fetchone()[0].split(" on ")[0]

    def create(self, statement):
        self.conn.execute(statement)

    def copy(self, table, path):
        statement = f"COPY {table} FROM STDIN (FORMAT csv, HEADER true)"
        with open(path, "rb") as file, self.conn.cursor().copy(statement) as copy:
            while piece := file.read(COPY_PIECE_BYTES):
                copy.write(piece)

    def finish_load(self):
        """Foreign keys and statistics, where the server has them."""
        import psycopg

        for statement in [*schema.FOREIGN_KEYS, "ANALYZE"]:
            try:
                self.conn.execute(statement)
            except psycopg.errors.FeatureNotSupported as error:
                print(f"  {self.name}: left out: {statement} ({error.diag.message_primary})")

    def query(self, text):
        return self.conn.execute(text).fetchall()

    def stop_process(self):
        if self.conn:
            self.conn.close()
            self.conn = None


class Dbaspot(WirePeer):
    """build/release/dbaspot server on a directory and a free port."""

    name = "dbaspot"

    def __init__(self, directory, threads, program):
        super().__init__()
        self.data = os.path.join(directory, "dbaspot")
        self.log = os.path.join(directory, "dbaspot.log")
        command = [program, "server", "--data", self.data, "--listen", "127.0.0.1:0"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command + ["--auth", "trust"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        del threads  # the server takes the cores that it finds
        self.connect(self._port())

    def _port(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self.process.poll() is None:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                found = re.search(r"listening on 127\.0\.0\.1:(\d+)", log.read())
            if found:
                return int(found.group(1))
            time.sleep(0.02)
        self.stop()
        with open(self.log, encoding="utf-8", errors="replace") as log:
            raise RuntimeError("dbaspot does not start:\n" + log.read())

    def data_bytes(self):
        return tree_bytes(self.data)

    def stop(self):
        self.stop_process()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Postgres(WirePeer):
    """A cluster of its own; as root it runs as the user postgres."""

    name = "postgres"

    def __init__(self, directory, threads, program):
        super().__init__()
        del program
        self.directory = os.path.join(directory, "postgres")
        os.makedirs(self.directory)
        if os.geteuid() == 0:
            os.chmod(directory, 0o711)
            shutil.chown(self.directory, POSTGRES_USER)
        self.data = os.path.join(self.directory, "data")
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C")
        port = free_port()
        buffers_mib = min(memory_mib() // 4, 4096)
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.directory,
            "shared_buffers": f"{buffers_mib}MB",
            "effective_cache_size": f"{memory_mib() // 2}MB",
            "work_mem": "256MB",
            "maintenance_work_mem": "512MB",
            "max_wal_size": "8GB",
            "max_parallel_workers_per_gather": threads,
            "max_parallel_workers": threads,
            "max_worker_processes": threads + 8,
        }
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self._run("pg_ctl", "-D", self.data, "-w", "-t", str(START_SECONDS_MAX), "-l",
                  os.path.join(self.directory, "log"), "start")
        self.port = port
        self.connect(port)

    def _run(self, program, *arguments):
        command = [os.path.join(POSTGRES_BIN, program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", POSTGRES_USER, "--", *command]
        # A server that inherits a pipe keeps it open: output goes to nowhere, errors to a file.
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                cwd=self.directory, check=False)
        if result.returncode:
            raise RuntimeError(f"{program} failed with {result.returncode}")

    def finish_load(self):
        """Besides keys and statistics: indexes on the foreign keys, without which its plans for the
        correlated subqueries of Q17 and Q20 read lineitem once for each outer row."""
        for statement in schema.FOREIGN_KEY_INDEXES:
            self.conn.execute(statement)
        super().finish_load()
        self.conn.execute("VACUUM")
        self.conn.execute("CHECKPOINT")

    def data_bytes(self):
        return self.conn.execute("SELECT pg_database_size(current_database())").fetchone()[0]

    def stop(self):
        self.stop_process()
        self._run("pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")


class Duckdb:
    """DuckDB in this process, on a file."""

    name = "duckdb"

    def __init__(self, directory, threads, program):
        import duckdb

        del program
        self.path = os.path.join(directory, "duck.db")
        self.conn = duckdb.connect(self.path, config={"threads": threads})
        self.release = duckdb.__version__

    def version(self):
        return f"DuckDB {self.release}"

    def create(self, statement):
        self.conn.execute(statement)

    def copy(self, table, path):
        self.conn.execute(f"COPY {table} FROM '{path}' (FORMAT csv, HEADER true)")

    def finish_load(self):
        self.conn.execute("ANALYZE")
        self.conn.execute("CHECKPOINT")

    def query(self, text):
        return self.conn.execute(text).fetchall()

    def data_bytes(self):
        return tree_bytes(self.path)

    def stop(self):
        self.conn.close()


PEERS = {peer.name: peer for peer in (Dbaspot, Postgres, Duckdb)}
