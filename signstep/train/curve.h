// SPDX-License-Identifier: Apache-2.0
// What the steps of an epoch looked like, thinned out: a record's "curve" holds parallel arrays, "events" what
// happened.
#pragma once

#include <nlohmann/json.hpp>

#include "signstep/optim/sign_optimizer.h"

namespace signstep {

// Appends a point: step (counted from 1), learning rate, dither level, gamma, Lambda and the SGD rate; null where a
// step has none.
void append_point(nlohmann::ordered_json& curve, uint64_t step, double learning_rate, const StepReport& report);

// Without the arrays that are null or 0 throughout: a run without dither and switch keeps its steps and rates.
nlohmann::ordered_json without_silent(nlohmann::ordered_json curve);

// A switch as an object of the record's "events".
nlohmann::ordered_json event_json(const SwitchEvent& event);

const char* phase_name(SwitchPhase phase);

}  // namespace signstep
