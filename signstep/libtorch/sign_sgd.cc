// SPDX-License-Identifier: Apache-2.0
#include "signstep/libtorch/sign_sgd.h"

#include <torch/torch.h>

#include <algorithm>

#include "signstep/base/error.h"
#include "signstep/libtorch/aten_step.h"
#include "signstep/libtorch/device_passes.h"
#include "signstep/libtorch/torch_executor.h"

namespace signstep {
namespace {

// The CPU's kernels and a device's for tensors that they can take, tensor operations for the others, found by index.
class TorchStepper final : public KernelStepper {
 public:
  TorchStepper(Executor& executor, DevicePasses& devices, const std::vector<AtenTensor>& others)
      : KernelStepper(executor), devices_(devices), others_(others) {}

  void sign(std::span<const StepTensor> tensors, std::span<const SignStep> steps,
            std::span<StepStatistics> statistics) override {
    KernelStepper::sign(tensors, steps, statistics);
    devices_.sign(tensors, steps, statistics);
    each(tensors, statistics, [&](size_t i, const AtenTensor& t) { return aten_sign_step(t, tensors[i], steps[i]); });
  }
  void measure(std::span<const StepTensor> tensors, const SignStep& step,
               std::span<StepStatistics> statistics) override {
    KernelStepper::measure(tensors, step, statistics);
    devices_.measure(tensors, step, statistics);
    each(tensors, statistics, [&](size_t, const AtenTensor& t) { return aten_sign_measure(t, step); });
  }
  void sgd(std::span<const StepTensor> tensors, std::span<const SgdPhaseStep> steps,
           std::span<StepStatistics> statistics) override {
    KernelStepper::sgd(tensors, steps, statistics);
    devices_.sgd(tensors, steps, statistics);
    each(tensors, statistics,
         [&](size_t i, const AtenTensor& t) { return aten_sgd_phase_step(t, tensors[i], steps[i]); });
  }

 private:
  template <class F>
  void each(std::span<const StepTensor> tensors, std::span<StepStatistics> statistics, F&& f) {
    std::vector<std::pair<size_t, at::Tensor>> found;
    for (size_t i = 0; i < tensors.size(); ++i) {
      const AtenTensor& t = others_[tensors[i].index];
      if (t.x.defined()) found.emplace_back(i, f(i, t));
    }
    for (const auto& [i, sums] : found) statistics[i] = statistics_of(sums);  // after all are under way on their device
  }

