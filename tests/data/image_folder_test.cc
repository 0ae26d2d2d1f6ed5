// SPDX-License-Identifier: Apache-2.0
// Pictures of one's own as a data set.
#include "signstep/data/image_folder.h"

#include <gmock/gmock.h>

#include "signstep/data/dataset.h"
#include "signstep/data/picture.h"
#include "tests/data/fixtures.h"
#include "tests/support/png.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A square of one colour, (value, value + 1, value + 2).
Bytes square(uint32_t side, uint8_t value) {
  Bytes rows;
  for (uint32_t i = 0; i < side * side; ++i)
    for (int c = 0; c < 3; ++c) rows.push_back(static_cast<uint8_t>(value + c));
  return png_bytes(side, side, 2, rows);
}

class ImageFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_read_png()) GTEST_SKIP() << "built without libpng, so folders of pictures were NOT read";
    put("train/dog/b.png", square(8, 20));
    put("train/dog/a.PNG", square(8, 10));
    put("train/cat/x.png", square(8, 30));
    put("train/cat/.DS_Store", {1});
    put("test/dog/y.png", square(8, 40));
  }
  void put(const std::string& name, const Bytes& bytes) const { write_bytes(folder_.path(name), bytes); }
  Dataset load(int64_t image_size = 0) const { return load_dataset("folder", folder_.path(), "fine", image_size); }
  std::string refusal(int64_t image_size = 0) const {
    const std::string message = message_of<DataError>([&] { load(image_size); });
    return message;
  }
  TemporaryFolder folder_;
};

TEST_F(ImageFolderTest, ClassesAndFilesInTheOrderOfTheirNames) {
  const Dataset set = load();
  EXPECT_THAT(set.class_names, ElementsAre("cat", "dog"));
  EXPECT_THAT(set.train.labels, ElementsAre(0, 1, 1));
  EXPECT_THAT(set.test.labels, ElementsAre(1));
  EXPECT_EQ(set.train.height, 8);
  EXPECT_EQ(set.train.width, 8);
  EXPECT_EQ(set.train.classes, 2);
  ASSERT_EQ(set.train.pixels.size(), 3u * 3 * 64);
  EXPECT_EQ(set.train.pixels[0], 30);
  EXPECT_EQ(set.train.pixels[64], 31);  // the next plane
  EXPECT_EQ(set.train.pixels[3 * 64], 10);
  EXPECT_EQ(set.train.pixels[6 * 64 + 128], 22);
  EXPECT_FALSE(set.official());
  EXPECT_EQ(set.normalization.mean.size(), 3u);
}

TEST_F(ImageFolderTest, AnySizeIsBroughtToTheWantedOne) {
  put("test/cat/wide.png", png_bytes(30, 20, 0, Bytes(600, 77)));
  const Dataset set = load(12);
  EXPECT_EQ(set.test.width, 12);
  EXPECT_EQ(set.test.pixels.size(), 2u * 3 * 144);
  EXPECT_EQ(set.test.pixels[0], 77);
  EXPECT_EQ(set.train.pixels[0], 30);
  EXPECT_THAT(refusal(), HasSubstr("test/cat/wide.png has 30 x 20 pixels; wanted 8 x 8; with --image-size N"));
}

TEST_F(ImageFolderTest, CountsAgree) {
  const DatasetCounts own = count_dataset("folder", folder_.path()),
                      scaled = count_dataset("folder", folder_.path(), "fine", 32);
  EXPECT_EQ(own.train, 3u);
  EXPECT_EQ(own.test, 1u);
  EXPECT_EQ(own.classes, 2);
  EXPECT_EQ(own.channels, 3);
  EXPECT_EQ(own.height, 8);
  EXPECT_EQ(scaled.width, 32);
}

TEST_F(ImageFolderTest, TheFirstPictureMustBeASquareToo) {
  put("train/cat/a.png", png_bytes(4, 2, 0, Bytes(8, 1)));
  EXPECT_THAT(refusal(), HasSubstr("train/cat/a.png has 4 x 2 pixels; wanted a square"));
}

TEST_F(ImageFolderTest, WhatLiesOtherwiseIsNamed) {
  put("train/dog/note.txt", {1});
  EXPECT_THAT(refusal(), HasSubstr("train/dog/note.txt is no .png, .jpg or .jpeg file"));
  std::filesystem::remove(folder_.path("train/dog/note.txt"));
  put("test/fox/z.png", square(8, 1));
  EXPECT_THAT(refusal(), HasSubstr("test/fox is of a class that"));
  std::filesystem::remove_all(folder_.path("test/fox"));
  put("train/stray.png", square(8, 1));
  EXPECT_THAT(refusal(), HasSubstr("train/stray.png is no folder"));
  std::filesystem::remove(folder_.path("train/stray.png"));
  Bytes cut = square(8, 1);
  cut.resize(cut.size() / 2);
  put("train/dog/cut.png", cut);
  EXPECT_THAT(refusal(), HasSubstr("train/dog/cut.png is a damaged PNG file"));
  std::filesystem::remove(folder_.path("train/dog/cut.png"));
  std::filesystem::create_directories(folder_.path("train/emu"));
  EXPECT_THAT(refusal(), HasSubstr("train/emu holds no picture; put some there, or remove the folder"));
  std::filesystem::remove_all(folder_.path("train/emu"));
  std::filesystem::remove_all(folder_.path("train/cat"));
  EXPECT_THAT(refusal(), HasSubstr("train has 1 folders; wanted 2 to 256"));
}

TEST_F(ImageFolderTest, PartsThatAreMissing) {
  std::filesystem::remove(folder_.path("test/dog/y.png"));
  EXPECT_THAT(refusal(), HasSubstr("test holds no picture"));
  std::filesystem::remove_all(folder_.path("test"));
  EXPECT_THAT(refusal(), HasSubstr("there is no folder " + folder_.path("test")));
  EXPECT_THAT(message_of<OptionError>([] { load_dataset("folder", ""); }), HasSubstr("give --data FOLDER"));
}

TEST(ImageSizeTest, IsForFoldersAlone) {
  EXPECT_THAT(message_of<OptionError>([] { load_dataset("cifar10", "", "fine", 64); }),
              HasSubstr("image_size is 64, and images of cifar10 are 32 x 32"));
  EXPECT_THROW(count_dataset("mnist", "", "fine", 32), OptionError);
}

}  // namespace
}  // namespace signstep
