// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signstep {

// A child process that is talked to line by line, or all at once. It is in a process group of its own, so that Ctrl-C
// reaches the parent alone, and the system kills it when the thread that made it ends, and so when the parent does.
// What asks for its end throws EnvironmentError where SIGCHLD is ignored, which hides it.
class Subprocess {
 public:
  // Its standard error: where ours goes, among the lines of its standard output, or apart, for communicate() alone.
  enum class Errors { kPass, kJoin, kApart };

  // environment: in the place of our variables of these names. Throws EnvironmentError.
  explicit Subprocess(const std::vector<std::string>& command, Errors errors = Errors::kPass,
                      const std::map<std::string, std::string>& environment = {});
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

  struct Ended {
    int exit_code = 0;    // as wait() gives it
    bool in_time = true;  // false: it was killed at the limit, with all that it started
    std::string output, errors;
  };
  // Gives the child the text as its standard input and closes that, takes all that it says, and waits for its end. A
  // child that does not read its input to the end is no error.
  Ended communicate(std::string_view input, std::chrono::milliseconds limit);
  pid_t id() const { return child_; }  // -1 once its end was seen
  void signal(int number) const;
  std::optional<int> ended();  // what wait() returns, where it need not wait
  // Waits for the end: the exit code, or 128 + the number of the signal that ended it.
  int wait();

 private:
  bool take_line(std::string& line);
  bool take_rest(std::string& line);

  std::string name_;
  pid_t child_ = -1;
  int to_ = -1, from_ = -1, errors_ = -1;
  std::string pending_;
};

}  // namespace signstep
