#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/tpch/sf0.01/q01.csv .. q22.csv: PostgreSQL 15's answers at scale 0.01.

    tests/tpch/make_expected.py [build/release/dbaspot]

The data is dbaspot's generator's; the answers are PostgreSQL's alone. To be run again when the
generator or a query changes; tests/tpch/check compares a dbaspot server with what lies there.
"""

import os
import sys

import servers


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        servers.ROOT, "build", "release", "dbaspot"
    )
    os.makedirs(servers.EXPECTED, exist_ok=True)
    with servers.Database("postgres", program) as database:
        version = database.psql("--tuples-only", "--command", "SHOW server_version").strip()
        for number in servers.QUERIES:
            path = os.path.join(servers.EXPECTED, f"q{number:02d}.csv")
            with open(path, "w", encoding="utf-8") as file:
                file.write(database.answer(number))
    with open(os.path.join(servers.EXPECTED, "SOURCE"), "w", encoding="utf-8") as file:
        file.write(f"Answers of PostgreSQL {version} to bench/tpch/queries at scale"
                   f" {servers.SCALE}, written by tests/tpch/make_expected.py.\n")


if __name__ == "__main__":
    main()
