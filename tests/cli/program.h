// SPDX-License-Identifier: Apache-2.0
// Runs the built program as a user does.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "signstep/io/atomic_file.h"
#include "tests/data/fixtures.h"

namespace signstep {

// Started at construction, output (standard and error) collected in a file.
class Program {
 public:
  Program(const TemporaryFolder& folder, std::vector<std::string> arguments)
      : log_(folder.path("output-" + std::to_string(++count_))) {
    arguments.insert(arguments.begin(), SIGNSTEP_PROGRAM);
    child_ = ::fork();
    if (child_ != 0) return;
    const int fd = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    std::vector<char*> argv;
    for (std::string& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }

  void signal(int number) const { ::kill(child_, number); }

  // The exit code; 128 + the number of the signal that ended it.
  int wait() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  std::string output() const { return read_text_file(log_); }

  // Waits until the output holds the text, at most a minute.
  bool saw(const std::string& text) const {
    for (int i = 0; i < 6000; ++i) {
      if (::access(log_.c_str(), R_OK) == 0 && output().find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

 private:
  static inline int count_ = 0;
  std::string log_;
  pid_t child_;
};

}  // namespace signstep
