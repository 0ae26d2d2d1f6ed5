# SPDX-License-Identifier: Apache-2.0
# LibTorch: Debian's, or PyTorch's own as PyPI and pytorch.org ship it (docs/using-from-cpp.md).

# signstep_find_libtorch(REQUIRED) is like find_package(Torch REQUIRED), and sets what it sets. Where CMAKE_PREFIX_PATH,
# Torch_ROOT or Torch_DIR leads to a PyTorch of PyPI, its CMake files are not asked: they want a CUDA toolkit, and take
# Debian's libraries to their own headers where both are installed.
macro(signstep_find_libtorch)
  set(signstep_torch_roots)
  string(REPLACE ":" ";" signstep_path_variable "$ENV{CMAKE_PREFIX_PATH}")
  # torch.utils.cmake_prefix_path is share/cmake, and Torch_DIR share/cmake/Torch.
  foreach(signstep_path IN LISTS Torch_DIR Torch_ROOT CMAKE_PREFIX_PATH signstep_path_variable)
    list(APPEND signstep_torch_roots ${signstep_path} ${signstep_path}/../.. ${signstep_path}/../../..)
  endforeach()
  list(APPEND signstep_torch_roots $ENV{Torch_ROOT} ${signstep_torch_built_with})  # an installed signstep says the last
  # Sought anew where other places are named than the ones that it was found by.
  if(DEFINED SIGNSTEP_TORCH_ROOTS AND NOT "${SIGNSTEP_TORCH_ROOTS}" STREQUAL "${signstep_torch_roots}")
    unset(SIGNSTEP_TORCH_ROOT CACHE)
  endif()
  set(SIGNSTEP_TORCH_ROOTS "${signstep_torch_roots}" CACHE INTERNAL "Where SIGNSTEP_TORCH_ROOT was sought")
  find_path(SIGNSTEP_TORCH_ROOT lib/libtorch_cpu.so HINTS ${signstep_torch_roots} NO_DEFAULT_PATH)
  if(SIGNSTEP_TORCH_ROOT)
    get_filename_component(TORCH_INSTALL_PREFIX ${SIGNSTEP_TORCH_ROOT} REALPATH)
    file(READ ${TORCH_INSTALL_PREFIX}/share/cmake/Torch/TorchConfigVersion.cmake signstep_torch_text)
    string(REGEX MATCH "PACKAGE_VERSION \"([0-9.]+)" signstep_torch_text "${signstep_torch_text}")
    set(Torch_VERSION ${CMAKE_MATCH_1})
    file(READ ${TORCH_INSTALL_PREFIX}/share/cmake/Torch/TorchConfig.cmake signstep_torch_text)
    if(signstep_torch_text MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
      message(FATAL_ERROR "PyTorch ${Torch_VERSION} in ${TORCH_INSTALL_PREFIX} was built with the C++ ABI of GCC 4, which no other "
                          "library here has; PyPI's from 2.7 on has today's, as has pytorch.org's \"cxx11 ABI\"")
    endif()
    set(TORCH_FOUND TRUE)
    set(TORCH_CXX_FLAGS "")
    set(TORCH_INCLUDE_DIRS ${TORCH_INSTALL_PREFIX}/include ${TORCH_INSTALL_PREFIX}/include/torch/csrc/api/include)
    if(EXISTS ${TORCH_INSTALL_PREFIX}/include/fmt)  # of another version than the library that we link: ours comes first
      find_package(fmt REQUIRED)  # by its target: CMAKE_PREFIX_PATH would lead to PyTorch's
      get_target_property(SIGNSTEP_FMT fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
      set(signstep_shadow ${CMAKE_CURRENT_BINARY_DIR}/before_torch)
      file(MAKE_DIRECTORY ${signstep_shadow})
      file(CREATE_LINK ${SIGNSTEP_FMT}/fmt ${signstep_shadow}/fmt SYMBOLIC)
      list(PREPEND TORCH_INCLUDE_DIRS ${signstep_shadow})
    endif()
    # The C++ library first: PyTorch's show symbols of a part of one of their own (2.11: std::filesystem), which crash.
    set(TORCH_LIBRARIES stdc++ -Wl,--no-as-needed ${TORCH_INSTALL_PREFIX}/lib/libtorch.so -Wl,--as-needed
                        ${TORCH_INSTALL_PREFIX}/lib/libtorch_cpu.so ${TORCH_INSTALL_PREFIX}/lib/libc10.so)
    set(SIGNSTEP_TORCH_CUDA_LIBRARIES)
    if(EXISTS ${TORCH_INSTALL_PREFIX}/lib/libtorch_cuda.so)
      set(SIGNSTEP_TORCH_CUDA_LIBRARIES ${TORCH_INSTALL_PREFIX}/lib/libtorch_cuda.so ${TORCH_INSTALL_PREFIX}/lib/libc10_cuda.so)
      list(APPEND TORCH_LIBRARIES ${SIGNSTEP_TORCH_CUDA_LIBRARIES})
    endif()
    message(STATUS "PyTorch ${Torch_VERSION} in ${TORCH_INSTALL_PREFIX}")
  else()
    find_package(Torch ${ARGN})
  endif()
endmacro()

# SIGNSTEP_TORCH_WITH_CUDA: whether PyTorch is a CUDA build (2.1 or later: CUDAGraph::capture_begin takes a mode), and the
# toolkit's headers, which its own include, are there.
# SIGNSTEP_NCCL: the folder of nccl.h, which it does not bring everywhere.
macro(signstep_find_torch_cuda)
  find_package(CUDAToolkit REQUIRED)  # which nvcc comes with
  if(SIGNSTEP_TORCH_CUDA_LIBRARIES AND Torch_VERSION VERSION_GREATER_EQUAL 2.1)
    set(SIGNSTEP_TORCH_WITH_CUDA ON)
    if(EXISTS ${TORCH_INSTALL_PREFIX}/include/torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp)
      find_path(SIGNSTEP_NCCL nccl.h HINTS ${TORCH_INSTALL_PREFIX}/../nvidia/nccl/include ${CUDAToolkit_INCLUDE_DIRS})
    endif()
  endif()
endmacro()

# Lets whoever links an interface target use it. Its headers are system headers: their warnings are not ours.
function(signstep_use_libtorch target)
  separate_arguments(flags NATIVE_COMMAND "${TORCH_CXX_FLAGS}")
  target_compile_options(${target} INTERFACE ${flags})
  target_include_directories(${target} SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(${target} INTERFACE ${TORCH_LIBRARIES})
endfunction()
