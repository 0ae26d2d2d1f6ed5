// SPDX-License-Identifier: Apache-2.0
// The rules on plain arrays, without LibTorch: Signum with dither, then the calibrated switch to SGD, on a noisy
// quadratic f(x) = 1/2 sum_i a_i x_i^2.
#include <fmt/format.h>

#include <vector>

#include "signstep/optim/optimizer.h"
#include "signstep/parallel/thread_pool.h"
#include "signstep/random/random.h"

int main() {
  constexpr size_t kSize = 1000;
  constexpr uint64_t kSteps = 2000;
  const auto curvature = [](size_t i) { return 0.1f + static_cast<float>(i % 10); };

  // Options say what, the rule is the options put together; both are checked here, with a message for a wrong one.
  const signstep::OptimizerOptions optimizer("signum", {{"learning_rate", "0.01"}, {"decoupled_weight_decay", "0"}});
  const signstep::DitherOptions dither{.dither = signstep::DitherKind::kRelative};
  const signstep::SwitchOptions switching{.switch_when = signstep::SwitchWhen::kAt, .switch_at = 0.6};
  const auto rule = signstep::make_rule(optimizer, dither, switching, /*seed=*/1, kSteps);

  // Two tensors in one flat buffer, stepped together on two threads.
  const std::vector<signstep::TensorSlot> tensors = {{.offset = 0, .size = 600}, {.offset = 600, .size = 400}};
  signstep::OptimizerState state = signstep::make_state(*rule, kSize, tensors.size());
  signstep::ThreadPool threads(2);

  std::vector<float> x(kSize, 1.0f), gradient(kSize);
  const auto value = [&] {
    double f = 0;
    for (size_t i = 0; i < kSize; ++i) f += 0.5 * curvature(i) * x[i] * x[i];
    return f;
  };
  fmt::print("step {:>4}  f = {:.4f}\n", 0, value());
  for (uint64_t t = 0; t < kSteps; ++t) {
    signstep::SequentialRandom noise(signstep::Stream(2, signstep::Purpose::kProblem, t));
    for (size_t i = 0; i < kSize; ++i) gradient[i] = curvature(i) * x[i] + 0.1f * static_cast<float>(noise.normal());
    const double schedule = 1.0 - static_cast<double>(t) / kSteps;
    const auto report = signstep::optimizer_step(*rule, state, tensors, x, gradient, schedule, threads);
    if (report.switching.event) fmt::print("{}\n", report.switching.event->text());
    if ((t + 1) % 400 == 0) fmt::print("step {:>4}  f = {:.4f}\n", t + 1, value());
  }
  return value() < 0.05 ? 0 : 1;
}
