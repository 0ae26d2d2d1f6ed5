// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/mean_squares.h"

#include <algorithm>

#include "signstep/random/random.h"
#include "signstep/wire/sum_over_ranks.h"

namespace signstep {
namespace {

constexpr size_t kBlock = 64, kStretch = 64 * kBlock;

// What is taken of [begin, begin + size) of a tensor: taken elements from first on, around the end to its beginning.
struct Stretch {
  size_t tensor, begin, size, first, taken;
};

std::vector<Stretch> sample(std::span<const std::span<const float>> values, uint64_t seed, uint64_t step) {
  std::vector<Stretch> out;
  for (size_t t = 0; t < values.size(); ++t) {
    const size_t n = values[t].size(), stretches = std::max<size_t>(1, n / kStretch);
    SequentialRandom draws(Stream(seed, Purpose::kCalibrate, step, static_cast<uint32_t>(t), kSharedRank));
    for (size_t k = 0; k < stretches; ++k) {
      const size_t begin = k * kStretch, size = k + 1 < stretches ? kStretch : n - begin;
      if (n < kStretch)
        out.push_back({t, begin, size, 0, size});
      else
        out.push_back({t, begin, size, draws.below(static_cast<uint32_t>(size)), kBlock});
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
    for (size_t i = 0; i < s.taken; ++i) mean.push_back(from[(s.first + i) % s.size]);
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
