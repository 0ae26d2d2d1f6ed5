// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/switch_estimate.h"

#include <cmath>

namespace signstep {

StepStatistics total_of(std::span<const StepStatistics> tensors) {
  StepStatistics total;
  for (const StepStatistics& t : tensors) total += t;
  return total;
}

std::optional<double> rate_ratio(SwitchProjection projection, const StepStatistics& sums, SwitchNegative negative) {
  const auto nonzero = static_cast<double>(sums.nonzero);
  const double s_dot_v = negative == SwitchNegative::kAbsolute ? std::abs(sums.s_dot_v) : sums.s_dot_v;
  double ratio = 0;
  switch (projection) {
    case SwitchProjection::kSwats: ratio = nonzero / s_dot_v; break;
    case SwitchProjection::kInner: ratio = s_dot_v / sums.v_dot_v; break;
    case SwitchProjection::kNorm: ratio = std::sqrt(nonzero) / std::sqrt(sums.v_dot_v); break;
  }
  // A negative product gives a negative ratio, a zero one 0, infinity or NaN: one test refuses them all.
  if (!(std::isfinite(ratio) && ratio > 0)) return std::nullopt;
  return ratio;
}

double averaged(double rho, double lambda, double ratio) { return rho * lambda + (1 - rho) * ratio; }

double bias_corrected(double rho, double lambda, uint64_t estimates) {
  return estimates == 0 ? 0 : lambda / (1 - std::pow(rho, static_cast<double>(estimates)));
}

bool usable_rate(double rate) {
  const auto single = static_cast<float>(rate);
  return std::isfinite(single) && single > 0;
}

}  // namespace signstep
