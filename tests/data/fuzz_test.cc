// SPDX-License-Identifier: Apache-2.0
// Seeded mutations of valid files: a reader gives well-formed data or a DataError, whatever the bytes. Run under the
// sanitize preset, this also shows that nothing is read beyond them.
#include "signstep/data/catalog.h"
#include "signstep/data/gunzip.h"
#include "signstep/data/idx.h"
#include "tests/data/fixtures.h"

namespace signstep {
namespace {

constexpr int kRounds = 20000;

// A few random edits: overwritten, inserted or removed bytes, interesting values preferred.
Bytes mutate(Bytes bytes, SequentialRandom& random) {
  const uint8_t interesting[] = {0, 1, 3, 8, 0x7F, 0x80, 0xFF};
  for (uint32_t edits = 1 + random.below(6); edits > 0; --edits) {
    const uint32_t size = static_cast<uint32_t>(bytes.size());
    // Half of the edits hit the header, where the decisions are.
    const uint32_t at = random.below(1 + (random.below(2) ? std::min(size, 24u) : size));
    const uint8_t value = random.below(2) ? interesting[random.below(7)] : static_cast<uint8_t>(random.next());
    const auto place = bytes.begin() + at;
    switch (random.below(5)) {
      case 0: bytes.insert(place, value); break;
      case 1:
        if (at < size) bytes.erase(place, place + 1 + random.below(std::min(size - at, 8u)));
        break;
      case 2:
        if (random.below(8) == 0) bytes.resize(at);
        break;
      default:
        if (at < size) *place = value;
    }
  }
  return bytes;
}

// How many mutants were accepted; anything thrown but a DataError fails the test.
int fuzz(const Bytes& valid, uint64_t seed, const std::function<void(const Bytes&)>& read) {
  SequentialRandom random(Stream(seed, Purpose::kProblem));
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Bytes mutant = mutate(valid, random);
    try {
      read(mutant);
      ++accepted;
    } catch (const DataError& error) {
      EXPECT_STRNE(error.what(), "");
    }
  }
  return accepted;
}

TEST(Fuzz, Idx) {
  const ImageSet set = fixture_images(1, 4, 10, 3, 1);
  const int accepted = fuzz(idx_bytes({3, 4, 4}, set.pixels), 1, [](const Bytes& bytes) {
    const IdxArray array = parse_idx(bytes, 3, "mutant");
    size_t product = 1;
    for (uint32_t size : array.sizes) product *= size;
    ASSERT_EQ(array.values.size(), product);
    ASSERT_EQ(bytes.size(), 16 + product);
  });
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, kRounds);
}

TEST(Fuzz, Gunzip) {
  const ImageSet set = fixture_images(1, 28, 10, 1, 1);
  const int accepted = fuzz(gzip(idx_bytes({1, 28, 28}, set.pixels)), 2,
                            [](const Bytes& bytes) { ASSERT_LE(gunzip(bytes, "mutant", 5000).size(), 5000u); });
  EXPECT_LT(accepted, kRounds);
}

TEST(Fuzz, Cifar) {
  for (const auto& [name, kind] : {std::pair{"cifar10", size_t{0}}, {"cifar100", size_t{0}}, {"cifar100", size_t{1}}}) {
    const DatasetSpec& spec = find_dataset(name);
    const ImageSet valid = fixture_images(3, 32, spec.labels.back().classes, 2, 1);
    const int accepted = fuzz(cifar_bytes(valid, spec.labels.size()), 3, [&, kind = kind](const Bytes& bytes) {
      ImageSet set;
      spec.reader->append(spec, spec.files[0], kind, bytes, "mutant", set);
      ASSERT_EQ(set.count() * (spec.labels.size() + spec.image_bytes()), bytes.size());
      ASSERT_EQ(set.pixels.size(), set.count() * spec.image_bytes());
      for (uint8_t label : set.labels) ASSERT_LT(label, spec.labels[kind].classes);
    });
    EXPECT_GT(accepted, 0);
    EXPECT_LT(accepted, kRounds);
  }
}

}  // namespace
}  // namespace signstep
