// SPDX-License-Identifier: Apache-2.0
// Training, measuring and predicting on pictures of one's own.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "signstep/data/picture.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/safetensors.h"
#include "tests/cli/program.h"
#include "tests/support/png.h"

namespace signstep {
namespace {

using testing::HasSubstr;

class FolderTest : public ProgramTest {
 protected:
  void SetUp() override {
    if (!can_read_png()) GTEST_SKIP() << "built without libpng, so nothing was trained on pictures";
    SequentialRandom random(Stream(1, Purpose::kProblem));
    for (const std::string part : {"train", "test"})
      for (int label = 0; label < 3; ++label)
        for (int i = 0; i < 12; ++i) {
          Bytes rows;  // red, green or blue, under noise
          for (int pixel = 0; pixel < 24 * 20; ++pixel)
            for (int c = 0; c < 3; ++c)
              rows.push_back(static_cast<uint8_t>((c == label ? 150 : 30) + static_cast<int>(random.below(60))));
          write_bytes(path(fmt::format("pictures/{}/{}/{}.png", part, kNames[label], i)), png_bytes(24, 20, 2, rows));
        }
  }
  static constexpr const char* kNames[] = {"a red one", "b green one", "c blue one"};
  std::vector<std::string> training(const std::string& size) const {
    return {"train",
            "--dataset",
            "folder",
            "--data",
            path("pictures"),
            "--image-size",
            size,
            "--output",
            path("r"),
            "--width",
            "4",
            "--epochs",
            "20",
            "--batch",
            "6",
            "--validation",
            "6",
            "--precision",
            "fp32",
            "--threads",
            "1",
            "--learning-rate",
            "0.02",
            "--optimizer",
            "sgd"};
  }
};

TEST_F(FolderTest, FromPicturesToPredictions) {
  std::vector<std::string> dry = training("16");
  dry.push_back("--dry-run");
  EXPECT_THAT(run(0, dry), HasSubstr("30 of " + path("pictures") + " to train on, 6 held out, 36 to test"));
  run(0, training("16"));
  const auto seen = nlohmann::json::parse(run(0, {"eval", path("r"), "--json", "--per-class"}));
  EXPECT_GT(seen["accuracy"].get<double>(), 90);  // colours are easy
  EXPECT_EQ(seen["classes"][1]["class"], "b green one");
  EXPECT_EQ(seen["classes"][1]["images"], 12);
  EXPECT_THAT(run(0, {"train", "--resume", "--output", path("r")}), HasSubstr("finished already"));
  // Classes are known by name: those of other pictures are these, or it is said.
  std::filesystem::copy(path("pictures"), path("others"), std::filesystem::copy_options::recursive);
  EXPECT_THAT(run(0, {"eval", path("r"), "--data", path("others")}), HasSubstr("accuracy"));
  for (const char* part : {"train", "test"})
    std::filesystem::rename(path(fmt::format("others/{}/a red one", part)), path(fmt::format("others/{}/red", part)));
  EXPECT_THAT(run(3, {"eval", path("r"), "--data", path("others")}),
              HasSubstr("are of the classes b green one, c blue one, red, and the run knows a red one, b green one"));
  // The checkpoint alone knows the classes and the size.
  std::filesystem::rename(path("pictures/test/c blue one/3.png"), path("blue.png"));
  std::filesystem::remove_all(path("pictures"));
  const auto guess = nlohmann::json::parse(run(0, {"predict", path("r"), path("blue.png"), "--json"}));
  EXPECT_EQ(guess[0]["classes"][0]["class"], "c blue one");
  EXPECT_GT(guess[0]["classes"][0]["probability"].get<double>(), 0.5);
  EXPECT_THAT(run(5, {"predict", path("r"), path("nothing.png")}), HasSubstr("nothing.png does not exist"));
  run(0, {"export", path("r"), "--to", "safetensors", "--output", path("n.safetensors")});
  EXPECT_EQ(SafetensorsFile(path("n.safetensors")).metadata().at("image_side"), "16");
}

// Pictures that were not resized have a size all the same, and what is guessed is brought to it.
TEST_F(FolderTest, PredictionsAreOfTheSizeThatWasTrained) {
  for (const char* part : {"train", "test"})
    for (const auto& [label, colour] : {std::pair("a", 40), std::pair("b", 200)})
      for (int i = 0; i < 8; ++i) {
        const std::string folder = path(fmt::format("squares/{}/{}", part, label));
        std::filesystem::create_directories(folder);
        write_bytes(fmt::format("{}/{}.png", folder, i),
                    png_bytes(16, 16, 0, Bytes(256, static_cast<uint8_t>(colour + i))));
      }
  run(0, {"train", "--dataset", "folder", "--data", path("squares"), "--output", path("s"), "--width", "4", "--epochs",
          "1", "--batch", "8", "--validation", "0", "--threads", "1"});
  write_bytes(path("large.png"), png_bytes(48, 48, 0, Bytes(48 * 48, 90)));
  write_bytes(path("small.png"), png_bytes(16, 16, 0, Bytes(16 * 16, 90)));
  const auto guess = [&](const char* picture) {
    return nlohmann::json::parse(run(0, {"predict", path("s"), path(picture), "--json"}))[0]["classes"];
  };
  EXPECT_EQ(guess("large.png"), guess("small.png"));
}

TEST_F(FolderTest, SizesAreRefusedWhereNoneIsAskedFor) {
  EXPECT_THAT(run(3, training("0")), HasSubstr("24 x 20 pixels; wanted a square; with --image-size N"));
  EXPECT_FALSE(std::filesystem::exists(path("r")));
  for (const char* side : {"-1", "257", "4294967297"})
    run(2, {"data", "--dataset", "folder", "--data", path("pictures"), "--image-size", side});
  const std::string text = run(0, {"data", "--dataset", "folder", "--data", path("pictures"), "--image-size", "20"});
  EXPECT_THAT(text, HasSubstr("36 images, 3 x 20 x 20, 3 classes (12 of each class)"));
}

}  // namespace
}  // namespace signstep
