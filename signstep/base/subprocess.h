// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace signstep {

// A child process that is talked to line by line. It is in a process group of its own, so that Ctrl-C reaches the
// parent alone, and the system kills it when the parent is gone.
class Subprocess {
 public:
  enum class Errors { kPass, kJoin };  // its standard error: where ours goes, or among the lines of its standard output

  explicit Subprocess(const std::vector<std::string>& command,
                      Errors errors = Errors::kPass);  // throws EnvironmentError
  // Closes the child's standard input, then waits for its end: at most kFarewell, in which what it still says is read
  // and dropped (a closed pipe would end it in the middle of its work), then kills it.
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;
  static constexpr auto kFarewell = std::chrono::seconds(10);

  void write_line(const std::string& line);  // throws EnvironmentError when the child no longer reads
  // Throws EnvironmentError when the child ended; its last line need not end with a newline.
  std::string read_line();

  // Appends the lines that are there, without waiting. False once the child closed its output; what stood after the
  // last newline is a line too then.
  bool read_available(std::vector<std::string>& lines);
  int descriptor() const { return from_; }  // for poll()
  void signal(int number) const;
  // Waits for the end: the exit code, or 128 + the number of the signal that ended it.
  int wait();

 private:
  bool take_line(std::string& line);
  bool take_rest(std::string& line);

  std::string name_;
  pid_t child_ = -1;
  int to_ = -1, from_ = -1;
  std::string pending_;
};

}  // namespace signstep
