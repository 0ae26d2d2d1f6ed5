// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/switch.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "signstep/base/error.h"
#include "signstep/optim/shared_options.h"

namespace signstep {
namespace {

bool by_tensor(const SwitchPlan& plan) { return plan.options.switch_scope == SwitchScope::kTensor; }

size_t averages(const SwitchPlan& plan, size_t tensors) {
  if (plan.options.switch_when == SwitchWhen::kNever) return 0;
  return by_tensor(plan) ? tensors + 1 : 1;
}

double lambda_at(const SwitchPlan& plan, const SwitchState& state, size_t which) {
  return bias_corrected(plan.options.switch_average, state.lambda[which], state.estimates[which]);
}

// Adds one average's estimate of this step. Returns the ratio.
std::optional<double> estimate(const SwitchPlan& plan, SwitchState& state, size_t which, double lr, double warmth,
                               const StepStatistics& sums) {
  const SwitchOptions& o = plan.options;
  const bool moved = std::isfinite(lr) && lr > 0;
  auto ratio = moved ? rate_ratio(o.switch_projection, sums, o.switch_negative) : std::nullopt;
  if (ratio) *ratio *= warmth;  // each projection is inverse to v
  if (!ratio) {
    state.settled[which] = 0;
    return std::nullopt;
  }
  state.lambda[which] = averaged(o.switch_average, state.lambda[which], *ratio);
  const bool first = ++state.estimates[which] == 1;
  const double mean = lambda_at(plan, state, which);
  const bool near = !first && std::abs(*ratio - mean) < o.switch_tolerance * mean;
  state.settled[which] = near ? state.settled[which] + 1 : 0;
  return ratio;
}

bool has_settled(const SwitchPlan& plan, const SwitchState& state, std::span<const StepStatistics> sums) {
  const auto enough = [&](size_t which) {
    return state.settled[which] >= static_cast<uint64_t>(plan.options.switch_patience);
  };
  if (!by_tensor(plan)) return enough(0);
  uint64_t all = 0, ready = 0;
  for (size_t t = 0; t < sums.size(); ++t) {
    const uint64_t elements = sums[t].finite + sums[t].nonfinite;
    all += elements;
    if (enough(t + 1)) ready += elements;
  }
  return ready > 0 && ready >= all - ready;
}

std::optional<SwitchReason> trigger(const SwitchPlan& plan, const SwitchState& state,
                                    std::span<const StepStatistics> sums) {
  if (plan.options.switch_when == SwitchWhen::kAt) {
    return state.steps >= plan.due ? std::optional(SwitchReason::kStep) : std::nullopt;
  }
  if (state.steps >= plan.earliest && has_settled(plan, state, sums)) return SwitchReason::kSettled;
  return state.steps >= plan.due ? std::optional(SwitchReason::kFallback) : std::nullopt;
}

// The share by which the SGD phase's decay would shrink the weights at each step, lr being that of weights that decay.
double shrinkage(const SwitchPlan& plan, double lambda, double lr) {
  return plan.options.switch_decay != SwitchDecay::kSign ? lambda * lr * plan.options.switch_penalty : 0;
}

double largest_decayed(double lr, std::span<const double> decayed) {
  return decayed.empty() ? lr : *std::max_element(decayed.begin(), decayed.end());
}

// The rates that SGD would run at; empty when one of them is unusable.
std::vector<double> usable_rates(const SwitchPlan& plan, const SwitchState& state, double lr,
                                 std::span<const double> decayed) {
  std::vector<double> rates;
  const double global = lambda_at(plan, state, 0);
  if (!by_tensor(plan)) rates.push_back(global);
  for (size_t which = 1; which < state.lambda.size(); ++which) {
    const double own = lambda_at(plan, state, which);
    const double share = shrinkage(plan, own, decayed.empty() ? lr : decayed[which - 1]);
    rates.push_back(usable_rate(own) && share <= kMostShrinkage ? own : global);
  }
  const bool usable = std::all_of(rates.begin(), rates.end(), usable_rate);
  if (!usable || shrinkage(plan, global, largest_decayed(lr, decayed)) > kMostShrinkage) rates.clear();
  return rates;
}

SwitchEvent event_of(const SwitchPlan& plan, const SwitchState& state, SwitchReason reason, double lr) {
  SwitchEvent event;
  event.reason = reason;
  event.step = state.steps;
  event.lambda = lambda_at(plan, state, 0);
  event.sgd_rate = event.lambda * lr;
  event.heavy_ball_rate = (1 - *plan.options.switch_momentum) * event.sgd_rate;
  if (by_tensor(plan)) event.rates = state.rates;
  return event;
}

std::optional<SwitchEvent> try_switch(const SwitchPlan& plan, SwitchState& state, SwitchReason reason, double lr,
                                      std::span<const double> decayed) {
  state.rates = usable_rates(plan, state, lr, decayed);
  if (state.rates.empty()) {
    if (std::exchange(state.refused, true)) return std::nullopt;
    SwitchEvent event = event_of(plan, state, SwitchReason::kRefused, lr);
    const double share = shrinkage(plan, event.lambda, largest_decayed(lr, decayed));
    if (usable_rate(event.lambda) && share > kMostShrinkage) event.shrinkage = share;
    return event;
  }
  state.phase = plan.blend > 0 ? SwitchPhase::kBlend : SwitchPhase::kSgd;
  state.switched_after = state.steps;
  return event_of(plan, state, reason, lr);
}

}  // namespace

SwitchState make_switch_state(const SwitchPlan& plan, size_t tensors) {
  const size_t count = averages(plan, tensors);
  SwitchState state;
  state.lambda.resize(count);
  state.estimates.resize(count);
  state.settled.resize(count);
  return state;
}

void require_fit(const SwitchState& state, const SwitchPlan& plan, size_t tensors) {
  const size_t count = averages(plan, tensors);
  const bool switched = state.phase != SwitchPhase::kSign;
  const uint64_t blend = plan.blend;
  const bool counters = switched ? state.switched_after > 0 && state.switched_after <= state.steps
                                 : state.switched_after == 0 && state.blended == 0;
  const bool blending =
      state.phase == SwitchPhase::kBlend ? state.blended < blend : !switched || state.blended == blend;
  const bool sizes = state.lambda.size() == count && state.estimates.size() == count && state.settled.size() == count &&
                     state.rates.size() == (switched ? (by_tensor(plan) ? tensors : 1) : 0);
  const bool averages_finite =
      std::all_of(state.lambda.begin(), state.lambda.end(), [](double l) { return std::isfinite(l) && l >= 0; });
  if (state.phase <= SwitchPhase::kSgd && (count > 0 || !switched) && counters && blending && sizes &&
      averages_finite && std::all_of(state.rates.begin(), state.rates.end(), usable_rate)) {
    return;
  }
  throw CheckpointError(
      fmt::format("the checkpoint's switch state (phase {}, {} steps, {} averages, {} rates, {} blend steps) does not "
                  "belong to this "
                  "run; wanted {} averages and a blend of {}; resume with the options that the run was started with",
                  static_cast<int>(state.phase), state.steps, state.lambda.size(), state.rates.size(), state.blended,
                  count, blend));
}

PhaseRates phase_rates(const SwitchPlan& plan, const SwitchState& state, double lr) {
  PhaseRates out;
  out.phase = state.phase;
  out.sign_lr = lr;
  if (state.phase == SwitchPhase::kSign) return out;
  const auto steps = static_cast<double>(plan.blend);
  out.alpha = state.phase == SwitchPhase::kBlend ? 1 - static_cast<double>(state.blended + 1) / steps : 0;
  for (const double rate : state.rates) out.sgd_rates.push_back(rate * lr);
  return out;
}

PhaseDecay phase_decay(const SwitchPlan& plan, const PhaseRates& rates, size_t tensor, double decay) {
  PhaseDecay out{decay_factor(rates.sign_lr, decay, "decoupled_weight_decay"), 0};
  const SwitchOptions& o = plan.options;
  if (rates.phase == SwitchPhase::kSign || o.switch_decay == SwitchDecay::kSign) return out;
  const double penalty = decay > 0 ? o.switch_penalty : 0;
  const bool in_gradient = o.switch_decay == SwitchDecay::kL2 && rates.phase == SwitchPhase::kSgd;
  if (in_gradient) return {1, penalty};
  const double rate = rates.sgd_rate(tensor);
  decay_factor(rate, penalty, "switch_penalty");
  out.decay_factor = 1.0 - (rates.alpha * rates.sign_lr * decay + (1 - rates.alpha) * rate * penalty);
  return out;
}

bool wants_sums(const SwitchPlan& plan, const SwitchState& state) {
  if (plan.options.switch_when == SwitchWhen::kNever) return false;
  if (state.phase != SwitchPhase::kSign) return plan.options.switch_follow;
  return plan.options.switch_direction == SwitchDirection::kGradient || state.steps >= plan.calibrate_from;
}

bool tracks_average(const SwitchPlan& plan, const SwitchState& state) {
  if (plan.options.switch_when == SwitchWhen::kNever) return false;
  if (state.phase != SwitchPhase::kSign) return true;
  return plan.options.switch_calibrate_from && state.steps >= plan.calibrate_from;
}

SwitchReport switch_step(const SwitchPlan& plan, SwitchState& state, double lr, std::span<const StepStatistics> sums,
                         const SwitchContext& context) {
  ++state.steps;
  SwitchReport report;
  if (plan.options.switch_when == SwitchWhen::kNever) return report;
  if (!sums.empty()) {
    assert(!by_tensor(plan) || sums.size() + 1 == state.lambda.size());
    if (const auto ratio = estimate(plan, state, 0, lr, context.warmth, total_of(sums))) report.gamma = *ratio * lr;
    if (by_tensor(plan)) {
      for (size_t t = 0; t < sums.size(); ++t) estimate(plan, state, t + 1, lr, context.warmth, sums[t]);
    }
  }
  if (state.phase == SwitchPhase::kSign) {
    if (const auto reason = trigger(plan, state, sums))
      report.event = try_switch(plan, state, *reason, lr, context.decayed_lr);
  } else {
    if (plan.options.switch_follow) {
      if (auto rates = usable_rates(plan, state, lr, context.decayed_lr); !rates.empty())
        state.rates = std::move(rates);
    }
    if (state.phase == SwitchPhase::kBlend && ++state.blended == plan.blend) {
      state.phase = SwitchPhase::kSgd;
    }
  }
  if (state.estimates[0] > 0) {
    report.lambda = lambda_at(plan, state, 0);
    report.sgd_rate = *report.lambda * lr;
  }
  return report;
}

std::string SwitchEvent::text() const {
  if (reason == SwitchReason::kRefused && shrinkage > 0) {
    return fmt::format(
        "the switch to SGD was due after step {}, but at the rate {:.6g} that was found for SGD its weight decay would "
        "shrink the weights by {:.3g} % at each step, and {:.3g} % is the most; the sign phase goes on (lower "
        "switch_penalty, or take switch_decay sign)",
        step, sgd_rate, 100 * shrinkage, 100 * kMostShrinkage);
  }
  if (reason == SwitchReason::kRefused) {
    return fmt::format(
        "the switch to SGD was due after step {}, but no estimate gave a finite positive rate; the sign phase goes on",
        step);
  }
  const char* why = reason == SwitchReason::kStep      ? "the stated step"
                    : reason == SwitchReason::kSettled ? "the rate has settled"
                                                       : "the rate did not settle before the fallback";
  return fmt::format("switched to SGD after step {} ({}): Lambda {:.6g}, rate {:.6g}, as PyTorch's heavy ball {:.6g}",
                     step, why, lambda, sgd_rate, heavy_ball_rate);
}

}  // namespace signstep
