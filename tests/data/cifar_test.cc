// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/cifar.h"

#include "tests/data/fixtures.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Bytes record(std::initializer_list<uint8_t> labels, uint8_t first_pixel) {
  Bytes bytes = labels;
  for (size_t i = 0; i < kCifarPixels; ++i) bytes.push_back(static_cast<uint8_t>(first_pixel + i));
  return bytes;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(Cifar, RecordsBecomePlanarImages) {
  ImageSet set;
  append_cifar(record({3}, 10) + record({9}, 20), kCifar10, "file", set);
  append_cifar(record({0}, 30), kCifar10, "file", set);
  EXPECT_EQ(set.count(), 3u);
  EXPECT_THAT(set.labels, ElementsAre(3, 9, 0));
  EXPECT_EQ(set.image_size(), kCifarPixels);
  ASSERT_EQ(set.pixels.size(), 3 * kCifarPixels);
  for (size_t i = 0; i < set.pixels.size(); ++i) {
    ASSERT_EQ(set.pixels[i], static_cast<uint8_t>(10 + i / kCifarPixels * 10 + i % kCifarPixels)) << i;
  }
}

TEST(Cifar, HundredClassesOrTwenty) {
  const Bytes bytes = record({19, 99}, 0) + record({4, 0}, 0);
  ImageSet fine, coarse;
  append_cifar(bytes, kCifar100, "file", fine);
  append_cifar(bytes, kCifar100Coarse, "file", coarse);
  EXPECT_THAT(fine.labels, ElementsAre(99, 0));
  EXPECT_THAT(coarse.labels, ElementsAre(19, 4));
  EXPECT_EQ(fine.classes, 100);
  EXPECT_EQ(coarse.classes, 20);
  EXPECT_EQ(fine.pixels, coarse.pixels);
}

TEST(Cifar, LabelsOutOfRangeNameFileRecordAndValue) {
  ImageSet set;
  const auto error = [&](const Bytes& bytes, const CifarLayout& layout) {
    return message_of<DataError>([&] { append_cifar(bytes, layout, "some/file", set); });
  };
  EXPECT_THAT(error(record({0}, 0) + record({10}, 0), kCifar10),
              AllOf(HasSubstr("some/file"), HasSubstr("record 1"), HasSubstr("label 10"), HasSubstr("0 to 9")));
  EXPECT_THAT(error(record({20, 0}, 0), kCifar100), HasSubstr("record 0 has coarse label 20"));
  EXPECT_THAT(error(record({0, 100}, 0), kCifar100Coarse), HasSubstr("record 0 has fine label 100"));
  EXPECT_EQ(set.count(), 0u);
}

TEST(Cifar, LengthIsAWholeNumberOfRecords) {
  ImageSet set;
  Bytes bytes = record({0}, 0) + record({1}, 0);
  const auto error = [&] { return message_of<DataError>([&] { append_cifar(bytes, kCifar10, "some/file", set); }); };
  bytes.pop_back();
  EXPECT_THAT(error(), AllOf(HasSubstr("some/file has 6145 bytes"), HasSubstr("6146 bytes for 2")));
  bytes.resize(6147);
  EXPECT_THAT(error(), HasSubstr("2 records of 3073 and 1 bytes more"));
  bytes.clear();
  EXPECT_THAT(error(), HasSubstr("has 0 bytes"));
}

}  // namespace
}  // namespace signstep
