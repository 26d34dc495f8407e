# SPDX-License-Identifier: Apache-2.0
#
# Which files make which target. Sources are globbed and sorted into engine, program and tests by their names.

set(DBASPOT_EMPTY_SOURCE "${CMAKE_BINARY_DIR}/empty.c")
file(CONFIGURE OUTPUT "${DBASPOT_EMPTY_SOURCE}" CONTENT "typedef int dbaspot_empty;\n")

# PostgreSQL's server headers are seen by src/sql/parse/ and by nothing else.
function(dbaspot_give_postgres_headers)
  foreach(source ${ARGN})
    if(source MATCHES "^src/sql/parse/")
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS -isystem "${PG_SERVER_INCLUDE}")
    endif()
  endforeach()
endfunction()

macro(dbaspot_collect_sources)
  file(GLOB_RECURSE DBASPOT_SOURCES RELATIVE "${CMAKE_SOURCE_DIR}" CONFIGURE_DEPENDS src/*.c src/*.cc)
  list(SORT DBASPOT_SOURCES)
  set(DBASPOT_TEST_SOURCES ${DBASPOT_SOURCES})
  list(FILTER DBASPOT_TEST_SOURCES INCLUDE REGEX "_test\\.c$")
  list(FILTER DBASPOT_SOURCES EXCLUDE REGEX "(_test|_fuzz)\\.c$")
  list(FILTER DBASPOT_SOURCES EXCLUDE REGEX "^src/cli/main\\.c$")

  set(DBASPOT_PROGRAM_SOURCES ${DBASPOT_SOURCES})
  list(FILTER DBASPOT_PROGRAM_SOURCES INCLUDE REGEX "^src/(cli|server)/")
  set(DBASPOT_ENGINE_SOURCES ${DBASPOT_SOURCES})
  list(FILTER DBASPOT_ENGINE_SOURCES EXCLUDE REGEX "^src/(cli|server)/")
  list(APPEND DBASPOT_ENGINE_SOURCES "${DBASPOT_EMPTY_SOURCE}")
  list(APPEND DBASPOT_PROGRAM_SOURCES "${DBASPOT_EMPTY_SOURCE}")
  dbaspot_give_postgres_headers(${DBASPOT_SOURCES} ${DBASPOT_TEST_SOURCES})
endmacro()

# src/base/scope_test.c becomes the executable tests/base_scope_test and the ctest entry "base/scope".
function(dbaspot_add_unit_test source)
  string(REGEX REPLACE "^src/(.*)_test\\.c$" "\\1" name "${source}")
  string(REPLACE "/" "_" target "${name}_test")
  add_executable(${target} ${source})
  dbaspot_compile(${target})
  target_link_libraries(${target} PRIVATE dbaspot_core PkgConfig::CMOCKA)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/unit")
  add_test(NAME "${name}" COMMAND ${target} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  set_tests_properties("${name}" PROPERTIES LABELS unit TIMEOUT 180)
endfunction()

# Target headers_alone: each header of ours compiles with nothing included before it.
function(dbaspot_add_header_checks)
  file(GLOB_RECURSE headers RELATIVE "${CMAKE_SOURCE_DIR}" CONFIGURE_DEPENDS src/*.h include/*.h)
  set(sources "")
  foreach(header ${headers})
    set(source "${CMAKE_BINARY_DIR}/headers/${header}.c")
    file(CONFIGURE OUTPUT "${source}" CONTENT "#include \"${CMAKE_SOURCE_DIR}/${header}\"\n")
    if(header MATCHES "^src/sql/parse/")
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS -isystem "${PG_SERVER_INCLUDE}")
    endif()
    list(APPEND sources ${source})
  endforeach()
  add_library(headers_alone OBJECT EXCLUDE_FROM_ALL ${sources} "${DBASPOT_EMPTY_SOURCE}")
  dbaspot_compile(headers_alone)
  target_link_libraries(headers_alone PRIVATE dbaspot_engine_deps dbaspot_program_deps)
endfunction()
