# SPDX-License-Identifier: Apache-2.0
# cmake -DBUILD=build -DWORK=folder -DGENERATOR=Ninja -DCONFIG=Release -DCOMPONENTS=kernels+optim [-DCXX_FLAGS=...] -P consume.cmake
# Installs BUILD, moves the prefix, builds and runs a consumer of COMPONENTS, then asks for what is not there.
set(source ${CMAKE_CURRENT_LIST_DIR})
set(prefix ${WORK}/moved)
# The generator is that of the build: a machine may have Ninja and no make, which CMake would choose.
set(configure ${CMAKE_COMMAND} -G ${GENERATOR} -DCMAKE_BUILD_TYPE=${CONFIG} -DCMAKE_PREFIX_PATH=${prefix} -S ${source})

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Configures a consumer that must fail, with a message that matches. CMake breaks lines where it likes.
function(expect_message regex)
  execute_process(COMMAND ${configure} -B ${WORK}/refused ${ARGN}
                  OUTPUT_QUIET ERROR_VARIABLE error RESULT_VARIABLE failed)
  string(REGEX REPLACE "[ \n]+" " " error "${error}")
  if(NOT failed OR NOT error MATCHES "${regex}")
    message(FATAL_ERROR "wanted a message with '${regex}'; got ${failed}: ${error}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first --component development)
file(RENAME ${WORK}/first ${prefix})
run(${configure} -B ${WORK}/build -DINSTALLED=${prefix} -DCOMPONENTS=${COMPONENTS} -DCMAKE_CXX_FLAGS=${CXX_FLAGS})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/example)

# Without COMPONENTS: everything but LibTorch, which is not even looked for.
file(WRITE ${WORK}/plain/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)\nproject(plain LANGUAGES CXX)
find_package(signstep 0.1 REQUIRED)
if(NOT TARGET signstep::nn OR NOT TARGET signstep::theory OR TARGET signstep::libtorch OR DEFINED Torch_FOUND)
  message(FATAL_ERROR \"wanted all components but libtorch\")
endif()\n")
run(${configure} -S ${WORK}/plain -B ${WORK}/plain/build)
# What an optional component lacks is no matter of the others.
file(WRITE ${WORK}/optional/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)\nproject(optional LANGUAGES CXX)
find_package(signstep 0.1 REQUIRED COMPONENTS optim OPTIONAL_COMPONENTS data nothing)
if(NOT TARGET signstep::optim OR TARGET signstep::data OR signstep_data_FOUND OR signstep_nothing_FOUND)
  message(FATAL_ERROR \"wanted optim alone\")
endif()\n")
run(${configure} -S ${WORK}/optional -B ${WORK}/optional/build -DCMAKE_DISABLE_FIND_PACKAGE_JPEG=ON)
expect_message("component 'data' needs the package JPEG" -DCOMPONENTS=data -DCMAKE_DISABLE_FIND_PACKAGE_JPEG=ON)
file(GLOB license ${prefix}/share/doc/signstep/LICENSE)
if(NOT license)
  message(FATAL_ERROR "LICENSE is not installed")
endif()

expect_message("no component 'optimizer' is installed in .*; there are: .*kernels.*optim" -DCOMPONENTS=optimizer)
file(GLOB files ${prefix}/lib*/cmake/signstep/signstep-libtorch*)
if(files)
  file(REMOVE ${files})  # as an installation without LibTorch
endif()
expect_message("no component 'libtorch' .* built without LibTorch" -DCOMPONENTS=libtorch)
file(GLOB version ${prefix}/lib*/cmake/signstep/signstepConfigVersion.cmake)
file(READ ${version} text)
string(REPLACE "0.1" "0.2" text "${text}")
file(WRITE ${version} "${text}")
expect_message("compatible with requested version \"0.1\"" -DCOMPONENTS=kernels)
