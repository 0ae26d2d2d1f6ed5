// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/subprocess.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "signstep/base/error.h"
#include "tests/support/environment.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

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

TEST(SubprocessTest, SaysWhetherItHasEnded) {
  Subprocess child({"sh", "-c", "read line; exit 7"});
  EXPECT_EQ(child.ended(), std::nullopt);
  child.write_line("");
  std::optional<int> code;
  while (!(code = child.ended())) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(code, 7);
  EXPECT_EQ(child.ended(), std::nullopt) << "said once";
}

TEST(SubprocessTest, HasVariablesOfItsOwn) {
  const EnvironmentVariable ours("SIGNSTEP_TEST_VARIABLE", "ours"), other("SIGNSTEP_TEST_OTHER", "kept");
  Subprocess child({"sh", "-c", "echo $SIGNSTEP_TEST_VARIABLE $SIGNSTEP_TEST_OTHER"}, Subprocess::Errors::kPass,
                   {{"SIGNSTEP_TEST_VARIABLE", "a=b"}});
  EXPECT_EQ(child.read_line(), "a=b kept");
}

TEST(SubprocessTest, TheLastLineNeedsNoNewline) {
  Subprocess shell({"printf", "one\\ntwo"});
  EXPECT_THAT(all_lines(shell), ElementsAre("one", "two"));
  Subprocess again({"printf", "only"});
  EXPECT_EQ(again.read_line(), "only");
  EXPECT_THAT(message_of<EnvironmentError>([&] { again.read_line(); }), testing::HasSubstr("ended without an answer"));
}

// A child that is let go while it still talks: a closed pipe would end it before its work is done.
TEST(SubprocessTest, IsHeardOutBeforeItsPipeCloses) {
  const TemporaryFolder folder;
  {
    Subprocess shell({"sh", "-c",
                      "read x; i=0; while [ $i -lt 3000 ]; do echo much to say; i=$((i+1)); done; echo > \"$0\"",
                      folder.path("done")});
  }
  EXPECT_TRUE(std::filesystem::exists(folder.path("done")));
}

TEST(SubprocessTest, NoDescriptorIsLost) {
  const auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto before = open_files();
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlim_t soft = limit.rlim_cur;
  // Room for the first pipe and half of the second.
  const int next = ::dup(0);
  ::close(next);
  limit.rlim_cur = static_cast<rlim_t>(next) + 3;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  const std::string message = message_of<EnvironmentError>([] { Subprocess cat({"cat"}); });
  limit.rlim_cur = soft;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_THAT(message, testing::HasSubstr("cannot open a pipe to cat"));
  EXPECT_THROW(Subprocess missing({"/nowhere/program"}), EnvironmentError);
  EXPECT_EQ(open_files(), before);
}

TEST(SubprocessTest, AProgramThatIsNotThere) {
  EXPECT_THAT(message_of<EnvironmentError>([] { Subprocess missing({"/nowhere/program"}); }),
              testing::HasSubstr("cannot start /nowhere/program: No such file"));
}

// More than a pipe holds, in all three directions at once.
TEST(SubprocessTest, TakesAndGivesMuchWithoutStanding) {
  const std::string much(300000, 'x');
  Subprocess shell({"sh", "-c", "cat; head -c 200000 /dev/zero | tr '\\0' e >&2; exit 4"}, Subprocess::Errors::kApart);
  const Subprocess::Ended ended = shell.communicate(much, std::chrono::minutes(1));
  EXPECT_EQ(ended.exit_code, 4);
  EXPECT_TRUE(ended.in_time);
  EXPECT_EQ(ended.output, much);
  EXPECT_EQ(ended.errors, std::string(200000, 'e'));
  Subprocess deaf({"sh", "-c", "echo done"});
  EXPECT_EQ(deaf.communicate(much, std::chrono::minutes(1)).output, "done\n");
}

TEST(SubprocessTest, IsKilledAtTheLimitWithWhatItStarted) {
  Subprocess shell({"sh", "-c", "echo before; sleep 100"}, Subprocess::Errors::kApart);
  const Subprocess::Ended ended = shell.communicate("", std::chrono::milliseconds(300));
  EXPECT_FALSE(ended.in_time);
  EXPECT_EQ(ended.exit_code, 128 + SIGKILL);
  EXPECT_EQ(ended.output, "before\n");
}

// Sent as soon as there is a process, which may not be the program yet and has copies of our handlers.
TEST(SubprocessTest, ASignalOnItsWayIsNotLost) {
  const auto before = std::signal(SIGTERM, [](int) {});
  for (int i = 0; i < 60; ++i) {
    std::thread killer([] {
      const std::string children = fmt::format("/proc/{0}/task/{0}/children", ::getpid());
      pid_t child = 0;
      while (child == 0) std::ifstream(children) >> child;
      ::kill(child, SIGTERM);
    });
    Subprocess child({"sleep", "5"});
    killer.join();
    EXPECT_EQ(child.wait(), 143) << i;
  }
  std::signal(SIGTERM, before);
}

// As a parent may have left it: the system then forgets how children end, which must not look like success.
TEST(SubprocessTest, AnEndThatCannotBeSeenIsAnError) {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  Subprocess waited({"sh", "-c", "exit 3"}), talked({"sh", "-c", "exit 3"});
  EXPECT_THAT(message_of<EnvironmentError>([&] { waited.wait(); }), testing::HasSubstr("SIGCHLD"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { talked.communicate("", std::chrono::minutes(1)); }),
              testing::HasSubstr("SIGCHLD"));
  std::signal(SIGCHLD, before);
}

// A child that no longer reads is an error, and the host's own handling of SIGPIPE stays what it was.
TEST(SubprocessTest, APipeWithoutReaderEndsNobody) {
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  Subprocess deaf({"sh", "-c", "exec <&-; echo closed; exec sleep 100"});
  EXPECT_EQ(deaf.read_line(), "closed");
  EXPECT_THAT(message_of<EnvironmentError>([&] { deaf.write_line("hello"); }), testing::HasSubstr("cannot talk to"));
  deaf.signal(SIGKILL);
  EXPECT_EQ(std::signal(SIGPIPE, before), SIG_DFL);
}

TEST(SubprocessTest, WithoutStandardInputOfItsOwn) {
  const int kept = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
  ::close(STDIN_FILENO);
  {
    Subprocess cat({"cat"});
    EXPECT_EQ(cat.communicate("text", std::chrono::minutes(1)).output, "text");
  }
  if (kept >= 0) ::dup2(kept, STDIN_FILENO);
  ::close(kept);
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
