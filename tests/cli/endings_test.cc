// SPDX-License-Identifier: Apache-2.0
// How the program ends where output, a disk or memory fails, and what it draws where.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "signstep/base/text.h"
#include "signstep/io/atomic_file.h"
#include "tests/cli/on_terminal.h"
#include "tests/cli/program.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class EndingsTest : public testing::Test {
 protected:
  EndingsTest() { write_cifar10_fixture(folder_.path("data"), 60, 1); }

  std::string tiny(const std::string& name, const std::string& more = "") const {
    return fmt::format("train --data {} --output {} --width 4 --epochs 1 --batch 50 --validation 50 --threads 1 {}",
                       shell_quoted(folder_.path("data")), shell_quoted(folder_.path(name)), more);
  }

  // Runs "BEFORE; signstep ARGUMENTS" in a shell; standard error is kept in the file "errors".
  int shell(const std::string& arguments, const std::string& before = ":") {
    const std::string command = fmt::format("{}; {} {} 2> {}", before, shell_quoted(SIGNSTEP_PROGRAM), arguments,
                                            shell_quoted(folder_.path("errors")));
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::string errors() const { return read_text_file(folder_.path("errors")); }
  size_t messages() const {
    size_t n = 0;
    std::istringstream all(errors());
    for (std::string line; std::getline(all, line);) n += line.starts_with("signstep: ");
    return n;
  }

  // What a terminal of that many columns gets to see.
  std::string drawn(const char* kind, unsigned short columns, const std::string& name) {
    return on_terminal(kind, columns, 24, [&] {
      const std::string command = fmt::format("exec {} {}", shell_quoted(SIGNSTEP_PROGRAM), tiny(name, "--epochs 3"));
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    });
  }

  TemporaryFolder folder_;
};

TEST_F(EndingsTest, OutputThatIsLostIsNoSuccess) {
  ASSERT_EQ(shell(tiny("run") + " > /dev/null"), 0) << errors();
  for (const std::string& command : std::vector<std::string>{"eval " + folder_.path("run") + " --json", "--version",
                                                             "train --help", tiny("other")}) {
    EXPECT_EQ(shell(command + " > /dev/full"), 5) << command;
    EXPECT_THAT(errors(), HasSubstr("standard output could not be written")) << command;
    EXPECT_EQ(messages(), 1u) << errors();
  }
  EXPECT_TRUE(fs::exists(folder_.path("other/metrics.jsonl")));
  EXPECT_GT(fs::file_size(folder_.path("other/metrics.jsonl")), 0u);  // trained to the end
}

// Nobody reads the message; who looks at the exit code is told the same as ever.
TEST_F(EndingsTest, AMessageThatIsLostChangesNoExitCode) {
  const auto code = [&](const std::string& arguments) {
    const std::string command =
        fmt::format("{} {} > /dev/null 2> /dev/full", shell_quoted(SIGNSTEP_PROGRAM), arguments);
    return WEXITSTATUS(std::system(command.c_str()));
  };
  EXPECT_EQ(code("train --dataset nosuch"), 2);
  EXPECT_EQ(code("data --dataset mnist --data " + folder_.path("nowhere")), 3);
  EXPECT_EQ(code("list " + folder_.path("nowhere")), 5);
}

