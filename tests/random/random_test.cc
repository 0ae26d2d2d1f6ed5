// SPDX-License-Identifier: Apache-2.0
#include "signstep/random/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "signstep/base/error.h"

namespace signstep {
namespace {

// The published known answers of Random123 (kat_vectors, philox4x32 10).
TEST(Philox, PublishedVectors) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Stream, PutsEveryFieldWhereTheHeaderSays) {
  const Stream s(0x1122334455667788, Purpose::kTieCoin, 0xABCD12345678, 0xFEDCBA, 0x4321);
  EXPECT_EQ(s.key(), (PhiloxKey{0x55667788, 0x11223344}));
  EXPECT_EQ(s.counter(), (PhiloxCounter{0, 0x12345678, 0xFEDCBA05, 0x4321ABCD}));
  EXPECT_EQ(s.word(6), philox4x32({1, 0x12345678, 0xFEDCBA05, 0x4321ABCD}, s.key())[2]);
}

TEST(Stream, WhatDoesNotFitIsAnError) {
  EXPECT_THROW(Stream(1, Purpose::kDither, uint64_t{1} << 48), OptionError);
  EXPECT_THROW(Stream(1, Purpose::kDither, 0, 1u << 24), OptionError);
  EXPECT_THROW(Stream(1, Purpose::kDither, 0, 0, 0x10000), OptionError);
  EXPECT_NO_THROW(Stream(1, Purpose::kDither, (uint64_t{1} << 48) - 1, (1u << 24) - 1, kSharedRank));
}

TEST(SequentialRandom, BelowIsUniform) {
  SequentialRandom random(Stream(5, Purpose::kShuffle));
  constexpr int kBins = 7, kDraws = 700000;
  std::vector<int> counts(kBins);
  for (int i = 0; i < kDraws; ++i) ++counts.at(random.below(kBins));
  double chi2 = 0;
  for (int c : counts) chi2 += std::pow(c - kDraws / kBins, 2) / (kDraws / kBins);
  EXPECT_LT(chi2, 22.5);  // 6 degrees of freedom, p = 0.001
}

TEST(SequentialRandom, NormalHasItsMoments) {
  SequentialRandom random(Stream(6, Purpose::kInit));
  double mean = 0, square = 0, fourth = 0;
  constexpr int kDraws = 400000;
  for (int i = 0; i < kDraws; ++i) {
    const double z = random.normal();
    mean += z / kDraws;
    square += z * z / kDraws;
    fourth += z * z * z * z / kDraws;
  }
  EXPECT_NEAR(mean, 0, 4 / std::sqrt(kDraws));
  EXPECT_NEAR(square, 1, 4 * std::sqrt(2.0 / kDraws));
  EXPECT_NEAR(fourth, 3, 4 * std::sqrt(96.0 / kDraws));
}

}  // namespace
}  // namespace signstep
