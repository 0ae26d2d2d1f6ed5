# SPDX-License-Identifier: Apache-2.0
# Lets whoever links an interface target use the LibTorch that find_package(Torch) found. Its headers are system headers:
# their warnings are not ours.
function(signstep_use_libtorch target)
  separate_arguments(flags NATIVE_COMMAND "${TORCH_CXX_FLAGS}")
  target_compile_options(${target} INTERFACE ${flags})
  target_include_directories(${target} SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(${target} INTERFACE ${TORCH_LIBRARIES})
endfunction()
