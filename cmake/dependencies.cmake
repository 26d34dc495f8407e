# SPDX-License-Identifier: Apache-2.0
#
# Every foreign library is found here, and nowhere else; docs/dependencies.md says what each one is for.
# dbaspot_engine_deps is what the embedded library links, dbaspot_program_deps what only the program needs.

find_package(PkgConfig)
find_package(Threads REQUIRED)
set(DBASPOT_MISSING "")

function(dbaspot_find prefix module)
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(${prefix} QUIET IMPORTED_TARGET GLOBAL ${module})
  endif()
  if(NOT ${prefix}_FOUND)
    list(APPEND DBASPOT_MISSING ${module})
    set(DBASPOT_MISSING "${DBASPOT_MISSING}" PARENT_SCOPE)
  endif()
endfunction()

dbaspot_find(ROCKSDB rocksdb)
dbaspot_find(LIBUV libuv)
dbaspot_find(OPENSSL openssl)
dbaspot_find(ZSTD libzstd)
dbaspot_find(LZ4 liblz4)
dbaspot_find(XXHASH libxxhash)
dbaspot_find(ICU icu-i18n)
dbaspot_find(PCRE2 libpcre2-8)
dbaspot_find(JEMALLOC jemalloc)
dbaspot_find(LIBPQ libpq)
dbaspot_find(CMOCKA cmocka)

# libpg_query has no pkg-config file. The static library is linked and its symbols are hidden: they are PostgreSQL's own
# names (palloc, equal, errcode ...), which no embedding program may see.
find_library(PG_QUERY_LIBRARY NAMES libpg_query.a)
find_path(PG_QUERY_INCLUDE pg_query.h)
if(NOT PG_QUERY_LIBRARY OR NOT PG_QUERY_INCLUDE)
  list(APPEND DBASPOT_MISSING libpg_query)
endif()

# PostgreSQL 15's parse nodes, for sql/parse/ alone.
find_path(PG_SERVER_INCLUDE postgres.h
  PATHS /usr/include/postgresql/15/server /usr/lib/postgresql/15/include/server NO_DEFAULT_PATH)
if(NOT PG_SERVER_INCLUDE)
  find_program(PG_CONFIG pg_config PATHS /usr/lib/postgresql/15/bin)
  if(PG_CONFIG)
    execute_process(COMMAND ${PG_CONFIG} --version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
    execute_process(COMMAND ${PG_CONFIG} --includedir-server OUTPUT_VARIABLE directory
      OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(version MATCHES "PostgreSQL 15" AND EXISTS "${directory}/postgres.h")
      set(PG_SERVER_INCLUDE "${directory}" CACHE PATH "headers of PostgreSQL 15's server" FORCE)
    endif()
  endif()
endif()
if(NOT PG_SERVER_INCLUDE)
  list(APPEND DBASPOT_MISSING "postgresql-server-dev-15 (headers)")
endif()

if(DBASPOT_MISSING)
  string(REPLACE ";" ", " missing "${DBASPOT_MISSING}")
  message(FATAL_ERROR "Not found: ${missing}.\nRun tools/setup, which installs what the build needs.")
endif()

add_library(dbaspot_engine_deps INTERFACE)
target_link_libraries(dbaspot_engine_deps INTERFACE
  ${PG_QUERY_LIBRARY} PkgConfig::ROCKSDB PkgConfig::LIBUV PkgConfig::OPENSSL PkgConfig::ZSTD PkgConfig::LZ4
  PkgConfig::ICU PkgConfig::PCRE2 Threads::Threads m dl)
target_link_options(dbaspot_engine_deps INTERFACE "LINKER:--exclude-libs,libpg_query.a" "LINKER:--as-needed")

add_library(dbaspot_program_deps INTERFACE)
target_link_libraries(dbaspot_program_deps INTERFACE PkgConfig::LIBPQ)
