// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/split.h"

#include <algorithm>
#include <numeric>

#include "signstep/data/shuffle.h"
#include "tests/data/fixtures.h"

namespace signstep {
namespace {

TEST(Split, PartsAreAscendingDisjointAndCover) {
  for (size_t validation : {0, 1, 7, 5000, 9999}) {
    const Split split = make_split(10000, validation);
    EXPECT_EQ(split.validation.size(), validation);
    EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
    EXPECT_TRUE(std::is_sorted(split.validation.begin(), split.validation.end()));
    std::vector<uint32_t> all;
    std::merge(split.train.begin(), split.train.end(), split.validation.begin(), split.validation.end(),
               std::back_inserter(all));
    std::vector<uint32_t> wanted(10000);
    std::iota(wanted.begin(), wanted.end(), 0u);
    EXPECT_EQ(all, wanted);
  }
}

// Every published validation accuracy rests on these images, so the permutation may never change.
TEST(Split, IsPinned) {
  EXPECT_THAT(make_split(50000, 5).validation, testing::ElementsAre(8270, 17970, 32851, 45479, 45834));
}

TEST(Split, SmallerHoldOutIsPartOfALarger) {
  const std::vector<uint32_t> small = make_split(1000, 100).validation, large = make_split(1000, 300).validation;
  EXPECT_TRUE(std::includes(large.begin(), large.end(), small.begin(), small.end()));
}

TEST(Split, FewerToTrainOnArePartOfMore) {
  const Split all = make_split(1000, 100), few = make_split(1000, 100, 50), more = make_split(1000, 100, 200);
  EXPECT_EQ(few.validation, all.validation);
  EXPECT_EQ(few.train.size(), 50u);
  EXPECT_TRUE(std::is_sorted(few.train.begin(), few.train.end()));
  EXPECT_TRUE(std::includes(more.train.begin(), more.train.end(), few.train.begin(), few.train.end()));
  EXPECT_TRUE(std::includes(all.train.begin(), all.train.end(), more.train.begin(), more.train.end()));
  EXPECT_EQ(make_split(1000, 100, 900).train, all.train);
  EXPECT_THROW(make_split(1000, 100, 901), OptionError);
}

TEST(Split, LeavesSomethingToTrainOn) {
  EXPECT_THAT(message_of<OptionError>([] { make_split(100, 100); }),
              testing::HasSubstr("100 validation images of 100"));
  EXPECT_THROW(make_split(0, 0), OptionError);
}

TEST(Shuffle, IsUniformOverPermutations) {
  int counts[24] = {};
  for (uint64_t epoch = 0; epoch < 24000; ++epoch) {
    std::vector<uint32_t> values = {0, 1, 2, 3};
    shuffle(values, Stream(1, Purpose::kShuffle, epoch));
    int rank = 0;
    for (size_t i = 0; i < 4; ++i) {
      const auto later = values.begin() + static_cast<std::ptrdiff_t>(i);
      rank = rank * static_cast<int>(4 - i) +
             static_cast<int>(std::count_if(later, values.end(), [&](uint32_t v) { return v < values[i]; }));
    }
    ++counts[rank];
  }
  double chi_square = 0;
  for (int count : counts) chi_square += (count - 1000.0) * (count - 1000.0) / 1000;
  EXPECT_LT(chi_square, 49.7);  // 23 degrees of freedom, p = 0.001
}

}  // namespace
}  // namespace signstep
