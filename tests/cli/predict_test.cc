// SPDX-License-Identifier: Apache-2.0
// signstep predict, held against signstep eval.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "signstep/data/picture.h"
#include "signstep/io/atomic_file.h"
#include "tests/cli/program.h"
#include "tests/support/png.h"

namespace signstep {
namespace {

using testing::HasSubstr;

class PredictCommandTest : public ProgramTest {
 protected:
  void SetUp() override {
    if (!can_read_png()) GTEST_SKIP() << "built without libpng, so predict was NOT tried";
    write_cifar10_fixture(path("data"), 20, 1);
    run(0, {"train", "--data", path("data"), "--output", path("run"), "--width", "4", "--epochs", "2", "--batch", "25",
            "--validation", "0", "--threads", "1", "--precision", "fp32"});
  }
};

// The first images of the test file as PNG files get the classes and probabilities that eval writes.
TEST_F(PredictCommandTest, SaysWhatEvalSays) {
  run(0, {"eval", path("run"), "--predictions", path("p.csv")});
  const ImageSet test = fixture_images(3, 32, 10, 20, 6);
  std::vector<std::string> arguments = {"predict", path("run"), "--json", "--top", "1"};
  for (size_t i = 0; i < 3; ++i) {
    Bytes rows;
    for (size_t pixel = 0; pixel < 1024; ++pixel)
      for (size_t c = 0; c < 3; ++c) rows.push_back(test.pixels[(i * 3 + c) * 1024 + pixel]);
    arguments.push_back(path(std::to_string(i) + ".png"));
    write_bytes(arguments.back(), png_bytes(32, 32, 2, rows));
  }
  const auto seen = nlohmann::json::parse(run(0, arguments));
  ASSERT_EQ(seen.size(), 3u);
  std::filesystem::remove_all(path("data"));  // nobody needs it
  EXPECT_EQ(nlohmann::json::parse(run(0, arguments)), seen);
  std::istringstream csv(read_text_file(path("p.csv")));
  std::string line;
  std::getline(csv, line);
  for (size_t i = 0; i < 3; ++i) {
    std::getline(csv, line);
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    EXPECT_EQ(seen[i]["image"], path(std::to_string(i) + ".png"));
    EXPECT_EQ(seen[i]["classes"][0]["class"], cells.at(2));
    EXPECT_NEAR(seen[i]["classes"][0]["probability"].get<double>(), std::stod(cells.at(3)), 1e-5);
  }
}

TEST_F(PredictCommandTest, OtherSizesAndWhatIsNoPicture) {
  write_bytes(path("wide.png"), png_bytes(70, 40, 0, Bytes(70 * 40, 90)));
  const std::string text = run(0, {"predict", path("run"), path("wide.png")});
  for (const char* words : {"image", "class", "%", "wide.png"}) EXPECT_THAT(text, HasSubstr(words));
  write_bytes(path("note.txt"), {'h', 'i'});
  EXPECT_THAT(run(3, {"predict", path("run"), path("wide.png"), path("note.txt")}), HasSubstr("is no picture"));
  EXPECT_THAT(run(5, {"predict", path("run"), path("gone.png")}), HasSubstr("does not exist"));
  EXPECT_THAT(run(2, {"predict", path("run")}), HasSubstr("IMAGE"));
}

}  // namespace
}  // namespace signstep
