# SPDX-License-Identifier: Apache-2.0
#
# The compiler's settings: the same warnings under gcc 12 and clang 14, hidden symbols, one CPU baseline.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# ASSERT is on in every build; NDEBUG turns off ASSERT_SLOW. No -ffast-math: results are PostgreSQL's to the bit.
foreach(language C CXX)
  set(CMAKE_${language}_FLAGS_DEBUG "-O1 -g")
  set(CMAKE_${language}_FLAGS_RELEASE "-O3 -g -DNDEBUG")
endforeach()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_C_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

# gold links the many test programs several times faster than ld; gcc only, clang 14 looks for its own.
find_program(GOLD_PROGRAM ld.gold)
if(GOLD_PROGRAM AND NOT CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_link_options(-fuse-ld=gold)
endif()

function(dbaspot_compile target)
  target_include_directories(${target} PUBLIC "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include")
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE DBASPOT_VERSION="${PROJECT_VERSION}")
  target_compile_options(${target} PRIVATE -Wall -Wextra -Werror -fno-strict-aliasing)
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    # gcc 12 cannot follow results through a returned Status; clang and the sanitizers look instead.
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
  endif()
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(${target} PRIVATE -march=x86-64-v2)
  endif()
endfunction()

if(DBASPOT_SANITIZE)
  add_compile_options(-fsanitize=${DBASPOT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DBASPOT_SANITIZE})
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    # Instrumentation confuses gcc's flow analysis; the other presets keep these warnings.
    add_compile_options(-Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-tsan)
  endif()
endif()
