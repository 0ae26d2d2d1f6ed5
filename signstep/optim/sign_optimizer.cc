// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/sign_optimizer.h"

#include <utility>
#include <vector>

#include "signstep/core/sgd_kernel.h"
#include "signstep/core/sign_kernel.h"

namespace signstep {
namespace {

// Relative dither goes by the last step's rms; where none is stored, a pass of its own measures this step's.
void set_sigmas(const UpdatePlan& plan, const DitherState& state, double level, const SignStep& step,
                std::span<StepTensor> tensors, Executor& executor) {
  std::vector<StepTensor> unmeasured;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const double stored = state.rms.empty() ? 0 : state.rms[i];
    if (must_measure(plan.dither, level, stored)) unmeasured.push_back(tensors[i]);
    tensors[i].sigma = static_cast<float>(sigma_for(plan.dither, level, stored));
  }
  if (unmeasured.empty()) return;
  std::vector<StepStatistics> measured(unmeasured.size());
  sign_measure(unmeasured, step, measured, executor);
  for (size_t k = 0; k < unmeasured.size(); ++k) {
    const double rms = rms_of(measured[k].u_dot_u, measured[k].finite);
    tensors[unmeasured[k].index].sigma = static_cast<float>(sigma_for(plan.dither, level, rms));
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

StepReport sign_optimizer_step(const UpdatePlan& plan, SignState& state, uint64_t t, std::span<StepTensor> tensors, double lr,
                               double decay, Executor& executor) {
  const PhaseRates rates = phase_rates(plan.switching, state.switching, lr);
  const SwitchOptions& switching = plan.switching.options;
  const auto mu = static_cast<float>(switching.switch_momentum.value_or(0));
  const auto keep = static_cast<float>(1.0 - lr * decay);
  const bool sums = wants_sums(plan.switching, state.switching);
  const auto products = switching.switch_direction == SwitchDirection::kGradient ? ProductsWith::kGradient : ProductsWith::kMomentum;
  StepReport report;
  report.phase = rates.phase;
  for (size_t i = 0; i < tensors.size(); ++i) {
    tensors[i].index = static_cast<uint32_t>(i);
    tensors[i].sigma = 0;
    tensors[i].sgd_rate = static_cast<float>(rates.blended_sgd_rate(i));
  }
  std::vector<StepStatistics> statistics(tensors.size());

  if (rates.phase == SwitchPhase::kSgd) {
    sgd_step(tensors, {.mu = mu, .keep = keep}, statistics, executor);
  } else {
    const bool plain = plan.optimizer.optimizer == OptimizerKind::kSignSgd;
    const bool tracks = plain && tracks_average(plan.switching, state.switching);
    std::vector<float*> untracked;
    if (plain && !tracks) {
      for (StepTensor& tensor : tensors) untracked.push_back(std::exchange(tensor.m, nullptr));
    }
    const double momentum = plan.optimizer.momentum.value_or(0);
    SignStep step;
    step.b1 = static_cast<float>(plan.optimizer.beta1.value_or(momentum));
    step.b2 = tracks || rates.phase == SwitchPhase::kBlend ? mu : static_cast<float>(plan.optimizer.beta2.value_or(momentum));
    step.lr = static_cast<float>(rates.blended_sign_lr());
    step.keep = keep;
    step.zero = plan.optimizer.zero;
    step.dither_on = plan.dither.dither_on;
    step.products_with = products;
    step.seed = plan.seed;
    step.step = t;
    const bool relative = !state.dither.rms.empty();
    step.sums = sums ? StepSums::kAll : relative ? StepSums::kSquare : StepSums::kNone;
    report.dither_level = dither_level(plan.dither, t, plan.total_steps);
    set_sigmas(plan, state.dither, report.dither_level, step, tensors, executor);
    sign_step(tensors, step, statistics, executor);
    for (size_t i = 0; i < state.dither.rms.size(); ++i) state.dither.rms[i] = rms_of(statistics[i].u_dot_u, statistics[i].finite);
    for (size_t i = 0; i < untracked.size(); ++i) tensors[i].m = untracked[i];
  }
  for (const StepStatistics& s : statistics) report.nonfinite += s.nonfinite;
  if (!sums) statistics.clear();
  report.switching = switch_step(plan.switching, state.switching, lr, statistics);
  return report;
}

}  // namespace signstep
