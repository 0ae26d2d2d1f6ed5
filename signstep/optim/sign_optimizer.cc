// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/sign_optimizer.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace signstep {
namespace {

// Relative dither goes by the last step's rms; where none is stored, a pass of its own measures this step's.
void set_sigmas(const UpdatePlan& plan, const DitherState& state, double level, const SignStep& step,
                std::span<StepTensor> tensors, Stepper& stepper) {
  std::vector<StepTensor> unmeasured;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const double stored = state.rms.empty() ? 0 : state.rms[i];
    if (must_measure(plan.dither, level, stored)) unmeasured.push_back(tensors[i]);
    tensors[i].sigma = sigma_for(plan.dither, level, stored);
  }
  if (unmeasured.empty()) return;
  std::vector<StepStatistics> measured(unmeasured.size());
  stepper.measure(unmeasured, step, measured);
  for (size_t k = 0; k < unmeasured.size(); ++k) {
    const double rms = rms_of(measured[k].u_dot_u, measured[k].finite);
    tensors[unmeasured[k].index].sigma = sigma_for(plan.dither, level, rms);
  }
}

// What a step's phase means for one tensor.
struct TensorPhase {
  double sign_lr = 0, decay_factor = 1, l2 = 0;
};

void sgd_pass(const UpdatePlan& plan, std::span<const TensorPhase> phases, std::span<const StepTensor> tensors,
              std::span<StepStatistics> statistics, Stepper& stepper) {
  const double mu = plan.switching.options.switch_momentum.value_or(0);
  std::vector<SgdPhaseStep> steps;
  for (const TensorPhase& phase : phases)
    steps.push_back({.mu = mu, .decay_factor = phase.decay_factor, .l2 = phase.l2});
  stepper.sgd(tensors, steps, statistics);
}

SignStep common_step(const UpdatePlan& plan, const SignState& state, uint64_t t) {
  const SwitchOptions& switching = plan.switching.options;
  const double momentum = plan.optimizer.momentum.value_or(0), mu = switching.switch_momentum.value_or(0);
  const bool own = keeps_average(plan.optimizer), sign = state.switching.phase == SwitchPhase::kSign;
  // After the switch m is SGD's d. Where SGD has no momentum the gradient is its d, and the rule keeps its m as long as
  // it takes a sign of it, in a blend and where it is followed.
  const bool blend = state.switching.phase == SwitchPhase::kBlend;
  const bool apart = own && mu == 0 && (blend || (!sign && switching.switch_follow));
  const bool is_d = !apart && (!sign || (!own && moves_average(plan, state)));
  SignStep step;
  step.b1 = plan.optimizer.beta1.value_or(momentum);
  step.b2 = is_d ? mu : plan.optimizer.beta2.value_or(momentum);
  step.zero = plan.optimizer.zero;
  step.dither_on = plan.dither.dither_on;
  step.noise = plan.dither.dither_noise;
  step.sums = wants_sums(plan.switching, state.switching) ? StepSums::kAll
              : state.dither.rms.empty()                  ? StepSums::kNone
                                                          : StepSums::kSquare;
  step.products_with =
      switching.switch_direction == SwitchDirection::kGradient ? ProductsWith::kGradient : ProductsWith::kMomentum;
  step.sgd_along = apart ? SgdAlong::kGradient : SgdAlong::kAverage;
  step.seed = plan.seed;
  step.step = t;
  return step;
}

// Of the average that the switch's estimates are against, after this step.
double warmth(const UpdatePlan& plan, const SwitchState& state) {
  const SwitchOptions& o = plan.switching.options;
  if (o.switch_when == SwitchWhen::kNever || o.switch_direction == SwitchDirection::kGradient) return 1;
  const bool own = keeps_average(plan.optimizer);
  const double b =
      own ? plan.optimizer.beta2.value_or(plan.optimizer.momentum.value_or(0)) : o.switch_momentum.value_or(0);
  const uint64_t start = own ? 0 : plan.switching.calibrate_from;
  return state.steps < start ? 1 : 1 - std::pow(b, static_cast<double>(state.steps - start + 1));
}

