# SPDX-License-Identifier: Apache-2.0
#
# libdbaspot.a: the engine and libpg_query joined into one object whose only global symbols are dbaspot_*, so that a
# program that links it keeps palloc, equal, errmsg and every other name for itself. Release only: it takes seconds.

if(CMAKE_BUILD_TYPE STREQUAL "Release" AND EXISTS "${CMAKE_SOURCE_DIR}/include/dbaspot.h")
  set(joined "${CMAKE_BINARY_DIR}/libdbaspot_joined.o")
  set(archive "${CMAKE_BINARY_DIR}/libdbaspot.a")
  add_custom_command(OUTPUT "${archive}"
    COMMAND ${CMAKE_LINKER} -r -o "${joined}" "$<TARGET_OBJECTS:dbaspot_engine_objects>" "${PG_QUERY_LIBRARY}"
    COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=dbaspot_* "${joined}"
    COMMAND ${CMAKE_COMMAND} -E rm -f "${archive}"
    COMMAND ${CMAKE_AR} rcs "${archive}" "${joined}"
    COMMAND ${CMAKE_COMMAND} -E rm -f "${joined}"
    DEPENDS dbaspot_engine_objects "$<TARGET_OBJECTS:dbaspot_engine_objects>" "${PG_QUERY_LIBRARY}"
    COMMAND_EXPAND_LISTS VERBATIM COMMENT "Joining libdbaspot.a")
  add_custom_target(dbaspot_static ALL DEPENDS "${archive}")
  install(FILES "${archive}" DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
