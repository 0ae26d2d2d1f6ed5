// SPDX-License-Identifier: Apache-2.0
#include "signstep/runs/confusion.h"

#include <gmock/gmock.h>

#include "signstep/io/atomic_file.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::HasSubstr;

Confusion example() {
  return {.checkpoint = "step-00000007.safetensors",
          .classes = {"cat", "dog, <black>", "fox"},
          .counts = {{1, 1, 0}, {2, 1, 0}, {0, 0, 0}}};
}

class ConfusionFileTest : public testing::Test {
 protected:
  std::string message(const std::string& text) const {
    write_file_atomic(confusion_path(folder_.path("")), text);
    return message_of<DataError>([&] { read_confusion(folder_.path("")); });
  }
  TemporaryFolder folder_;
};

TEST(Confusion, RecallPrecisionAndTheWorst) {
  const Confusion c = example();
  EXPECT_EQ(c.images(1), 3u);
  EXPECT_EQ(c.predicted(0), 3u);
  EXPECT_DOUBLE_EQ(c.recall(1), 100.0 / 3);
  EXPECT_DOUBLE_EQ(c.precision(1), 50);
  EXPECT_TRUE(std::isnan(c.recall(2)));  // no image of it
  EXPECT_TRUE(std::isnan(c.precision(2)));
  const auto worst = c.worst(5);
  ASSERT_EQ(worst.size(), 2u);
  EXPECT_EQ(worst[0].label, 1u);
  EXPECT_EQ(worst[0].images, 2u);
  EXPECT_EQ(c.worst(1).size(), 1u);
}

TEST_F(ConfusionFileTest, ComesBackAsItWasWritten) {
  EXPECT_FALSE(read_confusion(folder_.path("")));
  write_confusion(folder_.path(""), example());
  const auto back = read_confusion(folder_.path(""));
  ASSERT_TRUE(back);
  EXPECT_EQ(fields_json(*back), fields_json(example()));
}

TEST_F(ConfusionFileTest, EveryTruncationIsRefused) {
  write_confusion(folder_.path(""), example());
  const std::string text = read_text_file(confusion_path(folder_.path("")));
  for (size_t n = 0; n + 2 < text.size(); ++n) EXPECT_THAT(message(text.substr(0, n)), HasSubstr("confusion.json"));
}

TEST_F(ConfusionFileTest, WhatIsNoSquareIsRefused) {
  for (const char* counts :
       {"[]", "[[1,2],[3]]", "[[1,2]]", "[[1,2,3],[1,2,3]]", "5", "[[1,2],[3,9223372036854775807]]"})
    EXPECT_THAT(message(fmt::format(R"({{"classes":["a","b"],"counts":{}}})", counts)),
                HasSubstr("holds 2 names of classes and no table of as many rows"));
  EXPECT_THAT(message(R"({"classes":[],"counts":[]})"), HasSubstr("holds 0 names"));
  EXPECT_THAT(message("[1]"), HasSubstr("confusion.json"));
}

}  // namespace
}  // namespace signstep
