// SPDX-License-Identifier: Apache-2.0
// The images of a run are found again without anybody naming them.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "signstep/io/atomic_file.h"
#include "tests/cli/program.h"
#include "tests/support/environment.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

class DataFolderTest : public ProgramTest {
 protected:
  DataFolderTest() {
    write_cifar10_fixture(path("data"), 20, 1);
    // Found by the environment, from where the program happens to stand.
    const EnvironmentVariable somewhere("SIGNSTEP_DATA", fs::relative(path("data")).string());
    run(0, {"train", "--output", path("run"), "--width", "4", "--epochs", "1", "--batch", "50", "--validation", "0",
            "--threads", "1", "--precision", "fp32", "--schedule", "constant"});
  }
  const EnvironmentVariable nowhere_{"SIGNSTEP_DATA", "/nowhere"};
};

TEST_F(DataFolderTest, ARunKnowsWhereItsImagesAre) {
  const auto record = nlohmann::json::parse(read_text_file(path("run/run.json")));
  EXPECT_THAT(record["data"]["folder"].get<std::string>(), StartsWith("/"));
  EXPECT_THAT(run(0, {"eval", path("run")}), HasSubstr("on 20 images"));
  EXPECT_THAT(run(0, {"train", "--like", path("run"), "--optimizer", "sgd", "--dry-run", "--output", path("x")}),
              HasSubstr("20 to test"));
  EXPECT_THAT(run(0, {"train", "--config", path("run/config.toml"), "--dry-run", "--output", path("x")}),
              HasSubstr("20 to test"));
  run(0, {"train", "--resume", "--output", path("run"), "--epochs", "2"});
}

TEST_F(DataFolderTest, WhereTheyAreGoneThatIsSaid) {
  fs::rename(path("data"), path("elsewhere"));
  const std::string gone = fmt::format("the run's images were in {}, which is gone", path("data"));
  EXPECT_THAT(run(3, {"eval", path("run")}), HasSubstr(gone));
  EXPECT_THAT(run(3, {"train", "--like", path("run"), "--dry-run", "--output", path("x")}), HasSubstr(gone));
  EXPECT_THAT(run(3, {"train", "--resume", "--output", path("run"), "--epochs", "2"}), HasSubstr(gone));
  EXPECT_THAT(run(0, {"eval", path("run"), "--data", path("elsewhere")}), HasSubstr("on 20 images"));
  const EnvironmentVariable moved("SIGNSTEP_DATA", path("elsewhere"));
  EXPECT_THAT(run(0, {"eval", path("run")}), HasSubstr("on 20 images"));
  run(0, {"train", "--resume", "--output", path("run"), "--epochs", "2"});
}

}  // namespace
}  // namespace signstep
