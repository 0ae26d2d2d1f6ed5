// SPDX-License-Identifier: Apache-2.0
// Majority vote of 8 to 1,024 workers, simulated in one process with the kernels that ranks use: SignSGD on
// f(x) = |x|^2 / 2, every worker's gradient under noise 20 times as large as x at the start. Beside it, for ResNet-18's
// gradients, the bytes that a worker sends for a vote and for a float32 sum, and the time that these alone take
// (docs/distributed.md).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "signstep/kernels/majority_vote.h"
#include "signstep/kernels/sign_bits.h"
#include "signstep/random/random.h"
#include "signstep/wire/majority_vote.h"
#include "signstep/wire/sum_over_ranks.h"

namespace {

using namespace signstep;

constexpr size_t kSize = 256, kWords = kSize / 64;
constexpr uint64_t kSteps = 200, kResNet18 = 11'173'962;
constexpr float kNoise = 20;

// Mean |x_i| after the last step, from 1.
double distance_left(size_t workers) {
  std::vector<float> x(kSize, 1.0f), gradient(kSize);
  std::vector<uint64_t> votes(workers * kWords), majority(kWords);
  SerialExecutor serial;
  for (uint64_t t = 0; t < kSteps; ++t) {
    for (uint32_t r = 0; r < workers; ++r) {
      SequentialRandom noise(Stream(1, Purpose::kProblem, t, 0, r));
      for (size_t i = 0; i < kSize; ++i) gradient[i] = x[i] + kNoise * static_cast<float>(noise.normal());
      pack_signs(gradient, ZeroPolicy::kRandom, Stream(1, Purpose::kZeroCoin, t, 0, r),
                 std::span(votes).subspan(r * kWords, kWords), serial);
    }
    majority_of(votes, workers, {.seed = 1, .step = t}, majority, serial);
    const double rate = 0.02 * (1 - static_cast<double>(t) / kSteps);
    apply_signs(majority, rate, /*decay_factor=*/1, x, serial);
  }
  double sum = 0;
  for (const float value : x) sum += std::abs(value);
  return sum / kSize;
}

}  // namespace

int main() {
  fmt::print("            |x| left   a vote sends   at 1, 10, 100 Gbit/s       float32 sends   at 1, 10, 100 Gbit/s\n");
  double first = 0, last = 0;
  for (const size_t workers : {8, 64, 1024}) {
    last = distance_left(workers);
    if (workers == 8) first = last;
    fmt::print("{:>4} workers {:>8.3f}", workers, last);
    for (const uint64_t bytes : {vote_bytes(sign_words(kResNet18), workers), sum_bytes(kResNet18, workers)}) {
      const double bits = 8 * static_cast<double>(bytes);
      fmt::print("   {:>9.2f} MB   {:.3g}, {:.3g}, {:.3g} ms", static_cast<double>(bytes) / 1e6, bits / 1e6, bits / 1e7,
                 bits / 1e8);
    }
    fmt::print("\n");
  }
  return last < 0.3 * first ? 0 : 1;
}
