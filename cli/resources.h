// SPDX-License-Identifier: Apache-2.0
// How the program ends where memory, a thread or a disk cannot be had, libraries' own ways included.
#pragma once

namespace signstep::cli {

inline constexpr const char* kOutOfMemory =
    "out of memory; lower --batch, --width or --threads, or raise the limit (ulimit -v, or the batch system's)";

// A reader that went away and a file that grew too long become failed writes; missing standard streams become
// /dev/null, so that no file of a run takes their place. What a library does when memory is out (exit, terminate, use
// of a null pointer) ends with one message and exit code 5.
void prepare_process();

// Flushes and ends at once. Code 0 becomes 5 where standard output could not be written. Exit handlers of libraries are
// passed over: under a memory limit some of them never return.
[[noreturn]] void leave(int code);

}  // namespace signstep::cli
