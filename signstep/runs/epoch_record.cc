// SPDX-License-Identifier: Apache-2.0
#include "signstep/runs/epoch_record.h"

#include <algorithm>

namespace signstep {

void drop_silent(StepCurve& curve) {
  for (std::vector<double>* values : {&curve.dither_level, &curve.gamma, &curve.lambda, &curve.sgd_rate})
    if (std::all_of(values->begin(), values->end(), [](double v) { return std::isnan(v) || v == 0; })) values->clear();
}

// Within a step the probe comes first and the phase last.
std::vector<EpochCourse::Part> EpochCourse::order() const {
  const auto first = [](const std::vector<uint64_t>& steps) { return steps.empty() ? UINT64_MAX : steps.front(); };
  std::vector<std::pair<uint64_t, Part>> parts = {
      {first(probe.step), Part::kProbe},
      {first(curve.step), Part::kCurve},
      {events.empty() ? UINT64_MAX : events.front().step, Part::kEvents},
      {first(curve.step), Part::kPhase},  // every step has one
  };
  std::sort(parts.begin(), parts.end());
  std::vector<Part> out;
  for (const auto& [step, part] : parts) out.push_back(part);
  return out;
}

}  // namespace signstep
