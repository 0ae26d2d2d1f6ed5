// SPDX-License-Identifier: Apache-2.0
// SignSGD, Signum and Lion as a torch::optim::Optimizer, with dither and the calibrated switch to SGD
// (docs/algorithms.md has the equations, docs/using-from-cpp.md a tour):
//
//   signstep::SignSGDOptions options(1e-3);  // Signum
//   options.dither.dither = signstep::DitherKind::kRelative;
//   options.total_steps = epochs * batches;
//   signstep::SignSGD optimizer(model->parameters(), options);
//   ... optimizer.zero_grad(); loss.backward(); optimizer.step(); ...
//   torch::save(optimizer, "optimizer.pt");
//
// Tensors take one of three ways. Dense float32 on the CPU: the fused kernels, all of them in one call on LibTorch's
// threads; elements count in memory order, so a channels-last weight is as fast as a contiguous one. Dense float32,
// half and bf16 on a CUDA device, where there are kernels for it (device_passes.h): these, with the CPU's bits, all
// tensors of a device in one launch. Every other tensor (double, strided, half and bf16 on the CPU, other devices):
// tensor operations (aten_step.h), double computed in double, the others as float32, with the kernels' draws on the
// CPU. A gradient of another layout is copied into the parameter's first. m is float32 for bf16 and half. Sparse
// gradients are refused.
//
// Draws depend on (options.seed, step, a tensor's position over all groups) and nothing else: two optimizers of one
// seed, the default 0 too, draw the same noise. It is not derived from anything hidden, so that a run repeats and
// resumes: give each optimizer of a program its own.
//
// Counting. step() is one step of the run, whichever tensors have a gradient: the counter that draws, annealing and the
// switch refer to moves by one, also when none has. A tensor whose gradient is undefined sits the step out: no step, no
// decay, its m and rms stay, and to the switch it gives no estimate.
//
// Groups may differ in learning rate and decoupled weight decay, which are read at every step and may be changed at any
// time; set_lr and sign_sgd_options(group).rule are the ways. What is auto in a group's options is the optimizer's;
// everything else must be the optimizer's from its construction on, so give a group a copy of those options with the
// two changed (SignSGDOptions(0.05) alone is Signum without dither). Groups may be added at the end at any time (under
// switch_scope tensor before the first step). After the switch a group's SGD rate is Lambda times its learning rate, so
// schedulers go on unchanged. The base class's state() stays empty; average() has the state.
#pragma once

#include <torch/optim/optimizer.h>

#include <memory>
#include <vector>

#include "signstep/libtorch/sign_sgd_options.h"
#include "signstep/optim/sign_optimizer.h"

namespace signstep {

class DevicePasses;

class SignSGD : public torch::optim::Optimizer {
 public:
  // Groups without options of their own take the defaults. Throws OptionError for options that do not go together, a
  // group that differs in more than rate and decay, a rate or decay that step() would refuse, a parameter that is given
  // twice or is no dense floating-point tensor of less than 2^34 elements.
  SignSGD(std::vector<torch::optim::OptimizerParamGroup> groups, SignSGDOptions defaults);
  SignSGD(std::vector<at::Tensor> parameters, SignSGDOptions defaults);

  // As the base class's, and checked at once: throws what the constructor throws, and a group that is refused is not in
  // param_groups() afterwards. What comes in through the base class (2.15's drops a group's
  // options) is checked, and if refused taken out, by the next step() or load().
  void add_param_group(const torch::optim::OptimizerParamGroup& group);

  // One step. The closure, if any, is called once, with autograd on, before it; its result is returned. Gradients are
  // only read. Throws OptionError, before anything is touched, for a sparse gradient, a learning rate that is negative
  // or not finite, a decay likewise, a product of the two of 1 and more, another option of a group that is no longer
  // the optimizer's, a parameter that was replaced, and what the constructor throws, for groups added since.
  at::Tensor step(LossClosure closure = nullptr) override;

  // What the last step did: non-finite coordinates, dither level, phase, gamma and Lambda, the switch event.
  const StepReport& report() const { return report_; }
  uint64_t steps() const { return steps_; }
  // The moving average m (the SGD phase's d) of parameter i over all groups; undefined where there is none (yet).
  const at::Tensor& average(size_t i) const { return slots_.at(i).m; }

  // All that a run needs to go on bit for bit, the groups' learning rates and decays included; parameters are the
  // module's. save throws what step throws for groups' options. load throws CheckpointError, and changes nothing, for
  // an archive of something else, of other parameters or of options that differ in more than rate and decay. A seed
  // that draws nothing and a total_steps that nothing refers to may differ.
  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive) override;

 private:
  struct Slot {
    at::Tensor parameter, m, maximum;  // maximum: dither maximum's
  };
  // A zero m or maximum for a parameter, in its memory layout.
  static at::Tensor make_state(const at::Tensor& parameter);

  std::vector<at::Tensor> all_parameters() const;
  void check_new(const std::vector<at::Tensor>& all) const;
  void append(const torch::optim::OptimizerParamGroup& group);
  void admit_new();
  SignState state_for(size_t parameters) const;  // with entries for those that are new

  SignSGDOptions options_;  // resolved; defaults() is anybody's to change
  UpdatePlan plan_;
  std::vector<Slot> slots_;  // over all groups, in order
  size_t groups_ = 0;        // that are admitted
  SignState state_;
  uint64_t steps_ = 0;
  StepReport report_;
  std::shared_ptr<DevicePasses> devices_;
  friend struct SignSGDOnDevice;  // of the tests: another DevicePasses
};

}  // namespace signstep
