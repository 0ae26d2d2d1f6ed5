// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "signstep/kernels/majority_vote.h"
#include "signstep/kernels/sign_bits.h"
#include "tests/c/c_fixtures.h"

namespace signstep {
namespace {

TEST(CBits, PackUnpackAndApplyAreTheReferences) {
  for (const size_t n : {size_t{0}, size_t{1}, size_t{64}, size_t{1001}}) {
    std::vector<float> values(n);
    TraceNumbers(n).fill(values);
    if (n > 5) values[3] = 0, values[5] = NAN;
    ASSERT_EQ(signstep_words(n), sign_words(n));
    std::vector<uint64_t> words(sign_words(n)), wanted(sign_words(n));
    const signstep_draw coins{.seed = 9, .step = 4, .tensor = 2, .rank = 1};
    uint64_t nonfinite = 99;
    ASSERT_EQ(signstep_pack(values.data(), n, SIGNSTEP_ZERO_RANDOM, &coins, words.data(), &nonfinite), SIGNSTEP_OK);
    EXPECT_EQ(nonfinite, pack_signs_ref(values, ZeroPolicy::kRandom, Stream(9, Purpose::kZeroCoin, 4, 2, 1), wanted));
    EXPECT_EQ(words, wanted);

    std::vector<float> signs(n), expected(n), x = values, y = values;
    ASSERT_EQ(signstep_unpack(words.data(), n, signs.data()), SIGNSTEP_OK);
    unpack_signs_ref(words, expected);
    EXPECT_EQ(signs, expected);
    if (n > 5) x[5] = y[5] = 1;
    ASSERT_EQ(signstep_apply(words.data(), n, 0.1, 0.9, x.data()), SIGNSTEP_OK);
    apply_signs_ref(words, 0.1, 0.9, y);
    EXPECT_EQ(x, y);
  }
}

TEST(CBits, MajorityIsTheReference) {
  constexpr uint64_t kWorkers = 4, kWords = 33;
  std::vector<uint64_t> votes(kWorkers * kWords), majority(kWords), wanted(kWords);
  uint64_t state = 1;
  for (uint64_t& v : votes) v = state = state * 6364136223846793005u + 1442695040888963407u;
  const signstep_draw coins{.seed = 9, .step = 4, .tensor = 2, .rank = 0};
  for (const bool plus : {false, true}) {
    ASSERT_EQ(signstep_majority(votes.data(), kWorkers, kWords, plus ? SIGNSTEP_TIE_PLUS : SIGNSTEP_TIE_RANDOM, &coins,
                                7, majority.data()),
              SIGNSTEP_OK);
    majority_of_ref(votes, kWorkers, {plus ? TieRule::kPlus : TieRule::kRandom, 9, 4, 2, 7}, wanted);
    EXPECT_EQ(majority, wanted);
  }
}

TEST(CBits, WrongArgumentsAreRefused) {
  const signstep_draw coins{}, late{.seed = 0, .step = uint64_t{1} << 48, .tensor = 0, .rank = 0};
  float x = 1;
  uint64_t word = 0;
  EXPECT_EQ(signstep_pack(&x, 1, 0, &coins, &word, nullptr), SIGNSTEP_OPTION);
  EXPECT_NE(std::string(signstep_last_error()).find("no step"), std::string::npos);
  EXPECT_EQ(signstep_pack(&x, 1, SIGNSTEP_ZERO_PLUS, &late, &word, nullptr), SIGNSTEP_OPTION);
  EXPECT_EQ(signstep_pack(nullptr, 1, SIGNSTEP_ZERO_PLUS, &coins, &word, nullptr), SIGNSTEP_OPTION);
  EXPECT_EQ(signstep_apply(&word, 1, -1, 1, &x), SIGNSTEP_OPTION);
  EXPECT_EQ(signstep_apply(&word, 1, 1, 0, &x), SIGNSTEP_OPTION);
  EXPECT_EQ(signstep_majority(&word, 0, 1, SIGNSTEP_TIE_PLUS, &coins, 0, &word), SIGNSTEP_OPTION);
  EXPECT_EQ(signstep_majority(&word, 1, 1, 5, &coins, 0, &word), SIGNSTEP_OPTION);
  EXPECT_EQ(signstep_unpack(nullptr, 1, &x), SIGNSTEP_OPTION);
}

}  // namespace
}  // namespace signstep
