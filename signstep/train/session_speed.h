// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace signstep {

// How fast this process trains; measuring accuracy is left out.
struct SessionSpeed {
  double seconds = 0, probe_seconds = 0;
  uint64_t images = 0, steps = 0;

  void add(double step_seconds, double step_probe_seconds, uint64_t step_images) {
    seconds += step_seconds;
    probe_seconds += step_probe_seconds;
    images += step_images;
    ++steps;
  }
  // None before the first step.
  std::optional<double> images_per_second() const {
    return seconds > 0 ? std::optional(static_cast<double>(images) / seconds) : std::nullopt;
  }
  double seconds_per_step() const { return (seconds + probe_seconds) / static_cast<double>(steps); }
};

}  // namespace signstep
