// SPDX-License-Identifier: Apache-2.0
// The calibrated switch from a sign rule to SGD. Options, state and step are three things: a SwitchPlan says when and
// how, a SwitchState is all that a checkpoint must hold, switch_step joins them once after every optimizer step, and
// phase_rates says what the next optimizer step does:
//
//   sign    x = k x - lr_t s                        calibrating
//   blend   x = k x - (alpha lr_t s + (1 - alpha) Lambda lr_t d),  alpha = 1 - j / W, j = 1 .. W
//   sgd     x = k x - Lambda lr_t d                  for good
//
// with d = mu d + (1 - mu) g, s the sign of b1 d + (1 - b1) g before d moves (for mu = 0 of m, which goes on beside d =
// g until the blend ends), and decay by the factor k once a step in every phase (phase_decay). lr_t always comes from
// the schedule: Lambda is a ratio, so the schedule goes on unchanged. Lambda is frozen at the switch, or with
// switch_follow goes on being averaged: of the sign step that is not taken any more, a step late.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "signstep/optim/switch_estimate.h"
#include "signstep/optim/switch_options.h"

namespace signstep {

enum class SwitchPhase { kSign, kBlend, kSgd };

struct SwitchState {
  SwitchPhase phase = SwitchPhase::kSign;
  uint64_t steps = 0;           // optimizer steps seen
  uint64_t switched_after = 0;  // sign steps before the switch; 0: not switched
  uint64_t blended = 0;         // blend steps taken: j
  bool refused = false;         // a due switch found no usable rate; said once
  // Element 0 is over all tensors; scope tensor has one more for each tensor.
  std::vector<double> lambda;       // before bias correction
  std::vector<uint64_t> estimates;  // k
  std::vector<uint64_t> settled;    // estimates in a row within tolerance
  std::vector<double> rates;        // the Lambda that SGD runs at next, one or one per tensor; empty before the switch
};

// Every field with its name, for a checkpoint: v("phase", number), v("steps", state.steps), ... V takes uint64_t, bool,
// std::vector<double> and std::vector<uint64_t> by reference, const for a const state. Doubles must survive exactly.
template <class State, class V>
void visit_fields(State& state, V&& v) {
  auto phase = static_cast<uint64_t>(state.phase);
  v("phase", phase);
  if constexpr (!std::is_const_v<State>) state.phase = static_cast<SwitchPhase>(phase);
  v("steps", state.steps);
  v("switched_after", state.switched_after);
  v("blended", state.blended);
  v("refused", state.refused);
  v("lambda", state.lambda);
  v("estimates", state.estimates);
  v("settled", state.settled);
  v("rates", state.rates);
}

SwitchState make_switch_state(const SwitchPlan& plan, size_t tensors);

// Throws CheckpointError when a restored state does not belong to this plan and number of tensors.
void require_fit(const SwitchState& state, const SwitchPlan& plan, size_t tensors);

// What the next optimizer step does: x = k x - blended_sign_lr s - blended_sgd_rate d with k = 1 - sign_lr decay.
struct PhaseRates {
  SwitchPhase phase = SwitchPhase::kSign;
  double sign_lr = 0;                  // lr_t
  double alpha = 1;                    // share of the sign step: 1 in phase sign, 0 in phase sgd
  std::vector<double> sgd_rates = {};  // Lambda lr_t, moving-average form, one or one per tensor; empty in phase sign

  // In phase blend and sgd.
  double sgd_rate(size_t tensor) const { return sgd_rates.size() == 1 ? sgd_rates[0] : sgd_rates.at(tensor); }
  // In any phase, ready for the kernels.
  double blended_sign_lr() const { return alpha * sign_lr; }
  double blended_sgd_rate(size_t tensor) const { return sgd_rates.empty() ? 0 : (1 - alpha) * sgd_rate(tensor); }
};
PhaseRates phase_rates(const SwitchPlan& plan, const SwitchState& state, double lr);

// What the next step shrinks a tensor's weights by, decay being the tensor's decoupled one. With R = Lambda lr_t and w
// = switch_penalty, 0 where decay is 0:
//   sign phase, and every phase under switch_decay sign   k = 1 - lr_t decay
//   decoupled, and l2 in the blend                        k = 1 - (alpha lr_t decay + (1 - alpha) R w)
//   l2 after the blend                                    k = 1, and g + w x in the place of g
// Throws OptionError where a factor would not be in (0, 1].
struct PhaseDecay {
  double decay_factor = 1, l2 = 0;
};
PhaseDecay phase_decay(const SwitchPlan& plan, const PhaseRates& rates, size_t tensor, double decay);

// Whether the next step must deliver StepStatistics, and whether a rule without an average of its own must keep d in
// it.
bool wants_sums(const SwitchPlan& plan, const SwitchState& state);
bool tracks_average(const SwitchPlan& plan, const SwitchState& state);

// Lambda grows as gradients get smaller, a scaled loss's for one, and the SGD phase's decay with it: beyond this share
// of the weights a step it would be the decay that trains.
inline constexpr double kMostShrinkage = 0.01;

// kRefused: the switch was due, no rate was usable, the sign phase goes on.
enum class SwitchReason { kStep, kSettled, kFallback, kRefused };

struct SwitchEvent {
  SwitchReason reason = SwitchReason::kStep;
  uint64_t step = 0;           // sign steps taken
  double lambda = 0;           // over all tensors; 0 when there is none
  double sgd_rate = 0;         // Lambda lr_t, for d = mu d + (1 - mu) g
  double heavy_ball_rate = 0;  // (1 - mu) Lambda lr_t: PyTorch's lr for buf = mu buf + g, the same steps
  double shrinkage = 0;        // of a refusal for it: rate times penalty
  std::vector<double> rates;   // Lambda per tensor under scope tensor, else empty

  std::string text() const;  // one line for people
};

// What to log for a step. gamma and lambda are over all tensors under either scope.
struct SwitchReport {
  std::optional<double> gamma;     // this step's estimate, r lr_t; after the switch with switch_follow only
  std::optional<double> lambda;    // Lambda after this step; the frozen one after the switch without switch_follow
  std::optional<double> sgd_rate;  // lambda * lr_t
  std::optional<SwitchEvent> event;
};

// What else a step knows for the switch.
struct SwitchContext {
  std::span<const double> decayed_lr = {};  // lr_t of each tensor, 0 where its weights do not decay; empty: all at lr
  double warmth = 1;                        // 1 - b^k of a v that is an average by b, k steps after it started at 0
};

// Accounts for one optimizer step that was taken at rate lr (lr_t, of the sign rule) with these sums, one per tensor.
// Empty sums mean not measured at this step: no estimate, and the run of settled ones stands. A step at lr = 0 gives no
// estimate and ends the run, as does any step whose estimate fails. Call it after every optimizer step, in every phase.
// The switch takes effect with the next step. A switch that is due without a usable Lambda (all of them, under scope
// tensor: a tensor without one, or at whose own decay would shrink its weights by more than kMostShrinkage a step,
// takes the global one), or at whose Lambda over all tensors decay would shrink weights by as much, is reported once as
// kRefused and happens at the first later step that has one. Estimates are against v / warmth, so that a young average
// does not make them too large. The first estimate never counts as settled, being its own average. Cost: O(tensors).
SwitchReport switch_step(const SwitchPlan& plan, SwitchState& state, double lr, std::span<const StepStatistics> sums,
                         const SwitchContext& context = {});

}  // namespace signstep
