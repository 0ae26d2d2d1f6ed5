// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/mean_squares.h"

#include <algorithm>

#include "signstep/random/random.h"
#include "signstep/wire/sum_over_ranks.h"

namespace signstep {
namespace {

constexpr size_t kTaken = 64, kStretch = 64 * kTaken;

// What is taken of [begin, begin + size) of a tensor: taken elements, the first and each apart from the one before,
// around the end to its beginning.
struct Stretch {
  size_t tensor, begin, size, taken, first = 0, apart = 1;
};

std::vector<Stretch> sample(std::span<const std::span<const float>> values, uint64_t seed, uint64_t step) {
  std::vector<Stretch> out;
  for (size_t t = 0; t < values.size(); ++t) {
    const size_t n = values[t].size(), stretches = std::max<size_t>(1, n / kStretch);
    SequentialRandom draws(Stream(seed, Purpose::kCalibrate, step, static_cast<uint32_t>(t), kSharedRank));
    for (size_t k = 0; k < stretches; ++k) {
      const size_t begin = k * kStretch, size = k + 1 < stretches ? kStretch : n - begin;
      if (n < kStretch)
        out.push_back({t, begin, size, size});
      else  // odd, so that no dimension of the tensor, often a power of two, is met at the same place again and again
        out.push_back({t, begin, size, kTaken, draws.below(static_cast<uint32_t>(size)), size / kTaken | 1});
    }
  }
  return out;
}

}  // namespace

std::vector<double> mean_squares(Communicator& world, std::span<const std::span<const float>> values, uint64_t seed,
                                 uint64_t step, Executor& executor) {
  const std::vector<Stretch> stretches = sample(values, seed, step);
  std::vector<float> mean;
  for (const Stretch& s : stretches) {
    const float* const from = values[s.tensor].data() + s.begin;
    for (size_t i = 0; i < s.taken; ++i) mean.push_back(from[(s.first + i * s.apart) % s.size]);
  }
  mean_over_ranks(world, mean, executor);
  std::vector<double> squares(values.size());
  const float* next = mean.data();
  for (const Stretch& s : stretches) {
    double square = 0;
    for (const float* end = next + s.taken; next != end; ++next) square += static_cast<double>(*next) * *next;
    if (s.taken > 0) squares[s.tensor] += square * (static_cast<double>(s.size) / static_cast<double>(s.taken));
  }
  return squares;
}

}  // namespace signstep
