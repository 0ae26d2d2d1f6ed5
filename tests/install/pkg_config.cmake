# SPDX-License-Identifier: Apache-2.0
# cmake -DBUILD=build -DWORK=folder -DCXX=g++ [-DCXX_FLAGS=...] -P pkg_config.cmake
# Installs BUILD, moves the prefix, and builds a program with what pkg-config says about it.
find_program(pkg_config NAMES pkg-config pkgconf)
if(NOT pkg_config)
  message("install_pkg_config: Skipped\npkg-config is not installed, so signstep's .pc files were NOT checked; install pkgconf")
  return()
endif()
file(REMOVE_RECURSE ${WORK})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first --component development
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${WORK}/first ${WORK}/moved)
file(GLOB_RECURSE files ${WORK}/moved/signstep-*.pc)
file(GLOB_RECURSE libraries ${WORK}/moved/libsignstep_*.a)
list(FILTER libraries EXCLUDE REGEX libsignstep_libtorch)
list(LENGTH files file_count)
list(LENGTH libraries library_count)
if(file_count EQUAL 0 OR NOT file_count EQUAL library_count)
  message(FATAL_ERROR "wanted a .pc file for each of ${libraries}; got: ${files}")
endif()
list(GET files 0 first)
cmake_path(GET first PARENT_PATH folder)
set(ENV{PKG_CONFIG_PATH} ${folder})

# The CUDA kernels are a shared library of their component's name, which must not be taken for it.
foreach(library IN LISTS libraries)
  string(REGEX REPLACE "a$" "so" shared ${library})
  if(NOT EXISTS ${shared})
    file(WRITE ${shared} "no library")
  endif()
endforeach()

set(names ${files})
list(TRANSFORM names REPLACE ".*/(.*).pc" "\\1")
function(build program)
  execute_process(COMMAND ${pkg_config} --cflags --libs ${ARGN} OUTPUT_VARIABLE flags COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags NATIVE_COMMAND "${flags}")
  execute_process(COMMAND ${CXX} -std=c++20 ${CXX_FLAGS} ${CMAKE_CURRENT_LIST_DIR}/../../examples/quadratic.cc ${before}
                          ${flags} -o ${WORK}/${program} COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${WORK}/${program} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
build(optim signstep-optim)
# Every object of every library: whatever one of them needs must be among the flags.
set(before -Wl,--whole-archive ${libraries} -Wl,--no-whole-archive)
build(all ${names})

# signstep.h, from C: the installed library, where the build was not a sanitizer's.
if(NOT CXX_FLAGS)
  execute_process(COMMAND ${pkg_config} --cflags --libs signstep OUTPUT_VARIABLE flags COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags NATIVE_COMMAND "${flags}")
  execute_process(COMMAND ${CC} -std=c99 ${CMAKE_CURRENT_LIST_DIR}/../../examples/c_quadratic.c ${flags}
                          -Wl,-rpath,${folder}/.. -o ${WORK}/c COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${WORK}/c COMMAND_ERROR_IS_FATAL ANY)
endif()
