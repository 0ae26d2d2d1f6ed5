// SPDX-License-Identifier: Apache-2.0
#include "signstep/wire/majority_vote.h"

#include <gtest/gtest.h>

#include <vector>

#include "signstep/base/error.h"
#include "signstep/kernels/sign_bits.h"
#include "signstep/wire/rank_threads.h"
#include "tests/support/message_of.h"

namespace signstep {
namespace {

constexpr std::chrono::milliseconds kLong = std::chrono::minutes(2);

// Votes of all ranks, one after the other.
std::vector<uint64_t> random_votes(size_t words, uint64_t seed) {
  SequentialRandom random(Stream(seed, Purpose::kSample));
  std::vector<uint64_t> votes(words);
  for (uint64_t& word : votes) word = uint64_t{random.next()} << 32 | random.next();
  return votes;
}

TEST(WireVote, EqualsTheDirectCountAndCostsWhatTheFormulaSays) {
  for (size_t ranks = 1; ranks <= 5; ++ranks) {
    for (const size_t words : {0, 1, 2, 3, 4, 5, 6, 7, 8, 64, 1001}) {
      for (const TieRule rule : {TieRule::kRandom, TieRule::kPlus}) {
        const std::vector<uint64_t> votes = random_votes(ranks * words, 10 * ranks + words);
        std::vector<uint64_t> expected(words);
        majority_of_ref(votes, ranks, {.rule = rule, .seed = 5, .step = 6, .message = 7}, expected);
        run_ranks(ranks, kLong, [&](Communicator& world) {
          const auto mine = votes.begin() + static_cast<std::ptrdiff_t>(world.rank() * words);
          std::vector<uint64_t> bits(mine, mine + static_cast<std::ptrdiff_t>(words));
          SerialExecutor serial;
          majority_vote(world, bits, {.ties = rule, .seed = 5, .step = 6, .message = 7}, serial);
          EXPECT_EQ(bits, expected) << ranks << " ranks, " << words << " words";
          EXPECT_EQ(world.sent().total(), vote_bytes(words, ranks));
        });
      }
    }
  }
}

TEST(WireVote, CostsTwoBitsACoordinateAtMost) {
  EXPECT_EQ(vote_bytes(1000, 1), 0u);
  EXPECT_EQ(vote_bytes(1000, 2), 8000u);   // 1 bit: each sends half of its bits, then half of the result
  EXPECT_EQ(vote_bytes(1000, 4), 12000u);  // 3/2
  EXPECT_EQ(vote_bytes(1001, 4), 2u * 3 * 251 * 8);
}

TEST(WireVote, PaddingOfTensorsIsNeverCounted) {
  run_ranks(2, kLong, [](Communicator& world) {
    SerialExecutor serial;
    // Three tensors of 1, 65 and 3 elements, each from a word of its own on; the ranks differ everywhere.
    std::vector<uint64_t> bits(4);
    const Stream coins(1, Purpose::kZeroCoin);
    const std::vector<float> signs(65, world.rank() == 0 ? 1.0f : -1.0f);
    pack_signs({signs.data(), 1}, ZeroPolicy::kRandom, coins, {bits.data(), 1}, serial);
    pack_signs({signs.data(), 65}, ZeroPolicy::kRandom, coins, {bits.data() + 1, 2}, serial);
    pack_signs({signs.data(), 3}, ZeroPolicy::kRandom, coins, {bits.data() + 3, 1}, serial);
    majority_vote(world, bits, {.ties = TieRule::kPlus}, serial);
    EXPECT_EQ(bits, (std::vector<uint64_t>{1, ~uint64_t{0}, 1, 7}));
  });
}

TEST(WireVote, RefusesWhatDoesNotFitTheCounterAndLeavesTheBits) {
  EXPECT_NE(message_of<OptionError>([] {
              run_ranks(2, kLong, [](Communicator& world) {
                std::vector<uint64_t> bits(3, world.rank());
                SerialExecutor serial;
                try {
                  majority_vote(world, bits, {.step = uint64_t{1} << 48}, serial);
                } catch (const OptionError&) {
                  EXPECT_EQ(bits, std::vector<uint64_t>(3, world.rank()));
                  throw;
                }
              });
            }),
            "");
}

}  // namespace
}  // namespace signstep
