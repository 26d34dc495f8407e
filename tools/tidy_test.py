#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves tools/tidy: a clean tree passes, and each violation planted in it is found, and only it."""

import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

HEAD = "// SPDX-License-Identifier: Apache-2.0\n//\n// What the file is,\n// how it works,\n// who calls it.\n"

README = """# base

## Purpose
To be read.

## Words
None.

## Files, in reading order
- `x.h`, `x.c` — the thing
- `y.{h,c}` — another

## Invariants
- BASE-1: x is positive.

## Errors it raises
None.

## How to test it
`./t base`

## What is not here
Anything else.
"""

CLEAN = {
    "README.md": "# dbaspot\n",
    "include/dbaspot.h": HEAD,
    "src/LAYERS": "base  bottom\nos  system\napi  top\n",
    "src/base/README.md": README,
    "src/base/x.h": HEAD + "int x_get(int a);\n",
    "src/base/x.c": HEAD
    + '#include "base/x.h"\n\n#include <stdlib.h>\n\n// BASE-1, in UTF-8.\nint x_get(int a)\n{\n'
    + '    free(malloc(1));\n    return a; /* "strcpy(" */\n}\n',
    "src/base/y.h": HEAD + "int y_get(void);\n",
    "src/base/y.c": HEAD + '#include "base/x.h"\n\nint y_get(void)\n{\n    return x_get(1);\n}\n',
    "src/base/y_test.c": HEAD + "#include <cmocka.h>\n",
    "src/os/README.md": README.replace("`x.h`, `x.c`", "`file.c`")
    .replace("- `y.{h,c}` — another\n", "")
    .replace("- BASE-1: x is positive.", "None."),
    "src/os/file.c": HEAD
    + '#include <fcntl.h>\n#include <rocksdb/c.h>\n#include "base/x.h"\n\nint file_open(void)\n{\n'
    + '    return open("strcpy(x)", O_RDONLY);\n}\n',
    "tools/adapters.txt": "rocksdb/  src/os/file.c\ncmocka.h  *_test.c\n",
    "tools/banned.txt": "malloc free | src/base/ *_test.c | a Scope\nopen | src/os/ | os/file.h\n"
    "pthread_* | src/os/ | os/thread.h\nstrcpy | | base/str.h\n",
    "tools/tidy.max": "0\n",
}

BODY = "\nint {name}({parameters})\n{{\n{lines}}}\n"


def function(name="z_get", parameters="void", count=1):
    return BODY.format(name=name, parameters=parameters, lines="    x();\n" * count)


# rule -> [(file, text appended to it or its whole new text if it is new)]
PLANTED = {
    "layers: a higher room": ("layers", {"src/base/x.c": '#include "os/file.h"\n', "src/os/file.h": HEAD}),
    "layers: dbaspot.h below api": ("layers", {"src/base/x.c": '#include "dbaspot.h"\n'}),
    "layers: a path from the folder": ("layers", {"src/base/x.c": '#include "y.h"\n'}),
    "layers: another room's private header": (
        "layers",
        {"src/os/file.c": '#include "base/z_int.h"\n', "src/base/z_int.h": HEAD},
    ),
    "layers: an unlisted room": ("layers", {"src/extra/z.h": HEAD}),
    "adapters: outside its home": ("adapters", {"src/base/x.c": "#include <rocksdb/c.h>\n"}),
    "adapters: an unknown library": ("adapters", {"src/base/x.c": "#include <foo/bar.h>\n"}),
    "adapters: cmocka outside tests": ("adapters", {"src/base/x.c": '#include "cmocka.h"\n'}),
    "banned: open outside os": ("banned", {"src/base/x.c": '\nint z(void)\n{\n    return open("a", 0);\n}\n'}),
    "banned: malloc outside base": ("banned", {"src/os/file.c": "\nvoid *z(void)\n{\n    return malloc (1);\n}\n"}),
    "banned: a family": ("banned", {"src/base/x.c": "\nvoid z(void)\n{\n    pthread_create(0);\n}\n"}),
    "banned: everywhere": ("banned", {"src/os/file.c": "\nvoid z(char *a)\n{\n    strcpy(a, a);\n}\n"}),
    "line: too long": ("line", {"src/base/x.c": "// " + "x" * 98 + "\n"}),
    "function: too long": ("function", {"src/base/x.c": function(count=69)}),
    "parameters: seven": ("parameters", {"src/base/x.c": function(parameters="int a, int b, int c, int d, int (*e)(int, int), int f,\n    int g")}),
    "file: too long": ("file", {"src/base/x.c": "\n" * 1000}),
    "file: a header too long": ("file", {"src/base/x.h": "\n" * 300}),
    "file: a README too long": ("file", {"src/base/README.md": "\n" * 150}),
    "spdx: missing": ("spdx", {"src/base/z.h": "// One.\n// Two.\n// Three.\n// Four.\n"}),
    "spdx: a script": ("spdx", {"tools/z": "#!/bin/sh\n"}),
    "comment: none": ("comment", {"src/base/z.h": "// SPDX-License-Identifier: Apache-2.0\nint z;\n"}),
    "comment: too long": ("comment", {"src/base/z.h": HEAD + "// more\n" * 30}),
    "readme: none": ("readme", {"src/api/z.c": HEAD}),
    "readme: a file is not listed": ("readme", {"src/base/z.c": HEAD}),
    "readme: a listed file is missing": ("readme", {"src/base/README.md": README.replace("`y.{h,c}`", "`y.{h,c}`, `w.c`")}),
    "readme: listed twice": ("readme", {"src/base/README.md": README.replace("`y.{h,c}`", "`y.{h,c}`, `x.c`")}),
    "readme: a heading is missing": ("readme", {"src/base/README.md": README.replace("## Words", "## Terms")}),
    "invariants: not cited": ("invariants", {"src/base/README.md": README.replace("- BASE-1", "- BASE-2: y.\n- BASE-1")}),
    "invariants: not defined": ("invariants", {"src/base/x.c": "// BASE-7 holds.\n"}),
    "invariants: of an unknown room": ("invariants", {"src/base/x.c": "// WALL-1 holds.\n"}),
    "invariants: defined twice": ("invariants", {"src/base/README.md": README.replace("- BASE-1", "- BASE-1: x.\n- BASE-1")}),
    "marks: unfinished": ("marks", {"src/base/x.c": "// TO" "DO: more\n"}),
    "paths: of one machine": ("paths", {"README.md": "cd /wo" "rk/main\n"}),
    "exemptions: more than allowed": ("exemptions", {"src/base/x.c": "// tidy: allow line -- a table\n// " + "x" * 98 + "\n"}),
    "exemptions: fewer than allowed": ("exemptions", {"tools/tidy.max": "3\n"}),
    "exemptions: no reason": ("exemptions", {"tools/tidy.max": "1\n", "src/base/x.c": "// tidy: allow line\n"}),
    "exemptions: no such rule": ("exemptions", {"tools/tidy.max": "1\n", "src/base/x.c": "// tidy: allow all -- me\n"}),
}

