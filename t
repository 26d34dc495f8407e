#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs one test in its own process, by name or path, on the dev build (PRESET=asan ./t ... for another):
#
#     ./t                      lists the tests
#     ./t txn                  the unit tests of a room, or whatever carries the name
#     ./t src/base/scope_test.c
#     ./t sql/join/left.slt    one SQL file in process; WIRE=1 over the wire
#     ./t sim --seed 42        what follows the name goes to the test
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

preset=${PRESET:-dev}
build=build/$preset

run_slt() {
    cmake --build --preset "$preset" --target slt dbaspot >&2
    if [ -n "${WIRE:-}" ]; then
        exec tests/tools/slt-wire "$build/tests/slt" "$build/dbaspot" "${WIRE/#1/simple}" "$@"
    fi
    exec tests/tools/slt-embedded "$build/tests/slt" "$@"
}

# The names of ctest that NAME means: itself, a test below it, or a last component.
match() {
    ctest --test-dir "$build" --show-only=json-v1 | python3 -c '
import json, sys
name = sys.argv[1]
tests = [t["name"] for t in json.load(sys.stdin)["tests"]]
for rule in (lambda t: t == name, lambda t: t.startswith(name + "/"), lambda t: t.endswith("/" + name),
             lambda t: name in t):
    found = [t for t in tests if rule(t)]
    if found:
        print("\n".join(found))
        break
' "$1"
}

# The command of the test of that name, one word a line.
command_of() {
    ctest --test-dir "$build" --show-only=json-v1 | python3 -c '
import json, sys
for test in json.load(sys.stdin)["tests"]:
    if test["name"] == sys.argv[1]:
        print("\n".join(test["command"]))
' "$1"
}

mkdir -p build
if [ ! -f "$build/build.ninja" ]; then
    tools/setup test
    cmake --preset "$preset" >&2
fi
if [ $# -eq 0 ]; then
    exec ctest --test-dir "$build" --show-only
fi

name=${1#./}
shift
case $name in
*.slt | tests/sql/*)
    path=${name#tests/}
    run_slt "tests/$path" "$@"
    ;;
esac
name=${name#src/}
name=${name#tests/}
name=${name%_test.c}

cmake --build --preset "$preset" >&2
mapfile -t found < <(match "$name")
if [ "${#found[@]}" -eq 0 ]; then
    echo "t: no test is called $name; ./t lists them" >&2
    exit 2
fi
if [ "${#found[@]}" -eq 1 ]; then
    mapfile -t command < <(command_of "${found[0]}")
    exec "${command[@]}" "$@"
fi
pattern=$(printf '%s|' "${found[@]}")
exec tools/run_tests.py "$build" --name "^(${pattern%|})\$" --verbose
