// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "signstep/base/error.h"

namespace signstep {
namespace {

double cosine_between(double from, double to, double tau) {
  return to + (from - to) * 0.5 * (1.0 + std::cos(std::numbers::pi * tau));
}

}  // namespace

void describe(OptionList& list, ScheduleOptions& o) {
  list.group("Schedule");
  list.choice("schedule", o.schedule, {"constant", "step", "cosine", "one-cycle", "linear"},
              "shape of the learning rate over the run")
      .role(Role::kCommon);
  list.number("warmup", o.warmup, Range::fraction(), "share of the run", "linear ramp at the start")
      .role(Role::kCommon);
  list.number("final_factor", o.final_factor, Range::closed(0, 1), "of the peak rate", "where cosine and linear end");
  list.numbers(
      "milestones", o.milestones,
      {.each = {.low = 0, .high = 1, .low_open = true, .high_open = true}, .rising = true, .comma_may_end = true},
      "rising shares of the run between 0 and 1, separated by commas, such as 0.5,0.75",
      "shares of the run at which schedule step lowers the rate");
  list.number("step_factor", o.step_factor, {.low = 0, .high = 1, .low_open = true}, "",
              "what each milestone multiplies by");
}

Schedule::Schedule(const ScheduleOptions& options, uint64_t total_steps)
    : options_(options), total_(std::max<uint64_t>(total_steps, 1)) {
  OptionList list;
  describe(list, options_);
  list.validate();
  warmup_steps_ = static_cast<uint64_t>(options_.warmup * static_cast<double>(total_));
}

double Schedule::factor(uint64_t t) const {
  t = std::min(t, total_ - 1);
  if (t < warmup_steps_) return static_cast<double>(t + 1) / static_cast<double>(warmup_steps_ + 1);
  const double share = static_cast<double>(t) / static_cast<double>(total_);
  const double tau =
      static_cast<double>(t - warmup_steps_) / static_cast<double>(std::max<uint64_t>(total_ - warmup_steps_, 1));
  switch (options_.schedule) {
    case ScheduleKind::kConstant: return 1.0;
    case ScheduleKind::kStep:
      return std::pow(options_.step_factor, std::count_if(options_.milestones.begin(), options_.milestones.end(),
                                                          [&](double m) { return share >= m; }));
    case ScheduleKind::kCosine: return cosine_between(1.0, options_.final_factor, tau);
    case ScheduleKind::kLinear: return 1.0 - (1.0 - options_.final_factor) * tau;
    case ScheduleKind::kOneCycle: {
      constexpr double kRise = 0.3, kStart = 1.0 / 25, kEnd = kStart * 1e-4;
      return tau < kRise ? cosine_between(kStart, 1.0, tau / kRise)
                         : cosine_between(1.0, kEnd, (tau - kRise) / (1 - kRise));
    }
  }
  return 1.0;
}

}  // namespace signstep
