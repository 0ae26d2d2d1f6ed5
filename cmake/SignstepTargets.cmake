# SPDX-License-Identifier: Apache-2.0
# One folder = one library: signstep_library(io LINKS fmt::fmt) makes signstep_io with the alias signstep::io
# from every .cc file listed. Its headers are public, but for those that a kernel includes once for each SIMD target
# (-inl) or that show what it uses (backend). LINKS are public, because headers of a layer show the layers below it;
# what only its sources include stands under USES. With the word INSTALL the folder is a component of
# find_package(signstep), as are the signstep:: targets that it links; other packages are found again by the name before the :: of what it links.
include(GNUInstallDirs)
set(signstep_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/signstep)

# What every target of ours is compiled with. Contraction is off everywhere: a fused multiply-add changes the last bit,
# and one bit of a momentum decides the sign of a step (docs/numerics.md).
add_library(signstep_flags INTERFACE)
# Headers of these two hold arithmetic that their users compile.
set(signstep_exact_headers random kernels)
target_compile_options(signstep_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -ffp-contract=off
                                                $<$<BOOL:${SIGNSTEP_WERROR}>:-Werror>)
if(SIGNSTEP_SANITIZE)
  target_compile_options(signstep_flags INTERFACE -fsanitize=${SIGNSTEP_SANITIZE} -fno-sanitize-recover=all
                                                  -fno-omit-frame-pointer)
  # One SIMD target of each width: the baseline is as wide as these two, and the sign kernel takes half a minute a target
  # to compile here.
  target_compile_definitions(signstep_flags INTERFACE "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4)")
  target_link_options(signstep_flags INTERFACE -fsanitize=${SIGNSTEP_SANITIZE})
endif()

if(SIGNSTEP_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "SIGNSTEP_FUZZ needs clang, and the compiler is ${CMAKE_CXX_COMPILER_ID}: use the preset fuzz, or scripts/fuzz")
  endif()
  target_compile_options(signstep_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined
                                                  -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(signstep_flags INTERFACE -fsanitize=address,undefined)
endif()

function(signstep_library name)
  cmake_parse_arguments(ARG "INSTALL" "" "SOURCES;LINKS;USES" ${ARGN})
  add_library(signstep_${name} STATIC ${ARG_SOURCES})
  add_library(signstep::${name} ALIAS signstep_${name})
  target_compile_features(signstep_${name} PUBLIC cxx_std_20)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS *.h)
  list(FILTER headers EXCLUDE REGEX "(-inl|/precompiled|/launch|/backend)\\.h$")
  # A header that its own source includes first is compiled alone there, LibTorch's precompiled header aside; the test
  # "headers" compiles the others.
  set(alone)
  foreach(header IN LISTS headers)
    string(REGEX REPLACE "\\.h$" ".cc" source ${header})
    file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${header})
    set(first)
    if(EXISTS ${source})
      file(STRINGS ${source} first REGEX "^#include" LIMIT_COUNT 1)
    endif()
    if(NOT first STREQUAL "#include \"${path}\"")
      list(APPEND alone ${header})
    endif()
  endforeach()
  list(REMOVE_ITEM headers ${alone})
  target_sources(signstep_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${headers}
                                  FILE_SET alone TYPE HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${alone})
  target_link_libraries(signstep_${name} PUBLIC ${ARG_LINKS} PRIVATE ${ARG_USES} $<BUILD_INTERFACE:signstep_flags>)
  if(name IN_LIST signstep_exact_headers)
    target_compile_options(signstep_${name} INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>)
  endif()
  set_target_properties(signstep_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON EXPORT_NAME ${name}
                        VERIFY_INTERFACE_HEADER_SETS ${SIGNSTEP_TESTS} INTERFACE_HEADER_SETS_TO_VERIFY alone)
  if(ARG_INSTALL AND SIGNSTEP_INSTALL)
    signstep_install_component(${name} ${ARG_LINKS} ${ARG_USES})
  endif()
endfunction()

