# SPDX-License-Identifier: Apache-2.0
# cmake -DBUILD=build -DWORK=folder -DCOMPONENTS=core+optim [-DCXX_FLAGS=...] -P consume.cmake
# Installs BUILD, moves the prefix, builds and runs a consumer of COMPONENTS, then asks for what is not there.
set(source ${CMAKE_CURRENT_LIST_DIR})
set(prefix ${WORK}/moved)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Configures a consumer that must fail, with a message that matches. CMake breaks lines where it likes.
function(expect_message regex)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${source} -B ${WORK}/refused -DCMAKE_PREFIX_PATH=${prefix} ${ARGN}
                  OUTPUT_QUIET ERROR_VARIABLE error RESULT_VARIABLE failed)
  string(REGEX REPLACE "[ \n]+" " " error "${error}")
  if(NOT failed OR NOT error MATCHES "${regex}")
    message(FATAL_ERROR "wanted a message with '${regex}'; got ${failed}: ${error}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first --component development)
file(RENAME ${WORK}/first ${prefix})
run(${CMAKE_COMMAND} -S ${source} -B ${WORK}/build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH=${prefix}
    -DINSTALLED=${prefix} -DCOMPONENTS=${COMPONENTS} -DCMAKE_CXX_FLAGS=${CXX_FLAGS})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/example)

expect_message("no component 'optimizer' is installed in .*; there are: .*core.*optim" -DCOMPONENTS=optimizer)
file(GLOB files ${prefix}/lib*/cmake/signstep/signstep-libtorch*)
if(files)
  file(REMOVE ${files})  # as an installation without LibTorch
endif()
expect_message("no component 'libtorch' .* built without LibTorch" -DCOMPONENTS=libtorch)
file(GLOB version ${prefix}/lib*/cmake/signstep/signstepConfigVersion.cmake)
file(READ ${version} text)
string(REPLACE "0.1" "0.2" text "${text}")
file(WRITE ${version} "${text}")
expect_message("compatible with requested version \"0.1\"" -DCOMPONENTS=core)
