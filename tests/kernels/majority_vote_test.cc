// SPDX-License-Identifier: Apache-2.0
#include "signstep/kernels/majority_vote.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/kernels/sign_bits.h"
#include "signstep/kernels/zero_coins.h"
#include "signstep/parallel/thread_pool.h"
#include "tests/kernels/each_target.h"
#include "tests/support/message_of.h"

namespace signstep {
namespace {

constexpr size_t kLengths[] = {0, 1, 31, 32, 33, 63, 64, 65};

std::vector<uint64_t> random_words(size_t count, uint64_t seed) {
  SequentialRandom random(Stream(seed, Purpose::kSample));
  std::vector<uint64_t> words(count);
  for (uint64_t& word : words) word = uint64_t{random.next()} << 32 | random.next();
  return words;
}

// Element i is +1 at the first (i + shift) % (workers + 1) workers: every count occurs, and what wins is known.
std::vector<uint64_t> counted_votes(size_t elements, size_t workers, size_t shift) {
  std::vector<uint64_t> votes(workers * sign_words(elements));
  for (size_t i = 0; i < elements; ++i)
    for (size_t k = 0; k < (i + shift) % (workers + 1); ++k)
      votes[k * sign_words(elements) + i / 64] |= uint64_t{1} << i % 64;
  return votes;
}

TEST(MajorityVote, KnownAnswers) {
  SerialExecutor serial;
  const VoteTies random{.seed = 3, .step = 9, .message = 2, .first_word = 5};
  VoteTies plus = random;
  plus.rule = TieRule::kPlus;
  const Stream coins(3, Purpose::kTieCoin, 9, 2, kSharedRank);
  for_each_target([&] {
    for (const size_t n : kLengths) {
      for (size_t workers = 1; workers <= 9; ++workers) {
        for (size_t shift = 0; shift <= workers; ++shift) {
          const std::vector<uint64_t> votes = counted_votes(n, workers, shift);
          std::vector<uint64_t> by_coin(sign_words(n), ~uint64_t{0}), by_plus = by_coin;
          majority_of(votes, workers, random, by_coin, serial);
          majority_of(votes, workers, plus, by_plus, serial);
          for (size_t i = 0; i < 64 * sign_words(n); ++i) {
            const size_t count = i < n ? (i + shift) % (workers + 1) : 0;
            const bool tie = 2 * count == workers, more = 2 * count > workers;
            const bool coin = zero_coins(coins, 5 + i / 64) >> i % 64 & 1;
            ASSERT_EQ(by_coin[i / 64] >> i % 64 & 1, tie ? coin : more) << n << " " << workers << " " << i;
            ASSERT_EQ(by_plus[i / 64] >> i % 64 & 1, tie || more) << n << " " << workers << " " << i;
          }
        }
      }
    }
  });
}

TEST(MajorityVote, EveryTargetEqualsTheReference) {
  ThreadPool pool(3);
  for (const size_t workers : {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 64, 100, 1023, 1024}) {
    const size_t words = workers < 10 ? 4096 + 77 : 77;  // more than one piece, and no multiple of a run of coins
    const std::vector<uint64_t> votes = random_words(workers * words, workers);
    for (const TieRule rule : {TieRule::kRandom, TieRule::kPlus}) {
      for (const uint64_t first : {0, 1, 31, 1000}) {
        const VoteTies ties{rule, 7, 3, 1, first};
        std::vector<uint64_t> got(words), want(words);
        majority_of_ref(votes, workers, ties, want);
        for_each_target([&] {
          majority_of(votes, workers, ties, got, pool);
          ASSERT_EQ(got, want) << workers << " workers from word " << first;
        });
      }
    }
  }
}

TEST(MajorityVote, MostWorkersAllAgreeingAndOneShort) {
  SerialExecutor serial;
  for_each_target([&] {
    for (const size_t workers : {kMostWorkers, kMostWorkers - 1}) {
      std::vector<uint64_t> votes(workers, ~uint64_t{0}), majority(1);
      majority_of(votes, workers, {}, majority, serial);
      EXPECT_EQ(majority[0], ~uint64_t{0});
      const size_t needed = workers / 2 + 1;
      std::fill(votes.begin() + static_cast<std::ptrdiff_t>(needed), votes.end(), 0);
      majority_of(votes, workers, {}, majority, serial);
      EXPECT_EQ(majority[0], ~uint64_t{0}) << needed << " of " << workers;
      votes[0] = ~uint64_t{1};
      const VoteTies plus{.rule = TieRule::kPlus};
      majority_of(votes, workers, plus, majority, serial);
      EXPECT_EQ(majority[0], workers % 2 == 0 ? ~uint64_t{0} : ~uint64_t{1});
    }
  });
}

TEST(MajorityVote, TheSameCoinWhoeverOwnsTheSlice) {
  constexpr size_t kWords = 333, kWorkers = 4;
  const std::vector<uint64_t> votes = random_words(kWorkers * kWords, 1);
  VoteTies ties{.seed = 11, .step = 4};
  std::vector<uint64_t> whole(kWords);
  SerialExecutor serial;
  majority_of(votes, kWorkers, ties, whole, serial);
  for (const size_t slice : {1, 7, 64, 100}) {
    std::vector<uint64_t> pieced(kWords);
    for (size_t begin = 0; begin < kWords; begin += slice) {
      const size_t count = std::min(slice, kWords - begin);
      std::vector<uint64_t> part;
      for (size_t k = 0; k < kWorkers; ++k)
        part.insert(part.end(), votes.begin() + static_cast<std::ptrdiff_t>(k * kWords + begin),
                    votes.begin() + static_cast<std::ptrdiff_t>(k * kWords + begin + count));
      ties.first_word = begin;
      majority_of(part, kWorkers, ties, {pieced.data() + begin, count}, serial);
    }
    EXPECT_EQ(pieced, whole) << "slices of " << slice;
  }
}

TEST(MajorityVote, CoinsAreFairAndDifferByStepAndMessage) {
  constexpr size_t kWords = 4096;
  SerialExecutor serial;
  std::vector<uint64_t> votes(2 * kWords);
  std::fill(votes.begin(), votes.begin() + kWords, ~uint64_t{0});  // nothing but ties
  const auto coins = [&](const VoteTies& ties) {
    std::vector<uint64_t> majority(kWords);
    majority_of(votes, 2, ties, majority, serial);
    return majority;
  };
  const auto same_bits_of = [](const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
    double same = 0;
    for (size_t w = 0; w < kWords; ++w) same += 64 - std::popcount(a[w] ^ b[w]);
    return same / (64 * kWords);
  };
  const std::vector<uint64_t> first = coins({.seed = 1});
  EXPECT_NEAR(same_bits_of(first, std::vector<uint64_t>(kWords)), 0.5, 0.005) << "5 standard deviations";
  EXPECT_NEAR(same_bits_of(first, coins({.seed = 1, .step = 1})), 0.5, 0.005);
  EXPECT_NEAR(same_bits_of(first, coins({.seed = 1, .message = 1})), 0.5, 0.005);
  EXPECT_NEAR(same_bits_of(first, coins({.seed = 2})), 0.5, 0.005);
}

TEST(MajorityVote, RefusesWhatCannotBe) {
  SerialExecutor serial;
  std::vector<uint64_t> votes(1), majority(1, 42);
  const auto message = [&](size_t workers, const VoteTies& ties) {
    return message_of<OptionError>([&] { majority_of({votes.data(), workers == 1}, workers, ties, majority, serial); });
  };
  EXPECT_EQ(
      message(1, {.first_word = uint64_t{1} << 33}),
      "a vote on words of a message from 8589934592 on, 1 of them; wanted words below 2^33; vote in more messages");
  EXPECT_NE(message(1, {.first_word = ~uint64_t{0}}), "") << "a sum that wraps";
  EXPECT_NE(message(1, {.step = uint64_t{1} << 48}), "");
  EXPECT_EQ(majority[0], 42u);
  majority.clear();
  EXPECT_EQ(message(0, {}), "a vote of 0 workers; wanted 1 to 65534");
  EXPECT_EQ(message(kMostWorkers + 1, {}), "a vote of 65535 workers; wanted 1 to 65534");
}

}  // namespace
}  // namespace signstep
