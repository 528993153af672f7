# plumb_module(NAME [USES module ...] [LIBS target ...] [TOGETHER filter])
#
# The library plumb_NAME of every source in and below plumb/NAME and, with PLUMB_TESTS, the program NAME_test of
# every *_test.cc there. main.cc belongs to no library. The tests that the filter names run in one process, which
# shares what is slow to start.
include_guard()

add_library(plumb_flags INTERFACE)
target_compile_options(plumb_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
target_compile_options(plumb_flags INTERFACE -ffp-contract=off)  # the same bytes with and without fused multiply-add
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms in std::string (GCC PR 105651) and in values that are moved at -O3 (GCC PR 105562).
  target_compile_options(plumb_flags INTERFACE -Wno-restrict $<$<CONFIG:Release>:-Wno-maybe-uninitialized>)
endif()
target_include_directories(plumb_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(plumb_flags INTERFACE PLUMB_VERSION="${PROJECT_VERSION}")
if(PLUMB_SANITIZE)
  target_compile_options(plumb_flags INTERFACE -fsanitize=${PLUMB_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(plumb_flags INTERFACE -fsanitize=${PLUMB_SANITIZE})
  # These two take half of the time to compile. AddressSanitizer stops at null by itself, and only nn/ reads bytes as
  # something wider.
  target_compile_options(plumb_flags INTERFACE
    $<$<NOT:$<STREQUAL:$<TARGET_PROPERTY:NAME>,plumb_nn>>:-fno-sanitize=null,alignment>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # The checks make code in which values that are moved seem to be unset (GCC PR 105562).
    target_compile_options(plumb_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()

function(plumb_module name)
  cmake_parse_arguments(arg "" "TOGETHER" "USES;LIBS" ${ARGN})
  set(folder ${PROJECT_SOURCE_DIR}/plumb/${name})
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${folder}/*_test.cc)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cc)
  list(REMOVE_ITEM sources ${tests} ${folder}/main.cc)

  add_library(plumb_${name} STATIC ${sources})
  target_link_libraries(plumb_${name} PUBLIC plumb_flags ${arg_LIBS})
  foreach(used IN LISTS arg_USES)
    target_link_libraries(plumb_${name} PUBLIC plumb_${used})
  endforeach()

  if(PLUMB_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE plumb_${name} GTest::gtest_main rapidcheck)
    if(arg_TOGETHER)
      set(alone TEST_FILTER "-${arg_TOGETHER}")
      add_test(NAME ${name}.together COMMAND ${name}_test "--gtest_filter=${arg_TOGETHER}"
               WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    endif()
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST
                         WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} ${alone})
  endif()
endfunction()
