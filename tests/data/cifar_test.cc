// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/cifar.h"

#include "signstep/data/catalog.h"
#include "tests/data/fixtures.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr size_t kCifarPixels = 3 * 32 * 32;

void append(const std::string& name, const Bytes& bytes, ImageSet& set, size_t kind = 0) {
  const DatasetSpec& spec = find_dataset(name);
  kCifarReader.append(spec, spec.files[0], kind, bytes, "some/file", set);
}

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
  append("cifar10", record({3}, 10) + record({9}, 20), set);
  append("cifar10", record({0}, 30), set);
  EXPECT_EQ(set.count(), 3u);
  EXPECT_THAT(set.labels, ElementsAre(3, 9, 0));
  ASSERT_EQ(set.pixels.size(), 3 * kCifarPixels);
  for (size_t i = 0; i < set.pixels.size(); ++i) {
    ASSERT_EQ(set.pixels[i], static_cast<uint8_t>(10 + i / kCifarPixels * 10 + i % kCifarPixels)) << i;
  }
}

TEST(Cifar, HundredClassesOrTwenty) {
  const Bytes bytes = record({19, 99}, 0) + record({4, 0}, 0);
  ImageSet fine, coarse;
  append("cifar100", bytes, fine, 1);
  append("cifar100", bytes, coarse, 0);
  EXPECT_THAT(fine.labels, ElementsAre(99, 0));
  EXPECT_THAT(coarse.labels, ElementsAre(19, 4));
  EXPECT_EQ(fine.pixels, coarse.pixels);
}

TEST(Cifar, LabelsOutOfRangeNameFileRecordAndValue) {
  ImageSet set;
  const auto error = [&](const std::string& name, const Bytes& bytes, size_t kind = 0) {
    return message_of<DataError>([&] { append(name, bytes, set, kind); });
  };
  EXPECT_THAT(error("cifar10", record({0}, 0) + record({10}, 0)),
              AllOf(HasSubstr("some/file"), HasSubstr("record 1"), HasSubstr("label 10"), HasSubstr("0 to 9")));
  EXPECT_THAT(error("cifar100", record({20, 0}, 0), 1), HasSubstr("record 0 has coarse label 20"));
  EXPECT_THAT(error("cifar100", record({0, 100}, 0), 0), HasSubstr("record 0 has fine label 100"));
  EXPECT_EQ(set.count(), 0u);
}

TEST(Cifar, LengthIsAWholeNumberOfRecords) {
  ImageSet set;
  Bytes bytes = record({0}, 0) + record({1}, 0);
  const auto error = [&] { return message_of<DataError>([&] { append("cifar10", bytes, set); }); };
  bytes.pop_back();
  EXPECT_THAT(error(), AllOf(HasSubstr("some/file has 6145 bytes"), HasSubstr("6146 bytes for 2")));
  bytes.resize(6147);
  EXPECT_THAT(error(), HasSubstr("2 records of 3073 and 1 bytes more"));
  bytes.clear();
  EXPECT_THAT(error(), HasSubstr("has 0 bytes"));
}

}  // namespace
}  // namespace signstep
