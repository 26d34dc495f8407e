# SPDX-License-Identifier: Apache-2.0
#
# A thin front: CMake builds, tools/ does the rest. `make help` lists the targets.

BUILD_JOBS ?= $(shell nproc)
TEST_JOBS  ?= 2
PREFIX     ?= /usr/local
export TEST_JOBS

build_preset = cmake --preset $(1) -Wno-dev >build/$(1).configure.log 2>&1 || \
	{ cat build/$(1).configure.log; exit 1; }; cmake --build --preset $(1) -j $(BUILD_JOBS)

.PHONY: help
help:  ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

.PHONY: run
run:  ## build, start a server with a TPC-H database in it, show some queries (SCALE=0.1)
	@tools/run

.PHONY: stop
stop:  ## stop the server that make run started
	@tools/run --stop

.PHONY: release
release: | build  ## build/release/dbaspot, with everything it needs installed
	@tools/setup build
	@$(call build_preset,release)

.PHONY: test
test: | build  ## the whole suite under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/setup test
	@$(call build_preset,asan)
	@tools/run_tests.py build/asan

.PHONY: check
check: | build  ## format, tidy, headers alone, unit and SQL tests on the dev build: about two minutes
	@tools/setup test
	@tools/format --check
	@$(call build_preset,dev)
	@cmake --build --preset dev --target headers_alone
	@tools/run_tests.py build/dev --label unit --label sql --label tidy

.PHONY: soak
soak: | build  ## the long versions: ThreadSanitizer, clang beside gcc, long random tests
	@tools/setup test
	@$(call build_preset,clang)
	@$(call build_preset,tsan)
	@$(call build_preset,release)
	@tools/run_tests.py build/tsan --label unit --label isolation --no-total
	@SOAK=1 TEST_TIMEOUT_FACTOR=20 tools/run_tests.py build/release

.PHONY: lint
lint: | build  ## clang-tidy over the sources (minutes)
	@tools/setup test
	@$(call build_preset,clang)
	@run-clang-tidy-14 -quiet -p build/clang '/src/.*\.c$$'

.PHONY: bench
bench: release  ## the benchmarks beside PostgreSQL and DuckDB
	@tools/setup bench
	@for run in bench/*/run; do "$$run" || exit 1; done

.PHONY: slt-verify
slt-verify:  ## replay the SQL tests on PostgreSQL 15, which must give the same answers
	@tools/setup test
	@tests/tools/slt-verify

.PHONY: fmt
fmt:  ## format the C and C++ sources
	@tools/format

.PHONY: install
install: release  ## program, library and header below PREFIX (/usr/local)
	@cmake --install build/release --prefix "$(PREFIX)"

.PHONY: clean
clean:  ## remove what was built; data/ stays
	@rm -rf build

build:
	@mkdir -p build
