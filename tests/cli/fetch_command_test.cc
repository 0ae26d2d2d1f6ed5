// SPDX-License-Identifier: Apache-2.0
// signstep data fetch as a user runs it; tests/fetch has the rest.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/cli/program.h"

namespace signstep {
namespace {

using testing::HasSubstr;

std::string run(int code, const std::vector<std::string>& arguments) {
  Program program(arguments);
  EXPECT_EQ(program.wait(), code) << program.output();
  return program.output();
}

TEST(FetchCommandTest, SaysWhatToDoWithoutANetwork) {
  const TemporaryFolder folder;
  // With signstep-fetch or without it: what to put where.
  const std::string text =
      run(5, {"data", "fetch", "cifar10", "--data", folder.path("d"), "--from", "https://127.0.0.1:1"});
  EXPECT_THAT(text, HasSubstr("cifar-10-binary.tar.gz"));
  EXPECT_FALSE(std::filesystem::exists(folder.path("d/cifar-10-batches-bin")));
  EXPECT_THAT(run(2, {"data", "fetch", "cifar-10"}), HasSubstr("did you mean 'cifar10'?"));
  EXPECT_THAT(run(2, {"data", "fetch"}), HasSubstr("DATASET"));
}

TEST(FetchCommandTest, ASetThatIsThere) {
  if (!std::filesystem::exists(std::filesystem::path(SIGNSTEP_PROGRAM).parent_path() / "signstep-fetch"))
    GTEST_SKIP() << "built without libcurl and libarchive, so data fetch was NOT tried";
  const TemporaryFolder folder;
  write_cifar10_fixture(folder.path("cifar-10-batches-bin"), 1, 1);
  EXPECT_THAT(run(3, {"data", "fetch", "cifar10", "--data", folder.path()}),
              HasSubstr("is there already, and its files are not the official ones"));
  EXPECT_THAT(run(0, {"data", "--dataset", "cifar10", "--data", folder.path()}), HasSubstr("5 images"));
}

}  // namespace
}  // namespace signstep
