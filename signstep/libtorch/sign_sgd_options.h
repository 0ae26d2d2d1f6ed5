// SPDX-License-Identifier: Apache-2.0
// The options of signstep::SignSGD as LibTorch's optimizers carry them: one object per parameter group, whose learning
// rate schedulers read and write.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/serialize/archive.h>

#include <string>

#include "signstep/optim/rules/sign.h"

namespace signstep {

using OptimizerKind = SignKind;  // kSignSgd, kSignum, kLion

struct SignSGDOptions : torch::optim::OptimizerCloneableOptions<SignSGDOptions> {
  SignSGDOptions() = default;  // Signum at its default rate
  explicit SignSGDOptions(double learning_rate) { rule.learning_rate = learning_rate; }

  SignOptions rule;  // signsgd, signum or lion; what sign(0) is; decoupled weight decay
  DitherOptions dither;
  SwitchOptions switching;
  // Of dither and of the coins of sign(0). Two optimizers of one seed draw the same noise at the same step for their
  // tensors of the same place: give each of several (a generator's and a discriminator's) a seed of its own.
  uint64_t seed = 0;
  // Calls of step() in the whole run, which annealed dither and shares of the run refer to; 0: not known, allowed where
  // nothing refers to it.
  int64_t total_steps = 0;

  double get_lr() const override;
  // 0 is a rate here, as warm-up may want it, although no option can be given it.
  void set_lr(double lr) override;
  void serialize(torch::serialize::InputArchive& archive) override;
  void serialize(torch::serialize::OutputArchive& archive) const override;
};

// Every option with its name, range and unit; describe(list, options); list.set("dither", "relative").
void describe(OptionList& list, SignSGDOptions& options);

// What the options mean together. Throws OptionError for options that do not go together and where total_steps is
// needed and 0.
UpdatePlan make_update_plan(const SignSGDOptions& options);

// Fills what is auto. Throws what make_update_plan throws.
SignSGDOptions resolved(SignSGDOptions options);

// The options of a group, to read and to change. Throws OptionError where they are another optimizer's.
const SignSGDOptions& sign_sgd_options(const torch::optim::OptimizerParamGroup& group);
SignSGDOptions& sign_sgd_options(torch::optim::OptimizerParamGroup& group);

// The rest is SignSGD's own. The first option in which two sets differ: "" or "momentum is 0.8, wanted 0.9". Learning
// rate and decay are not compared; a seed only where something is drawn, total_steps only where something refers to it.
std::string difference(SignSGDOptions seen, SignSGDOptions wanted);

// What keeps a step from being taken at this rate and decay, or "".
std::string rate_complaint(const SignSGDOptions& options);

// A group's options as they are in force beside the optimizer's own, which are resolved: what is auto is the
// optimizer's. Throws OptionError, naming the group, for a difference or a complaint. Cheap where nothing is auto.
SignSGDOptions in_force(SignSGDOptions group, const SignSGDOptions& optimizers, size_t number);

}  // namespace signstep
