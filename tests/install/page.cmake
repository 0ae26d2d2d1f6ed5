# SPDX-License-Identifier: Apache-2.0
# cmake -DBUILD=build -DWORK=folder -DGENERATOR=Ninja -DCONFIG=Release -P page.cmake
# The CMakeLists.txt in docs/using-from-cpp.md, as it stands there, builds the example that it names against an
# installation of BUILD.
set(top ${CMAKE_CURRENT_LIST_DIR}/../..)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(READ ${top}/docs/using-from-cpp.md page)
string(REGEX MATCH "\n\n(    cmake_minimum_required[^\n]*\n(    [^\n]*\n)+)" shown "${page}")
if(NOT shown MATCHES "signstep::libtorch")
  message(FATAL_ERROR "wanted a CMakeLists.txt for signstep::libtorch in docs/using-from-cpp.md, indented by 4; got '${shown}'")
endif()
string(REGEX REPLACE "\n    " "\n" shown "${shown}")

file(REMOVE_RECURSE ${WORK})
file(WRITE ${WORK}/mine/CMakeLists.txt "${shown}")
file(COPY_FILE ${top}/examples/torch_loop.cc ${WORK}/mine/main.cc)
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix --component development)
run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${WORK}/mine -B ${WORK}/build -DCMAKE_BUILD_TYPE=${CONFIG}
    -DCMAKE_PREFIX_PATH=${WORK}/prefix)
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/mine)
