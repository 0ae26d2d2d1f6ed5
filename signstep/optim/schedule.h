// SPDX-License-Identifier: Apache-2.0
// The learning-rate schedule: a factor f(t) of the peak rate, a pure function of the step.
#pragma once

#include <cstdint>
#include <vector>

#include "signstep/base/option.h"

namespace signstep {

enum class ScheduleKind { kConstant, kStep, kCosine, kOneCycle, kLinear };

struct ScheduleOptions {
  ScheduleKind schedule = ScheduleKind::kCosine;
  double warmup = 0.0;                           // [0, 1): share of the run with a linear ramp first
  double final_factor = 0.0;                     // [0, 1]: what cosine and linear end at
  std::vector<double> milestones = {0.5, 0.75};  // shares of the run, rising, at which step multiplies by step_factor
  double step_factor = 0.1;                      // (0, 1]
};

void describe(OptionList& list, ScheduleOptions& options);

// Built once per run; throws OptionError for an option out of its range.
class Schedule {
 public:
  Schedule(const ScheduleOptions& options, uint64_t total_steps);
  // Factor for step t = 0 .. total_steps - 1; later steps keep the last factor. After w warm-up steps with factors
  // 1/(w+1) .. w/(w+1), with tau in [0, 1] the share of the remaining run:
  //   constant 1;  step step_factor^(milestones passed);  cosine f + (1 - f) (1 + cos(pi tau)) / 2
  //   (Loshchilov, Hutter 2017, arXiv 1608.03983);  one-cycle: cosine from 1/25 to 1 over the first 30 %, then to
  //   1e-4/25 (Smith, Topin 2018, arXiv 1708.07120, in the form that PyTorch gives it);  linear 1 - (1 - f) tau, with
  //   warm-up a triangle.
  double factor(uint64_t t) const;

 private:
  ScheduleOptions options_;
  uint64_t total_, warmup_steps_ = 0;
};

}  // namespace signstep
