// SPDX-License-Identifier: Apache-2.0
// signstep does not load LibTorch; signstep-torch, which it becomes, lies beside it.
#include <gmock/gmock.h>

#include <filesystem>

#include "signstep/io/atomic_file.h"
#include "tests/cli/program.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class TwoProgramsTest : public testing::Test {
 protected:
  // The program copied away from the other one.
  int alone(const std::string& arguments, std::string& said) const {
    fs::copy_file(SIGNSTEP_PROGRAM, folder_.path("signstep"), fs::copy_options::overwrite_existing);
    const std::string command =
        fmt::format("'{}' {} > '{}' 2>&1", folder_.path("signstep"), arguments, folder_.path("said"));
    const int status = std::system(command.c_str());
    said = read_text_file(folder_.path("said"));
    return WEXITSTATUS(status);
  }
  TemporaryFolder folder_;
};

TEST_F(TwoProgramsTest, HelpAndLookingNeedNoEngine) {
  std::string said;
  for (const char* arguments : {"--help", "train --help-all", "eval --help", "list .", "generate man"}) {
    EXPECT_EQ(alone(arguments, said), 0) << said;
    EXPECT_THAT(said, Not(HasSubstr("signstep-torch"))) << arguments;
  }
  EXPECT_EQ(alone("--version", said), 0);
  EXPECT_THAT(said, HasSubstr("LibTorch "));
  EXPECT_THAT(said, ContainsRegex("\nengines [^;]*torch"));
  EXPECT_EQ(alone("train --opimizer sgd", said), 2);
  EXPECT_THAT(said, HasSubstr("did you mean --optimizer?"));
}

TEST_F(TwoProgramsTest, WhatComputesSaysWhatIsMissing) {
  std::string said;
  EXPECT_EQ(alone("eval runs/first", said), 5);
  EXPECT_THAT(said, HasSubstr("/signstep-torch: No such file or directory; it is built and installed beside signstep"));
}

}  // namespace
}  // namespace signstep
