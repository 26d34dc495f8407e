# SPDX-License-Identifier: Apache-2.0
"""The TPC-H schema, read from the table that the generator is built from."""

import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SCHEMA_DEF = os.path.join(ROOT, "src/cli/workload/tpch_schema.def")
QUERIES_COUNT = 22

TABLES = {}  # name: CREATE TABLE with its primary key
FOREIGN_KEYS = []  # ALTER TABLE statements
FOREIGN_KEY_INDEXES = []  # CREATE INDEX statements on their columns


def _read():
    columns, keys, names = {}, {}, {}
    with open(SCHEMA_DEF, encoding="utf-8") as file:
        rows = re.findall(r"^TPCH_(\w+)\((\w+), (.*)\)$", file.read(), re.M)
    for kind, table, rest in rows:
        fields = re.findall(r'"([^"]*)"', rest)
        if kind == "TABLE":
            names[table], keys[table], columns[table] = fields[0], fields[1], []
        elif kind == "COLUMN":
            columns[table].append(f"{fields[0]} {fields[1]} NOT NULL")
        else:
            FOREIGN_KEYS.append(
                f"ALTER TABLE {names[table]} ADD FOREIGN KEY ({fields[0]})"
                f" REFERENCES {fields[1]} ({fields[2]})"
            )
            FOREIGN_KEY_INDEXES.append(f"CREATE INDEX ON {names[table]} ({fields[0]})")
    for table, name in names.items():
        body = ", ".join(columns[table] + [f"PRIMARY KEY ({keys[table]})"])
        TABLES[name] = f"CREATE TABLE {name} ({body})"


def query_text(number):
    """The SELECT of a query, without its semicolon."""
    path = os.path.join(HERE, "queries", f"q{number:02d}.sql")
    with open(path, encoding="utf-8") as file:
        return file.read().strip().rstrip(";")


_read()
