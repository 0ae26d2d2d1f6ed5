# SPDX-License-Identifier: Apache-2.0
# One folder = one library: signstep_library(core LINKS fmt::fmt) makes signstep_core with the alias signstep::core
# from every .cc file listed. LINKS are public, because headers of a layer show the layers below it.

# What every target of ours is compiled with. Contraction is off everywhere: a fused multiply-add changes the last bit,
# and one bit of a momentum decides the sign of a step (docs/numerics.md).
add_library(signstep_flags INTERFACE)
target_compile_options(signstep_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -ffp-contract=off)
if(SIGNSTEP_SANITIZE)
  target_compile_options(signstep_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
                                                  -fno-omit-frame-pointer)
  target_link_options(signstep_flags INTERFACE -fsanitize=address,undefined)
endif()

function(signstep_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(signstep_${name} STATIC ${ARG_SOURCES})
  add_library(signstep::${name} ALIAS signstep_${name})
  target_include_directories(signstep_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(signstep_${name} PUBLIC ${ARG_LINKS} PRIVATE $<BUILD_INTERFACE:signstep_flags>)
  set_target_properties(signstep_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON EXPORT_NAME ${name})
endfunction()

# One test binary and one ctest entry per folder.
function(signstep_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(test_${name} PRIVATE ${ARG_LINKS} GTest::gmock_main signstep_flags)
  add_test(NAME ${name} COMMAND test_${name} --gtest_brief=1)
endfunction()
