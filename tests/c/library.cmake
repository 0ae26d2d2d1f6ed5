# SPDX-License-Identifier: Apache-2.0
# cmake -DLIBRARY=libsignstep.so -DNM=nm -DREADELF=readelf -P library.cmake
# libsignstep.so needs libc's and the compiler's own libraries alone, has a version in its name, and shows signstep_*.
execute_process(COMMAND ${READELF} -d ${LIBRARY} OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "NEEDED[^\n]*\\[[^]]*\\]" needed "${dynamic}")
list(LENGTH needed count)
if(count EQUAL 0 OR NOT dynamic MATCHES "SONAME[^\n]*\\[libsignstep\\.so\\.0\\]")
  message(FATAL_ERROR "wanted libraries that are needed, and the name libsignstep.so.0; readelf says: ${dynamic}")
endif()
foreach(library IN LISTS needed)
  if(NOT library MATCHES "\\[(libc|libm|libstdc\\+\\+|libgcc_s|libpthread|ld-linux[-a-z0-9_]*)\\.so")
    message(FATAL_ERROR "wanted libc, libm, libstdc++ and libgcc_s alone; got: ${library}")
  endif()
endforeach()

execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[0-9a-f]+ [A-Z] [^\n]+" symbols "${symbols}")
set(functions 0)
foreach(symbol IN LISTS symbols)
  if(symbol MATCHES " T signstep_[a-z_]+@@SIGNSTEP_0$")
    math(EXPR functions "${functions} + 1")
  elseif(NOT symbol MATCHES " A SIGNSTEP_0$")
    message(FATAL_ERROR "wanted functions signstep_* alone; got: ${symbol}")
  endif()
endforeach()

# Every function that the header declares is there.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../../signstep/c/signstep.h declared REGEX "^SIGNSTEP_API ")
list(LENGTH declared wanted)
if(NOT functions EQUAL wanted)
  message(FATAL_ERROR "signstep.h declares ${wanted} functions, the library has ${functions}")
endif()
