// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/curve.h"

namespace signstep {

const char* phase_name(SwitchPhase phase) {
  return phase == SwitchPhase::kSign ? "sign" : phase == SwitchPhase::kBlend ? "blend" : "sgd";
}

void append_point(StepCurve& curve, uint64_t step, double learning_rate, const StepReport& report) {
  const SwitchReport& s = report.switching;
  curve.step.push_back(step);
  curve.learning_rate.push_back(learning_rate);
  curve.dither_level.push_back(report.dither_level);
  curve.gamma.push_back(s.gamma.value_or(kNotSaid));
  curve.lambda.push_back(s.lambda.value_or(kNotSaid));
  curve.sgd_rate.push_back(s.sgd_rate.value_or(kNotSaid));
}

RunEvent event_record(const SwitchEvent& event) {
  return {.step = event.step,
          .event = event.reason == SwitchReason::kRefused ? RunEvent::kRefused : RunEvent::kSwitch,
          .lambda = event.lambda,
          .sgd_rate = event.sgd_rate,
          .heavy_ball_rate = event.heavy_ball_rate,
          .text = event.text()};
}

}  // namespace signstep
