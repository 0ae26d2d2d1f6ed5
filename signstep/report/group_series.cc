// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/group_series.h"

#include <algorithm>
#include <cmath>

namespace signstep {
namespace {

bool switches(const RunGroup& group) {
  const auto& config = group.runs.front().config;
  const auto found = config.find("switch_when");
  return found != config.end() && found->second != "never";
}

// Runs that switch are dashed: until the switch they lie on those that do not, which stay visible so. Dots tell the
// groups apart whose colours come round again.
SeriesStyle style_of(const RunGroup& group, size_t place) {
  if (switches(group)) return place < kColors ? SeriesStyle::kDashed : SeriesStyle::kDashDotted;
  return place < kColors ? SeriesStyle::kLine : SeriesStyle::kDotted;
}

}  // namespace

Series series_of(const RunGroup& group, GroupCurve curve, size_t place, double x_unit) {
  for (double& x : curve.x) x /= x_unit;
  const SeriesStyle style = style_of(group, place);
  return {.name = group.name,
          .x = std::move(curve.x),
          .y = std::move(curve.mean),
          .low = std::move(curve.low),
          .high = std::move(curve.high),
          .style = style,
          .color = place};
}

bool has_values(const GroupCurve& curve, bool positive) {
  return std::any_of(curve.mean.begin(), curve.mean.end(),
                     [&](double v) { return std::isfinite(v) && (!positive || v > 0); });
}

}  // namespace signstep
