#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves tools/run_tests.py: what it counts, and that a failure, a crash, a hang or an empty run
never ends with a good exit status."""

import os
import subprocess
import sys
import tempfile

RUNNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run_tests.py")

CMOCKA = "[==========] Running 3 test(s).\\n[  PASSED  ] 2 test(s).\\n"
CMOCKA_BAD = CMOCKA + "[  FAILED  ] 1 test(s), listed below:\\n[  FAILED  ] name\\n 1 FAILED TEST(S)\\n"

# name -> (shell script, ctest properties, last line, exit status)
CASES = {
    "one case by exit status": ("true", "", "1 passed, 0 failed", 0),
    "one failed case": ("false", "", "0 passed, 1 failed", 1),
    "cmocka": (f"printf '{CMOCKA}'", "", "2 passed, 0 failed", 0),
    "cmocka with a failure": (f"printf '{CMOCKA_BAD}'; exit 1", "", "2 passed, 1 failed", 1),
    "plain lines are summed": ("echo 5 passed, 0 failed; echo 7 passed, 0 failed", "", "12 passed, 0 failed", 0),
    "plain with a failure": ("echo 5 passed, 2 failed; exit 1", "", "5 passed, 2 failed", 1),
    "a failure reported with status 0": ("echo 5 passed, 2 failed", "", "5 passed, 2 failed", 1),
    "a crash after good cases": ("echo 5 passed, 0 failed; kill -SEGV $$", "", "5 passed, 1 failed", 1),
    "a hang": ("sleep 60", "TIMEOUT 1", "0 passed, 1 failed", 1),
    "a hang of a child": ("sleep 60 & exit 0", "", "1 passed, 0 failed", 0),
    "a skip": ("echo no device; exit 77", "SKIP_RETURN_CODE 77", "0 passed, 0 failed", 0),
    "a word in a line": ("echo said 5 passed, 2 failed", "", "1 passed, 0 failed", 0),
    "no program": (None, "", "0 passed, 1 failed", 1),
}


def run_case(script, properties):
    with tempfile.TemporaryDirectory(prefix="run-tests-test.") as directory:
        command = "/nonexistent/program"
        if script is not None:
            command = os.path.join(directory, "script")
            with open(command, "w", encoding="utf-8") as file:
                file.write(f"#!/bin/sh\n{script}\n")
            os.chmod(command, 0o755)
        with open(os.path.join(directory, "CTestTestfile.cmake"), "w", encoding="utf-8") as file:
            file.write(f'add_test([=[it]=] "{command}")\n')
            if properties:
                file.write(f"set_tests_properties([=[it]=] PROPERTIES {properties})\n")
        return run_runner(directory)


def run_runner(directory, *options):
    done = subprocess.run([sys.executable, RUNNER, directory, *options], stdout=subprocess.PIPE,
                          text=True, check=False, timeout=50)
    return done.stdout.splitlines()[-1], done.returncode


def main():
    wrong = []
    for name, (script, properties, line, status) in CASES.items():
        found = run_case(script, properties)
        if found != (line, status):
            wrong.append(f"{name}: expected {(line, status)}, found {found}")
    with tempfile.TemporaryDirectory(prefix="run-tests-test.") as directory:
        with open(os.path.join(directory, "CTestTestfile.cmake"), "w", encoding="utf-8"):
            pass
        if run_runner(directory) != ("0 passed, 0 failed", 1):
            wrong.append("a run of no tests is good")
    for line in wrong:
        print(line)
    print(f"{len(CASES) + 1 - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
