// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/scaled_vote.h"

#include <cmath>

#include "signstep/kernels/zero_coins.h"
#include "signstep/parallel/pieces.h"
#include "signstep/parallel/thread_pool.h"
#include "signstep/wire/rank_threads.h"
#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

constexpr std::chrono::milliseconds kLong = std::chrono::minutes(2);
constexpr uint64_t kSeed = 7;

// Tensors that end within words and slices, one that is empty, one longer than a piece.
std::vector<TensorSlot> slots(size_t large) { return {{0, 130}, {130, 0}, {192, 1}, {200, large}}; }

float random_bit(uint64_t seed, uint64_t i) { return Stream(seed, Purpose::kSample).word(i) & 1 ? 1.0f : -1.0f; }

// Element by element, by the definition; residual is everyone's.
void step_by_hand(std::span<const TensorSlot> tensors, size_t ranks, uint64_t step,
                  const std::vector<std::vector<double>>& scales, std::vector<float>& residual,
                  std::vector<float>& moved) {
  for (size_t t = 0; t < tensors.size(); ++t) {
    double norm = 0;
    const auto [begin, n, shape] = tensors[t];
    for (size_t i = 0; i < n; ++i) {
      for (size_t r = 0; r < ranks; ++r)
        residual[begin + i] += random_bit(100 * step + r, begin + i) * static_cast<float>(scales[r][t] / double(ranks));
      norm += std::abs(residual[begin + i]);
    }
    const auto scale = static_cast<float>(n == 0 ? 0.0 : norm / double(n));
    const Stream coins(kSeed, Purpose::kTieCoin, step, static_cast<uint32_t>(t), kSharedRank);
    for (size_t i = 0; i < n; ++i) {
      float& v = residual[begin + i];
      const bool plus = v > 0 || (v == 0 && zero_coins(coins, i / 64) >> (i % 64) & 1);
      moved[begin + i] += plus ? scale : -scale;
      v -= plus ? scale : -scale;
    }
  }
}

void expect_by_hand(size_t ranks, size_t large, Executor& executor, double tolerance) {
  const std::vector<TensorSlot> tensors = slots(large);
  const size_t all = 200 + large;
  std::vector<size_t> sizes;
  for (const TensorSlot& slot : tensors) sizes.push_back(slot.size);
  std::vector<std::vector<double>> scales(ranks);
  for (size_t r = 0; r < ranks; ++r)  // the first two alike, so that coordinates cancel to 0
    for (size_t t = 0; t < tensors.size(); ++t) scales[r].push_back(r < 2 ? 0.5 : 0.25 * double(r + t));
  std::vector<float> residual(all), want(all);
  for (uint64_t step = 0; step < 3; ++step) step_by_hand(tensors, ranks, step, scales, residual, want);

  std::vector<std::vector<float>> moved(ranks, std::vector<float>(all)), own(moved);
  run_ranks(ranks, kLong, [&](Communicator& world) {
    const size_t rank = world.rank();
    SerialExecutor serial;
    Executor& mine = rank == 0 ? executor : serial;
    for (uint64_t step = 0; step < 3; ++step) {
      Ballot ballot(sizes);
      for (size_t t = 0; t < sizes.size(); ++t)
        for (size_t i = 0; i < sizes[t]; ++i)
          if (random_bit(100 * step + rank, tensors[t].offset + i) > 0)
            ballot.words(t)[i / 64] |= uint64_t{1} << i % 64;
      const std::vector<double> out =
          vote_scaled_signs(world, ballot, tensors, scales[rank], own[rank], kSeed, step, mine);
      for (size_t t = 0; t < sizes.size(); ++t)
        for (size_t i = 0; i < sizes[t]; ++i) {
          const auto scale = static_cast<float>(out[t]);
          moved[rank][tensors[t].offset + i] += ballot.words(t)[i / 64] >> (i % 64) & 1 ? scale : -scale;
        }
    }
  });
  for (size_t r = 1; r < ranks; ++r) ASSERT_EQ(moved[r], moved[0]);
  for (size_t i = 0; i < all; ++i) {
    float sum = 0;
    for (size_t r = 0; r < ranks; ++r) sum += own[r][i];  // all but its owner's are 0
    ASSERT_NEAR(sum, residual[i], tolerance) << ranks << " ranks, coordinate " << i;
    ASSERT_NEAR(moved[0][i], want[i], tolerance) << ranks << " ranks, coordinate " << i;
  }
}

TEST(ScaledVote, EqualsTheDefinitionForAnyOwnerOfASlice) {
  SerialExecutor serial;
  for (size_t ranks = 1; ranks <= 7; ++ranks) expect_by_hand(ranks, 300, serial, 1e-6);
}

TEST(ScaledVote, OnThreadsToo) {
  ThreadPool threads(3);
  expect_by_hand(2, kPieceElements * 2 + 77, threads, 1e-6);
}

}  // namespace
}  // namespace signstep
