// SPDX-License-Identifier: Apache-2.0
// When and how a sign rule hands over to SGD. The defaults are those that kept accuracy when measured: norm projection
// against the momentum average. The textbook pair, swats against the gradient, gave a rate several times too large and
// collapsed (docs/algorithms.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "signstep/base/option.h"
#include "signstep/optim/dither_options.h"

namespace signstep {

enum class SwitchWhen { kNever, kAt, kAuto };
enum class SwitchProjection { kSwats, kInner, kNorm };
enum class SwitchDirection { kGradient, kMomentum };
enum class SwitchScope { kGlobal, kTensor };
enum class SwitchNegative { kSkip, kAbsolute };
enum class SwitchDecay { kDecoupled, kL2, kSign };

struct SwitchOptions {
  SwitchWhen switch_when = SwitchWhen::kNever;
  std::optional<double> switch_at = {};  // (0, 1), share of the run; for when = at; auto: 0.6 unless switch_step says
  int64_t switch_step = 0;               // sign steps before the switch, exactly; 0: by switch_at
  SwitchProjection switch_projection = SwitchProjection::kNorm;
  SwitchDirection switch_direction = SwitchDirection::kMomentum;
  SwitchScope switch_scope = SwitchScope::kGlobal;
  SwitchNegative switch_negative = SwitchNegative::kSkip;  // what an estimate with s.v < 0 is
  double switch_average = 0.98;                // rho, [0, 1): memory of 50: a batch that doubles r moves Lambda by 2 %
  double switch_tolerance = 0.1;               // > 0, relative to Lambda; for when = auto, like the next four
  int64_t switch_patience = 10;                // estimates in a row
  int64_t switch_min_steps = 0;                // steps; not before the later of this and switch_after
  double switch_after = 0.5;                   // [0, 1), share of the run
  double switch_fallback = 0.75;               // (0, 1), share of the run: switch here if nothing triggered
  int64_t switch_blend = 100;                  // W steps of both rules, plan_switch may cut it; 0: at once
  std::optional<double> switch_momentum = {};  // mu of SGD, [0, 1); auto: the sign rule's own, 0.9 for signsgd
  // Share of the run, [0, 1), from which SignSGD keeps the average d of its gradients (4 bytes per parameter); auto:
  // not at all, d then starts at 0 at the switch and direction momentum has nothing to measure.
  std::optional<double> switch_calibrate_from = {};
  bool switch_follow = false;  // whether the average goes on after the switch, of the sign step that is no longer taken
  // What shrinks weights after the switch: switch_penalty times SGD's rate, decoupled or in the gradient, or still the
  // sign rule's decay times its own rate. A tensor whose decay is 0 has none after it either.
  SwitchDecay switch_decay = SwitchDecay::kDecoupled;
  double switch_penalty = 5e-4;  // >= 0: what SGD itself is given by default

  friend bool operator==(const SwitchOptions&, const SwitchOptions&) = default;
};

void describe(OptionList& list, SwitchOptions& options);

// The sign rule that hands over, as far as the switch knows it.
struct SwitchedRule {
  std::string display;         // "Signum", for people
  bool keeps_average = false;  // m = b m + (1 - b) g, from the first step on
  double momentum = 0;         // b
};

// Fills what is auto and refuses what cannot be: dither that is not on the update, options of a switch that is never
// taken, direction momentum for a rule that keeps no average, two switch points, a fallback before the first allowed
// step. Resolving twice changes nothing. Throws OptionError.
SwitchOptions resolved(SwitchOptions options, const SwitchedRule& rule, const DitherOptions& dither);
// The same for a rule that takes no sign, by its name for people: refuses any switch.
SwitchOptions resolved_without_sign(SwitchOptions options, const std::string& display);

// The options at work in a run of that many steps, shares turned into steps.
struct SwitchPlan {
  SwitchOptions options;
  uint64_t due = 0;             // steps after which the switch is forced: at's step or auto's fallback
  uint64_t earliest = 0;        // auto: steps before which nothing triggers
  uint64_t calibrate_from = 0;  // steps before which SignSGD keeps no d
  uint64_t blend = 0;           // W
};

// Where the switch is due at a share of the run, a blend longer than half of what is left then is cut to that, so that
// SGD alone has the rest.
// Throws OptionError when a step lies outside the run or calibration would start after the switch.
SwitchPlan plan_switch(const SwitchOptions& resolved_options, uint64_t total_steps);

}  // namespace signstep
