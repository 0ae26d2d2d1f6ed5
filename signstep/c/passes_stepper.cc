// SPDX-License-Identifier: Apache-2.0
#include "signstep/c/passes_stepper.h"

#include "signstep/c/boundary.h"
#include "signstep/c/callback_error.h"

namespace signstep {
namespace {

signstep_pass sign_pass(uint32_t kind, const StepTensor& tensor, const SignStep& step, uint32_t arrays) {
  signstep_pass pass{};
  pass.kind = kind;
  pass.tensor = tensor.index;
  pass.arrays = arrays;
  pass.zero = static_cast<uint32_t>(step.zero);
  pass.dither_on = static_cast<uint32_t>(step.dither_on);
  pass.noise = static_cast<uint32_t>(step.noise);
  pass.sums = static_cast<uint32_t>(step.sums);
  pass.v_is_m = step.products_with == ProductsWith::kMomentum;
  pass.sgd_along_g = step.sgd_along == SgdAlong::kGradient;
  pass.b1 = step.b1;
  pass.b2 = step.b2;
  pass.lr = step.lr;
  pass.decay_factor = step.decay_factor;
  pass.sigma = tensor.sigma;
  pass.sgd_rate = tensor.sgd_rate;
  pass.seed = step.seed;
  pass.step = step.step;
  pass.rank = step.rank;
  return pass;
}

}  // namespace

template <class Kernels, class Pass>
void PassesStepper::both(std::span<const StepTensor> tensors, std::span<StepStatistics> statistics, Kernels&& kernels,
                         Pass&& pass) {
  std::vector<size_t> places;
  std::vector<signstep_pass> passes;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!foreign_[tensors[i].index]) continue;
    places.push_back(i);
    passes.push_back(pass(i));
  }
  std::vector<signstep_statistics> sums(passes.size());
  kernels();
  if (passes.empty()) return;
  const uint64_t before = failures();
  if (passes_(context_, passes.data(), passes.size(), sums.data()) != 0)
    throw CallbackError(failures() == before ? "" : last_error());
  for (size_t k = 0; k < places.size(); ++k) {
    const signstep_statistics& s = sums[k];
    statistics[places[k]] = {s.finite, s.nonfinite, s.nonzero, s.s_dot_v, s.v_dot_v, s.u_dot_u};
  }
}

void PassesStepper::sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
                         std::span<StepStatistics> statistics) {
  std::vector<SignStep> own(steps.begin(), steps.end());
  for (SignStep& step : own) step.rank = rank_;
  both(
      tensors, statistics, [&] { KernelStepper::sign(tensors, own, statistics); },
      [&](size_t i) { return sign_pass(SIGNSTEP_PASS_SIGN, tensors[i], own[i], arrays_); });
}

void PassesStepper::measure(std::span<const StepTensor> tensors, const SignStep& step,
                            std::span<StepStatistics> statistics) {
  both(
      tensors, statistics, [&] { KernelStepper::measure(tensors, step, statistics); },
      [&](size_t i) { return sign_pass(SIGNSTEP_PASS_MEASURE, tensors[i], step, arrays_ & SIGNSTEP_M); });
}

void PassesStepper::sgd(std::span<const StepTensor> tensors, std::span<const SgdPhaseStep> steps,
                        std::span<StepStatistics> statistics) {
  both(
      tensors, statistics, [&] { KernelStepper::sgd(tensors, steps, statistics); },
      [&](size_t i) {
        signstep_pass pass{};
        pass.kind = SIGNSTEP_PASS_SGD;
        pass.tensor = tensors[i].index;
        pass.arrays = arrays_ & SIGNSTEP_M;
        pass.b2 = steps[i].mu;
        pass.decay_factor = steps[i].decay_factor;
        pass.l2 = steps[i].l2;
        pass.sgd_rate = tensors[i].sgd_rate;
        return pass;
      });
}

}  // namespace signstep