ALLOWED = {
    "an exempted line": {"tools/tidy.max": "1\n", "src/base/x.c": "// tidy: allow line -- a table\n// " + "x" * 98 + "\n"},
    "an exempted function": {
        "tools/tidy.max": "1\n",
        "src/base/x.c": "\n// tidy: allow function -- a dispatch table" + function(count=80),
    },
    "a function of 70 lines": {"src/base/x.c": function(count=68)},
    "six parameters": {"src/base/x.c": function(parameters="int a, int b, int c, int d, int (*e)(int, int), int f")},
    "a long test": {"src/base/y_test.c": function(count=90) + "// " + "x" * 120 + "\n"},
    "a static of libc's name": {"src/base/x.c": "\nstatic int open(int a)\n{\n    return a;\n}\n\nint z(void)\n{\n    return open(1);\n}\n"},
    "a member of libc's name": {"src/base/x.c": "\nint z(struct z *z)\n{\n    return z->open(1);\n}\n"},
    "a generated file": {"src/base/z.h": "// SPDX-License-Identifier: Apache-2.0\n// Generated by tools/z, do not edit.\n" + "\n" * 400},
}


def load_tidy():
    loader = importlib.machinery.SourceFileLoader("tidy", os.path.join(HERE, "tidy"))
    spec = importlib.util.spec_from_loader("tidy", loader)
    sys.dont_write_bytecode = True
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def write_tree(root, changes):
    replaced = ("src/base/README.md", "tools/tidy.max")
    files = dict(CLEAN)
    for path, text in changes.items():
        whole = path not in files or (path in replaced and text.strip())
        files[path] = text if whole else files[path] + text
    for path, text in files.items():
        target = os.path.join(root, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)


def findings(tidy, changes, library=None):
    root = tempfile.mkdtemp(prefix="tidy-test.")
    try:
        write_tree(root, changes)
        return tidy.Tidy(root, library).run()
    finally:
        shutil.rmtree(root)


def exported(tidy):
    """The rules that a library with one foreign symbol breaks."""
    root = tempfile.mkdtemp(prefix="tidy-test.")
    try:
        library = os.path.join(root, "libz.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library], check=True,
                       input="int dbaspot_open; int palloc; static int mine;", text=True)
        return [finding[3] for finding in findings(tidy, {}, library)]
    finally:
        shutil.rmtree(root)


def main():
    tidy = load_tidy()
    wrong = []
    for name, changes in {"the clean tree": {}, **ALLOWED}.items():
        found = findings(tidy, changes)
        if found:
            wrong.append(f"{name}: {found}")
    for name, (rule, changes) in PLANTED.items():
        found = findings(tidy, changes)
        if {finding[2] for finding in found} != {rule}:
            wrong.append(f"{name}: {found}")
    if exported(tidy) != ["exports palloc"]:
        wrong.append(f"exports: {exported(tidy)}")
    untested = set(tidy.RULES) - {rule for rule, _ in PLANTED.values()} - {"exports"}
    if untested:
        wrong.append(f"rules without a planted violation: {sorted(untested)}")
    for line in wrong:
        print(line)
    total = len(PLANTED) + len(ALLOWED) + 3
    print(f"{total - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
