# SPDX-License-Identifier: Apache-2.0
# cmake -DNVCC=nvcc "-DOPTIONS=as the library's" -DSOURCE=tree -DWORK=folder -P ptx.cmake
# What nvcc makes of the kernels is IEEE arithmetic: nothing contracted in double, where contraction would show first, nothing
# approximate, nothing flushed to zero; float has fused operations in the dither's filter alone, which holds 6 in a row.
file(MAKE_DIRECTORY ${WORK})
execute_process(COMMAND ${NVCC} -std=c++20 ${OPTIONS} -arch=compute_80 -ptx -I${SOURCE}
                        ${SOURCE}/signstep/cuda/device/kernels.cu -o ${WORK}/kernels.ptx COMMAND_ERROR_IS_FATAL ANY)
file(STRINGS ${WORK}/kernels.ptx wrong REGEX "(fma|mad)\\.[a-z.]*f64|mad\\.[a-z.]*f32|\\.approx|\\.ftz|div\\.full")
if(wrong)
  list(GET wrong 0 first)
  message(FATAL_ERROR "the kernels hold an operation that is not IEEE's own: ${first}")
endif()
file(STRINGS ${WORK}/kernels.ptx divisions REGEX "div\\.rn\\.f(32|64)")
file(STRINGS ${WORK}/kernels.ptx fused REGEX "fma\\.rn\\.f32")
list(LENGTH fused count)
math(EXPR rest "${count} % 6")
if(NOT divisions OR count EQUAL 0 OR NOT rest EQUAL 0)
  message(FATAL_ERROR "wanted divisions, and fused operations by sixes; got ${count} fused ones")
endif()
