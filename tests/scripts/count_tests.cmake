# SPDX-License-Identifier: Apache-2.0
# cmake -DWORK=folder -P count_tests.cmake: what scripts/test prints last, of a log with every kind of end.
function(entry name output end)
  file(APPEND ${WORK}/log "1/9 Testing: ${name}\n1/9 Test: ${name}\nCommand: \"${name}\"\nOutput:\n----\n${output}\n"
                          "<end of output>\nTest time =   0.10 sec\n----\n${end}\n\"${name}\" end time: Nov 24\n")
endfunction()
file(MAKE_DIRECTORY ${WORK})
file(WRITE ${WORK}/log "Start testing\n")
entry(all_pass "[==========] 11 tests ran.\n[  PASSED  ] 11 tests." "Test Passed.")
entry(some_fail "[  PASSED  ] 5 tests.\n[  SKIPPED ] 1 test.\n[  FAILED  ] 2 tests, listed below:\n[  FAILED  ] A.B\n[  FAILED  ] A.C" "Test Failed.")
entry(all_skip "[  PASSED  ] 0 tests.\n[  SKIPPED ] 4 tests." "Test Pass Reason:\nSkip regular expression found in output.")
entry(crash "A.B: assertion" "Test Failed.")
entry(leak "[  PASSED  ] 3 tests.\nERROR: LeakSanitizer" "Test Failed.")
entry(example "f = 0" "Test Passed.")
entry(install "CMake Error" "Test Failed.")
entry(no_tool "Skipped" "Test Pass Reason:\nSkip regular expression found in output.")
entry(pytest_pass ".....\n7 passed, 2 skipped, 1 warning in 5.75s" "Test Passed.")
entry(pytest_fail "..F\n2 failed, 3 passed, 1 error in 71.02s (0:01:11)" "Test Failed.")
entry(pytest_no_tests "no tests ran in 0.01s" "Test Failed.")
execute_process(COMMAND awk -f ${CMAKE_CURRENT_LIST_DIR}/../../scripts/count-tests.awk ${WORK}/log
                OUTPUT_VARIABLE line OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
if(NOT line STREQUAL "30 passed, 9 failed, 8 skipped")
  message(FATAL_ERROR "wanted 30 passed, 9 failed, 8 skipped; got ${line}")
endif()
