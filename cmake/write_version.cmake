# SPDX-License-Identifier: Apache-2.0
# Run at build time: writes version.cc, and touches it only when the commit changed.
cmake_minimum_required(VERSION 3.25)
# In a folder of somebody else's repository, a release unpacked there, git would name that one's commit.
execute_process(COMMAND git -C ${SOURCE} rev-parse --show-prefix
                OUTPUT_VARIABLE inside OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=10 --exclude=*
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed OR commit STREQUAL "" OR NOT inside STREQUAL "")
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#include \"signstep/base/version.h\"
namespace signstep {
const char* version() { return \"@VERSION@\"; }
const char* commit() { return \"@commit@\"; }
}  // namespace signstep
" @ONLY)
