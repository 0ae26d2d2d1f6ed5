// SPDX-License-Identifier: Apache-2.0
// Independent readers of our files, in Python.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"

namespace signstep {

// Debian's own, which has Debian's modules.
inline std::string python() { return std::filesystem::exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3"; }

inline bool python_has(const std::string& modules) {
  return std::system(fmt::format("{} -c 'import {}' > /dev/null 2>&1", python(), modules).c_str()) == 0;
}

struct PythonResult {
  int status;
  std::string output, errors;
};

// Arguments without quotes in them. scratch: a folder for what it says.
inline PythonResult run_python(const std::string& script, const std::vector<std::string>& arguments,
                               const std::string& scratch, const std::string& interpreter = python()) {
  const std::string out = scratch + "/python-out", err = scratch + "/python-err";
  const std::string command =
      fmt::format("{} '{}' '{}' > '{}' 2> '{}'", interpreter, script, fmt::join(arguments, "' '"), out, err);
  const int status = std::system(command.c_str());
  return {status, read_text_file(out), read_text_file(err)};
}

}  // namespace signstep
