// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/gradient_probe.h"

#include <algorithm>
#include <cmath>

#include "signstep/kernels/reduce.h"
#include "signstep/parallel/pieces.h"

namespace signstep {
namespace {

// Epochs from here on are the probe's: no run comes so far, and another epoch means another order and other windows.
constexpr uint64_t kFirstEpoch = uint64_t{1} << 47;

LoaderOptions one_at_a_time(LoaderOptions options) {
  options.threads = options.prefetch = 1;
  return options;
}

// Counts are whole numbers, so their order is free. A product of two floats is exact in double: it is 0 only if one is.
double sign_agreement(std::span<const float> a, std::span<const float> b, Executor& executor) {
  struct Counts {
    size_t equal = 0, compared = 0;
    void operator+=(const Counts& o) { equal += o.equal, compared += o.compared; }
  };
  const auto all = sum_pieces<Counts>(a.size(), executor, [&](size_t begin, size_t end) {
    Counts counts;
    for (size_t i = begin; i < end; ++i) {
      const double product = static_cast<double>(a[i]) * b[i];
      counts.equal += product > 0;
      counts.compared += product != 0;
    }
    return counts;
  });
  return static_cast<double>(all.equal) / static_cast<double>(all.compared);
}

}  // namespace

GradientPair compare_gradients(std::span<const float> g1, std::span<const float> g2, size_t coordinates,
                               Executor& executor) {
  GradientPair pair;
  pair.signal = dot(g1, g2, executor);
  pair.squared_norm = sum_of_squares(g1, executor);
  pair.agreement = std::isfinite(pair.signal) ? sign_agreement(g1, g2, executor) : std::nan("");
  const double l1 = l1_norm(g1, executor);
  pair.density = l1 * l1 / (static_cast<double>(coordinates) * pair.squared_norm);
  return pair;
}

GradientProbe::GradientProbe(const ImageSet& set, std::vector<uint32_t> indices, const Normalization& normalization,
                             LoaderOptions training)
    : loader_(set, std::move(indices), normalization, one_at_a_time(training)) {}

GradientPair GradientProbe::measure(Engine& engine, size_t count, uint64_t step) {
  loader_.start_epoch(kFirstEpoch + step);
  loader_.next(batch_);
  // As small as the step's own, which may be an epoch's last: noise depends on the size.
  const size_t image_size = batch_.images.size() / batch_.count;
  batch_.count = std::min(count, batch_.count);
  batch_.images.resize(batch_.count * image_size);
  batch_.labels.resize(batch_.count);

  const auto keep = [](std::span<const float> values, std::vector<float>& in) {
    in.assign(values.begin(), values.end());
  };
  keep(engine.gradients(), gradient_);
  keep(engine.buffers(), buffers_);
  engine.forward_backward(batch_);
  const std::span<float> gradients = engine.gradients();
  const GradientPair pair =
      compare_gradients(gradient_, gradients, engine.network().parameter_count(), engine.executor());
  std::copy(gradient_.begin(), gradient_.end(), gradients.begin());
  std::copy(buffers_.begin(), buffers_.end(), engine.buffers().begin());
  return pair;
}

void append_pair(ProbePairs& pairs, uint64_t step, const GradientPair& pair, double seconds) {
  pairs.step.push_back(step);
  pairs.signal.push_back(pair.signal);
  pairs.squared_norm.push_back(pair.squared_norm);
  pairs.noise.push_back(pair.noise());
  pairs.agreement.push_back(pair.agreement);
  pairs.density.push_back(pair.density);
  pairs.seconds.push_back(seconds);
}

}  // namespace signstep
