// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/sign_descent.h"

#include <cmath>

#include "signstep/theory/bounds.h"

namespace signstep {

DescentResult sign_descent(const Problem& problem, const DescentOptions& o) {
  SequentialRandom random(Stream(o.seed, Purpose::kProblem, o.steps, o.batch, static_cast<uint32_t>(o.noise)));
  std::vector<double> x = problem.start(), g(x.size());
  DescentResult result;
  for (uint64_t step = 0; step < o.steps; ++step) {
    if (o.curve_every > 0 && step % o.curve_every == 0) result.curve.push_back(problem.gap(x));
    problem.gradient(x, g);
    for (size_t i = 0; i < x.size(); ++i) {
      const double sigma = problem.sigma()[i];
      result.weighted += std::fabs(g[i]) * snr_weight(signal_to_noise(g[i], sigma / std::sqrt(o.batch), o.dither));
      result.l1 += std::fabs(g[i]);
      result.l2_squared += g[i] * g[i];
      double u = g[i] + sigma * noise_mean(o.noise, o.batch, random);
      if (o.dither > 0) u += o.dither * random.normal();
      x[i] -= o.learning_rate * ((u > 0) - (u < 0));
    }
  }
  const auto steps = static_cast<double>(o.steps);
  result.weighted /= steps;
  result.l1 /= steps;
  result.l2_squared /= steps;
  result.final_gap = problem.gap(x);
  if (o.curve_every > 0) result.curve.push_back(result.final_gap);
  return result;
}

}  // namespace signstep
