#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests that ctest knows, two at a time, and counts their cases.

    tools/run_tests.py BUILD_DIR [--label L]... [--name REGEX] [--jobs N] [--verbose] [--no-total]

Each test is a process with a time limit; when it runs over, it and its children are killed. Cases
are counted from its output: cmocka's summary, or lines `N passed, N failed`; a test that prints
neither counts as one case. A test that exits with its SKIP_RETURN_CODE is skipped, and said to be.
Output is shown for tests that fail. The last line printed is `N passed, N failed` over all cases,
and the exit status is 1 when anything failed or nothing ran.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

DEFAULT_TIMEOUT_S = 300
SHOWN_BYTES_MAX = 60_000

CMOCKA_PASSED = re.compile(r"^\[  PASSED  \] (\d+) test\(s\)", re.M)
CMOCKA_FAILED = re.compile(r"^\[  FAILED  \] (?:\w+: )?(\d+) test\(s\)", re.M)
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)

SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:abort_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1:suppressions="
    + os.path.join(os.path.dirname(os.path.abspath(__file__)), "tsan.supp"),
}


class Test:
    def __init__(self, entry):
        properties = {p["name"]: p["value"] for p in entry.get("properties", [])}
        self.name = entry["name"]
        self.command = entry.get("command")
        self.labels = properties.get("LABELS", [])
        self.timeout_s = float(properties.get("TIMEOUT", DEFAULT_TIMEOUT_S))
        self.directory = properties.get("WORKING_DIRECTORY")
        self.serial = bool(properties.get("RUN_SERIAL", False))
        self.skip_code = properties.get("SKIP_RETURN_CODE")
        self.disabled = bool(properties.get("DISABLED", False))
        self.environment = dict(v.split("=", 1) for v in properties.get("ENVIRONMENT", []))


class Result:
    def __init__(self, passed, failed, seconds, note="", output=""):
        self.passed = passed
        self.failed = failed
        self.seconds = seconds
        self.note = note
        self.output = output


def list_tests(build_dir):
    listing = subprocess.run(
        ["ctest", "--show-only=json-v1"], cwd=build_dir, stdout=subprocess.PIPE, check=True
    )
    return [Test(entry) for entry in json.loads(listing.stdout)["tests"]]


def count_cases(output, status):
    """Passed and failed cases of a test that wrote `output` and exited with `status`."""
    passed = sum(int(n) for n in CMOCKA_PASSED.findall(output))
    failed = sum(int(n) for n in CMOCKA_FAILED.findall(output))
    for good, bad in PLAIN.findall(output):
        passed += int(good)
        failed += int(bad)
    if passed + failed == 0:
        return (1, 0) if status == 0 else (0, 1)
    if status != 0 and failed == 0:
        failed = 1
    return passed, failed


def kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run_test(test):
    started = time.monotonic()
    if not test.command:
        return Result(0, 1, 0.0, "its program was not built")
    environment = {**SANITIZER_OPTIONS, **os.environ, **test.environment}
    timeout_s = test.timeout_s * float(os.environ.get("TEST_TIMEOUT_FACTOR", "1"))
    note = ""
    with tempfile.TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                test.command, cwd=test.directory, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, env=environment, start_new_session=True,
            )
        except OSError as error:
            return Result(0, 1, 0.0, str(error))
        try:
            status = process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            note = f"still running after {timeout_s:.0f} s"
            status = -signal.SIGKILL
        except BaseException:
            kill_group(process)
            raise
        kill_group(process)
        process.wait()
        log.seek(0)
        output = log.read().decode("utf-8", "replace")
    seconds = time.monotonic() - started
    if test.skip_code is not None and status == int(test.skip_code):
        return Result(0, 0, seconds, "skipped", output)
    passed, failed = count_cases(output, status)
    if failed and not note:
        note = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
    return Result(passed, failed, seconds, note, output)


class Report:
    """Prints one line a test as it ends, and keeps the sums."""

    def __init__(self, verbose):
        self.lock = threading.Lock()
        self.verbose = verbose
        self.passed = 0
        self.failed = 0
        self.skipped = []
        self.failures = []
        self.seconds = {}

    def add(self, test, result):
        with self.lock:
            self.passed += result.passed
            self.failed += result.failed
            self.seconds[test.name] = round(result.seconds, 2)
            if result.failed:
                word = "FAIL"
                self.failures.append(test.name)
            elif result.note == "skipped":
                word = "skip"
                self.skipped.append(test.name)
            else:
                word = "ok"
            cases = result.passed + result.failed
            note = f"  ({result.note})" if result.note else ""
            print(f"{word:4}  {test.name:40} {cases:6} cases {result.seconds:7.1f} s{note}")
            if (result.failed or self.verbose or word == "skip") and result.output:
                shown = result.output[-SHOWN_BYTES_MAX:]
                print("".join(f"      | {line}\n" for line in shown.splitlines()), end="")
            sys.stdout.flush()


def read_times(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def select(tests, arguments):
    chosen = [t for t in tests if not t.disabled]
    if arguments.label:
        chosen = [t for t in chosen if set(t.labels) & set(arguments.label)]
    if arguments.name:
        pattern = re.compile(arguments.name)
        chosen = [t for t in chosen if pattern.search(t.name)]
    return chosen


def main():
    parser = argparse.ArgumentParser(description="run the tests of a build directory")
    parser.add_argument("build_dir")
    parser.add_argument("--label", action="append", default=[], help="only tests with this label")
    parser.add_argument("--name", help="only tests whose name matches this regular expression")
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("TEST_JOBS", "2")))
    parser.add_argument("--verbose", action="store_true", help="show the output of every test")
    parser.add_argument("--no-total", action="store_true", help="leave out the last line")
    arguments = parser.parse_args()

    tests = select(list_tests(arguments.build_dir), arguments)
    times_path = os.path.join(arguments.build_dir, "test_times.json")
    times = read_times(times_path)
    tests.sort(key=lambda t: -times.get(t.name, 0.0))
    report = Report(arguments.verbose)
    with ThreadPoolExecutor(max(1, arguments.jobs)) as pool:
        list(pool.map(lambda t: report.add(t, run_test(t)), [t for t in tests if not t.serial]))
    for test in tests:
        if test.serial:
            report.add(test, run_test(test))

    with open(times_path, "w", encoding="utf-8") as file:
        json.dump({**times, **report.seconds}, file, indent=1, sort_keys=True)
    if report.skipped:
        print(f"skipped: {', '.join(sorted(report.skipped))}")
    if report.failures:
        print(f"failed: {', '.join(sorted(report.failures))}")
    if not tests:
        print("no test matches")
    if not arguments.no_total:
        print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
