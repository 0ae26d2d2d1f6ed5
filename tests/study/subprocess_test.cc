// SPDX-License-Identifier: Apache-2.0
#include "signstep/study/subprocess.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "signstep/core/error.h"
#include "tests/support/message_of.h"

namespace signstep {
namespace {

using testing::ElementsAre;

std::vector<std::string> all_lines(Subprocess& process) {
  std::vector<std::string> lines;
  while (process.read_available(lines)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  return lines;
}

TEST(SubprocessTest, TalksLineByLine) {
  Subprocess cat({"cat"});
  cat.write_line("one");
  EXPECT_EQ(cat.read_line(), "one");
}

TEST(SubprocessTest, JoinsErrorsAndGivesTheExitCode) {
  Subprocess shell({"sh", "-c", "echo out; echo err >&2; exit 3"}, Subprocess::Errors::kJoin);
  EXPECT_THAT(all_lines(shell), ElementsAre("out", "err"));
  EXPECT_EQ(shell.wait(), 3);
  Subprocess killed({"sleep", "100"});
  killed.signal(SIGKILL);
  EXPECT_EQ(killed.wait(), 128 + SIGKILL);
}

TEST(SubprocessTest, AProgramThatIsNotThere) {
  EXPECT_THAT(message_of<EnvironmentError>([] { Subprocess missing({"/nowhere/program"}); }),
              testing::HasSubstr("cannot start /nowhere/program: No such file"));
}

TEST(SubprocessTest, DiesWithItsParent) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {  // holds the pipe's writing end open only through its child
    ::dup2(ready[1], STDERR_FILENO);
    Subprocess child({"sh", "-c", "echo started; exec sleep 100"});
    child.read_line();
    ::raise(SIGKILL);
  }
  ::close(ready[1]);
  ::waitpid(parent, nullptr, 0);
  char byte;
  EXPECT_EQ(::read(ready[0], &byte, 1), 0);  // the end of file comes when the last holder, the sleep, is gone
  ::close(ready[0]);
}

}  // namespace
}  // namespace signstep
