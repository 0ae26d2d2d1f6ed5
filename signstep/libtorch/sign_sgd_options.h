// SPDX-License-Identifier: Apache-2.0
// The options of signstep::SignSGD as LibTorch's optimizers carry them: one object per parameter group, whose learning
// rate schedulers read and write.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/serialize/archive.h>

#include <string>

#include "signstep/optim/sign_run_options.h"

namespace signstep {

using OptimizerKind = SignKind;  // kSignSgd, kSignum, kLion

struct SignSGDOptions : torch::optim::OptimizerCloneableOptions<SignSGDOptions>, SignRunOptions {
  SignSGDOptions() = default;  // Signum at its default rate
  explicit SignSGDOptions(double learning_rate) { rule.learning_rate = learning_rate; }

  double get_lr() const override;
  // 0 is a rate here, as warm-up may want it, although no option can be given it.
  void set_lr(double lr) override;
  void serialize(torch::serialize::InputArchive& archive) override;
  void serialize(torch::serialize::OutputArchive& archive) const override;
};

// Fills what is auto. Throws what make_update_plan throws.
SignSGDOptions resolved(SignSGDOptions options);

// The options of a group, to read and to change. Throws OptionError where they are another optimizer's.
const SignSGDOptions& sign_sgd_options(const torch::optim::OptimizerParamGroup& group);
SignSGDOptions& sign_sgd_options(torch::optim::OptimizerParamGroup& group);

// The rest is SignSGD's own.
// What keeps a step from being taken at this rate and decay, or "".
std::string rate_complaint(const SignSGDOptions& options);

// A group's options as they are in force beside the optimizer's own, which are resolved: what is auto is the
// optimizer's. Throws OptionError, naming the group, for a difference or a complaint. Cheap where nothing is auto.
SignSGDOptions in_force(SignSGDOptions group, const SignSGDOptions& optimizers, size_t number);

}  // namespace signstep
