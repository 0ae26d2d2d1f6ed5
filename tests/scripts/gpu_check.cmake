# SPDX-License-Identifier: Apache-2.0
# cmake -DSOURCE=folder -DWORK=folder -P gpu_check.cmake: scripts/gpu-check packs into no folder of others.
file(REMOVE_RECURSE ${WORK})
file(WRITE ${WORK}/others/python/script.py "mine")
execute_process(COMMAND bash ${SOURCE}/scripts/gpu-check --pack ${WORK}/others RESULT_VARIABLE seen ERROR_VARIABLE text)
if(NOT seen EQUAL 2 OR NOT text MATCHES "was not packed by this script")
  message(FATAL_ERROR "gpu-check ended with ${seen}, wanted 2: ${text}")
endif()
if(NOT EXISTS ${WORK}/others/python/script.py)
  message(FATAL_ERROR "gpu-check removed another's file")
endif()
