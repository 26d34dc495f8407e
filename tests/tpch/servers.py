# SPDX-License-Identifier: Apache-2.0
"""Servers with a TPC-H database for the tests: started in a temporary directory, loaded by
`dbaspot workload tpch --load`, asked through psql. Needs no package beyond Python's own."""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "bench", "tpch"))
sys.dont_write_bytecode = True

import peers  # noqa: E402

EXPECTED = os.path.join(HERE, "sf0.01")
SCALE = "0.01"
QUERIES = range(1, 23)


def _asked_by_psql(base):
    """The peer of the benchmark, without a driver's connection."""

    class Server(base):
        """Remembers its port instead of connecting."""

        def connect(self, port):
            self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    return Server


class Database:
    """A server of the kind "postgres" or "dbaspot", loaded; a context manager."""

    def __init__(self, kind, program, options=()):
        self.directory = tempfile.mkdtemp(prefix="dbaspot-tpch-test-")
        try:
            self.server = _asked_by_psql(peers.PEERS[kind])(self.directory, 2, program)
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise
        try:
            subprocess.run(
                [program, "workload", "tpch", "--scale", SCALE, "--load", self.server.url,
                 "--quiet", *options],
                check=True,
            )
        except BaseException:
            self.close()
            raise

    def psql(self, *arguments):
        """Standard output of psql; raises RuntimeError with the server's message."""
        result = subprocess.run(
            ["psql", "--no-psqlrc", "--csv", "--set", "ON_ERROR_STOP=1", "--dbname",
             self.server.url, *arguments],
            capture_output=True, text=True, check=False,
        )
        if result.returncode:
            raise RuntimeError(result.stderr.strip())
        return result.stdout

    def answer(self, number):
        """Header and rows of a query, as CSV."""
        return self.psql(
            "--file", os.path.join(ROOT, "bench", "tpch", "queries", f"q{number:02d}.sql")
        )

    def close(self):
        self.server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