TEST_F(EndingsTest, AReaderThatGoesAwayEndsNoTraining) {
  ASSERT_EQ(shell(tiny("run") + " | true"), 0);  // of true
  for (int i = 0; i < 600 && !(fs::exists(folder_.path("run/run.json")) &&
                               read_text_file(folder_.path("run/run.json")).find("finished") != std::string::npos);
       ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_THAT(read_text_file(folder_.path("run/run.json")), HasSubstr("\"finished\""));
}

TEST_F(EndingsTest, AFileThatMayNotGrowIsAMessage) {
  EXPECT_EQ(shell(tiny("run") + " > /dev/null", "ulimit -f 100"), 5);
  EXPECT_THAT(errors(), HasSubstr("cannot write"));
  EXPECT_EQ(messages(), 1u) << errors();
}

// As batch systems limit memory. 127: the system's loader could not map the libraries.
TEST_F(EndingsTest, MemoryThatRunsOutIsOneMessage) {
  for (const int kib : {500000, 550000, 600000, 650000, 700000, 800000, 1000000}) {
    const std::string name = "run" + std::to_string(kib);
    const int code =
        shell(tiny(name, "--batch 250 --width 16 --precision fp32") + " > /dev/null", fmt::format("ulimit -v {}", kib));
    EXPECT_TRUE(code == 0 || code == 5 || code == 127) << kib << ": " << code << "\n" << errors();
    EXPECT_EQ(messages(), code == 5 ? 1u : 0u) << kib << ": " << errors();
  }
}

TEST_F(EndingsTest, ProgressForProgramsIsJsonAlone) {
  ASSERT_EQ(shell(tiny("run", "--progress-json") + " > " + folder_.path("lines")), 0) << errors();
  std::ifstream lines(folder_.path("lines"));
  size_t n = 0;
  for (std::string line; std::getline(lines, line); ++n)
    EXPECT_TRUE(nlohmann::json::parse(line, nullptr, false).is_object()) << line;
  EXPECT_GE(n, 1u);
  EXPECT_THAT(errors(), HasSubstr("Test accuracy"));
}

TEST_F(EndingsTest, PrintedCommandsCanBePasted) {
  ASSERT_EQ(shell(tiny("my run's", "--stop-after 0.01s") + " > " + folder_.path("out")), 75) << errors();
  const std::string text = read_text_file(folder_.path("out"));
  const size_t at = text.find("signstep train --resume");
  ASSERT_NE(at, std::string::npos) << text;
  ASSERT_EQ(shell(text.substr(at + 9, text.find('\n', at) - at - 9) + " > " + folder_.path("out")), 0) << errors();
  EXPECT_THAT(read_text_file(folder_.path("out")), HasSubstr("Test accuracy"));
}

TEST_F(EndingsTest, EvaluationOnOtherImagesSaysSo) {
  ASSERT_EQ(shell(tiny("run") + " > /dev/null"), 0) << errors();
  EXPECT_EQ(shell("eval " + folder_.path("run") + " > /dev/null"), 0);
  EXPECT_EQ(errors(), "");
  write_cifar10_fixture(folder_.path("others"), 60, 2);
  EXPECT_EQ(shell("eval " + folder_.path("run") + " --data " + folder_.path("others") + " > /dev/null"), 0);
  EXPECT_THAT(errors(), HasSubstr("are not those of the run"));
}

TEST_F(EndingsTest, AResumedRunKeepsItsSettings) {
  ASSERT_EQ(shell(tiny("run", "--epochs 50 --stop-after 0.01s") + " > /dev/null"), 75) << errors();
  std::string config = read_text_file(folder_.path("run/config.toml"));
  const size_t at = config.find("learning_rate = ");
  ASSERT_NE(at, std::string::npos);
  config.replace(at, config.find(' ', at + 16) - at, "learning_rate = 0.5");
  write_file_atomic(folder_.path("run/config.toml"), config);
  EXPECT_EQ(shell("train --resume --output " + folder_.path("run") + " > /dev/null"), 4);
  EXPECT_THAT(errors(), HasSubstr("config.toml says '0.5'"));
}

TEST_F(EndingsTest, ATerminalGetsWhatItUnderstands) {
  if (!terminals_here()) GTEST_SKIP() << "this system gives out no terminals";
  EXPECT_THAT(drawn("dumb", 80, "dumb"), Not(HasSubstr("\x1b")));
  const std::string narrow = drawn("xterm", 20, "narrow");
  ASSERT_THAT(narrow, HasSubstr("\x1b[K"));
  for (size_t at = narrow.find("\x1b[K"); at != std::string::npos; at = narrow.find("\x1b[K", at + 1)) {
    const std::string line = narrow.substr(at + 3, narrow.find_first_of("\r\n\x1b", at + 3) - at - 3);
    const bool progress = line.starts_with("epoch ") && line.find('/') < 10;
    EXPECT_LE(progress ? line.size() : 0, 19u) << line;
  }
}

}  // namespace
}  // namespace signstep
