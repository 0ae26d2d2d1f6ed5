// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace signstep {

// A child process that is talked to line by line. Ends with the object: its standard input is closed, then it is waited for.
class Subprocess {
 public:
  explicit Subprocess(const std::vector<std::string>& command);  // throws EnvironmentError
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  void write_line(const std::string& line);
  std::string read_line();  // throws EnvironmentError when the child ended

 private:
  std::string name_;
  pid_t child_ = -1;
  int to_ = -1, from_ = -1;
  std::string pending_;
};

}  // namespace signstep