  DevicePasses& devices_;
  const std::vector<AtenTensor>& others_;
};

// Whether element k in memory is the same element of both.
bool same_order(const at::Tensor& a, const at::Tensor& b) {
  for (int64_t d = 0; d < a.dim(); ++d)
    if (a.size(d) > 1 && a.stride(d) != b.stride(d)) return false;
  return true;
}

bool suits_kernels(const at::Tensor& t) {
  return t.device().is_cpu() && t.scalar_type() == at::kFloat && t.layout() == at::kStrided &&
         t.is_non_overlapping_and_dense();
}

// Whether m, or a maximum, goes with the parameter as it is now: a module may have been moved, converted or laid out
// anew.
bool belongs_to(const at::Tensor& m, const at::Tensor& parameter) {
  return m.defined() && m.device() == parameter.device() && m.sizes() == parameter.sizes() &&
         m.scalar_type() == compute_type(parameter.scalar_type()) &&
         (same_order(m, parameter) || !parameter.is_non_overlapping_and_dense());
}

// The gradient as the kernels read it: in the parameter's order, nothing lazy. A copy only where it is not so already.
at::Tensor in_order_of(const at::Tensor& parameter, const at::Tensor& gradient) {
  if (gradient.device() == parameter.device() && gradient.scalar_type() == parameter.scalar_type() &&
      gradient.is_non_overlapping_and_dense() && same_order(parameter, gradient) && !gradient.is_neg() &&
      !gradient._is_zerotensor()) {
    return gradient;
  }
  return at::empty_like(parameter).copy_(gradient);
}

void check_gradient(const at::Tensor& parameter, const at::Tensor& gradient, size_t i) {
  if (gradient.sizes() != parameter.sizes()) {
    throw OptionError(fmt::format("parameter {} is of shape ({}) and its gradient of ({}); wanted one shape", i,
                                  fmt::join(parameter.sizes(), ", "), fmt::join(gradient.sizes(), ", ")));
  }
  if (gradient.layout() == at::kStrided) return;
  throw OptionError(
      fmt::format("parameter {} has a sparse gradient; wanted a dense one, as SignSGD steps every "
                  "coordinate; build the layer without sparse gradients",
                  i));
}

void check_shape(const at::Tensor& parameter, const at::Tensor& kept, size_t i) {
  if (!kept.defined() || kept.sizes() == parameter.sizes()) return;
  throw OptionError(
      fmt::format("parameter {} is of shape ({}) and its average of ({}), as it was; make a new optimizer, or give the "
                  "parameter its shape again",
                  i, fmt::join(parameter.sizes(), ", "), fmt::join(kept.sizes(), ", ")));
}

}  // namespace

at::Tensor SignSGD::make_state(const at::Tensor& parameter) {
  return at::zeros_like(parameter,
                        parameter.options().dtype(compute_type(parameter.scalar_type())).requires_grad(false));
}

at::Tensor SignSGD::step(LossClosure closure) {
  at::Tensor loss;
  if (closure) {
    const at::AutoGradMode with_autograd(true);
    loss = closure();
  }
  const at::NoGradGuard no_grad;
  admit_new();

  std::vector<TensorRate> rates;
  std::vector<at::Tensor> gradients(slots_.size());
  for (size_t g = 0; g < param_groups().size(); ++g) {
    auto& group = param_groups()[g];
    SignSGDOptions& options = sign_sgd_options(group);
    options = in_force(options, options_, g);
    const TensorRate rate{options.get_lr(), *options.rule.decoupled_weight_decay};
    for (const at::Tensor& p : group.params()) {
      const at::Tensor& gradient = p.grad();
      if (gradient.defined()) {
        const Slot& slot = slots_[rates.size()];
        check_gradient(p, gradient, rates.size());
        for (const at::Tensor& kept : {slot.m, slot.maximum}) check_shape(p, kept, rates.size());
      }
      gradients[rates.size()] = gradient;
      rates.push_back(rate);
    }
  }

  const bool averages = moves_average(plan_, state_);
  const bool maxima = keeps_maximum(plan_.dither);
  std::vector<StepTensor> tensors(slots_.size());
  std::vector<AtenTensor> others(slots_.size());
  std::vector<at::Tensor> stepped;  // by kernels
  if (!devices_) devices_ = std::make_shared<DevicePasses>();
  devices_->clear();
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (!gradients[i].defined()) continue;
    const at::Tensor& p = slots_[i].parameter;
    at::Tensor &m = slots_[i].m, &maximum = slots_[i].maximum;
    for (at::Tensor* state : {averages ? &m : nullptr, maxima ? &maximum : nullptr}) {
      if (state == nullptr || belongs_to(*state, p)) continue;
      const at::Tensor before = *state;
      *state = make_state(p);
      if (before.defined()) state->copy_(before);
    }
    if (devices_->takes(p)) {
      gradients[i] = in_order_of(p, gradients[i]);
      devices_->add(static_cast<uint32_t>(i), p, gradients[i], m, maximum);
      stepped.push_back(p);
    } else if (suits_kernels(p)) {
      gradients[i] = in_order_of(p, gradients[i]);
      tensors[i].x = p.data_ptr<float>();
      tensors[i].g = gradients[i].data_ptr<float>();
      tensors[i].m = m.defined() ? m.data_ptr<float>() : nullptr;
      tensors[i].maximum = maximum.defined() ? maximum.data_ptr<float>() : nullptr;
      tensors[i].n = static_cast<size_t>(p.numel());
      stepped.push_back(p);
    } else {
      others[i] = {p, gradients[i], m, maximum};
    }
  }
  TorchExecutor threads;
  TorchStepper stepper(threads, *devices_, others);
  report_ = sign_optimizer_step(plan_, state_, steps_, tensors, rates, stepper);
  ++steps_;
  // Autograd must notice that a value it saved for a backward pass is no longer there.
  for (const at::Tensor& p : stepped)
    if (!p.is_inference()) p.unsafeGetTensorImpl()->bump_version();
  return loss;
}

}  // namespace signstep
