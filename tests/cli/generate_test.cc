// SPDX-License-Identifier: Apache-2.0
// Completion as a shell drives it, and the manual page as its formatter reads it.
#include <gmock/gmock.h>

#include <cstdlib>

#include "signstep/io/atomic_file.h"
#include "tests/cli/program.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

bool is_there(const char* tool) {
  return std::system(fmt::format("command -v {} > /dev/null 2>&1", tool).c_str()) == 0;
}

class GenerateTest : public testing::Test {
 protected:
  std::string generated(const std::string& what) const {
    Program program({"generate", what});
    EXPECT_EQ(program.wait(), 0) << program.output();
    return program.output();
  }
  // A file of what is generated, given to a command that reads it; what that says.
  std::string read_by(const std::string& what, const std::string& command) const {
    write_file_atomic(folder_.path("generated"), generated(what));
    const int status = std::system(fmt::format("cd '{}' && {{ {} ; }} > out 2>&1", folder_.path(""), command).c_str());
    const std::string said = read_text_file(folder_.path("out"));
    EXPECT_EQ(status, 0) << said;
    return said;
  }
  // What bash offers for the last of the words, a line each.
  std::vector<std::string> offered(const std::string& words) const {
    const std::string said = read_by("bash", fmt::format("bash -uec 'source ./generated; COMP_WORDS=({}); "
                                                         "COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _signstep; "
                                                         "for word in ${{COMPREPLY[@]+\"${{COMPREPLY[@]}}\"}}; do "
                                                         "echo $word; done'",
                                                         words));
    std::vector<std::string> lines;
    for (size_t at = 0, end; (end = said.find('\n', at)) != std::string::npos; at = end + 1)
      lines.push_back(said.substr(at, end - at));
    return lines;
  }
  TemporaryFolder folder_;
};

TEST_F(GenerateTest, BashCompletesCommandsFlagsAndValues) {
  EXPECT_THAT(offered("signstep e"), UnorderedElementsAre("eval", "export"));
  EXPECT_THAT(offered("signstep \"\""), Not(Contains("generate")));
  EXPECT_THAT(offered("signstep data f"), UnorderedElementsAre("fetch"));
  EXPECT_THAT(offered("signstep report \"\""), IsEmpty()) << "so that bash offers folders";
  EXPECT_THAT(offered("signstep report --o"), UnorderedElementsAre("--output"));
  EXPECT_THAT(offered("signstep data fetch cifar"), UnorderedElementsAre("cifar10", "cifar100"));
  EXPECT_THAT(offered("signstep train --learning-r"), UnorderedElementsAre("--learning-rate"));
  EXPECT_THAT(offered("signstep train --epochs 3 --optimizer sig"), UnorderedElementsAre("signsgd", "signum"));
  EXPECT_THAT(offered("signstep train --optimizer = s"), UnorderedElementsAre("sgd", "signsgd", "signum"));
  EXPECT_THAT(offered("signstep train --optimizer ="), Contains("adamw"));
  EXPECT_THAT(offered("signstep train --output \"\""), UnorderedElementsAre());  // files, by readline itself
  EXPECT_THAT(offered("signstep export runs/first --to saf"), UnorderedElementsAre("safetensors"));
  EXPECT_THAT(offered("signstep train --optimizer signum --engine a"), Contains("auto"));
}

TEST_F(GenerateTest, ZshReadsItsOwn) {
  const std::string text = generated("zsh");
  EXPECT_THAT(text, testing::StartsWith("#compdef signstep\n"));
  EXPECT_THAT(text, HasSubstr("'--optimizer=[update rule\\: signsgd"));
  if (!is_there("zsh")) GTEST_SKIP() << "zsh is missing, so its completion was NOT read by it; install zsh";
  read_by("zsh", "zsh -n generated");
}

TEST_F(GenerateTest, TheManualHasEveryCommandAndNoMistakes) {
  const std::string text = generated("man");
  for (const char* part :
       {".SS signstep train\n", ".SS signstep data fetch\n", "\\fB\\-\\-switch\\-at\\fR", ".SH EXIT STATUS"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, Not(HasSubstr("/bench/"))) << "a folder of the machine that built it";
  if (is_there("groff")) {
    EXPECT_EQ(read_by("man", "groff -man -Tutf8 -ww -z generated"), "");
  }
  if (is_there("mandoc")) {
    EXPECT_EQ(read_by("man", "mandoc -Tlint -W error generated"), "");
  }
  if (!is_there("groff") && !is_there("mandoc"))
    GTEST_SKIP() << "groff and mandoc are missing, so the manual page was NOT formatted; install groff-base";
}

TEST_F(GenerateTest, NothingElseCanBeMade) {
  Program program({"generate", "fish"});
  EXPECT_EQ(program.wait(), 2);
  EXPECT_THAT(program.output(), HasSubstr("wanted bash, zsh or man"));
}

}  // namespace
}  // namespace signstep