# What a component needs goes into signstep-NAME.cmake, which signstepConfig.cmake reads; its target into
# signstep-NAME-targets.cmake.
function(signstep_install_component name)
  set(components)
  set(packages)
  foreach(link IN LISTS ARGN)
    string(REGEX REPLACE "::.*" "" package ${link})
    if(package STREQUAL "signstep")
      string(REPLACE "signstep::" "" component ${link})
      list(APPEND components ${component})
    else()
      list(APPEND packages ${package})
    endif()
  endforeach()
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/signstep-${name}.cmake CONTENT
       "set(signstep_${name}_components ${components})\nset(signstep_${name}_packages ${packages})\n")
  install(FILES ${PROJECT_BINARY_DIR}/signstep-${name}.cmake DESTINATION ${signstep_package_dir} COMPONENT development)
  install(TARGETS signstep_${name} EXPORT signstep-${name}-targets COMPONENT development
          FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
          FILE_SET alone DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
  install(EXPORT signstep-${name}-targets NAMESPACE signstep:: DESTINATION ${signstep_package_dir}
          COMPONENT development)
  if(NOT name STREQUAL "libtorch")  # LibTorch has no pkg-config file
    signstep_install_pkg_config(${name} ${ARGN})
  endif()
endfunction()

# What a .pc file says of folders. Its prefix is found from where it lies, so that an installation may be moved, unless the
# folder of libraries is named by an absolute path.
macro(signstep_pc_folders)
  if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
    set(signstep_pc_prefix ${CMAKE_INSTALL_PREFIX})
  else()
    file(RELATIVE_PATH signstep_pc_up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
    set(signstep_pc_prefix "\${pcfiledir}/${signstep_pc_up}")
  endif()
  foreach(signstep_pc_folder IN ITEMS libdir includedir)
    string(TOUPPER ${signstep_pc_folder} signstep_pc_key)
    if(IS_ABSOLUTE ${CMAKE_INSTALL_${signstep_pc_key}})
      set(signstep_pc_${signstep_pc_folder} ${CMAKE_INSTALL_${signstep_pc_key}})
    else()
      set(signstep_pc_${signstep_pc_folder} "\${prefix}/${CMAKE_INSTALL_${signstep_pc_key}}")
    endif()
  endforeach()
endmacro()

# signstep-NAME.pc, for builds that know pkg-config and not CMake. It finds the prefix from where it lies itself.
function(signstep_install_pkg_config name)
  set(requires ${ARGN})
  set(threads)
  if(Threads::Threads IN_LIST requires)
    list(REMOVE_ITEM requires Threads::Threads)
    set(threads -pthread)
  endif()
  foreach(pair IN ITEMS signstep::=signstep- fmt::fmt=fmt hwy::hwy=libhwy OpenSSL::Crypto=libcrypto ZLIB::ZLIB=zlib PNG::PNG=libpng JPEG::JPEG=libjpeg
                        nlohmann_json::nlohmann_json=nlohmann_json tomlplusplus::tomlplusplus=tomlplusplus)
    string(REGEX MATCH "^(.*)=(.*)$" matched ${pair})
    string(REPLACE "${CMAKE_MATCH_1}" "${CMAKE_MATCH_2}" requires "${requires}")
  endforeach()
  if(requires MATCHES "::")
    message(FATAL_ERROR "signstep-${name}.pc: add pkg-config's names for '${requires}' to the list above")
  endif()
  list(JOIN requires ", " requires)
  set(exact)
  if(name IN_LIST signstep_exact_headers)
    set(exact " -ffp-contract=off")
  endif()
  signstep_pc_folders()
  configure_file(${PROJECT_SOURCE_DIR}/cmake/signstep.pc.in ${PROJECT_BINARY_DIR}/signstep-${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/signstep-${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
          COMPONENT development)
endfunction()

# The licences of the libraries inside what is installed, which ask to be carried along, as Debian keeps them.
function(signstep_install_licences destination component)
  foreach(inside IN ITEMS libfmt-dev libhwy-dev libtomlplusplus-dev nlohmann-json3-dev libutfcpp-dev)
    if(EXISTS /usr/share/doc/${inside}/copyright)
      install(FILES /usr/share/doc/${inside}/copyright DESTINATION ${destination} RENAME ${inside} COMPONENT ${component})
    endif()
  endforeach()
endfunction()

# One test binary and one ctest entry per folder. Tests are half of what is compiled, and what takes time in them is the
# library's: -O1 and GoogleMock read once halve it, and so does -O0 where sanitizers have filled it with checks.
# LIBTORCH: with LibTorch's precompiled header in its place.
set(SIGNSTEP_TEST_OPTIMIZATION -O1)
if(SIGNSTEP_SANITIZE)
  set(SIGNSTEP_TEST_OPTIMIZATION -O0)
endif()
function(signstep_test name)
  cmake_parse_arguments(ARG "LIBTORCH" "" "SOURCES;LINKS" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(test_${name} PRIVATE ${ARG_LINKS} GTest::gmock_main signstep_flags)
  if(ARG_LIBTORCH)
    target_compile_options(test_${name} PRIVATE -fPIC)  # as that header was built
    target_precompile_headers(test_${name} REUSE_FROM signstep_libtorch)
  else()
    # With -O1 g++ 12 sees std::string move beyond its end (GCC bug 105651).
    target_compile_options(test_${name} PRIVATE ${SIGNSTEP_TEST_OPTIMIZATION}
                           $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds;-Wno-stringop-overflow;-Wno-restrict>)
    target_precompile_headers(test_${name} REUSE_FROM test_precompiled)
  endif()
  add_test(NAME ${name} COMMAND test_${name} --gtest_brief=1)
endfunction()
