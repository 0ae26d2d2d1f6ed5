// SPDX-License-Identifier: Apache-2.0
// Paths that the system refuses to look at end every command with a documented exit code and one message.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "signstep/io/atomic_file.h"
#include "tests/cli/program.h"

namespace signstep {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kExperiment = R"(
seeds = [1]
[train]
dataset = "cifar10"
epochs = 1
[[method]]
name = "A"
optimizer = "signum"
)";

class PathsTest : public testing::Test {
 protected:
  PathsTest() { write_file_atomic(folder_.path("e.toml"), kExperiment); }

  // Every command that is given a path of a run, with that one.
  std::vector<std::vector<std::string>> commands(const std::string& path) const {
    return {{"eval", path},
            {"report", path, "--output", folder_.path("page")},
            {"report", folder_.path(""), "--output", path},  // which holds no run
            {"analyze", path},
            {"compare", folder_.path("e.toml"), "--output", path},
            {"compare", folder_.path("e.toml"), "--output", path, "--collect"},
            {"train", "--output", path},
            {"train", "--resume", "--output", path},
            {"train", "--config", path}};
  }

  void expect_one_message(const std::string& path, const std::string& reason) {
    for (const auto& words : commands(path)) {
      Program program(words);
      const int code = program.wait();
      const std::string said = program.output();
      EXPECT_THAT(code, AnyOf(2, 3, 5)) << words[0] << "\n" << said;
      EXPECT_THAT(said, testing::StartsWith("signstep: ")) << words[0];
      EXPECT_THAT(said, Not(HasSubstr("internal error"))) << words[0];
      if (code == 5) {
        EXPECT_THAT(said, HasSubstr(reason)) << words[0];
      }
    }
  }

  const TemporaryFolder folder_;
};

TEST_F(PathsTest, ANameOf300Characters) {
  expect_one_message(folder_.path(std::string(300, 'x')), "File name too long");
}

TEST_F(PathsTest, AFolderThatMayNotBeSearched) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may search every folder";
  make_folders(folder_.path("closed"));
  ::chmod(folder_.path("closed").c_str(), 0);
  expect_one_message(folder_.path("closed/run"), "Permission denied");
  ::chmod(folder_.path("closed").c_str(), 0755);
}

}  // namespace
}  // namespace signstep
