# SPDX-License-Identifier: Apache-2.0
# cmake -DPACKAGE=build/python -DWORK=folder -P run.cmake
# The package's tests by the interpreter that SIGNSTEP_PYTHON names, else by Debian's.
set(python $ENV{SIGNSTEP_PYTHON})
if(NOT python)
  set(python /usr/bin/python3)
endif()
foreach(module IN ITEMS torch pytest)
  execute_process(COMMAND ${python} -c "import ${module}" RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  if(failed)
    message("python: Skipped\n${python} has no ${module}, so the Python package was NOT tested; install python3-${module}")
    return()
  endif()
endforeach()
set(ENV{PYTHONPATH} ${PACKAGE})
set(ENV{PYTHONDONTWRITEBYTECODE} 1)
if(EXISTS "${EMULATED}")  # the CUDA kernels in loops on the CPU
  set(ENV{SIGNSTEP_CUDA_EMULATED} ${EMULATED})
endif()
execute_process(COMMAND ${python} -m pytest -q -rs -p no:cacheprovider ${CMAKE_CURRENT_LIST_DIR}
                WORKING_DIRECTORY ${WORK} COMMAND_ERROR_IS_FATAL ANY)