// Hides m from the kernels; the caller has it again at the end, also where a kernel throws.
class WithoutAverages {
 public:
  explicit WithoutAverages(std::span<StepTensor> tensors) : tensors_(tensors) {
    for (StepTensor& tensor : tensors_) m_.push_back(std::exchange(tensor.m, nullptr));
  }
  ~WithoutAverages() {
    for (size_t i = 0; i < tensors_.size(); ++i) tensors_[i].m = m_[i];
  }
  WithoutAverages(const WithoutAverages&) = delete;
  WithoutAverages& operator=(const WithoutAverages&) = delete;

 private:
  std::span<StepTensor> tensors_;
  std::vector<float*> m_;
};

// The phases sign and blend, and phase sgd where the sign step goes on being measured: at a sign_lr of 0.
void sign_pass(const UpdatePlan& plan, SignState& state, uint64_t t, double level, std::span<const TensorPhase> phases,
               std::span<StepTensor> tensors, std::span<StepStatistics> statistics, Stepper& stepper) {
  const WithoutAverages without(moves_average(plan, state) ? std::span<StepTensor>() : tensors);
  const SignStep step = common_step(plan, state, t);
  set_sigmas(plan, state.dither, level, step, tensors, stepper);
  std::vector<SignStep> steps(tensors.size(), step);
  for (size_t i = 0; i < tensors.size(); ++i) {
    steps[i].lr = phases[i].sign_lr;
    steps[i].decay_factor = phases[i].decay_factor;
  }
  stepper.sign(tensors, steps, statistics);
  for (size_t i = 0; i < state.dither.rms.size(); ++i) {
    const StepStatistics& s = statistics[i];
    if (s.finite + s.nonfinite > 0) state.dither.rms[i] = rms_of(s.u_dot_u, s.finite);
  }
}

}  // namespace

SignState make_sign_state(const UpdatePlan& plan, size_t tensors) {
  return {make_dither_state(plan.dither, tensors), make_switch_state(plan.switching, tensors)};
}

bool needs_average(const UpdatePlan& plan) {
  return keeps_average(plan.optimizer) || plan.switching.options.switch_when != SwitchWhen::kNever;
}

bool moves_average(const UpdatePlan& plan, const SignState& state) {
  return keeps_average(plan.optimizer) || tracks_average(plan.switching, state.switching);
}

StepReport sign_optimizer_step(const UpdatePlan& plan, SignState& state, uint64_t t, std::span<StepTensor> tensors,
                               std::span<const TensorRate> rates, Stepper& stepper) {
  const bool sums = wants_sums(plan.switching, state.switching);
  StepReport report;
  report.phase = state.switching.phase;
  double largest_lr = 0;
  std::vector<TensorPhase> phases(tensors.size());
  PhaseRates phase;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& [lr, decay] = rates[i];
    if (i == 0 || lr != rates[i - 1].lr) phase = phase_rates(plan.switching, state.switching, lr);
    largest_lr = std::max(largest_lr, lr);
    const PhaseDecay shrinking = phase_decay(plan.switching, phase, i, decay);
    phases[i] = {phase.blended_sign_lr(), shrinking.decay_factor, shrinking.l2};
    tensors[i].index = static_cast<uint32_t>(i);
    tensors[i].sigma = 0;
    tensors[i].sgd_rate = phase.blended_sgd_rate(i);
  }
  std::vector<StepStatistics> statistics(tensors.size());
  if (report.phase == SwitchPhase::kSgd && !sums) {
    sgd_pass(plan, phases, tensors, statistics, stepper);
  } else {
    report.dither_level = dither_level(plan.dither, t, plan.total_steps);
    sign_pass(plan, state, t, report.dither_level, phases, tensors, statistics, stepper);
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    StepStatistics& s = statistics[i];
    if (s.nonfinite > 0 && report.nonfinite == 0) report.first_nonfinite = i;
    report.nonfinite += s.nonfinite;
    if (rates[i].lr == 0) s = {.finite = s.finite, .nonfinite = s.nonfinite};
  }
  if (!sums) statistics.clear();
  std::vector<double> decayed;
  for (const TensorRate& rate : rates) decayed.push_back(rate.decay > 0 ? rate.lr : 0);
  report.switching = switch_step(plan.switching, state.switching, largest_lr, statistics,
                                 {.decayed_lr = decayed, .warmth = warmth(plan, state.switching)});
  return report;
}

}  // namespace signstep
