// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/curve.h"

#include <algorithm>

namespace signstep {
namespace {

nlohmann::ordered_json number(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

}  // namespace

const char* phase_name(SwitchPhase phase) {
  return phase == SwitchPhase::kSign ? "sign" : phase == SwitchPhase::kBlend ? "blend" : "sgd";
}

void append_point(nlohmann::ordered_json& curve, uint64_t step, double learning_rate, const StepReport& report) {
  const SwitchReport& s = report.switching;
  curve["step"].push_back(step);
  curve["learning_rate"].push_back(learning_rate);
  curve["dither_level"].push_back(report.dither_level);
  curve["gamma"].push_back(number(s.gamma));
  curve["lambda"].push_back(number(s.lambda));
  curve["sgd_rate"].push_back(number(s.sgd_rate));
}

nlohmann::ordered_json without_silent(nlohmann::ordered_json curve) {
  for (const char* key : {"dither_level", "gamma", "lambda", "sgd_rate"}) {
    const auto& values = curve[key];
    const bool silent = std::all_of(values.begin(), values.end(), [](const auto& v) { return v.is_null() || v == 0; });
    if (silent) curve.erase(key);
  }
  return curve;
}

nlohmann::ordered_json event_json(const SwitchEvent& event) {
  return {{"step", event.step},
          {"event", event.reason == SwitchReason::kRefused ? "switch refused" : "switch"},
          {"lambda", event.lambda},
          {"sgd_rate", event.sgd_rate},
          {"heavy_ball_rate", event.heavy_ball_rate},
          {"text", event.text()}};
}

}  // namespace signstep
