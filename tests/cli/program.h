// SPDX-License-Identifier: Apache-2.0
// Runs the built program as a user does.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "signstep/base/subprocess.h"
#include "tests/data/fixtures.h"

namespace signstep {

// Started at construction, what it says (standard output and error) collected.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments)
      : process_(command(std::move(arguments)), Subprocess::Errors::kJoin) {}

  pid_t id() const { return process_.id(); }
  void signal(int number) const { process_.signal(number); }

  // The exit code; 128 + the number of the signal that ended it.
  int wait() {
    while (listen()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return process_.wait();
  }

  const std::string& output() const { return output_; }

  // Waits until the output holds the text, at most a minute.
  bool saw(const std::string& text) {
    for (int i = 0; i < 6000; ++i) {
      const bool open = listen();
      if (output_.find(text) != std::string::npos) return true;
      if (!open) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

 private:
  static std::vector<std::string> command(std::vector<std::string> arguments) {
    std::signal(SIGHUP, SIG_DFL);  // the program inherits it, and keeps to nohup where the tests run under that
    arguments.insert(arguments.begin(), SIGNSTEP_PROGRAM);
    return arguments;
  }

  // Takes the lines that are there; false at the end.
  bool listen() {
    std::vector<std::string> lines;
    const bool open = process_.read_available(lines);
    for (const std::string& line : lines) output_ += line + "\n";
    return open;
  }

  Subprocess process_;
  std::string output_;
};

// A test of commands, with a folder of its own.
class ProgramTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_.path(name); }
  // Runs to the end and expects the exit code; gives what was printed.
  std::string run(int code, const std::vector<std::string>& arguments) const {
    Program program(arguments);
    EXPECT_EQ(program.wait(), code) << program.output();
    return program.output();
  }
  TemporaryFolder folder_;
};

}  // namespace signstep
