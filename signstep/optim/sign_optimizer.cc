// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/sign_optimizer.h"

#include <algorithm>
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

}  // namespace

SignState make_sign_state(const UpdatePlan& plan, size_t tensors) {
  return {make_dither_state(plan.dither, tensors), make_switch_state(plan.switching, tensors)};
}

bool keeps_average(const UpdatePlan& plan) {
  return plan.optimizer.optimizer == OptimizerKind::kLion || plan.optimizer.momentum.value_or(0) > 0 ||
         plan.switching.options.switch_when != SwitchWhen::kNever;
}

StepReport sign_optimizer_step(const UpdatePlan& plan, SignState& state, uint64_t t, std::span<StepTensor> tensors,
                               std::span<const TensorRate> rates, Stepper& stepper) {
  const SwitchOptions& switching = plan.switching.options;
  const double mu = switching.switch_momentum.value_or(0);
  const bool sums = wants_sums(plan.switching, state.switching);
  StepReport report;
  report.phase = state.switching.phase;
  double largest_lr = 0;
  std::vector<double> sign_lr(tensors.size()), keep(tensors.size());
  PhaseRates phase;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& [lr, decay] = rates[i];
    if (i == 0 || lr != rates[i - 1].lr) phase = phase_rates(plan.switching, state.switching, lr);
    largest_lr = std::max(largest_lr, lr);
    sign_lr[i] = phase.blended_sign_lr();
    keep[i] = 1 - lr * decay;
    tensors[i].index = static_cast<uint32_t>(i);
    tensors[i].sigma = 0;
    tensors[i].sgd_rate = phase.blended_sgd_rate(i);
  }
  std::vector<StepStatistics> statistics(tensors.size());

  if (report.phase == SwitchPhase::kSgd) {
    std::vector<SgdStep> steps(tensors.size(), SgdStep{.mu = mu});
    for (size_t i = 0; i < tensors.size(); ++i) steps[i].keep = keep[i];
    stepper.sgd(tensors, steps, statistics);
  } else {
    const bool plain = plan.optimizer.optimizer == OptimizerKind::kSignSgd;
    const bool tracks = plain && tracks_average(plan.switching, state.switching);
    std::vector<float*> untracked;
    if (plain && !tracks) {
      for (StepTensor& tensor : tensors) untracked.push_back(std::exchange(tensor.m, nullptr));
    }
    const double momentum = plan.optimizer.momentum.value_or(0);
    const bool relative = !state.dither.rms.empty();
    SignStep step;
    step.b1 = plan.optimizer.beta1.value_or(momentum);
    step.b2 = tracks || report.phase == SwitchPhase::kBlend ? mu : plan.optimizer.beta2.value_or(momentum);
    step.zero = plan.optimizer.zero;
    step.dither_on = plan.dither.dither_on;
    step.sums = sums ? StepSums::kAll : relative ? StepSums::kSquare : StepSums::kNone;
    step.products_with =
        switching.switch_direction == SwitchDirection::kGradient ? ProductsWith::kGradient : ProductsWith::kMomentum;
    step.seed = plan.seed;
    step.step = t;
    report.dither_level = dither_level(plan.dither, t, plan.total_steps);
    set_sigmas(plan, state.dither, report.dither_level, step, tensors, stepper);
    std::vector<SignStep> steps(tensors.size(), step);
    for (size_t i = 0; i < tensors.size(); ++i) {
      steps[i].lr = sign_lr[i];
      steps[i].keep = keep[i];
    }
    stepper.sign(tensors, steps, statistics);
    for (size_t i = 0; i < state.dither.rms.size(); ++i) {
      const StepStatistics& s = statistics[i];
      if (s.finite + s.nonfinite > 0) state.dither.rms[i] = rms_of(s.u_dot_u, s.finite);
    }
    for (size_t i = 0; i < untracked.size(); ++i) tensors[i].m = untracked[i];
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    StepStatistics& s = statistics[i];
    if (s.nonfinite > 0 && report.nonfinite == 0) report.first_nonfinite = i;
    report.nonfinite += s.nonfinite;
    if (rates[i].lr == 0) s = {.finite = s.finite, .nonfinite = s.nonfinite};
  }
  if (!sums) statistics.clear();
  report.switching = switch_step(plan.switching, state.switching, largest_lr, statistics);
  return report;
}

}  // namespace signstep
